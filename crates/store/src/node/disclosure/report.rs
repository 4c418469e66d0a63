//! The ledger as the data manager reads it: who spent what, for which questions, and the alarms.

use arno_domain::disclosure::NanoRho;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, any::AnyRow};

use super::super::{NodeStore, text, time, unsigned};
use crate::StoreError;

/// Whom an alarm about all of them names: no account has an empty name.
pub(super) const ALL_DATA_USERS: &str = "";

/// What one data user spent, for the data manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spender {
    /// The account at the hub.
    pub data_user: String,
    /// Spent since the period's beginning.
    pub spent: NanoRho,
    /// Questions in that time.
    pub questions: u64,
    /// How many of them were suspicious.
    pub suspicious: u64,
    /// The newest.
    pub last_at: DateTime<Utc>,
}

/// A question in the ledger, for the data manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Who asked.
    pub data_user: String,
    /// The cohort as text.
    pub cohort: String,
    /// `site` or `total`.
    pub kind: String,
    /// What it cost.
    pub price: NanoRho,
    /// Why it is suspicious, if it is.
    pub suspicion: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// An alarm for the data manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Who asked; `None` for all data users together.
    pub data_user: Option<String>,
    /// Suspicious questions when it was raised.
    pub suspicious: u64,
    /// When.
    pub at: DateTime<Utc>,
}

impl NodeStore {
    /// Data users with what they spent since a time, those who spent most first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spenders(
        &self,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Spender>, StoreError> {
        let sql = "-- spenders
            SELECT data_user, CAST(SUM(nano_rho) AS BIGINT) AS spent, COUNT(*) AS questions,
                COUNT(suspicion) AS suspicious, MAX(at) AS last_at
            FROM disclosure_charge WHERE at > $1 GROUP BY data_user ORDER BY spent DESC, data_user LIMIT $2";
        let rows = sqlx::query(sql)
            .bind(text(since))
            .bind(i64::from(limit))
            .fetch_all(self.database.pool())
            .await?;
        let spender = |row: &AnyRow| {
            Ok(Spender {
                data_user: row.try_get("data_user")?,
                spent: NanoRho(unsigned(row.try_get("spent")?)),
                questions: unsigned(row.try_get("questions")?),
                suspicious: unsigned(row.try_get("suspicious")?),
                last_at: time(&row.try_get::<String, _>("last_at")?)?,
            })
        };
        rows.iter().map(spender).collect()
    }

    /// The newest questions that cost something.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ledger(&self, limit: u32) -> Result<Vec<LedgerEntry>, StoreError> {
        let sql = "-- ledger
            SELECT c.data_user AS data_user, r.cohort AS cohort, r.kind AS kind, c.nano_rho AS nano_rho,
                c.suspicion AS suspicion, c.at AS at
            FROM disclosure_charge c
            JOIN disclosure_release r ON r.form = c.form AND r.data_version = c.data_version
            ORDER BY c.at DESC LIMIT $1";
        let rows = sqlx::query(sql)
            .bind(i64::from(limit))
            .fetch_all(self.database.pool())
            .await?;
        let entry = |row: &AnyRow| {
            Ok(LedgerEntry {
                data_user: row.try_get("data_user")?,
                cohort: row.try_get("cohort")?,
                kind: row.try_get("kind")?,
                price: NanoRho(unsigned(row.try_get("nano_rho")?)),
                suspicion: row.try_get("suspicion")?,
                at: time(&row.try_get::<String, _>("at")?)?,
            })
        };
        rows.iter().map(entry).collect()
    }

    /// The newest alarms since a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alarms(&self, since: DateTime<Utc>, limit: u32) -> Result<Vec<Alarm>, StoreError> {
        let sql = "-- alarms
            SELECT data_user, suspicious, at FROM disclosure_alarm WHERE at > $1 ORDER BY at DESC LIMIT $2";
        let rows = sqlx::query(sql)
            .bind(text(since))
            .bind(i64::from(limit))
            .fetch_all(self.database.pool())
            .await?;
        let alarm = |row: &AnyRow| {
            let data_user: String = row.try_get("data_user")?;
            Ok(Alarm {
                data_user: Some(data_user).filter(|name| name != ALL_DATA_USERS),
                suspicious: unsigned(row.try_get("suspicious")?),
                at: time(&row.try_get::<String, _>("at")?)?,
            })
        };
        rows.iter().map(alarm).collect()
    }
}
