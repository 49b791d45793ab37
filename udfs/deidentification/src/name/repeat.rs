//! Names found once, looked for in the whole text: bare, in small letters, split.

use rustc_hash::{FxHashMap, FxHashSet};
use sillage_clinical::is;
use sillage_clinical::text::{Kind, Text, key};

use super::Found;
use super::knowledge::{Names, likely_common, role, word};
use super::page::{Page, look};
use super::weigh::behind_small_word;
use crate::Label;
use crate::proper::known;

/// Words of names with what they are.
#[derive(Default)]
pub(crate) struct Known {
    /// By the [`key`] of the word.
    words: FxHashMap<u64, Label>,
    /// Family names that a particle in small letters stands before: "de Kersabiec".
    particled: FxHashSet<u64>,
    /// Letters of two to four initials of whole names, in small letters.
    pub initials: FxHashSet<String>,
}

impl Known {
    /// Takes in the words of the names found.
    pub fn learn(&mut self, page: &Page<'_, '_>, found: &Found) {
        let mut last: Option<(usize, String)> = None;
        for (tokens, label, sure) in found.names() {
            for at in tokens.clone() {
                if at > tokens.start && page.has(tokens.start, word::PARTICLE) && page.has(tokens.start, look::LOWER) {
                    self.particled.insert(page.key(at));
                }
                // What only looked like a name teaches nothing but listed names.
                if !sure && !page.has(at, word::ANY_NAME) {
                    continue;
                }
                if page.text.tokens[at].kind == Kind::Word && page.fold(at).len() > 2 && !page.has(at, word::PARTICLE | look::SINGLE) {
                    self.add(page.fold(at), label);
                }
            }
            // Names side by side are one person; so are their first letters.
            let letters: String =
                tokens.clone().filter(|i| page.text.tokens[*i].kind == Kind::Word).filter_map(|i| page.fold(i).chars().next()).collect();
            let joined = match last.take() {
                Some((end, before)) if end == tokens.start && page.same_line(end) => {
                    self.add_initials(&before, &letters);
                    before + &letters
                }
                _ => letters,
            };
            last = Some((tokens.end, joined));
        }
    }

    /// Takes in a name given by metadata: "Dr Bleuenn KERMARREC".
    pub fn learn_name(&mut self, names: &Names, name: &str) {
        let text = Text::new(name);
        let upper =
            text.tokens.iter().any(|t| t.upper && t.end - t.start > 2) && text.tokens.iter().any(|t| t.kind == Kind::Word && !t.upper);
        let mut letters = Vec::new();
        for (at, token) in text.tokens.iter().enumerate() {
            let fold = text.fold(at);
            let title = names.cue(&text, at).is_some_and(|c| c.roles & (role::TITLE | role::FUNCTION) != 0) && fold.len() < 12;
            let bits = names.word(fold);
            let none = bits & (word::COMMON | word::QUALIFIER | word::ACRONYM) != 0 && bits & word::ANY_NAME == 0;
            // "équipe USINV": nobody is called like a ward.
            let ward = bits & word::ACRONYM != 0 && bits & word::ANY_NAME == 0 && fold.len() > 2;
            if token.kind != Kind::Word || title || ward || none && !token.upper {
                continue;
            }
            letters.extend(fold.chars().next());
            if fold.len() > 2 && bits & word::PARTICLE == 0 {
                let given = bits & word::ANY_GIVEN != 0 && bits & word::ANY_FAMILY == 0;
                let label = if upper && !token.upper || !upper && given { Label::Prenom } else { Label::Nom };
                self.add(fold, label);
            }
        }
        if let [first, rest @ ..] = letters.as_slice()
            && !rest.is_empty()
        {
            self.add_initials(&first.to_string(), &rest.iter().collect::<String>());
        }
    }

    fn add(&mut self, fold: &str, label: Label) {
        self.words.entry(key(fold)).or_insert(label);
    }

    /// "Soizic LE DANTEC" signs SLD or SD, DS or LDS.
    fn add_initials(&mut self, first: &str, second: &str) {
        let pairs = [(first, second), (second, first)];
        for (a, b) in pairs {
            let whole = format!("{a}{b}");
            if (2..=4).contains(&whole.len()) {
                self.initials.insert(whole);
            }
            if let (Some(a), Some(b)) = (a.chars().next(), b.chars().next_back()) {
                self.initials.insert(format!("{a}{b}"));
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

/// The letters by which somebody of these names signs, whichever comes first: "SLD",
/// "SD", "DS" of "Soizic LE DANTEC", "SDA" and "DAN" where trigrams are in use.
pub(crate) fn initials_of(words: &[&str], out: &mut FxHashSet<String>) {
    let firsts: String = words.iter().filter_map(|w| w.chars().next()).collect();
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return };
    if words.len() < 2 || words.len() > 5 {
        return;
    }
    if firsts.len() < 5 {
        out.insert(firsts.chars().skip(1).chain(firsts.chars().take(1)).collect());
        out.insert(firsts);
    }
    for (given, family) in [(first, last), (last, first)] {
        let (Some(letter), Some(head)) = (given.get(..1), family.get(..1)) else { continue };
        out.insert(format!("{letter}{head}"));
        if let Some(two) = family.get(..2).filter(|_| family.len() > 3) {
            out.insert(format!("{letter}{two}"));
        }
    }
}

/// Marks every known name that nothing marked yet.
pub(crate) fn repeated(page: &Page<'_, '_>, known: &Known, detector: &'static str, found: &mut Found) {
    if known.is_empty() {
        return;
    }
    for at in 0..page.len() {
        if page.text.tokens[at].kind != Kind::Word || found.covers(at) {
            continue;
        }
        let Some(label) = known.words.get(&page.key(at)).copied() else { continue };
        // Metadata know the author: "Lucie KRANZ" is no acronym.
        let author = detector == "metadata"
            && page.has(at, look::UPPER)
            && page.fold(at).len() > 3
            && at > 0
            && page.same_line(at)
            && (found.covers(at - 1)
                || page.has(at - 1, word::GIVEN | look::SINGLE)
                || at > 1 && is!(page.key(at - 1), ".") && page.has(at - 2, look::SINGLE));
        let cell = dated_cell(page, at);
        if !author && !cell && !stands_for_a_person(page, at) {
            continue;
        }
        let detector = match () {
            () if cell => super::slot::SLOT,
            () if page.has(at, look::CLINICAL) && detector == "repeat" => "repeat:person",
            () => detector,
        };
        let particled = known.particled.contains(&page.key(at));
        let mut start = at;
        while start > 0
            && page.same_line(start)
            && (page.has(start - 1, word::PARTICLE) && (particled || page.has(start - 1, look::CAPITAL | look::SINGLE))
                || particled && is!(page.key(start - 1), "'"))
            && !found.covers(start - 1)
        {
            start -= 1;
        }
        found.push(page, start..at + 1, label, detector, 20);
        beside(page, start, at + 1, label, detector, found);
    }
}

/// The initial of the other name: "J. Ferrec", "Noémie R.".
fn beside(page: &Page<'_, '_>, start: usize, end: usize, label: Label, detector: &'static str, found: &mut Found) {
    let other = if label == Label::Nom { Label::Prenom } else { Label::Nom };
    let mut first = start;
    while first > 0
        && start - first < 6
        && page.same_line(first)
        && (page.has(first - 1, look::SINGLE) || is!(page.key(first - 1), "." | "-"))
    {
        first -= 1;
    }
    while first < start && !page.has(first, look::SINGLE) {
        first += 1;
    }
    // "A TALOUNE / interne" signs, "A LYON" is somewhere.
    let signs =
        page.text.tokens[first].lines_before > 0 && page.has(start, look::UPPER) && (page.line_ends(end) || is!(page.key(end), "/"));
    let sure = start - first > 1 || first < start && page.has(first, look::SINGLE) && (!is!(page.key(first), "a") || signs);
    if first < start && sure && page.title(first).is_none() && label == Label::Nom {
        found.push(page, first..start, other, detector, 20);
    }
    if page.same_line(end) && page.has(end, look::SINGLE) {
        let dotted = is!(page.key(end + 1), ".") && page.glued(end + 1);
        if dotted || page.line_ends(end + 1) {
            found.push(page, end..end + 1 + usize::from(dotted), other, detector, 20);
        }
    }
}

/// Whether a word that is a name elsewhere is one here.
pub(crate) fn stands_for_a_person(page: &Page<'_, '_>, at: usize) -> bool {
    let bits = page.bits(at);
    if page.behind_eponym_head(at) {
        return false;
    }
    if bits & look::CLINICAL != 0 {
        return bits & (look::BODY | look::ALONE) != 0 && person_meant(page, at);
    }
    let small = bits & look::CAPITAL == 0 || bits & look::OPENS != 0 && bits & look::UPPER == 0;
    if bits & word::ANY_NAME == 0 && known::medical(page.fold(at)) && (small || said_of_a_thing(page, at)) {
        return person_meant(page, at);
    }
    if bits & look::CAPITAL != 0 && (heads_entry(page, at) || signs_alone(page, at)) {
        return true;
    }
    let ambiguous =
        bits & word::AMBIGUOUS != 0 || bits & word::ANY_NAME == 0 && (likely_common(page.fold(at)) || bits & word::ACRONYM != 0);
    if bits & look::CAPITAL == 0 {
        return bits & look::LOWER != 0
            && !thing(page, at)
            && !ambiguous
            && bits & (look::CUE | word::QUALIFIER) == 0
            && page.fold(at).len() > 3;
    }
    let seen = bits & look::SEEN_LOWER != 0;
    // "V. Wolff": the letter of a given name, no title.
    let lettered = at > 1 && is!(page.key(at - 1), ".") && page.glued(at - 1) && page.has(at - 2, look::SINGLE) && !page.glued(at);
    if !ambiguous && (!seen || bits & (word::GIVEN | word::FAMILY) != 0) || lettered && page.same_line(at) {
        return true;
    }
    if bits & look::UPPER != 0 {
        return page.stands_out(at);
    }
    // Within a sentence a common word has no capital.
    behind_small_word(page, at) || !seen && bits & (look::OPENS | word::COMMON | word::EPONYM) == 0
}

/// "du TIBIA", "ROTULE gauche": an article before a word or what medicine says of it behind.
fn said_of_a_thing(page: &Page<'_, '_>, at: usize) -> bool {
    page.same_line(at + 1) && page.says_of_a_thing(at + 1) || behind_article(page, at)
}

/// "du TIBIA", "l'AORTE".
pub(crate) fn behind_article(page: &Page<'_, '_>, at: usize) -> bool {
    let Some(before) = at.checked_sub(1).filter(|_| page.same_line(at)) else { return false };
    let before = before - usize::from(is!(page.key(before), "'") && before > 0);
    let title = before > 0 && (1..4).any(|back| before >= back && page.title(before - back) == Some(before));
    article(page.fold(before))
        && !title
        && (page.has(before, look::LOWER) || page.fold(before).len() < 2 || page.has(at, look::IN_CAPITALS))
}

/// An article, alone or within a preposition.
pub(crate) fn article(fold: &str) -> bool {
    matches!(fold, "le" | "la" | "l" | "les" | "un" | "une" | "du" | "des" | "au" | "aux" | "en")
}

/// "avec ROTULE", "interne Rotule", "S. ROTULE": who is with whom, a trade or a given name
/// before a word with a capital, or a line for it alone in capitals.
fn person_meant(page: &Page<'_, '_>, at: usize) -> bool {
    let alone = page.stands_out(at) && page.line_start(at) == at && page.line_ends(at + 1) && at > 0;
    if !page.has(at, look::CAPITAL) || said_of_a_thing(page, at) || at == 0 || !page.same_line(at) {
        return alone;
    }
    let trade = page.cues[at - 1].is_some_and(|c| c.end == at && c.roles & (role::FUNCTION | role::TITLE | role::AGENT) != 0);
    let titled = (1..4).any(|back| at >= back && page.title(at - back) == Some(at));
    let given = page.has(at - 1, word::ANY_GIVEN) && page.has(at - 1, look::CAPITAL);
    let letter = at > 1 && is!(page.key(at - 1), ".") && page.glued(at - 1) && page.has(at - 2, look::SINGLE) && !page.glued(at);
    trade || titled || given || letter || is!(page.key(at - 1), "avec" | "par")
}

/// "| BASEDOW 12/04/2024 |": who signs in a cell, and the day.
fn dated_cell(page: &Page<'_, '_>, at: usize) -> bool {
    page.has(at, look::UPPER)
        && at > 0
        && is!(page.key(at - 1), "|")
        && page.same_line(at)
        && page.same_line(at + 1)
        && page.text.tokens[at + 1].kind == Kind::Number
        && is!(page.key(at + 2), "/")
        && page.glued(at + 2)
}

/// "un martini", "sa pelle", "sur la lande": small words say that a thing is meant.
pub(crate) fn thing(page: &Page<'_, '_>, at: usize) -> bool {
    let before = |back: usize| if at >= back && page.same_line(at + 1 - back) { page.fold(at - back) } else { "" };
    let place = matches!(before(1), "le" | "la" | "les") && matches!(before(2), "sur" | "dans" | "par");
    let everyday = matches!(before(1), "le" | "la" | "les") && crate::leak::everyday(page.fold(at));
    matches!(before(1), "un" | "une" | "des" | "sa" | "son" | "ses" | "au" | "aux") || place || everyday
}

/// "02/05 9h - Juin.", "03/05 NUIT - LUNDI :": a day or an hour, and who writes.
fn heads_entry(page: &Page<'_, '_>, at: usize) -> bool {
    at > 0
        && page.same_line(at)
        && is!(page.key(at - 1), "-" | "–" | "|" | ":" | "(")
        && (page.line_ends(at + 1) || is!(page.key(at + 1), "." | ":" | "," | "-" | "–" | "|" | ")"))
        && super::slot::timed(page, at)
}

/// A given name that has a line for itself signs.
fn signs_alone(page: &Page<'_, '_>, at: usize) -> bool {
    page.line_start(at) == at && page.line_ends(at + 1) && page.has(at, word::ANY_GIVEN) && !page.has(at, word::COMMON | word::EPONYM)
}
