//! One batch: bytes into packs and quarantine, made durable, then all rows in one transaction.
//!
//! Whether an instance may be kept beside what is here already is decided here, in order of the files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use arno_learning::reading::Reading;
use arno_store::node::{
    IngestBatch, NewPatient, NewPreview, NewQuarantined, NewReading, NewSource, NewStudy, Packs,
    SourceFate,
};
use bytes::Bytes;
use chrono::Duration;

use super::{
    prepare::{Prepared, PreparedInstance, Source},
    preview::preview,
    refusal::Refusal,
    rows::{new_instance, new_outlines, new_reading, new_series},
    walk::Found,
};
use crate::{Node, NodeError, keys::write_private};

/// Largest file of which a copy is kept in quarantine.
const MAX_COPY_BYTES: usize = 256 << 20;

/// A file on its way through a batch.
#[derive(Debug)]
pub(super) enum Item {
    /// Its bytes are in memory. `settles` is the open entry of quarantine that it makes up for.
    Read {
        source: Source,
        settles: Option<String>,
    },
    /// It was dealt with in an earlier run.
    Known { settles: Option<String> },
    /// It can be kept.
    Done(Done),
    /// It cannot.
    Failed(Failed),
}

/// A file that can be kept.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) source: Source,
    pub(super) prepared: Prepared,
    pub(super) settles: Option<String>,
}

/// A file for quarantine.
#[derive(Debug)]
pub(super) struct Failed {
    found: Found,
    digest: String,
    size: u64,
    copy: Option<Bytes>,
    refusal: Refusal,
    settles: Option<String>,
}

impl Failed {
    /// A file whose bytes are at hand.
    pub(super) fn of(source: Source, refusal: Refusal, settles: Option<String>) -> Self {
        let settles = settles.filter(|digest| *digest != source.sha256);
        let copy = (source.bytes.len() <= MAX_COPY_BYTES).then_some(source.bytes.clone());
        Self {
            size: source.bytes.len() as u64,
            found: source.found,
            digest: source.sha256,
            copy,
            refusal,
            settles,
        }
    }

    /// A file whose bytes could not be read.
    pub(super) fn unread(found: Found, refusal: Refusal) -> Self {
        Self {
            digest: found.path_digest(),
            size: found.size,
            found,
            copy: None,
            refusal,
            settles: None,
        }
    }
}

impl Item {
    /// What tells this file from others; `Known` ones are not asked.
    pub(super) fn digest(&self) -> &str {
        match self {
            Self::Read { source, .. } | Self::Done(Done { source, .. }) => &source.sha256,
            Self::Failed(failed) => &failed.digest,
            Self::Known { .. } => "",
        }
    }

    /// What stood for it while it could not be read.
    pub(super) fn path_digest(&self) -> Option<String> {
        match self {
            Self::Read { source, .. } => Some(source.found.path_digest()),
            _ => None,
        }
    }

    /// The same file, known to make up for an open entry of quarantine.
    pub(super) fn settling(mut self, digest: Option<String>) -> Self {
        match &mut self {
            Self::Read { settles, .. }
            | Self::Known { settles }
            | Self::Done(Done { settles, .. }) => *settles = digest,
            Self::Failed(failed) => {
                failed.settles = digest.filter(|digest| *digest != failed.digest)
            }
        }
        self
    }
}

/// An instance that will be kept, waiting for its place in a pack.
struct Accepted {
    source_sha256: String,
    instance: Box<PreparedInstance>,
    pack: String,
    pack_end: u64,
}

/// What a batch adds up to before bytes are written.
#[derive(Default)]
struct Plan {
    rows: IngestBatch,
    accepted: Vec<Accepted>,
    copies: Vec<(String, Bytes)>,
    instances: BTreeSet<String>,
    studies: BTreeMap<String, String>,
    series: BTreeMap<String, String>,
    readings: BTreeMap<[String; 3], String>,
}

impl Node {
    /// Keeps a batch: decides, writes bytes, commits rows.
    pub(super) async fn store_batch(&self, run: i64, items: Vec<Item>) -> Result<(), NodeError> {
        let mut plan = Plan::default();
        for item in items {
            self.plan_item(&mut plan, item).await?;
        }
        let room = self.room().await?;
        let node = self.clone();
        let write = move || node.write_bytes(plan, room);
        let rows = tokio::task::spawn_blocking(write).await??;
        self.store()
            .commit_ingest_batch(run, &rows, self.now())
            .await?;
        self.drop_copies(&rows.settled);
        Ok(())
    }

    /// What was taken in after all need not lie in quarantine any longer.
    fn drop_copies(&self, settled: &[String]) {
        for digest in settled {
            let copy = self.config().quarantine().join(digest);
            match fs::remove_file(&copy) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(digest, %error, "a copy in quarantine cannot be deleted");
                }
                _ => {}
            }
        }
    }

    /// Bytes that the data holder's limit leaves.
    async fn room(&self) -> Result<Option<u64>, NodeError> {
        let Some(limit) = self.config().site.storage_limit_bytes else {
            return Ok(None);
        };
        Ok(Some(
            limit.saturating_sub(self.store().holdings().await?.size_bytes),
        ))
    }

    async fn plan_item(&self, plan: &mut Plan, item: Item) -> Result<(), NodeError> {
        match item {
            Item::Known { settles } => {
                plan.rows.totals.unchanged += 1;
                plan.rows.settled.extend(settles);
            }
            Item::Done(Done {
                source,
                prepared,
                settles,
            }) => match prepared {
                Prepared::Instance(instance) => {
                    self.plan_instance(plan, source, instance, settles).await?
                }
                Prepared::Readings(readings, refusal) => {
                    let changed = self.plan_readings(plan, readings).await?;
                    let changed = (changed > 0).then(|| Refusal::changed_readings(changed));
                    match refusal.or(changed) {
                        Some(refusal) => plan.quarantine(Failed::of(source, refusal, settles)),
                        None => plan.note(source.sha256, SourceFate::Readings, settles),
                    }
                }
            },
            Item::Failed(failed) => plan.quarantine(failed),
            Item::Read { source, settles } => {
                plan.quarantine(Failed::of(source, Refusal::defect(), settles))
            }
        }
        Ok(())
    }

    async fn plan_instance(
        &self,
        plan: &mut Plan,
        source: Source,
        instance: Box<PreparedInstance>,
        settles: Option<String>,
    ) -> Result<(), NodeError> {
        if let Some(refusal) = self.contradiction(plan, &instance).await? {
            plan.quarantine(Failed::of(source, refusal, settles));
            return Ok(());
        }
        let summary = &instance.summary;
        if !plan.series.contains_key(&summary.series_uid)
            && self
                .store()
                .series_owner(&summary.series_uid)
                .await?
                .is_none()
        {
            plan.rows
                .previews
                .extend(self.preview_of(&source, &instance));
        }
        plan.describe(&instance);
        let pack = Packs::pack_of(&instance.summary.series_uid)?;
        let pack_end = self.store().pack_end(&pack).await?;
        plan.note(source.sha256.clone(), SourceFate::Stored, settles);
        plan.rows.totals.stored += 1;
        plan.accepted.push(Accepted {
            source_sha256: source.sha256,
            instance,
            pack,
            pack_end,
        });
        Ok(())
    }

    /// Identifiers that do not fit what is here already.
    async fn contradiction(
        &self,
        plan: &Plan,
        instance: &PreparedInstance,
    ) -> Result<Option<Refusal>, NodeError> {
        let summary = &instance.summary;
        let patient = summary.patient_id.clone().unwrap_or_default();
        let is_here = plan.instances.contains(&summary.instance_uid)
            || self
                .store()
                .instance_source(&summary.instance_uid)
                .await?
                .is_some();
        if is_here {
            return Ok(Some(Refusal::duplicate()));
        }
        let study = match plan.studies.get(&summary.study_uid) {
            Some(patient) => Some(patient.clone()),
            None => self.store().study_owner(&summary.study_uid).await?,
        };
        if study.is_some_and(|owner| owner != patient) {
            return Ok(Some(Refusal::inconsistent("study", "patient")));
        }
        let series = match plan.series.get(&summary.series_uid) {
            Some(study) => Some(study.clone()),
            None => self
                .store()
                .series_owner(&summary.series_uid)
                .await?
                .map(|(study, _)| study),
        };
        Ok(series
            .is_some_and(|owner| owner != summary.study_uid)
            .then(|| Refusal::inconsistent("series", "study")))
    }

    fn preview_of(&self, source: &Source, instance: &PreparedInstance) -> Option<NewPreview> {
        let days = self.config().site.preview_days;
        let kept_until = self.now() + Duration::days(i64::from(days));
        let preview = (days > 0)
            .then(|| preview(&source.bytes, &instance.after, &instance.report, kept_until))??;
        Some(NewPreview {
            series_uid: instance.summary.series_uid.clone(),
            preview,
            kept_until,
        })
    }

    /// A reading belongs to the patient of its series, once the series is here; until then to the patient it names.
    /// Says how many differ from what is kept of the same nodule by the same reader.
    async fn plan_readings(
        &self,
        plan: &mut Plan,
        readings: Vec<Reading>,
    ) -> Result<usize, NodeError> {
        let mut owners: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut changed = 0;
        for mut reading in readings {
            if !owners.contains_key(&reading.series_uid) {
                let owner = self.store().series_owner(&reading.series_uid).await?;
                owners.insert(
                    reading.series_uid.clone(),
                    owner.map(|(_, patient)| patient),
                );
            }
            if let Some(Some(owner)) = owners.get(&reading.series_uid) {
                reading.patient_id.clone_from(owner);
            }
            let new = new_reading(&reading)?;
            match self.known_reading(plan, &new).await? {
                Some(known) => changed += usize::from(known != new.id),
                None => plan.add_reading(new),
            }
        }
        Ok(changed)
    }

    /// The id of the same reader's reading of the same nodule, in this batch or kept before.
    async fn known_reading(
        &self,
        plan: &Plan,
        new: &NewReading,
    ) -> Result<Option<String>, NodeError> {
        match plan.readings.get(&reading_key(new)) {
            Some(id) => Ok(Some(id.clone())),
            None => Ok(self
                .store()
                .reading_id(&new.series_uid, &new.nodule, &new.reader)
                .await?),
        }
    }

    /// Bytes first, rows later: gives back the rows to commit once everything is durable.
    fn write_bytes(&self, plan: Plan, room: Option<u64>) -> Result<IngestBatch, NodeError> {
        let Plan {
            mut rows,
            accepted,
            copies,
            ..
        } = plan;
        write_copies(&self.config().quarantine(), &copies)?;
        let mut writer = self.packs().writer(room);
        for Accepted {
            source_sha256,
            instance,
            pack,
            pack_end,
        } in accepted
        {
            let location = writer.append(&pack, pack_end, &instance.written.bytes)?;
            rows.instances
                .push(new_instance(*instance, source_sha256, location)?);
        }
        writer.sync()?;
        Ok(rows)
    }
}

impl Plan {
    fn note(&mut self, sha256: String, fate: SourceFate, settles: Option<String>) {
        self.rows.settled.extend(settles);
        self.rows.sources.push(NewSource { sha256, fate });
    }

    fn quarantine(&mut self, failed: Failed) {
        let Failed {
            found,
            digest,
            size,
            copy,
            refusal,
            settles,
        } = failed;
        tracing::warn!(
            file = found.name,
            code = refusal.code,
            "put into quarantine"
        );
        self.rows.totals.quarantined += 1;
        self.rows.quarantined.push(NewQuarantined {
            source_sha256: digest.clone(),
            name: found.name,
            size_bytes: size,
            code: refusal.code.to_owned(),
            reason: refusal.reason,
            copied: copy.is_some(),
        });
        self.copies
            .extend(copy.map(|bytes| (digest.clone(), bytes)));
        self.note(digest, SourceFate::Quarantined, settles);
    }

    fn add_reading(&mut self, new: NewReading) {
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
    fn describe(&mut self, instance: &PreparedInstance) {
        let summary = &instance.summary;
        let patient = summary.patient_id.clone().unwrap_or_default();
        self.instances.insert(summary.instance_uid.clone());
        self.add_patient(&patient, summary.sex.clone());
        if self
            .studies
            .insert(summary.study_uid.clone(), patient.clone())
            .is_none()
        {
            let study_uid = summary.study_uid.clone();
            self.rows.studies.push(NewStudy {
                study_uid,
                patient,
                age_years: summary.age_years.map(f64::from),
            });
        }
        if self
            .series
            .insert(summary.series_uid.clone(), summary.study_uid.clone())
            .is_none()
        {
            self.rows.series.push(new_series(instance));
        }
        self.rows.outlines.extend(new_outlines(instance));
    }
}

/// One reader reads one nodule once.
fn reading_key(reading: &NewReading) -> [String; 3] {
    [&reading.series_uid, &reading.nodule, &reading.reader].map(String::clone)
}

/// Copies are named by their digest, so one that is there is the same. They hold what the hospital sent.
fn write_copies(folder: &Path, copies: &[(String, Bytes)]) -> Result<(), NodeError> {
    if copies.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|error| NodeError::file(folder, error))?;
    for (digest, bytes) in copies {
        let path = folder.join(digest);
        if !path.exists() {
            let partial = folder.join(format!("{digest}.part"));
            let _ = fs::remove_file(&partial);
            write_private(&partial, bytes)?;
            fs::rename(&partial, &path).map_err(|error| NodeError::file(&path, error))?;
        }
    }
    let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| NodeError::file(folder, error))
}
