//! Where the cells of a hand-filled table come from: for each cell the words that
//! support it, those that contradict it, or nothing.
//!
//! A row is compared with the episode of the patient that says the most of what it
//! says. Within it, findings that the resolution accepted support or contradict; a
//! finding of the same value at another moment is reported as such; where no
//! finding supports a number or a time, its bare occurrences are.

mod labels;
mod map;

use chrono::{NaiveTime, Timelike};
use sillage_clinical::text::{Kind as TokenKind, Text};

pub use labels::{Token, weak_labels};
pub use map::{Column, Kind, Map, MapError, Unread};

use crate::Value;
use crate::resolve::{Document, Origin, Resolved, ResolvedEpisode, Verdict, Weighed};

/// Bare occurrences reported of one cell.
const OCCURRENCES: usize = 5;
/// What a bare occurrence is worth.
const BARE: f32 = 0.1;

/// What words say of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    Supports,
    /// The same variable, another value.
    Contradicts,
    /// The same value, at another moment or in words that were taken back.
    Elsewhere,
    /// The number or hour stands there, of whatever it is.
    Occurs,
}

impl Relation {
    pub fn name(self) -> &'static str {
        match self {
            Relation::Supports => "supports",
            Relation::Contradicts => "contradicts",
            Relation::Elsewhere => "elsewhere",
            Relation::Occurs => "occurs",
        }
    }
}

/// Words that say something of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Position in the documents given.
    pub document: usize,
    /// Bytes of its text.
    pub start: usize,
    pub end: usize,
    pub relation: Relation,
    pub score: f32,
}

/// What became of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Supported,
    /// Some words support it, others as good contradict it.
    Disputed,
    Contradicted,
    /// The documents say nothing of it.
    Unsupported,
    /// Nothing is written in it.
    Missing,
    /// What is written in it is no value of the variable.
    Unreadable,
}

impl Outcome {
    pub const ALL: [Outcome; 6] =
        [Outcome::Supported, Outcome::Disputed, Outcome::Contradicted, Outcome::Unsupported, Outcome::Missing, Outcome::Unreadable];

    pub fn name(self) -> &'static str {
        match self {
            Outcome::Supported => "supported",
            Outcome::Disputed => "disputed",
            Outcome::Contradicted => "contradicted",
            Outcome::Unsupported => "unsupported",
            Outcome::Missing => "missing",
            Outcome::Unreadable => "unreadable",
        }
    }
}

/// A cell and its traces.
#[derive(Debug, Clone, PartialEq)]
pub struct Traced {
    /// Position in the map's columns.
    pub column: usize,
    pub value: Option<Value>,
    pub outcome: Outcome,
    /// What the documents come to.
    pub resolved: Option<Value>,
    /// Supporting ones first, then by weight.
    pub spans: Vec<Span>,
}

/// Traces a row. `cells` are in the order of the map's columns, `texts` in that of
/// the documents.
///
/// Gives the position of the episode that the row was compared with, and its cells.
pub fn trace(
    map: &Map,
    cells: &[&str],
    documents: &[Document<'_>],
    texts: &[&str],
    episodes: &[ResolvedEpisode],
) -> (Option<usize>, Vec<Traced>) {
    let read: Vec<Result<Value, Unread>> =
        map.columns.iter().enumerate().map(|(at, column)| cells.get(at).map_or(Err(Unread::Missing), |cell| column.value(cell))).collect();
    let agreement = |episode: &ResolvedEpisode| {
        let agree = |(column, cell): &(&Column, &Result<Value, Unread>)| {
            let Ok(cell) = cell else { return false };
            resolved(episode, &column.variable).is_some_and(|r| column.agrees(cell, &r.value))
        };
        map.columns.iter().zip(&read).filter(agree).count()
    };
    // Of equal ones the first: episodes are in the order of time.
    let best = (0..episodes.len()).rev().max_by_key(|&at| agreement(&episodes[at]));
    let episode = best.map(|at| &episodes[at]);
    let traced = map.columns.iter().zip(read).enumerate();
    (best, traced.map(|(at, (column, cell))| trace_cell(at, column, cell, documents, texts, episode)).collect())
}

fn resolved<'e>(episode: &'e ResolvedEpisode, variable: &str) -> Option<&'e Resolved> {
    episode.values.iter().chain(&episode.derived).find(|r| r.variable == variable)
}

fn trace_cell(
    at: usize,
    column: &Column,
    cell: Result<Value, Unread>,
    documents: &[Document<'_>],
    texts: &[&str],
    episode: Option<&ResolvedEpisode>,
) -> Traced {
    let settled = episode.and_then(|e| resolved(e, &column.variable));
    let mut traced =
        Traced { column: at, value: None, outcome: Outcome::Unsupported, resolved: settled.map(|r| r.value.clone()), spans: Vec::new() };
    let value = match cell {
        Ok(value) => value,
        Err(unread) => {
            traced.outcome = if unread == Unread::Missing { Outcome::Missing } else { Outcome::Unreadable };
            return traced;
        }
    };
    let Some(episode) = episode else {
        traced.value = Some(value);
        return traced;
    };
    for weighed in &episode.findings {
        let finding = &documents[weighed.document].findings[weighed.finding];
        if finding.variable == column.variable
            && let Some(relation) = relation(weighed, column.agrees(&value, &finding.value))
        {
            let score = if weighed.weight > 0.0 { weighed.weight } else { finding.score / 2.0 };
            traced.spans.push(Span { document: weighed.document, start: finding.start, end: finding.end, relation, score });
        }
    }
    // What is concluded or computed has its words elsewhere.
    if let Some(settled) = settled.filter(|r| r.origin != Origin::Stated)
        && let Some(evidence) = settled.evidence
    {
        let relation = if column.agrees(&value, &settled.value) { Relation::Supports } else { Relation::Contradicts };
        let (document, start, end) = (evidence.document, evidence.start, evidence.end);
        if !traced.spans.iter().any(|s| (s.document, s.start, s.end, s.relation) == (document, start, end, relation)) {
            traced.spans.push(Span { document, start, end, relation, score: settled.score });
        }
    }
    let has = |relation| traced.spans.iter().any(|s| s.relation == relation);
    traced.outcome = match (has(Relation::Supports), has(Relation::Contradicts)) {
        (true, false) => Outcome::Supported,
        (true, true) if settled.is_some_and(|r| column.agrees(&value, &r.value) && !r.conflict) => Outcome::Supported,
        (true, true) => Outcome::Disputed,
        (false, true) => Outcome::Contradicted,
        (false, false) => Outcome::Unsupported,
    };
    if !has(Relation::Supports) {
        occurrences(&value, texts, episode, &mut traced.spans);
    }
    traced.spans.sort_by(|a, b| {
        let place = |s: &Span| (documents[s.document].time, documents[s.document].id, s.start, s.end);
        a.relation.cmp(&b.relation).then(b.score.total_cmp(&a.score)).then_with(|| place(a).cmp(&place(b)))
    });
    traced.value = Some(value);
    traced
}

fn relation(weighed: &Weighed, agrees: bool) -> Option<Relation> {
    match weighed.verdict {
        Verdict::Chosen | Verdict::Agrees | Verdict::Differs if agrees => Some(Relation::Supports),
        Verdict::Chosen | Verdict::Agrees | Verdict::Differs => Some(Relation::Contradicts),
        _ if agrees => Some(Relation::Elsewhere),
        _ => None,
    }
}

/// Where a number or an hour stands in the texts.
fn occurrences(value: &Value, texts: &[&str], episode: &ResolvedEpisode, spans: &mut Vec<Span>) {
    let mut found = 0;
    for &at in &episode.episode.documents {
        let text = Text::new(texts.get(at).copied().unwrap_or_default());
        let mut after = 0;
        for first in 0..text.tokens.len() {
            if found == OCCURRENCES {
                return;
            }
            if first < after || text.tokens[first].kind != TokenKind::Number {
                continue;
            }
            after = written(&text, first);
            let bytes = text.byte_range(first..after);
            let known = spans.iter().any(|s| s.document == at && s.start < bytes.end && bytes.start < s.end);
            if !known && says(text.source(first..after), value) {
                spans.push(Span { document: at, start: bytes.start, end: bytes.end, relation: Relation::Occurs, score: BARE });
                found += 1;
            }
        }
    }
}

/// Where the number or hour that starts here ends: `6,4`, `7 h 50`.
fn written(text: &Text<'_>, first: usize) -> usize {
    let number = |at: usize| text.tokens.get(at).is_some_and(|t| t.kind == TokenKind::Number);
    let close = |at: usize| text.tokens.get(at).is_some_and(|t| !t.space_before);
    let joined = match text.fold(first + 1) {
        "," | "." | ":" => close(first + 1) && close(first + 2),
        "h" => true,
        _ => false,
    };
    if joined && number(first + 2) { first + 3 } else { first + 1 }
}

fn says(words: &str, value: &Value) -> bool {
    match value {
        // A single digit stands everywhere.
        Value::Number(number) if number.abs() >= 10.0 || number.fract() != 0.0 => {
            words.replace(',', ".").parse::<f64>().is_ok_and(|n| (n - number).abs() < 1e-6)
        }
        Value::DateTime(time) if time.time() != NaiveTime::MIN => {
            let digits = words.to_ascii_lowercase().replace(['h', ':'], " ");
            let mut parts = digits.split_whitespace().map(str::parse::<u32>);
            parts.next() == Some(Ok(time.hour())) && parts.next() == Some(Ok(time.minute()))
        }
        _ => false,
    }
}

/// Counts of one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub variable: String,
    /// In the order of [`Outcome::ALL`].
    pub counts: [u64; 6],
}

/// Counts by column, in the order of the map.
pub fn summary<'t>(map: &Map, traced: impl Iterator<Item = &'t Traced>) -> Vec<Summary> {
    let mut found: Vec<Summary> = map.columns.iter().map(|c| Summary { variable: c.variable.clone(), counts: [0; 6] }).collect();
    for cell in traced {
        if let Some(row) = found.get_mut(cell.column) {
            row.counts[cell.outcome as usize] += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::DocumentKind;
    use crate::resolve::{Patient, Policies, Policy, Reading, resolve_patient};
    use crate::{Anchor, Finding};
    use chrono::NaiveDate;

    struct Any;

    impl Policies for Any {
        fn policy(&self, _: &str) -> Option<Policy> {
            Some(Policy { anchors: vec![(Anchor::Admission, 1.0)], ..Policy::default() })
        }
    }

    fn finding(text: &str, words: &str, variable: &'static str, value: Value, anchor: Anchor) -> Finding {
        let start = text.find(words).unwrap();
        Finding {
            variable: variable.into(),
            value,
            start,
            end: start + words.len(),
            section: None,
            anchor,
            event_time: None,
            score: 0.9,
            method: "test".into(),
        }
    }

    /// The documents say NIHSS 15 at the door, 9 the next day; onset 7 h 50; thrombolysed; glucose is only a number.
    fn traced(row: &[&str]) -> Vec<(Outcome, Vec<String>)> {
        let map = r#"
patient = "ipp"
[columns.a_nihss]
variable = "nihss_admission"
[columns.b_onset]
variable = "onset_datetime"
[columns.c_glucose]
variable = "glucose_admission"
[columns.d_waking]
variable = "wake_up_stroke"
"#;
        let kind_of = |v: &str| match v {
            "onset_datetime" => Some(Kind::DateTime),
            "wake_up_stroke" => Some(Kind::Boolean),
            _ => Some(Kind::Number),
        };
        let map = Map::read(map, kind_of).unwrap();
        let text = "Début à 7h50. NIHSS 15 à l'arrivée, dextro 6,4. NIHSS 9 le lendemain.";
        let onset = NaiveDate::from_ymd_opt(2023, 5, 9).unwrap().and_hms_opt(7, 50, 0).unwrap();
        let findings = [
            finding(text, "7h50", "onset_datetime", Value::DateTime(onset), Anchor::Admission),
            finding(text, "NIHSS 15", "nihss_admission", Value::Number(15.0), Anchor::Admission),
            finding(text, "NIHSS 9", "nihss_admission", Value::Number(9.0), Anchor::Day1),
        ];
        let reading = Reading::of_text(text, Some(onset), DocumentKind::Emergency, &findings);
        let document = Document {
            id: "door",
            encounter: None,
            time: Some(onset),
            kind: DocumentKind::Emergency,
            stay_start: None,
            stay_end: None,
            findings: &findings,
            reading: &reading,
        };
        let episodes = resolve_patient(&Any, &[document], Patient::default());
        let (at, cells) = trace(&map, row, &[document], &[text], &episodes);
        assert_eq!(at, Some(0));
        let counts: u64 = summary(&map, cells.iter()).iter().flat_map(|s| s.counts).sum();
        assert_eq!(counts, 4);
        let words = |s: &Span| format!("{} {}", s.relation.name(), &text[s.start..s.end]);
        cells.iter().map(|c| (c.outcome, c.spans.iter().map(words).collect())).collect()
    }

    #[test]
    fn cells_lead_to_words() {
        let is = |(outcome, spans): &(Outcome, Vec<String>), expected, words: &[&str]| {
            assert_eq!(*outcome, expected);
            assert_eq!(spans, words);
        };
        let cells = traced(&["15", "2023-05-09 07:50", "6.4", "non"]);
        is(&cells[0], Outcome::Supported, &["supports NIHSS 15"]);
        is(&cells[1], Outcome::Supported, &["supports 7h50"]);
        is(&cells[2], Outcome::Unsupported, &["occurs 6,4"]);
        is(&cells[3], Outcome::Supported, &["supports 7h50"]);
        let cells = traced(&["9", "2023-05-09 07:30", "", "peut-être"]);
        is(&cells[0], Outcome::Contradicted, &["contradicts NIHSS 15", "elsewhere NIHSS 9"]);
        is(&cells[1], Outcome::Contradicted, &["contradicts 7h50"]);
        is(&cells[2], Outcome::Missing, &[]);
        is(&cells[3], Outcome::Unreadable, &[]);
    }

    #[test]
    fn without_documents_nothing_supports() {
        let map = Map::read("patient = \"p\"\n[columns.a]\nvariable = \"x\"\n", |_| Some(Kind::Number)).unwrap();
        let (at, cells) = trace(&map, &["3"], &[], &[], &[]);
        assert_eq!((at, cells[0].outcome), (None, Outcome::Unsupported));
    }
}
