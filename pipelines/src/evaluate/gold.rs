//! Gold files: one JSON object per line, offsets in characters of the document's text.

use std::collections::HashMap;
use std::path::Path;

use chrono::NaiveDateTime;
use serde::Deserialize;

use crate::error::{Error, Result};

#[derive(Deserialize)]
pub struct Document {
    /// What people call it; errors are listed under it.
    pub document: String,
    pub fhir_id: String,
    pub text: String,
    #[serde(skip)]
    pub chars: Vec<char>,
}

impl Document {
    /// A stretch of the text; what lies outside is left out.
    pub fn words(&self, start: i64, end: i64) -> String {
        let bound = |at: i64| usize::try_from(at).unwrap_or(0).min(self.chars.len());
        self.chars.get(bound(start)..bound(end)).unwrap_or_default().iter().collect()
    }

    /// The same with what surrounds it, to judge an error by.
    pub fn context(&self, start: i64, end: i64) -> String {
        self.words(start - 40, end + 30)
    }
}

#[derive(Deserialize)]
pub struct Phi {
    pub fhir_id: String,
    pub label: String,
    pub start: i64,
    pub end: i64,
    pub text: String,
}

#[derive(Deserialize)]
pub struct Entity {
    pub fhir_id: String,
    pub label: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub code: String,
    pub flags: Vec<String>,
    pub start: i64,
    pub end: i64,
    pub text: String,
}

#[derive(Deserialize)]
pub struct Variable {
    pub dossier: String,
    pub patient_id: String,
    pub variable: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub value: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub fhir_id: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub quote: String,
    #[serde(skip, default = "Wanted::nothing")]
    pub wanted: Wanted,
}

/// A gold value in its type.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    Boolean(bool),
    Category(String),
    Integer(f64),
    Float(f64),
    Moment(NaiveDateTime),
}

impl Wanted {
    fn nothing() -> Wanted {
        Wanted::Category(String::new())
    }

    fn parse(kind: &str, value: &str) -> Option<Wanted> {
        match kind {
            "bool" => Some(Wanted::Boolean(value == "true")),
            "category" => Some(Wanted::Category(value.to_lowercase())),
            "int" => value.parse().ok().map(Wanted::Integer),
            "float" => value.parse().ok().map(Wanted::Float),
            "datetime" => moment(value).map(Wanted::Moment),
            _ => None,
        }
    }
}

/// An ISO date, with or without a time.
fn moment(value: &str) -> Option<NaiveDateTime> {
    let value = value.replacen(' ', "T", 1);
    let with_time = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"].iter().find_map(|f| NaiveDateTime::parse_from_str(&value, f).ok());
    with_time.or_else(|| chrono::NaiveDate::parse_from_str(&value, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
}

/// Mentions without a code carry null.
fn or_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

/// A gold folder. A part whose file is not there is not scored.
pub struct Gold {
    pub documents: Vec<Document>,
    pub phi: Option<Vec<Phi>>,
    pub entities: Option<Vec<Entity>>,
    pub variables: Option<Vec<Variable>>,
}

impl Gold {
    pub fn read(folder: &Path) -> Result<Gold> {
        let mut documents: Vec<Document> = lines(&folder.join("documents.jsonl"))?;
        for document in &mut documents {
            document.chars = document.text.chars().collect();
        }
        let path = folder.join("variables.jsonl");
        let mut variables: Option<Vec<Variable>> = if_there(&path)?;
        for (number, gold) in variables.iter_mut().flatten().enumerate() {
            gold.wanted = Wanted::parse(&gold.kind, &gold.value).ok_or_else(|| {
                Error::Configuration(format!(
                    "{}: value {}: {} is no type, or not the type of the value",
                    path.display(),
                    number + 1,
                    gold.kind
                ))
            })?;
        }
        let gold =
            Gold { documents, phi: if_there(&folder.join("phi.jsonl"))?, entities: if_there(&folder.join("entities.jsonl"))?, variables };
        if gold.phi.is_none() && gold.entities.is_none() && gold.variables.is_none() {
            let folder = folder.display();
            return Err(Error::Configuration(format!("{folder}: none of phi.jsonl, entities.jsonl, variables.jsonl is there")));
        }
        Ok(gold)
    }
}

/// Rows by the document they belong to.
pub fn by_document<'a, T>(rows: &'a [T], id: impl Fn(&'a T) -> &'a str) -> HashMap<&'a str, Vec<&'a T>> {
    let mut grouped: HashMap<&str, Vec<&T>> = HashMap::new();
    for row in rows {
        grouped.entry(id(row)).or_default().push(row);
    }
    grouped
}

fn if_there<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<Vec<T>>> {
    if path.is_file() { lines(path).map(Some) } else { Ok(None) }
}

fn lines<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Vec<T>> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::Configuration(format!("{}: {e}", path.display())))?;
    let parse = |(i, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|e| Error::Configuration(format!("{}:{}: {e}", path.display(), i + 1)))
    };
    text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()).map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_and_what_is_missing_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str| std::fs::write(folder.path().join(name), content).unwrap();
        write("documents.jsonl", "{\"document\":\"a\",\"fhir_id\":\"1\",\"text\":\"Étel\",\"type\":\"x\"}\n\n");
        let Err(nothing) = Gold::read(folder.path()) else { panic!("nothing to score") };
        assert!(nothing.to_string().contains("phi.jsonl"), "{nothing}");
        write(
            "variables.jsonl",
            r#"{"dossier":"d","patient_id":"p","variable":"v","type":"datetime","value":"2031-02-03T04:05","fhir_id":"1","quote":null}"#,
        );
        let gold = Gold::read(folder.path()).unwrap();
        assert!(gold.phi.is_none() && gold.entities.is_none());
        assert_eq!(gold.documents[0].words(-3, 3), "Éte");
        assert_eq!(gold.documents[0].words(2, 99), "el");
        write("variables.jsonl", r#"{"dossier":"d","patient_id":"p","variable":"v","type":"float","value":"douze"}"#);
        let Err(wrong) = Gold::read(folder.path()) else { panic!("`douze` is no number") };
        assert!(wrong.to_string().contains("value 1"), "{wrong}");
    }

    #[test]
    fn moments_are_read_as_written() {
        let at = |text: &str| moment(text).map(|m| m.to_string());
        assert_eq!(at("2031-02-03").as_deref(), Some("2031-02-03 00:00:00"));
        assert_eq!(at("2031-02-03 04:05").as_deref(), Some("2031-02-03 04:05:00"));
        assert_eq!(at("2031-02-03T04:05:06").as_deref(), Some("2031-02-03 04:05:06"));
        assert_eq!(at("hier"), None);
    }
}
