//! Addresses as the neighbours of France write them: the number behind the street, a
//! postal code of four figures or five: "rue du Moulin 18, 5500 Dinant (Belgique)",
//! "Bahnhofstraße 12, 66111 Saarbrücken".

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::gazetteer::Cue;
use super::reader::Reader;
use crate::Label;

impl Reader<'_, '_> {
    /// A street in one word, as in German or Dutch, or behind a way of the south, with its number.
    pub(super) fn foreign_street(&mut self, at: usize) {
        if !self.capital(at) || self.is_taken(at) {
            return;
        }
        let way = is!(self.key(at), "via" | "viale" | "corso" | "piazza" | "calle" | "avenida" | "plaza" | "rua" | "travessa");
        // A number comes next, if only behind a comma or a dot.
        if !way && self.fold(at + 1).starts_with(|c: char| c.is_ascii_lowercase()) {
            return;
        }
        let fold = self.fold(at);
        let ends = |endings: &[&str]| endings.iter().any(|end| fold.len() > end.len() + 2 && fold.ends_with(end));
        let name = if ends(&["strasse", "straat", "gasse", "steenweg", "allee", "laan"]) {
            at + 1
        } else if ends(&["str"]) && self.mark(at + 1, ".") && self.glued(at + 1) {
            at + 2
        } else if way && self.capital(at + 1) && self.same_line(at + 1) {
            self.street_end(at + 1, true)
        } else {
            return;
        };
        if let Some(end) = self.number_behind(name) {
            self.emit(at..end, Label::Adresse, "shape:street", 0.9);
            self.foreign_code(end);
        }
    }

    /// "14 rue du Puits, 5500 Dinant": a code of four figures before a town that is known.
    pub(super) fn short_code(&mut self, end: usize) {
        let known = self.code_of_town(end).is_some_and(|(code, town)| {
            self.digits(code).is_some_and(|d| d.count == 4) && self.knowledge.towns.longest(self.text, town).is_some()
        });
        if known {
            self.foreign_code(end);
        }
    }

    /// The number behind a street, when a postal code and a town follow it.
    pub(super) fn number_behind(&self, at: usize) -> Option<usize> {
        let comma = usize::from(self.mark(at, ","));
        let number = at + comma;
        let figures = self.fold(number).bytes().take_while(u8::is_ascii_digit).count();
        let house = (1..=4).contains(&figures) && self.fold(number).len() - figures < 2 && self.same_line(number);
        if !house {
            return None;
        }
        let mut end = number + 1;
        // "18 b", "12/3", "bte 4"
        if self.same_line(end) && (is!(self.key(end), "a" | "b" | "c") || self.mark(end, "/")) {
            end += 1 + usize::from(self.mark(end, "/") && self.digits(end + 1).is_some());
        }
        if self.same_line(end + 1) && is!(self.key(end), "bte" | "boite") && self.kind(end + 1) == Some(Kind::Number) {
            end += 2;
        }
        self.code_of_town(end).map(|_| end)
    }

    /// The postal code abroad behind a street, and the town behind the code.
    pub(super) fn foreign_code(&mut self, end: usize) {
        let Some((code, town)) = self.code_of_town(end) else { return };
        let last = match self.knowledge.towns.longest(self.text, town) {
            Some((last, _)) => self.hyphenated(last),
            None => self.place_chain(town, 4),
        };
        let start = code - 2 * usize::from(self.mark(code - 1, "-") && self.glued(code));
        self.emit(start..code + 1, Label::Zip, "shape:zip", 0.9);
        self.emit(town..last.max(town + 1), Label::Ville, "shape:zip+town", 0.9);
    }

    /// ", 5500 Dinant", "- B-5500 Dinant": the code and the first word of the town.
    fn code_of_town(&self, end: usize) -> Option<(usize, usize)> {
        let mut code = end + usize::from(is!(self.key(end), "," | "-" | "–"));
        // "CH-1201", "L-4000"
        if is!(self.key(code), "b" | "ch" | "l" | "d") && self.mark(code + 1, "-") && self.glued(code + 1) && self.glued(code + 2) {
            code += 2;
        }
        let town = code + 1;
        let named = self.capital(town) && self.same_line(town) && !self.glued(town) && self.fold(town).len() > 1;
        if code == end || !named || !self.same_line(code) {
            return None;
        }
        let digits = self.digits(code).filter(|d| matches!(d.count, 4 | 5) && d.value > 999)?;
        let thing = [Cue::Unit, Cue::Month, Cue::Phone, Cue::AmountName, Cue::EndsName].iter().any(|cue| self.is(town, *cue))
            || (1990..2030).contains(&digits.value);
        (!thing || self.knowledge.towns.longest(self.text, town).is_some()).then_some((code, town))
    }
}
