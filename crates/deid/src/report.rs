//! What de-identification did to an instance, element by element. Holds no value of the data set.

use serde::{Deserialize, Serialize};

use crate::decide::Rule;

/// The account of one de-identification, for the data manager's page and the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the recipe.
    pub recipe: String,
    /// Edition of PS3.15 whose Table E.1-1 was applied, such as "2024e".
    pub edition: String,
    /// Codes of the profile and its options (coding scheme DCM), such as "113100".
    pub options: Vec<String>,
    /// Every element that is not as it was, in the order of the data set, those that were added last. What is not
    /// named was kept.
    pub changes: Vec<Change>,
}

/// One element that was changed, removed or added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Where, in the form of `arno_dicom::listing`: `(0008,1140)[1].(0008,1155)`, items counted from 1.
    pub path: String,
    /// Group and element as one number, 0x00081155.
    pub tag: u32,
    /// Keyword of the dictionary ("ReferencedSOPInstanceUID"); "Private" or "Unknown" without one.
    pub name: String,
    /// Value representation in the source.
    pub vr: String,
    /// What was done.
    pub action: Action,
    /// Why.
    pub why: Why,
}

/// Why an element is as it is in the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// Where the rule comes from.
    pub source: WhySource,
    /// The rule: "Table E.1-1: X/Z/D", "free text, not listed" …
    pub rule: String,
    /// The option that changes a row of the table, by code and name, and what it asks: "113105 Clean Descriptors Option: C".
    pub option: Option<String>,
    /// What the recipe gives as its reason for an override.
    pub reason: Option<String>,
}

/// Where a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhySource {
    /// Table E.1-1.
    Table,
    /// An override of the recipe.
    Recipe,
    /// Table E.3.10-1, or an attribute that the recipe adds to it.
    SafePrivate,
    /// A rule of our own, stricter than the standard.
    Stricter,
}

impl Why {
    pub(crate) fn said(rule: &str) -> Self {
        Self {
            source: WhySource::Stricter,
            rule: rule.to_owned(),
            option: None,
            reason: None,
        }
    }
}

impl From<Rule<'_>> for Why {
    fn from(rule: Rule<'_>) -> Self {
        let of_row = |row: &crate::table::Row| format!("Table E.1-1: {}", row.basic.as_str());
        match rule {
            Rule::Said(text) => Self::said(text),
            Rule::Table(row, option) => Self {
                source: WhySource::Table,
                option: option.map(|(option, action)| {
                    let (code, meaning) = option.code();
                    format!("{code} {meaning}: {action:?}")
                }),
                ..Self::said(&of_row(row))
            },
            Rule::Recipe(one, row) => Self {
                source: WhySource::Recipe,
                reason: Some(one.reason.clone()),
                ..Self::said(&row.map_or_else(|| "not listed".to_owned(), of_row))
            },
            Rule::SafePrivate(row) => Self {
                source: WhySource::SafePrivate,
                ..Self::said(&format!("Table E.3.10-1: {}, {}", row.creator, row.name))
            },
        }
    }
}

/// What was done to an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The element is gone; of a sequence, all its items too.
    Removed,
    /// The element is there without a value.
    Emptied,
    /// The value is a constant that says nothing.
    Dummied,
    /// The UID is the keyed image of the original.
    UidMapped,
    /// The date moved by the patient's offset.
    DateShifted,
    /// Only what is known to be harmless is left of the value.
    Cleaned,
    /// The value is the patient's pseudonym.
    Pseudonymised,
    /// The value was made of another one, which is gone.
    Derived,
    /// The element was set to tell that and how the instance was de-identified.
    Marked,
}
