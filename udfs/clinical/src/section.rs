//! Sections: which titled part of a report a passage stands in.
//!
//! A title counts at the start of a line when a colon or the end of the line
//! follows, after a full stop when a colon follows, and, for the few titles that
//! telegraphic notes use as a word (`ATCD HTA, DT2`), wherever a sentence starts.

use std::ops::Range;

use serde::Deserialize;

use crate::knowledge::KnowledgeError;
use crate::lexicon::pattern::{Piece, parse_cue};
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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalog {
    section: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    prior: Prior,
    titles: Vec<String>,
    inline: Vec<String>,
}

/// A kind of section.
#[derive(Debug)]
pub struct SectionKind {
    pub name: Box<str>,
    pub prior: Prior,
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
}

const FILE: &str = "data/sections.toml";
/// Longest title line without a colon, in tokens.
const TITLE_LINE: usize = 8;

impl Catalogue {
    pub fn read(vocabulary: &mut Vocabulary) -> Result<Self, KnowledgeError> {
        let catalog: Catalog = toml::from_str(include_str!("../data/sections.toml")).map_err(|e| KnowledgeError::Toml { file: FILE, message: e.to_string() })?;
        let (mut kinds, mut trie) = (Vec::new(), Trie::default());
        for entry in catalog.section {
            for (inline, titles) in [(0, &entry.titles), (1, &entry.inline)] {
                let value = (kinds.len() as u32) << 1 | inline;
                for title in titles {
                    let pattern = parse_cue(title).map_err(|source| KnowledgeError::Phrase { file: FILE, phrase: title.clone(), source })?;
                    for form in pattern.forms {
                        let words: Vec<_> = form
                            .iter()
                            .map(|piece| match piece {
                                Piece::Word { fold, upper } => (Some(vocabulary.intern(fold)), *upper),
                                Piece::Gap => (None, false),
                            })
                            .collect();
                        trie.insert(&words, value);
                    }
                }
            }
            kinds.push(SectionKind { name: entry.name.into(), prior: entry.prior });
        }
        Ok(Catalogue { kinds, trie })
    }

    pub fn kind(&self, section: &Section) -> &SectionKind {
        &self.kinds[section.kind as usize]
    }

    /// Sections in order.
    pub fn sections(&self, text: &Text<'_>, words: &[WordId], vocabulary: &Vocabulary) -> Vec<Section> {
        let mut found: Vec<Section> = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let token = &text.tokens[at];
            let line_start = at == 0 || token.lines_before > 0;
            let first = if line_start { after_numbering(text, at) } else { at };
            let after_stop = !line_start && matches!(text.fold(at - 1), "." | ";" | "!");
            if (line_start || after_stop) && first < words.len() {
                if let Some((title, kind)) = self.title(text, words, vocabulary, first, line_start) {
                    if let Some(last) = found.last_mut() {
                        last.tokens.end = last.tokens.end.min(at);
                    }
                    at = title.end;
                    found.push(Section { tokens: first..words.len(), title, kind });
                    continue;
                }
                if line_start && let Some(last) = found.last_mut().filter(|s| s.tokens.end == words.len()) {
                    if ends_section(text, last, at) {
                        last.tokens.end = at;
                    }
                }
            }
            at = first.max(at) + 1;
        }
        found
    }

    fn title(&self, text: &Text<'_>, words: &[WordId], vocabulary: &Vocabulary, at: usize, line_start: bool) -> Option<(Range<usize>, u32)> {
        let mut best: Option<(usize, u32)> = None;
        self.trie.walk(text, words, vocabulary, at, |hit: Hit| {
            let inline = hit.value & 1 == 1;
            let end = hit.end;
            let accepted = match after_title(text, end) {
                After::Colon(colon) => Some(colon),
                After::Line if line_start && (end - at > 1 || text.fold(at).len() > 3 || text.tokens[at].upper) && end - at <= TITLE_LINE => Some(end),
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
}

enum After {
    /// A colon follows; the token after it.
    Colon(usize),
    /// The line ends.
    Line,
    Other,
}

fn after_title(text: &Text<'_>, mut at: usize) -> After {
    // "Examen (Dr Roux) :", "Biologie du 12/03 :"
    if text.fold(at) == "(" && text.tokens[at].lines_before == 0 {
        let close = (at..(at + 10).min(text.tokens.len())).find(|i| text.fold(*i) == ")");
        if let Some(close) = close {
            at = close + 1;
        }
    }
    match text.tokens.get(at) {
        None => After::Line,
        Some(token) if token.lines_before > 0 => After::Line,
        Some(_) if matches!(text.fold(at), ":" | "=") => After::Colon(at + 1),
        Some(_) if matches!(text.fold(at), "." | "-") && text.tokens.get(at + 1).is_none_or(|t| t.lines_before > 0) => After::Line,
        Some(_) if text.fold(at) == "-" && text.tokens[at].space_before && text.tokens.get(at + 1).is_some_and(|t| t.space_before) => After::Colon(at + 1),
        Some(_) => After::Other,
    }
}

/// Past "1.", "II)", "-", "*", "a/".
fn after_numbering(text: &Text<'_>, at: usize) -> usize {
    let mut at = at;
    let numbered = text.tokens[at].kind != Kind::Mark
        && (text.tokens[at].kind == Kind::Number || matches!(text.fold(at), "i" | "ii" | "iii" | "iv" | "v" | "vi" | "vii" | "viii" | "ix" | "x" | "a" | "b" | "c" | "d"))
        && text.fold(at).len() < 5
        && matches!(text.fold(at + 1), "." | ")" | "/" | "-" | "°");
    if numbered && text.tokens[at + 1].lines_before == 0 {
        at += 2;
    }
    while at < text.tokens.len() && text.tokens[at].kind == Kind::Mark && matches!(text.fold(at), "-" | "*" | "•" | "#" | "=" | "►" | ">" | "_" | "◦" | "▪" | "o") && text.tokens.get(at + 1).is_some_and(|t| t.lines_before == 0) {
        at += 1;
    }
    at
}

/// Whether a section of listed items ends before the line that starts here.
fn ends_section(text: &Text<'_>, section: &Section, at: usize) -> bool {
    if text.tokens[at].lines_before < 2 || at <= section.title.end {
        return false;
    }
    // A blank line ends a section that had its content on the title's own line,
    // or before a line of prose.
    let content_on_title_line = text.tokens.get(section.title.end).is_some_and(|t| t.lines_before == 0);
    let line_end = (at + 1..text.tokens.len()).find(|i| text.tokens[*i].lines_before > 0).unwrap_or(text.tokens.len());
    let bullet = text.tokens[at].kind == Kind::Mark;
    let prose = text.byte_range(at..line_end).len() > 70;
    !bullet && (content_on_title_line || prose)
}
