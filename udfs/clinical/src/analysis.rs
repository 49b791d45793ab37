//! A document read once: sections, sentences, mentions with their qualifiers.

use std::ops::Range;

use chrono::NaiveDateTime;

use crate::knowledge::Knowledge;
use crate::lexicon::{Concept, Label};
use crate::mention::{Mention, mentions};
use crate::qualifier::{Qualifiers, SentenceView, Setting};
use crate::section::{Prior, Section};
use crate::sentence::sentences;
use crate::text::Text;
use crate::vocabulary::WordId;

/// A text with its words looked up, its sentences and its sections.
pub struct Analysis<'a> {
    pub text: Text<'a>,
    pub sentences: Vec<Range<usize>>,
    pub sections: Vec<Section>,
    words: Vec<WordId>,
    knowledge: &'a Knowledge,
    reference: Option<NaiveDateTime>,
}

/// A mention with what is said of it.
#[derive(Debug, Clone)]
pub struct Entity<'a> {
    /// Bytes of the original.
    pub start: usize,
    pub end: usize,
    pub concept: &'a Concept,
    /// Name of the section it stands in.
    pub section: Option<&'a str>,
    pub qualifiers: Qualifiers,
}

impl<'a> Analysis<'a> {
    /// Reads a text. `reference` is the time of the document, against which
    /// relative and partial dates are understood.
    pub fn new(knowledge: &'a Knowledge, original: &'a str, reference: Option<NaiveDateTime>) -> Self {
        let text = Text::new(original);
        let words = knowledge.vocabulary.read(&text);
        let sections = knowledge.sections.sections(&text, &words, &knowledge.vocabulary);
        let sentences = sentences(&text);
        Analysis { text, sentences, sections, words, knowledge, reference }
    }

    /// Name of a section.
    pub fn section_name(&self, section: &Section) -> &'a str {
        &self.knowledge.sections.kind(section).name
    }

    fn section_at(&self, token: usize) -> Option<&Section> {
        let after = self.sections.partition_point(|s| s.tokens.start <= token);
        self.sections[..after].last().filter(|s| s.tokens.contains(&token))
    }

    /// The clinical mentions, ascending and disjoint, section titles left out.
    pub fn entities(&self) -> Vec<Entity<'a>> {
        let mut found = mentions(&self.knowledge.lexicon, &self.knowledge.vocabulary, &self.text, &self.words);
        found.retain(|m| !self.in_title(m));
        let mut entities = Vec::with_capacity(found.len());
        let mut next = 0;
        for sentence in &self.sentences {
            let first = next;
            while next < found.len() && found[next].start < sentence.end {
                next += 1;
            }
            if first < next {
                self.qualify(sentence, &found[first..next], &mut entities);
            }
        }
        entities
    }

    fn in_title(&self, mention: &Mention) -> bool {
        self.section_at(mention.start).is_some_and(|s| mention.start < s.title.end)
    }

    fn qualify(&self, sentence: &Range<usize>, found: &[Mention], entities: &mut Vec<Entity<'a>>) {
        let cues = self.knowledge.cues.find(&self.text, &self.words, &self.knowledge.vocabulary, sentence.clone());
        let ranges: Vec<Range<usize>> = found.iter().map(|m| m.start..m.end).collect();
        let view = SentenceView { text: &self.text, sentence: sentence.clone(), cues: &cues, mentions: &ranges };
        for (mention, range) in found.iter().zip(&ranges) {
            let concept = &self.knowledge.lexicon.concepts[mention.concept as usize];
            let section = self.section_at(mention.start);
            let qualifiers = view.qualify(range, self.setting(section, concept.label));
            let bytes = self.text.byte_range(range.clone());
            entities.push(Entity { start: bytes.start, end: bytes.end, concept, section: section.map(|s| self.section_name(s)), qualifiers });
        }
    }

    fn setting(&self, section: Option<&Section>, label: Label) -> Setting {
        let _ = self.reference;
        Setting {
            prior: section.map_or(Prior::None, |s| self.knowledge.sections.kind(s).prior),
            drug: label == Label::Drug,
            procedure: label == Label::Procedure,
            dated_before: false,
            dated_now: false,
        }
    }
}
