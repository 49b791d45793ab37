//! Lines to running text: what a page breaks only for its width is put together
//! again, what its writer broke stays broken.

use std::collections::HashSet;

use super::{Line, Part, Sheet, Token};
use crate::geometry::Rect;
use crate::reading::{Reading, Word};

/// Before the cell of a table.
const CELL: char = '\t';
/// A wider gap, in letter heights, is between cells or columns of words.
const WIDE: f32 = 1.7;

/// First halves of words that keep their hyphen.
const KEPT: &[&str] = &[
    "sous",
    "post",
    "pre",
    "pré",
    "non",
    "anti",
    "demi",
    "mi",
    "semi",
    "inter",
    "intra",
    "extra",
    "péri",
    "sus",
    "après",
    "avant",
    "contre",
    "peut",
    "celui",
    "celle",
    "ceux",
    "celles",
    "est",
    "ci",
    "là",
    "plus",
    "moins",
    "saint",
    "sainte",
    "vice",
    "arrière",
    "au",
    "par",
    "entre",
    "cardio",
    "neuro",
    "hémi",
    "ex",
    "auto",
    "co",
    "hyper",
    "hypo",
    "vis",
    "rez",
    "grand",
    "belle",
    "beau",
    "petit",
    "petite",
    "médico",
    "quatre",
    "vingt",
    "soixante",
    "trente",
    "quarante",
    "cinquante",
    "bi",
    "tri",
    "micro",
    "macro",
    "e",
    "a",
    "t",
    "trans",
    "supra",
    "infra",
    "para",
    "temporo",
    "fronto",
    "pariéto",
    "occipito",
    "vertébro",
    "carotido",
    "broncho",
    "gastro",
    "oto",
];
/// Second halves that are words after a hyphen.
const AFTER: &[&str] = &[
    "ci", "là", "même", "mêmes", "vous", "nous", "il", "elle", "ils", "elles", "on", "ce", "je", "tu", "le", "la", "les", "lui", "leur",
    "moi", "toi", "y", "en", "t", "d", "de", "du", "à", "sur", "sous",
];

/// The text of a document.
pub(super) fn text(sheets: &[(u32, Sheet)], pages: &[Vec<Part>], margins_apart: bool) -> Reading {
    let mut body = Writer { words: Vec::new(), text: String::new(), length: 0, last: None, known: vocabulary(sheets) };
    let mut margins = String::new();
    for ((number, sheet), parts) in sheets.iter().zip(pages) {
        for part in parts {
            let mut first = true;
            for line in &part.lines {
                if line.is_margin {
                    aside(sheet, line, &mut margins);
                } else {
                    body.line(sheet, *number, line, first);
                    first = false;
                }
            }
        }
        for token in &sheet.aside {
            if margins_apart {
                margins.push_str(&token.text);
                margins.push('\n');
            } else {
                body.apart(*number, token);
            }
        }
    }
    let Writer { text, words, .. } = body;
    Reading { text, margins: margins.trim_end().to_owned(), words, ..Reading::default() }
}

fn aside(sheet: &Sheet, line: &Line, margins: &mut String) {
    let mut before: Option<&Token> = None;
    for token in line.cells.iter().flatten() {
        let token = &sheet.tokens[*token];
        if let Some(before) = before {
            margins.push_str(if token.at.left - before.at.right > WIDE * token.size { "   " } else { " " });
        }
        margins.push_str(&token.text);
        before = Some(token);
    }
    margins.push('\n');
}

/// Words that stand within lines, in lower case: they tell which hyphens are real.
fn vocabulary(sheets: &[(u32, Sheet)]) -> HashSet<String> {
    let tokens = sheets.iter().flat_map(|(_, sheet)| &sheet.tokens);
    tokens.map(|t| t.text.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()).filter(|w| w.len() > 3).collect()
}

/// What was written last.
struct Last {
    line: Line,
    right: f32,
    /// Left edge of its page's text, and the width of the page.
    sheet: (f32, f32),
    page: u32,
}

struct Writer {
    text: String,
    /// In characters.
    length: u32,
    words: Vec<Word>,
    last: Option<Last>,
    known: HashSet<String>,
}

/// How a line follows on the one before it.
#[derive(PartialEq, Eq)]
enum Joint {
    /// Nothing at all.
    Word,
    /// The hyphen goes.
    Hyphen,
    Space,
    /// The end of a line.
    Line,
    Paragraph,
}

impl Writer {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.length += text.chars().count() as u32;
    }

    fn pop(&mut self) {
        if self.text.pop().is_some() {
            self.length -= 1;
        }
    }

    fn word(&mut self, page: u32, token: &Token) {
        let start = self.length;
        self.push(&token.text);
        if self.length > start {
            self.words.push(Word { start, end: self.length, page, at: token.home, confidence: token.confidence });
        }
    }

    fn apart(&mut self, page: u32, token: &Token) {
        if !self.text.is_empty() {
            self.push("\n");
        }
        self.word(page, token);
        self.last = None;
    }

    fn line(&mut self, sheet: &Sheet, page: u32, line: &Line, first_of_part: bool) {
        let Some(first) = line.cells.iter().flatten().next().map(|t| &sheet.tokens[*t]) else { return };
        if !self.text.is_empty() {
            match self.joint(line, first, page, first_of_part) {
                Joint::Word => {}
                Joint::Hyphen => {
                    self.pop();
                    if let Some(word) = self.words.last_mut() {
                        word.end = word.end.min(self.length).max(word.start + 1);
                    }
                }
                Joint::Space => self.push(" "),
                Joint::Line => self.push("\n"),
                Joint::Paragraph => self.push("\n\n"),
            }
        }
        let usual = usual_gap(sheet, line);
        let mut before: Option<usize> = None;
        let mut empty = 0;
        for (cell, tokens) in line.cells.iter().enumerate() {
            if tokens.is_empty() {
                empty += 1;
                continue;
            }
            for index in tokens {
                let token = &sheet.tokens[*index];
                if let Some(left) = before {
                    let is_new_cell = line.is_row && tokens.first() == Some(index);
                    if is_new_cell {
                        for _ in 0..=empty {
                            self.push(CELL.encode_utf8(&mut [0; 4]));
                        }
                    } else {
                        let between = spaces(&sheet.tokens[left], token, *index == left + 1, line.is_row, usual);
                        self.push(&between);
                    }
                } else if line.is_row && empty > 0 && cell > 0 {
                    (0..empty).for_each(|_| self.push(CELL.encode_utf8(&mut [0; 4])));
                }
                empty = 0;
                self.word(page, token);
                before = Some(*index);
            }
        }
        let right = line.cells.iter().flatten().map(|t| sheet.tokens[*t].at.right).fold(f32::NEG_INFINITY, f32::max);
        self.last = Some(Last { line: line.clone(), right, sheet: (left_edge(sheet), sheet.width), page });
    }

    fn joint(&self, line: &Line, first: &Token, page: u32, first_of_part: bool) -> Joint {
        let Some(last) = &self.last else { return Joint::Line };
        let gap = last.line.at.bottom - line.at.top;
        let is_below = page == last.page && gap > -0.8 * line.size && !first_of_part;
        let paragraph = if page == last.page && gap > 0.75 * line.size.min(last.line.size) && gap < 12.0 * line.size {
            Joint::Paragraph
        } else {
            Joint::Line
        };
        let alike = (last.line.size / line.size.max(0.1)).max(line.size / last.line.size.max(0.1)) < 1.08;
        if line.is_row || last.line.is_row || !alike || (page == last.page && is_below && gap > 0.6 * line.size) {
            return paragraph;
        }
        // Would the first word have fitted where the last line ended?
        let edge = edge(&last.line, last.sheet);
        let cut = last.right + 0.28 * line.size + first.at.width() > edge - 0.5;
        let before = self.text.chars().next_back().unwrap_or(' ');
        let continues = first.text.chars().next().is_some_and(|c| c.is_lowercase() || c.is_ascii_digit() || "([«\"'’".contains(c));
        if !(is_below || cut && continues && !matches!(before, '.' | ':' | ';')) {
            return if first_of_part && page == last.page { paragraph } else { Joint::Line };
        }
        if !cut || is_item(first) {
            return Joint::Line;
        }
        if before == '\u{ad}' {
            return Joint::Hyphen;
        }
        if before == '-' {
            return self.hyphen(first);
        }
        Joint::Space
    }

    /// Whether the hyphen at the end of a line belongs to the word.
    fn hyphen(&self, first: &Token) -> Joint {
        let head: String =
            self.text.chars().rev().skip(1).take_while(|c| c.is_alphanumeric()).collect::<Vec<_>>().into_iter().rev().collect();
        let tail: String = first.text.chars().take_while(|c| c.is_alphabetic()).collect();
        if head.is_empty() {
            return Joint::Space;
        }
        let (head, lower) = (head.to_lowercase(), tail.to_lowercase());
        let is_figure = head.chars().any(|c| c.is_ascii_digit()) || first.text.starts_with(|c: char| c.is_ascii_digit());
        if is_figure
            || tail.chars().next().is_some_and(char::is_uppercase)
            || KEPT.contains(&head.as_str())
            || AFTER.contains(&lower.as_str())
        {
            return Joint::Word;
        }
        if self.known.contains(&format!("{head}{lower}")) {
            return Joint::Hyphen;
        }
        if self.known.contains(&format!("{head}-{lower}")) {
            return Joint::Word;
        }
        // What the reader of texts takes for a word broken at the end of a line.
        Joint::Line
    }
}

/// How far to the right a line of this column could have run.
fn edge(line: &Line, (left, width): (f32, f32)) -> f32 {
    let right = line.column.1;
    // Texts have about as much free on the right as on the left.
    let mirrored = width - left.max(18.0);
    if right > 0.8 * mirrored && right < mirrored { mirrored.min(right + 0.06 * width) } else { right }
}

fn left_edge(sheet: &Sheet) -> f32 {
    sheet.tokens.iter().map(|token| token.at.left).fold(f32::INFINITY, f32::min)
}

/// Items of a list begin a line of their own.
fn is_item(first: &Token) -> bool {
    let text = first.text.as_str();
    matches!(text, "-" | "–" | "—" | "•" | "·" | "*" | ">" | "->" | "→" | "o" | "▪" | "■" | "□" | "☐" | "☒" | "☑" | "✓" | "\u{f0b7}")
        || text.starts_with(['•', '▪', '→', '☐', '☒'])
        || (text.len() <= 3 && text.ends_with(['.', ')']) && text[..text.len() - 1].bytes().all(|b| b.is_ascii_digit()))
}

/// How wide a space of this line is: stretched where it is justified.
fn usual_gap(sheet: &Sheet, line: &Line) -> f32 {
    let tokens: Vec<usize> = line.cells.iter().flatten().copied().collect();
    let gap = |pair: &[usize]| sheet.tokens[pair[1]].at.left - sheet.tokens[pair[0]].at.right;
    let mut gaps: Vec<f32> = tokens.windows(2).map(gap).filter(|gap| *gap > 0.1 * line.size && *gap < line.size).collect();
    gaps.sort_by(f32::total_cmp);
    let least = 0.24 * line.size;
    gaps.get(gaps.len() / 3).map_or(least, |gap| gap.clamp(0.7 * least, 3.0 * least))
}

/// What stands between two words of a line.
fn spaces(left: &Token, right: &Token, adjacent: bool, is_row: bool, usual: f32) -> String {
    let gap = right.at.left - left.at.right;
    let size = left.size.min(right.size);
    let written = if adjacent { right.spaces } else { 0 };
    if written == 0 && gap < 0.1 * size && gap > -0.5 * size {
        // A change of letters within a word.
        return if Rect::side_by_side(&left.at, &right.at) > 0.3 { String::new() } else { " ".to_owned() };
    }
    if written > 1 {
        return " ".repeat(usize::from(written.min(40)));
    }
    // Spaces side by side come as one: their number is in the gap.
    if adjacent && written == 1 && right.confidence.is_none() && !is_row && gap > 1.6 * usual && gap > 0.4 * size {
        return " ".repeat(((gap / usual).round() as usize).clamp(2, 60));
    }
    if gap > WIDE * size && !is_row {
        return "   ".to_owned();
    }
    if written == 1 && right.no_break { "\u{a0}".to_owned() } else { " ".to_owned() }
}
