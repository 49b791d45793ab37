//! Qualifiers of a mention: negated, hypothetical, historical, of whom.
//!
//! Cues (`data/cues.toml`) are found sentence by sentence. A cue reaches the
//! mentions on its side until something ends its scope: a stop, a terminator, a
//! comma that opens something new. Enumerations keep the scope open. Sections set
//! what holds where no cue speaks.

use std::ops::Range;

mod cues;
mod scope;

use crate::section::Prior;
use crate::text::Text;
pub(crate) use cues::{Cue, CueKind, Cues};
use scope::{Direction, Scope};

/// Whom a mention is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Experiencer {
    #[default]
    Patient,
    Family,
    Other,
}

impl Experiencer {
    pub fn name(self) -> &'static str {
        match self {
            Experiencer::Patient => "patient",
            Experiencer::Family => "family",
            Experiencer::Other => "other",
        }
    }
}

/// What is said of a mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Qualifiers {
    /// Absent, excluded, refused, not given, not done.
    pub negated: bool,
    /// Suspected, to be excluded, planned, conditional.
    pub hypothetical: bool,
    /// Before this stay.
    pub historical: bool,
    pub experiencer: Experiencer,
}

/// What the neighbourhood says of a mention beyond cues.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub prior: Prior,
    pub drug: bool,
    pub procedure: bool,
    /// A date well before the document qualifies the mention.
    pub dated_before: bool,
    /// A date of the stay qualifies the mention.
    pub dated_now: bool,
}

/// A sentence with its cues and mentions.
pub(crate) struct SentenceView<'a> {
    pub text: &'a Text<'a>,
    pub sentence: Range<usize>,
    pub cues: &'a [Cue],
    /// Token ranges of the mentions of the sentence, ascending.
    pub mentions: &'a [Range<usize>],
}

impl SentenceView<'_> {
    /// Qualifies one span of the sentence.
    pub fn qualify(&self, span: &Range<usize>, setting: Setting) -> Qualifiers {
        let scope = Scope { view: self, span };
        let negated = self.negated(&scope);
        let family = self.family(&scope, setting);
        let hypothetical = self.hypothetical(&scope, setting) && !negated;
        let historical = !family && self.historical(&scope, setting, negated, hypothetical);
        Qualifiers { negated, hypothetical, historical, experiencer: if family { Experiencer::Family } else { Experiencer::Patient } }
    }

    fn outside<'s>(&'s self, span: &'s Range<usize>) -> impl Iterator<Item = &'s Cue> {
        self.cues.iter().filter(move |c| c.end <= span.start || c.start >= span.end)
    }

    fn negated(&self, scope: &Scope<'_>) -> bool {
        self.outside(scope.span).any(|cue| match cue.kind {
            CueKind::NegationBefore => scope.reached(cue, Direction::Forward { through_commas: true }),
            CueKind::NegationBeforeAdjacent => scope.adjacent_before(cue),
            CueKind::NegationAfter => scope.reached(cue, Direction::Backward),
            CueKind::NegationAfterAdjacent => scope.adjacent_after(cue),
            _ => false,
        })
    }

    fn hypothetical(&self, scope: &Scope<'_>, setting: Setting) -> bool {
        let cued = self.outside(scope.span).any(|cue| match cue.kind {
            CueKind::HypothesisBefore => scope.reached(cue, Direction::Forward { through_commas: false }),
            CueKind::HypothesisBeforeAdjacent => scope.adjacent_before(cue),
            CueKind::HypothesisAfter => scope.reached(cue, Direction::Backward),
            CueKind::HypothesisAfterAdjacent => scope.question(cue),
            _ => false,
        });
        cued || setting.prior == Prior::Planned && setting.procedure && !setting.dated_before
    }

    fn family(&self, scope: &Scope<'_>, setting: Setting) -> bool {
        if setting.drug {
            return false;
        }
        if setting.prior == Prior::Family {
            return true;
        }
        self.outside(scope.span).any(|cue| match cue.kind {
            CueKind::FamilyPhrase => scope.near(cue, 8),
            CueKind::Kin => scope.of_kin(cue),
            _ => false,
        })
    }

    fn historical(&self, scope: &Scope<'_>, setting: Setting, negated: bool, hypothetical: bool) -> bool {
        if negated || hypothetical {
            return false;
        }
        if setting.dated_now {
            return false;
        }
        if setting.dated_before {
            return true;
        }
        if setting.prior == Prior::Historical {
            return true;
        }
        self.outside(scope.span).any(|cue| match cue.kind {
            CueKind::HistoryBefore => scope.reached(cue, Direction::Forward { through_commas: true }),
            CueKind::HistoryAfter => scope.reached(cue, Direction::Backward),
            _ => false,
        })
    }
}
