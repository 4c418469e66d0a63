//! The `arno` command.

fn main() {}
