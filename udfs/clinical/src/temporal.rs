//! Temporal expressions of French clinical text: dates, clock times, lengths of
//! time, ages and frequencies, resolved against the time of the document.
//!
//! One scan over the tokens finds the expressions, dispatching on their first
//! word (`reader`); a pass over what it found joins a date to the time beside it
//! and pairs to periods (`join`), a last one computes values (`resolve`).
//!
//! Conventions. A span leaves out the article or preposition of a date, a time
//! or a study day (`le`, `à`, `vers`, `en`, `du`) and keeps the words that
//! make a relative expression (`il y a`, `dans`, `depuis`, `la`, `après`). A
//! value is the start of the unit the precision names: `mars 2024` is 1 March,
//! `il y a 10 ans` 1 January of that year, `hier soir` midnight of yesterday;
//! hours counted from the reference keep its minutes. `fin`, `mi` and `début`
//! move the start within the unit: 1, 11, 21 of a month; January, May, October
//! of a year. A month of a length counts 30.4375 days, a year 365.25.

mod amount;
mod dotted;
mod frequency;
mod join;
mod lexicon;
mod measure;
mod month;
mod numeric;
mod phrase;
mod reader;
mod resolve;
#[cfg(test)]
mod tests;

pub use dotted::dotted_clocks;

use crate::text::Text;
use chrono::{NaiveDate, NaiveDateTime};

/// The months in Roman figures, folded.
pub const ROMAN_MONTHS: [&str; 12] = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"];

/// What an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TemporalKind {
    /// In the calendar: `12/03/24`, `mars 2024`, `Noël`; with a time when one is beside it.
    Date,
    /// Counted from the document, another date or an event: `hier`, `il y a 3 jours`, `J2`.
    Relative,
    /// Of the clock alone; its value takes the day of the nearest date before it.
    Time,
    /// A length of time; `depuis` gives it a value, the start.
    Duration,
    Age,
    Frequency,
    /// From a date or time to another.
    Period,
}

/// The smallest unit that the words state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Precision {
    Year,
    Month,
    Day,
    Hour,
    Minute,
}

impl TemporalKind {
    pub fn name(self) -> &'static str {
        match self {
            TemporalKind::Date => "date",
            TemporalKind::Relative => "relative",
            TemporalKind::Time => "time",
            TemporalKind::Duration => "duration",
            TemporalKind::Age => "age",
            TemporalKind::Frequency => "frequency",
            TemporalKind::Period => "period",
        }
    }
}

impl Precision {
    pub fn name(self) -> &'static str {
        match self {
            Precision::Year => "year",
            Precision::Month => "month",
            Precision::Day => "day",
            Precision::Hour => "hour",
            Precision::Minute => "minute",
        }
    }
}

/// One expression and what it means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TemporalExpression {
    /// First byte in the original text.
    pub start: usize,
    /// Byte after the last one in the original text.
    pub end: usize,
    pub kind: TemporalKind,
    /// Start of the instant, `None` when it cannot be known.
    pub value: Option<NaiveDateTime>,
    /// Start of the last unit of a period, a season or a decade.
    pub until: Option<NaiveDateTime>,
    /// Of the value; of a duration or an age, its unit.
    pub precision: Precision,
    /// Length of a duration; of a relative expression, the signed distance to
    /// what it counts from (`J-1`: -1440).
    pub duration_minutes: Option<i64>,
    pub age_years: Option<f32>,
    /// Said to be so (`vers`, `environ`), or vague by nature (`fin 2019`, `3 à 5 jours`).
    pub approximate: bool,
}

/// Easter Sunday, by the anonymous Gregorian algorithm (Meeus).
pub fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e, f) = (b / 4, b % 4, (b + 8) / 25);
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let sum = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, (sum / 31) as u32, (sum % 31 + 1) as u32)
}

/// Finds the temporal expressions of a text, ascending and disjoint.
///
/// `reference` is the time of the document; without it only expressions that
/// state their year have a value.
pub fn temporal_expressions(text: &Text<'_>, reference: Option<NaiveDateTime>) -> Vec<TemporalExpression> {
    let mut found = reader::Reader::new(text, reference).read();
    join::join(text, &mut found);
    let mut expressions = resolve::resolve(text, &found, reference);
    // "90 années 90" reads as a length and as a decade: the first one stands.
    let mut last = 0;
    expressions.retain(|e| {
        let apart = e.start >= last;
        if apart {
            last = e.end;
        }
        apart
    });
    expressions
}
