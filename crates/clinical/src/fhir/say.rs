//! From elements of a resource to values of its record: codes, numbers, words, days, and the fields that our own exports keep as
//! extensions.

use arno_domain::model::{Entity, Field, FieldKind, Value};

use super::{
    codes::{FIELD, LINK, SOURCE},
    element::{Coding, Concept, Found, Node, When, whole_days},
    reader::{Reader, Resource},
    sketch::Sketch,
    values::{clip, coded, number, words},
};
use crate::{DraftContent, DraftKey};

impl Reader<'_> {
    /// Says a code of a field, and counts what has none.
    pub(super) fn code(
        &mut self,
        resource: &Resource<'_>,
        sketch: &mut Sketch,
        name: &str,
        concept: &Concept,
    ) {
        let Ok(field) = Field::parse(name) else {
            return;
        };
        let content = coded(field, concept, &self.own, resource.origin);
        if let Some((content, source)) = self.take(resource, content) {
            if content == DraftContent::Uncoded {
                self.uncoded(resource, field, concept);
            }
            sketch.say(name, content, source);
        }
    }

    fn uncoded(&mut self, resource: &Resource<'_>, field: Field, concept: &Concept) {
        let token = concept.codings.first().map(Coding::token);
        let path = without_numbers(&concept.path);
        let counted = self
            .all
            .uncoded
            .entry((field, path, token.unwrap_or_default()));
        counted.or_insert((0, resource.spot.place)).0 += 1;
    }

    /// Says a day of a field; a year is counted as left out.
    pub(super) fn when(
        &mut self,
        resource: &Resource<'_>,
        sketch: &mut Sketch,
        name: &str,
        when: Found<When>,
    ) {
        match self.take(resource, when) {
            Some(When::Year(_)) => {
                let what = format!("{} with a date that has no day, for {name}", resource.kind);
                self.left_out(resource.spot.place, &what);
            }
            Some(when) => sketch.when(name, when),
            None => {}
        }
    }

    /// Says whatever value stands in an element that has a choice of them. Whether it said something.
    pub(super) fn value(
        &mut self,
        resource: &Resource<'_>,
        sketch: &mut Sketch,
        field: Field,
        node: &Node<'_>,
    ) -> bool {
        let name = field.as_str();
        let before = sketch.values.len();
        match field.kind() {
            FieldKind::Code { .. } => {
                let concept = node.concept("valueCodeableConcept");
                if let Some(concept) = self.take(resource, concept) {
                    self.code(resource, sketch, name, &concept);
                } else if let Some(text) = self.take(resource, node.text("valueString")) {
                    let concept = Concept {
                        path: format!("{}.valueString", node.path),
                        text: Some(text.to_owned()),
                        ..Concept::default()
                    };
                    self.code(resource, sketch, name, &concept);
                }
            }
            FieldKind::Words => {
                let concept = node.concept("valueCodeableConcept");
                let text = self.take(resource, node.text("valueString")).map(clip);
                let concept = self.take(resource, concept);
                if let Some(text) = text.or_else(|| words(&concept?)) {
                    let source = self.beside(resource, node, "_valueString");
                    sketch.say(name, DraftContent::Known(Value::Words(text)), source);
                }
            }
            FieldKind::Number { .. } => self.number(resource, sketch, field, node),
            FieldKind::Flag => {
                if let Some(flag) = self.take(resource, node.flag("valueBoolean")) {
                    let source = self.beside(resource, node, "_valueBoolean");
                    sketch.say(name, DraftContent::Known(Value::Flag(flag)), source);
                }
            }
            FieldKind::Days => {
                let when = match node.quantity("valueDuration") {
                    Ok(Some(duration)) => whole_days(&duration).map(Some),
                    Ok(None) => node.when("valueDateTime"),
                    Err(fault) => Err(fault),
                };
                self.when(resource, sketch, name, when);
            }
        }
        sketch.values.len() > before
    }

    /// What the source wrote, as our own exports have it beside a primitive.
    fn beside(&mut self, resource: &Resource<'_>, node: &Node<'_>, key: &str) -> Option<String> {
        let beside = self.take(resource, node.object(key))?;
        self.take(resource, beside.extension_text(SOURCE))
    }

    fn number(
        &mut self,
        resource: &Resource<'_>,
        sketch: &mut Sketch,
        field: Field,
        node: &Node<'_>,
    ) {
        if let Some(quantity) = self.take(resource, node.quantity("valueQuantity")) {
            match self.take(resource, number(field, &quantity)) {
                Some((content, source)) => sketch.say(field.as_str(), content, source),
                None if quantity.is_bound => {
                    let what = format!(
                        "{} with a bound in place of a number, for {field}",
                        resource.kind
                    );
                    self.left_out(resource.spot.place, &what);
                }
                None => {}
            }
        } else if let Some(number) = self.take(resource, node.number("valueInteger")) {
            sketch.know(field.as_str(), Value::Number(number));
        }
    }

    /// Fields that have no place in FHIR, as our own exports have them.
    pub(super) fn own_fields(
        &mut self,
        resource: &Resource<'_>,
        node: &Node<'_>,
        sketch: &mut Sketch,
    ) {
        for extension in self.list(resource, node.objects("extension")) {
            let url = self
                .take(resource, extension.text("url"))
                .unwrap_or_default();
            if url == LINK {
                let link = link(&extension);
                sketch.links.extend(self.take(resource, link));
                continue;
            }
            let Some(name) = url.strip_prefix(FIELD) else {
                continue;
            };
            match Field::parse(name) {
                Ok(field) if field.entity() == sketch.entity => {
                    self.value(resource, sketch, field, &extension);
                }
                _ => {
                    let fault = extension.fault("url", "no field of this record");
                    self.fault(resource.spot, fault);
                }
            }
        }
    }
}

/// `Observation.component[2].code` is `Observation.component.code`.
fn without_numbers(path: &str) -> String {
    let mut parts = path.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |path, part| {
        path + part.split_once(']').map_or("", |(_, rest)| rest)
    })
}

/// Another record by its entity and key.
fn link(extension: &Node<'_>) -> Found<(Entity, DraftKey)> {
    let part = |name: &str, key: &str| match extension.extension(name)? {
        None => Ok(None),
        Some(part) => Ok(part.text(key)?.map(str::to_owned)),
    };
    let entity = part("entity", "valueCode")?;
    let entity = entity.and_then(|name| Entity::from_name(&name));
    let key = part("key", "valueString")?;
    Ok(entity
        .zip(key)
        .map(|(entity, key)| (entity, key_of(entity, &key))))
}

/// A key as drafts have it.
pub(super) fn key_of(entity: Entity, key: &str) -> DraftKey {
    match entity {
        Entity::Patient => DraftKey::Patient,
        Entity::Study | Entity::Series | Entity::Annotation => DraftKey::Uid(key.into()),
        _ => DraftKey::Named(key.into()),
    }
}
