//! `arno-node serve`: opens the node in a folder, or makes one that stands alone, says where it is reached, and runs it.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use arno_dimse::AeTitle;
use arno_domain::Clock;
use clap::Args;

use crate::{
    Access, CodecPlace, DicomListener, DicomTls, Node, NodeConfig, NodeError, RecipeName,
    SiteConfig,
    commands::{HTTP_PORT, say},
};

/// Below the address of the pages.
const DICOMWEB_PATH: &str = "/dicom-web";

/// What is said where objects are kept as they come.
const IDENTIFIABLE: &str = "\
WARNING: --recipe none. This node keeps objects AS THEY COME: names, birth dates and all other identifying data stay in them,
and whoever may use this node sees them. It joins no federation and publishes nothing, and this folder stays so for good.";

/// A node that is made on the spot has no place: the page where it would be shown is the federation's.
const NOWHERE: (&str, &str, f64, f64) = ("-", "XX", 0.0, 0.0);

/// How a node is served.
#[derive(Debug, Args)]
pub struct Serve {
    /// The node's folder; made, for a node by itself, when it is not there.
    #[arg(long)]
    data: PathBuf,
    /// Port of the pages; a taken one moves on.
    #[arg(long, default_value_t = HTTP_PORT)]
    http: u16,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Listen for a PACS on this port.
    #[arg(long, value_name = "PORT")]
    dimse: Option<u16>,
    /// The node's own application entity title.
    #[arg(long, default_value = "ARNO")]
    aet: AeTitle,
    /// A title that may send (may be given again); everybody unless one is given.
    #[arg(long = "from", value_name = "AET", requires = "dimse")]
    from: Vec<AeTitle>,
    /// Where C-MOVE and storage commitment may send to (may be given again).
    #[arg(long = "to", value_name = "AET=HOST:PORT", requires = "dimse", value_parser = destination)]
    to: Vec<(AeTitle, String)>,
    /// Encrypt DICOM connections: the node's certificate (PEM).
    #[arg(long, value_name = "FILE", requires_all = ["dimse", "tls_key"])]
    tls_cert: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Only callers with a certificate of this authority (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_ca: Option<PathBuf>,
    /// What is done to objects before they are kept; `none` leaves them identifiable. What the folder says, unless given.
    #[arg(long)]
    recipe: Option<RecipeName>,
    /// The folder of the text finder, which looks at what would wait for a person; what the node's settings say, unless given.
    #[arg(long, value_name = "DIR")]
    text_finder: Option<PathBuf>,
    /// Print the addresses as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the node until Ctrl-C or SIGTERM.
pub(crate) async fn serve(serve: Serve) -> anyhow::Result<()> {
    let mut config = load_or_make(&serve).await?;
    if let Some(recipe) = serve.recipe {
        Node::choose_recipe(&mut config, recipe).await?;
    }
    config.set_text_finder(serve.text_finder.as_deref())?;
    let config = NodeConfig {
        bind: serve.bind,
        dicom: dicom(&serve)?,
        codecs: CodecPlace::Child,
        ..config
    };
    let running = Node::start(config, Clock::system()).await?;
    if running.node().is_identifiable() {
        eprintln!("{IDENTIFIABLE}");
    }
    let dicomweb_url = format!("{}{DICOMWEB_PATH}", running.http_url);
    let access = running.node().access().await?;
    match serve.json {
        true => say(&serde_json::json!({
            "http_url": running.http_url,
            "dicomweb_url": dicomweb_url,
            "dicom_port": running.dicom_port,
        })
        .to_string())?,
        false => {
            say(&format!("pages {}", running.http_url))?;
            say(&format!("DICOMweb {dicomweb_url}"))?;
            if let Some(port) = running.dicom_port {
                say(&format!("DICOM port {port}, title {}", serve.aet))?;
            }
            say(&format!("open to {}", access.words()))?;
            if access == Access::SignedIn {
                say("accounts are made with `arno-node account`")?;
            }
            say("Ctrl-C stops")?;
        }
    }
    stop_signal().await?;
    running.shutdown().await;
    Ok(())
}

async fn load_or_make(serve: &Serve) -> anyhow::Result<NodeConfig> {
    match NodeConfig::load(&serve.data, serve.http) {
        Err(NodeError::NotInitialised(_)) if is_empty(&serve.data) => {
            let mut site = stands_alone(&serve.aet);
            site.recipe = serve.recipe.unwrap_or_default();
            Node::init(&serve.data, &site).await?;
            Ok(NodeConfig::load(&serve.data, serve.http)?)
        }
        loaded => Ok(loaded?),
    }
}

/// A folder with anything else in it is not taken for a node's by mistake. Leftovers of a start that was cut off are.
fn is_empty(data: &Path) -> bool {
    let foreign = |entry: std::fs::DirEntry| {
        let name = entry.file_name();
        !["keys", "packs", "node.sqlite"]
            .iter()
            .any(|ours| name == *ours)
    };
    match std::fs::read_dir(data) {
        Ok(entries) => !entries.flatten().any(foreign),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

fn stands_alone(title: &AeTitle) -> SiteConfig {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = match host.trim() {
        "" => title.to_string(),
        host => format!("{title} at {}", host.chars().take(64).collect::<String>()),
    };
    let (city, country, latitude, longitude) = NOWHERE;
    SiteConfig::new(&name, city, country, latitude, longitude)
}

fn dicom(serve: &Serve) -> anyhow::Result<Option<DicomListener>> {
    let Some(port) = serve.dimse else {
        return Ok(None);
    };
    let mut destinations = BTreeMap::new();
    for (title, address) in &serve.to {
        if destinations
            .insert(title.clone(), address.clone())
            .is_some()
        {
            bail!("--to names {title} twice: a title has one address");
        }
    }
    let tls = match (&serve.tls_cert, &serve.tls_key) {
        (Some(certificate), Some(key)) => Some(DicomTls {
            certificate: certificate.clone(),
            key: key.clone(),
            client_ca: serve.tls_ca.clone(),
        }),
        _ => None,
    };
    Ok(Some(DicomListener {
        from: serve.from.clone(),
        destinations,
        tls,
        ..DicomListener::new(port, serve.aet.clone())
    }))
}

/// `AET=HOST:PORT`.
fn destination(text: &str) -> Result<(AeTitle, String), String> {
    let wanted = || "a destination is AET=HOST:PORT, such as PACS=10.0.0.7:11112".to_owned();
    let (title, address) = text.split_once('=').ok_or_else(wanted)?;
    let (host, port) = address.rsplit_once(':').ok_or_else(wanted)?;
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    if host.is_empty() || !is_port {
        return Err(wanted());
    }
    let title = title.parse().map_err(|_| wanted())?;
    Ok((title, address.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::destination;

    #[test]
    fn destinations_are_title_and_address() {
        let check = |text: &str, expect: Option<(&str, &str)>| {
            let found = destination(text).ok();
            let found = found
                .as_ref()
                .map(|(title, address)| (title.as_str(), address.as_str()));
            assert_eq!(found, expect, "{text}");
        };
        check("PACS=10.0.0.7:11112", Some(("PACS", "10.0.0.7:11112")));
        check("PACS=[::1]:104", Some(("PACS", "[::1]:104")));
        check("PACS=10.0.0.7", None);
        check("PACS=10.0.0.7:0", None);
        check("PACS=:104", None);
        check("=host:104", None);
        check("A TITLE OF MORE THAN 16=host:104", None);
        check("PACS", None);
    }
}
