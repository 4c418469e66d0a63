//! How far taking in is behind what was acknowledged. Who asks for what is kept waits for what was acknowledged before the
//! question: a sender that stores and then asks finds what it stored.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

use crate::Node;

/// Longest that a question waits. A full journal is taken in within a second; clients give up after half a minute.
const PATIENCE: Duration = Duration::from_secs(10);

/// Counts what was acknowledged and what of it is settled. Instances are settled in the order in which they were
/// acknowledged, so the counts say which of them are.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    acknowledged: AtomicU64,
    settled: watch::Sender<u64>,
    asked: Notify,
    replaying: watch::Sender<bool>,
}

impl Backlog {
    /// Counts an instance, before it can be taken in and before its sender hears of it.
    pub(super) fn acknowledge(&self) {
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
    }

    /// Says whether more is to come that was acknowledged before the last stop.
    pub(super) fn set_replaying(&self, is_replaying: bool) {
        self.replaying.send_replace(is_replaying);
    }

    /// So many more instances are in packs or in quarantine, and their rows are there.
    pub(super) fn settle(&self, instances: usize) {
        self.settled
            .send_modify(|settled| *settled += instances as u64);
    }

    /// Comes back once somebody waits for what is to be taken in next.
    pub(super) async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Waits until what is acknowledged by now is settled, or as long as `patience`; says whether it is.
    async fn caught_up(&self, patience: Duration) -> bool {
        timeout(patience, self.settled_by_now()).await.is_ok()
    }

    /// The senders of both channels are here, so that no wait fails.
    async fn settled_by_now(&self) {
        if *self.replaying.borrow() {
            let mut replaying = self.replaying.subscribe();
            let _ = replaying.wait_for(|is_replaying| !is_replaying).await;
        }
        let acknowledged = self.acknowledged.load(Ordering::SeqCst);
        if *self.settled.borrow() < acknowledged {
            self.asked.notify_one();
            let mut settled = self.settled.subscribe();
            let _ = settled.wait_for(|settled| *settled >= acknowledged).await;
        }
    }
}

impl Node {
    /// Waits for what was acknowledged before, unless nothing can be taken in at present; what is not there in time is not
    /// waited for any longer.
    pub(crate) async fn catch_up(&self) {
        if self.receiving_trouble().is_none() {
            self.catch_up_within(PATIENCE).await;
        }
    }

    /// The same for who would rather wait longer than miss something.
    pub(crate) async fn catch_up_within(&self, patience: Duration) {
        let _ = self.backlog().caught_up(patience).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Backlog, PATIENCE};

    #[tokio::test]
    async fn a_question_waits_for_what_was_acknowledged_before_it_and_for_nothing_else() {
        let backlog = Backlog::default();
        assert!(backlog.caught_up(Duration::ZERO).await, "nothing is behind");

        backlog.acknowledge();
        backlog.acknowledge();
        assert!(!backlog.caught_up(Duration::ZERO).await);
        let settling = async {
            backlog.asked().await;
            backlog.acknowledge();
            backlog.settle(2);
        };
        let (caught_up, ()) = tokio::join!(backlog.caught_up(PATIENCE), settling);
        assert!(caught_up, "the third came after the question");
        assert!(
            !backlog.caught_up(Duration::ZERO).await,
            "nobody settles it"
        );

        backlog.settle(1);
        backlog.set_replaying(true);
        assert!(!backlog.caught_up(Duration::ZERO).await, "more is to come");
        backlog.set_replaying(false);
        assert!(backlog.caught_up(Duration::ZERO).await);
    }
}
