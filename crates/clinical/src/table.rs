//! A table in memory: columns of small numbers that stand for distinct cells, so that a million rows stay small and a cell's value is
//! understood once, however often it comes.

use std::{collections::HashMap, sync::Arc};

use chrono::NaiveDate;

/// Most rows of a table; the largest public index has a million.
pub const MAX_ROWS: usize = 20_000_000;
/// Most columns.
pub const MAX_COLUMNS: usize = 4096;
/// Longest text of a cell.
pub const MAX_CELL_BYTES: usize = 1 << 16;

/// What stands in one place of a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Text, trimmed.
    Text(Arc<str>),
    /// A number.
    Number(Bits),
    /// A date without time.
    Date(NaiveDate),
    /// Truth.
    Flag(bool),
}

/// A number that can be a key: compared bit by bit.
#[derive(Debug, Clone, Copy)]
pub struct Bits(pub f64);

impl PartialEq for Bits {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Bits {}

impl std::hash::Hash for Bits {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl Cell {
    /// Text, trimmed; empty text is no text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        match text.trim() {
            "" => Self::Empty,
            text => Self::Text(text.into()),
        }
    }

    /// A number.
    #[must_use]
    pub fn number(number: f64) -> Self {
        Self::Number(Bits(number))
    }

    /// As the text that a person would write; whole numbers without a point.
    #[must_use]
    pub fn to_text(&self) -> Arc<str> {
        match self {
            Self::Empty => "".into(),
            Self::Text(text) => text.clone(),
            Self::Number(Bits(number)) => number.to_string().into(),
            Self::Date(date) => date.to_string().into(),
            Self::Flag(flag) => flag.to_string().into(),
        }
    }
}

/// A column: distinct cells, and which of them stands in each row.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Distinct cells.
    pub distinct: Vec<Cell>,
    /// For each row, the place of its cell in `distinct`.
    pub rows: Vec<u32>,
    places: HashMap<Cell, u32>,
}

impl Column {
    /// An empty column.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.trim().to_owned(),
            ..Self::default()
        }
    }

    /// Appends a cell.
    pub fn push(&mut self, cell: Cell) {
        let place = self.place(cell);
        self.rows.push(place);
    }

    /// The place of a cell among the distinct ones.
    pub fn place(&mut self, cell: Cell) -> u32 {
        if let Some(place) = self.places.get(&cell) {
            return *place;
        }
        // MAX_ROWS keeps this below 2^32.
        let place = u32::try_from(self.distinct.len()).unwrap_or(u32::MAX);
        self.places.insert(cell.clone(), place);
        self.distinct.push(cell);
        place
    }

    /// The cell of a row.
    #[must_use]
    pub fn cell(&self, row: usize) -> &Cell {
        let place = self.rows.get(row).copied().unwrap_or_default();
        self.distinct.get(place as usize).unwrap_or(&Cell::Empty)
    }
}

/// A table, with what was found out about its file.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Columns, all of the same length but for those that were not read, which are empty.
    pub columns: Vec<Column>,
    /// How the file was understood, for people: "delimiter ;", "encoding windows-1252".
    pub told: Vec<String>,
    /// Empty rows, which are none here but count in a spreadsheet: from this row on, that many lie above.
    pub gaps: Vec<(usize, u64)>,
}

impl Table {
    /// How many rows there are below the header.
    #[must_use]
    pub fn len(&self) -> usize {
        let lengths = self.columns.iter().map(|column| column.rows.len());
        lengths.max().unwrap_or(0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place of the column of that name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// A row's number as a spreadsheet counts.
    #[must_use]
    pub fn row_number(&self, row: usize) -> u64 {
        let after = self.gaps.partition_point(|(from, _)| *from <= row);
        let gap = after.checked_sub(1).map(|at| self.gaps[at].1);
        row as u64 + 2 + gap.unwrap_or(0)
    }

    /// Notes that the row to come is that one as a spreadsheet counts.
    pub(crate) fn next_is(&mut self, row: usize, number: u64) {
        let above = number.saturating_sub(row as u64 + 2);
        if self.gaps.last().map_or(0, |(_, known)| *known) < above {
            self.gaps.push((row, above));
        }
    }

    /// How many columns go by that name.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        let named = self.columns.iter().filter(|column| column.name == name);
        named.count()
    }
}
