//! The node at its boundary: ingest, questions of a hub, pages and the link, each test with nodes in folders of their own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod api;
mod ingesting;
mod initialising;
mod lasting;
mod link;
mod local_model;
mod phantom;
mod previewing;
mod publishing;
mod quarantining;
mod receiving;
mod refusing;
mod rounds;
mod searching;
mod support;
mod unmasking;
