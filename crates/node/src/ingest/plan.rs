//! What a batch adds up to before bytes are written: rows, instances that wait for their place in a pack, copies for
//! quarantine, and what is to be told of each file.

use std::collections::BTreeMap;

use arno_dicom::Claimed;
use arno_store::node::{
    Before, IngestBatch, NewPatient, NewQuarantined, NewReading, NewSource, PackEnd, SourceFate,
};
use bytes::Bytes;

use super::{
    described::Acquisitions,
    item::{Failed, Fate, KeptUids, Taken},
    prepare::PreparedInstance,
    rows::{new_outlines, new_series, new_study},
};

/// An instance that will be kept, waiting for its place in a pack.
pub(super) struct Accepted {
    pub(super) source_sha256: String,
    pub(super) instance: Box<PreparedInstance>,
    pub(super) place: PackEnd,
}

/// What a batch adds up to before bytes are written.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) rows: IngestBatch,
    pub(super) accepted: Vec<Accepted>,
    pub(super) copies: Vec<(String, Bytes)>,
    /// Digests of the sources of instances, by UID.
    pub(super) instances: BTreeMap<String, String>,
    /// Patients of studies.
    pub(super) studies: BTreeMap<String, String>,
    /// Studies of series.
    pub(super) series: BTreeMap<String, String>,
    /// How series were acquired, as far as it is known with this batch.
    pub(super) acquisitions: Acquisitions,
    /// What was here before the batch.
    pub(super) before: Before,
    pub(super) readings: BTreeMap<[String; 3], String>,
    /// What became of each file, in order.
    pub(super) taken: Vec<Taken>,
}

impl Plan {
    pub(super) fn note(&mut self, sha256: String, fate: SourceFate, settles: Option<String>) {
        self.rows.settled.extend(settles);
        self.rows.sources.push(NewSource { sha256, fate });
    }

    /// A file that cannot be kept.
    pub(super) fn quarantine(&mut self, failed: Failed) {
        let Failed {
            name,
            digest,
            size,
            copy,
            sent,
            refusal,
            settles,
        } = failed;
        tracing::warn!(file = name, code = refusal.code, "put into quarantine");
        self.rows.totals.quarantined += 1;
        self.rows.quarantined.push(NewQuarantined {
            source_sha256: digest.clone(),
            name,
            size_bytes: size,
            code: refusal.code.to_owned(),
            reason: refusal.reason.clone(),
            copied: copy.is_some(),
            waits: refusal.waits.as_deref().cloned(),
        });
        self.copies
            .extend(copy.map(|bytes| (digest.clone(), bytes)));
        self.note(digest, SourceFate::Quarantined, settles);
        self.taken.push(Taken::of(sent, refusal.into()));
    }

    /// A file that is kept already, under these identifiers if it is an instance.
    pub(super) fn known(&mut self, taken: Taken, settles: Option<String>) {
        self.rows.totals.unchanged += 1;
        self.rows.settled.extend(settles);
        self.taken.push(taken);
    }

    /// An instance that is going to be kept.
    pub(super) fn stored(
        &mut self,
        sent: Option<Claimed>,
        kept: KeptUids,
        modality: Option<String>,
    ) {
        self.rows.totals.stored += 1;
        self.taken.push(Taken {
            kept: Some(kept),
            modality,
            ..Taken::of(sent, Fate::Stored)
        });
    }

    pub(super) fn add_reading(&mut self, new: NewReading) {
        self.add_patient(&new.patient, None);
        self.readings.insert(reading_key(&new), new.id.clone());
        self.rows.readings.push(new);
    }

    fn add_patient(&mut self, pseudonym: &str, sex: Option<String>) {
        let known = self
            .rows
            .patients
            .iter_mut()
            .find(|patient| patient.pseudonym == pseudonym);
        match known {
            Some(patient) => patient.sex = patient.sex.take().or(sex),
            None => self.rows.patients.push(NewPatient {
                pseudonym: pseudonym.to_owned(),
                sex,
            }),
        }
    }

    /// Rows of the instance's patient, study and series, each once.
    pub(super) fn describe(&mut self, instance: &PreparedInstance, source_sha256: &str) {
        let summary = &instance.facts.summary;
        let patient = summary.patient_id.clone().unwrap_or_default();
        self.instances
            .insert(summary.instance_uid.clone(), source_sha256.to_owned());
        self.rows.outlines.extend(new_outlines(&instance.facts));
        let known = self.before.series.get(&summary.series_uid);
        self.acquisitions
            .add(&summary.series_uid, &instance.facts.acquisition, known);
        if known.is_some_and(|series| !series.lacks_facts) {
            return;
        }
        self.add_patient(&patient, summary.sex.clone());
        if self
            .studies
            .insert(summary.study_uid.clone(), patient)
            .is_none()
        {
            self.rows
                .studies
                .push(new_study(instance.kept.instance(), summary));
        }
        if self
            .series
            .insert(summary.series_uid.clone(), summary.study_uid.clone())
            .is_none()
        {
            self.rows
                .series
                .push(new_series(instance.kept.instance(), summary));
        }
    }
}

/// One reader reads one nodule once.
pub(super) fn reading_key(reading: &NewReading) -> [String; 3] {
    [&reading.series_uid, &reading.nodule, &reading.reader].map(String::clone)
}
