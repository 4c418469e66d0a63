//! Deleting instances: rows, and what is empty without them, in one transaction with its audit entry.
//!
//! Bytes are the caller's: it appends the end of an instance to the pack before, so that the pack alone does not bring it back, and
//! removes packs after, which [`NodeStore::packs_to_remove`] names until that is done.

use arno_domain::audit::Act;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Row as _, any::AnyRow};

use super::{
    NodeStore, PackLocation, Scope, before, catalogue::location_of, many::select_in, signed,
    unsigned,
};
use crate::{StoreError, WriteTx};

/// A series of which something is to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesInScope {
    /// Series Instance UID.
    pub series_uid: String,
    /// Its pack and where that ends.
    pub pack: Option<super::PackEnd>,
    /// How many instances it has.
    pub instances: u64,
    /// The title of a published dataset that it is part of.
    pub dataset: Option<String>,
}

/// What is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// Whole series, with their packs.
    Series(Vec<String>),
    /// One instance of a series that has others.
    Instance {
        /// SOP Instance UID.
        instance_uid: String,
        /// The record in the pack that says so.
        deletion: PackLocation,
    },
}

/// What went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Instances.
    pub instances: u64,
    /// Their size.
    pub size_bytes: u64,
}

/// Rows that hold a series together, and what is empty once it is gone, in an order that foreign keys allow.
const OF_SERIES: [&str; 11] = [
    "INSERT INTO quality_due (series_uid) SELECT series_uid FROM finding
        WHERE rule IN ('exact_duplicate', 'near_duplicate', 'references_kept', 'segmentation_fits')
            AND series_uid <> $1 AND examples_json LIKE '%' || $1 || '%'
        ON CONFLICT (series_uid) DO NOTHING",
    "DELETE FROM quality_due WHERE series_uid = $1",
    "DELETE FROM finding WHERE series_uid = $1",
    "DELETE FROM series_look WHERE series_uid = $1",
    "DELETE FROM series_quality WHERE series_uid = $1",
    "DELETE FROM source_file WHERE sha256 IN (SELECT source_sha256 FROM instance WHERE series_uid = $1)",
    "DELETE FROM outline WHERE structure_uid IN (SELECT instance_uid FROM instance WHERE series_uid = $1)",
    "DELETE FROM instance WHERE series_uid = $1",
    "DELETE FROM preview WHERE series_uid = $1",
    "DELETE FROM pack WHERE series_uid = $1",
    "DELETE FROM series WHERE series_uid = $1",
];

impl NodeStore {
    /// The series that a scope has instances in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn series_in_scope(&self, scope: &Scope) -> Result<Vec<SeriesInScope>, StoreError> {
        let mut wanted = vec!["1 = 1".to_owned()];
        let mut binds = Vec::new();
        let conditions = [
            ("s.study_uid = $", &scope.study_uid, ""),
            ("s.series_uid = $", &scope.series_uid, ""),
            (
                "s.series_uid IN (SELECT series_uid FROM instance WHERE instance_uid = $",
                &scope.instance_uid,
                ")",
            ),
        ];
        for (before, uid, after) in conditions {
            if let Some(uid) = uid {
                binds.push(uid.clone());
                wanted.push(format!("{before}{}{after}", binds.len()));
            }
        }
        let sql = format!(
            "-- series_in_scope
            SELECT s.series_uid AS series_uid, p.pack AS pack, COALESCE(p.end_offset, 0) AS end_offset,
                (SELECT COUNT(*) FROM instance i WHERE i.series_uid = s.series_uid) AS instances,
                (SELECT MIN(d.title) FROM dataset_series m JOIN dataset d ON d.id = m.dataset
                    WHERE m.series_uid = s.series_uid) AS dataset
            FROM series s LEFT JOIN pack p ON p.series_uid = s.series_uid WHERE {}",
            wanted.join(" AND ")
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for uid in binds {
            query = query.bind(uid);
        }
        let rows = query.fetch_all(self.database.pool()).await?;
        rows.iter().map(in_scope).collect()
    }

    /// Deletes rows and records who did it. The same files can be taken in again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a series is part of a published dataset, or has changed since the caller looked; then
    /// nothing was changed.
    pub async fn delete_instances(
        &self,
        deletion: &Deletion,
        act: Act,
        now: DateTime<Utc>,
    ) -> Result<Deleted, StoreError> {
        let mut tx = self.database.write().await?;
        let mut deleted = Deleted::default();
        let patients = patients_of(&mut tx, deletion).await?;
        match deletion {
            Deletion::Series(series) => {
                for series_uid in series {
                    delete_series(&mut tx, series_uid, &mut deleted).await?;
                }
            }
            Deletion::Instance {
                instance_uid,
                deletion,
            } => delete_instance(&mut tx, instance_uid, deletion, &mut deleted).await?,
        }
        self.change(&mut tx, patients).await?;
        tx.audit(now, act).await?;
        tx.commit().await?;
        self.log.holds_deleted();
        Ok(deleted)
    }

    /// Packs that nobody needs, to be deleted: what a compaction left, or was about to make, and those of deleted series.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn packs_to_remove(&self) -> Result<Vec<String>, StoreError> {
        let mut connection = self.database.pool().acquire().await?;
        let packs = before::packs_to_remove(&mut connection).await?;
        Ok(packs.into_iter().collect())
    }

    /// The file is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_pack_removed(&self, pack: &str) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        let delete = sqlx::query("-- set_pack_removed\nDELETE FROM pack_to_remove WHERE pack = $1");
        delete
            .bind(pack.to_owned())
            .execute(tx.connection())
            .await?;
        tx.commit().await
    }
}

/// The patients of what is about to be deleted.
async fn patients_of(tx: &mut WriteTx<'_>, deletion: &Deletion) -> Result<Vec<String>, StoreError> {
    const OF_SERIES: &str = "-- patients_of
        SELECT DISTINCT t.patient AS patient FROM series s JOIN study t ON t.study_uid = s.study_uid WHERE s.series_uid IN";
    const OF_INSTANCE: &str = "-- patients_of
        SELECT t.patient AS patient FROM instance i JOIN series s ON s.series_uid = i.series_uid
        JOIN study t ON t.study_uid = s.study_uid WHERE i.instance_uid IN";
    let rows = match deletion {
        Deletion::Series(series) => select_in(tx.connection(), OF_SERIES, series).await?,
        Deletion::Instance { instance_uid, .. } => {
            let instance = std::slice::from_ref(instance_uid);
            select_in(tx.connection(), OF_INSTANCE, instance).await?
        }
    };
    let patients = rows.iter().map(|row| Ok(row.try_get("patient")?));
    patients.collect()
}

async fn delete_series(
    tx: &mut WriteTx<'_>,
    series_uid: &str,
    deleted: &mut Deleted,
) -> Result<(), StoreError> {
    refuse_published(tx, series_uid).await?;
    let (study_uid, patient) = owner_of(tx, series_uid).await?;
    let sql = "-- delete_series
        SELECT COUNT(*) AS instances, CAST(COALESCE(SUM(length), 0) AS BIGINT) AS size_bytes
        FROM instance WHERE series_uid = $1";
    let select = sqlx::query(sql).bind(series_uid.to_owned());
    let row = select.fetch_one(tx.connection()).await?;
    deleted.instances += unsigned(row.try_get("instances")?);
    deleted.size_bytes += unsigned(row.try_get("size_bytes")?);
    // After a repair, instances of one series may lie in packs of several generations.
    let sql = "-- delete_series
        INSERT INTO pack_to_remove (pack)
        SELECT pack FROM pack WHERE series_uid = $1 UNION SELECT pack FROM instance WHERE series_uid = $1
        ON CONFLICT (pack) DO NOTHING";
    execute(tx, sql, series_uid).await?;
    for sql in OF_SERIES {
        let sql = format!("-- delete_series\n{sql}");
        let query = sqlx::query(AssertSqlSafe(sql)).bind(series_uid.to_owned());
        query.execute(tx.connection()).await?;
    }
    delete_empty(tx, &study_uid, &patient).await
}

async fn owner_of(tx: &mut WriteTx<'_>, series_uid: &str) -> Result<(String, String), StoreError> {
    let sql = "-- owner_of
        SELECT t.study_uid AS study_uid, t.patient AS patient
        FROM series s JOIN study t ON t.study_uid = s.study_uid WHERE s.series_uid = $1";
    let select = sqlx::query(sql).bind(series_uid.to_owned());
    let row = select.fetch_one(tx.connection()).await;
    let row = row.map_err(|error| StoreError::from(error).about("series"))?;
    Ok((row.try_get("study_uid")?, row.try_get("patient")?))
}

async fn delete_instance(
    tx: &mut WriteTx<'_>,
    instance_uid: &str,
    deletion: &PackLocation,
    deleted: &mut Deleted,
) -> Result<(), StoreError> {
    let sql = "-- delete_instance
        SELECT series_uid, source_sha256, pack, pack_offset, length, metadata_length, sha256
        FROM instance WHERE instance_uid = $1";
    let select = sqlx::query(sql).bind(instance_uid.to_owned());
    let row = select.fetch_one(tx.connection()).await;
    let row = row.map_err(|error| StoreError::from(error).about("instance"))?;
    refuse_published(tx, &row.try_get::<String, _>("series_uid")?).await?;
    let location = location_of(&row)?;
    deleted.instances += 1;
    deleted.size_bytes += location.length;
    let source: String = row.try_get("source_sha256")?;
    execute(
        tx,
        "-- delete_instance\nDELETE FROM source_file WHERE sha256 = $1",
        &source,
    )
    .await?;
    execute(
        tx,
        "-- delete_instance\nDELETE FROM outline WHERE structure_uid = $1",
        instance_uid,
    )
    .await?;
    execute(
        tx,
        "-- delete_instance\nDELETE FROM instance WHERE instance_uid = $1",
        instance_uid,
    )
    .await?;
    let sql = "-- delete_instance
        INSERT INTO quality_due (series_uid) VALUES ($1) ON CONFLICT (series_uid) DO NOTHING";
    execute(tx, sql, &row.try_get::<String, _>("series_uid")?).await?;
    let dead = location.record_range().length + deletion.record_range().length;
    let sql = "-- delete_instance
        UPDATE pack SET end_offset = $1, dead_bytes = dead_bytes + $2 WHERE pack = $3 AND end_offset = $4";
    let update = sqlx::query(sql)
        .bind(signed(deletion.end()))
        .bind(signed(dead))
        .bind(deletion.pack.clone())
        .bind(signed(deletion.offset));
    match update.execute(tx.connection()).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Conflict { what: "pack" }),
    }
}

/// A published dataset names its instances by digest, so that none of them may go.
async fn refuse_published(tx: &mut WriteTx<'_>, series_uid: &str) -> Result<(), StoreError> {
    let sql =
        "-- refuse_published\nSELECT dataset FROM dataset_series WHERE series_uid = $1 LIMIT 1";
    let select = sqlx::query(sql).bind(series_uid.to_owned());
    match select.fetch_optional(tx.connection()).await? {
        Some(_) => Err(StoreError::Conflict {
            what: "published dataset",
        }),
        None => Ok(()),
    }
}

/// The study, if it has no series left, and then the patient, without studies and readings.
async fn delete_empty(
    tx: &mut WriteTx<'_>,
    study_uid: &str,
    patient: &str,
) -> Result<(), StoreError> {
    let sql = "-- delete_empty
        DELETE FROM study WHERE study_uid = $1
            AND NOT EXISTS (SELECT 1 FROM series s WHERE s.study_uid = study.study_uid)";
    execute(tx, sql, study_uid).await?;
    let sql = "-- delete_empty
        DELETE FROM patient WHERE pseudonym = $1
            AND NOT EXISTS (SELECT 1 FROM study t WHERE t.patient = patient.pseudonym)
            AND NOT EXISTS (SELECT 1 FROM reading r WHERE r.patient = patient.pseudonym)";
    execute(tx, sql, patient).await?;
    let sql = "-- delete_empty
        DELETE FROM patient_link WHERE pseudonym = $1
            AND NOT EXISTS (SELECT 1 FROM patient p WHERE p.pseudonym = patient_link.pseudonym)";
    execute(tx, sql, patient).await
}

async fn execute(tx: &mut WriteTx<'_>, sql: &'static str, value: &str) -> Result<(), StoreError> {
    let query = sqlx::query(sql).bind(value.to_owned());
    query.execute(tx.connection()).await?;
    Ok(())
}

fn in_scope(row: &AnyRow) -> Result<SeriesInScope, StoreError> {
    let pack: Option<String> = row.try_get("pack")?;
    let end = unsigned(row.try_get("end_offset")?);
    Ok(SeriesInScope {
        series_uid: row.try_get("series_uid")?,
        pack: pack.map(|pack| super::PackEnd { pack, end }),
        instances: unsigned(row.try_get("instances")?),
        dataset: row.try_get("dataset")?,
    })
}
