//! A mapping: what the columns of a source's file mean, as people write it (TOML), and as a plan that was checked.

mod plan;

use std::collections::BTreeMap;

use arno_domain::model::Images;
use serde::{Deserialize, Serialize};

pub(crate) use plan::flag;
pub use plan::{FieldPlan, From, KeyPlan, Plan, Reading, RecordPlan};

use crate::Problem;

/// A mapping file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Name of the source; a later import under the same name replaces what it said.
    pub source: String,
    /// Where the images of its studies and series are: `held` at this node unless given, or `elsewhere`, and then they are searched though
    /// this node does not keep them.
    #[serde(default)]
    pub images: Images,
    /// How the file is read.
    #[serde(default)]
    pub file: FileMapping,
    /// Whose rows these are.
    pub patient: PatientMapping,
    /// What a row says.
    #[serde(default, rename = "record")]
    pub records: Vec<RecordMapping>,
    /// Lists of codes by name.
    #[serde(default)]
    pub codes: BTreeMap<String, CodeList>,
}

/// How the file is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileMapping {
    /// Delimiter of a text file; found out unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// Sheet of a workbook; the first unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Texts that mean "not recorded".
    pub missing: Vec<String>,
    /// How dates are written: `iso` (2020-01-31), `compact` (20200131), `dmy`, `mdy` or `ymd` with any of `. - /` between.
    pub dates: Vec<String>,
    /// The decimal sign, `.` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<char>,
}

/// Whose rows these are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatientMapping {
    /// Column of the patient id, as it stands in Patient ID (0010,0020) of the images.
    pub column: String,
    /// Issuer of the id (0010,0021), where images name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Whether every patient has one row: then a second one is a problem.
    #[serde(default)]
    pub once: bool,
}

/// One record that a row makes or adds to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordMapping {
    /// Its entity.
    pub entity: String,
    /// Columns that tell it from others of its entity: a UID for study, series and annotation. One a row unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// Column of the UID of what it hangs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// What two rows that differ about one record mean: `refuse` unless given, or `first`, which takes the first.
    #[serde(default)]
    pub conflicts: Conflicts,
    /// What it says.
    pub fields: Vec<FieldMapping>,
}

/// What two rows that differ about one record mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflicts {
    /// A problem.
    #[default]
    Refuse,
    /// The first one counts.
    First,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldMapping {
    /// The field.
    pub field: String,
    /// The column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Instead of a column: the same text for every row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Name of the list of codes; without one the column holds codes as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes: Option<String>,
    /// System of codes as they are; the field's first unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Unit of the numbers (UCUM); the field's own unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Days instead of dates: counted from the `diagnosis`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_from: Option<String>,
}

/// What a source's words are in a code system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeList {
    /// The system.
    pub system: String,
    /// Its version or edition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The source's word, and the code.
    pub map: BTreeMap<String, String>,
}

/// A mapping that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// It is no TOML, or has keys that mean nothing.
    #[error("the mapping cannot be read: {0}")]
    Text(String),
    /// It names what is not there.
    #[error("the mapping does not fit")]
    Problems(Vec<Problem>),
}

impl Mapping {
    /// Reads the text of a mapping file.
    ///
    /// # Errors
    /// [`MappingError::Text`] tells the line.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        toml::from_str(text).map_err(|error| MappingError::Text(error.to_string()))
    }

    /// Every column that it names.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        let mut columns = vec![self.patient.column.clone()];
        for record in &self.records {
            columns.extend(record.key.iter().chain(&record.parent).cloned());
            columns.extend(
                record
                    .fields
                    .iter()
                    .filter_map(|field| field.column.clone()),
            );
        }
        columns.sort();
        columns.dedup();
        columns
    }
}
