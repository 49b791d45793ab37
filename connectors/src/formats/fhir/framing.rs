//! Cuts a stream of bytes into resources, one at a time: lines of NDJSON, or
//! the entries of Bundles and whatever else JSON files hold. Nothing larger
//! than one resource is ever in memory.

mod documents;
mod lines;

use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::formats::reason;
use documents::Documents;
use lines::Lines;

/// A resource larger than this is not read.
pub const MAX_RESOURCE: usize = 64 << 20;

/// Where a stream stands between two resources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursor {
    /// Bytes before it, uncompressed.
    pub offset: u64,
    /// Lines, or elements of the list it stands in, before it.
    pub item: u64,
    /// JSON values at the top of the stream begun before it.
    #[serde(skip_serializing_if = "is_zero")]
    pub value: u64,
    #[serde(skip_serializing_if = "Inside::is_top")]
    pub inside: Inside,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a cursor stands in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inside {
    #[default]
    Top,
    /// The `entry` of a Bundle.
    Entries,
    /// A list of resources.
    List,
}

impl Inside {
    fn is_top(&self) -> bool {
        *self == Inside::Top
    }
}

/// What was found in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// The buffer holds a resource, or what should be one, that begins there.
    Whole { start: u64, shape: Shape },
    /// It was too large; the buffer is empty.
    TooLarge { start: u64 },
    /// The stream ends before what it began. The buffer holds the beginning;
    /// the cursor stays before it, for when the rest arrives.
    Broken { reason: &'static str },
}

/// A stream of resources.
pub enum Frames<R> {
    Lines(Lines<R>),
    Documents(Documents<R>),
}

impl<R: BufRead> Frames<R> {
    /// NDJSON from that cursor on; `reader` must stand there.
    pub fn lines(reader: R, cursor: Cursor) -> Self {
        Frames::Lines(Lines::new(reader, cursor))
    }

    /// JSON documents from that cursor on; `reader` must stand there.
    pub fn documents(reader: R, cursor: Cursor) -> Self {
        Frames::Documents(Documents::new(reader, cursor))
    }

    /// The next resource, its bytes in `buffer`; `None` at the end.
    pub fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Frame>> {
        match self {
            Frames::Lines(lines) => lines.next(buffer),
            Frames::Documents(documents) => documents.next(buffer),
        }
    }

    /// Whether nothing but the proper end follows.
    pub fn at_end(&mut self) -> io::Result<bool> {
        match self {
            Frames::Lines(lines) => lines.at_end(),
            Frames::Documents(documents) => documents.at_end(),
        }
    }

    /// Behind the last resource returned.
    pub fn cursor(&self) -> Cursor {
        match self {
            Frames::Lines(lines) => lines.cursor,
            Frames::Documents(documents) => documents.cursor,
        }
    }

    /// Where the last frame was, as a suffix to the name of the stream.
    pub fn place(&self, broken: bool) -> String {
        let next = u64::from(broken);
        match self {
            Frames::Lines(lines) => format!(":{}", lines.cursor.item + next),
            Frames::Documents(documents) => documents.place(broken),
        }
    }
}

/// A fault of the bytes, not of the disk: what a decompressor says of damaged input.
fn damage(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Some(reason::TRUNCATED),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Some(reason::CORRUPT_GZIP),
        _ => None,
    }
}
