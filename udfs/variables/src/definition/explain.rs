//! What fires in a sentence, and why; examples run the same way.

use sillage_clinical::analysis::Analysis;
use sillage_clinical::knowledge::Knowledge;

use super::check::{Problem, shown};
use super::{Definition, Definitions, Example};
use crate::extract::{Extractor, Trial};
use crate::{Facts, Value};

/// A rule that met words of the sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    pub variable: String,
    /// Line of the rule in its file.
    pub line: usize,
    /// Words that the rule met.
    pub words: String,
    pub value: Option<Value>,
    pub moment: Option<&'static str>,
    pub outcome: Outcome,
    pub score: f32,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Found,
    /// Nothing is found, and why.
    Refused(&'static str),
}

impl Definitions {
    /// All that the rules met in a text, accepted or not, in the order of the text.
    pub fn explain(&self, knowledge: &Knowledge, text: &str, facts: &Facts<'_>) -> Vec<Attempt> {
        let analysis = Analysis::new(knowledge, text, facts.time).with_type(facts.type_code);
        let mut attempts = Vec::new();
        Extractor::new(self, &analysis, facts, true).run(&mut |trial: Trial<'_>| {
            attempts.push((
                trial.bytes.start,
                Attempt {
                    variable: trial.definition.name.clone(),
                    line: trial.rule.line,
                    words: text.get(trial.bytes).unwrap_or_default().to_owned(),
                    value: trial.value,
                    moment: trial.reading.map(|r| r.moment.name()),
                    outcome: trial.refused.map_or(Outcome::Found, Outcome::Refused),
                    score: trial.score,
                },
            ));
        });
        attempts.sort_by_key(|(start, _)| *start);
        attempts.into_iter().map(|(_, attempt)| attempt).collect()
    }
}

/// Runs an example; tells what differs.
pub(super) fn run_example(definitions: &Definitions, knowledge: &Knowledge, variable: &Definition, example: &Example) -> Option<Problem> {
    let facts = Facts {
        type_code: example.type_code.as_deref(),
        time: example.time,
        stay_start: example.stay_start,
        stay_end: example.stay_end,
        ..Facts::default()
    };
    let attempts = definitions.explain(knowledge, &example.text, &facts);
    let mine = || attempts.iter().filter(|a| a.variable == variable.name);
    let best = mine().filter(|a| a.outcome == Outcome::Found).fold(None, |best: Option<&Attempt>, a| match best {
        Some(b) if b.score >= a.score => Some(b),
        _ => Some(a),
    });
    let problem = |message: String| Some(Problem { line: example.line, message });
    let why = || {
        let tried: Vec<String> = mine()
            .filter_map(|a| match a.outcome {
                Outcome::Refused(why) => Some(format!("{:?} (rule on line {}): {why}", a.words, a.line)),
                Outcome::Found => None,
            })
            .collect();
        if tried.is_empty() { String::new() } else { format!("; {}", tried.join("; ")) }
    };
    match (&example.value, best) {
        (None, None) => None,
        (None, Some(found)) => problem(format!(
            "the example should find nothing, but the rule on line {} finds {} in {:?}",
            found.line,
            found.value.as_ref().map(shown).unwrap_or_default(),
            found.words
        )),
        (Some(value), None) => problem(format!("the example should find {}, but no rule fires{}", shown(value), why())),
        (Some(value), Some(found)) if !same(value, found.value.as_ref()) => problem(format!(
            "the example should find {}, but the rule on line {} finds {} in {:?}{}",
            shown(value),
            found.line,
            found.value.as_ref().map(shown).unwrap_or_default(),
            found.words,
            why()
        )),
        (_, Some(found)) => match example.anchor {
            Some(anchor) if found.moment != Some(anchor.name()) => problem(format!(
                "the example should find the anchor {}, but the rule on line {} finds {}",
                anchor.name(),
                found.line,
                found.moment.unwrap_or("none")
            )),
            _ => None,
        },
    }
}

fn same(a: &Value, b: Option<&Value>) -> bool {
    match (a, b) {
        (Value::Number(a), Some(Value::Number(b))) => (a - b).abs() <= 1e-6 * a.abs().max(1.0),
        (a, Some(b)) => a == b,
        (_, None) => false,
    }
}
