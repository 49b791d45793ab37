//! NDJSON: one resource a line.

use std::io::{self, BufRead};

use serde::de::IgnoredAny;
use serde_json::error::Category;

use super::{Cursor, Frame, MAX_RESOURCE, damage};
use crate::formats::fhir::Shape;
use crate::formats::reason;

pub struct Lines<R> {
    reader: R,
    pub(super) cursor: Cursor,
    limit: usize,
    broken: bool,
    /// Damage met while looking ahead; a decompressor tells of it once.
    damage: Option<&'static str>,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

impl<R: BufRead> Lines<R> {
    pub fn new(reader: R, cursor: Cursor) -> Self {
        Lines { reader, cursor, limit: MAX_RESOURCE, broken: false, damage: None }
    }

    pub fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Frame>> {
        while !self.broken {
            buffer.clear();
            if let Some(reason) = self.damage.take() {
                self.broken = true;
                return Ok(Some(Frame::Broken { reason }));
            }
            let start = self.cursor.offset;
            let mut length = 0u64;
            let mut complete = false;
            let mut fits = true;
            while !complete {
                let chunk = match self.reader.fill_buf() {
                    Ok(chunk) => chunk,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => {
                        let Some(reason) = damage(&error) else { return Err(error) };
                        self.broken = true;
                        return Ok(Some(Frame::Broken { reason }));
                    }
                };
                if chunk.is_empty() {
                    break;
                }
                let (taken, line) = match memchr::memchr(b'\n', chunk) {
                    Some(end) => {
                        complete = true;
                        (end + 1, &chunk[..end])
                    }
                    None => (chunk.len(), chunk),
                };
                fits = fits && buffer.len() + line.len() <= self.limit;
                if fits {
                    buffer.extend_from_slice(line);
                }
                length += taken as u64;
                self.reader.consume(taken);
            }
            if length == 0 {
                return Ok(None);
            }
            if start == 0 && buffer.starts_with(BOM) {
                // Blanks keep offsets in the buffer those of the stream.
                buffer[..BOM.len()].fill(b' ');
            }
            if !complete && fits && cut_off(buffer) {
                self.broken = true;
                return Ok(Some(Frame::Broken { reason: reason::TRUNCATED }));
            }
            self.cursor.offset += length;
            self.cursor.item += 1;
            if !fits {
                buffer.clear();
                return Ok(Some(Frame::TooLarge { start }));
            }
            if !buffer.trim_ascii().is_empty() {
                return Ok(Some(Frame::Whole { start, shape: Shape::Resource }));
            }
        }
        Ok(None)
    }

    pub fn at_end(&mut self) -> io::Result<bool> {
        if self.broken {
            return Ok(true);
        }
        match self.reader.fill_buf() {
            Ok(chunk) => Ok(chunk.is_empty()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            Err(error) => {
                self.damage = Some(damage(&error).ok_or(error)?);
                Ok(false)
            }
        }
    }
}

/// Whether a last line without its end is JSON that goes on.
fn cut_off(line: &[u8]) -> bool {
    !line.trim_ascii().is_empty() && serde_json::from_slice::<IgnoredAny>(line).is_err_and(|e| e.classify() == Category::Eof)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], limit: usize) -> Vec<(u64, String)> {
        let mut lines = Lines::new(io::BufReader::with_capacity(3, bytes), Cursor::default());
        lines.limit = limit;
        let mut buffer = Vec::new();
        let mut found = Vec::new();
        while let Ok(Some(frame)) = lines.next(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer).into_owned();
            let shown = match frame {
                Frame::Whole { start, .. } => {
                    assert_eq!(&bytes[start as usize..][..buffer.len()], &buffer);
                    text
                }
                Frame::TooLarge { .. } => "too large".into(),
                Frame::Broken { reason } => format!("{reason} {text}"),
            };
            found.push((lines.cursor.item, shown));
        }
        found
    }

    #[test]
    fn lines_are_numbered_as_in_an_editor() {
        assert_eq!(all(b"{\"a\":1}\r\n\n  \n{}\n", 100), [(1, "{\"a\":1}\r".into()), (4, "{}".into())]);
        assert_eq!(all(b"", 100), []);
    }

    #[test]
    fn the_last_line_may_lack_its_end_but_not_its_close() {
        assert_eq!(all(b"{}\n{}", 100), [(1, "{}".into()), (2, "{}".into())]);
        assert_eq!(all(b"{}\n{\"a\":\"b", 100), [(1, "{}".into()), (1, "truncated {\"a\":\"b".into())]);
        assert_eq!(all(b"{}\nx", 100), [(1, "{}".into()), (2, "x".into())]);
    }

    #[test]
    fn a_large_line_costs_itself_alone() {
        assert_eq!(all(b"{}\n{\"a\":\"bbbbbbbbbbbbbbb\"}\n[]\n", 10), [(1, "{}".into()), (2, "too large".into()), (3, "[]".into())]);
    }
}
