//! Accepting connections, within limits, until told to stop.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::association::{End, run};
use super::budget::Budget;
use super::config::{ConfigError, ServerConfig};
use super::link::Link;
use super::store::StoreHandler;
use crate::limits::MAX_PENDING;

/// Pause after a failed accept: it fails for want of file descriptors, which come back when associations end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A storage and verification SCP.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
}

/// What all associations use.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: ServerConfig,
    pub(crate) handler: StoreHandler,
    pub(crate) budget: Budget,
    slots: Arc<Semaphore>,
    pending: Arc<Semaphore>,
}

impl Server {
    /// Makes a server that does not listen yet.
    ///
    /// # Errors
    /// A setting that cannot work.
    pub fn new(config: ServerConfig, handler: StoreHandler) -> Result<Self, ConfigError> {
        config.check()?;
        let shared = Shared {
            budget: Budget::new(config.max_total_bytes),
            slots: Arc::new(Semaphore::new(config.max_associations)),
            pending: Arc::new(Semaphore::new(MAX_PENDING)),
            config,
            handler,
        };
        let stop = watch::Sender::new(false);
        Ok(Self {
            shared: Arc::new(shared),
            stop,
        })
    }

    /// Serves connections until `shutdown` is ready. Associations may then finish their current message; what is left
    /// after the time for that is cut off.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let mut tasks = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = tasks.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.spawn(&mut tasks, stream, peer.ip()),
                    Err(error) => {
                        tracing::warn!(%error, "could not accept a DICOM connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        self.stop();
        let finish = async { while tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(self.shared.config.timeouts.shutdown, finish).await;
        tasks.shutdown().await;
    }

    /// Serves one connection that the caller accepted, such as a TLS stream, to its end.
    pub async fn serve_link<L: Link>(&self, link: L, address: IpAddr) {
        if let Some(pending) = self.shared.pending() {
            associate(&self.shared, link, address, pending, self.stop.subscribe()).await;
        }
    }

    /// Ends associations after their current message, and new ones at once.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    fn spawn(&self, tasks: &mut JoinSet<()>, stream: TcpStream, address: IpAddr) {
        let Some(pending) = self.shared.pending() else {
            tracing::warn!(%address, "too many DICOM connections, closed one");
            return;
        };
        let shared = Arc::clone(&self.shared);
        let stop = self.stop.subscribe();
        tasks.spawn(async move { associate(&shared, stream, address, pending, stop).await });
    }
}

impl Shared {
    /// The right to be connected, as long as no association is agreed on.
    fn pending(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.pending).try_acquire_owned().ok()
    }

    /// The right to an association, one of the configured number.
    pub(crate) fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).try_acquire_owned().ok()
    }
}

async fn associate<L: Link>(
    shared: &Shared,
    link: L,
    address: IpAddr,
    pending: OwnedSemaphorePermit,
    stop: watch::Receiver<bool>,
) {
    match run(shared, link, address, pending, stop).await {
        End::Released => tracing::debug!(%address, "DICOM association released"),
        End::Disconnected => tracing::debug!(%address, "DICOM connection closed"),
        End::Rejected(reject) => tracing::info!(%address, ?reject, "DICOM association rejected"),
        End::AbortedByPeer(abort) => {
            tracing::info!(%address, ?abort, "DICOM association aborted by the peer")
        }
        End::Aborted(abort, reason) => {
            tracing::info!(%address, ?abort, reason, "DICOM association aborted")
        }
    }
}
