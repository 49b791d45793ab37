//! What type a document is: by the LOINC code of its type, else by its first words.

use serde::Deserialize;
use sillage_clinical::is;
use sillage_clinical::phrase::Phrases;
use sillage_clinical::text::Text;

use crate::definition::Problem;

const FILE: &str = include_str!("../data/document_types.toml");

/// A document says what it is in its first words.
const TITLE: usize = 120;
const EMERGENCY: &str = "emergency";
const PREHOSPITAL: &str = "prehospital";
const NURSING: &str = "nursing";
const REFERRAL: &str = "referral";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalog {
    #[serde(rename = "type")]
    types: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    codes: Vec<String>,
    phrases: Vec<String>,
    /// Words that say it only as the first of the text: "SMUR Brouzac, le 3 mai".
    #[serde(default)]
    opens: Vec<String>,
    /// Words that say it anywhere in a letter.
    #[serde(default)]
    letter: Vec<String>,
}

/// The types, ready to be told apart.
pub struct DocumentTypes {
    types: Vec<Entry>,
    phrases: Phrases,
    /// What a letter says of itself, anywhere in it.
    letters: Phrases,
}

impl DocumentTypes {
    /// Reads what ships with Sillage.
    ///
    /// Errors: what cannot be read.
    pub(crate) fn built_in() -> Result<Self, Problem> {
        let catalog: Catalog = toml::from_str(FILE).map_err(|e| Problem { line: 1, message: e.to_string() })?;
        let (mut phrases, mut letters) = (Phrases::default(), Phrases::default());
        for (i, entry) in catalog.types.iter().enumerate() {
            for (list, into) in [(&entry.phrases, &mut phrases), (&entry.letter, &mut letters)] {
                for phrase in list {
                    let wrong = |e| Problem { line: 1, message: format!("{phrase:?}: {e}") };
                    into.add(phrase, i as u32).map_err(wrong)?;
                }
            }
        }
        phrases.finish();
        letters.finish();
        Ok(DocumentTypes { types: catalog.types, phrases, letters })
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.types.iter().map(|t| t.name.as_str()).chain(["other"])
    }

    /// Name of the type that a code stands for.
    pub fn of_code(&self, code: &str) -> Option<&str> {
        self.types.iter().find(|t| t.codes.iter().any(|c| c == code)).map(|t| t.name.as_str())
    }

    /// The type that the words of a letter tell.
    fn of_letter(&self, text: &Text<'_>) -> Option<&str> {
        let words = self.letters.read(text);
        let hits = self.letters.find(text, &words, 0..words.len());
        hits.first().and_then(|hit| self.types.get(hit.value as usize)).map(|t| t.name.as_str())
    }

    /// Name of the document's type; `other` where neither code nor words tell.
    pub fn of(&self, type_code: Option<&str>, text: &Text<'_>) -> &str {
        let coded = type_code.and_then(|code| self.of_code(code));
        // A letter is filed as a letter, whatever it is for.
        if coded == Some(REFERRAL)
            && let Some(told) = self.of_letter(text)
        {
            return told;
        }
        if let Some(name) = coded.filter(|name| !matches!(*name, EMERGENCY | NURSING)) {
            return name;
        }
        let words = self.phrases.read(text);
        let first_line = text.tokens.iter().skip(1).position(|t| t.lines_before > 0).map_or(words.len(), |at| at + 1);
        let reach = if coded.is_some() { first_line } else { TITLE };
        let hits = self.phrases.find(text, &words, 0..words.len().min(reach));
        let first = hits.iter().min_by_key(|h| (h.start, std::cmp::Reverse(h.words)));
        // "SMUR et urgences de Brouzac" heads the papers of both.
        let shared = (0..first_line.min(TITLE)).any(|at| is!(text.key(at), "urgences" | "sau"));
        let opens = || self.types.iter().find(|t| !shared && t.opens.iter().any(|word| word == text.fold(0)));
        let told = first.and_then(|h| self.types.get(h.value as usize)).or_else(opens).map(|t| t.name.as_str());
        // An ambulance's sheet is filed with the emergency department's.
        match coded {
            Some(EMERGENCY) => told.filter(|told| *told == PREHOSPITAL).unwrap_or(EMERGENCY),
            // The sheet of the nurse at its door is filed with those of all nurses.
            Some(name) => told.filter(|told| *told == EMERGENCY).unwrap_or(name),
            None => told.unwrap_or("other"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_then_words() {
        let types = DocumentTypes::built_in().unwrap();
        let of = |code, text: &str| types.of(code, &Text::new(text)).to_owned();
        assert_eq!(of(Some("11490-0"), "IRM cérébrale"), "discharge");
        assert_eq!(of(None, "COMPTE RENDU D'IRM CÉRÉBRALE\nPas d'infarctus."), "imaging");
        assert_eq!(of(Some("X-1"), "Compte rendu d'hospitalisation"), "discharge");
        assert_eq!(of(None, "Bonjour."), "other");
        assert_eq!(of(Some("34133-9"), "Chère consœur,\nVotre résidente vous revient ce\njour après huit jours chez nous."), "discharge");
        assert_eq!(of(Some("34133-9"), "Je vous remercie de reprendre M. X, hospitalisé chez nous depuis le 3 mai."), "discharge");
        assert_eq!(of(Some("34133-9"), "Cher confrère,\nmerci de recevoir ce patient adressé ce jour."), "referral");
        assert_eq!(of(Some("34111-5"), "FICHE D'INTERVENTION SMUR\nGlasgow 12"), "prehospital");
        assert_eq!(of(Some("34746-8"), "CH de Brouzac - Fiche d'accueil infirmier (IAO)\nTA 150/80"), "emergency");
        assert_eq!(of(Some("34746-8"), "Transmissions infirmières\nIAO : TA 150/80"), "nursing");
        assert_eq!(of(Some("34111-5"), "SMUR Brouzac - 3/5/31\nGlasgow 12"), "prehospital");
        assert_eq!(of(Some("34111-5"), "SMUR et urgences de Brouzac\nGlasgow 12"), "emergency");
        assert_eq!(of(Some("34111-5"), "CH de Brouzac - Urgences\nBilan SMUR : Glasgow 12"), "emergency");
    }
}
