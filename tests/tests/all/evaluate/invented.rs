//! A run and its gold, invented by dice.

use serde_json::{Value, json};

/// Small steady pseudo-random numbers.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

const WORDS: &[&str] = &[
    "Kerdal",
    "Odile",
    "née",
    "le",
    "3",
    "mai",
    "2031,",
    "AVC",
    "d'aphasie",
    "Étel",
    "06",
    "00",
    "(HTA)",
    "sous",
    "aspirine",
    "NIHSS",
    "à",
    "l'entrée",
    "—",
    "vu",
];
const PHI: &[&str] = &["NOM", "PRENOM", "DATE", "VILLE", "HOPITAL", "TEL"];
const LABELS: &[&str] = &["DISORDER", "SIGN", "DRUG", "PROCEDURE"];
const VARIABLES: &[(&str, &str)] = &[
    ("wake_up_stroke", "bool"),
    ("thrombolysis", "bool"),
    ("stroke_side", "category"),
    ("nihss_admission", "int"),
    ("glucose", "float"),
    ("onset_time", "datetime"),
    ("in_hospital_death", "bool"),
];

/// Rows of tables and gold, invented: half of what gold has is found as it is, the
/// rest moved, renamed, or missing, and some things are found that gold lacks.
#[derive(Default)]
pub(super) struct Invented {
    pub(super) documents: Vec<Value>,
    pub(super) phi: Vec<Value>,
    pub(super) entities: Vec<Value>,
    pub(super) variables: Vec<Value>,
    pub(super) source_documents: Vec<Value>,
    pub(super) identities: Vec<Value>,
    pub(super) phi_spans: Vec<Value>,
    pub(super) mentions: Vec<Value>,
    pub(super) episode_variables: Vec<Value>,
}

pub(super) fn invent(dice: &mut Dice) -> Invented {
    let mut out = Invented::default();
    for patient in 0..6 {
        let (source, pseudonym) = (format!("source-{patient}"), format!("pseudonym-{patient}"));
        out.identities
            .push(json!({"patient_id": pseudonym, "source_patient_id": source, "identifiers": [], "date_shift_days": shift(patient)}));
        for number in 0..3 {
            let id = format!("{patient}-{number}");
            let words: Vec<&str> = (0..40).map(|_| dice.of(WORDS)).collect();
            let text = words.join(if number == 1 { "\n" } else { " " });
            out.documents.push(json!({"dossier": "d", "document": format!("doc {id}"), "fhir_id": format!("fhir-{id}"), "patient_id": source, "type": "CRH", "date": "2031-02-03", "text": text}));
            if (patient, number) != (5, 2) {
                let body = if patient == 3 { format!("  {text}\n") } else { text.clone() };
                out.source_documents.push(json!({"document_id": format!("document-{id}"), "document_version": 1, "source_document_id": format!("fhir-{id}"), "source_patient_id": source, "text": body, "received_at": "2031-02-03T00:00:00Z", "run_id": "r"}));
            }
            spans(dice, &id, &text, &mut out);
        }
        for episode in 0..1 + usize::from(patient % 3 == 0) {
            variables(dice, patient, episode, &mut out);
        }
    }
    for rows in [&mut out.phi_spans, &mut out.mentions] {
        let key = |row: &Value| ["start", "source_start"].iter().find_map(|k| row[*k].as_i64()).unwrap();
        rows.sort_by_key(key);
    }
    out.episode_variables.sort_by_key(|row| (row["patient_id"].to_string(), row["episode_id"].to_string()));
    out
}

fn spans(dice: &mut Dice, id: &str, text: &str, out: &mut Invented) {
    let chars: Vec<char> = text.chars().collect();
    let slice = |start: usize, end: usize| chars[start.min(chars.len())..end.min(chars.len())].iter().collect::<String>();
    let mut at = 0;
    while at + 12 < chars.len() {
        let (start, end) = (at + dice.below(3), at + 4 + dice.below(6));
        at += 14;
        let (label, found) = (dice.of(PHI), dice.below(6));
        if dice.below(3) > 0 {
            out.phi.push(json!({"fhir_id": format!("fhir-{id}"), "label": label, "start": start, "end": end, "text": slice(start, end)}));
        }
        if found > 0 {
            let (start, end) = if found == 1 { (start + 1, end + 2) } else { (start, end) };
            let label = if found == 2 { dice.of(PHI) } else { label };
            out.phi_spans.push(json!({"document_id": format!("document-{id}"), "document_version": 1, "label": label, "start": start, "end": end, "text": slice(start, end)}));
        }
        let (start, end) = (at - 8 + dice.below(3), at - 2 + dice.below(3));
        let (label, found, code) = (dice.of(LABELS), dice.below(6), dice.of(&["I63.9", "I63.4", "R47.0", "B01AC06", ""]));
        let flags: Vec<&str> = ["NEG", "HYP", "FAM", "HIST"].into_iter().filter(|_| dice.below(4) == 0).collect();
        if dice.below(4) > 0 {
            let code = if code.is_empty() { Value::Null } else { code.into() };
            out.entities.push(json!({"fhir_id": format!("fhir-{id}"), "label": label, "code": code, "flags": flags, "start": start, "end": end, "text": slice(start, end)}));
        }
        if found > 0 {
            let label = if found == 1 { dice.of(LABELS) } else { label };
            let code = if found == 2 { "I63.9" } else { code };
            let end = if found == 3 { end + 3 } else { end };
            let flag = |flag: &str| flags.contains(&flag) != (found == 4);
            out.mentions.push(json!({
                "entity_id": format!("{id}-{start}"), "document_id": format!("document-{id}"), "label": label, "text": slice(start, end),
                "source_start": start, "source_end": end, "negated": flag("NEG"), "hypothetical": flag("HYP"), "historical": flag("HIST"),
                "experiencer": if flag("FAM") { "family" } else { "patient" }, "icd10_code": code, "atc_code": code,
                "snomed_code": if found == 5 { Value::Null } else { "1".into() }, "run_id": "r",
            }));
        }
    }
}

fn variables(dice: &mut Dice, patient: usize, episode: usize, out: &mut Invented) {
    for (variable, kind) in VARIABLES {
        let number = dice.below(20);
        let (gold, mut row) = match *kind {
            "bool" => {
                let value = number.is_multiple_of(2);
                (
                    value.to_string(),
                    json!({"value": value.to_string(), "value_boolean": if number < 10 { Value::Null } else { value.into() }}),
                )
            }
            "category" => (dice.of(&["left", "right"]).to_owned(), json!({"value": "LEFT"})),
            "int" => (number.to_string(), json!({"value": number.to_string(), "value_number": number as f64})),
            "float" => (
                format!("{number}.5"),
                json!({"value": "x", "value_number": number as f64 + if number.is_multiple_of(3) { 0.9 } else { 0.505 }}),
            ),
            _ => {
                let day = 1 + number;
                let shifted = moved(day, shift(patient));
                let second = if number.is_multiple_of(3) { "00:02:00" } else { "00:00:30" };
                (format!("2031-03-{day:02}T00:00"), json!({"value": "t", "value_datetime": format!("{shifted}T{second}")}))
            }
        };
        let (document, start) = (dice.below(3), dice.below(100));
        let fields = row.as_object_mut().unwrap();
        for (key, value) in [
            ("episode_id", format!("episode-{patient}-{episode}")),
            ("patient_id", format!("pseudonym-{patient}")),
            ("variable", (*variable).to_owned()),
            ("document_id", format!("document-{patient}-{document}")),
            ("evidence", "AVC".to_owned()),
            ("run_id", "r".to_owned()),
        ] {
            fields.insert(key.to_owned(), value.into());
        }
        fields.insert("source_start".to_owned(), start.into());
        fields.insert("source_end".to_owned(), (start + 9).into());
        if dice.below(5) > 0 {
            out.episode_variables.push(row);
        }
        if episode == 0 && dice.below(4) > 0 {
            let text = out.documents[patient * 3 + document]["text"].as_str().unwrap();
            let quote: String = text.chars().skip(start.saturating_sub(dice.below(12))).take(8 + dice.below(9)).collect();
            out.variables.push(json!({"dossier": "d", "patient_id": format!("source-{patient}"), "variable": variable, "type": kind, "value": gold, "fhir_id": format!("fhir-{patient}-{document}"), "quote": quote}));
        }
    }
}

/// Days by which a patient's times are moved.
fn shift(patient: usize) -> i64 {
    patient as i64 * 7 - 20
}

/// A day of March 2031, moved by so many days (within February to April).
fn moved(day: usize, by: i64) -> String {
    match day as i64 + by {
        ..=0 => format!("2031-02-{:02}", 28 + day as i64 + by),
        moved @ 1..=31 => format!("2031-03-{moved:02}"),
        moved => format!("2031-04-{:02}", moved - 31),
    }
}
