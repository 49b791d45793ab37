//! `measurements(text)`: values with their units, and scores.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, Int32Builder, StringBuilder};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_clinical::measurement::measurements;
use sillage_clinical::text::Text;

use crate::arguments::{Lists, list_of, texts};
use crate::catalogue::CLINICAL_TEXT;
use crate::udf::Function;

fn fields() -> Fields {
    let utf8 = |name: &str| Field::new(name, DataType::Utf8, true);
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    Fields::from(vec![
        Field::new("start", DataType::Int32, true),
        Field::new("end", DataType::Int32, true),
        utf8("text"),
        utf8("name"),
        utf8("label"),
        utf8("loinc_code"),
        utf8("comparator"),
        number("value"),
        number("value_high"),
        utf8("value_text"),
        utf8("unit"),
        number("canonical_value"),
        utf8("canonical_unit"),
    ])
}

pub(crate) fn udf() -> ScalarUDF {
    Function {
        name: "measurements",
        signature: Signature::any(1, Volatility::Immutable),
        returns: list_of(&fields()),
        documentation: Documentation::builder(
            DocSection { label: CLINICAL_TEXT, ..DocSection::default() },
            "Values with their units and scores of a French text: vital signs, laboratory values, NIHSS, Rankin, TICI and the like. Units are UCUM codes; `canonical_value` is the value in the one unit of its name.",
            "measurements(text)",
        )
        .with_argument("text", "Text to read; null gives null.")
        .with_sql_example("select m.name, m.value, m.canonical_value, m.canonical_unit from (select unnest(measurements('TA 18/9, dextro 1,38 g/L, NIHSS à 14')) as m)")
        .build(),
        kernel: Arc::new(kernel),
    }
    .into()
}

fn kernel(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let texts = texts(arguments, 0)?;
    let (mut start, mut end) = (Int32Builder::new(), Int32Builder::new());
    let mut strings: [StringBuilder; 8] = Default::default();
    let mut numbers: [Float64Builder; 3] = Default::default();
    let lists = Lists::read(&texts, |_, source, offsets| {
        let found = measurements(&Text::new(source));
        for m in &found {
            start.append_value(offsets.at(m.start) as i32);
            end.append_value(offsets.at(m.end) as i32);
            let values = [
                Some(&source[m.start..m.end]),
                m.name,
                m.label,
                m.loinc,
                Some(m.comparator.symbol()),
                m.value_text.as_deref(),
                m.unit,
                m.canonical_unit,
            ];
            for (builder, value) in strings.iter_mut().zip(values) {
                builder.append_option(value);
            }
            for (builder, value) in numbers.iter_mut().zip([m.value, m.value_high, m.canonical_value]) {
                builder.append_option(value);
            }
        }
        found.len()
    });
    let [words, name, label, loinc, comparator, value_text, unit, canonical_unit] = strings.map(|mut b| Arc::new(b.finish()) as ArrayRef);
    let [value, value_high, canonical_value] = numbers.map(|mut b| Arc::new(b.finish()) as ArrayRef);
    let columns = vec![
        Arc::new(start.finish()) as ArrayRef,
        Arc::new(end.finish()),
        words,
        name,
        label,
        loinc,
        comparator,
        value,
        value_high,
        value_text,
        unit,
        canonical_value,
        canonical_unit,
    ];
    lists.finish(&fields(), columns)
}
