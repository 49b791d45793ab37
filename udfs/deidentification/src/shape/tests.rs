//! Marked sentences of `data/shape_sentences.txt`: everything found must be marked.

use chrono::NaiveDate;
use proptest::prelude::*;
use sillage_clinical::analysis::Analysis;
use sillage_clinical::knowledge::Knowledge;

use super::*;
use crate::Label;

fn knowledge() -> &'static ShapeKnowledge {
    static KNOWLEDGE: std::sync::LazyLock<ShapeKnowledge> = std::sync::LazyLock::new(|| match ShapeKnowledge::read() {
        Ok(knowledge) => knowledge,
        Err(error) => panic!("{error}"),
    });
    &KNOWLEDGE
}

fn spans(text: &str) -> Vec<Span> {
    let reference = NaiveDate::from_ymd_opt(2024, 6, 1).and_then(|d| d.and_hms_opt(10, 0, 0));
    find(knowledge(), &Analysis::new(Knowledge::built_in(), text, reference))
}

fn marked(text: &str) -> String {
    let mut out = String::new();
    let mut last = 0;
    for span in spans(text) {
        out += &text[last..span.start];
        out += &format!("⟦{}|{}⟧", span.label.name(), &text[span.start..span.end]);
        last = span.end;
    }
    (out + &text[last..]).replace('\n', "\\n")
}

fn unmarked(line: &str) -> String {
    let mut out = String::new();
    for (index, part) in line.split('⟦').enumerate() {
        match part.split_once('⟧') {
            Some((inside, after)) if index > 0 => {
                let Some((label, text)) = inside.split_once('|') else { panic!("no label: {line}") };
                assert!(Label::from_name(label).is_some(), "{label}");
                out += text;
                out += after;
            }
            None if index == 0 => out += part,
            _ => panic!("a mark is not closed: {line}"),
        }
    }
    out
}

const SENTENCES: &str = include_str!("../../data/shape_sentences.txt");

#[test]
fn finds_what_the_sentences_mark_and_nothing_else() {
    let (mut sentences, mut found, mut wrong) = (0, 0, Vec::new());
    for line in SENTENCES.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let text = unmarked(line).replace("\\n", "\n");
        let read = marked(&text);
        sentences += 1;
        found += line.matches('⟦').count();
        if read != line {
            wrong.push(format!("expected {line}\n   found {read}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {sentences}\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((sentences, found), (384, 535));
}

#[test]
fn keys_of_insurance_numbers_raise_the_score() {
    let number = "2391234172034";
    let key = 97 - number.parse::<u64>().unwrap() % 97;
    let score = |text: &str| spans(text).iter().map(|s| (s.label, s.score)).collect::<Vec<_>>();
    assert_eq!(score(&format!("{number}{key:02}")), [(Label::Secu, 1.0)]);
    assert_eq!(score(&format!("{number}{:02}", (key + 1) % 97)), [(Label::Secu, 0.8)]);
}

/// Pieces that the rules know, to be put together in every way.
const PIECES: &[&str] = &[
    "12",
    "03",
    "2024",
    "24",
    "1er",
    "15",
    "/",
    "-",
    ".",
    ":",
    ",",
    "(",
    ")",
    "'",
    "@",
    "+",
    "le",
    "du",
    "au",
    "à",
    "de",
    "d'",
    "lundi",
    "sam",
    "mars",
    "déc",
    "fin",
    "deux",
    "mille",
    "vingt",
    "né",
    "DDN",
    "tél",
    "poste",
    "06",
    "99",
    "IPP",
    "n°",
    "RPPS",
    "2391234172034",
    "34000",
    "Montpellier",
    "CEDEX",
    "rue",
    "bis",
    "Saint",
    "sur",
    "Loire",
    "CHU",
    "Hôpital",
    "clinique",
    "Les",
    "Marronniers",
    "Dr",
    "MARTIN",
    "HCL",
    "\n",
    "  ",
    "é",
    "œ",
    "AB",
    "AP-24-01234",
    "www",
    "fr",
    "Noël",
    "BP",
    "12mar2024",
];

proptest! {
    #[test]
    fn spans_are_ascending_disjoint_and_on_boundaries(pieces in prop::collection::vec((prop::sample::select(PIECES), prop::bool::ANY), 0..40)) {
        let text: String = pieces.iter().map(|(p, space)| if *space { format!("{p} ") } else { (*p).to_owned() }).collect();
        let mut last = 0;
        for span in spans(&text) {
            prop_assert!(span.start >= last && span.start < span.end && span.end <= text.len());
            prop_assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
            prop_assert!(text[span.start..span.end].chars().any(char::is_alphanumeric));
            last = span.end;
        }
    }

    #[test]
    fn any_text_is_read(text in "\\PC{0,120}") {
        for span in spans(&text) {
            prop_assert!(text.get(span.start..span.end).is_some());
        }
    }
}
