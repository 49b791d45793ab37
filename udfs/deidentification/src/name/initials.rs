//! Initials that stand for people: "SLD/mh" under a letter, "validé PJ", "frappe : cl",
//! and those of someone who is named elsewhere in the text.

use std::ops::Range;

use rustc_hash::FxHashSet;
use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::Found;
use super::knowledge::{role, word};
use super::page::{Page, look};
use super::slot::{self, SLOT};
use super::typist::{small_pair, spoken_pair};
use crate::Label;

/// Lines at the end of a text where a lone pair of letters is a signature.
const LAST_LINES: usize = 6;
/// Tokens above the marks of a dictation in which its author signs.
const SIGNED: usize = 12;

/// Finds initials; `people` holds those of the names found, in capitals.
pub(crate) fn initials(page: &Page<'_, '_>, people: &FxHashSet<String>, found: &mut Found) {
    let lines = lines(page);
    let tail = lines.len().saturating_sub(LAST_LINES);
    for (number, line) in lines.iter().enumerate() {
        if number >= tail {
            signature_line(page, line.clone(), found);
        }
    }
    let legend: FxHashSet<&str> =
        (0..page.len()).filter(|at| page.has(*at, look::UPPER) && explained(page, *at, people, found)).map(|at| page.fold(at)).collect();
    for at in 0..page.len() {
        // Capitals, what announces them, the first word of a line and small letters before a stroke.
        let written = page.has(at, look::UPPER | look::SINGLE) || !page.same_line(at) || is!(page.key(at + 1), "/" | "-");
        if !written && !page.leads_on(at) {
            continue;
        }
        if page.has(at, look::UPPER) && legend.contains(page.fold(at)) && stands_as_writer(page, at) && !found.covers(at) {
            found.push(page, at..at + 1, Label::Nom, "context:legend", 20);
        }
        spoken_pair(page, at, people, found);
        if found.covers(at) {
            continue;
        }
        if let Some(cue) = page.cues[at].filter(|c| c.roles & (role::TYPIST | role::AGENT | role::FUNCTION) != 0) {
            behind_cue(page, cue.end, cue.roles, found);
        }
        ends_a_line(page, at, found);
        small_pair(page, at, people, found);
        if !found.covers(at) && page.has(at, look::UPPER) && letters(page, at, 2..=3) && doctor(page, at) && people.contains(page.fold(at))
        {
            found.push(page, at..at + 1, Label::Nom, SLOT, 20);
        }
        if found.covers(at) {
            continue;
        }
        if seen_by(page, at) && people.contains(page.fold(at)) {
            found.push(page, at..at + 1, Label::Nom, "context:visa", 20);
            continue;
        }
        if page.has(at, look::UPPER) && letters(page, at, 2..=4) && !page.has(at, word::ACRONYM | look::CLINICAL | look::CUE) {
            let same = people.contains(page.fold(at));
            if same && !measured(page, at) && page.stands_out(at) || before_function(page, at) {
                found.push(page, at..at + 1, Label::Nom, "context:initials", 20);
            }
        } else if page.has(at, look::SINGLE) && dotted(page, at) {
            // "P.J." whole: a pair of letters with dots that is a person's.
            let joined = format!("{}{}", page.fold(at), page.fold(at + 2));
            if people.contains(joined.as_str()) && page.glued(at + 2) {
                let end = at + 3 + usize::from(is!(page.key(at + 3), ".") && page.glued(at + 3));
                found.push(page, at..end, Label::Nom, "context:initials", 20);
            }
        }
    }
}

/// "TM = Théo MARS", "Dr Théo MARS (TM)": the page says whose letters they are, whatever
/// else they may stand for.
fn explained(page: &Page<'_, '_>, at: usize, people: &FxHashSet<String>, found: &Found) -> bool {
    let named = |from: usize| (from..from + 3).any(|i| page.same_line(i) && found.covers(i));
    let held = at > 1 && is!(page.key(at - 1), "(") && is!(page.key(at + 1), ")") && found.covers(at - 2);
    letters(page, at, 2..=4)
        && people.contains(page.fold(at))
        && (held || is!(page.key(at + 1), "=") && page.same_line(at + 1) && named(at + 2))
}

/// Where whoever wrote an entry stands: at its head, behind its hour, in brackets, at its end.
fn stands_as_writer(page: &Page<'_, '_>, at: usize) -> bool {
    let before = at.checked_sub(1).filter(|_| page.same_line(at));
    let timed = before.is_some_and(|b| page.text.tokens[b].kind == Kind::Number);
    before.is_none()
        || timed
        || before.is_some_and(|b| is!(page.key(b), "(" | "/" | "h" | "-" | "["))
        || page.line_ends(at + 1)
        || is!(page.key(at + 1), "=")
}

pub(super) fn lines(page: &Page<'_, '_>) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = 0;
    for (at, token) in page.text.tokens.iter().enumerate().skip(1) {
        if token.lines_before > 0 {
            out.push(start..at);
            start = at;
        }
    }
    if start < page.len() {
        out.push(start..page.len());
    }
    out
}

fn letters(page: &Page<'_, '_>, at: usize, count: std::ops::RangeInclusive<usize>) -> bool {
    let fold = page.fold(at);
    count.contains(&fold.len()) && fold.bytes().all(|b| b.is_ascii_lowercase())
}

fn dotted(page: &Page<'_, '_>, at: usize) -> bool {
    is!(page.key(at + 1), ".") && page.glued(at + 1) && page.has(at + 2, look::SINGLE)
}

/// "PJ 12", "PJ = 4": something measured.
fn measured(page: &Page<'_, '_>, at: usize) -> bool {
    let number = |i: usize| page.text.tokens.get(i).is_some_and(|t| t.kind == Kind::Number);
    page.same_line(at + 1) && (number(at + 1) || is!(page.key(at + 1), "=" | ":" | "%") && number(at + 2))
}

/// "vu PJ" at the end of a line, whatever else the letters may stand for.
fn seen_by(page: &Page<'_, '_>, at: usize) -> bool {
    at > 0
        && page.has(at, look::UPPER)
        && letters(page, at, 2..=3)
        && page.same_line(at)
        && page.line_ends(at + 1)
        && (reviewed(page.fold(at - 1)) || is!(page.key(at - 1), "vise" | "visee"))
}

/// Somebody has looked at it: who, may stand behind without "par".
pub(crate) fn reviewed(fold: &str) -> bool {
    matches!(fold, "vu" | "vue" | "revu" | "revue" | "relu" | "relue")
}

/// "Dr MK": right behind the title of a physician.
fn doctor(page: &Page<'_, '_>, at: usize) -> bool {
    (1..3).any(|back| {
        let title = at.checked_sub(back).filter(|t| page.cues[*t].is_some_and(|c| c.roles & role::PHYSICIAN != 0));
        title.is_some_and(|t| page.title(t) == Some(at) && page.same_line(at))
    })
}

/// "PJ, IDE", "(PJ interne)".
fn before_function(page: &Page<'_, '_>, at: usize) -> bool {
    let next = at + 1 + usize::from(is!(page.key(at + 1), "," | "(" | "-"));
    letters(page, at, 2..=3)
        && !page.has(at, word::PARTICLE)
        && page.same_line(next)
        && page.cues.get(next).copied().flatten().is_some_and(|c| c.roles & role::FUNCTION != 0 && c.roles & (role::AGENT | role::KIN) == 0)
        && (page.has(at, look::OPENS)
            || at > 0 && is!(page.key(at - 1), "(" | "-" | "/" | "," | "par" | "a" | "avec" | "et")
            || next == at + 1 && slot::timed(page, at) && !is!(page.key(at), "am" | "pm" | "apm"))
}

/// Initials alone on a line or behind the names of one: "SLD/mh", "PJ", "K. A.", "Pr Durand / GB".
fn signature_line(page: &Page<'_, '_>, line: Range<usize>, found: &mut Found) {
    let mut people: Vec<(Range<usize>, Label)> = Vec::new();
    let (mut at, mut capital, mut slash, mut named) = (line.start, false, false, false);
    if line.len() > 16 {
        return;
    }
    while at < line.end {
        if found.covers(at) || page.title(at).is_some() {
            named |= found.covers(at);
            at += 1;
        } else if let Some(cue) = page.cues[at].filter(|c| {
            c.roles & (role::TYPIST | role::AGENT | role::FUNCTION | role::COPY) != 0
                && (page.fold(at).len() > 2 || c.roles & role::FUNCTION != 0 && page.has(c.end, look::UPPER))
        }) {
            named = true;
            at = cue.end;
        } else if page.has(at, look::SINGLE) {
            let start = at;
            at += 1;
            while at < line.end && (is!(page.key(at), ".") || page.has(at, look::SINGLE) || is!(page.key(at), "-") && page.glued(at)) {
                at += 1;
            }
            // One letter alone says nothing.
            if at - start < 3 {
                return;
            }
            capital = true;
            // "K. A." are a first and a family name, "P.J." a signature.
            match (start + 1..at).rev().find(|i| page.has(*i, look::SINGLE) && !page.glued(*i)) {
                Some(family) => people.extend([(start..family, Label::Prenom), (family..at, Label::Nom)]),
                None => people.push((start..at, Label::Nom)),
            }
        } else if super::field::form_code(page, at) {
            return;
        } else if at == line.start && line.len() == 3 && small_marks(page, at, found) {
            people.extend([(at..at + 1, Label::Nom), (at + 2..at + 3, Label::Nom)]);
            capital = true;
            at += 3;
        } else if page.has(at, look::UPPER)
            && letters(page, at, 2..=4)
            && (!page.has(at, word::COMMON | look::CLINICAL) || line.end == page.len() && line.len() < 4 && page.fold(at).len() < 3)
        {
            let pair = is!(page.key(at + 1), "/") || slash;
            let alone = line.len() < 3 && page.fold(at).len() == 2;
            if page.has(at, word::ACRONYM) && !pair && !alone || page.fold(at).len() == 4 && !pair {
                return;
            }
            capital = true;
            people.push((at..at + 1, Label::Nom));
            at += 1;
        } else if slash
            && page.has(at, look::LOWER | look::CAPITAL)
            && letters(page, at, 2..=3)
            && !page.has(at, word::COMMON | word::PARTICLE)
        {
            people.push((at..at + 1, Label::Nom));
            at += 1;
        } else if is!(page.key(at), "/" | "-" | ":" | "." | "," | "–" | "\\" | "(" | ")") {
            slash |= is!(page.key(at), "/" | "-" | "\\") && (capital || named);
            at += 1;
        } else {
            return;
        }
    }
    // "FC / FR": what is measured.
    let measures = people.len() > 1 && people.iter().all(|(tokens, _)| super::slot::vital(page, tokens.start));
    if measures {
        return;
    }
    if (capital || named && slash) && people.len() < 4 && !page.text.source(line).contains("g/") {
        for (tokens, label) in people {
            found.push(page, tokens, label, "context:signature", 20);
        }
    }
}

/// "cf:ml" below "Côme FÉVRIER": the letters of who signed, and of who typed.
fn small_marks(page: &Page<'_, '_>, at: usize, found: &Found) -> bool {
    let small = |i: usize| page.has(i, look::LOWER) && letters(page, i, 2..=3);
    if !small(at) || !small(at + 2) || !is!(page.key(at + 1), "/" | ":") || !page.glued(at + 1) || !page.glued(at + 2) {
        return false;
    }
    let signed: Vec<u8> =
        (at.saturating_sub(SIGNED)..at).filter(|i| found.covers(*i)).filter_map(|i| page.fold(i).bytes().next()).collect();
    page.fold(at).bytes().all(|letter| signed.contains(&letter))
}

/// "TM/cl" at the end of any line, "SB" as the last word of all.
fn ends_a_line(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let near_end = page.len() - at < 24;
    let capital =
        page.has(at, look::UPPER) && letters(page, at, 2..=4) && !page.has(at, word::COMMON) && (near_end || !page.has(at, look::CLINICAL));
    if !capital {
        return;
    }
    let (slash, second) = (at + 1, at + 2);
    let pair = is!(page.key(slash), "/") && page.same_line(second) && page.has(second, look::LOWER) && letters(page, second, 2..=3);
    if pair
        && page.line_ends(at + 3)
        && !page.has(second, word::PARTICLE | word::COMMON)
        && page.text.tokens[slash].space_before == page.text.tokens[second].space_before
    {
        found.push(page, at..at + 1, Label::Nom, "context:signature", 20);
        found.push(page, second..second + 1, Label::Nom, "context:signature", 20);
        return;
    }
    let last = at + 1 == page.len() || at + 2 == page.len() && is!(page.key(at + 1), ".");
    let opens = at > 0 && (page.text.tokens[at].lines_before > 0 || is!(page.key(at - 1), "." | "-" | ";" | "!"));
    let measure = is!(page.key(at), "ta" | "fc" | "fa" | "ok" | "ei" | "rx" | "vo" | "sl");
    if last && opens && letters(page, at, 2..=2) && !measure {
        // Behind a sentence they stand for nothing else: "… à 14 h. OG".
        let sentence = is!(page.key(at - 1), "." | "!") && page.same_line(at) && !page.glued(at) && slot::initials(page, at);
        found.push(page, at..at + 1, Label::Nom, if sentence { SLOT } else { "context:signature" }, 20);
    }
}

/// "frappe : cl", "validé par PJ", "IDE : SB".
fn behind_cue(page: &Page<'_, '_>, end: usize, roles: u32, found: &mut Found) {
    let typist = roles & role::TYPIST != 0;
    let mut at = end;
    let mut mark = false;
    while is!(page.key(at), ":" | "/" | "(" | "-" | "." | "°" | "=") && at < end + 3 {
        mark |= !is!(page.key(at), "(");
        at += 1;
    }
    let by = is!(page.key(end.saturating_sub(1)), "par" | "signe" | "signee" | "signature");
    // "Validé électroniquement : PJ/SB"
    while typist && (page.fold(at).ends_with("iquement") || is!(page.key(at), "par" | ":")) && at < end + 6 {
        at += 1;
    }
    for turn in 0..3 {
        if !page.same_line(at) || found.covers(at) || super::field::form_code(page, at) {
            return;
        }
        let capital = page.has(at, look::UPPER) && letters(page, at, 2..=4);
        let small = typist
            && (mark || turn > 0 || by || page.has(at, look::CAPITAL))
            && page.has(at, look::LOWER | look::CAPITAL)
            && letters(page, at, 2..=3);
        // "Visa PJ IDE": who signs may say what they are.
        let heads = role::TYPIST | if typist { role::FUNCTION } else { 0 };
        let next_cue = page.cues.get(at + 1).copied().flatten().is_some_and(|c| c.roles & heads != 0);
        let ends = page.line_ends(at + 1) || next_cue || is!(page.key(at + 1), "/" | "." | "," | ";" | ")" | "-" | "|" | "le" | "a");
        let trade = typist && page.has(at, look::UPPER) && page.cues[at].is_some_and(|c| c.roles & role::FUNCTION != 0);
        if trade || is!(page.key(at), "ras" | "ok" | "oui" | "non") {
            return;
        }
        // The half of a pair behind the stroke is somebody's, whatever else it means: "HDLV/TA".
        let paired = typist && turn > 0 && capital;
        let known =
            !paired && (page.has(at, word::COMMON | look::CLINICAL | look::CUE | word::PARTICLE) || !typist && page.has(at, word::ACRONYM));
        // After a function a pair of capitals may be a ward.
        let sure = typist || by || mark || page.line_ends(at + 1) && letters(page, at, 2..=3);
        if !(ends && (capital && sure && !known || small && !page.has(at, word::COMMON | word::PARTICLE | word::QUALIFIER))) {
            return;
        }
        found.push(page, at..at + 1, Label::Nom, "context:initials", 20);
        if !is!(page.key(at + 1), "/") {
            return;
        }
        at += 2;
    }
}
