//! The seven protocol data units of the upper layer as types (PS3.8 section 9.3). Both directions are read and written,
//! so that tests and the requestor need no second codec.
//!
//! A PDU is read in two steps: [`PduHeader::read`] judges the declared length against a limit before anything is
//! allocated, then [`Pdu::read`] takes exactly that many bytes.

mod read;
mod write;

use bytes::Bytes;

pub(crate) use write::{VALUE_HEADER, data_header};

use crate::{AeTitle, Uid};

/// The one application context of DICOM (PS3.7 annex A).
pub const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";

/// What a PDU is, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PduKind {
    /// 01H
    AssociateRq,
    /// 02H
    AssociateAc,
    /// 03H
    AssociateRj,
    /// 04H
    Data,
    /// 05H
    ReleaseRq,
    /// 06H
    ReleaseRp,
    /// 07H
    Abort,
}

/// The first six bytes of a PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PduHeader {
    /// What follows.
    pub kind: PduKind,
    /// Bytes that follow, within the limit for that kind.
    pub length: u32,
}

/// A protocol data unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pdu {
    /// A peer asks for an association.
    AssociateRq(AssociateRq),
    /// It is accepted.
    AssociateAc(AssociateAc),
    /// It is rejected.
    AssociateRj(Reject),
    /// Fragments of messages.
    Data(Vec<DataValue>),
    /// A peer wants to end the association.
    ReleaseRq,
    /// It has ended.
    ReleaseRp,
    /// It is torn down.
    Abort(Abort),
}

/// A-ASSOCIATE-RQ (PS3.8 table 9-11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssociateRq {
    /// Bit 0 stands for version 1, the only one.
    pub protocol_version: u16,
    /// Whom the peer calls.
    pub called_ae: AeTitle,
    /// Who it says it is.
    pub calling_ae: AeTitle,
    /// [`APPLICATION_CONTEXT`], or something that we do not speak.
    pub application_context: Uid,
    /// 1 to 128 proposals with distinct odd numbers.
    pub contexts: Vec<ProposedContext>,
    /// What it says about itself.
    pub user: UserInformation,
}

/// A proposed presentation context: one abstract syntax in some transfer syntaxes, the preferred one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedContext {
    /// An odd number.
    pub id: u8,
    /// The SOP class.
    pub abstract_syntax: Uid,
    /// At least one.
    pub transfer_syntaxes: Vec<Uid>,
}

/// A-ASSOCIATE-AC (PS3.8 table 9-17).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssociateAc {
    /// As in the request.
    pub called_ae: AeTitle,
    /// As in the request.
    pub calling_ae: AeTitle,
    /// One answer for each proposal.
    pub contexts: Vec<ContextResult>,
    /// What we say about ourselves.
    pub user: UserInformation,
}

/// The answer to one proposed context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextResult {
    /// The proposal's number.
    pub id: u8,
    /// Accepted, or why not.
    pub outcome: ContextOutcome,
}

/// Result/Reason of a presentation context (PS3.8 table 9-18).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextOutcome {
    /// 0, with the transfer syntax to use.
    Accepted(Uid),
    /// 1
    UserRejection,
    /// 2
    NoReason,
    /// 3
    AbstractSyntaxNotSupported,
    /// 4
    TransferSyntaxesNotSupported,
}

/// The user information sub-items that we use (PS3.7 annex D.3.3). Asynchronous operations and user identity are
/// skipped: without an answer the defaults hold, which is one operation at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInformation {
    /// Longest P-DATA-TF the peer takes; 0 is no limit.
    pub max_pdu: u32,
    /// The implementation, if it says so as it must.
    pub implementation_class: Option<Uid>,
    /// Its version, 1 to 16 characters.
    pub implementation_version: Option<Box<str>>,
    /// Proposed or accepted roles.
    pub roles: Vec<RoleSelection>,
    /// Proposed or accepted extensions.
    pub extended: Vec<ExtendedNegotiation>,
}

/// SOP class extended negotiation (PS3.7 section D.3.3.5): what it means depends on the class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtendedNegotiation {
    /// The class.
    pub sop_class: Uid,
    /// Service-class-application-information, sharing the PDU's memory.
    pub information: Bytes,
}

/// SCP/SCU role selection for one SOP class (PS3.7 section D.3.3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSelection {
    /// The class.
    pub sop_class: Uid,
    /// The requestor acts as SCU.
    pub scu: RoleSupport,
    /// The requestor acts as SCP.
    pub scp: RoleSupport,
}

/// One half of a role selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleSupport {
    /// 0
    No,
    /// 1
    Yes,
}

/// A-ASSOCIATE-RJ: result, source and reason (PS3.8 table 9-21).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reject {
    /// The application context is not DICOM's: permanent, 1, 2.
    ApplicationContext,
    /// We do not know the caller: permanent, 1, 3.
    CallingAe,
    /// We are not whom it calls: permanent, 1, 7.
    CalledAe,
    /// Not version 1: permanent, 2, 2.
    ProtocolVersion,
    /// Too many associations: transient, 3, 2.
    LocalLimit,
    /// Any other, as received.
    Other {
        /// 1 permanent, 2 transient.
        result: u8,
        /// 1 to 3.
        source: u8,
        /// Depends on the source.
        reason: u8,
    },
}

/// A-ABORT: source and reason (PS3.8 table 9-26).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abort {
    /// 0, 0: by the application.
    User,
    /// 2, 0: by the provider, no reason given.
    Unspecified,
    /// 2, 1: a PDU type that does not exist.
    UnrecognizedPdu,
    /// 2, 2: a PDU out of place.
    UnexpectedPdu,
    /// 2, 6: a value that is illegal.
    InvalidParameter,
    /// Any other, as received.
    Other {
        /// 0 to 2.
        source: u8,
        /// Depends on the source.
        reason: u8,
    },
}

/// A presentation data value: a fragment of a command set or data set (PS3.8 annex E).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataValue {
    /// The presentation context.
    pub context: u8,
    /// Of what it is a part.
    pub part: MessagePart,
    /// Whether more fragments follow.
    pub position: FragmentPosition,
    /// The fragment, sharing the PDU's memory.
    pub bytes: Bytes,
}

/// Bit 0 of the message control header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessagePart {
    /// 1
    Command,
    /// 0
    DataSet,
}

/// Bit 1 of the message control header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FragmentPosition {
    /// 0
    More,
    /// 1
    Last,
}

/// Why bytes are not a PDU. Positions count from the first byte of the PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PduError {
    /// The first byte.
    #[error("PDU type {0:#04x} does not exist")]
    UnknownType(u8),
    /// The declared length is over the limit for this kind.
    #[error("{kind:?} of {length} bytes exceeds the limit of {limit}")]
    TooLong {
        /// Of what.
        kind: PduKind,
        /// Declared.
        length: u32,
        /// Allowed.
        limit: u32,
    },
    /// A field reaches past the end of its item.
    #[error("a field at byte {at} reaches past the end of its item")]
    Short {
        /// Position.
        at: usize,
    },
    /// A value that the standard does not allow.
    #[error("{field} at byte {at} is invalid")]
    Invalid {
        /// The field's name in PS3.8.
        field: &'static str,
        /// Position.
        at: usize,
    },
    /// More items than the limit.
    #[error("more than {limit} {items}")]
    TooMany {
        /// Of what.
        items: &'static str,
        /// Allowed.
        limit: usize,
    },
    /// An item that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
}

impl PduError {
    /// The A-ABORT that says so (PS3.8 table 9-26).
    #[must_use]
    pub fn abort(&self) -> Abort {
        match self {
            Self::UnknownType(_) => Abort::UnrecognizedPdu,
            _ => Abort::InvalidParameter,
        }
    }
}

/// Codes of the variable items (PS3.8 section 9.3 and PS3.7 annex D.3.3).
mod item {
    pub(super) const APPLICATION_CONTEXT: u8 = 0x10;
    pub(super) const PROPOSED_CONTEXT: u8 = 0x20;
    pub(super) const CONTEXT_RESULT: u8 = 0x21;
    pub(super) const ABSTRACT_SYNTAX: u8 = 0x30;
    pub(super) const TRANSFER_SYNTAX: u8 = 0x40;
    pub(super) const USER_INFORMATION: u8 = 0x50;
    pub(super) const MAX_LENGTH: u8 = 0x51;
    pub(super) const IMPLEMENTATION_CLASS: u8 = 0x52;
    pub(super) const ROLE_SELECTION: u8 = 0x54;
    pub(super) const IMPLEMENTATION_VERSION: u8 = 0x55;
    pub(super) const EXTENDED_NEGOTIATION: u8 = 0x56;
}

/// Reject codes: result, source, reason.
const REJECTS: &[(Reject, [u8; 3])] = &[
    (Reject::ApplicationContext, [1, 1, 2]),
    (Reject::CallingAe, [1, 1, 3]),
    (Reject::CalledAe, [1, 1, 7]),
    (Reject::ProtocolVersion, [1, 2, 2]),
    (Reject::LocalLimit, [2, 3, 2]),
];

/// Abort codes: source, reason.
const ABORTS: &[(Abort, [u8; 2])] = &[
    (Abort::User, [0, 0]),
    (Abort::Unspecified, [2, 0]),
    (Abort::UnrecognizedPdu, [2, 1]),
    (Abort::UnexpectedPdu, [2, 2]),
    (Abort::InvalidParameter, [2, 6]),
];

impl PduKind {
    const ALL: [Self; 7] = [
        Self::AssociateRq,
        Self::AssociateAc,
        Self::AssociateRj,
        Self::Data,
        Self::ReleaseRq,
        Self::ReleaseRp,
        Self::Abort,
    ];

    fn from_code(code: u8) -> Option<Self> {
        let index = usize::from(code).checked_sub(1)?;
        Self::ALL.get(index).copied()
    }

    fn code(self) -> u8 {
        match self {
            Self::AssociateRq => 1,
            Self::AssociateAc => 2,
            Self::AssociateRj => 3,
            Self::Data => 4,
            Self::ReleaseRq => 5,
            Self::ReleaseRp => 6,
            Self::Abort => 7,
        }
    }
}
