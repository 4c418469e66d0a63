//! What a PACS sends over the DICOM network (C-STORE, PS3.4 annex B): each instance is written to the spool and synced,
//! acknowledged only then, and taken in from there like any folder. A crash leaves it in the spool, for the next start.
//!
//! Not here: the protocol (`arno-dimse`), and what becomes of an instance (`ingest`).

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arno_dimse::{
    AeTitle,
    part10::part10_header,
    scp::{
        AllowedSource, CallingAe, Server, ServerConfig, StoreHandler, StoreRequest, StoreStatus,
    },
};
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
    task::JoinSet,
};

use crate::{Node, NodeError, node::make_private_folder, running::stopped};

/// Who the runs and audit entries name.
const ACTOR: &str = "DICOM network";
/// A sender pauses between studies; what comes within this is taken in together.
const GATHERING: Duration = Duration::from_millis(500);
/// After a failed ingest, such as on a full disk, the spool is tried again.
const RETRY: Duration = Duration::from_secs(30);
/// Subfolders of the spool: what is still being written, and what is ready to be taken in.
const UNFINISHED: &str = "unfinished";
const RECEIVED: &str = "received";

/// How a node listens for a PACS.
#[derive(Debug, Clone)]
pub struct DicomListener {
    /// The port; 0 takes any.
    pub port: u16,
    /// The node's own title.
    pub ae_title: AeTitle,
    /// The titles that may send; nobody else if there are any.
    pub from: Vec<AeTitle>,
}

/// Received instances that are not taken in yet.
struct Spool {
    unfinished: PathBuf,
    received: PathBuf,
    filled: Notify,
}

impl Spool {
    /// Makes the folders and drops what a crash left half written, which was never acknowledged.
    fn open(folder: &Path) -> Result<Self, NodeError> {
        let (unfinished, received) = (folder.join(UNFINISHED), folder.join(RECEIVED));
        for folder in [&unfinished, &received] {
            make_private_folder(folder)?;
        }
        for file in files(&unfinished)? {
            remove(&file)?;
        }
        Ok(Self {
            unfinished,
            received,
            filled: Notify::new(),
        })
    }

    /// Writes one instance so that it survives a crash: bytes, then the name, both synced. Names are random: the same
    /// instance sent again is another file, which ingest knows by its bytes.
    fn write(&self, request: &StoreRequest) -> std::io::Result<()> {
        let name = format!("{:032x}.dcm", rand::random::<u128>());
        let unfinished = self.unfinished.join(&name);
        let written = File::create(&unfinished).and_then(|mut file| {
            file.write_all(&part10_header(request))?;
            file.write_all(&request.data_set)?;
            file.sync_data()
        });
        let renamed = written.and_then(|()| fs::rename(&unfinished, self.received.join(&name)));
        if renamed.is_err() {
            // Half a file is of no use, and takes room on a full disk.
            let _ = fs::remove_file(&unfinished);
        }
        renamed?;
        File::open(&self.received)?.sync_all()
    }
}

impl Node {
    /// Listens for a PACS until the node stops; gives the port.
    pub(crate) async fn listen_for_dicom(
        &self,
        listener: &DicomListener,
        stopping: watch::Receiver<bool>,
        jobs: &mut JoinSet<()>,
    ) -> Result<u16, NodeError> {
        let spool = Arc::new(Spool::open(&self.config().spool())?);
        let socket = TcpListener::bind((self.config().bind, listener.port)).await;
        let unusable = |error| NodeError::file(format!("port {}", listener.port).as_ref(), error);
        let socket = socket.map_err(unusable)?;
        let port = socket.local_addr().map_err(unusable)?.port();
        let server = Server::new(server_config(listener), handler(&spool));
        let server = server.map_err(|error| unusable(std::io::Error::other(error)))?;
        let stop = stopping.clone();
        jobs.spawn(async move { server.serve(socket, stopped(stop)).await });
        jobs.spawn(self.clone().keep_taking_in(spool, stopping));
        tracing::info!(port, ae_title = %listener.ae_title, "listening for DICOM");
        Ok(port)
    }

    /// Takes in what is in the spool, from the start and whenever something was added.
    async fn keep_taking_in(self, spool: Arc<Spool>, stopping: watch::Receiver<bool>) {
        loop {
            let taken = self.take_in(&spool.received).await;
            if matches!(taken, Ok(1..)) {
                continue;
            }
            let woken = async {
                match taken {
                    Ok(_) => {
                        spool.filled.notified().await;
                        tokio::time::sleep(GATHERING).await;
                    }
                    Err(error) => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "the spool was not taken in"
                        );
                        tokio::time::sleep(RETRY).await;
                    }
                }
            };
            tokio::select! {
                () = stopped(stopping.clone()) => return,
                () = woken => {}
            }
        }
    }

    /// Takes in what is in the spool now and deletes it there; how many were deleted. What went to quarantine without
    /// a copy of its bytes (too large, or not readable) stays: it was acknowledged, and is nowhere else.
    async fn take_in(&self, folder: &Path) -> Result<usize, NodeError> {
        let files = files(folder)?;
        if files.is_empty() {
            return Ok(0);
        }
        self.ingest(folder, ACTOR).await?;
        let uncopied = self.store().uncopied_names().await?;
        let has_its_place = |file: &&PathBuf| {
            let name = file.file_name().unwrap_or_default();
            !uncopied.iter().any(|kept| name == kept.as_str())
        };
        let settled: Vec<&PathBuf> = files.iter().filter(has_its_place).collect();
        settled.iter().try_for_each(|file| remove(file))?;
        Ok(settled.len())
    }
}

fn server_config(listener: &DicomListener) -> ServerConfig {
    let calling = |ae_title: &AeTitle| CallingAe {
        ae_title: ae_title.clone(),
        source: AllowedSource::Any,
    };
    let allowed: Vec<_> = listener.from.iter().map(calling).collect();
    ServerConfig {
        allow_list: (!allowed.is_empty()).then_some(allowed),
        ..ServerConfig::new(listener.ae_title.clone())
    }
}

fn handler(spool: &Arc<Spool>) -> StoreHandler {
    let spool = spool.clone();
    StoreHandler::new(move |request| {
        let spool = spool.clone();
        async move {
            let writer = spool.clone();
            let written = tokio::task::spawn_blocking(move || writer.write(&request)).await;
            match written {
                Ok(Ok(())) => {
                    spool.filled.notify_one();
                    StoreStatus::Success
                }
                Ok(Err(error)) => {
                    tracing::error!(%error, "a received instance cannot be kept");
                    StoreStatus::OutOfResources
                }
                Err(_) => StoreStatus::Failed,
            }
        }
    })
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, NodeError> {
    let unusable = |error| NodeError::file(folder, error);
    let entries = fs::read_dir(folder).map_err(unusable)?;
    entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(unusable))
        .collect()
}

fn remove(file: &Path) -> Result<(), NodeError> {
    fs::remove_file(file).map_err(|error| NodeError::file(file, error))
}
