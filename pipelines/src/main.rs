//! The `sillage` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    sillage::cli::main()
}
