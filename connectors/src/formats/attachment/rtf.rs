//! Rich Text Format to text: paragraphs as lines, a row of a table on one line,
//! what is not part of the text left out (styles, pictures, page headers,
//! comments, deleted and hidden words).
//!
//! It works on the flat stream of control words, so that time is linear and the
//! stack flat.

mod charset;

use std::collections::HashMap;

use charset::Charset;

use crate::formats::reason;

/// Largest report read, in bytes.
const MAX_BYTES: usize = 64 << 20;
/// Deepest nesting of groups.
const MAX_DEPTH: usize = 1000;
/// Most fonts whose character set is remembered.
const MAX_FONTS: usize = 4096;

/// Why a report cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RtfError {
    #[error("the bytes are not RTF")]
    NotRtf,
    #[error("the RTF nests deeper than any report does")]
    TooDeep,
    #[error("the RTF is larger than a report may be")]
    TooLarge,
    #[error("the RTF ends inside of its groups")]
    Truncated,
}

impl RtfError {
    /// The word for the dead letter.
    pub fn reason(self) -> &'static str {
        match self {
            RtfError::NotRtf => reason::UNSUPPORTED_CONTENT_TYPE,
            RtfError::TooDeep => reason::TOO_DEEP,
            RtfError::TooLarge => reason::TOO_LARGE,
            RtfError::Truncated => reason::TRUNCATED,
        }
    }
}

/// The text of a report.
pub fn to_text(bytes: &[u8]) -> Result<String, RtfError> {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if bytes.len() > MAX_BYTES {
        return Err(RtfError::TooLarge);
    }
    if !start.starts_with(b"{\\rtf") {
        return Err(RtfError::NotRtf);
    }
    let mut reader = Reader { bytes: start, ..Reader::default() };
    reader.read()?;
    // Many writers forget the last brace; what ends deeper was cut off.
    if reader.outer.len() > 1 {
        return Err(RtfError::Truncated);
    }
    reader.flush();
    let end = reader.out.trim_end().len();
    reader.out.truncate(end);
    Ok(reader.out)
}

/// What a group inherits and gives back at its end.
#[derive(Clone, Copy)]
struct State {
    /// Nothing of the group is text.
    skipped: bool,
    fonts: bool,
    hidden: bool,
    deleted: bool,
    in_row: bool,
    /// Characters that stand in for one that is given by its number.
    stand_ins: usize,
    charset: Charset,
    /// Where the mark of a list item began.
    mark: Option<usize>,
}

struct Reader<'r> {
    bytes: &'r [u8],
    at: usize,
    out: String,
    state: State,
    outer: Vec<State>,
    /// Bytes whose characters are not known yet.
    pending: Vec<u8>,
    high_surrogate: Option<u16>,
    /// Stand-ins still to be left out.
    left_out: usize,
    /// Whether the group may be ignored by whoever does not know it.
    optional: bool,
    default_charset: Charset,
    default_font: Option<i32>,
    font: i32,
    charsets: HashMap<i32, Charset>,
    /// Ends of cells before the next words of the row.
    cells: usize,
    row_begun: bool,
    breaks: u8,
}

impl Default for Reader<'_> {
    fn default() -> Self {
        let state = State {
            skipped: false,
            fonts: false,
            hidden: false,
            deleted: false,
            in_row: false,
            stand_ins: 1,
            charset: Charset::default(),
            mark: None,
        };
        Reader {
            bytes: &[],
            at: 0,
            out: String::new(),
            state,
            outer: Vec::new(),
            pending: Vec::new(),
            high_surrogate: None,
            left_out: 0,
            optional: false,
            default_charset: Charset::default(),
            default_font: None,
            font: 0,
            charsets: HashMap::new(),
            cells: 0,
            row_begun: false,
            breaks: 0,
        }
    }
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), RtfError> {
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'{' => {
                    self.flush();
                    self.left_out = 0;
                    self.outer.push(self.state);
                    self.state.mark = None;
                    if self.outer.len() > MAX_DEPTH {
                        return Err(RtfError::TooDeep);
                    }
                }
                b'}' => {
                    self.flush();
                    self.left_out = 0;
                    self.optional = false;
                    self.mark();
                    match self.outer.pop() {
                        Some(state) => self.state = state,
                        None => return Ok(()),
                    }
                    if self.outer.is_empty() {
                        return Ok(());
                    }
                }
                b'\\' => self.control(),
                b'\r' | b'\n' | 0 => {}
                b'\t' => self.word("tab", None),
                byte => self.byte(byte),
            }
        }
        Ok(())
    }

    fn control(&mut self) {
        let Some(&first) = self.bytes.get(self.at) else { return };
        if !first.is_ascii_alphabetic() {
            self.at += 1;
            return self.symbol(first);
        }
        let rest = &self.bytes[self.at..];
        let letters = rest.iter().take(32).take_while(|b| b.is_ascii_alphabetic()).count();
        let sign = usize::from(rest.get(letters) == Some(&b'-'));
        let digits = rest[letters + sign..].iter().take(10).take_while(|b| b.is_ascii_digit()).count();
        let end = if digits > 0 { letters + sign + digits } else { letters };
        let text = |range: std::ops::Range<usize>| std::str::from_utf8(&rest[range]).unwrap_or_default();
        let (name, number) = (text(0..letters), text(letters..end).parse::<i32>().ok());
        self.at += end + usize::from(rest.get(end) == Some(&b' '));
        // The name borrows the input, not the reader.
        let name = name.to_owned();
        self.word(&name, number);
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'\'' => {
                let digit = |at: usize| self.bytes.get(at).and_then(|b| (*b as char).to_digit(16));
                if let (Some(high), Some(low)) = (digit(self.at), digit(self.at + 1)) {
                    self.at += 2;
                    self.byte((high * 16 + low) as u8);
                }
            }
            b'\\' | b'{' | b'}' => self.byte(symbol),
            b'~' => self.text(" "),
            b'_' => self.text("-"),
            b'*' => self.optional = true,
            b'\r' | b'\n' => self.word("par", None),
            // An optional hyphen is not a character of the word.
            _ => {}
        }
    }

    fn word(&mut self, name: &str, number: Option<i32>) {
        let optional = std::mem::take(&mut self.optional);
        if self.left_out > 0 && !matches!(name, "u" | "uc" | "bin") {
            self.left_out -= 1;
            return;
        }
        let on = number != Some(0);
        match name {
            "u" => self.unicode(number.unwrap_or(0)),
            "uc" => self.state.stand_ins = usize::try_from(number.unwrap_or(1)).unwrap_or(1).min(64),
            "bin" => self.at = self.at.saturating_add(usize::try_from(number.unwrap_or(0)).unwrap_or(0)).min(self.bytes.len()),
            "par" | "line" | "sect" | "page" | "column" | "softline" => self.line(),
            "tab" => self.text("\t"),
            "cell" | "nestcell" => {
                self.flush();
                if !self.is_silent() {
                    self.cells += 1;
                    self.breaks = 0;
                }
            }
            "row" | "nestrow" => {
                self.flush();
                self.cells = 0;
                if self.row_begun {
                    self.breaks = 1;
                }
                self.row_begun = false;
            }
            "intbl" => self.state.in_row = true,
            "pard" => {
                self.flush();
                self.state.in_row = false;
            }
            "plain" => {
                self.flush();
                (self.state.hidden, self.state.deleted) = (false, false);
                self.font(self.default_font.unwrap_or(0));
            }
            "v" => {
                self.flush();
                self.state.hidden = on;
            }
            "deleted" => {
                self.flush();
                self.state.deleted = on;
            }
            "emdash" => self.text("—"),
            "endash" => self.text("–"),
            "bullet" => self.text("•"),
            "lquote" => self.text("‘"),
            "rquote" => self.text("’"),
            "ldblquote" => self.text("“"),
            "rdblquote" => self.text("”"),
            "emspace" | "enspace" | "qmspace" => self.text(" "),
            "ansi" | "mac" | "pc" | "pca" | "ansicpg" => {
                self.flush();
                if let Some(charset) = Charset::declared(name, number) {
                    self.default_charset = charset;
                    self.state.charset = charset;
                }
            }
            "deff" => self.default_font = number,
            "f" => {
                self.flush();
                self.font(number.unwrap_or(0));
            }
            "fcharset" | "cpg" if self.state.fonts => {
                if let Some(charset) = Charset::declared(name, number).filter(|_| self.charsets.len() < MAX_FONTS) {
                    self.charsets.insert(self.font, charset);
                }
            }
            "fonttbl" => (self.state.fonts, self.state.skipped) = (true, true),
            "pntext" | "listtext" => {
                self.flush();
                self.state.mark = Some(self.out.len());
            }
            "nesttableprops" | "shpinst" | "shptxt" => {}
            _ if optional || NOT_TEXT.contains(&name) => self.state.skipped = true,
            _ => {}
        }
    }

    fn font(&mut self, font: i32) {
        self.font = font;
        if !self.state.fonts {
            self.state.charset = self.charsets.get(&font).copied().unwrap_or(self.default_charset);
        }
    }

    fn is_silent(&self) -> bool {
        self.state.skipped || self.state.hidden || self.state.deleted
    }

    fn byte(&mut self, byte: u8) {
        self.optional = false;
        if self.left_out > 0 {
            self.left_out -= 1;
        } else if !self.is_silent() {
            self.high_surrogate = None;
            self.pending.push(byte);
        }
    }

    fn unicode(&mut self, number: i32) {
        self.flush();
        self.left_out = self.state.stand_ins;
        // Written as signed numbers of sixteen bits.
        let unit = number as u16;
        if self.is_silent() {
            return;
        }
        let high = self.high_surrogate.take();
        match unit {
            0xd800..0xdc00 => self.high_surrogate = Some(unit),
            0xdc00..0xe000 => {
                let pair = high.and_then(|high| char::decode_utf16([high, unit]).next()?.ok());
                self.write(pair.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut [0; 4]));
            }
            // Fonts of symbols are addressed in the private area.
            0xf0b7 | 0xf0a7 => self.write("•"),
            0 => {}
            _ => self.write(char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut [0; 4])),
        }
    }

    fn text(&mut self, text: &str) {
        if self.left_out > 0 {
            self.left_out -= 1;
            return;
        }
        self.flush();
        if !self.is_silent() {
            self.write(text);
        }
    }

    /// Gives the pending bytes their characters.
    fn flush(&mut self) {
        if !self.pending.is_empty() {
            let bytes = std::mem::take(&mut self.pending);
            let text = self.state.charset.decode(&bytes);
            self.write(&text);
            self.pending = bytes;
            self.pending.clear();
        }
    }

    fn line(&mut self) {
        self.flush();
        if !self.is_silent() {
            self.breaks = (self.breaks + 1).min(2);
        }
    }

    /// Writes what fills the gap, then the text.
    fn write(&mut self, text: &str) {
        if text.chars().all(|c| c == ' ' || c == '\t') && (self.breaks > 0 || self.cells > 0 || self.out.is_empty()) {
            return;
        }
        let breaks = std::mem::take(&mut self.breaks);
        let cells = std::mem::take(&mut self.cells);
        if cells > 0 {
            (0..cells.min(64)).for_each(|i| self.out.push_str(if i == 0 && !self.row_begun { "| " } else { " | " }));
        } else if breaks > 0 && self.state.in_row && self.row_begun {
            // A paragraph within a cell stays in the row.
            self.out.push_str(if self.out.ends_with([',', ';', ':', '.', '!', '?', '(']) { " " } else { ", " });
        } else if !self.out.is_empty() {
            let end = self.out.trim_end_matches([' ', '\t']).len();
            if breaks > 0 {
                self.out.truncate(end);
            }
            (0..breaks).for_each(|_| self.out.push('\n'));
        }
        self.row_begun |= self.state.in_row;
        self.out.push_str(if breaks > 0 { text.trim_start_matches(' ') } else { text });
    }

    /// The mark of a list item, at the end of its group.
    fn mark(&mut self) {
        let Some(from) = self.state.mark.filter(|from| *from <= self.out.len()) else { return };
        let written = self.out.split_off(from);
        let at = written.len() - written.trim_start_matches('\n').len();
        let mark = written.trim();
        self.out.push_str(&written[..at]);
        self.out.push_str(if mark.chars().any(char::is_alphanumeric) { mark } else { "-" });
        self.out.push(' ');
        self.state.mark = None;
    }
}

/// Groups that hold no text of the report.
const NOT_TEXT: &[&str] = &[
    "annotation",
    "atnauthor",
    "atnid",
    "bkmkend",
    "bkmkstart",
    "colortbl",
    "comment",
    "datafield",
    "datastore",
    "docvar",
    "falt",
    "filetbl",
    "fldinst",
    "footer",
    "footerf",
    "footerl",
    "footerr",
    "ftncn",
    "ftnsep",
    "ftnsepc",
    "generator",
    "header",
    "headerf",
    "headerl",
    "headerr",
    "info",
    "latentstyles",
    "listoverridetable",
    "listtable",
    "nonshppict",
    "objclass",
    "objdata",
    "objname",
    "panose",
    "pict",
    "pn",
    "pnseclvl",
    "private",
    "revtbl",
    "rsidtbl",
    "rxe",
    "sn",
    "sp",
    "stylesheet",
    "sv",
    "tc",
    "tcn",
    "themedata",
    "txe",
    "xe",
    "xmlnstbl",
];

#[cfg(test)]
mod tests;
