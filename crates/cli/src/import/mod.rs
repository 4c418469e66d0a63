//! `arno import`: brings instances from a public archive or another object store (one object per instance, such as
//! `<series>/<instance>.dcm`) into a node's folder, each compared with the size and digest that are listed of it.
//!
//! ```text
//! manifest → list → download (several at a time) → compare → the node's own ingest (check, de-identify, keep)
//! ```
//! Resumable: what was dealt with is noted beside the node's data, and is not downloaded again.

mod done;
mod download;
mod manifest;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use arno_client::{Credentials, ObjectAccess};
use arno_domain::Clock;
use arno_node::{ClinicalCommand, Incoming, Node, NodeCommand, NodeConfig};
use serde::Serialize;

use self::{
    done::{DoneList, Line},
    download::{Downloaded, Downloads},
    manifest::{Wanted, What},
};
use crate::{
    Shared,
    output::{self, Grid},
};

/// Who acts in the audit log.
const ACTOR: &str = "command line";
/// Instances that are handed to the node at once, and their bytes.
const MAX_BATCH_INSTANCES: usize = 64;
const MAX_BATCH_BYTES: usize = 16 << 20;
/// Problems that are printed; the report has them all.
const MAX_PRINTED: usize = 20;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct ImportArgs {
    #[command(subcommand)]
    kind: Option<ImportKind>,
    /// An address (s3://bucket/series/), or a manifest: s5cmd commands, addresses, or CSV with sizes and digests
    #[arg(required = true)]
    source: Option<String>,
    /// The node's folder
    #[arg(long, required = true)]
    data: Option<PathBuf>,
    /// The store; Amazon's in the region unless given
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    endpoint: Option<String>,
    /// The region, part of the signature
    #[arg(long, env = "AWS_REGION", default_value = "us-east-1")]
    region: String,
    /// Downloads at a time
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    concurrency: u8,
    /// Write one line of CSV per object to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Only list what would be downloaded
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Subcommand)]
enum ImportKind {
    /// Check a table or FHIR resources by a mapping, then load them into a node as a whole or not at all
    Clinical(arno_node::ClinicalLoad),
}

/// How an import went.
#[derive(Debug, Default, Serialize)]
struct Summary {
    objects: u64,
    bytes: u64,
    done_before: u64,
    stored: u64,
    unchanged: u64,
    quarantined: u64,
    failed: u64,
    /// Prefixes with another number of objects than the manifest says.
    incomplete: u64,
}

pub(crate) async fn run(shared: &Shared, args: ImportArgs) -> anyhow::Result<()> {
    if let Some(ImportKind::Clinical(mut load)) = args.kind {
        load.json |= shared.json;
        return arno_node::run(NodeCommand::Clinical(ClinicalCommand::Load(load))).await;
    }
    let (Some(source), Some(data)) = (&args.source, &args.data) else {
        bail!("name a source, and the node's folder with --data");
    };
    let wanted = manifest::read(source)?;
    let access = ObjectAccess {
        endpoint: args
            .endpoint
            .clone()
            .unwrap_or_else(|| format!("https://s3.{}.amazonaws.com", args.region)),
        region: args.region.clone(),
        credentials: Credentials::from_env(),
    };
    let node = Node::open(NodeConfig::load(data, 0)?, Clock::system()).await?;
    let mut import = Import::begin(shared, &args, data, node, access)?;
    for one in &wanted {
        import.wanted(one).await?;
    }
    import.finish(shared).await
}

struct Import<'a> {
    args: &'a ImportArgs,
    node: Node,
    downloads: Downloads,
    done: DoneList,
    report: done::Report,
    bar: indicatif::ProgressBar,
    summary: Summary,
    problems: Vec<String>,
}

impl<'a> Import<'a> {
    fn begin(
        shared: &Shared,
        args: &'a ImportArgs,
        data: &Path,
        node: Node,
        access: ObjectAccess,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            done: DoneList::open(data, &access.endpoint)?,
            report: done::Report::create(args.report.as_deref())?,
            downloads: Downloads::new(access, usize::from(args.concurrency)),
            bar: output::bar(shared.json, 0, "objects"),
            summary: Summary::default(),
            problems: Vec::new(),
            args,
            node,
        })
    }

    /// Lists, downloads and takes in one line of the manifest.
    async fn wanted(&mut self, wanted: &Wanted) -> anyhow::Result<()> {
        let objects = self.downloads.list(wanted).await?;
        self.compare_count(wanted, objects.len() as u64);
        self.summary.objects += objects.len() as u64;
        self.bar.inc_length(objects.len() as u64);
        let (old, new): (Vec<_>, Vec<_>) = objects
            .into_iter()
            .partition(|object| self.done.has(object));
        self.summary.done_before += old.len() as u64;
        self.bar.inc(old.len() as u64);
        if self.args.dry_run || new.is_empty() {
            return Ok(());
        }
        let mut taking = self
            .node
            .begin_taking_in(&format!("s3://{}", wanted.bucket), ACTOR)
            .await?;
        let mut arriving = self.downloads.fetch(new);
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(arrived) = arriving.next().await {
            match arrived {
                Ok(downloaded) => {
                    bytes += downloaded.bytes.len();
                    batch.push(downloaded);
                }
                Err((object, reason)) => self.failed(&object.address(), &reason)?,
            }
            if batch.len() >= MAX_BATCH_INSTANCES || bytes >= MAX_BATCH_BYTES {
                self.take(&mut taking, std::mem::take(&mut batch)).await?;
                bytes = 0;
            }
        }
        self.take(&mut taking, batch).await?;
        taking.finish().await?;
        Ok(())
    }

    /// A manifest may say how many instances a series has.
    fn compare_count(&mut self, wanted: &Wanted, found: u64) {
        let Some(expected) = wanted.expected.instances.filter(|count| *count != found) else {
            return;
        };
        let (What::Prefix(key) | What::Object(key)) = &wanted.what;
        self.summary.incomplete += 1;
        self.problems.push(format!(
            "s3://{}/{key}: {found} objects where the manifest says {expected}",
            wanted.bucket
        ));
    }

    async fn take(
        &mut self,
        taking: &mut arno_node::TakingIn,
        batch: Vec<Downloaded>,
    ) -> anyhow::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let incoming = batch
            .iter()
            .map(|downloaded| Incoming {
                name: downloaded.object.address(),
                bytes: downloaded.bytes.clone(),
            })
            .collect();
        let taken = taking.take(incoming).await?;
        for (downloaded, taken) in batch.iter().zip(taken) {
            let line = Line::of(&downloaded.object, &taken.fate);
            self.summary.count(&taken.fate, downloaded.bytes.len());
            self.report.write(&line)?;
            self.done.add(&downloaded.object)?;
            self.bar.inc(1);
        }
        Ok(())
    }

    fn failed(&mut self, address: &str, reason: &str) -> anyhow::Result<()> {
        self.summary.failed += 1;
        self.bar.inc(1);
        self.problems.push(format!("{address}: {reason}"));
        self.report.write(&Line::failed(address, reason))
    }

    async fn finish(mut self, shared: &Shared) -> anyhow::Result<()> {
        self.bar.finish_and_clear();
        self.report.finish()?;
        self.node.store().database().close().await;
        match shared.json {
            true => output::json(&self.summary)?,
            false => println!("{}", self.summary),
        }
        for problem in self.problems.iter().take(MAX_PRINTED) {
            eprintln!("  {problem}");
        }
        if self.problems.len() > MAX_PRINTED {
            let more = self.problems.len() - MAX_PRINTED;
            eprintln!("  and {more} more; --report FILE has them all");
        }
        if self.problems.is_empty() {
            return Ok(());
        }
        bail!("not everything could be had: run the same again, it goes on where it was")
    }
}

impl Summary {
    fn count(&mut self, fate: &arno_node::Fate, bytes: usize) {
        self.bytes += bytes as u64;
        match fate {
            arno_node::Fate::Stored => self.stored += 1,
            arno_node::Fate::Known => self.unchanged += 1,
            arno_node::Fate::Refused { .. } => self.quarantined += 1,
        }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut grid = Grid::new(&["objects", ""], &[1]);
        for (name, count) in [
            ("listed", self.objects),
            ("dealt with before", self.done_before),
            ("stored", self.stored),
            ("here already", self.unchanged),
            ("in quarantine", self.quarantined),
            ("not to be had", self.failed),
            ("bytes downloaded", self.bytes),
        ] {
            grid.row([name.to_owned(), output::grouped(count)]);
        }
        write!(formatter, "{grid}")
    }
}

/// Reads the names of a line's cells; kept here so that report and done list agree.
fn line_error(path: &std::path::Path) -> impl Fn(std::io::Error) -> anyhow::Error + '_ {
    move |error| anyhow::Error::new(error).context(format!("{} cannot be written", path.display()))
}

/// Makes the folder of the node's own notes on imports.
fn imports_folder(data: &std::path::Path) -> anyhow::Result<PathBuf> {
    let folder = data.join("imports");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(folder)
}
