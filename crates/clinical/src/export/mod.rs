//! Records out of a node, as files of a format. The node hands over patient by patient what is known of each, a format writes it, and
//! the folder appears with all of its files or not at all.
//!
//! Records come under pseudonyms and with days from the patient's baseline, which is what may leave a node; a format that must have
//! dates counts them from [`FIRST_DAY`], which is nobody's. Not here: whose records are exported, and the audit entry (`arno-node`).

mod folder;
mod merge;
mod parquet;

use std::{io, path::PathBuf};

use arno_domain::model::Record;
use chrono::{Days, NaiveDate};

pub use folder::{ExportFile, Folder};
pub use merge::merged;
pub use parquet::ParquetExport;

/// The invented day on which every patient's baseline is put where a format must have dates.
pub const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2000, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// Writes records in a format.
pub trait Exporter {
    /// All that is known of one patient: each thing once (see [`merged`]), parents before what hangs on them. Called once a patient.
    ///
    /// # Errors
    /// When a file cannot be written.
    fn patient(&mut self, patient: &str, records: &[Record]) -> Result<(), ExportError>;

    /// Ends all files. Called once, after the last patient.
    ///
    /// # Errors
    /// When a file cannot be written.
    fn finish(&mut self) -> Result<(), ExportError>;

    /// What could not be written as it is, in words for people. Holds no value.
    fn told(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Why nothing was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// There is something at the place already.
    #[error("{} is there already: name a folder that is not", .0.display())]
    Exists(PathBuf),
    /// A column, a text or a table is larger than its format allows.
    #[error("{0} does not fit into the format")]
    TooLarge(&'static str),
}

/// The invented date of days from a baseline; `None` beyond what a calendar has.
#[must_use]
pub fn date_of(days: i64) -> Option<NaiveDate> {
    match u64::try_from(days) {
        Ok(days) => FIRST_DAY.checked_add_days(Days::new(days)),
        Err(_) => FIRST_DAY.checked_sub_days(Days::new(days.unsigned_abs())),
    }
}
