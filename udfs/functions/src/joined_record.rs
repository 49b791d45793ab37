//! `join_records(records)`: what several records of one person know together.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_schemas::record::PatientRecord;

use crate::catalogue::STAGES;
use crate::udf::Function;

pub(crate) fn udf() -> ScalarUDF {
    Function {
        name: "join_records",
        signature: Signature::any(1, Volatility::Immutable),
        returns: DataType::Utf8,
        documentation: Documentation::builder(
            DocSection { label: STAGES, ..DocSection::default() },
            "One record of all that several records of one person know; the first that knows the birth date or the sex counts.",
            "join_records(records)",
        )
        .with_argument("records", "A list of the JSON of `restricted.identities.record`; nulls are passed over, none at all gives null.")
        .with_sql_example("select join_records(['{\"families\":[\"A\"]}', '{\"families\":[\"B\"]}'])")
        .build(),
        kernel: Arc::new(kernel),
    }
    .into()
}

fn kernel(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let Some(lists) = arguments.first().and_then(|a| a.as_list_opt::<i32>()) else { return exec_err!("records is a list of text") };
    let mut out = StringBuilder::new();
    for row in 0..lists.len() {
        out.append_option(if lists.is_null(row) { None } else { joined(&lists.value(row))? });
    }
    Ok(Arc::new(out.finish()))
}

fn joined(records: &ArrayRef) -> Result<Option<String>> {
    let records: StringArray = cast(records, &DataType::Utf8)?.as_string::<i32>().clone();
    let mut records = records.iter().flatten();
    let Some(first) = records.next() else { return Ok(None) };
    let mut rest = records.filter_map(|record| serde_json::from_str::<PatientRecord>(record).ok()).peekable();
    // Nearly always there is one record, which stays as it is written.
    if rest.peek().is_none() {
        return Ok(Some(first.to_owned()));
    }
    let mut all: PatientRecord = serde_json::from_str(first).unwrap_or_default();
    rest.for_each(|record| all.join(record));
    // A record of strings always has a JSON form.
    Ok(serde_json::to_string(&all).ok())
}
