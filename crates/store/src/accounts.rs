//! Accounts and their sessions. Passwords are here as hashes, session tokens as SHA-256 only.

use arno_protocol::session::{Role, SealedKey};
use chrono::{DateTime, SecondsFormat, Utc};
use sqlx::{Row as _, any::AnyRow};

use crate::{Database, StoreError, WriteTx};

/// Somebody who may sign in.
#[derive(Debug, Clone)]
pub struct Account {
    /// The name to sign in with.
    pub name: String,
    /// The person's name.
    pub display_name: String,
    /// What the account may do.
    pub role: Role,
    /// PHC string of the password.
    pub password_hash: String,
    /// A committee member's sealed signing key.
    pub sealed_key: Option<SealedKey>,
}

/// A session to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewSession<'a> {
    /// SHA-256 of the token, hexadecimal.
    pub token_sha256: &'a str,
    /// Whose.
    pub account: &'a str,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

impl Database {
    /// The account of that name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, StoreError> {
        let sql = "-- account
            SELECT name, display_name, role, password_hash, sealed_key FROM account WHERE name = $1";
        let row = sqlx::query(sql)
            .bind(name.to_owned())
            .fetch_optional(self.pool())
            .await?;
        row.as_ref().map(account_of).transpose()
    }

    /// The account whose session has that token, while it lasts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_account(
        &self,
        token_sha256: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Account>, StoreError> {
        let sql = "-- session_account
            SELECT name, display_name, role, password_hash, sealed_key
            FROM session JOIN account ON account.name = session.account
            WHERE token_sha256 = $1 AND expires_at > $2";
        let query = sqlx::query(sql)
            .bind(token_sha256.to_owned())
            .bind(text(now));
        let row = query.fetch_optional(self.pool()).await?;
        row.as_ref().map(account_of).transpose()
    }
}

impl WriteTx<'_> {
    /// Makes an account or changes the one of the same name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_account(&mut self, account: &Account) -> Result<(), StoreError> {
        let sql = "-- put_account
            INSERT INTO account (name, display_name, role, password_hash, sealed_key) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (name) DO UPDATE SET display_name = excluded.display_name, role = excluded.role,
                password_hash = excluded.password_hash, sealed_key = excluded.sealed_key";
        let sealed_key = account
            .sealed_key
            .as_ref()
            .map(serde_json::to_string)
            .transpose();
        sqlx::query(sql)
            .bind(account.name.clone())
            .bind(account.display_name.clone())
            .bind(account.role.as_str())
            .bind(account.password_hash.clone())
            .bind(sealed_key.map_err(|_| StoreError::Corrupt { what: "sealed key" })?)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Keeps a session and drops those that are over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_session(
        &mut self,
        session: NewSession<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let expired = sqlx::query("-- put_session\nDELETE FROM session WHERE expires_at <= $1");
        expired.bind(text(now)).execute(self.connection()).await?;
        let sql = "-- put_session
            INSERT INTO session (token_sha256, account, expires_at) VALUES ($1, $2, $3)";
        sqlx::query(sql)
            .bind(session.token_sha256.to_owned())
            .bind(session.account.to_owned())
            .bind(text(session.expires_at))
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_session(&mut self, token_sha256: &str) -> Result<(), StoreError> {
        let query = sqlx::query("-- delete_session\nDELETE FROM session WHERE token_sha256 = $1");
        query
            .bind(token_sha256.to_owned())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

/// Times are compared as text, so all have the same width.
fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn account_of(row: &AnyRow) -> Result<Account, StoreError> {
    let role: String = row.try_get("role")?;
    let sealed_key: Option<String> = row.try_get("sealed_key")?;
    let sealed_key = sealed_key
        .map(|text| serde_json::from_str(&text))
        .transpose();
    Ok(Account {
        name: row.try_get("name")?,
        display_name: row.try_get("display_name")?,
        role: Role::from_name(&role).ok_or(StoreError::Corrupt { what: "role" })?,
        password_hash: row.try_get("password_hash")?,
        sealed_key: sealed_key.map_err(|_| StoreError::Corrupt { what: "sealed key" })?,
    })
}
