//! HTML to text that reads like the page: one line a paragraph, list items
//! marked, one line a table row with cells apart.
//!
//! It works on the flat stream of tokens, so that time is linear and the stack
//! flat however deep the elements nest.

use std::cell::RefCell;

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

/// The text of an HTML page or fragment.
pub fn to_text(html: &str) -> String {
    let tokenizer = Tokenizer::new(Sink(RefCell::new(Writer::default())), TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(html.into());
    // Scripts are never run, so feeding stops at the end of the queue alone.
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    tokenizer.sink.0.take().finish()
}

struct Sink(RefCell<Writer>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut writer = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => writer.text(&text),
            Token::TagToken(tag) => return writer.tag(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// What has to come between the text written and the text to come.
#[derive(Default, Clone, Copy)]
struct Gap {
    space: bool,
    breaks: u8,
    cells: u32,
}

/// The row of a table under way.
#[derive(Default)]
struct Row {
    cells: u32,
    written: bool,
}

#[derive(Default)]
struct Writer {
    out: String,
    gap: Gap,
    /// The element whose content is dropped.
    dropped: Option<&'static str>,
    preformatted: u32,
    /// Open lists: the next number, none for bullets.
    lists: Vec<Option<u32>>,
    /// The rows of the open tables.
    tables: Vec<Row>,
    marker: Option<String>,
}

const MAX_INDENT: usize = 8;

impl Writer {
    fn text(&mut self, text: &str) {
        if self.dropped.is_some() {
            return;
        }
        if self.preformatted > 0 {
            for (i, line) in text.split('\n').enumerate() {
                if i > 0 {
                    self.gap.breaks = 0;
                    self.gap.space = false;
                    self.out.push('\n');
                }
                let line = line.strip_suffix('\r').unwrap_or(line);
                if !line.is_empty() {
                    self.write(line);
                }
            }
            return;
        }
        let is_space = |c: char| c.is_ascii_whitespace() || c == '\u{a0}';
        for (i, word) in text.split(is_space).enumerate() {
            self.gap.space |= i > 0;
            if !word.is_empty() {
                self.write(word);
            }
        }
    }

    /// Writes what fills the gap, then the words.
    fn write(&mut self, words: &str) {
        let gap = std::mem::take(&mut self.gap);
        let mut fresh = self.out.is_empty() || self.out.ends_with('\n');
        if !self.out.is_empty() {
            for _ in 0..gap.breaks {
                self.out.push('\n');
                fresh = true;
            }
        }
        for _ in 0..gap.cells {
            self.out.push_str(if fresh { "| " } else { " | " });
            fresh = false;
        }
        if let Some(marker) = self.marker.take() {
            self.out.push_str(&marker);
        } else if gap.space && gap.cells == 0 && !fresh {
            self.out.push(' ');
        }
        self.out.push_str(words);
        if let Some(row) = self.tables.last_mut() {
            row.written = true;
        }
    }

    fn separate(&mut self, breaks: u8) {
        // A cell that begins with a block still belongs to its row.
        if self.gap.cells == 0 {
            self.gap.breaks = self.gap.breaks.max(if self.tables.last().is_some_and(|row| row.cells > 0) { 1 } else { breaks });
        }
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let opens = tag.kind == TagKind::StartTag;
        let name: &str = &tag.name;
        if let Some(dropped) = self.dropped {
            if !opens && name == dropped {
                self.dropped = None;
            }
            return TokenSinkResult::Continue;
        }
        match name {
            // XHTML closes these at once; waiting for an end tag would drop the page.
            "script" | "style" | "title" | "xmp" | "iframe" | "noframes" | "noembed" if opens && !tag.self_closing => {
                self.dropped = DROPPED.iter().find(|d| **d == name).copied();
                return TokenSinkResult::RawData(match name {
                    "script" => RawKind::ScriptData,
                    "title" => RawKind::Rcdata,
                    _ => RawKind::Rawtext,
                });
            }
            "br" => {
                if self.preformatted > 0 {
                    self.out.push('\n');
                } else {
                    self.gap.breaks = (self.gap.breaks + 1).min(2);
                }
            }
            "ul" | "ol" => {
                self.separate(if self.lists.len() > usize::from(!opens) { 1 } else { 2 });
                if opens {
                    self.lists.push((name == "ol").then_some(1));
                } else {
                    self.lists.pop();
                }
            }
            "li" => {
                self.separate(1);
                if opens {
                    let indent = "  ".repeat(self.lists.len().saturating_sub(1).min(MAX_INDENT));
                    self.marker = Some(match self.lists.last_mut() {
                        Some(Some(number)) => {
                            let marker = format!("{indent}{number}. ");
                            *number = number.saturating_add(1);
                            marker
                        }
                        _ => format!("{indent}- "),
                    });
                } else {
                    self.marker = None;
                }
            }
            "table" => {
                self.separate(2);
                if opens {
                    self.tables.push(Row::default());
                } else {
                    self.tables.pop();
                    self.gap.cells = 0;
                    self.separate(2);
                }
            }
            "tr" => {
                if let Some(row) = self.tables.last_mut() {
                    *row = Row::default();
                }
                self.gap.cells = 0;
                self.separate(1);
            }
            "td" | "th" if opens => {
                if let Some(row) = self.tables.last_mut() {
                    row.cells += 1;
                    if row.cells > 1 {
                        // The break before the row stays until something is written in it.
                        let breaks = if row.written { 0 } else { self.gap.breaks };
                        self.gap = Gap { space: false, breaks, cells: self.gap.cells + 1 };
                    }
                }
            }
            "td" | "th" => self.gap.space = true,
            "pre" | "textarea" => {
                self.separate(2);
                if opens {
                    self.preformatted += 1;
                } else {
                    self.preformatted = self.preformatted.saturating_sub(1);
                }
            }
            // A paragraph that begins an item is the item.
            _ if opens && self.marker.is_some() => {}
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "dl" | "hr" | "section" | "article" | "header" | "footer"
            | "figure" => {
                self.separate(if self.lists.is_empty() { 2 } else { 1 });
            }
            "div" | "dt" | "dd" | "address" | "form" | "fieldset" | "legend" | "caption" | "center" | "main" | "nav" | "aside" | "body"
            | "thead" | "tbody" | "tfoot" | "figcaption" | "option" => self.separate(1),
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn finish(mut self) -> String {
        let end = self.out.trim_end().len();
        self.out.truncate(end);
        self.out
    }
}

const DROPPED: &[&str] = &["script", "style", "title", "xmp", "iframe", "noframes", "noembed"];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, text: &str) {
        assert_eq!(to_text(html), text, "{html}");
    }

    #[test]
    fn paragraphs_breaks_and_entities() {
        check(
            "<html><head><title>CR</title><style>p{color:red}</style></head><body><h1>Motif</h1><p>Patient&nbsp;&eacute;valu&eacute;<br>NIHSS&nbsp;: 12</p>\n<p>Deux   mots\nliés</p></body></html>",
            "Motif\n\nPatient évalué\nNIHSS : 12\n\nDeux mots liés",
        );
        check("TA &lt; 18/9 &amp; FC &#233; &inconnu;", "TA < 18/9 & FC é &inconnu;");
        check("<p>a</p><p></p><p>&nbsp;</p><p>b</p>fin", "a\n\nb\n\nfin");
        check("<b>A</b>VC <i>isch</i>émique m<sup>2</sup>", "AVC ischémique m2");
        check("<div>a</div><div>b</div>", "a\nb");
    }

    #[test]
    fn lists() {
        check("<p>ATCD :</p><ul><li>HTA</li><li><p>FA</p></li></ul><p>Suite</p>", "ATCD :\n\n- HTA\n- FA\n\nSuite");
        check("<ol><li>un</li><li>deux<ul><li>a</li></ul></li></ol>", "1. un\n2. deux\n  - a");
    }

    #[test]
    fn tables() {
        check(
            "<table><tr><th>Examen</th><th>Résultat</th></tr>\n<tr><td><p>TA</p></td><td><p>18/9</p></td></tr></table>Fin",
            "Examen | Résultat\nTA | 18/9\n\nFin",
        );
        check("<table><tr><td></td><td>Entrée</td></tr><tr><td>NIHSS</td><td></td><td>4</td></tr></table>", "| Entrée\nNIHSS |  | 4");
        check("<table><tr><td><p>un</p><p>deux</p></td></tr></table>", "un\ndeux");
    }

    #[test]
    fn preformatted_text_is_kept() {
        check("<p>a</p><pre>x  y\n  z</pre><p>b</p>", "a\n\nx  y\n  z\n\nb");
    }

    #[test]
    fn scripts_go_and_self_closing_ones_drop_nothing() {
        check("<script>if (a < b) x()</script>vu", "vu");
        check("<html xmlns='http://www.w3.org/1999/xhtml'><head><title/><script src='x'/></head><body>vu</body></html>", "vu");
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!("{}x{}", "<div><ul><table>".repeat(100_000), "</p>".repeat(10));
        assert_eq!(to_text(&deep), "x");
    }

    proptest::proptest! {
        #[test]
        fn any_input_gives_text_without_control_structure(html in "(<(/?(p|li|ul|ol|td|tr|table|pre|b|script|title|!--|br)) ?>|[a-zé&;<>\"' \n-]){0,60}") {
            let text = to_text(&html);
            proptest::prop_assert!(text.len() <= html.len() * 24 + 64);
        }
    }
}
