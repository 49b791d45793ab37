//! Parts of a hospital and of a town that bear a name: "site Nord", "site de la Roche
//! Noire", "zone de Kervara", "ZA des Quatre Vents".

use super::gazetteer::Cue;
use super::reader::Reader;
use crate::Label;

impl Reader<'_, '_> {
    /// Sites of hospitals, by a point of the compass or a name of their own.
    pub(super) fn sites(&mut self) {
        for at in 0..self.len() {
            if self.fold(at) == "site" && !self.is_taken(at) {
                self.site(at);
            }
        }
    }

    fn site(&mut self, at: usize) {
        let mut name = at + 1;
        while name < at + 4
            && self.same_line(name)
            && (matches!(self.fold(name), "de" | "du" | "des" | "d" | "l") && !self.capital(name)
                || self.fold(name) == "la" && name > at + 1
                || self.mark(name, "'"))
        {
            name += 1;
        }
        if !self.same_line(name) || self.column(name) || !self.capital(name) {
            return;
        }
        if self.is_taken(name) {
            self.site_of_known(at, name);
            return;
        }
        let compass = matches!(self.fold(name), "nord" | "sud" | "est" | "ouest");
        // "Site opératoire", "SITE PROPRE": what medicine calls a site is written small, or all in capitals.
        let shouted = self.upper(at) && name == at + 1 && !compass;
        let acronym = self.upper(name) && self.fold(name).len() < 5 && !compass;
        let thing = self.is(name, Cue::EndsName) && !self.is(name, Cue::Particle)
            || self.is(name, Cue::Title)
            || self.is(name, Cue::Hospital)
            || self.is(name, Cue::Unit)
            || self.is(name, Cue::Score);
        // "site Internet": a word of every day behind the bare noun.
        let plain = name == at + 1
            && !compass
            && crate::proper::known::explained(self.fold(name))
            && !self.is(name, Cue::PlaceNoun)
            && crate::leak::eponym(self.fold(name)).is_none();
        if shouted || acronym || (thing || plain) && !compass {
            return;
        }
        let end = if compass { name + 1 } else { self.place_chain(name, 4).max(name + 1) };
        self.emit(at..end, Label::Hopital, "shape:hospital-site", 0.7);
    }

    /// A hospital known by its name grows by the word before.
    fn site_of_known(&mut self, at: usize, name: usize) {
        let (Some(word), Some(first)) = (self.token(at).map(|t| t.start as usize), self.token(name).map(|t| t.start as usize)) else {
            return;
        };
        if let Some(span) = self.found.iter_mut().find(|s| s.start == first && s.label == Label::Hopital) {
            span.start = word;
        }
    }

    /// "zone industrielle de Kervara", "ZA du Vallon": where a business or an accident is.
    pub(super) fn zones(&mut self) {
        for at in 0..self.len() {
            if !self.is_taken(at) {
                self.zone(at);
            }
        }
    }

    fn zone(&mut self, at: usize) {
        let short = matches!(self.fold(at), "zi" | "za" | "zac" | "zae" | "zone") && (self.upper(at) || self.fold(at) == "zone");
        if !short {
            return;
        }
        let mut name = at + 1;
        let kind = |i: usize| matches!(self.fold(i), "industrielle" | "artisanale" | "commerciale" | "portuaire" | "aeroportuaire");
        while name < at + 7
            && self.same_line(name)
            && (kind(name) || matches!(self.fold(name), "de" | "du" | "des" | "d" | "la" | "l" | "le" | "les") || self.mark(name, "'"))
        {
            name += 1;
        }
        let linked = name > at + 1;
        if !linked
            || !self.same_line(name)
            || !self.capital(name)
            || self.upper(name) && !self.upper(at)
            || self.is_taken(name)
            || self.is(name, Cue::EndsName) && !self.is(name, Cue::PlaceNoun)
            || crate::leak::eponym(self.fold(name)).is_some()
        {
            return;
        }
        let end = self.place_chain(name, 4).max(name + 1);
        self.emit(at..end, Label::Adresse, "shape:zone", 0.7);
    }
}
