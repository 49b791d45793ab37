//! What sources keep of a person, beside the tables: messages that wait, and what
//! pollers remember of the documents they delivered.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use chrono::DateTime;
use chrono_tz::Tz;

use crate::fhir_rest;
use crate::formats::fhir::payload;
use crate::formats::{hl7v2, row};
use crate::inbox::{Inbox, Kind};
use crate::rows::Rows;
use crate::seal::Seal;
use crate::source::{Position, SourceError};

/// Columns of incoming rows that say whom or what they are of.
const NAMES: &[&str] = &["source_patient_id", "merged_into", "identifiers", "source_document_id", "replaces", "source_encounter_id"];

/// Whether bytes name a person.
pub type Named<'a> = dyn Fn(&[u8]) -> bool + 'a;

/// A person, as the sources call the person and what is the person's.
#[derive(Default)]
pub struct Erasure<'a> {
    /// Ids and identifiers (`system|value`) of the person, of the documents and encounters.
    pub names: HashSet<String>,
    /// Whether bytes that nothing here can read name the person.
    pub named: Option<&'a Named<'a>>,
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    pub messages: u64,
    /// Ids that pollers remembered.
    pub remembered: u64,
}

impl Erasure<'_> {
    /// Whether a payload is about the person: by what is read from it, else by its bytes.
    pub fn concerns(&self, kind: Kind, payload: &[u8]) -> bool {
        self.named.is_some_and(|named| named(payload)) || self.is_read_in(kind, payload)
    }

    fn is_read_in(&self, kind: Kind, payload: &[u8]) -> bool {
        let mut rows = Rows::new("erasure", DateTime::UNIX_EPOCH);
        // Whatever the time is: only names count.
        match kind {
            Kind::Hl7v2 => hl7v2::take(payload, "", &mut rows, Tz::UTC),
            Kind::Fhir => payload::take(payload, "", &mut rows, Tz::UTC),
            Kind::Row => row::take(payload, "", &mut rows),
            Kind::TooLarge => return false,
        }
        let Ok(epoch) = rows.finish(Position::default()) else { return false };
        [&epoch.documents, &epoch.patients, &epoch.encounters].iter().any(|batch| self.stands_in(batch))
    }

    fn stands_in(&self, batch: &RecordBatch) -> bool {
        let columns = NAMES.iter().filter_map(|name| batch.column_by_name(name));
        let mut words = columns.filter_map(|column| match column.data_type() {
            DataType::List(_) => column.as_list::<i32>().values().as_string_opt::<i32>(),
            _ => column.as_string_opt::<i32>(),
        });
        words.any(|words| words.iter().flatten().any(|word| self.names.contains(word)))
    }

    /// Removes the person from everything that sources keep in a folder. Files are
    /// written anew, so that nothing stays in pages that are free.
    ///
    /// # Errors
    /// A run uses the folder, the disk fails or is full.
    pub fn run(&self, spool: &Path, seal: Option<&Arc<Seal>>) -> Result<Erased, SourceError> {
        let mut erased = Erased::default();
        if !spool.is_dir() {
            return Ok(erased);
        }
        for source in Inbox::sources(spool)? {
            let inbox = Inbox::sealed(spool, &source, seal.cloned())?;
            if let Some(kept) = inbox.state()?
                && let Some((state, count)) = fhir_rest::forgetting(&kept, |text| self.names.contains(text), |bytes| self.is_named(bytes))
            {
                inbox.append_with_state(Vec::new(), &state)?;
                erased.remembered += count;
            }
            erased.messages += inbox.rewrite(|message| !self.concerns(message.kind, &message.payload))?;
        }
        erased.remembered += fhir_rest::forget_known(spool, |id| self.names.contains(id))?;
        Ok(erased)
    }

    fn is_named(&self, bytes: &[u8]) -> bool {
        self.named.is_some_and(|named| named(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::Message;

    fn message(kind: Kind, payload: &str) -> Message {
        Message { kind, place: String::new(), received_at: 0, payload: payload.as_bytes().to_vec() }
    }

    #[test]
    fn a_short_number_is_one_only_where_a_person_is_named() {
        let erasure = Erasure { names: HashSet::from(["HOP|77".to_owned(), "77".to_owned()]), named: None };
        let hl7 = |pid: &str, value: &str| {
            format!("MSH|^~\\&|A|B|C|D|2024||MDM^T02|1|P|2.5\rPID|||{pid}\rTXA|1|CR||||||||||D1\rOBX|1|TX|x||{value}||||||F\r")
        };
        for (kind, payload, expected) in [
            (Kind::Hl7v2, hl7("77^^^HOP^PI", "vu"), true),
            (Kind::Hl7v2, hl7("88^^^HOP^PI", "|77|"), false),
            (Kind::Hl7v2, "MSH|^~\\&|A|B|C|D|2024||ADT^A40|1|P|2.5\rPID|||88^^^HOP\rMRG|77^^^HOP\r".to_owned(), true),
            (Kind::Fhir, r#"{"resourceType":"Patient","id":"77"}"#.to_owned(), true),
            (Kind::Fhir, r#"{"resourceType":"Encounter","id":"e","subject":{"reference":"Patient/77"}}"#.to_owned(), true),
            (Kind::Fhir, r#"{"resourceType":"Encounter","id":"e","subject":{"reference":"Patient/88"},"note":"77"}"#.to_owned(), false),
        ] {
            assert_eq!(erasure.concerns(kind, payload.as_bytes()), expected, "{payload}");
        }
    }

    #[test]
    fn what_is_kept_beside_the_messages_goes_too() -> Result<(), SourceError> {
        let folder = tempfile::tempdir().map_err(|error| SourceError::Spool { error })?;
        let spool = folder.path();
        {
            let inbox = Inbox::open(spool, "fhir+http://h/r4")?;
            let state = br#"{"pending":[{"id":"doc-erased","tries":1,"due":5},{"id":"doc-kept","tries":0,"due":6}],"feeds":{"Patient":{"watermark":7,"pass":{"link":"http://h/r4?page=2&_id=pat-erased"}}}}"#;
            let messages = [r#"{"resourceType":"Patient","id":"pat-erased"}"#, r#"{"resourceType":"Patient","id":"pat-kept"}"#];
            inbox.append_with_state(messages.map(|payload| message(Kind::Fhir, payload)).to_vec(), state)?;
        }
        fhir_rest::remember_known(spool, "fhir+http://h/r4", &["doc-erased", "doc-kept"])?;
        let named = |bytes: &[u8]| memchr::memmem::find(bytes, b"pat-erased").is_some();
        let names = ["pat-erased", "doc-erased"].map(str::to_owned);
        let erasure = Erasure { names: HashSet::from(names), named: Some(&named) };
        assert_eq!(erasure.run(spool, None)?, Erased { messages: 1, remembered: 3 });
        let mut kept = 0;
        for entry in std::fs::read_dir(spool).into_iter().flatten().flatten() {
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            for gone in ["pat-erased", "doc-erased"] {
                assert!(memchr::memmem::find(&bytes, gone.as_bytes()).is_none(), "{gone} in {}", entry.path().display());
            }
            kept += usize::from(memchr::memmem::find(&bytes, b"doc-kept").is_some());
        }
        assert_eq!(kept, 2, "what is of others stays: the state and what was delivered");
        let inbox = Inbox::open(spool, "fhir+http://h/r4")?;
        assert_eq!(inbox.waiting(), 1);
        assert_eq!(Erasure { names: HashSet::from(["x".to_owned()]), named: None }.run(&spool.join("none"), None)?, Erased::default());
        Ok(())
    }
}
