//! Drafts: what a table's rows say, as records that still name the patient as the hospital does. Every row is looked at before any is
//! used: either there are drafts, or problems.

mod check;
pub mod dates;
mod value;

use std::{collections::BTreeMap, sync::Arc};

use arno_domain::model::{Entity, Field, Value};
use chrono::NaiveDate;
use serde::Serialize;

use crate::{Mapping, MappingError, Plan, Problem, Table};

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

/// Words of a column that have no code, and how many rows say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Uncoded {
    /// The field.
    pub field: Field,
    /// The column.
    pub column: String,
    /// The words.
    pub value: String,
    /// In how many rows they stand.
    pub count: u64,
}

/// A table that was looked at.
#[derive(Debug, Default)]
pub struct Checked {
    /// Records, in the order of the rows.
    pub drafts: Vec<Draft>,
    /// Whatever has to be mended before anything is loaded.
    pub problems: Vec<Problem>,
    /// What could not be coded.
    pub uncoded: Vec<Uncoded>,
    /// Rows that were looked at.
    pub rows: u64,
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

type Counts = BTreeMap<(usize, usize, Arc<str>), u64>;

#[cfg(test)]
mod tests;
