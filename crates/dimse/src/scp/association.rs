//! One association from connection to end: the acceptor's part of the state machine in PS3.8 section 9.2, and the
//! services on top of it. One message at a time, as without asynchronous operations (PS3.7 annex D.3.3.3).

use std::net::IpAddr;

use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;

use super::link::Link;
use super::message::{Assembler, Message, Received};
use super::negotiate::{AcceptedContext, Agreement, negotiate};
use super::server::Shared;
use super::store::StoreRequest;
use super::transport::{Patience, Transport, TransportError, command_pdus};
use crate::command::{Command, DataSet, EchoRq, InstanceResponse, Response, Status, StoreRq};
use crate::pdu::{Abort, AssociateRq, DataValue, Pdu, Reject};

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

/// Serves one connection to its end. It is pending until it is an association, which takes a slot instead.
pub(crate) async fn run<L: Link>(
    shared: &Shared,
    link: L,
    address: IpAddr,
    pending: OwnedSemaphorePermit,
    mut stop: watch::Receiver<bool>,
) -> End {
    let config = &shared.config;
    let mut transport = Transport::new(link, config.max_pdu, config.quick_ack);
    let (end, _held) = match open(shared, &mut transport, address, &mut stop).await {
        Ok((agreement, slot)) => {
            drop(pending);
            let association = Association::new(shared, agreement, stop);
            (association.serve(&mut transport).await, slot)
        }
        Err(end) => (end, pending),
    };
    close(shared, transport, &end).await;
    end
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
        negotiate(&shared.config, &request, address).map_err(End::Rejected)?;
    let slot = shared.slot().ok_or(End::Rejected(Reject::LocalLimit))?;
    let accept = Pdu::AssociateAc(accept).write();
    transport
        .send(&accept, timeouts.pdu)
        .await
        .map_err(|_| End::Disconnected)?;
    Ok((agreement, slot))
}

/// A stranger who says nothing in time is hung up on without a word (PS3.8 table 9-10, AA-2).
fn read_request(read: Result<Pdu, TransportError>) -> Result<AssociateRq, End> {
    match read {
        Ok(Pdu::AssociateRq(request)) => Ok(request),
        Ok(Pdu::Abort(abort)) => Err(End::AbortedByPeer(abort)),
        Ok(pdu) => Err(unexpected(&pdu)),
        Err(TransportError::TimedOut) => Err(End::Disconnected),
        Err(error) => Err(failed(&error)),
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
    if transport.send(&last.write(), timeouts.pdu).await.is_ok() {
        transport.linger(timeouts.artim).await;
    }
}

fn unexpected(pdu: &Pdu) -> End {
    End::Aborted(
        Abort::UnexpectedPdu,
        format!("{:?} out of place", pdu.kind()),
    )
}

fn failed(error: &TransportError) -> End {
    match error {
        TransportError::Pdu(pdu) => End::Aborted(pdu.abort(), pdu.to_string()),
        TransportError::TimedOut => End::Aborted(Abort::Unspecified, "nothing in time".to_owned()),
        TransportError::Closed | TransportError::Io(_) => End::Disconnected,
    }
}

/// An accepted association.
struct Association<'a> {
    shared: &'a Shared,
    agreement: Agreement,
    assembler: Assembler,
    stop: watch::Receiver<bool>,
}

impl<'a> Association<'a> {
    fn new(shared: &'a Shared, agreement: Agreement, stop: watch::Receiver<bool>) -> Self {
        let assembler = Assembler::new(shared.budget.clone(), shared.config.max_instance_bytes);
        Self {
            shared,
            agreement,
            assembler,
            stop,
        }
    }

    async fn serve<L: Link>(mut self, transport: &mut Transport<L>) -> End {
        loop {
            let values = match self.next(transport).await {
                Ok(values) => values,
                Err(end) => return end,
            };
            for value in values {
                if let Err(end) = self.take(transport, value).await {
                    return end;
                }
            }
        }
    }

    /// Waits for the next fragments, between messages for the end of the server too.
    async fn next<L: Link>(&mut self, transport: &mut Transport<L>) -> Result<Vec<DataValue>, End> {
        let idle = self.assembler.is_idle();
        let timeouts = &self.shared.config.timeouts;
        let start = if idle { timeouts.idle } else { timeouts.pdu };
        let patience = Patience {
            start,
            rest: timeouts.pdu,
        };
        let read = tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop), if idle => {
                return Err(End::Aborted(Abort::User, "the server shuts down".to_owned()));
            }
            read = transport.read(patience) => read,
        };
        match read {
            Ok(Pdu::Data(values)) => Ok(values),
            Ok(Pdu::ReleaseRq) if idle => Err(End::Released),
            Ok(Pdu::Abort(abort)) => Err(End::AbortedByPeer(abort)),
            Ok(pdu) => Err(unexpected(&pdu)),
            Err(error) => Err(failed(&error)),
        }
    }

    async fn take<L: Link>(
        &mut self,
        transport: &mut Transport<L>,
        value: DataValue,
    ) -> Result<(), End> {
        if self.context(value.context).is_none() {
            let reason = "a presentation context that was not accepted".to_owned();
            return Err(End::Aborted(Abort::InvalidParameter, reason));
        }
        let message = self.assembler.push(value);
        let message = message.map_err(|error| End::Aborted(Abort::User, error.to_string()))?;
        let Some(message) = message else {
            return Ok(());
        };
        let context = message.context;
        let Some(answer) = self.answer(message).await? else {
            return Ok(());
        };
        let pdus = command_pdus(context, answer, self.agreement.peer_max_pdu);
        let sent = transport.send(&pdus, self.shared.config.timeouts.pdu).await;
        sent.map_err(|error| failed(&error))
    }

    fn context(&self, id: u8) -> Option<&AcceptedContext> {
        self.agreement
            .contexts
            .iter()
            .find(|context| context.id == id)
    }

    /// The command set to answer with. C-CANCEL has none: what it would cancel is over.
    async fn answer(&self, message: Message) -> Result<Option<Vec<u8>>, End> {
        let Message {
            context,
            command,
            data_set,
        } = message;
        match command {
            Command::EchoRq(request) => Ok(Some(echo(request))),
            Command::StoreRq(request) => Ok(Some(self.store(context, request, data_set).await)),
            Command::CancelRq(_) => Ok(None),
            Command::Unserved(ref request) => Ok(command.write_refusal(request.status)),
            request => match request.write_refusal(Status::UNRECOGNIZED_OPERATION) {
                Some(refusal) => Ok(Some(refusal)),
                None => {
                    let reason = "a response to nothing that we asked".to_owned();
                    Err(End::Aborted(Abort::User, reason))
                }
            },
        }
    }

    async fn store(&self, context: u8, request: StoreRq, data_set: Received) -> Vec<u8> {
        let status = self.store_status(context, &request, data_set).await;
        let response = Response {
            request_id: request.message_id,
            sop_class: Some(request.sop_class),
            status,
            data_set: DataSet::Absent,
        };
        let sop_instance = Some(request.sop_instance);
        Command::StoreRsp(InstanceResponse {
            response,
            sop_instance,
        })
        .write()
    }

    async fn store_status(&self, context: u8, request: &StoreRq, data_set: Received) -> Status {
        let context = self.context(context);
        let Some(context) = context.filter(|context| context.abstract_syntax == request.sop_class)
        else {
            return Status::CLASS_NOT_SUPPORTED;
        };
        let (data_set, share) = match data_set {
            Received::Whole(data_set, share) => (data_set, share),
            Received::Dropped => return Status::OUT_OF_RESOURCES,
            Received::Nothing => return Status::CANNOT_UNDERSTAND,
        };
        let store = self.shared.handler.store(StoreRequest {
            calling_ae: self.agreement.calling_ae.clone(),
            affected_sop_class: request.sop_class.clone(),
            affected_sop_instance: request.sop_instance.clone(),
            transfer_syntax: context.transfer_syntax.clone(),
            data_set,
        });
        let stored = timeout(self.shared.config.timeouts.store, store).await;
        drop(share);
        stored.map_or(Status::OUT_OF_RESOURCES, super::StoreStatus::status)
    }
}

fn echo(request: EchoRq) -> Vec<u8> {
    let response = Response {
        request_id: request.message_id,
        sop_class: Some(request.sop_class),
        status: Status::SUCCESS,
        data_set: DataSet::Absent,
    };
    Command::EchoRsp(response).write()
}
