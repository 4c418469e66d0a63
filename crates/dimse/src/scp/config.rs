//! What an operator decides about the server.

use std::net::IpAddr;
use std::time::Duration;

use super::service::Service;
use crate::limits::{DEFAULT_MAX_PDU, MAX_MAX_PDU, MIN_MAX_PDU};
use crate::link::QuickAck;
use crate::scu;
use crate::{AeTitle, Uid, classes};

/// Settings of a server. [`ServerConfig::new`] gives the defaults.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Our title.
    pub ae_title: AeTitle,
    /// Whether callers must know it.
    pub called_ae: CalledAe,
    /// Who may call; none is everybody.
    pub allow_list: Option<Vec<CallingAe>>,
    /// What to do with storage of vendors' own classes.
    pub private_classes: PrivateClasses,
    /// Associations at a time; more are rejected with "local limit exceeded".
    pub max_associations: usize,
    /// Longest P-DATA-TF that we announce and take, in bytes.
    pub max_pdu: u32,
    /// Longest data set, in bytes.
    pub max_instance_bytes: usize,
    /// All data sets that are being received or handled, in bytes.
    pub max_total_bytes: usize,
    /// All data sets that are being sent, in bytes. Who wants to send more waits for the others.
    pub max_outgoing_bytes: usize,
    /// Whom we call: destinations of C-MOVE, and who gets reports of storage commitment on an association of its own.
    pub peers: Vec<scu::Peer>,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How long to wait where we call.
    pub calling: scu::Timeouts,
    /// Whether to acknowledge segments at once.
    pub quick_ack: QuickAck,
}

/// Whether a caller must address us by our title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalledAe {
    /// Others are rejected with "called AE title not recognized".
    OnlyOurs,
    /// Any title is answered.
    Any,
}

/// A caller on the allow-list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallingAe {
    /// Its title, compared exactly.
    pub ae_title: AeTitle,
    /// Where it calls from. Titles are not secret: without an address this is order, not security.
    pub source: AllowedSource,
    /// What it may ask for besides C-ECHO.
    pub services: Vec<Service>,
}

/// Where a caller may call from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedSource {
    /// Anywhere.
    Any,
    /// One of these addresses.
    Addresses(Vec<IpAddr>),
}

/// Contexts of vendors' own SOP classes; that they are for storage is a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateClasses {
    /// Accept and store.
    Accept,
    /// Reject as not supported.
    Reject,
}

/// How long to wait for what. Each is a whole, not a pause between bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For the request after a connection, and for the peer to close after the end (ARTIM, PS3.8 section 9.1.5).
    pub artim: Duration,
    /// For the next message in an association.
    pub idle: Duration,
    /// For the rest of a PDU once its first bytes came, for the next one inside a message, and for the peer to take
    /// our answer.
    pub pdu: Duration,
    /// For TLS to be agreed on, before anything else.
    pub tls: Duration,
    /// For the handler to store an instance; after it the instance is refused with "out of resources".
    pub store: Duration,
    /// For the handler's next answer to a query, its list of instances to retrieve, and its word on a commitment.
    pub answer: Duration,
    /// For one instance of a retrieval, from asking the handler for it to the peer's answer.
    pub sub_operation: Duration,
    /// For the handler to find out whether instances are committed.
    pub report: Duration,
    /// For running associations to finish their message when the server shuts down.
    pub shutdown: Duration,
}

/// A setting that cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Outside [`MIN_MAX_PDU`] and [`MAX_MAX_PDU`].
    #[error("max_pdu must be {MIN_MAX_PDU} to {MAX_MAX_PDU} bytes")]
    MaxPdu,
    /// Nobody could call.
    #[error("max_associations must be at least 1")]
    MaxAssociations,
    /// No instance could be received.
    #[error("max_instance_bytes must be at least 1 and at most max_total_bytes")]
    MaxBytes,
    /// No instance could be sent.
    #[error("max_outgoing_bytes must be at least 1")]
    MaxOutgoingBytes,
}

impl ServerConfig {
    /// Defaults for a node in a department: 32 associations, 128 KiB PDUs, 512 MiB an instance and 1 GiB together.
    #[must_use]
    pub fn new(ae_title: AeTitle) -> Self {
        Self {
            ae_title,
            called_ae: CalledAe::OnlyOurs,
            allow_list: None,
            private_classes: PrivateClasses::Accept,
            max_associations: 32,
            max_pdu: DEFAULT_MAX_PDU,
            max_instance_bytes: 512 << 20,
            max_total_bytes: 1 << 30,
            max_outgoing_bytes: 256 << 20,
            peers: Vec::new(),
            calling: scu::Timeouts::DEFAULT,
            timeouts: Timeouts {
                artim: Duration::from_secs(10),
                idle: Duration::from_secs(60),
                pdu: Duration::from_secs(30),
                tls: Duration::from_secs(10),
                store: Duration::from_secs(60),
                answer: Duration::from_secs(60),
                sub_operation: Duration::from_secs(600),
                report: Duration::from_secs(3600),
                shutdown: Duration::from_secs(10),
            },
            quick_ack: QuickAck::On,
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if !(MIN_MAX_PDU..=MAX_MAX_PDU).contains(&self.max_pdu) {
            return Err(ConfigError::MaxPdu);
        }
        if self.max_associations == 0 {
            return Err(ConfigError::MaxAssociations);
        }
        if self.max_instance_bytes == 0 || self.max_instance_bytes > self.max_total_bytes {
            return Err(ConfigError::MaxBytes);
        }
        if self.max_outgoing_bytes == 0 {
            return Err(ConfigError::MaxOutgoingBytes);
        }
        Ok(())
    }

    /// What a caller may ask for; nothing at all if it may not call. Several entries of one title add up.
    pub(crate) fn allowed(&self, title: &AeTitle, address: IpAddr) -> Option<Vec<Service>> {
        let Some(list) = &self.allow_list else {
            return Some(Service::ALL.to_vec());
        };
        let mut entries = list
            .iter()
            .filter(|caller| caller.ae_title == *title && caller.source.contains(address))
            .peekable();
        entries.peek()?;
        let services = entries.flat_map(|caller| &caller.services);
        Some(services.copied().collect())
    }

    /// Whom we call by that title.
    pub(crate) fn peer(&self, title: &AeTitle) -> Option<&scu::Peer> {
        self.peers.iter().find(|peer| peer.ae_title == *title)
    }

    /// Settings for calling others.
    pub(crate) fn scu(&self) -> scu::Config {
        scu::Config {
            calling_ae: self.ae_title.clone(),
            max_pdu: self.max_pdu,
            timeouts: self.calling,
        }
    }

    /// Whether the class is served for storage.
    pub(crate) fn stores(&self, class: &Uid) -> bool {
        classes::is_standard_storage(class)
            || (classes::is_private(class) && self.private_classes == PrivateClasses::Accept)
    }
}

impl AllowedSource {
    fn contains(&self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            // A dual-stack listener sees IPv4 callers as mapped addresses.
            Self::Addresses(known) => known.contains(&address.to_canonical()),
        }
    }
}
