//! Ten thousand damaged lines: no panic, and every line is accounted for.

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

use std::fs;

use chrono_tz::Tz;
use proptest::prelude::*;
use sillage_connectors::{Position, Until};

const SEEDS: &[&str] = &[
    r#"{"resourceType":"DocumentReference","id":"d","meta":{"versionId":"3","lastUpdated":"2024-03-05T13:05:00.000+01:00"},"status":"current","docStatus":"final","type":{"coding":[{"system":"http://loinc.org","code":"11490-0","display":"CR"}]},"subject":{"reference":"Patient/p"},"date":"2024-03-05T13:05:00Z","author":[{"display":"Dr Fictif"}],"description":"Compte rendu","content":[{"attachment":{"contentType":"text/plain; charset=UTF-8","data":"RMOpZmljaXQgYnJ1dGFs"}},{"attachment":{"contentType":"text/html","data":"PHA+dnU8L3A+"}}],"context":{"encounter":[{"reference":"Encounter/e"}],"period":{"start":"2024-03-05"}}}"#,
    r#"{"resourceType":"DocumentReference","id":"x","contained":[{"resourceType":"Binary","id":"b","data":"YQ=="}],"masterIdentifier":{"system":"s","value":"v"},"subject":{"identifier":{"system":"s","value":"v"}},"content":[{"attachment":{"contentType":"application/pdf","url":"Binary/b1"}},{"attachment":{"url":"urn:uuid:1"}},{"attachment":{"url":"data:text/plain;base64,YQ=="}}]}"#,
    r#"{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:ipp","value":"1"}],"name":[{"family":"Inventée","given":["Ève"]}]}"#,
    r#"{"resourceType":"Encounter","id":"e","class":{"code":"IMP"},"subject":{"reference":"Patient/p"},"period":{"start":"2024-03-05T10:00:00+01:00"}}"#,
    r#"{"resourceType":"Binary","id":"b1","contentType":"text/plain","data":"YWJj"}"#,
];
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    ":",
    ",",
    "null",
    "1e999",
    "é",
    "\\ud800",
    "\u{0}",
    "#",
    "urn:",
    "<p>",
    "[[[[[[[[",
    "\"content\":",
    "-1",
    "==",
];

#[derive(Debug, Clone)]
enum Change {
    Cut(usize),
    Remove(usize, usize),
    Insert(usize, usize),
    Byte(usize, u8),
    Copy(usize, usize, usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        any::<usize>().prop_map(Change::Cut),
        (any::<usize>(), 1..20usize).prop_map(|(at, n)| Change::Remove(at, n)),
        (any::<usize>(), 0..PIECES.len()).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        (any::<usize>(), any::<usize>(), 1..60usize).prop_map(|(from, to, n)| Change::Copy(from, to, n)),
    ];
    prop::collection::vec(change, 1..4)
}

fn mutate(seed: &str, changes: &[Change]) -> Vec<u8> {
    let mut line = seed.as_bytes().to_vec();
    for change in changes {
        let length = line.len().max(1);
        match *change {
            Change::Cut(at) => line.truncate(at % length),
            Change::Remove(at, n) => drop(line.drain((at % length).min(line.len())..(at % length + n).min(line.len()))),
            Change::Insert(at, piece) => {
                drop(line.splice((at % length).min(line.len())..(at % length).min(line.len()), PIECES[piece].bytes()))
            }
            Change::Byte(at, byte) => {
                if let Some(old) = line.get_mut(at % length) {
                    *old = byte;
                }
            }
            Change::Copy(from, to, n) => {
                let piece = line[(from % length).min(line.len())..(from % length + n).min(line.len())].to_vec();
                let at = (to % length).min(line.len());
                line.splice(at..at, piece);
            }
        }
    }
    line.retain(|byte| *byte != b'\n');
    line
}

/// Rows, ignored resources and dead letters of a file with these bytes.
fn account(name: &str, bytes: &[u8]) -> (u64, u64) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    let mut source = sillage_connectors::open(&folder.path().display().to_string(), Tz::Europe__Paris).unwrap();
    let mut position = Position::default();
    let (mut total, mut letters) = (0, 0);
    while let Some(epoch) = source.read(&position, Until::Limits { max_documents: 40, max_bytes: 1 << 16 }).unwrap() {
        let rows = epoch.documents.num_rows() + epoch.patients.num_rows() + epoch.encounters.num_rows();
        total += rows as u64 + epoch.ignored + epoch.dead_letters.len() as u64;
        letters += epoch.dead_letters.len() as u64;
        position = epoch.position;
    }
    (total, letters)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn every_line_is_accounted_for(batch in prop::collection::vec((0..SEEDS.len(), changes()), 100)) {
        let lines: Vec<Vec<u8>> = batch.iter().map(|(seed, changes)| mutate(SEEDS[*seed], changes)).collect();
        let expected = lines.iter().filter(|line| !line.trim_ascii().is_empty()).count() as u64;
        let mut bytes = lines.join(&b'\n');
        // A first line that begins as another format would be another test.
        bytes.insert(0, b'\n');
        bytes.push(b'\n');
        let (total, letters) = account("lines.ndjson", &bytes);
        prop_assert_eq!(total, expected);
        prop_assert!(letters > 0, "mutations do damage");
    }

    #[test]
    fn damaged_bundles_end(seeds in prop::collection::vec(0..SEEDS.len(), 1..6), changes in changes()) {
        let entries: Vec<String> = seeds.iter().map(|seed| format!(r#"{{"fullUrl":"urn:uuid:{seed}","resource":{}}}"#, SEEDS[*seed])).collect();
        let bundle = format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#, entries.join(","));
        let bytes = mutate(&bundle, &changes);
        prop_assume!(!bytes.is_empty());
        account("bundle.json", &bytes);
    }

    #[test]
    fn damaged_compression_ends(lines in prop::collection::vec(0..SEEDS.len(), 1..30), changes in changes()) {
        use std::io::Write;
        let text: String = lines.iter().map(|seed| format!("{}\n", SEEDS[*seed])).collect();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        let mut bytes = encoder.finish().unwrap();
        for change in &changes {
            let at = match *change { Change::Cut(at) => { bytes.truncate(at % bytes.len().max(1)); continue } Change::Remove(at, _) | Change::Insert(at, _) | Change::Byte(at, _) | Change::Copy(at, ..) => at };
            if let Some(byte) = (!bytes.is_empty()).then(|| at % bytes.len()).and_then(|at| bytes.get_mut(at)) { *byte ^= 0x55 }
        }
        prop_assume!(!bytes.is_empty());
        account("lines.ndjson.gz", &bytes);
    }
}
