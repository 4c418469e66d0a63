//! Numbers in steps: the limits between which the patients of a cohort are counted, fixed for each field.
//!
//! Steps follow from the field alone, never from the data and never from who asks: limits that somebody chooses, or that lie where the
//! values lie, tell of single values. A patient counts once, with the least of their values, or the greatest where the table says
//! so; of studies and series those that match.

use super::Field;

/// A field of numbers that has steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stepped(Field);

/// Which of a patient's numbers counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The least.
    Least,
    /// The greatest.
    Greatest,
}

struct Spec {
    field: &'static str,
    pick: Pick,
    limits: &'static [f64],
}

const fn least(field: &'static str, limits: &'static [f64]) -> Spec {
    Spec {
        field,
        pick: Pick::Least,
        limits,
    }
}

const fn greatest(field: &'static str, limits: &'static [f64]) -> Spec {
    Spec {
        field,
        pick: Pick::Greatest,
        limits,
    }
}

/// Tens of years; children are in one step, as are those of 90 and more, of whom there are few anywhere.
const AGES: &[f64] = &[20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0];
/// Millimetres of slices: thin, and the thicknesses that protocols name.
const SLICES: &[f64] = &[1.0, 1.5, 2.0, 2.5, 3.0, 5.0, 8.0];
/// Millimetres of tumours, at the limits of T categories.
const SIZES: &[f64] = &[5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 70.0, 100.0];
/// Years, from when imaging became digital.
const YEARS: &[f64] = &[1990.0, 1995.0, 2000.0, 2005.0, 2010.0, 2015.0, 2020.0];

const TABLE: &[Spec] = &[
    least("age", AGES),
    least("age_at_diagnosis", AGES),
    least("diagnosis_year", YEARS),
    greatest("tumour_size", SIZES),
    greatest("longest_diameter", SIZES),
    greatest("nodes_positive", &[1.0, 4.0, 10.0]),
    greatest("psa", &[4.0, 10.0, 20.0, 50.0]),
    greatest("ki67", &[5.0, 10.0, 20.0, 30.0, 50.0]),
    greatest("malignancy", &[2.0, 3.0, 4.0, 5.0]),
    greatest("readers", &[2.0, 3.0, 4.0]),
    greatest("pi_rads", &[2.0, 3.0, 4.0, 5.0]),
    greatest("gleason_score", &[6.0, 7.0, 8.0, 9.0, 10.0]),
    least("slice_thickness", SLICES),
    least("slice_spacing", SLICES),
    least("pixel_spacing", &[0.1, 0.2, 0.5, 0.8, 1.0, 2.0, 4.0]),
    greatest("instances", &[2.0, 10.0, 50.0, 100.0, 200.0, 500.0, 1000.0]),
    greatest("segments", &[2.0, 3.0, 5.0, 10.0, 50.0]),
    greatest("field_strength", &[1.0, 1.5, 3.0, 7.0]),
    least("kvp", &[50.0, 100.0, 120.0, 140.0]),
    greatest("b_value", &[1.0, 500.0, 800.0, 1000.0, 1500.0]),
    greatest("radiation_dose", &[20.0, 40.0, 50.0, 60.0, 70.0]),
];

impl Stepped {
    /// The field, if it has steps.
    #[must_use]
    pub fn of(field: Field) -> Option<Self> {
        let known = TABLE.iter().any(|spec| spec.field == field.as_str());
        known.then_some(Self(field))
    }

    /// All fields that have steps, in the order of the model's table.
    pub fn all() -> impl Iterator<Item = Self> {
        Field::all().filter_map(Self::of)
    }

    /// The field.
    #[must_use]
    pub fn field(self) -> Field {
        self.0
    }

    /// Ascending limits in the field's unit: one step lies below the first, one from each limit to below the next, and one from the
    /// last on.
    #[must_use]
    pub fn limits(self) -> &'static [f64] {
        self.spec().map_or(&[], |spec| spec.limits)
    }

    /// Which of a patient's numbers counts.
    #[must_use]
    pub fn pick(self) -> Pick {
        self.spec().map_or(Pick::Least, |spec| spec.pick)
    }

    /// The names of its steps, one more than there are limits: `..20`, `20..30`, `90..`; the lower limit is in, the upper is not.
    #[must_use]
    pub fn names(self) -> Vec<String> {
        let limits = self.limits().iter().map(ToString::to_string);
        let from = std::iter::once(String::new()).chain(limits.clone());
        let below = limits.chain([String::new()]);
        from.zip(below)
            .map(|(from, below)| format!("{from}..{below}"))
            .collect()
    }

    fn spec(self) -> Option<&'static Spec> {
        TABLE.iter().find(|spec| spec.field == self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{Stepped, TABLE};
    use crate::model::{Field, FieldKind};

    #[test]
    fn steps_are_of_fields_of_numbers_and_ascend() {
        assert_eq!(Stepped::all().count(), TABLE.len());
        for stepped in Stepped::all() {
            let field = stepped.field();
            assert!(matches!(field.kind(), FieldKind::Number { .. }), "{field}");
            assert!(stepped.limits().is_sorted_by(|one, other| one < other));
            assert!((2..=12).contains(&stepped.names().len()), "{field}");
        }
    }

    #[test]
    fn steps_are_named_by_their_limits() {
        let names = |name: &str| Stepped::of(Field::parse(name).unwrap()).unwrap().names();
        assert_eq!(names("age")[..2], ["..20", "20..30"]);
        assert_eq!(names("age").last().unwrap(), "90..");
        assert_eq!(names("slice_thickness")[1], "1..1.5");
    }
}
