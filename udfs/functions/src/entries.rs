//! `read_entries(coded, text, reading, …)`: what the coded entries of a clinical
//! document are to the stages. `document_type(type_code, coded)`: which type of
//! document its templates make it.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Int32Array, Int32Builder, ListArray, StringArray, StringBuilder, StructArray,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Fields};
use chrono::NaiveDateTime;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_clinical::coded::{ATC, CodedEntity, ICD10, SNOMED, disagreements, entities};
use sillage_clinical::text::CharOffsets;
use sillage_schemas::coded::{CodedDocument, Value as Sent};
use sillage_variables::coded::{CodedFinding, METHOD, extract};
use sillage_variables::resolve::canonical;
use sillage_variables::{Facts, Finding};

use crate::arguments::{clinical_time, list_of, micros, text, texts, time, times};
use crate::catalogue::STAGES;
use crate::finding;
use crate::library::Library;
use crate::reading::items;
use crate::udf::Function;

const STAMP: &str = "%Y-%m-%dT%H:%M:%S";

fn entity_fields() -> Fields {
    let utf8 = |name: &str| Field::new(name, DataType::Utf8, true);
    let flag = |name: &str| Field::new(name, DataType::Boolean, true);
    let int = |name: &str| Field::new(name, DataType::Int32, true);
    Fields::from(vec![
        int("start"),
        int("end"),
        int("entry"),
        utf8("label"),
        utf8("section"),
        flag("negated"),
        flag("hypothetical"),
        flag("historical"),
        utf8("experiencer"),
        utf8("snomed_code"),
        utf8("snomed_display"),
        utf8("icd10_code"),
        utf8("icd10_display"),
        utf8("atc_code"),
        utf8("atc_display"),
        Field::new("event_time", clinical_time(), true),
    ])
}

fn disagreement_fields() -> Fields {
    let utf8 = |name: &str| Field::new(name, DataType::Utf8, true);
    Fields::from(vec![Field::new("entry", DataType::Int32, true), utf8("system"), utf8("code"), utf8("expected"), utf8("display")])
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("entities", list_of(&entity_fields()), true),
        Field::new("findings", list_of(&finding::fields()), true),
        Field::new("disagreements", list_of(&disagreement_fields()), true),
    ])
}

pub(crate) fn udf(library: &Library) -> ScalarUDF {
    let library = library.clone();
    Function {
        name: "read_entries",
        signature: Signature::any(7, Volatility::Immutable),
        returns: DataType::Struct(fields()),
        documentation: Documentation::builder(
            DocSection { label: STAGES, ..DocSection::default() },
            "What a clinical document states in codes: mentions with their codes, values of the declared variables (`method` is `cda-entry`), and codes that the sender calls something else. A span is that of the words an entry points to, else of the words of its section that say the same, else empty at the start of the section.",
            "read_entries(coded, text, reading, document_time, type_code, stay_start, stay_end)",
        )
        .with_argument("coded", "Coded entries as JSON; null gives empty lists.")
        .with_argument("text", "Original text.")
        .with_argument("reading", "What `read_document` gives for the text.")
        .with_argument("document_time", "Wall-clock time of the document.")
        .with_argument("type_code", "Code of the document's type, as `document_type` gives it.")
        .with_argument("stay_start", "Start of the encounter.")
        .with_argument("stay_end", "End of the encounter.")
        .with_sql_example("select read_entries('{\"entries\":[]}', 'HTA.', read_document('HTA.', null, null, null, [], null, null), null, null, null, null)['entities']")
        .build(),
        kernel: Arc::new(move |arguments| kernel(&library, arguments)),
    }
    .into()
}

/// Builds `document_type`.
pub(crate) fn document_type(library: &Library) -> ScalarUDF {
    let library = library.clone();
    Function {
        name: "document_type",
        signature: Signature::any(2, Volatility::Immutable),
        returns: DataType::Utf8,
        documentation: Documentation::builder(
            DocSection { label: STAGES, ..DocSection::default() },
            "The code that says which type a document is: the template of a clinical document where one is known, else the LOINC code. The national stroke documents share one LOINC code.",
            "document_type(type_code, coded)",
        )
        .with_argument("type_code", "LOINC code of the document's type.")
        .with_argument("coded", "Coded entries as JSON; null leaves the LOINC code.")
        .with_sql_example("select document_type('34133-9', '{\"templates\":[\"1.2.250.1.213.1.1.1.17\"]}')")
        .build(),
        kernel: Arc::new(move |arguments| {
            let (codes, coded) = (texts(arguments, 0)?, texts(arguments, 1)?);
            let mut types = StringBuilder::new();
            for row in 0..codes.len() {
                let document = text(&coded, row).map(parse).transpose()?.unwrap_or_default();
                let known = |template: &&String| library.definitions.document_types.of_code(template).is_some();
                types.append_option(document.templates.iter().find(known).map(String::as_str).or(text(&codes, row)));
            }
            Ok(Arc::new(types.finish()))
        }),
    }
    .into()
}

fn parse(json: &str) -> Result<CodedDocument> {
    match serde_json::from_str(json) {
        Ok(document) => Ok(document),
        // The message of the parser could quote the document.
        Err(_) => exec_err!("coded entries of another form"),
    }
}

fn kernel(library: &Library, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let (coded, sources) = (texts(arguments, 0)?, texts(arguments, 1)?);
    let Some(reading) = arguments[2].as_struct_opt() else { return exec_err!("reading is a struct of read_document") };
    let passages = Passages::read(reading)?;
    let (document_times, types) = (times(arguments, 3, coded.len())?, texts(arguments, 4)?);
    let (starts, ends) = (times(arguments, 5, coded.len())?, times(arguments, 6, coded.len())?);
    let (mut entity_columns, mut findings, mut disagreeing) =
        (EntityColumns::default(), finding::Columns::default(), DisagreementColumns::default());
    let mut lengths: [Vec<usize>; 3] = Default::default();
    for row in 0..coded.len() {
        let (Some(json), Some(source)) = (text(&coded, row), text(&sources, row)) else {
            lengths.iter_mut().for_each(|l| l.push(0));
            continue;
        };
        let document = parse(json)?;
        let place = Place::new(source, &document, passages.of(row));
        let mentioned = entities(&library.knowledge, &document);
        for entity in &mentioned {
            entity_columns.push(library, &place, entity);
        }
        let type_code = text(&types, row);
        let kind = passages.kind(row).unwrap_or("other");
        let facts = Facts {
            type_code,
            time: time(&document_times, row),
            stay_start: time(&starts, row),
            stay_end: time(&ends, row),
            ..Facts::default()
        };
        let values = extract(&library.definitions, &document, kind, &facts);
        let mut offsets = CharOffsets::new(source);
        for value in &values {
            findings.push(&library.definitions, source, &mut offsets, &place.finding(value));
        }
        let misnamed = disagreements(&library.knowledge, &document);
        for found in &misnamed {
            disagreeing.entry.append_value(found.entry as i32);
            disagreeing.system.append_value(found.system);
            disagreeing.code.append_value(found.code);
            disagreeing.expected.append_option(library.knowledge.name_of(found.system, found.code));
            disagreeing.display.append_value(found.display);
        }
        for (lengths, count) in lengths.iter_mut().zip([mentioned.len(), values.len(), misnamed.len()]) {
            lengths.push(count);
        }
    }
    let [entity_lengths, finding_lengths, disagreement_lengths] = lengths;
    let columns = vec![
        items(&entity_fields(), entity_columns.finish(), entity_lengths)?,
        items(&finding::fields(), findings.finish(), finding_lengths)?,
        items(&disagreement_fields(), disagreeing.finish(), disagreement_lengths)?,
    ];
    Ok(Arc::new(StructArray::try_new(fields(), columns, None)?))
}

/// What `read_document` found in the words, to be pointed to by entries that do not
/// say themselves where their words stand.
struct Passages {
    kinds: StringArray,
    mentions: ListArray,
    mention_codes: [StringArray; 3],
    mention_places: [Int32Array; 2],
    findings: ListArray,
    finding_values: [StringArray; 2],
    finding_places: [Int32Array; 2],
}

/// Those of one document.
#[derive(Clone)]
struct Row<'p> {
    passages: &'p Passages,
    mentions: std::ops::Range<usize>,
    findings: std::ops::Range<usize>,
}

impl Passages {
    fn read(reading: &StructArray) -> Result<Passages> {
        let list = |name: &str| match reading.column_by_name(name).and_then(|c| c.as_list_opt::<i32>()) {
            Some(list) => Ok(list.clone()),
            None => exec_err!("a reading without {name}"),
        };
        let (mentions, findings) = (list("mentions")?, list("findings")?);
        let places = |list: &ListArray| -> Result<[Int32Array; 2]> {
            let items = list.values().as_struct();
            let (start, end) = (finding::column(items, "start", &DataType::Int32)?, finding::column(items, "end", &DataType::Int32)?);
            Ok([start.as_primitive().clone(), end.as_primitive().clone()])
        };
        let words = |list: &ListArray, name: &str| finding::text_column(list.values().as_struct(), name);
        Ok(Passages {
            kinds: finding::text_column(reading, "kind")?,
            mention_codes: [words(&mentions, "snomed_code")?, words(&mentions, "icd10_code")?, words(&mentions, "atc_code")?],
            mention_places: places(&mentions)?,
            finding_values: [words(&findings, "variable")?, words(&findings, "value")?],
            finding_places: places(&findings)?,
            mentions,
            findings,
        })
    }

    fn kind(&self, row: usize) -> Option<&str> {
        text(&self.kinds, row)
    }

    fn of(&self, row: usize) -> Row<'_> {
        let range = |list: &ListArray| list.value_offsets()[row] as usize..list.value_offsets()[row + 1] as usize;
        Row { passages: self, mentions: range(&self.mentions), findings: range(&self.findings) }
    }
}

impl Row<'_> {
    /// The shortest mention within a passage that has one of these codes.
    fn mention(&self, within: (usize, usize), codes: [Option<&str>; 3]) -> Option<(usize, usize)> {
        let passages = self.passages;
        let has = |item: &usize| {
            let pairs = codes.iter().zip(&passages.mention_codes);
            pairs.into_iter().any(|(code, column)| code.is_some_and(|code| text(column, *item) == Some(code)))
        };
        shortest(self.mentions.clone().filter(has), &passages.mention_places, within)
    }

    /// The shortest words within a passage that give this value.
    fn value(&self, within: (usize, usize), variable: &str, value: &str) -> Option<(usize, usize)> {
        let passages = self.passages;
        let [variables, values] = &passages.finding_values;
        let says = |item: &usize| text(variables, *item) == Some(variable) && text(values, *item) == Some(value);
        shortest(self.findings.clone().filter(says), &passages.finding_places, within)
    }
}

fn shortest(items: impl Iterator<Item = usize>, places: &[Int32Array; 2], within: (usize, usize)) -> Option<(usize, usize)> {
    let place = |item: usize| (places[0].value(item).max(0) as usize, places[1].value(item).max(0) as usize);
    let inside = items.map(place).filter(|(start, end)| within.0 <= *start && *end <= within.1);
    inside.min_by_key(|(start, end)| (end - start, *start))
}

/// The text of a document and where its entries stand in it.
struct Place<'p> {
    source: &'p str,
    /// The byte of every character, the end included.
    bytes: Vec<usize>,
    document: &'p CodedDocument,
    row: Row<'p>,
}

impl<'p> Place<'p> {
    fn new(source: &'p str, document: &'p CodedDocument, row: Row<'p>) -> Self {
        Place { source, bytes: source.char_indices().map(|(byte, _)| byte).chain([source.len()]).collect(), document, row }
    }

    fn byte(&self, character: usize) -> usize {
        self.bytes[character.min(self.bytes.len() - 1)]
    }

    /// A span within the text.
    fn clamped(&self, span: (usize, usize)) -> (usize, usize) {
        let last = self.bytes.len() - 1;
        (span.0.min(last), span.1.clamp(span.0.min(last), last))
    }

    fn section(&self, entry: usize) -> (usize, usize) {
        let section = self.document.entries.get(entry).and_then(|entry| self.document.sections.get(entry.section));
        self.clamped(section.map_or((0, 0), |section| (section.start, section.end)))
    }

    fn entity(&self, entity: &CodedEntity<'_>) -> (usize, usize) {
        let section = self.section(entity.entry);
        let codes = [entity.snomed.as_deref(), entity.icd10.as_deref(), entity.atc.as_deref()];
        self.clamped(entity.span.or_else(|| self.row.mention(section, codes)).unwrap_or((section.0, section.0)))
    }

    fn finding(&self, value: &CodedFinding) -> Finding {
        let section = self.section(value.entry);
        let said = || self.row.value(section, &value.variable, &canonical(&value.value));
        let span = value.span.map(|span| self.with_number(span, value.entry));
        let (start, end) = self.clamped(span.or_else(said).unwrap_or((section.0, section.0)));
        Finding {
            variable: value.variable.clone(),
            value: value.value.clone(),
            start: self.byte(start),
            end: self.byte(end),
            section: value.section.map(Into::into),
            anchor: value.anchor,
            event_time: value.event_time,
            score: value.score,
            method: METHOD.into(),
        }
    }

    /// An entry that points to the name of what it measures means the line that gives
    /// the number with it.
    fn with_number(&self, span: (usize, usize), entry: usize) -> (usize, usize) {
        let span = self.clamped(span);
        let number = self.document.entries.get(entry).and_then(|entry| {
            entry.values.iter().find_map(|value| if let Sent::Number { value, .. } = value { Some(value.to_string()) } else { None })
        });
        let Some(number) = number else { return span };
        let gives = |words: &str| {
            let numbers = words.split(|c: char| !c.is_ascii_digit() && c != '.' && c != ',');
            numbers
                .map(|n| n.trim_matches(['.', ',']).replace(',', "."))
                .any(|n| n == number || n.parse().ok() == number.parse::<f64>().ok() && !n.is_empty())
        };
        let (start, end) = (self.byte(span.0), self.byte(span.1));
        if gives(&self.source[start..end]) {
            return span;
        }
        let first = self.source[..start].rfind('\n').map_or(0, |at| at + 1);
        let last = self.source[end..].find('\n').map_or(self.source.len(), |at| end + at);
        if !gives(&self.source[first..last]) {
            return span;
        }
        let character = |byte: usize| self.bytes.partition_point(|b| *b < byte);
        (character(first), character(last))
    }
}

#[derive(Default)]
struct EntityColumns {
    offsets: [Int32Builder; 3],
    label: StringBuilder,
    section: StringBuilder,
    flags: [BooleanBuilder; 3],
    experiencer: StringBuilder,
    codes: [StringBuilder; 3],
    displays: [StringBuilder; 3],
    event_time: TimestampMicrosecondBuilder,
}

impl EntityColumns {
    fn push(&mut self, library: &Library, place: &Place<'_>, entity: &CodedEntity<'_>) {
        let (start, end) = place.entity(entity);
        for (builder, value) in self.offsets.iter_mut().zip([start, end, entity.entry]) {
            builder.append_value(value as i32);
        }
        self.label.append_option(entity.label.map(|label| label.name()));
        self.section.append_option(entity.section);
        for (builder, flag) in self.flags.iter_mut().zip([entity.negated, entity.hypothetical, entity.historical]) {
            builder.append_value(flag);
        }
        self.experiencer.append_value(if entity.family { "family" } else { "patient" });
        let codes = [(SNOMED, &entity.snomed), (ICD10, &entity.icd10), (ATC, &entity.atc)];
        for (at, (system, code)) in codes.into_iter().enumerate() {
            self.codes[at].append_option(code.as_deref());
            self.displays[at].append_option(code.as_deref().and_then(|code| library.knowledge.name_of(system, code)));
        }
        let time = entity.time.and_then(|time| NaiveDateTime::parse_from_str(&time.at, STAMP).ok());
        self.event_time.append_option(time.map(micros));
    }

    fn finish(self) -> Vec<ArrayRef> {
        let mut columns: Vec<ArrayRef> = self.offsets.map(|mut b| Arc::new(b.finish()) as ArrayRef).into();
        let (mut label, mut section, mut experiencer, mut event_time) = (self.label, self.section, self.experiencer, self.event_time);
        columns.extend([Arc::new(label.finish()) as ArrayRef, Arc::new(section.finish())]);
        columns.extend(self.flags.map(|mut b| Arc::new(b.finish()) as ArrayRef));
        columns.push(Arc::new(experiencer.finish()));
        for (mut code, mut display) in self.codes.into_iter().zip(self.displays) {
            columns.extend([Arc::new(code.finish()) as ArrayRef, Arc::new(display.finish())]);
        }
        columns.push(Arc::new(event_time.finish()));
        columns
    }
}

#[derive(Default)]
struct DisagreementColumns {
    entry: Int32Builder,
    system: StringBuilder,
    code: StringBuilder,
    expected: StringBuilder,
    display: StringBuilder,
}

impl DisagreementColumns {
    fn finish(mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.entry.finish()),
            Arc::new(self.system.finish()),
            Arc::new(self.code.finish()),
            Arc::new(self.expected.finish()),
            Arc::new(self.display.finish()),
        ]
    }
}
