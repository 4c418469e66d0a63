//! Accepting connections, within limits, until told to stop.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::association::{End, run};
use super::commit::deliver;
use super::config::{ConfigError, ServerConfig};
use super::service::Services;
use crate::budget::{Budget, SendingRoom};
use crate::limits::{MAX_DELIVERIES, MAX_PENDING};
use crate::link::Link;
use crate::tls::ServerTls;

/// Pause after a failed accept: it fails for want of file descriptors, which come back when associations end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The SCP of all services that there are handlers for.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
}

/// What all associations use.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: ServerConfig,
    pub(crate) services: Services,
    pub(crate) budget: Budget,
    pub(crate) sending: SendingRoom,
    slots: Arc<Semaphore>,
    pending: Arc<Semaphore>,
    deliveries: Semaphore,
}

impl Server {
    /// Makes a server that does not listen yet.
    ///
    /// # Errors
    /// A setting that cannot work.
    pub fn new(config: ServerConfig, services: impl Into<Services>) -> Result<Self, ConfigError> {
        config.check()?;
        let shared = Shared {
            budget: Budget::new(config.max_total_bytes),
            sending: SendingRoom::new(config.max_outgoing_bytes),
            slots: Arc::new(Semaphore::new(config.max_associations)),
            pending: Arc::new(Semaphore::new(MAX_PENDING)),
            deliveries: Semaphore::new(MAX_DELIVERIES),
            config,
            services: services.into(),
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
        self.accept(listener, None, shutdown).await;
    }

    /// The same with TLS on every connection. May run beside [`Server::serve`], within the same limits; the end of
    /// either ends the associations of both.
    pub async fn serve_tls(
        &self,
        listener: TcpListener,
        tls: ServerTls,
        shutdown: impl Future<Output = ()>,
    ) {
        self.accept(listener, Some(tls), shutdown).await;
    }

    async fn accept(
        &self,
        listener: TcpListener,
        tls: Option<ServerTls>,
        shutdown: impl Future<Output = ()>,
    ) {
        let mut tasks = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = tasks.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.spawn(&mut tasks, stream, tls.clone(), peer.ip()),
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

    /// Serves one connection that the caller accepted to its end.
    pub async fn serve_link<L: Link>(&self, link: L, address: IpAddr) {
        if let Some(pending) = self.shared.pending() {
            associate(&self.shared, link, address, pending, self.stop.subscribe()).await;
        }
    }

    /// Ends associations after their current message, and new ones at once.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    fn spawn(
        &self,
        tasks: &mut JoinSet<()>,
        stream: TcpStream,
        tls: Option<ServerTls>,
        address: IpAddr,
    ) {
        let Some(pending) = self.shared.pending() else {
            tracing::warn!(%address, "too many DICOM connections, closed one");
            return;
        };
        let shared = Arc::clone(&self.shared);
        let stop = self.stop.subscribe();
        tasks.spawn(async move {
            match tls {
                None => associate(&shared, stream, address, pending, stop).await,
                Some(tls) => secure(&shared, stream, &tls, address, pending, stop).await,
            }
        });
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

    /// The right to go on after an association, to deliver reports.
    pub(crate) fn delivery(&self) -> Option<SemaphorePermit<'_>> {
        self.deliveries.try_acquire().ok()
    }
}

/// Agrees on TLS first, as a pending connection and within a time of its own.
async fn secure(
    shared: &Shared,
    stream: TcpStream,
    tls: &ServerTls,
    address: IpAddr,
    pending: OwnedSemaphorePermit,
    mut stop: watch::Receiver<bool>,
) {
    stream.prepare();
    let handshake = timeout(shared.config.timeouts.tls, tls.accept(stream));
    let secured = tokio::select! {
        _ = stop.wait_for(|stop| *stop) => return,
        secured = handshake => secured,
    };
    match secured {
        Ok(Ok(stream)) => associate(shared, stream, address, pending, stop).await,
        Ok(Err(error)) => tracing::info!(%address, %error, "no TLS with a DICOM caller"),
        Err(_) => tracing::info!(%address, "no TLS with a DICOM caller in time"),
    }
}

async fn associate<L: Link>(
    shared: &Shared,
    link: L,
    address: IpAddr,
    pending: OwnedSemaphorePermit,
    stop: watch::Receiver<bool>,
) {
    let (end, left) = run(shared, link, address, pending, stop).await;
    log(address, &end);
    if let Some((calling_ae, commitments)) = left {
        deliver(shared, &calling_ae, commitments).await;
    }
}

fn log(address: IpAddr, end: &End) {
    match end {
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
