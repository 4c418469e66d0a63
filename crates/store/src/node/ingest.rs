//! The runs of an ingest.

use arno_domain::audit::Act;
use arno_protocol::node::IngestRun;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, any::AnyRow};

use super::{NodeStore, signed, text, time, unsigned};
use crate::StoreError;

/// Runs that are listed.
const RUNS_LISTED: i64 = 50;

impl NodeStore {
    /// Begins a run over a folder.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_ingest_run(
        &self,
        source: &str,
        files: u64,
        now: DateTime<Utc>,
    ) -> Result<i64, StoreError> {
        let mut tx = self.database.write().await?;
        let next = sqlx::query(
            "-- create_ingest_run\nSELECT COALESCE(MAX(id), 0) + 1 AS id FROM ingest_run",
        );
        let id: i64 = next.fetch_one(tx.connection()).await?.try_get("id")?;
        let sql = "-- create_ingest_run
            INSERT INTO ingest_run (id, source, started_at, files, stored, unchanged, quarantined, readings)
            VALUES ($1, $2, $3, $4, 0, 0, 0, 0)";
        let insert = sqlx::query(sql)
            .bind(id)
            .bind(source.to_owned())
            .bind(text(now))
            .bind(signed(files));
        insert.execute(tx.connection()).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Ends a run and records it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_ingest_run(
        &self,
        run: i64,
        act: Act,
        now: DateTime<Utc>,
    ) -> Result<IngestRun, StoreError> {
        let mut tx = self.database.write().await?;
        let update = sqlx::query(
            "-- finish_ingest_run\nUPDATE ingest_run SET finished_at = $1 WHERE id = $2",
        );
        update
            .bind(text(now))
            .bind(run)
            .execute(tx.connection())
            .await?;
        tx.audit(now, act).await?;
        let select =
            sqlx::query("-- finish_ingest_run\nSELECT * FROM ingest_run WHERE id = $1").bind(run);
        let row = select.fetch_one(tx.connection()).await?;
        tx.commit().await?;
        run_of(&row)
    }

    /// One run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of that number.
    pub async fn ingest_run(&self, run: i64) -> Result<IngestRun, StoreError> {
        let select = sqlx::query("-- ingest_run\nSELECT * FROM ingest_run WHERE id = $1").bind(run);
        let row = select.fetch_one(self.database.pool()).await;
        run_of(&row.map_err(|error| StoreError::from(error).about("ingest run"))?)
    }

    /// The newest runs, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_ingest_runs(&self) -> Result<Vec<IngestRun>, StoreError> {
        let select =
            sqlx::query("-- list_ingest_runs\nSELECT * FROM ingest_run ORDER BY id DESC LIMIT $1");
        let rows = select
            .bind(RUNS_LISTED)
            .fetch_all(self.database.pool())
            .await?;
        rows.iter().map(run_of).collect()
    }
}

fn run_of(row: &AnyRow) -> Result<IngestRun, StoreError> {
    let finished_at: Option<String> = row.try_get("finished_at")?;
    let started_at: String = row.try_get("started_at")?;
    Ok(IngestRun {
        id: row.try_get("id")?,
        source: row.try_get("source")?,
        started_at: time(&started_at)?,
        finished_at: finished_at.as_deref().map(time).transpose()?,
        files: unsigned(row.try_get("files")?),
        stored: unsigned(row.try_get("stored")?),
        unchanged: unsigned(row.try_get("unchanged")?),
        quarantined: unsigned(row.try_get("quarantined")?),
        readings: unsigned(row.try_get("readings")?),
    })
}
