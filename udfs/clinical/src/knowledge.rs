//! Everything the library knows, read once: vocabulary, lexicon, cues, sections.

use std::sync::OnceLock;

use sillage_schemas::Fault;
use sillage_schemas::terminology::{File, LEXICON};
use thiserror::Error;

use crate::coded::Names;
use crate::document_kind::DocumentKinds;
use crate::lexicon::pattern::PatternError;
use crate::lexicon::{Concept, Lexicon, LexiconError, SnomedLicence};
use crate::mention::{Spans, mentions};
use crate::qualifier::Cues;
use crate::section::Catalogue;
use crate::text::Text;
use crate::vocabulary::Vocabulary;

/// Knowledge that cannot be read, with the place in the data files.
#[derive(Debug, Error)]
pub enum KnowledgeError {
    #[error(transparent)]
    Lexicon(#[from] LexiconError),
    #[error("{file}: {message}")]
    Toml { file: &'static str, message: String },
    #[error("{file}: {phrase:?}: {source}")]
    Phrase { file: &'static str, phrase: String, source: PatternError },
}

impl KnowledgeError {
    pub fn fault(&self) -> Fault {
        Fault::Configuration
    }
}

/// Vocabulary, lexicon, cues and section titles.
pub struct Knowledge {
    pub vocabulary: Vocabulary,
    pub lexicon: Lexicon,
    pub(crate) cues: Cues,
    pub(crate) sections: Catalogue,
    pub(crate) document_kinds: DocumentKinds,
    pub(crate) spans: Spans,
    pub(crate) names: Names,
}

impl Knowledge {
    /// Reads the embedded data files with another set of lexicon chapters or
    /// another SNOMED CT licence.
    ///
    /// Errors: the place in the file that cannot be used.
    pub fn new(chapters: &[File], licence: SnomedLicence) -> Result<Knowledge, KnowledgeError> {
        let mut vocabulary = Vocabulary::default();
        let lexicon = Lexicon::from_files(chapters, licence, &mut vocabulary)?;
        let cues = Cues::read(&mut vocabulary)?;
        let sections = Catalogue::read(&mut vocabulary)?;
        let document_kinds = DocumentKinds::read(&mut vocabulary)?;
        vocabulary.finish();
        let names = Names::read(&lexicon)?;
        Ok(Knowledge { vocabulary, lexicon, cues, sections, document_kinds, spans: Spans::read()?, names })
    }

    /// The concept that a term names, when its words name one.
    pub fn concept_of(&self, term: &str) -> Option<&Concept> {
        let text = Text::new(term);
        let words = self.vocabulary.read(&text);
        let found = mentions(self, &text, &words);
        let mention = found.iter().max_by_key(|m| m.end - m.start)?;
        self.lexicon.concepts.get(mention.concept as usize)
    }

    /// The concept that the longest part of a term names, and how much of the term that is.
    pub(crate) fn concept_within(&self, term: &str) -> Option<(&Concept, f32)> {
        let text = Text::new(term);
        let words = self.vocabulary.read(&text);
        let found = mentions(self, &text, &words);
        let mention = found.iter().max_by_key(|m| m.end - m.start)?;
        let covered = (mention.end - mention.start) as f32 / text.tokens.len().max(1) as f32;
        Some((self.lexicon.concepts.get(mention.concept as usize)?, covered))
    }

    /// What ships with Sillage, SNOMED CT codes of the Global Patient Set only.
    pub fn built_in() -> &'static Knowledge {
        static KNOWLEDGE: OnceLock<Knowledge> = OnceLock::new();
        KNOWLEDGE.get_or_init(|| match Knowledge::new(LEXICON, SnomedLicence::GlobalPatientSet) {
            Ok(knowledge) => knowledge,
            Err(error) => unreachable!("a test reads the embedded data: {error}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_data_is_read() {
        if let Err(error) = Knowledge::new(LEXICON, SnomedLicence::Affiliate) {
            panic!("{error}");
        }
    }
}
