//! The way through the data set: every element of every item, once, with its path for the report.
//!
//! Recursion is as deep as the reader allows sequences to nest (`arno_dicom::scan`).

use std::fmt::Write as _;

use dicom_core::value::{C, DataSetSequence, PrimitiveValue, Value};
use dicom_core::{DataElement, Length, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use crate::clean::{Outcome, Patient, clean};
use crate::decide::{Codes, Decision, FreeText, Level, Scope, Verb, decide, decide_private};
use crate::private::{Blocks, reread};
use crate::recipe::Recipe;
use crate::report::{Action, Change};
use crate::secret::Secret;
use crate::technical::is_public_scheme;
use crate::values::{DUMMY_TEXT, texts};

/// A walk through one instance.
pub(crate) struct Walk<'a> {
    recipe: &'a Recipe,
    secret: &'a Secret,
    patient: &'a Patient,
    path: String,
    changes: Vec<Change>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(recipe: &'a Recipe, secret: &'a Secret, patient: &'a Patient) -> Self {
        Self {
            recipe,
            secret,
            patient,
            path: String::new(),
            changes: Vec::new(),
        }
    }

    /// De-identifies a whole header and returns it with what was changed.
    pub(crate) fn instance(mut self, header: InMemDicomObject) -> (InMemDicomObject, Vec<Change>) {
        let header = self.data_set(header, Level::Instance, FreeText::Cleaned);
        (header, self.changes)
    }

    fn data_set(
        &mut self,
        data_set: InMemDicomObject,
        level: Level,
        free_text: FreeText,
    ) -> InMemDicomObject {
        let scope = Scope {
            level,
            free_text,
            codes: codes_of(&data_set),
        };
        let blocks = Blocks::of(&data_set, self.recipe);
        let elements: Vec<InMemElement> = data_set
            .into_iter()
            .filter_map(|element| self.element(element, scope, &blocks))
            .collect();
        InMemDicomObject::from_element_iter(elements)
    }

    fn element(
        &mut self,
        element: InMemElement,
        scope: Scope,
        blocks: &Blocks<'a>,
    ) -> Option<InMemElement> {
        let (tag, file_vr) = (element.header().tag, element.vr());
        if blocks.is_needed_creator(tag) {
            return Some(creator_of(element));
        }
        let (element, decision) = match blocks.row(tag) {
            Some(row) => {
                let element = as_vr(element, row.vr);
                let decision = decide_private(element.vr(), row, self.recipe);
                (element, decision)
            }
            None => (element, decide(tag, file_vr, scope, self.recipe)),
        };
        let parent = self.path.len();
        write!(self.path, "{tag}").expect("a String takes all that is written");
        let kept = match element.value() {
            Value::Primitive(value) => {
                let outcome = clean(&decision, value, self.patient, self.secret);
                self.settle(element, &decision, outcome)
            }
            Value::Sequence(_) => self.sequence(element, &decision, scope),
            // Fragments outside the pixel element are an icon or a smuggled image.
            Value::PixelSequence(_) => self.settle(element, &decision, Outcome::Gone),
        };
        self.path.truncate(parent);
        kept
    }

    fn settle(
        &mut self,
        element: InMemElement,
        decision: &Decision<'_>,
        outcome: Outcome,
    ) -> Option<InMemElement> {
        let (tag, vr) = (element.header().tag, element.vr());
        match outcome {
            Outcome::Same => Some(element),
            Outcome::Gone => {
                self.record(tag, vr, decision, Action::Removed);
                None
            }
            Outcome::Changed(value, action) => {
                self.record(tag, vr, decision, action);
                Some(DataElement::new(tag, decision.vr, value))
            }
        }
    }

    fn sequence(
        &mut self,
        element: InMemElement,
        decision: &Decision<'_>,
        scope: Scope,
    ) -> Option<InMemElement> {
        let (tag, vr) = (element.header().tag, element.vr());
        let items = element.into_value().into_items().unwrap_or_default();
        match decision.verb {
            Verb::Remove | Verb::Pseudonym => {
                self.record(tag, vr, decision, Action::Removed);
                return None;
            }
            _ if items.is_empty() => {}
            Verb::Empty => {
                self.record(tag, vr, decision, Action::Emptied);
                return Some(sequence_of(tag, C::new()));
            }
            // The code of a person or a place: no part of it may stay, and its item must be a whole code.
            Verb::Dummy if decision.name.ends_with("CodeSequence") => {
                self.record(tag, vr, decision, Action::Dummied);
                return Some(sequence_of(tag, C::from_elem(dummy_code(), 1)));
            }
            Verb::Dummy | Verb::MapUids | Verb::Keep(_) | Verb::Clean(_) => {}
        }
        Some(self.items(tag, items, inner_text(decision.verb, scope)))
    }

    fn items(&mut self, tag: Tag, items: C<InMemDicomObject>, free_text: FreeText) -> InMemElement {
        let parent = self.path.len();
        let mut cleaned = C::new();
        for (i, item) in items.into_iter().enumerate() {
            write!(self.path, "[{}].", i + 1).expect("a String takes all that is written");
            cleaned.push(self.data_set(item, Level::Item, free_text));
            self.path.truncate(parent);
        }
        sequence_of(tag, cleaned)
    }

    fn record(&mut self, tag: Tag, vr: VR, decision: &Decision<'_>, action: Action) {
        self.changes.push(Change {
            path: self.path.clone(),
            tag: u32::from(tag.group()) << 16 | u32::from(tag.element()),
            name: decision.name.to_owned(),
            vr: vr.to_string().to_owned(),
            action,
            why: decision.rule.into(),
        });
    }
}

/// A sequence that the table wants as a dummy keeps its structure and codes, but no free text of any kind.
fn inner_text(verb: Verb, scope: Scope) -> FreeText {
    if verb == Verb::Dummy {
        FreeText::Dummied
    } else {
        scope.free_text
    }
}

/// A private element with the representation that the table gives it; one whose bytes do not fit keeps its own, and goes.
fn as_vr(element: InMemElement, vr: VR) -> InMemElement {
    let is_unknown = element.vr() == VR::UN;
    let value = element.value().primitive().filter(|_| is_unknown);
    match value.and_then(|value| reread(value, vr)) {
        Some(value) => DataElement::new(element.header().tag, vr, value),
        None => element,
    }
}

/// The name of a private block: one that is in the table, or in the recipe.
fn creator_of(element: InMemElement) -> InMemElement {
    as_vr(element, VR::LO)
}

pub(crate) fn codes_of(data_set: &InMemDicomObject) -> Codes {
    let designator = data_set.get(tags::CODING_SCHEME_DESIGNATOR);
    let value = designator.and_then(|element| texts(element.value().primitive()?, element.vr()));
    match value.as_deref() {
        Some([designator]) if is_public_scheme(designator) => Codes::Public,
        _ => Codes::Local,
    }
}

fn sequence_of(tag: Tag, items: C<InMemDicomObject>) -> InMemElement {
    DataElement::new(tag, VR::SQ, DataSetSequence::new(items, Length::UNDEFINED))
}

/// A code of a scheme of our own ("99" marks private schemes, PS3.16 section 8) that means nothing.
fn dummy_code() -> InMemDicomObject {
    InMemDicomObject::from_element_iter([
        DataElement::new(tags::CODE_VALUE, VR::SH, PrimitiveValue::from(DUMMY_TEXT)),
        DataElement::new(
            tags::CODING_SCHEME_DESIGNATOR,
            VR::SH,
            PrimitiveValue::from("99ARNO"),
        ),
        DataElement::new(tags::CODE_MEANING, VR::LO, PrimitiveValue::from("Removed")),
    ])
}
