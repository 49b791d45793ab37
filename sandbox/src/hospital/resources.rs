//! FHIR R4 resources of a dossier, shaped as a hospital's server exports them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{Datelike, NaiveDateTime, SecondsFormat, TimeDelta, TimeZone, Utc};
use serde_json::{Value, json};

use super::case::{Case, Destination};
use super::documents::{Document, DocumentKind};
use super::layout::{Layout, html};
use super::person::Doctor;
use super::random::Random;

/// How the bytes of a document travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Latin1,
    Windows1252,
    Html,
}

/// Versions of a document that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Current,
    EnteredInError,
}

pub fn patient_id(case: &Case) -> String {
    format!("pat-{:06}", case.index)
}

pub fn encounter_id(case: &Case) -> String {
    format!("enc-{:06}", case.index)
}

pub fn document_id(case: &Case, document: &Document) -> String {
    format!("doc-{:06}-{}", case.index, document.number)
}

/// Wall-clock time of the site with its offset; the simulated site keeps
/// Europe/Paris, whose summer time starts and ends on the last Sunday of March
/// and of October.
pub fn instant(local: NaiveDateTime) -> String {
    let last_sunday = |month| {
        let last = chrono::NaiveDate::from_ymd_opt(local.year(), month, 31).unwrap_or_default();
        last - TimeDelta::days(i64::from(last.weekday().num_days_from_sunday()))
    };
    // Hours around the change itself are read as winter's.
    let summer = local.date() >= last_sunday(3) && local.date() < last_sunday(10);
    format!("{}+0{}:00", local.format("%Y-%m-%dT%H:%M:%S"), if summer { 2 } else { 1 })
}

fn updated(local: NaiveDateTime, version: u32) -> String {
    Utc.from_utc_datetime(&(local + TimeDelta::minutes(i64::from(version) * 37))).to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn practitioner(doctor: &Doctor) -> Value {
    json!({ "display": format!("Dr {} {}", doctor.given, doctor.family.to_uppercase()),
            "identifier": { "system": "urn:oid:1.2.250.1.71.4.2.1", "value": doctor.rpps } })
}

pub fn patient(case: &Case) -> Value {
    let person = &case.person;
    let mut names = vec![json!({ "use": "official", "family": person.family.to_uppercase(), "given": [person.given] })];
    if let Some(maiden) = &person.maiden {
        names.push(json!({ "use": "maiden", "family": maiden.to_uppercase() }));
    }
    let mut patient = json!({
        "resourceType": "Patient",
        "id": patient_id(case),
        "meta": { "versionId": "1", "lastUpdated": updated(case.admission, 0) },
        "identifier": [
            { "use": "usual", "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PI" }] },
              "system": "urn:oid:1.2.250.1.999.1", "value": person.ipp },
            { "use": "official", "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NH" }] },
              "system": "urn:oid:1.2.250.1.213.1.4.8", "value": person.nir }
        ],
        "active": true,
        "name": names,
        "telecom": [{ "system": "phone", "value": person.phone, "use": "mobile" }],
        "gender": if person.female { "female" } else { "male" },
        "birthDate": person.birth.to_string(),
        "address": [{ "use": "home", "line": [person.street], "city": person.town, "postalCode": person.zip, "country": "FRA" }],
        "contact": [{ "relationship": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0131", "code": "N" }] }],
                      "name": { "family": person.family.to_uppercase(), "given": [person.relative] } }],
        "generalPractitioner": [practitioner(&person.doctor)]
    });
    // Silence is what a server sends for the living.
    if case.destination == Destination::Death {
        patient["deceasedDateTime"] = json!(instant(case.discharge));
    }
    patient
}

pub fn encounter(case: &Case) -> Value {
    json!({
        "resourceType": "Encounter",
        "id": encounter_id(case),
        "meta": { "versionId": "1", "lastUpdated": updated(case.discharge, 0) },
        "identifier": [{ "system": "urn:oid:1.2.250.1.999.2", "value": format!("{}{:06}", case.admission.year() % 100, case.index) }],
        "status": "finished",
        "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP", "display": "inpatient encounter" },
        "subject": { "reference": format!("Patient/{}", patient_id(case)) },
        "period": { "start": instant(case.admission), "end": instant(case.discharge) },
        "hospitalization": { "dischargeDisposition": { "text": match case.destination {
            Destination::Home => "Domicile",
            Destination::Rehabilitation => "Transfert SMR",
            Destination::NursingHome => "EHPAD",
            Destination::Death => "Décès",
        } } },
        "serviceProvider": { "display": case.site.name }
    })
}

/// A document's bytes and its content type.
pub fn attachment(raw: &str, document: &Document, encoding: Encoding, random: &mut Random) -> (Vec<u8>, &'static str) {
    if encoding == Encoding::Html {
        return (html(raw, document.kind.code().2).into_bytes(), "text/html; charset=utf-8");
    }
    let text = Layout::draw(random).plain(raw, random);
    match encoding {
        Encoding::Latin1 => (single_bytes(&text, false), "text/plain; charset=ISO-8859-1"),
        Encoding::Windows1252 => (single_bytes(&text, true), "text/plain;charset=windows-1252"),
        _ if random.chance(50) => (text.into_bytes(), "text/plain; charset=UTF-8"),
        _ => (text.into_bytes(), "text/plain"),
    }
}

/// Single-byte text; what the character set lacks is spelt with what it has.
fn single_bytes(text: &str, windows: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match (c, windows) {
            ('\'', true) => bytes.push(0x92),
            ('œ', true) => bytes.push(0x9C),
            ('œ', false) => bytes.extend(b"oe"),
            _ => bytes.push(u8::try_from(u32::from(c)).unwrap_or(b'?')),
        }
    }
    bytes
}

/// One version of a document reference. `body` is the text itself or the id of
/// the Binary that holds it.
pub fn document_reference(
    case: &Case,
    document: &Document,
    version: u32,
    status: Status,
    content_type: &str,
    body: Result<&[u8], &str>,
) -> Value {
    let (code, display, title) = document.kind.code();
    let author = match document.kind {
        DocumentKind::Prehospital | DocumentKind::Emergency => &case.emergency_doctor,
        DocumentKind::Imaging => &case.radiologist,
        DocumentKind::Thrombectomy => &case.interventionalist,
        _ => &case.neurologist,
    };
    let mut attachment = json!({ "contentType": content_type, "language": "fr-FR", "title": title, "creation": instant(document.time) });
    match body {
        Ok(bytes) => attachment["data"] = json!(STANDARD.encode(bytes)),
        Err(binary) => attachment["url"] = json!(format!("Binary/{binary}")),
    }
    let mut reference = json!({
        "resourceType": "DocumentReference",
        "id": document_id(case, document),
        "meta": { "versionId": version.to_string(), "lastUpdated": updated(document.time, version) },
        "status": if status == Status::Current { "current" } else { "entered-in-error" },
        "docStatus": if version > 1 && status == Status::Current { "amended" } else { "final" },
        "type": { "coding": [{ "system": "http://loinc.org", "code": code, "display": display }], "text": title },
        "subject": { "reference": format!("Patient/{}", patient_id(case)) },
        "date": instant(document.time),
        "author": [practitioner(author)],
        "custodian": { "display": case.site.name },
        "content": [{ "attachment": attachment }]
    });
    // The follow-up visit belongs to no stay.
    if document.kind != DocumentKind::Visit {
        reference["context"] = json!({ "encounter": [{ "reference": format!("Encounter/{}", encounter_id(case)) }] });
    }
    reference
}

pub fn binary(id: &str, content_type: &str, bytes: &[u8]) -> Value {
    json!({ "resourceType": "Binary", "id": id, "contentType": content_type, "data": STANDARD.encode(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summer_and_winter() {
        let at = |text: &str| instant(text.parse().unwrap_or_default());
        assert_eq!(at("2024-01-15T10:00:00"), "2024-01-15T10:00:00+01:00");
        assert_eq!(at("2024-07-15T10:00:00"), "2024-07-15T10:00:00+02:00");
        assert_eq!(at("2024-03-31T10:00:00"), "2024-03-31T10:00:00+02:00");
        assert_eq!(at("2024-10-27T10:00:00"), "2024-10-27T10:00:00+01:00");
    }

    #[test]
    fn single_byte_sets() {
        assert_eq!(single_bytes("l'œdème °", false), b"l'oed\xE8me \xB0");
        assert_eq!(single_bytes("l'œ", true), b"l\x92\x9C");
    }
}
