//! What is wrong with a source, named with its place. No text says what a cell or an element holds: a problem may be printed.

use std::fmt;

use serde::Serialize;

/// Where in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A row as a spreadsheet counts: the header is row 1.
    Row(u64),
    /// An entry of a bundle, from 1.
    Entry(u64),
    /// A line of a text file, from 1.
    Line(u64),
}

/// One thing to mend in a file or its mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file's name, where a source has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Where in the file.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// The column's name, or the path of an element within its entry.
    pub column: Option<String>,
    /// What is wrong and what to do.
    pub what: String,
}

impl Problem {
    /// About the file as a whole.
    pub(crate) fn file(what: impl Into<String>) -> Self {
        Self {
            file: None,
            place: None,
            column: None,
            what: what.into(),
        }
    }

    /// About a row, an entry or a line.
    pub(crate) fn at(place: Place, what: impl Into<String>) -> Self {
        Self {
            place: Some(place),
            ..Self::file(what)
        }
    }

    /// About a row.
    pub(crate) fn row(row: u64, what: impl Into<String>) -> Self {
        Self::at(Place::Row(row), what)
    }

    /// About a column.
    pub(crate) fn column(column: &str, what: impl Into<String>) -> Self {
        Self::file(what).of(column)
    }

    /// About a cell.
    pub(crate) fn cell(row: u64, column: &str, what: impl Into<String>) -> Self {
        Self::row(row, what).of(column)
    }

    /// In this column, or at this path.
    pub(crate) fn of(mut self, column: &str) -> Self {
        self.column = Some(column.to_owned());
        self
    }

    /// In this file of several.
    pub(crate) fn in_file(mut self, name: &str) -> Self {
        self.file = Some(name.to_owned());
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(row) => write!(f, "row {row}"),
            Self::Entry(entry) => write!(f, "entry {entry}"),
            Self::Line(line) => write!(f, "line {line}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}, ")?;
        }
        if let Some(place) = self.place {
            write!(f, "{place}, ")?;
        }
        match (&self.column, self.place) {
            (Some(path), Some(Place::Entry(_) | Place::Line(_))) => write!(f, "{path}, ")?,
            (Some(column), _) => write!(f, "column {column}, ")?,
            (None, _) => {}
        }
        f.write_str(&self.what)
    }
}
