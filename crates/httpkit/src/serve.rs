//! HTTP/1.1 over TCP, plain or TLS: `TCP_NODELAY` on every socket, a limit on connections and on slow headers,
//! and a stop that lets running answers finish.

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::TlsAcceptor;

/// Connections at a time; each holds a socket and a few kilobytes.
const MAX_CONNECTIONS: usize = 1024;
/// A client that does not finish its headers or its TLS handshake is cut off.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// Running answers get so long when the program stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// How many ports are tried before giving up.
const PORTS_TRIED: u16 = 100;

/// Listens on `port`, or on the next that is free; 0 takes any.
///
/// # Errors
/// When none of a hundred ports is free, or the address is not ours.
pub async fn bind_next(ip: IpAddr, port: u16) -> io::Result<(TcpListener, u16)> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for candidate in (0..PORTS_TRIED).map_while(|step| port.checked_add(step)) {
        match TcpListener::bind((ip, candidate)).await {
            Ok(listener) => {
                let port = listener.local_addr()?.port();
                return Ok((listener, port));
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// Below those that systems give to whoever asks for any.
const UNUSED: std::ops::Range<u16> = 12_000..30_000;
/// Ports between two that are given, for what may already be taken there.
const APART: u32 = 3;

/// Where to look for a port that stays free while nobody listens at it: between its choice and the program that takes it, and while that
/// program is started again, the system gives it to nobody. Another one each time, and others in other processes.
#[must_use]
pub fn unused_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let places = u32::from(UNUSED.end - UNUSED.start);
    let own = std::process::id().wrapping_mul(97) % places;
    let given = GIVEN.fetch_add(APART, Ordering::Relaxed);
    let place = own.wrapping_add(given) % places;
    UNUSED.start + u16::try_from(place).unwrap_or_default()
}

/// Serves plain HTTP until `shutdown` comes.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    accept(listener, None, router, shutdown).await;
}

/// Serves HTTPS until `shutdown` comes.
pub async fn serve_tls(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    accept(listener, Some(TlsAcceptor::from(config)), router, shutdown).await;
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    tokio::pin!(shutdown);
    loop {
        let stream = tokio::select! {
            stream = next_stream(&listener, &places) => stream,
            () = &mut shutdown => break,
        };
        let Some((stream, place)) = stream else {
            continue;
        };
        let (router, tls, watcher) = (router.clone(), tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _place = place;
            match tls {
                None => talk(stream, router, watcher).await,
                Some(tls) => {
                    // A failed handshake is the caller's matter; there is nobody to answer.
                    if let Ok(Ok(stream)) =
                        tokio::time::timeout(HEADER_TIMEOUT, tls.accept(stream)).await
                    {
                        talk(stream, router, watcher).await;
                    }
                }
            }
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(STOP_TIMEOUT, graceful.shutdown()).await;
}

async fn next_stream(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            // Without it a round trip costs up to 48 ms instead of 0.3 ms: Nagle waits for a delayed ACK.
            stream.set_nodelay(true).ok()?;
            Some((stream, place))
        }
        Err(error) => {
            // Out of file descriptors, mostly: others must end before a new one can begin.
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

async fn talk<I>(stream: I, router: Router, watcher: hyper_util::server::graceful::Watcher)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::bind_next;

    #[tokio::test]
    async fn a_taken_port_moves_on() {
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (_first, port) = bind_next(ip, 0).await.unwrap();
        let (_second, next) = bind_next(ip, port).await.unwrap();
        assert!(next > port);
    }
}
