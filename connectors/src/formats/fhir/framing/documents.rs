//! JSON files: Bundles, whose entries come one by one, single resources, lists
//! of resources, and several of these one after the other.
//!
//! Only the structure is looked at (strings, brackets); whether a piece is
//! valid JSON is for its reader to say.

use std::io::{self, BufRead, ErrorKind};

use super::{Cursor, Frame, Inside, MAX_RESOURCE, damage};
use crate::formats::fhir::Shape;
use crate::formats::reason;

pub struct Documents<R> {
    bytes: Bytes<R>,
    pub(super) cursor: Cursor,
    live: Live,
    limit: usize,
}

/// Where the reader is, which may be past the cursor.
struct Live {
    inside: Inside,
    /// Behind the entries of a Bundle, before its end.
    rest: bool,
    item: u64,
    value: u64,
    broken: bool,
    /// Damage met while looking ahead; a decompressor tells of it once.
    damage: Option<&'static str>,
    /// What the last frame was in, for its place.
    last: (Inside, u64, u64),
}

enum Next {
    Item,
    End,
    Broken(&'static str),
}

enum Object {
    /// The buffer holds all of it.
    Whole,
    /// A Bundle, read up to its first entry.
    Bundle,
    /// Not an object after all; the buffer holds what is left of the stream.
    Garbage,
    Broken(&'static str),
}

impl<R: BufRead> Documents<R> {
    pub fn new(reader: R, cursor: Cursor) -> Self {
        let Cursor { inside, item, value, offset } = cursor;
        let live = Live { inside, rest: false, item, value, broken: false, damage: None, last: (inside, item, value) };
        Documents { bytes: Bytes { reader, offset }, cursor, live, limit: MAX_RESOURCE }
    }

    pub fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Frame>> {
        loop {
            let mut capture = Capture::new(buffer, self.limit);
            if let Some(reason) = self.live.damage.take() {
                return self.broken(reason);
            }
            match self.seek()? {
                Next::End => return Ok(None),
                Next::Broken(reason) => return self.broken(reason),
                Next::Item => {}
            }
            let start = self.bytes.offset;
            if self.live.inside == Inside::Top {
                self.live.value += 1;
                match self.object(Some(&mut capture))? {
                    Object::Bundle => {
                        self.live.inside = Inside::Entries;
                        self.live.item = 0;
                    }
                    Object::Broken(reason) => return self.broken(reason),
                    Object::Whole | Object::Garbage => {
                        let frame = capture.frame(start, Shape::Resource);
                        self.advance();
                        return Ok(Some(frame));
                    }
                }
            } else {
                match self.bytes.value(&mut |piece| capture.push(piece)) {
                    Ok(true) => {}
                    Ok(false) => return self.broken(reason::TRUNCATED),
                    Err(error) => {
                        let Some(reason) = damage(&error) else { return Err(error) };
                        return self.broken(reason);
                    }
                }
                let shape = if self.live.inside == Inside::Entries { Shape::Entry } else { Shape::Resource };
                self.live.item += 1;
                let frame = capture.frame(start, shape);
                self.advance();
                return Ok(Some(frame));
            }
        }
    }

    pub fn at_end(&mut self) -> io::Result<bool> {
        if self.live.broken {
            return Ok(true);
        }
        match self.seek()? {
            Next::End => Ok(true),
            Next::Item => Ok(false),
            Next::Broken(reason) => {
                self.live.damage = Some(reason);
                Ok(false)
            }
        }
    }

    pub fn place(&self, broken: bool) -> String {
        let (inside, item, value) = if broken { (self.live.inside, self.live.item + 1, self.live.value) } else { self.live.last };
        let mut place = if value > 1 { format!(":value[{}]", value - 1) } else { String::new() };
        match inside {
            Inside::Top => {}
            Inside::Entries => place.push_str(&format!(":entry[{}]", item.saturating_sub(1))),
            Inside::List => place.push_str(&format!(":[{}]", item.saturating_sub(1))),
        }
        place
    }

    fn advance(&mut self) {
        let Live { inside, item, value, .. } = self.live;
        self.live.last = (inside, item, value);
        self.cursor = Cursor { offset: self.bytes.offset, item, value, inside };
    }

    fn broken(&mut self, reason: &'static str) -> io::Result<Option<Frame>> {
        self.live.broken = true;
        Ok(Some(Frame::Broken { reason }))
    }

    /// Goes to the next resource.
    fn seek(&mut self) -> io::Result<Next> {
        if self.live.broken {
            return Ok(Next::End);
        }
        match self.seek_bytes() {
            Err(error) => match damage(&error) {
                Some(reason) => Ok(Next::Broken(reason)),
                None => Err(error),
            },
            next => next,
        }
    }

    fn seek_bytes(&mut self) -> io::Result<Next> {
        loop {
            if self.live.rest {
                match self.object(None)? {
                    Object::Whole | Object::Bundle => {}
                    Object::Garbage => return Ok(Next::Broken(reason::BAD_JSON)),
                    Object::Broken(reason) => return Ok(Next::Broken(reason)),
                }
                self.live.rest = false;
                self.live.inside = Inside::Top;
            }
            let separators: &[u8] = if self.live.inside == Inside::Top { b"\xef\xbb\xbf" } else { b"," };
            match (self.bytes.skip(separators)?, self.live.inside) {
                (None, Inside::Top) => return Ok(Next::End),
                (None, _) => return Ok(Next::Broken(reason::TRUNCATED)),
                (Some(b'['), Inside::Top) => {
                    self.bytes.consume(1);
                    self.live.value += 1;
                    self.live.item = 0;
                    self.live.inside = Inside::List;
                }
                (Some(b']'), Inside::Entries) => {
                    self.bytes.consume(1);
                    self.live.rest = true;
                }
                (Some(b']'), Inside::List) => {
                    self.bytes.consume(1);
                    self.live.inside = Inside::Top;
                }
                // An entry can be anything but the end of something else.
                (Some(b'}'), Inside::Entries | Inside::List) => return Ok(Next::Broken(reason::BAD_JSON)),
                (Some(_), _) => return Ok(Next::Item),
            }
        }
    }

    /// Reads an object, or without capture what is left of one.
    fn object(&mut self, mut capture: Option<&mut Capture<'_>>) -> io::Result<Object> {
        match self.members(&mut capture) {
            Err(error) => match damage(&error) {
                Some(reason) => Ok(Object::Broken(reason)),
                None => Err(error),
            },
            Ok(Object::Garbage) => {
                let mut push = |piece: &[u8]| {
                    if let Some(capture) = capture.as_deref_mut() {
                        capture.push(piece);
                    }
                };
                match self.bytes.remainder(&mut push) {
                    Err(error) if damage(&error).is_none() => Err(error),
                    _ => Ok(Object::Garbage),
                }
            }
            done => done,
        }
    }

    fn members(&mut self, capture: &mut Option<&mut Capture<'_>>) -> io::Result<Object> {
        let (mut kind, mut type_) = (Vec::new(), Vec::new());
        if capture.is_some() {
            if self.bytes.peek()? != Some(b'{') {
                return Ok(Object::Garbage);
            }
            self.one(capture)?;
        }
        loop {
            match self.blanks(capture)? {
                None => return Ok(Object::Broken(reason::TRUNCATED)),
                Some(b'}') => {
                    self.one(capture)?;
                    return Ok(Object::Whole);
                }
                Some(b',') => self.one(capture)?,
                Some(b'"') => {
                    let mut key = Vec::new();
                    if !self.piece(capture, &mut key)? {
                        return Ok(Object::Broken(reason::TRUNCATED));
                    }
                    match self.blanks(capture)? {
                        Some(b':') => self.one(capture)?,
                        None => return Ok(Object::Broken(reason::TRUNCATED)),
                        Some(_) => return Ok(Object::Garbage),
                    }
                    let first = self.blanks(capture)?;
                    // These mean something as a whole only.
                    let whole = matches!(type_.as_slice(), b"\"document\"" | b"\"message\"");
                    let may_be_bundle = !whole && (kind.is_empty() || kind == b"\"Bundle\"");
                    if key == b"\"entry\"" && first == Some(b'[') && may_be_bundle && capture.is_some() {
                        self.bytes.consume(1);
                        return Ok(Object::Bundle);
                    }
                    match first {
                        None => return Ok(Object::Broken(reason::TRUNCATED)),
                        Some(b',' | b'}' | b']' | b':') => return Ok(Object::Garbage),
                        Some(_) => {}
                    }
                    let mut start = Vec::new();
                    if !self.piece(capture, &mut start)? {
                        return Ok(Object::Broken(reason::TRUNCATED));
                    }
                    match key.as_slice() {
                        b"\"resourceType\"" => kind = start,
                        b"\"type\"" => type_ = start,
                        _ => {}
                    }
                }
                Some(_) => return Ok(Object::Garbage),
            }
        }
    }

    /// Takes white space; what comes then.
    fn blanks(&mut self, capture: &mut Option<&mut Capture<'_>>) -> io::Result<Option<u8>> {
        loop {
            match self.bytes.peek()? {
                Some(byte) if byte.is_ascii_whitespace() => self.one(capture)?,
                other => return Ok(other),
            }
        }
    }

    fn one(&mut self, capture: &mut Option<&mut Capture<'_>>) -> io::Result<()> {
        if let (Some(capture), Some(byte)) = (capture.as_deref_mut(), self.bytes.peek()?) {
            capture.push(&[byte]);
        }
        self.bytes.consume(1);
        Ok(())
    }

    /// One value into the capture, its beginning into `start` as well.
    fn piece(&mut self, capture: &mut Option<&mut Capture<'_>>, start: &mut Vec<u8>) -> io::Result<bool> {
        const ENOUGH: usize = 40;
        self.bytes.value(&mut |piece| {
            let room = ENOUGH.saturating_sub(start.len());
            start.extend_from_slice(&piece[..piece.len().min(room)]);
            if let Some(capture) = capture.as_deref_mut() {
                capture.push(piece);
            }
        })
    }
}

/// Bytes kept up to a limit.
struct Capture<'b> {
    buffer: &'b mut Vec<u8>,
    limit: usize,
    fits: bool,
}

impl<'b> Capture<'b> {
    fn new(buffer: &'b mut Vec<u8>, limit: usize) -> Self {
        buffer.clear();
        Capture { buffer, limit, fits: true }
    }

    fn push(&mut self, piece: &[u8]) {
        self.fits = self.fits && self.buffer.len() + piece.len() <= self.limit;
        if self.fits {
            self.buffer.extend_from_slice(piece);
        } else {
            self.buffer.clear();
        }
    }

    fn frame(&self, start: u64, shape: Shape) -> Frame {
        if self.fits { Frame::Whole { start, shape } } else { Frame::TooLarge { start } }
    }
}

/// A reader that counts.
struct Bytes<R> {
    reader: R,
    offset: u64,
}

impl<R: BufRead> Bytes<R> {
    fn chunk(&mut self) -> io::Result<&[u8]> {
        while let Err(error) = self.reader.fill_buf() {
            if error.kind() != ErrorKind::Interrupted {
                return Err(error);
            }
        }
        self.reader.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.reader.consume(count);
        self.offset += count as u64;
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.chunk()?.first().copied())
    }

    /// Skips white space and these bytes.
    fn skip(&mut self, also: &[u8]) -> io::Result<Option<u8>> {
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let length = chunk.len();
            match chunk.iter().position(|b| !b.is_ascii_whitespace() && !also.contains(b)) {
                Some(at) => {
                    let byte = chunk[at];
                    self.consume(at);
                    return Ok(Some(byte));
                }
                None => self.consume(length),
            }
        }
    }

    fn remainder(&mut self, push: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return Ok(());
            }
            push(chunk);
            let length = chunk.len();
            self.consume(length);
        }
    }

    /// One JSON value; `false` if the stream ends in it.
    fn value(&mut self, push: &mut dyn FnMut(&[u8])) -> io::Result<bool> {
        let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
        let scalar = !matches!(self.peek()?, Some(b'{' | b'[' | b'"'));
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return Ok(false);
            }
            let mut at = 0;
            let mut done = false;
            if scalar {
                at = chunk.iter().position(|b| b.is_ascii_whitespace() || b",]}".contains(b)).unwrap_or(chunk.len());
                done = at < chunk.len();
            }
            while !done && at < chunk.len() {
                if escaped {
                    escaped = false;
                    at += 1;
                } else if in_string {
                    match memchr::memchr2(b'"', b'\\', &chunk[at..]) {
                        None => at = chunk.len(),
                        Some(found) => {
                            at += found + 1;
                            escaped = chunk[at - 1] == b'\\';
                            in_string = escaped;
                            done = !in_string && depth == 0;
                        }
                    }
                } else {
                    match chunk[at] {
                        b'"' => in_string = true,
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => {
                            depth = depth.saturating_sub(1);
                            done = depth == 0;
                        }
                        _ => {}
                    }
                    at += 1;
                }
            }
            push(&chunk[..at]);
            self.consume(at);
            if done {
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// Every frame, read with that buffer size, anew from each cursor if asked.
    fn all(bytes: &[u8], capacity: usize, resume: bool, limit: usize) -> Vec<String> {
        let open = |cursor: Cursor| {
            let mut documents = Documents::new(BufReader::with_capacity(capacity, &bytes[cursor.offset as usize..]), cursor);
            documents.limit = limit;
            documents
        };
        let mut documents = open(Cursor::default());
        let mut buffer = Vec::new();
        let mut found = Vec::new();
        while let Ok(Some(frame)) = documents.next(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer);
            let broken = matches!(frame, Frame::Broken { .. });
            let place = documents.place(broken);
            found.push(match frame {
                Frame::Whole { start, .. } => {
                    assert!(bytes[start as usize..].starts_with(&buffer));
                    format!("{place} {text}")
                }
                Frame::TooLarge { .. } => format!("{place} too large"),
                Frame::Broken { reason } => format!("{place} {reason}"),
            });
            if resume && !broken {
                documents = open(documents.cursor);
            }
        }
        found
    }

    fn check(json: &str, expected: &[&str]) {
        for (capacity, resume) in [(1, false), (2, true), (7, true), (4096, false), (4096, true)] {
            assert_eq!(all(json.as_bytes(), capacity, resume, 1000), expected, "{json} {capacity} {resume}");
        }
    }

    #[test]
    fn entries_of_a_bundle() {
        check(
            r#"{"resourceType":"Bundle","entry":[{"a":"]\"}"}, {"b":[1]}],"link":[{"entry":[]}]}"#,
            &[r#":entry[0] {"a":"]\"}"}"#, r#":entry[1] {"b":[1]}"#],
        );
        check(r#"{"entry" : [ {} , {"b":1} ] , "resourceType":"Bundle"}"#, &[":entry[0] {}", r#":entry[1] {"b":1}"#]);
        let document = r#"{"resourceType":"Bundle","type":"document","entry":[{"a":1},{"b":2}]}"#;
        check(document, &[&format!(" {document}")]);
        check(r#"{"resourceType":"Bundle","total":0}"#, &[r#" {"resourceType":"Bundle","total":0}"#]);
        check(r#"{"resourceType":"Bundle","entry":[]}"#, &[]);
    }

    #[test]
    fn single_resources_lists_and_sequences() {
        check("\u{feff} {\"resourceType\":\"List\",\"entry\":[{}]}\n", &[r#" {"resourceType":"List","entry":[{}]}"#]);
        check(r#"[{"a":1},{"b":2}]"#, &[r#":[0] {"a":1}"#, r#":[1] {"b":2}"#]);
        check("{\"a\":1}\n{\"resourceType\":\"Bundle\",\"entry\":[{}]}{}", &[r#" {"a":1}"#, ":value[1]:entry[0] {}", ":value[2] {}"]);
        check("", &[]);
        check("  \n", &[]);
    }

    #[test]
    fn ends_before_the_end() {
        check(r#"{"resourceType":"Bundle","entry":[{"a":1},{"b""#, &[r#":entry[0] {"a":1}"#, ":entry[1] truncated"]);
        check(r#"{"resourceType":"Bundle","entry":[{"a":1}"#, &[r#":entry[0] {"a":1}"#, ":entry[1] truncated"]);
        check(r#"{"resourceType":"Bundle","entry":[{"a":1}]"#, &[r#":entry[0] {"a":1}"#, ":entry[1] truncated"]);
        check(r#"{"a":"#, &[" truncated"]);
    }

    #[test]
    fn garbage_is_one_item() {
        check("<html>{}</html>", &[" <html>{}</html>"]);
        check(r#"{"a" 1}{"b":2}"#, &[r#" {"a" 1}{"b":2}"#]);
    }

    #[test]
    fn a_large_resource_costs_itself_alone() {
        let json = format!(r#"{{"resourceType":"Bundle","entry":[{{"a":"{}"}},{{}}]}}"#, "x".repeat(5000));
        assert_eq!(all(json.as_bytes(), 64, false, 1000), [":entry[0] too large", ":entry[1] {}"]);
    }

    proptest::proptest! {
        #[test]
        fn reading_on_from_any_cursor_gives_the_same(json in "([{}\\[\\]:, a1]|\"entry\":\\[|\"a\"|\"resourceType\":\"Bundle\",){0,25}") {
            let whole = all(json.as_bytes(), 4096, false, 1000);
            for capacity in [1, 3] {
                proptest::prop_assert_eq!(&all(json.as_bytes(), capacity, true, 1000), &whole);
            }
        }
    }
}
