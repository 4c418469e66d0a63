//! What a person or the text finder let in, taken in as any other file, with the decision beside it.

use std::fs;

use super::{
    item::{Failed, Item, Origin, Source, Taken},
    refusal::Refusal,
    seen::Seen,
    taking::{Counting, TakingIn},
    walk::FoundKind,
};
use crate::{Node, NodeError};

/// Bytes that are in memory at a time, beside their decoded frames; a larger instance is alone.
const MAX_BATCH_BYTES: u64 = 64 << 20;

/// A copy in quarantine that was looked at, and what was decided.
#[derive(Debug, Clone)]
pub(crate) struct SeenCopy {
    /// Its name below the ingested folder.
    pub(crate) name: String,
    /// SHA-256 of its bytes, by which the copy is named.
    pub(crate) source_sha256: String,
    /// Its size.
    pub(crate) size_bytes: u64,
    /// What was decided.
    pub(crate) seen: Seen,
}

impl Node {
    /// Takes in what waited, as it was seen, in a run of that name. What became of each, in order.
    pub(crate) async fn take_in_seen(
        &self,
        copies: Vec<SeenCopy>,
        actor: &str,
    ) -> Result<Vec<Taken>, NodeError> {
        let count = copies.len() as u64;
        let run = self.store().create_ingest_run("review", count, self.now());
        let mut taking = TakingIn::of(self, run.await?, actor, Counting::Before);
        let mut taken = Vec::with_capacity(copies.len());
        for batch in batches(copies) {
            let node = self.clone();
            let read = move || batch.iter().map(|copy| node.read_copy(copy)).collect();
            let items = tokio::task::spawn_blocking(read).await?;
            taken.extend(taking.take_new(items).await?);
        }
        taking.finish().await?;
        Ok(taken)
    }

    fn read_copy(&self, copy: &SeenCopy) -> Item {
        let source = |bytes: Vec<u8>| Source {
            name: copy.name.clone(),
            kind: FoundKind::Instance,
            sha256: copy.source_sha256.clone(),
            bytes: bytes.into(),
            unread_digest: None,
            // The copy in quarantine is the only one that is known of.
            origin: Origin::Network,
            seen: Some(copy.seen.clone()),
        };
        match fs::read(self.config().quarantine().join(&copy.source_sha256)) {
            Ok(bytes) => Item::from(source(bytes)).settling(Some(copy.source_sha256.clone())),
            Err(error) => Item::Failed(Failed {
                name: copy.name.clone(),
                digest: copy.source_sha256.clone(),
                size: copy.size_bytes,
                copy: None,
                sent: None,
                refusal: Refusal::unreadable(&error),
                settles: None,
            }),
        }
    }
}

/// In order, so many at a time as fit.
fn batches(copies: Vec<SeenCopy>) -> Vec<Vec<SeenCopy>> {
    let (mut batches, mut bytes) = (vec![Vec::new()], 0);
    for one in copies {
        bytes += one.size_bytes;
        if bytes > MAX_BATCH_BYTES && batches.last().is_some_and(|last| !last.is_empty()) {
            bytes = one.size_bytes;
            batches.push(Vec::new());
        }
        if let Some(last) = batches.last_mut() {
            last.push(one);
        }
    }
    batches
}
