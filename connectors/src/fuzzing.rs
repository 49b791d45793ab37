//! What the fuzz targets call (`fuzz/`, docs/testing.md): each parser with input of
//! any kind, and what must hold whatever it is. Built only for them.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::formats::attachment::{self, MediaType};
use crate::formats::fhir::framing::{Cursor, Frame, Frames};
use crate::formats::fhir::payload;
use crate::formats::{cda, hl7v2};
use crate::mllp;
use crate::rows::Rows;
use crate::source::Position;

const SITE: Tz = Tz::Europe__Paris;

fn rows(take: impl FnOnce(&mut Rows)) {
    let mut rows = Rows::new("fuzz", DateTime::UNIX_EPOCH);
    take(&mut rows);
    assert!(!rows.is_empty(), "input is never passed over in silence");
    assert!(rows.finish(Position::default()).is_ok());
}

/// A message, and what is answered to it.
pub fn hl7v2_message(bytes: &[u8]) {
    rows(|rows| hl7v2::take(bytes, "fuzz", rows, SITE));
    let seen = hl7v2::inspect(bytes);
    let outcome = seen.err().map_or(hl7v2::Outcome::Accepted, hl7v2::Outcome::Refused);
    let answer = hl7v2::acknowledgement(bytes, outcome, &DateTime::<Utc>::UNIX_EPOCH, "1");
    assert!(answer.starts_with(b"MSH") && answer.len() < 64 << 10);
}

/// A file of messages, whole and in pieces.
pub fn hl7v2_batch(bytes: &[u8]) {
    let read = |capacity: usize| {
        let reader = std::io::BufReader::with_capacity(capacity, bytes);
        let mut messages = hl7v2::framing::Messages::new(reader, Cursor::default());
        let (mut buffer, mut found) = (Vec::new(), Vec::new());
        while let Ok(Some(frame)) = messages.next(&mut buffer) {
            found.push(matches!(frame, Frame::Whole { .. }).then(|| buffer.clone()));
        }
        found
    };
    let found = read(1 << 16);
    assert_eq!(found, read(3));
    for message in found.into_iter().flatten() {
        rows(|rows| hl7v2::take(&message, "fuzz", rows, SITE));
    }
}

/// A connection. The first bytes say in what pieces the others come.
pub fn mllp_framer(bytes: &[u8]) {
    let (sizes, stream) = bytes.split_at(bytes.len().min(4));
    mllp::fuzz_framer(sizes, stream);
}

/// A line of NDJSON, or the body of a request: a resource or Bundle.
pub fn fhir_resource(bytes: &[u8]) {
    rows(|rows| payload::take(bytes, "fuzz", rows, SITE));
    let _ = crate::formats::fhir::inspect::inspect(bytes);
}

/// A file that holds a Bundle or a resource, cut into entries, whole and in pieces.
pub fn fhir_bundle_file(bytes: &[u8]) {
    let read = |capacity: usize| {
        let mut frames = Frames::documents(std::io::BufReader::with_capacity(capacity, bytes), Cursor::default());
        let (mut buffer, mut found) = (Vec::new(), Vec::new());
        while let Ok(Some(frame)) = frames.next(&mut buffer) {
            found.push(matches!(frame, Frame::Whole { .. }).then(|| buffer.clone()));
            assert!(found.len() <= bytes.len() + 1, "no end");
            if matches!(frame, Frame::Broken { .. }) {
                break;
            }
        }
        found
    };
    let found = read(1 << 16);
    assert_eq!(found, read(3));
}

pub fn cda(bytes: &[u8]) {
    if cda::is_clinical_document(bytes) {
        let _ = cda::read(bytes, SITE);
    }
    let _ = cda::read(bytes, SITE);
}

pub fn rtf(bytes: &[u8]) {
    if let Ok(text) = attachment::rtf::to_text(bytes) {
        assert!(text.len() <= 64 * (bytes.len() + 64), "{} bytes of {}", text.len(), bytes.len());
    }
}

pub fn html(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = attachment::html::to_text(&text);
    assert!(read.len() <= 16 * (text.len() + 64), "{} bytes of {}", read.len(), text.len());
}

/// An attachment of a declared type: mail, XML, archives of them.
pub fn mime(bytes: &[u8]) {
    for declared in ["multipart/related", "message/rfc822", ""] {
        let _ = attachment::extract(bytes.to_vec(), &MediaType::parse(declared));
    }
}

/// Text in a declared character set, right or wrong.
pub fn charset(bytes: &[u8]) {
    for declared in [None, Some("utf-8"), Some("iso-8859-15"), Some("windows-1252"), Some("utf-16"), Some("nothing")] {
        let decoded = attachment::charset::decode(bytes.to_vec(), declared);
        assert!(decoded.text.len() <= 4 * bytes.len() + 4);
    }
}
