//! Which instances are kept in a study, series or alone, and where: for whoever serves them.

use sqlx::{
    Any, Row as _,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use super::{NodeStore, PackLocation, catalogue::location_of, unsigned};
use crate::StoreError;

/// Which instances are meant: all of them, where nothing is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Study Instance UID, mapped.
    pub study_uid: Option<String>,
    /// Series Instance UID, mapped.
    pub series_uid: Option<String>,
    /// SOP Instance UID, mapped.
    pub instance_uid: Option<String>,
}

/// An instance and where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptInstance {
    /// Study Instance UID, mapped.
    pub study_uid: String,
    /// Series Instance UID, mapped.
    pub series_uid: String,
    /// SOP Instance UID, mapped.
    pub instance_uid: String,
    /// SOP Class UID.
    pub sop_class: String,
    /// Transfer syntax UID.
    pub transfer_syntax: String,
    /// Its bytes and its metadata.
    pub location: PackLocation,
    /// Where the pixel value starts within the bytes.
    pub pixel_offset: Option<u64>,
    /// See [`super::NewInstance::layout_json`].
    pub layout_json: Option<String>,
    position_mm: f64,
    number: i64,
}

/// The place of an instance in the order of all: by study, series, position, number, and UID.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptKey {
    study_uid: String,
    series_uid: String,
    position_mm: f64,
    number: i64,
    instance_uid: String,
}

impl KeptInstance {
    /// Its place, to go on from.
    #[must_use]
    pub fn key(&self) -> KeptKey {
        KeptKey {
            study_uid: self.study_uid.clone(),
            series_uid: self.series_uid.clone(),
            position_mm: self.position_mm,
            number: self.number,
            instance_uid: self.instance_uid.clone(),
        }
    }
}

/// Instances without a position come before all others, those without a number before others of the same position. Written just
/// as in the index `instance_by_series`, which then has them in order.
pub(super) const PLACE: &str =
    "COALESCE(i.position_mm, -1.0e300), COALESCE(i.number, -9007199254740992), i.instance_uid";

/// What [`kept_of`] reads.
pub(super) const KEPT_COLUMNS: &str = "s.study_uid AS study_uid, i.series_uid AS series_uid, i.instance_uid AS instance_uid,
    i.sop_class AS sop_class, i.transfer_syntax AS transfer_syntax, i.pack AS pack, i.pack_offset AS pack_offset,
    i.length AS length, i.metadata_length AS metadata_length, i.sha256 AS sha256, i.pixel_offset AS pixel_offset,
    i.layout_json AS layout_json, COALESCE(i.position_mm, -1.0e300) AS position_mm,
    COALESCE(i.number, -9007199254740992) AS number";

/// Binds the three values of a place.
pub(super) fn bind_after<'q>(
    query: Query<'q, Any, AnyArguments>,
    after: Option<&KeptKey>,
) -> Query<'q, Any, AnyArguments> {
    query
        .bind(after.map_or(f64::MIN, |key| key.position_mm))
        .bind(after.map_or(i64::MIN, |key| key.number))
        .bind(
            after
                .map(|key| key.instance_uid.clone())
                .unwrap_or_default(),
        )
}

impl NodeStore {
    /// Instances of a scope after a place in the order, at most `limit`: page by page until one is not full.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn kept_instances(
        &self,
        scope: &Scope,
        after: Option<&KeptKey>,
        limit: u32,
    ) -> Result<Vec<KeptInstance>, StoreError> {
        if let Some(instance_uid) = &scope.instance_uid {
            return self.kept_instance(scope, instance_uid, after).await;
        }
        let mut kept = match after {
            Some(key) => {
                self.kept_in_series(scope, &key.series_uid, after, limit)
                    .await?
            }
            None => Vec::new(),
        };
        let mut series = after.map(|key| (key.study_uid.clone(), key.series_uid.clone()));
        while kept.len() < limit as usize {
            series = self.series_after(scope, series.as_ref()).await?;
            let Some((_, series_uid)) = &series else {
                break;
            };
            let room = limit.saturating_sub(u32::try_from(kept.len()).unwrap_or(limit));
            kept.extend(self.kept_in_series(scope, series_uid, None, room).await?);
        }
        Ok(kept)
    }

    async fn kept_instance(
        &self,
        scope: &Scope,
        instance_uid: &str,
        after: Option<&KeptKey>,
    ) -> Result<Vec<KeptInstance>, StoreError> {
        let sql = format!(
            "-- kept_instances
            SELECT {KEPT_COLUMNS} FROM instance i JOIN series s ON s.series_uid = i.series_uid
            WHERE i.instance_uid = $1 AND ($2 = '' OR i.series_uid = $2) AND ($3 = '' OR s.study_uid = $3)"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(instance_uid.to_owned())
            .bind(scope.series_uid.clone().unwrap_or_default())
            .bind(scope.study_uid.clone().unwrap_or_default());
        let rows = query.fetch_all(self.database.pool()).await?;
        let is_first = |_: &&AnyRow| after.is_none();
        rows.iter().filter(is_first).map(kept_of).collect()
    }

    /// The series of a scope that follows another one in the order.
    async fn series_after(
        &self,
        scope: &Scope,
        after: Option<&(String, String)>,
    ) -> Result<Option<(String, String)>, StoreError> {
        let (study, series) = after.cloned().unwrap_or_default();
        let study_uid = scope.study_uid.clone().unwrap_or_default();
        let series_uid = scope.series_uid.clone().unwrap_or_default();
        // One text per kind of scope, so that each is answered from an index.
        let within = match (&scope.study_uid, &scope.series_uid) {
            (_, Some(_)) => "series_uid = $3 AND ($4 = '' OR study_uid = $4)",
            (Some(_), None) => "study_uid = $4 AND $3 = ''",
            (None, None) => "$3 = '' AND $4 = ''",
        };
        let sql = format!(
            "-- kept_instances
            SELECT study_uid, series_uid FROM series WHERE (study_uid, series_uid) > ($1, $2) AND {within}
            ORDER BY study_uid, series_uid LIMIT 1"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(study)
            .bind(series)
            .bind(series_uid)
            .bind(study_uid);
        let row = query.fetch_optional(self.database.pool()).await?;
        row.map(|row| Ok((row.try_get("study_uid")?, row.try_get("series_uid")?)))
            .transpose()
    }

    async fn kept_in_series(
        &self,
        scope: &Scope,
        series_uid: &str,
        after: Option<&KeptKey>,
        limit: u32,
    ) -> Result<Vec<KeptInstance>, StoreError> {
        let sql = format!(
            "-- kept_instances
            SELECT {KEPT_COLUMNS} FROM instance i JOIN series s ON s.series_uid = i.series_uid
            WHERE i.series_uid = $1 AND ($2 = '' OR s.study_uid = $2) AND ({PLACE}) > ($3, $4, $5)
            ORDER BY {PLACE} LIMIT $6"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(series_uid.to_owned())
            .bind(scope.study_uid.clone().unwrap_or_default());
        let query = bind_after(query, after).bind(i64::from(limit));
        let rows = query.fetch_all(self.database.pool()).await?;
        rows.iter().map(kept_of).collect()
    }
}

pub(super) fn kept_of(row: &AnyRow) -> Result<KeptInstance, StoreError> {
    let pixel_offset: Option<i64> = row.try_get("pixel_offset")?;
    Ok(KeptInstance {
        study_uid: row.try_get("study_uid")?,
        series_uid: row.try_get("series_uid")?,
        instance_uid: row.try_get("instance_uid")?,
        sop_class: row.try_get("sop_class")?,
        transfer_syntax: row.try_get("transfer_syntax")?,
        location: location_of(row)?,
        pixel_offset: pixel_offset.map(unsigned),
        layout_json: row.try_get("layout_json")?,
        position_mm: row.try_get("position_mm")?,
        number: row.try_get("number")?,
    })
}
