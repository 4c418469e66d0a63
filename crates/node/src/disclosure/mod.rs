//! What searches may learn of this node's patients: exact counts in, released figures out, each charged before it is said.
//!
//! The hub only says who asks. A hub that lies about it, or invents data users, is bounded by the site's own budget, which all
//! share; one that asks for nothing else can use that budget up, and so stop searches, not learn more. Not here: prices and noise
//! (`arno_domain::disclosure`), the ledger (`arno_store`), counting (`crate::search`).

mod permitted;
mod release;
mod state;
mod survival;
mod total;

use std::collections::BTreeSet;

use arno_domain::{
    cohort::{Cohort, Facet},
    disclosure::{Asked, ExactCounts, ExactFacet, NanoRho, Part, ReleasedCount, ReleasedFacet},
};
use arno_protocol::{
    federation::AnswerBody,
    search::{Counts, Margins, SiteCounts},
};
use arno_store::{StoreError, node::NewRelease};

use release::{Asking, Priced, form_of};
pub(crate) use release::{Entered, Released};

use crate::{
    Node,
    analyses::{Decision, Refused, Stop, Verdict},
    facets::MAX_FACETS,
    search::{Counted, search},
};

/// Longest name of an account at the hub.
const MAX_DATA_USER_CHARS: usize = 200;

impl Node {
    /// Counts what matches, and what of it may be said. A question that this site cannot evaluate is answered without counts
    /// and costs nothing.
    pub(crate) async fn answer_search(
        &self,
        data_user: &str,
        (cohort, facets): (&Cohort, &[Facet]),
    ) -> Result<Decision, Stop> {
        check_data_user(data_user)?;
        check_facets(facets)?;
        let (data_version, mut counted) = self.count(cohort, facets).await?;
        self.tell_expanded(cohort, &mut counted.criteria).await;
        let Some(exact) = counted.exact else {
            return Ok(Verdict::Done(AnswerBody::Counts(SiteCounts {
                counts: None,
                criteria: counted.criteria,
                facets: Vec::new(),
                survival: Vec::new(),
                budget: None,
            }))
            .into());
        };
        let asker = (data_user, cohort);
        let (counts, entry, mut due) = self.price_counts(asker, data_version, exact).await?;
        let (mut entries, mut facets) = (vec![entry], Vec::new());
        if !counted.facets.is_empty() {
            let price = self.price_facets(asker, data_version, exact, &counted.facets);
            let (released, entry, more) = price.await?;
            due = due + more;
            entries.push(entry);
            facets = released;
        }
        let price = self.price_survival(asker, data_version, exact, &counted.survival);
        let (survival, curves, more) = price.await?;
        due = due + more;
        entries.extend(curves);
        let body = AnswerBody::Counts(SiteCounts {
            counts: Some(counts),
            criteria: counted.criteria,
            facets,
            survival,
            budget: Some(self.budget_state(data_user, due).await?),
        });
        Ok(Decision::Release(Box::new(Released { body, entries })))
    }

    /// Counts, and the version of the data that this was of when it began: what changed since is said under the older version once, and
    /// anew under the newer.
    async fn count(&self, cohort: &Cohort, facets: &[Facet]) -> Result<(u64, Counted), Stop> {
        let (cohort, facets) = (cohort.clone(), facets.to_vec());
        let budget = self.config().site.disclosure.budget;
        let counted = self.ask_version(move |index| search((&cohort, &facets), index, &budget));
        let (version, counted) = counted.await?;
        let counted = counted.map_err(|error| Refused::new("bad_cohort", error.to_string()))?;
        Ok((version, counted))
    }

    /// The site's own counts: the question is the cohort itself.
    async fn price_counts(
        &self,
        asker: (&str, &Cohort),
        data_version: u64,
        exact: ExactCounts,
    ) -> Result<(Counts, NewRelease, NanoRho), Stop> {
        let (policy, noise) = (self.config().site.disclosure, &self.keys().noise);
        let asking = Asking {
            part: Part::Site,
            form: asker.1.digest(),
            data_version,
            asker,
            patients: exact.patients,
        };
        let draw = |asked: Asked<'_>| counts_of(policy.release(&exact, noise, asked));
        self.price_once(asking, draw).await
    }

    /// A panel is one question with many cells: it is drawn once, charged once, and one patient may be in several cells.
    async fn price_facets(
        &self,
        asker: (&str, &Cohort),
        data_version: u64,
        exact: ExactCounts,
        facets: &[ExactFacet],
    ) -> Result<(Vec<ReleasedFacet>, NewRelease, NanoRho), Stop> {
        let (policy, noise) = (self.config().site.disclosure, &self.keys().noise);
        let fields: Vec<_> = facets.iter().map(|facet| facet.field.as_str()).collect();
        let named = format!("arno facets 2 {} {}", asker.1.digest(), fields.join(" "));
        let asking = Asking {
            part: Part::Facets,
            form: form_of(&named),
            data_version,
            asker,
            patients: exact.patients,
        };
        let draw = |asked: Asked<'_>| policy.release_facets(facets, noise, asked);
        self.price_once(asking, draw).await
    }
}

/// Each facet once, and those that are counted.
fn check_facets(facets: &[Facet]) -> Result<(), Refused> {
    let distinct: BTreeSet<_> = facets.iter().collect();
    if facets.len() > MAX_FACETS || distinct.len() < facets.len() {
        let reason = format!("a panel has up to {MAX_FACETS} facets, each once");
        return Err(Refused::new("bad_facets", reason));
    }
    Ok(())
}

fn check_data_user(data_user: &str) -> Result<(), Refused> {
    let chars = data_user.chars().count();
    if chars == 0 || chars > MAX_DATA_USER_CHARS {
        let reason = format!("a data user's name has 1 to {MAX_DATA_USER_CHARS} characters");
        return Err(Refused::new("bad_data_user", reason));
    }
    Ok(())
}

fn counts_of([patients, studies, series]: [ReleasedCount; 3]) -> Counts {
    Counts {
        patients: patients.count,
        studies: studies.count,
        series: series.count,
        margins: Margins {
            patients: patients.margin,
            studies: studies.margin,
            series: series.margin,
        },
    }
}

fn read<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|_| StoreError::Corrupt { what: "release" })
}

fn write<T: serde::Serialize>(said: &T) -> Result<String, StoreError> {
    serde_json::to_string(said).map_err(|_| StoreError::Corrupt { what: "release" })
}
