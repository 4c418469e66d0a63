//! The hub's commands, for the `arno-hub` program and for `arno hub`.

use std::{
    io::{IsTerminal as _, Write as _},
    net::IpAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use arno_domain::{Clock, PublicKey};
use arno_protocol::session::Role;
use clap::Subcommand;

use crate::{FEDERATION_PORT, HTTP_PORT, Hub, HubConfig, NewAccount, Waits};

/// Where the password of a new account may stand, so that it does not stand on the command line.
const PASSWORD: &str = "ARNO_PASSWORD";

/// What an operator can do with a hub.
#[derive(Debug, Subcommand)]
pub enum HubCommand {
    /// Make the federation's keys and database in a folder.
    Init {
        /// The hub's folder.
        #[arg(long)]
        data: PathBuf,
        /// The federation's name.
        #[arg(long)]
        name: String,
        /// The access committee's public key, 64 hexadecimal digits; needed before the hub can serve.
        #[arg(long)]
        committee_key: Option<PublicKey>,
    },
    /// Run the hub until Ctrl-C.
    Serve {
        /// The hub's folder.
        #[arg(long)]
        data: PathBuf,
        /// Port of the pages and the public API; a taken one moves on.
        #[arg(long, default_value_t = HTTP_PORT)]
        http: u16,
        /// Port that nodes call; a taken one moves on.
        #[arg(long, default_value_t = FEDERATION_PORT)]
        federation: u16,
        /// Address to listen on.
        #[arg(long, default_value = "127.0.0.1")]
        bind: IpAddr,
        /// A name under which nodes reach the hub; the first stands in invitations.
        #[arg(long = "public-name")]
        public_names: Vec<String>,
        /// Say on the pages that people and images are invented, and wait for nodes less long.
        #[arg(long)]
        demo: bool,
        /// Print the addresses as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Issue a one-time invitation for a site.
    Invite {
        /// The hub's folder.
        #[arg(long)]
        data: PathBuf,
        /// For whom.
        #[arg(long)]
        note: String,
    },
    /// Make an account, or change the one of that name. The password comes from ARNO_PASSWORD or is asked for.
    Account {
        /// The hub's folder.
        #[arg(long)]
        data: PathBuf,
        /// The name to sign in with.
        #[arg(long)]
        name: String,
        /// data_user, committee or operator.
        #[arg(long, value_parser = parse_role)]
        role: Role,
        /// The person's name; the account's name unless given.
        #[arg(long)]
        display_name: Option<String>,
        /// For a committee member: a file with the sealed signing key as JSON.
        #[arg(long)]
        sealed_key: Option<PathBuf>,
    },
}

/// Carries a command out.
///
/// # Errors
/// With a text that says what to do next.
pub async fn run(command: HubCommand) -> anyhow::Result<()> {
    match command {
        HubCommand::Init {
            data,
            name,
            committee_key,
        } => init(&data, &name, committee_key).await,
        HubCommand::Serve {
            data,
            http,
            federation,
            bind,
            public_names,
            demo,
            json,
        } => {
            let waits = if demo {
                Waits::demo()
            } else {
                Waits::default()
            };
            let config = HubConfig {
                data,
                bind,
                http_port: http,
                federation_port: federation,
                public_names,
                demo,
                waits,
            };
            serve(config, json).await
        }
        HubCommand::Invite { data, note } => {
            let issued = crate::invite(&data, &note, &Clock::system()).await?;
            say(&issued.invitation)
        }
        HubCommand::Account {
            data,
            name,
            role,
            display_name,
            sealed_key,
        } => {
            let display_name = display_name.unwrap_or_else(|| name.clone());
            let sealed_key = sealed_key.as_deref().map(read_sealed_key).transpose()?;
            let account = NewAccount {
                password: password(&name)?,
                name,
                display_name,
                role,
                sealed_key,
            };
            Ok(crate::put_account(&data, account, &Clock::system()).await?)
        }
    }
}

async fn init(data: &Path, name: &str, committee_key: Option<PublicKey>) -> anyhow::Result<()> {
    let root = crate::init(data, name, committee_key).await?;
    say(&format!("{name}: root key {}", root.fingerprint()))
}

async fn serve(config: HubConfig, json: bool) -> anyhow::Result<()> {
    let running = Hub::start(config, Clock::system()).await?;
    let (http, federation) = (&running.http_url, &running.federation_url);
    if json {
        say(&serde_json::json!({ "http_url": http, "federation_url": federation }).to_string())?;
    } else {
        say(&format!(
            "pages and API {http}\nnodes call {federation}\nCtrl-C stops"
        ))?;
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

fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .context("cannot write to standard output")
}

fn parse_role(text: &str) -> Result<Role, String> {
    Role::from_name(text).ok_or_else(|| "one of data_user, committee, operator".to_owned())
}

fn read_sealed_key(path: &Path) -> anyhow::Result<arno_protocol::session::SealedKey> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} holds no sealed key", path.display()))
}

fn password(account: &str) -> anyhow::Result<String> {
    if let Ok(password) = std::env::var(PASSWORD) {
        return Ok(password);
    }
    if !std::io::stdin().is_terminal() {
        bail!("set the password of {account} in {PASSWORD}");
    }
    rpassword::prompt_password(format!("Password of {account}: "))
        .context("cannot read the password")
}
