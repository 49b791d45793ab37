//! Pages a second beside `pdftotext`, and whether memory stays flat:
//! `cargo run --release -p sillage-pages --example throughput -- FOLDER [TIMES]`.
//!
//! Both read the same files, one after the other, on one core: `pdftotext -layout` as
//! a process each time, as scripts do, and as one process for what reading alone costs
//! beside its start; ours through the worker, layout and margins on.

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use sillage_pages::{Pool, Settings};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("a folder of PDF files")?);
    let times: usize = arguments.next().map_or(Ok(1), |n| n.to_string_lossy().parse())?;
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "pdf") {
            files.push((path.clone(), std::fs::read(&path)?));
        }
    }
    files.sort();
    let program = std::env::current_exe()?.with_file_name("..").join(format!("sillage-pages-worker{}", std::env::consts::EXE_SUFFIX));
    let pool = Pool::new(Settings { workers: 1, ..Settings::default() }, program, Vec::new());
    // The first file starts the process and loads the library.
    if let Some((_, bytes)) = files.first() {
        pool.read(bytes)?;
    }
    let mut out = stdout().lock();
    let (mut pages, mut failures) = (0u64, 0u64);
    let started = Instant::now();
    for round in 0..times {
        for (_, bytes) in &files {
            match pool.read(bytes) {
                Ok(reading) => pages += u64::from(reading.pages),
                Err(_) => failures += 1,
            }
        }
        if times > 9 && round % (times / 10) == 0 {
            writeln!(out, "{} files: {} KiB in the largest worker", (round + 1) * files.len(), resident())?;
        }
    }
    let ours = pages as f64 / started.elapsed().as_secs_f64();
    writeln!(out, "sillage: {pages} pages, {failures} failures, {ours:.1} pages/s")?;
    let started = Instant::now();
    for (path, _) in &files {
        Command::new("pdftotext").arg("-layout").arg(path).arg("-").stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    }
    let theirs = pages as f64 / times as f64 / started.elapsed().as_secs_f64();
    writeln!(out, "pdftotext -layout, a process a file: {theirs:.1} pages/s; ratio {:.2}", ours / theirs)?;
    Ok(())
}

/// The largest resident size of the processes that this one started.
fn resident() -> u64 {
    let own = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let sizes = processes.filter_map(|entry| {
        let status = std::fs::read_to_string(entry.path().join("status")).ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
        (field("PPid:")? == own).then(|| field("VmRSS:")?.split(' ').next()?.parse::<u64>().ok()).flatten()
    });
    sizes.max().unwrap_or_default()
}
