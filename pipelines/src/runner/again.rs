//! Documents that an epoch makes worth a second reading: those of a merged patient
//! or a moved encounter, those that another one replaces, those in which a name
//! stands that is known only now.
//!
//! Their rows come out of `source_documents` and go through the stages with the
//! epoch. Which ones is written into the journal: after a crash the tables may
//! already hold part of the answer, and looking once more would not find them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, ListBuilder, RecordBatch, StringBuilder};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::Field;
use datafusion::execution::context::SessionContext;
use datafusion::prelude::Expr;
use serde::{Deserialize, Serialize};
use sillage_schemas::tables::{incoming_documents, table};

use super::history::{History, Texts, strings, times, value};
use super::merges::{Merges, Statement};
use crate::error::{Error, Result};
use crate::pseudonym::Key;
use crate::store::{Store, one_of};

/// What an epoch takes along beyond what its source brings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// Pseudonyms of the documents read once more.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub documents: BTreeSet<String>,
    /// Pseudonyms of patients whose episodes are put together anew.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub patients: BTreeSet<String>,
    /// Pseudonyms of encounters of which there was news: once the tables hold it, none is seen.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub encounters: BTreeSet<String>,
}

/// What makes stored documents worth a second reading, as the source calls it.
#[derive(Debug, Default)]
pub(super) struct Causes {
    /// Pseudonyms: a moved stay gives documents of others to a patient.
    patients: HashSet<String>,
    encounters: HashSet<String>,
    /// Numbers given to another patient: encounters may have them beside their own.
    moved: HashSet<String>,
    documents: HashSet<String>,
}

/// The merges of the tables with those that an epoch brings.
pub(super) fn merges(history: &mut History, key: &Key, patients: &RecordBatch) -> Result<Merges> {
    let (ids, merged, at) = (strings(patients, "source_patient_id")?, strings(patients, "merged_into")?, times(patients, "last_updated")?);
    let mut merges = history.merges().clone();
    for row in (0..ids.len()).filter(|row| merged.is_valid(*row)) {
        let patient = ids.value(row);
        if merges.statement(patient).is_none()
            && let Some(at) = history.alone_since(&key.pseudonym("patient", patient))?
        {
            merges.state(patient, Statement { into: None, at: Some(at) });
        }
        let into = Some(merged.value(row)).filter(|into| !into.is_empty()).map(str::to_owned);
        merges.state(patient, Statement { into, at: at.is_valid(row).then(|| at.value(row)) });
    }
    Ok(merges)
}

/// What an epoch brings that stored documents may hang on.
pub(super) fn causes(
    history: &mut History,
    key: &Key,
    documents: &RecordBatch,
    patients: &RecordBatch,
    encounters: &RecordBatch,
) -> Result<Causes> {
    let mut causes = Causes::default();
    let merges = merges(history, key, patients)?;
    let mut suspects = Vec::new();
    for patient in merges.changed(history.merges()) {
        let before = history.merges().survivor(patient);
        suspects.push((patient.to_owned(), key.pseudonym("patient", before)));
    }
    let documented: HashSet<String> = history.documented(suspects.iter().map(|(_, p)| p.clone()).collect())?.into_iter().collect();
    causes.patients.extend(suspects.into_iter().map(|(_, before)| before).filter(|before| documented.contains(before)));

    moves(&mut causes, history, key, encounters)?;

    // Also of those that come along: what comes may be older than what is stored.
    let replaced = replaced(documents)?;
    causes.documents.extend(history.not_replaced(replaced.iter().map(|id| key.pseudonym("document", id)).collect())?);
    Ok(causes)
}

/// Encounters that an epoch gives to another patient, or tells to be of an account that was.
fn moves(causes: &mut Causes, history: &mut History, key: &Key, encounters: &RecordBatch) -> Result<()> {
    let (ids, to) = (strings(encounters, "source_encounter_id")?, strings(encounters, "source_patient_id")?);
    let moved = encounters.column_by_name("moved").and_then(|c| c.as_boolean_opt());
    let moved = moved.ok_or_else(|| Error::Internal("moved is no flag".to_owned()))?;
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for row in (0..ids.len()).filter(|row| to.is_valid(*row)) {
        let (id, to) = (ids.value(row), to.value(row));
        let stored = history.encounter(&key.pseudonym("encounter", id))?.unwrap_or_default();
        let is_move = match moved.is_valid(row) {
            true => moved.value(row) && stored.moved_to.as_deref() != Some(to),
            // Also of an older version: the one that is stored has then moved.
            false => stored.source_patient_id.is_some_and(|owner| owner != to) || *owners.entry(id).or_insert(to) != to,
        };
        if is_move {
            causes.encounters.insert(id.to_owned());
            causes.moved.insert(id.to_owned());
        }
    }
    let lists = Texts::read(encounters, "identifiers")?;
    for row in 0..ids.len() {
        let id = ids.value(row);
        let numbers = lists.of(row)?.unwrap_or_default();
        let others: Vec<&String> = numbers.iter().filter(|number| *number != id).collect();
        if others.is_empty() {
            continue;
        }
        let known = history.encounter(&key.pseudonym("encounter", id))?.and_then(|stored| stored.identifiers).unwrap_or_default();
        for number in others {
            let account = history.encounter(&key.pseudonym("encounter", number))?;
            let was_moved = !known.contains(number) && account.is_some_and(|account| account.moved_to.is_some());
            if causes.moved.contains(number) || was_moved {
                causes.encounters.insert(id.to_owned());
                break;
            }
        }
    }
    Ok(())
}

/// The documents that those of an epoch take the place of.
pub(super) fn replaced(documents: &RecordBatch) -> Result<Vec<String>> {
    let replaces = documents.column_by_name("replaces").and_then(|c| c.as_list_opt::<i32>());
    let replaces = replaces.ok_or_else(|| Error::Internal("replaces is no list".to_owned()))?;
    if replaces.values().is_empty() {
        return Ok(Vec::new());
    }
    let ids = strings(&RecordBatch::try_from_iter([("id", replaces.values().clone())]).map_err(internal)?, "id")?;
    Ok(ids.iter().flatten().map(str::to_owned).collect())
}

impl Causes {
    fn is_empty(&self) -> bool {
        self.patients.is_empty() && self.encounters.is_empty() && self.documents.is_empty()
    }
}

/// The stored documents that these causes touch, without those already in the epoch.
pub(super) async fn touched(mut causes: Causes, store: &Store) -> Result<BTreeSet<String>> {
    if causes.is_empty() {
        return Ok(BTreeSet::new());
    }
    if !causes.moved.is_empty() {
        causes.encounters.extend(numbered(&causes.moved, store).await?);
    }
    let mut which: Option<Expr> = None;
    for (column, values) in [("patient_id", causes.patients), ("source_encounter_id", causes.encounters), ("document_id", causes.documents)]
    {
        if !values.is_empty() {
            let matches = one_of(column, values);
            which = Some(which.map_or(matches.clone(), |w| w.or(matches)));
        }
    }
    let Some(which) = which else { return Ok(BTreeSet::new()) };
    let rows = select(store, which).await?;
    let mut documents = BTreeSet::new();
    for batch in rows.select_columns(&["document_id"]).map_err(Box::new)?.collect().await.map_err(Box::new)? {
        documents.extend(strings(&batch, "document_id")?.iter().flatten().map(str::to_owned));
    }
    Ok(documents)
}

/// The stored encounters that have one of these among their other numbers.
async fn numbered(numbers: &HashSet<String>, store: &Store) -> Result<Vec<String>> {
    let Some(table) = table("encounters") else { return Err(Error::Internal("no table encounters".to_owned())) };
    let rows = SessionContext::new().read_table(store.provider(table).await?).map_err(Box::new)?;
    let rows = rows.select_columns(&["source_encounter_id", "identifiers"]).map_err(Box::new)?;
    let mut found = Vec::new();
    for batch in rows.collect().await.map_err(Box::new)? {
        let (ids, lists) = (strings(&batch, "source_encounter_id")?, Texts::read(&batch, "identifiers")?);
        for row in 0..ids.len() {
            if lists.of(row)?.is_some_and(|list| list.iter().any(|number| numbers.contains(number))) {
                found.push(ids.value(row).to_owned());
            }
        }
    }
    Ok(found)
}

/// Stored texts in which an identifier stands that these new identities know.
///
/// `identities` are rows of that table, `texts` rows of `documents`.
pub(super) fn showing(identities: &[RecordBatch], texts: &RecordBatch) -> Result<BTreeSet<String>> {
    let mut showing = BTreeSet::new();
    let (ids, patients, contents) = (strings(texts, "document_id")?, strings(texts, "patient_id")?, strings(texts, "text")?);
    let mut of: HashMap<&str, Vec<usize>> = HashMap::new();
    for row in (0..ids.len()).filter(|row| contents.is_valid(*row) && patients.is_valid(*row)) {
        of.entry(patients.value(row)).or_default().push(row);
    }
    for batch in identities {
        let (people, records) = (strings(batch, "patient_id")?, strings(batch, "record")?);
        let revealed = batch.column_by_name("revealed").and_then(|c| c.as_list_opt::<i32>());
        for row in 0..people.len() {
            let Some(rows) = of.get(people.value(row)) else { continue };
            let items = revealed.filter(|r| r.is_valid(row)).map(|r| r.value(row));
            let items = items.map(|i| cast(&i, &arrow::datatypes::DataType::Utf8)).transpose().map_err(internal)?;
            let items = items.as_ref().map(|i| i.as_string::<i32>().iter().flatten()).into_iter().flatten();
            let identifiers = sillage_functions::known_identifiers(value(&records, row).as_deref(), items);
            showing.extend(rows.iter().filter(|r| identifiers.find(contents.value(**r)).is_some()).map(|r| ids.value(*r).to_owned()));
        }
    }
    Ok(showing)
}

/// The rows of an epoch with those of stored documents, as if their source sent them again.
pub(super) async fn with_stored(documents: &RecordBatch, again: &BTreeSet<String>, store: &Store) -> Result<RecordBatch> {
    let rows = select(store, one_of("document_id", again.iter().cloned().collect())).await?;
    let mut batches = vec![documents.clone()];
    for batch in rows.collect().await.map_err(Box::new)? {
        batches.push(as_received(&batch)?);
    }
    concat_batches(&incoming_documents(), &batches).map_err(internal)
}

async fn select(store: &Store, which: Expr) -> Result<datafusion::dataframe::DataFrame> {
    let Some(table) = table("source_documents") else { return Err(Error::Internal("no table source_documents".to_owned())) };
    let rows = SessionContext::new().read_table(store.provider(table).await?).map_err(Box::new)?;
    Ok(rows.filter(which).map_err(Box::new)?)
}

/// Rows of `source_documents` with the columns of `incoming_documents`.
fn as_received(batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = incoming_documents();
    let columns = schema.fields().iter().map(|field| {
        let name = match field.name().as_str() {
            "attachments" => {
                let item = Field::new("element", arrow::datatypes::DataType::Binary, true);
                let mut none = ListBuilder::new(BinaryBuilder::new()).with_field(item);
                (0..batch.num_rows()).for_each(|_| none.append(true));
                return Ok(Arc::new(none.finish()) as ArrayRef);
            }
            "replaces" => {
                let item = Field::new("element", arrow::datatypes::DataType::Utf8, true);
                let mut none = ListBuilder::new(StringBuilder::new()).with_field(item);
                (0..batch.num_rows()).for_each(|_| none.append(true));
                return Ok(Arc::new(none.finish()) as ArrayRef);
            }
            "source" => "feed",
            "place" => "source",
            name => name,
        };
        let column = batch.column_by_name(name).ok_or_else(|| Error::Internal(format!("source_documents: no {name}")))?;
        cast(column, field.data_type()).map_err(internal)
    });
    RecordBatch::try_new(schema.clone(), columns.collect::<Result<Vec<_>>>()?).map_err(internal)
}

fn internal(error: arrow::error::ArrowError) -> Error {
    Error::Internal(format!("documents read again: {error}"))
}
