//! `sections(text)`: the titled parts of a report.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Builder, StringBuilder};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_clinical::analysis::Analysis;
use sillage_clinical::knowledge::Knowledge;

use crate::arguments::{Lists, list_of, texts};
use crate::catalogue::CLINICAL_TEXT;
use crate::udf::Function;

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("name", DataType::Utf8, true),
        Field::new("title", DataType::Utf8, true),
        Field::new("start", DataType::Int32, true),
        Field::new("end", DataType::Int32, true),
        Field::new("text", DataType::Utf8, true),
    ])
}

pub(crate) fn udf(knowledge: &Arc<Knowledge>) -> ScalarUDF {
    let knowledge = Arc::clone(knowledge);
    Function {
        name: "sections",
        signature: Signature::any(1, Volatility::Immutable),
        returns: list_of(&fields()),
        documentation: Documentation::builder(
            DocSection { label: CLINICAL_TEXT, ..DocSection::default() },
            "Titled sections of a French report, named by kind (history, home_treatment, examination, conclusion, ...). `start` and `end` include the title.",
            "sections(text)",
        )
        .with_argument("text", "Text to read; null gives null.")
        .with_sql_example("select s.name, s.text from (select unnest(sections('ATCD : HTA, diabète')) as s)")
        .build(),
        kernel: Arc::new(move |arguments| kernel(&knowledge, arguments)),
    }
    .into()
}

fn kernel(knowledge: &Knowledge, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let texts = texts(arguments, 0)?;
    let (mut name, mut title, mut words) = (StringBuilder::new(), StringBuilder::new(), StringBuilder::new());
    let (mut start, mut end) = (Int32Builder::new(), Int32Builder::new());
    let lists = Lists::read(&texts, |_, source, offsets| {
        let analysis = Analysis::new(knowledge, source, None);
        for section in &analysis.sections {
            let bytes = analysis.text.byte_range(section.tokens.clone());
            name.append_value(analysis.section_name(section));
            title.append_value(analysis.text.source(section.title.clone()));
            start.append_value(offsets.at(bytes.start) as i32);
            end.append_value(offsets.at(bytes.end) as i32);
            words.append_value(&source[bytes]);
        }
        analysis.sections.len()
    });
    let columns: Vec<ArrayRef> =
        vec![Arc::new(name.finish()), Arc::new(title.finish()), Arc::new(start.finish()), Arc::new(end.finish()), Arc::new(words.finish())];
    lists.finish(&fields(), columns)
}
