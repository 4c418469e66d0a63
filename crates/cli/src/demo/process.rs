//! The programs of the demo, each a process of its own (or, for tests, a part of this one), and the signals that end it.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, bail};
use arno_client::ApiClient;
use arno_hub::RunningHub;
use arno_node::RunningNode;
use arno_protocol::session::About;
use tokio::process::{Child, Command};

/// A program that is not up after this will not come up, however slow disk and machine are; one that ends is noticed at once.
const START_TIMEOUT: Duration = Duration::from_secs(180);
const LOOK_AGAIN: Duration = Duration::from_millis(15);
/// Running answers are finished within it.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// How the programs of the demo run.
#[derive(Debug, Clone)]
pub enum Mode {
    /// Each as a process of this executable.
    Processes(PathBuf),
    /// All in this process, so that a test needs no other.
    InProcess,
}

/// One running program of the demo.
pub enum Program {
    /// A process.
    Process(Process),
    /// A hub in this process.
    Hub(RunningHub),
    /// A node in this process.
    Node(Box<RunningNode>),
}

impl Program {
    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(self) {
        match self {
            Self::Process(process) => process.stop().await,
            Self::Hub(hub) => hub.shutdown().await,
            Self::Node(node) => node.shutdown().await,
        }
    }
}

/// A child process.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program`; what it prints and logs goes to `log`.
    pub(crate) fn spawn(
        program: &Path,
        name: &str,
        arguments: &[&str],
        log: &Path,
    ) -> anyhow::Result<Self> {
        let file = File::options().create(true).append(true).open(log);
        let file = file.with_context(|| format!("cannot write {}", log.display()))?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
        })
    }

    /// Waits until its pages answer.
    pub(crate) async fn ready(&mut self, url: &str) -> anyhow::Result<()> {
        let client = ApiClient::new(url, None)?;
        let deadline = tokio::time::Instant::now() + START_TIMEOUT;
        while client.get::<About>("/v1/about").await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                bail!(
                    "{} ended at once ({status}):\n{}",
                    self.name,
                    log.trim_end()
                );
            }
            if tokio::time::Instant::now() > deadline {
                bail!(
                    "{} does not answer at {url}; its log is {}",
                    self.name,
                    self.log.display()
                );
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    /// Ends it at once, as a crash would (SIGKILL).
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(&mut self) -> std::io::Result<()> {
        self.child.kill().await
    }

    async fn stop(mut self) {
        #[cfg(unix)]
        if let Some(id) = self
            .child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw)
        {
            // It may have ended by itself on the same Ctrl-C.
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        if tokio::time::timeout(STOP_TIMEOUT, self.child.wait())
            .await
            .is_err()
        {
            let _ = self.child.kill().await;
        }
    }
}

/// Ctrl-C or a request to terminate.
pub(crate) struct StopSignal {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl StopSignal {
    #[cfg(unix)]
    pub(crate) fn new() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(unix)]
    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    pub(crate) async fn wait(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
