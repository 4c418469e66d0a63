//! `GET /v1/disclosure`: what was said about this site's patients, to whom, and what it cost.

use arno_domain::{PermitId, disclosure::DisclosurePolicy};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/disclosure`: what was said about this site's patients, and what it cost. Costs are millionths of ρ
/// (zero-concentrated differential privacy).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DisclosureState {
    /// The data holder's settings.
    pub policy: DisclosurePolicy,
    /// Spent by all data users together in the last period.
    pub site_spent_microrho: u64,
    /// ε of (ε, 10⁻⁶)-differential privacy that a data user's whole budget comes to.
    pub epsilon_of_data_user: f64,
    /// Data users who spent something in the last period, those who spent most first.
    pub data_users: Vec<SpentByUser>,
    /// The newest questions that cost something.
    pub questions: Vec<PaidQuestion>,
    /// The newest exact counts under permits; they cost nothing.
    pub exact: Vec<ExactQuestion>,
    /// The alarms of the last period, newest first.
    pub alarms: Vec<DisclosureAlarm>,
}

/// What one data user spent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SpentByUser {
    /// The account at the hub.
    pub data_user: String,
    /// Spent in the last period.
    pub spent_microrho: u64,
    /// Answers in that time.
    pub questions: u64,
    /// How many of them single out few patients.
    pub suspicious: u64,
    /// The newest.
    pub last_at: DateTime<Utc>,
}

/// A question that cost something.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PaidQuestion {
    /// Who asked.
    pub data_user: String,
    /// The cohort as text.
    pub cohort: String,
    /// `site` for this site's own counts, `facets` for a panel of them, `total` for its part of a total.
    pub kind: String,
    /// What it cost.
    pub price_microrho: u64,
    /// Why it was noticed: `isolates`, `differs_by_few`, or not at all.
    pub suspicion: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// A question that was counted exactly under a permit.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ExactQuestion {
    /// The permit.
    pub permit: PermitId,
    /// Who asked.
    pub data_user: String,
    /// The cohort as text.
    pub cohort: String,
    /// Fields by which the patients were counted besides, with commas between; empty for none.
    pub facets: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Somebody asked questions that look like an attack.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DisclosureAlarm {
    /// Who; absent when it is all data users together.
    pub data_user: Option<String>,
    /// Questions that single out few patients, when the alarm was raised.
    pub suspicious: u64,
    /// When.
    pub at: DateTime<Utc>,
}
