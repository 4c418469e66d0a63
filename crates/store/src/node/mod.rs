//! Rows and series packs of a node: what came in, what became of it, what left.
//!
//! Everything here is de-identified, but for two things that only the data manager sees and that have an end: the
//! names of files in quarantine and the left side of a preview. Not here: what is decided about the rows (`arno-node`).

mod acquisition;
mod before;
mod catalogue;
mod changed;
mod clinical;
mod commit;
mod compaction;
mod datasets;
mod deletion;
mod disclosure;
mod faces;
mod facts;
mod federation;
mod images;
mod ingest;
mod links;
mod many;
mod packs;
mod previews;
mod quality;
mod quarantine;
mod readings;
mod repair;
mod retrieve;
mod review;
mod rows;
mod schema;
mod text;

use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};

pub use acquisition::{DescribedInstance, Redescribed};
pub use before::{Before, PackEnd, SeriesBefore};
pub use catalogue::{FrameSource, SeriesFilter};
pub use changed::Since;
pub use clinical::{
    ClinicalSource, Loaded, NewClinicalRecord, NewClinicalSource, NewContent, NewValue,
};
pub use commit::{IngestBatch, IngestTotals, NewSource, SourceFate};
pub use compaction::PackRow;
pub use datasets::{Contents, DatasetMembers, NewDatasetVersion, UndeliveredDataset};
pub use deletion::{Deleted, Deletion, SeriesInScope};
pub use disclosure::{
    Alarm, AlarmAt, Complete, ExactEntry, LedgerEntry, Limits, NewExactCount, NewRelease, Released,
    Said, Spender, Spent, TotalPart, Whose,
};
pub use faces::{FaceFound, FaceSeries};
pub use federation::{Contributed, KnownNode, StoredAnswer, Under};
pub use images::{
    NewAcquisition, NewAnnotation, NewInstance, NewOutline, NewPatient, NewPreview, NewSeries,
    NewStudy, PlacedInstance,
};
pub use links::PatientLink;
pub use packs::{
    Form, PackEnds, PackLocation, PackRange, PackScan, PackWriter, Packs, RECORD_HEADER_BYTES,
    Record, Scanned,
};
pub use quality::{CheckRow, NewFinding, NewSeriesReport, PixelTwin, StoredReport};
pub use quarantine::{NewQuarantined, QuarantineCopy};
pub use readings::NewReading;
pub use retrieve::{KeptInstance, KeptKey, Scope};
pub use review::{Decided, HeldInstance, NewReview};
pub use rows::{InstanceRow, RowFilter, SeriesOfStudy, StudyParts, StudyRow};
pub use schema::MIGRATIONS;
pub use text::{DueLook, TextFate, TextLook, TextVerdict};

use crate::{Database, StoreError};

/// The rows of a node.
#[derive(Debug, Clone)]
pub struct NodeStore {
    database: Database,
    changed: changed::Changed,
    log: previews::Log,
}

impl NodeStore {
    /// Opens the file, makes it when it is not there, and brings its schema up to date.
    ///
    /// # Errors
    /// When the file cannot be used as a database.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let database = Database::open(path, &MIGRATIONS).await?;
        Ok(Self {
            database,
            changed: changed::Changed::default(),
            log: previews::Log::default(),
        })
    }

    /// A store that lives as long as this value; for tests.
    ///
    /// # Errors
    /// When a migration fails.
    pub async fn in_memory() -> Result<Self, StoreError> {
        let database = Database::in_memory(&MIGRATIONS).await?;
        Ok(Self {
            database,
            changed: changed::Changed::default(),
            log: previews::Log::default(),
        })
    }

    /// The database, for accounts, sessions, settings and the audit log.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }
}

/// Times are compared as text, so all have the same width.
fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn time(text: &str) -> Result<DateTime<Utc>, StoreError> {
    let parsed = DateTime::parse_from_rfc3339(text);
    parsed
        .map(|time| time.with_timezone(&Utc))
        .map_err(|_| StoreError::Corrupt { what: "time" })
}

/// Counts and sizes are never negative in SQL; what is, is taken as none.
fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

/// Sizes and offsets of files that exist stay far below 2^63.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn json<T: serde::Serialize>(value: &T, what: &'static str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Corrupt { what })
}

fn from_json<T: serde::de::DeserializeOwned>(
    text: &str,
    what: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt { what })
}
