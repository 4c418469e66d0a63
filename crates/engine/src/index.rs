//! The index: patients in the order of their keys, what hangs on each as runs of rows, and the columns.
//!
//! A patient comes in as a [`Branch`], behind all others ([`Index::append`]) or in place of what was known of them ([`Index::patch`], in
//! `patch`).

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use crate::{ColumnId, Kind, Level, Schema, bits::Bits, column::Column, count::Bare};

/// Rows of all levels together; places are kept in four bytes.
const MAX_ROWS: usize = u32::MAX as usize - 1;

/// A recorded value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// A code or a name.
    Word(&'a str),
    /// A number; NaN counts as not recorded.
    Number(f64),
}

/// One row and what hangs on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch<'a> {
    /// What it is.
    pub level: Level,
    /// What is recorded of it.
    pub values: Vec<(ColumnId, Value<'a>)>,
    /// Rows of levels that hang on this one.
    pub below: Vec<Branch<'a>>,
    /// Whether there is such a thing.
    pub presence: Presence,
}

/// Whether a row stands for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Presence {
    /// It does.
    #[default]
    There,
    /// It only holds rows of which is not known what they hang on: it is not counted and has no say. Nothing but patients is
    /// above it.
    Placeholder,
}

/// What is to be known of a patient from now on.
#[derive(Debug, Clone, PartialEq)]
pub struct Change<'a> {
    /// The patient's key.
    pub patient: &'a str,
    /// Everything about the patient; none to forget them.
    pub now: Option<Branch<'a>>,
}

/// What cannot be taken into an index. Nothing of it has been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Appended patients come in order, changed ones once.
    #[error("a patient comes twice or out of order")]
    OutOfOrder,
    /// A row hangs on one of a level that its own does not hang on.
    #[error("a row hangs on a row that its level does not hang on")]
    Misplaced,
    /// A value stands in a column of another level or kind.
    #[error("a value stands in a column of another level or kind")]
    WrongColumn,
    /// More rows than places are kept for.
    #[error("more than {MAX_ROWS} rows")]
    TooManyRows,
}

/// The rows of a level.
#[derive(Debug, Default)]
pub(crate) struct LevelRows {
    pub(crate) len: usize,
    /// For each row, the row that it hangs on.
    pub(crate) parents: Vec<u32>,
    /// For each row of the level above, where its rows begin; and the end.
    pub(crate) starts: Vec<u32>,
    /// Rows that stand for nothing, in order.
    pub(crate) placeholders: Vec<u32>,
}

/// Patients, what hangs on them, and the columns of each.
#[derive(Debug)]
pub struct Index {
    pub(crate) schema: Schema,
    pub(crate) keys: Vec<Arc<str>>,
    pub(crate) levels: Vec<LevelRows>,
    pub(crate) columns: Vec<Column>,
    /// Found out when first asked for, and forgotten when a patient changes.
    pub(crate) bare: OnceLock<Bare>,
}

impl Index {
    /// An index of nobody.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        let columns = schema.columns().iter();
        Self {
            columns: columns.map(|column| Column::new(column.kind)).collect(),
            levels: empty_levels(&schema),
            keys: Vec::new(),
            bare: OnceLock::new(),
            schema,
        }
    }

    /// Its levels and columns.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// How many things of a level there are.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        let rows = &self.levels[level.at()];
        rows.len - rows.placeholders.len()
    }

    pub(crate) fn rows(&self, level: Level) -> usize {
        self.levels[level.at()].len
    }

    /// The rows of a level that stand for something; none if all do.
    pub(crate) fn there(&self, level: Level) -> Option<Bits> {
        let placeholders = &self.levels[level.at()].placeholders;
        if placeholders.is_empty() {
            return None;
        }
        let mut there = Bits::all(self.rows(level));
        placeholders
            .iter()
            .for_each(|row| there.clear(*row as usize));
        Some(there)
    }

    /// How many rows have a value in a column.
    #[must_use]
    pub fn recorded(&self, column: ColumnId) -> u64 {
        self.columns[column.at()].recorded()
    }

    /// The distinct words of a column that some row has, in no order.
    pub fn words(&self, column: ColumnId) -> impl Iterator<Item = &str> {
        let coded = match &self.columns[column.at()] {
            Column::Coded(coded) => Some(coded),
            Column::Plain(_) => None,
        };
        let places = coded.into_iter().flat_map(|coded| {
            let used = coded.uses.iter().enumerate().filter(|(_, uses)| **uses > 0);
            used.map(|(place, _)| coded.dictionary.value(place))
        });
        places.filter_map(|value| match value {
            Some(Value::Word(word)) => Some(word),
            _ => None,
        })
    }

    /// Bytes held in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        /// The two counters before a shared text.
        const COUNTERS_BYTES: usize = 16;
        let keys = self.keys.iter().map(|key| key.len() + COUNTERS_BYTES);
        let levels = self.levels.iter();
        let levels = levels.map(|rows| {
            rows.parents.capacity() + rows.starts.capacity() + rows.placeholders.capacity()
        });
        let columns = self.columns.iter().map(Column::bytes);
        keys.sum::<usize>()
            + self.keys.capacity() * size_of::<Arc<str>>()
            + levels.sum::<usize>() * size_of::<u32>()
            + columns.sum::<usize>()
    }

    /// Adds a patient behind all others.
    ///
    /// # Errors
    /// [`IndexError`], and nothing is added.
    pub fn append(&mut self, patient: &str, branch: &Branch<'_>) -> Result<(), IndexError> {
        if self.keys.last().is_some_and(|last| **last >= *patient) {
            return Err(IndexError::OutOfOrder);
        }
        self.check(branch)?;
        self.bare = OnceLock::new();
        self.keys.push(patient.into());
        self.push(branch, None);
        Ok(())
    }

    /// Gives back memory that is not used, after the last [`Self::append`].
    pub fn settle(&mut self) {
        self.keys.shrink_to_fit();
        for rows in &mut self.levels {
            rows.parents.shrink_to_fit();
            rows.starts.shrink_to_fit();
        }
        self.columns.iter_mut().for_each(Column::settle);
    }

    /// The rows of a level that hang on these rows of a level above it.
    pub(crate) fn below(&self, level: Level, of: Level, rows: Range<usize>) -> Range<usize> {
        below(&self.schema, &self.levels, level, of, rows)
    }

    /// From patients down to a level, where the rows of each row of the level above begin.
    pub(crate) fn starts(&self, level: Level) -> Vec<&[u32]> {
        if level == Level::PATIENT {
            return Vec::new();
        }
        let mut starts = self.starts(self.schema.parent(level));
        starts.push(&self.levels[level.at()].starts);
        starts
    }

    /// The row of a level above that a row hangs on.
    pub(crate) fn above(&self, level: Level, of: Level, mut row: usize) -> usize {
        let mut level = level;
        while level != of {
            row = self.levels[level.at()].parents[row] as usize;
            level = self.schema.parent(level);
        }
        row
    }

    pub(crate) fn check(&self, branch: &Branch<'_>) -> Result<(), IndexError> {
        if branch.level != Level::PATIENT || branch.presence == Presence::Placeholder {
            return Err(IndexError::Misplaced);
        }
        let added = self.check_row(branch)?;
        let rows: usize = self.levels.iter().map(|rows| rows.len).sum();
        if rows + added > MAX_ROWS {
            return Err(IndexError::TooManyRows);
        }
        Ok(())
    }

    /// How many rows there are in a branch, when all of it is as the schema says.
    fn check_row(&self, branch: &Branch<'_>) -> Result<usize, IndexError> {
        for (column, value) in &branch.values {
            let spec = self.schema.columns().get(column.at());
            let spec = spec.ok_or(IndexError::WrongColumn)?;
            let kind = match value {
                Value::Word(_) => Kind::Words,
                Value::Number(_) => Kind::Numbers,
            };
            if (spec.level, spec.kind) != (branch.level, kind) {
                return Err(IndexError::WrongColumn);
            }
        }
        let mut rows = 1;
        for row in &branch.below {
            if row.level == Level::PATIENT || self.schema.parent(row.level) != branch.level {
                return Err(IndexError::Misplaced);
            }
            rows += self.check_row(row)?;
        }
        Ok(rows)
    }

    pub(crate) fn push(&mut self, branch: &Branch<'_>, parent: Option<u32>) {
        let rows = &mut self.levels[branch.level.at()];
        let row = rows.len as u32;
        rows.len += 1;
        rows.parents.extend(parent);
        if branch.presence == Presence::Placeholder {
            rows.placeholders.push(row);
        }
        for (at, column) in self.columns.iter_mut().enumerate() {
            if self.schema.columns()[at].level == branch.level {
                let value = branch.values.iter().find(|(id, _)| id.at() == at);
                column.push(value.map(|(_, value)| *value));
            }
        }
        for below in &branch.below {
            self.push(below, Some(row));
        }
        let levels = self.schema.levels().skip(1);
        for level in levels.filter(|level| self.schema.parent(*level) == branch.level) {
            let rows = &mut self.levels[level.at()];
            rows.starts.push(rows.len as u32);
        }
    }
}

pub(crate) fn below(
    schema: &Schema,
    levels: &[LevelRows],
    level: Level,
    of: Level,
    rows: Range<usize>,
) -> Range<usize> {
    if level == of {
        return rows;
    }
    let above = below(schema, levels, schema.parent(level), of, rows);
    let starts = &levels[level.at()].starts;
    starts[above.start] as usize..starts[above.end] as usize
}

pub(crate) fn empty_levels(schema: &Schema) -> Vec<LevelRows> {
    let empty = |level| LevelRows {
        starts: if level == Level::PATIENT {
            Vec::new()
        } else {
            vec![0]
        },
        ..LevelRows::default()
    };
    schema.levels().map(empty).collect()
}
