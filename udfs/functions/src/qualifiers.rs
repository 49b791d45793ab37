//! `qualifiers(text, start, end)`: what a text says of one of its spans.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanBuilder, StringBuilder, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_clinical::analysis::Analysis;
use sillage_clinical::knowledge::Knowledge;

use crate::arguments::{numbers, text, texts};
use crate::catalogue::CLINICAL_TEXT;
use crate::udf::Function;

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("negated", DataType::Boolean, true),
        Field::new("hypothetical", DataType::Boolean, true),
        Field::new("historical", DataType::Boolean, true),
        Field::new("experiencer", DataType::Utf8, true),
    ])
}

pub(crate) fn udf(knowledge: &Arc<Knowledge>) -> ScalarUDF {
    let knowledge = Arc::clone(knowledge);
    Function {
        name: "qualifiers",
        signature: Signature::any(3, Volatility::Immutable),
        returns: DataType::Struct(fields()),
        documentation: Documentation::builder(
            DocSection { label: CLINICAL_TEXT, ..DocSection::default() },
            "Whether any span of a text is negated, hypothetical or historical, and whom it is about. Null where the span is not inside the text.",
            "qualifiers(text, start, end)",
        )
        .with_argument("text", "Text the span belongs to.")
        .with_argument("start", "First character of the span, from 0.")
        .with_argument("end", "Character after the last one.")
        .with_sql_example("select qualifiers('Pas de fièvre', 7, 13)['negated']")
        .build(),
        kernel: Arc::new(move |arguments| kernel(&knowledge, arguments)),
    }
    .into()
}

/// Byte offset of a character offset.
fn byte_of(text: &str, chars: i64) -> Option<usize> {
    let chars = usize::try_from(chars).ok()?;
    text.char_indices().map(|(i, _)| i).chain(std::iter::once(text.len())).nth(chars)
}

fn kernel(knowledge: &Knowledge, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let (texts, starts, ends) = (texts(arguments, 0)?, numbers(arguments, 1)?, numbers(arguments, 2)?);
    let mut flags = [BooleanBuilder::new(), BooleanBuilder::new(), BooleanBuilder::new()];
    let (mut experiencer, mut valid) = (StringBuilder::new(), Vec::new());
    for row in 0..texts.len() {
        let found = text(&texts, row).filter(|_| starts.is_valid(row) && ends.is_valid(row)).and_then(|source| {
            let (start, end) = (byte_of(source, starts.value(row))?, byte_of(source, ends.value(row))?);
            Analysis::new(knowledge, source, None).qualifiers(start, end)
        });
        for (i, flag) in flags.iter_mut().enumerate() {
            flag.append_option(found.map(|q| [q.negated, q.hypothetical, q.historical][i]));
        }
        experiencer.append_option(found.map(|q| q.experiencer.name()));
        valid.push(found.is_some());
    }
    let [mut negated, mut hypothetical, mut historical] = flags;
    let columns: Vec<ArrayRef> =
        vec![Arc::new(negated.finish()), Arc::new(hypothetical.finish()), Arc::new(historical.finish()), Arc::new(experiencer.finish())];
    Ok(Arc::new(StructArray::try_new(fields(), columns, Some(NullBuffer::from(valid)))?))
}
