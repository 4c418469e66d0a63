//! What an operator sets, and the times that a hub waits. Nothing is read from the environment here.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
};

use chrono::Duration;

/// The port of the pages and the public API unless another is named.
pub const HTTP_PORT: u16 = 8080;
/// The port that nodes call unless another is named.
pub const FEDERATION_PORT: u16 = 8443;

/// How a hub runs.
#[derive(Debug, Clone)]
pub struct HubConfig {
    /// Keys and database are kept here.
    pub data: PathBuf,
    /// Where both listeners are bound.
    pub bind: IpAddr,
    /// Port of the pages and the public API; a taken one moves on, 0 takes any.
    pub http_port: u16,
    /// Port that nodes call; a taken one moves on, 0 takes any.
    pub federation_port: u16,
    /// Names under which nodes reach the hub. The first stands in invitations; without any it is `localhost`.
    pub public_names: Vec<String>,
    /// Whether this is the demo, whose people and images are invented.
    pub demo: bool,
    /// How long is waited for what.
    pub waits: Waits,
}

/// How long a hub waits for nodes.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// A search is over after this; a site that has not answered is late.
    pub search: Duration,
    /// A phase of a round goes on after this with the nodes that answered.
    pub round: Duration,
    /// A node whose line broke is awaited so long: its next call comes within its back-off.
    pub absent: Duration,
    /// After a start nobody is connected yet; all nodes are awaited so long.
    pub restart: Duration,
    /// An analysis gives up after so long with too few sites online.
    pub patience: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            search: Duration::seconds(10),
            round: Duration::seconds(120),
            absent: Duration::seconds(2),
            restart: Duration::seconds(10),
            patience: Duration::minutes(30),
        }
    }
}

impl Waits {
    /// For a demo on one machine, where somebody looks on. A node that dies is absent at once; one that is slow takes part in the
    /// end, even where other work has the machine.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            round: Duration::seconds(30),
            patience: Duration::minutes(2),
            ..Self::default()
        }
    }
}

impl HubConfig {
    /// On loopback, with the usual ports and waits.
    #[must_use]
    pub fn new(data: PathBuf) -> Self {
        Self {
            data,
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            http_port: HTTP_PORT,
            federation_port: FEDERATION_PORT,
            public_names: Vec::new(),
            demo: false,
            waits: Waits::default(),
        }
    }
}
