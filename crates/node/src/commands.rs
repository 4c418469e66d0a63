//! The node's commands, for the `arno-node` program and for `arno node`.

use std::{
    io::{BufRead as _, IsTerminal as _, Write as _},
    net::IpAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use arno_dimse::AeTitle;
use arno_domain::{Clock, invitation::Invitation};
use arno_protocol::node::{IngestProgress, NewDataset};
use clap::{Args, Subcommand};
use tokio::sync::watch;

use crate::{DicomListener, Node, NodeConfig, SiteConfig};

/// Port of the pages unless told otherwise.
pub const HTTP_PORT: u16 = 8090;

/// Where the password of a new account may stand, so that it does not stand on the command line.
const PASSWORD: &str = "ARNO_PASSWORD";

/// Who acts in the audit log when the command line does.
const ACTOR: &str = "command line";

/// Files in quarantine that are named after an ingest; the page has them all.
const MAX_NAMED_FILES: usize = 20;

/// What a data manager can do with a node.
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Make a node in a folder: its settings, keys and an empty store.
    Init(Init),
    /// Join a federation with the invitation that its operator issued.
    Join {
        /// The node's folder.
        #[arg(long)]
        data: PathBuf,
        /// The line that the operator handed over.
        invitation: String,
    },
    /// Serve the pages and keep the link to the hub until Ctrl-C.
    Serve {
        /// The node's folder.
        #[arg(long)]
        data: PathBuf,
        /// Port of the pages; a taken one moves on.
        #[arg(long, default_value_t = HTTP_PORT)]
        http: u16,
        /// Address to listen on.
        #[arg(long, default_value = "127.0.0.1")]
        bind: IpAddr,
        /// Listen for a PACS (C-ECHO, C-STORE) on this port
        #[arg(long, value_name = "PORT")]
        dimse: Option<u16>,
        /// The node's own application entity title
        #[arg(long, default_value = "ARNO", requires = "dimse")]
        aet: AeTitle,
        /// A title that may send (may be given again); everybody unless one is given
        #[arg(long = "from", value_name = "AET", requires = "dimse")]
        from: Vec<AeTitle>,
        /// Print the addresses as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Take in all files below a folder.
    Ingest {
        /// The node's folder.
        #[arg(long)]
        data: PathBuf,
        /// The folder to take in.
        folder: PathBuf,
        /// Print the outcome as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Freeze a cohort to a dataset version and publish its record.
    Publish(Publish),
    /// Make the account of a data manager, or change its password, which comes from ARNO_PASSWORD or standard input, or is
    /// asked for.
    Account {
        /// The node's folder.
        #[arg(long)]
        data: PathBuf,
        /// The name to sign in with.
        #[arg(long)]
        name: String,
        /// The person's name; the account's name unless given.
        #[arg(long)]
        display_name: Option<String>,
    },
    /// Read everything that is kept and compare it with the index and the audit log with its chain.
    Verify {
        /// The node's folder.
        #[arg(long)]
        data: PathBuf,
        /// Print the outcome as one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// What `init` needs to know of a site.
#[derive(Debug, Args)]
pub struct Init {
    /// The node's folder.
    #[arg(long)]
    data: PathBuf,
    /// The site's name.
    #[arg(long)]
    name: String,
    /// Its town.
    #[arg(long)]
    city: String,
    /// Its country: two capital letters (ISO 3166-1 alpha-2), such as AT.
    #[arg(long)]
    country: String,
    /// Degrees north.
    #[arg(long, allow_negative_numbers = true)]
    latitude: f64,
    /// Degrees east.
    #[arg(long, allow_negative_numbers = true)]
    longitude: f64,
    /// The only folder that the pages may ingest from.
    #[arg(long)]
    landing: Option<PathBuf>,
    /// Say on the pages that people and images are invented.
    #[arg(long)]
    demo: bool,
}

/// What `publish` needs to know of a dataset.
#[derive(Debug, Args)]
pub struct Publish {
    /// The node's folder.
    #[arg(long)]
    data: PathBuf,
    /// A title; the same title again makes the next version.
    #[arg(long)]
    title: String,
    /// What it is, in sentences.
    #[arg(long, default_value = "")]
    description: String,
    /// The cohort, such as `modality = CT`; everything unless given.
    #[arg(long, default_value = "")]
    cohort: String,
    /// Licence or terms of use.
    #[arg(long, default_value = "access by permit")]
    licence: String,
    /// Print the record as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Carries a command out.
///
/// # Errors
/// With a text that says what to do next.
pub async fn run(command: NodeCommand) -> anyhow::Result<()> {
    match command {
        NodeCommand::Init(init) => self::init(init).await,
        NodeCommand::Join { data, invitation } => join(&data, &invitation).await,
        NodeCommand::Serve {
            data,
            http,
            bind,
            dimse,
            aet: ae_title,
            from,
            json,
        } => {
            let dicom = dimse.map(|port| DicomListener {
                port,
                ae_title,
                from,
            });
            let config = NodeConfig {
                bind,
                dicom,
                ..NodeConfig::load(&data, http)?
            };
            serve(config, json).await
        }
        NodeCommand::Ingest { data, folder, json } => ingest(&data, &folder, json).await,
        NodeCommand::Publish(publish) => self::publish(publish).await,
        NodeCommand::Account {
            data,
            name,
            display_name,
        } => {
            let display_name = display_name.unwrap_or_else(|| name.clone());
            let password = password(&name)?;
            Ok(open(&data)
                .await?
                .put_account(&name, &display_name, &password)
                .await?)
        }
        NodeCommand::Verify { data, json } => verify(&data, json).await,
    }
}

async fn open(data: &Path) -> anyhow::Result<Node> {
    Ok(Node::open(NodeConfig::load(data, 0)?, Clock::system()).await?)
}

async fn init(init: Init) -> anyhow::Result<()> {
    let landing = init
        .landing
        .map(|folder| std::path::absolute(&folder))
        .transpose();
    let landing = landing.context("the landing folder is no usable path")?;
    let site = SiteConfig {
        landing,
        demo: init.demo,
        ..SiteConfig::new(
            &init.name,
            &init.city,
            &init.country,
            init.latitude,
            init.longitude,
        )
    };
    Node::init(&init.data, &site).await?;
    let node = open(&init.data).await?;
    say(&format!(
        "{}: {}, settings in {}",
        init.name,
        node.id(),
        NodeConfig::settings_file(&init.data).display()
    ))
}

async fn join(data: &Path, invitation: &str) -> anyhow::Result<()> {
    let invitation: Invitation = invitation.parse()?;
    let membership = open(data).await?.join(&invitation).await?;
    let fingerprint = invitation.root_key.fingerprint();
    say(&format!(
        "joined {}; compare its root key with the operator: {fingerprint}",
        membership.federation
    ))
}

async fn serve(config: NodeConfig, json: bool) -> anyhow::Result<()> {
    let running = Node::start(config, Clock::system()).await?;
    let http = &running.http_url;
    match json {
        true => say(
            &serde_json::json!({ "http_url": http, "dicom_port": running.dicom_port }).to_string(),
        )?,
        false => {
            say(&format!("pages {http}"))?;
            if let Some(port) = running.dicom_port {
                say(&format!("DICOM port {port}"))?;
            }
            say("Ctrl-C stops")?;
        }
    }
    stop_signal().await?;
    running.shutdown().await;
    Ok(())
}

/// Ctrl-C or a service manager's SIGTERM.
async fn stop_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}

async fn ingest(data: &Path, folder: &Path, json: bool) -> anyhow::Result<()> {
    let node = open(data).await?;
    let shown = std::io::stderr()
        .is_terminal()
        .then(|| tokio::spawn(show(node.progress())));
    let run = node.ingest(folder, ACTOR).await;
    if let Some(shown) = shown {
        shown.abort();
        eprintln!();
    }
    let run = run?;
    if json {
        return say(&serde_json::to_string(&run)?);
    }
    say(&format!(
        "{} files: {} stored, {} unchanged, {} in quarantine, {} readings",
        run.files, run.stored, run.unchanged, run.quarantined, run.readings
    ))?;
    say_quarantined(&node, run.quarantined).await
}

/// Names the files that this run put into quarantine, and why.
async fn say_quarantined(node: &Node, count: u64) -> anyhow::Result<()> {
    let newest = node.store().list_quarantined().await?;
    let of_this_run = usize::try_from(count).unwrap_or(usize::MAX);
    for entry in newest.iter().take(of_this_run.min(MAX_NAMED_FILES)) {
        say(&format!("  {}: {}", entry.name, entry.reason))?;
    }
    if of_this_run > MAX_NAMED_FILES {
        say(&format!(
            "  and {} more: see the quarantine page of the node",
            of_this_run - MAX_NAMED_FILES
        ))?;
    }
    Ok(())
}

async fn show(mut progress: watch::Receiver<Option<IngestProgress>>) {
    while progress.changed().await.is_ok() {
        if let Some(IngestProgress { files, done }) = *progress.borrow_and_update() {
            eprint!("\r{done} of {files} files");
        }
    }
}

async fn publish(publish: Publish) -> anyhow::Result<()> {
    let node = open(&publish.data).await?;
    let Publish {
        title,
        description,
        cohort,
        licence,
        json,
        ..
    } = publish;
    let dataset = node
        .create_dataset(
            &NewDataset {
                title,
                description,
                cohort,
                licence,
            },
            ACTOR,
        )
        .await?;
    let record = &dataset.record;
    let delivered = match node.membership().await? {
        Some(_) => node.deliver_datasets().await.is_ok(),
        None => false,
    };
    if json {
        return say(&serde_json::to_string(record)?);
    }
    let place = if delivered {
        "the hub has it"
    } else {
        "the hub gets it as soon as it can be reached"
    };
    say(&format!(
        "{} version {}: {} patients, {} series, {} readings; {place}\n{}",
        record.title, record.version, record.patients, record.series, record.readings, record.id
    ))
}

async fn verify(data: &Path, json: bool) -> anyhow::Result<()> {
    let verified = open(data).await?.verify().await?;
    if json {
        say(&serde_json::to_string(&verified)?)?;
    } else {
        say(&format!(
            "{} instances ({} bytes): {} damaged; the audit log {}",
            verified.instances,
            verified.size_bytes,
            verified.damaged,
            verified.audit_break.map_or_else(
                || "holds".to_owned(),
                |entry| format!("is broken at entry {entry}")
            )
        ))?;
    }
    if !verified.holds() {
        bail!("what is kept is not what was kept: restore it from a backup");
    }
    Ok(())
}

fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .context("cannot write to standard output")
}

fn password(account: &str) -> anyhow::Result<String> {
    if let Ok(password) = std::env::var(PASSWORD) {
        return Ok(password);
    }
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("Password of {account}: "))
            .with_context(|| format!("cannot ask for the password; set {PASSWORD}"));
    }
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read the password")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
