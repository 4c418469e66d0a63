//! Clinical files to drafts of records: a table is read (CSV, XLSX, Parquet), a mapping says what its columns mean, and every cell is
//! checked. Either the whole file can be loaded, or every problem is named with row and column.
//!
//! ```text
//! file → Table → Mapping → Plan → Drafts, or Problems
//! Records → Exporter → a folder of files
//! ```
//! Not here: pseudonyms and the database. A draft holds what the hospital wrote, patient ids included, and stays inside the node.

pub mod draft;
pub mod export;
pub mod mapping;
pub mod problem;
pub mod read;
pub mod suggest;
pub mod table;

pub use draft::{Checked, Draft, DraftContent, DraftKey, DraftValue, Uncoded};
pub use mapping::{Mapping, MappingError, Plan};
pub use problem::Problem;
pub use table::{Cell, Table};
