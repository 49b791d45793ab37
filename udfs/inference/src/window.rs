//! A long text cut into windows that overlap, on sentence bounds where there are any.

use std::ops::Range;

/// Tokens that a model sees at once, and those of them whose labels count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub tokens: Range<usize>,
    /// Every token is owned by one window: the one in which it has most context.
    pub owned: Range<usize>,
}

/// Cuts `count` tokens into windows of at most `capacity`, of which two neighbours
/// share at least `overlap`. `sentences` are the tokens that sentences begin with,
/// ascending.
pub fn windows(count: usize, capacity: usize, overlap: usize, sentences: &[usize]) -> Vec<Window> {
    let capacity = capacity.max(1);
    let overlap = overlap.min(capacity / 2);
    if count == 0 {
        return Vec::new();
    }
    let bound_within = |range: Range<usize>| {
        let at = sentences.partition_point(|s| *s <= range.end);
        sentences[..at].last().copied().filter(|s| *s > range.start)
    };
    let mut cut: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    loop {
        let most = start + capacity;
        if most >= count {
            cut.push(start..count);
            break;
        }
        let end = bound_within(start + capacity / 2..most).unwrap_or(most);
        cut.push(start..end);
        // A sentence begins the next window where that costs no more than another overlap.
        let latest = end - overlap.min(end - start - 1);
        let earliest = latest.saturating_sub(overlap).max(start);
        start = bound_within(earliest..latest).unwrap_or(latest).max(start + 1);
    }
    let mut windows: Vec<Window> = Vec::with_capacity(cut.len());
    let mut from = 0;
    for (index, tokens) in cut.iter().enumerate() {
        let to = match cut.get(index + 1) {
            None => count,
            Some(next) => {
                let shared = next.start..tokens.end;
                let middle = shared.start + shared.len() / 2;
                // A span is not parted where a sentence ends.
                let near = [
                    bound_within(shared.start.saturating_sub(1)..middle),
                    sentences.get(sentences.partition_point(|s| *s < middle)).copied().filter(|s| *s < shared.end),
                ];
                near.into_iter().flatten().filter(|s| *s >= from).min_by_key(|s| s.abs_diff(middle)).unwrap_or(middle).max(from)
            }
        };
        windows.push(Window { tokens: tokens.clone(), owned: from..to });
        from = to;
    }
    windows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_short_text_is_one_window() {
        assert_eq!(windows(10, 10, 2, &[0, 5]), [Window { tokens: 0..10, owned: 0..10 }]);
        assert_eq!(windows(0, 10, 2, &[]), []);
    }

    #[test]
    fn windows_keep_to_sentences() {
        let found = windows(30, 12, 3, &[0, 8, 11, 18, 26]);
        let tokens: Vec<_> = found.iter().map(|w| w.tokens.clone()).collect();
        assert_eq!(tokens, [0..11, 8..18, 15..26, 23..30]);
        assert!(found.iter().take(1).all(|w| w.owned.end == 8 || w.owned.end == 11), "{found:?}");
    }

    #[test]
    fn a_text_without_sentences_is_cut_all_the_same() {
        let found = windows(100, 20, 4, &[0]);
        assert!(found.iter().all(|w| w.tokens.len() <= 20));
        assert_eq!(found[0], Window { tokens: 0..20, owned: 0..18 });
    }

    proptest! {
        #[test]
        fn every_token_is_owned_once_by_a_window_that_sees_it(
            count in 0usize..400, capacity in 1usize..64, overlap in 0usize..40, mut sentences in proptest::collection::vec(0usize..400, 0..40),
        ) {
            sentences.sort_unstable();
            let found = windows(count, capacity, overlap, &sentences);
            let mut next = 0;
            for window in &found {
                prop_assert!(window.tokens.len() <= capacity && !window.tokens.is_empty());
                prop_assert_eq!(window.owned.start, next);
                prop_assert!(window.owned.is_empty() || window.tokens.start <= window.owned.start && window.owned.end <= window.tokens.end, "{:?}", found);
                next = window.owned.end;
            }
            prop_assert_eq!(next, count);
            for pair in found.windows(2) {
                prop_assert!(pair[1].tokens.start <= pair[0].tokens.end, "{:?}", found);
                prop_assert!(pair[0].tokens.end - pair[1].tokens.start >= overlap.min(capacity / 2).min(pair[0].tokens.len() - 1));
            }
        }
    }
}
