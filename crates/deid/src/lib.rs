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
//! Not here: reading and writing DICOM (`arno-dicom`), quarantine and storage (`arno-node`, `arno-store`), and finding text
//! in pixels: whoever does that hands in a [`PixelProof`].

mod age_and_dates;
mod clean;
mod decide;
mod deidentified;
mod explain;
mod face;
mod identifiers;
mod marks;
mod options;
mod patient_key;
mod private;
mod proof;
mod recipe;
mod report;
mod review;
mod safe_private;
mod secret;
mod table;
mod technical;
mod terms;
mod values;
mod vocabulary;
mod walk;

pub use deidentified::{DeidError, Deidentified, deidentify, deidentify_seen};
pub use explain::{Explained, explain};
pub use face::{FaceSign, shows_face};
pub use options::ProfileOption;
pub use patient_key::PatientKey;
pub use proof::{FaceProof, PixelProof, TextProof};
pub use recipe::{Faces, Override, OverrideAction, PixelPolicy, Recipe, RecipeError, RiskyKinds};
pub use report::{Action, Change, Report, Why, WhySource};
pub use review::{
    ReviewReason, has_overlay_in_pixels, is_text_alone, is_worth_a_look, reason_to_review, risk_of,
};
pub use safe_private::{SafePrivate, SafeRow};
pub use secret::{DateOffset, ParsePseudonymError, Pseudonym, Secret};
pub use table::{Basic, OptionAction, Pattern, Row, Table};
