//! Calendar dates: in figures and with the month in letters, whole or in part.
//!
//! A span leaves out article, preposition and the time of the clock, keeps the name
//! of the weekday, and joins the two ends of a range. Days of the month and years
//! that stand alone are read in [`super::day`] and [`super::year`].

use std::ops::Range;

use sillage_clinical::text::Kind;

use super::gazetteer::Cue;
use super::reader::Reader;
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
        if self.is_taken(at) {
            return None;
        }
        let first = at;
        let mut day = at;
        if self.is(at, Cue::Weekday) || self.is(at, Cue::WeekdayShort) {
            day = at + 1;
            if self.mark(day, ".") && self.glued(day) || self.mark(day, ",") && self.same_line(day + 1) {
                day += 1;
            }
            if self.fold(day) == "le" {
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
            && let Some(date) = self.month_first(at).or_else(|| self.feast(at))
        {
            return self.emit_date(first, date);
        }
        // "lundi 12": a weekday makes the figure a day.
        let sure = self.is(first, Cue::Weekday) || self.mark(first + 1, ".");
        if day > first && self.is_day(day) && sure && self.same_line(day) && !self.amount_behind(day) {
            return self.emit_date(first, Date::new(day + 1));
        }
        None
    }

    /// A date, or the days before it that lean on its month: "12 au 17 janvier".
    fn ranged(&mut self, at: usize, cued: bool) -> Option<Date> {
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
            link += 1;
        }
        while matches!(self.fold(link), "le" | "du" | "les")
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
            if plural && self.fold(at + 1) != "a" || self.fold(at + 1) == "a" && matches!(self.before(at, 1), "du" | "de") {
                self.emit_date(at, Date::new(at + 1));
            }
            return None;
        }
        let dose = tight && !plural && self.digits(at).is_some_and(|d| d.count == 1) && !next.whole;
        (self.fold(at + 1) == "au" || tight && !dose || plural).then_some(next)
    }

    /// An article, a preposition or a heading announces a date.
    fn opened(&self, at: usize) -> bool {
        at > 0 && (self.is(at - 1, Cue::OpensDate) || self.is(at - 1, Cue::Birth))
            || self.fold(at.wrapping_sub(1)) == ":" && at > 1 && (self.is(at - 2, Cue::OpensDate) || self.is(at - 2, Cue::Birth))
    }

    /// A date in figures or with its month in letters.
    pub fn date_at(&self, at: usize, cued: bool) -> Option<Date> {
        if self.is_taken(at) {
            return None;
        }
        match self.kind(at)? {
            Kind::Number => {
                self.figures(at, cued).or_else(|| self.written(at)).or_else(|| self.glued_date(at)).or_else(|| self.compact(at, cued))
            }
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
                    "+" | "#" | "°" | "<" | ">" | "≥" | "≤" => true,
                    _ => false,
                }
            }
            _ => true,
        }
    }

    fn figures(&self, at: usize, cued: bool) -> Option<Date> {
        if self.tail(at) {
            return None;
        }
        self.three_parts(at).or_else(|| self.spaced(at, cued)).or_else(|| self.two_parts(at, cued))
    }

    /// A figure, or the first of the month.
    fn day_figure(&self, at: usize) -> Option<(u64, usize)> {
        match self.fold(at) {
            "1er" | "ler" => Some((1, 1)),
            _ => self.digits(at).map(|d| (d.value, d.count)),
        }
    }

    /// Day, month and year between marks.
    fn three_parts(&self, at: usize) -> Option<Date> {
        let (a, a_count) = self.day_figure(at)?;
        let b = self.digits(at + 2)?;
        let (mark, second) = (self.fold(at + 1), self.fold(at + 3));
        if !matches!(mark, "/" | "." | "-") || !matches!(second, "/" | "." | "-") || !(1..=4).all(|i| self.same_line(at + i)) || b.count > 2
        {
            return None;
        }
        let tight = (1..=4).all(|i| self.glued(at + i));
        let (c, c_count, last) = self.leading_figure(at + 4)?;
        let more =
            matches!(self.fold(at + 5), "/" | "." | "-") && self.glued(at + 5) && self.glued(at + 6) && self.digits(at + 6).is_some();
        if more && mark == second && self.fold(at + 5) == mark && c_count <= 2 && a_count <= 2 {
            return None;
        }
        if !tight && (mark != "/" || second != "/") && !(c_count == 4 && mark == second) {
            return None;
        }
        let mut date = Date { end: at + 5, last, year: None, whole: true };
        if a_count == 4 && mark == second {
            date.year = Some(a);
            return ((1850..2120).contains(&a) && (1..=19).contains(&b.value) && (1..=39).contains(&c) && c_count <= 2).then_some(date);
        }
        if a_count > 2 || a == 0 || a > 39 || b.value == 0 || b.value > 19 {
            return None;
        }
        match c_count {
            4 if (1850..2120).contains(&c) => date.year = Some(c),
            2 if mark == second && a <= 31 && b.value <= 12 => {
                let padded = a_count == 2 && b.count == 2;
                let behind = at + 5;
                if self.same_line(behind) && !self.column(behind) && self.is(behind, Cue::Unit) && !self.capital(behind) {
                    return None;
                }
                let sure = match mark {
                    "/" => true,
                    // "2.1.12" heads a section, "10-5-10" is a dose.
                    "." => padded,
                    _ => {
                        padded
                            && !(self.is(at + 5, Cue::Unit) && self.same_line(at + 5))
                            && (b.value < 10 || c > 12 && c < 40 || self.opened(at))
                            || b.count == 1 && a_count == 2 && c >= 19 && (self.opened(at) || c > 20)
                    }
                };
                if !sure {
                    return None;
                }
                date.year = Some(self.century(c));
            }
            _ => return None,
        }
        Some(date)
    }

    /// The figures that a token starts with: `2024`, `24`, the `12` of `12t14`, `24à9h`.
    fn leading_figure(&self, at: usize) -> Option<(u64, usize, usize)> {
        if let Some(digits) = self.digits(at) {
            return Some((digits.value, digits.count, usize::MAX));
        }
        let fold = self.fold(at);
        let count = fold.bytes().take_while(u8::is_ascii_digit).count();
        let rest = &fold[count..];
        let clock = rest.strip_prefix('t').or_else(|| rest.strip_prefix('a')).is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
        (count > 0 && clock && self.kind(at) == Some(Kind::Number)).then_some(())?;
        Some((fold[..count].parse().ok()?, count, count))
    }

    /// Year of two figures.
    pub fn century(&self, year: u64) -> u64 {
        let now = self.now();
        if 2000 + year > now + 3 { 1900 + year } else { 2000 + year }
    }

    /// Year of the document.
    pub fn now(&self) -> u64 {
        use chrono::Datelike;
        self.analysis.reference().map_or(2040, |r| u64::try_from(r.year()).unwrap_or(2040))
    }

    /// "12 03 2024".
    fn spaced(&self, at: usize, cued: bool) -> Option<Date> {
        let (a, b, c) = (self.digits(at)?, self.digits(at + 1)?, self.digits(at + 2)?);
        let single = !self.glued(at + 1) && !self.glued(at + 2) && (1..=2).all(|i| self.same_line(at + i) && !self.column(at + i));
        let valid = (1..=31).contains(&a.value) && (1..=12).contains(&b.value) && a.count == 2 && b.count == 2;
        let year = c.count == 4 && (1900..2100).contains(&c.value) || cued && c.count == 2 && self.is(at.wrapping_sub(1), Cue::Birth);
        let alone = at == 0 || self.digits(at - 1).is_none() || !self.same_line(at);
        (single && valid && year && alone && !self.is(at + 3, Cue::Unit)).then(|| Date {
            year: Some(if c.count == 4 { c.value } else { self.century(c.value) }),
            whole: true,
            ..Date::new(at + 3)
        })
    }

    /// "12/03", "03/2024", "2024-03": figures that could be a score or a pressure.
    fn two_parts(&self, at: usize, cued: bool) -> Option<Date> {
        let (a, a_count) = self.day_figure(at)?;
        let mark = self.fold(at + 1);
        if !matches!(mark, "/" | "-" | ".") || !self.glued(at + 1) || !self.glued(at + 2) {
            return None;
        }
        let (b, b_count, last) = self.leading_figure(at + 2)?;
        let clock = self.clock_behind(at + 3);
        let third = matches!(self.fold(at + 3), "/" | "." | "-" | ",")
            && self.glued(at + 3)
            && self.glued(at + 4)
            && self.kind(at + 4) == Some(Kind::Number);
        let initial = self.column(at + 3) || self.capital(at + 3) && self.fold(at + 3).len() == 1;
        let amount = self.is(at + 3, Cue::Unit) && self.same_line(at + 3) && !clock && !initial;
        if third && !(mark == "/" && matches!(self.fold(at + 3), "-" | ",")) || amount {
            return None;
        }
        if self.before(at, 1) == "°" || self.before(at, 1) == "#" {
            return None;
        }
        let date = Date { last, ..Date::new(at + 3) };
        let score = self.cue_before(at, 4, Cue::Score) && !cued;
        if b_count == 4 {
            let month = (1..=12).contains(&a) && a_count <= 2 && (1900..2100).contains(&b) && mark != ".";
            return (month && !self.measured(at)).then_some(Date { year: Some(b), ..date });
        }
        if a_count == 4 {
            let month = (1..=12).contains(&b) && b_count == 2 && (1900..2100).contains(&a) && mark != ".";
            return month.then_some(Date { year: Some(a), ..date });
        }
        if b_count > 2 || a_count > 2 || a == 0 || b == 0 {
            return None;
        }
        let vital = self.vital_before(at);
        let article = matches!(self.before(at, 1), "le" | "du" | "les" | "au" | "des" | "date" | "depuis" | "jusqu" | "dates") && at > 0
            || cued && self.fold(at - 1) != "en" && !self.fold(at - 1).is_empty();
        if a <= 31 && b <= 12 {
            let sure = if mark == "/" {
                if article {
                    // "les 2/3 supérieurs", "au 1/3 moyen"
                    let fraction = a < b && a_count == 1 && b_count == 1 && b <= 5;
                    !fraction && (!score || b_count == 2)
                } else {
                    self.bare_day_month(at, (a, a_count), (b, b_count), score || vital, clock)
                }
            } else {
                // "IRM faite le 9.03", "TDM du 10.3"
                let told = matches!(self.before(at, 1), "le" | "du")
                    && mark == "."
                    && (b_count == 2 || super::day::dated(self.before(at, 2)))
                    && !self.is(at + 3, Cue::Unit)
                    && !vital
                    && !score
                    && (self.sentence_ends(at + 3) || self.word(at + 3));
                told || article && a_count == 2 && b_count == 2 && (mark == "-" || self.sentence_ends(at + 3) || clock)
                    || mark == "." && a_count == 2 && b_count == 2 && (self.mark(at + 3, ".") && self.line_start(at) || clock) && !vital
            };
            return sure.then_some(date);
        }
        // "en 03/24"
        let full = self.century(b);
        let opened = matches!(self.before(at, 1), "en" | "depuis" | "de" | "debut" | "fin" | "courant" | "dep" | "des");
        let shape = mark == "/"
            && (1..=12).contains(&a)
            && a_count == 2
            && b_count == 2
            && full <= self.now() + 2
            && !score
            && !vital
            && !self.measured(at);
        (shape && (opened || a < 10 && full + 30 >= self.now())).then_some(Date { year: Some(full), ..date })
    }

    /// A day and a month that nothing announces.
    fn bare_day_month(&self, at: usize, day: (u64, usize), month: (u64, usize), scored: bool, clock: bool) -> bool {
        let heads = self.line_start(at)
            && (matches!(self.fold(at + 3), ":" | "-" | "–" | "→" | "|") || self.word(at + 3) && self.same_line(at + 3));
        if clock || self.is(at.wrapping_sub(1), Cue::Weekday) && at > 0 {
            return !scored || self.line_start(at) || clock && month.1 == 2;
        }
        // "PA 12/03 : 13/8"
        let table = self.mark(at + 3, ":") && self.digits(at + 4).is_some() && self.mark(at + 5, "/") && day.1 == 2 && month.1 == 2;
        if (scored || self.measured(at)) && !table {
            return false;
        }
        // "J1 = 12/3"
        if self.before(at, 1) == "="
            && self.before(at, 2).len() < 4
            && self.before(at, 2).starts_with(['j', 'h', 'd'])
            && self.before(at, 2).len() > 1
        {
            return true;
        }
        // "hier (2/4)", "ce jour 3/4", "J3 (31/3)"
        let today = |word: &str| {
            matches!(word, "hier" | "jour" | "veille" | "lendemain" | "matin" | "soir" | "demain")
                || word.strip_prefix('j').is_some_and(|n| !n.is_empty() && n.len() < 3 && n.bytes().all(|b| b.is_ascii_digit()))
        };
        let bracket = self.before(at, 1) == "("
            && self.mark(at + 3, ")")
            && (today(self.before(at, 2)) || self.is(at.wrapping_sub(2), Cue::Weekday) && at > 1);
        let told = matches!(self.before(at, 1), "jour" | "hier")
            && matches!(self.before(at, 2), "ce" | "" | "d" | "," | ".")
            && !self.is(at + 3, Cue::Unit);
        if bracket || told {
            return true;
        }
        if month.1 == 1 {
            // "staff 20/1 avec", "TDM 14/3 :": no score, no pressure is written so.
            let met = self.examined(at) || super::day::meeting(self.before(at, 1));
            let bare = month.0 <= 3
                && self.word(at.wrapping_sub(1))
                && at > 0
                && !matches!(self.before(at, 1), "a" | "sur" | "x" | "les" | "aux" | "environ");
            return day.0 > 12 && (heads && self.mark(at + 3, ":") || met || bare && !self.is(at + 3, Cue::Unit));
        }
        if month.0 < 10 {
            return !matches!(self.before(at, 1), "=" | "<" | ">" | "x");
        }
        // "8/10", "12/12" may be scores.
        let range = matches!(self.fold(at + 3), "-" | "au" | "→") || self.before(at, 1) == "-";
        let headed = self.mark(at + 3, ":") && !self.glued(at + 4) || self.examined(at);
        heads
            || headed && day.1 == 2
            || day.0 > 12 && !matches!(self.before(at, 1), "a" | "=" | "<" | ">" | "sur" | "x")
            || day.1 == 2 && day.0 < 10
            || range && day.1 == 2
    }

    /// "Doppler 12/11": an examination with its day.
    fn examined(&self, at: usize) -> bool {
        super::day::dated(self.before(at, 1))
    }

    /// Pressures stand before, on this line, and no other date between.
    fn vital_before(&self, at: usize) -> bool {
        let mut index = at;
        for _ in 0..7 {
            if index == 0 || self.line_start(index) {
                return false;
            }
            index -= 1;
            if matches!(self.fold(index), "." | ";" | "le" | "du") && !self.glued(index + 1) {
                return false;
            }
            if self.is(index, Cue::Vital) {
                return true;
            }
        }
        false
    }

    fn sentence_ends(&self, at: usize) -> bool {
        self.line_start(at) || self.token(at).is_none() || matches!(self.fold(at), "." | "," | ";" | ")" | ":")
    }

    /// A time of the clock follows: "14h05", "à 9 h", "14:05".
    pub fn clock_behind(&self, at: usize) -> bool {
        let link = |at: usize| at + usize::from(matches!(self.fold(at), "a" | "vers" | "," | "-" | "–" | "des") && self.same_line(at));
        let at = link(link(at));
        let Some(token) = self.token(at).filter(|t| t.kind == Kind::Number && t.lines_before == 0) else { return false };
        let fold = self.fold(at);
        let hours = fold.bytes().take_while(u8::is_ascii_digit).count();
        let suffix = fold[hours..].starts_with('h');
        let colon = self.mark(at + 1, ":") && self.glued(at + 1) && self.glued(at + 2) && self.digits(at + 2).is_some_and(|d| d.count == 2);
        let spaced = matches!(self.fold(at + 1), "h" | "heures" | "heure") && self.same_line(at + 1);
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
        let marked = matches!(self.fold(at), "-" | "/" | ".") && self.glued(at) && self.glued(at + 1);
        let month = at + usize::from(marked);
        let full = self.is(month, Cue::Month);
        if !(full || self.is(month, Cue::MonthShort)) || !self.near(month) {
            return None;
        }
        // "sept" is a number before a unit; "12 mar" alone could be anything.
        let dot = usize::from(!full && self.mark(month + 1, ".") && self.glued(month + 1));
        let year = self.year_behind(month + 1 + dot);
        if !full && year.is_none() {
            let sept = self.fold(month) == "sept"
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
            None => Date::new(month + 1),
        })
    }

    /// A year behind a month: "2024", "24", "'24", "deux mille vingt-quatre".
    pub fn year_behind(&self, at: usize) -> Option<(u64, usize)> {
        let marked = matches!(self.fold(at), "-" | "/" | "." | "'") && self.glued(at + 1);
        let at = at + usize::from(marked);
        if let Some(digits) = self.digits(at) {
            let near = self.same_line(at) || digits.count == 4 && self.near(at);
            if digits.count == 4 && (1850..2120).contains(&digits.value) && near {
                return (!self.amount_behind(at)).then_some((digits.value, at + 1));
            }
            let clock = self.mark(at + 1, ":") && self.glued(at + 1) && self.digits(at + 2).is_some();
            let slash =
                matches!(self.fold(at + 1), "/" | "," | ".") && self.glued(at + 1) && self.glued(at + 2) && self.digits(at + 2).is_some();
            let row = self.same_line(at + 1) && self.digits(at + 1).is_some();
            if digits.count == 2 && self.same_line(at) && !clock && !slash && !row && !self.amount_behind(at) {
                return Some((self.century(digits.value), at + 1));
            }
            return None;
        }
        self.spelled_year(at).filter(|_| self.near(at))
    }

    /// A unit follows: the figure is an amount.
    pub fn amount_behind(&self, at: usize) -> bool {
        self.same_line(at + 1)
            && (self.is(at + 1, Cue::Unit)
                || matches!(self.fold(at + 1), "%" | "€" | "°")
                || self.mark(at + 1, "/") && self.word(at + 2) && self.glued(at + 2) && !self.capital(at + 2))
    }

    /// "12MAR2024", "12mars", and the "12mar" of "12mar 2024".
    fn glued_date(&self, at: usize) -> Option<Date> {
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

    /// "12032024", "20240312", "120324" where a date is announced.
    fn compact(&self, at: usize, cued: bool) -> Option<Date> {
        let digits = self.digits(at)?;
        if self.tail(at) && self.before(at, 1) != "_" && self.before(at, 1) != "-" || self.amount_behind(at) {
            return None;
        }
        let fold = self.fold(at);
        let part = |range: Range<usize>| fold.get(range).and_then(|p| p.parse::<u64>().ok()).unwrap_or(0);
        let day_month = |day: u64, month: u64| (1..=31).contains(&day) && (1..=12).contains(&month);
        let years = 1900..=self.now() + 3;
        let year = match digits.count {
            8 if day_month(part(0..2), part(2..4)) && years.contains(&part(4..8)) => part(4..8),
            8 if day_month(part(6..8), part(4..6)) && years.contains(&part(0..4)) => part(0..4),
            6 if cued && day_month(part(0..2), part(2..4)) && matches!(self.before(at, 1), "le" | "du" | ":" | "ddn" | "nee") => {
                self.century(part(4..6))
            }
            _ => return None,
        };
        Some(Date { year: Some(year), whole: true, ..Date::new(at + 1) })
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
