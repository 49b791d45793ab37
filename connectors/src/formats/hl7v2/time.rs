//! Times: data types TS, DTM, DT (chapter 2.A.21, 2.A.22), every precision.

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;

use crate::formats::fhir::time::FhirTime;

/// Reads the times of one message.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    timezone: Tz,
    /// The zone of times without one, where it is not the site's.
    zone: Option<String>,
}

impl Clock {
    /// The zone of MSH-7 is that of all times of the message that have none
    /// (chapter 2.15.9.7). Where it is the site's own at that moment, the site's
    /// is meant: an offset of summer is not that of a stay in winter.
    pub fn new(message_time: &str, timezone: Tz) -> Self {
        let own = Clock { timezone, zone: None };
        let (_, zone) = split(message_time.trim());
        let same = own.time(message_time).is_none_or(|time| {
            let digits = message_time.trim().split(['+', '-']).next().unwrap_or_default();
            own.time(digits).is_some_and(|local| local.instant(timezone) == time.instant(timezone))
        });
        Clock { timezone, zone: (!zone.is_empty() && !same).then(|| zone.to_owned()) }
    }

    /// The site's wall clock at that time.
    pub fn wall_clock(&self, text: &str) -> Option<NaiveDateTime> {
        Some(self.time(text)?.wall_clock(self.timezone))
    }

    pub fn instant(&self, text: &str) -> Option<DateTime<Utc>> {
        Some(self.time(text)?.instant(self.timezone))
    }

    fn time(&self, text: &str) -> Option<FhirTime> {
        let text = text.trim();
        // What some write in spite of the standard.
        if text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-') {
            return FhirTime::parse(text);
        }
        let (time, zone) = split(text);
        let digits = time.bytes().take_while(u8::is_ascii_digit).count();
        let pair = |at: usize| time.get(at..at + 2).filter(|_| digits >= at + 2);
        let mut written = time.get(..4).filter(|_| digits >= 4)?.to_owned();
        for (at, before) in [(4, "-"), (6, "-"), (8, "T"), (10, ":"), (12, ":")] {
            let Some(pair) = pair(at) else { break };
            written += before;
            written += pair;
        }
        if digits >= 10 {
            if digits < 12 {
                written += ":00";
            }
            if let Some(fraction) = time.get(14..).filter(|rest| digits == 14 && rest.len() > 1 && rest.starts_with('.')) {
                written += fraction;
            }
            written += if zone.is_empty() { self.zone.as_deref().unwrap_or_default() } else { zone };
        }
        FhirTime::parse(&written)
    }
}

/// Digits and zone.
fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len()))
}

/// A day as `YYYY-MM-DD`, `None` where less is said.
pub(super) fn day(text: &str) -> Option<String> {
    let text = text.trim();
    let iso = text.as_bytes().get(4) == Some(&b'-');
    let complete = text.bytes().take(8).filter(u8::is_ascii_digit).count() == 8 || (iso && text.len() >= 10);
    let time = Clock { timezone: Tz::UTC, zone: None }.time(if iso { text.get(..10)? } else { text.get(..8)? })?;
    complete.then(|| time.wall_clock(Tz::UTC).format("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(message_time: &str, text: &str) -> String {
        let time = Clock::new(message_time, Tz::Europe__Paris).wall_clock(text);
        time.map_or("none".into(), |t| t.format("%Y-%m-%d %H:%M:%S%.f").to_string())
    }

    #[test]
    fn every_precision() {
        for (text, expected) in [
            ("2024", "2024-01-01 00:00:00"),
            ("202403", "2024-03-01 00:00:00"),
            ("20240305", "2024-03-05 00:00:00"),
            ("2024030513", "2024-03-05 13:00:00"),
            ("202403051305", "2024-03-05 13:05:00"),
            ("20240305130507", "2024-03-05 13:05:07"),
            ("20240305130507.1234", "2024-03-05 13:05:07.123400"),
            ("20240305130507.5+0000", "2024-03-05 14:05:07.500"),
            ("202403051305-0500", "2024-03-05 19:05:00"),
            ("2024030513+0100", "2024-03-05 13:00:00"),
            ("20240305+0000", "2024-03-05 00:00:00"),
            ("2024-03-05T13:05:07", "2024-03-05 13:05:07"),
            ("20240305130", "2024-03-05 13:00:00"),
            ("20240305130507123", "2024-03-05 13:05:07"),
        ] {
            assert_eq!(wall("", text).trim_end_matches('0'), expected.trim_end_matches('0'), "{text}");
        }
        for bad in ["", "hier", "20241301", "00000000", "24", "é"] {
            assert_eq!(wall("", bad), "none", "{bad}");
        }
    }

    #[test]
    fn the_zone_of_the_message_is_that_of_its_times() {
        assert_eq!(wall("20240305120000+0000", "20240305100000"), "2024-03-05 11:00:00");
        assert_eq!(wall("20240305120000-0500", "20240305"), "2024-03-05 00:00:00");
        // Sent in summer, about a stay in winter, in one and the same place.
        assert_eq!(wall("20240705120000+0200", "20240115100000"), "2024-01-15 10:00:00");
        assert_eq!(wall("20240705120000", "20240115100000"), "2024-01-15 10:00:00");
    }

    #[test]
    fn days_are_complete_or_none() {
        assert_eq!(day("19550601").as_deref(), Some("1955-06-01"));
        assert_eq!(day("195506011200+0100").as_deref(), Some("1955-06-01"));
        assert_eq!(day("1955-06-01").as_deref(), Some("1955-06-01"));
        for less in ["1955", "195506", "", "19551301", "é"] {
            assert_eq!(day(less), None, "{less}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(message in "[0-9+.Zé-]{0,24}", text in "[0-9+.TZ:é -]{0,24}") {
            let clock = Clock::new(&message, Tz::Europe__Paris);
            clock.wall_clock(&text);
            clock.instant(&text);
            day(&text);
        }
    }
}
