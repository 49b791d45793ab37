//! Institutions by where they stand: the head of a page ("FONDATION ARGUENON - SITE DE
//! KERVARA"), a house in small letters behind a transfer ("au centre de Kervara"), and the
//! letters that a hospital is called by ("transféré au CHVB").

use rustc_hash::FxHashSet;
use sillage_clinical::is;
use sillage_clinical::text::{Kind, Text};

use super::gazetteer::Cue;
use super::reader::Reader;
use crate::Label;
use crate::name::knowledge::likely_common;
use crate::proper::known::{abbreviation, explained};

/// Lines of a page that its head may take.
const HEAD_LINES: usize = 4;
/// Most words of the name of an institution.
const LONGEST: usize = 14;
/// Words between a move and where it leads.
const REACH: usize = 6;

impl Reader<'_, '_> {
    /// Names of institutions at the head of the page.
    pub fn letterhead(&mut self) {
        let (mut lines, mut at) = (0, 0);
        while at < self.len() {
            lines += usize::from(self.line_start(at));
            if lines > HEAD_LINES {
                break;
            }
            let opens = self.line_start(at) || matches!(self.before(at, 1), "-" | "–" | "|" | ",") && !self.glued(at) || self.column(at);
            at = if opens { self.headed(at).unwrap_or(at + 1) } else { at + 1 };
        }
    }

    /// An institution from here on: its kind and a name of its own.
    fn headed(&mut self, at: usize) -> Option<usize> {
        if !self.capital(at) || self.is_taken(at) {
            return None;
        }
        let article = is!(self.key(at), "les" | "le" | "la" | "l");
        // "IRM DU VALLON" as the first words of a page.
        let pictures = at == 0 && is!(self.key(at), "irm" | "scanner") && (1..4).any(|i| is!(self.key(at + i), "du" | "de" | "des"));
        // "Pôle santé des Deux Rives", but "Pôle Neurosciences".
        if is!(self.key(at), "pole" | "unite" | "plateau") && !is!(self.key(at + 1), "sante" | "medical" | "de" | "medico") {
            return None;
        }
        if !self.is(at, Cue::HeadsPage) && !article && !pictures && !is!(self.key(at), "cite") {
            return None;
        }
        // "Cité sanitaire, 4 rue du Puits": the house by what it is.
        let whole = is!(self.key(at), "cite") && is!(self.key(at + 1), "sanitaire" | "hospitaliere") && self.same_line(at + 1);
        if whole && (self.mark(at + 2, ",") || self.line_start(at + 2) || self.mark(at + 2, "-") && !self.glued(at + 2)) {
            self.emit(at..at + 2, Label::Hopital, "shape:letterhead", 0.7);
            return Some(at + 2);
        }
        let ward = is!(self.key(at), "pole" | "unite" | "plateau");
        let (mut next, mut end, mut own) = (at + 1, at, false);
        while next < at + LONGEST && self.same_line(next) && !self.column(next) && !self.is_taken(next) {
            match self.kind(next) {
                Some(Kind::Word) => {
                    let small = self.is(next, Cue::Particle) && (!self.capital(next) || self.upper(at));
                    let kind = pictures && is!(self.key(next), "irm" | "scanner")
                        || self.is(next, Cue::HospitalModifier)
                        || self.is(next, Cue::Care)
                        || self.is(next, Cue::HeadsPage);
                    if !small && !kind {
                        if !self.capital(next) || self.is(next, Cue::Title) || self.stops_head(next) {
                            break;
                        }
                        own |= self.own_word(next) && !(ward && self.field_word(next));
                    }
                    if !small {
                        end = next + 1;
                    }
                }
                Some(Kind::Mark) if self.mark(next, "'") || self.mark(next, "&") => {}
                Some(Kind::Mark) if self.mark(next, "-") && self.glued(next) && self.glued(next + 1) => {}
                _ => break,
            }
            next += 1;
        }
        // "Les Genêts - SMR neurologique"
        let cared = || {
            let care = end + usize::from(is!(self.key(end), "-" | "–" | "," | "(" | ":"));
            is!(self.key(care), "smr" | "ssr" | "ehpad" | "usld" | "mpr" | "had" | "mapad" | "mas" | "fam" | "foyer")
                && self.same_line(care)
        };
        if !own || end <= at + 1 || article && !cared() {
            return None;
        }
        // "IMAGERIE DU PORT" is one, "SCANNER DU PORT" may be; a section never has the town behind.
        let end = self.site_behind(end);
        self.emit(at..end, Label::Hopital, "shape:letterhead", 0.8);
        Some(end)
    }

    /// A word that ends the name of an institution at the head of a page.
    fn stops_head(&self, at: usize) -> bool {
        let compass = is!(self.key(at), "centre") && self.same_line(at + 1) && self.capital(at + 1);
        self.is(at, Cue::EndsName) && !compass && !self.is(at, Cue::Particle) || self.is(at, Cue::Weekday) || self.is(at, Cue::Month)
    }

    /// "Pôle de Neurosciences": a field of medicine.
    fn field_word(&self, at: usize) -> bool {
        let fold = self.fold(at);
        [
            "sciences", "logie", "logies", "logique", "logiques", "iatrie", "urgie", "urgies", "urgical", "ique", "iques", "aire", "aires",
            "ation",
        ]
        .iter()
        .any(|e| fold.ends_with(e))
    }

    /// A word that names a place or a person, not a trade.
    fn own_word(&self, at: usize) -> bool {
        let fold = self.fold(at);
        fold.len() > 2
            && !self.is(at, Cue::Score)
            && !self.is(at, Cue::Unit)
            && (!explained(fold) && !abbreviation(fold)
                || self.is(at, Cue::PlaceNoun)
                || self.knowledge.towns.longest(self.text, at).is_some())
    }

    /// "Ambulances du Vallon", "pharmacie des Halles": a business that a place names.
    pub(super) fn placed_business(&mut self, at: usize) {
        if !business(self.key(at)) {
            return;
        }
        let link = at + 1;
        // "IRM Imagerie Saint-Joseph"
        let saint = is!(self.key(link), "saint" | "sainte") && self.mark(link + 1, "-") && self.glued(link + 1);
        if saint && self.capital(at) && self.capital(link) && self.capital(link + 2) && self.free(at..link + 3) {
            let end = self.hyphenated(link + 3);
            self.emit(at..end, Label::Hopital, "shape:hospital", 0.6);
            return;
        }
        if self.is_taken(at) || !is!(self.key(link), "du" | "des" | "de") || !self.same_line(link) || self.capital(link) {
            return;
        }
        let name = link + 1 + usize::from(is!(self.key(link + 1), "la" | "l")) + usize::from(self.mark(link + 2, "'"));
        if self.same_line(name) && self.capital(name) && !self.upper(name) && self.is(name, Cue::PlaceNoun) && !self.is_taken(name) {
            let end = self.place_chain(name, 3).max(name + 1);
            self.emit(at..end, Label::Hopital, "shape:hospital", 0.5);
        }
    }

    /// "ssr les embruns", "ch brouzac": a house in a note without capitals.
    pub(super) fn lower_house(&mut self, at: usize) {
        if !short_kind(self.key(at))
            || self.capital(at)
            || self.is_taken(at)
            || at > 0 && self.same_line(at) && self.digits(at - 1).is_some()
        {
            return;
        }
        let mut name = at + 1;
        while is!(self.key(name), "de" | "d" | "du" | "'") && self.same_line(name) && name < at + 3 {
            name += 1;
        }
        let article = is!(self.key(name), "les" | "la" | "le" | "l");
        let first = name + usize::from(article) + usize::from(self.mark(name + 1, "'"));
        let fold = self.fold(first);
        let small = self.kind(first) == Some(Kind::Word) && !self.capital(first) && self.same_line(first) && fold.len() > 3;
        // "ehpad refusait": what happens there.
        let verb = || ["ait", "aient", "ant", "ent", "er", "ez"].iter().any(|e| fold.ends_with(e));
        let unknown =
            || self.knowledge.cues_of(self.key(first)) == 0 && !verb() && !explained(fold) && !likely_common(fold) && !self.measured(first);
        if small && !self.is_taken(first) && (unknown() || article && fold.ends_with('s') && self.is(first, Cue::PlaceNoun)) {
            let end = self.hyphenated(first + 1).max(first + 1);
            self.emit(at..end, Label::Hopital, "shape:hospital", 0.5);
        }
    }

    /// "retour ehpad la roseraie", "clinique des cèdres", "résidence st joseph", "smr korian les
    /// pins": a house whose name is made of words of a landscape, saints or a group's.
    pub(super) fn lower_named(&mut self, at: usize) {
        if !small_kind(self.key(at)) || self.capital(at) || self.is_taken(at) {
            return;
        }
        let mut name = at + 1;
        let group = is!(self.key(name), "korian" | "orpea" | "emeis" | "domusvi" | "colisee" | "emera") && self.same_line(name);
        name += usize::from(group);
        while self.same_line(name) && name < at + 5 && is!(self.key(name), "les" | "la" | "le" | "l" | "du" | "des" | "de" | "'") {
            name += 1;
        }
        let small = |i: usize| self.kind(i) == Some(Kind::Word) && !self.capital(i) && self.same_line(i) && !self.is_taken(i);
        let linked = name > at + 1 && !matches!(self.before(name, 1), "de");
        let adjective = |fold: &str| {
            matches!(
                fold,
                "deux"
                    | "trois"
                    | "quatre"
                    | "sept"
                    | "grands"
                    | "belle"
                    | "beau"
                    | "bel"
                    | "haut"
                    | "bon"
                    | "vieux"
                    | "grand"
                    | "nord"
                    | "sud"
                    | "cote"
            )
        };
        let noun = |i: usize| small(i) && self.is(i, Cue::PlaceNoun) && !adjective(self.fold(i));
        let saint = small(name) && is!(self.key(name), "saint" | "st" | "sainte" | "ste");
        let behind_saint = name + 1 + usize::from(self.mark(name + 1, "-"));
        let end = if saint && small(behind_saint) && self.fold(behind_saint).len() > 2 {
            self.hyphenated(behind_saint + 1)
        } else if linked && noun(name) && !(is!(self.key(name), "port") && is!(self.key(name + 1), "de" | "du" | "d")) {
            name + 1
        } else if linked && small(name) && adjective(self.fold(name)) && noun(name + 1) {
            name + 2
        } else if group {
            at + 2
        } else {
            return;
        };
        self.emit(at..end, Label::Hopital, "shape:hospital", 0.5);
    }

    /// "accord obtenu aux tilleuls pour mardi": in a note without capitals a garden, a landscape
    /// or an order of monks that somebody is moved to is a house.
    pub(super) fn lower_place(&mut self, at: usize) {
        let name = at + 1;
        let article = is!(self.key(at), "aux") && !self.capital(at) && at > 0 && self.same_line(at);
        if !article || !self.same_line(name) || self.is_taken(name) {
            return;
        }
        let fold = self.fold(name);
        let noun = || self.is(name, Cue::PlaceNoun) || self.knowledge.is_hospital_name(&format!("les {fold}"));
        let house = fold.len() > 4 && fold.ends_with(['s', 'x']) && !self.capital(name) && noun();
        // "passe aux quatre", "sort aux jardins": what is counted, where one takes a walk.
        let other = matches!(
            fold,
            "trois"
                | "quatre"
                | "grands"
                | "jardins"
                | "champs"
                | "plages"
                | "saisons"
                | "sources"
                | "vents"
                | "roches"
                | "vignes"
                | "halles"
                | "pres"
        );
        let allergic = ["allerg", "sensib", "intoler", "expos"].iter().any(|p| self.before(at, 1).starts_with(p));
        if !house || other || allergic || !self.moves_before(at) {
            return;
        }
        let end = name + 1;
        let closes = self.token(end).is_none()
            || self.line_start(end)
            || self.kind(end) == Some(Kind::Mark) && !self.mark(end, "'")
            || self.is(end, Cue::Weekday)
            || is!(
                self.key(end),
                "pour"
                    | "le"
                    | "demain"
                    | "depuis"
                    | "ce"
                    | "vers"
                    | "a"
                    | "en"
                    | "si"
                    | "avec"
                    | "ok"
                    | "des"
                    | "dans"
                    | "et"
                    | "par"
                    | "apres"
                    | "quand"
                    | "dispo"
                    | "lundi"
                    | "hier"
            );
        if closes {
            self.emit(name..end, Label::Hopital, "shape:hospital", 0.5);
        }
    }

    /// A house that a sentence names may begin with this word.
    pub(super) fn opens_small_house(&self, at: usize) -> bool {
        let word = self.key(at);
        center(word) || business(word) || short_kind(word) || small_kind(word) || is!(word, "aux")
    }

    /// "HCV Kervara - Neurologie" at the head of a line: the letters of a group before one of its
    /// houses, or before the town at the head of a page.
    pub(super) fn lettered_group(&mut self, at: usize) {
        let house = at + 1;
        let fold = self.fold(at);
        let opens = || self.line_start(at) || is!(self.key(at - 1), "|" | "·" | "*" | ">");
        if !self.upper(at) || !group_letters(fold) || self.is_taken(at) || !opens() {
            return;
        }
        if !self.capital(house) || !self.same_line(house) || self.column(house) || abbreviation(fold) {
            return;
        }
        let known = self.knowledge.hospitals.longest(self.text, house).map(|(end, _)| end);
        let town = || {
            let town = self.knowledge.towns.longest(self.text, house).map(|(end, _)| self.hyphenated(end));
            town.filter(|_| self.heads_page(at) && !explained(fold))
        };
        let Some(end) = known.or_else(town) else { return };
        let closes = self.token(end).is_none()
            || self.line_start(end)
            || self.column(end)
            || is!(self.key(end), "-" | "–" | "|" | "," | ":" | "/" | "·" | "(") && !self.glued(end + 1);
        if closes && self.free(at..end) && !self.measured(house) {
            self.emit(at..end, Label::Hopital, "shape:letterhead", 0.8);
        }
    }

    /// "au centre de Kervara", "à l'institut Kervara": a house in small letters.
    pub(super) fn small_center(&mut self, at: usize) {
        if !center(self.key(at)) || self.upper(at) || self.is_taken(at) {
            return;
        }
        let mut name = at + 1;
        while self.same_line(name)
            && name < at + 4
            && (is!(self.key(name), "de" | "d" | "du" | "la" | "l" | "les" | "des") && !self.capital(name) || self.mark(name, "'"))
        {
            name += 1;
        }
        // "centre Les Genêts"
        let article = is!(self.key(name), "les" | "le" | "la" | "l" | "u") && self.capital(name);
        name += usize::from(article) + usize::from(article && self.mark(name + 1, "'"));
        if !self.same_line(name) || !self.capital(name) || self.is_taken(name) || self.upper(name) && self.fold(name).len() < 5 {
            return;
        }
        let town = self.knowledge.towns.longest(self.text, name).map(|(end, _)| end);
        let own = || !self.is(name, Cue::EndsName) && self.kind(name) == Some(Kind::Word) && !explained(self.fold(name));
        let placed = self.is(name, Cue::PlaceNoun) || town.is_some();
        if self.is(name, Cue::Title) || !(placed && (article || self.moves_before(at)) || (town.is_none() || self.capital(at)) && own()) {
            return;
        }
        let end = town.map_or_else(|| self.place_chain(name, 4).max(name + 1), |end| self.hyphenated(end));
        self.emit(at..end, Label::Hopital, "shape:hospital", 0.6);
    }

    /// A word of the words before leads somewhere: "transférée ce jour au …".
    fn moves_before(&self, at: usize) -> bool {
        (1..=REACH)
            .take_while(|back| at >= *back && self.near(at - back + 1) && !matches!(self.before(at, *back), "." | ";"))
            .any(|back| self.is(at - back, Cue::Transfer))
    }

    /// Letters by which a hospital is called, each at every place of the text.
    pub(super) fn lettered(&mut self) {
        let mut houses: FxHashSet<&str> = FxHashSet::default();
        // "CHV" where "Centre Hospitalier de Valmont" is named.
        let (mut called, mut shared): (FxHashSet<String>, FxHashSet<String>) = Default::default();
        for span in self.found.iter().filter(|s| s.label == Label::Hopital) {
            let name = self.text.original.get(span.start..span.end).unwrap_or("");
            // "QVD" where "Hôpital Quentin-Vaudrec-Dréan" is named.
            if let Some(own) = own_part(name).and_then(first_letters).filter(|l| own_letters(l)) {
                called.insert(own);
            }
            let Some(letters) = first_letters(name) else { continue };
            if own_letters(&letters) {
                called.insert(letters);
            } else if letters.starts_with("ch") {
                shared.insert(letters);
            }
        }
        let shouted: Vec<usize> = (0..self.len()).filter(|at| self.upper(*at) && !self.is_taken(*at)).collect();
        // "CHB" is a disease too: only at the head of a line, or where a patient is moved to.
        for at in shouted.iter().copied() {
            let head = self.line_start(at) && is!(self.key(at + 1), "-" | "–") && self.same_line(at + 1) && !self.glued(at + 1);
            let led = head || at > 0 && matches!(self.before(at, 1), "transfert" | "au" | "du" | "vers" | "urgences") && self.same_line(at);
            if led && shared.contains(self.fold(at)) && (head || self.moves_before(at)) {
                self.emit(at..at + 1, Label::Hopital, "shape:hospital-letters", 0.6);
            }
        }
        for at in shouted.iter().copied() {
            let beside = self.same_line(at + 1) && is!(self.key(at + 1), "=" | "<" | ">" | "%" | "'");
            if called.contains(self.fold(at)) && !self.is_taken(at) && !self.measured(at) && !beside {
                houses.insert(self.fold(at));
            }
        }
        for at in shouted.iter().copied() {
            if !houses.contains(self.fold(at)) && self.house_letters(at) {
                houses.insert(self.fold(at));
            }
        }
        for at in shouted {
            let held = self.glued(at) && self.mark(at - 1, "-") && at > 1 && self.glued(at - 1);
            if !held && !self.is_taken(at) && houses.contains(self.fold(at)) {
                self.emit(at..at + 1, Label::Hopital, "shape:hospital-letters", 0.7);
            }
        }
    }

    /// Capitals that nothing explains: those of a "CH…" or "GH…", or where a patient is moved to.
    fn house_letters(&self, at: usize) -> bool {
        let fold = self.fold(at);
        if !self.upper(at) || !(3..=7).contains(&fold.len()) || self.is_taken(at) {
            return false;
        }
        let kind = fold.len() > 3 && matches!(fold.as_bytes(), [b'c' | b'g', b'h', ..] | [b'h', b'i' | b'p', ..]);
        let before = self.key(at.wrapping_sub(1));
        if !kind && !is!(before, "au" | "du") && !super::around::ward(before)
            || !fold.bytes().all(|b| b.is_ascii_lowercase())
            || self.glued(at) && !is!(before, "(" | "'" | "/")
            || self.same_line(at + 1) && is!(self.key(at + 1), "=" | "<" | ">" | "%" | "'")
            || self.knowledge.cues_of(self.key(at)) != 0
            || abbreviation(fold)
            || self.measured(at)
            || explained(fold)
        {
            return false;
        }
        let rest = fold.get(2..).unwrap_or_default();
        let consonants = !rest.bytes().any(|b| matches!(b, b'a' | b'e' | b'i' | b'o' | b'u' | b'y'));
        let small = at > 0 && !self.capital(at - 1);
        let led = is!(
            before,
            "au" | "du"
                | "le"
                | "vers"
                | "urgences"
                | "sau"
                | "unv"
                | "usinv"
                | "rea"
                | "smur"
                | "samu"
                | "neuro"
                | "retour"
                | "images"
                | "chez"
                | "depuis"
                | "de"
        );
        // "Dr X (CHBV)", "ETO à 9h (CHBV, Kervara)"
        let comma = self.mark(at + 1, ",") && self.capital(at + 2) && !self.upper(at + 2) && self.mark(at + 3, ")");
        let called = self.mark(at.wrapping_sub(1), "(") && at > 1 && (comma || self.mark(at + 1, ")") && self.person_ends(at - 2));
        let head = || self.line_start(at) && self.same_line(at + 1) && self.heads_page(at);
        // "UNV HKV", "garde neurochirurgie QRV": the house behind its ward.
        let watched = || (2..5).any(|back| matches!(self.before(at, back), "garde" | "astreinte" | "avis" | "visio" | "interne"));
        let closed = self.token(at + 1).is_none() || self.line_start(at + 1) || matches!(self.kind(at + 1), Some(Kind::Mark));
        let warded = super::around::ward(before) && self.same_line(at) && closed && !self.glued(at + 2);
        if warded && fold.len() < 6 && consonants_lead(fold) && (fold.starts_with('h') || watched()) {
            return true;
        }
        if kind {
            return consonants && fold.len() < 7 || fold.len() < 6 && (led || called || head());
        }
        // "transféré au XBN": where else should one be moved to.
        is!(before, "au" | "du") && small && self.same_line(at) && self.moves_before(at - 1) && consonants_lead(fold)
    }

    /// On one of the first lines.
    pub(super) fn heads_page(&self, at: usize) -> bool {
        (1..=at).filter(|i| self.line_start(*i)).nth(2).is_none()
    }
}

/// Kinds of house that a capitalised name follows in a sentence.
fn center(word: u64) -> bool {
    is!(word, "centre" | "institut" | "fondation" | "domaine" | "chateau" | "clinique" | "hopital")
}

/// What a place names beside hospitals.
fn business(word: u64) -> bool {
    is!(
        word,
        "ambulances" | "ambulance" | "taxi" | "taxis" | "pharmacie" | "laboratoire" | "residence" | "cabinet" | "optique" | "imagerie"
    )
}

/// Letters of a house in a note without capitals.
fn short_kind(word: u64) -> bool {
    is!(word, "ch" | "chu" | "chr" | "chi" | "ehpad" | "ssr" | "smr" | "usld" | "crf" | "had")
}

/// Kinds and groups of houses that are named by a landscape or a saint.
fn small_kind(word: u64) -> bool {
    is!(
        word,
        "ehpad"
            | "ssr"
            | "smr"
            | "usld"
            | "clinique"
            | "residence"
            | "foyer"
            | "polyclinique"
            | "hopital"
            | "mapa"
            | "marpa"
            | "korian"
            | "orpea"
            | "emeis"
            | "domusvi"
    )
}

/// Three to five letters that a group of hospitals may have, and no word.
pub(super) fn group_letters(fold: &str) -> bool {
    (3..=5).contains(&fold.len())
        && matches!(fold.as_bytes(), [b'h', ..] | [b'c' | b'g', b'h', ..])
        && consonants_lead(fold)
        && fold.bytes().all(|b| b.is_ascii_lowercase())
}

/// "chv" of "Centre Hospitalier de Valmont" or "CH de Valmont", unless the letters mean
/// something else.
pub(crate) fn house_initials(name: &str) -> Option<String> {
    first_letters(name).filter(|letters| own_letters(letters))
}

/// The name of a house behind its kind: "Quentin-Vaudrec" of "Hôpital Quentin-Vaudrec".
fn own_part(name: &str) -> Option<&str> {
    let (kind, own) = name.split_once(' ')?;
    let kind = sillage_clinical::text::fold(kind);
    let plain = own.starts_with(char::is_uppercase) && own.split([' ', '-']).all(|w| w.starts_with(char::is_uppercase));
    (matches!(kind.as_str(), "hopital" | "clinique" | "polyclinique" | "site" | "pavillon") && plain).then_some(own)
}

fn own_letters(letters: &str) -> bool {
    !abbreviation(letters) && !explained(letters) && crate::identity::Identity::built_in().names.word(letters) == 0
}

/// First letters of the words of a house, the small words left out.
fn first_letters(name: &str) -> Option<String> {
    let text = Text::new(name);
    let (mut out, mut words) = (String::new(), 0);
    for (at, token) in text.tokens.iter().enumerate() {
        let fold = text.fold(at);
        let small = matches!(fold, "de" | "du" | "des" | "d" | "l" | "la" | "le" | "les" | "et" | "en" | "sur" | "site");
        if token.kind != Kind::Word || small {
            continue;
        }
        words += 1;
        // "CHU de X" begins with its letters.
        let house = at == 0 && token.upper && fold.len() < 5 && !fold.bytes().any(|b| matches!(b, b'a' | b'e' | b'o' | b'y'));
        out.extend(fold.chars().take(if house { fold.len() } else { 1 }));
    }
    (words > 1 && (3..=6).contains(&out.len()) && out.bytes().all(|b| b.is_ascii_lowercase())).then_some(out)
}

/// Letters that no word of French begins or is made of.
pub(super) fn consonants_lead(fold: &str) -> bool {
    let vowel = |b: u8| matches!(b, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    fold.bytes().filter(|b| vowel(*b)).count() * 3 <= fold.len()
}
