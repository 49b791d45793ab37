//! A maximum-entropy tagger, for the places that no rule foresaw.
//!
//! Every hospital signs, hands over and is reached in places of its own. What tells a
//! name there is seldom one word: it is the form of the token, its place on the line, how
//! the others on the page sign, what the rules found around it. The tagger weighs all of
//! it ([`features`]) with weights learned from invented dossiers (`training/`), and only
//! for tokens that no other detector covers. These are guesses: medicine wins over them
//! unless they are nearly certain.

mod calendar;
mod features;
mod model;

use std::borrow::Cow;
use std::ops::Range;

use chrono::NaiveDate;
use sillage_clinical::is;
use sillage_clinical::measurement::Measurement;
use sillage_clinical::text::Kind;

use crate::identity::Identity;
use crate::name::knowledge::word;
use crate::name::page::{Page, look};
use crate::proper::known;
use crate::shape::is_measured;
use crate::{Label, Span};
use features::Features;
pub use model::{CLASSES, Model, ModelError, Weights, softmax};

/// Detector of the tagger's spans.
pub(crate) const DETECTOR: &str = "tagger:context";
/// Least probability that a token identifies, for names and places.
const NAMES: f32 = 0.2;
/// The same for houses, whose names the rules know, for words in small letters, for a lone letter.
const UNSURE: f32 = 0.3;
/// The same for words of French or of medicine.
const EXPLAINED: f32 = 0.5;
/// The same for figures, of which most are measured.
const FIGURES: f32 = 0.5;
/// Numbers on a line that make it a row of values.
const COLUMNS: usize = 5;
/// Longest word in small letters that may be somebody's whatever it means.
const SMALL: usize = 3;

/// Spans of what the model takes for identifying among the tokens that `spans` leave.
pub(crate) fn tagged(
    identity: &Identity,
    page: &Page<'_, '_>,
    values: &[Measurement],
    written: Option<NaiveDate>,
    spans: &[Span],
) -> Vec<Span> {
    let labels = page.labels(spans);
    let features = Features::new(identity, page, &labels, written);
    let mut seen = Vec::new();
    let mut found: Vec<(Range<usize>, Label, f32)> = Vec::new();
    for at in 0..page.len() {
        let figures = figures(page, at);
        if labels[at].is_some()
            || !eligible(page, at)
            || side(page, at)
            || figures && (is_measured(values, page.text.tokens[at].range()) || in_columns(page, at))
        {
            continue;
        }
        features.of(at, &(at..at), &mut seen);
        let (label, score) = identity.tagger.guess(&seen);
        let name = matches!(label, Label::Nom | Label::Prenom | Label::Ville | Label::Adresse);
        let small = page.has(at, look::LOWER) && page.fold(at).len() > SMALL;
        let bare = page.has(at, look::SINGLE) && !is!(page.key(at + 1), ".");
        let common = page.fold(at).len() > SMALL && known::explained(page.fold(at));
        let least = match figures {
            true => FIGURES,
            false if common => EXPLAINED,
            false if name && !small && !bare => NAMES,
            false => UNSURE,
        };
        if score < least {
            continue;
        }
        match found.last_mut() {
            Some((tokens, last, sure)) if *last == label && joins(page, tokens.end, at) => {
                tokens.end = at + 1;
                *sure = sure.max(score);
            }
            _ => found.push((with_particle(page, &labels, at)..at + 1, label, score)),
        }
    }
    let mut people = labels;
    for (tokens, label, _) in &found {
        people[tokens.clone()].fill(Some(*label));
    }
    found.extend(letters(page, &people));
    let span = |(tokens, label, score): (Range<usize>, Label, f32)| {
        let bytes = page.text.byte_range(tokens);
        Span { start: bytes.start, end: bytes.end, label, detector: Cow::Borrowed(DETECTOR), score }
    };
    found.into_iter().map(span).collect()
}

/// "F. MARCHAL", "MARCHAL F.": one letter with its dot beside a name.
fn letters<'p>(page: &'p Page<'_, '_>, people: &'p [Option<Label>]) -> impl Iterator<Item = (Range<usize>, Label, f32)> + 'p {
    let name = |at: usize| matches!(people.get(at), Some(Some(Label::Nom)));
    let beside = move |at: &usize| {
        let at = *at;
        let dotted = page.has(at, look::SINGLE) && is!(page.key(at + 1), ".") && page.glued(at + 1);
        let free = dotted && page.title(at).is_none() && people[at].is_none() && people[at + 1].is_none();
        let before = name(at + 2) && page.same_line(at + 2) && page.has(at + 2, look::CAPITAL);
        let behind = at > 0 && name(at - 1) && page.same_line(at) && page.has(at - 1, look::UPPER) && !page.glued(at + 2);
        free && (before || behind)
    };
    (0..page.len().saturating_sub(1)).filter(beside).map(|at| (at..at + 2, Label::Prenom, NAMES))
}

/// A token as the model learns from it.
pub struct Example {
    /// Bytes of the text.
    pub bytes: Range<usize>,
    /// Hashes of what is seen, the token's own spans hidden.
    pub features: Vec<u32>,
    /// No rule covers it, and the tagger would be asked.
    pub open: bool,
    /// It has figures.
    pub figures: bool,
}

/// Every token of a page, to learn from or to measure with.
pub(crate) fn examples(identity: &Identity, page: &Page<'_, '_>, written: Option<NaiveDate>, spans: &[Span]) -> Vec<Example> {
    let labels = page.labels(spans);
    let mut own: Vec<Range<usize>> = (0..page.len()).map(|i| i..i).collect();
    for tokens in spans.iter().map(|s| page.tokens_of(s)) {
        for i in tokens.clone() {
            let joined = if own[i].is_empty() { tokens.clone() } else { own[i].start.min(tokens.start)..own[i].end.max(tokens.end) };
            own[i] = joined;
        }
    }
    let features = Features::new(identity, page, &labels, written);
    (0..page.len())
        .map(|at| {
            let mut seen = Vec::new();
            features.of(at, &own[at], &mut seen);
            let open = labels[at].is_none() && eligible(page, at);
            Example { bytes: page.text.byte_range(at..at + 1), features: seen, open, figures: figures(page, at) }
        })
        .collect()
}

/// A capital, a figure, a few letters or a word that nothing explains.
fn eligible(page: &Page<'_, '_>, at: usize) -> bool {
    let token = &page.text.tokens[at];
    match token.kind {
        Kind::Mark => false,
        Kind::Number => true,
        Kind::Word => {
            let fold = page.fold(at);
            // "mm[Hg]"
            if at > 1 && is!(page.key(at - 1), "[") && page.glued(at) && page.glued(at - 1) {
                return false;
            }
            if page.has(at, look::SINGLE) && of_acronym(page, at) {
                return false;
            }
            // "HISTOIRE DE LA MALADIE": in capitals an article is part of a name or nothing.
            if page.has(at, word::PARTICLE) && page.has(at, look::UPPER) {
                return false;
            }
            // "Pour le", "Sinus transverse": they have their capital because a sentence begins.
            let small = !page.has(at, look::UPPER | look::SINGLE);
            let opens = small && page.has(at, look::OPENS);
            if opens && (page.has(at, look::CLINICAL | look::CUE) || known::says_nothing(&page.key(at))) || small && title(page, at) {
                return false;
            }
            // "NIHSS", "mg": scores and units.
            let score = fold.len() > SMALL && page.has(at, look::CLINICAL) && page.has(at, word::ACRONYM);
            if score || page.has(at, look::LOWER) && known::says_nothing(&page.key(at)) {
                return false;
            }
            let word = word::COMMON | word::QUALIFIER | word::PARTICLE | look::CLINICAL | look::CUE;
            let small = || !page.has(at, word) && (fold.len() <= SMALL || page.has(at, word::ANY_NAME) || !known::explained(fold));
            token.capital || fold.bytes().any(|b| b.is_ascii_digit()) || small()
        }
    }
}

/// "Mme", "Dr": before a name, and none.
fn title(page: &Page<'_, '_>, at: usize) -> bool {
    is!(page.key(at), "dr" | "pr" | "mme" | "mlle" | "mr" | "monsieur" | "madame" | "docteur" | "professeur")
}

fn figures(page: &Page<'_, '_>, at: usize) -> bool {
    page.fold(at).bytes().any(|b| b.is_ascii_digit())
}

/// "10h21   165/84    78   99     35": a row of what a monitor shows.
fn in_columns(page: &Page<'_, '_>, at: usize) -> bool {
    let start = (0..=at).rev().find(|i| !page.same_line(*i)).unwrap_or(0);
    let line = || (start..page.len()).take_while(|i| *i == start || page.same_line(*i));
    let short = |i: &usize| page.text.tokens[*i].kind == Kind::Number && page.fold(*i).len() < 4;
    let words = line().filter(|i| page.text.tokens[*i].kind == Kind::Word).count();
    figures(page, start) && page.fold(at).len() < 4 && line().filter(short).count() >= COLUMNS && words < COLUMNS
}

/// "(G)", "la G": left or right.
fn side(page: &Page<'_, '_>, at: usize) -> bool {
    let before = at.checked_sub(1).map_or("", |b| page.fold(b));
    is!(page.key(at), "g" | "d")
        && (before == "(" && is!(page.key(at + 1), ")") || matches!(before, "la" | "main" | "jambe" | "bras" | "cote"))
}

/// One letter of "S.A.U.".
fn of_acronym(page: &Page<'_, '_>, at: usize) -> bool {
    let glued = |dot: usize, letter: usize| is!(page.key(dot), ".") && page.glued(dot) && page.glued(letter);
    at > 0 && is!(page.key(at - 1), ".") && page.glued(at) || glued(at + 1, at + 2) && page.has(at + 2, look::SINGLE)
}

/// The token goes on with the name that ended: beside it, behind a hyphen or an apostrophe.
fn joins(page: &Page<'_, '_>, end: usize, at: usize) -> bool {
    let mark = at == end + 1 && is!(page.key(end), "-" | "'");
    page.same_line(at) && page.same_line(end) && (at == end || mark)
}

/// "Le Dû": the first token of a name, its particle included.
fn with_particle(page: &Page<'_, '_>, labels: &[Option<Label>], at: usize) -> usize {
    let held = |i: usize| page.has(i, word::PARTICLE) && page.has(i, look::CAPITAL) && labels[i].is_none();
    match at.checked_sub(1) {
        Some(before) if held(before) && page.same_line(at) && page.has(at, look::CAPITAL) => before,
        _ => at,
    }
}
