//! Towns, villages and islands: by the gazetteer, by what stands around an unknown
//! name, and by the forms that French names of places have.

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::gazetteer::{Cue, class};
use super::reader::Reader;
use crate::Label;

impl Reader<'_, '_> {
    pub fn towns(&mut self) {
        let mut at = 0;
        while at < self.len() {
            at = if self.word(at) && !self.is_taken(at) { self.town(at).unwrap_or(at + 1) } else { at + 1 };
        }
    }

    /// A place that starts here: emitted, and the token behind it.
    fn town(&mut self, at: usize) -> Option<usize> {
        if at > 0 && self.glued(at) && self.mark(at - 1, "-") && at > 1 && self.glued(at - 1) {
            return None;
        }
        if let Some((end, kind)) = self.knowledge.towns.longest(self.text, at)
            && self.known_town(at, end, kind)
        {
            // "Crest or 20": a dictation parts the name of a drug.
            if self.same_line(end) && end == at + 1 && self.word(end) && self.drug_in_two(at) {
                return None;
            }
            let whole = self.continued_name(at, self.hyphenated(end));
            let end = if self.free(at..whole) { whole } else { end };
            // The article of "au Havre" stays outside.
            let at = (at..end).find(|i| self.capital(*i)).unwrap_or(at);
            self.emit(at..end, Label::Ville, "shape:town", if kind == 0 { 0.9 } else { 0.75 });
            self.department(end);
            return Some(end);
        }
        if !self.capital(at) {
            return None;
        }
        let (end, detector, score) = self.shaped_town(at).or_else(|| self.said_town(at)).or_else(|| self.letter_head(at))?;
        if !self.free(at..end) {
            return None;
        }
        // "vit à la Brimaudière": the article of a hamlet is part of its name.
        let article = at > 1
            && matches!(self.before(at, 1), "la" | "le" | "les")
            && matches!(self.before(at, 2), "a" | "de" | "vers" | "dit")
            && self.near(at)
            && detector == "shape:town-said"
            && !self.is_taken(at - 1);
        self.emit(at - usize::from(article)..end, Label::Ville, detector, score);
        self.department(end);
        Some(end)
    }

    /// The word and the next make one of medicine, which they do not apart.
    fn drug_in_two(&self, at: usize) -> bool {
        let joined = format!("{}{}", self.fold(at), self.fold(at + 1));
        !self.glued(at + 1) && self.fold(at + 1).len() < 5 && crate::proper::known::medical(&joined)
    }

    /// "Villiers le Sec": particles and a capitalised word behind a known name.
    fn continued_name(&self, at: usize, end: usize) -> usize {
        let particle = is!(self.key(end), "le" | "la" | "les" | "sur" | "sous" | "lez")
            && self.same_line(end)
            && !self.capital(end)
            && self.same_line(end + 1);
        let name = particle
            && self.capital(end + 1)
            && !self.upper(at)
            && !self.upper(end + 1)
            && !self.is(end + 1, Cue::Weekday)
            && !self.is(end + 1, Cue::Month)
            && !self.is(end + 1, Cue::Title);
        if name { self.hyphenated(end + 2) } else { self.by_the_sea(end) }
    }

    /// "Saint Aubin sur mer": small letters behind a name.
    fn by_the_sea(&self, end: usize) -> usize {
        end + 2 * usize::from(is!(self.key(end), "sur") && is!(self.key(end + 1), "mer") && self.same_line(end) && self.same_line(end + 1))
    }

    /// A name of the gazetteer, read as a place here.
    fn known_town(&self, at: usize, end: usize, kind: u8) -> bool {
        let placed = || {
            self.is(at.wrapping_sub(1), Cue::PlacePreposition) && at > 0 && self.near(at)
                || is!(self.key(at.wrapping_sub(1)), "'") && is!(self.key(at.wrapping_sub(2)), "d" | "l")
        };
        if !self.capital(at) {
            // "au Havre" is written so; "a rennes" in haste.
            let last = || (at..end).rev().find(|i| self.word(*i)).unwrap_or(at);
            let article = is!(self.key(at), "le" | "la" | "les" | "l") && self.capital(last()) && !self.upper(last());
            let hasty = kind & class::KNOWN != 0
                && kind & (class::WORD | class::ARTICLE) == 0
                && (placed() || at > 0 && self.same_line(at) && (self.is(at - 1, Cue::SurelyLives) || ward(self.before(at, 1))))
                && !self.medical_name(at);
            return article && (placed() || kind & (class::WORD | class::EPONYM) == 0) && !self.medical_name(at)
                || hasty && (at..end).all(|i| !self.capital(i));
        }
        let spelled = (at..end).all(|i| !self.word(i) || self.capital(i) || self.is(i, Cue::Particle));
        if !spelled {
            return false;
        }
        if kind & class::ARTICLE != 0 && !matches!(self.before(at, 1), "au" | "du" | "aux" | "des" | "le" | "la" | "les" | "'") {
            return false;
        }
        let closes = self.token(end).is_none() || !self.same_line(end) || self.column(end) || self.kind(end) == Some(Kind::Mark);
        if self.strongly_placed(at, end) || self.born(at) && closes && self.fold(at).len() > 1 {
            return true;
        }
        if kind & class::ARTICLE != 0 && kind & class::WORD != 0 && !matches!(self.before(at, 1), "au" | "aux") {
            return false;
        }
        if at > 0 && self.is(at - 1, Cue::Title) && self.same_line(at) && !matches!(self.before(at, 1), "m" | "me") || self.medical_name(at)
        {
            return false;
        }
        // "le vol Oran-Lyon"
        let pair = self.mark(end, "-")
            && self.glued(end)
            && self.glued(end + 1)
            && self.capital(end + 1)
            && self.knowledge.towns.longest(self.text, end + 1).is_some();
        if pair {
            return true;
        }
        let number = self.same_line(end) && self.digits(end).is_some_and(|d| d.count < 4);
        if kind & class::EPONYM != 0 {
            // "son frère, M. Jean Dubreuil, Oxford (+44 …)"
            let far = self.mark(end, "(") && self.mark(end + 1, "+") && self.before(at, 1) == "," && at > 1 && self.person_ends(at - 2);
            return far
                || matches!(self.before(at, 1), "a")
                    && !number
                    && !self.cue_before(at, 5, Cue::NamedAfter)
                    && !self.cue_before(at, 3, Cue::Score);
        }
        let shouted = self.upper(at) && (at..end).all(|i| !self.word(i) || self.upper(i) || self.is(i, Cue::Particle));
        if kind & class::WORD != 0 {
            let direct = matches!(self.before(at, 1), "a" | "de" | "sur" | "vers" | "d" | "'" | "au" | "du" | "aux" | "des" | "depuis")
                && self.near(at)
                && !self.line_start(at);
            let bare = self.fold(at).len() <= 3 && end == at + 1;
            // "Dr Anne Dubreuil, Cassis" at the end of a line
            let practice = (self.line_start(end) || self.token(end).is_none() || self.mark(end, ")"))
                && at > 1
                && self.person_ends(at - 1 - usize::from(matches!(self.before(at, 1), "," | "(" | "-")));
            if practice && !shouted {
                return true;
            }
            let gone = at > 0
                && self.same_line(at)
                && (self.is(at - 1, Cue::Lives)
                    || matches!(
                        self.before(at, 1),
                        "arrivee" | "depart" | "trajet" | "vol" | "train" | "quitte" | "quitter" | "quittant" | "visite" | "traverse"
                    ));
            let prep = if bare { matches!(self.before(at, 1), "a") && !self.upper(at) } else { direct || gone };
            let person = self.capital(end) && self.same_line(end);
            return !shouted && prep && !person && !number;
        }
        // "PAU", "DAX": three capitals may be anything.
        !(shouted && end == at + 1 && self.fold(at).len() <= 3 && !placed())
    }

    /// A postal code, a department, a letter's date or a verb of living says it is a place.
    fn strongly_placed(&self, at: usize, end: usize) -> bool {
        if self.department_at(end).is_some() || is!(self.key(end), "cedex") && self.same_line(end) {
            return true;
        }
        // "CH Joseph-Imbert, Arles", "12 rue des Lilas, Arles"
        let behind = matches!(self.before(at, 1), "," | "(" | "-" | "–") && at > 1 && self.ends_place(at - 2)
            || at > 0 && self.line_start(at) && self.ends_place(at - 1);
        if behind {
            return true;
        }
        let code = at > 0 && self.digits(at - 1).is_some_and(|d| d.count == 5) && self.same_line(at) && self.is_taken(at - 1);
        code || self.lived(at) && !self.cue_before(at, 3, Cue::Title) || self.letter_head(at).is_some_and(|(e, _, _)| e == end)
    }

    /// "né 14/08/1950 La Couronne": a place behind the day of birth.
    fn born(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1).filter(|b| self.same_line(at) && self.is_taken(*b)) else { return false };
        let end = self.token(before).map_or(0, |t| t.end as usize);
        self.found.iter().any(|s| s.end == end && s.label == Label::DateNaissance)
    }

    /// A street or a hospital ends with this token.
    pub(super) fn ends_place(&self, at: usize) -> bool {
        let Some(end) = self.token(at).filter(|_| self.is_taken(at)).map(|t| t.end as usize) else { return false };
        self.found.iter().any(|s| s.end == end && matches!(s.label, Label::Adresse | Label::Hopital))
    }

    /// "(35)" behind a name: the token of the number.
    fn department_at(&self, at: usize) -> Option<usize> {
        if !self.mark(at, "(") || !self.mark(at + 2, ")") || !self.same_line(at) {
            return None;
        }
        let fold = self.fold(at + 1);
        let known = match fold.len() {
            2 => matches!(fold, "2a" | "2b") || fold.parse::<u8>().is_ok_and(|d| (1..=95).contains(&d)),
            3 => fold.parse::<u16>().is_ok_and(|d| (971..=989).contains(&d)),
            5 => fold.parse::<u32>().is_ok_and(|d| (1000..98_900).contains(&d)),
            _ => false,
        };
        known.then_some(at + 1)
    }

    fn department(&mut self, at: usize) {
        if let Some(number) = self.department_at(at) {
            self.emit(number..number + 1, Label::Zip, "shape:department", 0.8);
        }
    }

    /// A verb or noun of living or going stands before the preposition.
    fn lived(&self, at: usize) -> bool {
        let mut index = at;
        let mut prep = false;
        for _ in 0..4 {
            if index == 0 || !self.near(index) {
                return false;
            }
            index -= 1;
            if self.is(index, Cue::Moves) && is!(self.key(at - 1), "a") {
                return true;
            }
            if self.is(index, Cue::SurelyLives) {
                return prep || self.same_line(at) && is!(self.key(index), "smur" | "samu" | "vsav" | "habite" | "habitant");
            }
            let word = self.key(index);
            if is!(word, "a" | "de" | "d" | "sur" | "vers" | "pres" | "du" | "au" | "aux" | "des") {
                prep = true;
            } else if !is!(word, "'" | "la" | "le" | "les" | "l" | "actuellement" | "seul" | "seule" | "toujours" | "-") {
                return false;
            }
        }
        false
    }

    /// Words that hyphens hold behind a name: "Montreuil" of "Montreuil-sur-Ille".
    pub fn hyphenated(&self, end: usize) -> usize {
        let mut last = end;
        let mut at = end;
        while (self.mark(at, "-") || self.mark(at, "'")) && self.glued(at) && self.glued(at + 1) && self.word(at + 1) {
            at += 2;
            // "Plouezoc'h" ends on its letter.
            if self.capital(at - 1) || is!(self.key(at - 1), "h") && self.mark(at - 2, "'") {
                last = at;
            }
        }
        last
    }

    /// A name that its form makes a place: "Saint-…", "…-sur-…", "… sur Loire".
    fn shaped_town(&self, at: usize) -> Option<(usize, &'static str, f32)> {
        let end = self.hyphenated(at + 1);
        let saint = is!(self.key(at), "saint" | "sainte" | "st" | "ste");
        let link = is!(self.key(at + 1), "sur" | "en" | "sous" | "les" | "lez") && self.capital(at + 1) == self.upper(at);
        let slash = is!(self.key(at + 1), "s") && self.mark(at + 2, "/");
        if end == at + 1 && !(saint || link || slash) {
            return None;
        }
        let title = at > 0 && self.is(at - 1, Cue::Title) && self.same_line(at);
        if title || self.medical_name(at) {
            return None;
        }
        let placed = self.placed(at);
        if end > at + 1 {
            if (at..end).any(|i| self.word(i) && self.fold(i).bytes().any(|b| b.is_ascii_digit())) {
                return None;
            }
            let inner = |words: &[&str]| (at + 1..end - 1).any(|i| words.contains(&self.fold(i)));
            let long = self.fold(at).len() > 2 && self.fold(end - 1).len() > 1;
            // "CORTICO-SOUS-CORTICALE" has capitals too.
            let plain = !self.upper(at) || placed || inner(&["sur", "les", "lez"]);
            let strong = inner(&["sur", "sous", "les", "lez", "en", "aux"]) && long && plain;
            let weak = inner(&["le", "la", "de", "du", "des", "d", "l", "et"]) && long && placed;
            if saint && self.same_line(at + 1) && !is!(self.key(at + 2), "sylvestre" | "valentin" | "guy" | "jude") || strong || weak {
                return Some((end, "shape:town-form", 0.8));
            }
            return None;
        }
        // "Villeneuve sur Yonne" without hyphens; rivers end such names.
        let river = if slash { at + 3 } else { at + 2 };
        if (link || slash)
            && self.is(river, Cue::River)
            && (self.capital(river)
                || is!(self.key(at + 1), "sur") && is!(self.key(river), "mer") && !crate::proper::known::explained(self.fold(at)))
            && self.same_line(river)
            && self.fold(at).len() > 3
            && !self.is(at, Cue::EndsName)
            && !self.is(at, Cue::Lives)
            && (placed || !self.upper(at))
        {
            return Some((river + 1, "shape:town-form", 0.7));
        }
        let ward =
            at > 0 && matches!(self.before(at, 1), "sau" | "urgences" | "smur" | "usinv" | "unv" | "rea" | "site") && self.same_line(at);
        let set = ward
            || (self.line_start(at) || at > 0 && matches!(self.before(at, 1), "-" | "–" | "(" | "|"))
                && (self.line_start(at + 2) || self.token(at + 2).is_none() || self.kind(at + 2) == Some(Kind::Mark));
        if saint
            && (placed || set || self.department_at(at + 2).is_some())
            && self.capital(at + 1)
            && self.same_line(at + 1)
            && !is!(self.key(at + 1), "guy" | "jude" | "georges")
        {
            return Some((self.by_the_sea(self.hyphenated(at + 2)), "shape:town-form", 0.7));
        }
        None
    }

    /// Words that a title opens end with this token.
    pub fn person_ends(&self, at: usize) -> bool {
        let mut index = at;
        for _ in 0..5 {
            if self.is(index, Cue::Title) {
                return index < at;
            }
            if index == 0 || self.line_start(index) || !(self.capital(index) || self.mark(index, ".") || self.mark(index, "-")) {
                return false;
            }
            index -= 1;
        }
        false
    }

    fn street_ends(&self, at: usize) -> bool {
        let Some(end) = self.token(at).filter(|_| self.is_taken(at)).map(|t| t.end as usize) else { return false };
        self.found.iter().any(|s| s.end == end && s.label == Label::Adresse)
    }

    fn placed(&self, at: usize) -> bool {
        let elided = || is!(self.key(at - 1), "'") && is!(self.key(at.wrapping_sub(2)), "d");
        at > 0 && self.near(at) && (self.is(at - 1, Cue::PlacePreposition) || elided()) || self.lived(at)
    }

    /// An unknown name behind "domicilié à", "SMUR de", or before "(35)".
    fn said_town(&self, at: usize) -> Option<(usize, &'static str, f32)> {
        let placed = self.placed(at);
        let opens = self.line_start(at) && !self.upper(at) && !self.is(at, Cue::AmountName) && self.fold(at).len() > 3;
        if !(placed || opens || is!(self.key(at.wrapping_sub(1)), "," | "a" | "(")) {
            return None;
        }
        let clinical = self.is(at, Cue::Hospital)
            || self.is(at, Cue::EndsName) && !self.is(at, Cue::Particle)
            || self.is(at, Cue::Title)
            || self.is(at, Cue::Score)
            || self.is(at, Cue::Country)
            || self.is(at, Cue::Month)
            || self.is(at, Cue::Weekday)
            || self.is(at, Cue::Street)
            || self.is(at, Cue::NumberWord) && self.is(at + 1, Cue::Unit)
            || is!(self.key(at + 1), "mois" | "semaines" | "ans");
        if clinical || self.fold(at).len() < 2 {
            return None;
        }
        let end = self.place_chain(at, 4);
        if self.department_at(end).is_some_and(|n| n == end + 1) && placed && !self.medical_name(at) {
            return Some((end, "shape:town-department", 0.8));
        }
        // "Brouzac (56)" opens a line.
        if opens && self.department_at(end).is_some_and(|n| n == end + 1) && !crate::proper::known::explained(self.fold(at)) {
            return Some((end, "shape:town-department", 0.7));
        }
        // "12 rue des Lilas, Kerbihan", "Les Bruyères à Kerbihan"
        let listed =
            at > 1 && self.mark(at - 1, ",") && self.street_ends(at - 2) && (self.line_start(end) || self.kind(end) == Some(Kind::Mark));
        if listed || at > 1 && is!(self.key(at - 1), "a") && self.street_ends(at - 2) {
            return Some((end, "shape:town-address", 0.8));
        }
        // "Dr Anne Dubreuil (Kerbihan)": where somebody is.
        let acronym = self.upper(at) && self.fold(at).len() < 6;
        let inside = !acronym
            && at > 1
            && self.mark(at - 1, "(")
            && self.mark(end, ")")
            && self.person_ends(at - 2)
            && !medical_ending(self.fold(end - 1));
        // "Sœur Mathilde (Kerbihan, 02 96 …)"
        let dialled = !acronym
            && at > 1
            && self.mark(at - 1, "(")
            && self.capital(at - 2)
            && self.mark(end, ",")
            && self.found.iter().any(|s| s.label == Label::Tel && self.token(end + 1).is_some_and(|t| s.start == t.start as usize))
            && !crate::proper::known::explained(self.fold(at));
        if inside || dialled {
            return Some((end, "shape:town-person", 0.6));
        }
        // "partie à Les Houches"
        let house = is!(self.key(at), "les") && !self.upper(at) && self.capital(at + 1) && self.same_line(at + 1) && placed;
        if house {
            return Some((end, "shape:town-said", 0.6));
        }
        let spelled = !self.upper(at) || self.upper(at.saturating_sub(1)) && self.fold(at).len() > 3;
        (spelled && self.lived(at)).then_some((self.place_chain(at, 2), "shape:town-said", 0.7))
    }

    /// Capital words with the particles between them.
    pub fn place_chain(&self, first: usize, words: usize) -> usize {
        let mut end = first;
        let mut at = first;
        let mut count = 0;
        while count < words && (at == first || self.same_line(at)) && !self.is_taken(at) {
            if at > first && self.column(at) {
                break;
            }
            match self.kind(at) {
                Some(Kind::Word) if self.capital(at) => {
                    let stops = self.is(at, Cue::Phone)
                        || self.is(at, Cue::Title)
                        || self.is(at, Cue::EndsName) && !self.is(at, Cue::Particle)
                        || is!(self.key(at), "cedex");
                    // "Brouzac en VSL"
                    let ridden = at > first && is!(self.key(at - 1), "en") && self.upper(at) && !self.upper(first) && !self.glued(at);
                    if at > first && stops && !self.glued(at) || ridden {
                        break;
                    }
                    end = at + 1;
                    count += 1;
                }
                Some(Kind::Word) if is!(self.key(at), "h") && self.glued(at) && self.mark(at - 1, "'") => end = at + 1,
                Some(Kind::Word) if self.is(at, Cue::Particle) && !is!(self.key(at), "a") && at > first => {}
                Some(Kind::Mark) if is!(self.key(at), "-" | "'") && self.glued(at) && self.glued(at + 1) => {}
                _ => break,
            }
            at += 1;
        }
        end
    }

    /// "Bron, le 3 mars 2024" at the head of a letter.
    fn letter_head(&self, at: usize) -> Option<(usize, &'static str, f32)> {
        if !(self.line_start(at) || self.column(at))
            || self.is(at, Cue::EndsName) && !self.is(at, Cue::Particle)
            || self.is(at, Cue::BeforeDay)
            || self.is(at, Cue::Title)
            || self.is(at, Cue::Hospital)
            || self.is(at, Cue::Weekday)
        {
            return None;
        }
        let end = self.place_chain(at, 4);
        let comma = usize::from(self.mark(end, ","));
        let article = usize::from(is!(self.key(end + comma), "le"));
        if end == at || comma + article == 0 || !self.same_line(end) || !self.same_line(end + comma) {
            return None;
        }
        let known = || self.knowledge.towns.longest(self.text, at).is_some_and(|(e, _)| e == end);
        if comma + article == 1 && !known() {
            return None;
        }
        let start = self.token(end + comma + article)?.start as usize;
        let date =
            self.found.iter().any(|s| matches!(s.label, Label::Date | Label::DateNaissance) && s.start == start && s.end - s.start > 4);
        date.then_some((end, "shape:letter-head", 0.85))
    }
}

/// "unv rennes", "neurochir lyon": a ward that its town tells apart.
fn ward(word: &str) -> bool {
    matches!(word, "unv" | "usinv" | "sau" | "neurochir" | "neurochirurgie" | "nrx" | "urgences" | "rea" | "teleavc" | "regulation")
}

/// A speciality, not a place: "(Neurologue)", "(Cardiologie)".
fn medical_ending(word: &str) -> bool {
    ["logue", "logie", "iste", "cien", "gien", "ienne", "trie", "eur", "ateur", "ique", "ant", "ante", "ier", "iere", "ecin"]
        .iter()
        .any(|e| word.ends_with(e))
}
