#![allow(clippy::unwrap_used, reason = "a failed test says where")]

use proptest::prelude::*;

use super::*;

const CASES: &str = include_str!("../../data/measurement_sentences.txt");
const NEGATIVES: &str = include_str!("../../data/measurement_negatives.txt");

fn lines(table: &str) -> impl Iterator<Item = String> {
    table.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).map(|l| l.replace("\\n", "\n"))
}

/// The text without its marks, and the byte spans marked.
fn unmarked(marked: &str) -> (String, Vec<(usize, usize)>) {
    let (mut text, mut spans, mut open) = (String::new(), Vec::new(), None);
    for c in marked.chars() {
        match c {
            '⟦' => assert!(open.replace(text.len()).is_none(), "{marked}"),
            '⟧' => spans.push((open.take().unwrap(), text.len())),
            c => text.push(c),
        }
    }
    assert!(open.is_none(), "{marked}");
    (text, spans)
}

/// A measurement in the words of the table.
fn shown(m: &Measurement) -> String {
    let sign = match m.comparator {
        Comparator::Equal => "",
        Comparator::Less => "<",
        Comparator::LessOrEqual => "≤",
        Comparator::Greater => ">",
        Comparator::GreaterOrEqual => "≥",
        Comparator::Approximate => "~",
    };
    let number = |v: Option<f64>| v.map_or("-".to_owned(), |v| v.to_string());
    let value = match (&m.value_text, m.value_high) {
        (Some(text), _) => format!("\"{text}\""),
        (None, Some(high)) => format!("{sign}{}..{high}", number(m.value)),
        (None, None) => format!("{sign}{}", number(m.value)),
    };
    format!("{} {value} {} {}", m.name.unwrap_or("-"), m.unit.unwrap_or("-"), number(m.canonical_value))
}

#[test]
fn marked_sentences() {
    let mut failures = Vec::new();
    let mut count = 0;
    for line in lines(CASES) {
        let (marked, expected) = line.split_once(" ## ").unwrap();
        let (source, mut spans) = unmarked(marked);
        let found = measurements(&Text::new(&source));
        let shown: Vec<_> = found.iter().map(shown).collect();
        let mut at: Vec<_> = found.iter().map(|m| (m.start, m.end)).collect();
        at.dedup();
        spans.dedup();
        if shown.join(" ; ") != expected || at != spans {
            let at: Vec<_> = found.iter().map(|m| &source[m.start..m.end]).collect();
            failures.push(format!("{marked}\n   expected {expected}\n   found    {} at {at:?}", shown.join(" ; ")));
        }
        count += 1;
    }
    assert!(failures.is_empty(), "{} of {count}\n{}", failures.len(), failures.join("\n"));
    assert!(count >= 150);
}

#[test]
fn nothing_where_nothing_is_measured() {
    let mut count = 0;
    let mut failures = Vec::new();
    for line in lines(NEGATIVES) {
        let found = measurements(&Text::new(&line));
        if !found.is_empty() {
            failures.push(format!("{line}: {:?}", found.iter().map(shown).collect::<Vec<_>>()));
        }
        count += 1;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(count >= 40);
}

#[test]
fn value_bytes_hold_the_number() {
    let text = "Créatininémie mesurée à 1,1 mg/dL, NIHSS 4";
    let found = measurements(&Text::new(text));
    assert_eq!(found.iter().map(|m| &text[m.value_start..m.value_end]).collect::<Vec<_>>(), ["1,1", "4"]);
    assert_eq!(found[1].loinc, Some("72089-6"));
    assert_eq!(found[0].label, Some("Créatinine"));
    assert_eq!(found[0].canonical_unit, Some("umol/L"));
    for text in ["ni-\nhss14", "kalié-\r\nmie4", "ni\u{ad}hss14"] {
        let found = measurements(&Text::new(text));
        assert_eq!(found.iter().map(|m| text[m.value_start..m.value_end].parse().ok()).collect::<Vec<_>>(), [found[0].value], "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_keeps_its_offsets(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn pieces_of_notes_in_any_order_keep_their_offsets(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24)) {
        check(&pieces.concat())?;
    }
}

const PIECES: &[&str] = &[
    "TA", " ", "NIHSS", "12", "/", "8", "mmHg", "°", "º", "37", "2", ",", ".", "g", "80", "à", "entre", "et", "-", ">", "<", "TICI", "IIb",
    "2b", "³", "10⁹", "/L", "\n", "(", ")", "G", "15", "Y3V3M6", "e3", "é", "x", "12x8", "mm", "sur", "vingt", "dix", "h", "24h", "J1",
    "stade", "III", "NYHA", "au", "MMS", "%", "AA", "201", "000", "\u{301}", "T", "BE", "sat", "2 L", "|", ":", "µ", "½", "ﬁ", "Rankin",
    "de", "du", "le", "İ", "ß1", "dextro", "１２",
];

fn check(source: &str) -> Result<(), TestCaseError> {
    for m in measurements(&Text::new(source)) {
        prop_assert!(m.start <= m.value_start && m.value_start < m.value_end && m.value_end <= m.end && m.end <= source.len(), "{:?}", m);
        for at in [m.start, m.end, m.value_start, m.value_end] {
            prop_assert!(source.is_char_boundary(at), "{at} in {source:?}");
        }
        prop_assert!(m.value.is_some() || m.value_text.is_some());
    }
    Ok(())
}
