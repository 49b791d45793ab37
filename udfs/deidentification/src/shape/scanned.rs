//! Phones and dates that a scan has read wrong: "o6 88 l4 73 05", "O9/11/79".

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::gazetteer::Cue;
use super::reader::Reader;
use crate::Label;

impl Reader<'_, '_> {
    /// Letters stand where figures belong: o for 0, l or I for 1.
    pub(super) fn scanned(&mut self) {
        for at in 0..self.len() {
            if !self.figured(at)
                || self.digits(at).is_some_and(|d| d.count != 2)
                || self.is_taken(at)
                || self.glued(at) && at > 0 && self.kind(at - 1) != Some(Kind::Mark)
            {
                continue;
            }
            if let Some(end) = self.scanned_phone(at) {
                self.emit(at..end, Label::Tel, "shape:phone", 0.8);
            } else if let Some(end) = self.scanned_date(at) {
                let birth = (1..8).take_while(|b| at >= *b).any(|b| self.is(at - b, Cue::Birth) || is!(self.key(at - b), "ne"));
                let label = if birth { Label::DateNaissance } else { Label::Date };
                self.emit(at..end, label, "shape:date", 0.8);
            }
        }
    }

    /// Figures of a group, and whether a letter stands for one of them.
    fn read_wrong(&self, at: usize, count: usize) -> Option<(u64, bool)> {
        let source = self.source(at..(at + 1).min(self.len()));
        if source.len() != count {
            return None;
        }
        let (mut value, mut figures) = (0, 0);
        for byte in source.bytes() {
            let figure = match byte {
                b'o' | b'O' => 0,
                b'l' | b'I' => 1,
                b'0'..=b'9' => {
                    figures += 1;
                    byte - b'0'
                }
                _ => return None,
            };
            value = value * 10 + u64::from(figure);
        }
        (figures > 0).then_some((value, figures < count))
    }

    fn scanned_phone(&self, at: usize) -> Option<usize> {
        let (first, mut letters) = self.read_wrong(at, 2)?;
        let (mut next, mut groups) = (at + 1, 1);
        let mut spaced = false;
        while groups < 5 {
            let mark = usize::from(is!(self.key(next), "." | "-") && self.same_line(next));
            spaced |= mark > 0 && !self.glued(next);
            let (_, wrong) = self.read_wrong(next + mark, 2).filter(|_| self.same_line(next + mark))?;
            letters |= wrong;
            next += mark + 1;
            groups += 1;
        }
        ((1..=9).contains(&first) && (letters || spaced)).then_some(next)
    }

    fn scanned_date(&self, at: usize) -> Option<usize> {
        let (day, first) = self.read_wrong(at, 2)?;
        let mark = self.fold(at + 1);
        let joined = (1..=4).all(|i| self.glued(at + i)) && matches!(mark, "/" | "-" | ".") && (1..=31).contains(&day);
        if !joined {
            return None;
        }
        let name = self.is(at + 2, Cue::MonthShort) || self.is(at + 2, Cue::Month);
        let dot = usize::from(name && self.mark(at + 3, "."));
        let year = at + 4 + dot;
        if self.fold(at + 3 + dot) != mark || !self.glued(year) {
            return None;
        }
        let (month, second) = if name { (1, false) } else { self.read_wrong(at + 2, 2)? };
        let (_, third) = self.read_wrong(year, 4).or_else(|| self.read_wrong(year, 2))?;
        ((1..=12).contains(&month) && (first || second || third)).then_some(year + 1)
    }
}
