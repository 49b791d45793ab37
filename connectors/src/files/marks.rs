//! The position of a folder.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::formats::fhir::framing::Cursor;

/// A listing of files and how far each has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Marks {
    /// When the epoch that ended here was read, in microseconds.
    pub received_at: i64,
    /// By path below the root, with `/`; a file that is the root by its name.
    pub files: BTreeMap<String, Mark>,
}

impl Marks {
    /// Whether something of the listing is still to be read.
    pub fn pending(&self) -> bool {
        self.files.values().any(|mark| !mark.done)
    }

    /// The files in the order in which they are read: what documents refer to comes
    /// first, since a record that is known late has its documents read once more.
    pub fn in_order(&mut self) -> Vec<(&String, &mut Mark)> {
        let mut files: Vec<_> = self.files.iter_mut().collect();
        files.sort_by_key(|(name, _)| !introduces(name));
        files
    }
}

/// Whether a file holds Patients or Encounters, by its name in the Bulk Data layout.
fn introduces(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    ["Patient", "Encounter"]
        .iter()
        .any(|resource| file.strip_prefix(resource).is_some_and(|rest| rest.starts_with(|c: char| !c.is_alphanumeric())))
}

/// How far a file has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mark {
    /// Bytes stored when it was listed; nothing behind them is looked at.
    pub size: u64,
    /// Modification time when it was listed, in microseconds.
    pub modified: i64,
    /// Of these bytes, how many have been taken in, read-ahead included.
    #[serde(skip_serializing_if = "is_zero")]
    pub stored: u64,
    /// Hash of the first and last kilobytes of `size` bytes; empty until read.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub print: String,
    pub cursor: Cursor,
    /// All of the `size` bytes are read.
    pub done: bool,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Mark {
    /// About how many stored bytes are still to be taken in.
    pub fn left(&self) -> u64 {
        self.size.saturating_sub(self.stored)
    }
}
