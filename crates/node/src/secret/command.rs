//! `arno-node secret …`: what a data manager does with the pseudonym secret. Each act is an audit entry; no text of it holds any of
//! the secret. Passphrases come from the environment or are asked for, never from the command line.

use std::{
    fs,
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use arno_domain::audit::Outcome;
use clap::{Args, Subcommand};

use super::{
    SecretError, SecretFile, Unlock,
    sealed::{Purpose, Sealed, Versions},
    shares,
};
use crate::{
    Node, NodeConfig,
    commands::{ACTOR, open, password, say},
    keys::{self, replace_private, write_private},
};

/// The passphrase of a backup, where it is not asked for.
const BACKUP_PASSPHRASE: &str = "ARNO_BACKUP_PASSPHRASE";
/// The passphrase that the secret is to be sealed under, where it is not asked for.
const NEW_PASSPHRASE: &str = "ARNO_NEW_PASSPHRASE";
/// Longest backup or list of shares that is read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What can be done with the secret.
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Say how the secret lies, how many versions it has, and whether links are kept.
    Status(Place),
    /// Seal the secret under a passphrase (ARNO_NEW_PASSPHRASE, or asked for). From then on the node starts only with
    /// ARNO_SECRET_PASSPHRASE, ARNO_SECRET_KEY_FILE, or systemd's credential arno-secret.
    Seal(Place),
    /// Lay the secret open again: whoever reads the node's folder can then test guesses of patient ids.
    Unseal(Place),
    /// Add a version of the secret. Patients that are here stay under theirs, so that later studies join; new ones come under
    /// the new version. Stop the node first and start it again afterwards.
    Rotate(Place),
    /// Write the secret to a file, sealed under a passphrase of its own (ARNO_BACKUP_PASSPHRASE, or asked for).
    Backup {
        /// Where the node is.
        #[command(flatten)]
        place: Place,
        /// The file; it must not be there.
        #[arg(long)]
        out: PathBuf,
    },
    /// Print the secret as shares for several people, some of whom can give it back together.
    Split {
        /// Where the node is.
        #[command(flatten)]
        place: Place,
        /// How many people.
        #[arg(long)]
        shares: usize,
        /// How many of them are needed.
        #[arg(long)]
        needed: usize,
    },
    /// Put the secret back from a backup or from shares.
    Restore(Restore),
    /// Write which patient each pseudonym stands for. Asks for the password of a data manager's account.
    Links {
        /// Where the node is.
        #[command(flatten)]
        place: Place,
        /// The account of the data manager.
        #[arg(long)]
        account: String,
        /// The file (CSV); it must not be there, and only its owner will be able to read it.
        #[arg(long)]
        out: PathBuf,
    },
}

/// Where the node is.
#[derive(Debug, Args)]
pub struct Place {
    /// The node's folder.
    #[arg(long)]
    data: PathBuf,
    /// Print the outcome as one JSON object.
    #[arg(long)]
    json: bool,
}

/// From what the secret is put back.
#[derive(Debug, Args)]
pub struct Restore {
    /// The node's folder.
    #[arg(long)]
    data: PathBuf,
    /// A backup.
    #[arg(long, conflicts_with = "shares", required_unless_present = "shares")]
    from: Option<PathBuf>,
    /// A file with lines of shares; empty lines are passed over.
    #[arg(long)]
    shares: Option<PathBuf>,
    /// Replace a secret that is there and another one: patients under it will not be joined any more.
    #[arg(long)]
    replace: bool,
}

/// Does it.
pub(crate) async fn secret(command: SecretCommand) -> anyhow::Result<()> {
    match command {
        SecretCommand::Status(place) => status(&place).await,
        SecretCommand::Seal(place) => seal(&place).await,
        SecretCommand::Unseal(place) => unseal(&place).await,
        SecretCommand::Rotate(place) => rotate(&place).await,
        SecretCommand::Backup { place, out } => backup(&place, &out).await,
        SecretCommand::Split {
            place,
            shares,
            needed,
        } => split(&place, shares, needed).await,
        SecretCommand::Restore(restore) => self::restore(&restore).await,
        SecretCommand::Links {
            place,
            account,
            out,
        } => links(&place, &account, &out).await,
    }
}

fn path_of(data: &Path) -> PathBuf {
    keys::pseudonym_file(data)
}

fn read(data: &Path) -> anyhow::Result<SecretFile> {
    let path = path_of(data);
    let text = read_bounded(&path)?;
    SecretFile::parse(&text).with_context(|| path.display().to_string())
}

fn read_bounded(path: &Path) -> anyhow::Result<String> {
    let about = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        about.len() <= MAX_FILE_BYTES,
        "{} is too long",
        path.display()
    );
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn versions(data: &Path) -> anyhow::Result<Versions> {
    Ok(read(data)?.open(&Unlock::from_environment())?.versions)
}

async fn note(node: &Node, action: &str, detail: &str) -> anyhow::Result<()> {
    let act = node.act(ACTOR, action, "pseudonym secret", Outcome::Done, detail);
    let mut tx = node.store().database().write().await?;
    tx.audit(node.now(), act).await?;
    Ok(tx.commit().await?)
}

async fn status(place: &Place) -> anyhow::Result<()> {
    let opened = read(&place.data)?.open(&Unlock::from_environment())?;
    let count = opened.versions.all().len();
    let node = open(&place.data).await?;
    let links = node.store().link_count().await?;
    let kept = node.config().site.keep_links;
    if place.json {
        let status = serde_json::json!({ "sealed": !opened.is_plain, "versions": count, "links_kept": kept, "links": links });
        return say(&status.to_string());
    }
    let lies = match opened.is_plain {
        true => {
            "open: whoever reads the node's folder can test guesses of patient ids; `arno-node secret seal` seals it"
        }
        false => "sealed under a passphrase",
    };
    let keeps = if kept {
        "are kept"
    } else {
        "are not kept (keep_links)"
    };
    say(&format!(
        "versions: {count}, {lies}\nlinks to patient ids {keeps}; {links} are here"
    ))
}

async fn seal(place: &Place) -> anyhow::Result<()> {
    let versions = versions(&place.data)?;
    let passphrase = new_passphrase(NEW_PASSPHRASE, "New passphrase of the secret: ")?;
    // What cannot be opened again is not written.
    let sealed = Sealed::seal(&versions, &passphrase, Purpose::AtRest)?;
    ensure!(
        sealed.open(&passphrase, Purpose::AtRest)? == versions,
        "sealing failed"
    );
    let node = open(&place.data).await?;
    replace_private(&path_of(&place.data), &serde_json::to_vec(&sealed)?)?;
    note(&node, "secret sealed", "").await?;
    told(
        place,
        "sealed",
        "the secret is sealed; keep a backup or shares of it, since nobody can open it without the passphrase",
    )
}

async fn unseal(place: &Place) -> anyhow::Result<()> {
    let versions = versions(&place.data)?;
    let node = open(&place.data).await?;
    replace_private(&path_of(&place.data), versions.to_lines().as_bytes())?;
    note(&node, "secret unsealed", "").await?;
    told(
        place,
        "unsealed",
        "the secret lies open in the node's folder",
    )
}

async fn rotate(place: &Place) -> anyhow::Result<()> {
    let file = read(&place.data)?;
    let unlock = Unlock::from_environment();
    let opened = file.open(&unlock)?;
    let rotated = opened.versions.rotated()?;
    let text = match unlock.passphrase().filter(|_| !opened.is_plain) {
        Some(passphrase) => {
            serde_json::to_string(&Sealed::seal(&rotated, passphrase, Purpose::AtRest)?)?
        }
        None => rotated.to_lines(),
    };
    let node = open(&place.data).await?;
    replace_private(&path_of(&place.data), text.as_bytes())?;
    let count = rotated.all().len();
    note(&node, "secret rotated", &format!("version {count}")).await?;
    told(
        place,
        "rotated",
        &format!(
            "version {count} is for patients that are new; those that are here stay under theirs. Start the node again, and make a new backup"
        ),
    )
}

async fn backup(place: &Place, out: &Path) -> anyhow::Result<()> {
    let versions = versions(&place.data)?;
    let passphrase = new_passphrase(BACKUP_PASSPHRASE, "Passphrase of the backup: ")?;
    let sealed = Sealed::seal(&versions, &passphrase, Purpose::Backup)?;
    let node = open(&place.data).await?;
    write_private(out, &serde_json::to_vec(&sealed)?)?;
    note(&node, "secret backed up", "").await?;
    told(
        place,
        "backed_up",
        "written; keep it and its passphrase apart from the node",
    )
}

async fn split(place: &Place, count: usize, needed: usize) -> anyhow::Result<()> {
    let people = shares::split(&versions(&place.data)?, needed, count)?;
    let node = open(&place.data).await?;
    note(
        &node,
        "secret split",
        &format!("{needed} of {count} shares"),
    )
    .await?;
    if place.json {
        return say(&serde_json::json!({ "shares": people, "needed": needed }).to_string());
    }
    for (at, lines) in people.iter().enumerate() {
        say(&format!(
            "# share {} of {count}; {needed} are needed",
            at + 1
        ))?;
        for line in lines {
            say(line)?;
        }
        say("")?;
    }
    Ok(())
}

async fn restore(restore: &Restore) -> anyhow::Result<()> {
    let versions = match (&restore.from, &restore.shares) {
        (Some(from), _) => {
            let sealed: Sealed =
                serde_json::from_str(&read_bounded(from)?).map_err(|_| SecretError::Malformed)?;
            let passphrase = asked(BACKUP_PASSPHRASE, "Passphrase of the backup: ")?;
            sealed.open(&passphrase, Purpose::Backup)?
        }
        (None, Some(lines)) => shares::combine(&without_comments(&read_bounded(lines)?))?,
        (None, None) => bail!("name a backup with --from, or a file of shares with --shares"),
    };
    let path = path_of(&restore.data);
    let unlock = Unlock::from_environment();
    let here = fs::read_to_string(&path).ok();
    let same = here
        .as_deref()
        .and_then(|text| SecretFile::parse(text).ok()?.open(&unlock).ok())
        .is_some_and(|opened| opened.versions == versions);
    if here.is_some() && !same && !restore.replace {
        bail!(
            "another secret is there, or one that cannot be opened: with --replace it is replaced, and patients under it are not joined any more"
        );
    }
    let text = match unlock.passphrase() {
        Some(passphrase) => {
            serde_json::to_string(&Sealed::seal(&versions, passphrase, Purpose::AtRest)?)?
        }
        None => versions.to_lines(),
    };
    replace_private(&path, text.as_bytes())?;
    let node = open(&restore.data).await?;
    note(
        &node,
        "secret restored",
        if same { "the same" } else { "another" },
    )
    .await?;
    say("the secret is restored")
}

/// Comments come from `split`, and stay when its output is kept as a file.
fn without_comments(text: &str) -> String {
    let line = |line: &str| match line.trim_start().starts_with('#') {
        true => String::new(),
        false => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

async fn links(place: &Place, account: &str, out: &Path) -> anyhow::Result<()> {
    let config = NodeConfig::load(&place.data, 0)?;
    let node = Node::open(config, arno_domain::Clock::system()).await?;
    let table = node.export_links(account, &password(account)?).await?;
    write_private(out, table.as_bytes())?;
    let rows = table.lines().count().saturating_sub(1);
    told(
        place,
        "links",
        &format!(
            "{rows} links written to {}; the file names patients",
            out.display()
        ),
    )
}

fn told(place: &Place, what: &str, words: &str) -> anyhow::Result<()> {
    match place.json {
        true => say(&serde_json::json!({ "outcome": what }).to_string()),
        false => say(words),
    }
}

/// A passphrase that somebody chooses: asked for twice.
fn new_passphrase(variable: &str, prompt: &str) -> anyhow::Result<String> {
    let given = asked(variable, prompt)?;
    if std::env::var_os(variable).is_none() && asked(variable, "Once more: ")? != given {
        bail!("the two are not the same");
    }
    Ok(given)
}

fn asked(variable: &str, prompt: &str) -> anyhow::Result<String> {
    if let Ok(given) = std::env::var(variable) {
        return Ok(given);
    }
    if !std::io::stdin().is_terminal() {
        bail!("a passphrase is needed: set {variable}");
    }
    let _ = std::io::stdout().flush();
    rpassword::prompt_password(prompt).with_context(|| format!("cannot ask; set {variable}"))
}
