//! From a question to its stored answer: a question is answered once, and each answer or refusal is an audit entry
//! in the same transaction.

use arno_domain::{
    Signed,
    audit::{Act, Outcome},
    permit::Permit,
};
use arno_protocol::federation::{Answer, AnswerBody, Question, QuestionBody, RoundTask};
use arno_store::{
    StoreError,
    node::{StoredAnswer, Under},
};

use crate::{
    Node, NodeError, Pinned,
    analyses::{Decision, Refused, Stop, Verdict},
    disclosure::Entered,
};

/// Tries to answer a question while others change what was said.
const MAX_DECISIONS: usize = 3;

impl Node {
    /// The answer to a question: the stored one, or a new one that is stored now.
    ///
    /// # Errors
    /// When the store fails; then nothing was answered and the question may be asked again.
    pub async fn answer(&self, pinned: &Pinned, question: &Question) -> Result<Answer, NodeError> {
        let stored = match self.store().answer(question.id).await? {
            Some(stored) => stored,
            None => self.answer_anew(pinned, question).await?,
        };
        let body = serde_json::from_str(&stored.answer_json)
            .map_err(|_| StoreError::Corrupt { what: "answer" })?;
        Ok(Answer {
            question: question.id,
            question_sha256: stored.question_sha256,
            body,
        })
    }

    async fn answer_anew(
        &self,
        pinned: &Pinned,
        question: &Question,
    ) -> Result<StoredAnswer, NodeError> {
        for _ in 0..MAX_DECISIONS {
            let released = match self.decide(pinned, question).await {
                Ok(Decision::Release(released)) => released,
                Ok(Decision::Say(verdict)) => return self.say(question, *verdict).await,
                Err(Stop::Refused(refused)) => {
                    return self.say(question, Verdict::Refused(refused)).await;
                }
                Err(Stop::Error(error)) => return Err(error),
            };
            let act = self.act_of(question, (Outcome::Done, String::new()));
            let stored = stored_answer(question, &released.body)?;
            let entered = self.put_release(question, &released.entries, (stored, act));
            match entered.await? {
                Entered::Said(stored) => return Ok(stored),
                Entered::Again => {}
                Entered::Refused(refused) => {
                    return self.say(question, Verdict::Refused(refused)).await;
                }
            }
        }
        let reason = "the node's data changed while it counted; ask again";
        self.say(question, Verdict::Failed(reason.to_owned())).await
    }

    fn act_of(&self, question: &Question, (outcome, detail): (Outcome, String)) -> Act {
        let subject = Subject::of(&question.body);
        let detail = [subject.detail, detail]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("; ");
        self.act(
            &subject.actor,
            subject.action,
            &subject.subject,
            outcome,
            detail,
        )
    }

    async fn say(&self, question: &Question, verdict: Verdict) -> Result<StoredAnswer, NodeError> {
        let act = self.act_of(question, told(&verdict));
        let (body, under) = match verdict {
            Verdict::Answered(body, permit) => (body, Under::Permit(Box::new(permit))),
            Verdict::Counted(body, counted) => (body, Under::Count(counted)),
            Verdict::Done(body) => (body, Under::Nothing),
            Verdict::Refused(Refused { code, reason }) => (
                AnswerBody::Refused {
                    code: code.to_owned(),
                    reason,
                },
                Under::Nothing,
            ),
            Verdict::Failed(reason) => (AnswerBody::Failed { reason }, Under::Nothing),
        };
        let stored = stored_answer(question, &body)?;
        Ok(self
            .store()
            .put_answer(question.id, stored, (act, &under), self.now())
            .await?)
    }

    async fn decide(&self, pinned: &Pinned, question: &Question) -> Result<Decision, Stop> {
        Ok(match &question.body {
            QuestionBody::Search {
                data_user,
                cohort,
                facets,
                ..
            } => self.answer_search(data_user, (cohort, facets)).await?,
            QuestionBody::Count(count) => self.answer_count(pinned, count).await?,
            QuestionBody::Total(total) => self.contribute_total(total).await?,
            QuestionBody::UnmaskTotal { search, request } => {
                self.unmask_total(*search, request).await?.into()
            }
            QuestionBody::Round(round) => self.contribute(pinned, round).await?.into(),
            QuestionBody::Unmask(unmask) => self.unmask(unmask).await?.into(),
            QuestionBody::LocalModel {
                data_user,
                permit,
                sites,
                ..
            } => self
                .local_model(pinned, permit.as_ref(), data_user, *sites)
                .await?
                .into(),
            QuestionBody::Revoke(revocation) => self.revoke(pinned, revocation).await?.into(),
        })
    }
}

fn stored_answer(question: &Question, body: &AnswerBody) -> Result<StoredAnswer, StoreError> {
    Ok(StoredAnswer {
        question_sha256: question.sha256(),
        answer_json: serde_json::to_string(body)
            .map_err(|_| StoreError::Corrupt { what: "answer" })?,
    })
}

fn told(verdict: &Verdict) -> (Outcome, String) {
    match verdict {
        Verdict::Answered(_, permit) => (Outcome::Done, format!("under {}", permit.id)),
        // The question's own part says which permit.
        Verdict::Counted(..) | Verdict::Done(_) => (Outcome::Done, String::new()),
        Verdict::Refused(refused) => (
            Outcome::Refused,
            format!("{}: {}", refused.code, refused.reason),
        ),
        Verdict::Failed(reason) => (Outcome::Failed, reason.clone()),
    }
}

/// The permit that a question names, whether or not it is one.
fn claimed(permit: Option<&Signed<Permit>>) -> String {
    let permit = permit.and_then(|permit| permit.unverified().ok());
    permit.map_or_else(|| "no permit".to_owned(), |permit| permit.id.to_string())
}

/// Who asked what about what, for the audit log.
struct Subject {
    actor: String,
    action: &'static str,
    subject: String,
    detail: String,
}

impl Subject {
    fn of(body: &QuestionBody) -> Self {
        let of = |actor: &str, action, subject: String, detail: String| Self {
            actor: actor.to_owned(),
            action,
            subject,
            detail,
        };
        match body {
            QuestionBody::Search {
                search,
                data_user,
                cohort,
                ..
            } => of(data_user, "search", search.to_string(), cohort.to_string()),
            QuestionBody::Count(count) => of(
                &count.data_user,
                "exact count",
                count.search.to_string(),
                format!("under {}: {}", claimed(count.permit.as_ref()), count.cohort),
            ),
            QuestionBody::Total(total) => of(
                &total.data_user,
                "total",
                total.search.to_string(),
                format!("{} sites: {}", total.participants.len(), total.cohort),
            ),
            QuestionBody::UnmaskTotal { search, .. } => {
                of("hub", "unmask total", search.to_string(), String::new())
            }
            QuestionBody::Round(round) => {
                let task = match round.task {
                    RoundTask::Moments => "moments",
                    RoundTask::Newton(_) => "newton",
                    RoundTask::Evaluate(_) => "evaluate",
                };
                let detail = format!(
                    "round {} ({task}) with {} sites",
                    round.round,
                    round.participants.len()
                );
                of(
                    &round.data_user,
                    "round",
                    round.analysis.to_string(),
                    detail,
                )
            }
            QuestionBody::Unmask(unmask) => of(
                "hub",
                "unmask",
                unmask.analysis.to_string(),
                format!("round {}", unmask.round),
            ),
            QuestionBody::LocalModel {
                analysis,
                data_user,
                ..
            } => of(
                data_user,
                "local model",
                analysis.to_string(),
                String::new(),
            ),
            QuestionBody::Revoke(revocation) => {
                let revocation = revocation.unverified().ok();
                let subject =
                    revocation.map_or_else(String::new, |revocation| revocation.permit.to_string());
                of("access committee", "revoke", subject, String::new())
            }
        }
    }
}
