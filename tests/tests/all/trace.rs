//! `sillage trace`: from the cells of a hand-filled table to words of the originals.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use super::command::{sillage, stderr, stdout, succeeds, text};
use super::corrections::base64;

const EMERGENCY: &str = "Passage aux urgences le 02/05/2024 à 9h12. Patiente de 74 ans, hypertendue.\r\nDébut brutal à 7h50 : aphasie et hémiplégie droite.\r\nÀ l'arrivée NIHSS à 15, TA 182/95, glycémie 1,40 g/L.\r\nThrombolyse IV par altéplase débutée à 9h41.";
const LETTER: &str =
    "Compte rendu d'hospitalisation du 2 au 9 mai 2024.\nInfarctus sylvien gauche thrombolysé. NIHSS de sortie à 3.\nRetour à domicile.";
const OTHER: &str = "Urgences, le 11/06/2024. Patient de 66 ans.\nDéficit moteur gauche. NIHSS à l'entrée : 8. Pas de thrombolyse.";

const MAP: &str = r#"
patient = "N° IPP"
date_formats = ["%d/%m/%Y %H:%M"]
missing = ["ND"]
[columns."NIHSS entrée"]
variable = "nihss_admission"
[columns.rtPA]
variable = "iv_thrombolysis"
values = { "fait" = "true" }
[columns."glycémie (g/L)"]
variable = "glucose_admission"
factor = 5.55
[columns."début"]
variable = "onset_datetime"
"#;

const TABLE: &str = "N° IPP;remarque;NIHSS entrée;rtPA;glycémie (g/L);début\r\n42007;a;15;fait;1,40;02/05/2024 07:50\r\np2;b;18;non;ND;hier\r\nabsente-77;c;3;non;;\r\n";

fn document(id: &str, patient: &str, code: &str, date: &str, body: &str) -> Value {
    json!({
        "resourceType": "DocumentReference", "id": id, "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": format!("Patient/{patient}")}, "date": date,
        "content": [{"attachment": {"contentType": "text/plain; charset=utf-8", "data": base64(body)}}]
    })
}

fn write_feed(folder: &Path) {
    let patient = |id: &str, number: &str, born: &str| {
        json!({
            "resourceType": "Patient", "id": id, "gender": "female", "birthDate": born,
            "identifier": [{"type": {"coding": [{"code": "PI"}]}, "system": "urn:oid:1.2.3", "value": number}]
        })
    };
    let documents = [
        document("door", "p1", "34111-5", "2024-05-02T09:50:00+02:00", EMERGENCY),
        document("letter", "p1", "11490-0", "2024-05-09T15:00:00+02:00", LETTER),
        document("other", "p2", "34111-5", "2024-06-11T18:00:00+02:00", OTHER),
    ];
    let patients = [patient("p1", "0042007", "1949-11-03"), patient("p2", "0098001", "1958-01-20")];
    let lines = |rows: &[Value]| rows.iter().map(|r| format!("{r}\n")).collect::<String>();
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("Patient.ndjson"), lines(&patients)).unwrap();
    std::fs::write(folder.join("DocumentReference.ndjson"), lines(&documents)).unwrap();
}

/// Windows-1252 of French text: what is beyond ASCII here is Latin-1.
fn single_bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

/// Rows of a Parquet file, and the names of its identifying columns.
fn rows(path: &Path) -> (Vec<Value>, Vec<String>) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = reader.schema().clone();
    let identifying = schema.fields().iter().filter(|f| f.metadata().contains_key(sillage_schemas::tables::IDENTIFYING));
    let identifying = identifying.map(|f| f.name().clone()).collect();
    let mut writer = arrow::json::ArrayWriter::new(Vec::new());
    for batch in reader.build().unwrap() {
        writer.write(&batch.unwrap()).unwrap();
    }
    writer.finish().unwrap();
    (serde_json::from_slice(&writer.into_inner()).unwrap(), identifying)
}

fn slice(id: &str, row: &Value) -> String {
    let body = HashMap::from([("door", EMERGENCY), ("letter", LETTER), ("other", OTHER)])[id];
    let place = |name: &str| row[name].as_u64().unwrap() as usize;
    body.chars().skip(place("start")).take(place("end") - place("start")).collect()
}

#[test]
fn cells_lead_to_the_words_of_the_originals() {
    let folder = tempfile::tempdir().unwrap();
    let (feed, out) = (folder.path().join("feed"), folder.path().join("tables"));
    let (table, map) = (folder.path().join("crf.csv"), folder.path().join("map.toml"));
    write_feed(&feed);
    std::fs::write(&table, single_bytes(TABLE)).unwrap();
    std::fs::write(&map, MAP).unwrap();
    succeeds(&["run", "--source", text(&feed), "--out", text(&out), "--once", "--quiet"]);
    let output = sillage(&["trace", "--out", text(&out), "--table", text(&table), "--map", text(&map)]);
    assert!(output.status.success(), "{}", stderr(&output));

    let to = out.join("restricted/trace");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(std::fs::metadata(to.join("trace.parquet")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let (traced, identifying) = rows(&to.join("trace.parquet"));
    assert_eq!(identifying, ["patient", "cell", "resolved", "source_document_id", "text"]);
    let of = |patient: &str, column: &str| -> Vec<&Value> {
        traced.iter().filter(|r| r["patient"] == patient && r["column"] == column).collect()
    };
    for (patient, column, outcome, relation, document, words) in [
        ("42007", "NIHSS entrée", "supported", "supports", "door", "NIHSS à 15"),
        ("42007", "rtPA", "supported", "supports", "door", "Thrombolyse IV"),
        ("42007", "glycémie (g/L)", "supported", "supports", "door", "glycémie 1,40 g/L"),
        ("42007", "début", "supported", "supports", "door", "7h50"),
        ("p2", "NIHSS entrée", "contradicted", "contradicts", "other", "8"),
        ("p2", "rtPA", "supported", "supports", "other", "thrombolyse"),
    ] {
        let cells = of(patient, column);
        assert!(!cells.is_empty() && cells.iter().all(|r| r["outcome"] == outcome), "{patient} {column}: {cells:?}");
        let found = cells
            .iter()
            .any(|r| r["relation"] == relation && r["source_document_id"] == document && r["text"].as_str().unwrap().contains(words));
        assert!(found, "{patient} {column}: {cells:?}");
    }
    // The documents of research have shifted dates: here they are the true ones.
    assert_eq!(of("42007", "début")[0]["resolved"], "2024-05-02T07:50:00");
    for (patient, column, outcome) in
        [("p2", "glycémie (g/L)", "missing"), ("p2", "début", "unreadable"), ("absente-77", "NIHSS entrée", "patient_not_found")]
    {
        let cells = of(patient, column);
        assert!(cells.len() == 1 && cells[0]["outcome"] == outcome && cells[0]["relation"].is_null(), "{patient} {column}: {cells:?}");
    }
    let spans: Vec<&Value> = traced.iter().filter(|r| !r["relation"].is_null()).collect();
    assert!(spans.len() >= 6);
    for row in spans {
        assert_eq!(row["text"], slice(row["source_document_id"].as_str().unwrap(), row), "the text under every span");
    }

    let (labels, identifying) = rows(&to.join("labels.parquet"));
    assert_eq!(identifying, ["source_document_id", "token"]);
    let labelled: Vec<&Value> = labels.iter().filter(|r| r["label"] != "O").collect();
    assert!(labelled.iter().any(|r| r["label"] == "B-nihss_admission" && r["token"] == "NIHSS"), "{labelled:?}");
    assert!(labelled.iter().any(|r| r["label"] == "I-nihss_admission" && r["token"] == "15"), "{labelled:?}");
    assert!(labels.len() > 3 * labelled.len(), "the other tokens are outside");
    for row in &labels {
        assert_eq!(row["token"], slice(row["source_document_id"].as_str().unwrap(), row));
    }

    let summary = std::fs::read_to_string(to.join("summary.csv")).unwrap();
    assert!(summary.contains("\nnihss_admission,NIHSS entrée,1,0,1,0,0,0\n"), "{summary}");
    assert!(stdout(&output).lines().any(|l| l.starts_with("nihss_admission") && l.contains("50 %")), "{}", stdout(&output));
    let messages = stderr(&output);
    assert!(messages.contains("1 of 3 rows") && messages.contains("rows 4") && messages.contains("\"début\": 1 unreadable"), "{messages}");
    assert!(!messages.contains("absente-77") && !messages.contains("42007"), "messages name rows, not patients: {messages}");
}

#[test]
fn a_wrong_table_or_map_names_the_column_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let (table, map) = (folder.path().join("crf.csv"), folder.path().join("map.toml"));
    let refused = |csv: &str, toml: &str| {
        std::fs::write(&table, csv).unwrap();
        std::fs::write(&map, toml).unwrap();
        let output = sillage(&["trace", "--out", text(folder.path()), "--table", text(&table), "--map", text(&map)]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        stderr(&output)
    };
    let message = refused(TABLE, &MAP.replace("columns.rtPA", "columns.rtpa"));
    assert!(message.contains("no column \"rtpa\"") && message.contains("\"rtPA\""), "{message}");
    let message = refused(TABLE, &MAP.replace("onset_datetime", "onset_datetimes"));
    assert!(message.contains("\"début\"") && message.contains("the nearest is onset_datetime"), "{message}");
    assert!(refused(TABLE, MAP).contains("give the --out of a run"));
}
