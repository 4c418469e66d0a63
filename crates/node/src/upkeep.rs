//! `arno-node verify` and `arno-node compact`: looking after packs by hand. What is said of it goes to standard output, how far it is to a
//! terminal.

use std::{io::IsTerminal as _, path::PathBuf};

use anyhow::bail;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::{
    Compacting, Node, Repaired, Verified,
    commands::{ACTOR, open, say},
};

/// What is verified, and how it is told.
#[derive(Debug, Args)]
pub struct Verify {
    /// The node's folder.
    #[arg(long)]
    data: PathBuf,
    /// First give rows again to whole instances in packs that have none, even when the whole index is lost. What packs do not hold
    /// does not come back: times of arrival, runs, quarantine, previews, readings, datasets, accounts, the audit log.
    #[arg(long)]
    repair: bool,
    /// Print the outcome as one JSON object.
    #[arg(long)]
    json: bool,
}

/// What is compacted, and how it is told.
#[derive(Debug, Args)]
pub struct Compact {
    /// The node's folder.
    #[arg(long)]
    data: PathBuf,
    /// Print the outcome as one JSON object.
    #[arg(long)]
    json: bool,
}

/// The outcome of both.
#[derive(Serialize)]
struct Outcome {
    #[serde(flatten)]
    verified: Verified,
    #[serde(skip_serializing_if = "Option::is_none")]
    repaired: Option<Repaired>,
}

/// Reads everything, and puts rows right first when asked to.
pub(crate) async fn verify(verify: Verify) -> anyhow::Result<()> {
    let node = open(&verify.data).await?;
    let repaired = match verify.repair {
        true => Some(repair(&node).await?),
        false => None,
    };
    let bar = bar("instances");
    bar.set_length(node.store().instance_count().await?);
    let verified = node.verify_telling(|seen| bar.set_position(seen)).await;
    bar.finish_and_clear();
    let outcome = Outcome {
        verified: verified?,
        repaired,
    };
    let (holds, damaged) = (outcome.verified.holds(), outcome.verified.damaged);
    if verify.json {
        say(&serde_json::to_string(&outcome)?)?;
    } else {
        say(&told(&outcome))?;
    }
    match (holds, damaged) {
        (true, _) => Ok(()),
        (false, 0) => bail!("index and packs do not fit together: see above"),
        (false, _) => bail!("what is kept is not what was kept: restore it from a backup"),
    }
}

async fn repair(node: &Node) -> anyhow::Result<Repaired> {
    let bar = bar("series");
    let repaired = node.repair(ACTOR, || bar.inc(1)).await;
    bar.finish_and_clear();
    Ok(repaired?)
}

fn told(outcome: &Outcome) -> String {
    let verified = &outcome.verified;
    let log = verified.audit_break.map_or_else(
        || "holds".to_owned(),
        |entry| format!("is broken at entry {entry}"),
    );
    let mut lines = vec![format!(
        "{} instances ({} bytes): {} damaged; the audit log {log}",
        verified.instances, verified.size_bytes, verified.damaged
    )];
    if let Some(repaired) = &outcome.repaired {
        lines.insert(
            0,
            format!(
                "{} instances have rows again, {} could not be restored",
                repaired.instances, repaired.not_restored
            ),
        );
    }
    let also = [
        (
            verified.missing_rows,
            "instances in packs have lost their rows: run `arno-node verify --repair`",
        ),
        (
            verified.unknown_records,
            "instances lie in packs that the index does not know; `--repair` takes them in",
        ),
        (
            verified.deleted_records,
            "deleted instances wait for compaction",
        ),
        (
            verified.left_records,
            "records were left by a crash or are superseded: they do no harm",
        ),
        (
            verified.unreadable_bytes,
            "bytes within packs are no record",
        ),
    ];
    for (count, what) in also {
        lines.extend((count > 0).then(|| format!("  {count} {what}")));
    }
    for uid in verified
        .damaged_instances
        .iter()
        .chain(&verified.missing_instances)
    {
        lines.push(format!("  {uid}"));
    }
    lines.join("\n")
}

/// Writes packs anew that have dead bytes.
pub(crate) async fn compact(compact: Compact) -> anyhow::Result<()> {
    let compacted = open(&compact.data).await?.compact(Compacting::All).await?;
    if compact.json {
        return say(&serde_json::to_string(&compacted)?);
    }
    say(&format!(
        "{} packs written anew, {} bytes freed",
        compacted.packs, compacted.freed_bytes
    ))
}

fn bar(what: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = format!("{{pos}} {what} {{wide_bar}} {{per_sec}}");
    let style =
        ProgressStyle::with_template(&style).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}
