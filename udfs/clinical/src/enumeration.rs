//! Enumerations: whether one mention follows another as the next item, or as what was done about it.

use std::ops::Range;

use crate::is;
use crate::mention::Mention;
use crate::text::{Kind, Text};

/// Most tokens between two items, brackets included.
const ASIDE: usize = 24;

/// Whether a participle of a treatment goes with the disease that ends before: "AVC de 2021,
/// thrombolysé et thrombectomisé".
pub(crate) fn treated_then(text: &Text<'_>, end: usize, next: &Range<usize>) -> bool {
    const STEMS: &[&str] = &["thrombolys", "fibrinolys", "thrombectomis"];
    let participle = text.source(next.start..next.start + 1).trim_end_matches(['s', 'e']);
    let treated = STEMS.iter().any(|stem| text.fold(next.start).starts_with(stem)) && participle.ends_with('é');
    let between = end..next.start;
    treated
        && between.len() <= ASIDE
        && between.clone().all(|at| {
            text.tokens[at].kind != Kind::Mark && !is!(text.key(at), "mais" | "puis" | "actuel" | "non")
                || is!(text.key(at), "," | "'" | "/" | "(" | ")")
        })
        && between.last().is_none_or(|at| is!(text.key(at), "," | "et") || text.tokens[at].kind == Kind::Number)
}

/// "Diabète, HTA, tabagisme.": a sentence that opens with two diseases that last lists what
/// somebody had before. Where the list goes on from.
pub(crate) fn risks(text: &Text<'_>, sentence: &Range<usize>, found: &[Mention], lasts: impl Fn(&Mention) -> bool) -> Option<usize> {
    let [first, second, ..] = found else { return None };
    let opens = (sentence.start..first.start).all(|at| text.tokens[at].kind == Kind::Mark);
    let comma = (first.end..second.start).any(|at| is!(text.key(at), ","));
    let listed = opens && comma && lasts(first) && lasts(second) && continues(text, first.end, &(second.start..second.end));
    listed.then_some(first.start)
}

/// An enumeration goes on from one mention to the next, which ends an item: "AIT en
/// 2011 (NIHSS 3), BPCO sévère, une hypothyroïdie".
pub(crate) fn continues(text: &Text<'_>, end: usize, next: &Range<usize>) -> bool {
    let fold = |at: usize| text.fold(at);
    let (mut words, mut inside, mut last) = (0, false, "");
    for at in end..next.start {
        match fold(at) {
            "(" => inside = true,
            ")" => inside = false,
            _ if inside => {}
            "." | ";" | ":" | "sur" | "avec" | "puis" | "mais" | "→" => return false,
            "un" | "une" | "le" | "la" | "des" if matches!(last, "," | "et") => {}
            word => {
                last = word;
                words += usize::from(text.tokens[at].kind == Kind::Word);
            }
        }
    }
    let behind =
        (next.end..text.tokens.len()).take(3).position(|at| matches!(fold(at), "," | "." | ";" | "et") || text.tokens[at].lines_before > 0);
    let ends = behind.is_some_and(|at| at <= 1) || next.end >= text.tokens.len();
    !inside && matches!(last, "," | "et") && words <= 4 && ends && next.start - end <= ASIDE
}
