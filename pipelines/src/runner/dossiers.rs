//! What the tables hold of a patient's documents and their findings, for the stage
//! that puts episodes together.
//!
//! It lies in a spool; in memory it costs some 50 bytes a patient. A patient whom an earlier
//! run left in the tables is read from there once, when a new document comes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use datafusion::execution::context::SessionContext;
use sillage_schemas::tables::table;

use super::history::{Id, id};
use super::spool::{Place, Spool};
use crate::error::{Error, Result};
use crate::store::{Store, one_of};

/// Tables of a dossier.
const TABLES: [&str; 2] = ["documents", "variables"];

/// Where the dossiers of the patients are.
pub(super) struct Dossiers {
    places: HashMap<Id, [Place; 2]>,
    spool: Spool,
}

impl Dossiers {
    pub(super) fn new(store: &Store) -> Result<Dossiers> {
        Ok(Dossiers { places: HashMap::new(), spool: Spool::new(store.root().join("restricted"), store.seal())? })
    }

    /// Documents and variables that the tables hold of these patients; `stored` are
    /// those among them of whom the tables hold anything.
    pub(super) async fn of(&mut self, stored: &[String], store: &Store) -> Result<[RecordBatch; 2]> {
        let (mut spooled, mut unread) = (Vec::new(), HashSet::new());
        for patient in stored {
            match self.places.get(&id(patient)?) {
                Some(places) => spooled.push(*places),
                None => {
                    unread.insert(patient.clone());
                }
            }
        }
        spooled.sort_unstable();
        let mut dossiers = Vec::with_capacity(2);
        for (index, name) in TABLES.into_iter().enumerate() {
            let Some(table) = table(name) else { return Err(Error::Internal(format!("no table {name}"))) };
            let schema = plain(&(table.schema)());
            let mut batches = Vec::new();
            for place in &spooled {
                batches.extend(self.read(place[index])?);
            }
            if !unread.is_empty() {
                let session = SessionContext::new();
                let rows = session.read_table(store.provider(table).await?).map_err(Box::new)?;
                let rows = rows.filter(one_of("patient_id", unread.clone())).map_err(Box::new)?;
                batches.extend(rows.collect().await.map_err(Box::new)?);
            }
            let batches = batches.iter().map(|b| as_schema(b, &schema)).collect::<Result<Vec<_>>>()?;
            dossiers.push(concat_batches(&schema, &batches).map_err(|e| Error::Internal(format!("{name}: {e}")))?);
        }
        dossiers.try_into().map_err(|_| Error::Internal("a dossier has two tables".to_owned()))
    }

    /// Keeps the whole of these patients, in place of what was kept of them.
    pub(super) fn keep(&mut self, patients: &[String], documents: &[RecordBatch], variables: &[RecordBatch]) -> Result<()> {
        let mut rows: HashMap<String, [Place; 2]> = patients.iter().map(|p| (p.clone(), Default::default())).collect();
        for (index, batches) in [documents, variables].into_iter().enumerate() {
            let Some(first) = batches.first() else { continue };
            let batch = concat_batches(&first.schema(), batches).map_err(|e| Error::Internal(format!("dossiers: {e}")))?;
            let mut of: HashMap<&str, Vec<u32>> = HashMap::new();
            let owners = strings(&batch, "patient_id")?;
            for (row, owner) in owners.iter().enumerate() {
                of.entry(owner.unwrap_or_default()).or_default().push(row as u32);
            }
            for (patient, indices) in of {
                let Some(places) = rows.get_mut(patient) else { continue };
                let taken =
                    take_record_batch(&batch, &UInt32Array::from(indices)).map_err(|e| Error::Internal(format!("dossiers: {e}")))?;
                places[index] = self.write(&taken)?;
            }
        }
        for (patient, places) in rows {
            self.places.insert(id(&patient)?, places);
        }
        Ok(())
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<Place> {
        let mut bytes = Vec::new();
        let written = StreamWriter::try_new(&mut bytes, &batch.schema()).and_then(|mut w| w.write(batch).and_then(|()| w.finish()));
        written.map_err(|e| Error::Internal(format!("dossiers: {e}")))?;
        self.spool.write(&bytes)
    }

    fn read(&mut self, place: Place) -> Result<Vec<RecordBatch>> {
        if place.is_empty() {
            return Ok(Vec::new());
        }
        let bytes = self.spool.read(place)?;
        let batches = StreamReader::try_new(bytes.as_slice(), None).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        batches.map_err(|e| Error::Internal(format!("a kept dossier cannot be read: {e}")))
    }
}

/// The columns without metadata.
fn plain(schema: &SchemaRef) -> SchemaRef {
    Arc::new(Schema::new(
        schema.fields().iter().map(|f| f.as_ref().clone().with_metadata(HashMap::new()).with_nullable(true)).collect::<Vec<_>>(),
    ))
}

fn as_schema(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let failed = |e| Error::Internal(format!("dossiers: {e}"));
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            let column = batch.column_by_name(field.name()).ok_or_else(|| Error::Internal(format!("dossiers: no {}", field.name())))?;
            cast(column, field.data_type()).map_err(failed)
        })
        .collect::<Result<Vec<_>>>()?;
    RecordBatch::try_new(schema.clone(), columns).map_err(failed)
}

fn strings(batch: &RecordBatch, name: &str) -> Result<StringArray> {
    let column = batch.column_by_name(name).ok_or_else(|| Error::Internal(format!("dossiers: no {name}")))?;
    let column = cast(column, &DataType::Utf8).map_err(|e| Error::Internal(format!("dossiers: {e}")))?;
    Ok(column.as_string::<i32>().clone())
}
