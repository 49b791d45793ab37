//! Initials of those who write: "14/01 11h30 LM :", "MR/JD", "vu avec PD", "GA 11:52".

use sillage_clinical::is;

use super::{Proper, known};
use crate::Label;
use crate::name::initials::reviewed;
use crate::name::knowledge::{role, word};
use crate::name::page::look;
use crate::name::slot::{vital, writing};

impl Proper<'_, '_> {
    /// Reads every token that two or three letters may make the initials of somebody.
    pub(super) fn initials(&mut self) {
        for at in 0..self.page.len() {
            if is!(self.key(at), "initiales") && !self.covered(at) && !self.glued_on(at) {
                self.study_letters(at);
            }
            if !matches!(self.page.text.tokens[at].range().len(), 2 | 3) || self.covered(at) || self.glued_on(at) {
                continue;
            }
            self.slashed(at);
            if self.typed_behind_day(at) || self.closes_text(at) {
                self.emit(at..at + 1, Label::Nom, "proper:initials", 0.4);
            }
            // "Dr Kuntz. (sk)" at the end of a line.
            let typist = at > 3
                && is!(self.key(at - 1), "(")
                && is!(self.key(at + 1), ")")
                && self.page.line_ends(at + 2)
                && self.source(at).bytes().all(|b| b.is_ascii_lowercase())
                && (2..5).any(|back| at >= back && self.label(at - back) == Some(Label::Nom))
                && !self.page.has(at, word::PARTICLE | word::COMMON);
            if typist && !self.covered(at) {
                self.emit(at..at + 1, Label::Nom, "proper:initials", 0.4);
            }
            if self.page.has(at, look::CAPITAL)
                && !self.covered(at)
                && self.letters(at)
                && (self.bracketed(at)
                    || self.listed(at)
                    || self.asked(at)
                    || self.for_order(at)
                    || self.heads_entry(at)
                    || self.timed(at)
                    || self.dated_twice(at)
                    || self.behind_step(at)
                    || self.carries_phone(at)
                    || self.of_house(at)
                    || self.behind_helper(at)
                    || self.behind_person_word(at))
            {
                self.emit(at..at + 1, Label::Nom, "proper:initials", 0.4);
            }
        }
    }

    /// "vu par SB + CL", "HK, MB et TL": initials in a list with some that are known.
    fn listed(&self, at: usize) -> bool {
        let mark = self.fold(at.saturating_sub(1));
        // "staff (TK, LB, MD)", "RCP (TK, LB)": several at once.
        let met = at > 1
            && mark == "("
            && self.rare(at)
            && is!(self.key(at + 1), ",")
            && at + 2 < self.page.len()
            && self.letters(at + 2)
            && (2..5).any(|back| at >= back && is!(self.key(at - back), "staff" | "rcp" | "reunion" | "visite" | "presents" | "releve"));
        if met {
            return true;
        }
        let led = at > 1
            && self.page.same_line(at)
            && matches!(mark, "+" | "," | "et" | "/" | "&")
            && self.label(at - 2) == Some(Label::Nom)
            && self.letters(at - 2)
            && self.page.same_line(at - 1);
        let closed = self.closed(at + 1) || is!(self.key(at + 1), "+" | "," | "et" | "/" | "&" | "." | ")" | "(" | ";" | "le");
        led && closed && (self.source(at).len() == 2 || self.rare(at)) && !(self.number(at + 2) && mark == ",")
    }

    /// "Appel neuro (HK)": in brackets behind a trade or what people do together.
    fn asked(&self, at: usize) -> bool {
        if at < 2 || !is!(self.key(at - 1), "(") || !is!(self.key(at + 1), ")") || !self.page.same_line(at) {
            return false;
        }
        let function = self.page.cues[at - 2].is_some_and(|c| c.roles & role::FUNCTION != 0);
        let said = is!(
            self.key(at - 2),
            "neuro"
                | "cardio"
                | "rea"
                | "radio"
                | "neurochir"
                | "appel"
                | "avis"
                | "tel"
                | "contact"
                | "discussion"
                | "geriatre"
                | "addicto"
                | "orl"
                | "nri"
        ) || known::shared_act(self.fold(at - 2));
        function && self.page.has(at - 2, look::LOWER) || said && self.rare(at)
    }

    /// "initiales : M-K", "initiales M.K.", "initiales (MKA)": the letters of who takes part in a study.
    fn study_letters(&mut self, at: usize) {
        // "Images initiales : DWI", "lésions initiales": what was there at first.
        let noun = at > 0 && self.page.same_line(at) && self.fold(at - 1).len() > 3 && self.fold(at - 1).ends_with(['s', 'x']);
        if noun {
            return;
        }
        let mut first = at + 1;
        while is!(self.key(first), ":" | "(" | "=" | "du" | "de" | "la" | "patient" | "patiente") && first < at + 5 {
            first += 1;
        }
        let capitals = |i: usize| {
            self.page.same_line(i) && (1..=4).contains(&self.source(i).len()) && self.source(i).bytes().all(|b| b.is_ascii_uppercase())
        };
        if first >= self.page.len() || !capitals(first) || self.covered(first) {
            return;
        }
        let mut end = first + 1;
        while end + 1 < self.page.len()
            && is!(self.key(end), "-" | "." | "/")
            && self.page.glued(end)
            && self.page.glued(end + 1)
            && capitals(end + 1)
        {
            end += 2;
        }
        let whole = self.source(first).len() == 2 && !vital(self.page, first) || self.source(first).len() == 3 && self.rare(first);
        if end > first + 1 || whole {
            self.emit(first..end, Label::Nom, "proper:initials", 0.4);
        }
    }

    /// "relu le 6/02/2024 - nk", "frappé le 6/02 nk": who typed, behind the day of it.
    fn typed_behind_day(&self, at: usize) -> bool {
        let date = |back: usize| at >= back && self.label(at - back) == Some(Label::Date);
        if !date(1) && !date(2) {
            return false;
        }
        let parted = usize::from(at > 0 && is!(self.key(at - 1), "-" | "–" | "/" | "," | "(" | "par"));
        let day = at.checked_sub(1 + parted).filter(|_| self.page.same_line(at));
        if day.is_none_or(|d| self.label(d) != Some(Label::Date)) {
            return false;
        }
        let source = self.source(at);
        let small = matches!(source.len(), 2 | 3) && source.bytes().all(|b| b.is_ascii_lowercase());
        let known = word::PARTICLE | word::COMMON | word::QUALIFIER | look::CLINICAL;
        let ends = self.page.line_ends(at + 1) || is!(self.key(at + 1), ")" | ".") && self.page.line_ends(at + 2);
        let typist = small && !self.page.has(at, known) || self.letters(at) && self.rare(at);
        ends && typist && (self.page.line_start(at)..at).any(|i| writing(self.fold(i)))
    }

    /// "MK, 7/02/2024 18h40", "le 7/02/2024 MK" alone on one of the last lines.
    fn closes_text(&self, at: usize) -> bool {
        if self.page.len() - at > 16 {
            return false;
        }
        let source = self.source(at);
        if !matches!(source.len(), 2 | 3) || !source.bytes().all(|b| b.is_ascii_uppercase()) {
            return false;
        }
        let start = self.page.line_start(at);
        let end = (start + 1..self.page.len()).find(|i| !self.page.same_line(*i)).unwrap_or(self.page.len());
        let lines = (end..self.page.len()).filter(|i| !self.page.same_line(*i)).count();
        let dated = (start..end).any(|i| self.label(i) == Some(Label::Date));
        let plain = (start..end).all(|i| {
            i == at
                || self.label(i) == Some(Label::Date)
                || self.number(i)
                || self.mark(i)
                || is!(self.key(i), "le" | "a" | "h" | "signe" | "par")
        });
        let thing =
            vital(self.page, at) || is!(self.key(at), "ok" | "rx" | "cr" | "ct" | "am" | "pm" | "iv" | "bu" | "cs" | "vu" | "tp" | "jo");
        dated && plain && lines < 2 && !thing && (source.len() == 2 || self.rare(at))
    }

    /// "télé-expert (LK, CHU de Brouzac)": in brackets with the house of who was asked.
    fn of_house(&self, at: usize) -> bool {
        let house = at + 2;
        let opened =
            at > 1 && is!(self.key(at - 1), "(") && is!(self.key(at + 1), ",") && self.page.same_line(at) && self.page.same_line(house);
        let housed = self.label(house) == Some(Label::Hopital)
            || is!(self.key(house), "chu" | "chru" | "ch" | "chr" | "chi" | "hopital" | "clinique") && self.page.has(house, look::CAPITAL);
        // "(ST, CHU X)": a stay, pictures, a test done there.
        let function = at > 1 && self.page.cues[at - 2].is_some_and(|c| c.roles & role::FUNCTION != 0);
        let person = function
            || at > 1 && (is!(self.key(at - 2), "expert" | "avis" | "nri" | "telephone" | "tel") || known::shared_act(self.fold(at - 2)));
        opened && housed && (self.rare(at) || person && self.source(at).len() == 2 && !vital(self.page, at))
    }

    /// "P/O HK", "p.o. HK": signed for somebody.
    fn for_order(&self, at: usize) -> bool {
        let mut p = at;
        while p > 0 && is!(self.key(p - 1), "." | ":") && at - p < 2 {
            p -= 1;
        }
        p > 2 && is!(self.key(p - 1), "o") && is!(self.key(p - 2), "/" | ".") && is!(self.key(p - 3), "p") && self.page.line_ends(at + 1)
    }

    /// Part of a longer thing: "x-LM", "3LM".
    fn glued_on(&self, at: usize) -> bool {
        at > 0 && self.page.glued(at) && !is!(self.key(at - 1), "(" | "[" | "/" | ":" | "," | "'" | ".")
    }

    /// Two or three capitals, or "GdB", that never head a line of a note.
    fn letters(&self, at: usize) -> bool {
        if !self.page.has(at, look::CAPITAL) {
            return false;
        }
        let source = self.source(at).as_bytes();
        matches!(source.len(), 2 | 3)
            && source[0].is_ascii_uppercase()
            && source.iter().all(u8::is_ascii_alphabetic)
            && source[1..].iter().any(u8::is_ascii_uppercase)
            && !known::heading(&self.key(at))
    }

    /// Letters that a list of capitals does not know either.
    pub(super) fn rare(&self, at: usize) -> bool {
        !self.page.has(at, word::ACRONYM | word::COMMON | look::CUE | look::CLINICAL)
            && self.letters(at)
            && !known::abbreviation(&self.key(at))
    }

    /// "(SK) pansement refait", "[SK] …" at the start of a line.
    fn bracketed(&self, at: usize) -> bool {
        let open = at > 0 && is!(self.key(at - 1), "(" | "[") && (at == 1 || !self.page.same_line(at - 1));
        open && self.page.same_line(at) && is!(self.key(at + 1), ")" | "]") && self.rare(at)
    }

    /// "Prise en charge : 14:02 (BLG)", "pansement refait (BLG)": in brackets behind an hour
    /// or a step of care, two people parted by a stroke at most.
    fn behind_step(&self, at: usize) -> bool {
        let second = at > 2 && is!(self.key(at - 1), "/") && self.letters(at - 2);
        let first = if second { at - 2 } else { at };
        let closed = is!(self.key(at + 1), ")") || is!(self.key(at + 1), "/") && self.letters(at + 2) && is!(self.key(at + 3), ")");
        if first < 2 || !is!(self.key(first - 1), "(") || !closed || !self.page.same_line(first) || !self.page.same_line(first - 1) {
            return false;
        }
        let last = first - 2;
        let hour = self
            .fold(last)
            .split_once('h')
            .is_some_and(|(h, m)| h.len() < 3 && [h, m].iter().all(|p| p.bytes().all(|b| b.is_ascii_digit())))
            && self.number(last)
            || self.number(last) && first > 4 && is!(self.key(last - 1), ":" | "h") && self.number(last - 2);
        // "(VO)", "(SL)", "(BD)": the way of a drug, a side.
        let way = is!(
            self.key(at),
            "vo" | "po"
                | "iv"
                | "im"
                | "sc"
                | "sl"
                | "ir"
                | "bd"
                | "bg"
                | "od"
                | "og"
                | "md"
                | "mg"
                | "pd"
                | "pg"
                | "dt"
                | "gc"
                | "nr"
                | "np"
                | "nf"
        );
        let two = self.source(at).len() == 2 && !way && !self.page.has(at, look::CLINICAL | look::CUE);
        hour && (self.rare(at) || two) || known::care_act(self.fold(last)) && self.rare(at)
    }

    /// "BLG DECT 4471": in front of a telephone that somebody carries.
    fn carries_phone(&self, at: usize) -> bool {
        let (cue, number) = (at + 1, at + 2 + usize::from(is!(self.key(at + 2), ":" | ".")));
        let carried = is!(self.key(cue), "dect" | "bip") && self.page.same_line(cue);
        let figures = self.page.same_line(number) && self.number(number) && self.fold(number).len() > 1;
        let two = self.source(at).len() == 2 && !known::ward(self.fold(at)) && !self.page.has(at, look::CLINICAL | look::CUE);
        carried && figures && (self.rare(at) || two)
    }

    /// "toilette avec AS ND,", "appel IDE SL 02h50": behind those who are seldom called by
    /// their ward.
    fn behind_helper(&self, at: usize) -> bool {
        let helper = at > 0
            && self.page.same_line(at)
            && match self.fold(at - 1) {
                // "as" in small letters is a verb.
                "as" => self.page.has(at - 1, look::UPPER),
                "ide" | "ash" | "brancardier" | "brancardiere" | "infirmier" | "infirmiere" | "externe" | "interne" | "ambulancier" => true,
                _ => false,
            };
        let other = known::ward(self.fold(at)) || is!(self.key(at), "uf" | "ch" | "uh" | "nc" | "de" | "ok" | "tt");
        let ends = self.page.line_ends(at + 1)
            || is!(self.key(at + 1), "," | "." | ";" | ")" | "+" | "|" | "a" | "et" | "pour" | "le")
            || self.number(at + 1) && self.page.same_line(at + 1);
        helper && ends && !other && self.source(at).len() == 2
    }

    /// "14/01 11h30 LM : …", "11h30 LM\n".
    fn heads_entry(&self, at: usize) -> bool {
        let closed = self.closed(at + 1) || is!(self.key(at + 1), ":" | "-" | "–" | "/" | "(" | "=" | ">");
        closed && self.dated_head(at) && !(self.number(at + 2) && is!(self.key(at + 1), ":" | "=" | "-") && self.page.same_line(at + 2))
    }

    /// "Bilan de fin : GA 11:52", "LM 14h30" at the end of a line.
    fn timed(&self, at: usize) -> bool {
        let opened = at == 0 || !self.page.same_line(at) || is!(self.key(at - 1), ":" | "-" | "–" | "(" | "." | ";" | "/" | "[" | ",");
        // "validé, SK 12/03 14:55"
        if opened && at > 0 && self.label(at + 1) == Some(Label::Date) && self.page.same_line(at + 1) && self.rare(at) {
            return true;
        }
        let at = at + usize::from(is!(self.key(at + 1), "]" | ")"));
        let (hour, next) = (at + 1, at + 2);
        if !opened || !self.page.same_line(hour) || !self.number(hour) {
            return false;
        }
        let fold = self.fold(hour);
        let end = match fold.split_once('h') {
            Some((h, m)) if h.len() <= 2 && m.len() <= 2 && h.bytes().chain(m.bytes()).all(|b| b.is_ascii_digit()) => next,
            None if fold.len() <= 2
                && is!(self.key(next), ":")
                && self.page.glued(next)
                && self.number(next + 1)
                && self.fold(next + 1).len() == 2 =>
            {
                next + 2
            }
            None if fold.len() <= 2 && is!(self.key(next), "h") => next + 1 + usize::from(self.number(next + 1)),
            _ => return false,
        };
        let starts = !self.page.same_line(at) || at > 0 && !self.page.same_line(at - 1) && self.mark(at - 1);
        starts || self.page.line_ends(end) || is!(self.key(end), ")" | "." | ";" | "-")
    }

    /// "Pansement : 12/03 QV, 14/03 RD": letters behind each of several days.
    fn dated_twice(&self, at: usize) -> bool {
        let behind_day = |i: usize| {
            i > 0
                && self.label(i - 1) == Some(Label::Date)
                && self.page.same_line(i)
                && self.rare(i)
                && (self.closed(i + 1) || is!(self.key(i + 1), "," | ";" | "/" | "-" | "." | "|"))
        };
        let start = self.page.line_start(at);
        behind_day(at) && (start..self.page.len()).take_while(|i| *i == start || self.page.same_line(*i)).any(|i| i != at && behind_day(i))
    }

    /// "vu avec PD", "interne MV", "relecture AB".
    fn behind_person_word(&self, at: usize) -> bool {
        if at == 0 || !self.page.same_line(at) {
            return false;
        }
        let ends = self.page.line_ends(at + 1)
            || is!(self.key(at + 1), "." | "," | ";" | ")" | "/" | "-" | ":" | "et" | "a" | "le" | "ce" | "qui" | "pour" | "+")
            || self.label(at + 1) == Some(Label::Date);
        let before = self.fold(at - 1);
        // "prévenue par MK au 06 00 …", "appel par MK au fils": who telephones.
        let called = self.label(at + 2) == Some(Label::Tel) || self.kin(at + 2) || is!(self.key(at + 2), "portable" | "domicile");
        if before == "par" && called && is!(self.key(at + 1), "au" | "aux" | "sur") && !known::ward(self.fold(at)) {
            return true;
        }
        if !ends {
            return false;
        }
        let near = (2..11)
            .take_while(|back| at >= *back && !is!(self.key(at - back), "."))
            .map(|back| self.before(at, back))
            .any(known::shared_act);
        if before == "a" && self.page.has(at - 1, look::LOWER) || self.source(at - 1) == "à" {
            return near && self.rare(at);
        }
        if matches!(before, "avec" | "par" | "chez") {
            // "traité par AC": said of a person only behind what people do together.
            return near && before != "chez" || before == "avec" && self.rare(at);
        }
        // "vu PD" at the end of a line.
        // "Revu ce jour PD", "revu à 14h PD".
        let start = self.page.line_start(at);
        let short =
            at - start < 5 && reviewed(self.fold(start)) && (self.number(at - 1) || matches!(before, "jour" | "matin" | "soir" | "h"));
        if short && self.page.line_ends(at + 1) && self.source(at).len() == 2 && self.rare(at) {
            return true;
        }
        if reviewed(before) && self.page.line_ends(at + 1) {
            return self.source(at).len() == 2 && self.rare(at);
        }
        let cue = self.page.cues[at - 1].is_some_and(|c| c.end == at && c.roles & (role::FUNCTION | role::TYPIST) != 0);
        cue && self.rare(at) && !self.page.has(at - 1, look::UPPER) && !is!(self.key(at + 1), ":")
    }

    fn kin(&self, at: usize) -> bool {
        self.page.cues.get(at).copied().flatten().is_some_and(|c| c.roles & role::KIN != 0)
    }

    /// "MR/JD", "NO/sd": two who share a letter, at its end.
    fn slashed(&mut self, at: usize) {
        let second = at + 2;
        let parted = is!(self.key(at + 1), ":" | "." | "-" | "_" | "\\");
        if !(is!(self.key(at + 1), "/") || parted)
            || !self.page.glued(at + 1)
            || !self.page.glued(second)
            || !(self.closed(at + 3) || is!(self.key(at + 3), "-" | "–" | ",") && !self.page.glued(at + 4))
            || self.covered(second)
        {
            return;
        }
        // "DLU.pdf"
        let file =
            ["pdf", "doc", "jpg", "png", "tif", "txt", "xml", "csv", "xls", "rtf", "dcm", "msg", "eml", "zip"].contains(&self.fold(second));
        if file && is!(self.key(at + 1), ".") {
            return;
        }
        let own_line = at == 0 || !self.page.same_line(at);
        // "tapé PF:kg"
        let written = !own_line && writing(self.fold(at - 1));
        let opened = own_line || written || is!(self.key(at - 1), "." | ":" | "-" | "–" | ";" | ")");
        let source = self.source(second);
        let typed = (2..=3).contains(&source.len()) && source.bytes().all(|b| b.is_ascii_alphabetic());
        let small = source.bytes().all(|b| b.is_ascii_lowercase());
        let first = self.source(at);
        let capitals = (2..=3).contains(&first.len())
            && first.bytes().filter(u8::is_ascii_uppercase).count() >= 2
            && first.bytes().all(|b| b.is_ascii_alphabetic());
        if !opened || !typed || !capitals || parted && !own_line && !written && !is!(self.key(at - 1), ":") {
            return;
        }
        let units = is!(self.key(second), "l" | "ml" | "dl" | "min" | "h" | "j" | "kg" | "mg" | "mm");
        let known = |i: usize| known::heading(self.fold(i));
        let own = self.people.contains(first.to_ascii_lowercase().as_str()) && source.len() < 3;
        let sure = if small { written || !units && (own || !known(at)) } else { !known(at) && !known(second) };
        if sure {
            let detector = if written { "context:slot-signature" } else { "proper:initials" };
            self.emit(at..at + 1, Label::Nom, detector, 0.5);
            self.emit(second..second + 1, Label::Nom, detector, 0.5);
        }
    }
}
