//! Facets of a cohort at this node: distinct patients by value, exact; nothing of it leaves as it is.
//!
//! Which values are listed depends on all the node's data and never on the cohort: a value that appears only when somebody matches
//! would tell that somebody does. Values of very few patients are not listed at all. Fields with words only.

use std::collections::{BTreeMap, BTreeSet};

use arno_domain::{
    cohort::{Cohort, Facts, Field, Value},
    disclosure::ExactFacet,
    model::Entity,
};

use crate::search::matching;

/// Fields of one panel.
pub(crate) const MAX_FACETS: usize = 12;

/// Fields that can be counted so.
pub(crate) const FACETS: [&str; 5] = ["modality", "body_part", "manufacturer", "sex", "diagnosis"];

/// A value is listed when so many patients of the node have it.
const LEAST_LISTED: usize = 20;

/// Counts the panel.
pub(crate) fn facets(cohort: &Cohort, fields: &[Field], facts: &[Facts]) -> Vec<ExactFacet> {
    let (all, matched) = (facts.iter().collect::<Vec<_>>(), matching(cohort, facts));
    let facet = |field: &Field| {
        let found = patients_by_value(*field, &matched);
        let listed = patients_by_value(*field, &all).into_iter();
        let cells: Vec<_> = listed
            .filter(|(_, patients)| patients.len() >= LEAST_LISTED)
            .map(|(value, _)| {
                let count = found.get(value).map_or(0, BTreeSet::len);
                (value.to_owned(), count as u64)
            })
            .collect();
        ExactFacet {
            field: field.as_str().to_owned(),
            cells_per_patient: match field.entity() {
                Entity::Patient => 1,
                // A patient's series may have each of the values.
                _ => u32::try_from(cells.len()).unwrap_or(u32::MAX),
            },
            cells,
        }
    };
    fields.iter().map(facet).collect()
}

fn patients_by_value<'a>(field: Field, rows: &[&'a Facts]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut patients: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in rows {
        if let Some(Value::Word(word)) = row.value(field) {
            patients.entry(word).or_default().insert(&row.patient);
        }
    }
    patients
}

#[cfg(test)]
mod tests {
    use arno_domain::cohort::{Facts, Field};

    use super::facets;

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
        ct.chain(mr).chain([row(0, "PT")]).collect()
    }

    #[test]
    fn values_are_listed_whatever_matches_and_never_those_of_few() {
        let check = |cohort: &str, expect: [u64; 2]| {
            let fields = ["modality", "sex"].map(|name| Field::parse(name).unwrap());
            let found = facets(&cohort.parse().unwrap(), &fields, &facts());
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
        check("modality = MR", [0, 25]);
        check("sex = M", [5, 5]);
        check("sex = O", [0, 0]);
    }
}
