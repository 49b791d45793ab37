//! A run that dies when only some tables have an epoch: the next one ends as if
//! nothing had happened, whichever tables they were.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::command::{succeeds, text, value};
use super::corrections::{document, patient};

/// What corrections change, in every table.
fn contents(out: &Path) -> Vec<String> {
    [
        "select document_id, patient_id, encounter_id, episode_id is null, document_version, status, document_time, stay_start, stay_end, text from documents order by 1",
        "select entity_id, document_id, patient_id, start, text, icd10_code from entities order by 1",
        "select document_id, patient_id, variable, value from variables order by 1, 3, 4",
        "select patient_id, variable, value from episode_variables order by 1, 2",
        "select patient_id, documents from cohort order by 1",
        "select document_id, document_version, status, replaced, patient_id, text from source_documents order by 1",
        "select patient_id, merged_into, merged_at, record from identities order by 1",
        "select encounter_id, source_patient_id, moved_to, moved_at, start from encounters order by 1",
        "select document_id, label, start, replacement from phi_spans order by 1, 3",
        "select message_id, reason from dead_letters order by 1",
    ]
    .iter()
    .map(|sql| value(out, sql))
    .collect()
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").args(["-a", text(from), text(to)]).status().unwrap();
    assert!(status.success());
}

/// The journal's file of that name, of a folder with one source.
fn journal(out: &Path, name: &str) -> std::path::PathBuf {
    let pipeline = std::fs::read_dir(out.join("restricted/_journal")).unwrap().next().unwrap().unwrap().path();
    std::fs::read_dir(pipeline).unwrap().next().unwrap().unwrap().path().join(name)
}

#[test]
fn an_epoch_that_some_tables_have_comes_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let (source, key) = (folder.path().join("source"), folder.path().join("key"));
    std::fs::create_dir(&source).unwrap();
    succeeds(&["key", "new", text(&key)]);
    let run = |out: &Path| succeeds(&["run", "--source", text(&source), "--key-file", text(&key), "--out", text(out), "--once", "--quiet"]);
    let visit = |id: &str| json!({"context": {"encounter": [{"reference": format!("Encounter/{id}")}]}});
    let encounter = |id: &str, patient: &str, day: u32| {
        json!({"resourceType": "Encounter", "id": id, "meta": {"lastUpdated": format!("2024-05-0{day}T08:00:00Z")}, "status": "finished",
            "subject": {"reference": format!("Patient/{patient}")}, "period": {"start": format!("2024-05-0{day}T08:00:00+02:00")}})
        .to_string()
    };
    let none = json!({});
    let first = [
        patient("a", "2024-05-01T08:00:00Z", "Kerinven", &none),
        patient("b", "2024-05-01T08:00:00Z", "Tallouarn", &none),
        document("d1", 1, "a", "NIHSS à 7 à l'entrée. AVC sylvien.", &visit("e1")),
        document("d2", 1, "b", "Mme Tallouarn : AVC. HTA.", &none),
        document("d3", 1, "c", "AVC. Diabète.", &visit("e3")),
        document("d4", 1, "c", "Migraine.", &none),
        encounter("e3", "c", 1),
    ];
    let replaced_by = json!({"link": [{"other": {"reference": "Patient/a"}, "type": "replaced-by"}]});
    let replaces = |id: &str| json!({"relatesTo": [{"code": "replaces", "target": {"reference": format!("DocumentReference/{id}")}}]});
    let second = [
        // A merge, a stay that comes late, one that moves, replacements of what is there
        // and of what is not, a deletion.
        patient("b", "2024-05-03T08:00:00Z", "Tallouarn", &replaced_by),
        encounter("e1", "a", 2),
        encounter("e3", "f", 3),
        document("d5", 1, "c", "AIT.", &replaces("d4")),
        document("d6", 1, "a", "HTA.", &replaces("d7")),
        r#"{"resourceType":"Bundle","type":"history","entry":[{"request":{"method":"DELETE","url":"DocumentReference/d2"}}]}"#.to_owned(),
        r#"{"resourceType":"DocumentReference","id":"d8","content":[]}"#.to_owned(),
    ];
    std::fs::write(source.join("a.ndjson"), first.join("\n") + "\n").unwrap();
    let before = folder.path().join("before");
    run(&before);
    std::fs::write(source.join("b.ndjson"), second.join("\n") + "\n").unwrap();
    let after = folder.path().join("after");
    copy(&before, &after);
    run(&after);
    let expected = contents(&after);
    assert_ne!(contents(&before), expected);

    let (mut tables, mut wrong) = (Vec::new(), Vec::new());
    for zone in ["research", "restricted"] {
        for entry in std::fs::read_dir(after.join(zone)).unwrap() {
            let path = entry.unwrap().path();
            if path.join("_delta_log").is_dir() && !path.ends_with("runs") {
                tables.push(format!("{zone}/{}", path.file_name().unwrap().to_string_lossy()));
            }
        }
    }
    assert!(tables.len() > 9, "{tables:?}");
    for table in tables {
        // Of all tables only this one has the epoch.
        let out = folder.path().join("halfway");
        copy(&before, &out);
        std::fs::remove_dir_all(out.join(&table)).unwrap();
        copy(&after.join(&table), &out.join(&table));
        std::fs::copy(journal(&after, "started.json"), journal(&out, "started.json")).unwrap();
        run(&out);
        for (found, expected) in contents(&out).iter().zip(&expected) {
            if found != expected {
                wrong.push(format!("only {table} had it:\n{found}\nexpected:\n{expected}"));
            }
        }
        std::fs::remove_dir_all(&out).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
