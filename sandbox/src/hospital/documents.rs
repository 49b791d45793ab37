//! Which documents a dossier has, and their raw pages from the grammar.

use std::sync::OnceLock;

use chrono::{NaiveDateTime, TimeDelta};

use super::case::{Case, Kind};
use super::grammar::Grammar;
use super::random::Random;
use super::words::Words;

const FILES: &[(&str, &str)] = &[
    ("names.txt", include_str!("../../data/hospital/names.txt")),
    ("phrases.txt", include_str!("../../data/hospital/phrases.txt")),
    ("emergency.txt", include_str!("../../data/hospital/emergency.txt")),
    ("imaging.txt", include_str!("../../data/hospital/imaging.txt")),
    ("thrombectomy.txt", include_str!("../../data/hospital/thrombectomy.txt")),
    ("progress.txt", include_str!("../../data/hospital/progress.txt")),
    ("discharge.txt", include_str!("../../data/hospital/discharge.txt")),
    ("visit.txt", include_str!("../../data/hospital/visit.txt")),
];

/// The embedded grammar.
pub fn grammar() -> &'static Grammar {
    static GRAMMAR: OnceLock<Grammar> = OnceLock::new();
    GRAMMAR.get_or_init(|| match Grammar::read(FILES) {
        Ok(grammar) => grammar,
        Err(error) => unreachable!("a test reads the embedded grammar: {error}"),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    Prehospital,
    Emergency,
    Imaging,
    Thrombectomy,
    Progress,
    Discharge,
    Visit,
}

impl DocumentKind {
    /// LOINC code, its display and the title that the hospital gives it.
    pub fn code(self) -> (&'static str, &'static str, &'static str) {
        match self {
            DocumentKind::Prehospital => ("67796-3", "EMS patient care report", "Fiche d'intervention SMUR"),
            DocumentKind::Emergency => ("34111-5", "Emergency department Note", "Observation des urgences"),
            DocumentKind::Imaging => ("18748-4", "Diagnostic imaging study", "Compte rendu d'imagerie"),
            DocumentKind::Thrombectomy => ("11504-8", "Surgical operation note", "Compte rendu de neuroradiologie interventionnelle"),
            DocumentKind::Progress => ("11506-3", "Progress note", "Note d'évolution UNV"),
            DocumentKind::Discharge => ("34105-7", "Hospital Discharge summary", "Lettre de liaison"),
            DocumentKind::Visit => ("11488-4", "Consult note", "Consultation de suivi neurovasculaire"),
        }
    }

    fn rule(self) -> &'static str {
        match self {
            DocumentKind::Prehospital => "prehospital",
            DocumentKind::Emergency => "emergency",
            DocumentKind::Imaging => "imaging",
            DocumentKind::Thrombectomy => "thrombectomy",
            DocumentKind::Progress => "progress",
            DocumentKind::Discharge => "discharge",
            DocumentKind::Visit => "visit",
        }
    }
}

/// One document of a dossier.
#[derive(Debug, Clone)]
pub struct Document {
    /// Place in the dossier, from 0.
    pub number: usize,
    pub kind: DocumentKind,
    pub time: NaiveDateTime,
    pub date_format: usize,
    pub time_format: usize,
}

/// The documents of a dossier, in the order of their times: 3 to 6.
pub fn plan(case: &Case, random: &mut Random) -> Vec<Document> {
    let mut planned: Vec<(DocumentKind, NaiveDateTime)> = Vec::new();
    let after = |time: NaiveDateTime, minutes| time + TimeDelta::minutes(minutes);
    // A dossier has six documents at most.
    let crowded = case.smur && case.thrombectomy.is_some() && case.visit.is_some();
    if case.smur {
        planned.push((DocumentKind::Prehospital, after(case.admission, -12)));
    }
    planned.push((DocumentKind::Emergency, after(case.admission, 12)));
    planned.push((DocumentKind::Imaging, after(case.imaging, 20)));
    if let Some(t) = &case.thrombectomy {
        planned.push((DocumentKind::Thrombectomy, after(t.recanalization, 45)));
    }
    if case.kind != Kind::Tia && case.kind != Kind::Mimic && !crowded && random.chance(88) {
        planned.push((DocumentKind::Progress, after(case.admission, 24 * 60 + random.between(30, 200))));
    }
    planned.push((DocumentKind::Discharge, case.discharge));
    planned.extend(case.visit.map(|v| (DocumentKind::Visit, v)));
    planned.sort_by_key(|p| p.1);
    // A service writes dates its own way; a document keeps to one.
    let numbered = planned.into_iter().enumerate();
    let mut document = |(number, (kind, time))| Document { number, kind, time, date_format: random.below(4), time_format: random.below(4) };
    numbered.map(&mut document).collect()
}

/// The raw page of a document: headings start with `# `.
pub fn write(case: &Case, document: &Document, random: &mut Random) -> String {
    let mut page = String::with_capacity(4096);
    grammar().render(document.kind.rule(), &Words { case, document }, random, &mut page);
    page
}
