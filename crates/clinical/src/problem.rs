//! What is wrong with a file, named with its place. No text says what a cell holds: a problem may be printed.

use std::fmt;

use serde::Serialize;

/// One thing to mend in a file or its mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Row as a spreadsheet counts: the header is row 1.
    pub row: Option<u64>,
    /// The column's name.
    pub column: Option<String>,
    /// What is wrong and what to do.
    pub what: String,
}

impl Problem {
    /// About the file as a whole.
    pub(crate) fn file(what: impl Into<String>) -> Self {
        Self {
            row: None,
            column: None,
            what: what.into(),
        }
    }

    /// About a row.
    pub(crate) fn row(row: u64, what: impl Into<String>) -> Self {
        Self {
            row: Some(row),
            ..Self::file(what)
        }
    }

    /// About a column.
    pub(crate) fn column(column: &str, what: impl Into<String>) -> Self {
        Self {
            column: Some(column.to_owned()),
            ..Self::file(what)
        }
    }

    /// About a cell.
    pub(crate) fn cell(row: u64, column: &str, what: impl Into<String>) -> Self {
        Self {
            row: Some(row),
            ..Self::column(column, what)
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row {
            write!(f, "row {row}, ")?;
        }
        if let Some(column) = &self.column {
            write!(f, "column {column}, ")?;
        }
        f.write_str(&self.what)
    }
}
