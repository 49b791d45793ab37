//! kill -9 at any moment, run again: the same tables.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::command::{binary, feed, succeeds, text, value};

/// Rows of every table in order, without what names the run or the machine's clock.
fn contents(out: &Path) -> Vec<String> {
    [
        "select document_id, patient_id, encounter_id, document_version, status, type_code, document_time from documents order by 1",
        "select entity_id, document_id, source_start, source_end, text, label, icd10_code, negated, hypothetical, historical, experiencer, event_time from entities order by 1",
        "select document_id, document_version, source_document_id, source_patient_id, text from source_documents order by 1",
        "select patient_id, source_patient_id, identifiers, date_shift_days from identities order by 1",
        "select message_id, reason, detail from dead_letters order by 1",
    ]
    .iter()
    .map(|sql| value(out, sql))
    .collect()
}

#[test]
fn killed_runs_end_in_the_same_tables() {
    let folder = tempfile::tempdir().unwrap();
    let feed = feed(folder.path(), 40);
    let key = folder.path().join("key");
    succeeds(&["key", "new", text(&key)]);
    let pipeline = folder.path().join("pipeline.toml");
    std::fs::write(&pipeline, "[epoch]\nmax_documents = 12").unwrap();
    let arguments = |out: &Path| {
        ["run", text(&pipeline), "--source", text(&feed), "--key-file", text(&key), "--once", "--quiet", "--out", text(out)]
            .map(str::to_owned)
    };
    let straight = folder.path().join("straight");
    let started = Instant::now();
    succeeds(&arguments(&straight).each_ref().map(String::as_str));
    let whole = started.elapsed();
    let expected = contents(&straight);
    assert!(expected.iter().all(|rows| rows.lines().count() > 0));

    let killed = folder.path().join("killed");
    let mut kills = 0;
    for attempt in 1u32.. {
        assert!(attempt < 60, "never came to an end");
        let mut child = Command::new(binary()).args(arguments(&killed)).stderr(Stdio::null()).spawn().unwrap();
        // Later and later, so that every phase of a run is hit and the end is reached.
        let limit = whole.mul_f64(0.05 + 0.031 * f64::from(attempt));
        let born = Instant::now();
        let done = loop {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "a resumed run failed");
                break true;
            }
            if born.elapsed() > limit {
                child.kill().unwrap();
                child.wait().unwrap();
                break false;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        if done {
            break;
        }
        kills += 1;
    }
    assert!(kills >= 3, "only {kills} kills");
    println!("{kills} kills");
    assert_eq!(contents(&killed), expected);
}
