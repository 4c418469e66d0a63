//! What an analysis does next: one pure function of what is in the database, who is on the line, and the time.
//!
//! The way of an analysis: moments, Newton rounds until the coefficients stand, each site's own model, evaluation.
//! A round has two phases, contributions and unmasking; one that yields no sum is abandoned and tried again under
//! the next number, never the same, because a node contributes once to each.

use arno_domain::NodeId;
use arno_learning::secagg::MAX_PARTICIPANTS;
use arno_protocol::{analyses::LogisticModel, federation::RoundTask};
use arno_store::hub::{
    analyses::{RoundPhase, RoundRow},
    questions::{Asked, Outcome},
};
use chrono::{DateTime, Duration, Utc};

use super::learned::{Stage, learn};
use crate::presence::Standing;

/// Rounds without a sum in a row before the analysis gives up.
const MAX_RETRIES: usize = 5;

/// Rounds of one analysis, so that sites that come and go cannot keep it running for ever.
const MAX_ROUNDS: usize = 150;

/// Sites' own models that are measured beside the federation's; more would not fit into one message.
pub(crate) const MAX_LOCAL_MODELS: usize = 32;

/// All that decides what comes next.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) now: DateTime<Utc>,
    /// Fewest sites whose contributions are added.
    pub(crate) least_sites: usize,
    /// Least time of a round.
    pub(crate) pace: Duration,
    /// A phase goes on after this with whoever answered.
    pub(crate) phase_timeout: Duration,
    /// Too few sites online are waited for until then.
    pub(crate) patience_until: DateTime<Utc>,
    /// All sites that were asked to take part, by node.
    pub(crate) sites: Vec<Site>,
    /// All rounds, in order.
    pub(crate) rounds: Vec<RoundRow>,
    /// Who was asked in the newest round's open phase.
    pub(crate) asked: Vec<Asked>,
    /// Who was asked for a local model.
    pub(crate) local_asked: Vec<Asked>,
    /// The local models that are here, by node.
    pub(crate) local_models: Vec<(NodeId, LogisticModel)>,
}

/// A site of the analysis.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site {
    pub(crate) node: NodeId,
    pub(crate) refused: bool,
    pub(crate) standing: Standing,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Nothing until something happens or this time comes.
    Wait { until: DateTime<Utc> },
    /// Begin a round.
    Ask {
        round: u32,
        task: RoundTask,
        participants: Vec<NodeId>,
    },
    /// Go on to the second phase of the newest round.
    Unmask { survivors: Vec<NodeId> },
    /// Make the sum of the newest round.
    Total { survivors: Vec<NodeId> },
    /// The newest round yields no sum.
    Abandon { reason: String },
    /// Ask these for the model of their own data.
    AskLocalModels { sites: Vec<NodeId> },
    /// All is measured.
    Finish,
    /// Too many sites refused.
    Refuse,
    /// It cannot be finished.
    Fail { reason: String },
}

/// What to do next.
pub(crate) fn next_step(state: &State) -> Step {
    if state.sites.iter().filter(|site| !site.refused).count() < state.least_sites {
        return refused(state);
    }
    match state.rounds.last() {
        Some(round) => match &round.phase {
            RoundPhase::Contributing => contributing(state, round),
            RoundPhase::Unmasking {
                survivors,
                asked_at,
            } => unmasking(state, round, survivors, *asked_at),
            RoundPhase::Totalled { .. } | RoundPhase::Abandoned { .. } => between_rounds(state),
        },
        None => between_rounds(state),
    }
}

/// Too many refused. Those who were asked and are silent are heard first, so that each site's reason is kept.
fn refused(state: &State) -> Step {
    let asked_at = state.rounds.last().map(|round| round.started_at);
    match asked_at.and_then(|asked_at| state.awaited_until(asked_at)) {
        Some(until) => Step::Wait { until },
        None => Step::Refuse,
    }
}

fn contributing(state: &State, round: &RoundRow) -> Step {
    if let Some(until) = state.awaited_until(round.started_at) {
        return Step::Wait { until };
    }
    let survivors = state.given();
    let least = majority(round.participants.len()).max(state.least_sites);
    if survivors.len() >= least {
        return Step::Unmask { survivors };
    }
    Step::Abandon {
        reason: format!(
            "{} of {} sites contributed, {least} are needed",
            survivors.len(),
            round.participants.len()
        ),
    }
}

fn unmasking(
    state: &State,
    round: &RoundRow,
    survivors: &[NodeId],
    asked_at: DateTime<Utc>,
) -> Step {
    let (helped, least) = (state.given().len(), majority(round.participants.len()));
    if helped < least {
        return match state.awaited_until(asked_at) {
            Some(until) => Step::Wait { until },
            None => Step::Abandon {
                reason: format!("{helped} sites helped to unmask the sum, {least} are needed"),
            },
        };
    }
    let earliest = round.started_at + state.pace;
    if state.now < earliest {
        return Step::Wait { until: earliest };
    }
    Step::Total {
        survivors: survivors.to_vec(),
    }
}

fn between_rounds(state: &State) -> Step {
    let failed = state
        .rounds
        .iter()
        .rev()
        .map_while(|round| match &round.phase {
            RoundPhase::Abandoned { reason, .. } => Some(reason),
            _ => None,
        });
    let failed: Vec<_> = failed.collect();
    if failed.len() > MAX_RETRIES {
        let reason = format!(
            "{} rounds in a row failed; the last: {}",
            failed.len(),
            failed[0]
        );
        return Step::Fail { reason };
    }
    if state.rounds.len() >= MAX_ROUNDS {
        return Step::Fail {
            reason: format!("no end after {MAX_ROUNDS} rounds: sites come and go too often"),
        };
    }
    match learn(&state.rounds).0 {
        Stage::Moments => ask(state, RoundTask::Moments),
        Stage::Newton(model) => ask(state, RoundTask::Newton(model)),
        Stage::Converged { model, sites } => measure(state, model, sites),
        Stage::Evaluated { .. } => Step::Finish,
        Stage::Failed(reason) => Step::Fail { reason },
    }
}

fn measure(state: &State, model: LogisticModel, sites: Vec<NodeId>) -> Step {
    let Some(first) = state.local_asked.first() else {
        return Step::AskLocalModels { sites };
    };
    if let Some(until) = state.awaited(&state.local_asked, first.asked_at) {
        return Step::Wait { until };
    }
    let local = state
        .local_models
        .iter()
        .take(MAX_LOCAL_MODELS)
        .map(|(_, model)| model.clone());
    ask(
        state,
        RoundTask::Evaluate(std::iter::once(model).chain(local).collect()),
    )
}

/// A round with everybody who is on the line, unless somebody is about to come back.
fn ask(state: &State, task: RoundTask) -> Step {
    let willing = || state.sites.iter().filter(|site| !site.refused);
    let coming = willing().filter_map(|site| match site.standing {
        Standing::Awaited(until) => Some(until),
        Standing::Online | Standing::Offline => None,
    });
    if let Some(until) = coming.min() {
        return Step::Wait { until };
    }
    let online = willing()
        .filter(|site| site.standing == Standing::Online)
        .map(|site| site.node);
    let participants: Vec<_> = online.take(MAX_PARTICIPANTS).collect();
    if participants.len() < state.least_sites {
        return wait_for_sites(state, participants.len());
    }
    let round = state.rounds.last().map_or(1, |last| last.round + 1);
    Step::Ask {
        round,
        task,
        participants,
    }
}

fn wait_for_sites(state: &State, online: usize) -> Step {
    if state.now < state.patience_until {
        return Step::Wait {
            until: state.patience_until,
        };
    }
    let least = state.least_sites;
    Step::Fail {
        reason: format!(
            "{online} sites are online, {least} are needed: start again when they are back"
        ),
    }
}

/// As in secure aggregation: so many must contribute, and so many must help to unmask.
fn majority(participants: usize) -> usize {
    participants / 2 + 1
}

impl State {
    /// Who gave what was asked for, by node.
    fn given(&self) -> Vec<NodeId> {
        let given = self
            .asked
            .iter()
            .filter(|asked| asked.outcome == Some(Outcome::Given));
        given.map(|asked| asked.node).collect()
    }

    fn awaited_until(&self, since: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.awaited(&self.asked, since)
    }

    /// Until when to wait for those who were asked and have not answered; `None` when there is nobody to wait for.
    fn awaited(&self, asked: &[Asked], since: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let deadline = since + self.phase_timeout;
        let silent = asked.iter().filter(|asked| asked.outcome.is_none());
        let times = silent.map(|asked| match self.standing(asked.node) {
            Standing::Online => deadline,
            Standing::Awaited(until) => until.min(deadline),
            Standing::Offline => self.now,
        });
        // The earliest time at which the picture can change by itself, if anybody is still awaited.
        times.filter(|until| *until > self.now).min()
    }

    fn standing(&self, node: NodeId) -> Standing {
        let site = self.sites.iter().find(|site| site.node == node);
        site.map_or(Standing::Offline, |site| site.standing)
    }
}
