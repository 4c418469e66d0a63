//! Messages that were seen: none is accepted twice while it is valid.
//!
//! The window is in memory. What was written before this process started cannot be told from a replay, so it is
//! refused with `resend`, on which the node signs a new message.

use std::{collections::HashMap, sync::Mutex};

use arno_domain::{MessageId, NodeId};
use arno_protocol::federation::MESSAGE_LIFETIME;
use chrono::{DateTime, Duration, Utc};

/// Most messages of one node that are remembered: with a lifetime of two minutes, over 150 a second.
const MAX_REMEMBERED: usize = 20_000;

/// Messages may be written by a clock that is fast by this.
const MAX_FUTURE: Duration = MESSAGE_LIFETIME;

/// A message on its way while the hub was restarted is still taken; each does the same when it comes twice.
const RESTART_TOLERANCE: Duration = Duration::seconds(2);

/// Why a message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stale {
    Expired,
    NotYet,
    TooLong,
    Resend,
    Replayed,
    TooMany,
}

/// Ids of the messages that are still valid, by node.
#[derive(Debug)]
pub(crate) struct ReplayWindow {
    seen: Mutex<HashMap<NodeId, HashMap<MessageId, DateTime<Utc>>>>,
    started_at: DateTime<Utc>,
}

/// The times and the id of a message whose signature was verified.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) id: MessageId,
    pub(crate) node: NodeId,
    pub(crate) issued_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

impl ReplayWindow {
    pub(crate) fn new(started_at: DateTime<Utc>) -> Self {
        Self {
            seen: Mutex::default(),
            started_at,
        }
    }

    /// Takes a message that is seen for the first time.
    pub(crate) fn admit(&self, stamp: Stamp, now: DateTime<Utc>) -> Result<(), Stale> {
        self.check_times(stamp, now)?;
        let mut seen = self
            .seen
            .lock()
            .expect("nothing panics while it holds this lock");
        let seen = seen.entry(stamp.node).or_default();
        if seen.contains_key(&stamp.id) {
            return Err(Stale::Replayed);
        }
        if seen.len() >= MAX_REMEMBERED {
            seen.retain(|_, expires_at| *expires_at > now);
        }
        if seen.len() >= MAX_REMEMBERED {
            return Err(Stale::TooMany);
        }
        seen.insert(stamp.id, stamp.expires_at);
        Ok(())
    }

    /// Whether the message is valid now, seen or not.
    pub(crate) fn check_times(&self, stamp: Stamp, now: DateTime<Utc>) -> Result<(), Stale> {
        match stamp {
            _ if stamp.expires_at <= now => Err(Stale::Expired),
            _ if stamp.issued_at > now + MAX_FUTURE => Err(Stale::NotYet),
            _ if stamp.expires_at > stamp.issued_at + MESSAGE_LIFETIME => Err(Stale::TooLong),
            _ if stamp.issued_at < self.started_at - RESTART_TOLERANCE => Err(Stale::Resend),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use arno_domain::{MessageId, NodeId};
    use chrono::{DateTime, Duration, Utc};

    use super::{ReplayWindow, Stale, Stamp};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::seconds(seconds)
    }

    fn check(issued: i64, expires: i64, now: i64, expect: Result<(), Stale>) {
        let window = ReplayWindow::new(at(1000));
        let stamp = Stamp {
            id: MessageId::new(),
            node: NodeId::new(),
            issued_at: at(issued),
            expires_at: at(expires),
        };
        assert_eq!(
            window.admit(stamp, at(now)),
            expect,
            "{issued} {expires} {now}"
        );
        if expect.is_ok() {
            assert_eq!(window.admit(stamp, at(now)), Err(Stale::Replayed));
        }
    }

    #[test]
    fn only_fresh_messages_are_taken_and_only_once() {
        check(1010, 1130, 1010, Ok(()));
        check(1010, 1130, 1129, Ok(()));
        check(1010, 1130, 1130, Err(Stale::Expired));
        check(1130, 1250, 1010, Ok(()));
        check(1131, 1251, 1010, Err(Stale::NotYet));
        check(1010, 1131, 1010, Err(Stale::TooLong));
        check(998, 1118, 1010, Ok(()));
        check(997, 1117, 1010, Err(Stale::Resend));
    }
}
