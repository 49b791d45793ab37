//! The disk: full, and torn where the inbox ends. What was acknowledged is there in
//! the end, once; what could not be kept was not acknowledged.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::super::command::{binary, text};
use super::running::{Pipeline, answers_well, free_port, ready};
use super::tables::rows;

/// A sender that knows what was acknowledged.
struct Sender {
    port: u16,
    acknowledged: BTreeSet<String>,
}

impl Sender {
    /// Sends a document of about so many bytes; whether it was accepted.
    fn send(&mut self, id: &str, size: usize) -> bool {
        let line = "Patient suivi pour hypertension. ".repeat(size / 33 + 1);
        let message = format!(
            "\x0bMSH|^~\\&|A|B|C|D|20260120100000||MDM^T02|{id}|P|2.5\rPID|||7001^^^HOP^PI||INVENTEE^Zoé\r\
             TXA|1|CR|TX|20260120100000||||||||{id}\rOBX|1|TX|CR||{line}||||||F\r\x1c\r"
        );
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut answer = Vec::new();
        let mut piece = [0; 1024];
        if stream.write_all(message.as_bytes()).is_err() {
            return false;
        }
        while !answer.ends_with(b"\x1c\r") {
            match stream.read(&mut piece) {
                Ok(0) | Err(_) => return false,
                Ok(count) => answer.extend_from_slice(&piece[..count]),
            }
        }
        let accepted = String::from_utf8_lossy(&answer).contains(&format!("MSA|AA|{id}"));
        if accepted {
            self.acknowledged.insert(id.to_owned());
        }
        accepted
    }
}

fn append(path: &Path, bytes: &[u8]) {
    File::options().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

fn documents(out: &Path) -> Vec<String> {
    let found = rows(out, "select source_document_id as id from source_documents order by 1");
    found.iter().map(|row| row["id"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The run on a small file system of its own; killed with it.
struct Small {
    holder: Child,
    folder: PathBuf,
}

impl Small {
    /// Runs the pipeline with its tables on a file system of 48 MB, which are copied
    /// to their place when it has ended. `None` where there is no such file system to be had.
    fn start(folder: &Path, pipeline: &Pipeline) -> Option<Small> {
        let small = folder.join("small");
        fs::create_dir(&small).unwrap();
        let script = "mount -t tmpfs -o size=48m none \"$1\" || exit 77; echo here > \"$1/mounted\"; \
                      \"$2\" run \"$3\" --out \"$1/tables\" 2>> \"$5\" & echo $! > \"$4.pid\"; wait $!; status=$?; \
                      cp -a \"$1/tables\" \"$4\"; exit $status";
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", text(&small), text(&binary()), text(&pipeline.file)])
            .args([text(&pipeline.out), text(&folder.join("small.log"))])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let begun = Instant::now();
        while !pipeline.out.with_extension("pid").exists() {
            if holder.try_wait().unwrap().is_some() || begun.elapsed() > Duration::from_secs(20) {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(Small { folder: PathBuf::from(format!("/proc/{}/root{}", holder.id(), text(&small))), holder })
    }

    /// Takes all the room there is left.
    fn fill(&self) {
        let mut ballast = File::create(self.folder.join("ballast")).unwrap();
        let block = vec![7; 64 << 10];
        while ballast.write_all(&block).is_ok() {}
    }

    fn clear(&self) {
        fs::remove_file(self.folder.join("ballast")).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

#[test]
fn a_full_disk_stops_acknowledging_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let pipeline = Pipeline::new(folder.path(), "full", &[&format!("mllp://127.0.0.1:{port}")], "");
    let Some(mut small) = Small::start(folder.path(), &pipeline) else {
        println!("SKIPPED: no file system of its own to be had here (unshare, tmpfs)");
        return;
    };
    assert!(small.folder.join("mounted").exists(), "the small file system is not seen from here");
    let log = || fs::read_to_string(folder.path().join("small.log")).unwrap_or_default();
    let mut sender = Sender { port, acknowledged: BTreeSet::new() };
    let begun = Instant::now();
    while !sender.send("before", 100) {
        assert!(begun.elapsed() < Duration::from_secs(60), "never listened\n{}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
    small.fill();
    // Some pages of the inbox are still free.
    let refused = (0..400).find(|number| !sender.send(&format!("full{number}"), 60_000));
    let refused = refused.unwrap_or_else(|| panic!("everything was acknowledged on a full disk\n{}", log()));
    // Long enough for the run to have failed too.
    std::thread::sleep(Duration::from_secs(4));
    assert!(small.holder.try_wait().unwrap().is_none(), "the run has ended\n{}", log());
    small.clear();
    let begun = Instant::now();
    while !sender.send(&format!("full{refused}"), 60_000) {
        assert!(begun.elapsed() < Duration::from_secs(120), "it does not recover\n{}", log());
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(sender.send("after", 100), "{}", log());
    let begun = Instant::now();
    while !answers_well(pipeline.operations) {
        assert!(begun.elapsed() < Duration::from_secs(180), "the run does not recover\n{}", log());
        std::thread::sleep(Duration::from_millis(200));
    }
    let run = fs::read_to_string(pipeline.out.with_extension("pid")).unwrap();
    assert!(Command::new("kill").args(["-TERM", run.trim()]).status().unwrap().success());
    let status = small.holder.wait().unwrap();
    assert!(status.success(), "{status}\n{}", log());
    // What was received and not yet in the tables.
    pipeline.once();
    let expected: Vec<String> = sender.acknowledged.into_iter().collect();
    assert_eq!(documents(&pipeline.out), expected, "each message acknowledged, once");
}

#[test]
fn a_torn_write_at_the_end_of_the_inbox_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let pipeline = Pipeline::new(folder.path(), "torn", &[&format!("mllp://127.0.0.1:{port}")], "");
    let mut sender = Sender { port, acknowledged: BTreeSet::new() };
    for round in 0..3 {
        let mut run = pipeline.start();
        ready(&mut run, &pipeline);
        for number in 0..20 {
            assert!(sender.send(&format!("r{round}n{number:02}"), 2000), "{}", pipeline.log());
        }
        run.kill();
        // Pages that were being written when the power went: the file had grown, what came is not what was written.
        let inboxes = fs::read_dir(pipeline.out.join("restricted/_inbox")).unwrap().map(|entry| entry.unwrap().path());
        let inbox = inboxes.into_iter().find(|path| path.extension().is_some_and(|e| e == "inbox")).unwrap();
        append(&inbox, &(0..4096 * (round + 1)).map(|byte| (byte * 7 + round) as u8).collect::<Vec<_>>());
        if round == 2 {
            // What no crash leaves is told, not passed over; without it all is there.
            let length = fs::metadata(&inbox).unwrap().len();
            append(&inbox, &[7; 700]);
            let mut run = pipeline.start();
            let begun = Instant::now();
            while !run.ended() {
                assert!(begun.elapsed() < Duration::from_secs(60), "{}", pipeline.log());
                std::thread::sleep(Duration::from_millis(50));
            }
            assert!(pipeline.log().contains("it is damaged"), "{}", pipeline.log());
            File::options().write(true).open(&inbox).unwrap().set_len(length).unwrap();
        }
    }
    pipeline.once();
    assert_eq!(documents(&pipeline.out), sender.acknowledged.into_iter().collect::<Vec<_>>());
}
