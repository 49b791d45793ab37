//! Who typed and who dictated: "FL/mc", "frappe cv", "(NF/ab)", "fl/mc".

use rustc_hash::FxHashSet;
use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::Found;
use super::knowledge::word;
use super::lead;
use super::page::{Page, look};
use super::slot::{SLOT, initials, vital};
use crate::Label;

/// Reads a token as the letters of one of them.
pub(super) fn typists(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    small_initials(page, at, found);
    typed(page, at, found);
    left_unread(page, at, found);
}

/// "- fl/mc" at the end of a line, in small letters both: the first are those of somebody
/// whom the text names.
pub(super) fn small_pair(page: &Page<'_, '_>, at: usize, people: &FxHashSet<String>, found: &mut Found) {
    let typist = at + 2;
    let parted = is!(page.key(at + 1), "/" | "-") && page.glued(at + 1) && page.glued(typist);
    let letters = |i: usize| page.has(i, look::LOWER) && matches!(page.fold(i).len(), 2 | 3) && page.fold(i).is_ascii();
    if !parted || !letters(at) || !letters(typist) || !people.contains(page.fold(at)) {
        return;
    }
    let opened = at == 0 || page.column(at) || !page.same_line(at) || is!(page.key(at - 1), "-" | "–" | "." | ":" | ")" | "|" | "(");
    if !opened {
        return;
    }
    let end = typist + 1;
    let ends = page.closed(end) || is!(page.key(end), "." | ")" | "|") && (page.closed(end + 1) || is!(page.key(end), "|"));
    if ends && !unit(page.fold(at)) && !unit(page.fold(typist)) {
        for i in [at, typist] {
            if !found.covers(i) {
                found.push(page, i..i + 1, Label::Nom, SLOT, 20);
            }
        }
    }
}

/// "SK bnt", "SK par bn", "sk slash bn" under the name that the first letters shorten: who
/// dictated and who typed, as one says it aloud.
pub(super) fn spoken_pair(page: &Page<'_, '_>, at: usize, people: &FxHashSet<String>, found: &mut Found) {
    if at == 0 || page.same_line(at) {
        return;
    }
    let letters = |i: usize| matches!(page.fold(i).len(), 2 | 3) && page.fold(i).bytes().all(|b| b.is_ascii_lowercase());
    if !letters(at) || !people.contains(page.fold(at)) || !page.same_line(at + 1) {
        return;
    }
    let typist = at + 1 + usize::from(is!(page.key(at + 1), "par" | "slash" | "barre" | "tiret"));
    let known = word::PARTICLE | word::COMMON | word::QUALIFIER | look::CLINICAL;
    if page.same_line(typist) && letters(typist) && page.line_ends(typist + 1) && !page.has(typist, known) && !unit(page.fold(typist)) {
        for i in [at, typist] {
            if !found.covers(i) {
                found.push(page, i..i + 1, Label::Nom, SLOT, 20);
            }
        }
    }
}

/// What an amount is counted in, small words between two of a kind.
fn unit(fold: &str) -> bool {
    matches!(fold, "ml" | "dl" | "min" | "kg" | "mg" | "mm" | "mn" | "an" | "ou" | "et")
}

/// "(NF/ab)" behind a signature, "frappe cv", "tapé par md": who typed, in small letters.
fn small_initials(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if !page.leads(at, lead::TYPES | lead::DICTATED) && !is!(page.key(at), "(") {
        return;
    }
    let letters = |i: usize| {
        page.same_line(i)
            && page.has(i, look::LOWER)
            && matches!(page.fold(i).len(), 2 | 3)
            && page.fold(i).bytes().all(|b| b.is_ascii_lowercase())
            && !page.has(i, word::PARTICLE)
            && !is!(page.key(i), "ml" | "dl" | "min" | "kg" | "mg" | "mm" | "ok" | "la" | "ce" | "sur" | "un" | "une" | "moi" | "lui")
    };
    let small = |i: usize| letters(i) && !page.has(i, word::COMMON | word::QUALIFIER);
    let pair = is!(page.key(at), "(") && is!(page.key(at + 2), "/") && is!(page.key(at + 4), ")") && page.line_ends(at + 5);
    if pair && at > 0 && found.covers(at - 1) && initials(page, at + 1) && !vital(page, at + 1) && letters(at + 3) {
        found.push(page, at + 1..at + 2, Label::Nom, SLOT, 20);
        found.push(page, at + 3..at + 4, Label::Nom, SLOT, 20);
    }
    let by = is!(page.key(at + 1), "par") && page.same_line(at + 1);
    if page.leads(at, lead::TYPES) || by && page.leads(at, lead::DICTATED) {
        let who = at + 1 + usize::from(by);
        let goes_on = is!(
            page.key(who + 1),
            "le" | "non"
                | "relu"
                | "relue"
                | "et"
                | "sans"
                | "valide"
                | "validee"
                | "signe"
                | "signee"
                | "pour"
                | "tape"
                | "tapee"
                | "frappe"
                | "a"
                | "sous"
                | "-"
        );
        let ends = page.line_ends(who + 1) || is!(page.key(who + 1), "." | "," | ")" | ";") || by && goes_on;
        if ends && small(who) && !found.covers(who) && (by || page.fold(who).len() == 2) {
            found.push(page, who..who + 1, Label::Nom, SLOT, 20);
        }
    }
}

/// "dicté non relu, mc", "secrétariat (MC)", "sec/mc": who typed, behind what was left undone
/// or the place where one types.
fn left_unread(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let unread = page.leads(at, lead::UNREAD) && at > 0 && is!(page.key(at - 1), "non");
    if !unread && !page.leads(at, lead::OFFICE) {
        return;
    }
    let mark = page.fold(at + 1);
    let who = at + 2;
    let bracket = mark == "(" && is!(page.key(who + 1), ")");
    let parted = matches!(mark, "/" | "," | "-" | "–") && (unread || mark == "/") && page.line_ends(who + 1);
    let letters = page.has(who, look::LOWER)
        && matches!(page.fold(who).len(), 2 | 3)
        && page.fold(who).bytes().all(|b| b.is_ascii_lowercase())
        && !page.has(who, word::PARTICLE | word::COMMON | word::QUALIFIER);
    let named = letters || initials(page, who) && !vital(page, who) && !page.has(who, look::CUE);
    if page.same_line(at + 1) && page.same_line(who) && (bracket || parted) && named && !found.covers(who) {
        found.push(page, who..who + 1, Label::Nom, SLOT, 20);
    }
}

/// "FL/mc", "OP/CV" or "CA/nlm - validé le 14/03" at the start of a line: who dictated and
/// who typed.
fn typed(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let parted = is!(page.key(at + 1), "/" | "." | "-") && page.glued(at + 1) && page.glued(at + 2);
    if !parted || !page.has(at, look::UPPER) {
        return;
    }
    let begins = at == 0 || page.text.tokens[at].lines_before > 0;
    // "Jeanne MARTIN – MC/OS": behind the name they shorten. "Dictée - MC/os".
    let marked = at > 1 && is!(page.key(at - 1), "-" | "–" | "—") && page.same_line(at);
    let dictated =
        || (2..8).take_while(|back| at >= *back && page.same_line(at + 1 - back)).any(|back| page.leads(at - back, lead::WRITING));
    let signed = marked && (found.covers(at - 2) || dictated());
    let letters = |i: usize| {
        let source = page.text.source(i..i + 1);
        page.text.tokens.get(i).is_some_and(|t| t.kind == Kind::Word)
            && matches!(source.len(), 2 | 3)
            && source.bytes().all(|b| b.is_ascii_alphabetic())
    };
    if !(begins || signed) || !letters(at) || at + 2 >= page.len() || !letters(at + 2) {
        return;
    }
    let typist = at + 2;
    let small = page.has(typist, look::LOWER);
    let end = typist + 1;
    let line_end = page.line_ends(end);
    let aside = page.column(end)
        || is!(page.key(end), "-" | "–" | "|" | ",") && page.same_line(end)
        || is!(page.key(end), ".") && (signed || page.has(end + 1, look::CAPITAL)) && !page.glued(end + 1);
    // "AVC/AIT", "TA/FC": two capitals with a stroke are people only where a date follows in
    // another column.
    let dated_behind = (end..(end + 14).min(page.len()))
        .take_while(|i| page.same_line(*i))
        .any(|i| page.fold(i).len() == 4 && page.text.tokens[i].kind == Kind::Number);
    let fits = if small {
        !unit(page.fold(typist)) && !is!(page.key(at + 1), "-") && (line_end || aside)
    } else {
        // "RP/CD                 Dr X": on the line of who signs.
        let signs = page.title(end).is_some() || found.covers(end);
        let placed = if signed { line_end } else { page.column(end) && (dated_behind || signs) };
        is!(page.key(at + 1), "/") && placed && !(vital(page, at) || vital(page, typist))
    };
    if fits {
        for i in [at, typist] {
            if !found.covers(i) {
                found.push(page, i..i + 1, Label::Nom, SLOT, 20);
            }
        }
    }
}
