//! The command as a person meets it: usage errors, runs, queries, exports.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) fn sillage(arguments: &[&str]) -> Output {
    Command::new(binary()).args(arguments).output().unwrap()
}

pub(crate) fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_sillage-under-test").into()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn succeeds(arguments: &[&str]) -> String {
    let output = sillage(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    stdout(&output)
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A feed of the invented hospital.
pub(crate) fn feed(folder: &Path, patients: usize) -> PathBuf {
    let feed = folder.join("feed");
    std::fs::create_dir_all(&feed).unwrap();
    sillage_sandbox::hospital::write_feed(&feed, patients, 11).unwrap();
    feed
}

/// One value of a query, without header.
pub(crate) fn value(out: &Path, sql: &str) -> String {
    let csv = succeeds(&["sql", "--out", text(out), "-c", sql, "--format", "csv"]);
    csv.lines().skip(1).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_run_fills_the_tables_and_a_second_run_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (feed, out, files) = (feed(folder.path(), 6), folder.path().join("tables"), folder.path().join("files"));
    let run = || sillage(&["run", "--source", text(&feed), "--out", text(&out), "--once"]);
    let first = run();
    assert!(first.status.success(), "{}", stderr(&first));
    assert!(stderr(&first).contains("pseudonym.key"), "the new key is announced");
    let counts = "select (select count(*) from documents) || ' ' || (select count(*) from entities) || ' ' || (select count(*) from source_documents) || ' ' || (select count(*) from identities) || ' ' || (select count(*) from dead_letters)";
    let before = value(&out, counts);
    let numbers: Vec<usize> = before.split(' ').map(|n| n.parse().unwrap()).collect();
    assert!(numbers[0] >= 18 && numbers[1] > 100 && numbers[0] == numbers[2] && numbers[3] == 6 && numbers[4] >= 1, "{before}");
    assert!(run().status.success());
    assert_eq!(value(&out, counts), before);
    assert_eq!(value(&out, "select count(*) from runs where finished_at is not null"), "2");

    for (table, evidence) in [("entities", "text"), ("variables", "evidence"), ("episode_variables", "evidence")] {
        let wrong = format!(
            "select count(*) from {table} e join documents d using (document_id) where substr(d.text, e.start + 1, e.\"end\" - e.start) <> e.{evidence}"
        );
        assert_eq!(value(&out, &wrong), "0", "the text under every span of {table} is its evidence");
    }
    let wrong = "select count(*) from phi_spans p join source_documents s using (document_id) where p.part = 'text' and substr(s.text, p.start + 1, p.\"end\" - p.start) <> p.text";
    assert_eq!(value(&out, wrong), "0", "the text under every identifying span");
    assert_ne!(value(&out, "select count(*) from cohort where age is not null"), "0", "the cohort has typed columns");

    succeeds(&["export", "--out", text(&out), "--to", text(&files)]);
    let names = |folder: &Path| {
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let research = ["cohort", "documents", "entities", "episode_variables", "runs", "variables"].map(|t| format!("{t}.parquet"));
    assert_eq!(names(&files), research, "only the research zone unless told otherwise");
    succeeds(&["export", "--out", text(&out), "--to", text(&files), "--zone", "all", "--format", "csv"]);
    assert!(names(&files).contains(&"source_documents.csv".to_owned()));
}

#[test]
fn the_restricted_zone_is_for_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let (feed, out) = (feed(folder.path(), 3), folder.path().join("tables"));
    succeeds(&["run", "--source", text(&feed), "--out", text(&out), "--once", "--quiet"]);
    assert_eq!(value(&out, "select count(*) from documents where text is null and status = 'current'"), "0");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(out.join("restricted")), 0o700);
        assert_eq!(mode(out.join("restricted/pseudonym.key")), 0o600);
    }
}

#[test]
fn wrong_usage_exits_with_two_and_names_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("tables");
    let missing = sillage(&["run", "--source", "/no/such/folder", "--out", text(&out), "--once"]);
    assert_eq!(missing.status.code(), Some(2), "{}", stderr(&missing));
    assert!(stderr(&missing).contains("/no/such/folder"));
    assert!(!out.exists(), "nothing is left behind");

    let none = sillage(&["run", "--out", text(&out), "--once"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(stderr(&none).contains("--source"));

    let file = folder.path().join("pipeline.toml");
    std::fs::write(&file, "sourcs = []").unwrap();
    let key = sillage(&["run", text(&file), "--once"]);
    assert_eq!(key.status.code(), Some(2));
    assert!(stderr(&key).contains("`sources`"), "{}", stderr(&key));

    let nowhere = sillage(&["sql", "--out", "/no/such/folder", "-c", "select 1"]);
    assert_eq!(nowhere.status.code(), Some(2));
    let syntax = sillage(&["sql", "-c", "selec 1"]);
    assert_eq!(syntax.status.code(), Some(2));
    assert_eq!(sillage(&["frobnicate"]).status.code(), Some(2));
}

#[test]
fn demo_ends_with_a_summary() {
    let folder = tempfile::tempdir().unwrap();
    let page = succeeds(&["demo", "--out", text(folder.path()), "--patients", "5"]);
    assert!(page.contains("CIM-10") && page.contains("Three things to try"), "{page}");
}

#[test]
fn every_format_is_written() {
    let json = succeeds(&["sql", "-c", "select icd10('HTA') as code", "--format", "json"]);
    assert_eq!(json.trim(), r#"{"code":"I10"}"#);
    let csv = succeeds(&["sql", "-c", "select entities('HTA') as e", "--format", "csv"]);
    assert!(csv.contains("I10") && csv.starts_with("e\n"), "{csv}");
    let parquet = sillage(&["sql", "-c", "select 1 as one", "--format", "parquet"]);
    assert!(parquet.stdout.starts_with(b"PAR1"));
}

#[test]
#[cfg(unix)]
fn a_stream_takes_new_files_and_drains_on_sigterm() {
    use std::time::{Duration, Instant};
    let folder = tempfile::tempdir().unwrap();
    let (feed, out, pipeline) = (feed(folder.path(), 2), folder.path().join("tables"), folder.path().join("pipeline.toml"));
    std::fs::write(&pipeline, "[epoch]\npoll_seconds = 1").unwrap();
    let mut child = Command::new(binary()).args(["run", text(&pipeline), "--source", text(&feed), "--out", text(&out)]).spawn().unwrap();
    let count = || sillage(&["sql", "--out", text(&out), "-c", "select count(*) from documents", "--format", "csv"]);
    let wait_for = |least: usize| {
        let started = Instant::now();
        loop {
            let documents = stdout(&count()).lines().nth(1).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
            if documents >= least {
                return documents;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "{documents} documents, expected {least}");
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    let before = wait_for(4);
    let late = r#"{"resourceType":"DocumentReference","id":"late","status":"current","content":[{"attachment":{"contentType":"text/plain","data":"QVZD"}}]}"#;
    std::fs::write(feed.join("late.ndjson"), format!("{late}\n")).unwrap();
    wait_for(before + 1);
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0), "SIGTERM drains and ends well");
    assert_eq!(value(&out, "select count(*) from runs where finished_at is not null"), "1");
}
