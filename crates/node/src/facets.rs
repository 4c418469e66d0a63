//! Facets of a cohort at this node: distinct patients by value, exact; nothing of it leaves as it is.
//!
//! Which values are listed depends on all the node's data and never on the cohort: a value that appears only when somebody matches
//! would tell that somebody does. They are those that the node's manifest names, so values of very few patients are not listed at all.
//! A facet is counted without the conditions of the cohort that are about its own field alone. Numbers are counted in
//! the steps of their field, and survival by interval.

use arno_domain::{
    cohort::{Cohort, Facet, Field, Stepped},
    disclosure::{DisclosureBudget, ExactFacet, ExactSurvival},
    model::Entity,
};

use crate::index::Conditions;

/// Fields of one panel.
pub(crate) const MAX_FACETS: usize = 12;

/// Counts the panel.
pub(crate) fn facets(
    (cohort, asked): (&Cohort, &[Facet]),
    conditions: &Conditions<'_>,
    budget: &DisclosureBudget,
) -> Vec<ExactFacet> {
    let words = |field: Field| {
        let lifted = cohort.lifted(field);
        let cells = match lifted.left_out.as_slice() {
            [] => conditions.bars(conditions.whole(), field, budget.values_per_patient),
            left_out => {
                let selection = conditions.without(left_out);
                conditions.bars(&selection, field, budget.values_per_patient)
            }
        };
        ExactFacet {
            field: field.as_str().to_owned(),
            cells_per_patient: changing(field, cells.len(), budget.values_per_patient),
            cells,
            lifted: lifted.left_out.iter().map(ToString::to_string).collect(),
        }
    };
    let facet = |facet: &Facet| match facet {
        Facet::Words(field) => Some(words(*field)),
        Facet::Steps(stepped) => Some(steps(*stepped, conditions)),
        Facet::Survival(_) => None,
    };
    asked.iter().filter_map(facet).collect()
}

/// How long the cohort was followed, for each endpoint that is asked for.
pub(crate) fn survival(asked: &[Facet], conditions: &Conditions<'_>) -> Vec<ExactSurvival> {
    let curve = |facet: &Facet| match facet {
        Facet::Survival(of) => Some(conditions.survival(*of)),
        Facet::Words(_) | Facet::Steps(_) => None,
    };
    asked.iter().filter_map(curve).collect()
}

/// A number in the steps of its field, none of which is left out, of the whole cohort: a plot shows who was asked about.
fn steps(stepped: Stepped, conditions: &Conditions<'_>) -> ExactFacet {
    let cells = conditions.steps(stepped);
    ExactFacet {
        field: stepped.field().as_str().to_owned(),
        cells_per_patient: moved(1, cells.len()),
        cells,
        lifted: Vec::new(),
    }
}

/// Cells that change by one when what is recorded of one patient changes: those that the patient leaves, and those that the patient
/// enters.
fn changing(field: Field, cells: usize, most: u32) -> u32 {
    let values = match field.entity() {
        Entity::Patient => 1,
        _ => most,
    };
    moved(values, cells)
}

fn moved(values: u32, cells: usize) -> u32 {
    let cells = u32::try_from(cells).unwrap_or(u32::MAX);
    values.saturating_mul(2).min(cells)
}

#[cfg(test)]
mod tests {
    use arno_domain::{
        cohort::{Cohort, Facet, Facts},
        disclosure::DisclosureBudget,
    };

    use super::facets;
    use crate::index::ModelIndex;

    /// Thirty patients with CT, the first twenty-five with MR too, the first with PT.
    fn facts() -> Vec<Facts> {
        let row = |patient: usize, modality: &str| Facts {
            patient: format!("P-{patient}"),
            study: Some(format!("1.{patient}")),
            series: Some(format!("1.{patient}.{modality}")),
            modality: Some(modality.into()),
            sex: Some(if patient < 5 { "M" } else { "F" }.into()),
            ..Facts::default()
        };
        let ct = (0..30).map(|patient| row(patient, "CT"));
        let mr = (0..25).map(|patient| row(patient, "MR"));
        let mut rows: Vec<_> = ct.chain(mr).chain([row(0, "PT")]).collect();
        rows.sort_by(|one, other| one.patient.cmp(&other.patient));
        rows
    }

    #[test]
    fn values_are_listed_whatever_matches_and_never_those_of_few() {
        let check = |cohort: &str, expect: [u64; 2]| {
            let asked: [Facet; 2] = ["modality", "sex"].map(|name| name.parse().unwrap());
            let (index, budget) = (ModelIndex::of_facts(&facts()), DisclosureBudget::default());
            let cohort: Cohort = cohort.parse().unwrap();
            let found = facets((&cohort, &asked), &index.conditions(&cohort), &budget);
            let cells = [("CT".to_owned(), expect[0]), ("MR".to_owned(), expect[1])];
            assert_eq!(found[0].cells, cells, "{cohort}");
            assert_eq!(found[0].cells_per_patient, 2);
            let sexes: Vec<_> = found[1]
                .cells
                .iter()
                .map(|(value, _)| value.as_str())
                .collect();
            assert_eq!(sexes, ["F"], "five patients are too few to be listed");
            assert_eq!(found[1].cells_per_patient, 1);
        };
        check("", [30, 25]);
        check("modality = PT", [30, 25]);
        check("series(modality = MR)", [25, 25]);
        check("sex = M", [5, 5]);
        check("sex = M and modality = CT", [5, 5]);
        check("sex = O", [0, 0]);
    }
}
