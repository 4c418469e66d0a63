//! Patient: whose records these are, by the identifier that images have too; sex, and whether they died. Names, addresses and the rest
//! are not looked at; the date of birth serves to compute ages and is not kept.

use std::sync::Arc;

use arno_domain::model::{CodeSystem, Coded, Entity, Value};
use chrono::NaiveDate;

use super::{
    codes::{PSEUDONYM, RECORD, SOURCE},
    element::{Node, When},
    reader::{Reader, Resource},
    resolve::Target,
    sketch::{Condition, Parent, Sketch, Subject},
    values::Origin,
};
use crate::{DraftContent, DraftKey};

/// Longest patient id: DICOM's LO has 64 characters.
pub(super) const MAX_ID_CHARS: usize = 64;

/// A patient of the source.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// The id that images have, unless it is a problem.
    pub(super) id: Option<Arc<str>>,
    pub(super) born: Option<NaiveDate>,
}

pub(super) fn read(reader: &mut Reader<'_>, resource: &Resource<'_>) {
    let id = identifier(reader, resource);
    let born = match reader.take(resource, resource.node.when("birthDate")) {
        Some(When::Day(date)) => Some(date),
        _ => None,
    };
    let number = reader.all.people.len();
    reader.all.people.push(Person {
        id: id.clone(),
        born,
    });
    reader.all.targets[resource.target] = Target::Patient(number);
    let Some(id) = id else {
        return;
    };
    let sketch = |entity| Sketch {
        spot: resource.spot,
        entity,
        subject: Subject::Id(id.clone()),
        key: DraftKey::Patient,
        parent: Parent::Unsaid,
        condition: Condition::Always,
        links: Vec::new(),
        values: Vec::new(),
        medicine: None,
    };
    let mut patient = sketch(Entity::Patient);
    sex(reader, resource, &mut patient);
    reader.own_fields(resource, &resource.node, &mut patient);
    reader.all.sketches.push(patient);
    if resource.origin == Origin::Foreign {
        let mut outcome = sketch(Entity::Outcome);
        deceased(reader, resource, &mut outcome);
        reader.all.sketches.push(outcome);
    }
}

fn sex(reader: &mut Reader<'_>, resource: &Resource<'_>, sketch: &mut Sketch) {
    let node = &resource.node;
    let Some(gender) = reader.take(resource, node.text("gender")) else {
        return;
    };
    let code = match gender {
        "male" => "M",
        "female" => "F",
        "other" => "O",
        "unknown" => return,
        _ => {
            let what = "no gender of FHIR: male, female, other or unknown";
            let fault = node.fault("gender", what);
            return reader.fault(resource.spot, fault);
        }
    };
    let beside = reader.take(resource, node.object("_gender"));
    let ours = beside.and_then(|beside| reader.take(resource, beside.extension_text(SOURCE)));
    let source = match resource.origin {
        Origin::Ours => ours,
        Origin::Foreign => Some(gender.to_owned()),
    };
    let coded = Value::Code(Coded::new(CodeSystem::Dicom, code));
    sketch.say("sex", DraftContent::Known(coded), source);
}

fn deceased(reader: &mut Reader<'_>, resource: &Resource<'_>, outcome: &mut Sketch) {
    let when = reader.take(resource, resource.node.when("deceasedDateTime"));
    let flag = reader.take(resource, resource.node.flag("deceasedBoolean"));
    let state = match (when, flag) {
        (Some(_), _) | (None, Some(true)) => "dead",
        (None, Some(false)) => "alive",
        (None, None) => return,
    };
    let coded = Value::Code(Coded::new(CodeSystem::Arno, state));
    outcome.know("vital_status", coded);
    reader.when(resource, outcome, "death_date", Ok(when));
}

/// The identifier that counts. Two systems, or two values of one, are a problem: nothing says which one the images have.
fn identifier(reader: &mut Reader<'_>, resource: &Resource<'_>) -> Option<Arc<str>> {
    let nodes = reader.list(resource, resource.node.objects("identifier"));
    let ours = (resource.origin == Origin::Ours).then_some(PSEUDONYM);
    let wanted = reader.mapping.fhir.identifier_system.as_deref().or(ours);
    let mut found: Vec<&str> = Vec::new();
    let mut systems: Vec<&str> = Vec::new();
    for node in &nodes {
        let system = reader
            .take(resource, node.text("system"))
            .unwrap_or_default();
        let value = reader.take(resource, node.text("value"));
        let is_wanted = wanted.map_or(system != RECORD, |wanted| wanted == system);
        if !systems.contains(&system) {
            systems.push(system);
            *reader.all.systems.entry(system.to_owned()).or_default() += 1;
        }
        found.extend(value.filter(|value| is_wanted && !found.contains(value)));
    }
    match found.as_slice() {
        [one] if one.chars().count() <= MAX_ID_CHARS => return Some((*one).into()),
        [_] => fault(
            reader,
            resource,
            &format!("an id has at most {MAX_ID_CHARS} characters"),
        ),
        [] => fault(
            reader,
            resource,
            &format!(
                "no identifier of the system that counts ({}); this one has those of: {}",
                wanted.unwrap_or("any"),
                systems.join(", ")
            ),
        ),
        _ => fault(
            reader,
            resource,
            &format!(
                "several identifiers: name the system of the one that stands in Patient ID of the images (fhir.identifier_system, or --identifier-system); there are: {}",
                systems.join(", ")
            ),
        ),
    }
    None
}

fn fault(reader: &mut Reader<'_>, resource: &Resource<'_>, what: &str) {
    let fault = Node::fault(&resource.node, "identifier", what);
    reader.fault(resource.spot, fault);
}
