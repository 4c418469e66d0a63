//! Storage commitment, push model (PS3.4 annex J): N-ACTION asks, N-EVENT-REPORT answers, in the same association if it
//! is still there, or else in one of our own to the peer of that title (section J.3.3).
//!
//! Reports are kept in memory: what is not delivered when the program ends is lost, and the peer asks again.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::association::{Association, End};
use super::dispatch::{Asked, Served};
use super::operation::{Watch, finish};
use super::server::Shared;
use crate::command::{Command, DataSet, MessageId, NotifyResponse, NotifyRq, Response, Status};
use crate::limits::MAX_COMMITMENTS;
use crate::link::Link;
use crate::scu::{self, Event, Proposal, Role, ScuError};
use crate::{AeTitle, Uid, classes};

/// Action type "request storage commitment".
const REQUEST_COMMITMENT: u16 = 1;
/// How often, and after what pause, a report is tried to be delivered in an association of our own. The peer may be at
/// its limit; one that is switched off asks again later.
const DELIVERY_ATTEMPTS: usize = 3;
const DELIVERY_PAUSE: Duration = Duration::from_secs(20);

/// A request to commit to instances.
#[derive(Clone)]
pub struct CommitRequest {
    /// Who asks.
    pub calling_ae: AeTitle,
    /// Of the information, and of the report too.
    pub transfer_syntax: Uid,
    /// Transaction UID and referenced instances, a data set (PS3.4 table J.3-1).
    pub information: Bytes,
}

/// Does not show the information: it names instances.
impl fmt::Debug for CommitRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommitRequest")
            .field("calling_ae", &self.calling_ae)
            .field("information_bytes", &self.information.len())
            .finish_non_exhaustive()
    }
}

/// What became of it.
#[derive(Clone)]
pub struct CommitReport {
    /// Which kind of report.
    pub outcome: CommitOutcome,
    /// Transaction UID and instances, a data set in the transfer syntax of the request (PS3.4 table J.3-2).
    pub information: Bytes,
}

/// Event types (PS3.4 section J.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitOutcome {
    /// 1: all instances are committed.
    AllCommitted,
    /// 2: some are not; the information says which and why.
    SomeFailed,
}

/// Why a request is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitRefusal {
    /// 0110H: the information cannot be parsed, or anything else.
    Failed,
    /// 0115H: the information lacks something.
    InvalidArgument,
    /// 0124H: this caller may not ask this.
    Refused,
    /// 0213H: try again later.
    OutOfResources,
}

impl CommitOutcome {
    fn type_id(self) -> u16 {
        match self {
            Self::AllCommitted => 1,
            Self::SomeFailed => 2,
        }
    }
}

impl CommitRefusal {
    fn status(self) -> Status {
        match self {
            Self::Failed => Status::PROCESSING_FAILURE,
            Self::InvalidArgument => Status::INVALID_ARGUMENT,
            Self::Refused => Status::NOT_AUTHORIZED,
            Self::OutOfResources => Status::RESOURCE_LIMITATION,
        }
    }
}

type Reporting = Pin<Box<dyn Future<Output = CommitReport> + Send>>;
type Taking = Pin<Box<dyn Future<Output = Result<Reporting, CommitRefusal>> + Send>>;

/// Takes requests. The first future says quickly whether the request can be taken; the one that it gives looks whether
/// the instances are safe, which may take its time.
pub struct CommitHandler(Box<dyn Fn(CommitRequest) -> Taking + Send + Sync>);

impl CommitHandler {
    /// Wraps an async closure that gives a future.
    pub fn new<F, S, R>(take: F) -> Self
    where
        F: Fn(CommitRequest) -> S + Send + Sync + 'static,
        S: Future<Output = Result<R, CommitRefusal>> + Send + 'static,
        R: Future<Output = CommitReport> + Send + 'static,
    {
        Self(Box::new(move |request| {
            let taking = take(request);
            Box::pin(async { Ok(Box::pin(taking.await?) as Reporting) })
        }))
    }
}

impl fmt::Debug for CommitHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommitHandler")
    }
}

/// A report that is ready.
pub(crate) struct Ready {
    context: u8,
    transfer_syntax: Uid,
    report: CommitReport,
}

/// The commitments of one association.
#[derive(Default)]
pub(crate) struct Commitments {
    /// Futures of the handler; nothing if one took too long.
    running: JoinSet<Option<Ready>>,
    /// The report that the peer has not answered yet: one at a time.
    sent: Option<(MessageId, Ready)>,
}

impl Commitments {
    fn is_empty(&self) -> bool {
        self.running.is_empty() && self.sent.is_none()
    }

    /// The next report to send; never while one is not answered. Dropping the future loses nothing.
    pub(super) async fn ready(&mut self) -> Ready {
        if self.sent.is_none() {
            while let Some(joined) = self.running.join_next().await {
                match joined {
                    Ok(Some(ready)) => return ready,
                    Ok(None) => tracing::warn!("storage commitment was not found out in time"),
                    Err(error) => tracing::error!(%error, "storage commitment was not found out"),
                }
            }
        }
        std::future::pending().await
    }
}

impl<L: Link> Association<'_, L> {
    /// Takes a request and answers whether it was taken; the report comes later.
    pub(super) async fn commit(&mut self, request: &NotifyRq, asked: Asked) -> Result<Served, End> {
        let context = asked.context;
        let status = if request.sop_instance.as_str() != classes::STORAGE_COMMITMENT_INSTANCE {
            Status::NO_SUCH_INSTANCE
        } else if request.type_id != REQUEST_COMMITMENT {
            Status::NO_SUCH_ACTION
        } else {
            self.take_commitment(request, asked).await?
        };
        let answer = Command::ActionRsp(NotifyResponse {
            response: Response {
                request_id: request.message_id,
                sop_class: Some(request.sop_class.clone()),
                status,
                data_set: DataSet::Absent,
            },
            sop_instance: Some(request.sop_instance.clone()),
            type_id: Some(request.type_id),
        });
        self.peer.send(context, answer.write(), None).await?;
        Ok(Served::Done)
    }

    async fn take_commitment(&mut self, request: &NotifyRq, asked: Asked) -> Result<Status, End> {
        let Some(handler) = &self.shared.services.commit else {
            return Ok(Status::UNRECOGNIZED_OPERATION);
        };
        let outstanding =
            self.commitments.running.len() + usize::from(self.commitments.sent.is_some());
        if outstanding >= MAX_COMMITMENTS {
            return Ok(Status::RESOURCE_LIMITATION);
        }
        let timeouts = self.shared.config.timeouts;
        let (context, transfer_syntax) = (asked.context, asked.transfer_syntax.clone());
        let wanted = CommitRequest {
            calling_ae: self.calling_ae.clone(),
            transfer_syntax: asked.transfer_syntax.clone(),
            information: asked.data_set.clone(),
        };
        let mut watch = Watch::new(request.message_id);
        let taking = timeout(timeouts.answer, (handler.0)(wanted));
        let taken = finish(&mut self.peer, &mut watch, pin!(taking)).await?;
        let reporting = match taken {
            Ok(Ok(reporting)) => reporting,
            Ok(Err(refusal)) => return Ok(refusal.status()),
            Err(_) => return Ok(Status::RESOURCE_LIMITATION),
        };
        self.commitments.running.spawn(async move {
            let report = timeout(timeouts.report, reporting).await.ok()?;
            Some(Ready {
                context,
                transfer_syntax,
                report,
            })
        });
        Ok(Status::SUCCESS)
    }

    /// Sends a report in this association; its answer comes as any message does.
    pub(super) async fn send_report(&mut self, ready: Ready) -> Result<(), End> {
        self.sent += 1;
        let (message_id, context) = (self.sent, ready.context);
        let command = Command::EventReportRq(NotifyRq {
            message_id,
            sop_class: Uid::known(classes::STORAGE_COMMITMENT),
            sop_instance: Uid::known(classes::STORAGE_COMMITMENT_INSTANCE),
            type_id: ready.report.outcome.type_id(),
            data_set: DataSet::Follows,
        });
        let information = ready.report.information.clone();
        self.commitments.sent = Some((message_id, ready));
        let sent = self.peer.send(context, command.write(), Some(information));
        Ok(sent.await?)
    }

    /// Takes the answer to a report; whether it is one.
    pub(super) fn report_answered(&mut self, response: &Response) -> bool {
        let expected = |(id, _): &mut (MessageId, Ready)| *id == response.request_id;
        let answered = self.commitments.sent.take_if(expected).is_some();
        if answered && response.status != Status::SUCCESS {
            tracing::warn!(ae_title = %self.calling_ae, status = response.status.0, "a storage commitment report was refused");
        }
        answered
    }
}

/// After the association: delivers what is left in associations of our own.
pub(crate) async fn deliver(shared: &Shared, to: &AeTitle, mut commitments: Commitments) {
    if commitments.is_empty() {
        return;
    }
    let Some(peer) = shared.config.peer(to) else {
        tracing::warn!(ae_title = %to, "no address is configured to deliver storage commitment reports to");
        return;
    };
    let Some(_permit) = shared.delivery() else {
        tracing::warn!(ae_title = %to, "too many undelivered storage commitment reports, dropped some");
        return;
    };
    let unanswered = commitments.sent.take().map(|(_, ready)| ready);
    let mut left = commitments.running.len();
    if let Some(ready) = unanswered {
        deliver_one(shared, peer, &ready).await;
    }
    while left > 0 {
        left -= 1;
        if let Some(Ok(Some(ready))) = commitments.running.join_next().await {
            deliver_one(shared, peer, &ready).await;
        }
    }
}

async fn deliver_one(shared: &Shared, peer: &scu::Peer, ready: &Ready) {
    for attempt in 1..=DELIVERY_ATTEMPTS {
        match try_deliver(shared, peer, ready).await {
            Ok(Status::SUCCESS) => return,
            Ok(status) => {
                tracing::warn!(ae_title = %peer.ae_title, status = status.0, "a storage commitment report was refused");
                return;
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(ae_title = %peer.ae_title, attempt, error, "a storage commitment report was not delivered");
            }
        }
        if attempt < DELIVERY_ATTEMPTS {
            sleep(DELIVERY_PAUSE).await;
        }
    }
}

async fn try_deliver(shared: &Shared, peer: &scu::Peer, ready: &Ready) -> Result<Status, ScuError> {
    let sop_class = Uid::known(classes::STORAGE_COMMITMENT);
    let proposal = Proposal {
        sop_class: sop_class.clone(),
        transfer_syntaxes: vec![ready.transfer_syntax.clone()],
        role: Role::Scp,
    };
    let config = shared.config.scu();
    let mut association = scu::Association::connect(peer, &config, &[proposal]).await?;
    let status = association
        .report(Event {
            sop_class,
            sop_instance: Uid::known(classes::STORAGE_COMMITMENT_INSTANCE),
            type_id: ready.report.outcome.type_id(),
            transfer_syntax: ready.transfer_syntax.clone(),
            information: ready.report.information.clone(),
        })
        .await?;
    // The report has its answer already.
    let _ = association.release().await;
    Ok(status)
}
