//! Commands and a whole federation, driven through their public interfaces: the eight steps, killed processes, the README's transcript,
//! folders of heads.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod defacing;
mod eight_steps;
#[path = "../../../pixels/tests/deface/enhanced.rs"]
mod enhanced;
#[allow(
    dead_code,
    reason = "the tests of removing faces ask more of the same head"
)]
#[path = "../../../pixels/tests/deface/head.rs"]
mod head;
mod killed;
mod support;
mod transcript;
