//! Folders and files end to end: order, positions, replays, what grows, what is
//! replaced, what is damaged. All people are invented.

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use base64::Engine;
use chrono_tz::Tz;
use flate2::Compression;
use flate2::write::GzEncoder;
use sillage_connectors::{Epoch, Position, Source, SourceError, Until};

type R = Result<(), Box<dyn std::error::Error>>;

fn open(path: &Path) -> Result<Box<dyn Source>, SourceError> {
    sillage_connectors::open(&sillage_connectors::Opening {
        uri: &path.display().to_string(),
        timezone: Tz::Europe__Paris,
        settings: &sillage_connectors::Settings::default(),
    })
}

const SMALL: Until<'static> = Until::Limits { max_documents: 2, max_bytes: 1 << 20 };
const LARGE: Until<'static> = Until::Limits { max_documents: 100_000, max_bytes: 1 << 28 };

/// Epochs to the end, each with the position it began at.
fn drain(source: &mut dyn Source, from: &Position, until: Until<'_>) -> Result<Vec<(Position, Epoch)>, SourceError> {
    let mut epochs = Vec::new();
    let mut position = from.clone();
    while let Some(epoch) = source.read(&position, until)? {
        let next = epoch.position.clone();
        epochs.push((position, epoch));
        position = next;
    }
    Ok(epochs)
}

fn column(batch: &RecordBatch, name: &str) -> Vec<String> {
    batch.column_by_name(name).unwrap().as_string::<i32>().iter().map(|v| v.unwrap_or("-").to_owned()).collect()
}

fn ids(epochs: &[(Position, Epoch)]) -> Vec<String> {
    epochs.iter().flat_map(|(_, e)| column(&e.documents, "source_document_id")).collect()
}

fn letters(epochs: &[(Position, Epoch)]) -> Vec<String> {
    epochs.iter().flat_map(|(_, e)| &e.dead_letters).map(|l| format!("{} {}", l.reason, l.detail)).collect()
}

fn b64(text: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn document(id: &str) -> String {
    let data = b64(format!("Texte inventé de {id}.").as_bytes());
    format!(
        r#"{{"resourceType":"DocumentReference","id":"{id}","status":"current","subject":{{"reference":"Patient/p"}},"content":[{{"attachment":{{"contentType":"text/plain","data":"{data}"}}}}]}}"#
    )
}

fn referring(id: &str, url: &str) -> String {
    format!(
        r#"{{"resourceType":"DocumentReference","id":"{id}","content":[{{"attachment":{{"contentType":"text/plain","url":"{url}"}}}}]}}"#
    )
}

fn binary(id: &str, text: &str) -> String {
    format!(r#"{{"resourceType":"Binary","id":"{id}","contentType":"text/plain","data":"{}"}}"#, b64(text.as_bytes()))
}

fn lines(items: &[String]) -> String {
    items.iter().map(|item| format!("{item}\n")).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A folder with a bit of everything.
fn hospital() -> Result<tempfile::TempDir, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path();
    fs::create_dir(path.join("sub"))?;
    let patient = r#"{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:ipp","value":"1"}]}"#.to_owned();
    let encounter = r#"{"resourceType":"Encounter","id":"e","subject":{"reference":"Patient/p"}}"#.to_owned();
    fs::write(path.join("Binary.ndjson"), lines(&[binary("b1", "du binaire un"), binary("b2", "du binaire deux")]))?;
    fs::write(
        path.join("DocumentReference.ndjson"),
        lines(&[
            document("d1"),
            "nonsense".into(),
            referring("d2", "Binary/b2"),
            referring("d3", "Binary/b3"),
            referring("d4", "Binary/absent"),
            document("d5"),
        ]),
    )?;
    fs::write(path.join("Patient.ndjson.gz"), gzip(&lines(&[patient])))?;
    fs::write(path.join("zz_Binary.ndjson.gz"), gzip(&lines(&[binary("b3", "du binaire trois, comprimé")])))?;
    fs::write(path.join("sub/Encounter.jsonl"), lines(&[encounter]))?;
    let entries = [document("d6"), document("d7"), referring("d8", "urn:uuid:77")];
    let entries = entries.map(|resource| format!(r#"{{"resource":{resource}}}"#)).join(",\n");
    let late = format!(
        r#"{{"fullUrl":"urn:uuid:77","resource":{{"resourceType":"Binary","contentType":"text/plain","data":"{}"}}}}"#,
        b64(b"du Bundle")
    );
    fs::write(
        path.join("bundle.json"),
        format!("{{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[\n{entries},{late}]}}\n"),
    )?;
    fs::write(path.join("single.json.gz"), gzip(&document("d9")))?;
    fs::write(path.join("readme.txt"), "not FHIR")?;
    Ok(folder)
}

#[test]
fn a_folder_is_read_once() -> R {
    let folder = hospital()?;
    let mut source = open(folder.path())?;
    let hint = source.size_hint(&Position::default());
    let epochs = drain(source.as_mut(), &Position::default(), LARGE)?;
    assert_eq!(epochs.len(), 1);
    let epoch = &epochs[0].1;
    assert_eq!(ids(&epochs), ["d1", "d2", "d3", "d5", "d6", "d7", "d8", "d9"]);
    let texts = column(&epoch.documents, "text");
    assert_eq!((texts[1].as_str(), texts[2].as_str(), texts[6].as_str()), ("du binaire deux", "du binaire trois, comprimé", "du Bundle"));
    assert_eq!(column(&epoch.documents, "place")[..2], ["DocumentReference.ndjson:1", "DocumentReference.ndjson:3"]);
    assert_eq!(
        column(&epoch.documents, "place")[4..],
        ["bundle.json:entry[0]", "bundle.json:entry[1]", "bundle.json:entry[2]", "single.json.gz"]
    );
    assert_eq!((epoch.patients.num_rows(), epoch.encounters.num_rows(), epoch.ignored), (1, 1, 4));
    assert_eq!(
        letters(&epochs),
        [
            "bad_json DocumentReference.ndjson:2 column 2",
            "missing_binary DocumentReference.ndjson:5 DocumentReference.content[0].attachment.url"
        ]
    );
    assert_eq!((epoch.documents_seen, Some(epoch.bytes_read)), (9, hint));
    // Another instance finds nothing new either.
    let stored: Position = serde_json::from_str(&serde_json::to_string(&epoch.position)?)?;
    assert!(open(folder.path())?.read(&stored, LARGE)?.is_none());
    assert_eq!(source.size_hint(&stored), Some(0));
    Ok(())
}

#[test]
fn epochs_are_the_same_whoever_reads_them() -> R {
    let folder = hospital()?;
    let whole = drain(open(folder.path())?.as_mut(), &Position::default(), LARGE)?;
    for until in [SMALL, Until::Limits { max_documents: 100, max_bytes: 300 }] {
        let epochs = drain(open(folder.path())?.as_mut(), &Position::default(), until)?;
        assert!(epochs.len() > 3, "{}", epochs.len());
        assert_eq!(ids(&epochs), ids(&whole));
        assert_eq!(letters(&epochs), letters(&whole));
        let bytes = |epochs: &[(Position, Epoch)]| epochs.iter().map(|(_, e)| e.bytes_read).sum::<u64>();
        assert_eq!(bytes(&epochs), bytes(&whole));
        let mut lived = open(folder.path())?;
        for (from, epoch) in &epochs {
            // A fresh instance, as after a crash, and one that goes on living.
            for source in [open(folder.path())?.as_mut(), lived.as_mut()] {
                let Some(again) = source.read(from, Until::Exactly(&epoch.position))? else { panic!("an epoch replays") };
                assert_same(epoch, &again);
            }
            let Some(resumed) = open(folder.path())?.read(from, until)? else { panic!("an epoch follows") };
            assert_eq!(column(&resumed.documents, "place"), column(&epoch.documents, "place"));
        }
        let last = &epochs[epochs.len() - 1].1.position;
        assert!(lived.read(last, Until::Exactly(last))?.is_none());
    }
    Ok(())
}

fn assert_same(a: &Epoch, b: &Epoch) {
    assert_eq!(a.documents, b.documents);
    assert_eq!(a.patients, b.patients);
    assert_eq!(a.encounters, b.encounters);
    assert_eq!(a.dead_letters, b.dead_letters);
    assert_eq!(a.position, b.position);
    assert_eq!((a.received_at, a.documents_seen, a.ignored), (b.received_at, b.documents_seen, b.ignored));
}

#[test]
fn a_replay_ignores_what_came_later() -> R {
    let folder = hospital()?;
    let epochs = drain(open(folder.path())?.as_mut(), &Position::default(), LARGE)?;
    let mut file = fs::OpenOptions::new().append(true).open(folder.path().join("DocumentReference.ndjson"))?;
    file.write_all(lines(&[document("d10")]).as_bytes())?;
    fs::write(folder.path().join("new.ndjson"), lines(&[binary("absent", "enfin là"), document("d11")]))?;
    let mut source = open(folder.path())?;
    let Some(again) = source.read(&epochs[0].0, Until::Exactly(&epochs[0].1.position))? else { panic!("an epoch replays") };
    assert_same(&epochs[0].1, &again);
    let more = drain(source.as_mut(), &again.position, LARGE)?;
    assert_eq!(ids(&more), ["d10", "d11"]);
    Ok(())
}

#[test]
fn files_grow_arrive_and_are_replaced() -> R {
    let folder = tempfile::tempdir()?;
    let (a, z) = (folder.path().join("a.ndjson"), folder.path().join("z.ndjson.gz"));
    let half = document("a3");
    let (head, tail) = half.split_at(60);
    fs::write(&a, format!("{}{head}", lines(&[document("a1"), document("a2")])))?;
    fs::write(&z, gzip(&lines(&[document("z1")])))?;
    let mut source = open(folder.path())?;
    let first = drain(source.as_mut(), &Position::default(), LARGE)?;
    assert_eq!((ids(&first), letters(&first)), (vec!["a1".into(), "a2".into(), "z1".into()], vec!["truncated a.ndjson:3".into()]));
    let position = &first[0].1.position;
    assert!(source.read(position, LARGE)?.is_none());

    // The cut line is finished, a file arrives before it, a gzip member is added.
    fs::write(&a, format!("{}{half}\n", lines(&[document("a1"), document("a2")])))?;
    assert!(!tail.is_empty());
    fs::write(folder.path().join("Z.ndjson"), lines(&[document("new")]))?;
    let mut grown = fs::read(&z)?;
    grown.extend(gzip(&lines(&[document("z2")])));
    fs::write(&z, grown)?;
    let second = drain(source.as_mut(), position, LARGE)?;
    assert_eq!((ids(&second), letters(&second)), (vec!["new".into(), "a3".into(), "z2".into()], vec![]));
    assert_eq!(column(&second[0].1.documents, "place")[1], "a.ndjson:3");
    let position = &second[0].1.position;

    // Same size, other text; and a shorter one.
    fs::write(&a, lines(&[document("a1"), document("a2"), document("b3")]))?;
    fs::write(&z, gzip(&lines(&[document("y1")])))?;
    filetime(&a)?;
    let third = drain(source.as_mut(), position, LARGE)?;
    assert_eq!(ids(&third), ["a1", "a2", "b3", "y1"]);

    // Nothing but a new date.
    filetime(&a)?;
    assert!(source.read(&third[0].1.position, LARGE)?.is_none());
    // What was replaced cannot be replayed, and the error says so.
    let error = source.read(&first[0].0, Until::Exactly(&first[0].1.position)).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(error.contains("changed since"), "{error}");
    // The failure leaves the source usable.
    assert!(source.read(&third[0].1.position, LARGE)?.is_none());
    Ok(())
}

fn filetime(path: &Path) -> R {
    fs::File::options().append(true).open(path)?.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(5))?;
    Ok(())
}

#[test]
fn damaged_compression_costs_what_follows_only() -> R {
    let folder = tempfile::tempdir()?;
    let many: Vec<String> = (0..200).map(|i| document(&format!("d{i}"))).collect();
    let whole = gzip(&lines(&many));
    fs::write(folder.path().join("cut.ndjson.gz"), &whole[..whole.len() / 2])?;
    let epochs = drain(open(folder.path())?.as_mut(), &Position::default(), SMALL)?;
    let count = ids(&epochs).len();
    assert!(count > 10 && count < 200, "{count}");
    assert_eq!(letters(&epochs), [format!("truncated cut.ndjson.gz:{}", count + 1)]);
    let mut flipped = whole.clone();
    let at = flipped.len() - 5;
    flipped[at] ^= 0xff;
    fs::write(folder.path().join("cut.ndjson.gz"), &flipped)?;
    let epochs = drain(open(folder.path())?.as_mut(), &Position::default(), SMALL)?;
    assert_eq!((ids(&epochs).len(), letters(&epochs)), (200, vec!["corrupt_gzip cut.ndjson.gz:201".to_owned()]));
    Ok(())
}

#[test]
fn binaries_are_found_by_nearness() -> R {
    let folder = tempfile::tempdir()?;
    for day in ["1", "2", "3"] {
        fs::create_dir(folder.path().join(day))?;
        fs::write(folder.path().join(day).join("Binary.ndjson"), lines(&[binary("b", &format!("jour {day}"))]))?;
    }
    fs::write(folder.path().join("2/DocumentReference.ndjson"), lines(&[referring("d", "Binary/b")]))?;
    let epochs = drain(open(folder.path())?.as_mut(), &Position::default(), LARGE)?;
    assert_eq!(column(&epochs[0].1.documents, "text"), ["jour 2"]);
    Ok(())
}

#[test]
fn people_of_a_bundle_are_resolved() -> R {
    let folder = tempfile::tempdir()?;
    let subject = document("d1").replace("Patient/p", "urn:uuid:aa");
    let logical = document("d2").replace(r#""reference":"Patient/p""#, r#""identifier":{"system":"urn:ipp","value":"1"}"#);
    let patient =
        r#"{"fullUrl":"urn:uuid:aa","resource":{"resourceType":"Patient","id":"p7","identifier":[{"system":"urn:ipp","value":"1"}]}}"#;
    fs::write(
        folder.path().join("b.json"),
        format!(r#"{{"entry":[{{"resource":{subject}}},{{"resource":{logical}}},{patient}],"type":"document","resourceType":"Bundle"}}"#),
    )?;
    let epochs = drain(open(folder.path())?.as_mut(), &Position::default(), LARGE)?;
    assert_eq!(column(&epochs[0].1.documents, "source_patient_id"), ["p7", "p7"]);
    assert_eq!(column(&epochs[0].1.patients, "source_patient_id"), ["p7"]);
    Ok(())
}

#[test]
fn blank_ends_do_not_hide_what_comes_next() -> R {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("a.ndjson"), format!("{}\n \n\n", lines(&[document("d1"), document("d2")])))?;
    fs::write(folder.path().join("empty.ndjson"), "")?;
    fs::write(folder.path().join("blank.json"), "\n")?;
    let mut source = open(folder.path())?;
    let first = drain(source.as_mut(), &Position::default(), SMALL)?;
    assert_eq!(ids(&first), ["d1", "d2"]);
    let position = &first[0].1.position;
    fs::write(folder.path().join("empty.ndjson"), lines(&[document("d3")]))?;
    let second = drain(source.as_mut(), position, SMALL)?;
    assert_eq!(ids(&second), ["d3"]);
    let Some(again) = open(folder.path())?.read(&second[0].0, Until::Exactly(&second[0].1.position))? else { panic!("an epoch replays") };
    assert_same(&second[0].1, &again);
    Ok(())
}

#[test]
fn a_single_file_and_a_file_uri() -> R {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("un fichier.ndjson");
    fs::write(&path, lines(&[document("d1")]))?;
    let uri = format!("file://{}", path.display().to_string().replace(' ', "%20"));
    let mut source = sillage_connectors::open(&sillage_connectors::Opening {
        uri: &uri,
        timezone: Tz::Europe__Paris,
        settings: &sillage_connectors::Settings::default(),
    })?;
    let epochs = drain(source.as_mut(), &Position::default(), LARGE)?;
    assert_eq!(column(&epochs[0].1.documents, "place"), ["un fichier.ndjson:1"]);
    assert_eq!(source.name(), open(&path)?.name());
    Ok(())
}

#[test]
fn no_payload_in_debug() -> R {
    let folder = hospital()?;
    for (_, epoch) in drain(open(folder.path())?.as_mut(), &Position::default(), LARGE)? {
        let shown = format!("{epoch:?} {:?}", epoch.dead_letters);
        assert!(!shown.contains("inventé") && !shown.contains("nonsense"), "{shown}");
        assert!(epoch.dead_letters.iter().any(|l| l.payload.as_deref() == Some("nonsense")));
    }
    Ok(())
}
