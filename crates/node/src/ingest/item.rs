//! A file or instance on its way through a batch, from its bytes to what became of it.

use arno_dicom::Claimed;
use arno_domain::hex;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::{
    prepare::Prepared,
    refusal::Refusal,
    seen::Seen,
    walk::{Found, FoundKind},
};

/// Largest file of which a copy is kept in quarantine, if it is still where it came from.
const MAX_COPY_BYTES: usize = 256 << 20;

/// An instance or file to take in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// What people call it; it stands in the quarantine.
    pub name: String,
    /// A Part 10 file, or what claims to be one.
    pub bytes: Bytes,
}

/// An instance that was digested as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// What people call it.
    pub(crate) name: String,
    /// A Part 10 file.
    pub(crate) bytes: Bytes,
    /// SHA-256 of the bytes, hexadecimal.
    pub(crate) sha256: String,
}

/// What became of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is kept now.
    Stored,
    /// The same bytes were dealt with before.
    Known,
    /// It is in quarantine.
    Refused {
        /// A stable word.
        code: &'static str,
        /// What is wrong and what to do next; no value of the data set.
        reason: String,
    },
}

/// What became of an instance, for whoever sent it.
#[derive(Debug, Clone)]
pub struct Taken {
    /// SOP Class UID as sent.
    pub sop_class: Option<String>,
    /// SOP Instance UID as sent. Goes back to the sender and into no log.
    pub sop_instance: Option<String>,
    /// Under which identifiers it is kept.
    pub kept: Option<KeptUids>,
    /// Modality (0008,0060), if it is kept now.
    pub modality: Option<String>,
    /// What became of it.
    pub fate: Fate,
}

/// The identifiers of an instance as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptUids {
    /// Study Instance UID.
    pub study: String,
    /// Series Instance UID.
    pub series: String,
    /// SOP Instance UID.
    pub instance: String,
}

impl Taken {
    /// What became of something that claims these identifiers.
    pub(super) fn of(sent: Option<Claimed>, fate: Fate) -> Self {
        let sent = sent.unwrap_or_default();
        Self {
            sop_class: sent.sop_class,
            sop_instance: sent.sop_instance,
            kept: None,
            modality: None,
            fate,
        }
    }
}

/// A file whose bytes are in memory.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// What people call it.
    pub(super) name: String,
    /// What it is taken for.
    pub(super) kind: FoundKind,
    /// SHA-256 of the bytes, hexadecimal.
    pub(super) sha256: String,
    /// The bytes.
    pub(super) bytes: Bytes,
    /// What stood for it while it could not be read.
    pub(super) unread_digest: Option<String>,
    /// Whether there is another place where the bytes are.
    pub(super) origin: Origin,
    /// What a person decided who looked at it.
    pub(super) seen: Option<Seen>,
}

/// Whether the bytes are anywhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A file that stays where it is.
    File,
    /// It came over a network, and its sender may delete its own: quarantine keeps a copy whatever its size.
    Network,
}

impl From<Incoming> for Source {
    fn from(incoming: Incoming) -> Self {
        Self::from(Received {
            sha256: hex::encode(&Sha256::digest(&incoming.bytes)),
            name: incoming.name,
            bytes: incoming.bytes,
        })
    }
}

impl From<Received> for Source {
    fn from(received: Received) -> Self {
        Self {
            name: received.name,
            kind: FoundKind::Instance,
            sha256: received.sha256,
            bytes: received.bytes,
            unread_digest: None,
            origin: Origin::Network,
            seen: None,
        }
    }
}

impl From<Source> for Item {
    fn from(source: Source) -> Self {
        Self::Read {
            source,
            settles: None,
        }
    }
}

/// A file on its way through a batch.
#[derive(Debug)]
pub(super) enum Item {
    /// Its bytes are in memory. `settles` is the open entry of quarantine that it makes up for.
    Read {
        source: Source,
        settles: Option<String>,
    },
    /// It was dealt with in an earlier run.
    Known {
        sha256: String,
        sent: Option<Claimed>,
        settles: Option<String>,
    },
    /// It can be kept.
    Done(Done),
    /// It cannot.
    Failed(Failed),
}

/// A file that can be kept.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) source: Source,
    pub(super) sent: Option<Claimed>,
    pub(super) prepared: Prepared,
    pub(super) settles: Option<String>,
}

/// A file for quarantine.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) name: String,
    pub(super) digest: String,
    pub(super) size: u64,
    pub(super) copy: Option<Bytes>,
    pub(super) sent: Option<Claimed>,
    pub(super) refusal: Refusal,
    pub(super) settles: Option<String>,
}

impl Failed {
    /// A file whose bytes are at hand.
    pub(super) fn of(
        source: Source,
        sent: Option<Claimed>,
        refusal: Refusal,
        settles: Option<String>,
    ) -> Self {
        let settles = settles.filter(|digest| *digest != source.sha256);
        let is_copied = source.origin == Origin::Network
            || refusal.waits.is_some()
            || source.bytes.len() <= MAX_COPY_BYTES;
        Self {
            size: source.bytes.len() as u64,
            name: source.name,
            digest: source.sha256,
            copy: is_copied.then_some(source.bytes),
            sent,
            refusal,
            settles,
        }
    }

    /// A file whose bytes could not be read.
    pub(super) fn unread(found: &Found, refusal: Refusal) -> Self {
        Self {
            digest: found.path_digest(),
            size: found.size,
            name: found.name.clone(),
            copy: None,
            sent: None,
            refusal,
            settles: None,
        }
    }
}

impl Item {
    /// What tells this file from others.
    pub(super) fn digest(&self) -> &str {
        match self {
            Self::Read { source, .. } | Self::Done(Done { source, .. }) => &source.sha256,
            Self::Failed(failed) => &failed.digest,
            Self::Known { sha256, .. } => sha256,
        }
    }

    /// What stood for it while it could not be read.
    pub(super) fn unread_digest(&self) -> Option<String> {
        match self {
            Self::Read { source, .. } => source.unread_digest.clone(),
            _ => None,
        }
    }

    /// The same file, known to make up for an open entry of quarantine.
    pub(super) fn settling(mut self, digest: Option<String>) -> Self {
        match &mut self {
            Self::Read { settles, .. }
            | Self::Known { settles, .. }
            | Self::Done(Done { settles, .. }) => *settles = digest,
            Self::Failed(failed) => {
                failed.settles = digest.filter(|digest| *digest != failed.digest)
            }
        }
        self
    }
}
