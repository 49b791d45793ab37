//! The endpoint with the server that its notifications come from: a simulated
//! one, and a real one where there is one.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sillage_connectors::{fhir_rest, subscription};

use crate::server::{Server, binary, document, patient, pointing};
use crate::{Endpoint, free_port, ids, precedences, send, texts};

const JSON: &str = "Content-Type: application/fhir+json\r\n";

/// Settings under which nothing is asked unless there is a notification.
fn asked_only(server: &str) -> (subscription::Settings, fhir_rest::Settings) {
    let fhir =
        fhir_rest::Settings { poll_seconds: 86_400, backoff_milliseconds: 5, max_backoff_seconds: 1, ..fhir_rest::Settings::default() };
    (subscription::Settings { server: Some(server.to_owned()), ..subscription::Settings::default() }, fhir)
}

/// Everything that comes, until there is enough or it takes too long.
fn until(endpoint: &mut Endpoint, enough: impl Fn(&[(String, i32, Option<String>)]) -> bool) -> Vec<(String, i32, Option<String>)> {
    let begun = Instant::now();
    let mut found = Vec::new();
    while !enough(&found) && begun.elapsed() < Duration::from_secs(30) {
        if let Some(epoch) = endpoint.read() {
            assert_eq!(epoch.dead_letters, []);
            let rows = ids(&epoch).into_iter().zip(precedences(&epoch)).zip(texts(&epoch.documents, "text"));
            found.extend(rows.map(|((id, precedence), text)| (id, precedence, text)));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    found
}

/// What each document came to, its last row; those withdrawn without text.
fn last(found: &[(String, i32, Option<String>)], id: &str) -> Option<(i32, Option<String>)> {
    found.iter().rfind(|(found, ..)| found == id).map(|(_, precedence, text)| (*precedence, text.clone()))
}

fn has(id: &str, precedence: i32) -> impl Fn(&[(String, i32, Option<String>)]) -> bool {
    move |found| last(found, id).is_some_and(|(found, _)| found == precedence)
}

#[test]
fn a_hint_has_the_server_asked() {
    let server = Server::start();
    server.world().put(patient("p1"));
    server.world().put(document("before", "Avant l'abonnement."));
    let (settings, fhir) = asked_only(server.uri().strip_prefix("fhir+").unwrap());
    let mut endpoint = Endpoint::asking("http", settings, fhir);
    // What was there before.
    let found = until(&mut endpoint, has("before", 0));
    assert_eq!(last(&found, "before"), Some((0, Some("Avant l'abonnement.".into()))));
    // Nothing is asked without a hint.
    server.world().put(binary("b1", "Le texte est dans un Binary."));
    server.world().put(pointing("d1", "Binary/b1"));
    std::thread::sleep(Duration::from_millis(500));
    assert!(endpoint.read().is_none());
    let empty = send(endpoint.port, "POST", "/fhir", "", "");
    assert_eq!(empty.0, 202, "{}", empty.1);
    let found = until(&mut endpoint, has("d1", 0));
    assert_eq!(last(&found, "d1"), Some((0, Some("Le texte est dans un Binary.".into()))));
    // By id only, by a resource whose text is elsewhere, and a deletion.
    let named = |id: &str| {
        json!({"resourceType": "Bundle", "type": "history", "entry": [
            {"resource": {"resourceType": "Parameters", "parameter": [
                {"name": "subscription", "valueReference": {"reference": "Subscription/s"}}, {"name": "type", "valueCode": "event-notification"}]}},
            {"fullUrl": format!("http://s/DocumentReference/{id}"), "request": {"method": "GET", "url": format!("DocumentReference/{id}")}, "response": {"status": "200"}}]})
    };
    server.world().put(document("d2", "Nommé."));
    assert_eq!(send(endpoint.port, "POST", "/fhir", JSON, &named("d2").to_string()).0, 202);
    assert!(last(&until(&mut endpoint, has("d2", 0)), "d2").is_some());
    server.world().put(pointing("d3", "Binary/b1"));
    let pushed = pointing("d3", "Binary/b1").to_string();
    assert_eq!(send(endpoint.port, "PUT", "/fhir/DocumentReference/d3", JSON, &pushed).0, 202);
    assert_eq!(last(&until(&mut endpoint, has("d3", 0)), "d3"), Some((0, Some("Le texte est dans un Binary.".into()))));
    server.world().delete("DocumentReference", "d2");
    assert_eq!(send(endpoint.port, "POST", "/fhir", JSON, &named("d2").to_string()).0, 202);
    assert_eq!(last(&until(&mut endpoint, has("d2", 2)), "d2"), Some((2, None)));
    // After an outage of ours nothing more than what is new is read.
    endpoint.commit();
    endpoint.stop();
    server.world().put(document("d4", "Pendant l'arrêt."));
    endpoint.start(false);
    let found = until(&mut endpoint, has("d4", 0));
    assert_eq!(found.iter().map(|(id, ..)| id.as_str()).collect::<Vec<_>>(), ["d4"]);
}

struct Hfs {
    process: Child,
    port: u16,
    base: String,
    _folder: tempfile::TempDir,
}

impl Drop for Hfs {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Hfs {
    fn start() -> Option<Hfs> {
        let named = std::env::var_os("SILLAGE_HFS").map(PathBuf::from);
        let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/sillage/hfs/bin/hfs"));
        let Some(program) = named.or_else(home).filter(|path| path.is_file()) else {
            eprintln!("SKIPPED: no FHIR server to test against; build one with");
            eprintln!(
                "    cargo install helios-hfs --version 0.2.7 --no-default-features --features R4,sqlite,subscriptions --root ~/.cache/sillage/hfs"
            );
            eprintln!("or name its binary in SILLAGE_HFS");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let base = format!("http://127.0.0.1:{port}");
        let process = Command::new(program)
            .current_dir(folder.path())
            .env("HFS_SERVER_PORT", port.to_string())
            .env("HFS_SERVER_HOST", "127.0.0.1")
            .env("HFS_BASE_URL", &base)
            .env("HFS_DATABASE_URL", folder.path().join("fhir.db"))
            .env("HFS_UI_ENABLED", "false")
            .env("HFS_SEED_CONFORMANCE", "false")
            .env("HFS_LOG_LEVEL", "error")
            .env("HFS_SUBSCRIPTIONS_ENABLED", "true")
            .env("HFS_SUBSCRIPTION_ALLOW_PRIVATE_ENDPOINTS", "true")
            .env("HFS_SUBSCRIPTION_HANDSHAKE_INITIAL_DELAY_MS", "10")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let hfs = Hfs { process, port, base, _folder: folder };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() || hfs.ask("GET", "/Patient?_count=1", "").0 != 200 {
            assert!(begun.elapsed() < Duration::from_secs(60), "hfs does not come up");
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(hfs)
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        send(self.port, method, path, JSON, body)
    }

    fn put(&self, resource: &Value) {
        let path = format!("/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let (status, answer) = self.ask("PUT", &path, &resource.to_string());
        assert!(matches!(status, 200 | 201), "{answer}");
    }
}

#[test]
fn a_real_server_notifies() {
    let Some(hfs) = Hfs::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (settings, fhir) = asked_only(&hfs.base);
    let settings = subscription::Settings { token_file: Some(crate::secret(&folder, "jeton-fictif")), ..settings };
    let mut endpoint = Endpoint::asking("http", settings, fhir);
    let extension = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic";
    let interactions = ["create", "update", "delete"].map(|code| json!({"url": "supportedInteraction", "valueCode": code}));
    let mut trigger = vec![json!({"url": "resource", "valueUri": "http://hl7.org/fhir/StructureDefinition/DocumentReference"})];
    trigger.extend(interactions);
    hfs.put(&json!({"resourceType": "Basic", "id": "documents",
        "code": {"coding": [{"system": "http://hl7.org/fhir/fhir-types", "code": "SubscriptionTopic"}]},
        "extension": [
            {"url": format!("{extension}.url"), "valueUri": "http://example.org/topic/documents"},
            {"url": format!("{extension}.title"), "valueString": "Documents"},
            {"url": format!("{extension}.resourceTrigger"), "extension": trigger}]}));
    let backport = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport";
    hfs.put(&json!({"resourceType": "Subscription", "id": "documents", "status": "requested", "reason": "test",
        "criteria": "http://example.org/topic/documents",
        "channel": {"type": "rest-hook", "endpoint": endpoint.url(""), "payload": "application/fhir+json",
            "header": ["Authorization: Bearer jeton-fictif"]},
        "extension": [
            {"url": format!("{backport}-topic-canonical"), "valueCanonical": "http://example.org/topic/documents"},
            {"url": format!("{backport}-payload-content"), "valueCode": "id-only"}]}));
    let begun = Instant::now();
    while !hfs.ask("GET", "/Subscription/documents", "").1.contains(r#""status":"active""#) {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", hfs.ask("GET", "/Subscription/documents", "").1);
        std::thread::sleep(Duration::from_millis(100));
    }
    hfs.put(&patient("p1"));
    hfs.put(&document("d1", "Compte rendu initial."));
    let found = until(&mut endpoint, has("d1", 0));
    assert_eq!(last(&found, "d1"), Some((0, Some("Compte rendu initial.".into()))));
    hfs.put(&document("d1", "Compte rendu corrigé."));
    let corrected = |found: &[(String, i32, Option<String>)]| {
        last(found, "d1").is_some_and(|(_, text)| text.as_deref() == Some("Compte rendu corrigé."))
    };
    assert!(corrected(&until(&mut endpoint, corrected)));
    let mut withdrawn = document("d1", "Compte rendu corrigé.");
    withdrawn["status"] = json!("entered-in-error");
    hfs.put(&withdrawn);
    assert!(has("d1", 2)(&until(&mut endpoint, has("d1", 2))));
    hfs.put(&document("d2", "À supprimer."));
    assert!(has("d2", 0)(&until(&mut endpoint, has("d2", 0))));
    assert!(matches!(hfs.ask("DELETE", "/DocumentReference/d2", "").0, 200 | 202 | 204));
    assert!(has("d2", 2)(&until(&mut endpoint, has("d2", 2))));
}
