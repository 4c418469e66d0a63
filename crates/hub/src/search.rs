//! Federated search: one question to every member, and what each site says of it. Counts only.

use std::{collections::BTreeSet, sync::Arc};

use arno_domain::{
    NodeId, QuestionId, SearchId,
    audit::Outcome,
    cohort::{Cohort, Facet},
    disclosure::{self, ProtectedCount, ReleasedCount},
};
use arno_httpkit::{ApiError, ApiJson, ApiResult, SignedIn};
use arno_protocol::{
    Problem,
    federation::{AnswerBody, Question, QuestionBody},
    search::{
        Counts, NewSearch, Panel, SearchState, SearchTotal, SearchTotals, SiteAnswer, SiteSearch,
    },
    session::Role,
};
use arno_store::{
    StoreError,
    hub::{
        members::Member,
        questions::{self, Subject},
        searches::{self, StoredSearch},
    },
};
use axum::{
    Json,
    extract::{Path, State},
};
use chrono::{DateTime, Duration, Utc};

use crate::{Hub, catalogue::parse_id, hub::act, survival::survival, totals};

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
    let cohort = cohort_of(new)?;
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
    let search = StoredSearch {
        id: SearchId::new(),
        asked_by: who.account,
        asked_at: now,
        expires_at: now + hub.config.waits.search,
        text: cohort.to_string(),
        cohort,
        digest,
    };
    ask_members(&hub, &search, &facets).await?;
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
    let NewSearch::Panel(panel) = new else {
        return Ok(Vec::new());
    };
    let facets: BTreeSet<Facet> = panel.facets.iter().copied().collect();
    if facets.is_empty() || facets.len() > MAX_FACETS {
        let detail = format!("A panel has 1 to {MAX_FACETS} facets.");
        return Err(ApiError::bad_request("bad_facets", detail));
    }
    Ok(facets.into_iter().collect())
}

fn cohort_of(new: NewSearch) -> Result<Cohort, ApiError> {
    let cohort = match new {
        NewSearch::Text(text) | NewSearch::Panel(Panel { text, .. }) => text
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

async fn check_rate(hub: &Hub, account: &str, now: DateTime<Utc>) -> Result<(), ApiError> {
    let newest = searches::searches(&hub.database, account, MAX_SEARCHES_PER_MINUTE).await?;
    let oldest = newest.get(MAX_SEARCHES_PER_MINUTE as usize - 1);
    if oldest.is_some_and(|search| search.asked_at > now - Duration::minutes(1)) {
        let detail = format!("At most {MAX_SEARCHES_PER_MINUTE} searches a minute. Wait a moment.");
        return Err(ApiError::unavailable("too_many_searches", detail));
    }
    Ok(())
}

/// Keeps the search and one question to each member, and wakes those who wait for one.
async fn ask_members(hub: &Hub, search: &StoredSearch, facets: &[Facet]) -> Result<(), StoreError> {
    let members = hub.members().await;
    let mut tx = hub.database.write().await?;
    searches::create_search(&mut tx, search).await?;
    for member in &members {
        let question = Question {
            id: QuestionId::new(),
            expires_at: search.expires_at,
            body: QuestionBody::Search {
                search: search.id,
                data_user: search.asked_by.clone(),
                cohort: search.cohort.clone(),
                facets: facets.to_vec(),
            },
        };
        let (node, subject) = (member.card.node, Subject::Search(search.id));
        questions::create_question(&mut tx, node, subject, &question, search.asked_at).await?;
    }
    let done = act(
        &search.asked_by,
        "search",
        search.id,
        Outcome::Done,
        &search.text,
    );
    tx.audit(search.asked_at, done).await?;
    tx.commit().await?;
    for member in &members {
        hub.presence.wake(member.card.node);
    }
    Ok(())
}

async fn state_of(hub: &Hub, search: StoredSearch) -> Result<SearchState, StoreError> {
    let subject = Subject::Search(search.id);
    let asked = questions::asked(&hub.database, subject).await?;
    let answers = questions::answers(&hub.database, subject).await?;
    let members = hub.members().await;
    let over = hub.now() >= search.expires_at;
    let sites: Vec<_> = asked
        .iter()
        .map(|asked| site_search(asked.node, &members, &answers, over))
        .collect();
    let total = match searches::total(&hub.database, search.id).await? {
        Some(total) => total,
        None if hub.now() < totals::over_at(&search) => SearchTotal::Waiting,
        // The hub stopped while it was made.
        None => SearchTotal::Missing {
            reason: "the total was not made in time".to_owned(),
        },
    };
    Ok(SearchState {
        complete: total != SearchTotal::Waiting
            && sites.iter().all(|site| site.answer != SiteAnswer::Waiting),
        total,
        totals: totals(&sites),
        survival: survival(&sites),
        sites,
        id: search.id,
        asked_by: search.asked_by,
        asked_at: search.asked_at,
        text: search.text,
        cohort: search.cohort,
        digest: search.digest,
    })
}

fn site_search(
    node: NodeId,
    members: &[Arc<Member>],
    answers: &[(NodeId, AnswerBody)],
    over: bool,
) -> SiteSearch {
    let member = members.iter().find(|member| member.card.node == node);
    let name = member
        .map(|member| member.card.name.clone())
        .unwrap_or_default();
    let answer = answers.iter().find(|(from, _)| *from == node);
    SiteSearch {
        node,
        name,
        answer: site_answer(answer.map(|(_, answer)| answer), over),
    }
}

fn site_answer(answer: Option<&AnswerBody>, over: bool) -> SiteAnswer {
    match answer {
        Some(AnswerBody::Counts(counts)) => SiteAnswer::Counted(counts.clone()),
        Some(AnswerBody::Refused { reason, .. }) => SiteAnswer::Refused {
            reason: reason.clone(),
        },
        Some(AnswerBody::Failed { reason }) => SiteAnswer::Failed {
            reason: reason.clone(),
        },
        Some(_) => SiteAnswer::Failed {
            reason: "the node answered something else".into(),
        },
        None if over => SiteAnswer::Late,
        None => SiteAnswer::Waiting,
    }
}

fn totals(sites: &[SiteSearch]) -> SearchTotals {
    let counts: Vec<Counts> = sites
        .iter()
        .filter_map(|site| match &site.answer {
            SiteAnswer::Counted(counted) => counted.counts,
            SiteAnswer::Waiting
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
