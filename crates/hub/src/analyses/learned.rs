//! What the totals of an analysis' rounds say: the stage it is at, a pure function of the rounds so far.
//!
//! Nothing is kept beside the totals, so a restarted hub is where it was. The mathematics is `arno-learning`'s.

use arno_domain::NodeId;
use arno_learning::{
    evaluation::ScoreHistogram,
    logistic::{
        COEFFICIENTS, Coefficients, LogisticError, Moments, NewtonSums, Progress, Solver,
        Standardiser,
    },
};
use arno_protocol::{analyses::LogisticModel, federation::RoundTask};
use arno_store::hub::analyses::{RoundPhase, RoundRow};

/// Newton rounds over the same sites; well-behaved data take 7 to 9.
const MAX_NEWTON_ROUNDS: u32 = 25;

/// A model of the right shape: finite numbers, deviations above zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Model {
    pub(crate) standardiser: Standardiser,
    pub(crate) coefficients: Coefficients,
}

/// Numbers that are no model of these features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a model of {COEFFICIENTS} finite coefficients with means and deviations")]
pub(crate) struct NotAModel;

impl TryFrom<&LogisticModel> for Model {
    type Error = NotAModel;

    fn try_from(model: &LogisticModel) -> Result<Self, NotAModel> {
        let mean = model.mean.as_slice().try_into().map_err(|_| NotAModel)?;
        let sd = model.sd.as_slice().try_into().map_err(|_| NotAModel)?;
        let coefficients: Coefficients = model
            .coefficients
            .as_slice()
            .try_into()
            .map_err(|_| NotAModel)?;
        let standardiser = Standardiser { mean, sd };
        let usable = standardiser.is_usable()
            && coefficients
                .iter()
                .all(|coefficient| coefficient.is_finite());
        if usable {
            Ok(Self {
                standardiser,
                coefficients,
            })
        } else {
            Err(NotAModel)
        }
    }
}

impl From<Model> for LogisticModel {
    fn from(model: Model) -> Self {
        let Model {
            standardiser: Standardiser { mean, sd },
            coefficients,
        } = model;
        Self {
            mean: mean.to_vec(),
            sd: sd.to_vec(),
            coefficients: coefficients.to_vec(),
        }
    }
}

/// Where an analysis stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stage {
    /// Means and deviations are wanted.
    Moments,
    /// Sums at this model's coefficients are wanted.
    Newton(LogisticModel),
    /// The model stands; these sites made it.
    Converged {
        model: LogisticModel,
        sites: Vec<NodeId>,
    },
    /// The model and those of single sites were measured.
    Evaluated {
        models: Vec<LogisticModel>,
        histograms: Vec<ScoreHistogram>,
    },
    /// The data do not make a model.
    Failed(String),
}

/// What one round told.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Insight {
    pub(crate) nodules: Option<u64>,
    pub(crate) log_likelihood: Option<f64>,
    pub(crate) max_step: Option<f64>,
}

/// The stage after these rounds, and what each told.
pub(crate) fn learn(rounds: &[RoundRow]) -> (Stage, Vec<Insight>) {
    let mut learner = Learner {
        stage: Stage::Moments,
        solver: Solver::new(),
        sites: None,
    };
    let insights = rounds.iter().map(|round| learner.take(round)).collect();
    (learner.stage, insights)
}

struct Learner {
    stage: Stage,
    solver: Solver,
    /// Whose rows the solver adds up; `None` before its first round.
    sites: Option<Vec<NodeId>>,
}

impl Learner {
    fn take(&mut self, round: &RoundRow) -> Insight {
        let RoundPhase::Totalled {
            survivors, total, ..
        } = &round.phase
        else {
            return Insight::default();
        };
        let told = match &round.task {
            RoundTask::Moments => self.moments(total),
            RoundTask::Newton(model) => self.newton(model, survivors, total),
            RoundTask::Evaluate(models) => self.evaluate(models, total),
        };
        told.unwrap_or_else(|reason| {
            self.stage = Stage::Failed(reason);
            Insight::default()
        })
    }

    fn moments(&mut self, total: &[f64]) -> Result<Insight, String> {
        let moments = Moments::from_vec(total).map_err(said)?;
        let standardiser = moments.standardiser().map_err(said)?;
        self.ask(standardiser);
        Ok(Insight {
            nodules: Some(moments.rows),
            ..Insight::default()
        })
    }

    /// The sums must be over the same rows in every round. When a site left or came back, the solver starts anew.
    fn newton(
        &mut self,
        model: &LogisticModel,
        survivors: &[NodeId],
        total: &[f64],
    ) -> Result<Insight, String> {
        let standardiser = Model::try_from(model)
            .map_err(|error| error.to_string())?
            .standardiser;
        let sums = NewtonSums::from_vec(total).map_err(said)?;
        let mut insight = Insight {
            nodules: Some(sums.rows),
            log_likelihood: Some(sums.log_likelihood),
            max_step: None,
        };
        if self
            .sites
            .as_deref()
            .is_some_and(|sites| sites != survivors)
        {
            (self.solver, self.sites) = (Solver::new(), None);
            self.ask(standardiser);
            return Ok(insight);
        }
        self.sites = Some(survivors.to_vec());
        match self.solver.advance(&sums).map_err(said)? {
            Progress::Continue { largest_change } => {
                insight.max_step = Some(largest_change);
                if self.solver.rounds() >= MAX_NEWTON_ROUNDS {
                    return Err(format!(
                        "the coefficients still move after {MAX_NEWTON_ROUNDS} rounds"
                    ));
                }
                self.ask(standardiser);
            }
            Progress::Converged {
                coefficients,
                largest_change,
            } => {
                insight.max_step = Some(largest_change);
                let model = Model {
                    standardiser,
                    coefficients,
                }
                .into();
                self.stage = Stage::Converged {
                    model,
                    sites: survivors.to_vec(),
                };
            }
        }
        Ok(insight)
    }

    fn ask(&mut self, standardiser: Standardiser) {
        let coefficients = *self.solver.coefficients();
        self.stage = Stage::Newton(
            Model {
                standardiser,
                coefficients,
            }
            .into(),
        );
    }

    fn evaluate(&mut self, models: &[LogisticModel], total: &[f64]) -> Result<Insight, String> {
        if total.len() != models.len() * ScoreHistogram::LEN {
            return Err("the evaluation's total has another length than was asked for".to_owned());
        }
        let histograms = total
            .chunks_exact(ScoreHistogram::LEN)
            .map(ScoreHistogram::from_vec);
        let histograms = histograms
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.to_string())?;
        let nodules = histograms
            .first()
            .map(|first| first.positives() + first.negatives());
        self.stage = Stage::Evaluated {
            models: models.to_vec(),
            histograms,
        };
        Ok(Insight {
            nodules,
            ..Insight::default()
        })
    }
}

fn said(error: LogisticError) -> String {
    error.to_string()
}
