//! One task per running analysis: reads where it stands, asks the machine what is next, does it, waits.
//!
//! All it knows is in the database, so a hub that restarts goes on where it was, and no question is asked twice.

use std::time::Duration;

use arno_domain::{
    AnalysisId, NodeId, QuestionId, Signed,
    audit::Outcome,
    permit::{LEAST_SITES, Permit},
};
use arno_protocol::{
    analyses::{AnalysisStatus, EvaluatedModel},
    federation::{AnswerBody, Question, QuestionBody, RoundQuestion, RoundTask, UnmaskQuestion},
};
use arno_store::{
    StoreError, WriteTx,
    hub::{
        analyses::{self, AnalysisRow, RoundPhase, RoundRow},
        questions::{self, Subject},
        requests,
    },
};
use chrono::{DateTime, Utc};

use super::{
    finish::evaluated_models,
    machine::{Site, State, Step, next_step},
    masked::{self, MaskedError},
};
use crate::{Hub, hub::act};

/// The longest sleep: a clock that was set, by a person or a test, is noticed after this.
const MAX_SLEEP: Duration = Duration::from_secs(1);

/// After a failure of the store, such as a full disk.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Answers are awaited by the node's clock so long beyond the hub's deadline: the hub may be restarted meanwhile.
const RESTART_ALLOWANCE: chrono::Duration = chrono::Duration::minutes(10);

/// What came of one step.
enum Next {
    Again,
    Wait(DateTime<Utc>),
    Ended,
}

/// Drives an analysis to its end.
pub(super) async fn drive(hub: Hub, id: AnalysisId) {
    let mut changes = hub.presence.changes();
    loop {
        // Before looking, so that what happens meanwhile is not slept over.
        changes.borrow_and_update();
        let sleep = match advance(&hub, id).await {
            Ok(Next::Ended) => return,
            Ok(Next::Again) => continue,
            Ok(Next::Wait(until)) => (until - hub.now())
                .to_std()
                .unwrap_or_default()
                .min(MAX_SLEEP),
            Err(error) => {
                tracing::error!(%error, analysis = %id, "an analysis cannot go on; trying again");
                RETRY_AFTER
            }
        };
        tokio::select! {
            _ = changes.changed() => {}
            () = tokio::time::sleep(sleep) => {}
        }
    }
}

async fn advance(hub: &Hub, id: AnalysisId) -> Result<Next, StoreError> {
    let analysis = analyses::analysis(&hub.database, id).await?;
    if analysis.status != AnalysisStatus::Running {
        return Ok(Next::Ended);
    }
    let permit = match analysis.permit {
        Some(permit) => Some(requests::signed_permit(&hub.database, permit).await?),
        None => None,
    };
    let state = load(hub, &analysis, permit.as_ref()).await?;
    let work = Work {
        hub,
        analysis: &analysis,
        permit,
        state: &state,
    };
    match next_step(&state) {
        Step::Wait { until } => return Ok(Next::Wait(until)),
        Step::Ask {
            round,
            task,
            participants,
        } => work.ask(round, task, participants).await?,
        Step::Unmask { survivors } => work.unmask(survivors).await?,
        Step::Total { survivors } => work.total(survivors).await?,
        Step::Abandon { reason } => work.abandon(reason).await?,
        Step::AskLocalModels { sites } => work.ask_local_models(&sites).await?,
        Step::Finish => return work.finish().await,
        Step::Refuse => {
            return work
                .end(
                    AnalysisStatus::Refused,
                    &[],
                    Outcome::Refused,
                    "too many sites refused",
                )
                .await;
        }
        Step::Fail { reason } => {
            let status = AnalysisStatus::Failed {
                reason: reason.clone(),
            };
            return work.end(status, &[], Outcome::Failed, &reason).await;
        }
    }
    Ok(Next::Again)
}

async fn load(
    hub: &Hub,
    analysis: &AnalysisRow,
    permit: Option<&Signed<Permit>>,
) -> Result<State, StoreError> {
    let (id, now, waits) = (analysis.id, hub.now(), &hub.config.waits);
    let rounds = analyses::rounds(&hub.database, id).await?;
    let asked = match rounds.last() {
        Some(RoundRow {
            round,
            phase: RoundPhase::Contributing,
            ..
        }) => questions::asked(&hub.database, Subject::Contribution(id, *round)).await?,
        Some(RoundRow {
            round,
            phase: RoundPhase::Unmasking { .. },
            ..
        }) => questions::asked(&hub.database, Subject::Unmasking(id, *round)).await?,
        _ => Vec::new(),
    };
    let sites = analyses::analysis_sites(&hub.database, id)
        .await?
        .into_iter();
    let site = |node, refused| Site {
        node,
        refused,
        standing: hub.presence.standing(node, now),
    };
    // Who was asked before what was answered: an answer between the two reads must not seem to be given and missing.
    let local_asked = questions::asked(&hub.database, Subject::LocalModel(id)).await?;
    let local_models = questions::answers(&hub.database, Subject::LocalModel(id))
        .await?
        .into_iter();
    let last_event = rounds
        .last()
        .map_or(analysis.started_at, ended_at)
        .max(hub.presence.started_at());
    let permit = permit.and_then(|permit| permit.unverified().ok());
    Ok(State {
        now,
        least_sites: permit.map_or(LEAST_SITES, |permit| permit.min_sites.max(LEAST_SITES))
            as usize,
        pace: chrono::Duration::milliseconds(i64::from(analysis.pace_ms)),
        phase_timeout: waits.round,
        patience_until: last_event + waits.patience,
        sites: sites
            .map(|row| site(row.node, row.refusal.is_some()))
            .collect(),
        rounds,
        asked,
        local_asked,
        local_models: local_models
            .filter_map(|(node, answer)| match answer {
                AnswerBody::LocalModel { model } => Some((node, model)),
                _ => None,
            })
            .collect(),
    })
}

fn ended_at(round: &RoundRow) -> DateTime<Utc> {
    match &round.phase {
        RoundPhase::Totalled { at, .. } | RoundPhase::Abandoned { at, .. } => *at,
        RoundPhase::Contributing | RoundPhase::Unmasking { .. } => round.started_at,
    }
}

/// One step's work on one analysis; each method is one transaction.
struct Work<'a> {
    hub: &'a Hub,
    analysis: &'a AnalysisRow,
    permit: Option<Signed<Permit>>,
    state: &'a State,
}

impl Work<'_> {
    fn newest(&self) -> &RoundRow {
        self.state
            .rounds
            .last()
            .expect("the machine closes only a round that was begun")
    }

    fn question(&self, body: QuestionBody) -> Question {
        let expires_at = self.state.now + self.state.phase_timeout + RESTART_ALLOWANCE;
        Question {
            id: QuestionId::new(),
            expires_at,
            body,
        }
    }

    async fn commit(&self, tx: WriteTx<'_>, wake: &[NodeId]) -> Result<(), StoreError> {
        tx.commit().await?;
        wake.iter().for_each(|node| self.hub.presence.wake(*node));
        Ok(())
    }

    async fn ask(
        &self,
        round: u32,
        task: RoundTask,
        participants: Vec<NodeId>,
    ) -> Result<(), StoreError> {
        let (id, now, members) = (self.analysis.id, self.state.now, self.hub.members().await);
        let cards = participants
            .iter()
            .filter_map(|node| members.iter().find(|member| member.card.node == *node));
        let cards: Vec<_> = cards.map(|member| member.signed_card.clone()).collect();
        let mut tx = self.hub.database.write().await?;
        for node in &participants {
            let question = self.question(QuestionBody::Round(RoundQuestion {
                analysis: id,
                round,
                data_user: self.analysis.started_by.clone(),
                permit: self.permit.clone(),
                participants: cards.clone(),
                task: task.clone(),
            }));
            questions::create_question(
                &mut tx,
                *node,
                Subject::Contribution(id, round),
                &question,
                now,
            )
            .await?;
        }
        if matches!(task, RoundTask::Evaluate(_)) {
            // The models that are measured are fixed now; a late one would not be in the total.
            questions::close_questions(&mut tx, Subject::LocalModel(id)).await?;
        }
        let phase = RoundPhase::Contributing;
        let row = RoundRow {
            round,
            task,
            participants: participants.clone(),
            started_at: now,
            phase,
        };
        analyses::create_round(&mut tx, id, &row).await?;
        self.commit(tx, &participants).await
    }

    async fn unmask(&self, survivors: Vec<NodeId>) -> Result<(), StoreError> {
        let (id, round, now) = (self.analysis.id, self.newest(), self.state.now);
        let subject = Subject::Contribution(id, round.round);
        let answers = questions::answers(&self.hub.database, subject).await?;
        let requests = masked::context(&self.hub.members().await, id, round)
            .and_then(|context| masked::unmask_requests(&context, &answers, &survivors));
        let requests = match requests {
            Ok(requests) => requests,
            Err(error) => return self.abandon(error.to_string()).await,
        };
        let mut tx = self.hub.database.write().await?;
        questions::close_questions(&mut tx, subject).await?;
        for (node, request) in survivors.iter().zip(requests) {
            let body = UnmaskQuestion {
                analysis: id,
                round: round.round,
                request,
            };
            let (question, subject) = (
                self.question(QuestionBody::Unmask(body)),
                Subject::Unmasking(id, round.round),
            );
            questions::create_question(&mut tx, *node, subject, &question, now).await?;
        }
        let phase = RoundPhase::Unmasking {
            survivors: survivors.clone(),
            asked_at: now,
        };
        analyses::put_round_phase(&mut tx, id, round.round, &phase).await?;
        self.commit(tx, &survivors).await
    }

    async fn total(&self, survivors: Vec<NodeId>) -> Result<(), StoreError> {
        let total = match self.sum(survivors.clone()).await? {
            Ok(total) => total,
            Err(error) => return self.abandon(error.to_string()).await,
        };
        let phase = RoundPhase::Totalled {
            survivors,
            total,
            at: self.hub.now(),
        };
        self.close_round(phase).await
    }

    async fn sum(
        &self,
        survivors: Vec<NodeId>,
    ) -> Result<Result<Vec<f64>, MaskedError>, StoreError> {
        let (id, round) = (self.analysis.id, self.newest());
        let contributed =
            questions::answers(&self.hub.database, Subject::Contribution(id, round.round)).await?;
        let unmasked =
            questions::answers(&self.hub.database, Subject::Unmasking(id, round.round)).await?;
        let context = match masked::context(&self.hub.members().await, id, round) {
            Ok(context) => context,
            Err(error) => return Ok(Err(error)),
        };
        let sum = move || masked::total(&context, &contributed, &unmasked, &survivors);
        Ok(tokio::task::spawn_blocking(sum)
            .await
            .unwrap_or(Err(MaskedError::Malformed)))
    }

    async fn abandon(&self, reason: String) -> Result<(), StoreError> {
        tracing::warn!(analysis = %self.analysis.id, round = self.newest().round, reason, "a round yields no sum");
        self.close_round(RoundPhase::Abandoned {
            reason,
            at: self.hub.now(),
        })
        .await
    }

    /// The round is over: what was masked is deleted with it.
    async fn close_round(&self, phase: RoundPhase) -> Result<(), StoreError> {
        let (id, round) = (self.analysis.id, self.newest().round);
        let mut tx = self.hub.database.write().await?;
        questions::delete_answers(&mut tx, Subject::Contribution(id, round)).await?;
        questions::delete_answers(&mut tx, Subject::Unmasking(id, round)).await?;
        analyses::put_round_phase(&mut tx, id, round, &phase).await?;
        tx.commit().await
    }

    async fn ask_local_models(&self, sites: &[NodeId]) -> Result<(), StoreError> {
        let (id, now) = (self.analysis.id, self.state.now);
        let mut tx = self.hub.database.write().await?;
        for node in sites {
            let question = self.question(QuestionBody::LocalModel {
                analysis: id,
                data_user: self.analysis.started_by.clone(),
                permit: self.permit.clone(),
                sites: u32::try_from(sites.len()).unwrap_or(u32::MAX),
            });
            questions::create_question(&mut tx, *node, Subject::LocalModel(id), &question, now)
                .await?;
        }
        self.commit(tx, sites).await
    }

    async fn finish(&self) -> Result<Next, StoreError> {
        match evaluated_models(
            &self.state.rounds,
            &self.state.local_models,
            &self.hub.members().await,
        ) {
            Ok(models) => {
                let detail = format!(
                    "{} rounds, {} models",
                    self.state.rounds.len(),
                    models.len()
                );
                self.end(AnalysisStatus::Finished, &models, Outcome::Done, &detail)
                    .await
            }
            Err(reason) => {
                let status = AnalysisStatus::Failed {
                    reason: reason.clone(),
                };
                self.end(status, &[], Outcome::Failed, &reason).await
            }
        }
    }

    async fn end(
        &self,
        status: AnalysisStatus,
        models: &[EvaluatedModel],
        outcome: Outcome,
        detail: &str,
    ) -> Result<Next, StoreError> {
        let (id, now) = (self.analysis.id, self.hub.now());
        let mut tx = self.hub.database.write().await?;
        questions::close_questions(&mut tx, Subject::LocalModel(id)).await?;
        if let Some(round) = self.state.rounds.last() {
            questions::delete_answers(&mut tx, Subject::Contribution(id, round.round)).await?;
            questions::delete_answers(&mut tx, Subject::Unmasking(id, round.round)).await?;
        }
        analyses::finish_analysis(&mut tx, id, &status, models, now).await?;
        tx.audit(
            now,
            act(
                &self.analysis.started_by,
                "analysis ended",
                id,
                outcome,
                detail,
            ),
        )
        .await?;
        tx.commit().await?;
        Ok(Next::Ended)
    }
}
