//! An invented record, and sentences that write it in every way.

use chrono::NaiveDate;
use proptest::prelude::*;
use sillage_clinical::analysis::Analysis;
use sillage_clinical::knowledge::Knowledge;

use super::{distance, record};
use crate::identity::Identity;
use crate::name::page::Page;
use crate::{Label, Person};

fn person(families: &[&str], givens: &[&str]) -> Person {
    let owned = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
    Person {
        families: owned(families),
        givens: owned(givens),
        birth_date: NaiveDate::from_ymd_opt(1939, 10, 7),
        female: Some(true),
        lines: owned(&["12 bis avenue du Général Malestroit"]),
        postal_codes: owned(&["37961"]),
        cities: owned(&["Saint-Ouvran-sur-Leff"]),
        phones: owned(&["02 47 90 13 66"]),
        mails: owned(&["jo.tregonan@poste.example"]),
        identifiers: vec![
            (Label::Ipp, "715802946".to_owned()),
            (Label::Secu, "239103723105842".to_owned()),
            (Label::Nda, "H23-4417052".to_owned()),
        ],
    }
}

fn found(person: &Person, text: &str) -> Vec<String> {
    let analysis = Analysis::new(Knowledge::built_in(), text, None);
    let spans = record(&Page::new(&Identity::built_in().names, &analysis), person);
    assert!(spans.windows(2).all(|w| w[0].end <= w[1].start), "ascending and disjoint");
    spans.iter().map(|s| format!("{}:{}", s.label.name(), &text[s.start..s.end])).collect()
}

fn check(person: &Person, cases: &[(&str, &[&str])]) {
    let wrong: Vec<_> = cases.iter().map(|(t, e)| (t, found(person, t), e)).filter(|(_, f, e)| f != *e).collect();
    assert!(wrong.is_empty(), "text, found, expected: {wrong:#?}");
}

#[test]
fn distances() {
    assert_eq!(distance("kermarrec", "kermarec", 1), Some(1));
    assert_eq!(distance("martin", "matrin", 1), Some(1));
    assert_eq!(distance("martin", "martin", 1), Some(0));
    assert_eq!(distance("martin", "morten", 1), None);
    assert_eq!(distance("", "ab", 2), Some(2));
}

#[test]
fn names_as_people_write_them() {
    let yvonne = person(&["TRÉGONAN", "LE FLOHIC"], &["Josette", "Marie-Paule"]);
    check(
        &yvonne,
        &[
            ("Mme TREGONAN sort.", &["NOM:TREGONAN"]),
            ("Mme Trégonnan sort.", &["NOM:Trégonnan"]),
            ("Mme Trégnoan sort.", &["NOM:Trégnoan"]),
            ("tregonan josette, 77 ans", &["NOM:tregonan", "PRENOM:josette"]),
            ("Josette TREGONAN", &["PRENOM:Josette", "NOM:TREGONAN"]),
            ("J. Trégonan dort", &["PRENOM:J.", "NOM:Trégonan"]),
            ("TREGONAN J. dort", &["NOM:TREGONAN", "PRENOM:J."]),
            ("Mme TRE-\nGONAN dort", &["NOM:TRE-\nGONAN"]),
            ("née LE FLOHIC", &["NOM:LE FLOHIC"]),
            ("née LEFLOHIC", &["NOM:LEFLOHIC"]),
            ("née Flohic", &["NOM:Flohic"]),
            ("MARIEPAULE dort", &["PRENOM:MARIEPAULE"]),
            ("Marie Paule dort", &["PRENOM:Marie Paule"]),
            ("TREGONANJOSETTE.pdf", &["NOM:TREGONANJOSETTE"]),
            ("T R E G O N A N", &["NOM:T R E G O N A N"]),
            ("TREGONAN_Josette_IRM", &["NOM:TREGONAN", "PRENOM:Josette"]),
            ("Mme TREGO. dort", &["NOM:TREGO"]),
            ("Le trépan est prêt.", &[]),
        ],
    );
}

#[test]
fn a_name_that_is_a_word_needs_more() {
    let petit = person(&["PETIT"], &["Rose"]);
    check(
        &petit,
        &[
            ("Un petit infarctus. Petit saignement. Une plaque rose.", &[]),
            ("Mme Petit marche. mme petit dort.", &["NOM:Petit", "NOM:petit"]),
            ("petit rose, 77 ans", &["NOM:petit", "PRENOM:rose"]),
            ("PETIT, vue ce jour, va bien.", &["NOM:PETIT"]),
            ("R. PETIT va bien", &["PRENOM:R.", "NOM:PETIT"]),
        ],
    );
    check(
        &petit,
        &[
            ("PATIENT : PETIT (NEE VAUTRIN) LE 12", &["NOM:PETIT"]),
            ("APPELANT : BELLE-FILLE, MME ODILE PETIT, RAPPELLERA. UN PETIT INFARCTUS", &["NOM:PETIT"]),
            ("FILS PETIT PREVENU, PETIT SAIGNEMENT", &["NOM:PETIT"]),
        ],
    );
    check(&person(&["GAUCHE"], &["Rose"]), &[("Le bras GAUCHE tombe, Mme GAUCHE dort.", &["NOM:GAUCHE", "NOM:GAUCHE"])]);
    // The record claims what medicine would otherwise keep.
    check(&person(&["PARKINSON"], &["Jean"]), &[("Maladie de Parkinson. Mme Parkinson dort.", &["NOM:Parkinson"])]);
}

#[test]
fn the_birth_date() {
    let yvonne = person(&["TRÉGONAN"], &["Josette"]);
    for form in [
        "07/10/1939",
        "07.10.39",
        "7-10-1939",
        "07 10 1939",
        "1939-10-07",
        "19391007",
        "07101939",
        "7 octobre 1939",
        "07 OCTOBRE 39",
        "sept octobre mille neuf cent trente-neuf",
        "10/07/1939",
        "7octobre1939",
        "7 oct 1939",
        "octobre 1939",
    ] {
        let text = format!("Née le {form}, droitière.");
        assert_eq!(found(&yvonne, &text), [format!("DATE_NAISSANCE:{form}")], "{text}");
    }
    check(&yvonne, &[("Né le 08/10/1939. TA 07/10. Reçue le 7 octobre 2024, appel 07 10 39 55 12.", &[])]);
}

#[test]
fn numbers_with_whatever_stands_between() {
    let yvonne = person(&["TRÉGONAN"], &["Josette"]);
    for (form, label) in [
        ("02 47 90 13 66", "TEL"),
        ("0247901366", "TEL"),
        ("02.47.90.13.66", "TEL"),
        ("+33 2 47 90 13 66", "TEL"),
        ("+33247901366", "TEL"),
        ("0033 2 47 90 13 66", "TEL"),
        ("+33 (0)2 47 90 13 66", "TEL"),
        ("2 47 90 13 66", "TEL"),
        ("02-47-90-13-66", "TEL"),
        ("02 47 90\n13 66", "TEL"),
        ("715802946", "IPP"),
        ("715 802 946", "IPP"),
        ("2 39 10 37 231 058 42", "SECU"),
        ("2391037231058", "SECU"),
        ("2 39 10 37 231 058", "SECU"),
        ("H23-4417052", "NDA"),
        ("H234417052", "NDA"),
        ("h23.4417052", "NDA"),
        ("jo.tregonan@poste.example", "MAIL"),
        ("JO.TREGONAN@POSTE.EXAMPLE", "MAIL"),
        ("jo.tregonan @ poste.example", "MAIL"),
        ("37961", "ZIP"),
        ("37 961", "ZIP"),
    ] {
        let text = format!("Voir {form} ce jour.");
        assert_eq!(found(&yvonne, &text), [format!("{label}:{form}")], "{text}");
    }
    check(&yvonne, &[("TA 122/74, 715 mL, 37,961 g, plaquettes 379 G/L.", &[])]);
}

#[test]
fn the_address() {
    let yvonne = person(&["TRÉGONAN"], &["Josette"]);
    check(
        &yvonne,
        &[
            ("Vit 12 bis avenue du Général Malestroit, seule.", &["ADRESSE:12 bis avenue du Général Malestroit"]),
            ("Vit 12b av. du Gal Malestroit, seule.", &["ADRESSE:12b av. du Gal Malestroit"]),
            ("Vit avenue Malestroit.", &["ADRESSE:avenue Malestroit"]),
            ("Vit 12 AV GENERAL MALESTROIT", &["ADRESSE:12 AV GENERAL MALESTROIT"]),
            ("Retourne à Saint-Ouvran-sur-Leff.", &["VILLE:Saint-Ouvran-sur-Leff"]),
            ("Retourne à St Ouvran sur Leff.", &["VILLE:St Ouvran sur Leff"]),
            ("SAINT OUVRAN S/ LEFF", &["VILLE:SAINT OUVRAN S/ LEFF"]),
            ("Retourne à St-Ouvran.", &["VILLE:St-Ouvran"]),
            ("L'état général est bon, avenue du traitement.", &[]),
        ],
    );
}

#[test]
fn a_town_that_reads_like_a_bone() {
    let yvonne = Person { cities: vec!["Péronne".to_owned()], ..person(&["TRÉGONAN"], &["Josette"]) };
    check(
        &yvonne,
        &[
            ("Copie : Dr Lenig DOBREVEL (Péronne), Dr KERVAL", &["VILLE:Péronne"]),
            ("Vit à Péronne.", &["VILLE:Péronne"]),
            ("Fracture du péroné en 2012.", &[]),
        ],
    );
    let island = Person { cities: vec!["Île-de-Sacrum".to_owned()], ..person(&["TRÉGONAN"], &["Josette"]) };
    check(
        &island,
        &[
            (
                "Médecin de Sacrum, retour à Sacrum par le bateau, l'Île de Sacrum.",
                &["VILLE:Sacrum", "VILLE:Sacrum", "VILLE:Île de Sacrum"],
            ),
            ("Escarre du sacrum.", &[]),
        ],
    );
}

proptest! {
    #[test]
    fn any_text_is_read(text in "(Tr[eé]|gonan|PETIT|Yv|onne|[-.,/' \\n]|02|47|90|13|66|1939|octobre|07|10|av|Malestroit|St|Leff|Œ){0,40}") {
        let analysis = Analysis::new(Knowledge::built_in(), &text, None);
        let mut last = 0;
        for span in record(&Page::new(&Identity::built_in().names, &analysis), &person(&["TRÉGONAN", "PETIT"], &["Josette"])) {
            prop_assert!(span.start >= last && span.end > span.start);
            prop_assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
            last = span.end;
        }
    }

    #[test]
    fn distance_is_symmetric(a in "[a-c]{0,8}", b in "[a-c]{0,8}") {
        prop_assert_eq!(distance(&a, &b, 2), distance(&b, &a, 2));
    }
}
