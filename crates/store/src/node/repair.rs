//! Rows that come back from packs alone.

use std::collections::BTreeSet;

use arno_domain::audit::Act;
use chrono::{DateTime, Utc};
use sqlx::Row as _;

use super::{IngestBatch, NodeStore, commit, many::select_in, signed};
use crate::StoreError;

impl NodeStore {
    /// Adds rows of instances whose bytes were found in packs, and records it.
    ///
    /// # Errors
    /// When the database fails; then nothing was changed.
    pub async fn restore_rows(
        &self,
        batch: &IngestBatch,
        act: Act,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        commit::put_images(&mut tx, batch, now).await?;
        super::acquisition::forget_acquisitions(&mut tx, &batch.series).await?;
        let patients = batch.patients.iter();
        self.change(&mut tx, patients.map(|patient| patient.pseudonym.clone()))
            .await?;
        commit::put_sources(&mut tx, &batch.sources, now).await?;
        tx.audit(now, act).await?;
        tx.commit().await
    }

    /// A pack ends at least there, so that nothing before is ever overwritten. `dead_bytes` is what of it nobody needs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn restore_pack(
        &self,
        pack: &str,
        series_uid: &str,
        end: u64,
        dead_bytes: u64,
    ) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        let sql = "-- restore_pack
            INSERT INTO pack (pack, series_uid, end_offset, dead_bytes) VALUES ($1, $2, $3, $4)
            ON CONFLICT (series_uid) DO UPDATE SET pack = excluded.pack, end_offset = excluded.end_offset,
                dead_bytes = excluded.dead_bytes";
        let query = sqlx::query(sql)
            .bind(pack.to_owned())
            .bind(series_uid.to_owned())
            .bind(signed(end))
            .bind(signed(dead_bytes));
        query.execute(tx.connection()).await?;
        tx.commit().await
    }

    /// Which of these sources the index says were stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stored_sources(&self, digests: &[String]) -> Result<BTreeSet<String>, StoreError> {
        let sql = "-- stored_sources
            SELECT sha256 FROM source_file WHERE fate = 'stored' AND sha256 IN";
        let mut connection = self.database.pool().acquire().await?;
        let rows = select_in(&mut connection, sql, digests).await?;
        rows.iter().map(|row| Ok(row.try_get("sha256")?)).collect()
    }
}
