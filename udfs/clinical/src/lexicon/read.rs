//! Reads the terminology files into a [`Lexicon`].

use rustc_hash::FxHashMap;
use sillage_schemas::Fault;
use sillage_schemas::terminology::{File, SNOMED_GLOBAL_PATIENT_SET, SNOMED_LICENSED};
use thiserror::Error;

use super::pattern::{Context, PatternError, Piece, parse};
use super::{Concept, Cues, Label, Lexicon, Sense};
use crate::text::fold;
use crate::trie::Trie;
use crate::vocabulary::Vocabulary;

/// Which SNOMED CT codes may be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnomedLicence {
    /// Only codes of the Global Patient Set (CC BY 4.0).
    GlobalPatientSet,
    /// The site holds a SNOMED CT licence: all listed codes.
    Affiliate,
}

/// A terminology file that cannot be used, with its place.
#[derive(Debug, Error)]
pub enum LexiconError {
    #[error("{file}:{line}: {fields} fields, expected {expected}")]
    Fields { file: String, line: usize, fields: usize, expected: usize },
    #[error("{file}:{line}: label {label:?} is not one of DISORDER, SIGN, PROCEDURE, DRUG, ANATOMY")]
    Label { file: String, line: usize, label: String },
    #[error("{file}:{line}: concept {concept:?} is defined twice")]
    Duplicate { file: String, line: usize, concept: String },
    #[error("{file}:{line}: concept {concept:?} is in no chapter of the lexicon")]
    UnknownConcept { file: String, line: usize, concept: String },
    #[error("{file}:{line}: form {form:?}: {source}")]
    Form { file: String, line: usize, form: String, source: PatternError },
}

impl LexiconError {
    pub fn fault(&self) -> Fault {
        Fault::Configuration
    }
}

/// Small words that stand between the words of a term or do not.
const SKIPPED: &[&str] = &[
    "de", "d", "du", "des", "la", "le", "l", "les", "un", "une", "a", "au", "aux", "en", "son", "sa", "ses", "dans", "sur", "cette", "cet",
    "ce",
];

/// Side and degree, which may stand between the words of a term.
const MODIFIERS: &[&str] = &[
    "gauche",
    "droit",
    "droite",
    "g",
    "d",
    "gche",
    "dte",
    "drt",
    "bilateral",
    "bilat",
    "homolateral",
    "controlateral",
    "discret",
    "leger",
    "modere",
    "severe",
    "important",
    "minime",
    "majeur",
    "massif",
    "franc",
    "net",
    "aigu",
    "aigue",
    "recent",
    "ancien",
    "subit",
    "brutal",
    "petit",
    "gros",
    "grosse",
    "vaste",
    "grand",
    "moyen",
    "proximal",
    "distal",
    "partiel",
    "complet",
    "total",
    "isole",
    "probable",
    "possible",
    "progressif",
    "persistant",
    "residuel",
    "nouveau",
    "nouvelle",
    "tres",
    "plus",
    "un",
    "peu",
    "bien",
    "connu",
    "cerebral",
    "superficiel",
    "profond",
];

impl Lexicon {
    /// Builds a lexicon from chapter files; its words go into `vocabulary`.
    ///
    /// Errors: the first line that cannot be used, with its place; the writer of
    /// the file is at fault.
    pub fn from_files(chapters: &[File], licence: SnomedLicence, vocabulary: &mut Vocabulary) -> Result<Lexicon, LexiconError> {
        let mut builder = Builder {
            vocabulary,
            concepts: Vec::new(),
            by_id: FxHashMap::default(),
            trie: Trie::default(),
            senses: Vec::new(),
            contexts: Vec::new(),
            forms: 0,
        };
        for file in chapters {
            builder.chapter(file)?;
        }
        builder.snomed(&SNOMED_GLOBAL_PATIENT_SET)?;
        if licence == SnomedLicence::Affiliate {
            builder.snomed(&SNOMED_LICENSED)?;
        }
        Ok(builder.finish())
    }
}

struct Builder<'v> {
    concepts: Vec<Concept>,
    by_id: FxHashMap<Box<str>, u32>,
    vocabulary: &'v mut Vocabulary,
    trie: Trie,
    senses: Vec<Sense>,
    contexts: Vec<Cues>,
    forms: usize,
}

/// Lines of a file that carry data, with their numbers.
pub(crate) fn data_lines(content: &str) -> impl Iterator<Item = (usize, &str)> {
    content.lines().enumerate().map(|(i, l)| (i + 1, l.trim())).filter(|(_, l)| !l.is_empty() && !l.starts_with('#')).skip(1)
}

impl Builder<'_> {
    fn chapter(&mut self, file: &File) -> Result<(), LexiconError> {
        for (line, row) in data_lines(file.content) {
            let place = || file.name.to_owned();
            let fields: Vec<&str> = row.split(';').map(str::trim).collect();
            let [id, label, preferred, forms, icd10, atc, _source] = fields[..] else {
                return Err(LexiconError::Fields { file: place(), line, fields: fields.len(), expected: 7 });
            };
            let Some(label) = Label::parse(label) else {
                return Err(LexiconError::Label { file: place(), line, label: label.to_owned() });
            };
            let optional = |s: &str| (!s.is_empty()).then(|| Box::from(s));
            let number = self.concepts.len() as u32;
            if self.by_id.insert(id.into(), number).is_some() {
                return Err(LexiconError::Duplicate { file: place(), line, concept: id.to_owned() });
            }
            self.concepts.push(Concept {
                id: id.into(),
                label,
                preferred: preferred.into(),
                icd10: optional(icd10),
                atc: optional(atc),
                snomed: None,
                snomed_display: None,
            });
            for form in std::iter::once(preferred).chain(forms.split('|')).map(str::trim).filter(|f| !f.is_empty()) {
                self.form(number, form).map_err(|source| LexiconError::Form { file: place(), line, form: form.to_owned(), source })?;
            }
        }
        Ok(())
    }

    fn form(&mut self, concept: u32, form: &str) -> Result<(), PatternError> {
        let pattern = parse(form)?;
        let context = pattern.context.map(|context| self.context(&context));
        let sense = self.senses.len() as u32;
        self.senses.push(Sense { concept, context });
        for pieces in pattern.forms {
            let words: Vec<_> = pieces
                .iter()
                .enumerate()
                .filter_map(|(i, piece)| match piece {
                    Piece::Gap => Some((None, false)),
                    // Skipped words inside a form are left out, so that both spellings meet.
                    Piece::Word { fold, .. } if i > 0 && i + 1 < pieces.len() && SKIPPED.contains(&fold.as_str()) => None,
                    Piece::Word { fold, upper } => Some((Some(self.vocabulary.intern(fold)), *upper)),
                })
                .collect();
            self.forms += usize::from(self.trie.insert(&words, sense));
        }
        Ok(())
    }

    fn context(&mut self, context: &Context) -> u32 {
        let vocabulary = &mut *self.vocabulary;
        let mut ids = |list: &[String]| list.iter().flat_map(|cue| cue.split(' ')).map(|w| vocabulary.intern(w)).collect();
        let cues = Cues { required: ids(&context.required), refused: ids(&context.refused) };
        self.contexts.push(cues);
        self.contexts.len() as u32 - 1
    }

    fn snomed(&mut self, file: &File) -> Result<(), LexiconError> {
        for (line, row) in data_lines(file.content) {
            let fields: Vec<&str> = row.split(';').map(str::trim).collect();
            let [id, code, display, _source] = fields[..] else {
                return Err(LexiconError::Fields { file: file.name.to_owned(), line, fields: fields.len(), expected: 4 });
            };
            let Some(number) = self.by_id.get(id) else {
                return Err(LexiconError::UnknownConcept { file: file.name.to_owned(), line, concept: id.to_owned() });
            };
            let concept = &mut self.concepts[*number as usize];
            concept.snomed = Some(code.into());
            concept.snomed_display = Some(display.into());
        }
        Ok(())
    }

    fn finish(mut self) -> Lexicon {
        for word in SKIPPED.iter().chain(MODIFIERS) {
            let id = self.vocabulary.intern(&fold(word));
            self.trie.skip(id);
        }
        Lexicon {
            concepts: self.concepts,
            trie: self.trie,
            senses: self.senses,
            contexts: self.contexts,
            by_id: self.by_id,
            forms: self.forms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::BUILT_IN;

    fn shared(chapters: &[File]) -> Vec<String> {
        let lexicon = Lexicon::from_files(chapters, SnomedLicence::Affiliate, &mut Vocabulary::default()).unwrap();
        let mut found = Vec::new();
        for values in lexicon.trie.values() {
            let mut concepts: Vec<u32> =
                values.iter().map(|v| &lexicon.senses[*v as usize]).filter(|s| s.context.is_none()).map(|s| s.concept).collect();
            concepts.sort_unstable();
            concepts.dedup();
            if concepts.len() > 1 {
                found.push(concepts.iter().map(|c| &*lexicon.concepts[*c as usize].id).collect::<Vec<_>>().join(" = "));
            }
        }
        found
    }

    #[test]
    fn no_form_names_two_concepts() {
        assert_eq!(shared(BUILT_IN), Vec::<String>::new());
    }

    #[test]
    fn a_concept_is_defined_once() {
        let content = "concept;label;preferred;forms;icd10;atc;source\na;SIGN;un mot;;;;\na;SIGN;deux mots;;;;\n";
        let read = Lexicon::from_files(&[File { name: "x", content }], SnomedLicence::Affiliate, &mut Vocabulary::default());
        assert!(matches!(read, Err(LexiconError::Duplicate { line: 3, .. })));
    }
}
