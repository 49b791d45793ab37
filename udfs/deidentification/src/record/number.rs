//! Numbers and addresses of the net: phones, identifiers, mails, postal codes, with
//! whatever stands between their digits.

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::name::key;
use super::span;
use crate::name::page::Page;
use crate::{Label, Person, Span};

/// Something to look for, letters and digits only.
struct Wanted {
    key: String,
    label: Label,
    detector: &'static str,
}

/// Fewest characters of an identifier that is looked for anywhere.
const LEAST: usize = 5;

fn wanted(person: &Person) -> Vec<Wanted> {
    let mut out: Vec<Wanted> = Vec::new();
    let mut add = |key: String, label: Label, detector: &'static str, least: usize| {
        if key.len() >= least && !out.iter().any(|w| w.key == key) {
            out.push(Wanted { key, label, detector });
        }
    };
    for phone in &person.phones {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        let national = digits.strip_prefix("0033").or(digits.strip_prefix("33").filter(|r| r.len() >= 9)).unwrap_or(&digits);
        let national = national.strip_prefix('0').unwrap_or(national);
        if national.len() < 8 {
            add(digits, Label::Tel, "record:phone", 4);
            continue;
        }
        for prefix in ["0", "33", "330", "0033", "00330", ""] {
            add(format!("{prefix}{national}"), Label::Tel, "record:phone", 8);
        }
    }
    for mail in &person.mails {
        add(key(mail), Label::Mail, "record:mail", 6);
        if let Some((local, _)) = mail.split_once('@') {
            add(key(local), Label::Mail, "record:mail", 8);
        }
    }
    for (label, number) in &person.identifiers {
        let number = key(number);
        // An INS number is written with its key or without.
        if *label == Label::Secu && number.len() == 15 {
            add(number[..13].to_owned(), *label, "record:identifier", LEAST);
        }
        let trimmed = number.trim_start_matches('0');
        if trimmed.len() < number.len() {
            add(trimmed.to_owned(), *label, "record:identifier", LEAST + 2);
        }
        add(number, *label, "record:identifier", LEAST - 1);
    }
    for code in &person.postal_codes {
        add(key(code), Label::Zip, "record:postal_code", 4);
    }
    out
}

pub(super) fn find(page: &Page<'_, '_>, person: &Person, spans: &mut Vec<Span>) {
    let wanted = wanted(person);
    if wanted.is_empty() {
        return;
    }
    let mut at = 0;
    while at < page.len() {
        if page.text.tokens[at].kind == Kind::Mark || !wanted.iter().any(|w| starts_alike(&w.key, page.fold(at))) {
            at += 1;
            continue;
        }
        let best = wanted.iter().filter_map(|w| Some((run(page, at, w)?, w))).max_by_key(|(end, w)| (*end, w.key.len()));
        match best {
            Some((end, w)) => {
                let start = if at > 0 && is!(page.key(at - 1), "+") && page.glued(at) { at - 1 } else { at };
                spans.push(span(page, start..end, w.label, w.detector, 1.0));
                at = end;
            }
            None => at += 1,
        }
    }
}

fn starts_alike(key: &str, fold: &str) -> bool {
    key.starts_with(fold) || fold.starts_with(key)
}

/// End of the tokens that spell the key from here, marks between them passed over.
fn run(page: &Page<'_, '_>, at: usize, wanted: &Wanted) -> Option<usize> {
    let mut rest = wanted.key.as_str();
    let mut i = at;
    let mut marks = 0;
    while let Some(token) = page.text.tokens.get(i) {
        let fold = page.fold(i);
        if token.kind == Kind::Mark {
            marks += 1;
            let passes = matches!(fold, "." | "-" | "/" | " " | "(" | ")" | "_" | "@" | "+" | "'" | "|" | ":" | "°");
            if i == at || marks > 3 || !passes {
                return None;
            }
        } else {
            if token.lines_before > 1 {
                return None;
            }
            marks = 0;
            match rest.strip_prefix(fold) {
                Some("") => return ends(page, at, i + 1, wanted).then_some(i + 1),
                Some(left) => rest = left,
                // "0612345678rdc": letters glued behind the number.
                None => {
                    return (rest.len() > 3 && fold.starts_with(rest) && !fold[rest.len()..].starts_with(|c: char| c.is_ascii_digit()))
                        .then_some(i + 1);
                }
            }
        }
        i += 1;
    }
    None
}

/// The number is no part of a longer one.
fn ends(page: &Page<'_, '_>, at: usize, end: usize, wanted: &Wanted) -> bool {
    let digit = |i: usize| page.text.tokens.get(i).is_some_and(|t| t.kind == Kind::Number);
    let decimal = is!(page.key(end), "." | ",") && page.glued(end) && digit(end + 1) && page.glued(end + 1);
    // A phone without its zero, a postal code: short enough to be something else.
    let short = wanted.key.len() < 6;
    let unit = short && (is!(page.key(end), "/" | "%" | "," | ".") && digit(end + 1) && page.glued(end + 1));
    let inside = at > 1 && is!(page.key(at - 1), "." | ",") && page.glued(at) && page.glued(at - 1) && digit(at - 2) && short;
    let longer = decimal && short || unit || inside;
    !longer
}
