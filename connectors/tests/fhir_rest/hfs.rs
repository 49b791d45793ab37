//! A real FHIR server: the `hfs` binary of the crate helios-hfs.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sillage_connectors::fhir_rest::{Mode, Settings as Fhir};

use crate::Received;
use crate::server::{binary, document, encounter, patient, pointing};

/// Where it is, if it is.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("SILLAGE_HFS")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/sillage/hfs/bin/hfs")))?;
    path.is_file().then_some(path)
}

struct Hfs {
    process: Child,
    base: String,
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
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
        let Some(program) = program() else {
            eprintln!("SKIPPED: no FHIR server to test against; build one with");
            eprintln!(
                "    cargo install helios-hfs --version 0.2.7 --no-default-features --features R4,sqlite --root ~/.cache/sillage/hfs"
            );
            eprintln!("or name its binary in SILLAGE_HFS");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let base = format!("http://127.0.0.1:{port}");
        let process = Command::new(program)
            .current_dir(folder.path())
            .env("HFS_SERVER_PORT", port.to_string())
            .env("HFS_SERVER_HOST", "127.0.0.1")
            .env("HFS_BASE_URL", &base)
            .env("HFS_DATABASE_URL", folder.path().join("fhir.db"))
            .env("HFS_BULK_EXPORT_ENABLED", "true")
            .env("HFS_BULK_EXPORT_OUTPUT_DIR", folder.path().join("exports"))
            .env("HFS_UI_ENABLED", "false")
            .env("HFS_SEED_CONFORMANCE", "false")
            .env("HFS_LOG_LEVEL", "error")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let hfs = Hfs { process, base, runtime, http: reqwest::Client::new(), _folder: folder };
        let begun = Instant::now();
        while hfs.send(hfs.http.get(format!("{}/Patient?_count=1", hfs.base))).is_none_or(|status| status != 200) {
            assert!(begun.elapsed() < Duration::from_secs(60), "hfs does not come up");
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(hfs)
    }

    fn send(&self, request: reqwest::RequestBuilder) -> Option<u16> {
        self.runtime.block_on(request.send()).ok().map(|response| response.status().as_u16())
    }

    fn put(&self, resource: &Value) {
        let url = format!("{}/{}/{}", self.base, resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let request = self.http.put(url).header("content-type", "application/fhir+json").body(resource.to_string());
        let status = self.send(request);
        assert!(matches!(status, Some(200 | 201)), "{status:?}");
    }

    fn delete(&self, path: &str) {
        let status = self.send(self.http.delete(format!("{}/{path}", self.base)));
        assert!(matches!(status, Some(200 | 202 | 204)), "{status:?}");
    }
}

#[test]
fn a_real_server_gives_the_same_by_search_and_by_export() {
    let Some(hfs) = Hfs::start() else { return };
    let fhir = Fhir { page_size: 2, overlap_seconds: 30, timeout_seconds: 30, export_ask_seconds: 1, ..Fhir::default() };
    let ways = [fhir.clone(), Fhir { mode: Mode::Export, ..fhir }];
    let spools = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut received = [Received::default(), Received::default()];
    let mut run = || {
        for ((received, fhir), spool) in received.iter_mut().zip(&ways).zip(&spools) {
            received.run(&format!("fhir+{}", hfs.base), fhir, spool.path()).unwrap();
        }
        let [search, export] = &received;
        assert_eq!(search.letters, []);
        assert_eq!(export.letters, []);
        let current = search.current();
        assert_eq!(current, export.current());
        let last = |received: &Received| received.patients.iter().rfind(|(id, _)| id == "p1").cloned();
        assert_eq!(last(search), last(export));
        assert!(search.encounters.contains(&"e1".to_owned()) && export.encounters.contains(&"e1".to_owned()));
        current
    };

    hfs.put(&patient("p1"));
    hfs.put(&encounter("e1", "p1"));
    hfs.put(&binary("b1", "Le texte du Binary."));
    hfs.put(&document("d1", "Compte rendu initial."));
    hfs.put(&pointing("d2", "Binary/b1"));
    hfs.put(&document("d3", "À retirer."));
    hfs.put(&document("d4", "À supprimer."));
    hfs.put(&pointing("d5", &format!("{}/Binary/b1", hfs.base)));
    let current = run();
    let texts: Vec<(&str, Option<&str>)> = current.iter().map(|d| (d.id.as_str(), d.text.as_deref())).collect();
    let initial = [
        ("d1", Some("Compte rendu initial.")),
        ("d2", Some("Le texte du Binary.")),
        ("d3", Some("À retirer.")),
        ("d4", Some("À supprimer.")),
        ("d5", Some("Le texte du Binary.")),
    ];
    assert_eq!(texts, initial);
    // Nothing new: nothing more.
    assert_eq!(run(), current);

    hfs.put(&document("d1", "Compte rendu corrigé."));
    let mut withdrawn = document("d3", "À retirer.");
    withdrawn["status"] = json!("entered-in-error");
    hfs.put(&withdrawn);
    hfs.delete("DocumentReference/d4");
    hfs.put(&binary("b2", "Un autre Binary."));
    hfs.put(&pointing("d6", "Binary/b2"));
    hfs.put(&pointing("d2", "Binary/b2"));
    let mut renamed = patient("p1");
    renamed["name"][0]["family"] = json!("NOUVEAUNOM");
    hfs.put(&renamed);
    let current = run();
    let texts: Vec<(&str, Option<&str>)> = current.iter().map(|d| (d.id.as_str(), d.text.as_deref())).collect();
    let expected = [
        ("d1", Some("Compte rendu corrigé.")),
        ("d2", Some("Un autre Binary.")),
        ("d5", Some("Le texte du Binary.")),
        ("d6", Some("Un autre Binary.")),
    ];
    assert_eq!(texts, expected);

    // What a document refers to goes; the document stays as it was.
    hfs.delete("Binary/b1");
    hfs.delete("Encounter/e1");
    hfs.put(&patient("p2"));
    hfs.delete("Patient/p2");
    hfs.put(&document("d4", "De retour."));
    let current = run();
    assert_eq!(current.len(), 5);
    assert_eq!(current.iter().find(|d| d.id == "d4").and_then(|d| d.text.as_deref()), Some("De retour."));
}
