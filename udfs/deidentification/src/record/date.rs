//! The birth date in every written form.

use chrono::Datelike;
use sillage_clinical::is;
use sillage_clinical::text::{Kind, key};

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

/// The ways in which a part of the date is written, each as its words.
type Ways = Vec<Vec<u64>>;

/// The parts of a date as people write them.
struct Parts {
    days: Ways,
    /// Also in words.
    told_days: Ways,
    months: Ways,
    named_months: Ways,
    years: Ways,
    /// Also in words.
    told_years: Ways,
    /// The same without the one of two figures, which says too little behind a month alone.
    long_years: Ways,
    /// Figures without a mark between them.
    compact: Ways,
    /// Of "12mars1944": figures of the day, of the year.
    glued: ([String; 2], [String; 2]),
    month_names: &'static [&'static str],
    christmas: bool,
}

impl Parts {
    fn new(date: chrono::NaiveDate) -> Parts {
        let (day, month, year) = (date.day(), date.month(), date.year());
        let (short, two) = (year.rem_euclid(100) as u32, |n: u32| format!("{n:02}"));
        let ways = |written: &[String]| -> Ways {
            let words = |w: &String| w.split([' ', '-']).map(key).collect();
            let mut ways: Ways = written.iter().map(words).collect();
            ways.sort();
            ways.dedup();
            ways
        };
        let (days, years) = ([day.to_string(), two(day)], [year.to_string(), two(short)]);
        let mut told_days = vec![day.to_string(), two(day), in_words(day)];
        if day == 1 {
            told_days.extend(["1er".to_owned(), "premier".to_owned(), "1 er".to_owned()]);
        }
        let century = if year / 100 == 19 { "mille neuf cent" } else { "deux mille" };
        let spelled = format!("{century} {}", in_words(short)).trim().to_owned();
        let plural = spelled.replace("cent", "cents");
        let told_years = [years.to_vec(), vec![spelled.replace("mille", "mil"), spelled, plural]].concat();
        let month_names = MONTHS[month as usize - 1];
        Parts {
            days: ways(&days),
            told_days: ways(&told_days),
            months: ways(&[month.to_string(), two(month)]),
            named_months: month_names.iter().map(|name| vec![key(name)]).collect(),
            years: ways(&years),
            long_years: ways(&told_years.iter().filter(|y| y.len() > 2).cloned().collect::<Vec<_>>()),
            told_years: ways(&told_years),
            compact: ways(&[
                format!("{day:02}{month:02}{year}"),
                format!("{year}{month:02}{day:02}"),
                format!("{day:02}{month:02}{short:02}"),
            ]),
            glued: (days, years),
            month_names,
            christmas: (day, month) == (25, 12),
        }
    }

    /// End of the longest way in which the date starts at a token.
    fn end(&self, page: &Page<'_, '_>, at: usize) -> Option<usize> {
        let Parts { days, told_days, months, named_months, years, told_years, long_years, .. } = self;
        let orders: [&[&Ways]; 6] = [
            &[days, months, years],
            &[months, days, years],
            &[years, months, days],
            &[told_days, named_months, told_years],
            &[named_months, long_years],
            &[&self.compact],
        ];
        let in_order = orders.iter().filter_map(|order| follow(page, at, order, true));
        let feast = || is!(page.key(at), "noel").then(|| follow(page, at + 1, &[years], false)).flatten();
        in_order.chain(self.glued(page.fold(at)).then_some(at + 1)).chain(if self.christmas { feast() } else { None }).max()
    }

    /// "12mars1944", "12mars44"
    fn glued(&self, fold: &str) -> bool {
        let (days, years) = &self.glued;
        let begins_figure = fold.starts_with(|c: char| c.is_ascii_digit()) && fold.len() > 4;
        begins_figure
            && days
                .iter()
                .filter_map(|day| fold.strip_prefix(day.as_str()))
                .any(|rest| self.month_names.iter().filter_map(|name| rest.strip_prefix(name)).any(|year| years.iter().any(|y| y == year)))
    }
}

/// End of the parts that stand here one behind the other, each in the way that reaches furthest.
fn follow(page: &Page<'_, '_>, at: usize, order: &[&Ways], first: bool) -> Option<usize> {
    let Some((ways, rest)) = order.split_first() else { return Some(at) };
    ways.iter()
        .filter_map(|words| {
            let mut i = at;
            for (place, word) in words.iter().enumerate() {
                i = if first && place == 0 { at } else { behind_marks(page, i)? };
                if page.key(i) != *word {
                    return None;
                }
                i += 1;
            }
            follow(page, i, rest, false)
        })
        .max()
}

/// The token behind the marks of dates, on this line or the next.
fn behind_marks(page: &Page<'_, '_>, at: usize) -> Option<usize> {
    let mark = |i: usize| {
        page.text.tokens.get(i).is_some_and(|t| t.kind == Kind::Mark)
            && is!(page.key(i), "/" | "." | "-" | "," | "'" | "\\" | "|" | "_" | ":")
    };
    let next = (at..at + 2).find(|i| !mark(*i)).unwrap_or(at + 2);
    page.text.tokens.get(next).is_some_and(|t| t.lines_before < 2).then_some(next)
}

pub(super) fn find(page: &Page<'_, '_>, person: &Person, spans: &mut Vec<Span>) {
    let Some(date) = person.birth_date.filter(|date| year_stands(page, date.year())) else { return };
    let parts = Parts::new(date);
    let mut at = 0;
    while at < page.len() {
        match parts.end(page, at) {
            Some(end) if !within_number(page, at, end) => {
                spans.push(span(page, at..end, Label::DateNaissance, "record:birth_date", 1.0));
                at = end;
            }
            _ => at += 1,
        }
    }
}

/// Whether a page has what every form of a date has: its year, in four figures, in two or in words.
fn year_stands(page: &Page<'_, '_>, year: i32) -> bool {
    let (four, two) = (year.to_string(), format!("{:02}", year.rem_euclid(100)));
    (0..page.len()).any(|at| {
        let fold = page.fold(at);
        fold.ends_with(&two) || fold.starts_with(&four) || is!(page.key(at), "mille" | "mil" | "deux")
    })
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
