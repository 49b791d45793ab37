//! What the tables hold already: version of each document, record of each patient,
//! period of each encounter.
//!
//! Read once when a run starts and kept up with every epoch, so that an epoch is
//! checked against the one before it while that one is still being committed. In
//! memory it costs 48 to 96 bytes a document and 30 to 60 a patient or encounter;
//! the records themselves lie in a spool.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int32Array, ListArray, ListBuilder, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType};
use datafusion::execution::context::SessionContext;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use sillage_connectors::Seal;
use sillage_schemas::tables::table;

use super::merges::{Merges, Statement};
use super::spool::{Place, Spool};
use crate::error::{Error, Result};
use crate::store::Store;

/// A pseudonym: 32 hexadecimal digits as 16 bytes.
pub(super) type Id = [u8; 16];

/// What the tables hold.
pub(super) struct History {
    documents: HashMap<Id, Known>,
    patients: HashMap<Id, Place>,
    encounters: HashMap<Id, Place>,
    /// Patients who have, or once had, a document.
    documented: HashSet<Id>,
    merges: Merges,
    spool: Spool,
}

/// What is known of a document.
#[derive(Debug, Clone, Copy)]
struct Known {
    version: i32,
    precedence: i8,
    replaced: bool,
    patient: Option<Id>,
}

/// What is kept of a row of `identities`.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    identifiers: Option<Vec<String>>,
    record: Option<String>,
    revealed: Option<Vec<String>>,
    merged_into: Option<String>,
    merged_at: Option<i64>,
    last_updated: Option<i64>,
}

/// What is kept of a row of `encounters`.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Encounter {
    source_encounter_id: String,
    pub(super) source_patient_id: Option<String>,
    pub(super) moved_to: Option<String>,
    moved_at: Option<i64>,
    pub(super) identifiers: Option<Vec<String>>,
    class: Option<String>,
    start: Option<i64>,
    end: Option<i64>,
    last_updated: Option<i64>,
}

impl History {
    /// Reads the tables of a store.
    pub(super) async fn read(store: &Store) -> Result<History> {
        let mut history = History::empty(store.root().join("restricted"), store.seal())?;
        let documents = ["document_id", "document_version", "precedence", "replaced", "patient_id"];
        for_each(store, "source_documents", &documents, |batch| history.add_documents(batch)).await?;
        let people = ["patient_id", "source_patient_id", "identifiers", "record", "revealed", "merged_into", "merged_at", "last_updated"];
        for_each(store, "identities", &people, |batch| history.add_patients(batch)).await?;
        for_each(store, "encounters", &[], |batch| history.add_encounters(batch)).await?;
        Ok(history)
    }

    pub(super) fn empty(folder: PathBuf, seal: Option<Arc<Seal>>) -> Result<History> {
        Ok(History {
            documents: HashMap::new(),
            patients: HashMap::new(),
            encounters: HashMap::new(),
            documented: HashSet::new(),
            merges: Merges::default(),
            spool: Spool::new(folder, seal)?,
        })
    }

    /// Takes in rows of `source_documents`.
    pub(super) fn add_documents(&mut self, batch: &RecordBatch) -> Result<()> {
        let (ids, patients) = (strings(batch, "document_id")?, strings(batch, "patient_id")?);
        let (versions, precedences) = (integers(batch, "document_version")?, integers(batch, "precedence")?);
        let replaced = batch.column_by_name("replaced").and_then(|c| c.as_boolean_opt().cloned());
        for row in 0..ids.len() {
            let patient = patients.is_valid(row).then(|| id(patients.value(row))).transpose()?;
            self.documented.extend(patient);
            let known = Known {
                version: versions.value(row),
                precedence: if precedences.is_valid(row) { precedences.value(row) as i8 } else { 0 },
                replaced: replaced.as_ref().is_some_and(|r| r.is_valid(row) && r.value(row)),
                patient,
            };
            let newest = self.documents.entry(id(ids.value(row))?).or_insert(known);
            // Who was replaced once stays so, whatever comes of it.
            let replaced = known.replaced || newest.replaced;
            if (known.version, known.precedence) >= (newest.version, newest.precedence) {
                *newest = known;
            }
            newest.replaced = replaced;
        }
        Ok(())
    }

    /// Takes in rows of `identities`.
    pub(super) fn add_patients(&mut self, batch: &RecordBatch) -> Result<()> {
        let (ids, sources) = (strings(batch, "patient_id")?, strings(batch, "source_patient_id")?);
        let (records, merged) = (strings(batch, "record")?, strings(batch, "merged_into")?);
        let (identifiers, revealed) = (Texts::read(batch, "identifiers")?, Texts::read(batch, "revealed")?);
        let (merged_at, last_updated) = (times(batch, "merged_at")?, times(batch, "last_updated")?);
        for row in 0..ids.len() {
            let identity = Identity {
                identifiers: identifiers.of(row)?,
                record: value(&records, row),
                revealed: revealed.of(row)?,
                merged_into: value(&merged, row),
                merged_at: time(&merged_at, row),
                last_updated: time(&last_updated, row),
            };
            if let Some(source) = value(&sources, row) {
                self.merges.stored(&source, Statement { into: identity.merged_into.clone(), at: identity.merged_at });
            }
            let place = self.spool.write_record(&identity)?;
            self.patients.insert(id(ids.value(row))?, place);
        }
        Ok(())
    }

    /// Takes in rows of `encounters`.
    pub(super) fn add_encounters(&mut self, batch: &RecordBatch) -> Result<()> {
        let (ids, sources) = (strings(batch, "encounter_id")?, strings(batch, "source_encounter_id")?);
        let (patients, moved) = (strings(batch, "source_patient_id")?, strings(batch, "moved_to")?);
        let (classes, identifiers) = (strings(batch, "class")?, Texts::read(batch, "identifiers")?);
        let moved_at = times(batch, "moved_at")?;
        let (starts, ends, last_updated) = (times(batch, "start")?, times(batch, "end")?, times(batch, "last_updated")?);
        for row in 0..ids.len() {
            let encounter = Encounter {
                source_encounter_id: sources.value(row).to_owned(),
                source_patient_id: value(&patients, row),
                moved_to: value(&moved, row),
                moved_at: time(&moved_at, row),
                identifiers: identifiers.of(row)?,
                class: value(&classes, row),
                start: time(&starts, row),
                end: time(&ends, row),
                last_updated: time(&last_updated, row),
            };
            let place = self.spool.write_record(&encounter)?;
            self.encounters.insert(id(ids.value(row))?, place);
        }
        Ok(())
    }

    /// The merges that the tables hold.
    pub(super) fn merges(&self) -> &Merges {
        &self.merges
    }

    /// When it was last said of a patient, by pseudonym, that the patient stands alone.
    pub(super) fn alone_since(&mut self, patient: &str) -> Result<Option<i64>> {
        let Some(place) = self.patients.get(&id(patient)?) else { return Ok(None) };
        let identity: Identity = self.spool.read_record(*place)?;
        Ok(identity.merged_at.filter(|_| identity.merged_into.is_none()))
    }

    /// The table `stored_versions` of an epoch: of these documents the known ones.
    pub(super) fn stored_versions(&self, documents: HashSet<String>) -> Result<RecordBatch> {
        let mut ids: Vec<String> = documents.into_iter().collect();
        ids.sort_unstable();
        let mut rows = Vec::new();
        for document in ids {
            if let Some(known) = self.documents.get(&id(&document)?) {
                rows.push((document, *known));
            }
        }
        let fields = vec![
            Field::new("document_id", DataType::Utf8, false),
            Field::new("document_version", DataType::Int32, false),
            Field::new("precedence", DataType::Int32, false),
            Field::new("replaced", DataType::Boolean, false),
            Field::new("patient_id", DataType::Utf8, true),
        ];
        let columns: Vec<ArrayRef> = vec![
            Arc::new(rows.iter().map(|(id, _)| Some(id.as_str())).collect::<StringArray>()),
            Arc::new(rows.iter().map(|(_, k)| Some(k.version)).collect::<Int32Array>()),
            Arc::new(rows.iter().map(|(_, k)| Some(i32::from(k.precedence))).collect::<Int32Array>()),
            Arc::new(rows.iter().map(|(_, k)| Some(k.replaced)).collect::<BooleanArray>()),
            Arc::new(rows.iter().map(|(_, k)| k.patient.as_ref().map(pseudonym)).collect::<StringArray>()),
        ];
        batch(fields, columns)
    }

    /// The table `stored_identities` of an epoch: of these patients the known ones.
    pub(super) fn stored_identities(&mut self, patients: HashSet<String>) -> Result<RecordBatch> {
        let mut places = Vec::new();
        for patient in patients {
            if let Some(place) = self.patients.get(&id(&patient)?) {
                places.push((*place, patient));
            }
        }
        places.sort_unstable();
        let (mut identifiers, mut revealed) = (texts_builder(), texts_builder());
        let (mut ids, mut records, mut merged) = (Vec::new(), Vec::new(), Vec::new());
        let (mut merged_at, mut updated) = (Vec::new(), Vec::new());
        for (place, patient) in places {
            let identity: Identity = self.spool.read_record(place)?;
            identifiers.append_option(identity.identifiers.map(|list| list.into_iter().map(Some)));
            revealed.append_option(identity.revealed.map(|list| list.into_iter().map(Some)));
            records.push(identity.record);
            merged.push(identity.merged_into);
            merged_at.push(identity.merged_at);
            updated.push(identity.last_updated);
            ids.push(patient);
        }
        let (identifiers, revealed) = (identifiers.finish(), revealed.finish());
        let fields = vec![
            Field::new("patient_id", DataType::Utf8, false),
            Field::new("identifiers", identifiers.data_type().clone(), true),
            Field::new("record", DataType::Utf8, true),
            Field::new("revealed", revealed.data_type().clone(), true),
            Field::new("merged_into", DataType::Utf8, true),
            Field::new("merged_at", machine_time(), true),
            Field::new("last_updated", machine_time(), true),
        ];
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(ids)),
            Arc::new(identifiers),
            Arc::new(StringArray::from(records)),
            Arc::new(revealed),
            Arc::new(StringArray::from(merged)),
            Arc::new(TimestampMicrosecondArray::from(merged_at).with_timezone("UTC")),
            Arc::new(TimestampMicrosecondArray::from(updated).with_timezone("UTC")),
        ];
        batch(fields, columns)
    }

    /// What is known of an encounter, by its pseudonym.
    pub(super) fn encounter(&mut self, encounter: &str) -> Result<Option<Encounter>> {
        let Some(place) = self.encounters.get(&id(encounter)?) else { return Ok(None) };
        self.spool.read_record(*place).map(Some)
    }

    fn encounters(&mut self, encounters: &HashSet<String>) -> Result<Vec<Encounter>> {
        let mut places = Vec::new();
        for encounter in encounters {
            places.extend(self.encounters.get(&id(encounter)?).copied());
        }
        places.sort_unstable();
        places.into_iter().map(|place| self.spool.read_record(place)).collect()
    }

    /// The table `stored_encounters` of an epoch: of these encounters the known ones.
    pub(super) fn stored_encounters(&mut self, encounters: &HashSet<String>) -> Result<RecordBatch> {
        let rows = self.encounters(encounters)?;
        let mut identifiers = texts_builder();
        for row in &rows {
            identifiers.append_option(row.identifiers.as_ref().map(|list| list.iter().map(Some)));
        }
        let identifiers = identifiers.finish();
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let clinical = |name: &str| Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, None), true);
        let fields = vec![
            text("source_encounter_id"),
            text("source_patient_id"),
            text("moved_to"),
            Field::new("moved_at", machine_time(), true),
            Field::new("identifiers", identifiers.data_type().clone(), true),
            text("class"),
            clinical("start"),
            clinical("end"),
            Field::new("last_updated", machine_time(), true),
        ];
        let texts = |of: fn(&Encounter) -> Option<&String>| Arc::new(rows.iter().map(of).collect::<StringArray>()) as ArrayRef;
        let times = |of: fn(&Encounter) -> Option<i64>| rows.iter().map(of).collect::<TimestampMicrosecondArray>();
        let columns: Vec<ArrayRef> = vec![
            texts(|e| Some(&e.source_encounter_id)),
            texts(|e| e.source_patient_id.as_ref()),
            texts(|e| e.moved_to.as_ref()),
            Arc::new(times(|e| e.moved_at).with_timezone("UTC")),
            Arc::new(identifiers),
            texts(|e| e.class.as_ref()),
            Arc::new(times(|e| e.start)),
            Arc::new(times(|e| e.end)),
            Arc::new(times(|e| e.last_updated).with_timezone("UTC")),
        ];
        batch(fields, columns)
    }

    /// Whose these encounters are or were, and the other numbers that they have.
    pub(super) fn moved(&mut self, encounters: &HashSet<String>) -> Result<(Vec<String>, Vec<String>)> {
        let (mut to, mut numbers) = (Vec::new(), Vec::new());
        for encounter in self.encounters(encounters)? {
            to.extend(encounter.moved_to);
            to.extend(encounter.source_patient_id);
            numbers.extend(encounter.identifiers.unwrap_or_default());
        }
        Ok((to, numbers))
    }

    /// Which of these keys the tables hold in the column of that name.
    pub(super) fn known(&self, key: &str, keys: Vec<String>) -> Result<Vec<String>> {
        let ids = keys.iter().map(|key| id(key)).collect::<Result<Vec<_>>>()?;
        let known = |id: &Id| match key {
            "patient_id" => self.patients.contains_key(id),
            "encounter_id" => self.encounters.contains_key(id),
            _ => self.documents.contains_key(id),
        };
        Ok(keys.into_iter().zip(ids).filter(|(_, id)| known(id)).map(|(key, _)| key).collect())
    }

    /// Which of these documents are known, and not known to be replaced.
    pub(super) fn not_replaced(&self, documents: Vec<String>) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for document in documents {
            if self.documents.get(&id(&document)?).is_some_and(|known| !known.replaced) {
                found.push(document);
            }
        }
        Ok(found)
    }

    /// Which of these patients have documents.
    pub(super) fn documented(&self, patients: Vec<String>) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for patient in patients {
            if self.documented.contains(&id(&patient)?) {
                found.push(patient);
            }
        }
        Ok(found)
    }
}

/// A column of lists of text.
pub(super) struct Texts<'b>(&'b ListArray);

impl<'b> Texts<'b> {
    pub(super) fn read(batch: &'b RecordBatch, name: &str) -> Result<Texts<'b>> {
        let lists = batch.column_by_name(name).and_then(|c| c.as_list_opt::<i32>());
        lists.map(Texts).ok_or_else(|| Error::Internal(format!("{name} is no list")))
    }

    pub(super) fn of(&self, row: usize) -> Result<Option<Vec<String>>> {
        match self.0.is_valid(row) {
            true => Ok(Some(texts(&self.0.value(row))?.iter().flatten().map(str::to_owned).collect())),
            false => Ok(None),
        }
    }
}

async fn for_each(store: &Store, name: &str, columns: &[&str], mut take: impl FnMut(&RecordBatch) -> Result<()>) -> Result<()> {
    let Some(table) = table(name) else { return Err(Error::Internal(format!("no table {name}"))) };
    let session = SessionContext::new();
    let mut rows = session.read_table(store.provider(table).await?).map_err(Box::new)?;
    if !columns.is_empty() {
        rows = rows.select_columns(columns).map_err(Box::new)?;
    }
    let mut stream = rows.execute_stream().await.map_err(Box::new)?;
    while let Some(batch) = stream.try_next().await.map_err(Box::new)? {
        take(&batch)?;
    }
    Ok(())
}

fn texts_builder() -> ListBuilder<StringBuilder> {
    ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true))
}

pub(super) fn machine_time() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

pub(super) fn batch(fields: Vec<Field>, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    RecordBatch::try_new(schema, columns).map_err(|e| Error::Internal(format!("history: {e}")))
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| Error::Internal(format!("no column {name}")))
}

pub(super) fn strings(batch: &RecordBatch, name: &str) -> Result<StringArray> {
    texts(column(batch, name)?)
}

fn texts(column: &ArrayRef) -> Result<StringArray> {
    Ok(cast(column, &DataType::Utf8).map_err(|e| Error::Internal(format!("history: {e}")))?.as_string::<i32>().clone())
}

fn integers(batch: &RecordBatch, name: &str) -> Result<Int32Array> {
    let integers = column(batch, name)?.as_primitive_opt::<Int32Type>();
    integers.cloned().ok_or_else(|| Error::Internal(format!("{name} is no int32")))
}

/// Microseconds, with or without a zone.
pub(super) fn times(batch: &RecordBatch, name: &str) -> Result<TimestampMicrosecondArray> {
    let plain = cast(column(batch, name)?, &DataType::Timestamp(TimeUnit::Microsecond, None));
    Ok(plain.map_err(|e| Error::Internal(format!("{name}: {e}")))?.as_primitive::<TimestampMicrosecondType>().clone())
}

pub(super) fn value(column: &StringArray, row: usize) -> Option<String> {
    column.is_valid(row).then(|| column.value(row).to_owned())
}

pub(super) fn time(column: &TimestampMicrosecondArray, row: usize) -> Option<i64> {
    column.is_valid(row).then(|| column.value(row))
}

pub(super) fn id(pseudonym: &str) -> Result<Id> {
    let digits = u128::from_str_radix(pseudonym, 16).ok().filter(|_| pseudonym.len() == 32);
    digits.map(u128::to_be_bytes).ok_or_else(|| Error::Internal("a pseudonym is not 32 hexadecimal digits".to_owned()))
}

fn pseudonym(id: &Id) -> String {
    format!("{:032x}", u128::from_be_bytes(*id))
}

#[cfg(test)]
mod tests;
