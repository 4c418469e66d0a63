//! Attribute matching for C-FIND and QIDO-RS (PS3.4 C.2.2.2, PS3.18 section 8.3.4): which rows a query means, and what of
//! them it wants to see. Rows are [`Attributes`], so that both protocols ask the same way.
//!
//! Not here: finding candidates (the store may hand in more than match), paging, and what is counted over rows, such
//! as Modalities in Study, which must be among the attributes already.

mod attributes;
mod identifier;
mod matching;
mod name;
mod path;
mod range;
mod returned;
mod wildcard;

use dicom_core::Tag;
use serde_json::Value;

pub use attributes::{default_attributes, level_attributes, level_has, level_json};
pub use identifier::{MAX_IDENTIFIER_KEYS, identifier_keys, identifier_level};
pub use path::{MAX_PATH_TAGS, PathError, parse_path};
pub use wildcard::MAX_PATTERN_CHARS;

use crate::json::{Attributes, name_of};
use matching::value_matches;

/// The levels of the query model, from the outside in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A person.
    Patient,
    /// A study, together with its patient.
    Study,
    /// A series.
    Series,
    /// An instance.
    Instance,
}

/// One attribute that must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The attribute, or the sequences on the way to it and then the attribute.
    pub path: Vec<Tag>,
    /// As asked: empty for any, `a*`, `20200101-`, UIDs separated by `\`; `""` (two quotes) for an empty attribute.
    pub value: String,
}

/// What is returned of a row that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Returned {
    /// The attributes of PS3.18 tables 10.6.3-3 to 10.6.3-5 and those of the keys.
    Default,
    /// All that the row has.
    All,
    /// The default and these.
    Also(Vec<Vec<Tag>>),
    /// Just these, empty where the row has none: C-FIND.
    Only(Vec<Vec<Tag>>),
}

/// A question about the rows of one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What the rows are.
    pub level: Level,
    /// All must match.
    pub keys: Vec<Key>,
    /// Whether names match by the beginnings of their words in any order, without case and accents.
    pub fuzzy: bool,
    /// What of the rows is wanted.
    pub returned: Returned,
    /// Rows at most.
    pub limit: usize,
    /// Rows to pass over first.
    pub offset: usize,
}

impl Query {
    /// Whether a row matches all keys. Keys into one sequence must match within one of its items.
    #[must_use]
    pub fn matches(&self, attributes: &Attributes) -> bool {
        let keys: Vec<Step<'_>> = self
            .keys
            .iter()
            .map(|key| Step {
                path: &key.path,
                value: &key.value,
            })
            .collect();
        all_match(&keys, attributes, self.fuzzy)
    }

    /// What this query wants to see of a row.
    #[must_use]
    pub fn returned(&self, attributes: &Attributes) -> Attributes {
        returned::select(self, attributes)
    }

    /// The names of the attributes that [`Query::returned`] picks, in order, where it picks whole ones: for whoever has rows in
    /// another form. With each, what it gives for one that a row lacks, if it gives anything.
    #[must_use]
    pub fn whole_attributes(&self) -> Option<Vec<(String, Option<Value>)>> {
        let is_filled = matches!(self.returned, Returned::Only(_));
        let named = |tag| (name_of(tag), is_filled.then(|| returned::empty(tag)));
        returned::whole_tags(self).map(|tags| tags.into_iter().map(named).collect())
    }
}

/// What is left of a key inside some data set.
#[derive(Clone, Copy)]
struct Step<'a> {
    path: &'a [Tag],
    value: &'a str,
}

fn all_match(keys: &[Step<'_>], attributes: &Attributes, fuzzy: bool) -> bool {
    keys.iter().enumerate().all(|(at, key)| match *key.path {
        [] => true,
        [tag] => value_matches(attributes.get(&name_of(tag)), tag, key.value, fuzzy),
        // The first key into a sequence answers for all of them.
        [tag, ..] if keys[..at].iter().any(|other| leads_into(other, tag)) => true,
        [tag, ..] => sequence_matches(keys, tag, attributes, fuzzy),
    })
}

fn leads_into(key: &Step<'_>, sequence: Tag) -> bool {
    key.path.len() > 1 && key.path[0] == sequence
}

fn sequence_matches(keys: &[Step<'_>], tag: Tag, attributes: &Attributes, fuzzy: bool) -> bool {
    let inner: Vec<Step<'_>> = keys
        .iter()
        .filter(|key| leads_into(key, tag))
        .map(|key| Step {
            path: &key.path[1..],
            value: key.value,
        })
        .collect();
    let items = attributes
        .get(&name_of(tag))
        .and_then(|attribute| attribute.get("Value")?.as_array());
    let items = items.map(Vec::as_slice).unwrap_or_default();
    // A sequence without items is one of unknown value: only universal and empty keys match it.
    items.is_empty() && all_match(&inner, &Attributes::new(), fuzzy)
        || items
            .iter()
            .filter_map(Value::as_object)
            .any(|item| all_match(&inner, item, fuzzy))
}
