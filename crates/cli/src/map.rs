//! `arno map suggest`: a first draft of the mapping of a clinical file, for a person to read. The same as `arno-node clinical suggest`.

use std::path::PathBuf;

use arno_node::{ClinicalCommand, NodeCommand};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum MapCommand {
    /// Draft a mapping from a table (CSV, XLSX, Parquet) or from FHIR (.json, .ndjson, or a folder of them)
    Suggest {
        /// The file
        file: PathBuf,
        /// Name of the source; the file's name unless given
        #[arg(long)]
        source: Option<String>,
    },
}

pub(crate) async fn run(command: MapCommand) -> anyhow::Result<()> {
    let MapCommand::Suggest { file, source } = command;
    let suggest = ClinicalCommand::Suggest { file, source };
    arno_node::run(NodeCommand::Clinical(suggest)).await
}
