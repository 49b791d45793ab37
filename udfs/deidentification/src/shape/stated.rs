//! What is said to be an address: "Adresse : Kerbihan", "domicilié Les Bruyères".

use std::ops::Range;

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::address::LONGEST;
use super::gazetteer::Cue;
use super::reader::Reader;
use crate::Label;

impl Reader<'_, '_> {
    /// "rue du Four à Pain", "chemin du Moulin à Vent": what a thing is for, not the town of a street.
    pub(super) fn made_for(&self, at: usize) -> bool {
        let thing = matches!(
            self.before(at, 1),
            "four" | "fours" | "moulin" | "moulins" | "puits" | "pont" | "port" | "champ" | "pre" | "terre" | "bac" | "tour" | "carriere"
        );
        thing && self.capital(at + 1) && self.knowledge.towns.longest(self.text, at + 1).is_none()
    }

    /// "Adresse : Kerbihan", "domicilié Les Bruyères": what is said to be one.
    pub(super) fn stated(&mut self, cue: usize) {
        if self.is(cue + 1, Cue::House) && self.capital(cue + 1) && self.same_line(cue + 1) && !self.is_taken(cue + 1) {
            let mut name = cue + 2;
            while self.mark(name, "'") || self.is(name, Cue::Particle) {
                name += 1;
            }
            if self.capital(name) && self.same_line(name) {
                let end = self.street_end(name, false);
                self.emit(cue + 1..end, Label::Adresse, "shape:stated", 0.8);
            }
            return;
        }
        let heads = self.mark(cue + 1, ":") && is!(self.key(cue), "adresse" | "adr" | "domicile");
        if !heads || !self.same_line(cue + 2) {
            return;
        }
        let first = cue + 2;
        if self.is_taken(first)
            || self.is(first, Cue::SureHospital)
            || self.is(first, Cue::Title)
            || !(self.capital(first) || self.digits(first).is_some())
        {
            return;
        }
        let mut end = first;
        while end < first + LONGEST
            && self.same_line(end)
            && !self.is_taken(end)
            && !is!(self.key(end), "." | ";" | "(" | "|")
            && (end == first || !self.column(end))
            && !self.is(end, Cue::Phone)
        {
            end += 1;
        }
        while end > first && self.kind(end - 1) == Some(Kind::Mark) {
            end -= 1;
        }
        // A town alone is left to the towns.
        if self.knowledge.towns.longest(self.text, first).is_none_or(|(town, _)| town < end) && end > first {
            let capitals = (first..end).filter(|i| self.capital(*i)).count();
            let medicine = (first..end).any(|i| {
                self.is(i, Cue::Score) && self.digits(i + 1).is_some()
                    || self.is(i, Cue::EndsName) && self.upper(i) && self.fold(i).len() < 6
            });
            let shorthand = end == first + 1 && self.upper(first) && self.fold(first).len() < 5;
            let breton = |i: usize| is!(self.key(i), "ar" | "an" | "er" | "ty" | "bihan" | "braz" | "vras" | "vihan" | "dit");
            if medicine || shorthand || self.treatment(cue, first..end) {
                return;
            }
            if capitals > 0
                && (first..end).all(|i| breton(i) || self.capital(i) || self.is(i, Cue::Particle) || self.kind(i) != Some(Kind::Word))
            {
                self.emit(first..end, Label::Adresse, "shape:stated", 0.7);
            }
        }
    }

    /// "Traitement à domicile : X 75, Y 20": drugs, or a word and its dose, where no word of a
    /// place stands.
    fn treatment(&self, cue: usize, tokens: Range<usize>) -> bool {
        let led = (1..6).take_while(|back| cue >= *back && !self.line_start(cue - back + 1)).any(|back| {
            matches!(
                self.before(cue, back),
                "traitement"
                    | "traitements"
                    | "ttt"
                    | "tt"
                    | "trt"
                    | "tttt"
                    | "medicament"
                    | "medicaments"
                    | "therapeutique"
                    | "ordonnance"
            )
        });
        let bytes = self.text.byte_range(tokens.clone());
        let drugs = self.analysis.entities().iter().any(|e| bytes.start < e.end && e.start < bytes.end);
        let placed = tokens.clone().any(|i| {
            self.is(i, Cue::Street) && self.fold(i).len() > 2
                || self.is(i, Cue::House)
                || self.is(i, Cue::AddressPart) && self.fold(i).len() > 3
        });
        let dosed = tokens.clone().any(|i| i > tokens.start && self.word(i - 1) && self.digits(i).is_some() && !self.glued(i));
        led || !placed && (drugs || dosed)
    }
}
