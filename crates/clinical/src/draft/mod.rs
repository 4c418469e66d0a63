//! Drafts: what a table's rows say, as records that still name the patient as the hospital does. Every row is looked at before any is
//! used: either there are drafts, or problems.

mod check;
pub mod dates;
mod value;

use std::{collections::BTreeMap, sync::Arc};

use arno_domain::model::{Entity, Field, Value};
use chrono::NaiveDate;
use serde::Serialize;

use crate::{Mapping, MappingError, Place, Plan, Problem, Table, omop::OmopSource};

/// Most problems that are named; a file in the wrong encoding has one in every row.
pub const MAX_PROBLEMS: usize = 10_000;

/// What is said of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum DraftContent {
    /// A value; days are from the diagnosis.
    Known(Value),
    /// A date.
    Date(NaiveDate),
    /// Words that have no code.
    Uncoded,
}

/// A value with what the source wrote, where that was something else.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftValue {
    /// The field.
    pub field: Field,
    /// What is said; shared by all rows that say the same.
    pub said: Arc<Said>,
}

/// What is said of a field, and what the source wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// What is said.
    pub content: DraftContent,
    /// What the source wrote, where that was something else. Never a date.
    pub source: Option<String>,
}

/// What tells a record from others of its entity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DraftKey {
    /// The patient has one.
    Patient,
    /// A DICOM UID.
    Uid(Arc<str>),
    /// What the source calls it, within the patient.
    Named(Arc<str>),
}

/// A record before pseudonyms.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What it is about.
    pub entity: Entity,
    /// The patient's id as the hospital writes it.
    pub patient: Arc<str>,
    /// What tells it from others.
    pub key: DraftKey,
    /// What it hangs on, if not the patient.
    pub parent: Option<DraftKey>,
    /// What an event belongs to.
    pub links: Vec<(Entity, DraftKey)>,
    /// What it says.
    pub values: Vec<DraftValue>,
}

/// What a source says of a field without a code that is known, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Uncoded {
    /// The field.
    pub field: Field,
    /// The column, or the path of an element.
    pub column: String,
    /// The words of a table's cell, or the code of an unknown system; nothing where an entry has words alone, which may name a person.
    pub value: String,
    /// How often.
    pub count: u64,
    /// Where it stands first.
    #[serde(flatten)]
    pub first: Option<Place>,
}

/// What was read and has no place in the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// A type of resource with a code, or a table.
    pub what: String,
    /// How often.
    pub count: u64,
    /// Where it stands first.
    #[serde(flatten)]
    pub first: Option<Place>,
}

/// A source that was looked at.
#[derive(Debug, Default)]
pub struct Checked {
    /// Records, in the order of the rows.
    pub drafts: Vec<Draft>,
    /// Where more records are read when they are wanted, of sources that are too large to be held.
    pub streamed: Option<OmopSource>,
    /// How many there are.
    pub streamed_records: u64,
    /// Whatever has to be mended before anything is loaded.
    pub problems: Vec<Problem>,
    /// What could not be coded.
    pub uncoded: Vec<Uncoded>,
    /// What has no place in the model; for tables, nothing: columns that a mapping does not name are not read.
    pub left_out: Vec<LeftOut>,
    /// Rows or entries that were looked at.
    pub rows: u64,
}

impl Checked {
    /// How many records there are.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.drafts.len() as u64 + self.streamed_records
    }
}

/// Rows to look at: those whose cell in a column is one of a set.
#[derive(Debug, Clone, Default)]
pub struct Only {
    /// The column.
    pub column: String,
    /// The texts.
    pub values: std::collections::BTreeSet<String>,
}

/// Looks at every row of a table.
///
/// # Errors
/// [`MappingError::Problems`] when mapping and table do not fit; what is wrong with rows stands in [`Checked::problems`].
pub fn check(
    mapping: &Mapping,
    table: &Table,
    only: Option<&Only>,
) -> Result<Checked, MappingError> {
    let plan = Plan::new(mapping, table)?;
    let rows = match only {
        None => None,
        Some(only) => Some(chosen(table, only)?),
    };
    Ok(check::Check::new(&plan, table).run(rows.as_deref()))
}

/// For each row, whether it is looked at.
fn chosen(table: &Table, only: &Only) -> Result<Vec<bool>, MappingError> {
    let Some(position) = table.position(&only.column) else {
        let problem = Problem::column(&only.column, "the file has no such column");
        return Err(MappingError::Problems(vec![problem]));
    };
    let column = &table.columns[position];
    let wanted = |cell: &crate::Cell| only.values.contains(&*cell.to_text());
    let is_wanted: Vec<_> = column.distinct.iter().map(wanted).collect();
    let rows = column.rows.iter();
    Ok(rows
        .map(|place| is_wanted.get(*place as usize).copied().unwrap_or(false))
        .collect())
}

/// How many rows say a word, and the first of them.
type Counts = BTreeMap<(usize, usize, Arc<str>), (u64, usize)>;

#[cfg(test)]
mod tests;
