//! What those who keep a run going rely on: erasure, dead letters, metrics, one writer.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::command::{binary, feed, sillage, stderr, stdout, succeeds, text, value};

fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A run that streams; killed when dropped.
struct Streaming(Child);

impl Drop for Streaming {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn rows_of(out: &Path, patient: &str) -> String {
    let count = |table: &str, column: &str| format!("(select count(*) from {table} where {column} = '{patient}')");
    let tables = ["documents", "entities", "variables", "episode_variables", "cohort", "phi_spans", "identities", "source_documents"];
    value(out, &format!("select {}", tables.map(|t| count(t, "patient_id")).join(" + ")))
}

#[test]
fn an_erased_person_is_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let (source, out) = (feed(folder.path(), 3), folder.path().join("tables"));
    succeeds(&["run", "--source", text(&source), "--out", text(&out), "--once", "--quiet"]);
    let patient = value(&out, "select min(patient_id) from cohort");
    let (documents, before) = (value(&out, "select count(*) from documents"), rows_of(&out, &patient));
    assert!(before.parse::<u32>().unwrap() > 20, "{before}");
    let unknown = sillage(&["erase", "--out", text(&out), "--patient", "nobody", "--reason", "register 17"]);
    assert_eq!(unknown.status.code(), Some(2), "{}", stderr(&unknown));
    let erased = sillage(&["erase", "--out", text(&out), "--patient", &patient, "--reason", "register 17"]);
    assert!(erased.status.success(), "{}", stderr(&erased));
    let proof: serde_json::Value = serde_json::from_str(&stdout(&erased)).unwrap();
    assert_eq!(proof["rows_left"], 0);
    assert!(proof["old_files_removed"].as_u64().unwrap() > 0 && !stdout(&erased).contains(&patient));
    assert_eq!(rows_of(&out, &patient), "0");
    assert_eq!(value(&out, "select count(distinct patient_id) from cohort"), "2", "the others stay");
    assert!(value(&out, "select count(*) from documents").parse::<u32>().unwrap() < documents.parse().unwrap());
    assert_eq!(std::fs::read_dir(out.join("restricted/erasures")).unwrap().count(), 1);
}

#[test]
fn dead_letters_are_listed_shown_and_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let (source, out) = (folder.path().join("source"), folder.path().join("tables"));
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("a.ndjson"), "{\"resourceType\":\"DocumentReference\",\"id\":\"d1\",\"content\":[]}\n").unwrap();
    succeeds(&["run", "--source", text(&source), "--out", text(&out), "--once", "--quiet"]);
    let list = succeeds(&["dead-letters", "list", "--out", text(&out)]);
    assert!(list.contains("missing_attachment"), "{list}");
    let id = value(&out, "select message_id from dead_letters");
    let shown = succeeds(&["dead-letters", "show", "--out", text(&out), &id[..8]]);
    assert!(shown.contains("\"id\":\"d1\""), "{shown}");
    succeeds(&["dead-letters", "replay", "--out", text(&out), "--reason", "missing_attachment"]);
    assert_eq!(value(&out, "select count(*) from dead_letters"), "0");
    succeeds(&["run", "--source", text(&source), "--out", text(&out), "--once", "--quiet"]);
    assert_eq!(value(&out, "select count(*) || source from dead_letters group by source"), "1dead-letters", "it fails again, once");
}

#[test]
fn who_is_told_to_stop_while_it_begins_to_listen_ends_well() {
    let folder = tempfile::tempdir().unwrap();
    let (out, file, mllp) = (folder.path().join("tables"), folder.path().join("pipeline.toml"), port());
    std::fs::write(&file, format!("sources = [\"mllp://127.0.0.1:{mllp}\"]\nout = \"{}\"\n", out.display())).unwrap();
    for _ in 0..3 {
        let run = Command::new(binary()).args(["run", text(&file)]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut run = Streaming(run);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", mllp)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "never listens");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(Command::new("kill").args(["-TERM", &run.0.id().to_string()]).status().unwrap().success());
        let status = run.0.wait().unwrap();
        assert!(status.success(), "it was killed, not told to stop: {status}");
    }
}

#[test]
fn a_streaming_run_answers_and_keeps_others_out() {
    let folder = tempfile::tempdir().unwrap();
    let (out, file) = (folder.path().join("tables"), folder.path().join("pipeline.toml"));
    let (mllp, operations) = (port(), port());
    let pipeline = format!(
        "sources = [\"mllp://127.0.0.1:{mllp}\"]\nout = \"{}\"\n[operations]\nlisten = \"127.0.0.1:{operations}\"\n",
        out.display()
    );
    std::fs::write(&file, pipeline).unwrap();
    let run = Command::new(binary()).args(["run", text(&file)]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let _run = Streaming(run);
    until("ready", || get(operations, "/readyz").is_some_and(|a| a.starts_with("HTTP/1.1 200")));
    assert!(get(operations, "/healthz").unwrap().contains("alive"));
    let message = b"\x0bMSH|^~\\&|A|B|C|D|20240502100000||MDM^T02|m1|P|2.5\rPID|||77||Inventee^Maelle\rTXA|1|CR|TX|20240502100000||||||||doc1\rOBX|1|TX|CR||AVC sylvien. NIHSS 14.||||||F\r\x1c\r";
    let mut stream = TcpStream::connect(("127.0.0.1", mllp)).unwrap();
    stream.write_all(message).unwrap();
    let mut answer = [0; 512];
    let length = stream.read(&mut answer).unwrap();
    assert!(String::from_utf8_lossy(&answer[..length]).contains("MSA|AA|m1"));
    until("committed", || get(operations, "/metrics").is_some_and(|m| m.contains("sillage_documents_total 1")));
    let metrics = get(operations, "/metrics").unwrap();
    assert!(metrics.contains("sillage_messages_acknowledged_total") && !metrics.contains("Inventee"), "{metrics}");
    assert_eq!(value(&out, "select count(*) from entities"), "1", "tables are read while the run goes on");
    for command in [["maintain", "--out", text(&out)].as_slice(), &["dead-letters", "replay", "--out", text(&out)]] {
        let refused = sillage(command);
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("another run"), "{}", stderr(&refused));
    }
}
