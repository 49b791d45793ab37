//! Mentions that a learned model proposes, heard beside the lexicon.
//!
//! Where both name the same words the lexicon's span and concept stay and the scores
//! join. What the model alone names is a mention without concept, unless its words
//! have one, and is qualified like the others. It gives way to what identifies people.

use std::ops::Range;

use chrono::NaiveDateTime;

use crate::analysis::{Analysis, Entity};
use crate::lexicon::{Concept, Label};
use crate::qualifier::Qualifiers;

/// What a learned model says of some words, in bytes of the original.
#[derive(Debug, Clone, PartialEq)]
pub struct Vote {
    pub start: usize,
    pub end: usize,
    pub label: Label,
    /// Calibrated: how often such a vote is right.
    pub score: f32,
}

/// How votes are weighed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// How often a mention of the lexicon is right where no model says anything.
    pub lexicon: f32,
    /// The least joint score of a mention.
    pub threshold: f32,
}

/// A mention after all have been heard.
#[derive(Debug, Clone)]
pub struct Heard<'s, 'a> {
    pub start: usize,
    pub end: usize,
    pub label: Label,
    /// What the lexicon found here.
    pub entity: Option<&'s Entity<'a>>,
    /// The concept that the words of a vote name by themselves.
    pub concept: Option<&'a Concept>,
    pub section: Option<&'a str>,
    pub qualifiers: Qualifiers,
    pub event_time: Option<NaiveDateTime>,
    pub score: f32,
    /// Whether a model voted for it.
    pub voted: bool,
}

/// The mentions of a text, ascending and disjoint. `identifying` are the words that
/// identify people, ascending and disjoint.
pub fn heard<'s, 'a>(analysis: &'s Analysis<'a>, votes: &[Vote], identifying: &[Range<usize>], weights: Weights) -> Vec<Heard<'s, 'a>> {
    let entities = analysis.entities();
    let mut out: Vec<Heard<'s, 'a>> = Vec::with_capacity(entities.len() + votes.len());
    for entity in entities {
        let agree = votes.iter().filter(|v| v.start < entity.end && entity.start < v.end && alike(v.label, entity.concept.label));
        let vote = agree.map(|v| v.score).max_by(f32::total_cmp);
        let score = vote.map_or(weights.lexicon, |vote| joint(weights.lexicon, vote));
        if score < weights.threshold {
            continue;
        }
        out.push(Heard {
            start: entity.start,
            end: entity.end,
            label: entity.concept.label,
            entity: Some(entity),
            concept: None,
            section: entity.section,
            qualifiers: entity.qualifiers,
            event_time: entity.event_time,
            score,
            voted: vote.is_some(),
        });
    }
    for vote in votes.iter().filter(|v| v.score >= weights.threshold) {
        let overlaps = |start: usize, end: usize| vote.start < end && start < vote.end;
        if entities.iter().any(|e| overlaps(e.start, e.end)) || identifying.iter().any(|i| overlaps(i.start, i.end)) {
            continue;
        }
        // Two votes for the same words are one mention, the surer one.
        if out.iter().any(|h| h.entity.is_none() && overlaps(h.start, h.end) && h.score >= vote.score) {
            continue;
        }
        out.retain(|h| h.entity.is_some() || !overlaps(h.start, h.end));
        if analysis.in_title_at(vote.start) {
            continue;
        }
        let Some(words) = analysis.text.original.get(vote.start..vote.end) else { continue };
        let Some((qualifiers, event_time)) = analysis.said_of(vote.start, vote.end) else { continue };
        out.push(Heard {
            start: vote.start,
            end: vote.end,
            label: vote.label,
            entity: None,
            concept: analysis.knowledge().concept_of(words).filter(|c| alike(c.label, vote.label)),
            section: analysis.section_at_byte(vote.start),
            qualifiers,
            event_time,
            score: vote.score,
            voted: true,
        });
    }
    out.sort_by_key(|h| h.start);
    out
}

/// Two that do not know of each other: wrong only where both are.
fn joint(one: f32, other: f32) -> f32 {
    1.0 - (1.0 - one) * (1.0 - other)
}

/// Writers and annotators part signs from disorders in different places.
fn alike(one: Label, other: Label) -> bool {
    let kind = |label| if label == Label::Sign { Label::Disorder } else { label };
    kind(one) == kind(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::Knowledge;

    const WEIGHTS: Weights = Weights { lexicon: 0.9, threshold: 0.5 };

    /// `words|label|score` found where they stand; what comes out in the same form.
    fn read(text: &str, votes: &[(&str, Label, f32)], identifying: &[&str], weights: Weights) -> Vec<String> {
        let place = |words: &str| text.find(words).map(|start| start..start + words.len()).unwrap();
        let votes: Vec<Vote> = votes
            .iter()
            .map(|(words, label, score)| Vote { start: place(words).start, end: place(words).end, label: *label, score: *score })
            .collect();
        let identifying: Vec<_> = identifying.iter().map(|words| place(words)).collect();
        let analysis = Analysis::new(Knowledge::built_in(), text, None);
        heard(&analysis, &votes, &identifying, weights)
            .iter()
            .map(|h| {
                let flags = if h.qualifiers.negated { " NEG" } else { "" };
                let by = if h.entity.is_some() { "lexicon" } else { "model" };
                format!("{}|{}|{by}|{:.2}{flags}", &text[h.start..h.end], h.label.name(), h.score)
            })
            .collect()
    }

    #[test]
    fn agreement_is_surer_than_one() {
        let text = "Migraine connue, pas de zozotement.";
        assert_eq!(
            read(text, &[("Migraine", Label::Sign, 0.8), ("zozotement", Label::Sign, 0.7)], &[], WEIGHTS),
            ["Migraine|DISORDER|lexicon|0.98", "zozotement|SIGN|model|0.70 NEG"]
        );
        assert_eq!(read(text, &[], &[], WEIGHTS), ["Migraine|DISORDER|lexicon|0.90"]);
    }

    #[test]
    fn thresholds_decide() {
        let text = "Migraine et zozotement.";
        let votes = [("zozotement", Label::Sign, 0.4)];
        assert_eq!(read(text, &votes, &[], WEIGHTS), ["Migraine|DISORDER|lexicon|0.90"]);
        let doubtful = Weights { lexicon: 0.3, threshold: 0.5 };
        assert_eq!(read(text, &votes, &[], doubtful), Vec::<String>::new());
        assert_eq!(read(text, &[("Migraine", Label::Disorder, 0.6)], &[], doubtful), ["Migraine|DISORDER|lexicon|0.72"]);
    }

    #[test]
    fn people_are_no_disorders() {
        let text = "Vu par le Dr Zozotement.";
        assert_eq!(read(text, &[("Zozotement", Label::Sign, 0.9)], &["Zozotement"], WEIGHTS), Vec::<String>::new());
    }

    #[test]
    fn two_votes_for_the_same_words_are_one() {
        let text = "un zozotement franc";
        let votes = [("zozotement", Label::Sign, 0.6), ("zozotement franc", Label::Sign, 0.8)];
        assert_eq!(read(text, &votes, &[], WEIGHTS), ["zozotement franc|SIGN|model|0.80"]);
    }
}
