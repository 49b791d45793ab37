//! Sections: which titled part of a report a passage stands in.
//!
//! A title counts at the start of a line when a colon or the end of the line
//! follows, after a full stop when a colon follows, and, for the few titles that
//! telegraphic notes use as a word (`ATCD HTA, DT2`), wherever a sentence starts.
//! A clock time or a few words may stand between a title and its colon. Software
//! for emergency wards writes its titles in square brackets (`[ATCD] HTA`); one
//! that is not known still ends what stood before.
//!
//! What was there before the stay ends where its telling starts, title or not;
//! `Traitement` is what was taken at home, or, once the stay has been told, what
//! is taken now.

use std::ops::Range;

use serde::Deserialize;

use crate::is;
use crate::knowledge::KnowledgeError;
use crate::phrase;
use crate::text::{Kind, Text};
use crate::trie::{Hit, Trie};
use crate::vocabulary::{Vocabulary, WordId};

/// What a section says of its mentions before anything else is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prior {
    None,
    Historical,
    Family,
    Planned,
    Suspected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalog {
    story: Vec<String>,
    section: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    prior: Prior,
    titles: Vec<String>,
    inline: Vec<String>,
    #[serde(default)]
    late: Option<String>,
    #[serde(default)]
    apart: Option<String>,
    #[serde(default)]
    tells_stay: bool,
    #[serde(default)]
    organ: bool,
    #[serde(default)]
    line: bool,
}

/// A kind of section.
#[derive(Debug)]
pub struct SectionKind {
    pub name: Box<str>,
    pub prior: Prior,
    /// The kind it is once the stay has been told.
    pub(crate) late: Option<u32>,
    /// The kind it is where no antecedents are told right before.
    apart: Option<u32>,
    /// The stay is told here.
    tells_stay: bool,
    /// A part of the body: a heading of its own, or an item of the antecedents.
    organ: bool,
    /// Ends with its line when it starts there.
    line: bool,
}

/// A titled part of a text, in tokens. The text before the first title has no section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Tokens of the title itself.
    pub title: Range<usize>,
    /// Tokens of the section, title included.
    pub tokens: Range<usize>,
    pub(crate) kind: u32,
}

/// The known section titles.
pub(crate) struct Catalogue {
    kinds: Vec<SectionKind>,
    trie: Trie,
    /// Words that start the story of the stay at the head of a sentence.
    story: Trie,
}

const FILE: &str = "data/sections.toml";
/// Longest title line without a colon, in tokens.
const TITLE_LINE: usize = 8;
/// Letters of a title in capitals that needs no colon behind antecedents.
const SHORT: usize = 5;
/// Most tokens of a clock time and the mark behind it.
const CLOCK: usize = 5;
/// Most tokens between a title and its colon: "Examen neurologique à 8h30 :".
const TITLE_TAIL: usize = 7;
/// Most tokens that say whose words a section is.
const BYLINE: usize = 8;

impl Catalogue {
    pub fn read(vocabulary: &mut Vocabulary) -> Result<Self, KnowledgeError> {
        let catalog: Catalog = toml::from_str(include_str!("../data/sections.toml"))
            .map_err(|e| KnowledgeError::Toml { file: FILE, message: e.to_string() })?;
        let mut read = Catalogue { kinds: Vec::new(), trie: Trie::default(), story: Trie::default() };
        for phrase in &catalog.story {
            insert(&mut read.story, vocabulary, phrase, 0)?;
        }
        for entry in &catalog.section {
            let value = (read.kinds.len() as u32) << 1;
            for title in &entry.titles {
                insert(&mut read.trie, vocabulary, title, value)?;
            }
            for title in &entry.inline {
                insert(&mut read.trie, vocabulary, title, value | 1)?;
            }
            let named = |name: &Option<String>, key: &str| match name {
                None => Ok(None),
                Some(name) => match catalog.section.iter().position(|e| e.name == *name) {
                    Some(i) => Ok(Some(i as u32)),
                    None => Err(KnowledgeError::Toml { file: FILE, message: format!("{}: {key} names no section", entry.name) }),
                },
            };
            read.kinds.push(SectionKind {
                name: entry.name.as_str().into(),
                prior: entry.prior,
                late: named(&entry.late, "late")?,
                apart: named(&entry.apart, "apart")?,
                tells_stay: entry.tells_stay,
                organ: entry.organ,
                line: entry.line,
            });
        }
        Ok(read)
    }

    pub fn kind(&self, section: &Section) -> &SectionKind {
        &self.kinds[section.kind as usize]
    }

    /// Sections in order.
    pub fn sections(&self, text: &Text<'_>, words: &[WordId], vocabulary: &Vocabulary) -> Vec<Section> {
        let mut found: Vec<Section> = Vec::new();
        let mut told = false;
        let mut at = 0;
        while at < words.len() {
            let token = &text.tokens[at];
            let line_start = at == 0 || token.lines_before > 0;
            let after_stop = !line_start && token.space_before && is!(text.key(at - 1), "." | ";" | "!");
            if !line_start && !after_stop {
                at += 1;
                continue;
            }
            let mut first = if line_start { after_numbering(text, at) } else { at };
            let bracket = if line_start { bracketed(text, first) } else { None };
            first += usize::from(bracket.is_some());
            if first >= words.len() {
                break;
            }
            let open = found.last().filter(|s| s.tokens.end == words.len());
            let past = open.is_some_and(|s| matches!(self.kind(s).prior, Prior::Historical | Prior::Family));
            let mut titled = self.title(text, words, vocabulary, first, line_start, past, bracket);
            // "13h20 bio : INR 1,1"
            if let Some(label) = behind_clock(text, first).filter(|_| titled.is_none() && line_start && bracket.is_none()) {
                let labels = std::iter::once(label).chain(behind_writer(text, label));
                let headed = |label: usize| {
                    let found = self.title(text, words, vocabulary, label, true, false, None)?;
                    is!(text.key(found.0.end.saturating_sub(1)), ":" | "=" | "→" | ">" | "-").then_some((found, label))
                };
                if let Some((found, label)) = labels.into_iter().find_map(headed) {
                    (titled, first) = (Some(found), label);
                }
            }
            if let Some((title, kind)) = titled
                && !open.is_some_and(|s| self.item_of_antecedents(text, s, kind, at, first, title.end))
            {
                let kind = self.in_order(kind, open, told, first * 2 > words.len());
                if let Some(last) = found.last_mut() {
                    last.tokens.end = last.tokens.end.min(at);
                }
                told |= self.kinds[kind as usize].tells_stay;
                at = title.end.max(at + 1);
                found.push(Section { tokens: first..words.len(), title, kind });
                continue;
            }
            if let Some(section) = open
                && (bracket.is_some() || self.ends(text, words, vocabulary, section, at, first))
                && let Some(last) = found.last_mut()
            {
                last.tokens.end = at;
            }
            at = first.max(at) + 1;
        }
        found
    }

    /// The title that stands at a place; behind antecedents (`past`) a short one in
    /// capitals needs no colon: "EXAM conscient".
    #[allow(clippy::too_many_arguments, reason = "the text, its words and the place")]
    fn title(
        &self,
        text: &Text<'_>,
        words: &[WordId],
        vocabulary: &Vocabulary,
        at: usize,
        line_start: bool,
        past: bool,
        bracket: Option<usize>,
    ) -> Option<(Range<usize>, u32)> {
        let mut best: Option<(usize, u32)> = None;
        self.trie.walk(text, words, vocabulary, at, |hit: Hit| {
            let inline = hit.value & 1 == 1;
            let end = hit.end;
            let alone = line_start && (end - at > 1 || text.fold(at).len() > 3 || text.tokens[at].upper) && end - at <= TITLE_LINE;
            let accepted = match after_title(text, end) {
                _ if bracket.is_some() => bracket.filter(|close| end <= *close).map(|close| close + 1),
                After::Colon(colon) => Some(colon),
                After::Line(end) if alone => Some(end),
                After::Stop if alone && text.fold(at).len() > 3 => Some(end + 1),
                _ if alone && wide_gap(text, end) => Some(end),
                _ if past && line_start && end == at + 1 && text.tokens[at].upper && text.fold(at).len() <= SHORT => Some(end),
                _ if inline => Some(end),
                _ => None,
            };
            if let Some(end) = accepted
                && best.is_none_or(|(b, _)| end > b)
            {
                best = Some((end, hit.value >> 1));
            }
        });
        best.map(|(end, kind)| (at..end, kind))
    }

    /// "- Cardio : FA" within the antecedents is one of them.
    fn item_of_antecedents(&self, text: &Text<'_>, open: &Section, kind: u32, at: usize, first: usize, title_end: usize) -> bool {
        let section = self.kind(open);
        let clock = (first..title_end).any(|i| text.tokens[i].kind == Kind::Number);
        self.kinds[kind as usize].organ
            && section.prior == Prior::Historical
            && section.late.is_none()
            && !clock
            && (first > at || at == open.title.end)
    }

    /// The kind of a section that means one thing early and another late, or one beside
    /// the antecedents and another elsewhere.
    fn in_order(&self, kind: u32, open: Option<&Section>, told: bool, second_half: bool) -> u32 {
        let SectionKind { late, apart, .. } = self.kinds[kind as usize];
        let beside_history = open.is_some_and(|s| matches!(self.kind(s).prior, Prior::Historical | Prior::Family));
        if beside_history {
            return kind;
        }
        let later = late.filter(|_| told || open.is_none() && second_half);
        later.or(apart).unwrap_or(kind)
    }

    /// Whether the open section ends before the line or sentence that starts here.
    fn ends(&self, text: &Text<'_>, words: &[WordId], vocabulary: &Vocabulary, section: &Section, at: usize, first: usize) -> bool {
        let kind = self.kind(section);
        if text.tokens[at].lines_before > 0 && (kind.line && starts_on_title_line(text, section) || ends_block(text, section, at)) {
            return true;
        }
        // A row of a table that opens with a title ends where the next one opens with a cell that is not empty.
        if text.tokens[at].lines_before > 0 && is!(text.key(section.title.end - 1), "|") {
            let fenced = section.title.start.checked_sub(1).is_some_and(|before| is!(text.key(before), "|"));
            let empty = is!(text.key(at), "|") && (!fenced || is!(text.key(at + 1), "|"));
            return !empty;
        }
        // What is taken now ends where the next hour begins.
        if text.tokens[at].lines_before > 0 && kind.prior == Prior::Planned && clock(text, first) {
            return true;
        }
        matches!(kind.prior, Prior::Historical | Prior::Family)
            && at > section.title.end
            && (clock(text, first)
                || is!(text.key(first), "a" | "vers" | "des") && clock(text, first + 1)
                || text.tokens[at].lines_before > 0 && timed_label(text, first)
                || self.tells_story(text, words, vocabulary, first + usize::from(is!(text.key(first), "|"))))
    }

    fn tells_story(&self, text: &Text<'_>, words: &[WordId], vocabulary: &Vocabulary, at: usize) -> bool {
        let mut found = false;
        self.story.walk(text, words, vocabulary, at, |_| found = true);
        found
    }
}

fn insert(trie: &mut Trie, vocabulary: &mut Vocabulary, phrase: &str, value: u32) -> Result<(), KnowledgeError> {
    phrase::insert(trie, vocabulary, phrase, value).map(drop).map_err(|source| KnowledgeError::Phrase {
        file: FILE,
        phrase: phrase.to_owned(),
        source,
    })
}

/// Two spaces or a tabulation before the token: what stands before it is a label.
fn wide_gap(text: &Text<'_>, at: usize) -> bool {
    let (Some(token), Some(previous)) = (text.tokens.get(at), at.checked_sub(1).map(|p| &text.tokens[p])) else { return false };
    let between = &text.original[previous.end as usize..token.start as usize];
    token.lines_before == 0 && (between.len() > 1 && between.trim().is_empty() || between.contains('\t'))
}

enum After {
    /// A colon follows; the token after it.
    Colon(usize),
    /// The line ends; the token after it.
    Line(usize),
    /// A full stop and a new sentence follow.
    Stop,
    Other,
}

fn same_line(text: &Text<'_>, at: usize) -> bool {
    text.tokens.get(at).is_some_and(|t| t.lines_before == 0)
}

fn after_title(text: &Text<'_>, end: usize) -> After {
    let mut at = end;
    // "Examen (Dr Roux) :", "Biologie du 12/03 :", "Neuro 14h20 :"
    let mut number = false;
    let mut words = 0;
    while same_line(text, at) && at - end < TITLE_TAIL {
        if is!(text.key(at), "(") {
            match (at..(at + 14).min(text.tokens.len())).find(|i| is!(text.key(*i), ")")) {
                Some(close) => at = close + 1,
                None => break,
            }
            continue;
        }
        match text.tokens[at].kind {
            Kind::Mark if is!(text.key(at), "*" | "_") => {}
            Kind::Mark if is!(text.key(at), "/" | "'" | "°") && number => {}
            Kind::Mark => break,
            Kind::Number => number = true,
            Kind::Word if is!(text.key(at), "du" | "de" | "a" | "le" | "ce" | "jour" | "vers" | "j" | "l" | "au" | "h") => {}
            Kind::Word if number || words > 0 => break,
            Kind::Word => words += 1,
        }
        at += 1;
    }
    // "TTT selon l'épouse :", "ATCD d'après le courrier :": who says it.
    let says = is!(text.key(end), "selon") || is!(text.key(end), "d") && is!(text.key(end + 2), "apres");
    if says
        && let Some(colon) = (end..end + BYLINE).take_while(|i| same_line(text, *i)).find(|i| is!(text.key(*i), ":"))
        && (end..colon).all(|i| text.tokens[i].kind == Kind::Word || is!(text.key(i), "'"))
    {
        return After::Colon(colon + 1);
    }
    // Words that are no date belong to the line, not to the title.
    if !number && words > 0 {
        at = end;
    }
    // A word that stands before no colon is content.
    let colon = is!(text.key(at), ":" | "=" | "→" | ">") && same_line(text, at);
    if !colon && words > 0 {
        at = end;
    }
    match text.tokens.get(at) {
        _ if colon => After::Colon(at + 1),
        None => After::Line(at),
        Some(token) if token.lines_before > 0 => After::Line(at),
        Some(_) if is!(text.key(at), "." | "-" | ",") && !same_line(text, at + 1) => After::Line(at + 1),
        Some(_) if is!(text.key(at), "|") && same_line(text, at + 1) => After::Colon(at + 1),
        Some(_) if is!(text.key(at), "-") && is!(text.key(at + 1), ">") => After::Colon(at + 2),
        Some(token) if is!(text.key(at), "-") && token.space_before && text.tokens.get(at + 1).is_some_and(|t| t.space_before) => {
            After::Colon(at + 1)
        }
        Some(_) if at == end && is!(text.key(at), ".") && text.tokens.get(at + 1).is_some_and(|t| t.space_before && t.capital) => {
            After::Stop
        }
        Some(_) => After::Other,
    }
}

/// "14h20", "8h", "20:15".
fn clock(text: &Text<'_>, at: usize) -> bool {
    let fold = text.fold(at);
    let hours = fold.split_once('h').is_some_and(|(h, m)| {
        h.len() <= 2 && h.bytes().all(|b| b.is_ascii_digit()) && m.len() <= 2 && m.bytes().all(|b| b.is_ascii_digit()) && !h.is_empty()
    });
    let split = fold.len() <= 2
        && text.tokens.get(at).is_some_and(|t| t.kind == Kind::Number)
        && (is!(text.key(at + 1), "h")
            || is!(text.key(at + 1), ":") && text.tokens.get(at + 2).is_some_and(|t| t.kind == Kind::Number && !t.space_before));
    hours || split
}

/// The token behind a clock time at this place, on its line.
fn behind_clock(text: &Text<'_>, at: usize) -> Option<usize> {
    let parts = |i: &usize| text.tokens[*i].kind == Kind::Number || is!(text.key(*i), ":" | "h" | "-" | "–" | "|" | ".");
    let behind = (at..text.tokens.len().min(at + CLOCK)).find(|i| !parts(i))?;
    // "14.55 - ttt :"
    let dotted = is!(text.key(at + 1), ".")
        && text.tokens.get(at + 2).is_some_and(|t| t.kind == Kind::Number && t.range().len() == 2 && !t.space_before)
        && is!(text.key(at + 3), "-" | "–" | "|");
    ((clock(text, at) || dotted) && (at + 1..=behind).all(|i| same_line(text, i))).then_some(behind)
}

/// "11:49 SJ TTT :", "9h05 (IAO) ATCD :": the token behind whoever wrote the entry.
fn behind_writer(text: &Text<'_>, at: usize) -> Option<usize> {
    let held = usize::from(is!(text.key(at), "("));
    let writer = text.tokens.get(at + held).is_some_and(|t| t.kind == Kind::Word && t.upper && t.range().len() < 4);
    let behind = at + 1 + 2 * held;
    let label = text.tokens.get(behind).is_some_and(|t| t.kind == Kind::Word && t.lines_before == 0);
    (writer && (held == 0 || is!(text.key(at + 2), ")")) && label).then_some(behind)
}

/// "Param. IAO 19h09 :": a label of any words with its hour.
fn timed_label(text: &Text<'_>, at: usize) -> bool {
    let hour = (at + 1..at + TITLE_LINE).take_while(|i| same_line(text, *i) && !is!(text.key(*i), ":")).find(|i| clock(text, *i));
    hour.is_some_and(|hour| (hour + 1..hour + 5).take_while(|i| same_line(text, *i)).any(|i| is!(text.key(i), ":") && !glued_mark(text, i)))
}

/// The colon of "19:09".
fn glued_mark(text: &Text<'_>, at: usize) -> bool {
    let number = |i: Option<usize>| i.and_then(|i| text.tokens.get(i)).is_some_and(|t| t.kind == Kind::Number);
    !text.tokens[at].space_before && number(at.checked_sub(1)) && number(Some(at + 1)) && !text.tokens[at + 1].space_before
}

/// The token that closes a title in square brackets: "[ATCD]", "[Bio 11:40]"; no
/// box and no number of a reference.
pub fn bracketed(text: &Text<'_>, at: usize) -> Option<usize> {
    let word = text.tokens.get(at + 1).filter(|t| is!(text.key(at), "[") && t.kind == Kind::Word && !t.space_before)?;
    let close = (at + 2..at + 2 + TITLE_LINE).take_while(|i| same_line(text, *i)).find(|i| is!(text.key(*i), "]"))?;
    (word.end - word.start > 2).then_some(close)
}

/// Past "1.", "II)", "(3)", "[09]", "-", "*", "a/", the edge of a table.
fn after_numbering(text: &Text<'_>, at: usize) -> usize {
    let mut at = at;
    // "[09:05]" is an hour, "[1]" alone a field.
    let held = matches!((text.fold(at), text.fold(at + 2)), ("(", ")") | ("[", "]"));
    let short = |i: usize| text.tokens.get(i).is_some_and(|t| t.kind == Kind::Number && t.range().len() < 3);
    if held && short(at + 1) && text.tokens.get(at + 3).is_some_and(|t| t.kind == Kind::Word && t.lines_before == 0) {
        return at + 3;
    }
    let numbered = text.tokens[at].kind != Kind::Mark
        && (text.tokens[at].kind == Kind::Number
            || is!(text.key(at), "i" | "ii" | "iii" | "iv" | "v" | "vi" | "vii" | "viii" | "ix" | "x" | "a" | "b" | "c" | "d"))
        && text.fold(at).len() < 5
        && is!(text.key(at + 1), "." | ")" | "/" | "-" | "°");
    // "14.50 - ATCD" begins with an hour.
    let hour = text.tokens.get(at + 2).is_some_and(|t| t.kind == Kind::Number && !t.space_before && t.range().len() == 2);
    if numbered && !hour && text.tokens[at + 1].lines_before == 0 {
        at += 2;
    }
    while at < text.tokens.len()
        && text.tokens[at].kind == Kind::Mark
        && is!(text.key(at), "-" | "*" | "•" | "#" | "=" | "►" | ">" | "_" | "◦" | "▪" | "o" | "|")
        && text.tokens.get(at + 1).is_some_and(|t| t.lines_before == 0)
    {
        at += 1;
    }
    at
}

/// The section's content starts on the line of its title.
fn starts_on_title_line(text: &Text<'_>, section: &Section) -> bool {
    same_line(text, section.title.end)
}

/// A blank line ends a section that had its content on the title's own line, or
/// before a line of prose.
fn ends_block(text: &Text<'_>, section: &Section, at: usize) -> bool {
    if text.tokens[at].lines_before < 2 || at <= section.title.end {
        return false;
    }
    let line_end = (at + 1..text.tokens.len()).find(|i| text.tokens[*i].lines_before > 0).unwrap_or(text.tokens.len());
    let bullet = text.tokens[at].kind == Kind::Mark;
    let prose = text.source(at..line_end).bytes().filter(|b| *b != b'\r').count() > 70;
    !bullet && (starts_on_title_line(text, section) || prose)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<(String, String)> {
        let mut vocabulary = Vocabulary::default();
        let catalogue = Catalogue::read(&mut vocabulary).unwrap();
        vocabulary.finish();
        let text = Text::new(text);
        let words = vocabulary.read(&text);
        let sections = catalogue.sections(&text, &words, &vocabulary);
        assert!(sections.windows(2).all(|w| w[0].tokens.end <= w[1].tokens.start), "disjoint");
        sections.iter().map(|s| (catalogue.kind(s).name.to_string(), text.source(s.title.end..s.tokens.end).to_owned())).collect()
    }

    /// A text and its sections as `name: content`.
    const CASES: &[(&str, &[&str])] = &[
        ("Antécédents : HTA", &["history: HTA"]),
        ("ANTÉCÉDENTS\nHTA\nDiabète", &["history: HTA\nDiabète"]),
        ("ANTECEDENTS:\n- HTA", &["history: - HTA"]),
        ("Antécédents médicaux et chirurgicaux :\nHTA", &["history: HTA"]),
        ("ATCD HTA, DT2", &["history: HTA, DT2"]),
        ("14.50 - atcd : HTA\n14.55 - ttt : ramipril", &["history: HTA", "home_treatment: ramipril"]),
        ("Évolution : stable\n\nOrdonnance\n→ aspirine", &["course: stable", "discharge_treatment: → aspirine"]),
        ("Avant : HTA ; goutte\nTrouvé au sol", &["history: HTA ; goutte"]),
        ("(3) TERRAIN\nHTA\nTTT : ramipril\n\n(4) BILAN\nINR 1,1", &["history: HTA", "home_treatment: ramipril", "laboratory: INR 1,1"]),
        ("ATCD HTA. APPENDICECTOMIE 1984. PAS D'AVC.", &["history: HTA. APPENDICECTOMIE 1984. PAS D'AVC."]),
        ("ATCD: HTA\nTTT: ramipril", &["history: HTA", "home_treatment: ramipril"]),
        (
            "[ATCD] HTA\n[TTT] ramipril\n[PROVENANCE] domicile\n[CONSTANTES IDE 9:12] TA 150/80\n[x] vue",
            &["history: HTA", "home_treatment: ramipril", "vital_signs: TA 150/80\n[x] vue"],
        ),
        ("Vu ce jour. ATCD : HTA. Examen : aphasie", &["history: HTA.", "examination: aphasie"]),
        ("1. Antécédents\nHTA\n2. Examen clinique\nAphasie", &["history: HTA", "examination: Aphasie"]),
        ("II) ANTECEDENTS\nHTA", &["history: HTA"]),
        ("a/ Antécédents\nHTA", &["history: HTA"]),
        ("*Antécédents*\nHTA", &["history: HTA"]),
        ("- Antécédents : HTA", &["history: HTA"]),
        ("Antécédents. Diabète. HTA", &["history: Diabète. HTA"]),
        ("Antécédents -> HTA", &["history: HTA"]),
        ("ATCD  HTA\nEXAM  conscient, aphasie", &["history: HTA", "examination: conscient, aphasie"]),
        ("Traitement\tapixaban\nBiologie\tINR 1", &["home_treatment: apixaban", "laboratory: INR 1"]),
        ("ATCD : HTA\nEXAM conscient", &["history: HTA", "examination: conscient"]),
        ("ATCD : HTA\nvérif. croisée 19h09 : lit 4", &["history: HTA"]),
        ("Antécédents familiaux : père AVC\nTabac 20 PA", &["family_history: père AVC"]),
        ("Allergies : néant\nAphasie ce jour", &["allergies: néant"]),
        ("Allergies : iode\nMode de vie : vit seul", &["allergies: iode", "social: vit seul"]),
        ("Examen à 14h20 : aphasie", &["examination: aphasie"]),
        ("Examen (Dr Roux) : aphasie", &["examination: aphasie"]),
        ("Biologie du 12/03 : CRP 5", &["laboratory: CRP 5"]),
        ("Neuro 9h10 : hémiplégie", &["examination: hémiplégie"]),
        ("ATCD : HTA\n13h50 aphasie", &["history: HTA"]),
        ("ATCD : HTA. Ce matin aphasie", &["history: HTA."]),
        ("ATCD : HTA\nPatient retrouvé au sol", &["history: HTA"]),
        ("ATCD : HTA\nNIHSS 12", &["history: HTA"]),
        ("TTT : ramipril\n\n| PA | FC |\n| 150/80 | 70 |", &["home_treatment: ramipril"]),
        (
            "Antécédents :\n- Cardio : FA\n- Neuro : AIT\nExamen :\nNeuro : aphasie",
            &["history: - Cardio : FA\n- Neuro : AIT", "examination: ", "examination: aphasie"],
        ),
        ("Traitement : ramipril\nHDM : aphasie", &["home_treatment: ramipril", "present_illness: aphasie"]),
        ("Évolution : stable\nTraitement : ramipril", &["course: stable", "discharge_treatment: ramipril"]),
        ("Examen : aphasie\nATCD : HTA\nTraitement : ramipril", &["examination: aphasie", "history: HTA", "home_treatment: ramipril"]),
        (
            "Traitement à l'entrée :\nramipril\nTraitement de sortie :\naspirine",
            &["home_treatment: ramipril", "discharge_treatment: aspirine"],
        ),
        ("Ordonnance de sortie\naspirine", &["discharge_treatment: aspirine"]),
        ("Histoire de la maladie\nAphasie à 8 h", &["present_illness: Aphasie à 8 h"]),
        ("HDM Aphasie à 8 h", &["present_illness: Aphasie à 8 h"]),
        ("MOTIF D'HOSPITALISATION : AVC", &["reason: AVC"]),
        (
            "Indication : AVC\nTechnique : TDM\nRésultats : RAS\nConclusion : RAS",
            &["indication: AVC", "technique: TDM", "investigations: RAS", "conclusion: RAS"],
        ),
        ("CAT : IRM", &["plan: IRM"]),
        ("Au total : AVC", &["conclusion: AVC"]),
        ("Conduite à tenir\n- IRM", &["plan: - IRM"]),
        ("Mode de vie : seul\n\nElle marche sans aide depuis la sortie du service et reprend peu à peu ses activités.", &["social: seul"]),
        ("Il n'a pas d'antécédents notables.", &[]),
        ("Le traitement est poursuivi.", &[]),
        ("L'examen est normal : rien.", &[]),
        ("", &[]),
    ];

    #[test]
    fn titles_open_and_end_sections() {
        assert_eq!(CASES.len(), 54);
        for (text, expected) in CASES {
            let found: Vec<String> = named(text).into_iter().map(|(name, content)| format!("{name}: {content}")).collect();
            assert_eq!(&found, expected, "{text:?}");
        }
    }
}
