//! Mail addresses, links and phone numbers.

use std::ops::Range;

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::gazetteer::Cue;
use super::leftover::{called, staff};
use super::reader::{FIGURED, LEADS, Reader};
use crate::Label;

const LOCAL_MARKS: [&str; 5] = [".", "-", "_", "+", "'"];
/// Most words between a phone cue and its number.
const FILLERS: usize = 8;
/// Most figures of a phone number.
const LONGEST: usize = 15;

/// A run of groups of figures: the token behind it and how many figures each group has.
struct Run {
    end: usize,
    groups: Vec<usize>,
    total: usize,
}

impl Reader<'_, '_> {
    pub fn mails(&mut self) {
        for at in 1..self.len() {
            if !self.leads(at) {
                continue;
            }
            if self.mark(at, "@") {
                self.mail(at, at + 1);
            } else if is!(self.key(at), "at" | "arobase") && self.bracketed(at) {
                self.mail(at - 1, at + 2);
            }
        }
    }

    fn bracketed(&self, at: usize) -> bool {
        matches!((self.before(at, 1), self.fold(at + 1)), ("[", "]") | ("(", ")")) && self.same_line(at)
    }

    /// A mail address around the sign between two tokens.
    fn mail(&mut self, sign: usize, domain: usize) {
        let Some(mut first) = sign.checked_sub(1).filter(|f| self.kind(*f) != Some(Kind::Mark) && self.same_line(sign)) else { return };
        while first >= 2
            && self.glued(first)
            && self.glued(first - 1)
            && LOCAL_MARKS.contains(&self.fold(first - 1))
            && self.kind(first - 2) != Some(Kind::Mark)
        {
            first -= 2;
        }
        if self.kind(domain) == Some(Kind::Mark) || !self.near(domain) {
            return;
        }
        // "prenom . nom @ exemple . fr", pulled apart by a scan.
        if first >= 2
            && self.mark(first - 1, ".")
            && self.same_line(first)
            && self.same_line(first - 1)
            && !self.glued(sign)
            && self.word(first - 2)
        {
            first -= 2;
        }
        let mut end = self.chain(domain, &[".", "-", "_"]);
        if self.mark(end, ".") && self.near(end) && is!(self.key(end + 1), "fr" | "com" | "org" | "net" | "eu") && self.near(end + 1) {
            end += 2;
        }
        if end > domain + 1 || self.glued(sign) && self.glued(domain) {
            self.emit(first..end, Label::Mail, "shape:mail", 1.0);
        }
    }

    /// The token behind words that marks hold together without a space.
    pub fn chain(&self, at: usize, marks: &[&str]) -> usize {
        let mut end = at + 1;
        while self.glued(end) && self.glued(end + 1) && marks.contains(&self.fold(end)) && self.kind(end + 1) != Some(Kind::Mark) {
            end += 2;
        }
        end
    }

    pub fn links(&mut self) {
        for at in 0..self.len() {
            if !self.leads(at) {
                continue;
            }
            let scheme = is!(self.key(at), "http" | "https" | "ftp") && self.mark(at + 1, ":") && self.mark(at + 2, "/");
            let host = is!(self.key(at), "www") && self.mark(at + 1, ".") && self.glued(at + 2);
            if scheme || host {
                let mut end = at + 1;
                while self.glued(end) {
                    end += 1;
                }
                while end > at + 1 && is!(self.key(end - 1), "." | "," | ")" | ";" | "\"" | ">") {
                    end -= 1;
                }
                self.emit(at..end, Label::Id, "shape:url", 1.0);
            } else if is!(self.key(at), "fr" | "com" | "org" | "eu" | "net")
                && self.glued(at)
                && self.before(at, 1) == "."
                && !self.is_taken(at)
            {
                let mut first = at;
                while first >= 2
                    && self.glued(first)
                    && self.glued(first - 1)
                    && is!(self.key(first - 1), "." | "-")
                    && self.kind(first - 2) == Some(Kind::Word)
                {
                    first -= 2;
                }
                if first < at {
                    self.emit(first..at + 1, Label::Id, "shape:url", 0.9);
                }
            }
        }
    }

    /// Phone numbers, the internal ones behind a cue.
    pub fn phones(&mut self) {
        let mut at = 0;
        while at < self.len() {
            at = self.phone(at).unwrap_or(at + 1);
        }
        self.repeat_extensions();
    }

    /// An internal number said once is one wherever it stands again.
    fn repeat_extensions(&mut self) {
        let text = self.text.original;
        let known: Vec<&str> =
            self.found.iter().filter(|s| s.detector == "shape:extension").filter_map(|s| text.get(s.start..s.end)).collect();
        let known: Vec<&str> = known.into_iter().filter(|n| matches!(n.len(), 4..=6) && n.bytes().all(|b| b.is_ascii_digit())).collect();
        if known.is_empty() {
            return;
        }
        for at in 0..self.len() {
            let Some(digits) = self.digits(at) else { continue };
            let year = digits.count == 4 && (1900..2100).contains(&digits.value);
            let held = self.glued(at) && self.glued(at - 1) && !matches!(self.before(at, 1), "(" | "/" | ":");
            if !self.is_taken(at) && !year && !held && known.contains(&self.source(at..at + 1)) && !self.measured(at) {
                self.emit(at..at + 1, Label::Tel, "shape:extension", 0.7);
            }
        }
    }

    /// "#4471": an internal number, unless the word before names another.
    pub fn hashed(&self, at: usize) -> bool {
        let named = || {
            let cues = Cue::Id.bit() | Cue::Ipp.bit() | Cue::Nda.bit() | Cue::StayWord.bit() | Cue::PatientWord.bit();
            at > 0 && self.same_line(at) && self.any(at - 1, cues)
        };
        self.mark(at, "#")
            && self.glued(at + 1)
            && self.digits(at + 1).is_some_and(|d| matches!(d.count, 4 | 5))
            && !self.is_taken(at + 1)
            && !(self.glued(at + 2) && is!(self.key(at + 2), "-" | "/" | "_"))
            && !named()
    }

    fn phone(&mut self, at: usize) -> Option<usize> {
        let begins = FIGURED | LEADS | Cue::Phone.bit() | Cue::ShortPhone.bit();
        if !(self.any(at, begins) || self.figured(at + 1)) || self.is_taken(at) {
            return None;
        }
        if self.hashed(at) {
            self.emit(at + 1..at + 2, Label::Tel, "shape:extension", 0.7);
            return Some(self.further_numbers(at + 2));
        }
        // "(0)5.59.12.34.56"
        if self.mark(at, "(") && is!(self.key(at + 1), "0") && self.mark(at + 2, ")") && self.glued(at + 2) && self.glued(at + 3) {
            let run = self.run(at + 3, &[".", "-"], false);
            let whole = matches!(run.groups[..], [9] | [1, 2, 2, 2, 2]);
            if whole {
                self.emit(at..run.end, Label::Tel, "shape:phone", 1.0);
                return Some(self.further_numbers(run.end));
            }
        }
        // "02 96 00 11 22 P.5182", "Dr Kerdonval, p. 5182", "02 96 00 11 22 p. 312"
        if is!(self.key(at), "p" | "int") {
            let dot = usize::from(self.mark(at + 1, ".") && self.glued(at + 1));
            let before = at - usize::from(matches!(self.before(at, 1), "," | "-" | "("));
            let phone = at > 0 && self.phone_ends(before);
            let number = at + 1 + dot;
            let short = self.same_line(number)
                && self
                    .digits(number)
                    .is_some_and(|d| matches!(d.count, 4 | 5) && !(1900..2100).contains(&d.value) || phone && d.count == 3);
            let letter = is!(self.key(at), "p") && dot > 0;
            let behind = phone || letter && at > 0 && (self.is_taken(at - 1) || self.staffed(before));
            if short && behind && !self.is_taken(number) && !(self.mark(number + 1, "/") && self.glued(number + 1)) {
                self.emit(number..number + 1, Label::Tel, "shape:extension", 0.8);
                return Some(number + 1);
            }
        }
        if self.mark(at, "+") || self.digits(at).is_some() {
            let end = self.full_number(at)?;
            self.emit(at..end, Label::Tel, "shape:phone", 1.0);
            return Some(self.further_numbers(end));
        }
        if let Some(end) = self.inner_number(at) {
            return Some(self.further_numbers(end));
        }
        if self.is(at, Cue::ShortPhone) || self.is(at, Cue::Phone) {
            let (range, score) = self.internal_number(at)?;
            let end = range.end;
            self.emit(range, Label::Tel, "shape:extension", score);
            return Some(self.further_numbers(end));
        }
        if self.digits(at + 1).is_none() || self.is_taken(at + 1) {
            return None;
        }
        // "interne Mme X : 5172"
        let split = || matches!(self.run(at + 1, &[".", "-"], false).groups[..], [1, 4]);
        let apart = at > 0
            && !self.glued(at + 1)
            && self.capital(at - 1)
            && (is!(self.key(at), ":" | "-" | "–") || self.mark(at, ",") && split())
            && !staff(self.before(at, 1))
            && self.works(at);
        // "Dr X au 57 318 : rien"
        let reached = is!(self.key(at), "au") && at > 0 && self.capital(at - 1) && self.works(at);
        let named = reached || self.mark(at, "(") && self.staffed(at) || self.capital(at) && self.upper(at) && self.staffed(at + 1);
        if named || apart || self.signed(at) {
            let number = at + 1;
            // "Dr X (57 318)"
            let run = self.run(number, &[".", "-"], false);
            let bracket = self.mark(at, "(");
            let ends = self.ends_sentence(run.end) || self.mark(run.end, ":") && (reached || split());
            // "Dr X 57 318 / IAO"
            let ends = ends || self.mark(run.end, "/") && !self.glued(run.end + 1);
            let closed = if bracket { self.mark(run.end, ")") } else { self.works(at) && ends };
            // "cadre Mme X 57 318"
            let usual = bracket || matches!(run.groups[..], [2, 3] | [3, 2] | [1, 4] | [1, 2, 2] | [2, 2, 2]) && !self.measured(number);
            let grouped = run.groups.len() > 1
                && (4..=6).contains(&run.total)
                && closed
                && usual
                && self.same_line(number)
                && self.date_here(number).is_none();
            if grouped {
                self.emit(number..run.end, Label::Tel, "shape:extension", 0.7);
                return Some(run.end);
            }
            let digits = self.digits(number).filter(|d| matches!(d.count, 4 | 5) && !(1900..2100).contains(&d.value))?;
            let closed = self.mark(number + 1, ")")
                || !bracket && (self.line_start(number + 1) || self.token(number + 1).is_none() || self.mark(number + 1, "."))
                || !bracket
                    && self.works(at)
                    && !self.measured(number)
                    && (self.ends_sentence(number + 1) || self.mark(number + 1, "/") && !self.glued(number + 1));
            if closed && digits.value > 0 && !self.is_taken(number) && self.same_line(number) {
                self.emit(number..number + 1, Label::Tel, "shape:extension", 0.7);
                return Some(number + 1);
            }
        }
        None
    }

    /// "ou interne 21-4408", "numéro interne : 4408", "abrégé 4408": an internal number by what
    /// numbers of a house are called.
    fn inner_number(&mut self, at: usize) -> Option<usize> {
        if !inner(self.key(at)) {
            return None;
        }
        let numbered = matches!(self.before(at, 1), "numero" | "no" | "num" | "°" | "ligne" | "tel" | "telephone" | "appel" | "en");
        let numbered = numbered || is!(self.key(at), "abrege");
        let short = numbered || is!(self.key(at), "interne");
        let first = at + 1 + usize::from(self.mark(at + 1, ":"));
        let run = self.run(first, &["-", "."], false);
        // "interne 21-4408", never "interne 2-3 jours".
        let joined = run.groups.len() == 2 && self.mark(first + 1, "-") && run.groups[1] == 4;
        let called = numbered && matches!(run.groups[..], [4..=6] | [1 | 2, 4] | [2, 2] | [2, 3] | [3, 3] | [2, 2, 2]);
        let year = run.groups.len() == 1 && self.digits(first).is_some_and(|d| (1990..2040).contains(&d.value));
        let free = short && self.same_line(first) && !self.is_taken(first) && self.date_here(first).is_none() && !self.measured(first);
        if !free || year || !(joined || called) || self.is(run.end, Cue::Unit) && self.same_line(run.end) {
            return None;
        }
        self.emit(first..run.end, Label::Tel, "shape:extension", 0.8);
        Some(run.end)
    }

    /// A physician or somebody with a function is named at the token, not a patient.
    fn works(&self, at: usize) -> bool {
        let works = |back: usize| {
            let word = self.before(at, back);
            staff(word) || matches!(word, "dr" | "docteur" | "pr" | "professeur" | "sociale")
        };
        // "Dr Anne-Laure KERBRAT - 57 318": a name may have parts.
        let named = |back: usize| self.capital(at - back) || back > 1 && matches!(self.before(at, back), "-" | "." | "'");
        (1..5).take_while(|back| at >= *back && self.same_line(at + 1 - back)).any(works)
            || (1..9).take_while(|back| at >= *back && self.same_line(at + 1 - back) && named(*back)).any(works)
    }

    /// Nothing more of the sentence stands at the token.
    fn ends_sentence(&self, at: usize) -> bool {
        let number = self.glued(at + 1) && self.digits(at + 1).is_some();
        self.token(at).is_none() || self.line_start(at) || self.column(at) || is!(self.key(at), "." | ";" | ")" | "|" | ",") && !number
    }

    /// "MARTIN 52207" as a line of its own: a signature.
    fn signed(&self, at: usize) -> bool {
        self.line_start(at)
            && self.upper(at)
            && self.fold(at).len() > 3
            && self.digits(at + 1).is_some_and(|d| d.count == 5)
            && !self.is(at, Cue::AmountName)
            && !self.is(at, Cue::EndsName)
            && !self.is(at, Cue::AddressPart)
            && !self.measured(at + 1)
    }

    /// A telephone number stands right before the token.
    fn phone_ends(&self, at: usize) -> bool {
        let end = at.checked_sub(1).and_then(|last| self.token(last)).map(|t| t.end as usize);
        self.same_line(at) && self.found.iter().rev().take(4).any(|s| s.label == Label::Tel && Some(s.end) == end)
    }

    /// Somebody of the staff is named just before the token.
    fn staffed(&self, at: usize) -> bool {
        // "Dr KERBRAT à 17h20 (57 318)"
        let hour = at > 3 && self.before(at, 2) == "a" && self.before(at, 1).contains('h') && self.kind(at - 1) == Some(Kind::Number);
        let mut index = if hour && self.same_line(at) { at - 2 } else { at };
        for _ in 0..5 {
            if index == 0 || self.line_start(index) {
                return false;
            }
            index -= 1;
            if self.is(index, Cue::Title)
                || staff(self.fold(index))
                || is!(
                    self.key(index),
                    "senior" | "neuro" | "sante" | "secretariat" | "rea" | "nri" | "neurochir" | "neuroradio" | "cardio"
                )
            {
                return index + 1 < at || !self.capital(at);
            }
            if !(self.capital(index) || called(self.fold(index)) || is!(self.key(index), "." | "-" | ":" | "(")) {
                return false;
            }
        }
        false
    }

    /// Groups of figures that a space or a mark parts.
    fn run(&self, at: usize, separators: &[&str], line_ends: bool) -> Run {
        let mut run = Run { end: at, groups: Vec::new(), total: 0 };
        let mut next = at;
        while let Some(digits) = self.digits(next).filter(|_| !self.is_taken(next)) {
            if run.total + digits.count > LONGEST {
                break;
            }
            run.groups.push(digits.count);
            run.total += digits.count;
            run.end = next + 1;
            next += 1;
            if separators.contains(&self.fold(next))
                && self.same_line(next)
                && self.glued(next) == self.glued(next + 1)
                && (self.glued(next) || !is!(self.key(next), "/"))
            {
                next += 1;
            }
            let near = if line_ends { self.near(next) } else { self.same_line(next) };
            if !near || (self.same_line(next) && self.column(next)) {
                break;
            }
        }
        run
    }

    /// A number of ten figures, or of more behind `+` or `00`.
    fn full_number(&self, at: usize) -> Option<usize> {
        let glued_before = self.glued(at)
            && !matches!(self.before(at, 1), ":" | "(" | "/" | "." | "," | "-" | "[" | ";" | "=" | "|" | "–" | "☎" | "📞" | "*");
        if (glued_before && !self.is(at - 1, Cue::Phone))
            || (self.glued(at) && at > 1 && self.digits(at - 2).is_some() && self.glued(at - 1))
        {
            return None;
        }
        let cued = || self.cue_before(at, 6, Cue::Phone) || self.cue_before(at, 6, Cue::ShortPhone);
        if self.mark(at, "+") {
            return self.glued(at + 1).then(|| self.international(at + 1)).flatten();
        }
        let first = self.digits(at)?;
        let fold = self.fold(at);
        if self.date_here(at).is_some() {
            return None;
        }
        if fold.starts_with("00")
            && first.count <= 13
            && (first.count > 9 || first.count <= 4)
            && let Some(end) = self.international(at).filter(|_| {
                first.value == 33
                    || cued()
                    || first.count == 4 && self.run(at, &[".", "-"], false).groups.len() > 2
                    || fold.starts_with("0033")
                    // "00 44 1534 880011"
                    || first.count == 2 && self.digits(at + 1).is_some_and(|d| d.count < 4) && self.run(at, &[".", "-"], false).total > 11
                    || first.count > 10
            })
        {
            return Some(end);
        }
        // "0 800 11 22 33", "0.491.555.318"
        let free = fold == "0" && matches!(self.run(at, &[".", "-"], false).groups[..], [1, 3, 2, 2, 2] | [1, 3, 3, 3]);
        let apart =
            free || fold == "0" && self.digits(at + 1).is_some_and(|d| matches!(d.count, 1 | 3)) && self.same_line(at + 1) && cued();
        let missing_zero = first.count == 1 && (1..=9).contains(&first.value) && cued();
        if !(fold.starts_with('0') && first.count >= 2 && fold.as_bytes()[1] != b'0' || missing_zero || apart) {
            return None;
        }
        let cued = cued();
        let run = self.run(at, &[".", "-", "/", "–"], true);
        let wanted = if missing_zero { 9 } else { 10 };
        let (mut total, mut groups) = (0, 0);
        while groups < run.groups.len() && total < wanted {
            total += run.groups[groups];
            groups += 1;
        }
        if total != wanted {
            return None;
        }
        let usual = matches!(
            run.groups[..groups],
            [10] | [2, 2, 2, 2, 2]
                | [4, 2, 2, 2]
                | [4, 3, 3]
                | [2, 2, 2, 4]
                | [2, 4, 4]
                | [4, 6]
                | [2, 8]
                | [2, 2, 6]
                | [2, 2, 3, 3]
                | [2, 4, 2, 2]
                | [2, 2, 4, 2]
                | [1, 2, 2, 2, 2]
                | [1, 3, 2, 2, 2]
                | [1, 3, 3, 3]
        );
        let mut end = at;
        for _ in 0..groups {
            while self.digits(end).is_none() {
                end += 1;
            }
            end += 1;
        }
        // A run of two figures that goes on is a row of values.
        let goes_on = run.groups.len() > groups && self.same_line(end) && self.digits(end).is_some_and(|d| d.count == 2) && !cued;
        let lines = (at + 1..end).filter(|i| !self.same_line(*i)).count();
        ((usual || cued) && !goes_on && (lines == 0 || lines == 1 && (cued || usual && self.digits(at + 1).is_some()))).then_some(end)
    }

    /// Country code and number behind `+` or `00`.
    fn international(&self, at: usize) -> Option<usize> {
        let mut total = 0;
        let mut end = at;
        let mut next = at;
        while let Some(digits) = self.digits(next) {
            total += digits.count;
            if total > LONGEST {
                return None;
            }
            end = next + 1;
            next = end;
            // "+33 (0)4": the zero that falls away abroad.
            if self.mark(next, "(") && is!(self.key(next + 1), "0") && self.mark(next + 2, ")") {
                next += 3;
            } else if is!(self.key(next), "." | "-" | "/") && self.same_line(next) {
                next += 1;
            }
            if !self.same_line(next) || self.column(next) {
                break;
            }
        }
        (total >= 9).then_some(end)
    }

    /// A short number behind a cue: "poste 62 40", "DECT 5-1234", "bip 123".
    fn internal_number(&self, cue: usize) -> Option<(Range<usize>, f32)> {
        if is!(self.key(cue), "port" | "mobile") {
            return None;
        }
        let mut at = cue + 1;
        let mut signs = 0;
        while at - cue <= FILLERS && self.is(at, Cue::PhoneFiller) && self.near(at) {
            signs += usize::from(is!(self.key(at), ":" | "°" | "int" | "interne" | "no" | "numero" | "." | "poste" | "dect" | "bip"));
            at += 1;
        }
        // "DECT neurologue 73305"
        let wired = is!(self.key(cue), "dect" | "poste" | "bip");
        let words = (at..at + 4).take_while(|i| self.same_line(*i) && self.word(*i) && !self.is(*i, Cue::OpensYear)).count();
        // "poste de nuit 27 09"
        if wired && words > 0 && self.same_line(at + words) && self.run(at + words, &["-", "."], false).total >= 4 {
            at += words;
        } else if wired && words == 1 && self.mark(at + 1, ".") && self.same_line(at + 2) && self.digits(at + 2).is_some() {
            // "DECT méd. 6174"
            at += 2;
        }
        let digits = self.digits(at).filter(|_| self.same_line(at) || signs > 0 && self.near(at))?;
        let sure = self.is(cue, Cue::ShortPhone) || (cue + 1..at).any(|i| is!(self.key(i), "poste" | "dect" | "bip"));
        let run = self.run(at, &["-", ".", "/"], false);
        // "DECT 5/1234", but a date behind a cue stays a date.
        if run.groups.len() > 1 && self.mark(at + 1, "/") && !(digits.count == 1 && run.groups[1] == 4) {
            return None;
        }
        let plain = sure || signs > 0;
        let end = run.end;
        let amount =
            self.is(end, Cue::Unit) && self.same_line(end) || self.mark(end, ",") && self.glued(end + 1) && self.digits(end + 1).is_some();
        let year = digits.count == 4 && run.groups.len() == 1 && (1900..2100).contains(&digits.value) && self.is(at - 1, Cue::OpensYear);
        let shortest = if self.is(cue, Cue::ShortPhone) { 3 } else { 4 };
        let bip = is!(self.key(cue), "bip" | "bips" | "bipe" | "biper" | "beep" | "dect");
        let fits = run.total >= if bip { 2 } else { shortest } && run.total <= 10;
        (plain && fits && !amount && !year).then_some((at..end, if sure { 0.95 } else { 0.7 }))
    }

    /// "04 99 00 11 22 / 23", "ou 62 41".
    pub(super) fn further_numbers(&mut self, end: usize) -> usize {
        let mut at = end;
        while (is!(self.key(at), "/" | "ou" | "et" | "-" | ",")) && self.same_line(at) && self.same_line(at + 1) {
            if let Some(next) = self.full_number(at + 1) {
                self.emit(at + 1..next, Label::Tel, "shape:phone", 1.0);
                at = next;
                continue;
            }
            let run = self.run(at + 1, &[".", "-"], false);
            let slash = is!(self.key(at), "/" | "ou" | "et");
            let dated = self.mark(run.end, "/") || self.is(run.end, Cue::Month) || self.is(run.end, Cue::Unit);
            // "poste 4471, 4472"
            let alike = self.mark(at, ",")
                && matches!(run.groups[..], [4 | 5])
                && self.digits(at - 1).is_some_and(|d| d.count == run.total)
                && (self.line_start(run.end) || self.token(run.end).is_none() || self.kind(run.end) == Some(Kind::Mark));
            if !(slash || alike) || dated || !(2..=6).contains(&run.total) || run.groups.iter().any(|g| *g == 1 || *g > 5) {
                break;
            }
            self.emit(at + 1..run.end, Label::Tel, "shape:extension", 0.8);
            at = run.end;
        }
        at
    }
}

/// Words and marks that mail addresses, links and phone numbers begin with.
pub(super) fn leads(key: u64) -> bool {
    is!(key, "@" | "at" | "arobase" | "http" | "https" | "ftp" | "www" | "fr" | "com" | "org" | "eu" | "net" | "p" | "int") || inner(key)
}

fn inner(key: u64) -> bool {
    is!(key, "abrege" | "court" | "direct" | "directe" | "interne")
}
