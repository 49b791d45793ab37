//! Houses around the hospital: maternity wards and laboratories by their name, a house
//! that one letter shortens ("H. Saint-Luc"), letters before a ward at the head of a page.

use sillage_clinical::is;

use super::gazetteer::Cue;
use super::letterhead::group_letters;
use super::reader::Reader;
use crate::Label;
use crate::proper::known::{abbreviation, explained};

impl Reader<'_, '_> {
    pub(super) fn houses_around(&mut self) {
        for at in 0..self.len() {
            if !self.word(at) || self.is_taken(at) {
                continue;
            }
            if self.upper(at)
                && let Some(end) = self.network(at)
            {
                self.emit(at..end, Label::Hopital, "shape:hospital-letters", 0.6);
            } else if let Some(end) = self.house_around(at) {
                self.emit(at..end, Label::Hopital, "shape:hospital", 0.7);
            } else if self.upper(at)
                && let Some(house) = self.letters_before_ward(at)
            {
                self.emit(at..at + 1, Label::Hopital, "shape:letterhead", 0.7);
                self.moved_to(house);
            }
        }
    }

    /// The token behind a house of another kind than a hospital.
    fn house_around(&self, at: usize) -> Option<usize> {
        let word = self.key(at);
        if is!(word, "maternite" | "mater") {
            self.named_around(at)
        } else if is!(word, "laboratoire" | "labo" | "lbm") {
            self.laboratory(at)
        } else if is!(word, "h" | "hop" | "hopit") {
            self.short_house(at)
        } else {
            None
        }
    }

    /// "maternité de Kervara", "laboratoire Bio-Vallon": the name behind, a town's or their own.
    fn named_around(&self, at: usize) -> Option<usize> {
        let mut name = at + 1;
        while self.same_line(name)
            && name < at + 5
            && (is!(self.key(name), "de" | "d" | "du" | "des" | "la" | "l" | "les" | "le" | "lbm" | "analyses" | "biologie")
                && (!self.capital(name) || self.upper(at) || is!(self.key(name), "lbm"))
                || is!(self.key(name), "medicale" | "medicales")
                || self.mark(name, "'"))
        {
            name += 1;
        }
        let linked = name > at + 1;
        if !self.same_line(name) || !self.capital(name) || self.column(name) || self.is_taken(name) || self.is(name, Cue::Title) {
            return None;
        }
        let town = self.knowledge.towns.longest(self.text, name).map(|(end, _)| self.hyphenated(end));
        let saint =
            is!(self.key(name), "saint" | "sainte" | "st" | "ste") && self.capital(name + 1 + usize::from(self.mark(name + 1, "-")));
        let place = linked && self.is(name, Cue::PlaceNoun);
        let end = self.place_chain(name, 4).max(name + 1);
        // "Bio-Vallon": what a hyphen joins is a name, even of a landscape.
        let joined = self.mark(name + 1, "-") && self.glued(name + 1);
        let biology = joined && is!(self.key(name), "bio" | "labo" | "medi" | "ana") && self.capital(name + 2);
        let own = || {
            (name..end).any(|i| {
                let fold = self.fold(i);
                let place = joined && self.is(i, Cue::PlaceNoun);
                let unknown = || self.knowledge.cues_of(self.key(i)) == 0 && !explained(fold);
                self.word(i) && fold.len() > 3 && !abbreviation(fold) && (place || unknown())
            })
        };
        let maker = is!(self.key(at), "laboratoire" | "labo") && drug_maker(self.fold(name));
        let stops = maker || self.is(name, Cue::EndsName) && !self.glued(name + 1);
        if stops
            || !(town.is_some() || saint || place || biology || own())
            || self.upper(name) && !self.upper(at) && self.fold(name).len() < 5
        {
            return None;
        }
        Some(town.map_or(end, |town| town.max(end)))
    }

    /// "laboratoire Bio-Vallon" whole; "labo de Kervara" says where it is, "laboratoire Kerbrat
    /// de Brouzac" whose.
    fn laboratory(&self, at: usize) -> Option<usize> {
        let name = at + 1 + usize::from(is!(self.key(at + 1), "lbm"));
        let linked = is!(self.key(name), "de" | "d" | "du" | "des");
        let town = self.knowledge.towns.longest(self.text, name).is_some();
        let first = name + 1;
        let joined = self.mark(first, "-") && self.glued(first);
        let own = self.upper(name) && self.fold(name).len() > 4 || joined || is!(self.key(at), "lbm") || name > at + 1;
        self.named_around(at).filter(|_| !linked && !town && own)?;
        Some(self.hyphenated(first + usize::from(joined) * 2))
    }

    /// "H. Saint-Luc - Médecine", "transférée à l'H. Dupuytren", "Hop Saint-Luc": not the first
    /// name of somebody.
    fn short_house(&self, at: usize) -> Option<usize> {
        let dot = self.mark(at + 1, ".") && self.glued(at + 1);
        let letter = is!(self.key(at), "h");
        if letter && !(dot && self.upper(at)) || self.glued(at) && !matches!(self.before(at, 1), "'" | "(") {
            return None;
        }
        let mut name = at + 1 + usize::from(dot);
        while !letter && is!(self.key(name), "de" | "d" | "du" | "'") && name < at + 4 {
            name += 1;
        }
        if !self.same_line(name) || !self.capital(name) || self.is_taken(name) {
            return None;
        }
        let saint =
            is!(self.key(name), "saint" | "sainte" | "st" | "ste") && self.capital(name + 1 + usize::from(self.mark(name + 1, "-")));
        let known = self.knowledge.hospitals.longest(self.text, name).map(|(end, _)| end);
        let end = known.unwrap_or_else(|| self.hyphenated(self.place_chain(name, 4).max(name + 1)));
        let opens = self.line_start(at) || self.column(at) || matches!(self.before(at, 1), "-" | "–" | "|" | "·");
        let parted = is!(self.key(end), "-" | "–" | "|" | "," | "/" | "·") && !self.glued(end + 1);
        let ward = opens
            && parted
            && self.same_line(end + 1)
            && (ward(self.key(end + 1)) || self.is(end + 1, Cue::EndsName) && self.heads_page(at));
        let led = matches!(self.before(at, 1), "au" | "'" | "vers" | "urgences" | "du") && self.same_line(at);
        let person = at > 0 && self.same_line(at) && (self.is(at - 1, Cue::Title) || self.person_ends(at - 1));
        let said = ward || (saint || known.is_some()) && (led || !letter);
        (said && !person && !self.is(name, Cue::Title)).then_some(end)
    }

    /// "Télé-AVC K-R": the letters of the regions that share a watch.
    fn network(&self, at: usize) -> Option<usize> {
        let letter = |i: usize| self.upper(i) && self.fold(i).len() == 1;
        if !letter(at) {
            return None;
        }
        let remote = self.before(at, 1) == "teleavc"
            || matches!(self.before(at, 1), "avc" | "neurologie" | "expertise") && (2..4).any(|back| self.before(at, back) == "tele");
        let joined = is!(self.key(at + 1), "-" | "/") && self.glued(at + 1) && self.glued(at + 2);
        (remote && self.same_line(at) && joined && letter(at + 2) && self.free(at..at + 3)).then_some(at + 3)
    }

    /// "HKB - USINV - Transmissions" on the first lines: the letters of a house before its ward.
    fn letters_before_ward(&self, at: usize) -> Option<usize> {
        let word = self.key(at);
        let disease = is!(
            word,
            "hta" | "hsa" | "hsd" | "hed" | "hdj" | "had" | "hdt" | "hic" | "hip" | "hiv" | "hgt" | "hdm" | "chir" | "hbpm" | "hnf"
        );
        if !self.line_start(at) || !self.upper(at) || disease || !group_letters(self.fold(at)) {
            return None;
        }
        let parted = is!(self.key(at + 1), "-" | "–" | "|" | "/" | "·" | ":" | ",") && !self.glued(at + 2) && self.same_line(at + 1);
        let behind = at + 1 + usize::from(parted);
        (self.same_line(behind) && ward(self.key(behind)) && self.heads_page(at)).then_some(at)
    }

    /// The letters again where somebody is moved to: "retour HKB".
    fn moved_to(&mut self, house: usize) {
        for at in house + 1..self.len() {
            let led = matches!(self.before(at, 1), "au" | "du" | "vers" | "urgences" | "retour" | "transfert") && self.same_line(at);
            if led && self.fold(at) == self.fold(house) && self.upper(at) && !self.is_taken(at) && !self.measured(at) {
                self.emit(at..at + 1, Label::Hopital, "shape:hospital-letters", 0.6);
            }
        }
    }
}

/// Who makes drugs, not who takes blood.
fn drug_maker(fold: &str) -> bool {
    matches!(
        fold,
        "boehringer"
            | "sanofi"
            | "pfizer"
            | "bayer"
            | "novartis"
            | "roche"
            | "servier"
            | "pierre"
            | "ipsen"
            | "biogaran"
            | "mylan"
            | "viatris"
            | "teva"
            | "sandoz"
            | "zentiva"
            | "merck"
            | "msd"
            | "gsk"
            | "astrazeneca"
            | "lilly"
            | "ucb"
            | "lundbeck"
            | "abbvie"
            | "amgen"
            | "biogen"
            | "daiichi"
            | "leo"
            | "aguettant"
            | "nestle"
            | "nutricia"
            | "fresenius"
    )
}

/// What a line of a house names behind it, by its key.
pub(super) fn ward(word: u64) -> bool {
    is!(
        word,
        "unv"
            | "usinv"
            | "uscnv"
            | "usi"
            | "usip"
            | "usic"
            | "usc"
            | "uhcd"
            | "sau"
            | "smur"
            | "rea"
            | "reanimation"
            | "neuro"
            | "neurologie"
            | "neurovasculaire"
            | "neurochirurgie"
            | "neuroradiologie"
            | "urgences"
            | "urg"
            | "med"
            | "medecine"
            | "geriatrie"
            | "cardiologie"
            | "cardio"
            | "chirurgie"
            | "service"
            | "pole"
            | "unite"
            | "imagerie"
            | "radiologie"
            | "smr"
            | "ssr"
            | "mpr"
            | "usld"
            | "soins"
    )
}
