//! `arno-node`: the program of a hospital. All it does is in the library.

use clap::Parser;

/// A hospital's node of an Arno federation.
#[derive(Debug, Parser)]
#[command(name = "arno-node", version)]
struct Arguments {
    #[command(subcommand)]
    command: arno_node::NodeCommand,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    arno_httpkit::init_logging("arno-node");
    arno_node::run(arguments.command).await
}
