//! Survival of a cohort as it may be said: each curve is a question of its own, drawn once and charged once whatever it is asked with.

use arno_domain::{
    cohort::Cohort,
    disclosure::{Asked, ExactCounts, ExactSurvival, NanoRho, Part, ReleasedSurvival, parts_of},
    hex,
};
use arno_store::node::NewRelease;
use sha2::{Digest as _, Sha256};

use super::{Priced, read, write};
use crate::{Node, analyses::Stop};

/// What is said, its entries in the ledger, and what is due.
type Priceable = (Vec<ReleasedSurvival>, Vec<NewRelease>, NanoRho);

impl Node {
    /// That nothing is recorded is said for nothing.
    pub(super) async fn price_survival(
        &self,
        asker: (&str, &Cohort),
        data_version: u64,
        exact: ExactCounts,
        survival: &[ExactSurvival],
    ) -> Result<Priceable, Stop> {
        let (mut said, mut entries, mut due) = (Vec::new(), Vec::new(), NanoRho::default());
        for curve in survival {
            if curve.followed.is_none() {
                let (of, followed) = (curve.of, None);
                said.push(ReleasedSurvival { of, followed });
                continue;
            }
            let (released, entry, more) =
                self.price_curve(asker, data_version, exact, curve).await?;
            said.push(released);
            entries.push(entry);
            due = due + more;
        }
        Ok((said, entries, due))
    }

    async fn price_curve(
        &self,
        (data_user, cohort): (&str, &Cohort),
        data_version: u64,
        exact: ExactCounts,
        curve: &ExactSurvival,
    ) -> Result<(ReleasedSurvival, NewRelease, NanoRho), Stop> {
        let policy = self.config().site.disclosure;
        let named = format!("arno survival 1 {} {}", cohort.digest(), curve.of.as_str());
        let form = hex::encode(&Sha256::digest(named));
        let released = match self.store().said(&form, data_version).await? {
            Some(said) => read(&said.json)?,
            None => {
                let asked = Asked {
                    form: &form,
                    data_version,
                };
                policy.release_survival(curve, &self.keys().noise, asked)
            }
        };
        let priced = Priced {
            part: Part::Survival,
            form,
            data_version,
            data_user,
            cohort: cohort.to_string(),
            parts: parts_of(cohort),
            patients: exact.patients,
            said_json: write(&released)?,
        };
        let (entry, due) = self.price(priced).await?;
        Ok((released, entry, due))
    }
}
