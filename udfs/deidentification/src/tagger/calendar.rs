//! How the figures of a page stand to its days: a day and a month near the date of the
//! document are a date far more often than a score.

use std::ops::Range;

use chrono::{Datelike, Months, NaiveDate};
use sillage_clinical::is;
use sillage_clinical::text::Kind;

use crate::Label;
use crate::name::page::Page;

/// Days that the page names as dates, and the date it was written at.
pub(super) struct Calendar {
    reference: Option<NaiveDate>,
    /// How often each day of a month stands in a date.
    days: [u32; 32],
}

/// A number read as a day, alone or with its month; 0 where it is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Day {
    /// How far from the document the nearest day of this number is.
    pub alone: u64,
    /// The page names this day elsewhere, or days before and after it.
    pub named: u64,
    /// How far from the document the day and month are, and which of the two the number is.
    pub paired: u64,
}

impl Calendar {
    pub fn new(page: &Page<'_, '_>, labels: &[Option<Label>], reference: Option<NaiveDate>) -> Calendar {
        let mut days = [0; 32];
        for at in (0..page.len()).filter(|i| labels[*i] == Some(Label::Date)) {
            if let Some(day) = number(page, at).filter(|d| (1..=31).contains(d)) {
                days[day as usize] += 1;
            }
        }
        Calendar { reference, days }
    }

    /// A token as a day. What the tokens in `hidden`, its own span, say is not heard.
    pub fn day(&self, page: &Page<'_, '_>, at: usize, hidden: &Range<usize>) -> Day {
        let Some(value) = number(page, at) else { return Day::default() };
        let joined = |i: usize| is!(page.key(i), "/" | "-" | ".") && page.glued(i) && page.glued(i + 1);
        let pair = if joined(at + 1) {
            Some((Some(value), number(page, at + 2), 0))
        } else if at > 1 && joined(at - 1) {
            Some((number(page, at - 2), Some(value), 1))
        } else {
            decimal(page, at).map(|(day, month)| (Some(day), Some(month), 2))
        };
        let paired = pair.and_then(|(day, month, place)| Some(1 + place + 3 * self.distance(self.nearest(day?, month?)?))).unwrap_or(0);
        if !(1..=31).contains(&value) {
            return Day { paired, ..Day::default() };
        }
        let alone = 1 + self.near_day(value).map_or(0, |date| self.distance(date));
        let mut days = self.days;
        for own in hidden.clone().filter_map(|i| number(page, i)).filter(|d| (1..=31).contains(d)) {
            days[own as usize] = days[own as usize].saturating_sub(1);
        }
        let (here, some) = (value as usize, |range: Range<usize>| days[range].iter().any(|d| *d > 0));
        let named = if days[here] > 0 { 3 } else { u64::from(some(1..here)) + u64::from(some(here + 1..32)) };
        Day { alone, named: named + 1, paired }
    }

    /// The day and month of the year that is nearest to the document.
    fn nearest(&self, day: u32, month: u32) -> Option<NaiveDate> {
        let Some(reference) = self.reference else { return NaiveDate::from_ymd_opt(2024, month, day) };
        let years = [reference.year() - 1, reference.year(), reference.year() + 1];
        years.iter().filter_map(|y| NaiveDate::from_ymd_opt(*y, month, day)).min_by_key(|d| (*d - reference).num_days().abs())
    }

    /// The day of the month that is nearest to the document.
    fn near_day(&self, day: u32) -> Option<NaiveDate> {
        let reference = self.reference?;
        let months = [reference.checked_sub_months(Months::new(1)), Some(reference), reference.checked_add_months(Months::new(1))];
        let days = months.iter().flatten().filter_map(|m| m.with_day(day));
        days.min_by_key(|d| (*d - reference).num_days().abs())
    }

    fn distance(&self, date: NaiveDate) -> u64 {
        let Some(reference) = self.reference else { return 9 };
        match (date - reference).num_days() {
            ..=-60 => 1,
            -59..=-15 => 2,
            -14..=-4 => 3,
            -3..=-1 => 4,
            0 => 5,
            1..=3 => 6,
            4..=20 => 7,
            _ => 8,
        }
    }
}

fn number(page: &Page<'_, '_>, at: usize) -> Option<u32> {
    page.text.tokens.get(at).filter(|t| t.kind == Kind::Number)?;
    page.fold(at).parse().ok()
}

/// "12.03" as its two parts.
fn decimal(page: &Page<'_, '_>, at: usize) -> Option<(u32, u32)> {
    let (day, month) = page.fold(at).split_once('.')?;
    Some((day.parse().ok()?, month.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use sillage_clinical::analysis::Analysis;
    use sillage_clinical::knowledge::Knowledge;

    use super::*;
    use crate::identity::Identity;

    /// The tokens of a text that are numbers, as days of a document of 14 March 2025; what `dated` covers is a date.
    fn days(text: &str, dated: &str) -> Vec<(String, Day)> {
        let analysis = Analysis::new(Knowledge::built_in(), text, None);
        let page = Page::new(&Identity::built_in().names, &analysis);
        let start = text.find(dated).unwrap_or(0);
        let labelled = |i: usize| page.text.tokens[i].range().start >= start && page.text.tokens[i].range().end <= start + dated.len();
        let labels: Vec<Option<Label>> = (0..page.len()).map(|i| labelled(i).then_some(Label::Date)).collect();
        let calendar = Calendar::new(&page, &labels, NaiveDate::from_ymd_opt(2025, 3, 14));
        let numbers = (0..page.len()).filter(|i| page.text.tokens[*i].kind == Kind::Number);
        numbers.map(|i| (page.fold(i).to_owned(), calendar.day(&page, i, &(i..i)))).collect()
    }

    #[test]
    fn a_number_near_the_document_is_a_day() {
        let found = days("Scanner du 12/03. NIHSS 9 le 13, TA 16/9, 250 mg, INR 2.5", "12/03");
        let of = |number: &str| found.iter().find(|(n, _)| n == number).map(|(_, d)| *d).unwrap_or_default();
        // Two days before the document, named, the day of a pair.
        assert_eq!(of("12"), Day { alone: 5, named: 4, paired: 13 });
        assert_eq!(of("13"), Day { alone: 5, named: 2, paired: 0 });
        // 16 September is far.
        assert_eq!(of("16").paired, 4);
        assert_eq!(of("250"), Day::default());
        assert_eq!(of("2.5").alone, 0);
    }
}
