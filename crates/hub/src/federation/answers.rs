//! Answers of nodes. The first that is stored wins; a second one gets its receipt and changes nothing.

use arno_domain::{
    Signed,
    audit::Outcome,
    cohort::{Endpoint, MAX_CRITERIA},
    disclosure::{
        Followed, PermittedCell, PermittedCount, PermittedCounts, PermittedFacet, ProtectedCount,
        ReleasedFacet, ReleasedSurvival,
    },
};
use arno_httpkit::ApiError;
use arno_protocol::{
    analyses::LogisticModel,
    federation::{Answer, AnswerBody, MAX_MESSAGE_BYTES, Message, Receipt},
    search::{Counts, CriterionReport, ExactSite, SiteCounts},
};
use arno_store::{
    StoreError,
    hub::{
        analyses::{SiteRefusal, refuse_site},
        questions::{self, QuestionRow, Subject},
    },
};
use axum::{Json, body::Body, extract::State};

use super::{receive, refuse};
use crate::{
    Hub, analyses,
    hub::act,
    limits::{MAX_REASON_CHARS, cut},
    requests::MAX_DATASETS,
    totals,
};

/// A site with more patients than this does not exist; the limit keeps sums from wrapping.
const MAX_COUNT: u64 = 1 << 40;
/// A criterion as text.
const MAX_CRITERION_CHARS: usize = 4_096;
/// Facets of a panel, and cells of a facet.
const MAX_FACETS: usize = 12;
const MAX_CELLS: usize = 1_000;
/// A refusal's word for programs.
const MAX_CODE_CHARS: usize = 60;

pub(super) async fn answer(
    State(hub): State<Hub>,
    body: Body,
) -> Result<Json<Signed<Message<Receipt>>>, ApiError> {
    let (member, message) = receive::<Answer>(&hub, body, MAX_MESSAGE_BYTES).await?;
    let node = member.card.node;
    let answer = &message.body;
    let question = match questions::question_row(&hub.database, answer.question).await {
        Ok(question) if question.node == node => question,
        Ok(_) | Err(StoreError::NotFound { .. }) => {
            let error =
                ApiError::not_found("no_such_question", "This node was not asked this question.");
            return refuse(&hub, node, error).await;
        }
        Err(error) => return Err(error.into()),
    };
    if question.sha256 != answer.question_sha256 {
        let error = ApiError::conflict(
            "other_question",
            "The answer was made for a question of another content.",
        );
        return refuse(&hub, node, error).await;
    }
    let body = checked(&hub, &question, answer.body.clone()).await?;
    store(&hub, &question, &body).await?;
    Ok(Json(hub.reply(&message, Receipt {})))
}

/// The answer as it is kept: bounded, and of the kind that was asked for.
async fn checked(
    hub: &Hub,
    question: &QuestionRow,
    body: AnswerBody,
) -> Result<AnswerBody, ApiError> {
    let failed = |reason: &str| AnswerBody::Failed {
        reason: reason.to_owned(),
    };
    Ok(match (question.subject, body) {
        (_, AnswerBody::Refused { code, reason }) => AnswerBody::Refused {
            code: cut(&code, MAX_CODE_CHARS),
            reason: cut(&reason, MAX_REASON_CHARS),
        },
        (_, AnswerBody::Failed { reason }) => AnswerBody::Failed {
            reason: cut(&reason, MAX_REASON_CHARS),
        },
        (Subject::Search(_), AnswerBody::Counts(counts)) => match are_sane(&counts) {
            true => AnswerBody::Counts(counts),
            false => failed("the node's counts are out of bounds"),
        },
        (Subject::Search(_), AnswerBody::Exact(counts)) => match are_bounded(&counts) {
            true => AnswerBody::Exact(counts),
            false => failed("the node's counts are out of bounds"),
        },
        (Subject::TotalPart(search), AnswerBody::Contribution { payload }) => {
            match totals::check_part(hub, search, question.node, &payload).await? {
                Ok(()) => AnswerBody::Contribution { payload },
                Err(error) => failed(&error.to_string()),
            }
        }
        (Subject::Contribution(analysis, round), AnswerBody::Contribution { payload }) => {
            match analyses::masked::check_contribution(
                hub,
                (analysis, round),
                question.node,
                &payload,
            )
            .await?
            {
                Ok(()) => AnswerBody::Contribution { payload },
                Err(error) => failed(&error.to_string()),
            }
        }
        (
            Subject::Unmasking(_, _) | Subject::TotalUnmasking(_),
            AnswerBody::Unmasking { payload },
        ) => match analyses::masked::check_unmasking(question.node, &payload) {
            Ok(()) => AnswerBody::Unmasking { payload },
            Err(error) => failed(&error.to_string()),
        },
        (Subject::LocalModel(_), AnswerBody::LocalModel { model }) => match is_usable(&model) {
            true => AnswerBody::LocalModel { model },
            false => failed("the node's model is not of the form that was asked for"),
        },
        (Subject::Revocation(_), AnswerBody::Accepted) => AnswerBody::Accepted,
        (_, _) => failed("the node answered something else than it was asked"),
    })
}

fn are_sane(counts: &SiteCounts) -> bool {
    let bounded = |count: &ProtectedCount| match count {
        ProtectedCount::FewerThan(limit) => u64::from(*limit) < MAX_COUNT,
        ProtectedCount::About(count) => *count < MAX_COUNT,
    };
    let all = |counts: &Counts| {
        [counts.patients, counts.studies, counts.series]
            .iter()
            .all(bounded)
            && [
                counts.margins.patients,
                counts.margins.studies,
                counts.margins.series,
            ]
            .iter()
            .all(|margin| *margin < MAX_COUNT)
    };
    let panel = |facet: &ReleasedFacet| {
        facet.cells.len() <= MAX_CELLS
            && facet.margin < MAX_COUNT
            && facet.field.len() <= MAX_CRITERION_CHARS
            && facet
                .cells
                .iter()
                .all(|cell| bounded(&cell.patients) && cell.value.len() <= MAX_CRITERION_CHARS)
    };
    are_short(&counts.criteria)
        && counts.facets.len() <= MAX_FACETS
        && counts.facets.iter().all(panel)
        && counts.survival.len() <= Endpoint::ALL.len()
        && counts.survival.iter().all(is_sound)
        && counts.counts.as_ref().is_none_or(all)
}

/// Exact counts within the same bounds.
fn are_bounded(site: &ExactSite) -> bool {
    let counts = |counts: &PermittedCounts| match counts {
        PermittedCounts::FewerThan(limit) => u64::from(*limit) < MAX_COUNT,
        PermittedCounts::Exactly {
            patients,
            studies,
            series,
        } => [patients, studies, series]
            .into_iter()
            .all(|count| *count < MAX_COUNT),
    };
    let cell = |cell: &PermittedCell| {
        let count = match cell.patients {
            PermittedCount::FewerThan(limit) => u64::from(limit),
            PermittedCount::Exactly(count) => count,
        };
        count < MAX_COUNT && cell.value.len() <= MAX_CRITERION_CHARS
    };
    let panel = |facet: &PermittedFacet| {
        facet.cells.len() <= MAX_CELLS
            && facet.field.len() <= MAX_CRITERION_CHARS
            && facet.cells.iter().all(cell)
    };
    are_short(&site.criteria)
        && site.datasets.len() <= MAX_DATASETS
        && site.facets.len() <= MAX_FACETS
        && site.facets.iter().all(panel)
        && site.counts.as_ref().is_none_or(counts)
}

fn are_short(criteria: &[CriterionReport]) -> bool {
    criteria.len() <= MAX_CRITERIA
        && criteria
            .iter()
            .all(|report| report.criterion.chars().count() <= MAX_CRITERION_CHARS)
}

/// Cells that can be added up, or that nothing is recorded.
fn is_sound(survival: &ReleasedSurvival) -> bool {
    survival.followed.as_ref().is_none_or(Followed::is_sound)
}

fn is_usable(model: &LogisticModel) -> bool {
    analyses::learned::Model::try_from(model).is_ok()
}

/// Keeps the answer with its audit entry, and wakes the analysis or the total that waits for it.
async fn store(hub: &Hub, question: &QuestionRow, body: &AnswerBody) -> Result<(), StoreError> {
    let now = hub.now();
    let mut tx = hub.database.write().await?;
    if !questions::answer_question(&mut tx, question.id, body, now).await? {
        return Ok(());
    }
    let (what, subject) = about(question.subject);
    match body {
        AnswerBody::Refused { code, reason } => {
            let detail = format!("{code}: {reason}");
            tx.audit(
                now,
                act(question.node, what, &subject, Outcome::Refused, detail),
            )
            .await?;
            if let Subject::Contribution(analysis, _) | Subject::Unmasking(analysis, _) =
                question.subject
            {
                let refusal = SiteRefusal {
                    code: code.clone(),
                    reason: reason.clone(),
                };
                refuse_site(&mut tx, analysis, question.node, &refusal).await?;
            }
        }
        AnswerBody::Failed { reason } => {
            tx.audit(
                now,
                act(question.node, what, &subject, Outcome::Failed, reason),
            )
            .await?;
        }
        // What was done is recorded with the search or the analysis itself.
        _ => {}
    }
    tx.commit().await?;
    if !matches!(question.subject, Subject::Revocation(_)) {
        hub.presence.announce();
    }
    Ok(())
}

fn about(subject: Subject) -> (&'static str, String) {
    match subject {
        Subject::Search(id) => ("search answered", id.to_string()),
        Subject::TotalPart(id) => ("part of a total answered", id.to_string()),
        Subject::TotalUnmasking(id) => ("unmasking of a total answered", id.to_string()),
        Subject::Contribution(id, _) => ("round answered", id.to_string()),
        Subject::Unmasking(id, _) => ("unmasking answered", id.to_string()),
        Subject::LocalModel(id) => ("local model answered", id.to_string()),
        Subject::Revocation(id) => ("revocation answered", id.to_string()),
    }
}
