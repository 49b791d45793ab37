//! Tables of the research zone.

use arrow::datatypes::SchemaRef;

use super::*;

/// One row per document, newest version. `text` is the de-identified text; it
/// stays null until the de-identification stage fills it.
pub fn documents() -> SchemaRef {
    schema(vec![
        key("document_id"),
        text("patient_id"),
        text("encounter_id"),
        text("episode_id"),
        Field::new("document_version", DataType::Int32, false),
        key("status"),
        text("type_code"),
        text("type_display"),
        text("title"),
        clinical_time("document_time"),
        text("text"),
        text("language"),
        text("source"),
        machine_time("ingested_at"),
        key("run_id"),
    ])
}

/// One row per clinical mention. Offsets count Unicode scalar values, end
/// exclusive; `start`/`end` refer to `documents.text`, `source_start`/`source_end`
/// to the original text.
pub fn entities() -> SchemaRef {
    schema(vec![
        key("entity_id"),
        key("document_id"),
        text("patient_id"),
        text("encounter_id"),
        clinical_time("document_time"),
        int("start"),
        int("end"),
        int("source_start"),
        int("source_end"),
        text("text"),
        text("label"),
        text("section"),
        flag("negated"),
        flag("hypothetical"),
        flag("historical"),
        text("experiencer"),
        text("snomed_code"),
        text("snomed_display"),
        text("icd10_code"),
        text("icd10_display"),
        text("atc_code"),
        text("atc_display"),
        float("code_score"),
        text("detector"),
        float("detector_score"),
        clinical_time("event_time"),
        key("run_id"),
    ])
}

/// One row per run: what ran, on what, with which outcome.
pub fn runs() -> SchemaRef {
    let versioned = record(vec![text("name"), text("version"), text("sha256")]);
    schema(vec![
        key("run_id"),
        machine_time("started_at"),
        machine_time("finished_at"),
        text("version"),
        text("pipeline_sha256"),
        list("models", versioned.clone()),
        list("terminologies", versioned),
        long("documents"),
        long("failures"),
    ])
}
