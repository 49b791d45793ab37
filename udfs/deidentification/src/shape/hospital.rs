//! Hospitals, clinics, homes: a type word with a name, a well-known name alone, and
//! the name of the one that the text has named in full before.

use std::ops::Range;

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::gazetteer::{Cue, Gazetteer, class, normal};
use super::leftover::staff;
use super::reader::Reader;
use crate::Label;

/// Most words between the type and the name.
const MODIFIERS: usize = 10;
/// Most words of a name.
pub(super) const LONGEST: usize = 9;

/// Kinds of house and ward that are hospitals only with a name behind them.
fn small_house(fold: &str) -> bool {
    matches!(
        fold,
        "institut"
            | "fondation"
            | "pharmacie"
            | "foyer"
            | "pavillon"
            | "had"
            | "hdj"
            | "mpr"
            | "mas"
            | "fam"
            | "imm"
            | "ime"
            | "msp"
            | "chic"
    )
}

/// Words behind "centre" that are no region.
pub(super) fn explained_region(fold: &str) -> bool {
    matches!(fold, "expert" | "experts" | "anti" | "antidouleur" | "antipoison" | "national" | "commercial" | "social" | "ville")
}

impl Reader<'_, '_> {
    pub fn hospitals(&mut self) {
        let mut named = Gazetteer::default();
        let mut at = 0;
        while at < self.len() {
            // The letters of a ward open a line, in capitals or not.
            let may_open = self.is(at, Cue::Hospital) || self.upper(at) || self.line_start(at);
            let end = if may_open { self.hospital(at, &mut named) } else { None };
            at = end.unwrap_or(at + 1);
        }
        self.letterhead();
        self.lettered();
        for at in 0..self.len() {
            if self.opens_small_house(at) {
                self.small_center(at);
                self.placed_business(at);
                self.lower_house(at);
                self.lower_named(at);
                self.lower_place(at);
            }
            if self.upper(at) {
                self.lettered_group(at);
            }
        }
        self.house_in_brackets();
        for at in 0..self.len() {
            if !self.capital(at) || self.is_taken(at) {
                continue;
            }
            self.emergency_service(at);
            if !self.is_taken(at) {
                self.hospital_name(at, &named);
            }
        }
    }

    /// A type word and the name behind it.
    fn hospital(&mut self, at: usize, named: &mut Gazetteer) -> Option<usize> {
        if let Some(end) = self.dotted_house(at).or_else(|| self.practice(at)) {
            self.emit(at..end, Label::Hopital, "shape:hospital", 0.85);
            return Some(end);
        }
        if let Some(end) = self.head_acronym(at) {
            self.emit(end - 1..end, Label::Hopital, "shape:hospital-letters", 0.7);
            return Some(end);
        }
        if !self.is(at, Cue::Hospital) || self.is_taken(at) || !self.opens_hospital(at) {
            return None;
        }
        let name = self.behind_type(at)?;
        let end = self.site_behind(self.region_behind(self.name_end(at, name)?));
        let key = normal(self.source(name..end));
        let key = [" de ", " du ", " d "]
            .iter()
            .fold(key.as_str(), |k, p| k.split_once(p).map_or(k, |(head, _)| if head.contains(' ') || head.len() > 6 { head } else { k }))
            .to_owned();
        let distinct = |k: &str| k.len() > 5 && !self.knowledge.is_town(k) && k.split(' ').any(|w| w.len() > 4 && self.knowledge.plain(w));
        if distinct(&key) {
            named.add(&key, 0);
        }
        // "Jean Dubreuil" is "Dubreuil" later on.
        let town = self.knowledge.towns.longest(self.text, name).is_some_and(|(e, _)| e == end);
        if let Some((_, last)) = key.rsplit_once(' ').filter(|(_, l)| l.len() > 5 && distinct(l) && !town) {
            named.add(last, 0);
        }
        let score = if self.knowledge.is_hospital_name(&key) { 1.0 } else { 0.95 };
        // "EHPAD Résidence Les Embruns": two kinds of house.
        let two = at > 0
            && self.same_line(at)
            && (self.is(at - 1, Cue::SureHospital) && self.upper(at - 1) || is!(self.key(at - 1), "ctre"))
            && !self.is_taken(at - 1)
            && (self.upper(at) || !self.fold(at).starts_with("clinique"));
        let at = self.ward_of_house(at - usize::from(two && !self.column(at)));
        // "AP-HP Henri-Mondor"
        let group = is!(self.key(at), "hp") && self.glued(at) && self.before(at, 1) == "-" && self.before(at, 2) == "ap";
        let at = if group && self.free(at - 2..at) { at - 2 } else { at };
        self.emit(at..end, Label::Hopital, "shape:hospital", score);
        Some(end)
    }

    /// "C.H. de Brouzac", "C.H.U. Sud", "G.H.N.B.": a house in letters with dots.
    fn dotted_house(&self, at: usize) -> Option<usize> {
        let dot = |i: usize| self.mark(i, ".") && self.glued(i);
        let house = is!(self.key(at), "c" | "g") && self.upper(at) && is!(self.key(at + 2), "h");
        if !(house && dot(at + 1) && self.glued(at + 2) && dot(at + 3)) || self.glued(at) {
            return None;
        }
        let mut next = at + 4;
        // Letters that say more than what kind of house it is.
        let mut own = false;
        while self.fold(next).len() == 1 && self.upper(next) && self.glued(next) && dot(next + 1) {
            own |= !is!(self.key(next), "u" | "r" | "i" | "g" | "s" | "t" | "d" | "p");
            next += 2;
        }
        if own {
            return Some(next);
        }
        while is!(self.key(next), "de" | "d" | "'" | "du" | "la" | "le" | "des" | "-") && next < at + 12 {
            next += 1;
        }
        if !self.same_line(next) || !self.capital(next) {
            return None;
        }
        self.name_end(at, next)
    }

    /// The word is used as the type of a place, not in its other senses.
    fn opens_hospital(&self, at: usize) -> bool {
        let word = self.fold(at);
        match word {
            "ch" | "gh" | "chi" | "chg" | "chr" | "chs" | "chd" | "chp" | "clcc" | "epsm" | "had" | "hdj" | "crf" | "mpr" | "mas"
            | "fam" | "imm" | "ime" | "msp" | "chic" | "ghi" | "eph" => self.upper(at) || self.known_behind(at).is_some(),
            // "HU Vallon Bleu", never what a picture is measured in.
            "hu" => self.upper(at) && self.university_house(at),
            "pole" | "espace" => self.health_center(at),
            // "HP Vallon Bleu", never what is looked for in a stomach.
            "hp" | "cmc" => {
                let name = at + 1 + usize::from(is!(self.key(at + 1), "de" | "du" | "des"));
                self.upper(at)
                    && self.capital(name)
                    && !self.upper(name)
                    && (name > at + 1 || !crate::proper::known::explained(self.fold(name)))
            }
            "clin" | "hop" | "hosp" | "resid" => {
                self.mark(at + 1, ".")
                    && self.glued(at + 1)
                    && (word != "clin"
                        || !self.is(at.wrapping_sub(1), Cue::NamedAfter) && self.before(at, 1) != "examen" && self.before(at, 1) != "ex")
            }
            "clinique" | "cliniques" => {
                let before = self.before(at, 1);
                let noun = at > 0
                    && self.same_line(at)
                    && self.word(at - 1)
                    && !matches!(
                        before,
                        "la" | "une"
                            | "de"
                            | "a"
                            | "en"
                            | "cette"
                            | "par"
                            | "l"
                            | "chez"
                            | "vers"
                            | "sur"
                            | "et"
                            | "depuis"
                            | "notre"
                            | "votre"
                            | "cliniques"
                            | "dr"
                            | "hopital"
                            | "adresse"
                            | "adressee"
                    )
                    && !self.person_ends(at - 1)
                    // "SMR Clinique des Deux Lacs"
                    && !(self.is(at - 1, Cue::SureHospital) && self.upper(at - 1) && self.capital(at))
                    // "SSR gériatrique Clinique Saint-Goulven": no adjective has a capital.
                    && (self.upper(at) || !self.capital(at) || self.capital(at - 1) || !self.capital(at + 1));
                !(noun || self.mark(at + 1, ":"))
            }
            "foyer" => {
                is!(self.key(at + 1), "les" | "le" | "la" | "l" | "du" | "des" | "logement" | "d" | "«" | "\"" | "“")
                    && self.same_line(at + 1)
            }
            "institut" | "fondation" | "pharmacie" | "pavillon" => self.same_line(at + 1),
            // "Cité sanitaire de Kervara"
            "cite" => is!(self.key(at + 1), "sanitaire" | "hospitaliere" | "medicale") && self.same_line(at + 1),
            // "Cabinet de neurologie du Vallon"
            "cabinet" => {
                let trade = at + 1 + usize::from(is!(self.key(at + 1), "de" | "d")) + usize::from(self.mark(at + 2, "'"));
                self.is(trade, Cue::Care) && self.same_line(trade)
            }
            "site" | "unite" | "laboratoire" | "polyclinic" | "esat" => false,
            _ => true,
        }
    }

    /// A well-known town in lower case behind the type: "chu de rennes".
    fn known_behind(&self, at: usize) -> Option<usize> {
        let mut next = at + 1;
        while is!(self.key(next), "de" | "d" | "'") {
            next += 1;
        }
        let (end, class) = self.knowledge.towns.longest(self.text, next)?;
        (class & class::KNOWN != 0 && self.same_line(next)).then_some(end)
    }

    /// First token of the name behind a type and its modifiers.
    fn behind_type(&self, at: usize) -> Option<usize> {
        // "Séjour SMR : Les Peupliers", "EHPAD : Mas Saint-Jean"
        let house = is!(self.key(at), "ssr" | "smr" | "ehpad" | "usld" | "mpr" | "mas" | "foyer" | "residence" | "ehpa" | "fam");
        if house && self.mark(at + 1, ":") && self.named_house(at + 2) {
            return Some(at + 3 + usize::from(self.mark(at + 3, "'")));
        }
        let mut next = at
            + 1
            + usize::from(
                self.mark(at + 1, ".") && self.glued(at + 1) && is!(self.key(at), "clin" | "hop" | "hosp" | "resid" | "ch" | "chu"),
            );
        let mut cared = false;
        while next - at <= MODIFIERS && self.near(next) && (self.is(next, Cue::HospitalModifier) || self.is(next, Cue::Care)) {
            let article = is!(self.key(next), "le" | "la" | "les" | "l") && self.capital(next) && !self.upper(at);
            if self.column(next) || is!(self.key(next), "-" | "–") && !self.glued(next) {
                break;
            }
            cared |= self.is(next, Cue::Care);
            next += 1;
            if article {
                break;
            }
        }
        let sure = self.is(at, Cue::SureHospital) || small_house(self.fold(at)) || is!(self.key(at), "eph");
        if !(sure || cared) || !self.near(next) || self.column(next) && next > at + 1 && !self.upper(at) {
            return None;
        }
        // "EHPAD « les Glycines »"
        let small = is!(self.key(next + 1), "les" | "le" | "la" | "l");
        let named = next + 1 + usize::from(small) + usize::from(small && self.mark(next + 2, "'"));
        if is!(self.key(next), "\"" | "«" | "“") && (self.capital(next + 1) || self.capital(named)) && self.same_line(named) {
            next += 1;
            let article = is!(self.key(next), "les" | "le" | "la" | "l");
            next += usize::from(article) + usize::from(article && self.mark(next + 1, "'"));
        }
        // The name may not begin on the next line unless a linker stands before it.
        let linked = next > at + 1 && is!(self.key(next - 1), "de" | "d" | "'" | "du" | "des" | "la" | "les" | "le" | "l" | "-");
        (self.same_line(next) && !self.column(next) || linked && self.near(next)).then_some(next)
    }

    /// The token behind a name that starts here.
    fn name_end(&self, kind: usize, first: usize) -> Option<usize> {
        if !self.capital(first) {
            return self.known_behind(kind);
        }
        if self.is_taken(first) {
            return None;
        }
        let known = self.knowledge.hospitals.longest(self.text, first).or_else(|| self.knowledge.towns.longest(self.text, first));
        let initial = self.mark(first + 1, ".") && self.glued(first + 1) && self.source(first..first + 1).chars().count() == 1;
        // "Hôpital G. et R. Kervadec"
        if initial && is!(self.key(first + 2), "et") && self.mark(first + 4, ".") && self.capital(first + 3) && self.same_line(first + 5) {
            return self.name_end(kind, first + 3);
        }
        let kind_word = self.fold(kind);
        let weak = small_house(kind_word) || matches!(kind_word, "clinique" | "residence" | "maison" | "hospice");
        // In capitals, or at the head of a sentence, a word behind a weak type says little.
        let saint = is!(self.key(first), "saint" | "sainte" | "st" | "ste" | "notre") || self.mark(first + 1, "-") && self.glued(first + 1);
        if weak
            && known.is_none()
            && !saint
            && (self.upper(first) || self.fold(first).len() < 5 || crate::proper::known::explained(self.fold(first)))
            && (self.upper(kind) && kind + 1 == first || !self.upper(kind) && self.upper(first) && !initial && self.fold(first).len() < 4)
        {
            return None;
        }
        if known.is_none()
            && !initial
            && (self.is(first, Cue::EndsName) && !self.compass(first)
                || self.is(first, Cue::Title)
                || self.is(first, Cue::Score) && !self.coast(kind, first)
                || self.is(first, Cue::Unit)
                || self.is(first, Cue::Weekday)
                || self.is(first, Cue::Month))
        {
            return None;
        }
        let glued = |at: usize| self.glued(at) && self.mark(at - 1, "-") || self.compass(at);
        let mut end = known.map_or(first + 1, |(end, _)| end);
        let mut at = end;
        while at < first + LONGEST && self.near(at) && !self.is_taken(at) {
            let line = self.same_line(at);
            if self.column(at) && line
                || !line && (self.line_start(at) && !self.upper(kind) && !self.is(at - 1, Cue::Particle))
                || !line && self.upper(kind)
            {
                break;
            }
            match self.kind(at) {
                Some(Kind::Mark) => {
                    let inside = match self.fold(at) {
                        "-" => self.glued(at) && self.glued(at + 1),
                        "'" => true,
                        "." => {
                            self.glued(at) && self.source(at - 1..at).chars().count() <= 2 && self.capital(at + 1) && self.same_line(at + 1)
                        }
                        _ => false,
                    };
                    if !inside {
                        break;
                    }
                }
                // "Hôpital Anne et Joseph Kervadec": two given names before one of a family.
                Some(Kind::Word)
                    if is!(self.key(at), "et")
                        && at == first + 1
                        && self.capital(at + 1)
                        && self.capital(at + 2)
                        && self.same_line(at + 2)
                        && !self.is(at + 1, Cue::Hospital) => {}
                Some(Kind::Word) => {
                    let particle = self.is(at, Cue::Particle) && self.leads_to_capital(at) && self.near(at + 1);
                    if particle && !is!(self.key(at), "a" | "s" | "et") && (self.upper(kind) || !self.is(at + 1, Cue::EndsName)) {
                        // "HOPITAL X DU LUNDI": never past a word that ends names.
                        let next = if self.mark(at + 1, "'") { at + 2 } else { at + 1 };
                        let stops = self.is(next, Cue::EndsName) && !self.is(next, Cue::Particle) && !self.compass(next)
                            || self.is(next, Cue::Weekday);
                        if !stops {
                            at += 1;
                            continue;
                        }
                        break;
                    }
                    let stops = self.is(at, Cue::EndsName)
                        || self.is(at, Cue::Title)
                        || self.is(at, Cue::Weekday)
                        || self.is(at, Cue::Month)
                        || self.is(at, Cue::Hospital);
                    if !self.capital(at) || stops && !glued(at) {
                        break;
                    }
                    end = at + 1;
                }
                Some(Kind::Number) => {
                    // "GHT Grand Vallon 17": the number of the department.
                    if is!(self.key(kind), "ght") && line && self.digits(at).is_some_and(|d| d.count == 2) && !self.is(at + 1, Cue::Unit) {
                        end = at + 1;
                        break;
                    }
                    // "Pasteur 2"
                    if self.digits(at).is_some_and(|d| d.count == 1)
                        && line
                        && !self.is(at + 1, Cue::Unit)
                        && (!self.glued(at + 1) && known.is_some_and(|(e, _)| e == at) && is!(self.key(at - 1), "pasteur" | "archet")
                            || self.numbered_house(kind, at))
                    {
                        end = at + 1;
                    }
                    break;
                }
                None => break,
            }
            at += 1;
        }
        // "Centre hospitalier de l'Ouest guyanais"
        let people = ["ais", "aise", "ois", "oise", "ien", "ienne", "ain", "aine"];
        let of_people = self.same_line(end)
            && self.kind(end) == Some(Kind::Word)
            && self.fold(end).len() > 5
            && people.iter().any(|p| self.fold(end).ends_with(p))
            && !self.is(end, Cue::EndsName);
        Some(end + usize::from(is!(self.key(end - 1), "nord" | "sud" | "est" | "ouest") && of_people))
    }

    /// A hospital by its name alone.
    fn hospital_name(&mut self, at: usize, named: &Gazetteer) {
        if !named.is_empty()
            && let Some((end, _)) = named.longest(self.text, at)
        {
            let part = self.glued(at) && self.mark(at - 1, "-") && self.glued(at - 1);
            if self.spells_name(at..end) && !part && !(at > 0 && self.is(at - 1, Cue::Title)) {
                let article = at > 0
                    && is!(self.key(at - 1), "les" | "le" | "la")
                    && self.capital(at - 1)
                    && self.same_line(at)
                    && !self.is_taken(at - 1);
                self.emit(at - usize::from(article)..end, Label::Hopital, "shape:hospital-again", 0.8);
                return;
            }
        }
        let Some((end, kind)) = self.knowledge.hospitals.longest(self.text, at) else { return };
        if !self.spells_name(at..end) {
            return;
        }
        let person = at > 0 && self.same_line(at) && (self.is(at - 1, Cue::Title) || self.person_ends(at - 1));
        // "Dupuytren 2 doigts": fingers are counted, houses are not.
        let counted = self.digits(end - 1).is_some() && self.word(end) && !self.capital(end) && self.same_line(end);
        if person || counted || self.town_with_article(at, end) {
            return;
        }
        // "TIMONE 2 - HDJ" at the head of a line
        let opened = self.line_start(at) || matches!(self.before(at, 1), "*" | "|" | "·");
        let numbered = opened && self.same_line(end) && self.numbers_house(end) && (kind & class::EPONYM == 0 || !self.line_start(at));
        let end = if numbered { end + 1 } else { self.group_behind(at, end) };
        let eponym = self.medical_name(at);
        let short = end == at + 1 && self.fold(at).len() <= 5;
        let accepted = if kind & class::EPONYM == 0 {
            !eponym && (!short || self.upper(at) || self.fold(at).len() == 5)
        } else {
            !eponym && self.hospital_said(at, end)
        };
        if accepted {
            let score = if kind & class::EPONYM == 0 { 0.9 } else { 0.7 };
            self.emit(at..end, Label::Hopital, "shape:hospital-name", score);
        }
    }

    /// Every word that is no particle has its capital.
    fn spells_name(&self, tokens: Range<usize>) -> bool {
        tokens.clone().all(|i| !self.word(i) || self.capital(i) || self.is(i, Cue::Particle)) && self.capital(tokens.start)
    }

    /// "maladie de X", "score de X", "X de type": the name of a thing of medicine.
    pub fn medical_name(&self, at: usize) -> bool {
        let before = self.key(at.wrapping_sub(1));
        let linked = is!(before, "de" | "d" | "'" | "du" | "des" | "et" | "selon")
            || is!(before, "-") && self.glued(at) // "Dix-Hallpike", not "signé - Orléans"
            || at > 0 && self.is(at - 1, Cue::NamedAfter);
        linked && self.same_line(at) && self.cue_before(at, 4, Cue::NamedAfter)
    }

    /// Something says that a place of care is meant.
    fn hospital_said(&self, at: usize, end: usize) -> bool {
        // "CHU DE KERVARA * Pasteur * 4 rue du Puits": a house behind a house
        let beside = matches!(self.before(at, 1), "*" | "-" | "–" | "|" | "·") && at > 1 && self.same_line(at) && self.ends_place(at - 2);
        if beside && !self.glued(at) {
            return true;
        }
        if self.upper(at) && self.fold(at).len() <= 5 {
            return false;
        }
        // "(stent 2016 Pasteur)"
        let dated = at > 0 && self.is_taken(at - 1) && self.digits(at - 1).is_some_and(|d| d.count == 4) && self.mark(end, ")");
        // "IRM faite à la Conception"
        let led = self.before(at, 1) == "la" && at > 1 && self.source(at - 2..at - 1) == "à";
        let direct = (dated || led || matches!(self.before(at, 1), "a" | "sur" | "vers" | "depuis" | "chez")) && self.near(at);
        let care = || {
            (1..5).any(|back| {
                is!(
                    self.key(at.wrapping_sub(back)),
                    "transfert"
                        | "transfere"
                        | "transferee"
                        | "retour"
                        | "visio"
                        | "avis"
                        | "garde"
                        | "hospitalise"
                        | "hospitalisee"
                        | "neurochirurgie"
                        | "urgences"
                        | "reanimation"
                        | "rea"
                        | "usinv"
                        | "unv"
                        | "neurovasculaire"
                        | "centre"
                        | "site"
                        | "astreinte"
                        | "teleavc"
                        | "chirurgie"
                        | "vasculaire"
                        | "neurologie"
                        | "consultation"
                        | "service"
                )
            })
        };
        let behind = self.mark(end, "(") && self.digits(end + 1).is_some_and(|d| d.count == 2)
            || self.knowledge.towns.longest(self.text, end).is_some() && self.capital(end) && self.same_line(end);
        let number = self.digits(end).is_some() && self.same_line(end);
        // "télé-AVC Dupuytren", "hôpital Dupuytren", "avec Dupuytren et la famille"
        let named = matches!(self.before(at, 1), "hopital" | "chu" | "teleavc")
            || self.before(at, 1) == "avc"
                && matches!(self.before(at, 2), "tele" | "-")
                && matches!(self.before(at, 3), "tele" | "t" | "visio");
        let met = self.before(at, 1) == "avec" && is!(self.key(end), "et") && is!(self.key(end + 1), "la" | "le" | "l");
        // "CHANGE - neurologie", "retour au CHANGE": the letters of a house that are a word too.
        let letters = self.upper(at) && end == at + 1;
        let heads = self.line_start(at) && is!(self.key(end), "-" | "–") && !self.glued(end) && self.is(end + 1, Cue::EndsName);
        let moved = matches!(self.before(at, 1), "au" | "du")
            && matches!(
                self.before(at, 2),
                "transfert" | "transfere" | "transferee" | "retour" | "adresse" | "adressee" | "urgences" | "neurologie" | "unv" | "rea"
            );
        let housed = letters && heads || moved;
        // "USINV Laennec puis Kervara": whose ward it is.
        let ward = matches!(self.before(at, 1), "usinv" | "unv" | "uscnv" | "usi" | "usip" | "sau" | "uhcd") && self.upper(at - 1);
        let warded = ward && self.same_line(at) && !number && !self.person_ends(end);
        // "(Laennec, interne X)"
        let manned = self.before(at, 1) == "(" && self.mark(end, ",") && (staff(self.fold(end + 1)) || self.is(end + 1, Cue::Title));
        direct && !number
            || warded
            || manned
            || housed
            || named
            || met
            || matches!(
                self.before(at, 1),
                "de" | "d"
                    | "'"
                    | "a"
                    | "de la"
                    | "("
                    | "-"
                    | "–"
                    | ":"
                    | "service"
                    | "site"
                    | "visio"
                    | "neurochirurgie"
                    | "garde"
                    | "avis"
                    | "la"
                    | "retour"
            ) && care()
            || behind
    }
}
