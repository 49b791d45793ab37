//! The published samples of the French profile, and files of messages: what
//! becomes of each. Missing samples are said out loud.

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono_tz::Tz;
use sillage_connectors::formats::attachment::base64;
use sillage_connectors::formats::hl7v2::{Outcome, acknowledgement, inspect};
use sillage_connectors::{Epoch, Position, Until};

const ALL: Until<'static> = Until::Limits { max_documents: 100_000, max_bytes: 1 << 28 };

fn open(path: &Path) -> Box<dyn sillage_connectors::Source> {
    let settings = sillage_connectors::Settings::default();
    let opening = sillage_connectors::Opening { uri: &path.display().to_string(), timezone: Tz::Europe__Paris, settings: &settings };
    sillage_connectors::open(&opening).unwrap()
}

fn samples() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/feeds/hl7v2");
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} is missing, the samples of the profile were not read", folder.display());
        return None;
    }
    Some(folder)
}

fn read(path: &Path) -> Epoch {
    open(path).read(&Position::default(), ALL).unwrap().unwrap()
}

fn rows(batch: &RecordBatch, columns: &[&str]) -> Vec<String> {
    let options = FormatOptions::default().with_null("-");
    let shown = |name: &&str| {
        let column = batch.column_by_name(name).unwrap();
        // A zone by name cannot be shown, and it is UTC.
        let time = column.as_primitive_opt::<TimestampMicrosecondType>();
        time.map_or(column.clone(), |time| Arc::new(time.clone().with_timezone_opt(None::<&str>)))
    };
    let arrays: Vec<ArrayRef> = columns.iter().map(shown).collect();
    let columns: Vec<_> = arrays.iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    (0..batch.num_rows()).map(|row| columns.iter().map(|c| c.value(row).to_string()).collect::<Vec<_>>().join(" ; ")).collect()
}

/// What the samples hold in place of a document: prose called XML.
const LEVEL_1: &str = "RG9jdW1lbnQgbWVkY2lhbCBhdSBmb3JtYXQgQ0RBIG5pdmVhdSAx";

#[test]
fn samples_of_the_profile() {
    let Some(folder) = samples() else { return };
    let prose = String::from_utf8(base64(LEVEL_1).unwrap()).unwrap();
    let first = "1.2.250.1.71.4.2.2.120456789.A71024000081";
    let second = "1.2.250.1.71.4.2.2.120456789.A71024000082";
    let parents = format!("[1.2.250.1.71.4.2.2.120456789A71024000081, {first}]");
    let imaging = "18748-4 ; CR d'imagerie médicale ; CR d'imagerie médicale ; 2022-12-16T09:32:00";
    let laboratory = "11502-2 ; CR d'examens biologiques ; CR d'examens biologiques ; 2021-06-06T09:31:00";
    let columns = ["source_document_id", "precedence", "status", "replaces", "text", "type_code", "type_display", "title", "document_time"];
    let ed = |n: &str, rest: &str| format!("labo|1001-E1#11502-2{n} ; {rest} ; {laboratory}");
    for (name, expected) in [
        ("mdm-t02-initial", vec![format!("{first} ; 0 ; current ; [] ; {prose} ; {imaging}")]),
        ("mdm-t10-replace", vec![format!("{second} ; 1 ; current ; {parents} ; {prose} ; {imaging}")]),
        ("mdm-t04-delete", vec![format!("{second} ; 2 ; entered-in-error ; {parents} ; - ; {imaging}")]),
        (
            "mdm-v1.2",
            vec![format!(
                "2638 ; 0 ; current ; [] ; Document médical au format CDA ; {}",
                imaging.replace("18748-4", "11502-2").replace("d'imagerie médicale", "d'examens biologiques")
            )],
        ),
        ("oru-r01-initial", ["", "#2"].map(|n| ed(n, &format!("0 ; current ; [] ; {prose}"))).to_vec()),
        ("oru-r01-replace", ["", "#2"].map(|n| ed(n, &format!("1 ; current ; [] ; {prose}"))).to_vec()),
        ("oru-r01-delete", ["", "#2"].map(|n| ed(n, "2 ; entered-in-error ; [] ; -")).to_vec()),
        ("oru-v1.2", vec![ed("", "0 ; current ; [] ; Document médical au format CDA")]),
        ("mdm-t10-replace.ack", vec![]),
    ] {
        let epoch = read(&folder.join(format!("{name}.hl7")));
        assert_eq!(rows(&epoch.documents, &columns), expected, "{name}");
        assert!(epoch.dead_letters.is_empty(), "{name}: {:?}", epoch.dead_letters);
        assert_eq!(epoch.charset_guessed, 0, "{name}");
    }
}

#[test]
fn people_of_the_samples() {
    let Some(folder) = samples() else { return };
    let epoch = read(&folder.join("oru-r01-initial.hl7"));
    let columns = ["source_patient_id", "source_encounter_id", "authors"];
    let ins = "urn:oid:1.2.250.1.213.1.4.8|277076322082910";
    let expected = format!("{ins} ; 120456789|000897406 ; [Eva BLUE, Thierry DIAZ]");
    assert_eq!(rows(&epoch.documents, &columns), [expected.replace("[", "[JULIE LABBIO, "), expected.replace("[", "[JULIE LABBIO, ")]);
    assert_eq!(
        rows(&epoch.encounters, &["source_encounter_id", "source_patient_id", "class", "identifiers"]),
        [format!("120456789|000897406 ; {ins} ; IMP ; [120456789|000897406, 120456789|405660]")]
    );
    let record = rows(&epoch.patients, &["record"]).remove(0);
    for part in [
        r#""families":["NESSI"]"#,
        r#""givens":["RUTH"]"#,
        r#""birth_date":"1977-07-14""#,
        r#""female":true"#,
        r#""lines":["Av de Breteuil"]"#,
        r#"["SECU","277076322082910"]"#,
        r#"["NDA","405660"]"#,
        "Adam Hoda",
    ] {
        assert!(record.contains(part), "{part} in {record}");
    }
}

/// Of level 1 with a PDF inside: its pages are handed on, and nothing of the rest is lost.
#[test]
fn a_clinical_document_around_a_pdf() {
    let Some(folder) = samples() else { return };
    let epoch = read(&folder.join("mdm-t02-initial-cda.hl7"));
    assert_eq!(epoch.dead_letters.len(), 0);
    let attachments = epoch.documents.column_by_name("attachments").unwrap().as_list::<i32>().value(0);
    assert!(attachments.as_binary::<i32>().value(0).starts_with(b"%PDF-"));
    assert_eq!((epoch.patients.num_rows(), epoch.encounters.num_rows(), epoch.documents_seen), (1, 1, 1));
}

#[test]
fn samples_in_any_order_are_the_same_documents() {
    let Some(folder) = samples() else { return };
    let epoch = read(&folder);
    let versions = rows(&epoch.documents, &["source_document_id", "document_version", "precedence"]);
    assert_eq!(versions.len(), 12);
    // Sent within one second: the precedence decides.
    let of = |id: &str| versions.iter().filter(|row| row.starts_with(id)).map(|row| row.split(" ; ").nth(1).unwrap()).collect::<Vec<_>>();
    assert_eq!(of("labo|1001-E1#11502-2 ").len(), 4);
    assert!(of("labo|1001-E1#11502-2 ").windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn every_sample_is_acknowledged() {
    let Some(folder) = samples() else { return };
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let outcome = inspect(&bytes).map_or_else(Outcome::Refused, |_| Outcome::Accepted);
        let answer = String::from_utf8(acknowledgement(&bytes, outcome, &chrono::DateTime::UNIX_EPOCH, "016")).unwrap();
        if path.to_string_lossy().ends_with(".ack.hl7") {
            assert!(answer.contains("\rMSA|AR|016\rERR||MSH^1^9|200^"), "{answer}");
            continue;
        }
        assert!(answer.ends_with("\rMSA|AA|015\r"), "{answer}");
        if path.ends_with("mdm-t10-replace.hl7") {
            let published = fs::read_to_string(path.with_extension("ack.hl7")).unwrap();
            assert_eq!(answer.replace("19700101000000+0000", "202106060932"), published.replace('\n', "\r"));
            seen += 1;
        }
    }
    assert_eq!(seen, 1);
}

fn message(id: &str, text: &str) -> String {
    format!("MSH|^~\\&|A|B|C|D|20240305||MDM^T02|{id}|P|2.5\rPID|1||7||FICTIVE^Léa\rTXA|1|DS||||||||||{id}\rOBX|1|TX|a||{text}||||||F\r")
}

fn drain(source: &mut dyn sillage_connectors::Source, from: &Position, max_documents: usize) -> Vec<(Position, Epoch)> {
    let mut epochs = Vec::new();
    let mut position = from.clone();
    while let Some(epoch) = source.read(&position, Until::Limits { max_documents, max_bytes: 1 << 20 }).unwrap() {
        let next = epoch.position.clone();
        epochs.push((position, epoch));
        position = next;
    }
    epochs
}

fn texts(epochs: &[(Position, Epoch)]) -> Vec<String> {
    epochs.iter().flat_map(|(_, epoch)| rows(&epoch.documents, &["place", "text"])).collect()
}

#[test]
fn batch_files_are_read_in_epochs_that_can_be_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let three =
        format!("FHS|^~\\&|x\rBHS|^~\\&|x\r{}{}junk\r{}BTS|3\rFTS|1\r", message("a", "un"), message("b", "deux"), message("c", "trois"));
    fs::write(folder.path().join("a.hl7"), three.replace('\r', "\r\n")).unwrap();
    fs::write(folder.path().join("b.hl7"), message("d", "quatre")).unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gz, [message("e", "cinq"), message("f", "six")].concat().as_bytes()).unwrap();
    fs::write(folder.path().join("c.hl7.gz"), gz.finish().unwrap()).unwrap();
    let whole = [
        "a.hl7:message[0] ; un",
        "a.hl7:message[1] ; deux",
        "a.hl7:message[2] ; trois",
        "b.hl7:message[0] ; quatre",
        "c.hl7.gz:message[0] ; cinq",
        "c.hl7.gz:message[1] ; six",
    ];
    for size in [1, 2, 4, 100] {
        let mut source = open(folder.path());
        let epochs = drain(&mut *source, &Position::default(), size);
        assert_eq!(texts(&epochs), whole, "{size}");
        assert!(epochs.iter().all(|(_, epoch)| epoch.dead_letters.is_empty()));
        let stored: u64 = fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).sum();
        assert_eq!(epochs.iter().map(|(_, epoch)| epoch.bytes_read).sum::<u64>(), stored, "{size}");
        // Each again, by a source that has seen nothing.
        for (from, epoch) in &epochs {
            let again = open(folder.path()).read(from, Until::Exactly(&epoch.position)).unwrap().unwrap();
            assert_eq!(again.documents, epoch.documents);
            assert_eq!(again.received_at, epoch.received_at);
        }
        // And on from each.
        for (at, (from, _)) in epochs.iter().enumerate() {
            assert_eq!(texts(&drain(&mut *open(folder.path()), from, size)), texts(&epochs[at..]));
        }
    }
}

#[test]
fn a_file_that_grows_gives_its_last_message_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.hl7");
    let second = message("b", "deux lignes");
    let cut = second.find(" lignes").unwrap();
    fs::write(&path, [&message("a", "un"), &second[..cut]].concat()).unwrap();
    let mut source = open(folder.path());
    let before = drain(&mut *source, &Position::default(), 100);
    assert_eq!(texts(&before), ["a.hl7:message[0] ; un", "a.hl7:message[1] ; deux"]);
    let position = before.last().unwrap().1.position.clone();
    fs::write(&path, [message("a", "un"), second, message("c", "trois")].concat()).unwrap();
    let after = drain(&mut *source, &position, 100);
    assert_eq!(texts(&after), ["a.hl7:message[1] ; deux lignes", "a.hl7:message[2] ; trois"]);
    for (from, epoch) in &after {
        let again = open(folder.path()).read(from, Until::Exactly(&epoch.position)).unwrap().unwrap();
        assert_eq!(again.documents, epoch.documents);
    }
    assert!(drain(&mut *source, &after.last().unwrap().1.position, 100).is_empty());
}

#[test]
fn many_small_files_fill_an_epoch() {
    let folder = tempfile::tempdir().unwrap();
    for at in 0..50 {
        let adt = format!("MSH|^~\\&|A|B|C|D|20240305||ADT^A08|{at}|P|2.5\rPID|1||{at}||FICTIVE^{}\r", "x".repeat(1000));
        fs::write(folder.path().join(format!("{at}.hl7")), adt).unwrap();
    }
    let epoch = open(folder.path()).read(&Position::default(), Until::Limits { max_documents: 100, max_bytes: 10_000 }).unwrap().unwrap();
    assert!((5..15).contains(&epoch.patients.num_rows()), "{}", epoch.patients.num_rows());
}
