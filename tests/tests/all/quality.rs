//! The scores that the README states, on the dossiers beside the repository.

use std::path::Path;
use std::process::Command;

use super::command::{succeeds, text};
use super::evaluate::agrees;

/// Score, in the JSON of `sillage evaluate`, and the least that is accepted.
const FLOORS: &[(&[&str], f64)] = &[
    (&["entities", "overlap", "f1"], 0.85),
    (&["entities", "icd10_exact"], 0.80),
    (&["entities", "atc_exact"], 0.90),
    (&["entities", "flags", "NEG", "f1"], 0.93),
    (&["entities", "flags", "FAM", "f1"], 0.80),
    (&["entities", "flags", "HIST", "f1"], 0.80),
    (&["entities", "flags", "HYP", "f1"], 0.75),
];

/// The project's scorer, on the exported files, finds the same.
fn agrees_with_the_reference_scorer(folder: &Path, out: &Path, dev: &Path, ours: &serde_json::Value) {
    let scorer = dev.join("../../tools/score.py");
    let Some(python) = std::env::var_os("SILLAGE_PYTHON").filter(|_| scorer.is_file()) else {
        println!("SKIPPED: no SILLAGE_PYTHON or no scorer, `sillage evaluate` is not compared with it");
        return;
    };
    let (files, report) = (folder.join("files"), folder.join("score.json"));
    succeeds(&["export", "--out", text(out), "--to", text(&files), "--zone", "all"]);
    let run = Command::new(python).args([&scorer, &files, &dev.join("gold")]).arg("--json").arg(&report).output().unwrap();
    if !run.status.success() {
        println!("SKIPPED: the scorer does not run here: {}", String::from_utf8_lossy(&run.stderr));
        return;
    }
    let mut reference: serde_json::Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    // Which of several right episodes gives the evidence is a matter of row order.
    reference["variables"].as_object_mut().unwrap().remove("evidence_right");
    let mut leaves = 0;
    agrees(&reference, ours, "", 1e-3, &mut leaves);
    assert!(leaves > FLOORS.len(), "{leaves}");
}

#[test]
fn dev_dossiers_score_as_stated() {
    let dev = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/dev");
    if !dev.is_dir() {
        println!("SKIPPED: {} is missing, scores are not checked", dev.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("tables");
    succeeds(&["run", "--source", text(&dev.join("ndjson")), "--out", text(&out), "--once", "--quiet"]);
    let json = succeeds(&["evaluate", "--out", text(&out), "--gold", text(&dev.join("gold")), "--json"]);
    let score: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(score["documents"]["text_equal"], score["documents"]["gold"], "every text arrives as it was");
    for (path, floor) in FLOORS {
        let value = path.iter().fold(&score, |value, key| &value[*key]).as_f64().unwrap();
        assert!(value >= *floor, "{}: {value:.3} < {floor}", path.join("."));
    }
    agrees_with_the_reference_scorer(folder.path(), &out, &dev, &score);
}
