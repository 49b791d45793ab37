//! Programs that others wrote, as senders: `mllp_send` of python-hl7, and `curl`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::super::command::{stderr, stdout, text};
use super::super::corrections::base64;
use super::running::{Pipeline, free_port, ready};
use super::samples::samples;
use super::tables::rows;

/// A program of the Python environment of the tests, or of the system.
fn program(name: &str) -> Option<PathBuf> {
    let beside = std::env::var_os("SILLAGE_PYTHON").map(|python| Path::new(&python).with_file_name(name));
    let found = beside.filter(|path| path.is_file()).or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
    });
    if found.is_none() {
        println!("SKIPPED: no {name}; pip install hl7 into the environment of SILLAGE_PYTHON, or put it on PATH");
    }
    found
}

#[test]
fn mllp_send_is_answered_as_it_expects() {
    let (Some(client), Some(samples)) = (program("mllp_send"), samples()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let pipeline = Pipeline::new(folder.path(), "mllp", &[&format!("mllp://127.0.0.1:{port}")], "");
    let mut run = pipeline.start();
    ready(&mut run, &pipeline);
    let file = folder.path().join("messages");
    let frames: Vec<u8> = samples.iter().flat_map(|(_, message)| [&b"\x0B"[..], message, b"\x1C\r"].concat()).collect();
    std::fs::write(&file, frames).unwrap();
    let sent = Command::new(client).args(["--port", &port.to_string(), "--file", text(&file), "127.0.0.1"]).output().unwrap();
    assert!(sent.status.success(), "{}", stderr(&sent));
    assert_eq!(stdout(&sent).matches("MSA|AA|015").count(), samples.len(), "{}{}", stdout(&sent), stderr(&sent));
    run.terminate(&pipeline);
    pipeline.once();
    let count = rows(&pipeline.out, "select count(*) as n from source_documents")[0]["n"].as_u64();
    assert!(count > Some(3), "{count:?}");
}

fn curl(client: &Path, arguments: &[&str]) -> (String, Output) {
    let output =
        Command::new(client).args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "30"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    (stdout(&output), output)
}

#[test]
fn curl_writes_corrects_and_deletes() {
    let Some(client) = program("curl") else { return };
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let token = folder.path().join("token");
    std::fs::write(&token, "ein-erfundenes-geheimnis\n").unwrap();
    let settings = format!("[subscription]\ntoken_file = {:?}", text(&token));
    let url = format!("http://127.0.0.1:{port}/fhir");
    let pipeline = Pipeline::new(folder.path(), "posted", &[&format!("fhir-subscription+{url}")], &settings);
    let mut run = pipeline.start();
    ready(&mut run, &pipeline);
    let file = folder.path().join("document.json");
    let write = |id: &str, version: u32, body: &str| {
        let document = serde_json::json!({
            "resourceType": "DocumentReference", "id": id, "meta": {"versionId": version.to_string()}, "status": "current",
            "subject": {"reference": "Patient/p1"}, "date": "2026-01-20T10:00:00+01:00",
            "content": [{"attachment": {"contentType": "text/plain", "data": base64(body)}}]
        });
        std::fs::write(&file, document.to_string()).unwrap();
    };
    let code = ["--output", "/dev/null", "--write-out", "%{http_code}"];
    let header = ["--header", "Content-Type: application/fhir+json"];
    let authorised = ["--header", "Authorization: Bearer ein-erfundenes-geheimnis"];
    let data = format!("@{}", text(&file));
    let send = |arguments: &[&str]| curl(&client, arguments).0;

    write("d1", 1, "AVC.");
    let address = format!("{url}/DocumentReference");
    assert_eq!(send(&[&code[..], &header, &["--data-binary", &data, &address]].concat()), "401", "nobody may send without the token");
    assert_eq!(send(&[&code[..], &header, &authorised, &["--data-binary", &data, &address]].concat()), "201");
    write("d1", 2, "Migraine.");
    let one = format!("{url}/DocumentReference/d1");
    assert_eq!(send(&[&code[..], &header, &authorised, &["--request", "PUT", "--data-binary", &data, &one]].concat()), "200");
    write("d2", 1, "Diabète.");
    let two = format!("{url}/DocumentReference/d2");
    assert_eq!(send(&[&code[..], &header, &authorised, &["--request", "PUT", "--data-binary", &data, &two]].concat()), "200");
    assert_eq!(send(&[&code[..], &authorised, &["--request", "DELETE", "--header", "If-Match: W/\"1\"", &two]].concat()), "204");
    std::fs::write(&file, "{").unwrap();
    let refused = send(&[&header[..], &authorised, &["--data-binary", &data, &address]].concat());
    assert!(refused.contains("OperationOutcome"), "{refused}");
    let health = send(&[&code[..], &[&format!("{url}/metadata")]].concat());
    assert_eq!(health, "200");
    run.terminate(&pipeline);
    pipeline.once();
    let found =
        rows(&pipeline.out, "select source_document_id as id, status, document_version as version from source_documents order by 1");
    let found: Vec<String> = found.iter().map(|row| format!("{} {} {}", row["id"], row["status"], row["version"])).collect();
    assert_eq!(found, ["\"d1\" \"current\" 2", "\"d2\" \"entered-in-error\" 1"]);
    let codes = rows(&pipeline.out, "select icd10_code as code from entities");
    assert_eq!(codes.iter().map(|row| row["code"].as_str().unwrap_or_default()).collect::<Vec<_>>(), ["G43.9"]);
}
