//! Size and types: a cohort from outside passes here before it is used.

use super::{
    Cohort, Criterion, Entity, Field, FieldKind, Group, Moment, Range, Test, has_hierarchy,
};

/// More criteria than a person writes; bounds the work of one search.
pub const MAX_CRITERIA: usize = 64;
/// Deepest nesting of and/or/not and groups.
pub const MAX_DEPTH: usize = 12;
/// More values than a person lists in one criterion.
const MAX_VALUES: usize = 256;

/// An expression that is too large or tests a field in a way it cannot be tested.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CohortError {
    /// Too many criteria.
    #[error("a cohort has at most {MAX_CRITERIA} criteria")]
    TooManyCriteria,
    /// Nested too deeply.
    #[error("a cohort nests and/or/not and groups at most {MAX_DEPTH} deep")]
    TooDeep,
    /// A number where words are, or words where a number is.
    #[error("{field} is {kind}: {help}")]
    WrongTest {
        /// The field.
        field: &'static str,
        /// What the field holds.
        kind: &'static str,
        /// How to ask instead.
        help: &'static str,
    },
    /// A list without anything in it, or with more than anybody writes.
    #[error("{place} has {found} parts: write 1 to {most}")]
    BadList {
        /// Where.
        place: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// Limits between which there is no number.
    #[error("{field}: no number is within these limits; write the lower one first, as in 40..75")]
    EmptyRange {
        /// The field.
        field: &'static str,
    },
    /// A moment by a field that holds none, or that does not stand with the record.
    #[error("{field} is no date of a {entity} record; docs/search.md lists them")]
    NoMoment {
        /// The field.
        field: &'static str,
        /// The entity.
        entity: &'static str,
    },
}

impl Cohort {
    /// Checks size and types; a cohort from outside passes here before it is used.
    ///
    /// # Errors
    /// [`CohortError`] names the field and what to write instead.
    pub fn check(&self) -> Result<(), CohortError> {
        if self.depth() > MAX_DEPTH {
            return Err(CohortError::TooDeep);
        }
        if self.claims().len() > MAX_CRITERIA {
            return Err(CohortError::TooManyCriteria);
        }
        self.check_types()
    }

    fn depth(&self) -> usize {
        let of = |group: &Option<Group>| group.as_ref().map_or(0, |group| group.such_that.depth());
        match self {
            Self::And(parts) | Self::Or(parts) => {
                1 + parts.iter().map(Self::depth).max().unwrap_or(0)
            }
            Self::Not(part) => 1 + part.depth(),
            Self::Is(_) => 0,
            Self::One(group) => 1 + group.such_that.depth(),
            Self::Timed(timing) => 1 + of(&timing.first.of).max(of(&timing.second.of)),
        }
    }

    fn check_types(&self) -> Result<(), CohortError> {
        match self {
            // An empty list would be nobody, which no text says.
            Self::Or(parts) if parts.is_empty() => Err(CohortError::BadList {
                place: "`or`",
                found: 0,
                most: MAX_CRITERIA,
            }),
            Self::And(parts) | Self::Or(parts) => parts.iter().try_for_each(Self::check_types),
            Self::Not(part) => part.check_types(),
            Self::Is(criterion) => criterion.check(),
            Self::One(group) => group.such_that.check_types(),
            Self::Timed(timing) => {
                timing.first.check()?;
                timing.second.check()?;
                check_range(timing.first.date, &timing.days)
            }
        }
    }
}

impl Moment {
    fn check(&self) -> Result<(), CohortError> {
        let entity = self.of.as_ref().map_or(self.date.entity(), |of| of.entity);
        if self.date.kind() != FieldKind::Days || !stands_with(self.date.entity(), entity) {
            return Err(CohortError::NoMoment {
                field: self.date.as_str(),
                entity: entity.as_str(),
            });
        }
        match &self.of {
            Some(group) => group.such_that.check_types(),
            None => Ok(()),
        }
    }
}

/// Whether a record of `entity` has the fields of `owner` for its own: it is one, or hangs on one.
fn stands_with(owner: Entity, entity: Entity) -> bool {
    let mut at = Some(entity);
    while let Some(entity) = at {
        if entity == owner {
            return true;
        }
        at = entity.parent();
    }
    false
}

impl Criterion {
    pub(super) fn check(&self) -> Result<(), CohortError> {
        let field = self.field.as_str();
        let wrong = |kind, help| Err(CohortError::WrongTest { field, kind, help });
        let is_number = matches!(
            self.field.kind(),
            FieldKind::Number { .. } | FieldKind::Days
        );
        match &self.test {
            Test::Recorded => Ok(()),
            Test::OneOf(_) | Test::Under(_) if is_number => {
                wrong("a number", "compare it with a number, or write: in 40..75")
            }
            Test::Range(_) if !is_number => wrong("a word", "compare it with = or in {A, B}"),
            Test::Under(_) if !has_hierarchy(self.field) => wrong(
                "a word that nothing lies under",
                "compare it with = or in {A, B}",
            ),
            Test::OneOf(words) | Test::Under(words) => check_words(words),
            Test::Range(range) => check_range(self.field, range),
        }
    }
}

fn check_words(words: &[String]) -> Result<(), CohortError> {
    if words.is_empty() || words.len() > MAX_VALUES {
        return Err(CohortError::BadList {
            place: "a list of values",
            found: words.len(),
            most: MAX_VALUES,
        });
    }
    Ok(())
}

fn check_range(field: Field, range: &Range) -> Result<(), CohortError> {
    let limits = [range.min, range.above, range.max, range.below];
    let low = range.min.into_iter().chain(range.above).reduce(f64::max);
    let high = range.max.into_iter().chain(range.below).reduce(f64::min);
    let crossed = low.zip(high).is_some_and(|(low, high)| low > high);
    let finite = limits.into_iter().flatten().all(f64::is_finite);
    let none = limits.into_iter().flatten().next().is_none();
    match crossed || !finite || none {
        true => Err(CohortError::EmptyRange {
            field: field.as_str(),
        }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cohort, CohortError};

    #[test]
    fn a_field_is_tested_as_what_it_is() {
        let check = |json: &str, says: Option<&str>| {
            let cohort: Cohort = serde_json::from_str(json).unwrap();
            let found = cohort.check().err().map(|error| error.to_string());
            match says {
                None => assert_eq!(found, None, "{json}"),
                Some(says) => assert!(
                    found.as_ref().is_some_and(|found| found.contains(says)),
                    "{json}: {found:?}"
                ),
            }
        };
        check(
            r#"{"is":{"field":"age","test":{"range":{"min":40}}}}"#,
            None,
        );
        check(
            r#"{"is":{"field":"modality","test":{"range":{"min":40}}}}"#,
            Some("modality is a word"),
        );
        check(
            r#"{"is":{"field":"age","test":{"one_of":["forty"]}}}"#,
            Some("age is a number"),
        );
        check(
            r#"{"is":{"field":"modality","test":{"under":["CT"]}}}"#,
            Some("nothing lies under"),
        );
        check(
            r#"{"is":{"field":"modality","test":{"one_of":[]}}}"#,
            Some("has 0 parts"),
        );
        check(
            r#"{"is":{"field":"age","test":{"range":{}}}}"#,
            Some("no number"),
        );
        check(
            r#"{"is":{"field":"age","test":{"range":{"min":5,"below":4}}}}"#,
            Some("no number"),
        );
        check(r#"{"or":[]}"#, Some("`or` has 0"));
        check(
            r#"{"timed":{"first":{"date":"study_date"},"order":"before","second":{"date":"age"},"days":{"max":9}}}"#,
            Some("age is no date"),
        );
        check(
            r#"{"timed":{"first":{"date":"treatment_end","of":{"entity":"series","such_that":{"and":[]}}},"order":"before","second":{"date":"study_date"},"days":{"max":9}}}"#,
            Some("treatment_end is no date of a series"),
        );
    }

    #[test]
    fn size_is_bounded() {
        let many = vec!["sex = F"; 65].join(" and ");
        assert_eq!(
            many.parse::<Cohort>().unwrap().check(),
            Err(CohortError::TooManyCriteria)
        );
        let deep: Cohort = (0..13).fold("sex = F".parse().unwrap(), |inner, _| {
            Cohort::Not(Box::new(inner))
        });
        assert_eq!(deep.check(), Err(CohortError::TooDeep));
    }
}
