//! The side that calls: an association to a configured peer, to send instances (C-STORE, PS3.7 section 9.1.1), reports
//! of storage commitment (N-EVENT-REPORT, section 10.1.1) or a C-ECHO. One operation at a time.
//!
//! It does not retry and does not choose transfer syntaxes: who uses it does.

mod association;

use std::time::Duration;

use bytes::Bytes;

pub use association::Association;

use crate::command::MoveOrigin;
use crate::pdu::Reject;
use crate::tls::ClientTls;
use crate::{AeTitle, Uid};

/// Whom to call.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its title.
    pub ae_title: AeTitle,
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// With TLS or without.
    pub security: Security,
}

/// How a peer is reached.
#[derive(Debug, Clone)]
pub enum Security {
    /// TCP alone.
    Plain,
    /// TLS; the certificate must be for [`Peer::host`].
    Tls(ClientTls),
}

/// How to call.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our title.
    pub calling_ae: AeTitle,
    /// Longest P-DATA-TF that we take; answers are a few hundred bytes.
    pub max_pdu: u32,
    /// How long to wait.
    pub timeouts: Timeouts,
}

/// How long to wait for what. Each is a whole, not a pause between bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For name, connection and TLS.
    pub connect: Duration,
    /// For the association to be accepted.
    pub associate: Duration,
    /// For the peer to take a PDU, and for the rest of one of its own.
    pub pdu: Duration,
    /// For the answer to a request: a peer may write and sync a large instance first.
    pub response: Duration,
    /// For the answer to a release.
    pub release: Duration,
}

impl Timeouts {
    /// For peers in the same department.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(10),
        associate: Duration::from_secs(20),
        pdu: Duration::from_secs(30),
        response: Duration::from_secs(120),
        release: Duration::from_secs(10),
    };
}

/// A presentation context to propose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The class.
    pub sop_class: Uid,
    /// At least one, the preferred one first.
    pub transfer_syntaxes: Vec<Uid>,
    /// What we want to be.
    pub role: Role,
}

/// What we want to be for a class (PS3.7 section D.3.3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The default of who calls.
    Scu,
    /// Who reports on storage commitment.
    Scp,
}

/// An instance to send.
#[derive(Clone)]
pub struct Outgoing {
    /// SOP Class UID.
    pub sop_class: Uid,
    /// SOP Instance UID.
    pub sop_instance: Uid,
    /// How the data set is encoded, one of [`Association::accepted`].
    pub transfer_syntax: Uid,
    /// Without file meta information. It is not copied.
    pub data_set: Bytes,
    /// The C-MOVE that it is sent for.
    pub origin: Option<MoveOrigin>,
}

/// A report to send (PS3.7 section 10.1.1).
#[derive(Clone)]
pub struct Event {
    /// The class.
    pub sop_class: Uid,
    /// The instance that it is about.
    pub sop_instance: Uid,
    /// Event type.
    pub type_id: u16,
    /// How the information is encoded.
    pub transfer_syntax: Uid,
    /// A data set.
    pub information: Bytes,
}

/// Why a peer could not be reached, or what became of it. The texts do not name instances.
#[derive(Debug, thiserror::Error)]
pub enum ScuError {
    /// No connection; the address is wrong, or nothing listens there.
    #[error("cannot connect to {host}:{port}")]
    Connect {
        /// Where.
        host: String,
        /// Where.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// The host is no name that a certificate can be for.
    #[error("{0} is not a host name for TLS")]
    HostName(String),
    /// No TLS: the certificate is not trusted, or the peer does not speak it.
    #[error("no TLS with {host}:{port}")]
    Tls {
        /// Where.
        host: String,
        /// Where.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// The peer does not want the association.
    #[error("the association was rejected: {0:?}")]
    Rejected(Reject),
    /// It took too long.
    #[error("no answer in time to {0}")]
    TimedOut(&'static str),
    /// More than [`MAX_CONTEXTS`](crate::limits::MAX_CONTEXTS), or none, or one without a transfer syntax.
    #[error(
        "1 to 128 presentation contexts with at least one transfer syntax each can be proposed"
    )]
    Proposals,
    /// The peer did not accept the class in that transfer syntax; the association can go on.
    #[error("the peer did not accept this class in this transfer syntax")]
    NotAccepted,
    /// The association is over.
    #[error("the association ended: {0}")]
    Ended(String),
}
