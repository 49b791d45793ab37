//! Qualifiers of a mention: negated, hypothetical, historical, of whom.
//!
//! Cues (`data/cues.toml`) are found sentence by sentence. A cue reaches the
//! mentions on its side until something ends its scope: a stop, a terminator, a
//! comma that opens something new. Enumerations keep the scope open. Sections and
//! dates set what holds where no cue speaks.

use std::ops::Range;

mod cues;
mod history;
mod kin;
pub(crate) mod relative;
mod scope;

use crate::is;
use crate::section::Prior;
use crate::text::Text;
pub(crate) use cues::{Cue, CueKind, Cues};
use scope::{Commas, Scope};

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
    /// The document sends somebody to hospital.
    pub referral: bool,
    /// The document is written before the stay or at its door.
    pub early: bool,
    /// As `early`, by the type or the words of the document.
    pub door: bool,
    /// A disease that lasts, by its code.
    pub lasting: bool,
    /// A drug that is taken for years, by its code.
    pub lasting_drug: bool,
    /// The document named it among the drugs of the home.
    pub recalled: bool,
    /// The stroke for which somebody comes or is examined: nobody has seen it yet.
    pub motive: bool,
    /// An antithrombotic for which an examination is asked: it is taken at home.
    pub indication: bool,
    pub procedure: bool,
    pub sign: bool,
    /// A date well before the document qualifies the mention.
    pub dated_before: bool,
    /// A date of the stay qualifies the mention.
    pub dated_now: bool,
    /// A date after the document qualifies the mention.
    pub dated_after: bool,
}

/// A sentence with its cues and mentions.
pub(crate) struct SentenceView<'a> {
    pub text: &'a Text<'a>,
    pub sentence: Range<usize>,
    pub cues: &'a [Cue],
    /// Token ranges of the mentions of the sentence, ascending.
    pub mentions: &'a [Range<usize>],
}

/// Most tokens between a cue and a span: bounds the work on texts without full
/// stops.
const REACH: usize = 90;

/// What the negation cues say together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Negation {
    None,
    /// Not confirmed: a suspicion stays one.
    Weak,
    Full,
}

impl SentenceView<'_> {
    /// Qualifies one span of the sentence.
    pub fn qualify(&self, span: &Range<usize>, setting: Setting) -> Qualifiers {
        let scope = Scope { view: self, span };
        let family = self.family(&scope, setting);
        let ended = scope.ended(setting);
        let negation = if ended { Negation::None } else { self.negation(&scope, setting) };
        let home = ended || setting.drug && (setting.prior == Prior::Historical || scope.taken_at_home());
        let hypothetical = negation != Negation::Full && !home && self.hypothetical(&scope, setting);
        let negated = negation == Negation::Full || negation == Negation::Weak && !hypothetical;
        // "Pas d'AVC" is no history; "AVC en 2019, non thrombolysé" is, and so is
        // "non thrombolysé" among the antecedents.
        let historical = !family
            && if negated {
                setting.procedure && (setting.dated_before || setting.prior == Prior::Historical && !setting.dated_now && scope.done_once())
            } else {
                !hypothetical && (ended || scope.past(setting) || !setting.dated_now && scope.treated_at_home())
            };
        Qualifiers { negated, hypothetical, historical, experiencer: if family { Experiencer::Family } else { Experiencer::Patient } }
    }

    /// Cues that start in these tokens.
    fn cues_in(&self, tokens: Range<usize>) -> &[Cue] {
        let from = self.cues.partition_point(|c| c.start < tokens.start);
        let to = from + self.cues[from..].partition_point(|c| c.start < tokens.end);
        &self.cues[from..to]
    }

    /// Cues that may reach the span: near it, and not within it.
    fn outside<'s>(&'s self, span: &'s Range<usize>) -> impl Iterator<Item = &'s Cue> {
        let near = span.start.saturating_sub(REACH)..span.end + REACH;
        self.cues_in(near).iter().filter(move |c| c.start < span.start || c.start >= span.end)
    }

    fn negation(&self, scope: &Scope<'_>, setting: Setting) -> Negation {
        if scope.minus_behind() || scope.verb_denied() {
            return Negation::Full;
        }
        let mut negation = Negation::None;
        for cue in self.outside(scope.span) {
            let negates = match cue.kind {
                CueKind::NegationBefore => scope.reached(cue, Commas::Items),
                CueKind::NegationWithout => scope.reached(cue, Commas::Coordinated),
                CueKind::NegationBeforeAdjacent => scope.adjacent_before(cue),
                CueKind::NegationAfter => scope.reached_behind(cue) && (setting.drug || setting.procedure || !scope.of_treatment(cue)),
                CueKind::StoppedBefore => setting.procedure && scope.called_off(cue),
                // "ETT RAS": it was done and shows nothing.
                CueKind::NegationAfterAdjacent if setting.procedure && is!(scope.key(cue.end - 1), "ras") => false,
                CueKind::NegationAfterAdjacent => {
                    scope.adjacent_after(cue)
                        || scope.counted_none(cue)
                        // "Bloc : pas d'antibioprophylaxie": the mention is the end of the cue.
                        || (cue.start + 1..cue.end).contains(&scope.span.start)
                        || scope.goes_on(cue) && scope.reached(cue, Commas::Items)
                }
                CueKind::NegationEither if cue.end <= scope.span.start => scope.has_object(cue) && scope.reached(cue, Commas::Items),
                CueKind::NegationEither => !scope.has_object(cue) && scope.reached_behind(cue),
                CueKind::NegativeResult => !setting.procedure && scope.reached_behind(cue),
                CueKind::Unconfirmed => {
                    if scope.reached_behind(cue) {
                        negation = Negation::Weak;
                    }
                    false
                }
                _ => false,
            };
            if negates && !(cue.start >= scope.span.end && scope.supposed()) {
                return Negation::Full;
            }
        }
        negation
    }

    fn hypothetical(&self, scope: &Scope<'_>, setting: Setting) -> bool {
        if setting.procedure && setting.dated_before {
            return false;
        }
        // Kinésithérapie goes on from house to house: an order is no doubt about it.
        let planned = setting.procedure && !scope.is_therapy();
        let cued = self.outside(scope.span).any(|cue| match cue.kind {
            CueKind::HypothesisBefore => scope.reached(cue, Commas::Coordinated),
            CueKind::HypothesisBeforeAdjacent => scope.adjacent_before(cue),
            CueKind::HypothesisAfter => scope.reached_behind(cue),
            CueKind::HypothesisAfterAdjacent => scope.question(cue),
            CueKind::HypothesisEither if cue.end <= scope.span.start => scope.has_object(cue) && scope.reached(cue, Commas::Coordinated),
            CueKind::HypothesisEither => !scope.has_object(cue) && scope.reached_behind(cue),
            CueKind::Conditional => scope.depends(cue) || (setting.drug || setting.procedure) && scope.reached_behind(cue),
            CueKind::HypothesisList => !setting.drug && !setting.procedure && scope.reached(cue, Commas::Pass),
            CueKind::Urgent => setting.procedure && setting.early && scope.ordered(cue),
            CueKind::PlanBefore => planned && !scope.reported() && scope.reached(cue, Commas::Items),
            CueKind::PlanAfter => planned && !scope.reported() && scope.reached_behind(cue),
            CueKind::Transfer => setting.procedure && setting.door && scope.reached(cue, Commas::Items),
            CueKind::PlanList => planned && !scope.reported() && scope.reached(cue, Commas::Pass),
            CueKind::Conduct => planned && !setting.door && !scope.reported() && scope.reached(cue, Commas::Pass),
            CueKind::Deferral => (setting.procedure || setting.drug) && scope.right_before(cue) && self.waits(cue.start, setting),
            _ => false,
        });
        cued || setting.motive && !scope.past(setting)
            || setting.prior == Prior::Suspected && !(setting.drug || setting.procedure || setting.sign || scope.past(setting))
            || planned && scope.scheduled()
            || planned && !setting.dated_now && (setting.dated_after || setting.prior == Prior::Planned) && !scope.reported()
    }

    /// Something is forbidden or ordered before this token: "pas d'aspirine
    /// avant le scanner", "contrôle à 24 h avant tout antithrombotique".
    fn waits(&self, at: usize, setting: Setting) -> bool {
        self.cues_in(at.saturating_sub(REACH)..at).iter().any(|c| match c.kind {
            CueKind::PlanBefore | CueKind::PlanList => true,
            CueKind::NegationBefore | CueKind::NegationWithout | CueKind::NegationAfterAdjacent => setting.procedure,
            _ => false,
        })
    }

    fn family(&self, scope: &Scope<'_>, setting: Setting) -> bool {
        if setting.drug {
            return self.outside(scope.span).any(|cue| cue.kind == CueKind::Kin && scope.taken_by_kin(cue));
        }
        // "hérédité coronaire" says it itself.
        let headed = || self.cues_in(scope.span.start..scope.span.start + 1).iter().any(|cue| cue.kind == CueKind::FamilyPhrase);
        if !setting.procedure && (setting.prior == Prior::Family && !scope.allergy() || scope.of_themselves() || headed()) {
            return true;
        }
        self.outside(scope.span).any(|cue| match cue.kind {
            CueKind::FamilyPhrase => !setting.procedure && scope.near(cue, 8),
            CueKind::Kin => (!setting.procedure || cue.end <= scope.span.start) && scope.of_kin(cue),
            _ => false,
        })
    }
}
