//! Dead letters that are to be sent again: an inbox of its own, read before every
//! other source.

use std::path::Path;
use std::sync::Arc;

use chrono_tz::Tz;

use crate::formats::fhir::payload;
use crate::formats::{hl7v2, row};
use crate::inbox::{Inbox, InboxSource, Kind};
use crate::seal::Seal;
use crate::source::{Source, SourceError};

/// Name of the source.
pub const REPLAY: &str = "dead-letters";

/// What the payload of a dead letter is; `None` where nothing here reads it.
pub fn kind_of(payload: &str) -> Option<Kind> {
    let payload = payload.trim_start_matches('\u{feff}').trim_start();
    match payload.as_bytes() {
        [b'M', b'S', b'H', ..] | [b'F', b'H', b'S', ..] | [b'B', b'H', b'S', ..] => Some(Kind::Hl7v2),
        [b'{', ..] if row::is_row(payload) => Some(Kind::Row),
        [b'{', ..] => Some(Kind::Fhir),
        _ => None,
    }
}

/// The source of dead letters to be sent again, `None` where none ever was.
///
/// # Errors
/// The inbox cannot be opened.
pub fn replay(spool: &Path, seal: Option<Arc<Seal>>, timezone: Tz) -> Result<Option<Box<dyn Source>>, SourceError> {
    if !spool.is_dir() || !Inbox::sources(spool)?.iter().any(|source| source == REPLAY) {
        return Ok(None);
    }
    let inbox = Inbox::sealed(spool, REPLAY, seal)?;
    let source = InboxSource::new(REPLAY, inbox, timezone, |message, rows, timezone| match message.kind {
        Kind::Hl7v2 => hl7v2::take(&message.payload, &message.place, rows, timezone),
        Kind::Row => row::take(&message.payload, &message.place, rows),
        Kind::Fhir | Kind::TooLarge => payload::take(&message.payload, &message.place, rows, timezone),
    });
    Ok(Some(Box::new(source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_tell_what_they_are() {
        assert_eq!(kind_of("MSH|^~\\&|A"), Some(Kind::Hl7v2));
        assert_eq!(kind_of("\u{feff} {\"resourceType\":\"Patient\"}"), Some(Kind::Fhir));
        assert_eq!(kind_of("{\"source\":\"s\",\"place\":\"p\",\"source_document_id\":\"d\"}"), Some(Kind::Row));
        assert_eq!(kind_of("{\"broken"), Some(Kind::Fhir));
        assert_eq!(kind_of("abc"), None);
    }
}
