//! What a PACS sends over the DICOM network (C-STORE, PS3.4 annex B): each instance is durable in the journal before it is
//! acknowledged, and taken in from memory, many at a time. After a crash the journal is taken in at the next start.
//!
//! Not here: the protocol (`arno-dimse`), and what becomes of an instance (`ingest`).

mod backlog;
mod journal;
mod segments;
mod settling;

use std::{collections::BTreeMap, path::PathBuf, pin::pin, sync::Arc, time::Duration};

use arno_dimse::{
    AeTitle,
    part10::part10,
    scp::{
        AllowedSource, CallingAe, Server, ServerConfig, Service, StoreHandler, StoreRequest,
        StoreStatus,
    },
};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

pub(crate) use self::backlog::Backlog;
use self::{
    journal::{Acknowledged, Journal, NoRoom, Parts, Queue},
    segments::Segments,
    settling::take_until_kept,
};
use crate::{Node, NodeError, ingest::TakingIn, query_retrieve, running::stopped};

/// Who the runs and audit entries name.
const ACTOR: &str = "DICOM network";
/// What the runs are shown as.
const SOURCE: &str = "received";
/// Instances that are taken in together: enough to share syncs and transactions.
const MAX_BATCH_INSTANCES: usize = 64;
/// Bytes that are taken in together; they are in memory twice.
const MAX_BATCH_BYTES: usize = 16 << 20;
/// One sender waits for each answer, so that instances come one by one. They are acknowledged already: a batch of all that
/// comes within this costs a third of the processor time of batches of one or two.
const GATHERING: Duration = Duration::from_millis(100);
/// A sender pauses between studies; what comes within this belongs to one run.
const RUN_PAUSE: Duration = Duration::from_secs(5);
/// File meta information and preamble before the data set, at most.
const META_BYTES: usize = 1 << 10;

/// How a node listens for a PACS.
#[derive(Debug, Clone)]
pub struct DicomListener {
    /// The port; 0 takes any.
    pub port: u16,
    /// The node's own title.
    pub ae_title: AeTitle,
    /// The titles that may send; nobody else if there are any.
    pub from: Vec<AeTitle>,
    /// Where to send to: `host:port` by title, for C-MOVE and storage commitment.
    pub destinations: BTreeMap<AeTitle, String>,
    /// Whether connections are encrypted, and with what.
    pub tls: Option<DicomTls>,
}

impl DicomListener {
    /// Listens for everybody, in clear, and sends to nobody.
    #[must_use]
    pub fn new(port: u16, ae_title: AeTitle) -> Self {
        Self {
            port,
            ae_title,
            from: Vec::new(),
            destinations: BTreeMap::new(),
            tls: None,
        }
    }
}

/// TLS on the DICOM port (PS3.15 annex B), from PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DicomTls {
    /// The node's certificate, with those between it and its root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Who signs the certificates of callers; callers need none unless it is given.
    pub client_ca: Option<PathBuf>,
}

impl Node {
    /// Takes in what an earlier run received, and listens for a PACS if a port is given, until the node stops; gives the port.
    pub(crate) async fn receive(
        &self,
        listener: Option<&DicomListener>,
        stopping: watch::Receiver<bool>,
        jobs: &mut JoinSet<()>,
    ) -> Result<Option<u16>, NodeError> {
        self.warn_of_old_spool();
        let Parts {
            journal,
            queue,
            writer,
            replayer,
        } = journal::open(Segments::open(&self.config().spool())?, self.backlog())?;
        let journal = Arc::new(journal);
        let port = match listener {
            Some(listener) => Some(
                self.listen_for_dicom(listener, &journal, stopping.clone(), jobs)
                    .await?,
            ),
            None => None,
        };
        jobs.spawn_blocking(|| writer.run());
        if replayer.has_any() {
            let runtime = tokio::runtime::Handle::current();
            jobs.spawn_blocking(move || replayer.run(&runtime));
        }
        jobs.spawn(keep_taking_in(self.clone(), journal, queue, stopping));
        Ok(port)
    }

    async fn listen_for_dicom(
        &self,
        listener: &DicomListener,
        journal: &Arc<Journal>,
        stopping: watch::Receiver<bool>,
        jobs: &mut JoinSet<()>,
    ) -> Result<u16, NodeError> {
        let socket = TcpListener::bind((self.config().bind, listener.port)).await;
        let unusable = |error| NodeError::file(format!("port {}", listener.port).as_ref(), error);
        let socket = socket.map_err(unusable)?;
        let port = socket.local_addr().map_err(unusable)?.port();
        let tls = listener.tls.as_ref().map(query_retrieve::tls).transpose()?;
        let services =
            query_retrieve::services(self, self.access().await?, listener, handler(journal));
        let server = Server::new(server_config(listener), services);
        let server = server.map_err(|error| unusable(std::io::Error::other(error)))?;
        jobs.spawn(async move {
            match tls {
                Some(tls) => server.serve_tls(socket, tls, stopped(stopping)).await,
                None => server.serve(socket, stopped(stopping)).await,
            }
        });
        tracing::info!(port, ae_title = %listener.ae_title, "listening for DICOM");
        Ok(port)
    }

    /// Versions before the journal kept files there; they are not read any more, and not deleted.
    fn warn_of_old_spool(&self) {
        let old = self.config().spool().join("received");
        let left = std::fs::read_dir(&old).map(|entries| entries.count());
        if left.is_ok_and(|left| left > 0) {
            tracing::warn!(folder = %old.display(), "an earlier version left received files here: ingest this folder");
        }
    }
}

fn server_config(listener: &DicomListener) -> ServerConfig {
    let calling = |ae_title: &AeTitle| CallingAe {
        ae_title: ae_title.clone(),
        source: AllowedSource::Any,
        services: Service::ALL.to_vec(),
    };
    let allowed: Vec<_> = listener.from.iter().map(calling).collect();
    ServerConfig {
        allow_list: (!allowed.is_empty()).then_some(allowed),
        peers: query_retrieve::peers(listener),
        ..ServerConfig::new(listener.ae_title.clone())
    }
}

fn handler(journal: &Arc<Journal>) -> StoreHandler {
    let journal = journal.clone();
    StoreHandler::new(move |request: StoreRequest| {
        let journal = journal.clone();
        async move {
            let size = request.data_set.len() + META_BYTES;
            match journal.keep(size, move || part10(request)).await {
                Ok(()) => StoreStatus::Success,
                Err(NoRoom) => StoreStatus::OutOfResources,
            }
        }
    })
}

/// Takes in what was acknowledged, batch by batch.
async fn keep_taking_in(
    node: Node,
    journal: Arc<Journal>,
    mut queue: Queue,
    stopping: watch::Receiver<bool>,
) {
    let (mut run, mut ahead) = (None, None);
    loop {
        let first = tokio::select! {
            () = stopped(stopping.clone()) => break,
            first = next(&mut queue, &mut ahead, &mut run) => first,
        };
        let Some(first) = first else { break };
        let batch = gather(first, &mut queue, &mut ahead, node.backlog()).await;
        let kept = tokio::select! {
            () = stopped(stopping.clone()) => break,
            () = take_until_kept(&node, &journal, &batch, &mut run) => batch,
        };
        let instances = kept.len();
        kept.into_iter().for_each(Acknowledged::settle);
        node.backlog().settle(instances);
    }
    finish(run).await;
}

/// The next instance. A run ends when none came for a while.
async fn next(
    queue: &mut Queue,
    ahead: &mut Option<Acknowledged>,
    run: &mut Option<TakingIn>,
) -> Option<Acknowledged> {
    if let Some(ahead) = ahead.take() {
        return Some(ahead);
    }
    if run.is_some() {
        if let Ok(first) = timeout(RUN_PAUSE, queue.recv()).await {
            return first;
        }
        finish(run.take()).await;
    }
    queue.recv().await
}

/// What waits and, unless somebody asks for it, what comes soon, up to the size of a batch. What does not fit any more is the
/// first of the next one.
async fn gather(
    first: Acknowledged,
    queue: &mut Queue,
    ahead: &mut Option<Acknowledged>,
    backlog: &Backlog,
) -> Vec<Acknowledged> {
    let mut over = pin!(sleep_until(Instant::now() + GATHERING));
    let mut bytes = first.record.bytes.len();
    let mut batch = vec![first];
    while batch.len() < MAX_BATCH_INSTANCES && bytes < MAX_BATCH_BYTES {
        let next = tokio::select! {
            biased;
            next = queue.recv() => next,
            () = backlog.asked() => None,
            () = &mut over => None,
        };
        let Some(next) = next else { break };
        bytes += next.record.bytes.len();
        if bytes > MAX_BATCH_BYTES {
            *ahead = Some(next);
            break;
        }
        batch.push(next);
    }
    batch
}

async fn finish(run: Option<TakingIn>) {
    if let Some(run) = run
        && let Err(error) = run.finish().await
    {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a run is shown as open"
        );
    }
}
