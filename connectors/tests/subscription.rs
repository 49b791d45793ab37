//! The endpoint of subscriptions, on loopback, spoken to by `curl` and by hand. All people are invented.

// A panic is how a test fails, and where a test is left out is said aloud.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

#[path = "subscription/real.rs"]
mod real;
// It can do more than is asked of it here.
#[allow(dead_code)]
#[path = "fhir_rest/server.rs"]
mod server;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono_tz::Tz;
use sillage_connectors::{Epoch, Opening, Position, Settings, Source, SourceError, Start, Until, fhir_rest, open, subscription};

/// An endpoint on a port of its own.
struct Endpoint {
    source: Option<Box<dyn Source>>,
    folder: tempfile::TempDir,
    settings: Settings,
    uri: String,
    port: u16,
    position: Position,
}

/// A port that nobody else asks for in between, as good as always.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Endpoint {
    fn with(scheme: &str, settings: subscription::Settings) -> Self {
        Self::asking(scheme, settings, fhir_rest::Settings::default())
    }

    fn asking(scheme: &str, settings: subscription::Settings, fhir: fhir_rest::Settings) -> Self {
        let port = free_port();
        let settings = Settings { subscription: settings, fhir, ..Settings::default() };
        let uri = format!("fhir-subscription+{scheme}://127.0.0.1:{port}/fhir");
        let folder = tempfile::tempdir().unwrap();
        let mut endpoint = Endpoint { source: None, folder, settings, uri, port, position: Position::default() };
        endpoint.start(false);
        endpoint
    }

    fn new(settings: subscription::Settings) -> Self {
        Self::with("http", settings)
    }

    fn start(&mut self, once: bool) {
        self.source = None;
        let opening = Opening { uri: &self.uri, timezone: Tz::Europe__Paris, settings: &self.settings };
        let mut source = open(&opening).unwrap();
        source.start(&Start { spool: self.folder.path(), once, seal: None }).unwrap();
        self.source = Some(source);
    }

    fn stop(&mut self) {
        self.source = None;
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.uri.strip_prefix("fhir-subscription+").unwrap())
    }

    fn read(&mut self) -> Option<Epoch> {
        let until = Until::Limits { max_documents: 10_000, max_bytes: 1 << 30 };
        let epoch = self.source.as_mut().unwrap().read(&self.position, until).unwrap()?;
        self.position = epoch.position.clone();
        Some(epoch)
    }

    fn commit(&mut self) {
        self.source.as_mut().unwrap().committed(&self.position).unwrap();
    }

    fn raw(&self, bytes: &[u8]) -> (u16, String) {
        raw(self.port, bytes)
    }

    fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        request(self.port, method, path, headers, body)
    }

    fn post(&self, path: &str, body: &str) -> (u16, String) {
        self.request("POST", path, "Content-Type: application/fhir+json\r\n", body)
    }
}

/// Sends bytes as they are; the status and all that comes back.
fn raw(port: u16, bytes: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The other side may have answered and gone before it has read all.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..count]);
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.get(9..12).and_then(|s| s.parse().ok()).unwrap_or(0);
    (status, answer)
}

fn request(port: u16, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    send(port, method, &format!("/fhir{path}"), headers, body)
}

fn send(port: u16, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n");
    raw(port, format!("{head}{body}").as_bytes())
}

/// Runs curl; the status and the body. `None` where there is no curl.
fn curl(arguments: &[&str], input: &[u8]) -> Option<(u16, String)> {
    let command = Command::new("curl")
        .args(["-sS", "--max-time", "20", "-w", "\n%{http_code}"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = command else {
        eprintln!("LEFT OUT: there is no curl on this machine");
        return None;
    };
    // It may not want the body.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap();
    Some((status.parse().unwrap(), body.to_owned()))
}

fn document(id: &str, members: &str) -> String {
    let data = STANDARD.encode("Déficit brutal de Mme Inventée.");
    format!(
        r#"{{"resourceType":"DocumentReference","id":"{id}",{members}"subject":{{"reference":"Patient/p1"}},"content":[{{"attachment":{{"contentType":"text/plain","data":"{data}"}}}}]}}"#
    )
}

fn texts(batch: &RecordBatch, column: &str) -> Vec<Option<String>> {
    let column = batch.column_by_name(column).unwrap().as_string::<i32>().clone();
    (0..column.len()).map(|i| column.is_valid(i).then(|| column.value(i).to_owned())).collect()
}

fn ids(epoch: &Epoch) -> Vec<String> {
    texts(&epoch.documents, "source_document_id").into_iter().flatten().collect()
}

fn precedences(epoch: &Epoch) -> Vec<i32> {
    epoch.documents.column_by_name("precedence").unwrap().as_primitive::<Int32Type>().values().to_vec()
}

fn secret(folder: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("secret");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn curl_sends_a_document_and_takes_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut endpoint =
        Endpoint::new(subscription::Settings { token_file: Some(secret(&folder, "jeton-fictif\n")), ..subscription::Settings::default() });
    let url = |path: &str| endpoint.url(path);
    let json = "Content-Type: application/fhir+json";
    let (all, one, patients) = (url(""), url("/DocumentReference/d1"), url("/Patient"));
    let token = "Authorization: Bearer jeton-fictif";
    let Some((status, body)) = curl(&["-H", json, "--data-binary", "@-", &all], document("d0", "").as_bytes()) else { return };
    assert_eq!(status, 401, "{body}");
    assert!(body.contains("OperationOutcome") && body.contains("login"));
    assert!(endpoint.read().is_none());
    let url = |path: &str| endpoint.url(path);
    let sent = |method: &str, to: &str, body: &[u8], also: &[&str]| {
        let mut arguments = vec!["-X", method, "-H", token, "-H", json, "--data-binary", "@-"];
        arguments.extend(also);
        arguments.push(to);
        curl(&arguments, body).unwrap()
    };
    assert_eq!(sent("POST", &url(""), document("d0", "").as_bytes(), &[]).0, 200);
    assert_eq!(sent("PUT", &one, document("d1", r#""meta":{"versionId":"1"},"#).as_bytes(), &[]).0, 200);
    let (status, body) = sent("POST", &patients, br#"{"resourceType":"Patient","id":"p1","name":[{"family":"Inventee"}]}"#, &["-i"]);
    assert_eq!(status, 201);
    assert!(body.contains("location: /fhir/Patient/p1"), "{body}");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(document("d2", "").as_bytes()).unwrap();
    assert_eq!(sent("POST", &url(""), &gzip.finish().unwrap(), &["-H", "Content-Encoding: gzip"]).0, 200);
    let chunked = ["-H", "Transfer-Encoding: chunked"];
    assert_eq!(sent("POST", &url("/DocumentReference"), document("d3", "").as_bytes(), &chunked).0, 201);
    // Larger than what curl sends without being asked to.
    let large = document("d4", &format!(r#""description":"{}","#, "é".repeat(2_000_000)));
    assert_eq!(sent("POST", &url(""), large.as_bytes(), &["-H", "Expect: 100-continue"]).0, 200);
    let (status, body) = curl(&["-X", "DELETE", "-H", token, &one], b"").unwrap();
    assert_eq!((status, body.as_str()), (204, ""));
    let epoch = endpoint.read().unwrap();
    assert_eq!(epoch.dead_letters, []);
    assert_eq!(ids(&epoch), ["d0", "d1", "d2", "d3", "d4", "d1"]);
    assert_eq!(precedences(&epoch), [0, 0, 0, 0, 0, 3]);
    assert_eq!(epoch.patients.num_rows(), 1);
    assert!(texts(&epoch.documents, "text")[2].as_deref().is_some_and(|t| t.starts_with("Déficit")));
    assert_eq!(texts(&epoch.documents, "place")[0].as_deref(), Some("connection 2 request 1"));
}

#[test]
fn bundles_of_every_type() {
    let mut endpoint = Endpoint::new(subscription::Settings::default());
    let entry = |resource: &str, request: &str| format!(r#"{{"fullUrl":"urn:uuid:1","resource":{resource},"request":{request}}}"#);
    let bundle = |type_: &str, entries: &str| format!(r#"{{"resourceType":"Bundle","type":"{type_}","entry":[{entries}]}}"#);
    let put = entry(&document("t1", ""), r#"{"method":"PUT","url":"DocumentReference/t1"}"#);
    let delete = r#"{"request":{"method":"DELETE","url":"DocumentReference/t0"}}"#;
    let (status, body) = endpoint.post("", &bundle("transaction", &format!("{put},{delete}")));
    assert_eq!(status, 200, "{body}");
    for part in ["transaction-response", r#""location":"DocumentReference/t1""#, "204 No Content", "200 OK"] {
        assert!(body.contains(part), "{part}: {body}");
    }
    let patch = entry(r#"{"resourceType":"Parameters"}"#, r#"{"method":"PATCH","url":"DocumentReference/t1"}"#);
    assert_eq!(endpoint.post("", &bundle("transaction", &format!("{put},{patch}"))).0, 422);
    let (status, body) = endpoint.post("", &bundle("batch", &format!("{put},{patch}")));
    assert!(status == 200 && body.contains("batch-response") && body.contains("405 Method Not Allowed"), "{body}");
    let message = format!(r#"{{"resource":{{"resourceType":"MessageHeader","focus":[{{"reference":"urn:uuid:1"}}]}}}},{}"#, put);
    assert_eq!(endpoint.post("/$process-message", &bundle("message", &message)).0, 200);
    assert_eq!(endpoint.post("", &bundle("message", &put)).0, 422);
    let composition = r#"{"resource":{"resourceType":"Composition","id":"c","status":"final","section":[{"title":"Motif","text":{"div":"<div>Chute</div>"}}]}}"#;
    assert_eq!(endpoint.post("/Bundle", &bundle("document", composition)).0, 201);
    assert_eq!(endpoint.post("", &bundle("document", &put)).0, 422);
    assert_eq!(endpoint.post("", &bundle("collection", &put)).0, 200);
    let epoch = endpoint.read().unwrap();
    assert_eq!(ids(&epoch), ["t1", "t0", "t1", "t1", "c", "t1"]);
    assert_eq!(epoch.dead_letters.iter().map(|l| l.reason).collect::<Vec<_>>(), ["unsupported_method"]);
}

#[test]
fn notifications_as_servers_send_them() {
    let mut endpoint = Endpoint::new(subscription::Settings::default());
    let parameters = |type_: &str, numbers: &[u64]| {
        let events: String = numbers
            .iter()
            .map(|n| format!(r#",{{"name":"notification-event","part":[{{"name":"event-number","valueString":"{n}"}},{{"name":"focus","valueReference":{{"reference":"DocumentReference/n1"}}}}]}}"#))
            .collect();
        format!(
            r#"{{"resource":{{"resourceType":"Parameters","parameter":[{{"name":"subscription","valueReference":{{"reference":"Subscription/s"}}}},{{"name":"type","valueCode":"{type_}"}}{events}]}},"request":{{"method":"GET","url":"Subscription/s/$status"}},"response":{{"status":"200"}}}}"#
        )
    };
    let bundle = |entries: &str| format!(r#"{{"resourceType":"Bundle","type":"history","entry":[{entries}]}}"#);
    assert_eq!(endpoint.post("", &bundle(&parameters("handshake", &[]))).0, 202);
    assert_eq!(endpoint.post("", &bundle(&parameters("heartbeat", &[]))).0, 202);
    let full = format!(
        r#"{},{{"fullUrl":"http://s/DocumentReference/n1","resource":{}}}"#,
        parameters("event-notification", &[1]),
        document("n1", "")
    );
    assert_eq!(endpoint.post("", &bundle(&full)).0, 200);
    let gone = format!(r#"{},{{"request":{{"method":"DELETE","url":"DocumentReference/n1"}}}}"#, parameters("event-notification", &[2]));
    assert_eq!(endpoint.post("", &bundle(&gone)).0, 200);
    // Without a server to ask these would be lost: the sender must know.
    let named = format!(
        r#"{},{{"fullUrl":"http://s/DocumentReference/n2","request":{{"method":"GET","url":"DocumentReference/n2"}}}}"#,
        parameters("event-notification", &[3])
    );
    for hint in [bundle(&named), bundle(&parameters("event-notification", &[3])), String::new()] {
        let (status, body) = endpoint.post("", &hint);
        assert!(status == 422 && body.contains("no server is set"), "{body}");
    }
    let epoch = endpoint.read().unwrap();
    assert_eq!((ids(&epoch), precedences(&epoch)), (vec!["n1".to_owned(), "n1".to_owned()], vec![0, 3]));
    assert_eq!(epoch.dead_letters, []);
}

#[test]
fn what_is_wrong_is_told_and_never_repeated() {
    let mut endpoint = Endpoint::new(subscription::Settings { max_body_bytes: 100_000, ..subscription::Settings::default() });
    let json = "Content-Type: application/fhir+json\r\n";
    let deep = format!(r#"{{"resourceType":"Patient","id":"p","x":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    let large = document("secret-1", &format!(r#""description":"{}","#, "x".repeat(100_000)));
    for (method, path, headers, body, status) in [
        ("POST", "", json, "{secret-1", 400),
        ("POST", "", json, r#"{"a":"secret-1"}"#, 400),
        ("POST", "", json, deep.as_str(), 400),
        ("POST", "", json, r#"{"resourceType":"Bundle","entry":["secret-1"]}"#, 400),
        ("PUT", "/DocumentReference/d2", json, &document("secret-1", ""), 400),
        ("PUT", "/Patient/secret-1", json, &document("secret-1", ""), 400),
        ("PUT", "/DocumentReference/d2", json, "", 400),
        ("POST", "/secret-1", json, "{}", 404),
        ("GET", "", "", "", 405),
        ("PATCH", "/DocumentReference/secret-1", json, "{}", 405),
        ("POST", "", json, &large, 413),
        ("POST", "", "Content-Type: application/fhir+xml\r\n", "<secret-1/>", 415),
        ("POST", "", "Content-Type: text/plain\r\n", "secret-1", 415),
        ("POST", "", "Content-Type: application/json\r\nContent-Encoding: br\r\n", "secret-1", 415),
        ("POST", "", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", "secret-1", 400),
        ("POST", "", json, r#"{"resourceType":"Observation","id":"secret-1"}"#, 422),
        ("POST", "", json, r#"{"resourceType":"DocumentReference","description":"secret-1","content":[]}"#, 422),
    ] {
        let (found, answer) = endpoint.request(method, path, headers, body);
        assert_eq!(found, status, "{method} {path} {answer}");
        assert!(answer.contains("OperationOutcome") && !answer.contains("secret-1"), "{answer}");
    }
    let chunked = format!(
        "POST /fhir HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n",
        large.len()
    );
    assert_eq!(endpoint.raw(chunked.as_bytes()).0, 413);
    assert_eq!(endpoint.raw(b"nonsense\r\n\r\n").0, 400);
    assert_eq!(endpoint.raw(format!("POST /fhir HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(200_000)).as_bytes()).0, 431);
    assert!(endpoint.read().is_none());
    let (status, body) = endpoint.request("GET", "/metadata", "", "");
    assert!(status == 200 && body.contains("CapabilityStatement"), "{body}");
    assert_eq!(endpoint.post("", &document("d1", "")).0, 200);
    assert_eq!(ids(&endpoint.read().unwrap()), ["d1"]);
}

#[test]
fn slow_senders_are_let_go() {
    let mut endpoint = Endpoint::new(subscription::Settings {
        timeout_seconds: 1,
        idle_seconds: 1,
        max_connections: 3,
        ..subscription::Settings::default()
    });
    let begun = Instant::now();
    let (status, _) = endpoint.raw(b"POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{");
    assert_eq!(status, 408);
    // Half a head, and no head at all: the connection goes, and with it its place.
    assert_eq!(endpoint.raw(b"POST /fhir HTTP/1.1\r\nHos").0 % 408, 0);
    let silent: Vec<TcpStream> = (0..10).map(|_| TcpStream::connect(("127.0.0.1", endpoint.port)).unwrap()).collect();
    assert_eq!(endpoint.post("", &document("d1", "")).0, 200);
    assert!(begun.elapsed() < Duration::from_secs(15));
    drop(silent);
    assert_eq!(ids(&endpoint.read().unwrap()), ["d1"]);
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart_until_it_is_committed() {
    let mut endpoint = Endpoint::new(subscription::Settings::default());
    assert_eq!(endpoint.post("", &document("d1", "")).0, 200);
    assert_eq!(endpoint.post("", &document("d2", "")).0, 200);
    endpoint.start(true);
    assert!(TcpStream::connect(("127.0.0.1", endpoint.port)).is_err(), "once: nothing is listened on");
    let before = endpoint.position.clone();
    let epoch = endpoint.read().unwrap();
    assert_eq!(ids(&epoch), ["d1", "d2"]);
    endpoint.start(false);
    let again = endpoint.source.as_mut().unwrap().read(&before, Until::Exactly(&epoch.position)).unwrap().unwrap();
    assert_eq!((&again.documents, again.received_at), (&epoch.documents, epoch.received_at));
    assert!(endpoint.read().is_none());
    endpoint.commit();
    endpoint.start(true);
    assert!(endpoint.read().is_none());
}

#[test]
fn senders_wait_when_too_much_waits_here() {
    let mut endpoint = Endpoint::new(subscription::Settings { max_waiting_messages: 2, ..subscription::Settings::default() });
    assert_eq!(endpoint.post("", &document("d1", "")).0, 200);
    assert_eq!(endpoint.post("", &document("d2", "")).0, 200);
    let (status, answer) = endpoint.post("", &document("d3", ""));
    assert!(status == 503 && answer.contains("retry-after: 10") && answer.contains("throttled"), "{answer}");
    assert_eq!(endpoint.request("DELETE", "/DocumentReference/d1", "", "").0, 503);
    assert_eq!(ids(&endpoint.read().unwrap()), ["d1", "d2"]);
    endpoint.commit();
    assert_eq!(endpoint.post("", &document("d3", "")).0, 200);
    assert_eq!(ids(&endpoint.read().unwrap()), ["d3"]);
}

#[test]
fn what_is_being_received_is_answered_before_the_end() {
    let mut endpoint = Endpoint::new(subscription::Settings::default());
    let body = document("d1", "");
    let mut stream = TcpStream::connect(("127.0.0.1", endpoint.port)).unwrap();
    let (begin, end) = body.split_at(20);
    stream
        .write_all(
            format!("POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{begin}", body.len())
                .as_bytes(),
        )
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let source = endpoint.source.take();
    let stopping = std::thread::spawn(move || drop(source));
    std::thread::sleep(Duration::from_millis(300));
    stream.write_all(end.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    stopping.join().unwrap();
    endpoint.start(true);
    assert_eq!(ids(&endpoint.read().unwrap()), ["d1"]);
}

#[test]
fn many_at_once_are_all_kept_once() {
    let mut endpoint = Endpoint::new(subscription::Settings::default());
    std::thread::scope(|scope| {
        for sender in 0..8 {
            let port = endpoint.port;
            scope.spawn(move || {
                for number in 0..25 {
                    let body = document(&format!("d{sender}-{number}"), "");
                    assert_eq!(request(port, "POST", "", "", &body).0, 200);
                }
            });
        }
    });
    let mut found = ids(&endpoint.read().unwrap());
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 200);
}

#[test]
fn nobody_unknown_may_send_from_elsewhere() {
    let refused = |uri: &str, settings: subscription::Settings| {
        let settings = Settings { subscription: settings, ..Settings::default() };
        let opening = Opening { uri, timezone: Tz::Europe__Paris, settings: &settings };
        open(&opening).err().map(|e| e.to_string()).unwrap_or_default()
    };
    let folder = tempfile::tempdir().unwrap();
    let token = || subscription::Settings { token_file: Some(secret(&folder, "x")), ..subscription::Settings::default() };
    assert!(refused("fhir-subscription+http://0.0.0.0:8099/fhir", subscription::Settings::default()).contains("anybody"));
    assert_eq!(refused("fhir-subscription+http://0.0.0.0:8099/fhir", token()), "");
    assert_eq!(refused("fhir-subscription+http://127.0.0.1:8099/fhir", subscription::Settings::default()), "");
    assert!(refused("fhir-subscription+https://127.0.0.1:8099/fhir", token()).contains("tls_certificate"));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("fhir-subscription+http://127.0.0.1:{}/fhir", taken.local_addr().unwrap().port());
    let mut source = open(&Opening { uri: &uri, timezone: Tz::Europe__Paris, settings: &Settings::default() }).unwrap();
    let spool = tempfile::tempdir().unwrap();
    assert!(matches!(source.start(&Start { spool: spool.path(), once: false, seal: None }), Err(SourceError::Listen { .. })));
}

#[test]
fn curl_shows_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(rcgen::DnType::CommonName, "autorité fictive");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    fs::write(path("ca"), authority_certificate.pem()).unwrap();
    for (name, host) in [("server", "localhost"), ("client", "moteur")] {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, host);
        let certificate = parameters.signed_by(&key, &issuer).unwrap();
        fs::write(path(name), certificate.pem()).unwrap();
        fs::write(path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }
    let mut endpoint = Endpoint::with(
        "https",
        subscription::Settings {
            tls_certificate: Some(path("server")),
            tls_key: Some(path("server.key")),
            client_authorities: Some(path("ca")),
            ..subscription::Settings::default()
        },
    );
    let url = format!("https://localhost:{}/fhir", endpoint.port);
    let (ca, client, key) = (path("ca"), path("client"), path("client.key"));
    let [ca, client, key] = [&ca, &client, &key].map(|p| p.to_str().unwrap());
    let basic = ["--cacert", ca, "-H", "Content-Type: application/json", "--data-binary", "@-", &url];
    let Some((status, _)) = curl(&basic, document("d0", "").as_bytes()) else { return };
    assert_eq!(status, 0, "without a certificate nothing is answered");
    let shown = [&["--cert", client, "--key", key][..], &basic].concat();
    assert_eq!(curl(&shown, document("d1", "").as_bytes()).unwrap().0, 200);
    assert_eq!(ids(&endpoint.read().unwrap()), ["d1"]);
}
