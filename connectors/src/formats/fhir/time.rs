//! FHIR `date`, `dateTime` and `instant`, partial or not.

use chrono::{DateTime, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// A point in time as written: perhaps without time of day, perhaps without zone.
/// What a partial date leaves out is its first possible value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FhirTime {
    local: NaiveDateTime,
    offset: Option<FixedOffset>,
}

impl FhirTime {
    /// `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, or with `Thh:mm[:ss[.f]][zone]`. A time
    /// or a zone that makes no sense is left out, the date kept.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (date, time) = match text.find(['T', 't', ' ']) {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text, ""),
        };
        let mut parts = date.split('-');
        let year = parts.next().filter(|y| y.len() == 4)?;
        let year = number(year)?;
        let month = parts.next().map_or(Some(1), number)?;
        let day = parts.next().map_or(Some(1), number)?;
        if parts.next().is_some() {
            return None;
        }
        let date = NaiveDate::from_ymd_opt(year as i32, month, day)?;
        let (time, offset) = match clock(time) {
            Some((time, zone)) => (time, zone_offset(zone)),
            None => (NaiveTime::MIN, None),
        };
        Some(FhirTime { local: date.and_time(time), offset })
    }

    /// Wall-clock time in that zone; a time without zone is taken as that already.
    pub fn wall_clock(self, zone: Tz) -> NaiveDateTime {
        match self.offset.and_then(|offset| self.local.and_local_timezone(offset).single()) {
            Some(instant) => instant.with_timezone(&zone).naive_local(),
            None => self.local,
        }
    }

    /// The instant; a time without zone is taken as wall-clock time of that zone.
    pub fn instant(self, zone: Tz) -> DateTime<Utc> {
        if let Some(instant) = self.offset.and_then(|offset| self.local.and_local_timezone(offset).single()) {
            return instant.with_timezone(&Utc);
        }
        match zone.from_local_datetime(&self.local) {
            LocalResult::Single(t) | LocalResult::Ambiguous(t, _) => t.with_timezone(&Utc),
            LocalResult::None => self.local.and_utc(),
        }
    }
}

fn number(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// `hh:mm[:ss[.f]]` and what follows it.
fn clock(text: &str) -> Option<(NaiveTime, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || ":.".contains(c))).unwrap_or(text.len());
    let (time, zone) = text.split_at(end);
    let mut parts = time.split(':');
    let hour = parts.next().and_then(number)?;
    let minute = parts.next().and_then(number)?;
    let (second, fraction) = parts.next().map_or(("0", ""), |s| s.split_once('.').unwrap_or((s, "")));
    let micros = match fraction.get(..fraction.len().min(6)) {
        Some(digits) if !digits.is_empty() => number(digits)? * 10u32.pow(6 - digits.len() as u32),
        _ => 0,
    };
    let time = NaiveTime::from_hms_micro_opt(hour, minute, number(second)?.min(59), micros)?;
    Some((time, zone))
}

fn zone_offset(zone: &str) -> Option<FixedOffset> {
    let zone = zone.trim();
    if zone.eq_ignore_ascii_case("z") || zone.eq_ignore_ascii_case("utc") {
        return FixedOffset::east_opt(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
    let all = number(&digits)?;
    let (hours, minutes) = match digits.len() {
        2 => (all, 0),
        4 => (all / 100, all % 100),
        _ => return None,
    };
    if minutes > 59 || hours > 14 {
        return None;
    }
    FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(text: &str) -> String {
        FhirTime::parse(text).map_or("none".into(), |t| t.wall_clock(Tz::Europe__Paris).format("%Y-%m-%d %H:%M:%S%.f").to_string())
    }

    #[test]
    fn every_precision() {
        assert_eq!(wall("2024"), "2024-01-01 00:00:00");
        assert_eq!(wall("2024-03"), "2024-03-01 00:00:00");
        assert_eq!(wall("2024-03-05"), "2024-03-05 00:00:00");
        assert_eq!(wall("2024-03-05T13:05"), "2024-03-05 13:05:00");
        assert_eq!(wall("2024-03-05T13:05:07.1234567"), "2024-03-05 13:05:07.123456");
        assert_eq!(wall("2024-03-05 13:05:07"), "2024-03-05 13:05:07");
    }

    #[test]
    fn zones_become_wall_clock() {
        assert_eq!(wall("2024-03-05T13:05:00Z"), "2024-03-05 14:05:00");
        assert_eq!(wall("2024-07-05T13:05:00Z"), "2024-07-05 15:05:00");
        assert_eq!(wall("2024-07-05T23:30:00-0400"), "2024-07-06 05:30:00");
        assert_eq!(wall("2024-03-05T13:05:00+01:00"), "2024-03-05 13:05:00");
    }

    #[test]
    fn a_damaged_zone_is_none() {
        for zone in ["+0\u{9c}2", "+é1", "+01é", "+", "+-1:0"] {
            assert_eq!(wall(&format!("2024-03-05T13:05:00{zone}")), wall("2024-03-05T13:05:00+99:99"), "{zone}");
        }
    }

    #[test]
    fn nonsense_costs_as_little_as_it_can() {
        assert_eq!(wall("2024-03-05T25:99:00Z"), "2024-03-05 00:00:00");
        assert_eq!(wall("2024-03-05T10:00:00+99:99"), "2024-03-05 10:00:00");
        for bad in ["", "hier", "2024-13", "2024-02-30", "24-01-01", "2024-01-01-01", "T10:00"] {
            assert_eq!(wall(bad), "none", "{bad}");
        }
    }

    #[test]
    fn instants_without_zone_are_the_sites() {
        let instant = |text| FhirTime::parse(text).map(|t| t.instant(Tz::Europe__Paris).to_rfc3339());
        assert_eq!(instant("2024-07-05T13:05:00").as_deref(), Some("2024-07-05T11:05:00+00:00"));
        assert_eq!(instant("2024-03-31T02:30:00").as_deref(), Some("2024-03-31T02:30:00+00:00"));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "[0-9TZ:+. é-]{0,30}") {
            if let Some(time) = FhirTime::parse(&text) {
                time.instant(Tz::Europe__Paris);
                time.wall_clock(Tz::Pacific__Kiritimati);
            }
        }
    }
}
