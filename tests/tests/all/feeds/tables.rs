//! What the tables hold, beside what is expected of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use sillage_sandbox::day::digest;
use sillage_sandbox::day::expected::{Expected, Status};

use super::super::command::{succeeds, text};

/// Rows of a query.
pub(super) fn rows(out: &Path, sql: &str) -> Vec<Value> {
    let lines = succeeds(&["sql", "--out", text(out), "-c", sql, "--format", "json"]);
    lines.lines().filter(|line| !line.trim().is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How messages came, as far as it makes a difference for what can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// HL7 v2: every message, versions are times.
    Mllp,
    /// FHIR, every change.
    Told,
    /// FHIR, what a server had when it was asked: a document may be gone before
    /// anybody saw it.
    Asked,
}

/// Every difference between the tables and what is expected, in words.
pub(super) fn differences(out: &Path, expected: &Expected, way: Way) -> Vec<String> {
    let mut found = Vec::new();
    documents(out, expected, way, &mut found);
    derived(out, &mut found);
    patients(out, expected, &mut found);
    let letters = rows(out, "select reason, count(*) as n, count(distinct message_id) as d from dead_letters group by reason");
    for letter in &letters {
        // Each place of arrival is one; a message may have arrived more often than it was acknowledged.
        if way != Way::Mllp || letter["reason"] != "pointer" || letter["n"] != letter["d"] {
            found.push(format!("dead letters: {letter}"));
        }
    }
    let count = letters.iter().filter_map(|letter| letter["n"].as_u64()).sum::<u64>() as usize;
    if way == Way::Mllp && count < expected.unreadable {
        found.push(format!("{count} dead letters, at least {} expected", expected.unreadable));
    }
    found
}

fn documents(out: &Path, expected: &Expected, way: Way, found: &mut Vec<String>) {
    let sql = "select d.source_document_id as id, d.status, d.document_version as version, d.text, d.type_code, d.source_encounter_id as encounter, \
               i.source_patient_id as patient from source_documents d left join identities i on i.patient_id = d.patient_id";
    let mut stored: BTreeMap<String, Value> = BTreeMap::new();
    for row in rows(out, sql) {
        if let Some(twice) = stored.insert(row["id"].as_str().unwrap_or_default().to_owned(), row) {
            found.push(format!("{}: in the table twice", twice["id"]));
        }
    }
    for document in &expected.documents {
        let row = stored.remove(&document.id);
        let is_withdrawn = document.status == Status::EnteredInError;
        let Some(row) = row else {
            if !(is_withdrawn && way == Way::Asked) {
                found.push(format!("{}: not in the table", document.id));
            }
            continue;
        };
        let mut differs = |what: &str, is: &Value, should: &str| {
            if is.as_str().map_or_else(|| is.to_string(), str::to_owned) != should {
                found.push(format!("{} ({}): {what} is {is}, not {should}", document.id, document.status.name()));
            }
        };
        differs("status", &row["status"], document.status.name());
        let digest = row["text"].as_str().map(digest);
        differs("digest of the text", &Value::from(digest), document.sha256.as_deref().unwrap_or("null"));
        // A deletion names nobody.
        if !is_withdrawn {
            differs("patient", &row["patient"], &document.patient);
            differs("type", &row["type_code"], &document.type_code);
            differs("encounter", &row["encounter"], document.encounter.as_deref().unwrap_or("null"));
        }
        if way == Way::Mllp {
            let newest = document.versions.last().map(|version| version.seconds).unwrap_or_default();
            differs("version", &row["version"], &newest.to_string());
        }
    }
    found.extend(stored.keys().map(|id| format!("{id}: in the table, and never sent")));
}

/// What hangs on a document goes and stays with it.
fn derived(out: &Path, found: &mut Vec<String>) {
    let wrong = [
        (
            "research.documents that differ",
            "select s.source_document_id as id from source_documents s full join documents r using (document_id) where r.document_id is null or s.document_id is null or r.status <> s.status or (r.patient_id is distinct from s.patient_id) or r.document_version <> s.document_version or case when s.status = 'current' then r.text is null else r.text is not null end",
        ),
        (
            "entities of documents that do not stand",
            "select document_id as id from entities e where not exists (select 1 from documents d where d.document_id = e.document_id and d.status = 'current')",
        ),
        (
            "variables of documents that do not stand",
            "select document_id as id from variables e where not exists (select 1 from documents d where d.document_id = e.document_id and d.status = 'current')",
        ),
        (
            "identifying spans of documents that do not stand",
            "select document_id as id from phi_spans e where not exists (select 1 from documents d where d.document_id = e.document_id and d.status = 'current')",
        ),
        ("entities that are there twice", "select entity_id as id from entities group by entity_id having count(*) > 1"),
        ("documents that are there twice", "select document_id as id from documents group by document_id having count(*) > 1"),
        (
            "entities whose text is not what stands there",
            "select entity_id as id from entities e join documents d using (document_id) where substr(d.text, e.start + 1, e.\"end\" - e.start) <> e.text",
        ),
        (
            "episodes of patients without documents",
            "select distinct patient_id as id from episode_variables v where not exists (select 1 from documents d where d.patient_id = v.patient_id and d.status = 'current')",
        ),
    ];
    // One question for all: each starts the command anew.
    let sql =
        wrong.iter().map(|(what, sql)| format!("select '{what}' as what, cast(id as varchar) as id from ({sql})")).collect::<Vec<_>>();
    found.extend(rows(out, &sql.join(" union all ")).iter().map(|row| format!("{}: {}", row["what"], row["id"])));
}

fn patients(out: &Path, expected: &Expected, found: &mut Vec<String>) {
    let mut stored: BTreeMap<String, bool> = BTreeMap::new();
    for row in rows(out, "select source_patient_id as id, merged_into is not null as merged from identities") {
        if stored.insert(row["id"].as_str().unwrap_or_default().to_owned(), row["merged"].as_bool().unwrap_or_default()).is_some() {
            found.push(format!("patient {}: twice", row["id"]));
        }
    }
    for patient in &expected.patients {
        match stored.remove(&patient.id) {
            None => found.push(format!("patient {}: not in the table", patient.id)),
            Some(merged) if merged != (patient.id != patient.survivor) => {
                found.push(format!("patient {}: merged is {merged}, the survivor is {}", patient.id, patient.survivor));
            }
            Some(_) => {}
        }
    }
    found.extend(stored.keys().map(|id| format!("patient {id}: in the table, and never sent")));
}

/// Documents and findings of research, for a comparison of two ways of arrival. Which
/// surrogate stands in a text depends on what the sender calls what it replaces.
pub(super) fn research(out: &Path) -> BTreeSet<String> {
    let documents = "select 'document' as kind, s.source_document_id as id, d.patient_id, d.encounter_id, d.status, d.type_code, \
                     cast(d.document_time as varchar) as time, null as text, null as code, null as start, null as negated \
                     from documents d join source_documents s using (document_id) where d.status <> 'entered-in-error'";
    let entities = "select 'entity' as kind, s.source_document_id as id, e.patient_id, null as encounter_id, e.label as status, e.icd10_code as type_code, \
                    null as time, e.text, e.icd10_code as code, e.source_start as start, e.negated from entities e join source_documents s using (document_id)";
    rows(out, documents).iter().chain(&rows(out, entities)).map(Value::to_string).collect()
}

/// Fails with the differences, and the seed of the day.
pub(super) fn check(found: &[String], seed: u64, way: Way, log: &str) {
    let shown = found.iter().take(20).map(|line| format!("  {line}\n")).collect::<String>();
    assert!(found.is_empty(), "seed {seed}, {way:?}: {} differences\n{shown}\nlog:\n{}", found.len(), tail(log));
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
