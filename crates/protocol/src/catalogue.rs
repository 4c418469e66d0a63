//! The catalogue and the federation's state on the public API of the hub.

use arno_domain::{
    NodeId, PublicKey,
    audit::AuditEntry,
    dataset::{DatasetRecord, SignedRecord},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/federation`, for everybody.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Federation {
    /// The federation's name.
    pub name: String,
    /// Signs what the hub says; compare its fingerprint.
    pub root_key: PublicKey,
    /// Signs permits.
    pub committee_key: PublicKey,
    /// One entry a member.
    pub nodes: Vec<NodeStatus>,
    /// Sums over the newest version of every dataset in the catalogue.
    pub totals: CatalogueTotals,
}

/// Sums over the catalogue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CatalogueTotals {
    /// Datasets.
    pub datasets: u64,
    /// Patients.
    pub patients: u64,
    /// Studies.
    pub studies: u64,
    /// Series.
    pub series: u64,
    /// Instances.
    pub instances: u64,
    /// Readings.
    pub readings: u64,
}

/// A member of the federation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NodeStatus {
    /// Its id.
    pub node: NodeId,
    /// The site's name.
    pub name: String,
    /// Its town.
    pub city: String,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Whether it asked for work within the last poll interval.
    pub online: bool,
    /// When it last called.
    pub last_seen: Option<DateTime<Utc>>,
    /// When it joined.
    pub joined_at: DateTime<Utc>,
    /// Version of its program.
    pub software: String,
    /// Instances that it says it keeps.
    pub instances: u64,
}

/// One dataset version of the catalogue.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CatalogueEntry {
    /// The record, verified.
    pub record: DatasetRecord,
    /// The site's name.
    pub site: String,
    /// Whether its node is online.
    pub online: bool,
    /// The record as the node signed it, for whoever wants to check it again.
    pub signed: SignedRecord,
}

/// `POST /v1/invitations`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// For whom, for the operator's own list.
    pub note: String,
}

/// An invitation, shown once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct IssuedInvitation {
    /// The line to hand to the site.
    pub invitation: String,
    /// After this it is refused.
    pub expires_at: DateTime<Utc>,
}

/// `GET /v1/audit`, hub and node: the newest entries first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditLog {
    /// The newest entries, newest first.
    pub entries: Vec<AuditEntry>,
    /// Entries in the whole log.
    pub length: i64,
    /// Where the chain of the whole log is broken; `None` when it holds.
    pub first_break: Option<i64>,
}
