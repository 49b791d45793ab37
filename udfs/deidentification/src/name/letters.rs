//! Initials by their form: "K.R." with its dots, and two or three capitals where the
//! page says whose they are: behind the name they shorten, in the last cell of a row of
//! transmissions, in "(KD/pv)", between two who hand over.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};
use sillage_clinical::is;
use sillage_clinical::text::{Kind, fold};

use super::Found;
use super::knowledge::{role, word};
use super::lead;
use super::page::{Page, look};
use crate::calendar::short_month;
use crate::proper::known::{abbreviation, explained, heading};
use crate::{Circumstances, Label};

const DETECTOR: &str = "context:slot-signature";

/// Two letters with dots that are never somebody's.
const THINGS: &[&str] = &[
    "ch", "iv", "im", "sc", "po", "ta", "fc", "fr", "pa", "bp", "rv", "eg", "ie", "ei", "sa", "us", "uk", "eu", "cp", "cs", "am", "tp",
    "ir", "td", "te", "hb", "ht", "vo", "ps", "nb", "cr", "ad", "ni", "nf", "qs", "ui", "ap", "ut", "hp", "xi", "ii", "vi", "ix",
];
/// Two letters with dots that are somebody's only where a person is meant.
const RARELY_PEOPLE: &[&str] = &[
    "fa", "ic", "ia", "ep", "hr", "ag", "al", "tv", "vg", "vd", "od", "og", "oi", "ai", "rm", "er", "pc", "ci", "eh", "ac", "ct", "pt",
    "pl", "dm", "ds", "fe", "fv", "mv", "rs", "rx", "tt", "tg", "tm", "tn", "vs", "vt", "ra", "sp", "st", "ms", "mi", "bh", "gb", "gr",
    "hd", "kt", "co",
];

/// Finds initials with dots.
pub(crate) fn dotted(page: &Page<'_, '_>, found: &mut Found) {
    let mut at = 0;
    while at < page.len() {
        at = match letters(page, at).filter(|_| !found.covers(at)) {
            Some((end, joined)) => {
                if !(at..end).any(|i| found.covers(i)) && somebody(page, found, at, end, &joined) {
                    found.push(page, at..end, Label::Nom, DETECTOR, 20);
                }
                end
            }
            None => at + 1,
        };
    }
}

/// "K.R.", "J.-P.L.", "M.-F. D.": the token behind and the letters in small.
fn letters(page: &Page<'_, '_>, at: usize) -> Option<(usize, String)> {
    let single = |i: usize| page.has(i, look::SINGLE) && page.text.source(i..i + 1).is_ascii();
    if !single(at) {
        return None;
    }
    let held = at > 0 && page.glued(at) && !is!(page.key(at - 1), "(" | "[" | "/" | ":" | "," | "|" | "=" | ">" | "+" | "'");
    if held {
        return None;
    }
    let mut joined = page.fold(at).to_owned();
    let (mut next, mut end) = (at + 1, at + 1);
    let mut dash = false;
    // "Patiente D. Y. 78 ans", "garde (K. D.)"
    let patient = at > 0
        && page.same_line(at)
        && (is!(page.key(at - 1), "(") && is!(page.key(at + 4), ")")
            || page.cues[at - 1].is_some_and(|c| c.end == at && c.roles & role::PERSON_HEAD != 0)
            || is!(page.key(at - 1), "madame" | "monsieur"));
    while joined.len() < 5 && is!(page.key(next), ".") && page.glued(next) {
        end = next + 1;
        let hyphen = usize::from(is!(page.key(end), "-") && page.glued(end));
        let letter = end + hyphen;
        dash |= hyphen > 0;
        if !(single(letter)
            && page.same_line(letter)
            && (page.glued(letter) || (dash && hyphen == 0 || patient) && is!(page.key(letter + 1), ".")))
        {
            break;
        }
        joined += page.fold(letter);
        next = letter + 1;
        end = next;
    }
    (joined.len() > 1).then_some((end, joined))
}

fn somebody(page: &Page<'_, '_>, found: &Found, at: usize, end: usize, joined: &str) -> bool {
    // "J.P. Kerdonval", "C.H. de Brouzac"
    let glued_word = page.glued(end) && page.has(end, look::CAPITAL | look::LOWER | look::SINGLE);
    let number = page.glued(end) && page.text.tokens.get(end).is_some_and(|t| t.kind == Kind::Number);
    let measured = page.same_line(end)
        && (is!(page.key(end), "=" | "%") || page.text.tokens[end].kind == Kind::Number)
        && !clock(page, end)
        && !is!(page.key(end + 1), "ans" | "a");
    // "-2 D.S."
    let counted = at > 0 && page.same_line(at) && page.text.tokens[at - 1].kind == Kind::Number && RARELY_PEOPLE.contains(&joined);
    if glued_word || number || counted {
        return false;
    }
    let listed = at > 1 && is!(page.key(at - 1), "et" | "+" | "/" | "&" | ",") && found.covers(at - 2);
    let whose =
        listed || person_before(page, at) || is!(page.key(at.wrapping_sub(1)), "(") && at > 0 && is!(page.key(end), ")") && !measured;
    match joined.len() {
        2 if THINGS.contains(&joined) => false,
        2 if whose => !measured || !RARELY_PEOPLE.contains(&joined),
        2 => !measured && !RARELY_PEOPLE.contains(&joined),
        _ => {
            let dash = (at..end).any(|i| is!(page.key(i), "-"));
            let known = abbreviation(joined) || heading(joined) || page.names.word(joined) & word::ACRONYM != 0;
            (dash || whose && joined.len() == 3) && !known && !measured
        }
    }
}

/// "14h20", "9 h", "10:15"
fn clock(page: &Page<'_, '_>, at: usize) -> bool {
    page.fold(at).contains('h') || is!(page.key(at + 1), "h" | ":") || is!(page.key(at + 1), "/") && page.glued(at + 1)
}

/// The word before asks for a person.
fn person_before(page: &Page<'_, '_>, at: usize) -> bool {
    let mut p = at;
    while p > 0 && is!(page.key(p - 1), ":" | "." | "(" | "/") && page.same_line(p) && at - p < 2 {
        p -= 1;
    }
    let Some(before) = p.checked_sub(1).filter(|_| page.same_line(p)) else { return false };
    let cue = (0..4).any(|back| {
        before >= back
            && page.cues[before - back].is_some_and(|c| {
                c.end == before + 1
                    && c.roles & (role::FUNCTION | role::TITLE | role::TYPIST | role::AGENT | role::KIN | role::PERSON_HEAD) != 0
            })
    });
    cue || is!(
        page.key(before),
        "avec" | "par" | "selon" | "vu" | "vue" | "avis" | "appel" | "prev" | "prevenu" | "prevenue" | "relu" | "accord" | "dem"
    )
}

/// Letters of a writer: two or three capitals, no vital sign, nothing every note says.
fn writer(page: &Page<'_, '_>, at: usize) -> bool {
    let source = page.text.source(at..at + 1);
    page.has(at, look::UPPER)
        && (2..=3).contains(&source.len())
        && source.bytes().all(|b| b.is_ascii_uppercase())
        && !is!(
            page.key(at),
            "ok" | "ras"
                | "nd"
                | "nc"
                | "iv"
                | "ivd"
                | "ivl"
                | "po"
                | "sc"
                | "im"
                | "si"
                | "oui"
                | "non"
                | "ta"
                | "fc"
                | "fr"
                | "sng"
                | "vvp"
                | "bu"
                | "hgt"
                | "idem"
                | "ide"
                | "as"
                | "ash"
                | "iao"
                | "uhcd"
                | "usi"
                | "unv"
                | "irm"
                | "tdm"
                | "sau"
                | "rea"
                | "avc"
                | "ait"
                | "hta"
                | "fa"
                | "dxt"
                | "eva"
                | "gcs"
        )
        && (source.len() == 2 || !page.has(at, word::ACRONYM | word::COMMON | look::CLINICAL) && !abbreviation(page.fold(at)))
}

/// Finds initials without dots that their place gives away.
pub(crate) fn placed(page: &Page<'_, '_>, found: &mut Found) {
    for at in 0..page.len() {
        if found.covers(at) {
            continue;
        }
        if page.mark(at) {
            around_mark(page, at, found);
        } else if page.leads_on(at) || page.has(at, look::UPPER | look::SINGLE) {
            placed_word(page, at, found);
        }
    }
    closing_entries(page, found);
    closing_names(page, found);
}

fn around_mark(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if is!(page.key(at), "(" | "[") {
        bracketed(page, at, found);
    }
    if is!(page.key(at), "|") {
        last_cell(page, at, found);
    }
    titled_letter(page, at, found);
    if is!(page.key(at), "^") && at > 0 {
        caret(page, at, found);
    }
}

fn placed_word(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    last_column(page, at, found);
    titled_letter(page, at, found);
    hand_over(page, at, found);
    signed_by_a_month(page, at, found);
    listed_inverted(page, at, found);
}

/// "N. Noël", "P. Avril" as a line of their own: a letter before a feast or a month.
fn signed_by_a_month(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let name = at + 2;
    let letter = page.has(at, look::SINGLE) && page.line_start(at) == at && is!(page.key(at + 1), ".") && page.glued(at + 1);
    if !letter || !page.same_line(name) || !page.line_ends(name + 1) || !page.has(name, look::CAPITAL) {
        return;
    }
    if found.covers(name)
        || is!(page.key(name), "noel" | "toussaint" | "pascal")
        || short_month(page.fold(name))
        || page.has(name, word::ELSEWHERE)
    {
        found.push(page, at..name, Label::Prenom, DETECTOR, 24);
        found.push(page, name..name + 1, Label::Nom, DETECTOR, 24);
    }
}

/// "GUERIN A., BONNET C.": a name that is also a word, written as the one before it.
fn listed_inverted(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let form = |i: usize| {
        page.has(i, look::UPPER)
            && page.fold(i).len() > 2
            && page.has(i + 1, look::SINGLE)
            && is!(page.key(i + 2), ".")
            && page.glued(i + 2)
    };
    if !form(at) {
        return;
    }
    let listed =
        at > 3 && page.same_line(at) && is!(page.key(at - 1), "," | ";") && form(at - 4) && found.covers(at - 4) && found.covers(at - 3);
    let goes_on = page.line_ends(at + 3) || is!(page.key(at + 3), "," | ";" | ")" | "(" | "." | "-");
    if listed && goes_on && page.same_line(at + 1) && !page.has(at, look::CLINICAL | word::ACRONYM) {
        found.push(page, at..at + 1, Label::Nom, "context:list", 24);
        found.push(page, at + 1..at + 3, Label::Prenom, "context:list", 24);
    }
}

/// "14h20 : dort. QM": who wrote an entry, behind its last sentence.
fn closing_entries(page: &Page<'_, '_>, found: &mut Found) {
    let closes = |at: usize| {
        if !page.has(at, look::UPPER) || !page.line_ends(at + 1) {
            return false;
        }
        let clock = |i: usize| page.fold(i).contains('h') && page.text.tokens[i].kind == Kind::Number;
        let start = page.line_start(at);
        let head = start + usize::from(crate::calendar::weekday(page.fold(start)) || page.fold(start).len() == 2);
        at > start + 3
            && page.text.tokens[head].kind == Kind::Number
            && (is!(page.key(at - 1), "." | "!" | ")") || clock(at - 1))
            && !page.glued(at)
            && page.text.source(at..at + 1).len() == 2
            && writer(page, at)
    };
    let ends: Vec<usize> = (0..page.len()).filter(|at| !found.covers(*at) && closes(*at)).collect();
    for &at in &ends {
        // What is often a thing is a person's where it closes two entries.
        let again = ends.iter().any(|i| *i != at && page.fold(*i) == page.fold(at));
        if again || !heading(page.fold(at)) && !THINGS.contains(&page.fold(at)) && !RARELY_PEOPLE.contains(&page.fold(at)) {
            found.push(page, at..at + 1, Label::Nom, DETECTOR, 20);
        }
    }
}

/// "… dort. Le Bihan⏎19/03 14h …": one or two words with a capital behind the last sentence
/// of several entries, before the figures of the next one.
fn closing_names(page: &Page<'_, '_>, found: &mut Found) {
    let entry = |at: usize| page.text.tokens.get(at).is_none_or(|t| t.lines_before > 0 && t.kind == Kind::Number);
    let capital = |at: usize| page.text.tokens[at].capital && page.text.tokens[at].kind == Kind::Word && page.same_line(at);
    let stop = |at: usize| is!(page.key(at), "." | "!" | ")");
    let tail = |at: usize| {
        if !entry(at + 1) {
            return None;
        }
        let first = if at > 2 && stop(at - 1) { at } else { at.checked_sub(1).filter(|first| *first > 1 && stop(first - 1))? };
        let named = (first..=at).all(|i| capital(i) && !page.glued(i) && !page.has(i, look::CLINICAL) && !found.covers(i));
        let word = first == at
            && (page.has(at, word::COMMON | word::QUALIFIER | word::ACRONYM) || heading(page.fold(at)) || THINGS.contains(&page.fold(at)));
        (named && !word).then_some(first..at + 1)
    };
    let tails: Vec<_> = (0..page.len()).filter_map(tail).collect();
    let folded = |tail: &Range<usize>| tail.clone().map(|i| page.fold(i)).collect::<Vec<_>>();
    let mut times: FxHashMap<Vec<&str>, usize> = FxHashMap::default();
    for tail in &tails {
        *times.entry(folded(tail)).or_default() += 1;
    }
    for signed in tails.iter().filter(|tail| times[&folded(tail)] > 1) {
        found.push(page, signed.clone(), Label::Nom, DETECTOR, 20);
    }
}

/// "KERDONVAL^GWLADYS": a name as pictures carry it.
fn caret(page: &Page<'_, '_>, mark: usize, found: &mut Found) {
    let letters = |i: usize| page.has(i, look::CAPITAL);
    let held = page.glued(mark) && page.glued(mark + 1) && letters(mark - 1) && letters(mark + 1);
    let named = (mark - 1..mark + 2).any(|i| page.has(i, word::ANY_NAME))
        || (2..6).any(|back| mark >= back && is!(page.key(mark - back), "name" | "pn" | "nom" | "patient" | "patient_name" | "physician"));
    if held && named {
        found.push(page, mark - 1..mark, Label::Nom, "context:header", 24);
        found.push(page, mark + 1..mark + 2, Label::Prenom, "context:header", 24);
    }
}

/// "Dr Gwladys KERDONVAL (GK)", "validé (KD/pv)".
fn bracketed(page: &Page<'_, '_>, open: usize, found: &mut Found) {
    let first = open + 1;
    let source = |i: usize| page.text.source(i..i + 1);
    let plain = |i: usize| page.same_line(i) && source(i).bytes().all(|b| b.is_ascii_alphabetic());
    if !page.text.tokens.get(first).is_some_and(|t| t.kind == Kind::Word) || !plain(first) {
        return;
    }
    let close = |i: usize| is!(page.key(i), ")" | "]");
    if close(first + 1) && matches!(source(first).len(), 2..=4) && page.has(first, look::UPPER) {
        // The letters of the name that ends before the bracket.
        let mut initials: FxHashSet<u8> = FxHashSet::default();
        let mut i = open;
        while i > 0 && open - i < 9 && (found.covers(i - 1) || is!(page.key(i - 1), "-" | "." | "'")) {
            i -= 1;
            initials.extend(page.fold(i).bytes().next().filter(u8::is_ascii_lowercase));
        }
        let fold = page.fold(first);
        let letters: FxHashSet<u8> = fold.bytes().collect();
        if !found.covers(first) && initials.len() > 1 && letters.len() > 1 && letters.iter().all(|b| initials.contains(b)) {
            found.push(page, first..first + 1, Label::Nom, DETECTOR, 20);
        }
        return;
    }
    let second = first + 2;
    if is!(page.key(first + 1), "/")
        && page.glued(first + 1)
        && page.glued(second)
        && close(second + 1)
        && page.text.tokens[second].kind == Kind::Word
        && plain(second)
        && matches!(source(first).len(), 2..=4)
        && matches!(source(second).len(), 2..=3)
        && page.has(first, look::UPPER)
    {
        let small = page.has(second, look::LOWER);
        let unit = is!(page.key(second), "ml" | "dl" | "min" | "kg" | "mg" | "mm" | "mn" | "an" | "km" | "jr");
        let known = |i: usize| super::slot::vital(page, i) || page.has(i, look::CLINICAL);
        if small && !unit && !known(first) {
            found.push(page, first..first + 1, Label::Nom, DETECTOR, 20);
            found.push(page, second..second + 1, Label::Nom, DETECTOR, 20);
        }
    }
}

/// "08/11 05:50 | change | peau saine | QR": who wrote the row.
fn last_cell(page: &Page<'_, '_>, bar: usize, found: &mut Found) {
    let at = bar + 1;
    let start = page.line_start(bar);
    // "| 08/11 | change | QR |": the bars at both ends of a row.
    let start = start + usize::from(is!(page.key(start), "|") && start < bar);
    let last = |i: usize| page.line_ends(i) || is!(page.key(i), "|") && page.same_line(i) && page.line_ends(i + 1);
    let row = page.text.tokens[start].kind == Kind::Number && (start..bar).filter(|i| is!(page.key(*i), "|")).count() > 0;
    // A cell of figures is a measure; so is what a cell before names.
    let table = (start..bar).filter(|i| is!(page.key(*i), "|")).count() > 0 && page.text.tokens[bar - 1].kind == Kind::Number;
    if row && page.same_line(at) && last(at + 1) && writer(page, at) && (!table || page.fold(at).len() == 2) {
        found.push(page, at..at + 1, Label::Nom, DETECTOR, 20);
        return;
    }
    // "| Momo K."
    let initial = page.has(at + 1, look::SINGLE) && page.same_line(at + 1);
    let end = at + 1 + usize::from(initial) + usize::from(initial && is!(page.key(at + 2), "."));
    let word = page.has(at, look::CAPITAL) && !page.has(at, look::UPPER | look::CLINICAL | word::COMMON | look::SEEN_LOWER);
    if row && page.same_line(at) && last(end) && word && !found.covers(at) && !explained(page.fold(at)) && page.fold(at).len() > 2 {
        found.push(page, at..at + 1, Label::Prenom, DETECTOR, 20);
        if initial {
            found.push(page, at + 1..end, Label::Nom, DETECTOR, 20);
        }
    }
}

/// "08h00   toilette   QR": the last column of a row that a time opens.
fn last_column(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if at < 2
        || !page.has(at, look::UPPER)
        || !page.line_ends(at + 1)
        || !page.same_line(at)
        || !writer(page, at)
        || abbreviation(page.fold(at))
    {
        return;
    }
    let gap = &page.text.original[page.text.tokens[at - 1].end as usize..page.text.tokens[at].start as usize];
    let start = page.line_start(at);
    let word = (start..at).any(|i| page.has(i, look::LOWER) && page.fold(i).len() > 2);
    if (gap.len() > 1 || gap.contains('\t')) && page.text.tokens[start].kind == Kind::Number && word {
        found.push(page, at..at + 1, Label::Nom, DETECTOR, 20);
    }
}

/// "M. JOLY" of a Mathilde Joly who writes or is named here is no "Monsieur"; of the patient's
/// family it is.
pub(crate) fn given_m(page: &Page<'_, '_>, circumstances: Circumstances<'_>, found: &mut Found) {
    found.sort();
    let mut called: FxHashSet<String> = FxHashSet::default();
    for name in circumstances.staff {
        let words: Vec<String> = name.split_whitespace().map(fold).collect();
        if let Some((family, given)) = words.split_last()
            && given.iter().any(|w| w.starts_with('m') && w.len() > 3 && page.names.word(w) & word::ANY_NAME != 0)
        {
            called.insert(family.clone());
        }
    }
    let named: Vec<_> = found.names().collect();
    for pair in named.windows(2) {
        let (given, family) = if pair[0].1 == Label::Prenom { (&pair[0].0, &pair[1].0) } else { (&pair[1].0, &pair[0].0) };
        let beside = pair[0].0.end == pair[1].0.start && pair[0].1 != pair[1].1;
        // Mme Maëlle Joly's husband is a Monsieur.
        let first = pair[0].0.start;
        let wife = (1..3).any(|back| first >= back && is!(page.key(first - back), "mme" | "madame" | "mlle"));
        if beside && !wife && page.fold(given.start).starts_with('m') && page.fold(given.start).len() > 2 && family.len() == 1 {
            called.insert(page.fold(family.start).to_owned());
        }
    }
    let patients = circumstances.person.iter().flat_map(|p| &p.families).flat_map(|f| f.split_whitespace());
    for family in patients {
        called.remove(&fold(family));
    }
    let givens: FxHashSet<usize> = named.iter().filter(|n| n.1 == Label::Prenom).map(|n| n.0.start).collect();
    for (tokens, label, _) in named {
        // "M. JOLY Marc" is told by itself.
        if givens.contains(&tokens.end) {
            continue;
        }
        let at = tokens.start.wrapping_sub(2);
        let m =
            label == Label::Nom && tokens.start > 1 && is!(page.key(at), "m") && page.has(at, look::SINGLE) && is!(page.key(at + 1), ".");
        if m && page.same_line(tokens.start) && called.contains(page.fold(tokens.start)) {
            found.push(page, at..at + 2, Label::Prenom, "repeat", 20);
        }
    }
}

/// "Dr K prévenu", "Mr T, 65 ans": one letter without its dot.
fn titled_letter(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let Some(end) = page.title(at).filter(|end| page.same_line(*end) && page.has(*end, look::SINGLE) && !page.glued(*end)) else { return };
    let letter = page.text.source(end..end + 1);
    let next = end + 1;
    let closed = page.line_ends(next) || page.has(next, look::LOWER) || is!(page.key(next), "," | "." | "(" | ")" | ";" | ":" | "/");
    let vowel = matches!(letter, "A" | "Y" | "O") && page.has(next, look::LOWER);
    if letter.is_ascii() && closed && !vowel && !found.covers(end) && !page.has(at, look::IN_CAPITALS) {
        found.push(page, end..next, Label::Nom, "context:title", 24);
    }
}

/// "Transmission QM -> VD", "Relève QM/VD", "IDE QM / AS VD".
fn hand_over(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    let upper = page.has(at, look::UPPER);
    let relay = page.leads(at, lead::RELAY);
    if !relay && !upper || !page.has(at, look::CAPITAL | look::LOWER) || !(at + 1..at + 5).any(|i| page.has(i, look::UPPER)) {
        return;
    }
    let fold = page.fold(at);
    let function =
        upper && page.cues[at].is_some_and(|c| c.end == at + 1 && c.roles & role::FUNCTION != 0) && !matches!(fold, "ph" | "mar" | "ext");
    if !(relay || function) {
        return;
    }
    let mut who = at + 1;
    while is!(page.key(who), "." | ":" | "ide" | "as" | "nuit" | "jour" | "matin" | "soir" | "am" | "apm" | "midi")
        && page.same_line(who)
        && who < at + 4
    {
        who += 1;
    }
    if !page.same_line(who) || !writer(page, who) {
        return;
    }
    let arrow = |i: usize| is!(page.key(i), "-" | ">" | "→" | "/" | "=" | "vers" | "a" | "et" | "+");
    let mut next = who + 1;
    while arrow(next) && page.same_line(next) && next < who + 4 {
        next += 1;
    }
    let linked = next > who + 1;
    // "IDE QM / AS VD"
    let trade = page.cues.get(next).copied().flatten().filter(|c| c.roles & role::FUNCTION != 0 && c.end == next + 1);
    let other = if trade.is_some() { next + 1 } else { next };
    let pair = linked && page.same_line(other) && writer(page, other) && !found.covers(other);
    let known = abbreviation(page.fold(who)) && !pair && !linked;
    let shift = function && who > at + 1 && (page.line_ends(who + 1) || is!(page.key(who + 1), ";" | "," | "." | ")" | "/" | "|"));
    if shift && !linked {
        found.push(page, who..who + 1, Label::Nom, DETECTOR, 20);
        return;
    }
    if known || !(relay && linked || function && pair && trade.is_some()) {
        return;
    }
    found.push(page, who..who + 1, Label::Nom, DETECTOR, 20);
    if pair {
        found.push(page, other..other + 1, Label::Nom, DETECTOR, 20);
    }
}
