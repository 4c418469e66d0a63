//! A record before its references are followed.

use std::sync::Arc;

use arno_domain::model::{Entity, Field, Value};

use super::element::When;
use crate::{Draft, DraftContent, DraftKey, DraftValue, Place, draft::Said};

/// Where an entry is: the file of several, and the place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) file: usize,
    pub(super) place: Place,
}

/// Whose a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// The patient that a reference points at.
    Reference(Arc<str>),
    /// By the id itself.
    Id(Arc<str>),
}

/// Something that a reference must point at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) to: Arc<str>,
    pub(super) path: String,
}

/// What a record hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parent {
    /// The patient's only diagnosis, if there is one.
    Unsaid,
    /// The first of these that is one.
    Of(Vec<Pointer>),
    /// By its key.
    Key(DraftKey),
    /// Nothing but the patient.
    Nothing,
}

/// What keeps a record from being one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nothing.
    Always,
    /// It counts only if one of these is a diagnosis; else it is left out under that name.
    IfCancer(Vec<Pointer>, String),
}

/// A record before its references are followed.
#[derive(Debug, Clone)]
pub(super) struct Sketch {
    pub(super) spot: Spot,
    pub(super) entity: Entity,
    pub(super) subject: Subject,
    pub(super) key: DraftKey,
    pub(super) parent: Parent,
    pub(super) condition: Condition,
    pub(super) links: Vec<(Entity, DraftKey)>,
    pub(super) values: Vec<DraftValue>,
    /// A medicine that stands in a resource of its own.
    pub(super) medicine: Option<Pointer>,
}

impl Sketch {
    /// Says something of a field, once.
    pub(super) fn say(&mut self, name: &str, content: DraftContent, source: Option<String>) {
        let Ok(field) = Field::parse(name) else {
            return;
        };
        if self.values.iter().all(|value| value.field != field) {
            let said = Arc::new(Said { content, source });
            self.values.push(DraftValue { field, said });
        }
    }

    /// A value without more.
    pub(super) fn know(&mut self, name: &str, value: Value) {
        self.say(name, DraftContent::Known(value), None);
    }

    /// A day, or days. Years have no place here.
    pub(super) fn when(&mut self, name: &str, when: When) {
        match when {
            When::Day(date) => self.say(name, DraftContent::Date(date), None),
            When::Days(days) => self.know(name, Value::Days(days)),
            When::Year(_) => {}
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.values.iter().any(|value| value.field.as_str() == name)
    }

    /// The draft, once everything is known.
    pub(super) fn into_draft(self, patient: Arc<str>, parent: Option<DraftKey>) -> Draft {
        Draft {
            entity: self.entity,
            patient,
            key: self.key,
            parent,
            links: self.links,
            values: self.values,
        }
    }
}
