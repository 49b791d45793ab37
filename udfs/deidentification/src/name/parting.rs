//! Who is greeted, who takes leave and whom a request is about: "Amitiés à Rose",
//! "Merci, QV (02 99…)", "patient QV 43 ans", "M. Xxxxx RPPS …".

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::Found;
use super::context::accept;
use super::free::telephone;
use super::knowledge::{role, word};
use super::lead;
use super::page::{Page, PartKind, Trust, look};
use super::slot::{SLOT, initials, vital};
use crate::Label;
use crate::proper::known::{abbreviation, heading};

/// Reads a token as one of them.
pub(super) fn partings(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if page.leads(at, lead::SENDS | lead::SALUTES) {
        greeting(page, at, found);
    }
    if page.leads(at, lead::SHIFT) || page.has(at, look::SINGLE) {
        shifts(page, at, found);
    }
    for who in [leave(page, at), about(page, at), dealt_with(page, at)].into_iter().flatten() {
        if !found.covers(who) {
            found.push(page, who..who + 1, Label::Nom, SLOT, 20);
        }
    }
    if page.has(at, look::SINGLE) {
        lettered(page, at, found);
    }
    if is!(page.key(at + 1), ":") {
        correspondents(page, at, found);
    }
    if is!(page.key(at), "m") {
        small_mister(page, at, found);
        colleague(page, at, found);
    }
}

/// "Amitiés à Rose", "mon bon souvenir à Aurore", "embrasse Marine": to somebody called by a
/// given name, though it is a word as well.
fn greeting(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let (sent, kissed) = (page.leads(at, lead::SENDS) && is!(page.key(at + 1), "a"), page.leads(at, lead::SALUTES));
    if !sent && !kissed {
        return;
    }
    let name = at + 1 + usize::from(sent || is!(page.key(at + 1), "beaucoup" | "encore" | "bien"));
    let given = page.has(name, look::CAPITAL) && page.has(name, word::ANY_GIVEN) && !page.has(name, look::CLINICAL | look::IN_CAPITALS);
    if page.same_line(name) && given && page.title(name).is_none() && !found.covers(name) {
        found.push(page, name..name + 1, Label::Prenom, SLOT, 24);
    }
}

/// "Merci, QV", "Cordialement, QV (02 99…)", "Je rappelle. QV (4471)": letters behind a word of
/// leave or behind a sentence, where the line ends or a number in brackets follows.
fn leave(page: &Page<'_, '_>, at: usize) -> Option<usize> {
    let mark = is!(page.key(at), "," | "." | "!" | "?" | "-" | "–") && page.same_line(at);
    let who = at + 1;
    if !page.has(who, look::UPPER) || !page.same_line(who) {
        return None;
    }
    // "Amicalement QV"
    if !mark && page.line_ends(who + 1) && signs(page, who) && takes_leave(page, at) {
        return Some(who);
    }
    // Behind a word of leave and a comma no letters mean anything else.
    let alone = page.stands_out(who) && matches!(page.text.source(who..who + 1).len(), 2 | 3);
    if alone && mark && is!(page.key(at), ",") && at > 0 && page.line_ends(who + 1) && takes_leave(page, at - 1) {
        return Some(who);
    }
    if !mark || at == 0 || page.glued(who) || !signs(page, who) {
        return None;
    }
    let leaves = !is!(page.key(at), ".") && takes_leave(page, at - 1);
    let number = who + 2 + usize::from(is!(page.key(who + 2), "dect" | "poste" | "bip" | "tel" | "port"));
    let figures = page.text.tokens.get(number).filter(|_| page.same_line(number)).is_some_and(|t| t.kind == Kind::Number);
    let phone = is!(page.key(who + 1), "(")
        && figures
        && (number > who + 2 || telephone(page, who + 1) || page.fold(number).len() > 3 && is!(page.key(number + 1), ")"));
    let last = page.line_ends(who + 1) || is!(page.key(who + 1), ".") && page.line_ends(who + 2);
    let sentence = is!(page.key(at), "." | "!" | "?") && !page.glued(who);
    (leaves && (last || phone) || sentence && phone).then_some(who)
}

/// The last word of a phrase by which one takes leave.
fn takes_leave(page: &Page<'_, '_>, at: usize) -> bool {
    let closing = (0..5).any(|back| at >= back && page.cues[at - back].is_some_and(|c| c.roles & role::CLOSING != 0 && c.end == at + 1));
    let day = is!(
        page.key(at),
        "journee" | "soiree" | "garde" | "nuit" | "reception" | "continuation" | "weekend" | "fete" | "fetes" | "courage"
    ) && at > 0
        && is!(page.key(at - 1), "bonne" | "bonnes" | "bon" | "excellente" | "belle");
    let soon = is!(page.key(at), "demain" | "plus" | "lundi" | "bientot" | "vite") && at > 0 && is!(page.key(at - 1), "a");
    let thanks = is!(page.key(at), "merci" | "mercis" | "merci!" | "amicalement" | "sincerement" | "devouement")
        || is!(page.key(at), "avance") && at > 1 && is!(page.key(at - 1), "'");
    closing || day || soon || thanks
}

/// Letters of somebody, not of what a line of a note begins with.
fn signs(page: &Page<'_, '_>, at: usize) -> bool {
    initials(page, at) && !vital(page, at) && page.text.source(at..at + 1).len() < 4 && page.stands_out(at)
}

/// "patient QV 43 ans", "patiente QV, 78 ans", "dossier QV, né en": letters in the place of a name.
fn about(page: &Page<'_, '_>, at: usize) -> Option<usize> {
    if !page.leads(at, lead::ABOUT) {
        return None;
    }
    let who = at + 1 + usize::from(is!(page.key(at + 1), ":"));
    if !page.same_line(who) || page.glued(who) || !signs(page, who) || page.has(who, look::CLINICAL) || heading(page.fold(who)) {
        return None;
    }
    let age = who + 1 + usize::from(is!(page.key(who + 1), "," | "(" | "-"));
    let number = page.same_line(age) && page.text.tokens.get(age).is_some_and(|t| t.kind == Kind::Number);
    let aged = number && (is!(page.key(age + 1), "ans" | "a" | "an") || page.fold(age).ends_with("ans"));
    let born = is!(page.key(age), "ne" | "nee") && page.same_line(age);
    (aged || born).then_some(who)
}

/// "Tél QV : ok", "Mail à QV", "Revu QV à 18h", "Reconnaissance vocale (QV)", "@QV": letters of no
/// other meaning behind what one does with somebody.
fn dealt_with(page: &Page<'_, '_>, at: usize) -> Option<usize> {
    if !page.leads(at, lead::DEALS) {
        return None;
    }
    let mut who = at + 1;
    while is!(page.key(who), "a" | "avec" | "(") && page.same_line(who) && who < at + 3 {
        who += 1;
    }
    let next = who + 1;
    let hour = is!(page.key(next), "a") && page.text.tokens.get(next + 1).is_some_and(|t| t.kind == Kind::Number);
    let closes = page.line_ends(next) || hour || is!(page.key(next), ":" | "," | "." | ")" | "ok" | ";") || is!(page.key(at), "@");
    let fold = page.fold(who);
    let plain = page.same_line(who)
        && signs(page, who)
        && !abbreviation(fold)
        && !heading(fold)
        && !page.has(who, look::CLINICAL | look::CUE | word::COMMON | word::ACRONYM);
    (plain && closes && !(is!(page.key(next), ":") && page.text.tokens.get(next + 1).is_some_and(|t| t.kind == Kind::Number)))
        .then_some(who)
}

/// "matin QV / apm RD / nuit JT", "M : QV S : RD N : JT", "D : QV F : rd": who did which part of a
/// day or of a letter, two at least.
fn shifts(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let part = |i: usize| -> Option<usize> {
        let word = page.leads(i, lead::SHIFT);
        let letter = page.has(i, look::SINGLE) && is!(page.key(i + 1), ":") && is!(page.key(i), "m" | "s" | "n" | "j" | "d" | "f" | "t");
        if !word && !letter {
            return None;
        }
        let who = i + 1 + usize::from(is!(page.key(i + 1), ":"));
        let typed = letter && is!(page.key(i), "f" | "t") && page.has(who, look::LOWER) && matches!(page.fold(who).len(), 2 | 3);
        let somebody = signs(page, who) && !page.has(who, look::CLINICAL | look::CUE) && !heading(page.fold(who)) || typed;
        (page.same_line(who) && somebody).then_some(who)
    };
    let Some(first) = part(at) else { return };
    let next = first + 1 + usize::from(is!(page.key(first + 1), "/" | "," | ";" | "-" | "|" | "–"));
    let second = Some(next).filter(|n| page.same_line(*n)).and_then(part);
    let Some(second) = second else { return };
    for who in [first, second] {
        if !found.covers(who) {
            found.push(page, who..who + 1, Label::Nom, SLOT, 20);
        }
    }
}

/// "C. VALLET - 02 99…" at the head of a line: a letter and a word in capitals, though it is a
/// word of every day, with a telephone behind.
fn lettered(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let (dot, name) = (at + 1, at + 2);
    let begins = at == 0 || !page.same_line(at);
    let written = is!(page.key(dot), ".") && page.glued(dot) && page.same_line(name);
    let word = page.has(name, look::UPPER) && page.fold(name).len() > 2 && !page.has(name, look::CLINICAL | word::ACRONYM);
    if begins && written && word && telephone(page, name + 1) && !found.covers(name) && !found.covers(at) {
        found.push(page, at..name, Label::Prenom, SLOT, 24);
        found.push(page, name..name + 1, Label::Nom, SLOT, 24);
    }
}

/// "m. trubert a chuté": a title in small letters before a listed family name.
fn small_mister(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let (dot, name) = (at + 1, at + 2);
    let counted = at > 0 && page.same_line(at) && page.text.tokens[at - 1].kind == Kind::Number;
    let title = page.has(at, look::LOWER) && is!(page.key(dot), ".") && page.glued(dot) && !counted;
    let family = page.has(name, look::LOWER) && page.has(name, word::ANY_FAMILY) && page.fold(name).len() > 3;
    let other = word::COMMON | word::QUALIFIER | word::PARTICLE | word::ACRONYM | look::CLINICAL | look::CUE;
    if title && family && page.same_line(name) && !page.glued(name) && !page.has(name, other) && !found.covers(name) {
        found.push(page, name..name + 1, Label::Nom, SLOT, 20);
    }
}

/// "De : VALLET Claire", "À : Rose Vallet ; Gildas Kervran": whole names at the head of a message.
fn correspondents(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let head = (at == 0 || !page.same_line(at) || is!(page.key(at - 1), ">" | "*"))
        && is!(page.key(at), "de" | "from" | "a" | "to" | "cc" | "cci" | "expediteur" | "destinataire");
    if !head {
        return;
    }
    let mut name = at + 2;
    while page.same_line(name) && page.title(name).is_none() {
        let Some(candidate) = page.read(name, Trust::Announced) else { return };
        let words = candidate.parts.iter().filter(|p| p.kind == PartKind::Word).count();
        let given = candidate.parts.iter().any(|p| p.bits & word::ANY_GIVEN != 0);
        let end = candidate.end;
        let closed = page.closed(end) || is!(page.key(end), ";" | "," | "<" | "(" | "[");
        if words < 2 || !given || !closed {
            return;
        }
        accept(page, &candidate, role::PERSON_HEAD, 24, "context:header", found);
        if !is!(page.key(end), ";" | ",") {
            return;
        }
        name = end + 1;
    }
}

/// "M. VALLET RPPS 10…", "cc : M. VALLET" where the text has "Dr Mathilde VALLET": the letter
/// of a given name, no title.
fn colleague(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let (dot, name) = (at + 1, at + 2);
    let title = page.has(at, look::SINGLE) && is!(page.key(dot), ".") && page.glued(dot);
    if !title || !page.same_line(name) || !found.covers(name) || found.covers(at) || page.fold(name).len() < 3 {
        return;
    }
    let next = name + 1 + usize::from(is!(page.key(name + 1), "," | "-" | "(" | "–"));
    let numbered = page.same_line(next) && is!(page.key(next), "rpps" | "adeli");
    let named = || {
        (2..page.len()).any(|i| {
            i != name
                && page.fold(i) == page.fold(name)
                && page.same_line(i)
                && page.fold(i - 1).len() > 1
                && page.fold(i - 1).starts_with('m')
                && page.has(i - 1, word::ANY_GIVEN)
                && (2..4).any(|back| {
                    i >= back && page.cues[i - back].is_some_and(|c| c.roles & role::PHYSICIAN != 0) && page.same_line(i + 1 - back)
                })
        })
    };
    // "C. ROUX - … - cc : M. VALLET": as the others of the line are written.
    let line = page.line_start(at);
    let copied = at > line + 1
        && is!(page.key(at - 1), ":")
        && page.cues[at - 2].is_some_and(|c| c.roles & role::COPY != 0)
        && (line..at - 1).any(|i| page.has(i, look::SINGLE) && !is!(page.key(i), "m") && is!(page.key(i + 1), ".") && found.covers(i + 2));
    if numbered || copied || named() {
        found.push(page, at..name, Label::Prenom, SLOT, 20);
    }
}
