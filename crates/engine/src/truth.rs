//! Kleene's logic by halves: a row is true, false or neither, and who asks wants to know which rows are the one or which are the other.
//!
//! The rows that a plan is true of follow from the rows that its parts are true of, but for `Not`, which wants those that its part is
//! false of: so each part is asked for one half only.

/// A half of the logic: which rows are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    /// Those that something is true of.
    Yes,
    /// Those that it is false of; not those of which nothing is known.
    No,
}

impl Truth {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
        }
    }
}
