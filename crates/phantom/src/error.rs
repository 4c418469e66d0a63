//! The crate's error: what can go wrong while demo input is read or written.

use std::path::PathBuf;

/// Why demo input could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PhantomError {
    /// A file or folder could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The committed readings do not have the documented form.
    #[error("the committed readings are damaged at line {line}")]
    Data {
        /// Line of `data/readings.jsonl`, from 1; 0 when the file cannot be unpacked.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: std::io::Error,
    },
    /// An instance could not be encoded.
    #[error("cannot encode a DICOM instance")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
}
