//! Facets of a cohort at this node: distinct patients by value, exact; nothing of it leaves as it is.
//!
//! Which values are listed depends on all the node's data and never on the cohort: a value that appears only when somebody matches
//! would tell that somebody does. Values of very few patients are not listed at all. Fields with words only.

use arno_domain::{
    cohort::{Cohort, Field},
    disclosure::ExactFacet,
    model::Entity,
};

use crate::index::{ModelIndex, WordCount};

/// Fields of one panel.
pub(crate) const MAX_FACETS: usize = 12;

/// Fields that can be counted so.
pub(crate) const FACETS: [&str; 5] = ["modality", "body_part", "manufacturer", "sex", "diagnosis"];

/// A value is listed when so many patients of the node have it.
const LEAST_LISTED: u64 = 20;

/// Counts the panel.
pub(crate) fn facets(cohort: &Cohort, fields: &[Field], index: &ModelIndex) -> Vec<ExactFacet> {
    let counted = index.words(cohort, fields).into_iter();
    let facet = |(field, words): (&Field, Vec<WordCount>)| {
        let listed = words.into_iter();
        let listed = listed.filter(|word| word.of_all >= LEAST_LISTED);
        let cells: Vec<_> = listed.map(|word| (word.word, word.found)).collect();
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
    fields.iter().zip(counted).map(facet).collect()
}

#[cfg(test)]
mod tests {
    use arno_domain::cohort::{Facts, Field};

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
            let fields = ["modality", "sex"].map(|name| Field::parse(name).unwrap());
            let index = ModelIndex::of_facts(&facts());
            let found = facets(&cohort.parse().unwrap(), &fields, &index);
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
