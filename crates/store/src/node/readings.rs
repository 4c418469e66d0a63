//! Readings: what one reader wrote and drew of one nodule, under pseudonyms.

use std::collections::BTreeMap;

use sqlx::Row as _;

use super::NodeStore;
use crate::{StoreError, WriteTx};

/// A reading, de-identified.
#[derive(Debug, Clone, PartialEq)]
pub struct NewReading {
    /// SHA-256 over all that it says, hexadecimal: its id and its part in a dataset's manifest.
    pub id: String,
    /// Pseudonym.
    pub patient: String,
    /// Study Instance UID, mapped.
    pub study_uid: String,
    /// Series Instance UID, mapped.
    pub series_uid: String,
    /// Name of the nodule within the series.
    pub nodule: String,
    /// Name of the reader within the nodule.
    pub reader: String,
    /// `train` or `test`.
    pub split: String,
    /// Malignancy, 1 to 5.
    pub malignancy: u8,
    /// The whole reading as JSON of `arno-learning`, with pseudonym and mapped UIDs.
    pub reading_json: String,
}

impl NodeStore {
    /// Readings of these dataset versions, each once, in order of their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dataset_readings(&self, datasets: &[String]) -> Result<Vec<String>, StoreError> {
        let sql = "-- dataset_readings
            SELECT r.id AS id, r.reading_json AS reading_json
            FROM dataset_reading d JOIN reading r ON r.id = d.reading WHERE d.dataset = $1";
        let mut by_id = BTreeMap::new();
        for dataset in datasets {
            for row in sqlx::query(sql)
                .bind(dataset.clone())
                .fetch_all(self.database.pool())
                .await?
            {
                by_id.insert(
                    row.try_get::<String, _>("id")?,
                    row.try_get("reading_json")?,
                );
            }
        }
        Ok(by_id.into_values().collect())
    }

    /// The id of a reader's reading of that nodule, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reading_id(
        &self,
        series_uid: &str,
        nodule: &str,
        reader: &str,
    ) -> Result<Option<String>, StoreError> {
        let sql = "-- reading_id
            SELECT id FROM reading WHERE series_uid = $1 AND nodule = $2 AND reader = $3";
        let query = sqlx::query(sql)
            .bind(series_uid.to_owned())
            .bind(nodule.to_owned())
            .bind(reader.to_owned());
        let row = query.fetch_optional(self.database.pool()).await?;
        Ok(row.map(|row| row.try_get("id")).transpose()?)
    }

    /// Readings of a series, by nodule and reader.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn series_readings(&self, series_uid: &str) -> Result<Vec<String>, StoreError> {
        let sql = "-- series_readings
            SELECT reading_json FROM reading WHERE series_uid = $1 ORDER BY nodule, reader";
        let rows = sqlx::query(sql)
            .bind(series_uid.to_owned())
            .fetch_all(self.database.pool())
            .await?;
        rows.iter()
            .map(|row| Ok(row.try_get("reading_json")?))
            .collect()
    }
}

/// Adds a reading and says whether it is new; the same reader's earlier one of the same nodule stays.
pub(super) async fn insert_reading(
    tx: &mut WriteTx<'_>,
    reading: &NewReading,
) -> Result<bool, StoreError> {
    let sql = "-- insert_reading
        INSERT INTO reading (id, patient, study_uid, series_uid, nodule, reader, split, malignancy, reading_json)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT DO NOTHING";
    let inserted = sqlx::query(sql)
        .bind(reading.id.clone())
        .bind(reading.patient.clone())
        .bind(reading.study_uid.clone())
        .bind(reading.series_uid.clone())
        .bind(reading.nodule.clone())
        .bind(reading.reader.clone())
        .bind(reading.split.clone())
        .bind(i64::from(reading.malignancy))
        .bind(reading.reading_json.clone())
        .execute(tx.connection())
        .await?;
    Ok(inserted.rows_affected() > 0)
}
