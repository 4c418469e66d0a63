//! All records of a node, one after the other: those of its sources, and what it knows of the images that it keeps.
//!
//! Records of the same entity and key add to each other (see [`Record`]). Images come first: what a header says of a series
//! stands over what a table says of it.

use arno_domain::model::{CodeSystem, Coded, Entity, Field, Link, Record, Recorded, Value};
use chrono::NaiveDate;
use sqlx::{Row as _, any::AnyRow};

use super::{baseline::Baseline, values::decode};
use crate::{
    StoreError,
    node::{NodeStore, from_json},
};

const IMAGES: &str = "-- clinical_records
    SELECT t.patient AS patient, p.sex AS sex, t.study_uid AS study_uid, t.study_date AS study_date, t.age_years AS age_years,
        s.series_uid AS series_uid, s.modality AS modality, s.description AS description, s.manufacturer AS manufacturer,
        s.body_part AS body_part, s.slice_thickness_mm AS slice_thickness_mm, s.synthetic AS synthetic, s.values_json AS values_json,
        (SELECT COUNT(*) FROM instance i WHERE i.series_uid = s.series_uid) AS instances
    FROM patient p JOIN study t ON t.patient = p.pseudonym JOIN series s ON s.study_uid = t.study_uid
    ORDER BY t.patient, t.study_uid, s.series_uid";

const ANNOTATIONS: &str = "-- clinical_records
    SELECT t.patient AS patient, i.instance_uid AS instance_uid, i.annotates AS annotates, i.annotation_json AS annotation_json
    FROM instance i JOIN series s ON s.series_uid = i.series_uid JOIN study t ON t.study_uid = s.study_uid
    WHERE i.annotation_json IS NOT NULL ORDER BY i.instance_uid";

/// Malignancy is the highest mean over a patient's nodules, readers the most that read one of them.
const READINGS: &str = "-- clinical_records
    SELECT patient, MAX(malignancy) AS malignancy, MAX(readers) AS readers FROM (
        SELECT patient, AVG(malignancy * 1.0) AS malignancy, COUNT(*) AS readers
        FROM reading GROUP BY patient, series_uid, nodule
    ) AS nodule GROUP BY patient ORDER BY patient";

const RECORDS: &str = "-- clinical_records
    SELECT entity, record_key, patient, parent, links_json, values_json FROM clinical_record ORDER BY source, number";

impl NodeStore {
    /// Hands over every record, in a fixed order.
    ///
    /// # Errors
    /// When the database fails or a row is damaged.
    pub async fn clinical_records(
        &self,
        each: &mut (dyn FnMut(Record) + Send),
    ) -> Result<(), StoreError> {
        let baselines = self.baselines().await?;
        let of = |patient: &str| baselines.get(patient).copied().unwrap_or_default();
        let mut last = Last::default();
        let images = |row: &AnyRow| image_records(row, &of, &mut last, each);
        self.for_each(IMAGES, images).await?;
        self.for_each(ANNOTATIONS, |row| annotation_record(row).map(&mut *each))
            .await?;
        self.for_each(READINGS, |row| reading_record(row).map(&mut *each))
            .await?;
        self.for_each(RECORDS, |row| record_of(row, &of).map(&mut *each))
            .await
    }

    pub(super) async fn for_each(
        &self,
        sql: &'static str,
        mut each: impl FnMut(&AnyRow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut rows = sqlx::query(sql).fetch(self.database.pool());
        while let Some(row) = std::future::poll_fn(|context| rows.as_mut().poll_next(context)).await
        {
            each(&row?)?;
        }
        Ok(())
    }
}

pub(super) fn record_of(
    row: &AnyRow,
    baseline: &impl Fn(&str) -> Baseline,
) -> Result<Record, StoreError> {
    let corrupt = StoreError::Corrupt {
        what: "clinical record",
    };
    let patient: String = row.try_get("patient")?;
    let entity = Entity::from_name(row.try_get("entity")?).ok_or(corrupt)?;
    let links: Option<String> = row.try_get("links_json")?;
    Ok(Record {
        entity,
        key: row.try_get("record_key")?,
        parent: row.try_get("parent")?,
        links: links.map_or(Ok(Vec::new()), |text| links_of(&text))?,
        values: decode(row.try_get("values_json")?, baseline(&patient))?,
        patient,
    })
}

fn links_of(text: &str) -> Result<Vec<Link>, StoreError> {
    let links: Vec<(String, String)> = from_json(text, "links")?;
    let link = |(entity, key): (String, String)| {
        let entity = Entity::from_name(&entity).ok_or(StoreError::Corrupt { what: "links" })?;
        Ok(Link { entity, key })
    };
    links.into_iter().map(link).collect()
}

/// What the row before was about: patients and studies are told once.
#[derive(Default)]
pub(super) struct Last {
    patient: String,
    study: String,
}

pub(super) fn image_records(
    row: &AnyRow,
    baseline: &impl Fn(&str) -> Baseline,
    last: &mut Last,
    each: &mut (dyn FnMut(Record) + Send),
) -> Result<(), StoreError> {
    let patient: String = row.try_get("patient")?;
    if last.patient != patient {
        let mut record = Record::new(Entity::Patient, &patient, &patient);
        put(&mut record, "sex", code(row.try_get("sex")?));
        each(record);
        last.patient.clone_from(&patient);
    }
    let Some(study) = row.try_get::<Option<String>, _>("study_uid")? else {
        return Ok(());
    };
    let baseline = baseline(&patient);
    if last.study != study {
        let mut record = Record::new(Entity::Study, &patient, &study);
        put(&mut record, "age", number(row.try_get("age_years")?));
        let date: Option<String> = row.try_get("study_date")?;
        let date = date.and_then(|text| NaiveDate::parse_from_str(&text, "%Y%m%d").ok());
        let days = date.and_then(|date| baseline.days_of(date));
        put(&mut record, "study_date", days.map(Value::Days));
        each(record);
        last.study.clone_from(&study);
    }
    if row.try_get::<Option<&str>, _>("series_uid")?.is_some() {
        each(series_record(row, &patient, study)?);
    }
    Ok(())
}

fn series_record(row: &AnyRow, patient: &str, study: String) -> Result<Record, StoreError> {
    let mut record = Record::new(Entity::Series, patient, row.try_get("series_uid")?);
    record.parent = Some(study);
    put(&mut record, "modality", code(row.try_get("modality")?));
    put(&mut record, "body_part", code(row.try_get("body_part")?));
    put(
        &mut record,
        "manufacturer",
        words(row.try_get("manufacturer")?),
    );
    put(
        &mut record,
        "series_description",
        words(row.try_get("description")?),
    );
    put(
        &mut record,
        "slice_thickness",
        number(row.try_get("slice_thickness_mm")?),
    );
    if row.try_get::<i64, _>("synthetic")? != 0 {
        put(&mut record, "synthetic", Some(Value::Flag(true)));
    }
    let instances: i64 = row.try_get("instances")?;
    put(&mut record, "instances", number(Some(instances as f64)));
    if let Some(acquired) = row.try_get::<Option<&str>, _>("values_json")? {
        record.values.extend(decode(acquired, Baseline::default())?);
    }
    Ok(record)
}

/// What an instance annotates.
pub(super) fn annotation_record(row: &AnyRow) -> Result<Record, StoreError> {
    let patient: String = row.try_get("patient")?;
    let mut record = Record::new(Entity::Annotation, &patient, row.try_get("instance_uid")?);
    record.parent = row.try_get("annotates")?;
    record.values = decode(row.try_get("annotation_json")?, Baseline::default())?;
    Ok(record)
}

pub(super) fn reading_record(row: &AnyRow) -> Result<Record, StoreError> {
    let patient: String = row.try_get("patient")?;
    let mut record = Record::new(Entity::Measurement, &patient, &patient);
    put(
        &mut record,
        "malignancy",
        number(row.try_get("malignancy")?),
    );
    let readers: i64 = row.try_get("readers")?;
    put(&mut record, "readers", number(Some(readers as f64)));
    Ok(record)
}

fn put(record: &mut Record, name: &str, value: Option<Value>) {
    if let (Ok(field), Some(value)) = (Field::parse(name), value) {
        record.values.push(Recorded {
            field,
            value: Some(value),
            source: None,
        });
    }
}

fn code(code: Option<String>) -> Option<Value> {
    code.map(|code| Value::Code(Coded::new(CodeSystem::Dicom, &code)))
}

fn words(words: Option<String>) -> Option<Value> {
    words.map(Value::Words)
}

fn number(number: Option<f64>) -> Option<Value> {
    number.map(Value::Number)
}
