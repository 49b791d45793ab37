//! Letters that stand for people without saying so: those of somebody whom the document
//! names ("MV" where Marine Vaudrec is known), and those that nothing explains where
//! somebody writes, signs or is asked ("== IAO QLW 06H37", "ADDENDUM JQC 15/11").
//!
//! Letters that an article or an amount stands beside anywhere in the text are a thing.

use rustc_hash::FxHashSet;
use sillage_clinical::is;
use sillage_clinical::text::{Kind, Text};

use super::{Proper, known};
use crate::Label;
use crate::name::knowledge::{role, word};
use crate::name::page::look;
use crate::name::writers::remark;

/// Most letters between the word that asks for a person and the letters.
const FILLERS: usize = 3;

impl Proper<'_, '_> {
    /// Learns the initials of everybody whom a span or the metadata name.
    pub(super) fn learn_people(&mut self, staff: &[&str]) {
        self.people = self.named_people();
        for name in staff {
            let text = Text::new(name);
            let words: Vec<&str> = (0..text.tokens.len())
                .filter(|i| text.tokens[*i].kind == Kind::Word && self.page.names.cue(&text, *i).is_none())
                .map(|i| text.fold(i))
                .collect();
            crate::name::repeat::initials_of(&words, &mut self.people);
        }
    }

    /// Reads the letters that are left.
    pub(super) fn signs(&mut self) {
        let mut things: Option<FxHashSet<String>> = None;
        let mut signed: FxHashSet<String> = FxHashSet::default();
        for at in 0..self.page.len() {
            if !self.page.has(at, look::CAPITAL) || self.covered(at) || !self.capital_letters(at) {
                continue;
            }
            let fold = self.fold(at);
            let own = self.people.contains(fold);
            let rare = self.rare(at) && !self.explained(at);
            let named = own && at > 0 && is!(self.key(at - 1), "par" | "avec" | "a") && self.behind_asked(at);
            let called = self.source(at).len() == 2 && self.called(at);
            let bracketed = own && self.signs_in_brackets(at);
            // "correction QV : régime mixé"
            let remarked = own && at > 0 && remark(self.fold(at - 1)) && self.page.same_line(at) && is!(self.key(at + 1), ":");
            let written = remarked || self.written_behind(at) || self.with_known(at) || named || called || bracketed;
            let placed = written
                || !known::heading(&self.key(at))
                    && ((own || rare) && (self.heads_line(at) || self.behind_asked(at) || self.closes_line(at))
                        || own && self.between_marks(at));
            // "MT : Dr X": a label with somebody behind.
            let labels =
                is!(self.key(at + 1), ":") && self.page.same_line(at + 2) && self.page.title(at + 2).is_some() && known::abbreviation(fold);
            if !placed || labels || self.is_amount(at) {
                continue;
            }
            let fold = fold.to_owned();
            let things = things.get_or_insert_with(|| self.things());
            if things.contains(&fold) && !bracketed {
                continue;
            }
            // Where somebody must stand, letters are somebody's even when they are a thing elsewhere.
            let detector = if written || own { "context:slot-signature" } else { "proper:initials" };
            self.emit(at..at + 1, Label::Nom, detector, 0.4);
            if rare || own {
                signed.insert(fold);
            }
        }
        if signed.is_empty() {
            return;
        }
        // Who signs once is met again in a place of its own.
        for at in 0..self.page.len() {
            if self.capital_letters(at) && !self.covered(at) && signed.contains(self.fold(at)) && !self.is_amount(at) && !self.article(at) {
                self.emit(at..at + 1, Label::Nom, "proper:initials", 0.35);
            }
        }
    }

    /// Two to four capitals, or "GdB", with nothing glued to them.
    pub(super) fn capital_letters(&self, at: usize) -> bool {
        if !self.page.has(at, look::CAPITAL) {
            return false;
        }
        let source = self.source(at).as_bytes();
        let count = source.len();
        if !(2..=4).contains(&count) || !source[0].is_ascii_uppercase() {
            return false;
        }
        let capitals = source.iter().filter(|b| b.is_ascii_uppercase()).count();
        let written = count < 4 && capitals == count || count > 2 && capitals == count - 1;
        if !written || !source.iter().all(u8::is_ascii_alphabetic) {
            return false;
        }
        let held = |i: usize, mark: usize| {
            self.page.glued(i) && self.page.glued(mark) && is!(self.key(mark), "-" | "_" | "'" | "@" | "+" | "." | "%" | "=")
        };
        let before = at > 0 && self.page.glued(at) && !is!(self.key(at - 1), "(" | "[" | "/" | ":" | "," | "|" | ">" | "=");
        !before && !held(at + 2, at + 1) && self.page.title(at).is_none()
    }

    /// A figure that is no hour, no day and no phone stands beside: what is measured.
    pub(super) fn is_amount(&self, at: usize) -> bool {
        let next = at + 1;
        if !self.page.same_line(next) || self.column(next) {
            return false;
        }
        let sign = is!(self.key(next), "=" | "<" | ">" | "%" | "®" | "≥" | "≤" | "~");
        let value = next + usize::from(is!(self.key(next), ":" | "à" | "a"));
        let figure = self.number(value) && !self.clock(value) && !self.covered(value);
        sign || figure
    }

    /// "06h37", "6:40", "14 h" or a date.
    fn clock(&self, at: usize) -> bool {
        let fold = self.fold(at);
        fold.contains('h')
            || is!(self.key(at + 1), ":" | "h") && self.page.same_line(at + 1)
            || at > 1 && is!(self.key(at - 1), ":") && self.page.glued(at) && self.page.glued(at - 1) && self.number(at - 2)
            || self.label(at) == Some(Label::Date)
            || self.label(at) == Some(Label::Tel)
    }

    /// "la X", "un X", "de X", "anti-X", "3 X": an article or an amount makes a thing of it.
    pub(super) fn article(&self, at: usize) -> bool {
        let Some(p) = at.checked_sub(1).filter(|_| self.page.same_line(at)) else { return false };
        known::makes_thing(&self.key(p)) || is!(self.key(p), "'") || self.number(p) && !self.covered(p) && !self.clock(p)
    }

    /// Letters that are a thing somewhere in the text.
    fn things(&self) -> FxHashSet<String> {
        (0..self.page.len())
            .filter(|at| {
                let defined = || *at > 1 && is!(self.key(at - 1), "(") && is!(self.key(at + 1), ")") && self.defines(*at);
                self.capital_letters(*at) && (self.article(*at) || self.is_amount(*at) || defined())
            })
            .map(|at| self.fold(at).to_owned())
            .collect()
    }

    /// "fraction gauche oubliée (FGO)": the first letters of the words before the bracket.
    pub(super) fn defines(&self, at: usize) -> bool {
        let first = self.fold(at).as_bytes()[0];
        let words = (2..10).filter_map(|back| at.checked_sub(back)).filter(|i| self.page.has(*i, look::LOWER));
        words.into_iter().any(|i| self.fold(i).as_bytes().first() == Some(&first)) && self.page.has(at - 2, look::LOWER)
    }

    /// "… et marche seule (PS)." at the end of a sentence: who noted it, not what is abbreviated.
    fn signs_in_brackets(&self, at: usize) -> bool {
        let closes = is!(self.key(at + 1), ")" | "]")
            && (self.closed(at + 2) || is!(self.key(at + 2), ".") && (self.closed(at + 3) || !self.page.glued(at + 3)));
        if at < 2 || !is!(self.key(at - 1), "(" | "[") || !closes || !self.page.same_line(at - 1) || self.number(at - 2) {
            return false;
        }
        let fold = self.fold(at);
        let words = (2..12).filter_map(|back| at.checked_sub(back)).take_while(|i| self.page.same_line(*i + 1));
        let mut firsts: Vec<char> = words
            .filter(|i| self.page.has(*i, look::LOWER | look::CAPITAL) && !self.page.has(*i, word::PARTICLE))
            .filter_map(|i| self.fold(i).chars().next())
            .collect();
        firsts.reverse();
        let explained = firsts.iter().collect::<String>().contains(fold);
        let thing = (0..self.page.len()).any(|i| i != at && self.fold(i) == fold && (self.article(i) || self.is_amount(i)));
        !explained && !thing
    }

    /// The initials of everybody whose whole name a span covers.
    fn named_people(&self) -> FxHashSet<String> {
        let mut out = FxHashSet::default();
        let named = |i: usize| matches!(self.label(i), Some(Label::Nom | Label::Prenom));
        let mut at = 0;
        while at < self.page.len() {
            if !named(at) {
                at += 1;
                continue;
            }
            let start = at;
            at += 1;
            while at < self.page.len() && named(at) && self.page.same_line(at) {
                at += 1;
            }
            if start + 1 == at {
                // "QV" alone is somebody where it was read as such.
                if self.capital_letters(start) {
                    out.insert(self.fold(start).to_owned());
                }
                continue;
            }
            let words: Vec<&str> = (start..at)
                .filter(|i| !self.mark(*i) && self.page.has(*i, look::CAPITAL | look::SINGLE | look::LOWER))
                .map(|i| self.fold(i))
                .collect();
            crate::name::repeat::initials_of(&words, &mut out);
        }
        out
    }

    /// "QLW 06h37 :", "MV - tél. 62 40": at the head of a line.
    fn heads_line(&self, at: usize) -> bool {
        let mut first = at;
        while first > 0 && self.page.same_line(first) && is!(self.key(first - 1), "=" | "-" | "–" | "*" | "•" | ">" | "[" | "(" | "#" | "→")
        {
            first -= 1;
        }
        let opens = first == 0 || !self.page.same_line(first);
        let next = at + 1;
        let called = self.called(at);
        // "HK le 12/03"
        let day = next + usize::from(is!(self.key(next), "le") && self.label(next + 1) == Some(Label::Date));
        let timed = self.page.same_line(day) && (self.number(day) || self.covered(day)) && self.clock(day);
        let alone = self.closed(next) && at + 9 > self.page.len();
        opens && (timed || called || alone)
    }

    /// "MV - tél. 62 40": who can be called, at the start of a line.
    fn called(&self, at: usize) -> bool {
        let next = at + 1;
        let dash = is!(self.key(next), "-" | "–" | "," | ":" | "/" | "(") && self.page.same_line(next) && !self.page.glued(next + 1);
        let phone = is!(self.key(next + 1), "tel" | "poste" | "dect" | "bip" | "interne" | "ide" | "externe" | "medecin");
        dash && phone && (at == 0 || !self.page.same_line(at))
    }

    /// Nothing follows on the line, or another column does.
    pub(super) fn closed(&self, at: usize) -> bool {
        self.page.line_ends(at) || self.column(at)
    }

    /// The word before asks for a person: a trade, a copy, "avis", "addendum".
    fn behind_asked(&self, at: usize) -> bool {
        let mut p = at;
        while p > 0 && self.page.same_line(p) && at - p < FILLERS && is!(self.key(p - 1), ":" | "(" | "/" | "par" | "a" | "avec" | "garde")
        {
            p -= 1;
        }
        let Some(before) = p.checked_sub(1).filter(|_| self.page.same_line(p)) else { return false };
        let cue = (0..5).any(|back| {
            before >= back
                && self.page.cues[before - back].is_some_and(|c| {
                    (before + 1..=at).contains(&c.end) && c.roles & (role::FUNCTION | role::TYPIST | role::AGENT | role::COPY) != 0
                })
        });
        let remark = remark(self.fold(before));
        let asked = remark
            || is!(
                self.key(before),
                "idem"
                    | "ope"
                    | "operateur"
                    | "operatrice"
                    | "demandeur"
                    | "demandeuse"
                    | "prescripteur"
                    | "radio"
                    | "med"
                    | "ar"
                    | "arc"
                    | "manip"
                    | "neuro"
                    | "neuroradio"
                    | "cardio"
                    | "anesth"
                    | "rea"
                    | "urg"
                    | "senior"
                    | "referent"
                    | "vacation"
                    | "lecteur"
                    | "binome"
                    | "redacteur"
                    | "auteur"
                    | "visa"
            );
        let next = at + 1;
        let ends = self.closed(next)
            || remark && is!(self.key(next), ":")
            || is!(
                self.key(next),
                "." | ","
                    | ";"
                    | ")"
                    | "/"
                    | "-"
                    | "("
                    | "+"
                    | "et"
                    | "poste"
                    | "dect"
                    | "bip"
                    | "tel"
                    | "pour"
                    | "a"
                    | "ce"
                    | "qui"
                    | "le"
            )
            || self.page.same_line(next) && (self.covered(next) || self.number(next)) && self.clock(next);
        (cue || asked) && ends && !self.article(at)
    }

    /// "Amitiés. QV", "…, QV" at the end of the text's last lines.
    fn closes_line(&self, at: usize) -> bool {
        let last = self.closed(at + 1) || is!(self.key(at + 1), ")" | ".") && self.closed(at + 2);
        let parted = at > 0 && self.page.same_line(at) && is!(self.key(at - 1), "." | "–" | "/" | "!" | "-") && !self.page.glued(at);
        let greeted = (1..4).any(|back| at >= back && self.page.cues[at - back].is_some_and(|c| c.roles & role::CLOSING != 0));
        last && (parted && at + 12 > self.page.len() || greeted)
    }

    /// "QV / QW" where the first is somebody.
    fn with_known(&self, at: usize) -> bool {
        at > 1
            && self.page.same_line(at)
            && is!(self.key(at - 1), "/" | "+" | "&" | "puis")
            && self.label(at - 2) == Some(Label::Nom)
            && self.capital_letters(at - 2)
            && (self.closed(at + 1) || self.mark(at + 1) && !self.page.glued(at + 2) || self.label(at + 1) == Some(Label::Date))
    }

    /// Marks or line ends on both sides: a cell, a bracket, a list.
    fn between_marks(&self, at: usize) -> bool {
        let before = at == 0 || !self.page.same_line(at) || self.mark(at - 1) && !is!(self.key(at - 1), "'") || self.column(at);
        let behind = self.closed(at + 1) || self.mark(at + 1) || self.page.same_line(at + 1) && self.clock(at + 1);
        before && behind
    }

    /// "validé électroniquement, SP": letters, known or not, behind what a person does with a
    /// document, up to the end of the line or bracket.
    fn written_behind(&self, at: usize) -> bool {
        let last = self.closed(at + 1)
            || is!(self.key(at + 1), ")" | "]" | "." | "/" | ";") && (self.closed(at + 2) || !is!(self.key(at + 1), "."))
            || self.label(at + 1) == Some(Label::Date)
            // "signé, MC puis FT"
            || is!(self.key(at + 1), "puis" | "et" | "+" | "&") && at + 2 < self.page.len() && self.capital_letters(at + 2);
        if !last || self.source(at).len() > 3 || at == 0 {
            return false;
        }
        let marked = is!(self.key(at - 1), ":" | "," | "(" | "/" | "-" | "–" | ".") || self.column(at);
        let mut p = at;
        while p > 0
            && self.page.same_line(p)
            && at - p < 4
            && (self.mark(p - 1) || is!(self.key(p - 1), "electroniquement" | "numeriquement" | "definitivement" | "par" | "approuve"))
        {
            p -= 1;
        }
        let by = p < at && (p..at).any(|i| is!(self.key(i), "par"));
        let does = p > 0
            && self.page.same_line(p)
            && is!(
                self.key(p - 1),
                "valide"
                    | "validee"
                    | "signe"
                    | "signee"
                    | "relu"
                    | "relue"
                    | "visa"
                    | "frappe"
                    | "frappee"
                    | "tape"
                    | "tapee"
                    | "dicte"
                    | "dictee"
                    | "saisi"
                    | "saisie"
                    | "redige"
                    | "redigee"
                    | "signature"
                    | "paraphe"
                    | "approuve"
                    | "verifie"
                    | "emargement"
            );
        // "validé MC puis FT"
        let marked = marked || is!(self.key(at + 1), "puis") && self.source(at).len() == 2;
        let approved = p > 0 && p < at && (p..at).any(|i| is!(self.key(i), "approuve"));
        let acts = by
            && (1..6).any(|back| {
                p >= back
                    && ["ecrit", "fait", "redig", "tap", "saisi", "transcri", "lu"]
                        .iter()
                        .any(|v| self.before(p, back).starts_with(v) && self.before(p, back).len() < v.len() + 4)
            });
        // "validé QV 12/03/24": the day behind, but not "relu CR 12/03".
        let dated = p == at && self.label(at + 1) == Some(Label::Date) && !is!(self.key(at), "cr" | "cs" | "co" | "ro" | "rx");
        (does || approved || acts) && (marked || by || dated) && (!self.page.has(at, word::PARTICLE) || self.page.stands_out(at))
    }

    /// "DR KERDONVAL B RPPS …", "Dr Kerdonval B, …": the letter of a given name behind a family name.
    pub(super) fn letter_behind(&mut self, at: usize) -> bool {
        if at < 2 || !self.page.has(at, look::SINGLE) || self.label(at - 1) != Some(Label::Nom) {
            return false;
        }
        // "Mme Kerdonval J+1"
        let counted = is!(self.key(at + 1), "+" | "-" | "=" | "°") && self.page.glued(at + 1);
        if counted
            || !self.page.same_line(at)
            || self.column(at)
            || !self.source(at).is_ascii()
            || self.fold(at - 1).len() < 3
            || self.page.glued(at)
        {
            return false;
        }
        let mut p = at - 1;
        while p > 0 && matches!(self.label(p - 1), Some(Label::Nom | Label::Prenom)) && self.page.same_line(p) {
            p -= 1;
        }
        let titled = (1..3).any(|back| p >= back && self.page.title(p - back).is_some());
        let dotted = is!(self.key(at + 1), ".") && self.page.glued(at + 1);
        let end = at + 1 + usize::from(dotted);
        let closed = self.closed(end)
            || self.mark(end) && !is!(self.key(end), "'")
            || self.covered(end)
            || self.number(end)
            || is!(self.key(end), "rpps" | "adeli" | "tel" | "poste" | "dect" | "bip" | "le" | "interne" | "chef" | "neurologue");
        let upper = self.page.has(at - 1, look::UPPER) || titled;
        if !(closed && upper && (titled || dotted || p == 0 || !self.page.same_line(p))) || is!(self.key(at + 1), "'") {
            return false;
        }
        self.emit(at..end, Label::Prenom, "proper:given", 0.5);
        true
    }
}
