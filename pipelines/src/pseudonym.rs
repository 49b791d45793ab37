//! Keyed pseudonyms: stable for one key, useless without it.
//!
//! An identifier becomes the first 128 bits of HMAC-SHA-256 over its kind and
//! value; the date shift of a patient comes from the same key. The key is a file
//! of 32 random bytes in hexadecimal. There is no built-in key.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, StringArray};
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::error::{Error, Result};

/// Largest shift of a patient's dates, in days; at least one day either way.
const MAX_SHIFT: u64 = 365;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The key of a site.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(32 bytes)")
    }
}

impl Key {
    /// Reads a key file.
    ///
    /// Errors: the file is missing, or is not 64 hexadecimal digits.
    pub fn read(path: &Path) -> Result<Key> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::Key { path: path.to_owned(), message: format!("the key file cannot be read ({e})") })?;
        let digits = text.trim();
        let wrong = || Error::Key { path: path.to_owned(), message: "a key file holds 64 hexadecimal digits (32 random bytes)".to_owned() };
        if digits.len() != 64 || !digits.is_ascii() {
            return Err(wrong());
        }
        let mut key = [0; 32];
        for (i, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Key(key))
    }

    /// Makes a new random key and writes it, readable by its owner only.
    ///
    /// Errors: the file exists already, or cannot be written.
    pub fn create(path: &Path) -> Result<Key> {
        let mut key = [0u8; 32];
        getrandom::fill(&mut key).map_err(|e| Error::Internal(format!("no random numbers from the system: {e}")))?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(Error::io(path))?;
        let digits: String = key.iter().map(|b| format!("{b:02x}")).collect();
        writeln!(file, "{digits}").and_then(|()| file.sync_all()).map_err(Error::io(path))?;
        Ok(Key(key))
    }

    fn mac(&self, kind: &str, value: &str) -> [u8; 32] {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { unreachable!("HMAC accepts any key length") };
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(value.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// Pseudonym of an identifier: 32 hexadecimal digits.
    pub fn pseudonym(&self, kind: &str, value: &str) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
        self.mac(kind, value)[..16].iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
    }

    /// The key that surrogates are drawn with: of this key, and no way back to it.
    pub fn surrogates(&self) -> [u8; 32] {
        self.mac("surrogates", "")
    }

    /// The key that files are encrypted with: of this key, and no way back to it.
    pub fn encryption(&self) -> [u8; 32] {
        self.mac("encryption", "")
    }

    /// Days by which all dates of a patient move, never 0.
    pub fn date_shift_days(&self, patient: &str) -> i32 {
        let mac = self.mac("date_shift", patient);
        let number = u64::from_le_bytes([mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], mac[6], mac[7]]);
        let days = (number >> 1) % MAX_SHIFT + 1;
        if number & 1 == 0 { days as i32 } else { -(days as i32) }
    }
}

fn clinical_time() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

fn strings(array: &ArrayRef) -> DataFusionResult<StringArray> {
    Ok(arrow::compute::cast(array, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// The functions that need the key, and the shift of a time by days, for the
/// sessions of the runner alone.
pub fn functions(key: &Key) -> Vec<ScalarUDF> {
    let pseudonym = {
        let key = key.clone();
        create_udf(
            "pseudonym",
            vec![DataType::Utf8, DataType::Utf8],
            DataType::Utf8,
            Volatility::Immutable,
            Arc::new(move |arguments: &[ColumnarValue]| {
                let arrays = ColumnarValue::values_to_arrays(arguments)?;
                let (kinds, values) = (strings(&arrays[0])?, strings(&arrays[1])?);
                let rows = (0..values.len())
                    .map(|i| (kinds.is_valid(i) && values.is_valid(i)).then(|| key.pseudonym(kinds.value(i), values.value(i))));
                Ok(ColumnarValue::Array(Arc::new(rows.collect::<StringArray>())))
            }),
        )
    };
    let shift = {
        let key = key.clone();
        create_udf(
            "date_shift_days",
            vec![DataType::Utf8],
            DataType::Int32,
            Volatility::Immutable,
            Arc::new(move |arguments: &[ColumnarValue]| {
                let arrays = ColumnarValue::values_to_arrays(arguments)?;
                let patients = strings(&arrays[0])?;
                let rows = (0..patients.len()).map(|i| patients.is_valid(i).then(|| key.date_shift_days(patients.value(i))));
                Ok(ColumnarValue::Array(Arc::new(rows.collect::<Int32Array>())))
            }),
        )
    };
    let shifted = create_udf(
        "shift_days",
        vec![clinical_time(), DataType::Int64],
        clinical_time(),
        Volatility::Immutable,
        Arc::new(|arguments: &[ColumnarValue]| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let (times, days) = (arrays[0].as_primitive::<TimestampMicrosecondType>(), arrays[1].as_primitive::<Int64Type>());
            let moved = arrow::compute::binary::<_, _, _, TimestampMicrosecondType>(times, days, |time, days| {
                time.saturating_add(days * MICROS_PER_DAY)
            })?;
            Ok(ColumnarValue::Array(Arc::new(moved)))
        }),
    );
    vec![pseudonym, shift, shifted]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_depend_on_key_kind_and_value() {
        let (a, b) = (Key([1; 32]), Key([2; 32]));
        assert_eq!(a.pseudonym("patient", "x"), a.pseudonym("patient", "x"));
        assert_ne!(a.pseudonym("patient", "x"), a.pseudonym("document", "x"));
        assert_ne!(a.pseudonym("patient", "x"), b.pseudonym("patient", "x"));
        assert_eq!(a.pseudonym("patient", "x").len(), 32);
    }

    #[test]
    fn dates_always_move() {
        let key = Key([7; 32]);
        for i in 0..2000 {
            let days = key.date_shift_days(&i.to_string());
            assert!(days != 0 && days.unsigned_abs() as u64 <= MAX_SHIFT);
        }
    }

    #[test]
    fn key_files_round_trip_and_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = Key::create(&path).unwrap();
        assert_eq!(Key::read(&path).unwrap().0, key.0);
        assert!(Key::create(&path).is_err(), "an existing key is never overwritten");
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
        std::fs::write(&path, "abc").unwrap();
        assert!(Key::read(&path).is_err());
    }
}
