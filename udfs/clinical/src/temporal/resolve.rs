//! Values: what the calendar, the reference and the text before make of an expression.

use super::lexicon::{Holiday, Unit};
use super::reader::{Calendar, Clock, Day, Direction, Edge, Instant, Origin, Raw, What};
use super::{Precision, TemporalExpression, TemporalKind};
use crate::is;
use crate::text::{Kind, Text};
use chrono::{Datelike, Duration, Months, NaiveDate, NaiveDateTime, NaiveTime};

/// Most days from the reference to an entry of its notes.
const COMING: i64 = 45;
/// Days within which an appointment is given where the same day of last year is long gone.
const SEASON: i64 = 100;
/// Days after which nobody tells a day without its year.
const LONG_GONE: i64 = 240;

/// Days of the longest such month.
pub fn longest_month(month: u8) -> u32 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Gives every expression its kind and value.
pub fn resolve(text: &Text<'_>, found: &[Raw], reference: Option<NaiveDateTime>) -> Vec<TemporalExpression> {
    let mut resolver = Resolver {
        text,
        reference,
        day_zeros: Vec::new(),
        hour_zero: None,
        scope: None,
        heading: None,
        narrative: None,
        sentence: None,
        at: 0,
    };
    resolver.anchors(found);
    let mut seen = 0;
    let mut out = Vec::with_capacity(found.len());
    for raw in found {
        resolver.walk(seen, raw.first);
        seen = raw.first;
        resolver.at = raw.first;
        let expression = resolver.expression(raw);
        resolver.remember(raw, &expression);
        out.push(expression);
    }
    out
}

struct Resolver<'t, 'a> {
    text: &'t Text<'a>,
    reference: Option<NaiveDateTime>,
    /// Token and date of each statement of J0.
    day_zeros: Vec<(usize, NaiveDate)>,
    hour_zero: Option<NaiveDateTime>,
    /// Date before in the sentence or line.
    scope: Option<NaiveDate>,
    /// Date that stands alone on a line above, and the token after it.
    heading: Option<(NaiveDate, usize)>,
    /// Last day the text spoke of.
    narrative: Option<NaiveDate>,
    /// Date before in the sentence, for `3 jours après`.
    sentence: Option<NaiveDateTime>,
    /// First token of the expression being resolved.
    at: usize,
}

impl Resolver<'_, '_> {
    /// Follows sentences, lines and paragraphs from one token to another.
    fn walk(&mut self, from: usize, to: usize) {
        for at in from..=to {
            let Some(token) = self.text.tokens.get(at) else { return };
            if token.lines_before == 0 || at == 0 {
                continue;
            }
            let ended = is!(self.text.key(at - 1), "." | ";" | ":" | "!" | "?");
            let wrapped = token.lines_before == 1 && !ended && token.kind == Kind::Word && !token.capital;
            if !wrapped {
                self.scope = None;
                self.sentence = None;
            }
            if token.lines_before > 1 && self.heading.is_some_and(|(_, end)| end != at) {
                self.heading = None;
            }
        }
    }

    /// Keeps what later expressions count from.
    fn remember(&mut self, raw: &Raw, expression: &TemporalExpression) {
        let (What::Instant(instant) | What::Range(instant, _)) = raw.what else { return };
        let Some(value) = expression.value else { return };
        let single_day = instant.day.is_some() && expression.precision >= Precision::Day;
        let birth = matches!(instant.day, Some(Day::Calendar(Calendar { birth: true, .. })));
        if birth {
            return;
        }
        if !single_day {
            return;
        }
        self.sentence = Some(value);
        let date = value.date();
        self.scope = Some(date);
        let recent = self.reference.is_none_or(|r| (-400..=31).contains(&(date - r.date()).num_days()));
        if recent {
            self.narrative = Some(date);
        }
        // A weekday or an article may open the line.
        let opens = (raw.first.saturating_sub(2)..=raw.first).any(|i| i == 0 || self.text.tokens[i].lines_before > 0);
        let mark = usize::from(is!(self.text.key(raw.last), ":" | "-" | "."));
        let ends = self.text.tokens.get(raw.last + mark).is_some_and(|t| t.lines_before > 0);
        // "06/02 13h45 : thrombolyse décidée" heads an entry of several lines.
        let entry = mark == 1 && is!(self.text.key(raw.last), ":") && instant.clock.is_some() && recent;
        if opens && (ends || entry) {
            self.heading = Some((date, raw.last + mark));
        }
    }

    /// Collects `J0 (11/03)`, `11 mars : J0`, `J2 = 13/03` and the like for hours.
    fn anchors(&mut self, found: &[Raw]) {
        for pair in found.windows(2) {
            let [a, b] = pair else { continue };
            let (What::Instant(x), What::Instant(y)) = (a.what, b.what) else { continue };
            let gap = a.last..b.first;
            if gap.len() > 3 {
                continue;
            }
            let linked = |allowed: &[&str]| {
                gap.clone().all(|i| allowed.contains(&self.text.fold(i)))
                    && self.text.tokens.get(gap.start..=b.first).is_some_and(|t| t.iter().all(|t| t.lines_before == 0))
            };
            let forward = linked(&["(", "=", ":", "le", "du", "-", ",", "soit", "["]);
            let closed = is!(self.text.key(b.last), ")" | "]" | ":") || is!(self.text.key(gap.start), "=" | ":" | "-");
            let backward = closed && linked(&["(", "=", ":", "-", "soit", "["]) || gap.is_empty();
            if let Some((steps, unit)) = study_time(&x).filter(|_| forward)
                && let Some(value) = self.stated(&y)
            {
                self.anchor(a.first, value, steps, unit, y.clock.is_some());
            } else if let Some((steps, unit)) = study_time(&y).filter(|_| backward)
                && let Some(value) = self.stated(&x)
            {
                self.anchor(b.first, value, steps, unit, x.clock.is_some());
            }
        }
    }

    fn anchor(&mut self, at: usize, value: NaiveDateTime, steps: f32, unit: Unit, timed: bool) {
        match unit {
            Unit::Day => {
                if let Some(zero) = Duration::try_days(steps as i64).and_then(|d| value.date().checked_sub_signed(d)) {
                    self.day_zeros.push((at, zero));
                }
            }
            Unit::Hour if timed && self.hour_zero.is_none() => {
                self.hour_zero = Duration::try_minutes((steps * 60.0).round() as i64).and_then(|d| value.checked_sub_signed(d));
            }
            _ => {}
        }
    }

    /// Value of a date that the calendar and the reference decide.
    fn stated(&self, instant: &Instant) -> Option<NaiveDateTime> {
        let day = match instant.day {
            Some(Day::Calendar(calendar)) if calendar.day > 0 => self.calendar(&calendar)?.0,
            Some(Day::Shift { from: Origin::Reference, amount: Some(amount), unit: Unit::Day }) => {
                self.reference?.date() + Duration::try_days(amount as i64)?
            }
            Some(_) => return None,
            None => self.reference?.date(),
        };
        Some(at_clock(day, instant.clock))
    }

    fn expression(&self, raw: &Raw) -> TemporalExpression {
        let bytes = self.text.byte_range(raw.first..raw.last);
        let mut out = TemporalExpression {
            start: bytes.start,
            end: bytes.end,
            kind: TemporalKind::Frequency,
            value: None,
            until: None,
            precision: Precision::Day,
            duration_minutes: None,
            age_years: None,
            approximate: raw.approximate,
        };
        match raw.what {
            What::Frequency => {}
            What::Age { years, unit } => {
                out.kind = TemporalKind::Age;
                out.age_years = Some(years);
                out.precision = precision(unit);
            }
            What::Length { amount, unit, minutes, since } => {
                out.kind = TemporalKind::Duration;
                out.duration_minutes = minutes;
                out.precision = precision(unit);
                if since {
                    out.value = amount.zip(self.reference).and_then(|(a, r)| shifted(r, -a, unit));
                }
            }
            What::Instant(instant) => {
                out.kind = kind(&instant);
                if let Some(Day::Shift { amount: Some(amount), unit, .. }) = instant.day {
                    out.duration_minutes = Some((f64::from(amount) * unit.minutes()).round() as i64);
                }
                (out.value, out.until, out.precision) = self.instant(&instant);
            }
            What::Range(from, to) => {
                out.kind = TemporalKind::Period;
                self.range(&from, &to, &mut out);
            }
        }
        out
    }

    fn range(&self, from: &Instant, to: &Instant, out: &mut TemporalExpression) {
        let (value, _, fine) = self.instant(from);
        let (until, until_last, other) = self.instant(to);
        out.precision = fine.max(other);
        out.value = value;
        out.until = until_last.or(until);
        let (Some(start), Some(end)) = (out.value, out.until) else { return };
        if end >= start {
            return;
        }
        // Past midnight, or over the turn of the year.
        if from.clock.is_some() && to.clock.is_some() && start.date() == end.date() {
            out.until = end.checked_add_signed(Duration::days(1));
        } else if matches!(
            (from.day, to.day),
            (Some(Day::Calendar(Calendar { year: None, .. })), Some(Day::Calendar(Calendar { year: None, .. })))
        ) {
            out.value = start.checked_sub_months(Months::new(12));
        }
    }

    /// Start, start of the last unit where there are several, and the unit.
    fn instant(&self, instant: &Instant) -> (Option<NaiveDateTime>, Option<NaiveDateTime>, Precision) {
        let clock_precision = instant.clock.map(|c| if c.minute.is_some() { Precision::Minute } else { Precision::Hour });
        let Some(day) = instant.day else {
            let date = self.scope.or(self.heading.map(|h| h.0)).or(self.reference.map(|r| r.date()));
            return (date.map(|d| at_clock(d, instant.clock)), None, clock_precision.unwrap_or(Precision::Hour));
        };
        let midnight = |d: NaiveDate| d.and_time(NaiveTime::MIN);
        match day {
            Day::Calendar(calendar) => {
                let (date, unit) = match self.calendar(&calendar) {
                    Some((date, unit)) => (Some(date), unit),
                    None => (None, if calendar.day > 0 { Precision::Day } else { Precision::Month }),
                };
                (date.map(|d| at_clock(d, instant.clock)), None, clock_precision.unwrap_or(unit))
            }
            Day::Holiday { holiday, year, direction } => {
                let date = match year {
                    Some(year) => feast(holiday, year),
                    None => self.nearest(direction, |year| feast(holiday, year)),
                };
                (date.map(|d| at_clock(d, instant.clock)), None, clock_precision.unwrap_or(Precision::Day))
            }
            Day::Season { month, year, direction } => {
                let date = match year {
                    Some(year) => NaiveDate::from_ymd_opt(year, u32::from(month), 1),
                    None => self.nearest(direction, |year| NaiveDate::from_ymd_opt(year, u32::from(month), 1)),
                };
                (date.map(midnight), date.and_then(|d| d.checked_add_months(Months::new(2))).map(midnight), Precision::Month)
            }
            Day::Decade(year) => {
                let start = |y| NaiveDate::from_ymd_opt(y, 1, 1).map(midnight);
                (start(year), start(year + 9), Precision::Year)
            }
            Day::Weekday { weekday, direction } => {
                let date = self.reference.and_then(|r| {
                    let behind = i64::from((r.weekday().number_from_monday() + 7 - u32::from(weekday)) % 7);
                    let days = match direction {
                        Direction::Past => -behind,
                        Direction::Last => -if behind == 0 { 7 } else { behind },
                        Direction::Next => 7 - behind,
                    };
                    r.date().checked_add_signed(Duration::days(days))
                });
                (date.map(|d| at_clock(d, instant.clock)), None, clock_precision.unwrap_or(Precision::Day))
            }
            Day::Shift { from, amount, unit } => {
                let value = amount.and_then(|a| shifted(self.origin(from)?, a, unit));
                let value = match (value, instant.clock) {
                    (Some(value), Some(_)) => Some(at_clock(value.date(), instant.clock)),
                    (value, _) => value,
                };
                (value, None, clock_precision.unwrap_or(precision(unit)))
            }
        }
    }

    fn origin(&self, from: Origin) -> Option<NaiveDateTime> {
        let midnight = |d: NaiveDate| d.and_time(NaiveTime::MIN);
        match from {
            Origin::Reference => self.reference,
            Origin::Narrative => self.narrative.map(midnight).or(self.reference),
            Origin::Sentence => self.sentence,
            Origin::DayZero => self.day_zero().map(midnight),
            Origin::HourZero => self.hour_zero,
            Origin::Event => None,
        }
    }

    /// J0 stated last before here, else the first of the text.
    fn day_zero(&self) -> Option<NaiveDate> {
        let before = self.day_zeros.partition_point(|(at, _)| *at <= self.at);
        self.day_zeros.get(before.saturating_sub(1)).map(|(_, date)| *date)
    }

    fn calendar(&self, calendar: &Calendar) -> Option<(NaiveDate, Precision)> {
        let Calendar { year, month, day, weekday, edge, direction, .. } = *calendar;
        let (month, day) = (u32::from(month), u32::from(day));
        if month == 0 && day == 0 {
            let month = match edge {
                Edge::None | Edge::Start => 1,
                Edge::Middle => 5,
                Edge::End => 10,
            };
            return Some((NaiveDate::from_ymd_opt(year?, month, 1)?, Precision::Year));
        }
        if month == 0 {
            return Some((self.day_of_month(day, weekday, direction)?, Precision::Day));
        }
        if day == 0 {
            let start = match edge {
                Edge::None | Edge::Start => 1,
                Edge::Middle => 11,
                Edge::End => 21,
            };
            let date = match year {
                Some(year) => NaiveDate::from_ymd_opt(year, month, start),
                None => {
                    let r = self.reference?.date();
                    let year = match direction {
                        Direction::Past => r.year() - i32::from(month > r.month()),
                        Direction::Last => r.year() - i32::from(month >= r.month()),
                        Direction::Next => r.year() + i32::from(month < r.month()),
                    };
                    NaiveDate::from_ymd_opt(year, month, start)
                }
            };
            return Some((date?, Precision::Month));
        }
        if let Some(year) = year {
            return Some((NaiveDate::from_ymd_opt(year, month, day)?, Precision::Day));
        }
        let past = self.nearest(direction, |year| NaiveDate::from_ymd_opt(year, month, day))?;
        if direction != Direction::Past {
            return Some((past, Precision::Day));
        }
        let next = self.nearest(Direction::Next, |year| NaiveDate::from_ymd_opt(year, month, day));
        // A weekday that fits only one of the two decides. Without one a day soon to come is meant rather
        // than one of last year: appointments, and notes that go on behind the day they were begun.
        let fits = |d: &NaiveDate| weekday == 0 || d.weekday().number_from_monday() == u32::from(weekday);
        let near = |d: &NaiveDate| {
            self.reference.is_some_and(|r| {
                let (coming, gone) = ((*d - r.date()).num_days(), (r.date() - past).num_days());
                coming <= COMING || coming <= SEASON && gone >= LONG_GONE
            })
        };
        let coming = next.filter(|next| if fits(&past) { weekday == 0 && near(next) && !self.done() } else { fits(next) });
        Some((coming.unwrap_or(past), Precision::Day))
    }

    /// "vu le 14/05": what stands before the day has happened.
    fn done(&self) -> bool {
        let before = self.at.saturating_sub(1);
        let verb = self.text.fold(if is!(self.text.key(before), "le" | "du") { before.saturating_sub(1) } else { before });
        ["vu", "fait", "realis", "effectu", "pratiqu", "hospitalis", "oper", "admis", "recu", "examin"]
            .iter()
            .any(|participle| verb.strip_prefix(participle).is_some_and(|end| matches!(end, "" | "e" | "s" | "es" | "ee" | "ees")))
    }

    /// `lundi 12`: the month nearest to the reference where both fit.
    fn day_of_month(&self, day: u32, weekday: u8, direction: Direction) -> Option<NaiveDate> {
        let r = self.reference?.date();
        let month = |k: i32| {
            let first = r.with_day(1)?;
            let first = if k < 0 {
                first.checked_sub_months(Months::new(k.unsigned_abs()))?
            } else {
                first.checked_add_months(Months::new(k as u32))?
            };
            first.with_day(day)
        };
        let next = direction == Direction::Next;
        let allowed = |d: &NaiveDate| if next { *d >= r } else { *d <= r };
        let order = |k: i32| if next { k } else { -k };
        let all = || (0..14).filter_map(|k| month(order(k))).filter(allowed);
        let fits = |d: &NaiveDate| weekday == 0 || d.weekday().number_from_monday() == u32::from(weekday);
        let coming = || (0..2).filter_map(month).find(|d| fits(d));
        all().take(2).find(fits).or_else(coming).or_else(|| all().next())
    }

    /// Date without a year, the nearest on the side asked for.
    fn nearest(&self, direction: Direction, date: impl Fn(i32) -> Option<NaiveDate>) -> Option<NaiveDate> {
        let r = self.reference?.date();
        match direction {
            Direction::Next => (0..=8).find_map(|k| date(r.year() + k).filter(|d| *d >= r)),
            Direction::Past => (0..=8).find_map(|k| date(r.year() - k).filter(|d| *d <= r)),
            Direction::Last => (0..=8).find_map(|k| date(r.year() - k).filter(|d| *d < r)),
        }
    }
}

fn study_time(instant: &Instant) -> Option<(f32, Unit)> {
    match instant.day {
        Some(Day::Shift { from: Origin::DayZero, amount: Some(amount), unit: Unit::Day }) if instant.clock.is_none() => {
            Some((amount, Unit::Day))
        }
        Some(Day::Shift { from: Origin::HourZero, amount: Some(amount), unit: Unit::Hour }) if instant.clock.is_none() => {
            Some((amount, Unit::Hour))
        }
        _ => None,
    }
}

fn kind(instant: &Instant) -> TemporalKind {
    match instant.day {
        None => TemporalKind::Time,
        Some(Day::Shift { .. } | Day::Weekday { .. }) => TemporalKind::Relative,
        Some(_) => TemporalKind::Date,
    }
}

fn precision(unit: Unit) -> Precision {
    match unit {
        Unit::Second | Unit::Minute => Precision::Minute,
        Unit::Hour => Precision::Hour,
        Unit::Day | Unit::Week => Precision::Day,
        Unit::Month => Precision::Month,
        Unit::Year => Precision::Year,
    }
}

fn at_clock(date: NaiveDate, clock: Option<Clock>) -> NaiveDateTime {
    let time = clock.and_then(|c| NaiveTime::from_hms_opt(u32::from(c.hour), u32::from(c.minute.unwrap_or(0)), 0));
    date.and_time(time.unwrap_or(NaiveTime::MIN))
}

/// A point of time moved, then cut down to the start of the unit (hours keep their minutes).
fn shifted(from: NaiveDateTime, amount: f32, unit: Unit) -> Option<NaiveDateTime> {
    let months = |n: f32| {
        let count = Months::new(n.abs().round() as u32);
        if n < 0.0 { from.checked_sub_months(count) } else { from.checked_add_months(count) }
    };
    let minutes = |n: f32| from.checked_add_signed(Duration::try_minutes((f64::from(n) * unit.minutes()).round() as i64)?);
    let value = match unit {
        Unit::Year => months(amount * 12.0)?,
        Unit::Month if amount.fract() == 0.0 => months(amount)?,
        _ => minutes(amount)?,
    };
    let date = match unit {
        Unit::Second | Unit::Minute | Unit::Hour => return Some(value),
        Unit::Day | Unit::Week => value.date(),
        Unit::Month => value.date().with_day(1)?,
        Unit::Year => NaiveDate::from_ymd_opt(value.year(), 1, 1)?,
    };
    Some(date.and_time(NaiveTime::MIN))
}

/// Date of a holiday.
fn feast(holiday: Holiday, year: i32) -> Option<NaiveDate> {
    match holiday {
        Holiday::Fixed { month, day } => NaiveDate::from_ymd_opt(year, u32::from(month), u32::from(day)),
        Holiday::Moving { easter } => super::easter(year)?.checked_add_signed(Duration::days(i64::from(easter))),
    }
}
