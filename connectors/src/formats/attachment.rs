//! Attachments: media type, base64 and character set to text. What is made of pages
//! (PDF, pictures) is handed on as it is: it is read in a process of its own.

mod archive;
pub mod charset;
pub mod html;
pub mod mime;
pub mod rtf;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chrono_tz::Tz;
use sillage_schemas::coded::CodedDocument;

use super::{cda, reason};

/// A media type of which text can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Kind {
    // In the order of preference.
    #[default]
    Plain,
    Html,
    Xhtml,
    /// A clinical document of HL7 version 3.
    Cda,
    Rtf,
    /// A mail, or parts of one.
    Mime,
    Zip,
    Gzip,
    // Of these, text is read from the pages.
    Pdf,
    Tiff,
    Jpeg,
    Png,
    /// Not said, or said so vaguely that only the bytes can tell.
    Unknown,
}

impl Kind {
    pub fn media_type(self) -> &'static str {
        match self {
            Kind::Plain | Kind::Unknown => "text/plain",
            Kind::Html => "text/html",
            Kind::Xhtml => "application/xhtml+xml",
            Kind::Cda => "application/hl7-cda+xml",
            Kind::Rtf => "application/rtf",
            Kind::Mime => "message/rfc822",
            Kind::Zip => "application/zip",
            Kind::Gzip => "application/gzip",
            Kind::Pdf => "application/pdf",
            Kind::Tiff => "image/tiff",
            Kind::Jpeg => "image/jpeg",
            Kind::Png => "image/png",
        }
    }
}

/// What a `Content-Type` says, as far as text is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    /// `None`: a type that no text is read from.
    pub kind: Option<Kind>,
    pub charset: Option<String>,
}

impl MediaType {
    /// Reads `type/subtype; parameter=value`, tolerating what servers make of it.
    pub fn parse(content_type: &str) -> Self {
        let mut parts = content_type.split(|c: char| c == ';' || c.is_ascii_whitespace()).filter(|p| !p.is_empty());
        let first = parts.next().unwrap_or_default();
        let (essence, mut charset) = match first.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => ("", Some(value)),
            _ => (first, None),
        };
        let kind = match essence.to_ascii_lowercase().as_str() {
            "text/plain" | "text/markdown" => Some(Kind::Plain),
            "text/html" => Some(Kind::Html),
            "application/xhtml+xml" => Some(Kind::Xhtml),
            "text/xml" | "application/xml" | "application/hl7-cda+xml" | "application/cda+xml" => Some(Kind::Cda),
            "application/rtf" | "text/rtf" => Some(Kind::Rtf),
            "message/rfc822" => Some(Kind::Mime),
            "application/pdf" | "application/x-pdf" | "text/pdf" => Some(Kind::Pdf),
            "image/tiff" | "image/tif" => Some(Kind::Tiff),
            "image/jpeg" | "image/jpg" | "image/pjpeg" => Some(Kind::Jpeg),
            "image/png" => Some(Kind::Png),
            "application/zip" | "application/x-zip-compressed" | "application/x-zip" => Some(Kind::Zip),
            "application/gzip" | "application/x-gzip" => Some(Kind::Gzip),
            essence if essence.starts_with("multipart/") => Some(Kind::Mime),
            "" | "application/octet-stream" | "text/*" | "*/*" => Some(Kind::Unknown),
            _ => None,
        };
        for part in parts {
            if let Some((name, value)) = part.split_once('=')
                && name.eq_ignore_ascii_case("charset")
            {
                charset = charset.or(Some(value));
            }
        }
        let charset = charset.map(|c| c.trim_matches(|c| c == '"' || c == '\'').to_owned()).filter(|c| !c.is_empty());
        MediaType { kind, charset }
    }
}

/// Text of an attachment, or the pages that hold it.
#[derive(Default)]
pub struct Extracted {
    pub text: String,
    pub kind: Kind,
    pub charset_guessed: bool,
    /// What a clinical document states in codes; its times are in UTC still.
    pub coded: Option<Box<CodedDocument>>,
    /// Files made of pages, whose text comes after this one.
    pub pages: Vec<Vec<u8>>,
}

impl Extracted {
    /// Whether there is nothing to be read.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && self.pages.is_empty()
    }
}

/// Deepest that attachments are read out of attachments.
const MAX_DEPTH: u8 = 3;

/// Bytes of an attachment to text, `None` where they are of a type that no text
/// is read from, whatever was declared.
pub fn extract(bytes: Vec<u8>, declared: &MediaType) -> Option<Extracted> {
    read(bytes, declared).ok()
}

/// Bytes of an attachment to text, or the word that says why there is none.
pub fn read(bytes: Vec<u8>, declared: &MediaType) -> Result<Extracted, &'static str> {
    read_within(bytes, declared, 0)
}

/// The same for what was found in another attachment, so many deep.
pub(super) fn read_within(bytes: Vec<u8>, declared: &MediaType, depth: u8) -> Result<Extracted, &'static str> {
    let declared_kind = declared.kind.filter(|_| depth <= MAX_DEPTH).ok_or(reason::UNSUPPORTED_CONTENT_TYPE)?;
    let kind = match (sniff(&bytes), declared_kind) {
        (Sniffed::Other, _) => return Err(reason::UNSUPPORTED_CONTENT_TYPE),
        (Sniffed::Rtf, _) => Kind::Rtf,
        (Sniffed::Cda, _) => Kind::Cda,
        (Sniffed::Wrapped(kind) | Sniffed::Pages(kind), _) => kind,
        // Without its first bytes a picture is none; a PDF may have lost them.
        (_, Kind::Tiff | Kind::Jpeg | Kind::Png | Kind::Zip | Kind::Gzip) => return Err(reason::UNSUPPORTED_CONTENT_TYPE),
        // A page declared as plain text is a common slip.
        (Sniffed::Html, Kind::Plain | Kind::Html | Kind::Unknown) => Kind::Html,
        (_, Kind::Unknown) => Kind::Plain,
        (_, declared) => declared,
    };
    match kind {
        Kind::Cda => {
            let document = cda::read_within(&bytes, Tz::UTC, depth).map_err(cda::CdaError::reason)?;
            let coded = document.coded().map(Box::new);
            let read = Extracted { text: document.text, kind, charset_guessed: document.charset_guessed, coded, pages: document.pages };
            return if read.text.is_empty() && read.pages.is_empty() { Err(reason::UNSUPPORTED_CONTENT_TYPE) } else { Ok(read) };
        }
        Kind::Rtf => {
            let text = rtf::to_text(&bytes).map_err(rtf::RtfError::reason)?;
            return Ok(Extracted { text, kind, ..Extracted::default() });
        }
        Kind::Mime => return mime::read(&bytes, depth),
        Kind::Zip => return archive::zip(&bytes, depth),
        Kind::Gzip => return read_within(archive::gunzip(&bytes)?, &MediaType { kind: Some(Kind::Unknown), charset: None }, depth + 1),
        Kind::Pdf | Kind::Tiff | Kind::Jpeg | Kind::Png => return Ok(Extracted { kind, pages: vec![bytes], ..Extracted::default() }),
        Kind::Plain | Kind::Html | Kind::Xhtml | Kind::Unknown => {}
    }
    let inner = match (&declared.charset, kind) {
        (None, Kind::Html | Kind::Xhtml) => meta_charset(&bytes),
        _ => None,
    };
    let decoded = charset::decode(bytes, declared.charset.as_deref().or(inner.as_deref()));
    let text = if matches!(kind, Kind::Html | Kind::Xhtml) { html::to_text(&decoded.text) } else { decoded.text };
    Ok(Extracted { text, kind, charset_guessed: decoded.guessed, ..Extracted::default() })
}

enum Sniffed {
    Html,
    Cda,
    Rtf,
    Pages(Kind),
    Wrapped(Kind),
    Other,
    Unsure,
}

/// What the first bytes give away.
fn sniff(bytes: &[u8]) -> Sniffed {
    const PAGES: &[(&[u8], Kind)] =
        &[(b"%PDF-", Kind::Pdf), (b"\x89PNG", Kind::Png), (b"\xff\xd8\xff", Kind::Jpeg), (b"II*\0", Kind::Tiff), (b"MM\0*", Kind::Tiff)];
    if let Some((_, kind)) = PAGES.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Sniffed::Pages(*kind);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Sniffed::Wrapped(Kind::Zip);
    }
    if bytes.starts_with(b"\x1f\x8b") {
        return Sniffed::Wrapped(Kind::Gzip);
    }
    // Old files of offices, and pictures that no document is scanned to.
    if [&b"\xd0\xcf\x11\xe0"[..], b"GIF8"].iter().any(|magic| bytes.starts_with(magic)) {
        return Sniffed::Other;
    }
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let begins = |word: &str| start.get(..word.len()).is_some_and(|s| s.eq_ignore_ascii_case(word.as_bytes()));
    if begins("{\\rtf") {
        Sniffed::Rtf
    } else if begins("<!doctype html") || begins("<html") {
        Sniffed::Html
    } else if cda::is_clinical_document(bytes) {
        Sniffed::Cda
    } else {
        Sniffed::Unsure
    }
}

/// The character set that an HTML page declares in its head.
fn meta_charset(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(2048)]).to_ascii_lowercase();
    let after = [("charset=", "<meta"), ("encoding=", "<?xml")].iter().find_map(|(attribute, element)| {
        let from = head.find(element)?;
        head[from..].find(attribute).map(|at| &head[from + at + attribute.len()..])
    })?;
    let label: String =
        after.trim_start_matches(['"', '\'', ' ']).chars().take_while(|c| c.is_ascii_alphanumeric() || "-_:.".contains(*c)).collect();
    (!label.is_empty()).then_some(label)
}

const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// Base64 as found: either alphabet, with or without padding, with white space.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    if let Ok(bytes) = STANDARD.decode(text.as_bytes()) {
        return Some(bytes);
    }
    let mut plain = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' => plain.push(b'+'),
            b'_' => plain.push(b'/'),
            b if b.is_ascii_whitespace() => {}
            b => plain.push(b),
        }
    }
    while plain.last() == Some(&b'=') {
        plain.pop();
    }
    STANDARD.decode(&plain).ok()
}

/// The declared type and the bytes of a `data:` URL.
pub fn data_url(url: &str) -> Option<(MediaType, Vec<u8>)> {
    let rest = url.get(5..).filter(|_| url[..5].eq_ignore_ascii_case("data:"))?;
    let (head, data) = rest.split_once(',')?;
    let encoded = head.len() >= 7 && head.is_char_boundary(head.len() - 7) && head[head.len() - 7..].eq_ignore_ascii_case(";base64");
    let data = percent_decode(data);
    if encoded {
        let text = String::from_utf8(data).ok()?;
        return Some((MediaType::parse(&head[..head.len() - 7]), base64(&text)?));
    }
    Some((MediaType::parse(head), data))
}

/// `%XX` to bytes; a stray `%` stays.
pub fn percent_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |i: usize| bytes.get(i).and_then(|b| (*b as char).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        match (bytes[i], digit(i + 1), digit(i + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                i += 3;
            }
            (byte, ..) => {
                out.push(byte);
                i += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(content_type: &str) -> (Option<Kind>, Option<String>) {
        let media = MediaType::parse(content_type);
        (media.kind, media.charset)
    }

    #[test]
    fn content_types_as_servers_write_them() {
        assert_eq!(media("text/plain"), (Some(Kind::Plain), None));
        assert_eq!(media("TEXT/Plain;Charset=\"UTF-8\""), (Some(Kind::Plain), Some("UTF-8".into())));
        assert_eq!(media("text/html ; format=flowed; charset='iso-8859-1'"), (Some(Kind::Html), Some("iso-8859-1".into())));
        assert_eq!(media("text/plain charset=utf8"), (Some(Kind::Plain), Some("utf8".into())));
        assert_eq!(media("charset=utf-8"), (Some(Kind::Unknown), Some("utf-8".into())));
        assert_eq!(media(""), (Some(Kind::Unknown), None));
        assert_eq!(media("application/pdf"), (Some(Kind::Pdf), None));
        assert_eq!(media("application/msword"), (None, None));
    }

    #[test]
    fn base64_as_servers_write_it() {
        let plain = "déficit ÿþ?".as_bytes();
        for text in ["ZMOpZmljaXQgw7/Dvj8=", "ZMOpZmljaXQgw7_Dvj8", " ZMOpZmlj\r\naXQgw7/Dvj8= ", "ZMOpZmljaXQgw7/Dvj8"] {
            assert_eq!(base64(text).as_deref(), Some(plain), "{text}");
        }
        assert_eq!(base64("not base64!"), None);
        assert_eq!(base64("QQ==QQ=="), None);
    }

    #[test]
    fn data_urls() {
        let (media, bytes) = data_url("data:text/plain;charset=utf-8;base64,w6k=").unwrap_or((MediaType::parse("x/y"), vec![]));
        assert_eq!((media.kind, media.charset.as_deref(), bytes.as_slice()), (Some(Kind::Plain), Some("utf-8"), "é".as_bytes()));
        assert_eq!(data_url("data:,AVC%20isch%C3%A9mique").map(|d| d.1), Some("AVC ischémique".as_bytes().to_vec()));
        assert!(data_url("http://x").is_none());
        assert!(data_url("é").is_none());
    }

    #[test]
    fn bytes_have_the_last_word_on_the_type() {
        let plain = MediaType::parse("text/plain");
        let pages = extract(b"%PDF-1.4".to_vec(), &plain);
        assert_eq!(pages.map(|e| (e.text, e.kind, e.pages.len())), Some((String::new(), Kind::Pdf, 1)));
        assert!(extract(b"GIF89a".to_vec(), &plain).is_none());
        let report = extract(b"{\\rtf1 vu\\'e9}".to_vec(), &plain);
        assert_eq!(report.map(|e| (e.text, e.kind)), Some(("vué".to_owned(), Kind::Rtf)));
        let xml = b"<?xml version='1.0'?><ClinicalDocument><title>vu</title></ClinicalDocument>";
        let document = extract(xml.to_vec(), &plain);
        assert_eq!(document.map(|e| (e.text, e.kind)), Some(("vu".to_owned(), Kind::Cda)));
        let page = extract(b" <HTML><p>vu</p>".to_vec(), &plain);
        assert_eq!(page.map(|e| (e.text, e.kind)), Some(("vu".to_owned(), Kind::Html)));
        let kept = extract(b"a\r\n<b> c\r\n".to_vec(), &plain);
        assert_eq!(kept.map(|e| e.text).as_deref(), Some("a\r\n<b> c\r\n"));
    }

    #[test]
    fn xml_that_is_no_clinical_document_is_not_read() {
        for media in ["text/xml", "application/xml; charset=utf-8", "application/hl7-cda+xml", "application/cda+xml"] {
            let media = MediaType::parse(media);
            assert_eq!(media.kind, Some(Kind::Cda));
            let why = |bytes: &[u8]| read(bytes.to_vec(), &media).err();
            assert_eq!(why(b"<feed>vu</feed>"), Some(reason::UNSUPPORTED_CONTENT_TYPE));
            assert_eq!(why(b"<html><p>vu</p></html>"), Some(reason::UNSUPPORTED_CONTENT_TYPE));
            assert_eq!(why(b"vu"), Some(reason::BAD_XML));
            assert_eq!(why(b"<ClinicalDocument><title>vu"), Some(reason::TRUNCATED));
            assert_eq!(why(b"<!DOCTYPE a [<!ENTITY b 'c'>]><ClinicalDocument>&b;</ClinicalDocument>"), Some(reason::XML_ENTITY));
        }
        assert!(Kind::Xhtml < Kind::Cda && Kind::Cda < Kind::Unknown);
    }

    #[test]
    fn a_page_can_say_its_own_character_set() {
        for page in [
            &b"<html><head><meta charset=\"iso-8859-15\"></head>c\xbdur"[..],
            &b"<html><meta http-equiv='Content-Type' content='text/html; charset=iso-8859-15'>c\xbdur"[..],
        ] {
            let extracted = extract(page.to_vec(), &MediaType::parse("text/html"));
            assert_eq!(extracted.map(|e| (e.text, e.charset_guessed)), Some(("cœur".to_owned(), false)));
        }
    }

    proptest::proptest! {
        #[test]
        fn base64_gives_back_what_was_encoded(bytes: Vec<u8>, at: u8) {
            let mut text = STANDARD.encode(&bytes);
            text.insert_str((at as usize).min(text.len()), "\r\n ");
            proptest::prop_assert_eq!(base64(&text), Some(bytes));
        }
    }
}
