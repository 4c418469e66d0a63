//! What the server runs over: TCP, TLS on top of it later, a pipe in tests.

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpStream;

use super::config::QuickAck;

/// A byte stream to a peer.
pub trait Link: AsyncRead + AsyncWrite + Unpin + Send {
    /// Sets what is set once on a new connection.
    fn prepare(&self) {}

    /// Called after each read, for options that the kernel forgets.
    fn after_read(&self, _quick_ack: QuickAck) {}
}

impl Link for TcpStream {
    /// Answers are single small writes, which must not wait for an acknowledgement (Nagle). That it fails on a
    /// connection that is gone already shows at the next read.
    fn prepare(&self) {
        let _ = self.set_nodelay(true);
    }

    #[cfg(target_os = "linux")]
    fn after_read(&self, quick_ack: QuickAck) {
        if quick_ack == QuickAck::On {
            let _ = socket2::SockRef::from(self).set_tcp_quickack(true);
        }
    }
}

impl Link for DuplexStream {}
