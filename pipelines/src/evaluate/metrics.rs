//! What every score is made of: counts, and the ways to pair predicted with true spans.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{AddAssign, Range};

use super::formats::Span;

/// True positives, false positives, false negatives.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub tp: usize,
    pub fp: usize,
    pub fn_: usize,
}

impl Counts {
    pub fn precision(self) -> f64 {
        ratio(self.tp, self.tp + self.fp)
    }

    pub fn recall(self) -> f64 {
        ratio(self.tp, self.tp + self.fn_)
    }

    pub fn f1(self) -> f64 {
        ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn_)
    }

    /// Of `matched` pairs out of so many true and predicted items.
    fn matched(matched: usize, truth: usize, predicted: usize) -> Counts {
        Counts { tp: matched, fp: predicted - matched, fn_: truth - matched }
    }

    fn of_sets<T: Ord>(truth: &BTreeSet<T>, predicted: &BTreeSet<T>) -> Counts {
        Counts::matched(truth.intersection(predicted).count(), truth.len(), predicted.len())
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.tp += other.tp;
        self.fp += other.fp;
        self.fn_ += other.fn_;
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Counts>>(counts: I) -> Counts {
        counts.fold(Counts::default(), |mut sum, counts| {
            sum += counts;
            sum
        })
    }
}

/// Zero of nothing is zero.
pub fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// How a predicted span is compared with the true ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    Strict,
    End,
    Overlap,
    Token,
    Binary,
}

impl Metric {
    pub fn name(self) -> &'static str {
        match self {
            Metric::Strict => "strict",
            Metric::End => "relaxed",
            Metric::Overlap => "overlap",
            Metric::Token => "token",
            Metric::Binary => "token_any_label",
        }
    }

    pub fn definition(self) -> &'static str {
        match self {
            Metric::Strict => "same label, same start, same end",
            Metric::End => "same label, same start, end at most 2 characters off",
            Metric::Overlap => "same label, a character in common, one to one",
            Metric::Token => "same label on the same token",
            Metric::Binary => "any label on the same token",
        }
    }

    /// Counts of one document. `words` are its tokens, ascending.
    pub fn count(self, truth: &[Span], predicted: &[Span], words: &[Range<usize>]) -> Counts {
        match self {
            Metric::Strict => Counts::of_sets(&truth.iter().collect(), &predicted.iter().collect()),
            Metric::End => relaxed_end(truth, predicted, 2),
            Metric::Overlap => overlap(truth, predicted),
            Metric::Token => Counts::of_sets(&labelled(truth, words), &labelled(predicted, words)),
            Metric::Binary => Counts::of_sets(&touched(truth, words), &touched(predicted, words)),
        }
    }
}

fn relaxed_end(truth: &[Span], predicted: &[Span], tolerance: usize) -> Counts {
    let truth: BTreeSet<&Span> = truth.iter().collect();
    let mut left: BTreeSet<&Span> = predicted.iter().collect();
    let total = left.len();
    // Equal spans pair first, so that a neighbour does not take them.
    let (same, other): (Vec<&Span>, Vec<&Span>) = truth.iter().partition(|s| left.contains(**s));
    let mut matched = same.len();
    for span in same {
        left.remove(span);
    }
    for span in other {
        let close = |p: &&&Span| p.start == span.start && p.label == span.label && p.end.abs_diff(span.end) <= tolerance;
        if let Some(pair) = left.iter().find(close).copied() {
            left.remove(pair);
            matched += 1;
        }
    }
    Counts::matched(matched, truth.len(), total)
}

fn overlap(truth: &[Span], predicted: &[Span]) -> Counts {
    let (truth, predicted): (BTreeSet<&Span>, BTreeSet<&Span>) = (truth.iter().collect(), predicted.iter().collect());
    let mut pairs = Vec::new();
    for (i, t) in truth.iter().enumerate() {
        for (j, p) in predicted.iter().enumerate() {
            let shared = t.end.min(p.end).saturating_sub(t.start.max(p.start));
            if shared > 0 && t.label == p.label {
                pairs.push((Reverse(shared), i, j));
            }
        }
    }
    pairs.sort_unstable();
    let (mut taken, mut given) = (BTreeSet::new(), BTreeSet::new());
    for (_, i, j) in pairs {
        if !taken.contains(&i) && !given.contains(&j) {
            taken.insert(i);
            given.insert(j);
        }
    }
    Counts::matched(taken.len(), truth.len(), predicted.len())
}

/// Which tokens a span touches.
pub fn within(span: &Span, words: &[Range<usize>]) -> Range<usize> {
    let first = words.partition_point(|w| w.end <= span.start);
    first..words.partition_point(|w| w.start < span.end).max(first)
}

fn touched(spans: &[Span], words: &[Range<usize>]) -> BTreeSet<usize> {
    spans.iter().flat_map(|s| within(s, words)).collect()
}

fn labelled<'a>(spans: &'a [Span], words: &[Range<usize>]) -> BTreeSet<(usize, &'a str)> {
    spans.iter().flat_map(|s| within(s, words).map(move |w| (w, s.label.as_str()))).collect()
}

/// Tokens of `label` alone, as [`Metric::Token`] counts them.
pub fn tokens_of(label: &str, truth: &[Span], predicted: &[Span], words: &[Range<usize>]) -> Counts {
    let of = |spans: &[Span]| -> BTreeSet<usize> { spans.iter().filter(|s| s.label == label).flat_map(|s| within(s, words)).collect() };
    Counts::of_sets(&of(truth), &of(predicted))
}

/// Identifying tokens, and how many of them nobody can read any more.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Redaction {
    pub hidden: usize,
    pub tokens: usize,
    /// Documents in which a token is left.
    pub incomplete: usize,
}

impl Redaction {
    pub fn share(self) -> f64 {
        if self.tokens == 0 { 1.0 } else { ratio(self.hidden, self.tokens) }
    }

    /// Share of `documents` in which nothing is left.
    pub fn complete(self, documents: usize) -> f64 {
        ratio(documents - self.incomplete.min(documents), documents)
    }
}

impl AddAssign for Redaction {
    fn add_assign(&mut self, other: Redaction) {
        self.hidden += other.hidden;
        self.tokens += other.tokens;
        self.incomplete += other.incomplete;
    }
}

/// Redaction of one document: a token is hidden when predictions, whatever their
/// label, cover every character of it that a true span covers.
pub fn redaction<'a>(truth: impl Iterator<Item = &'a Span>, predicted: &[Span], words: &[Range<usize>], length: usize) -> Redaction {
    let mut masked = vec![false; length];
    for span in predicted {
        masked[span.start.min(length)..span.end.min(length)].fill(true);
    }
    let mut hidden: BTreeMap<usize, bool> = BTreeMap::new();
    for span in truth {
        for word in within(span, words) {
            let part = span.start.max(words[word].start)..span.end.min(words[word].end);
            *hidden.entry(word).or_insert(true) &= masked[part].iter().all(|m| *m);
        }
    }
    let count = hidden.values().filter(|h| **h).count();
    Redaction { hidden: count, tokens: hidden.len(), incomplete: usize::from(count < hidden.len()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evaluate::tokens::Words;

    const ALL: [Metric; 5] = [Metric::Strict, Metric::End, Metric::Overlap, Metric::Token, Metric::Binary];

    fn spans(of: &[(usize, usize, &str)]) -> Vec<Span> {
        of.iter().map(|(start, end, label)| Span { start: *start, end: *end, label: (*label).to_owned() }).collect()
    }

    fn counts(tp: usize, fp: usize, fn_: usize) -> Counts {
        Counts { tp, fp, fn_ }
    }

    #[test]
    fn each_metric_counts_as_defined() {
        let text: Vec<char> = "Mme Aline Corvec, vue le 3 mai a Plouzec".chars().collect();
        let words = Words::Alphanumeric.of(&text);
        let truth = spans(&[(4, 9, "PRENOM"), (10, 16, "NOM"), (25, 30, "DATE"), (33, 40, "VILLE")]);
        // Right; one character short; right place but another label; two words of which one is true.
        let predicted = spans(&[(4, 9, "PRENOM"), (10, 15, "NOM"), (25, 30, "ID"), (31, 40, "VILLE"), (0, 3, "NOM")]);
        let of = |metric: Metric| metric.count(&truth, &predicted, &words);
        assert_eq!(of(Metric::Strict), counts(1, 4, 3));
        assert_eq!(of(Metric::End), counts(2, 3, 2));
        assert_eq!(of(Metric::Overlap), counts(3, 2, 1));
        assert_eq!(of(Metric::Token), counts(3, 4, 2), "true tokens: Aline, Corvec, 3, mai, Plouzec");
        assert_eq!(of(Metric::Binary), counts(5, 2, 0));
        assert_eq!(tokens_of("NOM", &truth, &predicted, &words), counts(1, 1, 0));
        assert_eq!(tokens_of("DATE", &truth, &predicted, &words), counts(0, 0, 2));
        assert!((of(Metric::Overlap).f1() - 6.0 / 9.0).abs() < 1e-12);
    }

    #[test]
    fn redaction_wants_whole_words_and_whole_documents() {
        let text: Vec<char> = "Aline Corvec".chars().collect();
        let words = Words::Alphanumeric.of(&text);
        let truth = spans(&[(0, 5, "PRENOM"), (6, 12, "NOM")]);
        let short = redaction(truth.iter(), &spans(&[(0, 5, "ID"), (6, 11, "NOM")]), &words, text.len());
        assert_eq!(short, Redaction { hidden: 1, tokens: 2, incomplete: 1 });
        let whole = redaction(truth.iter(), &spans(&[(0, 12, "ID")]), &words, text.len());
        assert_eq!(whole, Redaction { hidden: 2, tokens: 2, incomplete: 0 });
        assert!((short.share() - 0.5).abs() < 1e-12);
        assert!((short.complete(4) - 0.75).abs() < 1e-12);
    }

    #[test]
    fn one_prediction_pairs_once() {
        let truth = spans(&[(0, 4, "NOM"), (5, 9, "NOM")]);
        assert_eq!(Metric::Overlap.count(&truth, &spans(&[(0, 9, "NOM")]), &[]), counts(1, 0, 1));
        assert_eq!(Metric::End.count(&spans(&[(0, 4, "NOM")]), &spans(&[(0, 4, "NOM"), (0, 5, "NOM")]), &[]), counts(1, 1, 0));
    }

    proptest! {
        #[test]
        fn a_perfect_prediction_scores_one(text in "[a-z0-9é ,./'\n]{0,60}", cuts in prop::collection::vec((0usize..60, 1usize..9, 0usize..3), 1..8)) {
            let text: Vec<char> = text.chars().collect();
            let truth: Vec<Span> = cuts
                .into_iter()
                .map(|(start, length, label)| Span { start, end: (start + length).min(text.len()), label: ["NOM", "DATE", "TEL"][label].to_owned() })
                .filter(|s| s.start < s.end && text[s.start..s.end].iter().any(|c| c.is_alphanumeric()))
                .collect();
            prop_assume!(!truth.is_empty());
            for words in [Words::Alphanumeric, Words::Eds] {
                let words = words.of(&text);
                for metric in ALL {
                    let counts = metric.count(&truth, &truth, &words);
                    prop_assert!(counts.tp > 0 && counts.f1() == 1.0 && counts.precision() == 1.0 && counts.recall() == 1.0, "{metric:?} {counts:?}");
                }
                let redaction = redaction(truth.iter(), &truth, &words, text.len());
                prop_assert!(redaction.tokens > 0 && redaction.share() == 1.0 && redaction.complete(1) == 1.0);
            }
        }

        #[test]
        fn no_metric_counts_more_than_there_is(cuts in prop::collection::vec((0usize..40, 1usize..9, any::<bool>()), 0..12)) {
            let text: Vec<char> = "abc def ghi jkl mno pqr stu vwx yz0 123 456 789 x".chars().collect();
            let words = Words::Eds.of(&text);
            let span = |(start, length, _): &(usize, usize, bool)| Span { start: *start, end: start + length, label: "NOM".to_owned() };
            let truth: BTreeSet<Span> = cuts.iter().filter(|c| c.2).map(span).collect();
            let predicted: BTreeSet<Span> = cuts.iter().filter(|c| !c.2).map(span).collect();
            let (truth, predicted): (Vec<Span>, Vec<Span>) = (truth.into_iter().collect(), predicted.into_iter().collect());
            for metric in [Metric::Strict, Metric::End, Metric::Overlap] {
                let counts = metric.count(&truth, &predicted, &words);
                prop_assert_eq!((counts.tp + counts.fn_, counts.tp + counts.fp), (truth.len(), predicted.len()));
            }
            let of = |metric: Metric| metric.count(&truth, &predicted, &words).tp;
            prop_assert!(of(Metric::Strict) <= of(Metric::End) && of(Metric::Strict) <= of(Metric::Overlap));
        }
    }
}
