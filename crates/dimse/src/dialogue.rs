//! An association that is agreed on, from either side: whole messages in, whole messages out (PS3.7 section 6.3, PS3.8
//! section 9.2). Who may say what, and when, is up to the services.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Buf, Bytes};

use crate::Uid;
use crate::budget::Budget;
use crate::limits::MIN_PEER_PDU;
use crate::link::Link;
use crate::message::{Assembler, Message, MessageError};
use crate::pdu::{Abort, DataValue, MessagePart, Pdu, PduKind};
use crate::transport::{Patience, Transport, TransportError, fragments};

/// A presentation context in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AcceptedContext {
    pub(crate) id: u8,
    pub(crate) abstract_syntax: Uid,
    pub(crate) transfer_syntax: Uid,
    /// For a storage class: whether instances may be sent to the peer.
    pub(crate) peer_stores: bool,
}

/// Why there is no next message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialogueError {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error("a presentation context that was not accepted")]
    UnknownContext,
    #[error("{0:?} out of place")]
    Unexpected(PduKind),
    #[error("the peer aborted")]
    Aborted(Abort),
    #[error("the peer released the association")]
    Released,
}

impl DialogueError {
    /// The A-ABORT that says so, if there is anybody to hear it.
    pub(crate) fn abort(&self) -> Option<Abort> {
        match self {
            Self::Transport(TransportError::Pdu(error)) => Some(error.abort()),
            Self::Transport(TransportError::TimedOut) => Some(Abort::Unspecified),
            Self::Message(_) => Some(Abort::User),
            Self::UnknownContext => Some(Abort::InvalidParameter),
            Self::Unexpected(_) => Some(Abort::UnexpectedPdu),
            Self::Transport(_) | Self::Aborted(_) | Self::Released => None,
        }
    }
}

/// The association.
#[derive(Debug)]
pub(crate) struct Dialogue<L> {
    pub(crate) transport: Transport<L>,
    pub(crate) contexts: Vec<AcceptedContext>,
    peer_max_pdu: u32,
    pdu_time: Duration,
    assembler: Assembler,
    /// Fragments of the last PDU that are not looked at yet.
    fragments: VecDeque<DataValue>,
}

impl<L: Link> Dialogue<L> {
    pub(crate) fn new(
        transport: Transport<L>,
        contexts: Vec<AcceptedContext>,
        peer_max_pdu: u32,
        pdu_time: Duration,
        assembler: Assembler,
    ) -> Self {
        Self {
            transport,
            contexts,
            peer_max_pdu,
            pdu_time,
            assembler,
            fragments: VecDeque::new(),
        }
    }

    /// Whether no message has begun.
    pub(crate) fn is_idle(&self) -> bool {
        self.fragments.is_empty() && self.assembler.is_idle()
    }

    pub(crate) fn context(&self, id: u8) -> Option<&AcceptedContext> {
        self.contexts.iter().find(|context| context.id == id)
    }

    /// Takes at most one PDU; gives a message when one is whole. Dropping the future loses nothing.
    pub(crate) async fn step(
        &mut self,
        message: Duration,
    ) -> Result<Option<Message>, DialogueError> {
        if self.fragments.is_empty() {
            self.fragments = self.read(message).await?.into();
        }
        while let Some(value) = self.fragments.pop_front() {
            if self.context(value.context).is_none() {
                return Err(DialogueError::UnknownContext);
            }
            if let Some(message) = self.assembler.push(value)? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// The next message. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self, patience: Duration) -> Result<Message, DialogueError> {
        loop {
            if let Some(message) = self.step(patience).await? {
                return Ok(message);
            }
        }
    }

    async fn read(&mut self, message: Duration) -> Result<Vec<DataValue>, DialogueError> {
        let idle = self.assembler.is_idle();
        let start = if idle { message } else { self.pdu_time };
        let patience = Patience {
            start,
            rest: self.pdu_time,
        };
        match self.transport.read(patience).await? {
            Pdu::Data(values) => Ok(values),
            Pdu::ReleaseRq if idle => Err(DialogueError::Released),
            Pdu::Abort(abort) => Err(DialogueError::Aborted(abort)),
            pdu => Err(DialogueError::Unexpected(pdu.kind())),
        }
    }

    /// Sends a message. The data set is not copied; each PDU has its own time.
    pub(crate) async fn send(
        &mut self,
        context: u8,
        command: Vec<u8>,
        data_set: Option<Bytes>,
    ) -> Result<(), DialogueError> {
        let mut before = Vec::new();
        self.write(&mut before, context, MessagePart::Command, command.into());
        let data_set = data_set
            .map(|bytes| fragments(context, MessagePart::DataSet, bytes, self.peer_max_pdu));
        for fragment in data_set.into_iter().flatten() {
            before.extend(fragment.header);
            let bytes = before.as_slice().chain(fragment.bytes);
            self.transport.send(bytes, self.pdu_time).await?;
            before.clear();
        }
        // Without a data set, the command set is still to go.
        Ok(self
            .transport
            .send(before.as_slice(), self.pdu_time)
            .await?)
    }

    /// Writes small messages one after the other, to be sent together.
    pub(crate) fn write(&self, out: &mut Vec<u8>, context: u8, part: MessagePart, bytes: Bytes) {
        for fragment in fragments(context, part, bytes, self.peer_max_pdu) {
            out.extend(fragment.header);
            out.extend_from_slice(&fragment.bytes);
        }
    }

    /// Sends what [`Dialogue::write`] wrote.
    pub(crate) async fn flush(&mut self, written: &[u8]) -> Result<(), DialogueError> {
        Ok(self.transport.send(written, self.pdu_time).await?)
    }
}

/// The assembler of a side that is only answered: no data set of the peer is kept.
pub(crate) fn answers_only() -> Assembler {
    Assembler::new(Budget::new(0), 0)
}

/// Longest P-DATA-TF that a peer takes, from what it announced: 0 is no limit.
pub(crate) fn peer_max_pdu(announced: u32) -> u32 {
    match announced {
        0 => u32::MAX,
        length => length.max(MIN_PEER_PDU),
    }
}
