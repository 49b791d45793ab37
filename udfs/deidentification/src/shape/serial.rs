//! Numbers that their groups give away, and the rest of those that a name announces: the
//! identifier of a picture, the number of a physician at the insurance, lists of lots.

use sillage_clinical::is;

use super::gazetteer::Cue;
use super::leftover::staff;
use super::reader::Reader;
use crate::Label;

impl Reader<'_, '_> {
    /// Finds them before phones and dates are read.
    pub(super) fn serials(&mut self) {
        for at in 0..self.len() {
            let number = self.digits(at).is_some();
            if !(number || self.leads(at)) || self.is_taken(at) {
                continue;
            }
            if self.glued(at) && at > 0 && !is!(self.key(at - 1), "(" | ":" | "/" | "[" | "=") {
                continue;
            }
            if number {
                self.serial_of_figures(at);
            } else if let Some((start, end)) =
                self.abbreviated_serial(at).or_else(|| self.voucher(at)).or_else(|| self.journey(at)).or_else(|| self.subject(at))
            {
                self.emit(start..end, Label::Id, "shape:id", 0.8);
            }
        }
    }

    /// Takes a number that its groups give away.
    fn serial_of_figures(&mut self, at: usize) {
        let joined =
            if self.joined(at) { self.object_identifier(at).or_else(|| self.dashed(at)).or_else(|| self.machine(at)) } else { None };
        if let Some(end) = joined {
            self.emit(at..end, Label::Id, "shape:number", 0.8);
        } else if let Some(end) = self.insurance_physician(at) {
            self.emit(at..end, Label::Rpps, "shape:rpps", 0.8);
        }
    }

    /// "1.2.250.1.77.4.20451": parts with dots, as pictures are numbered.
    fn object_identifier(&self, at: usize) -> Option<usize> {
        self.digits(at)?;
        let end = self.chain(at, &["."]);
        if end < at + 9 {
            return None;
        }
        let figures: usize = (at..end).filter_map(|i| self.digits(i)).map(|d| d.count).sum();
        (figures >= 12).then_some(end)
    }

    /// "2023-614-00872", "0061-8820-417": three groups and more that hyphens join.
    fn dashed(&self, at: usize) -> Option<usize> {
        self.digits(at)?;
        let end = self.chain(at, &["-"]);
        if end < at + 5 {
            return None;
        }
        let groups: Vec<usize> = (at..end).step_by(2).filter_map(|i| self.digits(i)).map(|d| d.count).collect();
        let total: usize = groups.iter().sum();
        let phone = self.fold(at).starts_with('0') && total == 10 && groups[0] < 3 || groups[1..].iter().all(|g| *g < 3);
        (groups.len() >= 3 && groups.len() * 2 == end - at + 1 && total >= 9 && !phone && self.date_here(at).is_none()).then_some(end)
    }

    /// "34-IRM-02", "75/TDM/1": a department, what the machine makes, its number.
    fn machine(&self, at: usize) -> Option<usize> {
        let (kind, number) = (at + 2, at + 4);
        if !is!(self.key(at + 1), "-" | "/" | "_") || self.key(at + 3) != self.key(at + 1) {
            return None;
        }
        let pictures = is!(
            self.key(kind),
            "irm" | "tdm" | "scan" | "scanner" | "sca" | "sc" | "tep" | "rx" | "mn" | "angio" | "ang" | "gc" | "mri" | "ct"
        );
        let figures = self.digits(at).is_some_and(|d| matches!(d.count, 2 | 3)) && self.digits(number).is_some_and(|d| d.count < 6);
        (pictures && self.upper(kind) && figures && (at + 1..=number).all(|i| self.glued(i))).then_some(self.chain(at, &["-", "/", "_"]))
    }

    /// "CGR n° 7500 21 440 118", "PFC 6 214 550 018 7": the number of a bag of blood in its groups.
    pub(super) fn blood_bags(&mut self) {
        for at in 0..self.len() {
            if !self.leads(at) || !blood(self.key(at)) || self.is_taken(at) {
                continue;
            }
            let mut first = at + 1;
            while first < at + 6
                && self.same_line(first)
                && is!(
                    self.key(first),
                    ":" | "." | "°" | "n" | "no" | "num" | "numero" | "unite" | "poche" | "don" | "globulaire" | "plasma" | "lot" | "id"
                )
            {
                first += 1;
            }
            let mut end = first;
            while self.digits(end).is_some()
                && self.same_line(end)
                && !self.column(end)
                && (end == first || !self.glued(end) || self.mark(end - 1, "-") && self.glued(end - 1))
                && end < first + 12
            {
                end += 1;
                end += usize::from(self.mark(end, "-") && self.glued(end) && self.glued(end + 1) && self.digits(end + 1).is_some());
            }
            // The last group is an amount: "250 ml".
            end -= usize::from(end > first && (self.is(end, Cue::Unit) || self.measured(end - 1)) && self.same_line(end));
            let figures = self.source(first..end.max(first)).bytes().filter(u8::is_ascii_digit).count();
            if end > first + 1 && figures >= 9 && self.date_here(first).is_none() && self.free(first..end) {
                self.emit(first..end, Label::Id, "shape:id", 0.8);
            }
        }
    }

    /// "AM 59 1 03318 4": department, kind, order and key of a physician.
    fn insurance_physician(&self, at: usize) -> Option<usize> {
        let groups = [2, 1, 5, 1].into_iter().enumerate().all(|(i, count)| self.digits(at + i).is_some_and(|d| d.count == count));
        if !groups {
            return None;
        }
        let line = (at + 1..at + 4).all(|i| self.same_line(i) && !self.column(i) && !self.glued(i));
        let more = self.same_line(at + 4) && self.digits(at + 4).is_some() && !self.column(at + 4);
        (line && !more && self.digits(at).is_some_and(|d| (1..=98).contains(&d.value))).then_some(at + 4)
    }

    /// "dos. 24-4471", "s/n 66214", "mat. 29-4471", "Mat. IADE 118-0743": the number behind a short name of it.
    fn abbreviated_serial(&self, at: usize) -> Option<(usize, usize)> {
        if !abbreviated(self.key(at)) {
            return None;
        }
        let dot = |i: usize| self.mark(i, ".") && self.glued(i);
        let mut value = match self.fold(at) {
            "s" if self.mark(at + 1, "/") && is!(self.key(at + 2), "n") && self.glued(at + 2) => at + 3,
            "mat" if dot(at + 1) => at + 2,
            "dos" if dot(at + 1) && self.coded(at + 2 + usize::from(is!(self.key(at + 2), "n")) + usize::from(self.mark(at + 3, "°"))) => {
                at + 2
            }
            "imei" => at + 1,
            // The number of a ward, of a call.
            "uf" | "drm" if self.upper(at) => at + 1,
            "inventaire" => at + 1,
            _ => return None,
        };
        while is!(self.key(value), ":" | "." | "°" | "n") && value < at + 6 && self.same_line(value) {
            value += 1;
        }
        // One word of letters may stand between.
        if self.same_line(value) && self.word(value) && self.upper(value) && self.value(value + 1).is_some() && self.same_line(value + 1) {
            value += usize::from(!self.source(value..value + 1).bytes().any(|b| b.is_ascii_digit()));
        }
        let mut end = self.value(value).filter(|_| self.same_line(value) && !self.is_taken(value))?;
        if is!(self.key(at), "imei") {
            let total = |end: usize| self.source(value..end).bytes().filter(u8::is_ascii_digit).count();
            while self.same_line(end) && self.digits(end).is_some() && total(end + 1) <= 16 {
                end += 1;
            }
        }
        let figures = self.source(value..end).bytes().filter(u8::is_ascii_digit).count();
        (figures >= 4 && !self.measured(value)).then_some((value, self.rest_of_code(value, end)))
    }

    /// "reçu K-31127", "clé 4D7E-B81F": a code behind what is handed out with one.
    fn voucher(&self, at: usize) -> Option<(usize, usize)> {
        let named = handed_out(self.key(at));
        if !named && !is!(self.key(at), "bon") {
            return None;
        }
        let value = at + 1 + usize::from(self.mark(at + 1, ":"));
        // "reçu K 31127", "bon KT 00514"
        let count = match self.fold(value).len() {
            1 if named => 4..=8,
            _ => 5..=8,
        };
        let letter = self.same_line(value + 1)
            && self.upper(value)
            && self.fold(value).len() < 4
            && self.source(value..value + 1).bytes().all(|b| b.is_ascii_uppercase())
            && self.digits(value + 1).is_some_and(|d| count.contains(&d.count))
            && !self.is(value + 2, Cue::Unit);
        if letter && !self.is_taken(value) && !self.is_taken(value + 1) {
            return Some((value, value + 2));
        }
        let end = self.value(value).filter(|_| named && self.same_line(value) && !self.is_taken(value) && self.coded(value))?;
        let letters = self.source(value..end).bytes().any(|b| b.is_ascii_uppercase());
        let small = self.source(value..end).bytes().any(|b| b.is_ascii_lowercase());
        (letters && !small && !self.form_code(value)).then_some((value, end))
    }

    /// "Sujet 012-MKB", "patient 12-AB": the number in a study, and the letters of who takes part.
    fn subject(&self, at: usize) -> Option<(usize, usize)> {
        if !studied(self.key(at)) {
            return None;
        }
        let number = at + 1 + usize::from(is!(self.key(at + 1), ":" | "n")) + usize::from(self.mark(at + 2, "°"));
        let end = self.chain(number, &["-"]);
        let letters = end >= number + 3
            && (2..=4).contains(&self.source(end - 1..end).len())
            && self.source(end - 1..end).bytes().all(|b| b.is_ascii_uppercase());
        let figures = (number..end - 1).step_by(2).all(|i| self.digits(i).is_some_and(|d| (2..=5).contains(&d.count)));
        (self.same_line(number) && letters && figures && self.free(number..end)).then_some((number, end))
    }

    /// "vol QX 618", "TGV 6203": what somebody arrives by.
    fn journey(&self, at: usize) -> Option<(usize, usize)> {
        if !carries(self.key(at)) {
            return None;
        }
        let code = at + 1;
        let figures = |i: usize, count: std::ops::RangeInclusive<usize>| {
            let amount = self.is(i + 1, Cue::Unit) && self.same_line(i + 1) || self.mark(i + 1, "%") || self.measured(i);
            self.same_line(i) && !self.is_taken(i) && !amount && self.digits(i).is_some_and(|d| count.contains(&d.count))
        };
        match self.fold(at) {
            "vol" | "vols" if self.same_line(code) && self.upper(code) && !self.is_taken(code) => {
                let source = self.source(code..code + 1);
                let heart = is!(self.key(code), "og" | "od" | "vg" | "vd" | "ca" | "tg" | "td");
                let company = source.len() == 2 && source.bytes().all(|b| b.is_ascii_uppercase()) && !heart;
                let whole = (4..=6).contains(&source.len())
                    && source.bytes().take(2).all(|b| b.is_ascii_uppercase())
                    && source.bytes().skip(2).all(|b| b.is_ascii_digit());
                if whole { Some((code, code + 1)) } else { (company && figures(code + 1, 2..=4)).then_some((code, code + 2)) }
            }
            "tgv" | "ouigo" if figures(code, 4..=5) => Some((code, code + 1)),
            _ => None,
        }
    }

    /// "M413 6688 A", "RLA 204419 S", "0417 K": groups that still belong to a code.
    pub(super) fn rest_of_code(&self, at: usize, end: usize) -> usize {
        let letters = |i: usize| self.source(i..i + 1).bytes().any(|b| b.is_ascii_uppercase());
        let mut last = end;
        let mut next = end;
        while self.same_line(next) && !self.column(next) && !self.glued(next) && !self.is_taken(next) && next < end + 3 {
            let group = self.digits(next).is_some_and(|d| (3..=6).contains(&d.count)) && (at..last).any(letters);
            let key = self.word(next) && self.upper(next) && self.fold(next).len() == 1;
            if !(group || key) || self.is(next + 1, Cue::Unit) && !self.upper(next + 1) && self.same_line(next + 1) {
                break;
            }
            next += 1;
            let closed = self.token(next).is_none()
                || self.line_start(next)
                || self.column(next)
                || is!(self.key(next), "." | "," | ")" | ";" | "]" | "|" | "-");
            let long = group && self.digits(next - 1).is_some_and(|d| d.count > 4);
            if closed || long || key && self.is(next, Cue::BeforeDay) {
                last = next;
            }
        }
        last
    }

    /// "lots K4471-2, K4471-3": the further ones of a list.
    pub(super) fn further_codes(&mut self, end: usize) {
        let mut at = end;
        while is!(self.key(at), "," | "et" | "/" | "+" | "&") && self.same_line(at) && self.same_line(at + 1) {
            let value = at + 1;
            let Some(last) = self.value(value).filter(|_| !self.is_taken(value)) else { return };
            let source = self.source(value..last);
            let figures = source.bytes().filter(u8::is_ascii_digit).count();
            if figures < 3 || !source.bytes().any(|b| b.is_ascii_uppercase()) && figures < 5 || self.date_here(value).is_some() {
                return;
            }
            self.emit(value..last, Label::Id, "shape:id", 0.8);
            at = last;
        }
    }

    /// "(Gillard, 43 817)", "(NRI senior, 72214)", "Garde labo : 4 4521": extensions that a
    /// person or a ward carries.
    pub(super) fn carried_extensions(&mut self) {
        for at in 0..self.len() {
            if self.digits(at).is_none() || self.is_taken(at) {
                continue;
            }
            let mut end = at;
            let (mut total, mut groups) = (0, 0);
            while let Some(digits) =
                self.digits(end).filter(|_| (end == at || self.same_line(end) && !self.glued(end)) && !self.is_taken(end))
            {
                total += digits.count;
                groups += 1;
                end += 1;
            }
            let year = groups == 1 && self.digits(at).is_some_and(|d| (1900..2100).contains(&d.value));
            if !(4..=6).contains(&total) || year || self.measured(at) || self.date_here(at).is_some() {
                continue;
            }
            // "(KERVRAN, interne pharmacie, 4471, 12/03)"
            let dated = self.mark(end, ",") && self.same_line(end + 1) && self.date_here(end + 1).is_some();
            let bracketed =
                (self.mark(end, ")") || dated) && self.same_line(end) && self.mark(at.wrapping_sub(1), ",") && self.carrier(at - 1);
            let watch = groups > 1 && self.behind_watch(at) && !self.is(end, Cue::Unit) && !self.mark(end, "/");
            if bracketed || watch {
                self.emit(at..end, Label::Tel, "shape:extension", 0.7);
            }
        }
    }

    /// From the comma back to its bracket only names, titles and words of duty.
    fn carrier(&self, comma: usize) -> bool {
        let mut index = comma;
        let mut name = false;
        while index > 0 && comma - index < 9 && self.same_line(index) {
            index -= 1;
            if self.mark(index, "(") {
                // Letters of a ward alone stand behind somebody.
                let somebody = (1..7).take_while(|b| index >= *b).any(|b| self.is(index - b, Cue::Title));
                let people = (1..7).take_while(|b| index >= *b).any(|b| matches!(self.before(index, b), "avec" | "avis" | "appel" | "par"));
                return name || somebody || people;
            }
            let duty = is!(
                self.key(index),
                "senior"
                    | "interne"
                    | "garde"
                    | "neuro"
                    | "rea"
                    | "de"
                    | "cadre"
                    | "medecin"
                    | "du"
                    | "soir"
                    | "nuit"
                    | "d"
                    | "au"
                    | "par"
                    | "accord"
                    | "telephone"
                    | "tel"
                    | "prevenu"
                    | "prevenue"
                    | "joint"
                    | "jointe"
                    | "pharmacie"
            ) || staff(self.fold(index));
            let mark = is!(self.key(index), "-" | "." | "'" | ",");
            // "(Dr PORTE, 3 41 72)": behind a title a word is a name, whatever it measures.
            let titled = index > 0 && self.same_line(index) && self.is(index - 1, Cue::Title);
            let measure = self.is(index, Cue::AmountName) || self.is(index, Cue::Score) || self.is(index, Cue::Unit);
            if measure && !titled && !self.is(index, Cue::Title) || !(self.capital(index) || duty || mark) {
                return false;
            }
            let long = !self.upper(index) || self.fold(index).len() > 4;
            name |= titled || self.capital(index) && long && !crate::proper::known::explained(self.fold(index));
        }
        false
    }

    /// "garde labo :", "astreinte NRI": a ward that is on duty stands before.
    fn behind_watch(&self, at: usize) -> bool {
        let mut index = at;
        while index > 0 && at - index < 4 && self.same_line(index) {
            index -= 1;
            if is!(self.key(index), "garde" | "astreinte") {
                return index + 1 < at;
            }
            if !(self.word(index) || self.mark(index, ":")) {
                return false;
            }
        }
        false
    }
}

/// Words that numbers of things and bags of blood begin with.
pub(super) fn leads(key: u64) -> bool {
    blood(key) || abbreviated(key) || handed_out(key) || is!(key, "bon") || studied(key) || carries(key)
}

fn blood(key: u64) -> bool {
    is!(
        key,
        "cgr" | "pfc" | "cpa" | "mcp" | "cup" | "psl" | "pva" | "poche" | "poches" | "culot" | "culots" | "don" | "concentre" | "produit"
    )
}

fn abbreviated(key: u64) -> bool {
    is!(key, "s" | "mat" | "dos" | "imei" | "uf" | "drm" | "inventaire")
}

/// What is handed out with a code.
fn handed_out(key: u64) -> bool {
    is!(
        key,
        "recu"
            | "recepisse"
            | "quittance"
            | "bordereau"
            | "consigne"
            | "coffre"
            | "casier"
            | "scelle"
            | "scelles"
            | "colis"
            | "ticket"
            | "jeton"
            | "cle"
            | "certificat"
            | "empreinte"
            | "enveloppe"
            | "inventaire"
            | "depot"
            | "facture"
            | "devis"
            | "session"
            | "reunion"
            | "visio"
            | "teleconsultation"
            | "teleconsult"
            | "invitation"
            | "connexion"
            | "mission"
            | "trajet"
            | "transport"
            | "commande"
            | "livraison"
            | "requete"
            | "installation"
            | "autorisation"
            | "agrement"
            | "equipement"
            | "stimulateur"
            | "pacemaker"
            | "defibrillateur"
            | "respirateur"
            | "moniteur"
            | "holter"
            | "pompe"
            | "implant"
    )
}

fn studied(key: u64) -> bool {
    is!(key, "sujet" | "patient" | "patiente" | "inclusion" | "randomisation" | "participant")
}

fn carries(key: u64) -> bool {
    is!(key, "vol" | "vols" | "tgv" | "ouigo")
}
