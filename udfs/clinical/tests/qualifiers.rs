//! Marked-up sentences (`data/qualifiers.txt`): every tagged span must be a
//! mention with exactly the qualifiers of its tag.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::fmt::Write;

use chrono::{NaiveDate, NaiveDateTime};
use sillage_clinical::analysis::Analysis;
use sillage_clinical::knowledge::Knowledge;
use sillage_clinical::lexicon::{BUILT_IN, SnomedLicence};
use sillage_clinical::qualifier::{Experiencer, Qualifiers};

/// Counted by hand when a case is added; a case that is lost fails the test.
const CASES: usize = 717;
const SPANS: usize = 1047;

/// Time of every document of the file.
fn written_at() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2024, 3, 15).and_then(|d| d.and_hms_opt(12, 0, 0)).unwrap()
}

/// A case without its tags, and the bytes that each tag held.
#[derive(Debug, Default, PartialEq)]
struct Case {
    text: String,
    spans: Vec<(std::ops::Range<usize>, Qualifiers)>,
}

fn qualifiers(tag: &str) -> Result<Qualifiers, String> {
    let mut qualifiers = Qualifiers::default();
    if tag == "aff" {
        return Ok(qualifiers);
    }
    for part in tag.split('+') {
        let new = match part {
            "neg" => !std::mem::replace(&mut qualifiers.negated, true),
            "hyp" => !std::mem::replace(&mut qualifiers.hypothetical, true),
            "hist" => !std::mem::replace(&mut qualifiers.historical, true),
            "fam" => std::mem::replace(&mut qualifiers.experiencer, Experiencer::Family) == Experiencer::Patient,
            _ => return Err(format!("unknown tag {part:?}")),
        };
        if !new {
            return Err(format!("{part:?} twice in one tag"));
        }
    }
    Ok(qualifiers)
}

/// Reads `text <neg>span</neg> text`; `⏎` is a line end. "<" that opens no tag
/// has a space, a digit or the end behind it.
fn parse(line: &str) -> Result<Case, String> {
    let mut case = Case::default();
    let mut open: Option<(&str, usize)> = None;
    let mut rest = line;
    while let Some(at) = rest.find('<') {
        case.text.push_str(&rest[..at].replace('⏎', "\n"));
        rest = &rest[at + 1..];
        if rest.is_empty() || rest.starts_with([' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
            case.text.push('<');
            continue;
        }
        let Some(close) = rest.find('>') else { return Err("a tag without its end".to_owned()) };
        let tag = &rest[..close];
        rest = &rest[close + 1..];
        match (tag.strip_prefix('/'), open) {
            (None, None) => {
                qualifiers(tag)?;
                open = Some((tag, case.text.len()));
            }
            (Some(tag), Some((opened, start))) if tag == opened => {
                if start == case.text.len() {
                    return Err(format!("nothing in {tag:?}"));
                }
                case.spans.push((start..case.text.len(), qualifiers(tag)?));
                open = None;
            }
            _ => return Err(format!("{tag:?} does not belong there")),
        }
    }
    if let Some((tag, _)) = open {
        return Err(format!("{tag:?} is never closed"));
    }
    case.text.push_str(&rest.replace('⏎', "\n"));
    if case.spans.is_empty() {
        return Err("no span".to_owned());
    }
    Ok(case)
}

fn name(qualifiers: &Qualifiers) -> String {
    let mut parts = Vec::new();
    for (set, part) in [
        (qualifiers.negated, "neg"),
        (qualifiers.hypothetical, "hyp"),
        (qualifiers.experiencer != Experiencer::Patient, "fam"),
        (qualifiers.historical, "hist"),
    ] {
        if set {
            parts.push(part);
        }
    }
    if parts.is_empty() { "aff".to_owned() } else { parts.join("+") }
}

#[test]
fn sentences_are_qualified_as_marked() {
    let knowledge = Knowledge::new(BUILT_IN, SnomedLicence::GlobalPatientSet).unwrap();
    let (mut cases, mut spans, mut failed) = (0, 0, String::new());
    for (number, line) in include_str!("data/qualifiers.txt").lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let case = match parse(line) {
            Ok(case) => case,
            Err(message) => panic!("line {}: {message}", number + 1),
        };
        cases += 1;
        let analysis = Analysis::new(&knowledge, &case.text, Some(written_at()));
        let entities = analysis.entities();
        for (span, expected) in &case.spans {
            spans += 1;
            let marked = &case.text[span.clone()];
            // The lexicon may take a side or an adjective in or leave it out.
            match entities.iter().find(|e| e.start < span.end && e.end > span.start) {
                None => writeln!(failed, "line {}: {marked:?} is no mention", number + 1),
                Some(entity) if entity.qualifiers != *expected => {
                    writeln!(failed, "line {}: {marked:?} should be {} and is {}", number + 1, name(expected), name(&entity.qualifiers))
                }
                Some(_) => Ok(()),
            }
            .unwrap();
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
    assert_eq!((cases, spans), (CASES, SPANS));
}

#[test]
fn marks_are_read_strictly() {
    assert_eq!(
        parse("PAS < 140, <neg>toux</neg>").unwrap(),
        Case { text: "PAS < 140, toux".to_owned(), spans: vec![(11..15, Qualifiers { negated: true, ..Qualifiers::default() })] }
    );
    for wrong in [
        "<no>toux</no>",
        "<neg>toux",
        "toux</neg>",
        "<neg>toux</hyp>",
        "<neg></neg>",
        "<neg+neg>toux</neg+neg>",
        "<neg>a <hyp>b</hyp></neg>",
        "sans rien",
        "<neg toux",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}
