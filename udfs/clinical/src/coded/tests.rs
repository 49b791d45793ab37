use sillage_schemas::coded::Section;

use super::*;
use crate::lexicon::SnomedLicence;

fn code(system: &str, code: &str, display: &str) -> Code {
    Code { system: Some(system.into()), code: Some(code.into()), display: Some(display.into()), ..Code::default() }
}

fn observation(of: Code, values: Vec<Value>) -> Entry {
    Entry { mood: Some("EVN".into()), code: Some(of), values, ..Entry::default() }
}

fn problem(value: Code) -> Entry {
    let diagnosis = code(SNOMED, "282291009", "interprétation diagnostique");
    Entry { templates: vec![PROBLEM[0].into()], ..observation(diagnosis, vec![Value::Coded(value)]) }
}

fn document(loinc: &str, entries: Vec<Entry>) -> CodedDocument {
    CodedDocument { sections: vec![Section { code: Some(loinc.into()), ..Section::default() }], entries, ..CodedDocument::default() }
}

/// `LABEL codes flags` of the mentions.
fn read(loinc: &str, entries: Vec<Entry>) -> Vec<String> {
    let document = document(loinc, entries);
    let entities = entities(Knowledge::built_in(), &document);
    let show = |e: &CodedEntity<'_>| {
        let codes = [&e.snomed, &e.icd10, &e.atc].into_iter().flatten().cloned().collect::<Vec<_>>().join("+");
        let flags = [(e.negated, "NEG"), (e.hypothetical, "HYP"), (e.historical, "HIST"), (e.family, "FAM")];
        let flags: Vec<_> = flags.into_iter().filter(|f| f.0).map(|f| f.1).collect();
        format!("{} {codes} {}", e.label.map_or("-", Label::name), flags.join(" ")).trim_end().to_owned()
    };
    entities.iter().map(show).collect()
}

#[test]
fn problems_procedures_and_drugs_become_mentions() {
    assert_eq!(read("11535-2", vec![problem(code(ICD10, "I639", ""))]), ["DISORDER I63.9"]);
    assert_eq!(read("11348-0", vec![problem(code(ICD10, "I10", ""))]), ["DISORDER I10 HIST"]);
    assert_eq!(read("10157-6", vec![problem(code(ICD10, "I64", ""))]), ["DISORDER I64 FAM"]);
    let absent = Entry { negated: true, ..problem(code(SNOMED, "73211009", "")) };
    assert_eq!(read("11450-4", vec![absent]), ["DISORDER 73211009 NEG"]);
    let procedure = Entry { kind: Kind::Procedure, code: Some(code(SNOMED, "392031002", "endartériectomie")), ..Entry::default() };
    assert_eq!(read("47519-4", vec![procedure]), ["PROCEDURE 392031002 HIST"]);
    let product = Code { translations: vec![code(ATC, "B01AC04", "")], ..code("CIS", "1", "ESSAILOL") };
    let drug = Entry { kind: Kind::Medication, mood: Some("RQO".into()), product: Some(product), ..Entry::default() };
    assert_eq!(read("10183-2", vec![drug]), ["DRUG B01AC04 HYP"]);
}

#[test]
fn true_and_false_say_whether_it_is_there() {
    let said = |value: bool| observation(code(ICD10, "I10", "HTA"), vec![Value::Boolean(value)]);
    assert_eq!(read("11450-4", vec![said(true), said(false)]), ["DISORDER I10", "DISORDER I10 NEG"]);
    let refused = Entry { negated: true, ..said(true) };
    assert_eq!(read("11450-4", vec![refused]), ["DISORDER I10 NEG"]);
    let thrombolysis = observation(code(SNOMED, "233428003", "thrombolyse d'une veine"), vec![Value::Boolean(false)]);
    assert_eq!(read("42545-4", vec![thrombolysis]), ["PROCEDURE 233428003 NEG"]);
    let unknown = |values| observation(code(SNOMED, "32895009", "maladie héréditaire"), values);
    assert_eq!(read("11450-4", vec![unknown(vec![Value::Boolean(false)])]), ["- 32895009 NEG"]);
    assert_eq!(read("11450-4", vec![unknown(Vec::new())]), Vec::<String>::new());
}

#[test]
fn what_is_no_mention_gives_none() {
    let number = Value::Number { value: 4.0, unit: None };
    let nihss = observation(code("LOINC", "72089-6", "Score NIHSS"), vec![number]);
    let handedness = problem(code(SNOMED, "364940007", "manualité"));
    let free = problem(code(SNOMED, "Mme Inventée", "diabète"));
    let scale = observation(code("TA_ASIP", "MED-350", ""), vec![Value::Coded(code(SNOMED, "26593000", "paroxystique"))]);
    let criterion = Entry { kind: Kind::Criterion, ..observation(code(ICD10, "I61.9", ""), vec![Value::Boolean(false)]) };
    let mistaken = Entry { status: Some("nullified".into()), ..problem(code(ICD10, "I10", "")) };
    assert_eq!(read("11450-4", vec![nihss, handedness, free, scale, criterion, mistaken]), Vec::<String>::new());
}

#[test]
fn a_fact_that_is_stated_twice_is_one_mention() {
    assert_eq!(read("11450-4", vec![problem(code(ICD10, "I10", "")), problem(code(ICD10, "I10", "HTA"))]).len(), 1);
}

#[test]
fn sections_are_known_by_those_around_them() {
    let mut within = document("11348-0", vec![Entry { section: 1, ..problem(code(ICD10, "I10", "")) }]);
    within.sections.push(Section { parent: Some(0), ..Section::default() });
    assert!(entities(Knowledge::built_in(), &within)[0].historical);
    // Damage: what points to itself or nowhere ends.
    within.sections[1].parent = Some(1);
    within.entries[0].parent = Some(0);
    within.entries.push(Entry { section: 99, parent: Some(1), ..problem(code(ICD10, "E10", "")) });
    assert_eq!(entities(Knowledge::built_in(), &within).len(), 2);
}

#[test]
fn the_code_decides_and_the_wrong_display_is_noted() {
    let misnamed = |system: &str, number: &str, display: &str| {
        let document = document("11450-4", vec![problem(code(system, number, display))]);
        disagreements(Knowledge::built_in(), &document).len()
    };
    for (system, right, display) in [
        (SNOMED, "24028007", "droite"),
        ("LOINC", "27353-2", "Glucose moyen estimé"),
        (ICD10, "I10", "Hypertension artérielle"),
        (ICD10, "I63.9", "Infarctus cérébral, sans précision"),
        (ICD10, "I74.3", "Embolie et thrombose des artères des membres inférieurs"),
        (ICD10, "I64", "Accident vasculaire cérébral, non précisé comme étant hémorragique ou par infarctus"),
        (ICD10, "G43.0", "Migraine sans aura"),
        (ATC, "B01AC04", "clopidogrel"),
        ("TA_ASIP", "MED-1", "Hypertension artérielle"),
        (ICD10, "G43.0", "selon le médecin traitant"),
    ] {
        assert_eq!(misnamed(system, right, display), 0, "{display}");
    }
    for (system, wrong, display) in [
        (SNOMED, "24028007", "gauche"),
        ("LOINC", "27353-2", "Hémoglobine glyquée"),
        (ICD10, "I10", "Diabète de type 2"),
        (ICD10, "G43.0", "Hypertension artérielle"),
        (ATC, "B01AC04", "alteplase"),
    ] {
        assert_eq!(misnamed(system, wrong, display), 1, "{display}");
    }
}

#[test]
fn a_code_is_called_what_it_is_called_here() {
    let knowledge = Knowledge::built_in();
    assert_eq!(knowledge.name_of(ICD10, "I63.9"), Some("AVC ischémique"));
    assert_eq!(knowledge.name_of(ICD10, "G43.0"), Some("migraine sans aura"));
    assert_eq!(knowledge.name_of(SNOMED, "73211009"), Some("Diabetes mellitus"));
    assert_eq!(knowledge.name_of(SNOMED, "999999990989121104"), None);
}

#[test]
fn listed_codes_have_the_form_of_their_system() {
    let mut count = 0;
    for (line, row) in data_lines(sillage_schemas::terminology::CODE_NAMES.content) {
        let fields: Vec<&str> = row.split(';').collect();
        if [SNOMED, ICD10, ATC].contains(&fields[0]) {
            assert_eq!(form::canonical(fields[0], fields[1]).as_deref(), Some(fields[1]), "line {line}");
            count += 1;
        }
        assert!(fields[4].split('|').all(|word| word == crate::text::fold(word)), "line {line}");
    }
    assert!(count > 30);
    assert!(
        Names::read(
            &crate::lexicon::Lexicon::from_files(crate::lexicon::BUILT_IN, SnomedLicence::Affiliate, &mut Default::default()).unwrap()
        )
        .is_ok()
    );
}
