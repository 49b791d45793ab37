//! The cues of `data/cues.toml`, found in a sentence.

use std::ops::Range;

use serde::Deserialize;

use crate::knowledge::KnowledgeError;
use crate::lexicon::pattern::{Piece, parse_cue};
use crate::text::Text;
use crate::trie::{Hit, Trie};
use crate::vocabulary::{Vocabulary, WordId};

const FILE: &str = "data/cues.toml";

/// What a cue says, and on which side of what it qualifies it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CueKind {
    NegationBefore,
    NegationBeforeAdjacent,
    NegationAfter,
    NegationAfterAdjacent,
    HypothesisBefore,
    HypothesisBeforeAdjacent,
    HypothesisAfter,
    HypothesisAfterAdjacent,
    Kin,
    FamilyPhrase,
    Reporting,
    HistoryBefore,
    HistoryAfter,
    Pseudo,
    Terminator,
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
    negation: Directed,
    hypothesis: Directed,
    family: Family,
    history: Sided,
    scope: Scope,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Directed {
    before: Vec<String>,
    before_adjacent: Vec<String>,
    after: Vec<String>,
    after_adjacent: Vec<String>,
    pseudo: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sided {
    before: Vec<String>,
    after: Vec<String>,
    pseudo: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    kin: Vec<String>,
    phrases: Vec<String>,
    reporting: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scope {
    terminators: Vec<String>,
}

impl Cues {
    pub fn read(vocabulary: &mut Vocabulary) -> Result<Self, KnowledgeError> {
        use CueKind::*;
        let file: File = toml::from_str(include_str!("../../data/cues.toml")).map_err(|e| KnowledgeError::Toml { file: FILE, message: e.to_string() })?;
        let mut cues = Cues { trie: Trie::default(), kinds: Vec::new() };
        for (kind, phrases) in [
            (NegationBefore, &file.negation.before),
            (NegationBeforeAdjacent, &file.negation.before_adjacent),
            (NegationAfter, &file.negation.after),
            (NegationAfterAdjacent, &file.negation.after_adjacent),
            (HypothesisBefore, &file.hypothesis.before),
            (HypothesisBeforeAdjacent, &file.hypothesis.before_adjacent),
            (HypothesisAfter, &file.hypothesis.after),
            (HypothesisAfterAdjacent, &file.hypothesis.after_adjacent),
            (Kin, &file.family.kin),
            (FamilyPhrase, &file.family.phrases),
            (Reporting, &file.family.reporting),
            (HistoryBefore, &file.history.before),
            (HistoryAfter, &file.history.after),
            (Pseudo, &file.negation.pseudo),
            (Pseudo, &file.hypothesis.pseudo),
            (Pseudo, &file.history.pseudo),
            (Terminator, &file.scope.terminators),
        ] {
            for phrase in phrases {
                cues.insert(vocabulary, kind, phrase)?;
            }
        }
        Ok(cues)
    }

    fn insert(&mut self, vocabulary: &mut Vocabulary, kind: CueKind, phrase: &str) -> Result<(), KnowledgeError> {
        let pattern = parse_cue(phrase).map_err(|source| KnowledgeError::Phrase { file: FILE, phrase: phrase.to_owned(), source })?;
        let value = self.kinds.len() as u32;
        self.kinds.push(kind);
        for form in pattern.forms {
            let words: Vec<_> = form
                .iter()
                .map(|piece| match piece {
                    Piece::Word { fold, upper } => (Some(vocabulary.intern(fold)), *upper),
                    Piece::Gap => (None, false),
                })
                .collect();
            self.trie.insert(&words, value);
        }
        Ok(())
    }

    /// Cues of a sentence, pseudo-cues and what they cover taken out.
    pub fn find(&self, text: &Text<'_>, words: &[WordId], vocabulary: &Vocabulary, sentence: Range<usize>) -> Vec<Cue> {
        let mut found: Vec<Cue> = Vec::new();
        for start in sentence.clone() {
            self.trie.walk(text, words, vocabulary, start, |hit: Hit| {
                if hit.end <= sentence.end {
                    found.push(Cue { start, end: hit.end, words: hit.words, kind: self.kinds[hit.value as usize] });
                }
            });
        }
        let pseudo: Vec<Cue> = found.iter().copied().filter(|c| c.kind == CueKind::Pseudo).collect();
        let covered = |c: &Cue| pseudo.iter().any(|p| p.start <= c.start && c.end <= p.end);
        found.retain(|c| c.kind != CueKind::Pseudo && !covered(c));
        // A longer cue of another kind takes the words of a shorter one ("non exclu" over "non").
        let all = found.clone();
        found.retain(|c| !all.iter().any(|o| o.words > c.words && o.start <= c.start && c.end <= o.end && o.kind != CueKind::Terminator && (o.kind != c.kind || o.start == c.start && o.end > c.end)));
        found
    }
}
