//! A text as the shape detectors read it: tokens with their cues, and what was taken.

use std::borrow::Cow;
use std::ops::Range;

use sillage_clinical::analysis::Analysis;
use sillage_clinical::is;
use sillage_clinical::measurement::Measurement;
use sillage_clinical::text::{Kind, Text, Token, key};

use super::gazetteer::{Cue, ShapeKnowledge};
use super::{contact, date, secret, serial};
use crate::{Label, Span};

/// Bit beside those of the cues: the token has a figure in it.
pub(super) const FIGURED: u64 = 1 << 63;
/// Bit beside those of the cues: a rule of codes, phones or dates begins with the word.
pub(super) const LEADS: u64 = 1 << 62;
// Cues have the bits below.
const _: () = assert!((Cue::Transfer as u32) < 62);

/// A token of figures alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digits {
    pub value: u64,
    pub count: usize,
}

pub(super) struct Reader<'t, 'a> {
    pub knowledge: &'t ShapeKnowledge,
    pub analysis: &'t Analysis<'a>,
    pub text: &'t Text<'a>,
    /// Cues of every token, and the bits beside them.
    cues: Vec<u64>,
    /// What every token of figures alone says.
    digits: Vec<Option<Digits>>,
    taken: Vec<bool>,
    pub found: Vec<Span>,
}

impl<'t, 'a> Reader<'t, 'a> {
    pub fn new(knowledge: &'t ShapeKnowledge, analysis: &'t Analysis<'a>) -> Self {
        let text = &analysis.text;
        // "14/10 s'il": no seconds.
        let elided =
            |i: usize| is!(text.key(i + 1), "'") && text.fold(i).len() == 1 && text.tokens.get(i + 1).is_some_and(|t| !t.space_before);
        let number = |i: usize| text.tokens[i].kind == Kind::Number;
        let digits = |i: usize| if number(i) { figures_alone(text.fold(i)) } else { None };
        let figured = |i: usize| number(i) || text.fold(i).bytes().any(|b| b.is_ascii_digit());
        let cues = |i: usize| {
            let cues = knowledge.cues_of(text.key(i)) & if elided(i) { !Cue::Unit.bit() } else { u64::MAX };
            cues | if figured(i) { FIGURED } else { 0 } | if leads(text.key(i)) { LEADS } else { 0 }
        };
        let all = 0..text.tokens.len();
        Reader {
            knowledge,
            analysis,
            text,
            cues: all.clone().map(cues).collect(),
            digits: all.clone().map(digits).collect(),
            taken: vec![false; all.len()],
            found: Vec::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.text.tokens.len()
    }

    pub fn token(&self, at: usize) -> Option<&Token> {
        self.text.tokens.get(at)
    }

    #[inline]
    pub fn fold(&self, at: usize) -> &'t str {
        self.text.fold(at)
    }

    #[inline]
    pub fn key(&self, at: usize) -> u64 {
        self.text.key(at)
    }

    /// Folded form so many tokens before; empty before the text.
    #[inline]
    pub fn before(&self, at: usize, back: usize) -> &'t str {
        at.checked_sub(back).map_or("", |i| self.text.fold(i))
    }

    #[inline]
    pub fn is(&self, at: usize, cue: Cue) -> bool {
        self.any(at, cue.bit())
    }

    /// The token has one of these bits.
    #[inline]
    pub fn any(&self, at: usize, cues: u64) -> bool {
        self.cues.get(at).is_some_and(|c| c & cues != 0)
    }

    #[inline]
    pub fn kind(&self, at: usize) -> Option<Kind> {
        self.token(at).map(|t| t.kind)
    }

    #[inline]
    pub fn word(&self, at: usize) -> bool {
        self.kind(at) == Some(Kind::Word)
    }

    #[inline]
    pub fn mark(&self, at: usize, mark: &str) -> bool {
        self.kind(at) == Some(Kind::Mark) && self.key(at) == key(mark)
    }

    #[inline]
    pub fn capital(&self, at: usize) -> bool {
        self.token(at).is_some_and(|t| t.kind == Kind::Word && t.capital)
    }

    #[inline]
    pub fn upper(&self, at: usize) -> bool {
        self.token(at).is_some_and(|t| t.upper)
    }

    /// A capitalised word comes next, particles, hyphens and apostrophes aside.
    pub fn leads_to_capital(&self, at: usize) -> bool {
        let mut next = at + 1;
        while next < at + 6 && self.near(next) && (is!(self.key(next), "-" | "'") || self.is(next, Cue::Particle) && !self.capital(next)) {
            next += 1;
        }
        self.capital(next) && self.near(next)
    }

    /// Nothing stands between the token and the one before it.
    #[inline]
    pub fn glued(&self, at: usize) -> bool {
        at > 0 && self.token(at).is_some_and(|t| !t.space_before && t.lines_before == 0)
    }

    #[inline]
    pub fn same_line(&self, at: usize) -> bool {
        self.token(at).is_some_and(|t| t.lines_before == 0)
    }

    /// On the same line or the next.
    #[inline]
    pub fn near(&self, at: usize) -> bool {
        self.token(at).is_some_and(|t| t.lines_before < 2)
    }

    #[inline]
    pub fn line_start(&self, at: usize) -> bool {
        at == 0 || self.token(at).is_some_and(|t| t.lines_before > 0)
    }

    /// First of its line or behind a mark that parts fields.
    pub fn opens_field(&self, at: usize) -> bool {
        self.line_start(at) || matches!(self.before(at, 1), "-" | "–" | "," | ":" | "|")
    }

    /// A wide gap or a tabulation before the token: another column begins.
    pub fn column(&self, at: usize) -> bool {
        let (Some(token), Some(previous)) = (self.token(at), at.checked_sub(1).and_then(|p| self.token(p))) else { return true };
        let between = &self.text.original[previous.end as usize..token.start as usize];
        between.len() > 2 || between.contains('\t')
    }

    #[inline]
    pub fn digits(&self, at: usize) -> Option<Digits> {
        self.digits.get(at).copied().flatten()
    }

    /// The token has a figure in it.
    #[inline]
    pub fn figured(&self, at: usize) -> bool {
        self.any(at, FIGURED)
    }

    /// A rule of codes, phones or dates begins with the word.
    #[inline]
    pub fn leads(&self, at: usize) -> bool {
        self.any(at, LEADS)
    }

    /// A mark as they stand in codes holds the token to the next.
    #[inline]
    pub fn joined(&self, at: usize) -> bool {
        self.glued(at + 1) && is!(self.key(at + 1), "-" | "_" | "/" | ".") && self.glued(at + 2) && self.kind(at + 2) != Some(Kind::Mark)
    }

    pub fn source(&self, tokens: Range<usize>) -> &'a str {
        self.text.source(tokens)
    }

    pub fn free(&self, tokens: Range<usize>) -> bool {
        self.taken.get(tokens).is_some_and(|taken| taken.iter().all(|t| !t))
    }

    #[inline]
    pub fn is_taken(&self, at: usize) -> bool {
        self.taken.get(at).copied().unwrap_or(true)
    }

    /// Takes tokens for a label.
    pub fn emit(&mut self, tokens: Range<usize>, label: Label, detector: &'static str, score: f32) {
        let bytes = self.text.byte_range(tokens.clone());
        self.emit_bytes(tokens, bytes, label, detector, score);
    }

    /// Takes tokens, of which only some bytes identify.
    pub fn emit_bytes(&mut self, tokens: Range<usize>, bytes: Range<usize>, label: Label, detector: &'static str, score: f32) {
        if bytes.is_empty() || !self.free(tokens.clone()) {
            return;
        }
        for taken in &mut self.taken[tokens] {
            *taken = true;
        }
        self.found.push(Span { start: bytes.start, end: bytes.end, label, detector: Cow::Borrowed(detector), score });
    }

    /// Any of the tokens before, on the same line, is a cue.
    pub fn cue_before(&self, at: usize, reach: usize, cue: Cue) -> bool {
        let mut index = at;
        for _ in 0..reach {
            if index == 0 || self.line_start(index) {
                return false;
            }
            index -= 1;
            if self.is(index, cue) {
                return true;
            }
        }
        false
    }

    /// The value of a measurement stands here.
    pub fn measured(&self, at: usize) -> bool {
        self.token(at).is_some_and(|token| is_measured(self.analysis.measurements(), token.range()))
    }

    /// The spans, ascending and disjoint.
    pub fn finish(mut self) -> Vec<Span> {
        self.found.sort_by_key(|s| (s.start, std::cmp::Reverse(s.end)));
        let mut last = 0;
        self.found.retain(|s| {
            let apart = s.start >= last;
            if apart {
                last = s.end;
            }
            apart
        });
        self.found
    }
}

/// Words that the rules of codes, phones and dates begin with.
fn leads(key: u64) -> bool {
    contact::leads(key) || date::leads(key) || secret::leads(key) || serial::leads(key)
}

/// A word as figures, where it has no others.
fn figures_alone(word: &str) -> Option<Digits> {
    let plain = word.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| Digits { value: word.parse().unwrap_or(u64::MAX), count: word.len() })
}

/// Whether the value of a measurement that is named, or has its unit, stands in these bytes.
pub(crate) fn is_measured(values: &[Measurement], bytes: Range<usize>) -> bool {
    let after = values.partition_point(|m| m.value_end <= bytes.start);
    values.get(after).is_some_and(|m| m.value_start < bytes.end && (m.name.is_some() || m.unit.is_some()))
}
