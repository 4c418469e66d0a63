//! The `arno` command: one file per subcommand, tables for people, `--json` for programs.
//!
//! Exit codes: 0 done; 1 failed; 2 wrong usage; 3 refused by a rule of the federation, or by a recipe; 4 done, but files were
//! left out.

mod check;
mod complete;
mod decide;
mod deid;
pub mod demo;
mod import;
mod login;
mod map;
mod output;
mod plots;
mod profile;
mod request;
mod sealed_key;
mod search;
mod status;
mod train;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Find, ask for, and compute over cancer images that stay in their hospitals.
#[derive(Debug, Parser)]
#[command(name = "arno", version, propagate_version = true)]
pub(crate) struct Arno {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
pub(crate) struct Shared {
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    json: bool,
    /// The sign-in to use (see `arno login`); by default `default`, else the running demo's
    #[arg(long, global = true, env = "ARNO_PROFILE", value_name = "NAME")]
    profile: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a federation of a hub and three hospitals on this machine
    Demo(demo::DemoArgs),
    /// Sign in to a hub
    Login(login::LoginArgs),
    /// Show the federation, its datasets and what is under way
    Status,
    /// Count the patients that match a cohort, at every site
    Search(search::SearchArgs),
    /// Ask for access to datasets
    Request(request::RequestArgs),
    /// Decide on an access request, as the access committee
    Decide(decide::DecideArgs),
    /// Train a model over all sites
    Train(train::TrainArgs),
    /// Bring instances from a public archive or another S3 store into a node, or clinical data (`arno import clinical`)
    Import(import::ImportArgs),
    /// Draft a mapping, which says what stands in a clinical file
    Map {
        #[command(subcommand)]
        command: map::MapCommand,
    },
    /// Check offline that a saved record, certificate or permit is as its author signed it
    Verify(verify::VerifyArgs),
    /// De-identify a folder of DICOM files into another, offline
    Deid(deid::DeidArgs),
    /// Read a folder of DICOM files and say what is sound and what is not
    Check(check::CheckArgs),
    /// Print a completion script for a shell
    Completions(complete::CompletionArgs),
    /// Make a signing key for an access committee, sealed under a passphrase
    CommitteeKey(sealed_key::CommitteeKeyArgs),
    /// Run a hub (the same as `arno-hub`)
    #[command(hide = true)]
    Hub {
        #[command(subcommand)]
        command: arno_hub::commands::HubCommand,
    },
    /// Run a node (the same as `arno-node`)
    #[command(hide = true)]
    Node {
        #[command(subcommand)]
        command: arno_node::NodeCommand,
    },
}

/// Parses the arguments, runs the command, and gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(code) = arno_node::codec_worker() {
        return code;
    }
    let arno = Arno::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return output::failure(arno.shared.json, &anyhow::Error::new(error)),
    };
    let json = arno.shared.json;
    match runtime.block_on(run(arno)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::failure(json, &error),
    }
}

async fn run(arno: Arno) -> anyhow::Result<()> {
    let Arno { shared, command } = arno;
    match command {
        Command::Demo(args) => demo::run(&shared, args).await,
        Command::Login(args) => login::run(&shared, args).await,
        Command::Status => status::run(&shared).await,
        Command::Search(args) => search::run(&shared, args).await,
        Command::Request(args) => request::run(&shared, args).await,
        Command::Decide(args) => decide::run(&shared, args).await,
        Command::Train(args) => train::run(&shared, args).await,
        Command::Import(args) => import::run(&shared, args).await,
        Command::Map { command } => map::run(command).await,
        Command::Verify(args) => verify::run(&shared, &args),
        Command::Deid(args) => deid::run(&shared, args),
        Command::Check(args) => check::run(&shared, &args),
        Command::Completions(args) => complete::run(&args),
        Command::CommitteeKey(args) => sealed_key::run(&shared, &args),
        Command::Hub { command } => arno_hub::commands::run(command).await,
        Command::Node { command } => arno_node::run(command).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::Arno;

    #[test]
    fn images_and_clinical_data_are_imported_by_one_command() {
        Arno::command().debug_assert();
        let check = |line: &str, is_right: bool| {
            let parsed = Arno::try_parse_from(line.split(' '));
            assert_eq!(parsed.is_ok(), is_right, "{line}: {parsed:?}");
        };
        check("arno import s3://bucket/series/ --data node", true);
        check("arno import s3://bucket/series/", false);
        check("arno import", false);
        check(
            "arno import clinical t.csv --mapping t.toml --data node --json",
            true,
        );
        check(
            "arno --json import clinical t.csv --mapping t.toml --data node",
            true,
        );
        check("arno import clinical b.json --source ehr --data node", true);
        check(
            "arno import clinical b.json --identifier-system urn:x --data node",
            false,
        );
        check("arno import clinical b.json --data node", false);
        check("arno map suggest t.csv", true);
        check("arno map", false);
    }
}
