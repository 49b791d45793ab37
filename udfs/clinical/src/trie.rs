//! Phrases as a tree of word numbers, walked over a text.
//!
//! The walk skips small words and joining marks inside a phrase, allows a gap
//! where the phrase has one, and completes words cut by a dot.

use rustc_hash::FxHashMap;

use crate::is;
use crate::text::{Kind, Text};
use crate::vocabulary::{UNKNOWN, Vocabulary, WordId};

/// Longest gap, in words.
pub const GAP: usize = 4;
/// Most words skipped inside one phrase.
pub const SKIPS: usize = 6;

type Node = u32;

/// What ends at a node: the index of the phrase's value and which words need capitals.
#[derive(Debug, Clone, Copy)]
struct End {
    value: u32,
    /// Bit i: the i-th matched word must be written in capitals.
    upper: u16,
}

/// A phrase found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// First token.
    pub start: usize,
    /// Token after the last one.
    pub end: usize,
    /// Words of the phrase that were matched (skipped words do not count).
    pub words: usize,
    /// Value given at [`Trie::insert`].
    pub value: u32,
}

/// A set of phrases.
#[derive(Default)]
pub struct Trie {
    children: FxHashMap<(Node, WordId), Node>,
    gaps: FxHashMap<Node, Node>,
    ends: FxHashMap<Node, Vec<End>>,
    nodes: Node,
    /// By word: whether a phrase starts with it.
    starts: Vec<bool>,
    /// By word: whether it may be skipped inside a phrase.
    skippable: Vec<bool>,
}

impl Trie {
    /// Adds a phrase: word numbers, `None` for a gap. Says whether it is new.
    pub fn insert(&mut self, words: &[(Option<WordId>, bool)], value: u32) -> bool {
        let mut node = 0;
        let mut upper = 0u16;
        let mut position = 0;
        for (word, capitals) in words {
            let next = self.nodes + 1;
            let child = match word {
                Some(id) => {
                    if *capitals && position < 16 {
                        upper |= 1 << position;
                    }
                    position += 1;
                    *self.children.entry((node, *id)).or_insert(next)
                }
                None => *self.gaps.entry(node).or_insert(next),
            };
            self.nodes = self.nodes.max(child);
            node = child;
        }
        if let Some((Some(first), _)) = words.first() {
            mark(&mut self.starts, *first);
        }
        let ends = self.ends.entry(node).or_default();
        let new = !ends.iter().any(|e| e.value == value && e.upper == upper);
        if new {
            ends.push(End { value, upper });
        }
        new
    }

    /// The values of every phrase.
    #[cfg(test)]
    pub fn values(&self) -> impl Iterator<Item = Vec<u32>> + '_ {
        self.ends.values().map(|ends| ends.iter().map(|e| e.value).collect())
    }

    /// Lets the walk pass over this word inside phrases.
    pub fn skip(&mut self, word: WordId) {
        mark(&mut self.skippable, word);
    }

    /// All phrases that start at this token, calling `found` for each.
    pub fn walk(&self, text: &Text<'_>, words: &[WordId], vocabulary: &Vocabulary, start: usize, mut found: impl FnMut(Hit)) {
        let id = words[start];
        if id != UNKNOWN
            && self.starts.get(id as usize).copied().unwrap_or(false)
            && let Some(node) = self.children.get(&(0, id))
        {
            let mut walk = Walk { trie: self, text, words, vocabulary, start, found: &mut found };
            walk.take(*node, start, 1, u16::from(text.tokens[start].upper), 0);
        } else if cut_word(text, words, start) {
            // At the end of a sentence it may be a whole word: alone it is not enough.
            let least = if goes_on(text, start + 2) { 1 } else { 2 };
            let mut found = |hit: Hit| {
                if hit.words >= least {
                    found(hit)
                }
            };
            for (_, id) in completions(text, vocabulary, start, 5) {
                if let Some(node) = self.children.get(&(0, *id)) {
                    let mut walk = Walk { trie: self, text, words, vocabulary, start, found: &mut found };
                    walk.follow(*node, start + 2, 1, u16::from(text.tokens[start].upper), 0);
                }
            }
        }
    }
}

/// Whether a mark may stand inside a phrase that does not have it: "post-AVC", "A.I.T.".
pub fn joins(text: &Text<'_>, at: usize) -> bool {
    let token = &text.tokens[at];
    match text.fold(at) {
        "'" | "-" => true,
        "/" | "." => !token.space_before && text.tokens.get(at + 1).is_some_and(|next| !next.space_before),
        _ => false,
    }
}

/// Whether the gap of a phrase cannot reach over a token of its lines.
pub fn ends_gap(text: &Text<'_>, at: usize) -> bool {
    text.tokens[at].kind == Kind::Mark && is!(text.key(at), "." | ";" | ":" | "!" | "?" | "," | "☐" | "☒" | "☑" | "□" | "■")
}

fn mark(flags: &mut Vec<bool>, word: WordId) {
    let i = word as usize;
    if flags.len() <= i {
        flags.resize(i + 1, false);
    }
    flags[i] = true;
}

/// A word that no list holds, written with a dot right behind it: "insuff.".
fn cut_word(text: &Text<'_>, words: &[WordId], at: usize) -> bool {
    words[at] == UNKNOWN && dotted(text, at)
}

/// A word with a dot right behind it.
fn dotted(text: &Text<'_>, at: usize) -> bool {
    text.tokens[at].kind == Kind::Word
        && text.tokens.get(at + 1).is_some_and(|t| t.kind == Kind::Mark && !t.space_before)
        && is!(text.key(at + 1), ".")
}

/// The sentence goes on at this token: the dot before it cut a word.
fn goes_on(text: &Text<'_>, at: usize) -> bool {
    text.tokens.get(at).is_some_and(|t| {
        t.lines_before == 0
            && match t.kind {
                Kind::Word => !t.capital,
                Kind::Number => true,
                Kind::Mark => is!(text.key(at), "," | ";" | ":" | ")" | "/" | "+"),
            }
    })
}

/// Known words that start like a cut one; a cut takes at least two letters away.
fn completions<'v>(text: &Text<'_>, vocabulary: &'v Vocabulary, at: usize, least: usize) -> impl Iterator<Item = &'v (Box<str>, WordId)> {
    let prefix = text.fold(at);
    let length = prefix.len();
    let known = if length < least { &[] } else { vocabulary.completions(prefix, 12) };
    known.iter().filter(move |(word, _)| word.len() >= length + 2)
}

struct Walk<'w, 't, F> {
    trie: &'w Trie,
    text: &'w Text<'t>,
    words: &'w [WordId],
    vocabulary: &'w Vocabulary,
    start: usize,
    found: &'w mut F,
}

impl<F: FnMut(Hit)> Walk<'_, '_, F> {
    /// At `node`, with tokens up to `at` read.
    fn follow(&mut self, node: Node, at: usize, matched: usize, capitals: u16, skips: usize) {
        if let Some(ends) = self.trie.ends.get(&node) {
            for end in ends {
                if end.upper & !capitals == 0 {
                    (self.found)(Hit { start: self.start, end: at, words: matched, value: end.value });
                }
            }
        }
        if let Some(gap) = self.trie.gaps.get(&node) {
            self.gap(*gap, at, matched, capitals);
        }
        let Some(token) = self.text.tokens.get(at) else { return };
        if token.lines_before > 1 {
            return;
        }
        let id = self.words[at];
        if id != UNKNOWN
            && let Some(next) = self.trie.children.get(&(node, id))
        {
            let capitals = capitals | (u16::from(token.upper) << matched.min(15));
            self.take(*next, at, matched + 1, capitals, skips);
        }
        if skips < SKIPS && self.may_skip(at) {
            self.follow_after_skip(node, at + 1, matched, capitals, skips + 1);
        } else if cut_word(self.text, self.words, at) {
            for (_, id) in completions(self.text, self.vocabulary, at, 3) {
                if let Some(next) = self.trie.children.get(&(node, *id)) {
                    let capitals = capitals | (u16::from(token.upper) << matched.min(15));
                    self.follow(*next, at + 2, matched + 1, capitals, skips);
                }
            }
        }
    }

    /// Past the word at `at`, and past the dot of a short form that is listed without it: "insuff. cardiaque".
    fn take(&mut self, node: Node, at: usize, matched: usize, capitals: u16, skips: usize) {
        self.follow(node, at + 1, matched, capitals, skips);
        if dotted(self.text, at) && goes_on(self.text, at + 2) {
            self.follow_after_skip(node, at + 2, matched, capitals, skips);
        }
    }

    /// As [`Self::follow`], but a phrase cannot end on a skipped word.
    fn follow_after_skip(&mut self, node: Node, at: usize, matched: usize, capitals: u16, skips: usize) {
        let Some(token) = self.text.tokens.get(at) else { return };
        if token.lines_before > 1 {
            return;
        }
        let id = self.words[at];
        if id != UNKNOWN
            && let Some(next) = self.trie.children.get(&(node, id))
        {
            let capitals = capitals | (u16::from(token.upper) << matched.min(15));
            self.take(*next, at, matched + 1, capitals, skips);
            return;
        }
        if skips < SKIPS && self.may_skip(at) {
            self.follow_after_skip(node, at + 1, matched, capitals, skips + 1);
        } else if cut_word(self.text, self.words, at) {
            for (_, id) in completions(self.text, self.vocabulary, at, 3) {
                if let Some(next) = self.trie.children.get(&(node, *id)) {
                    self.follow(*next, at + 2, matched + 1, capitals, skips);
                }
            }
        }
    }

    fn gap(&mut self, node: Node, from: usize, matched: usize, capitals: u16) {
        for at in from..(from + GAP + 1).min(self.words.len()) {
            let token = &self.text.tokens[at];
            if token.lines_before > 1 {
                return;
            }
            let id = self.words[at];
            if id != UNKNOWN
                && let Some(next) = self.trie.children.get(&(node, id))
            {
                let capitals = capitals | (u16::from(token.upper) << matched.min(15));
                self.follow(*next, at + 1, matched + 1, capitals, 0);
            }
            // The mark that ends the gap may be the word behind it: "discuté ... , non".
            if ends_gap(self.text, at) {
                return;
            }
        }
    }

    fn may_skip(&self, at: usize) -> bool {
        match self.text.tokens[at].kind {
            Kind::Mark => joins(self.text, at),
            _ => self.trie.skippable.get(self.words[at] as usize).copied().unwrap_or(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trie(phrases: &[&str], skips: &[&str]) -> (Trie, Vocabulary) {
        let (mut trie, mut vocabulary) = (Trie::default(), Vocabulary::default());
        for (value, phrase) in phrases.iter().enumerate() {
            let words: Vec<_> = phrase
                .split(' ')
                .map(|w| {
                    if w == "..." {
                        (None, false)
                    } else {
                        (Some(vocabulary.intern(&w.to_lowercase())), w.len() < 4 && w == w.to_uppercase())
                    }
                })
                .collect();
            trie.insert(&words, value as u32);
        }
        for word in skips {
            let id = vocabulary.intern(word);
            trie.skip(id);
        }
        vocabulary.finish();
        (trie, vocabulary)
    }

    fn found(setup: &(Trie, Vocabulary), text: &str) -> Vec<String> {
        let read = Text::new(text);
        let words = setup.1.read(&read);
        let mut all = Vec::new();
        for start in 0..words.len() {
            setup.0.walk(&read, &words, &setup.1, start, |hit| all.push(read.source(hit.start..hit.end).to_owned()));
        }
        all
    }

    #[test]
    fn skips_small_words_inside_only() {
        let setup = trie(&["perte urine"], &["de", "d", "des"]);
        assert_eq!(found(&setup, "Perte d'urines, perte des urines."), ["Perte d'urines", "perte des urines"]);
        assert_eq!(found(&setup, "perte de"), Vec::<String>::new());
    }

    #[test]
    fn gaps_stop_at_marks() {
        let setup = trie(&["bras ... pend"], &[]);
        assert_eq!(found(&setup, "le bras droit qui pend"), ["bras droit qui pend"]);
        assert_eq!(found(&setup, "bras. Il pend"), Vec::<String>::new());
        assert_eq!(found(&setup, "bras ☐ jambe ☒ pend"), Vec::<String>::new());
    }

    #[test]
    fn capitals_where_asked() {
        let setup = trie(&["FA"], &[]);
        assert_eq!(found(&setup, "FA, fa"), ["FA"]);
    }

    #[test]
    fn cut_words_are_completed() {
        let setup = trie(&["insuffisance cardiaque"], &[]);
        assert_eq!(found(&setup, "insuff. card. ancienne"), ["insuff. card."]);
        assert_eq!(found(&setup, "insuff. card."), ["insuff. card."]);
    }

    #[test]
    fn short_forms_that_are_listed_may_have_a_dot() {
        let setup = trie(&["insuff cardiaque", "infarctus cerebral", "sten carot gauche"], &[]);
        assert_eq!(found(&setup, "Insuff. cardiaque, sten. carot. gauche"), ["Insuff. cardiaque", "sten. carot. gauche"]);
        assert_eq!(found(&setup, "un infarctus. Cérébral"), Vec::<String>::new());
    }

    #[test]
    fn a_whole_word_at_the_end_of_a_sentence_is_not_cut() {
        let setup = trie(&["sterilet", "dysarthrie"], &[]);
        for text in ["champ stérile.", "champ stérile. Pas de fièvre", "champ stérile. pansement", "champ stérile.\npansement"] {
            assert_eq!(found(&setup, text), Vec::<String>::new(), "{text}");
        }
        assert_eq!(found(&setup, "dysarth. nette, dysarth., (dysarth.)"), ["dysarth."; 3]);
        assert_eq!(found(&setup, "une dysarth. Puis"), Vec::<String>::new());
    }
}
