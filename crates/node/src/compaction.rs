//! Compaction: a pack with many dead bytes is written anew under the next name, without them.
//!
//! ```text
//! 1 the new name is noted as to remove   2 live records are copied, synced, renamed to it
//! 3 one transaction: rows point into the new pack, the old one is noted as to remove   4 the old file goes
//! ```
//! Wherever this stops, rows point at whole records, and the pack that no row points into is noted, for housekeeping. Names are
//! never used twice: who asked the index before 3 and opens the pack after 4 finds nothing, asks again, and finds the new one
//! ([`Node::read_part`]).

use arno_store::node::{PackLocation, Packs};
use serde::Serialize;

use crate::{Node, NodeError, survey::by_series};

/// Dead bytes from which housekeeping compacts: below, writing a pack anew costs more than it gives back.
const WORTH_BYTES: u64 = 64 << 20;
/// Per cent of a pack that are dead before housekeeping compacts it, so that each byte is moved about three times at most.
const WORTH_PER_CENT: u8 = 30;
/// Packs that are looked up at a time.
const PAGE: u32 = 100;

/// Which packs are compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compacting {
    /// Those with any dead bytes.
    All,
    /// Those where it is worth it.
    Worthwhile,
}

/// What a compaction did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// Packs that were written anew.
    pub packs: u64,
    /// Bytes that this gave back.
    pub freed_bytes: u64,
}

impl Node {
    /// Compacts packs, one after the other; others write in between.
    ///
    /// # Errors
    /// [`NodeError::Full`] when there is no room for a second copy of a pack; nothing was changed then.
    pub async fn compact(&self, which: Compacting) -> Result<Compacted, NodeError> {
        let (bytes, per_cent) = match which {
            Compacting::All => (1, 0),
            Compacting::Worthwhile => (WORTH_BYTES, WORTH_PER_CENT),
        };
        let mut compacted = Compacted::default();
        self.remove_packs_in_turn().await?;
        if which == Compacting::All {
            compacted.freed_bytes += self.remove_set_aside().await?;
        }
        loop {
            let page = self.store().packs_to_compact(bytes, per_cent, PAGE).await?;
            if page.is_empty() {
                return Ok(compacted);
            }
            for pack in page {
                let freed = self.compact_pack(&pack.pack).await;
                let freed = freed.map_err(|error| error.below(&self.config().data))?;
                compacted.packs += u64::from(freed.is_some());
                compacted.freed_bytes += freed.unwrap_or_default();
            }
        }
    }

    async fn remove_packs_in_turn(&self) -> Result<(), NodeError> {
        if self.store().packs_to_remove().await?.is_empty() {
            return Ok(());
        }
        let _turn = self.turn().await?;
        self.remove_packs().await
    }

    /// Deletes packs that were set aside and hold nothing that has no row elsewhere.
    async fn remove_set_aside(&self) -> Result<u64, NodeError> {
        let packs = self.packs().clone();
        let packs = tokio::task::spawn_blocking(move || packs.list()).await??;
        let mut freed = 0;
        for (series_uid, packs) in by_series(packs) {
            let mut aside = packs.clone();
            aside.retain(|pack| Packs::is_set_aside(pack));
            if aside.is_empty() {
                continue;
            }
            let _turn = self.turn().await?;
            // Rows of a repair may point into it.
            let is_needed = !self.survey(&series_uid, &packs).await?.strays.is_empty();
            for pack in &aside {
                let has_rows = !self
                    .store()
                    .pack_records(&series_uid, pack)
                    .await?
                    .is_empty();
                if !is_needed && !has_rows {
                    freed += self
                        .packs()
                        .file(pack)?
                        .metadata()
                        .map_or(0, |file| file.len());
                    self.store().announce_pack(pack).await?;
                }
            }
            self.remove_packs().await?;
        }
        Ok(freed)
    }

    /// What it gave back; nothing when the pack is gone meanwhile.
    async fn compact_pack(&self, pack: &str) -> Result<Option<u64>, NodeError> {
        let _turn = self.turn().await?;
        let Some(old) = self.store().pack(pack).await? else {
            return Ok(None);
        };
        let new = self.unused_name(&old.pack).await?;
        let records = self
            .store()
            .pack_records(&old.series_uid, &old.pack)
            .await?;
        let moved = moved(&records, &new);
        self.store().announce_pack(&new).await?;
        self.copy(&records, &new).await?;
        self.store().switch_pack(&old, &new, &moved).await?;
        self.remove_packs().await?;
        let end = moved.last().map_or(0, |(_, location)| location.end());
        Ok(Some(old.end.saturating_sub(end)))
    }

    /// The next name of the series that no file has which is still to be removed.
    async fn unused_name(&self, pack: &str) -> Result<String, NodeError> {
        let taken = self.store().packs_to_remove().await?;
        let mut name = Packs::next_generation(pack)?;
        while taken.contains(&name) {
            name = Packs::next_generation(&name)?;
        }
        Ok(name)
    }

    /// Records are copied as they are, checksums and all: damage neither grows nor hides.
    async fn copy(&self, records: &[(String, PackLocation)], new: &str) -> Result<(), NodeError> {
        let ranges: Vec<_> = records
            .iter()
            .map(|(_, location)| location.record_range())
            .collect();
        let (packs, new) = (self.packs().clone(), new.to_owned());
        let copy = move || packs.copy_records(&new, &ranges);
        Ok(tokio::task::spawn_blocking(copy).await??)
    }
}

/// The same records one behind the other in the new pack.
fn moved(records: &[(String, PackLocation)], new: &str) -> Vec<(String, PackLocation)> {
    let mut offset = 0;
    let at = |(uid, location): &(String, PackLocation)| {
        let location = PackLocation {
            pack: new.to_owned(),
            offset,
            ..location.clone()
        };
        offset = location.end();
        (uid.clone(), location)
    };
    records.iter().map(at).collect()
}

#[cfg(test)]
mod tests {
    use arno_store::node::PackLocation;

    use super::moved;

    #[test]
    fn records_close_ranks() {
        let record = |offset, length| {
            let location = PackLocation {
                pack: "old".into(),
                offset,
                length,
                metadata_length: 2,
                sha256: String::new(),
            };
            (offset.to_string(), location)
        };
        let moved = moved(&[record(500, 10), record(4000, 20)], "new");
        let places: Vec<_> = moved.iter().map(|(_, at)| (at.offset, at.end())).collect();
        assert_eq!(places, [(0, 164), (164, 338)]);
    }
}
