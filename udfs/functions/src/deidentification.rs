//! `deidentify(text)`: a text with its identifying parts hidden behind their labels.
//! `deidentify_document(...)`: what research reads of a document, for runs, which
//! alone have the key.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, Int32Array, ListArray, StringArray, StringBuilder, StructArray};
use arrow::array::{BooleanArray, Int32Builder};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_clinical::analysis::Analysis;
use sillage_clinical::text::CharOffsets;
use sillage_deidentification::detect::detect;
use sillage_deidentification::leak::KnownIdentifiers;
use sillage_deidentification::lock::replace_locked;
use sillage_deidentification::policy::{Level, Mask, Passage, Policy};
use sillage_deidentification::replace::{Replaced, replace};
use sillage_deidentification::reveal::{may_hold, propagate, tells_elsewhere};
use sillage_deidentification::surrogate::SurrogateContext;
use sillage_deidentification::vote::settle;
use sillage_deidentification::{Circumstances, Label, Person, Span};

use crate::arguments::{list_of, numbers, text, texts, time, times};
use crate::catalogue::{DEIDENTIFICATION, STAGES};
use crate::finding::{column, text_column};
use crate::library::Library;
use crate::reading::{Spans, items, person, span_fields};
use crate::udf::Function;

/// The key of the site and what is to be hidden.
#[derive(Clone)]
pub struct Deidentification {
    pub key: [u8; 32],
    pub policy: Policy,
}

/// A span of the original and what stands in its place.
fn replaced_fields() -> Fields {
    span_fields().iter().cloned().chain([Arc::new(Field::new("replacement", DataType::Utf8, true))]).collect()
}

/// Words of the new text.
fn carried_fields() -> Fields {
    Fields::from(vec![
        Field::new("start", DataType::Int32, true),
        Field::new("end", DataType::Int32, true),
        Field::new("text", DataType::Utf8, true),
    ])
}

/// Builds `deidentify`.
pub(crate) fn deidentify(library: &Library) -> ScalarUDF {
    let library = library.clone();
    let fields = Fields::from(vec![Field::new("text", DataType::Utf8, true), Field::new("spans", list_of(&replaced_fields()), true)]);
    let returns = fields.clone();
    Function {
        name: "deidentify",
        signature: Signature::variadic_any(Volatility::Immutable),
        returns: DataType::Struct(returns),
        documentation: Documentation::builder(
            DocSection { label: DEIDENTIFICATION, ..DocSection::default() },
            "A text with what identifies people hidden behind labels (`<NOM>`, `<DATE>`), and the spans found, in the original text. Runs write surrogates instead: these need the key of the site, which no query has.",
            "deidentify(text [, record])",
        )
        .with_argument("text", "Text to read; null gives null.")
        .with_argument("record", "The patient's record as JSON (`restricted.identities.record`): what it holds is found however it is written.")
        .with_sql_example("select deidentify('Mme Léa FICTIVE, née le 01/06/1955, vue par le Dr Modèle le 3 mai.')")
        .build(),
        kernel: Arc::new(move |arguments| hide(&library, &fields, arguments)),
    }
    .into()
}

fn hide(library: &Library, fields: &Fields, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let sources = texts(arguments, 0)?;
    let records = arguments.get(1).map(|_| texts(arguments, 1)).transpose()?;
    let policy = match library.identity.policies.policy(sillage_deidentification::policy::DEFAULT) {
        Ok(policy) => policy.clone().masking(Mask::Tag),
        Err(error) => return exec_err!("{error}"),
    };
    let heard = library.hybrid.as_ref().map(|hybrid| hybrid.listen(&sources.iter().flatten().collect::<Vec<_>>()));
    if let Some(reason) = heard.iter().flatten().find_map(|h| h.as_ref().err()) {
        return exec_err!("model {reason}");
    }
    let mut heard = heard.into_iter().flatten();
    let (mut out, mut spans, mut replacements) = (StringBuilder::new(), Spans::default(), StringBuilder::new());
    let (mut lengths, mut valid) = (Vec::new(), Vec::new());
    for row in 0..sources.len() {
        valid.push(sources.is_valid(row));
        if sources.is_null(row) {
            out.append_null();
            lengths.push(0);
            continue;
        }
        let source = sources.value(row);
        let person = person(records.as_ref().and_then(|r| text(r, row))).map(|(p, _)| p);
        let analysis = Analysis::new(&library.knowledge, source, None);
        let mut found = detect(library.identity, &analysis, Circumstances { person: person.as_ref(), staff: &[] });
        if let Some((hybrid, Ok(votes))) = library.hybrid.as_ref().zip(heard.next()) {
            found.extend(hybrid.identifying(&votes));
        }
        let found = settle(&analysis, found);
        let context =
            SurrogateContext { key: &[], patient: "", shift_days: 0, person: None, reference: None, known: &[], avoid: None, tagged: &[] };
        let replaced = replace(&library.identity.surrogates, source, &found, &[], &policy, &context);
        push_spans(source, &found, &replaced, &mut spans, &mut replacements);
        lengths.push(found.len());
        out.append_value(&replaced.text);
    }
    let columns = vec![Arc::new(out.finish()) as ArrayRef, finish_spans(spans, replacements, lengths)?];
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, Some(NullBuffer::from(valid)))?))
}

fn push_spans(source: &str, found: &[Span], replaced: &Replaced, spans: &mut Spans, replacements: &mut StringBuilder) {
    let mut offsets = CharOffsets::new(source);
    for (index, span) in found.iter().enumerate() {
        spans.push(source, &mut offsets, span);
        let change = replaced.replacements.iter().find(|r| r.span == Some(index));
        replacements.append_option(change.map(|c| &replaced.text[c.target.clone()]));
    }
}

fn finish_spans(spans: Spans, mut replacements: StringBuilder, lengths: Vec<usize>) -> Result<ArrayRef> {
    let mut columns = spans.finish();
    columns.push(Arc::new(replacements.finish()));
    items(&replaced_fields(), columns, lengths)
}

fn document_fields() -> Fields {
    Fields::from(vec![
        Field::new("text", DataType::Utf8, true),
        Field::new("title", DataType::Utf8, true),
        Field::new("spans", list_of(&replaced_fields()), true),
        Field::new("mention_spans", list_of(&carried_fields()), true),
        Field::new("finding_spans", list_of(&carried_fields()), true),
        Field::new("coded_entity_spans", list_of(&carried_fields()), true),
        Field::new("coded_finding_spans", list_of(&carried_fields()), true),
        Field::new("leak", DataType::Utf8, true),
    ])
}

/// Builds `deidentify_document` with the key of a site; for runs alone.
pub fn deidentify_document(library: &Library, settings: &Deidentification) -> ScalarUDF {
    let (library, settings) = (library.clone(), settings.clone());
    Function {
        name: "deidentify_document",
        signature: Signature::any(11, Volatility::Immutable),
        returns: DataType::Struct(document_fields()),
        documentation: Documentation::builder(
            DocSection { label: STAGES, ..DocSection::default() },
            "What research reads of a document: its text and title with surrogates, the spans replaced, where mentions and findings, those of coded entries too, stand in the new text, and the label of an identifier that would still show.",
            "deidentify_document(text, title, type_display, reading, entries, revealed, record, patient, date_shift_days, document_time, around)",
        )
        .build(),
        kernel: Arc::new(move |arguments| documents(&library, &settings, arguments)),
    }
    .into()
}

/// The words of a new text where mentions or findings stand.
#[derive(Default)]
struct Carried {
    start: Int32Builder,
    end: Int32Builder,
    text: StringBuilder,
    lengths: Vec<usize>,
}

impl Carried {
    /// Places for which `is_word` is false have no words.
    fn row(&mut self, replaced: &Replaced, places: &[Range<usize>], is_word: impl Fn(&Range<usize>) -> bool) {
        let mut offsets = CharOffsets::new(&replaced.text);
        for place in places {
            let target = replaced.map.bytes_to_target(place.clone());
            self.start.append_value(offsets.at(target.start) as i32);
            self.end.append_value(offsets.at(target.end) as i32);
            self.text.append_option(replaced.text.get(target).filter(|_| is_word(place)));
        }
        self.lengths.push(places.len());
    }

    fn finish(mut self) -> Result<ArrayRef> {
        let columns: Vec<ArrayRef> = vec![Arc::new(self.start.finish()), Arc::new(self.end.finish()), Arc::new(self.text.finish())];
        items(&carried_fields(), columns, self.lengths)
    }
}

/// What `read_document` found, of all rows.
struct Readings {
    mentions: Places,
    findings: Places,
    spans: Places,
    label: StringArray,
    detector: StringArray,
    score: Float32Array,
    passages: Places,
    level: StringArray,
    category: StringArray,
    section: BooleanArray,
    generalised: StringArray,
    revealed: ListArray,
}

/// What `read_entries` found, of all rows.
struct Entries {
    entities: Places,
    findings: Places,
    codes: [StringArray; 3],
}

impl Entries {
    fn read(entries: &StructArray) -> Result<Entries> {
        let entities = Places::read(entries, "entities")?;
        let code = |name: &str| text_column(entities.items(), name);
        Ok(Entries {
            codes: [code("snomed_code")?, code("icd10_code")?, code("atc_code")?],
            findings: Places::read(entries, "findings")?,
            entities,
        })
    }

    fn codes(&self, row: usize) -> impl Iterator<Item = &str> {
        self.entities.of(row).flat_map(|item| self.codes.iter().filter_map(move |column| text(column, item)))
    }
}

/// The spans of a list column, row by row.
struct Places {
    lists: ListArray,
    start: Int32Array,
    end: Int32Array,
}

impl Places {
    fn read(reading: &StructArray, name: &str) -> Result<Places> {
        let Some(lists) = reading.column_by_name(name).and_then(|c| c.as_list_opt::<i32>()) else {
            return exec_err!("a reading without {name}");
        };
        let items = lists.values().as_struct();
        let number =
            |name: &str| Ok::<_, datafusion::error::DataFusionError>(column(items, name, &DataType::Int32)?.as_primitive().clone());
        Ok(Places { lists: lists.clone(), start: number("start")?, end: number("end")? })
    }

    fn items(&self) -> &StructArray {
        self.lists.values().as_struct()
    }

    fn of(&self, row: usize) -> Range<usize> {
        if self.lists.is_null(row) {
            return 0..0;
        }
        let offsets = self.lists.value_offsets();
        offsets[row] as usize..offsets[row + 1] as usize
    }

    /// Bytes of an item, from the byte of every character.
    fn bytes(&self, item: usize, bytes: &[usize]) -> Range<usize> {
        let at = |offset: i32| bytes[(offset.max(0) as usize).min(bytes.len() - 1)];
        at(self.start.value(item))..at(self.end.value(item))
    }
}

impl Readings {
    fn read(reading: &StructArray) -> Result<Readings> {
        let (spans, passages) = (Places::read(reading, "identifying")?, Places::read(reading, "passages")?);
        let text = |places: &Places, name: &str| text_column(places.items(), name);
        Ok(Readings {
            mentions: Places::read(reading, "mentions")?,
            findings: Places::read(reading, "findings")?,
            label: text(&spans, "label")?,
            detector: text(&spans, "detector")?,
            score: column(spans.items(), "score", &DataType::Float32)?.as_primitive().clone(),
            level: text(&passages, "level")?,
            category: text(&passages, "category")?,
            section: column(passages.items(), "section", &DataType::Boolean)?.as_boolean().clone(),
            generalised: text(&passages, "generalised")?,
            spans,
            passages,
            revealed: match reading.column_by_name("revealed").and_then(|c| c.as_list_opt::<i32>()) {
                Some(lists) => lists.clone(),
                None => return exec_err!("a reading without revealed"),
            },
        })
    }

    fn spans(&self, row: usize, bytes: &[usize]) -> Vec<Span> {
        let span = |item: usize| {
            let place = self.spans.bytes(item, bytes);
            Some(Span {
                start: place.start,
                end: place.end,
                label: Label::from_name(self.label.value(item))?,
                detector: self.detector.value(item).to_owned().into(),
                score: self.score.value(item),
            })
        };
        self.spans.of(row).filter_map(span).collect()
    }

    fn passages(&self, row: usize, bytes: &[usize]) -> Vec<Passage> {
        let level = |name: &str| [Level::Direct, Level::Quasi, Level::Sensitive, Level::General].into_iter().find(|l| l.name() == name);
        let passage = |item: usize| {
            let place = self.passages.bytes(item, bytes);
            Some(Passage {
                start: place.start,
                end: place.end,
                level: level(self.level.value(item))?,
                category: self.category.value(item).to_owned(),
                section: self.section.value(item),
                generalised: text(&self.generalised, item).map(str::to_owned),
            })
        };
        self.passages.of(row).filter_map(passage).collect()
    }
}

/// `LABEL|words`, as tables keep what a document reveals.
pub(crate) fn revealed_item(label: Label, words: &str) -> String {
    format!("{}|{words}", label.name())
}

fn revealed_from(item: &str) -> Option<(Label, String)> {
    let (label, words) = item.split_once('|')?;
    Some((Label::from_name(label)?, words.to_owned()))
}

/// Everything that must not show of a patient: the record, and what the documents
/// reveal, both as `restricted.identities` keeps them.
pub fn known_identifiers<'a>(record: Option<&str>, revealed: impl IntoIterator<Item = &'a str>) -> KnownIdentifiers {
    let mut identifiers = person(record).map(|(person, _)| KnownIdentifiers::of_person(&person)).unwrap_or_default();
    for (label, words) in revealed.into_iter().filter_map(revealed_from) {
        identifiers.add(label, &words);
    }
    identifiers
}

fn revealed_of(lists: &ListArray, row: usize) -> Vec<(Label, String)> {
    if lists.is_null(row) {
        return Vec::new();
    }
    let items = lists.value(row);
    let Some(items) = items.as_string_opt::<i32>() else { return Vec::new() };
    // Whatever order the engine put them in, one patient's surrogates are drawn in the same.
    let mut all: Vec<_> = items.iter().flatten().filter_map(revealed_from).collect();
    all.sort();
    all
}

fn documents(library: &Library, settings: &Deidentification, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let (sources, titles, displays) = (texts(arguments, 0)?, texts(arguments, 1)?, texts(arguments, 2)?);
    let Some(reading) = arguments[3].as_struct_opt() else { return exec_err!("reading is a struct of read_document") };
    let readings = Readings::read(reading)?;
    let Some(entries) = arguments[4].as_struct_opt() else { return exec_err!("entries is a struct of read_entries") };
    let entries = Entries::read(entries)?;
    let Some(revealed) = arguments[5].as_list_opt::<i32>() else { return exec_err!("revealed is a list of text") };
    let Some(around) = arguments[10].as_list_opt::<i32>() else { return exec_err!("around is a list of text") };
    let (records, patients, shifts) = (texts(arguments, 6)?, texts(arguments, 7)?, numbers(arguments, 8)?);
    let document_times = times(arguments, 9, sources.len())?;
    let (mut out, mut out_titles, mut leaks) = (StringBuilder::new(), StringBuilder::new(), StringBuilder::new());
    let (mut spans, mut replacements, mut lengths) = (Spans::default(), StringBuilder::new(), Vec::new());
    let (mut mentions, mut findings) = (Carried::default(), Carried::default());
    let heard = library.hybrid.as_ref().map(|hybrid| hybrid.phi_only(&titles.iter().flatten().collect::<Vec<_>>()));
    let mut heard = heard.into_iter().flatten();
    let (mut coded_entities, mut coded_findings) = (Carried::default(), Carried::default());
    for row in 0..sources.len() {
        let mut known = revealed_of(revealed, row);
        // Of what stands around this text alone.
        known.extend(revealed_of(around, row));
        known.sort();
        known.dedup();
        let (person, _) = person(text(&records, row)).unzip();
        let source = text(&sources, row).unwrap_or_default();
        let bytes: Vec<usize> = source.char_indices().map(|(byte, _)| byte).chain([source.len()]).collect();
        let places = |list: &Places| list.of(row).map(|item| list.bytes(item, &bytes)).collect::<Vec<_>>();
        let mention_places = places(&readings.mentions);
        let mut found = readings.spans(row, &bytes);
        // What this document reveals itself has been looked for when it was read.
        if sources.is_valid(row) && may_hold(source, &known, &revealed_of(&readings.revealed, row)) {
            let analysis = Analysis::new(&library.knowledge, source, None);
            propagate(&analysis, &known, &mut found);
            found = settle(&analysis, found);
        }
        let identifiers = identifiers(person.as_ref(), &known, source, &found);
        let context = SurrogateContext {
            key: &settings.key,
            patient: text(&patients, row).unwrap_or_default(),
            shift_days: if shifts.is_valid(row) { shifts.value(row) as i32 } else { 0 },
            person: person.as_ref(),
            reference: time(&document_times, row).map(|t| t.date()),
            known: &known,
            avoid: Some(identifiers.words()),
            tagged: &[],
        };
        let surrogates = &library.identity.surrogates;
        let passages = readings.passages(row, &bytes);
        let replaced = replace_locked(surrogates, source, &mut found, &passages, &settings.policy, &context, &identifiers, &mention_places);
        push_spans(source, &found, &replaced, &mut spans, &mut replacements);
        lengths.push(found.len());
        // What stands within a name, an address or a number is part of it, not medicine.
        let is_medicine = |place: &Range<usize>| {
            !place.is_empty() && !found.iter().any(|span| span.label != Label::Date && span.start <= place.start && place.end <= span.end)
        };
        mentions.row(&replaced, &mention_places, is_medicine);
        findings.row(&replaced, &places(&readings.findings), |_| true);
        coded_entities.row(&replaced, &places(&entries.entities), |_| true);
        coded_findings.row(&replaced, &places(&entries.findings), |_| true);
        let title = text(&titles, row).and_then(|title| {
            let votes = library.hybrid.as_ref().zip(heard.next());
            // A title that the model cannot read is not shown.
            let votes = votes.map(|(hybrid, votes)| Some(hybrid.identifying(votes.as_ref().ok()?)));
            let voted = votes.unwrap_or_else(|| Some(Vec::new()))?;
            let analysis = Analysis::new(&library.knowledge, title, None);
            let mut found = detect(library.identity, &analysis, Circumstances { person: person.as_ref(), staff: &[] });
            found.extend(voted);
            propagate(&analysis, &known, &mut found);
            Some(replace(surrogates, title, &settle(&analysis, found), &[], &settings.policy, &context).text)
        });
        // What leaves is searched once more: mentions and evidence are parts of the text, codes of entries are not.
        let strings = [Some(replaced.text.as_str()), title.as_deref(), text(&displays, row)];
        leaks.append_option(
            strings.into_iter().flatten().chain(entries.codes(row)).find_map(|s| identifiers.find(s)).map(|leak| leak.label.name()),
        );
        if sources.is_valid(row) {
            out.append_value(&replaced.text)
        } else {
            out.append_null()
        }
        out_titles.append_option(title);
    }
    let columns = vec![
        Arc::new(out.finish()) as ArrayRef,
        Arc::new(out_titles.finish()),
        finish_spans(spans, replacements, lengths)?,
        mentions.finish()?,
        findings.finish()?,
        coded_entities.finish()?,
        coded_findings.finish()?,
        Arc::new(leaks.finish()),
    ];
    Ok(Arc::new(StructArray::try_new(document_fields(), columns, None)?))
}

/// Everything that must not show: the record, what the patient's documents reveal, what this one holds.
fn identifiers(person: Option<&Person>, known: &[(Label, String)], source: &str, found: &[Span]) -> KnownIdentifiers {
    let mut identifiers = person.map(KnownIdentifiers::of_person).unwrap_or_default();
    for (label, words) in known {
        identifiers.add(*label, words);
    }
    for span in found {
        let written = &source[span.start..span.end];
        if tells_elsewhere(span, written) {
            identifiers.add(span.label, written);
        }
    }
    identifiers
}
