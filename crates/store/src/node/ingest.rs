//! Ingest: which sources are known, one transaction per batch, and the runs.

use std::collections::BTreeSet;

use arno_domain::audit::Act;
use arno_protocol::node::IngestRun;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, any::AnyRow};

use super::{
    NewInstance, NewOutline, NewPatient, NewPreview, NewQuarantined, NewReading, NewSeries,
    NewStudy, NodeStore, json, signed, text, time, unsigned,
};
use crate::{StoreError, WriteTx};

/// Runs that are listed.
const RUNS_LISTED: i64 = 50;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFate {
    /// Its instance is kept.
    Stored,
    /// Its readings are kept.
    Readings,
    /// It is in quarantine.
    Quarantined,
}

impl SourceFate {
    fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Readings => "readings",
            Self::Quarantined => "quarantined",
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
    /// Outlines.
    pub outlines: Vec<NewOutline>,
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
    /// Begins a run over a folder.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_ingest_run(
        &self,
        source: &str,
        files: u64,
        now: DateTime<Utc>,
    ) -> Result<i64, StoreError> {
        let mut tx = self.database.write().await?;
        let next = sqlx::query(
            "-- create_ingest_run\nSELECT COALESCE(MAX(id), 0) + 1 AS id FROM ingest_run",
        );
        let id: i64 = next.fetch_one(tx.connection()).await?.try_get("id")?;
        let sql = "-- create_ingest_run
            INSERT INTO ingest_run (id, source, started_at, files, stored, unchanged, quarantined, readings)
            VALUES ($1, $2, $3, $4, 0, 0, 0, 0)";
        let insert = sqlx::query(sql)
            .bind(id)
            .bind(source.to_owned())
            .bind(text(now))
            .bind(signed(files));
        insert.execute(tx.connection()).await?;
        tx.commit().await?;
        Ok(id)
    }

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
        for source in &batch.sources {
            put_source(&mut tx, source, now).await?;
        }
        add_to_run(&mut tx, run, &totals).await?;
        tx.commit().await
    }

    /// Ends a run and records it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_ingest_run(
        &self,
        run: i64,
        act: Act,
        now: DateTime<Utc>,
    ) -> Result<IngestRun, StoreError> {
        let mut tx = self.database.write().await?;
        let update = sqlx::query(
            "-- finish_ingest_run\nUPDATE ingest_run SET finished_at = $1 WHERE id = $2",
        );
        update
            .bind(text(now))
            .bind(run)
            .execute(tx.connection())
            .await?;
        tx.audit(now, act).await?;
        let select =
            sqlx::query("-- finish_ingest_run\nSELECT * FROM ingest_run WHERE id = $1").bind(run);
        let row = select.fetch_one(tx.connection()).await?;
        tx.commit().await?;
        run_of(&row)
    }

    /// One run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of that number.
    pub async fn ingest_run(&self, run: i64) -> Result<IngestRun, StoreError> {
        let select = sqlx::query("-- ingest_run\nSELECT * FROM ingest_run WHERE id = $1").bind(run);
        let row = select.fetch_one(self.database.pool()).await;
        run_of(&row.map_err(|error| StoreError::from(error).about("ingest run"))?)
    }

    /// The newest runs, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_ingest_runs(&self) -> Result<Vec<IngestRun>, StoreError> {
        let select =
            sqlx::query("-- list_ingest_runs\nSELECT * FROM ingest_run ORDER BY id DESC LIMIT $1");
        let rows = select
            .bind(RUNS_LISTED)
            .fetch_all(self.database.pool())
            .await?;
        rows.iter().map(run_of).collect()
    }

    /// Which of these digests belong to files that were dealt with before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known_sources(&self, digests: &[String]) -> Result<BTreeSet<String>, StoreError> {
        let mut known = BTreeSet::new();
        let mut connection = self.database.pool().acquire().await?;
        for digest in digests {
            let select =
                sqlx::query("-- known_sources\nSELECT sha256 FROM source_file WHERE sha256 = $1");
            if select
                .bind(digest.clone())
                .fetch_optional(&mut *connection)
                .await?
                .is_some()
            {
                known.insert(digest.clone());
            }
        }
        Ok(known)
    }

    /// The source of the instance with that UID, if it is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn instance_source(&self, instance_uid: &str) -> Result<Option<String>, StoreError> {
        let select = sqlx::query(
            "-- instance_source\nSELECT source_sha256 FROM instance WHERE instance_uid = $1",
        );
        let row = select
            .bind(instance_uid.to_owned())
            .fetch_optional(self.database.pool())
            .await?;
        Ok(row.map(|row| row.try_get("source_sha256")).transpose()?)
    }

    /// The patient of a study, if it is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn study_owner(&self, study_uid: &str) -> Result<Option<String>, StoreError> {
        let select = sqlx::query("-- study_owner\nSELECT patient FROM study WHERE study_uid = $1");
        let row = select
            .bind(study_uid.to_owned())
            .fetch_optional(self.database.pool())
            .await?;
        Ok(row.map(|row| row.try_get("patient")).transpose()?)
    }

    /// Study and patient of a series, if it is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn series_owner(
        &self,
        series_uid: &str,
    ) -> Result<Option<(String, String)>, StoreError> {
        let sql = "-- series_owner
            SELECT s.study_uid AS study_uid, t.patient AS patient
            FROM series s JOIN study t ON t.study_uid = s.study_uid WHERE s.series_uid = $1";
        let row = sqlx::query(sql)
            .bind(series_uid.to_owned())
            .fetch_optional(self.database.pool())
            .await?;
        Ok(row
            .map(|row| Ok::<_, sqlx::Error>((row.try_get("study_uid")?, row.try_get("patient")?)))
            .transpose()?)
    }

    /// Where the last indexed record of a pack ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pack_end(&self, pack: &str) -> Result<u64, StoreError> {
        let sql = "-- pack_end
            SELECT COALESCE(MAX(pack_offset + length), 0) AS last FROM instance WHERE pack = $1";
        let row = sqlx::query(sql)
            .bind(pack.to_owned())
            .fetch_one(self.database.pool())
            .await?;
        let last: i64 = row.try_get("last")?;
        Ok(if last == 0 {
            0
        } else {
            unsigned(last) + super::RECORD_HEADER_BYTES
        })
    }

    /// Deletes previews whose time is over, bytes and all: they hold what was before de-identification.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_due_previews(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut tx = self.database.write().await?;
        // SQLite would leave the bytes in free pages; other engines have no such setting and are not asked.
        let overwrite = sqlx::raw_sql("PRAGMA secure_delete = ON");
        overwrite.execute(tx.connection()).await?;
        let delete =
            sqlx::query("-- delete_due_previews\nDELETE FROM preview WHERE kept_until <= $1");
        let deleted = delete
            .bind(text(now))
            .execute(tx.connection())
            .await?
            .rows_affected();
        tx.commit().await?;
        if deleted > 0 {
            // The write-ahead log holds them too, until it is folded into the database and cut off.
            let fold = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)");
            fold.execute(self.database.pool()).await?;
        }
        Ok(deleted)
    }
}

async fn put_images(
    tx: &mut WriteTx<'_>,
    batch: &IngestBatch,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for patient in &batch.patients {
        put_patient(tx, patient).await?;
    }
    for study in &batch.studies {
        put_study(tx, study).await?;
    }
    for series in &batch.series {
        put_series(tx, series, now).await?;
    }
    for instance in &batch.instances {
        insert_instance(tx, instance).await?;
    }
    for outline in &batch.outlines {
        put_outline(tx, outline).await?;
    }
    Ok(())
}

async fn put_patient(tx: &mut WriteTx<'_>, patient: &NewPatient) -> Result<(), StoreError> {
    let sql = "-- put_patient
        INSERT INTO patient (pseudonym, sex) VALUES ($1, $2)
        ON CONFLICT (pseudonym) DO UPDATE SET sex = COALESCE(patient.sex, excluded.sex)";
    let query = sqlx::query(sql)
        .bind(patient.pseudonym.clone())
        .bind(patient.sex.clone());
    query.execute(tx.connection()).await?;
    Ok(())
}

async fn put_study(tx: &mut WriteTx<'_>, study: &NewStudy) -> Result<(), StoreError> {
    let sql = "-- put_study
        INSERT INTO study (study_uid, patient, age_years) VALUES ($1, $2, $3)
        ON CONFLICT (study_uid) DO UPDATE SET age_years = COALESCE(study.age_years, excluded.age_years)";
    let query = sqlx::query(sql)
        .bind(study.study_uid.clone())
        .bind(study.patient.clone())
        .bind(study.age_years);
    query.execute(tx.connection()).await?;
    Ok(())
}

async fn put_series(
    tx: &mut WriteTx<'_>,
    series: &NewSeries,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "-- put_series
        INSERT INTO series (series_uid, study_uid, modality, description, manufacturer, body_part,
            slice_thickness_mm, synthetic, received_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (series_uid) DO UPDATE SET received_at = excluded.received_at";
    sqlx::query(sql)
        .bind(series.series_uid.clone())
        .bind(series.study_uid.clone())
        .bind(series.modality.clone())
        .bind(series.description.clone())
        .bind(series.manufacturer.clone())
        .bind(series.body_part.clone())
        .bind(series.slice_thickness_mm)
        .bind(i64::from(series.synthetic))
        .bind(text(now))
        .execute(tx.connection())
        .await?;
    Ok(())
}

async fn insert_instance(tx: &mut WriteTx<'_>, instance: &NewInstance) -> Result<(), StoreError> {
    let sql = "-- insert_instance
        INSERT INTO instance (instance_uid, series_uid, sop_class, transfer_syntax, source_sha256, pack, pack_offset,
            length, sha256, pixel_offset, position_mm, number, columns, view_json, layout_json, geometry_json)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    sqlx::query(sql)
        .bind(instance.view.instance_uid.clone())
        .bind(instance.series_uid.clone())
        .bind(instance.sop_class.clone())
        .bind(instance.transfer_syntax.clone())
        .bind(instance.source_sha256.clone())
        .bind(instance.location.pack.clone())
        .bind(signed(instance.location.offset))
        .bind(signed(instance.location.length))
        .bind(instance.location.sha256.clone())
        .bind(instance.pixel_offset.map(signed))
        .bind(instance.view.position_mm)
        .bind(instance.view.number)
        .bind(i64::from(instance.view.columns))
        .bind(json(&instance.view, "view")?)
        .bind(instance.layout_json.clone())
        .bind(instance.geometry_json.clone())
        .execute(tx.connection())
        .await
        .map_err(|error| StoreError::from(error).about("instance"))?;
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

async fn insert_preview(tx: &mut WriteTx<'_>, preview: &NewPreview) -> Result<(), StoreError> {
    let sql = "-- insert_preview
        INSERT INTO preview (series_uid, preview_json, kept_until) VALUES ($1, $2, $3)
        ON CONFLICT (series_uid) DO NOTHING";
    let query = sqlx::query(sql)
        .bind(preview.series_uid.clone())
        .bind(json(&preview.preview, "preview")?)
        .bind(text(preview.kept_until));
    query.execute(tx.connection()).await?;
    Ok(())
}

async fn put_source(
    tx: &mut WriteTx<'_>,
    source: &NewSource,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "-- put_source
        INSERT INTO source_file (sha256, fate, first_seen) VALUES ($1, $2, $3)
        ON CONFLICT (sha256) DO UPDATE SET fate = excluded.fate";
    let query = sqlx::query(sql)
        .bind(source.sha256.clone())
        .bind(source.fate.as_str())
        .bind(text(now));
    query.execute(tx.connection()).await?;
    Ok(())
}

async fn add_to_run(
    tx: &mut WriteTx<'_>,
    run: i64,
    totals: &IngestTotals,
) -> Result<(), StoreError> {
    let sql = "-- add_to_run
        UPDATE ingest_run SET stored = stored + $1, unchanged = unchanged + $2, quarantined = quarantined + $3,
            readings = readings + $4 WHERE id = $5";
    let query = sqlx::query(sql)
        .bind(signed(totals.stored))
        .bind(signed(totals.unchanged))
        .bind(signed(totals.quarantined))
        .bind(signed(totals.readings))
        .bind(run);
    query.execute(tx.connection()).await?;
    Ok(())
}

fn run_of(row: &AnyRow) -> Result<IngestRun, StoreError> {
    let finished_at: Option<String> = row.try_get("finished_at")?;
    let started_at: String = row.try_get("started_at")?;
    Ok(IngestRun {
        id: row.try_get("id")?,
        source: row.try_get("source")?,
        started_at: time(&started_at)?,
        finished_at: finished_at.as_deref().map(time).transpose()?,
        files: unsigned(row.try_get("files")?),
        stored: unsigned(row.try_get("stored")?),
        unchanged: unsigned(row.try_get("unchanged")?),
        quarantined: unsigned(row.try_get("quarantined")?),
        readings: unsigned(row.try_get("readings")?),
    })
}
