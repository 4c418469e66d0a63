//! What was acknowledged must end in a pack or in quarantine, whatever fails on the way.
//!
//! A failure of the node itself, such as a full disk, is waited out: nothing more is acknowledged meanwhile. A failure that
//! stays although the node can write is that of single instances: each is then taken in by itself, and what fails alone goes
//! into quarantine, copy and reason, so that one instance does not keep all others out.

use std::time::Duration;

use arno_domain::hex;
use arno_protocol::node::ReceivingTrouble;
use tokio::time::sleep;

use super::{
    ACTOR, SOURCE,
    journal::{Acknowledged, Journal},
};
use crate::{
    Node, NodeError,
    ingest::{Received, TakingIn},
};

/// How often a batch is tried as a whole before its instances are tried one by one.
const TRIES_TOGETHER: u32 = 3;
/// The first wait after a failure; each is twice as long as the one before.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait: a node that has room again goes on within this.
const MAX_WAIT: Duration = Duration::from_secs(8);

/// Tries until the batch is settled: all of it is in packs or in quarantine.
pub(super) async fn take_until_kept(
    node: &Node,
    journal: &Journal,
    batch: &[Acknowledged],
    run: &mut Option<TakingIn>,
) {
    let (mut failures, mut wait) = (0, FIRST_WAIT);
    while let Err(error) = take(node, batch, run).await {
        failures += 1;
        let mut blocked = blocks(&error);
        if blocked == Blocks::Nothing && failures >= TRIES_TOGETHER {
            match take_one_by_one(node, batch, run).await {
                Ok(()) => break,
                Err(error) => {
                    report(node, &error, batch.len());
                    blocked = Blocks::Receiving;
                }
            }
        } else {
            report(node, &error, batch.len());
        }
        journal.set_blocked(blocked == Blocks::Receiving);
        sleep(wait).await;
        wait = (wait * 2).min(MAX_WAIT);
    }
    journal.set_blocked(false);
    node.set_receiving_trouble(None);
}

/// Whether senders are told to wait while a failure lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blocks {
    /// There is no room, or nothing can be written: what is acknowledged now could not be kept.
    Receiving,
    /// It may be about one instance, or over soon; what comes meanwhile is bounded by the journal's room.
    Nothing,
}

fn blocks(error: &NodeError) -> Blocks {
    match error {
        NodeError::Full(_) => Blocks::Receiving,
        _ => Blocks::Nothing,
    }
}

/// For the log and for the node's page. No error of the node holds a value of an instance.
fn report(node: &Node, error: &NodeError, instances: usize) {
    tracing::error!(
        error = error as &dyn std::error::Error,
        instances,
        "what was received is not taken in; it is safe in the journal and tried again"
    );
    let since = node.receiving_trouble().map(|trouble| trouble.since);
    node.set_receiving_trouble(Some(ReceivingTrouble {
        since: since.unwrap_or_else(|| node.now()),
        reason: error.to_string(),
        instances: instances as u64,
    }));
}

async fn take(
    node: &Node,
    batch: &[Acknowledged],
    run: &mut Option<TakingIn>,
) -> Result<(), NodeError> {
    let taking = begun(node, run).await?;
    let received = batch.iter().map(received).collect();
    taking.take_received(received).await?;
    Ok(())
}

/// Those that were settled before a failure are known when they come again.
async fn take_one_by_one(
    node: &Node,
    batch: &[Acknowledged],
    run: &mut Option<TakingIn>,
) -> Result<(), NodeError> {
    let taking = begun(node, run).await?;
    for instance in batch {
        match taking.take_received(vec![received(instance)]).await {
            Err(error @ (NodeError::Full(_) | NodeError::Busy)) => return Err(error),
            Err(error) => put_aside(node, taking, instance, &error).await?,
            Ok(_) => {}
        }
    }
    Ok(())
}

/// Only where the node can write at all; otherwise a broken disk would fill the quarantine.
async fn put_aside(
    node: &Node,
    taking: &mut TakingIn,
    instance: &Acknowledged,
    error: &NodeError,
) -> Result<(), NodeError> {
    let packs = node.packs().clone();
    tokio::task::spawn_blocking(move || packs.probe()).await??;
    let received = received(instance);
    tracing::error!(
        error = error as &dyn std::error::Error,
        instance = received.name,
        "a received instance is put into quarantine: it alone cannot be kept"
    );
    taking.put_aside(received, error).await
}

async fn begun<'run>(
    node: &Node,
    run: &'run mut Option<TakingIn>,
) -> Result<&'run mut TakingIn, NodeError> {
    match run {
        Some(taking) => Ok(taking),
        None => Ok(run.insert(node.begin_taking_in(SOURCE, ACTOR).await?)),
    }
}

fn received(instance: &Acknowledged) -> Received {
    let sha256 = hex::encode(&instance.record.sha256);
    Received {
        name: format!("received {}", &sha256[..16]),
        bytes: instance.record.bytes.clone(),
        sha256,
    }
}
