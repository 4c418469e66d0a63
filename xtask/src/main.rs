//! Repository chores. There is one: `cargo xtask tidy` checks the rules of the house, as `cargo test` does too.
//! Not here: what the compiler, clippy, rustfmt and cargo-deny check already.

mod metadata;
mod tidy;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, ensure};

const USAGE: &str = "usage: cargo xtask tidy";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether nothing was found.
fn run() -> anyhow::Result<bool> {
    ensure!(std::env::args().skip(1).eq(["tidy"]), USAGE);
    let findings = tidy::tidy(&root()?)?;
    for finding in &findings {
        println!("{finding}");
    }
    println!("tidy: {} found", findings.len());
    Ok(findings.is_empty())
}

/// The repository: the folder above this crate.
fn root() -> anyhow::Result<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().context("xtask has no parent folder")?;
    Ok(root.to_owned())
}
