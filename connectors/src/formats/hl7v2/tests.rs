//! Messages of invented people, through to their rows.

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use sillage_schemas::record::PatientRecord;

use super::*;
use crate::formats::VERSION_EPOCH;
use crate::source::{Epoch, Position};

fn epoch(messages: &[&[u8]]) -> Epoch {
    let mut rows = Rows::new("hl7", DateTime::UNIX_EPOCH);
    for (index, message) in messages.iter().enumerate() {
        take(message, &format!("m{index}"), &mut rows, Tz::Europe__Paris);
    }
    rows.finish(Position::default()).unwrap()
}

/// Columns of every row, `-` for null.
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

fn documents(epoch: &Epoch) -> Vec<String> {
    rows(&epoch.documents, &["source_document_id", "precedence", "status", "replaces", "text"])
}

fn patients(epoch: &Epoch) -> Vec<String> {
    rows(&epoch.patients, &["source_patient_id", "identifiers", "merged_into"])
}

fn encounters(epoch: &Epoch) -> Vec<String> {
    rows(&epoch.encounters, &["source_encounter_id", "source_patient_id", "moved", "class", "start", "end"])
}

fn letters(epoch: &Epoch) -> Vec<String> {
    epoch.dead_letters.iter().map(|l| format!("{} {}", l.reason, l.detail)).collect()
}

const PID: &str = "PID|1||77^^^HOP^PI||FICTIVE^Léa^^^^^L||19550601|F\rPV1|1|I||||||D2^ESSAI^Marc|||||||||||V1^^^HOP^VN\r";

fn msh(event: &str, time: &str) -> String {
    format!("MSH|^~\\&|APP|ORG|SILLAGE|ICI|{time}||{event}|C1|P|2.5\r")
}

fn mdm(trigger: &str, time: &str, txa: &str, obx: &str) -> String {
    format!("{}EVN||{time}\r{PID}TXA|1|{txa}\r{obx}", msh(&format!("MDM^{trigger}^MDM_T02"), time))
}

/// TXA from TXA-2 on, with that id, parent and availability.
fn txa(id: &str, parent: &str, availability: &str) -> String {
    format!(
        "18842-5^Lettre de sortie^LN|TX|202403051000||202403051200|||D1^AUTRICE^Ana|D3^VALIDE^Guy||{id}^ORG|{parent}|||lettre.txt|AU||{availability}"
    )
}

fn tx(lines: &[&str], status: &str) -> String {
    lines.iter().enumerate().map(|(at, line)| format!("OBX|{}|TX|18842-5^Lettre de sortie^LN||{line}||||||{status}\r", at + 1)).collect()
}

#[test]
fn an_mdm_becomes_a_document_a_patient_and_a_visit() {
    let message = mdm("T02", "20240305120000", &txa("D9", "", "AV"), &tx(&["AVC le 3 mars.", "NIHSS \\F\\ 4"], "F"));
    let epoch = epoch(&[message.as_bytes()]);
    assert_eq!(documents(&epoch), ["D9 ; 0 ; current ; [] ; AVC le 3 mars.\nNIHSS | 4"]);
    let columns =
        ["source_patient_id", "source_encounter_id", "type_code", "type_display", "title", "document_time", "content_type", "authors"];
    assert_eq!(
        rows(&epoch.documents, &columns),
        [
            "HOP|77 ; HOP|V1 ; 18842-5 ; Lettre de sortie ; Lettre de sortie ; 2024-03-05T10:00:00 ; text/plain ; [Ana AUTRICE, Guy VALIDE, Marc ESSAI]"
        ]
    );
    let seconds = DateTime::parse_from_rfc3339("2024-03-05T11:00:00Z").unwrap().timestamp() - VERSION_EPOCH;
    assert_eq!(rows(&epoch.documents, &["document_version", "last_updated", "place"]), [format!("{seconds} ; 2024-03-05T11:00:00 ; m0")]);
    assert_eq!(patients(&epoch), ["HOP|77 ; [HOP|77] ; -"]);
    assert_eq!(encounters(&epoch), ["HOP|V1 ; HOP|77 ; false ; IMP ; - ; -"]);
    let record: PatientRecord = serde_json::from_str(epoch.patients.column_by_name("record").unwrap().as_string::<i32>().value(0)).unwrap();
    assert_eq!((record.families, record.givens), (vec!["FICTIVE".to_owned()], vec!["Léa".to_owned()]));
    assert_eq!((letters(&epoch), epoch.documents_seen, epoch.ignored), (vec![], 1, 0));
}

#[test]
fn corrections_of_documents() {
    let text = tx(&["vu"], "F");
    let check = |trigger: &str, txa: &str, obx: &str, expected: &[&str]| {
        let message = mdm(trigger, "20240305120000", txa, obx);
        let epoch = epoch(&[message.as_bytes()]);
        assert_eq!((documents(&epoch), letters(&epoch)), (expected.iter().map(|s| (*s).to_owned()).collect(), vec![]), "{trigger} {txa}");
    };
    check("T10", &txa("D9", "D8", "AV"), &text, &["D9 ; 1 ; current ; [D8] ; vu"]);
    check("T10", &txa("D9", "D9", "AV"), &text, &["D9 ; 1 ; current ; [] ; vu"]);
    check("T02", &txa("D9", "D8", ""), &tx(&["vu"], "C"), &["D9 ; 1 ; current ; [D8] ; vu"]);
    check("T08", &txa("D9", "", "AV"), &text, &["D9 ; 1 ; current ; [] ; vu"]);
    // An addendum stands beside its parent.
    check("T06", &txa("D9", "D8", "AV"), &text, &["D9 ; 0 ; current ; [] ; vu"]);
    check("T06", &txa("D9", "D8", "AV"), &tx(&["vu"], "C"), &["D9 ; 1 ; current ; [] ; vu"]);
    check("T04", &txa("D9", "", "AV"), &text, &["D9 ; 0 ; current ; [] ; vu"]);
    check("T04", &txa("D9", "D8", ""), &tx(&["vu"], "D"), &["D9 ; 2 ; entered-in-error ; [D8] ; -"]);
    check("T02", &txa("D9", "", ""), &tx(&["vu"], "W"), &["D9 ; 2 ; entered-in-error ; [] ; -"]);
    check("T04", &txa("D9", "", "CA"), &text, &["D9 ; 2 ; entered-in-error ; [] ; -"]);
    check("T03", &txa("D9", "", "CA"), "", &["D9 ; 2 ; entered-in-error ; [] ; -"]);
    check("T03", &txa("D9", "", "OB"), "", &["D9 ; 1 ; superseded ; [] ; -"]);
    check("T11", &txa("D9", "D8", ""), "", &["D9 ; 2 ; entered-in-error ; [] ; -"]);
    check("T09", &txa("D9", "D8", ""), "", &["D8 ; 1 ; superseded ; [] ; -"]);
    check("T09", &txa("D9", "", ""), "", &[]);
    for trigger in ["T01", "T03", "T05", "T07"] {
        check(trigger, &txa("D9", "D8", "AV"), "", &[]);
    }
}

#[test]
fn a_withdrawal_is_younger_than_the_edit_it_withdraws() {
    let edited = "DS|TX|2024||||20240306~20240307080000||||D9";
    let version = |trigger: &str, txa: &str| {
        let message = mdm(trigger, "20240305120000", txa, &tx(&["vu"], "F"));
        epoch(&[message.as_bytes()])
            .documents
            .column_by_name("document_version")
            .unwrap()
            .as_primitive::<arrow::datatypes::Int32Type>()
            .value(0)
    };
    assert!(version("T02", edited) > version("T02", "DS|TX|2024||||20240306||||D9"));
    assert!(version("T11", edited) >= version("T02", edited));
    assert!(version("T11", "DS|TX|2024||||20240301||||D9") > version("T02", "DS|TX|2024||||20240301||||D9"));
    let timeless = format!("{}{PID}TXA|1|DS||||||||||D9\r{}", msh("MDM^T11", ""), "");
    assert_eq!(rows(&epoch(&[timeless.as_bytes()]).documents, &["document_version", "last_updated"]), ["- ; -"]);
    let timeless = format!("{}{PID}TXA|1|DS||||||||||D9\r{}", msh("MDM^T02", ""), tx(&["vu"], "F"));
    assert_eq!(rows(&epoch(&[timeless.as_bytes()]).documents, &["document_version"]), ["1"]);
}

fn oru(segments: &str) -> String {
    format!("{}{PID}{segments}", msh("ORU^R01", "20240305120000"))
}

#[test]
fn reports_of_results() {
    let report = oru(
        "ORC|RE|P1^APP|F1^RIS\rOBR|1|P1^APP|F1^RIS|24558-9^Scanner^LN|||202403050900|||||||||D4^DEMANDE^Zoé||||||202403051130|||C|||||||L07&LECTRICE&Ida\r\
                      OBX|1|TX|IND^Indication||Déficit.||||||F\rOBX|2|TX|RES^Résultat||Normal.||||||F\rOBX|3|TX|RES^Résultat||retiré||||||D\r",
    );
    let epoch1 = epoch(&[report.as_bytes()]);
    assert_eq!(documents(&epoch1), ["RIS|F1 ; 1 ; current ; [] ; Déficit.\nNormal."]);
    let columns = ["type_code", "title", "document_time", "authors", "last_updated"];
    assert_eq!(
        rows(&epoch1.documents, &columns),
        ["24558-9 ; Scanner ; 2024-03-05T09:00:00 ; [Ida LECTRICE, Zoé DEMANDE, Marc ESSAI] ; 2024-03-05T11:00:00"]
    );
    // Numbers, with words beside them: no document.
    let values = oru("OBR|1||F2|NFS\rOBX|1|NM|HB||13||||||F\rOBX|2|ST|GR||négatif||||||F\r");
    let epoch2 = epoch(&[values.as_bytes()]);
    assert_eq!((documents(&epoch2).len(), epoch2.ignored, epoch2.encounters.num_rows()), (0, 1, 1));
    // Words alone are one.
    let words = oru("OBR|1||F3|ECG\rOBX|1|ST|ECG||sinusal||||||F\r");
    assert_eq!(documents(&epoch(&[words.as_bytes()])), ["F3 ; 0 ; current ; [] ; sinusal"]);
    // All of it taken back.
    let back = oru("OBR|1||F3|ECG\rOBX|1|TX|ECG||sinusal||||||D\r");
    assert_eq!(documents(&epoch(&[back.as_bytes()])), ["F3 ; 2 ; entered-in-error ; [] ; -"]);
}

#[test]
fn several_documents_of_one_message() {
    let ed = |n: u32, code: &str, part: &str, data: &str| {
        format!("OBX|{n}|ED|{code}||^text^plain^Base64^{data}||||||F\r").replace("||^text", &format!("|{part}|^text"))
    };
    let message = oru(&[
        "OBR|1||F1^LAB|11502-2\r",
        &ed(1, "11502-2^CR^LN", "", "dW4="),
        &ed(2, "11502-2^CR^LN", "", "ZGV1eA=="),
        &ed(3, "11502-2^CR^LN", "2", "dHJvaXM="),
        "OBX|4|ED|PDF||^application^pdf^Base64^JVBERi0=||||||F\r",
        "OBR|2||F2^LAB|X\r",
        &ed(1, "11502-2^CR^LN", "", "cXVhdHJl"),
        "OBR|3||F2^LAB|Y^Autre\rOBX|1|TX|Y||cinq||||||F\rOBR|4||F2^LAB|Z^Encore\rOBX|1|TX|Z||six||||||F\r",
    ]
    .concat());
    let epoch = epoch(&[message.as_bytes()]);
    let ids: Vec<String> = rows(&epoch.documents, &["source_document_id", "text"]);
    let expected = [
        "LAB|F1#11502-2 ; un",
        "LAB|F1#11502-2#2 ; deux",
        "LAB|F1#11502-2/2 ; trois",
        "LAB|F1#PDF ; -",
        "LAB|F2#11502-2 ; quatre",
        "LAB|F2 ; cinq",
        "LAB|F2#Z ; six",
    ];
    assert_eq!(ids, expected);
    assert_eq!((letters(&epoch), epoch.documents_seen), (vec![], 7));
    // The first cannot be read: the second keeps its id, and the message is told of.
    let epoch = self::epoch(&[message.replace("dW4=", "!").as_bytes()]);
    assert_eq!(rows(&epoch.documents, &["source_document_id", "text"])[0], "LAB|F1#11502-2#2 ; deux");
    assert_eq!((letters(&epoch), epoch.documents_seen), (vec!["bad_base64 m0 OBX[1]-5".to_owned()], 7));
}

#[test]
fn of_several_forms_of_a_document_the_best_is_taken() {
    let pdf = "OBX|1|ED|PDF||^application^pdf^Base64^JVBERi0=||||||F\r";
    let plain = "OBX|2|ED|TXT||^text^plain^Base64^dnU=||||||F\rOBX|3|ED|TXT||^text^plain^Base64^cmV2dQ==||||||F\r";
    let page = "OBX|4|ED|HTML||^text^html^Base64^PHA+cGFnZTwvcD4=||||||F\r";
    let text = |obx: &str| {
        let message = mdm("T02", "2024", &txa("D9", "", ""), obx);
        let epoch = epoch(&[message.as_bytes()]);
        (rows(&epoch.documents, &["content_type", "text"]), letters(&epoch))
    };
    assert_eq!(text(&[pdf, page, plain].concat()), (vec!["text/plain ; vu\nrevu".to_owned()], vec![]));
    assert_eq!(text(&[pdf, page].concat()), (vec!["text/html ; page".to_owned()], vec![]));
    // A word beside pages is about them, a report in lines says what they say.
    assert_eq!(text(&[pdf, &tx(&["ligne"], "F")].concat()), (vec!["application/pdf ; -".to_owned()], vec![]));
    let report = "ligne ".repeat(60).trim_end().to_owned();
    assert_eq!(text(&[pdf, &tx(&[&report], "F")].concat()), (vec![format!("text/plain ; {report}")], vec![]));
    assert_eq!(text(pdf), (vec!["application/pdf ; -".to_owned()], vec![]));
}

#[test]
fn what_cannot_be_read_is_a_dead_letter_with_the_message() {
    let pointer = mdm("T02", "2024", &txa("D9", "", ""), "OBX|1|RP|x||\\\\serveur\\partage^APP^pdf^PDF||||||F\r");
    let nothing = mdm("T02", "2024", &txa("D9", "", ""), "");
    let no_id = mdm("T02", "2024", &txa("", "", ""), &tx(&["vu"], "F"));
    let no_order = oru("OBX|1|TX|x||vu||||||F\r");
    let broken = oru("OBR|1||F1|x\rOBX|1|ED|x||^text^plain^Base64^A||||||F\r");
    let other = msh("SIU^S12", "2024");
    let no_patient = format!("{}PID|1||\r", msh("ADT^A01", "2024"));
    let messages = [&pointer, &nothing, &no_id, &no_order, &broken, &other, &no_patient];
    let epoch = epoch(&[&messages.map(|m| m.as_bytes())[..], &[b"\xff\xfe", b""]].concat());
    assert_eq!(
        letters(&epoch),
        [
            "pointer m0 OBX[1]-5",
            "missing_attachment m1",
            "missing_id m2 TXA[1]-12",
            "missing_id m3 OBR[1]-3",
            "bad_base64 m4 OBX[1]-5",
            "unsupported_message m5 MSH[1]-9",
            "missing_id m6 PID[1]-3",
            "not_hl7 m7",
            "not_hl7 m8",
        ]
    );
    assert_eq!(epoch.dead_letters[0].payload.as_deref(), Some(pointer.as_str()));
    assert_eq!((documents(&epoch).len(), epoch.documents_seen), (0, 5));
}

#[test]
fn a_line_that_begins_like_a_header_stays_in_its_text() {
    let message =
        mdm("T02", "2024", &txa("D1", "", ""), "OBX|1|TX|x||Bilan :\rMSH, ACTH normales\u{b}MSH: 12 ng/L\u{1c}\rBTS - fin||||||F\r");
    let epoch = epoch(&[message.as_bytes()]);
    assert_eq!(letters(&epoch), Vec::<String>::new());
    let text = rows(&epoch.documents, &["text"]).concat();
    for word in ["Bilan", "ACTH normales", "12 ng/L", "BTS - fin"] {
        assert!(text.contains(word), "{word} in {text:?}");
    }
}

#[test]
fn admissions_discharges_and_what_takes_them_back() {
    let adt = |trigger: &str, end: &str| {
        let pv1 = format!("PV1|1|I|||||||||||||||||V1^^^HOP^VN{}20240301|{end}", "|".repeat(25));
        let message = format!(
            "{}EVN|{trigger}|20240305\rPID|1||77^^^HOP^PI||FICTIVE^Léa|||||||||||||A1^^^HOP^AN\r{pv1}\r",
            msh(&format!("ADT^{trigger}"), "20240305")
        );
        encounters(&epoch(&[message.as_bytes()]))
    };
    assert_eq!(adt("A01", ""), ["HOP|V1 ; HOP|77 ; false ; IMP ; 2024-03-01T00:00:00 ; -"]);
    assert_eq!(adt("A03", "202403051400+0000"), ["HOP|V1 ; HOP|77 ; false ; IMP ; 2024-03-01T00:00:00 ; 2024-03-05T15:00:00"]);
    assert_eq!(adt("A13", "20240305"), ["HOP|V1 ; HOP|77 ; false ; IMP ; 2024-03-01T00:00:00 ; -"]);
    assert_eq!(adt("A11", ""), ["HOP|V1 ; HOP|77 ; false ; IMP ; - ; -"]);
    let person = format!("{}PID|1||77^^^HOP^PI||FICTIVE^Léa|||||||||||||A1^^^HOP^AN\r", msh("ADT^A31", "2024"));
    assert_eq!(encounters(&epoch(&[person.as_bytes()])), ["HOP|A1 ; HOP|77 ; false ; - ; - ; -"]);
    let bed = format!("{}NPU|1\r", msh("ADT^A20", "2024"));
    assert_eq!(epoch(&[bed.as_bytes()]).ignored, 1);
}

#[test]
fn patients_merged_linked_and_apart() {
    let adt = |trigger: &str, segments: &str| {
        let message = format!("{}EVN||20240305\r{segments}", msh(&format!("ADT^{trigger}"), "20240305"));
        let epoch = epoch(&[message.as_bytes()]);
        assert_eq!(letters(&epoch), Vec::<String>::new());
        patients(&epoch)
    };
    let pid = "PID|1||77^^^HOP^PI~9^^^NAT^INS||FICTIVE^Léa\r";
    for trigger in ["A18", "A30", "A34", "A36", "A39", "A40", "A47"] {
        let rows = adt(trigger, &format!("{pid}PD1||\rMRG|55^^^HOP^PI~9^^^NAT^INS~3^^^HOP^AN\r"));
        assert_eq!(rows, ["HOP|77 ; [HOP|77, NAT|9] ; -", "HOP|55 ; - ; HOP|77"], "{trigger}");
    }
    // Two merges in one message; accounts of one patient.
    let two = format!("{pid}MRG|55^^^HOP^PI\rPID|2||88^^^HOP^PI||AUTRE^Zoé\rMRG|66^^^HOP^PI\r");
    assert_eq!(adt("A40", &two).iter().filter(|row| !row.ends_with('-')).count(), 2);
    assert_eq!(adt("A41", &format!("{pid}MRG|77^^^HOP^PI||A1\r")), ["HOP|77 ; [HOP|77, NAT|9] ; -"]);
    let both = format!("{pid}PID|2||88^^^HOP^PI||AUTRE^Zoé\r");
    assert_eq!(adt("A24", &both), ["HOP|77 ; [HOP|77, NAT|9] ; HOP|88", "HOP|88 ; [HOP|88] ; -"]);
    assert_eq!(adt("A37", &both), ["HOP|77 ; [HOP|77, NAT|9] ; ", "HOP|88 ; [HOP|88] ; "]);
}

#[test]
fn visits_that_move() {
    let visit = "PV1|1|I|||||||||||||||||V1^^^HOP^VN\r";
    let adt = |trigger: &str, segments: &str| {
        let message = format!("{}{segments}", msh(&format!("ADT^{trigger}"), "20240305"));
        let epoch = epoch(&[message.as_bytes()]);
        assert!(patients(&epoch).iter().all(|row| row.ends_with('-')));
        encounters(&epoch)
    };
    let pid = "PID|1||88^^^HOP^PI||AUTRE^Zoé\r";
    assert_eq!(adt("A45", &format!("{pid}MRG|77^^^HOP^PI\r{visit}")), ["HOP|V1 ; HOP|88 ; true ; IMP ; - ; -"]);
    assert_eq!(adt("A45", &format!("{pid}MRG|77^^^HOP^PI||||V9^^^HOP\r")), ["HOP|V9 ; HOP|88 ; true ; - ; - ; -"]);
    let account = "PID|1||88^^^HOP^PI||AUTRE^Zoé|||||||||||||A1^^^HOP^AN\r";
    assert_eq!(adt("A44", &format!("{account}MRG|77^^^HOP^PI||A1^^^HOP^AN\r")), ["HOP|A1 ; HOP|88 ; true ; - ; - ; -"]);
    assert_eq!(adt("A44", &format!("{pid}MRG|77^^^HOP^PI||A2^^^HOP^AN\r")), ["HOP|A2 ; HOP|88 ; true ; - ; - ; -"]);
    // A visit leaves its account; the account stays.
    let both = format!("{account}MRG|77^^^HOP^PI||A1^^^HOP^AN||V1^^^HOP~|V7^^^HOP\r{visit}");
    assert_eq!(adt("A45", &both), ["HOP|V1 ; HOP|88 ; true ; IMP ; - ; -", "HOP|V7 ; HOP|88 ; true ; - ; - ; -"]);
    assert_eq!(adt("A45", &format!("{pid}MRG|77^^^HOP^PI||A2^^^HOP^AN\r")), ["HOP|A2 ; HOP|88 ; true ; - ; - ; -"]);
}

#[test]
fn character_sets_and_times_of_the_message() {
    let text = "MSH|^~\\&|A|B|C|D|20240305120000+0000||MDM^T02|1|P|2.3||||||8859/15\rPID|1||7||L\u{e9}A^X\rTXA|1|CN||||||||||D1\rOBX|1|TX|a||c\u{bd}ur \\XA4\\||||||F\r";
    let bytes: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let epoch1 = epoch(&[&bytes]);
    assert_eq!(
        rows(&epoch1.documents, &["text", "document_time", "type_display", "type_code"]),
        ["cœur € ; 2024-03-05T13:00:00 ; Consultation ; 11488-4"]
    );
    assert_eq!(epoch1.charset_guessed, 0);
    let undeclared = epoch(&[&text.replace("8859/15", "").chars().map(|c| c as u8).collect::<Vec<_>>()]);
    assert_eq!((rows(&undeclared.documents, &["text"]), undeclared.charset_guessed), (vec!["c½ur ¤".to_owned()], 1));
}

#[test]
fn several_messages_in_one_payload_and_answers_among_them() {
    let one = mdm("T02", "2024", &txa("D1", "", ""), &tx(&["un"], "F"));
    let two = mdm("T02", "2024", &txa("D2", "", ""), &tx(&["deux"], "F"));
    let payload = format!("FHS|^~\\&|x\rBHS|^~\\&|x\r{one}{}MSA|AA|1\r{two}BTS|2\rFTS|1\r", msh("ACK^T02^ACK", "2024"));
    let epoch = epoch(&[payload.as_bytes()]);
    assert_eq!(rows(&epoch.documents, &["place", "text"]), ["m0:message[0] ; un", "m0:message[2] ; deux"]);
    assert_eq!((letters(&epoch), epoch.ignored), (vec![], 1));
}
