//! Clinical documents (CDA R2): what they state in codes beside their words reaches
//! the tables, with the words, the moment and the time that it belongs to, and
//! follows every correction.

#[path = "clinical_documents/samples.rs"]
mod samples;
#[path = "clinical_documents/written.rs"]
pub(crate) mod written;

use std::path::{Path, PathBuf};

use base64::Engine;

use super::command::{sillage, stderr, succeeds, text, value};
use written::{DISCHARGE, ICD10, LOINC, SNOMED, boolean, code, document, line, number, observation, problem, section};

/// A clinical document of one patient, as a line of a FHIR feed.
fn attached(id: &str, version: u32, time: &str, status: &str, xml: &str, more: serde_json::Value) -> String {
    let mut reference = serde_json::json!({
        "resourceType": "DocumentReference", "id": id, "status": status, "meta": {"versionId": version.to_string()},
        "subject": {"reference": "Patient/p1"}, "date": time,
        "type": {"coding": [{"system": "http://loinc.org", "code": "34133-9"}]},
        "content": [{"attachment": {"contentType": "text/xml", "data": base64::engine::general_purpose::STANDARD.encode(xml)}}]
    });
    if let (Some(reference), serde_json::Value::Object(more)) = (reference.as_object_mut(), more) {
        reference.extend(more);
    }
    reference.to_string()
}

fn none() -> serde_json::Value {
    serde_json::json!({})
}

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p1","name":[{"family":"KERVADEC-IMAGINAIRE","given":["Zéphirine"]}],"gender":"female","birthDate":"1951-03-07"}"#;

/// Runs over one more file of a feed.
fn run(folder: &Path, file: &str, lines: &[String]) -> PathBuf {
    let (source, out) = (folder.join("source"), folder.join("tables"));
    std::fs::create_dir_all(&source).unwrap();
    std::fs::write(source.join("Patient.ndjson"), format!("{PATIENT}\n")).unwrap();
    std::fs::write(source.join(format!("{file}.ndjson")), lines.join("\n") + "\n").unwrap();
    let run = sillage(&["run", "--source", text(&source), "--out", text(&out), "--once"]);
    assert!(run.status.success(), "{}", stderr(&run));
    assert_eq!(value(&out, "select count(*) from dead_letters"), "0");
    out
}

fn lines(out: &Path, sql: &str) -> Vec<String> {
    value(out, sql).lines().map(|line| line.trim_matches('"').to_owned()).collect()
}

/// Every row under whose span other words stand than it says.
fn astray(out: &Path) -> String {
    let of = |table: &str, words: &str| {
        format!(
            "select count(*) from {table} v join documents d on d.document_id = v.document_id \
             where substr(d.text, v.start + 1, v.\"end\" - v.start) is distinct from v.{words}"
        )
    };
    [value(out, &of("entities", "text")), value(out, &of("variables", "evidence"))].join(" ")
}

#[test]
fn the_four_national_stroke_documents_fill_the_variables_that_they_carry() {
    let folder = tempfile::tempdir().unwrap();
    let feed: Vec<String> = written::stroke().iter().map(|(id, time, xml)| attached(id, 1, time, "current", xml, none())).collect();
    let out = run(folder.path(), "a", &feed);
    assert_eq!(
        lines(&out, "select kind from documents order by document_time"),
        ["emergency", "progress", "discharge", "consultation"],
        "the template says what one LOINC type does not"
    );
    // Times against that of the document: they are shifted together.
    let found = lines(
        &out,
        "select d.kind || ' ' || v.variable || ' ' || case when v.value_datetime is null then v.value \
         else cast((date_part('epoch', v.value_datetime) - date_part('epoch', v.document_time)) / 60 as bigint) || ' min' end \
         || ' ' || v.time_anchor || ' ' || v.evidence \
         from variables v join documents d on d.document_id = v.document_id where v.method = 'cda-entry' order by d.document_time, v.variable",
    );
    let expected = [
        "emergency admission_datetime",
        "emergency atrial_fibrillation false stay Pas d'arythmie",
        "emergency glucose_admission 6.66 admission ",
        "emergency hypertension true stay Tension élevée traitée",
        "emergency iv_thrombolysis true stay Voir feuille",
        "emergency mechanical_thrombectomy false stay ",
        "emergency nihss_admission 14 admission Total 14",
        "emergency onset_datetime -290 min admission Ataxie brutale",
        "emergency prior_stroke_or_tia true stay Un premier accident",
        "emergency sbp_admission 168 admission PAS | 168 | mm[Hg]",
        "emergency thrombolysis_datetime -150 min admission Voir feuille",
        "emergency thrombolytic_agent tenecteplase stay Voir feuille",
        "emergency transport_mode samu admission SMUR",
        "progress nihss_24h 9 stay Total 9",
        "progress nihss_admission 9 stay Total 9",
        "progress pneumonia true stay Foyer de la base droite",
        "discharge discharge_datetime -660 min discharge Unité de suite",
        "discharge discharge_destination rehabilitation discharge Unité de suite",
        "discharge mrs_discharge 2 discharge Stade 2",
        "discharge nihss_discharge 3 discharge Total 3",
        "discharge stroke_type ischemic stay Accident constitué",
        "consultation dyslipidemia true stay Bilan lipidique perturbé",
        "consultation mrs_3_months 1 3_months Stade 1",
    ];
    for (wanted, line) in expected.iter().zip(&found) {
        assert!(line.starts_with(wanted.trim_end()), "{wanted:?} is expected, {line:?} is there\n{found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    assert!(found[0].contains("-195 min"), "the end of the transport is the arrival: {}", found[0]);
    let resolved =
        |variable: &str| value(&out, &format!("select value || ' ' || conflict from episode_variables where variable = '{variable}'"));
    for (variable, wanted) in [
        ("nihss_admission", "14"),
        ("nihss_discharge", "3"),
        ("mrs_3_months", "1"),
        ("stroke_type", "ischemic"),
        ("iv_thrombolysis", "true"),
    ] {
        assert_eq!(resolved(variable), format!("{wanted} false"), "{variable}");
    }
    assert_eq!(value(&out, "select count(*) from cohort"), "1", "four documents of one stroke");
    let entities = lines(
        &out,
        "select d.kind || ' ' || label || ' ' || coalesce(e.icd10_code, e.snomed_code, e.atc_code) || ' ' || e.negated || ' ' || e.historical \
         from entities e join documents d on d.document_id = e.document_id where e.detector = 'cda-entry' order by d.document_time, e.start, 1",
    );
    for wanted in [
        "emergency SIGN R27.0 false false",
        "emergency SIGN H53.9 true false",
        "emergency DISORDER I10 false true",
        "emergency DISORDER I48.9 true true",
        "emergency DRUG B01AD11 false false",
        "emergency PROCEDURE 233428003 false false",
        "emergency PROCEDURE 43810009 true false",
        "progress DISORDER J18.9 false false",
        "discharge DISORDER I63.9 false false",
        "consultation DISORDER E78.5 false false",
    ] {
        assert_eq!(entities.iter().filter(|e| *e == wanted).count(), 1, "{wanted}\n{entities:#?}");
    }
    assert_eq!(entities.len(), 11, "{entities:#?}");
    assert_eq!(astray(&out), "0 0", "the words under a span are those of the row");
    assert_eq!(
        value(
            &out,
            "select count(*) from entities where detector = 'cda-entry' and icd10_code = 'I63.9' and icd10_display = 'AVC ischémique'"
        ),
        "2"
    );
    // Once more: nothing changes, nothing comes twice.
    let counts = "select (select count(*) from entities) || ' ' || (select count(*) from variables)";
    let before = value(&out, counts);
    run(folder.path(), "b", &feed);
    assert_eq!(value(&out, counts), before);
}

/// A discharge with this NIHSS in its codes, and these words.
fn discharge(id: &str, coded: &str, words: &str) -> String {
    let nihss = observation(&code("code", LOINC, "72089-6", "Score total NIHSS"), "n", "20240512", &number(coded, ""));
    let stroke = problem(false, "d", "20240502", &code("value", ICD10, "I63.9", "Infarctus cérébral"));
    let sections = [
        section("11535-2", "Diagnostic", &line("d", "Infarctus cérébral"), &[stroke]),
        section("30954-2", "Évaluation à la sortie", &line("n", words), &[nihss]),
    ];
    document(DISCHARGE, id, "202405121100+0200", None, &sections)
}

#[test]
fn codes_follow_corrections_and_withdrawals() {
    let folder = tempfile::tempdir().unwrap();
    let time = "2024-05-12T11:00:00+02:00";
    let coded = "select string_agg(value, ',') from variables where variable = 'nihss_discharge' and method = 'cda-entry'";
    let out = run(folder.path(), "a", &[attached("d1", 1, time, "current", &discharge("1", "3", "Total"), none())]);
    assert_eq!(value(&out, coded), "3");
    run(folder.path(), "b", &[attached("d1", 2, time, "current", &discharge("1", "5", "Total"), none())]);
    assert_eq!(value(&out, coded), "5", "a new version replaces what the codes of the older one said");
    run(folder.path(), "c", &[attached("d1", 1, time, "current", &discharge("1", "3", "Total"), none())]);
    assert_eq!(value(&out, coded), "5", "a late older version changes nothing");
    let replaces = serde_json::json!({"relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/d1"}}]});
    run(folder.path(), "d", &[attached("d2", 1, time, "current", &discharge("2", "7", "Total"), replaces)]);
    assert_eq!(value(&out, coded), "7", "another document takes its place");
    assert_eq!(value(&out, "select value from episode_variables where variable = 'nihss_discharge'"), "7");
    run(folder.path(), "e", &[attached("d2", 2, time, "entered-in-error", &discharge("2", "7", "Total"), none())]);
    let left = "select (select count(*) from variables) + (select count(*) from entities)";
    assert_eq!(value(&out, left), "0", "what is withdrawn leaves no row");
    assert_eq!(value(&out, "select count(*) from source_documents where status = 'entered-in-error' and coded is not null"), "0");
}

#[test]
fn codes_are_read_again_with_their_document() {
    let folder = tempfile::tempdir().unwrap();
    let time = "2024-05-12T11:00:00+02:00";
    let out =
        run(folder.path(), "a", &[attached("d1", 1, time, "current", &discharge("1", "3", "Total vu par Garance Inventaire"), none())]);
    let coded = "select count(*) || ' ' || min(evidence) from variables where method = 'cda-entry' and variable = 'nihss_discharge'";
    let before = value(&out, coded);
    assert!(before.starts_with("1 "), "{before}");
    // A name that is known only now: the stored document goes through the stages again, its codes with it.
    let patient = r#"{"resourceType":"Patient","id":"p1","meta":{"lastUpdated":"2024-06-01T10:00:00Z"},"name":[{"family":"INVENTAIRE","given":["Garance"]}]}"#;
    std::fs::write(folder.path().join("source/Later.ndjson"), format!("{patient}\n")).unwrap();
    succeeds(&["run", "--source", text(&folder.path().join("source")), "--out", text(&out), "--once", "--quiet"]);
    let after = value(&out, coded);
    assert!(after.starts_with("1 ") && !after.contains("Garance") && !after.contains("Inventaire"), "{after}");
    assert_eq!(astray(&out), "0 0");
    succeeds(&["erase", "--out", text(&out), "--patient", "p1", "--reason", "test"]);
    for table in ["entities", "variables", "display_disagreements", "source_documents"] {
        assert_eq!(value(&out, &format!("select count(*) from {table}")), "0", "{table}");
    }
}

#[test]
fn words_and_codes_that_differ_are_a_conflict() {
    let resolved = |words: &str| {
        let folder = tempfile::tempdir().unwrap();
        let xml = discharge("1", "9", words);
        let out = run(folder.path(), "a", &[attached("d1", 1, "2024-05-12T11:00:00+02:00", "current", &xml, none())]);
        let methods = "select count(distinct method = 'cda-entry') from variables where variable = 'nihss_discharge'";
        assert_eq!(value(&out, methods), "2", "both say it: {words}");
        value(&out, "select candidates || ' ' || conflict from episode_variables where variable = 'nihss_discharge'")
    };
    assert_eq!(resolved("NIHSS à la sortie : 9"), "2 false");
    assert_eq!(resolved("NIHSS à la sortie : 4"), "2 true");
}

#[test]
fn the_code_decides_and_a_wrong_display_is_noted_apart() {
    let folder = tempfile::tempdir().unwrap();
    let sections = [section(
        "11450-4",
        "Pathologies",
        &line("a", "Voir courrier"),
        &[
            problem(false, "a", "", &code("value", ICD10, "I10", "Diabète de type 2")),
            observation(&code("code", LOINC, "27353-2", "Hémoglobine glyquée"), "", "20240512", &number("6.1", "%")),
        ],
    )];
    let xml = document(DISCHARGE, "1", "202405121100+0200", None, &sections);
    let out = run(folder.path(), "a", &[attached("d1", 1, "2024-05-12T11:00:00+02:00", "current", &xml, none())]);
    assert_eq!(lines(&out, "select variable || ' ' || value from variables where method = 'cda-entry'"), ["hypertension true"]);
    assert_eq!(
        lines(&out, "select system || ' ' || code || ' ' || expected || ' ' || display from restricted.display_disagreements order by 1"),
        ["ICD-10 I10 hypertension artérielle Diabète de type 2", "LOINC 27353-2 glucose moyen estimé Hémoglobine glyquée"]
    );
    run(folder.path(), "b", &[attached("d1", 2, "2024-05-12T11:00:00+02:00", "current", &discharge("1", "3", "Total"), none())]);
    assert_eq!(value(&out, "select count(*) from restricted.display_disagreements"), "0", "they go with their version");
}

#[test]
fn nothing_that_names_somebody_leaves_in_codes() {
    let folder = tempfile::tempdir().unwrap();
    let name = "Zéphirine KERVADEC-IMAGINAIRE";
    let with_words = |element: &str, code: &str| {
        format!(
            "<value xsi:type=\"CD\" code=\"{code}\" codeSystem=\"{element}\" displayName=\"HTA de {name}\"><originalText>HTA de Mme {name}</originalText></value>"
        )
    };
    let sections = [section(
        "11450-4",
        "Pathologies",
        &[line("a", &format!("HTA de Mme {name}, suivie par Anselme TRÉVIDOUX")), line("b", "FA")].concat(),
        &[
            problem(false, "a", "", &with_words(ICD10, "I10")),
            problem(false, "a", "", &with_words(ICD10, "KERVADEC-IMAGINAIRE")),
            problem(false, "b", "", &with_words(SNOMED, "Zéphirine")),
            observation(&code("code", LOINC, "72089-6", name), "a", "", &format!("<value xsi:type=\"ST\">{name}</value>")),
            observation(&code("code", name, name, name), "", "", &boolean(true)),
            observation(&code("code", ICD10, "E78.5", name), "", "", &boolean(true)),
        ],
    )];
    let xml = document(DISCHARGE, "1", "202405121100+0200", None, &sections);
    let out = run(folder.path(), "a", &[attached("d1", 1, "2024-05-12T11:00:00+02:00", "current", &xml, none())]);
    let coded = "select string_agg(icd10_code, ',' order by icd10_code) from entities where detector = 'cda-entry'";
    assert_eq!(value(&out, coded), "\"E78.5,I10\"", "what has no form of a code is none");
    assert_eq!(value(&out, "select evidence <> '' from variables where variable = 'hypertension' and method = 'cda-entry'"), "true");
    let files = folder.path().join("files");
    succeeds(&["export", "--out", text(&out), "--to", text(&files), "--format", "csv"]);
    let mut rows = 0;
    for entry in std::fs::read_dir(&files).unwrap() {
        let path = entry.unwrap().path();
        let exported = std::fs::read_to_string(&path).unwrap();
        rows += exported.lines().count();
        for part in ["KERVADEC", "Kervadec", "IMAGINAIRE", "phirine", "TRÉVIDOUX", "Anselme"] {
            assert!(!exported.contains(part), "{part} is in {}", path.display());
        }
    }
    assert!(rows > 10);
    assert_eq!(astray(&out), "0 0");
}
