//! Names of people: patients, relatives, staff.
//!
//! One pass looks up every token; then come, in this order, the names that a cue
//! announces ([`context`]), those that their shape or the gazetteers show
//! ([`free`]), initials ([`initials`], [`slot`]) and what was found once everywhere else
//! ([`repeat`]). Weights of context and shape add up; [`weigh`] says what is enough.
//!
//! Words that are also common nouns, months, places, drugs or eponyms need a
//! context; a clinical mention is never a name unless a title stands before it.

mod author;
mod context;
mod entry;
mod field;
mod free;
pub(crate) mod initials;
pub(crate) mod knowledge;
mod lead;
mod letters;
pub(crate) mod page;
mod parting;
mod position;
pub(crate) mod repeat;
pub(crate) mod slot;
#[cfg(test)]
mod tests;
mod typist;
pub(crate) mod weigh;
pub(crate) mod writers;

use std::ops::Range;

use sillage_clinical::is;
use sillage_clinical::text::Kind;

pub use knowledge::Names;
use knowledge::likely_common;
use page::Page;
use repeat::Known;

use crate::{Circumstances, Label, Span};

/// Names of staff and relatives, by context, shape, gazetteer and metadata.
///
/// Spans are ascending and disjoint, titles outside; detectors are `context:…`
/// (title, function, kin, header, birth, spouse, agent, copy, signature, initials,
/// phone, whole), `shape:name`, `gazetteer:given`, `gazetteer:family`, `metadata`, `repeat`.
pub(crate) fn names(page: &Page<'_, '_>, circumstances: Circumstances<'_>) -> Vec<Span> {
    let mut found = Found::new(page.len());
    context::announced(page, &mut found);
    position::positions(page, &mut found);
    let mut metadata = Known::default();
    for name in circumstances.staff {
        metadata.learn_name(page.names, name);
    }
    repeat::repeated(page, &metadata, "metadata", &mut found);
    author::authors(page, &metadata.initials, &mut found);
    slot::slots(page, &mut found);
    field::fields(page, &mut found);
    free::unannounced(page, &mut found);
    letters::dotted(page, &mut found);
    let mut known = metadata;
    found.sort();
    known.learn(page, &found);
    writers::writers(page, &known.initials, &mut found);
    initials::initials(page, &known.initials, &mut found);
    repeat::repeated(page, &known, "repeat", &mut found);
    field::beside_names(page, &mut found);
    letters::placed(page, &mut found);
    letters::given_m(page, circumstances, &mut found);
    found.spans(page)
}

/// What was found so far, in tokens.
pub(crate) struct Found {
    items: Vec<Item>,
    covered: Vec<bool>,
}

struct Item {
    tokens: Range<usize>,
    label: Label,
    detector: &'static str,
    weight: i32,
}

impl Found {
    pub fn new(tokens: usize) -> Self {
        Found { items: Vec::new(), covered: vec![false; tokens] }
    }

    pub fn covers(&self, at: usize) -> bool {
        self.covered.get(at).copied().unwrap_or(false)
    }

    /// Takes a name, without the marks at its ends; what is taken already stays as it is.
    pub fn push(&mut self, page: &Page<'_, '_>, tokens: Range<usize>, label: Label, detector: &'static str, weight: i32) {
        let mut tokens = tokens.start..tokens.end.min(self.covered.len());
        while tokens.start < tokens.end && (self.covered[tokens.start] || page.text.tokens[tokens.start].kind == Kind::Mark) {
            tokens.start += 1;
        }
        let free = (tokens.start..tokens.end).find(|i| self.covered[*i]).unwrap_or(tokens.end);
        tokens.end = free;
        while tokens.start < tokens.end && page.text.tokens[tokens.end - 1].kind == Kind::Mark && !is!(page.key(tokens.end - 1), ".") {
            tokens.end -= 1;
        }
        if tokens.start >= tokens.end {
            return;
        }
        self.covered[tokens.clone()].fill(true);
        self.items.push(Item { tokens, label, detector, weight });
    }

    pub fn sort(&mut self) {
        self.items.sort_by_key(|i| i.tokens.start);
    }

    /// Tokens and labels, and whether more than their look speaks for them.
    pub fn names(&self) -> impl Iterator<Item = (Range<usize>, Label, bool)> + '_ {
        let sure = |i: &Item| i.weight >= 26 || !i.detector.starts_with("shape") && !i.detector.starts_with("gazetteer");
        self.items.iter().map(move |i| (i.tokens.clone(), i.label, sure(i)))
    }

    pub fn spans(mut self, page: &Page<'_, '_>) -> Vec<Span> {
        self.sort();
        let span = |item: &Item| {
            let bytes = page.text.byte_range(item.tokens.clone());
            let score = (item.weight as f32 / 40.0).clamp(0.3, 0.99);
            Span { start: bytes.start, end: bytes.end, label: item.label, detector: item.detector.into(), score }
        };
        self.items.iter().map(span).collect()
    }
}
