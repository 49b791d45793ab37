//! How often: `2 fois/j`, `/8 h`, `tous les 3 mois`, `24h/24`.

use super::amount::Measure;
use super::lexicon::{Head, Unit};
use super::reader::{Reader, What};
use crate::is;
use crate::text::Kind;

impl Reader<'_, '_> {
    /// `24h/24`, `7j/7`.
    pub fn rate_after(&mut self, at: usize, measure: &Measure) -> Option<usize> {
        let whole = self.mark(measure.next) == b'/' && self.is_kind(measure.next + 1, Kind::Number) && self.same_line(measure.next);
        if whole && self.plain(measure.next + 1).is_some_and(|d| matches!(d.value, 7 | 24 | 12)) {
            return self.emit(at, measure.next + 2, What::Frequency, false);
        }
        None
    }

    /// `2 fois par jour`, `2x/j`, `3/j`.
    pub fn counted(&mut self, at: usize) -> Option<usize> {
        let digits = self.digits(at)?;
        let mut index = at + 1;
        match digits.suffix {
            "fois" | "x" => {}
            "" => {
                if is!(self.key(index), "fois" | "x") && self.same_line(index) {
                    index += 1;
                } else if self.mark(index) != b'/' || !self.glued(index) {
                    return None;
                }
            }
            _ => return None,
        }
        let last = self.rate(index)?;
        self.emit(at, last, What::Frequency, false)
    }

    /// `/j`, `/ 8 h`, `par semaine`, `tous les 3 mois`: the token after.
    fn rate(&self, at: usize) -> Option<usize> {
        if !self.near(at) && !self.same_line(at) {
            return None;
        }
        match self.fold(at) {
            "/" => {
                if let Some(unit) = self.word(at + 1).unit.filter(|_| self.same_line(at + 1)) {
                    return (unit >= Unit::Day).then_some(at + 2);
                }
                let measure = self.measure(at + 1).filter(|m| {
                    m.unit >= Unit::Hour && m.below.is_none() && self.is_kind(at + 1, Kind::Number) && self.same_line(at + 1)
                })?;
                Some(measure.next)
            }
            "par" => {
                if let Some(unit) = self.word(at + 1).unit {
                    return (unit >= Unit::Hour).then_some(at + 2);
                }
                self.measure(at + 1).filter(|_| self.is_kind(at + 1, Kind::Number)).map(|m| m.next)
            }
            "tous" | "tout" | "toutes" | "ttes" if is!(self.key(at + 1), "les") => {
                if self.word(at + 2).unit.is_some() || self.word(at + 2).weekday > 0 {
                    return Some(at + 3);
                }
                self.day_part(at + 2).map(|p| p.0).or_else(|| self.measure(at + 2).map(|m| m.next))
            }
            _ => None,
        }
    }

    pub fn slash(&mut self, at: usize) -> Option<usize> {
        if self.mark(at) != b'/' {
            return None;
        }
        let last = self.rate(at)?;
        self.emit(at, last, What::Frequency, false)
    }

    pub fn every(&mut self, at: usize, head: Head) -> Option<usize> {
        let last = match head {
            Head::Each => {
                let word = self.word(at + 1);
                if word.unit.is_some_and(|u| u >= Unit::Hour) || word.weekday > 0 { at + 2 } else { self.day_part(at + 1)?.0 }
            }
            _ => self.rate(at)?,
        };
        self.emit(at, last, What::Frequency, false)
    }

    /// `x3/jour`, `x 2 par jour`.
    pub fn times(&mut self, at: usize) -> Option<usize> {
        let fold = self.fold(at);
        let index = match fold.strip_prefix('x')? {
            "" => {
                self.plain(at + 1).filter(|d| d.count <= 2 && self.same_line(at + 1))?;
                at + 2
            }
            rest if rest.len() <= 2 && rest.bytes().all(|b| b.is_ascii_digit()) => at + 1,
            _ => return None,
        };
        let last = self.rate(index)?;
        self.emit(at, last, What::Frequency, false)
    }
}
