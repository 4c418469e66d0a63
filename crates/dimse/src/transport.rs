//! PDUs over a link: a header is judged before room is made for what follows, and every wait has an end.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use crate::limits::{MAX_LINGER_BYTES, MAX_SENT_PDU, PDU_HEADER_BYTES};
use crate::link::{Link, QuickAck};
use crate::pdu::{
    FragmentPosition, MessagePart, Pdu, PduError, PduHeader, VALUE_HEADER, data_header,
};

/// What is read ahead of a header, so that a small PDU costs one call.
const READ_AHEAD: usize = 4 * 1024;

/// Why there is no next PDU.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    #[error("not a PDU")]
    Pdu(#[from] PduError),
    #[error("no PDU in time")]
    TimedOut,
    #[error("the connection closed")]
    Closed,
    #[error("the connection failed")]
    Io(#[from] io::Error),
}

/// How long to wait for the next PDU.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For its first byte.
    pub(crate) start: Duration,
    /// For the rest.
    pub(crate) rest: Duration,
}

/// A link and what has been read of it.
#[derive(Debug)]
pub(crate) struct Transport<L> {
    link: L,
    buffer: BytesMut,
    max_pdu: u32,
    quick_ack: QuickAck,
}

impl<L: Link> Transport<L> {
    pub(crate) fn new(link: L, max_pdu: u32, quick_ack: QuickAck) -> Self {
        link.prepare();
        Self {
            link,
            buffer: BytesMut::new(),
            max_pdu,
            quick_ack,
        }
    }

    /// Reads the next PDU. Dropping the future loses nothing: what has been read stays in the buffer.
    pub(crate) async fn read(&mut self, patience: Patience) -> Result<Pdu, TransportError> {
        if self.buffer.is_empty() {
            self.fill(READ_AHEAD, Instant::now() + patience.start)
                .await?;
        }
        let deadline = Instant::now() + patience.rest;
        let header = self.read_header(deadline).await?;
        let whole = PDU_HEADER_BYTES + header.length as usize;
        while self.buffer.len() < whole {
            let missing = whole - self.buffer.len();
            self.fill(missing, deadline).await?;
        }
        let mut pdu = self.buffer.split_to(whole).freeze();
        pdu.advance(PDU_HEADER_BYTES);
        Ok(Pdu::read(header.kind, pdu)?)
    }

    async fn read_header(&mut self, deadline: Instant) -> Result<PduHeader, TransportError> {
        loop {
            if let Some(header) = self.buffer.first_chunk::<PDU_HEADER_BYTES>() {
                return Ok(PduHeader::read(*header, self.max_pdu)?);
            }
            self.fill(READ_AHEAD, deadline).await?;
        }
    }

    /// Makes room for `room` bytes and reads once.
    async fn fill(&mut self, room: usize, deadline: Instant) -> Result<(), TransportError> {
        self.buffer.reserve(room);
        let read = timeout_at(deadline, self.link.read_buf(&mut self.buffer)).await;
        match read.map_err(|_| TransportError::TimedOut)?? {
            0 => Err(TransportError::Closed),
            _ => {
                self.link.after_read(self.quick_ack);
                Ok(())
            }
        }
    }

    /// Sends bytes, whole PDUs in one go. Several slices go out in one call where the link can do so.
    pub(crate) async fn send(
        &mut self,
        mut bytes: impl Buf,
        patience: Duration,
    ) -> Result<(), TransportError> {
        let write = async {
            self.link.write_all_buf(&mut bytes).await?;
            self.link.flush().await
        };
        let written = timeout(patience, write).await;
        Ok(written.map_err(|_| TransportError::TimedOut)??)
    }

    /// After our last PDU: closes our half and reads what the peer still sends, since closing on unread bytes would
    /// reset the connection and take that PDU from the peer.
    pub(crate) async fn linger(mut self, patience: Duration) {
        let drain = async {
            let _ = self.link.shutdown().await;
            let mut scrap = vec![0; READ_AHEAD];
            let mut left = MAX_LINGER_BYTES;
            while let Ok(read @ 1..) = self.link.read(&mut scrap).await {
                left = left.saturating_sub(read);
                if left == 0 {
                    break;
                }
            }
        };
        let _ = timeout(patience, drain).await;
    }
}

/// A fragment on its way: what goes before it, then its bytes, which are not copied.
pub(crate) struct Fragment {
    /// Header of the P-DATA-TF and of its one value.
    pub(crate) header: [u8; PDU_HEADER_BYTES + VALUE_HEADER],
    pub(crate) bytes: Bytes,
}

/// A command set or data set in P-DATA-TFs that the peer takes, one value each.
pub(crate) fn fragments(
    context: u8,
    part: MessagePart,
    mut rest: Bytes,
    peer_max_pdu: u32,
) -> impl Iterator<Item = Fragment> {
    // Fragments have an even length (PS3.8 annex E), which matters for odd limits.
    let most = (peer_max_pdu.min(MAX_SENT_PDU) as usize - VALUE_HEADER) & !1;
    let mut ended = false;
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let bytes = rest.split_to(rest.len().min(most));
        ended = rest.is_empty();
        let position = if ended {
            FragmentPosition::Last
        } else {
            FragmentPosition::More
        };
        let header = data_header(context, part, position, bytes.len());
        Some(Fragment { header, bytes })
    })
}
