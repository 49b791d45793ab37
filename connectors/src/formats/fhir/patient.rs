//! What a Patient resource says of the person, as a record, and of other records
//! of the same person.

use std::io;

use sillage_schemas::record::{PatientRecord, add};

use super::bundle::Envelope;
use super::document::{Failure, full_name};
use super::resource::{CodeableConcept, ContactPoint, Identifier, Lenient, List, Patient, tokens, words};
use super::{Intake, References, misshapen};
use crate::formats::{NATIONAL_IDENTITY, reason};
use crate::rows::{Merged, PatientRow};

impl Intake<'_> {
    pub(super) fn patient(
        &mut self,
        json: &str,
        envelope: &Envelope<'_>,
        place: &str,
        references: &mut dyn References,
    ) -> io::Result<Result<(), Failure>> {
        let patient = match serde_json::from_str::<Patient<'_>>(json) {
            Ok(patient) => patient,
            Err(error) => return Ok(Err(misshapen(&error, "Patient"))),
        };
        let Some(id) = envelope.id_of(words(&patient.id), "Patient") else {
            return Ok(Err(Failure::new(reason::MISSING_ID, "Patient.id")));
        };
        let (mut replaced_by, mut replaces) = (None, Vec::new());
        for link in items(&patient.link) {
            let type_ = words(&link.type_.0).unwrap_or_default().to_ascii_lowercase();
            if !matches!(type_.as_str(), "replaced-by" | "replaces") {
                continue;
            }
            let other = self.referred_id(link.other.0.as_ref(), "Patient", &[], references)?.filter(|other| *other != id);
            match (other, type_.as_str()) {
                (Some(other), "replaced-by") => replaced_by = replaced_by.or(Some(other)),
                (Some(other), _) => replaces.push(other),
                (None, _) => {}
            }
        }
        let active = words(&patient.active.0) != Some("false");
        let last_updated = self.last_updated(patient.meta.0.as_ref(), envelope);
        let row = PatientRow {
            id: &id,
            last_updated,
            identifiers: &tokens(&patient.identifier),
            record: Some(&record(&patient)),
            merged: match &replaced_by {
                Some(other) => Merged::Into(other),
                None if active => Merged::Alone,
                // Put away, perhaps for another that is not named.
                None => Merged::Unsaid,
            },
        };
        self.rows.patient(place, &row);
        for other in &replaces {
            let merged = Merged::Into(&id);
            self.rows.patient(place, &PatientRow { id: other, last_updated, identifiers: &[], record: None, merged });
        }
        Ok(Ok(()))
    }
}

pub(super) fn record(patient: &Patient<'_>) -> PatientRecord {
    let mut record = PatientRecord {
        birth_date: patient.birth_date.0.as_ref().map(|d| d.0.trim().to_owned()).filter(|d| d.len() >= 10),
        female: match patient.gender.0.as_ref().map(|g| g.0.as_ref()) {
            Some("female") => Some(true),
            Some("male") => Some(false),
            _ => None,
        },
        ..PatientRecord::default()
    };
    for name in items(&patient.name) {
        match words(&name.family) {
            Some(family) => add(&mut record.families, family),
            // Without its parts the whole is taken as it stands: capitals are the family name.
            None => {
                for word in words(&name.text).unwrap_or_default().split_whitespace() {
                    let family = word.chars().count() > 1 && word == word.to_uppercase();
                    add(if family { &mut record.families } else { &mut record.givens }, word);
                }
            }
        }
        for given in name.given.0.iter().flatten() {
            add(&mut record.givens, &given.0);
        }
    }
    for address in items(&patient.address) {
        for line in address.line.0.iter().flatten() {
            add(&mut record.lines, &line.0);
        }
        add(&mut record.postal_codes, words(&address.postal_code).unwrap_or_default());
        add(&mut record.cities, words(&address.city).unwrap_or_default());
    }
    telecom(&mut record, &patient.telecom);
    for contact in items(&patient.contact) {
        if let Some(name) = contact.name.0.as_ref().and_then(full_name) {
            add(&mut record.others, &name);
        }
        telecom(&mut record, &contact.telecom);
    }
    for practitioner in items(&patient.general_practitioner) {
        add(&mut record.others, words(&practitioner.display).unwrap_or_default());
    }
    for identifier in items(&patient.identifier) {
        let Some(value) = words(&identifier.value) else { continue };
        let pair = (label(identifier).to_owned(), value.to_owned());
        if !record.identifiers.contains(&pair) {
            record.identifiers.push(pair);
        }
    }
    record
}

fn items<T>(list: &Lenient<List<T>>) -> impl Iterator<Item = &T> {
    list.0.iter().flat_map(|list| &list.0)
}

fn telecom(record: &mut PatientRecord, points: &Lenient<List<ContactPoint<'_>>>) {
    for point in items(points) {
        let value = words(&point.value).unwrap_or_default();
        add(if value.contains('@') { &mut record.mails } else { &mut record.phones }, value);
    }
}

/// Which number of a person it is: by its type (HL7 table 0203 and its French extension), or its system.
fn label(identifier: &Identifier<'_>) -> &'static str {
    let code = |concept: &CodeableConcept<'_>| concept.coding.0.iter().flat_map(|l| &l.0).find_map(|c| words(&c.code).map(str::to_owned));
    let code = identifier.type_.0.as_ref().and_then(code).unwrap_or_default();
    if code.starts_with("INS")
        || matches!(code.as_str(), "NH" | "SS")
        || words(&identifier.system).is_some_and(|s| s.contains(NATIONAL_IDENTITY))
    {
        return "SECU";
    }
    match code.as_str() {
        "VN" | "AN" => "NDA",
        "PI" | "MR" | "PT" | "" => "IPP",
        _ => "ID",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{get, take};
    use super::*;

    #[test]
    fn links_say_who_became_whom() {
        let merged = |members: &str| {
            let epoch = take(&format!(r#"{{"resourceType":"Patient","id":"b"{members}}}"#));
            let of = |row| {
                (
                    get(&epoch.patients.slice(row, 1), "source_patient_id").unwrap_or_default(),
                    get(&epoch.patients.slice(row, 1), "merged_into"),
                )
            };
            (0..epoch.patients.num_rows()).map(of).collect::<Vec<_>>()
        };
        let row = |id: &str, into: Option<&str>| (id.to_owned(), into.map(str::to_owned));
        let link = |type_: &str, other: &str| format!(r#","link":[{{"other":{{"reference":"{other}"}},"type":"{type_}"}}]"#);
        assert_eq!(merged(""), [row("b", Some(""))]);
        assert_eq!(merged(r#","active":true"#), [row("b", Some(""))]);
        assert_eq!(merged(r#","active":false"#), [row("b", None)]);
        assert_eq!(merged(&link("replaced-by", "Patient/a")), [row("b", Some("a"))]);
        assert_eq!(merged(&format!(r#"{},"active":false"#, link("replaced-by", "http://s/Patient/a/_history/2"))), [row("b", Some("a"))]);
        assert_eq!(merged(&link("replaces", "Patient/c")), [row("b", Some("")), row("c", Some("b"))]);
        for other in [
            link("seealso", "Patient/c"),
            link("refer", "Patient/c"),
            link("replaced-by", "Patient/b"),
            link("replaced-by", "RelatedPerson/r"),
        ] {
            assert_eq!(merged(&other), [row("b", Some(""))], "{other}");
        }
    }

    #[test]
    fn a_resource_becomes_a_record() -> Result<(), serde_json::Error> {
        let json = r#"{"id":"p","identifier":[{"type":{"coding":[{"code":"PI"}]},"value":"123"},
            {"system":"urn:oid:1.2.250.1.213.1.4.8","value":"255069912345605"},{"type":{"coding":[{"code":"VN"}]},"value":"99"}],
            "name":[{"use":"official","family":"FICTIVE","given":["Léa","Anne"]},{"use":"maiden","family":"EXEMPLE"},{"text":"Léa FICTIVE-EXEMPLE"}],
            "gender":"female","birthDate":"1955-06-01",
            "address":[{"line":["2 allée des Essais"],"postalCode":"99999","city":"Ville-Test"}],
            "telecom":[{"system":"phone","value":"01 99 00 00 01"},{"system":"email","value":"lea@example.org"}],
            "contact":[{"name":{"family":"EXEMPLE","given":["Paul"]},"telecom":[{"value":"06 39 98 00 01"}]}],
            "generalPractitioner":[{"display":"Dr Jean MODÈLE"}]}"#;
        let record = record(&serde_json::from_str::<Patient<'_>>(json)?);
        assert_eq!(record.families, ["FICTIVE", "EXEMPLE", "FICTIVE-EXEMPLE"]);
        assert_eq!(record.givens, ["Léa", "Anne"]);
        assert_eq!((record.female, record.birth_date.as_deref()), (Some(true), Some("1955-06-01")));
        assert_eq!((record.cities.len(), record.phones.len(), record.mails.len()), (1, 2, 1));
        assert_eq!(record.others, ["Paul EXEMPLE", "Dr Jean MODÈLE"]);
        let labels: Vec<&str> = record.identifiers.iter().map(|(l, _)| l.as_str()).collect();
        assert_eq!(labels, ["IPP", "SECU", "NDA"]);
        Ok(())
    }
}
