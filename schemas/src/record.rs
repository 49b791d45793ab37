//! The patient's own record, whatever feed it came from: what de-identification
//! looks for first. Travels as JSON in columns marked as identifying.

use serde::{Deserialize, Serialize};

/// FHIR Patient, PID segment and the like, reduced to what names the person.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PatientRecord {
    /// Family names: in use, at birth, of marriage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub families: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub givens: Vec<String>,
    /// `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub female: Option<bool>,
    /// Street lines of the addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub postal_codes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cities: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mails: Vec<String>,
    /// Label of CONTRACT.md (`IPP`, `SECU`, `NDA`, `ID`) and number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<(String, String)>,
    /// Full names of those the record points to: relatives, practitioners.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
}

impl std::fmt::Debug for PatientRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PatientRecord({} names, {} identifiers)", self.families.len() + self.givens.len(), self.identifiers.len())
    }
}

impl PatientRecord {
    /// Adds what another record of the same person knows. Birth date and sex stay
    /// where they are known.
    pub fn join(&mut self, other: PatientRecord) {
        let lists = [
            (&mut self.families, other.families),
            (&mut self.givens, other.givens),
            (&mut self.lines, other.lines),
            (&mut self.postal_codes, other.postal_codes),
            (&mut self.cities, other.cities),
            (&mut self.phones, other.phones),
            (&mut self.mails, other.mails),
            (&mut self.others, other.others),
        ];
        for (list, values) in lists {
            for value in values {
                add(list, &value);
            }
        }
        for identifier in other.identifiers {
            if !self.identifiers.contains(&identifier) {
                self.identifiers.push(identifier);
            }
        }
        self.birth_date = self.birth_date.take().or(other.birth_date);
        self.female = self.female.or(other.female);
    }
}

/// Adds what is not there yet.
pub fn add(list: &mut Vec<String>, value: &str) {
    let value = value.trim();
    if !value.is_empty() && !list.iter().any(|v| v == value) {
        list.push(value.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_records_of_one_person_are_joined() {
        let record = |family: &str, birth_date: Option<&str>| PatientRecord {
            families: vec![family.to_owned()],
            birth_date: birth_date.map(str::to_owned),
            identifiers: vec![("IPP".to_owned(), "1".to_owned())],
            ..PatientRecord::default()
        };
        let mut joined = record("Inventée", None);
        joined.join(record("Imaginaire", Some("1950-01-02")));
        joined.join(record("Inventée", Some("1960-01-02")));
        assert_eq!(joined.families, ["Inventée", "Imaginaire"]);
        assert_eq!((joined.birth_date.as_deref(), joined.identifiers.len()), (Some("1950-01-02"), 1));
    }

    #[test]
    fn debug_names_nobody() {
        let record = PatientRecord { families: vec!["Inventée".to_owned()], ..PatientRecord::default() };
        assert_eq!(format!("{record:?}"), "PatientRecord(1 names, 0 identifiers)");
    }
}
