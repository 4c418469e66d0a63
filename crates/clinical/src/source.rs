//! A source: a file or a folder of files, and a mapping that says of what kind it is and what it means. Each kind has one reader, and
//! all readers yield the same: drafts of records, or every problem with its place. What comes after (pseudonyms, the database) knows
//! nothing of kinds.
//!
//! ```text
//! [patient] and [[record]]  a table: CSV, XLSX, Parquet   draft
//! [fhir]                    bundles and NDJSON of FHIR R4  fhir
//! [omop]                    tables of OMOP CDM 5.4 as CSV  omop
//! ```

use std::path::Path;

use arno_domain::model::Images;

use crate::{
    Checked, Mapping, MappingError, Problem,
    draft::{self, Only},
    fhir::{self, FhirMapping},
    omop::{self, OmopMapping},
    read::{ReadError, ReadOptions, read},
};

/// A mapping, by the kind of source that it is for.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceMapping {
    /// A table.
    Table(Mapping),
    /// FHIR resources.
    Fhir(FhirMapping),
    /// Tables of OMOP's common data model.
    Omop(OmopMapping),
}

/// Why there is nothing that could be checked entry by entry.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The mapping cannot be used.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// The file is not what it should be.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl SourceError {
    /// What to mend, place by place, where the error knows it.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Mapping(MappingError::Problems(problems))
            | Self::Read(ReadError::Problems(problems)) => problems,
            Self::Mapping(_) | Self::Read(_) => &[],
        }
    }
}

impl SourceMapping {
    /// Reads the text of a mapping file; its tables say of which kind it is.
    ///
    /// # Errors
    /// [`MappingError::Text`] tells the line.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let tables: toml::Table =
            toml::from_str(text).map_err(|error| MappingError::Text(error.to_string()))?;
        if tables.contains_key("fhir") {
            return FhirMapping::parse(text).map(Self::Fhir);
        }
        if tables.contains_key("omop") {
            return OmopMapping::parse(text).map(Self::Omop);
        }
        Mapping::parse(text).map(Self::Table)
    }

    /// Name of the source; a later load under the same name replaces it.
    #[must_use]
    pub fn source(&self) -> &str {
        match self {
            Self::Table(mapping) => &mapping.source,
            Self::Fhir(mapping) => &mapping.source,
            Self::Omop(mapping) => &mapping.source,
        }
    }

    /// Where the images of its studies and series are.
    #[must_use]
    pub fn images(&self) -> Images {
        match self {
            Self::Table(mapping) => mapping.images,
            Self::Fhir(_) | Self::Omop(_) => Images::Held,
        }
    }

    /// Issuer of the patients' ids, where images name one.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        match self {
            Self::Table(mapping) => mapping.patient.issuer.as_deref(),
            Self::Fhir(mapping) => mapping.fhir.issuer.as_deref(),
            Self::Omop(mapping) => mapping.omop.issuer.as_deref(),
        }
    }
}

/// Drafts a mapping from a file, for a person to read.
///
/// # Errors
/// [`ReadError`] when the file cannot be read.
pub fn suggest(path: &Path, source: &str) -> Result<String, ReadError> {
    if fhir::is_fhir(path) {
        return fhir::suggest(path, source);
    }
    if omop::is_omop(path) {
        return Ok(omop::suggest(path, source));
    }
    let table = read(path, &ReadOptions::default())?;
    Ok(crate::suggest::suggest(&table, source))
}

/// Reads a source and checks every row or entry of it.
///
/// # Errors
/// [`SourceError`] when there is nothing whose rows could be checked; what is wrong with rows stands in [`Checked::problems`].
pub fn check(
    path: &Path,
    mapping: &SourceMapping,
    only: Option<&Only>,
) -> Result<Checked, SourceError> {
    match mapping {
        SourceMapping::Table(mapping) => check_table(path, mapping, only),
        SourceMapping::Fhir(_) | SourceMapping::Omop(_) if only.is_some() => {
            let what = "rows can be chosen by a column of a table alone: leave --column out";
            Err(MappingError::Problems(vec![Problem::file(what)]).into())
        }
        SourceMapping::Fhir(mapping) => Ok(fhir::check(path, mapping)?),
        SourceMapping::Omop(mapping) => Ok(omop::check(path, mapping)?),
    }
}

fn check_table(
    path: &Path,
    mapping: &Mapping,
    only: Option<&Only>,
) -> Result<Checked, SourceError> {
    let mut columns = mapping.columns();
    columns.extend(only.iter().map(|only| only.column.clone()));
    let options = ReadOptions {
        delimiter: mapping.file.delimiter,
        sheet: mapping.file.sheet.clone(),
        columns: Some(columns),
    };
    let table = read(path, &options)?;
    Ok(draft::check(mapping, &table, only)?)
}
