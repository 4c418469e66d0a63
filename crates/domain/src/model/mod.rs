//! The common data model: one table that is code, schema and documentation at once.
//!
//! The table's rows stand in `disease`, `imaging` and `course`, one [`FieldSpec`] a field. Whatever names a field (a cohort, a
//! mapping file, a stored record, `docs/model.md`) is checked against it, so that a field is added in one place. Everything hangs
//! on a patient: studies on patients, series on studies, annotations on series; a diagnosis has stages, pathology and biomarkers;
//! an event may point at any number of other records.
//!
//! Not here: how sources are read (`arno-clinical`) and where records lie (`arno-store`).

mod course;
mod disease;
mod document;
mod entity;
mod field;
mod imaging;
mod record;
mod spec;
mod system;
mod unit;

pub use document::document;
pub use entity::Entity;
pub(crate) use field::typos;
pub use field::{Field, UnknownField};
pub use record::{Images, Link, Record, Recorded};
pub use spec::{FieldKind, FieldSpec};
pub use system::{CodeSystem, Coded, UnknownSystem};
pub use unit::{UnitError, convert, units_like};

/// The value of a field, as its kind says.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A code of one of the field's systems.
    Code(Coded),
    /// Words.
    Words(String),
    /// A number in the field's unit.
    Number(f64),
    /// Days from the patient's baseline; negative before it.
    Days(i64),
    /// Yes or no.
    Flag(bool),
}
