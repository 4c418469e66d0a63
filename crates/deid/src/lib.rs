//! De-identification by PS3.15 Annex E: the tables as data, and the only maker of a [`Deidentified`] instance.
//!
//! [`deidentify`] walks the whole data set of an instance and does to each element what Table E.1-1 asks under a
//! [`Recipe`]. Where the table is silent it is stricter than the standard: free text that is not listed is cleaned,
//! what the dictionary does not know is removed, and every text that stays is searched for the patient's own values.
//! Identities are replaced by functions of a [`Secret`], so the same patient, study or date maps the same every time.
//!
//! Pure: no I/O, no clock, no randomness, no state. Pixels are never read: what may carry text in its pixels is
//! refused as [`DeidError::NeedsReview`], for a person to look at.
//!
//! Not here: reading and writing DICOM (`arno-dicom`), quarantine and storage (`arno-node`, `arno-store`),
//! finding text in pixels, and the safe private attributes of PS3.15 Table E.3.10-1 (private is always removed).

mod age_and_dates;
mod clean;
mod decide;
mod deidentified;
mod identifiers;
mod marks;
mod patient_key;
mod recipe;
mod report;
mod review;
mod secret;
mod table;
mod technical;
mod values;
mod vocabulary;
mod walk;

pub use deidentified::{DeidError, Deidentified, deidentify};
pub use patient_key::PatientKey;
pub use recipe::{ProfileOption, Recipe, RecipeError};
pub use report::{Action, Change, Report};
pub use review::ReviewReason;
pub use secret::{DateOffset, ParsePseudonymError, Pseudonym, Secret};
pub use table::{Basic, OptionAction, Pattern, Row, Table};
