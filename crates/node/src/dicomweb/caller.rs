//! Who asks: a program on this machine of a node on trial, or a data manager. Nobody else gets in.
//!
//! What people take out is recorded, one entry a request, before the first byte goes out. Single frames, pictures, metadata
//! and what local programs read are not: an entry costs a durable write, and a local program of a node on trial could as
//! well read the node's folder.

use arno_domain::audit::Outcome;
use arno_httpkit::{ApiError, SignedIn};
use axum::{extract::FromRequestParts, http::request::Parts};

use crate::{Node, NodeError, api::DataManager};

/// The name of programs without an account, in the audit log.
const LOCAL_PROGRAM: &str = "local program";

/// Whoever asks.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    /// Without an account; see [`crate::Access`].
    LocalProgram,
    /// With one.
    Person(SignedIn),
}

impl Caller {
    /// Its name in the audit log.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::LocalProgram => LOCAL_PROGRAM,
            Self::Person(person) => &person.account,
        }
    }

    /// Records that a person takes objects out.
    pub(super) async fn note_retrieve(&self, node: &Node, subject: &str) -> Result<(), NodeError> {
        let Self::Person(person) = self else {
            return Ok(());
        };
        let act = node.act(&person.account, "retrieve", subject, Outcome::Done, "");
        let mut tx = node.store().database().write().await?;
        tx.audit(node.now(), act).await?;
        Ok(tx.commit().await?)
    }
}

impl FromRequestParts<Node> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, node: &Node) -> Result<Self, ApiError> {
        if node.access().await?.admits(&parts.headers) {
            return Ok(Self::LocalProgram);
        }
        let DataManager(person) = DataManager::from_request_parts(parts, node).await?;
        Ok(Self::Person(person))
    }
}
