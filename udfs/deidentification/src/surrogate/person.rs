//! Names of people: given and family names, initials, their case and particles.

use sillage_clinical::text::fold;

use super::Surrogates;
use super::draw::Draw;
use super::{SurrogateContext, like};
use crate::Label;

/// Words of a span of names that are no name.
const PARTICLES: &[&str] = &[
    "le", "la", "les", "l", "du", "de", "des", "d", "o", "n", "van", "von", "der", "den", "el", "al", "ben", "bel", "ould", "mac", "mc",
    "et", "ou", "dr", "pr", "mme", "mlle", "mr", "m", "st", "ste", "saint", "sainte", "dos", "da", "di", "del", "della", "ait", "bou",
    "abou", "ep", "epouse", "nee", "ne",
];

/// A run of letters of a span, and what stands behind it.
struct Part<'a> {
    start: usize,
    end: usize,
    text: &'a str,
    dotted: bool,
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let letter = c.is_alphabetic() || unicode_mark(c);
        match (letter, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                parts.push(Part { start: from, end: at, text: &text[from..at], dotted: c == '.' });
                start = None;
            }
            _ => {}
        }
    }
    parts
}

/// Combining accents belong to the letter before.
fn unicode_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// The surrogate of a span of names.
pub(super) fn names(lists: &Surrogates, context: &SurrogateContext<'_>, label: Label, text: &str) -> String {
    let parts = parts(text);
    let particle = |p: &Part<'_>| PARTICLES.contains(&fold(p.text).as_str());
    let only_particles = parts.iter().all(particle);
    let names = parts.iter().filter(|p| only_particles || !particle(p)).count();
    let mut out = String::with_capacity(text.len() + 8);
    let mut at = 0;
    for (index, part) in parts.iter().enumerate() {
        out.push_str(&text[at..part.start]);
        at = part.end;
        let letters = part.text.chars().count();
        let initial = letters == 1 && !text[part.end..].starts_with(['\'', '’']);
        if initial || part.dotted && letters <= 2 || monogram(label, text, part.text) {
            for letter in part.text.chars() {
                out.push(initial_of(lists, context, label, letter));
            }
        } else if !only_particles && particle(part) {
            out.push_str(part.text);
        } else {
            let first_of_many = index == 0 && names > 1;
            out.push_str(&like(part.text, &name(lists, context, label, part.text, first_of_many)));
        }
    }
    out.push_str(&text[at..]);
    out
}

/// Two or three capitals that stand for a whole name: `PJ`, `MCD`.
fn monogram(label: Label, text: &str, part: &str) -> bool {
    let capitals = part.chars().all(char::is_uppercase) && part.chars().count() <= 3;
    let vowel = part.chars().any(|c| "AEIOUY".contains(c));
    label == Label::Nom && capitals && (!vowel || part.chars().count() == 2) && text.trim_matches(|c: char| !c.is_alphabetic()) == part
}

/// Which list a name comes from and the form that its spellings share.
fn name(lists: &Surrogates, context: &SurrogateContext<'_>, label: Label, written: &str, first_of_many: bool) -> String {
    let folded = fold(written);
    let person = context.person;
    let near = |names: &[String]| names.iter().flat_map(|n| words(n)).find(|n| close(n, &folded));
    let (given, family) = (person.and_then(|p| near(&p.givens)), person.and_then(|p| near(&p.families)));
    let female = person.and_then(|p| p.female);
    match (given, family) {
        (Some(own), None) => return given_name(lists, context, &own, female),
        (None, Some(own)) => return family_name(lists, context, &own),
        (Some(own), Some(_)) if label == Label::Prenom => return given_name(lists, context, &own, female),
        (Some(_), Some(own)) => return family_name(lists, context, &own),
        _ => {}
    }
    // "Gwenola KERVELLA" under one label: the first is the given name.
    let is_given = label == Label::Prenom || first_of_many && lists.gender(&folded).is_some();
    if is_given { given_name(lists, context, &folded, None) } else { family_name(lists, context, &folded) }
}

fn given_name(lists: &Surrogates, context: &SurrogateContext<'_>, folded: &str, female: Option<bool>) -> String {
    let female = female.or_else(|| lists.gender(folded)).unwrap_or_else(|| sounds_female(folded));
    let list = if female { &lists.female } else { &lists.male };
    pick(list, context, "prenom", folded)
}

fn family_name(lists: &Surrogates, context: &SurrogateContext<'_>, folded: &str) -> String {
    pick(&lists.families, context, "nom", folded)
}

/// One of a list: never the name itself, its initial, or a name known of the patient.
fn pick(list: &[Box<str>], context: &SurrogateContext<'_>, kind: &str, folded: &str) -> String {
    let mut draw = Draw::new(context.key, context.patient, kind, &skeleton(folded));
    let initial = folded.chars().next();
    let mut last = String::new();
    for _ in 0..64 {
        let Some(found) = draw.of(list) else { break };
        let word = fold(found);
        found.clone_into(&mut last);
        if word.chars().next() != initial && !context.holds_known(found) && !context.known_word(&word) {
            break;
        }
    }
    last
}

/// The initial of the name that a letter stands for.
fn initial_of(lists: &Surrogates, context: &SurrogateContext<'_>, label: Label, letter: char) -> char {
    let folded = fold(letter.encode_utf8(&mut [0; 4]));
    let starts = |name: &str| fold(name).starts_with(folded.as_str());
    let own = |names: &'_ [String]| names.iter().flat_map(|n| words(n)).find(|n| starts(n));
    let other = context.known.iter().find(|(l, n)| *l == label && starts(n) && n.chars().count() > 2 && !initials(n)).map(|(_, n)| fold(n));
    let person = context.person;
    let surrogate = match label {
        Label::Prenom => match person.and_then(|p| own(&p.givens)) {
            Some(own) => Some(given_name(lists, context, &own, person.and_then(|p| p.female))),
            None => other.and_then(|o| words(&o).next()).map(|o| given_name(lists, context, &o, None)),
        },
        _ => person.and_then(|p| own(&p.families)).or(other.and_then(|o| words(&o).next())).map(|o| family_name(lists, context, &o)),
    };
    let drawn = surrogate.and_then(|s| fold(&s).chars().next()).unwrap_or_else(|| {
        let mut draw = Draw::new(context.key, context.patient, "initiale", &folded);
        (0..16).map(|_| draw.letter()).find(|l| !folded.starts_with(l.to_ascii_lowercase())).unwrap_or('X')
    });
    if letter.is_uppercase() { drawn.to_ascii_uppercase() } else { drawn.to_ascii_lowercase() }
}

/// The names of a name, particles left out.
fn words(name: &str) -> impl Iterator<Item = String> {
    let folded = fold(name);
    let words: Vec<String> =
        folded.split(|c: char| !c.is_alphabetic()).filter(|w| w.len() > 1 && !PARTICLES.contains(w)).map(str::to_owned).collect();
    words.into_iter()
}

/// The same name with a slip of the pen.
fn close(name: &str, written: &str) -> bool {
    if name == written || skeleton(name) == skeleton(written) {
        return true;
    }
    let length = name.chars().count();
    let allowed = match length {
        0..5 => 0,
        5..8 => 1,
        _ => 2,
    };
    allowed > 0 && name.len().abs_diff(written.len()) <= allowed && within(name.as_bytes(), written.as_bytes(), allowed)
}

/// Whether one word becomes the other by at most so many changes.
fn within(a: &[u8], b: &[u8], allowed: usize) -> bool {
    match (a, b) {
        (rest, []) | ([], rest) => rest.len() <= allowed,
        ([x, a @ ..], [y, b @ ..]) if x == y => within(a, b, allowed),
        ([_, c @ ..], [_, d @ ..]) => {
            allowed > 0
                && (within(c, d, allowed - 1)
                    || within(c, b, allowed - 1)
                    || within(a, d, allowed - 1)
                    || (a.len() > 1 && b.len() > 1 && a[0] == b[1] && a[1] == b[0] && within(&a[2..], &b[2..], allowed - 1)))
        }
    }
}

/// What the spellings of a French name have in common: `Marchand`, `MARCHANT`.
pub(super) fn skeleton(folded: &str) -> String {
    let mut out = String::with_capacity(folded.len());
    let mut chars = folded.chars().filter(|c| c.is_alphanumeric()).peekable();
    while let Some(c) = chars.next() {
        let c = match c {
            'p' if chars.peek() == Some(&'h') => 'f',
            'h' => continue,
            'y' => 'i',
            'k' | 'q' | 'c' => 'k',
            'z' => 's',
            'w' => 'v',
            other => other,
        };
        if !out.ends_with(c) {
            out.push(c);
        }
    }
    while out.len() > 3 && out.ends_with(['t', 'd', 's', 'x', 'p', 'e']) {
        out.pop();
    }
    out.replace("eau", "o").replace("au", "o")
}

fn sounds_female(folded: &str) -> bool {
    folded.ends_with('a') || folded.ends_with('e') && !["re", "ge", "ce", "pe", "me", "he"].iter().any(|end| folded.ends_with(end))
}

/// Two or three capitals: how somebody signs.
fn initials(name: &str) -> bool {
    name.len() < 4 && name.bytes().all(|b| b.is_ascii_uppercase())
}
