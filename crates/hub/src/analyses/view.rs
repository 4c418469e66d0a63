//! An analysis as people see it, from its rows.

use std::sync::Arc;

use arno_domain::NodeId;
use arno_learning::shape::FEATURE_NAMES;
use arno_protocol::{
    analyses::{Analysis, AnalysisSite, Round, RoundKind, SiteState},
    federation::RoundTask,
};
use arno_store::hub::{
    analyses::{AnalysisRow, RoundPhase, RoundRow, SiteRow},
    members::Member,
};

use super::learned::{Insight, learn};

/// The whole analysis.
pub(super) fn analysis(
    row: AnalysisRow,
    sites: &[SiteRow],
    rounds: &[RoundRow],
    members: &[Arc<Member>],
) -> Analysis {
    let (_, insights) = learn(rounds);
    let site = |site: &SiteRow| AnalysisSite {
        node: site.node,
        name: name(site.node, members),
        state: site_state(site, rounds.last()),
    };
    Analysis {
        id: row.id,
        title: row.title,
        started_by: row.started_by,
        started_at: row.started_at,
        finished_at: row.finished_at,
        permit: row.permit,
        status: row.status,
        sites: sites.iter().map(site).collect(),
        rounds: rounds
            .iter()
            .zip(insights)
            .map(|(row, insight)| round(row, insight))
            .collect(),
        features: FEATURE_NAMES.iter().map(ToString::to_string).collect(),
        models: row.models,
        yardstick: row.yardstick,
    }
}

fn name(node: NodeId, members: &[Arc<Member>]) -> String {
    let member = members.iter().find(|member| member.card.node == node);
    member
        .map(|member| member.card.name.clone())
        .unwrap_or_default()
}

fn site_state(site: &SiteRow, newest: Option<&RoundRow>) -> SiteState {
    if let Some(refusal) = &site.refusal {
        return SiteState::Refused {
            code: refusal.code.clone(),
            reason: refusal.reason.clone(),
        };
    }
    let takes_part = newest.is_none_or(|round| match &round.phase {
        RoundPhase::Contributing | RoundPhase::Abandoned { .. } => {
            round.participants.contains(&site.node)
        }
        RoundPhase::Unmasking { survivors, .. } | RoundPhase::Totalled { survivors, .. } => {
            survivors.contains(&site.node)
        }
    });
    if takes_part {
        SiteState::TakingPart
    } else {
        SiteState::Absent
    }
}

fn round(row: &RoundRow, insight: Insight) -> Round {
    let (ended_at, contributed) = match &row.phase {
        RoundPhase::Contributing => (None, &[][..]),
        RoundPhase::Unmasking { survivors, .. } => (None, survivors.as_slice()),
        RoundPhase::Totalled { survivors, at, .. } => (Some(*at), survivors.as_slice()),
        RoundPhase::Abandoned { at, .. } => (Some(*at), &[][..]),
    };
    let duration = ended_at.map(|at| (at - row.started_at).num_milliseconds().unsigned_abs());
    Round {
        round: row.round,
        kind: match row.task {
            RoundTask::Moments => RoundKind::Moments,
            RoundTask::Newton(_) => RoundKind::Newton,
            RoundTask::Evaluate(_) => RoundKind::Evaluate,
        },
        started_at: row.started_at,
        duration_ms: duration,
        participants: row.participants.clone(),
        contributed: contributed.to_vec(),
        nodules: insight.nodules,
        log_likelihood: insight.log_likelihood,
        max_step: insight.max_step,
    }
}
