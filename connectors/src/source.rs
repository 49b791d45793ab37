//! What every source is: it reads epochs, and says in each how far it has read.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sillage_schemas::Fault;

use crate::seal::Seal;

/// Something that documents come from.
///
/// Calls block; the runner makes them on a thread for blocking work.
pub trait Source: Send {
    /// Identifies this source across runs: application id of its commits and
    /// `source` of its rows.
    fn name(&self) -> &str;

    /// Begins to listen or to ask, where the source is one that does. Called once,
    /// before the first [`Source::read`].
    ///
    /// # Errors
    /// The address is taken, a certificate cannot be read, the spool cannot be written.
    fn start(&mut self, _start: &Start<'_>) -> Result<(), SourceError> {
        Ok(())
    }

    /// How long to wait before another look, `None` for what the configuration says.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// Everything before that position is durable in the tables: what was kept
    /// for a replay may go.
    ///
    /// # Errors
    /// The spool cannot be written.
    fn committed(&mut self, _position: &Position) -> Result<(), SourceError> {
        Ok(())
    }

    /// About how many bytes [`Source::read`] will count in `bytes_read` from
    /// there on, `None` where nobody knows.
    fn size_hint(&self, from: &Position) -> Option<u64>;

    /// The next epoch after `from`, `None` when there is nothing more for now.
    ///
    /// # Errors
    /// Only for what concerns the source as a whole. Input that is wrong goes
    /// into [`Epoch::dead_letters`].
    fn read(&mut self, from: &Position, until: Until<'_>) -> Result<Option<Epoch>, SourceError>;
}

/// What a source is told when it begins.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// A folder of the restricted zone where the source may keep what it has received.
    pub spool: &'a Path,
    /// Whether the run ends when everything available has been read. A listener
    /// then hands out what it has kept and does not listen.
    pub once: bool,
    /// What is kept there is sealed with this, where the restricted zone is encrypted.
    pub seal: Option<&'a Arc<Seal>>,
}

/// Where a source stands: everything before it has been read. Comparable and
/// serialisable; only the source that made it can look inside. The default is
/// the very beginning.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(serde_json::Value);

impl Position {
    /// The position that holds this state of a source.
    pub(crate) fn encode<T: Serialize>(state: &T) -> Result<Self, SourceError> {
        serde_json::to_value(state).map(Position).map_err(|_| SourceError::Position)
    }

    /// The state of a source, its default at the very beginning.
    pub(crate) fn decode<T: DeserializeOwned + Default>(&self) -> Result<T, SourceError> {
        if self.0.is_null() {
            return Ok(T::default());
        }
        T::deserialize(&self.0).map_err(|_| SourceError::Position)
    }
}

/// How far an epoch goes.
#[derive(Debug, Clone, Copy)]
pub enum Until<'a> {
    /// The epoch ends with the first resource that reaches one of the limits.
    Limits { max_documents: usize, max_bytes: usize },
    /// The epoch that ended there is made once more, the same to the byte.
    Exactly(&'a Position),
}

/// What a source has read between two positions.
pub struct Epoch {
    /// Rows of [`sillage_schemas::tables::incoming_documents`].
    pub documents: RecordBatch,
    /// Rows of [`sillage_schemas::tables::incoming_patients`].
    pub patients: RecordBatch,
    /// Rows of [`sillage_schemas::tables::incoming_encounters`].
    pub encounters: RecordBatch,
    pub dead_letters: Vec<DeadLetter>,
    /// Everything before it is in this epoch or in an earlier one.
    pub position: Position,
    /// When the epoch was read; a replay keeps it.
    pub received_at: DateTime<Utc>,
    /// Documents met: rows of `documents` and documents among `dead_letters`.
    pub documents_seen: u64,
    /// Resources that are none of ours (Observation, Binary, …).
    pub ignored: u64,
    /// Texts whose bytes were not in the character set they declared.
    pub charset_guessed: u64,
    /// Bytes of input consumed, as stored (compressed where it is).
    pub bytes_read: u64,
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Epoch")
            .field("documents", &self.documents.num_rows())
            .field("patients", &self.patients.num_rows())
            .field("encounters", &self.encounters.num_rows())
            .field("dead_letters", &self.dead_letters.len())
            .field("ignored", &self.ignored)
            .field("bytes_read", &self.bytes_read)
            .finish_non_exhaustive()
    }
}

/// Input that could not be processed.
#[derive(Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The same for the same input at the same place.
    pub message_id: String,
    pub source: String,
    /// Stable word to group by, see [`crate::formats::reason`].
    pub reason: &'static str,
    /// Where the input is; never a word of it.
    pub detail: String,
    /// The input, for a replay. `None` where it was too large to keep.
    pub payload: Option<String>,
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter")
            .field("message_id", &self.message_id)
            .field("source", &self.source)
            .field("reason", &self.reason)
            .field("detail", &self.detail)
            .field("payload", &format_args!("{} bytes", self.payload.as_deref().unwrap_or_default().len()))
            .finish()
    }
}

/// Why a source cannot be opened or read on.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("no source has the scheme {scheme:?}; known: {known}")]
    UnknownScheme { scheme: String, known: String },
    #[error("{place} is not a usable file URI; write file:///absolute/path or just the path")]
    BadUri { place: String },
    #[error("{place} does not exist; check the path given as source")]
    NotFound { place: String },
    #[error("{place} holds no FHIR or HL7 file; expected .ndjson, .jsonl, .json or .hl7, each also with .gz, in it or its subfolders")]
    NoFiles { place: String },
    #[error("{place} is no FHIR or HL7 file by its name; expected .ndjson, .jsonl, .json or .hl7, each also with .gz")]
    NotFhir { place: String },
    #[error("{place} is empty; was the export interrupted? Export it again")]
    Empty { place: String },
    #[error("{place} cannot be read: {error}; check its permissions and the disk")]
    Unreadable { place: String, error: io::Error },
    #[error("{place} changed since the epoch to be read once more; put the file back as it was, or start with a new output directory")]
    Changed { place: String },
    #[error("no temporary file can be written: {error}; free some disk space or set TMPDIR")]
    Spool { error: io::Error },
    #[error("{place}: {message}")]
    Setting { place: String, message: String },
    #[error("{address} cannot be listened on: {error}; is it taken, or not an address of this machine?")]
    Listen { address: String, error: io::Error },
    #[error("{place}: the inbox of received messages cannot be used: {message}; check the disk and that no other run uses it")]
    Inbox { place: String, message: String },
    #[error("{place} does not answer as expected: {message}")]
    Remote { place: String, message: String },
    #[error("the stored position was not made by this source")]
    Position,
    #[error("rows do not fit the schema: {0}")]
    Schema(#[from] arrow::error::ArrowError),
}

impl SourceError {
    pub(crate) fn unreadable(place: &Path, error: io::Error) -> Self {
        let place = place.display().to_string();
        match error.kind() {
            io::ErrorKind::NotFound => SourceError::NotFound { place },
            _ => SourceError::Unreadable { place, error },
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            SourceError::UnknownScheme { .. }
            | SourceError::BadUri { .. }
            | SourceError::NotFound { .. }
            | SourceError::NoFiles { .. }
            | SourceError::NotFhir { .. }
            | SourceError::Empty { .. }
            | SourceError::Setting { .. } => Fault::Configuration,
            SourceError::Unreadable { .. }
            | SourceError::Changed { .. }
            | SourceError::Spool { .. }
            | SourceError::Listen { .. }
            | SourceError::Inbox { .. }
            | SourceError::Remote { .. } => Fault::Environment,
            SourceError::Position | SourceError::Schema(_) => Fault::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_dead_letter_keeps_the_payload_to_itself() {
        let letter = DeadLetter {
            message_id: "m".into(),
            source: "s".into(),
            reason: "bad_json",
            detail: "x.ndjson:3".into(),
            payload: Some("Mme Inventée".into()),
        };
        let shown = format!("{letter:?}");
        assert!(shown.contains("x.ndjson:3") && shown.contains("13 bytes") && !shown.contains("Invent"), "{shown}");
    }

    #[test]
    fn a_position_survives_serialisation() -> Result<(), Box<dyn std::error::Error>> {
        let position = Position::encode(&vec![1, 2])?;
        let text = serde_json::to_string(&position)?;
        assert_eq!(serde_json::from_str::<Position>(&text)?, position);
        assert_eq!(serde_json::from_str::<Position>("null")?, Position::default());
        assert_eq!(Position::default().decode::<Vec<i32>>()?, Vec::<i32>::new());
        assert!(position.decode::<String>().is_err());
        Ok(())
    }
}
