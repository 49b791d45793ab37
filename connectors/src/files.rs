//! Files and folders.
//!
//! A [`Marks`] position is the listing an epoch was read from and how far each
//! file of it had been read, so that an epoch can be read once more, the same
//! to the byte, while files grow and new ones arrive. Files are read in the
//! order of their paths, patients and encounters of the Bulk Data layout before
//! all others. A new listing is made when all of the last one is read.
//!
//! What arrives later: a file grown is read on, a file replaced (its first or
//! last kilobytes of what was there differ, or it is shorter) is read again
//! from its beginning, a file added is read. A line or Bundle that was cut off
//! when it was read is a dead letter then, and is read again once the file grows.
//!
//! A document may refer to a Binary in any file of the listing; one that
//! arrives in a later listing comes too late.
//!
//! Files of HL7 version 2 are read the same way, message by message. Where the
//! last message ends is not known before the next begins: it is read once more
//! when the file grows.

mod index;
mod listing;
mod marks;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use flate2::bufread::MultiGzDecoder;

use crate::Opening;
use crate::formats::attachment::percent_decode;
use crate::formats::fhir::framing::{Cursor, Frame, Frames};
use crate::formats::fhir::{Intake, Key, References};
use crate::formats::hl7v2;
use crate::formats::hl7v2::framing::Messages;
use crate::formats::reason;
use crate::rows::Rows;
use crate::source::{Epoch, Position, Source, SourceError, Until};
use index::Index;
use listing::Listing;
use marks::{Mark, Marks};

/// An epoch must fit Arrow's 2 GiB of text in a column, one resource included.
const MAX_EPOCH_BYTES: usize = 512 << 20;
const BUFFER: usize = 256 << 10;

/// Opens a file or folder by path or `file:` URI.
///
/// # Errors
/// It does not exist, cannot be read, is empty, or holds neither FHIR nor HL7 by name.
pub fn open(opening: &Opening<'_>) -> Result<Box<dyn Source>, SourceError> {
    Ok(Box::new(Files::open(&path_of(opening.uri)?, opening.timezone)?))
}

/// The path that a `file:` URI names, or the path itself.
fn path_of(uri: &str) -> Result<PathBuf, SourceError> {
    let Some(rest) = uri.strip_prefix("file:") else { return Ok(PathBuf::from(uri)) };
    let path = match rest.strip_prefix("//") {
        Some(rest) => rest.strip_prefix("localhost").filter(|p| p.starts_with('/')).unwrap_or(rest),
        None => rest,
    };
    let decoded = String::from_utf8(percent_decode(path)).ok();
    let usable = |path: &String| !path.is_empty() && (path.starts_with('/') || !rest.starts_with("//"));
    decoded.filter(usable).map(PathBuf::from).ok_or_else(|| SourceError::BadUri { place: uri.to_owned() })
}

/// A folder or file of FHIR resources or HL7 messages.
pub struct Files {
    name: String,
    listing: Listing,
    timezone: Tz,
    /// Whether this instance has looked at the folder yet.
    listed: bool,
    stream: Option<Stream>,
    index: Index,
    buffer: Vec<u8>,
}

impl Files {
    /// # Errors
    /// See [`open`].
    pub fn open(path: &Path, timezone: Tz) -> Result<Self, SourceError> {
        let listing = Listing::open(path)?;
        let name = format!("file://{}", listing.root().display());
        Ok(Files { name, timezone, listed: false, stream: None, index: Index::new(listing.clone()), listing, buffer: Vec::new() })
    }
}

impl Source for Files {
    fn name(&self) -> &str {
        &self.name
    }

    fn size_hint(&self, from: &Position) -> Option<u64> {
        let mut marks: Marks = from.decode().ok()?;
        self.listing.refresh(&mut marks).ok()?;
        Some(marks.files.values().filter(|mark| !mark.done).map(|mark| mark.left()).sum())
    }

    fn read(&mut self, from: &Position, until: Until<'_>) -> Result<Option<Epoch>, SourceError> {
        let from: Marks = from.decode()?;
        let outcome = match until {
            Until::Limits { max_documents, max_bytes } => self.advance(from, max_documents.max(1), max_bytes.clamp(1, MAX_EPOCH_BYTES)),
            Until::Exactly(target) => self.replay(from, target),
        };
        if outcome.is_err() {
            // The next try looks at everything anew.
            self.stream = None;
            self.listed = false;
        }
        outcome
    }
}

/// Where reading a file stops.
enum Stop<'s> {
    Limits { max_documents: usize, max_bytes: usize },
    At(&'s Mark),
}

impl Files {
    fn advance(&mut self, mut marks: Marks, max_documents: usize, max_bytes: usize) -> Result<Option<Epoch>, SourceError> {
        loop {
            let fresh = !self.listed || !marks.pending();
            if fresh {
                if self.listing.refresh(&mut marks)? {
                    self.index.clear();
                }
                self.listed = true;
            }
            if !marks.pending() {
                return Ok(None);
            }
            marks.received_at = Utc::now().timestamp_micros();
            self.index.look_at(&marks);
            let mut rows = Rows::new(&self.name, micros(marks.received_at));
            let mut bytes = 0u64;
            let stop = Stop::Limits { max_documents, max_bytes };
            for (name, mark) in marks.in_order().into_iter().filter(|(_, mark)| !mark.done) {
                if self.read_file(name, mark, &stop, &mut rows, &mut bytes)? {
                    break;
                }
            }
            if !rows.is_empty() {
                return rows.finish(Position::encode(&marks)?).map(Some);
            }
            // Blank lines were all that was left of this listing: look for more, once.
            if fresh {
                return Ok(None);
            }
        }
    }

    fn replay(&mut self, from: Marks, target: &Position) -> Result<Option<Epoch>, SourceError> {
        let mut marks: Marks = target.decode()?;
        if marks == from {
            return Ok(None);
        }
        self.stream = None;
        self.index.clear();
        self.index.look_at(&marks);
        let mut rows = Rows::new(&self.name, micros(marks.received_at));
        let mut bytes = 0u64;
        for (name, end) in marks.in_order() {
            let end = &*end;
            let before = from.files.get(name);
            if before.is_some_and(|before| before.cursor == end.cursor && before.done == end.done && before.size == end.size) {
                continue;
            }
            if !end.done && end.cursor == Cursor::default() {
                continue;
            }
            let cursor = match before {
                Some(before) if self.listing.unchanged(name, before)? => before.cursor,
                _ => Cursor::default(),
            };
            let mut mark = Mark { cursor, done: false, ..end.clone() };
            self.read_file(name, &mut mark, &Stop::At(end), &mut rows, &mut bytes)?;
        }
        rows.finish(target.clone()).map(Some)
    }

    /// Reads a file on from its mark; `true` where the epoch is full.
    fn read_file(&mut self, name: &str, mark: &mut Mark, stop: &Stop<'_>, rows: &mut Rows, bytes: &mut u64) -> Result<bool, SourceError> {
        let path = self.listing.path(name);
        let failed = |error| SourceError::unreadable(&path, error);
        let mut stream = match self.stream.take() {
            Some(stream) if stream.name == name && stream.size == mark.size && stream.pieces.cursor() == mark.cursor => stream,
            _ => {
                let print = self.listing.print(name, mark.size)?;
                if mark.print.is_empty() {
                    mark.print = print.unwrap_or_default();
                } else if print.as_ref() != Some(&mark.print) {
                    return Err(SourceError::Changed { place: path.display().to_string() });
                }
                Stream::open(&path, name, mark.size, mark.cursor).map_err(failed)?
            }
        };
        let stored = mark.stored;
        let mut intake = Intake::new(rows, self.timezone);
        let fetched = intake.rows.bytes_fetched;
        let mut read = 0;
        let mut full = false;
        loop {
            if let Stop::At(end) = stop {
                let cursor = stream.pieces.cursor();
                if !end.done && cursor.offset >= end.cursor.offset {
                    if cursor != end.cursor {
                        return Err(SourceError::Changed { place: path.display().to_string() });
                    }
                    full = true;
                    break;
                }
            }
            let frame = stream.pieces.next(&mut self.buffer).map_err(failed)?;
            let Some(frame) = frame else {
                mark.done = true;
                break;
            };
            let before = mark.cursor.offset;
            mark.cursor = stream.pieces.cursor();
            // The cursor stays before the last message of a file.
            read += (mark.cursor.offset - before).max(self.buffer.len() as u64);
            let place = format!("{name}{}", stream.pieces.place(matches!(frame, Frame::Broken { .. })));
            match frame {
                Frame::Whole { .. } if stream.is_hl7() => hl7v2::take(&self.buffer, &place, intake.rows, self.timezone),
                Frame::Whole { shape, .. } => {
                    let mut near = Near { index: &mut self.index, file: name };
                    intake.take(&self.buffer, shape, &place, &mut near).map_err(failed)?;
                }
                Frame::TooLarge { start } => {
                    let range = format!("bytes {start} to {}", mark.cursor.offset);
                    intake.rows.dead_letter(reason::TOO_LARGE, &place, &range, None);
                }
                Frame::Broken { reason } => intake.rows.dead_letter(reason, &place, "", Some(&self.buffer)),
            }
            if let Stop::Limits { max_documents, max_bytes } = stop {
                let used = *bytes + read + intake.rows.bytes_fetched - fetched;
                if intake.rows.is_full(*max_documents as u64) || used >= *max_bytes as u64 {
                    full = true;
                    // Else the next epoch would begin with nothing in it.
                    mark.done = stream.pieces.at_end().map_err(failed)?;
                    break;
                }
            }
        }
        if mark.done {
            mark.stored = mark.size;
        } else {
            mark.stored = stream.stored();
        }
        *bytes += read + rows.bytes_fetched - fetched;
        rows.bytes_read += mark.stored.saturating_sub(stored);
        self.stream = (!mark.done).then_some(stream);
        Ok(full)
    }
}

fn micros(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

/// The index, seen from a file: of several resources of one id the nearest counts.
struct Near<'i> {
    index: &'i mut Index,
    file: &'i str,
}

impl References for Near<'_> {
    fn find(&mut self, key: Key<'_>) -> io::Result<Option<Vec<u8>>> {
        self.index.find(key, self.file)
    }
}

/// What a file is cut into.
enum Pieces {
    Resources(Frames<Box<dyn BufRead + Send>>),
    Messages(Messages<Box<dyn BufRead + Send>>),
}

impl Pieces {
    fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Frame>> {
        match self {
            Pieces::Resources(frames) => frames.next(buffer),
            Pieces::Messages(messages) => messages.next(buffer),
        }
    }

    fn at_end(&mut self) -> io::Result<bool> {
        match self {
            Pieces::Resources(frames) => frames.at_end(),
            Pieces::Messages(messages) => messages.at_end(),
        }
    }

    fn cursor(&self) -> Cursor {
        match self {
            Pieces::Resources(frames) => frames.cursor(),
            Pieces::Messages(messages) => messages.cursor(),
        }
    }

    fn place(&self, broken: bool) -> String {
        match self {
            Pieces::Resources(frames) => frames.place(broken),
            Pieces::Messages(messages) => messages.place(),
        }
    }
}

/// An open file.
struct Stream {
    name: String,
    size: u64,
    compressed: bool,
    pieces: Pieces,
    counter: Arc<AtomicU64>,
}

impl Stream {
    /// Opens the first `size` bytes of a file, at that cursor.
    fn open(path: &Path, name: &str, size: u64, cursor: Cursor) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut magic = [0; 2];
        let compressed = size >= 2 && file.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
        let start = if compressed { 0 } else { cursor.offset };
        file.seek(SeekFrom::Start(start))?;
        let counter = Arc::new(AtomicU64::new(start));
        let counted = Counted { inner: file.take(size.saturating_sub(start)), counter: counter.clone() };
        let stored = BufReader::with_capacity(BUFFER, counted);
        let reader: Box<dyn BufRead + Send> = if compressed {
            let mut reader = BufReader::with_capacity(BUFFER, MultiGzDecoder::new(stored));
            skip(&mut reader, cursor.offset)?;
            Box::new(reader)
        } else {
            Box::new(stored)
        };
        let pieces = match listing::format(name) {
            Some(listing::Format::Messages) => Pieces::Messages(Messages::new(reader, cursor)),
            Some(listing::Format::Lines) => Pieces::Resources(Frames::lines(reader, cursor)),
            _ => Pieces::Resources(Frames::documents(reader, cursor)),
        };
        Ok(Stream { name: name.to_owned(), size, compressed, pieces, counter })
    }

    fn is_hl7(&self) -> bool {
        matches!(self.pieces, Pieces::Messages(_))
    }

    /// Bytes of the file taken in so far.
    fn stored(&self) -> u64 {
        self.counter.load(Ordering::Relaxed)
    }
}

fn skip(reader: &mut impl BufRead, mut count: u64) -> io::Result<()> {
    while count > 0 {
        let available = reader.fill_buf()?.len();
        if available == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let taken = available.min(usize::try_from(count).unwrap_or(usize::MAX));
        reader.consume(taken);
        count -= taken as u64;
    }
    Ok(())
}

struct Counted<R> {
    inner: R,
    counter: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.counter.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_uris() {
        let path = |uri| path_of(uri).ok().map(|p| p.display().to_string());
        assert_eq!(path("file:///a/b%20c").as_deref(), Some("/a/b c"));
        assert_eq!(path("file://localhost/a").as_deref(), Some("/a"));
        assert_eq!(path("file:a/b").as_deref(), Some("a/b"));
        assert_eq!(path("a/b%20c").as_deref(), Some("a/b%20c"));
        assert_eq!(path("file://server/share"), None);
        assert_eq!(path("file:"), None);
    }
}
