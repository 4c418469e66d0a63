//! Observation: stages, grades, tumour markers, sizes, states of the disease, by the code that says what was observed (mCODE TNM Stage
//! Group and Categories, Histologic Grade, Tumor Marker Test, Tumor Size, Cancer Disease Status). Other tests of a laboratory become
//! biomarkers by their LOINC code, other findings in images measurements.

use arno_domain::model::{CodeSystem, Entity, Field, Value};

use super::{
    codes::{FIELDS, MCODE, METHODS, observation},
    element::{Concept, Node, system},
    reader::{Reader, Resource, pointer},
    resolve::Target,
    sketch::{Parent, Pointer, Sketch},
    values::{Origin, words},
};
use crate::DraftContent;

/// A field that a part of the observation fills.
struct Part<'a> {
    field: Field,
    kind: &'static str,
    node: Node<'a>,
}

pub(super) fn read(reader: &mut Reader<'_>, resource: &Resource<'_>) {
    let Some(code) = reader.take(resource, resource.node.concept("code")) else {
        let fault = resource
            .node
            .fault("code", "nothing says what was observed");
        return reader.fault(resource.spot, fault);
    };
    let parts = parts(reader, resource, &code);
    if parts.is_empty() {
        return general(reader, resource, &code);
    }
    let told = reader.times_left_out();
    let mut sketches: Vec<Sketch> = Vec::new();
    for part in &parts {
        let entity = part.field.entity();
        let place = sketches.iter().position(|known| known.entity == entity);
        let place = match place {
            Some(place) => place,
            None => match reader.sketch(resource, entity) {
                Some(sketch) => {
                    sketches.push(sketch);
                    sketches.len() - 1
                }
                None => return,
            },
        };
        say(reader, resource, part, &mut sketches[place]);
    }
    sketches.retain(|sketch| !sketch.values.is_empty());
    match sketches.is_empty() {
        false => finish(reader, resource, &parts, sketches),
        true if told == reader.times_left_out() => {
            reader.left_out(resource.spot.place, "Observation without a value");
        }
        true => {}
    }
}

fn parts<'a>(reader: &mut Reader<'_>, resource: &Resource<'a>, code: &Concept) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    parts.extend(part(reader, code, resource.node.clone()));
    for component in reader.list(resource, resource.node.objects("component")) {
        let code = reader.take(resource, component.concept("code"));
        parts.extend(code.and_then(|code| part(reader, &code, component)));
    }
    parts
}

fn part<'a>(reader: &Reader<'_>, code: &Concept, node: Node<'a>) -> Option<Part<'a>> {
    let found = code.codings.iter().find_map(|coding| {
        if let Some(field) = reader.own.observation(coding) {
            return Some((field, ""));
        }
        if coding.system == FIELDS {
            return Some((Field::parse(&coding.code).ok()?, ""));
        }
        let known = observation(system(coding)?.0, &coding.code)?;
        Some((Field::parse(known.field).ok()?, known.kind))
    });
    let (field, kind) = found?;
    Some(Part { field, kind, node })
}

/// The value, or how it was interpreted.
fn say(reader: &mut Reader<'_>, resource: &Resource<'_>, part: &Part<'_>, sketch: &mut Sketch) {
    if !reader.value(resource, sketch, part.field, &part.node) {
        let interpretations = reader.list(resource, part.node.concepts("interpretation"));
        if let Some(first) = interpretations.first() {
            reader.code(resource, sketch, part.field.as_str(), first);
        }
    }
    if !part.kind.is_empty() && resource.origin == Origin::Foreign && !sketch.values.is_empty() {
        let coded = arno_domain::model::Coded::new(CodeSystem::Arno, part.kind);
        sketch.know("stage_kind", Value::Code(coded));
    }
}

fn finish(
    reader: &mut Reader<'_>,
    resource: &Resource<'_>,
    parts: &[Part<'_>],
    mut sketches: Vec<Sketch>,
) {
    let hangs_on = focus(reader, resource);
    for sketch in &mut sketches {
        date(reader, resource, sketch);
        method(reader, resource, sketch);
        sketch.parent = match (resource.origin, hangs_on.is_empty()) {
            (Origin::Ours, true) => Parent::Nothing,
            _ => Parent::Of(hangs_on.clone()),
        };
    }
    if let Some(first) = sketches.first() {
        reader.all.targets[resource.target] = Target::Record(first.entity, first.key.clone());
    }
    let is_group = parts
        .iter()
        .any(|part| part.field.as_str() == "stage_group");
    let members = reader.pointers(resource, "hasMember");
    if is_group && !members.is_empty() {
        reader.group(resource, members);
    }
    reader.all.sketches.extend(sketches);
}

/// The conditions that an observation is about.
fn focus(reader: &mut Reader<'_>, resource: &Resource<'_>) -> Vec<Pointer> {
    let mut pointers = reader.pointers(resource, "focus");
    let url = format!("{MCODE}related-condition");
    let extension = reader.take(resource, resource.node.extension(&url));
    let reference = extension.and_then(|node| reader.take(resource, node.object("valueReference")));
    pointers.extend(reference.and_then(|node| reader.take(resource, pointer(&node))));
    pointers
}

/// The field in which an entity keeps when it was seen.
pub(super) fn date_field(entity: Entity) -> Option<&'static str> {
    match entity {
        Entity::Stage => Some("stage_date"),
        Entity::Pathology => Some("pathology_date"),
        Entity::Biomarker => Some("biomarker_date"),
        Entity::Measurement => Some("measurement_date"),
        Entity::Outcome => Some("last_contact"),
        _ => None,
    }
}

fn date(reader: &mut Reader<'_>, resource: &Resource<'_>, sketch: &mut Sketch) {
    let Some(name) = date_field(sketch.entity) else {
        return;
    };
    let node = &resource.node;
    let when = match node.begin("effectiveDateTime", "effectivePeriod") {
        Ok(None) => node.when("effectiveInstant"),
        found => found,
    };
    reader.when(resource, sketch, name, when);
}

/// The field in which an entity keeps by what system it was judged.
pub(super) fn method_field(entity: Entity) -> Option<&'static str> {
    match entity {
        Entity::Stage => Some("stage_edition"),
        Entity::Pathology => Some("grade_system"),
        _ => None,
    }
}

fn method(reader: &mut Reader<'_>, resource: &Resource<'_>, sketch: &mut Sketch) {
    let Some(name) = method_field(sketch.entity) else {
        return;
    };
    let Some(concept) = reader.take(resource, resource.node.concept("method")) else {
        return;
    };
    let is_grade = name != "grade_system" || sketch.has("grade");
    let known = concept.codings.iter().find_map(|coding| {
        let mut methods = METHODS.iter();
        methods
            .find(|(code, _)| *code == coding.code)
            .map(|(_, name)| (*name).to_owned())
    });
    if let Some(text) = known.or_else(|| words(&concept)).filter(|_| is_grade) {
        let content = DraftContent::Known(Value::Words(text));
        sketch.say(name, content, None);
    }
}

/// An observation that fills no field of its own: by its category and code.
fn general(reader: &mut Reader<'_>, resource: &Resource<'_>, code: &Concept) {
    let categories = reader.list(resource, resource.node.concepts("category"));
    let is_in = |wanted: &str| {
        let mut codings = categories.iter().flat_map(|category| &category.codings);
        codings.any(|coding| coding.code == wanted)
    };
    let has = |wanted: &[CodeSystem]| {
        let mut systems = code.codings.iter().filter_map(system);
        systems.any(|(system, _)| wanted.contains(&system))
    };
    let names = if is_in("laboratory") && has(&[CodeSystem::Loinc, CodeSystem::Ncit]) {
        [
            "biomarker",
            "biomarker_result",
            "biomarker_value",
            "biomarker_unit",
        ]
    } else if is_in("imaging") && has(&[CodeSystem::Snomed, CodeSystem::Ncit, CodeSystem::RadLex]) {
        ["measurement", "", "measurement_value", "measurement_unit"]
    } else {
        let token = code.codings.first().map(super::element::Coding::token);
        let token = token.unwrap_or_else(|| "in words".into());
        return reader.left_out(resource.spot.place, &format!("Observation {token}"));
    };
    let [what, result, value, unit] = names;
    let Ok(field) = Field::parse(what) else {
        return;
    };
    let Some(mut sketch) = reader.sketch(resource, field.entity()) else {
        return;
    };
    let said = [result, value]
        .into_iter()
        .filter_map(|name| Field::parse(name).ok());
    let said = said.filter(|field| reader.value(resource, &mut sketch, *field, &resource.node));
    if said.count() == 0 {
        return reader.left_out(resource.spot.place, "Observation without a value");
    }
    if let Ok(Some(quantity)) = resource.node.quantity("valueQuantity")
        && let Some(text) = quantity.unit
    {
        sketch.know(unit, Value::Words(text));
    }
    reader.code(resource, &mut sketch, what, code);
    finish(reader, resource, &[], vec![sketch]);
}
