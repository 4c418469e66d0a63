//! What the data manager's pages read: series, instances, frames, outlines, holdings.

use arno_protocol::node::{Holdings, SeriesPage, SeriesRow, ViewInstance};
use sqlx::{Row as _, any::AnyRow};

use super::{NodeStore, PackLocation, PlacedInstance, from_json, signed, time, unsigned};
use crate::StoreError;

/// Which series are listed.
#[derive(Debug, Clone, Default)]
pub struct SeriesFilter {
    /// Modality, if it matters.
    pub modality: Option<String>,
    /// Pseudonym, if it matters.
    pub patient: Option<String>,
    /// Rows at most.
    pub limit: u32,
    /// Rows to leave out at the beginning.
    pub offset: u64,
}

/// Where a frame's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameSource {
    /// The instance's bytes.
    pub location: PackLocation,
    /// Where the pixel value starts within the bytes.
    pub pixel_offset: u64,
    /// See [`super::NewInstance::layout_json`].
    pub layout_json: String,
}

const SERIES_COLUMNS: &str = "s.series_uid AS series_uid, s.study_uid AS study_uid, t.patient AS patient,
    s.modality AS modality, s.description AS description, s.manufacturer AS manufacturer, s.body_part AS body_part,
    p.sex AS sex, t.age_years AS age_years, s.slice_thickness_mm AS slice_thickness_mm, s.received_at AS received_at,
    (SELECT COUNT(*) FROM instance i WHERE i.series_uid = s.series_uid) AS instances,
    (SELECT CAST(COALESCE(SUM(i.length), 0) AS BIGINT) FROM instance i WHERE i.series_uid = s.series_uid) AS size_bytes,
    (SELECT COUNT(*) FROM outline o WHERE o.study_uid = s.study_uid
            AND (o.series_uid = s.series_uid OR (o.series_uid = '' AND s.modality <> 'RTSTRUCT')))
        + (SELECT COUNT(*) FROM reading r WHERE r.series_uid = s.series_uid) AS outlines
    FROM series s JOIN study t ON t.study_uid = s.study_uid JOIN patient p ON p.pseudonym = t.patient";

impl NodeStore {
    /// A page of series, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_series(&self, filter: &SeriesFilter) -> Result<SeriesPage, StoreError> {
        let wanted = "WHERE ($1 = '' OR s.modality = $1) AND ($2 = '' OR t.patient = $2)";
        let sql = format!(
            "-- list_series\nSELECT {SERIES_COLUMNS} {wanted} ORDER BY s.received_at DESC, s.series_uid LIMIT $3 OFFSET $4"
        );
        let (modality, patient) = (
            filter.modality.clone().unwrap_or_default(),
            filter.patient.clone().unwrap_or_default(),
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(modality.clone())
            .bind(patient.clone())
            .bind(i64::from(filter.limit))
            .bind(signed(filter.offset))
            .fetch_all(self.database.pool())
            .await?;
        let sql = format!(
            "-- list_series\nSELECT COUNT(*) AS total FROM series s JOIN study t ON t.study_uid = s.study_uid {wanted}"
        );
        let total = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(modality)
            .bind(patient);
        let total = total
            .fetch_one(self.database.pool())
            .await?
            .try_get("total")?;
        Ok(SeriesPage {
            rows: rows.iter().map(series_of).collect::<Result<_, _>>()?,
            total: unsigned(total),
        })
    }

    /// One series.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not here.
    pub async fn series(&self, series_uid: &str) -> Result<SeriesRow, StoreError> {
        let sql = format!("-- series\nSELECT {SERIES_COLUMNS} WHERE s.series_uid = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(series_uid.to_owned());
        let row = row.fetch_one(self.database.pool()).await;
        series_of(&row.map_err(|error| StoreError::from(error).about("series"))?)
    }

    /// The instances of a series in viewing order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn view_instances(&self, series_uid: &str) -> Result<Vec<ViewInstance>, StoreError> {
        let sql = "-- view_instances
            SELECT view_json FROM instance WHERE series_uid = $1 ORDER BY position_mm, number, instance_uid";
        let rows = sqlx::query(sql)
            .bind(series_uid.to_owned())
            .fetch_all(self.database.pool())
            .await?;
        rows.iter()
            .map(|row| from_json(&row.try_get::<String, _>("view_json")?, "view"))
            .collect()
    }

    /// Where the frames of an instance are.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not here or has no frames that can be shown.
    pub async fn frame_source(
        &self,
        series_uid: &str,
        instance_uid: &str,
    ) -> Result<FrameSource, StoreError> {
        let sql = "-- frame_source
            SELECT pack, pack_offset, length, metadata_length, sha256, pixel_offset, layout_json FROM instance
            WHERE series_uid = $1 AND instance_uid = $2
                AND pixel_offset IS NOT NULL AND layout_json IS NOT NULL";
        let query = sqlx::query(sql)
            .bind(series_uid.to_owned())
            .bind(instance_uid.to_owned());
        let row = query.fetch_one(self.database.pool()).await;
        let row = row.map_err(|error| StoreError::from(error).about("frame"))?;
        Ok(FrameSource {
            location: location_of(&row)?,
            pixel_offset: unsigned(row.try_get("pixel_offset")?),
            layout_json: row.try_get("layout_json")?,
        })
    }

    /// The instances of a series that say where they lie.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn placed_instances(
        &self,
        series_uid: &str,
    ) -> Result<Vec<PlacedInstance>, StoreError> {
        let sql = "-- placed_instances
            SELECT instance_uid, columns, geometry_json FROM instance
            WHERE series_uid = $1 AND geometry_json IS NOT NULL ORDER BY position_mm, instance_uid";
        let rows = sqlx::query(sql)
            .bind(series_uid.to_owned())
            .fetch_all(self.database.pool())
            .await?;
        let placed = |row: &AnyRow| {
            Ok(PlacedInstance {
                instance_uid: row.try_get("instance_uid")?,
                columns: u32::try_from(row.try_get::<i64, _>("columns")?).unwrap_or_default(),
                geometry_json: row.try_get("geometry_json")?,
            })
        };
        rows.iter().map(placed).collect()
    }

    /// Contours on the slices of a series, and those of its study that do not say on which slice they were drawn.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outlines(&self, series_uid: &str) -> Result<Vec<String>, StoreError> {
        let sql = "-- outlines
            SELECT o.outlines_json AS outlines_json FROM outline o JOIN series s ON s.study_uid = o.study_uid
            WHERE s.series_uid = $1 AND (o.series_uid = $1 OR o.series_uid = '')
            ORDER BY o.structure_uid";
        let rows = sqlx::query(sql)
            .bind(series_uid.to_owned())
            .fetch_all(self.database.pool())
            .await?;
        rows.iter()
            .map(|row| Ok(row.try_get("outlines_json")?))
            .collect()
    }

    /// What the node keeps.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holdings(&self) -> Result<Holdings, StoreError> {
        let sql = "-- holdings
            SELECT (SELECT COUNT(*) FROM source_file) AS received,
                (SELECT COUNT(*) FROM instance) AS instances,
                (SELECT COUNT(*) FROM quarantine WHERE settled_at IS NULL) AS quarantined,
                (SELECT COUNT(*) FROM review r JOIN quarantine q ON q.id = r.quarantine
                    WHERE q.settled_at IS NULL AND r.text_due = 0) AS to_review,
                (SELECT COUNT(*) FROM review r JOIN quarantine q ON q.id = r.quarantine
                    WHERE q.settled_at IS NULL AND r.text_due = 1) AS text_due,
                (SELECT COUNT(*) FROM patient) AS patients,
                (SELECT COUNT(*) FROM study) AS studies,
                (SELECT COUNT(*) FROM series) AS series,
                (SELECT COUNT(*) FROM reading) AS readings,
                (SELECT CAST(COALESCE(SUM(length), 0) AS BIGINT) FROM instance) AS size_bytes";
        let row = sqlx::query(sql).fetch_one(self.database.pool()).await?;
        let count = |name| row.try_get::<i64, _>(name).map(unsigned);
        Ok(Holdings {
            received: count("received")?,
            instances: count("instances")?,
            quarantined: count("quarantined")?,
            to_review: count("to_review")?,
            text_due: count("text_due")?,
            patients: count("patients")?,
            studies: count("studies")?,
            series: count("series")?,
            readings: count("readings")?,
            size_bytes: count("size_bytes")?,
        })
    }

    /// How many instances are kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn instance_count(&self) -> Result<u64, StoreError> {
        let query = sqlx::query("-- instance_count\nSELECT COUNT(*) AS instances FROM instance");
        let row = query.fetch_one(self.database.pool()).await?;
        Ok(unsigned(row.try_get("instances")?))
    }

    /// Locations of all instances after `instance_uid`, in order of their UIDs, at most `limit`: for `verify`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn locations_after(
        &self,
        instance_uid: &str,
        limit: u32,
    ) -> Result<Vec<(String, PackLocation)>, StoreError> {
        let sql = "-- locations_after
            SELECT instance_uid, pack, pack_offset, length, metadata_length, sha256 FROM instance
            WHERE instance_uid > $1 ORDER BY instance_uid LIMIT $2";
        let query = sqlx::query(sql)
            .bind(instance_uid.to_owned())
            .bind(i64::from(limit));
        let rows = query.fetch_all(self.database.pool()).await?;
        rows.iter()
            .map(|row| Ok((row.try_get("instance_uid")?, location_of(row)?)))
            .collect()
    }
}

/// Where a row says that its instance is.
pub(super) fn location_of(row: &AnyRow) -> Result<PackLocation, StoreError> {
    Ok(PackLocation {
        pack: row.try_get("pack")?,
        offset: unsigned(row.try_get("pack_offset")?),
        length: unsigned(row.try_get("length")?),
        metadata_length: unsigned(row.try_get("metadata_length")?),
        sha256: row.try_get("sha256")?,
    })
}

fn series_of(row: &AnyRow) -> Result<SeriesRow, StoreError> {
    let word = |name| {
        row.try_get::<Option<String>, _>(name)
            .map(Option::unwrap_or_default)
    };
    let (received_at, outlines): (String, i64) =
        (row.try_get("received_at")?, row.try_get("outlines")?);
    Ok(SeriesRow {
        series_uid: row.try_get("series_uid")?,
        study_uid: row.try_get("study_uid")?,
        patient: row.try_get("patient")?,
        modality: word("modality")?,
        description: word("description")?,
        manufacturer: word("manufacturer")?,
        body_part: word("body_part")?,
        sex: word("sex")?,
        age_years: row.try_get("age_years")?,
        slice_thickness_mm: row.try_get("slice_thickness_mm")?,
        instances: unsigned(row.try_get("instances")?),
        size_bytes: unsigned(row.try_get("size_bytes")?),
        outlined: outlines > 0,
        received_at: time(&received_at)?,
    })
}
