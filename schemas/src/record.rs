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
    fn debug_names_nobody() {
        let record = PatientRecord { families: vec!["Inventée".to_owned()], ..PatientRecord::default() };
        assert_eq!(format!("{record:?}"), "PatientRecord(1 names, 0 identifiers)");
    }
}
