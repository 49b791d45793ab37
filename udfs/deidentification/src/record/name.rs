//! The names of the record: exact, mistyped, in one word or in two, cut by a line
//! end, shortened, as initials beside the other name.

use std::ops::Range;

use rustc_hash::FxHashMap;
use sillage_clinical::is;
use sillage_clinical::text::{Kind, Text, fold};

use super::{distance, span};
use crate::name::knowledge::{likely_common, role, word};
use crate::name::page::{Page, look};
use crate::name::repeat::{behind_article, stands_for_a_person, thing};
use crate::name::weigh::behind_small_word;
use crate::proper::known::{explained, medical};
use crate::{Label, Person, Span};

/// Words of the record's names.
struct Wanted {
    /// Folded words, particles left out.
    words: Vec<(Box<str>, Label)>,
    exact: FxHashMap<Box<str>, Label>,
    /// Names of several words in one: "legoff", "jeanpierre".
    joined: FxHashMap<Box<str>, Label>,
    /// Family and first name in one word: "legoffmarie".
    glued: FxHashMap<Box<str>, Label>,
    /// First letters of the family names and of the given names.
    letters: Vec<(char, Label)>,
}

const SMALL: &[&str] = &[
    "de", "du", "des", "d", "l", "la", "le", "les", "el", "al", "et", "y", "e", "da", "do", "dos", "di", "ep", "epouse", "nee", "ne",
    "veuve",
];

impl Wanted {
    fn new(person: &Person) -> Wanted {
        let mut wanted = Wanted {
            words: Vec::new(),
            exact: FxHashMap::default(),
            joined: FxHashMap::default(),
            glued: FxHashMap::default(),
            letters: Vec::new(),
        };
        let mut wholes = Vec::new();
        for (names, label) in [(&person.families, Label::Nom), (&person.givens, Label::Prenom)] {
            for name in names {
                let text = Text::new(name);
                let words: Vec<&str> =
                    (0..text.tokens.len()).filter(|i| text.tokens[*i].kind == Kind::Word).map(|i| text.fold(i)).collect();
                let joined = words.concat();
                for (i, part) in words.iter().enumerate() {
                    let whole = words.len() == 1;
                    if part.len() < 2 || !whole && SMALL.contains(part) {
                        continue;
                    }
                    wanted.exact.entry((*part).into()).or_insert(label);
                    if part.len() > 3 {
                        wanted.words.push(((*part).into(), label));
                    }
                    // "Le Goff Morvan" as "legoff": each pair of neighbours.
                    if let Some(next) = words.get(i + 1) {
                        wanted.joined.insert(format!("{part}{next}").into(), label);
                    }
                    if i > 0 {
                        wanted.joined.insert(format!("{}{part}", words[i - 1]).into(), label);
                    }
                }
                if joined.len() > 3 {
                    wanted.joined.insert(joined.as_str().into(), label);
                    if words.len() > 1 {
                        wanted.words.push((joined.as_str().into(), label));
                    }
                }
                if let Some(first) = joined.chars().next()
                    && !wanted.letters.contains(&(first, label))
                {
                    wanted.letters.push((first, label));
                }
                wholes.push((joined, label));
            }
        }
        for (family, _) in wholes.iter().filter(|w| w.1 == Label::Nom) {
            for (given, _) in wholes.iter().filter(|w| w.1 == Label::Prenom) {
                wanted.glued.insert(format!("{family}{given}").into(), Label::Nom);
                wanted.glued.insert(format!("{given}{family}").into(), Label::Nom);
            }
        }
        wanted.words.sort();
        wanted.words.dedup();
        wanted
    }

    fn is_empty(&self) -> bool {
        self.exact.is_empty()
    }
}

/// How well a token fits.
#[derive(Clone, Copy, PartialEq)]
enum Fit {
    Exact,
    Typed,
}

struct Hit {
    tokens: Range<usize>,
    label: Label,
    fit: Fit,
    /// Enough by itself; otherwise it needs a title or another hit beside it.
    sure: bool,
}

pub(super) fn find(page: &Page<'_, '_>, person: &Person, spans: &mut Vec<Span>) {
    let wanted = Wanted::new(person);
    if wanted.is_empty() {
        return;
    }
    let mut hits: Vec<Hit> = Vec::new();
    let mut at = 0;
    while at < page.len() {
        match hit(page, &wanted, at) {
            Some(hit) => {
                at = hit.tokens.end;
                hits.push(hit);
            }
            None => at += 1,
        }
    }
    let supported: Vec<bool> = (0..hits.len())
        .map(|i| {
            let hit = &hits[i];
            hit.sure
                || titled(page, hit.tokens.start)
                || claimed(page, hit)
                || i > 0 && beside(page, hits[i - 1].tokens.end, hit.tokens.start)
                || { hits.get(i + 1).is_some_and(|next| beside(page, hit.tokens.end, next.tokens.start)) }
        })
        .collect();
    let mut last_end = 0;
    for (hit, _) in hits.iter().zip(supported).filter(|(_, supported)| *supported) {
        let before = initial_before(page, &wanted, hit).filter(|r| r.start >= last_end);
        let after = initial_after(page, &wanted, hit);
        let other = if hit.label == Label::Nom { Label::Prenom } else { Label::Nom };
        let tokens = with_particles(page, hit.tokens.clone(), last_end);
        last_end = tokens.end;
        let detector = if hit.label == Label::Nom { "record:family" } else { "record:given" };
        spans.push(span(page, tokens, hit.label, detector, if hit.fit == Fit::Exact { 1.0 } else { 0.9 }));
        for initial in [before, after].into_iter().flatten() {
            last_end = last_end.max(initial.end);
            spans.push(span(page, initial, other, "record:initial", 0.9));
        }
    }
}

fn hit(page: &Page<'_, '_>, wanted: &Wanted, at: usize) -> Option<Hit> {
    let token = &page.text.tokens[at];
    if token.kind != Kind::Word {
        return None;
    }
    let fold = page.fold(at);
    if let Some((end, label)) = in_pieces(page, wanted, at) {
        return Some(Hit { tokens: at..end, label, fit: Fit::Exact, sure: true });
    }
    if let Some(label) = wanted.exact.get(fold) {
        return Some(Hit { tokens: at..at + 1, label: *label, fit: Fit::Exact, sure: exact_is_sure(page, at) });
    }
    if let Some(label) = wanted.joined.get(fold).or_else(|| wanted.glued.get(fold)) {
        return Some(Hit { tokens: at..at + 1, label: *label, fit: Fit::Exact, sure: true });
    }
    if fold.len() < 4 {
        return None;
    }
    // "(mari)" is none of a Marie.
    if !token.capital && explained(fold) {
        return None;
    }
    let bits = page.bits(at);
    let listed = bits & (word::COMMON | word::QUALIFIER | look::CLINICAL | look::CUE) != 0;
    for (name, label) in &wanted.words {
        let shortened = fold.len() >= 4 && fold.len() < name.len() && name.starts_with(fold) && token.capital;
        if shortened && !listed {
            let cut = is!(page.key(at + 1), "." | "…" | "-" | "*") && page.glued(at + 1) && !page.line_ends(at + 2);
            return Some(Hit {
                tokens: at..at + 1,
                label: *label,
                fit: Fit::Typed,
                sure: cut && bits & word::ANY_NAME == 0 && fold.len() > 4,
            });
        }
        let most = match name.len() {
            0..=4 => continue,
            5..=8 => 1,
            _ => 2,
        };
        if distance(fold, name, most).is_some() {
            // Another listed name one letter away is another person: no matter, it is a name.
            let plain = bits & (word::ANY_NAME | look::SEEN_LOWER | word::EPONYM) == 0 && !likely_common(fold) && !explained(fold);
            let sure = token.capital && plain && !listed && (bits & look::OPENS == 0 || bits & look::UPPER != 0 || fold.len() > 6);
            return Some(Hit { tokens: at..at + 1, label: *label, fit: Fit::Typed, sure });
        }
    }
    None
}

/// Whether the very word of the record is the name here.
fn exact_is_sure(page: &Page<'_, '_>, at: usize) -> bool {
    let bits = page.bits(at);
    let fold = page.fold(at);
    if fold.len() < 3 || bits & look::CAPITAL == 0 && thing(page, at) {
        return false;
    }
    let common = bits & (word::AMBIGUOUS | look::CLINICAL | word::ACRONYM | word::QUALIFIER | word::EPONYM_HEAD | look::CUE) != 0
        || likely_common(fold)
        || bits & look::CAPITAL == 0 && bits & (word::GIVEN | word::FAMILY) == 0 && medical(fold);
    if !common && (bits & look::SEEN_LOWER == 0 || bits & (word::GIVEN | word::FAMILY) != 0) {
        return true;
    }
    if bits & look::CAPITAL == 0 {
        return false;
    }
    let thing = medical(fold) && behind_article(page, at);
    if page.stands_out(at) && fold.len() > 2 && bits & word::ACRONYM == 0 && !thing {
        return true;
    }
    (behind_small_word(page, at) || bits & look::OPENS == 0) && stands_for_a_person(page, at) && bits & look::CLINICAL == 0
}

/// The name in pieces: "Le Goff" of "Legoff", "MAR-⏎CHAND", "M A R C H A N D".
fn in_pieces(page: &Page<'_, '_>, wanted: &Wanted, at: usize) -> Option<(usize, Label)> {
    let first = page.fold(at);
    let begins = |s: &str| wanted.joined.keys().any(|k| k.len() > s.len() && k.starts_with(s));
    if !begins(first) {
        return None;
    }
    let letters = page.has(at, look::SINGLE | look::LOWER) && first.len() == 1;
    let mut joined = String::from(first);
    let mut end = at + 1;
    let mut best = None;
    while end < page.len() && end < at + 40 {
        let token = &page.text.tokens[end];
        if token.lines_before > 1 {
            break;
        }
        match token.kind {
            Kind::Mark if is!(page.key(end), "-" | "'" | "." | "_") => {}
            Kind::Word if !letters || page.fold(end).len() == 1 => {
                joined.push_str(page.fold(end));
                if let Some(label) = wanted.joined.get(joined.as_str()) {
                    best = Some((end + 1, *label));
                }
                if !begins(&joined) {
                    break;
                }
            }
            _ => break,
        }
        end += 1;
    }
    // Halves of small letters are words of a sentence, unless nothing else can be meant.
    best.filter(|_| page.has(at, look::CAPITAL | look::SINGLE) || joined.len() > 6)
}

/// A title right before: "Mme Petit", "M. petit".
fn titled(page: &Page<'_, '_>, at: usize) -> bool {
    (1..=3).any(|back| at >= back && page.title(at - back) == Some(at) && page.text.tokens[at].lines_before < 2)
}

/// A heading, a relative, a title with a given name before the family name, or "née" behind
/// it: "PATIENT : PETIT (NEE ROUX) ROSE", "MME ODILE PETIT", "fils PETIT".
fn claimed(page: &Page<'_, '_>, hit: &Hit) -> bool {
    let (at, end) = (hit.tokens.start, hit.tokens.end);
    if hit.label != Label::Nom || hit.fit != Fit::Exact || !page.has(at, look::CAPITAL) {
        return false;
    }
    let cued = |i: usize, roles: u32| page.cues[i].is_some_and(|c| c.roles & roles != 0);
    let close = |back: usize| at >= back && (at - back + 1..=at).all(|i| page.same_line(i));
    let heads = role::PERSON_HEAD | role::FAMILY_HEAD;
    let headed = close(2) && is!(page.key(at - 1), ":" | "=" | "|") && (2..5).any(|back| close(back) && cued(at - back, heads));
    let called = close(2) && page.title(at - 2) == Some(at - 1) && page.has(at - 1, look::CAPITAL);
    let of_kin = close(1) && cued(at - 1, role::KIN) && page.has(at, look::UPPER);
    let born = page.same_line(end) && {
        let next = end + usize::from(is!(page.key(end), "("));
        is!(page.key(next), "nee" | "ep" | "epouse" | "epse" | "veuve" | "vve") && page.same_line(next)
    };
    headed || called || of_kin || born
}

/// Two hits side by side: nothing but a mark, an initial or a small word between.
fn beside(page: &Page<'_, '_>, end: usize, start: usize) -> bool {
    start - end <= 3
        && page.text.tokens.get(start).is_some_and(|t| t.lines_before < 2)
        && (end..start).all(|i| {
            is!(page.key(i), "-" | "," | "(" | ")" | "'" | "/" | "." | "_" | "|" | ";" | "nee" | "ep" | "epouse")
                || page.has(i, look::SINGLE | word::PARTICLE)
        })
}

/// Takes in the particle before a family name: "LE GOFF", "d'Aubigny".
fn with_particles(page: &Page<'_, '_>, tokens: Range<usize>, floor: usize) -> Range<usize> {
    let mut start = tokens.start;
    while start > floor && tokens.start - start < 4 && page.same_line(start) {
        let before = start - 1;
        let joins = is!(page.key(before), "'")
            || page.has(before, word::PARTICLE) && page.has(before, look::CAPITAL | look::SINGLE) && !page.has(before, word::ANY_NAME);
        if !joins {
            break;
        }
        start = before;
    }
    // "l'Rozenn": the apostrophe belongs to nobody.
    if is!(page.key(start), "'") || page.has(start, look::LOWER) && page.fold(start).len() < 2 {
        start = tokens.start;
    }
    start..tokens.end
}

/// "Y. CORDIER", "J.-P. Martin", "Y CORDIER".
fn initial_before(page: &Page<'_, '_>, wanted: &Wanted, hit: &Hit) -> Option<Range<usize>> {
    let mut at = hit.tokens.start;
    while at > 0 && (page.has(at - 1, word::PARTICLE) && !page.has(at - 1, look::SINGLE) || is!(page.key(at - 1), "'")) {
        at -= 1;
    }
    let end = at;
    while at > 0 && page.same_line(at) && end - at < 6 && (page.has(at - 1, look::SINGLE) || is!(page.key(at - 1), "." | "-")) {
        at -= 1;
    }
    while at < end && !page.has(at, look::SINGLE) {
        at += 1;
    }
    // "M. PETIT", whatever the given name begins with.
    let title = is!(page.key(at), "m") && end == at + 2 && page.title(at) == Some(end);
    (at < end && !title && fits(wanted, page.fold(at), hit.label)).then_some(at..end)
}

/// "CORDIER Y.", "Josette M."
fn initial_after(page: &Page<'_, '_>, wanted: &Wanted, hit: &Hit) -> Option<Range<usize>> {
    let at = hit.tokens.end;
    if !page.same_line(at) || !page.has(at, look::SINGLE) || !fits(wanted, page.fold(at), hit.label) {
        return None;
    }
    let mut end = at + 1;
    while end < at + 5 && page.same_line(end) && page.glued(end) && (page.has(end, look::SINGLE) || is!(page.key(end), "." | "-")) {
        end += 1;
    }
    Some(at..end)
}

fn fits(wanted: &Wanted, letter: &str, label: Label) -> bool {
    wanted.letters.iter().any(|(l, of)| *of != label && letter.starts_with(*l))
}

/// Folded key of a name, spaces and marks left out.
pub(super) fn key(name: &str) -> String {
    fold(name).chars().filter(|c| c.is_alphanumeric()).collect()
}
