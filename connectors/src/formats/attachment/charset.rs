//! Bytes to text when what is declared may be wrong.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Text, and whether the character set had to be guessed against or beyond
/// what was declared.
pub struct Decoded {
    pub text: String,
    pub guessed: bool,
}

/// Decodes by byte order mark, else by the declared character set where the
/// bytes agree, else by what they look like: UTF-8 if valid, Windows-1252 if not.
pub fn decode(bytes: Vec<u8>, declared: Option<&str>) -> Decoded {
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes) {
        let (text, malformed) = encoding.decode_without_bom_handling(&bytes[mark..]);
        if !malformed || encoding != UTF_8 {
            return Decoded { text: text.into_owned(), guessed: malformed };
        }
    }
    let label = declared.filter(|label| !label.trim().is_empty());
    let encoding = label.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    let unknown = label.is_some() && encoding.is_none();
    match encoding.filter(|encoding| *encoding != UTF_8) {
        None => match String::from_utf8(bytes) {
            Ok(text) => Decoded { text, guessed: unknown },
            Err(error) => Decoded { text: windows_1252(error.as_bytes()), guessed: true },
        },
        // French text in a single-byte set is never valid UTF-8 by accident,
        // while UTF-8 declared as Latin-1 is common.
        Some(encoding) if encoding.is_single_byte() => match String::from_utf8(bytes) {
            Ok(text) => Decoded { guessed: !text.is_ascii(), text },
            Err(error) => Decoded { text: encoding.decode_without_bom_handling(error.as_bytes()).0.into_owned(), guessed: false },
        },
        Some(encoding) => {
            let (text, malformed) = encoding.decode_without_bom_handling(&bytes);
            Decoded { text: text.into_owned(), guessed: malformed }
        }
    }
}

fn windows_1252(bytes: &[u8]) -> String {
    WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], declared: Option<&str>, text: &str, guessed: bool) {
        let decoded = decode(bytes.to_vec(), declared);
        assert_eq!((decoded.text.as_str(), decoded.guessed), (text, guessed), "{declared:?}");
    }

    #[test]
    fn declared_sets_are_used() {
        check("été".as_bytes(), Some("utf-8"), "été", false);
        check("été".as_bytes(), None, "été", false);
        check(b"\xe9t\xe9", Some("ISO-8859-1"), "été", false);
        check(b"\xe9t\xe9 \x80", Some("windows-1252"), "été €", false);
        check(b"c\xbdur \xa4", Some("iso-8859-15"), "cœur €", false);
        check(b"plain", Some("us-ascii"), "plain", false);
        check(b"p\0l\0", Some("utf-16le"), "pl", false);
    }

    #[test]
    fn wrong_declarations_are_noticed() {
        check(b"\xe9t\xe9", Some("utf-8"), "été", true);
        check(b"\xe9t\xe9", None, "été", true);
        check("été".as_bytes(), Some("iso-8859-1"), "été", true);
        check("été".as_bytes(), Some("klingon"), "été", true);
    }

    #[test]
    fn a_byte_order_mark_wins_and_goes() {
        check(b"\xef\xbb\xbf\xc3\xa9", Some("iso-8859-1"), "é", false);
        check(b"\xff\xfe\xe9\0", None, "é", false);
    }
}
