//! Words with boxes to text in reading order.
//!
//! A sheet's tokens make segments (words close together on a line), segments make
//! columns and tables, these make parts (lines close together), and what the parts
//! say goes to the body or, where place, repetition and wording show that it is
//! none of it, to the margins.

mod columns;
mod flow;
mod furniture;
mod lines;
mod table;

use crate::geometry::Rect;
use crate::reading::Reading;

/// Words that stand together without a space.
#[derive(Debug, Clone, Default)]
pub(crate) struct Token {
    pub text: String,
    /// Spaces that the file writes before it.
    pub spaces: u16,
    /// Whether one of these does not break.
    pub no_break: bool,
    /// Height of its letters' boxes.
    pub size: f32,
    /// On the upright sheet.
    pub at: Rect,
    /// Its last character, there.
    pub last: Rect,
    /// On the page of the file.
    pub home: Rect,
    pub confidence: Option<f32>,
}

/// An upright page.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sheet {
    pub width: f32,
    pub height: f32,
    /// In the order of the file.
    pub tokens: Vec<Token>,
    /// What runs otherwise than the rest: stamps, notes up the side.
    pub aside: Vec<Token>,
    /// Thin lines.
    pub rules: Vec<Rect>,
    /// Frames and shaded areas.
    pub boxes: Vec<Rect>,
}

impl Sheet {
    pub fn new(width: f32, height: f32) -> Self {
        Sheet { width, height, ..Sheet::default() }
    }

    pub fn add(&mut self, token: Token, is_upright: bool) {
        if token.text.trim().is_empty() {
            return;
        }
        if is_upright { &mut self.tokens } else { &mut self.aside }.push(token);
    }

    /// What was filled into a field of the page, a line of the field after the other.
    pub fn fill(&mut self, value: &str, shown: &Rect, home: &Rect) {
        let lines: Vec<&str> = value.split(['\r', '\n']).filter(|line| !line.trim().is_empty()).collect();
        let height = shown.height() / lines.len().max(1) as f32;
        for (row, line) in lines.iter().enumerate() {
            let top = shown.top - height * row as f32;
            let size = height.min(12.0);
            let letters = line.chars().count().max(1) as f32;
            let step = (shown.width() / letters).min(size * 0.5);
            let mut column = 0;
            for word in line.split(' ') {
                let length = word.chars().count();
                let left = shown.left + step * column as f32;
                let at = Rect::new(left, top - height / 2.0 - size / 2.0, left + step * length as f32, top - height / 2.0 + size / 2.0);
                self.add(Token { text: word.to_owned(), spaces: 1, size, at, last: at, home: *home, ..Token::default() }, true);
                column += length + 1;
            }
        }
    }
}

/// A line of a column.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Indices of the sheet's tokens, from left to right.
    pub cells: Vec<Vec<usize>>,
    pub at: Rect,
    pub size: f32,
    /// Left and right edge of its column.
    pub column: (f32, f32),
    /// Whether it is a row of a table with rules.
    pub is_row: bool,
    pub is_margin: bool,
}

/// Lines close together in one column.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub lines: Vec<Line>,
    pub at: Rect,
    /// On which side of others it stands.
    pub side: Side,
}

/// On which side of a wider column something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Alone,
    /// One of several columns.
    Among,
    Left,
    Right,
}

/// The text of a document's pages, each with its number from 1.
pub(crate) fn read(sheets: &[(u32, Sheet)], margins_apart: bool) -> Reading {
    let mut pages: Vec<Vec<Part>> = sheets.iter().map(|(_, sheet)| columns::parts(sheet)).collect();
    if margins_apart {
        furniture::mark(sheets, &mut pages);
    }
    flow::text(sheets, &pages, margins_apart)
}
