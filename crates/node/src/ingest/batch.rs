//! One batch: bytes into packs and quarantine, made durable, then all rows in one transaction.
//!
//! Whether an instance may be kept beside what is here already is decided here, in order of the files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use arno_dicom::{Claimed, Summary};
use arno_domain::hex;
use arno_learning::reading::Reading;
use arno_store::{
    StoreError,
    node::{
        Before, IngestBatch, NewInstance, NewPreview, NewReading, PackEnds, PackWriter,
        PatientLink, Record, SourceFate,
    },
};
use bytes::Bytes;
use chrono::Duration;

use super::{
    item::{Done, Failed, Fate, Item, KeptUids, Source, Taken},
    plan::{Accepted, Plan, reading_key},
    prepare::{Prepared, PreparedInstance},
    preview::preview,
    refusal::Refusal,
    rows::{new_instance, new_reading},
};
use crate::{Node, NodeError, keys::write_private, standalone::Handling};

/// Where an instance belongs.
enum Place {
    /// The very same is here.
    Same,
    /// It begins a series.
    NewSeries,
    /// Its series is here.
    KnownSeries,
    /// Its identifiers do not fit what is here.
    Contradicts(Refusal),
}

impl Node {
    /// Keeps a batch: decides, writes bytes, commits rows. `counted` files are added to the run's. The caller has the turn.
    pub(super) async fn store_batch(
        &self,
        run: i64,
        counted: u64,
        items: Vec<Item>,
    ) -> Result<Vec<Taken>, NodeError> {
        let mut plan = Plan {
            before: self.before(&items).await?,
            ..Plan::default()
        };
        plan.rows.totals.files = counted;
        for item in items {
            self.plan_item(&mut plan, item).await?;
        }
        plan.rows.acquisitions = std::mem::take(&mut plan.acquisitions).new_rows();
        let taken = std::mem::take(&mut plan.taken);
        let room = self.room().await?;
        let node = self.clone();
        let write = move || node.write_bytes(plan, room);
        let (rows, begins) = tokio::task::spawn_blocking(write).await??;
        let committed = self.store().commit_ingest_batch(run, &rows, self.now());
        if let Err(error) = committed.await {
            self.cut_back(begins).await?;
            return Err(error.into());
        }
        self.drop_copies(&rows.settled);
        Ok(taken)
    }

    /// Takes back the bytes of a batch whose rows were not committed, as far as the index says that they were not.
    async fn cut_back(&self, mut begins: PackEnds) -> Result<(), NodeError> {
        for (pack, begin) in begins.clone() {
            let indexed = self.store().pack(&pack).await;
            let is_unchanged =
                indexed.is_ok_and(|indexed| indexed.map_or(0, |pack| pack.end) == begin);
            if !is_unchanged {
                begins.remove(&pack);
            }
        }
        let packs = self.packs().clone();
        Ok(tokio::task::spawn_blocking(move || packs.cut_back(&begins)).await?)
    }

    /// What was taken in after all need not lie in quarantine any longer.
    pub(crate) fn drop_copies(&self, settled: &[String]) {
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
            Item::Known {
                sha256,
                sent,
                settles,
            } => {
                let taken = self.known(plan, &sha256, sent).await?;
                plan.known(taken, settles);
            }
            Item::Done(Done {
                source,
                sent,
                prepared,
                settles,
            }) => match prepared {
                Prepared::Instance(instance) => {
                    self.plan_instance(plan, source, sent, instance, settles)
                        .await?
                }
                Prepared::Readings(readings, refusal) => {
                    let changed = self.plan_readings(plan, readings).await?;
                    let changed = (changed > 0).then(|| Refusal::changed_readings(changed));
                    match refusal.or(changed) {
                        Some(refusal) => {
                            plan.quarantine(Failed::of(source, None, refusal, settles))
                        }
                        None => {
                            plan.note(source.sha256, SourceFate::Readings, settles);
                            plan.taken.push(Taken::of(None, Fate::Stored));
                        }
                    }
                }
            },
            Item::Failed(failed) => plan.quarantine(failed),
            Item::Read { source, settles } => {
                plan.quarantine(Failed::of(source, None, Refusal::defect(), settles))
            }
        }
        Ok(())
    }

    /// What became of bytes that were dealt with before: kept under the identifiers that they get here, or not kept.
    async fn known(
        &self,
        plan: &Plan,
        sha256: &str,
        sent: Option<Claimed>,
    ) -> Result<Taken, NodeError> {
        let candidates = sent.as_ref().map(|sent| self.kept_uids(sent));
        let candidates = candidates.unwrap_or_default();
        if candidates.is_empty() {
            return Ok(Taken::of(sent, Fate::Known));
        }
        for kept in candidates {
            let source = match plan.instances.get(&kept.instance) {
                Some(source) => Some(source.clone()),
                None => self.store().instance_source(&kept.instance).await?,
            };
            if source.as_deref() == Some(sha256) {
                return Ok(Taken {
                    kept: Some(kept),
                    ..Taken::of(sent, Fate::Known)
                });
            }
        }
        let refusal = match self.store().is_refused(sha256).await? {
            true => Refusal::refused_by_person(),
            false => Refusal::refused_before(),
        };
        Ok(Taken::of(sent, refusal.into()))
    }

    /// Under which identifiers an instance may be kept here: one for each version of the secret.
    fn kept_uids(&self, sent: &Claimed) -> Vec<KeptUids> {
        let kept = |map: &dyn Fn(&str) -> String| {
            Some(KeptUids {
                study: map(sent.study.as_deref()?),
                series: map(sent.series.as_deref()?),
                instance: map(sent.sop_instance.as_deref()?),
            })
        };
        match self.handling() {
            Handling::Keep(_) => kept(&str::to_owned).into_iter().collect(),
            Handling::Deidentify => {
                let secrets = self.keys().pseudonym.secrets();
                secrets
                    .filter_map(|secret| kept(&|uid| secret.map_uid(uid)))
                    .collect()
            }
        }
    }

    /// The link from the pseudonym of an instance's patient to the patient, sealed, where the data holder wants it.
    fn link_of(&self, instance: &PreparedInstance) -> Option<PatientLink> {
        let patient = instance
            .patient
            .as_ref()
            .filter(|_| self.config().site.keep_links)?;
        let pseudonym = instance.facts.summary.patient_id.clone()?;
        match self.keys().pseudonym.links().seal(&pseudonym, patient) {
            Ok((version, sealed)) => Some(PatientLink {
                pseudonym,
                version,
                sealed: hex::encode(&sealed),
            }),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a link was not kept"
                );
                None
            }
        }
    }

    async fn plan_instance(
        &self,
        plan: &mut Plan,
        source: Source,
        sent: Option<Claimed>,
        instance: Box<PreparedInstance>,
        settles: Option<String>,
    ) -> Result<(), NodeError> {
        let kept = KeptUids {
            study: instance.facts.summary.study_uid.clone(),
            series: instance.facts.summary.series_uid.clone(),
            instance: instance.facts.summary.instance_uid.clone(),
        };
        match Self::place(plan, &instance, &source.sha256) {
            Place::Same => {
                let taken = Taken {
                    kept: Some(kept),
                    ..Taken::of(sent, Fate::Known)
                };
                plan.known(taken, settles);
                return Ok(());
            }
            Place::Contradicts(refusal) => {
                plan.quarantine(Failed::of(source, sent, refusal, settles));
                return Ok(());
            }
            Place::NewSeries => {
                plan.rows.links.extend(self.link_of(&instance));
                let preview = self.preview_of(&source, &instance);
                plan.rows.previews.extend(preview);
            }
            Place::KnownSeries => {}
        }
        plan.describe(&instance, &source.sha256);
        let place = plan
            .before
            .packs
            .get(&kept.series)
            .cloned()
            .ok_or(StoreError::NotFound { what: "pack" })?;
        plan.note(source.sha256.clone(), SourceFate::Stored, settles);
        plan.stored(sent, kept, instance.facts.summary.modality.clone());
        plan.accepted.push(Accepted {
            source_sha256: source.sha256,
            instance,
            place,
        });
        Ok(())
    }

    /// What of these files is here already, asked for all at once.
    async fn before(&self, items: &[Item]) -> Result<Before, NodeError> {
        let summaries = || {
            items.iter().filter_map(|item| match item {
                Item::Done(Done {
                    prepared: Prepared::Instance(instance),
                    ..
                }) => Some(&instance.facts.summary),
                _ => None,
            })
        };
        let uids = |of: fn(&Summary) -> &String| -> Vec<String> {
            let distinct: BTreeSet<&String> = summaries().map(of).collect();
            distinct.into_iter().cloned().collect()
        };
        let instances = uids(|summary| &summary.instance_uid);
        let studies = uids(|summary| &summary.study_uid);
        let series = uids(|summary| &summary.series_uid);
        Ok(self.store().before(&instances, &studies, &series).await?)
    }

    /// Where an instance belongs beside what is here already.
    fn place(plan: &Plan, instance: &PreparedInstance, sha256: &str) -> Place {
        let (summary, before) = (&instance.facts.summary, &plan.before);
        let patient = summary.patient_id.as_deref().unwrap_or_default();
        let uid = &summary.instance_uid;
        match plan
            .instances
            .get(uid)
            .or_else(|| before.instances.get(uid))
        {
            Some(source) if source == sha256 => return Place::Same,
            Some(_) => return Place::Contradicts(Refusal::duplicate()),
            None => {}
        }
        let uid = &summary.study_uid;
        let study = plan.studies.get(uid).or_else(|| before.studies.get(uid));
        if study.is_some_and(|owner| owner != patient) {
            return Place::Contradicts(Refusal::inconsistent("study", "patient"));
        }
        let uid = &summary.series_uid;
        let known = || before.series.get(uid).map(|series| &series.study_uid);
        match plan.series.get(uid).or_else(known) {
            None => Place::NewSeries,
            Some(study) if *study == summary.study_uid => Place::KnownSeries,
            Some(_) => Place::Contradicts(Refusal::inconsistent("series", "study")),
        }
    }

    fn preview_of(&self, source: &Source, instance: &PreparedInstance) -> Option<NewPreview> {
        let days = self.config().site.preview_days;
        let kept_until = self.now() + Duration::days(i64::from(days));
        let report = instance.report.as_ref()?;
        let preview = (days > 0).then(|| {
            preview(
                &source.bytes,
                &instance.kept.instance().header,
                self.recipe(),
                report,
                kept_until,
            )
        })??;
        Some(NewPreview {
            series_uid: instance.facts.summary.series_uid.clone(),
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

    /// Bytes first, rows later: gives back the rows to commit once everything is durable, and where packs ended before.
    fn write_bytes(
        &self,
        plan: Plan,
        room: Option<u64>,
    ) -> Result<(IngestBatch, PackEnds), NodeError> {
        let Plan {
            mut rows,
            accepted,
            copies,
            ..
        } = plan;
        write_copies(&self.config().quarantine(), &copies)?;
        let mut writer = self.packs().writer(room);
        let written =
            append(&mut writer, accepted).and_then(|instances| writer.sync().map(|()| instances));
        let begins = writer.begins();
        match written {
            Ok(instances) => rows.instances = instances,
            Err(error) => {
                self.packs().cut_back(&begins);
                return Err(error.into());
            }
        }
        Ok((rows, begins))
    }
}

/// Appends instances to their packs; not durable yet.
fn append(
    writer: &mut PackWriter,
    accepted: Vec<Accepted>,
) -> Result<Vec<NewInstance>, StoreError> {
    let append_one = |accepted| {
        let Accepted {
            source_sha256,
            instance,
            place,
        } = accepted;
        let record = Record {
            instance: instance.kept.bytes(),
            metadata: &instance.metadata,
            source_sha256: source_digest(&source_sha256)?,
            form: instance.kept.form(),
        };
        let location = writer.append(&place.pack, place.end, &record)?;
        let pixel_offset = instance.kept.pixel_offset();
        new_instance(instance.facts, pixel_offset, source_sha256, location)
    };
    accepted.into_iter().map(append_one).collect()
}

fn source_digest(sha256: &str) -> Result<[u8; 32], StoreError> {
    hex::decode_32(sha256).ok_or(StoreError::Corrupt { what: "digest" })
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
