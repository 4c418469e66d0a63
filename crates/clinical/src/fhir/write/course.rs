//! Treatments, and what FHIR has no resource for: outcomes, events and annotations (as Basic).

use arno_domain::model::{CodeSystem, Entity, Record, Value as Known};
use serde_json::{Value, json};

use super::{
    Resource, Values, Whole,
    content::{absent, concept},
};
use crate::fhir::codes::{ENTITY, LINK, MCODE, SERIES};

/// Kinds of treatment that are medicines.
const MEDICINES: [&str; 4] = ["chemotherapy", "hormone", "targeted", "immunotherapy"];

pub(super) fn treatment(whole: &Whole<'_>, record: &Record) -> Resource {
    let mut resource = match is_medicine(record) {
        true => medicine(whole, record),
        false => procedure(whole, record),
    };
    resource.set("subject", whole.subject());
    resource
}

fn is_medicine(record: &Record) -> bool {
    record.values.iter().any(|one| match &one.value {
        Some(Known::Code(coded)) if one.field.as_str() == "treatment_kind" => {
            MEDICINES.contains(&coded.code.as_str())
        }
        Some(Known::Code(coded)) => matches!(coded.system, CodeSystem::Atc | CodeSystem::RxNorm),
        _ => false,
    })
}

fn procedure(whole: &Whole<'_>, record: &Record) -> Resource {
    let mut resource = Resource::new("Procedure", &record.key, "");
    let mut values = Values::new(record);
    resource.set("status", json!("unknown"));
    if let Some(code) = values.take("treatment", |_| true) {
        resource.set("code", concept(code));
    }
    if let Some(kind) = values.take("treatment_kind", |_| true) {
        if matches!(&kind.value, Some(Known::Code(coded)) if coded.code == "surgery") {
            resource.profile("cancer-related-surgical-procedure");
        }
        resource.set("category", concept(kind));
    }
    intent(&mut resource, &mut values);
    let mut period = json!({});
    for (key, name) in [("_start", "treatment_start"), ("_end", "treatment_end")] {
        if let Some(days) = values.days(name) {
            period[key] = whole.when(days);
        }
    }
    if period != json!({}) {
        resource.set("performedPeriod", period);
    }
    leave(&mut resource, whole, values);
    resource
}

fn medicine(whole: &Whole<'_>, record: &Record) -> Resource {
    let mut resource = Resource::new("MedicationRequest", &record.key, "");
    let mut values = Values::new(record);
    resource.profile("cancer-related-medication-request");
    resource.set("status", json!("unknown"));
    resource.set("intent", json!("order"));
    let medicine = values
        .take("treatment", |_| true)
        .map_or_else(absent, concept);
    resource.set("medicationCodeableConcept", medicine);
    if let Some(kind) = values.take("treatment_kind", |_| true) {
        resource.set("category", json!([concept(kind)]));
    }
    intent(&mut resource, &mut values);
    if let Some(days) = values.days("treatment_start") {
        resource.set("_authoredOn", whole.when(days));
    }
    leave(&mut resource, whole, values);
    resource
}

fn intent(resource: &mut Resource, values: &mut Values<'_>) {
    if let Some(intent) = values.take("treatment_intent", |_| true) {
        let url = format!("{MCODE}procedure-intent");
        let extension = json!({"url": url, "valueCodeableConcept": concept(intent)});
        resource.push("extension", extension);
    }
}

fn leave(resource: &mut Resource, whole: &Whole<'_>, values: Values<'_>) {
    for rest in values.0 {
        resource.leave(whole, rest);
    }
}

/// A record whose fields are all extensions.
pub(super) fn basic(whole: &Whole<'_>, record: &Record) -> Resource {
    let mut resource = Resource::new("Basic", &record.key, record.entity.as_str());
    let coding = json!({"system": ENTITY, "code": record.entity.as_str()});
    resource.set("code", json!({"coding": [coding]}));
    resource.set("subject", whole.subject());
    for recorded in &record.values {
        resource.leave(whole, recorded);
    }
    if let (Entity::Annotation, Some(series)) = (record.entity, &record.parent) {
        resource.push("extension", json!({"url": SERIES, "valueString": series}));
    }
    for link in &record.links {
        resource.push("extension", link_extension(link.entity, &link.key));
    }
    resource
}

fn link_extension(entity: Entity, key: &str) -> Value {
    json!({"url": LINK, "extension": [
        {"url": "entity", "valueCode": entity.as_str()},
        {"url": "key", "valueString": key},
    ]})
}
