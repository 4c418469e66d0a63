//! Rows for queries, page by page in a fixed order: patients by pseudonym, studies and series by UID, instances as
//! [`super::KeptInstance`]s are.
//!
//! A filter narrows down by what the index has columns for, and may let through too much: matching is the caller's.

use std::{collections::BTreeMap, sync::Arc};

use sqlx::{Any, AssertSqlSafe, Row as _, any::AnyRow, query::Query};

use super::{KeptInstance, NodeStore, many::select_in, retrieve, unsigned};
use crate::StoreError;

/// What the index can narrow down by; `None` is anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// Pseudonyms.
    pub patients: Option<Vec<String>>,
    /// Study Instance UIDs.
    pub study_uids: Option<Vec<String>>,
    /// First and last Study Date, `YYYYMMDD`; studies without one are let through.
    pub study_dates: Option<(String, String)>,
    /// Modalities: of the series, or of one series of the study.
    pub modalities: Option<Vec<String>>,
    /// Series Instance UIDs; asked for series and instances.
    pub series_uids: Option<Vec<String>>,
    /// SOP Instance UIDs; asked for instances.
    pub instance_uids: Option<Vec<String>>,
}

/// A study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyRow {
    /// Study Instance UID.
    pub study_uid: String,
    /// Pseudonym of its patient.
    pub patient: String,
    /// See [`super::NewStudy::attributes_json`].
    pub attributes_json: String,
}

/// A series with its study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesOfStudy {
    /// Study Instance UID.
    pub study_uid: String,
    /// See [`super::NewStudy::attributes_json`].
    pub study_json: String,
    /// Series Instance UID.
    pub series_uid: String,
    /// See [`super::NewSeries::attributes_json`].
    pub attributes_json: String,
    /// How many instances it has.
    pub instances: u64,
}

/// What belongs to a study.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StudyParts {
    /// How many series.
    pub series: u64,
    /// How many instances.
    pub instances: u64,
    /// Modalities, each once, in order.
    pub modalities: Vec<String>,
    /// SOP classes, each once, in order; only where they were asked for.
    pub sop_classes: Vec<String>,
}

/// An instance, where it is, and what queries ask of it.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceRow {
    /// Its UIDs, place and bytes.
    pub kept: Arc<KeptInstance>,
    /// See [`super::NewInstance::attributes_json`].
    pub attributes_json: String,
}

impl NodeStore {
    /// Pseudonyms of patients with a study that the filter lets through, after one, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_patients(
        &self,
        filter: &RowFilter,
        after: &str,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let mut conditions = Conditions::of_study(filter);
        conditions.add("t.patient >", after);
        let rest = "ORDER BY t.patient";
        let select = "-- find_patients\nSELECT DISTINCT t.patient AS patient FROM study t";
        let rows = self.select(select, &conditions, rest, limit).await?;
        rows.iter().map(|row| Ok(row.try_get("patient")?)).collect()
    }

    /// All studies of these patients.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn patient_studies(&self, patients: &[String]) -> Result<Vec<StudyRow>, StoreError> {
        let sql = "-- patient_studies
            SELECT study_uid, patient, attributes_json FROM study WHERE patient IN";
        let mut connection = self.database.pool().acquire().await?;
        let rows = select_in(&mut connection, sql, patients).await?;
        rows.iter().map(study_of).collect()
    }

    /// Studies that the filter lets through, after one, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_studies(
        &self,
        filter: &RowFilter,
        after: &str,
        limit: u32,
    ) -> Result<Vec<StudyRow>, StoreError> {
        let mut conditions = Conditions::of_study(filter);
        conditions.add("t.study_uid >", after);
        let select = "-- find_studies
            SELECT t.study_uid AS study_uid, t.patient AS patient, t.attributes_json AS attributes_json FROM study t";
        let rows = self
            .select(select, &conditions, "ORDER BY t.study_uid", limit)
            .await?;
        rows.iter().map(study_of).collect()
    }

    /// What belongs to each of these studies.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn study_parts(
        &self,
        study_uids: &[String],
    ) -> Result<BTreeMap<String, StudyParts>, StoreError> {
        let sql = "-- study_parts
            SELECT s.study_uid AS study_uid, COALESCE(s.modality, '') AS modality,
                (SELECT COUNT(*) FROM instance i WHERE i.series_uid = s.series_uid) AS instances
            FROM series s WHERE s.study_uid IN";
        let mut connection = self.database.pool().acquire().await?;
        let rows = select_in(&mut connection, sql, study_uids).await?;
        let mut parts: BTreeMap<String, StudyParts> = BTreeMap::new();
        for row in &rows {
            let study = parts.entry(row.try_get("study_uid")?).or_default();
            study.series += 1;
            study.instances += unsigned(row.try_get("instances")?);
            insert_once(&mut study.modalities, row.try_get("modality")?);
        }
        Ok(parts)
    }

    /// Adds the SOP classes of its instances to each of these studies: reads all of their rows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_sop_classes(
        &self,
        parts: &mut BTreeMap<String, StudyParts>,
    ) -> Result<(), StoreError> {
        let sql = "-- add_sop_classes
            SELECT DISTINCT s.study_uid AS study_uid, i.sop_class AS sop_class
            FROM series s JOIN instance i ON i.series_uid = s.series_uid WHERE s.study_uid IN";
        let study_uids: Vec<String> = parts.keys().cloned().collect();
        let mut connection = self.database.pool().acquire().await?;
        for row in &select_in(&mut connection, sql, &study_uids).await? {
            if let Some(study) = parts.get_mut(&row.try_get::<String, _>("study_uid")?) {
                insert_once(&mut study.sop_classes, row.try_get("sop_class")?);
            }
        }
        Ok(())
    }

    /// Series that the filter lets through, after that series of that study, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_series(
        &self,
        filter: &RowFilter,
        after: (&str, &str),
        limit: u32,
    ) -> Result<Vec<SeriesOfStudy>, StoreError> {
        let mut conditions = Conditions::of_series(filter);
        conditions.add_pair("(s.study_uid, s.series_uid) >", after);
        let select = "-- find_series
            SELECT s.study_uid AS study_uid, t.attributes_json AS study_json, s.series_uid AS series_uid,
                s.attributes_json AS attributes_json,
                (SELECT COUNT(*) FROM instance i WHERE i.series_uid = s.series_uid) AS instances
            FROM series s JOIN study t ON t.study_uid = s.study_uid";
        let rest = "ORDER BY s.study_uid, s.series_uid";
        let rows = self.select(select, &conditions, rest, limit).await?;
        rows.iter().map(series_of).collect()
    }

    /// Instances of one series, of these UIDs where there are any, after one in the order, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_instances(
        &self,
        series_uid: &str,
        instance_uids: Option<&[String]>,
        after: Option<&super::KeptKey>,
        limit: u32,
    ) -> Result<Vec<InstanceRow>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.add("i.series_uid =", series_uid);
        conditions.is_one_of("i.instance_uid", instance_uids);
        let place = retrieve::PLACE;
        let first = conditions.binds.len() + 1;
        let beyond = format!("({place}) > (${first}, ${}, ${})", first + 1, first + 2);
        let sql = format!(
            "-- find_instances
            SELECT {}, i.attributes_json AS attributes_json
            FROM instance i JOIN series s ON s.series_uid = i.series_uid
            WHERE {} AND {beyond} ORDER BY {place} LIMIT ${}",
            retrieve::KEPT_COLUMNS,
            conditions.text.join(" AND "),
            first + 3
        );
        let query = conditions.bind(sqlx::query(AssertSqlSafe(sql)));
        let query = retrieve::bind_after(query, after).bind(i64::from(limit));
        let rows = query.fetch_all(self.database.pool()).await?;
        let instance = |row: &AnyRow| {
            Ok(InstanceRow {
                kept: Arc::new(retrieve::kept_of(row)?),
                attributes_json: row.try_get("attributes_json")?,
            })
        };
        rows.iter().map(instance).collect()
    }

    /// The series of a study, in order, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn series_of_study(
        &self,
        study_uid: &str,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let sql = "-- series_of_study
            SELECT series_uid FROM series WHERE study_uid = $1 ORDER BY series_uid LIMIT $2";
        let query = sqlx::query(sql)
            .bind(study_uid.to_owned())
            .bind(i64::from(limit));
        let rows = query.fetch_all(self.database.pool()).await?;
        rows.iter()
            .map(|row| Ok(row.try_get("series_uid")?))
            .collect()
    }

    async fn select(
        &self,
        select: &str,
        conditions: &Conditions,
        rest: &str,
        limit: u32,
    ) -> Result<Vec<AnyRow>, StoreError> {
        let wanted = conditions.text.join(" AND ");
        let last = conditions.binds.len() + 1;
        let sql = format!("{select} WHERE {wanted} {rest} LIMIT ${last}");
        let query = conditions.bind(sqlx::query(AssertSqlSafe(sql)));
        let query = query.bind(i64::from(limit));
        Ok(query.fetch_all(self.database.pool()).await?)
    }
}

/// Conditions that must all hold, and their values, all of which are text.
#[derive(Default)]
struct Conditions {
    text: Vec<String>,
    binds: Vec<String>,
}

impl Conditions {
    fn of_study(filter: &RowFilter) -> Self {
        let mut conditions = Self::default();
        conditions.study(filter);
        if let Some(modalities) = &filter.modalities {
            let list = conditions.list(modalities);
            conditions.text.push(format!(
                "EXISTS (SELECT 1 FROM series s WHERE s.study_uid = t.study_uid AND s.modality IN ({list}))"
            ));
        }
        conditions
    }

    fn of_series(filter: &RowFilter) -> Self {
        let mut conditions = Self::default();
        conditions.study(filter);
        conditions.is_one_of("s.series_uid", filter.series_uids.as_deref());
        conditions.is_one_of("s.modality", filter.modalities.as_deref());
        if let Some(instances) = &filter.instance_uids {
            let list = conditions.list(instances);
            conditions.text.push(format!(
                "s.series_uid IN (SELECT series_uid FROM instance WHERE instance_uid IN ({list}))"
            ));
        }
        conditions
    }

    fn study(&mut self, filter: &RowFilter) {
        self.is_one_of("t.patient", filter.patients.as_deref());
        self.is_one_of("t.study_uid", filter.study_uids.as_deref());
        if let Some((first, last)) = &filter.study_dates {
            let (first, last) = (self.place(first), self.place(last));
            self.text.push(format!(
                "(t.study_date IS NULL OR t.study_date BETWEEN {first} AND {last})"
            ));
        }
    }

    fn is_one_of(&mut self, column: &str, values: Option<&[String]>) {
        if let Some(values) = values {
            let list = self.list(values);
            self.text.push(format!("{column} IN ({list})"));
        }
    }

    fn add(&mut self, left: &str, value: &str) {
        let place = self.place(value);
        self.text.push(format!("{left} {place}"));
    }

    fn add_pair(&mut self, left: &str, (first, second): (&str, &str)) {
        let (first, second) = (self.place(first), self.place(second));
        self.text.push(format!("{left} ({first}, {second})"));
    }

    fn list(&mut self, values: &[String]) -> String {
        let places: Vec<_> = values.iter().map(|value| self.place(value)).collect();
        places.join(", ")
    }

    fn place(&mut self, value: &str) -> String {
        self.binds.push(value.to_owned());
        format!("${}", self.binds.len())
    }

    fn bind<'q>(
        &self,
        mut query: Query<'q, Any, sqlx::any::AnyArguments>,
    ) -> Query<'q, Any, sqlx::any::AnyArguments> {
        for value in &self.binds {
            query = query.bind(value.clone());
        }
        query
    }
}

fn study_of(row: &AnyRow) -> Result<StudyRow, StoreError> {
    Ok(StudyRow {
        study_uid: row.try_get("study_uid")?,
        patient: row.try_get("patient")?,
        attributes_json: row.try_get("attributes_json")?,
    })
}

fn series_of(row: &AnyRow) -> Result<SeriesOfStudy, StoreError> {
    Ok(SeriesOfStudy {
        study_uid: row.try_get("study_uid")?,
        study_json: row.try_get("study_json")?,
        series_uid: row.try_get("series_uid")?,
        attributes_json: row.try_get("attributes_json")?,
        instances: unsigned(row.try_get("instances")?),
    })
}

fn insert_once(values: &mut Vec<String>, value: String) {
    if value.is_empty() {
        return;
    }
    if let Err(place) = values.binary_search(&value) {
        values.insert(place, value);
    }
}
