//! One round: permit, participants, cases, sums, mask. The hub gets the sums under masks that only cancel in the total.

use arno_domain::{
    hex,
    permit::{ActivePermit, LEAST_SITES, Operation},
};
use arno_learning::{
    evaluation::ScoreHistogram,
    logistic::{Moments, NewtonSums, log_odds},
    nodule::{self, Nodule},
    reading::Split,
    secagg::{MAX_PARTICIPANTS, RoundContext, contribute},
};
use arno_protocol::{
    Base64,
    federation::{AnswerBody, RoundQuestion, RoundTask},
};
use arno_store::{StoreError, node::Contributed};

use super::{Refused, Stop, Verdict, Wanted, model_of, participants::participant_id, round_name};
use crate::{Node, Pinned};

/// Models that are measured in one round: the federation's and one of each site.
const MAX_MODELS: usize = MAX_PARTICIPANTS + 1;

/// The phase of a masked contribution in the node's memory.
pub(super) const CONTRIBUTE: &str = "contribute";

impl Node {
    /// A masked contribution to a round.
    pub(crate) async fn contribute(
        &self,
        pinned: &Pinned,
        question: &RoundQuestion,
    ) -> Result<Verdict, Stop> {
        let operation = match question.task {
            RoundTask::Moments | RoundTask::Newton(_) => Operation::Train,
            RoundTask::Evaluate(_) => Operation::Evaluate,
        };
        let wanted = Wanted {
            data_user: &question.data_user,
            operation,
            sites: question.participants.len(),
        };
        let active = self
            .activate(pinned, question.permit.as_ref(), wanted)
            .await?;
        let participants = self.participants(&question.participants).await?;
        let (analysis, task) = (*question.analysis.as_bytes(), question.task.sha256());
        let context = RoundContext::new(analysis, question.round, task, participants)
            .map_err(|error| Refused::new("bad_participants", error.to_string()))?;
        let cases = self.cases(&active).await?;
        self.remember(question, &active, &context).await?;

        let (task, mask, me) = (
            question.task.clone(),
            self.keys().mask.clone(),
            participant_id(self.id()),
        );
        let compute = move || -> Result<Vec<u8>, Refused> {
            let contribution = contribute(&context, me, &mask, &sums(&task, &cases)?);
            let contribution =
                contribution.map_err(|error| Refused::new("cannot_mask", error.to_string()))?;
            serde_json::to_vec(&contribution)
                .map_err(|error| Refused::new("cannot_mask", error.to_string()))
        };
        let payload = Base64(tokio::task::spawn_blocking(compute).await??);
        Ok(Verdict::Answered(
            AnswerBody::Contribution { payload },
            active.permit().clone(),
        ))
    }

    /// A node contributes once to a round. The very same round again gives the very same bytes, because dataset versions
    /// never change, so that is allowed; another one under the same number is not.
    async fn remember(
        &self,
        question: &RoundQuestion,
        active: &ActivePermit,
        context: &RoundContext,
    ) -> Result<(), Stop> {
        let contributed = Contributed {
            analysis: question.analysis,
            round: question.round,
            phase: CONTRIBUTE,
            digest: hex::encode(context.digest()),
            context_json: serde_json::to_string(context)
                .map_err(|_| StoreError::Corrupt { what: "round" })?,
            permit: active.permit().id,
            least_sites: active.permit().min_sites.max(LEAST_SITES),
        };
        self.remember_once(contributed, "contributed_already").await
    }

    pub(super) async fn remember_once(
        &self,
        new: Contributed,
        code: &'static str,
    ) -> Result<(), Stop> {
        match self.store().insert_contribution(&new).await {
            Ok(()) => Ok(()),
            Err(StoreError::Conflict { .. }) => {
                let before = self
                    .store()
                    .contributed(new.analysis, new.round, new.phase)
                    .await?;
                if before.is_some_and(|before| {
                    before.digest == new.digest && before.permit == new.permit
                }) {
                    return Ok(());
                }
                let reason = format!(
                    "this node answered another question for {}",
                    round_name(new.analysis, new.round)
                );
                Err(Refused::new(code, reason).into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// What the task asks for, as the vector of `arno-learning`.
fn sums(task: &RoundTask, cases: &[Nodule]) -> Result<Vec<f64>, Refused> {
    match task {
        RoundTask::Moments => Ok(Moments::of(&nodule::rows(cases, Split::Train)).to_vec()),
        RoundTask::Newton(model) => {
            let (standardiser, coefficients) = model_of(model).ok_or_else(bad_model)?;
            Ok(NewtonSums::of(
                &nodule::rows(cases, Split::Train),
                &standardiser,
                &coefficients,
            )
            .to_vec())
        }
        RoundTask::Evaluate(models) if models.is_empty() || models.len() > MAX_MODELS => {
            Err(Refused::new(
                "bad_model",
                format!("an evaluation measures 1 to {MAX_MODELS} models"),
            ))
        }
        RoundTask::Evaluate(models) => {
            let rows = nodule::rows(cases, Split::Test);
            let histograms = models.iter().map(|model| {
                let (standardiser, coefficients) = model_of(model).ok_or_else(bad_model)?;
                let cases = rows.iter().map(|row| {
                    (
                        log_odds(&row.features, &standardiser, &coefficients),
                        row.positive,
                    )
                });
                Ok(ScoreHistogram::of(cases).to_vec())
            });
            Ok(histograms.collect::<Result<Vec<_>, Refused>>()?.concat())
        }
    }
}

fn bad_model() -> Refused {
    Refused::new(
        "bad_model",
        "a model of the question is not of the form that is computed with here",
    )
}
