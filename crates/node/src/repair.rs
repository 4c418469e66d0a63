//! The index rebuilt from packs alone: rows of patients, studies, series, instances, outlines, and of the files that they came
//! in. Bytes are checked first, and none is changed.
//!
//! What packs do not hold cannot come back: the times of arrival (the time of the repair stands in), runs, quarantine,
//! previews, readings, datasets, accounts, and the audit log.

use arno_domain::audit::Outcome;
use arno_store::node::{IngestBatch, Packs};
use bytes::Bytes;
use serde::Serialize;

use crate::{
    Node, NodeError,
    ingest::add_rows,
    survey::{Stray, Survey, by_series},
};

/// Instances that get their rows in one transaction.
const BATCH: usize = 64;

/// What a repair did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Repaired {
    /// Instances that have rows again.
    pub instances: u64,
    /// Records without a row whose bytes do not hold, or are none of an instance.
    pub not_restored: u64,
}

impl Node {
    /// Gives rows to whole records that have none and were not deleted. Others write in between. `seen` is told of each series.
    ///
    /// # Errors
    /// When packs or index cannot be used; what was restored before stays, and the same again goes on.
    pub async fn repair(&self, actor: &str, seen: impl Fn()) -> Result<Repaired, NodeError> {
        let packs = self.packs().clone();
        let packs = tokio::task::spawn_blocking(move || packs.list()).await??;
        let mut repaired = Repaired::default();
        for (series_uid, packs) in by_series(packs) {
            let _turn = self.turn().await?;
            let to_remove = self.store().packs_to_remove().await?;
            let kept: Vec<String> = packs
                .into_iter()
                .filter(|pack| !to_remove.contains(pack))
                .collect();
            let survey = self.survey(&series_uid, &kept).await?;
            self.restore(&series_uid, survey, actor, &mut repaired)
                .await?;
            seen();
        }
        self.describe_due().await?;
        Ok(repaired)
    }

    /// The end of the pack comes first: from then on nothing of it is overwritten.
    async fn restore(
        &self,
        series_uid: &str,
        survey: Survey,
        actor: &str,
        repaired: &mut Repaired,
    ) -> Result<(), NodeError> {
        let (Some((pack, end)), false) = (&survey.newest, survey.strays.is_empty()) else {
            return Ok(());
        };
        let live: u64 = survey
            .strays
            .values()
            .filter(|stray| stray.location.pack == *pack)
            .map(|stray| stray.location.record_range().length)
            .sum();
        let rows = self.store().pack_records(series_uid, pack).await?;
        let indexed = rows
            .iter()
            .map(|(_, location)| location.record_range().length);
        let dead = end.saturating_sub(live + indexed.sum::<u64>());
        self.store()
            .restore_pack(pack, series_uid, *end, dead)
            .await?;
        let strays: Vec<Stray> = survey.strays.into_values().collect();
        for strays in strays.chunks(BATCH) {
            self.restore_rows(series_uid, strays.to_vec(), actor, repaired)
                .await?;
        }
        Ok(())
    }

    async fn restore_rows(
        &self,
        series_uid: &str,
        strays: Vec<Stray>,
        actor: &str,
        repaired: &mut Repaired,
    ) -> Result<(), NodeError> {
        let (packs, count) = (self.packs().clone(), strays.len() as u64);
        let rebuild = move || rebuilt(&packs, strays);
        let batch = tokio::task::spawn_blocking(rebuild).await?;
        let restored = batch.instances.len() as u64;
        repaired.not_restored += count - restored;
        if restored == 0 {
            return Ok(());
        }
        let detail = format!("{restored} instances have rows again");
        let act = self.act(
            actor,
            "repair",
            &format!("series {series_uid}"),
            Outcome::Done,
            detail,
        );
        self.store().restore_rows(&batch, act, self.now()).await?;
        repaired.instances += restored;
        Ok(())
    }
}

fn rebuilt(packs: &Packs, strays: Vec<Stray>) -> IngestBatch {
    let mut batch = IngestBatch::default();
    for stray in strays {
        if packs.verify(&stray.location).is_err() {
            continue;
        }
        if let Ok(bytes) = packs.read(&stray.location.range()) {
            // What is none of an instance is counted by the caller.
            let _ = add_rows(
                &mut batch,
                &Bytes::from(bytes),
                stray.location,
                stray.source_sha256,
            );
        }
    }
    batch
}
