//! What the tables hold already: version of each document, record of each patient.
//!
//! Read once when a run starts and kept up with every epoch, so that an epoch is
//! checked against the one before it while that one is still being committed. In
//! memory it costs 24 to 48 bytes a document and 30 to 60 a patient; the records
//! themselves lie in a file without name in the restricted zone, which goes with
//! the process.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListArray, ListBuilder, RecordBatch, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use datafusion::execution::context::SessionContext;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use sillage_schemas::tables::table;

use crate::error::{Error, Result};
use crate::store::Store;

/// A pseudonym: 32 hexadecimal digits as 16 bytes.
pub(super) type Id = [u8; 16];

/// Versions of the documents, and where the records of the patients are.
pub(super) struct History {
    versions: HashMap<Id, i32>,
    patients: HashMap<Id, Place>,
    records: File,
    end: u64,
    folder: PathBuf,
}

struct Place {
    offset: u64,
    length: u32,
}

/// What is kept of a row of `identities`.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    identifiers: Option<Vec<String>>,
    record: Option<String>,
    revealed: Option<Vec<String>>,
}

impl History {
    /// Reads the tables of a store.
    pub(super) async fn read(store: &Store) -> Result<History> {
        let mut history = History::empty(store.root().join("restricted"))?;
        for_each(store, "source_documents", &["document_id", "document_version"], |batch| history.add_documents(batch)).await?;
        for_each(store, "identities", &["patient_id", "identifiers", "record", "revealed"], |batch| history.add_patients(batch)).await?;
        Ok(history)
    }

    pub(super) fn empty(folder: PathBuf) -> Result<History> {
        let records = tempfile::tempfile_in(&folder).map_err(Error::io(&folder))?;
        Ok(History { versions: HashMap::new(), patients: HashMap::new(), records, end: 0, folder })
    }

    /// Takes in rows with `document_id` and `document_version`.
    pub(super) fn add_documents(&mut self, batch: &RecordBatch) -> Result<()> {
        let ids = strings(batch, "document_id")?;
        let versions = batch.column_by_name("document_version").and_then(|c| c.as_primitive_opt::<Int32Type>());
        let Some(versions) = versions else { return Err(Error::Internal("document_version is no int32".to_owned())) };
        for row in 0..ids.len() {
            let version = versions.value(row);
            let newest = self.versions.entry(id(ids.value(row))?).or_insert(version);
            *newest = version.max(*newest);
        }
        Ok(())
    }

    /// Takes in rows with `patient_id`, `identifiers`, `record` and `revealed`.
    pub(super) fn add_patients(&mut self, batch: &RecordBatch) -> Result<()> {
        let (ids, records) = (strings(batch, "patient_id")?, strings(batch, "record")?);
        let (identifiers, revealed) = (Texts::read(batch, "identifiers")?, Texts::read(batch, "revealed")?);
        let mut bytes = Vec::new();
        for row in 0..ids.len() {
            let start = bytes.len();
            let record = records.is_valid(row).then(|| records.value(row).to_owned());
            let identity = Identity { identifiers: identifiers.of(row)?, record, revealed: revealed.of(row)? };
            serde_json::to_writer(&mut bytes, &identity).map_err(|_| Error::Internal("an identity has no JSON form".to_owned()))?;
            let place = Place { offset: self.end + start as u64, length: (bytes.len() - start) as u32 };
            self.patients.insert(id(ids.value(row))?, place);
        }
        let written = self.records.seek(SeekFrom::Start(self.end)).and_then(|_| self.records.write_all(&bytes));
        written.map_err(Error::io(&self.folder))?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// The table `stored_versions` of an epoch: of these documents the known ones.
    pub(super) fn stored_versions(&self, documents: HashSet<String>) -> Result<RecordBatch> {
        let (mut ids, mut versions) = (Vec::new(), Vec::new());
        for document in documents {
            if let Some(version) = self.versions.get(&id(&document)?) {
                ids.push(document);
                versions.push(*version);
            }
        }
        let fields = vec![Field::new("document_id", DataType::Utf8, false), Field::new("document_version", DataType::Int32, false)];
        batch(fields, vec![Arc::new(StringArray::from(ids)), Arc::new(Int32Array::from(versions))])
    }

    /// The table `stored_identities` of an epoch: of these patients the known ones.
    pub(super) fn stored_identities(&mut self, patients: HashSet<String>) -> Result<RecordBatch> {
        let mut ids = Vec::new();
        let texts = || ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true));
        let (mut identifiers, mut revealed) = (texts(), texts());
        let mut records = StringBuilder::new();
        let mut places = Vec::new();
        for patient in patients {
            if let Some(place) = self.patients.get(&id(&patient)?) {
                places.push((place.offset, place.length, patient));
            }
        }
        places.sort_unstable();
        let mut json = Vec::new();
        for (offset, length, patient) in places {
            json.resize(length as usize, 0);
            let read = self.records.seek(SeekFrom::Start(offset)).and_then(|_| self.records.read_exact(&mut json));
            read.map_err(Error::io(&self.folder))?;
            let identity: Identity =
                serde_json::from_slice(&json).map_err(|_| Error::Internal("a kept identity cannot be read".to_owned()))?;
            identifiers.append_option(identity.identifiers.map(|list| list.into_iter().map(Some)));
            records.append_option(identity.record);
            revealed.append_option(identity.revealed.map(|list| list.into_iter().map(Some)));
            ids.push(patient);
        }
        let (identifiers, revealed) = (identifiers.finish(), revealed.finish());
        let fields = vec![
            Field::new("patient_id", DataType::Utf8, false),
            Field::new("identifiers", identifiers.data_type().clone(), true),
            Field::new("record", DataType::Utf8, true),
            Field::new("revealed", revealed.data_type().clone(), true),
        ];
        batch(fields, vec![Arc::new(StringArray::from(ids)), Arc::new(identifiers), Arc::new(records.finish()), Arc::new(revealed)])
    }

    /// Which of these documents the tables hold.
    pub(super) fn documents_known(&self, keys: Vec<String>) -> Result<Vec<String>> {
        retain(keys, |id| self.versions.contains_key(id))
    }

    /// Which of these patients the tables hold.
    pub(super) fn patients_known(&self, keys: Vec<String>) -> Result<Vec<String>> {
        retain(keys, |id| self.patients.contains_key(id))
    }
}

fn retain(keys: Vec<String>, known: impl Fn(&Id) -> bool) -> Result<Vec<String>> {
    let ids = keys.iter().map(|key| id(key)).collect::<Result<Vec<_>>>()?;
    Ok(keys.into_iter().zip(ids).filter(|(_, id)| known(id)).map(|(key, _)| key).collect())
}

/// A column of lists of text.
struct Texts<'b>(&'b ListArray);

impl<'b> Texts<'b> {
    fn read(batch: &'b RecordBatch, name: &str) -> Result<Texts<'b>> {
        let lists = batch.column_by_name(name).and_then(|c| c.as_list_opt::<i32>());
        lists.map(Texts).ok_or_else(|| Error::Internal(format!("{name} is no list")))
    }

    fn of(&self, row: usize) -> Result<Option<Vec<String>>> {
        match self.0.is_valid(row) {
            true => Ok(Some(texts(&self.0.value(row))?.iter().flatten().map(str::to_owned).collect())),
            false => Ok(None),
        }
    }
}

async fn for_each(store: &Store, name: &str, columns: &[&str], mut take: impl FnMut(&RecordBatch) -> Result<()>) -> Result<()> {
    let Some(table) = table(name) else { return Err(Error::Internal(format!("no table {name}"))) };
    let session = SessionContext::new();
    let rows = session.read_table(store.provider(table).await?).map_err(Box::new)?;
    let mut stream = rows.select_columns(columns).map_err(Box::new)?.execute_stream().await.map_err(Box::new)?;
    while let Some(batch) = stream.try_next().await.map_err(Box::new)? {
        take(&batch)?;
    }
    Ok(())
}

fn batch(fields: Vec<Field>, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|e| Error::Internal(format!("history: {e}")))
}

fn strings(batch: &RecordBatch, name: &str) -> Result<StringArray> {
    texts(batch.column_by_name(name).ok_or_else(|| Error::Internal(format!("no column {name}")))?)
}

fn texts(column: &ArrayRef) -> Result<StringArray> {
    Ok(cast(column, &DataType::Utf8).map_err(|e| Error::Internal(format!("history: {e}")))?.as_string::<i32>().clone())
}

pub(super) fn id(pseudonym: &str) -> Result<Id> {
    let digits = u128::from_str_radix(pseudonym, 16).ok().filter(|_| pseudonym.len() == 32);
    digits.map(u128::to_be_bytes).ok_or_else(|| Error::Internal("a pseudonym is not 32 hexadecimal digits".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "000102030405060708090a0b0c0d0e0f";
    const B: &str = "ffffffffffffffffffffffffffffffff";

    fn documents(rows: &[(&str, i32)]) -> RecordBatch {
        let fields = vec![Field::new("document_id", DataType::Utf8, false), Field::new("document_version", DataType::Int32, false)];
        let ids: StringArray = rows.iter().map(|(id, _)| Some(*id)).collect();
        let versions: Int32Array = rows.iter().map(|(_, version)| Some(*version)).collect();
        batch(fields, vec![Arc::new(ids), Arc::new(versions)]).unwrap()
    }

    /// Patient, identifiers, record.
    type Row<'a> = (&'a str, Option<&'a [&'a str]>, Option<&'a str>);

    fn patients(rows: &[Row<'_>]) -> RecordBatch {
        let mut identifiers = ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true));
        for (_, list, _) in rows {
            identifiers.append_option(list.map(|list| list.iter().map(|i| Some(*i))));
        }
        let identifiers = identifiers.finish();
        let fields = vec![
            Field::new("patient_id", DataType::Utf8, false),
            Field::new("identifiers", identifiers.data_type().clone(), true),
            Field::new("record", DataType::Utf8, true),
            Field::new("revealed", identifiers.data_type().clone(), true),
        ];
        let ids: StringArray = rows.iter().map(|(id, ..)| Some(*id)).collect();
        let records: StringArray = rows.iter().map(|(.., record)| *record).collect();
        let revealed = arrow::array::new_null_array(identifiers.data_type(), rows.len());
        batch(fields, vec![Arc::new(ids), Arc::new(identifiers), Arc::new(records), revealed]).unwrap()
    }

    fn set(ids: &[&str]) -> HashSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn the_newest_version_stays() {
        let mut history = History::empty(std::env::temp_dir()).unwrap();
        history.add_documents(&documents(&[(A, 3)])).unwrap();
        history.add_documents(&documents(&[(A, 2)])).unwrap();
        assert_eq!(history.stored_versions(set(&[A, B])).unwrap(), documents(&[(A, 3)]));
    }

    #[test]
    fn the_last_record_stays() {
        let mut history = History::empty(std::env::temp_dir()).unwrap();
        history.add_patients(&patients(&[(A, None, None), (B, Some(&["s|1"]), Some("{}"))])).unwrap();
        history.add_patients(&patients(&[(A, Some(&[]), Some("{\"families\":[\"Inventée\"]}"))])).unwrap();
        let expected = patients(&[(A, Some(&[]), Some("{\"families\":[\"Inventée\"]}"))]);
        assert_eq!(history.stored_identities(set(&[A])).unwrap(), expected);
        assert_eq!(history.stored_identities(set(&[B])).unwrap(), patients(&[(B, Some(&["s|1"]), Some("{}"))]));
        assert_eq!(history.stored_identities(set(&["0".repeat(32).as_str()])).unwrap().num_rows(), 0);
    }

    #[test]
    fn what_is_no_pseudonym_is_an_error() {
        assert!(History::empty(std::env::temp_dir()).unwrap().add_documents(&documents(&[("d1", 1)])).is_err());
    }
}
