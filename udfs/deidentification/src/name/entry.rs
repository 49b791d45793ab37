//! Two letters where an entry or a step of care says who did it: "9h10 QM : …", "pris par
//! QM, IDE", "IAO (QM, 22h52)", "clos à 9:17 par QM", "double lecture QM".

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::Found;
use super::knowledge::{role, word};
use super::lead;
use super::page::{Page, look};
use super::slot::{SLOT, called_at, initials, timed, vital};
use crate::Label;
use crate::proper::known::{heading, ward};

/// Reads a token as the letters of who made an entry.
pub(super) fn entries(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    heads(page, at, found);
    beside_function(page, at, found);
    typed_behind(page, at, found);
    if let Some(who) =
        done_by(page, at).or_else(|| signed_at(page, at)).filter(|w| initials(page, *w) && !vital(page, *w) && !way(page.fold(*w)))
        && !found.covers(who)
    {
        found.push(page, who..who + 1, Label::Nom, SLOT, 20);
    }
    if let Some(who) = reached(page, at).filter(|w| initials(page, *w) && !vital(page, *w) && !ward(page.fold(*w)) && !found.covers(*w)) {
        found.push(page, who..who + 1, Label::Nom, SLOT, 20);
    }
    let by = if closing_hour(page, at) { Some(at + 1) } else { checked_twice(page, at) };
    if let Some(who) = by.filter(|w| page.same_line(*w) && initials(page, *w) && !vital(page, *w) && !way(page.fold(*w)))
        && (page.closed(who + 1) || is!(page.key(who + 1), "." | "," | ";" | ")" | "|" | "/" | ":"))
        && !found.covers(who)
    {
        found.push(page, who..who + 1, Label::Nom, SLOT, 20);
    }
}

/// The way of a drug, where it is taken in, what it runs through.
pub(super) fn way(fold: &str) -> bool {
    matches!(fold, "vo" | "sl" | "ivd" | "ivl" | "sng" | "vvp" | "vvc" | "vvs" | "ng" | "ok" | "rp" | "tt")
}

/// "9:17 par", "le 12/03 à 14h par": an hour or a day before "par".
fn closing_hour(page: &Page<'_, '_>, at: usize) -> bool {
    let number = |i: usize| page.text.tokens[i].kind == Kind::Number;
    page.leads(at, lead::BY)
        && at > 2
        && page.same_line(at)
        && number(at - 1)
        && (page.fold(at - 1).contains('h') || is!(page.key(at - 2), ":" | "/") && page.glued(at - 2) && number(at - 3))
}

/// "lu par : QM", "préparé par QM", "administré par QM à 14h": who did what people do, or
/// when they did it.
fn done_by(page: &Page<'_, '_>, at: usize) -> Option<usize> {
    const PERSONAL: [&str; 18] = [
        "lu",
        "relu",
        "valid",
        "sign",
        "dict",
        "redig",
        "ecri",
        "sais",
        "tap",
        "frapp",
        "transcri",
        "interpret",
        "verif",
        "control",
        "prepar",
        "prelev",
        "examin",
        "appel",
    ];
    let end = page.cues[at].filter(|c| c.roles & (role::AGENT | role::TYPIST) != 0 && is!(page.key(c.end - 1), "par"))?.end;
    let who = end + usize::from(is!(page.key(end), ":"));
    let next = who + 1;
    let number = |i: usize| page.same_line(i) && page.text.tokens.get(i).is_some_and(|t| t.kind == Kind::Number);
    let dated = is!(page.key(next), "a" | "le" | ",") && number(next + 1);
    let personal = PERSONAL.iter().any(|v| page.fold(at).starts_with(v)) || is!(page.key(at), "vu" | "vue" | "revu" | "revue");
    let ends = page.closed(next) || is!(page.key(next), "." | ";" | ")" | "|" | ",");
    let carried = is!(page.key(who), "se" | "kt" | "vv" | "pe" | "pp" | "ge");
    (page.same_line(who) && !carried && (dated || personal && ends)).then_some(who)
}

/// "validé le 12/03/2024 à 14h20 - QM" at the end of the line.
fn signed_at(page: &Page<'_, '_>, at: usize) -> Option<usize> {
    let who = at + 1;
    let number = |back: usize| at >= back && page.text.tokens[at - back].kind == Kind::Number;
    let marked = is!(page.key(at), "-" | "–" | ",") && page.same_line(at) && page.same_line(who) && page.line_ends(who + 1);
    let hour = || number(1) || at > 0 && is!(page.key(at - 1), "h") && number(2);
    if !marked || !hour() {
        return None;
    }
    let written = (page.line_start(at)..at).rev().take(16).any(|i| page.leads(i, lead::WRITING));
    written.then_some(who)
}

/// "Contacter QM au 6 4412", "rappeler QM au 4471": who answers at an internal number.
fn reached(page: &Page<'_, '_>, at: usize) -> Option<usize> {
    if !page.leads(at, lead::REACHES) {
        return None;
    }
    let (who, number) = (at + 1, at + 3);
    let single = |i: usize| page.fold(i).bytes().all(|b| b.is_ascii_digit()) && matches!(page.fold(i).len(), 4 | 5);
    let numbered = is!(page.key(who + 1), "au" | ":") && page.same_line(number) && number < page.len();
    (numbered && page.same_line(who) && (single(number) || called_at(page, number))).then_some(who)
}

/// "double lecture", "2e cotation", "contre-visite": who does a thing again follows.
fn checked_twice(page: &Page<'_, '_>, at: usize) -> Option<usize> {
    if !page.leads(at, lead::AGAIN) {
        return None;
    }
    let act = at + 1 + usize::from(is!(page.key(at + 1), "-"));
    let done = is!(
        page.key(act),
        "lecture" | "relecture" | "saisie" | "controle" | "verification" | "verif" | "cotation" | "evaluation" | "calcul" | "visite"
    );
    let who = act + 1 + usize::from(is!(page.key(act + 1), ":" | "par"));
    (done && page.same_line(act) && page.same_line(act + 1)).then_some(who)
}

/// "Jeu 9 nov 9h10 QM : …", twice with the same letters: who writes the entries.
fn heads(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let head = |i: usize| {
        is!(page.key(i + 1), ":")
            && page.same_line(i)
            && page.has(i + 2, look::LOWER | look::CAPITAL)
            && initials(page, i)
            && timed(page, i)
    };
    if found.covers(at)
        || !head(at)
        || vital(page, at)
        || page.has(at, look::CLINICAL) && heading(page.fold(at))
        || page.text.source(at..at + 1).len() != 2
    {
        return;
    }
    let again = (0..page.len()).any(|i| i != at && page.fold(i) == page.fold(at) && head(i));
    if again {
        found.push(page, at..at + 1, Label::Nom, SLOT, 20);
    }
}

/// "VALLET/qm" at the end of a line: who typed it.
fn typed_behind(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if !is!(page.key(at + 1), "/") {
        return;
    }
    let who = at + 2;
    let author = page.has(at, look::UPPER) && page.fold(at).len() > 3 && page.glued(at + 1) && page.glued(who);
    let letters = page.has(who, look::LOWER) && matches!(page.text.source(who..who + 1).len(), 2 | 3) && page.line_ends(who + 1);
    if author && letters && page.same_line(who) && !page.has(at, look::CLINICAL) && !found.covers(who) {
        found.push(page, who..who + 1, Label::Nom, SLOT, 20);
    }
}

/// "pris par QM, IDE", "IAO (QM, 22h52)": letters and what they work as.
fn beside_function(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if at == 0 || !is!(page.key(at - 1), "(" | "par") || !is!(page.key(at + 1), "," | ")") {
        return;
    }
    let trade_behind =
        is!(page.key(at + 1), ",") && is!(page.key(at + 2), "ide" | "iao" | "ioa" | "iade" | "ibode" | "as" | "ash" | "interne" | "manip");
    let by = at > 0 && is!(page.key(at - 1), "par") && trade_behind && page.same_line(at + 2);
    let clocked = page.text.tokens.get(at + 2).is_some_and(|t| t.kind == Kind::Number) && page.fold(at + 2).contains('h');
    let bracket = at > 1
        && is!(page.key(at - 1), "(")
        && is!(page.key(at - 2), "ide" | "iao" | "ioa" | "iade" | "interne" | "externe")
        && is!(page.key(at + 1), ",")
        && clocked;
    // "Accueil IAO (QM) :", "IDE (QM)"
    let alone = at > 1 && is!(page.key(at - 1), "(") && is!(page.key(at + 1), ")") && page.has(at, look::UPPER);
    // "IAO (Rose) :"
    if at > 1
        && is!(page.key(at - 1), "(")
        && is!(page.key(at + 1), ")")
        && is!(page.key(at - 2), "iao" | "ioa" | "ide" | "iade" | "ibode" | "manip" | "ash")
        && page.has(at, look::CAPITAL)
        && page.has(at, word::ANY_GIVEN)
        && !page.has(at, look::CLINICAL)
        && !found.covers(at)
    {
        found.push(page, at..at + 1, Label::Prenom, SLOT, 20);
    }
    let known = || ward(page.fold(at)) || is!(page.key(at), "am" | "pm" | "nv" | "uf");
    let alone = alone
        && match page.fold(at - 2) {
            // Who is at the door is a nurse, whatever the letters work as elsewhere.
            "iao" | "ioa" => page.text.source(at..at + 1).len() == 2 && !known(),
            "ide" | "iade" | "ibode" => initials(page, at) && !known(),
            // "Kiné (QM) : marche"
            "kine" | "ergo" | "ortho" | "orthophoniste" | "diet" | "psy" | "as" | "interne" | "externe" => {
                is!(page.key(at + 2), ":") && page.text.tokens[at - 2].capital && initials(page, at) && !known()
            }
            _ => false,
        };
    if ((by || bracket) && initials(page, at) || alone) && page.same_line(at) && !vital(page, at) && !found.covers(at) {
        found.push(page, at..at + 1, Label::Nom, SLOT, 20);
    }
}
