//! Tables of the restricted zone.

use arrow::datatypes::SchemaRef;

use super::*;

/// Every document as received, newest version: its original text and all that a
/// stage needs to read it anew.
///
/// `source` says where the input is, `feed` which source it came from. `replaced`:
/// another document has taken its place. A document that was replaced before it
/// came has version 0, precedence -1 and no text. `coded` is as in
/// [`incoming_documents`](super::incoming_documents). `margins`: what stood around the text of pages
/// (letterhead, headers, lists of the staff). `attachment_sha256` names the files the
/// text was read from; they are kept in `restricted/_attachments`.
pub fn source_documents() -> SchemaRef {
    schema(vec![
        key("document_id"),
        Field::new("document_version", DataType::Int32, false),
        int("precedence"),
        text("status"),
        flag("replaced"),
        identifying(text("source")),
        identifying(text("feed")),
        identifying(key("source_document_id")),
        text("patient_id"),
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
        identifying(text("margins")),
        list("attachment_sha256", DataType::Utf8),
        machine_time("last_updated"),
        machine_time("received_at"),
        key("run_id"),
    ])
}

/// Which source patient a pseudonym stands for. `record` is the JSON of
/// [`PatientRecord`](crate::record::PatientRecord), `revealed` what the patient's
/// documents gave away beyond it (`LABEL|words`), `merged_into` the source patient
/// to whom the documents of this one now belong.
pub fn identities() -> SchemaRef {
    schema(vec![
        key("patient_id"),
        identifying(text("source_patient_id")),
        identifying(list("identifiers", DataType::Utf8)),
        int("date_shift_days"),
        identifying(text("record")),
        identifying(list("revealed", DataType::Utf8)),
        identifying(text("merged_into")),
        machine_time("merged_at"),
        machine_time("last_updated"),
    ])
}

/// Encounters as the feeds tell of them. `moved_to` is the source patient to whom
/// the encounter was given after it began with another, `moved_at` when. An account
/// that was moved is a row too: it takes along the encounters that have it among
/// their `identifiers`.
pub fn encounters() -> SchemaRef {
    schema(vec![
        key("encounter_id"),
        identifying(key("source_encounter_id")),
        identifying(text("source_patient_id")),
        identifying(text("moved_to")),
        machine_time("moved_at"),
        identifying(list("identifiers", DataType::Utf8)),
        text("class"),
        clinical_time("start"),
        clinical_time("end"),
        machine_time("last_updated"),
    ])
}

/// Where the words of a text that came from pages stand, one row a word: `start` and
/// `end` in `source_documents.text`, `attachment` which of `attachment_sha256` (from
/// 1), `page` (from 1), and a box in points (1/72 inch) of the page as the file holds
/// it, before any rotation, y upwards; of a picture without a page in points of 200
/// pixels an inch. `confidence` (0 to 1) is that of the recognition, null where the
/// text was written.
pub fn page_spans() -> SchemaRef {
    let mut fields = vec![key("document_id"), Field::new("document_version", DataType::Int32, false)];
    fields.extend(word_columns());
    schema(fields)
}

pub(super) fn word_columns() -> [Field; 9] {
    [
        int("start"),
        int("end"),
        int("attachment"),
        int("page"),
        float("left"),
        float("bottom"),
        float("right"),
        float("top"),
        float("confidence"),
    ]
}

/// What identifies somebody in a text, and what stands in its place in research.
/// Offsets refer to the original text; of a row whose `part` is `margins` to what
/// stood around the text, which research never sees.
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
        text("part"),
    ])
}

/// Codes of clinical documents whose display says something else: the code decides.
/// `entry` counts the entries of the document from 0, `expected` is what the code
/// is called here, `display` what the sender calls it.
pub fn display_disagreements() -> SchemaRef {
    schema(vec![
        key("document_id"),
        Field::new("document_version", DataType::Int32, false),
        identifying(text("patient_id")),
        int("entry"),
        text("system"),
        text("code"),
        text("expected"),
        identifying(text("display")),
        key("run_id"),
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
