//! Calendar dates: in figures and with the month in letters, whole or in part.
//!
//! A span leaves out article, preposition and the time of the clock, keeps the name
//! of the weekday, and joins the two ends of a range. Days of the month and years
//! that stand alone are read in [`super::day`] and [`super::year`], figures in
//! [`figures`], days told by their weekday or feast in [`told`].

mod diary;
mod figures;
mod nearby;
mod told;

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::gazetteer::Cue;
use super::reader::{FIGURED, LEADS, Reader};
use crate::Label;

/// What part of the calendar an expression names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    /// The token behind it.
    pub end: usize,
    /// Bytes of its last token that are part of it; all of them but in `12t14`.
    pub last: usize,
    pub year: Option<u64>,
    /// Day, month and year.
    pub whole: bool,
}

impl Date {
    pub(super) fn new(end: usize) -> Date {
        Date { end, last: usize::MAX, year: None, whole: false }
    }
}

/// Words that dates begin with beside those of the calendar.
pub(super) fn leads(key: u64) -> bool {
    is!(key, "jour" | "nouvel" | "fete" | "saint" | "noel" | "sem" | "semaine")
}

impl Reader<'_, '_> {
    pub fn dates(&mut self) {
        let mut at = 0;
        while at < self.len() {
            at = self.date(at).unwrap_or(at + 1);
        }
        self.join_ranges();
        self.alone();
        self.repeat_births();
    }

    /// A date that starts here: emitted, and the token behind it.
    fn date(&mut self, at: usize) -> Option<usize> {
        if !self.may_begin(at) || self.is_taken(at) {
            return None;
        }
        if let Some(date) = self.told(at) {
            return self.emit_date(at, date);
        }
        let first = at;
        let mut day = at;
        // "lu. 18", "ve 15/3"
        let two = is!(self.key(at), "lu" | "ma" | "me" | "je" | "ve" | "sa" | "di" | "vendr" | "merc" | "dimch")
            && !self.glued(at)
            && self.mark(at + 1, ".")
            && self.glued(at + 1)
            && self.same_line(at + 2)
            && self.is_day(at + 2);
        let cut = !two && self.cut_weekday(at);
        if self.is(at, Cue::Weekday) || self.is(at, Cue::WeekdayShort) || two || cut {
            day = at + 1;
            if self.mark(day, ".") && self.glued(day) || self.mark(day, ",") && self.same_line(day + 1) {
                day += 1;
            }
            if is!(self.key(day), "le") {
                day += 1;
            }
            if !self.near(day) {
                return None;
            }
        }
        if let Some(date) = self.ranged(day, day > first) {
            return self.emit_date(first, date);
        }
        if day == first
            && let Some(date) =
                self.month_first(at).or_else(|| self.feast(at)).or_else(|| self.week(at)).or_else(|| self.roman_month_year(at))
        {
            return self.emit_date(first, date);
        }
        if day == first {
            return None;
        }
        // "lundi 12": a weekday makes the figure a day.
        let sure = self.is(first, Cue::Weekday)
            || cut
            || self.mark(first + 1, ".")
            || self.digits(day).is_some_and(|d| self.weekday_fits(first, d.value)) && self.sentence_ends(day + 1);
        if self.is_day(day) && sure && self.same_line(day) && (!self.amount_behind(day) || self.upper(day + 1)) {
            return self.emit_date(first, Date::new(day + 1));
        }
        None
    }

    /// A figure, a word of the calendar, or a short one before a figure or a weekday.
    fn may_begin(&self, at: usize) -> bool {
        let calendar = Cue::Weekday.bit()
            | Cue::WeekdayShort.bit()
            | Cue::NumberWord.bit()
            | Cue::Month.bit()
            | Cue::MonthShort.bit()
            | Cue::Season.bit()
            | Cue::Holiday.bit();
        self.any(at, calendar | FIGURED | LEADS)
            || self.is(at + 1, Cue::Weekday)
            || (self.figured(at + 1) || self.figured(at + 2)) && self.word(at) && (self.upper(at) || self.fold(at).len() < 6)
    }

    /// A date, or the days before it that lean on its month: "12 au 17 janvier".
    fn ranged(&mut self, at: usize, cued: bool) -> Option<Date> {
        if !(self.kind(at) == Some(Kind::Number) || self.is(at, Cue::NumberWord)) {
            return None;
        }
        if let Some(date) = self.date_at(at, cued || self.opened(at)) {
            return Some(date);
        }
        if !self.is_day(at) || self.tail(at) {
            return None;
        }
        let mut link = at + 1;
        let word = match self.fold(link) {
            "au" | "-" | "/" | "→" | "–" => false,
            "et" | "ou" | "," | "&" | "a" => true,
            _ => return None,
        };
        if !self.same_line(link) {
            return None;
        }
        let plural =
            matches!(self.before(at, 1), "les" | "le" | "du" | "des" | "," | "de" | "nuit" | "entre" | "au") || cued || self.line_start(at);
        link += 1;
        if self.mark(link, ">") && self.glued(link) {
            // "PA 13->12/8"
            if self.named_on_line(at) {
                return None;
            }
            link += 1;
        }
        while is!(self.key(link), "le" | "du" | "les")
            || self.is(link, Cue::Weekday)
            || self.is(link, Cue::WeekdayShort)
            || self.mark(link, ".")
        {
            link += 1;
        }
        if !self.near(link) {
            return None;
        }
        let next = match self.date_at(link, true) {
            Some(next) => next,
            None if self.is_day(link) => match self.ranged(link, true) {
                Some(next) => next,
                None => {
                    // "les 12, 13 et 14 mars"
                    if word && plural && self.is_taken(link) {
                        self.emit_date(at, Date::new(at + 1));
                    }
                    return None;
                }
            },
            None => return None,
        };
        let tight = self.glued(at + 1) && self.glued(at + 2);
        if word {
            // "les 12 et 13 mars": two days, one month.
            if plural && !is!(self.key(at + 1), "a") || is!(self.key(at + 1), "a") && matches!(self.before(at, 1), "du" | "de") {
                self.emit_date(at, Date::new(at + 1));
            }
            return None;
        }
        let dose = tight && !plural && self.digits(at).is_some_and(|d| d.count == 1) && !next.whole;
        (is!(self.key(at + 1), "au") || tight && !dose || plural).then_some(next)
    }

    /// An article, a preposition or a heading announces a date.
    fn opened(&self, at: usize) -> bool {
        at > 0 && (self.is(at - 1, Cue::OpensDate) || self.is(at - 1, Cue::Birth))
            || is!(self.key(at.wrapping_sub(1)), ":") && at > 1 && (self.is(at - 2, Cue::OpensDate) || self.is(at - 2, Cue::Birth))
    }

    /// A date in figures or with its month in letters.
    pub fn date_at(&self, at: usize, cued: bool) -> Option<Date> {
        if self.is_taken(at) {
            return None;
        }
        match self.kind(at)? {
            Kind::Number => self
                .figures(at, cued)
                .or_else(|| self.written(at))
                .or_else(|| self.glued_date(at))
                .or_else(|| self.compact(at, cued))
                .or_else(|| self.roman_day(at))
                .or_else(|| self.spaced_month(at)),
            Kind::Word => self.spelled(at),
            Kind::Mark => None,
        }
    }

    /// The token behind a date in three figures.
    pub fn date_here(&self, at: usize) -> Option<usize> {
        self.digits(at)?;
        self.three_parts(at).map(|d| d.end)
    }

    /// The token is the second part of a larger figure or code.
    pub fn tail(&self, at: usize) -> bool {
        if !self.glued(at) {
            return false;
        }
        let mark = self.before(at, 1);
        match self.kind(at - 1) {
            Some(Kind::Mark) => {
                let held = at > 1 && self.glued(at - 1) && self.kind(at - 2) != Some(Kind::Mark);
                let figure = held && self.digits(at - 2).is_some();
                match mark {
                    "." | "," | "/" => figure,
                    ":" => figure,
                    "-" | "_" => {
                        held && (figure && self.digits(at - 2).is_some_and(|d| d.count > 2) || self.word(at - 2) && self.upper(at - 2))
                    }
                    // "14->15/05"
                    ">" if matches!(self.before(at, 2), "-" | "=") => false,
                    "+" | "#" | "°" | "<" | ">" | "≥" | "≤" => true,
                    _ => false,
                }
            }
            _ => true,
        }
    }

    /// A time of the clock follows: "14h05", "à 9 h", "14:05".
    pub fn clock_behind(&self, at: usize) -> bool {
        let link = |at: usize| at + usize::from(is!(self.key(at), "a" | "vers" | "," | "-" | "–" | "des") && self.same_line(at));
        let at = link(link(at));
        let Some(token) = self.token(at).filter(|t| t.kind == Kind::Number && t.lines_before == 0) else { return false };
        let fold = self.fold(at);
        let hours = fold.bytes().take_while(u8::is_ascii_digit).count();
        let suffix = fold[hours..].starts_with('h');
        let colon = self.mark(at + 1, ":") && self.glued(at + 1) && self.glued(at + 2) && self.digits(at + 2).is_some_and(|d| d.count == 2);
        let spaced = is!(self.key(at + 1), "h" | "heures" | "heure") && self.same_line(at + 1);
        hours <= 2 && token.start < token.end && (suffix || hours == fold.len() && (colon || spaced))
    }

    /// Day, month in letters, year.
    fn written(&self, at: usize) -> Option<Date> {
        let (day, count) = self.day_figure(at)?;
        if !(1..=31).contains(&day) || count > 2 || self.tail(at) && !self.mark(at - 1, "-") {
            return None;
        }
        self.month_and_year(at + 1)
    }

    /// Month in letters, and year where one is written.
    fn month_and_year(&self, at: usize) -> Option<Date> {
        let marked = is!(self.key(at), "-" | "/" | ".") && self.glued(at) && self.glued(at + 1);
        let month = at + usize::from(marked);
        let full = self.is(month, Cue::Month);
        if !(full || self.is(month, Cue::MonthShort)) || !self.near(month) || !full && self.same_line(month) && self.column(month) {
            return None;
        }
        // "sept" is a number before a unit; "12 mar" alone could be anything.
        let dot = usize::from(!full && self.mark(month + 1, ".") && self.glued(month + 1));
        let year = self.year_behind(month + 1 + dot);
        if !full && year.is_none() {
            let sept = is!(self.key(month), "sept")
                && dot == 0
                && self.word(month + 1)
                && self.same_line(month + 1)
                && self.is(month + 1, Cue::Unit);
            if sept || !self.same_line(month) {
                return None;
            }
        }
        if !self.same_line(month) && (!full || self.capital(month) && !self.upper(month - 1) && self.line_start(month) && year.is_none()) {
            return None;
        }
        Some(match year {
            Some((value, end)) => Date { year: Some(value), whole: true, ..Date::new(end) },
            // "le 16 janvier dernier"
            None => {
                let last = full && self.same_line(month + 1) && is!(self.key(month + 1), "dernier" | "prochain");
                Date::new(month + 1 + usize::from(last))
            }
        })
    }

    /// A year behind a month: "2024", "24", "'24", "deux mille vingt-quatre".
    pub fn year_behind(&self, at: usize) -> Option<(u64, usize)> {
        let marked = is!(self.key(at), "-" | "/" | "." | "'") && self.glued(at + 1);
        let at = at + usize::from(marked);
        if let Some(digits) = self.digits(at) {
            let near = self.same_line(at) || digits.count == 4 && self.near(at);
            if digits.count == 4 && (1850..2120).contains(&digits.value) && near {
                return (!self.amount_behind(at)).then_some((digits.value, at + 1));
            }
            let clock = self.mark(at + 1, ":") && self.glued(at + 1) && self.digits(at + 2).is_some();
            let slash = is!(self.key(at + 1), "/" | "," | ".") && self.glued(at + 1) && self.glued(at + 2) && self.digits(at + 2).is_some();
            let row = self.same_line(at + 1) && self.digits(at + 1).is_some();
            if digits.count == 2 && self.same_line(at) && !clock && !slash && !row && !self.amount_behind(at) {
                return Some((self.century(digits.value), at + 1));
            }
            return None;
        }
        self.spelled_year(at).filter(|_| self.near(at))
    }

    /// A unit follows: the figure is an amount. "le 12 mars 1950 point" says how the sentence ends.
    pub fn amount_behind(&self, at: usize) -> bool {
        let spoken = is!(self.key(at + 1), "point") && self.digits(at).is_some_and(|d| d.value > 1);
        self.same_line(at + 1)
            && (self.is(at + 1, Cue::Unit) && !spoken
                || is!(self.key(at + 1), "%" | "€" | "°")
                || self.mark(at + 1, "/") && self.word(at + 2) && self.glued(at + 2) && !self.capital(at + 2))
    }

    /// "12MAR2024", "12mars", and the "12mar" of "12mar 2024".
    fn glued_date(&self, at: usize) -> Option<Date> {
        if self.digits(at).is_some() {
            return None;
        }
        let fold = self.fold(at);
        let day = fold.bytes().take_while(u8::is_ascii_digit).count();
        let rest = &fold[day..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let year = &rest[letters..];
        if !(1..=2).contains(&day)
            || !(1..=31).contains(&fold[..day].parse().unwrap_or(0))
            || !year.bytes().all(|b| b.is_ascii_digit())
            || self.tail(at)
        {
            return None;
        }
        let cues = self.knowledge.cues(&rest[..letters]);
        let (full, short) = (cues & Cue::Month.bit() != 0, cues & Cue::MonthShort.bit() != 0);
        let value = year.parse().ok();
        match year.len() {
            0 if full || short => {
                let behind = self.year_behind(at + 1);
                let end = behind.map_or(at + 1, |(_, end)| end);
                (full || behind.is_some()).then_some(Date { year: behind.map(|(y, _)| y), whole: behind.is_some(), ..Date::new(end) })
            }
            2 | 4 if full || short => {
                Some(Date { year: value.map(|y| if year.len() == 2 { self.century(y) } else { y }), whole: true, ..Date::new(at + 1) })
            }
            _ => None,
        }
    }

    /// Two dates that "au", a dash or an arrow joins are one range.
    fn join_ranges(&mut self) {
        let mut dates: Vec<usize> = (0..self.found.len()).filter(|i| self.found[*i].label == Label::Date).collect();
        dates.sort_by_key(|i| self.found[*i].start);
        let mut joined = Vec::new();
        let mut last: Option<usize> = None;
        for &index in &dates {
            let start = self.found[index].start;
            if let Some(previous) = last {
                let between = self.text.original.get(self.found[previous].end..start).unwrap_or("").trim();
                let plain = between.len() < 12 && !between.contains('\n');
                if plain && matches!(between.to_lowercase().as_str(), "au" | "-" | "–" | "→" | "->" | "=>" | "/" | "jusqu'au" | "jusqu’au")
                {
                    self.found[previous].end = self.found[index].end;
                    joined.push(index);
                    continue;
                }
            }
            last = Some(index);
        }
        joined.sort_unstable();
        for index in joined.into_iter().rev() {
            self.found.remove(index);
        }
    }
}
