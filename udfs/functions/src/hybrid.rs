//! Learned models beside the rules: what they say of texts, as votes.

use std::ops::Range;
use std::sync::Arc;

use sillage_clinical::lexicon::Label as ClinicalLabel;
use sillage_clinical::vote::{Vote as ClinicalVote, Weights};
use sillage_deidentification::vote::{Vote as PhiVote, learned};
use sillage_deidentification::{Label, Span};
use sillage_inference::text_model::TextModel;

/// The models that a pipeline names, loaded.
pub struct Hybrid {
    pub clinical: Option<Arc<TextModel>>,
    pub phi: Option<Arc<TextModel>>,
    /// How the lexicon and the clinical model are weighed.
    pub weights: Weights,
    /// The least score of what only the PHI model found.
    pub phi_threshold: f32,
}

/// What the models say of one text.
#[derive(Debug, Default)]
pub(crate) struct Votes {
    pub clinical: Vec<ClinicalVote>,
    phi: Vec<PhiVote>,
}

/// Votes of a text, or which model failed on it and how.
pub(crate) type Heard = Result<Votes, String>;

impl Hybrid {
    /// Labels of a role's model that mean nothing to us.
    pub fn unknown_labels(&self) -> Vec<String> {
        let unknown = |model: &Arc<TextModel>, known: &dyn Fn(&str) -> bool| {
            model.labels().iter().filter(|l| !known(l)).map(|l| format!("`{l}` of {}", model.name)).collect::<Vec<_>>()
        };
        let mut labels = self.clinical.as_ref().map_or_else(Vec::new, |m| unknown(m, &|l: &str| ClinicalLabel::parse(l).is_some()));
        labels.extend(self.phi.as_ref().map_or_else(Vec::new, |m| unknown(m, &|l: &str| Label::from_name(l).is_some())));
        labels
    }

    /// What the models say of each text; the thread waits for them.
    pub(crate) fn listen(&self, texts: &[&str]) -> Vec<Heard> {
        let mut heard: Vec<Heard> = texts.iter().map(|_| Ok(Votes::default())).collect();
        if let Some(model) = &self.clinical {
            let labels: Vec<Option<ClinicalLabel>> = model.labels().iter().map(|l| ClinicalLabel::parse(l)).collect();
            ask(model, texts, &mut heard, |votes, start, end, kind, score| {
                votes.clinical.extend(labels[kind].map(|label| ClinicalVote { start, end, label, score }));
            });
        }
        self.listen_for_phi(texts, &mut heard);
        heard
    }

    /// What the PHI model says of each text, alone.
    pub(crate) fn phi_only(&self, texts: &[&str]) -> Vec<Heard> {
        let mut heard: Vec<Heard> = texts.iter().map(|_| Ok(Votes::default())).collect();
        self.listen_for_phi(texts, &mut heard);
        heard
    }

    fn listen_for_phi(&self, texts: &[&str], heard: &mut [Heard]) {
        if let Some(model) = &self.phi {
            let labels: Vec<Option<Label>> = model.labels().iter().map(|l| Label::from_name(l)).collect();
            ask(model, texts, heard, |votes, start, end, kind, score| {
                votes.phi.extend(labels[kind].map(|label| PhiVote { start, end, label, score }));
            });
        }
    }

    /// What the PHI model found, for the settlement with the other detectors.
    pub(crate) fn identifying(&self, votes: &Votes) -> Vec<Span> {
        let Some(model) = &self.phi else { return Vec::new() };
        let medicine: Vec<(Range<usize>, f32)> = votes.clinical.iter().map(|v| (v.start..v.end, v.score)).collect();
        learned(&votes.phi, &format!("model:{}", model.name), self.phi_threshold, &medicine)
    }

    /// As `detector` of a mention that the clinical model voted for.
    pub(crate) fn clinical_detector(&self) -> String {
        self.clinical.as_ref().map_or_else(String::new, |m| format!("model:{}", m.name))
    }
}

fn ask(model: &TextModel, texts: &[&str], heard: &mut [Heard], mut add: impl FnMut(&mut Votes, usize, usize, usize, f32)) {
    let found = waiting(|| model.spans(texts.iter().copied()));
    for (slot, spans) in heard.iter_mut().zip(found) {
        match (slot.as_mut(), spans) {
            (Ok(votes), Ok(spans)) => spans.iter().for_each(|s| add(votes, s.start, s.end, s.kind, s.score)),
            (_, Err(reason)) => *slot = Err(format!("{}: {reason}", model.name)),
            (Err(_), Ok(_)) => {}
        }
    }
}

/// Runs what waits for other threads without keeping a thread of the engine from its I/O.
pub(crate) fn waiting<T>(wait: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current() {
        Ok(handle) if handle.runtime_flavor() == RuntimeFlavor::MultiThread => tokio::task::block_in_place(wait),
        _ => wait(),
    }
}
