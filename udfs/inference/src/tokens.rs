//! Text to tokens: a Hugging Face tokenizer whose offsets lead back to the text.

use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use tokenizers::Tokenizer;

/// What is changed before the tokenizer sees a text; one character stays one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalisation {
    Lowercase,
    /// Apostrophes, quotes, dashes and spaces as a keyboard has them.
    Typography,
}

impl Normalisation {
    fn apply(self, c: char) -> char {
        match self {
            Normalisation::Lowercase => {
                let mut lower = c.to_lowercase();
                match (lower.next(), lower.next()) {
                    (Some(one), None) => one,
                    _ => c,
                }
            }
            Normalisation::Typography => match c {
                '’' | '‘' | 'ʼ' | '′' | '´' => '\'',
                '“' | '”' | '„' | '″' => '"',
                '–' | '—' | '‐' | '‑' | '−' => '-',
                '\u{a0}' | '\u{202f}' | '\u{2009}' | '\t' => ' ',
                _ => c,
            },
        }
    }
}

/// Tokens of one text, without special ones.
#[derive(Debug, Default)]
pub struct Tokens {
    pub ids: Vec<u32>,
    /// Bytes of the text.
    pub ranges: Vec<Range<usize>>,
    /// Which word of the pre-tokenizer each belongs to.
    pub words: Vec<Option<u32>>,
}

/// A tokenizer with what its model puts around a text.
pub struct TextTokenizer {
    tokenizer: Tokenizer,
    normalisation: Vec<Normalisation>,
    /// Special tokens before and behind a text.
    pub prefix: Vec<u32>,
    pub suffix: Vec<u32>,
    pub padding: u32,
}

impl TextTokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// Errors: the file is no fast tokenizer.
    pub fn read(path: &Path, normalisation: &[Normalisation]) -> Result<TextTokenizer, String> {
        let mut tokenizer = Tokenizer::from_file(path).map_err(|e| format!("tokenizer.json cannot be read as a fast tokenizer: {e}"))?;
        let padding = tokenizer.get_padding().map(|p| p.pad_id);
        tokenizer.with_padding(None);
        // What the file cuts at is the trainer's choice; windows are cut here.
        tokenizer.with_truncation(None).map_err(|e| format!("tokenizer.json: {e}"))?;
        let padding = padding.or_else(|| ["<pad>", "[PAD]", "<|pad|>"].iter().find_map(|token| tokenizer.token_to_id(token)));
        let probe = tokenizer.encode("a", true).map_err(|e| format!("tokenizer.json: {e}"))?;
        let special = probe.get_special_tokens_mask();
        let first = special.iter().position(|s| *s == 0);
        let last = special.iter().rposition(|s| *s == 0);
        let (Some(first), Some(last)) = (first, last) else {
            return Err("tokenizer.json makes no token of the letter a".to_owned());
        };
        let (prefix, suffix) = (probe.get_ids()[..first].to_vec(), probe.get_ids()[last + 1..].to_vec());
        Ok(TextTokenizer { tokenizer, normalisation: normalisation.to_vec(), prefix, suffix, padding: padding.unwrap_or(0) })
    }

    /// How many special tokens a window has.
    pub fn special(&self) -> usize {
        self.prefix.len() + self.suffix.len()
    }

    /// Size of the vocabulary, added tokens included.
    pub fn vocabulary(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// The token of an id.
    pub fn token(&self, id: u32) -> Option<String> {
        self.tokenizer.id_to_token(id)
    }

    /// Tokens of a whole text.
    ///
    /// Errors: the tokenizer fails on it.
    pub fn tokens(&self, text: &str) -> Result<Tokens, String> {
        if text.is_empty() {
            return Ok(Tokens::default());
        }
        let (normalised, bytes) = self.normalised(text);
        let input = normalised.as_deref().unwrap_or(text);
        // An error may quote the text.
        let encoding = self.tokenizer.encode(input, false).map_err(|_| "the tokenizer fails on the text".to_owned())?;
        let range = |&(start, end): &(usize, usize)| {
            let (start, end) = match &bytes {
                Some(bytes) => (bytes[start.min(bytes.len() - 1)] as usize, bytes[end.min(bytes.len() - 1)] as usize),
                None => (start, end),
            };
            whole(text, start, end)
        };
        let ranges = encoding.get_offsets().iter().map(range).collect();
        Ok(Tokens { ids: encoding.get_ids().to_vec(), ranges, words: encoding.get_word_ids().to_vec() })
    }

    /// The text as the tokenizer shall see it where that differs, and for each of its
    /// bytes the byte of the text, where these differ.
    fn normalised(&self, text: &str) -> (Option<String>, Option<Vec<u32>>) {
        if self.normalisation.is_empty() {
            return (None, None);
        }
        let mut out = String::with_capacity(text.len());
        let mut bytes = Vec::with_capacity(text.len() + 1);
        let mut moved = false;
        for (at, c) in text.char_indices() {
            let changed = self.normalisation.iter().fold(c, |c, n| n.apply(c));
            bytes.extend(std::iter::repeat_n(at as u32, changed.len_utf8()));
            moved |= changed.len_utf8() != c.len_utf8();
            out.push(changed);
        }
        bytes.push(text.len() as u32);
        (Some(out), moved.then_some(bytes))
    }
}

/// The range widened to whole characters within the text.
fn whole(text: &str, start: usize, end: usize) -> Range<usize> {
    let (mut start, mut end) = (start.min(text.len()), end.min(text.len()));
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A word-level tokenizer of our own, as `tokenizer.json` writes it.
    pub(crate) fn file(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("tokenizer.json");
        let json = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[
            {"id":0,"content":"[PAD]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
            {"id":1,"content":"[CLS]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
            {"id":2,"content":"[SEP]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
            "normalizer":null,"pre_tokenizer":{"type":"BertPreTokenizer"},
            "post_processor":{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]},"decoder":null,
            "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"","max_input_chars_per_word":100,
            "vocab":{"[PAD]":0,"[CLS]":1,"[SEP]":2,"[UNK]":3,"avc":4,"é":5,"t":6,"a":7,"i":8,"l":9,"'":10,"I":11,"İ":12}}}"#;
        std::fs::write(&path, json).unwrap();
        path
    }

    #[test]
    fn offsets_lead_back_to_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path());
        let tokenizer = TextTokenizer::read(&path, &[Normalisation::Lowercase, Normalisation::Typography]).unwrap();
        assert_eq!((tokenizer.prefix.as_slice(), tokenizer.suffix.as_slice(), tokenizer.padding), ([1].as_slice(), [2].as_slice(), 0));
        // The apostrophe is three bytes here and one for the tokenizer.
        let text = "l’É\u{a0}AVC\u{a0}!";
        let tokens = tokenizer.tokens(text).unwrap();
        let words: Vec<&str> = tokens.ranges.iter().map(|r| &text[r.clone()]).collect();
        assert_eq!(words, ["l", "’", "É", "AVC", "!"]);
        assert_eq!(tokens.ids, [9, 10, 5, 4, 3]);
        assert!(tokenizer.tokens("").unwrap().ids.is_empty());
    }

    #[test]
    fn one_character_stays_one() {
        // İ in small letters is two characters: it stays.
        assert_eq!(Normalisation::Lowercase.apply('İ'), 'İ');
        assert_eq!(Normalisation::Lowercase.apply('É'), 'é');
    }

    #[test]
    fn a_wrong_file_is_said_to_be_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        std::fs::write(&path, "{}").unwrap();
        let Err(error) = TextTokenizer::read(&path, &[]) else { panic!("an empty object was read") };
        assert!(error.contains("tokenizer.json"), "{error}");
    }
}
