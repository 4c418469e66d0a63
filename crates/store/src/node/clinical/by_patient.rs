//! All records of a node patient by patient, for what is made of whole patients.
//!
//! Studies and series are those that the node keeps: what a table says of others is left out, since nothing of them can be looked at here,
//! and so is what hangs on them. Patients without images are there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arno_domain::model::{Entity, Record};
use sqlx::{Row as _, any::AnyRow};

use super::{
    baseline::Baselines,
    stream::{
        ANNOTATIONS, Last, READINGS, annotation_record, image_records, reading_record, record_of,
    },
};
use crate::{
    StoreError,
    node::{NodeStore, many::select_in},
};

const IMAGES: &str = "-- patient_records
    SELECT p.pseudonym AS patient, p.sex AS sex, t.study_uid AS study_uid, t.study_date AS study_date, t.age_years AS age_years,
        s.series_uid AS series_uid, s.modality AS modality, s.description AS description, s.manufacturer AS manufacturer,
        s.body_part AS body_part, s.slice_thickness_mm AS slice_thickness_mm, s.synthetic AS synthetic, s.values_json AS values_json,
        (SELECT COUNT(*) FROM instance i WHERE i.series_uid = s.series_uid) AS instances
    FROM patient p LEFT JOIN study t ON t.patient = p.pseudonym LEFT JOIN series s ON s.study_uid = t.study_uid
    ORDER BY p.pseudonym, t.study_uid, s.series_uid";

const IMAGES_OF: &str = "-- patient_records
    SELECT p.pseudonym AS patient, p.sex AS sex, t.study_uid AS study_uid, t.study_date AS study_date, t.age_years AS age_years,
        s.series_uid AS series_uid, s.modality AS modality, s.description AS description, s.manufacturer AS manufacturer,
        s.body_part AS body_part, s.slice_thickness_mm AS slice_thickness_mm, s.synthetic AS synthetic, s.values_json AS values_json,
        (SELECT COUNT(*) FROM instance i WHERE i.series_uid = s.series_uid) AS instances
    FROM patient p LEFT JOIN study t ON t.patient = p.pseudonym LEFT JOIN series s ON s.study_uid = t.study_uid
    WHERE p.pseudonym IN";

const ANNOTATIONS_OF: &str = "-- patient_records
    SELECT t.patient AS patient, i.instance_uid AS instance_uid, i.annotates AS annotates, i.annotation_json AS annotation_json
    FROM instance i JOIN series s ON s.series_uid = i.series_uid JOIN study t ON t.study_uid = s.study_uid
    WHERE i.annotation_json IS NOT NULL AND t.patient IN";

const READINGS_OF: &str = "-- patient_records
    SELECT patient, MAX(malignancy) AS malignancy, MAX(readers) AS readers FROM (
        SELECT patient, AVG(malignancy * 1.0) AS malignancy, COUNT(*) AS readers
        FROM reading GROUP BY patient, series_uid, nodule
    ) AS nodule GROUP BY patient HAVING patient IN";

const RECORDS: &str = "-- patient_records
    SELECT entity, record_key, patient, parent, links_json, values_json FROM clinical_record ORDER BY source, number";

const RECORDS_OF: &str = "-- patient_records
    SELECT entity, record_key, patient, parent, links_json, values_json, source, number FROM clinical_record
    WHERE patient IN";

/// Records of patients.
type ByPatient = HashMap<String, Vec<Record>>;

/// Patients that are read at once by [`NodeStore::each_patient`].
const PAGE: i64 = 256;

impl NodeStore {
    /// Hands over every patient with all of their records: first those with rows of their own, in the order of the database, then
    /// those of whom only tables speak.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn patient_records(
        &self,
        each: &mut (dyn FnMut(&str, Vec<Record>) + Send),
    ) -> Result<(), StoreError> {
        let baselines = self.baselines().await?;
        let of = |patient: &str| baselines.get(patient).copied().unwrap_or_default();
        let mut others = ByPatient::new();
        self.for_each(ANNOTATIONS, |row| {
            add(&mut others, annotation_record(row)?);
            Ok(())
        })
        .await?;
        self.for_each(READINGS, |row| {
            add(&mut others, reading_record(row)?);
            Ok(())
        })
        .await?;
        self.for_each(RECORDS, |row| {
            add(&mut others, record_of(row, &of)?);
            Ok(())
        })
        .await?;
        let (mut last, mut images): (Last, Vec<Record>) = (Last::default(), Vec::new());
        let rows = |row: &AnyRow| {
            let patient: &str = row.try_get("patient")?;
            if let Some(before) = images.first().filter(|record| record.patient != patient) {
                let before = before.patient.clone();
                let records = std::mem::take(&mut images);
                each(&before, together(records, others.remove(&before)));
            }
            image_records(row, &of, &mut last, &mut |record| images.push(record))
        };
        self.for_each(IMAGES, rows).await?;
        if let Some(before) = images.first().map(|record| record.patient.clone()) {
            each(&before, together(images, others.remove(&before)));
        }
        let rest: BTreeMap<_, _> = others.into_iter().collect();
        for (patient, records) in rest {
            each(&patient, together(Vec::new(), Some(records)));
        }
        Ok(())
    }

    /// The records of these patients; those of whom nothing is known any longer are left out.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn records_of(
        &self,
        patients: &[String],
    ) -> Result<Vec<(String, Vec<Record>)>, StoreError> {
        if patients.is_empty() {
            return Ok(Vec::new());
        }
        let baselines = self.baselines().await?;
        self.records_from(patients, &baselines).await
    }

    /// Hands over every patient with all of their records, in order of pseudonyms, a page of patients at a time: for whoever must not
    /// hold them all. Each page sees the rows as they are then.
    ///
    /// # Errors
    /// What `each` fails with, or when the database fails or a row is damaged.
    pub async fn each_patient<E: From<StoreError>>(
        &self,
        mut each: impl FnMut(&str, Vec<Record>) -> Result<(), E>,
    ) -> Result<(), E> {
        let baselines = self.baselines().await?;
        let mut after = String::new();
        loop {
            let patients = self.patients_after(&after).await?;
            let Some(last) = patients.last() else {
                return Ok(());
            };
            after.clone_from(last);
            for (patient, records) in self.records_from(&patients, &baselines).await? {
                each(&patient, records)?;
            }
        }
    }

    async fn patients_after(&self, after: &str) -> Result<Vec<String>, StoreError> {
        let sql = "-- patients_after
            SELECT pseudonym FROM patient WHERE pseudonym > $1
            UNION SELECT patient AS pseudonym FROM clinical_record WHERE patient > $1 ORDER BY pseudonym LIMIT $2";
        let query = sqlx::query(sql).bind(after.to_owned()).bind(PAGE);
        let rows = query.fetch_all(self.database.pool()).await?;
        rows.iter()
            .map(|row| Ok(row.try_get("pseudonym")?))
            .collect()
    }

    async fn records_from(
        &self,
        patients: &[String],
        baselines: &Baselines,
    ) -> Result<Vec<(String, Vec<Record>)>, StoreError> {
        let of = |patient: &str| baselines.get(patient).copied().unwrap_or_default();
        let mut connection = self.database.pool().acquire().await?;
        let (mut images, mut others) = (ByPatient::new(), ByPatient::new());
        let mut last = Last::default();
        for row in select_in(&mut connection, IMAGES_OF, patients).await? {
            image_records(&row, &of, &mut last, &mut |record| add(&mut images, record))?;
        }
        for row in select_in(&mut connection, ANNOTATIONS_OF, patients).await? {
            add(&mut others, annotation_record(&row)?);
        }
        for row in select_in(&mut connection, READINGS_OF, patients).await? {
            add(&mut others, reading_record(&row)?);
        }
        let mut rows = select_in(&mut connection, RECORDS_OF, patients).await?;
        let place = |row: &AnyRow| {
            let source: String = row.try_get("source").unwrap_or_default();
            (source, row.try_get::<i64, _>("number").unwrap_or_default())
        };
        rows.sort_by_cached_key(place);
        for row in &rows {
            add(&mut others, record_of(row, &of)?);
        }
        let known: BTreeSet<String> = images.keys().chain(others.keys()).cloned().collect();
        let records = known.into_iter().map(|patient| {
            let images = images.remove(&patient).unwrap_or_default();
            let records = together(images, others.remove(&patient));
            (patient, records)
        });
        Ok(records.collect())
    }
}

fn add(records: &mut ByPatient, record: Record) {
    records
        .entry(record.patient.clone())
        .or_default()
        .push(record);
}

/// Records of images, which stand over others, and what else is known of the patient but of images that are not kept.
fn together(mut images: Vec<Record>, others: Option<Vec<Record>>) -> Vec<Record> {
    let kept: BTreeSet<(Entity, String)> = images
        .iter()
        .map(|record| (record.entity, record.key.clone()))
        .collect();
    let is_kept = |entity: Entity, key: &str| kept.contains(&(entity, key.to_owned()));
    let others =
        others
            .into_iter()
            .flatten()
            .filter(|record| match (record.entity, &record.parent) {
                (Entity::Study | Entity::Series, _) => is_kept(record.entity, &record.key),
                (Entity::Annotation, Some(series)) => is_kept(Entity::Series, series),
                _ => true,
            });
    images.extend(others);
    images
}
