//! FHIR R4 (4.0.1) as a source of records, and as a form of their export (`write`). What is read are bundles and NDJSON, one file or a
//! folder of them, entry by entry, as the mCODE profiles (HL7 mCODE STU 2 to 4) say what stands where.
//!
//! ```text
//! file → entries → resources → sketches → resolve → drafts, or problems
//! ```
//! A sketch is a record whose references are not followed yet: what they point at may come later in the file. Resources that have no
//! place in the model are counted and named in the report. Not here: terminology. Only codes that a profile names itself are turned into
//! the model's short lists (`codes`); other codes stay as they are.

pub(crate) mod codes;
mod condition;
mod element;
mod entries;
mod imaging;
mod json;
mod observation;
mod patient;
mod reader;
mod resolve;
mod say;
mod sketch;
mod suggest;
mod treatment;
mod values;
mod write;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

pub use entries::is_fhir;
pub use suggest::suggest;
pub use write::FhirExport;

use crate::{Checked, MappingError, mapping::CodeList, read::ReadError, suggest::quoted};

/// Says how FHIR resources are read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FhirMapping {
    /// Name of the source; a later import under the same name replaces what it said.
    pub source: String,
    /// What only the hospital knows.
    pub fhir: FhirOptions,
    /// By field: the hospital's own codes (`system|code`) and words, and what they are in a code system.
    #[serde(default)]
    pub codes: BTreeMap<String, CodeList>,
}

/// What only the hospital knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FhirOptions {
    /// `Patient.identifier.system` of the id that stands in Patient ID (0010,0020) of the images. Needed where patients have several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier_system: Option<String>,
    /// Issuer of that id (0010,0021), where images name one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The hospital's own codes of observations (`system|code`), and the field that such an observation fills.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub observations: BTreeMap<String, String>,
}

impl FhirMapping {
    /// Reads the text of a mapping file.
    ///
    /// # Errors
    /// [`MappingError::Text`] tells the line.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        toml::from_str(text).map_err(|error| MappingError::Text(error.to_string()))
    }

    /// The text of a mapping that says no more than this.
    #[must_use]
    pub fn text(source: &str, identifier_system: Option<&str>) -> String {
        let system =
            identifier_system.map(|system| format!("identifier_system = {}\n", quoted(system)));
        format!(
            "source = {}\n\n[fhir]\n{}",
            quoted(source),
            system.unwrap_or_default()
        )
    }
}

/// Reads every resource of a file, or of the files of a folder.
///
/// # Errors
/// [`ReadError`] when a file cannot be read at all; what is wrong with entries stands in [`Checked::problems`].
pub fn check(path: &Path, mapping: &FhirMapping) -> Result<Checked, ReadError> {
    let mut reader = reader::Reader::new(mapping);
    entries::read(path, &mut reader)?;
    Ok(resolve::resolve(reader.finish()))
}
