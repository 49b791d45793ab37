//! Joins a day to the time beside it, then pairs to periods.

use super::reader::{Day, Instant, Raw, What};
use crate::is;
use crate::text::{Kind, Text};

/// Joins in place, order kept.
pub fn join(text: &Text<'_>, found: &mut Vec<Raw>) {
    fold_pairs(found, |found, kept, at| day_and_clock(text, found, kept, at));
    fold_pairs(found, |found, kept, at| period(text, found, kept, at));
}

/// Replaces the last kept expression where it goes together with the next one.
fn fold_pairs(found: &mut Vec<Raw>, mut together: impl FnMut(&[Raw], Raw, usize) -> Option<Raw>) {
    let mut kept: usize = 0;
    for at in 0..found.len() {
        let joined = kept.checked_sub(1).and_then(|last| together(found, found[last], at));
        match joined {
            Some(raw) => found[kept - 1] = raw,
            None => {
                found[kept] = found[at];
                kept += 1;
            }
        }
    }
    found.truncate(kept);
}

/// Whether the tokens between two expressions stay on a line, or wrap once after a word.
fn close(text: &Text<'_>, from: usize, to: usize) -> bool {
    let mut breaks = 0;
    for at in from..=to {
        let Some(token) = text.tokens.get(at) else { return false };
        if token.lines_before > 0 {
            let opened = at > from && text.tokens[at - 1].kind == Kind::Word;
            let wrapped = token.lines_before == 1 && (opened || token.kind == Kind::Word && !token.capital);
            breaks += if wrapped { 1 } else { 2 };
        }
    }
    breaks < 2
}

fn day_and_clock(text: &Text<'_>, found: &[Raw], last: Raw, at: usize) -> Option<Raw> {
    let next = found[at];
    let (What::Instant(a), What::Instant(b)) = (last.what, next.what) else { return None };
    if next.first.checked_sub(last.last).is_none_or(|gap| gap > 4) || !close(text, last.last, next.first) {
        return None;
    }
    let gap = last.last..next.first;
    let approximate = last.approximate || next.approximate;
    let whole = |instant| Some(Raw { first: last.first, last: next.last, what: What::Instant(instant), approximate });
    if let (Some(day), None, None, Some(mut clock)) = (a.day, a.clock, b.day, b.clock) {
        let comma = is!(text.key(last.last), ",");
        let words = gap.clone().all(|i| is!(text.key(i), "a" | "vers" | "," | "-" | "des" | "environ" | ":" | "@" | "~"));
        // "Date : 12/03/2024 / Heure : 14 h 05"
        let field = || {
            gap.clone().any(|i| is!(text.key(i), "heure" | "h"))
                && gap.clone().all(|i| is!(text.key(i), "/" | ";" | "|" | "," | "-" | ":" | "heure" | "h"))
        };
        if !has_day(day) || (!words || gap.len() > 3 || comma && gap.len() > 2) && !field() {
            return None;
        }
        if a.evening && (1..12).contains(&clock.hour) {
            clock.hour += 12;
        }
        return whole(Instant { day: Some(day), clock: Some(clock), evening: false });
    }
    if let (None, Some(mut clock), Some(day), None) = (a.day, a.clock, b.day, b.clock) {
        let words = gap.is_empty()
            || matches!((gap.len(), text.fold(last.last), text.fold(next.first - 1)), (1, "le" | "du" | ",", _) | (2, ",", "le"));
        let follows = found.get(at + 1).is_some_and(|c| {
            matches!(c.what, What::Instant(Instant { day: None, clock: Some(_), .. }))
                && (next.last..c.first).all(|i| is!(text.key(i), "a" | "vers" | ":"))
        });
        // `13h05, 12 mars` reads as a list of two.
        let listed = gap.len() == 1 && is!(text.key(last.last), ",") && !matches!(day, Day::Shift { .. });
        if !has_day(day) || !words || follows || listed {
            return None;
        }
        if b.evening && (1..12).contains(&clock.hour) {
            clock.hour += 12;
        }
        return whole(Instant { day: Some(day), clock: Some(clock), evening: false });
    }
    None
}

/// A single day, so that a time of the clock makes sense on it.
fn has_day(day: Day) -> bool {
    use super::lexicon::Unit;
    match day {
        Day::Calendar(calendar) => calendar.day > 0,
        Day::Holiday { .. } | Day::Weekday { .. } => true,
        Day::Shift { amount, unit, .. } => unit == Unit::Day && amount.is_some(),
        Day::Season { .. } | Day::Decade(_) => false,
    }
}

fn period(text: &Text<'_>, found: &[Raw], last: Raw, at: usize) -> Option<Raw> {
    let next = found[at];
    let (What::Instant(a), What::Instant(b)) = (last.what, next.what) else { return None };
    let gap = last.last..next.first;
    if gap.is_empty() || gap.len() > 3 || !close(text, last.last, next.first) {
        return None;
    }
    let fold = |i: usize| text.fold(i);
    let before = |by: usize| last.first.checked_sub(by).map_or("", |i| text.fold(i));
    let article = matches!(before(1), "le" | "l'" | "la");
    let opening = if article { before(2) } else { before(1) };
    let glued = |i: usize| text.tokens.get(i).is_some_and(|t| !t.space_before);
    let same = alike(&a, &b);
    let days = a.day.is_some() && b.day.is_some();
    let joins = match (fold(gap.start), gap.len()) {
        ("au", 1) => days,
        ("jusqu" | "jusque", _) => days && matches!(fold(next.first - 1), "au" | "'" | "a"),
        ("→" | ">", 1) => same,
        ("-", 1) => {
            same && (a.day.is_none() || glued(gap.start) == glued(next.first))
                && text.tokens.get(gap.start).is_some_and(|t| t.lines_before == 0)
        }
        ("/", 1) => same && a.day.is_none() && glued(gap.start) && glued(next.first),
        ("-", 2) => same && fold(gap.start + 1) == ">",
        ("a", 1) => matches!(opening, "de" | "d" | "d'" | "du" | "entre" | "'") && (same || b.day.is_none()),
        ("et", n) => opening == "entre" && (n == 1 || (n == 2 && matches!(fold(gap.start + 1), "le" | "la"))),
        _ => false,
    };
    if !joins {
        return None;
    }
    let (mut a, mut b) = (a, b);
    match (a.day, b.day) {
        (Some(_), None) => b.day = a.day,
        (None, Some(_)) => a.day = b.day,
        _ => {}
    }
    if let (Some(Day::Calendar(from)), Some(Day::Calendar(to))) = (&mut a.day, &mut b.day) {
        let earlier = (to.month, to.day) < (from.month, from.day);
        match (from.year, to.year) {
            (None, Some(year)) => from.year = Some(year - i32::from(earlier)),
            (Some(year), None) => to.year = Some(year + i32::from(earlier)),
            _ => {}
        }
        if from.month == 0 && from.day > 0 {
            from.month = to.month;
        }
    }
    let approximate = last.approximate || next.approximate;
    Some(Raw { first: last.first, last: next.last, what: What::Range(a, b), approximate })
}

/// Both ends state the same things.
fn alike(a: &Instant, b: &Instant) -> bool {
    match (a.day, b.day) {
        (None, None) => a.clock.is_some() && b.clock.is_some(),
        (Some(Day::Calendar(x)), Some(Day::Calendar(y))) => (x.day > 0) == (y.day > 0) && (x.month > 0) == (y.month > 0),
        (Some(Day::Shift { .. }), Some(Day::Shift { .. })) => true,
        (Some(_), None) => a.clock.is_some() && b.clock.is_some(),
        _ => false,
    }
}
