//! The `arno` program; everything is in the library, so that tests can drive it.

use std::process::ExitCode;

fn main() -> ExitCode {
    arno_cli::main()
}
