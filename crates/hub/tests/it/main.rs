//! The hub at its boundary: real listeners on free ports, a database of its own, nodes that sign their messages.

mod access;
mod analysing;
mod fake_node;
mod joining;
mod learning_node;
mod requesting;
mod searching;
mod support;
