//! One batch of an ingest: all of its rows in one transaction, many in one statement.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{
    NewAcquisition, NewInstance, NewOutline, NewPatient, NewPreview, NewQuarantined, NewReading,
    NewSeries, NewStudy, NodeStore, PatientLink,
    clinical::encode,
    json,
    many::{groups, values},
    previews::insert_preview,
    signed, text,
};
use crate::{StoreError, WriteTx};

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFate {
    /// Its instance is kept.
    Stored,
    /// Its readings are kept.
    Readings,
    /// It is in quarantine.
    Quarantined,
    /// A person looked at it and refused it.
    Refused,
}

impl SourceFate {
    fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Readings => "readings",
            Self::Quarantined => "quarantined",
            Self::Refused => "refused",
        }
    }
}

/// A file that was dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSource {
    /// SHA-256 of its bytes; of its path and size, when they could not be read.
    pub sha256: String,
    /// What became of it.
    pub fate: SourceFate,
}

/// How many files of a run ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IngestTotals {
    /// Files of the batch that were not counted when the run began.
    pub files: u64,
    /// Instances newly kept.
    pub stored: u64,
    /// Files that were here already.
    pub unchanged: u64,
    /// Files put into quarantine.
    pub quarantined: u64,
    /// Readings newly kept.
    pub readings: u64,
}

/// What one batch adds. All of it becomes visible at once, or nothing.
#[derive(Debug, Default)]
pub struct IngestBatch {
    /// Patients, each once.
    pub patients: Vec<NewPatient>,
    /// Studies, each once.
    pub studies: Vec<NewStudy>,
    /// Series, each once.
    pub series: Vec<NewSeries>,
    /// Instances whose bytes are durable.
    pub instances: Vec<NewInstance>,
    /// What series say of how they were acquired, where this batch adds something.
    pub acquisitions: Vec<NewAcquisition>,
    /// Outlines.
    pub outlines: Vec<NewOutline>,
    /// Whom pseudonyms of new series stand for, where that is kept.
    pub links: Vec<PatientLink>,
    /// Readings.
    pub readings: Vec<NewReading>,
    /// Previews of new series.
    pub previews: Vec<NewPreview>,
    /// Files for quarantine.
    pub quarantined: Vec<NewQuarantined>,
    /// Digests of quarantined sources that turned out well after all.
    pub settled: Vec<String>,
    /// Files that were dealt with.
    pub sources: Vec<NewSource>,
    /// To be added to the run's totals; new readings are counted here, not by the caller.
    pub totals: IngestTotals,
}

impl NodeStore {
    /// Adds one batch to the rows and to its run, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Full`] when there is no room; then nothing was changed.
    pub async fn commit_ingest_batch(
        &self,
        run: i64,
        batch: &IngestBatch,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        put_images(&mut tx, batch, now).await?;
        put_pack_ends(&mut tx, &batch.instances).await?;
        super::links::put_links(&mut tx, &batch.links).await?;
        let mut totals = batch.totals;
        for reading in &batch.readings {
            totals.readings += u64::from(super::readings::insert_reading(&mut tx, reading).await?);
        }
        for preview in &batch.previews {
            insert_preview(&mut tx, preview).await?;
        }
        for quarantined in &batch.quarantined {
            super::quarantine::insert_quarantined(&mut tx, quarantined, now).await?;
        }
        for sha256 in &batch.settled {
            super::quarantine::settle_quarantined(&mut tx, sha256, now).await?;
        }
        put_sources(&mut tx, &batch.sources, now).await?;
        add_to_run(&mut tx, run, &totals).await?;
        if totals.stored + totals.readings > 0 {
            let of_images = batch.patients.iter().map(|patient| &patient.pseudonym);
            let of_readings = batch.readings.iter().map(|reading| &reading.patient);
            self.change(&mut tx, of_images.chain(of_readings).cloned())
                .await?;
        }
        tx.commit().await
    }
}

/// Rows of instances and of what they belong to.
pub(super) async fn put_images(
    tx: &mut WriteTx<'_>,
    batch: &IngestBatch,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    put_patients(tx, &batch.patients).await?;
    put_studies(tx, &batch.studies).await?;
    put_series(tx, &batch.series, now).await?;
    super::acquisition::put_acquisitions(tx, &batch.acquisitions).await?;
    insert_instances(tx, &batch.instances).await?;
    super::quality::put_due(tx, &batch.instances).await?;
    for outline in &batch.outlines {
        put_outline(tx, outline).await?;
    }
    Ok(())
}

async fn put_patients(tx: &mut WriteTx<'_>, patients: &[NewPatient]) -> Result<(), StoreError> {
    for group in groups(patients) {
        let sql = format!(
            "-- put_patients
            INSERT INTO patient (pseudonym, sex) VALUES {}
            ON CONFLICT (pseudonym) DO UPDATE SET sex = COALESCE(patient.sex, excluded.sex)",
            values(group.len(), 2)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for patient in group {
            query = query
                .bind(patient.pseudonym.clone())
                .bind(patient.sex.clone());
        }
        query.execute(tx.connection()).await?;
    }
    Ok(())
}

/// What queries ask of a study is of the first instance that came; only an age that it lacked is added later.
async fn put_studies(tx: &mut WriteTx<'_>, studies: &[NewStudy]) -> Result<(), StoreError> {
    for group in groups(studies) {
        let sql = format!(
            "-- put_studies
            INSERT INTO study (study_uid, patient, age_years, study_date, attributes_json) VALUES {}
            ON CONFLICT (study_uid) DO UPDATE SET age_years = COALESCE(study.age_years, excluded.age_years)",
            values(group.len(), 5)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for study in group {
            query = query
                .bind(study.study_uid.clone())
                .bind(study.patient.clone())
                .bind(study.age_years)
                .bind(study.study_date.clone())
                .bind(study.attributes_json.clone());
        }
        query.execute(tx.connection()).await?;
    }
    Ok(())
}

async fn put_series(
    tx: &mut WriteTx<'_>,
    series: &[NewSeries],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for group in groups(series) {
        let sql = format!(
            "-- put_series
            INSERT INTO series (series_uid, study_uid, modality, description, manufacturer, body_part,
                slice_thickness_mm, synthetic, received_at, attributes_json) VALUES {}
            ON CONFLICT (series_uid) DO NOTHING",
            values(group.len(), 10)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for series in group {
            query = query
                .bind(series.series_uid.clone())
                .bind(series.study_uid.clone())
                .bind(series.modality.clone())
                .bind(series.description.clone())
                .bind(series.manufacturer.clone())
                .bind(series.body_part.clone())
                .bind(series.slice_thickness_mm)
                .bind(i64::from(series.synthetic))
                .bind(text(now))
                .bind(series.attributes_json.clone());
        }
        query.execute(tx.connection()).await?;
    }
    Ok(())
}

async fn insert_instances(
    tx: &mut WriteTx<'_>,
    instances: &[NewInstance],
) -> Result<(), StoreError> {
    for group in groups(instances) {
        let sql = format!(
            "-- insert_instances
            INSERT INTO instance (instance_uid, series_uid, sop_class, transfer_syntax, source_sha256, pack, pack_offset,
                length, metadata_length, sha256, pixel_offset, position_mm, number, columns, view_json, layout_json,
                geometry_json, attributes_json, pixel_print, annotates, annotation_json) VALUES {}",
            values(group.len(), 21)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for instance in group {
            query = query
                .bind(instance.view.instance_uid.clone())
                .bind(instance.series_uid.clone())
                .bind(instance.sop_class.clone())
                .bind(instance.transfer_syntax.clone())
                .bind(instance.source_sha256.clone())
                .bind(instance.location.pack.clone())
                .bind(signed(instance.location.offset))
                .bind(signed(instance.location.length))
                .bind(signed(instance.location.metadata_length))
                .bind(instance.location.sha256.clone())
                .bind(instance.pixel_offset.map(signed))
                .bind(instance.view.position_mm)
                .bind(instance.view.number)
                .bind(i64::from(instance.view.columns))
                .bind(json(&instance.view, "view")?)
                .bind(instance.layout_json.clone())
                .bind(instance.geometry_json.clone())
                .bind(instance.attributes_json.clone())
                .bind(instance.pixel_print.clone())
                .bind(annotates(instance))
                .bind(annotation_json(instance));
        }
        let inserted = query.execute(tx.connection()).await;
        inserted.map_err(|error| StoreError::from(error).about("instance"))?;
    }
    Ok(())
}

fn annotates(instance: &NewInstance) -> Option<String> {
    instance.annotation.as_ref()?.series_uid.clone()
}

fn annotation_json(instance: &NewInstance) -> Option<String> {
    Some(encode(&instance.annotation.as_ref()?.values))
}

/// Where the packs of these instances end now. A series has one pack, and an end never shrinks.
async fn put_pack_ends(tx: &mut WriteTx<'_>, instances: &[NewInstance]) -> Result<(), StoreError> {
    let mut ends: BTreeMap<&str, (&str, u64)> = BTreeMap::new();
    for instance in instances {
        let entry = ends.entry(&instance.location.pack);
        let (_, end) = entry.or_insert((&instance.series_uid, 0));
        *end = instance.location.end().max(*end);
    }
    let ends: Vec<_> = ends.into_iter().collect();
    for group in groups(&ends) {
        let sql = format!(
            "-- put_pack_ends
            INSERT INTO pack (pack, series_uid, end_offset, dead_bytes) VALUES {}
            ON CONFLICT (pack) DO UPDATE SET end_offset = CASE WHEN excluded.end_offset > pack.end_offset
                THEN excluded.end_offset ELSE pack.end_offset END",
            values(group.len(), 4)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for (pack, (series_uid, end)) in group {
            query = query
                .bind((*pack).to_owned())
                .bind((*series_uid).to_owned())
                .bind(signed(*end))
                .bind(0_i64);
        }
        let put = query.execute(tx.connection()).await;
        put.map_err(|error| StoreError::from(error).about("pack"))?;
    }
    Ok(())
}

async fn put_outline(tx: &mut WriteTx<'_>, outline: &NewOutline) -> Result<(), StoreError> {
    let sql = "-- put_outline
        INSERT INTO outline (structure_uid, series_uid, study_uid, outlines_json) VALUES ($1, $2, $3, $4)
        ON CONFLICT (structure_uid, series_uid) DO NOTHING";
    let query = sqlx::query(sql)
        .bind(outline.structure_uid.clone())
        .bind(outline.series_uid.clone())
        .bind(outline.study_uid.clone())
        .bind(outline.outlines_json.clone());
    query.execute(tx.connection()).await?;
    Ok(())
}

/// Each of the batch once: a statement may not meet the same row twice.
pub(super) async fn put_sources(
    tx: &mut WriteTx<'_>,
    sources: &[NewSource],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let fates: BTreeMap<&str, SourceFate> = sources
        .iter()
        .map(|source| (source.sha256.as_str(), source.fate))
        .collect();
    let fates: Vec<_> = fates.into_iter().collect();
    for group in groups(&fates) {
        let sql = format!(
            "-- put_sources
            INSERT INTO source_file (sha256, fate, first_seen) VALUES {}
            ON CONFLICT (sha256) DO UPDATE SET fate = excluded.fate",
            values(group.len(), 3)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for (sha256, fate) in group {
            query = query
                .bind((*sha256).to_owned())
                .bind(fate.as_str())
                .bind(text(now));
        }
        query.execute(tx.connection()).await?;
    }
    Ok(())
}

async fn add_to_run(
    tx: &mut WriteTx<'_>,
    run: i64,
    totals: &IngestTotals,
) -> Result<(), StoreError> {
    let sql = "-- add_to_run
        UPDATE ingest_run SET stored = stored + $1, unchanged = unchanged + $2, quarantined = quarantined + $3,
            readings = readings + $4, files = files + $5 WHERE id = $6";
    let query = sqlx::query(sql)
        .bind(signed(totals.stored))
        .bind(signed(totals.unchanged))
        .bind(signed(totals.quarantined))
        .bind(signed(totals.readings))
        .bind(signed(totals.files))
        .bind(run);
    query.execute(tx.connection()).await?;
    Ok(())
}
