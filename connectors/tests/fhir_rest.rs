//! FHIR servers end to end: what is on the server arrives, once, whatever the
//! server and the network do. All people are invented.

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

#[path = "fhir_rest/gone.rs"]
mod gone;
#[path = "fhir_rest/hfs.rs"]
mod hfs;
#[path = "fhir_rest/secured.rs"]
mod secured;
#[path = "fhir_rest/server.rs"]
mod server;

use std::path::Path;
use std::time::{Duration, Instant};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use chrono_tz::Tz;
use serde_json::json;
use sillage_connectors::fhir_rest::{Settings as Fhir, Type};
use sillage_connectors::{Epoch, Opening, Position, Settings, Source, SourceError, Start, Until};

use server::{SECOND, Server, Sorts, binary, document, encounter, patient, pointing};

const LARGE: Until<'static> = Until::Limits { max_documents: 100_000, max_bytes: 1 << 28 };

/// Settings for impatient tests.
pub fn quick() -> Fhir {
    Fhir {
        poll_seconds: 1,
        page_size: 3,
        overlap_seconds: 60,
        backoff_milliseconds: 5,
        max_backoff_seconds: 1,
        max_attempts: 3,
        ..Fhir::default()
    }
}

pub fn open(uri: &str, fhir: &Fhir) -> Result<Box<dyn Source>, SourceError> {
    let settings = Settings { fhir: fhir.clone(), ..Settings::default() };
    sillage_connectors::open(&Opening { uri, timezone: Tz::Europe__Paris, settings: &settings })
}

/// What came out, across runs.
#[derive(Default)]
pub struct Received {
    pub position: Position,
    pub documents: Vec<Document>,
    pub patients: Vec<(String, String)>,
    pub encounters: Vec<String>,
    pub letters: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Document {
    pub id: String,
    pub version: Option<i32>,
    pub status: String,
    pub text: Option<String>,
}

fn column(batch: &RecordBatch, name: &str) -> Vec<String> {
    batch.column_by_name(name).unwrap().as_string::<i32>().iter().map(|v| v.unwrap_or("-").to_owned()).collect()
}

impl Received {
    pub fn take(&mut self, epoch: Epoch) {
        let texts = epoch.documents.column_by_name("text").unwrap().as_string::<i32>();
        let versions = epoch.documents.column_by_name("document_version").unwrap().as_primitive::<Int32Type>();
        let ids = column(&epoch.documents, "source_document_id");
        for (index, (id, status)) in ids.into_iter().zip(column(&epoch.documents, "status")).enumerate() {
            let version = versions.iter().nth(index).unwrap();
            let text = texts.iter().nth(index).unwrap().map(str::to_owned);
            self.documents.push(Document { id, version, status, text });
        }
        let records = column(&epoch.patients, "record");
        self.patients.extend(column(&epoch.patients, "source_patient_id").into_iter().zip(records));
        self.encounters.extend(column(&epoch.encounters, "source_encounter_id"));
        self.letters.extend(epoch.dead_letters.iter().map(|l| (l.reason.to_owned(), l.detail.clone())));
        self.position = epoch.position;
    }

    /// One run with `--once`.
    pub fn run(&mut self, uri: &str, fhir: &Fhir, spool: &Path) -> Result<(), SourceError> {
        let mut source = open(uri, fhir)?;
        source.start(&Start { spool, once: true, seal: None })?;
        while let Some(epoch) = source.read(&self.position, LARGE)? {
            self.take(epoch);
            source.committed(&self.position)?;
        }
        Ok(())
    }

    /// Ids of the documents, in the order they came.
    pub fn ids(&self) -> Vec<&str> {
        self.documents.iter().map(|d| d.id.as_str()).collect()
    }

    /// The last state of each document, those withdrawn left out.
    pub fn current(&self) -> Vec<Document> {
        let mut last = std::collections::BTreeMap::new();
        for document in &self.documents {
            let before: Option<&Document> = last.get(&document.id);
            let later = |before: &Document| document.version.is_none() || document.version >= before.version;
            if before.is_none_or(later) {
                last.insert(document.id.clone(), document.clone());
            }
        }
        last.into_values().filter(|d| d.status != "entered-in-error").collect()
    }
}

/// Runs once against the test server.
fn once(server: &Server, fhir: &Fhir) -> Received {
    let spool = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    received.run(&server.uri(), fhir, spool.path()).unwrap();
    received
}

fn some_documents(server: &Server, count: usize) -> Vec<String> {
    let mut world = server.world();
    world.put(patient("p1"));
    world.put(encounter("e1", "p1"));
    (0..count)
        .map(|number| {
            let id = format!("d{number:02}");
            world.put(document(&id, &format!("Texte inventé {number}.")));
            id
        })
        .collect()
}

#[test]
fn everything_arrives_in_pages_of_absolute_and_relative_links() {
    for relative in [false, true] {
        let server = Server::start();
        let ids = some_documents(&server, 10);
        server.world().relative_links = relative;
        let received = once(&server, &quick());
        assert_eq!(received.ids(), ids);
        assert_eq!(received.documents[3].text.as_deref(), Some("Texte inventé 3."));
        assert!(received.patients.iter().all(|(id, record)| id == "p1" && record.contains("INVENTÉP1")) && !received.patients.is_empty());
        assert!(received.encounters.iter().all(|id| id == "e1") && !received.encounters.is_empty());
        assert_eq!(received.letters, []);
        // Read once and cached, not once a document.
        assert!(server.world().asked("GET /fhir/Patient/p1") <= 1);
    }
}

#[test]
fn a_server_that_does_not_sort_is_read_to_the_end() {
    for sorts in [Sorts::Id, Sorts::Nothing] {
        let server = Server::start();
        // By id, the oldest comes where the pages before it look sorted.
        server.world().put(document("d05b", "Le plus ancien."));
        let mut ids = some_documents(&server, 25);
        ids.push("d05b".to_owned());
        ids.sort_unstable();
        server.world().sorts = sorts;
        let spool = tempfile::tempdir().unwrap();
        let mut received = Received::default();
        received.run(&server.uri(), &quick(), spool.path()).unwrap();
        let mut found = received.ids();
        found.sort_unstable();
        assert_eq!(found, ids);
        server.world().put(document("late", "Texte tardif."));
        received.run(&server.uri(), &quick(), spool.path()).unwrap();
        assert_eq!(received.ids().last(), Some(&"late"));
        assert_eq!(received.documents.len(), 27);
    }
}

#[test]
fn a_server_that_sorts_roughly_is_caught() {
    let server = Server::start();
    let at = |second: i64, id: &str| {
        server.world().clock = server::MORNING + second * SECOND;
        server.world().put(document(id, "Texte."));
    };
    for (id, second) in [("a", 1), ("b", 2), ("c", 30), ("d", 15), ("e", 90), ("f", 70), ("g", 80), ("h", 130)] {
        at(second, id);
    }
    server.world().sorts = Sorts::Minute;
    let received = once(&server, &quick());
    let mut found = received.ids();
    found.sort_unstable();
    assert_eq!(found, ["a", "b", "c", "d", "e", "f", "g", "h"]);
}

#[test]
fn what_changes_while_pages_are_read_pushes_nothing_over_an_edge() {
    let server = Server::start();
    let ids = some_documents(&server, 12);
    // Each page of documents asked for changes the oldest one not changed yet.
    let mut next = 0;
    let changed = ids.clone();
    server.world().events.push(Box::new(move |world, line| {
        if line.contains("/DocumentReference?") && !line.contains("_elements") && next < 5 {
            let id = &changed[next];
            world.put(document(id, "Texte revu."));
            next += 1;
        }
    }));
    let received = once(&server, &Fhir { overlap_seconds: 0, ..quick() });
    let current = received.current();
    assert_eq!(current.iter().map(|d| d.id.as_str()).collect::<Vec<_>>(), ids);
    // In this order none is changed after it was read last.
    assert_eq!(current.iter().filter(|d| d.version == Some(2)).count(), 5);
}

#[test]
fn the_overlap_brings_nothing_twice_and_misses_nothing() {
    let server = Server::start();
    let ids = some_documents(&server, 7);
    let spool = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    for _ in 0..3 {
        received.run(&server.uri(), &quick(), spool.path()).unwrap();
        assert_eq!(received.ids(), ids);
    }
    {
        let mut world = server.world();
        world.put(document("d03", "Texte corrigé."));
        // Committed late: dated before what was read already.
        let clock = world.clock;
        world.clock -= 5 * SECOND;
        world.put(document("slow", "Transaction lente."));
        world.clock = clock;
    }
    received.run(&server.uri(), &quick(), spool.path()).unwrap();
    let mut new: Vec<(&str, Option<i32>)> = received.documents[7..].iter().map(|d| (d.id.as_str(), d.version)).collect();
    new.sort_unstable();
    assert_eq!(new, [("d03", Some(2)), ("slow", Some(1))]);
    // The newest is asked for, not everything.
    let world = server.world();
    let begun =
        |line: &&String| line.contains("/DocumentReference?_lastUpdated=ge2024-05-01T09%3A59") && line.contains("&_sort=_lastUpdated");
    assert_eq!(world.log.iter().filter(begun).count(), 3);
    assert_eq!(world.asked("/DocumentReference?_sort=_lastUpdated"), 1);
}

#[test]
fn a_clock_set_back_loses_nothing() {
    let server = Server::start();
    some_documents(&server, 3);
    let spool = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    received.run(&server.uri(), &quick(), spool.path()).unwrap();
    server.world().clock -= 7200 * SECOND;
    server.world().put(document("after", "Après le recul de l'horloge."));
    received.run(&server.uri(), &quick(), spool.path()).unwrap();
    assert!(received.ids().contains(&"after"));
    // A date in the future does not hide the present.
    let mut world = server.world();
    let clock = world.clock;
    world.clock += 86_400 * 365 * SECOND;
    world.put(document("future", "Daté de l'an prochain."));
    world.clock = clock;
    drop(world);
    received.run(&server.uri(), &quick(), spool.path()).unwrap();
    server.world().put(document("present", "Daté d'aujourd'hui."));
    received.run(&server.uri(), &quick(), spool.path()).unwrap();
    assert!(received.ids().contains(&"future") && received.ids().contains(&"present"));
}

#[test]
fn attachments_come_as_json_as_bytes_and_by_any_url() {
    for raw in [false, true] {
        let server = Server::start();
        some_documents(&server, 0);
        {
            let mut world = server.world();
            world.raw_binaries = raw;
            let base = world.base.clone();
            world.put(binary("b1", "Relatif, à l'été."));
            world.put(binary("b2", "Absolu."));
            world.put(pointing("d1", "Binary/b1"));
            world.put(pointing("d2", &format!("{base}/Binary/b2")));
            world.put(pointing("d3", "/fhir/files/note"));
            world.put(pointing("d4", "http://192.0.2.1/fhir/Binary/b9"));
            world.bytes.push(("/fhir/files/note".into(), "Octets.".into()));
        }
        let received = once(&server, &quick());
        let texts: Vec<(&str, Option<&str>)> = received.documents.iter().map(|d| (d.id.as_str(), d.text.as_deref())).collect();
        assert_eq!(texts, [("d1", Some("Relatif, à l'été.")), ("d2", Some("Absolu.")), ("d3", Some("Octets."))], "raw: {raw}");
        // Another origin is not asked unless allowed.
        assert_eq!(received.letters.len(), 1);
        assert_eq!(received.letters[0].0, "missing_binary");
    }
}

#[test]
fn a_patient_known_by_an_identifier_is_found() {
    let server = Server::start();
    some_documents(&server, 0);
    let mut logical = document("d1", "Référence logique.");
    logical["subject"] = json!({"identifier": {"system": "urn:oid:1.2.3", "value": "IPPp1"}});
    server.world().put(logical);
    let spool = tempfile::tempdir().unwrap();
    let mut source = open(&server.uri(), &Fhir { resources: vec![Type::DocumentReference], ..quick() }).unwrap();
    source.start(&Start { spool: spool.path(), once: true, seal: None }).unwrap();
    let epoch = source.read(&Position::default(), LARGE).unwrap().unwrap();
    assert_eq!(column(&epoch.documents, "source_patient_id"), ["p1"]);
    assert_eq!(column(&epoch.patients, "source_patient_id"), ["p1"]);
}

#[test]
fn a_busy_or_broken_server_is_asked_again() {
    let server = Server::start();
    let ids = some_documents(&server, 4);
    server.world().answers.extend([(429, vec![("retry-after", "0".to_owned())]), (503, Vec::new()), (200, Vec::new())]);
    server.world().answers.pop_back();
    let received = once(&server, &quick());
    assert_eq!(received.ids(), ids);
}

#[test]
fn retry_after_is_obeyed() {
    let server = Server::start();
    some_documents(&server, 1);
    server.world().answers.push_back((503, vec![("retry-after", "1".to_owned())]));
    let begun = Instant::now();
    assert_eq!(once(&server, &quick()).documents.len(), 1);
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_server_that_never_answers_is_named() {
    let spool = tempfile::tempdir().unwrap();
    let said = Received::default().run("fhir+http://127.0.0.1:1/fhir?patient=geheim", &quick(), spool.path()).unwrap_err();
    assert!(matches!(said, SourceError::Remote { .. }));
    let said = said.to_string();
    assert!(said.contains("http://127.0.0.1:1/fhir") && said.contains("check the address") && !said.contains("geheim"), "{said}");
    // Nor is one that is no FHIR server taken for an empty one.
    let server = Server::start();
    server.world().broken.push(("/fhir/DocumentReference".into(), 404));
    let said = Received::default().run(&server.uri(), &quick(), spool.path()).unwrap_err().to_string();
    assert!(said.contains("404") && said.contains("base URL"), "{said}");
}

#[test]
fn an_outage_in_the_middle_is_taken_up_where_it_was() {
    let server = Server::start();
    let ids = some_documents(&server, 12);
    let spool = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    // After some pages everything fails.
    let mut pages = 0;
    server.world().events.push(Box::new(move |world, line| {
        pages += usize::from(line.contains("/DocumentReference?"));
        if pages == 4 {
            world.broken.push(("/fhir".into(), 503));
        }
    }));
    let error = received.run(&server.uri(), &quick(), spool.path()).unwrap_err();
    assert!(error.to_string().contains("503"), "{error}");
    let some = received.documents.len();
    assert!(some > 0 && some < 12, "{some}");
    server.world().broken.clear();
    server.world().events.clear();
    received.run(&server.uri(), &quick(), spool.path()).unwrap();
    assert_eq!(received.ids(), ids, "each once");
}

#[test]
fn an_outage_in_the_middle_of_a_page_loses_none_of_it() {
    let server = Server::start();
    some_documents(&server, 2);
    server.world().put(binary("b1", "Ailleurs."));
    for number in 0..6 {
        server.world().put(pointing(&format!("far{number}"), "Binary/b1"));
    }
    let mut reads = 0;
    server.world().events.push(Box::new(move |world, line| {
        reads += usize::from(line.contains("/Binary/"));
        if reads == 3 {
            world.broken.push(("/fhir".into(), 503));
        }
    }));
    let fhir = Fhir { page_size: 50, concurrency: 1, ..quick() };
    let spool = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    received.run(&server.uri(), &fhir, spool.path()).unwrap_err();
    server.world().broken.clear();
    server.world().events.clear();
    received.run(&server.uri(), &fhir, spool.path()).unwrap();
    assert_eq!(received.ids(), ["d00", "d01", "far0", "far1", "far2", "far3", "far4", "far5"]);
    assert_eq!(received.letters, []);
}

#[test]
fn a_binary_that_comes_after_its_document_is_fetched_then() {
    let server = Server::start();
    some_documents(&server, 0);
    server.world().put(pointing("early", "Binary/b1"));
    let spool = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    let fhir = Fhir { attachment_retry_seconds: vec![1], ..quick() };
    received.run(&server.uri(), &fhir, spool.path()).unwrap();
    assert_eq!((received.documents.len(), received.letters.len()), (0, 1));
    server.world().put(binary("b1", "Enfin là."));
    received.run(&server.uri(), &fhir, spool.path()).unwrap();
    assert_eq!(received.documents.len(), 0, "not due yet");
    std::thread::sleep(Duration::from_millis(1100));
    received.run(&server.uri(), &fhir, spool.path()).unwrap();
    assert_eq!(received.documents.len(), 1);
    assert_eq!(received.documents[0].text.as_deref(), Some("Enfin là."));
}

#[test]
fn a_stream_outlives_an_outage() {
    let server = Server::start();
    server.world().broken.push(("/fhir".into(), 503));
    let spool = tempfile::tempdir().unwrap();
    let mut source = open(&server.uri(), &quick()).unwrap();
    source.start(&Start { spool: spool.path(), once: false, seal: None }).unwrap();
    let mut received = Received::default();
    assert!(source.read(&received.position, LARGE).unwrap().is_none());
    let ids = some_documents(&server, 4);
    server.world().broken.clear();
    let wait = |source: &mut dyn Source, received: &mut Received, count: usize| {
        let begun = Instant::now();
        while received.documents.len() < count {
            assert!(begun.elapsed() < Duration::from_secs(30), "nothing came");
            if let Some(epoch) = source.read(&received.position, LARGE).unwrap() {
                received.take(epoch);
                source.committed(&received.position).unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait(source.as_mut(), &mut received, 4);
    assert_eq!(received.ids(), ids);
    server.world().put(document("new", "Plus tard."));
    server.world().delete("DocumentReference", "d00");
    wait(source.as_mut(), &mut received, 6);
    assert_eq!(received.current().len(), 4);
}

#[test]
fn a_replay_gives_the_same() {
    let server = Server::start();
    some_documents(&server, 5);
    let spool = tempfile::tempdir().unwrap();
    let mut source = open(&server.uri(), &quick()).unwrap();
    source.start(&Start { spool: spool.path(), once: true, seal: None }).unwrap();
    let first = source.read(&Position::default(), LARGE).unwrap().unwrap();
    drop(source);
    // Whatever becomes of the server.
    server.world().broken.push(("/fhir".into(), 500));
    let mut source = open(&server.uri(), &quick()).unwrap();
    source.start(&Start { spool: spool.path(), once: true, seal: None }).unwrap();
    let again = source.read(&Position::default(), Until::Exactly(&first.position)).unwrap().unwrap();
    assert_eq!((again.documents, again.patients, again.received_at), (first.documents, first.patients, first.received_at));
}

#[test]
fn what_cannot_be_read_becomes_a_dead_letter_and_blocks_nothing() {
    let server = Server::start();
    some_documents(&server, 2);
    {
        let mut world = server.world();
        let mut misshapen = document("bad", "x");
        misshapen["content"] = json!("geheim");
        world.put(misshapen);
        world.put(binary("broken", "x"));
        world.put(pointing("e500", "Binary/broken"));
        world.put(pointing("e404", "Binary/nowhere"));
        world.put(document("last", "Le dernier."));
        // An entry whose resource does not say what it is.
        world.put(json!({"resourceType": "DocumentReference", "id": "nameless"}));
        let versions = world.resources.get_mut(&("DocumentReference".to_owned(), "nameless".to_owned())).unwrap();
        versions[0].resource.as_mut().unwrap().as_object_mut().unwrap().remove("resourceType");
        world.broken.push(("/Binary/broken".into(), 500));
    }
    let spool = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    for _ in 0..2 {
        received.run(&server.uri(), &quick(), spool.path()).unwrap();
    }
    assert_eq!(received.ids(), ["d00", "d01", "last"]);
    let mut reasons: Vec<&str> = received.letters.iter().map(|(reason, _)| reason.as_str()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["bad_resource", "missing_binary", "missing_binary", "not_a_resource"]);
    assert!(received.letters[0].1.contains("DocumentReference/bad") && !received.letters.iter().any(|(_, d)| d.contains("geheim")));
}

#[test]
fn links_to_elsewhere_are_not_followed_unless_allowed() {
    let server = Server::start();
    let ids = some_documents(&server, 5);
    server.world().base = format!("http://localhost:{}/fhir", server.address.port());
    server.world().sorts = Sorts::Id;
    let spool = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    let said = received.run(&server.uri(), &quick(), spool.path()).unwrap_err().to_string();
    assert!(said.contains("allowed_origins") && said.contains("http://localhost"), "{said}");
    assert_eq!(received.ids(), &ids[..3], "what was read is handed out");
    let allowed = Fhir { allowed_origins: vec![format!("http://localhost:{}", server.address.port())], ..quick() };
    // Resolves to the IPv6 address first on some machines; the server has only the other.
    received.run(&server.uri(), &allowed, spool.path()).unwrap();
    assert_eq!(received.ids(), ids);
}

#[test]
fn a_page_that_is_no_json_or_too_large_is_read_one_by_one() {
    let server = Server::start();
    let ids = some_documents(&server, 7);
    server.world().bytes.push((
        "DocumentReference?_sort=_lastUpdated&_count=3".into(),
        b"{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"id\":\"d".to_vec(),
    ));
    server.world().bytes.push(("DocumentReference/d04".into(), b"{\"resourceType\":\"DocumentReference\",\"id\":\"d04\",".to_vec()));
    let received = once(&server, &quick());
    let expected: Vec<&str> = ids.iter().map(String::as_str).filter(|id| *id != "d04").collect();
    assert_eq!(received.ids(), expected);
    assert_eq!(received.letters.iter().map(|(reason, _)| reason.as_str()).collect::<Vec<_>>(), ["bad_json"]);

    let server = Server::start();
    some_documents(&server, 6);
    server.world().put(document("large", &"Très long. ".repeat(3000)));
    let received = once(&server, &Fhir { max_bytes: 20_000, page_size: 10, ..quick() });
    assert_eq!(received.documents.len(), 6);
    assert_eq!(received.letters.len(), 1, "{:?}", received.letters);
    assert!(received.letters[0].1.contains("DocumentReference/large"));
}

#[test]
fn searches_are_limited_by_the_address() {
    let server = Server::start();
    some_documents(&server, 2);
    let mut other = document("other", "Autre type.");
    other["type"]["coding"][0]["code"] = json!("34133-9");
    server.world().put(other);
    let spool = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    received.run(&format!("{}?type=34133-9", server.uri()), &quick(), spool.path()).unwrap();
    assert_eq!(received.ids(), ["other"]);
}
