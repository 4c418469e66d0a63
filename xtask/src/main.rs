//! Repository chores, run as `cargo xtask <name>`.

fn main() {}
