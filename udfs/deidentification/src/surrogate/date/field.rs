//! The fields of written dates.

use chrono::{Datelike, Days, NaiveDate};
use sillage_clinical::temporal::easter;
use sillage_clinical::text::fold;

use super::write::{self, Style};

/// What a field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Weekday,
    Day,
    Month,
    Year,
    /// Value: the month of its middle.
    Season,
    /// Beginning, middle or end; value: a day of that part of a month.
    Part,
    /// A day that has a name; value: see [`feast`].
    Feast,
}

/// One field and where it stands in the span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
    pub value: i64,
    pub style: Style,
    pub two_digits: bool,
    /// Fields of one number pattern (`2024-03-12`), 0 for words.
    pattern: u32,
}

impl Field {
    /// Whether this field goes on with the date of the fields before.
    pub fn joins(&self, before: &[Field]) -> bool {
        let last = &before[before.len() - 1];
        if self.pattern != 0 || last.pattern != 0 {
            return self.pattern == last.pattern || (last.kind == Kind::Weekday || last.kind == Kind::Part) && before.len() == 1;
        }
        let rank = |kind: Kind| match kind {
            Kind::Weekday | Kind::Part => 0,
            Kind::Day | Kind::Feast => 1,
            Kind::Month | Kind::Season => 2,
            Kind::Year => 3,
        };
        rank(self.kind) > rank(last.kind) && !(last.kind == Kind::Day && self.kind == Kind::Year)
    }

    /// Whether the date is one of words ("2 mars"), not of digits and marks.
    pub fn words(&self) -> bool {
        self.pattern == 0
    }

    /// Writes the field of another date; `of_month`: the date has a month of its own.
    pub fn write(&self, written: &str, moved: NaiveDate, of_month: bool, out: &mut String) {
        write::field(self, written, moved, of_month, out);
    }
}

pub(super) const MONTHS: [&str; 12] =
    ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"];
pub(super) const WEEKDAYS: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
const SHORT_MONTHS: &[(&str, i64)] = &[
    ("jan", 1),
    ("janv", 1),
    ("fev", 2),
    ("fevr", 2),
    ("mar", 3),
    ("avr", 4),
    ("jun", 6),
    ("jui", 6),
    ("juil", 7),
    ("juill", 7),
    ("jul", 7),
    ("aou", 8),
    ("sep", 9),
    ("sept", 9),
    ("oct", 10),
    ("nov", 11),
    ("dec", 12),
];
const FEASTS: &[(&str, i64)] = &[
    ("noel", 1225),
    ("reveillon", 1231),
    ("saint sylvestre", 1231),
    ("saint-sylvestre", 1231),
    ("st sylvestre", 1231),
    ("nouvel an", 101),
    ("jour de l'an", 101),
    ("jour de l’an", 101),
    ("epiphanie", 106),
    ("chandeleur", 202),
    ("saint valentin", 214),
    ("saint-valentin", 214),
    ("fete du travail", 501),
    ("fete de la musique", 621),
    ("saint jean", 624),
    ("saint-jean", 624),
    ("fete nationale", 714),
    ("assomption", 815),
    ("toussaint", 1101),
    ("armistice", 1111),
    // From here on: days after Easter, plus 10 000.
    ("mardi gras", 9953),
    ("vendredi saint", 9998),
    ("lundi de paques", 10_001),
    ("paques", 10_000),
    ("ascension", 10_039),
    ("lundi de pentecote", 10_050),
    ("pentecote", 10_049),
];

/// The date of a named day.
pub(super) fn feast(value: i64, year: i32) -> Option<NaiveDate> {
    if value < 9000 {
        return NaiveDate::from_ymd_opt(year, (value / 100) as u32, (value % 100) as u32);
    }
    let easter = easter(year)?;
    let days = value - 10_000;
    if days < 0 { easter.checked_sub_days(Days::new(days.unsigned_abs())) } else { easter.checked_add_days(Days::new(days as u64)) }
}

#[derive(Clone, Copy)]
struct Piece {
    start: usize,
    end: usize,
    number: bool,
}

/// Runs of digits and runs of letters.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (at, c) in text.char_indices() {
        let (number, word) = (c.is_ascii_digit(), c.is_alphabetic());
        if !number && !word {
            continue;
        }
        match pieces.last_mut() {
            Some(last) if last.end == at && last.number == number => last.end = at + c.len_utf8(),
            _ => pieces.push(Piece { start: at, end: at + c.len_utf8(), number }),
        }
    }
    pieces
}

/// The fields of a span, ascending.
pub(super) fn fields(text: &str) -> Vec<Field> {
    let mut reader = Reader { text, pieces: pieces(text), fields: Vec::new(), pattern: 0 };
    let mut at = 0;
    while at < reader.pieces.len() {
        at = reader.step(at);
    }
    reader.fields
}

struct Reader<'a> {
    text: &'a str,
    pieces: Vec<Piece>,
    fields: Vec<Field>,
    pattern: u32,
}

impl Reader<'_> {
    fn word(&self, at: usize) -> &str {
        self.pieces.get(at).map_or("", |p| &self.text[p.start..p.end])
    }

    fn between(&self, at: usize) -> &str {
        match (self.pieces.get(at), self.pieces.get(at + 1)) {
            (Some(a), Some(b)) => &self.text[a.end..b.start],
            _ => "",
        }
    }

    fn end_before(&self, at: usize) -> Option<usize> {
        Some(self.pieces.get(at.checked_sub(1)?)?.end)
    }

    fn number(&self, at: usize) -> Option<(i64, usize)> {
        let piece = self.pieces.get(at).filter(|p| p.number)?;
        let length = piece.end - piece.start;
        if length > 8 { None } else { self.text[piece.start..piece.end].parse().ok().map(|v| (v, length)) }
    }

    fn push(&mut self, start: usize, end: usize, kind: Kind, value: i64, style: Style) {
        let two_digits = kind == Kind::Year && end - start == 2;
        self.fields.push(Field { start, end, kind, value, style, two_digits, pattern: self.pattern });
    }

    fn piece(&mut self, at: usize, kind: Kind, value: i64, style: Style) {
        let Piece { start, end, .. } = self.pieces[at];
        self.push(start, end, kind, value, style);
    }

    fn step(&mut self, at: usize) -> usize {
        self.pattern = 0;
        if self.pieces[at].number { self.numeric(at) } else { self.named(at) }
    }

    fn numeric(&mut self, at: usize) -> usize {
        let Some((value, length)) = self.number(at) else { return at + 1 };
        if let Some(next) = self.number_pattern(at) {
            return next;
        }
        let word = fold(self.word(at + 1));
        let gap = self.between(at);
        // Clock times: "14h05", "14:30".
        if (word == "h" || word == "heures" || word == "min") && gap.trim().is_empty() || gap == ":" {
            return at + if self.number(at + 2).is_some() && !self.between(at + 1).contains(' ') { 3 } else { 2 };
        }
        if length == 4 && (1850..=2100).contains(&value) {
            self.piece(at, Kind::Year, value, Style::Number { width: 4 });
            return at + 1;
        }
        let ordinal = matches!(word.as_str(), "er" | "e" | "eme" | "ieme") && gap.is_empty();
        if ordinal && (1..=31).contains(&value) {
            let (start, end) = (self.pieces[at].start, self.pieces[at + 1].end);
            self.push(start, end, Kind::Day, value, Style::Ordinal);
            return at + 2;
        }
        let behind_month =
            self.fields.last().is_some_and(|f| f.kind == Kind::Month && f.style == Style::Name && Some(f.end) == self.end_before(at));
        if length == 2 && behind_month {
            self.piece(at, Kind::Year, value, Style::Number { width: 2 });
            return at + 1;
        }
        let quoted = self.text[..self.pieces[at].start].ends_with(['\'', '’']);
        if length == 2 && quoted {
            self.piece(at, Kind::Year, value, Style::Number { width: 2 });
        } else if length <= 2 && (1..=31).contains(&value) {
            self.piece(at, Kind::Day, value, Style::Number { width: if length == 2 && value < 10 { 2 } else { 0 } });
        }
        at + 1
    }

    /// `12/03/2024`, `2024-03-12`, `12/03`, `03/2024`, `20240312`.
    fn number_pattern(&mut self, at: usize) -> Option<usize> {
        let (a, a_length) = self.number(at)?;
        self.pattern = self.pieces[at].start as u32 + 1;
        if a_length == 8 || a_length == 6 {
            return self.compact(at, a, a_length).then_some(at + 1);
        }
        let mark = |gap: &str| gap.trim().chars().next().filter(|c| gap.trim().chars().count() == 1 && "/.-".contains(*c));
        let (gap, Some((b, b_length))) = (self.between(at), self.number(at + 1)) else { return self.none() };
        let first = mark(gap);
        if first.is_none() && gap != " " {
            return self.none();
        }
        let day = |v: i64| (1..=31).contains(&v);
        let month = |v: i64| (1..=12).contains(&v);
        let year = |v: i64, length: usize| length == 4 && (1850..=2100).contains(&v) || length == 2;
        let third = self.number(at + 2).filter(|_| mark(self.between(at + 1)) == first && (first.is_some() || self.between(at + 1) == " "));
        let width = |zero: bool| Style::Number { width: if zero { 2 } else { 0 } };
        if let Some((c, c_length)) = third {
            let padded = a_length.min(b_length) == 2;
            if a_length <= 2 && b_length <= 2 && year(c, c_length) && day(a) && month(b) {
                self.piece(at, Kind::Day, a, width(padded));
                self.piece(at + 1, Kind::Month, b, width(padded));
                self.piece(at + 2, Kind::Year, c, Style::Number { width: c_length });
                return Some(at + 3);
            }
            if a_length == 4 && year(a, 4) && month(b) && c_length <= 2 && day(c) {
                self.piece(at, Kind::Year, a, Style::Number { width: 4 });
                self.piece(at + 1, Kind::Month, b, width(b_length.min(c_length) == 2));
                self.piece(at + 2, Kind::Day, c, width(b_length.min(c_length) == 2));
                return Some(at + 3);
            }
        }
        if first.is_none() {
            return self.none();
        }
        if a_length <= 2 && b_length == 4 && month(a) && year(b, 4) {
            self.piece(at, Kind::Month, a, width(a_length == 2));
            self.piece(at + 1, Kind::Year, b, Style::Number { width: 4 });
            return Some(at + 2);
        }
        // "12-15 mars": two days, not a day and a month.
        let named_month = month_name(&fold(self.word(at + 2))).is_some();
        if a_length <= 2 && b_length <= 2 && day(a) && month(b) && !named_month && first != Some('-') {
            let padded = a_length.min(b_length) == 2;
            self.piece(at, Kind::Day, a, width(padded));
            self.piece(at + 1, Kind::Month, b, width(padded));
            return Some(at + 2);
        }
        if a_length == 2 && b_length == 2 && month(a) && !named_month && b > 12 && first == Some('/') {
            self.piece(at, Kind::Month, a, width(true));
            self.piece(at + 1, Kind::Year, b, Style::Number { width: 2 });
            return Some(at + 2);
        }
        self.none()
    }

    fn none(&mut self) -> Option<usize> {
        self.pattern = 0;
        None
    }

    fn compact(&mut self, at: usize, value: i64, length: usize) -> bool {
        let start = self.pieces[at].start;
        let part = |from: usize, to: usize| self.text[start + from..start + to].parse::<i64>().unwrap_or(0);
        let orders: &[[(Kind, usize, usize); 3]] = if length == 8 {
            &[[(Kind::Year, 0, 4), (Kind::Month, 4, 6), (Kind::Day, 6, 8)], [(Kind::Day, 0, 2), (Kind::Month, 2, 4), (Kind::Year, 4, 8)]]
        } else {
            &[[(Kind::Day, 0, 2), (Kind::Month, 2, 4), (Kind::Year, 4, 6)]]
        };
        let fits = |order: &[(Kind, usize, usize); 3]| {
            order.iter().all(|(kind, from, to)| match kind {
                Kind::Day => (1..=31).contains(&part(*from, *to)),
                Kind::Month => (1..=12).contains(&part(*from, *to)),
                _ => length == 6 || (1880..=2100).contains(&part(*from, *to)),
            })
        };
        let Some(order) = orders.iter().find(|o| fits(o)) else {
            self.pattern = 0;
            return false;
        };
        debug_assert!(value >= 0);
        for (kind, from, to) in *order {
            let value = self.text[start + from..start + to].parse().unwrap_or(0);
            self.push(start + from, start + to, kind, value, Style::Number { width: to - from });
        }
        true
    }

    fn named(&mut self, at: usize) -> usize {
        let word = fold(self.word(at));
        let rest = fold(&self.text[self.pieces[at].start..]);
        if let Some((name, value)) =
            FEASTS.iter().find(|(name, _)| rest.strip_prefix(name).is_some_and(|r| !r.starts_with(char::is_alphabetic)))
        {
            let count = pieces(name).len();
            let (start, end) = (self.pieces[at].start, self.pieces[(at + count - 1).min(self.pieces.len() - 1)].end);
            self.push(start, end, Kind::Feast, *value, Style::Plain);
            return at + count;
        }
        let part = match word.as_str() {
            "debut" => Some(5),
            "mi" | "milieu" | "courant" => Some(15),
            "fin" => Some(25),
            _ => None,
        };
        if let Some(day) = part {
            self.piece(at, Kind::Part, day, Style::Name);
            return at + 1;
        }
        let season = match word.as_str() {
            "printemps" => Some(5),
            "ete" => Some(8),
            "automne" => Some(11),
            "hiver" => Some(2),
            _ => None,
        };
        if let Some(month) = season {
            self.piece(at, Kind::Season, month, Style::Name);
            return at + 1;
        }
        // "sept mars" is a day.
        let counts = word == "sept" && month_name(&fold(self.word(at + 1))).is_some();
        // "mar." is Tuesday before a day, March behind one.
        let day_before = self.fields.last().is_some_and(|f| f.kind == Kind::Day);
        if !day_before && let Some(weekday) = weekday_name(&word) {
            self.piece(at, Kind::Weekday, weekday, Style::Name);
            return at + 1;
        }
        if !counts && let Some(month) = month_name(&word) {
            self.piece(at, Kind::Month, month, Style::Name);
            return at + 1;
        }
        if let Some((value, count)) = self.spelled(at) {
            let kind = if value > 31 { Kind::Year } else { Kind::Day };
            if kind == Kind::Day || (1850..=2100).contains(&value) {
                let (start, end) = (self.pieces[at].start, self.pieces[at + count - 1].end);
                self.push(start, end, kind, value, Style::Spelled);
                return at + count;
            }
            return at + count;
        }
        at + 1
    }

    /// A number in words: its value and how many pieces it takes.
    fn spelled(&self, at: usize) -> Option<(i64, usize)> {
        let (mut total, mut current, mut count, mut last) = (0, 0, 0, 0);
        while let Some(piece) = self.pieces.get(at + count).filter(|p| !p.number) {
            if count > 0 && !matches!(self.between(at + count - 1), " " | "-" | "\u{a0}" | "‑" | "\n") {
                break;
            }
            let word = fold(&self.text[piece.start..piece.end]);
            match word.as_str() {
                // "le premier jeudi de juin" is no first of the month.
                "premier" if count == 0 => {
                    let next = self.pieces.get(at + 1).map(|p| fold(&self.text[p.start..p.end]));
                    return next.is_none_or(|n| !crate::calendar::weekday(&n)).then_some((1, 1));
                }
                "et" if count > 0 => {
                    let follows = self.pieces.get(at + count + 1).map(|p| fold(&self.text[p.start..p.end]));
                    if !matches!(follows.as_deref(), Some("un" | "une" | "onze")) {
                        break;
                    }
                }
                "mil" | "mille" => {
                    total += 1000 * if current == 0 { 1 } else { current };
                    current = 0;
                    last = count + 1;
                }
                "cent" | "cents" => {
                    current = 100 * if current == 0 { 1 } else { current };
                    last = count + 1;
                }
                "vingt" | "vingts" if current % 100 == 4 => {
                    current += 76;
                    last = count + 1;
                }
                word => {
                    let Some(value) = write::word_value(word) else { break };
                    current += value;
                    last = count + 1;
                }
            }
            count += 1;
        }
        (last > 0).then_some((total + current, last))
    }
}

fn month_name(folded: &str) -> Option<i64> {
    let full = MONTHS.iter().position(|m| fold(m) == folded).map(|i| i as i64 + 1);
    full.or_else(|| SHORT_MONTHS.iter().find(|(name, _)| *name == folded).map(|(_, v)| *v))
}

fn weekday_name(folded: &str) -> Option<i64> {
    let full = WEEKDAYS.iter().position(|d| *d == folded);
    full.or_else(|| WEEKDAYS.iter().position(|d| folded.len() == 3 && d.starts_with(folded))).map(|i| i as i64)
}

/// The number of a weekday, Monday first.
pub(super) fn weekday(date: NaiveDate) -> usize {
    date.weekday().num_days_from_monday() as usize
}
