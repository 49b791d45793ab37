//! Parts of a hospital and of a town that bear a name: "site Nord", "site de la Roche
//! Noire", "zone de Kervara", "ZA des Quatre Vents"; services of a department, airfields.

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::gazetteer::{Cue, class};
use super::reader::Reader;
use crate::Label;
use crate::proper::known::{abbreviation, explained};

impl Reader<'_, '_> {
    /// Sites of hospitals, by a point of the compass or a name of their own.
    pub(super) fn sites(&mut self) {
        for at in 0..self.len() {
            let word = self.key(at);
            if is!(word, "site") && !self.is_taken(at) {
                self.site(at);
            } else if is!(word, "decollage" | "atterrissage" | "aeroport" | "aerodrome" | "heliport" | "helistation") {
                self.airfield(at);
            }
        }
    }

    /// "CH de Kervara (Cité Sanitaire)", "CHU de Brouzac (Clair Val)": what its people call a house.
    pub(super) fn house_in_brackets(&mut self) {
        let ends: Vec<usize> = self.found.iter().filter(|s| s.label == Label::Hopital).map(|s| s.end).collect();
        for end in ends {
            let open = self.text.token_at(end);
            let name = open + 1;
            if !self.mark(open, "(") || !self.same_line(open) || !self.same_line(name) || !self.capital(name) || self.is_taken(name) {
                continue;
            }
            let mut close = self.place_chain(name, 4).max(name + 1);
            while close < name + 4 && self.capital(close) && self.same_line(close) {
                close += 1;
            }
            let known = |i: usize| {
                let fold = self.fold(i);
                self.is(i, Cue::Title) || self.is(i, Cue::EndsName) || self.upper(i) && (fold.len() < 6 || abbreviation(fold))
            };
            let own = |i: usize| self.capital(i) && (self.is(i, Cue::PlaceNoun) || !explained(self.fold(i)));
            let city = is!(self.key(name), "cite") && self.is(name + 1, Cue::Care);
            let close = if city { name + 2 } else { close };
            let named = (name..close).any(own) && !(name..close).any(known) || city;
            if self.mark(close, ")") && named && self.free(name..close) {
                self.emit(name..close, Label::Hopital, "shape:hospital-site", 0.6);
            }
        }
    }

    /// "décollage Kervara 9h15", "aéroport de Kervara": where an aircraft stands.
    fn airfield(&mut self, at: usize) {
        let mut name = at + 1;
        while is!(self.key(name), "de" | "d" | "'" | "a") && name < at + 3 {
            name += 1;
        }
        let plain = self.capital(name) && self.same_line(name) && !self.is_taken(name) && self.fold(name).len() > 3;
        if plain && !explained(self.fold(name)) && !self.is(name, Cue::EndsName) && !self.is(name, Cue::Hospital) {
            let end = self.place_chain(name, 3).max(name + 1);
            self.emit(name..end, Label::Ville, "shape:town", 0.6);
        }
    }

    /// "SDIS 34", "CODIS 29": the service of a department. "SAMU 29" is on every sheet of its
    /// region and names no house.
    pub(super) fn emergency_service(&mut self, at: usize) {
        if !self.upper(at) || !is!(self.key(at), "sdis" | "codis" | "crra" | "smur" | "udsp") {
            return;
        }
        // "Glasgow SMUR 11" is a score.
        if self.cue_before(at, 4, Cue::Score) || is!(self.key(at), "smur") && !self.line_start(at) {
            return;
        }
        let mut number = at + 1;
        if self.mark(number, "-") && self.glued(number) {
            number += 1;
        }
        if is!(self.key(number), "smur" | "centre") && self.same_line(number) {
            number += 1;
        }
        let fold = self.fold(number);
        let department = match fold.len() {
            2 => matches!(fold, "2a" | "2b") || fold.parse::<u8>().is_ok_and(|d| (1..=95).contains(&d) && d != 15 && d != 18),
            3 => fold.parse::<u16>().is_ok_and(|d| (971..=988).contains(&d)),
            _ => false,
        };
        let amount = self.is(number + 1, Cue::Unit) && self.same_line(number + 1)
            || is!(self.key(number + 1), ":" | "h" | "/") && self.glued(number + 1);
        if department && self.same_line(number) && !self.is_taken(number) && !amount {
            self.emit(at..number + 1, Label::Hopital, "shape:hospital", 0.8);
        }
    }

    /// "- SITE DE X" and ", à X" are said with the name.
    pub(super) fn site_behind(&self, end: usize) -> usize {
        let site = is!(self.key(end), "-" | "–" | ",") && is!(self.key(end + 1), "site") && self.same_line(end + 1);
        if site {
            let mut name = end + 2;
            while is!(self.key(name), "de" | "d" | "'" | "du" | "-") {
                name += 1;
            }
            if self.capital(name) && self.same_line(name) && !self.is(name, Cue::EndsName) {
                return self.place_chain(name, 3).max(name + 1);
            }
        }
        // "SMR « le Clos Fleuri » de Brouzac"
        if is!(self.key(end), "»" | "\"" | "”") && is!(self.key(end + 1), "de" | "d" | "du" | "a") && self.same_line(end + 1) {
            let town = end + 2 + usize::from(self.mark(end + 2, "'"));
            if self.same_line(town) && self.capital(town) && !self.is(town, Cue::EndsName) && !self.is(town, Cue::Title) {
                return self.place_chain(town, 3).max(town + 1);
            }
        }
        // "CHU de Brouzac - Dupuytren"
        if is!(self.key(end), "-" | "–")
            && !self.glued(end)
            && self.capital(end + 1)
            && self.same_line(end + 1)
            && let Some((behind, _)) = self.knowledge.hospitals.longest(self.text, end + 1)
            && (self.line_start(behind) || self.token(behind).is_none() || self.kind(behind) == Some(Kind::Mark) && !self.glued(behind + 1))
        {
            return behind;
        }
        let comma = usize::from(self.mark(end, ","));
        if is!(self.key(end + comma), "a") && self.capital(end + comma + 1) && self.near(end + comma + 1) {
            let town = self.knowledge.towns.longest(self.text, end + comma + 1);
            if let Some((town, _)) = town.filter(|(t, class)| class & class::WORD == 0 || *t > end + comma + 2) {
                return self.hyphenated(town);
            }
            // "Clinique des Deux Étangs à Kervara": a place that no list holds.
            let name = end + comma + 1;
            let plain = comma == 0 && !self.upper(name) && self.fold(name).len() > 3 && self.source(end..end + 1) == "à";
            if plain
                && !explained(self.fold(name))
                && !self.is(name, Cue::EndsName)
                && !self.is(name, Cue::Title)
                && !self.is(name, Cue::Hospital)
            {
                return self.hyphenated(name + 1);
            }
        }
        end
    }

    /// "Groupe Hospitalier de X et Sud-Vallon", "CH de X et du Pays Noir": the second region.
    pub(super) fn region_behind(&self, end: usize) -> usize {
        let mut region = end + 1;
        while is!(self.key(region), "de" | "du" | "des" | "la" | "l" | "d" | "'") && region < end + 4 {
            region += 1;
        }
        let behind = region + 1 + usize::from(self.mark(region + 1, "-") && self.glued(region + 1));
        let named = self.is(region, Cue::PlaceNoun) && self.capital(region) && self.capital(behind) && self.same_line(behind);
        let joined = is!(self.key(end), "et") && self.same_line(end) && self.same_line(region) && !self.is(behind, Cue::EndsName);
        if joined && named { self.place_chain(region, 4).max(region + 1) } else { end }
    }

    /// "USLD du Centre Hospitalier de X", "EHPAD de l'Hôpital X": the house within a house.
    pub(super) fn ward_of_house(&self, at: usize) -> usize {
        let article = match (self.before(at, 2), self.before(at, 1)) {
            (_, "du") => 1,
            ("l", "'") => 3,
            ("de", "la") => 2,
            _ => return at,
        };
        let Some(house) = at.checked_sub(article + 1).filter(|h| (h + 1..=at).all(|i| self.same_line(i))) else { return at };
        let stay = is!(self.key(house), "usld" | "ehpad" | "ssr" | "smr" | "had" | "mas" | "fam" | "mapa");
        if stay && self.upper(house) && !self.upper(at) && !self.is_taken(house) { house } else { at }
    }

    /// "HÔPITAL DUVALLON 1 - Neurologie", "Hôpital Duvallon 2, service": the number of a house,
    /// not of what is counted.
    pub(super) fn numbered_house(&self, kind: usize, number: usize) -> bool {
        is!(self.key(kind), "hopital" | "hop" | "chu" | "clinique" | "hospice") && self.numbers_house(number)
    }

    /// A figure that closes the name of a house, not one of what is counted.
    pub(super) fn numbers_house(&self, number: usize) -> bool {
        let next = number + 1;
        let ends = self.token(next).is_none()
            || !self.same_line(next)
            || self.column(next)
            || is!(self.key(next), "-" | "–" | "|" | "(" | "*" | "·" | "/") && !self.glued(next)
            || self.mark(next, ")")
            || is!(self.key(next), "," | ":" | ";") && !self.glued(next + 1);
        self.digits(number).is_some_and(|d| (1..=4).contains(&d.value)) && ends
    }

    /// "Le Kremlin-Bicêtre, le 3 mars": the town whose name a hospital bears, with its article.
    pub(super) fn town_with_article(&self, at: usize, end: usize) -> bool {
        (1..5).take_while(|back| at >= *back && self.same_line(at - back + 1)).map(|back| at - back).any(|article| {
            is!(self.key(article), "le" | "la" | "les")
                && self.capital(article)
                && !self.is_taken(article)
                && self.knowledge.towns.longest(self.text, article).is_some_and(|(e, _)| e >= end)
        })
    }

    /// "AP-HP. Sorbonne Université", "AP-HP. Nord – Université Paris Cité": the group of
    /// hospitals that is named with the house.
    pub(super) fn group_behind(&self, at: usize, end: usize) -> usize {
        if !is!(self.key(at), "ap" | "aphp") || !self.upper(at) {
            return end;
        }
        let mut next = end + usize::from(is!(self.key(end), "." | "," | "-" | "–"));
        let (mut last, mut named) = (end, false);
        while self.same_line(next) && next < end + 12 && !self.is_taken(next) {
            let word = is!(
                self.key(next),
                "sorbonne" | "paris" | "saclay" | "cite" | "nord" | "centre" | "henri" | "mondor" | "seine" | "saint" | "denis" | "est"
            );
            let group = is!(self.key(next), "universite" | "universitaires" | "nord" | "centre");
            if (word || group) && self.capital(next) || is!(self.key(next), "hopitaux" | "universitaires") {
                named |= group;
                last = next + 1;
            } else if !is!(self.key(next), "de" | "-" | "–") {
                break;
            }
            next += 1;
        }
        if named { last } else { end }
    }

    fn site(&mut self, at: usize) {
        let mut name = at + 1;
        while name < at + 4
            && self.same_line(name)
            && (is!(self.key(name), "de" | "du" | "des" | "d" | "l") && !self.capital(name)
                || is!(self.key(name), "la") && name > at + 1
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
        let compass = is!(self.key(name), "nord" | "sud" | "est" | "ouest");
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
            && explained(self.fold(name))
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
            let word = self.key(at);
            let zone = is!(word, "zone") || is!(word, "zi" | "za" | "zac" | "zae") && self.upper(at);
            if zone && !self.is_taken(at) {
                self.zone(at);
            }
        }
    }

    fn zone(&mut self, at: usize) {
        let mut name = at + 1;
        let kind = |i: usize| is!(self.key(i), "industrielle" | "artisanale" | "commerciale" | "portuaire" | "aeroportuaire");
        while name < at + 7
            && self.same_line(name)
            && (kind(name) || is!(self.key(name), "de" | "du" | "des" | "d" | "la" | "l" | "le" | "les") || self.mark(name, "'"))
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
