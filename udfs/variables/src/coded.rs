//! Values of the declared variables that the coded entries of a clinical document
//! state.
//!
//! A number whose code is that of a definition is a value of it; what else codes say
//! stands in `data/coded_entries.csv`. The moment is that of the document model
//! (`data/coded_documents.toml`) or of the entry's own time. Each value is given once.

mod mapping;
mod moment;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use chrono::NaiveDateTime;
use sillage_clinical::coded::{is_fact, is_planned, section_name, sections, stated, time_of, with_parents};
use sillage_schemas::coded::{Code, CodedDocument, Entry, Moment as Stamp, Precision, Value as Sent};

use crate::anchor::Moment;
use crate::definition::{Definition, Definitions, Type};
use crate::{Anchor, Facts, Value};
use mapping::{Line, Mapping, Place, Said, Take};
use moment::{When, moment};

/// `method` of the values that come from coded entries.
pub const METHOD: &str = "cda-entry";

/// How sure a number is whose code is that of a definition.
const SCORE: f32 = 0.95;
/// Of a value whose time contradicts the moment that its document is of.
const CONTRADICTED: f32 = 0.5;

/// A value of a variable in a coded entry.
#[derive(Debug, Clone, PartialEq)]
pub struct CodedFinding {
    pub variable: Cow<'static, str>,
    pub value: Value,
    pub anchor: Anchor,
    pub event_time: Option<NaiveDateTime>,
    pub score: f32,
    /// As the text library names sections.
    pub section: Option<&'static str>,
    /// Which entry of the document.
    pub entry: usize,
    /// The words of the narrative that the entry points to, in characters.
    pub span: Option<(usize, usize)>,
}

/// The values that a document states in codes. `kind`: which type of document it is;
/// `facts`: its time and stay.
pub fn extract(definitions: &Definitions, document: &CodedDocument, kind: &str, facts: &Facts<'_>) -> Vec<CodedFinding> {
    let mapping = Mapping::built_in();
    let said = mapping.said(&document.templates);
    let mut reader = Reader { definitions, mapping, document, kind, facts, said, found: Vec::new() };
    for index in 0..document.entries.len() {
        if is_fact(document, index) && !is_planned(document, index) {
            reader.entry(index);
        }
    }
    reader.found
}

struct Reader<'r> {
    definitions: &'r Definitions,
    mapping: &'r Mapping,
    document: &'r CodedDocument,
    kind: &'r str,
    facts: &'r Facts<'r>,
    said: Option<Said>,
    found: Vec<CodedFinding>,
}

impl Reader<'_> {
    fn entry(&mut self, index: usize) {
        let entry = &self.document.entries[index];
        for code in entry.code.iter().flat_map(Code::all) {
            let (Some(system), Some(code)) = (code.system.as_deref(), code.code.as_deref()) else { continue };
            for definition in self.definitions.variables.iter().filter(|d| matches!(d.kind, Type::Integer | Type::Float)) {
                let own = match system {
                    "LOINC" => definition.loinc.as_deref(),
                    "SNOMED CT" => definition.snomed.as_deref(),
                    _ => None,
                };
                if own == Some(code) {
                    let value = self.number(entry, definition, definition.unit.as_deref().unwrap_or_default(), 1.0);
                    self.add(index, definition, value, None, SCORE, false);
                }
            }
        }
        let mapping = self.mapping;
        let met: Vec<&Line> = mapping.lines.iter().filter(|line| self.meets(entry, line)).collect();
        for line in &met {
            // The longest code says it most exactly.
            let better = |other: &&Line| other.variable == line.variable && other.at == line.at && other.code.len() > line.code.len();
            if !line.begins || !met.iter().any(better) {
                self.line(index, line);
            }
        }
    }

    fn meets(&self, entry: &Entry, line: &Line) -> bool {
        let is = |code: &Code| code.all().any(|c| c.system.as_deref().zip(c.code.as_deref()).is_some_and(|(s, c)| line.is_code(s, c)));
        let values = || {
            entry.values.iter().filter_map(|value| match value {
                Sent::Coded(code) => Some(code),
                _ => None,
            })
        };
        let there = match line.at {
            Place::Code => entry.code.as_ref().is_some_and(is),
            Place::Value => values().any(is),
            Place::Finding => match stated(entry) {
                Some(_) => entry.code.as_ref().is_some_and(is),
                None => values().any(is),
            },
            Place::Product => entry.product.as_ref().is_some_and(is),
            Place::Site => entry.sites.iter().any(is),
            Place::Side => values().chain(&entry.sites).flat_map(|code| &code.qualifiers).any(is),
        };
        let of = line.of.is_none_or(|(system, code)| entry.code.as_ref().is_some_and(|own| own.is(system, code)));
        let documents = line.documents.is_empty() || self.document.templates.iter().any(|t| line.documents.contains(&t.as_str()));
        let listed = || sections(self.document, entry).any(|section| line.sections.contains(&section));
        there && of && documents && (line.sections.is_empty() || listed() != line.other_sections)
    }

    fn line(&mut self, index: usize, line: &Line) {
        let entry = &self.document.entries[index];
        let Some(definition) = self.definitions.get(line.variable) else { return };
        // A part of what is not there says nothing by itself.
        let within_absent = with_parents(self.document, index).skip(1).any(|parent| parent.negated);
        let affirmed = stated(entry).unwrap_or(!entry.negated) && !within_absent;
        let category =
            || definition.values.iter().find(|value| *value == line.value).map(|value| Value::Category(Cow::Owned(value.clone())));
        let value = match line.take {
            Take::Number => self.number(entry, definition, line.unit, line.factor),
            Take::Present if within_absent => None,
            Take::Present => Some(Value::Boolean(affirmed)),
            Take::Value => affirmed.then(category).flatten(),
            Take::Start => affirmed.then(|| time(entry.start.as_ref(), line)).flatten(),
            Take::End => affirmed.then(|| time(entry.end.as_ref(), line)).flatten(),
        };
        self.add(index, definition, value, line.moment, line.score, !line.sections.is_empty());
    }

    fn number(&self, entry: &Entry, definition: &Definition, unit: &str, factor: f64) -> Option<Value> {
        if entry.negated {
            return None;
        }
        let sent = entry.values.iter().find_map(|value| match value {
            Sent::Number { value, unit } => Some((*value, unit.as_deref())),
            _ => None,
        });
        let (number, sent) = sent?;
        let number = number * self.mapping.factor(unit, sent)? * factor;
        // Without the traces of binary fractions: 1.2 g/L is 6.66 mmol/L.
        let number = (number * 1e4).round() / 1e4;
        let whole = definition.kind != Type::Integer || number.fract() == 0.0;
        (whole && definition.domain.is_some_and(|[least, most]| (least..=most).contains(&number))).then_some(Value::Number(number))
    }

    /// Takes a value in, unless its variable does not accept its moment, document or section.
    fn add(&mut self, index: usize, definition: &Definition, value: Option<Value>, fixed: Option<Moment>, score: f32, placed: bool) {
        let Some(value) = value else { return };
        let entry = &self.document.entries[index];
        let when = time_of(self.document, index).and_then(when);
        let (mut moment, contradicts) = moment(self.said, self.kind, when, self.facts);
        let mut score = score;
        if let Some(fixed) = fixed {
            moment = fixed;
            if contradicts && fixed == Moment::Admission {
                score *= CONTRADICTED;
            }
        } else if contradicts {
            let before = when.zip(self.facts.time).is_some_and(|(when, time)| when.at < time);
            if before && definition.anchors.of(Some(Moment::PreStroke.name())) > 0.0 {
                moment = Moment::PreStroke;
            } else {
                score *= CONTRADICTED;
            }
        }
        let section = section_name(self.document, entry);
        score *= definition.anchors.of(Some(moment.name())) * definition.documents.of(Some(self.kind));
        if !placed {
            score *= definition.sections.of(section);
        }
        if score <= 0.0 {
            return;
        }
        let finding = CodedFinding {
            variable: Cow::Owned(definition.name.clone()),
            value,
            anchor: moment.anchor(),
            event_time: when.filter(|when| when.precision >= Precision::Day).map(|when| when.at),
            score,
            section,
            entry: index,
            span: entry.span,
        };
        let same = |known: &CodedFinding| {
            known.variable == finding.variable
                && known.value == finding.value
                && known.anchor == finding.anchor
                && (known.event_time == finding.event_time || known.event_time.is_none() || finding.event_time.is_none())
        };
        match self.found.iter_mut().find(|known| same(known)) {
            // Of two that say the same the one that can be shown, or is surer.
            Some(known) => {
                if (finding.span.is_some(), finding.score) > (known.span.is_some(), known.score) {
                    *known = finding;
                }
            }
            None => self.found.push(finding),
        }
    }
}

/// A time, exactly enough for what it is the time of: a stay ends on a day.
fn time(stamp: Option<&Stamp>, line: &Line) -> Option<Value> {
    let when = when(stamp?)?;
    let least = if line.variable == "discharge_datetime" { Precision::Day } else { Precision::Minute };
    (when.precision >= least).then_some(Value::DateTime(when.at))
}

fn when(stamp: &Stamp) -> Option<When> {
    let at = NaiveDateTime::parse_from_str(&stamp.at, "%Y-%m-%dT%H:%M:%S").ok()?;
    Some(When { at, precision: stamp.precision })
}
