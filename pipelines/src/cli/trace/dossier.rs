//! The patients of a table and their original documents.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta};
use datafusion::execution::context::SessionContext;
use futures::StreamExt;
use sillage_clinical::analysis::Analysis;
use sillage_functions::Library;
use sillage_schemas::record::PatientRecord;
use sillage_variables::episode::DocumentKind;
use sillage_variables::extract::extract;
use sillage_variables::resolve::{self, Patient, Reading, resolve_patient};
use sillage_variables::trace::{Map, Traced, trace};
use sillage_variables::{Facts, Finding};

use super::sheet::Sheet;
use crate::error::{Error, Result};
use crate::store::{Store, one_of};

/// Tables that a trace reads.
const TABLES: [&str; 3] = ["identities", "documents", "source_documents"];

/// A patient of the run.
#[derive(Clone)]
pub(super) struct Identity {
    pub patient_id: String,
    shift: i32,
    birth_date: Option<NaiveDate>,
    female: Option<bool>,
}

/// Who the rows of a table are of.
pub(super) struct Found {
    /// With their rows, in the order of the first ones.
    pub patients: Vec<(Identity, Vec<usize>)>,
    /// Rows of nobody.
    pub missing: Vec<usize>,
    /// Those of them that could be of several.
    pub ambiguous: usize,
}

/// One document with its original text and its own times.
pub(super) struct Original {
    pub document_id: String,
    pub source_document_id: String,
    encounter: Option<String>,
    type_code: Option<String>,
    kind: DocumentKind,
    time: Option<NaiveDateTime>,
    stay_start: Option<NaiveDateTime>,
    stay_end: Option<NaiveDateTime>,
    pub text: String,
}

/// The documents of one patient, in the order of time.
#[derive(Default)]
pub(super) struct Dossier {
    pub documents: Vec<Original>,
}

/// A row of the table and what became of its cells.
pub(super) struct TracedRow {
    pub row: usize,
    pub cells: Vec<Traced>,
}

/// Numbers lose their leading zeros in spreadsheets.
fn bare(number: &str) -> &str {
    if number.bytes().all(|b| b.is_ascii_digit()) { number.trim_start_matches('0') } else { number }
}

/// Finds the patients of a table by the source's id or one of their numbers.
pub(super) async fn identities(store: &Store, session: &SessionContext, sheet: &Sheet) -> Result<Found> {
    for name in TABLES {
        if !store.tables().any(|t| t.name == name) {
            return Err(Error::Configuration(format!("{}: no table {name}; give the --out of a run", store.root().display())));
        }
    }
    let wanted: HashSet<&str> = sheet.rows.iter().map(|r| r.patient.as_str()).filter(|p| !p.is_empty()).collect();
    let wanted_bare: HashSet<&str> = wanted.iter().map(|w| bare(w)).filter(|w| !w.is_empty()).collect();
    let frame = session.sql("select patient_id, source_patient_id, identifiers, date_shift_days, record from restricted.identities").await;
    let mut batches = frame.map_err(Box::new)?.execute_stream().await.map_err(Box::new)?;
    let mut known: Vec<Identity> = Vec::new();
    let (mut exact, mut loose): (HashMap<String, Vec<usize>>, HashMap<String, Vec<usize>>) = Default::default();
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(Box::new)?;
        let (ids, sources, records) = (text(&batch, "patient_id")?, text(&batch, "source_patient_id")?, text(&batch, "record")?);
        let shifts = column(&batch, "date_shift_days", &DataType::Int32)?;
        let lists = batch.column_by_name("identifiers").and_then(|c| c.as_list_opt::<i32>());
        for row in 0..batch.num_rows() {
            let mut names: Vec<String> = at(&sources, row).map(str::to_owned).into_iter().collect();
            if let Some(lists) = lists.filter(|l| l.is_valid(row)) {
                let values = cast(&lists.value(row), &DataType::Utf8).map_err(internal)?;
                // `system|value`: the value may hold anything but a bar.
                names.extend(values.as_string::<i32>().iter().flatten().map(|v| v.rsplit('|').next().unwrap_or(v).trim().to_owned()));
            }
            names.retain(|n| !n.is_empty());
            let is_exact = names.iter().any(|n| wanted.contains(n.as_str()));
            if !is_exact && !names.iter().any(|n| wanted_bare.contains(bare(n))) {
                continue;
            }
            let record: PatientRecord = at(&records, row).and_then(|r| serde_json::from_str(r).ok()).unwrap_or_default();
            let birth_date = record.birth_date.as_deref().and_then(|d| NaiveDate::parse_from_str(d.get(..10)?, "%Y-%m-%d").ok());
            for name in names {
                note(&mut loose, bare(&name), known.len());
                note(&mut exact, &name, known.len());
            }
            known.push(Identity {
                patient_id: at(&ids, row).unwrap_or_default().to_owned(),
                shift: if shifts.is_valid(row) { shifts.as_primitive::<Int32Type>().value(row) } else { 0 },
                birth_date,
                female: record.female,
            });
        }
    }
    let none = Vec::new();
    let mut found = Found { patients: Vec::new(), missing: Vec::new(), ambiguous: 0 };
    let mut place: HashMap<usize, usize> = HashMap::new();
    for (row, cells) in sheet.rows.iter().enumerate() {
        let name = cells.patient.as_str();
        let candidates = exact.get(name).or_else(|| loose.get(bare(name)).filter(|_| !name.is_empty())).unwrap_or(&none);
        let [one] = candidates.as_slice() else {
            found.missing.push(row);
            found.ambiguous += usize::from(!candidates.is_empty());
            continue;
        };
        let at = *place.entry(*one).or_insert(found.patients.len());
        if at == found.patients.len() {
            found.patients.push((known[*one].clone(), Vec::new()));
        }
        found.patients[at].1.push(row);
    }
    Ok(found)
}

fn note(names: &mut HashMap<String, Vec<usize>>, name: &str, identity: usize) {
    let identities = names.entry(name.to_owned()).or_default();
    if identities.last() != Some(&identity) {
        identities.push(identity);
    }
}

/// Current documents of these patients, in their order.
pub(super) async fn read(session: &SessionContext, patients: &[(Identity, Vec<usize>)]) -> Result<Vec<Dossier>> {
    let place: HashMap<&str, usize> = patients.iter().enumerate().map(|(i, (p, _))| (p.patient_id.as_str(), i)).collect();
    let mut dossiers: Vec<Dossier> = patients.iter().map(|_| Dossier::default()).collect();
    let sql = "select document_id, patient_id, encounter_id, type_code, kind, document_time, stay_start, stay_end
               from research.documents where status = 'current'";
    let known = place.keys().map(|p| (*p).to_owned()).collect();
    let mut documents: HashMap<String, (usize, Original)> = HashMap::new();
    for batch in rows(session, sql, "patient_id", known).await? {
        let [ids, owners, encounters, codes, kinds] = texts(&batch, ["document_id", "patient_id", "encounter_id", "type_code", "kind"])?;
        let times = [time(&batch, "document_time")?, time(&batch, "stay_start")?, time(&batch, "stay_end")?];
        for row in 0..batch.num_rows() {
            let (Some(id), Some(owner)) = (at(&ids, row), at(&owners, row).and_then(|p| place.get(p)).copied()) else { continue };
            let shift = TimeDelta::days(patients[owner].0.shift.into());
            let [time, stay_start, stay_end] = [0, 1, 2].map(|i| {
                let column = times[i].as_primitive::<TimestampMicrosecondType>();
                let shifted = column.is_valid(row).then(|| DateTime::from_timestamp_micros(column.value(row))).flatten();
                shifted.and_then(|t| t.naive_utc().checked_sub_signed(shift))
            });
            let original = Original {
                document_id: id.to_owned(),
                source_document_id: String::new(),
                encounter: at(&encounters, row).map(str::to_owned),
                type_code: at(&codes, row).map(str::to_owned),
                kind: at(&kinds, row).and_then(DocumentKind::from_name).unwrap_or_default(),
                time,
                stay_start,
                stay_end,
                text: String::new(),
            };
            documents.insert(id.to_owned(), (owner, original));
        }
    }
    let sql = "select document_id, source_document_id, text from restricted.source_documents where text is not null";
    for batch in rows(session, sql, "document_id", documents.keys().cloned().collect()).await? {
        let [ids, sources, words] = texts(&batch, ["document_id", "source_document_id", "text"])?;
        for row in 0..batch.num_rows() {
            let Some((owner, mut original)) = at(&ids, row).and_then(|id| documents.remove(id)) else { continue };
            original.source_document_id = at(&sources, row).unwrap_or_default().to_owned();
            original.text = at(&words, row).unwrap_or_default().to_owned();
            dossiers[owner].documents.push(original);
        }
    }
    for dossier in &mut dossiers {
        dossier.documents.sort_by(|a, b| (a.time, &a.document_id).cmp(&(b.time, &b.document_id)));
    }
    Ok(dossiers)
}

impl Dossier {
    /// Reads the documents, settles on the values of each stroke, and traces these rows.
    pub fn trace(&self, library: &Library, map: &Map, sheet: &Sheet, identity: &Identity, rows: &[usize]) -> Vec<TracedRow> {
        let read: Vec<(Vec<Finding>, Reading)> = self.documents.iter().map(|d| d.read(library, identity)).collect();
        let documents: Vec<resolve::Document<'_>> =
            self.documents.iter().zip(&read).map(|(document, (findings, reading))| document.resolvable(findings, reading)).collect();
        let patient = Patient { birth_date: identity.birth_date, female: identity.female };
        let episodes = resolve_patient(library.definitions.as_ref(), &documents, patient);
        let texts: Vec<&str> = self.documents.iter().map(|d| d.text.as_str()).collect();
        let one = |&row: &usize| {
            let cells: Vec<&str> = sheet.rows[row].cells.iter().map(String::as_str).collect();
            TracedRow { row, cells: trace(map, &cells, &documents, &texts, &episodes).1 }
        };
        rows.iter().map(one).collect()
    }
}

impl Original {
    fn read(&self, library: &Library, identity: &Identity) -> (Vec<Finding>, Reading) {
        let type_code = self.type_code.as_deref();
        let analysis = Analysis::new(&library.knowledge, &self.text, self.time).with_type(type_code);
        let facts = Facts {
            type_code,
            time: self.time,
            birth_date: identity.birth_date,
            female: identity.female,
            stay_start: self.stay_start,
            stay_end: self.stay_end,
        };
        let findings = extract(&library.definitions, &analysis, &facts);
        let reading = Reading::new(&analysis, self.kind, &findings);
        (findings, reading)
    }

    fn resolvable<'a>(&'a self, findings: &'a [Finding], reading: &'a Reading) -> resolve::Document<'a> {
        resolve::Document {
            id: &self.document_id,
            encounter: self.encounter.as_deref(),
            time: self.time,
            kind: self.kind,
            stay_start: self.stay_start,
            stay_end: self.stay_end,
            findings,
            reading,
        }
    }
}

async fn rows(session: &SessionContext, sql: &str, key: &str, keys: HashSet<String>) -> Result<Vec<RecordBatch>> {
    let frame = session.sql(sql).await.map_err(Box::new)?;
    Ok(frame.filter(one_of(key, keys)).map_err(Box::new)?.collect().await.map_err(Box::new)?)
}

fn internal(error: arrow::error::ArrowError) -> Error {
    Error::Internal(format!("trace: {error}"))
}

fn column(batch: &RecordBatch, name: &str, kind: &DataType) -> Result<arrow::array::ArrayRef> {
    let column = batch.column_by_name(name).ok_or_else(|| Error::Internal(format!("trace: no column {name}")))?;
    cast(column, kind).map_err(internal)
}

fn text(batch: &RecordBatch, name: &str) -> Result<StringArray> {
    Ok(column(batch, name, &DataType::Utf8)?.as_string::<i32>().clone())
}

fn texts<const N: usize>(batch: &RecordBatch, names: [&str; N]) -> Result<[StringArray; N]> {
    let columns = names.iter().map(|name| text(batch, name)).collect::<Result<Vec<_>>>()?;
    columns.try_into().map_err(|_| Error::Internal("trace: columns".to_owned()))
}

fn time(batch: &RecordBatch, name: &str) -> Result<arrow::array::ArrayRef> {
    column(batch, name, &DataType::Timestamp(TimeUnit::Microsecond, None))
}

fn at(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_of_numbers_do_not_count() {
        assert_eq!(["0012", "12", "A012", "000"].map(bare), ["12", "12", "A012", ""]);
    }
}
