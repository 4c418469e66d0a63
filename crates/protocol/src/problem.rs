//! Errors on the wire: problem details (RFC 9457) with a stable code for programs and a next step for people.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The media type of a [`Problem`].
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A stable word for programs, such as `permit_missing`.
    pub code: String,
    /// HTTP status.
    pub status: u16,
    /// What went wrong, the same for every case of this code.
    pub title: String,
    /// This case: the thing, the place and what to do next. Never patient data.
    pub detail: String,
}
