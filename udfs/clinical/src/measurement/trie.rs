//! Phrases of folded tokens and what they stand for.

use rustc_hash::FxHashMap;

use crate::is;
use crate::text::Text;

/// A trie over folded tokens.
pub(super) struct Trie<T> {
    nodes: Vec<Node<T>>,
}

struct Node<T> {
    next: FxHashMap<Box<str>, u32>,
    values: Vec<T>,
}

impl<T> Default for Trie<T> {
    fn default() -> Self {
        Trie { nodes: vec![Node { next: FxHashMap::default(), values: Vec::new() }] }
    }
}

impl<T> Trie<T> {
    pub(super) fn insert<'w>(&mut self, words: impl Iterator<Item = &'w str>, value: T) {
        let mut at = 0usize;
        for word in words {
            at = match self.nodes[at].next.get(word) {
                Some(next) => *next as usize,
                None => {
                    let new = self.nodes.len();
                    self.nodes[at].next.insert(word.into(), new as u32);
                    self.nodes.push(Node { next: FxHashMap::default(), values: Vec::new() });
                    new
                }
            };
        }
        self.nodes[at].values.push(value);
    }

    fn step(&self, node: u32, word: &str) -> Option<u32> {
        self.nodes[node as usize].next.get(word).copied()
    }

    /// Longest run of `first` and the tokens from `from` on with a value that `accept`
    /// takes; the token after it. A hyphen between two words may be left out when
    /// `hyphens` says so.
    pub(super) fn longest<'s, R>(
        &'s self,
        text: &Text<'_>,
        first: &str,
        from: usize,
        hyphens: bool,
        accept: impl Fn(&'s [T]) -> Option<R>,
    ) -> Option<(R, usize)> {
        let mut node = self.step(0, first)?;
        let mut next = from;
        let mut best = None;
        loop {
            let values = &self.nodes[node as usize].values;
            if !values.is_empty()
                && let Some(found) = accept(values)
            {
                best = Some((found, next));
            }
            let Some(token) = text.tokens.get(next) else { break };
            if token.lines_before > 1 {
                break;
            }
            if let Some(n) = self.step(node, text.fold(next)) {
                (node, next) = (n, next + 1);
            } else if hyphens
                && is!(text.key(next), "-")
                && next + 1 < text.tokens.len()
                && let Some(n) = self.step(node, text.fold(next + 1))
            {
                (node, next) = (n, next + 2);
            } else {
                break;
            }
        }
        best
    }
}
