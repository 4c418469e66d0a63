//! Invitations: the code is kept as SHA-256 only, and used once.

use arno_domain::{InvitationId, NodeId};
use chrono::{DateTime, Utc};
use sqlx::Row as _;

use super::time_text;
use crate::{StoreError, WriteTx};

/// An invitation to be kept.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// Its id.
    pub id: InvitationId,
    /// SHA-256 of the code, hexadecimal.
    pub code_sha256: String,
    /// For whom.
    pub note: String,
    /// Who issued it.
    pub issued_by: String,
    /// When.
    pub issued_at: DateTime<Utc>,
    /// Until when it can be used.
    pub expires_at: DateTime<Utc>,
}

/// Keeps an invitation.
///
/// # Errors
/// When the database fails.
pub async fn create_invitation(
    tx: &mut WriteTx<'_>,
    new: &NewInvitation,
) -> Result<(), StoreError> {
    let sql = "-- create_invitation
        INSERT INTO invitation (code_sha256, id, note, issued_by, issued_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    sqlx::query(sql)
        .bind(new.code_sha256.clone())
        .bind(new.id.to_string())
        .bind(new.note.clone())
        .bind(new.issued_by.clone())
        .bind(time_text(new.issued_at))
        .bind(time_text(new.expires_at))
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Uses an invitation up; `None` when there is none with this code, or it is used or over. Answers its note.
///
/// # Errors
/// When the database fails.
pub async fn use_invitation(
    tx: &mut WriteTx<'_>,
    code_sha256: &str,
    node: NodeId,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    let sql = "-- use_invitation
        UPDATE invitation SET used_by = $2 WHERE code_sha256 = $1 AND used_by IS NULL AND expires_at > $3
        RETURNING note";
    let row = sqlx::query(sql)
        .bind(code_sha256.to_owned())
        .bind(node.to_string())
        .bind(time_text(now))
        .fetch_optional(tx.connection())
        .await?;
    Ok(row.map(|row| row.try_get("note")).transpose()?)
}
