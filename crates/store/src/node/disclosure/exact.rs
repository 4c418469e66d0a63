//! The ledger of exact counts: what was counted under which permit. It costs nothing of any budget.

use arno_domain::{PermitId, QuestionId};
use chrono::{DateTime, Utc};
use sqlx::{Row as _, any::AnyRow};

use super::super::{NodeStore, text, time};
use crate::{StoreError, WriteTx};

/// A count that is about to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewExactCount {
    /// Who asks.
    pub data_user: String,
    /// The cohort as text.
    pub cohort: String,
    /// Fields of its facets; empty for none.
    pub facets: String,
}

/// A count that was said, for the data manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactEntry {
    /// The permit.
    pub permit: PermitId,
    /// Who asked.
    pub data_user: String,
    /// The cohort as text.
    pub cohort: String,
    /// Fields of its facets; empty for none.
    pub facets: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl NodeStore {
    /// The newest exact counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn exact_counts(&self, limit: u32) -> Result<Vec<ExactEntry>, StoreError> {
        let sql = "-- exact_counts
            SELECT permit, data_user, cohort, facets, at FROM exact_count ORDER BY at DESC LIMIT $1";
        let rows = sqlx::query(sql)
            .bind(i64::from(limit))
            .fetch_all(self.database.pool())
            .await?;
        rows.iter().map(entry).collect()
    }
}

/// Writes a count down, in the transaction that says it.
pub(in crate::node) async fn put_exact_count(
    tx: &mut WriteTx<'_>,
    question: QuestionId,
    (permit, count): (PermitId, &NewExactCount),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "-- put_exact_count
        INSERT INTO exact_count (question, permit, data_user, cohort, facets, at) VALUES ($1, $2, $3, $4, $5, $6)";
    sqlx::query(sql)
        .bind(question.to_string())
        .bind(permit.to_string())
        .bind(count.data_user.clone())
        .bind(count.cohort.clone())
        .bind(count.facets.clone())
        .bind(text(now))
        .execute(tx.connection())
        .await?;
    Ok(())
}

fn entry(row: &AnyRow) -> Result<ExactEntry, StoreError> {
    let permit: String = row.try_get("permit")?;
    Ok(ExactEntry {
        permit: permit
            .parse()
            .map_err(|_| StoreError::Corrupt { what: "permit id" })?,
        data_user: row.try_get("data_user")?,
        cohort: row.try_get("cohort")?,
        facets: row.try_get("facets")?,
        at: time(&row.try_get::<String, _>("at")?)?,
    })
}
