//! From a draft, which names the patient as the hospital does, to a record under pseudonym: the same pseudonym, UIDs and offset of
//! dates as those of the patient's images.

use std::{collections::HashMap, sync::Arc};

use arno_clinical::{Draft, DraftContent, DraftKey, DraftValue, Problem};
use arno_deid::{PatientKey, Secret};
use arno_domain::model::Link;
use arno_store::node::{NewClinicalRecord, NewContent, NewValue};
use chrono::Duration;

use crate::secret::Keyring;

/// The records of drafts, those of one patient side by side, patients in the order of their pseudonyms.
pub(super) fn records<'a>(
    mut drafts: Vec<Draft>,
    issuer: Option<&'a str>,
    keyring: &'a Keyring,
) -> impl Iterator<Item = NewClinicalRecord> + use<'a> {
    let mut known: HashMap<Arc<str>, Person<'a>> = HashMap::new();
    for draft in &drafts {
        if !known.contains_key(&draft.patient) {
            let person = Person::new(&draft.patient, issuer, keyring);
            known.insert(draft.patient.clone(), person);
        }
    }
    drafts.sort_by(|one, other| {
        known[&one.patient]
            .pseudonym
            .cmp(&known[&other.patient].pseudonym)
    });
    drafts.into_iter().map(move |draft| {
        let person = &known[&draft.patient];
        record(draft, person)
    })
}

/// The records of drafts as they come, for sources that are too large to be put in order.
pub(super) fn one_by_one<'a>(
    drafts: impl Iterator<Item = Result<Draft, Problem>> + 'a,
    issuer: Option<&'a str>,
    keyring: &'a Keyring,
) -> impl Iterator<Item = Result<NewClinicalRecord, Problem>> + 'a {
    let mut known: HashMap<Arc<str>, Person<'a>> = HashMap::new();
    drafts.map(move |draft| {
        let draft = draft?;
        let person = known
            .entry(draft.patient.clone())
            .or_insert_with_key(|id| Person::new(id, issuer, keyring));
        Ok(record(draft, person))
    })
}

/// The record of a draft.
fn record(draft: Draft, person: &Person<'_>) -> NewClinicalRecord {
    let link = |(entity, key): (_, DraftKey)| Link {
        entity,
        key: person.key(&key),
    };
    NewClinicalRecord {
        entity: draft.entity,
        key: person.key(&draft.key),
        patient: person.pseudonym.clone(),
        parent: draft.parent.map(|key| person.key(&key)),
        links: draft.links.into_iter().map(link).collect(),
        values: draft
            .values
            .into_iter()
            .map(|value| moved(value, person.offset_days))
            .collect(),
    }
}

/// What a patient and the names of theirs become at this node.
struct Person<'a> {
    secret: &'a Secret,
    id: String,
    pseudonym: String,
    offset_days: i64,
}

impl<'a> Person<'a> {
    fn new(id: &str, issuer: Option<&str>, keyring: &'a Keyring) -> Self {
        let patient = PatientKey {
            id: id.trim().to_owned(),
            issuer: issuer.map(str::to_owned),
        };
        let secret = keyring.of_patient(&patient);
        Self {
            secret,
            pseudonym: patient.pseudonym(secret).to_string(),
            offset_days: secret.date_offset(&patient.id, issuer).days(),
            id: patient.id,
        }
    }

    /// A name that a source gave, such as an accession number, may tell of the patient: it is keyed like an id.
    fn key(&self, key: &DraftKey) -> String {
        match key {
            DraftKey::Patient => self.pseudonym.clone(),
            DraftKey::Uid(uid) => self.secret.map_uid(uid),
            DraftKey::Named(name) => self.secret.pseudonym(name, Some(&self.id)).to_string(),
        }
    }
}

fn moved(value: DraftValue, offset_days: i64) -> NewValue {
    let content = match &value.said.content {
        DraftContent::Known(known) => NewContent::Known(known.clone()),
        DraftContent::Date(date) => NewContent::Date(*date + Duration::days(offset_days)),
        DraftContent::Uncoded => NewContent::Uncoded,
    };
    NewValue {
        field: value.field,
        content,
        source: value.said.source.clone(),
    }
}
