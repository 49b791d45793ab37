//! Batches that connectors hand to the runner. They are never stored.

use arrow::datatypes::SchemaRef;

use super::*;

/// Documents as received, attachment already text.
///
/// `place` says where the input is (`file:line` or the like) so that an error
/// can name it without quoting it. `status` is one of `current`, `superseded`,
/// `entered-in-error`. `document_time` is the site's wall-clock time.
///
/// `document_version` orders the versions of a document. Of two rows with one
/// version the higher `precedence` counts: 0 a document as first sent, 1 its
/// replacement, 2 its withdrawal, 3 the deletion of whatever came before it, whose
/// version is the newest that did in its epoch, null for none. `replaces` names
/// the documents that this one takes the place of. `coded` is the JSON of
/// [`CodedDocument`](crate::coded::CodedDocument): what a clinical document states
/// in codes beside its narrative.
///
/// `attachments` are files made of pages: their text follows `text` once they are
/// read, `attachment_sha256` names them then, and `margins` is what stands around
/// their text.
pub fn incoming_documents() -> SchemaRef {
    schema(vec![
        key("source"),
        key("place"),
        identifying(key("source_document_id")),
        int("document_version"),
        Field::new("precedence", DataType::Int32, false),
        machine_time("last_updated"),
        key("status"),
        identifying(list("replaces", DataType::Utf8)),
        identifying(text("source_patient_id")),
        identifying(text("source_encounter_id")),
        text("type_code"),
        text("type_display"),
        identifying(text("title")),
        clinical_time("document_time"),
        text("language"),
        text("content_type"),
        identifying(list("authors", DataType::Utf8)),
        identifying(text("text")),
        identifying(text("coded")),
        identifying(list("attachments", DataType::Binary)),
        list("attachment_sha256", DataType::Utf8),
        identifying(text("margins")),
        machine_time("received_at"),
    ])
}

/// Where the words of texts read from pages stand: see
/// [`page_spans`](super::page_spans). `source_document_id`, `place` and
/// `document_version` name the row of [`incoming_documents`].
pub fn incoming_page_spans() -> SchemaRef {
    let mut fields = vec![identifying(key("source_document_id")), key("place"), int("document_version")];
    fields.extend(super::restricted::word_columns());
    schema(fields)
}

/// Patients as received. `identifiers` holds `system|value` pairs,
/// `record` the JSON of [`PatientRecord`](crate::record::PatientRecord).
///
/// `merged_into` is the id of the patient that this one has been merged into,
/// empty where the patient stands alone, null where the sender says neither.
pub fn incoming_patients() -> SchemaRef {
    schema(vec![
        key("source"),
        key("place"),
        identifying(key("source_patient_id")),
        machine_time("last_updated"),
        identifying(list("identifiers", DataType::Utf8)),
        identifying(text("record")),
        identifying(text("merged_into")),
    ])
}

/// Encounters as received. `moved` says that the encounter has been given to
/// this patient: its documents follow. Null: the sender states the patient with
/// each version, and another than before is a move. `identifiers` holds its other
/// numbers (an account), by which it may be moved.
pub fn incoming_encounters() -> SchemaRef {
    schema(vec![
        key("source"),
        key("place"),
        identifying(key("source_encounter_id")),
        identifying(text("source_patient_id")),
        flag("moved"),
        machine_time("last_updated"),
        text("class"),
        clinical_time("start"),
        clinical_time("end"),
        identifying(list("identifiers", DataType::Utf8)),
    ])
}
