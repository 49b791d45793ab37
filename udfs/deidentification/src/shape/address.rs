//! Street lines, post boxes, houses with a name, postal codes and the town behind them.

use std::ops::Range;

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::gazetteer::Cue;
use super::reader::Reader;
use crate::Label;

/// Most words of a street's name.
pub(super) const LONGEST: usize = 12;
/// Words that an address part may stand away from its street.
const BESIDE: usize = 14;

impl Reader<'_, '_> {
    pub fn addresses(&mut self) {
        for at in 0..self.len() {
            if self.is(at, Cue::Street) || self.numbered_street(at) {
                if !self.is_taken(at) {
                    self.street(at);
                }
            } else if self.capital(at) {
                self.foreign_street(at);
            }
        }
        for at in 0..self.len() {
            if self.kind(at) == Some(Kind::Number) && !self.is_taken(at) {
                self.postal_code(at);
            }
        }
        for at in 0..self.len() {
            if self.is(at, Cue::AddressPart) || is!(self.key(at), "b") && self.dotted_box(at) {
                if !self.is_taken(at) {
                    self.part(at);
                }
            } else if self.is(at, Cue::Dwelling) && !self.is_taken(at) {
                self.stated(at);
            }
        }
    }

    /// "12 bis rue des Lilas", "boulevard Pasteur".
    fn street(&mut self, at: usize) {
        let glued = self.numbered_street(at);
        let number = if glued { Some(at..at + 1) } else { self.house_number(at) };
        let mut name = at + 1;
        if is!(self.key(at), "lieu") {
            name = match (self.fold(at + 1), self.fold(at + 2)) {
                ("dit", _) => at + 2,
                ("-", "dit" | "dits") => at + 3,
                _ => return,
            };
        } else if is!(self.key(at), "rond") {
            name = at + 3;
            if !(self.mark(at + 1, "-") && is!(self.key(at + 2), "point")) {
                return;
            }
        }
        // "fausse route NON", "une place le 12/04"
        let dated = number.is_none() && self.digits(name + 1).is_some() && self.mark(name + 2, "/");
        if dated || self.fold(at).starts_with("route") && self.before(at, 1).starts_with("fausse") {
            return;
        }
        const SHORT: &[&str] = &[
            "av", "ave", "bd", "bld", "blvd", "r", "pl", "imp", "sq", "all", "rte", "fg", "fbg", "res", "trav", "crs", "ham", "chem", "ch",
            "che", "lot", "prom", "esp", "pass", "quart", "dom",
        ];
        if self.mark(name, ".") && self.glued(name) && SHORT.contains(&self.fold(at)) {
            name += 1;
            // "R.O.T.": letters with dots.
            if self.glued(name) && self.fold(name).len() == 1 && self.mark(name + 1, ".") {
                return;
            }
        }
        let named = is!(self.key(at), "lieu" | "lieudit");
        // "Rond-point de la Gare - 56110 Brouzac", never one where somebody was found.
        let circle = is!(self.key(at), "rond") && number.is_none();
        if circle && !self.code_behind(self.street_end(name, true)) {
            return;
        }
        // "Chaussée de X 150, 5500 Dinant"
        let abroad = number.is_none() && self.capital(at) && self.number_behind(self.street_end(name, true)).is_some();
        let sure = self.is(at, Cue::SureStreet) || named || glued || circle || abroad;
        if number.is_none() && (!sure || self.fold(at).len() < 2) {
            return;
        }
        let mut first = name;
        while self.is(first, Cue::Particle) && (self.same_line(first) || first == name && self.near(first))
            || self.mark(first, "'") && self.glued(first)
        {
            first += 1;
        }
        let wrapped = number.is_some() && sure && first > name && self.near(first) && self.line_start(name);
        if !(self.same_line(first) || wrapped) || self.kind(first) == Some(Kind::Mark) || self.is_taken(first) {
            return;
        }
        let linked = first > name && !is!(self.key(name), "sur" | "en" | "et" | "a" | "sous" | "pres" | "devant" | "au");
        let proper = self.capital(first) || self.kind(first) == Some(Kind::Number) && linked;
        let own_line = number.as_ref().is_some_and(|n| self.line_start(n.start) || self.cue_before(n.start, 3, Cue::Dwelling));
        let accepted = match (&number, sure) {
            (Some(_), true) => proper || linked || own_line,
            // "10 r. Victor-Hugo", "3 place Foch", never "2 cours de kiné".
            // "27 ch. des Jonquilles", never "sonde 18 ch. Foley".
            (Some(_), false) if is!(self.key(at), "ch") => linked && proper && !self.upper(at) && self.mark(at + 1, "."),
            (Some(_), false) if is!(self.key(at), "r") && linked && proper && !self.upper(at) => !self.is(first, Cue::Unit),
            (Some(_), false) => {
                (proper || linked && own_line) && !self.is(first, Cue::Unit) && (self.fold(at).len() > 1 || self.mark(at + 1, "."))
            }
            (None, _) if name < first && !linked => return,
            (None, _) => {
                let way = is!(self.key(at), "route" | "place" | "chemin" | "cite" | "av");
                let excluded = way && matches!(self.before(at, 1), "en" | "sur" | "la" | "par" | "de") && !self.capital(at);
                let shouted = self.upper(at) && (way || self.before(at, 1) == "la"); // in a line of capitals
                // "place du Docteur Baylac", "rue du Général X": a title and a name.
                let titled = is!(
                    self.key(first),
                    "docteur"
                        | "dr"
                        | "professeur"
                        | "pr"
                        | "general"
                        | "gal"
                        | "marechal"
                        | "mal"
                        | "president"
                        | "abbe"
                        | "colonel"
                        | "commandant"
                ) && self.capital(first + 1)
                    && self.same_line(first + 1);
                // "SAU, avenue de l'Hôpital, 56110 Brouzac": a postal code behind the words of a field.
                let coded = linked && self.opens_field(at) && self.code_behind(self.street_end(first, true));
                // "Service d'imagerie - Route impériale, Falconaja - 20604".
                const RANKS: &[&str] =
                    &["nationale", "departementale", "imperiale", "royale", "territoriale", "communal", "communale", "rural", "romaine"];
                let ranked = is!(self.key(at), "route" | "chemin" | "voie") && RANKS.contains(&self.fold(first));
                ranked && self.capital(at) && self.opens_field(at)
                    || proper && !excluded && (coded || !shouted && (titled || !self.is(first, Cue::EndsName)))
            }
        };
        if !accepted {
            return;
        }
        let numbered = number.is_some();
        let start = number.map_or(at, |n| n.start);
        let end = self.street_end(first, own_line || self.line_start(start));
        let start = self.building(start);
        // "appartement 14, résidence des Tilleuls"
        let flat =
            start > 0 && self.same_line(start) && is!(self.key(start - 1), "appartement" | "appt" | "apt") && !self.is_taken(start - 1);
        let behind = if numbered { None } else { self.number_behind(end) };
        let end = behind.unwrap_or(end);
        self.emit(start - usize::from(flat)..end, Label::Adresse, "shape:street", 0.95);
        if behind.is_some() {
            self.foreign_code(end);
        } else {
            self.short_code(end);
        }
    }

    /// "Centre médical, route d'Uzès": the house or the hamlet that a comma parts from its street.
    fn building(&self, street: usize) -> usize {
        let Some(comma) = street.checked_sub(1).filter(|c| self.mark(*c, ",") && self.same_line(street)) else { return street };
        let mut first = comma;
        while first > 0
            && comma - first < 5
            && self.same_line(first)
            && (self.word(first - 1) || self.mark(first - 1, "-") || self.mark(first - 1, "'"))
            && !self.is_taken(first - 1)
        {
            first -= 1;
        }
        let house = is!(
            self.key(first),
            "centre"
                | "maison"
                | "cabinet"
                | "immeuble"
                | "residence"
                | "pole"
                | "espace"
                | "villa"
                | "domaine"
                | "lotissement"
                | "hameau"
                | "batiment"
                | "tour"
        );
        // "Le Moulin, 3 montée du Puits", "née …, Le Moulin, chemin du Puits", "Dr Roux, maison de santé, 5 place du Puits"
        let numbered = self.kind(street) == Some(Kind::Number);
        let hamlet = (self.before(first, 1) == "," || numbered && self.line_start(first))
            && self.is(first, Cue::House)
            && comma > first + 1
            && (first..comma).all(|i| self.capital(i) || self.is(i, Cue::Particle) || self.kind(i) == Some(Kind::Mark))
            && !(first..comma).any(|i| self.is(i, Cue::Title) || self.is(i, Cue::Hospital));
        let inner = numbered && house && first + 1 < comma && first > 0 && self.mark(first - 1, ",");
        if (house && self.capital(first) || hamlet || inner) && first < comma && !self.column(comma) { first } else { street }
    }

    /// A postal code and a town, behind a comma or not.
    fn code_behind(&self, end: usize) -> bool {
        let mut code = end + usize::from(is!(self.key(end), "," | "-" | "–"));
        // ", BP 9 - 56110"
        if code > end && is!(self.key(code), "bp" | "cs" | "tsa") && self.digits(code + 1).is_some() {
            code += 2;
            code += usize::from(is!(self.key(code), "," | "-" | "–"));
        }
        self.same_line(code + 1) && self.digits(code).is_some_and(|d| d.count == 5) && self.same_line(code) && self.capital(code + 1)
    }

    /// "12rue": a number and a street in one word.
    fn numbered_street(&self, at: usize) -> bool {
        if self.kind(at) != Some(Kind::Number) {
            return false;
        }
        let fold = self.fold(at);
        // The shortest is "1av".
        if fold.len() < 3 || fold.ends_with(|c: char| c.is_ascii_digit()) {
            return false;
        }
        let figures = fold.bytes().take_while(u8::is_ascii_digit).count();
        (1..=4).contains(&figures)
            && matches!(&fold[figures..], "rue" | "avenue" | "boulevard" | "impasse" | "chemin" | "allee" | "bd" | "av")
    }

    /// The number before a street: "12", "12 bis,", "12-14", "3B".
    fn house_number(&self, street: usize) -> Option<Range<usize>> {
        if !self.same_line(street) {
            return None;
        }
        let mut at = street.checked_sub(1)?;
        if self.mark(at, ",") {
            at = at.checked_sub(1)?;
        }
        let suffix = is!(self.key(at), "bis" | "ter" | "quater" | "a" | "b" | "c" | "d");
        if suffix && self.same_line(at) {
            at = at.checked_sub(1)?;
        }
        let number = |at: usize| {
            if self.kind(at) != Some(Kind::Number) {
                return false;
            }
            let fold = self.fold(at);
            let figures = fold.bytes().take_while(u8::is_ascii_digit).count();
            let rest = &fold[figures..];
            (1..=4).contains(&figures) && (rest.is_empty() || matches!(rest, "bis" | "ter" | "a" | "b" | "c" | "d"))
        };
        // "née le 3 mai 1951, chemin du Puits"
        let year = || at > 0 && self.is(at - 1, Cue::Month) && self.same_line(at) && self.fold(at).len() == 4;
        if !number(at) || self.is_taken(at) || year() {
            return None;
        }
        let mut first = at;
        if at >= 2
            && (is!(self.key(at - 1), "et" | "a") || is!(self.key(at - 1), "-" | "/") && self.glued(at - 1) && self.glued(at))
            && number(at - 2)
            && self.same_line(at)
            && self.same_line(at - 1)
            && !self.is_taken(at - 2)
        {
            first = at - 2;
        }
        // "n° 12"
        if first >= 2 && self.mark(first - 1, "°") && is!(self.key(first - 2), "n") {
            first -= 2;
        }
        Some(first..at + 1)
    }

    /// The token behind the name of a street.
    pub(super) fn street_end(&self, first: usize, own_line: bool) -> usize {
        let mut end = first + 1;
        let mut at = end;
        let mut lower = usize::from(!self.capital(first));
        while at < first + LONGEST && self.same_line(at) && !self.column(at) && !self.is_taken(at) {
            let glued = self.glued(at);
            match self.kind(at) {
                Some(Kind::Mark) => {
                    let inside = match self.fold(at) {
                        "-" | "'" => glued && self.glued(at + 1) || is!(self.key(at), "'"),
                        // "Dr. Roux", "J. Moulin", "St. Jean"
                        "." => {
                            glued
                                && self.same_line(at + 1)
                                && self.fold(at - 1).len() <= 3
                                && self.capital(at - 1)
                                && self.capital(at + 1)
                                && !self.knowledge.is_town(self.fold(at - 1))
                        }
                        _ => false,
                    };
                    if !inside {
                        break;
                    }
                    at += 1;
                    continue;
                }
                Some(Kind::Number) => {
                    let Some(digits) = self.digits(at) else { break };
                    let dated = self.is(at + 1, Cue::Month) || self.is(at - 1, Cue::Month);
                    if digits.count == 5 || !(dated || is!(self.key(at - 1), "du" | "le")) {
                        break;
                    }
                }
                // "route de Xxxxx CS 90632"
                Some(Kind::Word)
                    if is!(self.key(at), "cs" | "bp" | "tsa")
                        && self.upper(at)
                        && self.same_line(at + 1)
                        && self.digits(at + 1).is_some_and(|d| (3..=5).contains(&d.count)) =>
                {
                    return at + 2;
                }
                Some(Kind::Word) => {
                    let particle = self.is(at, Cue::Particle) && (glued || !is!(self.key(at), "a") || self.made_for(at));
                    let follows = particle
                        && (self.leads_to_capital(at)
                            || self.is(at + 1, Cue::Particle)
                            || own_line
                            || self.mark(at + 1, "'")
                            || self.digits(at + 1).is_some());
                    let stops = is!(self.key(at), "a" | "depuis") && !glued
                        || self.is(at, Cue::Phone)
                        || self.is(at, Cue::Title) && !glued && !is!(self.key(at), "pr");
                    if particle && follows && self.same_line(at + 1) {
                        at += 1;
                        continue;
                    }
                    if stops || self.is(at, Cue::SureHospital) && !glued {
                        break;
                    }
                    let month = self.is(at, Cue::Month);
                    if !self.capital(at) && !month {
                        lower += 1;
                        if !own_line && lower > 1 {
                            break;
                        }
                    }
                }
                None => break,
            }
            at += 1;
            end = at;
        }
        end
    }

    /// "34000 Montpellier", "F-34000", "34 000 Montpellier", and what stands before.
    fn postal_code(&mut self, at: usize) {
        let Some(digits) = self.digits(at) else {
            // "34000MONTPELLIER"
            let (fold, town) = (self.fold(at), self.fold(at).get(5..).unwrap_or(""));
            if fold.bytes().take(5).all(|b| b.is_ascii_digit()) && town.len() > 2 && self.knowledge.is_town(town) {
                self.emit(at..at + 1, Label::Ville, "shape:zip+town", 0.9);
            }
            return;
        };
        let mut end = at + 1;
        let country = self.glued(at)
            && self.mark(at - 1, "-")
            && self.glued(at - 1)
            && matches!(self.before(at, 2), "f" | "b" | "ch" | "l" | "d" | "fr");
        if digits.count == 2 && self.digits(at + 1).is_some_and(|d| d.count == 3) && self.same_line(at + 1) {
            end = at + 2;
        } else if !(digits.count == 5 || country && digits.count == 4) {
            return;
        }
        let boxed = at > 0 && matches!(self.before(at, 1), "cs" | "bp" | "tsa") || self.tail(at) && !country;
        if boxed || self.glued(at) && !country && !matches!(self.before(at, 1), "(" | "-" | "," | ":" | "–" | "|" | "/") {
            return;
        }
        let department = if end == at + 1 { digits.value / 1000 } else { digits.value };
        if self.glued(end) && !is!(self.key(end), "," | ")" | "-" | "." | ";" | "|" | "(")
            || department == 0
            || department > 98
            || department == 96
        {
            return;
        }
        let next = if is!(self.key(end), "-" | "," | "–") && self.same_line(end) { end + 1 } else { end };
        let town = if self.same_line(next) { self.knowledge.towns.longest(self.text, next).map(|(end, _)| end) } else { None };
        let named =
            matches!(self.before(at, 1), "cp" | "postal") || matches!(self.before(at, 2), "cp" | "postal") && self.mark(at - 1, ":");
        // "code postal inexact (56110 et non 56000)"
        let named =
            named || (3..10).take_while(|back| at >= *back && self.same_line(at + 1 - back)).any(|back| self.before(at, back) == "postal");
        let addressed = self.found.last().is_some_and(|s| s.label == Label::Adresse) && {
            let from = at.saturating_sub(7);
            self.found.iter().rev().take(3).any(|s| {
                s.label == Label::Adresse
                    && self
                        .token(from)
                        .is_some_and(|t| s.end >= t.start as usize && s.end <= self.token(at).map_or(0, |t| t.start as usize))
            })
        };
        let placed = digits.count == 5 && end == at + 1 && (addressed || named || self.line_start(at));
        let known = town.is_some_and(|e| self.capital(next) || self.capital(e - 1) || placed && !self.is(next, Cue::Unit));
        let amount =
            self.measured(at) || self.cue_before(at, 2, Cue::AmountName) || self.is(end, Cue::Unit) && self.same_line(end) && !known;
        let shouted =
            digits.count == 5 && self.upper(next) && self.fold(next).len() > 3 && at > 0 && (self.capital(at - 1) || self.is_taken(at - 1));
        let opened = self.line_start(at) || shouted || matches!(self.before(at, 1), "," | "-" | "–" | "(" | "a" | "|");
        // "73700 La Xxxxx", "97420 L'Xxxxx"
        let behind = next + 1 + usize::from(self.mark(next + 1, "'"));
        let article = is!(self.key(next), "la" | "le" | "les" | "l") && self.same_line(behind) && self.capital(behind);
        let article = article && digits.count == 5 && !self.is(behind, Cue::AmountName) && !self.is(behind, Cue::EndsName);
        let opened = opened || article && self.mark(at.wrapping_sub(1), ":") && self.cue_before(at, 3, Cue::Dwelling);
        let capital =
            self.same_line(next) && self.capital(next) && !self.is(next, Cue::AmountName) && (self.fold(next).len() > 2 || article);
        let cedex = self.same_line(next) && self.capital(next) && (next..next + 6).any(|i| is!(self.key(i), "cedex") && self.same_line(i));
        if end == at + 2 && !known {
            return;
        }
        // "Habite Kerbihan, AURAY, 56400"
        if let Some(before) = self.town_before_code(at).filter(|_| !amount && !capital && !known) {
            self.emit(before, Label::Ville, "shape:town+zip", 0.8);
            self.emit(at..end, Label::Zip, "shape:zip", 0.9);
            return;
        }
        if !(known
            || cedex
            || (named || addressed) && !amount
            || capital && opened && !amount && (article || !self.is(next, Cue::EndsName)))
        {
            return;
        }
        let start = if country { at - 2 } else { at };
        self.emit(start..end, Label::Zip, "shape:zip", 0.95);
        self.house(start);
        if known || capital || cedex {
            let last = self.town_behind_code(next, town);
            if last > next {
                self.emit(next..last, Label::Ville, "shape:zip+town", 0.95);
            }
        }
    }

    /// The town that stands before its postal code in an address.
    fn town_before_code(&self, at: usize) -> Option<Range<usize>> {
        let end = at.checked_sub(1).filter(|c| self.mark(*c, ",") || self.mark(*c, "("))?;
        let first = (0..end).rev().take(6).take_while(|i| self.same_line(i + 1)).find(|i| self.mark(*i, ",") || self.mark(*i, ":"))? + 1;
        let spelled = (first..end).all(|i| self.capital(i) || self.is(i, Cue::Particle) || self.kind(i) == Some(Kind::Mark));
        let addressed = self.cue_before(at, 14, Cue::Dwelling) || self.is_taken(first.saturating_sub(2));
        (first < end && spelled && addressed && self.free(first..end) && self.capital(first)).then_some(first..end)
    }

    /// The token behind the town that follows a postal code, `CEDEX 5` included.
    fn town_behind_code(&self, first: usize, known: Option<usize>) -> usize {
        let mut end = match known {
            Some(end) => self.hyphenated(end),
            None => self.place_chain(first, 5),
        };
        if is!(self.key(end), "cedex") && self.same_line(end) {
            end += 1;
            if self.digits(end).is_some_and(|d| d.count <= 2) && self.same_line(end) {
                end += 1;
            }
        }
        end
    }

    /// What stands between the start of the line, or the line before, and a postal
    /// code: a house or hamlet that has a name alone.
    fn house(&mut self, code: usize) {
        let mut end = code;
        while end > 0 && is!(self.key(end - 1), "," | "-" | "–" | "|") && self.same_line(end) {
            end -= 1;
        }
        let Some(last) = end.checked_sub(1).filter(|l| !self.is_taken(*l) && self.near(end) && self.word(*l)) else { return };
        let own_line = self.line_start(end);
        let mut first = last;
        while first > 0
            && self.same_line(first)
            && !self.is_taken(first - 1)
            && !is!(self.key(first - 1), ":" | "," | ";" | "(" | "." | "–" | "|")
            && (self.glued(first) || !self.mark(first - 1, "-"))
            && last - first < 6
            && !self.column(first)
        {
            first -= 1;
        }
        let parted = matches!(self.before(first, 1), ":" | "," | "-" | "–" | "|") && !self.glued(first);
        let led = parted || self.line_start(first);
        let stated = self.cue_before(first, 3, Cue::Dwelling);
        let house = self.is(first, Cue::House) && self.capital(first) && (first..=last).any(|i| i > first && self.capital(i));
        // "12 hent ar Mor, 29241": a number opens what stands before the postal code.
        let numbered = self.digits(first).is_some_and(|d| d.count <= 4)
            && last > first + 1
            && self.word(first + 1)
            && !self.is(first + 1, Cue::Unit)
            && !self.is(first + 1, Cue::Month)
            && (first + 1..=last).all(|i| self.kind(i) != Some(Kind::Number))
            && self.line_start(first);
        if numbered && !own_line {
            self.emit(first..last + 1, Label::Adresse, "shape:house", 0.8);
            return;
        }
        let care = (first..=last).any(|i| {
            self.is(i, Cue::SureHospital) || self.is(i, Cue::Title) || self.is(i, Cue::Street) && i == first && self.fold(i).len() < 3
        });
        let proper = (first..=last).all(|i| self.capital(i) || self.is(i, Cue::Particle) || self.kind(i) == Some(Kind::Mark));
        // "Kerbrenez, 56110 Brouzac": a hamlet alone before its code.
        let hamlet = !own_line
            && last - first < 5
            && self.capital(first)
            && !self.upper(first)
            && (first..=last).all(|i| !self.is(i, Cue::EndsName) || self.is(i, Cue::Particle))
            && (!crate::proper::known::explained(self.fold(last)) || self.mark(last - 1, "-") && last > first + 1 && !self.upper(last));
        if led && !care && proper && (house || hamlet || stated && !own_line && self.capital(last)) {
            self.emit(first..last + 1, Label::Adresse, "shape:house", 0.8);
        }
    }

    /// "B.P." behind its first letter.
    fn dotted_box(&self, at: usize) -> bool {
        self.mark(at + 1, ".") && self.glued(at + 1) && is!(self.key(at + 2), "p") && self.glued(at + 2)
    }

    /// "BP 1234", "bât. B", "appt 12": parts beside a street or a postal code.
    fn part(&mut self, at: usize) {
        let mut value = at + 1;
        while (is!(self.key(value), "." | ":" | "°" | "n") || is!(self.key(at), "b") && value == at + 2 && is!(self.key(value), "p"))
            && self.same_line(value)
        {
            value += 1;
        }
        if !self.same_line(value) || self.is_taken(value) {
            return;
        }
        let digits = self.digits(value);
        // "B.P. 44"
        let dotted = is!(self.key(at), "b") && self.upper(at);
        let boxed = (dotted || is!(self.key(at), "bp" | "cs" | "tsa" | "cidex")) && digits.is_some_and(|d| (1..=5).contains(&d.count));
        let capitals = self.upper(at) || is!(self.key(at), "cidex");
        if boxed && (capitals && digits.is_some_and(|d| d.count >= 3) || self.beside(at, value)) {
            // "BP 34 235"
            let end = if self.same_line(value + 1) && self.digits(value + 1).is_some_and(|d| d.count == 3) { value + 2 } else { value + 1 };
            let start = self.hamlet_before_box(at);
            self.emit(start..end, Label::Adresse, "shape:box", 0.9);
            return;
        }
        if is!(self.key(at), "bp" | "cs" | "tsa") || !self.beside(at, value) {
            return;
        }
        let letter = self.capital(value) || digits.is_some_and(|d| d.count <= 4) || self.kind(value) == Some(Kind::Number);
        if is!(self.key(at), "etage") {
            let before = at.checked_sub(1).filter(|b| self.kind(*b) == Some(Kind::Number) && self.same_line(at) && !self.is_taken(*b));
            if let Some(before) = before {
                self.emit(before..at + 1, Label::Adresse, "shape:part", 0.7);
            }
            return;
        }
        let articles = self.is(value, Cue::Particle) && self.capital(value + 1) && self.same_line(value + 1);
        if letter || articles {
            let end = if digits.is_some() { value + 1 } else { self.street_end(value, false).max(value + 1 + usize::from(articles)) };
            self.emit(at..end, Label::Adresse, "shape:part", 0.8);
        }
    }

    /// "Kério, BP 70023": what stands on the line before a box, when it is a place.
    fn hamlet_before_box(&self, at: usize) -> usize {
        let Some(comma) = at.checked_sub(1).filter(|c| self.same_line(at) && is!(self.key(*c), "," | "-" | "–")) else { return at };
        let mut first = comma;
        while first > 0
            && self.same_line(first)
            && comma - first < 6
            && !self.is_taken(first - 1)
            && !self.column(first)
            && (self.word(first - 1) || self.mark(first - 1, "'") || self.mark(first - 1, "-") && self.glued(first))
        {
            first -= 1;
        }
        let place = |i: usize| self.capital(i) && !self.is(i, Cue::Hospital) && !self.is(i, Cue::EndsName) && !self.is(i, Cue::Title);
        let fits = first < comma
            && self.capital(first)
            && (first..comma).all(|i| place(i) || self.is(i, Cue::Particle) || self.kind(i) == Some(Kind::Mark));
        if self.opens_field(first) && fits { first } else { at }
    }

    /// A street or a postal code is near.
    fn beside(&self, at: usize, value: usize) -> bool {
        let from = self.token(at.saturating_sub(BESIDE)).map_or(0, |t| t.start as usize);
        let to = self.token((value + BESIDE).min(self.len() - 1)).map_or(0, |t| t.end as usize);
        self.found
            .iter()
            .any(|s| matches!(s.detector.as_ref(), "shape:street" | "shape:zip" | "shape:house") && s.start < to && s.end > from)
    }
}
