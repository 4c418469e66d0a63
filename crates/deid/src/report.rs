//! What de-identification did to an instance, element by element. Holds no value of the data set.

use serde::{Deserialize, Serialize};

/// The account of one de-identification, for the data manager's page and the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
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
    /// Why: "Table E.1-1: X/Z/D", "private", "free text not listed" …
    pub rule: String,
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
    /// The element was set to tell that and how the instance was de-identified.
    Marked,
}
