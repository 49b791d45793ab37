//! Epochs out of an inbox.

use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Inbox, Kind, Message};
use crate::formats::reason;
use crate::rows::Rows;
use crate::source::{Epoch, Position, Source, SourceError, Until};

/// An epoch must fit Arrow's 2 GiB of text in a column.
const MAX_EPOCH_BYTES: usize = 512 << 20;
/// What is taken out of the inbox at once.
const MESSAGES_AT_ONCE: usize = 512;
const BYTES_AT_ONCE: usize = 8 << 20;

/// What a message means: puts its rows, or its dead letter. Never called with [`Kind::TooLarge`].
pub(crate) type Take = Box<dyn FnMut(&Message, &mut Rows, Tz) + Send>;

/// The source that hands an inbox out. Transports hold one and pass the calls of [`Source`] on to it.
pub(crate) struct InboxSource {
    name: String,
    inbox: Inbox,
    timezone: Tz,
    take: Take,
}

/// Where reading an inbox stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    /// Of the inbox, so that a new one at the same place is read from its beginning.
    inbox: u64,
    /// Sequence of the last message read.
    last: u64,
    /// When the epoch was read, microseconds of UTC.
    received_at: i64,
}

impl InboxSource {
    pub fn new(name: &str, inbox: Inbox, timezone: Tz, take: impl FnMut(&Message, &mut Rows, Tz) + Send + 'static) -> Self {
        InboxSource { name: name.to_owned(), inbox, timezone, take: Box::new(take) }
    }

    fn changed(&self) -> SourceError {
        SourceError::Changed { place: self.inbox.place() }
    }

    /// What was read of this inbox; the beginning where the position is of another one.
    fn here(&self, position: &Position) -> Result<Read, SourceError> {
        let read: Read = position.decode()?;
        Ok(if read.inbox == self.inbox.id() { read } else { Read::default() })
    }

    fn epoch(&mut self, after: u64, last: u64, at: i64, max_documents: u64, max_bytes: usize) -> Result<Option<(Rows, u64)>, SourceError> {
        let received_at = DateTime::from_timestamp_micros(at).unwrap_or_default();
        let mut rows = Rows::new(&self.name, received_at);
        let mut read = after;
        'epoch: while read < last {
            let bytes_left = max_bytes.saturating_sub(usize::try_from(rows.bytes_read).unwrap_or(usize::MAX));
            let messages = self.inbox.core.read(read, last, MESSAGES_AT_ONCE, bytes_left.min(BYTES_AT_ONCE))?;
            if messages.is_empty() {
                break;
            }
            for (sequence, message) in messages {
                match message.kind {
                    Kind::TooLarge => rows.dead_letter(reason::TOO_LARGE, &message.place, "", None),
                    Kind::Hl7v2 | Kind::Fhir | Kind::Row => (self.take)(&message, &mut rows, self.timezone),
                }
                rows.bytes_read += message.payload.len() as u64;
                read = sequence;
                if rows.is_full(max_documents) || rows.bytes_read >= max_bytes as u64 {
                    break 'epoch;
                }
            }
        }
        Ok((read > after).then_some((rows, read)))
    }
}

impl Source for InboxSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn patience(&self) -> Option<Duration> {
        Some(Duration::from_millis(200))
    }

    fn committed(&mut self, position: &Position) -> Result<(), SourceError> {
        let Read { last, .. } = self.here(position)?;
        if last > self.inbox.forgotten()? { self.inbox.forget(last) } else { Ok(()) }
    }

    fn size_hint(&self, _from: &Position) -> Option<u64> {
        Some(self.inbox.waiting_bytes())
    }

    fn read(&mut self, from: &Position, until: Until<'_>) -> Result<Option<Epoch>, SourceError> {
        let from = self.here(from)?;
        match until {
            Until::Limits { max_documents, max_bytes } => {
                let received_at = Utc::now().timestamp_micros();
                let max_bytes = max_bytes.clamp(1, MAX_EPOCH_BYTES);
                let epoch = self.epoch(from.last, u64::MAX, received_at, max_documents.max(1) as u64, max_bytes)?;
                let Some((rows, last)) = epoch else { return Ok(None) };
                rows.finish(Position::encode(&Read { inbox: self.inbox.id(), last, received_at })?).map(Some)
            }
            Until::Exactly(target) => {
                let Read { inbox, last, received_at } = target.decode()?;
                if inbox != self.inbox.id() || from.last < self.inbox.forgotten()? {
                    return Err(self.changed());
                }
                if last == from.last {
                    return Ok(None);
                }
                // An inbox opens only with all that was acknowledged: what is not there was erased.
                let at = DateTime::from_timestamp_micros(received_at).unwrap_or_default();
                let epoch = self.epoch(from.last, last, received_at, u64::MAX, usize::MAX)?;
                epoch.map_or_else(|| Rows::new(&self.name, at), |(rows, _)| rows).finish(target.clone()).map(Some)
            }
        }
    }
}
