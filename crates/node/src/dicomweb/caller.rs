//! Who asks: a program on this machine of a node on trial, or a data manager. Nobody else gets in.
//!
//! What people take out is recorded, one entry a request, before the first byte goes out. Single frames, pictures, metadata
//! and what local programs read are not: an entry costs a durable write, and a local program of a node on trial could as
//! well read the node's folder.

use std::sync::{Arc, Mutex, PoisonError};

use arno_domain::audit::Outcome;
use arno_httpkit::SignedIn;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};
use chrono::{DateTime, Duration, Utc};

use super::{
    answers::{WebError, text},
    basic::Passwords,
};
use crate::{Access, Node, NodeError, api::DataManager};

/// The name of programs without an account, in the audit log.
const LOCAL_PROGRAM: &str = "local program";

/// For so long a node that joined a federation is still taken for one on trial. Asking the database at each request would
/// double what a small answer costs.
const ACCESS_AGE: Duration = Duration::seconds(1);

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
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, node: &Node) -> Result<Self, WebError> {
        let door = parts
            .extensions
            .get::<Arc<Door>>()
            .cloned()
            .unwrap_or_default();
        if door.access(node).await?.admits(&parts.headers) {
            return Ok(Self::LocalProgram);
        }
        if let Some(person) = door.passwords.signed_in(node, &parts.headers).await? {
            return Ok(Self::Person(person));
        }
        match DataManager::from_request_parts(parts, node).await {
            Ok(DataManager(person)) => Ok(Self::Person(person)),
            Err(error) if asks_for_password(&parts.headers) => Err(WebError::SignIn(error)),
            Err(error) => Err(error.into()),
        }
    }
}

/// What is known of who may come in.
#[derive(Debug, Default)]
pub(super) struct Door {
    access: Mutex<Option<(DateTime<Utc>, Access)>>,
    passwords: Passwords,
}

impl Door {
    async fn access(&self, node: &Node) -> Result<Access, NodeError> {
        let now = node.now();
        let known = *self.access.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, access)) = known
            && (at..at + ACCESS_AGE).contains(&now)
        {
            return Ok(access);
        }
        let access = node.access().await?;
        *self.access.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, access));
        Ok(access)
    }
}

/// Programs are told that a password will do. Browsers are not: they would keep it and send it along unasked.
fn asks_for_password(headers: &HeaderMap) -> bool {
    !headers.contains_key("sec-fetch-site") && text(headers, &AUTHORIZATION).is_none()
}
