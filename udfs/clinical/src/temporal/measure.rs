//! What a number with a unit of time means: clock time, length, age or distance.

use super::amount::{Measure, clock};
use super::lexicon::{Cue, Head, Unit, Word};
use super::reader::{Day, Instant, Origin, Reader, What};
use crate::is;
use crate::text::Kind;

/// How hours are meant.
enum Hours {
    Clock,
    Length,
    After,
}

impl Reader<'_, '_> {
    /// A number in letters that opens a date, a time or a length.
    pub fn spelled(&mut self, at: usize) -> Option<usize> {
        let (_, next) = self.spelled_number(at)?;
        let word = self.word(next);
        if is!(self.key(next), "mille") && is!(self.key(at), "deux") && matches!(self.fold_before(at, 1), "en" | "depuis" | "annee") {
            return self.spelled_year_alone(at);
        }
        if word.month > 0 || is!(self.key(next), "au" | "et") {
            return self.written(at, at, 0);
        }
        self.length(at)
    }

    /// `13:05`, `13:05:22`, `13 : 05` where the context says a time.
    pub fn colon_clock(&mut self, at: usize) -> Option<usize> {
        let hour = self.plain(at).filter(|d| d.count <= 2)?;
        let minute = self.plain(at + 2).filter(|d| d.count == 2 && d.value < 60)?;
        if self.mark(at + 1) != b':' || self.tail_of_number(at, b':') || !self.same_line(at + 1) || !self.same_line(at + 2) {
            return None;
        }
        let opened = matches!(self.fold_before(at, 1), "a" | "vers" | "des") || self.day_before(at) || self.line_start(at);
        let glued = self.glued(at + 1) && self.glued(at + 2);
        if (!glued || hour.count == 1) && !opened {
            return None;
        }
        let mut last = at + 3;
        if self.continued(last, b':') && self.plain(last + 1).is_some_and(|d| d.count == 2 && d.value < 60) {
            last += 2;
        }
        if self.continued(last, b':') || self.word(last).is(Cue::Amount) && self.glued(last) {
            return None;
        }
        let clock = clock(hour.value, Some(minute.value))?;
        self.emit(at, last, What::Instant(Instant { day: None, clock: Some(clock), evening: false }), false)
    }

    /// A day was read just before this token.
    fn day_before(&self, at: usize) -> bool {
        let gap = if matches!(self.fold_before(at, 1), "a" | "vers" | "," | "-" | ":") { 1 } else { 0 };
        self.near(at)
            && self.found.last().is_some_and(|raw| raw.last + gap == at && matches!(raw.what, What::Instant(Instant { day: Some(_), .. })))
    }

    /// A number with a unit: decides what it is.
    pub fn length(&mut self, at: usize) -> Option<usize> {
        if let Some((years, end)) = self.presented_age(at) {
            return self.emit(at, end, What::Age { years: years as f32, unit: Unit::Year }, false);
        }
        let measure = self.measure(at)?;
        if let Some(next) = self.rate_after(at, &measure) {
            return Some(next);
        }
        match measure.unit {
            Unit::Hour => self.hours(at, measure),
            Unit::Year => self.years(at, measure),
            _ => self.days(at, measure),
        }
    }

    /// "(72 a)", "H 71 a,", "Âge : 84": years cut to their letter where a patient is
    /// presented, or behind their name; the number and the token after it.
    pub fn presented_age(&self, at: usize) -> Option<(u32, usize)> {
        let years = self.plain(at).filter(|d| (16..115).contains(&d.value))?.value;
        let ends = |i: usize| self.line_start(i) || matches!(self.mark(i), b')' | b',' | b'.' | b';' | b'/' | b'-');
        if at > 1 && matches!(self.mark(at - 1), b':' | b'=') && self.same_line(at) && is!(self.key(at - 2), "age") && ends(at + 1) {
            return (!self.continued(at + 1, b'.') && !self.continued(at + 1, b',')).then_some((years, at + 1));
        }
        let letter = self.text.tokens.get(at + 1).filter(|t| t.lines_before == 0 && t.space_before)?;
        if !(ends(at + 2) || self.sex_after(at + 2)) || !matches!(&self.text.original[letter.range()], "a" | "A") {
            return None;
        }
        let sexed = |i: usize| is!(self.key(i), "f" | "h" | "m") && self.text.tokens[i].upper;
        let opened = self.line_start(at) || matches!(self.mark(at - 1), b'(' | b',' | b'/' | b'-' | b':') || sexed(at - 1);
        (opened || self.sex_after(at + 2)).then_some((years, at + 2))
    }

    fn emit_length(&mut self, first: usize, measure: &Measure, since: bool) -> Option<usize> {
        let what = What::Length { amount: measure.total(), unit: measure.unit, minutes: measure.minutes(), since };
        self.emit(first, measure.next, what, measure.range)
    }

    fn emit_age(&mut self, at: usize, measure: &Measure) -> Option<usize> {
        let years = (f64::from(measure.total()?) * measure.unit.minutes() / Unit::Year.minutes()) as f32;
        self.emit(at, measure.next, What::Age { years, unit: measure.unit }, measure.range)
    }

    fn emit_shift(&mut self, first: usize, last: usize, from: Origin, sign: f32, measure: &Measure) -> Option<usize> {
        let shift = Day::Shift { from, amount: measure.total().map(|a| a * sign), unit: measure.unit };
        self.emit(first, last, What::Instant(Instant { day: Some(shift), ..Instant::default() }), measure.range)
    }

    /// `3 jours après`, `24 h avant`, `2 mois plus tard`.
    fn after_or_before(&mut self, at: usize, measure: &Measure) -> Option<usize> {
        let mut index = measure.next;
        if is!(self.key(index), "environ") {
            index += 1;
        }
        if !self.near(index) {
            return None;
        }
        let (sign, last) = match (self.fold(index), self.fold(index + 1)) {
            ("apres", _) if self.day_part(index).is_none() => (1.0, index + 1),
            ("plus", "tard") => (1.0, index + 2),
            ("avant", _) => (-1.0, index + 1),
            ("plus", "tot") => (-1.0, index + 2),
            ("auparavant", _) => (-1.0, index + 1),
            ("post", _) => (1.0, index),
            _ => return None,
        };
        // Followed by the event that it counts from: nothing dates that.
        let event = self.near(last) && self.is_kind(last, Kind::Word) || is!(self.key(index), "post");
        let from = if event && is!(self.key(index), "apres" | "avant" | "post") { Origin::Event } else { Origin::Sentence };
        self.emit_shift(at, last, from, sign, measure)
    }

    fn hours(&mut self, at: usize, measure: Measure) -> Option<usize> {
        match self.hours_meaning(at, &measure) {
            Hours::Length => self.after_or_before(at, &measure).or_else(|| self.emit_length(at, &measure, false)),
            Hours::After => {
                self.after_or_before(at, &measure).or_else(|| self.emit_shift(at, measure.next, Origin::HourZero, 1.0, &measure))
            }
            Hours::Clock => {
                let mut last = measure.next;
                let mut evening = false;
                let said = if is!(self.key(last), "du" | "de") { last + 1 } else { last };
                let said = if is!(self.key(said), "l") { said + 2 } else { said };
                if said > last
                    && let Some((next, late)) = self.day_part(said)
                {
                    (last, evening) = (next, late);
                }
                let hour = measure.amount.unwrap_or(0.0) as u32;
                let Some(mut clock) = clock(hour, measure.below) else { return self.emit_length(at, &measure, false) };
                if evening && clock.hour < 12 && clock.hour > 0 {
                    clock.hour += 12;
                }
                self.emit(at, last, What::Instant(Instant { day: None, clock: Some(clock), evening: false }), false)
            }
        }
    }

    fn hours_meaning(&self, at: usize, measure: &Measure) -> Hours {
        let hours = measure.amount.unwrap_or(0.0);
        let before = self.fold_before(at, 1);
        let opened = matches!(before, "vers" | "des" | "@") || before == "a" && !self.verb_before(at);
        let whole = hours.fract() == 0.0 && !measure.range;
        if !whole || hours >= 24.0 {
            return if before == "a" && hours >= 24.0 { Hours::After } else { Hours::Length };
        }
        let after = self.fold(measure.next);
        if matches!(after, "apres" | "post" | "plus") && self.near(measure.next) && self.day_part(measure.next).is_none() && !opened {
            return Hours::After;
        }
        if matches!(after, "avant") && !opened && !self.day_before(at) {
            return Hours::After;
        }
        let of_day = matches!(after, "du" | "de" | "ce" | "cet") && (1..=4).any(|k| self.day_part(measure.next + k).is_some());
        if of_day {
            return Hours::Clock;
        }
        if after == "d" && self.word(measure.next + 2).is(Cue::Duration) {
            return Hours::Length;
        }
        if opened {
            let origin = matches!(after, "du" | "de" | "des" | "d") && (1..=4).any(|k| self.word(measure.next + k).is(Cue::Origin));
            return if before == "a" && origin && hours < 13.0 { Hours::After } else { Hours::Clock };
        }
        if self.day_before(at) {
            return Hours::Clock;
        }
        if hours == 0.0 && self.digits(at).is_some_and(|d| d.count == 1) {
            return Hours::Length;
        }
        if matches!(
            before,
            "pendant"
                | "durant"
                | "en"
                | "sur"
                | "par"
                | "sous"
                | "les"
                | "ces"
                | "dernieres"
                | "premieres"
                | "prochaines"
                | "x"
                | "toutes"
                | "pour"
                | "chaque"
                | "<"
                | ">"
                | "≤"
                | "≥"
                | "+"
                | "h"
                | "plus"
                | "moins"
                | "quelques"
                | "il"
                | "/"
                | "une"
                | "ou"
        ) {
            return Hours::Length;
        }
        let loose = self.fold_before(at, 2);
        if matches!(before, "de" | "d'") && matches!(loose, "plus" | "moins" | "pres" | "dela" | "deca") {
            return Hours::Length;
        }
        let word_unit = self.fold(measure.next.wrapping_sub(1)).starts_with("heure");
        if before == "apres" && measure.below.is_none() && (hours < 10.0 || word_unit || matches!(after, "d" | "de")) {
            return Hours::Length;
        }
        if matches!(before, "jusqu'a" | "avant" | "apres" | "entre") {
            return Hours::Clock;
        }
        if before == "depuis" {
            return if measure.below.is_some() && hours >= 7.0 { Hours::Clock } else { Hours::Length };
        }
        let lasting = self.nearest_before(at, 4, Cue::Lasting).filter(|_| hours < 12.0 || measure.below.is_none());
        let clock = self.nearest_before(at, 4, Cue::Clock);
        let length = self.nearest_before(at, 4, Cue::Duration);
        if length.is_some_and(|l| clock.is_none_or(|c| c > l) || self.line_start(l)) || (lasting.is_some() && lasting > clock) {
            return Hours::Length;
        }
        if clock.is_some() || self.line_start(at) {
            return Hours::Clock;
        }
        let one_token = measure.next == at + 1;
        let spelled = !self.is_kind(at, Kind::Number) || self.word(at + 1).unit == Some(Unit::Hour) && self.fold(at + 1).len() > 2;
        match measure.below {
            Some(_) if one_token || hours > 6.0 => Hours::Clock,
            Some(_) => Hours::Length,
            None if spelled || hours < 7.0 => Hours::Length,
            None => Hours::Clock,
        }
    }

    /// `il a 3 jours`: the verb, not the preposition.
    fn verb_before(&self, at: usize) -> bool {
        matches!(self.fold_before(at, 2), "il" | "elle" | "y" | "qui" | "on" | "patient" | "patiente")
            || self.text.tokens.get(at.wrapping_sub(1)).is_some_and(|t| self.word_before(at, 2).is(Cue::Person) && t.end - t.start == 1)
    }

    fn years(&mut self, at: usize, measure: Measure) -> Option<usize> {
        let digit_a = self.digits(at).is_some_and(|d| d.suffix == "a");
        let number = measure.amount.unwrap_or(0.0);
        let sex = self.sex_after(measure.next);
        if digit_a {
            let likely = sex
                || ((16.0..115.0).contains(&number)
                    && (self.line_start(at) || !self.glued(at))
                    && !self.word_before(at, 1).is(Cue::NumberOf));
            return if likely { self.emit_age(at, &measure) } else { None };
        }
        if let Some(next) = self.after_or_before(at, &measure) {
            return Some(next);
        }
        // `an 2000`, `année 2018`: the year is read by itself.
        if number > 120.0 {
            return None;
        }
        if self.is_age(at, &measure, sex) { self.emit_age(at, &measure) } else { self.distance_or_length(at, &measure) }
    }

    fn sex_after(&self, at: usize) -> bool {
        let at = at + usize::from(matches!(self.mark(at), b',' | b'(' | b'-' | b'/'));
        self.same_line(at)
            && (is!(self.key(at), "♀" | "♂" | "homme" | "femme")
                || (is!(self.key(at), "f" | "h" | "m") && self.text.tokens[at].upper && self.mark(at + 1) != b'+'))
    }

    fn is_age(&self, at: usize, measure: &Measure, sex: bool) -> bool {
        let number = measure.amount.unwrap_or(0.0);
        if self.said_age(at, measure) || sex {
            return true;
        }
        let before = self.fold_before(at, 1);
        let before2 = self.fold_before(at, 2);
        let people = self.words_before(at, 8, Cue::Person) || self.words_before(at, 8, Cue::Child);
        if before == "de" || (before == "d'" || before == "'" && before2 == "d") {
            let noun = self.word_before(at, 2);
            if noun.is(Cue::Duration) || noun.is(Cue::Lasting) && !noun.is(Cue::Person) {
                return false;
            }
            if matches!(before2, "plus" | "moins" | "pres") {
                return number >= 40.0 || self.word_before(at, 4).is(Cue::Person) || self.word_before(at, 3).is(Cue::Person);
            }
            return people || number >= 60.0;
        }
        let next = measure.next;
        let of = is!(self.key(next), "de" | "d") && self.near(next);
        let complement = self.word(next + if is!(self.key(next), "d") { 2 } else { 1 });
        if of && !complement.is(Cue::AgeComplement) && !people {
            return false;
        }
        if of && !complement.is(Cue::AgeComplement) && matches!(self.word(next + 1).cue_free_noun(), Some(true)) {
            return false;
        }
        match before {
            "a" if self.verb_before(at) => true,
            "a" if before2.starts_with("remont") => false,
            "a" => number >= 15.0,
            "avant" | "apres" | "<" | ">" | "≥" | "≤" | "des" => number >= 30.0,
            "sur" | "en" | "x" | "sous" | "les" | "ces" | "derniers" | "premiers" | "prochains" | "pour" | "chaque" | "tous" | "par" => {
                false
            }
            _ if self.words_before(at, 3, Cue::Duration)
                || self.words_before(at, 3, Cue::Lasting) && !self.words_before(at, 3, Cue::Person) =>
            {
                false
            }
            _ if number >= 18.0 => true,
            _ => people && number > 0.0 || (self.line_start(at) && self.mark(next) == b','),
        }
    }

    /// `âgé de`, `âge :`, `à l'âge de`, or `de vie` after.
    fn said_age(&self, at: usize, measure: &Measure) -> bool {
        for back in 1..=5 {
            if at < back || !self.near(at + 1 - back) {
                break;
            }
            match self.fold_before(at, back) {
                "age" | "agee" | "ages" | "agees" => return true,
                "de" | ":" | "d" | "'" | "environ" | "plus" | "moins" | "actuel" | "(" | "=" | "seulement" | "gestationnel" | "vers" => {}
                _ => break,
            }
        }
        is!(self.key(measure.next), "de") && is!(self.key(measure.next + 1), "vie")
    }

    fn days(&mut self, at: usize, measure: Measure) -> Option<usize> {
        if self.said_age(at, &measure) {
            return self.emit_age(at, &measure);
        }
        if let Some(next) = self.after_or_before(at, &measure) {
            return Some(next);
        }
        let before = self.fold_before(at, 1);
        let child = self.nearest_before(at, 5, Cue::Child).is_some_and(|c| !self.words_before(at, at - c, Cue::Duration));
        if child && measure.unit >= Unit::Day && (matches!(before, "de" | ",") || self.word_before(at, 1).is(Cue::Child)) {
            return self.emit_age(at, &measure);
        }
        self.distance_or_length(at, &measure)
    }

    fn distance_or_length(&mut self, at: usize, measure: &Measure) -> Option<usize> {
        let from_now = self.fold_before(at, 1) == "a" && self.fold_before(at, 2).starts_with("remont");
        if from_now {
            return self.emit_shift(at, measure.next, Origin::Reference, -1.0, measure);
        }
        let weeks_of_pregnancy = measure.unit == Unit::Week && (at..measure.next).any(|i| is!(self.key(i), "sa"));
        let follow = !weeks_of_pregnancy
            && self.fold_before(at, 1) == "a"
            && !self.verb_before(at)
            && !matches!(self.fold_before(at, 2), "jusqu'" | "'" | "superieur" | "superieure" | "inferieur" | "inferieure" | "egal");
        if follow {
            let planned = self.words_before(at, 5, Cue::Planned);
            let from = if planned { Origin::Reference } else { Origin::DayZero };
            return self.emit_shift(at, measure.next, from, 1.0, measure);
        }
        self.emit_length(at, measure, false)
    }

    /// Words before the number that only make it vague; the token after them.
    fn about(&self, mut at: usize) -> (usize, bool) {
        let mut vague = false;
        for _ in 0..5 {
            let word = self.word(at);
            match self.fold(at) {
                "plus" | "moins" | "pres" | "peu" | "moindre" | "~" | "≈" | "maintenant" | "deja" => vague = true,
                "de" | "d" | "'" | "au" | "a" | "un" if vague && self.measure(at).is_none() => {}
                "au" | "seulement" => {}
                _ if word.is(Cue::Approximate) => vague = true,
                _ => break,
            }
            at += 1;
        }
        (at, vague)
    }

    /// `il y a 3 jours`, `depuis 2 mois`, `dans 3 semaines`, `pendant 5 jours`, `quelques jours`.
    pub fn opened_length(&mut self, at: usize, head: Head) -> Option<usize> {
        let ago = match self.fold(at) {
            "il" if is!(self.key(at + 1), "y") && is!(self.key(at + 2), "a") => at + 3,
            "il" if is!(self.key(at + 1), "ya") => at + 2,
            "y" if is!(self.key(at + 1), "a") => at + 2,
            "il" if is!(self.key(at + 1), "y") && is!(self.key(at + 3), "a") && self.mark(at + 2) == b'\'' => at + 4,
            "y" if is!(self.key(at + 2), "a") && self.mark(at + 1) == b'\'' => at + 3,
            _ if head == Head::There => return None,
            _ => at + 1,
        };
        if head == Head::Some {
            return self.length(at);
        }
        let (index, vague) = self.about(ago);
        if !self.near(index) && !self.same_line(index) {
            return None;
        }
        let measure = self.measure(index)?;
        let measure = Measure { range: measure.range || vague, ..measure };
        match head {
            Head::There | Head::Here => {
                let next = measure.next;
                self.emit_shift(at, next, Origin::Reference, -1.0, &measure)
            }
            Head::Within => {
                let first = if is!(self.key(at), "ici") {
                    if self.fold_before(at, 1) != "'" {
                        return None;
                    }
                    at.saturating_sub(2)
                } else {
                    at
                };
                self.emit_shift(first, measure.next, Origin::Reference, 1.0, &measure)
            }
            Head::Since => {
                let after = self.fold(measure.next);
                let clock = measure.unit == Unit::Hour
                    && (measure.below.is_some() && measure.amount >= Some(7.0) || matches!(after, "du" | "ce" | "hier" | "cette"));
                if clock {
                    return None;
                }
                self.emit_length(at, &measure, true)
            }
            _ => {
                let age = measure.unit == Unit::Year && self.said_age(index, &measure);
                if age { self.emit_age(index, &measure) } else { self.emit_length(at, &measure, false) }
            }
        }
    }
}

impl Word {
    /// Whether a noun after `N ans de` starts a length; `None` for words unknown here.
    fn cue_free_noun(&self) -> Option<bool> {
        (self.is(Cue::Duration) || self.is(Cue::Lasting)).then_some(!self.is(Cue::Person))
    }
}
