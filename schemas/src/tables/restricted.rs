//! Tables of the restricted zone.

use arrow::datatypes::SchemaRef;

use super::*;

/// The original text of every document, newest version.
pub fn source_documents() -> SchemaRef {
    schema(vec![
        key("document_id"),
        Field::new("document_version", DataType::Int32, false),
        text("source"),
        identifying(key("source_document_id")),
        identifying(text("source_patient_id")),
        text("content_type"),
        identifying(text("text")),
        machine_time("received_at"),
        key("run_id"),
    ])
}

/// Which source patient a pseudonym stands for. `record` is the JSON of
/// [`PatientRecord`](crate::record::PatientRecord), `revealed` what the patient's
/// documents gave away beyond it (`LABEL|words`).
pub fn identities() -> SchemaRef {
    schema(vec![
        key("patient_id"),
        identifying(text("source_patient_id")),
        identifying(list("identifiers", DataType::Utf8)),
        int("date_shift_days"),
        identifying(text("record")),
        identifying(list("revealed", DataType::Utf8)),
    ])
}

/// What identifies somebody in a text, and what stands in its place in research.
/// Offsets refer to the original text.
pub fn phi_spans() -> SchemaRef {
    schema(vec![
        key("document_id"),
        Field::new("document_version", DataType::Int32, false),
        identifying(text("patient_id")),
        key("label"),
        int("start"),
        int("end"),
        identifying(text("text")),
        text("replacement"),
        text("detector"),
        float("score"),
    ])
}

/// Who asked for whom behind a pseudonym, and why. Never rewritten.
pub fn reidentifications() -> SchemaRef {
    schema(vec![machine_time("at"), key("who"), key("reason"), key("pseudonym")])
}

/// Input that could not be processed. `reason` is a stable word to group by,
/// `detail` says where the input is, `payload` keeps it for a replay.
pub fn dead_letters() -> SchemaRef {
    schema(vec![
        key("message_id"),
        machine_time("received_at"),
        text("source"),
        key("reason"),
        text("detail"),
        identifying(text("payload")),
    ])
}
