//! A question and its facets in one go: each condition of the cohort is evaluated once, and put together with the others as each facet
//! wants them. Exact; nothing of it leaves as it is.

use arno_domain::{
    cohort::{Cohort, Endpoint, Stepped},
    disclosure::{DisclosureBudget, ExactCounts, ExactSurvival, Level as Counted},
    model::Field,
};
use arno_engine::{Counts, Matched, Plan, Selection};

use super::{ModelIndex, plan};

/// The conditions of a cohort that must all hold, evaluated.
pub(crate) struct Conditions<'a> {
    model: &'a ModelIndex,
    each: Vec<(Cohort, Matched)>,
}

/// Patients by value, exactly, in the order of values.
pub(crate) type Bars = Vec<(String, u64)>;

impl ModelIndex {
    /// Evaluates a cohort that was checked.
    pub(crate) fn conditions(&self, cohort: &Cohort) -> Conditions<'_> {
        let matched = |condition: Cohort| {
            let question = plan::question(&self.shape, &self.index, &condition);
            let matched = self.index.matched(&question);
            (condition, matched)
        };
        Conditions {
            model: self,
            each: cohort.conditions().into_iter().map(matched).collect(),
        }
    }
}

impl Conditions<'_> {
    /// Counts what all conditions hold of, each patient with at most as many studies and series as the budget's caps say.
    pub(crate) fn count(&self, budget: &DisclosureBudget) -> ExactCounts {
        let caps = Counts {
            patients: 1,
            studies: budget.cap(Counted::Studies).into(),
            series: budget.cap(Counted::Series).into(),
        };
        let selection = self.selection(|_| true);
        let counts = self.model.index.capped(&selection, caps);
        ExactCounts {
            patients: counts.patients,
            studies: counts.studies,
            series: counts.series,
        }
    }

    /// What those conditions hold of that are kept.
    pub(crate) fn selection(&self, is_kept: impl Fn(&Cohort) -> bool) -> Selection {
        let mut kept = self.each.iter().filter(|(condition, _)| is_kept(condition));
        let index = &self.model.index;
        let Some((_, first)) = kept.next() else {
            return index.selection(&index.matched(&Plan::everything().into()));
        };
        let mut matched = first.clone();
        kept.for_each(|(_, other)| matched.and(other));
        index.selection(&matched)
    }

    /// Patients whom all conditions hold of, by the steps of a number.
    pub(crate) fn steps(&self, stepped: Stepped) -> Bars {
        self.model.steps(&self.selection(|_| true), stepped)
    }

    /// The same by how long they were followed.
    pub(crate) fn survival(&self, of: Endpoint) -> ExactSurvival {
        self.model.survival(&self.selection(|_| true), of)
    }

    /// Patients of a selection by the values of a field that may be named, each in at most `most` of them.
    pub(crate) fn bars(&self, selection: &Selection, field: Field, most: u32) -> Bars {
        let known = self.model.known(field);
        let patients = self
            .model
            .index
            .patients_by(selection, &known.listing, most);
        known.words.iter().cloned().zip(patients).collect()
    }
}
