//! The link table: whom each pseudonym stands for, sealed by the caller. Here a row is a pseudonym and bytes that say nothing.

use arno_domain::audit::Act;
use chrono::{DateTime, Utc};
use sqlx::Row as _;

use super::{NodeStore, unsigned};
use crate::{StoreError, WriteTx};

/// A sealed link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientLink {
    /// The pseudonym.
    pub pseudonym: String,
    /// Version of the secret that it is sealed under.
    pub version: u32,
    /// The sealed bytes, hexadecimal.
    pub sealed: String,
}

impl NodeStore {
    /// How many links are kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn link_count(&self) -> Result<u64, StoreError> {
        let query = sqlx::query("-- link_count\nSELECT COUNT(*) AS links FROM patient_link");
        let row = query.fetch_one(self.database.pool()).await?;
        Ok(unsigned(row.try_get("links")?))
    }

    /// All links, by pseudonym, and the record of who took them.
    ///
    /// # Errors
    /// When the database fails; then nothing was recorded, and nothing is given.
    pub async fn export_links(
        &self,
        act: Act,
        now: DateTime<Utc>,
    ) -> Result<Vec<PatientLink>, StoreError> {
        let mut tx = self.database.write().await?;
        tx.audit(now, act).await?;
        let sql = "-- export_links\nSELECT pseudonym, version, sealed FROM patient_link ORDER BY pseudonym";
        let rows = sqlx::query(sql).fetch_all(tx.connection()).await?;
        let mut links = Vec::with_capacity(rows.len());
        for row in &rows {
            links.push(PatientLink {
                pseudonym: row.try_get("pseudonym")?,
                version: u32::try_from(row.try_get::<i64, _>("version")?).unwrap_or_default(),
                sealed: row.try_get("sealed")?,
            });
        }
        tx.commit().await?;
        Ok(links)
    }

    /// Pseudonyms of all patients.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pseudonyms(&self) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query("-- pseudonyms\nSELECT pseudonym FROM patient");
        let rows = query.fetch_all(self.database.pool()).await?;
        rows.iter()
            .map(|row| Ok(row.try_get("pseudonym")?))
            .collect()
    }
}

/// A patient's first link stays.
pub(super) async fn put_links(
    tx: &mut WriteTx<'_>,
    links: &[PatientLink],
) -> Result<(), StoreError> {
    for link in links {
        let sql = "-- put_links
            INSERT INTO patient_link (pseudonym, version, sealed) VALUES ($1, $2, $3)
            ON CONFLICT (pseudonym) DO NOTHING";
        let query = sqlx::query(sql)
            .bind(link.pseudonym.clone())
            .bind(i64::from(link.version))
            .bind(link.sealed.clone());
        query.execute(tx.connection()).await?;
    }
    Ok(())
}
