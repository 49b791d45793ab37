//! Time stamps of HL7 version 3: `YYYYMMDDhhmmss.f±zzzz`, cut off anywhere.

use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

use super::tree::Element;

/// How exactly a moment is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// A point in time by the clock of the site. What a stamp leaves out is its
/// first possible value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub at: NaiveDateTime,
    pub precision: Precision,
    /// Whether the stamp names its zone; else it is by the clock of its writer.
    pub zoned: bool,
}

/// From when to when, as far as known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Interval {
    pub low: Option<Moment>,
    pub high: Option<Moment>,
}

impl Moment {
    /// Reads a stamp. A time of day or a zone that makes no sense is left out,
    /// the date kept.
    pub fn parse(stamp: &str, site: Tz) -> Option<Self> {
        let stamp = stamp.trim();
        let (clock, zone) = stamp.find(['+', '-']).map_or((stamp, ""), |at| stamp.split_at(at));
        let (digits, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        let part = |from: usize, to: usize| -> Option<Option<u32>> {
            match digits.get(from..to) {
                Some(part) => number(part).map(Some),
                None => Some(None),
            }
        };
        let year = number(digits.get(..4)?)?;
        let month = part(4, 6)?;
        let day = if month.is_some() { part(6, 8)? } else { None };
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month.unwrap_or(1), day.unwrap_or(1))?;
        let dated = |precision| Some(Moment { at: date.and_time(NaiveTime::MIN), precision, zoned: false });
        let (Some(_), Some(_)) = (month, day) else {
            return dated(if month.is_some() { Precision::Month } else { Precision::Year });
        };
        let (hour, minute, second) = match (part(8, 10), part(10, 12), part(12, 14)) {
            (Some(Some(hour)), minute, second) => (hour, minute.flatten(), second.flatten()),
            _ => return dated(Precision::Day),
        };
        let micros = fraction.get(..fraction.len().min(6)).and_then(number).map_or(0, |f| f * 10u32.pow(6 - fraction.len().min(6) as u32));
        let Some(time) = NaiveTime::from_hms_micro_opt(hour, minute.unwrap_or(0), second.unwrap_or(0).min(59), micros) else {
            return dated(Precision::Day);
        };
        let precision = match (minute, second) {
            (None, _) => Precision::Hour,
            (_, None) => Precision::Minute,
            _ => Precision::Second,
        };
        let local = date.and_time(time);
        let instant = offset(zone).and_then(|offset| local.and_local_timezone(offset).single());
        let at = instant.map_or(local, |instant| instant.with_timezone(&site).naive_local());
        Some(Moment { at, precision, zoned: instant.is_some() })
    }
}

impl Interval {
    /// Reads TS and IVL_TS: `value`, `low` and `high`, or `center`.
    pub(super) fn read(element: &Element, site: Tz) -> Option<Self> {
        let stamp = |e: &Element| e.attribute("value").and_then(|v| Moment::parse(v, site));
        if let Some(moment) = stamp(element) {
            return Some(Interval { low: Some(moment), high: Some(moment) });
        }
        let bound = |name| element.child(name).and_then(stamp);
        let center = bound("center");
        let interval = Interval { low: bound("low").or(center), high: bound("high").or(center) };
        (interval != Interval::default()).then_some(interval)
    }
}

fn number(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn offset(zone: &str) -> Option<FixedOffset> {
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits: String = zone.get(1..)?.chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (number(&digits)?, 0),
        4 => (number(digits.get(..2)?)?, number(digits.get(2..)?)?),
        _ => return None,
    };
    if minutes > 59 || hours > 14 {
        return None;
    }
    FixedOffset::east_opt(sign * i32::try_from(hours * 3600 + minutes * 60).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(stamp: &str) -> String {
        Moment::parse(stamp, Tz::Europe__Paris)
            .map_or("none".into(), |m| format!("{} {:?}", m.at.format("%Y-%m-%d %H:%M:%S%.f"), m.precision))
    }

    #[test]
    fn every_precision() {
        assert_eq!(wall("2018"), "2018-01-01 00:00:00 Year");
        assert_eq!(wall("201809"), "2018-09-01 00:00:00 Month");
        assert_eq!(wall("20180923"), "2018-09-23 00:00:00 Day");
        assert_eq!(wall("2018092320"), "2018-09-23 20:00:00 Hour");
        assert_eq!(wall("201809232030"), "2018-09-23 20:30:00 Minute");
        assert_eq!(wall("20180923203015.25"), "2018-09-23 20:30:15.250 Second");
    }

    #[test]
    fn zones_become_the_clock_of_the_site() {
        assert_eq!(wall("20180923232000+0100"), "2018-09-24 00:20:00 Second");
        assert_eq!(wall("20181203111700+0100"), "2018-12-03 11:17:00 Second");
        assert_eq!(wall("20181203111700-0500"), "2018-12-03 17:17:00 Second");
        assert_eq!(wall("20210409094914.827+0100"), "2021-04-09 10:49:14.827 Second");
    }

    #[test]
    fn nonsense_costs_as_little_as_it_can() {
        assert_eq!(wall("201809239999"), "2018-09-23 00:00:00 Day");
        assert_eq!(wall("201809231017+99"), "2018-09-23 10:17:00 Minute");
        for bad in ["", "hier", "20181301", "20180230", "18", "00000000", "é2018"] {
            assert_eq!(wall(bad), "none", "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(stamp in "[0-9.+é-]{0,26}") {
            Moment::parse(&stamp, Tz::Pacific__Kiritimati);
        }
    }
}
