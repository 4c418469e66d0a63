//! Whether what is kept is what was kept: packs against the index by SHA-256, the index against packs, the audit log by its
//! chain.

use arno_store::{
    StoreError,
    node::{PackLocation, Scope},
};
use serde::Serialize;

use crate::{
    Node, NodeError,
    survey::{Survey, by_series},
};

/// Instances that are looked up at a time.
const PAGE: u32 = 500;
/// Damaged and missing instances that are named.
const MAX_NAMED: usize = 100;

/// The outcome of a verification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Instances looked at.
    pub instances: u64,
    /// Their size.
    pub size_bytes: u64,
    /// Instances whose bytes, or whose metadata, are not those that were kept.
    pub damaged: u64,
    /// The first of them, by SOP Instance UID (mapped).
    pub damaged_instances: Vec<String>,
    /// Whole instances in packs whose rows are lost: `--repair` brings them back.
    pub missing_rows: u64,
    /// The first of them, by SOP Instance UID (mapped).
    pub missing_instances: Vec<String>,
    /// Whole instances in packs that the index does not know and perhaps never did: a crash in the first batch of a series
    /// leaves such. They do no harm; `--repair` takes them in.
    pub unknown_records: u64,
    /// Whether the index is new and the packs are not: it was lost. `--repair` brings rows back.
    pub index_lost: bool,
    /// Records that a crash left behind the end of a pack, or that others supersede. The next batch, or compaction, overwrites
    /// them.
    pub left_records: u64,
    /// Instances that were deleted and whose bytes wait for compaction.
    pub deleted_records: u64,
    /// Bytes before the end of a pack that are no record and that no row points at.
    pub unreadable_bytes: u64,
    /// The first entry of the audit log that does not follow from the one before.
    pub audit_break: Option<i64>,
}

impl Verified {
    /// Whether everything is as it was.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.damaged == 0
            && self.missing_rows == 0
            && !self.index_lost
            && self.audit_break.is_none()
    }
}

impl Node {
    /// Reads everything that is kept and compares it with the index.
    ///
    /// # Errors
    /// When the index cannot be read; damage is no error but the outcome.
    pub async fn verify(&self) -> Result<Verified, NodeError> {
        self.verify_telling(|_| ()).await
    }

    /// The same, telling how many instances were looked at.
    ///
    /// # Errors
    /// As [`Node::verify`].
    pub async fn verify_telling(&self, seen: impl Fn(u64)) -> Result<Verified, NodeError> {
        let mut verified = Verified {
            audit_break: self.store().database().audit_break().await?,
            ..Verified::default()
        };
        let mut after = String::new();
        loop {
            let page = self.store().locations_after(&after, PAGE).await?;
            let Some((last, _)) = page.last() else {
                break;
            };
            after.clone_from(last);
            let checked = self.check(page).await?;
            for (uid, location, result) in checked {
                self.judge(&mut verified, uid, &location, result).await?;
            }
            seen(verified.instances);
        }
        self.verify_packs(&mut verified).await?;
        // Who was stopped in the very first batch has begun a run at least.
        verified.index_lost = verified.instances == 0
            && verified.unknown_records > 0
            && self.store().list_ingest_runs().await?.is_empty();
        Ok(verified)
    }

    async fn check(&self, page: Vec<(String, PackLocation)>) -> Result<Vec<Checked>, NodeError> {
        let packs = self.packs().clone();
        let check = move || {
            let one = |(uid, location): (String, PackLocation)| {
                let result = packs.verify(&location);
                (uid, location, result)
            };
            page.into_iter().map(one).collect()
        };
        Ok(tokio::task::spawn_blocking(check).await?)
    }

    /// A pack that is gone may have been compacted, or the instance deleted, since the index was asked.
    async fn judge(
        &self,
        verified: &mut Verified,
        uid: String,
        location: &PackLocation,
        mut result: Result<(), StoreError>,
    ) -> Result<(), NodeError> {
        if matches!(result, Err(StoreError::NotFound { .. })) {
            let scope = Scope {
                instance_uid: Some(uid.clone()),
                ..Scope::default()
            };
            let Some(now) = self.store().kept_instances(&scope, None, 1).await?.pop() else {
                return Ok(());
            };
            let again = self.check(vec![(uid.clone(), now.location)]).await?.pop();
            result = again.map_or(Ok(()), |(_, _, result)| result);
        }
        verified.add(uid, result.is_ok(), location.length);
        Ok(())
    }

    /// Looks for what no row points at.
    async fn verify_packs(&self, verified: &mut Verified) -> Result<(), NodeError> {
        let packs = self.packs().clone();
        let packs = tokio::task::spawn_blocking(move || packs.list()).await??;
        let to_remove = self.store().packs_to_remove().await?;
        let kept = packs.into_iter().filter(|pack| !to_remove.contains(pack));
        for (series_uid, packs) in by_series(kept.collect()) {
            verified.add_survey(self.survey(&series_uid, &packs).await?);
        }
        Ok(())
    }
}

type Checked = (String, PackLocation, Result<(), StoreError>);

impl Verified {
    fn add(&mut self, instance_uid: String, holds: bool, length: u64) {
        self.instances += 1;
        self.size_bytes += length;
        if !holds {
            self.damaged += 1;
            if self.damaged_instances.len() < MAX_NAMED {
                self.damaged_instances.push(instance_uid);
            }
        }
    }

    fn add_survey(&mut self, survey: Survey) {
        self.deleted_records += survey.deleted;
        self.left_records += survey.left;
        self.unreadable_bytes += survey.unreadable_bytes;
        for stray in survey.strays.into_values() {
            if !stray.had_row {
                self.unknown_records += 1;
                continue;
            }
            self.missing_rows += 1;
            if self.missing_instances.len() < MAX_NAMED {
                self.missing_instances.push(stray.instance_uid);
            }
        }
    }
}
