//! How the columns of a hand-filled table say what variables mean: a TOML file
//! beside the table, and cells read by it.
//!
//! ```toml
//! patient = "IPP"                        # column of the patient
//! date_formats = ["%d/%m/%Y %H:%M"]      # tried in order, after the ISO forms
//! missing = ["", "NA", "ND"]
//!
//! [columns."NIHSS entrée"]
//! variable = "nihss_admission"
//!
//! [columns.rtPA]
//! variable = "iv_thrombolysis"
//! values = { "1" = "true", "0" = "false" }
//!
//! [columns."glycémie (g/L)"]
//! variable = "glucose_admission"
//! factor = 5.55
//! ```

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::Deserialize;
use sillage_clinical::text::fold;
use sillage_schemas::Fault;
use thiserror::Error;

use crate::Value;

/// Formats that need no declaration.
const DATE_TIMES: &[&str] = &["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
const TRUE: &[&str] = &["true", "vrai", "oui", "yes", "1", "o", "y"];
const FALSE: &[&str] = &["false", "faux", "non", "no", "0", "n"];
/// Numbers are compared so closely unless the map says otherwise.
const TOLERANCE: f64 = 0.011;

/// What a variable holds, as far as a cell is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    Number,
    DateTime,
    /// With its values.
    Category(Vec<String>),
}

/// A map that cannot be used.
#[derive(Debug, Error)]
pub enum MapError {
    #[error("the map: {0}")]
    Toml(String),
    #[error("column {column:?}: no variable is called {variable:?}")]
    Variable { column: String, variable: String },
    #[error("column {column:?}: {variable:?} has no value {value:?}")]
    Value { column: String, variable: String, value: String },
    #[error("the table has no column {0:?}")]
    Column(String),
}

impl MapError {
    pub fn fault(&self) -> Fault {
        Fault::Configuration
    }
}

/// A cell that says nothing, or nothing that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    Missing,
    Unreadable,
}

/// Columns of a table and the variables they hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    pub patient: String,
    pub columns: Vec<Column>,
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub variable: String,
    pub kind: Kind,
    values: BTreeMap<String, String>,
    missing: Vec<String>,
    formats: Vec<String>,
    factor: f64,
    tolerance: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    patient: String,
    #[serde(default)]
    date_formats: Vec<String>,
    #[serde(default)]
    missing: Vec<String>,
    columns: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    variable: String,
    #[serde(default)]
    values: BTreeMap<String, String>,
    #[serde(default)]
    date_formats: Vec<String>,
    factor: Option<f64>,
    tolerance: Option<f64>,
}

impl Map {
    /// Reads a map. `kind_of` tells what a variable holds.
    ///
    /// Errors: what the map names and nobody knows.
    pub fn read(text: &str, kind_of: impl Fn(&str) -> Option<Kind>) -> Result<Map, MapError> {
        let file: File = toml::from_str(text).map_err(|e| MapError::Toml(e.to_string()))?;
        let missing: Vec<String> = file.missing.iter().map(|m| fold(m.trim())).collect();
        let mut columns = Vec::with_capacity(file.columns.len());
        for (name, entry) in file.columns {
            let Some(kind) = kind_of(&entry.variable) else {
                return Err(MapError::Variable { column: name, variable: entry.variable });
            };
            for value in entry.values.values() {
                let known = match &kind {
                    Kind::Boolean => value == "true" || value == "false",
                    Kind::Number => value.parse::<f64>().is_ok(),
                    Kind::DateTime => false,
                    Kind::Category(values) => values.contains(value),
                };
                if !known && !value.is_empty() {
                    return Err(MapError::Value { column: name, variable: entry.variable, value: value.clone() });
                }
            }
            columns.push(Column {
                values: entry.values.into_iter().map(|(cell, value)| (fold(cell.trim()), value)).collect(),
                missing: missing.clone(),
                formats: entry.date_formats.into_iter().chain(file.date_formats.iter().cloned()).collect(),
                factor: entry.factor.unwrap_or(1.0),
                tolerance: entry.tolerance.unwrap_or(TOLERANCE),
                variable: entry.variable,
                kind,
                name,
            });
        }
        Ok(Map { patient: file.patient, columns })
    }

    /// Checks that a table has the columns.
    ///
    /// Errors: the first one that is missing.
    pub fn fits(&self, header: &[&str]) -> Result<(), MapError> {
        let names = std::iter::once(&self.patient).chain(self.columns.iter().map(|c| &c.name));
        names.into_iter().find(|n| !header.contains(&n.as_str())).map_or(Ok(()), |n| Err(MapError::Column(n.clone())))
    }
}

impl Column {
    /// What a cell says.
    pub fn value(&self, cell: &str) -> Result<Value, Unread> {
        let cell = cell.trim();
        let folded = fold(cell);
        if cell.is_empty() || self.missing.contains(&folded) {
            return Err(Unread::Missing);
        }
        let mapped = self.values.get(&folded);
        if mapped.is_some_and(String::is_empty) {
            return Err(Unread::Missing);
        }
        let text = mapped.map_or(cell, String::as_str);
        let folded = fold(text);
        let value = match &self.kind {
            Kind::Boolean if TRUE.contains(&folded.as_str()) => Some(Value::Boolean(true)),
            Kind::Boolean if FALSE.contains(&folded.as_str()) => Some(Value::Boolean(false)),
            Kind::Boolean => None,
            Kind::Number => {
                let number = text.replace(',', ".").replace(['\u{a0}', '\u{202f}', ' '], "").parse::<f64>();
                number.ok().filter(|n| n.is_finite()).map(|n| Value::Number(if mapped.is_some() { n } else { n * self.factor }))
            }
            Kind::DateTime => self.time(text).map(Value::DateTime),
            Kind::Category(values) => values.iter().find(|v| fold(v) == folded).map(|v| Value::Category(v.clone().into())),
        };
        value.ok_or(Unread::Unreadable)
    }

    fn time(&self, text: &str) -> Option<NaiveDateTime> {
        let formats = || DATE_TIMES.iter().copied().chain(self.formats.iter().map(String::as_str));
        let date = || formats().chain(["%Y-%m-%d"]).find_map(|f| NaiveDate::parse_from_str(text, f).ok());
        formats().find_map(|f| NaiveDateTime::parse_from_str(text, f).ok()).or_else(|| Some(date()?.and_time(NaiveTime::MIN)))
    }

    /// Whether a value found in a text is what the cell says.
    pub fn agrees(&self, cell: &Value, found: &Value) -> bool {
        match (cell, found) {
            (Value::Number(a), Value::Number(b)) => (a - b).abs() <= (self.tolerance * a.abs()).max(1e-6),
            // A date alone says no hour.
            (Value::DateTime(a), Value::DateTime(b)) if a.time() == NaiveTime::MIN => a.date() == b.date(),
            (Value::DateTime(a), Value::DateTime(b)) => (*a - *b).num_seconds().abs() <= 60,
            _ => cell == found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(variable: &str) -> Option<Kind> {
        Some(match variable {
            "nihss_admission" | "glucose_admission" => Kind::Number,
            "iv_thrombolysis" => Kind::Boolean,
            "onset_datetime" => Kind::DateTime,
            "mtici" => Kind::Category(["0", "1", "2a", "2b", "2c", "3"].map(str::to_owned).to_vec()),
            _ => return None,
        })
    }

    const MAP: &str = r#"
patient = "IPP"
date_formats = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]
missing = ["ND"]
[columns."NIHSS entrée"]
variable = "nihss_admission"
[columns.glyc]
variable = "glucose_admission"
factor = 5.55
[columns.rtPA]
variable = "iv_thrombolysis"
values = { "fait" = "true", "9" = "" }
[columns.heure]
variable = "onset_datetime"
[columns.TICI]
variable = "mtici"
values = { "2" = "2b" }
"#;

    #[test]
    fn cells_are_read_as_the_map_says() {
        let map = Map::read(MAP, kind_of).unwrap();
        let read = |name: &str, cell: &str| map.columns.iter().find(|c| c.name == name).unwrap().value(cell);
        let at = |h, m| NaiveDate::from_ymd_opt(2021, 4, 3).unwrap().and_hms_opt(h, m, 0).unwrap();
        assert_eq!(read("NIHSS entrée", " 12 "), Ok(Value::Number(12.0)));
        assert_eq!(read("NIHSS entrée", "nd"), Err(Unread::Missing));
        assert_eq!(read("NIHSS entrée", "douze"), Err(Unread::Unreadable));
        assert_eq!(read("glyc", "1,0"), Ok(Value::Number(5.55)));
        assert_eq!(read("rtPA", "Fait"), Ok(Value::Boolean(true)));
        assert_eq!(read("rtPA", "NON"), Ok(Value::Boolean(false)));
        assert_eq!(read("rtPA", "9"), Err(Unread::Missing));
        assert_eq!(read("heure", "03/04/2021 07:15"), Ok(Value::DateTime(at(7, 15))));
        assert_eq!(read("heure", "2021-04-03"), Ok(Value::DateTime(at(0, 0))));
        assert_eq!(read("TICI", "2B"), Ok(Value::Category("2b".into())));
        assert_eq!(read("TICI", "2"), Ok(Value::Category("2b".into())));
    }

    #[test]
    fn a_date_agrees_with_every_hour_of_its_day() {
        let map = Map::read(MAP, kind_of).unwrap();
        let column = map.columns.iter().find(|c| c.name == "heure").unwrap();
        let read = |cell: &str| column.value(cell).unwrap();
        assert!(column.agrees(&read("03/04/2021"), &read("03/04/2021 07:15")));
        assert!(!column.agrees(&read("03/04/2021 07:10"), &read("03/04/2021 07:15")));
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text: &str| Map::read(text, kind_of).unwrap_err().to_string();
        assert!(error("patient = \"a\"\n[columns.x]\nvariable = \"nihs\"\n").contains("nihs"));
        assert!(error("patient = \"a\"\n[columns.x]\nvariable = \"mtici\"\nvalues = { a = \"7\" }\n").contains("no value \"7\""));
        assert!(error("patient = \"a\"\ncolums = 3\n").contains("colums"));
        let map = Map::read(MAP, kind_of).unwrap();
        assert!(map.fits(&["IPP", "glyc", "rtPA", "heure", "TICI"]).unwrap_err().to_string().contains("NIHSS entrée"));
    }
}
