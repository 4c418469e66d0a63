//! `arno completions`: a script that a shell reads to complete this command.

use clap::CommandFactory as _;

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionArgs {
    /// The shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &CompletionArgs) -> anyhow::Result<()> {
    clap_complete::generate(
        args.shell,
        &mut crate::Arno::command(),
        "arno",
        &mut std::io::stdout(),
    );
    Ok(())
}
