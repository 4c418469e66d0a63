//! What can go wrong at a node, named for what a person can do about it, and its meaning in HTTP.

use std::path::{Path, PathBuf};

use arno_client::ClientError;
use arno_httpkit::ApiError;
use arno_pixels::FinderError;
use arno_store::StoreError;

/// A failure of the node.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The folder already holds a node.
    #[error("{} holds a node already: use it, or choose another folder", .0.display())]
    InitialisedAlready(PathBuf),
    /// The folder holds no node.
    #[error("{} holds no node: run `arno-node init` first", .0.display())]
    NotInitialised(PathBuf),
    /// The settings cannot be used.
    #[error("{}: {reason}", path.display())]
    Settings {
        /// The file of settings.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the node itself.
    #[error("cannot use {}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// No room. What was taken in before stays; nothing is half there.
    #[error(
        "there is no room left below {}: free some space (or raise storage_limit_bytes in node.toml) and run the same again; \
         what was taken in so far is kept and will not be read twice", .0.display()
    )]
    Full(PathBuf),
    /// Another program takes files into this node right now.
    #[error("another program is taking files into this node: try again when it is done")]
    Busy,
    /// The folder to ingest is none, or not below the landing folder.
    #[error("{}: {reason}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The node is in a federation already.
    #[error("this node is a member of {0} already")]
    JoinedAlready(String),
    /// What a person asked for is against a rule.
    #[error("{detail}")]
    Rule {
        /// A stable word.
        code: &'static str,
        /// What is wrong and what to do next.
        detail: String,
    },
    /// The hub's answer is not signed by the federation, or not an answer to our message.
    #[error("the hub's answer cannot be trusted: {0}")]
    Untrusted(&'static str),
    /// The hub could not be asked.
    #[error("the hub cannot be asked")]
    Hub(#[from] ClientError),
    /// The text finder does not start. What it was to look at goes on waiting.
    #[error(transparent)]
    TextFinder(#[from] FinderError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A part of this program stopped unexpectedly.
    #[error("a part of this program stopped unexpectedly: see its log")]
    Stopped(#[from] tokio::task::JoinError),
}

impl NodeError {
    /// A rule that does not allow what was asked.
    pub(crate) fn rule(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Rule {
            code,
            detail: detail.into(),
        }
    }

    /// A failure of a file of the node.
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::Full(path.to_owned())
            }
            _ => Self::File {
                path: path.to_owned(),
                source,
            },
        }
    }

    /// The same, with the folder named where the store only knows that there is no room.
    pub(crate) fn below(self, folder: &Path) -> Self {
        match self {
            Self::Store(StoreError::Full) => Self::Full(folder.to_owned()),
            other => other,
        }
    }
}

impl From<NodeError> for ApiError {
    fn from(error: NodeError) -> Self {
        let detail = error.to_string();
        match error {
            NodeError::Store(error) => error.into(),
            NodeError::Rule { code, detail } => Self::bad_request(code, detail),
            NodeError::Folder { .. } => Self::bad_request("folder_refused", detail),
            NodeError::Busy => Self::conflict("busy", detail),
            NodeError::Full(_) => Self::unavailable("disk_full", detail),
            other => {
                tracing::error!(error = &other as &dyn std::error::Error, "a request failed");
                Self::internal("node_failed", "The node failed. Its log says more.")
            }
        }
    }
}
