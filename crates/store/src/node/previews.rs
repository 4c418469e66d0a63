//! Previews of de-identification: what came beside what is kept, of one instance a series, until its time is over.
//!
//! They alone hold identities, so of a deleted one no byte stays: its place in the database is overwritten (`secure_delete` of every
//! connection, also of those that insert, which move rows from page to page), and the write-ahead log, which has it too, is cut off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arno_protocol::node::DeidentificationPreview;
use chrono::{DateTime, Utc};
use sqlx::Row as _;

use super::{NewPreview, NodeStore, from_json, json, text};
use crate::{StoreError, WriteTx};

/// Whether the write-ahead log may hold previews that were deleted. At start nobody knows.
#[derive(Debug, Clone)]
pub(super) struct Log {
    holds_deleted: Arc<AtomicBool>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            holds_deleted: Arc::new(AtomicBool::new(true)),
        }
    }
}

impl Log {
    /// Rows of a preview were deleted.
    pub(super) fn holds_deleted(&self) {
        self.holds_deleted.store(true, Ordering::Release);
    }
}

impl NodeStore {
    /// The preview of a series, while it is kept.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none or its time is over.
    pub async fn preview(
        &self,
        series_uid: &str,
        now: DateTime<Utc>,
    ) -> Result<DeidentificationPreview, StoreError> {
        let sql = "-- preview
            SELECT preview_json FROM preview WHERE series_uid = $1 AND kept_until > $2";
        let query = sqlx::query(sql).bind(series_uid.to_owned()).bind(text(now));
        let row = query.fetch_one(self.database.pool()).await;
        let row = row.map_err(|error| StoreError::from(error).about("preview"))?;
        from_json(&row.try_get::<String, _>("preview_json")?, "preview")
    }

    /// Deletes previews whose time is over, bytes and all, and what is left of those that went with their series.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_due_previews(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut tx = self.database.write().await?;
        let delete =
            sqlx::query("-- delete_due_previews\nDELETE FROM preview WHERE kept_until <= $1");
        let deleted = delete
            .bind(text(now))
            .execute(tx.connection())
            .await?
            .rows_affected();
        tx.commit().await?;
        if deleted > 0 {
            self.log.holds_deleted();
        }
        self.fold_log().await?;
        Ok(deleted)
    }

    /// Folds the log into the database and cuts it off. While somebody reads what is in it, it stays, and is tried again.
    async fn fold_log(&self) -> Result<(), StoreError> {
        if !self.log.holds_deleted.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let fold = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
        let row = fold.fetch_one(self.database.pool()).await;
        let is_busy = row.as_ref().map_or(Ok(true), |row| {
            row.try_get::<i64, _>("busy").map(|busy| busy != 0)
        });
        if is_busy.unwrap_or(true) {
            self.log.holds_deleted();
        }
        row?;
        Ok(())
    }
}

/// The first preview of a series stays.
pub(super) async fn insert_preview(
    tx: &mut WriteTx<'_>,
    preview: &NewPreview,
) -> Result<(), StoreError> {
    let sql = "-- insert_preview
        INSERT INTO preview (series_uid, preview_json, kept_until) VALUES ($1, $2, $3)
        ON CONFLICT (series_uid) DO NOTHING";
    let query = sqlx::query(sql)
        .bind(preview.series_uid.clone())
        .bind(json(&preview.preview, "preview")?)
        .bind(text(preview.kept_until));
    query.execute(tx.connection()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{DeidentificationPreview, NewPreview, NodeStore};
    use crate::node::IngestBatch;
    use chrono::{DateTime, Duration, Utc};
    use std::path::Path;

    /// Enough that the tree of the table grows over many pages, and rows move from one to another.
    const PREVIEWS: usize = 200;
    const BATCH: usize = 10;

    fn start() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::days(20_000)
    }

    /// The text that stands for an identity, once for each preview.
    fn planted(number: usize) -> String {
        format!("Planted{number:04}Name")
    }

    /// Every other one ends a day later. Some are short, some need pages of their own.
    fn preview(number: usize) -> NewPreview {
        let kept_until = start() + Duration::days(1 + i64::from(number % 2 == 1));
        NewPreview {
            series_uid: format!("2.25.{}", (number * 7919) % 100_003),
            preview: DeidentificationPreview {
                recipe: planted(number),
                edition: "x".repeat((number * 37) % 6000),
                options: vec![planted(number)],
                kept_until,
                elements: Vec::new(),
            },
            kept_until,
        }
    }

    /// Numbers of the previews of which something is in a file of the database.
    fn found(folder: &Path) -> Vec<usize> {
        let files = std::fs::read_dir(folder).unwrap();
        let bytes: Vec<u8> = files
            .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .collect();
        let text = String::from_utf8_lossy(&bytes);
        let is_in = |number: &usize| text.contains(&planted(*number));
        (0..PREVIEWS).filter(is_in).collect()
    }

    async fn filled(folder: &Path) -> NodeStore {
        let store = NodeStore::open(&folder.join("node.sqlite")).await.unwrap();
        let run = store.create_ingest_run("test", 0, start()).await.unwrap();
        let all: Vec<NewPreview> = (0..PREVIEWS).map(preview).collect();
        for previews in all.chunks(BATCH) {
            let batch = IngestBatch {
                previews: previews.to_vec(),
                ..IngestBatch::default()
            };
            store
                .commit_ingest_batch(run, &batch, start())
                .await
                .unwrap();
        }
        store
    }

    #[tokio::test]
    async fn no_byte_is_left_wherever_a_row_has_been() {
        let folder = tempfile::tempdir().unwrap();
        let store = filled(folder.path()).await;
        assert_eq!(found(folder.path()).len(), PREVIEWS, "while they are kept");
        let later = start() + Duration::days(1);
        assert_eq!(store.delete_due_previews(later).await.unwrap(), 100);
        let odd: Vec<usize> = (0..PREVIEWS).filter(|number| number % 2 == 1).collect();
        assert_eq!(found(folder.path()), odd, "the others are kept still");
        let last = start() + Duration::days(2);
        assert_eq!(store.delete_due_previews(last).await.unwrap(), 100);
        assert!(found(folder.path()).is_empty());
    }
}
