//! What stands before a word and says what it may name.

use sillage_clinical::is;

use super::{Proper, WRAP, known};
use crate::Label;
use crate::name::knowledge::{role, word};
use crate::name::page::look;

/// What the words before say of a name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A line, a sentence or a list item begins.
    Opens,
    /// "à X", "jusqu'à X".
    At,
    /// "vers X", "près de X", "SMUR de X".
    Near,
    /// "d'Eccica", "de X": behind a noun.
    Of,
    /// "au X", "aux X".
    Article,
    /// "chez X", "avec X", "par X", "sa fille X".
    Person,
    /// Behind another word in small letters.
    Running,
    None,
}

impl Proper<'_, '_> {
    /// "à Porto Brouzac", "Lorient/Brenezou": the second word of a place, or another place.
    pub(super) fn beside_town(&mut self, at: usize) -> bool {
        let page = &self.page;
        let town = |i: usize| self.label(i) == Some(Label::Ville);
        if at < 2 || !(town(at - 1) || town(at - 2) || is!(self.key(at - 2), "a")) {
            return false;
        }
        if !page.same_line(at) || !page.has(at, look::CAPITAL) || page.has(at, look::CLINICAL | word::EPONYM) || self.covered(at) {
            return false;
        }
        let slash = is!(self.key(at - 1), "/") && page.glued(at) && town(at - 2);
        let article = is!(self.key(at), "la" | "le" | "les") && !page.has(at, look::UPPER) && page.has(at + 1, look::CAPITAL);
        if slash
            && (article || !page.has(at, look::CUE | word::ACRONYM))
            && !known::thing(&self.key(at))
            && page.has(at, look::UPPER) == page.has(at - 2, look::UPPER)
        {
            let end = self.held(if article { at + 1 } else { at });
            self.emit(at..end, Label::Ville, "proper:beside", 0.4);
            return true;
        }
        // "à Tavelle Brouzac": a word with a capital and one that nothing explains.
        let first = at - 1;
        let at_first = is!(self.key(first - 1), "a") && page.has(first - 1, look::LOWER | look::SINGLE) && self.source(first - 1) != "A";
        let plain =
            page.has(first, look::CAPITAL) && !page.has(first, look::UPPER | look::CLINICAL | word::EPONYM) && page.title(first).is_none();
        if at_first
            && plain
            && self.fold(first).len() > 2
            && !self.covered(first)
            && !page.glued(at)
            && page.same_line(first)
            && !page.has(at, look::UPPER)
            && self.unknown(at)
            && !known::thing(&self.key(first))
        {
            let end = self.held(at);
            self.emit(first..end, Label::Ville, "proper:beside", 0.4);
            return true;
        }
        let first = (1..4).take_while(|b| at >= *b && town(at - b)).last();
        let Some(first) = first.map(|b| at - b) else { return false };
        let led =
            first > 0 && is!(self.key(first - 1), "a" | "de" | "vers" | "pour" | "sur") && page.has(first - 1, look::LOWER | look::SINGLE);
        if led && !page.glued(at) && !page.has(at, look::UPPER) && self.unknown(at) && !crate::name::knowledge::likely_common(self.fold(at))
        {
            let end = self.held(at);
            self.emit(at..end, Label::Ville, "proper:beside", 0.4);
            return true;
        }
        false
    }

    /// What stands before a word.
    pub(super) fn place(&self, at: usize) -> Place {
        let page = &self.page;
        let Some(p) = at.checked_sub(1) else { return Place::Opens };
        let token = &page.text.tokens[at];
        if token.lines_before > 1 {
            return Place::Opens;
        }
        let small = page.has(p, look::LOWER);
        if token.lines_before == 1 {
            // A sentence that goes on: the line was full, or ends on a word that asks for more.
            let start = page.line_start(p);
            let full = page.text.tokens[p].end - page.text.tokens[start].start >= WRAP;
            let kin = page.cues[p].is_some_and(|c| c.end == at && c.roles & (role::KIN | role::FUNCTION) != 0);
            let open = is!(page.key(p), "a" | "de" | "chez" | "vers" | "d" | "'" | "avec" | "par" | "au" | "du" | "sur" | "et") || kin;
            if !(small && (full || open) || is!(page.key(p), "'")) {
                return Place::Opens;
            }
        }
        let fold = page.fold(p);
        match fold {
            "a" if small || self.source(p) == "À" || page.has(p, look::SINGLE) && (self.source(p) != "A" || self.shouted(at)) => Place::At,
            "'" => match self.before(at, 2) {
                "d" => self.of(at - 2),
                "l" => match self.before(at, 3) {
                    "a" | "de" | "vers" | "sur" => Place::Article,
                    _ => Place::None,
                },
                _ => Place::None,
            },
            "vers" | "via" | "direction" if small => Place::Near,
            "de" if small => match self.before(at, 2) {
                "pres" | "loin" | "autour" | "originaire" | "venant" | "provenance" | "partir" | "natif" | "native" => Place::Near,
                _ => self.of(p),
            },
            "du" | "des" if small => self.of(p),
            "au" | "aux" if small => Place::Article,
            "la" | "le" | "les" if small && matches!(self.before(at, 2), "a" | "vers" | "depuis" | "chez") => Place::Article,
            // "vallée de la Brenne"
            "la" | "le" | "les" if small && self.before(at, 2) == "de" => self.of(p - 1),
            // "UNV Brouzac d'accord"
            "unv" | "usinv" | "cmp" | "ssiad" | "sau" | "uhcd" | "samu" | "smur" | "ccas" | "clic" | "cmpp" | "mdph" | "udaf"
                if page.has(p, look::UPPER) && !page.has(at, look::UPPER) =>
            {
                Place::Near
            }
            // "Ville | Scrignac", "Commune : Scrignac"
            ":" | "|" | "="
                if matches!(
                    self.before(at, 2),
                    "ville"
                        | "commune"
                        | "naissance"
                        | "localite"
                        | "lieu"
                        | "village"
                        | "residence"
                        | "domicile"
                        | "provenance"
                        | "destination"
                        | "secteur"
                ) =>
            {
                Place::Near
            }
            "chez" | "avec" | "par" | "aupres" | "selon" if small => Place::Person,
            "et" | "ou" | "&" | "/" | "," if p > 0 => match self.label(p - 1) {
                Some(Label::Nom | Label::Prenom) if fold != "/" && fold != "," => Place::Person,
                Some(Label::Ville) if fold != "," => Place::Near,
                _ if fold == "et" && is!(self.key(p - 1), ")") => Place::Person,
                _ => Place::None,
            },
            _ if small && page.cues[p].is_some_and(|c| c.end == at && c.roles & (role::KIN | role::FUNCTION | role::AGENT) != 0) => {
                Place::Person
            }
            _ if small
                && !page.has(p, word::PARTICLE)
                && !matches!(
                    fold,
                    "un" | "une"
                        | "ce"
                        | "cet"
                        | "cette"
                        | "son"
                        | "sa"
                        | "ses"
                        | "sur"
                        | "en"
                        | "dans"
                        | "pour"
                        | "sous"
                        | "sans"
                        | "depuis"
                        | "entre"
                        | "pas"
                        | "ni"
                        | "est"
                        | "soit"
                ) =>
            {
                Place::Running
            }
            "sur" | "depuis" | "pour" | "entre" if small => Place::Near,
            _ if page.has(at, look::OPENS) => Place::Opens,
            // "Taxi Kerdoncuff", "Avis Ferrandi": a noun opens the line.
            _ if page.has(p, look::CAPITAL)
                && !(page.has(p, look::UPPER) && page.has(at, look::UPPER))
                && known::business(&page.key(p)) =>
            {
                Place::Running
            }
            _ => Place::None,
        }
    }

    /// "école de X", not "maladie de X": what the noun before a particle carries.
    pub(super) fn of(&self, particle: usize) -> Place {
        let Some(noun) = particle.checked_sub(1) else { return Place::Opens };
        if !self.page.same_line(particle) && self.page.text.tokens[particle].lines_before > 1 {
            return Place::Opens;
        }
        if known::place_head(&self.key(noun)) {
            return Place::Near;
        }
        // "DR X DE Y"
        if matches!(self.label(noun), Some(Label::Nom | Label::Hopital)) {
            return Place::Near;
        }
        let opens = self.page.has(noun, look::OPENS)
            && self.page.has(noun, look::CAPITAL)
            && !self.page.has(noun, look::UPPER)
            && self.explained(noun);
        if self.medical_head(noun) || !(self.page.has(noun, look::LOWER) || opens || self.covered(noun)) {
            return Place::None;
        }
        Place::Of
    }

    /// A noun that the name of a disease, a test or a thing follows.
    pub(super) fn medical_head(&self, noun: usize) -> bool {
        let singular = self.fold(noun).strip_suffix('s');
        self.page.has(noun, word::EPONYM_HEAD | look::CLINICAL)
            || known::medical_head(&self.key(noun))
            || singular.is_some_and(|s| self.identity.names.word(s) & word::EPONYM_HEAD != 0 || known::medical_head(s))
            || self.page.behind_eponym_head(noun + 1)
    }

    /// Nouns of infections and of things within a few words before.
    pub(super) fn of_medicine(&self, at: usize, reach: usize) -> bool {
        (1..=reach)
            .take_while(|back| at >= *back && self.page.same_line(at - back + 1))
            .any(|back| known::leads_thing(&self.key(at - back)))
    }
}
