//! Retrieval (PS3.4 sections C.4.2 and C.4.3), what C-GET and C-MOVE have in common: the handler lists instances, and
//! gives their data sets one after the other, so that an association holds one at a time.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout};

use super::association::{Association, End};
use super::dispatch::Asked;
use super::find::QueryFailure;
use super::operation::{Watch, attend};
use super::service::{Extension, Model};
use super::suboperations::SubOperations;
use crate::command::{Command, DataSet, QueryRq, Response, RetrieveResponse, Status};
use crate::link::Link;
use crate::{AeTitle, Uid};

/// Pending answers keep a progress bar moving and a peer from giving up; more often they would cost as much as a small
/// instance.
const PENDING_EVERY: Duration = Duration::from_millis(250);

/// Which instances a peer wants.
#[derive(Clone)]
pub struct RetrieveRequest {
    /// Who asks.
    pub calling_ae: AeTitle,
    /// Where they are to go.
    pub target: Target,
    /// Below which root.
    pub model: Model,
    /// Of the identifier: implicit or explicit VR little endian.
    pub transfer_syntax: Uid,
    /// What was agreed on beyond the baseline.
    pub extensions: Vec<Extension>,
    /// The unique keys, a data set.
    pub identifier: Bytes,
}

/// Where instances go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// C-GET: to the one who asks.
    Caller,
    /// C-MOVE: to this peer, which is a configured one.
    Peer(AeTitle),
}

/// Does not show the identifier: it names a patient.
impl fmt::Debug for RetrieveRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetrieveRequest")
            .field("calling_ae", &self.calling_ae)
            .field("target", &self.target)
            .field("model", &self.model)
            .field("identifier_bytes", &self.identifier.len())
            .finish_non_exhaustive()
    }
}

/// An instance to send, as the handler has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Selected {
    /// SOP Class UID.
    pub sop_class: Uid,
    /// SOP Instance UID.
    pub sop_instance: Uid,
    /// How its data set is encoded where it lies.
    pub transfer_syntax: Uid,
    /// About how long its data set is: counted against the server's memory before it is opened.
    pub size_bytes: u64,
}

/// Does not show the instance's UID: it is patient data.
impl fmt::Debug for Selected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selected")
            .field("sop_class", &self.sop_class)
            .field("transfer_syntax", &self.transfer_syntax)
            .field("size_bytes", &self.size_bytes)
            .finish_non_exhaustive()
    }
}

/// Asks for the data set of an instance.
#[derive(Debug, Clone)]
pub struct OpenRequest {
    /// Which.
    pub instance: Selected,
    /// In one of these transfer syntaxes, at least one. The one that it has comes first if it is among them.
    pub accepted: Vec<Uid>,
}

/// A data set that is ready to be sent.
#[derive(Clone)]
pub struct Opened {
    /// One of those in the request.
    pub transfer_syntax: Uid,
    /// Without file meta information.
    pub data_set: Bytes,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("transfer_syntax", &self.transfer_syntax)
            .field("data_set_bytes", &self.data_set.len())
            .finish()
    }
}

/// The instance is gone, cannot be read, or cannot be given in any of the transfer syntaxes. It counts as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the instance cannot be given")]
pub struct NotOpened;

type Selecting = Pin<Box<dyn Future<Output = Result<Vec<Selected>, QueryFailure>> + Send>>;
type Opening = Pin<Box<dyn Future<Output = Result<Opened, NotOpened>> + Send>>;

/// Lists and opens instances. Called by many associations at a time, by each for one instance after the other.
pub struct RetrieveHandler {
    select: Box<dyn Fn(RetrieveRequest) -> Selecting + Send + Sync>,
    open: Box<dyn Fn(OpenRequest) -> Opening + Send + Sync>,
    extensions: Vec<Extension>,
}

impl RetrieveHandler {
    /// Wraps two async closures.
    pub fn new<F, S, G, O>(select: F, open: G) -> Self
    where
        F: Fn(RetrieveRequest) -> S + Send + Sync + 'static,
        S: Future<Output = Result<Vec<Selected>, QueryFailure>> + Send + 'static,
        G: Fn(OpenRequest) -> O + Send + Sync + 'static,
        O: Future<Output = Result<Opened, NotOpened>> + Send + 'static,
    {
        Self {
            select: Box::new(move |request| Box::pin(select(request))),
            open: Box::new(move |request| Box::pin(open(request))),
            extensions: Vec::new(),
        }
    }

    /// Offers extensions to callers that propose them; only [`Extension::Relational`] has a meaning here.
    #[must_use]
    pub fn with_extensions(self, extensions: &[Extension]) -> Self {
        Self {
            extensions: extensions.to_vec(),
            ..self
        }
    }

    pub(super) fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// Opens an instance in one of the accepted transfer syntaxes, its own preferred.
    pub(super) async fn open(
        &self,
        instance: Selected,
        mut accepted: Vec<Uid>,
    ) -> Result<Opened, NotOpened> {
        if accepted.is_empty() {
            return Err(NotOpened);
        }
        accepted.sort_by_key(|syntax| *syntax != instance.transfer_syntax);
        let request = OpenRequest { instance, accepted };
        (self.open)(request).await
    }
}

impl fmt::Debug for RetrieveHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RetrieveHandler")
    }
}

/// A retrieval on its way.
pub(super) struct Retrieval<'a> {
    pub(super) handler: &'a RetrieveHandler,
    pub(super) context: u8,
    pub(super) request: &'a QueryRq,
    pub(super) watch: Watch,
    pub(super) done: SubOperations,
    /// When the last pending answer was sent.
    told: Option<Instant>,
}

impl<'a> Retrieval<'a> {
    pub(super) fn new(handler: &'a RetrieveHandler, context: u8, request: &'a QueryRq) -> Self {
        Self {
            handler,
            context,
            request,
            watch: Watch::new(request.message_id),
            done: SubOperations::default(),
            told: None,
        }
    }

    fn response(&self, status: Status, data_set: DataSet) -> RetrieveResponse {
        RetrieveResponse {
            response: Response {
                request_id: self.request.message_id,
                sop_class: Some(self.request.sop_class.clone()),
                status,
                data_set,
            },
            progress: self.done.progress(status),
        }
    }
}

/// C-GET-RSP or C-MOVE-RSP.
pub(super) type Answer = fn(RetrieveResponse) -> Command;

impl<L: Link> Association<'_, L> {
    /// What the handler is asked for.
    pub(super) fn wanted(&self, asked: &Asked, model: Model, target: Target) -> RetrieveRequest {
        RetrieveRequest {
            calling_ae: self.calling_ae.clone(),
            target,
            model,
            transfer_syntax: asked.transfer_syntax.clone(),
            extensions: asked.extensions.clone(),
            identifier: asked.data_set.clone(),
        }
    }

    /// The handler's list, or the status if the retrieval is over before it began.
    pub(super) async fn select(
        &mut self,
        retrieval: &mut Retrieval<'_>,
        request: RetrieveRequest,
    ) -> Result<Result<Vec<Selected>, Status>, End> {
        let patience = self.shared.config.timeouts.answer;
        let select = timeout(patience, (retrieval.handler.select)(request));
        let selected = attend(&mut self.peer, &mut retrieval.watch, pin!(select)).await?;
        Ok(match selected {
            None => Err(Status::CANCELLED),
            Some(Err(_)) => Err(Status::NO_MATCHES_CALCULATED),
            Some(Ok(Err(failure))) => Err(failure.retrieve_status()),
            Some(Ok(Ok(instances))) => Ok(instances),
        })
    }

    /// Says how far it is, if that was not said just now.
    pub(super) async fn tell_progress(
        &mut self,
        retrieval: &mut Retrieval<'_>,
        answer: Answer,
    ) -> Result<(), End> {
        if retrieval
            .told
            .is_some_and(|told| told.elapsed() < PENDING_EVERY)
        {
            return Ok(());
        }
        retrieval.told = Some(Instant::now());
        let response = retrieval.response(Status::PENDING, DataSet::Absent);
        let command = answer(response).write();
        Ok(self.peer.send(retrieval.context, command, None).await?)
    }

    /// The last answer, with the instances that failed.
    pub(super) async fn conclude(
        &mut self,
        retrieval: &Retrieval<'_>,
        status: Status,
        answer: Answer,
    ) -> Result<(), End> {
        let syntax = self.peer.context(retrieval.context);
        let failed = syntax.and_then(|it| retrieval.done.failed_list(&it.transfer_syntax));
        let data_set = match failed {
            Some(_) => DataSet::Follows,
            None => DataSet::Absent,
        };
        let command = answer(retrieval.response(status, data_set)).write();
        Ok(self.peer.send(retrieval.context, command, failed).await?)
    }
}
