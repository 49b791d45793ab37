//! What codes are called here, and whether a sender calls one something else.

use rustc_hash::FxHashMap;
use sillage_schemas::coded::Code;
use sillage_schemas::terminology::CODE_NAMES;

use crate::knowledge::Knowledge;
use crate::lexicon::{Label, Lexicon, LexiconError, data_lines};
use crate::text::fold;

/// SNOMED CT, ICD-10 and ATC as documents name them.
pub const SNOMED: &str = "SNOMED CT";
pub const ICD10: &str = "ICD-10";
pub const ATC: &str = "ATC";

/// A display whose known words cover less of it than that says more than they do.
const COVERED: f32 = 0.5;

/// What is known of a code.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Name {
    /// `None`: it names no finding, procedure, drug or part of the body, or several kinds of them.
    pub label: Option<Label>,
    pub name: Option<Box<str>>,
    /// It is listed as a code that names nothing that can be mentioned.
    pub is_no_mention: bool,
    /// Folded words of which a right display contains one; none where the lexicon judges.
    words: Vec<Box<str>>,
}

/// The names of codes, by system and code.
pub struct Names {
    by_code: FxHashMap<(Box<str>, Box<str>), Name>,
}

impl Names {
    /// The lexicon's concepts, then what the file says otherwise.
    ///
    /// Errors: a line of the file cannot be used.
    pub(crate) fn read(lexicon: &Lexicon) -> Result<Names, LexiconError> {
        let mut by_code: FxHashMap<(Box<str>, Box<str>), Name> = FxHashMap::default();
        for concept in &lexicon.concepts {
            let preferred = Some(&concept.preferred);
            let codes = [
                (ICD10, &concept.icd10, preferred),
                (ATC, &concept.atc, preferred),
                (SNOMED, &concept.snomed, concept.snomed_display.as_ref()),
            ];
            for (system, code, name) in codes {
                let Some(code) = code else { continue };
                let known = Name { label: Some(concept.label), name: name.cloned(), ..Name::default() };
                // A code of several concepts is the name of none of them.
                by_code
                    .entry((system.into(), code.clone()))
                    .and_modify(|first| {
                        first.label = first.label.filter(|label| *label == concept.label);
                        first.name = first.name.take().filter(|n| Some(n) == name);
                    })
                    .or_insert(known);
            }
        }
        for (line, row) in data_lines(CODE_NAMES.content) {
            let fields: Vec<&str> = row.split(';').map(str::trim).collect();
            let [system, code, label, name, words] = fields[..] else {
                return Err(LexiconError::Fields { file: CODE_NAMES.name.to_owned(), line, fields: fields.len(), expected: 5 });
            };
            if !label.is_empty() && Label::parse(label).is_none() {
                return Err(LexiconError::Label { file: CODE_NAMES.name.to_owned(), line, label: label.to_owned() });
            }
            let words = words.split('|').filter(|w| !w.is_empty()).map(Box::from).collect();
            let known = by_code.entry((system.into(), code.into())).or_default();
            *known = Name {
                label: Label::parse(label),
                // Without a name here it keeps the one that it has.
                name: if name.is_empty() { known.name.take() } else { Some(name.into()) },
                is_no_mention: label.is_empty(),
                words,
            };
        }
        Ok(Names { by_code })
    }

    pub(crate) fn of(&self, system: &str, code: &str) -> Option<&Name> {
        self.by_code.get(&(Box::from(system), Box::from(code)))
    }
}

impl Knowledge {
    /// What a code is called; `None` where that is not known.
    pub fn name_of(&self, system: &str, code: &str) -> Option<&str> {
        self.names.of(system, code)?.name.as_deref()
    }

    /// Whether the words beside a code are known to mean something else.
    pub(crate) fn is_misnamed(&self, system: &str, code: &str, display: &str) -> bool {
        let known = self.names.of(system, code);
        if let Some(known) = known.filter(|known| !known.words.is_empty()) {
            let display = fold(display);
            return !known.words.iter().any(|word| display.contains(&**word));
        }
        if known.is_none_or(|known| known.is_no_mention) {
            return false;
        }
        let Some((concept, covered)) = self.concept_within(display) else { return false };
        let (theirs, alike) = match system {
            ICD10 => (&concept.icd10, 3),
            ATC => (&concept.atc, 5),
            SNOMED => (&concept.snomed, usize::MAX),
            _ => return false,
        };
        // Only of what has a code of this system can be said that it is another one.
        let head = |code: &str| code.chars().take(alike).collect::<String>();
        covered >= COVERED && theirs.as_deref().is_some_and(|theirs| head(theirs) != head(code))
    }
}

/// A code and what the sender calls it.
pub(crate) fn named(code: &Code) -> Option<(&str, &str, &str)> {
    Some((code.system.as_deref()?, code.code.as_deref()?, code.display.as_deref()?))
}
