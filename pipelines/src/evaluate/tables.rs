//! What a run found, read back from its tables under the names of the sources.

use std::collections::HashMap;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int32Type, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDateTime};
use datafusion::execution::context::SessionContext;

use crate::error::{Error, Result};
use crate::session;
use crate::store::Store;

/// A row of `phi_spans`.
#[derive(Debug, Clone, Default)]
pub struct Phi {
    pub label: String,
    pub start: i64,
    pub end: i64,
    pub text: String,
}

/// A row of `entities`.
#[derive(Debug, Clone, Default)]
pub struct Entity {
    pub label: String,
    pub start: i64,
    pub end: i64,
    pub text: String,
    pub snomed: String,
    pub icd10: String,
    pub atc: String,
    /// Negated, hypothetical, of the family, historical.
    pub flags: [bool; 4],
}

/// A row of `episode_variables`, with who it is of.
#[derive(Debug, Clone, Default)]
pub struct Variable {
    /// The source's own identifier.
    pub patient: String,
    pub date_shift_days: i32,
    pub variable: String,
    pub value: Option<String>,
    pub number: Option<f64>,
    pub boolean: Option<bool>,
    pub moment: Option<NaiveDateTime>,
    /// Source identifier of the document that the value comes from.
    pub document: Option<String>,
    pub start: i64,
    pub end: i64,
    pub evidence: String,
}

/// Everything that is scored. Maps are by the source's document identifier.
#[derive(Default)]
pub struct Found {
    pub texts: HashMap<String, String>,
    pub phi: HashMap<String, Vec<Phi>>,
    pub entities: HashMap<String, Vec<Entity>>,
    pub variables: Vec<Variable>,
    /// Episodes that have a value, by the source's patient.
    pub episodes: HashMap<String, usize>,
    /// Tables that are missing or empty.
    pub notices: Vec<String>,
}

impl Found {
    /// Errors: `out` is not the output folder of a run.
    pub async fn read(out: &Path) -> Result<Found> {
        let store = Store::open_existing(out).await?;
        let there: Vec<&str> = store.tables().map(|t| t.name).collect();
        if !there.contains(&"source_documents") {
            return Err(Error::Configuration(format!("{}: no table source_documents; give the --out of a run", out.display())));
        }
        let session = session::over(&store, &session::built_in()?).await?;
        let mut found = Found { texts: texts(&session).await?, ..Found::default() };
        let mut notices = Vec::new();
        for name in ["phi_spans", "entities", "identities", "episode_variables"] {
            if !there.contains(&name) {
                notices.push(format!("no table {name}: its part scores zero"));
            } else if rows(&session, &format!("select 1 from {name} limit 1")).await?.iter().all(|b| b.num_rows() == 0) {
                notices.push(format!("table {name} is empty: its part scores zero"));
            }
        }
        if there.contains(&"phi_spans") {
            found.phi = phi(&session).await?;
        }
        if there.contains(&"entities") {
            found.entities = entities(&session).await?;
        }
        if there.contains(&"identities") && there.contains(&"episode_variables") {
            found.variables = variables(&session).await?;
            found.episodes = episodes(&session).await?;
        }
        found.notices = notices;
        Ok(found)
    }
}

async fn rows(session: &SessionContext, sql: &str) -> Result<Vec<RecordBatch>> {
    Ok(session.sql(sql).await.map_err(Box::new)?.collect().await.map_err(Box::new)?)
}

/// A column in a known type, whatever the table holds it in.
fn column(batch: &RecordBatch, index: usize, kind: &DataType) -> Result<ArrayRef> {
    cast(batch.column(index), kind).map_err(|e| Error::Internal(e.to_string()))
}

fn strings(batch: &RecordBatch, index: usize) -> Result<StringArray> {
    Ok(column(batch, index, &DataType::Utf8)?.as_string::<i32>().clone())
}

fn numbers(batch: &RecordBatch, index: usize) -> Result<Int32Array> {
    Ok(column(batch, index, &DataType::Int32)?.as_primitive::<Int32Type>().clone())
}

fn doubles(batch: &RecordBatch, index: usize) -> Result<Float64Array> {
    Ok(column(batch, index, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}

fn flags(batch: &RecordBatch, index: usize) -> Result<BooleanArray> {
    Ok(column(batch, index, &DataType::Boolean)?.as_boolean().clone())
}

fn text(array: &StringArray, row: usize) -> Option<String> {
    array.is_valid(row).then(|| array.value(row).to_owned())
}

fn number(array: &Int32Array, row: usize) -> i64 {
    if array.is_valid(row) { array.value(row).into() } else { 0 }
}

fn flag(array: &BooleanArray, row: usize) -> Option<bool> {
    array.is_valid(row).then(|| array.value(row))
}

async fn texts(session: &SessionContext) -> Result<HashMap<String, String>> {
    let mut texts = HashMap::new();
    for batch in rows(session, "select source_document_id, text from source_documents").await? {
        let (ids, bodies) = (strings(&batch, 0)?, strings(&batch, 1)?);
        texts.extend((0..batch.num_rows()).filter_map(|row| Some((text(&ids, row)?, text(&bodies, row).unwrap_or_default()))));
    }
    Ok(texts)
}

async fn phi(session: &SessionContext) -> Result<HashMap<String, Vec<Phi>>> {
    let sql = "select s.source_document_id, p.label, p.text, p.start, p.end
               from phi_spans p join source_documents s on s.document_id = p.document_id
               where p.part is distinct from 'margins' order by p.start, p.end";
    let mut found: HashMap<String, Vec<Phi>> = HashMap::new();
    for batch in rows(session, sql).await? {
        let (documents, labels, texts) = (strings(&batch, 0)?, strings(&batch, 1)?, strings(&batch, 2)?);
        let (starts, ends) = (numbers(&batch, 3)?, numbers(&batch, 4)?);
        for row in 0..batch.num_rows() {
            found.entry(text(&documents, row).unwrap_or_default()).or_default().push(Phi {
                label: text(&labels, row).unwrap_or_default(),
                start: number(&starts, row),
                end: number(&ends, row),
                text: text(&texts, row).unwrap_or_default(),
            });
        }
    }
    Ok(found)
}

async fn entities(session: &SessionContext) -> Result<HashMap<String, Vec<Entity>>> {
    let sql = "select s.source_document_id, e.label, e.text, e.snomed_code, e.icd10_code, e.atc_code, e.experiencer,
                      e.source_start, e.source_end, e.negated, e.hypothetical, e.historical
               from entities e join source_documents s on s.document_id = e.document_id
               where e.label in ('DISORDER', 'SIGN', 'DRUG', 'PROCEDURE') order by e.source_start";
    let mut found: HashMap<String, Vec<Entity>> = HashMap::new();
    for batch in rows(session, sql).await? {
        let texts: Vec<StringArray> = (0..7).map(|i| strings(&batch, i)).collect::<Result<_>>()?;
        let (starts, ends) = (numbers(&batch, 7)?, numbers(&batch, 8)?);
        let said: Vec<BooleanArray> = (9..12).map(|i| flags(&batch, i)).collect::<Result<_>>()?;
        for row in 0..batch.num_rows() {
            let of = |i: usize| text(&texts[i], row).unwrap_or_default();
            let is = |i: usize| flag(&said[i], row).unwrap_or_default();
            found.entry(of(0)).or_default().push(Entity {
                label: of(1),
                text: of(2),
                snomed: of(3),
                icd10: of(4),
                atc: of(5),
                start: number(&starts, row),
                end: number(&ends, row),
                flags: [is(0), is(1), of(6) == "family", is(2)],
            });
        }
    }
    Ok(found)
}

async fn variables(session: &SessionContext) -> Result<Vec<Variable>> {
    let sql = "select i.source_patient_id, v.variable, v.value, v.evidence, s.source_document_id,
                      i.date_shift_days, v.source_start, v.source_end, v.value_number, v.value_boolean, v.value_datetime
               from episode_variables v join identities i on i.patient_id = v.patient_id
               left join source_documents s on s.document_id = v.document_id
               order by v.patient_id, v.episode_id, v.variable";
    let mut found = Vec::new();
    for batch in rows(session, sql).await? {
        let texts: Vec<StringArray> = (0..5).map(|i| strings(&batch, i)).collect::<Result<_>>()?;
        let places: Vec<Int32Array> = (5..8).map(|i| numbers(&batch, i)).collect::<Result<_>>()?;
        let (values, booleans) = (doubles(&batch, 8)?, flags(&batch, 9)?);
        let moments = column(&batch, 10, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
        let moments = moments.as_primitive::<TimestampMicrosecondType>();
        for row in 0..batch.num_rows() {
            let of = |i: usize| text(&texts[i], row);
            let moment = moments.is_valid(row).then(|| DateTime::from_timestamp_micros(moments.value(row))).flatten();
            found.push(Variable {
                patient: of(0).unwrap_or_default(),
                variable: of(1).unwrap_or_default(),
                value: of(2),
                evidence: of(3).unwrap_or_default(),
                document: of(4),
                date_shift_days: if places[0].is_valid(row) { places[0].value(row) } else { 0 },
                start: number(&places[1], row),
                end: number(&places[2], row),
                number: values.is_valid(row).then(|| values.value(row)),
                boolean: flag(&booleans, row),
                moment: moment.map(|m| m.naive_utc()),
            });
        }
    }
    Ok(found)
}

async fn episodes(session: &SessionContext) -> Result<HashMap<String, usize>> {
    let sql = "select i.source_patient_id from (select distinct patient_id, episode_id from episode_variables) v
               join identities i on i.patient_id = v.patient_id";
    let mut found: HashMap<String, usize> = HashMap::new();
    for batch in rows(session, sql).await? {
        let patients = strings(&batch, 0)?;
        for row in 0..batch.num_rows() {
            *found.entry(text(&patients, row).unwrap_or_default()).or_default() += 1;
        }
    }
    Ok(found)
}
