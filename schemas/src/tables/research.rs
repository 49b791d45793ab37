//! Tables of the research zone.

use arrow::datatypes::SchemaRef;

use super::*;

/// One row per document, newest version. `text` and `title` are de-identified;
/// `kind` is the part the document plays in a stroke (`emergency`, `imaging`,
/// `discharge`, ...); the stay is that of its encounter.
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
        text("kind"),
        text("title"),
        clinical_time("document_time"),
        clinical_time("stay_start"),
        clinical_time("stay_end"),
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
        float("text_confidence"),
        key("run_id"),
    ])
}

/// What a value of a variable is made of, whatever table it stands in.
fn value_columns() -> [Field; 7] {
    [
        text("value"),
        double("value_number"),
        flag("value_boolean"),
        clinical_time("value_datetime"),
        text("unit"),
        text("loinc_code"),
        text("snomed_code"),
    ]
}

/// Where a value comes from. Offsets as in [`entities`].
fn span_columns() -> [Field; 5] {
    [int("start"), int("end"), int("source_start"), int("source_end"), text("evidence")]
}

/// One row per value of a variable found in one document.
pub fn variables() -> SchemaRef {
    let mut fields = vec![key("variable")];
    fields.extend(value_columns());
    fields.extend([key("document_id"), text("patient_id"), text("encounter_id"), text("episode_id"), clinical_time("document_time")]);
    fields.extend(span_columns());
    fields.extend([
        text("section"),
        text("time_anchor"),
        clinical_time("event_time"),
        float("score"),
        text("method"),
        float("text_confidence"),
        key("run_id"),
    ]);
    schema(fields)
}

/// One row per episode and variable: the resolved value. `candidates` counts the
/// values it was chosen from; `conflict` says that equally good sources disagree.
pub fn episode_variables() -> SchemaRef {
    let mut fields = vec![key("episode_id"), key("patient_id"), key("variable")];
    fields.extend(value_columns());
    fields.push(text("document_id"));
    fields.extend(span_columns());
    fields.extend([
        clinical_time("event_time"),
        float("score"),
        int("candidates"),
        flag("conflict"),
        list("inputs", DataType::Utf8),
        text("method"),
        key("run_id"),
    ]);
    schema(fields)
}

/// One row per episode. A column for each declared variable follows these, with its
/// description, unit and codes as field metadata.
pub fn cohort() -> SchemaRef {
    schema(vec![key("episode_id"), key("patient_id"), clinical_time("episode_start"), int("documents"), key("run_id")])
}

/// One row per run: what ran, on what, with which outcome.
pub fn runs() -> SchemaRef {
    let versioned = record(vec![text("name"), text("version"), text("sha256")]);
    let models = record(vec![text("name"), text("version"), text("sha256"), text("licence")]);
    schema(vec![
        key("run_id"),
        machine_time("started_at"),
        machine_time("finished_at"),
        text("version"),
        text("pipeline_sha256"),
        list("models", models),
        list("terminologies", versioned),
        long("documents"),
        long("failures"),
    ])
}
