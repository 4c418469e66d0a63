//! Loading a source: all of its records in one transaction, in place of what it said before.

use arno_domain::audit::Act;
use chrono::{DateTime, Utc};
use sqlx::Row as _;

use super::{NewClinicalRecord, NewClinicalSource, baseline::Anchor, values::encode};
use crate::{
    StoreError, WriteTx,
    node::{
        NodeStore, json,
        many::{groups, values},
        signed, text,
    },
};

/// Records that are put together before they are written; bounds the memory of a load.
const CHUNK: usize = 1024;

/// What a load came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded {
    /// The very same was loaded before; nothing changed.
    Unchanged,
    /// It is there now.
    Replaced {
        /// Its records.
        records: u64,
        /// Records of an earlier load that gave way.
        before: u64,
    },
}

impl NodeStore {
    /// Loads a source in place of its earlier version, and records the act with it. Records of one patient are best handed over side by
    /// side: the index in memory is made patient by patient, and then reads them where they lie.
    ///
    /// # Errors
    /// [`StoreError::Full`] when there is no room, or the first error among the records; then nothing was changed.
    pub async fn put_clinical_source<E: From<StoreError>>(
        &self,
        source: &NewClinicalSource,
        records: impl Iterator<Item = Result<NewClinicalRecord, E>>,
        now: DateTime<Utc>,
        act: Act,
    ) -> Result<Loaded, E> {
        let mut tx = self.database.write().await?;
        let known = known_digest(&mut tx, &source.name).await?;
        if known.as_deref() == Some(source.digest.as_str()) {
            return Ok(Loaded::Unchanged);
        }
        let before = delete_records(&mut tx, &source.name).await?;
        put_source(&mut tx, source, now).await?;
        let (mut count, mut chunk) = (0, Vec::with_capacity(CHUNK));
        for record in records {
            chunk.push(record?);
            if chunk.len() == CHUNK {
                count = insert_records(&mut tx, &source.name, count, &chunk).await?;
                chunk.clear();
            }
        }
        count = insert_records(&mut tx, &source.name, count, &chunk).await?;
        let sql = "-- put_clinical_source
            UPDATE clinical_source SET records = $1 WHERE source = $2";
        let query = sqlx::query(sql).bind(count).bind(source.name.clone());
        query
            .execute(tx.connection())
            .await
            .map_err(StoreError::from)?;
        tx.raise_data_version().await?;
        tx.audit(now, act).await?;
        tx.commit().await?;
        Ok(Loaded::Replaced {
            records: count.unsigned_abs(),
            before,
        })
    }
}

async fn known_digest(tx: &mut WriteTx<'_>, source: &str) -> Result<Option<String>, StoreError> {
    let sql = "-- known_digest
        SELECT digest FROM clinical_source WHERE source = $1";
    let query = sqlx::query(sql).bind(source.to_owned());
    let row = query.fetch_optional(tx.connection()).await?;
    Ok(row.map(|row| row.try_get("digest")).transpose()?)
}

async fn delete_records(tx: &mut WriteTx<'_>, source: &str) -> Result<u64, StoreError> {
    let sql = "-- delete_records
        DELETE FROM clinical_record WHERE source = $1";
    let query = sqlx::query(sql).bind(source.to_owned());
    Ok(query.execute(tx.connection()).await?.rows_affected())
}

async fn put_source(
    tx: &mut WriteTx<'_>,
    source: &NewClinicalSource,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "-- put_source
        INSERT INTO clinical_source (source, digest, loaded_at, records, images) VALUES ($1, $2, $3, 0, $4)
        ON CONFLICT (source) DO UPDATE SET digest = excluded.digest, loaded_at = excluded.loaded_at, images = excluded.images";
    let query = sqlx::query(sql)
        .bind(source.name.clone())
        .bind(source.digest.clone())
        .bind(text(now))
        .bind(source.images.as_str());
    query.execute(tx.connection()).await?;
    Ok(())
}

/// Numbers go on from `count`: keys that grow are appended, while digests would be written all over the index.
async fn insert_records(
    tx: &mut WriteTx<'_>,
    source: &str,
    mut count: i64,
    records: &[NewClinicalRecord],
) -> Result<i64, StoreError> {
    for group in groups(records) {
        let sql = format!(
            "-- insert_records
            INSERT INTO clinical_record (source, number, entity, record_key, patient, parent, first_date, has_days, links_json,
                values_json) VALUES {}",
            values(group.len(), 10)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for record in group {
            count += 1;
            let anchor = Anchor::of(record);
            query = query
                .bind(source.to_owned())
                .bind(count)
                .bind(record.entity.as_str())
                .bind(record.key.clone())
                .bind(record.patient.clone())
                .bind(record.parent.clone())
                .bind(anchor.first_date)
                .bind(i64::from(anchor.has_days))
                .bind(links_json(record)?)
                .bind(encode(&record.values));
        }
        query.execute(tx.connection()).await?;
    }
    Ok(signed(count.unsigned_abs()))
}

fn links_json(record: &NewClinicalRecord) -> Result<Option<String>, StoreError> {
    if record.links.is_empty() {
        return Ok(None);
    }
    let links = record.links.iter();
    let links: Vec<_> = links
        .map(|link| (link.entity.as_str(), link.key.as_str()))
        .collect();
    json(&links, "links").map(Some)
}
