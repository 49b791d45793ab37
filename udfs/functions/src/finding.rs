//! Values of variables as structs of SQL, there and back.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Float32Builder, Float64Builder, Int32Builder, StringArray, StringBuilder, StructArray,
    TimestampMicrosecondArray, TimestampMicrosecondBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Float32Type, Float64Type, Int32Type, TimestampMicrosecondType};
use datafusion::common::{Result, exec_err};
use sillage_clinical::text::CharOffsets;
use sillage_variables::definition::{Definition, Definitions, Type};
use sillage_variables::resolve::canonical;
use sillage_variables::{Anchor, Finding, Value};

use crate::arguments::{clinical_time, micros, time};

/// What a value is and what it is measured in: the fields of [`ValueColumns`], then these.
pub(crate) fn with_value_fields(others: Vec<Field>) -> Fields {
    let utf8 = |name: &str| Field::new(name, DataType::Utf8, true);
    let value = [
        utf8("variable"),
        utf8("value"),
        Field::new("value_number", DataType::Float64, true),
        Field::new("value_boolean", DataType::Boolean, true),
        Field::new("value_datetime", clinical_time(), true),
        utf8("unit"),
        utf8("loinc_code"),
        utf8("snomed_code"),
    ];
    value.into_iter().chain(others).collect()
}

/// One value: what it is, where it stands, which moment it belongs to.
pub(crate) fn fields() -> Fields {
    let utf8 = |name: &str| Field::new(name, DataType::Utf8, true);
    with_value_fields(vec![
        Field::new("start", DataType::Int32, true),
        Field::new("end", DataType::Int32, true),
        utf8("evidence"),
        utf8("section"),
        utf8("time_anchor"),
        Field::new("event_time", clinical_time(), true),
        Field::new("score", DataType::Float32, true),
        utf8("method"),
    ])
}

/// The columns that hold a value and what it is measured in.
#[derive(Default)]
pub(crate) struct ValueColumns {
    variable: StringBuilder,
    value: StringBuilder,
    number: Float64Builder,
    boolean: BooleanBuilder,
    datetime: TimestampMicrosecondBuilder,
    unit: StringBuilder,
    loinc: StringBuilder,
    snomed: StringBuilder,
}

impl ValueColumns {
    pub fn push(&mut self, variable: &str, value: &Value, definition: Option<&Definition>) {
        self.variable.append_value(variable);
        self.value.append_value(canonical(value));
        self.number.append_option(if let Value::Number(n) = value { Some(*n) } else { None });
        self.boolean.append_option(if let Value::Boolean(b) = value { Some(*b) } else { None });
        self.datetime.append_option(if let Value::DateTime(t) = value { Some(micros(*t)) } else { None });
        self.unit.append_option(definition.and_then(|d| d.unit.as_deref()));
        self.loinc.append_option(definition.and_then(|d| d.loinc.as_deref()));
        self.snomed.append_option(definition.and_then(|d| d.snomed.as_deref()));
    }

    pub fn finish(mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.variable.finish()),
            Arc::new(self.value.finish()),
            Arc::new(self.number.finish()),
            Arc::new(self.boolean.finish()),
            Arc::new(self.datetime.finish()),
            Arc::new(self.unit.finish()),
            Arc::new(self.loinc.finish()),
            Arc::new(self.snomed.finish()),
        ]
    }
}

/// Columns of [`fields`].
#[derive(Default)]
pub(crate) struct Columns {
    value: ValueColumns,
    start: Int32Builder,
    end: Int32Builder,
    evidence: StringBuilder,
    section: StringBuilder,
    anchor: StringBuilder,
    event_time: TimestampMicrosecondBuilder,
    score: Float32Builder,
    method: StringBuilder,
}

impl Columns {
    pub fn push(&mut self, definitions: &Definitions, source: &str, offsets: &mut CharOffsets<'_>, finding: &Finding) {
        self.value.push(&finding.variable, &finding.value, definitions.get(&finding.variable));
        self.start.append_value(offsets.at(finding.start) as i32);
        self.end.append_value(offsets.at(finding.end) as i32);
        self.evidence.append_value(&source[finding.start..finding.end]);
        self.section.append_option(finding.section.as_deref());
        self.anchor.append_value(finding.anchor.name());
        self.event_time.append_option(finding.event_time.map(micros));
        self.score.append_value(finding.score);
        self.method.append_value(&finding.method);
    }

    pub fn finish(mut self) -> Vec<ArrayRef> {
        let mut columns = self.value.finish();
        columns.extend([
            Arc::new(self.start.finish()) as ArrayRef,
            Arc::new(self.end.finish()),
            Arc::new(self.evidence.finish()),
            Arc::new(self.section.finish()),
            Arc::new(self.anchor.finish()),
            Arc::new(self.event_time.finish()),
            Arc::new(self.score.finish()),
            Arc::new(self.method.finish()),
        ]);
        columns
    }
}

/// Findings read back from a struct array: rows of the table `variables`, by column name.
pub(crate) struct Findings {
    texts: [StringArray; 6],
    times: [TimestampMicrosecondArray; 2],
    number: ArrayRef,
    boolean: ArrayRef,
    start: ArrayRef,
    end: ArrayRef,
    score: ArrayRef,
}

const TEXTS: [&str; 6] = ["document_id", "variable", "value", "section", "time_anchor", "method"];

impl Findings {
    pub fn read(items: &StructArray) -> Result<Findings> {
        Ok(Findings {
            texts: [
                text_column(items, TEXTS[0])?,
                text_column(items, TEXTS[1])?,
                text_column(items, TEXTS[2])?,
                text_column(items, TEXTS[3])?,
                text_column(items, TEXTS[4])?,
                text_column(items, TEXTS[5])?,
            ],
            times: [time_column(items, "value_datetime")?, time_column(items, "event_time")?],
            number: column(items, "value_number", &DataType::Float64)?,
            boolean: column(items, "value_boolean", &DataType::Boolean)?,
            start: column(items, "start", &DataType::Int32)?,
            end: column(items, "end", &DataType::Int32)?,
            score: column(items, "score", &DataType::Float32)?,
        })
    }

    fn text(&self, column: usize, row: usize) -> Option<&str> {
        self.texts[column].is_valid(row).then(|| self.texts[column].value(row))
    }

    pub fn document(&self, row: usize) -> Option<&str> {
        self.text(0, row)
    }

    /// The finding of a row; `byte` turns offsets into bytes of its document's text.
    pub fn finding(&self, definitions: &Definitions, row: usize, mut byte: impl FnMut(usize) -> usize) -> Option<Finding> {
        let variable = self.text(1, row)?;
        let value = match definitions.get(variable)?.kind {
            Type::Boolean => Value::Boolean(self.boolean.is_valid(row).then(|| self.boolean.as_boolean().value(row))?),
            Type::Category => Value::Category(Cow::Owned(self.text(2, row)?.to_owned())),
            Type::Integer | Type::Float => {
                Value::Number(self.number.is_valid(row).then(|| self.number.as_primitive::<Float64Type>().value(row))?)
            }
            Type::DateTime => Value::DateTime(time(&self.times[0], row)?),
        };
        let offset = |array: &ArrayRef| array.is_valid(row).then(|| array.as_primitive::<Int32Type>().value(row).max(0) as usize);
        Some(Finding {
            variable: Cow::Owned(variable.to_owned()),
            value,
            start: byte(offset(&self.start)?),
            end: byte(offset(&self.end)?),
            section: self.text(3, row).map(|s| Cow::Owned(s.to_owned())),
            anchor: self.text(4, row).and_then(Anchor::from_name)?,
            event_time: time(&self.times[1], row),
            score: if self.score.is_valid(row) { self.score.as_primitive::<Float32Type>().value(row) } else { 0.0 },
            method: Cow::Owned(self.text(5, row).unwrap_or_default().to_owned()),
        })
    }
}

/// A column of structs, as this type.
pub(crate) fn column(items: &StructArray, name: &str, as_type: &DataType) -> Result<ArrayRef> {
    match items.column_by_name(name) {
        Some(column) => Ok(cast(column, as_type)?),
        None => exec_err!("a struct without {name}"),
    }
}

pub(crate) fn text_column(items: &StructArray, name: &str) -> Result<StringArray> {
    Ok(column(items, name, &DataType::Utf8)?.as_string::<i32>().clone())
}

pub(crate) fn time_column(items: &StructArray, name: &str) -> Result<TimestampMicrosecondArray> {
    Ok(column(items, name, &clinical_time())?.as_primitive::<TimestampMicrosecondType>().clone())
}
