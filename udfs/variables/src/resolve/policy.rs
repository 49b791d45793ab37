//! How one variable is settled: which anchors and documents count for how much,
//! and what decides between good ones.

use crate::Anchor;
use crate::episode::DocumentKind;

/// What decides between sources of equal weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefer {
    /// Weight and agreement alone.
    #[default]
    Best,
    /// The earliest: of times the earliest time, of others the earliest document.
    First,
    /// The latest.
    Last,
    /// True, once a source worth believing says so.
    True,
}

/// Resolution policy of one variable.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Policy {
    /// Fit of each anchor, 0 refuses; those that are not listed get `other_anchors`.
    pub anchors: Vec<(Anchor, f32)>,
    pub other_anchors: f32,
    /// Trust by kind of document, 0 refuses; those that are not listed are fully trusted.
    pub documents: Vec<(DocumentKind, f32)>,
    pub prefer: Prefer,
    /// Values that win over the following ones, as tables write them.
    pub order: Vec<String>,
    /// Kinds of document whose words stand for the value where they give it too, first ones first.
    pub evidence: Vec<DocumentKind>,
    /// The same of a value that says that there is none.
    pub evidence_absent: Vec<DocumentKind>,
    /// It is of the day after: what a value of some time of the stay counts for more
    /// where a note of that day tells it, which it does not elsewhere.
    pub day_after: Option<f32>,
    /// Any moment tells it: a value is not refused for its time.
    pub timeless: bool,
    /// Used for dating and deriving, and never a value of the episode.
    pub internal: bool,
}

impl Policy {
    /// Accepts every anchor but those of older events.
    pub fn any() -> Policy {
        Policy { anchors: vec![(Anchor::History, 0.0)], other_anchors: 1.0, ..Policy::default() }
    }

    pub fn fit(&self, anchor: Anchor) -> f32 {
        self.anchors.iter().find(|(a, _)| *a == anchor).map_or(self.other_anchors, |(_, w)| *w)
    }

    pub fn trust(&self, kind: DocumentKind) -> f32 {
        self.documents.iter().find(|(k, _)| *k == kind).map_or(1.0, |(_, w)| *w)
    }
}
