//! The phrases of all declarations as one tree, laid out flat: tens of thousands of
//! forms are walked over every token of every document.
//!
//! The pattern language and the rules of matching are those of
//! [`sillage_clinical::phrase`]: words match by stem, small words and joining marks
//! may stand inside a phrase, `...` is a gap; words cut by a dot are not completed.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;
use sillage_clinical::lexicon::pattern::{PatternError, Piece, parse_cue};
use sillage_clinical::text::{Kind, Text};
use sillage_clinical::trie::{GAP, Hit, SKIPS, ends_gap, joins};
use sillage_clinical::vocabulary::{UNKNOWN, Vocabulary, WordId};

/// No node: the root is never the end of an edge.
const NONE: u32 = 0;

/// A node while phrases are added.
#[derive(Default)]
struct Growing {
    children: FxHashMap<WordId, u32>,
    gap: u32,
    ends: Vec<(u32, u16)>,
}

/// A node: its edges and ends are runs of the lists.
#[derive(Clone, Copy, Default)]
struct Node {
    edges: u32,
    edge_count: u32,
    ends: u32,
    end_count: u32,
    gap: u32,
}

/// A set of phrases, each with a value.
#[derive(Default)]
pub(crate) struct Matcher {
    vocabulary: Vocabulary,
    growing: Vec<Growing>,
    /// By word: the node behind it, at the start of a phrase.
    starts: Vec<u32>,
    nodes: Vec<Node>,
    edges: Vec<(WordId, u32)>,
    /// Value, and which matched words must be in capitals.
    ends: Vec<(u32, u16)>,
    skippable: Vec<bool>,
}

impl Matcher {
    /// Adds a phrase. Call [`Self::finish`] after the last one.
    ///
    /// Errors: a phrase that the pattern language does not know.
    pub(crate) fn add(&mut self, phrase: &str, value: u32) -> Result<(), PatternError> {
        if self.growing.is_empty() {
            self.growing.push(Growing::default());
        }
        for form in &parse_cue(phrase)?.forms {
            let (mut node, mut upper, mut position) = (0usize, 0u16, 0);
            for piece in form {
                let next = self.growing.len() as u32;
                let child = match piece {
                    Piece::Word { fold, upper: capitals } => {
                        if *capitals && position < 16 {
                            upper |= 1 << position;
                        }
                        position += 1;
                        let word = self.vocabulary.intern(fold);
                        *self.growing[node].children.entry(word).or_insert(next)
                    }
                    Piece::Gap => {
                        let gap = &mut self.growing[node].gap;
                        if *gap == NONE {
                            *gap = next;
                        }
                        *gap
                    }
                };
                if child == next {
                    self.growing.push(Growing::default());
                }
                node = child as usize;
            }
            let end = (value, upper);
            if !self.growing[node].ends.contains(&end) {
                self.growing[node].ends.push(end);
            }
        }
        Ok(())
    }

    /// A word that may stand inside any phrase without being part of it.
    pub(crate) fn skip(&mut self, word: &str) {
        let id = self.vocabulary.intern(word) as usize;
        if self.skippable.len() <= id {
            self.skippable.resize(id + 1, false);
        }
        self.skippable[id] = true;
    }

    /// Lays the tree out.
    pub(crate) fn finish(&mut self) {
        self.vocabulary.finish();
        let growing = std::mem::take(&mut self.growing);
        self.starts = vec![NONE; self.vocabulary.len() + 1];
        self.nodes = Vec::with_capacity(growing.len());
        for (at, node) in growing.into_iter().enumerate() {
            if at == 0 {
                for (word, next) in &node.children {
                    self.starts[*word as usize] = *next;
                }
            }
            let (edges, ends) = (self.edges.len() as u32, self.ends.len() as u32);
            self.edges.extend(node.children);
            self.edges[edges as usize..].sort_unstable();
            self.ends.extend(node.ends);
            self.nodes.push(Node {
                edges,
                edge_count: self.edges.len() as u32 - edges,
                ends,
                end_count: self.ends.len() as u32 - ends,
                gap: node.gap,
            });
        }
    }

    /// Every phrase of a text, ascending; longer ones first where several start
    /// together. A phrase does not go past an empty line.
    pub(crate) fn find(&self, text: &Text<'_>) -> Vec<Hit> {
        let words = self.vocabulary.read(text);
        let mut found = Vec::new();
        for (start, word) in words.iter().enumerate() {
            let Some(node) = self.starts.get(*word as usize).filter(|n| *word != UNKNOWN && **n != NONE) else { continue };
            let first = found.len();
            let mut walk = Walk { matcher: self, text, words: &words, start, found: &mut found };
            walk.follow(*node, start + 1, 1, u16::from(text.tokens[start].upper), 0);
            if found.len() > first + 1 {
                found[first..].sort_unstable_by_key(|h| (Reverse(h.end), h.value));
                let mut kept = first + 1;
                for at in first + 1..found.len() {
                    if found[at] != found[kept - 1] {
                        found[kept] = found[at];
                        kept += 1;
                    }
                }
                found.truncate(kept);
            }
        }
        found
    }

    fn child(&self, node: u32, word: WordId) -> Option<u32> {
        if word == UNKNOWN {
            return None;
        }
        let Node { edges, edge_count, .. } = self.nodes[node as usize];
        let edges = &self.edges[edges as usize..(edges + edge_count) as usize];
        if edges.len() < 12 {
            return edges.iter().find(|(w, _)| *w == word).map(|(_, next)| *next);
        }
        edges.binary_search_by_key(&word, |(w, _)| *w).ok().map(|at| edges[at].1)
    }
}

struct Walk<'w, 't> {
    matcher: &'w Matcher,
    text: &'w Text<'t>,
    words: &'w [WordId],
    start: usize,
    found: &'w mut Vec<Hit>,
}

impl Walk<'_, '_> {
    /// At `node`, with tokens up to `at` read.
    fn follow(&mut self, node: u32, at: usize, matched: usize, capitals: u16, skips: usize) {
        let matcher = self.matcher;
        let Node { edge_count, ends, end_count, gap, .. } = matcher.nodes[node as usize];
        for (value, upper) in &matcher.ends[ends as usize..(ends + end_count) as usize] {
            if upper & !capitals == 0 {
                self.found.push(Hit { start: self.start, end: at, words: matched, value: *value });
            }
        }
        if gap != NONE {
            self.gap(gap, at, matched, capitals);
        }
        if edge_count > 0 {
            self.step(node, at, matched, capitals, skips);
        }
    }

    /// The next word of the phrase, past small words.
    fn step(&mut self, node: u32, at: usize, matched: usize, capitals: u16, skips: usize) {
        let Some(token) = self.text.tokens.get(at).filter(|t| t.lines_before < 2) else { return };
        if let Some(next) = self.matcher.child(node, self.words[at]) {
            self.follow(next, at + 1, matched + 1, capitals | (u16::from(token.upper) << matched.min(15)), skips);
        }
        if skips < SKIPS && self.may_skip(at) {
            self.step(node, at + 1, matched, capitals, skips + 1);
        }
    }

    fn gap(&mut self, node: u32, from: usize, matched: usize, capitals: u16) {
        for at in from..(from + GAP + 1).min(self.words.len()) {
            let token = &self.text.tokens[at];
            if token.lines_before > 1 {
                return;
            }
            if let Some(next) = self.matcher.child(node, self.words[at]) {
                self.follow(next, at + 1, matched + 1, capitals | (u16::from(token.upper) << matched.min(15)), 0);
            }
            // The mark that ends the gap may be the word behind it: "recoté ... :".
            if ends_gap(self.text, at) {
                return;
            }
        }
    }

    fn may_skip(&self, at: usize) -> bool {
        match self.text.tokens[at].kind {
            Kind::Mark => joins(self.text, at),
            _ => self.matcher.skippable.get(self.words[at] as usize).copied().unwrap_or(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sillage_clinical::phrase::Phrases;

    const PHRASES: &[&str] = &[
        "thrombolyse [IV/intraveineuse/]",
        "pas ... thrombolyse",
        "=FA",
        "occlusion [M1/M2]",
        "post-thrombolyse",
        "retour domicile",
        "fuite urine",
    ];

    /// The flat tree and the text library's agree.
    #[test]
    fn as_the_text_library_finds() {
        let (mut flat, mut library) = (Matcher::default(), Phrases::default());
        for (value, phrase) in PHRASES.iter().enumerate() {
            flat.add(phrase, value as u32).unwrap();
            library.add(phrase, value as u32).unwrap();
        }
        for word in ["de", "la", "d", "au", "à"] {
            flat.skip(word);
            library.skip(word);
        }
        flat.finish();
        library.finish();
        let mut count = 0;
        for text in [
            "Pas d'indication de thrombolyse IV. Occlusion de la M1.",
            "FA connue, la fa. Fuite d'urines.",
            "Post thrombolyse intra-veineuse, retour au domicile",
            "pas\n\nthrombolyse",
            "pas, thrombolyse",
            "occlusion\nM2",
        ] {
            let text = Text::new(text);
            let words = library.read(&text);
            let expected = library.find(&text, &words, 0..words.len());
            count += expected.len();
            assert_eq!(flat.find(&text), expected, "{}", text.original);
        }
        assert_eq!(count, 12);
    }
}
