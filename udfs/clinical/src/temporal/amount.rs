//! Numbers in figures or letters, and the unit of time after them.

use super::lexicon::{Cue, Head, LEXICON, Unit};
use super::reader::{Clock, Digits, Reader};
use crate::is;

/// A number with its unit: `3 h 20`, `2 à 3 mois`, `1,5 an`, `deux ans et demi`.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    pub amount: Option<f32>,
    pub unit: Unit,
    /// Minutes after hours, months after years.
    pub below: Option<u32>,
    pub range: bool,
    pub next: usize,
}

impl Measure {
    /// Whole amount in the unit.
    pub fn total(&self) -> Option<f32> {
        let below = self.below.unwrap_or(0) as f32;
        self.amount.map(|a| match self.unit {
            Unit::Hour => a + below / 60.0,
            Unit::Year => a + below / 12.0,
            _ => a,
        })
    }

    pub fn minutes(&self) -> Option<i64> {
        self.total().map(|a| (f64::from(a) * self.unit.minutes()).round() as i64)
    }
}

/// A time of the clock, when there is such a time.
pub fn clock(hour: u32, minute: Option<u32>) -> Option<Clock> {
    (hour < 24 && minute.unwrap_or(0) < 60).then_some(Clock { hour: hour as u8, minute: minute.map(|m| m as u8) })
}

impl Reader<'_, '_> {
    /// A number in letters up to 99: `douze`, `vingt et un`, `soixante-quinze`.
    pub fn spelled_number(&self, at: usize) -> Option<(u32, usize)> {
        let mut value = u32::from(self.word(at).number);
        if value == 0 {
            return None;
        }
        let mut next = at + 1;
        if value == 4 && self.mark(next) == b'-' && is!(self.key(next + 1), "vingt" | "vingts")
            || is!(self.key(next), "vingt") && value == 4
        {
            next += if self.mark(next) == b'-' { 2 } else { 1 };
            value = 80;
        }
        let mut limit = match value {
            20 | 30 | 40 | 50 => 10,
            60 | 80 => 20,
            10 => 10,
            _ => return Some((value, next)),
        };
        let teen = value == 10;
        while limit > 0 {
            let mut index = next;
            if self.mark(index) == b'-' && self.glued(index) {
                index += 1;
            }
            if is!(self.key(index), "et") && !teen {
                index += 1;
                if self.mark(index) == b'-' {
                    index += 1;
                }
            }
            let word = self.word(index);
            let part = u32::from(word.number);
            if part == 0
                || part >= limit
                || !self.near(index)
                || (teen && part < 7)
                || (part > 1 && is!(self.key(index - 1), "et") && part != 11)
            {
                break;
            }
            (value, next) = (value + part, index + 1);
            limit = if part == 10 { 10 } else { 0 };
        }
        Some((value, next))
    }

    /// Reads a number and its unit.
    pub fn measure(&self, at: usize) -> Option<Measure> {
        if let Some(digits) = self.digits(at) {
            if digits.count > 4 {
                return None;
            }
            let mut amount = digits.value as f32;
            if !digits.suffix.is_empty() {
                return self.suffixed(at, amount, digits.suffix);
            }
            let mut next = at + 1;
            if matches!(self.mark(next), b',' | b'.')
                && self.glued(next)
                && self.glued(next + 1)
                && let Some(part) = self.digits(next + 1).filter(|p| p.count <= 2)
            {
                amount += part.value as f32 / 10f32.powi(part.count as i32);
                if !part.suffix.is_empty() {
                    return self.suffixed(next + 1, amount, part.suffix);
                }
                next += 2;
            }
            let joined = self.fold(next);
            if matches!(joined, "a" | "-" | "ou" | "/") && self.same_line(next) {
                if joined == "/" && !self.glued(next) {
                    return None;
                }
                let second = self.digits(next + 1)?;
                if joined == "/" && digits.count > 1 || second.value < digits.value || second.count > 3 {
                    return None;
                }
                let measure = if second.suffix.is_empty() {
                    self.with_unit(next + 2, amount)?
                } else {
                    self.suffixed(next + 1, amount, second.suffix)?
                };
                return (measure.unit != Unit::Hour || joined != "a").then_some(Measure { range: true, ..measure });
            }
            return self.with_unit(next, amount);
        }
        let word = self.word(at);
        if word.head == Head::Some {
            let unit = self.word(at + 1).unit.filter(|_| self.near(at + 1))?;
            return Some(Measure { amount: None, unit, below: None, range: true, next: at + 2 });
        }
        let (value, next) = self.spelled_number(at)?;
        let collective = self.fold(at).ends_with("aine");
        if is!(self.key(next), "a" | "ou") && self.near(next) && self.word(next + 1).number > 0 {
            let (second, after) = self.spelled_number(next + 1)?;
            let measure = self.with_unit(after, value as f32).filter(|_| second > value)?;
            return Some(Measure { range: true, ..measure });
        }
        if collective {
            let skip = if is!(self.key(next), "de") {
                1
            } else if is!(self.key(next), "d") {
                2
            } else {
                return None;
            };
            return self.with_unit(next + skip, value as f32).map(|m| Measure { range: true, ..m });
        }
        if value == 1
            && is!(
                self.key(next),
                "dizaine" | "quinzaine" | "vingtaine" | "douzaine" | "huitaine" | "trentaine" | "quarantaine" | "cinquantaine"
            )
        {
            return self.measure(next);
        }
        if value == 1 && is!(self.key(next), "demi") {
            let unit = next + if self.mark(next + 1) == b'-' { 2 } else { 1 };
            return self.with_unit(unit, 0.5);
        }
        self.with_unit(next, value as f32)
    }

    fn with_unit(&self, at: usize, amount: f32) -> Option<Measure> {
        if !self.near(at) {
            return None;
        }
        let Some(unit) = self.word(at).unit else {
            let fold = self.fold(at);
            // `13 h05`
            if let Some(minutes) = fold.strip_prefix('h').filter(|m| m.len() == 2)
                && let Ok(minutes) = minutes.parse::<u32>()
            {
                return Some(Measure { amount: Some(amount), unit: Unit::Hour, below: Some(minutes), range: false, next: at + 1 });
            }
            let weeks = fold == "sa" && self.text.tokens[at].upper && (4.0..44.0).contains(&amount);
            return weeks.then(|| self.below(Measure { amount: Some(amount), unit: Unit::Week, below: None, range: false, next: at + 1 }));
        };
        Some(self.below(Measure { amount: Some(amount), unit, below: None, range: false, next: at + 1 }))
    }

    /// `13h`, `13h05`, `5j`, `85ans`, `91a`.
    fn suffixed(&self, at: usize, amount: f32, suffix: &str) -> Option<Measure> {
        let measure = |unit, below| Measure { amount: Some(amount), unit, below, range: false, next: at + 1 };
        if let Some(rest) = suffix.strip_prefix('h')
            && !rest.is_empty()
        {
            let figures = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (minutes, end) = (rest.get(..figures)?, rest.get(figures..)?);
            if matches!(figures, 1 | 2) && matches!(end, "" | "min" | "mn" | "m") {
                return Some(measure(Unit::Hour, Some(minutes.parse().ok()?)));
            }
        }
        if suffix == "a" {
            return Some(measure(Unit::Year, None));
        }
        let unit = LEXICON.unit(suffix)?;
        Some(self.below(measure(unit, None)))
    }

    /// Minutes after hours, months after years, halves and quarters.
    fn below(&self, mut measure: Measure) -> Measure {
        let at = measure.next;
        if !self.near(at) && !self.same_line(at) {
            return measure;
        }
        let half = is!(self.key(at), "et") && is!(self.key(at + 1), "demi" | "demie");
        match measure.unit {
            _ if half => {
                match measure.unit {
                    Unit::Hour => measure.below = Some(30),
                    Unit::Year => measure.below = Some(6),
                    _ => measure.amount = measure.amount.map(|a| a + 0.5),
                }
                measure.next = at + 2;
            }
            Unit::Hour if is!(self.key(at), "et") && is!(self.key(at + 1), "quart") => {
                measure.below = Some(15);
                measure.next = at + 2;
            }
            Unit::Hour => {
                if let Some(digits) = self.digits(at).filter(|d| d.count == 2 && d.value < 60) {
                    let own = LEXICON.unit(digits.suffix);
                    let other = self.word(at + 1).unit.filter(|_| self.same_line(at + 1));
                    let minute_word = other == Some(Unit::Minute);
                    let free = !self.glued(at + 1)
                        || matches!(self.mark(at + 1), b'.' | b',' | b')' | b';' | b':' | b'-')
                            && !self.continued(at + 1, self.mark(at + 1));
                    let mine = digits.suffix.is_empty() && (other.is_none() || minute_word) && !self.word(at + 1).is(Cue::Amount) && free;
                    if mine || own == Some(Unit::Minute) {
                        measure.below = Some(digits.value);
                        measure.next = at + 1 + usize::from(minute_word && digits.suffix.is_empty());
                    }
                } else if let Some((minutes, next)) = self.spelled_number(at).filter(|(m, _)| (5..60).contains(m)) {
                    // `neuf heures trente`
                    let unit = self.word(next).unit.filter(|_| self.near(next));
                    if self.fold(at - 1).starts_with("heure") && unit.is_none_or(|u| u == Unit::Minute) {
                        measure.below = Some(minutes);
                        measure.next = next + usize::from(unit.is_some());
                    }
                }
            }
            Unit::Month | Unit::Week => {
                let joined = is!(self.key(at), "et" | "+");
                let days = self.digits(at + 1).filter(|d| joined && d.value < 31);
                let unit = |d: Digits<'_>| if d.suffix.is_empty() { self.word(at + 2).unit } else { LEXICON.unit(d.suffix) };
                if let Some(days) = days.filter(|d| unit(*d) == Some(Unit::Day)) {
                    let part = f64::from(days.value) * Unit::Day.minutes() / measure.unit.minutes();
                    measure.amount = measure.amount.map(|a| a + part as f32);
                    measure.next = at + if days.suffix.is_empty() { 3 } else { 2 };
                }
            }
            Unit::Year => {
                let index = at + usize::from(is!(self.key(at), "et"));
                let months = self
                    .digits(index)
                    .filter(|d| d.value < 12 && (d.suffix == "mois" || d.suffix.is_empty() && is!(self.key(index + 1), "mois")));
                if let Some(months) = months {
                    measure.below = Some(months.value);
                    measure.next = index + if months.suffix.is_empty() { 2 } else { 1 };
                }
            }
            _ => {}
        }
        measure
    }
}
