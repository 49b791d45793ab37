//! Numbers of persons, stays, professionals, examinations and things.

use std::ops::Range;

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::form::{gate, opens_door};
use super::gazetteer::Cue;
use super::reader::Reader;
use crate::Label;
use crate::check_digit::{insurance_key, luhn};

/// Most words between the name of a number and the number.
const FILLERS: usize = 9;
/// Figures of a number that nothing names.
const LONG: usize = 7;

impl Reader<'_, '_> {
    /// Numbers behind their name: "IPP : 8001234567", "dossier n° 24-1234".
    pub fn named_numbers(&mut self) {
        for at in 0..self.len() {
            self.insurance_number(at);
        }
        for at in 0..self.len() {
            if let Some(label) = self.label_of(at)
                && !self.is_taken(at)
                && let Some((range, label, score)) = self.named_number(at, label)
            {
                let detector = match label {
                    Label::Ipp => "shape:ipp",
                    Label::Nda => "shape:nda",
                    Label::Secu => "shape:nir",
                    Label::Rpps => "shape:rpps",
                    _ => "shape:id",
                };
                let start = range.start;
                let end = if label == Label::Id { self.rest_of_code(start, range.end) } else { range.end };
                self.emit(start..end, label, detector, score);
                if label == Label::Id {
                    self.further_codes(end);
                }
                self.paired_number(at, label, end);
            }
        }
    }

    fn label_of(&self, at: usize) -> Option<Label> {
        if self.any(at, Cue::Ipp.bit() | Cue::Secu.bit() | Cue::Rpps.bit() | Cue::Nda.bit() | Cue::Id.bit()) {
            let labels =
                [(Cue::Ipp, Label::Ipp), (Cue::Secu, Label::Secu), (Cue::Rpps, Label::Rpps), (Cue::Nda, Label::Nda), (Cue::Id, Label::Id)];
            return labels.into_iter().find(|(cue, _)| self.is(at, *cue)).map(|(_, label)| label);
        }
        if !(self.capital(at) || self.is(at, Cue::StayWord) || is!(self.key(at), "n")) {
            return None;
        }
        self.field(at).or_else(|| {
            let stays = self.is(at, Cue::StayWord) && self.numbered(at + 1) || self.episode(at);
            let sign = is!(self.key(at), "n") && self.mark(at + 1, "°");
            if stays { Some(Label::Nda) } else { sign.then_some(Label::Id) }
        })
    }

    /// "NumExam", "AccNum", "StudyID": a field of a program, in one word.
    fn field(&self, at: usize) -> Option<Label> {
        let fold = self.fold(at);
        if !self.capital(at) || fold.len() < 5 || !fold.bytes().all(|b| b.is_ascii_lowercase()) {
            return None;
        }
        let named = fold
            .strip_prefix("num")
            .or_else(|| fold.strip_prefix("no"))
            .or_else(|| fold.strip_suffix("num"))
            .or_else(|| fold.strip_suffix("number"));
        let what = named.or_else(|| fold.strip_suffix("id")).filter(|w| w.len() > 2)?;
        let what = what.strip_prefix("ero").unwrap_or(what);
        match what {
            "patient" | "pat" | "ipp" => Some(Label::Ipp),
            "dossier" | "sejour" | "venue" | "visite" | "visit" | "admission" | "encounter" | "hospitalisation" | "entree" => {
                Some(Label::Nda)
            }
            "exam" | "examen" | "examens" | "acc" | "accession" | "study" | "serie" | "series" | "demande" | "lot" | "doc" | "document"
            | "acte" | "order" | "request" | "image" | "cliche" | "bon" | "prelevement" | "etude" | "fiche" | "intervention"
            | "instance" | "studyinstance" => Some(Label::Id),
            _ => None,
        }
    }

    /// "n°", "no", "numéro" stands here.
    fn numbered(&self, at: usize) -> bool {
        is!(self.key(at), "no" | "num" | "numero") || is!(self.key(at), "n") && self.mark(at + 1, "°")
    }

    fn named_number(&self, cue: usize, label: Label) -> Option<(Range<usize>, Label, f32)> {
        if self.hashed(cue) {
            return None;
        }
        let mut label = label;
        let mut at = cue + 1;
        let mut sign = self.mark(cue + 1, "°");
        let mut prefix = (is!(self.key(cue), "sn")).then_some(cue);
        let mut skipped = false;
        let mut door = is!(self.key(cue), "digicode" | "interphone");
        // The word before tells as well: "dossier n° 12", "n° de séjour".
        if label == Label::Id && self.is(cue, Cue::StayWord) {
            label = Label::Nda;
        }
        while at - cue <= FILLERS && self.near(at) {
            if self.value(at).is_some() || label != Label::Id && self.single_led(at) {
                break;
            }
            let (ipp, nda) = (self.is(at, Cue::Ipp) || self.is(at, Cue::PatientWord), self.is(at, Cue::Nda) || self.is(at, Cue::StayWord));
            match label {
                // "Code entrée 1745B": a door, not a stay.
                Label::Id if opens_door(self.fold(cue)) && gate(self.fold(at)) => door = true,
                Label::Id if ipp => label = Label::Ipp,
                Label::Id if nda => label = Label::Nda,
                Label::Id | Label::Nda if self.is(at, Cue::Secu) => label = Label::Secu,
                Label::Id if self.is(at, Cue::Rpps) => label = Label::Rpps,
                // "N° de série PM 881-22-K": letters before the figures.
                Label::Id
                    if self.upper(at)
                        && self.fold(at).len() <= 4
                        && !self.is(at, Cue::Id)
                        && self.same_line(at + 1)
                        && sign
                        && (self.is(cue, Cue::Id)
                            && is!(self.key(cue), "sn" | "serie" | "lot" | "ref" | "reference" | "modele" | "matricule" | "serial")
                            || self.before(at, 1) == "serie"
                            || at > 0 && self.is(at - 1, Cue::Id)
                            || self.before(at, 1) == "°")
                        && !self.is(at, Cue::Vital)
                        && !self.is(at, Cue::Score)
                        && self.value(at + 1).is_some() =>
                {
                    prefix = Some(at);
                }
                // "IPP BSM B-558102"
                Label::Ipp
                    if self.upper(at)
                        && (2..=4).contains(&self.fold(at).len())
                        && !self.is(at, Cue::IdFiller)
                        && !ipp
                        && !nda
                        && self.is(cue, Cue::Ipp)
                        && self.same_line(at)
                        && self.same_line(at + 1)
                        && self.upper(at + 1)
                        && self.value(at + 1).is_some() =>
                {
                    prefix = Some(at);
                }
                // "NIP B 1307 8825", "IPP Brouzac 17 332 096": a letter, or the town of the house.
                Label::Ipp if self.is(cue, Cue::Ipp) && self.upper(at) && self.fold(at).len() == 1 && self.value(at + 1).is_some() => {
                    prefix = Some(at);
                }
                Label::Ipp
                    if self.is(cue, Cue::Ipp)
                        && at == cue + 1
                        && self.capital(at)
                        && !self.upper(at)
                        && !self.is(at, Cue::IdFiller)
                        && !ipp
                        && !nda
                        && self.same_line(at + 1)
                        && self.digits(at + 1).is_some() => {}
                // "Badge AS 46-71503", "N° d'intervention SAMU 5120-40963": one word more.
                Label::Id | Label::Nda
                    if !skipped
                        && self.word(at)
                        && self.same_line(at)
                        && self.same_line(at + 1)
                        && self.is(cue, Cue::Id) | sign
                        && !self.is(at, Cue::Id)
                        && !self.is(at, Cue::IdFiller)
                        && !self.is(at, Cue::StayWord)
                        && self.coded(at + 1) =>
                {
                    skipped = true;
                }
                _ if !(self.is(at, Cue::IdFiller)
                    || self.is(at, Cue::Id)
                    || ipp
                    || nda
                    || self.is(at, Cue::Rpps)
                    || self.is(at, Cue::Secu)) =>
                {
                    return None;
                }
                // "série SN 44B-70316": its letters are said with it.
                _ if is!(self.key(at), "sn") && self.upper(at) && self.same_line(at) => prefix = Some(at),
                _ => {}
            }
            sign |= is!(self.key(at), ":" | "°" | "no" | "num" | "numero" | "#" | "=");
            at += 1;
        }
        let end = self.value(at).or_else(|| self.single_led(at).then_some(at + 1))?;
        if !self.same_line(at) && !sign && matches!(label, Label::Id) || self.is_taken(at) || self.form_code(at) {
            return None;
        }
        // "n° 44 871"
        let thousands =
            sign && self.digits(end).is_some_and(|d| d.count == 3) && self.digits(at).is_some_and(|d| matches!(d.count, 2 | 3 | 6));
        let end = if label == Label::Id && !thousands { end } else { self.spaced_groups(at, end) };
        let source = self.source(at..end);
        let figures = source.bytes().filter(u8::is_ascii_digit).count();
        let letters = source.chars().any(char::is_alphabetic);
        let counted = self.same_line(end) && !self.column(end) && (self.is(end, Cue::Unit) && !self.capital(end) || self.mark(end, "%"));
        let amount = counted && !letters && figures < 7;
        let decimal = end == at + 3 && is!(self.key(at + 1), "." | ",") && self.digits(at).is_some_and(|d| d.count < 3);
        if amount || decimal || self.date_here(at).is_some_and(|e| e + 2 >= end) || self.clock(at) {
            return None;
        }
        let acronym = !self.is(cue, Cue::Id) && !self.is(cue, Cue::StayWord) && !is!(self.key(cue), "venue" | "sejour" | "n");
        let own = is!(
            self.key(cue),
            "accession"
                | "lot"
                | "badge"
                | "matricule"
                | "sn"
                | "immatriculation"
                | "immatricule"
                | "immatriculee"
                | "ref"
                | "udi"
                | "serie"
                | "plaque"
                | "bracelet"
                | "imprime"
                | "nref"
                | "vref"
                | "acc"
                | "serial"
                | "nserie"
                | "lots"
        );
        let enough = match label {
            Label::Secu => figures >= 13,
            Label::Rpps => figures >= 8,
            Label::Ipp => figures >= 4,
            Label::Nda => figures >= 4,
            _ if door => figures >= 2,
            // "lot KBD7T4"
            _ if is!(self.key(cue), "lot" | "lots") && letters && self.upper(at) && source.len() > 4 => figures >= 2,
            _ => figures >= 3 && (figures >= 4 || letters || sign) && (!self.year_only(at, end) || own),
        };
        let field = self.field(cue).is_some();
        let named = acronym
            || sign
            || label == Label::Nda && self.episode(cue)
            || field
            || door && figures >= 2
            || skipped
            || label == Label::Id && letters && figures >= 4 && end == at + 1 && self.is(cue, Cue::Id)
            || label == Label::Nda && letters && figures >= 4 && self.upper(at) && self.same_line(at) && self.is(cue, Cue::Id)
            || figures >= 6 && end > at + 1 && self.same_line(at)
            || (own && (letters || figures >= 4))
            || is!(self.key(cue), "venue" | "sejour") && (figures >= 7 || end > at + 1 && figures > 5);
        let start = prefix.filter(|p| p + 1 == at && !self.is_taken(*p)).unwrap_or(at);
        (enough && named).then_some((start..end, label, if acronym { 1.0 } else { 0.85 }))
    }

    /// A number or a code: the token behind it, marks inside without space.
    pub(super) fn value(&self, at: usize) -> Option<usize> {
        let token = self.token(at).filter(|t| t.kind != Kind::Mark)?;
        let end = self.chain(at, &["-", "/", ".", "_"]);
        let source = self.source(at..end);
        let figures = source.bytes().filter(u8::is_ascii_digit).count();
        (figures >= 2 && (token.kind == Kind::Number || token.upper || figures >= 4)).then_some(end)
    }

    /// A code that is hardly an amount: letters and figures, or figures that a hyphen joins.
    pub(super) fn coded(&self, at: usize) -> bool {
        let Some(end) = self.value(at) else { return false };
        let source = self.source(at..end);
        let figures = source.bytes().filter(u8::is_ascii_digit).count();
        let letters = source.bytes().any(|b| b.is_ascii_alphabetic());
        let dashed = source.contains(['-', '_']);
        figures >= 4
            && (letters || dashed && figures >= 5 || source.contains('/') && figures >= 6 || figures >= 7)
            && self.date_here(at).is_none()
            && !self.measured(at)
    }

    /// "1 02 00 37 65 50": the first group is one figure.
    pub(super) fn single_led(&self, at: usize) -> bool {
        let one = self.digits(at).is_some_and(|d| d.count == 1) && self.same_line(at + 1) && self.digits(at + 1).is_some();
        one && !self.glued(at + 1) && self.source(at..self.spaced_groups(at, at + 1)).bytes().filter(u8::is_ascii_digit).count() >= 8
    }

    /// "80 0123 4567": groups of figures with spaces between.
    pub(super) fn spaced_groups(&self, at: usize, end: usize) -> usize {
        let mut end = end;
        let mut total = self.source(at..end).bytes().filter(u8::is_ascii_digit).count();
        while self.same_line(end) && !self.column(end) {
            let part = self.fold(end);
            let Some(token) = self.token(end).filter(|t| t.kind == Kind::Number) else { break };
            let corsica = matches!(part, "2a" | "2b");
            let dated = self.day_behind_gap(end) || is!(self.key(end + 1), "/" | ".") && self.date_here(end).is_some();
            if dated
                || !(corsica || self.digits(end).is_some())
                || part.len() > 5
                || total + part.len() > 15
                || self.is(end + 1, Cue::Unit) && !token.space_before
            {
                break;
            }
            total += part.len();
            end += 1;
        }
        end
    }

    fn year_only(&self, at: usize, end: usize) -> bool {
        end == at + 1 && self.digits(at).is_some_and(|d| d.count == 4 && (1900..2100).contains(&d.value))
    }

    fn clock(&self, at: usize) -> bool {
        let fold = self.fold(at);
        fold.len() <= 5
            && fold.split_once('h').is_some_and(|(h, m)| !h.is_empty() && [h, m].iter().all(|p| p.bytes().all(|b| b.is_ascii_digit())))
    }

    /// A French insurance number: sex, year, month, place, order and key.
    fn insurance_number(&mut self, at: usize) {
        if self.kind(at) != Some(Kind::Number) || self.glued(at) && self.kind(at - 1) != Some(Kind::Mark) {
            return;
        }
        let fold = self.fold(at);
        let more = self.kind(at + 1) == Some(Kind::Number) || is!(self.key(at + 1), "." | "-" | "/" | "|");
        if !fold.starts_with(['1', '2', '3', '4', '7', '8']) || !more && fold.len() < 13 {
            return;
        }
        let mut text = String::with_capacity(16);
        let mut slashed = false;
        let mut end = at;
        while text.len() < 15 {
            let part = self.fold(end);
            let Some(token) = self.token(end).filter(|t| t.kind == Kind::Number && (end == at || t.lines_before == 0)) else { break };
            let letters = part.bytes().filter(|b| !b.is_ascii_digit()).count();
            let apart = end > at && self.column(end);
            if apart
                || letters > 1
                || letters == 1 && !(part.contains("2a") || part.contains("2b"))
                || text.len() + part.len() > 15
                || token.lines_before > 0 && end > at
            {
                break;
            }
            text.push_str(part);
            end += 1;
            if text.len() < 15 && is!(self.key(end), "." | "-" | "/" | "|") && self.same_line(end) {
                slashed |= is!(self.key(end), "/" | "|") && text.len() < 13;
                end += 1;
            }
        }
        if end > at && self.kind(end - 1) == Some(Kind::Mark) {
            end -= 1;
        }
        // "/ clé 38"
        if text.len() == 13 {
            let mut next = end;
            while is!(self.key(next), "/" | "-" | "," | "(" | ":" | "cle" | "clef" | "k" | ".") && self.same_line(next) && next < end + 5 {
                next += 1;
            }
            let named = (end..next).any(|i| is!(self.key(i), "cle" | "clef" | "k"));
            if named && self.same_line(next) && self.digits(next).is_some_and(|d| d.count == 2) {
                text.push_str(self.fold(next));
                end = next + 1;
            }
        }
        // A row of pressures: "126/64 | 133/72".
        if slashed && self.fold(at).len() != 1 {
            return;
        }
        let Some(key) = insurance_key(&text) else { return };
        let groups = end - at;
        let cued = self.cue_before(at, 8, Cue::Secu) || self.cue_before(at, 8, Cue::Ipp);
        let complete = text.len() == 15;
        if complete && (key || cued || groups <= 2 || groups >= 6) || cued && text.len() == 13 {
            let score = if key { 1.0 } else { 0.8 };
            self.emit(at..end, Label::Secu, "shape:nir", score);
        }
    }

    /// Codes that their form alone gives away: "AP-24-01234", "AB-123-CD".
    pub fn coded_numbers(&mut self) {
        for at in 0..self.len() {
            let three = self.upper(at) && self.digits(at + 1).is_some_and(|d| d.count == 3);
            if !(three || self.joined(at)) || self.is_taken(at) || self.kind(at) == Some(Kind::Mark) {
                continue;
            }
            if self.glued(at) && self.kind(at - 1) != Some(Kind::Mark)
                || self.tail(at)
                || self.glued(at) && matches!(self.before(at, 1), "-" | "_") && at > 1 && self.glued(at - 1)
            {
                continue;
            }
            let end = self.chain(at, &["-", "_"]);
            // "plaque AB 123 CD"
            let plate = three
                && self.upper(at + 2)
                && self.fold(at).len() == 2
                && self.fold(at + 2).len() == 2
                && self.same_line(at + 1)
                && self.same_line(at + 2)
                && (1..5).any(|back| {
                    matches!(
                        self.before(at, back),
                        "plaque"
                            | "immat"
                            | "immatriculation"
                            | "immatricule"
                            | "immatriculee"
                            | "vehicule"
                            | "voiture"
                            | "vsl"
                            | "ambulance"
                    )
                });
            if plate {
                self.emit(at..at + 3, Label::Id, "shape:code", 0.8);
            }
            // "F-HZQL": a helicopter of the rescue.
            let aircraft = end == at + 3
                && is!(self.key(at), "f" | "hb" | "lx" | "oo" | "d")
                && self.upper(at)
                && self.upper(at + 2)
                && matches!(self.fold(at + 2).len(), 3 | 4)
                && self.source(at + 2..at + 3).bytes().all(|b| b.is_ascii_uppercase())
                && (is!(self.key(at), "f")
                    && self.fold(at + 2).len() == 4
                    && self.fold(at + 2).starts_with(['b', 'g', 'h', 'j', 'o', 'w', 'z'])
                    || (1..5).any(|b| matches!(self.before(at, b), "helico" | "helicoptere" | "appareil" | "dragon" | "avion" | "immat")));
            if aircraft {
                self.emit(at..end, Label::Id, "shape:code", 0.8);
            }
            let dated = || self.date_here(at) == Some(end);
            if end > at + 1 && !dated() && self.free(at..end) && self.code(at, end) && (self.plate(at, end) || !self.form_code(at)) {
                self.emit(at..end, Label::Id, "shape:code", 0.8);
            }
        }
    }

    /// "AB-123-CD".
    fn plate(&self, at: usize, end: usize) -> bool {
        let pair = |i: usize| {
            let written = self.source(i..i + 1);
            written.len() == 2 && written.bytes().all(|b| b.is_ascii_uppercase())
        };
        end == at + 5 && pair(at) && self.digits(at + 2).is_some_and(|d| d.count == 3) && pair(at + 4)
    }

    fn code(&self, at: usize, end: usize) -> bool {
        let parts: Vec<usize> = (at..end).step_by(2).collect();
        let source = self.source(at..end);
        let figures = source.bytes().filter(u8::is_ascii_digit).count();
        let written = |i: usize| self.source(i..i + 1);
        if self.plate(at, end) {
            return true;
        }
        let capitals = |i: usize| written(i).len() <= 10 && written(i).bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let letters = parts.iter().any(|p| capitals(*p) && written(*p).bytes().filter(u8::is_ascii_uppercase).count() >= 2);
        let mixed = parts.iter().any(|p| {
            let figures = written(*p).bytes().filter(u8::is_ascii_digit).count();
            figures >= 2 && figures < written(*p).len() && capitals(*p)
        });
        let long = parts.iter().any(|p| self.digits(*p).is_some_and(|d| d.count >= 3));
        // "TNK-30-12-17": letters make of a date the number of a lot.
        let lot = parts.len() == 4
            && written(at).bytes().all(|b| b.is_ascii_uppercase())
            && (2..=4).contains(&written(at).len())
            && parts[1..].iter().all(|p| self.digits(*p).is_some_and(|d| d.count == 2))
            && (1..4).any(|back| {
                at >= back
                    && (self.is(at - back, Cue::Id) || matches!(self.before(at, back), "tracabilite" | "pharmacie" | "kit" | "boite"))
            });
        if lot {
            return true;
        }
        let dated = parts.iter().any(|p| self.date_here(*p).is_some());
        let year = parts.len() == 2 && self.year_only(parts[1], parts[1] + 1);
        // "Achieva 3T (NMR-02)": the number of a machine.
        let machine = at > 1
            && self.mark(at - 1, "(")
            && self.mark(end, ")")
            && parts.len() == 2
            && letters
            && figures >= 2
            && (self.before(at, 2).ends_with("5t")
                || matches!(self.before(at, 2), "3t" | "irm" | "scanner" | "salle" | "appareil" | "machine" | "echographe" | "t"));
        // "Holter (H-2214)": the number of what is worn or stands at the bed
        let worn = parts.len() == 2
            && figures >= 3
            && at > 1
            && self.mark(at - 1, "(")
            && self.mark(end, ")")
            && self.upper(at)
            && matches!(
                self.before(at, 2),
                "holter" | "boitier" | "enregistreur" | "pompe" | "pse" | "scope" | "respirateur" | "matelas" | "fauteuil" | "coffre"
            );
        machine || worn || (letters || mixed) && long && figures >= 4 && !dated && !year
    }

    /// Long numbers that nothing names, and words with many figures.
    pub fn long_numbers(&mut self) {
        for at in 0..self.len() {
            if !self.figured(at) || self.is_taken(at) {
                continue;
            }
            let (fold, source) = (self.fold(at), self.source(at..at + 1));
            if fold.len() < LONG || self.kind(at) == Some(Kind::Mark) {
                continue;
            }
            let figures = fold.bytes().filter(u8::is_ascii_digit).count();
            let letters = fold.trim_start_matches(|c: char| c.is_ascii_digit());
            if !letters.is_empty() && self.knowledge.cues(letters) & Cue::Unit.bit() != 0 {
                continue;
            }
            if scrambled(source) {
                self.emit(at..at + 1, Label::Id, "shape:code", 0.7);
                continue;
            }
            if figures < 6 || self.is(at + 1, Cue::Unit) && self.same_line(at + 1) {
                continue;
            }
            if let Some(digits) = self.digits(at) {
                let measured = self.measured(at) || self.cue_before(at, 3, Cue::AmountName);
                let decimal = is!(self.key(at + 1), "," | ".") && self.glued(at + 1) && self.glued(at + 2) && self.digits(at + 2).is_some();
                // A round number is an amount, but not beside a name.
                let round = fold.bytes().rev().take_while(|b| *b == b'0').count() >= 4 && !self.cue_before(at, 12, Cue::PatientWord);
                if measured || decimal || digits.count < LONG || round {
                    continue;
                }
                let professional = digits.count == 11 && fold.starts_with('1') && (luhn(fold) || fold.starts_with("10"));
                let label = if professional { Label::Rpps } else { Label::Id };
                self.emit(at..at + 1, label, if professional { "shape:rpps" } else { "shape:number" }, 0.7);
            } else if source.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase()) || figures >= 8 {
                let label = if fold.starts_with("ipp") { Label::Ipp } else { Label::Id };
                self.emit(at..at + 1, label, "shape:code", 0.7);
            }
        }
    }
}

/// "F17ZK0Q8PLJM": capitals and figures in turn, as devices are numbered; not "pT2N1M0", "A2S2C1O0D0".
fn scrambled(source: &str) -> bool {
    let bytes = source.as_bytes();
    let figures = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let turns = bytes.windows(2).filter(|w| w[0].is_ascii_digit() != w[1].is_ascii_digit()).count();
    bytes.len() >= 10
        && bytes.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        && bytes[0].is_ascii_uppercase()
        && figures >= 3
        && bytes.len() - figures >= 3
        && (4..bytes.len() - 1).contains(&turns)
        && !matches!(&bytes[..2], b"PT" | b"CT" | b"YP")
        && !source.starts_with("CHA")
}
