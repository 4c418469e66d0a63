//! Which nodes are on the line, and which questions were handed to them. In memory only: after a start nobody is.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use arno_domain::{Clock, NodeId, QuestionId};
use arno_store::hub::members::Seen;
use chrono::{DateTime, Duration, Utc};
use tokio::sync::{Notify, watch};

/// A node asks again at once after an answered poll; this covers a slow line. A node that dies in this moment is
/// awaited for so long, which is why it is no longer.
const BETWEEN_POLLS: Duration = Duration::seconds(3);

/// A question that was handed out and not answered is handed out again after this, in case it was lost.
pub(crate) const REDELIVER_AFTER: Duration = Duration::seconds(2);

/// Whether a node can be counted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// On the line.
    Online,
    /// Its line broke, or the hub just started; it may be back before this time.
    Awaited(DateTime<Utc>),
    /// Not on the line.
    Offline,
}

/// All nodes' lines.
#[derive(Debug)]
pub(crate) struct Presence {
    nodes: Mutex<HashMap<NodeId, Line>>,
    changed: watch::Sender<u64>,
    started_at: DateTime<Utc>,
    absent: Duration,
    restart: Duration,
}

#[derive(Debug, Default)]
struct Line {
    open: u32,
    /// When the last poll was answered.
    answered_at: Option<DateTime<Utc>>,
    /// When the last line broke.
    broke_at: Option<DateTime<Utc>>,
    handed_out: HashMap<QuestionId, DateTime<Utc>>,
    wake: Arc<Notify>,
    seen: Option<Seen>,
    unwritten: bool,
}

impl Presence {
    pub(crate) fn new(started_at: DateTime<Utc>, waits: &crate::Waits) -> Self {
        let (changed, _) = watch::channel(0);
        let nodes = Mutex::default();
        Self {
            nodes,
            changed,
            started_at,
            absent: waits.absent,
            restart: waits.restart,
        }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<NodeId, Line>> {
        self.nodes
            .lock()
            .expect("nothing panics while it holds this lock")
    }

    /// Woken when a node comes or goes, or an answer to an analysis is in.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// When the hub started.
    pub(crate) fn started_at(&self) -> DateTime<Utc> {
        self.started_at
    }

    /// Something that an analysis may wait for has happened.
    pub(crate) fn announce(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// A poll begins. The line counts as broken unless [`OpenLine::answered`] is called.
    pub(crate) fn open_line(self: &Arc<Self>, seen: Seen, clock: &Clock) -> OpenLine {
        let node = seen.node;
        let (wake, is_new) = {
            let mut lines = self.lines();
            let line = lines.entry(node).or_default();
            let is_new = line.open == 0;
            line.open += 1;
            line.broke_at = None;
            line.seen = Some(seen);
            line.unwritten = true;
            (line.wake.clone(), is_new)
        };
        if is_new {
            self.announce();
        }
        OpenLine {
            presence: self.clone(),
            node,
            wake,
            clock: clock.clone(),
            answered: false,
        }
    }

    /// A node that waits gets its questions now.
    pub(crate) fn wake(&self, node: NodeId) {
        let wake = self.lines().entry(node).or_default().wake.clone();
        wake.notify_waiters();
    }

    /// When the first of these questions is to be handed out (again); `None` without questions.
    pub(crate) fn due(&self, node: NodeId, questions: &[QuestionId]) -> Option<DateTime<Utc>> {
        let mut lines = self.lines();
        let line = lines.entry(node).or_default();
        line.handed_out.retain(|id, _| questions.contains(id));
        let due = |id| {
            line.handed_out
                .get(id)
                .map_or(DateTime::<Utc>::MIN_UTC, |at| *at + REDELIVER_AFTER)
        };
        questions.iter().map(due).min()
    }

    /// These questions are on their way.
    pub(crate) fn handed_out(&self, node: NodeId, questions: &[QuestionId], now: DateTime<Utc>) {
        let mut lines = self.lines();
        let line = lines.entry(node).or_default();
        line.handed_out
            .extend(questions.iter().map(|id| (*id, now)));
    }

    /// Whether a node can be counted on.
    pub(crate) fn standing(&self, node: NodeId, now: DateTime<Utc>) -> Standing {
        let lines = self.lines();
        let line = lines.get(&node).filter(|line| line.seen.is_some());
        let until = match line {
            Some(line) if line.open > 0 => return Standing::Online,
            Some(Line {
                broke_at: Some(broke_at),
                ..
            }) => *broke_at + self.absent,
            Some(Line {
                answered_at: Some(at),
                ..
            }) if now < *at + BETWEEN_POLLS => return Standing::Online,
            Some(_) => return Standing::Offline,
            None => self.started_at + self.restart,
        };
        if now < until {
            Standing::Awaited(until)
        } else {
            Standing::Offline
        }
    }

    /// What the node's last poll said.
    pub(crate) fn seen(&self, node: NodeId) -> Option<Seen> {
        self.lines().get(&node).and_then(|line| line.seen.clone())
    }

    /// What is not written to the database yet; counts as written from now on.
    pub(crate) fn take_unwritten(&self) -> Vec<Seen> {
        let mut lines = self.lines();
        let unwritten = lines.values_mut().filter(|line| line.unwritten);
        let take = |line: &mut Line| {
            line.unwritten = false;
            line.seen.clone()
        };
        unwritten.filter_map(take).collect()
    }
}

/// A poll that is held open. Dropped without an answer, as when the connection goes, it marks the line as broken.
pub(crate) struct OpenLine {
    presence: Arc<Presence>,
    node: NodeId,
    wake: Arc<Notify>,
    clock: Clock,
    answered: bool,
}

impl OpenLine {
    /// Notified when there may be a question.
    pub(crate) fn wake(&self) -> &Notify {
        &self.wake
    }

    /// The poll ends with an answer.
    pub(crate) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for OpenLine {
    fn drop(&mut self) {
        let now = self.clock.now();
        let mut lines = self.presence.lines();
        let line = lines.entry(self.node).or_default();
        line.open = line.open.saturating_sub(1);
        if self.answered {
            line.answered_at = Some(now);
        } else if line.open == 0 {
            line.broke_at = Some(now);
        }
        drop(lines);
        if !self.answered {
            self.presence.announce();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arno_domain::{Clock, NodeId, QuestionId};
    use arno_store::hub::members::Seen;
    use chrono::{DateTime, Duration, Utc};

    use super::{Presence, REDELIVER_AFTER, Standing};
    use crate::Waits;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::seconds(seconds)
    }

    fn seen(node: NodeId) -> Seen {
        Seen {
            node,
            software: "test".into(),
            instances: 0,
            at: at(0),
        }
    }

    #[test]
    fn a_broken_line_is_awaited_for_a_moment() {
        let (presence, node) = (
            Arc::new(Presence::new(at(0), &Waits::default())),
            NodeId::new(),
        );
        assert_eq!(
            presence.standing(node, at(1)),
            Standing::Awaited(at(10)),
            "after a start"
        );
        assert_eq!(presence.standing(node, at(10)), Standing::Offline);
        let line = presence.open_line(seen(node), &Clock::from_fn(|| at(20)));
        assert_eq!(presence.standing(node, at(19)), Standing::Online);
        drop(line);
        assert_eq!(presence.standing(node, at(21)), Standing::Awaited(at(22)));
        assert_eq!(presence.standing(node, at(22)), Standing::Offline);
        presence
            .open_line(seen(node), &Clock::from_fn(|| at(30)))
            .answered();
        assert_eq!(presence.standing(node, at(32)), Standing::Online);
        assert_eq!(presence.standing(node, at(33)), Standing::Offline);
    }

    #[test]
    fn what_was_handed_out_is_handed_out_again_only_after_a_while() {
        let (presence, node) = (Presence::new(at(0), &Waits::default()), NodeId::new());
        let (old, new) = (QuestionId::new(), QuestionId::new());
        assert_eq!(presence.due(node, &[]), None);
        presence.handed_out(node, &[old], at(1));
        assert_eq!(presence.due(node, &[old]), Some(at(1) + REDELIVER_AFTER));
        assert!(
            presence
                .due(node, &[old, new])
                .is_some_and(|due| due < at(1))
        );
    }
}
