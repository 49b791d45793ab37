//! `model_entities(text, model)`: the spans that a learned tagger finds.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float32Builder, Int32Builder, StringBuilder};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_clinical::text::CharOffsets;
use sillage_inference::Models;
use sillage_inference::text_model::Outcome;

use crate::arguments::{Lists, list_of, texts};
use crate::catalogue::MODELS;
use crate::hybrid::waiting;
use crate::udf::Function;

fn fields() -> Fields {
    let utf8 = |name: &str| Field::new(name, DataType::Utf8, true);
    Fields::from(vec![
        Field::new("start", DataType::Int32, true),
        Field::new("end", DataType::Int32, true),
        utf8("text"),
        utf8("label"),
        Field::new("score", DataType::Float32, true),
    ])
}

pub(crate) fn udf(models: &Arc<Models>) -> ScalarUDF {
    let models = Arc::clone(models);
    Function {
        name: "model_entities",
        signature: Signature::any(2, Volatility::Immutable),
        returns: list_of(&fields()),
        documentation: Documentation::builder(
            DocSection { label: MODELS, ..DocSection::default() },
            "Spans that a learned tagger finds in a text. Offsets count Unicode scalar values, end exclusive; `score` is the mean probability of the label over the span's tokens. Needs ONNX Runtime.",
            "model_entities(text, model)",
        )
        .with_argument("text", "Text to read, of any length; null gives null.")
        .with_argument("model", "Name of a model folder (`sillage model list`).")
        .with_sql_example("select e.label, e.text, e.score from (select unnest(model_entities(text, 'camembert-bio')) as e from documents)")
        .build(),
        kernel: Arc::new(move |arguments| kernel(&models, arguments)),
    }
    .into()
}

/// The one name that a column of names holds.
///
/// Errors: a null, or two names in one query.
pub(crate) fn one_name(arguments: &[ArrayRef], index: usize) -> Result<String> {
    let names = texts(arguments, index)?;
    let mut named = names.iter();
    let Some(first) = named.next() else { return Ok(String::new()) };
    if named.any(|name| name != first) {
        return exec_err!("the model is one for all rows");
    }
    match first {
        Some(name) => Ok(name.to_owned()),
        None => exec_err!("the model has no name"),
    }
}

/// What the model says, or how many texts it failed on.
pub(crate) fn all<T>(name: &str, found: Vec<Outcome<T>>) -> Result<Vec<T>> {
    let total = found.len();
    let mut kept = Vec::with_capacity(total);
    let mut reasons = Vec::new();
    for outcome in found {
        match outcome {
            Ok(value) => kept.push(value),
            Err(reason) => reasons.push(reason),
        }
    }
    match reasons.first() {
        None => Ok(kept),
        Some(reason) => exec_err!("model `{name}` fails on {} of {total} texts: {reason}", reasons.len()),
    }
}

fn kernel(models: &Models, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let sources = texts(arguments, 0)?;
    let (mut start, mut end) = (Int32Builder::new(), Int32Builder::new());
    let (mut words, mut label, mut score) = (StringBuilder::new(), StringBuilder::new(), Float32Builder::new());
    let mut lists = Lists::read(&sources, |_, _, _| 0);
    if sources.null_count() < sources.len() {
        let name = one_name(arguments, 1)?;
        let model = match waiting(|| models.tagger(&name)) {
            Ok(model) => model,
            Err(error) => return exec_err!("{error}"),
        };
        let found = all(&name, waiting(|| model.spans(sources.iter().flatten())))?;
        let mut found = found.into_iter();
        lists = Lists::read(&sources, |_, source, _| {
            let spans = found.next().unwrap_or_default();
            let mut offsets = CharOffsets::new(source);
            for span in &spans {
                start.append_value(offsets.at(span.start) as i32);
                end.append_value(offsets.at(span.end) as i32);
                words.append_value(&source[span.start..span.end]);
                label.append_value(&model.labels()[span.kind]);
                score.append_value(span.score);
            }
            spans.len()
        });
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(start.finish()),
        Arc::new(end.finish()),
        Arc::new(words.finish()),
        Arc::new(label.finish()),
        Arc::new(score.finish()),
    ];
    lists.finish(&fields(), columns)
}
