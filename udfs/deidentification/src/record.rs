//! The patient's own record, looked for in a text: names, birth date, address, town,
//! phones, mails and numbers, as people write them and mistype them.
//!
//! What the record claims is claimed even within a clinical mention; a family name
//! that is also a word needs its capitals, a title or the other name beside it.

mod date;
mod name;
mod number;
mod place;

use std::borrow::Cow;

use crate::name::page::Page;
use crate::{Person, Span};

/// The patient's record wherever it is written.
///
/// Spans ascend and are disjoint; detectors are `record:family`, `record:given`,
/// `record:initial`, `record:birth_date`, `record:address`, `record:postal_code`,
/// `record:city`, `record:phone`, `record:mail`, `record:identifier`.
pub(crate) fn record(page: &Page<'_, '_>, person: &Person) -> Vec<Span> {
    let mut spans = Vec::new();
    number::find(page, person, &mut spans);
    date::find(page, person, &mut spans);
    place::find(page, person, &mut spans);
    name::find(page, person, &mut spans);
    disjoint(spans)
}

/// Ascending and disjoint: the longer of two that overlap stays, the earlier of equals.
fn disjoint(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|s| (s.start, std::cmp::Reverse(s.end)));
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match out.last_mut() {
            Some(last) if span.start < last.end => {
                if span.end - span.start > last.end - last.start {
                    *last = span;
                }
            }
            _ => out.push(span),
        }
    }
    out
}

fn span(page: &Page<'_, '_>, tokens: std::ops::Range<usize>, label: crate::Label, detector: &'static str, score: f32) -> Span {
    let bytes = page.text.byte_range(tokens);
    Span { start: bytes.start, end: bytes.end, label, detector: Cow::Borrowed(detector), score }
}

/// Damerau–Levenshtein distance of two short ASCII words, when it is at most `most`.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > most || a.len() > 40 || b.len() > 40 {
        return None;
    }
    // A step changes two letters of those that the words have at most.
    let letters = |word: &[u8]| word.iter().fold(0_u32, |set, letter| set | 1 << (letter & 31));
    if (letters(a) ^ letters(b)).count_ones() as usize > 2 * most {
        return None;
    }
    let mut rows = [[0usize; 41]; 3];
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        let (now, before, two_before) = (i % 3, (i - 1) % 3, (i + 1) % 3);
        rows[now][0] = i;
        let mut least = i;
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[before][j] + 1).min(rows[now][j - 1] + 1).min(rows[before][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[two_before][j - 2] + 1);
            }
            rows[now][j] = best;
            least = least.min(best);
        }
        if least > most {
            return None;
        }
    }
    Some(rows[a.len() % 3][b.len()]).filter(|d| *d <= most)
}

#[cfg(test)]
mod tests;
