//! Small values of a program by name.

use sqlx::Row as _;

use crate::{Database, StoreError, WriteTx};

impl Database {
    /// The value of that name, if one was set.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let query = sqlx::query("-- setting\nSELECT value FROM setting WHERE name = $1")
            .bind(name.to_owned());
        let row = query.fetch_optional(self.pool()).await?;
        Ok(row.map(|row| row.try_get("value")).transpose()?)
    }
}

impl WriteTx<'_> {
    /// Sets a value.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        let sql = "-- set_setting
            INSERT INTO setting (name, value) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        sqlx::query(sql)
            .bind(name.to_owned())
            .bind(value.to_owned())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}
