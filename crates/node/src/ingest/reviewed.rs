//! What a person let in, taken in as any other file, with the decision beside it.

use std::fs;

use arno_store::node::HeldInstance;

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

impl Node {
    /// Takes in what waited, as a person saw it. What became of each, in order.
    pub(crate) async fn take_in_seen(
        &self,
        held: Vec<HeldInstance>,
        seen: &Seen,
        actor: &str,
    ) -> Result<Vec<Taken>, NodeError> {
        let count = held.len() as u64;
        let run = self.store().create_ingest_run("review", count, self.now());
        let mut taking = TakingIn::of(self, run.await?, actor, Counting::Before);
        let mut taken = Vec::with_capacity(held.len());
        for batch in batches(held) {
            let (node, seen) = (self.clone(), seen.clone());
            let read = move || {
                let read = |held| node.read_held(held, &seen);
                batch.iter().map(read).collect()
            };
            let items = tokio::task::spawn_blocking(read).await?;
            taken.extend(taking.take_new(items).await?);
        }
        taking.finish().await?;
        Ok(taken)
    }

    fn read_held(&self, held: &HeldInstance, seen: &Seen) -> Item {
        let source = |bytes: Vec<u8>| Source {
            name: held.name.clone(),
            kind: FoundKind::Instance,
            sha256: held.source_sha256.clone(),
            bytes: bytes.into(),
            unread_digest: None,
            // The copy in quarantine is the only one that is known of.
            origin: Origin::Network,
            seen: Some(seen.clone()),
        };
        match fs::read(self.held_copy(held)) {
            Ok(bytes) => Item::from(source(bytes)).settling(Some(held.source_sha256.clone())),
            Err(error) => Item::Failed(Failed {
                name: held.name.clone(),
                digest: held.source_sha256.clone(),
                size: held.item.size_bytes,
                copy: None,
                sent: None,
                refusal: Refusal::unreadable(&error),
                settles: None,
            }),
        }
    }
}

/// In order, so many at a time as fit.
fn batches(held: Vec<HeldInstance>) -> Vec<Vec<HeldInstance>> {
    let (mut batches, mut bytes) = (vec![Vec::new()], 0);
    for one in held {
        bytes += one.item.size_bytes;
        if bytes > MAX_BATCH_BYTES && batches.last().is_some_and(|last| !last.is_empty()) {
            bytes = one.item.size_bytes;
            batches.push(Vec::new());
        }
        if let Some(last) = batches.last_mut() {
            last.push(one);
        }
    }
    batches
}
