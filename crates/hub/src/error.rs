//! Why a hub cannot be set up or started, named for what the operator can do about it.

use std::path::PathBuf;

use arno_store::StoreError;

/// A failure before or beside the HTTP APIs.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// There is no hub in the folder.
    #[error("there is no hub in {}: run arno-hub init first", .0.display())]
    NotInitialised(PathBuf),
    /// Another process serves this folder.
    #[error("another hub is running in {}", .0.display())]
    Running(PathBuf),
    /// The committee's key is not known.
    #[error("no committee key: run arno-hub init again with --committee-key")]
    NoCommitteeKey,
    /// The committee's key or the name is fixed: nodes have pinned it.
    #[error("this hub has another {0} already; nodes rely on it, so it stays")]
    Fixed(&'static str),
    /// The hub was never started, so its address is not known.
    #[error("the hub's address is not known yet: start it once with arno-hub serve")]
    NoAddress,
    /// A text or name that is not acceptable.
    #[error("{0}")]
    Invalid(String),
    /// A key file is damaged.
    #[error("the key file {} is damaged", .0.display())]
    DamagedKey(PathBuf),
    /// A file or socket.
    #[error("cannot use {what}")]
    Io {
        /// What was tried.
        what: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The certificate.
    #[error("cannot make the TLS certificate")]
    Certificate(#[source] rcgen::Error),
    /// TLS.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// The operating system gives no random bytes.
    #[error("the system gives no randomness")]
    NoRandomness,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HubError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        |source| Self::Io { what, source }
    }
}
