//! The lexicon that ships: its size, its codes and its names.
//!
//! The list of reference codes is not part of the repository; where it is missing
//! the tests that need it say so.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use std::collections::{HashMap, HashSet};
use std::path::Path;

use sillage_clinical::knowledge::Knowledge;
use sillage_clinical::lexicon::{BUILT_IN, Label, SnomedLicence};
use sillage_schemas::terminology::{File, SNOMED_GLOBAL_PATIENT_SET, SNOMED_LICENSED};

const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/terminology/reference_codes.csv");

fn rows<const N: usize>(file: &File) -> Vec<[&'static str; N]> {
    let lines = file.content.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).skip(1);
    lines
        .map(|line| {
            let fields: Vec<&'static str> = line.split(';').map(str::trim).collect();
            fields.try_into().unwrap_or_else(|f: Vec<_>| panic!("{}: {} fields in {line:?}", file.name, f.len()))
        })
        .collect()
}

fn knowledge() -> Knowledge {
    Knowledge::new(BUILT_IN, SnomedLicence::Affiliate).unwrap()
}

/// (system, code) with the note of the row; `None` where the list is missing.
fn reference() -> Option<HashMap<(String, String), String>> {
    if !Path::new(REFERENCE).exists() {
        eprintln!("SKIPPED: no reference codes at {REFERENCE}");
        return None;
    }
    let text = std::fs::read_to_string(REFERENCE).unwrap();
    let codes: HashMap<_, _> = text
        .lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.splitn(3, ',');
            ((fields.next().unwrap().to_owned(), fields.next().unwrap().to_owned()), fields.next().unwrap_or_default().to_owned())
        })
        .collect();
    assert!(codes.len() > 1000, "{} reference codes", codes.len());
    Some(codes)
}

/// Check digit by the dihedral group D5, as SNOMED International defines it.
fn verhoeff(digits: &str) -> bool {
    const PERMUTATION: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let multiply = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    digits
        .bytes()
        .rev()
        .enumerate()
        .fold(0, |check, (place, byte)| multiply(check, (0..place % 8).fold(byte - b'0', |d, _| PERMUTATION[d as usize])))
        == 0
}

fn is_icd10(code: &str) -> bool {
    let b = code.as_bytes();
    b.len() >= 3
        && b[0].is_ascii_uppercase()
        && b[1..3].iter().all(u8::is_ascii_digit)
        && (b.len() == 3 || b[3] == b'.' && (5..=6).contains(&b.len()) && b[4..].iter().all(u8::is_ascii_digit))
}

fn is_atc(code: &str) -> bool {
    let shape: String = code
        .chars()
        .map(|c| {
            if c.is_ascii_digit() {
                '9'
            } else if c.is_ascii_uppercase() {
                'A'
            } else {
                '?'
            }
        })
        .collect();
    ["A", "A99", "A99A", "A99AA", "A99AA99"].contains(&shape.as_str())
}

#[test]
fn the_lexicon_is_broad() {
    let lexicon = knowledge().lexicon;
    assert!(lexicon.concepts.len() >= 700, "{} concepts", lexicon.concepts.len());
    assert!(lexicon.form_count() >= 4_000, "{} forms", lexicon.form_count());
    for label in [Label::Disorder, Label::Sign, Label::Procedure, Label::Drug, Label::Anatomy] {
        assert!(lexicon.concepts.iter().filter(|c| c.label == label).count() > 100, "{}", label.name());
    }
}

#[test]
fn every_file_states_source_and_licence() {
    for file in BUILT_IN.iter().chain([&SNOMED_GLOBAL_PATIENT_SET, &SNOMED_LICENSED]) {
        for header in ["# source: ", "# licence: "] {
            assert!(file.content.lines().take(4).any(|l| l.len() > header.len() + 10 && l.starts_with(header)), "{} {header}", file.name);
        }
    }
}

#[test]
fn codes_are_well_formed_and_have_a_source() {
    let mut coded = 0;
    for file in BUILT_IN {
        for [concept, label, _, _, icd10, atc, source] in rows::<7>(file) {
            assert!(icd10.is_empty() || is_icd10(icd10), "{concept}: {icd10}");
            assert!(atc.is_empty() || is_atc(atc), "{concept}: {atc}");
            assert!(atc.is_empty() || label == "DRUG", "{concept}");
            assert!(icd10.is_empty() || matches!(label, "DISORDER" | "SIGN"), "{concept}");
            let expected = [("icd10:", icd10), ("atc:", atc)];
            for (prefix, code) in expected {
                let stated = source
                    .split(' ')
                    .filter_map(|s| s.strip_prefix(prefix))
                    .filter(|s| matches!(*s, "reference" | "classification"))
                    .count();
                assert_eq!(stated, usize::from(!code.is_empty()), "{concept}: source {source:?}");
                coded += stated;
            }
        }
    }
    assert!(coded > 2_500, "{coded}");
}

#[test]
fn codes_said_to_be_in_the_reference_list_are_there() {
    let Some(reference) = reference() else { return };
    let has = |system: &str, code: &str| reference.contains_key(&(system.to_owned(), code.to_owned()));
    let mut checked = 0;
    for file in BUILT_IN {
        for [concept, _, _, _, icd10, atc, source] in rows::<7>(file) {
            for (system, prefix, code) in [("ICD10FR", "icd10:", icd10), ("ATC", "atc:", atc)] {
                if !code.is_empty() {
                    assert_eq!(has(system, code), source.split(' ').any(|s| s == format!("{prefix}reference")), "{concept}: {code}");
                    checked += usize::from(has(system, code));
                }
            }
        }
    }
    assert!(checked > 400, "{checked}");
}

#[test]
fn snomed_codes_have_their_check_digit() {
    assert!(verhoeff("230690007") && !verhoeff("230690008"));
    for file in [&SNOMED_GLOBAL_PATIENT_SET, &SNOMED_LICENSED] {
        let rows = rows::<4>(file);
        assert!(rows.len() > 100, "{}", file.name);
        for [concept, code, display, source] in rows {
            assert!((6..=18).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit()), "{concept}: {code}");
            assert!(verhoeff(code), "{concept}: {code}");
            let partition = &code[code.len() - 3..code.len() - 1];
            assert!(matches!(partition, "00" | "10"), "{concept}: {code} is not a concept identifier");
            assert!(!display.is_empty() && source == "reference", "{concept}");
        }
    }
}

#[test]
fn snomed_codes_are_in_the_list_under_their_licence() {
    let Some(reference) = reference() else { return };
    for (file, open) in [(&SNOMED_GLOBAL_PATIENT_SET, true), (&SNOMED_LICENSED, false)] {
        for [concept, code, ..] in rows::<4>(file) {
            let note = reference.get(&("SNOMEDCT".to_owned(), code.to_owned())).unwrap_or_else(|| panic!("{concept}: {code}"));
            assert_eq!(note.contains("in SNOMED GPS"), open, "{concept}: {code}");
        }
    }
}

#[test]
fn only_a_licensed_site_gets_the_other_snomed_codes() {
    let licensed: HashSet<&str> = rows::<4>(&SNOMED_LICENSED).into_iter().map(|[concept, ..]| concept).collect();
    let (open, all) = (Knowledge::new(BUILT_IN, SnomedLicence::GlobalPatientSet).unwrap(), knowledge());
    for concept in licensed {
        assert!(open.lexicon.concept(concept).unwrap().snomed.is_none(), "{concept}");
        assert!(all.lexicon.concept(concept).unwrap().snomed.is_some(), "{concept}");
    }
}

#[test]
fn every_preferred_name_yields_its_concept() {
    let knowledge = knowledge();
    let mut wrong = Vec::new();
    for concept in &knowledge.lexicon.concepts {
        match knowledge.concept_of(&concept.preferred) {
            Some(found) if found.id == concept.id => {}
            found => wrong.push(format!("{} {:?} -> {:?}", concept.id, concept.preferred, found.map(|c| &c.id))),
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), knowledge.lexicon.concepts.len(), wrong.join("\n"));
}

#[test]
fn codes_of_common_words() {
    let knowledge = knowledge();
    for (term, code) in [
        ("AVC", "I64"),
        ("AVC ischémique", "I63.9"),
        ("occlusion M1", "I66.0"),
        ("sténose carotidienne", "I65.2"),
        ("FA", "I48.9"),
        ("hypertendue", "I10"),
        ("paralysie faciale", "G83.6"),
        ("bouche de travers", "R29.8"),
        ("aphasie séquellaire", "R47.0"),
        ("syndrome confusionnel", "F05.9"),
        ("désorientation", "R41.0"),
        ("leucoaraïose", "I67.8"),
        ("séquelle ischémique", "I69.3"),
        ("IDM", "I21.9"),
        ("IDM ancien", "I25.2"),
        ("tabagisme", "F17.2"),
    ] {
        assert_eq!(knowledge.concept_of(term).and_then(|c| c.icd10.as_deref()), Some(code), "{term}");
    }
    assert_eq!(knowledge.concept_of("Actilyse").and_then(|c| c.atc.as_deref()), Some("B01AD02"));
}
