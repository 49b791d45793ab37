//! The scripts of `examples/` run on what `sillage export` writes.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::command::{stderr, stdout, succeeds, text};

fn python() -> Option<PathBuf> {
    let python = PathBuf::from(std::env::var_os("SILLAGE_PYTHON")?);
    let imports = Command::new(&python).args(["-c", "import duckdb, pandas, polars, pyarrow, sklearn"]).output().ok()?;
    imports.status.success().then_some(python)
}

fn r() -> Option<PathBuf> {
    let output = Command::new("Rscript").args(["-e", "invisible(arrow::read_parquet)"]).output().ok()?;
    output.status.success().then(|| PathBuf::from("Rscript"))
}

#[test]
fn scripts_load_join_and_fit() {
    let scripts: Vec<(&str, PathBuf)> = [("cohort.py", python()), ("cohort.R", r())]
        .into_iter()
        .filter_map(|(script, program)| {
            if program.is_none() {
                println!("SKIPPED: examples/{script} did not run, its interpreter or packages are missing");
            }
            Some((script, program?))
        })
        .collect();
    if scripts.is_empty() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (demo, files) = (folder.path().join("demo"), folder.path().join("files"));
    succeeds(&["demo", "--out", text(&demo), "--patients", "80", "--quiet"]);
    succeeds(&["export", "--out", text(&demo.join("tables")), "--to", text(&files)]);
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for (script, program) in scripts {
        let output = Command::new(program).arg(examples.join(script)).arg(&files).output().unwrap();
        assert!(output.status.success(), "{script}: {}", stderr(&output));
        let page = stdout(&output);
        for wanted in ["Cohort: 80 strokes", "Where nihss_admission comes from", "NIHSS", "odds ratio of a good outcome"] {
            assert!(page.contains(wanted), "{script}: {wanted:?} in {page}");
        }
    }
}
