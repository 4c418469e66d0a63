//! A node that runs: its pages, its link to the hub, and housekeeping. All end together.

use std::time::Duration;

use arno_domain::Clock;
use tokio::{sync::watch, task::JoinSet};

use crate::{
    Compacted, Compacting, FacePolicy, FacesRemoved, Node, NodeConfig, NodeError, Resting, api,
    defacing::REST,
};

/// How often what is due is deleted.
const HOUSEKEEPING_PERIOD: Duration = Duration::from_secs(600);
/// How often the store is asked for what the text finder is to look at, in the time that a series rests.
const LOOKS_A_REST: u32 = 12;
/// The store is asked no more often than this, however short the rest.
const LEAST_LOOK_PERIOD: Duration = Duration::from_millis(50);
/// A text finder that did not start is tried again after this.
const TEXT_RETRY: Duration = Duration::from_secs(60);
/// How long what was seen of an instance waits for a late one of its series.
const TEXT_LOOKS_KEPT: chrono::Duration = chrono::Duration::days(30);

/// A node whose pages are served. Call [`RunningNode::shutdown`] to stop it; dropped, it stops on its own.
pub struct RunningNode {
    /// Where its pages and its API are, `http://localhost:<port>`.
    pub http_url: String,
    /// The port on which it listens for a PACS, if it does.
    pub dicom_port: Option<u16>,
    node: Node,
    stop: watch::Sender<bool>,
    jobs: JoinSet<()>,
}

impl Node {
    /// Opens the node, serves its pages and links it to its hub.
    ///
    /// # Errors
    /// When the folder holds no node, or a file or the port cannot be used.
    pub async fn start(config: NodeConfig, clock: Clock) -> Result<RunningNode, NodeError> {
        let (bind, port, dicom) = (config.bind, config.http_port, config.dicom.clone());
        let node = Self::open(config, clock).await?;
        let listening = arno_httpkit::bind_next(bind, port).await;
        let (listener, port) =
            listening.map_err(|error| NodeError::file(format!("port {port}").as_ref(), error))?;
        if node.is_identifiable() {
            node.note_identifiable().await?;
            tracing::warn!("this node keeps identifiable objects as they come (--recipe none)");
        }
        if node.keys().secret_lies_open {
            tracing::warn!(
                "the pseudonym secret lies open in the node's folder; `arno-node secret seal` seals it"
            );
        }
        let (stop, stopping) = watch::channel(false);
        let mut jobs = JoinSet::new();
        let dicom_port = node
            .receive(dicom.as_ref(), stopping.clone(), &mut jobs)
            .await?;
        jobs.spawn(arno_httpkit::serve(
            listener,
            api::router(&node),
            stopped(stopping.clone()),
        ));
        jobs.spawn(node.clone().keep_linked(stopping.clone()));
        jobs.spawn(look_for_text_on(node.clone(), stopping.clone()));
        jobs.spawn(make_index(node.clone(), stopping.clone()));
        jobs.spawn(keep_house(node.clone(), stopping));
        tracing::info!(node = %node.id(), port, "the node is ready");
        Ok(RunningNode {
            http_url: format!("http://localhost:{port}"),
            dicom_port,
            node,
            stop,
            jobs,
        })
    }
}

impl RunningNode {
    /// The node.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Stops everything and waits for it.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        while self.jobs.join_next().await.is_some() {}
        self.node.store().database().close().await;
    }
}

pub(crate) async fn stopped(mut stopping: watch::Receiver<bool>) {
    // An error says that the running node was dropped: stop as well.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Makes the search index before the first question comes, at a node that can be asked.
async fn make_index(node: Node, stopping: watch::Receiver<bool>) {
    let make = async {
        if node.membership().await?.is_some() {
            node.ask_index(|_| ()).await?;
        }
        Ok::<_, crate::NodeError>(())
    };
    tokio::select! {
        () = stopped(stopping) => {}
        made = make => if let Err(error) = made {
            tracing::error!(error = &error as &dyn std::error::Error, "the search index cannot be made");
        }
    }
}

/// Has the text finder look at what is due, as long as the node runs. What fails is told once, and tried again.
async fn look_for_text_on(node: Node, stopping: watch::Receiver<bool>) {
    if node.text_finder().is_none() {
        return;
    }
    let period = (node.config().text_rest / LOOKS_A_REST).max(LEAST_LOOK_PERIOD);
    loop {
        let looked = tokio::select! {
            () = stopped(stopping.clone()) => return,
            looked = node.look_for_text(Resting::Rested) => looked,
        };
        let pause = match looked {
            Ok(_) => {
                node.set_text_trouble(None);
                period
            }
            Err(error) => {
                if node.text_trouble().is_none() {
                    let cause = &error as &dyn std::error::Error;
                    tracing::error!(error = cause, "text in pixels is not looked for");
                }
                node.set_text_trouble(Some(error.to_string()));
                TEXT_RETRY
            }
        };
        tokio::select! {
            () = stopped(stopping.clone()) => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Deletes previews whose time is over, removes faces, asks series that wait for their quality, and compacts packs where it is worth it.
async fn keep_house(node: Node, stopping: watch::Receiver<bool>) {
    loop {
        match node.store().delete_due_previews(node.now()).await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(deleted, "previews whose time is over were deleted"),
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "housekeeping failed"
            ),
        }
        let looks = node
            .store()
            .delete_old_text_looks(node.now() - TEXT_LOOKS_KEPT);
        if let Err(error) = looks.await {
            let cause = &error as &dyn std::error::Error;
            tracing::error!(error = cause, "housekeeping failed");
        }
        tokio::select! {
            () = stopped(stopping.clone()) => return,
            () = describe(&node) => {}
        }
        tokio::select! {
            () = stopped(stopping.clone()) => return,
            () = remove_faces(&node) => {}
        }
        tokio::select! {
            () = stopped(stopping.clone()) => return,
            () = check_quality(&node) => {}
        }
        tokio::select! {
            () = stopped(stopping.clone()) => return,
            () = compact(&node) => {}
        }
        tokio::select! {
            () = stopped(stopping.clone()) => return,
            () = tokio::time::sleep(HOUSEKEEPING_PERIOD) => {}
        }
    }
}

/// Series from before this program looked for as much in headers.
async fn describe(node: &Node) {
    match node.describe_due().await {
        Ok(0) => {}
        Ok(series) => tracing::info!(series, "series were described from their metadata"),
        Err(error) => tracing::error!(
            error = &error as &dyn std::error::Error,
            "series cannot be described"
        ),
    }
}

/// Heads that wait for it, where the data holder wants it so. It may be stopped at any point: what is left waits still.
async fn remove_faces(node: &Node) {
    if node.config().site.faces != FacePolicy::Deface {
        return;
    }
    match node.remove_faces_due(REST).await {
        Ok(removed) if removed == FacesRemoved::default() => {}
        Ok(FacesRemoved {
            series,
            instances,
            left,
        }) => {
            tracing::info!(series, instances, left, "faces were removed");
        }
        Err(error) => tracing::error!(
            error = &error as &dyn std::error::Error,
            "faces cannot be removed"
        ),
    }
}

/// Whatever a run left, and all series after an update that brought the rules.
async fn check_quality(node: &Node) {
    match node.check_due().await {
        Ok(0) => {}
        Ok(series) => tracing::info!(series, "series were asked by the rules of quality"),
        Err(error) => tracing::error!(
            error = &error as &dyn std::error::Error,
            "quality cannot be checked"
        ),
    }
}

/// It may be stopped at any point: the next time begins by clearing up.
async fn compact(node: &Node) {
    match node.compact(Compacting::Worthwhile).await {
        Ok(compacted) if compacted.packs == 0 => {}
        Ok(Compacted { packs, freed_bytes }) => {
            tracing::info!(packs, freed_bytes, "packs were compacted");
        }
        Err(error) => tracing::error!(
            error = &error as &dyn std::error::Error,
            "compaction failed"
        ),
    }
}
