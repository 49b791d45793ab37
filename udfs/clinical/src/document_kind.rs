//! What kind of document a text is, as far as that changes how it is read: a letter
//! that sends somebody to hospital, and a note at its door, list what is taken at
//! home; a visit after it lists the treatment of now.

use serde::Deserialize;

use crate::knowledge::KnowledgeError;
use crate::phrase;
use crate::text::Text;
use crate::trie::Trie;
use crate::vocabulary::{Vocabulary, WordId};

const FILE: &str = "data/document_kinds.toml";

/// When a document was written, seen from the stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DocumentKind {
    /// Sends somebody to hospital: from a practitioner, a nursing home, an ambulance.
    Referral,
    /// Written at the door: the emergency department.
    Emergency,
    /// Written in the ward or after it: what it calls treatment is the treatment of now.
    FollowUp,
    #[default]
    Other,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kinds {
    referral: Vec<String>,
    discharge: Vec<String>,
    emergency_codes: Vec<String>,
    referral_codes: Vec<String>,
    follow_up_codes: Vec<String>,
    other_codes: Vec<String>,
    lasting_codes: Vec<String>,
    lasting_drugs: Vec<String>,
    acute_drugs: Vec<String>,
}

/// The wordings and codes, ready to be matched.
pub(crate) struct DocumentKinds {
    trie: Trie,
    codes: Vec<(String, DocumentKind)>,
    lasting: Vec<String>,
    lasting_drugs: Vec<String>,
    acute_drugs: Vec<String>,
}

const REFERRAL: u32 = 0;
const DISCHARGE: u32 = 1;

impl DocumentKinds {
    pub fn read(vocabulary: &mut Vocabulary) -> Result<Self, KnowledgeError> {
        let kinds: Kinds = toml::from_str(include_str!("../data/document_kinds.toml"))
            .map_err(|e| KnowledgeError::Toml { file: FILE, message: e.to_string() })?;
        let mut trie = Trie::default();
        for (value, phrases) in [(REFERRAL, &kinds.referral), (DISCHARGE, &kinds.discharge)] {
            for phrase in phrases {
                phrase::insert(&mut trie, vocabulary, phrase, value).map_err(|source| KnowledgeError::Phrase {
                    file: FILE,
                    phrase: phrase.clone(),
                    source,
                })?;
            }
        }
        let mut codes = Vec::new();
        for (list, kind) in [
            (kinds.emergency_codes, DocumentKind::Emergency),
            (kinds.referral_codes, DocumentKind::Referral),
            (kinds.follow_up_codes, DocumentKind::FollowUp),
            (kinds.other_codes, DocumentKind::Other),
        ] {
            codes.extend(list.into_iter().map(|code| (code, kind)));
        }
        Ok(DocumentKinds { trie, codes, lasting: kinds.lasting_codes, lasting_drugs: kinds.lasting_drugs, acute_drugs: kinds.acute_drugs })
    }

    /// Whether the ICD-10 code is of a disease that lasts.
    pub fn lasts(&self, icd10: &str) -> bool {
        self.lasting.iter().any(|category| icd10.starts_with(category.as_str()))
    }

    /// Whether the ATC code is of a drug that is taken for years, and not given
    /// for the emergency.
    pub fn long_term(&self, atc: &str) -> bool {
        let is = |class: &String| atc.starts_with(class.as_str());
        // "Anticoagulant" names a class wider than those listed.
        let wider = |class: &String| atc.len() > 3 && class.starts_with(atc);
        self.lasting_drugs.iter().any(|class| is(class) || wider(class)) && !self.acute_drugs.iter().any(is)
    }

    /// The kind that a LOINC type code states, else the one that the words show.
    pub fn of(&self, type_code: Option<&str>, text: &Text<'_>, words: &[WordId], vocabulary: &Vocabulary) -> DocumentKind {
        if let Some((_, kind)) = type_code.and_then(|code| self.codes.iter().find(|(known, _)| known == code)) {
            return *kind;
        }
        let (mut referral, mut discharge) = (false, false);
        for start in 0..words.len() {
            self.trie.walk(text, words, vocabulary, start, |hit| {
                referral |= hit.value == REFERRAL;
                discharge |= hit.value == DISCHARGE;
            });
        }
        if referral && !discharge { DocumentKind::Referral } else { DocumentKind::Other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::Knowledge;

    fn kind(type_code: Option<&str>, text: &str) -> DocumentKind {
        let knowledge = Knowledge::built_in();
        let read = Text::new(text);
        let words = knowledge.vocabulary.read(&read);
        knowledge.document_kinds.of(type_code, &read, &words, &knowledge.vocabulary)
    }

    #[test]
    fn letters_that_send_are_referrals() {
        for text in [
            "Cher confrère, je vous adresse M. Petit pour un vertige.",
            "FICHE DE LIAISON\nRésidente autonome",
            "Merci de recevoir en urgence cette dame.",
        ] {
            assert_eq!(kind(None, text), DocumentKind::Referral, "{text}");
        }
        for text in ["Compte rendu d'hospitalisation. Merci de recevoir ce patient en consultation.", "IRM : pas d'AVC."] {
            assert_eq!(kind(None, text), DocumentKind::Other, "{text}");
        }
    }

    #[test]
    fn a_stated_type_wins() {
        assert_eq!(kind(Some("34111-5"), "Examen normal."), DocumentKind::Emergency);
        assert_eq!(kind(Some("11490-0"), "Je vous adresse ce patient."), DocumentKind::Other);
    }
}
