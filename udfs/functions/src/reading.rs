//! `read_document(text, document_time, type_code, record, staff, stay_start, stay_end)`:
//! all that the stages need of a document, from one reading of its original text.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Float32Builder, Int32Builder, ListArray, ListBuilder, StringBuilder, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use chrono::NaiveDate;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_clinical::analysis::Analysis;
use sillage_clinical::text::CharOffsets;
use sillage_deidentification::detect::detect;
use sillage_deidentification::policy::Passage;
use sillage_deidentification::reveal::revealed;
use sillage_deidentification::vote::settle;
use sillage_deidentification::{Circumstances, Label, Person, Span};
use sillage_schemas::record::PatientRecord;
use sillage_variables::Facts;
use sillage_variables::extract::extract;

use crate::arguments::{list_of, texts, time, times};
use crate::catalogue::STAGES;
use crate::deidentification::revealed_item;
use crate::library::Library;
use crate::udf::Function;
use crate::{entities, finding};

/// A span that identifies somebody, as SQL sees it.
pub(crate) fn span_fields() -> Fields {
    let utf8 = |name: &str| Field::new(name, DataType::Utf8, true);
    Fields::from(vec![
        utf8("label"),
        Field::new("start", DataType::Int32, true),
        Field::new("end", DataType::Int32, true),
        utf8("text"),
        utf8("detector"),
        Field::new("score", DataType::Float32, true),
    ])
}

/// A passage of which a policy may say something beyond identifiers.
fn passage_fields() -> Fields {
    let utf8 = |name: &str| Field::new(name, DataType::Utf8, true);
    Fields::from(vec![
        Field::new("start", DataType::Int32, true),
        Field::new("end", DataType::Int32, true),
        utf8("level"),
        utf8("category"),
        Field::new("section", DataType::Boolean, true),
        utf8("generalised"),
    ])
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("kind", DataType::Utf8, true),
        Field::new("mentions", list_of(&entities::fields()), true),
        Field::new("identifying", list_of(&span_fields()), true),
        Field::new("findings", list_of(&finding::fields()), true),
        Field::new("passages", list_of(&passage_fields()), true),
        Field::new("revealed", DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))), true),
        Field::new("failure", DataType::Utf8, true),
    ])
}

pub(crate) fn udf(library: &Library) -> ScalarUDF {
    let library = library.clone();
    Function {
        name: "read_document",
        signature: Signature::any(7, Volatility::Immutable),
        returns: DataType::Struct(fields()),
        documentation: Documentation::builder(
            DocSection { label: STAGES, ..DocSection::default() },
            "All that the stages need of a document from one reading of its original text: its kind, clinical mentions, spans that identify somebody, values of the declared variables; `failure` says which learned model failed on the text.",
            "read_document(text, document_time, type_code, record, staff, stay_start, stay_end)",
        )
        .with_argument("text", "Original text; null gives empty lists.")
        .with_argument("document_time", "Wall-clock time of the document.")
        .with_argument("type_code", "LOINC code of the document's type.")
        .with_argument("record", "The patient's record as JSON; null when unknown.")
        .with_argument("staff", "List of names from the metadata: authors, signatories.")
        .with_argument("stay_start", "Start of the encounter.")
        .with_argument("stay_end", "End of the encounter.")
        .with_sql_example("select read_document('HTA. NIHSS 4.', null, null, null, [], null, null)['findings']")
        .build(),
        kernel: Arc::new(move |arguments| kernel(&library, arguments)),
    }
    .into()
}

/// The person of a record; what cannot be read is nobody.
pub(crate) fn person(record: Option<&str>) -> Option<(Person, Vec<String>)> {
    let record: PatientRecord = serde_json::from_str(record?).ok()?;
    let birth_date = record.birth_date.as_deref().and_then(|d| NaiveDate::parse_from_str(d.get(..10)?, "%Y-%m-%d").ok());
    let identifiers = record.identifiers.into_iter().map(|(label, value)| (Label::from_name(&label).unwrap_or(Label::Id), value)).collect();
    let person = Person {
        families: record.families,
        givens: record.givens,
        birth_date,
        female: record.female,
        lines: record.lines,
        postal_codes: record.postal_codes,
        cities: record.cities,
        phones: record.phones,
        mails: record.mails,
        identifiers,
    };
    Some((person, record.others))
}

#[derive(Default)]
pub(crate) struct Spans {
    label: StringBuilder,
    start: Int32Builder,
    end: Int32Builder,
    text: StringBuilder,
    detector: StringBuilder,
    score: Float32Builder,
}

impl Spans {
    pub fn push(&mut self, source: &str, offsets: &mut CharOffsets<'_>, span: &Span) {
        self.label.append_value(span.label.name());
        self.start.append_value(offsets.at(span.start) as i32);
        self.end.append_value(offsets.at(span.end) as i32);
        self.text.append_value(&source[span.start..span.end]);
        self.detector.append_value(&span.detector);
        self.score.append_value(span.score);
    }

    pub fn finish(mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.label.finish()),
            Arc::new(self.start.finish()),
            Arc::new(self.end.finish()),
            Arc::new(self.text.finish()),
            Arc::new(self.detector.finish()),
            Arc::new(self.score.finish()),
        ]
    }
}

#[derive(Default)]
struct Passages {
    start: Int32Builder,
    end: Int32Builder,
    level: StringBuilder,
    category: StringBuilder,
    section: BooleanBuilder,
    generalised: StringBuilder,
}

impl Passages {
    fn push(&mut self, offsets: &mut CharOffsets<'_>, passage: &Passage) {
        self.start.append_value(offsets.at(passage.start) as i32);
        self.end.append_value(offsets.at(passage.end) as i32);
        self.level.append_value(passage.level.name());
        self.category.append_value(&passage.category);
        self.section.append_value(passage.section);
        self.generalised.append_option(passage.generalised.as_deref());
    }

    fn finish(mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.start.finish()),
            Arc::new(self.end.finish()),
            Arc::new(self.level.finish()),
            Arc::new(self.category.finish()),
            Arc::new(self.section.finish()),
            Arc::new(self.generalised.finish()),
        ]
    }
}

/// The names in a row of a list of text.
pub(crate) fn names(lists: &ListArray, row: usize) -> Vec<String> {
    if lists.is_null(row) {
        return Vec::new();
    }
    let values = lists.value(row);
    let Some(values) = values.as_string_opt::<i32>() else { return Vec::new() };
    values.iter().flatten().map(str::to_owned).collect()
}

fn kernel(library: &Library, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let sources = texts(arguments, 0)?;
    let document_times = times(arguments, 1, sources.len())?;
    let (types, records) = (texts(arguments, 2)?, texts(arguments, 3)?);
    let Some(staff) = arguments[4].as_list_opt::<i32>() else { return exec_err!("staff is a list of text") };
    let (starts, ends) = (times(arguments, 5, sources.len())?, times(arguments, 6, sources.len())?);
    let (mut kinds, mut mentions, mut spans, mut findings) =
        (StringBuilder::new(), entities::Columns::default(), Spans::default(), finding::Columns::default());
    let (mut passages, mut reveals) = (Passages::default(), ListBuilder::new(StringBuilder::new()));
    let mut failures = StringBuilder::new();
    let heard = library.hybrid.as_ref().map(|hybrid| hybrid.listen(&sources.iter().flatten().collect::<Vec<_>>()));
    let mut heard = heard.into_iter().flatten();
    let mut lengths: [Vec<usize>; 4] = Default::default();
    for row in 0..sources.len() {
        let votes = if sources.is_valid(row) { heard.next() } else { None };
        let failure = votes.as_ref().and_then(|v| v.as_ref().err());
        failures.append_option(failure);
        if sources.is_null(row) || failure.is_some() {
            kinds.append_null();
            reveals.append(true);
            lengths.iter_mut().for_each(|l| l.push(0));
            continue;
        }
        let votes = votes.and_then(Result::ok);
        let source = sources.value(row);
        let value = |array: &arrow::array::StringArray| array.is_valid(row).then(|| array.value(row).to_owned());
        let (type_code, known) = (value(&types), person(value(&records).as_deref()));
        let (person, others) = known.unzip();
        let analysis = Analysis::new(&library.knowledge, source, time(&document_times, row)).with_type(type_code.as_deref());
        let mut offsets = CharOffsets::new(source);
        let names: Vec<String> = names(staff, row).into_iter().chain(others.unwrap_or_default()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut found = detect(library.identity, &analysis, Circumstances { person: person.as_ref(), staff: &names });
        if let Some((hybrid, votes)) = library.hybrid.as_ref().zip(votes.as_ref()) {
            found.extend(hybrid.identifying(votes));
        }
        let found = settle(&analysis, found);
        let mentioned = mentions.push_all(library, &analysis, &mut offsets, votes.as_ref(), &found);
        for span in &found {
            spans.push(source, &mut offsets, span);
        }
        let facts = Facts {
            type_code: type_code.as_deref(),
            time: time(&document_times, row),
            birth_date: person.as_ref().and_then(|p| p.birth_date),
            female: person.as_ref().and_then(|p| p.female),
            stay_start: time(&starts, row),
            stay_end: time(&ends, row),
        };
        let values = extract(&library.definitions, &analysis, &facts);
        for value in &values {
            findings.push(&library.definitions, source, &mut offsets, value);
        }
        let sensitive = library.identity.policies.passages(&analysis);
        for passage in &sensitive {
            passages.push(&mut offsets, passage);
        }
        for (label, words) in revealed(source, &found) {
            reveals.values().append_value(revealed_item(label, &words));
        }
        reveals.append(true);
        kinds.append_value(library.definitions.document_types.of(type_code.as_deref(), &analysis.text));
        for (lengths, count) in lengths.iter_mut().zip([mentioned, found.len(), values.len(), sensitive.len()]) {
            lengths.push(count);
        }
    }
    let [mention_lengths, span_lengths, finding_lengths, passage_lengths] = lengths;
    let columns = vec![
        Arc::new(kinds.finish()) as ArrayRef,
        items(&entities::fields(), mentions.finish(), mention_lengths)?,
        items(&span_fields(), spans.finish(), span_lengths)?,
        items(&finding::fields(), findings.finish(), finding_lengths)?,
        items(&passage_fields(), passages.finish(), passage_lengths)?,
        Arc::new(reveals.finish()),
        Arc::new(failures.finish()),
    ];
    Ok(Arc::new(StructArray::try_new(fields(), columns, None)?))
}

/// A list of structs without null lists.
pub(crate) fn items(fields: &Fields, columns: Vec<ArrayRef>, lengths: Vec<usize>) -> Result<ArrayRef> {
    let items = StructArray::try_new(fields.clone(), columns, None)?;
    let item = Arc::new(Field::new("item", DataType::Struct(fields.clone()), true));
    Ok(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), Arc::new(items), None)?))
}
