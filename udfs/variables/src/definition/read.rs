//! Reads a file of declarations: every key is checked where it stands.

use std::borrow::Cow;

use chrono::NaiveDateTime;
use sillage_clinical::text::fold;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::check::Problem;
use super::line::{Lines, nearest};
use super::{Definition, Direction, Example, Fact, Find, Fineness, Meaning, Range, Resolution, Rule, Selector, Type, Unit, Weights};
use crate::Value;
use crate::anchor::Moment;
use crate::document_type::DocumentTypes;

/// Names of sections, as the text library gives them.
pub(crate) const SECTIONS: &[&str] = &[
    "history",
    "family_history",
    "allergies",
    "home_treatment",
    "social",
    "reason",
    "indication",
    "present_illness",
    "vital_signs",
    "examination",
    "laboratory",
    "investigations",
    "technique",
    "findings",
    "procedure",
    "course",
    "conclusion",
    "hypotheses",
    "discharge_treatment",
    "plan",
    "discharge",
    "header",
    "none",
];
pub(super) const VARIABLE_KEYS: &[&str] = &[
    "name",
    "description",
    "type",
    "unit",
    "units",
    "domain",
    "values",
    "loinc",
    "snomed",
    "anchors",
    "documents",
    "sections",
    "resolution",
    "precedence",
    "evidence",
    "evidence_absent",
    "derived",
    "rule",
    "examples",
];
pub(super) const RULE_KEYS: &[&str] = &[
    "measurement",
    "names",
    "position",
    "grid",
    "total",
    "at_least",
    "phrases",
    "concepts",
    "events",
    "event_concepts",
    "direction",
    "precision",
    "reach",
    "range",
    "fact",
    "value",
    "negated",
    "hypothetical",
    "historical",
    "family",
    "score",
    "anchor",
    "with",
    "unless",
    "window",
    "sections",
    "not_sections",
    "documents",
    "not_documents",
];
/// Keys that say what a rule looks for; each rule has one of them.
const FIND_KEYS: &[&str] = &["measurement", "names", "grid", "phrases", "concepts", "events", "event_concepts"];
pub(super) const UNIT_KEYS: &[&str] = &["forms", "factor", "offset", "bare"];
pub(super) const EXAMPLE_KEYS: &[&str] = &["text", "value", "nothing", "anchor", "type_code", "time", "stay_start", "stay_end"];

/// Most tokens between a name and its number, an event and its time.
const REACH: usize = 6;
const EVENT_REACH: usize = 25;

type Entry<'t, 'i> = &'t Spanned<DeValue<'i>>;

/// The variables of a file and what is wrong with it.
pub(crate) fn read(text: &str, document_types: &DocumentTypes) -> (Vec<Definition>, Vec<Problem>) {
    let lines = Lines::new(text);
    let parsed = match DeTable::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let line = error.span().map_or(1, |s| lines.of(s.start));
            return (Vec::new(), vec![Problem { line, message: error.message().to_owned() }]);
        }
    };
    let mut reader = Reader { lines, problems: Vec::new(), document_types };
    let table = parsed.get_ref();
    reader.keys(table, &["variable"]);
    let mut definitions: Vec<Definition> = Vec::new();
    for (table, line) in reader.tables(table, "variable") {
        let Some(definition) = reader.variable(table, line) else { continue };
        if let Some(twin) = definitions.iter().find(|d| d.name == definition.name) {
            let message = format!("`{}` is declared on line {} too", definition.name, twin.line);
            reader.problems.push(Problem { line, message });
        }
        definitions.push(definition);
    }
    if definitions.is_empty() && reader.problems.is_empty() {
        reader.problems.push(Problem { line: 1, message: "no `[[variable]]`".to_owned() });
    }
    reader.problems.sort_by_key(|p| p.line);
    (definitions, reader.problems)
}

struct Reader<'d> {
    lines: Lines,
    problems: Vec<Problem>,
    document_types: &'d DocumentTypes,
}

fn get<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Option<Entry<'t, 'i>> {
    table.iter().find(|(k, _)| k.get_ref() == key).map(|(_, v)| v)
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    let digits = match value {
        DeValue::Integer(i) => i.as_str(),
        DeValue::Float(f) => f.as_str(),
        _ => return None,
    };
    digits.replace('_', "").parse().ok()
}

impl Reader<'_> {
    fn problem(&mut self, at: &Spanned<impl Sized>, message: impl Into<String>) {
        let line = self.lines.of(at.span().start);
        self.problems.push(Problem { line, message: message.into() });
    }

    /// Names the keys that nobody reads.
    fn keys(&mut self, table: &DeTable<'_>, known: &[&str]) {
        for (key, _) in table.iter() {
            if !known.contains(&key.get_ref().as_ref()) {
                let near = nearest(key.get_ref(), known.iter().copied());
                self.problem(key, format!("unknown key `{}`{near}", key.get_ref()));
            }
        }
    }

    fn tables<'t, 'i>(&mut self, table: &'t DeTable<'i>, key: &str) -> Vec<(&'t DeTable<'i>, usize)> {
        let Some(entry) = get(table, key) else { return Vec::new() };
        let Some(items) = entry.get_ref().as_array() else {
            self.problem(entry, format!("`{key}` is a list of tables"));
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_table() {
                Some(table) => found.push((table, self.lines.of(item.span().start))),
                None => self.problem(item, "a table is expected"),
            }
        }
        found
    }

    fn string(&mut self, table: &DeTable<'_>, key: &str) -> Option<String> {
        let entry = get(table, key)?;
        match entry.get_ref().as_str() {
            Some(text) => Some(text.to_owned()),
            None => {
                self.problem(entry, format!("`{key}` is a text"));
                None
            }
        }
    }

    fn float(&mut self, table: &DeTable<'_>, key: &str) -> Option<f64> {
        let entry = get(table, key)?;
        let value = number(entry.get_ref());
        if value.is_none() {
            self.problem(entry, format!("`{key}` is a number"));
        }
        value
    }

    fn boolean(&mut self, table: &DeTable<'_>, key: &str) -> Option<bool> {
        let entry = get(table, key)?;
        let value = entry.get_ref().as_bool();
        if value.is_none() {
            self.problem(entry, format!("`{key}` is true or false"));
        }
        value
    }

    /// Texts with the places they stand at.
    fn strings(&mut self, table: &DeTable<'_>, key: &str) -> Vec<String> {
        self.spanned_strings(table, key).into_iter().map(|(text, _)| text).collect()
    }

    fn spanned_strings(&mut self, table: &DeTable<'_>, key: &str) -> Vec<(String, std::ops::Range<usize>)> {
        let Some(entry) = get(table, key) else { return Vec::new() };
        if let Some(text) = entry.get_ref().as_str() {
            return vec![(text.to_owned(), entry.span())];
        }
        let Some(items) = entry.get_ref().as_array() else {
            self.problem(entry, format!("`{key}` is a list of texts"));
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_str() {
                Some(text) => found.push((text.to_owned(), item.span())),
                None => self.problem(item, format!("`{key}` is a list of texts")),
            }
        }
        found
    }

    fn pair(&mut self, table: &DeTable<'_>, key: &str) -> Option<[f64; 2]> {
        let entry = get(table, key)?;
        let numbers: Vec<f64> = entry.get_ref().as_array().into_iter().flat_map(|a| a.iter()).filter_map(|v| number(v.get_ref())).collect();
        match numbers[..] {
            [low, high] if low <= high => Some([low, high]),
            _ => {
                self.problem(entry, format!("`{key}` is two numbers, the smaller first"));
                None
            }
        }
    }

    /// One of a list of names.
    fn choice<T: Copy>(&mut self, table: &DeTable<'_>, key: &str, names: &[(&str, T)]) -> Option<T> {
        let entry = get(table, key)?;
        let text = self.string(table, key)?;
        let found = names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            let near = nearest(&text, names.iter().map(|(n, _)| *n));
            let known = names.iter().map(|(n, _)| *n).collect::<Vec<_>>().join(", ");
            self.problem(entry, format!("`{key}` is one of {known}{near}"));
        }
        found
    }

    /// Names that must be known ones.
    fn names(&mut self, table: &DeTable<'_>, key: &str, known: &[&str]) -> Vec<String> {
        let found = self.spanned_strings(table, key);
        for (name, span) in &found {
            self.known(name, span.start, key, known);
        }
        found.into_iter().map(|(name, _)| name).collect()
    }

    fn known(&mut self, name: &str, byte: usize, key: &str, known: &[&str]) {
        if !known.contains(&name) {
            let near = nearest(name, known.iter().copied());
            let line = self.lines.of(byte);
            self.problems.push(Problem { line, message: format!("`{name}` is none of the {key}{near}") });
        }
    }

    /// A list (weight 1, all others 0) or a table of weights, `"*"` for all others.
    fn weights(&mut self, table: &DeTable<'_>, key: &str, known: &[&str], other: f32) -> Weights {
        let Some(entry) = get(table, key) else { return Weights { named: Vec::new(), other } };
        let Some(items) = entry.get_ref().as_table() else {
            if entry.get_ref().as_str() == Some("any") {
                return Weights::default();
            }
            let named = self.names(table, key, known).into_iter().map(|n| (n, 1.0)).collect();
            return Weights { named, other: 0.0 };
        };
        let mut weights = Weights { named: Vec::new(), other };
        for (name, value) in items.iter() {
            let weight = number(value.get_ref()).filter(|w| (0.0..=1.0).contains(w));
            let Some(weight) = weight else {
                self.problem(value, "a weight is a number from 0 to 1");
                continue;
            };
            if name.get_ref() == "*" {
                weights.other = weight as f32;
            } else {
                self.known(name.get_ref(), name.span().start, key, known);
                weights.named.push((name.get_ref().to_string(), weight as f32));
            }
        }
        weights
    }

    fn moment(&mut self, table: &DeTable<'_>, key: &str) -> Option<Moment> {
        let names: Vec<(&str, Moment)> = Moment::ALL.iter().map(|m| (m.name(), *m)).collect();
        self.choice(table, key, &names)
    }

    fn time(&mut self, table: &DeTable<'_>, key: &str) -> Option<NaiveDateTime> {
        let entry = get(table, key)?;
        let text = match entry.get_ref() {
            DeValue::Datetime(time) => time.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => String::new(),
        };
        let value = parse_time(&text);
        if value.is_none() {
            self.problem(entry, format!("`{key}` is a time such as \"2024-05-02T08:00\""));
        }
        value
    }

    fn variable(&mut self, table: &DeTable<'_>, line: usize) -> Option<Definition> {
        self.keys(table, VARIABLE_KEYS);
        let (Some(name), Some(kind)) = (self.string(table, "name"), self.choice(table, "type", &Type::NAMES)) else {
            self.problems.push(Problem { line, message: "a variable needs `name` and `type`".to_owned() });
            return None;
        };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
            self.problems.push(Problem { line, message: format!("the name `{name}` is not in small letters, digits and `_`") });
        }
        let types: Vec<&str> = self.document_types.names().collect();
        let sections = SECTIONS;
        let anchors: Vec<&str> = Moment::ALL.iter().map(|m| m.name()).collect();
        let mut definition = Definition {
            line,
            kind,
            description: self.string(table, "description").unwrap_or_default(),
            unit: self.string(table, "unit"),
            units: Vec::new(),
            domain: self.pair(table, "domain"),
            values: self.strings(table, "values"),
            loinc: self.string(table, "loinc"),
            snomed: self.string(table, "snomed"),
            anchors: self.weights(table, "anchors", &anchors, 0.0),
            documents: self.weights(table, "documents", &types, 1.0),
            sections: self.weights(table, "sections", sections, 1.0),
            resolution: self.choice(table, "resolution", &Resolution::NAMES).unwrap_or_default(),
            precedence: self.strings(table, "precedence"),
            evidence: self.strings(table, "evidence"),
            evidence_absent: self.strings(table, "evidence_absent"),
            derived: self.boolean(table, "derived").unwrap_or(false),
            rules: Vec::new(),
            examples: Vec::new(),
            name,
        };
        if get(table, "anchors").is_none() {
            definition.anchors = Weights { named: vec![("history".to_owned(), 0.0)], other: 1.0 };
        }
        for (unit, _) in self.tables(table, "units") {
            self.keys(unit, UNIT_KEYS);
            definition.units.push(Unit {
                forms: self.strings(unit, "forms").iter().map(|f| fold(f)).collect(),
                factor: self.float(unit, "factor").unwrap_or(1.0),
                offset: self.float(unit, "offset").unwrap_or(0.0),
                bare: self.pair(unit, "bare"),
            });
        }
        for kind in definition.evidence.iter().chain(&definition.evidence_absent).filter(|kind| !types.contains(&kind.as_str())) {
            self.problems.push(Problem { line, message: format!("`{kind}` of `evidence` is no document type") });
        }
        self.coherent(&definition);
        for (rule, line) in self.tables(table, "rule") {
            if let Some(rule) = self.rule(rule, line, &definition, &types, sections) {
                definition.rules.push(rule);
            }
        }
        for (example, line) in self.tables(table, "examples") {
            if let Some(example) = self.example(example, line, &definition) {
                definition.examples.push(example);
            }
        }
        if definition.rules.is_empty() && !definition.derived {
            self.problems.push(Problem { line, message: format!("`{}` has no `[[variable.rule]]`", definition.name) });
        }
        Some(definition)
    }

    fn coherent(&mut self, definition: &Definition) {
        let mut say = |message: String| self.problems.push(Problem { line: definition.line, message });
        let name = &definition.name;
        match definition.kind {
            Type::Category if definition.values.is_empty() => say(format!("the category `{name}` needs `values`")),
            Type::Category => {}
            _ if !definition.values.is_empty() => say(format!("`values` are of a category; `{name}` is {}", definition.kind.name())),
            Type::Integer | Type::Float => {}
            _ if definition.domain.is_some() => say(format!("`domain` is of numbers; `{name}` is {}", definition.kind.name())),
            _ => {}
        }
        if let Some(value) = definition.precedence.iter().find(|v| definition.kind == Type::Category && !definition.values.contains(v)) {
            say(format!("`{value}` of `precedence` is none of the values"));
        }
        if definition.resolution == Resolution::Precedence && definition.precedence.is_empty() {
            say("the resolution `precedence` needs `precedence`".to_owned());
        }
    }

    /// A value of the variable, or nothing with the reason.
    fn value(&mut self, entry: Entry<'_, '_>, definition: &Definition) -> Option<Value> {
        let value = match (definition.kind, entry.get_ref()) {
            (Type::Boolean, DeValue::Boolean(b)) => Some(Value::Boolean(*b)),
            (Type::Category, DeValue::String(s)) => Some(Value::Category(Cow::Owned(s.to_string()))),
            (Type::Category, DeValue::Integer(i)) => Some(Value::Category(Cow::Owned(i.as_str().to_owned()))),
            (Type::Integer | Type::Float, other) => number(other).map(Value::Number),
            (Type::DateTime, DeValue::Datetime(t)) => parse_time(&t.to_string()).map(Value::DateTime),
            (Type::DateTime, DeValue::String(s)) => parse_time(s).map(Value::DateTime),
            _ => None,
        };
        match value {
            Some(value) if definition.admits(&value) => Some(value),
            Some(Value::Category(name)) => {
                let near = nearest(&name, definition.values.iter().map(String::as_str));
                self.problem(entry, format!("`{name}` is none of the values{near}"));
                None
            }
            Some(_) => {
                self.problem(entry, "the value is outside the domain");
                None
            }
            None => {
                self.problem(entry, format!("the value is no {}", definition.kind.name()));
                None
            }
        }
    }

    fn meaning(&mut self, table: &DeTable<'_>, key: &str, definition: &Definition, default: Meaning) -> Meaning {
        let Some(entry) = get(table, key) else { return default };
        match entry.get_ref().as_str() {
            Some("keep") => Meaning::Keep,
            Some("drop") => Meaning::Drop,
            Some("only") => Meaning::Only,
            _ => self.value(entry, definition).map_or(default, Meaning::Value),
        }
    }

    fn selectors(&mut self, table: &DeTable<'_>, key: &str) -> Vec<Selector> {
        let texts = self.strings(table, key);
        texts
            .into_iter()
            .map(|text| match text.split_once(':') {
                Some(("icd10", code)) => Selector::Icd10(code.to_owned()),
                Some(("atc", code)) => Selector::Atc(code.to_owned()),
                _ => Selector::Concept(text),
            })
            .collect()
    }

    fn find(&mut self, table: &DeTable<'_>, line: usize) -> Option<Find> {
        let reach = self.float(table, "reach").map(|r| r.max(0.0) as usize);
        let ranges = [("low", Range::Low), ("high", Range::High), ("mean", Range::Mean), ("drop", Range::Drop)];
        let range = self.choice(table, "range", &ranges).unwrap_or_default();
        let has = |key: &str| get(table, key).is_some();
        let kinds: Vec<&str> = FIND_KEYS.iter().copied().filter(|k| has(k) && !(*k == "event_concepts" && has("events"))).collect();
        let facts = [("age", Fact::Age), ("sex", Fact::Sex), ("stay_start", Fact::StayStart), ("stay_end", Fact::StayEnd)];
        match kinds[..] {
            ["measurement"] => Some(Find::Measurement { name: self.string(table, "measurement")?, range }),
            ["names"] => {
                let before = self.choice(table, "position", &[("after", false), ("before", true)]).unwrap_or(false);
                Some(Find::Names { names: self.strings(table, "names"), before, reach: reach.unwrap_or(REACH), range })
            }
            ["grid"] => Some(Find::Grid {
                items: self.strings(table, "grid"),
                at_least: self.float(table, "at_least").map_or(6, |n| n.max(2.0) as usize),
                total: self.string(table, "total"),
            }),
            ["phrases"] => Some(Find::Phrases(self.strings(table, "phrases"))),
            ["concepts"] => Some(Find::Concepts(self.selectors(table, "concepts"))),
            ["events" | "event_concepts"] => Some(Find::Events {
                phrases: self.strings(table, "events"),
                concepts: self.selectors(table, "event_concepts"),
                direction: self
                    .choice(
                        table,
                        "direction",
                        &[("either", Direction::Either), ("after", Direction::After), ("before", Direction::Before)],
                    )
                    .unwrap_or_default(),
                fineness: self.choice(table, "precision", &[("day", Fineness::Day), ("hour", Fineness::Hour)]).unwrap_or(Fineness::Hour),
                reach: reach.unwrap_or(EVENT_REACH),
            }),
            [] if has("fact") => self.choice(table, "fact", &facts).map(Find::Fact),
            _ => {
                let message = "a rule has one of `measurement`, `names`, `grid`, `phrases`, `concepts`, `events`, `fact`".to_owned();
                self.problems.push(Problem { line, message });
                None
            }
        }
    }

    fn rule(&mut self, table: &DeTable<'_>, line: usize, definition: &Definition, types: &[&str], sections: &[&str]) -> Option<Rule> {
        self.keys(table, RULE_KEYS);
        // What the rule looks for says where it is better than its heading.
        let main = table.iter().find(|(key, _)| FIND_KEYS.contains(&key.get_ref().as_ref()));
        let line = main.map_or(line, |(key, _)| self.lines.of(key.span().start));
        let find = self.find(table, line)?;
        let value = get(table, "value").and_then(|entry| self.value(entry, definition));
        let value = match (&find, value, definition.kind) {
            (Find::Phrases(_) | Find::Concepts(_), None, Type::Boolean) if get(table, "value").is_none() => Some(Value::Boolean(true)),
            (Find::Phrases(_) | Find::Concepts(_), None, _) => {
                if get(table, "value").is_none() {
                    self.problems.push(Problem { line, message: "phrases and concepts need a `value`".to_owned() });
                }
                return None;
            }
            (_, value, _) => value,
        };
        let right = match find {
            Find::Measurement { .. } | Find::Names { .. } => definition.kind != Type::DateTime && definition.kind != Type::Boolean,
            Find::Grid { .. } => matches!(definition.kind, Type::Integer | Type::Float),
            Find::Events { .. } => definition.kind == Type::DateTime,
            _ => true,
        };
        if !right {
            let message = format!("such a rule never gives a {}", definition.kind.name());
            self.problems.push(Problem { line, message });
            return None;
        }
        let opposite = match value {
            Some(Value::Boolean(true)) => Meaning::Value(Value::Boolean(false)),
            _ => Meaning::Drop,
        };
        let facts = [("age", Fact::Age), ("sex", Fact::Sex), ("stay_start", Fact::StayStart), ("stay_end", Fact::StayEnd)];
        let score = self.float(table, "score").unwrap_or(0.9);
        if !(score > 0.0 && score <= 1.0) {
            self.problems.push(Problem { line, message: "`score` lies above 0 and up to 1".to_owned() });
        }
        let fact = if matches!(find, Find::Fact(_)) { None } else { self.choice(table, "fact", &facts) };
        Some(Rule {
            line,
            negated: self.meaning(table, "negated", definition, opposite),
            hypothetical: self.meaning(table, "hypothetical", definition, Meaning::Drop),
            historical: self.meaning(table, "historical", definition, Meaning::Keep),
            family: self.meaning(table, "family", definition, Meaning::Drop),
            score: score as f32,
            anchor: self.moment(table, "anchor"),
            with: self.strings(table, "with"),
            unless: self.strings(table, "unless"),
            window: self.float(table, "window").map(|w| w.max(0.0) as usize),
            sections: self.names(table, "sections", sections),
            not_sections: self.names(table, "not_sections", sections),
            documents: self.names(table, "documents", types),
            not_documents: self.names(table, "not_documents", types),
            fact,
            find,
            value,
        })
    }

    fn example(&mut self, table: &DeTable<'_>, line: usize, definition: &Definition) -> Option<Example> {
        self.keys(table, EXAMPLE_KEYS);
        let text = self.string(table, "text")?;
        let nothing = self.boolean(table, "nothing").unwrap_or(false);
        let value = get(table, "value").and_then(|entry| self.value(entry, definition));
        if nothing == get(table, "value").is_some() {
            self.problems.push(Problem { line, message: "an example has either `value` or `nothing = true`".to_owned() });
            return None;
        }
        if value.is_none() && !nothing {
            return None;
        }
        Some(Example {
            line,
            text,
            value,
            anchor: self.moment(table, "anchor"),
            type_code: self.string(table, "type_code"),
            time: self.time(table, "time"),
            stay_start: self.time(table, "stay_start"),
            stay_end: self.time(table, "stay_end"),
        })
    }
}

fn parse_time(text: &str) -> Option<NaiveDateTime> {
    let text = text.replace(' ', "T");
    ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())
        .or_else(|| chrono::NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
}
