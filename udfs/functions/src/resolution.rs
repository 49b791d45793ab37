//! `resolve_patient(documents, findings, birth_date, female)`: the episodes of a
//! patient, each with one value per variable. `cohort_columns(values)`: these
//! values as one struct with a typed field per variable.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Float32Builder, Float64Builder, Int32Builder, ListArray, ListBuilder, StringBuilder,
    StructArray, TimestampMicrosecondBuilder,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_clinical::text::CharOffsets;
use sillage_variables::Finding;
use sillage_variables::definition::{Definitions, Type};
use sillage_variables::derive::MINUTES;
use sillage_variables::episode::DocumentKind;
use sillage_variables::resolve::{Document, Patient, Policy, Reading, Resolved, ResolvedEpisode, resolve_patient};

use crate::arguments::{clinical_time, list_of, micros, time, times};
use crate::catalogue::VARIABLES;
use crate::finding::{Findings, ValueColumns, text_column, time_column, with_value_fields};
use crate::library::Library;
use crate::udf::Function;

/// Field metadata of a cohort column.
const DESCRIPTION: &str = "description";
const UNIT: &str = "unit";
const LOINC: &str = "loinc_code";
const SNOMED: &str = "snomed_code";
const VALUES: &str = "values";
const INPUTS: &str = "inputs";

fn value_fields() -> Fields {
    let utf8 = |name: &str| Field::new(name, DataType::Utf8, true);
    let int = |name: &str| Field::new(name, DataType::Int32, true);
    with_value_fields(vec![
        utf8("document_id"),
        int("start"),
        int("end"),
        int("source_start"),
        int("source_end"),
        utf8("evidence"),
        Field::new("event_time", clinical_time(), true),
        Field::new("score", DataType::Float32, true),
        int("candidates"),
        Field::new("conflict", DataType::Boolean, true),
        Field::new("inputs", DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))), true),
        utf8("method"),
        Field::new("declared", DataType::Boolean, true),
    ])
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("episode", DataType::Utf8, true),
        Field::new("start", clinical_time(), true),
        Field::new("documents", DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))), true),
        Field::new("values", list_of(&value_fields()), true),
    ])
}

/// Builds the function over the declared variables.
pub(crate) fn udf(library: &Library) -> ScalarUDF {
    let definitions = Arc::clone(&library.definitions);
    Function {
        name: "resolve_patient",
        signature: Signature::any(4, Volatility::Immutable),
        returns: list_of(&fields()),
        documentation: Documentation::builder(
            DocSection { label: VARIABLES, ..DocSection::default() },
            "Puts the documents of one patient together to episodes and settles on one value per episode and variable. `documents` of an episode are ids; a value that follows from others names them in `inputs`; `declared` is false for durations beyond the dictionary.",
            "resolve_patient(documents, findings, birth_date, female)",
        )
        .with_argument("documents", "List of structs: document_id, encounter_id, document_time, kind, stay_start, stay_end, text.")
        .with_argument("findings", "List of structs as `variables` gives them, with their document_id.")
        .with_argument("birth_date", "From the patient's record; null when unknown.")
        .with_argument("female", "From the patient's record; null when unknown.")
        .with_sql_example("select unnest(resolve_patient(documents, findings, null, null)) from dossiers")
        .build(),
        kernel: Arc::new(move |arguments| kernel(&definitions, arguments)),
    }
    .into()
}

#[derive(Default)]
struct Columns {
    episode: StringBuilder,
    start: TimestampMicrosecondBuilder,
    documents: ListBuilder<StringBuilder>,
    lengths: Vec<usize>,
    value: ValueColumns,
    document: StringBuilder,
    offsets: [Int32Builder; 4],
    evidence: StringBuilder,
    event_time: TimestampMicrosecondBuilder,
    score: Float32Builder,
    candidates: Int32Builder,
    conflict: BooleanBuilder,
    inputs: ListBuilder<StringBuilder>,
    method: StringBuilder,
    declared: BooleanBuilder,
}

/// Where the ends of a span of the research text stand in the original, by document and byte.
#[derive(Default)]
struct Sources {
    starts: HashMap<(usize, usize), i32>,
    ends: HashMap<(usize, usize), i32>,
}

impl Columns {
    fn push(
        &mut self,
        definitions: &Definitions,
        documents: &[Document<'_>],
        texts: &[&str],
        sources: &Sources,
        episode: &ResolvedEpisode,
    ) {
        self.episode.append_value(&episode.episode.key);
        self.start.append_option(episode.episode.index.and_then(|d| d.and_hms_opt(0, 0, 0)).map(micros));
        for document in &episode.episode.documents {
            self.documents.values().append_value(documents[*document].id);
        }
        self.documents.append(true);
        let all = episode.values.iter().map(|v| (v, true)).chain(episode.derived.iter().map(|v| (v, false)));
        let mut count = 0;
        for (value, declared) in all {
            self.value(definitions, documents, texts, sources, value, declared);
            count += 1;
        }
        self.lengths.push(count);
    }

    fn value(
        &mut self,
        definitions: &Definitions,
        documents: &[Document<'_>],
        texts: &[&str],
        sources: &Sources,
        value: &Resolved,
        declared: bool,
    ) {
        self.value.push(&value.variable, &value.value, definitions.get(&value.variable));
        let evidence = value.evidence.map(|e| (texts[e.document], e));
        self.document.append_option(evidence.map(|(_, e)| documents[e.document].id));
        let places = evidence.map(|(text, e)| {
            let mut offsets = CharOffsets::new(text);
            let (source_start, source_end) =
                (sources.starts.get(&(e.document, e.start)).copied(), sources.ends.get(&(e.document, e.end)).copied());
            [Some(offsets.at(e.start) as i32), Some(offsets.at(e.end) as i32), source_start, source_end]
        });
        for (builder, place) in self.offsets.iter_mut().zip(places.unwrap_or_default()) {
            builder.append_option(place);
        }
        self.evidence.append_option(evidence.and_then(|(text, e)| text.get(e.start..e.end)));
        self.event_time.append_option(value.event_time.map(micros));
        self.score.append_value(value.score);
        self.candidates.append_value(value.candidates as i32);
        self.conflict.append_value(value.conflict);
        for input in &value.inputs {
            self.inputs.values().append_value(input);
        }
        self.inputs.append(true);
        self.method.append_value(&value.method);
        self.declared.append_value(declared);
    }

    fn finish(mut self) -> Result<Vec<ArrayRef>> {
        let mut columns = self.value.finish();
        columns.push(Arc::new(self.document.finish()));
        columns.extend(self.offsets.map(|mut b| Arc::new(b.finish()) as ArrayRef));
        columns.extend([
            Arc::new(self.evidence.finish()) as ArrayRef,
            Arc::new(self.event_time.finish()),
            Arc::new(self.score.finish()),
            Arc::new(self.candidates.finish()),
            Arc::new(self.conflict.finish()),
            Arc::new(self.inputs.finish()),
            Arc::new(self.method.finish()),
            Arc::new(self.declared.finish()),
        ]);
        let values = StructArray::try_new(value_fields(), columns, None)?;
        let item = Arc::new(Field::new("item", DataType::Struct(value_fields()), true));
        let values = ListArray::try_new(item, OffsetBuffer::from_lengths(self.lengths), Arc::new(values), None)?;
        Ok(vec![Arc::new(self.episode.finish()), Arc::new(self.start.finish()), Arc::new(self.documents.finish()), Arc::new(values)])
    }
}

fn kernel(definitions: &Definitions, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let [documents, findings, ..] = arguments else { return exec_err!("resolve_patient takes four arguments") };
    let (births, females) = (times(arguments, 2, documents.len())?, cast(&arguments[3], &DataType::Boolean)?);
    let (documents, findings) = (structs(documents)?, structs(findings)?);
    let mut columns = Columns::default();
    let (mut lengths, mut valid) = (Vec::new(), Vec::new());
    for row in 0..documents.len() {
        let patient = Patient {
            birth_date: time(&births, row).map(|t| t.date()),
            female: females.is_valid(row).then(|| females.as_boolean().value(row)),
        };
        let found = findings.is_valid(row).then(|| findings.value(row));
        let count = match documents.is_valid(row).then(|| documents.value(row)) {
            Some(documents) => one(definitions, documents.as_struct(), found.as_ref().map(|f| f.as_struct()), patient, &mut columns)?,
            None => 0,
        };
        lengths.push(count);
        valid.push(documents.is_valid(row));
    }
    let items = StructArray::try_new(fields(), columns.finish()?, None)?;
    let item = Arc::new(Field::new("item", DataType::Struct(fields()), true));
    Ok(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), Arc::new(items), Some(NullBuffer::from(valid)))?))
}

fn structs(array: &ArrayRef) -> Result<ListArray> {
    match array.data_type() {
        DataType::List(item) if matches!(item.data_type(), DataType::Struct(_)) => Ok(array.as_list::<i32>().clone()),
        other => exec_err!("a list of structs is needed, not {other}"),
    }
}

/// Resolves one patient; says how many episodes there are.
fn one(
    definitions: &Definitions,
    documents: &StructArray,
    findings: Option<&StructArray>,
    patient: Patient,
    columns: &mut Columns,
) -> Result<usize> {
    let (ids, encounters) = (text_column(documents, "document_id")?, text_column(documents, "encounter_id")?);
    let (kinds, texts) = (text_column(documents, "kind")?, text_column(documents, "text")?);
    let document_times = time_column(documents, "document_time")?;
    let (starts, ends) = (time_column(documents, "stay_start")?, time_column(documents, "stay_end")?);
    let position: HashMap<&str, usize> = (0..ids.len()).map(|i| (ids.value(i), i)).collect();
    let mut by_document: Vec<Vec<Finding>> = vec![Vec::new(); ids.len()];
    let mut sources = Sources::default();
    if let Some(items) = findings {
        let rows = Findings::read(items)?;
        let source = |name: &str| crate::finding::column(items, name, &DataType::Int32);
        let (source_start, source_end) = (source("source_start")?, source("source_end")?);
        let place =
            |array: &ArrayRef, row: usize| array.is_valid(row).then(|| array.as_primitive::<arrow::datatypes::Int32Type>().value(row));
        let bytes: Vec<Vec<usize>> = (0..texts.len()).map(|i| byte_offsets(texts.value(i))).collect();
        for row in 0..items.len() {
            let Some(document) = rows.document(row).and_then(|id| position.get(id)).copied() else { continue };
            let byte = |offset: usize| bytes[document][offset.min(bytes[document].len() - 1)];
            let Some(finding) = rows.finding(definitions, row, byte) else { continue };
            sources.starts.extend(place(&source_start, row).map(|source| ((document, finding.start), source)));
            sources.ends.extend(place(&source_end, row).map(|source| ((document, finding.end), source)));
            by_document[document].push(finding);
        }
    }
    let kind = |i: usize| kinds.is_valid(i).then(|| DocumentKind::from_name(kinds.value(i))).flatten().unwrap_or_default();
    let words: Vec<&str> = (0..texts.len()).map(|i| if texts.is_valid(i) { texts.value(i) } else { "" }).collect();
    let readings: Vec<Reading> =
        (0..ids.len()).map(|i| Reading::of_text(words[i], time(&document_times, i), kind(i), &by_document[i])).collect();
    let inputs: Vec<Document<'_>> = (0..ids.len())
        .map(|i| Document {
            id: ids.value(i),
            encounter: encounters.is_valid(i).then(|| encounters.value(i)),
            time: time(&document_times, i),
            kind: kind(i),
            stay_start: time(&starts, i),
            stay_end: time(&ends, i),
            reading: &readings[i],
            findings: &by_document[i],
        })
        .collect();
    let episodes = resolve_patient(definitions, &inputs, patient);
    for episode in &episodes {
        columns.push(definitions, &inputs, &words, &sources, episode);
    }
    Ok(episodes.len())
}

/// The byte of every character offset, the end included.
fn byte_offsets(text: &str) -> Vec<usize> {
    text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect()
}

/// The typed columns of the cohort: declared variables, then durations between them.
pub fn cohort_fields(definitions: &Definitions) -> Fields {
    let declared = definitions.variables.iter().filter(|d| !Policy::of(d).internal).map(|definition| {
        let kind = match definition.kind {
            Type::Boolean => DataType::Boolean,
            Type::Integer => DataType::Int32,
            Type::Float => DataType::Float64,
            Type::Category => DataType::Utf8,
            Type::DateTime => clinical_time(),
        };
        let mut metadata = HashMap::from([(DESCRIPTION.to_owned(), definition.description.clone())]);
        let values = (!definition.values.is_empty()).then(|| definition.values.join("|"));
        for (key, value) in [(UNIT, &definition.unit), (LOINC, &definition.loinc), (SNOMED, &definition.snomed), (VALUES, &values)] {
            metadata.extend(value.clone().map(|v| (key.to_owned(), v)));
        }
        Field::new(&definition.name, kind, true).with_metadata(metadata)
    });
    let durations = MINUTES.iter().map(|(name, from, to)| {
        let metadata = HashMap::from([
            (DESCRIPTION.to_owned(), format!("Minutes from {from} to {to}")),
            (UNIT.to_owned(), "min".to_owned()),
            (INPUTS.to_owned(), format!("{from},{to}")),
        ]);
        Field::new(*name, DataType::Float64, true).with_metadata(metadata)
    });
    declared.chain(durations).collect()
}

/// Builds `cohort_columns` over the declared variables.
pub(crate) fn cohort(library: &Library) -> ScalarUDF {
    let fields = cohort_fields(&library.definitions);
    Function {
        name: "cohort_columns",
        signature: Signature::any(1, Volatility::Immutable),
        returns: DataType::Struct(fields.clone()),
        documentation: Documentation::builder(
            DocSection { label: VARIABLES, ..DocSection::default() },
            "One struct with a typed field per variable, from the `values` of an episode of `resolve_patient`.",
            "cohort_columns(values)",
        )
        .with_argument("values", "Values of one episode.")
        .with_sql_example(
            "select cohort_columns(e['values']) from (select unnest(resolve_patient(documents, findings, null, null)) as e from dossiers)",
        )
        .build(),
        kernel: Arc::new(move |arguments| wide(&fields, arguments)),
    }
    .into()
}

fn wide(fields: &Fields, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arguments else { return exec_err!("cohort_columns takes one argument") };
    let values = structs(values)?;
    let items = values.values().as_struct();
    let (names, texts) = (text_column(items, "variable")?, text_column(items, "value")?);
    let (numbers, flags) = (
        crate::finding::column(items, "value_number", &DataType::Float64)?,
        crate::finding::column(items, "value_boolean", &DataType::Boolean)?,
    );
    let datetimes = time_column(items, "value_datetime")?;
    let offsets = values.value_offsets();
    // By row: where each variable's value stands among all items.
    let places: Vec<HashMap<&str, usize>> =
        (0..values.len()).map(|row| (offsets[row] as usize..offsets[row + 1] as usize).map(|i| (names.value(i), i)).collect()).collect();
    let columns = fields
        .iter()
        .map(|field| {
            let at = |row: usize| places[row].get(field.name().as_str()).copied();
            let rows = 0..values.len();
            let column: ArrayRef = match field.data_type() {
                DataType::Boolean => {
                    let mut column = BooleanBuilder::new();
                    rows.for_each(|row| column.append_option(at(row).filter(|i| flags.is_valid(*i)).map(|i| flags.as_boolean().value(i))));
                    Arc::new(column.finish())
                }
                DataType::Utf8 => {
                    let mut column = StringBuilder::new();
                    rows.for_each(|row| column.append_option(at(row).filter(|i| texts.is_valid(*i)).map(|i| texts.value(i))));
                    Arc::new(column.finish())
                }
                DataType::Timestamp(..) => {
                    let mut column = TimestampMicrosecondBuilder::new();
                    rows.for_each(|row| column.append_option(at(row).filter(|i| datetimes.is_valid(*i)).map(|i| datetimes.value(i))));
                    Arc::new(column.finish())
                }
                kind => {
                    let mut column = Float64Builder::new();
                    let numbers = numbers.as_primitive::<arrow::datatypes::Float64Type>();
                    rows.for_each(|row| column.append_option(at(row).filter(|i| numbers.is_valid(*i)).map(|i| numbers.value(i))));
                    cast(&column.finish(), kind)?
                }
            };
            Ok(column)
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, None)?))
}
