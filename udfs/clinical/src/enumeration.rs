//! Enumerations: whether one mention follows another as the next item.

use std::ops::Range;

use crate::text::{Kind, Text};

/// Most tokens between two items, brackets included.
const ASIDE: usize = 24;

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
