//! The requestor's part of the state machine in PS3.8 section 9.2.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use arno_dicom::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME};
use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Config, Event, Outgoing, Peer, Proposal, Role, ScuError, Security, Timeouts};
use crate::command::{Command, DataSet, EchoRq, MessageId, NotifyRq, Priority, Status, StoreRq};
use crate::dialogue::{AcceptedContext, Dialogue, DialogueError, answers_only, peer_max_pdu};
use crate::limits::MAX_CONTEXTS;
use crate::link::{Link, QuickAck};
use crate::pdu::{
    APPLICATION_CONTEXT, AssociateAc, AssociateRq, ContextOutcome, Pdu, ProposedContext,
    RoleSelection, RoleSupport, UserInformation,
};
use crate::transport::{Patience, Transport};
use crate::{Uid, classes};

/// An association that we asked for.
pub struct Association {
    dialogue: Dialogue<Box<dyn Link>>,
    timeouts: Timeouts,
    last_message: MessageId,
}

impl Association {
    /// Connects and agrees on presentation contexts.
    ///
    /// # Errors
    /// The peer cannot be reached or does not want to.
    pub async fn connect(
        peer: &Peer,
        config: &Config,
        proposals: &[Proposal],
    ) -> Result<Self, ScuError> {
        let usable = |proposal: &Proposal| !proposal.transfer_syntaxes.is_empty();
        if !(1..=MAX_CONTEXTS).contains(&proposals.len()) || !proposals.iter().all(usable) {
            return Err(ScuError::Proposals);
        }
        let link = within(config.timeouts.connect, "connecting", open(peer)).await?;
        // dcmtk's storescp, too, waits for our acknowledgement in the middle of its answers.
        let mut transport = Transport::new(link, config.max_pdu, QuickAck::On);
        let request = request(peer, config, proposals);
        let ask = async {
            let bytes = Pdu::AssociateRq(request).write();
            transport
                .send(bytes.as_slice(), config.timeouts.pdu)
                .await?;
            let patience = Patience {
                start: config.timeouts.associate,
                rest: config.timeouts.pdu,
            };
            transport.read(patience).await
        };
        let accept = match ask.await.map_err(|error| ended(error.into()))? {
            Pdu::AssociateAc(accept) => accept,
            Pdu::AssociateRj(reject) => return Err(ScuError::Rejected(reject)),
            Pdu::Abort(abort) => return Err(ended(DialogueError::Aborted(abort))),
            pdu => return Err(ended(DialogueError::Unexpected(pdu.kind()))),
        };
        let contexts = accepted_contexts(proposals, &accept);
        let most = peer_max_pdu(accept.user.max_pdu);
        let pdu_time = config.timeouts.pdu;
        Ok(Self {
            dialogue: Dialogue::new(transport, contexts, most, pdu_time, answers_only()),
            timeouts: config.timeouts,
            last_message: 0,
        })
    }

    /// The transfer syntaxes in which the peer takes a class.
    #[must_use]
    pub fn accepted(&self, class: &Uid) -> Vec<Uid> {
        let contexts = self.dialogue.contexts.iter();
        contexts
            .filter(|context| context.abstract_syntax == *class)
            .map(|context| context.transfer_syntax.clone())
            .collect()
    }

    /// C-ECHO.
    ///
    /// # Errors
    /// Verification was not accepted, or the association is over.
    pub async fn echo(&mut self) -> Result<Status, ScuError> {
        let sop_class = Uid::known(classes::VERIFICATION);
        let contexts = self.dialogue.contexts.iter();
        let context = contexts
            .filter(|context| context.abstract_syntax == sop_class)
            .map(|context| context.id)
            .next()
            .ok_or(ScuError::NotAccepted)?;
        let message_id = self.next_message();
        let command = Command::EchoRq(EchoRq {
            message_id,
            sop_class,
        });
        self.ask(context, message_id, &command, None).await
    }

    /// Sends an instance; what the peer made of it. Not within a time of its own: each PDU and the answer are.
    ///
    /// # Errors
    /// The transfer syntax was not accepted, or the association is over.
    pub async fn store(&mut self, instance: Outgoing) -> Result<Status, ScuError> {
        let context = self.context(&instance.sop_class, &instance.transfer_syntax)?;
        let message_id = self.next_message();
        let command = Command::StoreRq(StoreRq {
            message_id,
            sop_class: instance.sop_class,
            sop_instance: instance.sop_instance,
            priority: Priority::Medium,
            data_set: DataSet::Follows,
            origin: instance.origin,
        });
        self.ask(context, message_id, &command, Some(instance.data_set))
            .await
    }

    /// Sends a report; whether the peer took it.
    ///
    /// # Errors
    /// The transfer syntax was not accepted, or the association is over.
    pub async fn report(&mut self, event: Event) -> Result<Status, ScuError> {
        let context = self.context(&event.sop_class, &event.transfer_syntax)?;
        let message_id = self.next_message();
        let command = Command::EventReportRq(NotifyRq {
            message_id,
            sop_class: event.sop_class,
            sop_instance: event.sop_instance,
            type_id: event.type_id,
            data_set: DataSet::Follows,
        });
        self.ask(context, message_id, &command, Some(event.information))
            .await
    }

    /// Ends the association in good order. Dropping it instead closes the connection.
    ///
    /// # Errors
    /// The peer did not answer; it is over all the same.
    pub async fn release(mut self) -> Result<(), ScuError> {
        let transport = &mut self.dialogue.transport;
        let patience = Patience {
            start: self.timeouts.release,
            rest: self.timeouts.release,
        };
        let bye = async {
            let bytes = Pdu::ReleaseRq.write();
            transport
                .send(bytes.as_slice(), self.timeouts.release)
                .await?;
            transport.read(patience).await
        };
        match bye.await.map_err(|error| ended(error.into()))? {
            Pdu::ReleaseRp => Ok(()),
            pdu => Err(ended(DialogueError::Unexpected(pdu.kind()))),
        }
    }

    fn context(&self, class: &Uid, syntax: &Uid) -> Result<u8, ScuError> {
        let mut contexts = self.dialogue.contexts.iter();
        let found =
            contexts.find(|it| it.abstract_syntax == *class && it.transfer_syntax == *syntax);
        found.map(|it| it.id).ok_or(ScuError::NotAccepted)
    }

    fn next_message(&mut self) -> MessageId {
        self.last_message = self.last_message.wrapping_add(1);
        self.last_message
    }

    async fn ask(
        &mut self,
        context: u8,
        message_id: MessageId,
        command: &Command,
        data_set: Option<Bytes>,
    ) -> Result<Status, ScuError> {
        let asked = async {
            self.dialogue
                .send(context, command.write(), data_set)
                .await?;
            self.dialogue.next(self.timeouts.response).await
        };
        let answer = asked.await.map_err(ended)?.command;
        match answer.response() {
            Some(response) if response.request_id == message_id => Ok(response.status),
            _ => Err(ScuError::Ended("the answer to another question".to_owned())),
        }
    }
}

impl fmt::Debug for Association {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Association")
            .field("contexts", &self.dialogue.contexts)
            .finish_non_exhaustive()
    }
}

async fn open(peer: &Peer) -> Result<Box<dyn Link>, ScuError> {
    let (host, port) = (&peer.host, peer.port);
    let connected = TcpStream::connect((host.as_str(), port)).await;
    let stream = connected.map_err(|source| ScuError::Connect {
        host: host.clone(),
        port,
        source,
    })?;
    stream.prepare();
    match &peer.security {
        Security::Plain => Ok(Box::new(stream)),
        Security::Tls(tls) => {
            let name = tls
                .name(host)
                .ok_or_else(|| ScuError::HostName(host.clone()))?;
            let secured = tls.connect(name, stream).await;
            let stream = secured.map_err(|source| ScuError::Tls {
                host: host.clone(),
                port,
                source,
            })?;
            Ok(Box::new(stream))
        }
    }
}

async fn within<T>(
    patience: Duration,
    what: &'static str,
    work: impl Future<Output = Result<T, ScuError>>,
) -> Result<T, ScuError> {
    let done = timeout(patience, work).await;
    done.unwrap_or(Err(ScuError::TimedOut(what)))
}

fn ended(error: DialogueError) -> ScuError {
    ScuError::Ended(error.to_string())
}

/// Contexts are numbered 1, 3, 5 … in the order of the proposals.
fn numbered(proposals: &[Proposal]) -> impl Iterator<Item = (u8, &Proposal)> {
    (1..=u8::MAX).step_by(2).zip(proposals)
}

fn request(peer: &Peer, config: &Config, proposals: &[Proposal]) -> AssociateRq {
    let contexts = numbered(proposals).map(|(id, proposal)| ProposedContext {
        id,
        abstract_syntax: proposal.sop_class.clone(),
        transfer_syntaxes: proposal.transfer_syntaxes.clone(),
    });
    let reversed = proposals.iter().filter(|it| it.role == Role::Scp);
    let roles = reversed.map(|proposal| RoleSelection {
        sop_class: proposal.sop_class.clone(),
        scu: RoleSupport::No,
        scp: RoleSupport::Yes,
    });
    AssociateRq {
        protocol_version: 1,
        called_ae: peer.ae_title.clone(),
        calling_ae: config.calling_ae.clone(),
        application_context: Uid::known(APPLICATION_CONTEXT),
        contexts: contexts.collect(),
        user: UserInformation {
            max_pdu: config.max_pdu,
            implementation_class: Some(Uid::known(IMPLEMENTATION_CLASS_UID)),
            implementation_version: Some(IMPLEMENTATION_VERSION_NAME.into()),
            roles: roles.collect(),
            extended: Vec::new(),
        },
    }
}

/// Of what the peer accepted, what we proposed.
fn accepted_contexts(proposals: &[Proposal], accept: &AssociateAc) -> Vec<AcceptedContext> {
    let accepted = |id: u8| {
        let mut results = accept.contexts.iter();
        results.find_map(|result| match &result.outcome {
            ContextOutcome::Accepted(syntax) if result.id == id => Some(syntax.clone()),
            _ => None,
        })
    };
    let contexts = numbered(proposals).filter_map(|(id, proposal)| {
        let transfer_syntax = accepted(id)?;
        let proposed = proposal.transfer_syntaxes.contains(&transfer_syntax);
        proposed.then(|| AcceptedContext {
            id,
            abstract_syntax: proposal.sop_class.clone(),
            transfer_syntax,
            peer_stores: true,
        })
    });
    contexts.collect()
}
