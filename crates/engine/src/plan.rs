//! What is asked of an index.

use crate::{ColumnId, Level};

/// A condition of rows. Where it is asked of the rows of one level and tests a column of another: what a row hangs on is as it is; of
/// what hangs beside or below it, one that passes is enough, and none at all is neither true nor false.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// All of these; of none: always true.
    And(Vec<Plan>),
    /// At least one of these; of none: always false.
    Or(Vec<Plan>),
    /// Not this.
    Not(Box<Plan>),
    /// A test of a column.
    Is(ColumnId, Test),
    /// Some row of `level`, of the same row of `of` (which `level` hangs on), passes all of `plan` by itself.
    Exists {
        /// Whose rows are tried.
        level: Level,
        /// What they have in common with the row that is asked about.
        of: Level,
        /// What one of them must be.
        plan: Box<Plan>,
    },
}

impl Plan {
    /// Everything.
    #[must_use]
    pub fn everything() -> Self {
        Self::And(Vec::new())
    }
}

/// A test of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// One of these words, without regard to the case of ASCII letters.
    OneOf(Vec<String>),
    /// A number within limits.
    Range(Range),
    /// Recorded at all.
    Recorded,
}

/// Limits of a number, compared as they are, without rounding.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Range {
    /// At least.
    pub min: Option<f64>,
    /// More than.
    pub above: Option<f64>,
    /// At most.
    pub max: Option<f64>,
    /// Less than.
    pub below: Option<f64>,
}

impl Range {
    /// Whether a number is within the limits.
    #[must_use]
    pub fn holds(&self, number: f64) -> bool {
        self.min.is_none_or(|min| number >= min)
            && self.above.is_none_or(|above| number > above)
            && self.max.is_none_or(|max| number <= max)
            && self.below.is_none_or(|below| number < below)
    }
}
