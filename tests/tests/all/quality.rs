//! The scores that the README states, on the dossiers beside the repository.

use std::path::Path;

use super::command::{succeeds, text};

/// Score, in the JSON of `sillage evaluate`, and the least that is accepted.
const FLOORS: &[(&[&str], f64)] = &[
    (&["entities", "overlap", "f1"], 0.85),
    (&["entities", "icd10_exact"], 0.80),
    (&["entities", "atc_exact"], 0.90),
    (&["entities", "flags", "NEG", "f1"], 0.80),
    (&["entities", "flags", "FAM", "f1"], 0.70),
    (&["entities", "flags", "HIST", "f1"], 0.60),
    (&["entities", "flags", "HYP", "f1"], 0.50),
];

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
    let json = succeeds(&["evaluate", "--out", text(&out), "--gold", text(&dev.join("gold")), "--format", "json"]);
    let score: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(score["documents"]["text_equal"], score["documents"]["gold"], "every text arrives as it was");
    for (path, floor) in FLOORS {
        let value = path.iter().fold(&score, |value, key| &value[*key]).as_f64().unwrap();
        assert!(value >= *floor, "{}: {value:.3} < {floor}", path.join("."));
    }
}
