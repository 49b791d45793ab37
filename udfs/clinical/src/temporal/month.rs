//! Months, years and decades without a day.

use super::lexicon::{Cue, Unit, Word};
use super::reader::{Calendar, Day, Edge, Instant, Reader, What};
use crate::is;
use crate::text::Kind;

impl Reader<'_, '_> {
    /// A month without a day: `mars 2024`, `en mars`, `mars dernier`.
    pub fn month_alone(&mut self, at: usize, word: Word) -> Option<usize> {
        self.month_from(at, at, word, Edge::None)
    }

    /// The same, `début`, `mi` or `fin` read before it.
    pub fn month_from(&mut self, first: usize, at: usize, word: Word, edge: Edge) -> Option<usize> {
        let dot = usize::from(word.month_short && self.mark(at + 1) == b'.' && self.glued(at + 1));
        let mut calendar = Calendar { month: word.month, edge, ..Calendar::default() };
        let vague = edge != Edge::None;
        let mut of = at + 1;
        if is!(self.key(of), "de") && !is!(self.key(of + 1), "l") {
            of += 1; // `mars de 2019` does not occur, `fin mars de 2019` does
        }
        let year = self.year_after(at + 1 + dot).or_else(|| if vague { self.year_after(of) } else { None });
        if let Some((year, last)) = year {
            let token = self.text.tokens[at];
            // An eye scan, an ECG lead: only the full year makes `OCT 12` a month.
            let short_year = last == at + 2 + dot && self.plain(last - 1).is_some_and(|d| d.count == 2);
            if (word.month_short && token.upper && short_year) || (short_year && !self.month_opened(at)) {
                return None;
            }
            calendar.year = Some(year);
            return self.emit_month(first, last, calendar, vague);
        }
        if word.month_short {
            return None;
        }
        if let Some(direction) = self.turned(at + 1) {
            calendar.direction = direction;
            return self.emit_month(first, at + 2, calendar, vague);
        }
        let token = self.text.tokens[at];
        let name = token.capital && !(self.month_opened(at) || vague);
        if name && !(self.line_start(at) && matches!(self.mark(at + 1), b':' | b'-')) {
            return None;
        }
        calendar.direction = self.direction(first);
        self.emit_month(first, at + 1, calendar, vague)
    }

    pub fn emit_month(&mut self, first: usize, last: usize, calendar: Calendar, vague: bool) -> Option<usize> {
        let instant = Instant { day: Some(Day::Calendar(calendar)), ..Instant::default() };
        self.emit(first, last, What::Instant(instant), vague)
    }

    fn month_opened(&self, at: usize) -> bool {
        matches!(
            self.fold_before(at, 1),
            "en" | "depuis"
                | "de"
                | "a"
                | "courant"
                | "des"
                | "avant"
                | "apres"
                | "debut"
                | "fin"
                | "mi"
                | "mois"
                | "pour"
                | "("
                | "vers"
                | "et"
                | "-"
                | "/"
                | "d'"
                | "'"
        )
    }

    /// `début mars`, `mi-mars`, `fin 2019`, `courant mars`.
    pub fn edge(&mut self, at: usize) -> Option<usize> {
        let edge = match self.fold(at) {
            "debut" => Edge::Start,
            "mi" => Edge::Middle,
            "fin" => Edge::End,
            _ => Edge::None,
        };
        let mut index = at + 1;
        while is!(self.key(index), "-" | "du" | "de" | "d" | "'" | "mois" | "l" | "annee" | "le") && self.near(index) && index < at + 5 {
            index += 1;
        }
        if !self.near(index) && !self.same_line(index) {
            return None;
        }
        let word = *self.word(index);
        // `courant mars` is March, said loosely; the cue makes it approximate.
        let first = if edge == Edge::None { index } else { at };
        if word.month > 0 {
            return self.month_from(first, index, word, edge);
        }
        let digits = self.plain(index).filter(|d| d.count == 4 && self.plausible_year(d.value))?;
        if edge == Edge::None || self.word(index + 1).is(Cue::Amount) || self.continued(index + 1, b'-') || self.continued(index + 1, b'/')
        {
            return None;
        }
        let calendar = Calendar { year: Some(digits.value as i32), edge, ..Calendar::default() };
        self.emit_month(first, index + 1, calendar, true)
    }

    /// A year on its own, or the decade after `années`.
    pub fn year_alone(&mut self, at: usize) -> Option<usize> {
        let digits = self.plain(at)?;
        let before = self.fold_before(at, 1);
        if before == "annees" && self.near(at) {
            let year = match digits.count {
                2 if digits.value % 10 == 0 && digits.value >= 20 => 1900 + digits.value as i32,
                2 if digits.value <= 20 => 2000 + digits.value as i32,
                4 if self.plausible_year(digits.value) => digits.value as i32,
                _ => return None,
            };
            let instant = Instant { day: Some(Day::Decade(year - year.rem_euclid(10))), ..Instant::default() };
            return self.emit(at - 1, at + 1, What::Instant(instant), true);
        }
        if digits.count != 4 || !self.plausible_year(digits.value) || self.tail_of_number(at, b'-') {
            return None;
        }
        use chrono::Datelike;
        let opened = matches!(
            before,
            "en" | "depuis" | "annee" | "an" | "debut" | "fin" | "avant" | "apres" | "des" | "vers" | "courant" | "(" | "entre"
        );
        if !opened && (digits.value < 1920 || digits.value as i32 > self.reference.map_or(2045, |r| r.year() + 2)) {
            return None;
        }
        let next = self.word(at + 1);
        let follows = self.same_line(at + 1);
        let amount = follows
            && (next.is(Cue::Amount)
                || next.unit == Some(Unit::Hour)
                || is!(self.key(at + 1), "/" | "%" | "x" | "°" | "*" | "€") && !self.continued(at + 1, b'/'));
        if amount
            || (follows && self.is_kind(at + 1, Kind::Number))
            || self.continued(at + 1, b'.')
            || self.continued(at + 1, b',')
            || self.continued(at + 1, b':')
            || self.continued(at + 1, b';')
        {
            return None;
        }
        if self.continued(at + 1, b'-') || self.continued(at + 1, b'/') {
            let second = self.plain(at + 2)?;
            let later = second.count == 4 && second.value > digits.value && second.value < digits.value + 80;
            let season = second.count == 2 && second.value == (digits.value + 1) % 100;
            if !later && !season {
                return None;
            }
            let year = |y: u32| Instant {
                day: Some(Day::Calendar(Calendar { year: Some(y as i32), ..Calendar::default() })),
                ..Instant::default()
            };
            let until = if season { digits.value + 1 } else { second.value };
            return self.emit(at, at + 3, What::Range(year(digits.value), year(until)), false);
        }
        if !opened {
            let glued = self.glued(at) && !matches!(self.mark(at - 1), b'(' | b'[' | b'"' | b'\'' | b',');
            let numbered = self.word_before(at, 1).is(Cue::NumberOf)
                || (self.mark(at.wrapping_sub(1)) == b':' && self.word_before(at, 2).is(Cue::NumberOf));
            let sign = at > 0 && self.same_line(at) && matches!(before, "=" | "+" | "°" | "<" | ">" | "/" | "x" | "#" | "≥" | "≤");
            let number = at > 0 && self.same_line(at) && self.is_kind(at - 1, Kind::Number);
            let bare = self.mark(at.wrapping_sub(1)) == b':';
            let bound = before == "de" && matches!(self.fold_before(at, 2), "plus" | "moins" | "pres");
            if bound || glued || numbered || sign || number || bare {
                return None;
            }
        }
        let calendar = Calendar { year: Some(digits.value as i32), birth: self.words_before(at, 3, Cue::Birth), ..Calendar::default() };
        self.emit_month(at, at + 1, calendar, false)
    }
}
