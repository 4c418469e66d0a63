//! The facts that searches and dataset records are computed from: one row per series, one per patient without images.

use arno_domain::cohort::Facts;
use sqlx::{Row as _, any::AnyRow};

use super::NodeStore;
use crate::StoreError;

/// Malignancy is the highest mean over a patient's nodules, readers the most that read one of them.
const FACTS: &str = "-- facts
    WITH nodule AS (
        SELECT patient, series_uid, nodule, AVG(malignancy * 1.0) AS malignancy, COUNT(*) AS readers
        FROM reading GROUP BY patient, series_uid, nodule
    ), worst AS (
        SELECT patient, MAX(malignancy) AS malignancy, MAX(readers) AS readers FROM nodule GROUP BY patient
    )
    SELECT p.pseudonym AS patient, t.study_uid AS study_uid, s.series_uid AS series_uid, s.modality AS modality,
        s.body_part AS body_part, s.manufacturer AS manufacturer, p.sex AS sex, t.age_years AS age_years,
        s.slice_thickness_mm AS slice_thickness_mm, w.malignancy AS malignancy, w.readers AS readers
    FROM patient p
    LEFT JOIN study t ON t.patient = p.pseudonym
    LEFT JOIN series s ON s.study_uid = t.study_uid
    LEFT JOIN worst w ON w.patient = p.pseudonym
    ORDER BY p.pseudonym, t.study_uid, s.series_uid";

impl NodeStore {
    /// All facts, in a fixed order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn facts(&self) -> Result<Vec<Facts>, StoreError> {
        let rows = sqlx::query(FACTS).fetch_all(self.database.pool()).await?;
        rows.iter().map(facts_of).collect()
    }
}

fn facts_of(row: &AnyRow) -> Result<Facts, StoreError> {
    Ok(Facts {
        patient: row.try_get("patient")?,
        study: row.try_get("study_uid")?,
        series: row.try_get("series_uid")?,
        modality: row.try_get("modality")?,
        body_part: row.try_get("body_part")?,
        manufacturer: row.try_get("manufacturer")?,
        sex: row.try_get("sex")?,
        age_years: row.try_get("age_years")?,
        slice_thickness_mm: row.try_get("slice_thickness_mm")?,
        malignancy: row.try_get("malignancy")?,
        readers: row
            .try_get::<Option<i64>, _>("readers")?
            .map(|readers| readers as f64),
        diagnosis: None,
    })
}
