//! A day put into a FHIR server that others wrote (`hfs` of the crate helios-hfs): by
//! search, by bulk export and by its notifications the tables end the same.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sillage_sandbox::day::Day;
use sillage_sandbox::day::fhir::written;

use super::super::command::text;
use super::played::{POLLING, day};
use super::running::{Pipeline, free_port, ready};
use super::tables::{research, rows};

const TOKEN: &str = "jeton-fictif";
const TOPIC: &str = "http://example.org/topic/documents";

struct Hfs {
    process: Child,
    port: u16,
    base: String,
}

impl Drop for Hfs {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Hfs {
    fn start(folder: &Path) -> Option<Hfs> {
        let named = std::env::var_os("SILLAGE_HFS").map(PathBuf::from);
        let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/sillage/hfs/bin/hfs"));
        let Some(program) = named.or_else(home).filter(|path| path.is_file()) else {
            eprintln!("SKIPPED: no FHIR server to test against; connectors/tests says how to build one");
            return None;
        };
        let port = free_port();
        let base = format!("http://127.0.0.1:{port}");
        let settings = [
            ("HFS_SERVER_PORT", port.to_string()),
            ("HFS_SERVER_HOST", "127.0.0.1".to_owned()),
            ("HFS_BASE_URL", base.clone()),
            ("HFS_DATABASE_URL", text(&folder.join("fhir.db")).to_owned()),
            ("HFS_BULK_EXPORT_ENABLED", "true".to_owned()),
            ("HFS_BULK_EXPORT_OUTPUT_DIR", text(&folder.join("exports")).to_owned()),
            ("HFS_UI_ENABLED", "false".to_owned()),
            ("HFS_SEED_CONFORMANCE", "false".to_owned()),
            ("HFS_LOG_LEVEL", "error".to_owned()),
            ("HFS_SUBSCRIPTIONS_ENABLED", "true".to_owned()),
            ("HFS_SUBSCRIPTION_ALLOW_PRIVATE_ENDPOINTS", "true".to_owned()),
            ("HFS_SUBSCRIPTION_HANDSHAKE_INITIAL_DELAY_MS", "10".to_owned()),
        ];
        let process = Command::new(program)
            .current_dir(folder)
            .envs(settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let hfs = Hfs { process, port, base };
        hfs.until("it comes up", || hfs.ask("GET", "/Patient?_count=1", "").is_some_and(|(status, _)| status == 200));
        Some(hfs)
    }

    /// Status and body of an answer; `None` where there is none.
    fn ask(&self, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
        let kind = "Content-Type: application/fhir+json\r\nAccept: application/fhir+json";
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{kind}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        Some((status, answer))
    }

    fn put(&self, resource: &Value) {
        let path = format!("/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let answer = self.ask("PUT", &path, &resource.to_string());
        assert!(matches!(&answer, Some((200 | 201, _))), "{path}: {answer:?}");
    }

    fn until(&self, what: &str, done: impl Fn() -> bool) {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < Duration::from_secs(60), "hfs: waited for a minute that {what}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Has what happens to documents told to an address.
    fn subscribe(&self, address: &str) {
        let extension = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic";
        let interactions = ["create", "update", "delete"].map(|code| json!({"url": "supportedInteraction", "valueCode": code}));
        let mut trigger = vec![json!({"url": "resource", "valueUri": "http://hl7.org/fhir/StructureDefinition/DocumentReference"})];
        trigger.extend(interactions);
        self.put(&json!({"resourceType": "Basic", "id": "documents",
            "code": {"coding": [{"system": "http://hl7.org/fhir/fhir-types", "code": "SubscriptionTopic"}]},
            "extension": [
                {"url": format!("{extension}.url"), "valueUri": TOPIC},
                {"url": format!("{extension}.title"), "valueString": "Documents"},
                {"url": format!("{extension}.resourceTrigger"), "extension": trigger}]}));
        let backport = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport";
        self.put(&json!({"resourceType": "Subscription", "id": "documents", "status": "requested", "reason": "test", "criteria": TOPIC,
            "channel": {"type": "rest-hook", "endpoint": address, "payload": "application/fhir+json",
                "header": [format!("Authorization: Bearer {TOKEN}")]},
            "extension": [
                {"url": format!("{backport}-topic-canonical"), "valueCanonical": TOPIC},
                {"url": format!("{backport}-payload-content"), "valueCode": "id-only"}]}));
        let active = || self.ask("GET", "/Subscription/documents", "").is_some_and(|(_, body)| body.contains(r#""status":"active""#));
        self.until("the subscription is active", active);
    }

    /// Lets an event of the day happen in it.
    fn apply(&self, day: &Day, event: usize) {
        let event = &day.events()[event];
        for change in event.changes() {
            if let Some(binary) = day.binary_of(change) {
                self.put(&binary);
            }
            match day.resource(change, &written(event.instant())) {
                Some(resource) => self.put(&resource),
                None => {
                    let path = format!("/{}/{}", change.kind().name(), day.resource_id(change));
                    let answer = self.ask("DELETE", &path, "");
                    assert!(matches!(&answer, Some((200 | 202 | 204, _))), "{path}: {answer:?}");
                }
            }
        }
    }
}

#[test]
fn a_real_server_tells_the_same_by_search_by_export_and_by_notification() {
    let folder = tempfile::tempdir().unwrap();
    let Some(hfs) = Hfs::start(folder.path()) else { return };
    let day = day(17);
    let port = free_port();
    let endpoint = format!("http://127.0.0.1:{port}/fhir");
    let token = folder.path().join("token");
    std::fs::write(&token, format!("{TOKEN}\n")).unwrap();
    let settings = format!("{POLLING}\n[subscription]\nserver = {:?}\ntoken_file = {:?}", hfs.base, text(&token));
    let told = Pipeline::new(folder.path(), "told", &[&format!("fhir-subscription+{endpoint}")], &settings);
    let mut run = told.start();
    ready(&mut run, &told);
    hfs.subscribe(&endpoint);

    let server = format!("fhir+{}", hfs.base);
    let asked = Pipeline::new(folder.path(), "asked", &[&server], POLLING);
    let export = format!("{POLLING}\nmode = \"export\"\nexport_seconds = 1\nexport_ask_seconds = 1");
    let exported = Pipeline::new(folder.path(), "exported", &[&server], &export);
    let count = day.events().len();
    for event in 0..count {
        hfs.apply(&day, event);
        // Looked at in the middle of the day as well: what is withdrawn later has been seen.
        if event == count / 2 {
            asked.once();
            exported.once();
        }
    }
    asked.once();
    exported.once();
    let expected = research(&asked.out);
    assert!(expected.len() > 150, "documents and findings: {}", expected.len());
    // Notifications come when the server gets to them.
    let begun = Instant::now();
    while research(&told.out) != expected && begun.elapsed() < Duration::from_secs(40) {
        std::thread::sleep(Duration::from_secs(2));
    }
    run.terminate(&told);
    for (way, out) in [("export", &exported.out), ("notification", &told.out)] {
        let found = research(out);
        let (more, less): (Vec<_>, Vec<_>) = (found.difference(&expected).collect(), expected.difference(&found).collect());
        assert!(more.is_empty() && less.is_empty(), "by {way} and by search\n{more:#?}\n{less:#?}");
        assert_eq!(rows(out, "select reason from dead_letters"), rows(&asked.out, "select reason from dead_letters"), "{way}");
    }
    let standing = day.expected().documents.iter().filter(|d| d.status == sillage_sandbox::day::expected::Status::Current).count();
    let stored = rows(&asked.out, "select count(*) as n from documents where status = 'current'")[0]["n"].as_u64();
    assert_eq!(stored, Some(standing as u64), "documents that stand at the end of the day");
}
