//! The header: which document it is, whose, by whom, and for which stay.

use chrono::NaiveDate;
use chrono_tz::Tz;
use sillage_schemas::record::{PatientRecord, add};

use super::Encounter;
use super::time::Interval;
use super::tree::Element;
use crate::formats::NATIONAL_IDENTITY;

/// An identifier as CI-SIS writes it in HL7 version 2: `root` or `root.extension`.
pub(super) fn identifier(id: &Element) -> Option<String> {
    match (id.attribute("root"), id.attribute("extension")) {
        (Some(root), Some(extension)) => Some(format!("{root}.{extension}")),
        (root, extension) => root.or(extension).map(str::to_owned),
    }
}

/// `system|value`, as identifiers of patients and encounters are kept: the system of
/// an object identifier is `urn:oid:` and the root, as in HL7 version 2 and FHIR.
fn numbered(id: &Element) -> Option<String> {
    let root = id.attribute("root");
    match (root, id.attribute("extension")) {
        (Some(root), Some(extension)) if root.bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
            Some(format!("urn:oid:{root}|{extension}"))
        }
        (root, Some(extension)) => Some(format!("{}|{extension}", root.unwrap_or_default())),
        (root, None) => root.map(str::to_owned),
    }
}

/// Object identifiers of the templates that a document or an entry follows.
pub(super) fn templates(element: &Element) -> Vec<String> {
    element.all("templateId").filter_map(|t| t.attribute("root")).map(str::to_owned).collect()
}

/// The documents that this one replaces.
pub(super) fn replaces(root: &Element) -> Vec<String> {
    let related = root.all("relatedDocument").filter(|r| r.attribute("typeCode") == Some("RPLC"));
    related.flat_map(|r| r.path(&["parentDocument", "id"])).filter_map(identifier).collect()
}

/// Names of the persons who wrote it.
pub(super) fn authors(root: &Element) -> Vec<String> {
    let mut names = Vec::new();
    for name in root.path(&["author", "assignedAuthor", "assignedPerson", "name"]) {
        add(&mut names, &full_name(name));
    }
    names
}

pub(super) fn custodian(root: &Element) -> Option<String> {
    let path = ["custodian", "assignedCustodian", "representedCustodianOrganization", "name"];
    root.path(&path).into_iter().find_map(Element::words)
}

pub(super) fn encounter(root: &Element, site: Tz) -> Option<Encounter> {
    let stay = root.path(&["componentOf", "encompassingEncounter"]).into_iter().next()?;
    let time = stay.child("effectiveTime").and_then(|t| Interval::read(t, site)).unwrap_or_default();
    let id = stay.all("id").find_map(numbered);
    Some(Encounter { id, start: time.low.map(|m| m.at), end: time.high.map(|m| m.at) })
}

/// Numbers of the patient: `system|value`, the national one included.
pub(super) fn patient_ids(root: &Element) -> Vec<String> {
    let ids = root.path(&["recordTarget", "patientRole", "id"]);
    ids.into_iter().filter(|id| id.attribute("extension").is_some()).filter_map(numbered).collect()
}

/// What names the patient, and everybody else whom the header names.
pub(super) fn patient(root: &Element) -> PatientRecord {
    let mut record = PatientRecord::default();
    for role in root.path(&["recordTarget", "patientRole"]) {
        for id in role.all("id") {
            if let Some(number) = id.attribute("extension") {
                let national = id.attribute("root").is_some_and(|r| r.starts_with(NATIONAL_IDENTITY));
                number_of(&mut record, if national { "SECU" } else { "IPP" }, number);
            }
        }
        contact(&mut record, role);
        for person in role.all("patient") {
            for name in person.all("name") {
                names(&mut record, name);
            }
            record.female = match person.child("administrativeGenderCode").and_then(|g| g.attribute("code")) {
                Some("F") => Some(true),
                Some("M") => Some(false),
                _ => record.female,
            };
            let born = person.child("birthTime").and_then(|t| t.attribute("value")).and_then(birth_date);
            record.birth_date = record.birth_date.take().or(born);
            for place in person.path(&["birthplace", "place", "addr", "city"]) {
                add(&mut record.cities, &place.words().unwrap_or_default());
            }
            for guardian in person.all("guardian") {
                contact(&mut record, guardian);
            }
        }
    }
    for relative in root.path(&["informant", "relatedEntity"]) {
        contact(&mut record, relative);
    }
    for relative in root.path(&["participant", "associatedEntity"]) {
        // Those who care for the patient professionally have addresses that are nobody's home.
        if relative.attribute("classCode") != Some("PROV") {
            contact(&mut record, relative);
        }
    }
    let header = root.elements().filter(|e| e.name != "component");
    header.for_each(|part| persons(&mut record, part));
    for id in root.path(&["componentOf", "encompassingEncounter", "id"]) {
        if let Some(number) = id.attribute("extension") {
            number_of(&mut record, "NDA", number);
        }
    }
    record
}

fn number_of(record: &mut PatientRecord, label: &str, number: &str) {
    let pair = (label.to_owned(), number.to_owned());
    if !record.identifiers.contains(&pair) {
        record.identifiers.push(pair);
    }
}

/// Everybody named who is not the patient.
fn persons(record: &mut PatientRecord, element: &Element) {
    const PERSONS: &[&str] =
        &["assignedPerson", "relatedPerson", "associatedPerson", "guardianPerson", "informationRecipient", "maintainingPerson"];
    if PERSONS.contains(&element.name.as_str()) {
        for name in element.all("name") {
            add(&mut record.others, &full_name(name));
        }
    }
    element.elements().filter(|e| e.name != "patient" || e.child("guardian").is_some()).for_each(|e| persons(record, e));
}

fn names(record: &mut PatientRecord, name: &Element) {
    let mut parted = false;
    for part in name.elements() {
        let words = part.words().unwrap_or_default();
        match part.name.as_str() {
            "family" => add(&mut record.families, &words),
            "given" => add(&mut record.givens, &words),
            _ => continue,
        }
        parted = true;
    }
    if !parted {
        // Without its parts the whole is taken as it stands: capitals are the family name.
        for word in name.words().unwrap_or_default().split_whitespace() {
            let family = word.chars().count() > 1 && word == word.to_uppercase();
            add(if family { &mut record.families } else { &mut record.givens }, word);
        }
    }
}

/// First names, then family names; the whole where it has no parts.
fn full_name(name: &Element) -> String {
    let parts = |wanted: &'static str| name.all(wanted).filter_map(Element::words);
    let whole = parts("given").chain(parts("family")).collect::<Vec<_>>().join(" ");
    if whole.is_empty() && name.elements().next().is_none() { name.words().unwrap_or_default() } else { whole }
}

fn contact(record: &mut PatientRecord, holder: &Element) {
    for telecom in holder.all("telecom") {
        let value = telecom.attribute("value").unwrap_or_default();
        let bare = ["tel:", "mailto:", "fax:"].iter().find_map(|scheme| value.strip_prefix(scheme)).unwrap_or(value);
        add(if bare.contains('@') { &mut record.mails } else { &mut record.phones }, bare);
    }
    for address in holder.all("addr") {
        let words = |name: &'static str| address.all(name).filter_map(Element::words);
        let street = words("houseNumber").chain(words("streetNameType")).chain(words("streetName")).collect::<Vec<_>>().join(" ");
        add(&mut record.lines, &street);
        words("postalCode").for_each(|code| add(&mut record.postal_codes, &code));
        words("city").for_each(|city| add(&mut record.cities, &city));
        for (i, line) in words("streetAddressLine").enumerate() {
            free_line(record, &line, i);
        }
    }
}

/// A line of an address without parts: the street, or code and city.
fn free_line(record: &mut PatientRecord, line: &str, index: usize) {
    let is_code = |word: &str| word.len() == 5 && word.bytes().all(|b| b.is_ascii_digit());
    let digits = line.bytes().any(|b| b.is_ascii_digit());
    match line.split_once(' ') {
        _ if is_code(line) => add(&mut record.postal_codes, line),
        _ if line.eq_ignore_ascii_case("france") => {}
        Some((code, city)) if is_code(code) => {
            add(&mut record.postal_codes, code);
            add(&mut record.cities, city);
        }
        _ if index > 0 && !digits => add(&mut record.cities, line),
        _ => add(&mut record.lines, line),
    }
}

fn birth_date(stamp: &str) -> Option<String> {
    let date = NaiveDate::parse_from_str(stamp.get(..8)?, "%Y%m%d").ok()?;
    Some(date.format("%Y-%m-%d").to_string())
}
