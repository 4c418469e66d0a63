//! What the index knows of each field: how many patients have it and which of its values may be named. Found out once, when first asked
//! for, and forgotten when data change. Not here: the rule of what may be named (`arno_domain::manifest`).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use arno_domain::{
    NodeId,
    manifest::{FieldCount, Manifest},
    model::Field,
};
use arno_engine::{Level, Listing};
use chrono::{DateTime, Utc};

use super::ModelIndex;

/// Fields that were looked at.
#[derive(Debug, Default)]
pub(super) struct KnownFields(Mutex<HashMap<Field, Arc<KnownField>>>);

/// One field at this node, whatever is asked.
#[derive(Debug)]
pub(super) struct KnownField {
    pub(super) is_recorded: bool,
    /// Values that may be named, in order.
    pub(super) words: Vec<String>,
    /// The same for the index.
    pub(super) listing: Listing,
}

impl ModelIndex {
    /// Whether a field is recorded of so many patients that the node says so.
    pub(crate) fn records(&self, field: Field) -> bool {
        self.known(field).is_recorded
    }

    /// What the node may say of all of its fields.
    pub(crate) fn manifest(&self, issued: (NodeId, DateTime<Utc>)) -> Manifest {
        let patients = self.index.count(Level::PATIENT) as u64;
        Manifest::counted(
            issued,
            patients,
            Field::all().map(|field| self.of_field(field)),
            &self.borders,
        )
    }

    pub(super) fn known(&self, field: Field) -> Arc<KnownField> {
        let known = || self.known.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known().get(&field) {
            return known.clone();
        }
        let count = self.of_field(field);
        let words = count.listed(&self.borders);
        let found = Arc::new(KnownField {
            is_recorded: count.is_recorded(&self.borders),
            listing: self.index.listing(self.shape.column(field), &words),
            words,
        });
        known().insert(field, found.clone());
        found
    }

    fn of_field(&self, field: Field) -> FieldCount<'_> {
        let column = self.shape.column(field);
        FieldCount {
            field,
            patients: self.index.patients_with(column),
            words: self.index.patients_by_word(column),
        }
    }
}
