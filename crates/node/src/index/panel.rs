//! A question and its facets in one go: each condition of the cohort is evaluated once, and put together with the others as each facet
//! wants them. Exact; nothing of it leaves as it is.

use arno_domain::{
    cohort::{Cohort, Endpoint, Stepped},
    disclosure::{DisclosureBudget, ExactCounts, ExactSurvival, Level as Counted},
    model::Field,
};
use arno_engine::{Counts, Index, Matched, Plan, Selection};

use super::{ModelIndex, plan};

/// The conditions of a cohort that must all hold, evaluated.
pub(crate) struct Conditions<'a> {
    model: &'a ModelIndex,
    each: Vec<(Cohort, Matched)>,
    /// What all of them hold of.
    whole: Selection,
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
        let each: Vec<_> = cohort.conditions().into_iter().map(matched).collect();
        Conditions {
            whole: selected(&self.index, each.iter().map(|(_, matched)| matched)),
            model: self,
            each,
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
        let counts = self.model.index.capped(&self.whole, caps);
        ExactCounts {
            patients: counts.patients,
            studies: counts.studies,
            series: counts.series,
        }
    }

    /// What all conditions hold of.
    pub(crate) fn whole(&self) -> &Selection {
        &self.whole
    }

    /// What the conditions hold of that are not left out.
    pub(crate) fn without(&self, left_out: &[Cohort]) -> Selection {
        let each = self.each.iter();
        let kept = each.filter(|(condition, _)| !left_out.contains(condition));
        selected(&self.model.index, kept.map(|(_, matched)| matched))
    }

    /// Patients whom all conditions hold of, by the steps of a number.
    pub(crate) fn steps(&self, stepped: Stepped) -> Bars {
        self.model.steps(&self.whole, stepped)
    }

    /// The same by how long they were followed.
    pub(crate) fn survival(&self, of: Endpoint) -> ExactSurvival {
        self.model.survival(&self.whole, of)
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

/// What all of these hold of; of none: everything.
fn selected<'a>(index: &Index, mut each: impl Iterator<Item = &'a Matched>) -> Selection {
    let mut matched = match each.next() {
        Some(first) => first.clone(),
        None => index.matched(&Plan::everything().into()),
    };
    each.for_each(|other| matched.and(other));
    index.selection(matched)
}
