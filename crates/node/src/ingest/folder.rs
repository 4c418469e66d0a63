//! Ingest of a folder: its files are walked, read in batches, and taken in one batch after the other.

use std::{collections::BTreeSet, path::Path};

use arno_protocol::node::{IngestProgress, IngestRun};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    archive::Archive,
    item::{Failed, Fate, Item, Taken},
    prepare::read,
    taking::{Counting, TakingIn},
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

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOutcome {
    /// Its name below the folder, or in its archive: the hospital's own.
    pub file: String,
    /// `stored`, `unchanged` or `refused`.
    pub outcome: &'static str,
    /// Why it was refused: a stable word.
    pub code: Option<&'static str>,
    /// The same for people, with the next step.
    pub reason: Option<String>,
    /// The modality of an instance that was stored.
    pub modality: Option<String>,
    /// The series of an instance that is kept.
    pub series: Option<String>,
}

impl FileOutcome {
    fn of(found: &Found, taken: Taken) -> Self {
        let (outcome, code, reason) = match taken.fate {
            Fate::Stored => ("stored", None, None),
            Fate::Known => ("unchanged", None, None),
            Fate::Refused { code, reason } => ("refused", Some(code), Some(reason)),
        };
        Self {
            file: found.name.clone(),
            outcome,
            code,
            reason,
            modality: taken.modality,
            series: taken.kept.map(|kept| kept.series),
        }
    }
}

impl Node {
    /// Takes in all files below a folder, in the name of `actor`.
    ///
    /// # Errors
    /// [`NodeError::Full`] when there is no room and [`NodeError::Busy`] when another program keeps the node to itself: run the
    /// same again later. A file that is not taken in is no error; it is in quarantine.
    pub async fn ingest(&self, folder: &Path, actor: &str) -> Result<IngestRun, NodeError> {
        let planned = self.plan_ingest(folder, actor).await?;
        self.run_ingest(planned).await
    }

    /// The same, with each outcome told as soon as its batch is durable.
    ///
    /// # Errors
    /// As [`Node::ingest`].
    pub async fn ingest_telling(
        &self,
        folder: &Path,
        actor: &str,
        told: UnboundedSender<FileOutcome>,
    ) -> Result<IngestRun, NodeError> {
        let planned = self.plan_ingest(folder, actor).await?;
        self.run(planned, Some(told)).await
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

    /// Does a run: its batches take turns with whatever else comes in.
    pub(crate) async fn run_ingest(&self, planned: PlannedIngest) -> Result<IngestRun, NodeError> {
        self.run(planned, None).await
    }

    async fn run(
        &self,
        planned: PlannedIngest,
        told: Option<UnboundedSender<FileOutcome>>,
    ) -> Result<IngestRun, NodeError> {
        let PlannedIngest { run, files, actor } = planned;
        let mut taking = TakingIn::of(self, run.id, &actor, Counting::Before);
        let result = ingest_files(&mut taking, &files, told.as_ref()).await;
        self.set_progress(None);
        match result {
            Ok(()) => taking.finish().await,
            Err(error) => {
                let error = error.below(&self.config().data);
                // Why it ended is told first; that it ended can be told when there is room again.
                let _ = taking.fail(&error).await;
                Err(error)
            }
        }
    }
}

async fn ingest_files(
    taking: &mut TakingIn,
    files: &[Found],
    told: Option<&UnboundedSender<FileOutcome>>,
) -> Result<(), NodeError> {
    let node = taking.node().clone();
    let unread: BTreeSet<String> = node.store().unread_sources().await?.into_iter().collect();
    let mut progress = IngestProgress {
        files: files.len() as u64,
        done: 0,
    };
    node.set_progress(Some(progress));
    for batch in batches(files) {
        let items = read_batch(&node, batch.to_vec()).await?;
        let settling = |item: Item| {
            let digest = item
                .unread_digest()
                .filter(|digest| unread.contains(digest));
            item.settling(digest)
        };
        let items = items.into_iter().map(settling).collect();
        let taken = taking.take_items(items).await?;
        if let Some(told) = told {
            for (found, taken) in batch.iter().zip(taken) {
                // Whoever does not listen any more misses it.
                let _ = told.send(FileOutcome::of(found, taken));
            }
        }
        progress.done += batch.len() as u64;
        node.set_progress(Some(progress));
    }
    Ok(())
}

async fn read_batch(node: &Node, files: Vec<Found>) -> Result<Vec<Item>, NodeError> {
    let node = node.clone();
    let read_all = move || {
        let groups: Vec<&[Found]> = files.chunk_by(is_same_archive).collect();
        node.threads().install(|| {
            let read = groups.into_par_iter().flat_map_iter(read_group);
            read.collect::<Vec<_>>()
        })
    };
    Ok(tokio::task::spawn_blocking(read_all).await?)
}

fn is_same_archive(left: &Found, right: &Found) -> bool {
    left.entry.is_some() && right.entry.is_some() && left.path == right.path
}

/// Files of one archive, which is opened once for all of them; any other file is a group by itself.
fn read_group(group: &[Found]) -> Vec<Item> {
    let archive = |found: &Found| Archive::open(&found.path);
    let first = group.iter().find(|found| found.entry.is_some());
    let mut archive = match first.map(archive).transpose() {
        Ok(archive) => archive,
        Err(refusal) => {
            let failed = |found| Item::Failed(Failed::unread(found, refusal.clone()));
            return group.iter().map(failed).collect();
        }
    };
    let read = |found| read_one(found, archive.as_mut());
    group.iter().map(read).collect()
}

/// A file with its bytes, or why it cannot be read.
pub(super) fn read_one(found: &Found, archive: Option<&mut Archive>) -> Item {
    match read(found, archive) {
        Ok(source) => source.into(),
        Err(refusal) => Item::Failed(Failed::unread(found, refusal)),
    }
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
