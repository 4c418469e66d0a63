//! Text in pixels of what waits: whose turn it is to be looked at, what a look saw, and what was decided.
//!
//! A look names places and weights and no character of what was read; it is kept beyond its instance, so that a late one of the
//! same series is voted on with the others, and has an end. Whether a look is due stands in `review`, so that a crash forgets
//! nothing.

use arno_domain::audit::Act;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, any::AnyRow};

use super::{NodeStore, text, unsigned};
use crate::{StoreError, WriteTx};

/// Instances of a series that vote together; of a longer one, those that are due come first.
const VOTING: i64 = 4096;

/// An instance that waits to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLook {
    /// Its entry in quarantine.
    pub id: i64,
    /// SHA-256 of its bytes, by which its copy is named.
    pub source_sha256: String,
    /// Its name below the ingested folder.
    pub name: String,
    /// Size of the file.
    pub size_bytes: u64,
}

/// What a look at an instance saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLook {
    /// SHA-256 of its bytes.
    pub source_sha256: String,
    /// What was seen; the caller's, with a version.
    pub look_json: String,
    /// What was decided; the caller's, with a version.
    pub verdict_json: Option<String>,
    /// Its entry in quarantine, as long as it waits to be decided on.
    pub due: Option<i64>,
    /// Why it waits: a stable word.
    pub why: Option<String>,
    /// Whether it waits for anybody.
    pub waits: bool,
}

/// What was decided of an instance by what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextVerdict {
    /// Its entry in quarantine.
    pub id: i64,
    /// SHA-256 of its bytes.
    pub source_sha256: String,
    /// The caller's, with a version.
    pub verdict_json: String,
    /// Whether it comes in, or what a person is told who must look.
    pub fate: TextFate,
}

/// What becomes of an instance that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextFate {
    /// It comes in: due until it has.
    ComesIn,
    /// It waits for a person.
    Waits {
        /// Why, for people.
        reason: String,
        /// Whether text was found in it.
        found: bool,
    },
}

impl NodeStore {
    /// The series that has instances to look at and got none since `quiet_since`, the longest waiting first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_text_series(
        &self,
        quiet_since: DateTime<Utc>,
    ) -> Result<Option<String>, StoreError> {
        let sql = "-- next_text_series
            SELECT r.series AS series FROM review r JOIN quarantine q ON q.id = r.quarantine
            WHERE r.text_due = 1 AND q.settled_at IS NULL
            GROUP BY r.series HAVING MAX(q.at) <= $1 ORDER BY MIN(r.quarantine) LIMIT 1";
        let query = sqlx::query(sql).bind(text(quiet_since));
        let row = query.fetch_optional(self.database.pool()).await?;
        row.map(|row| Ok(row.try_get("series")?)).transpose()
    }

    /// How many instances wait to be looked at.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_text_due(&self) -> Result<u64, StoreError> {
        let sql = "-- count_text_due
            SELECT COUNT(*) AS due FROM review r JOIN quarantine q ON q.id = r.quarantine
            WHERE r.text_due = 1 AND q.settled_at IS NULL";
        let row = sqlx::query(sql).fetch_one(self.database.pool()).await?;
        Ok(unsigned(row.try_get("due")?))
    }

    /// Instances of a series that nobody has looked at yet, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unlooked(&self, series: &str) -> Result<Vec<DueLook>, StoreError> {
        let sql = "-- unlooked
            SELECT q.id AS id, q.source_sha256 AS source_sha256, q.name AS name, q.size_bytes AS size_bytes
            FROM review r JOIN quarantine q ON q.id = r.quarantine
            WHERE r.series = $1 AND r.text_due = 1 AND q.settled_at IS NULL
                AND NOT EXISTS (SELECT 1 FROM text_look t WHERE t.source_sha256 = q.source_sha256)
            ORDER BY q.id LIMIT $2";
        let query = sqlx::query(sql).bind(series.to_owned()).bind(VOTING);
        let rows = query.fetch_all(self.database.pool()).await?;
        rows.iter().map(due_of).collect()
    }

    /// Keeps what a look saw.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_text_look(
        &self,
        series: &str,
        source_sha256: &str,
        look_json: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        let sql = "-- put_text_look
            INSERT INTO text_look (source_sha256, series, look_json, looked_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (source_sha256) DO UPDATE SET look_json = excluded.look_json, looked_at = excluded.looked_at";
        let query = sqlx::query(sql)
            .bind(source_sha256.to_owned())
            .bind(series.to_owned())
            .bind(look_json.to_owned())
            .bind(text(now));
        query.execute(tx.connection()).await?;
        tx.commit().await
    }

    /// All that was seen of a series: of instances that wait to be decided on first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn text_looks(&self, series: &str) -> Result<Vec<TextLook>, StoreError> {
        let sql = "-- text_looks
            SELECT t.source_sha256 AS source_sha256, t.look_json AS look_json, t.verdict_json AS verdict_json,
                MAX(CASE WHEN r.text_due = 1 AND q.settled_at IS NULL THEN q.id END) AS due,
                MAX(CASE WHEN q.settled_at IS NULL THEN r.why END) AS why,
                MAX(CASE WHEN r.quarantine IS NOT NULL AND q.settled_at IS NULL THEN 1 ELSE 0 END) AS waits
            FROM text_look t LEFT JOIN quarantine q ON q.source_sha256 = t.source_sha256
                LEFT JOIN review r ON r.quarantine = q.id
            WHERE t.series = $1 GROUP BY t.source_sha256, t.look_json, t.verdict_json
            ORDER BY CASE WHEN MAX(CASE WHEN r.text_due = 1 AND q.settled_at IS NULL THEN q.id END) IS NULL THEN 1 ELSE 0 END,
                due, source_sha256 LIMIT $2";
        let query = sqlx::query(sql).bind(series.to_owned()).bind(VOTING);
        let rows = query.fetch_all(self.database.pool()).await?;
        rows.iter().map(look_of).collect()
    }

    /// Instances of a series that wait to be decided on, looked at or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_looks(&self, series: &str) -> Result<Vec<DueLook>, StoreError> {
        let sql = "-- due_looks
            SELECT q.id AS id, q.source_sha256 AS source_sha256, q.name AS name, q.size_bytes AS size_bytes
            FROM review r JOIN quarantine q ON q.id = r.quarantine
            WHERE r.series = $1 AND r.text_due = 1 AND q.settled_at IS NULL ORDER BY q.id LIMIT $2";
        let query = sqlx::query(sql).bind(series.to_owned()).bind(VOTING);
        let rows = query.fetch_all(self.database.pool()).await?;
        rows.iter().map(due_of).collect()
    }

    /// Records what was decided of instances of one series, before what comes in is taken in.
    ///
    /// # Errors
    /// When the database fails; then nothing was changed.
    pub async fn decide_text(
        &self,
        verdicts: &[TextVerdict],
        act: Act,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        for verdict in verdicts {
            put_verdict(&mut tx, verdict).await?;
        }
        tx.audit(now, act).await?;
        tx.commit().await
    }

    /// An instance at which a text finder has nothing to look waits for a person alone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn leave_to_person(&self, id: i64) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        no_longer_due(&mut tx, id).await?;
        tx.commit().await
    }

    /// What was decided of a source that waits, if it was looked at.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn text_verdict(&self, source_sha256: &str) -> Result<Option<String>, StoreError> {
        let sql = "-- text_verdict
            SELECT verdict_json FROM text_look WHERE source_sha256 = $1";
        let query = sqlx::query(sql).bind(source_sha256.to_owned());
        let row = query.fetch_optional(self.database.pool()).await?;
        Ok(row
            .map(|row| row.try_get("verdict_json"))
            .transpose()?
            .flatten())
    }

    /// Forgets looks from before `time` at what does not wait any longer. How many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_old_text_looks(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut tx = self.database.write().await?;
        let sql = "-- delete_old_text_looks
            DELETE FROM text_look WHERE looked_at < $1 AND NOT EXISTS
                (SELECT 1 FROM quarantine q WHERE q.source_sha256 = text_look.source_sha256 AND q.settled_at IS NULL)";
        let query = sqlx::query(sql).bind(text(before));
        let deleted = query.execute(tx.connection()).await?.rows_affected();
        tx.commit().await?;
        Ok(deleted)
    }
}

async fn put_verdict(tx: &mut WriteTx<'_>, verdict: &TextVerdict) -> Result<(), StoreError> {
    let sql = "-- put_verdict
        UPDATE text_look SET verdict_json = $1 WHERE source_sha256 = $2";
    let query = sqlx::query(sql)
        .bind(verdict.verdict_json.clone())
        .bind(verdict.source_sha256.clone());
    query.execute(tx.connection()).await?;
    let TextFate::Waits { reason, found } = &verdict.fate else {
        return Ok(());
    };
    let sql = "-- put_verdict
        UPDATE review SET text_due = 0, text_found = $1 WHERE quarantine = $2";
    let query = sqlx::query(sql).bind(i64::from(*found)).bind(verdict.id);
    query.execute(tx.connection()).await?;
    let sql = "-- put_verdict
        UPDATE quarantine SET code = 'needs_review', reason = $1 WHERE id = $2";
    let query = sqlx::query(sql).bind(reason.clone()).bind(verdict.id);
    query.execute(tx.connection()).await?;
    Ok(())
}

async fn no_longer_due(tx: &mut WriteTx<'_>, id: i64) -> Result<(), StoreError> {
    let sql = "-- no_longer_due
        UPDATE review SET text_due = 0 WHERE quarantine = $1";
    let query = sqlx::query(sql).bind(id);
    query.execute(tx.connection()).await?;
    Ok(())
}

/// What is to be looked at anew was not seen.
pub(super) async fn forget_look(
    tx: &mut WriteTx<'_>,
    source_sha256: &str,
) -> Result<(), StoreError> {
    let sql = "-- forget_look
        DELETE FROM text_look WHERE source_sha256 = $1";
    let query = sqlx::query(sql).bind(source_sha256.to_owned());
    query.execute(tx.connection()).await?;
    Ok(())
}

fn due_of(row: &AnyRow) -> Result<DueLook, StoreError> {
    Ok(DueLook {
        id: row.try_get("id")?,
        source_sha256: row.try_get("source_sha256")?,
        name: row.try_get("name")?,
        size_bytes: unsigned(row.try_get("size_bytes")?),
    })
}

fn look_of(row: &AnyRow) -> Result<TextLook, StoreError> {
    Ok(TextLook {
        source_sha256: row.try_get("source_sha256")?,
        look_json: row.try_get("look_json")?,
        verdict_json: row.try_get("verdict_json")?,
        due: row.try_get("due")?,
        why: row.try_get("why")?,
        waits: row.try_get::<i64, _>("waits")? != 0,
    })
}
