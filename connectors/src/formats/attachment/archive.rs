//! What is wrapped: gzip, and ZIP archives such as the exchange format of documents
//! (IHE XDM), within limits that a bomb does not pass.

use std::io::{Cursor, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder};

use super::{Extracted, Kind, MediaType, read_within};
use crate::formats::reason;

/// Largest content after its compression is undone, of all files of an archive, in bytes.
const MAX_BYTES: u64 = 64 << 20;
/// Most files of an archive that are looked at.
const MAX_FILES: usize = 200;

pub(super) fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut out = Vec::new();
    let read = MultiGzDecoder::new(bytes).take(MAX_BYTES + 1).read_to_end(&mut out);
    match read {
        _ if out.len() as u64 > MAX_BYTES => Err(reason::TOO_LARGE),
        Ok(_) => Ok(out),
        Err(_) => Err(reason::CORRUPT_ARCHIVE),
    }
}

/// The text of an archive: that of its clinical document, else that of the file that
/// tells most, and all files made of pages.
pub(super) fn zip(bytes: &[u8], depth: u8) -> Result<Extracted, &'static str> {
    let mut room = MAX_BYTES;
    let mut failure = None;
    let mut found: Vec<Extracted> = Vec::new();
    for entry in entries(bytes)? {
        if entry.is_furniture() {
            continue;
        }
        let unpacked = match entry.unpack(bytes, room) {
            Ok(unpacked) => unpacked,
            Err(reason::TOO_LARGE) => return Err(reason::TOO_LARGE),
            Err(why) => {
                failure = failure.or(Some(why));
                continue;
            }
        };
        room = room.saturating_sub(unpacked.len() as u64);
        match read_within(unpacked, &MediaType { kind: entry.kind(), charset: None }, depth + 1) {
            Ok(extracted) if !extracted.is_empty() => found.push(extracted),
            Ok(_) => {}
            Err(why) => failure = failure.or(Some(why)),
        }
    }
    // A clinical document names what lies beside it.
    if let Some(at) = found.iter().position(|e| e.kind == Kind::Cda && !e.text.is_empty()) {
        return Ok(found.swap_remove(at));
    }
    let mut pages: Vec<Vec<u8>> = Vec::new();
    let mut texts: Vec<Extracted> = Vec::new();
    for mut extracted in found {
        pages.append(&mut extracted.pages);
        texts.extend(Some(extracted).filter(|e| !e.text.trim().is_empty()));
    }
    texts.sort_by_key(|e| e.kind);
    let Some(best) = texts.into_iter().next() else {
        return if pages.is_empty() {
            Err(failure.unwrap_or(reason::UNSUPPORTED_CONTENT_TYPE))
        } else {
            Ok(Extracted { kind: Kind::Zip, pages, ..Extracted::default() })
        };
    };
    Ok(Extracted { pages, ..best })
}

/// A file of an archive, as its directory tells of it.
struct Entry {
    name: String,
    method: u16,
    encrypted: bool,
    packed: usize,
    local: usize,
}

/// The files that the directory at the end of an archive lists.
fn entries(bytes: &[u8]) -> Result<Vec<Entry>, &'static str> {
    let corrupt = reason::CORRUPT_ARCHIVE;
    // The end of the directory, before a comment of at most 64 KiB (APPNOTE 4.3.16).
    let from = bytes.len().saturating_sub((64 << 10) + 22);
    let end = memchr::memmem::rfind(&bytes[from..], b"PK\x05\x06").map(|at| at + from).ok_or(corrupt)?;
    let count = usize::from(short(bytes, end + 10).ok_or(corrupt)?);
    let mut at = long(bytes, end + 16).ok_or(corrupt)? as usize;
    let mut entries = Vec::new();
    for _ in 0..count.min(MAX_FILES) {
        if bytes.get(at..at + 4) != Some(b"PK\x01\x02") {
            return Err(corrupt);
        }
        let field = |offset| short(bytes, at + offset).ok_or(corrupt);
        let (name, extra, comment) = (usize::from(field(28)?), usize::from(field(30)?), usize::from(field(32)?));
        let written = bytes.get(at + 46..at + 46 + name).ok_or(corrupt)?;
        entries.push(Entry {
            name: String::from_utf8_lossy(written).to_ascii_lowercase(),
            method: field(10)?,
            encrypted: field(8)? & 1 == 1,
            packed: long(bytes, at + 20).ok_or(corrupt)? as usize,
            local: long(bytes, at + 42).ok_or(corrupt)? as usize,
        });
        at += 46 + name + extra + comment;
    }
    Ok(entries)
}

impl Entry {
    /// Folders, and what an exchange puts around the documents.
    fn is_furniture(&self) -> bool {
        let file = self.name.rsplit('/').next().unwrap_or_default();
        file.is_empty()
            || self.name.starts_with("__macosx/")
            || matches!(file, "index.htm" | "index.html" | "readme.txt" | "lisezmoi.txt" | "metadata.xml" | ".ds_store")
            || [".xsl", ".xslt", ".css", ".js", ".ico", ".p7s", ".sig", ".md5", ".xsd"].iter().any(|end| file.ends_with(end))
    }

    fn kind(&self) -> Option<Kind> {
        let end = self.name.rsplit('.').next().unwrap_or_default();
        Some(match end {
            "pdf" => Kind::Pdf,
            "xml" => Kind::Cda,
            "htm" | "html" => Kind::Html,
            "rtf" => Kind::Rtf,
            "eml" => Kind::Mime,
            _ => Kind::Unknown,
        })
    }

    fn unpack(&self, bytes: &[u8], room: u64) -> Result<Vec<u8>, &'static str> {
        let corrupt = reason::CORRUPT_ARCHIVE;
        if self.encrypted {
            return Err(reason::ENCRYPTED);
        }
        if bytes.get(self.local..self.local.saturating_add(4)) != Some(b"PK\x03\x04") {
            return Err(corrupt);
        }
        let skip = |offset| short(bytes, self.local + offset).map(usize::from).ok_or(corrupt);
        let start = self.local + 30 + skip(26)? + skip(28)?;
        let packed = bytes.get(start..start.checked_add(self.packed).ok_or(corrupt)?).ok_or(corrupt)?;
        let mut out = Vec::new();
        let read = match self.method {
            0 => Cursor::new(packed).take(room + 1).read_to_end(&mut out),
            8 => DeflateDecoder::new(packed).take(room + 1).read_to_end(&mut out),
            _ => return Err(reason::UNSUPPORTED_CONTENT_TYPE),
        };
        match read {
            _ if out.len() as u64 > room => Err(reason::TOO_LARGE),
            Ok(_) => Ok(out),
            Err(_) => Err(corrupt),
        }
    }
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder};

    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, content) in files {
            let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
            packed.write_all(content).unwrap_or_default();
            let packed = packed.finish().unwrap_or_default();
            let local = out.len() as u32;
            let sizes = [0, packed.len() as u32, content.len() as u32];
            let name_length = name.len() as u16;
            out.extend(b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0");
            sizes.iter().for_each(|n| out.extend(n.to_le_bytes()));
            out.extend(name_length.to_le_bytes());
            out.extend([0, 0]);
            out.extend(name.as_bytes());
            out.extend(&packed);
            directory.extend(b"PK\x01\x02\x14\0\x14\0\0\0\x08\0\0\0\0\0");
            sizes.iter().for_each(|n| directory.extend(n.to_le_bytes()));
            directory.extend(name_length.to_le_bytes());
            directory.extend([0; 12]);
            directory.extend(local.to_le_bytes());
            directory.extend(name.as_bytes());
        }
        let (at, count) = (out.len() as u32, files.len() as u16);
        out.extend(&directory);
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend(count.to_le_bytes());
        out.extend(count.to_le_bytes());
        out.extend((directory.len() as u32).to_le_bytes());
        out.extend(at.to_le_bytes());
        out.extend([0, 0]);
        out
    }

    fn read(bytes: Vec<u8>) -> Result<(String, usize), &'static str> {
        super::super::read(bytes, &MediaType::parse("application/zip")).map(|e| (e.text, e.pages.len()))
    }

    #[test]
    fn an_archive_is_read_for_its_document() {
        let files: &[(&str, &[u8])] = &[
            ("README.TXT", b"comment"),
            ("IHE_XDM/SUBSET01/DOC0001.XML", b"<ClinicalDocument><title>vu</title></ClinicalDocument>"),
            ("IHE_XDM/SUBSET01/METADATA.XML", b"<a/>"),
        ];
        assert_eq!(read(archive(files)), Ok(("vu".to_owned(), 0)));
        assert_eq!(read(archive(&[("a.pdf", b"%PDF-1.7"), ("b.pdf", b"%PDF-1.4"), ("note.txt", b"AVC")])), Ok(("AVC".to_owned(), 2)));
        assert_eq!(read(archive(&[("a.doc", b"\xd0\xcf\x11\xe0")])), Err(reason::UNSUPPORTED_CONTENT_TYPE));
    }

    #[test]
    fn gzip_is_undone() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all("déficit".as_bytes()).unwrap_or_default();
        assert_eq!(read(gzip.finish().unwrap_or_default()), Ok(("déficit".to_owned(), 0)));
        assert_eq!(read(b"\x1f\x8bxx".to_vec()), Err(reason::CORRUPT_ARCHIVE));
    }

    #[test]
    fn bombs_are_refused() {
        let bomb = vec![0u8; MAX_BYTES as usize + 2];
        assert_eq!(read(archive(&[("a.txt", &bomb)])), Err(reason::TOO_LARGE));
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&bomb).unwrap_or_default();
        assert_eq!(read(gzip.finish().unwrap_or_default()), Err(reason::TOO_LARGE));
        // An archive that holds itself, and so on.
        let mut nested = archive(&[("a.txt", b"vu")]);
        for _ in 0..6 {
            nested = archive(&[("a.zip", &nested)]);
        }
        assert_eq!(read(nested), Err(reason::UNSUPPORTED_CONTENT_TYPE));
    }

    proptest::proptest! {
        #[test]
        fn damage_is_survived(at: usize, byte: u8, cut: usize) {
            let mut bytes = archive(&[("a.txt", b"vu"), ("b.pdf", b"%PDF-1.4")]);
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(length - cut % length);
            let _ = read(bytes);
        }
    }
}
