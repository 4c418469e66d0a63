//! The `arno-hub` program: command line only; everything it does is in the library.

use arno_hub::commands::{HubCommand, run};
use clap::Parser;

/// The central service of an Arno federation.
#[derive(Parser)]
#[command(name = "arno-hub", version)]
struct Arguments {
    #[command(subcommand)]
    command: HubCommand,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    arno_httpkit::init_logging("arno-hub");
    run(Arguments::parse().command).await
}
