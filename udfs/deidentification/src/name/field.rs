//! Letters in a field that only a person fills: the reference of a letter ("Réf. : AO/fs"),
//! the line of the typist, the end of a line behind the name they shorten, the column of
//! those on duty. Any letters do, also those that every ward reads as a thing.

use std::ops::Range;

use rustc_hash::FxHashSet;
use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::Found;
use super::knowledge::{role, word};
use super::lead;
use super::page::{Page, look};
use super::repeat::initials_of;
use super::slot::{SLOT, vital};
use crate::Label;
use crate::proper::known::{abbreviation, form_kind, heading};

/// Most tokens from the name of a field to its letters.
const REACH: usize = 6;

/// Finds the letters that fill such fields.
pub(crate) fn fields(page: &Page<'_, '_>, found: &mut Found) {
    for at in 0..page.len() {
        // Each begins with a word of its own, or with capitals before a mark.
        let marked = page.mark(at + 1) && page.has(at, look::CAPITAL | look::SINGLE);
        if !marked && !page.leads_on(at) {
            continue;
        }
        breton(page, at, found);
        if page.text.tokens[at].kind != Kind::Word {
            continue;
        }
        if let Some(end) = reference(page, at) {
            referred(page, end, found);
        }
        if let Some(end) = duty(page, at) {
            on_duty(page, at, end, found);
        }
        typed(page, at, found);
        shared(page, at, found);
        signed_pair(page, at, found);
    }
}

/// Finds the letters that stand beside names, once these are known.
pub(crate) fn beside_names(page: &Page<'_, '_>, found: &mut Found) {
    for at in 0..page.len() {
        if found.covers(at) || page.text.tokens[at].kind != Kind::Word {
            continue;
        }
        if !page.leads_on(at) && !page.has(at, look::CAPITAL) {
            continue;
        }
        if let Some(end) = duty(page, at).filter(|end| found.covers(*end)) {
            behind_first(page, end, found);
        }
        behind_name(page, at, found);
        handed_on(page, at, found);
    }
}

/// Letters as people sign: two to four, at least two capitals, the first one of them.
fn letters(page: &Page<'_, '_>, at: usize) -> bool {
    let Some(token) = page.text.tokens.get(at).filter(|_| page.has(at, look::CAPITAL)) else { return false };
    let source = &page.text.original[token.range()];
    (2..=4).contains(&source.len())
        && source.bytes().all(|b| b.is_ascii_alphabetic())
        && source.as_bytes()[0].is_ascii_uppercase()
        && source.bytes().filter(u8::is_ascii_uppercase).count() >= 2
        && page.title(at).is_none()
}

/// Letters of a typist: two or three, small or not.
fn small(page: &Page<'_, '_>, at: usize) -> bool {
    page.same_line(at)
        && page.has(at, look::LOWER | look::CAPITAL)
        && (2..=3).contains(&page.fold(at).len())
        && page.text.source(at..at + 1).bytes().all(|b| b.is_ascii_alphabetic())
}

/// The token behind "Réf. :", "N/Réf", "Nos réf. -", "Réf. à rappeler :".
fn reference(page: &Page<'_, '_>, at: usize) -> Option<usize> {
    // "N/R :", "V/R :" in short.
    let short =
        is!(page.key(at), "r") && at > 1 && is!(page.key(at - 1), "/") && is!(page.key(at - 2), "n" | "v") && is!(page.key(at + 1), ":");
    if !short && !page.leads(at, lead::REFERENCE) {
        return None;
    }
    let mut end = at + 1;
    while page.same_line(end)
        && end < at + REACH
        && is!(page.key(end), "." | ":" | "a" | "rappeler" | "interne" | "internes" | "-" | "=" | "courrier" | "°" | "n")
    {
        end += 1;
    }
    page.same_line(end).then_some(end)
}

/// "AO/fs", "PLG.nt", "SB" up to another column or the end of the line, or up to the number
/// of the letter: "AO/FS 24-0117".
fn referred(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if !letters(page, at) || form_code(page, at) {
        return;
    }
    if let Some(number) = numbered(page, at) {
        let mut who = at;
        while who < number {
            if letters(page, who) || who > at && small(page, who) {
                take(page, who, found);
            }
            who += 1;
        }
        let end = code_end(page, number);
        if !page.text.source(number..end).contains("/20") && !found.covers(number) {
            found.push(page, number..end, Label::Id, "context:reference", 24);
        }
        return;
    }
    let typist = at + 2;
    let thing = |i: usize| page.fold(i).len() > 2 && page.has(i, word::ACRONYM | look::CLINICAL) && page.has(i, look::UPPER);
    if thing(at) && thing(typist) && is!(page.key(at + 1), "/") {
        return;
    }
    let parted = is!(page.key(at + 1), "/" | "-" | "." | "_" | "\\" | ":") && small(page, typist);
    let ends = |i: usize| page.closed(i) || is!(page.key(i), "-" | "–" | "," | ";" | ")" | "|" | "/") && !page.glued(i);
    if parted && (ends(typist + 1) || is!(page.key(typist + 1), "-" | "/" | "," | "du" | "le" | "n" | "(")) {
        take(page, at, found);
        take(page, typist, found);
    } else if ends(at + 1) && !heading(page.fold(at)) {
        take(page, at, found);
    }
}

/// "FOR-SAU-044": the code of a form, letters and its number joined by hyphens.
pub(super) fn form_code(page: &Page<'_, '_>, at: usize) -> bool {
    form_kind(page.fold(at)) && is!(page.key(at + 1), "-" | "_" | ".") && page.glued(at + 1) && page.glued(at + 2)
}

/// The number behind the letters of one or more people: "AO/FS 24-0117", "AO/FS/24-0117".
fn numbered(page: &Page<'_, '_>, at: usize) -> Option<usize> {
    let (mut next, mut people) = (at + 1, 1);
    while is!(page.key(next), "/" | "-" | "." | "_") && page.same_line(next + 1) && people < 4 {
        let joined = is!(page.key(next), "/") || page.glued(next) && page.glued(next + 1);
        if !joined || !(letters(page, next + 1) || small(page, next + 1)) {
            break;
        }
        people += 1;
        next += 2;
    }
    let mine = page.line_start(at)..at;
    let own = mine.clone().any(|i| is!(page.key(i), "nos" | "vos" | "n" | "v" | "nref" | "vref"));
    let glued = page.glued(next);
    let mut marks = 0;
    while page.same_line(next) && marks < 3 && is!(page.key(next), "/" | "-" | "–" | "n" | "°" | ":") {
        marks += 1;
        next += 1;
    }
    // "PA 12-8" is what a lone pair of letters measures.
    let fits = people > 1 || own && !heading(page.fold(at)) && !(glued && marks > 0);
    let code = page.text.source(next..code_end(page, next));
    let figures = code.bytes().filter(u8::is_ascii_digit).count();
    let year = code.len() == 4 && (code.starts_with("19") || code.starts_with("20"));
    // "AVC/AIT 2024": what a letter is about.
    let thing = |i: usize| page.fold(i).len() > 2 && page.has(i, word::ACRONYM | word::COMMON | look::CLINICAL);
    if year || thing(at) && thing(at + 2) {
        return None;
    }
    let starts = page.text.tokens.get(next).is_some_and(|t| t.kind == Kind::Number);
    (fits && starts && page.same_line(next) && !page.column(next) && figures >= 3 && !code.contains(':')).then_some(next)
}

/// The token behind figures and letters that marks join: "2024-N-0117".
fn code_end(page: &Page<'_, '_>, at: usize) -> usize {
    let mut end = at + 1;
    while end + 1 < page.len()
        && is!(page.key(end), "-" | "/" | "." | "_")
        && page.glued(end)
        && page.glued(end + 1)
        && page.text.tokens[end + 1].kind != Kind::Mark
    {
        end += 2;
    }
    end.min(page.len())
}

fn take(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if !found.covers(at) {
        found.push(page, at..at + 1, Label::Nom, SLOT, 20);
    }
}

/// The token behind the name of a field of duty: "Médecin :", "Opérateur 1 :", "MERM ..... :".
fn duty(page: &Page<'_, '_>, at: usize) -> Option<usize> {
    const ROLES: u32 = role::FUNCTION | role::TYPIST | role::AGENT;
    if !page.leads(at, lead::FIELD | lead::CUE) {
        return None;
    }
    let cue = page.cues[at].filter(|c| c.roles & ROLES != 0 && c.roles & (role::KIN | role::COPY) == 0);
    let named = page.leads(at, lead::FIELD);
    let mut end = match cue {
        Some(cue) => cue.end,
        None if named => at + 1,
        None => return None,
    };
    if !page.has(at, look::CAPITAL | look::LOWER) {
        return None;
    }
    let first = end;
    let mut colon = false;
    while page.same_line(end) && end < first + REACH + 20 {
        let fold = page.fold(end);
        let dots = fold == "." || fold == "…" || fold == "_";
        let filler = end < first + 4
            && (matches!(
                fold,
                "1" | "2"
                    | "3"
                    | "secretaire"
                    | "referent"
                    | "responsable"
                    | "senior"
                    | "jour"
                    | "nuit"
                    | "matin"
                    | "soir"
                    | "garde"
                    | "de"
                    | "("
                    | ")"
                    | "s"
            ));
        if !(dots || filler || matches!(fold, ":" | "|" | "=")) {
            break;
        }
        colon |= matches!(fold, ":" | "|" | "=") || dots && end > first + 2;
        end += 1;
    }
    (page.same_line(end) && (colon || named && is!(page.key(at), "sec" | "secr") && is!(page.key(first), ".") || asked(page, at, end)))
        .then_some(end)
}

/// "Médecin responsable PL", "Réalisation TR": letters right behind, up to the end.
fn asked(page: &Page<'_, '_>, at: usize, who: usize) -> bool {
    page.fold(at).len() > 3
        && !page.has(at, look::UPPER)
        && page.text.source(who..who + 1).len() == 2
        && (page.closed(who + 1) || is!(page.key(who + 1), ",") && !heading(page.fold(who)))
        && !heading(page.fold(who))
}

fn on_duty(page: &Page<'_, '_>, cue: usize, who: usize, found: &mut Found) {
    let function = page.text.source(cue..cue + 1);
    let short = function.len() < 4;
    let mut at = who;
    let mut taken = Vec::new();
    while letters(page, at) && page.same_line(at) && taken.len() < 4 {
        taken.push(at);
        if !is!(page.key(at + 1), "/" | "+" | "&" | "et" | "-") || !page.same_line(at + 2) {
            break;
        }
        at += 2;
    }
    let Some(last) = taken.last().copied() else { return };
    let next = last + 1;
    let closed = page.closed(next)
        || is!(page.key(next), "|" | ")" | "]")
        || is!(page.key(next), "(" | "." | ";" | "," | "/") && !taken.iter().any(|i| heading(page.fold(*i)))
        || is!(page.key(next), "-") && !page.glued(next) && page.cues.get(next + 1).copied().flatten().is_some();
    let things = taken.iter().all(|i| {
        let fold = page.fold(*i);
        let known = page.has(*i, word::ACRONYM | word::COMMON | look::CLINICAL | look::CUE);
        matches!(fold, "ok" | "ras" | "nd" | "nc" | "np" | "oui" | "non" | "idem" | "na")
            || fold.len() > 2 && (known || abbreviation(fold))
            || short && (vital(page, *i) || page.has(*i, look::CLINICAL))
    });
    let measured = taken.len() > 1 && taken.iter().all(|i| vital(page, *i));
    if closed && !things && !measured {
        for i in taken {
            take(page, i, found);
        }
    }
}

/// "Lucile / TB": letters behind the name of somebody on duty.
fn behind_first(page: &Page<'_, '_>, who: usize, found: &mut Found) {
    let mut at = who;
    while found.covers(at) && page.same_line(at) && at < who + 5 {
        at += 1;
    }
    let mut next = at;
    while page.same_line(next) && is!(page.key(next), "/" | "," | "+" | "-" | "et" | "&") && next < at + 2 {
        next += 1;
    }
    if next == at || !letters(page, next) || page.fold(next).len() > 3 || !page.closed(next + 1) {
        return;
    }
    // Three letters behind a name may be a thing.
    if page.fold(next).len() == 2 || !page.has(next, word::ACRONYM | look::CLINICAL | look::CUE) {
        take(page, next, found);
    }
}

/// "Frappe NP     NIR …", "tapé sr le 14/03", "Dactylographie : mcl".
fn typed(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let typing = page.leads(at, lead::FIELD_TYPES);
    if !typing && !page.leads(at, lead::TYPIST) {
        return;
    }
    let mut who = at + 1;
    let mut marked = false;
    while page.same_line(who) && who < at + 4 && is!(page.key(who), ":" | "." | "par" | "-" | "=") {
        marked = true;
        who += 1;
    }
    if !page.same_line(who) || found.covers(who) {
        return;
    }
    let next = who + 1;
    let dated = is!(page.key(next), "le" | "du" | "a") && page.text.tokens.get(next + 1).is_some_and(|t| t.kind == Kind::Number);
    let ends = page.closed(next) || is!(page.key(next), "." | "," | ")" | ";" | "|" | "/" | "-") || dated;
    let short = page.fold(who).len() < 4 || !page.has(who, look::UPPER);
    let capitals = letters(page, who) && short && (typing || marked);
    let lower = small(page, who)
        && page.has(who, look::LOWER)
        && (marked || page.closed(next) || dated)
        && !page.has(who, word::PARTICLE | word::COMMON | word::QUALIFIER)
        && !is!(page.key(who), "sur" | "ce" | "en" | "la" | "le" | "et" | "ok" | "mg" | "ml" | "il" | "on");
    let nothing = is!(page.key(who), "ras" | "ok" | "non" | "oui");
    if ends && !nothing && (capitals && !(page.fold(who).len() > 2 && page.has(who, look::CUE | look::CLINICAL)) || lower) {
        take(page, who, found);
    }
}

/// "Revu avec FC à 14h": two letters behind what people do together.
fn shared(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if !page.leads(at, lead::SHARES) {
        return;
    }
    let who = at + 2;
    if !is!(page.key(at + 1), "avec") || !page.same_line(who) || found.covers(who) {
        return;
    }
    let next = who + 1;
    let ends = page.closed(next)
        || is!(page.key(next), "." | "," | ";" | ")" | "a" | "le" | "ce" | "et" | "/" | "+" | "-" | "(")
        || page.text.tokens[next].kind == Kind::Number && page.fold(next).contains('h');
    if letters(page, who) && page.fold(who).len() == 2 && ends && !page.has(who, look::CUE) && !is!(page.key(who), "iv" | "pc") {
        take(page, who, found);
    }
}

/// "CdK/ml", "SK.fp", "PM // ag": a line, or the end of one, that two who wrote share.
fn signed_pair(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if !page.mark(at + 1) || !letters(page, at) {
        return;
    }
    let start = at == 0 || !page.same_line(at);
    let apart = start || page.column(at) || at > 0 && is!(page.key(at - 1), "." | "-" | "–" | ")") && !page.glued(at);
    let mut second = at + 1;
    while is!(page.key(second), "/" | "-" | "." | "_" | "\\" | ":") && page.same_line(second) && second < at + 3 {
        second += 1;
    }
    if !apart || second == at + 1 || !small(page, second) || !page.closed(second + 1) || !page.same_line(second) {
        return;
    }
    let (first_fold, second_fold) = (page.fold(at), page.fold(second));
    let slash = is!(page.key(at + 1), "/");
    let glued = page.glued(at + 1) && page.glued(second);
    let lower = page.has(second, look::LOWER);
    let unit = matches!(second_fold, "ml" | "dl" | "min" | "kg" | "mg" | "mm" | "mn" | "an" | "km" | "jr" | "mol" | "h" | "j");
    let measure = unit && (matches!(first_fold, "ui" | "mui" | "mg" | "kui" | "meq") || !start || !glued);
    let whole = start && glued && (slash || page.len() - second < 40);
    let known = |i: usize| heading(page.fold(i)) || page.has(i, word::ACRONYM | look::CLINICAL | look::CUE);
    let fits = if lower {
        !measure && (whole || slash && !known(at)) && !page.has(second, word::PARTICLE)
    } else {
        whole && !known(at) && !known(second) && !abbreviation(first_fold) && !abbreviation(second_fold)
    };
    if fits {
        take(page, at, found);
        take(page, second, found);
    }
}

/// "Dr Clarisse GRONVEL  CG", "Le médecin, FR": the letters of the name that stands before.
fn behind_name(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if at == 0 || !letters(page, at) || !page.closed(at + 1) || found.covers(at) {
        return;
    }
    let line = page.line_start(at);
    let mut last = at;
    while last > line && is!(page.key(last - 1), "-" | "–" | "," | ":" | "(" | "/" | "." | "|") {
        last -= 1;
    }
    // The line before may hold the name.
    if last == line && line > 0 && at == line {
        last = line;
    }
    let mut first = last;
    while first > 0
        && last - first < 8
        && (found.covers(first - 1) || is!(page.key(first - 1), "-" | "." | "'") && first > 1 && found.covers(first - 2))
    {
        first -= 1;
    }
    let words: Vec<&str> =
        (first..last).filter(|i| page.text.tokens[*i].kind == Kind::Word && !page.has(*i, word::PARTICLE)).map(|i| page.fold(i)).collect();
    let all: Vec<&str> = (first..last).filter(|i| page.text.tokens[*i].kind == Kind::Word).map(|i| page.fold(i)).collect();
    let mut initials: FxHashSet<String> = FxHashSet::default();
    initials_of(&words, &mut initials);
    initials_of(&all, &mut initials);
    let signs = at > 1 && is!(page.key(at - 1), ",") && is!(page.key(at - 2), "medecin" | "interne" | "chef" | "cadre" | "praticien");
    if initials.contains(page.fold(at)) || signs && page.same_line(at) && !heading(page.fold(at)) {
        take(page, at, found);
    }
}

/// "Transmis par JD à ML": letters behind letters that are somebody's.
fn handed_on(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if at < 2
        || !is!(page.key(at - 1), "a" | "vers" | "->" | "→")
        || !letters(page, at)
        || !page.same_line(at)
        || !found.covers(at - 2)
        || !letters(page, at - 2)
    {
        return;
    }
    let ends = page.closed(at + 1) || is!(page.key(at + 1), "." | "," | ";" | ")" | "a" | "le" | "pour");
    if ends && !heading(page.fold(at)) {
        take(page, at, found);
    }
}

/// "K/Bidan", "LE K/NEVEZ", "L'HOSTIS-K/BRAT": Ker-, as Brittany writes it.
fn breton(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let rest = at + 2;
    if !is!(page.key(at), "k")
        || !page.has(at, look::SINGLE)
        || !is!(page.key(at + 1), "/")
        || !page.glued(at + 1)
        || !page.glued(rest)
        || !page.has(rest, look::CAPITAL)
        || page.fold(rest).len() < 4
        || page.has(rest, look::CLINICAL)
    {
        return;
    }
    let mut first = at;
    // What a hyphen holds before, and the article.
    if first > 1 && is!(page.key(first - 1), "-") && page.glued(first) && page.glued(first - 1) && page.has(first - 2, look::CAPITAL) {
        first -= 2;
    }
    while first > 0
        && page.same_line(first)
        && (is!(page.key(first - 1), "'") || page.has(first - 1, word::PARTICLE) && page.has(first - 1, look::CAPITAL | look::SINGLE))
    {
        first -= 1;
    }
    let tokens: Range<usize> = first..rest + 1;
    found.push(page, tokens, Label::Nom, "context:title", 26);
    for i in first..=rest {
        if !found.covers(i) {
            found.push(page, i..i + 1, Label::Nom, "context:title", 26);
        }
    }
}
