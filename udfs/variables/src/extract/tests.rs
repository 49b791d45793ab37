//! Sentences and what a few declarations make of them.

use chrono::{NaiveDate, NaiveDateTime};
use sillage_clinical::analysis::Analysis;
use sillage_clinical::knowledge::Knowledge;

use super::extract;
use crate::definition::{Definitions, Outcome};
use crate::{Anchor, Facts, Finding, Value};

const DECLARED: &str = r#"
[[variable]]
name = "nihss"
type = "int"
domain = [0, 42]
anchors = { admission = 1.0, prehospital = 0.5, "24h" = 1.0, stay = 1.0, discharge = 1.0, later = 1.0, "3_months" = 1.0, history = 1.0 }
[[variable.rule]]
measurement = "nihss"
[[variable.rule]]
grid = ["conscience", "regard", "champ visuel", "paralysie faciale", "bras gauche", "bras droit", "jambe gauche", "jambe droite"]
at_least = 4
total = "nihss"

[[variable]]
name = "mrs"
type = "int"
domain = [0, 6]
anchors = "any"
[[variable.rule]]
measurement = "mrs"

[[variable]]
name = "bolus"
type = "datetime"
[[variable.rule]]
events = ["bolus", "thrombolyse"]

[[variable]]
name = "puncture"
type = "datetime"
[[variable.rule]]
events = ["ponction"]

[[variable]]
name = "thrombolysis"
type = "bool"
[[variable.rule]]
phrases = ["thrombolyse", "thrombolysé(e)"]

[[variable]]
name = "side"
type = "category"
values = ["left", "right"]
[[variable.rule]]
value = "left"
phrases = ["sylvien gauche"]
[[variable.rule]]
value = "right"
phrases = ["sylvien droit"]
unless = ["ancien infarctus"]

[[variable]]
name = "statin"
type = "bool"
anchors = "any"
[[variable.rule]]
concepts = ["atc:C10AA"]
historical = "only"

[[variable]]
name = "sbp"
type = "float"
unit = "mm[Hg]"
[[variable.rule]]
measurement = "systolic_blood_pressure"

[[variable]]
name = "grade"
type = "category"
values = ["0", "1", "2a", "2b", "2c", "3"]
[[variable.rule]]
measurement = "mtici"

[[variable]]
name = "clot_length_mm"
type = "float"
unit = "mm"
units = [{ forms = ["mm"], factor = 1.0 }, { forms = ["cm"], factor = 10.0 }]
domain = [0, 100]
[[variable.rule]]
names = ["longueur du [thrombus/caillot]"]
"#;

fn definitions() -> Definitions {
    match Definitions::new(Knowledge::built_in(), &[("test", DECLARED)]) {
        Ok(definitions) => definitions,
        Err(error) => panic!("{error}"),
    }
}

fn at(day: u32, hour: u32, minute: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2031, 4, day).and_then(|d| d.and_hms_opt(hour, minute, 0)).unwrap_or_default()
}

fn found(type_code: &str, text: &str) -> Vec<Finding> {
    let facts = Facts { type_code: Some(type_code), time: Some(at(9, 14, 0)), ..Facts::default() };
    let analysis = Analysis::new(Knowledge::built_in(), text, facts.time).with_type(facts.type_code);
    extract(&definitions(), &analysis, &facts)
}

const EMERGENCY: &str = "34111-5";
const DISCHARGE: &str = "11490-0";
const REHABILITATION: &str = "34745-0";
const REFERRAL: &str = "34133-9";

#[test]
fn heads_of_columns_and_lists_say_the_moment() {
    let told = [(15.0, Anchor::Admission), (9.0, Anchor::Day1), (4.0, Anchor::Discharge)];
    assert_eq!(numbers("nihss", DISCHARGE, "Scores. NIHSS entrée/H24/sortie : 15/9/4"), told);
    assert_eq!(numbers("nihss", DISCHARGE, "NIHSS (arrivée - J1 - sortie) 15 - 9 - 4"), told);
    assert_eq!(numbers("nihss", DISCHARGE, "Score | Entrée | 24 h | Sortie\nGlasgow | 14 | 15 | 15\nNIHSS | 15 | 9 | 4\n"), told);
    let wide = "SCORES   SMUR 10:40   ENTRÉE 11:20   13:00\nNIHSS   17   15   12\n";
    assert_eq!(numbers("nihss", EMERGENCY, wide), [(17.0, Anchor::Stay), (15.0, Anchor::Admission)]);
    // One head and one value less: nobody knows which is which.
    assert_eq!(numbers("nihss", DISCHARGE, "Score | Entrée | H24 | Sortie\nNIHSS | 15 | 4\n").len(), 1);
}

#[test]
fn the_end_of_a_stay_is_a_finding() {
    let text = "Elle a été hospitalisée du 2 au 8 avril 2031 pour un AVC.";
    let declared = Definitions::built_in();
    let facts = Facts { type_code: Some(DISCHARGE), time: Some(at(9, 14, 0)), ..Facts::default() };
    let analysis = Analysis::new(Knowledge::built_in(), text, facts.time).with_type(facts.type_code);
    let found = extract(declared, &analysis, &facts);
    let end = found.iter().find(|f| f.variable == "discharge_datetime").unwrap();
    assert_eq!(end.value, Value::DateTime(at(8, 0, 0)));
    assert_eq!(&text[end.start..end.end], "2 au 8 avril 2031");
}

/// Values of a variable with their anchors.
fn numbers(variable: &str, type_code: &str, text: &str) -> Vec<(f64, Anchor)> {
    let mut values: Vec<_> = found(type_code, text)
        .iter()
        .filter(|f| f.variable == variable)
        .filter_map(|f| match f.value {
            Value::Number(n) => Some((n, f.anchor)),
            _ => None,
        })
        .collect();
    values.dedup();
    values
}

fn times(variable: &str, type_code: &str, text: &str) -> Vec<NaiveDateTime> {
    let found = found(type_code, text);
    let times = found.iter().filter(|f| f.variable == variable).filter_map(|f| match f.value {
        Value::DateTime(time) => Some(time),
        _ => None,
    });
    times.collect()
}

/// Variable, type of the document, text, values with their anchors.
type Case = (&'static str, &'static str, &'static str, &'static [(f64, Anchor)]);

#[test]
fn scores_belong_to_their_moment() {
    use Anchor::{Admission, Day1, Discharge, History, PreStroke, Stay};
    let cases: &[Case] = &[
        ("nihss", DISCHARGE, "NIHSS à 13 à l'arrivée, 9 à H24 et 4 à la sortie.", &[(13.0, Admission), (9.0, Day1), (4.0, Discharge)]),
        ("nihss", DISCHARGE, "NIHSS entrée 13 H24 9 sortie 4", &[(13.0, Admission), (9.0, Day1), (4.0, Discharge)]),
        ("nihss", DISCHARGE, "Le score NIHSS initial était à treize.", &[(13.0, Admission)]),
        ("nihss", DISCHARGE, "NIHSS à 13 à l'entrée puis à 6 le jour du départ.", &[(13.0, Admission), (6.0, Discharge)]),
        ("nihss", EMERGENCY, "NIHSS 13.", &[(13.0, Admission)]),
        ("nihss", EMERGENCY, "NIHSS 13 puis 8 au scanner.", &[(13.0, Admission), (8.0, Stay)]),
        ("nihss", EMERGENCY, "Antécédents : AVC en 2024 avec NIHSS 3.", &[(3.0, History)]),
        ("nihss", REFERRAL, "NIHSS 13 au cabinet.", &[(13.0, Stay)]),
        ("nihss", REHABILITATION, "À l'entrée, NIHSS 7.", &[(7.0, Stay)]),
        ("nihss", DISCHARGE, "À la sortie :\nmarche avec une canne. NIHSS 3.", &[(3.0, Discharge)]),
        ("mrs", EMERGENCY, "Rankin antérieur à 1.", &[(1.0, PreStroke)]),
        ("mrs", DISCHARGE, "mRS 1 avant l'AVC, 3 à la sortie.", &[(1.0, PreStroke), (3.0, Discharge)]),
        ("nihss", EMERGENCY, "Conscience 0\nRegard 1\nParalysie faciale 2\nBras gauche 3\nJambe gauche 2", &[(8.0, Admission)]),
    ];
    for (variable, type_code, text, expected) in cases {
        assert_eq!(numbers(variable, type_code, text), *expected, "{text}");
    }
}

#[test]
fn a_drug_that_was_taken_out_heads_nothing() {
    assert_eq!(numbers("nihss", "34111-5", "Valium sorti mais non injecté, calme.\nNIHSS 9"), [(9.0, Anchor::Admission)]);
}

#[test]
fn a_value_that_was_read_again_is_a_correction() {
    let corrected = |text: &str| -> Vec<(Value, bool)> {
        let findings = found("11490-0", text).into_iter().filter(|f| f.variable == "nihss");
        findings.map(|f| (f.value.clone(), f.method.contains("+corrects"))).collect()
    };
    let expected = |first: f64, second: f64| vec![(Value::Number(first), false), (Value::Number(second), true)];
    for text in [
        "NIHSS à 9, ramené à 7 après double lecture.",
        "NIHSS 9 aux urgences, requalifié en 7.",
        "NIHSS 9, rectifié à 7.",
        "Le NIHSS coté 9 doit se lire 7.",
    ] {
        assert_eq!(corrected(text), expected(9.0, 7.0), "{text}");
    }
    assert_eq!(corrected("NIHSS 9, ramené à 7 h de chez lui.").len(), 1);
}

#[test]
fn clock_times_find_their_day() {
    for (type_code, text, expected) in [
        (EMERGENCY, "Bolus à 13h05.", at(9, 13, 5)),
        (EMERGENCY, "13h05 : bolus", at(9, 13, 5)),
        (EMERGENCY, "Bolus à 22 h 40.", at(8, 22, 40)),
        (EMERGENCY, "Bolus la veille à 22h40.", at(8, 22, 40)),
        (EMERGENCY, "Bolus à minuit dix.", at(9, 0, 10)),
        (DISCHARGE, "Hospitalisation du 02/04/2031 au 09/04/2031.\nBolus à 13h05.", at(2, 13, 5)),
        (DISCHARGE, "Hospitalisation du 02/04/2031 au 09/04/2031.\nLe 3 avril, scanner. Bolus à 1h05.", at(3, 1, 5)),
        (EMERGENCY, "Bolus\n13:05", at(9, 13, 5)),
    ] {
        assert_eq!(times("bolus", type_code, text), [expected], "{text}");
    }
    let text = "Bolus à 12h10, ponction à 12h45.";
    assert_eq!((times("bolus", EMERGENCY, text), times("puncture", EMERGENCY, text)), (vec![at(9, 12, 10)], vec![at(9, 12, 45)]));
    let text = "12h10 : bolus ; 12h45 : ponction.";
    assert_eq!((times("bolus", EMERGENCY, text), times("puncture", EMERGENCY, text)), (vec![at(9, 12, 10)], vec![at(9, 12, 45)]));
}

#[test]
fn treatments_not_given_are_false_and_planned_ones_nothing() {
    for (text, expected) in [
        ("Thrombolyse réalisée.", Some(true)),
        ("Pas de thrombolyse.", Some(false)),
        ("Thrombolyse récusée devant le délai.", Some(false)),
        ("Thrombolyse contre-indiquée.", Some(false)),
        ("Son père a été thrombolysé.", None),
    ] {
        let values: Vec<Value> = found(EMERGENCY, text).into_iter().filter(|f| f.variable == "thrombolysis").map(|f| f.value).collect();
        assert_eq!(values, expected.map(Value::Boolean).into_iter().collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn conditions_and_home_drugs() {
    let has = |variable: &str, text: &str| found(EMERGENCY, text).iter().any(|f| f.variable == variable);
    assert!(has("side", "Infarctus sylvien droit."));
    assert!(!has("side", "Ancien infarctus sylvien droit."));
    assert!(has("statin", "Traitement habituel : atorvastatine 40"));
    assert!(!has("statin", "Atorvastatine débutée ce jour."));
}

#[test]
fn columns_and_units() {
    let text = "Heure TA FC Sat\n14:10 167/92 81 96 %\n14:25 151/88 79 97 %";
    let values: Vec<f64> = numbers("sbp", EMERGENCY, text).into_iter().map(|(n, _)| n).collect();
    assert_eq!(values, [167.0, 151.0]);
    assert_eq!(numbers("clot_length_mm", EMERGENCY, "Longueur du thrombus estimée à 1,2 cm."), [(12.0, Anchor::Admission)]);
    assert!(numbers("clot_length_mm", EMERGENCY, "Longueur du thrombus : 12 %.").is_empty());
    assert!(numbers("sbp", EMERGENCY, "NDA 24-5-107733 TA ce jour non prise").is_empty());
    let grades: Vec<Value> = found(EMERGENCY, "Reperfusion TICI IIb.").into_iter().map(|f| f.value).collect();
    assert_eq!(grades, [Value::Category("2b".into())]);
}

#[test]
fn explanations_tell_why() {
    let definitions = definitions();
    let attempts = definitions.explain(Knowledge::built_in(), "Ancien infarctus sylvien droit.", &Facts::default());
    let side = attempts.iter().find(|a| a.variable == "side").map(|a| a.outcome.clone());
    assert_eq!(side, Some(Outcome::Refused("a word of `unless` stands near")));
}

fn said(text: &str, variable: &str, type_code: &str) -> Vec<Value> {
    let time = NaiveDate::from_ymd_opt(2031, 4, 9).and_then(|d| d.and_hms_opt(16, 0, 0));
    let analysis = Analysis::new(Knowledge::built_in(), text, time);
    let facts = Facts { type_code: Some(type_code), time, ..Facts::default() };
    let found = extract(Definitions::built_in(), &analysis, &facts);
    found.into_iter().filter(|f| f.variable == variable).map(|f| f.value).collect()
}

#[test]
fn of_options_the_ticked_one_is_the_value() {
    let number = |n: f64| vec![Value::Number(n)];
    for text in [
        "Rankin antérieur : [ ] 0 [x] 1 [ ] 2 [ ] 3",
        "mRS avant l'AVC  ☐ 0  ☒ 1  ☐ 2",
        "Rankin antérieur : 0 [ ] 1 [x] 2 [ ]",
        "Rankin antérieur : ( ) 0 (X) 1 ( ) 2",
    ] {
        assert_eq!(said(text, "mrs_pre_stroke", "34111-5"), number(1.0), "{text}");
    }
    let category = |name: &str| vec![Value::Category(name.to_owned().into())];
    assert_eq!(said("Agent : [ ] altéplase [x] ténectéplase", "thrombolytic_agent", "34111-5"), category("tenecteplase"));
    assert_eq!(
        said("Remaniement hémorragique au contrôle : ☐ HI1 ☒ HI2 ☐ PH1 ☐ PH2", "hemorrhagic_transformation", "11490-0").last(),
        category("hi2").last()
    );
}

#[test]
fn an_answer_decides_about_a_variable() {
    let bool = |b: bool| vec![Value::Boolean(b)];
    for (text, expected) in [
        ("Diabète [ ] oui [x] non", false),
        ("Diabète ☒ oui ☐ non", true),
        ("Diabète : Oui [ ] Non [X]", false),
        ("Diabète ...... non", false),
        ("☑ diabète ☐ asthme", true),
    ] {
        let mut values = said(text, "diabetes", "34111-5");
        values.dedup();
        assert_eq!(values, bool(expected), "{text}");
    }
    assert!(said("Asthme [x] oui [ ] non\nDiabète [ ] oui [ ] non", "diabetes", "34111-5").is_empty());
}

#[test]
fn a_threshold_of_a_checklist_is_no_value() {
    let text = "Contre-indications à la thrombolyse :\nNIHSS > 25 : non\nPAS > 185 mmHg : non\nINR > 1,7 : non\nGlycémie < 0,5 g/L : [ ] oui [x] non\nAOD < 48 h : non";
    for variable in ["nihss_admission", "sbp_admission", "inr", "glucose_admission", "iv_thrombolysis"] {
        assert_eq!(said(text, variable, "34111-5"), Vec::<Value>::new(), "{variable}");
    }
    assert_eq!(said("INR > 1,7 : non (INR 1,1)", "inr", "34111-5"), [Value::Number(1.1)]);
}

#[test]
fn what_an_empty_box_offers_is_no_condition() {
    let text = "Début des troubles : [x] heure connue : 11:20 (devant un collègue) [ ] inconnue [ ] au réveil";
    let day = NaiveDate::from_ymd_opt(2031, 4, 9).and_then(|d| d.and_hms_opt(11, 20, 0)).unwrap();
    assert_eq!(said(text, "onset_datetime", "34111-5").first(), Some(&Value::DateTime(day)));
}

#[test]
fn what_was_never_known_before_heads_no_line() {
    assert_eq!(said("- ECG : flutter, jamais connu avant.\n- Labo : INR 1,3", "inr", "34111-5"), [Value::Number(1.3)]);
}
