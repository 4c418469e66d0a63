//! Series that wait because they can show a face, and what was found when somebody looked for it: where it is, or why it is not
//! removed by a program. What is found once holds for slices that come later. Instances in which text was found wait for a person.

use chrono::{DateTime, Utc};
use sqlx::Row as _;

use super::{NodeStore, signed, text, time, unsigned};
use crate::StoreError;

/// Series that are worked on at a time; the rest comes up as these are decided.
const LISTED: i64 = 1000;

/// A series of which instances wait because it can show a face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaceSeries {
    /// Series Instance UID under which it would be kept.
    pub series: String,
    /// How many instances wait.
    pub waiting: u64,
    /// When the last of them came.
    pub newest: DateTime<Utc>,
}

/// What was found in a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaceFound {
    /// Where the face is, as the caller wrote it.
    Cut(String),
    /// Why it is not removed by a program.
    WhyNot(String),
}

impl NodeStore {
    /// Series that can show a face, of which other instances wait than when they were worked on last; the longest waiting
    /// first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn faces_due(&self) -> Result<Vec<FaceSeries>, StoreError> {
        let sql = "-- faces_due
            SELECT w.series AS series, w.waiting AS waiting, w.newest AS newest
            FROM (SELECT r.series AS series, COUNT(*) AS waiting, MAX(q.at) AS newest, MIN(r.quarantine) AS first
                FROM review r JOIN quarantine q ON q.id = r.quarantine
                WHERE q.settled_at IS NULL AND r.why = 'face' AND r.text_found = 0 GROUP BY r.series) w
            LEFT JOIN face f ON f.series = w.series
            WHERE f.series IS NULL OR f.waiting <> w.waiting ORDER BY w.first LIMIT $1";
        let rows = sqlx::query(sql)
            .bind(LISTED)
            .fetch_all(self.database.pool())
            .await?;
        let series = |row: &sqlx::any::AnyRow| {
            let newest: String = row.try_get("newest")?;
            Ok(FaceSeries {
                series: row.try_get("series")?,
                waiting: unsigned(row.try_get("waiting")?),
                newest: time(&newest)?,
            })
        };
        rows.iter().map(series).collect()
    }

    /// Numbers of the instances of a series that wait because it can show a face.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn faces_waiting(&self, series: &str) -> Result<Vec<i64>, StoreError> {
        let sql = "-- faces_waiting
            SELECT r.quarantine AS id FROM review r JOIN quarantine q ON q.id = r.quarantine
            WHERE q.settled_at IS NULL AND r.why = 'face' AND r.text_found = 0 AND r.series = $1 ORDER BY r.quarantine";
        let query = sqlx::query(sql).bind(series.to_owned());
        let rows = query.fetch_all(self.database.pool()).await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// What was found in a series; a reason why not counts only as long as the same number of instances waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn face(&self, series: &str, waiting: u64) -> Result<Option<FaceFound>, StoreError> {
        let sql = "-- face
            SELECT cut_json, why_not FROM face WHERE series = $1 AND (cut_json IS NOT NULL OR waiting = $2)";
        let query = sqlx::query(sql)
            .bind(series.to_owned())
            .bind(signed(waiting));
        let Some(row) = query.fetch_optional(self.database.pool()).await? else {
            return Ok(None);
        };
        let cut: Option<String> = row.try_get("cut_json")?;
        let why_not: Option<String> = row.try_get("why_not")?;
        match (cut, why_not) {
            (Some(cut), _) => Ok(Some(FaceFound::Cut(cut))),
            (None, Some(why_not)) => Ok(Some(FaceFound::WhyNot(why_not))),
            (None, None) => Err(StoreError::Corrupt { what: "face" }),
        }
    }

    /// Keeps what was found in a series, and that so many instances of it need not be worked on again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_face(
        &self,
        series: &str,
        found: &FaceFound,
        waiting: u64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (cut, why_not) = match found {
            FaceFound::Cut(cut) => (Some(cut.clone()), None),
            FaceFound::WhyNot(why_not) => (None, Some(why_not.clone())),
        };
        let mut tx = self.database.write().await?;
        let sql = "-- put_face
            INSERT INTO face (series, cut_json, why_not, waiting, found_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (series) DO UPDATE SET cut_json = excluded.cut_json, why_not = excluded.why_not,
                waiting = excluded.waiting, found_at = excluded.found_at";
        sqlx::query(sql)
            .bind(series.to_owned())
            .bind(cut)
            .bind(why_not)
            .bind(signed(waiting))
            .bind(text(now))
            .execute(tx.connection())
            .await?;
        tx.commit().await
    }
}
