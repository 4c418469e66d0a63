//! Bytes of what is kept: at once where the system has them in memory, else by a thread that may wait for the disk.

use arno_store::{
    StoreError,
    node::{KeptInstance, PackLocation, PackRange, Scope},
};
use bytes::Bytes;

use crate::{Node, NodeError};

/// What is in memory is copied by whoever asks up to this: a fraction of a millisecond, in which it does nothing else.
const MAX_COPIED_BYTES: u64 = 1 << 20;

impl Node {
    /// Reads a part of what is kept of an instance. Compaction may have moved it since the index was asked; then the index is asked
    /// once more. Nothing when it was deleted meanwhile.
    ///
    /// # Errors
    /// When the bytes cannot be read.
    pub(crate) async fn read_part(
        &self,
        kept: &KeptInstance,
        part: impl Fn(&PackLocation) -> PackRange + Send,
    ) -> Result<Option<Bytes>, NodeError> {
        match self.read_range(part(&kept.location)).await {
            Err(NodeError::Store(StoreError::NotFound { .. })) => {}
            read => return read.map(Some),
        }
        let scope = Scope {
            instance_uid: Some(kept.instance_uid.clone()),
            ..Scope::default()
        };
        match self.store().kept_instances(&scope, None, 1).await?.pop() {
            Some(now) => self.read_range(part(&now.location)).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads a part of a pack.
    ///
    /// # Errors
    /// When it cannot be read; `NotFound` when the pack is gone.
    pub(crate) async fn read_range(&self, range: PackRange) -> Result<Bytes, NodeError> {
        if range.length <= MAX_COPIED_BYTES
            && let Some(bytes) = self.packs().read_cached(&range)?
        {
            return Ok(bytes.into());
        }
        let packs = self.packs().clone();
        let read = tokio::task::spawn_blocking(move || packs.read(&range)).await?;
        Ok(read?.into())
    }
}
