//! Ingest: a folder is walked, each file read, checked, de-identified, kept and indexed, or put into quarantine with
//! its reason. Nothing is dropped silently, and running it again changes nothing.
//!
//! ```text
//! walk → read (bounded) → known? → prepare (arno-dicom, arno-deid; on all cores) → batch (packs, then rows)
//! ```
//! One ingest at a time. Bytes are durable before a row points at them, and a batch becomes visible at once, so that a
//! crash or a full disk leaves nothing half there.

mod batch;
mod prepare;
mod preview;
mod readings;
mod refusal;
mod rows;
mod walk;

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    path::Path,
};

use arno_domain::audit::Outcome;
use arno_protocol::node::{IngestProgress, IngestRun};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use self::{
    batch::{Done, Failed, Item},
    prepare::{prepare, read},
    walk::{Found, FoundKind, walk},
};
use crate::{Node, NodeError};

/// Files in a batch: enough to share one fsync, few enough that progress moves.
const MAX_BATCH_FILES: usize = 64;
/// Bytes in a batch, which are in memory twice; a larger file is a batch of its own.
const MAX_BATCH_BYTES: u64 = 64 << 20;

/// A run that was begun: its files are known, none is read yet.
#[derive(Debug)]
pub(crate) struct PlannedIngest {
    run: IngestRun,
    files: Vec<Found>,
    actor: String,
}

impl PlannedIngest {
    /// The run as its row stands.
    pub(crate) fn run(&self) -> &IngestRun {
        &self.run
    }
}

impl Node {
    /// Takes in all files below a folder, in the name of `actor`.
    ///
    /// # Errors
    /// [`NodeError::Full`] when there is no room and [`NodeError::Busy`] when another program is at it: run the same again
    /// later. A file that is not taken in is no error; it is in quarantine.
    pub async fn ingest(&self, folder: &Path, actor: &str) -> Result<IngestRun, NodeError> {
        let planned = self.plan_ingest(folder, actor).await?;
        self.run_ingest(planned).await
    }

    /// Finds the files and begins a run.
    pub(crate) async fn plan_ingest(
        &self,
        folder: &Path,
        actor: &str,
    ) -> Result<PlannedIngest, NodeError> {
        let owned = folder.to_owned();
        let files = tokio::task::spawn_blocking(move || walk(&owned)).await??;
        let name = folder.file_name().map_or_else(
            || "/".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        );
        let id = self
            .store()
            .create_ingest_run(&name, files.len() as u64, self.now())
            .await?;
        let run = self.store().ingest_run(id).await?;
        Ok(PlannedIngest {
            run,
            files,
            actor: actor.to_owned(),
        })
    }

    /// Does a run, once whatever runs before it is done.
    pub(crate) async fn run_ingest(&self, planned: PlannedIngest) -> Result<IngestRun, NodeError> {
        let _turn = self.ingest_turn().lock().await;
        let result = self
            .ingest_files(&planned)
            .await
            .map_err(|error| error.below(&self.config().data));
        self.set_progress(None);
        let run = self.store().ingest_run(planned.run.id).await?;
        let (outcome, detail) = match &result {
            Ok(()) => (Outcome::Done, counts(&run)),
            Err(error) => (Outcome::Failed, error.to_string()),
        };
        let act = self.act(
            &planned.actor,
            "ingest",
            &run.id.to_string(),
            outcome,
            detail,
        );
        let finished = self
            .store()
            .finish_ingest_run(run.id, act, self.now())
            .await;
        result?;
        Ok(finished?)
    }

    async fn ingest_files(&self, planned: &PlannedIngest) -> Result<(), NodeError> {
        let _lock = lock(&self.config().ingest_lock())?;
        let unread: BTreeSet<String> = self.store().unread_sources().await?.into_iter().collect();
        let mut progress = IngestProgress {
            files: planned.files.len() as u64,
            done: 0,
        };
        self.set_progress(Some(progress));
        for files in batches(&planned.files) {
            let items = self.prepare_batch(files.to_vec(), &unread).await?;
            self.store_batch(planned.run.id, items).await?;
            progress.done += files.len() as u64;
            self.set_progress(Some(progress));
        }
        Ok(())
    }

    /// Reads files and prepares those that are new.
    async fn prepare_batch(
        &self,
        files: Vec<Found>,
        unread: &BTreeSet<String>,
    ) -> Result<Vec<Item>, NodeError> {
        let node = self.clone();
        let read_all = move || {
            node.threads()
                .install(|| files.into_par_iter().map(read_one).collect::<Vec<_>>())
        };
        let read = tokio::task::spawn_blocking(read_all).await?;
        let digests: Vec<String> = read.iter().map(|item| item.digest().to_owned()).collect();
        let mut known = self.store().known_sources(&digests).await?;
        let mut items = Vec::with_capacity(read.len());
        for item in read {
            let settles = item.path_digest().filter(|digest| unread.contains(digest));
            let is_known = !known.insert(item.digest().to_owned());
            items.push(if is_known {
                Item::Known { settles }
            } else {
                item.settling(settles)
            });
        }
        let node = self.clone();
        let prepare_all = move || {
            node.threads().install(|| {
                items
                    .into_par_iter()
                    .map(|item| node.prepare_one(item))
                    .collect()
            })
        };
        Ok(tokio::task::spawn_blocking(prepare_all).await?)
    }

    fn prepare_one(&self, item: Item) -> Item {
        match item {
            Item::Read { source, settles } => {
                match prepare(
                    &source,
                    &arno_deid::Recipe::default(),
                    &self.keys().pseudonym,
                ) {
                    Ok(prepared) => Item::Done(Done {
                        source,
                        prepared,
                        settles,
                    }),
                    Err(refusal) => Item::Failed(Failed::of(source, refusal, settles)),
                }
            }
            other => other,
        }
    }

    /// Tries a file in quarantine again; whether it was taken in.
    ///
    /// # Errors
    /// When there is no such entry, or its bytes were not kept.
    pub async fn retry_quarantined(&self, id: i64, actor: &str) -> Result<bool, NodeError> {
        let (entry, copy) = self.store().quarantined(id).await?;
        if !copy.copied {
            let detail =
                "its bytes were not kept: put it right at its source and ingest the folder again";
            return Err(NodeError::rule("no_copy", detail));
        }
        let found =
            Found::quarantined(self.config().quarantine().join(&copy.source_sha256), &entry);
        let run = self
            .store()
            .create_ingest_run("quarantine", 1, self.now())
            .await?;
        let _turn = self.ingest_turn().lock().await;
        let _lock = lock(&self.config().ingest_lock())?;
        let node = self.clone();
        let item = tokio::task::spawn_blocking(move || node.prepare_one(read_one(found))).await?;
        self.store_batch(run, vec![item.settling(Some(copy.source_sha256))])
            .await?;
        let taken = self.store().ingest_run(run).await?.quarantined == 0;
        let outcome = if taken {
            Outcome::Done
        } else {
            Outcome::Refused
        };
        let act = self.act(actor, "retry", &format!("quarantine {id}"), outcome, "");
        self.store().finish_ingest_run(run, act, self.now()).await?;
        Ok(taken)
    }
}

fn read_one(found: Found) -> Item {
    match read(&found) {
        Ok(source) => Item::Read {
            source,
            settles: None,
        },
        Err(refusal) => Item::Failed(Failed::unread(found, refusal)),
    }
}

fn counts(run: &IngestRun) -> String {
    let IngestRun {
        files,
        stored,
        unchanged,
        quarantined,
        readings,
        ..
    } = run;
    format!(
        "{files} files: {stored} stored, {unchanged} unchanged, {quarantined} in quarantine, {readings} readings"
    )
}

/// Splits the files where kinds change or a batch is full.
fn batches(files: &[Found]) -> Vec<&[Found]> {
    let (mut batches, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (at, found) in files.iter().enumerate() {
        let full = at - start >= MAX_BATCH_FILES || bytes + found.size > MAX_BATCH_BYTES;
        if at > start && (full || is_readings(found) != is_readings(&files[start])) {
            batches.push(&files[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += found.size;
    }
    batches.push(&files[start..]);
    batches
}

fn is_readings(found: &Found) -> bool {
    found.kind == FoundKind::Readings
}

/// Keeps other programs from taking files into the same node; freed when the file is closed, also by a crash.
fn lock(path: &Path) -> Result<File, NodeError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path);
    let file = file.map_err(|error| NodeError::file(path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(NodeError::Busy),
        Err(std::fs::TryLockError::Error(error)) => Err(NodeError::file(path, error)),
    }
}

#[cfg(test)]
mod tests {
    use arno_domain::Clock;

    use crate::{Node, NodeConfig, SiteConfig};

    /// A file that goes away between listing and reading stands for all that cannot be read: no user is exempt from that.
    #[tokio::test]
    async fn what_cannot_be_read_is_told_once_and_settled_when_it_can() {
        let folder = tempfile::tempdir().unwrap();
        let (data, landing) = (folder.path().join("node"), folder.path().join("landing"));
        std::fs::create_dir(&landing).unwrap();
        Node::init(&data, &SiteConfig::new("Site", "Graz", "AT", 47.0, 15.0))
            .await
            .unwrap();
        let node = Node::open(NodeConfig::load(&data, 0).unwrap(), Clock::system())
            .await
            .unwrap();
        for _ in 0..2 {
            std::fs::write(landing.join("1.txt"), "text").unwrap();
            let planned = node.plan_ingest(&landing, "test").await.unwrap();
            std::fs::remove_file(landing.join("1.txt")).unwrap();
            node.run_ingest(planned).await.unwrap();
        }
        let rows = node.store().list_quarantined().await.unwrap();
        assert_eq!(
            rows.iter().map(|row| row.code.as_str()).collect::<Vec<_>>(),
            ["unreadable"]
        );
        std::fs::write(landing.join("1.txt"), "text").unwrap();
        node.ingest(&landing, "test").await.unwrap();
        let rows = node.store().list_quarantined().await.unwrap();
        assert_eq!(
            rows.iter().map(|row| row.code.as_str()).collect::<Vec<_>>(),
            ["not_dicom"]
        );
    }
}
