//! Days that no figure tells: "troisième jeudi de juin", "lundi de Pâques",
//! "mardi seize", "le dix-neuf au matin", and months in Roman figures.

use sillage_clinical::is;
use sillage_clinical::temporal::ROMAN_MONTHS;

use super::Date;
use crate::shape::gazetteer::Cue;
use crate::shape::reader::Reader;

impl Reader<'_, '_> {
    /// A day told in one of these ways starts here.
    pub(super) fn told(&self, at: usize) -> Option<Date> {
        if self.digits(at).is_some() {
            return self.roman_month(at);
        }
        let weekday = self.is(at, Cue::Weekday);
        if !(weekday || self.is(at, Cue::NumberWord) || self.is(at + 1, Cue::Weekday)) {
            return None;
        }
        self.nth_weekday(at).or_else(|| self.weekday_feast(at)).or_else(|| self.spelled_day(at))
    }

    /// "de mars 2024", "d'avril", "du mois": the month behind a day of the week.
    fn of_month(&self, at: usize) -> Option<Date> {
        let month = match self.fold(at) {
            "de" | "du" => at + 1,
            "d" if self.mark(at + 1, "'") => at + 2,
            _ => return None,
        };
        if is!(self.key(month), "mois") {
            return Some(Date::new(month + 1));
        }
        if !self.is(month, Cue::Month) || !self.near(month) {
            return None;
        }
        Some(match self.year_behind(month + 1) {
            Some((year, end)) => Date { year: Some(year), ..Date::new(end) },
            None => Date::new(month + 1),
        })
    }

    fn nth_weekday(&self, at: usize) -> Option<Date> {
        if !self.is(at + 1, Cue::Weekday) {
            return None;
        }
        let nth = is!(
            self.key(at),
            "premier"
                | "deuxieme"
                | "second"
                | "troisieme"
                | "quatrieme"
                | "dernier"
                | "avant-dernier"
                | "1er"
                | "2e"
                | "2eme"
                | "3e"
                | "3eme"
                | "4e"
                | "4eme"
        );
        (nth && self.same_line(at + 1)).then(|| self.of_month(at + 2)).flatten()
    }

    /// "lundi de Pâques", "jeudi de l'Ascension", "Mardi gras", "Vendredi saint".
    fn weekday_feast(&self, at: usize) -> Option<Date> {
        if !self.is(at, Cue::Weekday) {
            return None;
        }
        let fold = self.fold(at + 1);
        if matches!((self.fold(at), fold), ("mardi", "gras") | ("vendredi" | "jeudi" | "samedi", "saint")) && self.same_line(at + 1) {
            return Some(Date::new(at + 2));
        }
        let mut feast = at + 1;
        while is!(self.key(feast), "de" | "des" | "du" | "la" | "l" | "d" | "'") && feast < at + 5 {
            feast += 1;
        }
        let named = self.is(feast, Cue::Holiday) || is!(self.key(feast), "rameaux" | "cendres");
        (feast > at + 1 && named && self.near(feast)).then(|| Date::new(feast + 1))
    }

    /// "mardi seize à 9 h", "le dix-neuf au matin": never an amount.
    fn spelled_day(&self, at: usize) -> Option<Date> {
        let weekday = self.is(at, Cue::Weekday);
        let day = at + usize::from(weekday);
        if !self.is(day, Cue::NumberWord) || !(weekday || self.before(at, 1) == "le" && self.near(at)) || !self.same_line(day) && weekday {
            return None;
        }
        let (value, end) = self.number_in_words(day)?;
        let part = is!(self.key(end), "au") && is!(self.key(end + 1), "matin" | "soir" | "petit")
            || is!(self.key(end), "a" | "vers") && self.digits(end + 1).is_some()
            || is!(self.key(end), "dans") && is!(self.key(end + 2), "nuit");
        let closes = weekday && (self.token(end).is_none() || self.line_start(end) || is!(self.key(end), "," | "." | ")" | ";" | "et"));
        (value < 32 && value > 1 && (part || closes)).then(|| Date::new(end))
    }

    /// "14 VI 2024", "14/VI/24".
    fn roman_month(&self, at: usize) -> Option<Date> {
        self.digits(at).filter(|d| d.count <= 2 && (1..=31).contains(&d.value))?;
        let marked = is!(self.key(at + 1), "/" | "-" | ".");
        let step = if marked { 2 } else { 1 };
        let (month, year) = (at + step, at + 2 * step);
        if !self.upper(month) || !ROMAN_MONTHS.contains(&self.fold(month)) {
            return None;
        }
        let parted = !marked || self.fold(at + 3) == self.fold(at + 1) && (1..=4).all(|i| self.glued(at + i));
        let recent = |value: u64| self.century(value) + 2 > self.now() && self.century(value) < self.now() + 2;
        let figures =
            self.digits(year).filter(|d| d.count == 4 && (1900..2100).contains(&d.value) || d.count == 2 && (marked || recent(d.value)))?;
        let line = (1..=2 * step).all(|i| self.same_line(at + i));
        (parted && line && !self.tail(at)).then(|| Date {
            year: Some(if figures.count == 4 { figures.value } else { self.century(figures.value) }),
            whole: true,
            ..Date::new(year + 1)
        })
    }
}
