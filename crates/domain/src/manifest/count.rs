//! From how many patients have what to what may be said of it.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};

use super::{
    Coverage, FieldCoverage, LISTED_FROM, MAX_LISTED, Manifest, RECORDED_FROM, is_listable,
};
use crate::{
    NodeId,
    disclosure::Borders,
    model::{Field, FieldKind},
};

/// A field with more values than this names none: they are names, descriptions or dirt, not a list.
const MAX_DISTINCT: usize = 512;

/// How many of a node's patients have a field, and each of its words. Exact: it does not leave the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldCount<'a> {
    /// The field.
    pub field: Field,
    /// Patients of whom it is recorded.
    pub patients: u64,
    /// Patients by word or code; nothing for numbers and days.
    pub words: Vec<(&'a str, u64)>,
}

impl FieldCount<'_> {
    /// Whether the node says that it records the field at all: where fewer patients have it, that would tell of them.
    #[must_use]
    pub fn is_recorded(&self, borders: &Borders) -> bool {
        // Most fields of most nodes are recorded of nobody: nothing is drawn for them.
        let least = RECORDED_FROM;
        let border = || borders.above(least, &["recorded", self.field.as_str()]);
        self.patients >= least && self.patients >= border()
    }

    /// The values that may be named: those that most patients have, sorted by name, since the order must tell nothing more.
    #[must_use]
    pub fn listed(&self, borders: &Borders) -> Vec<String> {
        if self.field.kind() == FieldKind::Flag {
            // Known to everybody.
            return vec!["no".to_owned(), "yes".to_owned()];
        }
        if self.words.len() > MAX_DISTINCT {
            return Vec::new();
        }
        let named = |word: &str, patients: u64| {
            let border = || borders.above(LISTED_FROM, &["named", self.field.as_str(), word]);
            patients >= LISTED_FROM && is_listable(word) && patients >= border()
        };
        let many = self.words.iter();
        let mut many: Vec<_> = many
            .filter(|(word, patients)| named(word, *patients))
            .map(|(word, patients)| (Reverse(*patients), *word))
            .collect();
        many.sort();
        let listed = many.into_iter().take(MAX_LISTED);
        let mut listed: Vec<_> = listed.map(|(_, word)| word.to_owned()).collect();
        listed.sort();
        listed
    }
}

impl Manifest {
    /// What a node of so many patients may say of its fields, which are given in the order of the common data model.
    #[must_use]
    pub fn counted<'a>(
        (node, issued_at): (NodeId, DateTime<Utc>),
        patients: u64,
        fields: impl IntoIterator<Item = FieldCount<'a>>,
        borders: &Borders,
    ) -> Self {
        let fields = fields.into_iter();
        let fields = fields.filter(|count| count.is_recorded(borders));
        let fields = fields.filter_map(|count| {
            Some(FieldCoverage {
                field: count.field,
                coverage: Coverage::of(count.field, (count.patients, patients), borders)?,
                values: count.listed(borders),
            })
        });
        Self {
            node,
            issued_at,
            fields: fields.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::{Borders, Coverage, Field, FieldCount, LISTED_FROM, Manifest, RECORDED_FROM};
    use crate::{NodeId, cohort::Cohort, disclosure::NoiseSecret};

    /// Borders at their least.
    fn least() -> Borders {
        Borders::new(NoiseSecret::new([0; 32]), 0)
    }

    fn count<'a>(name: &str, patients: u64, words: &[(&'a str, u64)]) -> FieldCount<'a> {
        FieldCount {
            field: Field::parse(name).unwrap(),
            patients,
            words: words.to_vec(),
        }
    }

    /// A hundred patients: 60 with a lung cancer in two places, 19 with one of the breast, 5 with a PSA, 4 with a sex.
    fn manifest() -> Manifest {
        let fields = [
            count("sex", 4, &[("F", 4)]),
            count(
                "diagnosis",
                79,
                &[("C34.3", 30), ("C34.1", 30), ("C50.9", 19)],
            ),
            count("psa", 5, &[]),
        ];
        Manifest::counted((NodeId::new(), DateTime::UNIX_EPOCH), 100, fields, &least())
    }

    #[test]
    fn what_few_have_is_not_named() {
        let manifest = manifest();
        assert!(manifest.is_well_formed());
        let diagnosis = manifest.field(Field::parse("diagnosis").unwrap()).unwrap();
        assert_eq!(diagnosis.coverage, Coverage::Most);
        assert_eq!(diagnosis.values, ["C34.1", "C34.3"]);
        let psa = manifest.field(Field::parse("psa").unwrap()).unwrap();
        assert_eq!((psa.coverage, psa.values.len()), (Coverage::Few, 0));
        assert_eq!(manifest.field(Field::parse("sex").unwrap()), None);
    }

    /// How many patients it takes for a field to be recorded, and for a value of it to be named, at nodes of different secrets.
    fn places(secret: u8) -> (u64, u64) {
        let borders = Borders::new(NoiseSecret::new([secret; 32]), 31);
        let first = |is: &dyn Fn(u64) -> bool| (1..1_000).find(|patients| is(*patients)).unwrap();
        (
            first(&|patients| count("sex", patients, &[]).is_recorded(&borders)),
            first(&|patients| {
                let of = count("sex", patients, &[("F", patients)]);
                !of.listed(&borders).is_empty()
            }),
        )
    }

    #[test]
    fn borders_lie_elsewhere_under_another_secret_and_never_lower() {
        let places: Vec<_> = (0..20).map(places).collect();
        let is_lower =
            |(recorded, named): &(u64, u64)| *recorded < RECORDED_FROM || *named < LISTED_FROM;
        assert!(!places.iter().any(is_lower));
        assert!(places.iter().any(|(recorded, _)| *recorded != places[0].0));
        assert!(places.iter().any(|(_, named)| *named != places[0].1));
    }

    #[test]
    fn names_and_descriptions_are_no_list() {
        let words: Vec<String> = (0..600).map(|at| format!("series {at}")).collect();
        let words: Vec<_> = words.iter().map(|word| (word.as_str(), 50)).collect();
        assert_eq!(
            count("series_description", 100, &words).listed(&least()),
            [""; 0]
        );
        assert_eq!(
            count("series_description", 100, &words[..64])
                .listed(&least())
                .len(),
            64
        );
    }

    #[test]
    fn what_lies_under_a_code_is_counted_in_what_is_named() {
        let check = |text: &str, expect: Option<u32>| {
            let cohort: Cohort = text.parse().unwrap();
            let claims = cohort.claims();
            let criterion = claims[0].criterion.as_ref().unwrap();
            assert_eq!(manifest().expanded(criterion), expect, "{text}");
        };
        check("diagnosis under C34", Some(2));
        check("diagnosis under {C34.1, C50}", Some(1));
        check("diagnosis under C61", Some(0));
        check("diagnosis = C34.1", None);
        check("age > 3", None);
    }
}
