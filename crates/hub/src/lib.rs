//! The central service of a federation: catalogue, search, access requests, permits, analyses, audit.
//!
//! It holds no image and no patient row, and it never connects to a node: nodes call the `federation` listener
//! and pull their questions. What a node releases, the node decides; the hub carries signed documents and adds up
//! masked vectors. Not here: pages (embedded by `arno-httpkit`), SQL (`arno-store`), DICOM (nowhere at the hub).

mod about;
mod analyses;
mod api;
mod audit;
mod catalogue;
mod cohorts;
pub mod commands;
mod config;
mod error;
mod exact;
mod federation;
mod hub;
mod identity;
mod invitations;
mod limits;
mod manifests;
mod permits;
mod presence;
mod refusals;
mod replay;
mod requests;
mod search;
mod setup;
mod survival;
mod totals;

pub use api::openapi;
pub use config::{FEDERATION_PORT, HTTP_PORT, HubConfig, Waits};
pub use error::HubError;
pub use hub::{Hub, RunningHub};
pub use setup::{NewAccount, init, invite, put_account};
