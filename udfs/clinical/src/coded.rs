//! The coded entries of a clinical document as mentions: what a sender states in
//! SNOMED CT, ICD-10 and ATC beside the narrative.
//!
//! The code decides. What it is called here comes with it; what the sender calls
//! it does not, and is only compared: see [`Disagreement`].

mod form;
mod names;

use std::sync::OnceLock;

use sillage_schemas::coded::{Code, CodedDocument, Entry, Kind, Moment, Precision, Value};

use crate::knowledge::Knowledge;
use crate::lexicon::{Label, data_lines};
pub use names::{ATC, ICD10, Names, SNOMED};

/// Templates of a problem: a diagnosis, a symptom, an antecedent (IHE PCC, CCD, CI-SIS).
const PROBLEM: &[&str] = &["1.3.6.1.4.1.19376.1.5.3.1.4.5", "2.16.840.1.113883.10.20.1.28", "1.2.250.1.213.1.1.3.37"];
/// SNOMED CT, of a problem: a symptom that the patient or a witness reports.
const SYMPTOM: &str = "418799008";
/// LOINC, of an observation whose value is a part of the body.
const LOCATION: &str = "39111-0";
/// Acts that did not take place, and entries that were made by mistake.
const NOT_DONE: &[&str] = &["nullified", "cancelled", "obsolete", "new", "held"];

/// An entry as a mention.
#[derive(Debug, Clone, PartialEq)]
pub struct CodedEntity<'c> {
    /// Which entry of the document.
    pub entry: usize,
    pub label: Option<Label>,
    pub snomed: Option<String>,
    pub icd10: Option<String>,
    pub atc: Option<String>,
    pub negated: bool,
    pub hypothetical: bool,
    pub historical: bool,
    pub family: bool,
    /// As the text library names sections.
    pub section: Option<&'static str>,
    pub time: Option<&'c Moment>,
    /// The words of the narrative that the entry points to, in characters.
    pub span: Option<(usize, usize)>,
}

/// A code that the sender calls something else.
#[derive(Clone, PartialEq)]
pub struct Disagreement<'c> {
    pub entry: usize,
    pub system: &'c str,
    pub code: &'c str,
    pub display: &'c str,
}

/// Name of a section by its LOINC code.
pub fn section_of(code: &str) -> Option<&'static str> {
    static SECTIONS: OnceLock<Vec<(&'static str, &'static str)>> = OnceLock::new();
    let sections = SECTIONS.get_or_init(|| {
        let rows = data_lines(include_str!("../data/coded_sections.csv"));
        rows.filter_map(|(_, row)| row.split_once(';')).collect()
    });
    sections.iter().find(|(known, _)| *known == code).map(|(_, name)| *name).filter(|name| *name != "none")
}

/// The LOINC codes of the section of an entry and of those around it, innermost first.
pub fn sections<'c>(document: &'c CodedDocument, entry: &Entry) -> impl Iterator<Item = &'c str> {
    // A parent always stands before its sections: no circle.
    let of = move |index: usize| document.sections.get(index).map(|section| (index, section));
    let up = std::iter::successors(of(entry.section), move |(index, section)| section.parent.filter(|p| p < index).and_then(of));
    up.filter_map(|(_, section)| section.code.as_deref())
}

/// The section of an entry as the text library names it.
pub fn section_name(document: &CodedDocument, entry: &Entry) -> Option<&'static str> {
    sections(document, entry).find_map(section_of)
}

/// An entry and those that it is part of, innermost first.
pub fn with_parents(document: &CodedDocument, index: usize) -> impl Iterator<Item = &Entry> {
    let of = move |index: usize| document.entries.get(index).map(|entry| (index, entry));
    std::iter::successors(of(index), move |(index, entry)| entry.parent.filter(|p| p < index).and_then(of)).map(|(_, entry)| entry)
}

/// Whether the entry tells of something that is or was, whether so or not.
pub fn is_fact(document: &CodedDocument, index: usize) -> bool {
    let not_done = |entry: &Entry| entry.status.as_deref().is_some_and(|status| NOT_DONE.contains(&status));
    !with_parents(document, index).any(|entry| entry.kind == Kind::Criterion || not_done(entry))
}

/// Whether the entry is planned, asked or wished for.
pub fn is_planned(document: &CodedDocument, index: usize) -> bool {
    with_parents(document, index).any(|entry| entry.mood.as_deref().is_some_and(|mood| mood != "EVN"))
}

/// What an entry says about whether what its code names is there: the value where it
/// is true or false. `None` where it has values of another kind.
pub fn stated(entry: &Entry) -> Option<bool> {
    match entry.values.as_slice() {
        [] => Some(!entry.negated),
        [Value::Boolean(value)] => Some(*value && !entry.negated),
        _ => None,
    }
}

/// The day or the clock time of an entry, else of what it is part of.
pub fn time_of(document: &CodedDocument, index: usize) -> Option<&Moment> {
    with_parents(document, index).find_map(|entry| entry.start.as_ref().or(entry.end.as_ref()))
}

/// The mentions that the entries of a document are, in their order, each once.
pub fn entities<'c>(knowledge: &Knowledge, document: &'c CodedDocument) -> Vec<CodedEntity<'c>> {
    let mut found: Vec<CodedEntity<'c>> = Vec::new();
    for (index, entry) in document.entries.iter().enumerate().filter(|(index, _)| is_fact(document, *index)) {
        let mut reader = Reader { knowledge, document, index, entry, found: &mut found };
        match entry.kind {
            Kind::Observation => reader.observation(),
            Kind::Procedure => reader.mention(entry.code.as_ref(), entry.negated, Some(Label::Procedure)),
            Kind::Act => reader.mention(entry.code.as_ref(), entry.negated, None),
            Kind::Medication => {
                reader.mention(entry.product.as_ref(), entry.negated, Some(Label::Drug));
                reader.mention(entry.code.as_ref(), entry.negated, Some(Label::Procedure));
            }
            Kind::Supply | Kind::Encounter | Kind::Organizer | Kind::Criterion => {}
        }
    }
    found
}

struct Reader<'r, 'c> {
    knowledge: &'r Knowledge,
    document: &'c CodedDocument,
    index: usize,
    entry: &'c Entry,
    found: &'r mut Vec<CodedEntity<'c>>,
}

impl Reader<'_, '_> {
    fn observation(&mut self) {
        let entry = self.entry;
        let code = entry.code.as_ref();
        if let Some(stated) = stated(entry) {
            // What is said to be true or false is there or not, whatever it is.
            return self.take(code, !stated, None, !entry.values.is_empty());
        }
        let is = |system, wanted| code.is_some_and(|code| code.is(system, wanted));
        let is_problem = entry.templates.iter().any(|template| PROBLEM.contains(&template.as_str()));
        let label = match () {
            () if is(SNOMED, SYMPTOM) => Some(Label::Sign),
            () if is_problem => Some(Label::Disorder),
            () if is("LOINC", LOCATION) => Some(Label::Anatomy),
            () => None,
        };
        for value in &entry.values {
            if let Value::Coded(value) = value {
                self.mention(Some(value), entry.negated, label);
            }
        }
    }

    /// A code as a mention of that kind, where the code itself does not say of which.
    fn mention(&mut self, code: Option<&Code>, negated: bool, otherwise: Option<Label>) {
        self.take(code, negated, otherwise, otherwise.is_some());
    }

    /// The same; `sure`: it is a mention although nobody here knows the code.
    fn take(&mut self, code: Option<&Code>, negated: bool, otherwise: Option<Label>, sure: bool) {
        let Some(code) = code else { return };
        let mut codes = [None, None, None];
        let (mut label, mut known) = (None, false);
        for code in code.all() {
            let (Some(system), Some(code)) = (code.system.as_deref(), code.code.as_deref()) else { continue };
            let Some(at) = [SNOMED, ICD10, ATC].iter().position(|s| *s == system) else { continue };
            let Some(code) = form::canonical(system, code) else { continue };
            let name = self.knowledge.names.of(system, &code);
            if name.is_some_and(|name| name.is_no_mention) {
                continue;
            }
            label = label.or(name.and_then(|name| name.label)).or(match system {
                ATC => Some(Label::Drug),
                ICD10 if code.starts_with('R') => Some(Label::Sign),
                ICD10 => otherwise.or(Some(Label::Disorder)),
                _ => None,
            });
            known |= name.is_some() || system != SNOMED;
            codes[at] = codes[at].take().or(Some(code));
        }
        // A code of SNOMED CT that nobody here knows can be a qualifier or a scale.
        if codes.iter().all(Option::is_none) || !known && !sure {
            return;
        }
        let section = section_name(self.document, self.entry);
        let [snomed, icd10, atc] = codes;
        let entity = CodedEntity {
            entry: self.index,
            label: label.or(otherwise),
            snomed,
            icd10,
            atc,
            negated,
            hypothetical: is_planned(self.document, self.index),
            historical: section == Some("history"),
            family: section == Some("family_history"),
            section,
            time: time_of(self.document, self.index).filter(|time| time.precision >= Precision::Day),
            span: self.entry.span,
        };
        if !self.found.iter().any(|before| CodedEntity { entry: entity.entry, ..before.clone() } == entity) {
            self.found.push(entity);
        }
    }
}

/// Codes of a document whose displays are known to mean something else.
pub fn disagreements<'c>(knowledge: &Knowledge, document: &'c CodedDocument) -> Vec<Disagreement<'c>> {
    let mut found = Vec::new();
    for (index, entry) in document.entries.iter().enumerate() {
        let values = entry.values.iter().filter_map(|value| match value {
            Value::Coded(code) => Some(code),
            _ => None,
        });
        let codes = entry.code.iter().chain(values).chain(&entry.sites).chain(&entry.product);
        for code in codes.flat_map(|code| code.all().chain(&code.qualifiers)) {
            let Some((system, code, display)) = names::named(code) else { continue };
            if knowledge.is_misnamed(system, code, display) {
                found.push(Disagreement { entry: index, system, code, display });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
