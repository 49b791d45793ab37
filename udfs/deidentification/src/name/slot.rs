//! Places of a note that only a person fills: behind "tapé par", in brackets behind the
//! hour of a transmission, in a list of copies, alone under a text. There two letters
//! are initials even when every ward reads them as a thing, a login is somebody, a business its owner.

use std::ops::Range;

use rustc_hash::FxHashSet;
use sillage_clinical::is;
use sillage_clinical::knowledge::Knowledge;
use sillage_clinical::text::Kind;
use sillage_clinical::vocabulary::UNKNOWN;

use super::Found;
use super::knowledge::{likely_common, role, word};
use super::lead;
use super::page::{Page, Part, PartKind, Trust, look};
use crate::Label;
use crate::calendar::{short_month, weekday};

/// Detector of initials whose place says more than the letters.
pub(super) const SLOT: &str = "context:slot-signature";
/// How far behind their explanation visas are looked for, in tokens.
const VISITS: usize = 1_000;

/// Finds what fills such places and nothing marked yet.
pub(crate) fn slots(page: &Page<'_, '_>, found: &mut Found) {
    let mut people: FxHashSet<String> = FxHashSet::default();
    for at in 0..page.len() {
        if page.text.tokens[at].lines_before > 0 || at == 0 {
            line(page, at, found, &mut people);
        }
        if opens(page, at) {
            slot(page, at, found, &mut people);
        }
    }
    if people.is_empty() {
        return;
    }
    // Who wrote once in brackets writes again.
    for at in 1..page.len() {
        let bracket = is!(page.key(at - 1), "(" | "[") && is!(page.key(at + 1), ")" | "]");
        if bracket && !found.covers(at) && people.contains(page.fold(at)) && page.has(at, look::UPPER) {
            found.push(page, at..at + 1, Label::Nom, SLOT, 20);
        }
    }
}

/// Such a place begins with a word of its own, with a mark before a capital or a capital before
/// a mark, with what a colon stands behind or what capitals end.
fn opens(page: &Page<'_, '_>, at: usize) -> bool {
    let next = page.bits(at + 1);
    page.leads_on(at)
        || next & look::CAPITAL != 0 && (page.mark(at) || next & look::UPPER != 0 && page.line_ends(at + 2))
        || page.mark(at + 1) && (page.has(at, look::CAPITAL | look::SINGLE) || is!(page.key(at + 1), ":"))
}

/// Reads a token as the beginning of such a place.
fn slot(page: &Page<'_, '_>, at: usize, found: &mut Found, people: &mut FxHashSet<String>) {
    written_by(page, at, found);
    business(page, at, found);
    if is!(page.key(at), "(" | "[") && is!(page.key(at + 2), ")" | "]") && initials(page, at + 1) && timed(page, at) {
        people.insert(page.fold(at + 1).to_owned());
        found.push(page, at + 1..at + 2, Label::Nom, SLOT, 20);
    }
    // "Dr AC à 8 h".
    let physician = page.cues[at].is_some_and(|c| c.roles & role::PHYSICIAN != 0);
    let doctor = if physician { page.title(at) } else { None };
    if let Some(end) = doctor.filter(|end| page.same_line(*end) && initials(page, *end) && !page.has(at, look::IN_CAPITALS)) {
        run(page, end, found, people, false);
    }
    super::typist::typists(page, at, found);
    beside_trade(page, at, found);
    super::entry::entries(page, at, found);
    announced(page, at, found);
    super::parting::partings(page, at, found);
    visas(page, at, found);
    assisted(page, at, found);
    greeted(page, at, found);
    if let Some(end) = on_duty(page, at) {
        run(page, end, found, people, false);
    }
    if let Some(end) = shared(page, at) {
        run(page, end, found, people, false);
    }
}

/// "int M. Xxxxx", "Op : K. Xxxxx / aide M. Xxxxx": behind a function in short the letter is
/// a given name's.
fn assisted(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if !page.leads(at, lead::ASSISTS) {
        return;
    }
    let letter = at + 1 + usize::from(is!(page.key(at), "aide" | "aides" | "iade" | "ibode" | "merm") && is!(page.key(at + 1), ":"));
    let (dot, name) = (letter + 1, letter + 2);
    if is!(page.key(letter), "m") && is!(page.key(dot), ".") && page.same_line(name) && found.covers(name) && !found.covers(letter) {
        found.push(page, letter..name, Label::Prenom, SLOT, 20);
    }
}

/// "Chère Claire,", "Cher Kervran,": who is written to.
fn greeted(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let name = at + 1;
    let opens = page.leads(at, lead::GREETS) && page.has(at, look::OPENS) && page.same_line(name);
    if !opens {
        return;
    }
    let ends = is!(page.key(name + 1), ",") || page.line_ends(name + 1);
    if !ends || !page.has(name, look::CAPITAL) || found.covers(name) {
        return;
    }
    let strange = !page.has(name, word::COMMON | look::CUE | look::CLINICAL | word::QUALIFIER)
        && !likely_common(page.fold(name))
        && !crate::proper::known::explained(page.fold(name));
    if page.has(name, word::ANY_GIVEN) {
        found.push(page, name..name + 1, Label::Prenom, SLOT, 24);
    } else if !is!(page.key(at), "bonjour") && is!(page.key(name + 1), ",") && strange {
        found.push(page, name..name + 1, Label::Nom, SLOT, 24);
    }
}

/// Two or three capitals, or "GdV", that stand for no trade.
pub(super) fn initials(page: &Page<'_, '_>, at: usize) -> bool {
    let Some(token) = page.text.tokens.get(at).filter(|_| page.has(at, look::CAPITAL)) else { return false };
    let source = page.text.source(at..at + 1);
    let written = token.kind == Kind::Word
        && (2..=4).contains(&source.len())
        && source.bytes().all(|b| b.is_ascii_alphabetic())
        && source.starts_with(|c: char| c.is_ascii_uppercase())
        && source.bytes().last().is_some_and(|b| b.is_ascii_uppercase());
    if !written || source.len() == 4 && !source.bytes().any(|b| b.is_ascii_lowercase()) {
        return false;
    }
    let known = word::ACRONYM | word::COMMON | look::CLINICAL;
    let cue = page.cues[at].is_some_and(|c| c.roles & (role::FUNCTION | role::TITLE | role::COPY) != 0);
    // Ways to give a drug, what every note abbreviates.
    let ward = is!(
        page.key(at),
        "aa" | "as" | "ras" | "iv" | "sc" | "im" | "po" | "ok" | "rx" | "ra" | "nd" | "np" | "no" | "si" | "hs" | "et" | "le" | "ir"
    );
    !cue && !ward && (source.len() == 2 || !page.has(at, known))
}

/// Between the start of the line and the token stand a day or an hour and nothing else.
pub(super) fn timed(page: &Page<'_, '_>, at: usize) -> bool {
    let start = page.line_start(at);
    let mut figures = false;
    for i in start..at {
        let token = &page.text.tokens[i];
        let fold = page.fold(i);
        figures |= token.kind == Kind::Number;
        let day = token.kind == Kind::Word
            && (matches!(fold, "h" | "le" | "a" | "j" | "nuit" | "matin" | "soir" | "midi" | "am" | "apm")
                || weekday(fold)
                || short_month(fold));
        let dayed = fold.strip_prefix('j').is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()));
        figures |= dayed;
        if token.kind == Kind::Word && !day && !dayed {
            return false;
        }
    }
    figures && at - start < 12
}

/// "visite", "tapé par", "cc :": the token behind what asks for initials.
fn shared(page: &Page<'_, '_>, at: usize) -> Option<usize> {
    let (visit, writes) = (page.leads(at, lead::VISIT), page.leads(at, lead::WRITING));
    let copy = page.cues[at].filter(|c| c.roles & role::COPY != 0 && page.fold(at).starts_with('c'));
    if !visit && !writes && copy.is_none() {
        return None;
    }
    let mut end = copy.map_or(at + 1, |c| c.end);
    // "Relecture scanner : QM"
    let read = is!(page.key(end), "scanner" | "irm" | "tdm" | "imagerie" | "images" | "ecg" | "eeg");
    end += usize::from(writes && read && page.same_line(end));
    let by = writes && page.same_line(end) && is!(page.key(end), "par");
    end += usize::from(by);
    let mut colon = false;
    while page.same_line(end) && is!(page.key(end), ":" | "." | "=" | "(") && end < at + 5 {
        colon |= is!(page.key(end), ":" | "=");
        end += 1;
    }
    let typing = is!(page.key(at), "dictee" | "frappe" | "tape" | "tapee" | "dactylo");
    (page.same_line(end)
        && (visit && pair(page, end)
            || copy.is_some() && (colon || pair(page, end))
            || by
            || writes && (typing || colon || pair(page, end))))
    .then_some(end)
}

/// "/ ext. GB", "- IAO RM", "LK (garde)", "SL (nuit)": initials beside a trade or a shift.
fn beside_trade(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if page.leads(at, lead::TRADE) {
        behind_trade(page, at, found);
    }
    if !is!(page.key(at + 1), "(") || !is!(page.key(at + 3), ")") {
        return;
    }
    let shift = is!(
        page.key(at + 2),
        "garde" | "nuit" | "jour" | "matin" | "soir" | "apm" | "ide" | "interne" | "externe" | "astreinte" | "as" | "ipa" | "iade"
    );
    let sentence = at == 0 || !page.same_line(at) || is!(page.key(at - 1), "." | "!" | ")" | "-" | "–" | ":");
    if shift && sentence && page.same_line(at + 1) && page.same_line(at + 2) && initials(page, at) && !vital(page, at) && !found.covers(at)
    {
        found.push(page, at..at + 1, Label::Nom, SLOT, 20);
    }
}

/// "/ ext. GB", "- IAO RM".
fn behind_trade(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let closed = |i: usize| page.closed(i) || is!(page.key(i), "-" | "–" | "/" | "," | ")" | ";") && page.same_line(i);
    let opened = page.closed(at) || is!(page.key(at - 1), "/" | "-" | "–" | "+" | "&" | "," | "." | "(" | ")" | ";" | "|" | "?" | "!");
    if opened && (page.has(at, look::UPPER) || is!(page.key(at), "ext" | "int" | "interne" | "externe" | "circulante" | "treuilliste")) {
        let who = at + 1 + usize::from(is!(page.key(at + 1), ".") && page.glued(at + 1));
        let known = page.cues.get(who).is_some_and(Option::is_some);
        let ends = closed(who + 1) || called_at(page, who + 1) || is!(page.key(who + 1), "sous" | "avec" | "puis");
        if page.same_line(who) && initials(page, who) && !vital(page, who) && !known && ends && !found.covers(who) {
            found.push(page, who..who + 1, Label::Nom, SLOT, 20);
        }
    }
}

/// "5 4471", "(4 12 60)": an internal number in two pieces or more.
pub(super) fn called_at(page: &Page<'_, '_>, at: usize) -> bool {
    let figures = |i: usize| page.same_line(i) && page.fold(i).bytes().all(|b| b.is_ascii_digit());
    let first = at + usize::from(is!(page.key(at), "("));
    figures(first) && page.fold(first).len() == 1 && figures(first + 1) && matches!(page.fold(first + 1).len(), 2 | 4)
}

/// "p.o. VG, interne": signed for somebody. "Transmissions du 19 (NLB) :": who tells.
fn announced(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if is!(page.key(at), "p") && is!(page.key(at + 1), "." | "/") && is!(page.key(at + 2), "o" | "i") {
        on_order(page, at, found);
    }
    if !page.leads(at, lead::TELLS) {
        return;
    }
    for open in (at + 1..at + 9).take_while(|i| page.same_line(*i)) {
        let bracket = is!(page.key(open), "(") && is!(page.key(open + 2), ")") && is!(page.key(open + 3), ":");
        if bracket && initials(page, open + 1) && !found.covers(open + 1) {
            found.push(page, open + 1..open + 2, Label::Nom, SLOT, 20);
        }
    }
}

/// "p.o. VG, interne": signed for somebody.
fn on_order(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let who = at + 3 + usize::from(is!(page.key(at + 3), "."));
    let closed = page.closed(who + 1) || is!(page.key(who + 1), "," | "-" | "/") && page.same_line(who + 1);
    if (is!(page.key(who - 1), ".") || page.has(at, look::SINGLE))
        && page.same_line(who)
        && initials(page, who)
        && closed
        && !found.covers(who)
    {
        found.push(page, who..who + 1, Label::Nom, SLOT, 20);
    }
}

/// "SE = interne", "MC = Dr X": what visas stand for. They stand again behind the day of
/// each visit.
fn visas(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if !is!(page.key(at + 1), "=") || !page.same_line(at + 2) {
        return;
    }
    let who = page.title(at + 2).is_some() || is!(page.key(at + 2), "int" | "interne" | "ext" | "externe" | "ide" | "cca");
    if !who || !initials(page, at) || vital(page, at) || found.covers(at) {
        return;
    }
    found.push(page, at..at + 1, Label::Nom, SLOT, 20);
    for again in at + 3..page.len().min(at + VISITS) {
        let before = page.fold(again - 1);
        let counted = page.text.tokens[again - 1].kind == Kind::Number || before.starts_with('j') && before.len() < 4;
        let same = page.text.source(again..again + 1) == page.text.source(at..at + 1) && page.same_line(again);
        if same && counted && page.column(again + 1) && !found.covers(again) {
            found.push(page, again..again + 1, Label::Nom, SLOT, 20);
        }
    }
}

/// "IDE : PV", "IDE de nuit : PV", "AS matin : CI / TL".
fn on_duty(page: &Page<'_, '_>, at: usize) -> Option<usize> {
    if !page.leads(at, lead::DUTY | lead::CUE) || !page.has(at, look::CAPITAL | look::LOWER) {
        return None;
    }
    let trade = page.cues[at].filter(|c| c.roles & (role::FUNCTION | role::TYPIST) != 0 && c.roles & role::KIN == 0);
    if trade.is_none() && !page.leads(at, lead::DUTY) {
        return None;
    }
    let mut end = trade.map_or(at + 1, |c| c.end);
    while page.same_line(end)
        && end < at + 4
        && is!(page.key(end), "de" | "nuit" | "jour" | "matin" | "soir" | "apm" | "garde" | "/" | "ide" | "as")
    {
        end += 1;
    }
    let who = end + 1;
    if !is!(page.key(end), ":") || !page.same_line(end) {
        return None;
    }
    let listed = parts(page.fold(who + 1)) && !(is!(page.key(who + 1), ",") && crate::proper::known::heading(page.fold(who)));
    let closed = page.closed(who + 1) || listed || is!(page.key(who + 1), "." | ")" | "|");
    let fits = page.same_line(who) && initials(page, who) && !vital(page, who) && closed;
    fits.then_some(who)
}

/// What is measured at a bed, not who measures.
pub(crate) fn vital(page: &Page<'_, '_>, at: usize) -> bool {
    is!(page.key(at), "ta" | "fc" | "fr" | "pa" | "hr" | "sat" | "dxt" | "gcs" | "eva")
}

/// What people do to a text.
pub(crate) fn writing(fold: &str) -> bool {
    fold.len() > 3 && lead::WRITTEN.contains(&fold)
}

fn parts(fold: &str) -> bool {
    matches!(fold, "/" | "," | ";" | "&" | "+" | "et" | "-")
}

/// "MP / AC", but not "TA / FC".
fn pair(page: &Page<'_, '_>, at: usize) -> bool {
    initials(page, at)
        && parts(page.fold(at + 1))
        && page.same_line(at + 2)
        && initials(page, at + 2)
        && !(vital(page, at) && vital(page, at + 2))
}

/// Initials from here on, parted by marks, up to a figure or a word.
fn run(page: &Page<'_, '_>, from: usize, found: &mut Found, people: &mut FxHashSet<String>, whole: bool) -> bool {
    let (mut at, mut taken) = (from, Vec::new());
    while initials(page, at) && taken.len() < 8 {
        taken.push(at);
        at += 1;
        if page.line_ends(at) || !parts(page.fold(at)) || !initials(page, at + 1) || !page.same_line(at + 1) {
            break;
        }
        at += 1;
    }
    let beside = page.same_line(at) && !page.column(at);
    let number = beside && page.text.tokens[at].kind == Kind::Number;
    let sign = is!(page.key(at), "=" | ":" | "'");
    let word = beside && page.has(at, look::CAPITAL) && page.cues[at].is_none();
    let measured = taken.len() == 1 && (number && !dated(page, at) || sign || word) || sign && page.same_line(at);
    if taken.is_empty() || measured || whole && !page.line_ends(at + usize::from(is!(page.key(at), ".") && page.same_line(at))) {
        return false;
    }
    // "FC/ta": who typed it, in small letters.
    let typist = at + 1;
    let small = is!(page.key(at), "/") && page.same_line(typist) && page.has(typist, look::LOWER) && page.line_ends(typist + 1);
    if small && matches!(page.fold(typist).len(), 2..=3) && !is!(page.key(typist), "ml" | "dl" | "min" | "kg" | "mg" | "mm") {
        found.push(page, typist..typist + 1, Label::Nom, SLOT, 20);
    }
    for i in taken {
        people.insert(page.fold(i).to_owned());
        found.push(page, i..i + 1, Label::Nom, SLOT, 20);
    }
    true
}

/// "12/03", "14h30": a figure that goes on as a date or an hour.
fn dated(page: &Page<'_, '_>, at: usize) -> bool {
    page.fold(at).contains('h') || is!(page.key(at + 1), "/" | ":" | "-" | "h") && page.glued(at + 1) || page.fold(at).len() == 4
}

/// A whole line: "GdV / TL", "De : PV", "À : AC, MP", "Y." under a text.
fn line(page: &Page<'_, '_>, at: usize, found: &mut Found, people: &mut FxHashSet<String>) {
    let end = (at + 1..page.len()).find(|i| page.text.tokens[*i].lines_before > 0).unwrap_or(page.len());
    let header = is!(page.key(at), "de" | "a" | "from" | "to" | "cc" | "cci" | "pour") && is!(page.key(at + 1), ":");
    if header && at + 2 < end {
        run(page, at + 2, found, people, true);
    }
    let near_end = page.len() - end < 16;
    if at > 0 && is!(page.key(at + 1), "/" | "-" | "&" | "+") && pair(page, at) && (near_end || end == at + 3) {
        run(page, at, found, people, true);
    }
    // "PL" as the last line of all.
    let sentence = || at > 6 && is!(page.key(at - 1), "." | "!" | ")");
    if end == page.len() && end == at + 1 && sentence() && initials(page, at) && !vital(page, at) {
        found.push(page, at..end, Label::Nom, SLOT, 20);
    }
    // "Y." closes a message.
    let closes = page.line_ends(end) && (end == page.len() || page.text.tokens[end].lines_before > 1);
    let single = end == at + 2 && page.has(at, look::SINGLE) && is!(page.key(at + 1), ".") && page.glued(at + 1);
    let behind_sentence = at > 0 && is!(page.key(at - 1), "." | "!" | "," | ")" | "?");
    let behind_closing = || at > 0 && (at.saturating_sub(5)..at).any(|i| page.cues[i].is_some_and(|c| c.roles & role::CLOSING != 0));
    if single && closes && (behind_sentence || behind_closing()) && !found.covers(at) {
        found.push(page, at..end, Label::Prenom, SLOT, 20);
    }
    // "Amitiés, Y."
    let last = end.saturating_sub(2);
    let greets = || (at..last).any(|i| page.cues[i].is_some_and(|c| c.roles & role::CLOSING != 0 && c.end + 1 >= last));
    let letter = last > at && page.has(last, look::SINGLE) && is!(page.key(last + 1), ".") && page.glued(last + 1);
    if letter && greets() && !found.covers(last) {
        found.push(page, last..end, Label::Prenom, SLOT, 20);
    }
}

/// "imprimé le 12/03/2024 à 9:55 par mdurand2", "utilisateur : KERMARRECS".
fn written_by(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let account = page.leads(at, lead::ACCOUNT);
    let by = if account {
        (is!(page.key(at + 1), ":" | "=") && page.same_line(at + 1)).then_some(at + 1)
    } else if page.leads(at, lead::WRITING | lead::MADE) {
        let plain = |i: &usize| {
            page.same_line(*i)
                && (page.text.tokens[*i].kind != Kind::Word
                    || is!(
                        page.key(*i),
                        "le" | "a" | "h" | "electroniquement" | "depuis" | "du" | "ce" | "jour" | "et" | "definitivement" | "min" | "s"
                    ))
        };
        (at + 1..page.len().min(at + 18)).take_while(|i| plain(i) || is!(page.key(*i), "par")).find(|i| is!(page.key(*i), "par"))
    } else {
        None
    };
    let Some(by) = by else { return };
    let who = by + 1 + usize::from(is!(page.key(by + 1), ":") && page.same_line(by + 1));
    if !page.same_line(who) || found.covers(who) {
        return;
    }
    let end = login_end(page, who);
    let fold = page.text.source(who..end);
    let digits = fold.bytes().any(|b| b.is_ascii_digit()) && fold.bytes().filter(u8::is_ascii_alphabetic).count() > 1;
    let lone = page.line_ends(end) || is!(page.key(end), ")" | "]" | "," | ";" | "|" | "-" | "le" | "a" | "/");
    let plain = page.has(who, look::LOWER)
        && fold.len() > 3
        && lone
        && !page.has(who, word::COMMON | word::PARTICLE | word::QUALIFIER | look::CUE | look::CLINICAL | word::ANY_GIVEN)
        && !likely_common(page.fold(who))
        && Knowledge::built_in().vocabulary.get(page.fold(who)) == UNKNOWN;
    let word = page.text.tokens[who].kind == Kind::Word;
    if word && fold.len() > 3 && (digits || plain || end > who + 1) {
        found.push(page, who..end, Label::Id, "context:login", 24);
    } else if word && initials(page, who) && lone {
        found.push(page, who..who + 1, Label::Nom, SLOT, 20);
    } else if let Some(candidate) = page.read(who, Trust::Announced).filter(|_| !account) {
        super::context::accept(page, &candidate, role::AGENT, 24, "context:agent", found);
    }
}

/// "m.durand", "durand_m2": glued by dots and underscores.
fn login_end(page: &Page<'_, '_>, at: usize) -> usize {
    let mut end = at + 1;
    while end + 1 < page.len()
        && is!(page.key(end), "." | "_" | "-")
        && page.glued(end)
        && page.glued(end + 1)
        && page.text.tokens[end + 1].kind != Kind::Mark
        && page.has(at, look::LOWER)
    {
        end += 2;
    }
    end
}

/// "Ets Tralounec", "ambu privée Kerdolan", "pompes funèbres Gronguis".
fn business(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if !page.leads(at, lead::BUSINESS) {
        return;
    }
    let head = match page.fold(at) {
        "ets" | "etablissements" | "amb" | "ambu" | "ambus" | "ambulance" | "ambulances" | "pharmacie" | "taxi" | "taxis" | "vsl"
        | "sarl" | "opticien" | "optique" | "marbrerie" | "funerarium" | "prothesiste" | "audioprothesiste" | "transports" => at + 1,
        "pompes" | "service" | "services" | "maison" | "chambre"
            if page.fold(at + 1).starts_with("funer") || page.fold(at + 1).starts_with("funeb") =>
        {
            at + 2
        }
        "pf" if page.has(at, look::UPPER) => at + 1,
        "laboratoire" | "labo" | "cabinet" | "societe" | "ste" | "entreprise" | "garage" | "boulangerie" | "menuiserie"
            if page.has(at, look::LOWER) =>
        {
            at + 1
        }
        _ => return,
    };
    let mut first = head;
    while page.same_line(first)
        && first < head + 3
        && (is!(
            page.key(first),
            "prive" | "privee" | "privees" | "prives" | "conventionne" | "conventionnee" | "funebres" | "de" | "garde" | "sarl" | "ets"
        ) && page.has(first, look::LOWER | look::IN_CAPITALS)
            || is!(page.key(first), ":" | "(")
            || is!(page.key(first), ".") && page.glued(first) && first == head)
    {
        first += 1;
    }
    // "pharmacie de Trégarec" is where it stands.
    let shouted = page.has(first, look::IN_CAPITALS);
    let listed = page.has(first, word::ANY_FAMILY) && !page.has(first, word::COMMON) && page.fold(first).len() > 3;
    if first > head && is!(page.key(first - 1), "de") || !page.same_line(first) || found.covers(first) || shouted && !listed {
        return;
    }
    let place = page.text.tokens[at].capital && !page.has(at, look::OPENS) && is!(page.key(at), "pharmacie");
    let plain = page.has(first, look::CAPITAL)
        && page.fold(first).len() > 2
        && !page.has(first, word::COMMON | word::ACRONYM | look::CUE | look::CLINICAL | word::QUALIFIER | look::SEEN_LOWER)
        && (is!(page.key(at), "pompes" | "amb" | "ambulances" | "ambulance" | "taxi" | "taxis") || !likely_common(page.fold(first)))
        && Knowledge::built_in().vocabulary.get(page.fold(first)) == UNKNOWN;
    let measure = page.has(first, look::UPPER) && crate::proper::known::heading(page.fold(first));
    let named = page.has(first, look::CAPITAL) && page.has(first, word::ANY_FAMILY) && !page.has(first, look::CUE | look::CLINICAL);
    let named = named && !measure;
    // "TAXI COULOIR": in capitals only listed names.
    let capitals = page.has(first, look::UPPER) && (page.has(at, look::UPPER) || page.fold(first).len() < 4);
    if place || !(named || plain && !capitals) {
        return;
    }
    // Behind the owner stands the town, behind a given name its owner's other name.
    let owner = |p: &&Part| p.bits & word::GIVEN == 0 && p.kind == PartKind::Word;
    let end = page
        .read(first, Trust::Announced)
        .map_or(first + 1, |c| c.parts.iter().find(owner).or(c.parts.last()).map_or(first + 1, |p| p.tokens.end));
    let tokens: Range<usize> = first..end;
    found.push(page, tokens, Label::Nom, "context:business", 22);
}
