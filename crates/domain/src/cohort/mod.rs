//! A cohort: the typed expression over the common data model that selects series and their patients.
//!
//! The same expression is JSON (serde), text (`text`) and what the explorer edits; [`Cohort::digest`] of its normal form is its id.
//! What it means is written in `docs/search.md` and decided by `evaluate`: it is asked of each series, in three-valued logic, so that
//! `not` never turns a missing value into a match.
//!
//! | file | holds |
//! |---|---|
//! | `field` | values, and the facts of one series and its patient |
//! | `code` | codes as they are compared, and what lies under them |
//! | `text` | text ↔ cohort, errors that point at the place |
//! | `complete` | what may stand at a place of a text |
//! | `normal` | one way of writing each question |
//! | `lift` | a cohort without the conditions about one field |
//! | `evaluate`, `patient` | whether it holds |
//! | `check` | size and types |
//! | `facet`, `steps`, `endpoint` | by what the patients of a cohort are counted besides |

mod check;
mod code;
mod complete;
mod endpoint;
mod evaluate;
mod facet;
mod field;
mod lift;
mod normal;
mod patient;
#[cfg(test)]
mod properties;
mod steps;
mod text;
mod vocabulary;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use crate::model::{Entity, Field, FieldKind};
pub use check::{CohortError, MAX_CRITERIA, MAX_DEPTH};
pub use code::{canonical, covers, has_hierarchy};
pub use complete::{Completion, Suggestion, complete};
pub use endpoint::{End, Endpoint, INTERVALS, YEAR_DAYS};
pub use evaluate::matching;
pub use facet::{Facet, UnknownFacet};
pub use field::{Facts, Value};
pub use lift::Lifted;
pub use patient::Patient;
pub use steps::{Pick, Stepped};
pub use text::{MAX_TEXT_BYTES, ParseError};
pub use vocabulary::words_of;

/// A selection of series, and of patients by them.
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
    /// One record is all of this by itself.
    One(Group),
    /// Two things happened so far from each other.
    Timed(Box<Timing>),
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
    /// Equal to one of these, without regard to case; `yes` and `no` for what holds those.
    OneOf(Vec<String>),
    /// One of these codes, or one that lies under it: C34.1 under C34, IIIA under III.
    Under(Vec<String>),
    /// Within these limits.
    Range(Range),
    /// Recorded at all; the one test that a missing value fails.
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

/// One record of an entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(no_recursion)]
pub struct Group {
    /// Of which entity.
    pub entity: Entity,
    /// What it is, asked of the record itself.
    pub such_that: Box<Cohort>,
}

/// How far apart two moments of a patient are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(no_recursion)]
pub struct Timing {
    /// One moment.
    pub first: Moment,
    /// Which comes first.
    pub order: Order,
    /// The other.
    pub second: Moment,
    /// Days between them, not negative.
    pub days: Range,
}

/// How the first moment of a [`Timing`] lies to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Before it, or on its day.
    Before,
    /// After it, or on its day.
    After,
    /// Either.
    Of,
}

/// A day in the course of a patient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(no_recursion)]
pub struct Moment {
    /// The field that holds it.
    pub date: Field,
    /// Of which record; without one as in a criterion of the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Group>,
}

/// What one criterion or time relation asks, for the report of how it was honoured.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// As text.
    pub text: String,
    /// Fields without which it cannot be evaluated.
    pub fields: Vec<Field>,
    /// The criterion, where it is one.
    pub criterion: Option<Criterion>,
}

impl Range {
    /// Whether a number is within the limits.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min)
            && self.above.is_none_or(|above| value > above)
            && self.max.is_none_or(|max| value <= max)
            && self.below.is_none_or(|below| value < below)
    }
}

impl Cohort {
    /// Everybody.
    #[must_use]
    pub fn everybody() -> Self {
        Self::And(Vec::new())
    }

    /// All criteria and time relations, in order of appearance.
    #[must_use]
    pub fn claims(&self) -> Vec<Claim> {
        let mut claims = Vec::new();
        self.collect_claims(&mut claims);
        claims
    }

    fn collect_claims(&self, claims: &mut Vec<Claim>) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().for_each(|part| part.collect_claims(claims));
            }
            Self::Not(part) => part.collect_claims(claims),
            Self::One(group) => group.such_that.collect_claims(claims),
            Self::Is(criterion) => claims.push(Claim {
                text: criterion.to_string(),
                fields: vec![criterion.field],
                criterion: Some(criterion.clone()),
            }),
            Self::Timed(timing) => {
                for group in [&timing.first.of, &timing.second.of].into_iter().flatten() {
                    group.such_that.collect_claims(claims);
                }
                claims.push(Claim {
                    text: self.to_string(),
                    fields: vec![timing.first.date, timing.second.date],
                    criterion: None,
                });
            }
        }
    }
}

/// The day by which a record of an entity is placed in time, and where that day stands.
#[must_use]
pub fn date_of(entity: Entity) -> Option<Field> {
    let name = match entity {
        Entity::Study | Entity::Series | Entity::Annotation => "study_date",
        Entity::Diagnosis => "diagnosis_date",
        Entity::Stage => "stage_date",
        Entity::Pathology => "pathology_date",
        Entity::Biomarker => "biomarker_date",
        Entity::Measurement => "measurement_date",
        Entity::Treatment => "treatment_start",
        Entity::Event => "event_date",
        Entity::Patient | Entity::Outcome => return None,
    };
    Field::parse(name).ok()
}
