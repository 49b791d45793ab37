//! `identifying(text, record, staff)`: what identifies somebody in what stands around
//! a text, and what of it is to be looked for in the text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListBuilder, StringBuilder, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_clinical::analysis::Analysis;
use sillage_clinical::text::CharOffsets;
use sillage_deidentification::Circumstances;
use sillage_deidentification::detect::detect;
use sillage_deidentification::reveal::revealed;
use sillage_deidentification::vote::settle;

use crate::arguments::{list_of, text, texts};
use crate::catalogue::STAGES;
use crate::deidentification::revealed_item;
use crate::library::Library;
use crate::reading::{Spans, items, names, person, span_fields};
use crate::udf::Function;

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("spans", list_of(&span_fields()), true),
        Field::new("revealed", DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))), true),
    ])
}

pub(crate) fn udf(library: &Library) -> ScalarUDF {
    let library = library.clone();
    Function {
        name: "identifying",
        signature: Signature::any(3, Volatility::Immutable),
        returns: DataType::Struct(fields()),
        documentation: Documentation::builder(
            DocSection { label: STAGES, ..DocSection::default() },
            "What identifies somebody in a letterhead, a page header or a margin: its spans, and as `LABEL|words` what is to be looked for in the text beside it.",
            "identifying(text, record, staff)",
        )
        .with_argument("text", "What stands around the text; null gives empty lists.")
        .with_argument("record", "The patient's record as JSON; null when unknown.")
        .with_argument("staff", "List of names from the metadata: authors, signatories.")
        .with_sql_example("select identifying('Secrétariat du Dr Inventé 01 02 03 04 05', null, [])['spans']")
        .build(),
        kernel: Arc::new(move |arguments| kernel(&library, arguments)),
    }
    .into()
}

fn kernel(library: &Library, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let (sources, records) = (texts(arguments, 0)?, texts(arguments, 1)?);
    let Some(staff) = arguments[2].as_list_opt::<i32>() else { return exec_err!("staff is a list of text") };
    let (mut spans, mut lengths) = (Spans::default(), Vec::new());
    let mut reveals = ListBuilder::new(StringBuilder::new());
    for row in 0..sources.len() {
        if let Some(source) = text(&sources, row).filter(|source| !source.is_empty()) {
            let (person, others) = person(text(&records, row)).unzip();
            let known: Vec<String> = names(staff, row).into_iter().chain(others.unwrap_or_default()).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let analysis = Analysis::new(&library.knowledge, source, None);
            let found = settle(&analysis, detect(library.identity, &analysis, Circumstances { person: person.as_ref(), staff: &known }));
            let mut offsets = CharOffsets::new(source);
            found.iter().for_each(|span| spans.push(source, &mut offsets, span));
            for (label, words) in revealed(source, &found) {
                reveals.values().append_value(revealed_item(label, &words));
            }
            lengths.push(found.len());
        } else {
            lengths.push(0);
        }
        reveals.append(true);
    }
    let columns = vec![items(&span_fields(), spans.finish(), lengths)?, Arc::new(reveals.finish()) as ArrayRef];
    Ok(Arc::new(StructArray::try_new(fields(), columns, None)?))
}
