//! `sillage`, built beside the tests that start and kill it.

use std::process::ExitCode;

fn main() -> ExitCode {
    sillage::cli::main()
}
