//! OMOP CDM 5.4 as CSV files, with the imaging extension (MI-CDM): records out ([`OmopExport`]), drafts in ([`check`]).
//!
//! Where a record has a row of its own (a diagnosis is a `condition_occurrence`), its values that have a column there stand in it; every other
//! value is a row of `measurement` or `observation` that points at it by `…_event_id` and names its field in `…_source_value`. Records without a
//! row of their own begin with the row of their first value. Terminologies are not ours to give away, so codes stand as local concepts
//! (2,000,000,001 and on) in `concept.csv`, with vocabulary and code; mapping them to standard concepts is the receiver's, who has the vocabularies.
//!
//! Dates are days from each patient's baseline on an invented calendar (see [`crate::export::FIRST_DAY`]), which `cdm_source.csv` says.

mod concepts;
mod context;
mod export;
mod import;
mod place;
mod questions;
mod read;
mod row;
mod say;
mod suggest;
mod tables;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;

pub use export::OmopExport;
pub use import::{OmopDrafts, OmopMapping, OmopSettings, OmopSource, PatientColumn, check};
pub use suggest::{is_omop, suggest};
pub use tables::{Column, Table};

/// Stands where a table must have a date and none is recorded: a hundred years before any baseline.
pub const NO_DATE: NaiveDate = match NaiveDate::from_ymd_opt(1900, 1, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

/// What `cdm_source.cdm_etl_reference` says of files whose dates are days from a baseline.
pub const OWN_REFERENCE: &str = "urn:arno:omop:days-from-2000-01-01";
