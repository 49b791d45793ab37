//! The body of a level 1 document: a report of another format, in base64 or as
//! it stands.

use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::CdaError;
use super::tree::{Content, Element};
use crate::formats::attachment::{self, Extracted, MediaType};

/// Largest report after its compression is undone, in bytes.
const MAX_INNER: u64 = 64 << 20;

/// What a level 1 document holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Inner {
    /// As declared; `text/plain` where it is not.
    pub media_type: String,
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Inner({} bytes)", self.bytes.len())
    }
}

impl Inner {
    /// The text or the pages, where they can be read.
    pub(super) fn read(&self, depth: u8) -> Option<Extracted> {
        attachment::read_within(self.bytes.clone(), &MediaType::parse(&self.media_type), depth).ok()
    }
}

/// The body of a document without structure.
pub(super) fn read(root: &Element) -> Result<Option<Inner>, CdaError> {
    let bodies = root.path(&["component", "nonXMLBody", "text"]);
    let Some(text) = bodies.first() else { return Ok(None) };
    let media_type = text.attribute("mediaType").unwrap_or("text/plain").to_owned();
    if text.is_blank() && text.child("reference").is_some() {
        return Err(CdaError::InnerElsewhere);
    }
    let mut characters = String::new();
    for content in &text.content {
        if let Content::Text(text) = content {
            characters.push_str(text);
        }
    }
    if text.attribute("representation") != Some("B64") {
        // Read as text by the document's own character set.
        let media_type = format!("{}; charset=utf-8", media_type.split(';').next().unwrap_or_default());
        return Ok(Some(Inner { media_type, bytes: characters.into_bytes() }));
    }
    let bytes = attachment::base64(&characters).ok_or(CdaError::BadInner)?;
    let bytes = match text.attribute("compression") {
        None => bytes,
        Some("GZ") => inflate(MultiGzDecoder::new(bytes.as_slice()))?,
        Some("ZL") => inflate(ZlibDecoder::new(bytes.as_slice()))?,
        Some("DF") => inflate(DeflateDecoder::new(bytes.as_slice()))?,
        Some(_) => return Err(CdaError::BadInner),
    };
    Ok(Some(Inner { media_type, bytes }))
}

fn inflate(compressed: impl Read) -> Result<Vec<u8>, CdaError> {
    let mut bytes = Vec::new();
    compressed.take(MAX_INNER + 1).read_to_end(&mut bytes).map_err(|_| CdaError::BadInner)?;
    if bytes.len() as u64 > MAX_INNER { Err(CdaError::TooLarge) } else { Ok(bytes) }
}
