//! The birth date in every written form.

use chrono::Datelike;
use rustc_hash::FxHashMap;
use sillage_clinical::is;
use sillage_clinical::text::{Kind, Text, fold};

use super::span;
use crate::name::page::Page;
use crate::{Label, Person, Span};

const MONTHS: [&[&str]; 12] = [
    &["janvier", "janv", "jan"],
    &["fevrier", "fevr", "fev", "feb"],
    &["mars", "mar"],
    &["avril", "avr", "apr"],
    &["mai", "may"],
    &["juin", "jun"],
    &["juillet", "juil", "jul"],
    &["aout", "aou", "aug"],
    &["septembre", "sept", "sep"],
    &["octobre", "oct"],
    &["novembre", "nov"],
    &["decembre", "dec"],
];

const UNITS: [&str; 32] = [
    "",
    "un",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "neuf",
    "dix",
    "onze",
    "douze",
    "treize",
    "quatorze",
    "quinze",
    "seize",
    "dix-sept",
    "dix-huit",
    "dix-neuf",
    "vingt",
    "vingt-et-un",
    "vingt-deux",
    "vingt-trois",
    "vingt-quatre",
    "vingt-cinq",
    "vingt-six",
    "vingt-sept",
    "vingt-huit",
    "vingt-neuf",
    "trente",
    "trente-et-un",
];

/// A number under a hundred in words, with dashes.
fn in_words(number: u32) -> String {
    let tens = ["", "", "vingt", "trente", "quarante", "cinquante", "soixante", "soixante", "quatre-vingt", "quatre-vingt"];
    match number {
        0..=31 => UNITS[number as usize].to_owned(),
        80 => "quatre-vingts".to_owned(),
        _ => {
            let (ten, unit) = (number / 10, number % 10);
            let unit = if ten == 7 || ten == 9 { unit + 10 } else { unit };
            match unit {
                0 => tens[ten as usize].to_owned(),
                1 | 11 if ten < 8 => format!("{}-et-{}", tens[ten as usize], UNITS[unit as usize]),
                _ => format!("{}-{}", tens[ten as usize], UNITS[unit as usize]),
            }
        }
    }
}

/// Words of the date, spaces and marks left out, each with what it is.
fn forms(date: chrono::NaiveDate) -> Vec<(String, Label)> {
    let (day, month, year) = (date.day(), date.month(), date.year());
    let (short, two) = (year.rem_euclid(100) as u32, |n: u32| format!("{n:02}"));
    let years = [year.to_string(), two(short)];
    let days = [day.to_string(), two(day)];
    let months = [month.to_string(), two(month)];
    let mut out = Vec::new();
    let mut add = |parts: &[&str]| out.push((parts.join(" "), Label::DateNaissance));
    for y in &years {
        for d in &days {
            for m in &months {
                add(&[d, m, y]);
                add(&[m, d, y]);
                add(&[y, m, d]);
            }
        }
    }
    for compact in [format!("{day:02}{month:02}{year}"), format!("{year}{month:02}{day:02}"), format!("{day:02}{month:02}{short:02}")] {
        add(&[&compact]);
    }
    let mut spelled_days = vec![day.to_string(), two(day), in_words(day).replace('-', " ")];
    if day == 1 {
        spelled_days.extend(["1er".to_owned(), "premier".to_owned(), "1 er".to_owned()]);
    }
    let century = if year / 100 == 19 { "mille neuf cent".to_owned() } else { "deux mille".to_owned() };
    let spelled = format!("{century} {}", in_words(short)).replace('-', " ");
    let mut spelled_years = vec![year.to_string(), two(short), spelled.trim().to_owned(), spelled.trim().replace("cent", "cents")];
    spelled_years.push(spelled_years[2].replace("mille", "mil"));
    for m in MONTHS[month as usize - 1] {
        for y in &spelled_years {
            for d in &spelled_days {
                add(&[d, m, y]);
                if d.len() < 3 {
                    add(&[&format!("{d}{m}{y}")]);
                }
            }
            if y.len() > 2 {
                add(&[m, y]);
            }
        }
    }
    if (day, month) == (25, 12) {
        out.extend(years.iter().map(|y| (format!("noel {y}"), Label::DateNaissance)));
    }
    out.sort();
    out.dedup();
    out
}

pub(super) fn find(page: &Page<'_, '_>, person: &Person, spans: &mut Vec<Span>) {
    let Some(date) = person.birth_date.filter(|date| year_stands(page, date.year())) else { return };
    // By first word: the words that follow.
    let mut wanted: FxHashMap<String, Vec<(Vec<String>, Label)>> = FxHashMap::default();
    for (form, label) in forms(date) {
        let mut words = words(&form).into_iter();
        if let Some(first) = words.next() {
            wanted.entry(first).or_default().push((words.collect(), label));
        }
    }
    let mut at = 0;
    while at < page.len() {
        let longest = wanted
            .get(page.fold(at))
            .into_iter()
            .flatten()
            .filter_map(|(rest, label)| Some((matches(page, at, rest)?, *label)))
            .max_by_key(|(end, _)| *end);
        match longest {
            Some((end, label)) if !within_number(page, at, end) => {
                spans.push(span(page, at..end, label, "record:birth_date", 1.0));
                at = end;
            }
            _ => at += 1,
        }
    }
}

/// Words of a form as a text has them: figures and letters that stand together may be parted.
fn words(form: &str) -> Vec<String> {
    let plain = |word: &str| word.bytes().all(|b| b.is_ascii_digit()) || word.bytes().all(|b| b.is_ascii_lowercase());
    if form.split(' ').all(plain) {
        return form.split(' ').map(str::to_owned).collect();
    }
    let text = Text::new(form);
    (0..text.tokens.len()).map(|i| fold(text.fold(i))).collect()
}

/// Whether a page has what every form of a date has: its year, in four figures, in two or in words.
fn year_stands(page: &Page<'_, '_>, year: i32) -> bool {
    let (four, two) = (year.to_string(), format!("{:02}", year.rem_euclid(100)));
    (0..page.len()).any(|at| {
        let fold = page.fold(at);
        fold.ends_with(&two) || fold.starts_with(&four) || is!(page.key(at), "mille" | "mil" | "deux")
    })
}

/// End of the words that follow, marks of dates between them passed over.
fn matches(page: &Page<'_, '_>, at: usize, rest: &[String]) -> Option<usize> {
    let mut i = at + 1;
    for word in rest {
        let mut marks = 0;
        while page.text.tokens.get(i).is_some_and(|t| t.kind == Kind::Mark)
            && is!(page.key(i), "/" | "." | "-" | "," | "'" | "\\" | "|" | "_" | ":")
            && marks < 2
        {
            i += 1;
            marks += 1;
        }
        let token = page.text.tokens.get(i)?;
        if token.lines_before > 1 || page.fold(i) != word {
            return None;
        }
        i += 1;
    }
    Some(i)
}

/// "12.03.46.55.10" is a phone.
fn within_number(page: &Page<'_, '_>, at: usize, end: usize) -> bool {
    let number = |i: usize| page.text.tokens.get(i).is_some_and(|t| t.kind == Kind::Number);
    let mark = |i: usize| is!(page.key(i), "/" | "." | "-") && page.glued(i);
    let written_together = end == at + 1 && page.fold(at).len() < 6;
    mark(end) && number(end + 1) && page.glued(end + 1)
        || at > 1 && mark(at - 1) && page.glued(at) && number(at - 2)
        || written_together
        || (0..2)
            .all(|k| page.text.tokens.get(end + k).is_some_and(|t| t.kind == Kind::Number && t.end - t.start == 2 && t.lines_before == 0))
            && page.fold(at).len() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_form_are_those_of_a_text() {
        for date in [(1944, 5, 17), (2001, 12, 1), (1999, 8, 31)] {
            let Some(date) = chrono::NaiveDate::from_ymd_opt(date.0, date.1, date.2) else { panic!("{date:?}") };
            for (form, _) in forms(date) {
                let text = Text::new(&form);
                let read: Vec<String> = (0..text.tokens.len()).map(|i| fold(text.fold(i))).collect();
                assert_eq!(words(&form), read, "{form}");
            }
        }
    }
}
