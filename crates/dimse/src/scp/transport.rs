//! PDUs over a link: a header is judged before room is made for what follows, and every wait has an end.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::config::QuickAck;
use super::link::Link;
use crate::limits::{MAX_LINGER_BYTES, PDU_HEADER_BYTES};
use crate::pdu::{DataValue, FragmentPosition, MessagePart, Pdu, PduError, PduHeader};

/// What is read ahead of a header, so that a small PDU costs one call.
const READ_AHEAD: usize = 4 * 1024;
/// Header of a presentation data value: length, context id, control.
const VALUE_HEADER: usize = 6;

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

    /// Sends bytes, whole PDUs in one go.
    pub(crate) async fn send(
        &mut self,
        bytes: &[u8],
        patience: Duration,
    ) -> Result<(), TransportError> {
        let write = async {
            self.link.write_all(bytes).await?;
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

/// A command set as P-DATA-TF PDUs that the peer takes.
pub(crate) fn command_pdus(context: u8, command: Vec<u8>, peer_max_pdu: u32) -> Vec<u8> {
    let most = peer_max_pdu as usize - VALUE_HEADER;
    let mut rest = Bytes::from(command);
    let mut bytes = Vec::new();
    loop {
        let fragment = rest.split_to(rest.len().min(most));
        let position = if rest.is_empty() {
            FragmentPosition::Last
        } else {
            FragmentPosition::More
        };
        let value = DataValue {
            context,
            part: MessagePart::Command,
            position,
            bytes: fragment,
        };
        bytes.append(&mut Pdu::Data(vec![value]).write());
        if rest.is_empty() {
            return bytes;
        }
    }
}
