//! Repository chores: `cargo xtask tidy` checks the rules of the house, `cargo xtask licences` those of the
//! dependencies. `cargo test` runs the first as a test. Not here: what the compiler, clippy and rustfmt check already.

mod licences;
mod metadata;
mod spdx;
mod tidy;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;

const USAGE: &str = "usage: cargo xtask tidy | licences";

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

/// Whether the chore found nothing to complain of.
fn run() -> anyhow::Result<bool> {
    let root = root()?;
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => report("tidy", &tidy::tidy(&root)?),
        Some("licences") => {
            let (summary, findings) = licences::check(&root)?;
            println!("{summary}");
            report("licences", &findings)
        }
        _ => anyhow::bail!(USAGE),
    }
}

fn report(chore: &str, findings: &[tidy::Finding]) -> anyhow::Result<bool> {
    for finding in findings {
        println!("{finding}");
    }
    println!("{chore}: {} found", findings.len());
    Ok(findings.is_empty())
}

/// The repository: the folder above this crate.
fn root() -> anyhow::Result<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().context("xtask has no parent folder")?;
    Ok(root.to_owned())
}
