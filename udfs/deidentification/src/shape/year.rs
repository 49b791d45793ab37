//! Months, seasons, feasts and years that stand without a day.

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::date::Date;
use super::gazetteer::Cue;
use super::reader::{LEADS, Reader};

impl Reader<'_, '_> {
    /// "mars 2024", "nov. 22", "en mars", "mars2024".
    pub fn month_first(&self, at: usize) -> Option<Date> {
        let full = self.is(at, Cue::Month);
        let short = self.is(at, Cue::MonthShort);
        if !full && !short {
            return self.glued_month(at);
        }
        let opened = at > 0 && self.is(at - 1, Cue::OpensMonth)
            || matches!(self.before(at, 1), "(" | "'" | "/" | "-" | ",")
            || self.line_start(at)
            || !self.capital(at) && (super::day::meeting(self.before(at, 1)) || super::day::dated(self.before(at, 1)));
        if at > 0 && self.is(at - 1, Cue::Title) && self.same_line(at) && self.capital(at) {
            return None;
        }
        let dot = usize::from(self.mark(at + 1, ".") && self.glued(at + 1) && short);
        let mut next = at + 1 + dot;
        if full && is!(self.key(next), "de") && self.digits(next + 1).is_some_and(|d| d.count == 4) {
            next += 1;
        }
        let year = self.year_behind(next);
        let figures = year.is_some_and(|(_, end)| self.digits(end - 1).is_some_and(|d| d.count == 4) || self.digits(end - 1).is_none());
        if let Some((value, end)) = year {
            let quoted = is!(self.key(next), "'" | "/" | "-");
            if figures || quoted || dot == 1 || opened && !(short && self.upper(at) && self.line_start(at)) {
                return Some(Date { year: Some(value), ..Date::new(end) });
            }
        }
        if !full {
            // "LDL dec 0,71", "depuis janv"
            let plain = is!(self.key(at), "janv" | "fevr" | "juil" | "nov")
                || dot == 1 && is!(self.key(at), "jan" | "fev" | "avr" | "oct" | "sept" | "dec") && at > 0 && self.word(at - 1)
                    // "un NIHSS à sept."
                    && !is!(self.key(at - 1), "a")
                || !self.source(at..at + 1).is_ascii();
            let figure = self.same_line(at + 1) && self.digits(at + 1).is_some() && is!(self.key(at), "dec");
            return (!self.capital(at) && !self.glued(at) && (plain || figure)).then(|| Date::new(at + 1));
        }
        let lower = !self.capital(at);
        let headed = self.line_start(at) && is!(self.key(at + 1), ":" | "-" | "–");
        let said = at > 0 && self.is(at - 1, Cue::OpensMonth) && self.near(at)
            || matches!(self.before(at, 1), "/" | "-") && self.is(at.wrapping_sub(2), Cue::Month);
        (lower || headed || said).then(|| Date::new(at + 1))
    }

    /// "mars2024", "nov22".
    fn glued_month(&self, at: usize) -> Option<Date> {
        if !self.figured(at) {
            return None;
        }
        let fold = self.fold(at);
        let letters = fold.bytes().take_while(u8::is_ascii_alphabetic).count();
        let year = &fold[letters..];
        if letters < 3 || !matches!(year.len(), 2 | 4) || !year.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let cues = self.knowledge.cues(&fold[..letters]);
        let full = cues & Cue::Month.bit() != 0;
        let short = cues & Cue::MonthShort.bit() != 0 && year.len() == 4;
        (full || short).then(|| Date { year: year.parse().ok(), ..Date::new(at + 1) })
    }

    /// Seasons and feasts: "l'automne", "été 2022", "Noël".
    pub fn feast(&self, at: usize) -> Option<Date> {
        if !self.any(at, Cue::Season.bit() | Cue::Holiday.bit() | LEADS) {
            return None;
        }
        let quoted = self.mark(at + 1, "'");
        let year = self.year_behind(at + 1).filter(|(_, end)| quoted || self.digits(end - 1).is_none_or(|d| d.count == 4));
        let dated = |end: usize| Date { year: year.map(|(y, _)| y), ..Date::new(year.map_or(end, |(_, end)| end)) };
        if self.is(at, Cue::Season) {
            let article = self.before(at, 1) == "'" && matches!(self.before(at, 2), "l" | "d")
                || matches!(self.before(at, 1), "cet" | "en" | "dernier");
            // "à l'heure d'été"
            let clock = matches!(self.before(at, 3), "heure" | "horaire") && self.before(at, 1) == "'";
            let said = (!is!(self.key(at), "ete") || article) && !clock;
            // "ETE 98", "hiver 22,"
            let short = self.same_line(at + 1) && self.digits(at + 1).is_some_and(|d| d.count == 2) && self.sentence_ends(at + 2);
            if short && !self.is_taken(at + 1) && !matches!(self.before(at, 1), "a" | "avait" | "ont" | "est") {
                return Some(Date::new(at + 2));
            }
            return (said || year.is_some()).then(|| dated(at + 1));
        }
        if is!(self.key(at), "jour") && is!(self.key(at + 1), "de") && is!(self.key(at + 2), "l") && is!(self.key(at + 4), "an") {
            return Some(Date::new(at + 5));
        }
        if is!(self.key(at), "nouvel") && is!(self.key(at + 1), "an") && self.same_line(at + 1) {
            return Some(dated(at + 2));
        }
        if is!(self.key(at), "fete") && is!(self.key(at + 1), "nationale") && self.same_line(at + 1) {
            return Some(dated(at + 2));
        }
        let saint = is!(self.key(at), "saint") && self.mark(at + 1, "-") && is!(self.key(at + 2), "sylvestre" | "valentin");
        if saint {
            return Some(Date::new(at + 3));
        }
        if is!(self.key(at), "noel") {
            let name = at > 0 && self.is(at - 1, Cue::Title)
                || self.capital(at + 1) && self.same_line(at + 1)
                || at > 0 && self.capital(at - 1) && !is!(self.key(at - 1), "a") && self.same_line(at) && !self.line_start(at - 1)
                || at > 1 && self.before(at, 1) == "." && self.glued(at - 1) && self.before(at, 2).len() == 1 && self.capital(at - 2);
            return ((!name || year.is_some()) && self.capital(at)).then(|| dated(at + 1));
        }
        // "à la Fête-Dieu"
        if is!(self.key(at), "fete") && self.mark(at + 1, "-") && is!(self.key(at + 2), "dieu") {
            return Some(dated(at + 3));
        }
        if !self.is(at, Cue::Holiday) || !(self.capital(at) || is!(self.key(at), "ramadan")) {
            return None;
        }
        let eid = !is!(self.key(at), "aid") || self.source(at..at + 1).contains(['ï', 'Ï']);
        let said = matches!(
            self.before(at, 1),
            "a" | "de"
                | "avant"
                | "apres"
                | "vers"
                | "depuis"
                | "pour"
                | "le"
                | "la"
                | "d"
                | "'"
                | "de l"
                | "jour"
                | "des"
                | "et"
                | "fetes"
                | "pendant"
                | "veille"
                | "fin"
                | "debut"
        ) && self.near(at)
            // "rechute Pâques ; patch"
            || is!(self.key(at), "paques" | "pentecote" | "carnaval" | "ascension" | "epiphanie")
                && at > 0
                && self.same_line(at)
                && self.word(at - 1)
                && (!self.capital(at - 1) || matches!(self.before(at, 1), "rechute" | "arret" | "chute"))
                && (self.token(at + 1).is_none() || self.line_start(at + 1) || is!(self.key(at + 1), ";" | "," | "." | ")" | "+"))
            // "Ascension 15h : visite" at the head of an entry
            || (self.line_start(at) || self.mark(at.wrapping_sub(1), "(")) && self.same_line(at + 1) && self.clock_behind(at + 1)
            // "01/11 Toussaint"
            || self.same_line(at) && at > 1 && self.digits(at - 1).is_some() && self.before(at, 2) == "/";
        let name = self.capital(at + 1) && self.same_line(at + 1) && year.is_none() || at > 0 && self.is(at - 1, Cue::Title);
        (eid && (said || year.is_some()) && !name).then(|| dated(at + 1))
    }

    /// "douze mars [deux mille vingt-quatre]", "premier avril".
    pub fn spelled(&self, at: usize) -> Option<Date> {
        if !self.is(at, Cue::NumberWord) || is!(self.key(at), "un" | "une" | "cent" | "mille" | "mil") {
            return None;
        }
        let (day, end) = self.number_in_words(at)?;
        if !(1..=31).contains(&day) || !self.is(end, Cue::Month) || !self.near(end) {
            return None;
        }
        Some(match self.year_behind(end + 1) {
            Some((year, end)) => Date { year: Some(year), whole: true, ..Date::new(end) },
            None => Date::new(end + 1),
        })
    }

    /// Number below a hundred in words, and the token behind it.
    pub(super) fn number_in_words(&self, at: usize) -> Option<(u64, usize)> {
        let mut next = at;
        let mut sum = 0;
        while self.is(next, Cue::NumberWord) && next < at + 9 {
            let value = value_of(self.fold(next))?;
            // "quatre-vingt", but "soixante et onze"
            if value == 20 && sum == 4 {
                sum = 80;
            } else {
                sum += value;
            }
            next += 1;
            let link = self.mark(next, "-") || is!(self.key(next), "et");
            if link && self.is(next + 1, Cue::NumberWord) && self.near(next + 1) {
                next += 1;
            }
            if !self.near(next) {
                break;
            }
        }
        (next > at).then_some((sum, next))
    }

    /// "deux mille vingt-quatre", "mille neuf cent trente-neuf".
    pub fn spelled_year(&self, at: usize) -> Option<(u64, usize)> {
        let dash = |i: usize| i + usize::from(self.mark(i, "-"));
        let second = dash(at + 1);
        if is!(self.key(at), "deux") && is!(self.key(second), "mille") {
            let rest = dash(second + 1);
            let (value, end) = self.number_in_words(rest).unwrap_or((0, second + 1));
            return (value < 100).then_some((2000 + value, end));
        }
        let third = dash(second + 1);
        if is!(self.key(at), "mil" | "mille") && is!(self.key(second), "neuf") && is!(self.key(third), "cent" | "cents") {
            let rest = dash(third + 1);
            let (value, end) = self.number_in_words(rest).unwrap_or((0, third + 1));
            return (value < 100).then_some((1900 + value, end));
        }
        None
    }

    pub fn spelled_year_alone(&mut self, at: usize) {
        let Some((year, end)) = self.spelled_year(at) else { return };
        let opened = at > 0 && (self.is(at - 1, Cue::OpensYear) || self.is(at - 1, Cue::Month));
        let counted = self.same_line(end)
            && (self.is(end, Cue::Unit) || is!(self.key(end), "cent" | "cents") || self.word(end) && year % 100 == 0 && !opened);
        if !counted && (opened || year % 100 != 0) {
            self.emit_date(at, Date { year: Some(year), ..Date::new(end) });
        }
    }

    /// A year on its own, or a span of years: "en 2009", "2018-2020", "en 98", "'19".
    pub fn year_alone(&mut self, at: usize) -> bool {
        let Some(digits) = self.digits(at) else { return false };
        let date = if digits.count == 4 {
            self.year_of_four(at, digits.value)
        } else if digits.count == 2 {
            self.year_of_two(at, digits.value)
        } else {
            None
        };
        // "les années 90" are said whole.
        let decade = usize::from(self.before(at, 1) == "annees" && at > 0 && !self.is_taken(at - 1));
        date.is_some_and(|date| self.emit_date(at - decade, date).is_some())
    }

    fn year_of_four(&self, at: usize, value: u64) -> Option<Date> {
        let opened = at > 0 && self.near(at) && self.is(at - 1, Cue::OpensYear) || self.before(at, 1) == "(";
        let last = self.now() + 2;
        if !(1900..2060).contains(&value) || !opened && (value < 1920 || value > last) || self.tail(at) {
            return None;
        }
        if self.amount_behind(at) || !opened && self.measured(at) {
            return None;
        }
        let mark = self.fold(at + 1);
        let held = self.glued(at + 1) && self.glued(at + 2);
        let date = Date { year: Some(value), ..Date::new(at + 1) };
        if held
            && matches!(mark, "-" | "/" | "," | "–")
            && let Some(second) = self.digits(at + 2)
        {
            let later = second.count == 4 && second.value > value && second.value < value + 80;
            let season = second.count == 2 && second.value > value % 100 && second.value < value % 100 + 20;
            let more = is!(self.key(at + 3), "/" | "-" | ",") && self.glued(at + 3) && self.glued(at + 4);
            return ((later || season && mark != ",") && !more).then(|| Date { year: Some(value), ..Date::new(at + 3) });
        }
        if held
            && (matches!(mark, "." | "," | ":" | ";") && self.digits(at + 2).is_some()
                || mark == "-" && self.word(at + 2) && self.upper(at + 2)
                || matches!(mark, "_" | "@"))
        {
            return None;
        }
        // "critères ACR 1987": the year of a classification.
        // but "diabète de type 2, IDM 1987".
        let clause = (1..=6.min(at)).take_while(|back| !matches!(self.before(at, *back), "," | ";" | "."));
        let published =
            at > 0 && self.upper(at - 1) && self.same_line(at) && clause.into_iter().any(|back| self.is(at - back, Cue::NamedAfter));
        if published {
            return None;
        }
        if opened {
            return Some(date);
        }
        let row =
            self.same_line(at + 1) && self.digits(at + 1).is_some_and(|d| d.count > 2 || !self.word(at + 2) || !self.same_line(at + 2));
        let number = self.same_line(at) && at > 0 && self.digits(at - 1).is_some() || row;
        let sign = at > 0
            && self.same_line(at)
            && (matches!(self.before(at, 1), "=" | "+" | "°" | "<" | ">" | "/" | "x" | "#" | "≥" | "≤" | "*")
                || self.before(at, 1) == "~" && !self.sentence_ends(at + 1));
        let glued = self.glued(at) && !matches!(self.before(at, 1), "(" | "[" | "\"" | "'" | "," | "-" | ":" | "/" | "–" | "~");
        let named = self.cue_before(at, 2, Cue::AmountName)
            || self.before(at, 1) == "n"
            || self.before(at, 1) == "numero"
            || self.cue_before(at, 2, Cue::ShortPhone);
        let bound = matches!(self.before(at, 1), "de" | "a")
            && matches!(self.before(at, 2), "plus" | "moins" | "pres" | "superieur" | "inferieur" | "superieure" | "inferieure");
        let to = self.before(at, 1) == "a" && !self.before(at, 2).bytes().all(|b| b.is_ascii_digit());
        let counted = self.same_line(at + 1) && self.word(at + 1) && is!(self.key(at + 1), "u" | "fois" | "grammes" | "elements");
        (!(number || sign || glued || named || bound || to || counted)).then_some(date)
    }

    /// "en 98", "depuis 95", "'19", "les années 80".
    fn year_of_two(&self, at: usize, value: u64) -> Option<Date> {
        let date = || Date { year: Some(self.century(value)), ..Date::new(at + 1) };
        let before = self.before(at, 1);
        if before == "'"
            && self.glued(at)
            && !(at > 1 && self.glued(at - 1) && self.kind(at - 2) != Some(Kind::Mark))
            && !self.amount_behind(at)
        {
            return Some(date());
        }
        let opened = matches!(before, "en" | "depuis" | "dep")
            || value >= 50
                && matches!(
                    before,
                    "stop" | "arret" | "arrete" | "arretee" | "sevre" | "sevree" | "opere" | "operee" | "retraite" | "veuve" | "veuf"
                );
        // "cholécystectomie 98,", "PTH 09."
        let operation = before.ends_with("ectomie")
            || matches!(
                before,
                "pth" | "ptg" | "cataracte" | "pontage" | "hernie" | "appendicite" | "cesarienne" | "phlebite" | "menisque"
            );
        if !(opened || operation || before == "annees") {
            return None;
        }
        if self.tail(at) || !self.same_line(at) || self.amount_behind(at) || self.measured(at) {
            return None;
        }
        if before == "annees" {
            return value.is_multiple_of(10).then(date);
        }
        let next = at + 1;
        // "en 58-60"
        let later = self.digits(next + 1).filter(|d| d.count == 2 && d.value > value && (30..90).contains(&value) && d.value < value + 20);
        if before == "en"
            && is!(self.key(next), "-" | "–" | "/")
            && later.is_some()
            && self.glued(next)
            && self.glued(next + 1)
            && (self.sentence_ends(next + 2) || self.word(next + 2))
            && !self.amount_behind(next + 1)
        {
            return Some(Date { year: Some(self.century(value)), ..Date::new(next + 2) });
        }
        let held = self.glued(next) && self.glued(next + 1) && self.digits(next + 1).is_some() || self.clock_behind(at);
        let ends = self.token(next).is_none() || self.line_start(next) || is!(self.key(next), "." | ";" | ")" | "," | ":") && !held;
        let recent = value <= self.now() % 100;
        let old = value >= 50 && !held && !(self.same_line(next) && self.digits(next).is_some());
        let listed =
            self.before(at, 2).is_empty() || !self.is(at.wrapping_sub(2), Cue::Score) && !self.is(at.wrapping_sub(2), Cue::AmountName);
        let operated = operation && (ends || self.is(next, Cue::Hospital) && self.same_line(next)) && (recent || value >= 50);
        if operated && !held {
            return Some(date());
        }
        (opened && listed && (old && (ends || self.word(next)) || recent && ends && before == "en")).then(date)
    }
}

fn value_of(word: &str) -> Option<u64> {
    Some(match word {
        "un" | "une" | "premier" => 1,
        "deux" => 2,
        "trois" => 3,
        "quatre" => 4,
        "cinq" => 5,
        "six" => 6,
        "sept" => 7,
        "huit" => 8,
        "neuf" => 9,
        "dix" => 10,
        "onze" => 11,
        "douze" => 12,
        "treize" => 13,
        "quatorze" => 14,
        "quinze" => 15,
        "seize" => 16,
        "vingt" | "vingts" => 20,
        "trente" => 30,
        "quarante" => 40,
        "cinquante" => 50,
        "soixante" => 60,
        _ => return None,
    })
}
