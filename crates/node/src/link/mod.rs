//! The link to the hub: the node calls, asks for work, answers, and delivers datasets. It lives through a hub that
//! restarts and lines that break; nothing is asked or answered twice with another content.
//!
//! A question is worked on beside the next poll, so a slow round does not hold up a search. Every answer is stored
//! before it is sent; what was stored is sent again as often as it is asked for.

mod answer;
mod channel;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use arno_domain::{QuestionId, invitation::Invitation};
use arno_protocol::federation::{
    Declare, Delivery, Join, MAX_POLL_WAIT_MS, Membership, Poll, Publish, Question, Receipt,
};
use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt as _;
use tokio::sync::{Mutex, Semaphore, watch};

use self::channel::Channel;
use crate::{Node, NodeError, Pinned};

/// How long the hub is asked to hold a poll open.
const POLL_WAIT_MS: u64 = 20_000;
const _: () = assert!(POLL_WAIT_MS <= MAX_POLL_WAIT_MS);
/// First wait after a failure; doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Longest wait after a failure: a hub that comes back is found within this.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How often a node that is no member looks whether it was made one by `arno-node join`.
const MEMBERSHIP_PERIOD: Duration = Duration::from_secs(2);
/// How often datasets are looked for that another program published.
const DELIVERY_PERIOD: Duration = Duration::from_secs(15);
/// How long a count of instances is good enough for the hub: each question comes with a poll, and the rows of an archive are many.
const COUNT_PERIOD: TimeDelta = TimeDelta::seconds(10);
/// Questions worked on at a time; others wait their turn.
const MAX_ANSWERERS: usize = 8;

impl Node {
    /// Joins a federation: tells the hub who this node is, and pins the federation's keys.
    ///
    /// # Errors
    /// [`NodeError::JoinedAlready`], or the hub's reason.
    pub async fn join(&self, invitation: &Invitation) -> Result<Membership, NodeError> {
        self.require_deidentified()?;
        if let Some(pinned) = self.membership().await? {
            return Err(NodeError::JoinedAlready(pinned.federation));
        }
        let mut pinned = Pinned {
            federation: String::new(),
            joined_at: self.now(),
            hub_url: invitation.hub_url.clone(),
            root_key: invitation.root_key,
            root_certificate: invitation.root_certificate.clone(),
            committee_key: invitation.committee_key,
        };
        let channel = Channel::new(self.clone(), &pinned)?;
        let join = Join {
            code: invitation.code.clone(),
            card: self.card(),
        };
        let membership: Membership = channel
            .call("/federation/v1/join", join, channel::TIMEOUT)
            .await?;
        pinned.federation.clone_from(&membership.federation);
        pinned.joined_at = membership.joined_at;
        self.pin(&pinned).await?;
        Ok(membership)
    }

    /// Sends what the hub does not have yet; how many datasets that were.
    ///
    /// # Errors
    /// When the node is no member or the hub cannot be asked.
    pub async fn deliver_datasets(&self) -> Result<usize, NodeError> {
        let pinned = self
            .membership()
            .await?
            .ok_or_else(|| NodeError::rule("no_member", "this node has not joined a federation"))?;
        Link::new(self.clone(), pinned)?.deliver().await
    }

    /// Keeps the link up until told to stop.
    pub(crate) async fn keep_linked(self, mut stop: watch::Receiver<bool>) {
        loop {
            match self.membership().await {
                Ok(Some(pinned)) => match Link::new(self.clone(), pinned) {
                    Ok(link) => return link.run(stop).await,
                    Err(error) => tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the link cannot be set up"
                    ),
                },
                Ok(None) => {}
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the membership cannot be read"
                ),
            }
            if pause(&mut stop, MEMBERSHIP_PERIOD).await {
                return;
            }
        }
    }
}

/// Waits, but not beyond the end; whether it came.
async fn pause(stop: &mut watch::Receiver<bool>, duration: Duration) -> bool {
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => true,
        () = tokio::time::sleep(duration) => false,
    }
}

/// What tasks of one link share.
#[derive(Clone)]
struct Link {
    node: Node,
    pinned: Arc<Pinned>,
    channel: Arc<Channel>,
    at_work: Arc<Mutex<BTreeSet<QuestionId>>>,
    counted: Arc<Mutex<Option<Instances>>>,
    places: Arc<Semaphore>,
}

/// When instances were counted last, and how many they were.
type Instances = (DateTime<Utc>, u64);

impl Link {
    fn new(node: Node, pinned: Pinned) -> Result<Self, NodeError> {
        Ok(Self {
            channel: Arc::new(Channel::new(node.clone(), &pinned)?),
            node,
            pinned: Arc::new(pinned),
            at_work: Arc::default(),
            counted: Arc::default(),
            places: Arc::new(Semaphore::new(MAX_ANSWERERS)),
        })
    }

    async fn run(self, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            () = self.poll_on(stop.clone()) => {}
            () = self.deliver_on(stop.clone()) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    async fn poll_on(&self, mut stop: watch::Receiver<bool>) {
        let mut failures = 0;
        loop {
            let polled = self.poll().await;
            self.note(polled.as_ref().err());
            match polled {
                Ok(questions) => {
                    failures = 0;
                    self.take_up(questions).await;
                }
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "the poll failed");
                    if pause(&mut stop, wait_after(failures)).await {
                        return;
                    }
                    failures += 1;
                }
            }
        }
    }

    async fn poll(&self) -> Result<Vec<Question>, NodeError> {
        let poll = Poll {
            wait_ms: POLL_WAIT_MS,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            instances: self.instances().await?,
        };
        let timeout = Duration::from_millis(POLL_WAIT_MS) + channel::TIMEOUT;
        let delivery: Delivery = self
            .channel
            .call("/federation/v1/poll", poll, timeout)
            .await?;
        Ok(delivery.questions)
    }

    async fn instances(&self) -> Result<u64, NodeError> {
        let (now, mut counted) = (self.node.now(), self.counted.lock().await);
        if let Some((at, instances)) = *counted
            && (now - at).abs() < COUNT_PERIOD
        {
            return Ok(instances);
        }
        let instances = self.node.store().instance_count().await?;
        *counted = Some((now, instances));
        Ok(instances)
    }

    /// Shown on the node's overview.
    fn note(&self, error: Option<&NodeError>) {
        let now = self.node.now();
        let changed = self.node.contact().borrow().connected == error.is_some();
        self.node.contact().send_modify(|contact| {
            contact.connected = error.is_none();
            match error {
                None => contact.last_contact = Some(now),
                Some(error) => contact.last_error = Some(said(error)),
            }
        });
        match error {
            Some(error) if changed => tracing::warn!(
                reason = said(error),
                "the hub cannot be reached; trying again"
            ),
            None if changed => tracing::info!(hub = self.pinned.hub_url, "the hub is reached"),
            _ => {}
        }
    }

    /// Starts to work on what is not being worked on.
    async fn take_up(&self, questions: Vec<Question>) {
        let mut at_work = self.at_work.lock().await;
        for question in questions {
            if question.expires_at > self.node.now() && at_work.insert(question.id) {
                let link = self.clone();
                tokio::spawn(async move {
                    if let Ok(_place) = link.places.acquire().await {
                        link.answer_and_send(&question).await;
                    }
                    link.at_work.lock().await.remove(&question.id);
                });
            }
        }
    }

    async fn answer_and_send(&self, question: &Question) {
        let sent = async {
            let answer = self.node.answer(&self.pinned, question).await?;
            self.channel
                .call::<_, Receipt>("/federation/v1/answers", answer, channel::TIMEOUT)
                .await
        };
        if let Err(error) = sent.await {
            // It is stored, if it was computed; the hub asks again.
            tracing::warn!(question = %question.id, reason = said(&error), "an answer was not delivered");
        }
    }

    async fn deliver_on(&self, mut stop: watch::Receiver<bool>) {
        let mut declared = None;
        loop {
            if let Err(error) = self.deliver().await {
                tracing::debug!(reason = said(&error), "datasets were not delivered");
            }
            match self.declare(declared).await {
                Ok(version) => declared = version,
                Err(error) => {
                    tracing::debug!(reason = said(&error), "the manifest was not declared")
                }
            }
            tokio::select! {
                () = self.node.to_deliver().notified() => {}
                ended = pause(&mut stop, DELIVERY_PERIOD) => if ended { return },
            }
        }
    }

    /// Tells the hub what the node can be asked about, unless it was told just that.
    async fn declare(
        &self,
        declared: Option<DateTime<Utc>>,
    ) -> Result<Option<DateTime<Utc>>, NodeError> {
        let manifest = self.node.manifest().await?;
        if declared == Some(manifest.issued_at) {
            return Ok(declared);
        }
        let declare = Declare {
            manifest: self.node.signed(&manifest),
        };
        let _: Receipt = self
            .channel
            .call("/federation/v1/manifest", declare, channel::TIMEOUT)
            .await?;
        Ok(Some(manifest.issued_at))
    }

    async fn deliver(&self) -> Result<usize, NodeError> {
        let undelivered = self.node.store().undelivered_datasets().await?;
        let count = undelivered.len();
        for dataset in undelivered {
            let publish = Publish {
                record: dataset.signed,
            };
            let _: Receipt = self
                .channel
                .call("/federation/v1/datasets", publish, channel::TIMEOUT)
                .await?;
            self.node.store().set_dataset_delivered(dataset.id).await?;
        }
        Ok(count)
    }
}

/// An error and its causes in one line.
fn said(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |cause| cause.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Doubles with each failure; half of it is random, so that nodes do not come back all at once.
fn wait_after(failures: u32) -> Duration {
    let full = FIRST_WAIT
        .saturating_mul(1 << failures.min(10))
        .min(LONGEST_WAIT);
    full.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::{FIRST_WAIT, LONGEST_WAIT, wait_after};

    #[test]
    fn waits_grow_and_stay_bounded() {
        for failures in [0, 1, 5, 100] {
            let wait = wait_after(failures);
            assert!(wait >= FIRST_WAIT / 2 && wait <= LONGEST_WAIT, "{wait:?}");
        }
        assert!(wait_after(100) >= LONGEST_WAIT / 2);
    }
}
