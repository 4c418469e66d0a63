//! Patients of a cohort by one thing of each: a number in the steps of its field, or how long they were followed. Exact.

use std::collections::BTreeSet;

use arno_domain::{
    cohort::{End, Endpoint, Pick, Stepped, YEAR_DAYS},
    disclosure::{ExactFollowed, ExactSurvival},
};
use arno_engine::{Choose, Followed, Selection, Test};

use super::ModelIndex;

impl ModelIndex {
    /// Distinct patients in each step of a field, in the order of its names; none of them when nothing is recorded of it.
    pub(crate) fn steps(&self, selection: &Selection, stepped: Stepped) -> Vec<(String, u64)> {
        if !self.records(stepped.field()) {
            return Vec::new();
        }
        let column = self.shape.column(stepped.field());
        let choose = match stepped.pick() {
            Pick::Least => Choose::Least,
            Pick::Greatest => Choose::Greatest,
        };
        let limits = stepped.limits();
        let counts = self
            .index
            .patients_in_steps(selection, column, limits, choose);
        stepped.names().into_iter().zip(counts).collect()
    }

    /// Distinct patients by how long they were followed and how that ended.
    pub(crate) fn survival(&self, selection: &Selection, of: Endpoint) -> ExactSurvival {
        let is_recorded = self.records(of.days()) && self.records(of.how());
        ExactSurvival {
            of,
            followed: is_recorded.then(|| self.followed(selection, of)),
        }
    }

    fn followed(&self, selection: &Selection, of: Endpoint) -> ExactFollowed {
        let how = self.shape.column(of.how());
        let words = |end: End| {
            let words = self.index.words(how);
            let meant = words.filter(|word| of.end(word) == Some(end));
            Test::OneOf(meant.map(str::to_owned).collect::<BTreeSet<_>>())
        };
        let limits = of.limits().map(|years| years * YEAR_DAYS);
        let counts = self.index.patients_followed(
            selection,
            &Followed {
                long: self.shape.column(of.days()),
                how,
                event: words(End::Event),
                censored: words(End::Censored),
                limits: &limits,
            },
        );
        ExactFollowed {
            events: counts.events,
            censored: counts.censored,
        }
    }
}
