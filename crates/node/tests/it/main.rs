//! The node at its boundary: ingest, questions of a hub, pages and the link, each test with nodes in folders of their own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod alarming;
mod api;
mod archives;
mod attacking;
mod attacking_survival;
mod bordering;
mod clinical;
mod counting;
mod defacing;
mod deleting;
mod describing;
mod dicomweb;
mod ingesting;
mod initialising;
mod killed;
mod lasting;
mod link;
mod local_model;
#[path = "../../../dimse/tests/support/mod.rs"]
mod pacs;
mod phantom;
mod previewing;
mod publishing;
mod quality;
mod quarantining;
mod querying;
mod rebuilding;
mod receiving;
mod refusing;
mod reviewing;
mod rounds;
mod searching;
mod secret;
mod segmenting;
mod standing_alone;
mod support;
mod text_finding;
mod totals;
mod unmasking;
