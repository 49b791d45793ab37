//! People: the other half of a name, a pair of names, who writes a note, accounts.

use sillage_clinical::is;

use super::{Proper, known};
use crate::Label;
use crate::calendar::weekday;
use crate::name::knowledge::{likely_common, role, word};
use crate::name::page::look;

/// A given name cut short has at most so many letters.
const CUT: usize = 5;

impl Proper<'_, '_> {
    /// "nuit Jo. TANGUY", "Marie-Cl. LEROUX", "M-Claude LEROUX": given names cut short
    /// before names that are found.
    pub(super) fn cut_given_names(&mut self) {
        for at in 2..self.page.len() {
            if !self.page.has(at, look::CAPITAL) && !matches!(self.label(at), Some(Label::Nom | Label::Prenom)) {
                continue;
            }
            // "Anne-Flo" where Anne is found.
            let half = is!(self.key(at - 1), "-") && self.page.glued(at - 1) && self.page.glued(at) && !self.covered(at);
            let first = self.label(at - 2) == Some(Label::Prenom) && self.page.has(at - 2, word::ANY_GIVEN);
            if half && first && self.cut_half(at) {
                self.emit(at..at + 1, Label::Prenom, "proper:given", 0.5);
                continue;
            }
            let name = self.label(at) == Some(Label::Nom) || self.label(at) == Some(Label::Prenom) && self.page.has(at, look::UPPER);
            if !name || !self.page.same_line(at) || self.page.glued(at) || self.covered(at - 1) {
                continue;
            }
            let dotted = is!(self.key(at - 1), ".") && self.page.glued(at - 1);
            let last = if dotted { at - 2 } else { at - 1 };
            let written = |at: usize| self.page.has(at, look::CAPITAL | look::SINGLE) && !self.covered(at);
            let hyphened =
                last > 1 && is!(self.key(last - 1), "-") && self.page.glued(last - 1) && self.page.glued(last) && written(last - 2);
            let short = |at: usize, most: usize| self.fold(at).chars().count() <= most;
            let fits = if hyphened {
                dotted && short(last, CUT) || short(last - 2, 2) && self.page.has(last, word::ANY_GIVEN)
            } else {
                dotted && short(last, CUT) && !self.page.has(last, look::UPPER) && !self.no_given_name(last)
            };
            if fits && written(last) {
                self.emit(last - if hyphened { 2 } else { 0 }..at, Label::Prenom, "proper:person", 0.5);
            }
        }
    }

    /// "CH 9, KERBRAT MARIE-LINE": in a line of capitals an unknown word before a given name
    /// that is found.
    pub(super) fn before_given_names(&mut self) {
        for at in 0..self.page.len().saturating_sub(1) {
            let given = at + 1;
            if self.label(given) != Some(Label::Prenom) || !self.page.has(at, look::UPPER) || !self.unknown(at) {
                continue;
            }
            let opens = at == 0 || !self.page.same_line(at) || is!(self.key(at - 1), "," | ":" | "(" | "/" | ";" | "." | "-" | "–");
            let name = self.fold(at).len() > 3 && self.page.pronounceable(at..given);
            let found = self.page.same_line(given) && self.page.has(given, look::UPPER) && self.fold(given).len() > 3;
            if opens && name && found && !self.column(given) && !self.of_medicine(at, 2) {
                self.emit(at..given, Label::Nom, "proper:person", 0.5);
            }
        }
    }

    /// A title, a trade, a word cut short that is no given name: "Int. DUPONT".
    fn no_given_name(&self, at: usize) -> bool {
        self.page.title(at).is_some()
            || self.page.cues[at].is_some()
            || known::heading(&self.key(at)) && !self.page.has(at, word::ANY_GIVEN)
            || known::cut_word(&self.key(at))
    }

    /// "Toussaint LECA" where LECA is known, "POLI Ghjuvan": the other half of a name.
    pub(super) fn beside_family(&mut self, at: usize) -> bool {
        let fold = self.fold(at);
        if !self.page.has(at, look::CAPITAL) || fold.len() < 3 || self.page.has(at, look::CLINICAL | word::ACRONYM) {
            return false;
        }
        let end = self.held(at);
        let family_behind = self.label(end) == Some(Label::Nom);
        let family_before = at > 0 && self.label(at - 1) == Some(Label::Nom);
        if !(family_behind || family_before) || self.page.title(at).is_some() {
            return false;
        }
        let upper = self.page.has(at, look::UPPER);
        let given = self.page.has(at, word::ANY_GIVEN);
        let heads = |roles: u32| self.page.cues[at].is_some_and(|c| c.roles & roles != 0);
        let cue = heads(role::FUNCTION | role::KIN | role::FAMILY_HEAD | role::GIVEN_HEAD);
        if (upper || cue) && !given || heads(role::PERSON_HEAD) {
            return false;
        }
        let before = family_behind && self.page.same_line(end) && self.page.has(end, look::UPPER) && !self.page.glued(end);
        let behind = family_before && self.page.same_line(at) && !self.page.glued(at) && self.page.has(at - 1, look::UPPER) && !upper;
        let fits = |i: usize| self.page.has(i, word::ANY_GIVEN) || self.unknown(i);
        let all = (at..end).filter(|i| self.page.has(*i, look::CAPITAL)).all(fits);
        if !(before || behind) || !all || behind && !given && likely_common(fold) || self.column(if before { end } else { at }) {
            return false;
        }
        self.emit(at..end, Label::Prenom, "proper:given", 0.6);
        true
    }

    /// "DrKerdonval", "MmeRoux": a title without its space.
    pub(super) fn glued_title(&mut self, at: usize) -> bool {
        let source = self.source(at);
        if !source.starts_with(['D', 'P', 'M']) {
            return false;
        }
        let name = ["Dr", "Pr", "Mme", "Mlle", "Mr"].iter().find_map(|t| source.strip_prefix(t));
        let proper = |n: &str| n.chars().count() > 3 && n.starts_with(char::is_uppercase) && n.chars().all(char::is_alphabetic);
        if !name.is_some_and(proper) || self.covered(at) || source.chars().all(char::is_uppercase) {
            return false;
        }
        self.emit(at..at + 1, Label::Nom, "proper:title", 0.6);
        true
    }

    /// "Gwladys et Ty", "Gwladys, Lou et Ty": short names in a list of given names.
    pub(super) fn listed_given(&mut self, at: usize) -> bool {
        if at < 2 || !self.page.same_line(at) || self.page.has(at, look::UPPER) || !self.page.has(at, look::CAPITAL) || self.covered(at) {
            return false;
        }
        if self.label(at - 2) != Some(Label::Prenom) || self.page.has(at - 2, look::UPPER) {
            return false;
        }
        let mark = self.fold(at - 1);
        let goes_on = is!(self.key(at + 1), "et" | ",");
        let given = self.page.has(at, word::ANY_GIVEN);
        let linked = matches!(mark, "et" | "&") || mark == "," && (given || goes_on && self.unknown(at));
        let plain = !self.page.has(at, look::CLINICAL | word::COMMON | look::CUE | word::EPONYM)
            && (given || self.unknown(at) || self.fold(at).len() < 4 && !known::thing(&self.key(at)));
        if !(linked && plain) {
            return false;
        }
        let end = self.held(at);
        self.emit(at..end, Label::Prenom, "proper:listed", 0.5);
        true
    }

    /// "interphone LE DANTEC": a particle and a name in capitals among small letters.
    pub(super) fn particled(&mut self, at: usize) -> bool {
        if !self.page.has(at, look::UPPER | look::SINGLE) {
            return false;
        }
        let next = at + 1 + usize::from(is!(self.key(at + 1), "'"));
        let written = self.page.has(next, look::UPPER)
            && is!(
                self.key(at),
                "le" | "la"
                    | "les"
                    | "de"
                    | "du"
                    | "des"
                    | "d"
                    | "l"
                    | "el"
                    | "al"
                    | "ben"
                    | "ould"
                    | "van"
                    | "von"
                    | "san"
                    | "di"
                    | "da"
                    | "dos"
                    | "saint"
                    | "sainte"
            )
            && self.page.same_line(next)
            && self.fold(next).len() > 3
            && !self.column(at + 1);
        // "N'Guyen", "M'Bala"
        let elided = is!(self.key(at), "n" | "m" | "o" | "k" | "t")
            && self.page.has(at, look::SINGLE)
            && is!(self.key(at + 1), "'")
            && self.page.glued(at + 1)
            && self.page.glued(at + 2)
            && self.page.has(at + 2, look::CAPITAL)
            && !self.covered(at + 2)
            && (self.unknown(at + 2) || self.page.has(at + 2, word::ANY_NAME));
        if elided {
            let end = self.held(at + 2);
            self.emit(at..end, Label::Nom, "proper:word", 0.5);
            return true;
        }
        let named = written
            && (self.unknown(next)
                || self.page.has(next, word::ANY_FAMILY) && !self.page.has(next, look::CLINICAL | word::COMMON) && !self.covered(next));
        if !named || self.shouted(at) || !self.page.same_line(at) || self.page.behind_eponym_head(at) {
            return false;
        }
        let end = self.held(next);
        self.emit(at..end, Label::Nom, "proper:word", 0.5);
        true
    }

    /// The second half of a given name, cut to two to four letters.
    fn cut_half(&self, at: usize) -> bool {
        (2..=4).contains(&self.fold(at).len())
            && self.page.has(at, look::CAPITAL)
            && !self.page.has(at, look::UPPER | look::CLINICAL | word::COMMON | word::EPONYM)
            && self.page.pronounceable(at..at + 1)
            && !(is!(self.key(at + 1), "-") && self.page.glued(at + 1))
    }

    /// "Marie-Dominique": two given names that a hyphen joins, "M-Lou": the first in short.
    pub(super) fn compound_given(&mut self, at: usize) -> bool {
        let end = at + 3;
        let letter = self.page.has(at, look::SINGLE) && is!(self.key(at), "m" | "j");
        let given = |i: usize| {
            // "Anne-Flo", "Marie-Cla": the second half cut short.
            let short = i > at && (self.cut_half(i) || is!(self.key(i), "phi" | "th" | "max"));
            self.page.has(i, look::CAPITAL)
                && (short || self.page.has(i, word::ANY_GIVEN) && !self.page.has(i, word::EPONYM) && self.fold(i).len() > 2)
        };
        let joined = is!(self.key(at + 1), "-") && self.page.glued(at + 1) && self.page.glued(at + 2);
        if !joined
            || !(given(at) || letter && !self.page.has(at + 2, look::UPPER))
            || !given(at + 2)
            || self.covered(at + 2)
            || is!(self.key(end), "-") && self.page.glued(end)
            || self.page.behind_eponym_head(at)
        {
            return false;
        }
        if is!(self.key(at), "saint" | "sainte") {
            return false;
        }
        self.emit(at..end, Label::Prenom, "proper:given", 0.6);
        if self.page.same_line(end) && !self.column(end) && !self.page.glued(end) && self.unknown(end) {
            let last = self.held(end);
            self.emit(end..last, Label::Nom, "proper:pair", 0.5);
        }
        true
    }

    /// "Ghjulia ANTONETTI": an unknown or given name before an unknown word in capitals.
    pub(super) fn pair(&mut self, at: usize) -> bool {
        let first = self.page.has(at, look::CAPITAL) && !self.page.has(at, look::UPPER);
        let end = self.held(at);
        if !first
            || !self.page.same_line(end)
            || self.page.glued(end)
            || !self.page.has(end, look::UPPER)
            || !self.unknown(end)
            || self.column(end)
        {
            return false;
        }
        let named = self.page.has(at, word::ANY_GIVEN) && !self.page.has(at, look::CLINICAL | word::EPONYM);
        let family = self.fold(end).len() > 3 && self.page.pronounceable(end..end + 1);
        let first = named || self.unknown(at) || self.compound(at).is_some();
        if !family || !first || self.of_medicine(at, 2) || self.page.behind_eponym_head(at) {
            return false;
        }
        let last = self.held(end);
        // "Stent WALLSTENT 7", "Guide TERUMO 0.035".
        if self.number(last) && self.page.same_line(last) && !named {
            return false;
        }
        self.emit(at..end, Label::Prenom, "proper:pair", 0.5);
        self.emit(end..last, Label::Nom, "proper:pair", 0.5);
        true
    }

    /// "14/01 22h Théo :", "RAS. Sandrine": who wrote a note.
    pub(super) fn entry(&mut self, at: usize) -> bool {
        let given = self.page.has(at, word::ANY_GIVEN) && !self.page.has(at, look::CLINICAL | word::EPONYM | word::COMMON);
        let sure = self.page.has(at, word::GIVEN) && !self.page.has(at, look::CLINICAL);
        if !(given || sure || self.unknown(at)) {
            return false;
        }
        let end = self.held(at);
        if let Some(end) = self.said_in_brackets(at, end).or_else(|| self.listed_place(at, end)) {
            self.emit(at..end, Label::Ville, "proper:beside", 0.4);
            return true;
        }
        let last = self.page.line_ends(end);
        let headed = || (is!(self.key(end), ":" | "-" | "–" | "/" | "(" | "," | "=" | ">") || last || sure) && self.dated_head(at);
        let closing = last && sure && at > 0 && self.page.same_line(at) && is!(self.key(at - 1), "." | "-" | "–" | ";" | "/" | "!" | ")");
        let opens = at == 0 || !self.page.same_line(at) || is!(self.key(at - 1), "." | ";" | "-" | "–" | "•" | "*" | ">" | "!" | "?");
        let speaks =
            opens && !self.page.has(at, look::UPPER) && self.page.same_line(end) && !self.page.glued(end) && known::deed(&self.key(end));
        let named = sure && opens && is!(self.key(end), ":") && !self.number(end + 1);
        if !(closing || speaks || named || headed()) {
            return false;
        }
        self.emit(at..end, Label::Prenom, "proper:entry", 0.5);
        true
    }

    /// "Dr Dubreuil (Kerbihan)", "06 12 … (Solène)", "à son domicile (Kerozar Vras)": what
    /// brackets say of a span or of a noun, and where it ends.
    fn said_in_brackets(&self, at: usize, end: usize) -> Option<usize> {
        if at < 2 || !is!(self.key(at - 1), "(") || !self.unknown(at) || self.page.has(at, look::UPPER) {
            return None;
        }
        let chained = self.chain(at, end);
        let noun = || {
            self.page.has(at - 2, look::LOWER)
                && !self.page.has(at - 2, look::CLINICAL)
                && !self.medical_head(at - 2)
                && !self.of_medicine(at - 1, 3)
                && !likely_common(self.fold(at))
        };
        let said = is!(self.key(chained), ")")
            && (matches!(self.label(at - 2), Some(Label::Hopital | Label::Nom | Label::Prenom | Label::Tel | Label::Ville | Label::Date))
                || noun());
        said.then_some(chained)
    }

    /// "Mme Roux, Muret", "SSR Les Myrtes, Porticcio;", "SMR LES MYRTES - PORTICCIO": the
    /// place behind a person or a house, and where it ends.
    fn listed_place(&self, at: usize, end: usize) -> Option<usize> {
        if at < 2 || !self.unknown(at) {
            return None;
        }
        let last = self.page.line_ends(end);
        let before = self.label(at - 2);
        let dash = last && before == Some(Label::Hopital) && is!(self.key(at - 1), "-" | "–" | "/");
        let listed = (is!(self.key(at - 1), ",") || dash)
            && self.page.same_line(at)
            && matches!(before, Some(Label::Hopital | Label::Nom | Label::Adresse | Label::Zip | Label::Ville))
            && (last || is!(self.key(end), ";" | "." | "," | ")" | "("))
            && !likely_common(self.fold(at));
        listed.then_some(end)
    }

    /// "vu KERBRAT", "KERBRAT / AUTRET": an unknown word in capitals among small letters.
    pub(super) fn capitals(&mut self, at: usize) -> bool {
        let fold = self.fold(at);
        let written = self.page.has(at, look::UPPER)
            && fold.len() > 4
            && self.unknown(at)
            && self.page.pronounceable(at..at + 1)
            && (self.page.has(at, word::ANY_NAME) || !known::lettered(fold))
            && !likely_common(fold);
        if !written {
            return false;
        }
        // "la FLAMAZINE", "au MIBIX": a thing has an article.
        let article =
            matches!(self.before(at, 1), "le" | "la" | "les" | "un" | "une" | "du" | "des" | "au" | "aux" | "ce" | "cette" | "score")
                || self.before(at, 1) == "'" && self.before(at, 2) == "l";
        if article || fold.ends_with("ette") || fold.ends_with("ettes") {
            return false;
        }
        let shouted = self.shouted(at);
        if shouted && self.asked_of(at) && !(self.page.same_line(at + 1) && self.number(at + 1)) {
            let end = self.held(at);
            self.emit(at..end, Label::Nom, "proper:capitals", 0.4);
            return true;
        }
        if shouted || self.of_medicine(at, 2) || self.page.behind_eponym_head(at) {
            return false;
        }
        let end = self.held(at);
        let defined = at > 0 && is!(self.key(at - 1), "(") && is!(self.key(end), ")") && fold.len() < 7;
        let numbered = self.page.same_line(end) && self.number(end) && !self.covered(end) || self.page.glued(end) && self.number(end);
        let short = fold.len() < 6
            && (self.page.line_start(at) == at && !self.page.line_ends(end) && self.page.has(end, look::LOWER | look::CAPITAL));
        if defined || numbered || short || end > at + 1 && (at..end).any(|i| self.page.has(i, look::CLINICAL | word::ACRONYM)) {
            return false;
        }
        self.emit(at..end, Label::Nom, "proper:capitals", 0.4);
        true
    }

    /// In a line of capitals: "VU AVEC X", "INTERNE DE GARDE X", "AVIS NEURO X".
    fn asked_of(&self, at: usize) -> bool {
        let mut p = at;
        while p > 0
            && at - p < 3
            && self.page.same_line(p)
            && is!(self.key(p - 1), "garde" | "de" | "neuro" | "neurologue" | "nuit" | "cardio" | "rea" | "senior" | "sos")
        {
            p -= 1;
        }
        let Some(before) = p.checked_sub(1).filter(|_| self.page.same_line(p)) else { return false };
        let cue = self.page.cues[before].is_some_and(|c| c.roles & (role::FUNCTION | role::TITLE) != 0);
        cue || is!(self.key(before), "avec" | "avis" | "par" | "dr" | "appel") || p < at && is!(self.key(p), "senior" | "neurologue")
    }

    /// "Op : Kerbrat / Autret": an unknown word alone behind a colon, or listed with one.
    pub(super) fn behind_colon(&mut self, at: usize) -> bool {
        if !self.unknown(at) || self.page.has(at, look::UPPER) || !self.page.same_line(at) {
            return false;
        }
        let listed =
            at > 1 && is!(self.key(at - 1), "/" | "+" | "&" | "-") && matches!(self.label(at - 2), Some(Label::Nom | Label::Prenom));
        // "(Kerdonval/Troussel)"
        let pair = at > 0
            && is!(self.key(at - 1), "(")
            && is!(self.key(at + 1), "/" | "+" | "et" | "-")
            && self.unknown(at + 2)
            && is!(self.key(at + 3), ")")
            && !likely_common(self.fold(at + 2));
        let listed = listed || pair;
        let colon = at > 1 && is!(self.key(at - 1), ":") && self.page.same_line(at - 1);
        if !(colon || listed) || likely_common(self.fold(at)) || self.of_medicine(at, 4) {
            return false;
        }
        let end = self.chain(at, self.held(at));
        if !(self.page.line_ends(end)
            || listed && is!(self.key(end), ")")
            || is!(self.key(end), "/" | "," | "(" | "+" | "et" | "-" | ";" | "&"))
        {
            return false;
        }
        self.emit(at..end, Label::Nom, "proper:listed", 0.4);
        true
    }

    /// "skuntz01", "KUNTZS": a name of the text within the name of an account.
    pub(super) fn logins(&mut self) {
        let mut names: Vec<String> = Vec::new();
        for at in 0..self.page.len() {
            if self.label(at) == Some(Label::Nom)
                && self.fold(at).len() > 3
                && !self.page.has(at, word::COMMON)
                && !names.iter().any(|n| n == self.fold(at))
            {
                names.push(self.fold(at).to_owned());
            }
        }
        for at in 0..self.page.len() {
            let fold = self.fold(at);
            if names.is_empty() || fold.len() < 5 || self.mark(at) || self.covered(at) {
                continue;
            }
            let letters = fold.trim_end_matches(|c: char| c.is_ascii_digit());
            let account = |n: &String| {
                let more = letters.len().wrapping_sub(n.len());
                more < 3 && (more > 0 || letters.len() < fold.len()) && (letters.ends_with(n.as_str()) || letters.starts_with(n.as_str()))
            };
            if names.iter().any(account)
                && !self.explained(at)
                && (fold.len() > letters.len() || self.page.has(at, look::UPPER) || !likely_common(fold))
            {
                self.emit(at..at + 1, Label::Nom, "proper:login", 0.4);
            }
        }
        for at in 1..self.page.len() {
            let account = is!(self.key(at - 1), "compte" | "login" | "user" | "session" | "utilisateur") && self.numbered_account(at)
                || is!(self.key(at - 1), ":" | "=") && self.stated_account(at);
            if account && self.page.same_line(at) && !self.covered(at) {
                self.emit(at..at + 1, Label::Id, "proper:login", 0.5);
            }
        }
    }

    /// "compte skerdonval35": letters and a figure at the end.
    fn numbered_account(&self, at: usize) -> bool {
        let fold = self.fold(at);
        fold.len() > 4
            && fold.ends_with(|c: char| c.is_ascii_digit())
            && !self.number(at)
            && fold.bytes().filter(u8::is_ascii_alphabetic).count() > 3
    }

    /// "login : skerdonval": a word that nothing explains behind its label and a mark.
    fn stated_account(&self, at: usize) -> bool {
        at > 1
            && is!(self.key(at - 2), "login" | "utilisateur" | "user" | "username" | "identifiant" | "operateur")
            && self.fold(at).len() > 3
            && !self.mark(at)
            && !self.page.has(at, word::COMMON)
            && !self.explained(at)
    }

    /// Between the start of the line and the token stand a day or a time and nothing else.
    pub(super) fn dated_head(&self, at: usize) -> bool {
        let start = self.page.line_start(at);
        let mut figures = false;
        for i in start..at {
            let fold = self.fold(i);
            let date = self.label(i) == Some(Label::Date);
            let clock = self.number(i)
                && (fold.contains('h') || is!(self.key(i + 1), ":" | "h") || i > start && is!(self.key(i - 1), ":") || fold.len() < 3);
            figures |= date || clock;
            let filler = self.mark(i)
                || matches!(fold, "h" | "le" | "a" | "nuit" | "matin" | "am" | "soir" | "midi" | "jour" | "min" | "mn")
                || fold.starts_with('j') && fold.len() < 4
                || weekday(fold);
            if !(date || clock || filler) {
                return false;
            }
        }
        figures
    }
}
