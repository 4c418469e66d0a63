//! What is asked of an index.

use std::collections::BTreeSet;

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
    /// Two moments lie so far from each other.
    Apart(Box<Apart>),
}

/// Some day of one moment and some day of another lie within limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Apart {
    /// One moment.
    pub first: Moment,
    /// The other.
    pub second: Moment,
    /// Days from the first to the second, negative where the second comes first: within one of these.
    pub days: Vec<Range>,
}

/// Days that may be meant: one of each row of a level, below the same row of another as the row that is asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// The column that holds the day, as each of the rows sees it.
    pub day: ColumnId,
    /// Whose rows are tried.
    pub level: Level,
    /// What they have in common with the row that is asked about.
    pub of: Level,
    /// What they must be besides.
    pub plan: Plan,
}

/// What is asked of series, and what of studies and patients that have none: what the three have in common with other rows
/// differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Asked of each series.
    pub of_series: Plan,
    /// Asked of each study without series.
    pub of_studies: Plan,
    /// Asked of each patient without studies.
    pub of_patients: Plan,
}

impl From<Plan> for Question {
    /// The same of all three.
    fn from(plan: Plan) -> Self {
        Self {
            of_series: plan.clone(),
            of_studies: plan.clone(),
            of_patients: plan,
        }
    }
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
    /// One of these words, exactly; who asks finds out which pass among [`crate::Index::words`].
    OneOf(BTreeSet<String>),
    /// A number within limits.
    Range(Range),
    /// Recorded at all; the one test that is false where nothing is.
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
