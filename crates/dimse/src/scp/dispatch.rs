//! From a message to the service that it asks for (PS3.7 sections 9.1 and 10.1): C-ECHO and C-STORE are answered here, the
//! others where they are served, after their class, their right and their data set have been looked at.

use bytes::Bytes;
use tokio::time::timeout;

use super::association::{Association, End};
use super::service::{Extension, Purpose, Service};
use super::store::{StoreRequest, StoreStatus};
use crate::Uid;
use crate::budget::Share;
use crate::command::{Command, DataSet, EchoRq, InstanceResponse, Response, Status, StoreRq};
use crate::link::Link;
use crate::message::{Message, Received};
use crate::part10::DataSetWithRoom;
use crate::pdu::Abort;

/// A request for a service that takes time, with its data set.
pub(super) struct Asked {
    pub(super) context: u8,
    pub(super) transfer_syntax: Uid,
    pub(super) extensions: Vec<Extension>,
    pub(super) data_set: Bytes,
    purpose: Purpose,
    _share: Share,
}

/// What became of such a request.
pub(super) enum Served {
    /// It has its last answer.
    Done,
    /// It is still to be answered with this.
    Refused(Status),
}

impl<L: Link> Association<'_, L> {
    /// Serves a message. C-CANCEL has no answer: what it would cancel is over.
    pub(super) async fn answer(&mut self, message: Message) -> Result<(), End> {
        let Message {
            context,
            command,
            data_set,
        } = message;
        let answer = match command {
            Command::EchoRq(request) => Some(echo(request)),
            Command::StoreRq(request) => Some(self.store(context, request, data_set).await),
            Command::CancelRq(_) => None,
            Command::EventReportRsp(answer) if self.report_answered(&answer.response) => None,
            Command::Unserved(ref request) => command.write_refusal(request.status),
            command => match self.operate(context, &command, data_set).await? {
                Served::Done => None,
                Served::Refused(status) => Some(refuse(&command, status)?),
            },
        };
        match answer {
            Some(bytes) => Ok(self.peer.send(context, bytes, None).await?),
            None => Ok(()),
        }
    }

    async fn operate(
        &mut self,
        context: u8,
        command: &Command,
        data_set: Received,
    ) -> Result<Served, End> {
        let asked = match self.asked(context, command, data_set) {
            Ok(asked) => asked,
            Err(status) => return Ok(Served::Refused(status)),
        };
        match (command, asked.purpose) {
            (Command::FindRq(request), Purpose::Find(model)) => {
                self.find(request, model, asked).await
            }
            (Command::GetRq(request), Purpose::Get(model)) => self.get(request, model, asked).await,
            (Command::MoveRq(request), Purpose::Move(model)) => {
                self.move_to(request, model, asked).await
            }
            (Command::ActionRq(request), Purpose::Commit) => self.commit(request, asked).await,
            _ => Ok(Served::Refused(Status::UNRECOGNIZED_OPERATION)),
        }
    }

    /// What a request is about, once its class and data set are as they must be.
    fn asked(&self, context: u8, command: &Command, data_set: Received) -> Result<Asked, Status> {
        let class = command
            .requested_class()
            .ok_or(Status::UNRECOGNIZED_OPERATION)?;
        let accepted = self.peer.context(context);
        let accepted = accepted.filter(|it| it.abstract_syntax == *class);
        let accepted = accepted.ok_or(Status::CLASS_NOT_SUPPORTED)?;
        let purpose = Purpose::of(class, &self.shared.config);
        let extensions = self.extensions.iter().find(|(uid, _)| uid == class);
        let (data_set, share) = match data_set {
            Received::Whole(data_set, share) => (data_set, share),
            Received::Dropped => return Err(no_room(command)),
            Received::Nothing => return Err(Status::MISSING_ATTRIBUTE),
        };
        Ok(Asked {
            context,
            transfer_syntax: accepted.transfer_syntax.clone(),
            extensions: extensions.map_or_else(Vec::new, |(_, agreed)| agreed.clone()),
            data_set,
            purpose: purpose.ok_or(Status::CLASS_NOT_SUPPORTED)?,
            _share: share,
        })
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
        let context = self.peer.context(context);
        let Some(context) = context.filter(|it| it.abstract_syntax == request.sop_class) else {
            return Status::CLASS_NOT_SUPPORTED;
        };
        // A caller that may only retrieve has storage contexts too, to be sent instances in.
        if !self.allowed.contains(&Service::Store) {
            return Status::NOT_AUTHORIZED;
        }
        let (data_set, share) = match data_set {
            Received::Whole(data_set, share) => (data_set, share),
            Received::Dropped => return Status::OUT_OF_RESOURCES,
            Received::Nothing => return Status::CANNOT_UNDERSTAND,
        };
        let store = self.shared.services.store.store(StoreRequest {
            calling_ae: self.calling_ae.clone(),
            affected_sop_class: request.sop_class.clone(),
            affected_sop_instance: request.sop_instance.clone(),
            transfer_syntax: context.transfer_syntax.clone(),
            data_set: DataSetWithRoom::of(data_set),
        });
        let stored = timeout(self.shared.config.timeouts.store, store).await;
        drop(share);
        stored.map_or(Status::OUT_OF_RESOURCES, StoreStatus::status)
    }
}

fn no_room(command: &Command) -> Status {
    match command {
        Command::ActionRq(_) => Status::RESOURCE_LIMITATION,
        Command::GetRq(_) | Command::MoveRq(_) => Status::NO_MATCHES_CALCULATED,
        _ => Status::OUT_OF_RESOURCES,
    }
}

/// The refusal of a request; a response that we did not ask for has none.
fn refuse(command: &Command, status: Status) -> Result<Vec<u8>, End> {
    command.write_refusal(status).ok_or_else(|| {
        let reason = "a response to nothing that we asked".to_owned();
        End::Aborted(Abort::User, reason)
    })
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
