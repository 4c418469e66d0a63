//! Files that were not taken in, with the reason; their bytes lie in the node's quarantine folder under the row's digest.

use arno_protocol::node::Quarantined;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, any::AnyRow};

use super::{
    NodeStore,
    review::{NewReview, put_review},
    signed, text, time, unsigned,
};
use crate::{StoreError, WriteTx};

/// Rows that are listed; the rest is counted.
const LISTED: i64 = 1000;

/// A file for quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewQuarantined {
    /// SHA-256 of its bytes; of its path and size, when they could not be read.
    pub source_sha256: String,
    /// Its name below the ingested folder.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// A stable word.
    pub code: String,
    /// What is wrong and what to do next. No value of the data set.
    pub reason: String,
    /// Whether a copy of the bytes was kept.
    pub copied: bool,
    /// What a person is to know who looks at it, if one must.
    pub waits: Option<NewReview>,
}

/// What is needed to try a quarantined file again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineCopy {
    /// SHA-256 of its bytes.
    pub source_sha256: String,
    /// Its name below the ingested folder.
    pub name: String,
    /// Whether a copy of the bytes was kept.
    pub copied: bool,
}

impl NodeStore {
    /// Open entries, newest first; those that wait for a person come last, since the review queue lists them all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_quarantined(&self) -> Result<Vec<Quarantined>, StoreError> {
        let sql = "-- list_quarantined
            SELECT q.*, CASE WHEN r.quarantine IS NULL THEN 0 ELSE 1 END AS waits
            FROM quarantine q LEFT JOIN review r ON r.quarantine = q.id
            WHERE q.settled_at IS NULL ORDER BY waits, q.id DESC LIMIT $1";
        let rows = sqlx::query(sql)
            .bind(LISTED)
            .fetch_all(self.database.pool())
            .await?;
        rows.iter().map(quarantined_of).collect()
    }

    /// Names of the open entries of whose bytes no copy is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn uncopied_names(&self) -> Result<Vec<String>, StoreError> {
        let sql = "-- uncopied_names
            SELECT name FROM quarantine WHERE settled_at IS NULL AND copied = 0";
        let rows = sqlx::query(sql).fetch_all(self.database.pool()).await?;
        rows.iter().map(|row| Ok(row.try_get("name")?)).collect()
    }

    /// One open entry.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of that number.
    pub async fn quarantined(&self, id: i64) -> Result<(Quarantined, QuarantineCopy), StoreError> {
        let sql = "-- quarantined
            SELECT q.*, CASE WHEN r.quarantine IS NULL THEN 0 ELSE 1 END AS waits
            FROM quarantine q LEFT JOIN review r ON r.quarantine = q.id
            WHERE q.id = $1 AND q.settled_at IS NULL";
        let row = sqlx::query(sql)
            .bind(id)
            .fetch_one(self.database.pool())
            .await;
        let row = row.map_err(|error| StoreError::from(error).about("file in quarantine"))?;
        let copied: i64 = row.try_get("copied")?;
        let copy = QuarantineCopy {
            source_sha256: row.try_get("source_sha256")?,
            name: row.try_get("name")?,
            copied: copied != 0,
        };
        Ok((quarantined_of(&row)?, copy))
    }

    /// Digests of open entries whose bytes could not be read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unread_sources(&self) -> Result<Vec<String>, StoreError> {
        let sql = "-- unread_sources
            SELECT source_sha256 FROM quarantine WHERE copied = 0 AND settled_at IS NULL";
        let rows = sqlx::query(sql).fetch_all(self.database.pool()).await?;
        rows.iter()
            .map(|row| Ok(row.try_get("source_sha256")?))
            .collect()
    }
}

/// Adds an entry, or renews the reason of the open one of the same source.
pub(super) async fn insert_quarantined(
    tx: &mut WriteTx<'_>,
    new: &NewQuarantined,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "-- insert_quarantined
        UPDATE quarantine SET code = $1, reason = $2, at = $3 WHERE source_sha256 = $4 AND settled_at IS NULL";
    let update = sqlx::query(sql)
        .bind(new.code.clone())
        .bind(new.reason.clone())
        .bind(text(now))
        .bind(new.source_sha256.clone());
    if update.execute(tx.connection()).await?.rows_affected() > 0 {
        return put_review(tx, new).await;
    }
    let sql = "-- insert_quarantined
        INSERT INTO quarantine (id, source_sha256, name, size_bytes, code, reason, at, copied)
        SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, $5, $6, $7 FROM quarantine";
    sqlx::query(sql)
        .bind(new.source_sha256.clone())
        .bind(new.name.clone())
        .bind(signed(new.size_bytes))
        .bind(new.code.clone())
        .bind(new.reason.clone())
        .bind(text(now))
        .bind(i64::from(new.copied))
        .execute(tx.connection())
        .await?;
    put_review(tx, new).await
}

/// Closes the entries of a source that turned out well. Nobody needs to look any more.
pub(super) async fn settle_quarantined(
    tx: &mut WriteTx<'_>,
    source_sha256: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "-- settle_quarantined
        UPDATE review SET text_due = 0 WHERE quarantine IN
            (SELECT id FROM quarantine WHERE source_sha256 = $1 AND settled_at IS NULL)";
    let query = sqlx::query(sql).bind(source_sha256.to_owned());
    query.execute(tx.connection()).await?;
    let sql = "-- settle_quarantined
        UPDATE quarantine SET settled_at = $1 WHERE source_sha256 = $2 AND settled_at IS NULL";
    sqlx::query(sql)
        .bind(text(now))
        .bind(source_sha256.to_owned())
        .execute(tx.connection())
        .await?;
    Ok(())
}

fn quarantined_of(row: &AnyRow) -> Result<Quarantined, StoreError> {
    let at: String = row.try_get("at")?;
    Ok(Quarantined {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        size_bytes: unsigned(row.try_get("size_bytes")?),
        code: row.try_get("code")?,
        reason: row.try_get("reason")?,
        at: time(&at)?,
        waits: row.try_get::<i64, _>("waits")? != 0,
    })
}
