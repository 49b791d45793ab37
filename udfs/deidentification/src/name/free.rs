//! Names that nothing announces: their shape, the gazetteers, and what follows them.

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::Found;
use super::context::accept;
use super::knowledge::{likely_common, role, word};
use super::page::{Candidate, Page, PartKind, Trust, look};
use super::weigh::{ENOUGH, shape};
use crate::proper::known;

/// Finds names by their shape ("GOURMELON Marion"), their words ("Nawal l'a relevé") and what
/// is said of them ("Servane (sa fille)", "L. Brisset, interne").
pub(crate) fn unannounced(page: &Page<'_, '_>, found: &mut Found) {
    let mut at = 0;
    while at < page.len() {
        if found.covers(at)
            || !page.has(at, look::CAPITAL | look::SINGLE | word::PARTICLE)
            || at > 0 && page.glued(at) && inside_word(page, at)
        {
            at += 1;
            continue;
        }
        // "Visa KERVERN": who signs, not a given name.
        if page.cues[at].is_some_and(|c| c.roles & role::TYPIST != 0 && c.end == at + 1) {
            at += 1;
            continue;
        }
        let Some(candidate) = page.read(at, Trust::Free) else {
            at += 1;
            continue;
        };
        let words = candidate.parts.iter().filter(|p| p.kind == PartKind::Word).count();
        let after = after(page, candidate.end, words > 1 || candidate.parts[0].bits & word::ANY_NAME != 0);
        let weight = shape(page, &candidate, false)
            + after.0
            + alone(page, at, candidate.end)
            + behind_phone(page, at)
            + trade_in_brackets(page, &candidate)
            - misleading(page, at, &candidate);
        if weight < ENOUGH || candidate.parts.iter().all(|p| p.kind == PartKind::Initial) {
            at += 1;
            continue;
        }
        let detector = match after.0 {
            0 if candidate.parts.len() > 1 => "shape:name",
            0 if candidate.parts[0].bits & word::ANY_GIVEN != 0 => "gazetteer:given",
            0 => "gazetteer:family",
            _ => after.1,
        };
        accept(page, &candidate, after.2, weight, detector, found);
        at = candidate.end.max(at + 1);
    }
}

/// The second half of "l'Rozenn" is free, that of "x-Rozenn" is not.
fn inside_word(page: &Page<'_, '_>, at: usize) -> bool {
    is!(page.key(at - 1), "-" | "@" | "." | "_") && at > 1 && page.glued(at - 1)
}

/// What is said behind a name: weight, detector, roles.
fn after(page: &Page<'_, '_>, end: usize, sure: bool) -> (i32, &'static str, u32) {
    let none = (0, "", 0);
    let mut at = end;
    let mut mark = false;
    if is!(page.key(at), "," | "(" | "-" | "/" | ":" | "=") {
        mark = true;
        at += 1;
    }
    let wrapped = mark && page.text.tokens.get(at).is_some_and(|t| t.lines_before == 1);
    if !page.same_line(at) && !wrapped {
        return none;
    }
    let mut article = false;
    while is!(page.key(at), "sa" | "son" | "ses" | "la" | "le" | "l" | "'" | "notre" | "votre" | "leur" | "une" | "un") && at < end + 4 {
        article |= !is!(page.key(at), "'");
        at += 1;
    }
    match page.cues.get(at).copied().flatten() {
        // "Maïwenn Kervern IDE": without a mark only in capitals.
        Some(cue) if (mark || sure && page.has(at, look::UPPER)) && cue.roles & role::FUNCTION != 0 => {
            (12, "context:function", role::FUNCTION)
        }
        Some(cue) if cue.roles & role::KIN != 0 && (mark || article && page.fold(end).starts_with('s')) => (14, "context:kin", role::KIN),
        Some(cue) if cue.roles & role::BIRTH != 0 && !article => (10, "context:birth", 0),
        _ if telephone(page, end) => (8, "context:phone", 0),
        _ if identified(page, end) > 0 => (identified(page, end), "context:header", role::PERSON_HEAD),
        _ => none,
    }
}

/// "Kerdonval (MT) rappelé": a trade in brackets behind a word that nothing explains.
fn trade_in_brackets(page: &Page<'_, '_>, candidate: &Candidate) -> i32 {
    let open = candidate.end;
    let [part] = candidate.parts.as_slice() else { return 0 };
    let trade = page.cues.get(open + 1).copied().flatten().filter(|c| c.roles & (role::FUNCTION | role::KIN) != 0);
    let closed = is!(page.key(open), "(") && trade.is_some_and(|c| is!(page.key(c.end), ")"));
    let last = part.tokens.end - 1;
    let plain = part.bits & (word::COMMON | word::ACRONYM | look::CLINICAL | word::EPONYM | look::SEEN_LOWER) == 0;
    if closed && plain && part.tokens.len() == 1 && !likely_common(page.fold(last)) && !known::explained(page.fold(last)) { 12 } else { 0 }
}

/// "06 12 34…" or "tél" right behind.
pub(super) fn telephone(page: &Page<'_, '_>, end: usize) -> bool {
    let at = (end..end + 3).find(|i| !is!(page.key(*i), ":" | "(" | "," | "-" | "au")).unwrap_or(end);
    let fold = page.fold(at);
    let digits = fold.len() == 2 || fold.len() == 10;
    page.same_line(at)
        && (matches!(fold, "tel" | "portable" | "joignable") || digits && fold.starts_with('0') && fold.bytes().all(|b| b.is_ascii_digit()))
}

/// A date, an age or a long number right behind: "CORDIER Y. 12/03/1950", "ROUX - 8033441276".
fn identified(page: &Page<'_, '_>, end: usize) -> i32 {
    let at = end + usize::from(is!(page.key(end), "-" | "," | ":" | "(" | "|" | "/"));
    let number = |i: usize| page.same_line(i) && page.text.tokens[i].kind == Kind::Number;
    let month =
        |i: usize| page.has(i, look::LOWER | look::UPPER) && page.has(i, word::COMMON) && number(i + 1) && page.fold(i + 1).len() == 4;
    let date = || is!(page.key(at + 1), "/" | "-" | ".") && number(at + 2) && page.fold(at + 1) == page.fold(at + 3) && number(at + 4);
    match number(at) {
        true if page.fold(at).len() > 6 && page.has(end - 1, look::UPPER) => 18,
        true if page.fold(at).len() > 6 || is!(page.key(at + 1), "ans") || month(at + 1) || date() => 10,
        _ => 0,
    }
}

/// In brackets behind a phone: "05 49 11 72 60 (Maïwenn)".
fn behind_phone(page: &Page<'_, '_>, at: usize) -> i32 {
    let before = at - usize::from(at > 0 && is!(page.key(at - 1), "("));
    let pairs =
        (1..=4).all(|back| before >= back && page.text.tokens[before - back].kind == Kind::Number && page.fold(before - back).len() == 2);
    if pairs && page.same_line(at) { 14 } else { 0 }
}

/// A name that has a line for itself is a heading or a signature.
fn alone(page: &Page<'_, '_>, at: usize, end: usize) -> i32 {
    let starts = page.text.tokens[at].lines_before > 0 || at == 0;
    let whole = end == at + 1 && page.has(at, look::UPPER) && page.fold(at).len() > 3;
    let both = end == at + 2 && page.has(at, look::CAPITAL) && page.has(at + 1, look::CAPITAL) && at > 0;
    let signs = page.len() - end < 12 && (whole || both);
    let last = end == page.len()
        && end == at + 1
        && page.fold(at).len() > 3
        && !page.has(at, word::ANY_NAME | word::COMMON | word::EPONYM | look::SEEN_LOWER);
    match starts && page.line_ends(end) {
        true if last && at > 0 && !likely_common(page.fold(at)) => 24,
        true if signs => 14,
        true => 8,
        false => 0,
    }
}

/// What looks like a name and is none: places, streets, brands in capitals, units of the text.
fn misleading(page: &Page<'_, '_>, at: usize, candidate: &Candidate) -> i32 {
    let mut against = 0;
    let last = &candidate.parts[candidate.parts.len() - 1];
    // "Sofia 6F", "Sofia Plus": a catheter, not a girl.
    let next = candidate.end;
    let gauge = page.same_line(next) && {
        let fold = page.fold(next);
        let figures = fold.bytes().take_while(u8::is_ascii_digit).count();
        figures > 0 && matches!(&fold[figures..], "f" | "fr" | "mm" | "ch")
            || matches!(fold, "plus" | "flow" | "ex") && page.has(next, look::CAPITAL)
            || figures == fold.len() && figures > 0 && is!(page.key(next + 1), "f" | "fr" | "french" | "mm")
    };
    if gauge && candidate.parts.len() == 1 {
        against += 40;
    }
    // "et al.", "[12]", "(2009)": an author, not a person of the story.
    if is!(page.key(candidate.end), "et") && is!(page.key(candidate.end + 1), "al" | "coll") || is!(page.key(candidate.end), "[") {
        against += 30;
    }
    // A lone word of a title or a list in capitals.
    if candidate.parts.len() == 1 && last.bits & (word::GIVEN | word::FAMILY) == 0 {
        against += 4;
    }
    // "en Y. Trevolux", "mmol/L. GAZO": the letter ends a sentence, unless a listed name follows.
    let initial = candidate.parts[0].kind == PartKind::Initial;
    let listed = candidate.parts.iter().any(|p| p.bits & (word::GIVEN | word::FAMILY) != 0);
    if initial && at > 0 && !listed && page.same_line(at) {
        let before = page.text.tokens[at - 1].kind;
        let unit = page.glued(at) && is!(page.key(at - 1), "/" | "-" | "'");
        if unit || before == Kind::Number || before == Kind::Word {
            against += 20;
        }
    }
    // "Groupe A. Patient", "vitamine B. Puis".
    if candidate.parts[0].kind == PartKind::Initial
        && at > 0
        && page.same_line(at)
        && page.has(at - 1, look::LOWER)
        && is!(
            page.key(at - 1),
            "vitamine" | "hepatite" | "groupe" | "type" | "stade" | "classe" | "grade" | "score" | "proteine" | "facteur" | "virus"
        )
    {
        against += 20;
    }
    against
}
