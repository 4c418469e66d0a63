//! The catalogue: dataset records as the nodes signed them.

use arno_domain::{DatasetId, dataset::DatasetRecord, dataset::SignedRecord};
use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;

use super::{json_column, json_text, time_text};
use crate::{Database, StoreError, WriteTx};

/// A record whose signature was verified when it came in.
#[derive(Debug, Clone)]
pub struct StoredDataset {
    /// The record.
    pub record: DatasetRecord,
    /// The same as the node signed it.
    pub signed: SignedRecord,
}

/// Keeps a dataset version; one that is there already stays as it is, and `false` is answered.
///
/// # Errors
/// When the database fails.
pub async fn create_dataset(
    tx: &mut WriteTx<'_>,
    record: &DatasetRecord,
    signed: &SignedRecord,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let sql = "-- create_dataset
        INSERT INTO dataset (id, node, title, version, signed, received_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING";
    let done = sqlx::query(sql)
        .bind(record.id.to_string())
        .bind(record.node.to_string())
        .bind(record.title.clone())
        .bind(i64::from(record.version))
        .bind(json_text("dataset record", signed)?)
        .bind(time_text(now))
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Dataset versions that a node has in the catalogue.
///
/// # Errors
/// When the database fails.
pub async fn count_datasets(
    tx: &mut WriteTx<'_>,
    node: arno_domain::NodeId,
) -> Result<i64, StoreError> {
    let sql = "-- count_datasets
        SELECT COUNT(*) AS datasets FROM dataset WHERE node = $1";
    let row = sqlx::query(sql)
        .bind(node.to_string())
        .fetch_one(tx.connection())
        .await?;
    Ok(sqlx::Row::try_get(&row, "datasets")?)
}

/// The newest version of every title of every node, newest first.
///
/// # Errors
/// When the database fails.
pub async fn newest_datasets(
    database: &Database,
    limit: u32,
) -> Result<Vec<StoredDataset>, StoreError> {
    let sql = "-- newest_datasets
        SELECT signed FROM dataset
        WHERE version = (SELECT MAX(version) FROM dataset AS other
                         WHERE other.node = dataset.node AND other.title = dataset.title)
        ORDER BY received_at DESC, id LIMIT $1";
    let rows = sqlx::query(sql)
        .bind(i64::from(limit))
        .fetch_all(database.pool())
        .await?;
    rows.iter().map(dataset_of).collect()
}

/// One version.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none with this id.
pub async fn dataset(database: &Database, id: DatasetId) -> Result<StoredDataset, StoreError> {
    let sql = "-- dataset
        SELECT signed FROM dataset WHERE id = $1";
    let row = sqlx::query(sql)
        .bind(id.to_string())
        .fetch_optional(database.pool())
        .await?;
    dataset_of(&row.ok_or(StoreError::NotFound { what: "dataset" })?)
}

fn dataset_of(row: &AnyRow) -> Result<StoredDataset, StoreError> {
    let signed: SignedRecord = json_column(row, "signed")?;
    let record = signed.unverified();
    Ok(StoredDataset {
        record: record.map_err(|_| StoreError::Corrupt {
            what: "dataset record",
        })?,
        signed,
    })
}
