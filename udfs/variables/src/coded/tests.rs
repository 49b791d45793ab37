use sillage_schemas::coded::{Kind, Section};

use super::*;

const ADMISSION: &str = "1.2.250.1.213.1.1.1.15";
const DISCHARGE: &str = "1.2.250.1.213.1.1.1.17";

fn code(system: &str, code: &str) -> Code {
    Code { system: Some(system.into()), code: Some(code.into()), ..Code::default() }
}

fn stamp(at: &str, precision: Precision) -> Option<Stamp> {
    Some(Stamp { at: at.into(), precision, utc: false })
}

fn number(value: f64, unit: &str) -> Sent {
    Sent::Number { value, unit: (!unit.is_empty()).then(|| unit.to_owned()) }
}

fn observation(of: Code, values: Vec<Sent>) -> Entry {
    Entry { mood: Some("EVN".into()), code: Some(of), values, ..Entry::default() }
}

/// `variable value anchor` of what a document of that day states in one section.
fn read(template: &str, section: &str, entries: Vec<Entry>) -> Vec<String> {
    let sections = vec![Section { code: Some(section.into()), ..Section::default() }];
    let document = CodedDocument { templates: vec![template.into()], sections, entries };
    let time = NaiveDateTime::parse_from_str("2024-05-02T14:00:00", "%Y-%m-%dT%H:%M:%S").ok();
    let definitions = Definitions::built_in();
    let kind = definitions.document_types.of_code(template).unwrap_or("other");
    let facts = Facts { time, ..Facts::default() };
    let found = extract(definitions, &document, kind, &facts);
    let value = crate::resolve::canonical;
    found.iter().map(|f| format!("{} {} {}", f.variable, value(&f.value), f.anchor.name())).collect()
}

#[test]
fn the_tables_fit_the_definitions() {
    let mapping = Mapping::read().unwrap_or_else(|line| panic!("{line}"));
    assert!(mapping.lines.len() > 80);
    for line in &mapping.lines {
        let Some(definition) = Definitions::built_in().get(line.variable) else { panic!("no variable {}", line.variable) };
        let fits = match (line.take, definition.kind) {
            (Take::Number, Type::Integer | Type::Float) => definition.domain.is_some(),
            (Take::Present, Type::Boolean) | (Take::Start | Take::End, Type::DateTime) => true,
            (Take::Value, Type::Category) => definition.values.iter().any(|v| v == line.value),
            _ => false,
        };
        assert!(fits, "{line:?}");
        assert!(line.moment.is_none_or(|m| definition.anchors.of(Some(m.name())) > 0.0), "{line:?}");
    }
}

#[test]
fn a_number_is_a_value_of_the_definition_with_its_code() {
    let nihss = observation(code("LOINC", "72089-6"), vec![number(4.0, "")]);
    assert_eq!(read(ADMISSION, "70182-1", vec![nihss.clone()]), ["nihss_admission 4 admission"]);
    assert_eq!(read(DISCHARGE, "30954-2", vec![nihss.clone()]), ["nihss_discharge 4 discharge"]);
    let pressure = |value, unit| observation(code("LOINC", "8480-6"), vec![number(value, unit)]);
    assert_eq!(read(ADMISSION, "8716-3", vec![pressure(150.0, "mm[Hg]")]), ["sbp_admission 150 admission"]);
    assert_eq!(read(ADMISSION, "8716-3", vec![pressure(15.0, "cm[Hg]")]), ["sbp_admission 150 admission"]);
    let glucose = |code_: &str, value, unit| observation(code("LOINC", code_), vec![number(value, unit)]);
    assert_eq!(read(ADMISSION, "18719-5", vec![glucose("2345-7", 1.2, "g/L")]), ["glucose_admission 6.66 admission"]);
    assert_eq!(read(ADMISSION, "18719-5", vec![glucose("15074-8", 6.1, "mmol/L")]), ["glucose_admission 6.1 admission"]);
    for wrong in [
        Entry { negated: true, ..nihss.clone() },
        Entry { mood: Some("GOL".into()), ..nihss.clone() },
        Entry { status: Some("nullified".into()), ..nihss.clone() },
        observation(code("LOINC", "72089-6"), vec![number(43.0, "")]),
        observation(code("LOINC", "72089-6"), vec![number(4.5, "")]),
        observation(code("LOINC", "72089-6"), vec![Sent::Boolean(true)]),
        pressure(150.0, ""),
        pressure(150.0, "kg"),
        // The estimated mean glucose, whatever a sender calls it.
        glucose("27353-2", 6.0, "%"),
    ] {
        assert_eq!(read(ADMISSION, "70182-1", vec![wrong]), Vec::<String>::new());
    }
}

#[test]
fn a_value_of_another_time_is_not_of_the_moment_of_its_document() {
    let rankin = |start| Entry { start, ..observation(code("LOINC", "75859-9"), vec![number(1.0, "")]) };
    assert_eq!(read(ADMISSION, "75859-9", vec![rankin(stamp("2012-01-01T00:00:00", Precision::Year))]), ["mrs_pre_stroke 1 pre_stroke"]);
    assert_eq!(read(DISCHARGE, "30954-2", vec![rankin(stamp("2024-05-02T00:00:00", Precision::Day))]), ["mrs_discharge 1 discharge"]);
    let score = |start| {
        let entry = Entry { start, ..observation(code("LOINC", "9269-2"), vec![number(15.0, "")]) };
        let document = CodedDocument { templates: vec![ADMISSION.into()], entries: vec![entry], ..CodedDocument::default() };
        let time = NaiveDateTime::parse_from_str("2024-05-02T14:00:00", "%Y-%m-%dT%H:%M:%S").ok();
        extract(Definitions::built_in(), &document, "emergency", &Facts { time, ..Facts::default() })[0].score
    };
    let (now, old) = (score(stamp("2024-05-02T10:00:00", Precision::Minute)), score(stamp("2012-01-01T00:00:00", Precision::Year)));
    assert!(now > 0.9 && old <= now * CONTRADICTED, "{now} {old}");
}

#[test]
fn a_treatment_gives_whether_when_and_with_what() {
    let start = stamp("2024-05-02T11:40:00", Precision::Minute);
    let given = Entry {
        kind: Kind::Medication,
        mood: Some("EVN".into()),
        code: Some(code("SNOMED CT", "233428003")),
        product: Some(Code { translations: vec![code("ATC", "B01AD11")], ..code("CIS", "1") }),
        start,
        ..Entry::default()
    };
    let mut found = read(ADMISSION, "57072-1", vec![given.clone(), given.clone()]);
    found.sort();
    let expected =
        ["iv_thrombolysis true stay", "thrombolysis_datetime 2024-05-02T11:40:00 admission", "thrombolytic_agent tenecteplase stay"];
    assert_eq!(found, expected);
    let not_given = Entry { negated: true, ..given.clone() };
    assert_eq!(read(ADMISSION, "57072-1", vec![not_given]), ["iv_thrombolysis false stay"]);
    let planned = Entry { mood: Some("RQO".into()), ..given.clone() };
    assert_eq!(read(ADMISSION, "57072-1", vec![planned]), Vec::<String>::new());
    // A day is no time of an injection.
    let vague = Entry { start: stamp("2024-05-02T00:00:00", Precision::Day), product: None, ..given };
    assert_eq!(read(ADMISSION, "57072-1", vec![vague]), ["iv_thrombolysis true stay"]);
    let said = |value| observation(code("SNOMED CT", "43810009"), vec![Sent::Boolean(value)]);
    assert_eq!(read(ADMISSION, "42545-4", vec![said(false)]), ["mechanical_thrombectomy false stay"]);
}

#[test]
fn a_diagnosis_means_what_its_section_makes_of_it() {
    let diagnosis = |icd: &str| Entry {
        templates: vec!["1.3.6.1.4.1.19376.1.5.3.1.4.5".into()],
        ..observation(code("SNOMED CT", "282291009"), vec![Sent::Coded(code("ICD-10", icd))])
    };
    assert_eq!(read(DISCHARGE, "11535-2", vec![diagnosis("I63.9")]), ["stroke_type ischemic stay"]);
    assert_eq!(read(DISCHARGE, "11535-2", vec![diagnosis("I63.6")]), ["stroke_type venous_thrombosis stay"]);
    assert_eq!(read(ADMISSION, "11348-0", vec![diagnosis("I63.9")]), ["prior_stroke_or_tia true stay"]);
    assert_eq!(read(ADMISSION, "10157-6", vec![diagnosis("I10")]), Vec::<String>::new());
    let absent = Entry { negated: true, ..diagnosis("I48.9") };
    assert_eq!(read(ADMISSION, "11450-4", vec![absent]), ["atrial_fibrillation false stay"]);
    let said = |value| observation(code("ICD-10", "E78.5"), vec![Sent::Boolean(value)]);
    assert_eq!(read("1.2.250.1.213.1.1.1.25", "11450-4", vec![said(true)]), ["dyslipidemia true stay"]);
    assert_eq!(read("1.2.250.1.213.1.1.1.25", "11450-4", vec![said(false)]), ["dyslipidemia false stay"]);
}

#[test]
fn the_onset_is_when_the_symptoms_began() {
    let symptom = |negated, start| Entry {
        negated,
        start,
        ..observation(code("SNOMED CT", "418799008"), vec![Sent::Coded(code("ICD-10", "R27.0"))])
    };
    let at = || stamp("2024-05-02T08:10:00", Precision::Minute);
    assert_eq!(
        read(ADMISSION, "42349-1", vec![symptom(false, at()), symptom(false, at())]),
        ["onset_datetime 2024-05-02T08:10:00 admission"]
    );
    assert_eq!(read(ADMISSION, "42349-1", vec![symptom(true, at())]), Vec::<String>::new());
    assert_eq!(read(ADMISSION, "42349-1", vec![symptom(false, stamp("2024-05-02T00:00:00", Precision::Day))]), Vec::<String>::new());
    assert_eq!(read(ADMISSION, "10202-0", vec![symptom(false, at())]), Vec::<String>::new());
}

#[test]
fn the_end_of_the_stay() {
    let left = |to: Code| Entry {
        start: stamp("2024-05-02T00:00:00", Precision::Day),
        ..observation(code("TA_ASIP", "ORG-074"), vec![Sent::Coded(to)])
    };
    let mut home = read(DISCHARGE, "42545-4", vec![left(code("SNOMED CT", "160849004"))]);
    home.sort();
    assert_eq!(home, ["discharge_datetime 2024-05-02T00:00:00 discharge", "discharge_destination home discharge"]);
    let dead = read(DISCHARGE, "42545-4", vec![left(code("SNOMED CT", "419620001"))]);
    assert!(dead.contains(&"in_hospital_death true discharge".to_owned()), "{dead:?}");
    // Death as such is no mode of discharge.
    let elsewhere = observation(code("LOINC", "1-8"), vec![Sent::Coded(code("SNOMED CT", "419620001"))]);
    assert_eq!(read(DISCHARGE, "42545-4", vec![elsewhere]), Vec::<String>::new());
}

mod anything {
    use proptest::prelude::*;

    use super::*;

    /// A code that means something, or anything.
    fn any_code() -> impl Strategy<Value = Code> {
        let known = (0..Mapping::built_in().lines.len(), "[A-Z0-9.]{0,2}").prop_map(|(line, more)| {
            let line = &Mapping::built_in().lines[line];
            code(line.system, &format!("{}{more}", line.code))
        });
        let own = (0..Definitions::built_in().variables.len())
            .prop_map(|at| code("LOINC", Definitions::built_in().variables[at].loinc.as_deref().unwrap_or("1-8")));
        prop_oneof![known, own, ("[A-Z -]{0,9}", ".{0,9}").prop_map(|(system, number)| code(&system, &number))]
    }

    fn any_stamp() -> impl Strategy<Value = Option<Stamp>> {
        let at = prop_oneof![
            "[0-9T:-]{0,19}".boxed(),
            (0..9999i32, 0..14u32, 0..33u32).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}T10:20:30")).boxed()
        ];
        let precision = prop::sample::select(vec![Precision::Year, Precision::Day, Precision::Second]);
        prop::option::of((at, precision).prop_map(|(at, precision)| Stamp { at, precision, utc: false }))
    }

    fn any_value() -> impl Strategy<Value = Sent> {
        prop_oneof![
            any_code().prop_map(Sent::Coded),
            (any::<f64>().prop_filter("finite", |n| n.is_finite()), prop::option::of("(g/L|mm\\[Hg\\]|%|.{0,3})"))
                .prop_map(|(value, unit)| Sent::Number { value, unit }),
            (-5..400i32, prop::option::of("(g/L|mg/dL|mm\\[Hg\\]|%|kg)")).prop_map(|(n, unit)| Sent::Number { value: f64::from(n), unit }),
            any::<bool>().prop_map(Sent::Boolean),
        ]
    }

    fn any_entry() -> impl Strategy<Value = Entry> {
        let kinds = vec![Kind::Observation, Kind::Procedure, Kind::Medication, Kind::Act, Kind::Criterion, Kind::Organizer];
        let what = (
            prop::sample::select(kinds),
            prop::option::of(any_code()),
            prop::collection::vec(any_value(), 0..3),
            prop::option::of(any_code()),
        );
        let place = (0..6usize, prop::option::of(0..8usize), any::<bool>(), prop::option::of((0..50usize, 0..50usize)));
        (what, place, any_stamp(), any_stamp(), prop::option::of("(EVN|INT|RQO)")).prop_map(
            |((kind, code, values, product), (section, parent, negated, span), start, end, mood)| Entry {
                kind,
                code,
                values,
                product,
                section,
                parent,
                negated,
                span,
                start,
                end,
                mood,
                ..Entry::default()
            },
        )
    }

    proptest! {
        #[test]
        fn codes_in_any_order_and_form_give_values_that_their_variables_hold(
            entries in prop::collection::vec(any_entry(), 0..8),
            sections in prop::collection::vec(("(11535-2|42349-1|30954-2|11348-0|1-8)", prop::option::of(0..6usize)), 0..6),
            template in prop::option::of(prop::sample::select(vec![ADMISSION, DISCHARGE, "1.2.250.1.213.1.1.1.16", "1.2.250.1.213.1.1.1.25"])),
        ) {
            let sections = sections.into_iter().map(|(code, parent)| Section { code: Some(code), parent, ..Section::default() }).collect();
            let document = CodedDocument { templates: template.map(str::to_owned).into_iter().collect(), sections, entries };
            let time = NaiveDateTime::parse_from_str("2024-05-02T14:00:00", "%Y-%m-%dT%H:%M:%S").ok();
            let definitions = Definitions::built_in();
            for kind in ["emergency", "discharge", "other"] {
                let found = extract(definitions, &document, kind, &Facts { time, stay_start: time, ..Facts::default() });
                for finding in &found {
                    let definition = definitions.get(&finding.variable).unwrap();
                    prop_assert!(finding.score > 0.0 && finding.score <= 1.0);
                    prop_assert!(finding.entry < document.entries.len());
                    match (&finding.value, definition.kind) {
                        (Value::Number(n), Type::Integer | Type::Float) => {
                            prop_assert!(definition.domain.is_some_and(|[least, most]| (least..=most).contains(n)));
                            prop_assert!(definition.kind == Type::Float || n.fract() == 0.0);
                        }
                        (Value::Category(name), Type::Category) => prop_assert!(definition.values.iter().any(|v| v == name)),
                        (Value::Boolean(_), Type::Boolean) | (Value::DateTime(_), Type::DateTime) => {}
                        other => prop_assert!(false, "{:?}", other),
                    }
                }
            }
            // Mentions of the same document: no panic, codes of the form of their systems.
            for entity in sillage_clinical::coded::entities(sillage_clinical::knowledge::Knowledge::built_in(), &document) {
                prop_assert!(entity.snomed.is_some() || entity.icd10.is_some() || entity.atc.is_some());
            }
            sillage_clinical::coded::disagreements(sillage_clinical::knowledge::Knowledge::built_in(), &document);
        }
    }
}
