//! DIMSE command sets as typed structs (PS3.7 sections 9.3 and 10.3, tables 9.3-1 to 10.3-6): what a message asks for or
//! answers. Command sets are implicit VR little endian in group 0000, whatever the presentation context.
//!
//! The services that are not served yet are read and written too; which ones are served is decided in
//! [`scp`](crate::scp).

mod elements;
mod read;
mod write;

use crate::{AeTitle, Uid};

/// Links a response to its request.
pub type MessageId = u16;

/// Whether a data set follows the command set: (0000,0800).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataSet {
    /// 0101H
    Absent,
    /// Any other value.
    Follows,
}

/// (0000,0700).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// 2
    Low,
    /// 0, and any value that is not in the standard.
    Medium,
    /// 1
    High,
}

/// A command set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// C-ECHO-RQ
    EchoRq(EchoRq),
    /// C-ECHO-RSP
    EchoRsp(Response),
    /// C-STORE-RQ
    StoreRq(StoreRq),
    /// C-STORE-RSP
    StoreRsp(InstanceResponse),
    /// C-FIND-RQ
    FindRq(QueryRq),
    /// C-FIND-RSP
    FindRsp(Response),
    /// C-GET-RQ
    GetRq(QueryRq),
    /// C-GET-RSP
    GetRsp(RetrieveResponse),
    /// C-MOVE-RQ
    MoveRq(MoveRq),
    /// C-MOVE-RSP
    MoveRsp(RetrieveResponse),
    /// C-CANCEL-RQ
    CancelRq(CancelRq),
    /// N-EVENT-REPORT-RQ
    EventReportRq(NotifyRq),
    /// N-EVENT-REPORT-RSP
    EventReportRsp(NotifyResponse),
    /// N-ACTION-RQ
    ActionRq(NotifyRq),
    /// N-ACTION-RSP
    ActionRsp(NotifyResponse),
    /// A request that is to be answered with a failure.
    Unserved(Unserved),
}

/// C-ECHO-RQ (PS3.7 table 9.3-12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EchoRq {
    /// (0000,0110)
    pub message_id: MessageId,
    /// (0000,0002), Verification.
    pub sop_class: Uid,
}

/// C-STORE-RQ (PS3.7 table 9.3-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreRq {
    /// (0000,0110)
    pub message_id: MessageId,
    /// (0000,0002)
    pub sop_class: Uid,
    /// (0000,1000)
    pub sop_instance: Uid,
    /// (0000,0700)
    pub priority: Priority,
    /// Always follows in a legal request.
    pub data_set: DataSet,
    /// The C-MOVE that this is a part of.
    pub origin: Option<MoveOrigin>,
}

/// Who asked for a C-MOVE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveOrigin {
    /// (0000,1030)
    pub ae_title: AeTitle,
    /// (0000,1031)
    pub message_id: MessageId,
}

/// C-FIND-RQ and C-GET-RQ (PS3.7 tables 9.3-3 and 9.3-6); the question itself is in the data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryRq {
    /// (0000,0110)
    pub message_id: MessageId,
    /// (0000,0002)
    pub sop_class: Uid,
    /// (0000,0700)
    pub priority: Priority,
    /// Always follows in a legal request.
    pub data_set: DataSet,
}

/// C-MOVE-RQ (PS3.7 table 9.3-9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveRq {
    /// As in C-GET.
    pub query: QueryRq,
    /// (0000,0600): whom to send to.
    pub destination: AeTitle,
}

/// C-CANCEL-RQ (PS3.7 table 9.3-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelRq {
    /// (0000,0120): the request to give up.
    pub request_id: MessageId,
}

/// N-EVENT-REPORT-RQ and N-ACTION-RQ (PS3.7 tables 10.3-1 and 10.3-7), as in storage commitment (PS3.4 annex J).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyRq {
    /// (0000,0110)
    pub message_id: MessageId,
    /// (0000,0002) or (0000,0003)
    pub sop_class: Uid,
    /// (0000,1000) or (0000,1001)
    pub sop_instance: Uid,
    /// (0000,1002) event type or (0000,1008) action type.
    pub type_id: u16,
    /// Depends on the type.
    pub data_set: DataSet,
}

/// What all responses have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// (0000,0120)
    pub request_id: MessageId,
    /// (0000,0002), optional.
    pub sop_class: Option<Uid>,
    /// (0000,0900)
    pub status: Status,
    /// An identifier with a C-FIND match, a list with a failed C-MOVE.
    pub data_set: DataSet,
}

/// C-STORE-RSP (PS3.7 table 9.3-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceResponse {
    /// What all have.
    pub response: Response,
    /// (0000,1000), optional.
    pub sop_instance: Option<Uid>,
}

/// N-EVENT-REPORT-RSP and N-ACTION-RSP (PS3.7 tables 10.3-2 and 10.3-8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyResponse {
    /// What all have.
    pub response: Response,
    /// (0000,1000), optional.
    pub sop_instance: Option<Uid>,
    /// (0000,1002) or (0000,1008), optional.
    pub type_id: Option<u16>,
}

/// C-GET-RSP and C-MOVE-RSP (PS3.7 tables 9.3-7 and 9.3-10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrieveResponse {
    /// What all have.
    pub response: Response,
    /// The counts, each absent where the standard says so.
    pub progress: Progress,
}

/// Numbers of C-STORE sub-operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// (0000,1020)
    pub remaining: Option<u16>,
    /// (0000,1021)
    pub completed: Option<u16>,
    /// (0000,1022)
    pub failed: Option<u16>,
    /// (0000,1023)
    pub warning: Option<u16>,
}

/// A request of a service that we do not know, or one whose fields are wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unserved {
    /// (0000,0100) of the request.
    pub field: u16,
    /// (0000,0110)
    pub message_id: MessageId,
    /// (0000,0002) or (0000,0003), if it is a UID.
    pub sop_class: Option<Uid>,
    /// It has to be read and dropped.
    pub data_set: DataSet,
    /// What to answer.
    pub status: Status,
}

/// (0000,0900), PS3.7 annex C and the services in PS3.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub u16);

impl Status {
    /// Done.
    pub const SUCCESS: Self = Self(0x0000);
    /// Processing failure (PS3.7 section C.5.6).
    pub const PROCESSING_FAILURE: Self = Self(0x0110);
    /// Invalid argument value (PS3.7 section C.5.3).
    pub const INVALID_ARGUMENT: Self = Self(0x0115);
    /// Missing attribute (PS3.7 section C.5.7).
    pub const MISSING_ATTRIBUTE: Self = Self(0x0120);
    /// The SOP class is not that of the presentation context (PS3.7 section C.5.20).
    pub const CLASS_NOT_SUPPORTED: Self = Self(0x0122);
    /// Refused: not authorized (PS3.7 section C.5.21).
    pub const NOT_AUTHORIZED: Self = Self(0x0124);
    /// Unrecognized operation (PS3.7 section C.5.25).
    pub const UNRECOGNIZED_OPERATION: Self = Self(0x0211);
    /// C-STORE: out of resources (PS3.4 table B.2-1).
    pub const OUT_OF_RESOURCES: Self = Self(0xA700);
    /// C-STORE: data set does not match SOP class (PS3.4 table B.2-1).
    pub const DATA_SET_MISMATCH: Self = Self(0xA900);
    /// C-STORE: cannot understand (PS3.4 table B.2-1); queries: unable to process.
    pub const CANNOT_UNDERSTAND: Self = Self(0xC000);
    /// No such action type (PS3.7 section C.5.17).
    pub const NO_SUCH_ACTION: Self = Self(0x0123);
    /// No such SOP instance (PS3.7 section C.5.19).
    pub const NO_SUCH_INSTANCE: Self = Self(0x0112);
    /// Resource limitation (PS3.7 section C.5.23).
    pub const RESOURCE_LIMITATION: Self = Self(0x0213);
    /// C-MOVE, C-GET: unable to calculate the number of matches (PS3.4 table C.4-2).
    pub const NO_MATCHES_CALCULATED: Self = Self(0xA701);
    /// C-MOVE, C-GET: unable to perform sub-operations (PS3.4 table C.4-2).
    pub const NO_SUB_OPERATIONS: Self = Self(0xA702);
    /// C-MOVE: destination unknown (PS3.4 table C.4-2).
    pub const MOVE_DESTINATION_UNKNOWN: Self = Self(0xA801);
    /// C-MOVE, C-GET: some sub-operations failed or gave a warning (PS3.4 table C.4-2).
    pub const SOME_FAILED: Self = Self(0xB000);
    /// Cancelled by the peer.
    pub const CANCELLED: Self = Self(0xFE00);
    /// More answers follow.
    pub const PENDING: Self = Self(0xFF00);

    /// Whether the operation was done with a warning: 0001H, 0107H, 0116H and BxxxH (PS3.7 section C.3).
    #[must_use]
    pub fn is_warning(self) -> bool {
        matches!(self.0, 0x0001 | 0x0107 | 0x0116 | 0xB000..=0xBFFF)
    }
}

/// Why bytes are not a command set. Positions count from its first byte. After one of these the peer cannot be
/// answered, so the association is aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// An element reaches past the end.
    #[error("an element at byte {at} reaches past the end of the command set")]
    Short {
        /// Position.
        at: usize,
    },
    /// An element of another group.
    #[error("the element at byte {at} is not of group 0000")]
    Group {
        /// Position.
        at: usize,
    },
    /// More elements than [`limits::MAX_COMMAND_ELEMENTS`](crate::limits::MAX_COMMAND_ELEMENTS).
    #[error("too many elements")]
    TooMany,
    /// A required element is absent or has the wrong form.
    #[error("element (0000,{0:04X}) is missing or has the wrong form")]
    Element(u16),
    /// A response of a service that we do not use.
    #[error("response {0:#06x} to nothing that we asked")]
    UnknownResponse(u16),
}

/// Element numbers in group 0000 (PS3.7 annex E).
mod element {
    pub(super) const GROUP_LENGTH: u16 = 0x0000;
    pub(super) const AFFECTED_SOP_CLASS: u16 = 0x0002;
    pub(super) const REQUESTED_SOP_CLASS: u16 = 0x0003;
    pub(super) const COMMAND_FIELD: u16 = 0x0100;
    pub(super) const MESSAGE_ID: u16 = 0x0110;
    pub(super) const RESPONDED_MESSAGE_ID: u16 = 0x0120;
    pub(super) const MOVE_DESTINATION: u16 = 0x0600;
    pub(super) const PRIORITY: u16 = 0x0700;
    pub(super) const DATA_SET_TYPE: u16 = 0x0800;
    pub(super) const STATUS: u16 = 0x0900;
    pub(super) const AFFECTED_SOP_INSTANCE: u16 = 0x1000;
    pub(super) const REQUESTED_SOP_INSTANCE: u16 = 0x1001;
    pub(super) const EVENT_TYPE: u16 = 0x1002;
    pub(super) const ACTION_TYPE: u16 = 0x1008;
    pub(super) const REMAINING: u16 = 0x1020;
    pub(super) const COMPLETED: u16 = 0x1021;
    pub(super) const FAILED: u16 = 0x1022;
    pub(super) const WARNING: u16 = 0x1023;
    pub(super) const MOVE_ORIGINATOR: u16 = 0x1030;
    pub(super) const MOVE_ORIGINATOR_MESSAGE_ID: u16 = 0x1031;
}

/// Values of (0000,0100) (PS3.7 annex E.1).
mod field {
    pub(super) const STORE: u16 = 0x0001;
    pub(super) const GET: u16 = 0x0010;
    pub(super) const FIND: u16 = 0x0020;
    pub(super) const MOVE: u16 = 0x0021;
    pub(super) const ECHO: u16 = 0x0030;
    pub(super) const EVENT_REPORT: u16 = 0x0100;
    pub(super) const ACTION: u16 = 0x0130;
    pub(super) const CANCEL: u16 = 0x0FFF;
    /// Set in responses.
    pub(super) const RESPONSE: u16 = 0x8000;
}

/// (0000,0800) when no data set follows.
const NO_DATA_SET: u16 = 0x0101;

impl Command {
    /// What all responses have, if it is one.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        match self {
            Self::EchoRsp(response) | Self::FindRsp(response) => Some(response),
            Self::StoreRsp(answer) => Some(&answer.response),
            Self::GetRsp(answer) | Self::MoveRsp(answer) => Some(&answer.response),
            Self::EventReportRsp(answer) | Self::ActionRsp(answer) => Some(&answer.response),
            _ => None,
        }
    }

    /// Whether a data set follows.
    #[must_use]
    pub fn data_set(&self) -> DataSet {
        match self {
            Self::EchoRq(_) | Self::CancelRq(_) => DataSet::Absent,
            Self::StoreRq(request) => request.data_set,
            Self::FindRq(request) | Self::GetRq(request) => request.data_set,
            Self::MoveRq(request) => request.query.data_set,
            Self::EventReportRq(request) | Self::ActionRq(request) => request.data_set,
            Self::EchoRsp(response) | Self::FindRsp(response) => response.data_set,
            Self::StoreRsp(answer) => answer.response.data_set,
            Self::GetRsp(answer) | Self::MoveRsp(answer) => answer.response.data_set,
            Self::EventReportRsp(answer) | Self::ActionRsp(answer) => answer.response.data_set,
            Self::Unserved(request) => request.data_set,
        }
    }
}
