//! Clinical records: what sources say of patients, one row a record, its values as typed JSON text.
//!
//! A source is replaced as a whole, in one transaction: there is never half of one. Dates are kept moved by the patient's offset, as in
//! images, and come out only as days from the patient's baseline (see `baseline`). Not here: reading files (`arno-clinical`) and
//! pseudonyms (`arno-node`).

mod baseline;
mod by_patient;
mod put;
mod stream;
mod values;

use arno_domain::model::{Entity, Field, Images, Link, Value};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::Row as _;

use super::{NodeStore, time, unsigned};
use crate::StoreError;

pub use put::Loaded;
pub(super) use values::encode;

/// What is recorded of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum NewContent {
    /// A value; days are from the patient's diagnosis.
    Known(Value),
    /// A date, moved by the patient's offset.
    Date(NaiveDate),
    /// The source's words, which have no code.
    Uncoded,
}

/// A value with what the source wrote, where that was something else.
#[derive(Debug, Clone, PartialEq)]
pub struct NewValue {
    /// The field.
    pub field: Field,
    /// What is recorded.
    pub content: NewContent,
    /// What the source wrote. Never a date.
    pub source: Option<String>,
}

/// A record under pseudonym and mapped UIDs.
#[derive(Debug, Clone, PartialEq)]
pub struct NewClinicalRecord {
    /// What it is about.
    pub entity: Entity,
    /// What tells it from others of its entity.
    pub key: String,
    /// Pseudonym.
    pub patient: String,
    /// Key of what it hangs on, if not the patient.
    pub parent: Option<String>,
    /// What an event belongs to.
    pub links: Vec<Link>,
    /// Values, at most one a field.
    pub values: Vec<NewValue>,
}

/// A source that is about to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClinicalSource {
    /// Its name; a later load under the same name replaces it.
    pub name: String,
    /// SHA-256 over what was read and how it was understood: the same again changes nothing.
    pub digest: String,
    /// Where the images of its studies and series are.
    pub images: Images,
}

/// A source that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClinicalSource {
    /// Its name.
    pub name: String,
    /// See [`NewClinicalSource::digest`].
    pub digest: String,
    /// When.
    pub loaded_at: DateTime<Utc>,
    /// How many records it has.
    pub records: u64,
    /// Where the images of its studies and series are.
    pub images: Images,
}

impl NodeStore {
    /// The sources that were loaded, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clinical_sources(&self) -> Result<Vec<ClinicalSource>, StoreError> {
        let sql = "-- clinical_sources
            SELECT source, digest, loaded_at, records, images FROM clinical_source ORDER BY source";
        let rows = sqlx::query(sql).fetch_all(self.database.pool()).await?;
        let source = |row: &sqlx::any::AnyRow| {
            Ok(ClinicalSource {
                name: row.try_get("source")?,
                digest: row.try_get("digest")?,
                loaded_at: time(&row.try_get::<String, _>("loaded_at")?)?,
                records: unsigned(row.try_get("records")?),
                images: images_of(row.try_get("images")?)?,
            })
        };
        rows.iter().map(source).collect()
    }
}

fn images_of(word: &str) -> Result<Images, StoreError> {
    Images::from_name(word).ok_or(StoreError::Corrupt {
        what: "clinical source",
    })
}

#[cfg(test)]
mod tests;
