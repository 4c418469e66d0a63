//! The column index in memory that searches are counted with.
//!
//! Patients, what hangs on them (studies, series, clinical records), and a column per field, in the order of patients: what belongs
//! to one study or one patient is one run of rows, so that distinct studies and patients are counted in one pass, without a table of
//! what was seen. A column is small numbers that stand for distinct values; a test is asked once for each distinct value and looked
//! up for each row.
//!
//! ```text
//! Schema + Branch (one per patient) → Index → Plan → Matched → Counts, facets
//! ```
//! Logic is three-valued (Kleene), as in `arno_domain::cohort`: a test of a value that is not recorded is neither true nor false, but
//! for the test whether it is recorded.
//!
//! Not here: the cohort language, disclosure control (all counts are exact and must not leave a node as they are), and where facts come
//! from.

mod bits;
mod codes;
mod column;
mod count;
mod evaluate;
mod facet;
mod index;
mod listing;
mod moments;
mod patch;
mod patients;
mod plan;
mod runs;
mod shape;
mod truth;

pub use count::{Counts, Matched, Selection};
pub use facet::{CellCounts, CellValue, Cells, Facet, Panel};
pub use index::{Branch, Change, Index, IndexError, Presence, Value};
pub use listing::Listing;
pub use patients::{Choose, Followed, FollowedCounts};
pub use plan::{Apart, Moment, Plan, Question, Range, Test};
pub use shape::{ColumnId, Kind, Level, Schema, SchemaError};
