//! People and places by what may only be said of them: a name in small letters behind a
//! title, one behind a trade in short, a region, a house without its kind.

use sillage_clinical::is;

use super::{Proper, known};
use crate::Label;
use crate::name::knowledge::{likely_common, role, word};
use crate::name::page::look;

const REGIONS: &str = include_str!("../../data/regions.txt");

impl Proper<'_, '_> {
    /// "dr kerdonval", "mme le brouz'h": a name in small letters that nothing explains.
    pub(super) fn small_titled(&mut self, at: usize) -> bool {
        let bits = word::COMMON | word::ACRONYM | word::QUALIFIER | word::PARTICLE | look::CLINICAL | look::CUE;
        if self.page.has(at, bits) || self.fold(at).len() < 3 || self.covered(at) {
            return false;
        }
        let Some(mut p) = at.checked_sub(1).filter(|_| self.page.same_line(at)) else { return false };
        let mut first = at;
        while self.page.has(p, word::PARTICLE) && self.page.has(p, look::LOWER) && p > 0 && at - p < 4 && !self.covered(p) {
            first = p;
            p -= 1;
        }
        if is!(self.key(p), ".") && p > 0 {
            p -= 1;
        }
        let titled = is!(self.key(p), "dr" | "docteur" | "pr" | "mme" | "mr" | "mlle" | "madame" | "monsieur" | "drs");
        if !titled || self.explained(at) || likely_common(self.fold(at)) {
            return false;
        }
        let mut end = at + 1;
        while is!(self.key(end), "'" | "-")
            && self.page.glued(end)
            && self.page.glued(end + 1)
            && self.page.has(end + 1, look::LOWER | look::CAPITAL | look::SINGLE)
            || is!(self.key(end), "h") && is!(self.key(end - 1), "'")
        {
            end += if is!(self.key(end), "'" | "-") { 2 } else { 1 };
        }
        self.emit(first..end, Label::Nom, "proper:title", 0.5);
        true
    }

    /// "vu avec kerdonval", "dr kerdonval (brouzac)", "cardio a brouzac", "dt kevin": a note
    /// without capitals, by what only a person or a place follows.
    pub(super) fn small_called(&mut self, at: usize) -> bool {
        let bits = word::COMMON | word::ACRONYM | word::QUALIFIER | word::EPONYM | look::CLINICAL | look::CUE | word::PARTICLE;
        if at < 2 || self.page.has(at, bits) || !self.page.same_line(at) || self.fold(at).len() < 4 || self.covered(at) {
            return false;
        }
        let leads = is!(
            self.key(at - 1),
            "dt" | "dont"
                | "chez"
                | "prenommee"
                | "prenomme"
                | "avec"
                | "avis"
                | "rappeler"
                | "appeler"
                | "contacter"
                | "prevenir"
                | "par"
                | "a"
                | "("
        );
        // A note that begins without a capital.
        let small = |start: usize| self.page.has(start, look::LOWER) || self.number(start);
        if !leads || !small(self.page.line_start(at)) {
            return false;
        }
        let before = self.fold(at - 1);
        let earlier = self.fold(at - 2);
        let given = self.page.has(at, word::GIVEN) && matches!(before, "dt" | "dont" | "chez" | "prenommee" | "prenomme");
        if given {
            self.emit(at..at + 1, Label::Prenom, "proper:listed", 0.45);
            return true;
        }
        let called = before == "avec" && known::shared_act(earlier)
            || matches!(before, "avis" | "chez" | "rappeler" | "appeler" | "contacter" | "prevenir")
            || before == "par" && seen(earlier)
            || self.source(at - 1) == "à"
                && matches!(earlier, "tel" | "appel" | "transmis" | "transmise" | "confie" | "confiee" | "adresse" | "adressee");
        let bracket = before == "(" && is!(self.key(at + 1), ")") && self.label(at - 2) == Some(Label::Nom);
        let lives = matches!(earlier, "vit" | "habite" | "hospit" | "reside" | "ne" | "nee" | "fils" | "fille" | "soeur" | "frere")
            || trade(earlier)
            || matches!(self.label(at - 2), Some(Label::Prenom | Label::Nom));
        let placed = before == "a" && lives && self.page.same_line(at - 1);
        if !(called || bracket || placed) || self.explained(at) || likely_common(self.fold(at)) || !self.identity.shape.plain(self.fold(at))
        {
            return false;
        }
        let end = self.held(at);
        let next = self.fold(end);
        let closes = self.closed(end)
            || self.mark(end) && next != "'"
            || matches!(
                next,
                "ok" | "pr"
                    | "pour"
                    | "et"
                    | "a"
                    | "ce"
                    | "le"
                    | "demande"
                    | "qui"
                    | "puis"
                    | "avec"
                    | "demain"
                    | "si"
                    | "pdt"
                    | "hier"
                    | "lundi"
                    | "vers"
            )
            || self.covered(end);
        if !closes {
            return false;
        }
        let label = if called { Label::Nom } else { Label::Ville };
        self.emit(at..end, label, "proper:listed", 0.4);
        true
    }

    /// "l'usine de Brouzacieux": behind a noun that only a place follows.
    pub(super) fn headed_place(&self, at: usize) -> bool {
        matches!(self.before(at, 1), "de" | "'" | "du" | "des")
            && (2..4).any(|back| at >= back && known::place_head(&self.key(at - back)))
            && !self.page.has(at, look::SEEN_LOWER | look::UPPER)
    }

    /// What hyphens and apostrophes hold to a name that ended before them, and the article
    /// and the initial before a house: "floc'|h", "|Les Tilleuls".
    pub(super) fn ends(&mut self) {
        for at in 1..self.page.len() {
            let Some(label) = self.label(at - 1).filter(|l| matches!(l, Label::Nom | Label::Prenom | Label::Ville | Label::Hopital)) else {
                continue;
            };
            if self.covered(at)
                || !is!(self.key(at), "-" | "'")
                || !self.page.glued(at)
                || !self.page.glued(at + 1)
                || self.covered(at + 1)
                || self.page.has(at - 1, look::UPPER) && self.fold(at - 1).len() < 4
            {
                continue;
            }
            let letter = is!(self.key(at), "'") && is!(self.key(at + 1), "h") && self.fold(at - 1).ends_with('c');
            let half = is!(self.key(at), "-")
                && self.page.has(at + 1, look::CAPITAL)
                && !self.page.has(at + 1, look::CLINICAL | word::ACRONYM | word::EPONYM)
                && !known::thing(&self.key(at + 1));
            if letter || half {
                let end = if half { self.held(at + 1) } else { at + 2 };
                self.emit(at..end, label, "proper:word", 0.4);
            }
        }
        for at in 1..self.page.len() {
            let Some(label) = self.label(at).filter(|l| matches!(l, Label::Ville | Label::Hopital)) else { continue };
            let article = is!(self.key(at - 1), "les" | "le" | "la")
                && self.page.has(at - 1, look::CAPITAL)
                && self.page.same_line(at)
                && self.page.same_line(at - 1)
                && !self.page.has(at - 1, look::OPENS)
                && self.page.has(at - 1, look::UPPER) == self.page.has(at, look::UPPER);
            if article && self.page.has(at, look::CAPITAL) && !self.covered(at - 1) && !self.column(at) {
                self.emit(at - 1..at, label, "proper:house", 0.4);
            }
        }
    }

    /// "en Ardèche", "dans le Finistère": a region or a department.
    pub(super) fn region(&mut self, at: usize) -> bool {
        if !self.page.has(at, look::CAPITAL) || self.page.has(at, look::CLINICAL) {
            return false;
        }
        if at == 0 || !is!(self.key(at - 1), "en" | "depuis" | "le" | "la" | "les" | "'") {
            return false;
        }
        let before = self.before(at, 1);
        let led = matches!(before, "en" | "depuis")
            || matches!(before, "le" | "la" | "les") && matches!(self.before(at, 2), "dans" | "vers" | "pour" | "sur")
            || before == "'" && matches!(self.before(at, 3), "dans" | "vers");
        if !led || !(before == "'" || self.page.has(at - 1, look::LOWER) || self.shouted(at)) {
            return false;
        }
        let end = self.held(at);
        let Some(name) = self.page.text.original.get(self.page.text.byte_range(at..end)) else { return false };
        let name = sillage_clinical::text::fold(name);
        if !REGIONS.lines().filter(|l| !l.starts_with('#')).flat_map(str::split_whitespace).any(|r| r == name) {
            return false;
        }
        self.emit(at..end, Label::Ville, "proper:region", 0.5);
        true
    }

    /// "au centre Océane", "le pavillon Brouzac": a house whose own name follows its kind.
    pub(super) fn small_house(&mut self, at: usize) -> bool {
        if at == 0
            || !self.page.same_line(at)
            || !self.page.has(at, look::CAPITAL)
            || !is!(
                self.key(at - 1),
                "centre"
                    | "clinique"
                    | "institut"
                    | "residence"
                    | "pavillon"
                    | "villa"
                    | "foyer"
                    | "maison"
                    | "batiment"
                    | "unite"
                    | "hopital"
                    | "polyclinique"
            )
            || self.page.has(at, look::UPPER | look::CLINICAL | look::CUE | word::COMMON | word::ACRONYM | word::EPONYM)
            || self.page.has(at - 1, look::UPPER)
        {
            return false;
        }
        let house = matches!(self.before(at, 1), "unite" | "maison" | "batiment");
        let named = self.unknown(at) || !house && (self.page.has(at, word::ANY_NAME) || !self.explained(at));
        if !named || likely_common(self.fold(at)) {
            return false;
        }
        let end = self.chain(at, self.held(at));
        self.emit(at..end, Label::Hopital, "proper:house", 0.5);
        true
    }

    /// "APA Dréanou, ", "PUIS REA PRIGENOU (61…": an unknown word behind a trade in short,
    /// closed by a mark, a day or the end of the line.
    pub(super) fn behind_trade(&mut self, at: usize) -> bool {
        if at == 0 || !self.unknown(at) || !self.page.same_line(at) || self.fold(at).len() < 4 {
            return false;
        }
        let mut p = at;
        while p > 0 && self.page.same_line(p) && at - p < 2 && is!(self.key(p - 1), ":" | "/") {
            p -= 1;
        }
        if p == 0 || !self.page.same_line(p) || self.column(at) {
            return false;
        }
        let trade = trade(self.fold(p - 1))
            || self.page.cues[p - 1].is_some_and(|c| c.end == p && c.roles & role::FUNCTION != 0)
            // "CHIR VASC : X"
            || p > 1 && p < at && trade(self.before(p, 2)) && self.page.same_line(p - 1);
        let end = self.held(at);
        let next = end;
        let closes = self.closed(next)
            || is!(self.key(next), "," | ";" | "(" | ")" | "/" | "." | ":" | "+" | "ok" | "et" | "a" | "puis" | "le" | "ce")
            || self.covered(next)
            || self.number(next) && self.clock_like(next);
        let shouted = self.page.has(at, look::UPPER);
        if !trade
            || !closes
            || likely_common(self.fold(at))
            || shouted && (!self.page.pronounceable(at..at + 1) || self.fold(at).len() < 5)
            || self.of_medicine(p, 1)
        {
            return false;
        }
        self.emit(at..end, Label::Nom, "proper:listed", 0.4);
        true
    }

    fn clock_like(&self, at: usize) -> bool {
        self.fold(at).contains('h') || is!(self.key(at + 1), ":" | "h")
    }
}

/// What a person does for a patient: who follows behind "par".
fn seen(fold: &str) -> bool {
    crate::name::initials::reviewed(fold)
        || matches!(
            fold,
            "examine"
                | "examinee"
                | "valide"
                | "validee"
                | "opere"
                | "operee"
                | "suivi"
                | "suivie"
                | "adresse"
                | "adressee"
                | "prescrit"
                | "prescrite"
                | "appele"
                | "appelee"
                | "prevenu"
                | "prevenue"
                | "repris"
                | "reprise"
        )
}

/// First halves of the names of places.
pub(super) fn place_word(fold: &str) -> bool {
    matches!(
        fold,
        "mas"
            | "bourg"
            | "val"
            | "mont"
            | "pont"
            | "bois"
            | "puy"
            | "roc"
            | "port"
            | "saint"
            | "sainte"
            | "chateau"
            | "grand"
            | "vieux"
            | "champ"
            | "pre"
            | "croix"
            | "font"
            | "ville"
            | "villa"
            | "moulin"
            | "roche"
            | "cap"
            | "col"
            | "plan"
            | "bel"
            | "haut"
            | "bas"
            | "ker"
    )
}

/// Trades and specialities in short, as notes call for people.
fn trade(fold: &str) -> bool {
    matches!(
        fold,
        "apa"
            | "neuro"
            | "rea"
            | "chir"
            | "cardio"
            | "vasc"
            | "anesth"
            | "orl"
            | "ophtalmo"
            | "pneumo"
            | "gastro"
            | "nephro"
            | "endoc"
            | "endocrino"
            | "geriatre"
            | "geriatrie"
            | "urologue"
            | "uro"
            | "neurochir"
            | "nch"
            | "nri"
            | "radio"
            | "neuroradio"
            | "psy"
            | "neuropsy"
            | "psychomot"
            | "ortho"
            | "orthoptiste"
            | "ergo"
            | "kine"
            | "diet"
            | "dieteticienne"
            | "as"
            | "ide"
            | "avs"
            | "assistante"
            | "secretaire"
            | "brancardier"
            | "ambulancier"
            | "pompier"
            | "gendarme"
            | "aumonier"
            | "coiffeuse"
            | "gardienne"
            | "concierge"
            | "podologue"
            | "pedicure"
            | "dentiste"
            | "pharmacien"
            | "pharmacienne"
            | "mandataire"
            | "notaire"
            | "mt"
            | "mg"
    )
}
