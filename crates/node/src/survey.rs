//! What packs hold beside what the index says: series by series, all packs of one in the order in which they were written.
//!
//! A record without a row is one of four things: deleted, by the record that says so behind it; left behind the end of
//! its pack by a crash; superseded by one that has a row; or stray, and then worth a row.

use std::collections::{BTreeMap, BTreeSet};

use arno_store::{
    StoreError,
    node::{PackLocation, Packs, Scanned},
};
use serde::Deserialize;

use crate::{Node, NodeError};

/// A whole record that no row points at and that was not deleted.
#[derive(Debug, Clone)]
pub(crate) struct Stray {
    pub(crate) instance_uid: String,
    pub(crate) location: PackLocation,
    pub(crate) source_sha256: String,
    /// Whether the index once had a row: it ends the pack later, or knows the source as stored.
    pub(crate) had_row: bool,
}

/// What was found in the packs of one series.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// By SOP Instance UID.
    pub(crate) strays: BTreeMap<String, Stray>,
    /// Instances that were deleted and wait for compaction.
    pub(crate) deleted: u64,
    /// Records that a crash left, or that others supersede.
    pub(crate) left: u64,
    /// Bytes before the end of a pack that are no record.
    pub(crate) unreadable_bytes: u64,
    /// The newest pack and where its last record ends.
    pub(crate) newest: Option<(String, u64)>,
}

/// One pack as it lies on the disk.
struct OnDisk {
    pack: String,
    found: Vec<(Scanned, Option<String>)>,
}

/// Packs of series, the older generation of each first.
pub(crate) fn by_series(packs: Vec<String>) -> BTreeMap<String, Vec<String>> {
    let mut series: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pack in packs {
        if let Some(series_uid) = Packs::series_of(&pack) {
            series.entry(series_uid).or_default().push(pack);
        }
    }
    series
}

impl Node {
    /// Looks through all packs of a series.
    pub(crate) async fn survey(
        &self,
        series_uid: &str,
        packs: &[String],
    ) -> Result<Survey, NodeError> {
        let mut survey = Survey::default();
        for pack in packs {
            let (files, name) = (self.packs().clone(), pack.clone());
            let read = tokio::task::spawn_blocking(move || read_pack(&files, name)).await?;
            let on_disk = match read {
                // Removed since it was listed.
                Err(StoreError::NotFound { .. }) => continue,
                read => read?,
            };
            // The index is asked after the disk, so that what came in meanwhile has its row.
            let end = self.store().pack(pack).await?.map(|row| row.end);
            let rows = self.store().pack_records(series_uid, pack).await?;
            let indexed = rows.iter().map(|(_, location)| location.offset).collect();
            survey.add(on_disk, end, &indexed);
        }
        self.settle(&mut survey).await?;
        Ok(survey)
    }

    /// Leaves out what has a row elsewhere, and asks which strays once had one.
    async fn settle(&self, survey: &mut Survey) -> Result<(), NodeError> {
        if survey.strays.is_empty() {
            return Ok(());
        }
        let uids: Vec<String> = survey.strays.keys().cloned().collect();
        for uid in self.store().instance_sources(&uids).await?.keys() {
            survey.strays.remove(uid);
            survey.left += 1;
        }
        let sources: Vec<String> = survey
            .strays
            .values()
            .map(|stray| stray.source_sha256.clone())
            .collect();
        let stored = self.store().stored_sources(&sources).await?;
        for stray in survey.strays.values_mut() {
            stray.had_row |= stored.contains(&stray.source_sha256);
        }
        Ok(())
    }
}

impl Survey {
    /// `end` is where the index ends the pack, if it knows it; `indexed` are the offsets that rows point at.
    fn add(&mut self, on_disk: OnDisk, end: Option<u64>, indexed: &BTreeSet<u64>) {
        let is_behind = |offset: u64| end.is_some_and(|end| offset >= end);
        let mut last = end.unwrap_or_default();
        for (found, uid) in on_disk.found {
            match (found, uid) {
                (Scanned::Instance { location, .. }, _) if indexed.contains(&location.offset) => {
                    last = last.max(location.end());
                }
                (Scanned::Instance { location, .. }, _) if is_behind(location.offset) => {
                    self.left += 1;
                }
                (
                    Scanned::Instance {
                        location,
                        source_sha256,
                    },
                    Some(instance_uid),
                ) => {
                    last = last.max(location.end());
                    let stray = Stray {
                        instance_uid: instance_uid.clone(),
                        location,
                        source_sha256,
                        had_row: end.is_some(),
                    };
                    let before = self.strays.insert(instance_uid, stray);
                    self.left += u64::from(before.is_some());
                }
                (Scanned::Instance { location, .. }, None) => {
                    self.unreadable_bytes += location.record_range().length;
                }
                (Scanned::Deleted { instance_uid, end }, _) if !is_behind(end - 1) => {
                    last = last.max(end);
                    self.deleted += u64::from(self.strays.remove(&instance_uid).is_some());
                }
                (Scanned::Deleted { .. }, _) => {}
                (Scanned::Unreadable { offset, .. }, _) if is_behind(offset) => {}
                (Scanned::Unreadable { length, .. }, _) => self.unreadable_bytes += length,
            }
        }
        self.newest = Some((on_disk.pack, last));
    }
}

/// What lies in a pack, with the UIDs of instances.
fn read_pack(packs: &Packs, pack: String) -> Result<OnDisk, StoreError> {
    let mut scan = packs.scan(&pack)?;
    let mut found = Vec::new();
    while let Some(one) = scan.step()? {
        let uid = match &one {
            Scanned::Instance { location, .. } => uid_of(packs, location)?,
            _ => None,
        };
        found.push((one, uid));
    }
    Ok(OnDisk { pack, found })
}

/// SOP Instance UID (0008,0018) in DICOM JSON (PS3.18 section F.2).
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "00080018")]
    instance_uid: Value,
}

#[derive(Deserialize)]
struct Value {
    #[serde(rename = "Value")]
    values: Vec<String>,
}

fn uid_of(packs: &Packs, location: &PackLocation) -> Result<Option<String>, StoreError> {
    let metadata = packs.read(&location.metadata_range())?;
    let named: Option<Named> = serde_json::from_slice(&metadata).ok();
    Ok(named.and_then(|named| named.instance_uid.values.into_iter().next()))
}
