//! Days and months in figures that nothing announces, by what the document is about: a
//! day within weeks of the document, on a line without pressures and scores, is a date.

use chrono::{Datelike, NaiveDate};

use sillage_clinical::is;

use crate::shape::gazetteer::Cue;
use crate::shape::reader::Reader;

/// Days before the document that its events are told of.
const PAST: i64 = 150;
/// Days after it that appointments are made for.
const AHEAD: i64 = 100;

impl Reader<'_, '_> {
    /// The day lies near the day of the document, in its year or the next to it.
    pub(super) fn near_document(&self, day: u64, month: u64) -> bool {
        let Some(reference) = self.analysis.reference().map(|r| r.date()) else { return false };
        let (Ok(day), Ok(month)) = (u32::try_from(day), u32::try_from(month)) else { return false };
        (-1..=1).any(|year| {
            NaiveDate::from_ymd_opt(reference.year() + year, month, day)
                .is_some_and(|d| (-PAST..=AHEAD).contains(&(d - reference).num_days()))
        })
    }

    /// A day and a month near the document's own that stand where a date stands.
    pub(super) fn nearby(&self, at: usize, day: (u64, usize), month: (u64, usize)) -> bool {
        if !self.near_document(day.0, month.0) || self.same_line(at) && at > 0 && self.digits(at - 1).is_some() {
            return false;
        }
        // "11/02 -> 06/03"
        let arrow = self.before(at, 1) == ">" && matches!(self.before(at, 2), "-" | "=" | "–") && self.glued(at - 1);
        // "> 12/02 : revu" is an item, "INR > 12/02" compares.
        let item = at > 0 && self.before(at, 1) == ">" && self.line_start(at - 1) && !self.glued(at);
        if !arrow && !item && matches!(self.before(at, 1), "=" | "<" | ">" | "x" | "sur" | "×" | "≥" | "≤" | "~" | "≈") || self.fraction(at)
        {
            return false;
        }
        let end = at + 3;
        // "LDL 9/12 : 0,58": the day of a result, and the result.
        let result = self.mark(end, ":") && (self.digits(end + 1).is_some() || self.word(end + 1)) && self.word(at.wrapping_sub(1));
        // "TNT 17/6 14, 18/6 12"
        let row = self.same_line(end) && !self.glued(end) && !self.column(end) && self.digits(end).is_some() && day.0 > 12;
        let result = result || row && at > 0 && (self.word(at - 1) || self.mark(at - 1, ","));
        let scored = self.named_on_line(at);
        if result && !(scored && month.0 == 10) && !self.is(at.wrapping_sub(1), Cue::Vital) && at > 0 {
            return true;
        }
        if scored || self.measured(at) {
            return false;
        }
        let before = at.checked_sub(1);
        let bracket = self.before(at, 1) == "(" && is!(self.key(end), ")" | "," | ":" | ";");
        let happens = (1..5).take_while(|back| at >= *back && !matches!(self.before(at, *back), "." | ";" | ":")).any(|back| {
            let word = self.before(at, back);
            super::super::day::meeting(word)
                || super::super::day::dated(word)
                || self.is(at - back, Cue::BeforeDay)
                || self.is(at - back, Cue::Weekday)
                || moved(word)
        });
        let closes = self.sentence_ends(end)
            || self.mark(end, "→")
            || self.mark(end, ">")
            || self.mark(end, "(") && self.is(end + 1, Cue::Title)
            || self.word(end)
            || self.mark(end, "-")
            || self.token(end).is_some() && self.is_taken(end);
        let opens = before.is_none() || self.line_start(at) || matches!(self.before(at, 1), "." | ";" | "-" | "–" | "•" | "→" | ">" | ",");
        // Strength is told of five, pain of ten.
        let plain = month.0 != 5 && month.0 != 10 || day.0 > month.0;
        bracket && plain
            || happens && closes
            || opens && (plain || self.mark(end, ":")) && closes
            || plain
                && (day.0 > month.0 || month.0 > 5)
                && self.capital(at.wrapping_sub(1))
                && at > 0
                && self.sentence_ends(end)
                && !self.upper(at - 1)
            || plain && day.0 > 12 && closes
            || plain && month.1 == 2 && closes
    }

    /// A day of this number that falls on the weekday named lies near the document.
    pub(super) fn weekday_fits(&self, at: usize, day: u64) -> bool {
        let Some(reference) = self.analysis.reference().map(|r| r.date()) else { return false };
        const NAMES: [&str; 7] = ["lun", "mar", "mer", "jeu", "ven", "sam", "dim"];
        let Some(weekday) = NAMES.iter().position(|n| self.fold(at).starts_with(n)) else { return false };
        (-45..=45)
            .filter_map(|d| reference.checked_add_signed(chrono::TimeDelta::days(d)))
            .any(|d| u64::from(d.day()) == day && d.weekday().num_days_from_monday() as usize == weekday)
    }

    /// "17-06", "30.05.": two figures each, the month with its zero, near the document.
    pub(super) fn padded(&self, at: usize, day: (u64, usize), month: (u64, usize)) -> bool {
        let small = at > 0 && self.word(at - 1) && !self.upper(at - 1) && !self.is(at - 1, Cue::AmountName) && !self.is(at - 1, Cue::Score);
        day.1 == 2
            && month.1 == 2
            && self.fold(at + 2).starts_with('0')
            && (small || self.line_start(at))
            && self.near_document(day.0, month.0)
            && !self.measured(at)
            && !self.named_on_line(at)
            && !(self.same_line(at + 3) && self.digits(at + 3).is_some())
    }

    /// "2/3 supérieurs", "1/3 moyen", "3/4 du bol".
    fn fraction(&self, at: usize) -> bool {
        let (Some(a), Some(b)) = (self.digits(at), self.digits(at + 2)) else { return false };
        let small = a.value < b.value && b.value <= 5 && a.count == 1 && b.count == 1;
        let next = self.fold(at + 3);
        small
            && (matches!(self.before(at, 1), "les" | "aux" | "des" | "au" | "environ" | "mange")
                || matches!(next, "du" | "de" | "des" | "d" | "moyen" | "moyens" | "portion" | "plateau" | "repas")
                || ["sup", "inf", "ant", "post", "prox", "dist", "ext", "int", "moy", "lat"].iter().any(|p| next.starts_with(p)))
    }

    /// A score or a pressure is named before on the line, and no sentence ends between.
    pub(super) fn named_on_line(&self, at: usize) -> bool {
        let mut index = at;
        while index > 0 && !self.line_start(index) && at - index < 24 {
            index -= 1;
            if is!(self.key(index), "." | ";") && !self.glued(index + 1) {
                return false;
            }
            if self.is(index, Cue::Vital) || self.is(index, Cue::Score) {
                return true;
            }
        }
        false
    }
}

/// What happens to a patient on a day.
fn moved(word: &str) -> bool {
    matches!(
        word,
        "rentre"
            | "rentree"
            | "sorti"
            | "sortie"
            | "sorties"
            | "entre"
            | "entree"
            | "vu"
            | "vue"
            | "revu"
            | "revue"
            | "arrive"
            | "arrivee"
            | "parti"
            | "partie"
            | "transfere"
            | "transferee"
            | "hospitalise"
            | "hospitalisee"
            | "decede"
            | "decedee"
            | "appele"
            | "appelee"
            | "tombe"
            | "tombee"
            | "chute"
            | "debut"
            | "fin"
            | "avant"
            | "apres"
            | "jusqu"
            | "date"
            | "ablation"
            | "pose"
            | "fievre"
            | "mutation"
            | "mute"
            | "mutee"
            | "convoque"
            | "convoquee"
            | "repasse"
            | "veille"
            | "revient"
    )
}
