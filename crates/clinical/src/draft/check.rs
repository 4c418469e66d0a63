//! One pass over the rows: patients, keys, values; and what two rows say of one record.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arno_domain::model::Entity;

use super::{
    Checked, Counts, Draft, DraftContent, DraftKey, DraftValue, MAX_PROBLEMS, Said, Uncoded,
    value::{Understood, understand},
};
use crate::{
    Place, Plan, Problem, Table,
    mapping::From,
    mapping::{Conflicts, FieldPlan, KeyPlan, RecordPlan},
    table::Cell,
};

/// Longest patient id: DICOM's LO has 64 characters.
const MAX_ID_CHARS: usize = 64;

pub(super) struct Check<'a> {
    plan: &'a Plan,
    table: &'a Table,
    /// What each distinct cell of each field's column says, once it was looked at.
    understood: Vec<Vec<HashMap<u32, Arc<Shared>>>>,
    /// Where the record of a key is.
    places: HashMap<(Entity, Arc<str>, DraftKey), usize>,
    patients: HashSet<Arc<str>>,
    counts: Counts,
    checked: Checked,
}

/// What a cell says, shared by all rows with the same cell.
enum Shared {
    Missing,
    Said(Arc<Said>),
    Bad(String),
}

impl<'a> Check<'a> {
    pub(super) fn new(plan: &'a Plan, table: &'a Table) -> Self {
        let understood = plan.records.iter().map(|record| {
            let fields = record.fields.iter().map(|_| HashMap::new());
            fields.collect()
        });
        Self {
            plan,
            table,
            understood: understood.collect(),
            places: HashMap::new(),
            patients: HashSet::new(),
            counts: Counts::new(),
            checked: Checked::default(),
        }
    }

    pub(super) fn run(mut self, chosen: Option<&[bool]>) -> Checked {
        for row in 0..self.table.len() {
            if chosen.is_some_and(|chosen| !chosen[row]) {
                continue;
            }
            self.checked.rows += 1;
            self.row(row);
            if self.checked.problems.len() >= MAX_PROBLEMS {
                break;
            }
        }
        self.finish()
    }

    fn finish(mut self) -> Checked {
        let plan = self.plan;
        let uncoded = self
            .counts
            .into_iter()
            .map(|((record, field, value), (count, first))| {
                let field = &plan.records[record].fields[field];
                Uncoded {
                    field: field.field,
                    column: field.column.clone(),
                    value: value.to_string(),
                    count,
                    first: Some(Place::Row(self.table.row_number(first))),
                }
            });
        self.checked.uncoded = uncoded.collect();
        self.checked
            .uncoded
            .sort_by_key(|uncoded| std::cmp::Reverse(uncoded.count));
        self.checked
    }

    fn problem(&mut self, row: usize, column: &str, what: impl Into<String>) {
        let problem = Problem::cell(self.table.row_number(row), column, what);
        self.checked.problems.push(problem);
    }

    /// Whether all columns hold their own names: one alone may be a patient's id, odd as that is.
    fn is_header(&self, row: usize) -> bool {
        let mut columns = self.table.columns.iter();
        columns.all(|column| *column.cell(row).to_text() == *column.name)
    }

    fn row(&mut self, row: usize) {
        let column = &self.table.columns[self.plan.patient];
        let patient = column.cell(row).to_text();
        if *patient == *column.name && self.is_header(row) {
            let what =
                "the header comes again: were files put one behind the other? leave this row out";
            return self.problem(row, &column.name, what);
        }
        if patient.is_empty() || patient.chars().count() > MAX_ID_CHARS {
            let what = format!("no patient id: one has 1 to {MAX_ID_CHARS} characters");
            return self.problem(row, &column.name, what);
        }
        if !self.patients.insert(patient.clone()) && self.plan.once {
            let what =
                "this patient stands in an earlier row, and the mapping says that each has one";
            return self.problem(row, &column.name, what);
        }
        let mut diagnosis = None;
        for at in 0..self.plan.records.len() {
            self.record(row, at, &patient, &mut diagnosis);
        }
    }

    fn record(
        &mut self,
        row: usize,
        at: usize,
        patient: &Arc<str>,
        diagnosis: &mut Option<DraftKey>,
    ) {
        let plan = self.plan;
        let record = &plan.records[at];
        let Some(key) = self.key(row, at, record) else {
            return;
        };
        let values = self.values(row, at, record);
        if values.is_empty() && matches!(key, DraftKey::Named(_)) {
            return;
        }
        if record.entity == Entity::Diagnosis {
            *diagnosis = Some(key.clone());
        }
        let parent = match record.parent {
            Some(column) => self.uid(row, column),
            None if record.entity.parent() == Some(Entity::Diagnosis) => diagnosis.clone(),
            None => None,
        };
        self.put(
            row,
            record,
            Draft {
                entity: record.entity,
                patient: patient.clone(),
                key,
                parent,
                links: Vec::new(),
                values,
            },
        );
    }

    fn key(&mut self, row: usize, at: usize, record: &RecordPlan) -> Option<DraftKey> {
        match &record.key {
            KeyPlan::Patient => Some(DraftKey::Patient),
            KeyPlan::Uid(column) => self.uid(row, *column),
            KeyPlan::Named(columns) if columns.is_empty() => {
                Some(DraftKey::Named(format!("{at}/{}", row + 2).into()))
            }
            KeyPlan::Named(columns) => {
                let parts = columns
                    .iter()
                    .map(|column| self.table.columns[*column].cell(row).to_text());
                let parts: Vec<_> = parts.collect();
                Some(DraftKey::Named(
                    format!("{at}/{}", parts.join("\u{1f}")).into(),
                ))
            }
        }
    }

    fn uid(&mut self, row: usize, column: usize) -> Option<DraftKey> {
        let column = &self.table.columns[column];
        let uid = column.cell(row).to_text();
        let is_uid = (1..=64).contains(&uid.len())
            && uid
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
        if !is_uid {
            self.problem(
                row,
                &column.name,
                "no UID: one has digits and points, at most 64",
            );
            return None;
        }
        Some(DraftKey::Uid(uid))
    }

    fn values(&mut self, row: usize, at: usize, record: &RecordPlan) -> Vec<DraftValue> {
        let mut values = Vec::with_capacity(record.fields.len());
        for (number, field) in record.fields.iter().enumerate() {
            match &*self.understood(row, at, number, field) {
                Shared::Missing => {}
                Shared::Said(said) => {
                    if said.content == DraftContent::Uncoded {
                        let value = said.source.as_deref().unwrap_or_default().into();
                        self.counts.entry((at, number, value)).or_insert((0, row)).0 += 1;
                    }
                    values.push(DraftValue {
                        field: field.field,
                        said: said.clone(),
                    });
                }
                Shared::Bad(what) => self.problem(row, &field.column, what),
            }
        }
        values
    }

    fn understood(
        &mut self,
        row: usize,
        at: usize,
        number: usize,
        field: &FieldPlan,
    ) -> Arc<Shared> {
        let (plan, table) = (self.plan, self.table);
        let constant;
        let (place, cell) = match &field.from {
            From::Column(column) => {
                let column = &table.columns[*column];
                (column.rows[row], column.cell(row))
            }
            From::Constant(text) => {
                constant = Cell::text(text);
                (0, &constant)
            }
        };
        let known = self.understood[at][number].entry(place);
        let understood = known.or_insert_with(|| {
            Arc::new(match understand(plan, field, cell) {
                Understood::Missing => Shared::Missing,
                Understood::Said(said) => Shared::Said(Arc::new(said)),
                Understood::Bad(what) => Shared::Bad(what),
            })
        });
        understood.clone()
    }

    /// Adds a record, or what it says to the one of the same key.
    fn put(&mut self, row: usize, record: &RecordPlan, draft: Draft) {
        let key = (draft.entity, draft.patient.clone(), draft.key.clone());
        let place = *self.places.entry(key).or_insert(self.checked.drafts.len());
        let Some(known) = self.checked.drafts.get_mut(place) else {
            self.checked.drafts.push(draft);
            return;
        };
        let mut differing = None;
        for value in draft.values {
            match known.values.iter().find(|known| known.field == value.field) {
                None => known.values.push(value),
                Some(same) if same.said == value.said => {}
                Some(_) => differing = differing.or(Some(value.field)),
            }
        }
        if let (Some(field), Conflicts::Refuse) = (differing, record.conflicts) {
            let column = record.fields.iter().find(|known| known.field == field);
            let column = column.map_or("", |known| known.column.as_str());
            let what = format!(
                "an earlier row says another {field} of the same {}; mend it, or say conflicts = \"first\"",
                record.entity.as_str()
            );
            self.problem(row, column, what);
        }
    }
}
