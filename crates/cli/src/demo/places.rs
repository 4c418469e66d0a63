//! Where the programs of the demo are: folders, ports and logs; and how each is started, the first time and again.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use arno_domain::Clock;
use arno_hub::{FEDERATION_PORT, Hub, HubConfig, Waits};
use arno_node::{Node, NodeConfig};
use arno_phantom::SITES;

use super::{
    folder::Folder,
    process::{Mode, Process, Program},
};

/// Asks for any port.
const ANY: u16 = 0;
/// Folders and ports of the four programs.
#[derive(Debug)]
pub struct Places {
    base: PathBuf,
    hub_data: PathBuf,
    node_data: [PathBuf; 3],
    mode: Mode,
    hub_port: u16,
    federation_port: u16,
    node_ports: [u16; 3],
    /// Which ports were taken, for the person who looks for them.
    pub(crate) moved: Vec<String>,
}

impl Places {
    /// Chooses free ports, from `first` on.
    pub(crate) async fn choose(first: u16, folder: &Folder, mode: Mode) -> anyhow::Result<Self> {
        let mut ports = Ports::default();
        let hub_port = ports.free(first, "the hub").await?;
        let federation_port = ports.federation(folder, first).await?;
        let mut node_ports = [0; 3];
        let mut next = hub_port;
        for (port, site) in node_ports.iter_mut().zip(&SITES) {
            let wanted = if first == ANY { ANY } else { next + 1 };
            next = ports.free(wanted, site.name).await?;
            *port = next;
        }
        Ok(Self {
            base: folder.path().to_owned(),
            hub_data: folder.hub(),
            node_data: SITES.each_ref().map(|site| folder.node(site.key)),
            mode,
            hub_port,
            federation_port,
            node_ports,
            moved: ports.moved,
        })
    }

    /// Where the hub's pages are.
    pub(crate) fn hub_url(&self) -> String {
        format!("http://localhost:{}", self.hub_port)
    }

    /// Where nodes call.
    pub(crate) fn federation_url(&self) -> String {
        format!("https://localhost:{}", self.federation_port)
    }

    /// Where a node's pages are.
    pub(crate) fn node_url(&self, index: usize) -> String {
        format!("http://localhost:{}", self.node_ports[index])
    }

    /// Starts the hub and waits until it answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start_hub(&self) -> anyhow::Result<Program> {
        let Mode::Processes(program) = &self.mode else {
            return self.start_hub_here().await;
        };
        let (data, http, federation) = (
            self.hub_data.display().to_string(),
            self.hub_port.to_string(),
            self.federation_port.to_string(),
        );
        let arguments = [
            "hub",
            "serve",
            "--data",
            &data,
            "--http",
            &http,
            "--federation",
            &federation,
            "--demo",
        ];
        let mut process =
            Process::spawn(program, "the hub", &arguments, &self.base.join("hub.log"))?;
        process.ready(&self.hub_url()).await?;
        Ok(Program::Process(process))
    }

    async fn start_hub_here(&self) -> anyhow::Result<Program> {
        let mut config = HubConfig::new(self.hub_data.clone());
        config.http_port = self.hub_port;
        config.federation_port = self.federation_port;
        config.demo = true;
        config.waits = Waits::demo();
        Ok(Program::Hub(Hub::start(config, Clock::system()).await?))
    }

    /// Starts a node and waits until it answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start_node(&self, index: usize) -> anyhow::Result<Program> {
        let (data, port) = (&self.node_data[index], self.node_ports[index]);
        let Mode::Processes(program) = &self.mode else {
            let node = Node::start(NodeConfig::load(data, port)?, Clock::system()).await?;
            return Ok(Program::Node(Box::new(node)));
        };
        let (data, port) = (data.display().to_string(), port.to_string());
        let log = self.base.join(format!("{}.log", SITES[index].key));
        let arguments = ["node", "serve", "--data", &data, "--http", &port];
        let mut process = Process::spawn(program, SITES[index].name, &arguments, &log)?;
        process.ready(&self.node_url(index)).await?;
        Ok(Program::Process(process))
    }
}

/// Ports that were found free; held until all are chosen, so that none is given twice.
#[derive(Default)]
struct Ports {
    held: Vec<tokio::net::TcpListener>,
    moved: Vec<String>,
}

impl Ports {
    /// A port that is free now: the wanted one, or the next.
    async fn free(&mut self, wanted: u16, whose: &str) -> anyhow::Result<u16> {
        let loopback = std::net::Ipv4Addr::LOCALHOST.into();
        let from = if wanted == ANY {
            arno_httpkit::unused_port()
        } else {
            wanted
        };
        let (listener, port) = arno_httpkit::bind_next(loopback, from)
            .await
            .context("no port is free")?;
        self.held.push(listener);
        if wanted != ANY && port != wanted {
            self.moved
                .push(format!("Port {wanted} is taken; {whose} is at {port}."));
        }
        Ok(port)
    }

    /// The port that nodes call. They pinned it when they joined, so a kept demo must find it free.
    async fn federation(&mut self, folder: &Folder, first: u16) -> anyhow::Result<u16> {
        const WHOSE: &str = "the hub's door for nodes";
        let file = folder.path().join("federation-port");
        if !folder.resumed {
            let wanted = if first == ANY { ANY } else { FEDERATION_PORT };
            let port = self.free(wanted, WHOSE).await?;
            std::fs::write(&file, port.to_string())?;
            return Ok(port);
        }
        let kept = std::fs::read_to_string(&file)
            .ok()
            .and_then(|text| text.parse().ok());
        let kept = kept.context("the kept demo has lost its port; begin anew with --fresh")?;
        if self.free(kept, WHOSE).await? != kept {
            bail!(
                "port {kept}, where the kept nodes look for the hub, is taken: free it, or begin anew with --fresh"
            );
        }
        Ok(kept)
    }
}
