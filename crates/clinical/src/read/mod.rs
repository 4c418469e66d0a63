//! From a file to a table, by its name: `.csv .tsv .txt` are text, `.xlsx` a workbook, `.parquet` is Parquet.

mod parquet;
mod text;
mod xlsx;
mod xml;

use std::path::{Path, PathBuf};

use crate::{Problem, Table};

/// Largest file that is read; the index of the largest public archive has 74 MB.
pub const MAX_FILE_BYTES: u64 = 2 << 30;

/// What a mapping says of a file, where it is not found out.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Delimiter of a text file.
    pub delimiter: Option<char>,
    /// Sheet of a workbook; the first one unless given.
    pub sheet: Option<String>,
    /// Columns that are wanted; all, unless given. A file of columns need not read the others.
    pub columns: Option<Vec<String>>,
}

/// A file that is no table.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be opened or read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// It is larger than this program takes.
    #[error("{} has more than {MAX_FILE_BYTES} bytes: split it", .0.display())]
    TooLarge(PathBuf),
    /// Its name does not say what it is.
    #[error("{}: what this is does not show in its name; it should end in .csv, .tsv, .xlsx or .parquet", .0.display())]
    UnknownKind(PathBuf),
    /// It is not what its name says.
    #[error("{}: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Rows that cannot be read.
    #[error("{} problems", .0.len())]
    Problems(Vec<Problem>),
}

/// Why bytes are no table of their kind.
pub(crate) enum Malformed {
    /// As a whole.
    File(String),
    /// Here and there.
    Rows(Vec<Problem>),
}

impl From<&str> for Malformed {
    fn from(what: &str) -> Self {
        Self::File(what.to_owned())
    }
}

impl From<String> for Malformed {
    fn from(what: String) -> Self {
        Self::File(what)
    }
}

/// Reads a file.
///
/// # Errors
/// [`ReadError`] names the file, and for tables the rows.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Table, ReadError> {
    let io = |source| ReadError::Io {
        path: path.to_owned(),
        source,
    };
    let size = std::fs::metadata(path).map_err(io)?.len();
    if size > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge(path.to_owned()));
    }
    let extension = path.extension().and_then(|extension| extension.to_str());
    let read: fn(&[u8], &ReadOptions) -> Result<Table, Malformed> =
        match extension.unwrap_or_default().to_ascii_lowercase().as_str() {
            "csv" | "tsv" | "txt" => text::read,
            "xlsx" => xlsx::read,
            "parquet" => parquet::read,
            _ => return Err(ReadError::UnknownKind(path.to_owned())),
        };
    let bytes = std::fs::read(path).map_err(io)?;
    read(&bytes, options).map_err(|malformed| match malformed {
        Malformed::File(what) => ReadError::Malformed {
            path: path.to_owned(),
            what,
        },
        Malformed::Rows(problems) => ReadError::Problems(problems),
    })
}
