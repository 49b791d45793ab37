//! What resolved values say of other variables: declared rules
//! (`data/entailments.toml`), each applied once, in the order of the file.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use sillage_schemas::Fault;
use thiserror::Error;

use super::{Origin, Resolved};
use crate::Value;

/// What is concluded is a little less sure than what it is concluded from.
const DISCOUNT: f32 = 0.9;

/// What is stated this much less surely than its cause is shown by the words of the cause.
const WEAKER: f32 = 0.5;

/// Rules that cannot be read.
#[derive(Debug, Error)]
#[error("entailments: {0}")]
pub struct EntailmentError(String);

impl EntailmentError {
    pub fn fault(&self) -> Fault {
        Fault::Configuration
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    name: String,
    when: Condition,
    then: Option<Conclusion>,
    #[serde(default)]
    drops: Vec<String>,
    #[serde(default)]
    replaces: bool,
    #[serde(default)]
    shows: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    variable: String,
    is: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Conclusion {
    variable: String,
    value: Literal,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Literal {
    Boolean(bool),
    Number(f64),
    Category(String),
}

impl Literal {
    fn value(&self) -> Value {
        match self {
            Literal::Boolean(b) => Value::Boolean(*b),
            Literal::Number(n) => Value::Number(*n),
            Literal::Category(c) => Value::Category(c.clone().into()),
        }
    }
}

/// Rules over resolved values.
pub struct Entailments {
    rules: Vec<Rule>,
}

impl Entailments {
    /// Reads rules.
    ///
    /// Errors: what is wrong with the file.
    pub fn read(text: &str) -> Result<Entailments, EntailmentError> {
        let file: File = toml::from_str(text).map_err(|e| EntailmentError(e.to_string()))?;
        if let Some(rule) = file.rule.iter().find(|r| r.then.is_none() && r.drops.is_empty()) {
            return Err(EntailmentError(format!("rule {:?} has neither `then` nor `drops`", rule.name)));
        }
        Ok(Entailments { rules: file.rule })
    }

    pub fn built_in() -> &'static Entailments {
        static RULES: OnceLock<Entailments> = OnceLock::new();
        RULES.get_or_init(|| match Entailments::read(include_str!("../../data/entailments.toml")) {
            Ok(rules) => rules,
            Err(error) => unreachable!("a test reads the embedded data: {error}"),
        })
    }

    /// Adds what follows from the values, and removes what cannot be.
    pub fn apply(&self, values: &mut BTreeMap<String, Resolved>) {
        for rule in &self.rules {
            let Some(cause) = values.get(&rule.when.variable) else { continue };
            let name = super::canonical(&cause.value);
            if !rule.when.is.iter().any(|v| v == "*" || *v == name) {
                continue;
            }
            if let Some(then) = &rule.then {
                let value = then.value.value();
                let stated = values.get(&then.variable);
                let replaced = |stated: &Resolved| {
                    // The same, far more surely: its words are the better evidence.
                    rule.shows && stated.value == value && stated.score < cause.score * WEAKER && stated.origin == Origin::Stated
                        || rule.replaces && stated.value != value
                };
                if stated.is_none_or(replaced) {
                    let entailed = Resolved {
                        variable: then.variable.clone(),
                        value,
                        score: cause.score * DISCOUNT,
                        origin: Origin::Entailed,
                        inputs: vec![rule.when.variable.clone()],
                        method: format!("entailed:{}", rule.name),
                        candidates: stated.map_or(0, |s| s.candidates),
                        conflict: false,
                        ..cause.clone()
                    };
                    values.insert(then.variable.clone(), entailed);
                }
            }
            for dropped in &rule.drops {
                let (variable, only) = dropped.split_once('=').map_or((&**dropped, None), |(v, only)| (v, Some(only)));
                if values.get(variable).is_some_and(|v| only.is_none_or(|only| super::canonical(&v.value) == only)) {
                    values.remove(variable);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_rules_are_read() {
        if let Err(error) = Entailments::read(include_str!("../../data/entailments.toml")) {
            panic!("{error}");
        }
    }

    #[test]
    fn a_rule_that_does_nothing_is_refused() {
        assert!(Entailments::read("[[rule]]\nname = \"idle\"\nwhen = { variable = \"a\", is = [\"*\"] }\n").is_err());
        assert!(Entailments::read("[[rule]]\nname = \"x\"\nwhen = { variable = \"a\", is = [\"*\"] }\nthe = 1\n").is_err());
    }
}
