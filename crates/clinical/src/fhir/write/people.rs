//! Patients and their cancers.

use arno_domain::model::{CodeSystem, Entity, Record, Recorded, Value as Known};
use serde_json::json;

use super::{
    Resource, Values, Whole,
    content::{concept, quantity},
};
use crate::fhir::codes::{MCODE, PSEUDONYM, SOURCE};

pub(super) fn patient(whole: &Whole<'_>) -> Resource {
    let mut resource = Resource::new("Patient", whole.patient, "");
    let pseudonym = json!({"system": PSEUDONYM, "value": whole.patient});
    resource.push("identifier", pseudonym);
    if whole.of(Entity::Diagnosis).next().is_some() {
        resource.profile("cancer-patient");
    }
    for record in whole.of(Entity::Patient) {
        let mut values = Values::new(record);
        if let Some(sex) = values.take("sex", |one| gender(one).is_some()) {
            resource.set("gender", json!(gender(sex)));
            if let Some(source) = &sex.source {
                let source = json!({"url": SOURCE, "valueString": source});
                resource.set("_gender", json!({"extension": [source]}));
            }
        }
        for rest in values.0 {
            resource.leave(whole, rest);
        }
    }
    if let Some(died) = whole.of(Entity::Outcome).find_map(died) {
        resource.set("deceasedBoolean", json!(died));
    }
    resource
}

fn gender(recorded: &Recorded) -> Option<&'static str> {
    let Some(Known::Code(coded)) = &recorded.value else {
        return None;
    };
    match (coded.system, coded.code.as_str(), &coded.version) {
        (CodeSystem::Dicom, "F", None) => Some("female"),
        (CodeSystem::Dicom, "M", None) => Some("male"),
        (CodeSystem::Dicom, "O", None) => Some("other"),
        _ => None,
    }
}

/// For readers: the outcome itself is a resource of its own.
fn died(outcome: &Record) -> Option<bool> {
    let status = outcome.value(super::named("vital_status")?)?;
    match status {
        Known::Code(coded) if coded.code == "dead" => Some(true),
        Known::Code(coded) if coded.code == "alive" => Some(false),
        _ => None,
    }
}

pub(super) fn condition(whole: &Whole<'_>, record: &Record) -> Resource {
    let mut resource = Resource::new("Condition", &record.key, "");
    let mut values = Values::new(record);
    let is_plain_flag =
        |one: &Recorded| one.source.is_none() && matches!(one.value, Some(Known::Flag(_)));
    match values
        .take("primary_tumour", is_plain_flag)
        .map(|one| &one.value)
    {
        Some(Some(Known::Flag(true))) => resource.profile("primary-cancer-condition"),
        Some(_) => resource.profile("secondary-cancer-condition"),
        None => {}
    }
    resource.set("subject", whole.subject());
    if let Some(diagnosis) = values.take("diagnosis", |_| true) {
        resource.set("code", concept(diagnosis));
    }
    if let Some(morphology) = values.take("morphology", |_| true) {
        let url = format!("{MCODE}histology-morphology-behavior");
        let extension = json!({"url": url, "valueCodeableConcept": concept(morphology)});
        resource.push("extension", extension);
    }
    if let Some(side) = values.take("laterality", |_| true) {
        let url = format!("{MCODE}laterality-qualifier");
        let extension = json!({"url": url, "valueCodeableConcept": concept(side)});
        resource.set("bodySite", json!([{"extension": [extension]}]));
    }
    if let Some(basis) = values.take("diagnosis_basis", |_| true) {
        resource.set("evidence", json!([{"code": [concept(basis)]}]));
    }
    match values.days("diagnosis_date") {
        Some(days) => resource.set("_onsetDateTime", whole.when(days)),
        None => {
            if let Some(age) = values.take("age_at_diagnosis", |one| one.value.is_some()) {
                resource.set("onsetAge", quantity(age, None));
            }
        }
    }
    for rest in values.0 {
        resource.leave(whole, rest);
    }
    resource
}
