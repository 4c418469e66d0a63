//! ImagingStudy: the study and the series of images, by the UIDs that they have in DICOM, so that what is said of them joins the images.

use std::sync::Arc;

use arno_domain::model::{CodeSystem, Coded, Entity, Value};

use super::{
    element::Node,
    reader::{Reader, Resource},
    resolve::Target,
    sketch::{Parent, Sketch},
    values::clip,
};
use crate::{DraftContent, DraftKey};

/// SNOMED CT's sides, and DICOM's.
const SIDES: [(&str, &str); 3] = [("7771000", "L"), ("24028007", "R"), ("51440002", "B")];
/// Longest UID (PS3.5, 9.1).
const MAX_UID_BYTES: usize = 64;

pub(super) fn read(reader: &mut Reader<'_>, resource: &Resource<'_>) {
    let node = &resource.node;
    let identifiers = reader.list(resource, node.objects("identifier"));
    let values = identifiers.iter().filter_map(|identifier| {
        let is_uid = identifier.text("system").ok()? == Some("urn:dicom:uid");
        identifier.text("value").ok()?.filter(|_| is_uid)
    });
    let values: Vec<_> = values.collect();
    let Some(study) = values.first() else {
        return reader.left_out(resource.spot.place, "ImagingStudy without a UID");
    };
    let Some(study) = uid(study) else {
        let fault = node.fault(
            "identifier",
            "no UID of DICOM: urn:oid: and digits with points",
        );
        return reader.fault(resource.spot, fault);
    };
    let Some(mut sketch) = reader.sketch(resource, Entity::Study) else {
        return;
    };
    sketch.key = DraftKey::Uid(study.clone());
    reader.when(resource, &mut sketch, "study_date", node.when("started"));
    reader.own_fields(resource, node, &mut sketch);
    reader.all.targets[resource.target] = Target::Record(Entity::Study, sketch.key.clone());
    let template = sketch.clone();
    reader.all.sketches.push(sketch);
    for series in reader.list(resource, node.objects("series")) {
        read_series(reader, resource, &series, &template);
    }
}

fn uid(text: &str) -> Option<Arc<str>> {
    let text = text.strip_prefix("urn:oid:").unwrap_or(text);
    let is_uid = (1..=MAX_UID_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_uid.then(|| text.into())
}

fn read_series(reader: &mut Reader<'_>, resource: &Resource<'_>, node: &Node<'_>, study: &Sketch) {
    let text = reader.take(resource, node.text("uid"));
    let Some(key) = text.and_then(uid) else {
        let fault = node.fault("uid", "a series has a UID: digits with points, at most 64");
        return reader.fault(resource.spot, fault);
    };
    let mut sketch = Sketch {
        entity: Entity::Series,
        key: DraftKey::Uid(key),
        parent: Parent::Key(study.key.clone()),
        values: Vec::new(),
        links: Vec::new(),
        ..study.clone()
    };
    for (element, field) in [("modality", "modality"), ("bodySite", "body_part")] {
        let coding = reader.take(resource, node.object(element));
        let coding = coding.and_then(|coding| reader.take(resource, coding.as_coding()));
        if let Some(coding) = coding {
            let concept = super::element::Concept {
                path: format!("{}.{element}", node.path),
                codings: vec![coding],
                text: None,
            };
            reader.code(resource, &mut sketch, field, &concept);
        }
    }
    side(reader, resource, node, &mut sketch);
    if let Some(text) = reader.take(resource, node.text("description")) {
        let words = Value::Words(clip(text));
        sketch.say("series_description", DraftContent::Known(words), None);
    }
    if let Some(count) = reader.take(resource, node.number("numberOfInstances")) {
        sketch.know("instances", Value::Number(count));
    }
    reader.own_fields(resource, node, &mut sketch);
    reader.all.sketches.push(sketch);
}

fn side(reader: &mut Reader<'_>, resource: &Resource<'_>, node: &Node<'_>, sketch: &mut Sketch) {
    let coding = reader.take(resource, node.object("laterality"));
    let coding = coding.and_then(|coding| reader.take(resource, coding.as_coding()));
    let found = coding.and_then(|coding| SIDES.iter().find(|(code, _)| *code == coding.code));
    if let Some((_, side)) = found {
        sketch.know(
            "image_laterality",
            Value::Code(Coded::new(CodeSystem::Dicom, side)),
        );
    }
}
