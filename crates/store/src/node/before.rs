//! What is here already, asked for whole batches: sources, instances, studies, series, and where their packs end.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{NodeStore, Packs, many::select_in, unsigned};
use crate::StoreError;

/// Where the next instance of a series goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackEnd {
    /// The pack.
    pub pack: String,
    /// Where it ends by the index.
    pub end: u64,
}

/// What of a batch was here before it, by UID.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Before {
    /// Digests of the sources of instances.
    pub instances: BTreeMap<String, String>,
    /// Patients of studies.
    pub studies: BTreeMap<String, String>,
    /// Series.
    pub series: BTreeMap<String, SeriesBefore>,
    /// Where the next instance of each series goes: the end of its pack, or a new pack.
    pub packs: BTreeMap<String, PackEnd>,
}

/// A series that was here before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesBefore {
    /// Its study.
    pub study_uid: String,
    /// Whether sex or age of its patient are not known yet.
    pub lacks_facts: bool,
    /// Version and text of what is kept of how it was acquired.
    pub acquisition: (i64, Option<String>),
}

impl NodeStore {
    /// Which of these digests belong to files that were dealt with before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known_sources(&self, digests: &[String]) -> Result<BTreeSet<String>, StoreError> {
        let sql = "-- known_sources\nSELECT sha256 FROM source_file WHERE sha256 IN";
        let mut connection = self.database.writer().acquire().await?;
        let rows = select_in(&mut connection, sql, digests).await?;
        rows.iter().map(|row| Ok(row.try_get("sha256")?)).collect()
    }

    /// The sources of those of these instances that are kept, by SOP Instance UID.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn instance_sources(
        &self,
        instance_uids: &[String],
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let mut connection = self.database.writer().acquire().await?;
        instance_sources(&mut connection, instance_uids).await
    }

    /// What of a batch is here already, by UID: each list holds distinct UIDs. Asked for over one connection, and as little as
    /// the usual case needs, in which all series are known.
    ///
    /// # Errors
    /// When the database fails, or [`StoreError::Corrupt`] when a text is no UID.
    pub async fn before(
        &self,
        instance_uids: &[String],
        study_uids: &[String],
        series_uids: &[String],
    ) -> Result<Before, StoreError> {
        let mut connection = self.database.writer().acquire().await?;
        let mut before = Before {
            instances: instance_sources(&mut connection, instance_uids).await?,
            ..Before::default()
        };
        let sql = "-- before
            SELECT s.series_uid AS series_uid, s.study_uid AS study_uid, t.patient AS patient, k.pack AS pack,
                COALESCE(k.end_offset, 0) AS end_offset,
                CASE WHEN p.sex IS NULL OR t.age_years IS NULL THEN 1 ELSE 0 END AS lacks_facts,
                s.acquisition_version AS acquisition_version, s.acquisition_json AS acquisition_json
            FROM series s JOIN study t ON t.study_uid = s.study_uid JOIN patient p ON p.pseudonym = t.patient
            LEFT JOIN pack k ON k.series_uid = s.series_uid WHERE s.series_uid IN";
        for row in &select_in(&mut connection, sql, series_uids).await? {
            before.add_series(row)?;
        }
        let is_known = |uid: &&String| before.studies.contains_key(*uid);
        if !study_uids.iter().all(|uid| is_known(&uid)) {
            let sql = "-- before\nSELECT study_uid, patient FROM study WHERE study_uid IN";
            for row in &select_in(&mut connection, sql, study_uids).await? {
                let (study, patient) = (row.try_get("study_uid")?, row.try_get("patient")?);
                before.studies.insert(study, patient);
            }
        }
        before.name_new_packs(&mut connection, series_uids).await?;
        Ok(before)
    }

    /// The source of the instance with that UID, if it is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn instance_source(&self, instance_uid: &str) -> Result<Option<String>, StoreError> {
        let mut found = self.instance_sources(&[instance_uid.to_owned()]).await?;
        Ok(found.remove(instance_uid))
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
        let query = sqlx::query(sql).bind(series_uid.to_owned());
        let row = query.fetch_optional(self.database.pool()).await?;
        row.map(|row| Ok((row.try_get("study_uid")?, row.try_get("patient")?)))
            .transpose()
    }
}

impl Before {
    fn add_series(&mut self, row: &AnyRow) -> Result<(), StoreError> {
        let uid: String = row.try_get("series_uid")?;
        let series = SeriesBefore {
            study_uid: row.try_get("study_uid")?,
            lacks_facts: row.try_get::<i64, _>("lacks_facts")? != 0,
            acquisition: (
                row.try_get("acquisition_version")?,
                row.try_get("acquisition_json")?,
            ),
        };
        let study_uid = series.study_uid.clone();
        self.studies.insert(study_uid, row.try_get("patient")?);
        if let Some(pack) = row.try_get("pack")? {
            let end = unsigned(row.try_get("end_offset")?);
            self.packs.insert(uid.clone(), PackEnd { pack, end });
        }
        self.series.insert(uid, series);
        Ok(())
    }

    async fn name_new_packs(
        &mut self,
        connection: &mut AnyConnection,
        series_uids: &[String],
    ) -> Result<(), StoreError> {
        if series_uids.iter().all(|uid| self.packs.contains_key(uid)) {
            return Ok(());
        }
        let taken = packs_to_remove(connection).await?;
        for uid in series_uids {
            if !self.packs.contains_key(uid) {
                self.packs.insert(uid.clone(), new_pack(uid, &taken)?);
            }
        }
        Ok(())
    }
}

async fn instance_sources(
    connection: &mut AnyConnection,
    instance_uids: &[String],
) -> Result<BTreeMap<String, String>, StoreError> {
    let sql = "-- instance_sources
        SELECT instance_uid, source_sha256 FROM instance WHERE instance_uid IN";
    let rows = select_in(connection, sql, instance_uids).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("instance_uid")?, row.try_get("source_sha256")?)))
        .collect()
}

/// Packs that are still to be removed.
pub(super) async fn packs_to_remove(
    connection: &mut AnyConnection,
) -> Result<BTreeSet<String>, StoreError> {
    let select = sqlx::query("-- packs_to_remove\nSELECT pack FROM pack_to_remove");
    let rows = select.fetch_all(connection).await?;
    rows.iter().map(|row| Ok(row.try_get("pack")?)).collect()
}

/// A name that no pack has which is still to be removed.
fn new_pack(series_uid: &str, taken: &BTreeSet<String>) -> Result<PackEnd, StoreError> {
    let mut pack = Packs::pack_of(series_uid)?;
    while taken.contains(&pack) {
        pack = Packs::next_generation(&pack)?;
    }
    Ok(PackEnd { pack, end: 0 })
}
