//! What the feed promises, read back from its files and its pages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::case::{Case, Kind, Side};
use super::documents::{Document, DocumentKind, grammar, plan, write};
use super::random::Random;
use super::words::Words;
use super::*;
use crate::hospital::grammar::Fields;

const FILES: [&str; 4] = ["Patient.ndjson", "Encounter.ndjson.gz", "DocumentReference.ndjson", "Binary.ndjson.gz"];

fn lines(folder: &Path, name: &str) -> Vec<String> {
    let bytes = fs::read(folder.join(name)).unwrap();
    let mut text = String::new();
    if name.ends_with(".gz") {
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    text.lines().map(str::to_owned).collect()
}

/// Pages of the first dossiers, raw.
fn pages() -> impl Iterator<Item = (Case, Document, String)> {
    (0..400).flat_map(|index| {
        let case = Case::draw(grammar(), 11, index);
        let documents = plan(&case, &mut Random::new(11, index as u64));
        documents.into_iter().map(move |document| {
            let page = write(&case, &document, &mut Random::new(11, (index * 10 + document.number) as u64));
            (case.clone(), document, page)
        })
    })
}

/// Numbers that follow a word in a page.
fn numbers_after(page: &str, word: &str) -> Vec<i64> {
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    page.match_indices(word).filter_map(|(place, _)| digits(&page[place + word.len()..])).collect()
}

#[test]
fn every_name_in_the_grammar_is_known() {
    let case = Case::draw(grammar(), 1, 1);
    let document = plan(&case, &mut Random::new(1, 1)).remove(0);
    let words = Words { case: &case, document: &document };
    let (rules, names, flags, lists) = grammar().mentions();
    let rules: BTreeSet<&str> = rules.into_iter().collect();
    let field = |name: &str| words.field(name, &mut String::new());
    for name in &names {
        assert!(rules.contains(name) || field(name), "{name} is neither a rule nor a field");
    }
    for rule in &rules {
        assert!(!field(rule), "{rule} is both a rule and a field");
    }
    for flag in &flags {
        assert!(words.flag(flag).is_some() || words.list(flag).is_some(), "no flag {flag}");
    }
    for list in &lists {
        assert!(words.list(list).is_some(), "no list {list}");
    }
    assert!(names.len() > 300 && rules.len() > 80, "{} names, {} rules", names.len(), rules.len());
}

#[test]
fn every_rule_of_a_list_exists() {
    let rules: BTreeSet<&str> = grammar().mentions().0.into_iter().collect();
    for (case, document, _) in pages() {
        let words = Words { case: &case, document: &document };
        for list in ["background", "absent", "home_drugs", "discharge_drugs", "signs", "signs_left", "complications"] {
            for rule in words.list(list).unwrap() {
                assert!(rules.contains(rule), "{rule}");
            }
        }
    }
}

#[test]
fn the_feed_is_the_same_twice_and_another_with_another_seed() {
    let folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let summaries: Vec<Summary> =
        folders.iter().zip([5, 5, 6]).map(|(folder, seed)| write_feed(folder.path(), 12, seed).unwrap()).collect();
    assert_eq!(summaries[0], summaries[1]);
    for name in FILES {
        let read = |n: usize| fs::read(folders[n].path().join(name)).unwrap();
        assert!(read(0) == read(1) && read(0) != read(2), "{name}");
    }
}

#[test]
fn lines_are_json_and_counts_are_true() {
    for patients in [0, 1, 2, 60] {
        let folder = tempfile::tempdir().unwrap();
        let summary = write_feed(folder.path(), patients, 3).unwrap();
        let mut bad = 0;
        let mut resources: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for name in FILES {
            for line in lines(folder.path(), name) {
                match serde_json::from_str::<Value>(&line) {
                    Ok(value) => resources.entry(value["resourceType"].as_str().unwrap().to_owned()).or_default().push(value),
                    Err(_) => bad += 1,
                }
            }
        }
        assert_eq!(bad, summary.broken_lines);
        assert_eq!(summary.broken_lines, patients.min(1));
        let of = |kind: &str| resources.get(kind).map_or(&[][..], Vec::as_slice);
        assert_eq!((of("Patient").len(), of("Encounter").len()), (patients, patients));
        let documents = of("DocumentReference");
        let withdrawn = documents.iter().filter(|d| d["status"] == "entered-in-error").count();
        let ids: BTreeSet<&str> = documents.iter().filter_map(|d| d["id"].as_str()).collect();
        assert_eq!((withdrawn, ids.len()), (summary.withdrawn, summary.documents + summary.withdrawn));
        assert_eq!(documents.len(), summary.documents + summary.corrections + 2 * summary.withdrawn);
        assert!(patients == 0 || (summary.corrections > 0 && summary.withdrawn == 1));
    }
}

#[test]
fn references_lead_somewhere_and_every_text_decodes() {
    let folder = tempfile::tempdir().unwrap();
    write_feed(folder.path(), 80, 4).unwrap();
    let all: Vec<Value> = FILES.iter().flat_map(|name| lines(folder.path(), name)).filter_map(|l| serde_json::from_str(&l).ok()).collect();
    let known: BTreeMap<String, &Value> =
        all.iter().map(|r| (format!("{}/{}", r["resourceType"].as_str().unwrap(), r["id"].as_str().unwrap()), r)).collect();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for document in all.iter().filter(|r| r["resourceType"] == "DocumentReference") {
        assert!(known.contains_key(document["subject"]["reference"].as_str().unwrap()));
        if let Some(encounter) = document["context"]["encounter"][0]["reference"].as_str() {
            assert!(known.contains_key(encounter));
        }
        let attachment = &document["content"][0]["attachment"];
        let kind = attachment["contentType"].as_str().unwrap();
        let (data, place) = match attachment["url"].as_str() {
            Some(url) => {
                assert_eq!(known[url]["contentType"], kind);
                (&known[url]["data"], "binary")
            }
            None => (&attachment["data"], "inline"),
        };
        let bytes = STANDARD.decode(data.as_str().unwrap()).unwrap();
        let single = kind.contains("8859") || kind.contains("1252");
        assert!(bytes.len() > 200 && (single || std::str::from_utf8(&bytes).is_ok()), "{kind}");
        *kinds.entry(kind.to_owned()).or_default() += 1;
        *kinds.entry(place.to_owned()).or_default() += 1;
    }
    assert_eq!(kinds.len(), 7, "{kinds:?}");
}

#[test]
fn dossiers_have_three_to_six_documents_in_order() {
    let mut dossiers: BTreeMap<usize, Vec<Document>> = BTreeMap::new();
    let mut kinds = BTreeSet::new();
    for (case, document, _) in pages() {
        kinds.insert(document.kind.code().0);
        dossiers.entry(case.index).or_default().push(document);
    }
    for documents in dossiers.values() {
        assert!((3..=6).contains(&documents.len()), "{documents:?}");
        assert!(documents.is_sorted_by(|a, b| a.time < b.time && a.number < b.number));
        assert!(documents.iter().any(|d| d.kind == DocumentKind::Discharge));
    }
    assert_eq!(kinds.len(), 7);
}

#[test]
fn pages_have_no_leftovers_and_no_gaps() {
    let mut seen = BTreeSet::new();
    for (case, _, page) in pages() {
        for sign in
            ["{", "}", "[", "]", "|", "~", "\\", " .", " ,", "..", ": .", "- \n", "()", "( ", "du épouse", " le hé", " de hé", " un une "]
        {
            assert!(!page.contains(sign), "{sign:?} in a page of {}: {page}", case.index);
        }
        assert!(page.len() > 250, "{page}");
        assert!(seen.insert(page), "two pages are the same");
    }
    assert!(seen.len() > 1200);
}

#[test]
fn age_birth_and_sex_are_those_of_the_patient() {
    let mut checked = 0;
    for (case, document, page) in pages() {
        for (place, _) in page.match_indices(" ans") {
            let (before, age) = page[..place].rsplit_once([' ', '(']).unwrap();
            // Relatives are aged "à 74 ans".
            if before.ends_with(" à") || before.ends_with("dans 9") || age.len() != 2 {
                continue;
            }
            let ages = [case.age(), case.person.age_on(document.time.date())].map(|a| a.to_string());
            assert!(ages.iter().any(|a| a == age), "{age}: {page}");
            checked += 1;
        }
        let other = if case.person.female {
            [" né le", "un patient ", "âgé de", "hospitalisé dans"]
        } else {
            [" née le", "une patiente ", "âgée de", "hospitalisée dans"]
        };
        assert!(other.iter().all(|w| !page.contains(w)), "{page}");
    }
    assert!(checked > 900, "{checked}");
}

#[test]
fn sides_agree() {
    let mut checked = 0;
    for (case, _, page) in pages() {
        let (lesion, deficit) = (case.side, case.side.other());
        let word = |side: Side, feminine: bool| match (side, feminine) {
            (Side::Left, _) => "gauche",
            (_, true) => "droite",
            (_, false) => "droit",
        };
        let wrong = |start: &str, side: Side, feminine: bool| format!("{start} {}", word(side.other(), feminine));
        for (start, feminine) in
            [("hémiplégie", true), ("hémiparésie", true), ("hémicorps", false), ("PFC", true), ("main", true), ("HLH", true)]
        {
            assert!(!page.contains(&wrong(start, deficit, feminine)), "{page}");
            checked += usize::from(page.contains(&format!("{start} {}", word(deficit, feminine))));
        }
        for (start, feminine) in [("sylvien", false), ("M1", true), ("M2", true), ("moyenne", true), ("profond", false), ("interne", true)]
        {
            assert!(!page.contains(&wrong(start, lesion, feminine)), "{page}");
            checked += usize::from(page.contains(&format!("{start} {}", word(lesion, feminine))));
        }
    }
    assert!(checked > 1500, "{checked}");
}

#[test]
fn scores_are_those_of_the_case() {
    let mut checked = 0;
    for (case, _, page) in pages() {
        let scores = [case.nihss, case.nihss_day, case.nihss_discharge];
        for found in ["NIHSS ", "NIHSS à ", "NIHSS : ", "NIHSS H24 = ", "NIHSS initial "].iter().flat_map(|w| numbers_after(&page, w)) {
            assert!(scores.contains(&found), "{found} is not of {scores:?}: {page}");
            checked += 1;
        }
        for found in ["mRS de sortie ", "Score de Rankin modifié à "].iter().flat_map(|w| numbers_after(&page, w)) {
            // "Score de Rankin modifié à 3 mois : 2" counts months first.
            assert!(found == case.rankin_discharge || page.contains("modifié à 3 mois"), "{page}");
            checked += 1;
        }
        for found in ["mTICI ", "TICI "].iter().flat_map(|w| numbers_after(&page, w)) {
            assert_eq!(Some(found), case.thrombectomy.as_ref().and_then(|t| t.mtici[..1].parse().ok()), "{page}");
            checked += 1;
        }
    }
    assert!(checked > 1200, "{checked}");
}

#[test]
fn treatments_are_told_only_where_given() {
    let (mut lysed, mut pulled, mut ended) = (0, 0, 0);
    for (case, document, page) in pages() {
        let low = page.to_lowercase();
        let agent = |words: [&str; 3]| words.iter().any(|w| low.contains(w));
        let (alteplase, tenecteplase) = (agent(["altéplase", "actilyse", "rt-pa"]), agent(["ténectéplase", "metalyse", "tnk"]));
        assert!(!alteplase || (case.thrombolysis.is_some() && !case.tenecteplase), "{page}");
        assert!(!tenecteplase || (case.thrombolysis.is_some() && case.tenecteplase), "{page}");
        lysed += usize::from(alteplase || tenecteplase);
        assert!(case.thrombectomy.is_some() || !(low.contains("ponction") || low.contains("tici")), "{page}");
        pulled += usize::from(low.contains("tici"));
        let death = low.contains("décès") || low.contains("est décédé");
        assert!(!death || (case.destination == case::Destination::Death && document.kind == DocumentKind::Discharge), "{page}");
        ended += usize::from(death);
        assert!(case.kind == Kind::Hemorrhage || !low.contains("hématome intra") && !low.contains("hématome lobaire"), "{page}");
    }
    assert!(lysed > 60 && pulled > 60 && ended > 3, "{lysed} {pulled} {ended}");
}

#[test]
fn absent_conditions_are_never_among_the_known_ones() {
    for (case, document, _) in pages() {
        let words = Words { case: &case, document: &document };
        let known: Vec<&str> = words.list("background").unwrap().iter().filter_map(|r| r.strip_prefix("hx_")).collect();
        for absent in words.list("absent").unwrap() {
            let name = absent.strip_prefix("no_").unwrap();
            assert!(!known.contains(&name), "{name}");
            assert!(name != "tobacco" || !(known.contains(&"smoker") || known.contains(&"ex_smoker")));
        }
    }
}

#[test]
fn doses_are_the_same_in_every_document_of_a_dossier() {
    let mut doses: BTreeMap<(usize, &str), BTreeSet<i64>> = BTreeMap::new();
    for (case, _, page) in pages() {
        for (drug, names) in
            [("amlodipine", ["amlodipine ", "Amlor ", "AMLOR "]), ("bisoprolol", ["bisoprolol ", "Cardensiel ", "CARDENSIEL "])]
        {
            doses.entry((case.index, drug)).or_default().extend(names.iter().flat_map(|n| numbers_after(&page, n)));
        }
    }
    assert!(doses.values().all(|d| d.len() < 2), "{doses:?}");
    assert!(doses.values().filter(|d| !d.is_empty()).count() > 100);
}
