//! `temporal_expressions(text, reference_time)`: dates, times, durations and ages.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanBuilder, Float32Builder, Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_clinical::temporal::temporal_expressions;
use sillage_clinical::text::Text;

use crate::arguments::{Lists, clinical_time, list_of, micros, texts, time, times};
use crate::catalogue::CLINICAL_TEXT;
use crate::udf::Function;

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("start", DataType::Int32, true),
        Field::new("end", DataType::Int32, true),
        Field::new("text", DataType::Utf8, true),
        Field::new("kind", DataType::Utf8, true),
        Field::new("value", clinical_time(), true),
        Field::new("until", clinical_time(), true),
        Field::new("precision", DataType::Utf8, true),
        Field::new("duration_minutes", DataType::Int64, true),
        Field::new("age_years", DataType::Float32, true),
        Field::new("approximate", DataType::Boolean, true),
    ])
}

pub(crate) fn udf() -> ScalarUDF {
    Function {
        name: "temporal_expressions",
        signature: Signature::variadic_any(Volatility::Immutable),
        returns: list_of(&fields()),
        documentation: Documentation::builder(
            DocSection { label: CLINICAL_TEXT, ..DocSection::default() },
            "Dates, clock times, relative expressions, durations, frequencies and ages of a French text, normalised against the time of the document. `kind` is date, relative, time, duration, age, frequency or period; `precision` is the smallest unit stated.",
            "temporal_expressions(text [, reference_time])",
        )
        .with_argument("text", "Text to read; null gives null.")
        .with_argument("reference_time", "Time of the document; without it partial and relative dates have no value.")
        .with_sql_example("select t.text, t.value from (select unnest(temporal_expressions('AVC en mars 2019, vu la veille à 22h', timestamp '2024-05-02 10:00:00')) as t)")
        .build(),
        kernel: Arc::new(kernel),
    }
    .into()
}

fn kernel(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let texts = texts(arguments, 0)?;
    let times = times(arguments, 1, texts.len())?;
    let (mut start, mut end) = (Int32Builder::new(), Int32Builder::new());
    let (mut words, mut kind, mut precision) = (StringBuilder::new(), StringBuilder::new(), StringBuilder::new());
    let (mut value, mut until) = (TimestampMicrosecondBuilder::new(), TimestampMicrosecondBuilder::new());
    let (mut duration, mut age, mut approximate) = (Int64Builder::new(), Float32Builder::new(), BooleanBuilder::new());
    let lists = Lists::read(&texts, |row, source, offsets| {
        let found = temporal_expressions(&Text::new(source), time(&times, row));
        for expression in &found {
            start.append_value(offsets.at(expression.start) as i32);
            end.append_value(offsets.at(expression.end) as i32);
            words.append_value(&source[expression.start..expression.end]);
            kind.append_value(expression.kind.name());
            value.append_option(expression.value.map(micros));
            until.append_option(expression.until.map(micros));
            precision.append_value(expression.precision.name());
            duration.append_option(expression.duration_minutes);
            age.append_option(expression.age_years);
            approximate.append_value(expression.approximate);
        }
        found.len()
    });
    let columns: Vec<ArrayRef> = vec![
        Arc::new(start.finish()),
        Arc::new(end.finish()),
        Arc::new(words.finish()),
        Arc::new(kind.finish()),
        Arc::new(value.finish()),
        Arc::new(until.finish()),
        Arc::new(precision.finish()),
        Arc::new(duration.finish()),
        Arc::new(age.finish()),
        Arc::new(approximate.finish()),
    ];
    lists.finish(&fields(), columns)
}
