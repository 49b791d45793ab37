//! The `sillage` command.

use std::process::ExitCode;

/// Texts and rows come and go on every thread, which leaves the heap of the system's
/// allocator several times as large as what is in use. Tuned in `.cargo/config.toml`.
#[cfg(all(unix, not(target_env = "musl")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    sillage::cli::main()
}
