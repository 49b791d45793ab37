//! Declarations made ready: one set of phrases for all variables, rules by concept
//! and by measurement.

use rustc_hash::FxHashMap;
use sillage_clinical::knowledge::Knowledge;
use sillage_clinical::lexicon::Concept;

use super::check::Problem;
use super::read::SECTIONS;
use super::{Definition, Find, Rule, Selector, Weights};
use crate::anchor::{Cue, built_in_cues};
use crate::document_type::DocumentTypes;
use crate::matcher::Matcher;

/// Small words that may stand inside any phrase.
const SKIPPED: &[&str] = &["de", "d", "du", "des", "la", "le", "l", "les", "un", "une", "'", "-", "+", "son", "sa", "ses"];

/// What a phrase is to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It stands for the value.
    Value,
    /// A number follows it.
    Name,
    /// A time stands beside it.
    Event,
    /// An item of a grid.
    Item(u16),
    With,
    Unless,
}

/// A rule that uses a phrase, a concept or a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Use {
    pub variable: u16,
    pub rule: u16,
    pub role: Role,
}

/// Types of documents and sections in which a rule counts, as bits in the order of
/// [`DocumentTypes::names`] and [`SECTIONS`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    pub documents: u32,
    pub sections: u32,
}

impl Places {
    fn new(definition: &Definition, rule: &Rule, types: &DocumentTypes) -> Places {
        fn bits<'n>(names: impl Iterator<Item = &'n str>, weights: &Weights, only: &[String], never: &[String]) -> u32 {
            let counts = |name: &str| {
                weights.of(Some(name)) > 0.0 && (only.is_empty() || only.iter().any(|n| n == name)) && !never.iter().any(|n| n == name)
            };
            names.enumerate().filter(|(_, name)| counts(name)).map(|(i, _)| 1 << i).sum()
        }
        Places {
            documents: bits(types.names(), &definition.documents, &rule.documents, &rule.not_documents),
            sections: bits(SECTIONS.iter().copied(), &definition.sections, &rule.sections, &rule.not_sections),
        }
    }
}

#[derive(Default)]
pub(crate) struct Compiled {
    pub phrases: Matcher,
    /// By value of a phrase.
    pub uses: Vec<Vec<Use>>,
    /// By id of a concept.
    pub concepts: FxHashMap<Box<str>, Vec<Use>>,
    pub measurements: FxHashMap<String, Vec<Use>>,
    /// Rules that look at the record.
    pub facts: Vec<Use>,
    /// By value of a phrase: what it says of the moment.
    pub cues: Vec<Option<Cue>>,
    /// By variable and rule: where it counts.
    pub places: Vec<Vec<Places>>,
}

impl Compiled {
    /// Errors: a phrase that cannot be read, a concept that nobody knows, with the
    /// position of the variable.
    pub(crate) fn new(knowledge: &Knowledge, types: &DocumentTypes, variables: &[Definition]) -> Result<Compiled, (usize, Problem)> {
        let cues = built_in_cues().map_err(|problem| (0, problem))?;
        let mut compiled = Compiled::default();
        let mut ids: FxHashMap<&str, u32> = FxHashMap::default();
        for (v, variable) in variables.iter().enumerate() {
            compiled.places.push(variable.rules.iter().map(|rule| Places::new(variable, rule, types)).collect());
            for (r, rule) in variable.rules.iter().enumerate() {
                let at = |role| Use { variable: v as u16, rule: r as u16, role };
                if let Find::Measurement { name, .. } = &rule.find {
                    compiled.measurements.entry(name.clone()).or_default().push(at(Role::Value));
                }
                if let Find::Fact(_) = &rule.find {
                    compiled.facts.push(at(Role::Value));
                }
                let (selectors, concept_role) = selectors_of(rule);
                let texts = phrases_of(rule);
                for (text, role) in texts {
                    let id = compiled.phrase(&mut ids, text).map_err(|message| (v, Problem { line: rule.line, message }))?;
                    compiled.uses[id as usize].push(at(role));
                }
                for selector in selectors {
                    let mut found = false;
                    for concept in knowledge.lexicon.concepts.iter().filter(|c| selector.selects(c)) {
                        found = true;
                        compiled.concepts.entry(concept.id.clone()).or_default().push(at(concept_role));
                    }
                    if !found {
                        return Err((v, Problem { line: rule.line, message: selector.unknown(knowledge) }));
                    }
                }
            }
        }
        for (text, cue) in &cues {
            let id = compiled.phrase(&mut ids, text).map_err(|message| (0, Problem { line: 1, message }))?;
            compiled.cues[id as usize] = Some(*cue);
        }
        for word in SKIPPED {
            compiled.phrases.skip(word);
        }
        compiled.phrases.finish();
        Ok(compiled)
    }

    /// Number of a phrase, which is added when it is new.
    fn phrase<'t>(&mut self, ids: &mut FxHashMap<&'t str, u32>, text: &'t str) -> Result<u32, String> {
        if let Some(id) = ids.get(text) {
            return Ok(*id);
        }
        let id = self.uses.len() as u32;
        self.phrases.add(text, id).map_err(|error| format!("{text:?}: {error}"))?;
        self.uses.push(Vec::new());
        self.cues.push(None);
        ids.insert(text, id);
        Ok(id)
    }

    /// Every phrase and concept of a rule that cannot be used.
    pub(crate) fn mistakes(knowledge: &Knowledge, rule: &Rule) -> Vec<Problem> {
        let mut found = Vec::new();
        let mut say = |message: String| found.push(Problem { line: rule.line, message });
        for (text, _) in phrases_of(rule) {
            if let Err(error) = Matcher::default().add(text, 0) {
                say(format!("{text:?}: {error}"));
            }
        }
        for selector in selectors_of(rule).0 {
            if !knowledge.lexicon.concepts.iter().any(|c| selector.selects(c)) {
                say(selector.unknown(knowledge));
            }
        }
        found
    }
}

/// Every phrase of a rule and what it is to it.
fn phrases_of(rule: &Rule) -> Vec<(&str, Role)> {
    fn all(list: &[String], role: Role) -> impl Iterator<Item = (&str, Role)> {
        list.iter().map(move |p| (p.as_str(), role))
    }
    let mut texts: Vec<(&str, Role)> = match &rule.find {
        Find::Names { names, .. } => all(names, Role::Name).collect(),
        Find::Grid { items, .. } => items.iter().enumerate().map(|(i, n)| (n.as_str(), Role::Item(i as u16))).collect(),
        Find::Phrases(phrases) => all(phrases, Role::Value).collect(),
        Find::Events { phrases, .. } => all(phrases, Role::Event).collect(),
        Find::Measurement { .. } | Find::Concepts(_) | Find::Fact(_) => Vec::new(),
    };
    texts.extend(all(&rule.with, Role::With));
    texts.extend(all(&rule.unless, Role::Unless));
    texts
}

fn selectors_of(rule: &Rule) -> (&[Selector], Role) {
    match &rule.find {
        Find::Concepts(found) => (found, Role::Value),
        Find::Events { concepts, .. } => (concepts, Role::Event),
        _ => (&[], Role::Value),
    }
}

impl Selector {
    pub(crate) fn selects(&self, concept: &Concept) -> bool {
        match self {
            Selector::Concept(id) => *concept.id == **id,
            Selector::Icd10(code) => concept.icd10.as_deref().is_some_and(|c| c.starts_with(code.as_str())),
            Selector::Atc(code) => concept.atc.as_deref().is_some_and(|c| c.starts_with(code.as_str())),
        }
    }

    fn unknown(&self, knowledge: &Knowledge) -> String {
        match self {
            Selector::Concept(id) => {
                let near = super::line::nearest(id, knowledge.lexicon.concepts.iter().map(|c| &*c.id));
                format!("no concept `{id}` in the lexicon{near}")
            }
            Selector::Icd10(code) => format!("no concept of the lexicon has an ICD-10 code that starts with `{code}`"),
            Selector::Atc(code) => format!("no concept of the lexicon has an ATC code that starts with `{code}`"),
        }
    }
}
