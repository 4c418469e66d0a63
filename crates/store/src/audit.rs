//! The audit log: an entry is written in the same transaction as the act it records.

use arno_domain::audit::{Act, AuditEntry, GENESIS, Outcome, first_break};
use arno_protocol::catalogue::AuditLog;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, any::AnyRow};

use crate::{Database, StoreError, WriteTx};

/// Entries that are checked at a time, so that a long log takes bounded memory.
const PAGE: i64 = 1000;

impl Database {
    /// The newest entries and whether the whole chain holds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_log(&self, limit: u32) -> Result<AuditLog, StoreError> {
        let sql = "-- audit_log
            SELECT * FROM audit_entry ORDER BY sequence DESC LIMIT $1";
        let rows = sqlx::query(sql)
            .bind(i64::from(limit))
            .fetch_all(self.pool())
            .await?;
        let entries = rows.iter().map(entry_of).collect::<Result<Vec<_>, _>>()?;
        let length = entries.first().map_or(0, |entry| entry.sequence);
        Ok(AuditLog {
            entries,
            length,
            first_break: self.audit_break().await?,
        })
    }

    /// The first entry that does not follow from the one before; `None` when the chain holds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_break(&self) -> Result<Option<i64>, StoreError> {
        let (mut sequence, mut digest) = (0, GENESIS.to_owned());
        loop {
            let sql = "-- audit_break
                SELECT * FROM audit_entry WHERE sequence > $1 ORDER BY sequence LIMIT $2";
            let rows = sqlx::query(sql)
                .bind(sequence)
                .bind(PAGE)
                .fetch_all(self.pool())
                .await?;
            let entries = rows.iter().map(entry_of).collect::<Result<Vec<_>, _>>()?;
            let found = first_break(&entries, (sequence, &digest));
            let Some(last) = entries.last().filter(|_| found.is_none()) else {
                return Ok(found);
            };
            sequence = last.sequence;
            digest.clone_from(&last.sha256);
        }
    }
}

impl WriteTx<'_> {
    /// Records an act.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(&mut self, now: DateTime<Utc>, act: Act) -> Result<(), StoreError> {
        let sql = "-- audit
            SELECT sequence, sha256 FROM audit_entry ORDER BY sequence DESC LIMIT 1";
        let last = sqlx::query(sql).fetch_optional(self.connection()).await?;
        let (sequence, digest) = match &last {
            Some(row) => (row.try_get("sequence")?, row.try_get("sha256")?),
            None => (0, GENESIS.to_owned()),
        };
        self.insert_audit_entry(&AuditEntry::after((sequence, &digest), now, act))
            .await
    }

    async fn insert_audit_entry(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        let sql = "-- audit
            INSERT INTO audit_entry
                (sequence, at, actor, action, subject, outcome, detail, previous_sha256, sha256)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        sqlx::query(sql)
            .bind(entry.sequence)
            .bind(entry.at.to_rfc3339())
            .bind(entry.actor.clone())
            .bind(entry.action.clone())
            .bind(entry.subject.clone())
            .bind(entry.outcome.as_str())
            .bind(entry.detail.clone())
            .bind(entry.previous_sha256.clone())
            .bind(entry.sha256.clone())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

fn entry_of(row: &AnyRow) -> Result<AuditEntry, StoreError> {
    let corrupt = || StoreError::Corrupt {
        what: "audit entry",
    };
    let (at, outcome): (String, String) = (row.try_get("at")?, row.try_get("outcome")?);
    let outcomes = [Outcome::Done, Outcome::Refused, Outcome::Failed];
    Ok(AuditEntry {
        sequence: row.try_get("sequence")?,
        at: DateTime::parse_from_rfc3339(&at)
            .map_err(|_| corrupt())?
            .with_timezone(&Utc),
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        subject: row.try_get("subject")?,
        outcome: outcomes
            .into_iter()
            .find(|known| known.as_str() == outcome)
            .ok_or_else(corrupt)?,
        detail: row.try_get("detail")?,
        previous_sha256: row.try_get("previous_sha256")?,
        sha256: row.try_get("sha256")?,
    })
}

#[cfg(test)]
mod tests {
    use arno_domain::audit::{Act, Outcome};
    use chrono::Utc;

    use crate::Database;

    async fn log_of(count: usize) -> Database {
        let database = Database::in_memory(&[]).await.unwrap();
        for number in 0..count {
            let mut tx = database.write().await.unwrap();
            let act = Act {
                actor: "arno".into(),
                action: "search".into(),
                subject: number.to_string(),
                outcome: Outcome::Done,
                detail: String::new(),
            };
            tx.audit(Utc::now(), act).await.unwrap();
            tx.commit().await.unwrap();
        }
        database
    }

    #[tokio::test]
    async fn entries_come_back_newest_first_and_hold() {
        let log = log_of(3).await.audit_log(2).await.unwrap();
        assert_eq!(
            log.entries
                .iter()
                .map(|entry| entry.sequence)
                .collect::<Vec<_>>(),
            [3, 2]
        );
        assert_eq!((log.length, log.first_break), (3, None));
    }

    #[tokio::test]
    async fn a_changed_row_shows() {
        let database = log_of(1002).await;
        let sql = "UPDATE audit_entry SET detail = 'nothing' WHERE sequence = 1001";
        sqlx::query(sql).execute(database.pool()).await.unwrap();
        assert_eq!(database.audit_break().await.unwrap(), Some(1001));
    }

    #[tokio::test]
    async fn an_act_that_is_not_committed_leaves_no_entry() {
        let database = log_of(1).await;
        let mut tx = database.write().await.unwrap();
        tx.set_setting("name", "value").await.unwrap();
        drop(tx);
        assert_eq!(database.setting("name").await.unwrap(), None);
        assert_eq!(database.audit_log(10).await.unwrap().length, 1);
    }
}
