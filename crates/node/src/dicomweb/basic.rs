//! HTTP Basic (RFC 7617) for programs that know nothing else. Browsers use the session of the node's own pages.
//!
//! A password check is slow on purpose, so one that was right is remembered in memory, by a digest that only holds together
//! with the account's present password. Nothing is remembered of one that was wrong.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use arno_httpkit::{ApiError, SignedIn, hash_password, verify_password};
use arno_protocol::session::Role;
use arno_store::Account;
use axum::http::{HeaderMap, header::AUTHORIZATION};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::answers::{WebError, text};
use crate::{Node, NodeError};

/// Longest header that is looked at; names and passwords have up to 256 bytes.
const MAX_CREDENTIAL_BYTES: usize = 1024;

/// Password checks at a time: each takes 19 MiB and tens of milliseconds, so a flood of them must queue.
const MAX_CHECKS: usize = 2;

/// Passwords that are remembered; a node has a few programs that use it.
const MAX_REMEMBERED: usize = 64;

/// Passwords that were right.
#[derive(Debug)]
pub(super) struct Passwords {
    right: Mutex<VecDeque<[u8; 32]>>,
    checks: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            right: Mutex::default(),
            checks: Semaphore::new(MAX_CHECKS),
        }
    }
}

impl Passwords {
    /// The data manager whose name and password are in the headers; nobody when there are none.
    pub(super) async fn signed_in(
        &self,
        node: &Node,
        headers: &HeaderMap,
    ) -> Result<Option<SignedIn>, WebError> {
        let Some(credentials) = credentials(headers) else {
            return Ok(None);
        };
        let (name, password) = credentials.ok_or_else(wrong)?;
        let account = node.store().database().account(&name).await?;
        let digest = account.as_ref().map(|account| digest(&password, account));
        if digest.is_none_or(|digest| !self.remembers(&digest)) {
            self.check(password, account.clone()).await?;
            self.remember(digest);
        }
        let account = account.ok_or_else(wrong)?;
        let person = SignedIn {
            account: account.name,
            display_name: account.display_name,
            role: account.role,
        };
        person.require(&[Role::DataManager])?;
        Ok(Some(person))
    }

    async fn check(&self, password: String, account: Option<Account>) -> Result<(), WebError> {
        let turn = self.checks.acquire().await;
        let _turn = turn.map_err(|_| WebError::busy("The node is stopping."))?;
        let check = move || match account {
            Some(account) => verify_password(&password, &account.password_hash),
            None => {
                // As slow as a wrong password, so that time does not tell which accounts there are.
                let _ = hash_password(&password);
                false
            }
        };
        let right = tokio::task::spawn_blocking(check).await;
        match right.map_err(NodeError::from)? {
            true => Ok(()),
            false => Err(wrong()),
        }
    }

    fn remembers(&self, digest: &[u8; 32]) -> bool {
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.contains(digest)
    }

    fn remember(&self, digest: Option<[u8; 32]>) {
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.extend(digest);
        if right.len() > MAX_REMEMBERED {
            right.pop_front();
        }
    }
}

/// Name and password, if the header says Basic; nothing within where they cannot be read.
fn credentials(headers: &HeaderMap) -> Option<Option<(String, String)>> {
    let (scheme, encoded) = text(headers, &AUTHORIZATION)?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let read = || {
        let encoded = encoded.trim();
        let decoded = (encoded.len() <= MAX_CREDENTIAL_BYTES)
            .then(|| BASE64_STANDARD.decode(encoded).ok())??;
        let decoded = String::from_utf8(decoded).ok()?;
        let (name, password) = decoded.split_once(':')?;
        Some((name.to_owned(), password.to_owned()))
    };
    Some(read())
}

/// Of the password and of what it was checked against: a changed password or account is another digest.
fn digest(password: &str, account: &Account) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in [&account.name, &account.password_hash] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.update(password);
    digest.finalize().into()
}

fn wrong() -> WebError {
    WebError::SignIn(ApiError::unauthorized(
        "wrong_password",
        "Account or password is wrong.",
    ))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

    use super::credentials;

    #[test]
    fn names_and_passwords_are_read() {
        let check = |header: &str, expect: Option<Option<(&str, &str)>>| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_str(header).unwrap());
            let expect = expect
                .map(|inner| inner.map(|(name, password)| (name.to_owned(), password.to_owned())));
            assert_eq!(credentials(&headers), expect, "{header}");
        };
        check("Basic YTpi", Some(Some(("a", "b"))));
        check("basic YTpiOmM=", Some(Some(("a", "b:c"))));
        check("Basic YTo=", Some(Some(("a", ""))));
        check("Basic YQ==", Some(None));
        check("Basic !!", Some(None));
        check("Basic /w==", Some(None));
        check(&format!("Basic {}", "A".repeat(1028)), Some(None));
        check("Bearer YTpi", None);
        check("Basic", None);
    }
}
