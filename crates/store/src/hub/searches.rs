//! Federated searches. The sites' answers stand with their questions.

use arno_domain::{PermitId, SearchId, cohort::Cohort};
use arno_protocol::search::SearchTotal;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, any::AnyRow};

use super::{json_column, json_text, optional_parsed_column, parsed_column, time_text};
use crate::{Database, StoreError, WriteTx};

/// A search as it was asked.
#[derive(Debug, Clone)]
pub struct StoredSearch {
    /// Its id.
    pub id: SearchId,
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub asked_at: DateTime<Utc>,
    /// After this no answer is awaited.
    pub expires_at: DateTime<Utc>,
    /// The cohort as text.
    pub text: String,
    /// The cohort as a tree.
    pub cohort: Cohort,
    /// SHA-256 of its normal form.
    pub digest: String,
    /// The permit that it counts exactly under.
    pub permit: Option<PermitId>,
}

/// Keeps a search.
///
/// # Errors
/// When the database fails.
pub async fn create_search(tx: &mut WriteTx<'_>, search: &StoredSearch) -> Result<(), StoreError> {
    let sql = "-- create_search
        INSERT INTO search (id, asked_by, asked_at, expires_at, text, cohort, digest, permit)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(sql)
        .bind(search.id.to_string())
        .bind(search.asked_by.clone())
        .bind(time_text(search.asked_at))
        .bind(time_text(search.expires_at))
        .bind(search.text.clone())
        .bind(json_text("cohort", &search.cohort)?)
        .bind(search.digest.clone())
        .bind(search.permit.map(|permit| permit.to_string()))
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// One search.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none with this id.
pub async fn search(database: &Database, id: SearchId) -> Result<StoredSearch, StoreError> {
    let sql = "-- search
        SELECT * FROM search WHERE id = $1";
    let row = sqlx::query(sql)
        .bind(id.to_string())
        .fetch_optional(database.pool())
        .await?;
    search_of(&row.ok_or(StoreError::NotFound { what: "search" })?)
}

/// The newest searches of one account, newest first.
///
/// # Errors
/// When the database fails.
pub async fn searches(
    database: &Database,
    asked_by: &str,
    limit: u32,
) -> Result<Vec<StoredSearch>, StoreError> {
    let sql = "-- searches
        SELECT * FROM search WHERE asked_by = $1 ORDER BY asked_at DESC, id DESC LIMIT $2";
    let query = sqlx::query(sql)
        .bind(asked_by.to_owned())
        .bind(i64::from(limit));
    query
        .fetch_all(database.pool())
        .await?
        .iter()
        .map(search_of)
        .collect()
}

/// The newest search for the same cohort by the same account since a time, of those without a permit: what a permit opens is asked
/// anew each time, because it may have been revoked.
///
/// # Errors
/// When the database fails.
pub async fn same_search(
    database: &Database,
    asked_by: &str,
    digest: &str,
    since: DateTime<Utc>,
) -> Result<Option<StoredSearch>, StoreError> {
    let sql = "-- same_search
        SELECT * FROM search WHERE asked_by = $1 AND asked_at > $2 AND digest = $3 AND permit IS NULL
        ORDER BY asked_at DESC LIMIT 1";
    let query = sqlx::query(sql)
        .bind(asked_by.to_owned())
        .bind(time_text(since))
        .bind(digest.to_owned());
    query
        .fetch_optional(database.pool())
        .await?
        .as_ref()
        .map(search_of)
        .transpose()
}

/// Keeps the total of a search; the first stays.
///
/// # Errors
/// When the database fails.
pub async fn put_total(
    tx: &mut WriteTx<'_>,
    search: SearchId,
    total: &SearchTotal,
) -> Result<(), StoreError> {
    let sql = "-- put_total
        INSERT INTO search_total (search, total) VALUES ($1, $2) ON CONFLICT (search) DO NOTHING";
    sqlx::query(sql)
        .bind(search.to_string())
        .bind(json_text("total", total)?)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// The total of a search, once there is one.
///
/// # Errors
/// When the database fails.
pub async fn total(
    database: &Database,
    search: SearchId,
) -> Result<Option<SearchTotal>, StoreError> {
    let sql = "-- total
        SELECT total FROM search_total WHERE search = $1";
    let row = sqlx::query(sql)
        .bind(search.to_string())
        .fetch_optional(database.pool())
        .await?;
    row.as_ref()
        .map(|row| json_column(row, "total"))
        .transpose()
}

/// The cohort with this id, if anybody asked it.
///
/// # Errors
/// [`StoreError::NotFound`] when nobody did.
pub async fn cohort(database: &Database, digest: &str) -> Result<Cohort, StoreError> {
    let sql = "-- cohort
        SELECT cohort FROM search WHERE digest = $1 ORDER BY asked_at DESC LIMIT 1";
    let query = sqlx::query(sql).bind(digest.to_owned());
    let row = query.fetch_optional(database.pool()).await?;
    json_column(
        &row.ok_or(StoreError::NotFound { what: "cohort" })?,
        "cohort",
    )
}

fn search_of(row: &AnyRow) -> Result<StoredSearch, StoreError> {
    Ok(StoredSearch {
        id: parsed_column(row, "id")?,
        asked_by: row.try_get("asked_by")?,
        asked_at: parsed_column(row, "asked_at")?,
        expires_at: parsed_column(row, "expires_at")?,
        text: row.try_get("text")?,
        cohort: json_column(row, "cohort")?,
        digest: row.try_get("digest")?,
        permit: optional_parsed_column(row, "permit")?,
    })
}
