//! One association from connection to end: the acceptor's part of the state machine in PS3.8 section 9.2. What its
//! messages ask for is dealt with in `dispatch`, one at a time, as without asynchronous operations (PS3.7 annex D.3.3.3).

use std::net::IpAddr;

use tokio::sync::{OwnedSemaphorePermit, watch};

use super::commit::{Commitments, Ready};
use super::negotiate::{Agreement, negotiate};
use super::server::Shared;
use super::service::{Extension, Service};
use crate::command::MessageId;
use crate::dialogue::{Dialogue, DialogueError};
use crate::link::Link;
use crate::message::{Assembler, Message};
use crate::pdu::{Abort, AssociateRq, Pdu, Reject};
use crate::transport::{Patience, Transport, TransportError};
use crate::{AeTitle, Uid};

/// How an association ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// The peer released it.
    Released,
    /// We did not accept it.
    Rejected(Reject),
    /// The peer aborted it.
    AbortedByPeer(Abort),
    /// We aborted it, for this reason (without patient data).
    Aborted(Abort, String),
    /// The connection is gone, or never became an association.
    Disconnected,
}

/// What is left to do after an association: reports of storage commitment, to whom.
pub(crate) type Left = Option<(AeTitle, Commitments)>;

/// Serves one connection to its end. It is pending until it is an association, which takes a slot instead.
pub(crate) async fn run<L: Link>(
    shared: &Shared,
    link: L,
    address: IpAddr,
    pending: OwnedSemaphorePermit,
    mut stop: watch::Receiver<bool>,
) -> (End, Left) {
    let config = &shared.config;
    let mut transport = Transport::new(link, config.max_pdu, config.quick_ack);
    match open(shared, &mut transport, address, &mut stop).await {
        Ok((agreement, _slot)) => {
            drop(pending);
            let mut association = Association::new(shared, transport, agreement, stop);
            let end = association.serve().await;
            close(shared, association.peer.transport, &end).await;
            (end, Some((association.calling_ae, association.commitments)))
        }
        Err(end) => {
            close(shared, transport, &end).await;
            (end, None)
        }
    }
}

/// From the connection to an acceptance that has been sent.
async fn open<L: Link>(
    shared: &Shared,
    transport: &mut Transport<L>,
    address: IpAddr,
    stop: &mut watch::Receiver<bool>,
) -> Result<(Agreement, OwnedSemaphorePermit), End> {
    let timeouts = &shared.config.timeouts;
    let patience = Patience {
        start: timeouts.artim,
        rest: timeouts.artim,
    };
    let read = tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => return Err(End::Disconnected),
        read = transport.read(patience) => read,
    };
    let request = read_request(read)?;
    let (agreement, accept) =
        negotiate(&shared.config, &shared.services, &request, address).map_err(End::Rejected)?;
    let slot = shared.slot().ok_or(End::Rejected(Reject::LocalLimit))?;
    let accept = Pdu::AssociateAc(accept).write();
    transport
        .send(accept.as_slice(), timeouts.pdu)
        .await
        .map_err(|_| End::Disconnected)?;
    Ok((agreement, slot))
}

/// A stranger who says nothing in time is hung up on without a word (PS3.8 table 9-10, AA-2).
fn read_request(read: Result<Pdu, TransportError>) -> Result<AssociateRq, End> {
    match read {
        Ok(Pdu::AssociateRq(request)) => Ok(request),
        Ok(Pdu::Abort(abort)) => Err(End::AbortedByPeer(abort)),
        Ok(pdu) => Err(DialogueError::Unexpected(pdu.kind()).into()),
        Err(TransportError::TimedOut) => Err(End::Disconnected),
        Err(error) => Err(DialogueError::from(error).into()),
    }
}

/// Says the last word, if there is one to say.
async fn close<L: Link>(shared: &Shared, mut transport: Transport<L>, end: &End) {
    let timeouts = &shared.config.timeouts;
    let last = match end {
        End::Released => Pdu::ReleaseRp,
        End::Rejected(reject) => Pdu::AssociateRj(*reject),
        End::Aborted(abort, _) => Pdu::Abort(*abort),
        End::AbortedByPeer(_) | End::Disconnected => return,
    };
    if transport
        .send(last.write().as_slice(), timeouts.pdu)
        .await
        .is_ok()
    {
        transport.linger(timeouts.artim).await;
    }
}

impl From<DialogueError> for End {
    fn from(error: DialogueError) -> Self {
        match (error.abort(), error) {
            (Some(abort), error) => Self::Aborted(abort, reason(&error)),
            (None, DialogueError::Aborted(abort)) => Self::AbortedByPeer(abort),
            (None, DialogueError::Released) => Self::Released,
            (None, _) => Self::Disconnected,
        }
    }
}

/// With the cause, since it is logged as it is.
fn reason(error: &DialogueError) -> String {
    let source = std::error::Error::source(error);
    source.map_or(error.to_string(), |source| format!("{error}: {source}"))
}

/// An accepted association.
pub(super) struct Association<'a, L> {
    pub(super) shared: &'a Shared,
    pub(super) calling_ae: AeTitle,
    pub(super) peer: Dialogue<L>,
    /// Number of our last request.
    pub(super) sent: MessageId,
    pub(super) commitments: Commitments,
    pub(super) allowed: Vec<Service>,
    pub(super) extensions: Vec<(Uid, Vec<Extension>)>,
    stop: watch::Receiver<bool>,
}

/// What an association does next.
enum Turn {
    Message(Message),
    Report(Ready),
    Again,
}

impl<'a, L: Link> Association<'a, L> {
    fn new(
        shared: &'a Shared,
        transport: Transport<L>,
        agreement: Agreement,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let config = &shared.config;
        let assembler = Assembler::new(shared.budget.clone(), config.max_instance_bytes);
        let (contexts, most) = (agreement.contexts, agreement.peer_max_pdu);
        Self {
            shared,
            calling_ae: agreement.calling_ae,
            peer: Dialogue::new(transport, contexts, most, config.timeouts.pdu, assembler),
            sent: 0,
            commitments: Commitments::default(),
            allowed: agreement.allowed,
            extensions: agreement.extensions,
            stop,
        }
    }

    async fn serve(&mut self) -> End {
        loop {
            let done = match self.turn().await {
                Ok(Turn::Message(message)) => self.answer(message).await,
                Ok(Turn::Report(ready)) => self.send_report(ready).await,
                Ok(Turn::Again) => Ok(()),
                Err(end) => Err(end),
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// Waits for the next PDU, between messages for the end of the server and for reports too.
    async fn turn(&mut self) -> Result<Turn, End> {
        let idle = self.peer.is_idle();
        tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop), if idle => {
                Err(End::Aborted(Abort::User, "the server shuts down".to_owned()))
            }
            ready = self.commitments.ready(), if idle => Ok(Turn::Report(ready)),
            step = self.peer.step(self.shared.config.timeouts.idle) => {
                Ok(step?.map_or(Turn::Again, Turn::Message))
            }
        }
    }
}
