//! Stages, pathology, biomarkers and measurements: an observation for each thing that was observed, all of a record with its key.

use arno_domain::model::{CodeSystem, Entity, Field, Record, Recorded, Value as Known};
use serde_json::{Value, json};

use super::{
    Resource, Values, Whole,
    content::{coding, quantity, value},
    id,
};
use crate::fhir::{
    codes::{FIELDS, OBSERVATIONS, observation},
    observation::{date_field, method_field},
};

/// Where FHIR's categories of observations are.
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

pub(super) fn observations(whole: &Whole<'_>, record: &Record, resources: &mut Vec<Resource>) {
    let mut values = Values::new(record);
    // A date or a method alone are observations themselves.
    let beside = [date_field(record.entity), method_field(record.entity)];
    let is_beside = |one: &&Recorded| beside.contains(&Some(one.field.as_str()));
    let is_seen = !values.0.iter().all(is_beside);
    let date = date_field(record.entity).filter(|_| is_seen);
    let when = date.and_then(|name| values.days(name));
    let is_judged = is_seen && (record.entity == Entity::Stage || values.has("grade"));
    let method = method_field(record.entity).filter(|_| is_judged);
    let method = method.and_then(|name| values.words(name));
    let kind = stage_kind(record);
    let first = resources.len();
    resources.extend(general(&mut values, record));
    for recorded in &values.0 {
        resources.push(one(whole, record, recorded, kind));
    }
    for resource in &mut resources[first..] {
        resource.set("status", json!("final"));
        resource.set("subject", whole.subject());
        if let Some(days) = when {
            resource.set("_effectiveDateTime", whole.when(days));
        }
        if let Some(method) = method {
            resource.set("method", json!({"text": method}));
        }
        if let Some(parent) = parent(whole, record) {
            resource.set("focus", json!([{"reference": parent}]));
        }
    }
}

/// The diagnosis, where it is there.
fn parent(whole: &Whole<'_>, record: &Record) -> Option<String> {
    let parent = record.parent.as_ref()?;
    let mut diagnoses = whole.of(Entity::Diagnosis);
    let is_there = diagnoses.any(|diagnosis| diagnosis.key == *parent);
    is_there.then(|| format!("Condition/{}", id(parent, "")))
}

fn stage_kind(record: &Record) -> &str {
    let kind = super::named("stage_kind").and_then(|field| record.value(field));
    match kind {
        Some(Known::Code(coded)) if coded.system == CodeSystem::Arno => &coded.code,
        _ => "",
    }
}

fn with_code(mut resource: Resource, code: Value) -> Resource {
    resource.set("code", code);
    resource
}

/// One field as an observation of its own.
fn one(whole: &Whole<'_>, record: &Record, recorded: &Recorded, kind: &str) -> Resource {
    let resource = Resource::new("Observation", &record.key, recorded.field.as_str());
    let mut resource = with_code(resource, code_of(recorded.field, kind));
    if let Some(profile) = profile(recorded.field) {
        resource.profile(profile);
    }
    if recorded.field.as_str() == "tumour_size" {
        let size = json!({"coding": [{"system": CodeSystem::Loinc.uri(), "code": "21889-1"}]});
        let component = json!({"code": code_of(recorded.field, kind), "valueQuantity": quantity(recorded, None)});
        resource.set("component", json!([component]));
        return with_code(resource, size);
    }
    for (key, value) in value(whole, recorded) {
        resource.set(key, value);
    }
    resource
}

/// The code that profiles name for a field, or the field itself.
fn code_of(field: Field, kind: &str) -> Value {
    let of = |kind: &str| {
        let mut all = OBSERVATIONS.iter();
        all.find(|known| known.field == field.as_str() && known.kind == kind)
    };
    let coding = match of(kind).or_else(|| of("")) {
        Some(known) => json!({"system": known.system.uri(), "code": known.code}),
        None => json!({"system": FIELDS, "code": field.as_str()}),
    };
    json!({"coding": [coding]})
}

/// The profile of mCODE that such an observation follows.
fn profile(field: Field) -> Option<&'static str> {
    Some(match field.as_str() {
        "stage_group" => "tnm-stage-group",
        "t_category" => "tnm-primary-tumor-category",
        "n_category" => "tnm-regional-nodes-category",
        "m_category" => "tnm-distant-metastases-category",
        "grade" => "histologic-grade",
        "tumour_size" => "tumor-size",
        "er_status" | "pr_status" | "her2_status" | "ki67" | "psa" => "tumor-marker-test",
        _ => return None,
    })
}

/// A biomarker or a measurement by its own code, with its number and unit or its result.
fn general(values: &mut Values<'_>, record: &Record) -> Option<Resource> {
    let (name, number, unit, result, category) = match record.entity {
        Entity::Biomarker => (
            "biomarker",
            "biomarker_value",
            "biomarker_unit",
            "biomarker_result",
            "laboratory",
        ),
        Entity::Measurement => (
            "measurement",
            "measurement_value",
            "measurement_unit",
            "",
            "imaging",
        ),
        _ => return None,
    };
    let is_number = |one: &Recorded| one.source.is_none() && one.value.is_some();
    let has_number = values
        .0
        .iter()
        .any(|one| one.field.as_str() == number && is_number(one));
    if !has_number && !values.has(result) {
        return None;
    }
    let Some(Known::Code(coded)) = &values.take(name, is_code_alone)?.value else {
        return None;
    };
    let resource = Resource::new("Observation", &record.key, name);
    let mut resource = with_code(resource, json!({"coding": [coding(coded)]}));
    resource.push(
        "category",
        json!({"coding": [{"system": CATEGORY, "code": category}]}),
    );
    match values.take(number, is_number) {
        Some(recorded) => {
            let unit = values.words(unit);
            resource.set("valueQuantity", quantity(recorded, unit));
        }
        None => {
            let result = values.take(result, |_| true)?;
            resource.set("valueCodeableConcept", super::content::concept(result));
        }
    }
    Some(resource)
}

/// A code without more that no field of its own answers to.
fn is_code_alone(recorded: &Recorded) -> bool {
    match &recorded.value {
        Some(Known::Code(coded)) => {
            recorded.source.is_none() && observation(coded.system, &coded.code).is_none()
        }
        _ => false,
    }
}
