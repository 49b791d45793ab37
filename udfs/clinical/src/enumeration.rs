//! Enumerations: whether one mention follows another as the next item, or as what was done about it.

use std::ops::Range;

use crate::is;
use crate::mention::Mention;
use crate::text::{Kind, Text};

/// Most tokens between two items, brackets included.
const ASIDE: usize = 24;

/// Whether a mention is how the disease that ends before was treated; `act`: a procedure or a thrombolytic.
pub(crate) fn treats(text: &Text<'_>, end: usize, next: &Range<usize>, act: bool) -> bool {
    treated_then(text, end, next) || act && treated_by(text, end, next)
}

/// Whether a participle of a treatment goes with the disease that ends before: "AVC de 2021,
/// thrombolysé et thrombectomisé".
fn treated_then(text: &Text<'_>, end: usize, next: &Range<usize>) -> bool {
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

/// Whether an act or a drug is how the disease that ends before was treated: "l'infarctus de 2019, qui
/// avait été traité par altéplase et thrombectomie".
fn treated_by(text: &Text<'_>, end: usize, next: &Range<usize>) -> bool {
    const STEMS: &[&str] = &["trait", "benefici", "thrombolys", "fibrinolys", "recanalis", "opere"];
    let between = end..next.start;
    let parts = |at: usize| is!(text.key(at), ";" | "." | ":" | "!" | "?" | "mais" | "actuel" | "actuellement" | "aujourd" | "ce");
    let told = between.clone().any(|at| STEMS.iter().any(|stem| text.fold(at).starts_with(stem)));
    let listed = between.clone().all(|at| is!(text.key(at), "et" | "," | "puis" | "+" | "une" | "par"));
    between.len() <= ASIDE && !between.clone().any(parts) && (told || listed && !between.is_empty())
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
