//! `sillage evaluate`: the same arithmetic as the reference scorer, and the formats
//! of other communities from files to scores.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sillage::store::{Rows, Store};
use sillage_schemas::tables;

use super::command::{sillage, stderr, succeeds, text};

#[path = "evaluate/invented.rs"]
mod invented;
use invented::{Dice, Invented, invent};

fn write_lines(path: PathBuf, rows: &[Value]) {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    std::fs::write(path, lines.join("\n")).unwrap();
}

fn write_gold(folder: &Path, invented: &Invented) {
    std::fs::create_dir_all(folder).unwrap();
    write_lines(folder.join("documents.jsonl"), &invented.documents);
    write_lines(folder.join("phi.jsonl"), &invented.phi);
    write_lines(folder.join("entities.jsonl"), &invented.entities);
    write_lines(folder.join("variables.jsonl"), &invented.variables);
}

/// Tables of a run that found these rows. Planning needs the stack that the command gives itself.
fn write_tables(out: &Path, rows: Vec<(&'static str, Vec<Value>)>) {
    let out = out.to_owned();
    let write = move || {
        tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(32 << 20).build().unwrap().block_on(async move {
            let mut store = Store::create(&out, None).await.unwrap();
            for (name, rows) in rows {
                let table = tables::table(name).unwrap();
                let mut decoder = arrow::json::ReaderBuilder::new((table.schema)()).build_decoder().unwrap();
                decoder.serialize(&rows).unwrap();
                let batches = decoder.flush().unwrap().into_iter().collect();
                store.commit(vec![Rows { table, batches, replaced: Vec::new() }], "test", 1).await.unwrap();
            }
        });
    };
    std::thread::Builder::new().stack_size(32 << 20).spawn(write).unwrap().join().unwrap();
}

/// Every leaf of the reference is in ours; numbers may differ by `tolerance`.
pub(crate) fn agrees(reference: &Value, ours: &Value, path: &str, tolerance: f64, leaves: &mut usize) {
    if let Some(fields) = reference.as_object() {
        fields.iter().for_each(|(key, value)| agrees(value, &ours[key], &format!("{path}.{key}"), tolerance, leaves));
        return;
    }
    *leaves += 1;
    match (reference.as_f64(), ours.as_f64()) {
        (Some(a), Some(b)) => assert!((a - b).abs() <= tolerance, "{path}: scorer {a} evaluate {b}"),
        _ => assert_eq!(reference, ours, "{path}"),
    }
}

#[test]
fn every_number_is_that_of_the_reference_scorer() {
    let folder = tempfile::tempdir().unwrap();
    let (out, gold, files) = (folder.path().join("tables"), folder.path().join("gold"), folder.path().join("files"));
    let invented = invent(&mut Dice(7));
    write_gold(&gold, &invented);
    let rows = vec![
        ("source_documents", invented.source_documents),
        ("identities", invented.identities),
        ("phi_spans", invented.phi_spans),
        ("entities", invented.mentions),
        ("episode_variables", invented.episode_variables),
    ];
    write_tables(&out, rows);
    let ours = succeeds(&["evaluate", "--out", text(&out), "--gold", text(&gold), "--json", "--errors", "2"]);
    let ours: Value = serde_json::from_str(&ours).unwrap();
    assert_eq!(ours["documents"], json!({"gold": 18, "found": 17, "text_equal": 17}));
    for cause in ["phi_missed", "phi_false", "term_masked", "entity_missed", "icd10", "flag_NEG", "variable", "variable_extra", "evidence"]
    {
        assert!(ours["errors"][cause]["count"].as_u64().is_some_and(|n| n > 0), "{cause}: {}", ours["errors"]);
    }
    let page = succeeds(&["evaluate", "--out", text(&out), "--gold", text(&gold), "--errors", "1"]);
    for wanted in ["\nde-identification ", "\nclinical mentions ", "\nvariables of the episode ", "\n== phi_missed ("] {
        assert!(page.contains(wanted), "{wanted:?} in {page}");
    }
    let scorer = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/tools/score.py");
    let Some(python) = std::env::var_os("SILLAGE_PYTHON").filter(|_| scorer.is_file()) else {
        println!("SKIPPED: no SILLAGE_PYTHON or no scorer, `sillage evaluate` is not compared with it");
        return;
    };
    succeeds(&["export", "--out", text(&out), "--to", text(&files), "--zone", "all"]);
    let report = folder.path().join("score.json");
    let run = Command::new(python).args([&scorer, &files, &gold]).arg("--json").arg(&report).output().unwrap();
    assert!(run.status.success(), "{}", stderr(&run));
    let mut reference: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let mut leaves = 0;
    // The scorer rounds episodes to three places, the rest to four.
    let episodes = reference["variables"].as_object_mut().unwrap().remove("episodes_per_patient").unwrap();
    agrees(&episodes, &ours["variables"]["episodes_per_patient"], "episodes", 6e-4, &mut leaves);
    agrees(&reference, &ours, "", 6e-5, &mut leaves);
    assert!(leaves > 130, "{leaves}");
}

#[test]
fn a_table_that_is_missing_or_empty_scores_zero_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (out, gold) = (folder.path().join("tables"), folder.path().join("gold"));
    let invented = invent(&mut Dice(3));
    write_gold(&gold, &invented);
    write_tables(&out, vec![("source_documents", invented.source_documents)]);
    std::fs::remove_dir_all(out.join("restricted/phi_spans")).unwrap();
    std::fs::remove_file(gold.join("entities.jsonl")).unwrap();
    let run = sillage(&["evaluate", "--out", text(&out), "--gold", text(&gold), "--json"]);
    let score: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((score["phi"]["char"]["r"].as_f64(), score["variables"]["micro"]["f1"].as_f64()), (Some(0.0), Some(0.0)));
    assert!(score["entities"].is_null(), "no gold, no score");
    for notice in ["no table phi_spans", "table episode_variables is empty", "no entities.jsonl"] {
        assert!(score["notices"].to_string().contains(notice) && stderr(&run).contains(notice), "{notice}: {}", stderr(&run));
    }
}

/// One invented note in each format, with a telephone that cannot be overlooked.
const NOTE: &str = "Mme Odile Kerdal est vue le 3 mai 2031. Tél : 02 99 00 00 00.";

fn corpus(folder: &Path) -> [(&'static str, PathBuf); 3] {
    let place = |words: &str| {
        let start = NOTE[..NOTE.find(words).unwrap()].chars().count();
        (start, start + words.chars().count())
    };
    let spans = [("Odile", "PRENOM"), ("Kerdal", "NOM"), ("3 mai 2031", "DATE"), ("02 99 00 00 00", "TEL")];
    let [i2b2, eds, brat] = ["i2b2", "eds", "brat"].map(|name| {
        std::fs::create_dir(folder.join(name)).unwrap();
        folder.join(name)
    });
    let tag = |words: &str, element: &str, kind: &str| {
        let (start, end) = place(words);
        format!("<{element} id=\"P{start}\" start=\"{start}\" end=\"{end}\" text=\"{words}\" TYPE=\"{kind}\" />\n")
    };
    let tags =
        [tag("Odile Kerdal", "NAME", "PATIENT"), tag("3 mai 2031", "DATE", "DATE"), tag("02 99 00 00 00", "CONTACT", "PHONE")].concat();
    let xml = format!("<?xml version=\"1.0\"?>\n<deIdi2b2>\n<TEXT><![CDATA[{NOTE}]]></TEXT>\n<TAGS>\n{tags}</TAGS>\n</deIdi2b2>\n");
    std::fs::write(i2b2.join("110-01.xml"), xml).unwrap();
    let entity = |(words, label): &(&str, &str)| json!({"start": place(words).0, "end": place(words).1, "label": label});
    let note = json!({"note_id": "n1", "note_text": NOTE, "entities": spans.iter().map(entity).collect::<Vec<_>>()});
    std::fs::write(eds.join("test.jsonl"), format!("{note}\n")).unwrap();
    let line = |(i, (words, label)): (usize, &(&str, &str))| format!("T{i}\t{label} {} {}\t{words}\n", place(words).0, place(words).1);
    std::fs::write(brat.join("n1.ann"), spans.iter().enumerate().map(line).collect::<String>()).unwrap();
    std::fs::write(brat.join("n1.txt"), NOTE).unwrap();
    [("i2b2-2014", i2b2), ("eds-pseudo-jsonl", eds), ("brat", brat)]
}

#[test]
fn every_format_is_read_detected_and_scored() {
    let folder = tempfile::tempdir().unwrap();
    for (format, gold) in corpus(folder.path()) {
        let page = succeeds(&["evaluate", "--gold", text(&gold), "--format", format]);
        assert!(page.contains("same label, a character in common") && page.contains("redacted: "), "{page}");
        let score: Value = serde_json::from_str(&succeeds(&["evaluate", "--gold", text(&gold), "--format", format, "--json"])).unwrap();
        let spans = if format == "i2b2-2014" { 3 } else { 4 };
        assert_eq!((score["documents"].as_u64(), score["gold_spans"].as_u64()), (Some(1), Some(spans)), "{score}");
        assert_eq!(score["gold_spans_with_other_words"], 0, "{score}");
        assert_eq!(score["hipaa"].is_object(), format == "i2b2-2014");
        for metric in ["strict", "overlap", "token", "token_any_label"] {
            let of = &score["all"][metric];
            assert!(of["f1"].is_f64() && of["definition"].is_string(), "{metric}: {score}");
            assert!(of["tp"].as_u64().unwrap() + of["fn"].as_u64().unwrap() >= spans, "{metric}: {score}");
        }
        let phone = if format == "i2b2-2014" { "PHONE" } else { "TEL" };
        assert_eq!(score["by_label"][phone]["redaction"]["redacted"], 1.0, "{score}");
    }
}

#[test]
fn wrong_usage_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let gold = text(folder.path());
    for (arguments, wanted) in [
        (vec!["evaluate", "--gold", gold], "--out"),
        (vec!["evaluate", "--gold", gold, "--out", gold, "--format", "brat"], "no --out"),
        (vec!["evaluate", "--gold", gold, "--format", "brat"], "no .ann file"),
        (vec!["evaluate", "--gold", gold, "--out", gold], "documents.jsonl"),
    ] {
        let run = sillage(&arguments);
        assert_eq!(run.status.code(), Some(2), "{}", stderr(&run));
        assert!(stderr(&run).contains(wanted), "{}", stderr(&run));
    }
}
