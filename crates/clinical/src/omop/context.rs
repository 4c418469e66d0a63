//! What rows of the tables refer to: people, the concepts that are used, studies and series of images. This alone is in memory; the
//! tables with a row an act are read row by row.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use arno_domain::model::{Coded, Field};
use chrono::NaiveDate;

use super::{
    OWN_REFERENCE,
    concepts::{CDM, OURS, WORDS, system_of},
    import::{OmopSettings, PatientColumn},
    read::{Line, Rows, file_of},
    tables::Table,
};
use crate::{Problem, draft::MAX_PROBLEMS, draft::dates::DateStyle};

/// The vocabulary of units.
const UNITS: &str = "UCUM";
/// Keys of tables that rows point at, where the vocabulary is not there to say so.
const KEYS: [(i64, Table); 5] = [
    (1_147_127, Table::ConditionOccurrence),
    (1_147_082, Table::ProcedureOccurrence),
    (1_147_094, Table::DrugExposure),
    (1_147_138, Table::Measurement),
    (1_147_165, Table::Observation),
];
/// Longest patient id: DICOM's LO has 64 characters.
const MAX_ID_CHARS: usize = 64;

/// What a concept is to us.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Concept {
    /// A code of a system of ours.
    Code(Coded),
    /// A field of the model, or another of our names.
    Ours(String),
    /// Words that were too long for their column.
    Words(String),
    /// The key of a table.
    Key(Table),
    /// A unit.
    Unit(String),
    /// A code of a vocabulary that the model has no system for.
    Other { vocabulary: String, code: String },
}

/// A person.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// The patient's id as the hospital writes it.
    pub(super) patient: Arc<str>,
    /// Date of birth; the middle of what is not said.
    pub(super) born: Option<NaiveDate>,
}

/// What rows refer to.
#[derive(Debug, Default)]
pub(super) struct Context {
    pub(super) people: HashMap<i64, Known>,
    pub(super) concepts: HashMap<i64, Concept>,
    /// Whether dates are days from a baseline on an invented calendar.
    pub(super) is_ours: bool,
    /// Study Instance UIDs of imaging procedures.
    pub(super) studies: HashMap<i64, Arc<str>>,
    /// Series Instance UIDs of rows of images.
    pub(super) series: HashMap<i64, Arc<str>>,
    /// Which row of images a measurement or an observation is a feature of.
    pub(super) features: HashMap<(Table, i64), i64>,
    /// Whose an episode is.
    pub(super) episodes: HashMap<i64, i64>,
}

impl Context {
    /// Reads what rows refer to, with what is wrong with it. Where people are not known, no other row can be understood, and their
    /// problems are all that is said.
    pub(super) fn read(
        folder: &Path,
        settings: &OmopSettings,
    ) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let mut context = Self::default();
        let mut problems = Vec::new();
        let mut used: HashSet<i64> = HashSet::new();
        for table in Table::ALL.into_iter().filter(|table| table.is_clinical()) {
            let found = each(folder, table, &mut problems, |rows, line| {
                for at in rows.ending("_concept_id") {
                    used.extend(line.cell(at).and_then(|cell| cell.parse::<i64>().ok()));
                }
                context.note(rows, line, settings)
            });
            if !found && table == Table::Person {
                problems.push(
                    Problem::file("there is no person.csv in this folder").in_file("person.csv"),
                );
            }
            if table == Table::Person && !problems.is_empty() {
                return Err(problems);
            }
        }
        let vocabulary = settings.vocabulary.as_deref().unwrap_or(folder);
        each(vocabulary, Table::Concept, &mut problems, |rows, line| {
            let id = whole(rows, line, "concept_id")?;
            if used.contains(&id) {
                context.concepts.insert(id, concept(rows, line));
            }
            Ok(())
        });
        context.name_studies(folder, &mut problems);
        Ok((context, problems))
    }

    /// Takes what other tables refer to.
    fn note(&mut self, rows: &Rows, line: &Line, settings: &OmopSettings) -> Result<(), Problem> {
        match rows.table {
            Table::CdmSource => {
                self.is_ours |= rows.cell(line, "cdm_etl_reference") == Some(OWN_REFERENCE);
            }
            Table::Person => {
                let id = whole(rows, line, "person_id")?;
                let column = settings.patient.as_str();
                let patient = rows.cell(line, column).map(str::trim).unwrap_or_default();
                if patient.is_empty() || patient.chars().count() > MAX_ID_CHARS {
                    let what = format!(
                        "no patient id: one has 1 to {MAX_ID_CHARS} characters; [omop] patient names the column"
                    );
                    return Err(rows.at(line, column, what));
                }
                let known = Known {
                    patient: patient.into(),
                    born: born(rows, line),
                };
                if self.people.insert(id, known).is_some() {
                    return Err(rows.at(line, "person_id", "this person stands in an earlier row"));
                }
            }
            Table::ImageOccurrence => {
                let id = whole(rows, line, "image_occurrence_id")?;
                self.series.insert(id, uid(rows, line, "image_series_uid")?);
                let study = uid(rows, line, "image_study_uid")?;
                if let Ok(procedure) = whole(rows, line, "procedure_occurrence_id") {
                    self.studies.insert(procedure, study);
                }
            }
            Table::ImageFeature => {
                let (Ok(image), Ok(event), Ok(field)) = (
                    whole(rows, line, "image_occurrence_id"),
                    whole(rows, line, "image_feature_event_id"),
                    whole(rows, line, "image_feature_event_field_concept_id"),
                ) else {
                    return Ok(());
                };
                for (key, table) in KEYS {
                    if key == field {
                        self.features.insert((table, event), image);
                    }
                }
            }
            Table::Episode => {
                let (episode, person) = (
                    whole(rows, line, "episode_id")?,
                    whole(rows, line, "person_id")?,
                );
                self.episodes.insert(episode, person);
            }
            _ => {}
        }
        Ok(())
    }

    /// Studies without series, in our own files.
    fn name_studies(&mut self, folder: &Path, problems: &mut Vec<Problem>) {
        if !self.is_ours {
            return;
        }
        each(
            folder,
            Table::ProcedureOccurrence,
            problems,
            |rows, line| {
                let concept = whole(rows, line, "procedure_source_concept_id").unwrap_or_default();
                let is_study = self.concepts.get(&concept) == Some(&Concept::Ours("study".into()));
                let id = whole(rows, line, "procedure_occurrence_id")?;
                if is_study
                    && !self.studies.contains_key(&id)
                    && rows.cell(line, "procedure_source_value").is_some()
                {
                    self.studies
                        .insert(id, uid(rows, line, "procedure_source_value")?);
                }
                Ok(())
            },
        );
    }

    /// The table whose key a concept is.
    pub(super) fn key(&self, concept: i64) -> Option<Table> {
        if let Some(Concept::Key(table)) = self.concepts.get(&concept) {
            return Some(*table);
        }
        let known = KEYS.iter().find(|(key, _)| *key == concept);
        known.map(|(_, table)| *table)
    }

    /// The field that a concept names.
    pub(super) fn field(&self, concept: i64) -> Option<Field> {
        match self.concepts.get(&concept)? {
            Concept::Ours(name) => Field::parse(name).ok(),
            _ => None,
        }
    }
}

/// Every row of a table, if it has a file. Says whether it has.
pub(super) fn each(
    folder: &Path,
    table: Table,
    problems: &mut Vec<Problem>,
    mut row: impl FnMut(&Rows, &Line) -> Result<(), Problem>,
) -> bool {
    let Some(path) = file_of(folder, table.as_str()) else {
        return false;
    };
    let mut rows = match Rows::open(table, &path) {
        Ok(rows) => rows,
        Err(problem) => {
            problems.push(problem);
            return true;
        }
    };
    if let Some(missing) = table.needed().iter().find(|column| !rows.has(column)) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        problems.push(Problem::column(missing, "the file has no such column").in_file(&name));
        return true;
    }
    while problems.len() < MAX_PROBLEMS {
        let outcome = match rows.next() {
            Ok(None) => break,
            Ok(Some(line)) => row(&rows, &line),
            Err(problem) => Err(problem),
        };
        problems.extend(outcome.err());
    }
    true
}

/// A whole number of a column.
pub(super) fn whole(rows: &Rows, line: &Line, column: &str) -> Result<i64, Problem> {
    let number = rows
        .cell(line, column)
        .and_then(|cell| cell.trim().parse().ok());
    number.ok_or_else(|| rows.at(line, column, "no whole number"))
}

/// A UID of a column.
pub(super) fn uid(rows: &Rows, line: &Line, column: &str) -> Result<Arc<str>, Problem> {
    let uid = rows.cell(line, column).map(str::trim).unwrap_or_default();
    let is_uid = (1..=64).contains(&uid.len())
        && uid
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    match is_uid {
        true => Ok(uid.into()),
        false => Err(rows.at(
            line,
            column,
            "no UID: one has digits and points, at most 64",
        )),
    }
}

/// A date of a column, if there is one.
pub(super) fn date(rows: &Rows, line: &Line, column: &str) -> Result<Option<NaiveDate>, Problem> {
    let Some(cell) = rows.cell(line, column) else {
        return Ok(None);
    };
    let styles = [DateStyle::Iso, DateStyle::Compact];
    let read = styles.iter().find_map(|style| style.parse(cell.trim()));
    read.map(Some)
        .ok_or_else(|| rows.at(line, column, "no date: one is written 2020-01-31"))
}

fn born(rows: &Rows, line: &Line) -> Option<NaiveDate> {
    /// OHDSI's conventions for what is not said.
    const MIDDLE: (u32, u32) = (6, 15);
    let part = |column| {
        rows.cell(line, column)
            .and_then(|cell| cell.trim().parse::<u32>().ok())
    };
    let year = part("year_of_birth").filter(|year| *year > 1000)?;
    let month = part("month_of_birth");
    let day = part("day_of_birth").unwrap_or(MIDDLE.1);
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month.unwrap_or(MIDDLE.0), day)
}

fn concept(rows: &Rows, line: &Line) -> Concept {
    let cell = |column| {
        rows.cell(line, column)
            .map(str::trim)
            .unwrap_or_default()
            .to_owned()
    };
    let (vocabulary, code) = (cell("vocabulary_id"), cell("concept_code"));
    match vocabulary.as_str() {
        WORDS => Concept::Words(
            rows.cell(line, "concept_name")
                .unwrap_or_default()
                .to_owned(),
        ),
        UNITS => Concept::Unit(code),
        CDM => {
            let table = Table::ALL
                .into_iter()
                .find(|table| code == format!("{0}.{0}_id", table.as_str()));
            table.map_or(Concept::Other { vocabulary, code }, Concept::Key)
        }
        OURS if Field::parse(&code).is_ok() || code == "study" => Concept::Ours(code),
        _ => match system_of(&vocabulary) {
            Some((system, version)) => Concept::Code(Coded {
                version,
                ..Coded::new(system, &code)
            }),
            None => Concept::Other { vocabulary, code },
        },
    }
}

impl PatientColumn {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::PersonSourceValue => "person_source_value",
            Self::PersonId => "person_id",
        }
    }
}
