//! Two letters where an entry or a step of care says who did it: "9h10 QM : …", "pris par
//! QM, IDE", "IAO (QM, 22h52)".

use sillage_clinical::text::Kind;

use super::Found;
use super::page::{Page, look};
use super::slot::{SLOT, initials, timed, vital};
use crate::Label;

/// Reads a token as the letters of who made an entry.
pub(super) fn entries(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    heads(page, at, found);
    beside_function(page, at, found);
}

/// "Jeu 9 nov 9h10 QM : …", twice with the same letters: who writes the entries.
fn heads(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let head = |i: usize| {
        page.fold(i + 1) == ":" && page.same_line(i) && page.has(i + 2, look::LOWER | look::CAPITAL) && initials(page, i) && timed(page, i)
    };
    if found.covers(at) || !head(at) || vital(page, at) || page.text.source(at..at + 1).len() != 2 {
        return;
    }
    let again = (0..page.len()).any(|i| i != at && page.fold(i) == page.fold(at) && head(i));
    if again {
        found.push(page, at..at + 1, Label::Nom, SLOT, 20);
    }
}

/// "pris par QM, IDE", "IAO (QM, 22h52)": letters and what they work as.
fn beside_function(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let trade_behind = page.fold(at + 1) == ","
        && matches!(page.fold(at + 2), "ide" | "iao" | "ioa" | "iade" | "ibode" | "as" | "ash" | "interne" | "manip");
    let by = at > 0 && page.fold(at - 1) == "par" && trade_behind && page.same_line(at + 2);
    let clocked = page.text.tokens.get(at + 2).is_some_and(|t| t.kind == Kind::Number) && page.fold(at + 2).contains('h');
    let bracket = at > 1
        && page.fold(at - 1) == "("
        && matches!(page.fold(at - 2), "ide" | "iao" | "ioa" | "iade" | "interne" | "externe")
        && page.fold(at + 1) == ","
        && clocked;
    if (by || bracket) && page.same_line(at) && initials(page, at) && !vital(page, at) && !found.covers(at) {
        found.push(page, at..at + 1, Label::Nom, SLOT, 20);
    }
}
