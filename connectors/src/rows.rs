//! Rows of an epoch under construction, whatever format they come from.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, Int32Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field};
use arrow::record_batch::RecordBatch;
use chrono::{DateTime, NaiveDateTime, Utc};
use sha2::{Digest, Sha256};
use sillage_schemas::record::PatientRecord;
use sillage_schemas::tables;

use crate::source::{DeadLetter, Epoch, Position, SourceError};

/// One row of `incoming_documents`, without what is the same for all.
pub(crate) struct DocumentRow<'a> {
    pub id: &'a str,
    /// `None` for a [`Precedence::Deletion`].
    pub version: Option<i32>,
    pub precedence: Precedence,
    pub last_updated: Option<DateTime<Utc>>,
    pub status: &'static str,
    /// Ids of the documents that this one takes the place of.
    pub replaces: &'a [String],
    pub patient_id: Option<&'a str>,
    pub encounter_id: Option<&'a str>,
    pub type_code: Option<&'a str>,
    pub type_display: Option<&'a str>,
    pub title: Option<&'a str>,
    pub time: Option<NaiveDateTime>,
    pub language: Option<&'a str>,
    pub content_type: Option<&'a str>,
    pub authors: &'a [String],
    pub text: Option<&'a str>,
    /// JSON of what a clinical document states in codes.
    pub coded: Option<&'a str>,
    pub paged: Paged<'a>,
}

/// What a document has on pages.
#[derive(Clone, Copy, Default)]
pub(crate) struct Paged<'a> {
    /// Files made of pages, whose text is still to be read.
    pub attachments: &'a [Vec<u8>],
    /// Digests of those whose text is part of the document's already.
    pub sha256: &'a [String],
    /// What stands around the text of these.
    pub margins: Option<&'a str>,
}

/// Which of two rows with one version of a document counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Precedence {
    Original = 0,
    Replacement = 1,
    Withdrawal = 2,
    /// The sender does not number it: of every version that came before.
    Deletion = 3,
}

/// One row of `incoming_patients`.
pub(crate) struct PatientRow<'a> {
    pub id: &'a str,
    pub last_updated: Option<DateTime<Utc>>,
    pub identifiers: &'a [String],
    /// `None` where the sender only names the patient.
    pub record: Option<&'a PatientRecord>,
    pub merged: Merged<'a>,
}

/// What the sender says of a patient and others who are the same person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Merged<'a> {
    /// Nothing.
    Unsaid,
    /// The patient stands alone, whatever was said before.
    Alone,
    /// Everything of the patient belongs to this one.
    Into(&'a str),
}

/// What the sender says of whose an encounter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Names the patient; another than before may be a mistake.
    Named,
    /// It was just given to the patient.
    Given,
    /// Each version states the patient; another than before is a move.
    Stated,
}

/// One row of `incoming_encounters`.
pub(crate) struct EncounterRow<'a> {
    pub id: &'a str,
    pub patient_id: Option<&'a str>,
    pub owner: Owner,
    pub last_updated: Option<DateTime<Utc>>,
    pub class: Option<&'a str>,
    pub start: Option<NaiveDateTime>,
    pub end: Option<NaiveDateTime>,
    pub identifiers: &'a [String],
}

/// Columns of the three batches, and what else an epoch counts.
pub(crate) struct Rows {
    source: String,
    received_at: DateTime<Utc>,
    documents: Documents,
    patients: Patients,
    encounters: Encounters,
    /// The newest version so far of each document.
    versions: HashMap<String, i32>,
    dead_letters: Vec<DeadLetter>,
    pub documents_seen: u64,
    pub ignored: u64,
    pub charset_guessed: u64,
    /// Bytes of text in the rows that came from elsewhere than the input read.
    pub bytes_fetched: u64,
    pub bytes_read: u64,
}

#[derive(Default)]
struct Documents {
    source: StringBuilder,
    place: StringBuilder,
    id: StringBuilder,
    version: Int32Builder,
    precedence: Int32Builder,
    last_updated: TimestampMicrosecondBuilder,
    status: StringBuilder,
    replaces: ListBuilder<StringBuilder>,
    patient_id: StringBuilder,
    encounter_id: StringBuilder,
    type_code: StringBuilder,
    type_display: StringBuilder,
    title: StringBuilder,
    time: TimestampMicrosecondBuilder,
    language: StringBuilder,
    content_type: StringBuilder,
    authors: ListBuilder<StringBuilder>,
    text: StringBuilder,
    coded: StringBuilder,
    attachments: ListBuilder<BinaryBuilder>,
    attachment_sha256: ListBuilder<StringBuilder>,
    margins: StringBuilder,
    received_at: TimestampMicrosecondBuilder,
}

#[derive(Default)]
struct Patients {
    source: StringBuilder,
    place: StringBuilder,
    id: StringBuilder,
    last_updated: TimestampMicrosecondBuilder,
    identifiers: ListBuilder<StringBuilder>,
    record: StringBuilder,
    merged_into: StringBuilder,
}

#[derive(Default)]
struct Encounters {
    source: StringBuilder,
    place: StringBuilder,
    id: StringBuilder,
    patient_id: StringBuilder,
    moved: BooleanBuilder,
    last_updated: TimestampMicrosecondBuilder,
    class: StringBuilder,
    start: TimestampMicrosecondBuilder,
    end: TimestampMicrosecondBuilder,
    identifiers: ListBuilder<StringBuilder>,
}

impl Rows {
    pub fn new(source: &str, received_at: DateTime<Utc>) -> Self {
        Rows {
            source: source.to_owned(),
            received_at,
            documents: Documents {
                authors: texts(),
                replaces: texts(),
                attachments: ListBuilder::new(BinaryBuilder::new()).with_field(Field::new("element", DataType::Binary, true)),
                attachment_sha256: texts(),
                ..Default::default()
            },
            patients: Patients { identifiers: texts(), ..Default::default() },
            encounters: Encounters { identifiers: texts(), ..Default::default() },
            versions: HashMap::new(),
            dead_letters: Vec::new(),
            documents_seen: 0,
            ignored: 0,
            charset_guessed: 0,
            bytes_fetched: 0,
            bytes_read: 0,
        }
    }

    /// Whether nothing has been met.
    pub fn is_empty(&self) -> bool {
        self.documents.id.is_empty()
            && self.patients.id.is_empty()
            && self.encounters.id.is_empty()
            && self.ignored == 0
            && self.dead_letters.is_empty()
    }

    /// Whether an epoch of so many documents is full. As many patients fill it, too: what
    /// the tables hold of a patient may be read once more.
    pub fn is_full(&self, max_documents: u64) -> bool {
        self.documents_seen.max(self.patients.id.len() as u64) >= max_documents
    }

    pub fn document(&mut self, place: &str, row: &DocumentRow<'_>) {
        // A row does not know those after it: what a deletion is of must be said now.
        let version = match row.version {
            Some(version) => {
                let newest = self.versions.entry(row.id.to_owned()).or_insert(version);
                *newest = version.max(*newest);
                row.version
            }
            None => self.versions.get(row.id).copied(),
        };
        let columns = &mut self.documents;
        columns.source.append_value(&self.source);
        columns.place.append_value(place);
        columns.id.append_value(row.id);
        columns.version.append_option(version);
        columns.precedence.append_value(row.precedence as i32);
        columns.last_updated.append_option(row.last_updated.map(|t| t.timestamp_micros()));
        columns.status.append_value(row.status);
        append_list(&mut columns.replaces, row.replaces);
        columns.patient_id.append_option(row.patient_id);
        columns.encounter_id.append_option(row.encounter_id);
        columns.type_code.append_option(row.type_code);
        columns.type_display.append_option(row.type_display);
        columns.title.append_option(row.title);
        columns.time.append_option(row.time.map(wall_clock));
        columns.language.append_option(row.language);
        columns.content_type.append_option(row.content_type);
        append_list(&mut columns.authors, row.authors);
        columns.text.append_option(row.text);
        columns.coded.append_option(row.coded);
        for attachment in row.paged.attachments {
            columns.attachments.values().append_value(attachment);
        }
        columns.attachments.append(true);
        append_list(&mut columns.attachment_sha256, row.paged.sha256);
        columns.margins.append_option(row.paged.margins);
        columns.received_at.append_value(self.received_at.timestamp_micros());
    }

    pub fn patient(&mut self, place: &str, row: &PatientRow<'_>) {
        let columns = &mut self.patients;
        columns.source.append_value(&self.source);
        columns.place.append_value(place);
        columns.id.append_value(row.id);
        columns.last_updated.append_option(row.last_updated.map(|t| t.timestamp_micros()));
        match row.record {
            Some(record) => {
                append_list(&mut columns.identifiers, row.identifiers);
                // A record of strings always has a JSON form.
                columns.record.append_option(serde_json::to_string(record).ok());
            }
            None => {
                columns.identifiers.append(false);
                columns.record.append_null();
            }
        }
        columns.merged_into.append_option(match row.merged {
            Merged::Unsaid => None,
            Merged::Alone => Some(""),
            Merged::Into(id) => Some(id),
        });
    }

    pub fn encounter(&mut self, place: &str, row: &EncounterRow<'_>) {
        let columns = &mut self.encounters;
        columns.source.append_value(&self.source);
        columns.place.append_value(place);
        columns.id.append_value(row.id);
        columns.patient_id.append_option(row.patient_id);
        columns.moved.append_option(match row.owner {
            Owner::Named => Some(false),
            Owner::Given => Some(true),
            Owner::Stated => None,
        });
        columns.last_updated.append_option(row.last_updated.map(|t| t.timestamp_micros()));
        columns.class.append_option(row.class);
        columns.start.append_option(row.start.map(wall_clock));
        columns.end.append_option(row.end.map(wall_clock));
        append_list(&mut columns.identifiers, row.identifiers);
    }

    pub fn dead_letter(&mut self, reason: &'static str, place: &str, path: &str, payload: Option<&[u8]>) {
        let payload = payload.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let detail = if path.is_empty() { place.to_owned() } else { format!("{place} {path}") };
        let mut hash = Sha256::new();
        for part in [self.source.as_str(), place, payload.as_deref().unwrap_or_default()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let message_id = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.dead_letters.push(DeadLetter { message_id, source: self.source.clone(), reason, detail, payload });
    }

    pub fn finish(mut self, position: Position) -> Result<Epoch, SourceError> {
        if self.charset_guessed > 0 {
            tracing::warn!(
                source = self.source,
                documents = self.charset_guessed,
                "texts not in their declared character set; it was guessed"
            );
        }
        let d = &mut self.documents;
        let documents: Vec<ArrayRef> = vec![
            Arc::new(d.source.finish()),
            Arc::new(d.place.finish()),
            Arc::new(d.id.finish()),
            Arc::new(d.version.finish()),
            Arc::new(d.precedence.finish()),
            Arc::new(d.last_updated.finish().with_timezone("UTC")),
            Arc::new(d.status.finish()),
            Arc::new(d.replaces.finish()),
            Arc::new(d.patient_id.finish()),
            Arc::new(d.encounter_id.finish()),
            Arc::new(d.type_code.finish()),
            Arc::new(d.type_display.finish()),
            Arc::new(d.title.finish()),
            Arc::new(d.time.finish()),
            Arc::new(d.language.finish()),
            Arc::new(d.content_type.finish()),
            Arc::new(d.authors.finish()),
            Arc::new(d.text.finish()),
            Arc::new(d.coded.finish()),
            Arc::new(d.attachments.finish()),
            Arc::new(d.attachment_sha256.finish()),
            Arc::new(d.margins.finish()),
            Arc::new(d.received_at.finish().with_timezone("UTC")),
        ];
        let p = &mut self.patients;
        let patients: Vec<ArrayRef> = vec![
            Arc::new(p.source.finish()),
            Arc::new(p.place.finish()),
            Arc::new(p.id.finish()),
            Arc::new(p.last_updated.finish().with_timezone("UTC")),
            Arc::new(p.identifiers.finish()),
            Arc::new(p.record.finish()),
            Arc::new(p.merged_into.finish()),
        ];
        let e = &mut self.encounters;
        let encounters: Vec<ArrayRef> = vec![
            Arc::new(e.source.finish()),
            Arc::new(e.place.finish()),
            Arc::new(e.id.finish()),
            Arc::new(e.patient_id.finish()),
            Arc::new(e.moved.finish()),
            Arc::new(e.last_updated.finish().with_timezone("UTC")),
            Arc::new(e.class.finish()),
            Arc::new(e.start.finish()),
            Arc::new(e.end.finish()),
            Arc::new(e.identifiers.finish()),
        ];
        Ok(Epoch {
            documents: RecordBatch::try_new(tables::incoming_documents(), documents)?,
            patients: RecordBatch::try_new(tables::incoming_patients(), patients)?,
            encounters: RecordBatch::try_new(tables::incoming_encounters(), encounters)?,
            dead_letters: self.dead_letters,
            position,
            received_at: self.received_at,
            documents_seen: self.documents_seen,
            ignored: self.ignored,
            charset_guessed: self.charset_guessed,
            bytes_read: self.bytes_read,
        })
    }
}

fn texts() -> ListBuilder<StringBuilder> {
    ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true))
}

fn append_list(list: &mut ListBuilder<StringBuilder>, items: &[String]) {
    for item in items {
        list.values().append_value(item);
    }
    list.append(true);
}

fn wall_clock(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp_micros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rows_fit_the_schemas_too() -> Result<(), SourceError> {
        let epoch = Rows::new("s", DateTime::UNIX_EPOCH).finish(Position::default())?;
        assert_eq!((epoch.documents.num_rows(), epoch.patients.num_rows(), epoch.encounters.num_rows()), (0, 0, 0));
        Ok(())
    }

    #[test]
    fn message_ids_depend_on_source_place_and_payload_alone() {
        let id = |source: &str, reason, place: &str, payload: &[u8]| {
            let mut rows = Rows::new(source, DateTime::UNIX_EPOCH);
            rows.dead_letter(reason, place, "", Some(payload));
            rows.dead_letters.remove(0).message_id
        };
        let reference = id("s", "bad_json", "f:1", b"{");
        assert_eq!(reference.len(), 32);
        assert_eq!(reference, id("s", "truncated", "f:1", b"{"));
        for other in [id("t", "bad_json", "f:1", b"{"), id("s", "bad_json", "f:2", b"{"), id("s", "bad_json", "f:1", b"[")] {
            assert_ne!(reference, other);
        }
    }
}
