//! The audit log: entries chained by SHA-256, so that none can be changed or taken out without a trace.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::hex;

/// The digest before the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Whether the act was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Carried out.
    Done,
    /// Refused by a rule.
    Refused,
    /// Tried and not achieved.
    Failed,
}

impl Outcome {
    /// The text in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// An act to be recorded. Holds no patient data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Who: an account, a node id or `arno` for the program itself.
    pub actor: String,
    /// What, in the words of the glossary: `search`, `permit granted`, `round answered` …
    pub action: String,
    /// On what: an id.
    pub subject: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The reason or the circumstances, for a person.
    pub detail: String,
}

/// One record of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Position, from 1.
    pub sequence: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// On what.
    pub subject: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why.
    pub detail: String,
    /// Digest of the entry before.
    pub previous_sha256: String,
    /// Digest of this entry.
    pub sha256: String,
}

impl AuditEntry {
    /// The entry that follows `previous` (sequence and digest).
    #[must_use]
    pub fn after(previous: (i64, &str), at: DateTime<Utc>, act: Act) -> Self {
        let Act {
            actor,
            action,
            subject,
            outcome,
            detail,
        } = act;
        let mut entry = Self {
            sequence: previous.0 + 1,
            at,
            actor,
            action,
            subject,
            outcome,
            detail,
            previous_sha256: previous.1.to_owned(),
            sha256: String::new(),
        };
        entry.sha256 = entry.digest();
        entry
    }

    /// SHA-256 over the lengths and bytes of all fields and of the digest before.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        let (sequence, at) = (self.sequence.to_string(), self.at.to_rfc3339());
        for field in [
            "arno/audit/1",
            &sequence,
            &at,
            &self.actor,
            &self.action,
            &self.subject,
            self.outcome.as_str(),
            &self.detail,
            &self.previous_sha256,
        ] {
            hasher.update((field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
        hex::encode(&hasher.finalize())
    }
}

/// The first place where a run of entries, oldest first, does not hold together; `None` when it does.
#[must_use]
pub fn first_break(entries: &[AuditEntry], before: (i64, &str)) -> Option<i64> {
    let (mut sequence, mut digest) = (before.0, before.1.to_owned());
    for entry in entries {
        let holds = entry.sequence == sequence + 1
            && entry.previous_sha256 == digest
            && entry.digest() == entry.sha256;
        if !holds {
            return Some(entry.sequence);
        }
        sequence = entry.sequence;
        digest.clone_from(&entry.sha256);
    }
    None
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::{Act, AuditEntry, GENESIS, Outcome, first_break};

    fn log() -> Vec<AuditEntry> {
        let mut entries: Vec<AuditEntry> = Vec::new();
        for subject in ["a", "b", "c"] {
            let act = Act {
                actor: "arno".into(),
                action: "search".into(),
                subject: subject.into(),
                outcome: Outcome::Done,
                detail: String::new(),
            };
            let previous = entries.last().map_or((0, GENESIS), |entry| {
                (entry.sequence, entry.sha256.as_str())
            });
            let entry = AuditEntry::after(previous, DateTime::UNIX_EPOCH, act);
            entries.push(entry);
        }
        entries
    }

    #[test]
    fn an_untouched_log_holds() {
        assert_eq!(first_break(&log(), (0, GENESIS)), None);
    }

    #[test]
    fn a_changed_a_missing_and_a_moved_entry_show() {
        let mut changed = log();
        changed[1].detail = "nothing happened".into();
        assert_eq!(first_break(&changed, (0, GENESIS)), Some(2));
        let mut missing = log();
        missing.remove(1);
        assert_eq!(first_break(&missing, (0, GENESIS)), Some(3));
        let mut moved = log();
        moved.swap(0, 1);
        assert_eq!(first_break(&moved, (0, GENESIS)), Some(2));
    }
}
