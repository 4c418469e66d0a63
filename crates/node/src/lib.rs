//! The hospital service: ingest, store, search, analyses, viewer. It calls the hub; nobody calls it but its data manager.
//!
//! The way of an image is `ingest`, the way of a question `link`: search, analyses. What is absent on purpose: an
//! inbound connection from the federation, and any path out but counts, records, masked sums and models under a permit.

mod access;
mod analyses;
mod api;
mod clinical;
mod commands;
mod compaction;
mod config;
mod datasets;
mod decoding;
mod defacing;
mod deletion;
mod dicomweb;
mod disclosure;
mod error;
mod faces;
mod facets;
mod index;
mod ingest;
mod ingesting;
mod keys;
mod link;
mod manifest;
mod node;
mod outlines;
mod painting;
mod quality;
mod query;
mod query_retrieve;
mod reading;
mod receive;
mod recent;
mod repair;
mod review;
mod risk;
mod running;
mod search;
mod secret;
mod segmentations;
mod selection;
mod serving;
mod standalone;
mod survey;
mod text;
mod upkeep;
mod verify;

pub use access::Access;
pub use analyses::MIN_CASES_PER_CLASS;
pub use api::{openapi, router};
pub use clinical::{
    ClinicalCommand, ClinicalError, ClinicalFile, EntityCount, ExportFormat, Exported,
    Load as ClinicalLoad, Understood, understand,
};
pub use commands::{HTTP_PORT, Init, NodeCommand, Publish, run};
pub use compaction::{Compacted, Compacting};
pub use config::{NodeConfig, SiteConfig};
pub use decoding::{CodecPlace, caged_decoder, codec_worker};
pub use defacing::FacesRemoved;
pub use error::NodeError;
pub use faces::FacePolicy;
pub use ingest::FileOutcome;
pub use ingest::{Fate, Incoming, KeptUids, Taken, TakingIn};
pub use ingesting::Ingest;
pub use node::{Node, Pinned};
pub use query::{Found, MAX_OPENED_TO_MATCH, MAX_SCANNED_ROWS, Row};
pub use receive::{DicomListener, DicomTls};
pub use repair::Repaired;
pub use risk::{BelowLimit, RiskPolicy};
pub use running::RunningNode;
pub use secret::{SecretCommand, SecretError, Unlock};
pub use serving::Serve;
pub use standalone::RecipeName;
pub use text::{Resting, TextPolicy, TextTally};
pub use upkeep::{Compact, Verify};
pub use verify::Verified;
