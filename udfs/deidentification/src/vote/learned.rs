//! What a learned model takes for identifying, as one more voice.

use std::ops::Range;

use crate::{Label, Span};

/// Words that a learned model takes for identifying, in bytes of the original.
#[derive(Debug, Clone, PartialEq)]
pub struct Vote {
    pub start: usize,
    pub end: usize,
    pub label: Label,
    /// Calibrated: how often such a vote is right.
    pub score: f32,
}

/// Spans of the votes that reach `threshold`, to be settled with those of the other
/// detectors, which are sure of more: a list of guesses never wins over medicine
/// that the lexicon knows.
///
/// `medicine` is what another model takes for clinical, with its scores. Where the two
/// contradict each other the surer one is believed; in doubt, words identify.
pub fn learned(votes: &[Vote], detector: &str, threshold: f32, medicine: &[(Range<usize>, f32)]) -> Vec<Span> {
    let clinical =
        |vote: &Vote| medicine.iter().any(|(words, score)| words.start <= vote.start && vote.end <= words.end && *score > vote.score);
    votes
        .iter()
        .filter(|vote| vote.score >= threshold && !clinical(vote))
        .map(|vote| Span { start: vote.start, end: vote.end, label: vote.label, detector: detector.to_owned().into(), score: vote.score })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(start: usize, end: usize, score: f32) -> Vote {
        Vote { start, end, label: Label::Nom, score }
    }

    #[test]
    fn the_surer_model_is_believed() {
        let spans = |votes: &[Vote], medicine: &[(Range<usize>, f32)]| learned(votes, "model:x", 0.5, medicine).len();
        assert_eq!(spans(&[vote(0, 5, 0.9), vote(6, 9, 0.4)], &[]), 1);
        assert_eq!(spans(&[vote(0, 5, 0.7)], &[(0..8, 0.9)]), 0);
        // In doubt, words identify: an equal score, or a longer thing.
        assert_eq!(spans(&[vote(0, 5, 0.7)], &[(0..8, 0.7)]), 1);
        assert_eq!(spans(&[vote(0, 9, 0.7)], &[(0..8, 0.9)]), 1);
    }
}
