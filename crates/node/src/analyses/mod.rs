//! Analyses at this node: what is computed over rows, and only behind an [`ActivePermit`] that this node verified itself.
//!
//! What leaves is a masked sum ([`round`]), help to unmask a total ([`unmask`]), or ten numbers of a model fitted on
//! enough cases ([`local_model`]). Each step's question decides nothing: permit, pinned keys and this node's own memory of
//! what it said before do.

mod cases;
mod participants;
mod round;
mod unmask;

pub(crate) use cases::CaseCache;
pub(crate) use participants::participant_id;

use arno_domain::{
    AnalysisId, PermitId, Signed,
    permit::{ActivePermit, Operation, Permit, Revocation, Use, activate},
};
use arno_learning::{
    logistic::{self, Standardiser},
    nodule,
    reading::Split,
    shape::FEATURES,
};
use arno_protocol::{analyses::LogisticModel, federation::AnswerBody};
use arno_store::node::NewExactCount;

use crate::{Node, NodeError, Pinned, disclosure::Released};

/// Fewest cases of each class before a site's own model leaves it: below, ten coefficients could tell of single patients.
pub const MIN_CASES_PER_CLASS: usize = 20;

/// An answer, or why there is none.
pub(crate) enum Verdict {
    /// Computed under this permit.
    Answered(AnswerBody, Permit),
    /// Counted exactly under this permit, with the entry for the ledger of such counts.
    Counted(AnswerBody, Box<(Permit, NewExactCount)>),
    /// Done; no new use of a permit.
    Done(AnswerBody),
    /// Refused by a rule.
    Refused(Refused),
    /// Tried and not achieved.
    Failed(String),
}

/// What a node decided to say, and how it is written down.
pub(crate) enum Decision {
    /// As it is.
    Say(Box<Verdict>),
    /// Once its cost is written.
    Release(Box<Released>),
}

impl From<Verdict> for Decision {
    fn from(verdict: Verdict) -> Self {
        Self::Say(Box::new(verdict))
    }
}

/// A rule that does not allow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// A stable word.
    pub(crate) code: &'static str,
    /// Why, for people.
    pub(crate) reason: String,
}

impl Refused {
    pub(crate) fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }
}

/// A refusal ends a computation as a failure does.
pub(crate) enum Stop {
    /// A rule does not allow it.
    Refused(Refused),
    /// The node fails.
    Error(NodeError),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl<E: Into<NodeError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// What somebody wants to do at this node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// Who.
    pub(crate) data_user: &'a str,
    /// What.
    pub(crate) operation: Operation,
    /// With how many sites.
    pub(crate) sites: usize,
}

impl Node {
    /// Verifies a permit for one use.
    pub(crate) async fn activate(
        &self,
        pinned: &Pinned,
        permit: Option<&Signed<Permit>>,
        wanted: Wanted<'_>,
    ) -> Result<ActivePermit, Stop> {
        let claimed: Option<PermitId> = permit
            .and_then(|permit| permit.unverified().ok())
            .map(|permit| permit.id);
        let revoked = match claimed {
            Some(id) => self.store().is_revoked(id).await?,
            None => false,
        };
        let wanted = Use {
            data_user: wanted.data_user,
            operation: wanted.operation,
            node: self.id(),
            sites: u32::try_from(wanted.sites).unwrap_or(u32::MAX),
            at: self.now(),
        };
        activate(permit, &pinned.committee_key, wanted, |_| revoked)
            .map_err(|refusal| Refused::new(refusal.code(), refusal.to_string()).into())
    }

    /// A model of this site's training cases alone.
    pub(crate) async fn local_model(
        &self,
        pinned: &Pinned,
        permit: Option<&Signed<Permit>>,
        data_user: &str,
        sites: u32,
    ) -> Result<Verdict, Stop> {
        let wanted = Wanted {
            data_user,
            operation: Operation::Train,
            sites: sites as usize,
        };
        let active = self.activate(pinned, permit, wanted).await?;
        let cases = self.cases(&active).await?;
        let rows = nodule::rows(&cases, Split::Train);
        let malignant = rows.iter().filter(|row| row.positive).count();
        if malignant.min(rows.len() - malignant) < MIN_CASES_PER_CLASS {
            let reason = format!(
                "a site's own model needs at least {MIN_CASES_PER_CLASS} training nodules of each class"
            );
            return Err(Refused::new("too_few_cases", reason).into());
        }
        let fitted = tokio::task::spawn_blocking(move || logistic::fit(&rows)).await?;
        Ok(match fitted {
            Ok(fit) => {
                let model = LogisticModel {
                    mean: fit.standardiser.mean.to_vec(),
                    sd: fit.standardiser.sd.to_vec(),
                    coefficients: fit.coefficients.to_vec(),
                };
                Verdict::Answered(AnswerBody::LocalModel { model }, active.permit().clone())
            }
            Err(error) => Verdict::Failed(error.to_string()),
        })
    }

    /// Takes a permit back, if the committee says so.
    pub(crate) async fn revoke(
        &self,
        pinned: &Pinned,
        revocation: &Signed<Revocation>,
    ) -> Result<Verdict, Stop> {
        let revocation = revocation.verify(&pinned.committee_key).map_err(|_| {
            Refused::new(
                "revocation_not_signed",
                "the revocation is not signed by this federation's access committee",
            )
        })?;
        self.store().insert_revocation(&revocation).await?;
        Ok(Verdict::Done(AnswerBody::Accepted))
    }
}

/// A model as `arno-learning` takes it, if it has the right form.
fn model_of(model: &LogisticModel) -> Option<(Standardiser, logistic::Coefficients)> {
    let array = |values: &[f64]| <[f64; FEATURES]>::try_from(values).ok();
    let standardiser = Standardiser {
        mean: array(&model.mean)?,
        sd: array(&model.sd)?,
    };
    let coefficients: logistic::Coefficients = model.coefficients.as_slice().try_into().ok()?;
    let finite = coefficients.iter().all(|value| value.is_finite());
    (finite && standardiser.is_usable()).then_some((standardiser, coefficients))
}

/// Names a round in texts for people.
fn round_name(analysis: AnalysisId, round: u32) -> String {
    format!("round {round} of {analysis}")
}
