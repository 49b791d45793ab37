//! What the other readers of numbers leave: codes parted by slashes, internal numbers
//! behind a ward or a trade, letters and figures beside a word that asks for a number.

use sillage_clinical::is;

use super::gazetteer::Cue;
use super::reader::Reader;
use crate::Label;

impl Reader<'_, '_> {
    /// Reads what no other reader of numbers took.
    pub fn leftovers(&mut self) {
        for at in 0..self.len() {
            if !(self.figured(at) || self.joined(at)) || self.is_taken(at) || self.tail(at) {
                continue;
            }
            if let Some(end) = self.numbered_thing(at).or_else(|| self.lettered_number(at)) {
                self.emit(at..end, Label::Id, "shape:code", 0.5);
            } else if let Some(end) = self.slashed_code(at) {
                self.emit(at..end, Label::Id, "shape:code", 0.6);
            } else if let Some(end) = self.ward_number(at) {
                self.emit(at..end, Label::Tel, "shape:extension", 0.6);
                self.further_numbers(end);
            }
        }
    }

    /// "casier 4471", "bon de transport 44712", "équipage 12-447", "patient B4471": the number of
    /// what a house counts.
    fn numbered_thing(&self, at: usize) -> Option<usize> {
        if at == 0 || !self.same_line(at) || self.glued(at) {
            return None;
        }
        let mut p = at - 1;
        while p > 0
            && at - p < 4
            && self.same_line(p)
            && is!(self.key(p), ":" | "°" | "n" | "no" | "numero" | "num" | "transport" | "de" | "vsl")
            && !counts(self.fold(p))
        {
            p -= 1;
        }
        let thing = counts(self.fold(p));
        if !(thing || is!(self.key(p), "patient" | "patiente" | "anonymat" | "sujet")) || self.measured(at) {
            return None;
        }
        let end = self.chain(at, &["-", "/"]);
        let source = self.source(at..end);
        let figures = source.bytes().filter(u8::is_ascii_digit).count();
        let letters = source.bytes().filter(u8::is_ascii_uppercase).count();
        let plain = source.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || matches!(b, b'-' | b'/'));
        let year = self.digits(at).is_some_and(|d| d.count == 4 && (1900..2100).contains(&d.value)) && end == at + 1;
        let amount = self.same_line(end)
            && (self.is(end, Cue::Unit) || self.mark(end, "%") || self.mark(end, ",") && self.glued(end) && self.glued(end + 1));
        let clock = self.fold(at).split_once('h').is_some_and(|(h, m)| h.len() < 3 && m.bytes().all(|b| b.is_ascii_digit()));
        let dated = clock || self.date_here(at).is_some();
        let person = is!(self.key(p), "patient" | "patiente" | "anonymat" | "sujet") && letters > 0;
        let enough = figures >= 4 || (letters > 0 || end > at + 1) && figures >= 3 || person && figures >= 2 && end > at + 1;
        (plain && enough && letters < 6 && !year && !amount && !dated && (thing || person) && self.free(at..end)).then_some(end)
    }

    /// "KERB4471", "VRK047", "447123-K": letters and figures in one that code nothing of medicine.
    fn lettered_number(&self, at: usize) -> Option<usize> {
        let source = self.source(at..at + 1);
        let letters = source.bytes().take_while(u8::is_ascii_uppercase).count();
        let figures = source.len() - letters;
        let enough = matches!(letters, 3..=6) && matches!(figures, 3..=6) || letters == 2 && matches!(figures, 4..=6);
        if !enough {
            return None;
        }
        let written = source.bytes().skip(letters).all(|b| b.is_ascii_digit())
            && !self.glued(at)
            && !self.glued(at + 1) | self.mark(at + 1, ",") | self.mark(at + 1, ".") | self.mark(at + 1, ")");
        // "EBNF002" is an act, "Z8671" a disease.
        let act = letters == 4 && figures == 3;
        let thing = || crate::proper::known::explained(&self.fold(at)[..letters.min(self.fold(at).len())]);
        (written && !act && !thing() && !self.measured(at)).then_some(at + 1)
    }

    /// "TX/24/7741", "24-B/00417": letters and figures that marks join.
    fn slashed_code(&self, at: usize) -> Option<usize> {
        if !self.joined(at) {
            return None;
        }
        let led = at > 0 && self.glued(at) && matches!(self.before(at, 1), "/" | "-" | "_" | ".") && self.glued(at - 1);
        let end = self.chain(at, &["-", "_", "/"]);
        if led || end < at + 3 || !self.free(at..end) {
            return None;
        }
        let source = self.source(at..end);
        if !source.contains('/') {
            return None;
        }
        let parts: Vec<usize> = (at..end).step_by(2).collect();
        let figures = source.bytes().filter(u8::is_ascii_digit).count();
        let letters = source.bytes().filter(u8::is_ascii_uppercase).count();
        let plain = source.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || matches!(b, b'/' | b'-' | b'_'));
        let known = parts.iter().any(|p| {
            self.is(*p, Cue::Vital)
                || self.is(*p, Cue::Score)
                || self.is(*p, Cue::AmountName)
                || self.is(*p, Cue::Unit)
                || self.date_here(*p).is_some()
        });
        let long = parts.iter().any(|p| self.digits(*p).is_some_and(|d| d.count >= 3));
        let told = parts.len() > 2 && long || parts.iter().any(|p| self.digits(*p).is_some_and(|d| d.count >= 5));
        let units = self.same_line(end) && (self.is(end, Cue::Unit) || self.mark(end, "%"));
        (plain && letters > 0 && letters < 6 && figures >= 4 && told && !known && !units && !self.measured(at)).then_some(end)
    }

    /// "BLOC 68 314", "garde neuro 4471", "IRM : 62 41": a few figures at the end behind a ward.
    fn ward_number(&self, at: usize) -> Option<usize> {
        let first = self.digits(at)?;
        // "REA KERDONVAL (6134)", "4471 neuro de garde"
        let four = || matches!(first.count, 4 | 5) && !(1900..2100).contains(&first.value) && first.value > 0 && !self.measured(at);
        let named = at > 2
            && self.mark(at - 1, "(")
            && four()
            && self.glued(at)
            && self.mark(at + 1, ")")
            && self.same_line(at)
            && (called(self.before(at, 2))
                || self.capital(at - 2)
                    && !crate::proper::known::explained(self.before(at, 2))
                    && self.fold(at - 2).len() > 3
                    && !self.is(at - 2, Cue::AmountName));
        let opens = self.line_start(at) || is!(self.key(at - 1), "." | ";" | "(" | "→" | "-" | ":");
        let led = opens
            && !self.glued(at)
            && four()
            && self.same_line(at + 1)
            && (1..3).all(|i| ward(self.fold(at + i)) || is!(self.key(at + i), "de"));
        if named || led {
            return Some(at + 1);
        }
        if !self.same_line(at) || at == 0 || self.glued(at) {
            return None;
        }
        let mut end = at + 1;
        let mut groups = [first.count, 0, 0];
        while self.same_line(end) && end < at + 3 && !self.column(end) && !self.glued(end) {
            let Some(digits) = self.digits(end).filter(|_| !self.is_taken(end)) else { break };
            groups[end - at] = digits.count;
            end += 1;
        }
        let groups = &groups[..end - at];
        if !matches!(groups, [4 | 5] | [2, 2 | 3] | [3, 2] | [1, 4] | [2, 2, 2] | [1, 2, 2]) {
            return None;
        }
        let called_before = (1..5).any(|back| at >= back && calls(self.before(at, back))) || self.reached_at(at);
        let usual = called_before || !matches!(groups, [1, 2, 2]);
        let year = groups.len() == 1 && first.count == 4 && (1900..2100).contains(&first.value);
        let closes = self.token(end).is_none()
            || self.line_start(end)
            || self.column(end)
            || called_before
                && is!(
                    self.key(end),
                    "si" | "pour" | "en" | "avant" | "apres" | "des" | "au" | "a" | "le" | "la" | "ou" | "et" | "qui" | "par"
                )
            || self.mark(end, "-") && !self.glued(end) && (groups.len() > 1 || first.value > 2359 || first.value % 100 > 59)
            || (called_before || called(self.before(at, 1))) && self.mark(end, ":")
            || (called_before || groups.len() > 1 && self.mark(at - 1, ":")) && self.mark(end, "(")
            || is!(self.key(end), ")" | ";" | "/" | "|" | "." | ",") && !(self.glued(end + 1) && self.digits(end + 1).is_some());
        if !usual || year || !closes || self.measured(at) || first.value == 0 && groups.len() == 1 {
            return None;
        }
        let mut p = at;
        while p > 0 && self.same_line(p) && is!(self.key(p - 1), ":" | "au" | "le" | "=" | "→" | ">" | "°" | "n" | "(") && at - p < 3 {
            p -= 1;
        }
        if p == 0 || !self.same_line(p) {
            return None;
        }
        let near = ward(self.fold(p - 1));
        // "garde neuro 4471", "interne de neuro 4471"
        // "Réa prévenue 88231", "MAR contacté : 4471"
        let told = !near
            && p > 1
            && self.same_line(p - 1)
            && called(self.fold(p - 1))
            && (ward(self.before(p, 2))
                || matches!(self.before(p, 2), "mar" | "neurochir" | "neuroradio" | "radio" | "anesthesie" | "samu"));
        let far = told
            || !near && p > 1 && self.same_line(p - 1) && self.word(p - 1) && staff(self.before(p, 2)) && !self.is(p - 1, Cue::AmountName);
        let single = groups.len() == 1;
        let dated = matches!(groups, [2, 2]) && self.digits(at + 1).is_some_and(|d| d.value < 13) && first.value < 32;
        // "appelle à 14 30"
        let hour = matches!(groups, [2, 2]) && self.before(at, 1) == "a" && first.value < 24;
        if called_before && (dated || hour) {
            return None;
        }
        (near && (single || !counted(self.fold(p - 1))) || far && single || called_before).then_some(end)
    }

    /// "communiqué à 16h au", "que j'ai eu hier au": somebody was spoken to at the number.
    fn reached_at(&self, at: usize) -> bool {
        let reached = |back: usize| {
            let word = self.before(at, back);
            if calls(word) {
                return true;
            }
            let verb = word.strip_suffix("es").or(word.strip_suffix(['e', 's'])).unwrap_or(word);
            called(word) || matches!(verb, "transmi" | "transmis" | "communiqu" | "eu" | "demand")
        };
        let led = self.before(at, 1) == "au" || self.before(at, 1) == "le" && self.before(at, 2) == "sur";
        led && (2..9).take_while(|back| at >= *back && self.same_line(at + 1 - back)).any(reached)
    }
}

/// What is done with a number.
fn calls(word: &str) -> bool {
    matches!(
        word,
        "appeler"
            | "rappeler"
            | "joindre"
            | "joignable"
            | "appelez"
            | "rappelez"
            | "biper"
            | "bipez"
            | "contacter"
            | "appelle"
            | "rappelle"
            | "contacte"
            | "contactez"
            | "joignez"
            | "bipe"
    )
}

/// What a house keeps, writes or sends by a number.
fn counts(word: &str) -> bool {
    matches!(
        word,
        "casier"
            | "vestiaire"
            | "coffre"
            | "facture"
            | "ordonnance"
            | "bon"
            | "demande"
            | "vehicule"
            | "equipage"
            | "mdph"
            | "sac"
            | "enveloppe"
            | "fiche"
            | "carte"
            | "contrat"
            | "mutuelle"
            | "adherent"
            | "allocataire"
            | "convocation"
            | "inventaire"
            | "scelle"
            | "recu"
            | "commande"
            | "intervention"
            | "mission"
            | "etiquette"
            | "inclusion"
            | "randomisation"
            | "anonymat"
            | "placard"
            | "cles"
            | "portail"
            | "interphone"
    )
}

/// Somebody was called.
pub(super) fn called(word: &str) -> bool {
    matches!(word.trim_end_matches(['e', 's']), "prevenu" | "joint" | "appel" | "rappel" | "contact" | "averti" | "bip")
        || matches!(word, "avise" | "avisee" | "avises")
}

/// Wards and people that an internal number follows.
fn ward(word: &str) -> bool {
    staff(word)
        || matches!(
            word,
            "bloc"
                | "secretariat"
                | "secr"
                | "usinv"
                | "unv"
                | "nv"
                | "usi"
                | "usc"
                | "rea"
                | "urgences"
                | "sau"
                | "uhcd"
                | "imagerie"
                | "irm"
                | "scanner"
                | "tdm"
                | "neuro"
                | "neurologie"
                | "nri"
                | "cardio"
                | "labo"
                | "laboratoire"
                | "pharmacie"
                | "accueil"
                | "standard"
                | "regulation"
                | "dechocage"
                | "radiologie"
        )
}

/// Who carries an internal telephone.
pub(super) fn staff(word: &str) -> bool {
    matches!(
        word,
        "garde"
            | "astreinte"
            | "med"
            | "medecin"
            | "urgentiste"
            | "reanimateur"
            | "neurochirurgien"
            | "chirurgien"
            | "infirmier"
            | "infirmiere"
            | "iade"
            | "ibode"
            | "ash"
            | "pharmacien"
            | "pharmacienne"
            | "secretaire"
            | "coordinatrice"
            | "coordinateur"
            | "psychologue"
            | "psy"
            | "ergo"
            | "ergotherapeute"
            | "dieteticien"
            | "dieteticienne"
            | "kinesitherapeute"
            | "interne"
            | "senior"
            | "cadre"
            | "ide"
            | "iao"
            | "ioa"
            | "anesthesiste"
            | "neurologue"
            | "radiologue"
            | "cardiologue"
            | "externe"
            | "brancardage"
            | "brancardiers"
            | "manip"
            | "orthophoniste"
            | "kine"
            | "aide-soignante"
            | "assistante"
    )
}

/// Wards whose patients and pictures are counted as well.
fn counted(word: &str) -> bool {
    matches!(word, "irm" | "scanner" | "tdm" | "labo" | "urgences" | "rea")
}
