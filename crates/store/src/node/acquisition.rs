//! How series were acquired: kept with each series as ingest finds it out, and found out anew for series from before.

use sqlx::{Row as _, any::AnyRow};

use super::{
    NewAcquisition, NewAnnotation, NewSeries, NodeStore, PackLocation, catalogue::location_of,
    clinical::encode,
};
use crate::{StoreError, WriteTx};

/// An instance whose metadata are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedInstance {
    /// SOP Instance UID, mapped.
    pub instance_uid: String,
    /// Where its record is.
    pub location: PackLocation,
}

/// A series that is described from the kept metadata of its instances.
#[derive(Debug, Clone, PartialEq)]
pub struct Redescribed {
    /// What its headers say together.
    pub acquisition: NewAcquisition,
    /// Those of its instances that are annotations, by UID.
    pub annotations: Vec<(String, NewAnnotation)>,
}

impl NodeStore {
    /// Series that were described by an older version or not at all, after one, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn series_to_describe(
        &self,
        version: i64,
        after: &str,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let sql = "-- series_to_describe
            SELECT series_uid FROM series WHERE acquisition_version < $1 AND series_uid > $2 ORDER BY series_uid LIMIT $3";
        let query = sqlx::query(sql)
            .bind(version)
            .bind(after.to_owned())
            .bind(i64::from(limit));
        let rows = query.fetch_all(self.database.pool()).await?;
        rows.iter()
            .map(|row| Ok(row.try_get("series_uid")?))
            .collect()
    }

    /// Where the metadata of a series' instances are, in the order in which they came.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn described_instances(
        &self,
        series_uid: &str,
    ) -> Result<Vec<DescribedInstance>, StoreError> {
        let sql = "-- described_instances
            SELECT instance_uid, pack, pack_offset, length, metadata_length, sha256 FROM instance WHERE series_uid = $1
            ORDER BY pack_offset, instance_uid";
        let query = sqlx::query(sql).bind(series_uid.to_owned());
        let rows = query.fetch_all(self.database.pool()).await?;
        let described = |row: &AnyRow| {
            Ok(DescribedInstance {
                instance_uid: row.try_get("instance_uid")?,
                location: location_of(row)?,
            })
        };
        rows.iter().map(described).collect()
    }

    /// Keeps what was found out of series from before.
    ///
    /// # Errors
    /// When the database fails; then nothing was changed.
    pub async fn put_redescribed(&self, described: &[Redescribed]) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        let mut patients = Vec::with_capacity(described.len());
        for series in described {
            put_acquisitions(&mut tx, std::slice::from_ref(&series.acquisition)).await?;
            put_annotations(&mut tx, &series.annotations).await?;
            patients.extend(patient_of(&mut tx, &series.acquisition.series_uid).await?);
        }
        self.change(&mut tx, patients).await?;
        tx.commit().await
    }
}

async fn put_annotations(
    tx: &mut WriteTx<'_>,
    annotations: &[(String, NewAnnotation)],
) -> Result<(), StoreError> {
    for (instance_uid, annotation) in annotations {
        let sql = "-- put_annotations
            UPDATE instance SET annotates = $1, annotation_json = $2 WHERE instance_uid = $3";
        let query = sqlx::query(sql)
            .bind(annotation.series_uid.clone())
            .bind(encode(&annotation.values))
            .bind(instance_uid.clone());
        query.execute(tx.connection()).await?;
    }
    Ok(())
}

async fn patient_of(tx: &mut WriteTx<'_>, series_uid: &str) -> Result<Option<String>, StoreError> {
    let sql = "-- patient_of
        SELECT t.patient AS patient FROM series s JOIN study t ON t.study_uid = s.study_uid WHERE s.series_uid = $1";
    let query = sqlx::query(sql).bind(series_uid.to_owned());
    let row = query.fetch_optional(tx.connection()).await?;
    Ok(row.map(|row| row.try_get("patient")).transpose()?)
}

pub(super) async fn put_acquisitions(
    tx: &mut WriteTx<'_>,
    acquisitions: &[NewAcquisition],
) -> Result<(), StoreError> {
    for acquisition in acquisitions {
        let sql = "-- put_acquisitions
            UPDATE series SET acquisition_version = $1, acquisition_json = $2, values_json = $3 WHERE series_uid = $4";
        let query = sqlx::query(sql)
            .bind(acquisition.version)
            .bind(acquisition.acquisition_json.clone())
            .bind(encode(&acquisition.values))
            .bind(acquisition.series_uid.clone());
        query.execute(tx.connection()).await?;
    }
    Ok(())
}

/// Series whose instances come back from packs are described anew.
pub(super) async fn forget_acquisitions(
    tx: &mut WriteTx<'_>,
    series: &[NewSeries],
) -> Result<(), StoreError> {
    for series in series {
        let sql = "-- forget_acquisitions
            UPDATE series SET acquisition_version = 0 WHERE series_uid = $1";
        let query = sqlx::query(sql).bind(series.series_uid.clone());
        query.execute(tx.connection()).await?;
    }
    Ok(())
}
