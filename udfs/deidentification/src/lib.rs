//! De-identification of French clinical text: what identifies a person is found by
//! several detectors that vote, medicine is protected, and what remains is replaced
//! with offsets that lead back. Plain functions: no Arrow, no async, no I/O.
//!
//! A document goes through [`detect::detect`] (the record of the patient, names,
//! shapes, a tagger for what they leave), the spans found in a patient's other documents come in by
//! [`reveal::propagate`], [`vote::settle`] makes them disjoint, and
//! [`replace::replace`] writes the text that research reads.

mod calendar;
mod check_digit;
pub mod detect;
pub mod identity;
pub mod leak;
pub mod lock;
pub mod name;
pub mod policy;
mod proper;
pub mod record;
pub mod replace;
pub mod reveal;
pub mod shape;
pub mod surrogate;
pub mod tagger;
pub mod vote;

use std::borrow::Cow;

use chrono::NaiveDate;

/// What a span identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    Nom,
    Prenom,
    Adresse,
    Zip,
    Ville,
    Hopital,
    Date,
    DateNaissance,
    Tel,
    Mail,
    Ipp,
    Nda,
    Secu,
    Rpps,
    Id,
}

impl Label {
    pub const ALL: [Label; 15] = [
        Label::Nom,
        Label::Prenom,
        Label::Adresse,
        Label::Zip,
        Label::Ville,
        Label::Hopital,
        Label::Date,
        Label::DateNaissance,
        Label::Tel,
        Label::Mail,
        Label::Ipp,
        Label::Nda,
        Label::Secu,
        Label::Rpps,
        Label::Id,
    ];

    /// As tables and gold files write it.
    pub fn name(self) -> &'static str {
        match self {
            Label::Nom => "NOM",
            Label::Prenom => "PRENOM",
            Label::Adresse => "ADRESSE",
            Label::Zip => "ZIP",
            Label::Ville => "VILLE",
            Label::Hopital => "HOPITAL",
            Label::Date => "DATE",
            Label::DateNaissance => "DATE_NAISSANCE",
            Label::Tel => "TEL",
            Label::Mail => "MAIL",
            Label::Ipp => "IPP",
            Label::Nda => "NDA",
            Label::Secu => "SECU",
            Label::Rpps => "RPPS",
            Label::Id => "ID",
        }
    }

    pub fn from_name(name: &str) -> Option<Label> {
        Label::ALL.into_iter().find(|l| l.name() == name)
    }
}

/// Something that identifies, in bytes of the original text.
#[derive(Clone, PartialEq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
    pub label: Label,
    /// Which detector found it, several joined by `+`: `record`, `context:title`, `shape:phone`.
    pub detector: Cow<'static, str>,
    pub score: f32,
}

/// The patient's own record (FHIR Patient, PID segment).
#[derive(Clone, Default, PartialEq)]
pub struct Person {
    /// Family names: in use, at birth, of marriage.
    pub families: Vec<String>,
    pub givens: Vec<String>,
    pub birth_date: Option<NaiveDate>,
    pub female: Option<bool>,
    /// Street lines of the addresses.
    pub lines: Vec<String>,
    pub postal_codes: Vec<String>,
    pub cities: Vec<String>,
    pub phones: Vec<String>,
    pub mails: Vec<String>,
    /// Numbers of the person, with what the record calls them.
    pub identifiers: Vec<(Label, String)>,
}

/// What is known beside the text.
#[derive(Clone, Copy, Default)]
pub struct Circumstances<'a> {
    pub person: Option<&'a Person>,
    /// Names of the people who wrote, received or keep the document, as metadata gives them.
    pub staff: &'a [&'a str],
}
