//! New versions, late versions, withdrawals.

use std::path::Path;

use super::command::{succeeds, text, value};

fn reference(version: u32, status: &str, body: &str) -> String {
    serde_json::json!({
        "resourceType": "DocumentReference", "id": "d1", "status": status,
        "meta": {"versionId": version.to_string()},
        "subject": {"reference": "Patient/p1"}, "date": "2024-05-02T10:00:00+02:00",
        "content": [{"attachment": {"contentType": "text/plain", "data": base64(body)}}]
    })
    .to_string()
}

pub(crate) fn base64(body: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in body.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0u32, |acc, b| acc << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            out.push(if i <= chunk.len() { DIGITS[(bits >> (18 - 6 * i)) as usize & 63] as char } else { '=' });
        }
    }
    out
}

fn run(folder: &Path, name: &str, line: &str) -> std::path::PathBuf {
    file(folder, &format!("{name}.ndjson"), &format!("{line}\n"))
}

/// A run over what was there before and this file.
fn file(folder: &Path, name: &str, content: &str) -> std::path::PathBuf {
    let (source, out) = (folder.join("source"), folder.join("tables"));
    std::fs::create_dir_all(&source).unwrap();
    std::fs::write(source.join(name), content).unwrap();
    succeeds(&["run", "--source", text(&source), "--out", text(&out), "--once", "--quiet"]);
    out
}

/// An HL7 v2 message of that event, at that time of 2 May 2024.
fn hl7(event: &str, time: &str, segments: &[&str]) -> String {
    let kind = if event.starts_with('T') { "MDM" } else { "ADT" };
    let head = format!("MSH|^~\\&|A|B|C|D|20240502{time}||{kind}^{event}|{event}{time}|P|2.5\rEVN|{event}|20240502{time}\r");
    head + &segments.join("\r") + "\r"
}

#[test]
fn the_newest_version_wins_whatever_the_order() {
    let folder = tempfile::tempdir().unwrap();
    let codes = "select string_agg(icd10_code, ',' order by source_start) from entities";
    let out = run(folder.path(), "a", &reference(2, "current", "AVC. HTA."));
    assert_eq!(value(&out, codes), "\"I64,I10\"");
    run(folder.path(), "b", &reference(1, "current", "Diabète."));
    assert_eq!(value(&out, codes), "\"I64,I10\"", "a late older version changes nothing");
    run(folder.path(), "c", &reference(3, "current", "Migraine."));
    assert_eq!(value(&out, codes), "G43.9", "the rows of the older version are gone");
    assert_eq!(value(&out, "select document_version from documents"), "3");
    run(folder.path(), "d", &reference(4, "current", "Rien à signaler."));
    assert_eq!(value(&out, "select count(*) from entities"), "0", "zero findings now: the old rows go");
}

#[test]
fn entered_in_error_withdraws_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "a", &reference(1, "current", "AVC."));
    assert_eq!(value(&out, "select count(*) from entities"), "1");
    run(folder.path(), "b", &reference(2, "entered-in-error", "AVC."));
    assert_eq!(value(&out, "select count(*) from entities"), "0");
    assert_eq!(value(&out, "select status from documents"), "entered-in-error");
    assert_eq!(value(&out, "select count(*) from source_documents where text is not null"), "0");
}

/// A document of a patient, as one line of NDJSON.
pub(crate) fn document(id: &str, version: u32, patient: &str, body: &str, more: &serde_json::Value) -> String {
    let mut reference = serde_json::json!({
        "resourceType": "DocumentReference", "id": id, "status": "current",
        "meta": {"versionId": version.to_string()},
        "type": {"coding": [{"system": "http://loinc.org", "code": "11490-0"}]},
        "subject": {"reference": format!("Patient/{patient}")}, "date": "2024-05-02T10:00:00+02:00",
        "content": [{"attachment": {"contentType": "text/plain", "data": base64(body)}}]
    });
    if let (Some(reference), Some(more)) = (reference.as_object_mut(), more.as_object()) {
        reference.extend(more.clone());
    }
    reference.to_string()
}

pub(crate) fn patient(id: &str, updated: &str, family: &str, more: &serde_json::Value) -> String {
    let mut patient = serde_json::json!({
        "resourceType": "Patient", "id": id, "meta": {"lastUpdated": updated},
        "name": [{"family": family, "given": ["Maëlle"]}], "gender": "female", "birthDate": "1950-02-03"
    });
    if let (Some(patient), Some(more)) = (patient.as_object_mut(), more.as_object()) {
        patient.extend(more.clone());
    }
    patient.to_string()
}

fn none() -> serde_json::Value {
    serde_json::json!({})
}

#[test]
fn a_replaced_document_is_superseded_whichever_comes_first() {
    let replaces = serde_json::json!({"relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/d1"}}]});
    let old = document("d1", 1, "p1", "AVC. HTA.", &none());
    let new = document("d2", 1, "p1", "Migraine.", &replaces);
    for (first, second) in [(&old, &new), (&new, &old)] {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), "a", first);
        let out = run(folder.path(), "b", second);
        assert_eq!(value(&out, "select string_agg(icd10_code, ',') from entities"), "G43.9");
        let states = "select string_agg(status, ',' order by status) from documents";
        assert_eq!(value(&out, states), "\"current,superseded\"");
        assert_eq!(value(&out, "select count(*) from documents where status = 'superseded' and text is not null"), "0");
        let kept = "select text || type_code from source_documents where source_document_id = 'd1'";
        assert_eq!(value(&out, kept), "AVC. HTA.11490-0", "the restricted zone keeps what it had");
        // A further version of the replaced document changes nothing for research.
        run(folder.path(), "c", &document("d1", 2, "p1", "AVC. HTA. Diabète.", &none()));
        assert_eq!(value(&out, states), "\"current,superseded\"");
    }
}

#[test]
fn a_deletion_without_a_version_withdraws_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "a", &document("d1", 7, "p1", "AVC.", &none()));
    let delete = serde_json::json!({
        "resourceType": "Bundle", "type": "transaction",
        "entry": [{"request": {"method": "DELETE", "url": "DocumentReference/d1"}}]
    });
    run(folder.path(), "b", &delete.to_string());
    assert_eq!(value(&out, "select status || document_version from documents"), "entered-in-error7");
    assert_eq!(value(&out, "select count(*) from entities"), "0");
    assert_eq!(value(&out, "select count(*) from cohort"), "0", "an episode without documents is gone");
    run(folder.path(), "c", &document("d1", 7, "p1", "AVC.", &none()));
    assert_eq!(value(&out, "select count(*) from entities"), "0", "the withdrawn version does not come back");
    run(folder.path(), "d", &document("d1", 8, "p1", "AVC.", &none()));
    assert_eq!(value(&out, "select count(*) from entities"), "1");
}

#[test]
fn a_merged_patient_s_documents_follow_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "a", &patient("a", "2024-05-01T08:00:00Z", "Kerinven", &none()));
    run(folder.path(), "b", &patient("b", "2024-05-01T08:00:00Z", "Tallouarn", &none()));
    run(folder.path(), "c", &document("d1", 1, "a", "NIHSS à 7 à l'entrée. AVC sylvien.", &none()));
    run(folder.path(), "d", &document("d2", 1, "b", "Mme Tallouarn : AVC. HTA.", &none()));
    let patients = "select count(distinct patient_id) from documents";
    let shifts = "select count(distinct document_time) from documents";
    assert_eq!((value(&out, patients).as_str(), value(&out, shifts).as_str()), ("2", "2"));
    let merged = serde_json::json!({"active": false, "link": [{"other": {"reference": "Patient/a"}, "type": "replaced-by"}]});
    run(folder.path(), "e", &patient("b", "2024-05-03T08:00:00Z", "Tallouarn", &merged));
    assert_eq!((value(&out, patients).as_str(), value(&out, shifts).as_str()), ("1", "1"), "one patient, one date shift");
    assert_eq!(value(&out, "select count(distinct patient_id) from entities"), "1");
    assert_eq!(value(&out, "select count(*) || ':' || max(documents) from cohort"), "1:2");
    assert_eq!(value(&out, "select count(*) from documents where text like '%Tallouarn%'"), "0");
    // A document of the merged patient that comes later belongs to the other one too.
    run(folder.path(), "f", &document("d3", 1, "b", "AIT.", &none()));
    assert_eq!(value(&out, patients), "1");
    // An older statement that comes late changes nothing, a newer one takes the merge back.
    run(folder.path(), "g", &patient("b", "2024-05-02T08:00:00Z", "Tallouarn", &none()));
    assert_eq!(value(&out, patients), "1");
    run(folder.path(), "h", &patient("b", "2024-05-04T08:00:00Z", "Tallouarn", &serde_json::json!({"active": true})));
    assert_eq!((value(&out, patients).as_str(), value(&out, shifts).as_str()), ("2", "2"));
    assert_eq!(value(&out, "select sum(documents) from cohort"), "3");
}

/// How many patients the documents have.
const PATIENTS: &str = "select count(distinct patient_id) from documents";

#[test]
fn a_merge_undone_before_it_comes_stays_undone() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (KERINVEN, TALLOUARN);
    file(folder.path(), "a.hl7", &of_visit(a, "doc1", "PV1|1|N"));
    let out = file(folder.path(), "b.hl7", &of_visit(b, "doc2", "PV1|1|N"));
    // Each a run of its own: what one knows the next must have read from the tables.
    file(folder.path(), "c.hl7", &hl7("A37", "120000", &[b, a]));
    file(folder.path(), "d.hl7", &hl7("A40", "100000", &[a, "MRG|B200^^^HOP^PI"]));
    assert_eq!(value(&out, PATIENTS), "2", "the merge is older than what undid it");
    file(folder.path(), "e.hl7", &hl7("A40", "130000", &[a, "MRG|B200^^^HOP^PI"]));
    assert_eq!(value(&out, PATIENTS), "1", "a new merge counts");
}

#[test]
fn a_patient_said_to_stand_alone_is_not_merged_by_an_older_version() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "a", &document("d1", 1, "a", "AVC.", &none()));
    run(folder.path(), "b", &document("d2", 1, "b", "AVC.", &none()));
    run(folder.path(), "c", &patient("b", "2024-05-01T08:00:00Z", "Tallouarn", &none()));
    // Nothing new in it but its time.
    run(folder.path(), "d", &patient("b", "2024-05-05T08:00:00Z", "Tallouarn", &none()));
    let merged = serde_json::json!({"link": [{"other": {"reference": "Patient/a"}, "type": "replaced-by"}]});
    run(folder.path(), "e", &patient("b", "2024-05-03T08:00:00Z", "Tallouarn", &merged));
    assert_eq!(value(&out, PATIENTS), "2");
    run(folder.path(), "f", &patient("b", "2024-05-06T08:00:00Z", "Tallouarn", &merged));
    assert_eq!(value(&out, PATIENTS), "1");
}

const KERINVEN: &str = "PID|1||A100^^^HOP^PI||KERINVEN^Maëlle||19500203|F";
const TALLOUARN: &str = "PID|1||B200^^^HOP^PI||TALLOUARN^Maëlle||19500203|F";
const SALAUN: &str = "PID|1||C300^^^HOP^PI||SALAUN^Maëlle||19500203|F";
/// Of whom the documents are.
const OWNERS: &str = "select distinct i.source_patient_id from documents d join identities i on i.patient_id = d.patient_id order by 1";

/// A document of a visit.
fn of_visit(patient: &str, id: &str, visit: &str) -> String {
    let txa = format!("TXA|1|CR|TX|20240502080000||||||||{id}");
    hl7("T02", "080000", &[patient, visit, &txa, "OBX|1|TX|CR||AVC sylvien.||||||F"])
}

fn visit(number: &str) -> String {
    format!("PV1|1|I|||||||||||||||||{number}^^^HOP^VN")
}

#[test]
fn the_last_move_of_a_visit_counts_whenever_it_comes() {
    let v1 = visit("V1000");
    let moved = |time: &str, to: &str| hl7("A45", time, &[to, "MRG|A100^^^HOP^PI||||V1000^^^HOP^VN", &v1]);
    let discharged = hl7("A03", "140000", &[KERINVEN, &format!("{v1}{}202405010800|202405021400", "|".repeat(25))]);
    let (early, late) = (moved("100000", TALLOUARN), moved("120000", SALAUN));
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "a.hl7", &of_visit(KERINVEN, "doc1", &v1));
    file(folder.path(), "b.hl7", &late);
    let out = file(folder.path(), "c.hl7", &early);
    assert_eq!(value(&out, OWNERS), "HOP|C300", "an older move that comes late changes nothing");
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "a.hl7", &of_visit(KERINVEN, "doc1", &v1));
    file(folder.path(), "b.hl7", &discharged);
    let out = file(folder.path(), "c.hl7", &late);
    assert_eq!(value(&out, OWNERS), "HOP|C300", "news of the visit do not hide the move before them");
    assert_eq!(value(&out, "select count(*) from encounters where \"end\" is not null"), "1");
}

#[test]
fn an_account_takes_its_visits_along() {
    let account = |patient: &str| format!("{patient}||||||||||ACC7^^^HOP^AN");
    let moved = hl7("A44", "120000", &[&account(TALLOUARN), "MRG|A100^^^HOP^PI||ACC7^^^HOP^AN"]);
    let first = of_visit(&account(KERINVEN), "doc1", &visit("V1000"));
    let second = of_visit(&account(KERINVEN), "doc2", &visit("V2000"));
    let other = of_visit(KERINVEN, "doc3", &visit("V3000"));
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "a.hl7", &(first + &other));
    let out = file(folder.path(), "b.hl7", &moved);
    let owners = "select s.source_document_id || ' ' || i.source_patient_id from source_documents s join identities i on i.patient_id = s.patient_id order by 1";
    assert_eq!(value(&out, owners), "doc1 HOP|B200\ndoc3 HOP|A100");
    // One that comes after its account has gone.
    file(folder.path(), "c.hl7", &second);
    assert_eq!(value(&out, owners), "doc1 HOP|B200\ndoc2 HOP|B200\ndoc3 HOP|A100");
}

#[test]
fn an_encounter_stated_to_be_another_s_takes_its_documents_along() {
    let encounter = |patient: &str, updated: &str| {
        serde_json::json!({
            "resourceType": "Encounter", "id": "e1", "meta": {"lastUpdated": updated}, "status": "finished",
            "subject": {"reference": format!("Patient/{patient}")}
        })
        .to_string()
    };
    let visit = serde_json::json!({"context": {"encounter": [{"reference": "Encounter/e1"}]}});
    let (of_a, of_b) = (encounter("a", "2024-05-01T08:00:00Z"), encounter("b", "2024-05-03T08:00:00Z"));
    for (first, second) in [(&of_a, &of_b), (&of_b, &of_a)] {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), "a", &document("d1", 1, "a", "AVC.", &visit));
        run(folder.path(), "b", first);
        let out = run(folder.path(), "c", second);
        assert_eq!(value(&out, OWNERS), "b", "the newest version says whose it is");
        // A document that names the patient before the move follows too.
        run(folder.path(), "d", &document("d2", 1, "a", "HTA.", &visit));
        assert_eq!(value(&out, OWNERS), "b");
    }
}

#[test]
fn a_deletion_without_a_version_is_of_what_came_before() {
    let delete = r#"{"request":{"method":"DELETE","url":"DocumentReference/d1"}}"#;
    let write = |version: u32| format!(r#"{{"resource":{}}}"#, document("d1", version, "p1", "AVC.", &none()));
    let bundle = |entries: &[&str]| format!(r#"{{"resourceType":"Bundle","type":"history","entry":[{}]}}"#, entries.join(","));
    let status = "select status || ' ' || document_version from documents";
    let (first, second) = (write(3), write(4));
    for (entries, expected) in [
        (vec![first.as_str(), delete], "entered-in-error 3"),
        (vec![first.as_str(), second.as_str(), delete], "entered-in-error 4"),
        (vec![first.as_str(), delete, first.as_str()], "entered-in-error 3"),
        (vec![first.as_str(), delete, second.as_str()], "current 4"),
        // Of nothing: what comes counts.
        (vec![delete, first.as_str()], "current 3"),
    ] {
        let together = tempfile::tempdir().unwrap();
        let out = run(together.path(), "a", &bundle(&entries));
        assert_eq!(value(&out, status), expected, "at once: {} entries", entries.len());
        let apart = tempfile::tempdir().unwrap();
        for (index, entry) in entries.iter().enumerate() {
            run(apart.path(), &format!("file{index}"), &bundle(&[entry]));
        }
        assert_eq!(value(&apart.path().join("tables"), status), expected, "one after the other: {} entries", entries.len());
    }
}

#[test]
fn a_name_that_comes_late_is_hidden_in_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let body = "Compte rendu. Le traitement de kermavel est poursuivi. AVC.";
    let out = run(folder.path(), "a", &document("d1", 1, "p1", body, &none()));
    let shown = "select count(*) from documents where lower(text) like '%kermavel%'";
    assert_eq!(value(&out, shown), "1", "nothing says that this is a name");
    run(folder.path(), "b", &patient("p1", "2024-05-01T08:00:00Z", "Kermavel", &none()));
    assert_eq!(value(&out, shown), "0", "the record says so");
    assert_eq!(value(&out, "select count(*) from entities"), "1");
    assert_eq!(value(&out, "select count(*) from phi_spans where text = 'kermavel'"), "1");
}

#[test]
fn an_encounter_that_comes_late_gives_its_stay() {
    let folder = tempfile::tempdir().unwrap();
    let visit = serde_json::json!({"context": {"encounter": [{"reference": "Encounter/e1"}]}});
    let out = run(folder.path(), "a", &document("d1", 1, "p1", "AVC.", &visit));
    assert_eq!(value(&out, "select count(stay_start) from documents"), "0");
    let encounter = serde_json::json!({
        "resourceType": "Encounter", "id": "e1", "status": "finished", "subject": {"reference": "Patient/p1"},
        "period": {"start": "2024-05-01T08:00:00+02:00", "end": "2024-05-09T12:00:00+02:00"}
    });
    run(folder.path(), "b", &encounter.to_string());
    assert_eq!(value(&out, "select date_part('day', stay_end - stay_start) from documents"), "8");
}
