//! Procedure, MedicationRequest and MedicationAdministration: what was done against the disease (mCODE Cancer-Related Surgical Procedure,
//! Radiotherapy Course Summary, Cancer-Related Medication). What neither a profile nor a reason ties to a cancer is left out.

use arno_domain::model::{CodeSystem, Coded, Entity, Field, Value};

use super::{
    codes::{MCODE, word},
    condition::is_cancer,
    element::{Concept, Found, Node, When},
    reader::{Reader, Resource, pointer},
    resolve::Target,
    sketch::{Condition, Pointer, Sketch},
    values::Origin,
};

pub(super) fn read_procedure(reader: &mut Reader<'_>, resource: &Resource<'_>) {
    let node = &resource.node;
    let Some(mut sketch) = begin(reader, resource) else {
        return;
    };
    if let Some(code) = reader.take(resource, node.concept("code")) {
        reader.code(resource, &mut sketch, "treatment", &code);
        if resource.origin == Origin::Foreign {
            kind(&mut sketch, &[code]);
        }
    }
    let category = reader.take(resource, node.concept("category"));
    category_of(reader, resource, &mut sketch, category);
    let start = node.begin("performedDateTime", "performedPeriod");
    reader.when(resource, &mut sketch, "treatment_start", start);
    end(reader, resource, &mut sketch, "performedPeriod");
    dose(reader, resource, &mut sketch);
    reader.own_fields(resource, node, &mut sketch);
    finish(reader, resource, sketch);
}

pub(super) fn read_medication(reader: &mut Reader<'_>, resource: &Resource<'_>) {
    let node = &resource.node;
    let Some(mut sketch) = begin(reader, resource) else {
        return;
    };
    match reader.take(resource, node.concept("medicationCodeableConcept")) {
        Some(medicine) => reader.code(resource, &mut sketch, "treatment", &medicine),
        None => medicine(reader, resource, &mut sketch),
    }
    // Of a request a list, of an administration one.
    let category = match node.map.get("category") {
        Some(category) if category.is_array() => {
            let categories = reader.list(resource, node.concepts("category"));
            categories.into_iter().next()
        }
        _ => reader.take(resource, node.concept("category")),
    };
    category_of(reader, resource, &mut sketch, category);
    let start = given(node);
    reader.when(resource, &mut sketch, "treatment_start", start);
    end(reader, resource, &mut sketch, "effectivePeriod");
    reader.own_fields(resource, node, &mut sketch);
    finish(reader, resource, sketch);
}

/// What medicine a Medication is, for those that point at it.
pub(super) fn read_medicine(reader: &mut Reader<'_>, resource: &Resource<'_>) {
    if let Some(code) = reader.take(resource, resource.node.concept("code")) {
        reader.all.targets[resource.target] = Target::Medicine(code);
    }
}

fn given(node: &Node<'_>) -> Found<When> {
    match node.begin("effectiveDateTime", "effectivePeriod")? {
        Some(when) => Ok(Some(when)),
        None => node.when("authoredOn"),
    }
}

fn end(reader: &mut Reader<'_>, resource: &Resource<'_>, sketch: &mut Sketch, period: &str) {
    let period = reader.take(resource, resource.node.object(period));
    if let Some(period) = period {
        let end = period.when("end");
        reader.when(resource, sketch, "treatment_end", end);
    }
}

/// A sketch, with its intent, and what ties it to a cancer.
fn begin(reader: &mut Reader<'_>, resource: &Resource<'_>) -> Option<Sketch> {
    let mut sketch = reader.sketch(resource, Entity::Treatment)?;
    let url = format!("{MCODE}procedure-intent");
    let intent = reader.take(resource, resource.node.extension(&url));
    let intent =
        intent.and_then(|node| reader.take(resource, node.concept("valueCodeableConcept")));
    if let Some(intent) = intent {
        reader.code(resource, &mut sketch, "treatment_intent", &intent);
    }
    let reasons: Vec<Pointer> = reader.pointers(resource, "reasonReference");
    let reason_codes = reader.list(resource, resource.node.concepts("reasonCode"));
    let is_tied = resource.origin == Origin::Ours
        || profile(&resource.node).is_some()
        || sketch.has("treatment_intent")
        || reason_codes.iter().any(|reason| is_cancer(reason, &[]));
    if !is_tied {
        let what = format!("{} that nothing ties to a cancer", resource.kind);
        sketch.condition = Condition::IfCancer(reasons, what);
    }
    Some(sketch)
}

/// The profile of mCODE that it names.
fn profile<'a>(node: &Node<'a>) -> Option<&'a str> {
    let meta = node.map.get("meta")?;
    let profiles = meta.get("profile")?.as_array()?;
    let mut profiles = profiles.iter().filter_map(|profile| profile.as_str());
    profiles.find_map(|profile| profile.strip_prefix(MCODE))
}

/// A kind that the concepts name by a code of their own.
fn kind(sketch: &mut Sketch, concepts: &[Concept]) {
    let mut codings = concepts.iter().flat_map(|concept| &concept.codings);
    let word = codings.find_map(|coding| word("treatment_kind", &coding.system, &coding.code));
    if let Some(word) = word.filter(|_| !sketch.has("treatment_kind")) {
        sketch.know(
            "treatment_kind",
            Value::Code(Coded::new(CodeSystem::Arno, word)),
        );
    }
}

/// The kind by its category, else by its profile. A category that says something else, such as where it was done, says nothing here.
fn category_of(
    reader: &mut Reader<'_>,
    resource: &Resource<'_>,
    sketch: &mut Sketch,
    category: Option<Concept>,
) {
    match (resource.origin, category) {
        (Origin::Ours, Some(category)) => {
            return reader.code(resource, sketch, "treatment_kind", &category);
        }
        (Origin::Ours, None) => return,
        (Origin::Foreign, Some(category)) => kind(sketch, &[category]),
        (Origin::Foreign, None) => {}
    }
    let word = match profile(&resource.node).and_then(|profile| profile.split('|').next()) {
        Some("cancer-related-surgical-procedure") => "surgery",
        Some("radiotherapy-course-summary") => "radiotherapy",
        _ => return,
    };
    if !sketch.has("treatment_kind") {
        sketch.know(
            "treatment_kind",
            Value::Code(Coded::new(CodeSystem::Arno, word)),
        );
    }
}

/// A medicine in a resource of its own, within this one or elsewhere.
fn medicine(reader: &mut Reader<'_>, resource: &Resource<'_>, sketch: &mut Sketch) {
    let node = &resource.node;
    let reference = reader.take(resource, node.object("medicationReference"));
    let Some(pointer) = reference.and_then(|node| reader.take(resource, pointer(&node))) else {
        return;
    };
    let Some(inner) = pointer.to.strip_prefix('#') else {
        sketch.medicine = Some(pointer);
        return;
    };
    let contained = reader.list(resource, node.objects("contained"));
    let found = contained
        .iter()
        .find(|contained| contained.map.get("id").and_then(|id| id.as_str()) == Some(inner));
    match found {
        Some(found) => {
            if let Some(code) = reader.take(resource, found.concept("code")) {
                reader.code(resource, sketch, "treatment", &code);
            }
        }
        None => {
            let fault = node.fault("medicationReference", super::resolve::DANGLING);
            reader.fault(resource.spot, fault);
        }
    }
}

/// The largest dose that was delivered to any volume.
fn dose(reader: &mut Reader<'_>, resource: &Resource<'_>, sketch: &mut Sketch) {
    let url = format!("{MCODE}radiotherapy-dose-delivered-to-volume");
    let Ok(field) = Field::parse("radiation_dose") else {
        return;
    };
    let mut largest: Option<(f64, super::values::Content)> = None;
    for extension in reader.list(resource, resource.node.objects("extension")) {
        if extension.map.get("url").and_then(|url| url.as_str()) != Some(&url) {
            continue;
        }
        let total = reader.take(resource, extension.extension("totalDoseDelivered"));
        let quantity =
            total.and_then(|total| reader.take(resource, total.quantity("valueQuantity")));
        let Some(quantity) = quantity else {
            continue;
        };
        let content = reader.take(resource, super::values::number(field, &quantity));
        let content = content.filter(|_| {
            let before = largest.as_ref().map(|(before, _)| *before);
            before.is_none_or(|before| quantity.number > before)
        });
        largest = content
            .map(|content| (quantity.number, content))
            .or(largest);
    }
    if let Some((_, (content, source))) = largest {
        sketch.say("radiation_dose", content, source);
    }
}

fn finish(reader: &mut Reader<'_>, resource: &Resource<'_>, sketch: Sketch) {
    if sketch.values.is_empty() && sketch.medicine.is_none() {
        let what = format!("{} that says nothing", resource.kind);
        return reader.left_out(resource.spot.place, &what);
    }
    reader.all.targets[resource.target] = Target::Record(Entity::Treatment, sketch.key.clone());
    reader.all.sketches.push(sketch);
}
