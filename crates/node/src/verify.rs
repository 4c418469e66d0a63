//! Whether what is kept is what was kept: packs against the index by SHA-256, the audit log by its chain.

use arno_store::StoreError;
use serde::Serialize;

use crate::{Node, NodeError};

/// Instances that are looked up at a time.
const PAGE: u32 = 500;
/// Damaged instances that are named.
const MAX_NAMED: usize = 100;

/// The outcome of a verification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Instances looked at.
    pub instances: u64,
    /// Their size.
    pub size_bytes: u64,
    /// Instances whose bytes are not those that were kept.
    pub damaged: u64,
    /// The first of them, by SOP Instance UID (mapped).
    pub damaged_instances: Vec<String>,
    /// The first entry of the audit log that does not follow from the one before.
    pub audit_break: Option<i64>,
}

impl Verified {
    /// Whether everything is as it was.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.damaged == 0 && self.audit_break.is_none()
    }
}

impl Node {
    /// Reads everything that is kept and compares it with the index.
    ///
    /// # Errors
    /// When the index cannot be read; damage is no error but the outcome.
    pub async fn verify(&self) -> Result<Verified, NodeError> {
        let audit_break = self.store().database().audit_break().await?;
        let (mut verified, mut after) = (
            Verified {
                audit_break,
                ..Verified::default()
            },
            String::new(),
        );
        loop {
            let page = self.store().locations_after(&after, PAGE).await?;
            let Some((last, _)) = page.last() else {
                return Ok(verified);
            };
            after.clone_from(last);
            let packs = self.packs().clone();
            let check = move || {
                page.into_iter()
                    .map(|(uid, location)| (uid, packs.verify(&location), location.length))
                    .collect()
            };
            let checked: Vec<(String, Result<(), StoreError>, u64)> =
                tokio::task::spawn_blocking(check).await?;
            for (uid, result, length) in checked {
                verified.add(uid, result.is_ok(), length);
            }
        }
    }
}

impl Verified {
    fn add(&mut self, instance_uid: String, holds: bool, length: u64) {
        self.instances += 1;
        self.size_bytes += length;
        if !holds {
            self.damaged += 1;
            if self.damaged_instances.len() < MAX_NAMED {
                self.damaged_instances.push(instance_uid);
            }
        }
    }
}
