//! Codes that a family says at the telephone, computers of a house by their name, lots in
//! groups: "mot de passe « mimosa »", "poste KRV-ST-12", "lot KB 44 7120".

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::gazetteer::Cue;
use super::reader::Reader;
use crate::Label;

impl Reader<'_, '_> {
    pub(super) fn secrets(&mut self) {
        for at in 0..self.len() {
            if !self.leads(at) {
                continue;
            }
            let found = self.code_word(at).or_else(|| self.computer(at)).or_else(|| self.grouped_lot(at));
            if let Some((first, end)) = found.filter(|(first, end)| self.free(*first..*end)) {
                self.emit(first..end, Label::Id, "shape:code", 0.7);
            }
        }
    }

    /// "code d'appel « mimosa »", "mot de passe : Mimosa35": in quotation marks, or one word behind a colon.
    fn code_word(&self, at: usize) -> Option<(usize, usize)> {
        let mut next = if is!(self.key(at), "code" | "mdp") {
            at + 1
        } else if is!(self.key(at), "mot") && is!(self.key(at + 1), "de") && is!(self.key(at + 2), "passe") {
            at + 3
        } else {
            return None;
        };
        let pass = next == at + 3 || is!(self.key(at), "mdp");
        let mut said = pass;
        while next < at + 8 && self.same_line(next) {
            let kind = is!(
                self.key(next),
                "famille" | "appel" | "appels" | "secret" | "confidentiel" | "telephone" | "telephonique" | "visite" | "visites" | "parole"
            );
            said |= kind;
            if !(kind || is!(self.key(next), "d" | "de" | "du" | "la" | "le" | "pour" | "'" | "patient" | "patiente" | "convenu" | "est")) {
                break;
            }
            next += 1;
        }
        let colon = is!(self.key(next), ":" | "=");
        next += usize::from(colon);
        if !said || !self.same_line(next) {
            return None;
        }
        if is!(self.key(next), "«" | "\"" | "“" | "'") {
            let first = next + 1;
            let close = (first + 1..first + 6).find(|i| is!(self.key(*i), "»" | "\"" | "”" | "'"))?;
            return self.same_line(close).then_some((first, close));
        }
        let source = self.source(next..(next + 1).min(self.len()));
        let mixed = source.bytes().any(|b| b.is_ascii_digit()) && source.bytes().any(|b| b.is_ascii_alphabetic());
        let ends = self.token(next + 1).is_none() || self.line_start(next + 1) || is!(self.key(next + 1), "." | "," | ";" | ")");
        let word = self.kind(next) != Some(Kind::Mark) && source.len() > 3 && ends;
        let empty = is!(self.key(next), "aucun" | "oublie" | "inconnu" | "perdu" | "demande" | "donne" | "remis" | "change" | "refuse");
        (word && (mixed || colon) && !empty && !self.is(next, Cue::Unit)).then_some((next, next + 1))
    }

    /// "poste KRV-ST-12", "imprimante NEURO_B3": letters and a number that hyphens join behind a machine.
    fn computer(&self, at: usize) -> Option<(usize, usize)> {
        if !machine(self.key(at)) {
            return None;
        }
        let first = at + 1 + usize::from(is!(self.key(at + 1), ":" | "="));
        if !self.same_line(first) || self.kind(first) != Some(Kind::Word) {
            return None;
        }
        let end = self.chain(first, &["-", "_"]);
        let source = self.source(first..end);
        let plain = source.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
        let figures = source.bytes().filter(u8::is_ascii_digit).count();
        (end > first + 2 && plain && figures > 0 && source.len() > 5).then_some((first, end))
    }

    /// "lot KB 44 7120", "n° de lot T 4471 02": letters and groups of figures.
    fn grouped_lot(&self, at: usize) -> Option<(usize, usize)> {
        if !lot(self.key(at)) {
            return None;
        }
        let mut first = at + 1;
        while is!(self.key(first), ":" | "n" | "°" | "no" | "numero" | ".") && first < at + 4 {
            first += 1;
        }
        let letters = self.source(first..(first + 1).min(self.len()));
        let led = (1..=4).contains(&letters.len()) && letters.bytes().all(|b| b.is_ascii_uppercase()) && self.same_line(first);
        let mut end = first + 1;
        let mut figures = 0;
        while self.same_line(end) && !self.column(end) && end < first + 6 {
            let Some(digits) = self.digits(end).filter(|_| !self.is_taken(end)) else { break };
            figures += digits.count;
            end += 1;
        }
        let amount = self.is(end, Cue::Unit) && self.same_line(end) && !self.mark(end - 1, ".");
        let spoken = is!(self.key(end), "point" | "points");
        (led && figures >= 4 && end > first + 1 && (!amount || spoken) && !self.measured(first + 1)).then_some((first, end))
    }
}

/// Words that codes of a family, computers and lots begin with.
pub(super) fn leads(key: u64) -> bool {
    is!(key, "code" | "mdp" | "mot") || machine(key) || lot(key)
}

fn machine(key: u64) -> bool {
    is!(
        key,
        "poste" | "ordinateur" | "pc" | "station" | "terminal" | "imprimante" | "serveur" | "workstation" | "console" | "machine" | "hote"
    )
}

fn lot(key: u64) -> bool {
    is!(key, "lot" | "lots" | "serie" | "udi" | "ref" | "reference")
}
