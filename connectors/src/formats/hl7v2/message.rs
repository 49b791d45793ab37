//! Messages, segments, fields and their parts: borrowed from the text, cut up
//! only where someone asks.
//!
//! What the standard says is in chapter 2 (2.5 message construction, 2.6
//! delimiters); what systems send beyond it is taken too: CR, LF or CRLF after a
//! segment, blank lines, further encoding characters, fields left out at the
//! end, unknown segments, and line breaks inside a field.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use super::defect::{Defect, Location};
use super::{charset, escape};

/// More segments than any message has: each of them may cost a row.
const MAX_SEGMENTS: usize = 20_000;
/// More repetitions than any list has.
const MAX_REPETITIONS: usize = 100;
/// No name, code or number is longer.
const MAX_WORDS: usize = 1024;
/// MSH has 25 fields in the latest version.
const MAX_HEADER_FIELDS: usize = 32;

/// What is looked at of a line after its name: separator and encoding characters.
const MAX_HEAD: usize = 24;

/// Segments that begin or end something of a file or payload.
const HEADERS: &[&[u8]] = &[b"MSH", b"FHS", b"BHS", b"BTS", b"FTS"];

/// Whether that ends a line. MLLP's own bytes do where a dump has kept them.
pub(super) fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | 0x0b | 0x1c)
}

/// The name of the header or trailer that a line begins with. The beginning of
/// the line is enough. Texts have lines that begin with MSH, a hormone, or BTS: such
/// a line is one only with a separator and what must follow it.
pub(super) fn header_name(line: &[u8]) -> Option<&'static [u8]> {
    let name = *HEADERS.iter().find(|name| line.starts_with(name))?;
    let rest = &line[name.len()..];
    let rest = &rest[..rest.iter().take(MAX_HEAD).position(|byte| is_break(*byte)).unwrap_or(rest.len().min(MAX_HEAD))];
    // Trailers may have no fields; a message has.
    let Some(separator) = first_character(rest) else { return (name != b"MSH").then_some(name) };
    // No text holds the usual separator.
    if separator == b"|" {
        return Some(name);
    }
    let first = split(&rest[separator.len()..], separator).next().unwrap_or_default();
    let fits = match name {
        b"BTS" | b"FTS" => first.iter().all(u8::is_ascii_digit),
        _ => !first.is_empty() && characters(first).all(is_delimiter),
    };
    (is_delimiter(separator) && fits).then_some(name)
}

/// Where the messages of a payload begin.
pub(super) fn message_starts(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let at_line = |at: &usize| bytes[..*at].iter().rev().find(|b| !matches!(**b, b' ' | b'\t')).is_none_or(|b| is_break(*b) || *b == 0xbf);
    memmem::find_iter(bytes, b"MSH").filter(at_line).filter(|at| header_name(&bytes[*at..]).is_some())
}

/// The fields of MSH as bytes: what is read before the character set is known,
/// and what an acknowledgement gives back unchanged.
#[derive(Clone)]
pub(super) struct Header<'b> {
    pub separator: &'b [u8],
    /// MSH-2 and what follows.
    fields: Vec<&'b [u8]>,
    /// The encoding characters of MSH-2, one by one.
    pub encoding: Vec<&'b [u8]>,
}

impl<'b> Header<'b> {
    /// # Errors
    /// No MSH at the start, or no encoding characters in it.
    pub fn read(bytes: &'b [u8]) -> Result<Self, Defect> {
        let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let blanks = start.iter().take_while(|b| is_break(**b) || b.is_ascii_whitespace()).count();
        let line = &start[blanks..];
        let line = &line[..line.iter().position(|b| is_break(*b)).unwrap_or(line.len())];
        let rest = line.strip_prefix(b"MSH").ok_or(Defect::NotHl7)?;
        let separator = first_character(rest).filter(|s| is_delimiter(s)).ok_or(Defect::Delimiters)?;
        let fields: Vec<_> = split(&rest[separator.len()..], separator).take(MAX_HEADER_FIELDS).collect();
        let encoding: Vec<_> = fields.first().map(|field| characters(field).take(8).collect()).unwrap_or_default();
        if encoding.is_empty() || encoding.iter().take(4).any(|c| !is_delimiter(c)) {
            return Err(Defect::Delimiters);
        }
        Ok(Header { separator, fields, encoding })
    }

    /// MSH-`number`, from 2; empty where it is left out.
    pub fn field(&self, number: usize) -> &'b [u8] {
        number.checked_sub(2).and_then(|at| self.fields.get(at)).copied().unwrap_or_default()
    }

    /// A component of the first repetition of MSH-`number`, as text.
    pub fn component(&self, number: usize, component: usize) -> Option<Cow<'b, str>> {
        let part = |text: &'b [u8], by: Option<&&'b [u8]>, at: usize| match by {
            Some(by) => split(text, by).nth(at),
            None => (at == 0).then_some(text),
        };
        let repetition = part(self.field(number), self.encoding.get(1), 0)?;
        let component = part(repetition, self.encoding.first(), component.checked_sub(1)?)?.trim_ascii();
        if component.is_empty() || component == b"\"\"" || component.len() > MAX_WORDS {
            return None;
        }
        Some(String::from_utf8_lossy(component))
    }
}

fn split<'b>(text: &'b [u8], by: &'b [u8]) -> impl Iterator<Item = &'b [u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = if let [byte] = by { memchr(*byte, text) } else { memmem::find(text, by) };
        rest = end.map(|end| &text[end + by.len()..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

/// The first character: of UTF-8 where it is that, else the byte.
fn first_character(bytes: &[u8]) -> Option<&[u8]> {
    let length = match bytes.first()? {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    let character = bytes.get(..length).filter(|c| std::str::from_utf8(c).is_ok());
    Some(character.unwrap_or(&bytes[..1]))
}

fn characters(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let character = first_character(bytes)?;
        bytes = &bytes[character.len()..];
        Some(character)
    })
}

fn is_delimiter(character: &[u8]) -> bool {
    !matches!(character, [byte] if byte.is_ascii_alphanumeric() || byte.is_ascii_control() || *byte == b' ')
}

/// How a message is written: its delimiters (MSH-1, MSH-2), and the character
/// set of what it spells in hexadecimal (MSH-18).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syntax {
    pub field: char,
    pub component: char,
    pub repetition: Option<char>,
    pub escape: Option<char>,
    pub subcomponent: Option<char>,
    pub encoding: Option<&'static encoding_rs::Encoding>,
}

/// A message, cut into segments.
pub(super) struct Message<'m> {
    pub segments: Vec<Segment<'m>>,
}

impl<'m> Message<'m> {
    /// Text that begins with MSH, decoded.
    ///
    /// # Errors
    /// No MSH at the start, no encoding characters in it, or more segments than
    /// any message has.
    pub fn parse(text: &'m str) -> Result<Self, Defect> {
        let header = Header::read(text.as_bytes())?;
        let character = |bytes: &[u8]| std::str::from_utf8(bytes).ok().and_then(|text| text.chars().next());
        let nth = |at: usize| header.encoding.get(at).and_then(|c| character(c));
        let syntax = Syntax {
            field: character(header.separator).ok_or(Defect::Delimiters)?,
            component: nth(0).ok_or(Defect::Delimiters)?,
            repetition: nth(1),
            escape: nth(2),
            subcomponent: nth(3),
            encoding: charset::label(header.field(18)).and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes())),
        };
        let mut segments: Vec<Segment<'m>> = Vec::new();
        let mut current: Option<(usize, usize)> = None;
        for (start, end) in lines(text) {
            if is_segment(&text[start..end], syntax.field) {
                segments.extend(current.map(|(start, end)| Segment::new(&text[start..end], syntax)));
                current = Some((start, end));
                if segments.len() >= MAX_SEGMENTS {
                    return Err(Defect::TooLarge);
                }
            } else if !text[start..end].trim().is_empty() {
                // A line break inside a field: the segment goes on.
                current = current.map(|(start, _)| (start, end));
            }
        }
        segments.extend(current.map(|(start, end)| Segment::new(&text[start..end], syntax)));
        Ok(Message { segments })
    }

    /// The first segment of that name.
    pub fn segment(&self, name: &str) -> Option<Segment<'m>> {
        self.segments.iter().find(|s| s.name == name).copied()
    }
}

/// The lines of a text, without what ends them, the space before them left out.
fn lines(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= bytes.len() {
            return None;
        }
        let start = at;
        let end = memchr::memchr2(b'\r', b'\n', &bytes[start..]).map_or(bytes.len(), |n| start + n);
        let end = memchr::memchr2(0x0b, 0x1c, &bytes[start..end]).map_or(end, |n| start + n);
        at = end + 1;
        let blank = text[start..end].len() - text[start..end].trim_start_matches([' ', '\t', '\u{feff}']).len();
        Some((start + blank, end))
    })
}

/// A name of three characters, and the separator: so rarely the words that a
/// line of a text begins with that a line break in a field costs nothing.
fn is_segment(line: &str, separator: char) -> bool {
    let bytes = line.as_bytes();
    bytes.len() > 3
        && bytes[0].is_ascii_uppercase()
        && bytes[1..3].iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && line.get(3..).is_some_and(|rest| rest.starts_with(separator))
}

/// A segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'m> {
    pub name: &'m str,
    /// Behind the name and its separator.
    body: &'m str,
    syntax: Syntax,
}

impl<'m> Segment<'m> {
    fn new(line: &'m str, syntax: Syntax) -> Self {
        let (name, rest) = line.split_at(3);
        Segment { name, body: rest.strip_prefix(syntax.field).unwrap_or(rest), syntax }
    }

    /// Field `number`, counted as the standard does: MSH-1 is the separator.
    pub fn field(&self, number: usize) -> Value<'m> {
        let own = usize::from(matches!(self.name, "MSH" | "FHS" | "BHS"));
        let text = number.checked_sub(1 + own).and_then(|at| self.body.split(self.syntax.field).nth(at));
        Value { text: text.unwrap_or_default(), syntax: self.syntax }
    }

    /// A component of the first repetition of a field.
    pub fn component(&self, field: usize, component: usize) -> Value<'m> {
        self.field(field).first().component(component)
    }

    /// The text of a field's first repetition and component.
    pub fn words(&self, field: usize) -> Option<Cow<'m, str>> {
        self.component(field, 1).words()
    }

    /// A code in capitals, as tables of the standard have it.
    pub fn code(&self, field: usize) -> String {
        self.words(field).unwrap_or_default().to_ascii_uppercase()
    }

    pub fn at(&self, ordinal: usize, field: usize) -> Location {
        Location {
            segment: match self.name {
                "TXA" => "TXA",
                "OBR" => "OBR",
                "PID" => "PID",
                "MRG" => "MRG",
                _ => "OBX",
            },
            ordinal,
            field,
        }
    }
}

/// A field, a repetition, a component or a subcomponent: text with its syntax.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'m> {
    pub text: &'m str,
    syntax: Syntax,
}

impl<'m> Value<'m> {
    fn part(&self, by: Option<char>, number: usize) -> Value<'m> {
        let text = match (by, number.checked_sub(1)) {
            (Some(by), Some(at)) => self.text.split(by).nth(at),
            (None, Some(0)) => Some(self.text),
            _ => None,
        };
        Value { text: text.unwrap_or_default(), syntax: self.syntax }
    }

    /// The repetitions of a field, as many as a list may have.
    pub fn repetitions(self) -> impl Iterator<Item = Value<'m>> {
        self.lines().take(MAX_REPETITIONS)
    }

    /// The repetitions of a field that holds text.
    pub fn lines(self) -> impl Iterator<Item = Value<'m>> {
        let syntax = self.syntax;
        // No character stands for "none": one that cannot be in a line.
        self.text.split(syntax.repetition.unwrap_or('\u{0}')).map(move |text| Value { text, syntax })
    }

    /// The first repetition of a field.
    pub fn first(&self) -> Value<'m> {
        self.part(self.syntax.repetition, 1)
    }

    /// Component `number` of a repetition, from 1.
    pub fn component(self, number: usize) -> Value<'m> {
        self.part(Some(self.syntax.component), number)
    }

    pub fn components(self) -> impl Iterator<Item = Value<'m>> {
        let syntax = self.syntax;
        self.text.split(syntax.component).map(move |text| Value { text, syntax })
    }

    /// From component `number` to the end: text whose own delimiters nobody escaped.
    pub fn onwards(&self, number: usize) -> Value<'m> {
        let text = self.text.splitn(number, self.syntax.component).nth(number.saturating_sub(1));
        Value { text: text.unwrap_or_default(), syntax: self.syntax }
    }

    /// Subcomponent `number` of a component, from 1.
    pub fn subcomponent(&self, number: usize) -> Value<'m> {
        self.part(self.syntax.subcomponent, number)
    }

    /// Its text with the escapes resolved, as it stands; null is no text.
    pub fn unescaped(&self) -> Cow<'m, str> {
        if self.text.trim() == "\"\"" { Cow::Borrowed("") } else { escape::unescape(self.text, self.syntax) }
    }

    /// Its text on one line, `None` where there is none, the null `""`, or more
    /// than a name, a code or a number can have.
    pub fn words(&self) -> Option<Cow<'m, str>> {
        if self.text.len() > 4 * MAX_WORDS {
            return None;
        }
        let text = match self.unescaped() {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        let text = if text.contains(['\r', '\n']) { Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" ")) } else { text };
        (!text.is_empty() && text.len() <= MAX_WORDS).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "MSH|^~\\&|A|B|C|D|20240305||ADT^A01|77|P|2.5";

    fn names(text: &str) -> Vec<String> {
        Message::parse(text).map_or(vec![], |m| m.segments.iter().map(|s| s.name.to_owned()).collect())
    }

    #[test]
    fn every_end_of_line_will_do() {
        for end in ["\r", "\n", "\r\n", "\r\r", "\r\n\r\n", "\r \r", "\r\n\t"] {
            let text = ["\u{b}", HEAD, end, "EVN||2024", end, "ZZZ|x", end, "PID|1||5", end, "\u{1c}\r"].concat();
            assert_eq!(names(&text), ["MSH", "EVN", "ZZZ", "PID"], "{end:?}");
        }
        assert_eq!(names(&format!("\u{feff}{HEAD}\rPID|1")), ["MSH", "PID"]);
    }

    #[test]
    fn fields_are_counted_as_the_standard_does() {
        let text = format!("{HEAD}\rPID|1||a^b&c~d^e||\"\"\r");
        let Ok(message) = Message::parse(&text) else { panic!("not read") };
        let [msh, pid] = [0, 1].map(|at| message.segments[at]);
        assert_eq!((msh.field(2).text, msh.field(9).text, msh.words(10).as_deref()), ("^~\\&", "ADT^A01", Some("77")));
        assert_eq!(pid.component(3, 2).subcomponent(2).text, "c");
        assert_eq!(pid.field(3).repetitions().map(|r| r.component(1).text).collect::<Vec<_>>(), ["a", "d"]);
        assert_eq!((pid.words(5), pid.words(99), pid.words(2)), (None, None, None));
        assert_eq!((pid.field(0).text, pid.component(3, 0).text), ("", ""));
    }

    #[test]
    fn delimiters_are_the_messages_own() {
        let text = "MSH#$°/%#A#B#C#D#2024##ADT$A01#77\rPID#1##a$b%c°d/T/#\r";
        let Ok(message) = Message::parse(text) else { panic!("not read") };
        let pid = message.segments[1];
        assert_eq!(pid.component(3, 2).subcomponent(2).text, "c");
        assert_eq!(pid.field(3).repetitions().nth(1).and_then(|r| r.words()).as_deref(), Some("d%"));
        // Further encoding characters, and fewer.
        assert_eq!(Message::parse(&HEAD.replace("\\&", "\\&#")).ok().and_then(|m| m.segments[0].words(10)).as_deref(), Some("77"));
        let few = HEAD.replace("^~\\&", "^");
        assert_eq!(Message::parse(&few).ok().map(|m| m.segments[0].component(9, 2).text.to_owned()).as_deref(), Some("A01"));
        for bad in ["", "MSH", "MSH|", "MSH||A", "MSHA^~", "PID|1", "MSH|abc", "{\"resourceType\":1}"] {
            assert!(Message::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_line_break_in_a_field_does_not_end_the_segment() {
        let text = format!("{HEAD}\rOBX|1|ED|x||^^^Base64^QUJD\r\nREVG\r\n\r\nR0hJ||||||F\rPID|1||5\r");
        let Ok(message) = Message::parse(&text) else { panic!("not read") };
        assert_eq!(names(&text), ["MSH", "OBX", "PID"]);
        assert_eq!(message.segments[1].component(5, 5).text, "QUJD\r\nREVG\r\n\r\nR0hJ");
        assert_eq!(message.segments[1].words(11).as_deref(), Some("F"));
        assert_eq!(message.segments[1].component(5, 5).words().as_deref(), Some("QUJD REVG R0hJ"));
    }

    #[test]
    fn several_messages_of_a_payload_are_told_apart() {
        let text = format!("FHS|^~\\&|x\r\u{b}{HEAD}\rOBX|1|TX|||voir MSH|suite\r{HEAD}\r");
        assert_eq!(message_starts(text.as_bytes()).count(), 2);
        assert_eq!(message_starts(b"MSHA|\rMSH |").count(), 0);
    }
}
