//! A search that is counted exactly under a permit: who may ask it, whom it goes to, and what the answers come to.
//!
//! What is checked here spares nodes questions in vain; each node checks the permit again by itself, and more. Only nodes whose datasets
//! the permit names are asked. Nothing here adds an exact count to one with noise.

use std::sync::Arc;

use arno_domain::{
    PermitId,
    cohort::{Cohort, Facet},
    disclosure::PermittedCounts,
    permit::{Operation, Permit, PermitRefusal, SignedPermit},
};
use arno_httpkit::{ApiError, ApiResult};
use arno_protocol::{
    federation::{CountQuestion, QuestionBody},
    requests::RequestState,
    search::{ExactTotal, SearchState, SearchTotal, SiteAnswer, SiteSearch},
};
use arno_store::{
    StoreError,
    hub::{members::Member, requests},
};
use axum::Json;

use crate::{
    Hub,
    search::{ask_members, check_rate, new_search, state_of},
};

/// A permit of an account to count, in force by what the hub knows.
pub(crate) struct Usable {
    permit: Permit,
    signed: SignedPermit,
}

/// The permit, if the account may count under it now.
pub(crate) async fn usable(hub: &Hub, account: &str, id: PermitId) -> Result<Usable, ApiError> {
    let unknown = || StoreError::NotFound { what: "permit" };
    let request = requests::request_of_permit(&hub.database, id).await?;
    // Whether somebody else has a permit of this id is not told.
    if request.submitted_by != account {
        return Err(unknown().into());
    }
    let signed = match request.state {
        RequestState::Granted { signed, .. } => signed,
        RequestState::Revoked { .. } => return Err(refused(&PermitRefusal::Revoked)),
        RequestState::InReview | RequestState::Refused { .. } => return Err(unknown().into()),
    };
    let permit = request.proposed_permit;
    permit
        .allows(account, Operation::Count, hub.now())
        .map_err(|refusal| refused(&refusal))?;
    Ok(Usable { permit, signed })
}

fn refused(refusal: &PermitRefusal) -> ApiError {
    ApiError::conflict(refusal.code(), refusal.to_string())
}

/// Asks the nodes that the permit names.
pub(crate) async fn count_exactly(
    hub: &Hub,
    account: String,
    (cohort, facets): (Cohort, Vec<Facet>),
    Usable { permit, signed }: Usable,
) -> ApiResult<SearchState> {
    check_rate(hub, &account, hub.now()).await?;
    let search = new_search(hub, account, cohort, Some(permit.id));
    let is_named = |member: &Arc<Member>| permit.datasets_at(member.card.node).next().is_some();
    let members = hub.members().await.into_iter();
    let named: Vec<_> = members.filter(is_named).collect();
    let question = CountQuestion {
        search: search.id,
        data_user: search.asked_by.clone(),
        cohort: search.cohort.clone(),
        facets,
        permit: Some(signed),
    };
    ask_members(hub, &search, (&named, QuestionBody::Count(question))).await?;
    Ok(Json(state_of(hub, search).await?))
}

/// The sum over the sites, once nobody is waited for, and how many are not in it.
pub(crate) fn total(permit: PermitId, sites: &[SiteSearch]) -> SearchTotal {
    let mut total = ExactTotal {
        permit,
        sites: 0,
        hidden: 0,
        without: 0,
        patients: 0,
        studies: 0,
        series: 0,
    };
    for site in sites {
        let counts = match &site.answer {
            SiteAnswer::Waiting => return SearchTotal::Waiting,
            SiteAnswer::Exact(exact) => exact.counts,
            SiteAnswer::Counted(_)
            | SiteAnswer::NotAsked
            | SiteAnswer::Late
            | SiteAnswer::Refused { .. }
            | SiteAnswer::Failed { .. } => None,
        };
        match counts {
            Some(PermittedCounts::Exactly {
                patients,
                studies,
                series,
            }) => {
                total.sites += 1;
                total.patients += patients;
                total.studies += studies;
                total.series += series;
            }
            Some(PermittedCounts::FewerThan(_)) => total.hidden += 1,
            None => total.without += 1,
        }
    }
    match total.sites {
        0 => SearchTotal::Missing {
            reason: "no site gave an exact count".to_owned(),
        },
        _ => SearchTotal::Exact(total),
    }
}

#[cfg(test)]
mod tests {
    use arno_domain::{NodeId, PermitId, disclosure::PermittedCounts};
    use arno_protocol::search::{ExactSite, ExactTotal, SearchTotal, SiteAnswer, SiteSearch};

    use super::total;

    fn site(answer: SiteAnswer) -> SiteSearch {
        SiteSearch {
            node: NodeId::new(),
            name: String::new(),
            answer,
        }
    }

    fn exact(permit: PermitId, counts: Option<PermittedCounts>) -> SiteSearch {
        site(SiteAnswer::Exact(ExactSite {
            permit,
            datasets: Vec::new(),
            counts,
            criteria: Vec::new(),
            facets: Vec::new(),
        }))
    }

    #[test]
    fn a_total_says_of_whom_it_is() {
        let permit = PermitId::new();
        let counts = |patients| PermittedCounts::Exactly {
            patients,
            studies: patients + 1,
            series: patients + 2,
        };
        let mut sites = vec![
            exact(permit, Some(counts(10))),
            exact(permit, Some(counts(0))),
            exact(permit, Some(PermittedCounts::FewerThan(5))),
            exact(permit, None),
            site(SiteAnswer::NotAsked),
            site(SiteAnswer::Late),
        ];
        let expect = ExactTotal {
            permit,
            sites: 2,
            hidden: 1,
            without: 3,
            patients: 10,
            studies: 12,
            series: 14,
        };
        assert_eq!(total(permit, &sites), SearchTotal::Exact(expect));
        sites.push(site(SiteAnswer::Waiting));
        assert_eq!(total(permit, &sites), SearchTotal::Waiting);
        let none = total(permit, &sites[3..6]);
        assert!(matches!(none, SearchTotal::Missing { .. }));
    }
}
