//! Fields of dates written the way they were.

use chrono::{Datelike, NaiveDate};
use sillage_clinical::text::fold;

use super::field::{Field, Kind, MONTHS, WEEKDAYS, weekday};

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Digits, filled with zeros to a width; a year of width 2 without its century.
    Number { width: usize },
    /// `1er`, `2e`
    Ordinal,
    /// The name of a month, a weekday, a season or a part.
    Name,
    /// `vingt-deux`
    Spelled,
    /// Whatever it was, a plain date now.
    Plain,
}

const SHORT: [&str; 12] = ["janv", "févr", "mars", "avr", "mai", "juin", "juil", "août", "sept", "oct", "nov", "déc"];
const SHORTEST: [&str; 12] = ["jan", "fev", "mar", "avr", "mai", "jun", "jul", "aou", "sep", "oct", "nov", "dec"];
const ONES: [&str; 20] = [
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize", "quatorze", "quinze",
    "seize", "dix-sept", "dix-huit", "dix-neuf",
];
const TENS: [&str; 10] = ["", "dix", "vingt", "trente", "quarante", "cinquante", "soixante", "soixante", "quatre-vingt", "quatre-vingt"];

/// Value of a word of a number, `cent`, `mille` and the `vingt` of `quatre-vingt` aside.
pub(super) fn word_value(word: &str) -> Option<i64> {
    match word {
        "une" => Some(1),
        "vingt" | "vingts" => Some(20),
        "trente" => Some(30),
        "quarante" => Some(40),
        "cinquante" => Some(50),
        "soixante" => Some(60),
        "septante" => Some(70),
        "octante" | "huitante" => Some(80),
        "nonante" => Some(90),
        _ => ONES.iter().position(|o| fold(o) == word).filter(|v| *v > 0 && *v < 17).map(|v| v as i64),
    }
}

/// A number in words.
pub(super) fn spelled(n: i64) -> String {
    match n {
        0..20 => ONES[n as usize].to_owned(),
        20..100 => {
            let (ten, one) = ((n / 10) as usize, n % 10);
            match (ten, one) {
                (8, 0) => "quatre-vingts".to_owned(),
                (7, 1) => "soixante et onze".to_owned(),
                (7 | 9, _) => format!("{}-{}", TENS[ten], ONES[(10 + one) as usize]),
                (_, 0) => TENS[ten].to_owned(),
                (2..=6, 1) => format!("{} et un", TENS[ten]),
                _ => format!("{}-{}", TENS[ten], ONES[one as usize]),
            }
        }
        100..1000 => tail(if n < 200 { "cent".to_owned() } else { format!("{} cent", spelled(n / 100)) }, n % 100),
        1000..10_000 => tail(if n < 2000 { "mille".to_owned() } else { format!("{} mille", spelled(n / 1000)) }, n % 1000),
        _ => n.to_string(),
    }
}

fn tail(head: String, rest: i64) -> String {
    if rest == 0 { head } else { format!("{head} {}", spelled(rest)) }
}

pub(super) fn field(field: &Field, written: &str, moved: NaiveDate, of_month: bool, out: &mut String) {
    let value = match field.kind {
        Kind::Day => i64::from(moved.day()),
        Kind::Month => i64::from(moved.month()),
        Kind::Year => i64::from(moved.year()),
        _ => 0,
    };
    match (field.kind, field.style) {
        (Kind::Weekday, _) => {
            let name = WEEKDAYS[weekday(moved)];
            like(written, if written.chars().count() <= 3 { &name[..3] } else { name }, out);
        }
        (Kind::Season, _) => {
            let name = match moved.month() {
                3..=5 => "printemps",
                6..=8 => "été",
                9..=11 => "automne",
                _ => "hiver",
            };
            like(written, name, out);
        }
        (Kind::Part, _) => {
            // A third of the month, or of the year.
            let place = if of_month { moved.day0() / 10 } else { moved.month0() / 4 };
            like(written, ["début", "mi", "fin", "fin"][place as usize], out);
        }
        (Kind::Feast, _) => plain(moved, out),
        (Kind::Month, Style::Name) => like(written, month(moved, written), out),
        (Kind::Day, Style::Ordinal) => {
            if moved.day() == 1 {
                out.push_str(if written.starts_with(|c: char| c.is_uppercase()) || written.ends_with('R') { "1ER" } else { "1er" });
            } else {
                out.push_str(&moved.day().to_string());
            }
        }
        (_, Style::Spelled) => {
            let words = if field.kind == Kind::Day && value == 1 { "premier".to_owned() } else { spelled(value) };
            like(written, &words, out);
        }
        // "1er mars": of all the days only the first is an ordinal.
        (Kind::Day, Style::Number { width: 0 }) if value == 1 && field.words() => out.push_str("1er"),
        (Kind::Year, Style::Number { width: 2 }) => out.push_str(&format!("{:02}", value.rem_euclid(100))),
        (_, Style::Number { width }) => out.push_str(&format!("{value:0width$}")),
        _ => out.push_str(&value.to_string()),
    }
}

fn plain(moved: NaiveDate, out: &mut String) {
    let month = MONTHS[moved.month0() as usize];
    out.push_str(&if moved.day() == 1 { format!("1er {month}") } else { format!("{} {month}", moved.day()) });
}

/// The name of the month as long as the one that stood there.
fn month(moved: NaiveDate, written: &str) -> &'static str {
    let index = moved.month0() as usize;
    let folded = fold(written);
    if MONTHS.iter().any(|m| fold(m) == folded && !matches!(folded.as_str(), "mars" | "mai" | "juin")) {
        MONTHS[index]
    } else if SHORT.iter().any(|m| fold(m) == folded && m.len() > 3 && !matches!(folded.as_str(), "mars" | "mai" | "juin" | "aout")) {
        SHORT[index]
    } else if matches!(folded.as_str(), "mars" | "mai" | "juin") {
        MONTHS[index]
    } else {
        SHORTEST[index]
    }
}

/// A word in the case of another; without accents where capitals had none.
pub(super) fn like(written: &str, word: &str, out: &mut String) {
    let letters = || written.chars().filter(|c| c.is_alphabetic());
    if letters().count() > 1 && letters().all(char::is_uppercase) {
        let word = if written.is_ascii() { fold(word) } else { word.to_owned() };
        out.push_str(&word.to_uppercase());
    } else if written.starts_with(char::is_uppercase) {
        let mut chars = word.chars();
        out.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(chars.as_str());
    } else {
        out.push_str(word);
    }
}

/// The month behind a day that shared the month of the next date and no longer does.
pub(super) fn month_behind(rest: &str, moved: NaiveDate, out: &mut String) {
    let named = rest.chars().any(char::is_alphabetic) || !rest.contains('/');
    if named {
        out.push(' ');
        out.push_str(MONTHS[moved.month0() as usize]);
    } else {
        out.push_str(&format!("/{:02}", moved.month()));
    }
}
