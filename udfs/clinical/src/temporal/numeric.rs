//! Calendar dates: in figures, and with the month in letters.

use super::ROMAN_MONTHS;
use super::lexicon::Cue;
use super::reader::{Calendar, Day, Direction, Instant, Reader, What};
use crate::is;
use crate::text::Kind;

impl Reader<'_, '_> {
    /// What a number opens.
    pub fn number(&mut self, at: usize) -> Option<usize> {
        let digits = self.digits(at)?;
        if self.tail_of_number(at, 0) {
            return None;
        }
        if let Some(next) = self.dotted_clock(at).or_else(|| self.figures(at, false)) {
            return Some(next);
        }
        if digits.count <= 2
            && digits.value <= 31
            && let Some(next) = self.written(at, at, 0)
        {
            return Some(next);
        }
        if let Some(next) = self.colon_clock(at).or_else(|| self.day_before_clock(at)) {
            return Some(next);
        }
        if let Some(next) = self.counted(at) {
            return Some(next);
        }
        if let Some(next) = self.length(at) {
            return Some(next);
        }
        self.year_alone(at)
    }

    /// `le 12 à 13h05`: a day of the month only a time of the clock makes sure.
    fn day_before_clock(&mut self, at: usize) -> Option<usize> {
        let day = self.plain(at).filter(|d| d.count <= 2 && (1..=31).contains(&d.value))?;
        let sure = self.fold_before(at, 1) == "le" && is!(self.key(at + 1), "a" | "vers") && self.clock_follows(at + 1);
        sure.then_some(())?;
        let calendar = Calendar { day: day.value as u8, direction: self.direction(at), ..Calendar::default() };
        self.emit_day(at, at + 1, Day::Calendar(calendar))
    }

    /// The token is the second part of a larger figure that the mark holds together.
    pub fn tail_of_number(&self, at: usize, own: u8) -> bool {
        if at < 2 || !self.glued(at) || !self.glued(at - 1) || !self.is_kind(at - 2, Kind::Number) {
            return false;
        }
        match self.mark(at - 1) {
            b'-' => own == b'-',
            b'.' | b',' | b'/' | b':' => true,
            _ => false,
        }
    }

    /// A date in figures, its time of ISO 8601 included.
    pub fn figures(&mut self, at: usize, cued: bool) -> Option<usize> {
        let parts = self.three_parts(at).or_else(|| self.roman_parts(at)).or_else(|| self.spaced_parts(at));
        let (calendar, last) = parts.or_else(|| self.two_parts(at, cued))?;
        self.emit_date(at, last, calendar)
    }

    /// `26-XII-2024`, `le 9.I`: the month in Roman figures.
    fn roman_parts(&self, at: usize) -> Option<(Calendar, usize)> {
        let day = self.plain(at).filter(|d| d.count <= 2)?;
        let month = self.roman_month(at + 2)?;
        let mark = self.mark(at + 1);
        if !matches!(mark, b'-' | b'.' | b'/') || !self.glued(at + 1) || !self.glued(at + 2) || self.tail_of_number(at, 0) {
            return None;
        }
        if self.continued(at + 3, mark)
            && let Some(year) = self.plain(at + 4).filter(|d| matches!(d.count, 2 | 4))
        {
            let year = if year.count == 4 { year.value as i32 } else { self.century(year.value, self.words_before(at, 4, Cue::Birth)) };
            return date(year, month, day.value).filter(|_| self.plausible_year(year as u32)).map(|d| (d, at + 5));
        }
        let article = self.word_before(at, 1).is(Cue::Article) || matches!(self.fold_before(at, 1), "du" | "au");
        let sure = article || self.fold(at + 2).len() > 1 && mark == b'-' && !self.words_before(at, 3, Cue::Score);
        let calendar = Calendar { month: month as u8, day: day.value as u8, ..Calendar::default() };
        (sure && (1..=super::resolve::longest_month(month as u8)).contains(&day.value)).then_some((calendar, at + 3))
    }

    /// The month that capitals I to XII say.
    fn roman_month(&self, at: usize) -> Option<u32> {
        self.text.tokens.get(at).filter(|t| t.kind == Kind::Word && t.upper)?;
        ROMAN_MONTHS.iter().position(|m| *m == self.fold(at)).map(|m| m as u32 + 1)
    }

    /// `II.2016`: a month in Roman figures and its year.
    pub fn roman_month_year(&mut self, at: usize) -> Option<usize> {
        let month = self.roman_month(at)?;
        let joined = matches!(self.mark(at + 1), b'.' | b'-' | b'/') && self.glued(at + 1) && self.glued(at + 2);
        let year = self.plain(at + 2).filter(|d| joined && d.count == 4 && self.plausible_year(d.value))?;
        if self.glued(at) && !matches!(self.mark(at - 1), b'(' | b'[') {
            return None;
        }
        self.emit_date(at, at + 3, Calendar { year: Some(year.value as i32), month: month as u8, ..Calendar::default() })
    }

    fn emit_date(&mut self, first: usize, last: usize, mut calendar: Calendar) -> Option<usize> {
        let mut end = last;
        if calendar.direction == Direction::Past {
            calendar.direction = self.direction(first);
        }
        if let Some(direction) = self.turned(last) {
            calendar.direction = direction;
            end = last + 1;
        }
        calendar.birth = self.words_before(first, 4, Cue::Birth);
        if self.fold(end.wrapping_sub(1)).len() > 2 && self.digits(end.wrapping_sub(1)).is_some_and(|d| d.suffix.starts_with('t')) {
            return self.iso_time(first, end, calendar);
        }
        self.emit_day(first, end, Day::Calendar(calendar))
    }

    /// `2024-03-12T13:05:22+01:00`, the day token being `12t13`.
    fn iso_time(&mut self, first: usize, end: usize, calendar: Calendar) -> Option<usize> {
        let digits = self.digits(end - 1)?;
        let hour: u8 = digits.suffix.strip_prefix('t')?.parse().ok()?;
        let mut last = end;
        let mut minute = None;
        if self.continued(end, b':') {
            minute = self.digits(end + 1).map(|d| d.value as u8);
            last = end + 2;
            if self.continued(last, b':') {
                last += 2;
            }
        }
        let clock = super::amount::clock(u32::from(hour), minute.map(u32::from))?;
        let instant = Instant { day: Some(Day::Calendar(calendar)), clock: Some(clock), evening: false };
        self.emit(first, last, What::Instant(instant), false)
    }

    /// Day, month and year between one kind of mark.
    fn three_parts(&self, at: usize) -> Option<(Calendar, usize)> {
        let (a, b) = (self.first_figure(at)?, self.plain(at + 2)?);
        let mark = self.mark(at + 1);
        if !matches!(mark, b'/' | b'.' | b'-') || self.mark(at + 3) != mark || self.tail_of_number(at, mark) {
            return None;
        }
        let c = self.digits(at + 4)?;
        let loose = (1..=4).any(|i| !self.glued(at + i));
        if !(1..=4).all(|i| self.same_line(at + i)) || b.count > 2 {
            return None;
        }
        let iso_time = c.suffix.strip_prefix('t').is_some_and(|h| h.len() == 2 && h.bytes().all(|b| b.is_ascii_digit()));
        if a.count == 4 && (c.suffix.is_empty() || iso_time) && c.count <= 2 && !loose && b.count == 2 {
            let calendar = date(a.value as i32, b.value, c.value)?;
            return (self.plausible_year(a.value) && !self.continued(at + 5, mark)).then_some((calendar, at + 5));
        }
        if a.count > 2 || !c.suffix.is_empty() || !matches!(c.count, 2 | 4) {
            return None;
        }
        let short = b.count == 1 && c.count == 2;
        if (short && mark != b'/') || (loose && c.count == 2 && mark != b'/') || self.continued(at + 5, mark) {
            return None;
        }
        let (year, last) = if c.count == 4 { (c.value as i32, at + 5) } else { self.two_digit_year(at + 4, c.value, at) };
        if c.count == 4 && !self.plausible_year(c.value) {
            return None;
        }
        Some((date(year, b.value, a.value)?, last))
    }

    /// Figures alone, or the `1er` of `1er/03`.
    fn first_figure(&self, at: usize) -> Option<super::reader::Digits<'_>> {
        self.digits(at).filter(|d| d.suffix.is_empty() || d.value == 1 && d.suffix == "er")
    }

    /// Year of two digits, or of four that a scan pulled apart (`20 24`).
    fn two_digit_year(&self, at: usize, value: u32, first: usize) -> (i32, usize) {
        if let Some(year) = self.split_year(at, value) {
            return (year, at + 2);
        }
        (self.century(value, self.words_before(first, 4, Cue::Birth)), at + 1)
    }

    fn split_year(&self, at: usize, value: u32) -> Option<i32> {
        use chrono::Datelike;
        let second =
            self.plain(at + 1).filter(|d| d.count == 2 && matches!(value, 19 | 20) && self.same_line(at + 1) && !self.glued(at + 1))?;
        let amount = self.word(at + 2);
        if amount.unit.is_some()
            || amount.is(Cue::Amount)
            || matches!(self.mark(at + 2), b':' | b'/' | b'%')
            || self.is_kind(at + 2, Kind::Number)
        {
            return None;
        }
        let year = (value * 100 + second.value) as i32;
        (year <= self.reference.map_or(2060, |r| r.year() + 2)).then_some(year)
    }

    /// `le 12 03 2024`.
    fn spaced_parts(&self, at: usize) -> Option<(Calendar, usize)> {
        let (a, b, c) = (self.plain(at)?, self.plain(at + 1)?, self.plain(at + 2)?);
        let cued = self.word_before(at, 1).is(Cue::Article) || self.word_before(at, 1).is(Cue::Birth);
        if !cued || (a.count, b.count, c.count) != (2, 2, 4) || !self.plausible_year(c.value) || (1..=2).any(|i| !self.same_line(at + i)) {
            return None;
        }
        Some((date(c.value as i32, b.value, a.value)?, at + 3))
    }

    /// `12/03`, `03/2024`: figures that could be a pressure or a score.
    fn two_parts(&self, at: usize, cued: bool) -> Option<(Calendar, usize)> {
        let (a, b) = (self.first_figure(at)?, self.plain(at + 2)?);
        let mark = self.mark(at + 1);
        if !matches!(mark, b'/' | b'-' | b'.')
            || self.tail_of_number(at, mark)
            || self.continued(at + 3, mark)
            || self.continued(at + 3, b',')
        {
            return None;
        }
        if !self.glued(at + 1) || !self.glued(at + 2) || a.count > 2 || self.glued_mark_before(at) {
            return None;
        }
        if self.mark(at + 3) == b'/' && self.glued(at + 3) {
            return None;
        }
        let numbered =
            matches!(self.fold_before(at, 1), "°" | "#") || (self.word_before(at, 1).is(Cue::NumberOf) && self.fold_before(at, 1) != "a");
        if numbered {
            return None;
        }
        let article = cued || self.word_before(at, 1).is(Cue::Article) || (self.fold_before(at, 1) == "au" && self.range_before(at));
        let scored = self.words_before(at, 3, Cue::Score);
        let next = self.word(at + 3);
        if is!(self.key(at + 3), "mmhg" | "cmhg" | "mg" | "cp" | "eme" | "%") || next.is(Cue::Amount) && self.glued(at + 3) {
            return None;
        }
        if b.count == 4 {
            let opened = matches!(self.fold_before(at, 1), "en" | "depuis" | "de" | "du" | "le" | "(" | "debut" | "fin");
            if !self.plausible_year(b.value) || !(1..=12).contains(&a.value) || (a.count == 1 && !opened) {
                return None;
            }
            return Some((Calendar { year: Some(b.value as i32), month: a.value as u8, ..Calendar::default() }, at + 3));
        }
        if b.count > 2 || a.value == 0 {
            return None;
        }
        let day_month = Calendar { month: b.value as u8, day: a.value as u8, ..Calendar::default() };
        let possible = (1..=12).contains(&b.value) && a.value <= super::resolve::longest_month(b.value as u8);
        // `les 2/3 supérieurs`
        let fraction = a.value < b.value
            && a.count == 1
            && b.count == 1
            && (matches!(self.fold_before(at, 1), "les" | "des") || self.word(at + 3).is(Cue::FractionOf));
        if possible {
            let sure = if mark == b'/' {
                if article { !fraction && (!scored || b.count == 2) } else { self.bare_day_month(at, a.value, b.value, b.count, scored) }
            } else {
                article && a.count == 2 && b.count == 2
            };
            return sure.then_some((day_month, at + 3));
        }
        self.month_short_year(at, mark, a.value, a.count, b.value, b.count, scored)
    }

    /// `en 03/24`.
    #[allow(clippy::too_many_arguments)] // the two figures just read
    fn month_short_year(
        &self,
        at: usize,
        mark: u8,
        month: u32,
        month_count: usize,
        year: u32,
        year_count: usize,
        scored: bool,
    ) -> Option<(Calendar, usize)> {
        use chrono::Datelike;
        let opened = matches!(self.fold_before(at, 1), "en" | "depuis" | "de" | "(" | "debut" | "fin");
        let full = self.century(year, false);
        let now = self.reference.map_or(2035, |r| r.year());
        let sure = mark == b'/' && !scored && (1..=12).contains(&month) && month_count == 2 && year_count == 2 && full <= now + 1;
        let vital = self.words_before(at, 4, Cue::Vital);
        (sure && !vital && (opened || (month < 10 && full >= now - 25)))
            .then(|| (Calendar { year: Some(full), month: month as u8, ..Calendar::default() }, at + 3))
    }

    /// A day and a month that no article announces.
    fn bare_day_month(&self, at: usize, day: u32, month: u32, month_count: usize, scored: bool) -> bool {
        if scored || month_count != 2 || self.words_before(at, 6, Cue::Vital) {
            return false;
        }
        let before = self.fold_before(at, 1);
        if matches!(before, "a" | "sur" | "=" | ">" | "<" | "x") && month > 9 {
            return false;
        }
        month <= 9 || day > 20 || self.clock_follows(at + 3) || (self.line_start(at) && matches!(self.mark(at + 3), b':' | b'-'))
    }

    fn clock_follows(&self, at: usize) -> bool {
        let at = if is!(self.key(at), "a" | "vers" | "," | "-" | ":") { at + 1 } else { at };
        self.same_line(at)
            && self.digits(at).is_some_and(|d| d.value < 24 && d.count <= 2 && (d.suffix.starts_with('h') || self.continued(at + 1, b':')))
    }

    /// A date ends just before the `au` here.
    fn range_before(&self, at: usize) -> bool {
        self.found.last().is_some_and(|raw| raw.last + 1 == at) || matches!(self.fold_before(at, 2), "'" | "jusqu" | "jusque")
    }

    /// A letter, a dash or a sign is glued before: part of an identifier.
    fn glued_mark_before(&self, at: usize) -> bool {
        self.glued(at) && !matches!(self.mark(at - 1), b'(' | b'[' | b'"' | b'\'' | b':' | b'-' | b',' | b';' | b'/' | b'=')
    }

    /// `12 mars 2024`, `12 et 13 mars`, `11 au 17 mars`, `1er avril`, weekday before or not.
    pub fn written(&mut self, first: usize, at: usize, weekday: u8) -> Option<usize> {
        let mut days = [(0usize, 0usize, 0u8); 8];
        let mut count = 0;
        let mut index = at;
        let mut range = false;
        loop {
            let (day, next) = self.day_number(index)?;
            days[count] = (if count == 0 { first } else { index }, next, day);
            count += 1;
            if count > 1 && self.is_kind(index, Kind::Number) {
                let three = self.three_parts(index);
                let two = || self.two_parts(index, true).filter(|(c, _)| c.day > 0 && self.word_before(first, 1).is(Cue::Article));
                if let Some((calendar, after)) = three.or_else(two) {
                    return self.emit_listed(&days[..count], range, weekday, calendar, after);
                }
            }
            if let Some((month, after)) = self.month_at(next) {
                return self.emit_written(&days[..count], range, weekday, month, after);
            }
            let glued_month = self.digits(index).filter(|d| d.suffix.len() > 2).map(|d| super::lexicon::LEXICON.id(d.suffix));
            if let Some(word) = glued_month.map(|id| super::lexicon::LEXICON.entry(id)).filter(|w| w.month > 0) {
                return self.emit_written(&days[..count], range, weekday, word.month, next);
            }
            if count == days.len() || !self.near(next) {
                return None;
            }
            let mut join = next;
            match self.fold(join) {
                "au" | "-" => range = count == 1,
                "a" if self.fold_before(first, 1) == "du" || self.fold_before(first, 1) == "de" => range = count == 1,
                "et" | "ou" | "," | "&" => {}
                "/" if self.glued(join) && self.glued(join + 1) => {}
                _ => return None,
            }
            join += 1;
            if is!(self.key(join), "le" | "les" | "du") || self.word(join).weekday > 0 {
                join += 1;
            }
            // "du 6 au⏎13 mars": a letter is wrapped behind the word that joins.
            let wrapped = self.is_kind(next, Kind::Word) && self.text.tokens.get(join).is_some_and(|t| t.lines_before == 1);
            if !self.near(join) && !wrapped {
                return None;
            }
            index = join;
        }
    }

    fn emit_written(&mut self, days: &[(usize, usize, u8)], range: bool, weekday: u8, month: u8, after: usize) -> Option<usize> {
        let (year, mut last) = match self.year_after(after) {
            Some((year, last)) => (Some(year), last),
            None => (None, after),
        };
        if let Some(turned) = self.turned(last) {
            last += 1;
            return self.emit_listed(days, range, weekday, Calendar { year, month, direction: turned, ..Calendar::default() }, last);
        }
        self.emit_listed(days, range, weekday, Calendar { year, month, ..Calendar::default() }, last)
    }

    /// Days that share the month and year read last.
    fn emit_listed(&mut self, days: &[(usize, usize, u8)], range: bool, weekday: u8, shared: Calendar, last: usize) -> Option<usize> {
        let first = days.first()?.0;
        let direction = if shared.direction == Direction::Past { self.direction(first) } else { shared.direction };
        let birth = self.words_before(first, 4, Cue::Birth);
        if days.iter().any(|d| u32::from(d.2) > super::resolve::longest_month(shared.month)) {
            return None;
        }
        let calendar = |day: u8, weekday: u8| Calendar { day, weekday, direction, birth, ..shared };
        if range && let [from, to] = days {
            let instant = |c| Instant { day: Some(Day::Calendar(c)), ..Instant::default() };
            return self.emit(first, last, What::Range(instant(calendar(from.2, weekday)), instant(calendar(to.2, 0))), false);
        }
        for (k, (start, end, day)) in days.iter().enumerate() {
            let day = Day::Calendar(calendar(*day, if k == 0 { weekday } else { 0 }));
            if k + 1 == days.len() {
                return self.emit_day(*start, last, day);
            }
            self.emit(*start, *end, What::Instant(Instant { day: Some(day), ..Instant::default() }), false);
        }
        None
    }

    /// A day of the month in figures or letters, `1er` and `premier` included.
    fn day_number(&self, at: usize) -> Option<(u8, usize)> {
        if let Some(digits) = self.digits(at) {
            if digits.count > 2 || !(1..=31).contains(&digits.value) {
                return None;
            }
            let ordinal = matches!(digits.suffix, "er" | "ier" | "ere") && digits.value == 1;
            let month = digits.suffix.len() > 2 && super::lexicon::LEXICON.entry(super::lexicon::LEXICON.id(digits.suffix)).month > 0;
            if !(digits.suffix.is_empty() || ordinal || month) {
                return None;
            }
            let split = digits.value == 1 && digits.suffix.is_empty() && is!(self.key(at + 1), "er");
            return Some((digits.value as u8, at + 1 + usize::from(split)));
        }
        let (value, next) = self.spelled_number(at)?;
        (1..=31).contains(&value).then_some((value as u8, next))
    }

    /// A month in letters, a mark before it or not; the token after it.
    fn month_at(&self, at: usize) -> Option<(u8, usize)> {
        let glued_mark = matches!(self.mark(at), b'-' | b'/' | b'.') && self.glued(at) && self.glued(at + 1);
        let at = at + usize::from(glued_mark);
        let word = self.word(at);
        if word.month == 0 || !(self.near(at) || self.text.tokens[at].lines_before < 2) {
            return None;
        }
        let dot = word.month_short && self.mark(at + 1) == b'.' && self.glued(at + 1) && self.year_after(at + 2).is_some();
        // `sept` is a number before a unit.
        if word.number > 0 && self.word(at + 1).unit.is_some() {
            return None;
        }
        Some((word.month, at + 1 + usize::from(dot)))
    }

    /// Year after a month: `2024`, `24`, `'24`, `20 24`, `deux mille vingt-quatre`.
    pub fn year_after(&self, at: usize) -> Option<(i32, usize)> {
        let glued_mark = matches!(self.mark(at), b'-' | b'/' | b'.' | b'\'' | b',') && (self.glued(at + 1) || self.mark(at) == b',');
        let comma = self.mark(at) == b',';
        let at = at + usize::from(glued_mark);
        if !(self.same_line(at) || self.text.tokens.get(at)?.lines_before == 1 && self.plain(at).is_some_and(|d| d.count == 4)) {
            return None;
        }
        if let Some(digits) = self.plain(at) {
            if digits.count == 4 && self.plausible_year(digits.value) {
                let amount = self.word(at + 1);
                return (!(amount.is(Cue::Amount) && self.same_line(at + 1))).then_some((digits.value as i32, at + 1));
            }
            if let Some(year) = self.split_year(at, digits.value) {
                return Some((year, at + 2));
            }
            if digits.value == 2
                && digits.count == 1
                && self.plain(at + 1).is_some_and(|d| d.count == 3 && d.value < 60)
                && !self.glued(at + 1)
            {
                return Some((2000 + self.plain(at + 1)?.value as i32, at + 2));
            }
            let ends = at + 1 == self.text.tokens.len()
                || !self.same_line(at + 1)
                || is!(self.key(at + 1), "." | "," | ";" | ")" | "a" | "-" | "et" | "au" | "vers");
            if digits.count == 2 && !comma && ends && !self.tail_follows(at + 1) {
                return Some((self.century(digits.value, false), at + 1));
            }
            return None;
        }
        self.spelled_year(at)
    }

    /// A glued mark and figures follow: `24,5`, `24-25`.
    fn tail_follows(&self, at: usize) -> bool {
        matches!(self.mark(at), b',' | b'.' | b'-' | b'/' | b':') && self.continued(at, self.mark(at))
    }

    /// `en deux mille dix-neuf`.
    pub fn spelled_year_alone(&mut self, at: usize) -> Option<usize> {
        let (year, last) = self.spelled_year(at)?;
        self.emit_month(at, last, Calendar { year: Some(year), ..Calendar::default() }, false)
    }

    fn spelled_year(&self, at: usize) -> Option<(i32, usize)> {
        if is!(self.key(at), "deux") && is!(self.key(at + 1), "mille") {
            let (rest, next) = self.spelled_number(at + 2).unwrap_or((0, at + 2));
            return Some((2000 + rest as i32, next));
        }
        if is!(self.key(at), "mil" | "mille") && is!(self.key(at + 1), "neuf") && is!(self.key(at + 2), "cent") {
            let (rest, next) = self.spelled_number(at + 3)?;
            return Some((1900 + rest as i32, next));
        }
        None
    }
}

/// The date, when the calendar has it.
fn date(year: i32, month: u32, day: u32) -> Option<Calendar> {
    chrono::NaiveDate::from_ymd_opt(year, month, day)?;
    Some(Calendar { year: Some(year), month: month as u8, day: day as u8, ..Calendar::default() })
}
