//! `sentences(text)`: the sentences of a text.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Builder, StringBuilder};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_clinical::sentence::sentences;
use sillage_clinical::text::Text;

use crate::arguments::{Lists, list_of, texts};
use crate::catalogue::CLINICAL_TEXT;
use crate::udf::Function;

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("start", DataType::Int32, true),
        Field::new("end", DataType::Int32, true),
        Field::new("text", DataType::Utf8, true),
    ])
}

pub(crate) fn udf() -> ScalarUDF {
    Function {
        name: "sentences",
        signature: Signature::any(1, Volatility::Immutable),
        returns: list_of(&fields()),
        documentation: Documentation::builder(
            DocSection { label: CLINICAL_TEXT, ..DocSection::default() },
            "Sentences of a French clinical text. Line ends that a writer meant end a sentence, wrapped lines and abbreviations do not.",
            "sentences(text)",
        )
        .with_argument("text", "Text to read; null gives null.")
        .with_sql_example("select s.text from (select unnest(sentences('Vu par le Dr. Roux. Pas de fièvre.')) as s)")
        .build(),
        kernel: Arc::new(kernel),
    }
    .into()
}

fn kernel(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let texts = texts(arguments, 0)?;
    let (mut start, mut end, mut words) = (Int32Builder::new(), Int32Builder::new(), StringBuilder::new());
    let lists = Lists::read(&texts, |_, source, offsets| {
        let read = Text::new(source);
        let found = sentences(&read);
        for sentence in &found {
            let bytes = read.byte_range(sentence.clone());
            start.append_value(offsets.at(bytes.start) as i32);
            end.append_value(offsets.at(bytes.end) as i32);
            words.append_value(&source[bytes]);
        }
        found.len()
    });
    lists.finish(&fields(), vec![Arc::new(start.finish()), Arc::new(end.finish()), Arc::new(words.finish())])
}
