//! Clinical files to drafts of records: a table is read (CSV, XLSX, Parquet) or resources are (FHIR), a mapping says what they mean,
//! and every cell or element is checked. Either the whole source can be loaded, or every problem is named with its place.
//!
//! ```text
//! file → Table     → Mapping → Plan → Drafts, or Problems
//!      → resources → FhirMapping    ↗
//! Records → Exporter → a folder of files
//! ```
//! Not here: pseudonyms and the database. A draft holds what the hospital wrote, patient ids included, and stays inside the node.

pub mod draft;
pub mod export;
pub mod fhir;
pub mod mapping;
pub mod omop;
pub mod problem;
pub mod read;
pub mod source;
pub mod suggest;
pub mod table;

pub use draft::{Checked, Draft, DraftContent, DraftKey, DraftValue, LeftOut, Uncoded};
pub use mapping::{Mapping, MappingError, Plan};
pub use problem::{Place, Problem};
pub use source::{SourceError, SourceMapping};
pub use table::{Cell, Table};
