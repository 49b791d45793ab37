//! Mails and their parts (RFC 2045 to 2049): the part that tells most, as text.
//!
//! What is written in the mail comes before what hangs on it, plain text before
//! other types. A multipart body whose head is lost is read by its first
//! boundary.

use super::{Extracted, Kind, MediaType, read_within};
use crate::formats::reason;

/// Deepest nesting of parts.
const MAX_NESTING: u8 = 8;
/// Most parts looked at.
const MAX_PARTS: usize = 500;

/// The text of the best part, for an attachment found so many deep.
pub(super) fn read(bytes: &[u8], depth: u8) -> Result<Extracted, &'static str> {
    let mut parts = Vec::new();
    gather(bytes, 0, &mut parts);
    parts.sort_by_key(|part| (part.is_attached, part.media.kind));
    let mut failure = None;
    let mut best: Option<Extracted> = None;
    let mut pages = Vec::new();
    for part in parts {
        // Once there is a text, only pages are taken along: other parts say the same otherwise.
        if best.is_some() && !part.may_hold_pages() {
            continue;
        }
        let read = part.encoding.decode(part.body).ok_or(reason::BAD_BASE64).and_then(|b| read_within(b, &part.media, depth + 1));
        match read {
            Ok(mut extracted) => {
                pages.append(&mut extracted.pages);
                if part.flowed && extracted.kind == Kind::Plain {
                    extracted.text = unfold_flowed(&extracted.text);
                }
                best = best.or(Some(extracted).filter(|e| !e.text.trim().is_empty()));
            }
            Err(why) => failure = failure.or(Some(why)),
        }
    }
    match best {
        Some(best) => Ok(Extracted { pages, ..best }),
        None if !pages.is_empty() => Ok(Extracted { kind: Kind::Mime, pages, ..Extracted::default() }),
        None => Err(failure.unwrap_or(reason::UNSUPPORTED_CONTENT_TYPE)),
    }
}

struct Part<'b> {
    media: MediaType,
    encoding: Encoding,
    flowed: bool,
    is_attached: bool,
    body: &'b [u8],
}

impl Part<'_> {
    /// Pages that hang on the mail. What is shown within it is a logo or a signature.
    fn may_hold_pages(&self) -> bool {
        match self.media.kind {
            Some(Kind::Pdf | Kind::Tiff | Kind::Zip) => true,
            Some(Kind::Jpeg | Kind::Png | Kind::Unknown) => self.is_attached,
            _ => false,
        }
    }
}

/// The parts that text may be read of, in the order of the mail.
fn gather<'b>(entity: &'b [u8], nesting: u8, parts: &mut Vec<Part<'b>>) {
    let (head, body) = head(entity);
    // Servers put the head of the mail elsewhere and keep the body.
    let unsaid = if head.is_empty && nesting == 0 { "multipart/mixed" } else { "text/plain" };
    let content_type = head.content_type.as_deref().unwrap_or(unsaid);
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if nesting > MAX_NESTING || parts.len() >= MAX_PARTS {
        return;
    }
    if essence.starts_with("multipart/") {
        let Some(boundary) = parameter(content_type, "boundary").or_else(|| first_boundary(body)) else { return };
        split(body, &boundary, |part| gather(part, nesting + 1, parts));
        return;
    }
    if essence == "message/rfc822" && matches!(head.encoding, Encoding::None) {
        return gather(body, nesting + 1, parts);
    }
    let media = MediaType::parse(content_type);
    if media.kind.is_some() {
        let flowed = parameter(content_type, "format").is_some_and(|f| f.eq_ignore_ascii_case("flowed"));
        parts.push(Part { media, encoding: head.encoding, flowed, is_attached: head.is_attached, body });
    }
}

#[derive(Default)]
struct Head {
    /// Without any field that a mail has.
    is_empty: bool,
    content_type: Option<String>,
    encoding: Encoding,
    is_attached: bool,
}

#[derive(Default, Clone, Copy)]
enum Encoding {
    #[default]
    None,
    Base64,
    QuotedPrintable,
}

impl Encoding {
    fn decode(self, body: &[u8]) -> Option<Vec<u8>> {
        match self {
            Encoding::None => Some(body.to_vec()),
            Encoding::Base64 => super::base64(std::str::from_utf8(body.trim_ascii()).ok()?),
            Encoding::QuotedPrintable => Some(quoted_printable(body)),
        }
    }
}

/// Fields of the head, and the body after the blank line.
fn head(entity: &[u8]) -> (Head, &[u8]) {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut rest = entity;
    loop {
        let (line, after) = line(rest);
        let text = String::from_utf8_lossy(line);
        if line.is_empty() {
            rest = after;
            break;
        }
        if line[0].is_ascii_whitespace() {
            let Some((_, value)) = fields.last_mut() else { break };
            value.push_str(&text);
        } else if let Some((name, value)) = text.split_once(':').filter(|(name, _)| is_field_name(name)) {
            fields.push((name.to_ascii_lowercase(), value.to_owned()));
        } else if fields.is_empty() && text.starts_with("From ") {
            // The first line of a mail box file.
        } else {
            break;
        }
        rest = after;
    }
    let field = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.trim().to_owned());
    let encoding = match field("content-transfer-encoding").unwrap_or_default().to_ascii_lowercase().as_str() {
        "base64" => Encoding::Base64,
        "quoted-printable" => Encoding::QuotedPrintable,
        _ => Encoding::None,
    };
    let is_attached = field("content-disposition").is_some_and(|d| d.to_ascii_lowercase().starts_with("attachment"));
    (Head { is_empty: fields.is_empty(), content_type: field("content-type"), encoding, is_attached }, rest)
}

fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic())
}

/// The first line without its end, and what follows.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = match memchr::memchr(b'\n', bytes) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &bytes[bytes.len()..]),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

fn first_boundary(mut body: &[u8]) -> Option<String> {
    while !body.is_empty() {
        let (first, rest) = line(body);
        if let Some(boundary) = first.strip_prefix(b"--")
            && !boundary.is_empty()
        {
            return Some(String::from_utf8_lossy(boundary).trim_end().to_owned());
        }
        body = rest;
    }
    None
}

/// Calls with each part between the boundaries. The last one may lack its end.
fn split<'b>(body: &'b [u8], boundary: &str, mut part: impl FnMut(&'b [u8])) {
    let mut start = None;
    let mut at = 0;
    while at < body.len() {
        let (text, rest) = line(&body[at..]);
        let next = body.len() - rest.len();
        let after = text.strip_prefix(b"--").and_then(|t| t.strip_prefix(boundary.as_bytes()));
        if let Some(after) = after.filter(|after| matches!(after.trim_ascii_end(), b"" | b"--")) {
            if let Some(start) = start {
                let inside = &body[start..at];
                let inside = inside.strip_suffix(b"\n").unwrap_or(inside);
                part(inside.strip_suffix(b"\r").unwrap_or(inside));
            }
            if after.starts_with(b"--") {
                return;
            }
            start = Some(next);
        }
        at = next;
    }
    if let Some(start) = start {
        part(&body[start..]);
    }
}

/// A parameter of a content type, quoted or not.
fn parameter(content_type: &str, wanted: &str) -> Option<String> {
    let mut rest = content_type.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_at(after.find(';').unwrap_or(after.len())),
        };
        if name.trim_matches(|c: char| c == ';' || c.is_whitespace()).eq_ignore_ascii_case(wanted) {
            let value = value.trim();
            return (!value.is_empty()).then(|| value.to_owned());
        }
        rest = next.split_once(';').map(|(_, next)| next)?;
    }
}

/// Octets by their codes; a stray `=` stays.
fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let digit = |at: usize| body.get(at).and_then(|b| (*b as char).to_digit(16));
    let mut out = Vec::with_capacity(body.len());
    let mut at = 0;
    while at < body.len() {
        if body[at] != b'=' {
            out.push(body[at]);
            at += 1;
            continue;
        }
        if let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2)) {
            out.push((high * 16 + low) as u8);
            at += 3;
            continue;
        }
        let (rest, after) = line(&body[at + 1..]);
        if rest.trim_ascii().is_empty() {
            at = body.len() - after.len();
        } else {
            out.push(b'=');
            at += 1;
        }
    }
    out
}

/// Joins the lines that the sender's program broke (RFC 3676).
fn unfold_flowed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        out.push_str(line);
        if !line.ends_with(' ') || line == "-- " {
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAIL: &str = "Received: par essai\r\nFrom: exp@example.org\r\nSubject: =?utf-8?q?CR?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n\tboundary=\"=_dehors; 1\"\r\n\r\npréambule\r\n--=_dehors; 1\r\nContent-Type: multipart/alternative; boundary=dedans\r\n\r\n--dedans\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>page</p>\r\n--dedans\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nPatiente vue =E0 J1, NIHSS=\r\n =3D 4.\r\nCordialement\r\n--dedans--\r\n\r\n--=_dehors; 1\r\nContent-Type: text/plain; name=cr.txt\r\nContent-Disposition: attachment; filename=cr.txt\r\nContent-Transfer-Encoding: base64\r\n\r\nam9p\r\nbnQ=\r\n--=_dehors; 1\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\nUEsD\r\n--=_dehors; 1--\r\nfin";

    fn text(mail: &str, media: &str) -> Result<String, &'static str> {
        super::super::read(mail.as_bytes().to_vec(), &MediaType::parse(media)).map(|e| e.text)
    }

    #[test]
    fn the_words_of_the_mail_are_taken() {
        let words = "Patiente vue à J1, NIHSS = 4.\r\nCordialement";
        assert_eq!(text(MAIL, "message/rfc822").as_deref(), Ok(words));
        assert_eq!(text(&MAIL.replace("\r\n", "\n"), "multipart/mixed").as_deref(), Ok(words.replace("\r\n", "\n").as_str()));
        let (_, body) = MAIL.split_once("\r\n\r\n").unwrap_or_default();
        assert_eq!(text(body, "multipart/mixed; boundary=\"=_dehors; 1\"").as_deref(), Ok(words));
        let forwarded = format!("Content-Type: message/rfc822\n\n{MAIL}");
        assert_eq!(text(&forwarded, "message/rfc822").as_deref(), Ok(words));
    }

    #[test]
    fn else_what_hangs_on_it() {
        let attached = MAIL.replace("vue", "").replace("multipart/alternative", "image/png");
        assert_eq!(text(&attached, "message/rfc822").as_deref(), Ok("joint"));
        let cda = "Content-Type: text/xml\n\n<ClinicalDocument><title>Lettre</title></ClinicalDocument>";
        assert_eq!(text(cda, "message/rfc822").as_deref(), Ok("Lettre"));
        assert_eq!(text("Subject: rien\n\n", "message/rfc822"), Err(reason::UNSUPPORTED_CONTENT_TYPE));
        assert_eq!(text("rien", "multipart/mixed"), Err(reason::UNSUPPORTED_CONTENT_TYPE));
        let bad = "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n?é";
        assert_eq!(text(bad, "message/rfc822"), Err(reason::BAD_BASE64));
        assert_eq!(text("Subject: sans type\n\nvu", "message/rfc822").as_deref(), Ok("vu"));
    }

    #[test]
    fn flowed_lines_are_joined() {
        let mail = "Content-Type: text/plain; format=flowed\n\nune phrase \ncoupée.\nFin";
        assert_eq!(text(mail, "message/rfc822").as_deref(), Ok("une phrase coupée.\nFin\n"));
    }

    #[test]
    fn nesting_ends() {
        let mut mail = "Content-Type: text/plain\n\nvu".to_owned();
        for i in 0..40 {
            mail = format!("Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n{mail}\n--b{i}--\n");
        }
        assert_eq!(text(&mail, "message/rfc822"), Err(reason::UNSUPPORTED_CONTENT_TYPE));
        let many = "--b\n\nvu\n".repeat(100_000);
        assert_eq!(text(&many, "multipart/mixed").as_deref(), Ok("vu"));
    }

    proptest! {
        #[test]
        fn damage_does_no_harm(changes in prop::collection::vec((any::<prop::sample::Index>(), 0..50usize, "[-=;:a-z0-9\"\r\n\u{e9} ]{0,8}"), 1..6)) {
            let mut bytes = MAIL.as_bytes().to_vec();
            for (at, length, piece) in changes {
                let at = at.index(bytes.len().max(1)).min(bytes.len());
                let end = (at + length).min(bytes.len());
                drop(bytes.splice(at..end, piece.bytes()));
            }
            if let Ok(read) = read(&bytes, 0) {
                prop_assert!(read.text.len() <= bytes.len() * 4);
            }
        }

        #[test]
        fn quoted_octets_come_back(bytes: Vec<u8>) {
            let quoted: String = bytes.iter().map(|b| format!("={b:02X}")).collect::<Vec<_>>().join("=\r\n");
            prop_assert_eq!(quoted_printable(quoted.as_bytes()), bytes);
        }
    }
}
