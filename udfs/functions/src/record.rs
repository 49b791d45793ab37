//! `patient_record(record)`: what the stages need of a patient's record.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanBuilder, StructArray, TimestampMicrosecondBuilder};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};

use crate::arguments::{clinical_time, micros, text, texts};
use crate::catalogue::STAGES;
use crate::reading::person;
use crate::udf::Function;

fn fields() -> Fields {
    Fields::from(vec![Field::new("birth_date", clinical_time(), true), Field::new("female", DataType::Boolean, true)])
}

pub(crate) fn udf() -> ScalarUDF {
    Function {
        name: "patient_record",
        signature: Signature::any(1, Volatility::Immutable),
        returns: DataType::Struct(fields()),
        documentation: Documentation::builder(
            DocSection { label: STAGES, ..DocSection::default() },
            "Birth date and sex of a patient's record.",
            "patient_record(record)",
        )
        .with_argument("record", "JSON of `restricted.identities.record`; null gives nulls.")
        .with_sql_example("select patient_record('{\"birth_date\":\"1955-06-01\",\"female\":true}')")
        .build(),
        kernel: Arc::new(kernel),
    }
    .into()
}

fn kernel(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let records = texts(arguments, 0)?;
    let (mut births, mut females) = (TimestampMicrosecondBuilder::new(), BooleanBuilder::new());
    for row in 0..records.len() {
        let person = person(text(&records, row)).map(|(person, _)| person);
        births.append_option(person.as_ref().and_then(|p| p.birth_date).and_then(|d| d.and_hms_opt(0, 0, 0)).map(micros));
        females.append_option(person.and_then(|p| p.female));
    }
    Ok(Arc::new(StructArray::try_new(fields(), vec![Arc::new(births.finish()), Arc::new(females.finish())], None)?))
}
