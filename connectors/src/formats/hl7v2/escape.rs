//! Escape sequences: chapter 2.7 (use of escape sequences in text fields).

use std::borrow::Cow;

use super::message::Syntax;
use crate::formats::attachment::charset;

/// Skipped lines or spaces beyond that say nothing more.
const MAX_SKIP: usize = 80;

/// Text with its escape sequences resolved. What only looks like one stays.
pub(super) fn unescape(text: &str, syntax: Syntax) -> Cow<'_, str> {
    let Some(escape) = syntax.escape.filter(|escape| text.contains(*escape)) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    // A character may be spelt by several sequences, a byte each.
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(escape) {
        let after = &rest[at + escape.len_utf8()..];
        let sequence = after.find(escape).map(|end| (&after[..end], &after[end + escape.len_utf8()..]));
        let spelt = sequence.and_then(|(sequence, _)| hexadecimal(sequence));
        if at > 0 || spelt.is_none() {
            flush(&mut bytes, &mut out, syntax);
        }
        out.push_str(&rest[..at]);
        rest = match (sequence, spelt) {
            (Some((_, rest)), Some(spelt)) => {
                bytes.extend(spelt);
                rest
            }
            (Some((sequence, rest)), None) if resolve(sequence, escape, syntax, &mut out) => rest,
            _ => {
                out.push(escape);
                after
            }
        };
    }
    flush(&mut bytes, &mut out, syntax);
    out.push_str(rest);
    Cow::Owned(out)
}

fn flush(bytes: &mut Vec<u8>, out: &mut String, syntax: Syntax) {
    if !bytes.is_empty() {
        out.push_str(&charset::decode(std::mem::take(bytes), syntax.encoding.map(|e| e.name())).text);
    }
}

/// The bytes of `Xhh…`.
fn hexadecimal(sequence: &str) -> Option<Vec<u8>> {
    let digits = sequence.strip_prefix(['X', 'x'])?.as_bytes();
    if digits.is_empty() || digits.len() % 2 == 1 {
        return None;
    }
    let digit = |byte: u8| (byte as char).to_digit(16);
    digits.chunks(2).map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8)).collect()
}

/// Writes what a sequence stands for, `false` where it is none.
fn resolve(sequence: &str, escape: char, syntax: Syntax, out: &mut String) -> bool {
    match sequence {
        "F" => out.push(syntax.field),
        "S" => out.push(syntax.component),
        "T" => out.push(syntax.subcomponent.unwrap_or('&')),
        "R" => out.push(syntax.repetition.unwrap_or('~')),
        "E" => out.push(escape),
        // The truncation character of 2.7 and later.
        "P" => out.push('#'),
        // Highlighting begins and ends.
        "H" | "N" => {}
        _ => return format_code(sequence, out) || is_other(sequence),
    }
    true
}

/// Formatting codes of FT (2.7.6), the layout reduced to line breaks and spaces.
fn format_code(sequence: &str, out: &mut String) -> bool {
    let Some(code) = sequence.strip_prefix('.') else { return false };
    let (Some(name), Some(number)) = (code.get(..2), code.get(2..)) else { return false };
    let number = number.trim_start_matches('+');
    let count = match number.trim_start_matches('-').parse::<usize>() {
        Ok(count) => count.min(MAX_SKIP),
        Err(_) if number.is_empty() => 1,
        Err(_) => return false,
    };
    match name.to_ascii_lowercase().as_str() {
        "br" | "ce" => out.push('\n'),
        "sp" => (0..count).for_each(|_| out.push('\n')),
        "sk" => (0..count).for_each(|_| out.push(' ')),
        "in" | "ti" | "fi" | "nf" => {}
        _ => return false,
    }
    true
}

/// Character sets switched (2.7.2) and sequences of one's own (2.7.7): nothing to write.
fn is_other(sequence: &str) -> bool {
    let Some(rest) = sequence.get(1..).filter(|rest| !rest.is_empty()) else { return false };
    match sequence.as_bytes()[0] {
        b'C' => rest.len() == 4 && rest.bytes().all(|b| b.is_ascii_hexdigit()),
        b'M' => matches!(rest.len(), 4 | 6) && rest.bytes().all(|b| b.is_ascii_hexdigit()),
        b'Z' => rest.len() <= 8 && rest.bytes().all(|b| b.is_ascii_digit()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn syntax(label: Option<&str>) -> Syntax {
        Syntax {
            field: '|',
            component: '^',
            repetition: Some('~'),
            escape: Some('\\'),
            subcomponent: Some('&'),
            encoding: label.and_then(|l| encoding_rs::Encoding::for_label(l.as_bytes())),
        }
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(unescape(text, syntax(None)), expected, "{text}");
    }

    #[test]
    fn delimiters_and_layout() {
        check(r"a\F\b\S\c\T\d\R\e\E\f", r"a|b^c&d~e\f");
        check(r"un\.br\deux\.sp\trois\.sp2\quatre\.SK3\cinq\.in+4\\.ti-2\\.fi\six", "un\ndeux\ntrois\n\nquatre   cinqsix");
        check(r"\H\gras\N\ et \.ce\centré", "gras et \ncentré");
        check(r"\C2842\a\M2842\b\Z01\c", "abc");
    }

    #[test]
    fn bytes_spelt_in_hexadecimal() {
        check(r"caf\XC3A9\ \XC3\\XA9\ fin\X0D0A\", "café é fin\r\n");
        assert_eq!(unescape(r"c\XBD\ur", syntax(Some("iso-8859-15"))), "cœur");
        assert_eq!(unescape(r"\XE9\t\XE9\", syntax(None)), "été");
    }

    #[test]
    fn what_only_looks_like_an_escape_stays() {
        for text in [r"C:\temp\essai", r"\", r"\\", r"5 \ 6", r"\X0\", r"\Xzz\", r"\.sp", r"\.spx\", r"\é\", r"\.é\"] {
            check(text, text);
        }
        check("sans", "sans");
        assert_eq!(unescape(r"a\F\b", Syntax { escape: None, ..syntax(None) }), r"a\F\b");
    }

    #[test]
    fn a_thousand_skips_are_not_a_thousand_lines() {
        assert_eq!(unescape(r"\.sp99999\", syntax(None)).len(), MAX_SKIP);
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_never_grows_much(text in "([\\\\XFSTRE.bspé09]|\\.sp9){0,40}") {
            proptest::prop_assert!(unescape(&text, syntax(None)).len() <= text.len() * 20 + 8);
        }
    }
}
