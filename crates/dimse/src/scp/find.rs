//! C-FIND (PS3.4 section C.4.1, PS3.7 section 9.1.2): a question goes to the handler, its answers to the peer as they
//! come. Memory is bounded by the rows that are ahead of the peer, however many there are.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::association::{Association, End};
use super::dispatch::{Asked, Served};
use super::operation::{Watch, attend};
use super::service::{Extension, Model};
use crate::AeTitle;
use crate::Uid;
use crate::command::{Command, DataSet, QueryRq, Response, Status};
use crate::limits::MAX_ROWS_AHEAD;
use crate::link::Link;
use crate::pdu::MessagePart;

/// A question.
#[derive(Clone)]
pub struct FindRequest {
    /// Who asks.
    pub calling_ae: AeTitle,
    /// Below which root.
    pub model: Model,
    /// Of the identifier, and of the answers too: implicit or explicit VR little endian.
    pub transfer_syntax: Uid,
    /// What was agreed on beyond the baseline.
    pub extensions: Vec<Extension>,
    /// What is asked, a data set.
    pub identifier: Bytes,
}

/// Does not show the identifier: it names a patient.
impl fmt::Debug for FindRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FindRequest")
            .field("calling_ae", &self.calling_ae)
            .field("model", &self.model)
            .field("transfer_syntax", &self.transfer_syntax)
            .field("extensions", &self.extensions)
            .field("identifier_bytes", &self.identifier.len())
            .finish()
    }
}

/// Why there are no answers, or no more. Also for retrievals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryFailure {
    /// A700H, in a retrieval A701H: try again later.
    OutOfResources,
    /// A900H: the identifier lacks a key, has one too many, or the wrong level.
    IdentifierMismatch,
    /// C000H: the identifier cannot be parsed, or anything else.
    UnableToProcess,
    /// 0124H: this caller may not ask this.
    Refused,
}

impl QueryFailure {
    fn status(self) -> Status {
        match self {
            Self::OutOfResources => Status::OUT_OF_RESOURCES,
            Self::IdentifierMismatch => Status::DATA_SET_MISMATCH,
            Self::UnableToProcess => Status::CANNOT_UNDERSTAND,
            Self::Refused => Status::NOT_AUTHORIZED,
        }
    }

    pub(super) fn retrieve_status(self) -> Status {
        match self {
            Self::OutOfResources => Status::NO_MATCHES_CALCULATED,
            other => other.status(),
        }
    }
}

/// Where a handler puts its answers.
#[derive(Debug, Clone)]
pub struct Answers(mpsc::Sender<Bytes>);

/// The peer cancelled, or is gone: no further answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the peer wants no further answers")]
pub struct NotWanted;

impl Answers {
    /// Gives an answer: an identifier in the transfer syntax of the request. Waits while the peer is behind.
    ///
    /// # Errors
    /// No further answer is wanted.
    pub async fn send(&self, identifier: Bytes) -> Result<(), NotWanted> {
        self.0.send(identifier).await.map_err(|_| NotWanted)
    }

    /// The same from a thread that may block.
    ///
    /// # Errors
    /// No further answer is wanted.
    pub fn send_blocking(&self, identifier: Bytes) -> Result<(), NotWanted> {
        self.0.blocking_send(identifier).map_err(|_| NotWanted)
    }
}

type Finding = Pin<Box<dyn Future<Output = Result<(), QueryFailure>> + Send>>;

/// Answers questions. Called by many associations at a time. Its future is dropped when the peer cancels, or when no
/// answer comes in time. The query is over when it has ended and every clone of [`Answers`] is dropped.
pub struct FindHandler {
    find: Box<dyn Fn(FindRequest, Answers) -> Finding + Send + Sync>,
    extensions: Vec<Extension>,
}

impl FindHandler {
    /// Wraps an async closure.
    pub fn new<F, S>(find: F) -> Self
    where
        F: Fn(FindRequest, Answers) -> S + Send + Sync + 'static,
        S: Future<Output = Result<(), QueryFailure>> + Send + 'static,
    {
        Self {
            find: Box::new(move |request, answers| Box::pin(find(request, answers))),
            extensions: Vec::new(),
        }
    }

    /// Offers extensions to callers that propose them.
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
}

impl fmt::Debug for FindHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FindHandler")
    }
}

/// What came next from the handler.
enum Next {
    Rows(Vec<Bytes>),
    Ended(Status),
}

impl<L: Link> Association<'_, L> {
    /// Serves a question to its last answer.
    pub(super) async fn find(
        &mut self,
        request: &QueryRq,
        model: Model,
        asked: Asked,
    ) -> Result<Served, End> {
        let Some(handler) = &self.shared.services.find else {
            return Ok(Served::Refused(Status::UNRECOGNIZED_OPERATION));
        };
        let context = asked.context;
        let question = FindRequest {
            calling_ae: self.calling_ae.clone(),
            model,
            transfer_syntax: asked.transfer_syntax.clone(),
            extensions: asked.extensions.clone(),
            identifier: asked.data_set.clone(),
        };
        let (sender, mut rows) = mpsc::channel(MAX_ROWS_AHEAD);
        let mut finding = Some((handler.find)(question, Answers(sender)));
        let mut watch = Watch::new(request.message_id);
        let patience = self.shared.config.timeouts.answer;
        let status = loop {
            let next = timeout(patience, next(&mut finding, &mut rows));
            match attend(&mut self.peer, &mut watch, pin!(next)).await? {
                None => break Status::CANCELLED,
                Some(Err(_)) => break Status::OUT_OF_RESOURCES,
                Some(Ok(Next::Ended(status))) => break status,
                Some(Ok(Next::Rows(rows))) => self.send_rows(context, request, rows).await?,
            }
        };
        let last = find_response(request, status, DataSet::Absent);
        self.peer.send(context, last, None).await?;
        Ok(Served::Done)
    }

    async fn send_rows(
        &mut self,
        context: u8,
        request: &QueryRq,
        rows: Vec<Bytes>,
    ) -> Result<(), End> {
        let command = Bytes::from(find_response(request, Status::PENDING, DataSet::Follows));
        let mut out = Vec::new();
        for row in rows {
            self.peer
                .write(&mut out, context, MessagePart::Command, command.clone());
            self.peer
                .write(&mut out, context, MessagePart::DataSet, row);
        }
        Ok(self.peer.flush(&out).await?)
    }
}

/// Rows, or the end. Dropping the future loses nothing: a handler that ended is taken out at once.
async fn next(finding: &mut Option<Finding>, rows: &mut mpsc::Receiver<Bytes>) -> Next {
    let mut batch = Vec::new();
    while let Some(running) = finding {
        tokio::select! {
            biased;
            1.. = rows.recv_many(&mut batch, MAX_ROWS_AHEAD) => return Next::Rows(batch),
            result = running => {
                *finding = None;
                if let Err(failure) = result {
                    return Next::Ended(failure.status());
                }
            }
        }
    }
    match rows.recv_many(&mut batch, MAX_ROWS_AHEAD).await {
        0 => Next::Ended(Status::SUCCESS),
        _ => Next::Rows(batch),
    }
}

fn find_response(request: &QueryRq, status: Status, data_set: DataSet) -> Vec<u8> {
    Command::FindRsp(Response {
        request_id: request.message_id,
        sop_class: Some(request.sop_class.clone()),
        status,
        data_set,
    })
    .write()
}
