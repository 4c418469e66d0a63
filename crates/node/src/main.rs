//! `arno-node`: the program of a hospital. All it does is in the library.

use std::process::ExitCode;

use clap::Parser;

/// A hospital's node of an Arno federation.
#[derive(Debug, Parser)]
#[command(name = "arno-node", version)]
struct Arguments {
    #[command(subcommand)]
    command: arno_node::NodeCommand,
}

fn main() -> anyhow::Result<ExitCode> {
    match arno_node::codec_worker() {
        Some(code) => Ok(code),
        None => run().map(|()| ExitCode::SUCCESS),
    }
}

#[tokio::main]
async fn run() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    arno_httpkit::init_logging("arno-node");
    arno_node::run(arguments.command).await
}
