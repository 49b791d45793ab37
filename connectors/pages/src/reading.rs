//! What an attachment says, and where on its pages.

use crate::geometry::Rect;
use crate::wire::{Decoder, Encoder};

/// A word of the text and where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Word {
    /// In characters (Unicode scalar values) of the text, end exclusive.
    pub start: u32,
    pub end: u32,
    /// From 1.
    pub page: u32,
    /// In points of the page as the file holds it, before any turn.
    pub at: Rect,
    /// How sure the recognition is, 0 to 1; `None` where the text was written.
    pub confidence: Option<f32>,
}

/// The text of an attachment.
#[derive(Clone, PartialEq, Default)]
pub struct Reading {
    /// The body, in reading order.
    pub text: String,
    /// Letterheads, headers, footers and margins, which are no part of the body.
    pub margins: String,
    /// In the order of the text.
    pub words: Vec<Word>,
    pub pages: u32,
    /// Pages, from 1, of which the text was recognised in a picture.
    pub recognised: Vec<u32>,
    /// Pages, from 1, that show something of which no text could be had.
    pub unread: Vec<u32>,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reading({} pages, {} words, {} bytes of text)", self.pages, self.words.len(), self.text.len())
    }
}

impl Reading {
    /// As bytes, for a pipe or a file.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.text(&self.text);
        out.text(&self.margins);
        out.number(self.pages);
        for list in [&self.recognised, &self.unread] {
            out.number(list.len() as u32);
            list.iter().for_each(|page| out.number(*page));
        }
        out.number(self.words.len() as u32);
        for word in &self.words {
            [word.start, word.end, word.page].into_iter().for_each(|n| out.number(n));
            let Rect { left, bottom, right, top } = word.at;
            [left, bottom, right, top, word.confidence.unwrap_or(-1.0)].into_iter().for_each(|v| out.float(v));
        }
        out.finish()
    }

    /// What [`Reading::encode`] wrote; `None` where it is something else. What a
    /// process says that read hostile bytes is itself not believed blindly.
    pub fn decode(bytes: &[u8]) -> Option<Reading> {
        let mut from = Decoder::new(bytes);
        let (text, margins, pages) = (from.text()?, from.text()?, from.number()?);
        let mut list = || {
            let count = from.count(4)?;
            (0..count).map(|_| from.number()).collect::<Option<Vec<u32>>>()
        };
        let (recognised, unread) = (list()?, list()?);
        let count = from.count(32)?;
        let length = text.chars().count() as u32;
        let mut words = Vec::with_capacity(count);
        for _ in 0..count {
            let (start, end, page) = (from.number()?, from.number()?, from.number()?);
            let at = Rect { left: from.float()?, bottom: from.float()?, right: from.float()?, top: from.float()? };
            let confidence = Some(from.float()?).filter(|c| *c >= 0.0);
            if start >= end || end > length || page == 0 || page > pages || !at.is_finite() {
                return None;
            }
            words.push(Word { start, end, page, at, confidence });
        }
        from.is_done().then_some(Reading { text, margins, words, pages, recognised, unread })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading() -> Reading {
        let word = |start, end, confidence| Word { start, end, page: 1, at: Rect::new(1.0, 2.0, 3.0, 4.0), confidence };
        Reading {
            text: "été froid".into(),
            margins: "CHU".into(),
            words: vec![word(0, 3, None), word(4, 9, Some(0.5))],
            pages: 2,
            recognised: vec![1],
            unread: vec![2],
        }
    }

    #[test]
    fn a_reading_survives_the_wire() {
        assert_eq!(Reading::decode(&reading().encode()), Some(reading()));
    }

    #[test]
    fn debug_does_not_quote() {
        assert!(!format!("{:?}", reading()).contains("froid"));
    }

    proptest::proptest! {
        #[test]
        fn damaged_bytes_are_refused_or_read(at: usize, byte: u8, cut: usize) {
            let mut bytes = reading().encode();
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(length - cut % length);
            if let Some(read) = Reading::decode(&bytes) {
                let length = read.text.chars().count() as u32;
                assert!(read.words.iter().all(|w| w.end <= length));
            }
        }
    }
}
