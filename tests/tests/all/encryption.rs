//! The restricted zone, encrypted: nothing readable on the disk, everything as usual
//! for whoever has the key.

use std::path::Path;

use super::command::{sillage, stderr, succeeds, text, value};
use super::corrections::base64;

/// What the feed says of an invented patient, and must not be read from the disk.
const SECRETS: &[&str] = &["Quéméneuroc", "1951-03-07", "8041277356", "thrombolyse refusée", "DocumentReference/d1", "cassée"];

fn feed(folder: &Path, version: u32, body: &str) {
    let patient = serde_json::json!({
        "resourceType": "Patient", "id": "p1", "birthDate": "1951-03-07",
        "name": [{"family": "Quéméneuroc", "given": ["Maïlys"]}],
        "identifier": [{"type": {"coding": [{"code": "PI"}]}, "system": "urn:ipp", "value": "8041277356"}]
    });
    let document = serde_json::json!({
        "resourceType": "DocumentReference", "id": "d1", "status": "current", "meta": {"versionId": version.to_string()},
        "subject": {"reference": "Patient/p1"}, "date": "2024-05-02T10:00:00+02:00",
        "content": [{"attachment": {"contentType": "text/plain", "data": base64(body)}}]
    });
    let broken = format!("{{\"resourceType\":\"DocumentReference\",\"id\":\"cassée {version}\",");
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(format!("{version}.ndjson")), format!("{patient}\n{document}\n{broken}\n")).unwrap();
}

/// Every file below a folder that shows one of the secrets.
fn readable(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            files += 1;
            let bytes = std::fs::read(entry.path()).unwrap();
            let parquet = bytes.starts_with(b"PAR1");
            let shown = SECRETS.iter().filter(|s| bytes.windows(s.len()).any(|w| w == s.as_bytes()));
            found.extend(shown.map(|s| format!("{}: {s}", entry.path().display())));
            if parquet {
                found.push(format!("{}: plain Parquet", entry.path().display()));
            }
        }
    }
    assert!(files > 10, "{files} files are not the restricted zone");
    found
}

#[test]
fn the_restricted_zone_is_read_with_its_key_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (source, out, key, kept) =
        (folder.path().join("source"), folder.path().join("tables"), folder.path().join("zone.key"), folder.path().join("kept.key"));
    succeeds(&["key", "new", text(&key)]);
    feed(&source, 1, "Mme Quéméneuroc. AVC ischémique, thrombolyse refusée. NIHSS 14.");
    let run = ["run", "--source", text(&source), "--out", text(&out), "--once", "--quiet"];
    succeeds(&[&run[..], &["--encryption-key-file", text(&key)]].concat());
    assert_eq!(readable(&out.join("restricted")), [""; 0]);
    assert_eq!(value(&out, "select count(*) from source_documents where text like '%Quéméneuroc%'"), "1");
    assert_eq!(value(&out, "select count(*) from dead_letters"), "1");

    // Later runs and commands find the key by themselves; corrections and maintenance go through it.
    feed(&source, 2, "Mme Quéméneuroc. AVC ischémique, thrombolyse refusée. NIHSS 9.");
    succeeds(&run);
    succeeds(&["maintain", "--out", text(&out)]);
    assert_eq!(value(&out, "select value from episode_variables where variable = 'nihss_admission'"), "9");
    assert_eq!(value(&out, "select count(*) from source_documents"), "1");
    assert_eq!(readable(&out.join("restricted")), [""; 0]);
    let files = folder.path().join("files");
    succeeds(&["export", "--out", text(&out), "--to", text(&files), "--zone", "restricted"]);
    assert!(std::fs::read(files.join("identities.parquet")).unwrap().starts_with(b"PAR1"), "an export is for reading");

    // Without the key, research goes on and the restricted zone stays closed.
    std::fs::rename(&key, &kept).unwrap();
    assert_eq!(value(&out, "select count(*) from episode_variables where variable = 'nihss_admission'"), "1");
    let refused = sillage(&["sql", "--out", text(&out), "-c", "select * from source_documents"]);
    assert!(!refused.status.success());
    let refused = sillage(&run);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("SILLAGE_ENCRYPTION_KEY_FILE"), "{}", stderr(&refused));

    // Another key is not the key; the right one may lie elsewhere.
    succeeds(&["key", "new", text(&key)]);
    let refused = sillage(&run);
    assert!(stderr(&refused).contains("not the key"), "{}", stderr(&refused));
    succeeds(&[&run[..], &["--encryption-key-file", text(&kept)]].concat());
}

#[test]
fn tables_in_clear_are_not_half_encrypted() {
    let folder = tempfile::tempdir().unwrap();
    let (source, out, key) = (folder.path().join("source"), folder.path().join("tables"), folder.path().join("zone.key"));
    succeeds(&["key", "new", text(&key)]);
    feed(&source, 1, "AVC.");
    let run = ["run", "--source", text(&source), "--out", text(&out), "--once", "--quiet"];
    succeeds(&run);
    let refused = sillage(&[&run[..], &["--encryption-key-file", text(&key)]].concat());
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("new folder"), "{}", stderr(&refused));
}
