//! Federated search on the public API: the question, and per site what it honoured and counted.

use arno_domain::{
    DatasetId, NodeId, PermitId, SearchId,
    cohort::{Cohort, Completion, Endpoint, Entity, Facet, Field},
    disclosure::{
        PermittedCounts, PermittedFacet, ProtectedCount, ReleasedFacet, ReleasedSurvival,
    },
    manifest::Coverage,
    survival::SurvivalCurve,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/fields`: one field that a cohort can ask about.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FieldInfo {
    /// Its name in the cohort language.
    pub field: Field,
    /// What it belongs to.
    pub entity: Entity,
    /// Whether it holds a number, or a day as a number of days.
    pub numeric: bool,
    /// UCUM unit of a number, empty for none.
    pub unit: String,
    /// Whether codes lie under its codes, so that it can be asked with `under`.
    pub hierarchy: bool,
    /// What it means.
    pub meaning: String,
    /// Sites that record it, as far as they have said.
    pub sites: Vec<FieldAtSite>,
    /// Values that are worth a try: well-known ones and those in the catalogue (words only).
    pub examples: Vec<String>,
    /// Ascending limits between which patients can be counted by it; empty for what has no steps.
    pub steps: Vec<f64>,
}

/// How far a site records a field, by its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldAtSite {
    /// The node.
    pub node: NodeId,
    /// Of how many of its patients.
    pub coverage: Coverage,
}

/// `POST /v1/cohorts/reading`: a text that is being written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadCohort {
    /// The text so far.
    pub text: String,
    /// Where to complete it, in characters from 0; left out where nothing is to be completed.
    #[serde(default)]
    pub cursor: Option<u32>,
}

/// What a text says so far, and what may come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Written {
    /// What it says.
    pub reading: CohortReading,
    /// What may stand at the cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion: Option<Completion>,
}

/// A text that was read, or why it cannot be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CohortReading {
    /// It is a cohort.
    Read(SavedCohort),
    /// It is none.
    Mistaken(Mistake),
}

/// A cohort in all its forms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SavedCohort {
    /// Its id: SHA-256 of the normal form.
    pub digest: String,
    /// As text.
    pub text: String,
    /// In normal form.
    pub normal: String,
    /// As a tree.
    pub cohort: Cohort,
}

impl From<Cohort> for SavedCohort {
    fn from(cohort: Cohort) -> Self {
        Self {
            digest: cohort.digest(),
            text: cohort.to_string(),
            normal: cohort.normal_form().to_string(),
            cohort,
        }
    }
}

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mistake {
    /// Characters up to the place, from 1.
    pub position: u64,
    /// Its line, from 1.
    pub line: u64,
    /// Its column, from 1.
    pub column: u64,
    /// What is wrong and what would be right.
    pub message: String,
    /// What was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// `POST /v1/searches`: the cohort as text or as a tree.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NewSearch {
    /// `modality = CT and age in 40..75`.
    Text(String),
    /// The same as a tree.
    Cohort(Cohort),
    /// As text, and the patients counted by the values of some fields besides; that costs its share of the budget.
    Panel(Panel),
    /// Exactly, within the datasets of a permit to count. No budget is touched.
    Exact(ExactSearch),
}

/// A cohort as text, and the permit to count it exactly.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExactSearch {
    /// The cohort.
    pub text: String,
    /// The permit: it must be the account's own and allow to count.
    pub permit: PermitId,
    /// What the patients are counted by besides.
    #[serde(default)]
    pub facets: Vec<Facet>,
}

/// A cohort as text and a panel of facets.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// The cohort.
    pub text: String,
    /// The fields, of words; nodes say which they can count so.
    pub facets: Vec<Facet>,
}

/// A search and what the sites have said so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchState {
    /// Its id.
    pub id: SearchId,
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub asked_at: DateTime<Utc>,
    /// The cohort as text.
    pub text: String,
    /// The cohort as a tree.
    pub cohort: Cohort,
    /// SHA-256 of the normal form: the same question has the same digest.
    pub digest: String,
    /// The permit that it counts exactly under; absent where sites answer with noise. A search is one or the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permit: Option<PermitId>,
    /// No more answers are awaited.
    pub complete: bool,
    /// One entry a node.
    pub sites: Vec<SiteSearch>,
    /// Totals over the sites that answered with noise; absent under a permit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<SearchTotals>,
    /// The total: by secure aggregation, with noise added once, or under a permit the sum of what sites said exactly.
    pub total: SearchTotal,
    /// How long patients were followed, over the sites that have said so far; one entry an endpoint that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub survival: Vec<FederatedSurvival>,
}

/// One endpoint over the sites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FederatedSurvival {
    /// What patients were followed to.
    pub of: Endpoint,
    /// Sites whose patients are in the curve.
    pub sites: Vec<NodeId>,
    /// Sites that counted the cohort and record nothing of the endpoint.
    pub unrecorded: Vec<NodeId>,
    /// The curve; none while no site has said anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curve: Option<SurvivalCurve>,
}

/// A total over sites that no single site's count can be read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchTotal {
    /// Not yet here.
    Waiting,
    /// Added up.
    Counted(SecureTotal),
    /// Added up from exact counts under a permit.
    Exact(ExactTotal),
    /// There is none.
    Missing {
        /// Why.
        reason: String,
    },
}

/// What sites counted exactly under a permit, added up: distinct patients at each site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExactTotal {
    /// The permit.
    pub permit: PermitId,
    /// Sites that said exact counts: the sums are of them alone.
    pub sites: u32,
    /// Sites that said only "fewer than": not in the sums.
    pub hidden: u32,
    /// All other sites of the federation: not in the sums.
    pub without: u32,
    /// Patients.
    pub patients: u64,
    /// Studies with images.
    pub studies: u64,
    /// Series.
    pub series: u64,
}

/// Masked sums with the noise of one site in them, however many sites there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecureTotal {
    /// Sites in it.
    pub sites: u32,
    /// Distinct patients at each site, added up; noise can take it below the truth, but not below 0.
    pub patients: u64,
    /// Studies, capped for each patient.
    pub studies: u64,
    /// Series, capped for each patient.
    pub series: u64,
    /// How far they are from the truth.
    pub margins: Margins,
}

/// Lowest and highest total of what the sites say of themselves: hidden small counts can be anything below their limit, and each
/// count carries its site's noise, so the error grows with the sites. The true total is between them about 95 times in a hundred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchTotals {
    /// At least so many patients.
    pub patients_low: u64,
    /// At most so many patients.
    pub patients_high: u64,
    /// At least so many series.
    pub series_low: u64,
    /// At most so many series.
    pub series_high: u64,
}

/// What one site says of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SiteSearch {
    /// The node.
    pub node: NodeId,
    /// The site's name.
    pub name: String,
    /// Its answer, or why there is none.
    pub answer: SiteAnswer,
}

/// A site's answer to a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiteAnswer {
    /// Not yet here.
    Waiting,
    /// Counted, with noise.
    Counted(SiteCounts),
    /// Counted exactly, under the permit of the search.
    Exact(ExactSite),
    /// Not asked: the permit names no dataset of this node.
    NotAsked,
    /// Nothing came in time; the node may be offline.
    Late,
    /// The node refused.
    Refused {
        /// A stable word for programs.
        code: String,
        /// Why, for people.
        reason: String,
    },
    /// The node failed.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Counts of a site and how each criterion was honoured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SiteCounts {
    /// The counts; `None` when a criterion is unsupported, because any count would be a guess.
    pub counts: Option<Counts>,
    /// One entry a criterion, in order of appearance.
    pub criteria: Vec<CriterionReport>,
    /// A panel of facets, if one was asked for: one question with many cells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<ReleasedFacet>,
    /// How long patients were followed, as noisy cells; one entry an endpoint that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub survival: Vec<ReleasedSurvival>,
    /// What the data user spent at this site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetState>,
}

/// Exact counts of a site within the datasets of a permit, and how each criterion was honoured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExactSite {
    /// The permit that the node verified.
    pub permit: PermitId,
    /// The dataset versions that were counted in; never empty.
    pub datasets: Vec<DatasetId>,
    /// The counts; `None` when a criterion is unsupported, because any count would be a guess.
    pub counts: Option<PermittedCounts>,
    /// One entry a criterion, in order of appearance.
    pub criteria: Vec<CriterionReport>,
    /// A panel of facets, if one was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<PermittedFacet>,
}

/// What a data user spent of the budget at one site, in millionths of ρ (zero-concentrated differential privacy).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BudgetState {
    /// Spent within the last period, this answer included.
    pub spent_microrho: u64,
    /// What may be spent in a period.
    pub budget_microrho: u64,
    /// Days after which what was spent is there again.
    pub period_days: u32,
    /// What a panel of facets costs; 0 where the site does not say.
    #[serde(default)]
    pub panel_microrho: u64,
    /// What a survival curve costs; 0 where the site does not say.
    #[serde(default)]
    pub survival_microrho: u64,
}

/// Half the widths of the intervals that hold the true counts 95 times in a hundred; 0 where a count is exact but for rounding
/// that its author does not state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Margins {
    /// Of patients.
    pub patients: u64,
    /// Of studies.
    pub studies: u64,
    /// Of series.
    pub series: u64,
}

/// Distinct patients, studies and series, protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Distinct patients.
    pub patients: ProtectedCount,
    /// Distinct studies with images.
    pub studies: ProtectedCount,
    /// Distinct series.
    pub series: ProtectedCount,
    /// How far they are from the truth.
    #[serde(default)]
    pub margins: Margins,
}

/// How a site honoured one criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CriterionReport {
    /// The criterion as text.
    pub criterion: String,
    /// How it was honoured.
    pub status: CriterionStatus,
}

/// How a criterion was honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CriterionStatus {
    /// Evaluated on recorded values.
    Applied,
    /// Evaluated, and what lies under its codes was looked for: so many of the values that the site's manifest names are reached.
    Expanded(u32),
    /// This site records nothing of the kind.
    Unsupported,
}
