//! The words that the lexicon, the cues and the section titles are made of.
//!
//! Every text is looked up once, word by word; what follows compares numbers.

use rustc_hash::FxHashMap;

use crate::stem::{alternative, stem};
use crate::text::{Kind, Text, key};

/// Number of a known word; [`UNKNOWN`] for all others.
pub type WordId = u32;

/// A word that no list holds.
pub const UNKNOWN: WordId = 0;

/// Known words by stem.
#[derive(Default)]
pub struct Vocabulary {
    /// By the [`key`] of the stem.
    ids: FxHashMap<u64, WordId>,
    /// Stems with their ids, sorted in the end: cut words ("insuff.") are found by prefix.
    sorted: Vec<(Box<str>, WordId)>,
}

impl Vocabulary {
    /// Number of a listed word; new words get the next number.
    pub fn intern(&mut self, folded: &str) -> WordId {
        let stem = stem(folded);
        let next = self.ids.len() as WordId + 1;
        let id = *self.ids.entry(key(stem)).or_insert(next);
        if id == next {
            self.sorted.push((stem.into(), id));
        }
        id
    }

    /// Number of a written word.
    pub fn get(&self, folded: &str) -> WordId {
        let listed = |word: &str| self.ids.get(&key(stem(word))).copied();
        listed(folded).or_else(|| listed(&alternative(folded)?)).unwrap_or(UNKNOWN)
    }

    /// Call once after the last `intern`.
    pub fn finish(&mut self) {
        self.sorted.sort();
    }

    /// Known words that start with these letters, at most `limit`; none when there are more.
    pub fn completions(&self, prefix: &str, limit: usize) -> &[(Box<str>, WordId)] {
        let first = self.sorted.partition_point(|(s, _)| s.as_ref() < prefix);
        let rest = &self.sorted[first..];
        let count = rest.iter().take(limit + 1).take_while(|(s, _)| s.starts_with(prefix)).count();
        if count > limit { &[] } else { &rest[..count] }
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Word numbers of a text's tokens; marks are interned as they stand.
    pub fn read(&self, text: &Text<'_>) -> Vec<WordId> {
        (0..text.tokens.len())
            .map(|i| match text.tokens[i].kind {
                Kind::Mark => self.ids.get(&text.key(i)).copied().unwrap_or(UNKNOWN),
                Kind::Word | Kind::Number => self.get(text.fold(i)),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_inflected_and_cut_words() {
        let mut vocabulary = Vocabulary::default();
        let id = vocabulary.intern("insuffisance");
        let cerebral = vocabulary.intern("cerebral");
        vocabulary.finish();
        assert_eq!(vocabulary.get("insuffisances"), id);
        assert_eq!(vocabulary.get("cerebraux"), cerebral);
        assert_eq!(vocabulary.get("autre"), UNKNOWN);
        assert_eq!(vocabulary.completions("insuff", 4).len(), 1);
    }
}
