//! New versions, late versions, withdrawals.

use std::path::Path;

use super::command::{succeeds, text, value};

fn reference(version: u32, status: &str, body: &str) -> String {
    serde_json::json!({
        "resourceType": "DocumentReference", "id": "d1", "status": status,
        "meta": {"versionId": version.to_string()},
        "subject": {"reference": "Patient/p1"}, "date": "2024-05-02T10:00:00+02:00",
        "content": [{"attachment": {"contentType": "text/plain", "data": base64(body)}}]
    })
    .to_string()
}

pub(crate) fn base64(body: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in body.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0u32, |acc, b| acc << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            out.push(if i <= chunk.len() { DIGITS[(bits >> (18 - 6 * i)) as usize & 63] as char } else { '=' });
        }
    }
    out
}

fn run(folder: &Path, name: &str, line: &str) -> std::path::PathBuf {
    let (source, out) = (folder.join("source"), folder.join("tables"));
    std::fs::create_dir_all(&source).unwrap();
    std::fs::write(source.join(format!("{name}.ndjson")), format!("{line}\n")).unwrap();
    succeeds(&["run", "--source", text(&source), "--out", text(&out), "--once", "--quiet"]);
    out
}

#[test]
fn the_newest_version_wins_whatever_the_order() {
    let folder = tempfile::tempdir().unwrap();
    let codes = "select string_agg(icd10_code, ',' order by source_start) from entities";
    let out = run(folder.path(), "a", &reference(2, "current", "AVC. HTA."));
    assert_eq!(value(&out, codes), "\"I64,I10\"");
    run(folder.path(), "b", &reference(1, "current", "Diabète."));
    assert_eq!(value(&out, codes), "\"I64,I10\"", "a late older version changes nothing");
    run(folder.path(), "c", &reference(3, "current", "Migraine."));
    assert_eq!(value(&out, codes), "G43.9", "the rows of the older version are gone");
    assert_eq!(value(&out, "select document_version from documents"), "3");
    run(folder.path(), "d", &reference(4, "current", "Rien à signaler."));
    assert_eq!(value(&out, "select count(*) from entities"), "0", "zero findings now: the old rows go");
}

#[test]
fn entered_in_error_withdraws_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "a", &reference(1, "current", "AVC."));
    assert_eq!(value(&out, "select count(*) from entities"), "1");
    run(folder.path(), "b", &reference(2, "entered-in-error", "AVC."));
    assert_eq!(value(&out, "select count(*) from entities"), "0");
    assert_eq!(value(&out, "select status from documents"), "entered-in-error");
    assert_eq!(value(&out, "select count(*) from source_documents where text is not null"), "0");
}
