//! From a draft, which names the patient as the hospital does, to a record under pseudonym: the same pseudonym, UIDs and offset of
//! dates as those of the patient's images.

use arno_clinical::{Draft, DraftContent, DraftKey, DraftValue};
use arno_deid::{PatientKey, Secret};
use arno_domain::model::Link;
use arno_store::node::{NewClinicalRecord, NewContent, NewValue};
use chrono::Duration;

use crate::secret::Keyring;

/// The record of a draft.
pub(super) fn record(draft: Draft, issuer: Option<&str>, keyring: &Keyring) -> NewClinicalRecord {
    let patient = PatientKey {
        id: draft.patient.trim().to_owned(),
        issuer: issuer.map(str::to_owned),
    };
    let names = Names {
        secret: keyring.of_patient(&patient),
        patient: &patient,
    };
    let offset = names.secret.date_offset(&patient.id, issuer).days();
    let link = |(entity, key): (_, DraftKey)| Link {
        entity,
        key: names.key(&key),
    };
    NewClinicalRecord {
        entity: draft.entity,
        key: names.key(&draft.key),
        patient: names.key(&DraftKey::Patient),
        parent: draft.parent.map(|key| names.key(&key)),
        links: draft.links.into_iter().map(link).collect(),
        values: draft
            .values
            .into_iter()
            .map(|value| moved(value, offset))
            .collect(),
    }
}

/// What names become at this node.
struct Names<'a> {
    secret: &'a Secret,
    patient: &'a PatientKey,
}

impl Names<'_> {
    /// A name that a source gave, such as an accession number, may tell of the patient: it is keyed like an id.
    fn key(&self, key: &DraftKey) -> String {
        match key {
            DraftKey::Patient => self.patient.pseudonym(self.secret).to_string(),
            DraftKey::Uid(uid) => self.secret.map_uid(uid),
            DraftKey::Named(name) => self
                .secret
                .pseudonym(name, Some(&self.patient.id))
                .to_string(),
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
