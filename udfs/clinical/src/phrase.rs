//! Phrases of the pattern language in a text: `Phrases` is a set of them with a
//! vocabulary of its own, for whoever looks for words beyond the lexicon.

use std::ops::Range;

use crate::lexicon::pattern::{Context, PatternError, Piece, parse_cue};
use crate::text::Text;
use crate::trie::{Hit, Trie};
use crate::vocabulary::{Vocabulary, WordId};

/// Adds every form of a phrase to a tree; gives the context it asks for, if any.
pub(crate) fn insert(trie: &mut Trie, vocabulary: &mut Vocabulary, phrase: &str, value: u32) -> Result<Option<Context>, PatternError> {
    let pattern = parse_cue(phrase)?;
    for form in &pattern.forms {
        let words: Vec<_> = form
            .iter()
            .map(|piece| match piece {
                Piece::Word { fold, upper } => (Some(vocabulary.intern(fold)), *upper),
                Piece::Gap => (None, false),
            })
            .collect();
        trie.insert(&words, value);
    }
    Ok(pattern.context)
}

/// A set of phrases, each with a value.
///
/// The pattern language: `hypertendu(e)` optional letters, `[a/b c/]` alternatives,
/// `...` a gap of up to four words, `=` capitals as written; words match by stem,
/// whatever their accents and inflection.
#[derive(Default)]
pub struct Phrases {
    trie: Trie,
    vocabulary: Vocabulary,
}

impl Phrases {
    /// Adds a phrase. Call [`Self::finish`] after the last one.
    ///
    /// Errors: a phrase that the pattern language does not know.
    pub fn add(&mut self, phrase: &str, value: u32) -> Result<(), PatternError> {
        insert(&mut self.trie, &mut self.vocabulary, phrase, value).map(drop)
    }

    /// A word that may stand inside any phrase without being part of it ("de", "la").
    pub fn skip(&mut self, word: &str) {
        let id = self.vocabulary.intern(word);
        self.trie.skip(id);
    }

    pub fn finish(&mut self) {
        self.vocabulary.finish();
    }

    /// Numbers of a text's words in this set; look a text up once, search as often as needed.
    pub fn read(&self, text: &Text<'_>) -> Vec<WordId> {
        self.vocabulary.read(text)
    }

    /// Every phrase that starts in these tokens and ends before their end, ascending;
    /// longer ones first where several start together.
    pub fn find(&self, text: &Text<'_>, words: &[WordId], tokens: Range<usize>) -> Vec<Hit> {
        let mut found = Vec::new();
        for start in tokens.clone() {
            self.trie.walk(text, words, &self.vocabulary, start, |hit| {
                if hit.end <= tokens.end {
                    found.push(hit);
                }
            });
        }
        found.sort_by_key(|h| (h.start, std::cmp::Reverse(h.end), h.value));
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_phrases_with_their_values() {
        let mut phrases = Phrases::default();
        for (value, phrase) in ["retour [à domicile/au domicile]", "rentré(e) ... maison"].iter().enumerate() {
            phrases.add(phrase, value as u32).unwrap();
        }
        phrases.finish();
        let text = Text::new("Retour au domicile le 3. Elle est rentrée hier à la maison.");
        let words = phrases.read(&text);
        let found: Vec<_> =
            phrases.find(&text, &words, 0..words.len()).iter().map(|h| (h.value, text.source(h.start..h.end).to_owned())).collect();
        assert_eq!(found, [(0, "Retour au domicile".to_owned()), (1, "rentrée hier à la maison".to_owned())]);
    }
}
