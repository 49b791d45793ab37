//! Concepts with their codes and all the ways to write them.

use rustc_hash::FxHashMap;

pub mod pattern;
mod read;

use crate::trie::Trie;
use crate::vocabulary::WordId;
pub(crate) use read::data_lines;
pub use read::{LexiconError, SnomedLicence};
pub use sillage_schemas::terminology::{File as ChapterFile, LEXICON as BUILT_IN};

/// What kind of thing a mention names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Label {
    Disorder,
    Sign,
    Procedure,
    Drug,
    Anatomy,
}

impl Label {
    pub fn name(self) -> &'static str {
        match self {
            Label::Disorder => "DISORDER",
            Label::Sign => "SIGN",
            Label::Procedure => "PROCEDURE",
            Label::Drug => "DRUG",
            Label::Anatomy => "ANATOMY",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Label::Disorder, Label::Sign, Label::Procedure, Label::Drug, Label::Anatomy].into_iter().find(|l| l.name() == name)
    }
}

/// A concept of the lexicon.
#[derive(Debug, Clone)]
pub struct Concept {
    pub id: Box<str>,
    pub label: Label,
    pub preferred: Box<str>,
    pub icd10: Option<Box<str>>,
    pub atc: Option<Box<str>>,
    pub snomed: Option<Box<str>>,
    pub snomed_display: Option<Box<str>>,
}

/// A concept as one of its forms names it.
pub(crate) struct Sense {
    pub concept: u32,
    /// Index into [`Lexicon::contexts`]; the form counts only there.
    pub context: Option<u32>,
}

/// Words that must be near an ambiguous form, or must not.
pub(crate) struct Cues {
    pub required: Vec<WordId>,
    pub refused: Vec<WordId>,
}

/// The lexicon, ready to be matched.
pub struct Lexicon {
    pub concepts: Vec<Concept>,
    pub(crate) trie: Trie,
    pub(crate) senses: Vec<Sense>,
    pub(crate) contexts: Vec<Cues>,
    by_id: FxHashMap<Box<str>, u32>,
    forms: usize,
}

impl Lexicon {
    pub fn concept(&self, id: &str) -> Option<&Concept> {
        self.by_id.get(id).and_then(|i| self.concepts.get(*i as usize))
    }

    /// Surface forms after expansion.
    pub fn form_count(&self) -> usize {
        self.forms
    }
}
