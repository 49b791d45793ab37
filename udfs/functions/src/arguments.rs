//! Arguments as arrays of one known type, and lists of structs as results.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray, StructArray, TimestampMicrosecondArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDateTime};
use datafusion::common::{Result, exec_err};
use sillage_clinical::text::CharOffsets;

/// Argument `index` as text.
pub(crate) fn texts(arguments: &[ArrayRef], index: usize) -> Result<StringArray> {
    let Some(array) = arguments.get(index) else { return exec_err!("argument {} is missing", index + 1) };
    Ok(cast(array, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// Argument `index` as wall-clock times; all null where it is not given.
pub(crate) fn times(arguments: &[ArrayRef], index: usize, rows: usize) -> Result<TimestampMicrosecondArray> {
    match arguments.get(index) {
        None => Ok(TimestampMicrosecondArray::new_null(rows)),
        Some(array) => {
            let array = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            Ok(array.as_primitive::<TimestampMicrosecondType>().clone())
        }
    }
}

/// Argument `index` as whole numbers.
pub(crate) fn numbers(arguments: &[ArrayRef], index: usize) -> Result<arrow::array::Int64Array> {
    let Some(array) = arguments.get(index) else { return exec_err!("argument {} is missing", index + 1) };
    Ok(cast(array, &DataType::Int64)?.as_primitive::<arrow::datatypes::Int64Type>().clone())
}

/// The text of a row, `None` for null.
pub(crate) fn text(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

/// The time of a row, `None` for null.
pub(crate) fn time(array: &TimestampMicrosecondArray, row: usize) -> Option<NaiveDateTime> {
    if array.is_null(row) { None } else { DateTime::from_timestamp_micros(array.value(row)).map(|t| t.naive_utc()) }
}

/// Microseconds of a wall-clock time.
pub(crate) fn micros(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp_micros()
}

/// Type of a wall-clock time.
pub(crate) fn clinical_time() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

/// `list<struct<fields>>`.
pub(crate) fn list_of(fields: &Fields) -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Struct(fields.clone()), true)))
}

/// How many items each row's list has.
pub(crate) struct Lists {
    lengths: Vec<usize>,
    valid: Vec<bool>,
}

impl Lists {
    /// Reads every text; `read` adds a row's items to its columns and says how many.
    /// A null text gives a null list.
    pub fn read<'t>(texts: &'t StringArray, mut read: impl FnMut(usize, &'t str, &mut CharOffsets<'t>) -> usize) -> Lists {
        let mut lists = Lists { lengths: Vec::with_capacity(texts.len()), valid: Vec::with_capacity(texts.len()) };
        for row in 0..texts.len() {
            let items = texts.is_valid(row).then(|| {
                let source = texts.value(row);
                read(row, source, &mut CharOffsets::new(source))
            });
            lists.lengths.push(items.unwrap_or(0));
            lists.valid.push(items.is_some());
        }
        lists
    }

    /// Puts the columns of all items and the lengths together.
    pub fn finish(self, fields: &Fields, columns: Vec<ArrayRef>) -> Result<ArrayRef> {
        let items = StructArray::try_new(fields.clone(), columns, None)?;
        let item = Arc::new(Field::new("item", DataType::Struct(fields.clone()), true));
        let valid = NullBuffer::from(self.valid);
        Ok(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths(self.lengths), Arc::new(items), Some(valid))?))
    }
}
