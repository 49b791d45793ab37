//! Expressions that words alone make: `hier`, `la veille`, `lundi dernier`,
//! `J+1`, `à M3`, `Noël 2020`, `midi`.

use super::lexicon::{Cue, Head, Holiday, Unit, Word};
use super::reader::{Calendar, Clock, Day, Direction, Instant, Origin, Reader, What};
use crate::is;
use crate::text::Kind;

impl Reader<'_, '_> {
    fn emit_shift_of(&mut self, first: usize, last: usize, from: Origin, amount: f32, unit: Unit) -> Option<usize> {
        self.emit_day(first, last, Day::Shift { from, amount: Some(amount), unit })
    }

    /// Takes in the article before, unless an expression ends there.
    fn with_article(&self, at: usize) -> usize {
        let free = |first: usize| first >= self.floor;
        match self.fold_before(at, 1) {
            "la" | "le" | "les" if self.near(at) && free(at - 1) => at - 1,
            "'" if at >= 2 && is!(self.key(at - 2), "l") && self.glued(at) && free(at - 2) => at - 2,
            _ => at,
        }
    }

    pub fn relative(&mut self, at: usize, head: Head) -> Option<usize> {
        let day = |reader: &mut Self, first, last, from, amount| reader.emit_shift_of(first, last, from, amount, Unit::Day);
        match head {
            Head::Yesterday | Head::Tomorrow => {
                let (word, amount) = if head == Head::Yesterday { ("avant", -1.0) } else { ("apres", 1.0) };
                let dash = usize::from(self.mark(at.wrapping_sub(1)) == b'-');
                let two = self.near(at) && self.fold_before(at, 1 + dash) == word && at > self.floor + dash;
                if two {
                    day(self, at - 1 - dash, at + 1, Origin::Reference, 2.0 * amount)
                } else {
                    day(self, at, at + 1, Origin::Reference, amount)
                }
            }
            Head::Today => {
                let last = if is!(self.key(at), "aujourd") { at + 3 } else { at + 1 };
                (last == at + 1 || is!(self.key(at + 2), "hui")).then_some(())?;
                day(self, at, last, Origin::Reference, 0.0)
            }
            Head::Eve => {
                let before = self.fold_before(at, 2) == "avant" && self.mark(at.wrapping_sub(1)) == b'-' && at >= self.floor + 2;
                let first = self.with_article(if before { at - 2 } else { at });
                let articled = first < at || self.fold_before(at, 1) == "de";
                articled.then_some(())?;
                day(self, first, at + 1, Origin::Narrative, if before { -2.0 } else { -1.0 })
            }
            Head::Morrow | Head::NextMorrow => {
                let first = self.with_article(at);
                day(self, first, at + 1, Origin::Narrative, if head == Head::Morrow { 1.0 } else { 2.0 })
            }
            Head::This => self.this(at),
            Head::Part => self.part(at),
            Head::Noon | Head::Midnight => self.noon(at, head),
            Head::NewYear => {
                (is!(self.key(at + 1), "an")).then_some(())?;
                let first = self.with_article(at);
                self.new_year(first, at + 2)
            }
            _ => None,
        }
    }

    /// `ce jour`, `ce matin`, `cette nuit`, `cette semaine`, `ces derniers jours`.
    fn this(&mut self, at: usize) -> Option<usize> {
        let mut index = at + 1;
        if !self.near(index) {
            return None;
        }
        if is!(self.key(at), "ces") {
            let last = self.turned(index).filter(|d| *d == Direction::Last).and_then(|_| self.word(index + 1).unit)?;
            return self.emit(
                at,
                index + 2,
                What::Instant(instant(Day::Shift { from: Origin::Reference, amount: None, unit: last })),
                true,
            );
        }
        if let Some((last, evening)) = self.day_part(index) {
            let day = Day::Shift { from: Origin::Reference, amount: Some(0.0), unit: Unit::Day };
            return self.emit(at, last, What::Instant(Instant { day: Some(day), clock: None, evening }), false);
        }
        let word = *self.word(index);
        if is!(self.key(index), "midi") {
            let day = Day::Shift { from: Origin::Reference, amount: Some(0.0), unit: Unit::Day };
            let noon = Clock { hour: 12, minute: None };
            return self.emit(at, index + 1, What::Instant(Instant { day: Some(day), clock: Some(noon), evening: false }), false);
        }
        if word.season > 0 {
            let day = Day::Season { month: word.season, year: None, direction: Direction::Past };
            return self.emit(at, index + 1, What::Instant(instant(day)), true);
        }
        if let Some(unit) = word.unit.filter(|u| *u >= Unit::Day) {
            // `ce jour-là` is another day.
            if self.mark(index + 1) == b'-' && is!(self.key(index + 2), "la") {
                return self.emit_shift_of(at, index + 3, Origin::Narrative, 0.0, unit);
            }
            if self.mark(index + 1) == b'-' && is!(self.key(index + 2), "ci") {
                index += 2;
            }
            return self.emit_shift_of(at, index + 1, Origin::Reference, 0.0, unit);
        }
        let week_end = is!(self.key(index), "week") && is!(self.key(index + 2), "end") || is!(self.key(index), "weekend");
        if week_end {
            let last = if is!(self.key(index), "week") { index + 3 } else { index + 1 };
            return self.emit(at, last, What::Instant(instant(Day::Weekday { weekday: 6, direction: Direction::Past })), true);
        }
        None
    }

    /// Lists of parts of the day are a frequency, so that `midi` is not a time there.
    fn part(&mut self, at: usize) -> Option<usize> {
        let mut last = self.day_part(at)?.0;
        if is!(self.key(at), "apres") {
            // `après demain`, `après-demain` are read here, the word before being taken.
            return None;
        }
        let mut count = 1;
        let mut index = last;
        for _ in 0..6 {
            if !self.same_line(index) {
                break;
            }
            if let Some((next, _)) = self.day_part(index) {
                (index, last, count) = (next, next, count + 1);
            } else if is!(self.key(index), "midi") {
                (index, last, count) = (index + 1, index + 1, count + 1);
            } else if is!(self.key(index), "," | "et" | "-" | "/" | "+" | "le") {
                index += 1;
            } else {
                break;
            }
        }
        if count < 2 {
            return None;
        }
        self.emit(at, last, What::Frequency, false)
    }

    fn noon(&mut self, at: usize, head: Head) -> Option<usize> {
        let before = self.fold_before(at, 1);
        if head == Head::Noon {
            if matches!((before, self.mark(at.wrapping_sub(1))), (_, b'-')) || before == "apres" && self.near(at) {
                return None;
            }
            let after =
                |word: &str| self.fold(at + 1) == word || is!(self.key(at + 1), "," | "et" | "/" | "-") && self.fold(at + 2) == word;
            if after("soir") || after("matin") {
                let last = if self.day_part(at + 1).is_some() { at + 2 } else { at + 3 };
                return self.emit(at, last, What::Frequency, false);
            }
            let day_before = self.found.last().is_some_and(|raw| raw.last == at);
            if !(matches!(before, "a" | "vers" | "avant" | "de" | "jusqu'a" | "des" | "entre" | "et" | "depuis")
                || day_before
                || self.line_start(at) && self.mark(at + 1) == b':')
            {
                return None;
            }
            if before == "de"
                && self.word_before(at, 2).head == Head::None
                && matches!(self.fold_before(at, 2), "repas" | "prise" | "dose" | "dejeuner")
            {
                return None;
            }
        }
        let half = is!(self.key(at + 1), "et") && is!(self.key(at + 2), "demi" | "demie" | "quart");
        let quarter = half && is!(self.key(at + 2), "quart");
        let minute = half.then_some(if quarter { 15 } else { 30 });
        let clock = Clock { hour: if head == Head::Noon { 12 } else { 0 }, minute };
        self.emit(at, if half { at + 3 } else { at + 1 }, What::Instant(Instant { day: None, clock: Some(clock), evening: false }), false)
    }

    /// A unit turned to last or next: `la semaine dernière`, `l'an passé`, `le jour même`,
    /// and the ordinals `au 3e jour`.
    pub fn unit_word(&mut self, at: usize, word: Word) -> Option<usize> {
        if is!(self.key(at), "avant" | "apres") {
            return None;
        }
        let unit = word.unit?;
        let next = at + 1;
        if let Some(ordinal) = at.checked_sub(1).and_then(|i| self.digits(i)).filter(|_| self.near(at)) {
            if matches!(ordinal.suffix, "e" | "eme" | "ieme" | "er" | "ere" | "re" | "nd" | "nde" | "me")
                && unit >= Unit::Day
                && at > self.floor
            {
                return self.emit(at - 1, next, What::Instant(instant(Day::Shift { from: Origin::Event, amount: None, unit })), false);
            }
            return None;
        }
        if unit == Unit::Day && is!(self.key(next), "meme") && self.near(next) {
            let first = self.with_article(at);
            return (first < at).then(|| self.emit_shift_of(first, next + 1, Origin::Narrative, 0.0, Unit::Day))?;
        }
        if unit == Unit::Day && is!(self.key(next), "de") && is!(self.key(next + 3), "an") && is!(self.key(at), "jour") {
            let first = self.with_article(at);
            return self.new_year(first, next + 4);
        }
        if unit < Unit::Week && !(unit == Unit::Day && is!(self.key(next), "suivant" | "precedent")) {
            return None;
        }
        let first = self.with_article(at);
        if is!(self.key(next), "suivant" | "suivante" | "precedent" | "precedente") && first < at && self.near(next) {
            let sign = if self.fold(next).starts_with('s') { 1.0 } else { -1.0 };
            return self.emit_shift_of(first, next + 1, Origin::Narrative, sign, unit);
        }
        let sign = match self.turned(next)? {
            Direction::Next => 1.0,
            _ => -1.0,
        };
        self.emit_shift_of(first, next + 1, Origin::Reference, sign, unit)
    }

    /// `lundi 12 mars`, `lun. 12/03`, `lundi dernier`, `lundi`, `lundi et jeudi`.
    pub fn weekday(&mut self, at: usize, word: Word) -> Option<usize> {
        let mut index = at + 1;
        if word.weekday_short && self.mark(index) == b'.' {
            index += 1;
        }
        if is!(self.key(index), "le" | ",") && self.near(index) {
            index += 1;
        }
        let here = self.found.len();
        if self.same_line(index) && self.is_kind(index, Kind::Number) || self.near(index) && self.word(index).number > 0 {
            if let Some(next) = self.written(at, index, word.weekday) {
                return Some(next);
            }
            if let Some(next) = self.figures(index, true) {
                if let Some(raw) = self.found.get_mut(here) {
                    raw.first = at;
                    if let What::Instant(Instant { day: Some(Day::Calendar(calendar)), .. }) = &mut raw.what {
                        calendar.weekday = word.weekday;
                    }
                }
                return Some(next);
            }
            if !word.weekday_short
                && let Some(day) = self.plain(index).filter(|d| d.count <= 2 && (1..=31).contains(&d.value))
                && self.word(index + 1).unit.is_none()
                && !matches!(self.mark(index + 1), b'/' | b'%' | b':' | b'.' | b',' if self.continued(index + 1, self.mark(index + 1)))
                && !self.word(index + 1).is(Cue::Amount)
            {
                let calendar =
                    Calendar { day: day.value as u8, weekday: word.weekday, direction: self.direction(at), ..Calendar::default() };
                return self.emit_day(at, index + 1, Day::Calendar(calendar));
            }
        }
        if word.weekday_short {
            return None;
        }
        if let Some(direction) = self.turned(at + 1) {
            return self.emit_day(at, at + 2, Day::Weekday { weekday: word.weekday, direction });
        }
        if let Some(last) = self.weekday_list(at) {
            return self.emit(at, last, What::Frequency, false);
        }
        if self.fold(at).ends_with('s') || is!(self.key(at), "mardi") && is!(self.key(at + 1), "gras") {
            return None;
        }
        let direction = self.direction(at);
        self.emit_day(at, at + 1, Day::Weekday { weekday: word.weekday, direction })
    }

    /// Weekdays on end are habits: `lundi, mercredi et vendredi`, `du lundi au vendredi`.
    fn weekday_list(&self, at: usize) -> Option<usize> {
        let mut last = at + 1;
        let mut index = last;
        let mut listed = false;
        while self.same_line(index) && index < at + 24 {
            let word = self.word(index);
            if word.weekday > 0 && !word.weekday_short {
                let dated = self.is_kind(index + 1, Kind::Number) && self.same_line(index + 1);
                if dated {
                    break;
                }
                (last, listed) = (index + 1, true);
            } else if !is!(self.key(index), "," | "et" | "/" | "-" | "au" | "ou" | "le") {
                break;
            }
            index += 1;
        }
        listed.then_some(last)
    }

    /// `été 2018`, `l'hiver dernier`; bare `été` is the verb.
    pub fn season(&mut self, at: usize, month: u8) -> Option<usize> {
        let mut index = at + 1;
        if is!(self.key(index), "de") {
            index += 1;
        }
        if let Some(year) = self.plain(index).filter(|d| d.count == 4 && self.plausible_year(d.value) && self.same_line(index))
            && !self.word(index + 1).is(Cue::Amount)
        {
            let day = Day::Season { month, year: Some(year.value as i32), direction: Direction::Past };
            return self.emit(at, index + 1, What::Instant(instant(day)), true);
        }
        let direction = self.turned(at + 1)?;
        let first = self.with_article(at);
        self.emit(first, at + 2, What::Instant(instant(Day::Season { month, year: None, direction })), true)
    }

    /// `Noël 2020`, `à la Toussaint`; a name without them.
    pub fn holiday(&mut self, at: usize, holiday: Holiday) -> Option<usize> {
        if !self.text.tokens[at].capital && is!(self.key(at), "ascension") {
            return None;
        }
        if let Some(year) = self.plain(at + 1).filter(|d| d.count == 4 && self.plausible_year(d.value) && self.same_line(at + 1)) {
            return self.emit_day(at, at + 2, Day::Holiday { holiday, year: Some(year.value as i32), direction: Direction::Past });
        }
        if let Some(direction) = self.turned(at + 1) {
            return self.emit_day(at, at + 2, Day::Holiday { holiday, year: None, direction });
        }
        let before = self.fold_before(at, 1);
        let article = matches!(before, "la" | "'");
        let opened = if article { self.fold_before(at, if before == "la" { 2 } else { 3 }) } else { before };
        let said = matches!(opened, "a" | "depuis" | "avant" | "apres" | "pour" | "vers" | "des" | "jusqu'a")
            || matches!(opened, "de" | "pendant")
                && (article
                    || matches!(self.fold_before(at, 2), "jour" | "fetes" | "veille" | "lendemain" | "lundi" | "vacances" | "soir"));
        if !said
            || self.is_kind(at + 1, Kind::Word)
                && self.text.tokens[at + 1].upper
                && self.text.tokens[at + 1].end - self.text.tokens[at + 1].start > 2
        {
            return None;
        }
        let direction = self.direction(at);
        self.emit_day(at, at + 1, Day::Holiday { holiday, year: None, direction })
    }

    fn new_year(&mut self, first: usize, last: usize) -> Option<usize> {
        let year = self.plain(last).filter(|d| d.count == 4 && self.plausible_year(d.value)).map(|d| d.value as i32);
        let direction = self.direction(first);
        let day = Day::Holiday { holiday: Holiday::Fixed { month: 1, day: 1 }, year, direction };
        self.emit_day(first, last + usize::from(year.is_some()), day)
    }

    /// `J2`, `J+1`, `J 7`, `H24`, `H+3`, `M3`, `S6`.
    pub fn study_time(&mut self, at: usize) -> Option<usize> {
        let fold = self.fold(at);
        let letter = *fold.as_bytes().first()?;
        if !matches!(letter, b'j' | b'h' | b'm' | b's') || fold.len() > 6 || fold.len() == 1 && self.presented_age(at + 1).is_some() {
            return None;
        }
        let (amount, sign, last) = if fold.len() > 1 {
            let figures = fold.get(1..)?;
            if letter == b'h'
                && let Some((hours, minutes)) = figures.split_once('h')
            {
                return self.study_hours(at, at + 1, hours.parse().ok()?, minutes.parse().ok()?);
            }
            if !figures.bytes().all(|b| b.is_ascii_digit()) || figures.len() > 1 && figures.starts_with('0') {
                return None;
            }
            (figures.parse::<u32>().ok().filter(|n| *n < 1000)?, 0i8, at + 1)
        } else {
            let sign = match self.mark(at + 1) {
                b'+' => 1,
                b'-' if self.glued(at + 1) && letter == b'j' => -1,
                _ => 0,
            };
            let number = at + if sign == 0 { 1 } else { 2 };
            if letter == b'h'
                && sign > 0
                && let Some(minutes) = self.digits(number).and_then(|d| d.suffix.strip_prefix('h'))
            {
                return self.study_hours(at, number + 1, self.digits(number)?.value, minutes.parse().ok()?);
            }
            let digits = self.plain(number).filter(|d| d.count <= 3 && self.same_line(number))?;
            // `DURAND Jean H 03/11/1956`: a date, and the sex before it.
            let dated = sign == 0 && matches!(self.mark(number + 1), b'/' | b'-' | b'.') && self.digits(number + 2).is_some();
            // `J 7` is a day, `j 7` and `M 3` nothing sure; `5 j - 7` is a range.
            let spaced = sign == 0 && !(matches!(letter, b'j' | b'h') && self.text.tokens[at].upper);
            if spaced
                || dated && self.glued(number + 1) && self.glued(number + 2)
                || (sign < 0 && !self.glued(number))
                || self.is_kind(at.wrapping_sub(1), Kind::Number)
                || self.word(number + 1).unit.is_some()
            {
                return None;
            }
            (digits.value, sign, number + 1)
        };
        if self.glued(at) && !matches!(self.mark(at - 1), b'(' | b'[' | b'-' | b'/' | b':' | b'\'' | b'"' | b'=' | b',')
            || self.continued(last, b'.')
            || self.mark(last) == b'\''
        {
            return None;
        }
        let unit = self.study_unit(at, last, letter, amount, sign)?;
        let from = if unit == Unit::Hour { Origin::HourZero } else { Origin::DayZero };
        let signed = if sign < 0 { -(amount as f32) } else { amount as f32 };
        let instant = Instant { day: Some(Day::Shift { from, amount: Some(signed), unit }), ..Instant::default() };
        self.emit(at, last, What::Instant(instant), false)
    }

    /// `H2h30`, `H+1h47`.
    fn study_hours(&mut self, at: usize, last: usize, hours: u32, minutes: u32) -> Option<usize> {
        (hours <= 72 && minutes < 60).then_some(())?;
        self.emit_shift_of(at, last, Origin::HourZero, hours as f32 + minutes as f32 / 60.0, Unit::Hour)
    }

    /// Unit of a study time, none where the letter means something else.
    fn study_unit(&self, at: usize, last: usize, letter: u8, amount: u32, sign: i8) -> Option<Unit> {
        let before = self.fold_before(at, 1);
        let opened = matches!(before, "a" | "de" | "des" | "depuis" | "vers" | "jusqu'a") && self.near(at);
        match letter {
            b'j' => (amount <= 31 || opened || sign != 0 || amount.is_multiple_of(10)).then_some(Unit::Day),
            b'h' => {
                let receptor = matches!(before, "anti" | "antih" | "recepteur" | "recepteurs" | "-" | "et") && sign == 0 && amount < 4;
                (!receptor && amount <= 240).then_some(Unit::Hour)
            }
            b'm' => {
                let artery = self.words_before(at, 5, Cue::Artery)
                    || self.word(last).is(Cue::Artery)
                    || matches!(self.mark(last), b'-' | b'/') && self.glued(last);
                let followed = before == "a" || self.mark(last) == b':' || self.words_before(at, 4, Cue::FollowUp);
                ((sign != 0 || amount > 6 || followed) && !artery && (1..=120).contains(&amount)).then_some(Unit::Month)
            }
            _ => {
                let spine = self.words_before(at, 4, Cue::Spine) || self.word(last).is(Cue::Spine) || before == "-";
                let followed = before == "a" || self.words_before(at, 4, Cue::FollowUp);
                let sacral = amount <= 5 && !followed && sign == 0;
                (!spine && !sacral && (1..=60).contains(&amount) && self.text.tokens[at].upper).then_some(Unit::Week)
            }
        }
    }
}

fn instant(day: Day) -> Instant {
    Instant { day: Some(day), ..Instant::default() }
}
