//! Numbers of people and things: the same shape, other digits, valid where they were.

use chrono::{Datelike, NaiveDate, TimeDelta};

use super::SurrogateContext;
use super::draw::Draw;
use crate::check_digit::luhn;

/// The ranges that ARCEP keeps for works of fiction, by first two digits.
const FICTION: [(&str, &str); 6] =
    [("01", "019900"), ("02", "026191"), ("03", "035301"), ("04", "046571"), ("05", "053649"), ("06", "063998")];

/// Letters and digits of a number, capitals.
fn core(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// Writes digits and letters into the places of those of a text.
fn fill(text: &str, mut with: impl Iterator<Item = char>) -> String {
    let place = |c: char| if c.is_ascii_alphanumeric() { with.next().map(|n| (c, n)) } else { None };
    let mut place = place;
    text.chars().map(|c| place(c).map_or(c, |(c, n)| if c.is_ascii_lowercase() { n.to_ascii_lowercase() } else { n })).collect()
}

/// Other digits and letters of the same shape.
pub(super) fn like(context: &SurrogateContext<'_>, kind: &str, text: &str) -> String {
    let core = core(text);
    let mut draw = Draw::new(context.key, context.patient, kind, &core);
    for _ in 0..16 {
        let other: String = core
            .chars()
            .enumerate()
            .map(|(i, c)| match c {
                '0' if i == 0 => '0',
                '1'..='9' if i == 0 => char::from(b'1' + draw.below(9) as u8),
                '0'..='9' => draw.digit(),
                _ => draw.letter(),
            })
            .collect();
        if other != core && !context.known_word(&other.to_lowercase()) || core.is_empty() {
            return fill(text, other.chars());
        }
    }
    // One digit of ten: sixteen draws of the same are as good as impossible.
    fill(text, core.chars().map(|c| if c == '9' { '8' } else { '9' }))
}

/// A phone number of the fiction ranges; an extension of another number.
pub(super) fn phone(context: &SurrogateContext<'_>, text: &str) -> String {
    let digits: Vec<(usize, char)> = text.char_indices().filter(|(_, c)| c.is_ascii_digit()).collect();
    let all: String = digits.iter().map(|d| d.1).collect();
    let prefix = if all.starts_with("0033") {
        4
    } else if all.starts_with("33") && all.len() >= 11 {
        2
    } else {
        0
    };
    // Behind a country code the 0 is left out or stands in brackets.
    let zero = prefix == 0 || all[prefix..].starts_with('0');
    let national = if zero { all[prefix..].to_owned() } else { format!("0{}", &all[prefix..]) };
    if national.len() < 10 || !national.starts_with('0') {
        return like(context, "telephone", text);
    }
    // Several numbers in one span: ten digits each.
    let mut other = String::new();
    for (i, one) in national.as_bytes().chunks(10).enumerate() {
        let one: String = one.iter().map(|b| char::from(*b)).collect();
        let drawn = fictional(context, &one);
        other.push_str(if i == 0 && !zero { &drawn[1..] } else { &drawn });
    }
    let mut with = all[..prefix].chars().chain(other.chars());
    text.chars().map(|c| if c.is_ascii_digit() { with.next().unwrap_or(c) } else { c }).collect()
}

fn fictional(context: &SurrogateContext<'_>, national: &str) -> String {
    let (_, range) = FICTION.into_iter().find(|(first, _)| national.starts_with(first)).unwrap_or(if national.starts_with("07") {
        FICTION[5]
    } else {
        FICTION[0]
    });
    let mut draw = Draw::new(context.key, context.patient, "telephone", national);
    let mut other = String::new();
    for _ in 0..16 {
        other = range.to_owned();
        while other.len() < national.len() {
            other.push(draw.digit());
        }
        other.truncate(national.len());
        if other != national && !context.known_word(&other) {
            break;
        }
    }
    other
}

/// A social security number of nobody: department 99, country 999, with its key.
pub(super) fn social_security(context: &SurrogateContext<'_>, text: &str) -> String {
    let core = core(text);
    let body = &core[..core.len().min(13)];
    if core.len() != 13 && core.len() != 15 || !body.bytes().enumerate().all(|(i, b)| b.is_ascii_digit() || i == 6) {
        return like(context, "secu", text);
    }
    let mut draw = Draw::new(context.key, context.patient, "secu", body);
    // Month and year of birth as the dates of the text have them.
    let born: Option<NaiveDate> =
        context.person.and_then(|p| p.birth_date).and_then(|b| b.checked_add_signed(TimeDelta::days(i64::from(context.shift_days))));
    let own = context.person.and_then(|p| p.birth_date).is_some_and(|b| body[1..5] == format!("{:02}{:02}", b.year() % 100, b.month()));
    let birth = match born {
        Some(b) if own => format!("{:02}{:02}", b.year().rem_euclid(100), b.month()),
        _ => format!("{:02}{:02}", draw.below(100), draw.below(12) + 1),
    };
    let mut number = format!("{}{birth}99999{:03}", &body[..1], draw.below(999) + 1);
    if number == body {
        number.replace_range(10..13, "000");
    }
    let key = number.parse::<u64>().map_or(0, |n| 97 - n % 97);
    if core.len() == 15 {
        number.push_str(&format!("{key:02}"));
    }
    fill(text, number.chars())
}

/// RPPS, ADELI, FINESS: another number, with a valid check digit where there was one.
pub(super) fn professional(context: &SurrogateContext<'_>, text: &str) -> String {
    let core = core(text);
    let other = like(context, "rpps", text);
    if !core.bytes().all(|b| b.is_ascii_digit()) || !matches!(core.len(), 9 | 11) || !luhn(&core) {
        return other;
    }
    // Numbers for tests: RPPS from 8997, FINESS and ADELI of department 99.
    let start = if core.len() == 11 { "8997" } else { "99" };
    let drawn: String = other.chars().filter(char::is_ascii_digit).collect();
    let body = format!("{start}{}", &drawn[start.len()..drawn.len() - 1]);
    let valid = |body: &str| (0..10).map(|d| format!("{body}{d}")).find(|n| luhn(n));
    let mut number = valid(&body);
    if number.as_deref() == Some(&core) {
        number = valid(&format!("{}{}", &body[..body.len() - 1], if body.ends_with('0') { '1' } else { '0' }));
    }
    number.map_or(other, |n| fill(text, n.chars()))
}
