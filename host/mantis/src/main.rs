//! The `mantis` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    mantis::cli::main()
}
