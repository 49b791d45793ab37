//! Mentions: where a text names a concept of the lexicon.
//!
//! All phrases are collected, ambiguous short forms are checked against their
//! neighbours, then the longest of overlapping ones stays.

use crate::lexicon::Lexicon;
use crate::text::Text;
use crate::trie::Hit;
use crate::vocabulary::{Vocabulary, WordId};

/// Words looked at on either side of an ambiguous form.
const CONTEXT: usize = 8;

/// A concept named in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention {
    /// First token.
    pub start: usize,
    /// Token after the last one.
    pub end: usize,
    /// Index into [`Lexicon::concepts`].
    pub concept: u32,
}

/// Finds the mentions of a text, ascending and disjoint.
pub fn mentions(lexicon: &Lexicon, vocabulary: &Vocabulary, text: &Text<'_>, words: &[WordId]) -> Vec<Mention> {
    let mut hits: Vec<Hit> = Vec::new();
    for start in 0..words.len() {
        lexicon.trie.walk(text, words, vocabulary, start, |hit| {
            if in_context(lexicon, words, &hit) {
                hits.push(hit);
            }
        });
    }
    longest(hits).into_iter().map(|hit| Mention { start: hit.start, end: hit.end, concept: lexicon.senses[hit.value as usize].concept }).collect()
}

fn in_context(lexicon: &Lexicon, words: &[WordId], hit: &Hit) -> bool {
    let Some(context) = lexicon.senses[hit.value as usize].context else { return true };
    let cues = &lexicon.contexts[context as usize];
    let from = hit.start.saturating_sub(CONTEXT);
    let to = (hit.end + CONTEXT).min(words.len());
    let near = |list: &[WordId]| words[from..hit.start].iter().chain(&words[hit.end..to]).any(|w| list.contains(w));
    (cues.required.is_empty() || near(&cues.required)) && !near(&cues.refused)
}

/// Keeps the longest of overlapping hits; the first listed wins a tie.
fn longest(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by_key(|h| (h.start, h.end));
    let mut kept = Vec::with_capacity(hits.len());
    let mut at = 0;
    while at < hits.len() {
        let mut reach = hits[at].end;
        let mut next = at + 1;
        while next < hits.len() && hits[next].start < reach {
            reach = reach.max(hits[next].end);
            next += 1;
        }
        cluster(&mut hits[at..next], &mut kept);
        at = next;
    }
    kept.sort_by_key(|h: &Hit| h.start);
    kept
}

fn cluster(hits: &mut [Hit], kept: &mut Vec<Hit>) {
    if let [one] = hits {
        kept.push(*one);
        return;
    }
    hits.sort_by_key(|h| (std::cmp::Reverse(h.words), std::cmp::Reverse(h.end - h.start), h.value));
    let first = kept.len();
    for hit in hits.iter() {
        if kept[first..].iter().all(|k| hit.end <= k.start || hit.start >= k.end) {
            kept.push(*hit);
        }
    }
}
