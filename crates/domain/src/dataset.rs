//! A dataset: an immutable, published version of a cohort at one node, described by what is in it.
//!
//! The record is computed from the rows by the node and signed by it; nobody fills in a sheet. Totals are the data
//! holder's own statement and exact; every breakdown passes [`crate::disclosure`].

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    DatasetId, Document, NodeId, Signed, disclosure::ProtectedCount, quality::QualitySummary,
};

/// The catalogue record of one dataset version. It holds no pseudonym and no UID.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DatasetRecord {
    /// Its id; another version has another id.
    pub id: DatasetId,
    /// The node that keeps it.
    pub node: NodeId,
    /// Rises by one with each version of the same title at the same node.
    pub version: u32,
    /// A title.
    pub title: String,
    /// What it is, in sentences.
    pub description: String,
    /// The cohort it was frozen from, as text.
    pub cohort: String,
    /// Licence or terms of use.
    pub licence: String,
    /// Whether the images were made by a program and show nobody.
    pub synthetic_images: bool,
    /// When it was frozen.
    pub published_at: DateTime<Utc>,
    /// Patients, exactly.
    pub patients: u64,
    /// Studies with images, exactly.
    pub studies: u64,
    /// Series, exactly.
    pub series: u64,
    /// Instances, exactly.
    pub instances: u64,
    /// Size of the images.
    pub size_bytes: u64,
    /// Readings: outlines and ratings of one nodule by one reader.
    pub readings: u64,
    /// Breakdowns by field (`modality`, `sex`, `manufacturer`, `age` …): value to patients.
    pub breakdowns: BTreeMap<String, BTreeMap<String, ProtectedCount>>,
    /// SHA-256 over the sorted SHA-256 of all instances and readings: what the version consists of.
    pub manifest_sha256: String,
    /// What the rules of quality found; absent in records from before they were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<QualitySummary>,
}

impl Document for DatasetRecord {
    const KIND: &'static str = "arno/dataset/1";
}

/// A record as it travels.
pub type SignedRecord = Signed<DatasetRecord>;
