//! Whose turn it is to write packs and rows: one batch at a time, in this program and beside others.
//!
//! The turn is for a batch, not for a run: what a PACS sends does not wait behind a long folder, and `arno-node ingest` works
//! beside a node that serves.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
    time::Duration,
};

use tokio::{sync::MutexGuard, time::Instant};

use crate::{Node, NodeError};

/// A batch of another program is done long before; then it hangs.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// How often the file is tried: shorter than a batch takes.
const LOOK: Duration = Duration::from_millis(5);

/// The right to write one batch; ends when it is dropped, and with it what was known of the rows before.
pub(crate) struct Turn<'a> {
    node: &'a Node,
    _file: File,
    _turn: MutexGuard<'a, ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.node.recent().forget();
    }
}

impl Node {
    /// Waits for the turn.
    ///
    /// # Errors
    /// [`NodeError::Busy`] when another program holds it for too long.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, NodeError> {
        let turn = self.ingest_turn().lock().await;
        Ok(Turn {
            node: self,
            _file: lock(&self.config().ingest_lock(), MAX_WAIT).await?,
            _turn: turn,
        })
    }
}

/// Keeps other programs from writing into the same node; freed when the file is closed, also by a crash.
async fn lock(path: &Path, patience: Duration) -> Result<File, NodeError> {
    let unusable = |error| NodeError::file(path, error);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(unusable)?;
    let until = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                tokio::time::sleep(LOOK).await;
            }
            Err(TryLockError::WouldBlock) => return Err(NodeError::Busy),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::lock;
    use crate::NodeError;

    #[tokio::test]
    async fn a_lock_is_waited_for_but_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ingest.lock");
        let held = lock(&path, Duration::ZERO).await.unwrap();
        assert!(matches!(
            lock(&path, Duration::ZERO).await,
            Err(NodeError::Busy)
        ));
        let (waited, ()) = tokio::join!(lock(&path, Duration::from_secs(60)), async { drop(held) });
        waited.unwrap();
    }
}
