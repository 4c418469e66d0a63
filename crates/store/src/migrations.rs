//! Schema changes, in order, each applied once in a transaction of its own.

use sqlx::{Connection as _, Row as _};

use crate::StoreError;

/// One schema change. Versions 1 to 9 are the tables that hub and node share; each program's own begin at 10.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its place in the order; never reused.
    pub version: i64,
    /// Statements, each ended by a semicolon.
    pub sql: &'static str,
}

/// Accounts, sessions, settings, audit log.
pub(crate) const SHARED: [Migration; 1] = [Migration {
    version: 1,
    sql: "
CREATE TABLE account (
    name TEXT NOT NULL PRIMARY KEY,
    display_name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    sealed_key TEXT
);
CREATE TABLE session (
    token_sha256 TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    expires_at TEXT NOT NULL
);
CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE audit_entry (
    sequence BIGINT NOT NULL PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous_sha256 TEXT NOT NULL,
    sha256 TEXT NOT NULL
);
",
}];

/// Applies what is missing.
pub(crate) async fn migrate(
    connection: &mut sqlx::AnyConnection,
    own: &[Migration],
) -> Result<(), StoreError> {
    let create = "CREATE TABLE IF NOT EXISTS migration (version BIGINT NOT NULL PRIMARY KEY)";
    sqlx::raw_sql(create).execute(&mut *connection).await?;
    let row = sqlx::query("SELECT COALESCE(MAX(version), 0) AS version FROM migration");
    let applied: i64 = row.fetch_one(&mut *connection).await?.try_get("version")?;
    for migration in SHARED
        .iter()
        .chain(own)
        .filter(|migration| migration.version > applied)
    {
        let mut transaction = connection.begin().await?;
        sqlx::raw_sql(migration.sql)
            .execute(&mut *transaction)
            .await?;
        let insert = sqlx::query("INSERT INTO migration (version) VALUES ($1)");
        insert
            .bind(migration.version)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
    Ok(())
}
