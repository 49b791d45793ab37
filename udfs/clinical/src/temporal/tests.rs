//! Marked sentences, each expression `⟦text|kind|value|precision|more⟧`: kind D R T
//! L (duration) A F P, value ISO or `-`, precision Y M D H N (minute), more `~`,
//! `until=`, `min=`, `age=`. Everything found must be marked.

use super::*;
use chrono::NaiveDate;
use proptest::prelude::*;

/// A Friday.
fn reference() -> Option<NaiveDateTime> {
    NaiveDate::from_ymd_opt(2024, 4, 12)?.and_hms_opt(15, 0, 0)
}

fn write(e: &TemporalExpression, text: &str) -> String {
    let kind = match e.kind {
        TemporalKind::Date => "D",
        TemporalKind::Relative => "R",
        TemporalKind::Time => "T",
        TemporalKind::Duration => "L",
        TemporalKind::Age => "A",
        TemporalKind::Frequency => "F",
        TemporalKind::Period => "P",
    };
    let precision = match e.precision {
        Precision::Year => "Y",
        Precision::Month => "M",
        Precision::Day => "D",
        Precision::Hour => "H",
        Precision::Minute => "N",
    };
    let iso = |v: NaiveDateTime| v.format(if v.time() == chrono::NaiveTime::MIN { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M" }).to_string();
    let mut out = format!("{}|{kind}|{}|{precision}", &text[e.start..e.end], e.value.map_or("-".to_owned(), iso));
    if let Some(until) = e.until {
        out += &format!("|until={}", iso(until));
    }
    if let Some(age) = e.age_years {
        out += &format!("|age={:.2}", age);
    }
    if let (Some(minutes), TemporalKind::Duration) = (e.duration_minutes, e.kind) {
        out += &format!("|min={minutes}");
    }
    if e.approximate {
        out += "|~";
    }
    out
}

fn unmark(marked: &str) -> (String, Vec<String>) {
    let (mut text, mut expected) = (String::new(), Vec::new());
    let mut rest = marked;
    while let Some(open) = rest.find('⟦') {
        text += &rest[..open];
        let Some(end) = rest[open..].find('⟧').map(|e| open + e) else { panic!("no closing mark: {marked}") };
        let inner = &rest[open + '⟦'.len_utf8()..end];
        assert!(inner.matches('|').count() >= 3 || inner.contains("|F"), "{inner}");
        let inner = if inner.ends_with("|F") { format!("{inner}|-|D") } else { inner.to_owned() };
        text += inner.split('|').next().unwrap_or_default();
        expected.push(inner);
        rest = &rest[end + '⟧'.len_utf8()..];
    }
    (text + rest, expected)
}

fn read(text: &str, reference: Option<NaiveDateTime>) -> Vec<String> {
    temporal_expressions(&Text::new(text), reference).iter().map(|e| write(e, text)).collect()
}

const MARKED: &str = include_str!("../../data/temporal_sentences.txt");
const NONE: &str = include_str!("../../data/temporal_negatives.txt");

#[test]
fn finds_what_the_sentences_mark() {
    let (mut sentences, mut expressions, mut wrong) = (0, 0, Vec::new());
    for line in MARKED.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let (text, expected) = unmark(&line.replace("\\n", "\n"));
        let found = read(&text, reference());
        sentences += 1;
        expressions += expected.len();
        if found != expected {
            wrong.push(format!("{text}\n  expected {expected:?}\n  found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((sentences, expressions), (186, 206));
}

#[test]
fn finds_nothing_where_no_time_is_said() {
    let lines: Vec<_> = NONE.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
    let wrong: Vec<_> =
        lines.iter().filter(|l| !read(l, reference()).is_empty()).map(|l| format!("{l} {:?}", read(l, reference()))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(lines.len() >= 40, "{}", lines.len());
}

#[test]
fn without_a_reference_only_full_dates_have_a_value() {
    assert_eq!(
        read("Vu le 12/03 puis le 13/03/2024 à 8h, hier, à 9h.", None)[..2],
        ["12/03|D|-|D", "13/03/2024 à 8h|D|2024-03-13T08:00|H"]
    );
    assert_eq!(read("hier à 9h, contrôle dans 3 mois, lundi", None), ["hier à 9h|R|-|H", "dans 3 mois|R|-|M", "lundi|R|-|D"]);
    assert_eq!(read("vers 9h", None), ["9h|T|-|H|~"]);
}

#[test]
fn leap_days_and_turns_of_the_year() {
    let at = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).and_then(|d| d.and_hms_opt(9, 0, 0));
    assert_eq!(read("le 29/02", at(2025, 1, 10)), ["29/02|D|2024-02-29|D"]);
    assert_eq!(read("le 28 décembre", at(2024, 1, 3)), ["28 décembre|D|2023-12-28|D"]);
    assert_eq!(read("du 28 décembre au 3 janvier", at(2024, 1, 5)), ["28 décembre au 3 janvier|P|2023-12-28|D|until=2024-01-03"]);
    assert_eq!(read("il y a 1 mois", at(2024, 3, 31)), ["il y a 1 mois|R|2024-02-01|M"]);
    assert_eq!(read("né le 12/03/45, vu le 12/03/24", at(2024, 3, 31)), ["12/03/45|D|1945-03-12|D", "12/03/24|D|2024-03-12|D"]);
    assert!(read("le 31/02/2024, le 30 février", at(2024, 3, 31)).iter().all(|e| !e.ends_with("|D")));
}

/// Pieces that the grammar knows, to be put together in every way.
const PIECES: &[&str] = &[
    "12",
    "03",
    "2024",
    "24",
    "1er",
    "31",
    "/",
    "-",
    ".",
    ":",
    ",",
    "h",
    "13h05",
    "13h",
    "h05",
    "à",
    "a",
    "le",
    "du",
    "au",
    "lundi",
    "lun.",
    "mars",
    "déc.",
    "sept",
    "deux",
    "mille",
    "vingt",
    "et",
    "demi",
    "une",
    "quatre",
    "-",
    "ans",
    "mois",
    "j",
    "J0",
    "J",
    "+",
    "H24",
    "M3",
    "S6",
    "x",
    "x3",
    "fois",
    "par",
    "il y a",
    "depuis",
    "dans",
    "la veille",
    "avant-hier",
    "après",
    "midi",
    "minuit",
    "soir",
    "ce",
    "cette",
    "jour",
    "même",
    "aujourd’hui",
    "hier",
    "fin",
    "mi-",
    "début",
    "année",
    "années",
    "90",
    "Noël",
    "été",
    "dernier",
    "prochain",
    "jusqu'au",
    "entre",
    "(",
    ")",
    "=",
    "\n",
    "\r\n",
    "é",
    "e\u{301}",
    "²",
    "½",
    "TA",
    "99999999999",
    "0",
    "12T13",
    "quelques",
    "dizaine",
    "d'",
    "’",
    "«",
    "SA",
    "semaine",
    "par jour",
    "tous les",
    "jour de l'an",
    "/8h",
    "24h/24",
    "→",
    "week-end",
    "mardi gras",
    "n°",
    "né le",
];

fn check(text: &str, reference: Option<NaiveDateTime>) -> Result<(), TestCaseError> {
    let mut last = 0;
    for e in temporal_expressions(&Text::new(text), reference) {
        prop_assert!(e.start >= last && e.start < e.end && e.end <= text.len(), "{:?} {}..{}", text, e.start, e.end);
        prop_assert!(text.is_char_boundary(e.start) && text.is_char_boundary(e.end));
        if let (Some(value), Some(until), TemporalKind::Period) = (e.value, e.until, e.kind) {
            prop_assert!(value.signed_duration_since(until).num_days() < 366_000);
        }
        last = e.end;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        check(&text, reference())?;
    }

    #[test]
    fn any_order_of_the_pieces_is_read(pieces in prop::collection::vec((prop::sample::select(PIECES), any::<bool>()), 0..40), dated in any::<bool>()) {
        let text: String = pieces.iter().flat_map(|(p, space)| [*p, if *space { " " } else { "" }]).collect();
        check(&text, reference().filter(|_| dated))?;
    }

    #[test]
    fn mutated_sentences_are_read(line in 0usize..200, cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 0..6)) {
        let lines: Vec<&str> = MARKED.lines().collect();
        let mut chars: Vec<char> = unmark(lines[line % lines.len()]).0.chars().collect();
        for (at, c) in cuts {
            if !chars.is_empty() {
                let at = at.index(chars.len());
                if (c as u32).is_multiple_of(2) { chars[at] = c } else { chars.remove(at); }
            }
        }
        check(&chars.into_iter().collect::<String>(), reference())?;
    }

    #[test]
    fn any_reference_is_fine(days in -700_000i64..700_000, text in prop::sample::select(vec!["hier", "il y a 9999 ans", "dans 9999 ans", "le 29/02", "J2", "lundi 31", "12/03/45", "à Pâques", "en 2009", "été dernier"])) {
        let date = NaiveDate::from_ymd_opt(1970, 1, 1).and_then(|d| d.checked_add_signed(chrono::Duration::days(days)));
        check(text, date.and_then(|d| d.and_hms_opt(1, 2, 3)))?;
    }
}
