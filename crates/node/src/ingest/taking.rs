//! The one way in: folders, quarantine, STOW-RS and what a PACS sent all begin here, take batch by batch, and finish.
//!
//! Preparing runs beside other batches; only writing has turns. What [`TakingIn::take`] answered for is durable and indexed.

use arno_dicom::Claimed;
use arno_domain::audit::Outcome;
use arno_protocol::node::IngestRun;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::{
    item::{Done, Failed, Incoming, Item, Received, Source, Taken},
    prepare::{Looks, Means, claimed, prepare},
    refusal::Refusal,
};
use crate::{Node, NodeError};

/// A run that takes in batch by batch. Each batch is whole by itself; a run that is never finished is shown as open.
#[derive(Debug)]
pub struct TakingIn {
    node: Node,
    run: i64,
    actor: String,
    counting: Counting,
}

/// Who counts the files of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    /// They were counted when the run began.
    Before,
    /// Each batch adds its own.
    AsTheyCome,
}

impl Node {
    /// Begins a run in the name of `actor`, over what `source` names for people.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_taking_in(&self, source: &str, actor: &str) -> Result<TakingIn, NodeError> {
        let run = self
            .store()
            .create_ingest_run(source, 0, self.now())
            .await
            .map_err(|error| NodeError::from(error).below(&self.config().data))?;
        Ok(TakingIn::of(self, run, actor, Counting::AsTheyCome))
    }
}

impl TakingIn {
    pub(super) fn of(node: &Node, run: i64, actor: &str, counting: Counting) -> Self {
        Self {
            node: node.clone(),
            run,
            actor: actor.to_owned(),
            counting,
        }
    }

    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    /// Takes a batch in: durable and indexed, or in quarantine, when this returns. What became of each, in order.
    ///
    /// # Errors
    /// [`NodeError::Full`] when there is no room; then nothing of the batch was taken in, and the same may come again.
    pub async fn take(&mut self, batch: Vec<Incoming>) -> Result<Vec<Taken>, NodeError> {
        let node = self.node.clone();
        let digest_all = move || {
            let read = |incoming| Item::from(Source::from(incoming));
            node.threads()
                .install(|| batch.into_par_iter().map(read).collect())
        };
        let items = tokio::task::spawn_blocking(digest_all).await?;
        self.take_items(items).await
    }

    /// The same for what was digested as it came.
    pub(crate) async fn take_received(
        &mut self,
        batch: Vec<Received>,
    ) -> Result<Vec<Taken>, NodeError> {
        let item = |received| Item::from(Source::from(received));
        self.take_items(batch.into_iter().map(item).collect()).await
    }

    /// Puts into quarantine what was acknowledged and cannot be kept for a reason that is not its own.
    pub(crate) async fn put_aside(
        &mut self,
        received: Received,
        error: &NodeError,
    ) -> Result<(), NodeError> {
        let source = Source::from(received);
        let failed = Failed::of(source, None, Refusal::not_kept(error), None);
        self.take_new(vec![Item::Failed(failed)]).await?;
        Ok(())
    }

    /// The same for what was read or digested already.
    pub(super) async fn take_items(&mut self, items: Vec<Item>) -> Result<Vec<Taken>, NodeError> {
        let items = self.without_known(items).await?;
        self.take_new(items).await
    }

    /// The same without asking whether it was dealt with before.
    pub(super) async fn take_new(&mut self, items: Vec<Item>) -> Result<Vec<Taken>, NodeError> {
        let node = self.node.clone();
        let prepare_all = move || {
            node.threads().install(|| {
                let prepare = |item| node.prepare_item(item);
                items.into_par_iter().map(prepare).collect::<Vec<_>>()
            })
        };
        let items = tokio::task::spawn_blocking(prepare_all).await?;
        let counted = match self.counting {
            Counting::Before => 0,
            Counting::AsTheyCome => items.len() as u64,
        };
        let _turn = self.node.turn().await?;
        let taken = self.node.store_batch(self.run, counted, items).await;
        taken.map_err(|error| error.below(&self.node.config().data))
    }

    async fn without_known(&self, items: Vec<Item>) -> Result<Vec<Item>, NodeError> {
        let digests: Vec<String> = items.iter().map(|item| item.digest().to_owned()).collect();
        let mut known = self.node.store().known_sources(&digests).await?;
        let mut sorted = Vec::with_capacity(items.len());
        for item in items {
            let is_known = !known.insert(item.digest().to_owned());
            sorted.push(if is_known { known_item(item) } else { item });
        }
        Ok(sorted)
    }

    /// Ends the run and records it. What came in is asked by the rules of quality first, and series from before are described; what
    /// cannot be done now is done later.
    pub async fn finish(self) -> Result<IngestRun, NodeError> {
        if let Err(error) = self.node.describe_due().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "series wait to be described"
            );
        }
        if let Err(error) = self.node.check_due().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "series wait for their quality to be checked"
            );
        }
        let run = self.node.store().ingest_run(self.run).await?;
        self.end(Outcome::Done, counts(&run)).await
    }

    /// Ends the run after a failure.
    pub(super) async fn fail(self, error: &NodeError) -> Result<IngestRun, NodeError> {
        self.end(Outcome::Failed, error.to_string()).await
    }

    pub(super) async fn end(
        self,
        outcome: Outcome,
        detail: String,
    ) -> Result<IngestRun, NodeError> {
        let (node, subject) = (&self.node, self.run.to_string());
        let act = node.act(&self.actor, "ingest", &subject, outcome, detail);
        let finished = node.store().finish_ingest_run(self.run, act, node.now());
        finished
            .await
            .map_err(|error| NodeError::from(error).below(&node.config().data))
    }
}

impl Node {
    fn prepare_item(&self, item: Item) -> Item {
        let Item::Read { source, settles } = item else {
            return item;
        };
        let means = Means {
            handling: self.handling(),
            recipe: self.recipe(),
            keyring: &self.keys().pseudonym,
            decoder: self.codecs(),
            looks: match self.text_finder() {
                Some(_) => Looks::Finder,
                None => Looks::Person,
            },
        };
        let attempt = prepare(&source, &means);
        let sent = attempt.sent;
        match attempt.outcome {
            Ok(prepared) => Item::Done(Done {
                source,
                sent,
                prepared,
                settles,
            }),
            Err(refusal) => Item::Failed(Failed::of(source, sent, refusal, settles)),
        }
    }
}

fn known_item(item: Item) -> Item {
    let sha256 = item.digest().to_owned();
    let (sent, settles): (Option<Claimed>, _) = match item {
        Item::Read { source, settles } => (claimed(&source), settles),
        _ => (None, None),
    };
    Item::Known {
        sha256,
        sent,
        settles,
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
