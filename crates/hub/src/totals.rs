//! The total of a search over sites, by secure aggregation: the hub adds masked, noisy parts and sees their sum alone.
//!
//! The sites that counted are asked for their parts, then those that gave one for help to unmask the sum. Each site adds a share of
//! one noise, so the error does not grow with the sites. One task a search; when the hub stops meanwhile, the search has no total.

use std::time::Duration;

use arno_domain::{NodeId, QuestionId, SearchId, disclosure::margin};
use arno_learning::secagg::{Contribution, RoundContext};
use arno_protocol::{
    Base64,
    federation::{AnswerBody, Question, QuestionBody, TotalQuestion},
    search::{Margins, SearchTotal, SecureTotal},
};
use arno_store::{
    StoreError,
    hub::{
        questions::{self, Asked, Subject},
        searches::{self, StoredSearch},
    },
};
use chrono::{DateTime, Utc};

use crate::{
    Hub,
    analyses::masked::{self, MaskedError},
};

/// Fewest sites of a total, as the nodes want it.
const LEAST_SITES: usize = 3;
/// Nodes that are online answer within milliseconds; who has not counted by then is not in the total.
const COUNTS_WAIT: chrono::Duration = chrono::Duration::seconds(4);
/// The same for each of the two steps of the total.
const STEP_WAIT: chrono::Duration = chrono::Duration::seconds(3);
/// The longest sleep: a clock that was set, by a person or a test, is noticed after this.
const MAX_SLEEP: Duration = Duration::from_secs(1);

/// When a search whose total is not there will not have one: all its waits are over.
pub(crate) fn over_at(search: &StoredSearch) -> DateTime<Utc> {
    search.asked_at + COUNTS_WAIT + STEP_WAIT + STEP_WAIT + STEP_WAIT
}

/// Makes the total of a search, beside everything else.
pub(crate) fn start(hub: &Hub, search: &StoredSearch) {
    let mut drivers = hub
        .drivers
        .lock()
        .expect("nothing panics while it holds this lock");
    while drivers.try_join_next().is_some() {}
    drivers.spawn(total_of(hub.clone(), search.clone()));
}

async fn total_of(hub: Hub, search: StoredSearch) {
    let total = match make(&hub, &search).await {
        Ok(total) => total,
        Err(error) => {
            tracing::error!(%error, search = %search.id, "a search gets no total");
            missing("the hub could not make it")
        }
    };
    if let Err(error) = put(&hub, search.id, &total).await {
        tracing::error!(%error, search = %search.id, "the total of a search is not kept");
    }
    hub.presence.announce();
}

async fn put(hub: &Hub, search: SearchId, total: &SearchTotal) -> Result<(), StoreError> {
    let mut tx = hub.database.write().await?;
    searches::put_total(&mut tx, search, total).await?;
    // Masked parts are kept no longer than their sum is not made.
    questions::delete_answers(&mut tx, Subject::TotalPart(search)).await?;
    questions::delete_answers(&mut tx, Subject::TotalUnmasking(search)).await?;
    tx.commit().await
}

async fn make(hub: &Hub, search: &StoredSearch) -> Result<SearchTotal, StoreError> {
    settled(
        hub,
        Subject::Search(search.id),
        search.asked_at + COUNTS_WAIT,
    )
    .await?;
    let sites = counted(hub, search.id).await?;
    if sites.len() < LEAST_SITES {
        return Ok(too_few("counted", sites.len()));
    }
    ask_parts(hub, search, &sites).await?;
    let parts = Subject::TotalPart(search.id);
    settled(hub, parts, hub.now() + STEP_WAIT).await?;
    let contributed = questions::answers(&hub.database, parts).await?;
    let survivors = gave(&contributed);
    if survivors.len() < LEAST_SITES {
        return Ok(too_few("gave their part", survivors.len()));
    }
    let context = match context(hub, search).await? {
        Ok(context) => context,
        Err(error) => return Ok(missing(&error.to_string())),
    };
    if survivors.len() < context.threshold() {
        return Ok(too_few("gave their part", survivors.len()));
    }
    let requests = match masked::unmask_requests(&context, &contributed, &survivors) {
        Ok(requests) => requests,
        Err(error) => return Ok(missing(&error.to_string())),
    };
    ask_unmasking(hub, search, &survivors, requests).await?;
    let unmasking = Subject::TotalUnmasking(search.id);
    settled(hub, unmasking, hub.now() + STEP_WAIT).await?;
    let unmasked = questions::answers(&hub.database, unmasking).await?;
    let sites = survivors.len();
    let sum = move || masked::total(&context, &contributed, &unmasked, &survivors);
    let sum = tokio::task::spawn_blocking(sum).await;
    Ok(match sum {
        Ok(Ok(sum)) => read(&sum, sites),
        Ok(Err(error)) => missing(&error.to_string()),
        Err(_) => missing("the hub could not add it up"),
    })
}

/// Waits until everybody who was asked has answered, or a time.
async fn settled(hub: &Hub, subject: Subject, until: DateTime<Utc>) -> Result<(), StoreError> {
    let mut changes = hub.presence.changes();
    loop {
        // Before looking, so that what happens meanwhile is not slept over.
        changes.borrow_and_update();
        let asked = questions::asked(&hub.database, subject).await?;
        let is_open = |asked: &Asked| asked.outcome.is_none();
        let Ok(left) = (until - hub.now()).to_std() else {
            return Ok(());
        };
        if left.is_zero() || !asked.iter().any(is_open) {
            return Ok(());
        }
        tokio::select! {
            _ = changes.changed() => {}
            () = tokio::time::sleep(left.min(MAX_SLEEP)) => {}
        }
    }
}

/// The sites that counted, in order of their ids.
async fn counted(hub: &Hub, search: SearchId) -> Result<Vec<NodeId>, StoreError> {
    let answers = questions::answers(&hub.database, Subject::Search(search)).await?;
    let counted = answers
        .into_iter()
        .filter_map(|(node, answer)| match answer {
            AnswerBody::Counts(found) => found.counts.map(|_| node),
            _ => None,
        });
    let mut counted: Vec<_> = counted.collect();
    counted.sort();
    Ok(counted)
}

fn gave(answers: &[(NodeId, AnswerBody)]) -> Vec<NodeId> {
    let parts = answers
        .iter()
        .filter(|(_, answer)| matches!(answer, AnswerBody::Contribution { .. }));
    parts.map(|(node, _)| *node).collect()
}

async fn ask_parts(hub: &Hub, search: &StoredSearch, sites: &[NodeId]) -> Result<(), StoreError> {
    let members = hub.members().await;
    let cards = sites
        .iter()
        .filter_map(|node| members.iter().find(|member| member.card.node == *node));
    let question = TotalQuestion {
        search: search.id,
        data_user: search.asked_by.clone(),
        cohort: search.cohort.clone(),
        participants: cards.map(|member| member.signed_card.clone()).collect(),
    };
    let body = |_: usize| QuestionBody::Total(question.clone());
    ask(hub, Subject::TotalPart(search.id), sites, body).await
}

async fn ask_unmasking(
    hub: &Hub,
    search: &StoredSearch,
    survivors: &[NodeId],
    requests: Vec<Base64>,
) -> Result<(), StoreError> {
    let body = |at: usize| QuestionBody::UnmaskTotal {
        search: search.id,
        request: requests[at].clone(),
    };
    ask(hub, Subject::TotalUnmasking(search.id), survivors, body).await
}

async fn ask(
    hub: &Hub,
    subject: Subject,
    sites: &[NodeId],
    body: impl Fn(usize) -> QuestionBody,
) -> Result<(), StoreError> {
    let now = hub.now();
    let mut tx = hub.database.write().await?;
    for (at, node) in sites.iter().enumerate() {
        let question = Question {
            id: QuestionId::new(),
            expires_at: now + STEP_WAIT,
            body: body(at),
        };
        questions::create_question(&mut tx, *node, subject, &question, now).await?;
    }
    tx.commit().await?;
    sites.iter().for_each(|node| hub.presence.wake(*node));
    Ok(())
}

/// The public facts of the masks, as each node makes them from its question.
async fn context(
    hub: &Hub,
    search: &StoredSearch,
) -> Result<Result<RoundContext, MaskedError>, StoreError> {
    let asked = questions::asked(&hub.database, Subject::TotalPart(search.id)).await?;
    let mut sites: Vec<_> = asked.iter().map(|asked| asked.node).collect();
    sites.sort();
    let question = TotalQuestion::sha256(&search.cohort);
    Ok(masked::context_of(
        &hub.members().await,
        (*search.id.as_bytes(), TotalQuestion::ROUND),
        question,
        &sites,
    ))
}

/// Whether a part has the form that was asked for, so that the sum will not fail because of it.
pub(crate) async fn check_part(
    hub: &Hub,
    search: SearchId,
    node: NodeId,
    payload: &Base64,
) -> Result<Result<(), MaskedError>, StoreError> {
    let search = searches::search(&hub.database, search).await?;
    let context = context(hub, &search).await?;
    let check = || {
        let contribution: Contribution = masked::parse(payload)?;
        if contribution.from != masked::participant(node) {
            return Err(MaskedError::OtherNode);
        }
        Ok(contribution.check(&context?, TotalQuestion::LEN)?)
    };
    Ok(check())
}

/// Three counts and the variances of the noise in them.
fn read(sum: &[f64], sites: usize) -> SearchTotal {
    let &[
        patients,
        studies,
        series,
        of_patients,
        of_studies,
        of_series,
    ] = sum
    else {
        return missing("the sum is not of the form that was asked for");
    };
    let count = |sum: f64| sum.round().max(0.0) as u64;
    let margin = |variance: f64| margin(variance.round().max(0.0) as u64);
    SearchTotal::Counted(SecureTotal {
        sites: u32::try_from(sites).unwrap_or(u32::MAX),
        patients: count(patients),
        studies: count(studies),
        series: count(series),
        margins: Margins {
            patients: margin(of_patients),
            studies: margin(of_studies),
            series: margin(of_series),
        },
    })
}

fn too_few(what: &str, sites: usize) -> SearchTotal {
    missing(&format!(
        "a total needs at least {LEAST_SITES} sites that can be added up; {sites} {what}"
    ))
}

fn missing(reason: &str) -> SearchTotal {
    SearchTotal::Missing {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use arno_protocol::search::{Margins, SearchTotal, SecureTotal};

    use super::read;

    #[test]
    fn a_sum_is_read_with_its_error_and_never_below_nobody() {
        let expect = SecureTotal {
            sites: 3,
            patients: 120,
            studies: 0,
            series: 400,
            margins: Margins {
                patients: 20,
                studies: 196,
                series: 0,
            },
        };
        let found = read(&[120.0, -7.0, 400.0, 100.0, 10_000.0, 0.0], 3);
        assert_eq!(found, SearchTotal::Counted(expect));
        assert!(matches!(read(&[1.0], 3), SearchTotal::Missing { .. }));
    }
}
