//! Quality and re-identification risk on the node's API: what rules found, certificates, and the risk of a dataset version.

use arno_domain::quality::{QualityCertificate, Severity, SignedCertificate};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/series/{uid}/quality`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesQuality {
    /// When the rules were asked; `None` while the series waits.
    pub checked_at: Option<DateTime<Utc>>,
    /// What kind of series it is, such as `t2` or `ct_contrast`.
    pub kind: String,
    /// Finer words, such as `portal venous`.
    pub kind_details: Vec<String>,
    /// What speaks for the kind.
    pub evidence: Vec<String>,
    /// The part of the body.
    pub body: Option<BodySiteView>,
    /// What the rules that it keeps say.
    pub passed: Vec<String>,
    /// Rules that it breaks, the gravest first.
    pub findings: Vec<Finding>,
}

/// A part of the body with its code in SNOMED CT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BodySiteView {
    /// As the header names it.
    pub source: String,
    /// The code.
    pub code: Option<String>,
    /// What the code means.
    pub meaning: Option<String>,
    /// `left`, `right`, `both`, `unknown` or `contradicting`, where the part is paired.
    pub laterality: Option<String>,
}

/// A rule that a series breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// What it asks.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// What to do.
    pub remedy: String,
    /// Instances, frames, places or series concerned.
    pub count: u64,
    /// What was found.
    pub detail: String,
    /// Some of them, by mapped UID.
    pub examples: Vec<String>,
}

/// `GET /v1/quality`: the findings of the whole node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QualityOverview {
    /// Series that were asked.
    pub checked: u64,
    /// Series that wait.
    pub due: u64,
    /// Series by kind, the commonest first.
    pub kinds: Vec<KindCount>,
    /// Every rule, the gravest that is broken first.
    pub rules: Vec<RuleCount>,
}

/// Series of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KindCount {
    /// The kind.
    pub kind: String,
    /// How many.
    pub series: u64,
}

/// A rule and the series that break it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleCount {
    /// The rule's id.
    pub rule: String,
    /// What it asks.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// What to do.
    pub remedy: String,
    /// Series that break it.
    pub failed: u64,
    /// Some of them.
    pub examples: Vec<SeriesFinding>,
}

/// What was found in one series by one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeriesFinding {
    /// The series, mapped.
    pub series_uid: String,
    /// Instances, frames, places or series concerned.
    pub count: u64,
    /// What was found.
    pub detail: String,
}

/// `GET /v1/datasets/{id}/certificate`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DatasetCertificate {
    /// The certificate.
    pub certificate: QualityCertificate,
    /// The same as the node signed it, for whoever wants to check it again.
    pub signed: SignedCertificate,
}

/// The risk of a dataset version in one line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RiskFigure {
    /// Expected share of patients that somebody who knows the columns of all of them names rightly, 0 to 1.
    pub share: f64,
    /// Size of the smallest group of patients that look the same.
    pub k: u64,
    /// Patients that nobody else looks like.
    pub unique: u64,
    /// Whether k keeps the data holder's limit.
    pub within_limit: bool,
}

/// `GET /v1/datasets/{id}/risk`: how far the patients of a version hide among each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RiskReport {
    /// The figures.
    pub figure: RiskFigure,
    /// The data holder's limit for k.
    pub least_k: u32,
    /// Patients.
    pub patients: u64,
    /// Groups of patients that look the same.
    pub classes: u64,
    /// What may be known of them, that which drives the risk most first.
    pub columns: Vec<RiskColumn>,
}

/// What one column adds to the risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RiskColumn {
    /// Its name: a field, or `studies`, `days_between_studies`.
    pub column: String,
    /// Different values.
    pub values: u64,
    /// The share that is left without it.
    pub share_without: f64,
    /// Patients that nobody else looks like without it.
    pub unique_without: u64,
    /// What would help.
    pub advice: Option<RiskAdvice>,
}

/// A coarser way to give a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RiskAdvice {
    /// Width of groups of numbers; `None` when the column is better left out.
    pub group_width: Option<f64>,
    /// The share that is left.
    pub share: f64,
    /// The k that is left.
    pub k: u64,
}
