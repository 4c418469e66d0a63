//! `arno completions`: a script that a shell reads to complete this command, and in bash and fish the cohort of `arno search` too.

use clap::CommandFactory as _;

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionArgs {
    /// The shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &CompletionArgs) -> anyhow::Result<()> {
    let mut command = crate::Arno::command();
    clap_complete::generate(args.shell, &mut command, "arno", &mut std::io::stdout());
    print!("{}", cohorts_in(args.shell));
    Ok(())
}

/// Asks `arno search --complete` for what may come; other shells complete the command alone.
fn cohorts_in(shell: clap_complete::Shell) -> &'static str {
    match shell {
        clap_complete::Shell::Bash => BASH,
        clap_complete::Shell::Fish => FISH,
        _ => "",
    }
}

/// A cohort is one argument in quotes. Bash hands it over with its opening quote, and takes words back without.
const BASH: &str = r#"
_arno_with_cohorts() {
    local word="${COMP_WORDS[COMP_CWORD]}"
    if [[ "${COMP_WORDS[1]}" == search && ( "$word" == \'* || "$word" == \"* ) ]]; then
        mapfile -t COMPREPLY < <(arno search --complete "${word:1}" 2>/dev/null | cut -f1)
        compopt -o nospace 2>/dev/null
    else
        _arno "$@"
    fi
}
complete -F _arno_with_cohorts -o nosort -o bashdefault -o default arno
"#;

const FISH: &str = r#"
complete -c arno -n "__fish_seen_subcommand_from search" -f -a '(arno search --complete (commandline -ct | string trim -l -c "\'\"") 2>/dev/null)'
"#;
