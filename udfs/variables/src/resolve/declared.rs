//! Policies as the declarations of variables give them.

use super::{Policies, Policy, Prefer};
use crate::Anchor;
use crate::definition::{Definition, Definitions, Resolution};
use crate::episode::DocumentKind;

/// Variables that date and derive, and are no columns of the cohort.
const INTERNAL: &[&str] = &["index_datetime", "discharge_datetime", "death_datetime", "birth_date"];

impl Policy {
    /// The declared trust and fit are in the scores of the findings already; what
    /// is refused was never found.
    pub fn of(definition: &Definition) -> Policy {
        let (prefer, order) = match definition.resolution {
            Resolution::Best => (Prefer::Best, Vec::new()),
            Resolution::First => (Prefer::First, Vec::new()),
            Resolution::Last => (Prefer::Last, Vec::new()),
            Resolution::AnyTrue => (Prefer::True, Vec::new()),
            Resolution::Precedence => (Prefer::Best, definition.precedence.clone()),
        };
        // The fit of the moment is in the score of a finding already.
        let [stay, day1] = [Anchor::Stay, Anchor::Day1].map(|anchor| definition.anchors.of(Some(anchor.name())));
        let kinds = |names: &[String]| names.iter().filter_map(|name| DocumentKind::from_name(name)).collect();
        Policy {
            other_anchors: 1.0,
            prefer,
            order,
            evidence: kinds(&definition.evidence),
            evidence_absent: kinds(&definition.evidence_absent),
            day_after: (stay > 0.0 && stay < day1 / 2.0).then(|| day1 / stay),
            timeless: definition.anchors.named.is_empty() && definition.anchors.other > 0.0,
            internal: INTERNAL.contains(&definition.name.as_str()),
            ..Policy::default()
        }
    }
}

impl Policies for Definitions {
    fn policy(&self, variable: &str) -> Option<Policy> {
        self.get(variable).map(Policy::of)
    }
}
