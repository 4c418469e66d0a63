//! Records as rows of OMOP's tables, patient by patient.

mod own;
mod values;

use std::collections::{BTreeMap, HashMap};

use arno_domain::model::{Entity, Record, Value};
use chrono::{Datelike as _, NaiveDate};

use super::{
    NO_DATE, OWN_REFERENCE,
    concepts::{CDM_VERSION, Concepts, EHR, NONE},
    row::{Row, header},
    tables::Table,
};
use crate::export::{ExportError, ExportFile, Exporter, Folder, date_of, merged};
use values::{Values, value_row};

/// Tables that are written; specimens are only read.
const WRITTEN: [Table; 17] = [
    Table::Person,
    Table::ObservationPeriod,
    Table::ConditionOccurrence,
    Table::DrugExposure,
    Table::ProcedureOccurrence,
    Table::Measurement,
    Table::Observation,
    Table::Death,
    Table::Episode,
    Table::EpisodeEvent,
    Table::ImageOccurrence,
    Table::ImageFeature,
    Table::CdmSource,
    Table::Concept,
    Table::Vocabulary,
    Table::Domain,
    Table::ConceptClass,
];

/// An export of OMOP's tables.
#[derive(Debug)]
pub struct OmopExport {
    files: BTreeMap<Table, ExportFile>,
    /// How many rows each table has.
    rows: BTreeMap<Table, i64>,
    concepts: Concepts,
    /// Texts that had to be cut to the length of their column.
    cut: u64,
    /// Links of events to records without a row of their own.
    unlinked: u64,
    today: NaiveDate,
}

/// A row that others point at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Main {
    table: Table,
    id: i64,
    date: NaiveDate,
}

/// What is written of one patient.
#[derive(Debug)]
struct Person<'a> {
    id: i64,
    /// The rows of things, by what they are.
    mains: HashMap<(Entity, &'a str), Main>,
    /// First and last date.
    period: Option<(NaiveDate, NaiveDate)>,
}

impl OmopExport {
    /// Begins all files.
    ///
    /// # Errors
    /// When one cannot be made.
    pub fn begin(folder: &Folder, today: NaiveDate) -> Result<Self, ExportError> {
        let mut files = BTreeMap::new();
        for table in WRITTEN {
            let mut file = folder.create(&format!("{}.csv", table.as_str()))?;
            file.put(header(table).as_bytes())?;
            files.insert(table, file);
        }
        Ok(Self {
            files,
            rows: BTreeMap::new(),
            concepts: Concepts::default(),
            cut: 0,
            unlinked: 0,
            today,
        })
    }

    fn next(&mut self, table: Table) -> i64 {
        let rows = self.rows.entry(table).or_default();
        *rows += 1;
        *rows
    }

    fn put(&mut self, row: &Row) -> Result<(), ExportError> {
        match self.files.get_mut(&row.table) {
            Some(file) => file.put(row.line().as_bytes()),
            None => Ok(()),
        }
    }

    fn person(
        &mut self,
        person: &Person<'_>,
        patient: &str,
        records: &[Record],
    ) -> Result<(), ExportError> {
        let sex = records
            .iter()
            .find(|record| record.entity == Entity::Patient);
        let row = Row::new(Table::Person)
            .set("person_id", person.id)
            .set("year_of_birth", year_of_birth(records))
            .set("race_concept_id", NONE)
            .set("ethnicity_concept_id", NONE)
            .set("person_source_value", patient);
        let row = own::sex(row, sex, &mut self.concepts);
        self.put(&row)
    }

    fn record<'a>(
        &mut self,
        person: &mut Person<'a>,
        record: &'a Record,
    ) -> Result<(), ExportError> {
        let mut values = Values::of(record);
        let parent = record.parent.as_deref();
        let parent = record.entity.parent().zip(parent);
        let parent = parent.and_then(|parent| person.mains.get(&parent)).copied();
        // A row of a value stands for one record; only a thing's own row can have others below it.
        let parent = parent.filter(|parent| parent.table.is_own());
        let main = own::row(self, person, &mut values, parent)?;
        let date = match main {
            Some(main) => main.date,
            None => values.date_of_rows().unwrap_or(NO_DATE),
        };
        person.seen(date);
        let mut at = main;
        let left: Vec<_> = values.left().collect();
        for recorded in left {
            let row = value_row(self, person, recorded, at.or(parent), date)?;
            // People and what became of them are one each, so that their rows need no common row.
            let is_one = matches!(record.entity, Entity::Patient | Entity::Outcome);
            at = at.or((!is_one).then_some(row));
        }
        if let Some(at) = at {
            person.mains.insert((record.entity, &record.key), at);
        }
        Ok(())
    }

    fn period(&mut self, person: &Person<'_>) -> Result<(), ExportError> {
        let Some((first, last)) = person.period else {
            return Ok(());
        };
        let row = Row::new(Table::ObservationPeriod)
            .set("observation_period_id", self.next(Table::ObservationPeriod))
            .set("person_id", person.id)
            .date("observation_period_start_date", first)
            .date("observation_period_end_date", last)
            .set("period_type_concept_id", EHR);
        self.put(&row)
    }

    fn source(&mut self) -> Result<(), ExportError> {
        let row = Row::new(Table::CdmSource)
            .set("cdm_source_name", "Arno")
            .set("cdm_source_abbreviation", "Arno")
            .set("cdm_holder", "The data holder of this node")
            .set(
                "source_description",
                "Records of the common data model. Dates are days from each patient's baseline on an invented calendar that begins at 2000-01-01; 1900-01-01 stands where none is recorded; a year of birth of 0 is not recorded.",
            )
            .set("cdm_etl_reference", OWN_REFERENCE)
            .date("source_release_date", self.today)
            .date("cdm_release_date", self.today)
            .set("cdm_version", "5.4")
            .set("cdm_version_concept_id", CDM_VERSION)
            .set("vocabulary_version", "local");
        self.put(&row)
    }
}

impl Exporter for OmopExport {
    fn patient(&mut self, patient: &str, records: &[Record]) -> Result<(), ExportError> {
        let records = one_outcome(records);
        let mut person = Person {
            id: self.next(Table::Person),
            mains: HashMap::new(),
            period: None,
        };
        self.person(&person, patient, &records)?;
        for record in &records {
            self.record(&mut person, record)?;
        }
        for event in records.iter().filter(|one| one.entity == Entity::Event) {
            own::links(self, &person, event)?;
        }
        self.period(&person)
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        self.source()?;
        for row in self.concepts.rows() {
            self.put(&row)?;
        }
        self.files.values_mut().try_for_each(ExportFile::finish)
    }

    fn told(&self) -> Vec<String> {
        let told = [
            (
                self.cut,
                "texts are longer than OMOP's columns and were cut",
            ),
            (
                self.unlinked,
                "links of events are to records without a row of their own and were left out",
            ),
        ];
        let told = told.into_iter().filter(|(count, _)| *count > 0);
        told.map(|(count, what)| format!("{count} {what}"))
            .collect()
    }
}

impl Person<'_> {
    fn seen(&mut self, date: NaiveDate) {
        if date == NO_DATE {
            return;
        }
        let (first, last) = self.period.unwrap_or((date, date));
        self.period = Some((first.min(date), last.max(date)));
    }
}

/// A patient has one death and one course: what several sources say of it is one thing.
fn one_outcome(records: &[Record]) -> Vec<Record> {
    let same = |record: &Record| match record.entity {
        Entity::Outcome => Record {
            key: record.patient.clone(),
            ..record.clone()
        },
        _ => record.clone(),
    };
    merged(records.iter().map(same).collect())
}

/// By the first age that stands beside a date; 0 where there is none.
fn year_of_birth(records: &[Record]) -> i32 {
    let number = |record: &Record, name: &str| {
        let found = record
            .values
            .iter()
            .find(|value| value.field.as_str() == name)?;
        match found.value.as_ref()? {
            Value::Number(number) => Some(*number),
            Value::Days(days) => Some(*days as f64),
            Value::Code(_) | Value::Words(_) | Value::Flag(_) => None,
        }
    };
    let born = |record: &Record| {
        let (age, day) = match record.entity {
            Entity::Diagnosis => ("age_at_diagnosis", "diagnosis_date"),
            Entity::Study => ("age", "study_date"),
            _ => return None,
        };
        let date = date_of(number(record, day)? as i64)?;
        Some(date.year() - number(record, age)?.floor() as i32)
    };
    records.iter().find_map(born).unwrap_or_default()
}
