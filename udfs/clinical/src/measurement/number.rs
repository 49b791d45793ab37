//! Numbers as French notes write them, and the dates, clock times and durations
//! that are not measurements.

use crate::is;
use crate::number::{spelled, word};
use crate::text::{Kind, Text, fold_char};

use super::catalog::{Catalog, Roles};

/// A number in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number {
    pub(super) value: f64,
    /// Bytes of the original.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Token after the number and what is glued to it.
    pub(super) next: usize,
    /// Letters glued to the last digit: token and byte in its folded form.
    pub(super) rest: Option<(usize, usize)>,
    pub(super) decimals: u8,
    /// Starts with a zero that says nothing (`08`).
    pub(super) padded: bool,
    /// Unit written in the place of the comma (`1g80`, `1m75`).
    pub(super) infix: Option<u8>,
    /// Degree sign in the place of the comma or after (`37°2`).
    pub(super) degree: bool,
}

impl Number {
    pub(super) fn rest<'t>(&self, text: &'t Text<'_>) -> &'t str {
        self.rest.map_or("", |(token, at)| &text.fold(token)[at..])
    }
}

fn digits(word: &str) -> usize {
    word.bytes().take_while(u8::is_ascii_digit).count()
}

/// What stands between the halves of a word cut at a line end.
fn cut(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}' | '\u{2011}' | '\u{ad}')
}

/// Byte of the original where this byte of a token's folded form comes from.
pub(super) fn byte_at(text: &Text<'_>, token: usize, fold_byte: usize) -> usize {
    let Some(t) = text.tokens.get(token) else { return 0 };
    let source = &text.original[t.range()];
    if source.is_ascii() && source.len() == text.fold(token).len() {
        return (t.start as usize + fold_byte).min(t.end as usize);
    }
    let mut folded = 0;
    for (at, c) in source.char_indices().filter(|(_, c)| !cut(*c)) {
        if folded >= fold_byte {
            return t.start as usize + at;
        }
        fold_char(c, |f| folded += f.len_utf8());
    }
    t.end as usize
}

/// Whether the token touches the one before.
pub(super) fn glued(text: &Text<'_>, token: usize) -> bool {
    text.tokens.get(token).is_some_and(|t| !t.space_before && t.lines_before == 0)
}

fn value_of(word: &str) -> f64 {
    word.bytes().fold(0.0, |v, b| v * 10.0 + f64::from(b - b'0'))
}

/// One division, so that 1,68 is the float nearest to it.
fn decimal(whole: f64, fraction: &str) -> f64 {
    let scale = 10f64.powi(fraction.len() as i32);
    (whole * scale + value_of(fraction)) / scale
}

/// The number that starts here, without thousands.
pub(super) fn number(text: &Text<'_>, token: usize, at: usize) -> Option<Number> {
    let word = text.fold(token).get(at..)?;
    let n = digits(word);
    if n == 0 || n > 7 {
        return None;
    }
    let start = byte_at(text, token, at);
    // A superscript folds to a digit and is none here.
    if byte_at(text, token, at + n) != start + n {
        return None;
    }
    let mut number = Number {
        value: value_of(&word[..n]),
        start,
        end: start + n,
        next: token + 1,
        rest: None,
        decimals: 0,
        padded: n > 1 && word.starts_with('0'),
        infix: None,
        degree: false,
    };
    if n < word.len() {
        return Some(with_suffix(text, token, at + n, number));
    }
    let mark = text.fold(token + 1);
    if matches!(mark, "," | "." | "°") && glued(text, token + 1) && glued(text, token + 2) {
        let word = text.fold(token + 2);
        let m = digits(word);
        let end = byte_at(text, token + 2, m);
        if m > 0 && mark != "°" && end == text.tokens[token + 2].start as usize + m {
            if word.len() == m
                && is!(text.key(token + 3), "." | ",")
                && glued(text, token + 3)
                && glued(text, token + 4)
                && digits(text.fold(token + 4)) > 0
            {
                return None;
            }
            if m == 2 && word == "10" && is!(text.key(token + 3), "^") {
                return Some(number);
            }
            if m > 4 {
                return None;
            }
            number.value = decimal(number.value, &word[..m]);
            number.decimals = m as u8;
            number.end = end;
            number.next = token + 3;
            if m < word.len() {
                number.rest = Some((token + 2, m));
            }
            return Some(number);
        }
    }
    Some(with_degree(text, token, number))
}

/// Reads `37°2`, `37 ° 5`.
fn with_degree(text: &Text<'_>, token: usize, mut number: Number) -> Number {
    if !is!(text.key(token + 1), "°") || text.tokens[token + 1].lines_before > 0 {
        return number;
    }
    let word = text.fold(token + 2);
    let m = digits(word);
    let same_spacing =
        text.tokens.get(token + 2).is_some_and(|t| t.lines_before == 0 && t.space_before == text.tokens[token + 1].space_before);
    if m == 1 && same_spacing && matches!(&word[m..], "" | "c") {
        number.value = decimal(number.value, &word[..m]);
        number.decimals = 1;
        number.degree = true;
        number.end = text.tokens[token + 2].end as usize;
        number.next = token + 3;
    }
    number
}

/// Letters after the digits in the same token: a comma in disguise, or a unit.
fn with_suffix(text: &Text<'_>, token: usize, at: usize, mut number: Number) -> Number {
    let suffix = &text.fold(token)[at..];
    let first = suffix.as_bytes()[0];
    let tail = &suffix[suffix.chars().next().map_or(0, char::len_utf8)..];
    let m = digits(tail);
    let end = text.tokens[token].end as usize;
    if first == b'o' && text.original[text.tokens[token].range()].contains('º') && m <= 1 && matches!(&tail[m..], "" | "c") {
        number.degree = true;
        number.value = decimal(number.value, &tail[..m]);
        number.decimals = m as u8;
        number.end = end;
    } else if matches!(first, b'g' | b'm') && (1..=2).contains(&m) && m == tail.len() && (first == b'g' || m == 2) {
        number.infix = Some(first);
        number.value = decimal(number.value, tail);
        number.decimals = m as u8;
        number.end = end;
    } else {
        number.rest = Some((token, at));
    }
    number
}

/// The same digits read with thousands: `201 000`, `67.000`, `1.250.000`.
pub(super) fn thousands(text: &Text<'_>, token: usize, at: usize) -> Option<Number> {
    let word = text.fold(token).get(at..)?;
    if word.is_empty() || word.len() > 3 || digits(word) != word.len() || word.starts_with('0') {
        return None;
    }
    let start = byte_at(text, token, at);
    let mut number = Number {
        value: value_of(word),
        start,
        end: start,
        next: token + 1,
        rest: None,
        decimals: 0,
        padded: false,
        infix: None,
        degree: false,
    };
    let mut groups = 0;
    while groups < 2 && number.rest.is_none() {
        let spaced = text.tokens.get(number.next).is_some_and(|t| t.space_before && t.lines_before == 0);
        let group = if spaced {
            number.next
        } else if is!(text.key(number.next), "." | "," | "'") && glued(text, number.next + 1) {
            number.next + 1
        } else {
            break;
        };
        let word = text.fold(group);
        let exact = digits(word) == 3 && byte_at(text, group, 3) == text.tokens.get(group).map_or(0, |t| t.start as usize) + 3;
        if !exact {
            break;
        }
        number.value = number.value * 1000.0 + value_of(&word[..3]);
        number.end = byte_at(text, group, 3);
        number.next = group + 1;
        number.rest = (word.len() > 3).then_some((group, 3));
        groups += 1;
    }
    (groups > 0).then_some(number)
}

/// Nothing is written against the token, or a mark that ends the clause.
fn ends(text: &Text<'_>, token: usize) -> bool {
    let digit = |at: usize| text.fold(at).starts_with(|c: char| c.is_ascii_digit());
    !glued(text, token) || is!(text.key(token), "," | "." | ";" | ")") && !(glued(text, token + 1) && digit(token + 1))
}

/// The same digits read with a unit for comma, spaced: `1 g 80`, `1 m 75`.
pub(super) fn spaced_infix(text: &Text<'_>, token: usize, at: usize) -> Option<Number> {
    let mut number = number(text, token, at)?;
    let infix = text.fold(token + 1);
    let word = text.fold(token + 2);
    let lone = digits(word) == word.len() && word.len() == 2 && text.tokens[token + 2].lines_before == 0 && ends(text, token + 3);
    if number.rest.is_some() || number.decimals > 0 || !lone || !matches!(infix, "g" | "m" | "gr" | "gramme" | "grammes" | "metre") {
        return None;
    }
    number.value = decimal(number.value, word);
    number.decimals = 2;
    number.infix = infix.bytes().next();
    number.end = text.tokens[token + 2].end as usize;
    number.next = token + 3;
    Some(number)
}

/// A temperature that was dictated: `37 6` and nothing behind it that would be counted.
pub(super) fn spoken_tenth(text: &Text<'_>, token: usize, at: usize) -> Option<Number> {
    let mut number = number(text, token, at)?;
    let tenth = text.tokens.get(token + 1).filter(|t| t.lines_before == 0 && t.space_before)?;
    let word = text.fold(token + 1);
    let alone = text.tokens.get(token + 2).is_none_or(|t| t.lines_before > 0 || t.kind == Kind::Mark) && ends(text, token + 2);
    if number.next != token + 1
        || number.rest.is_some()
        || !(34.0..43.0).contains(&number.value)
        || digits(word) != 1
        || word.len() != 1
        || !alone
    {
        return None;
    }
    number.value = decimal(number.value, word);
    number.decimals = 1;
    number.end = tenth.end as usize;
    number.next = token + 2;
    Some(number)
}

/// The same digits read with a space after the comma: `1, 3`.
pub(super) fn spaced_decimal(text: &Text<'_>, token: usize, at: usize) -> Option<Number> {
    let mut number = number(text, token, at)?;
    let comma = number.next == token + 1 && number.rest.is_none() && is!(text.key(token + 1), "," | ".") && glued(text, token + 1);
    let word = text.fold(token + 2);
    let m = digits(word);
    let close = text.tokens.get(token + 2).is_some_and(|t| t.lines_before == 0)
        && byte_at(text, token + 2, m) == text.tokens[token + 2].start as usize + m;
    if !comma || !(1..=2).contains(&m) || !close {
        return None;
    }
    number.value = decimal(number.value, &word[..m]);
    number.decimals = m as u8;
    number.end = byte_at(text, token + 2, m);
    number.next = token + 3;
    number.rest = (m < word.len()).then_some((token + 2, m));
    Some(number)
}

/// `quatrième`, `vingtièmes`.
fn ordinal(text: &Text<'_>, token: usize) -> bool {
    let word = text.fold(token);
    word.len() > 5 && (word.ends_with("ieme") || word.ends_with("iemes"))
}

/// End of the time in words that starts here: `vingt-quatrième heure`, `quarante-huit
/// heures`, `troisième jour`.
pub(super) fn time_in_words(catalog: &Catalog, text: &Text<'_>, token: usize) -> Option<usize> {
    let word = |at: usize| counts(text, at) || ordinal(text, at);
    if !word(token) {
        return None;
    }
    let mut at = token + 1;
    while at < token + 6 && (word(at) || is!(text.key(at), "-" | "et") && (word(at + 1) || is!(text.key(at + 1), "-"))) {
        at += 1;
    }
    (same_line(text, at) && catalog.role(text.fold(at)).any(Roles::DURATION)).then_some(at + 1)
}

fn same_line(text: &Text<'_>, token: usize) -> bool {
    text.tokens.get(token).is_some_and(|t| t.lines_before == 0)
}

/// A word that counts; "une" is an article.
fn counts(text: &Text<'_>, token: usize) -> bool {
    !is!(text.key(token), "une") && word(text, token).is_some()
}

/// A number in words and the token after it, no ordinal.
pub(super) fn in_words(text: &Text<'_>, token: usize) -> Option<(f64, usize)> {
    let joined = (token + 1..token + 4).find(|at| !is!(text.key(*at), "-" | "et"));
    if !counts(text, token) || joined.is_some_and(|at| ordinal(text, at)) {
        return None;
    }
    spelled(text, token)
}

fn pure(text: &Text<'_>, token: usize) -> Option<f64> {
    let word = text.fold(token);
    (!word.is_empty() && word.len() <= 4 && digits(word) == word.len()).then(|| value_of(word))
}

/// End of the date or clock time that starts at this number.
pub(super) fn date_or_clock(catalog: &Catalog, text: &Text<'_>, token: usize) -> Option<usize> {
    let word = text.fold(token);
    let n = digits(word);
    let value = if n <= 4 { value_of(&word[..n]) } else { return None };
    if n < word.len() {
        // 13h05, 13h; 24h is a time after the event.
        let rest = &word[n..];
        let clock = rest.strip_prefix('h').is_some_and(|m| digits(m) == m.len() && m.len() <= 2);
        return clock.then_some(token + 1);
    }
    let separator = text.fold(token + 1);
    if matches!(separator, "/" | "-" | ".") && glued(text, token + 1) && glued(text, token + 2) {
        let month = pure(text, token + 2)?;
        let third = text.fold(token + 3) == separator && glued(text, token + 3) && glued(text, token + 4);
        if third && let Some(last) = pure(text, token + 4) {
            let date = |d: f64, m: f64| (1.0..=31.0).contains(&d) && (1.0..=12.0).contains(&m);
            return (date(value, month) || (value > 1900.0 && date(last, month))).then_some(token + 5);
        }
        let before = token.checked_sub(1).map_or("", |b| text.fold(b));
        let day = (1.0..=31.0).contains(&value) && (1.0..=12.0).contains(&month);
        let padded = text.fold(token + 2).starts_with('0') && text.fold(token + 2).len() == 2 && separator == "/";
        return (day && (padded || (separator == "/" && matches!(before, "le" | "du")))).then_some(token + 3);
    }
    if separator == ":" && glued(text, token + 1) && glued(text, token + 2) && text.fold(token + 2).len() == 2 {
        return (value < 24.0 && pure(text, token + 2).is_some_and(|m| m < 60.0)).then_some(token + 3);
    }
    if catalog.role(separator).any(Roles::MONTH) && value <= 31.0 {
        let year = pure(text, token + 2).filter(|y| *y > 1900.0);
        return Some(if year.is_some() { token + 3 } else { token + 2 });
    }
    let year = n == 4 && (1900.0..2100.0).contains(&value);
    let before = token.checked_sub(1).map_or("", |b| text.fold(b));
    (year && (before == "en" || catalog.role(before).any(Roles::MONTH))).then_some(token + 1)
}

/// End of the duration that starts at this number (`24 h`, `3 mois`, `2eme`).
pub(super) fn duration(catalog: &Catalog, text: &Text<'_>, token: usize) -> Option<usize> {
    let number = number(text, token, 0)?;
    let rest = number.rest(text);
    if !rest.is_empty() {
        return (catalog.role(rest).any(Roles::DURATION) || matches!(rest, "er" | "ere" | "e" | "eme" | "ieme")).then_some(number.next);
    }
    let role = catalog.role(text.fold(number.next));
    if !role.any(Roles::DURATION) {
        return None;
    }
    // 8 h 30
    let minutes =
        is!(text.key(number.next), "h") && text.fold(number.next + 1).len() == 2 && pure(text, number.next + 1).is_some_and(|m| m < 60.0);
    let minutes = minutes && text.tokens.get(number.next + 1).is_some_and(|t| t.lines_before == 0) && value_ends(text, number.next + 2);
    Some(number.next + if minutes { 2 } else { 1 })
}

fn value_ends(text: &Text<'_>, token: usize) -> bool {
    !is!(text.key(token), "/" | "%")
}

/// Whether the word is a time after the event: `h24`, `j1`, `m3`.
pub(super) fn time_word(text: &Text<'_>, token: usize) -> bool {
    let word = text.fold(token).as_bytes();
    text.tokens.get(token).is_some_and(|t| t.kind == Kind::Word)
        && matches!(word, [b'h' | b'j' | b'm' | b's', digits @ ..] if !digits.is_empty() && digits.len() <= 3 && digits.iter().all(u8::is_ascii_digit))
}
