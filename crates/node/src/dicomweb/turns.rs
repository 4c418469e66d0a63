//! How much of what takes memory or processor goes on at a time; the rest waits its turn.

use tokio::sync::{Semaphore, SemaphorePermit};

use super::answers::WebError;

/// Requests that store at a time. Each holds a batch of 16 MB, and its copies while it is taken in.
const STORING: usize = 4;

/// Objects larger than a batch that are held in memory at a time.
const LARGE: usize = 1;

/// Pictures and transcoded objects that are made at a time: a few cores' worth, each up to some hundred megabytes.
const MAKING: usize = 4;

/// The turns of one node.
#[derive(Debug)]
pub(super) struct Turns {
    storing: Semaphore,
    large: Semaphore,
    making: Semaphore,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self {
            storing: Semaphore::new(STORING),
            large: Semaphore::new(LARGE),
            making: Semaphore::new(MAKING),
        }
    }

    pub(super) async fn storing(&self) -> Result<SemaphorePermit<'_>, WebError> {
        turn(&self.storing).await
    }

    pub(super) async fn large(&self) -> Result<SemaphorePermit<'_>, WebError> {
        turn(&self.large).await
    }

    pub(super) async fn making(&self) -> Result<SemaphorePermit<'_>, WebError> {
        turn(&self.making).await
    }
}

/// The semaphores are never closed while a request is answered.
async fn turn(semaphore: &Semaphore) -> Result<SemaphorePermit<'_>, WebError> {
    let turn = semaphore.acquire().await;
    turn.map_err(|_| WebError::busy("The node is stopping."))
}
