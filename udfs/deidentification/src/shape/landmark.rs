//! How houses are named: practices, coasts and middles of regions, houses for the long
//! stay, centres of health, and the letters of a house behind its ward.

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::gazetteer::Cue;
use super::hospital::{LONGEST, explained_region};
use super::reader::Reader;
use crate::proper::known::explained;

/// Lines at the head of a page.
const HEAD_LINES: usize = 3;

impl Reader<'_, '_> {
    /// "Les Peupliers", "Villa Bleue", "Mas Saint-Jean": how houses for the long stay are named.
    pub(super) fn named_house(&self, at: usize) -> bool {
        let opens = is!(
            self.key(at),
            "les"
                | "la"
                | "le"
                | "l"
                | "mas"
                | "villa"
                | "domaine"
                | "chateau"
                | "manoir"
                | "clos"
                | "val"
                | "residence"
                | "korian"
                | "orpea"
        );
        let name = at + 1 + usize::from(self.mark(at + 1, "'"));
        opens && self.capital(at) && self.capital(name) && self.same_line(at) && self.same_line(name)
    }

    /// "CH de la Côte Rouge", "CH COTE ROUGE": a coast, not what is scored.
    pub(super) fn coast(&self, kind: usize, first: usize) -> bool {
        is!(self.key(first), "cote")
            && (self.before(first, 1) == "la" || first == kind + 1)
            && self.same_line(first + 1)
            && (self.capital(first + 1) && !self.is(first + 1, Cue::EndsName)
                || self.is(first + 1, Cue::Particle) && self.leads_to_capital(first + 1))
    }

    /// "CH du Centre Béarn": the middle of a region, not a house.
    pub(super) fn compass(&self, at: usize) -> bool {
        let next = at + 1 + usize::from(self.mark(at + 1, "-") && self.glued(at + 1));
        is!(self.key(at), "centre")
            && self.capital(at)
            && self.same_line(next)
            && self.capital(next)
            && !self.is(next, Cue::EndsName)
            && !self.is(next, Cue::Care)
            && !self.is(next, Cue::HospitalModifier)
            && !explained_region(self.fold(next))
    }

    /// "SCM Imagerie du Vallon", "SELARL RADIOLOGIE DE BROUZAC": the society of a practice.
    pub(super) fn practice(&self, at: usize) -> Option<usize> {
        if !self.upper(at) {
            return None;
        }
        let head = is!(self.key(at), "sos" | "scm" | "selarl" | "selas" | "scp" | "sel" | "gie" | "sarl" | "sas" | "selafa" | "gcs");
        if !head || !self.same_line(at + 1) || self.is_taken(at) {
            return None;
        }
        let trade = |i: usize| {
            is!(
                self.key(i),
                "imagerie"
                    | "radiologie"
                    | "radiologique"
                    | "cardiologie"
                    | "biologie"
                    | "neurologie"
                    | "medicale"
                    | "medical"
                    | "laboratoire"
                    | "scanner"
                    | "irm"
                    | "cabinet"
                    | "centre"
                    | "groupe"
                    | "imageries"
                    | "radiologues"
                    | "cardiologues"
                    | "ambulances"
                    | "medecins"
                    | "medecin"
                    | "mains"
                    | "ambulance"
                    | "pharmacie"
            )
        };
        if !trade(at + 1) {
            return None;
        }
        let (mut next, mut end) = (at + 1, at + 1);
        while self.same_line(next) && next < at + LONGEST && !self.column(next) && !self.is_taken(next) {
            let inside = self.is(next, Cue::Particle) && self.leads_to_capital(next)
                || self.mark(next, "'")
                || self.mark(next, "-") && self.glued(next);
            if self.capital(next) || trade(next) {
                end = next + 1;
            } else if !inside {
                break;
            }
            next += 1;
        }
        (end > at + 2).then_some(end)
    }

    /// "HU Kervadec": a name that nothing else explains behind the letters, no amount before.
    pub(super) fn university_house(&self, at: usize) -> bool {
        let amount = at > 0 && (self.kind(at - 1) == Some(Kind::Number) || self.mark(at - 1, "="));
        let name = at + 1 + usize::from(is!(self.key(at + 1), "de" | "du" | "des"));
        let known =
            || self.knowledge.hospitals.longest(self.text, name).or_else(|| self.knowledge.towns.longest(self.text, name)).is_some();
        !amount
            && self.same_line(name)
            && self.capital(name)
            && (known() || !self.upper(name) && (!explained(self.fold(name)) || is!(self.key(name), "saint")))
    }

    /// "Pôle Santé de Kervara", "Espace médical Nord Brouzac": a name of its own behind what it is for.
    pub(super) fn health_center(&self, at: usize) -> bool {
        let mut name = at + 2;
        while is!(self.key(name), "de" | "du" | "des" | "la" | "l" | "d" | "'" | "le" | "les") && !self.capital(name) && name < at + 6 {
            name += 1;
        }
        let place = || {
            self.is(name, Cue::PlaceNoun)
                || is!(self.key(name), "nord" | "sud" | "est" | "ouest" | "saint" | "sainte" | "grand" | "val")
                || self.knowledge.towns.longest(self.text, name).is_some()
        };
        is!(self.key(at + 1), "sante" | "medical" | "medico")
            && self.same_line(at + 1)
            && self.same_line(name)
            && self.capital(name)
            && !self.upper(name)
            && !self.is(name, Cue::Care)
            && (!explained(self.fold(name)) || place())
    }

    /// "USINV CHK - Dossier de soins" on the first lines: the letters of the house behind its ward.
    pub(super) fn head_acronym(&self, at: usize) -> Option<usize> {
        let name = at + 1;
        let ward = is!(self.key(at), "usinv" | "unv" | "usi" | "usc" | "uscnv" | "uhcd" | "sau");
        if !ward || !self.line_start(at) || !self.same_line(name) || self.is_taken(name) {
            return None;
        }
        let letters = self.source(name..(name + 1).min(self.len()));
        let house = (3..=5).contains(&letters.len())
            && letters.bytes().all(|b| b.is_ascii_uppercase())
            && ["CH", "GH", "HI"].iter().any(|h| letters.starts_with(h))
            && !matches!(letters, "CHU" | "CHR" | "CHRU" | "CHI" | "CHG" | "CHS" | "GHT" | "GHU" | "HIA");
        let closed = self.token(name + 1).is_none()
            || self.line_start(name + 1)
            || self.column(name + 1)
            || is!(self.key(name + 1), "-" | "–" | "|") && !self.glued(name + 1);
        let lines = (0..=at).filter(|i| self.line_start(*i)).take(HEAD_LINES + 1).count();
        (house && closed && lines <= HEAD_LINES).then_some(name + 1)
    }
}
