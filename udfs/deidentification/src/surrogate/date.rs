//! Dates moved by a number of days and written as they were.
//!
//! A span is read as fields (weekday, day, month, year), each with its place and its
//! way of writing; the fields form dates, what a date leaves out comes from the date
//! behind it, before it or the time of the document. Only fields are rewritten: what
//! stands between them stays. A date without day or month moves by its middle.

mod field;
mod write;

use std::ops::Range;

use chrono::{Datelike, Days, NaiveDate};

use field::{Field, Kind, fields};

/// Most bytes between two spans of which one completes the other ("du 12 au 15 mars").
const NEAR: usize = 12;
/// A date without year lies at most this long after the document.
const AHEAD: u64 = 120;

/// What is known beside the words.
#[derive(Clone, Copy, Default)]
pub(crate) struct Calendar {
    pub shift_days: i32,
    pub reference: Option<NaiveDate>,
    pub birth: Option<NaiveDate>,
}

/// A span that holds a date.
pub(crate) struct Dated<'a> {
    pub text: &'a str,
    /// First byte in the document.
    pub start: usize,
    pub birth: bool,
}

/// A date within a span: its fields, and what the words leave open.
struct Atom {
    span: usize,
    /// Bytes of the document.
    start: usize,
    end: usize,
    fields: Range<usize>,
    day: Option<u32>,
    month: Option<u32>,
    year: Option<i32>,
    /// Taken from the date behind.
    follows: bool,
    moved: Option<NaiveDate>,
}

/// Moves dates; `None` for a span in which no date can be read.
pub(crate) fn shift(spans: &[Dated<'_>], calendar: Calendar) -> Vec<Option<String>> {
    let read: Vec<Vec<Field>> = spans.iter().map(|s| if half_read(s.text) { Vec::new() } else { fields(s.text) }).collect();
    let mut atoms = Vec::new();
    for (index, fields) in read.iter().enumerate() {
        group(index, &spans[index], fields, calendar, &mut atoms);
    }
    complete(&mut atoms, spans, calendar);
    spans.iter().enumerate().map(|(index, span)| write(index, span, &read[index], &atoms)).collect()
}

/// A date of which fields would be read only in part, so that the rest would stay: a week of
/// the year ("S12 2025"), a Roman month ("3.VI"), a day and a month that only a space parts
/// ("25 4"), letters that a scan put for figures ("O9/11/79").
fn half_read(text: &str) -> bool {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let figures = |w: &str| w.bytes().all(|b| b.is_ascii_digit());
    let week = |w: &str| w.len() == 3 && w.starts_with('S') && figures(&w[1..]) || matches!(w, "sem" | "semaine" | "Sem" | "Semaine");
    let roman = |w: &str| w.len() > 1 && w.bytes().all(|b| matches!(b, b'I' | b'V' | b'X'));
    let scanned =
        |w: &str| w.bytes().any(|b| b.is_ascii_digit()) && !figures(w) && w.bytes().all(|b| b.is_ascii_digit() || b"oOlI".contains(&b));
    let parted = |pair: &[&str]| pair.iter().all(|w| figures(w) && w.len() < 3) && text.contains(&pair.join(" "));
    let year = words.iter().any(|w| w.len() == 4 && figures(w)) || words.len() == 3 && words.iter().all(|w| figures(w));
    // "lu 6": a weekday that stayed would tell by how many days the figure moved.
    const CUT: [&str; 12] = ["lu", "ma", "me", "je", "ve", "sa", "di", "l", "m", "j", "v", "s"];
    let cut = words.first().is_some_and(|w| CUT.contains(&w.to_lowercase().as_str()) || *w == "D");
    cut || words.iter().any(|w| week(w) || roman(w) || scanned(w)) || !year && words.windows(2).any(parted)
}

/// Whether a day or a month, not only a year, can be read in a span.
pub(crate) fn full_date(text: &str, reference: Option<NaiveDate>) -> Option<NaiveDate> {
    let found = fields(text);
    let mut atoms = Vec::new();
    let calendar = Calendar { shift_days: 0, reference, birth: None };
    group(0, &Dated { text, start: 0, birth: true }, &found, calendar, &mut atoms);
    let atom = atoms.first()?;
    NaiveDate::from_ymd_opt(atom.year?, atom.month?, atom.day?)
}

/// Fields to dates: a field that repeats or goes back to a larger unit starts the next.
fn group(span: usize, dated: &Dated<'_>, fields: &[Field], calendar: Calendar, atoms: &mut Vec<Atom>) {
    let mut first = 0;
    while first < fields.len() {
        let mut end = first + 1;
        while end < fields.len() && fields[end].joins(&fields[first..end]) {
            end += 1;
        }
        let of = &fields[first..end];
        let number = |kind: Kind| of.iter().find(|f| f.kind == kind).map(|f| f.value);
        let mut atom = Atom {
            span,
            start: dated.start + of[0].start,
            end: dated.start + of[of.len() - 1].end,
            fields: first..end,
            day: number(Kind::Day).map(|v| v as u32),
            month: number(Kind::Month).map(|v| v as u32),
            year: number(Kind::Year).map(|v| v as i32),
            follows: false,
            moved: None,
        };
        if let Some(year) = of.iter().find(|f| f.kind == Kind::Year && f.two_digits) {
            atom.year = Some(century(year.value as i32, dated.birth, calendar));
        }
        if let Some(feast) = number(Kind::Feast) {
            let year = atom.year.or(calendar.reference.map(|r| r.year())).unwrap_or(2000);
            let mut date = field::feast(feast, year);
            if atom.year.is_none()
                && let (Some(found), Some(reference)) = (date, calendar.reference)
                && found > reference + Days::new(AHEAD)
            {
                date = field::feast(feast, year - 1);
            }
            if let Some(date) = date {
                (atom.day, atom.month, atom.year) = (Some(date.day()), Some(date.month()), Some(date.year()));
            }
        }
        if let Some(season) = number(Kind::Season) {
            (atom.day, atom.month) = (Some(5), Some(season as u32));
        } else if let Some(part) = number(Kind::Part)
            && atom.day.is_none()
        {
            if atom.month.is_some() {
                atom.day = Some(part as u32);
            } else {
                // The beginning, middle and end of a year.
                (atom.day, atom.month) = (Some(15), Some(((part as u32) / 10) * 4 + 3));
            }
        }
        atoms.push(atom);
        first = end;
    }
}

fn century(two: i32, birth: bool, calendar: Calendar) -> i32 {
    if birth
        && let Some(known) = calendar.birth
        && known.year() % 100 == two
    {
        return known.year();
    }
    let now = calendar.reference.map_or(30, |r| r.year() % 100);
    if two <= now + i32::from(!birth) { 2000 + two } else { 1900 + two }
}

/// Fills what is left open and moves every date.
fn complete(atoms: &mut [Atom], spans: &[Dated<'_>], calendar: Calendar) {
    for i in (0..atoms.len()).rev() {
        let next = atoms.get(i + 1).filter(|n| n.start - atoms[i].end.min(n.start) <= NEAR).map(|n| (n.month, n.year, n.day));
        let has_day = atoms[i].day.is_some();
        if let Some((month, year, day)) = next {
            let later = (month, day) < (atoms[i].month.or(month), atoms[i].day);
            if atoms[i].month.is_none() && has_day {
                atoms[i].month = month;
                atoms[i].follows = month.is_some();
                atoms[i].year = atoms[i].year.or(year);
            } else if atoms[i].year.is_none() && atoms[i].month.is_some() {
                // "du 28 décembre au 3 janvier 2024"
                atoms[i].year = year.map(|y| if later { y - 1 } else { y });
            }
        }
    }
    for i in 0..atoms.len() {
        let before = i.checked_sub(1).and_then(|b| atoms.get(b)).filter(|b| atoms[i].start - b.end.min(atoms[i].start) <= 2 * NEAR);
        let before = before.map(|b| (b.month, b.year));
        let birth = spans[atoms[i].span].birth;
        let atom = &mut atoms[i];
        if atom.month.is_none() && atom.day.is_some() {
            atom.month = before.and_then(|b| b.0).or(calendar.reference.map(|r| r.month()));
            atom.year = atom.year.or(before.and_then(|b| b.1));
        }
        if atom.year.is_none() {
            atom.year = match (birth, calendar.birth, calendar.reference, atom.month) {
                (true, Some(known), ..) => Some(known.year()),
                (_, _, Some(reference), Some(month)) => {
                    let this = day_of(reference.year(), month, atom.day);
                    Some(if this.is_some_and(|d| d > reference + Days::new(AHEAD)) { reference.year() - 1 } else { reference.year() })
                }
                _ => Some(2001),
            };
        }
        let Some(date) = atom.year.and_then(|y| day_of(y, atom.month.unwrap_or(7), atom.day.or(atom.month.is_none().then_some(1)))) else {
            continue;
        };
        atom.moved = date.checked_add_signed(chrono::TimeDelta::days(i64::from(calendar.shift_days)));
    }
}

/// A day; the last of the month where the month is shorter, the middle where none is given.
fn day_of(year: i32, month: u32, day: Option<u32>) -> Option<NaiveDate> {
    let day = day.unwrap_or(15);
    (0..4).filter_map(|less| NaiveDate::from_ymd_opt(year, month, day.checked_sub(less)?)).next()
}

fn write(span: usize, dated: &Dated<'_>, fields: &[Field], atoms: &[Atom]) -> Option<String> {
    let mine: Vec<usize> = (0..atoms.len()).filter(|i| atoms[*i].span == span).collect();
    if mine.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(dated.text.len() + 8);
    let mut at = 0;
    for i in mine {
        let atom = &atoms[i];
        let moved = atom.moved?;
        // The date behind tells the month only while it is the same one.
        let lent = atom.follows.then(|| atoms.get(i + 1).and_then(|n| n.moved)).flatten();
        let own_month = lent.is_some_and(|n| n.month() != moved.month());
        let of_month = fields[atom.fields.clone()].iter().any(|f| f.kind == Kind::Month);
        for field in &fields[atom.fields.clone()] {
            out.push_str(dated.text.get(at..field.start)?);
            let written = dated.text.get(field.start..field.end)?;
            field.write(written, moved, of_month, &mut out);
            if field.kind == Kind::Day && own_month {
                write::month_behind(&dated.text[field.end..], moved, &mut out);
            }
            at = field.end;
        }
    }
    out.push_str(dated.text.get(at..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(y: i32, m: u32, d: u32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(y, m, d)
    }

    fn moved(text: &str, shift_days: i32) -> String {
        let calendar = Calendar { shift_days, reference: day(2024, 3, 20), birth: day(1946, 8, 2) };
        shift(&[Dated { text, start: 0, birth: false }], calendar).remove(0).unwrap_or_else(|| panic!("{text} holds no date"))
    }

    #[test]
    fn full_dates_keep_their_form() {
        for (from, to) in [
            ("12/03/2024", "22/03/2024"),
            ("12/03/24", "22/03/24"),
            ("2/3/24", "12/3/24"),
            ("28.02.2024", "09.03.2024"),
            ("28-12-2023", "07-01-2024"),
            ("12 03 2024", "22 03 2024"),
            ("2024-03-12", "2024-03-22"),
            ("2024-03-12T14:05", "2024-03-22T14:05"),
            ("12/03/2024 14:30", "22/03/2024 14:30"),
            ("12/03/24 à 14h05", "22/03/24 à 14h05"),
            ("20240312", "20240322"),
            ("12032024", "22032024"),
            ("12 mars 2024", "22 mars 2024"),
            ("12-mars-2024", "22-mars-2024"),
            ("1er mars 2024", "11 mars 2024"),
            ("20 février 2024", "1er mars 2024"),
            ("20 FEV 2024", "1er MAR 2024"),
            ("lundi 12 mars 2024", "vendredi 22 mars 2024"),
            ("LUNDI 12 MARS 2024", "VENDREDI 22 MARS 2024"),
            ("Mardi 12 Mars", "Vendredi 22 Mars"),
            ("mar. 12 mars", "ven. 22 mars"),
            ("12 janv. 2024", "22 janv. 2024"),
            ("28 janv. 2024", "7 févr. 2024"),
            ("25 août 2023", "4 septembre 2023"),
            ("douze mars deux mille vingt-quatre", "vingt-deux mars deux mille vingt-quatre"),
            ("le douze mars", "le vingt-deux mars"),
        ] {
            assert_eq!(moved(from, 10), to, "{from}");
        }
    }

    #[test]
    fn partial_dates_move_by_their_middle() {
        for (from, shift, to) in [
            ("mars 2024", 30, "avril 2024"),
            ("mars 2024", -20, "février 2024"),
            ("03/2024", 30, "04/2024"),
            ("Mars 24", 30, "Avril 24"),
            ("2009", 200, "2010"),
            ("2009", -200, "2008"),
            ("fin 2009", 60, "début 2010"),
            ("fin mars 2024", 10, "début avril 2024"),
            ("mi-mars", 14, "fin-mars"),
            ("printemps 2019", 90, "été 2019"),
            ("14 mai", 20, "3 juin"),
            ("14/05", 20, "03/06"),
            ("dix-neuf cent quatre-vingt-dix-huit", 365, "mille neuf cent quatre-vingt-dix-neuf"),
            ("années 1990", 365, "années 1991"),
        ] {
            assert_eq!(moved(from, shift), to, "{from}");
        }
    }

    #[test]
    fn what_would_stay_in_part_is_not_moved() {
        let calendar = Calendar { shift_days: 10, reference: day(2024, 3, 20), birth: None };
        for text in ["S12 2025", "lu 6", "D. 14", "sem. 24", "3.VI", "25 4 au 16 5", "O9/11/79", "l2/03/2024"] {
            assert_eq!(shift(&[Dated { text, start: 0, birth: false }], calendar), [None], "{text}");
        }
        assert_eq!(moved("16 janvier dernier", 3), "19 janvier dernier");
        assert_eq!(moved("12 03 2024", 10), "22 03 2024");
    }

    #[test]
    fn feasts_become_plain_dates() {
        assert_eq!(moved("Noël", 9), "3 janvier");
        assert_eq!(moved("Noël 2023", 9), "3 janvier 2024");
        assert_eq!(moved("Pâques 2024", 1), "1er avril 2024");
        assert_eq!(moved("jour de l'An 2024", 30), "31 janvier 2024");
    }

    #[test]
    fn ranges_share_what_they_share() {
        for (from, shift, to) in [
            ("12 au 15 mars 2024", 10, "22 au 25 mars 2024"),
            ("12 au 15 mars 2024", 18, "30 mars au 2 avril 2024"),
            ("12, 13 et 14 mars", 3, "15, 16 et 17 mars"),
            ("12-15 mars 2024", 3, "15-18 mars 2024"),
            ("28 décembre au 3 janvier 2024", 10, "7 janvier au 13 janvier 2024"),
            ("2018-2020", 365, "2019-2021"),
            ("mars-avril 2020", 31, "avril-mai 2020"),
            ("12/03 au 15/03/2024", 5, "17/03 au 20/03/2024"),
        ] {
            assert_eq!(moved(from, shift), to, "{from}");
        }
    }

    #[test]
    fn a_lone_day_takes_the_month_of_the_next_span() {
        let text = "du 12 au 15 mars 2024";
        let spans = [Dated { text: "12", start: 3, birth: false }, Dated { text: &text[9..], start: 9, birth: false }];
        let calendar = Calendar { shift_days: 18, reference: day(2024, 3, 20), birth: None };
        assert_eq!(shift(&spans, calendar), [Some("30 mars".to_owned()), Some("2 avril 2024".to_owned())]);
    }

    #[test]
    fn births_stay_in_their_century() {
        let calendar = Calendar { shift_days: -3, reference: day(2024, 3, 20), birth: day(1946, 8, 2) };
        let one = |text| shift(&[Dated { text, start: 0, birth: true }], calendar).remove(0);
        assert_eq!(one("02/08/46").as_deref(), Some("30/07/46"));
        assert_eq!(one("2 août 1946").as_deref(), Some("30 juillet 1946"));
        assert_eq!(one("020846").as_deref(), Some("300746"));
        assert_eq!(full_date("02/08/46", calendar.reference), day(1946, 8, 2));
    }

    proptest::proptest! {
        #[test]
        fn any_words_are_read(text in "\\PC{0,40}", days in -365i32..365) {
            let calendar = Calendar { shift_days: days, reference: day(2024, 3, 20), birth: None };
            let _ = shift(&[Dated { text: &text, start: 0, birth: false }], calendar);
        }

        #[test]
        fn there_and_back(offset in 0u64..20_000, days in -365i32..365, form in 0usize..5) {
            let Some(date) = day(1970, 1, 1).and_then(|d| d.checked_add_days(Days::new(offset))) else { return Ok(()) };
            let text = match form {
                0 => date.format("%d/%m/%Y").to_string(),
                1 => date.format("%Y-%m-%d").to_string(),
                2 => date.format("%d%m%Y").to_string(),
                3 => date.format("%d.%m.%Y").to_string(),
                _ => date.format("%Y%m%d").to_string(),
            };
            let once = |text: &str, shift_days| {
                shift(&[Dated { text, start: 0, birth: false }], Calendar { shift_days, ..Calendar::default() }).remove(0)
            };
            let there = once(&text, days).unwrap();
            proptest::prop_assert_eq!(once(&there, -days).unwrap(), text);
        }
    }
}
