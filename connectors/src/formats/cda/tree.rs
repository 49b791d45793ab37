//! XML to a tree of elements, within limits, and nothing but what the bytes
//! themselves hold: no document type, no entities beside the five of XML.

use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::escape::EscapeError;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Decoder, Reader};

use super::CdaError;

/// Largest document read, in bytes.
const MAX_BYTES: usize = 64 << 20;
/// Deepest nesting read; entries of real documents nest some thirty deep.
const MAX_DEPTH: usize = 100;
/// Most elements and attributes together: they cost far more than their bytes.
const MAX_NODES: usize = 1_000_000;
/// Most prefixes in force at one place.
const MAX_PREFIXES: usize = 200;
const NAMESPACE: &str = "urn:hl7-org:v3";

/// An element of the document.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Without prefix; empty for an element of another vocabulary.
    pub name: String,
    /// By name without prefix.
    attributes: Vec<(String, String)>,
    pub content: Vec<Content>,
}

#[derive(Debug)]
pub(super) enum Content {
    Element(Element),
    Text(String),
}

impl Element {
    /// The attribute, trimmed, if it says anything.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let value = self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.trim())?;
        (!value.is_empty()).then_some(value)
    }

    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.content.iter().filter_map(|c| match c {
            Content::Element(element) => Some(element),
            Content::Text(_) => None,
        })
    }

    pub fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.elements().filter(move |e| e.name == name)
    }

    pub fn child(&self, name: &str) -> Option<&Element> {
        self.elements().find(|e| e.name == name)
    }

    /// Every element that the path of names leads to.
    pub fn path<'e>(&'e self, names: &[&str]) -> Vec<&'e Element> {
        names.iter().fold(vec![self], |found, name| {
            found.into_iter().flat_map(|e| e.elements().filter(|c| c.name == *name).collect::<Vec<_>>()).collect()
        })
    }

    /// The words inside, white space as single spaces.
    pub fn words(&self) -> Option<String> {
        let mut text = String::new();
        self.gather(&mut text);
        let words = text.split(is_space).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
        (!words.is_empty()).then_some(words)
    }

    fn gather(&self, text: &mut String) {
        for content in &self.content {
            match content {
                Content::Text(t) => text.push_str(t),
                Content::Element(element) => {
                    if element.name == "br" {
                        text.push(' ');
                    }
                    element.gather(text);
                }
            }
        }
    }

    /// Whether there is a word inside.
    pub fn is_blank(&self) -> bool {
        self.content.iter().all(|c| match c {
            Content::Text(text) => text.chars().all(is_space),
            Content::Element(element) => element.is_blank(),
        })
    }
}

/// White space of any kind, and what no text should hold.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || c.is_control() || c == '\u{feff}'
}

/// The root of the document, if it is a clinical one.
pub(super) fn parse(text: &str) -> Result<Element, CdaError> {
    if text.len() > MAX_BYTES {
        return Err(CdaError::TooLarge);
    }
    let mut reader = Reader::from_str(text);
    let mut builder = Builder::default();
    loop {
        match reader.read_event().map_err(|e| refused(&e))? {
            Event::Start(start) => {
                let element = builder.element(&start, reader.decoder())?;
                builder.open.push(element);
                if builder.open.len() > MAX_DEPTH {
                    return Err(CdaError::TooDeep);
                }
            }
            Event::Empty(start) => {
                let element = builder.element(&start, reader.decoder())?;
                builder.open.push(element);
                builder.close()?;
            }
            Event::End(_) => builder.close()?,
            Event::Text(text) => builder.text(&text.xml_content().map_err(|_| CdaError::BadXml)?)?,
            Event::CData(text) => builder.text(&text.xml_content().map_err(|_| CdaError::BadXml)?)?,
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref() {
                    Ok(Some(character)) => character,
                    Ok(None) => named(&reference).ok_or(CdaError::Entity)?,
                    Err(_) => return Err(CdaError::BadXml),
                };
                builder.text(character.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => return Err(CdaError::Entity),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::Eof => break,
        }
    }
    match builder.root {
        Some(root) if builder.open.is_empty() => Ok(root),
        None if builder.open.is_empty() => Err(CdaError::BadXml),
        _ => Err(CdaError::Truncated),
    }
}

fn named(name: &[u8]) -> Option<char> {
    Some(match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        _ => return None,
    })
}

fn refused(error: &Error) -> CdaError {
    match error {
        Error::Syntax(SyntaxError::InvalidBangMarkup) => CdaError::BadXml,
        Error::Syntax(_) | Error::IllFormed(IllFormedError::MissingEndTag(_)) => CdaError::Truncated,
        Error::Escape(EscapeError::UnrecognizedEntity(..)) => CdaError::Entity,
        _ => CdaError::BadXml,
    }
}

#[derive(Default)]
struct Builder {
    root: Option<Element>,
    open: Vec<Element>,
    /// Depth, prefix, and whether it stands for the vocabulary of CDA.
    prefixes: Vec<(usize, String, bool)>,
    nodes: usize,
}

impl Builder {
    fn element(&mut self, start: &BytesStart<'_>, decoder: Decoder) -> Result<Element, CdaError> {
        if self.root.is_some() {
            return Err(CdaError::BadXml);
        }
        self.count()?;
        let mut attributes = Vec::new();
        // Looking for doubles takes the square of their number.
        for attribute in start.attributes().with_checks(false) {
            self.count()?;
            let attribute = attribute.map_err(|_| CdaError::BadXml)?;
            let name = std::str::from_utf8(attribute.key.into_inner()).map_err(|_| CdaError::BadXml)?;
            let value = attribute.decode_and_unescape_value(decoder).map_err(|e| refused(&e))?;
            let (prefix, local) = split(name);
            if prefix == "xmlns" || name == "xmlns" {
                let declared = if prefix.is_empty() { "" } else { local };
                self.prefixes.push((self.open.len() + 1, declared.to_owned(), value == NAMESPACE));
                if self.prefixes.len() > MAX_PREFIXES {
                    return Err(CdaError::TooLarge);
                }
            } else {
                attributes.push((local.to_owned(), value.into_owned()));
            }
        }
        let name = start.name();
        let (prefix, local) = split(std::str::from_utf8(name.as_ref()).map_err(|_| CdaError::BadXml)?);
        // A name whose prefix is not declared at all is taken for CDA: senders forget.
        let ours = self.prefixes.iter().rev().find(|(_, p, _)| p == prefix).is_none_or(|(.., ours)| *ours);
        let name = if ours { local.to_owned() } else { String::new() };
        if self.open.is_empty() && name != "ClinicalDocument" {
            return Err(CdaError::NotCda);
        }
        Ok(Element { name, attributes, content: Vec::new() })
    }

    fn count(&mut self) -> Result<(), CdaError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES { Err(CdaError::TooLarge) } else { Ok(()) }
    }

    fn close(&mut self) -> Result<(), CdaError> {
        let depth = self.open.len();
        let keep = self.prefixes.iter().rposition(|(at, ..)| *at < depth).map_or(0, |last| last + 1);
        self.prefixes.truncate(keep);
        let element = self.open.pop().ok_or(CdaError::BadXml)?;
        match self.open.last_mut() {
            Some(parent) => parent.content.push(Content::Element(element)),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), CdaError> {
        match self.open.last_mut() {
            Some(element) => match element.content.last_mut() {
                Some(Content::Text(before)) => before.push_str(text),
                _ => {
                    element.content.push(Content::Text(text.to_owned()));
                    self.count()?;
                }
            },
            None if text.chars().all(is_space) => {}
            None => return Err(CdaError::BadXml),
        }
        Ok(())
    }
}

fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(inside: &str) -> Option<CdaError> {
        parse(&format!("<ClinicalDocument xmlns='urn:hl7-org:v3'>{inside}</ClinicalDocument>")).err()
    }

    #[test]
    fn words_come_from_text_references_and_character_data() -> Result<(), CdaError> {
        let root = parse(
            "<?xml version='1.0'?>\n<!-- c --><ClinicalDocument xmlns='urn:hl7-org:v3'><title a=' x &lt; 1 '>D&#233;but &lt;\n<![CDATA[4h30 & plus]]><br/>fin</title><id/></ClinicalDocument>\n",
        )?;
        let title = root.child("title").map(|t| (t.words(), t.attribute("a")));
        assert_eq!(title, Some((Some("Début < 4h30 & plus fin".to_owned()), Some("x < 1"))));
        Ok(())
    }

    #[test]
    fn vocabularies_are_told_apart_by_their_namespace() -> Result<(), CdaError> {
        let root = parse(
            "<n:ClinicalDocument xmlns:n='urn:hl7-org:v3' xmlns:o='urn:other'><o:id root='1'/><n:id root='2'/><id root='3'/>\
             <n:text xmlns='urn:other'><id/></n:text><id root='4'/></n:ClinicalDocument>",
        )?;
        let ids: Vec<_> = root.all("id").filter_map(|e| e.attribute("root")).collect();
        assert_eq!(ids, ["2", "3", "4"]);
        assert!(root.child("text").is_some_and(|t| t.child("id").is_none()));
        Ok(())
    }

    #[test]
    fn entities_and_document_types_are_refused() {
        assert_eq!(fails("<title>&eacute;</title>"), Some(CdaError::Entity));
        assert_eq!(fails("<title a='&lol;'/>"), Some(CdaError::Entity));
        for head in [
            "<!DOCTYPE lolz [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]>",
            "<!DOCTYPE ClinicalDocument SYSTEM 'file:///etc/hostname'>",
            "<!DOCTYPE ClinicalDocument [<!ENTITY x SYSTEM 'http://127.0.0.1/x'>]>",
        ] {
            let attack = format!("<?xml version='1.0'?>{head}<ClinicalDocument><title>&b;&x;</title></ClinicalDocument>");
            assert_eq!(parse(&attack).err(), Some(CdaError::Entity), "{head}");
        }
        assert_eq!(fails("<title>&#0;</title>"), Some(CdaError::BadXml));
        assert_eq!(fails("<title>&#x110000;</title>"), Some(CdaError::BadXml));
    }

    #[test]
    fn depth_and_number_are_limited() {
        assert_eq!(fails(&"<a>".repeat(100_000)), Some(CdaError::TooDeep));
        assert_eq!(fails(&"<a/>".repeat(MAX_NODES + 1)), Some(CdaError::TooLarge));
        let attributes: String = (0..=MAX_NODES).map(|i| format!(" a{i}=''")).collect();
        assert_eq!(fails(&format!("<a{attributes}/>")), Some(CdaError::TooLarge));
        let prefixes: String = (0..=MAX_PREFIXES).map(|i| format!(" xmlns:a{i}='u'")).collect();
        assert_eq!(fails(&format!("<a{prefixes}/>")), Some(CdaError::TooLarge));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for cut in ["<ClinicalDocument>", "<ClinicalDocument><title>a</ti", "<ClinicalDocument><title a='", "<ClinicalDocument><!-- "] {
            assert_eq!(parse(cut).err(), Some(CdaError::Truncated), "{cut}");
        }
        for wrong in [
            "",
            "text",
            "<ClinicalDocument></Other>",
            "<ClinicalDocument/><ClinicalDocument/>",
            "<ClinicalDocument>a & b</ClinicalDocument>",
        ] {
            assert_eq!(parse(wrong).err(), Some(CdaError::BadXml), "{wrong}");
        }
        assert_eq!(parse("<feed/>").err(), Some(CdaError::NotCda));
        assert_eq!(parse("<ClinicalDocument xmlns='urn:other'/>").err(), Some(CdaError::NotCda));
    }
}
