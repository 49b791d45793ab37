//! The cues of `data/cues.toml`, found in a sentence.

use std::ops::Range;

use serde::Deserialize;

use crate::is;
use crate::knowledge::KnowledgeError;
use crate::mention::Mention;
use crate::phrase;
use crate::text::{Kind, Text};
use crate::trie::{Hit, Trie};
use crate::vocabulary::{Vocabulary, WordId};

const FILE: &str = "data/cues.toml";

/// What a cue says, and on which side of what it qualifies it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CueKind {
    NegationBefore,
    /// Of what is written right behind: "non thrombolysé", "0 fièvre".
    NegationBeforeAdjacent,
    /// "sans": carries over a comma only where "ni" or "ou" follows.
    NegationWithout,
    NegationAfter,
    NegationAfterAdjacent,
    /// A verb that is written like its participle: "élimine un", "éliminé".
    NegationEither,
    /// A result, which an examination has without being negated.
    NegativeResult,
    /// "non confirmé": negates, but a suspicion stays a suspicion.
    Unconfirmed,
    HypothesisBefore,
    HypothesisBeforeAdjacent,
    HypothesisAfter,
    HypothesisAfterAdjacent,
    HypothesisEither,
    /// "si", "en cas de": of what follows, and of the treatment before.
    Conditional,
    /// Plans, for procedures alone.
    PlanBefore,
    PlanAfter,
    /// Opens a list of suspected diseases: "DD :".
    HypothesisList,
    /// Asked for at once, in a letter that sends somebody.
    Urgent,
    /// "transfert pour": of what is done in another house, in a note that sends there.
    Transfer,
    /// Opens a list of orders, for procedures alone: "consignes".
    PlanList,
    /// As `PlanList`, but at the door what it orders is done while the note is written: "CAT".
    Conduct,
    Therapy,
    /// "avant": what a forbidden treatment waits for is yet to come.
    Deferral,
    Kin,
    /// Words between a relative and what the relative has.
    KinLink,
    FamilyPhrase,
    HistoryBefore,
    /// Opens a list: "antécédents de".
    HistoryList,
    HistoryAfter,
    /// What a patient takes at home, for drugs alone.
    HomeDrug,
    /// A scale: the nought behind it is its own.
    Scored,
    /// An examination: the nought behind it counts what it found.
    Examined,
    /// A drug is given now: "administration de", "IV".
    Given,
    /// A drug of the home has ended: "arrêté".
    Stopped,
    /// As `Stopped`, before the drug: "en remplacement du".
    StoppedBefore,
    /// A drug of the home goes on: "repris".
    Resumed,
    /// Ties a drug to the disease before it: "FA sous".
    DrugLink,
    /// A word for what a person is, inside a mention: "hypertendu".
    Trait,
    /// A word for a disease that lasts, inside a mention: "diabète".
    Chronic,
    /// A word for what is left of the past, inside a mention: "séquelle".
    Old,
    /// What is done once for a stroke, inside a mention: "thrombolyse".
    Once,
    /// Blood that came, inside a mention: "hématome".
    Bleeding,
    /// A word for what happens, inside a mention: "infarctus".
    Acute,
    /// "patient", "femme": traits follow until the story starts.
    Patient,
    /// The story of this stay starts.
    Story,
    Pseudo,
    Terminator,
    /// Ends a scope once that has had its first item.
    Link,
    /// Ends a scope once that has had an item or a word.
    Circumstance,
}

/// A cue in a sentence, in tokens of the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cue {
    pub start: usize,
    pub end: usize,
    pub words: usize,
    pub kind: CueKind,
}

/// The cues, ready to be matched.
pub(crate) struct Cues {
    trie: Trie,
    kinds: Vec<CueKind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    negation: Negation,
    hypothesis: Hypothesis,
    family: Family,
    history: History,
    scope: ScopeWords,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Negation {
    before: Vec<String>,
    before_adjacent: Vec<String>,
    without: Vec<String>,
    after: Vec<String>,
    after_adjacent: Vec<String>,
    either: Vec<String>,
    result: Vec<String>,
    unconfirmed: Vec<String>,
    scored: Vec<String>,
    examined: Vec<String>,
    pseudo: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hypothesis {
    before: Vec<String>,
    before_adjacent: Vec<String>,
    after: Vec<String>,
    after_adjacent: Vec<String>,
    either: Vec<String>,
    conditional: Vec<String>,
    list: Vec<String>,
    urgent: Vec<String>,
    transfer: Vec<String>,
    plan_before: Vec<String>,
    plan_after: Vec<String>,
    plan_list: Vec<String>,
    therapy: Vec<String>,
    conduct: Vec<String>,
    deferral: Vec<String>,
    pseudo: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    kin: Vec<String>,
    link: Vec<String>,
    phrases: Vec<String>,
    pseudo: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct History {
    before: Vec<String>,
    list: Vec<String>,
    after: Vec<String>,
    home_drug: Vec<String>,
    given: Vec<String>,
    stopped: Vec<String>,
    stopped_before: Vec<String>,
    resumed: Vec<String>,
    drug_link: Vec<String>,
    traits: Vec<String>,
    chronic: Vec<String>,
    old: Vec<String>,
    once: Vec<String>,
    bleeding: Vec<String>,
    acute: Vec<String>,
    patient: Vec<String>,
    story: Vec<String>,
    pseudo: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeWords {
    terminators: Vec<String>,
    links: Vec<String>,
    circumstances: Vec<String>,
}

impl Cues {
    pub fn read(vocabulary: &mut Vocabulary) -> Result<Self, KnowledgeError> {
        use CueKind::*;
        let file: File = toml::from_str(include_str!("../../data/cues.toml"))
            .map_err(|e| KnowledgeError::Toml { file: FILE, message: e.to_string() })?;
        let mut cues = Cues { trie: Trie::default(), kinds: Vec::new() };
        for (kind, phrases) in [
            (NegationBefore, &file.negation.before),
            (NegationBeforeAdjacent, &file.negation.before_adjacent),
            (NegationWithout, &file.negation.without),
            (NegationAfter, &file.negation.after),
            (NegationAfterAdjacent, &file.negation.after_adjacent),
            (Scored, &file.negation.scored),
            (Examined, &file.negation.examined),
            (NegationEither, &file.negation.either),
            (NegativeResult, &file.negation.result),
            (Unconfirmed, &file.negation.unconfirmed),
            (HypothesisBefore, &file.hypothesis.before),
            (HypothesisBeforeAdjacent, &file.hypothesis.before_adjacent),
            (HypothesisAfter, &file.hypothesis.after),
            (HypothesisAfterAdjacent, &file.hypothesis.after_adjacent),
            (HypothesisEither, &file.hypothesis.either),
            (Conditional, &file.hypothesis.conditional),
            (HypothesisList, &file.hypothesis.list),
            (Urgent, &file.hypothesis.urgent),
            (Transfer, &file.hypothesis.transfer),
            (PlanBefore, &file.hypothesis.plan_before),
            (PlanAfter, &file.hypothesis.plan_after),
            (PlanList, &file.hypothesis.plan_list),
            (Therapy, &file.hypothesis.therapy),
            (Conduct, &file.hypothesis.conduct),
            (Deferral, &file.hypothesis.deferral),
            (Kin, &file.family.kin),
            (KinLink, &file.family.link),
            (FamilyPhrase, &file.family.phrases),
            (HistoryBefore, &file.history.before),
            (HistoryList, &file.history.list),
            (HistoryAfter, &file.history.after),
            (HomeDrug, &file.history.home_drug),
            (Given, &file.history.given),
            (Stopped, &file.history.stopped),
            (StoppedBefore, &file.history.stopped_before),
            (Resumed, &file.history.resumed),
            (DrugLink, &file.history.drug_link),
            (Trait, &file.history.traits),
            (Chronic, &file.history.chronic),
            (Old, &file.history.old),
            (Once, &file.history.once),
            (Bleeding, &file.history.bleeding),
            (Acute, &file.history.acute),
            (Patient, &file.history.patient),
            (Story, &file.history.story),
            (Pseudo, &file.negation.pseudo),
            (Pseudo, &file.hypothesis.pseudo),
            (Pseudo, &file.family.pseudo),
            (Pseudo, &file.history.pseudo),
            (Terminator, &file.scope.terminators),
            (Link, &file.scope.links),
            (Circumstance, &file.scope.circumstances),
        ] {
            for phrase in phrases {
                cues.insert(vocabulary, kind, phrase)?;
            }
        }
        Ok(cues)
    }

    fn insert(&mut self, vocabulary: &mut Vocabulary, kind: CueKind, phrase: &str) -> Result<(), KnowledgeError> {
        let value = self.kinds.len() as u32;
        self.kinds.push(kind);
        phrase::insert(&mut self.trie, vocabulary, phrase, value).map(drop).map_err(|source| KnowledgeError::Phrase {
            file: FILE,
            phrase: phrase.to_owned(),
            source,
        })
    }

    /// Cues of a sentence, ascending. A pseudo-cue takes what it covers out of
    /// play, a longer cue the shorter ones inside it ("non exclu" over "non").
    /// One that a mention starts in and reaches beyond is none: "sans complication hémorragique".
    pub fn find(
        &self,
        text: &Text<'_>,
        words: &[WordId],
        vocabulary: &Vocabulary,
        sentence: Range<usize>,
        mentions: &[Mention],
    ) -> Vec<Cue> {
        let mut found: Vec<Cue> = Vec::new();
        for start in sentence.clone() {
            if pressure(text, start) {
                continue;
            }
            self.trie.walk(text, words, vocabulary, start, |hit: Hit| {
                if hit.end <= sentence.end {
                    found.push(Cue { start, end: hit.end, words: hit.words, kind: self.kinds[hit.value as usize] });
                }
            });
        }
        found.retain(|cue| cue.kind != CueKind::Pseudo || !outreached(text, cue, mentions));
        // Whoever covers a cue starts no later; with longer ones first among
        // equals, one look at those still open decides.
        found.sort_by_key(|c| (c.start, std::cmp::Reverse(c.end)));
        let mut open: Vec<Cue> = Vec::new();
        let mut kept = Vec::with_capacity(found.len());
        for cue in found {
            open.retain(|o| o.end > cue.start);
            if open.iter().any(|o| o.end >= cue.end && takes(o, &cue)) {
                continue;
            }
            if !stays_beside_others(cue.kind) {
                open.push(cue);
            }
            if cue.kind != CueKind::Pseudo {
                kept.push(cue);
            }
        }
        kept
    }
}

/// A mention starts within the cue and reaches beyond it. Not over a preposition: "sans
/// complication de la thrombectomie" speaks of an act that was done.
fn outreached(text: &Text<'_>, cue: &Cue, mentions: &[Mention]) -> bool {
    let preposition = |at: usize| is!(text.key(at), "de" | "du" | "d" | "des" | "lors" | "apres" | "au" | "sous" | "avec");
    if preposition(cue.end) || preposition(cue.end - 1) {
        return false;
    }
    let first = mentions.partition_point(|m| m.start <= cue.start);
    mentions[first..].iter().take_while(|m| m.start < cue.end).any(|m| m.end > cue.end)
}

/// Whether the wider cue leaves nothing to the other.
fn takes(wide: &Cue, cue: &Cue) -> bool {
    if stays_beside_others(cue.kind) {
        return false;
    }
    // "Staff : pas d'indication ETO": the colon answers nothing, the refusal stays.
    if wide.kind == CueKind::NegationAfterAdjacent && cue.kind == CueKind::NegationBefore && wide.end == cue.end && cue.words > 2 {
        return false;
    }
    wide.kind == CueKind::Pseudo || wide.words > cue.words && (wide.kind != cue.kind || wide.start == cue.start)
}

/// Kinds that say what a word is rather than how far something reaches.
fn stays_beside_others(kind: CueKind) -> bool {
    matches!(
        kind,
        CueKind::Trait
            | CueKind::Chronic
            | CueKind::Old
            | CueKind::Once
            | CueKind::Bleeding
            | CueKind::Therapy
            | CueKind::Acute
            | CueKind::Patient
            | CueKind::KinLink
            | CueKind::DrugLink
            | CueKind::Stopped
            | CueKind::StoppedBefore
            | CueKind::Resumed
            | CueKind::Urgent
            | CueKind::Link
            | CueKind::Circumstance
            | CueKind::Terminator
            | CueKind::Story
    )
}

/// "PAS 140", "PAS < 180": the systolic pressure, not a negation.
fn pressure(text: &Text<'_>, at: usize) -> bool {
    let Some(token) = text.tokens.get(at).filter(|t| t.upper) else { return false };
    if !is!(text.key(at), "pas")
        || token.lines_before == 0 && text.tokens.get(at.wrapping_sub(1)).is_some_and(|t| t.upper && t.end - t.start > 3)
    {
        return false;
    }
    text.tokens.get(at + 1).is_none_or(|next| match next.kind {
        Kind::Number => true,
        Kind::Mark => !is!(text.key(at + 1), "'"),
        Kind::Word => {
            let word = text.fold(at + 1);
            let done = ["repris", "fait", "donne", "injecte", "debute", "recu", "retrouve", "vu", "pose", "administre"];
            !next.upper && !matches!(word, "d" | "de") && !done.iter().any(|verb| word.strip_prefix(verb).is_some_and(|end| end.len() < 2))
        }
    })
}
