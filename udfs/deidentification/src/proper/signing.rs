//! Where people sign, agree, take over or are told of: letters there are somebody's,
//! whatever else every ward reads in them ("Manip ; TD", "d'accord (AL)", "faute de
//! frappe de PA"), and so are the small letters of who typed and the single letters of
//! who was called.

use rustc_hash::FxHashSet;

use sillage_clinical::is;

use super::{Proper, known};
use crate::Label;
use crate::name::initials::reviewed;
use crate::name::knowledge::{role, word};
use crate::name::page::look;
use crate::name::slot::{vital, writing};

/// Detector of letters whose place says more than they do.
const SLOT: &str = "context:slot-signature";

impl Proper<'_, '_> {
    /// Reads the letters of such places.
    pub(super) fn signings(&mut self) {
        let mut looked_for = FxHashSet::default();
        for at in 0..self.page.len() {
            if !self.page.has(at, look::SINGLE | look::LOWER | look::CAPITAL) {
                continue;
            }
            if self.covered(at) {
                if self.label(at) == Some(Label::Nom) && self.short_name(at, true) && looked_for.insert(self.source(at)) {
                    self.again(at);
                }
                continue;
            }
            if self.page.has(at, look::SINGLE) {
                self.single_letter(at);
            } else if self.page.has(at, look::LOWER) {
                if matches!(self.fold(at).len(), 2 | 3)
                    && (self.typed_pair(at) || (self.typed_by(at) || self.typed_beside(at)) && self.small_letters(at))
                {
                    self.emit(at..at + 1, Label::Nom, SLOT, 0.4);
                }
            } else if self.short_name(at, false) {
                if looked_for.insert(self.source(at)) {
                    self.again(at);
                }
                self.emit(at..at + 1, Label::Nom, SLOT, 0.4);
            } else if self.unknown(at) && self.celled(at) {
                // "IDE ; KERVRAN ; AS ; TRELLU"
                let end = self.held(at);
                self.emit(at..end, Label::Nom, "proper:entry", 0.4);
            } else if self.signing_letters(at)
                && (self.agreed(at)
                    || self.celled(at)
                    || self.takes_over(at)
                    || self.mistaken(at)
                    || self.done_by(at)
                    || self.closes_in_brackets(at))
            {
                self.emit(at..at + 1, Label::Nom, SLOT, 0.4);
            }
        }
    }

    /// Two or three capitals that name no trade, no ward and no answer.
    fn signing_letters(&self, at: usize) -> bool {
        if self.page.has(at, look::IN_CAPITALS) || !self.capital_letters(at) {
            return false;
        }
        let fold = self.fold(at);
        let cue = self.page.cues[at].is_some_and(|c| c.roles & (role::FUNCTION | role::TITLE | role::COPY) != 0);
        let known = if fold.len() == 2 {
            answers(fold) || known::ward(fold)
        } else {
            self.page.has(at, word::ACRONYM | word::COMMON | look::CLINICAL) || known::lettered(fold) || self.explained(at)
        };
        !cue && !known
    }

    /// Nothing of the sentence follows: the line, the bracket or the item ends, or a day stands there.
    fn ends_item(&self, at: usize) -> bool {
        self.closed(at) || is!(self.key(at), ")" | "]" | "," | ";" | "." | "|") || matches!(self.label(at), Some(Label::Date | Label::Tel))
    }

    /// "interne Pic.": behind a trade a short word with one capital is a name, whatever it
    /// abbreviates in capitals.
    fn short_name(&self, at: usize, found: bool) -> bool {
        let fold = self.fold(at);
        let written = self.page.has(at, look::CAPITAL)
            && (3..=4).contains(&fold.len())
            && !self.page.has(at, look::UPPER | look::OPENS | word::COMMON | look::SEEN_LOWER)
            && self.page.cues[at].is_none();
        if !written {
            return false;
        }
        let trade = at > 0
            && self.page.same_line(at)
            && is!(
                self.key(at - 1),
                "interne"
                    | "externe"
                    | "senior"
                    | "ide"
                    | "infirmier"
                    | "infirmiere"
                    | "neurologue"
                    | "radiologue"
                    | "urgentiste"
                    | "anesthesiste"
                    | "reanimateur"
                    | "neurochirurgien"
                    | "cardiologue"
                    | "cadre"
                    | "manip"
                    | "kine"
                    | "avec"
            );
        if !trade {
            return false;
        }
        let avec = self.before(at, 1) == "avec" && !self.page.has(at, word::ANY_NAME);
        let ends = self.ends_item(at + 1) || is!(self.key(at + 1), "au" | "a" | "et" | "qui" | "le" | "poste" | "dect" | "bip");
        let abbreviated =
            found || self.page.has(at, word::ACRONYM | look::CLINICAL) || known::lettered(fold) || self.page.has(at, word::ANY_NAME);
        // "interne Uro.", "interne Med"
        let ward = || known::cut_word(fold) || known::heading(fold) || field(fold);
        !avec && ends && abbreviated && !ward()
    }

    /// The same word again with its capital, in brackets or behind a trade.
    fn again(&mut self, first: usize) {
        let source = self.source(first);
        for at in 1..self.page.len() {
            if at == first || self.source(at) != source {
                continue;
            }
            let bracket = is!(self.key(at - 1), "(") && is!(self.key(at + 1), ")" | ",");
            let asked = is!(self.key(at - 1), "avec" | "par" | "interne" | "dr" | "senior");
            if bracket || asked && self.page.same_line(at) {
                self.emit(at..at + 1, Label::Nom, SLOT, 0.4);
            }
        }
    }

    /// "d'accord (AL)", "(accord LD)", "Vue AG 12/03": behind what somebody agrees to or has seen.
    fn agreed(&self, at: usize) -> bool {
        let bracket = usize::from(self.before(at, 1) == "(" && is!(self.key(at + 1), ")"));
        let Some(said) = at.checked_sub(1 + bracket).filter(|_| self.page.same_line(at)) else { return false };
        let word = self.fold(said);
        let accord = matches!(word, "accord" | "aval" | "daccord") || word == "vert" && self.before(said, 1) == "feu";
        if bracket == 1 {
            return accord || reviewed(word) || matches!(word, "avis" | "ok" | "valide" | "validee" | "entendu" | "confirme");
        }
        // "vu CR 14/05": a thing may be read as well.
        let read = is!(self.key(at), "co" | "ro" | "rx" | "bh" | "bu" | "hb" | "pl" | "dt" | "ta" | "pa" | "fc" | "fr" | "ec");
        let seen = self.fold(at).len() == 2 && !read;
        let dated = usize::from(is!(self.key(at + 1), "le"));
        let day = self.label(at + 1 + dated) == Some(Label::Date) || is!(self.key(at + 1), "ce") && self.fold(at + 2).len() > 3;
        // "Vu ce jour BC"
        let first = self.page.line_start(at);
        let today = at > first + 1
            && at < first + 5
            && reviewed(self.fold(first))
            && (first + 1..at).all(|i| self.number(i) || is!(self.key(i), "ce" | "jour" | "matin" | "soir" | "a" | "h" | "le" | ":"))
            && self.ends_item(at + 1);
        accord && (self.ends_item(at + 1) || is!(self.key(at + 1), "(")) && !vital(self.page, at)
            || seen && (reviewed(word) && day || today)
    }

    /// "Manip ; TD", "Saisie<tab>PA": the cell behind a trade in a table that was taken out of its lines.
    fn celled(&self, at: usize) -> bool {
        let mark = usize::from(at > 0 && is!(self.key(at - 1), ";" | "|"));
        let parted = mark == 1 || at > 0 && self.tabbed(at);
        if !parted || !self.page.same_line(at) || vital(self.page, at) || !(self.closed(at + 1) || is!(self.key(at + 1), ";" | "|")) {
            return false;
        }
        let end = at - mark;
        (1..4).filter_map(|back| end.checked_sub(back)).any(|cue| {
            let opens = cue == 0 || !self.page.same_line(cue) || self.tabbed(cue) || is!(self.key(cue - 1), ";" | "|" | "-" | "–");
            opens && self.page.cues[cue].is_some_and(|c| c.end == end && c.roles & (role::FUNCTION | role::TYPIST) != 0)
        })
    }

    fn tabbed(&self, at: usize) -> bool {
        let (last, token) = (&self.page.text.tokens[at - 1], &self.page.text.tokens[at]);
        self.page.text.original[last.end as usize..token.start as usize].contains('\t')
    }

    /// "IDE KERBRAT, puis nuit VD": who comes next, in a line of those who are there.
    fn takes_over(&self, at: usize) -> bool {
        let shift = matches!(self.before(at, 1), "nuit" | "jour" | "matin" | "soir" | "apm" | "aprem" | "garde");
        let parted = matches!(self.before(at, 2), "puis" | "," | "/" | ";" | "(" | "+" | "&" | "et" | "-");
        if !shift || !parted || known::heading(self.fold(at)) || !self.ends_item(at + 1) && !is!(self.key(at + 1), "/" | "+" | "puis") {
            return false;
        }
        let start = self.page.line_start(at).max(at.saturating_sub(14));
        (start..at - 2).any(|i| self.label(i) == Some(Label::Nom))
    }

    /// "constantes prises par LM à 8h": two letters that stand for nothing behind "par".
    fn done_by(&self, at: usize) -> bool {
        let ends = self.ends_item(at + 1) || is!(self.key(at + 1), "a" | "le" | "ce" | "et" | "puis" | "avec");
        let verb = self.before(at, 2).ends_with(['e', 's', 't']);
        self.before(at, 1) == "par"
            && self.page.same_line(at)
            && ends
            && verb
            && self.fold(at).len() == 2
            && !known::lettered(self.fold(at))
    }

    /// "faute de frappe de PA", "mot de TC": whose writing it is.
    fn mistaken(&self, at: usize) -> bool {
        if !matches!(self.before(at, 1), "de" | "par") || !self.page.same_line(at) {
            return false;
        }
        let near = |back: usize, words: &[&str]| words.contains(&self.before(at, back));
        let mistake = (3..6).any(|back| near(back, &["erreur", "erreurs", "faute", "fautes", "oubli", "coquille", "inversion"]));
        let wrote = near(
            2,
            &["saisie", "frappe", "transcription", "retranscription", "recopie", "copie", "dictee", "lecture", "cotation", "report"],
        );
        let told = near(2, &["note", "courrier", "dictee", "consigne", "consignes", "transmission", "transmissions", "ecriture"])
            && !known::lettered(self.fold(at));
        wrote && mistake || (told || near(2, &["mot", "paraphe", "initiales"])) && self.source(at).len() == 2
    }

    /// "famille reçue (AL)." at the end of a line: two letters that stand for nothing, of no word before.
    fn closes_in_brackets(&self, at: usize) -> bool {
        let closes = is!(self.key(at + 1), ")") && (self.closed(at + 2) || is!(self.key(at + 2), ".") && self.closed(at + 3));
        let bracket = at > 1 && is!(self.key(at - 1), "(") && self.page.same_line(at - 1) && closes;
        bracket
            && self.fold(at).len() == 2
            && !known::lettered(self.fold(at))
            && !known::heading(self.fold(at))
            && self.page.has(at - 2, look::LOWER)
            && !self.defines(at)
            && !self.spelled_out(at)
    }

    /// Two or three small letters that are no word.
    fn small_letters(&self, at: usize) -> bool {
        let fold = self.fold(at);
        let vowels = || fold.contains(['a', 'e', 'i', 'o', 'u', 'y']);
        matches!(fold.len(), 2 | 3)
            && self.source(at).bytes().all(|b| b.is_ascii_lowercase())
            && self.page.same_line(at)
            && !self.page.has(at, word::PARTICLE | word::COMMON | word::QUALIFIER | look::CLINICAL | look::CUE)
            && !matches!(fold, "ml" | "dl" | "kg" | "mg" | "mm" | "cm" | "ok" | "moi" | "lui" | "sur" | "ici" | "ras" | "sos")
            && (fold.len() == 2 || !known::lettered(fold) && !known::cut_word(fold) && (!vowels() || !self.explained(at)))
    }

    /// "tapé PF:kg": the second of a pair whose first is somebody's.
    fn typed_pair(&self, at: usize) -> bool {
        at > 2
            && is!(self.key(at - 1), ":" | "/")
            && matches!(self.fold(at).len(), 2 | 3)
            && self.source(at).bytes().all(|b| b.is_ascii_lowercase())
            && self.page.glued(at)
            && self.page.glued(at - 1)
            && self.label(at - 2) == Some(Label::Nom)
            && self.capital_letters(at - 2)
            && writing(self.fold(at - 3))
            && self.closed(at + 1)
    }

    /// "relecture rapide par nrt": behind "par" and a writing.
    fn typed_by(&self, at: usize) -> bool {
        let ends = || self.ends_item(at + 1) || is!(self.key(at + 1), "le" | "-" | "–" | "poste");
        at > 0
            && is!(self.key(at - 1), "par")
            && ends()
            && (2..5).take_while(|back| at >= *back && !matches!(self.before(at, *back), "." | ";" | ",")).any(|back| {
                let fold = self.before(at, back);
                writing(fold) || matches!(fold, "transcription" | "dactylographie" | "correction" | "forme" | "mise" | "dactylographiee")
            })
    }

    /// "frappe rb poste 4471", "secrétariat tdl ;": behind the place where one types.
    fn typed_beside(&self, at: usize) -> bool {
        let colon = usize::from(at > 0 && is!(self.key(at - 1), ":"));
        let Some(before) = at.checked_sub(1 + colon) else { return false };
        let typed = is!(
            self.key(before),
            "frappe" | "frappee" | "tape" | "tapee" | "saisie" | "dactylo" | "secretariat" | "secretaire" | "secr" | "transcription"
        );
        let called = is!(self.key(at + 1), "poste" | "tel" | "dect" | "-" | "–" | "/");
        typed && (self.ends_item(at + 1) || called && self.page.same_line(at + 1))
    }

    /// "K.-R., 62 ans": letters with dots up to an age.
    fn aged(&self, first: usize) -> bool {
        let end = (first..first + 6).find(|i| is!(self.key(*i), ",")).unwrap_or(first);
        end > first && self.number(end + 1) && is!(self.key(end + 2), "ans" | "a")
    }

    /// One letter with its dot, or the two of a compound.
    fn single_letter(&mut self, at: usize) {
        let dotted = |i: usize| self.page.has(i, look::SINGLE) && is!(self.key(i + 1), ".") && self.page.glued(i + 1);
        if !dotted(at) || !self.source(at).is_ascii() {
            return;
        }
        let next = at + 2;
        // "L.-A. K.-R., 62 ans"
        let second = next + 1;
        let compound = is!(self.key(next), "-") && self.page.glued(next) && self.page.glued(second) && dotted(second);
        let family = second + 2;
        let named = matches!(self.label(family), Some(Label::Nom | Label::Prenom)) || dotted(family) && self.aged(family);
        if compound && self.page.same_line(family) && named {
            let end = if self.covered(second) { next } else { family };
            self.emit(at..end, Label::Prenom, "proper:person", 0.5);
            if self.aged(family) && !self.covered(family) {
                self.emit(family..family + 1, Label::Nom, "proper:person", 0.5);
            }
            return;
        }
        if at == 0 || !self.page.same_line(at) {
            return;
        }
        // "Interne appelé (T., bip 4471)"
        let phone = |i: usize| {
            self.page.same_line(i)
                && (is!(self.key(i), "bip" | "dect" | "poste" | "tel" | "interne" | "senior") || self.label(i) == Some(Label::Tel))
        };
        if is!(self.key(at - 1), "(") && is!(self.key(next), ",") && phone(next + 1) {
            self.emit(at..next, Label::Nom, SLOT, 0.4);
            return;
        }
        // "Patient ; KERBRAT ; C. ; 66 ans"
        let cell = |i: usize| is!(self.key(i), ";" | "|") && self.page.same_line(i);
        let behind =
            cell(at - 1) && at > 1 && self.label(at - 2) == Some(Label::Nom) || self.tabbed(at) && self.label(at - 1) == Some(Label::Nom);
        if behind && (cell(next) || self.closed(next)) {
            self.emit(at..next, Label::Prenom, "proper:given", 0.5);
        }
    }
}

/// A field of medicine cut short.
fn field(fold: &str) -> bool {
    matches!(
        fold,
        "orl"
            | "mpr"
            | "uro"
            | "hemo"
            | "onco"
            | "gyne"
            | "psy"
            | "nuc"
            | "nri"
            | "nch"
            | "neph"
            | "pneu"
            | "endo"
            | "derm"
            | "chir"
            | "pedi"
            | "trau"
            | "viro"
            | "bact"
            | "nuit"
            | "jour"
            | "bloc"
            | "samu"
            | "smur"
            | "unv"
            | "usi"
            | "usc"
            | "sau"
            | "irm"
            | "tdm"
    )
}

/// Letters that answer or name a ward, a paper, a way of giving, not a person.
fn answers(fold: &str) -> bool {
    matches!(
        fold,
        "ok" | "nd"
            | "nc"
            | "na"
            | "np"
            | "nr"
            | "ne"
            | "no"
            | "iv"
            | "sc"
            | "im"
            | "po"
            | "vo"
            | "cr"
            | "cs"
            | "ct"
            | "mt"
            | "ph"
            | "mg"
            | "rx"
            | "ss"
            | "ch"
            | "uf"
            | "us"
            | "si"
            | "hs"
            | "tt"
            | "as"
            | "am"
            | "pm"
            | "et"
            | "le"
            | "jo"
    )
}
