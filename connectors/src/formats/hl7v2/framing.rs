//! Cuts a stream of bytes into messages: files of one or several messages, with
//! or without the envelopes of batches (FHS, BHS, BTS, FTS; chapter 2.10.3).
//! Nothing larger than one message is ever in memory.
//!
//! A message ends where the next begins. That of the last one is known only
//! where a trailer follows; else the cursor stays before it, so that it is read
//! again, whole, should the file grow.

use std::io::{self, BufRead};

use super::message::{header_name, is_break};
use crate::formats::fhir::Shape;
use crate::formats::fhir::framing::{Cursor, Frame, MAX_RESOURCE};
use crate::formats::reason;

/// What a line must show to be known as a header, the blanks before it not counted:
/// its name, the separator and some of what follows.
const HEAD: usize = 9;
/// More blanks than that are no indentation.
const BLANKS: usize = 24;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// A stream of messages.
pub struct Messages<R> {
    reader: R,
    cursor: Cursor,
    /// Where the reader is.
    offset: u64,
    /// Envelopes open there.
    envelopes: u64,
    /// The line that comes next, as far as it was read to see what it is.
    head: Vec<u8>,
    limit: usize,
    /// Nothing comes any more.
    ended: bool,
    /// Damage met while looking ahead; a decompressor tells of it once.
    damage: Option<&'static str>,
    /// The number of the last message.
    last: u64,
}

impl<R: BufRead> Messages<R> {
    /// From that cursor on; `reader` must stand there. Its `item` counts
    /// messages, its `value` the envelopes it stands in.
    pub fn new(reader: R, cursor: Cursor) -> Self {
        let Cursor { offset, item, value, .. } = cursor;
        let head = Vec::new();
        Messages { reader, cursor, offset, envelopes: value, head, limit: MAX_RESOURCE, ended: false, damage: None, last: item }
    }

    /// Behind the last message returned, or before it where it may go on.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Where the last message was, as a suffix to the name of the stream.
    pub fn place(&self) -> String {
        format!(":message[{}]", self.last)
    }

    /// The next message, its bytes in `buffer`; `None` at the end.
    pub fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Frame>> {
        buffer.clear();
        self.last = self.cursor.item;
        if let Some(reason) = self.damage.take() {
            self.ended = true;
            return Ok(Some(Frame::Broken { reason }));
        }
        match self.message(buffer) {
            Err(error) => {
                let reason = damage(&error).ok_or(error)?;
                self.ended = true;
                Ok(Some(Frame::Broken { reason }))
            }
            found => found,
        }
    }

    /// Whether nothing but the proper end follows.
    pub fn at_end(&mut self) -> io::Result<bool> {
        match self.seek() {
            Ok(found) => Ok(!found),
            Err(error) => {
                self.damage = Some(damage(&error).ok_or(error)?);
                Ok(false)
            }
        }
    }

    fn message(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Frame>> {
        if !self.seek()? {
            return Ok(None);
        }
        let start = self.offset - self.head.len() as u64;
        let mut kept = Kept { buffer, limit: self.limit, fits: true };
        let closed = loop {
            let head = std::mem::take(&mut self.head);
            kept.push(&head);
            let closed = head.last().is_some_and(|byte| is_break(*byte)) || self.line(&mut |piece| kept.push(piece))?;
            self.look()?;
            if self.head.is_empty() || header_name(unindented(&self.head)).is_some() {
                break closed;
            }
        };
        let fits = kept.fits;
        if self.head.is_empty() {
            self.ended = true;
            // Cut off: a line that does not end, in an envelope that is not closed.
            if !closed && self.envelopes > 0 {
                return Ok(Some(Frame::Broken { reason: reason::TRUNCATED }));
            }
        } else {
            self.cursor.offset = self.offset - self.head.len() as u64;
            self.cursor.item += 1;
            self.cursor.value = self.envelopes;
        }
        if !fits {
            buffer.clear();
            return Ok(Some(Frame::TooLarge { start }));
        }
        Ok(Some(Frame::Whole { start, shape: Shape::Resource }))
    }

    /// Goes to the line that the next message begins with; `false` at the end.
    fn seek(&mut self) -> io::Result<bool> {
        while !self.ended {
            if self.head.is_empty() {
                self.look()?;
            }
            if self.head.is_empty() {
                self.ended = true;
                break;
            }
            let line = unindented(&self.head);
            let blank = line.iter().all(|byte| is_break(*byte)) && self.head.len() < BLANKS;
            self.envelopes = match header_name(line) {
                Some(b"FHS" | b"BHS") => self.envelopes + 1,
                Some(b"BTS" | b"FTS") => self.envelopes.saturating_sub(1),
                None if blank => self.envelopes,
                // What is no message is for its reader to say.
                _ => return Ok(true),
            };
            if !self.head.last().is_some_and(|byte| is_break(*byte)) {
                self.line(&mut |_| {})?;
            }
            self.head.clear();
        }
        Ok(false)
    }

    /// Reads the beginning of a line.
    fn look(&mut self) -> io::Result<()> {
        self.head.clear();
        while unindented(&self.head).len() < HEAD && self.head.len() < BLANKS && !self.head.last().is_some_and(|byte| is_break(*byte)) {
            let Some(byte) = fill(&mut self.reader)?.first().copied() else { break };
            self.reader.consume(1);
            self.offset += 1;
            self.head.push(byte);
        }
        Ok(())
    }

    /// Reads the rest of a line; whether it ends before the stream does.
    fn line(&mut self, sink: &mut dyn FnMut(&[u8])) -> io::Result<bool> {
        loop {
            let chunk = fill(&mut self.reader)?;
            if chunk.is_empty() {
                return Ok(false);
            }
            let end = memchr::memchr2(b'\r', b'\n', chunk);
            let end = memchr::memchr2(0x0b, 0x1c, &chunk[..end.unwrap_or(chunk.len())]).or(end);
            let taken = end.map_or(chunk.len(), |end| end + 1);
            sink(&chunk[..taken]);
            self.reader.consume(taken);
            self.offset += taken as u64;
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}

/// Bytes kept up to a limit.
struct Kept<'b> {
    buffer: &'b mut Vec<u8>,
    limit: usize,
    fits: bool,
}

impl Kept<'_> {
    fn push(&mut self, piece: &[u8]) {
        self.fits = self.fits && self.buffer.len() + piece.len() <= self.limit;
        if self.fits {
            self.buffer.extend_from_slice(piece);
        }
    }
}

fn unindented(line: &[u8]) -> &[u8] {
    let line = line.strip_prefix(BOM).unwrap_or(line);
    let blanks = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &line[blanks..]
}

fn fill(reader: &mut impl BufRead) -> io::Result<&[u8]> {
    // Asked for once more below: a borrow cannot leave a loop that goes on.
    while let Err(error) = reader.fill_buf() {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    reader.fill_buf()
}

/// A fault of the bytes, not of the disk: what a decompressor says of damaged input.
fn damage(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Some(reason::TRUNCATED),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Some(reason::CORRUPT_GZIP),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every message with its place; where asked, from a new reader at each cursor.
    fn all(bytes: &[u8], capacity: usize, resume: bool, limit: usize) -> Vec<String> {
        let open = |cursor: Cursor| {
            let from = (cursor.offset as usize).min(bytes.len());
            let mut messages = Messages::new(io::BufReader::with_capacity(capacity, &bytes[from..]), cursor);
            messages.limit = limit;
            messages
        };
        let mut messages = open(Cursor::default());
        let mut buffer = Vec::new();
        let mut found = Vec::new();
        while let Ok(Some(frame)) = messages.next(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer).trim().replace(['\r', '\n'], "/");
            found.push(match frame {
                Frame::Whole { start, .. } => {
                    assert!(bytes[start as usize..].starts_with(&buffer));
                    format!("{} {text}", messages.place())
                }
                Frame::TooLarge { .. } => format!("{} too large", messages.place()),
                Frame::Broken { reason } => format!("{} {reason}", messages.place()),
            });
            if resume && messages.cursor().item as usize == found.len() {
                messages = open(messages.cursor());
            }
        }
        assert!(messages.at_end().unwrap_or(false));
        found
    }

    fn check(text: &str, expected: &[&str]) {
        for (capacity, resume) in [(1, false), (1, true), (5, true), (4096, false), (4096, true)] {
            assert_eq!(all(text.as_bytes(), capacity, resume, 1000), expected, "{text:?} {capacity} {resume}");
        }
    }

    #[test]
    fn messages_of_a_file() {
        check("MSH|a\rPID|1\rMSH|b\r", &[":message[0] MSH|a/PID|1", ":message[1] MSH|b"]);
        check("\u{feff}MSH|a\nPID|1\n\n\n  MSH|b", &[":message[0] \u{feff}MSH|a/PID|1", ":message[1] MSH|b"]);
        check("\u{b}MSH|a\r\u{1c}\r\u{b}MSH|b\r\u{1c}\r", &[":message[0] MSH|a/\u{1c}", ":message[1] MSH|b/\u{1c}"]);
        check("MSH|a\rOBX|1|TX|||voir\rMSH et autres\rMSH|b\r", &[":message[0] MSH|a/OBX|1|TX|||voir/MSH et autres", ":message[1] MSH|b"]);
        let text = "MSH|a\rOBX|1|TX|||voir\rMSH, ACTH\rMSH: 12\u{b}MSH-R\rBTS: non\rFTS, BHS.\rMSH#^~\\&#b\rBTS#1\r";
        let lines = ":message[0] MSH|a/OBX|1|TX|||voir/MSH, ACTH/MSH: 12\u{b}MSH-R/BTS: non/FTS, BHS.";
        check(text, &[lines, ":message[1] MSH#^~\\&#b"]);
        check("", &[]);
        check(" \r\n\n", &[]);
    }

    #[test]
    fn envelopes() {
        check("FHS|^~\\&|x\rBHS|^~\\&\rMSH|a\rPID|1\rMSH|b\rBTS|2\rFTS|1\r", &[":message[0] MSH|a/PID|1", ":message[1] MSH|b"]);
        check("BHS|^~\\&\rMSH|a\rBTS\rBHS|^~\\&\rMSH|b\rBTS", &[":message[0] MSH|a", ":message[1] MSH|b"]);
        check("FHS|x\rBTS|0\rFTS\r\n", &[]);
        // Cut off, or only not closed.
        check("FHS|x\rMSH|a\rMSH|b\rPID|", &[":message[0] MSH|a", ":message[1] truncated"]);
        check("FHS|x\rMSH|a\rMSH|b\rPID|\r", &[":message[0] MSH|a", ":message[1] MSH|b/PID|"]);
    }

    #[test]
    fn what_is_no_message_is_an_item() {
        check("hello\rPID|1\rMSH|a\r", &[":message[0] hello/PID|1", ":message[1] MSH|a"]);
        check("MSH", &[":message[0] MSH"]);
        check(&" ".repeat(40), &[":message[0] "]);
    }

    #[test]
    fn a_large_message_costs_itself_alone() {
        let text = format!("MSH|a\rOBX|{}\rMSH|b\r", "x".repeat(2000));
        check(&text, &[":message[0] too large", ":message[1] MSH|b"]);
    }

    #[test]
    fn the_last_message_is_read_again_when_more_comes() {
        let mut buffer = Vec::new();
        let text = b"MSH|a\rMSH|b\rOBX|1";
        let mut messages = Messages::new(&text[..], Cursor::default());
        while let Ok(Some(_)) = messages.next(&mut buffer) {}
        let cursor = messages.cursor();
        assert_eq!((cursor.offset, cursor.item), (6, 1));
        let grown = b"MSH|a\rMSH|b\rOBX|1|TX\rMSH|c\r";
        let mut messages = Messages::new(&grown[6..], cursor);
        assert!(matches!(messages.next(&mut buffer), Ok(Some(Frame::Whole { start: 6, .. }))));
        assert_eq!((buffer.as_slice(), messages.place().as_str()), (&b"MSH|b\rOBX|1|TX\r"[..], ":message[1]"));
    }

    proptest::proptest! {
        #[test]
        fn reading_on_from_any_cursor_gives_the_same(text in "(MSH\\||BHS|BTS\\||FTS|\r|\n| |\u{b}|\u{1c}|a|\u{feff}){0,30}") {
            let whole = all(text.as_bytes(), 4096, false, 1000);
            for capacity in [1, 3] {
                proptest::prop_assert_eq!(&all(text.as_bytes(), capacity, true, 1000), &whole);
            }
        }
    }
}
