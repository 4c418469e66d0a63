//! Studies of images with their series.

use std::collections::BTreeMap;

use arno_domain::model::{Entity, Record, Recorded, Value as Known};
use serde_json::{Value, json};

use super::{
    Resource, Values, Whole,
    content::{absent, coding, field_extension},
};

/// Largest count of FHIR's unsignedInt.
const MAX_COUNT: f64 = 2_147_483_647.0;

pub(super) fn studies(whole: &Whole<'_>, resources: &mut Vec<Resource>) {
    let mut studies: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for study in whole.of(Entity::Study) {
        studies.entry(&study.key).or_default();
    }
    for series in whole.of(Entity::Series) {
        if let Some(study) = &series.parent {
            studies.entry(study).or_default().push(series);
        }
    }
    let one = |(key, series): (&str, Vec<&Record>)| study(whole, key, &series);
    resources.extend(studies.into_iter().map(one));
}

fn study(whole: &Whole<'_>, key: &str, series: &[&Record]) -> Resource {
    let mut resource = Resource::new("ImagingStudy", key, "");
    let uid = json!({"system": "urn:dicom:uid", "value": format!("urn:oid:{key}")});
    resource.push("identifier", uid);
    resource.set("status", json!("available"));
    resource.set("subject", whole.subject());
    for record in whole.of(Entity::Study).filter(|record| record.key == key) {
        let mut values = Values::new(record);
        if let Some(days) = values.days("study_date") {
            resource.set("_started", whole.when(days));
        }
        for rest in values.0 {
            resource.leave(whole, rest);
        }
    }
    for record in series {
        resource.push("series", one_series(whole, record));
    }
    resource
}

fn one_series(whole: &Whole<'_>, record: &Record) -> Value {
    let mut values = Values::new(record);
    let mut series = json!({"uid": record.key});
    let modality = values.take("modality", is_code_alone).and_then(code);
    series["modality"] = modality.unwrap_or_else(absent);
    if let Some(part) = values.take("body_part", is_code_alone).and_then(code) {
        series["bodySite"] = part;
    }
    if let Some(words) = values.words("series_description") {
        series["description"] = json!(words);
    }
    if let Some(count) = values.take("instances", |one| count(one).is_some()) {
        series["numberOfInstances"] = json!(count_of(count));
    }
    let rest = values
        .0
        .into_iter()
        .map(|rest| field_extension(whole, rest));
    let rest: Vec<_> = rest.collect();
    if !rest.is_empty() {
        series["extension"] = Value::Array(rest);
    }
    series
}

fn is_code_alone(recorded: &Recorded) -> bool {
    recorded.source.is_none() && matches!(recorded.value, Some(Known::Code(_)))
}

fn code(recorded: &Recorded) -> Option<Value> {
    match &recorded.value {
        Some(Known::Code(coded)) => Some(coding(coded)),
        _ => None,
    }
}

/// A whole number without more.
fn count(recorded: &Recorded) -> Option<f64> {
    match recorded.value {
        Some(Known::Number(number))
            if recorded.source.is_none()
                && number.fract() == 0.0
                && (0.0..=MAX_COUNT).contains(&number) =>
        {
            Some(number)
        }
        _ => None,
    }
}

fn count_of(recorded: &Recorded) -> u32 {
    // Whole and small enough: `count` says so.
    count(recorded).unwrap_or_default() as u32
}
