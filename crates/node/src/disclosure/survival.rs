//! Survival of a cohort as it may be said: each curve is a question of its own, drawn once and charged once whatever it is asked with.

use arno_domain::{
    cohort::Cohort,
    disclosure::{Asked, ExactCounts, ExactSurvival, NanoRho, Part, ReleasedSurvival},
};
use arno_store::node::NewRelease;

use super::{Asking, form_of};
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
        asker: (&str, &Cohort),
        data_version: u64,
        exact: ExactCounts,
        curve: &ExactSurvival,
    ) -> Result<(ReleasedSurvival, NewRelease, NanoRho), Stop> {
        let (policy, noise) = (self.config().site.disclosure, &self.keys().noise);
        let named = format!("arno survival 1 {} {}", asker.1.digest(), curve.of.as_str());
        let asking = Asking {
            part: Part::Survival,
            form: form_of(&named),
            data_version,
            asker,
            patients: exact.patients,
        };
        let draw = |asked: Asked<'_>| policy.release_survival(curve, noise, asked);
        self.price_once(asking, draw).await
    }
}
