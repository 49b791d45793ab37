//! Values of the declared variables in one document.
//!
//! Each kind of rule has its part: `measure` (numbers), `phrase` (words and mentions
//! of the lexicon), `event` (times), `grid` and `glasgow` (items that sum), `record` (facts of the
//! patient's record), `series`, `table` and `columns` (numbers whose name or moment
//! stands further off). What they find goes through the same gate: conditions of the
//! rule, domain, section, document, moment.

mod columns;
mod event;
mod evidence;
mod glasgow;
mod grid;
mod measure;
mod number;
mod phrase;
mod record;
mod series;
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use chrono::{NaiveDateTime, NaiveTime};
use rustc_hash::FxHashMap;
use sillage_clinical::analysis::Analysis;
use sillage_clinical::is;
use sillage_clinical::qualifier::Qualifiers;
use sillage_clinical::text::Text;
use sillage_clinical::trie::Hit;

use crate::anchor::{Asked, Found, Moment, Moments, Reading, Stay};
use crate::definition::{Definition, Definitions, Role, Rule, SECTIONS, Type, Use};
use crate::episode::stay::told_stay;
use crate::{Anchor, Facts, Finding, Value};

/// Of the score of a number in doubt.
const DOUBTFUL: f32 = 0.6;
/// The variable that the end of the stay is.
const DISCHARGE: &str = "discharge_datetime";
/// Why a rule does not hold where its words stand.
const OTHER_DOCUMENT: &str = "the rule is not for this type of document";
const ALONE: &str = "none of the words of `with` stands near";
const SAID_AGAINST: &str = "a word of `unless` stands near";
/// How sure the end of a stay is that a letter tells with its beginning.
const STAY_SCORE: f32 = 0.9;

/// All values that a document gives, in the order of the text.
pub fn extract(definitions: &Definitions, analysis: &Analysis<'_>, facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    Extractor::new(definitions, analysis, facts, false).run(&mut |trial: Trial<'_>| {
        if let (None, Some(value), Some(reading)) = (trial.refused, trial.value, trial.reading) {
            let shown = match value {
                // A mention shows that it is there; that it is not, the words around it.
                Value::Boolean(false) => evidence::around(analysis, trial.bytes.clone()),
                Value::DateTime(_) if trial.how == "event" => evidence::time(analysis, trial.bytes.clone()),
                _ => trial.bytes.clone(),
            };
            findings.push(Finding {
                variable: Cow::Owned(trial.definition.name.clone()),
                value,
                start: shown.start,
                end: shown.end,
                section: analysis.section_at_byte(trial.bytes.start).map(|s| Cow::Owned(s.to_owned())),
                anchor: reading.moment.anchor(),
                event_time: trial.time.or(reading.time),
                score: trial.score,
                method: Cow::Owned(format!("{}:{}+{}", trial.definition.name, trial.how, reading.by)),
            });
        }
    });
    findings.extend(end_of_stay(definitions, analysis, facts, &findings));
    findings.sort_by(|a, b| (a.start, a.end, &a.variable).cmp(&(b.start, b.end, &b.variable)));
    findings.dedup_by(|b, a| {
        let twin = a.variable == b.variable && a.value == b.value && a.start == b.start && a.end == b.end && a.anchor == b.anchor;
        if twin && b.score > a.score {
            a.score = b.score;
        }
        twin
    });
    findings
}

/// The end of the stay where a letter tells it beside its beginning: "hospitalisée du
/// 3 au 15 mai". A finding of its own, so that its words can be shown.
fn end_of_stay(definitions: &Definitions, analysis: &Analysis<'_>, facts: &Facts<'_>, findings: &[Finding]) -> Option<Finding> {
    let definition = definitions.get(DISCHARGE)?;
    let letter = definitions.document_types.of(facts.type_code, &analysis.text) == Moment::Discharge.name();
    if !letter || findings.iter().any(|f| f.variable == DISCHARGE) {
        return None;
    }
    let (day, start, end) = told_stay(&analysis.text, analysis.times(), facts.time).1?;
    Some(Finding {
        variable: Cow::Owned(definition.name.clone()),
        value: Value::DateTime(day.and_time(NaiveTime::MIN)),
        start,
        end,
        section: analysis.section_at_byte(start).map(|s| Cow::Owned(s.to_owned())),
        anchor: Anchor::Discharge,
        event_time: None,
        score: STAY_SCORE,
        method: Cow::Owned(format!("{DISCHARGE}:stay+rule")),
    })
}

/// Bit of a section in [`Places`](crate::definition).
fn bit_of(section: &str) -> u32 {
    SECTIONS.iter().position(|name| *name == section).map_or(0, |i| 1 << i)
}

/// What a rule met, and what became of it.
pub(crate) struct Trial<'d> {
    pub definition: &'d Definition,
    pub rule: &'d Rule,
    pub bytes: Range<usize>,
    pub value: Option<Value>,
    pub reading: Option<Reading>,
    pub time: Option<NaiveDateTime>,
    pub how: &'static str,
    pub score: f32,
    pub refused: Option<&'static str>,
}

/// A value before the gate.
#[derive(Debug, Clone)]
struct Candidate {
    variable: u16,
    rule: u16,
    value: Option<Value>,
    /// Words that support it.
    tokens: Range<usize>,
    time: Option<NaiveDateTime>,
    how: &'static str,
    /// Of the rule's score.
    weight: f32,
    /// Said of the past: by a date, an older event, the section.
    historical: bool,
    /// The head of the column or of the list says which moment it is of.
    moment: Option<Moment>,
    refused: Option<&'static str>,
}

pub(crate) struct Extractor<'d, 'a> {
    definitions: &'d Definitions,
    analysis: &'d Analysis<'a>,
    facts: &'d Facts<'d>,
    document_type: &'d str,
    /// Bit of the document's type.
    document_bit: u32,
    /// Bits of the text's sections.
    section_bits: Vec<u32>,
    /// What is refused is told, not dropped.
    explains: bool,
    stay: Stay,
    /// Of spans asked for already.
    qualifiers: RefCell<FxHashMap<(usize, usize), Qualifiers>>,
    /// Phrases of the rules, ascending.
    hits: Vec<Hit>,
}

/// "entre" before what it stands between, not the verb: "entre aux urgences".
fn preposition(text: &Text<'_>, at: usize) -> bool {
    matches!(text.source(at..at + 1), "entre" | "Entre") && !is!(text.key(at + 1), "a" | "au" | "aux" | "en" | "dans" | "chez" | "par")
}

impl<'d, 'a> Extractor<'d, 'a> {
    pub(crate) fn new(definitions: &'d Definitions, analysis: &'d Analysis<'a>, facts: &'d Facts<'d>, explains: bool) -> Self {
        let compiled = &definitions.compiled;
        let mut hits = compiled.phrases.find(&analysis.text);
        // "Entre 9 h et 10 h" is no "entrée", though the stem is one; a phrase ends with its sentence.
        let mut at = 0;
        hits.retain(|hit| {
            if preposition(&analysis.text, hit.start) {
                return false;
            }
            while analysis.sentences.get(at).is_some_and(|s| s.end <= hit.start) {
                at += 1;
            }
            analysis.sentences.get(at).is_none_or(|s| hit.end <= s.end)
        });
        let document_type = definitions.document_types.of(facts.type_code, &analysis.text);
        let stay = Stay::new(analysis, facts, document_type);
        let document_bit = definitions.document_types.names().position(|name| name == document_type).map_or(0, |i| 1 << i);
        let section_bits = analysis.sections.iter().map(|section| bit_of(analysis.section_name(section))).collect();
        Extractor {
            definitions,
            analysis,
            facts,
            document_type,
            document_bit,
            section_bits,
            explains,
            stay,
            qualifiers: RefCell::default(),
            hits,
        }
    }

    pub(crate) fn run(&self, report: &mut dyn FnMut(Trial<'d>)) {
        let mut candidates = Vec::new();
        self.measured(&mut candidates);
        self.continued(&mut candidates);
        self.tabled(&mut candidates);
        self.named(&mut candidates);
        self.grids(&mut candidates);
        self.summed(&mut candidates);
        self.worded(&mut candidates);
        self.mentioned(&mut candidates);
        self.timed(&mut candidates);
        self.recorded(&mut candidates);
        let cues = self.cues();
        self.headed(&cues, &mut candidates);
        if candidates.is_empty() {
            return;
        }
        let moments = Moments::new(cues, self.analysis, &self.stay, self.document_type);
        candidates.sort_by_key(|c| (c.variable, c.tokens.start, c.tokens.end));
        let mut first = 0;
        while first < candidates.len() {
            let variable = candidates[first].variable;
            let end = first + candidates[first..].partition_point(|c| c.variable == variable);
            let spans: Vec<Range<usize>> =
                candidates[first..end].iter().filter(|c| c.refused.is_none()).map(|c| c.tokens.clone()).collect();
            for candidate in &mut candidates[first..end] {
                report(self.gate(candidate, &moments, &spans));
            }
            first = end;
        }
    }

    fn rule(&self, used: Use) -> (&'d Definition, &'d Rule) {
        let definition = &self.definitions.variables[used.variable as usize];
        (definition, &definition.rules[used.rule as usize])
    }

    /// Words of a moment, disjoint, the longest first.
    fn cues(&self) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for hit in &self.hits {
            if let Some(cue) = self.definitions.compiled.cues[hit.value as usize]
                && found.last().is_none_or(|f| f.tokens.end <= hit.start)
                && !self.analysis.form.at(hit.start).unticked()
            {
                found.push(Found { tokens: hit.start..hit.end, cue });
            }
        }
        found
    }

    fn uses(&self, hit: &Hit) -> &'d [Use] {
        &self.definitions.compiled.uses[hit.value as usize]
    }

    /// Phrases that start in these tokens.
    fn hits_in(&self, tokens: Range<usize>) -> &[Hit] {
        let first = self.hits.partition_point(|h| h.start < tokens.start);
        let end = self.hits.partition_point(|h| h.start < tokens.end);
        &self.hits[first..end]
    }

    /// What the text says of a span.
    fn qualifiers(&self, tokens: &Range<usize>) -> Qualifiers {
        let bytes = self.analysis.text.byte_range(tokens.clone());
        let known = self.qualifiers.borrow().get(&(bytes.start, bytes.end)).copied();
        known.unwrap_or_else(|| {
            let read = self.analysis.qualifiers(bytes.start, bytes.end).unwrap_or_default();
            self.qualifiers.borrow_mut().insert((bytes.start, bytes.end), read);
            read
        })
    }

    fn sentence(&self, token: usize) -> Range<usize> {
        let at = self.analysis.sentences.partition_point(|s| s.end <= token);
        self.analysis.sentences.get(at).cloned().unwrap_or(token..token)
    }

    /// A phrase of this role stands in the sentence.
    fn says(&self, sentence: &Range<usize>, variable: u16, rule: u16, role: Role) -> bool {
        let wanted = Use { variable, rule, role };
        // What an empty box offers says nothing.
        let said = |h: &&Hit| !self.analysis.form.at(h.start).unticked();
        self.hits_in(sentence.clone()).iter().filter(said).any(|h| self.uses(h).contains(&wanted))
    }

    /// Bit of the section that a token stands in.
    fn section_bit(&self, token: usize) -> u32 {
        let sections = &self.analysis.sections;
        let after = sections.partition_point(|s| s.tokens.start <= token);
        let here = after.checked_sub(1).filter(|i| sections[*i].tokens.contains(&token));
        here.map_or_else(|| bit_of("none"), |i| self.section_bits[i])
    }

    /// Why the rule does not count for words at this place, if so.
    fn conditions(&self, used: Use, tokens: &Range<usize>) -> Option<&'static str> {
        let (_, rule) = self.rule(used);
        let places = self.definitions.compiled.places[used.variable as usize][used.rule as usize];
        if places.documents & self.document_bit == 0 {
            return Some(OTHER_DOCUMENT);
        }
        if places.sections & self.section_bit(tokens.start) == 0 {
            return Some("the rule is not for this section");
        }
        if rule.with.is_empty() && rule.unless.is_empty() {
            return None;
        }
        let mut around = self.sentence(tokens.start);
        if let Some(window) = rule.window {
            around = tokens.start.saturating_sub(window).max(around.start)..(tokens.end + window).min(around.end);
        }
        if !rule.with.is_empty() && !self.says(&around, used.variable, used.rule, Role::With) {
            return Some(ALONE);
        }
        if !rule.unless.is_empty() && self.says(&around, used.variable, used.rule, Role::Unless) {
            return Some(SAID_AGAINST);
        }
        None
    }

    /// Why the boxes of a form say that the words do not count, if so.
    fn unchosen(&self, candidate: &Candidate, rule: &Rule, value: Option<&Value>) -> Option<&'static str> {
        let form = &self.analysis.form;
        if form.is_empty() || candidate.tokens.is_empty() {
            return None;
        }
        let (first, last) = (form.at(candidate.tokens.start), form.at(candidate.tokens.end - 1));
        let denied = value == Some(&Value::Boolean(false)) && rule.value == Some(Value::Boolean(true));
        if (first.unticked() || last.unticked()) && !denied {
            return Some("its box is not ticked");
        }
        // "Mode : pompiers (N)": what the form denies is no choice.
        let choice = candidate.how == "phrase" && matches!(value, Some(Value::Category(_)));
        if choice && last.denied() {
            return Some("the form denies it");
        }
        if first.title() && candidate.how == "phrase" {
            return Some("the title of a checklist");
        }
        (last.criterion() && matches!(candidate.how, "measurement" | "series" | series::CORRECTED | "name"))
            .then_some("a criterion, not a value")
    }

    /// Conditions of the rule, domain, section, document, moment.
    fn gate(&self, candidate: &mut Candidate, moments: &Moments<'_, '_>, spans: &[Range<usize>]) -> Trial<'d> {
        let used = Use { variable: candidate.variable, rule: candidate.rule, role: Role::Value };
        let (definition, rule) = self.rule(used);
        let bytes = self.analysis.text.byte_range(candidate.tokens.clone());
        let section = self.analysis.section_at_byte(bytes.start).unwrap_or("none");
        let trust = definition.sections.of(Some(section)) * definition.documents.of(Some(self.document_type)).clamp(0.0, 1.0);
        let mut trial = Trial {
            definition,
            rule,
            bytes,
            value: candidate.value.take(),
            reading: None,
            time: candidate.time,
            how: candidate.how,
            score: 0.0,
            refused: candidate.refused,
        };
        if trial.refused.is_none() {
            trial.refused = self.conditions(used, &candidate.tokens).or(match &trial.value {
                Some(value) if !definition.admits(value) => Some("the value is outside the domain"),
                None => Some("no value"),
                _ => None,
            });
        }
        if trial.refused.is_none() {
            trial.refused = self.unchosen(candidate, rule, trial.value.as_ref());
        }
        if trial.refused.is_none() && candidate.moment.is_some_and(|told| rule.anchor.is_some_and(|fixed| fixed != told)) {
            trial.refused = Some("the head of its column says another moment");
        }
        if trial.refused.is_some() {
            return trial;
        }
        let asked = Asked {
            measured: matches!(definition.kind, Type::Integer | Type::Float),
            before: definition.anchors.of(Some("pre_stroke")) > 0.0,
        };
        let copy = self.analysis.is_copy(candidate.tokens.start);
        let mut reading = match rule.anchor.or(candidate.moment) {
            _ if copy => Reading { moment: Moment::History, strength: 0.8, time: None, by: "copy" },
            Some(moment) => Reading { moment, strength: 1.0, time: None, by: "rule" },
            None => moments.of(candidate.tokens.clone(), spans, asked),
        };
        if candidate.historical && rule.anchor.is_none() && !(reading.by == "near" && reading.moment != Moment::History) {
            let before = matches!(section, "history" | "home_treatment" | "social" | "allergies");
            reading.moment = if before && reading.by != "date" { Moment::PreStroke } else { Moment::History };
        }
        let fit = definition.anchors.of(Some(reading.moment.name()));
        trial.reading = Some(reading);
        // "Rankin 2 ?": a number in doubt.
        let doubtful = asked.measured && is!(self.analysis.text.key(candidate.tokens.end), "?");
        let certain = if doubtful { DOUBTFUL } else { 1.0 };
        trial.score = rule.score * candidate.weight * trust * fit * certain * (0.5 + 0.5 * reading.strength);
        if fit == 0.0 {
            trial.refused = Some("the moment is not one that the variable accepts");
        }
        trial
    }
}
