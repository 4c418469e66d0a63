//! Parts in totals over sites: what this node contributed, and which sites' total each drawing of its noise is in.

use arno_domain::SearchId;
use sqlx::{Row as _, any::AnyRow};

use super::super::{NodeStore, signed, unsigned};
use crate::StoreError;

/// A node's part in the total of one search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotalPart {
    /// The search.
    pub search: SearchId,
    /// The masks' context as JSON of `arno-learning`.
    pub context_json: String,
    /// Digest of question, sites and version: what its drawings are counted by.
    pub form: String,
    /// Which drawing of the noise it carries.
    pub draw: u64,
}

/// Whether all sites that take part are in a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complete {
    /// All.
    Yes,
    /// Some dropped out.
    No,
}

impl NodeStore {
    /// The drawing of noise that a new total carries: the last one, unless fewer sites than take part used it up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_draw(&self, form: &str) -> Result<u64, StoreError> {
        let sql = "-- next_draw
            SELECT draw, used_up FROM disclosure_draw WHERE form = $1 ORDER BY draw DESC LIMIT 1";
        let row = sqlx::query(sql)
            .bind(form.to_owned())
            .fetch_optional(self.database.pool())
            .await?;
        let Some(row) = row else { return Ok(0) };
        let used_up: i64 = row.try_get("used_up")?;
        Ok(unsigned(row.try_get("draw")?) + u64::from(used_up != 0))
    }

    /// Remembers the part in a total, to help unmask it later; `false` when another one is remembered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_total_part(&self, part: &TotalPart) -> Result<bool, StoreError> {
        let mut tx = self.database.write().await?;
        let sql = "-- put_total_part
            INSERT INTO disclosure_total_part (search, context_json, form, draw) VALUES ($1, $2, $3, $4)
            ON CONFLICT (search) DO NOTHING";
        let done = sqlx::query(sql)
            .bind(part.search.to_string())
            .bind(part.context_json.clone())
            .bind(part.form.clone())
            .bind(signed(part.draw))
            .execute(tx.connection())
            .await?;
        tx.commit().await?;
        Ok(done.rows_affected() > 0 || self.total_part(part.search).await?.as_ref() == Some(part))
    }

    /// The part in the total of a search, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn total_part(&self, search: SearchId) -> Result<Option<TotalPart>, StoreError> {
        let sql = "-- total_part
            SELECT context_json, form, draw FROM disclosure_total_part WHERE search = $1";
        let row = sqlx::query(sql)
            .bind(search.to_string())
            .fetch_optional(self.database.pool())
            .await?;
        let part = |row: AnyRow| {
            Ok(TotalPart {
                search,
                context_json: row.try_get("context_json")?,
                form: row.try_get("form")?,
                draw: unsigned(row.try_get("draw")?),
            })
        };
        row.map(part).transpose()
    }

    /// Opens a drawing for one set of survivors; `false` when it was opened for others. One drawing in two different totals
    /// would stand alone in their difference.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_draw(
        &self,
        part: &TotalPart,
        survivors: &str,
        is_complete: Complete,
    ) -> Result<bool, StoreError> {
        let mut tx = self.database.write().await?;
        let sql = "-- open_draw
            INSERT INTO disclosure_draw (form, draw, survivors, used_up) VALUES ($1, $2, $3, $4)
            ON CONFLICT (form, draw) DO NOTHING";
        let done = sqlx::query(sql)
            .bind(part.form.clone())
            .bind(signed(part.draw))
            .bind(survivors.to_owned())
            .bind(i64::from(is_complete == Complete::No))
            .execute(tx.connection())
            .await?;
        if done.rows_affected() > 0 {
            tx.commit().await?;
            return Ok(true);
        }
        let sql = "-- open_draw
            SELECT survivors FROM disclosure_draw WHERE form = $1 AND draw = $2";
        let row = sqlx::query(sql)
            .bind(part.form.clone())
            .bind(signed(part.draw))
            .fetch_one(tx.connection())
            .await?;
        let opened: String = row.try_get("survivors")?;
        tx.commit().await?;
        Ok(opened == survivors)
    }
}
