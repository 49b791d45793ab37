//! The detector that annotated corpora of other communities are read by.

use sillage_clinical::analysis::Analysis;
use sillage_clinical::text::CharOffsets;
use sillage_deidentification::identity::Identity;
use sillage_deidentification::{Circumstances, detect, vote};

use super::formats::Span;
use crate::error::Result;
use crate::session;

/// From a text to what identifies somebody in it, under our labels.
pub type Detector = dyn Fn(&str) -> Vec<Span>;

/// What a run detects in a document that comes alone: no patient record, no metadata,
/// no other documents, which these corpora do not have.
pub fn detector() -> Result<Box<Detector>> {
    let library = session::built_in()?;
    let identity = Identity::built_in();
    Ok(Box::new(move |text| {
        let analysis = Analysis::new(&library.knowledge, text, None);
        let spans = vote::settle(&analysis, detect::detect(identity, &analysis, Circumstances::default()));
        let mut offsets = CharOffsets::new(text);
        let span = |s: sillage_deidentification::Span| Span {
            start: offsets.at(s.start),
            end: offsets.at(s.end),
            label: s.label.name().to_owned(),
        };
        spans.into_iter().map(span).collect()
    }))
}
