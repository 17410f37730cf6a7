//! The command line: argument to call.

use std::process::ExitCode;

fn main() -> ExitCode {
    halflight::cli::main()
}
