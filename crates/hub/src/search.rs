//! Federated search: one question to every member, and what each site says of it. Counts only.

use std::{collections::BTreeSet, sync::Arc};

use arno_domain::{
    NodeId, PermitId, QuestionId, SearchId,
    audit::Outcome,
    cohort::{Cohort, Facet},
    disclosure::{self, ProtectedCount, ReleasedCount},
};
use arno_httpkit::{ApiError, ApiJson, ApiResult, SignedIn};
use arno_protocol::{
    Problem,
    federation::{AnswerBody, Question, QuestionBody},
    search::{
        Counts, ExactSearch, NewSearch, Panel, SearchState, SearchTotal, SearchTotals, SiteAnswer,
        SiteSearch,
    },
    session::Role,
};
use arno_store::{
    StoreError,
    hub::{
        members::Member,
        questions::{self, Asked, Subject},
        searches::{self, StoredSearch},
    },
};
use axum::{
    Json,
    extract::{Path, State},
};
use chrono::{DateTime, Duration, Utc};

use crate::{
    Hub,
    catalogue::parse_id,
    exact::{self, count_exactly, usable},
    hub::act,
    survival::survival,
    totals,
};

/// Who may search.
pub(crate) const SEARCHERS: [Role; 3] = [Role::DataUser, Role::Committee, Role::Operator];

/// The same question by the same person within this time is the same search.
const REUSE_WITHIN: Duration = Duration::minutes(1);

/// Searches of one account in a minute; an explorer that is clicked fast makes about thirty.
const MAX_SEARCHES_PER_MINUTE: u32 = 120;

/// Searches of one list.
const MAX_SEARCHES: u32 = 50;

/// Facets of one panel, as many as nodes take.
const MAX_FACETS: usize = 12;

/// Longest cohort as text, so that what was built as a tree can also be written.
const MAX_COHORT_BYTES: usize = 4096;

/// Asks every member how many match.
#[utoipa::path(post, path = "/v1/searches", tag = "search", request_body = NewSearch,
    responses((status = 200, body = SearchState), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(crate) async fn create_search(
    State(hub): State<Hub>,
    who: SignedIn,
    ApiJson(new): ApiJson<NewSearch>,
) -> ApiResult<SearchState> {
    who.require(&SEARCHERS)?;
    let facets = facets_of(&new)?;
    let permit = match &new {
        NewSearch::Exact(exact) => Some(usable(&hub, &who.account, exact.permit).await?),
        NewSearch::Text(_) | NewSearch::Cohort(_) | NewSearch::Panel(_) => None,
    };
    let cohort = cohort_of(new)?;
    if let Some(permit) = permit {
        return count_exactly(&hub, who.account, (cohort, facets), permit).await;
    }
    let (now, digest) = (hub.now(), cohort.digest());
    let since = now - REUSE_WITHIN;
    let same = searches::same_search(&hub.database, &who.account, &digest, since).await?;
    // The one before may have been asked without facets.
    if let Some(same) = same.filter(|_| facets.is_empty()) {
        let state = state_of(&hub, same).await?;
        let in_vain =
            |site: &SiteSearch| matches!(site.answer, SiteAnswer::Late | SiteAnswer::Failed { .. });
        if !state.sites.iter().any(in_vain) {
            return Ok(Json(state));
        }
    }
    check_rate(&hub, &who.account, now).await?;
    let search = new_search(&hub, who.account, cohort, None);
    let members = hub.members().await;
    let body = |search: &StoredSearch| QuestionBody::Search {
        search: search.id,
        data_user: search.asked_by.clone(),
        cohort: search.cohort.clone(),
        facets: facets.clone(),
    };
    ask_members(&hub, &search, (&members, body(&search))).await?;
    totals::start(&hub, &search);
    Ok(Json(state_of(&hub, search).await?))
}

/// The account's newest searches.
#[utoipa::path(get, path = "/v1/searches", tag = "search",
    responses((status = 200, body = Vec<SearchState>), (status = 401, body = Problem)))]
pub(crate) async fn list_searches(
    State(hub): State<Hub>,
    who: SignedIn,
) -> ApiResult<Vec<SearchState>> {
    who.require(&SEARCHERS)?;
    let mut states = Vec::new();
    for search in searches::searches(&hub.database, &who.account, MAX_SEARCHES).await? {
        states.push(state_of(&hub, search).await?);
    }
    Ok(Json(states))
}

/// A search and what the sites have said so far.
#[utoipa::path(get, path = "/v1/searches/{id}", tag = "search", params(("id" = SearchId, Path)),
    responses((status = 200, body = SearchState), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get_search(
    State(hub): State<Hub>,
    who: SignedIn,
    Path(id): Path<String>,
) -> ApiResult<SearchState> {
    who.require(&SEARCHERS)?;
    let search = searches::search(&hub.database, parse_id(&id, "search")?).await?;
    if search.asked_by != who.account {
        return Err(StoreError::NotFound { what: "search" }.into());
    }
    Ok(Json(state_of(&hub, search).await?))
}

/// The facets of a panel, each once.
fn facets_of(new: &NewSearch) -> Result<Vec<Facet>, ApiError> {
    let asked = match new {
        NewSearch::Panel(panel) => &panel.facets,
        NewSearch::Exact(exact) if !exact.facets.is_empty() => &exact.facets,
        NewSearch::Text(_) | NewSearch::Cohort(_) | NewSearch::Exact(_) => return Ok(Vec::new()),
    };
    let facets: BTreeSet<Facet> = asked.iter().copied().collect();
    if facets.is_empty() || facets.len() > MAX_FACETS {
        let detail = format!("A panel has 1 to {MAX_FACETS} facets.");
        return Err(ApiError::bad_request("bad_facets", detail));
    }
    Ok(facets.into_iter().collect())
}

fn cohort_of(new: NewSearch) -> Result<Cohort, ApiError> {
    let cohort = match new {
        NewSearch::Text(text)
        | NewSearch::Panel(Panel { text, .. })
        | NewSearch::Exact(ExactSearch { text, .. }) => text
            .parse::<Cohort>()
            .map_err(|error| ApiError::bad_request("bad_cohort", error.to_string()))?,
        NewSearch::Cohort(cohort) => cohort,
    };
    cohort
        .check()
        .map_err(|error| ApiError::bad_request("bad_cohort", error.to_string()))?;
    if cohort.to_string().len() > MAX_COHORT_BYTES {
        let detail = format!("A cohort is written in at most {MAX_COHORT_BYTES} bytes.");
        return Err(ApiError::bad_request("bad_cohort", detail));
    }
    Ok(cohort)
}

pub(crate) async fn check_rate(
    hub: &Hub,
    account: &str,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let newest = searches::searches(&hub.database, account, MAX_SEARCHES_PER_MINUTE).await?;
    let oldest = newest.get(MAX_SEARCHES_PER_MINUTE as usize - 1);
    if oldest.is_some_and(|search| search.asked_at > now - Duration::minutes(1)) {
        let detail = format!("At most {MAX_SEARCHES_PER_MINUTE} searches a minute. Wait a moment.");
        return Err(ApiError::unavailable("too_many_searches", detail));
    }
    Ok(())
}

pub(crate) fn new_search(
    hub: &Hub,
    asked_by: String,
    cohort: Cohort,
    permit: Option<PermitId>,
) -> StoredSearch {
    let now = hub.now();
    StoredSearch {
        id: SearchId::new(),
        asked_by,
        asked_at: now,
        expires_at: now + hub.config.waits.search,
        text: cohort.to_string(),
        digest: cohort.digest(),
        cohort,
        permit,
    }
}

/// Keeps the search and one question to each of these members, and wakes those who wait for one.
pub(crate) async fn ask_members(
    hub: &Hub,
    search: &StoredSearch,
    (members, body): (&[Arc<Member>], QuestionBody),
) -> Result<(), StoreError> {
    let mut tx = hub.database.write().await?;
    searches::create_search(&mut tx, search).await?;
    for member in members {
        let question = Question {
            id: QuestionId::new(),
            expires_at: search.expires_at,
            body: body.clone(),
        };
        let (node, subject) = (member.card.node, Subject::Search(search.id));
        questions::create_question(&mut tx, node, subject, &question, search.asked_at).await?;
    }
    let (what, detail) = match search.permit {
        Some(permit) => ("exact count", format!("under {permit}: {}", search.text)),
        None => ("search", search.text.clone()),
    };
    let done = act(&search.asked_by, what, search.id, Outcome::Done, detail);
    tx.audit(search.asked_at, done).await?;
    tx.commit().await?;
    for member in members {
        hub.presence.wake(member.card.node);
    }
    Ok(())
}

pub(crate) async fn state_of(hub: &Hub, search: StoredSearch) -> Result<SearchState, StoreError> {
    let subject = Subject::Search(search.id);
    let asked = questions::asked(&hub.database, subject).await?;
    let answers = questions::answers(&hub.database, subject).await?;
    let members = hub.members().await;
    let over = hub.now() >= search.expires_at;
    let mut sites: Vec<_> = asked
        .iter()
        .map(|asked| SiteSearch {
            node: asked.node,
            name: name_of(asked.node, &members),
            answer: site_answer(asked.node, &answers, (search.permit, over)),
        })
        .collect();
    if search.permit.is_some() {
        sites.extend(not_asked(&asked, &members));
    }
    let total = total_of(hub, &search, &sites).await?;
    Ok(SearchState {
        complete: total != SearchTotal::Waiting
            && sites.iter().all(|site| site.answer != SiteAnswer::Waiting),
        total,
        survival: survival(&sites),
        totals: search.permit.is_none().then(|| totals(&sites)),
        sites,
        permit: search.permit,
        id: search.id,
        asked_by: search.asked_by,
        asked_at: search.asked_at,
        text: search.text,
        cohort: search.cohort,
        digest: search.digest,
    })
}

async fn total_of(
    hub: &Hub,
    search: &StoredSearch,
    sites: &[SiteSearch],
) -> Result<SearchTotal, StoreError> {
    if let Some(permit) = search.permit {
        return Ok(exact::total(permit, sites));
    }
    Ok(match searches::total(&hub.database, search.id).await? {
        Some(total) => total,
        None if hub.now() < totals::over_at(search) => SearchTotal::Waiting,
        // The hub stopped while it was made.
        None => SearchTotal::Missing {
            reason: "the total was not made in time".to_owned(),
        },
    })
}

/// Members of whose datasets the permit names none.
fn not_asked(asked: &[Asked], members: &[Arc<Member>]) -> Vec<SiteSearch> {
    let is_asked = |node: NodeId| asked.iter().any(|asked| asked.node == node);
    let others = members.iter().map(|member| member.card.node);
    let others = others.filter(|node| !is_asked(*node));
    let site = |node| SiteSearch {
        node,
        name: name_of(node, members),
        answer: SiteAnswer::NotAsked,
    };
    others.map(site).collect()
}

fn name_of(node: NodeId, members: &[Arc<Member>]) -> String {
    let member = members.iter().find(|member| member.card.node == node);
    member
        .map(|member| member.card.name.clone())
        .unwrap_or_default()
}

/// What a node said. A search with noise takes no exact counts and one under a permit no others, nor those of another permit.
fn site_answer(
    node: NodeId,
    answers: &[(NodeId, AnswerBody)],
    (permit, over): (Option<PermitId>, bool),
) -> SiteAnswer {
    let answer = answers.iter().find(|(from, _)| *from == node);
    match (answer.map(|(_, answer)| answer), permit) {
        (Some(AnswerBody::Counts(counts)), None) => SiteAnswer::Counted(counts.clone()),
        (Some(AnswerBody::Exact(counts)), Some(permit)) if counts.permit == permit => {
            SiteAnswer::Exact(counts.clone())
        }
        (Some(AnswerBody::Refused { code, reason }), _) => SiteAnswer::Refused {
            code: code.clone(),
            reason: reason.clone(),
        },
        (Some(AnswerBody::Failed { reason }), _) => SiteAnswer::Failed {
            reason: reason.clone(),
        },
        (Some(_), _) => SiteAnswer::Failed {
            reason: "the node answered something else".into(),
        },
        (None, _) if over => SiteAnswer::Late,
        (None, _) => SiteAnswer::Waiting,
    }
}

fn totals(sites: &[SiteSearch]) -> SearchTotals {
    let counts: Vec<Counts> = sites
        .iter()
        .filter_map(|site| match &site.answer {
            SiteAnswer::Counted(counted) => counted.counts,
            SiteAnswer::Waiting
            | SiteAnswer::Exact(_)
            | SiteAnswer::NotAsked
            | SiteAnswer::Late
            | SiteAnswer::Refused { .. }
            | SiteAnswer::Failed { .. } => None,
        })
        .collect();
    let total = |released: fn(&Counts) -> ReleasedCount| {
        disclosure::total(&counts.iter().map(released).collect::<Vec<_>>())
    };
    let ((patients_low, patients_high), (series_low, series_high)) = (
        total(|counts| released(counts.patients, counts.margins.patients)),
        total(|counts| released(counts.series, counts.margins.series)),
    );
    SearchTotals {
        patients_low,
        patients_high,
        series_low,
        series_high,
    }
}

fn released(count: ProtectedCount, margin: u64) -> ReleasedCount {
    ReleasedCount { count, margin }
}

#[cfg(test)]
mod tests {
    use arno_domain::{NodeId, disclosure::ProtectedCount};
    use arno_protocol::search::{
        Counts, Margins, NewSearch, SearchTotals, SiteAnswer, SiteCounts, SiteSearch,
    };

    use super::{cohort_of, totals};

    fn counted(patients: ProtectedCount) -> SiteSearch {
        let series = ProtectedCount::About(10);
        let counts = Counts {
            patients,
            studies: patients,
            series,
            margins: Margins::default(),
        };
        let answer = SiteAnswer::Counted(SiteCounts {
            counts: Some(counts),
            criteria: Vec::new(),
            facets: Vec::new(),
            survival: Vec::new(),
            budget: None,
        });
        SiteSearch {
            node: NodeId::new(),
            name: String::new(),
            answer,
        }
    }

    #[test]
    fn totals_say_what_hidden_counts_may_be() {
        let mut silent = counted(ProtectedCount::About(100));
        silent.answer = SiteAnswer::Late;
        let sites = [
            counted(ProtectedCount::About(20)),
            counted(ProtectedCount::FewerThan(5)),
            silent,
        ];
        let expect = SearchTotals {
            patients_low: 20,
            patients_high: 24,
            series_low: 20,
            series_high: 20,
        };
        assert_eq!(totals(&sites), expect);
    }

    #[test]
    fn what_is_no_cohort_is_refused() {
        let check = |text: &str, expect: Option<&str>| {
            let found = cohort_of(NewSearch::Text(text.into()));
            assert_eq!(found.err().map(|error| error.code()), expect, "{text}");
        };
        check("", None);
        check("modality = CT", None);
        check("modality >", Some("bad_cohort"));
        check("modality > 3", Some("bad_cohort"));
    }
}
