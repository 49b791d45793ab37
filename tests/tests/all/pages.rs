//! Attachments made of pages: text, margins, the way back to the page, what cannot be read.

#[path = "pages/pdf.rs"]
mod pdf;
#[path = "pages/wrapped.rs"]
mod wrapped;

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pdf::{LETTER, Line, file};
use sillage_pages::{Failure, Pool, Settings};

use super::command::{binary, sillage, stderr, stdout, succeeds, text, value};

/// Whether there is a PDF library; says so where there is none.
fn has_library() -> bool {
    let found = sillage_pages::find_library(Path::new("")).is_some();
    if !found {
        println!("SKIPPED: no PDF library (pip install pypdfium2, or SILLAGE_PDFIUM)");
    }
    found
}

fn has_recognition() -> bool {
    let found = sillage_pages::find_tesseract(Path::new("")).is_some();
    if !found {
        println!("SKIPPED: no tesseract (tesseract-ocr, tesseract-ocr-fra)");
    }
    found
}

fn document(id: &str, version: u32, status: &str, media: &str, bytes: &[u8]) -> String {
    serde_json::json!({
        "resourceType": "DocumentReference", "id": id, "status": status, "meta": {"versionId": version.to_string()},
        "subject": {"reference": "Patient/p1"}, "date": "2024-05-02T10:00:00+02:00",
        "content": [{"attachment": {"contentType": media, "data": STANDARD.encode(bytes)}}]
    })
    .to_string()
}

fn patient() -> String {
    r#"{"resourceType":"Patient","id":"p1","name":[{"family":"Farguebois","given":["Zélie"]}],"identifier":[{"system":"urn:oid:1.2.3","value":"700345612"}]}"#.to_owned()
}

/// Writes lines as a file of the source, runs once, gives the tables.
fn run(folder: &Path, name: &str, lines: &[String]) -> PathBuf {
    let (source, out) = (folder.join("source"), folder.join("tables"));
    std::fs::create_dir_all(&source).unwrap();
    std::fs::write(source.join(format!("{name}.ndjson")), format!("{}\n", lines.join("\n"))).unwrap();
    succeeds(&["run", "--source", text(&source), "--out", text(&out), "--once", "--quiet"]);
    out
}

fn stored(out: &Path) -> usize {
    let folder = out.join("restricted/_attachments");
    let Ok(folders) = std::fs::read_dir(folder) else { return 0 };
    let files = folders.flat_map(|f| std::fs::read_dir(f.unwrap().path()).unwrap());
    files.filter(|f| f.as_ref().unwrap().path().extension().is_none()).count()
}

#[test]
fn a_letter_in_pdf_becomes_text_with_a_way_back_to_its_page() {
    if !has_library() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "a", &[patient(), document("d1", 1, "current", "application/pdf", &file(&[LETTER], 0))]);
    let body = value(&out, "select text from source_documents");
    assert!(body.contains("pour un AVC ischémique sylvien gauche. Le score NIHSS"), "wrapped lines are one: {body}");
    for absent in ["VALBRUME", "Secrétariat", "VERMOULUE", "Page 1"] {
        assert!(!body.contains(absent), "{absent} is no text: {body}");
    }
    let margins = value(&out, "select margins from source_documents");
    for present in ["VALBRUME", "Ombeline TRESSAC", "02 41 55 01 17", "Page 1 / 1"] {
        assert!(margins.contains(present), "{present}: {margins}");
    }
    assert_eq!(value(&out, "select value from variables where variable = 'nihss_admission'"), "14");
    // Every word has its box, and says what the text says there.
    let words = "select count(*) from page_spans w join source_documents s using (document_id) \
                 where w.page = 1 and w.\"right\" > w.\"left\" and w.top > w.bottom and trim(substr(s.text, w.start + 1, w.\"end\" - w.start)) <> ''";
    assert_eq!(value(&out, words), value(&out, "select count(*) from page_spans"));
    let at = "select cast(round(min(w.\"left\")) as int) || ' ' || cast(round(min(w.bottom)) as int) from variables v join page_spans w \
              on w.document_id = v.document_id and w.start < v.source_end and w.\"end\" > v.source_start where v.variable = 'nihss_discharge'";
    let at = value(&out, at);
    let (left, bottom) = at.split_once(' ').unwrap();
    assert!((180..480).contains(&left.parse::<i32>().unwrap()) && (620..635).contains(&bottom.parse::<i32>().unwrap()), "{at}");
    // The margins are searched, and what is found there is not left in the body.
    let found = "select string_agg(distinct text, '|' order by text) from phi_spans where part = 'margins' and label in ('TEL', 'NOM')";
    let found = value(&out, found);
    assert!(found.contains("02 41 55 01 17") && found.contains("VERMOULUE"), "{found}");
    let research = value(&out, "select text from documents");
    for name in ["QUILLERON", "TRESSAC", "FARGUEBOIS"] {
        assert!(!research.contains(name), "{name} is gone: {research}");
    }
    assert_eq!(value(&out, "select count(*) from variables where text_confidence is not null"), "0", "nothing was recognised here");
}

#[test]
fn show_prints_a_span_and_marks_it_on_the_page() {
    if !has_library() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "a", &[patient(), document("d1", 1, "current", "application/pdf", &file(&[LETTER], 90))]);
    let span = value(&out, "select source_start || ':' || source_end from variables where variable = 'nihss_admission'");
    let (pdf, png) = (folder.path().join("m.pdf"), folder.path().join("m.png"));
    let shown = sillage(&["show", "d1", "--out", text(&out), "--span", &span, "--pdf", text(&pdf), "--png", text(&png)]);
    assert!(shown.status.success(), "{}", stderr(&shown));
    let printed = stdout(&shown);
    assert!(printed.contains('«') && printed.contains("14") && printed.contains("page 1"), "{printed}");
    assert!(stderr(&shown).contains("restricted"), "{}", stderr(&shown));
    let marked = std::fs::read(&pdf).unwrap();
    assert!(marked.starts_with(b"%PDF") && memchr(&marked, b"Highlight"), "a highlight was added");
    assert!(std::fs::read(&png).unwrap().starts_with(b"\x89PNG"));
    let research = sillage(&["show", "d1", "--out", text(&out), "--research"]);
    assert!(stdout(&research).contains("NIHSS") && !stdout(&research).contains("FARGUEBOIS"), "{}", stdout(&research));
    let wrong = sillage(&["show", "d1", "--out", text(&out), "--span", "5:99999"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", stderr(&wrong));
}

fn memchr(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn the_same_attachment_is_kept_once_and_erased_with_its_last_document() {
    if !has_library() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let letter = file(&[LETTER], 0);
    let lines =
        [patient(), document("d1", 1, "current", "application/pdf", &letter), document("d2", 1, "current", "application/pdf", &letter)];
    let out = run(folder.path(), "a", &lines);
    assert_eq!(stored(&out), 1);
    assert_eq!(value(&out, "select count(distinct document_id) from page_spans"), "2");
    // A correction replaces the words, a withdrawal takes them away.
    let short = file(&[&[Line(60.0, 700.0, 11.0, "Pas de déficit. NIHSS : 0.")]], 0);
    let before: u32 = value(&out, "select count(*) from page_spans").parse().unwrap();
    let out = run(folder.path(), "b", &[document("d1", 2, "current", "application/pdf", &short)]);
    let after: u32 = value(&out, "select count(*) from page_spans").parse().unwrap();
    assert_eq!((before / 2 + 6, stored(&out)), (after, 2));
    let out = run(folder.path(), "c", &[document("d2", 2, "entered-in-error", "application/pdf", &letter)]);
    assert_eq!(value(&out, "select count(*) from page_spans"), "6");
    succeeds(&["erase", "--out", text(&out), "--patient", "p1", "--reason", "register 4"]);
    assert_eq!((value(&out, "select count(*) from page_spans").as_str(), stored(&out)), ("0", 0));
}

#[test]
fn what_cannot_be_read_says_why_and_can_be_sent_again() {
    if !has_library() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (source, out) = (folder.path().join("source"), folder.path().join("tables"));
    std::fs::create_dir_all(&source).unwrap();
    let lines = [
        patient(),
        document("d1", 1, "current", "application/pdf", &file(&[LETTER], 0)),
        document("d2", 1, "current", "application/pdf", b"%PDF-1.7 nothing of a PDF"),
        document("d3", 1, "current", "text/plain", "HTA.".as_bytes()),
    ];
    std::fs::write(source.join("a.ndjson"), lines.join("\n")).unwrap();
    let arguments = ["run", "--source", text(&source), "--out", text(&out), "--once", "--quiet"];
    let without = Command::new(binary()).args(arguments).env("SILLAGE_PDFIUM", "/nowhere").output().unwrap();
    assert!(without.status.success(), "{}", stderr(&without));
    assert_eq!(value(&out, "select count(*) from documents"), "1", "everything else works");
    assert_eq!(value(&out, "select count(*) from dead_letters where reason = 'pdf_library_missing'"), "2");
    assert!(value(&out, "select max(detail) from dead_letters").contains("pypdfium2"), "it says what to install");
    succeeds(&["dead-letters", "replay", "--out", text(&out), "--reason", "pdf_library_missing"]);
    succeeds(&arguments);
    assert_eq!(value(&out, "select count(*) from documents"), "2");
    assert_eq!(value(&out, "select value from variables where variable = 'nihss_admission'"), "14");
    assert_eq!(value(&out, "select count(*) from dead_letters where reason = 'damaged_pages'"), "1");
}

#[test]
fn a_scan_is_recognised_with_its_confidence() {
    if !has_library() || !has_recognition() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "a", &[patient(), document("d1", 1, "current", "application/pdf", &file(&[LETTER], 0))]);
    let png = folder.path().join("page.png");
    succeeds(&["show", "d1", "--out", text(&out), "--png", text(&png)]);
    let out = run(folder.path(), "b", &[document("d2", 1, "current", "image/png", &std::fs::read(&png).unwrap())]);
    let of =
        "from variables v join source_documents s using (document_id) where s.source_document_id = 'd2' and v.variable = 'nihss_admission'";
    assert_eq!(value(&out, &format!("select v.value {of}")), "14");
    assert_eq!(value(&out, &format!("select v.text_confidence between 0.2 and 1 {of}")), "true");
    let words = "select count(*) from page_spans w join source_documents s using (document_id) where s.source_document_id = 'd2'";
    assert_eq!(value(&out, words), value(&out, &format!("{words} and w.confidence is not null")));
}

#[test]
fn damaged_files_cost_themselves_alone() {
    if !has_library() {
        return;
    }
    let cases: usize = std::env::var("SILLAGE_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let pool = Pool::new(Settings { timeout_seconds: 20, ..Settings::default() }, binary(), vec!["pages-worker".to_owned()]);
    let whole = file(&[LETTER, LETTER], 0);
    let intact = pool.read(&whole).unwrap();
    let mut state = 17u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut read, mut refused) = (0, 0);
    for case in 0..cases {
        let mut bytes = whole.clone();
        for _ in 0..=draw(12) {
            let at = draw(bytes.len());
            match draw(4) {
                0 => bytes[at] = draw(256) as u8,
                1 => drop(bytes.drain(at..(at + draw(60)).min(whole.len()).min(bytes.len()).max(at))),
                2 => bytes.splice(at..at, b"<< /Kids [3 0 R] >> 9999999999 ".iter().copied()).for_each(drop),
                _ => bytes.truncate(at.max(9)),
            }
            if bytes.len() < 10 {
                break;
            }
        }
        match pool.read(&bytes) {
            Ok(_) => read += 1,
            Err(Failure::TimedOut) => panic!("case {case} hangs"),
            Err(_) => refused += 1,
        }
    }
    println!("{cases} damaged files: {read} read, {refused} refused");
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
    assert_eq!(pool.read(&whole).unwrap(), intact, "the next one is read as before");
}

#[test]
fn attachments_are_sealed_with_the_restricted_zone() {
    if !has_library() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (source, out, key) = (folder.path().join("source"), folder.path().join("tables"), folder.path().join("zone.key"));
    std::fs::create_dir_all(&source).unwrap();
    std::fs::write(source.join("a.ndjson"), document("d1", 1, "current", "application/pdf", &file(&[LETTER], 0))).unwrap();
    succeeds(&["key", "new", text(&key)]);
    succeeds(&["run", "--source", text(&source), "--out", text(&out), "--once", "--quiet", "--encryption-key-file", text(&key)]);
    assert_eq!(stored(&out), 1);
    for folder in std::fs::read_dir(out.join("restricted/_attachments")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!memchr(&bytes, b"%PDF") && !memchr(&bytes, b"NIHSS") && !memchr(&bytes, "QUILLERON".as_bytes()), "sealed");
        }
    }
    let png = folder.path().join("page.png");
    succeeds(&["show", "d1", "--out", text(&out), "--png", text(&png)]);
    assert!(std::fs::read(&png).unwrap().starts_with(b"\x89PNG"));
}
