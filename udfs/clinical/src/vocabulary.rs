//! The words that the lexicon, the cues and the section titles are made of.
//!
//! Every text is looked up once, word by word; what follows compares numbers.

use rustc_hash::FxHashMap;

use crate::stem::{alternative, stem};
use crate::text::{Kind, Text};

/// Number of a known word; [`UNKNOWN`] for all others.
pub type WordId = u32;

/// A word that no list holds.
pub const UNKNOWN: WordId = 0;

/// Known words by stem.
#[derive(Default)]
pub struct Vocabulary {
    ids: FxHashMap<Box<str>, WordId>,
    /// Sorted stems with their ids: cut words ("insuff.") are found by prefix.
    sorted: Vec<(Box<str>, WordId)>,
}

impl Vocabulary {
    /// Number of a listed word; new words get the next number.
    pub fn intern(&mut self, folded: &str) -> WordId {
        let stem = stem(folded);
        if let Some(id) = self.ids.get(stem) {
            return *id;
        }
        let id = self.ids.len() as WordId + 1;
        self.ids.insert(stem.into(), id);
        id
    }

    /// Number of a written word.
    pub fn get(&self, folded: &str) -> WordId {
        if let Some(id) = self.ids.get(stem(folded)) {
            return *id;
        }
        alternative(folded).and_then(|a| self.ids.get(stem(&a)).copied()).unwrap_or(UNKNOWN)
    }

    /// Call once after the last `intern`.
    pub fn finish(&mut self) {
        self.sorted = self.ids.iter().map(|(s, id)| (s.clone(), *id)).collect();
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
            .map(|i| {
                let fold = text.fold(i);
                match text.tokens[i].kind {
                    Kind::Mark => self.ids.get(fold).copied().unwrap_or(UNKNOWN),
                    Kind::Word | Kind::Number => self.get(fold),
                }
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
