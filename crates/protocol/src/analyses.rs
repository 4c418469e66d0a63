//! Analyses on the public API of the hub: a federated training, its rounds and its models.

use arno_domain::{AnalysisId, NodeId, PermitId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/analyses`: logistic regression of malignancy on the shape of outlines.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAnalysis {
    /// A title.
    pub title: String,
    /// The permit. Without one every node refuses: the hub does not decide for them.
    pub permit: Option<PermitId>,
    /// Least time a round takes, so that a person can watch; 0 for full speed.
    #[serde(default)]
    pub pace_ms: u32,
}

/// A logistic model on standardised features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogisticModel {
    /// Mean of each feature.
    pub mean: Vec<f64>,
    /// Standard deviation of each feature.
    pub sd: Vec<f64>,
    /// Intercept, then one coefficient a feature.
    pub coefficients: Vec<f64>,
}

/// An analysis and how far it is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Analysis {
    /// Its id.
    pub id: AnalysisId,
    /// A title.
    pub title: String,
    /// The data user's account.
    pub started_by: String,
    /// When.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// The permit.
    pub permit: Option<PermitId>,
    /// How far it is.
    pub status: AnalysisStatus,
    /// The sites that were asked.
    pub sites: Vec<AnalysisSite>,
    /// Rounds so far.
    pub rounds: Vec<Round>,
    /// Names of the features, in the order of the coefficients after the intercept.
    pub features: Vec<String>,
    /// The models, once evaluated: each site's own and the federation's.
    pub models: Vec<EvaluatedModel>,
    /// The pooled data as a yardstick, where somebody who has it all supplied it.
    pub yardstick: Option<Yardstick>,
}

/// How far an analysis is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnalysisStatus {
    /// Rounds are under way.
    Running,
    /// Done.
    Finished,
    /// Too many sites refused.
    Refused,
    /// It could not be finished.
    Failed {
        /// Why and what to do.
        reason: String,
    },
}

/// A site in an analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnalysisSite {
    /// The node.
    pub node: NodeId,
    /// The site's name.
    pub name: String,
    /// What it is doing.
    pub state: SiteState,
}

/// What a site is doing in an analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiteState {
    /// Took part in the newest round.
    TakingPart,
    /// Has not answered the newest round in time.
    Absent,
    /// Refused.
    Refused {
        /// A stable word.
        code: String,
        /// Why.
        reason: String,
    },
}

/// What a round computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoundKind {
    /// Means and deviations.
    Moments,
    /// A Newton step.
    Newton,
    /// Score histograms.
    Evaluate,
}

/// One round, as the hub saw it: totals only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Round {
    /// From 1.
    pub round: u32,
    /// What it computed.
    pub kind: RoundKind,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took; `None` while it runs.
    pub duration_ms: Option<u64>,
    /// The nodes that were asked.
    pub participants: Vec<NodeId>,
    /// Those whose contribution is in the total.
    pub contributed: Vec<NodeId>,
    /// Nodules in the total.
    pub nodules: Option<u64>,
    /// Log-likelihood of the total at the round's coefficients.
    pub log_likelihood: Option<f64>,
    /// Largest change of a coefficient by this round.
    pub max_step: Option<f64>,
}

/// A model with its quality on the test patients of all sites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EvaluatedModel {
    /// The site that fitted it alone; `None` for the federation's.
    pub node: Option<NodeId>,
    /// The site's name, or `Federation`.
    pub name: String,
    /// The model.
    pub model: LogisticModel,
    /// Area under the ROC curve.
    pub auc: f64,
    /// Points of the ROC curve: false-positive rate, true-positive rate.
    pub roc: Vec<[f64; 2]>,
    /// Test nodules that are malignant.
    pub positives: u64,
    /// Test nodules that are benign.
    pub negatives: u64,
}

/// `PUT /v1/analyses/{id}/yardstick`: the same model on pooled data, computed by somebody who has it all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Yardstick {
    /// Where the pooled data came from.
    pub source: String,
    /// The pooled model.
    pub model: LogisticModel,
    /// Its area under the ROC curve on the same test patients.
    pub auc: f64,
    /// Points of its ROC curve.
    pub roc: Vec<[f64; 2]>,
    /// Largest difference between a coefficient of this model and of the federation's.
    pub max_coefficient_difference: f64,
}
