//! Spans that overlap, made disjoint without losing a character.

use std::borrow::Cow;
use std::cmp::Reverse;

use crate::{Label, Span};

use super::{is_name, rank, trimmed};

/// Disjoint and ascending spans over the same characters.
pub(super) fn disjoint(text: &str, mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|s| (s.start, Reverse(s.end), s.label));
    let mut out = Vec::with_capacity(spans.len());
    let mut first = 0;
    while first < spans.len() {
        // What hangs together by overlaps is settled together.
        let (mut next, mut end) = (first + 1, spans[first].end);
        while next < spans.len() && spans[next].start < end {
            end = end.max(spans[next].end);
            next += 1;
        }
        if next == first + 1 {
            out.push(spans[first].clone());
        } else {
            cluster(text, &spans[first..next], &mut out);
        }
        first = next;
    }
    out
}

fn cluster(text: &str, spans: &[Span], out: &mut Vec<Span>) {
    let mut merged = grown(spans);
    cut_names(text, &mut merged);
    // The longest first; of equal ones the surer, then the more telling label.
    merged.sort_by_key(|s| (Reverse(s.end - s.start), Reverse(rank(s)), Reverse(telling(s)), s.start));
    let mut placed: Vec<Span> = Vec::with_capacity(merged.len());
    for span in merged {
        if let Some(same) = placed.iter_mut().find(|p| p.start == span.start && p.end == span.end) {
            same.detector = joined(&same.detector, &span.detector);
            continue;
        }
        let mut at = span.start;
        placed.sort_by_key(|p| p.start);
        let taken: Vec<(usize, usize)> =
            placed.iter().filter(|p| p.start < span.end && span.start < p.end).map(|p| (p.start, p.end)).collect();
        for (start, end) in taken.into_iter().chain([(span.end, span.end)]) {
            if at < start {
                placed.extend(trimmed(text, Span { start: at, end: start.min(span.end), ..span.clone() }));
            }
            at = at.max(end);
        }
    }
    placed.sort_by_key(|p| p.start);
    out.extend(placed);
}

/// Spans of one label that overlap become one.
fn grown(spans: &[Span]) -> Vec<Span> {
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.iter_mut().rev().find(|m| m.label == span.label && span.start < m.end) {
            Some(one) => {
                one.end = one.end.max(span.end);
                one.detector = joined(&one.detector, &span.detector);
                one.score = one.score.max(span.score);
            }
            None => merged.push(span.clone()),
        }
    }
    merged
}

/// "LE GOUËZ Annick" as one name leaves the given name to who knows it.
fn cut_names(text: &str, spans: &mut Vec<Span>) {
    let inner: Vec<Span> = spans.clone();
    let mut cut = Vec::with_capacity(spans.len());
    for span in spans.drain(..) {
        if !matches!(span.label, Label::Nom | Label::Prenom) {
            cut.push(span);
            continue;
        }
        let within = |i: &&Span| {
            matches!(i.label, Label::Nom | Label::Prenom)
                && i.label != span.label
                && span.start <= i.start
                && i.end <= span.end
                && i.end - i.start < span.end - span.start
        };
        let mut at = span.start;
        for other in inner.iter().filter(within) {
            cut.extend(trimmed(text, Span { start: at, end: other.start.max(at), ..span.clone() }));
            at = at.max(other.end);
        }
        cut.extend(trimmed(text, Span { start: at, ..span }));
    }
    *spans = cut;
}

/// Of two labels for the same words the one that says more.
fn telling(span: &Span) -> u8 {
    match span.label {
        Label::DateNaissance | Label::Secu | Label::Rpps => 4,
        Label::Ipp | Label::Nda | Label::Tel | Label::Hopital => 3,
        // A title, a signature or the metadata mean a person, a list or a trade behind a
        // name may also stand beside a town.
        Label::Nom | Label::Prenom if ["title", "signature", "metadata", "whole"].iter().any(|d| span.detector.contains(d)) => 3,
        Label::Ville => 2,
        label if is_name(label) => 1,
        _ => 0,
    }
}

/// Names of detectors, each once.
fn joined(one: &str, other: &str) -> Cow<'static, str> {
    let missing: Vec<&str> = other.split('+').filter(|d| !one.split('+').any(|o| o == *d)).collect();
    Cow::Owned(if missing.is_empty() { one.to_owned() } else { format!("{one}+{}", missing.join("+")) })
}
