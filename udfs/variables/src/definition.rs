//! Declarations of variables: what each holds, where it is looked for and how its
//! values are weighed. They are data (`data/variables/*.toml`, a user's own files);
//! adding a variable needs no Rust.
//!
//! [`Definitions::check`] explains a mistake by its line, [`Definitions::explain`]
//! shows what fires in a sentence and why.

mod check;
mod compile;
mod explain;
mod line;
mod read;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use chrono::NaiveDateTime;
use sillage_clinical::knowledge::Knowledge;
use sillage_schemas::Fault;
use thiserror::Error;

use crate::Value;
use crate::anchor::Moment;
use crate::document_type::DocumentTypes;
pub use check::Problem;
pub(crate) use compile::{Compiled, Role, Use};
pub use explain::{Attempt, Outcome};
pub(crate) use read::SECTIONS;

/// The built-in files, by name.
const BUILT_IN: &[(&str, &str)] = &[
    ("scores.toml", include_str!("../data/variables/scores.toml")),
    ("vital_signs.toml", include_str!("../data/variables/vital_signs.toml")),
    ("laboratory.toml", include_str!("../data/variables/laboratory.toml")),
    ("times.toml", include_str!("../data/variables/times.toml")),
    ("event.toml", include_str!("../data/variables/event.toml")),
    ("imaging.toml", include_str!("../data/variables/imaging.toml")),
    ("treatment.toml", include_str!("../data/variables/treatment.toml")),
    ("history.toml", include_str!("../data/variables/history.toml")),
    ("outcome.toml", include_str!("../data/variables/outcome.toml")),
];

/// What a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Boolean,
    Integer,
    Float,
    Category,
    DateTime,
}

impl Type {
    pub const NAMES: [(&'static str, Type); 5] = [
        ("bool", Type::Boolean),
        ("int", Type::Integer),
        ("float", Type::Float),
        ("category", Type::Category),
        ("datetime", Type::DateTime),
    ];

    pub fn name(self) -> &'static str {
        Type::NAMES.iter().find(|(_, t)| *t == self).map_or("", |(name, _)| name)
    }
}

/// How one value is chosen among those of an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resolution {
    /// The best supported one: trust of the document, fit of the anchor, agreement, score.
    #[default]
    Best,
    /// The earliest one, by its event time, else its document.
    First,
    /// The latest one: a later document corrects an earlier one.
    Last,
    /// True where any says so, else false where one says so.
    AnyTrue,
    /// The value that stands first in `precedence`.
    Precedence,
}

impl Resolution {
    pub const NAMES: [(&'static str, Resolution); 5] = [
        ("best", Resolution::Best),
        ("first", Resolution::First),
        ("last", Resolution::Last),
        ("any_true", Resolution::AnyTrue),
        ("precedence", Resolution::Precedence),
    ];
}

/// Weights by name, 0 to 1; 0 refuses.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    pub named: Vec<(String, f32)>,
    /// Of names that are not listed: `"*"`.
    pub other: f32,
}

impl Default for Weights {
    fn default() -> Self {
        Weights { named: Vec::new(), other: 1.0 }
    }
}

impl Weights {
    pub fn of(&self, name: Option<&str>) -> f32 {
        name.and_then(|name| self.named.iter().find(|(n, _)| n == name)).map_or(self.other, |(_, w)| *w)
    }
}

/// A unit that a text may write, and the way to the variable's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// As texts write it, folded: `ml`, `cc`, `cm3`.
    pub forms: Vec<String>,
    pub factor: f64,
    pub offset: f64,
    /// Where a number without a unit means this one.
    pub bare: Option<[f64; 2]>,
}

/// What a rule makes of a qualified mention.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// The rule's value stands.
    Keep,
    /// Nothing is said.
    Drop,
    /// Only so qualified does the rule count.
    Only,
    Value(Value),
}

/// A concept of the lexicon, or all that share the start of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    Concept(String),
    Icd10(String),
    Atc(String),
}

/// Which side of an event its time stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    #[default]
    Either,
    After,
    Before,
}

/// The smallest unit that a time must state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fineness {
    Day,
    Hour,
}

/// Of several numbers of a range, the one that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Range {
    #[default]
    Low,
    High,
    Mean,
    Drop,
}

/// What the patient's record states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    Age,
    Sex,
    StayStart,
    StayEnd,
}

/// What a rule looks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Find {
    /// A measurement by its canonical name.
    Measurement { name: String, range: Range },
    /// A name of its own and a number with one of the variable's units.
    Names { names: Vec<String>, before: bool, reach: usize, range: Range },
    /// The items of a scale, whose sum is the value where no total is written.
    Grid { items: Vec<String>, at_least: usize, total: Option<String> },
    /// Words that stand for a value.
    Phrases(Vec<String>),
    /// Mentions of the lexicon.
    Concepts(Vec<Selector>),
    /// Words of an event; the value is its time.
    Events { phrases: Vec<String>, concepts: Vec<Selector>, direction: Direction, fineness: Fineness, reach: usize },
    /// A fact of the record, where the text states it.
    Fact(Fact),
}

/// One way to find a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub line: usize,
    pub find: Find,
    /// Of phrases and concepts.
    pub value: Option<Value>,
    pub negated: Meaning,
    pub hypothetical: Meaning,
    pub historical: Meaning,
    /// Of a relative; "keep" where the words name one and speak of the patient: "retour chez sa fille".
    pub family: Meaning,
    pub score: f32,
    /// The moment of whatever this rule finds.
    pub anchor: Option<Moment>,
    /// One of these must stand in the sentence.
    pub with: Vec<String>,
    /// None of these may stand in the sentence.
    pub unless: Vec<String>,
    /// As far as words of `with` and `unless` count, in tokens.
    pub window: Option<usize>,
    pub sections: Vec<String>,
    pub not_sections: Vec<String>,
    pub documents: Vec<String>,
    pub not_documents: Vec<String>,
    /// Counts only where the record states this, or states nothing.
    pub fact: Option<Fact>,
}

/// A sentence and what the variable makes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    pub line: usize,
    pub text: String,
    /// `None`: nothing is found.
    pub value: Option<Value>,
    pub anchor: Option<Moment>,
    pub type_code: Option<String>,
    pub time: Option<NaiveDateTime>,
    pub stay_start: Option<NaiveDateTime>,
    pub stay_end: Option<NaiveDateTime>,
}

/// A variable as declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    pub name: String,
    pub description: String,
    pub kind: Type,
    /// UCUM.
    pub unit: Option<String>,
    pub units: Vec<Unit>,
    /// Least and greatest value.
    pub domain: Option<[f64; 2]>,
    /// Values of a category, in the order of the dictionary.
    pub values: Vec<String>,
    pub loinc: Option<String>,
    pub snomed: Option<String>,
    /// Fit of each moment, by name of the anchor, `prehospital` and `later` included.
    pub anchors: Weights,
    /// Trust by document type (`data/document_types.toml`).
    pub documents: Weights,
    /// Trust by section; `none` is the text outside sections.
    pub sections: Weights,
    pub resolution: Resolution,
    /// Of a category, the values that win, first ones first.
    pub precedence: Vec<String>,
    /// Document types whose words stand for the value where they give it too, first ones first.
    pub evidence: Vec<String>,
    /// The same of a value that says that there is none.
    pub evidence_absent: Vec<String>,
    /// Computed from other variables: no rules.
    pub derived: bool,
    pub rules: Vec<Rule>,
    pub examples: Vec<Example>,
    pub line: usize,
}

impl Definition {
    /// Whether the value is of the variable's type and domain.
    pub fn admits(&self, value: &Value) -> bool {
        match (self.kind, value) {
            (Type::Boolean, Value::Boolean(_)) | (Type::DateTime, Value::DateTime(_)) => true,
            (Type::Integer, Value::Number(n)) => n.fract() == 0.0 && self.inside(*n),
            (Type::Float, Value::Number(n)) => n.is_finite() && self.inside(*n),
            (Type::Category, Value::Category(name)) => self.values.iter().any(|v| v == name),
            _ => false,
        }
    }

    fn inside(&self, number: f64) -> bool {
        self.domain.is_none_or(|[least, greatest]| (least..=greatest).contains(&number))
    }
}

/// Declarations that cannot be used.
#[derive(Debug, Error)]
pub enum DefinitionError {
    #[error("{file}:{}: {}", .problem.line, .problem.message)]
    Problem { file: String, problem: Problem },
}

impl DefinitionError {
    pub fn fault(&self) -> Fault {
        Fault::Configuration
    }
}

/// Variables, ready to be looked for.
pub struct Definitions {
    pub variables: Vec<Definition>,
    pub document_types: DocumentTypes,
    pub(crate) compiled: Compiled,
}

impl Definitions {
    /// Reads files of declarations, `(name, text)`, in order: a variable replaces an
    /// earlier one of the same name.
    ///
    /// Errors: the first mistake with its file and line.
    pub fn new(knowledge: &Knowledge, files: &[(&str, &str)]) -> Result<Definitions, DefinitionError> {
        let at = |file: &str| {
            let file = file.to_owned();
            move |problem| DefinitionError::Problem { file, problem }
        };
        let document_types = DocumentTypes::built_in().map_err(at("document_types.toml"))?;
        let mut variables: Vec<Definition> = Vec::new();
        let mut origins: Vec<&str> = Vec::new();
        for (file, text) in files {
            let (read, problems) = read::read(text, &document_types);
            if let Some(problem) = problems.into_iter().next() {
                return Err(at(file)(problem));
            }
            for definition in read {
                match variables.iter().position(|v| v.name == definition.name) {
                    Some(known) => {
                        variables[known] = definition;
                        origins[known] = file;
                    }
                    None => {
                        variables.push(definition);
                        origins.push(file);
                    }
                }
            }
        }
        let compiled =
            Compiled::new(knowledge, &document_types, &variables).map_err(|(variable, problem)| at(origins[variable])(problem))?;
        Ok(Definitions { variables, document_types, compiled })
    }

    /// The variables that ship with Sillage and those of the user's files, which win.
    ///
    /// Errors: the first mistake with its file and line.
    pub fn with_files(knowledge: &Knowledge, files: &[(&str, &str)]) -> Result<Definitions, DefinitionError> {
        let all: Vec<_> = BUILT_IN.iter().chain(files).copied().collect();
        Definitions::new(knowledge, &all)
    }

    /// What ships with Sillage.
    pub fn built_in() -> &'static Definitions {
        static DEFINITIONS: OnceLock<Definitions> = OnceLock::new();
        DEFINITIONS.get_or_init(|| match Definitions::new(Knowledge::built_in(), BUILT_IN) {
            Ok(definitions) => definitions,
            Err(error) => unreachable!("a test reads the embedded data: {error}"),
        })
    }

    /// A variable by name.
    pub fn get(&self, name: &str) -> Option<&Definition> {
        self.variables.iter().find(|v| v.name == name)
    }

    pub fn index(&self, name: &str) -> Option<usize> {
        self.variables.iter().position(|v| v.name == name)
    }
}
