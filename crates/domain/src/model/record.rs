//! A record: what one source says of one thing, under a pseudonym.

use serde::{Deserialize, Serialize};

use super::{Entity, Field, Value};

/// Where the images are that a source speaks of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Images {
    /// At this node, or nowhere: studies and series that the node does not keep are not searched.
    #[default]
    Held,
    /// In an archive that the data holder answers for: its studies and series are searched though they are not kept here.
    Elsewhere,
}

/// One recorded value with what the source wrote, where that was something else.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The field.
    pub field: Field,
    /// The value; `None` where a code was wanted and the source's words could not be coded.
    pub value: Option<Value>,
    /// What the source wrote. Never a date.
    pub source: Option<String>,
}

/// Points from an event at another record of the same patient.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The other's kind.
    pub entity: Entity,
    /// The other's key.
    pub key: String,
}

/// What is known of one thing. Records of the same entity and key add to each other: of a field, the first value counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What it is about.
    pub entity: Entity,
    /// Pseudonym of its patient.
    pub patient: String,
    /// What tells it from others of its entity: a mapped UID, the pseudonym, or a digest of what the source calls it.
    pub key: String,
    /// Key of what it hangs on (see [`Entity::parent`]), where that is known and not the patient.
    pub parent: Option<String>,
    /// What an event belongs to besides.
    pub links: Vec<Link>,
    /// Values, at most one a field.
    pub values: Vec<Recorded>,
}

impl Images {
    /// The word in mappings and rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Elsewhere => "elsewhere",
        }
    }

    /// The meaning of that word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Held, Self::Elsewhere]
            .into_iter()
            .find(|images| images.as_str() == name)
    }
}

impl Record {
    /// A record without values.
    #[must_use]
    pub fn new(entity: Entity, patient: &str, key: &str) -> Self {
        Self {
            entity,
            patient: patient.to_owned(),
            key: key.to_owned(),
            parent: None,
            links: Vec::new(),
            values: Vec::new(),
        }
    }

    /// The value of a field, if it is recorded and coded.
    #[must_use]
    pub fn value(&self, field: Field) -> Option<&Value> {
        let recorded = self.values.iter().find(|recorded| recorded.field == field);
        recorded?.value.as_ref()
    }
}
