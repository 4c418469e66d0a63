//! OMOP's tables as a source: a folder of CSV files, read twice and never held. The first time every row is checked; only when none has a
//! problem, the second time gives the drafts.
//!
//! ```toml
//! source = "registry"
//! [omop]
//! patient = "person_source_value"   # or "person_id": which column holds the hospital's patient id
//! issuer = "HOSP"                   # of the patient ids, where images name one
//! vocabulary = "athena"             # folder of CONCEPT.csv, if it is not beside the tables
//! [omop.systems]                    # what source values are codes of, where no concept says it
//! diagnosis = "icd10"
//! ```

use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
    sync::Arc,
};

use arno_domain::model::{CodeSystem, Field, FieldKind};
use serde::Deserialize;

use super::{
    context::{Context, each},
    read::{Rows, file_of},
    say::{Said, say},
    tables::Table,
};
use crate::{Checked, Draft, LeftOut, MappingError, Problem, Uncoded, problem::Place};

/// Distinct words without a code, and distinct things left out, that are counted; the others are not told apart.
const MAX_COUNTED: usize = 10_000;
/// Tables whose rows say something, in the order in which they are read.
const SAYING: [Table; 12] = [
    Table::Person,
    Table::ConditionOccurrence,
    Table::ProcedureOccurrence,
    Table::DrugExposure,
    Table::ImageOccurrence,
    Table::ImageFeature,
    Table::Specimen,
    Table::Measurement,
    Table::Observation,
    Table::Episode,
    Table::Death,
    Table::ObservationPeriod,
];

/// What a source of OMOP's tables means.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OmopMapping {
    /// Name of the source; a later load under the same name replaces it.
    pub source: String,
    /// The rest.
    pub omop: OmopSettings,
}

/// How the tables are read.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OmopSettings {
    /// Which column of `person` is the hospital's patient id.
    pub patient: PatientColumn,
    /// Issuer of the ids, where images name one.
    pub issuer: Option<String>,
    /// Where `CONCEPT.csv` is, if not beside the tables.
    pub vocabulary: Option<PathBuf>,
    /// The systems of source values without a concept, by field.
    pub systems: BTreeMap<String, String>,
}

/// Which column names the patient.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatientColumn {
    /// The source's own id.
    #[default]
    PersonSourceValue,
    /// The number of the person.
    PersonId,
}

impl OmopMapping {
    /// Reads the text of a mapping file.
    ///
    /// # Errors
    /// [`MappingError::Text`] tells the line, or the field that cannot be.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let mapping: Self =
            toml::from_str(text).map_err(|error| MappingError::Text(error.to_string()))?;
        mapping.systems()?;
        Ok(mapping)
    }

    fn systems(&self) -> Result<Systems, MappingError> {
        let system = |(name, system): (&String, &String)| {
            let field =
                Field::parse(name).map_err(|error| MappingError::Text(error.to_string()))?;
            let system: CodeSystem =
                system
                    .parse()
                    .map_err(|error: arno_domain::model::UnknownSystem| {
                        MappingError::Text(error.to_string())
                    })?;
            match field.kind() {
                FieldKind::Code { systems } if systems.contains(&system) => Ok((field, system)),
                _ => Err(MappingError::Text(format!(
                    "{name} has no codes of {system}"
                ))),
            }
        };
        self.omop.systems.iter().map(system).collect()
    }
}

/// Systems of source values, by field.
pub(super) type Systems = BTreeMap<Field, CodeSystem>;

/// A folder that was looked at, for its drafts.
#[derive(Debug)]
pub struct OmopSource {
    folder: PathBuf,
    context: Arc<Context>,
    systems: Systems,
}

/// Looks at every row of every table.
///
/// # Errors
/// [`MappingError`] when the mapping cannot be used; what is wrong with rows stands in [`Checked::problems`].
pub fn check(folder: &Path, mapping: &OmopMapping) -> Result<Checked, MappingError> {
    let systems = mapping.systems()?;
    let (context, found) = match Context::read(folder, &mapping.omop) {
        Ok(context) => context,
        Err(problems) => {
            return Ok(Checked {
                problems,
                ..Checked::default()
            });
        }
    };
    let source = OmopSource {
        folder: folder.to_owned(),
        context: Arc::new(context),
        systems,
    };
    let mut counts = Counts::default();
    let mut checked = Checked::default();
    for table in SAYING {
        let mut problems = std::mem::take(&mut checked.problems);
        each(folder, table, &mut problems, |rows, line| {
            checked.rows += 1;
            let said = say(&source.context, &source.systems, rows, line);
            checked.streamed_records += said.drafts.len() as u64;
            counts.add(&said, line.number);
            said.problem.map_or(Ok(()), Err)
        });
        checked.problems = problems;
    }
    source.links(&mut |_| {}, &mut checked.problems);
    // What can be said of a row without its people was found before.
    let new = |problem: &Problem| !checked.problems.contains(problem);
    let found: Vec<_> = found.into_iter().filter(new).collect();
    checked.problems.extend(found);
    counts.tell(&mut checked);
    checked.streamed = Some(source);
    Ok(checked)
}

/// How often something was said that has no code, or no place.
#[derive(Default)]
struct Counts {
    uncoded: BTreeMap<(Field, &'static str, String), (u64, u64)>,
    left_out: BTreeMap<String, (u64, u64)>,
}

impl Counts {
    fn add(&mut self, said: &Said, row: u64) {
        for uncoded in &said.uncoded {
            count(&mut self.uncoded, uncoded.clone(), row);
        }
        if let Some(left_out) = &said.left_out {
            count(&mut self.left_out, left_out.clone(), row);
        }
    }

    fn tell(self, checked: &mut Checked) {
        let uncoded = self
            .uncoded
            .into_iter()
            .map(|((field, column, value), (count, first))| Uncoded {
                field,
                column: column.to_owned(),
                value,
                count,
                first: Some(Place::Row(first)),
            });
        checked.uncoded = uncoded.collect();
        checked
            .uncoded
            .sort_by_key(|uncoded| std::cmp::Reverse(uncoded.count));
        let left_out = self
            .left_out
            .into_iter()
            .map(|(what, (count, first))| LeftOut {
                what,
                count,
                first: Some(Place::Row(first)),
            });
        checked.left_out = left_out.collect();
        checked
            .left_out
            .sort_by_key(|left| std::cmp::Reverse(left.count));
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, (u64, u64)>, key: K, row: u64) {
    if let Some((count, _)) = counts.get_mut(&key) {
        *count += 1;
    } else if counts.len() < MAX_COUNTED {
        counts.insert(key, (1, row));
    }
}

impl OmopSource {
    /// Hands over what belongs to episodes, as drafts that add to them.
    fn links(&self, draft: &mut dyn FnMut(Draft), problems: &mut Vec<Problem>) {
        each(&self.folder, Table::EpisodeEvent, problems, |rows, line| {
            super::say::link(&self.context, rows, line).map(|link| {
                if let Some(link) = link {
                    draft(link);
                }
            })
        });
    }

    /// All drafts, read anew.
    #[must_use]
    pub fn drafts(self) -> OmopDrafts {
        OmopDrafts {
            left: SAYING.into(),
            rows: None,
            said: VecDeque::new(),
            source: self,
        }
    }
}

/// Drafts of a folder, row by row. A row that was sound when it was checked and is not any longer is an error.
#[derive(Debug)]
pub struct OmopDrafts {
    source: OmopSource,
    left: VecDeque<Table>,
    rows: Option<Rows>,
    said: VecDeque<Draft>,
}

impl Iterator for OmopDrafts {
    type Item = Result<Draft, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(draft) = self.said.pop_front() {
                return Some(Ok(draft));
            }
            if let Err(problem) = self.more()? {
                return Some(Err(problem));
            }
        }
    }
}

impl OmopDrafts {
    /// Reads the next row; `None` when there is nothing more.
    fn more(&mut self) -> Option<Result<(), Problem>> {
        let Some(rows) = &mut self.rows else {
            let table = self.left.pop_front()?;
            if let Some(path) = file_of(&self.source.folder, table.as_str()) {
                match Rows::open(table, &path) {
                    Ok(rows) => self.rows = Some(rows),
                    Err(problem) => return Some(Err(problem)),
                }
            }
            if self.left.is_empty() {
                return Some(self.links());
            }
            return Some(Ok(()));
        };
        let line = match rows.next() {
            Ok(Some(line)) => line,
            Ok(None) => {
                self.rows = None;
                return Some(Ok(()));
            }
            Err(problem) => return Some(Err(problem)),
        };
        let said = say(&self.source.context, &self.source.systems, rows, &line);
        self.said.extend(said.drafts);
        Some(said.problem.map_or(Ok(()), Err))
    }

    /// There are few: events in the course of a disease.
    fn links(&mut self) -> Result<(), Problem> {
        let (mut problems, mut found) = (Vec::new(), Vec::new());
        self.source
            .links(&mut |draft| found.push(draft), &mut problems);
        self.said.extend(found);
        problems.into_iter().next().map_or(Ok(()), Err)
    }
}
