//! What a date that was found is: of birth or not, and how far it reaches.

use sillage_clinical::is;

use super::date::Date;
use super::gazetteer::Cue;
use super::reader::Reader;
use crate::Label;

/// Most words between the cue of a birth and its date.
const BIRTH_REACH: usize = 9;
/// Younger than this, a date without a cue is no date of birth.
const ADULT: u64 = 16;

impl Reader<'_, '_> {
    /// Takes a date and says whether it is one of birth.
    pub fn emit_date(&mut self, first: usize, date: Date) -> Option<usize> {
        let first = self.edge_before(first);
        if !self.free(first..date.end) {
            return None;
        }
        let mut bytes = self.text.byte_range(first..date.end);
        if let Some(token) = self.token(date.end - 1).filter(|_| date.last != usize::MAX) {
            bytes.end = token.start as usize + date.last;
        }
        let birth = self.birth(first, &date);
        let (label, detector) = if birth { (Label::DateNaissance, "shape:birth") } else { (Label::Date, "shape:date") };
        let score = if date.whole { 1.0 } else { 0.8 };
        self.emit_bytes(first..date.end, bytes, label, detector, score);
        Some(date.end)
    }

    /// "fin", "début", "mi-" before a month or a year belong to it.
    fn edge_before(&self, first: usize) -> usize {
        let Some(mut at) = first.checked_sub(1).filter(|_| self.word(first) || self.digits(first).is_some_and(|d| d.count == 4)) else {
            return first;
        };
        if self.mark(at, "-") && self.before(at, 1) == "mi" && self.glued(first) {
            at -= 1;
        }
        let edge = is!(self.key(at), "fin" | "debut" | "mi" | "courant");
        if edge && self.near(first) && !self.is_taken(at) { at } else { first }
    }

    /// The same date of birth, said again without its cue.
    pub fn repeat_births(&mut self) {
        let digits =
            |s: &crate::Span, text: &str| text.get(s.start..s.end).map(|t| t.chars().filter(char::is_ascii_digit).collect::<String>());
        let text = self.text.original;
        let births: Vec<String> =
            self.found.iter().filter(|s| s.label == Label::DateNaissance && s.end - s.start > 7).filter_map(|s| digits(s, text)).collect();
        for span in self.found.iter_mut().filter(|s| s.label == Label::Date && s.end - s.start > 7) {
            if digits(span, text).is_some_and(|d| births.contains(&d)) {
                span.label = Label::DateNaissance;
            }
        }
    }

    fn birth(&self, first: usize, date: &Date) -> bool {
        let mut index = first;
        for step in 0..BIRTH_REACH {
            if index == 0 || self.is_taken(index - 1) && !is!(self.key(index - 1), "(" | ")") {
                break;
            }
            index -= 1;
            if self.is(index, Cue::Birth) {
                return true;
            }
            // "né le", "né(e) en": "ne" is a negation as well.
            let born = is!(self.key(index), "ne") && !self.source(index..index + 1).is_ascii();
            if born
                || is!(self.key(index), "ne") && step <= 4 && is!(self.key(index + 1), "le" | "en" | "(" | "du")
                || is!(self.key(index), "n") && self.mark(index + 1, "é")
            {
                return true;
            }
            if is!(self.key(index), "." | ";") && self.fold(index.wrapping_sub(1)).len() > 2
                || self.token(index + 1).is_some_and(|t| t.lines_before > 1)
            {
                break;
            }
        }
        // Behind a name at the head of a page: "DUPONT Marie 05/12/1939".
        let old = date.year.is_some_and(|y| y + ADULT <= self.now() && self.analysis.reference().is_some());
        let mut name = first;
        if name > 0 && matches!(self.before(name, 1), "(" | "-" | "–" | "," | "|" | "/" | ".") {
            name -= 1;
        }
        let named = name >= 2
            && self.capital(name - 1)
            && self.same_line(name)
            && self.capital(name - 2)
            && (self.upper(name - 1) || self.upper(name - 2));
        date.whole
            && old
            && (named || first == 0 || self.column(first) || self.line_start(first) || name < first && name > 0 && self.capital(name - 1))
    }
}
