//! When the stay was: by the encounter, else by what the document says of itself.

use chrono::{Days, Duration, NaiveDate, NaiveDateTime, NaiveTime};
use sillage_clinical::analysis::Analysis;
use sillage_clinical::temporal::{Precision, TemporalExpression, TemporalKind};

use crate::Facts;
use crate::episode::stay::{leaves_today, told_stay};

/// Longest stay that a text is believed to tell of.
const LONGEST: i64 = 150;

/// Until when a time is of the second day of a night.
const NOON: NaiveTime = match NaiveTime::from_hms_opt(12, 0, 0) {
    Some(noon) => noon,
    None => NaiveTime::MIN,
};

/// From when a time is of the evening, after which a morning is the next one.
const EVENING: NaiveTime = match NaiveTime::from_hms_opt(17, 0, 0) {
    Some(evening) => evening,
    None => NaiveTime::MIN,
};

/// How many times back an evening is looked for.
const TOLD: usize = 12;

/// Longest time in a stay of which a letter names no day.
const GAP: Duration = Duration::days(15);

/// The stay that a document tells of, and the days its text went through.
#[derive(Debug, Default)]
pub(crate) struct Stay {
    pub start: Option<NaiveDateTime>,
    pub end: Option<NaiveDateTime>,
    /// Days that the text names, with the byte they stand at, ascending.
    days: Vec<(usize, NaiveDate)>,
    /// Of those the places of nights: "dans la nuit du 3 au 4".
    nights: Vec<usize>,
    /// Of those the ones that open an entry of a log: "16/03 09h05 - arrivée".
    entries: Vec<(usize, NaiveDate)>,
}

/// Nothing but a bullet stands before this byte on its line.
fn opens_line(analysis: &Analysis<'_>, at: usize) -> bool {
    let before = &analysis.text.original[..at];
    let line = &before[before.rfind('\n').map_or(0, |end| end + 1)..];
    line.trim_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '*' | '•' | '>' | '[')).is_empty()
}

impl Stay {
    pub(crate) fn new(analysis: &Analysis<'_>, facts: &Facts<'_>, document_type: &str) -> Stay {
        let mut stay = Stay { start: facts.stay_start, end: facts.stay_end, ..Stay::default() };
        let Some(reference) = analysis.reference() else { return stay };
        let recent = |value: NaiveDateTime| {
            let age = (reference.date() - value.date()).num_days();
            (-1..=LONGEST).contains(&age)
        };
        let mut birth = facts.birth_date;
        for time in analysis.times() {
            let Some(value) = time.value.filter(|v| time.precision >= Precision::Day && recent(*v)) else { continue };
            if birth == Some(value.date()) {
                birth = None;
                continue;
            }
            // A day among the antecedents is no day of the stay.
            if analysis.section_at_byte(time.start) == Some("history") {
                continue;
            }
            match time.kind {
                TemporalKind::Period => {
                    // "Nuit du 11 au 12/04 : calme" is an entry of the notes.
                    let night = matches!(document_type, "nursing" | "progress")
                        && time.until.is_some_and(|until| Some(until.date()) == value.date().succ_opt());
                    if stay.start.is_none()
                        && !night
                        && document_type != "rehabilitation"
                        && let Some(until) = time.until.filter(|u| *u > value && recent(*u) && u.date() != value.date())
                    {
                        stay.start = Some(value);
                        stay.end = stay.end.or(Some(until));
                    }
                    stay.days.push((time.start, value.date()));
                    if time.until.is_some_and(|until| Some(until.date()) == value.date().succ_opt()) {
                        stay.nights.push(time.start);
                    }
                }
                TemporalKind::Date => {
                    stay.days.push((time.start, value.date()));
                    if opens_line(analysis, time.start) {
                        stay.entries.push((time.start, value.date()));
                    }
                }
                _ => {}
            }
        }
        if stay.start.is_none() {
            stay.start = match document_type {
                "emergency" | "procedure" | "anesthesia" => Some(reference),
                // A letter that names no day but its own does not tell when the stay began.
                "discharge" => stay.first_day().filter(|day| *day < reference.date()).map(|day| day.and_time(NaiveTime::MIN)),
                _ => None,
            };
        }
        let leaves = || told_stay(&analysis.text, analysis.times(), Some(reference)).1.is_some_and(|(day, ..)| day == reference.date());
        let parts = || matches!(document_type, "nursing" | "progress" | "other") && leaves_today(&analysis.text).is_some();
        if stay.end.is_none() && (document_type == "discharge" || document_type == "nursing" && leaves() || parts()) {
            stay.end = Some(reference);
        }
        stay
    }

    /// The first of the days that a letter at the end of a stay went through: those
    /// before a long gap are of something else.
    fn first_day(&self) -> Option<NaiveDate> {
        let mut days: Vec<NaiveDate> = self.days.iter().map(|(_, day)| *day).collect();
        days.sort_unstable();
        let mut first = *days.last()?;
        for day in days.iter().rev() {
            if first - *day > GAP {
                break;
            }
            first = *day;
        }
        Some(first)
    }

    /// "Couché hier à 23 h 15. Réveil à 6 h 40, arrivé à 8 h 05": the story has gone through an
    /// evening of the day that a clock time was read with.
    fn after_evening(&self, analysis: &Analysis<'_>, time: &TemporalExpression, value: NaiveDateTime) -> bool {
        let times = analysis.times();
        let before = times.partition_point(|t| t.start < time.start);
        let told = |t: &&TemporalExpression| t.value.is_some_and(|v| v.date() == value.date());
        times[..before].iter().rev().take(TOLD).take_while(told).any(|t| t.value.is_some_and(|v| v.time() >= EVENING))
    }

    /// The day of a line of a log that opens with its hour, under an entry that opened with the day.
    fn entry_day(&self, analysis: &Analysis<'_>, time: &TemporalExpression, value: NaiveDateTime) -> Option<NaiveDate> {
        let (at, day) = *self.entries[..self.entries.partition_point(|(at, _)| *at < time.start)].last()?;
        let line = opens_line(analysis, time.start).then_some(time.start)?;
        let entries = &analysis.text.original[at..line];
        let whole = &entries[..entries.rfind('\n').unwrap_or(0)];
        let blank = whole.lines().skip(1).any(|l| l.trim().is_empty());
        // Hours that run back have passed midnight.
        let times = analysis.times();
        let between = &times[times.partition_point(|t| t.start < at)..times.partition_point(|t| t.start < time.start)];
        let entry = |t: &&TemporalExpression| t.precision >= Precision::Hour && (t.start == at || opens_line(analysis, t.start));
        let mut last = value.time();
        let mut nights = 0;
        for before in between.iter().rev().filter(entry).filter_map(|t| t.value) {
            nights += u64::from(before.time() > last && before.time() >= EVENING && last < NOON);
            last = before.time();
        }
        (!blank).then(|| day.checked_add_days(Days::new(nights)))?
    }

    /// The instant that a clock time means, where its day is not written beside it.
    pub(crate) fn instant(&self, analysis: &Analysis<'_>, time: &TemporalExpression, document_type: &str) -> Option<NaiveDateTime> {
        let value = time.value?;
        let Some(reference) = analysis.reference() else { return Some(value) };
        if time.kind != TemporalKind::Time {
            return Some(value);
        }
        // The day it was read with is that of a birth, or of something as old.
        let old = (reference.date() - value.date()).num_days() > LONGEST;
        let value = if old { reference.date().and_time(value.time()) } else { value };
        let before = self.days.partition_point(|(at, _)| *at < time.start);
        // "Retirée la veille. Ponction à 15h41": the hours of an act are those of its day.
        let act = matches!(document_type, "procedure" | "anesthesia");
        let eve =
            act && value.date().succ_opt() == Some(reference.date()) && !self.days[..before].iter().any(|(_, day)| *day == value.date());
        let value = if eve { reference.date().and_time(value.time()) } else { value };
        if value.date() != reference.date() {
            // "Dans la nuit du 3 au 4, levé à 2 h": after midnight, or on the morning after.
            let night = self.days[..before].last().is_some_and(|(at, day)| *day == value.date() && self.nights.contains(at));
            let next = (night || self.after_evening(analysis, time, value)) && value.time() < NOON;
            return value.checked_add_signed(Duration::days(i64::from(next)));
        }
        let looks_back = matches!(document_type, "discharge" | "consultation" | "rehabilitation" | "other");
        if looks_back {
            let day = self.days[..before]
                .iter()
                .rev()
                .map(|(_, day)| *day)
                .find(|day| self.start.is_none_or(|s| *day >= s.date() - Duration::days(2)));
            let day = day.filter(|d| *d != reference.date()).or(self.start.map(|s| s.date()));
            return Some(day.unwrap_or(value.date()).and_time(value.time()));
        }
        if let Some(day) = self.entry_day(analysis, time, value) {
            return Some(day.and_time(value.time()));
        }
        // A clock time ahead of the document is of the day before; midnight is no time of writing.
        if reference.time() != NaiveTime::MIN && value - reference > Duration::minutes(if document_type == "emergency" { 240 } else { 90 })
        {
            return value.checked_sub_signed(Duration::days(1));
        }
        Some(value)
    }
}
