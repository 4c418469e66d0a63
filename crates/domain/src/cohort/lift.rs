//! A facet's own filter: the conditions of a cohort that are about one field alone. A facet of that field is counted without them, so that
//! what was not chosen can still be chosen.
//!
//! What is left out follows from the normal form and the field, never from data: the same panel of the same question is the same panel.

use super::{Cohort, Field};

/// A cohort without the conditions that are about one field alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Lifted {
    /// What still must hold.
    pub kept: Vec<Cohort>,
    /// What was left out.
    pub left_out: Vec<Cohort>,
}

impl Cohort {
    /// What must all hold, in normal form and order; nothing for everybody.
    #[must_use]
    pub fn conditions(&self) -> Vec<Self> {
        match self.normal_form() {
            Self::And(parts) => parts,
            other => vec![other],
        }
    }

    /// Without the conditions that are about this field alone. What looks at other records of the patient (groups, times) is no filter of
    /// a facet, and stays.
    #[must_use]
    pub fn lifted(&self, field: Field) -> Lifted {
        let conditions = self.conditions().into_iter();
        let (left_out, kept) = conditions.partition(|condition| condition.is_only_about(field));
        Lifted { kept, left_out }
    }

    fn is_only_about(&self, field: Field) -> bool {
        match self {
            Self::Is(criterion) => criterion.field == field,
            Self::Not(part) => part.is_only_about(field),
            Self::And(parts) | Self::Or(parts) => {
                !parts.is_empty() && parts.iter().all(|part| part.is_only_about(field))
            }
            Self::One(_) | Self::Timed(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cohort, Field};

    fn check(text: &str, field: &str, left_out: &[&str], kept: &[&str]) {
        let cohort: Cohort = text.parse().unwrap();
        let lifted = cohort.lifted(Field::parse(field).unwrap());
        let texts = |parts: &[Cohort]| parts.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts(&lifted.left_out), left_out, "{text}");
        assert_eq!(texts(&lifted.kept), kept, "{text}");
    }

    #[test]
    fn what_is_about_the_field_alone_is_lifted() {
        check("", "modality", &[], &[]);
        check("modality = CT", "modality", &["modality = CT"], &[]);
        check("modality = CT", "sex", &[], &["modality = CT"]);
        check(
            "sex = F and (modality = MR and not modality = CT)",
            "modality",
            &["modality = MR", "not modality = CT"],
            &["sex = F"],
        );
        check(
            "modality = CT or modality = MR",
            "modality",
            &["modality = CT or modality = MR"],
            &[],
        );
    }

    #[test]
    fn what_is_about_more_than_the_field_stays() {
        check(
            "modality = CT or sex = F",
            "modality",
            &[],
            &["modality = CT or sex = F"],
        );
        check(
            "series(modality = CT)",
            "modality",
            &[],
            &["series(modality = CT)"],
        );
        check(
            "not (modality = CT and sex = F)",
            "sex",
            &[],
            &["not (modality = CT and sex = F)"],
        );
    }
}
