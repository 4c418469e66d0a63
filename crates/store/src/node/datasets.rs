//! Dataset versions: the signed record and exactly which series and readings it consists of.

use std::collections::{BTreeMap, BTreeSet};

use arno_domain::{
    DatasetId, Signed,
    audit::Act,
    dataset::{DatasetRecord, SignedRecord},
    quality::QualityCertificate,
};
use arno_protocol::node::{LocalDataset, quality::RiskReport};
use chrono::{DateTime, Utc};
use sqlx::{Row as _, any::AnyRow};

use super::{NodeStore, from_json, json, many::select_in};
use crate::{StoreError, WriteTx};

/// A dataset version to be kept.
#[derive(Debug, Clone)]
pub struct NewDatasetVersion {
    /// The record.
    pub record: DatasetRecord,
    /// The same, signed.
    pub signed: SignedRecord,
    /// Series that it consists of.
    pub series: Vec<String>,
    /// Readings that it consists of.
    pub readings: Vec<String>,
    /// Patients in it of whom it has no series.
    pub without_series: Vec<String>,
    /// Its quality certificate, signed.
    pub certificate: Signed<QualityCertificate>,
    /// Its re-identification risk.
    pub risk: RiskReport,
}

/// A dataset version that the hub has not confirmed.
#[derive(Debug, Clone)]
pub struct UndeliveredDataset {
    /// Its id.
    pub id: DatasetId,
    /// The record.
    pub signed: SignedRecord,
}

/// Who and what is in some dataset versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatasetMembers {
    /// Series.
    pub series: Vec<String>,
    /// Patients of whom a version has no series.
    pub without_series: Vec<String>,
    /// All patients, in order.
    pub patients: Vec<String>,
}

/// Digests and sizes of what a dataset would consist of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// SHA-256 of every instance of the series.
    pub instance_sha256: Vec<String>,
    /// Size of the instances.
    pub size_bytes: u64,
    /// Ids of the readings of the patients.
    pub readings: Vec<String>,
    /// Whether there are images (instances with pixels) and all say that they are no patient's.
    pub synthetic: bool,
}

impl NodeStore {
    /// What these series and the readings of these patients consist of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dataset_contents(
        &self,
        series: &[String],
        patients: &[String],
    ) -> Result<Contents, StoreError> {
        let mut contents = Contents::default();
        let mut of_patients = 0;
        let mut synthetic = 0;
        let mut connection = self.database.pool().acquire().await?;
        let sql = "-- dataset_contents
            SELECT i.sha256 AS sha256, i.length AS length, i.pixel_offset AS pixel_offset, s.synthetic AS synthetic
            FROM instance i JOIN series s ON s.series_uid = i.series_uid WHERE i.series_uid = $1";
        for series_uid in series {
            for row in sqlx::query(sql)
                .bind(series_uid.clone())
                .fetch_all(&mut *connection)
                .await?
            {
                contents.instance_sha256.push(row.try_get("sha256")?);
                contents.size_bytes += super::unsigned(row.try_get("length")?);
                let is_image = row.try_get::<Option<i64>, _>("pixel_offset")?.is_some();
                let is_synthetic = row.try_get::<i64, _>("synthetic")? != 0;
                synthetic += usize::from(is_image && is_synthetic);
                of_patients += usize::from(is_image && !is_synthetic);
            }
        }
        contents.synthetic = synthetic > 0 && of_patients == 0;
        let sql = "-- dataset_contents
            SELECT id FROM reading WHERE patient = $1";
        for patient in patients {
            for row in sqlx::query(sql)
                .bind(patient.clone())
                .fetch_all(&mut *connection)
                .await?
            {
                contents.readings.push(row.try_get("id")?);
            }
        }
        Ok(contents)
    }

    /// The newest version of that title; 0 when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dataset_version(&self, title: &str) -> Result<u32, StoreError> {
        let sql = "-- dataset_version
            SELECT COALESCE(MAX(version), 0) AS version FROM dataset WHERE title = $1";
        let row = sqlx::query(sql)
            .bind(title.to_owned())
            .fetch_one(self.database.pool())
            .await?;
        Ok(u32::try_from(row.try_get::<i64, _>("version")?).unwrap_or_default())
    }

    /// Keeps a dataset version and records who made it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody made the same version meanwhile.
    pub async fn create_dataset(
        &self,
        new: &NewDatasetVersion,
        act: Act,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        let sql = "-- create_dataset
            INSERT INTO dataset (id, title, version, signed_json, delivered, certificate_json, risk_json)
            VALUES ($1, $2, $3, $4, 0, $5, $6)";
        sqlx::query(sql)
            .bind(new.record.id.to_string())
            .bind(new.record.title.clone())
            .bind(i64::from(new.record.version))
            .bind(json(&new.signed, "dataset record")?)
            .bind(json(&new.certificate, "certificate")?)
            .bind(json(&new.risk, "risk report")?)
            .execute(tx.connection())
            .await
            .map_err(|error| StoreError::from(error).about("dataset version"))?;
        insert_members(&mut tx, new).await?;
        tx.audit(now, act).await?;
        tx.commit().await
    }

    /// All dataset versions, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_datasets(&self) -> Result<Vec<LocalDataset>, StoreError> {
        let sql = "-- list_datasets
            SELECT signed_json, delivered, risk_json FROM dataset ORDER BY id DESC";
        let rows = sqlx::query(sql).fetch_all(self.database.pool()).await?;
        let local = |row: &AnyRow| {
            let delivered: i64 = row.try_get("delivered")?;
            let risk: Option<String> = row.try_get("risk_json")?;
            let risk = risk.map(|risk| from_json::<RiskReport>(&risk, "risk report"));
            Ok(LocalDataset {
                record: record_of(&signed_of(row)?)?,
                delivered: delivered != 0,
                risk: risk.transpose()?.map(|risk| risk.figure),
            })
        };
        rows.iter().map(local).collect()
    }

    /// The quality certificate of a version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such version, or it is from before certificates.
    pub async fn dataset_certificate(
        &self,
        id: DatasetId,
    ) -> Result<Signed<QualityCertificate>, StoreError> {
        let sql = "-- dataset_certificate
            SELECT certificate_json AS text FROM dataset WHERE id = $1 AND certificate_json IS NOT NULL";
        self.of_dataset(sql, id, "certificate").await
    }

    /// The re-identification risk of a version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such version, or it is from before risks were computed.
    pub async fn dataset_risk(&self, id: DatasetId) -> Result<RiskReport, StoreError> {
        let sql = "-- dataset_risk
            SELECT risk_json AS text FROM dataset WHERE id = $1 AND risk_json IS NOT NULL";
        self.of_dataset(sql, id, "risk report").await
    }

    async fn of_dataset<T: serde::de::DeserializeOwned>(
        &self,
        sql: &'static str,
        id: DatasetId,
        what: &'static str,
    ) -> Result<T, StoreError> {
        let query = sqlx::query(sql).bind(id.to_string());
        let row = query.fetch_one(self.database.pool()).await;
        let row = row.map_err(|error| StoreError::from(error).about(what))?;
        from_json(&row.try_get::<String, _>("text")?, what)
    }

    /// Dates of the studies of these patients that have any of these series, by pseudonym.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn study_dates(
        &self,
        series: &[String],
    ) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
        let sql = "-- study_dates
            SELECT DISTINCT t.patient AS patient, t.study_uid AS study_uid, t.study_date AS study_date
            FROM series s JOIN study t ON t.study_uid = s.study_uid
            WHERE t.study_date IS NOT NULL AND s.series_uid IN";
        let mut connection = self.database.pool().acquire().await?;
        let mut seen = BTreeSet::new();
        let mut dates: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in select_in(&mut connection, sql, series).await? {
            if seen.insert(row.try_get::<String, _>("study_uid")?) {
                let date = row.try_get("study_date")?;
                dates.entry(row.try_get("patient")?).or_default().push(date);
            }
        }
        Ok(dates)
    }

    /// What the hub has not confirmed, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn undelivered_datasets(&self) -> Result<Vec<UndeliveredDataset>, StoreError> {
        let sql = "-- undelivered_datasets
            SELECT signed_json FROM dataset WHERE delivered = 0 ORDER BY id";
        let rows = sqlx::query(sql).fetch_all(self.database.pool()).await?;
        let undelivered = |row: &AnyRow| {
            let signed = signed_of(row)?;
            Ok(UndeliveredDataset {
                id: record_of(&signed)?.id,
                signed,
            })
        };
        rows.iter().map(undelivered).collect()
    }

    /// The hub has it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_dataset_delivered(&self, id: DatasetId) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        let update =
            sqlx::query("-- set_dataset_delivered\nUPDATE dataset SET delivered = 1 WHERE id = $1");
        update.bind(id.to_string()).execute(tx.connection()).await?;
        tx.commit().await
    }

    /// Who and what is in these dataset versions, each once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dataset_members(&self, datasets: &[String]) -> Result<DatasetMembers, StoreError> {
        let (mut series, mut without_series) = (BTreeSet::new(), BTreeSet::new());
        let mut patients: BTreeSet<String> = BTreeSet::new();
        let sql = "-- dataset_members
            SELECT m.series_uid AS series_uid, t.patient AS patient
            FROM dataset_series m JOIN series s ON s.series_uid = m.series_uid
            JOIN study t ON t.study_uid = s.study_uid WHERE m.dataset = $1";
        let bare = "-- dataset_members
            SELECT patient FROM dataset_patient WHERE dataset = $1";
        for dataset in datasets {
            let rows = sqlx::query(sql).bind(dataset.clone());
            for row in rows.fetch_all(self.database.pool()).await? {
                series.insert(row.try_get("series_uid")?);
                patients.insert(row.try_get("patient")?);
            }
            let rows = sqlx::query(bare).bind(dataset.clone());
            for row in rows.fetch_all(self.database.pool()).await? {
                without_series.insert(row.try_get("patient")?);
            }
        }
        patients.extend(without_series.iter().cloned());
        Ok(DatasetMembers {
            series: series.into_iter().collect(),
            without_series: without_series.into_iter().collect(),
            patients: patients.into_iter().collect(),
        })
    }

    /// Which of these dataset versions are here.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known_datasets(&self, ids: &[DatasetId]) -> Result<Vec<String>, StoreError> {
        let mut known = Vec::new();
        for id in ids {
            let select = sqlx::query("-- known_datasets\nSELECT id FROM dataset WHERE id = $1")
                .bind(id.to_string());
            if let Some(row) = select.fetch_optional(self.database.pool()).await? {
                known.push(row.try_get("id")?);
            }
        }
        Ok(known)
    }
}

async fn insert_members(tx: &mut WriteTx<'_>, new: &NewDatasetVersion) -> Result<(), StoreError> {
    let dataset = new.record.id.to_string();
    for series_uid in &new.series {
        let sql = "-- insert_members
            INSERT INTO dataset_series (dataset, series_uid) VALUES ($1, $2)";
        sqlx::query(sql)
            .bind(dataset.clone())
            .bind(series_uid.clone())
            .execute(tx.connection())
            .await?;
    }
    for reading in &new.readings {
        let sql = "-- insert_members
            INSERT INTO dataset_reading (dataset, reading) VALUES ($1, $2)";
        sqlx::query(sql)
            .bind(dataset.clone())
            .bind(reading.clone())
            .execute(tx.connection())
            .await?;
    }
    for patient in &new.without_series {
        let sql = "-- insert_members
            INSERT INTO dataset_patient (dataset, patient) VALUES ($1, $2)";
        sqlx::query(sql)
            .bind(dataset.clone())
            .bind(patient.clone())
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

fn signed_of(row: &AnyRow) -> Result<SignedRecord, StoreError> {
    from_json(&row.try_get::<String, _>("signed_json")?, "dataset record")
}

fn record_of(signed: &SignedRecord) -> Result<DatasetRecord, StoreError> {
    signed.unverified().map_err(|_| StoreError::Corrupt {
        what: "dataset record",
    })
}
