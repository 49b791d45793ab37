//! Numbers by the sheet they stand on: a stay behind the word for it, two numbers under a
//! label of two kinds, and the code of a printed form, which is nobody's.

use sillage_clinical::is;

use super::gazetteer::Cue;
use super::reader::Reader;
use crate::Label;
use crate::proper::known::form_kind;

impl Reader<'_, '_> {
    /// "Episode 240611-0327": a stay by its number, which is no date.
    pub(super) fn episode(&self, at: usize) -> bool {
        if !self.capital(at) || !is!(self.key(at), "episode" | "passage" | "admission" | "hospitalisation" | "entree") {
            return false;
        }
        let number = at + 1 + usize::from(self.mark(at + 1, ":"));
        self.same_line(number)
            && self.coded(number)
            && self.value(number).is_some_and(|end| {
                let figures = self.source(number..end).bytes().filter(u8::is_ascii_digit).count();
                // "Hospitalisation 2023-2024"
                let years = (number..end).all(|i| self.digits(i).is_none_or(|d| d.count == 4 && (1900..2100).contains(&d.value)));
                figures >= 7 && !years
            })
    }

    /// "IPP / NDA | 00651830 / 24 108 0461": the second of two numbers under a label of two kinds.
    pub(super) fn paired_number(&mut self, cue: usize, label: Label, end: usize) {
        let (mark, second) = (self.fold(cue + 1), cue + 2);
        let other = if self.is(second, Cue::Nda) || self.is(second, Cue::StayWord) {
            Label::Nda
        } else if self.is(second, Cue::Ipp) {
            Label::Ipp
        } else if self.is(second, Cue::Secu) {
            Label::Secu
        } else {
            return;
        };
        let number = end + 1;
        let parted =
            matches!(mark, "/" | "-" | "et" | "," | "|" | "–" | "&") && is!(self.key(end), "/" | "-" | "et" | "," | "|" | "–" | "&");
        if other == label || !parted || !self.same_line(second) || !self.same_line(number) || self.is_taken(number) {
            return;
        }
        let Some(last) = self.value(number).or_else(|| self.single_led(number).then_some(number + 1)) else { return };
        let last = self.spaced_groups(number, last);
        let figures = self.source(number..last).bytes().filter(u8::is_ascii_digit).count();
        if figures >= 4 && self.date_here(number).is_none_or(|e| e + 1 < last) {
            self.emit(number..last, other, if other == Label::Ipp { "shape:ipp" } else { "shape:nda" }, 0.95);
        }
    }

    /// "FOR-SAU-044 v3": kind, ward and number of a form, the same on every copy of it.
    pub(super) fn form_code(&self, at: usize) -> bool {
        if !self.upper(at) || !form_kind(self.fold(at)) {
            return false;
        }
        let end = self.chain(at, &["-", "_", "."]);
        let parts = || (at..end).step_by(2);
        let figures: usize = self.source(at..end).bytes().filter(u8::is_ascii_digit).count();
        let letters = parts().filter(|i| self.word(*i) && self.fold(*i).bytes().all(|b| b.is_ascii_lowercase())).count();
        let revised = is!(self.key(end), "v" | "version" | "rev" | "indice" | "ind")
            || self.fold(end).strip_prefix('v').is_some_and(|v| !v.is_empty() && v.bytes().all(|b| b.is_ascii_digit()));
        (1..=4).contains(&figures) && (letters > 1 || letters == 1 && revised && self.same_line(end))
    }

    /// "19 03 2024" behind a gap is the day, not the end of a number.
    pub(super) fn day_behind_gap(&self, at: usize) -> bool {
        let gap = at > 0 && self.token(at).is_some_and(|t| t.start - self.token(at - 1).map_or(0, |p| p.end) > 1);
        let figures = |i: usize, count: usize, most: u64| {
            self.same_line(i) && self.digits(i).is_some_and(|d| d.count == count && d.value > 0 && d.value <= most)
        };
        gap && (self.date_here(at).is_some() || figures(at, 2, 31) && figures(at + 1, 2, 12) && figures(at + 2, 4, 2100))
    }
}

/// "code", "digicode": what a door asks for.
pub(super) fn opens_door(cue: &str) -> bool {
    matches!(cue, "code" | "digicode" | "interphone" | "badge" | "boitier")
}

pub(super) fn gate(word: &str) -> bool {
    matches!(
        word,
        "portail"
            | "porte"
            | "portillon"
            | "entree"
            | "immeuble"
            | "acces"
            | "hall"
            | "residence"
            | "d'acces"
            | "d"
            | "'"
            | "cle"
            | "cles"
            | "boite"
            | "a"
            | "garage"
            | "ascenseur"
            | "alarme"
            | "barriere"
            | "parking"
    )
}
