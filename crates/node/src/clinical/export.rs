//! `arno-node clinical export`: all records of this node in a format that others read, as the data manager's act.
//!
//! Everything stands under pseudonyms and mapped UIDs; dates are days from each patient's baseline. What sources wrote beside a code, and
//! words, are exported as they are kept: the folder stays with the data manager, and the audit log says that it was made.

use std::path::{Path, PathBuf};

use arno_clinical::{
    export::{ExportError, Exporter, Folder, ParquetExport, merged},
    fhir::FhirExport,
    omop::OmopExport,
};
use arno_domain::audit::Outcome;
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::{
    Node, NodeError,
    commands::{ACTOR, open, say},
};

/// What is exported, and how.
#[derive(Debug, Args)]
pub struct Export {
    /// The node's folder.
    #[arg(long)]
    data: PathBuf,
    /// How records are written.
    #[arg(long)]
    format: ExportFormat,
    /// The folder that is made; there must be nothing at its place.
    #[arg(long)]
    to: PathBuf,
    /// Print the outcome as one JSON object.
    #[arg(long)]
    json: bool,
}

/// A format of exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// One Parquet file for each entity of the common data model.
    Parquet,
    /// Resources of FHIR R4 by mCODE's profiles: one NDJSON file a type.
    Fhir,
    /// The same as one bundle, `bundle.json`.
    FhirBundle,
    /// The tables of OMOP CDM 5.4 with its imaging extension, as CSV.
    Omop,
}

impl ExportFormat {
    fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Fhir => "fhir",
            Self::FhirBundle => "fhir-bundle",
            Self::Omop => "omop",
        }
    }

    fn exporter(
        self,
        folder: &Folder,
        today: NaiveDate,
    ) -> Result<Box<dyn Exporter + Send>, ExportError> {
        Ok(match self {
            Self::Parquet => Box::new(ParquetExport::begin(folder)?),
            Self::Fhir => Box::new(FhirExport::lines(folder)?),
            Self::FhirBundle => Box::new(FhirExport::bundle(folder)?),
            Self::Omop => Box::new(OmopExport::begin(folder, today)?),
        })
    }
}

/// What was exported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Patients.
    pub patients: u64,
    /// Things: records of the same entity and key are one.
    pub records: u64,
    /// What could not be written as it is.
    pub told: Vec<String>,
}

pub(super) async fn run(export: &Export) -> anyhow::Result<()> {
    let node = open(&export.data).await?;
    let exported = node.export_clinical(&export.to, export.format).await?;
    if export.json {
        return say(&serde_json::to_string(&exported)?);
    }
    say(&format!(
        "{} records of {} patients are in {}.",
        exported.records,
        exported.patients,
        export.to.display()
    ))?;
    exported.told.iter().try_for_each(|told| say(told))
}

impl Node {
    /// Writes all records to a new folder. The audit entry is written before the folder appears. Blocks between pages of patients.
    ///
    /// # Errors
    /// [`NodeError::Rule`] when a file cannot be written; then there is no folder.
    pub async fn export_clinical(
        &self,
        to: &Path,
        format: ExportFormat,
    ) -> Result<Exported, NodeError> {
        let folder = Folder::begin(to)?;
        let mut exporter = format.exporter(&folder, self.now().date_naive())?;
        let mut exported = Exported::default();
        let each = |patient: &str, records| {
            let things = merged(records);
            exported.patients += 1;
            exported.records += things.len() as u64;
            Ok::<_, NodeError>(exporter.patient(patient, &things)?)
        };
        self.store().each_patient(each).await?;
        exporter.finish()?;
        exported.told = exporter.told();
        let detail = format!(
            "{} records of {} patients",
            exported.records, exported.patients
        );
        let act = self.act(
            ACTOR,
            "clinical export",
            format.as_str(),
            Outcome::Done,
            detail,
        );
        let mut tx = self.store().database().write().await?;
        tx.audit(self.now(), act).await?;
        tx.commit().await?;
        folder.finish()?;
        Ok(exported)
    }
}

impl From<ExportError> for NodeError {
    fn from(error: ExportError) -> Self {
        let code = match &error {
            ExportError::Exists(_) => "export_exists",
            ExportError::Io { .. } | ExportError::TooLarge(_) => "export_failed",
        };
        let cause = std::error::Error::source(&error);
        let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
        Self::rule(code, format!("{error}{cause}"))
    }
}
