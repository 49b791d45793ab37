//! Clinical documents as the national samples have them, and what damage does to
//! them. Run from a checkout that has the samples beside it.

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::path::PathBuf;

use chrono_tz::Tz;
use proptest::prelude::*;
use sillage_connectors::formats::attachment::{Kind, MediaType, base64, extract};
use sillage_connectors::formats::cda::{self, CodedEntry, Document, Value};

const SITE: Tz = Tz::Europe__Paris;
const DISCHARGE: &str = "cda/AVC-SUNV.xml";
const ADMISSION: &str = "cda/AVC-AUNV.xml";
const MESSAGE: &str = "hl7v2/mdm-t02-initial-cda.hl7";

fn sample(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/feeds").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("SKIPPED: {} is missing", path.display());
    }
    bytes
}

/// The document in the first observation of a message.
fn carried(message: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(message).unwrap();
    let segment = text.split(['\r', '\n']).find(|s| s.starts_with("OBX|1|")).unwrap();
    base64(segment.split('|').nth(5).unwrap().split('^').nth(4).unwrap()).unwrap()
}

/// Words between tags of the narrative blocks, found without the reader.
fn narrative_words(xml: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut rest = xml;
    while let Some(at) = rest.find("<!--") {
        plain.push_str(&rest[..at]);
        rest = &rest[at..][rest[at..].find("-->").unwrap() + 3..];
    }
    plain.push_str(rest);
    let blocks = plain.split("<text>").skip(1).filter_map(|b| b.split("</text>").next()).filter(|b| !b.contains("<reference"));
    let text = blocks.flat_map(|b| b.split('<')).map(|part| match part.split_once('>') {
        // The only element here that parts no words.
        Some((tag, text)) if tag.trim_start_matches('/').starts_with("content") => text.to_owned(),
        Some((_, text)) => format!(" {text}"),
        None => part.to_owned(),
    });
    let unescaped = text.collect::<String>().replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    unescaped.split_whitespace().map(str::to_owned).collect()
}

fn counts(words: impl IntoIterator<Item = String>) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    words.into_iter().for_each(|w| *counts.entry(w.trim_end_matches(',').to_owned()).or_insert(0) += 1);
    counts
}

#[test]
fn no_word_of_the_narrative_is_lost() {
    for (name, least) in [(DISCHARGE, 80), (ADMISSION, 600)] {
        let Some(bytes) = sample(name) else { return };
        let words = narrative_words(std::str::from_utf8(&bytes).unwrap());
        assert!(words.len() >= least, "{name}: {}", words.len());
        let text = cda::read(&bytes, SITE).unwrap().text;
        let found = counts(text.split_whitespace().map(str::to_owned));
        for (word, count) in counts(words) {
            assert!(found.get(&word).is_some_and(|f| *f >= count), "{name}: {word} is in the narrative {count} times");
        }
    }
}

fn entry<'d>(document: &'d Document, code: &str) -> &'d CodedEntry {
    let has = |e: &&CodedEntry| e.code.as_ref().and_then(|c| c.code.as_deref()) == Some(code);
    document.entries.iter().find(has).unwrap_or_else(|| panic!("{code}"))
}

fn words<'d>(document: &'d Document, entry: &CodedEntry) -> Option<&'d str> {
    let span = entry.span.clone()?;
    let byte = |at: usize| document.text.char_indices().nth(at).map_or(document.text.len(), |(byte, _)| byte);
    Some(&document.text[byte(span.start)..byte(span.end)])
}

#[test]
fn a_discharge_from_the_stroke_unit() {
    let Some(bytes) = sample(DISCHARGE) else { return };
    let document = cda::read(&bytes, SITE).unwrap();
    assert_eq!(document.id.as_deref(), Some("1.2.250.1.213.1.1.1.17.2022.1.1"));
    assert_eq!((document.version, document.type_code.as_deref()), (Some(1), Some("34133-9")));
    assert_eq!(document.patient_ids[0], "urn:oid:1.2.250.1.213.1.4.10|279035121518989");
    assert_eq!(document.authors, ["Jacques BIDEAULT"]);
    for line in [
        "Infarctus cérébral : Athérome extracranien",
        "Score de Rankin | Oui | 03/10/2018 | 0",
        "Score NIHSS | Oui | 03/10/2018 | 4",
        "Traitements médicamenteux : PLAVIX 75 mg, comprimé pelliculé",
    ] {
        assert!(document.text.lines().any(|l| l == line), "{line}");
    }
    let rankin = entry(&document, "75859-9");
    assert_eq!((&rankin.values[..], words(&document, rankin)), (&[Value::Integer(0)][..], Some("0")));
    // The sample codes that the score was taken, and leaves the points to the text.
    let nihss = entry(&document, "70182-1");
    assert_eq!((&nihss.values[..], words(&document, nihss)), (&[Value::Boolean(true)][..], Some("4")));
    let diagnosis = entry(&document, "282291009");
    let Value::Coded(code) = &diagnosis.values[0] else { panic!("{diagnosis:?}") };
    assert_eq!((code.code.as_deref(), code.system_name), (Some("I63.9"), Some("ICD-10")));
    assert_eq!(words(&document, diagnosis), Some("Infarctus cérébral"));
}

#[test]
fn an_admission_to_the_stroke_unit() {
    let Some(bytes) = sample(ADMISSION) else { return };
    let document = cda::read(&bytes, SITE).unwrap();
    for line in [
        "Troubles sensitifs : Non",
        "AOMI | Oui | Date : 2018",
        "Score NIHSS total : 4",
        "23/09/2018 | INR | 0.94 | --",
        "Thrombolyse IV : Oui",
        "Age < 18 ans ou > 80 ans : Non",
        "Diabète et antécédent d'AVC : Non",
        "Localisation : Centre ovale | non",
    ] {
        assert!(document.text.lines().any(|l| l == line), "{line}");
    }
    assert_eq!((document.sections.len(), document.sections.iter().filter(|s| s.depth == 1).count()), (25, 7));
    let total = entry(&document, "72089-6");
    assert_eq!((&total.values[..], words(&document, total)), (&[Value::Integer(4)][..], Some("4")));
    let index = document.entries.iter().position(|e| std::ptr::eq(e, total));
    assert_eq!(document.entries.iter().filter(|e| e.parent == index).count(), 15);
    let criteria = document.entries.iter().filter(|e| e.kind == cda::EntryKind::Criterion);
    assert_eq!(criteria.filter(|e| e.values == [Value::Boolean(false)]).count(), 28);
    assert!(document.entries.iter().filter(|e| e.span.is_some()).count() > 60);
}

#[test]
fn a_document_in_a_message_holds_a_pdf() {
    let Some(message) = sample(MESSAGE) else { return };
    let bytes = carried(&message);
    let document = cda::read(&bytes, SITE).unwrap();
    // As TXA-12 of the message names it.
    assert!(std::str::from_utf8(&message).unwrap().contains(&format!("|{}^", document.id.as_deref().unwrap())));
    assert_eq!(document.title.as_deref(), Some("Pelvis Masculin"));
    assert_eq!(document.effective_time.unwrap().to_string(), "2005-04-11 10:33:28");
    let inner = document.inner.unwrap();
    assert_eq!((inner.media_type.as_str(), &inner.bytes[..5]), ("application/pdf", &b"%PDF-"[..]));
    assert!(document.text.is_empty());
    let extracted = extract(bytes, &MediaType::parse("text/xml")).unwrap();
    assert!(extracted.text.is_empty() && extracted.pages.len() == 1 && extracted.pages[0].starts_with(b"%PDF-"));
}

#[test]
fn an_attachment_of_xml_is_read_as_a_document() {
    let Some(bytes) = sample(DISCHARGE) else { return };
    for media in ["text/xml", "application/xml; charset=utf-8", "application/octet-stream"] {
        let extracted = extract(bytes.clone(), &MediaType::parse(media)).unwrap();
        assert_eq!(extracted.kind, Kind::Cda);
        assert!(extracted.text.starts_with("Fiche de sortie d'unité neuro-vasculaire\n\ninterprétation diagnostique"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn damaged_samples_do_no_harm(
        name in 0..3usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..200usize, any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let name = [DISCHARGE, ADMISSION, MESSAGE][name];
        let Some(mut bytes) = sample(name) else { return Ok(()) };
        if name == MESSAGE {
            bytes = carried(&bytes);
        }
        for (at, length, to, byte) in changes {
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            match byte % 4 {
                0 => bytes.truncate(at.max(1)),
                1 => bytes[at] = byte,
                2 => drop(bytes.drain(at..end)),
                _ => {
                    let copy = bytes[at..end].to_vec();
                    let to = to.index(bytes.len());
                    drop(bytes.splice(to..to, copy));
                }
            }
            if bytes.is_empty() {
                break;
            }
        }
        if let Ok(document) = cda::read(&bytes, SITE) {
            prop_assert!(document.text.len() <= bytes.len() * 4);
        }
    }
}
