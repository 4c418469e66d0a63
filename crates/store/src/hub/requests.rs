//! Access requests, their decisions, and the permits that came of them.

use arno_domain::{PermitId, RequestId, permit::SignedPermit};
use arno_protocol::requests::{AccessRequest, RequestState};
use sqlx::{Row as _, any::AnyRow};

use super::{json_column, json_text, optional_json_column, parsed_column, time_text};
use crate::{Database, StoreError, WriteTx};

/// Keeps a request.
///
/// # Errors
/// When the database fails.
pub async fn create_request(
    tx: &mut WriteTx<'_>,
    request: &AccessRequest,
) -> Result<(), StoreError> {
    let sql = "-- create_request
        INSERT INTO access_request (id, submitted_by, submitted_at, asked, proposed_permit, permit, state)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    sqlx::query(sql)
        .bind(request.id.to_string())
        .bind(request.submitted_by.clone())
        .bind(time_text(request.submitted_at))
        .bind(json_text("access request", &request.asked)?)
        .bind(json_text("permit", &request.proposed_permit)?)
        .bind(request.proposed_permit.id.to_string())
        .bind(json_text("decision", &request.state)?)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// One request.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none with this id.
pub async fn request(database: &Database, id: RequestId) -> Result<AccessRequest, StoreError> {
    let sql = "-- request
        SELECT * FROM access_request WHERE id = $1";
    let row = sqlx::query(sql)
        .bind(id.to_string())
        .fetch_optional(database.pool())
        .await?;
    request_of(&row.ok_or(StoreError::NotFound {
        what: "access request",
    })?)
}

/// The request whose proposed or granted permit has this id.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub async fn request_of_permit(
    database: &Database,
    permit: PermitId,
) -> Result<AccessRequest, StoreError> {
    let sql = "-- request_of_permit
        SELECT * FROM access_request WHERE permit = $1";
    let row = sqlx::query(sql)
        .bind(permit.to_string())
        .fetch_optional(database.pool())
        .await?;
    request_of(&row.ok_or(StoreError::NotFound { what: "permit" })?)
}

/// The newest requests, newest first; of one account, or of all.
///
/// # Errors
/// When the database fails.
pub async fn requests(
    database: &Database,
    submitted_by: Option<&str>,
    limit: u32,
) -> Result<Vec<AccessRequest>, StoreError> {
    let sql = "-- requests
        SELECT * FROM access_request WHERE $1 = '' OR submitted_by = $1
        ORDER BY submitted_at DESC, id DESC LIMIT $2";
    let query = sqlx::query(sql)
        .bind(submitted_by.unwrap_or_default().to_owned())
        .bind(i64::from(limit));
    query
        .fetch_all(database.pool())
        .await?
        .iter()
        .map(request_of)
        .collect()
}

/// Writes a decision or a revocation, if the request still stands as it was read.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody else decided meanwhile.
pub async fn decide_request(
    tx: &mut WriteTx<'_>,
    request: &AccessRequest,
    next: &RequestState,
) -> Result<(), StoreError> {
    let sql = "-- decide_request
        UPDATE access_request SET state = $3, signed_permit = COALESCE($4, signed_permit)
        WHERE id = $1 AND state = $2";
    let signed = match next {
        RequestState::Granted { signed, .. } => Some(json_text("permit", signed)?),
        RequestState::InReview | RequestState::Refused { .. } | RequestState::Revoked { .. } => {
            None
        }
    };
    let done = sqlx::query(sql)
        .bind(request.id.to_string())
        .bind(json_text("decision", &request.state)?)
        .bind(json_text("decision", next)?)
        .bind(signed)
        .execute(tx.connection())
        .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict { what: "decision" })
    }
}

/// A permit that was granted, also when it was revoked later.
///
/// # Errors
/// [`StoreError::NotFound`] when none was granted under this id.
pub async fn signed_permit(database: &Database, id: PermitId) -> Result<SignedPermit, StoreError> {
    let sql = "-- signed_permit
        SELECT signed_permit FROM access_request WHERE permit = $1";
    let row = sqlx::query(sql)
        .bind(id.to_string())
        .fetch_optional(database.pool())
        .await?;
    let signed = row
        .as_ref()
        .map(|row| optional_json_column(row, "signed_permit"))
        .transpose()?;
    signed
        .flatten()
        .ok_or(StoreError::NotFound { what: "permit" })
}

fn request_of(row: &AnyRow) -> Result<AccessRequest, StoreError> {
    Ok(AccessRequest {
        id: parsed_column(row, "id")?,
        submitted_by: row.try_get("submitted_by")?,
        submitted_at: parsed_column(row, "submitted_at")?,
        asked: json_column(row, "asked")?,
        proposed_permit: json_column(row, "proposed_permit")?,
        state: json_column(row, "state")?,
    })
}
