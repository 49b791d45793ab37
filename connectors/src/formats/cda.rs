//! Clinical documents of HL7 version 3 (CDA R2, French CI-SIS profiles): the
//! header as metadata, the narrative as text, the coded entries with the words
//! they stand for, or the attachment of a document without structure (level 1).
//!
//! A document is read within limits from its own bytes alone: no document type,
//! no entities, nothing fetched, whatever it refers to.

mod code;
mod coded;
mod entry;
mod header;
mod narrative;
#[cfg(test)]
mod tests;
mod time;
mod tree;
mod unstructured;

use std::borrow::Cow;
use std::ops::Range;

use chrono::NaiveDateTime;
use chrono_tz::Tz;
use sillage_schemas::Fault;
use sillage_schemas::record::PatientRecord;

pub use code::Code;
pub use coded::{at_site, json};
pub use entry::{CodedEntry, EntryKind, Value};
pub use time::{Interval, Moment, Precision};
pub use unstructured::Inner;

use super::attachment::charset;
use super::reason;
use tree::Element;

/// A clinical document.
#[derive(Debug)]
pub struct Document {
    /// `root` or `root.extension`, as messages name the document.
    pub id: Option<String>,
    /// What all versions of the document share.
    pub set_id: Option<String>,
    pub version: Option<i32>,
    /// Ids of the documents that this one takes the place of.
    pub replaces: Vec<String>,
    /// Object identifiers of the templates that it claims to follow. The national
    /// stroke documents share one LOINC type; their templates tell them apart.
    pub templates: Vec<String>,
    /// LOINC code and name of the type.
    pub type_code: Option<String>,
    pub type_display: Option<String>,
    pub title: Option<String>,
    /// When it was made, by the clock of the site.
    pub effective_time: Option<NaiveDateTime>,
    /// `N`, `R` or `V`.
    pub confidentiality: Option<String>,
    pub language: Option<String>,
    pub patient: PatientRecord,
    /// `system|value`, the national identity (INS) included.
    pub patient_ids: Vec<String>,
    pub authors: Vec<String>,
    pub custodian: Option<String>,
    pub encounter: Option<Encounter>,
    /// Title and sections; of a level 1 document the text inside, empty where
    /// none can be read from it.
    pub text: String,
    /// Of a level 1 document the file made of pages inside.
    pub pages: Vec<Vec<u8>>,
    /// In the order of the text; nested ones after the one that holds them.
    pub sections: Vec<Section>,
    pub entries: Vec<CodedEntry>,
    /// What a level 1 document holds.
    pub inner: Option<Inner>,
    /// Whether the character set had to be guessed.
    pub charset_guessed: bool,
    /// The clock that times with a zone were turned to.
    clock: Tz,
}

/// The stay that the document belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encounter {
    /// `system|value`.
    pub id: Option<String>,
    pub start: Option<NaiveDateTime>,
    pub end: Option<NaiveDateTime>,
}

/// A section of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    pub title: Option<String>,
    pub code: Option<Code>,
    /// 0 for a section of the body, 1 for one within it.
    pub depth: usize,
    /// From its title to the end of the last section within it, in characters.
    pub range: Range<usize>,
}

/// Why a document cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CdaError {
    #[error("the XML is not well-formed")]
    BadXml,
    #[error("the XML has a document type or entities of its own, which are not read")]
    Entity,
    #[error("the XML nests deeper than any document does")]
    TooDeep,
    #[error("the document is larger than one may be")]
    TooLarge,
    #[error("the XML ends before the document does")]
    Truncated,
    #[error("the XML is not a clinical document")]
    NotCda,
    #[error("what the document holds is damaged in its encoding or compression")]
    BadInner,
    #[error("what the document holds is elsewhere")]
    InnerElsewhere,
}

impl CdaError {
    pub fn fault(self) -> Fault {
        Fault::Input
    }

    /// The word for the dead letter.
    pub fn reason(self) -> &'static str {
        match self {
            CdaError::BadXml => reason::BAD_XML,
            CdaError::Entity => reason::XML_ENTITY,
            CdaError::TooDeep => reason::TOO_DEEP,
            CdaError::TooLarge => reason::TOO_LARGE,
            CdaError::Truncated => reason::TRUNCATED,
            CdaError::NotCda => reason::UNSUPPORTED_CONTENT_TYPE,
            CdaError::BadInner => reason::BAD_BASE64,
            CdaError::InnerElsewhere => reason::MISSING_BINARY,
        }
    }
}

/// Reads a document; times become the wall clock of the site.
pub fn read(bytes: &[u8], timezone: Tz) -> Result<Document, CdaError> {
    read_within(bytes, timezone, 0)
}

/// The same for a document found in another attachment, so many deep.
pub(super) fn read_within(bytes: &[u8], timezone: Tz, depth: u8) -> Result<Document, CdaError> {
    let (xml, charset_guessed) = decode(bytes);
    let root = tree::parse(&xml)?;
    let title = root.child("title").and_then(Element::words);
    let sections: Vec<&Element> = root.path(&["component", "structuredBody", "component", "section"]);
    let inner = unstructured::read(&root)?;
    let mut writer = narrative::Writer::default();
    let structured = inner.is_none() || !sections.is_empty();
    if let Some(title) = title.as_ref().filter(|_| structured) {
        writer.line(title);
    }
    for section in &sections {
        writer.section(section, 0);
    }
    let (mut text, titles, anchors) = writer.finish();
    let mut pages = Vec::new();
    if let Some(inner) = inner.as_ref().filter(|_| !structured) {
        let read = inner.read(depth + 1).unwrap_or_default();
        (text, pages) = (read.text, read.pages);
    }
    let mut entries = Vec::new();
    let mut index = 0;
    for section in sections {
        read_entries(section, &mut index, &anchors, timezone, &mut entries);
    }
    let code = root.child("code").and_then(Code::read);
    let attribute = |element: &str, name: &str| root.child(element).and_then(|e| e.attribute(name)).map(str::to_owned);
    Ok(Document {
        id: root.child("id").and_then(header::identifier),
        set_id: root.child("setId").and_then(header::identifier),
        version: attribute("versionNumber", "value").and_then(|v| v.parse().ok()),
        replaces: header::replaces(&root),
        templates: header::templates(&root),
        type_code: code.as_ref().filter(|c| c.system.is_none() || c.system_name == Some("LOINC")).and_then(|c| c.code.clone()),
        type_display: code.and_then(|c| c.display.or(c.original_text)),
        title,
        effective_time: attribute("effectiveTime", "value").and_then(|v| Moment::parse(&v, timezone)).map(|m| m.at),
        confidentiality: attribute("confidentialityCode", "code"),
        language: attribute("languageCode", "code"),
        patient: header::patient(&root),
        patient_ids: header::patient_ids(&root),
        authors: header::authors(&root),
        custodian: header::custodian(&root),
        encounter: header::encounter(&root, timezone),
        text,
        pages,
        sections: titles,
        entries,
        inner,
        charset_guessed,
        clock: timezone,
    })
}

/// Entries of a section and of those in it, in the order in which the sections were written.
fn read_entries(section: &Element, index: &mut usize, anchors: &narrative::Anchors, site: Tz, out: &mut Vec<CodedEntry>) {
    entry::read(section, *index, anchors, site, out);
    *index += 1;
    for nested in section.path(&["component", "section"]) {
        read_entries(nested, index, anchors, site, out);
    }
}

/// Whether the bytes are XML whose root is a clinical document.
pub fn is_clinical_document(bytes: &[u8]) -> bool {
    const HEAD: usize = 16 << 10;
    let (head, _) = decode(&bytes[..bytes.len().min(HEAD)]);
    let mut rest = head.trim_start_matches(tree::is_space);
    while let Some(markup) = rest.strip_prefix('<') {
        let end = match markup.as_bytes().first() {
            Some(b'?') => "?>",
            Some(b'!') if markup.starts_with("!--") => "-->",
            // A document type is refused later, with the reason said.
            Some(b'!') if markup.contains("<!ENTITY") || markup.contains('[') => "]>",
            Some(b'!') => ">",
            _ => {
                let name = markup.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next().unwrap_or_default();
                return name.rsplit(':').next() == Some("ClinicalDocument");
            }
        };
        let Some(at) = markup.find(end) else { return false };
        rest = markup[at + end.len()..].trim_start_matches(tree::is_space);
    }
    false
}

/// Bytes to characters: by byte order mark, by what the declaration says where
/// that can be true, else by what the bytes look like.
fn decode(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    let label = match bytes {
        [b'<', 0, ..] => Some("utf-16le".to_owned()),
        [0, b'<', ..] => Some("utf-16be".to_owned()),
        // A declaration that can be read in single bytes is not in double ones.
        _ => declared(bytes).filter(|label| !label.contains("16") && !label.contains("32") && !label.starts_with("ucs")),
    };
    if label.as_deref().is_none_or(|l| l == "utf-8")
        && !bytes.starts_with(b"\xef\xbb\xbf")
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return (Cow::Borrowed(text), false);
    }
    let decoded = charset::decode(bytes.to_vec(), label.as_deref());
    (Cow::Owned(decoded.text), decoded.guessed)
}

fn declared(bytes: &[u8]) -> Option<String> {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head = String::from_utf8_lossy(&start[..start.len().min(256)]).to_ascii_lowercase();
    let declaration = head.trim_start().strip_prefix("<?xml")?.split("?>").next()?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let label: String =
        value.trim_start_matches(['"', '\'']).chars().take_while(|c| c.is_ascii_alphanumeric() || "-_:.".contains(*c)).collect();
    (!label.is_empty()).then_some(label)
}
