//! What searches may learn of this node's patients: exact counts in, released figures out, each charged before it is said.
//!
//! The hub only says who asks. A hub that lies about it, or invents data users, is bounded by the site's own budget, which all
//! share; one that asks for nothing else can use that budget up, and so stop searches, not learn more. Not here: prices and noise
//! (`arno_domain::disclosure`), the ledger (`arno_store`), counting (`crate::search`).

mod release;
mod state;
mod total;

use arno_domain::{
    cohort::Cohort,
    disclosure::{Asked, ExactCounts, Part, ReleasedCount, parts_of},
};
use arno_protocol::{
    federation::AnswerBody,
    search::{Counts, CriterionReport, Margins, SiteCounts},
};
use arno_store::StoreError;

use release::Priced;
pub(crate) use release::{Entered, Released};

use crate::{
    Node,
    analyses::{Decision, Refused, Stop, Verdict},
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
        cohort: &Cohort,
    ) -> Result<Decision, Stop> {
        check_data_user(data_user)?;
        // Before the rows: what changes between the two is said under the older version once, and anew under the newer.
        let data_version = self.store().data_version().await?;
        let counted = self.count(cohort).await?;
        let Some(exact) = counted.exact else {
            return Ok(Verdict::Done(AnswerBody::Counts(SiteCounts {
                counts: None,
                criteria: counted.criteria,
                budget: None,
            }))
            .into());
        };
        self.price_counts((data_user, cohort), data_version, exact, counted.criteria)
            .await
    }

    async fn count(&self, cohort: &Cohort) -> Result<Counted, Stop> {
        let (facts, cohort) = (self.store().facts().await?, cohort.clone());
        let budget = self.config().site.disclosure.budget;
        let counted = tokio::task::spawn_blocking(move || search(&cohort, &facts, &budget)).await?;
        Ok(counted.map_err(|error| Refused::new("bad_cohort", error.to_string()))?)
    }

    async fn price_counts(
        &self,
        (data_user, cohort): (&str, &Cohort),
        data_version: u64,
        exact: ExactCounts,
        criteria: Vec<CriterionReport>,
    ) -> Result<Decision, Stop> {
        let (policy, form) = (self.config().site.disclosure, cohort.digest());
        let (counts, patients) = match self.store().said(&form, data_version).await? {
            Some(said) => (read(&said.json)?, said.patients),
            None => {
                let asked = Asked {
                    form: &form,
                    data_version,
                };
                let released = policy.release(&exact, &self.keys().noise, asked);
                (counts_of(released), exact.patients)
            }
        };
        let priced = Priced {
            part: Part::Site,
            form,
            data_version,
            data_user,
            cohort: cohort.to_string(),
            parts: parts_of(cohort),
            patients,
            said_json: write(&counts)?,
        };
        let (entry, budget) = self.price(priced).await?;
        let body = AnswerBody::Counts(SiteCounts {
            counts: Some(counts),
            criteria,
            budget: Some(budget),
        });
        Ok(Decision::Release(Box::new(Released {
            body,
            entries: vec![entry],
        })))
    }
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
