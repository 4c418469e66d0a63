//! The hub at its boundary: real listeners on free ports, a database of its own, nodes that sign their messages.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

mod access;
mod analysing;
mod counting;
mod declaring;
mod fake_node;
mod joining;
mod learning_node;
mod newer_node;
mod requesting;
mod searching;
mod support;
