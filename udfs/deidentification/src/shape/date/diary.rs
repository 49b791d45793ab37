//! Days at the head of the lines of a note: "lu 6 09h10", "me 13/03 N -", "13 AM - …",
//! and weeks of the year: "S12 2025", "sem. 24".

use chrono::Datelike;
use sillage_clinical::is;
use sillage_clinical::temporal::ROMAN_MONTHS;

use super::Date;
use crate::shape::gazetteer::Cue;
use crate::shape::reader::Reader;

const WEEKDAYS: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];

impl Reader<'_, '_> {
    /// A weekday cut to one, two or five letters before its day.
    pub(super) fn cut_weekday(&self, at: usize) -> bool {
        let dot = usize::from(self.mark(at + 1, ".") && self.glued(at + 1));
        let day = at + 1 + dot;
        if !self.is_day(day) || !self.same_line(day) {
            return false;
        }
        let fold = self.fold(at);
        let cut = fold.len() < 6 && WEEKDAYS.iter().any(|w| w.starts_with(fold));
        let parted = self.line_start(at)
            || matches!(self.before(at, 1), "et" | "-" | "(") && at > 0
            || fold.len() > 1 && self.capital(at) && matches!(self.before(at, 1), "du" | "au" | "nuit")
            || fold.len() > 3;
        if !cut || !parted || self.glued(at) && at > 0 && self.before(at, 1) != "(" {
            return false;
        }
        // "S 1" is a score, "S. 13" a Saturday; "ma 7 nuit" has no dot.
        (fold.len() > 1 || dot == 1) && self.digits(day).is_some_and(|d| self.day_of_week(at, d.value))
    }

    /// The day of this number on the weekday that starts with these letters is near the document.
    fn day_of_week(&self, at: usize, day: u64) -> bool {
        let Some(reference) = self.analysis.reference().map(|r| r.date()) else { return false };
        (-60..=60)
            .filter_map(|d| reference.checked_add_signed(chrono::TimeDelta::days(d)))
            .any(|d| u64::from(d.day()) == day && WEEKDAYS[d.weekday().num_days_from_monday() as usize].starts_with(self.fold(at)))
    }

    /// "13 AM - katell", "14 N : calme": the day and the shift of an entry.
    pub(in crate::shape) fn shift_day(&self, at: usize) -> bool {
        let (shift, mark) = (at + 1, at + 2);
        self.line_start(at)
            && self.is_day(at)
            && self.same_line(shift)
            && self.upper(shift)
            && is!(self.key(shift), "am" | "pm" | "apm" | "m" | "n" | "s" | "j" | "nuit" | "jour" | "matin" | "soir")
            && self.same_line(mark)
            && is!(self.key(mark), "-" | "–" | ":")
            && !self.glued(mark + 1)
    }

    /// "S12 2025", "semaine 24", "prévu S41": a week of the year.
    pub(super) fn week(&self, at: usize) -> Option<Date> {
        if !(self.figured(at) || is!(self.key(at), "sem" | "semaine")) {
            return None;
        }
        let fold = self.fold(at);
        let week = |f: &str| f.len() == 2 && f.parse::<u8>().is_ok_and(|w| (1..=53).contains(&w));
        if let Some(number) = fold.strip_prefix('s').filter(|n| week(n) && self.source(at..at + 1).starts_with('S')) {
            let year = self.digits(at + 1).filter(|d| d.count == 4 && (1990..2100).contains(&d.value) && self.same_line(at + 1));
            let said = at > 0 && self.is(at - 1, Cue::BeforeDay)
                || matches!(self.before(at, 1), "prevue" | "prevu" | "prevus" | "rdv" | "fin" | "debut");
            let late = number.parse::<u8>().is_ok_and(|w| w > 5);
            return match year {
                Some(year) => Some(Date { year: Some(year.value), ..Date::new(at + 2) }),
                None => (said && late && !self.glued(at)).then(|| Date::new(at + 1)),
            };
        }
        let dot = usize::from(self.mark(at + 1, ".") && self.glued(at + 1));
        let number = at + 1 + dot;
        let named = fold == "sem" && dot == 1 || fold == "semaine";
        let counted = at > 0 && (self.digits(at - 1).is_some() || matches!(self.before(at, 1), "par" | "a"));
        (named
            && self.same_line(number)
            && week(self.fold(number))
            && self.digits(number).is_some()
            && self.sentence_ends(number + 1)
            && !counted)
            .then(|| Date::new(number + 1))
    }

    /// "le 13 07", "du 25 7 au 16 9": a day and a month that a space parts.
    pub(super) fn spaced_month(&self, at: usize) -> Option<Date> {
        let (day, month) = (self.digits(at)?, self.digits(at + 1)?);
        let next = at + 2;
        let said = matches!(self.before(at, 1), "le" | "du" | "au") && self.same_line(at) && self.same_line(at + 1);
        let parted = !self.glued(at + 1) && !self.column(at + 1);
        let valid = (1..=31).contains(&day.value) && (1..=12).contains(&month.value) && day.count < 3 && month.count < 3;
        let goes_on = self.same_line(next)
            && (self.digits(next).is_some()
                || self.is(next, Cue::Unit)
                || self.glued(next) && self.glued(next + 1) && !self.line_start(next + 1)
                || is!(self.key(next), "%" | "°" | "=" | "/" | "-" | "+"));
        (said && parted && valid && !goes_on && !self.measured(at) && self.near_document(day.value, month.value)).then(|| Date::new(next))
    }

    /// "XII/2018", "II.2016": a month in Roman figures and its year.
    pub(super) fn roman_month_year(&self, at: usize) -> Option<Date> {
        let year = self.digits(at + 2).filter(|d| d.count == 4 && (1900..2100).contains(&d.value))?;
        let joined = is!(self.key(at + 1), "/" | "." | "-") && self.glued(at + 1) && self.glued(at + 2);
        if !joined {
            return None;
        }
        let alone = at == 0 || !self.glued(at) || self.mark(at - 1, "(");
        (alone && self.upper(at) && ROMAN_MONTHS.contains(&self.fold(at))).then(|| Date { year: Some(year.value), ..Date::new(at + 3) })
    }

    /// "3.XI", "14/IV", "27-XII": a day and a month in Roman figures; "le 9.I" needs its article.
    pub(super) fn roman_day(&self, at: usize) -> Option<Date> {
        let day = self.digits(at).filter(|d| d.count < 3 && (1..=31).contains(&d.value))?;
        if !(is!(self.key(at + 1), "." | "/" | "-") && self.glued(at + 1) && self.glued(at + 2)) {
            return None;
        }
        let said = self.same_line(at) && matches!(self.before(at, 1), "le" | "du" | "au");
        let letters = if said { 0 } else { 1 };
        let month = ROMAN_MONTHS
            .iter()
            .position(|m| *m == self.fold(at + 2))
            .filter(|_| self.upper(at + 2) && self.fold(at + 2).len() > letters)?;
        let graded = self.mark(at + 1, "/") && at > 0 && self.upper(at - 1) && self.same_line(at);
        let named = graded || self.cue_before(at, 3, Cue::Score) || self.cue_before(at, 3, Cue::NamedAfter);
        (!named && !self.tail(at) && self.near_document(day.value, month as u64 + 1)).then(|| Date::new(at + 3))
    }
}
