//! Address lines and towns of the record, whole or in part, with their abbreviations.

use std::ops::Range;

use rustc_hash::FxHashSet;
use sillage_clinical::is;
use sillage_clinical::text::{Kind, Text, key};

use super::{distance, span};
use crate::name::knowledge::word;
use crate::name::page::{Page, look};
use crate::name::weigh::behind_small_word;
use crate::{Label, Person, Span};

/// A way of writing a word of an address, and the word.
const SHORT: &[(u64, &str)] = &[
    (key("av"), "avenue"),
    (key("ave"), "avenue"),
    (key("aven"), "avenue"),
    (key("bd"), "boulevard"),
    (key("bld"), "boulevard"),
    (key("blvd"), "boulevard"),
    (key("boul"), "boulevard"),
    (key("bvd"), "boulevard"),
    (key("r"), "rue"),
    (key("pl"), "place"),
    (key("plc"), "place"),
    (key("imp"), "impasse"),
    (key("ch"), "chemin"),
    (key("che"), "chemin"),
    (key("chem"), "chemin"),
    (key("all"), "allee"),
    (key("rte"), "route"),
    (key("sq"), "square"),
    (key("res"), "residence"),
    (key("resid"), "residence"),
    (key("lot"), "lotissement"),
    (key("lotis"), "lotissement"),
    (key("pass"), "passage"),
    (key("fg"), "faubourg"),
    (key("fbg"), "faubourg"),
    (key("ld"), "lieu-dit"),
    (key("bat"), "batiment"),
    (key("bt"), "batiment"),
    (key("apt"), "appartement"),
    (key("appt"), "appartement"),
    (key("app"), "appartement"),
    (key("esc"), "escalier"),
    (key("et"), "etage"),
    (key("st"), "saint"),
    (key("ste"), "sainte"),
    (key("gal"), "general"),
    (key("gl"), "general"),
    (key("dr"), "docteur"),
    (key("mal"), "marechal"),
    (key("pdt"), "president"),
    (key("pr"), "professeur"),
    (key("cdt"), "commandant"),
    (key("cne"), "capitaine"),
    (key("col"), "colonel"),
    (key("b"), "bis"),
    (key("t"), "ter"),
    (key("hlm"), "hlm"),
    (key("zac"), "zac"),
    (key("qu"), "quai"),
    (key("mtee"), "montee"),
    (key("rpt"), "rond-point"),
];

/// Letters of the longest of them.
const LONGEST_SHORT: usize = 5;

/// What ways are called.
const WAYS: &[&str] = &[
    "rue",
    "avenue",
    "boulevard",
    "place",
    "impasse",
    "chemin",
    "allee",
    "allees",
    "route",
    "square",
    "residence",
    "lotissement",
    "passage",
    "faubourg",
    "quai",
    "cours",
    "montee",
    "sentier",
    "venelle",
    "ruelle",
    "villa",
    "hameau",
    "cite",
    "esplanade",
    "promenade",
    "rond",
    "point",
    "lieu",
    "dit",
    "clos",
    "domaine",
    "mail",
    "traverse",
    "voie",
    "parvis",
    "porte",
    "cour",
    "batiment",
    "appartement",
    "escalier",
    "etage",
    "immeuble",
    "bp",
    "cs",
    "tour",
    "bloc",
    "hlm",
    "zac",
    "ferme",
    "mas",
    "bis",
    "ter",
    "quater",
];
/// Words that say nothing alone.
const SMALL: &[&str] =
    &["de", "du", "des", "d", "l", "la", "le", "les", "a", "au", "aux", "en", "et", "sur", "sous", "lez", "s", "chez", "n", "no", "numero"];

fn canonical(fold: &str) -> &str {
    if fold.len() > LONGEST_SHORT {
        return fold;
    }
    let word = key(fold);
    SHORT.iter().find(|(short, _)| *short == word).map_or(fold, |(_, whole)| whole)
}

pub(super) fn find(page: &Page<'_, '_>, person: &Person, spans: &mut Vec<Span>) {
    for line in &person.lines {
        address(page, line, spans);
    }
    for city in &person.cities {
        town(page, city, spans);
    }
}

fn address(page: &Page<'_, '_>, line: &str, spans: &mut Vec<Span>) {
    let text = Text::new(line);
    let words: Vec<String> =
        (0..text.tokens.len()).filter(|i| text.tokens[*i].kind != Kind::Mark).map(|i| canonical(text.fold(i)).to_owned()).collect();
    let number = |w: &str| w.starts_with(|c: char| c.is_ascii_digit());
    let core: FxHashSet<&str> =
        words.iter().map(String::as_str).filter(|w| w.len() > 2 && !number(w) && !WAYS.contains(w) && !SMALL.contains(w)).collect();
    let all: FxHashSet<&str> = words.iter().map(String::as_str).collect();
    let mut last = 0;
    for at in 0..page.len() {
        if at < last || page.text.tokens[at].kind != Kind::Word || !is_core(&core, page.fold(at)) {
            continue;
        }
        let window = window(page, &core, &all, at, last);
        let folds = || window.clone().map(|i| canonical(page.fold(i)));
        let numbers = folds().any(number);
        let ways = folds().any(|f| WAYS.contains(&f) && all.contains(f));
        let cores = folds().filter(|f| is_core(&core, f)).count();
        let capital = window.clone().any(|i| page.has(i, look::CAPITAL) && is_core(&core, page.fold(i)));
        if ways || capital && (numbers || cores > 1 && cores >= core.len().min(2)) {
            last = window.end;
            spans.push(span(page, window, Label::Adresse, "record:address", 0.95));
        }
    }
}

/// A word that only this address has, one letter off at most.
fn is_core(core: &FxHashSet<&str>, fold: &str) -> bool {
    let fold = canonical(fold);
    core.contains(fold) || fold.len() > 4 && core.iter().any(|c| c.len() > 4 && distance(fold, c, 1).is_some())
}

/// Tokens around a word of the address that belong to it.
fn window(page: &Page<'_, '_>, core: &FxHashSet<&str>, all: &FxHashSet<&str>, at: usize, floor: usize) -> Range<usize> {
    let of_address = |i: usize| {
        let fold = canonical(page.fold(i));
        // "12b" is "12 bis".
        let number = fold.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        all.contains(fold) || is_core(core, fold) || !number.is_empty() && number.len() + 3 >= fold.len() && all.contains(number)
    };
    let joins = |i: usize| {
        let fold = page.fold(i);
        SMALL.contains(&fold)
            || matches!(fold, "," | "." | "-" | "'" | "/" | "(" | "°" | "—")
            || WAYS.contains(&canonical(fold)) && page.text.tokens[i].kind != Kind::Mark
    };
    let (mut start, mut end) = (at, at + 1);
    let mut i = at;
    while i > floor && at - i < 14 && page.text.tokens[i].lines_before < 2 {
        i -= 1;
        if of_address(i) && !SMALL.contains(&page.fold(i)) {
            start = i;
        } else if !joins(i) || start - i > 4 {
            break;
        }
    }
    let mut i = at + 1;
    while i < page.len() && i - at < 14 && page.text.tokens[i].lines_before < 2 {
        if of_address(i) && !SMALL.contains(&page.fold(i)) {
            end = i + 1;
        } else if !joins(i) || i - end > 3 {
            break;
        }
        i += 1;
    }
    start..end
}

fn town(page: &Page<'_, '_>, city: &str, spans: &mut Vec<Span>) {
    let text = Text::new(city);
    let words: Vec<String> = (0..text.tokens.len())
        .filter(|i| text.tokens[*i].kind == Kind::Word)
        .map(|i| canonical(text.fold(i)).to_owned())
        .filter(|w| w != "cedex")
        .collect();
    let of = |i: usize| matches!(words.get(i).map(String::as_str), Some("de" | "d" | "du" | "aux"));
    let island = words.first().is_some_and(|w| w == "ile") && of(1);
    let led = |w: &str| matches!(w, "saint" | "sainte") || island && w == "ile";
    let Some(main) = words.iter().position(|w| w.len() > 2 && !SMALL.contains(&w.as_str()) && !led(w)) else {
        return;
    };
    let joined = words.concat();
    let mut last = 0;
    for at in 0..page.len() {
        if at < last || page.text.tokens[at].kind != Kind::Word {
            continue;
        }
        let fold = page.fold(at);
        let whole = fold == joined;
        let typed = fold.len() > 5
            && page.has(at, look::CAPITAL)
            && !page.has(at, word::COMMON)
            && distance(fold, &words[main], if fold.len() > 8 { 2 } else { 1 }).is_some();
        if !whole && fold != words[main] && !(typed && words.len() == 1) {
            continue;
        }
        let (mut start, mut end) = (at, at + 1);
        if !whole {
            start = spread(page, &words[..main], at, last);
            end = ahead(page, &words[main + 1..], at + 1);
            // "médecin de Batz": the small word is the sentence's.
            if island && !is!(page.key(start), "ile") {
                start = at;
            }
        }
        let complete = whole || words.len() == 1 || end > at + 1 || start < at;
        let plain = !page.has(at, word::COMMON | look::CLINICAL | look::CUE) && (complete || fold.len() > 3);
        let capital = page.has(at, look::CAPITAL);
        let place = at > 0
            && (is!(page.key(start.saturating_sub(1)), "a" | "de" | "sur" | "vers")
                || page.text.tokens[start.saturating_sub(1)].kind == Kind::Number
                // "Dr DOBREVEL (Péronne)"
                || is!(page.key(start.saturating_sub(1)), "(") && is!(page.key(end), ")"));
        let needs_saint = words[..main].iter().any(|w| w.starts_with("saint"));
        if needs_saint && start == at && !whole {
            continue;
        }
        // "médecin de Batz" of the "Île-de-Batz": the island alone, with its capital in a sentence.
        let place = place || island && start == at && end == at + 1 && behind_small_word(page, at);
        // A town that is also a word or a name asks for its capital, and more where it opens.
        if (capital && (plain || complete && words.len() > 1 || place))
            || (!capital && plain && complete && (place || words.len() > 1) && page.bits(at) & word::ANY_NAME == 0)
        {
            last = end;
            spans.push(span(page, start..end, Label::Ville, "record:city", 0.95));
        }
    }
}

/// Start of the words before the main one, as far as they are there.
fn spread(page: &Page<'_, '_>, words: &[String], at: usize, floor: usize) -> usize {
    let (mut start, mut i) = (at, at);
    for word in words.iter().rev() {
        let mut before = i;
        while before > floor && page.text.tokens[before - 1].kind == Kind::Mark && is!(page.key(before - 1), "-" | "'" | ".") {
            before -= 1;
        }
        if before > floor && canonical(page.fold(before - 1)) == word {
            i = before - 1;
            start = i;
        } else {
            break;
        }
    }
    start
}

/// End of the words behind the main one, as far as they are there.
fn ahead(page: &Page<'_, '_>, words: &[String], at: usize) -> usize {
    let (mut end, mut i) = (at, at);
    for word in words {
        while page.text.tokens.get(i).is_some_and(|t| t.kind == Kind::Mark && t.lines_before == 0)
            && is!(page.key(i), "-" | "'" | "." | "/")
        {
            i += 1;
        }
        let fold = canonical(page.fold(i));
        // "sur" is written "s/".
        if fold == word || fold == "s" && word == "sur" {
            i += 1;
            end = i;
        } else {
            break;
        }
    }
    // A small word alone at the end is no part of the town.
    while end > at && SMALL.contains(&page.fold(end - 1)) {
        end -= 1;
    }
    end
}
