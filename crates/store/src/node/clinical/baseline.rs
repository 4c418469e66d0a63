//! The day from which a patient's days are counted: the first diagnosis, else the first study.
//!
//! Sources say either dates or days from the diagnosis. When a patient has days and no date of diagnosis, the two cannot be put on one
//! line, and then days are given and dates are not: a gap is better than an interval that is wrong. Dates are moved by a secret offset
//! of the patient's, which drops out of every difference.

use std::collections::HashMap;

use arno_domain::model::{Entity, Value};
use chrono::NaiveDate;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{NewClinicalRecord, NewContent};
use crate::{
    StoreError,
    node::{NodeStore, many::select_in},
};

/// What days are counted from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Baseline {
    date: Option<NaiveDate>,
    is_diagnosis: bool,
}

/// Baselines of patients.
pub(super) type Baselines = HashMap<String, Baseline>;

impl Baseline {
    pub(super) fn days_of(self, date: NaiveDate) -> Option<i64> {
        self.date.map(|first| (date - first).num_days())
    }

    /// Days that a source counted from the diagnosis.
    pub(super) fn days_from_diagnosis(self, days: i64) -> Option<i64> {
        self.is_diagnosis.then_some(days)
    }
}

/// What of a record matters for its patient's baseline, as the columns of its row.
pub(super) struct Anchor {
    pub(super) first_date: Option<String>,
    pub(super) has_days: bool,
}

impl Anchor {
    pub(super) fn of(record: &NewClinicalRecord) -> Self {
        let is_anchor = |name: &str| match record.entity {
            Entity::Diagnosis => name == "diagnosis_date",
            Entity::Study => name == "study_date",
            _ => false,
        };
        let dates = record
            .values
            .iter()
            .filter_map(|value| match value.content {
                NewContent::Date(date) if is_anchor(value.field.as_str()) => Some(date),
                _ => None,
            });
        Self {
            first_date: dates.min().map(|date| date.format("%Y%m%d").to_string()),
            has_days: record
                .values
                .iter()
                .any(|value| matches!(value.content, NewContent::Known(Value::Days(_)))),
        }
    }
}

const OF_RECORDS: &str = "-- baselines
    SELECT patient, entity, first_date, has_days FROM clinical_record
    WHERE (first_date IS NOT NULL OR has_days = 1) AND patient IN";

const OF_STUDIES: &str = "-- baselines
    SELECT patient, 'study' AS entity, study_date AS first_date, 0 AS has_days FROM study
    WHERE study_date IS NOT NULL AND patient IN";

/// The baseline of each of these patients that has one.
pub(super) async fn baselines_of(
    connection: &mut AnyConnection,
    patients: &[String],
) -> Result<HashMap<String, Baseline>, StoreError> {
    let mut known: HashMap<String, Known> = HashMap::new();
    for sql in [OF_RECORDS, OF_STUDIES] {
        for row in select_in(connection, sql, patients).await? {
            add(&mut known, &row)?;
        }
    }
    Ok(baselines(known))
}

fn add(known: &mut HashMap<String, Known>, row: &AnyRow) -> Result<(), StoreError> {
    let first: Option<String> = row.try_get("first_date")?;
    let is_diagnosis = row.try_get::<&str, _>("entity")? == Entity::Diagnosis.as_str();
    let (diagnosed, studied) = match is_diagnosis {
        true => (first, None),
        false => (None, first),
    };
    known
        .entry(row.try_get("patient")?)
        .or_default()
        .add(&Known {
            diagnosed,
            studied,
            has_days: row.try_get::<i64, _>("has_days")? != 0,
        });
    Ok(())
}

fn baselines(known: HashMap<String, Known>) -> HashMap<String, Baseline> {
    let known = known.into_iter();
    known
        .map(|(patient, known)| (patient, known.baseline()))
        .collect()
}

impl NodeStore {
    /// The baseline of every patient that has one.
    pub(super) async fn baselines(&self) -> Result<Baselines, StoreError> {
        let sql = "-- baselines
            SELECT patient, MIN(CASE WHEN entity = 'diagnosis' THEN first_date END) AS diagnosed,
                MIN(CASE WHEN entity = 'study' THEN first_date END) AS studied, MAX(has_days) AS has_days
            FROM clinical_record WHERE first_date IS NOT NULL OR has_days = 1 GROUP BY patient
            UNION ALL
            SELECT patient, NULL AS diagnosed, MIN(study_date) AS studied, 0 AS has_days
            FROM study WHERE study_date IS NOT NULL GROUP BY patient";
        let rows = sqlx::query(sql).fetch_all(self.database.pool()).await?;
        let mut known: HashMap<String, Known> = HashMap::with_capacity(rows.len());
        for row in &rows {
            let patient: String = row.try_get("patient")?;
            known.entry(patient).or_default().add(&Known {
                diagnosed: row.try_get("diagnosed")?,
                studied: row.try_get("studied")?,
                has_days: row.try_get::<i64, _>("has_days")? != 0,
            });
        }
        Ok(baselines(known))
    }
}

#[derive(Default)]
struct Known {
    diagnosed: Option<String>,
    studied: Option<String>,
    has_days: bool,
}

impl Known {
    fn add(&mut self, other: &Self) {
        let first = |left: &Option<String>, right: &Option<String>| {
            [left, right].into_iter().flatten().min().cloned()
        };
        self.diagnosed = first(&self.diagnosed, &other.diagnosed);
        self.studied = first(&self.studied, &other.studied);
        self.has_days |= other.has_days;
    }

    fn baseline(&self) -> Baseline {
        let date =
            |text: &Option<String>| NaiveDate::parse_from_str(text.as_deref()?, "%Y%m%d").ok();
        match (date(&self.diagnosed), self.has_days) {
            (Some(date), _) => Baseline {
                date: Some(date),
                is_diagnosis: true,
            },
            (None, true) => Baseline {
                date: None,
                is_diagnosis: true,
            },
            (None, false) => Baseline {
                date: date(&self.studied),
                is_diagnosis: false,
            },
        }
    }
}
