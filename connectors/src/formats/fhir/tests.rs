//! Resources as servers send them, one at a time. All people are invented.

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::source::{Epoch, Position};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use base64::Engine;
use std::collections::HashMap;

/// References answered from a table.
#[derive(Default)]
struct Known(HashMap<String, String>);

impl References for Known {
    fn find(&mut self, key: Key<'_>) -> io::Result<Option<Vec<u8>>> {
        let name = match key {
            Key::Id { resource_type, id } => format!("{resource_type}/{id}"),
            Key::FullUrl(url) => url.to_owned(),
            Key::Identifier { resource_type, token } => format!("{resource_type}?{token}"),
        };
        Ok(self.0.get(&name).map(|json| json.clone().into_bytes()))
    }
}

pub(super) fn take_with(json: &str, shape: Shape, known: &[(&str, &str)]) -> Epoch {
    let mut rows = Rows::new("test", DateTime::UNIX_EPOCH);
    let mut references = Known(known.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
    let taken = Intake::new(&mut rows, Tz::Europe__Paris).take(json.as_bytes(), shape, "f:1", &mut references);
    assert!(taken.is_ok());
    rows.finish(Position::default()).unwrap()
}

pub(super) fn take(json: &str) -> Epoch {
    take_with(json, Shape::Resource, &[])
}

pub(super) fn get(batch: &RecordBatch, column: &str) -> Option<String> {
    assert_eq!(batch.num_rows(), 1, "one row");
    let column = batch.column_by_name(column).unwrap();
    let column = column.as_string::<i32>();
    column.is_valid(0).then(|| column.value(0).to_owned())
}

pub(super) fn list(batch: &RecordBatch, column: &str) -> Vec<String> {
    let items = batch.column_by_name(column).unwrap().as_list::<i32>().value(0);
    items.as_string::<i32>().iter().flatten().map(str::to_owned).collect()
}

pub(super) fn time(batch: &RecordBatch, column: &str) -> Option<String> {
    let column = batch.column_by_name(column).unwrap().as_primitive::<TimestampMicrosecondType>();
    column.is_valid(0).then(|| DateTime::from_timestamp_micros(column.value(0)).unwrap().format("%F %T").to_string())
}

pub(super) fn number(batch: &RecordBatch, column: &str) -> Option<i32> {
    assert_eq!(batch.num_rows(), 1, "one row");
    let column = batch.column_by_name(column).unwrap().as_primitive::<Int32Type>();
    column.is_valid(0).then(|| column.value(0))
}

/// The reason and detail of the only dead letter.
pub(super) fn letter(epoch: &Epoch) -> (&'static str, String) {
    assert_eq!((epoch.dead_letters.len(), epoch.documents.num_rows()), (1, 0));
    (epoch.dead_letters[0].reason, epoch.dead_letters[0].detail.clone())
}

pub(super) fn b64(text: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A document with these members besides an id and a text.
pub(super) fn document(members: &str) -> String {
    let data = b64("Déficit brutal.\r\nNIHSS 12".as_bytes());
    format!(
        r#"{{"resourceType":"DocumentReference","id":"d1",{members}"content":[{{"attachment":{{"contentType":"text/plain","data":"{data}"}}}}]}}"#
    )
}

/// A document with that content.
fn with_content(content: &str) -> String {
    format!(r#"{{"resourceType":"DocumentReference","id":"d1","status":"current","content":{content}}}"#)
}

#[test]
fn a_document_with_everything() {
    let epoch = take(&document(
        r#""meta":{"versionId":"7","lastUpdated":"2024-03-05T13:05:00.000+01:00","profile":["x"]},"extension":[{"url":"u","valueString":"v"}],
        "language":"fr-FR","status":"current","_status":{"extension":[]},"vendor":{"a":[[1]]},
        "masterIdentifier":{"system":"urn:x","value":"m"},
        "type":{"coding":[{"system":"urn:local","code":"CR","display":"local"},{"system":"http://loinc.org","code":"11490-0","display":"CR hospitalisation"}],"text":"compte rendu"},
        "subject":{"reference":"Patient/p1","display":"Mme Inventée"},"date":"2024-07-05T10:00:00Z",
        "author":[{"display":"Dr Imaginaire"},{"reference":"Practitioner/3"},{"display":"Dr Imaginaire"}],
        "description":"Compte rendu d'hospitalisation","context":{"encounter":[{"reference":"https://s/fhir/Encounter/e1/_history/2"}],"period":{"start":"2024-01-01"}},"#,
    ));
    let d = &epoch.documents;
    assert_eq!(epoch.dead_letters, []);
    for (column, value) in [
        ("source", "test"),
        ("place", "f:1"),
        ("source_document_id", "d1"),
        ("status", "current"),
        ("source_patient_id", "p1"),
        ("source_encounter_id", "e1"),
        ("type_code", "11490-0"),
        ("type_display", "CR hospitalisation"),
        ("title", "Compte rendu d'hospitalisation"),
        ("language", "fr-FR"),
        ("content_type", "text/plain"),
        ("text", "Déficit brutal.\r\nNIHSS 12"),
    ] {
        assert_eq!(get(d, column).as_deref(), Some(value), "{column}");
    }
    assert_eq!(list(d, "authors"), ["Dr Imaginaire"]);
    assert_eq!(d.column_by_name("document_version").unwrap().as_primitive::<Int32Type>().value(0), 7);
    assert_eq!(time(d, "document_time").as_deref(), Some("2024-07-05 12:00:00"));
    assert_eq!(time(d, "last_updated").as_deref(), Some("2024-03-05 12:05:00"));
}

#[test]
fn a_document_with_nothing() {
    let epoch = take(&document(""));
    let d = &epoch.documents;
    assert_eq!(get(d, "status").as_deref(), Some("current"));
    for column in ["source_patient_id", "source_encounter_id", "type_code", "type_display", "title", "language"] {
        assert_eq!(get(d, column), None, "{column}");
    }
    assert_eq!(time(d, "document_time"), None);
    assert_eq!(list(d, "authors"), [""; 0]);
}

#[test]
fn times_fall_back() {
    let of = |members: &str| time(&take(&document(members)).documents, "document_time");
    assert_eq!(of(r#""date":"2024-03","#).as_deref(), Some("2024-03-01 00:00:00"));
    assert_eq!(of(r#""date":"n/a","context":{"period":{"start":"2024-02-03T04:05:00"}},"#).as_deref(), Some("2024-02-03 04:05:00"));
    assert_eq!(of(r#""period":{"start":"2024-02-03"},"#).as_deref(), Some("2024-02-03 00:00:00"));
    let data = b64(b"x");
    let json = with_content(&format!(r#"[{{"attachment":{{"contentType":"text/plain","creation":"2024-05-06","data":"{data}"}}}}]"#));
    assert_eq!(time(&take(&json).documents, "document_time").as_deref(), Some("2024-05-06 00:00:00"));
}

#[test]
fn versions() {
    let of = |members: &str| {
        let epoch = take(&document(members));
        epoch.documents.column_by_name("document_version").unwrap().as_primitive::<Int32Type>().value(0)
    };
    assert_eq!(of(r#""meta":{"versionId":12},"#), 12);
    assert_eq!(of(r#""meta":{"versionId":"W/\"3\""},"#), 3);
    assert_eq!(of(""), 1);
    let older = of(r#""meta":{"versionId":"MTcwOQ","lastUpdated":"2024-03-05T13:05:00Z"},"#);
    let newer = of(r#""meta":{"versionId":"ABCD","lastUpdated":"2024-03-05T13:05:01Z"},"#);
    assert_eq!((older, newer), (762_959_100, 762_959_101));
    assert_eq!(of(r#""meta":{"versionId":"99999999999"},"#), i32::MAX);
}

#[test]
fn status_and_withdrawal() {
    let of = |members: &str| get(&take(&document(members)).documents, "status");
    assert_eq!(of(r#""status":"superseded","#).as_deref(), Some("superseded"));
    assert_eq!(of(r#""status":"current","docStatus":"entered-in-error","#).as_deref(), Some("entered-in-error"));
    assert_eq!(of(r#""status":"current","docStatus":"preliminary","#).as_deref(), Some("current"));
    for json in [
        r#"{"resourceType":"DocumentReference","id":"d1","status":"entered-in-error"}"#,
        r#"{"resourceType":"DocumentReference","id":"d1","status":"entered-in-error","content":[{"attachment":{"data":"!"}}]}"#,
        r#"{"resourceType":"DocumentReference","id":"d1","status":"superseded","content":[]}"#,
    ] {
        let epoch = take(json);
        assert_eq!(get(&epoch.documents, "text"), None, "{json}");
    }
}

#[test]
fn the_best_attachment_is_taken() {
    let (plain, html, pdf) = (b64("texte".as_bytes()), b64(b"<p>page</p>"), b64(b"%PDF-1.4"));
    let attachment = |media: &str, data: &str| format!(r#"{{"attachment":{{"contentType":"{media}","data":"{data}"}}}}"#);
    let text = |parts: &[String]| get(&take(&with_content(&format!("[{}]", parts.join(",")))).documents, "text");
    let (p, h, x) = (attachment("text/plain", &plain), attachment("text/html", &html), attachment("application/pdf", &pdf));
    assert_eq!(text(&[x.clone(), h.clone(), p.clone()]).as_deref(), Some("texte"));
    assert_eq!(text(&[x.clone(), h.clone()]).as_deref(), Some("page"));
    assert_eq!(text(&[attachment("text/plain", "%%"), h.clone()]).as_deref(), Some("page"));
    assert_eq!(text(&[attachment("text/plain", &pdf), h]).as_deref(), Some("page"));
    assert_eq!(text(&[format!(r#"{{"attachment":{{"data":"{plain}"}}}}"#)]).as_deref(), Some("texte"));
    // Pages alone are read later: the document waits for their text.
    let paged = take(&with_content(&format!("[{x}]")));
    assert_eq!((get(&paged.documents, "content_type").as_deref(), paged.dead_letters.len()), (Some("application/pdf"), 0));
}

#[test]
fn attachments_that_fail_say_where() {
    for (content, reason, path) in [
        ("[]", "missing_attachment", "content"),
        ("[{}]", "missing_attachment", "content"),
        (r#"[{"attachment":{"contentType":"text/plain"}}]"#, "missing_attachment", "content"),
        (r#"[{"attachment":{"contentType":"text/plain","data":"*"}}]"#, "bad_base64", "content[0].attachment.data"),
        (r#"[{},{"attachment":{"contentType":"text/plain","url":"Binary/absent"}}]"#, "missing_binary", "content[1].attachment.url"),
        (r#"[{"attachment":{"contentType":"text/plain","url":"data:;base64,*"}}]"#, "bad_base64", "content[0].attachment.url"),
    ] {
        assert_eq!(letter(&take(&with_content(content))), (reason, format!("f:1 DocumentReference.{path}")), "{content}");
    }
    assert_eq!(letter(&take(&with_content(r#""x""#))).0, "bad_resource");
    assert_eq!(letter(&take(r#"{"resourceType":"DocumentReference","content":[]}"#)).0, "missing_id");
}

#[test]
fn binaries_are_fetched() {
    let binary =
        format!(r#"{{"resourceType":"Binary","id":"b1","contentType":"text/html; charset=iso-8859-1","data":"{}"}}"#, b64(b"<p>\xe9t\xe9"));
    let text = |url: &str, known: &str| {
        let json = with_content(&format!(r#"[{{"attachment":{{"contentType":"text/plain","url":"{url}"}}}}]"#));
        get(&take_with(&json, Shape::Resource, &[(known, &binary)]).documents, "text")
    };
    for (url, known) in [
        ("Binary/b1", "Binary/b1"),
        ("http://s/fhir/Binary/b1/_history/1", "Binary/b1"),
        ("urn:uuid:7", "urn:uuid:7"),
        ("https://dms/doc/1", "https://dms/doc/1"),
    ] {
        assert_eq!(text(url, known).as_deref(), Some("été"), "{url}");
    }
    let contained = format!(
        r##"{{"resourceType":"DocumentReference","id":"d","contained":[{{"resourceType":"Binary","id":"b","contentType":"text/plain","data":"{}"}}],"content":[{{"attachment":{{"url":"#b"}}}}]}}"##,
        b64(b"dedans")
    );
    assert_eq!(get(&take(&contained).documents, "text").as_deref(), Some("dedans"));
    let inline = with_content(r#"[{"attachment":{"url":"data:text/plain;charset=iso-8859-1,%e9t%e9"}}]"#);
    assert_eq!(get(&take(&inline).documents, "text").as_deref(), Some("été"));
}

#[test]
fn a_wrong_character_set_is_counted() {
    let json = with_content(&format!(r#"[{{"attachment":{{"contentType":"text/plain; charset=UTF-8","data":"{}"}}}}]"#, b64(b"\xe9t\xe9")));
    let epoch = take(&json);
    assert_eq!((get(&epoch.documents, "text").as_deref(), epoch.charset_guessed), (Some("été"), 1));
}

#[test]
fn subjects_in_every_way() {
    let patient = r#"{"resourceType":"Patient","id":"p9"}"#;
    let known = [("urn:uuid:aa", patient), ("Patient?urn:ipp|42", patient)];
    let of = |members: &str| get(&take_with(&document(members), Shape::Resource, &known).documents, "source_patient_id");
    for (subject, id) in [
        (r#"{"reference":"Patient/p1"}"#, Some("p1")),
        (r#"{"reference":"https://s/fhir/Patient/p1"}"#, Some("p1")),
        (r#"{"reference":"p1"}"#, Some("p1")),
        (r#"{"reference":"urn:uuid:aa"}"#, Some("p9")),
        (r#"{"reference":"urn:uuid:bb"}"#, Some("bb")),
        (r#"{"identifier":{"system":"urn:ipp","value":"42"}}"#, Some("p9")),
        (r#"{"identifier":{"system":"urn:ipp","value":"43"}}"#, Some("urn:ipp|43")),
        (r#"{"reference":"Patient?identifier=urn:ipp%7C42"}"#, Some("p9")),
        (r#"{"reference":"Group/g"}"#, None),
        (r#"{"display":"Mme Inventée"}"#, None),
    ] {
        assert_eq!(of(&format!(r#""subject":{subject},"#)).as_deref(), id, "{subject}");
    }
    let contained = r##""contained":[{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:ipp","value":"7"}]},{"resourceType":"Practitioner","id":"a","name":[{"family":"Fictif","given":["Ève"]}]}],"subject":{"reference":"#p"},"author":[{"reference":"#a"}],"##;
    let epoch = take(&document(contained));
    assert_eq!(get(&epoch.documents, "source_patient_id").as_deref(), Some("urn:ipp|7"));
    assert_eq!(list(&epoch.documents, "authors"), ["Ève Fictif"]);
}

#[test]
fn patients_and_encounters() {
    let json = r#"{"resourceType":"Patient","id":"p1","meta":{"lastUpdated":"2024-01-01T00:00:00Z"},"identifier":[{"system":"urn:ipp","value":"1"},{"value":"2"},{"system":"s"}],"name":[{"family":"Inventée"}]}"#;
    let epoch = take(json);
    assert_eq!(get(&epoch.patients, "source_patient_id").as_deref(), Some("p1"));
    assert_eq!(get(&epoch.patients, "record").as_deref(), Some(r#"{"families":["Inventée"],"identifiers":[["IPP","1"],["IPP","2"]]}"#));
    assert_eq!(list(&epoch.patients, "identifiers"), ["urn:ipp|1", "|2"]);
    for class in [r#"{"system":"s","code":"IMP"}"#, r#"[{"coding":[{"code":"IMP"}]}]"#] {
        let epoch = take(&format!(
            r#"{{"resourceType":"Encounter","id":"e1","class":{class},"subject":{{"reference":"Patient/p1"}},"period":{{"start":"2024-07-01T08:00:00Z","end":"2024-07-03"}}}}"#
        ));
        let e = &epoch.encounters;
        assert_eq!((get(e, "class").as_deref(), get(e, "source_patient_id").as_deref()), (Some("IMP"), Some("p1")));
        assert_eq!((time(e, "start").as_deref(), time(e, "end").as_deref()), (Some("2024-07-01 10:00:00"), Some("2024-07-03 00:00:00")));
    }
}

#[test]
fn entries_and_bundles() {
    let entry =
        format!(r#"{{"fullUrl":"urn:uuid:0c","resource":{},"request":{{"method":"POST"}}}}"#, document("").replace(r#""id":"d1","#, ""));
    let epoch = take_with(&entry, Shape::Entry, &[]);
    assert_eq!(get(&epoch.documents, "source_document_id").as_deref(), Some("0c"));
    let bundle = format!(
        r#"{{"resourceType":"Bundle","entry":[{{"resource":{}}},{{"resource":{{"resourceType":"Bundle","entry":[{entry}]}}}},{{}}]}}"#,
        document("")
    );
    let epoch = take(&bundle);
    let places: Vec<_> = epoch.documents.column_by_name("place").unwrap().as_string::<i32>().iter().flatten().map(str::to_owned).collect();
    assert_eq!(places, ["f:1:entry[0]", "f:1:entry[1]:entry[0]"]);
    assert_eq!(epoch.ignored, 1);
}

#[test]
fn everything_else_is_accounted_for() {
    for (json, ignored, reason) in [
        (r#"{"resourceType":"Observation","id":"o"}"#, 1, ""),
        (r#"{"id":"b","resourceType":"Binary","data":"AA=="}"#, 1, ""),
        (r#"{"transactionTime":"2024-01-01T00:00:00Z","output":[]}"#, 1, ""),
        (r#"{"resourceType":"Observation","id":"#, 0, "bad_json"),
        (r#"{"resourceType":"Patient","id":"p"} x"#, 0, "bad_json"),
        (r#"{"resourceType":"Patient","id":{}}"#, 0, "bad_resource"),
        (r#"{"resourceType":"Encounter"}"#, 0, "missing_id"),
        (r#"{"a":1}"#, 0, "not_a_resource"),
        ("[1]", 0, "not_a_resource"),
        ("12", 0, "not_a_resource"),
        ("nonsense", 0, "bad_json"),
        (r#"{"resourceType":7}"#, 1, ""),
    ] {
        let epoch = take(json);
        assert_eq!((epoch.ignored, epoch.dead_letters.first().map_or("", |l| l.reason)), (ignored, reason), "{json}");
    }
    let deep = format!(r#"{{"resourceType":"Observation","x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(letter(&take(&deep)).0, "too_deep");
}

#[test]
fn brackets_in_strings_are_not_depth() {
    assert!(!exceeds_depth(format!(r#"{{"a":"{}\"{}"}}"#, "[".repeat(500), "{".repeat(500)).as_bytes(), 100));
    assert!(exceeds_depth("[".repeat(101).as_bytes(), 100));
    assert!(!exceeds_depth(br#""\"#, 1));
}

#[test]
fn every_reason_is_stable_and_unique() {
    let mut all = reason::ALL.to_vec();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), reason::ALL.len());
    assert!(all.iter().all(|r| r.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())));
}
