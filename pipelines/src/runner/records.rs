//! Rows that the runner itself writes: runs and dead letters.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Fields};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sillage_connectors::DeadLetter;
use sillage_schemas::tables;
use sillage_schemas::terminology::{CODE_NAMES, LEXICON};

use super::Summary;
use super::history::{batch, machine_time};
use super::merges::Merges;
use crate::error::{Error, Result};
use crate::stages;

pub(super) fn dead_letters(letters: &[DeadLetter], received_at: i64) -> Result<RecordBatch> {
    let text = |field: fn(&DeadLetter) -> &str| Arc::new(letters.iter().map(|l| Some(field(l))).collect::<StringArray>()) as ArrayRef;
    let columns = vec![
        text(|l| &l.message_id),
        Arc::new(TimestampMicrosecondArray::from(vec![received_at; letters.len()]).with_timezone("UTC")) as ArrayRef,
        text(|l| &l.source),
        text(|l| l.reason),
        text(|l| &l.detail),
        Arc::new(letters.iter().map(|l| l.payload.as_deref()).collect::<StringArray>()) as ArrayRef,
    ];
    RecordBatch::try_new(tables::dead_letters(), columns).map_err(|e| Error::Internal(format!("dead letters: {e}")))
}

/// The table `survivors` of an epoch: to whom the documents of each of these belong.
pub(super) fn survivors(people: &[&str], merges: &Merges) -> Result<RecordBatch> {
    let statement = |p: &&str| merges.statement(p);
    let text = |values: Vec<Option<&str>>| Arc::new(StringArray::from(values)) as ArrayRef;
    let at: Vec<Option<i64>> = people.iter().map(|p| statement(p).and_then(|s| s.at)).collect();
    let fields = vec![
        Field::new("source_patient_id", DataType::Utf8, false),
        Field::new("survivor", DataType::Utf8, false),
        Field::new("merged_into", DataType::Utf8, true),
        Field::new("merged_at", machine_time(), true),
    ];
    let columns = vec![
        text(people.iter().map(|p| Some(*p)).collect()),
        text(people.iter().map(|p| Some(merges.survivor(p))).collect()),
        text(people.iter().map(|p| statement(p).and_then(|s| s.into.as_deref())).collect()),
        Arc::new(TimestampMicrosecondArray::from(at).with_timezone("UTC")) as ArrayRef,
    ];
    batch(fields, columns)
}

/// A table of one column.
pub(super) fn pseudonyms(name: &str, pseudonyms: &BTreeSet<String>) -> Result<RecordBatch> {
    let column = Arc::new(pseudonyms.iter().map(Some).collect::<StringArray>()) as ArrayRef;
    batch(vec![Field::new(name, DataType::Utf8, false)], vec![column])
}

pub(super) fn run_row(
    summary: &Summary,
    models: &[[String; 4]],
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
) -> Result<RecordBatch> {
    let schema = tables::runs();
    let time = |t: Option<DateTime<Utc>>| {
        Arc::new(TimestampMicrosecondArray::from(vec![t.map(|t| t.timestamp_micros())]).with_timezone("UTC")) as ArrayRef
    };
    let text = |s: &str| Arc::new(StringArray::from(vec![s])) as ArrayRef;
    let number = |n: u64| Arc::new(arrow::array::Int64Array::from(vec![n as i64])) as ArrayRef;
    let ours = env!("CARGO_PKG_VERSION").to_owned();
    let files: Vec<[String; 3]> =
        LEXICON.iter().chain([&CODE_NAMES]).map(|f| [f.name.to_owned(), ours.clone(), hex_digest(f.content.as_bytes())]).collect();
    let columns = vec![
        text(&summary.run_id),
        time(Some(started_at)),
        time(finished_at),
        text(env!("CARGO_PKG_VERSION")),
        text(&stages::digest()),
        listed(schema.field(5).data_type(), models)?,
        listed(schema.field(6).data_type(), &files)?,
        number(summary.documents),
        number(summary.failures),
    ];
    RecordBatch::try_new(schema, columns).map_err(|e| Error::Internal(format!("runs: {e}")))
}

/// One list of structs of text.
fn listed<const N: usize>(list: &DataType, rows: &[[String; N]]) -> Result<ArrayRef> {
    let DataType::List(item) = list else { return Err(Error::Internal("runs: not a list".to_owned())) };
    let DataType::Struct(fields) = item.data_type() else { return Err(Error::Internal("runs: not a struct".to_owned())) };
    let fields: Fields = fields.clone();
    let column = |at: usize| Arc::new(rows.iter().map(|row| Some(row[at].as_str())).collect::<StringArray>()) as ArrayRef;
    let columns: Vec<ArrayRef> = (0..N).map(column).collect();
    let build = || -> std::result::Result<ArrayRef, arrow::error::ArrowError> {
        let items = StructArray::try_new(fields, columns, None)?;
        let offsets = arrow::buffer::OffsetBuffer::from_lengths([rows.len()]);
        Ok(Arc::new(ListArray::try_new(item.clone(), offsets, Arc::new(items), None)?))
    };
    build().map_err(|e| Error::Internal(format!("runs: {e}")))
}

fn hex_digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}
