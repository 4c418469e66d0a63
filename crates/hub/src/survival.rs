//! Survival of a cohort over the sites that gave cells, and which sites record nothing of it. The curve itself is
//! `arno_domain::survival`.

use std::collections::BTreeMap;

use arno_domain::{
    NodeId,
    cohort::Endpoint,
    disclosure::{Followed, ReleasedSurvival},
    survival::survival_curve,
};
use arno_protocol::search::{FederatedSurvival, SiteAnswer, SiteSearch};

/// What sites said of one endpoint.
#[derive(Default)]
struct Said<'a> {
    followed: Vec<(NodeId, &'a Followed)>,
    unrecorded: Vec<NodeId>,
}

/// Every endpoint that a site has answered, over all that have.
pub(crate) fn survival(sites: &[SiteSearch]) -> Vec<FederatedSurvival> {
    let mut endpoints: BTreeMap<Endpoint, Said<'_>> = BTreeMap::new();
    for site in sites {
        for ReleasedSurvival { of, followed } in said_by(site) {
            let said = endpoints.entry(*of).or_default();
            match followed {
                Some(followed) => said.followed.push((site.node, followed)),
                None => said.unrecorded.push(site.node),
            }
        }
    }
    let federated = |(of, said): (Endpoint, Said<'_>)| {
        let (sites, cells): (Vec<_>, Vec<_>) = said.followed.into_iter().unzip();
        FederatedSurvival {
            of,
            sites,
            unrecorded: said.unrecorded,
            curve: survival_curve(of, &cells),
        }
    };
    endpoints.into_iter().map(federated).collect()
}

fn said_by(site: &SiteSearch) -> &[ReleasedSurvival] {
    match &site.answer {
        SiteAnswer::Counted(counted) => &counted.survival,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use arno_domain::{
        NodeId,
        cohort::{Endpoint, INTERVALS},
        disclosure::{Followed, ReleasedSurvival},
    };
    use arno_protocol::search::{SiteAnswer, SiteCounts, SiteSearch};

    use super::survival;

    fn site(followed: Option<Followed>) -> SiteSearch {
        let answer = SiteAnswer::Counted(SiteCounts {
            counts: None,
            criteria: Vec::new(),
            facets: Vec::new(),
            survival: vec![ReleasedSurvival {
                of: Endpoint::Overall,
                followed,
            }],
            budget: None,
        });
        SiteSearch {
            node: NodeId::new(),
            name: String::new(),
            answer,
        }
    }

    #[test]
    fn sites_are_added_up_and_those_without_are_named() {
        let cells = |each| Followed {
            events: vec![each; INTERVALS],
            censored: vec![each; INTERVALS],
            variance: 4,
        };
        let mut late = site(None);
        late.answer = SiteAnswer::Late;
        let sites = [
            site(Some(cells(100))),
            site(None),
            site(Some(cells(50))),
            late,
        ];
        let [found] = &survival(&sites)[..] else {
            panic!("one endpoint")
        };
        assert_eq!(found.sites, [sites[0].node, sites[2].node]);
        assert_eq!(found.unrecorded, [sites[1].node]);
        let curve = found.curve.as_ref().unwrap();
        assert_eq!(curve.points[0].at_risk, 150 * 2 * INTERVALS as u64);
        assert_eq!(survival(&[site(None)])[0].curve, None);
        assert!(survival(&[]).is_empty());
    }
}
