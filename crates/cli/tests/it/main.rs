//! A whole federation, driven through its public interfaces: the eight steps, killed processes, the README's transcript.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod eight_steps;
mod killed;
mod support;
mod transcript;
