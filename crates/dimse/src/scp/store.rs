//! The meeting point of server and node: an instance that was received, and what became of it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::command::Status;
use crate::part10::DataSetWithRoom;
use crate::{AeTitle, Uid};

/// A received instance. What the command set says of it has not been compared with the data set.
#[derive(Clone)]
pub struct StoreRequest {
    /// Who sent it.
    pub calling_ae: AeTitle,
    /// SOP Class UID in the command set, the same as in the presentation context.
    pub affected_sop_class: Uid,
    /// SOP Instance UID in the command set.
    pub affected_sop_instance: Uid,
    /// How the data set is encoded.
    pub transfer_syntax: Uid,
    /// The data set as it came, without file meta information.
    pub data_set: DataSetWithRoom,
}

/// Does not show UIDs or the data set: they are patient data.
impl fmt::Debug for StoreRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreRequest")
            .field("calling_ae", &self.calling_ae)
            .field("affected_sop_class", &self.affected_sop_class)
            .field("transfer_syntax", &self.transfer_syntax)
            .field("data_set_bytes", &self.data_set.len())
            .finish_non_exhaustive()
    }
}

/// What became of an instance (PS3.4 table B.2-1, PS3.7 section 9.1.1.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreStatus {
    /// 0000H: it is durable; the sender may delete its own.
    Success,
    /// A700H: try again later.
    OutOfResources,
    /// A900H: the data set is not of the class or instance that the command set says.
    DataSetMismatch,
    /// C000H: the data set cannot be parsed.
    CannotUnderstand,
    /// 0124H: this sender may not store this.
    Refused,
    /// 0110H: anything else.
    Failed,
}

impl StoreStatus {
    /// The status on the wire.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::Success => Status::SUCCESS,
            Self::OutOfResources => Status::OUT_OF_RESOURCES,
            Self::DataSetMismatch => Status::DATA_SET_MISMATCH,
            Self::CannotUnderstand => Status::CANNOT_UNDERSTAND,
            Self::Refused => Status::NOT_AUTHORIZED,
            Self::Failed => Status::PROCESSING_FAILURE,
        }
    }
}

type Storing = Pin<Box<dyn Future<Output = StoreStatus> + Send>>;

/// Stores instances. Called by many associations at a time, by each for one instance after the other. Its future is
/// dropped when it takes too long, and the peer told to try again. The data set counts against the server's memory
/// until the future ends; what is kept longer is the handler's to bound.
pub struct StoreHandler(Box<dyn Fn(StoreRequest) -> Storing + Send + Sync>);

impl StoreHandler {
    /// Wraps an async closure.
    pub fn new<F, S>(store: F) -> Self
    where
        F: Fn(StoreRequest) -> S + Send + Sync + 'static,
        S: Future<Output = StoreStatus> + Send + 'static,
    {
        Self(Box::new(move |request| Box::pin(store(request))))
    }

    pub(crate) async fn store(&self, request: StoreRequest) -> StoreStatus {
        (self.0)(request).await
    }
}

impl fmt::Debug for StoreHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreHandler")
    }
}
