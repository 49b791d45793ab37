//! Reads attachments and prints what they say:
//! `cargo run -p sillage-pages --example read_pages -- FILE...`.

use std::io::{Write, stdout};
use std::path::PathBuf;

use sillage_pages::{Pool, Settings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let worker = std::env::current_exe()?.with_file_name("..").join(format!("sillage-pages-worker{}", std::env::consts::EXE_SUFFIX));
    let pool = Pool::new(Settings::default(), worker, Vec::new());
    for file in std::env::args_os().skip(1).map(PathBuf::from) {
        let mut out = stdout().lock();
        match pool.read(&std::fs::read(&file)?) {
            Ok(reading) => writeln!(out, "== {} {reading:?}\n{}\n-- margins\n{}", file.display(), reading.text, reading.margins)?,
            Err(failure) => writeln!(out, "== {}: {failure}", file.display())?,
        }
    }
    Ok(())
}
