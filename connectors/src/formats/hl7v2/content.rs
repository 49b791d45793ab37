//! The text of a document: what OBX-5 holds (chapter 7.4.2.5), by OBX-2.
//!
//! - ED (2.A.24): `^type^subtype^encoding^data`, read as an attachment is; the
//!   clinical documents of the French profile are XML in Base64;
//! - TX, FT, ST: the lines of a text;
//! - RP: a pointer to where the text is. Nothing is fetched, the message is refused.

use chrono_tz::Tz;

use super::document::Failure;
use super::message::{Segment, Value};
use crate::formats::attachment::{self, Extracted, Kind, MediaType};
use crate::formats::{cda, reason};

/// OBX-3 of the French profile that is about the document.
const METADATA: &str = include_str!("metadata.csv");
/// The coding system of these.
const METADATA_SYSTEM: &str = "METADMPMSS";

/// Text, and what it was made from.
pub(super) struct Content {
    pub text: String,
    pub kind: Kind,
    pub guessed: bool,
    /// Files made of pages, whose text comes after this one.
    pub pages: Vec<Vec<u8>>,
    /// What a clinical document says of itself.
    pub header: Option<Box<cda::Document>>,
}

/// An observation that may hold a document or a line of one.
#[derive(Clone, Copy)]
pub(super) struct Observation<'m> {
    pub segment: Segment<'m>,
    /// Which OBX of the message, from 1.
    pub ordinal: usize,
    pub form: Form,
}

/// How OBX-5 is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Encapsulated,
    Text,
    /// A line that stands for a value as often: ST, or no type at all.
    Word,
    Pointer,
    /// A number, a code, a time.
    Value,
}

impl<'m> Observation<'m> {
    /// `None` for what is about the document, not in it.
    pub fn new(segment: Segment<'m>, ordinal: usize) -> Option<Self> {
        let code = segment.code(3);
        let system = segment.component(3, 3).words().unwrap_or_default().to_ascii_uppercase();
        if system == METADATA_SYSTEM || METADATA.lines().filter(|l| !l.starts_with('#')).skip(1).any(|known| known == code) {
            return None;
        }
        let form = match segment.code(2).as_str() {
            "ED" => Form::Encapsulated,
            "TX" | "FT" => Form::Text,
            "ST" => Form::Word,
            "RP" => Form::Pointer,
            "" if encoding(segment.field(5)).is_some() => Form::Encapsulated,
            "" => Form::Word,
            _ => Form::Value,
        };
        Some(Observation { segment, ordinal, form })
    }

    /// OBX-11 (table 0085).
    pub fn status(&self) -> String {
        self.segment.code(11)
    }

    /// Deleted, or posted for the wrong patient.
    pub fn is_withdrawn(&self) -> bool {
        matches!(self.status().as_str(), "D" | "W")
    }

    pub fn failure(&self, reason: &'static str) -> Failure {
        Failure { reason, place: Some(self.segment.at(self.ordinal, 5)) }
    }
}

/// Lines of observations, one text. Repetitions of a TX are lines as well (2.A.75).
fn lines(observations: &[Observation<'_>]) -> String {
    let kept = |o: &&Observation<'_>| matches!(o.form, Form::Text | Form::Word) && !o.is_withdrawn() && o.status() != "X";
    let mut text = String::new();
    for line in observations.iter().filter(kept).flat_map(|o| o.segment.field(5).lines()) {
        text.push_str(&line.unescaped());
        text.push('\n');
    }
    if text.contains('\r') {
        text = text.replace("\r\n", "\n").replace('\r', "\n");
    }
    text.pop();
    text
}

/// The document that the lines of observations make.
///
/// # Errors
/// There is nothing in them, or something that only looks like text.
pub(super) fn joined(observations: &[Observation<'_>]) -> Result<Content, Failure> {
    let text = lines(observations);
    let missing = Failure { reason: reason::MISSING_ATTACHMENT, place: None };
    let first = observations.iter().find(|o| o.form != Form::Value);
    let failed = |reason| first.map_or(missing, |o| o.failure(reason));
    if text.trim().is_empty() {
        return Err(failed(reason::MISSING_ATTACHMENT));
    }
    let plain = MediaType { kind: Some(Kind::Plain), charset: None };
    let extracted = attachment::read(text.into_bytes(), &plain).map_err(failed)?;
    Ok(Content { text: extracted.text, kind: extracted.kind, guessed: false, pages: Vec::new(), header: None })
}

/// Where in an ED the encoding stands, and which it is: senders leave out a
/// component before it or put the media type in one.
fn encoding(field: Value<'_>) -> Option<(usize, Encoding)> {
    let known = |value: Value<'_>| match value.text.trim() {
        t if t.eq_ignore_ascii_case("base64") => Some(Encoding::Base64),
        t if t.eq_ignore_ascii_case("hex") => Some(Encoding::Hex),
        "A" | "a" => Some(Encoding::Plain),
        _ => None,
    };
    // The source application, first, may have any name.
    let components = field.components().take(4).enumerate().skip(1);
    components.filter_map(|(at, value)| Some((at + 1, known(value)?))).last()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Base64,
    Hex,
    Plain,
}

/// The text of an ED.
///
/// # Errors
/// The reason of the dead letter.
pub(super) fn encapsulated(field: Value<'_>, charset: Option<&str>, timezone: Tz) -> Result<Content, &'static str> {
    let (at, encoding) = encoding(field).unwrap_or((4, Encoding::Plain));
    let declared = media_type((2..at).map(|n| field.component(n)), charset);
    let data = if encoding == Encoding::Plain { field.onwards(at + 1) } else { field.component(at + 1) };
    let data = data.unescaped();
    if data.trim().is_empty() {
        return Err(reason::MISSING_ATTACHMENT);
    }
    let bytes = match encoding {
        Encoding::Base64 => attachment::base64(&data).ok_or(reason::BAD_BASE64)?,
        Encoding::Hex => hexadecimal(&data).ok_or(reason::BAD_BASE64)?,
        Encoding::Plain => data.into_owned().into_bytes(),
    };
    // What is written into the message went through its character set already.
    let declared = if encoding == Encoding::Plain { MediaType { charset: None, ..declared } } else { declared };
    read(bytes, declared, timezone)
}

/// Bytes of a document to text.
fn read(bytes: Vec<u8>, mut declared: MediaType, timezone: Tz) -> Result<Content, &'static str> {
    if declared.kind.is_some() && cda::is_clinical_document(&bytes) {
        let document = cda::read(&bytes, timezone).map_err(cda::CdaError::reason)?;
        if document.text.trim().is_empty() && document.pages.is_empty() {
            return Err(reason::UNSUPPORTED_CONTENT_TYPE);
        }
        let (text, guessed, pages) = (document.text.clone(), document.charset_guessed, document.pages.clone());
        return Ok(Content { text, kind: Kind::Cda, guessed, pages, header: Some(Box::new(document)) });
    }
    if declared.kind == Some(Kind::Cda) {
        // Prose that is called XML is taken for what it is; markup that is no
        // clinical document is not.
        let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).trim_ascii_start();
        if start.starts_with(b"<") || start.contains(&0) {
            return Err(reason::UNSUPPORTED_CONTENT_TYPE);
        }
        declared.kind = Some(Kind::Unknown);
    }
    let extracted = attachment::read(bytes, &declared)?;
    if extracted.is_empty() {
        return Err(reason::MISSING_ATTACHMENT);
    }
    let Extracted { text, kind, charset_guessed: guessed, pages, .. } = extracted;
    Ok(Content { text, kind, guessed, pages, header: None })
}

/// The media type that the components before the encoding make: `text`, `XML`;
/// `application`, `pdf`; `text/plain; charset=utf-8`; or the subtype alone.
fn media_type<'m>(parts: impl Iterator<Item = Value<'m>>, charset: Option<&str>) -> MediaType {
    let parts: Vec<String> = parts.filter_map(|part| Some(part.words()?.to_ascii_lowercase())).collect();
    let words: Vec<&str> = parts.iter().map(String::as_str).collect();
    if let Some(whole) = words.iter().find(|word| word.contains('/')) {
        let media = MediaType::parse(whole);
        return with_charset(media, charset);
    }
    let kind = match words.as_slice() {
        [] | ["text" | "tx" | "ft" | "application" | "multipart"] | [_, "octet-stream"] => Some(Kind::Unknown),
        [.., "plain" | "txt" | "text" | "ascii"] => Some(Kind::Plain),
        [.., "html" | "htm"] => Some(Kind::Html),
        [.., "xhtml" | "xhtml+xml"] => Some(Kind::Xhtml),
        [.., "rtf" | "richtext"] => Some(Kind::Rtf),
        [.., "pdf" | "x-pdf"] => Some(Kind::Pdf),
        [.., "tiff" | "tif"] => Some(Kind::Tiff),
        [.., "jpeg" | "jpg"] => Some(Kind::Jpeg),
        [.., "png"] => Some(Kind::Png),
        [.., "zip" | "x-zip-compressed"] => Some(Kind::Zip),
        [.., "gzip" | "x-gzip"] => Some(Kind::Gzip),
        [.., "xml" | "cda" | "x-hl7-cda-level-one" | "hl7-cda+xml" | "cda+xml" | "sgml"] => Some(Kind::Cda),
        ["text" | "tx" | "ft", _] => Some(Kind::Unknown),
        _ => None,
    };
    with_charset(MediaType { kind, charset: None }, charset)
}

/// Text without a character set of its own is in that of the message. A page
/// and an XML document can say theirs inside.
fn with_charset(media: MediaType, charset: Option<&str>) -> MediaType {
    match media.kind {
        Some(Kind::Plain | Kind::Unknown) => MediaType { charset: media.charset.or(charset.map(str::to_owned)), ..media },
        _ => media,
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::super::message::Message;
    use super::*;

    fn ed(obx5: &str) -> String {
        let text = format!("MSH|^~\\&|\rOBX|1|ED|x||{obx5}||||||F\r");
        let Ok(message) = Message::parse(&text) else { return "not read".into() };
        match encapsulated(message.segments[1].field(5), None, Tz::Europe__Paris) {
            Ok(content) => format!("{:?} {}", content.kind, content.text),
            Err(reason) => reason.into(),
        }
    }

    #[test]
    fn encapsulated_data_as_systems_write_it() {
        for (obx5, expected) in [
            ("^text^plain^Base64^dnUgw6AgMTBo", "Plain vu à 10h"),
            ("^TEXT^^Base64^dnUgw6AgMTBo", "Plain vu à 10h"),
            ("^text^Base64^dnUgw6AgMTBo", "Plain vu à 10h"),
            ("APP^text/plain; charset=utf-8^^BASE64^dnUgw6AgMTBo", "Plain vu à 10h"),
            ("^text^XML^Base64^dnUgw6AgMTBo", "Plain vu à 10h"),
            ("^text^plain^Base64^dnUg\r\nw6Ag\r\nMTBo", "Plain vu à 10h"),
            (r"^text^plain^Base64^dnUg\.br\w6AgMTBo", "Plain vu à 10h"),
            (r"^text^plain^Base64^dnUg\X0D0A\w6AgMTBo", "Plain vu à 10h"),
            ("^text^plain^A^vu ^ à 10h", "Plain vu ^ à 10h"),
            ("^TEXT^^^vu à 10h", "Plain vu à 10h"),
            ("^text^html^Hex^3C703E76753C2F703E", "Html vu"),
            ("^application^rtf^Base64^e1xydGYxIHZ1fQ==", "Rtf vu"),
            ("^text^plain^Base64^6XTp", "Plain été"),
            ("^application^pdf^Base64^JVBERi0=", "Pdf "),
            ("^application^octet-stream^Base64^JVBERi0=", "Pdf "),
            ("^image^jpeg^Base64^AAAA", "unsupported_content_type"),
            ("^text^XML^Base64^PGZlZWQ+dnU8L2ZlZWQ+", "unsupported_content_type"),
            ("^text^plain^Base64^!", "bad_base64"),
            ("^text^plain^Hex^3", "bad_base64"),
            ("^text^plain^Base64^", "missing_attachment"),
            ("", "missing_attachment"),
            ("\"\"", "missing_attachment"),
        ] {
            assert_eq!(ed(obx5), expected, "{obx5}");
        }
    }

    #[test]
    fn a_clinical_document_is_read_with_its_header() {
        let xml = "<ClinicalDocument><title>Bilan</title><component><structuredBody><component><section><text>vu</text></section>\
                   </component></structuredBody></component></ClinicalDocument>";
        let text = format!("MSH|^~\\&|\rOBX|1|ED|x||^text^XML^A^{xml}\r");
        let message = Message::parse(&text);
        let content = message.map(|m| encapsulated(m.segments[1].field(5), None, Tz::Europe__Paris));
        let Ok(Ok(content)) = content else { panic!("not read") };
        assert_eq!(content.kind, Kind::Cda);
        assert!(content.text.contains("vu"), "{}", content.text);
        assert_eq!(content.header.and_then(|h| h.title).as_deref(), Some("Bilan"));
    }

    #[test]
    fn lines_make_a_text() {
        let text = "MSH|^~\\&|\rOBX|1|TX|a||Un~deux||||||F\rOBX|2|FT|a||trois\\.br\\quatre||||||F\rOBX|3|TX|a||||||||F\r\
                    OBX|4|ST|a||a ^ b & c||||||F\rOBX|5|TX|a||effacé||||||D\rOBX|6|NM|a||7||||||F\rOBX|7|TX|MASQUE_PS||non||||||F\r\
                    OBX|8|TX|a||brut\r\nsuite||||||F\r";
        let Ok(message) = Message::parse(text) else { panic!("not read") };
        let observations: Vec<_> = message.segments[1..].iter().enumerate().filter_map(|(at, s)| Observation::new(*s, at + 1)).collect();
        assert_eq!(observations.len(), 7);
        assert_eq!(lines(&observations), "Un\ndeux\ntrois\nquatre\n\na ^ b & c\nbrut\nsuite");
    }

    #[test]
    fn codes_of_metadata_are_unique_and_sorted() {
        let codes: Vec<&str> = METADATA.lines().filter(|l| !l.starts_with('#')).skip(1).collect();
        assert!(codes.len() > 10 && codes.is_sorted_by(|a, b| a < b));
    }
}
