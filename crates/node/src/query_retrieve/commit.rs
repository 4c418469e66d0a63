//! Storage commitment: which of the named instances this node keeps. Their UIDs are those that were sent, so they are looked up as
//! de-identification maps them.

use std::{collections::BTreeSet, time::Duration};

use arno_dicom::{
    Header, dataset,
    json::{self, Attributes},
};
use arno_dimse::scp::{CommitHandler, CommitOutcome, CommitRefusal, CommitReport, CommitRequest};
use arno_store::node::Scope;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{Node, NodeError};

/// Instances of one request.
const MAX_REFERENCED: usize = 100_000;
/// What was acknowledged is taken in soon, unless the disk is full.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Transaction UID, Referenced and Failed SOP Sequence, their items' UIDs, and the reason (PS3.4 tables J.3-1 and J.3-2).
const TRANSACTION: &str = "00081195";
const REFERENCED: &str = "00081199";
const FAILED: &str = "00081198";
const SOP_CLASS: &str = "00081150";
const SOP_INSTANCE: &str = "00081155";
const REASON: &str = "00081197";
/// No such object instance.
const NOT_HERE: u16 = 0x0112;
/// The instance is kept as another SOP class.
const CLASS_CONFLICT: u16 = 0x0119;

/// A request as it was sent.
struct Wanted {
    transaction: String,
    instances: Vec<Reference>,
}

/// An instance as its sender knows it.
#[derive(Clone)]
struct Reference {
    sop_class: String,
    sop_instance: String,
}

pub(super) fn handler(node: Node) -> CommitHandler {
    CommitHandler::new(move |request: CommitRequest| {
        let node = node.clone();
        async move {
            let wanted = read(&request).ok_or(CommitRefusal::InvalidArgument)?;
            let transfer_syntax = request.transfer_syntax.as_str().to_owned();
            Ok(report(node, wanted, transfer_syntax))
        }
    })
}

fn read(request: &CommitRequest) -> Option<Wanted> {
    let syntax = request.transfer_syntax.as_str();
    let header = dataset::read_data_set(request.information.clone(), syntax).ok()?;
    let text = |header: &Header, name: &str| {
        let text = header.element_by_name(name).ok()?.to_str().ok()?;
        Some(text.trim_end_matches(['\0', ' ']).to_owned()).filter(|text| !text.is_empty())
    };
    let items = header
        .element_by_name("ReferencedSOPSequence")
        .ok()?
        .items()?;
    let reference = |item: &Header| {
        Some(Reference {
            sop_class: text(item, "ReferencedSOPClassUID")?,
            sop_instance: text(item, "ReferencedSOPInstanceUID")?,
        })
    };
    if items.is_empty() || items.len() > MAX_REFERENCED {
        return None;
    }
    Some(Wanted {
        transaction: text(&header, "TransactionUID")?,
        instances: items.iter().map(reference).collect::<Option<_>>()?,
    })
}

/// Waits for what was acknowledged and is not indexed yet.
async fn report(node: Node, wanted: Wanted, transfer_syntax: String) -> CommitReport {
    let began = Instant::now();
    node.catch_up_within(PATIENCE).await;
    let failed = loop {
        match missing(&node, &wanted.instances).await {
            Ok(failed) => break failed,
            Err(error) if began.elapsed() > PATIENCE => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "commitment failed"
                );
                break wanted
                    .instances
                    .iter()
                    .map(|it| (it.clone(), NOT_HERE))
                    .collect();
            }
            Err(_) => sleep(LOOK_AGAIN).await,
        }
    };
    let outcome = match failed.is_empty() {
        true => CommitOutcome::AllCommitted,
        false => CommitOutcome::SomeFailed,
    };
    CommitReport {
        outcome,
        information: information(&wanted, &failed, &transfer_syntax),
    }
}

async fn missing(node: &Node, wanted: &[Reference]) -> Result<Vec<(Reference, u16)>, NodeError> {
    let mut missing = Vec::new();
    for reference in wanted {
        let mut found = None;
        for uid in node.kept_as(&reference.sop_instance) {
            let scope = Scope {
                instance_uid: Some(uid),
                ..Scope::default()
            };
            found = node.store().kept_instances(&scope, None, 1).await?.pop();
            if found.is_some() {
                break;
            }
        }
        match found {
            Some(kept) if kept.sop_class == reference.sop_class => {}
            Some(_) => missing.push((reference.clone(), CLASS_CONFLICT)),
            None => missing.push((reference.clone(), NOT_HERE)),
        }
    }
    Ok(missing)
}

fn information(
    wanted: &Wanted,
    failed: &[(Reference, u16)],
    transfer_syntax: &str,
) -> bytes::Bytes {
    let names: BTreeSet<&str> = failed
        .iter()
        .map(|(it, _)| it.sop_instance.as_str())
        .collect();
    let is_committed = |it: &&Reference| !names.contains(it.sop_instance.as_str());
    let committed: Vec<Value> = wanted
        .instances
        .iter()
        .filter(is_committed)
        .map(item)
        .collect();
    let refused: Vec<Value> = failed
        .iter()
        .map(|(reference, reason)| {
            let mut item = item(reference);
            item[REASON] = json!({ "vr": "US", "Value": [reason] });
            item
        })
        .collect();
    let mut attributes = Attributes::new();
    let transaction = json!({ "vr": "UI", "Value": [wanted.transaction] });
    attributes.insert(TRANSACTION.to_owned(), transaction);
    for (name, items) in [(REFERENCED, committed), (FAILED, refused)] {
        if !items.is_empty() {
            attributes.insert(name.to_owned(), json!({ "vr": "SQ", "Value": items }));
        }
    }
    let header = json::to_header(&attributes);
    let bytes = header
        .ok()
        .and_then(|header| dataset::write_data_set(&header, transfer_syntax).ok());
    bytes.unwrap_or_default().into()
}

impl Node {
    /// Under which UIDs an instance may be kept that its sender knows by another.
    fn kept_as(&self, sent: &str) -> Vec<String> {
        match self.is_identifiable() {
            true => vec![sent.to_owned()],
            false => {
                let secrets = self.keys().pseudonym.secrets();
                secrets.map(|secret| secret.map_uid(sent)).collect()
            }
        }
    }
}

fn item(reference: &Reference) -> Value {
    json!({
        SOP_CLASS: { "vr": "UI", "Value": [reference.sop_class] },
        SOP_INSTANCE: { "vr": "UI", "Value": [reference.sop_instance] },
    })
}
