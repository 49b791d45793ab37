//! The moment of the story that a coded value belongs to: what the document model
//! says, or the value's own time against the stay.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use sillage_schemas::coded::Precision;

use super::mapping::Said;
use crate::Facts;
use crate::anchor::Moment;

/// Hours after the door that are the admission still.
const ADMISSION: i64 = 12;
/// Hours after the door that are a day later.
const DAY_1: std::ops::RangeInclusive<i64> = 18..=36;
/// Days after the stroke that are three months.
const MONTH_3: std::ops::RangeInclusive<i64> = 45..=135;
/// Days before its document at which a value cannot be of the moment that the document is of.
const OLD: i64 = 30;

/// When something was, and how exactly that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct When {
    pub at: NaiveDateTime,
    pub precision: Precision,
}

/// The moment of a value, and whether its own time contradicts the document.
pub(super) fn moment(said: Option<Said>, kind: &str, when: Option<When>, facts: &Facts<'_>) -> (Moment, bool) {
    match said {
        Some(Said::Moment(moment)) => {
            let contradicts = when.zip(facts.time).is_some_and(|(when, time)| !fits(when, time.date()));
            (moment, contradicts)
        }
        _ => (when.and_then(|when| by_time(when, kind, facts)).unwrap_or_else(|| by_kind(kind)), false),
    }
}

/// Whether a value of that time can be of the moment that a document of that day is of.
fn fits(when: When, day: NaiveDate) -> bool {
    let (first, last) = (day - TimeDelta::days(OLD), day + TimeDelta::days(1));
    let key = |date: NaiveDate| match when.precision {
        Precision::Year => date.format("%Y").to_string(),
        Precision::Month => date.format("%Y-%m").to_string(),
        _ => date.format("%Y-%m-%d").to_string(),
    };
    let own = key(when.at.date());
    key(first) <= own && own <= key(last)
}

/// Without a time of its own.
fn by_kind(kind: &str) -> Moment {
    match kind {
        "emergency" => Moment::Admission,
        "prehospital" | "referral" => Moment::Prehospital,
        "consultation" | "rehabilitation" => Moment::Later,
        _ => Moment::Stay,
    }
}

fn by_time(when: When, kind: &str, facts: &Facts<'_>) -> Option<Moment> {
    let Some(start) = facts.stay_start else {
        let time = facts.time?;
        let days = (time.date() - when.at.date()).num_days();
        return match kind {
            "emergency" if (0..=1).contains(&days) && when.precision >= Precision::Day => Some(Moment::Admission),
            "discharge" if days == 0 && when.precision >= Precision::Day => Some(Moment::Discharge),
            _ if !fits(when, time.date()) && when.at < time => Some(Moment::PreStroke),
            _ => None,
        };
    };
    let days = (when.at.date() - start.date()).num_days();
    if MONTH_3.contains(&days) {
        return Some(Moment::Month3);
    }
    if when.precision < Precision::Day {
        let before = !fits(when, start.date()) && when.at < start;
        return before.then_some(Moment::PreStroke);
    }
    let timed = when.precision >= Precision::Hour && start.time() != NaiveTime::MIN;
    let hours = (when.at - start).num_hours();
    let end = facts.stay_end.map(|end| (end.date() - when.at.date()).num_days());
    Some(match () {
        () if days < -1 => Moment::PreStroke,
        () if when.at < start - TimeDelta::hours(1) && (timed || days < 0) => Moment::Prehospital,
        () if if timed { hours <= ADMISSION } else { days == 0 } => Moment::Admission,
        () if end.is_some_and(|end| end < -1) => Moment::Later,
        () if if timed { DAY_1.contains(&hours) } else { days == 1 } => Moment::Day1,
        () if end.is_some_and(|end| end <= 1) => Moment::Discharge,
        () => Moment::Stay,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    fn of(kind: &str, text: &str, precision: Precision) -> &'static str {
        let facts = Facts {
            time: Some(time("2024-05-12 14:00")),
            stay_start: Some(time("2024-05-02 10:30")),
            stay_end: Some(time("2024-05-12 11:00")),
            ..Facts::default()
        };
        moment(None, kind, Some(When { at: time(text), precision }), &facts).0.name()
    }

    #[test]
    fn a_value_is_of_the_moment_that_its_time_is_in() {
        use Precision::{Day, Minute, Year};
        assert_eq!(of("progress", "2024-05-02 11:00", Minute), "admission");
        assert_eq!(of("progress", "2024-05-02 08:00", Minute), "prehospital");
        assert_eq!(of("progress", "2024-05-03 09:00", Minute), "24h");
        assert_eq!(of("progress", "2024-05-05 09:00", Minute), "stay");
        assert_eq!(of("discharge", "2024-05-12 08:00", Minute), "discharge");
        assert_eq!(of("progress", "2024-05-02 00:00", Day), "admission");
        assert_eq!(of("progress", "2024-05-03 00:00", Day), "24h");
        assert_eq!(of("consultation", "2024-08-01 00:00", Day), "3_months");
        assert_eq!(of("consultation", "2024-06-01 00:00", Day), "later");
        assert_eq!(of("progress", "2012-01-01 00:00", Year), "pre_stroke");
        assert_eq!(of("progress", "2024-01-01 00:00", Year), "stay");
        assert_eq!(moment(None, "emergency", None, &Facts::default()).0, Moment::Admission);
    }

    #[test]
    fn the_document_model_decides_and_an_older_time_contradicts_it() {
        let facts = Facts { time: Some(time("2024-05-02 14:00")), ..Facts::default() };
        let at = |text: &str, precision| {
            let when = When { at: time(text), precision };
            moment(Some(Said::Moment(Moment::Admission)), "emergency", Some(when), &facts)
        };
        assert_eq!(at("2024-05-02 12:00", Precision::Minute), (Moment::Admission, false));
        assert_eq!(at("2024-01-01 00:00", Precision::Year), (Moment::Admission, false));
        assert_eq!(at("2010-03-12 00:00", Precision::Day), (Moment::Admission, true));
        assert_eq!(at("2024-05-04 00:00", Precision::Day), (Moment::Admission, true));
    }
}
