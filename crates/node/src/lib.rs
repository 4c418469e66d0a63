//! The hospital service: ingest, store, search, analyses, viewer. It calls the hub; nobody calls it but its data manager.
//!
//! The way of an image is `ingest`, the way of a question `link`: search, analyses. What is absent on purpose: an
//! inbound connection from the federation, and any path out but counts, records, masked sums and models under a permit.

mod analyses;
mod api;
mod commands;
mod config;
mod datasets;
mod error;
mod ingest;
mod keys;
mod link;
mod node;
mod outlines;
mod receive;
mod running;
mod search;
mod verify;

pub use analyses::MIN_CASES_PER_CLASS;
pub use api::{openapi, router};
pub use commands::{HTTP_PORT, Init, NodeCommand, Publish, run};
pub use config::{NodeConfig, SiteConfig};
pub use error::NodeError;
pub use node::{Node, Pinned};
pub use receive::DicomListener;
pub use running::RunningNode;
pub use search::search;
pub use verify::Verified;
