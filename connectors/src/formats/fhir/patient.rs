//! What a Patient resource says of the person, as a record.

use sillage_schemas::record::{PatientRecord, add};

use super::document::full_name;
use super::resource::{CodeableConcept, ContactPoint, Identifier, Lenient, List, Patient, words};

/// Object identifiers of the national health identity: NIR, NIA and their test and demonstration ranges.
const NATIONAL: &str = "1.2.250.1.213.1.4.";

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
    if code.starts_with("INS") || matches!(code.as_str(), "NH" | "SS") || words(&identifier.system).is_some_and(|s| s.contains(NATIONAL)) {
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
    use super::*;

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
