//! Lines and texts that are written in one case throughout.

use rustc_hash::{FxBuildHasher, FxHashSet};
use sillage_clinical::is;
use sillage_clinical::text::{Kind, Text};

use super::look;
use crate::name::knowledge::word;

/// Keys of the words that the text writes in small letters; names are written so in a mail address and a login.
pub(super) fn small_words(text: &Text<'_>) -> FxHashSet<u64> {
    let mut seen = FxHashSet::with_capacity_and_hasher(text.tokens.len() / 2, FxBuildHasher);
    let mut start = 0;
    for end in 1..=text.tokens.len() {
        if end < text.tokens.len() && !text.tokens[end].space_before && text.tokens[end].lines_before == 0 {
            continue;
        }
        if !(start..end).any(|i| is!(text.key(i), "@" | "_" | "www")) {
            let small = |i: &usize| {
                let token = &text.tokens[*i];
                token.kind == Kind::Word && !token.capital && token.end - token.start > 2
            };
            seen.extend((start..end).filter(small).map(|i| text.key(i)));
        }
        start = end;
    }
    seen
}

/// Notes the lines and texts that are written in one case throughout.
///
/// In a text without capitals a listed name that is no other word counts as if it had
/// its own, and so does the initial before it.
pub(super) fn styles(text: &Text<'_>, bits: &mut [u32]) {
    let (mut upper, mut words, mut lines, mut small_lines, mut capitals) = (0usize, 0usize, 0usize, 0usize, 0usize);
    let mut start = 0;
    for end in 1..=bits.len() {
        if end < bits.len() && text.tokens[end].lines_before == 0 {
            continue;
        }
        let (mut line_words, mut line_upper) = (0, 0);
        for (i, bits) in (start..end).zip(&bits[start..end]) {
            let cased = bits & (look::LOWER | look::CAPITAL) != 0 && text.fold(i).len() > 2;
            line_words += usize::from(cased);
            line_upper += usize::from(cased && bits & look::UPPER != 0);
            capitals += usize::from(cased && bits & look::CAPITAL != 0);
            if i == start && cased && bits & look::UPPER == 0 {
                lines += 1;
                small_lines += usize::from(bits & look::LOWER != 0);
            }
        }
        if line_upper > 2 && line_upper == line_words {
            bits[start..end].iter_mut().for_each(|bit| *bit |= look::IN_CAPITALS);
        }
        words += line_words;
        upper += line_upper;
        start = end;
    }
    if upper > 12 && upper * 10 > words * 7 {
        bits.iter_mut().for_each(|bit| *bit |= look::IN_CAPITALS);
    }
    // Lines that a day opens say nothing by their first word.
    let few = words > 20 && capitals * 20 <= words;
    if few || lines > 1 && small_lines * 10 >= lines * 7 {
        in_small_letters(text, bits);
    }
}

fn in_small_letters(text: &Text<'_>, bits: &mut [u32]) {
    for i in 0..bits.len() {
        bits[i] &= !look::SEEN_LOWER;
        let other = word::COMMON | word::ACRONYM | word::QUALIFIER | word::KIN_QUALIFIER | word::PARTICLE | word::AMBIGUOUS | look::CUE;
        let name =
            bits[i] & look::LOWER != 0 && bits[i] & (word::GIVEN | word::FAMILY) != 0 && bits[i] & other == 0 && text.fold(i).len() > 3;
        if !name {
            continue;
        }
        bits[i] |= look::CAPITAL;
        let letter = |i: usize, bits: &[u32]| text.fold(i).len() == 1 && bits[i] & look::LOWER != 0;
        if i > 1 && is!(text.key(i - 1), ".") && letter(i - 2, bits) {
            bits[i - 2] |= look::SINGLE;
        }
        if i + 2 < bits.len() && text.tokens[i + 1].lines_before == 0 && is!(text.key(i + 2), ".") && letter(i + 1, bits) {
            bits[i + 1] |= look::SINGLE;
        }
    }
}
