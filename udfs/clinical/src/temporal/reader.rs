//! The scan over the tokens: what each first word can open, and the small
//! questions the grammar asks of the tokens around.

use super::lexicon::{Cue, Head, Holiday, LEXICON, Unit, Word};
use crate::is;
use crate::text::{Kind, Text};
use chrono::NaiveDateTime;

/// A stretch of tokens that says a time, not yet resolved.
#[derive(Debug, Clone, Copy)]
pub struct Raw {
    pub first: usize,
    /// Token after the last.
    pub last: usize,
    pub what: What,
    pub approximate: bool,
}

#[derive(Debug, Clone, Copy)]
pub enum What {
    Instant(Instant),
    Range(Instant, Instant),
    /// `since` makes it end at the reference.
    Length {
        amount: Option<f32>,
        unit: Unit,
        minutes: Option<i64>,
        since: bool,
    },
    Age {
        years: f32,
        unit: Unit,
    },
    Frequency,
}

/// A day, a time of the clock, or both.
#[derive(Debug, Clone, Copy, Default)]
pub struct Instant {
    pub day: Option<Day>,
    pub clock: Option<Clock>,
    /// Said of a time of the clock below 12: afternoon or evening.
    pub evening: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    pub hour: u8,
    pub minute: Option<u8>,
}

#[derive(Debug, Clone, Copy)]
pub enum Day {
    Calendar(Calendar),
    Holiday { holiday: Holiday, year: Option<i32>, direction: Direction },
    Season { month: u8, year: Option<i32>, direction: Direction },
    Decade(i32),
    Weekday { weekday: u8, direction: Direction },
    Shift { from: Origin, amount: Option<f32>, unit: Unit },
}

/// What a date without its year lies nearest to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    #[default]
    Past,
    /// `dernier`: not today.
    Last,
    Next,
}

/// What a relative expression counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Reference,
    /// The date before, else the reference.
    Narrative,
    /// The date before in the sentence, else unknown.
    Sentence,
    /// J0 of the text.
    DayZero,
    /// H0 of the text.
    HourZero,
    /// An event without a date.
    Event,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Edge {
    #[default]
    None,
    Start,
    Middle,
    End,
}

/// Parts of a calendar date; 0 or `None` where not said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Calendar {
    pub year: Option<i32>,
    pub month: u8,
    pub day: u8,
    pub weekday: u8,
    pub edge: Edge,
    pub direction: Direction,
    pub birth: bool,
}

/// Digits at the start of a number token and the letters after them.
#[derive(Debug, Clone, Copy)]
pub struct Digits<'t> {
    pub value: u32,
    pub count: usize,
    pub suffix: &'t str,
}

/// Reads the tokens of one text.
pub struct Reader<'t, 'a> {
    pub text: &'t Text<'a>,
    words: Vec<u16>,
    /// First tokens of clock times with a dot, ascending.
    dotted: Vec<usize>,
    pub reference: Option<NaiveDateTime>,
    /// Token after the last expression found.
    pub floor: usize,
    pub found: Vec<Raw>,
}

impl<'t, 'a> Reader<'t, 'a> {
    pub fn new(text: &'t Text<'a>, reference: Option<NaiveDateTime>) -> Self {
        let lexicon = &*LEXICON;
        let id = |(i, t): (usize, &crate::text::Token)| if t.kind == Kind::Word { lexicon.id(text.fold(i)) } else { 0 };
        let words = text.tokens.iter().enumerate().map(id).collect();
        Reader { text, words, dotted: super::dotted::dotted_clocks(text), reference, floor: 0, found: Vec::new() }
    }

    /// Reads to the end; the expressions, in order.
    pub fn read(mut self) -> Vec<Raw> {
        let mut at = 0;
        while at < self.text.tokens.len() {
            let next = match self.text.tokens[at].kind {
                Kind::Number => self.number(at),
                Kind::Word => self.keyword(at),
                Kind::Mark => self.slash(at),
            };
            at = match next {
                Some(next) => {
                    self.floor = next.max(at + 1);
                    self.floor
                }
                None => at + 1,
            };
        }
        self.found
    }

    /// Adds an expression; `next` goes on after it.
    pub fn emit(&mut self, first: usize, last: usize, what: What, approximate: bool) -> Option<usize> {
        let approximate = approximate || self.said_approximate(first);
        self.found.push(Raw { first, last, what, approximate });
        Some(last)
    }

    pub fn emit_day(&mut self, first: usize, last: usize, day: Day) -> Option<usize> {
        let (last, evening) = self.day_part_after(last);
        self.emit(first, last, What::Instant(Instant { day: Some(day), clock: None, evening }), false)
    }

    fn keyword(&mut self, at: usize) -> Option<usize> {
        if let Some(next) = self.roman_month_year(at) {
            return Some(next);
        }
        let word = *self.word(at);
        if self.words[at] == 0 {
            return self.study_time(at).or_else(|| self.times(at));
        }
        if word.weekday > 0
            && let Some(next) = self.weekday(at, word)
        {
            return Some(next);
        }
        if word.number > 0
            && let Some(next) = self.spelled(at)
        {
            return Some(next);
        }
        if word.month > 0 {
            return self.month_alone(at, word);
        }
        if word.season > 0 {
            return self.season(at, word.season);
        }
        if let Some(holiday) = word.holiday {
            return self.holiday(at, holiday);
        }
        match word.head {
            Head::None => self.study_time(at).or_else(|| self.unit_word(at, word)),
            Head::Times => self.times(at),
            Head::Every | Head::Each | Head::Per => self.every(at, word.head),
            Head::There | Head::Here | Head::Since | Head::Within | Head::For | Head::Some => self.opened_length(at, word.head),
            Head::Edge => self.edge(at),
            _ => self.relative(at, word.head),
        }
    }

    /// `14.38` where it is no number.
    pub fn dotted_clock(&mut self, at: usize) -> Option<usize> {
        self.dotted.binary_search(&at).ok()?;
        let clock = super::amount::clock(self.plain(at)?.value, Some(self.plain(at + 2)?.value))?;
        self.emit(at, at + 3, What::Instant(Instant { day: None, clock: Some(clock), evening: false }), false)
    }

    // Questions about tokens.

    pub fn word(&self, at: usize) -> &'static Word {
        LEXICON.entry(self.words.get(at).copied().unwrap_or(0))
    }

    pub fn fold(&self, at: usize) -> &'t str {
        self.text.fold(at)
    }

    pub fn key(&self, at: usize) -> u64 {
        self.text.key(at)
    }

    /// Folded form of the token before by so many, empty at the start.
    pub fn fold_before(&self, at: usize, by: usize) -> &'t str {
        at.checked_sub(by).map_or("", |i| self.text.fold(i))
    }

    pub fn word_before(&self, at: usize, by: usize) -> &'static Word {
        at.checked_sub(by).map_or(LEXICON.entry(0), |i| self.word(i))
    }

    pub fn is_kind(&self, at: usize, kind: Kind) -> bool {
        self.text.tokens.get(at).is_some_and(|t| t.kind == kind)
    }

    /// Stands against the token before, without space.
    pub fn glued(&self, at: usize) -> bool {
        at > 0 && self.text.tokens.get(at).is_some_and(|t| !t.space_before)
    }

    /// On the line of the token before, or wrapped to the next one as running text is.
    pub fn near(&self, at: usize) -> bool {
        self.text.tokens.get(at).is_some_and(|t| t.lines_before == 0 || (t.lines_before == 1 && t.kind == Kind::Word && !t.capital))
    }

    pub fn same_line(&self, at: usize) -> bool {
        self.text.tokens.get(at).is_some_and(|t| t.lines_before == 0)
    }

    pub fn line_start(&self, at: usize) -> bool {
        at == 0 || !self.same_line(at)
    }

    /// The mark here, 0 for anything else.
    pub fn mark(&self, at: usize) -> u8 {
        if self.is_kind(at, Kind::Mark) { self.fold(at).bytes().next().unwrap_or(0) } else { 0 }
    }

    pub fn digits(&self, at: usize) -> Option<Digits<'t>> {
        let token = self.text.tokens.get(at).filter(|t| t.kind == Kind::Number)?;
        let source = self.text.original.as_bytes().get(token.range())?;
        let count = source.iter().take_while(|b| b.is_ascii_digit()).count();
        let fold = self.text.fold(at);
        let (digits, suffix) = (fold.get(..count)?, fold.get(count..)?);
        if count > 9 || suffix.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        Some(Digits { value: digits.parse().ok()?, count, suffix })
    }

    /// A number token of digits alone.
    pub fn plain(&self, at: usize) -> Option<Digits<'t>> {
        self.digits(at).filter(|d| d.suffix.is_empty())
    }

    /// A glued mark and a number go on after this token.
    pub fn continued(&self, at: usize, mark: u8) -> bool {
        self.glued(at) && self.mark(at) == mark && self.glued(at + 1) && self.is_kind(at + 1, Kind::Number)
    }

    /// One of the last words of the sentence, so many at most, bears the cue.
    pub fn words_before(&self, at: usize, count: usize, cue: Cue) -> bool {
        self.nearest_before(at, count, cue).is_some()
    }

    /// Nearest token before in the sentence that bears the cue.
    pub fn nearest_before(&self, at: usize, count: usize, cue: Cue) -> Option<usize> {
        let mut index = at;
        for _ in 0..count {
            if index == 0 || !self.near(index) {
                return None;
            }
            index -= 1;
            let initial = self.mark(index) == b'.'
                && self.glued(index)
                && (self.fold(index - 1).len() == 1 || is!(self.key(index - 1), "mr" | "dr" | "mme"));
            if matches!(self.mark(index), b'.' | b';' | b'!' | b'?') && !initial {
                return None;
            }
            if self.word(index).is(cue) {
                return Some(index);
            }
        }
        None
    }

    pub fn said_approximate(&self, first: usize) -> bool {
        let mut index = first;
        for _ in 0..4 {
            let Some(before) = index.checked_sub(1).filter(|_| self.near(index)) else { return false };
            if self.word(before).is(Cue::Approximate) || is!(self.key(before), "~" | "≈" | "±") {
                return true;
            }
            if !is!(self.key(before), "de" | "du" | "le" | "la" | "les" | "des" | "d" | "'" | "l" | "a" | "(" | "au" | "aux") {
                return false;
            }
            index = before;
        }
        false
    }

    pub fn direction(&self, first: usize) -> Direction {
        // "Le scanner de contrôle du 16 mai" was done; "contrôle le 16 mai" is to come.
        let done = |at: usize| self.fold(at).starts_with("control") && is!(self.key(at + 1), "du" | "de" | "des");
        if self.nearest_before(first, 5, Cue::Planned).is_some_and(|at| !done(at)) { Direction::Next } else { Direction::Past }
    }

    /// `dernier`, `prochain` and their likes after a date or a unit.
    pub fn turned(&self, at: usize) -> Option<Direction> {
        if !self.near(at) {
            return None;
        }
        match self.fold(at) {
            "dernier" | "derniere" | "passe" | "passee" | "precedent" | "precedente" | "derniers" | "dernieres" | "ecoule" | "ecoulee" => {
                Some(Direction::Last)
            }
            "prochain" | "prochaine" | "prochains" | "prochaines" => Some(Direction::Next),
            _ => None,
        }
    }

    /// Part of a day at this token: the token after it, and whether it is past noon.
    pub fn day_part(&self, at: usize) -> Option<(usize, bool)> {
        if !self.near(at) {
            return None;
        }
        match self.fold(at) {
            "matin" | "matinee" | "nuit" | "matins" | "nuits" => Some((at + 1, false)),
            "soir" | "soiree" | "aprem" | "soirs" => Some((at + 1, true)),
            "apres" if self.mark(at + 1) == b'-' && is!(self.key(at + 2), "midi") => Some((at + 3, true)),
            "apres" if is!(self.key(at + 1), "midi") => Some((at + 2, true)),
            _ => None,
        }
    }

    /// Takes in the part of the day said after a day: `au soir`, `en fin de matinée`.
    pub fn day_part_after(&self, at: usize) -> (usize, bool) {
        for index in at..at + 5 {
            if !self.near(index) {
                break;
            }
            if let Some(part) = self.day_part(index) {
                return part;
            }
            if !is!(self.key(index), "au" | "en" | "fin" | "debut" | "milieu" | "de" | "d" | "'" | "dans" | "la" | "l" | "le") {
                break;
            }
        }
        (at, false)
    }

    /// A year a clinical text can name.
    pub fn plausible_year(&self, year: u32) -> bool {
        use chrono::Datelike;
        let last = self.reference.map_or(2060, |r| r.year() + 30) as u32;
        (1900..=last.max(1901)).contains(&year)
    }

    /// Year of two digits: not far after the reference.
    pub fn century(&self, year: u32, birth: bool) -> i32 {
        use chrono::Datelike;
        let now = self.reference.map_or(2035, |r| r.year());
        let ahead = if birth { 0 } else { 10 };
        let guess = now - now.rem_euclid(100) + year as i32;
        if guess > now + ahead { guess - 100 } else { guess }
    }
}
