//! A cohort: the typed expression that selects patients, and its evaluation over one row of facts.
//!
//! The same expression is JSON (serde), text (`text`) and what the explorer edits. Logic is three-valued
//! (Kleene): a criterion about a value that is not recorded is neither true nor false, and what is not true is
//! not counted, so that `not` never turns a missing value into a match.

mod field;
mod text;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

pub use field::{Facts, Field, FieldKind, Value};
pub use text::ParseError;

use crate::hex;

/// More criteria than a person writes; bounds the work of one search.
pub const MAX_CRITERIA: usize = 64;
/// Deepest nesting of and/or/not.
pub const MAX_DEPTH: usize = 12;

/// A selection of patients by criteria.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[schema(no_recursion)]
pub enum Cohort {
    /// All of these; the empty list is everybody.
    And(Vec<Cohort>),
    /// At least one of these.
    Or(Vec<Cohort>),
    /// Not this.
    Not(Box<Cohort>),
    /// One criterion.
    Is(Criterion),
}

/// One test of one field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// What is tested.
    pub field: Field,
    /// How.
    pub test: Test,
}

/// A test of a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Test {
    /// Equal to one of these, without regard to case.
    OneOf(Vec<String>),
    /// Within these limits, both included unless marked as `below`/`above`.
    Range(Range),
    /// Recorded at all.
    Recorded,
}

/// Limits in the unit of the field.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Range {
    /// At least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// More than.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// At most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Less than.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
}

impl Range {
    fn holds(&self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min)
            && self.above.is_none_or(|above| value > above)
            && self.max.is_none_or(|max| value <= max)
            && self.below.is_none_or(|below| value < below)
    }
}

/// An expression that is too large or tests a field in a way it cannot be tested.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CohortError {
    /// Too many criteria.
    #[error("a cohort has at most {MAX_CRITERIA} criteria")]
    TooManyCriteria,
    /// Nested too deeply.
    #[error("a cohort nests and/or/not at most {MAX_DEPTH} deep")]
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
}

impl Cohort {
    /// Everybody.
    #[must_use]
    pub fn everybody() -> Self {
        Self::And(Vec::new())
    }

    /// Checks size and types; a cohort from outside passes here before it is used.
    ///
    /// # Errors
    /// [`CohortError`] names the field and what to write instead.
    pub fn check(&self) -> Result<(), CohortError> {
        if self.depth() > MAX_DEPTH {
            return Err(CohortError::TooDeep);
        }
        let criteria = self.criteria();
        if criteria.len() > MAX_CRITERIA {
            return Err(CohortError::TooManyCriteria);
        }
        criteria.into_iter().try_for_each(Criterion::check)
    }

    fn depth(&self) -> usize {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                1 + parts.iter().map(Self::depth).max().unwrap_or(0)
            }
            Self::Not(part) => 1 + part.depth(),
            Self::Is(_) => 0,
        }
    }

    /// All criteria, in order of appearance.
    #[must_use]
    pub fn criteria(&self) -> Vec<&Criterion> {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::criteria).collect(),
            Self::Not(part) => part.criteria(),
            Self::Is(criterion) => vec![criterion],
        }
    }

    /// Whether the facts match; `None` where a value that decides is not recorded.
    #[must_use]
    pub fn matches(&self, facts: &Facts) -> Option<bool> {
        match self {
            Self::And(parts) => parts.iter().try_fold_kleene(facts, false),
            Self::Or(parts) => parts.iter().try_fold_kleene(facts, true),
            Self::Not(part) => part.matches(facts).map(|matched| !matched),
            Self::Is(criterion) => criterion.matches(facts),
        }
    }

    /// The same question in one way of writing: nested lists flattened, parts sorted, doubles dropped.
    #[must_use]
    pub fn normal_form(&self) -> Self {
        match self {
            Self::And(parts) => Self::list(parts, true),
            Self::Or(parts) => Self::list(parts, false),
            Self::Not(part) => match part.normal_form() {
                Self::Not(inner) => *inner,
                other => Self::Not(Box::new(other)),
            },
            Self::Is(criterion) => Self::Is(criterion.normal_form()),
        }
    }

    fn list(parts: &[Self], all: bool) -> Self {
        let mut flat = Vec::new();
        for part in parts.iter().map(Self::normal_form) {
            match (part, all) {
                (Self::And(inner), true) | (Self::Or(inner), false) => flat.extend(inner),
                (other, _) => flat.push(other),
            }
        }
        flat.sort_by_key(ToString::to_string);
        flat.dedup();
        match (flat.len(), all) {
            (1, _) => flat.remove(0),
            (_, true) => Self::And(flat),
            (_, false) => Self::Or(flat),
        }
    }

    /// SHA-256 of the normal form's text: the id of the question.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::encode(&Sha256::digest(self.normal_form().to_string()))
    }
}

/// Kleene's and/or over parts: the deciding value wins, a missing one makes the rest unknown.
trait Kleene {
    fn try_fold_kleene(self, facts: &Facts, deciding: bool) -> Option<bool>;
}

impl<'a, I: Iterator<Item = &'a Cohort>> Kleene for I {
    fn try_fold_kleene(self, facts: &Facts, deciding: bool) -> Option<bool> {
        let mut result = Some(!deciding);
        for part in self {
            match part.matches(facts) {
                Some(value) if value == deciding => return Some(deciding),
                Some(_) => {}
                None => result = None,
            }
        }
        result
    }
}

impl Criterion {
    fn check(&self) -> Result<(), CohortError> {
        let field = self.field.as_str();
        match (self.field.kind(), &self.test) {
            (_, Test::Recorded)
            | (FieldKind::Words, Test::OneOf(_))
            | (FieldKind::Number { .. }, Test::Range(_)) => Ok(()),
            (FieldKind::Words, Test::Range(_)) => {
                let help = "compare it with = or in {A, B}";
                Err(CohortError::WrongTest {
                    field,
                    kind: "a word",
                    help,
                })
            }
            (FieldKind::Number { .. }, Test::OneOf(_)) => {
                let help = "compare it with a number, or write: in 40..75";
                Err(CohortError::WrongTest {
                    field,
                    kind: "a number",
                    help,
                })
            }
        }
    }

    fn matches(&self, facts: &Facts) -> Option<bool> {
        let value = facts.value(self.field)?;
        Some(match (&self.test, value) {
            (Test::Recorded, _) => true,
            (Test::OneOf(words), Value::Word(word)) => {
                words.iter().any(|wanted| wanted.eq_ignore_ascii_case(word))
            }
            (Test::Range(range), Value::Number(number)) => range.holds(number),
            (Test::OneOf(_), Value::Number(_)) | (Test::Range(_), Value::Word(_)) => return None,
        })
    }

    fn normal_form(&self) -> Self {
        let mut normal = self.clone();
        if let Test::OneOf(words) = &mut normal.test {
            for word in words.iter_mut() {
                *word = word.to_ascii_uppercase();
            }
            words.sort();
            words.dedup();
        }
        normal
    }
}

#[cfg(test)]
mod tests {
    use super::{Cohort, CohortError, Facts};

    fn facts() -> Facts {
        Facts {
            patient: "P-1".into(),
            modality: Some("CT".into()),
            slice_thickness_mm: Some(1.25),
            sex: Some("F".into()),
            ..Facts::default()
        }
    }

    fn check(text: &str, expect: Option<bool>) {
        let cohort: Cohort = text.parse().unwrap();
        assert_eq!(cohort.matches(&facts()), expect, "{text}");
    }

    #[test]
    fn logic_is_three_valued() {
        check("modality = ct", Some(true));
        check("modality = CT and slice_thickness <= 2 mm", Some(true));
        check("slice_thickness < 1.25", Some(false));
        check("age >= 40", None);
        check("not age >= 40", None);
        check("age >= 40 and modality = MR", Some(false));
        check("age >= 40 or modality = CT", Some(true));
        check("age >= 40 and modality = CT", None);
        check("sex recorded and not modality in {MR, PT}", Some(true));
        check("", Some(true));
    }

    #[test]
    fn the_same_question_has_one_id() {
        let id = |text: &str| text.parse::<Cohort>().unwrap().digest();
        assert_eq!(
            id("modality = CT and sex = F"),
            id("(sex = f) and (modality in {ct, CT})")
        );
        assert_eq!(id("not not sex = F"), id("sex = F"));
        assert_ne!(
            id("modality = CT and sex = F"),
            id("modality = CT or sex = F")
        );
    }

    #[test]
    fn a_field_is_tested_as_what_it_is() {
        let check = |text: &str| text.parse::<Cohort>().unwrap().check();
        assert!(matches!(
            check("modality > 3"),
            Err(CohortError::WrongTest {
                field: "modality",
                ..
            })
        ));
        assert!(matches!(
            check("age = forty"),
            Err(CohortError::WrongTest { field: "age", .. })
        ));
        assert_eq!(check("age in 40..75"), Ok(()));
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
