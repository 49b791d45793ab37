//! Dates in figures: "12/03/2024", "2024-03", "12.3", "20240312".

use std::ops::Range;

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::Date;
use crate::shape::gazetteer::Cue;
use crate::shape::reader::Reader;

impl Reader<'_, '_> {
    pub(super) fn figures(&self, at: usize, cued: bool) -> Option<Date> {
        if self.tail(at) {
            return None;
        }
        self.three_parts(at).or_else(|| self.spaced(at, cued)).or_else(|| self.two_parts(at, cued))
    }

    /// A figure, or the first of the month.
    pub(super) fn day_figure(&self, at: usize) -> Option<(u64, usize)> {
        if is!(self.key(at), "1er" | "ler") {
            return Some((1, 1));
        }
        self.digits(at).map(|d| (d.value, d.count))
    }

    /// Day, month and year between marks.
    pub(super) fn three_parts(&self, at: usize) -> Option<Date> {
        let (a, a_count) = self.day_figure(at)?;
        let b = self.digits(at + 2)?;
        let marks = is!(self.key(at + 1), "/" | "." | "-") && is!(self.key(at + 3), "/" | "." | "-");
        if !marks || !(1..=4).all(|i| self.same_line(at + i)) || b.count > 2 {
            return None;
        }
        let (mark, second) = (self.fold(at + 1), self.fold(at + 3));
        let tight = (1..=4).all(|i| self.glued(at + i));
        let (c, c_count, last) = self.leading_figure(at + 4)?;
        let more = is!(self.key(at + 5), "/" | "." | "-") && self.glued(at + 5) && self.glued(at + 6) && self.digits(at + 6).is_some();
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
                    "." => {
                        let recent = c_count == 2 && self.century(c) + 6 > self.now() && self.century(c) < self.now() + 2;
                        let alone = self.line_start(at) && (self.line_start(at + 5) || self.token(at + 5).is_none());
                        padded || recent && (alone || self.opened(at) || a > 12 && !self.measured(at))
                    }
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
    pub(super) fn leading_figure(&self, at: usize) -> Option<(u64, usize, usize)> {
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
        let year = c.count == 4 && (1900..2100).contains(&c.value) || cued && c.count == 2 && self.is(at.wrapping_sub(1), Cue::Birth)
            // "14 05 24 8h50": a clock behind a day of these weeks.
            || c.count == 2
                && self.clock_behind(at + 3)
                && self.near_document(a.value, b.value)
                && self.century(c.value).abs_diff(self.now()) < 2;
        let alone = at == 0 || self.digits(at - 1).is_none() || !self.same_line(at) || self.day_behind_gap(at);
        (single && valid && year && alone && !self.is(at + 3, Cue::Unit)).then(|| Date {
            year: Some(if c.count == 4 { c.value } else { self.century(c.value) }),
            whole: true,
            ..Date::new(at + 3)
        })
    }

    /// "12/03", "03/2024", "2024-03": figures that could be a score or a pressure.
    fn two_parts(&self, at: usize, cued: bool) -> Option<Date> {
        let (a, a_count) = self.day_figure(at)?;
        if !is!(self.key(at + 1), "/" | "-" | ".") || !self.glued(at + 1) || !self.glued(at + 2) {
            return None;
        }
        let mark = self.fold(at + 1);
        let (b, b_count, last) = self.leading_figure(at + 2)?;
        // "p. 2/3", "pages 1/4"
        let back = 1 + usize::from(self.before(at, 1) == ".") + usize::from(self.before(at, 1) == ":");
        if matches!(self.before(at, back), "p" | "pp" | "pg" | "page" | "pages" | "feuillet" | "folio") && self.same_line(at) {
            return None;
        }
        let clock = self.clock_behind(at + 3);
        let third = is!(self.key(at + 3), "/" | "." | "-" | ",")
            && self.glued(at + 3)
            && self.glued(at + 4)
            && self.kind(at + 4) == Some(Kind::Number);
        let initial = self.column(at + 3) || self.capital(at + 3) && self.fold(at + 3).len() == 1;
        // "04/2016 CH de Brouzac": no unit stands behind a year.
        let initial = initial || b_count == 4 && self.capital(at + 3);
        let amount = self.is(at + 3, Cue::Unit) && self.same_line(at + 3) && !clock && !initial;
        if third && !(mark == "/" && is!(self.key(at + 3), "-" | ",")) || amount {
            return None;
        }
        if self.before(at, 1) == "°" || self.before(at, 1) == "#" {
            return None;
        }
        let date = Date { last, ..Date::new(at + 3) };
        let score = self.cue_before(at, 4, Cue::Score) && !cued;
        if b_count == 4 {
            let month = (1..=12).contains(&a)
                && a_count <= 2
                && (1900..2100).contains(&b)
                && (mark != "."
                    || a_count == 2 && matches!(self.before(at, 1), "en" | "depuis" | "le" | "g" | "d" | "avc" | "ait" | "idm"));
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
            || cued && !is!(self.key(at - 1), "en") && !self.fold(at - 1).is_empty();
        if a <= 31 && b <= 12 {
            let sure = if mark == "/" {
                if article {
                    // "les 2/3 supérieurs", "au 1/3 moyen"
                    let fraction = a < b && a_count == 1 && b_count == 1 && b <= 5;
                    let day =
                        fraction && !score && (self.sentence_ends(at + 3) || clock) && !matches!(self.before(at, 1), "les" | "au" | "des");
                    (!fraction || day && self.near_document(a, b)) && (!score || b_count == 2)
                } else {
                    self.bare_day_month(at, (a, a_count), (b, b_count), score || vital, clock)
                        || !vital && self.nearby(at, (a, a_count), (b, b_count))
                }
            } else {
                // "IRM faite le 9.03", "TDM du 10.3"
                let told = matches!(self.before(at, 1), "le" | "du")
                    && mark == "."
                    && (b_count == 2 || crate::shape::day::dated(self.before(at, 2)) || at > 1 && self.is(at - 2, Cue::BeforeDay))
                    && !self.is(at + 3, Cue::Unit)
                    && !vital
                    && !score
                    && (self.sentence_ends(at + 3) || self.word(at + 3));
                // "14.3 : visite" at the head of a line, near the day of the document
                // "dict. 20.02 / corr. 21.02": what is done with a letter.
                let word = self.before(at, 1 + usize::from(self.before(at, 1) == "."));
                let typed =
                    matches!(word, "dict" | "dicte" | "dictee" | "corr" | "corrige" | "relu" | "frappe" | "tape" | "edite" | "signe")
                        && mark == "."
                        && (a_count, b_count) == (2, 2)
                        && self.same_line(at)
                        && self.near_document(a, b);
                // "séjour du 30-1 au 10-2"
                let ends = self.mark(at + 1, "-")
                    && (self.before(at, 1) == "du" && is!(self.key(at + 3), "au") && self.mark(at + 5, "-")
                        || self.before(at, 1) == "au" && at > 1 && self.is_taken(at - 2))
                    && self.near_document(a, b);
                // or "14.03 N - calme"
                let shift = self.upper(at + 3)
                    && is!(self.key(at + 3), "n" | "m" | "s" | "j" | "am" | "apm" | "nuit" | "matin" | "soir" | "jour")
                    && (is!(self.key(at + 4), "-" | "–" | ":" | "|") && !self.glued(at + 5) || self.line_start(at + 4));
                let heads = mark == "."
                    && self.line_start(at)
                    && (self.mark(at + 3, ":") || shift)
                    && self.near_document(a, b)
                    && !self.measured(at);
                // "7.2  J1" and "J3 (06.02)": a day counted from the first one.
                let counted = mark == "."
                    && (self.same_line(at + 3) && counted_day(self.fold(at + 3)) && self.line_start(at)
                        || self.before(at, 1) == "(" && self.mark(at + 3, ")") && counted_day(self.before(at, 2)));
                // "9h15 12.03", "12-03 22h": beside an hour.
                let timed = (a_count, b_count) == (2, 2)
                    && !(vital || score)
                    && (mark == "-" && clock || at > 0 && !self.glued(at) && self.clock_behind(at - 1))
                    && self.near_document(a, b);
                told || heads
                    || typed
                    || ends && !vital && !score
                    || timed
                    || counted
                    || !vital && !score && self.padded(at, (a, a_count), (b, b_count))
                    || article && a_count == 2 && b_count == 2 && (mark == "-" || self.sentence_ends(at + 3) || clock)
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
        // "coro 12/23.": a month that closes a clause
        let closed = self.sentence_ends(at + 3) && full + 15 >= self.now() && self.word(at.wrapping_sub(1)) && !self.named_on_line(at);
        (shape && (opened || closed || a < 10 && full + 30 >= self.now())).then_some(Date { year: Some(full), ..date })
    }

    /// A day and a month that nothing announces.
    fn bare_day_month(&self, at: usize, day: (u64, usize), month: (u64, usize), scored: bool, clock: bool) -> bool {
        let heads =
            self.line_start(at) && (is!(self.key(at + 3), ":" | "-" | "–" | "→" | "|") || self.word(at + 3) && self.same_line(at + 3));
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
            let met = self.examined(at) || crate::shape::day::meeting(self.before(at, 1));
            let bare = month.0 <= 3
                && self.word(at.wrapping_sub(1))
                && at > 0
                && !matches!(self.before(at, 1), "a" | "sur" | "x" | "les" | "aux" | "environ");
            let ranged = is!(self.key(at + 3), "au" | "→") && self.digits(at + 4).is_some() && self.mark(at + 5, "/");
            return ranged || day.0 > 12 && (heads && self.mark(at + 3, ":") || met || bare && !self.is(at + 3, Cue::Unit));
        }
        if month.0 < 10 {
            return !matches!(self.before(at, 1), "=" | "<" | ">" | "x");
        }
        // "8/10", "12/12" may be scores.
        let range = is!(self.key(at + 3), "-" | "au" | "→") || self.before(at, 1) == "-";
        let headed = self.mark(at + 3, ":") && !self.glued(at + 4) || self.examined(at);
        heads
            || headed && day.1 == 2
            || day.0 > 12 && !matches!(self.before(at, 1), "a" | "=" | "<" | ">" | "sur" | "x")
            || day.1 == 2 && day.0 < 10
            || range && day.1 == 2
    }

    /// "Doppler 12/11": an examination with its day.
    fn examined(&self, at: usize) -> bool {
        crate::shape::day::dated(self.before(at, 1))
    }

    /// Pressures stand before, on this line, and no other date between.
    fn vital_before(&self, at: usize) -> bool {
        let mut index = at;
        for _ in 0..7 {
            if index == 0 || self.line_start(index) {
                return false;
            }
            index -= 1;
            if is!(self.key(index), "." | ";" | "le" | "du") && !self.glued(index + 1) {
                return false;
            }
            if self.is(index, Cue::Vital) {
                return true;
            }
        }
        false
    }

    pub(in crate::shape) fn sentence_ends(&self, at: usize) -> bool {
        self.line_start(at) || self.token(at).is_none() || is!(self.key(at), "." | "," | ";" | ")" | ":")
    }

    /// "12032024", "20240312", "120324" where a date is announced.
    pub(super) fn compact(&self, at: usize, cued: bool) -> Option<Date> {
        let digits = self.digits(at).filter(|d| matches!(d.count, 6 | 8))?;
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
}

/// "J3": so many days after the first.
fn counted_day(fold: &str) -> bool {
    fold.strip_prefix('j').is_some_and(|d| matches!(d.len(), 1..=3) && d.bytes().all(|b| b.is_ascii_digit()))
}
