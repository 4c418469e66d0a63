//! The node's commands, for the `arno-node` program and for `arno node`.

use std::{
    io::{BufRead as _, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use arno_domain::{Clock, invitation::Invitation};
use arno_protocol::node::NewDataset;
use clap::{Args, Subcommand};

use crate::{
    ClinicalCommand, Compact, Ingest, Node, NodeConfig, SecretCommand, Serve, SiteConfig, Verify,
    clinical, ingesting, secret, serving, upkeep,
};

/// Port of the pages unless told otherwise.
pub const HTTP_PORT: u16 = 8090;

/// Where the password of a new account may stand, so that it does not stand on the command line.
const PASSWORD: &str = "ARNO_PASSWORD";

/// Who acts in the audit log when the command line does.
pub(crate) const ACTOR: &str = "command line";

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
    Serve(Serve),
    /// Take in all files below a folder, in a zip file, or that a DICOMDIR lists.
    Ingest(Ingest),
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
    Verify(Verify),
    /// Write packs anew that hold deleted instances, without them. A node that serves does it by itself where it is worth it.
    Compact(Compact),
    /// Draft mappings of clinical files, load such files, list what is here, export it.
    #[command(subcommand)]
    Clinical(ClinicalCommand),
    /// Care for the pseudonym secret: seal, rotate, back up, split among people, restore; and write out whom pseudonyms stand for.
    #[command(subcommand)]
    Secret(SecretCommand),
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
        NodeCommand::Serve(serve) => serving::serve(serve).await,
        NodeCommand::Ingest(ingest) => ingesting::ingest(ingest).await,
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
        NodeCommand::Verify(verify) => upkeep::verify(verify).await,
        NodeCommand::Compact(compact) => upkeep::compact(compact).await,
        NodeCommand::Clinical(command) => clinical::run(command).await,
        NodeCommand::Secret(command) => secret::secret(command).await,
    }
}

pub(crate) async fn open(data: &Path) -> anyhow::Result<Node> {
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

pub(crate) fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .context("cannot write to standard output")
}

pub(crate) fn password(account: &str) -> anyhow::Result<String> {
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
