//! What is deleted on a server, and exports, which tell of it too.

use sillage_connectors::fhir_rest::{Deletions, Mode, Settings as Fhir};

use super::server::{Server, binary, document, pointing};
use super::{Received, quick, some_documents};

#[test]
fn deletions_come_from_the_history() {
    let server = Server::start();
    some_documents(&server, 4);
    let spool = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    received.run(&server.uri(), &quick(), spool.path()).unwrap();
    server.world().delete("DocumentReference", "d01");
    for _ in 0..2 {
        received.run(&server.uri(), &quick(), spool.path()).unwrap();
        assert_eq!(received.documents.len(), 5, "told once");
    }
    let last = received.documents.last().unwrap();
    assert_eq!((last.id.as_str(), last.version, last.status.as_str(), &last.text), ("d01", Some(2), "entered-in-error", &None));
    // Brought back.
    server.world().put(document("d01", "De retour."));
    received.run(&server.uri(), &quick(), spool.path()).unwrap();
    assert_eq!(received.current().len(), 4);
}

#[test]
fn without_a_history_deletions_are_found_by_sweeps() {
    for deletions in [Deletions::Auto, Deletions::Sweep] {
        let server = Server::start();
        some_documents(&server, 4);
        server.world().history = false;
        let fhir = Fhir { deletions, ..quick() };
        let spool = tempfile::tempdir().unwrap();
        let mut received = Received::default();
        received.run(&server.uri(), &fhir, spool.path()).unwrap();
        server.world().delete("DocumentReference", "d02");
        for _ in 0..2 {
            received.run(&server.uri(), &fhir, spool.path()).unwrap();
            assert_eq!(received.documents.len(), 5, "told once");
        }
        assert_eq!(received.current().iter().map(|d| d.id.as_str()).collect::<Vec<_>>(), ["d00", "d01", "d03"]);
    }
}

#[test]
fn a_server_that_has_lost_everything_withdraws_nothing() {
    let server = Server::start();
    some_documents(&server, 25);
    server.world().history = false;
    let spool = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    received.run(&server.uri(), &quick(), spool.path()).unwrap();
    server.world().resources.clear();
    received.run(&server.uri(), &quick(), spool.path()).unwrap();
    assert_eq!(received.documents.len(), 25);
}

#[test]
fn an_export_brings_what_changed_and_what_was_deleted() {
    let server = Server::start();
    let ids = some_documents(&server, 5);
    server.world().put(binary("b1", "Dans l'export."));
    server.world().put(pointing("far", "Binary/b1"));
    let fhir = Fhir { mode: Mode::Export, deletions: Deletions::Never, ..quick() };
    let spool = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    received.run(&server.uri(), &fhir, spool.path()).unwrap();
    assert_eq!(received.ids(), [ids.clone(), vec!["far".to_owned()]].concat());
    assert_eq!(received.documents[5].text.as_deref(), Some("Dans l'export."));
    assert_eq!((received.patients.len(), received.encounters.len()), (1, 1));
    assert_eq!(server.world().asked("GET /fhir/Binary"), 0);
    assert_eq!(server.world().asked("DELETE /fhir/status/0"), 1);
    {
        let mut world = server.world();
        world.put(document("d01", "Revu."));
        // Its Binary is older than the export.
        world.put(pointing("d02", "Binary/b1"));
        world.delete("DocumentReference", "d03");
    }
    received.run(&server.uri(), &fhir, spool.path()).unwrap();
    let new: Vec<(&str, Option<i32>, &str)> =
        received.documents[6..].iter().map(|d| (d.id.as_str(), d.version, d.status.as_str())).collect();
    assert_eq!(new, [("d01", Some(2), "current"), ("d02", Some(2), "current"), ("d03", None, "entered-in-error")]);
    assert_eq!(received.documents[7].text.as_deref(), Some("Dans l'export."));
    assert_eq!(received.letters, []);
    assert!(server.world().export[1].since.is_some());
}

#[test]
fn an_export_goes_on_after_an_interruption() {
    let server = Server::start();
    let ids = some_documents(&server, 5);
    server.world().exports_binary = false;
    let fhir = Fhir { mode: Mode::Export, ..quick() };
    let spool = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    server.world().events.push(Box::new(|world, line| {
        if line.contains("/open/0/DocumentReference") {
            for _ in 0..20 {
                world.answers.push_back((503, Vec::new()));
            }
        }
    }));
    received.run(&server.uri(), &fhir, spool.path()).unwrap_err();
    server.world().events.clear();
    server.world().answers.clear();
    assert_eq!(received.documents.len(), 0);
    received.run(&server.uri(), &fhir, spool.path()).unwrap();
    assert_eq!(received.ids(), ids);
    assert_eq!(server.world().export.len(), 1, "the same export");
    assert_eq!(received.patients.len(), 1, "no file twice");
}
