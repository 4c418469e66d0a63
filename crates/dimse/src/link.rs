//! What associations run over: TCP, TLS on top of it, a pipe in tests.

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpStream;

/// TCP_QUICKACK on connections, set again after each read since the kernel forgets it.
///
/// Senders that leave Nagle's algorithm on (dcmtk from 3.6.2) otherwise wait 40 ms an instance for our delayed
/// acknowledgement. Linux only; elsewhere it has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuickAck {
    /// Acknowledge at once.
    On,
    /// As the kernel likes.
    Off,
}

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

impl<L: Link> Link for tokio_rustls::server::TlsStream<L> {
    fn prepare(&self) {
        self.get_ref().0.prepare();
    }

    fn after_read(&self, quick_ack: QuickAck) {
        self.get_ref().0.after_read(quick_ack);
    }
}

impl<L: Link> Link for tokio_rustls::client::TlsStream<L> {
    fn prepare(&self) {
        self.get_ref().0.prepare();
    }

    fn after_read(&self, quick_ack: QuickAck) {
        self.get_ref().0.after_read(quick_ack);
    }
}

impl Link for Box<dyn Link> {
    fn prepare(&self) {
        (**self).prepare();
    }

    fn after_read(&self, quick_ack: QuickAck) {
        (**self).after_read(quick_ack);
    }
}

impl Link for DuplexStream {}
