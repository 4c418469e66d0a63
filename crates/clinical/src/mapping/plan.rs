//! A mapping held against the model and a table: every name is found, or named as a problem.

use std::collections::BTreeMap;

use arno_domain::model::{CodeSystem, Coded, Entity, Field, FieldKind, Value, convert};

use super::{CodeList, Conflicts, FieldMapping, Mapping, MappingError, RecordMapping};
use crate::{Problem, Table, draft::dates::DateStyle};

/// A mapping whose names were found.
#[derive(Debug)]
pub struct Plan {
    /// Column of the patient id.
    pub patient: usize,
    /// Whether every patient has one row.
    pub once: bool,
    /// Texts that mean "not recorded".
    pub missing: Vec<String>,
    /// How dates are written.
    pub dates: Vec<DateStyle>,
    /// The decimal sign.
    pub decimal: char,
    /// What a row says.
    pub records: Vec<RecordPlan>,
}

/// How records of an entity are told apart.
#[derive(Debug)]
pub enum KeyPlan {
    /// The patient has one.
    Patient,
    /// By the UID in a column.
    Uid(usize),
    /// By what stands in these columns; by the row if there are none.
    Named(Vec<usize>),
}

/// One record of a row.
#[derive(Debug)]
pub struct RecordPlan {
    /// Its entity.
    pub entity: Entity,
    /// Its key.
    pub key: KeyPlan,
    /// Column of the UID of what it hangs on.
    pub parent: Option<usize>,
    /// What two rows that differ mean.
    pub conflicts: Conflicts,
    /// What it says.
    pub fields: Vec<FieldPlan>,
}

/// One field of a record.
#[derive(Debug)]
pub struct FieldPlan {
    /// The field.
    pub field: Field,
    /// Where its values come from.
    pub from: From,
    /// The column's name, for messages.
    pub column: String,
    /// How text becomes a value.
    pub reading: Reading,
}

/// Where values come from.
#[derive(Debug)]
pub enum From {
    /// A column.
    Column(usize),
    /// The mapping itself.
    Constant(String),
}

/// How text becomes a value.
#[derive(Debug)]
pub enum Reading {
    /// By a list.
    Listed(BTreeMap<String, Coded>),
    /// As a code of this system.
    AsCode(CodeSystem),
    /// As words.
    Words,
    /// As a number in that unit.
    Number(String),
    /// As a date.
    Date,
    /// As days from the diagnosis.
    Days,
    /// As yes or no.
    Flag,
}

impl Plan {
    /// Holds a mapping against a table.
    ///
    /// # Errors
    /// [`MappingError::Problems`] names everything that does not fit.
    pub fn new(mapping: &Mapping, table: &Table) -> Result<Self, MappingError> {
        let mut check = Check {
            table,
            codes: &mapping.codes,
            problems: Vec::new(),
        };
        let plan = Self {
            patient: check.position(&mapping.patient.column),
            once: mapping.patient.once,
            missing: mapping.file.missing.clone(),
            dates: check.dates(&mapping.file.dates),
            decimal: mapping.file.decimal.unwrap_or('.'),
            records: mapping
                .records
                .iter()
                .map(|record| check.record(record))
                .collect(),
        };
        if mapping.records.is_empty() {
            check.problem("it says nothing of what a row means: add a [[record]]");
        }
        if check.problems.is_empty() {
            Ok(plan)
        } else {
            Err(MappingError::Problems(check.problems))
        }
    }
}

struct Check<'a> {
    table: &'a Table,
    codes: &'a BTreeMap<String, CodeList>,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn problem(&mut self, what: impl Into<String>) {
        self.problems.push(Problem::file(what));
    }

    /// The place of a column; any, once it is a problem.
    fn position(&mut self, name: &str) -> usize {
        let count = self.table.count(name);
        if count > 1 {
            let what = format!(
                "{count} columns have this name, and nothing says which one is meant: rename the others"
            );
            self.problems.push(Problem::column(name, what));
        }
        self.table.position(name).unwrap_or_else(|| {
            let names: Vec<_> = self
                .table
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect();
            let told = self.table.told.join(", ");
            let what = format!(
                "the file has no such column; it has ({told}): {}",
                names.join(" | ")
            );
            self.problems.push(Problem::column(name, what));
            0
        })
    }

    fn dates(&mut self, names: &[String]) -> Vec<DateStyle> {
        if names.is_empty() {
            return vec![DateStyle::Iso, DateStyle::Compact];
        }
        let mut styles = Vec::new();
        for name in names {
            match DateStyle::from_name(name) {
                Some(style) => styles.push(style),
                None => self.problem(format!(
                    "{name:?} is no style of dates: use iso, compact, dmy, mdy or ymd"
                )),
            }
        }
        styles
    }

    fn record(&mut self, record: &RecordMapping) -> RecordPlan {
        let entity = Entity::from_name(&record.entity).unwrap_or_else(|| {
            let names: Vec<_> = Entity::ALL.iter().map(|entity| entity.as_str()).collect();
            self.problem(format!(
                "{:?} is no entity: use one of {}",
                record.entity,
                names.join(", ")
            ));
            Entity::Patient
        });
        let columns: Vec<_> = record.key.iter().map(|name| self.position(name)).collect();
        let key = match (entity, columns.as_slice()) {
            (Entity::Patient, _) => KeyPlan::Patient,
            (Entity::Study | Entity::Series | Entity::Annotation, [column]) => {
                KeyPlan::Uid(*column)
            }
            (Entity::Study | Entity::Series | Entity::Annotation, _) => {
                self.problem(format!(
                    "a {} needs the one column of its UID as key",
                    record.entity
                ));
                KeyPlan::Patient
            }
            _ => KeyPlan::Named(columns),
        };
        if entity == Entity::Series && record.parent.is_none() {
            self.problem("a series needs the column of its study's UID as parent");
        }
        RecordPlan {
            entity,
            key,
            parent: record.parent.as_ref().map(|name| self.position(name)),
            conflicts: record.conflicts,
            fields: record
                .fields
                .iter()
                .filter_map(|field| self.field(field, entity))
                .collect(),
        }
    }

    fn field(&mut self, mapping: &FieldMapping, entity: Entity) -> Option<FieldPlan> {
        let field = match Field::parse(&mapping.field) {
            Ok(field) => field,
            Err(unknown) => {
                self.problem(unknown.to_string());
                return None;
            }
        };
        if field.entity() != entity {
            let (is, wanted) = (field.entity().as_str(), entity.as_str());
            self.problem(format!("{field} belongs to a {is}, not to a {wanted}"));
        }
        let from = match (&mapping.column, &mapping.value) {
            (Some(column), None) => From::Column(self.position(column)),
            (None, Some(value)) => From::Constant(value.clone()),
            _ => {
                self.problem(format!("{field} needs either a column or a value"));
                return None;
            }
        };
        Some(FieldPlan {
            field,
            from,
            column: mapping
                .column
                .clone()
                .unwrap_or_else(|| "(value)".to_owned()),
            reading: self.reading(mapping, field)?,
        })
    }

    fn reading(&mut self, mapping: &FieldMapping, field: Field) -> Option<Reading> {
        match (field.kind(), &mapping.codes, &mapping.days_from) {
            (FieldKind::Code { systems }, Some(name), _) => self.listed(field, systems, name),
            (FieldKind::Code { systems }, None, _) => {
                let stated = mapping.system.as_deref().map(str::parse::<CodeSystem>);
                match stated {
                    None => systems.first().copied().map(Reading::AsCode),
                    Some(Ok(system)) if systems.contains(&system) => Some(Reading::AsCode(system)),
                    Some(Ok(system)) => {
                        self.problem(format!("{field} has no codes of {system}"));
                        None
                    }
                    Some(Err(unknown)) => {
                        self.problem(unknown.to_string());
                        None
                    }
                }
            }
            (FieldKind::Days, _, Some(from)) if from == "diagnosis" => Some(Reading::Days),
            (FieldKind::Days, _, Some(_)) => {
                self.problem(format!(
                    "{field}: days are counted from the diagnosis: days_from = \"diagnosis\""
                ));
                None
            }
            (FieldKind::Days, _, None) => Some(Reading::Date),
            (FieldKind::Words, ..) => Some(Reading::Words),
            (FieldKind::Flag, ..) => Some(Reading::Flag),
            (FieldKind::Number { unit }, ..) => {
                let from = mapping.unit.as_deref().unwrap_or(unit);
                if let Err(error) = convert(1.0, from, unit) {
                    self.problem(format!("{field}: {error}"));
                }
                Some(Reading::Number(from.to_owned()))
            }
        }
    }

    fn listed(&mut self, field: Field, systems: &[CodeSystem], name: &str) -> Option<Reading> {
        let Some(list) = self.codes.get(name) else {
            self.problem(format!("{field}: there is no list [codes.{name}]"));
            return None;
        };
        let system = match list.system.parse::<CodeSystem>() {
            Ok(system) if systems.contains(&system) => system,
            Ok(system) => {
                self.problem(format!(
                    "{field} has no codes of {system}, as [codes.{name}] says"
                ));
                return None;
            }
            Err(unknown) => {
                self.problem(format!("[codes.{name}]: {unknown}"));
                return None;
            }
        };
        let coded = |code: &String| Coded {
            system,
            code: code.clone(),
            version: list.version.clone(),
        };
        let map = list
            .map
            .iter()
            .map(|(word, code)| (word.to_lowercase(), coded(code)));
        Some(Reading::Listed(map.collect()))
    }
}

/// Yes or no in the words of tables.
pub(crate) fn flag(text: &str) -> Option<Value> {
    match text.to_lowercase().as_str() {
        "1" | "true" | "yes" | "y" | "ja" | "oui" | "si" => Some(Value::Flag(true)),
        "0" | "false" | "no" | "n" | "nein" | "non" => Some(Value::Flag(false)),
        _ => None,
    }
}
