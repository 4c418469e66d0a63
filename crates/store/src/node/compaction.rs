//! What the index says of packs with dead records, and the moment at which a series moves to a new pack.

use sqlx::{Row as _, any::AnyRow};

use super::{NodeStore, PackLocation, catalogue::location_of, signed, unsigned};
use crate::StoreError;

/// A pack by the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackRow {
    /// The pack.
    pub pack: String,
    /// Its series.
    pub series_uid: String,
    /// Where it ends.
    pub end: u64,
    /// Bytes of deleted instances, and of the records that say so.
    pub dead_bytes: u64,
}

impl NodeStore {
    /// Packs with at least so many dead bytes and at least so many per cent of them, the worst first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn packs_to_compact(
        &self,
        dead_bytes: u64,
        dead_per_cent: u8,
        limit: u32,
    ) -> Result<Vec<PackRow>, StoreError> {
        let sql = "-- packs_to_compact
            SELECT pack, series_uid, end_offset, dead_bytes FROM pack
            WHERE dead_bytes >= $1 AND dead_bytes * 100 >= end_offset * $2 ORDER BY dead_bytes DESC LIMIT $3";
        let query = sqlx::query(sql)
            .bind(signed(dead_bytes.max(1)))
            .bind(i64::from(dead_per_cent))
            .bind(i64::from(limit));
        let rows = query.fetch_all(self.database.pool()).await?;
        rows.iter().map(pack_of).collect()
    }

    /// What the index knows of a pack.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pack(&self, pack: &str) -> Result<Option<PackRow>, StoreError> {
        let sql =
            "-- pack\nSELECT pack, series_uid, end_offset, dead_bytes FROM pack WHERE pack = $1";
        let query = sqlx::query(sql).bind(pack.to_owned());
        let row = query.fetch_optional(self.database.pool()).await?;
        row.as_ref().map(pack_of).transpose()
    }

    /// The instances of a pack of a series, in the order of the pack.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pack_records(
        &self,
        series_uid: &str,
        pack: &str,
    ) -> Result<Vec<(String, PackLocation)>, StoreError> {
        let sql = "-- pack_records
            SELECT instance_uid, pack, pack_offset, length, metadata_length, sha256 FROM instance
            WHERE series_uid = $1 AND pack = $2 ORDER BY pack_offset";
        let query = sqlx::query(sql)
            .bind(series_uid.to_owned())
            .bind(pack.to_owned());
        let rows = query.fetch_all(self.database.pool()).await?;
        rows.iter()
            .map(|row| Ok((row.try_get("instance_uid")?, location_of(row)?)))
            .collect()
    }

    /// A pack is about to be made: until the index points into it, it is one to remove.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn announce_pack(&self, pack: &str) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        let sql = "-- announce_pack
            INSERT INTO pack_to_remove (pack) VALUES ($1) ON CONFLICT (pack) DO NOTHING";
        let insert = sqlx::query(sql).bind(pack.to_owned());
        insert.execute(tx.connection()).await?;
        tx.commit().await
    }

    /// The index points into the new pack from now on, and the old one is to be removed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the old pack has grown meanwhile; then nothing was changed.
    pub async fn switch_pack(
        &self,
        old: &PackRow,
        new: &str,
        moved: &[(String, PackLocation)],
    ) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        let end = moved.last().map_or(0, |(_, location)| location.end());
        let sql = "-- switch_pack
            UPDATE pack SET pack = $1, end_offset = $2, dead_bytes = 0 WHERE pack = $3 AND end_offset = $4";
        let update = sqlx::query(sql)
            .bind(new.to_owned())
            .bind(signed(end))
            .bind(old.pack.clone())
            .bind(signed(old.end));
        if update.execute(tx.connection()).await?.rows_affected() != 1 {
            return Err(StoreError::Conflict { what: "pack" });
        }
        for (instance_uid, location) in moved {
            let sql = "-- switch_pack
                UPDATE instance SET pack = $1, pack_offset = $2 WHERE instance_uid = $3";
            let update = sqlx::query(sql)
                .bind(new.to_owned())
                .bind(signed(location.offset))
                .bind(instance_uid.clone());
            update.execute(tx.connection()).await?;
        }
        let delete = sqlx::query("-- switch_pack\nDELETE FROM pack_to_remove WHERE pack = $1");
        delete.bind(new.to_owned()).execute(tx.connection()).await?;
        let insert = sqlx::query("-- switch_pack\nINSERT INTO pack_to_remove (pack) VALUES ($1)");
        insert
            .bind(old.pack.clone())
            .execute(tx.connection())
            .await?;
        tx.commit().await
    }
}

fn pack_of(row: &AnyRow) -> Result<PackRow, StoreError> {
    Ok(PackRow {
        pack: row.try_get("pack")?,
        series_uid: row.try_get("series_uid")?,
        end: unsigned(row.try_get("end_offset")?),
        dead_bytes: unsigned(row.try_get("dead_bytes")?),
    })
}
