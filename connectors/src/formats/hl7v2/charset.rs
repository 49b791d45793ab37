//! Character sets: MSH-18 (chapter 2.15.9.18, table 0211) and what engines write there.

use std::borrow::Cow;

use crate::formats::attachment::charset;

/// The text of a message, and whether its character set had to be guessed.
pub(super) struct Decoded<'b> {
    pub text: Cow<'b, str>,
    pub guessed: bool,
}

/// Decodes a message by its MSH-18; without one UTF-8 where that is valid,
/// Windows-1252 where not.
pub(super) fn decode<'b>(bytes: &'b [u8], declared: Option<&str>) -> Decoded<'b> {
    if declared.is_none_or(|label| label == "utf-8")
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return Decoded { text: Cow::Borrowed(text), guessed: false };
    }
    let decoded = charset::decode(bytes.to_vec(), declared);
    Decoded { text: Cow::Owned(decoded.text), guessed: decoded.guessed }
}

/// The label, as browsers know it, of the first character set in MSH-18.
pub(super) fn label(field: &[u8]) -> Option<Cow<'static, str>> {
    let written = field.iter().take_while(|b| b.is_ascii_alphanumeric() || b" /-_.:".contains(b));
    let name: String = written.filter(|b| b.is_ascii_alphanumeric()).map(|b| b.to_ascii_uppercase() as char).collect();
    let short =
        ["ISO", "WINDOWS", "WIN", "MS", "CP", "X"].iter().fold(name.as_str(), |name, prefix| name.strip_prefix(prefix).unwrap_or(name));
    let known = match short {
        // ASCII is what is declared by those who do not declare.
        "" | "ASCII" | "USASCII" | "US" | "IR6" | "646" => return None,
        "UNICODE" | "UNICODEUTF8" | "UTF8" | "IR192" | "65001" => "utf-8",
        // Windows-1252 has all of Latin-1, and what is sent as Latin-1 besides.
        "88591" | "IR100" | "LATIN1" | "1252" | "ANSI" => "windows-1252",
        "885915" | "IR203" | "LATIN9" => "iso-8859-15",
        "UNICODEUTF16" | "UTF16" => "utf-16",
        other => match other.strip_prefix("8859") {
            Some(part) if matches!(part.len(), 1 | 2) => return Some(Cow::Owned(format!("iso-8859-{part}"))),
            _ => return Some(Cow::Owned(String::from_utf8_lossy(field).trim().to_ascii_lowercase())),
        },
    };
    Some(Cow::Borrowed(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_engines_write_them() {
        for (label_, names) in [
            (Some("utf-8"), &["UNICODE UTF-8", "UTF-8", "utf8", "UNICODE", "ISO_IR 192", "UNICODE UTF-8~8859/1"][..]),
            (Some("windows-1252"), &["8859/1", "ISO-8859-1", "ISO8859/1", "ISO 8859-1", "ISO_IR 100", "Windows-1252", "CP1252", "ANSI"]),
            (Some("iso-8859-15"), &["8859/15", "ISO-8859-15", "iso8859_15"]),
            (Some("iso-8859-2"), &["8859/2"]),
            (Some("klingon"), &["Klingon"]),
            (None, &["", "ASCII", "ISO IR6", "US-ASCII"]),
        ] {
            for name in names {
                assert_eq!(label(name.as_bytes()).as_deref(), label_, "{name}");
            }
        }
    }

    #[test]
    fn bytes_have_a_say() {
        let check = |bytes: &[u8], declared: Option<&str>, text: &str, guessed: bool| {
            let decoded = decode(bytes, declared);
            assert_eq!((&*decoded.text, decoded.guessed), (text, guessed), "{declared:?}");
        };
        check("été".as_bytes(), None, "été", false);
        check(b"\xe9t\xe9", None, "été", true);
        check(b"\xe9t\xe9", Some("windows-1252"), "été", false);
        check(b"c\xbdur", Some("iso-8859-15"), "cœur", false);
        check("été".as_bytes(), Some("windows-1252"), "été", true);
    }
}
