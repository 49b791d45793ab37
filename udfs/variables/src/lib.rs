//! Declared variables of the stroke: what a text says of them, which moment each
//! value belongs to, which documents tell of one stroke, and the one value they
//! come to. Plain functions: no Arrow, no async, no I/O.
//!
//! [`definition`] reads the declarations, [`extract`] finds values in one document,
//! [`episode`] puts the documents of one stroke together, [`resolve`] settles on
//! one value per episode and variable.

pub mod anchor;
pub mod coded;
pub mod definition;
pub mod derive;
pub mod document_type;
pub mod episode;
pub mod extract;
mod matcher;
pub mod resolve;
pub mod trace;

use std::borrow::Cow;

use chrono::{NaiveDate, NaiveDateTime};

/// What a variable holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Boolean(bool),
    Category(Cow<'static, str>),
    Number(f64),
    DateTime(NaiveDateTime),
}

/// The moment of the story that a value belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Anchor {
    /// Before the index stroke, as it was then ("Rankin antérieur 1", home treatment).
    PreStroke,
    Admission,
    Day1,
    Discharge,
    Month3,
    /// Some time of the stay.
    Stay,
    /// Of an older event.
    History,
}

impl Anchor {
    pub const ALL: [Anchor; 7] =
        [Anchor::PreStroke, Anchor::Admission, Anchor::Day1, Anchor::Discharge, Anchor::Month3, Anchor::Stay, Anchor::History];

    /// As tables write it.
    pub fn name(self) -> &'static str {
        match self {
            Anchor::PreStroke => "pre_stroke",
            Anchor::Admission => "admission",
            Anchor::Day1 => "24h",
            Anchor::Discharge => "discharge",
            Anchor::Month3 => "3_months",
            Anchor::Stay => "stay",
            Anchor::History => "history",
        }
    }

    pub fn from_name(name: &str) -> Option<Anchor> {
        Anchor::ALL.into_iter().find(|a| a.name() == name)
    }
}

/// A value of a variable in one document.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Name of the variable.
    pub variable: Cow<'static, str>,
    pub value: Value,
    /// Bytes of the original text: the words that support the value.
    pub start: usize,
    pub end: usize,
    pub section: Option<Cow<'static, str>>,
    pub anchor: Anchor,
    pub event_time: Option<NaiveDateTime>,
    /// How sure the rule is, 0 to 1.
    pub score: f32,
    /// Which rule found it, and how: `nihss:measurement`, `mtici:phrase+recalled`;
    /// [`coded::METHOD`] of what a clinical document states in codes.
    pub method: Cow<'static, str>,
}

impl Finding {
    /// Whether a code of the document states it, not its words.
    pub fn is_coded(&self) -> bool {
        self.method == coded::METHOD
    }
}

/// What is known of a document beside its text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// LOINC code of the document's type.
    pub type_code: Option<&'a str>,
    pub time: Option<NaiveDateTime>,
    pub birth_date: Option<NaiveDate>,
    /// From the patient's record.
    pub female: Option<bool>,
    /// Of the encounter that the document belongs to.
    pub stay_start: Option<NaiveDateTime>,
    pub stay_end: Option<NaiveDateTime>,
}
