//! What nothing explains is hidden: letters that are no abbreviation of medicine, of the
//! trade or of every day, and words with a capital within a sentence.
//!
//! Letters that are measured, defined or behind an article somewhere in the text are a
//! thing; so is what stands behind "score", "syndrome", "protocole".

use rustc_hash::FxHashSet;

use sillage_clinical::is;

use super::{Proper, known};
use crate::Label;
use crate::name::knowledge::{likely_common, role, word};
use crate::name::page::look;

/// Letters of a house or of somebody: two to five.
const LETTERS: std::ops::RangeInclusive<usize> = 2..=5;

impl Proper<'_, '_> {
    /// Hides what is left and nothing explains.
    pub(super) fn denied(&mut self) {
        let mut things: Option<FxHashSet<String>> = None;
        for at in 0..self.page.len() {
            if !self.page.has(at, look::CAPITAL) || self.covered(at) {
                continue;
            }
            if self.unexplained_letters(at) {
                let things = things.get_or_insert_with(|| self.lettered_things());
                if !things.contains(self.fold(at)) {
                    let house = self.fold(at).len() > 3 || self.moved_to(at);
                    self.emit(at..at + 1, if house { Label::Hopital } else { Label::Nom }, "proper:letters", 0.3);
                }
            } else if self.flower_ward(at) {
                self.emit(at..at + 1, Label::Hopital, "proper:ward", 0.4);
            } else if self.done_at(at) {
                let end = self.chain(at, self.held(at));
                self.emit(at..end, Label::Ville, "proper:unexplained", 0.3);
            } else if self.unexplained_word(at) {
                let end = self.chain(at, self.held(at));
                let label = if self.housed(at) { Label::Hopital } else { Label::Nom };
                self.emit(at..end, label, "proper:unexplained", 0.3);
            }
        }
    }

    /// "VKP", "BRVZ": capitals within small letters, more consonants than a word has.
    fn unexplained_letters(&self, at: usize) -> bool {
        let fold = self.fold(at);
        if !self.page.stands_out(at) || !LETTERS.contains(&fold.len()) || !self.source(at).bytes().all(|b| b.is_ascii_uppercase()) {
            return false;
        }
        let vowels = fold.bytes().filter(|b| matches!(b, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')).count();
        if vowels * 3 > fold.len() {
            return false;
        }
        let known = self.page.has(at, word::ACRONYM | word::COMMON | word::QUALIFIER | look::CLINICAL | look::CUE | look::SEEN_LOWER)
            || known::lettered(fold)
            || self.explained(at)
            || !self.identity.shape.plain(fold);
        // "atteinte de VKP", "avis de VKP": behind "de" only where a house or somebody gives something.
        let of = || matches!(self.before(at, 1), "de" | "d" | "et" | "ou") && !self.moved_to(at) && !GIVEN_BY.contains(&self.before(at, 2));
        !known && !of() && !self.among_things(at) && !self.joined(at) && !self.shouted(at) && !self.behind_thing(at)
    }

    /// "ASL, VKP, SWI": listed with letters of medicine.
    fn among_things(&self, at: usize) -> bool {
        let thing = |i: usize| {
            self.page.has(i, look::UPPER)
                && !self.covered(i)
                && (self.page.has(i, word::ACRONYM | look::CLINICAL) || known::lettered(self.fold(i)))
        };
        let before = at > 1 && is!(self.key(at - 1), ",") && self.page.same_line(at) && thing(at - 2);
        before || is!(self.key(at + 1), ",") && self.page.same_line(at + 2) && thing(at + 2)
    }

    /// Part of a code or of a word: "X-VKP", "VKP-12", "VKP+", "V.K.P".
    fn joined(&self, at: usize) -> bool {
        let glue = |i: usize, mark: usize| {
            self.page.glued(i) && self.page.glued(mark) && !is!(self.key(mark), "(" | "[" | "/" | ":" | "," | "|" | "'" | ".")
        };
        let before = at > 0 && self.page.glued(at) && !is!(self.key(at - 1), "(" | "[" | "/" | ":" | "," | "|" | ">" | "'");
        let dotted = is!(self.key(at + 1), ".") && self.page.glued(at + 1) && self.page.glued(at + 2);
        before || at + 2 < self.page.len() && (glue(at + 2, at + 1) || dotted)
    }

    /// "score VKP", "protocole VKP", "gène VKP": what a thing of medicine or of a study is called.
    fn behind_thing(&self, at: usize) -> bool {
        let selon = self.before(at, 1) == "selon" && self.page.has(at, look::UPPER);
        !selon && self.page.behind_eponym_head(at)
            || self.medicine_near(at, 2)
            || at > 0 && self.page.same_line(at) && {
                // "Voie : VD"
                let colon = matches!(self.before(at, 1), ":" | "=") && self.page.has(at, look::UPPER);
                let before = self.before(at, 1 + usize::from(colon));
                let singular = before.strip_suffix('s').unwrap_or(before);
                self.page.has(at - 1, look::CLINICAL | word::EPONYM)
                    || [before, singular].iter().any(|w| NAMES_THINGS.contains(w))
                    || self.page.has(at - 1, look::UPPER)
                        && known::lettered(before)
                        && before.len() > 2
                        && !known::ward(before)
                        && !self.place_of_care(before)
            }
    }

    fn place_of_care(&self, fold: &str) -> bool {
        matches!(
            fold,
            "sau"
                | "unv"
                | "usinv"
                | "usi"
                | "usc"
                | "rea"
                | "ssr"
                | "smr"
                | "smur"
                | "samu"
                | "emg"
                | "had"
                | "hdj"
                | "uhcd"
                | "ehpad"
                | "usld"
                | "rcp"
                | "cr"
        )
    }

    /// Letters that an article, an amount or a definition makes a thing of, anywhere in the text.
    fn lettered_things(&self) -> FxHashSet<String> {
        let thing = |at: usize| {
            let bracket = at > 1 && is!(self.key(at - 1), "(");
            let told = is!(self.key(at + 1), "(")
                && self.fold(at + 2).as_bytes().first() == self.fold(at).as_bytes().first()
                && !self.page.has(at + 2, look::UPPER);
            // "vu à l'HKVR"
            let house = self.fold(at).starts_with('h')
                && self.before(at, 1) == "'"
                && self.before(at, 2) == "l"
                && matches!(self.before(at, 3), "a" | "de" | "vers" | "depuis");
            self.article(at) && !house
                || self.is_amount(at)
                || bracket && (self.defines(at) || self.spelled_out(at))
                || told
                || is!(self.key(at + 1), "+" | "±" | "↑" | "↓") && self.page.glued(at + 1)
        };
        (0..self.page.len())
            .filter(|at| LETTERS.contains(&self.fold(*at).len()) && self.page.has(*at, look::UPPER) && thing(*at))
            .map(|at| self.fold(at).to_owned())
            .collect()
    }

    /// "Reflux vésico-kystique pariétal (RVKP)": the first letters of the words before the bracket.
    pub(super) fn spelled_out(&self, at: usize) -> bool {
        if self.label(at - 2) == Some(Label::Hopital) {
            return false;
        }
        let mut letters = self.fold(at).bytes().rev().peekable();
        for i in (2..14).filter_map(|back| at.checked_sub(back)) {
            if letters.next_if(|l| self.fold(i).as_bytes().first() == Some(l)).is_some() && letters.peek().is_none() {
                return true;
            }
        }
        false
    }

    /// As [`Proper::of_medicine`], within the sentence.
    fn medicine_near(&self, at: usize, reach: usize) -> bool {
        let within = (1..=reach).take_while(|back| !matches!(self.before(at, *back), "." | ";" | ":")).count();
        self.of_medicine(at, within)
    }

    /// "transfert VKP", "place à VKP": where somebody is moved to, or comes from.
    fn moved_to(&self, at: usize) -> bool {
        (1..4).take_while(|back| at >= *back && self.page.same_line(at + 1 - back)).any(|back| {
            let fold = self.before(at, back);
            [
                "transf",
                "passage",
                "descen",
                "vient",
                "sejour",
                "rapatri",
                "mut",
                "adress",
                "retour",
                "accept",
                "place",
                "lit",
                "depart",
                "arriv",
                "admi",
                "hospitalis",
                "images",
                "scanner",
                "dossier",
                "service",
            ]
            .iter()
            .any(|w| fold.starts_with(w))
        })
    }

    /// "en Kerbihan 3", "aile Kerbihan": a word with a capital within a sentence.
    fn unexplained_word(&self, at: usize) -> bool {
        let written = self.unknown(at) && !self.page.has(at, look::UPPER | look::OPENS) && self.fold(at).len() > 3;
        if !written || at == 0 || !self.page.same_line(at) || self.joined(at) {
            return false;
        }
        let small = self.page.has(at - 1, look::LOWER) || self.housed(at);
        let before = self.key(at - 1);
        let article = known::makes_thing(&before) && !is!(before, "en") || is!(before, "'" | "de" | "et" | "ou" | "a");
        let cue = self.page.cues[at - 1].is_some_and(|c| c.roles & role::COPY != 0);
        small && !article && !cue && !likely_common(self.fold(at)) && !self.behind_thing(at) && !self.medicine_near(at, 4)
    }

    /// "opérée du genou à KERVELEC", "stent posé à Kervelec": where something was done.
    fn done_at(&self, at: usize) -> bool {
        let written = self.unknown(at)
            && at > 1
            && self.page.same_line(at)
            && self.source(at - 1) == "à"
            && self.fold(at).len() > 4
            && self.page.pronounceable(at..at + 1);
        let acts = ["oper", "hospit", "pose", "implant", "realis", "fait", "suivi", "greff", "reedu", "accouch"];
        let act = || {
            (2..7)
                .take_while(|back| at >= *back && !matches!(self.before(at, *back), "." | ";" | ":"))
                .any(|back| acts.iter().any(|a| self.before(at, back).starts_with(a)))
        };
        written && act() && !self.joined(at) && !self.shouted(at) && !likely_common(self.fold(at))
    }

    /// "unité Pivoine", "chambre 12 Lilas", "passage en Azalée", "mutation aux Mésanges": a ward.
    fn flower_ward(&self, at: usize) -> bool {
        let written = self.page.has(at, look::CAPITAL) && !self.page.has(at, look::OPENS | look::CLINICAL | look::SEEN_LOWER);
        if !written || at == 0 || !self.page.same_line(at) || !known::flower(&self.key(at)) || self.joined(at) {
            return false;
        }
        let room = at > 1 && self.number(at - 1) && matches!(self.before(at, 2), "chambre" | "ch" | "lit" | "box" | "etage");
        let led = matches!(self.before(at, 1), "en" | "aux" | "chez") && self.page.has(at - 1, look::LOWER);
        let moved = matches!(self.before(at, 1), "au" | "a" | "vers" | "de" | "du" | "des" | "la") && self.moved_to(at);
        self.housed(at) || room || led || moved
    }

    /// A part of a house stands right before.
    fn housed(&self, at: usize) -> bool {
        at > 0
            && self.page.same_line(at)
            && matches!(
                self.before(at, 1),
                "aile"
                    | "equipe"
                    | "niveau"
                    | "salon"
                    | "upad"
                    | "uhr"
                    | "pasa"
                    | "cantou"
                    | "ucc"
                    | "usld"
                    | "ssr"
                    | "smr"
                    | "ehpad"
                    | "etage"
                    | "secteur"
                    | "unite"
                    | "service"
                    | "tour"
                    | "batiment"
                    | "couloir"
                    | "hall"
                    | "lit"
                    | "lits"
                    | "retour"
                    | "site"
                    | "pole"
            )
    }
}

/// What a house or somebody gives: "CR de VKP", "avis de VKP".
const GIVEN_BY: &[&str] = &[
    "cr",
    "avis",
    "mot",
    "conseil",
    "accord",
    "courrier",
    "appel",
    "equipe",
    "reponse",
    "lettre",
    "emg",
    "eml",
    "visite",
    "demande",
    "passage",
    "presence",
    "part",
    "staff",
    "garde",
    "consultation",
    "consignes",
    "transmission",
    "transmissions",
    "patient",
    "patiente",
    "urgences",
    "neurologue",
    "interne",
    "senior",
];

/// What letters behind are the name of.
const NAMES_THINGS: &[&str] = &[
    "protocole",
    "etude",
    "essai",
    "registre",
    "logiciel",
    "serveur",
    "module",
    "type",
    "mode",
    "voie",
    "sequence",
    "gene",
    "anticorps",
    "ac",
    "virus",
    "vaccin",
    "souche",
    "mutation",
    "exon",
    "regime",
    "norme",
    "critere",
    "classe",
    "stade",
    "grade",
    "groupe",
    "programme",
    "projet",
    "reseau",
    "formulaire",
    "grille",
    "questionnaire",
    "bilan",
    "dosage",
    "fixation",
    "ponderation",
    "coupe",
    "appareil",
    "scope",
    "marque",
    "modele",
    "gamme",
    "pansement",
    "matelas",
    "lunettes",
    "masque",
    "sonde",
    "catheter",
    "filtre",
    "valve",
    "prothese",
    "pile",
    "pompe",
    "systeme",
    "societe",
    "assurance",
    "mutuelle",
    "association",
    "radio",
    "chaine",
    "format",
    "fichier",
];
