//! Access requests and decisions on the public API of the hub.

use arno_domain::{
    DatasetId, PermitId, RequestId,
    permit::{Operation, Permit, SignedPermit, SignedRevocation},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/requests`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRequest {
    /// A title.
    pub title: String,
    /// What the results are for.
    pub purpose: String,
    /// The dataset versions.
    pub datasets: Vec<DatasetId>,
    /// What is to be done.
    pub operations: Vec<Operation>,
    /// For how many days.
    pub days: u32,
    /// With the operation `count`: exact counts of fewer patients than this are said as "fewer than". Absent hides none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_count: Option<u32>,
}

/// A request and its state.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AccessRequest {
    /// Its id.
    pub id: RequestId,
    /// The data user's account.
    pub submitted_by: String,
    /// When.
    pub submitted_at: DateTime<Utc>,
    /// What was asked.
    pub asked: NewRequest,
    /// What the committee signs when it says yes.
    pub proposed_permit: Permit,
    /// Where it stands.
    pub state: RequestState,
}

/// Where a request stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// The committee has not decided.
    InReview,
    /// Yes.
    Granted {
        /// The permit's id.
        permit: PermitId,
        /// The permit.
        signed: SignedPermit,
        /// Who decided.
        decided_by: String,
        /// When.
        decided_at: DateTime<Utc>,
    },
    /// No.
    Refused {
        /// Why.
        reason: String,
        /// Who decided.
        decided_by: String,
        /// When.
        decided_at: DateTime<Utc>,
    },
    /// Taken back after it was granted.
    Revoked {
        /// The permit's id.
        permit: PermitId,
        /// Why.
        reason: String,
        /// When.
        revoked_at: DateTime<Utc>,
    },
}

/// `POST /v1/requests/{id}/decision`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Decision {
    /// The proposed permit, signed with the committee's key.
    Grant {
        /// The permit.
        permit: SignedPermit,
    },
    /// No.
    Refuse {
        /// Why; shown to the data user.
        reason: String,
    },
}

/// `POST /v1/permits/{id}/revocation`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRevocation {
    /// Signed with the committee's key.
    pub revocation: SignedRevocation,
}
