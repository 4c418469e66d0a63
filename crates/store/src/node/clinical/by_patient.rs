//! All records of a node patient by patient, for what is made of whole patients.
//!
//! Studies and series are those that the node keeps, and those of sources whose images are said to be elsewhere ([`Images`]): what
//! another table says of images that are not here is left out, since nothing of them can be looked at, and so is what hangs on them.
//! Patients without images are there.

use std::collections::{BTreeSet, HashMap, HashSet};

use arno_domain::model::{Entity, Images, Record};
use sqlx::{Row as _, any::AnyRow};

use super::{
    baseline::baselines_of,
    stream::{Last, annotation_record, image_records, reading_record, record_of},
};
use crate::{
    StoreError,
    node::{NodeStore, many::select_in},
};

const IMAGES_OF: &str = "-- records_of
    SELECT p.pseudonym AS patient, p.sex AS sex, t.study_uid AS study_uid, t.study_date AS study_date, t.age_years AS age_years,
        s.series_uid AS series_uid, s.modality AS modality, s.description AS description, s.manufacturer AS manufacturer,
        s.body_part AS body_part, s.slice_thickness_mm AS slice_thickness_mm, s.synthetic AS synthetic, s.values_json AS values_json,
        (SELECT COUNT(*) FROM instance i WHERE i.series_uid = s.series_uid) AS instances
    FROM patient p LEFT JOIN study t ON t.patient = p.pseudonym LEFT JOIN series s ON s.study_uid = t.study_uid
    WHERE p.pseudonym IN";

const ANNOTATIONS_OF: &str = "-- records_of
    SELECT t.patient AS patient, i.instance_uid AS instance_uid, i.annotates AS annotates, i.annotation_json AS annotation_json
    FROM instance i JOIN series s ON s.series_uid = i.series_uid JOIN study t ON t.study_uid = s.study_uid
    WHERE i.annotation_json IS NOT NULL AND t.patient IN";

const READINGS_OF: &str = "-- records_of
    SELECT patient, MAX(malignancy) AS malignancy, MAX(readers) AS readers FROM (
        SELECT patient, AVG(malignancy * 1.0) AS malignancy, COUNT(*) AS readers
        FROM reading GROUP BY patient, series_uid, nodule
    ) AS nodule GROUP BY patient HAVING patient IN";

const PATIENTS: &str = "-- each_patient
    SELECT pseudonym AS patient FROM patient UNION SELECT patient FROM clinical_record UNION SELECT patient FROM reading";

const RECORDS_OF: &str = "-- records_of
    SELECT entity, record_key, patient, parent, links_json, values_json, source, number FROM clinical_record
    WHERE patient IN";

/// Patients whose records are in memory at once while all are read.
const PATIENTS_AT_ONCE: usize = 256;

/// Records of patients, each with where its source says that the images are.
type ByPatient = HashMap<String, Vec<(Record, Images)>>;

impl NodeStore {
    /// Hands over every patient with all of their records, in the order of their pseudonyms, a few hundred patients at a time: for whoever
    /// must not hold them all. Each few hundred see the rows as they are then.
    ///
    /// # Errors
    /// What `each` fails with, or when the database fails or a row is damaged.
    pub async fn each_patient<E: From<StoreError>>(
        &self,
        mut each: impl FnMut(&str, Vec<Record>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut patients: Vec<String> = Vec::new();
        self.for_each(PATIENTS, |row| {
            patients.push(row.try_get("patient")?);
            Ok(())
        })
        .await?;
        // Not left to the database, where the order of texts is a matter of its settings.
        patients.sort_unstable();
        self.each_of(&patients, &mut each).await
    }

    /// The same for these patients, who are named in order.
    ///
    /// # Errors
    /// As [`Self::each_patient`].
    pub async fn each_of<E: From<StoreError>>(
        &self,
        patients: &[String],
        each: &mut impl FnMut(&str, Vec<Record>) -> Result<(), E>,
    ) -> Result<(), E> {
        for some in patients.chunks(PATIENTS_AT_ONCE) {
            for (patient, records) in self.records_of(some).await? {
                each(&patient, records)?;
            }
        }
        Ok(())
    }

    /// The records of these patients, in the order of their pseudonyms; those of whom nothing is known any longer are left out.
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
        let sources = self.clinical_sources().await?;
        let sources: HashMap<String, Images> = sources
            .into_iter()
            .map(|source| (source.name, source.images))
            .collect();
        let mut connection = self.database.pool().acquire().await?;
        let baselines = baselines_of(&mut connection, patients).await?;
        let of = |patient: &str| baselines.get(patient).copied().unwrap_or_default();
        let mut images: HashMap<String, Vec<Record>> = HashMap::new();
        let (mut others, mut last) = (ByPatient::new(), Last::default());
        for row in select_in(&mut connection, IMAGES_OF, patients).await? {
            image_records(&row, &of, &mut last, &mut |record| {
                let records = images.entry(record.patient.clone());
                records.or_default().push(record);
            })?;
        }
        for row in select_in(&mut connection, ANNOTATIONS_OF, patients).await? {
            add(&mut others, annotation_record(&row)?, Images::Held);
        }
        for row in select_in(&mut connection, READINGS_OF, patients).await? {
            add(&mut others, reading_record(&row)?, Images::Held);
        }
        let mut rows = select_in(&mut connection, RECORDS_OF, patients).await?;
        rows.sort_by_cached_key(place);
        for row in &rows {
            let source = sources.get(row.try_get::<&str, _>("source")?);
            let source = source.copied().unwrap_or_default();
            add(&mut others, record_of(row, &of)?, source);
        }
        let known: BTreeSet<String> = images.keys().chain(others.keys()).cloned().collect();
        let records = known.into_iter().map(|patient| {
            let images = images.remove(&patient).unwrap_or_default();
            let records = together(images, others.remove(&patient).unwrap_or_default());
            (patient, records)
        });
        Ok(records.collect())
    }
}

/// Source and number of a record.
fn place(row: &AnyRow) -> (String, i64) {
    (
        row.try_get("source").unwrap_or_default(),
        row.try_get("number").unwrap_or_default(),
    )
}

fn add(records: &mut ByPatient, record: Record, images: Images) {
    let of_patient = records.entry(record.patient.clone()).or_default();
    of_patient.push((record, images));
}

/// Records of images, which stand over others, and what else is known of the patient but of images that are neither kept nor said to be
/// elsewhere.
fn together(mut images: Vec<Record>, others: Vec<(Record, Images)>) -> Vec<Record> {
    let elsewhere = others
        .iter()
        .filter(|(_, images)| *images == Images::Elsewhere);
    let known = images.iter().chain(elsewhere.map(|(record, _)| record));
    let known: HashSet<(Entity, String)> = known
        .filter(|record| matches!(record.entity, Entity::Study | Entity::Series))
        .map(|record| (record.entity, record.key.clone()))
        .collect();
    let is_known = |entity: Entity, key: &str| known.contains(&(entity, key.to_owned()));
    let is_searched = |(record, _): &(Record, Images)| match (record.entity, &record.parent) {
        (Entity::Study | Entity::Series, _) => is_known(record.entity, &record.key),
        (Entity::Annotation, Some(series)) => is_known(Entity::Series, series),
        _ => true,
    };
    let others = others.into_iter().filter(is_searched);
    images.extend(others.map(|(record, _)| record));
    images
}
