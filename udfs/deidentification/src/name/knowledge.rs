//! What is known of names: gazetteers, cues, and the words that are none.

use rustc_hash::FxHashMap;
use serde::Deserialize;
use sillage_clinical::text::{Text, fold, key};

use super::lead;
use crate::identity::IdentityError;

const GIVEN_NAMES: (&str, &str) = ("data/given_names.csv", include_str!("../../data/given_names.csv"));
const FAMILY_NAMES: (&str, &str) = ("data/family_names.csv", include_str!("../../data/family_names.csv"));
const CUES: (&str, &str) = ("data/names.toml", include_str!("../../data/names.toml"));

/// What is known of a word, as bits.
pub(crate) mod word {
    /// A given name that is nothing else.
    pub const GIVEN: u32 = 1;
    /// A given name that is also a word, a plant, a month, a place.
    pub const GIVEN_ALSO: u32 = 1 << 1;
    pub const FAMILY: u32 = 1 << 2;
    pub const FAMILY_ALSO: u32 = 1 << 3;
    pub const COMMON: u32 = 1 << 4;
    pub const ACRONYM: u32 = 1 << 5;
    pub const PARTICLE: u32 = 1 << 6;
    pub const EPONYM: u32 = 1 << 7;
    pub const EPONYM_HEAD: u32 = 1 << 8;
    pub const QUALIFIER: u32 = 1 << 9;
    pub const KIN_QUALIFIER: u32 = 1 << 10;
    pub const FEMALE: u32 = 1 << 11;
    pub const MALE: u32 = 1 << 12;
    /// The given name is also a month, a place or a drug, not merely a word.
    pub const ELSEWHERE: u32 = 1 << 13;

    pub const ANY_GIVEN: u32 = GIVEN | GIVEN_ALSO;
    pub const ANY_FAMILY: u32 = FAMILY | FAMILY_ALSO;
    pub const ANY_NAME: u32 = ANY_GIVEN | ANY_FAMILY;
    pub const AMBIGUOUS: u32 = GIVEN_ALSO | FAMILY_ALSO | COMMON | EPONYM;
}

/// What a cue announces, as bits: one phrase may have several roles.
pub(crate) mod role {
    pub const TITLE: u32 = 1;
    pub const WEAK_TITLE: u32 = 1 << 1;
    pub const PHYSICIAN: u32 = 1 << 2;
    pub const FUNCTION: u32 = 1 << 3;
    pub const KIN: u32 = 1 << 4;
    pub const PERSON_HEAD: u32 = 1 << 5;
    pub const FAMILY_HEAD: u32 = 1 << 6;
    pub const GIVEN_HEAD: u32 = 1 << 7;
    pub const BIRTH: u32 = 1 << 8;
    pub const SPOUSE: u32 = 1 << 9;
    pub const AGENT: u32 = 1 << 10;
    pub const TYPIST: u32 = 1 << 11;
    pub const COPY: u32 = 1 << 12;
    /// The end of a letter: a signature follows.
    pub const CLOSING: u32 = 1 << 13;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    titles: Vec<String>,
    weak_titles: Vec<String>,
    physician_titles: Vec<String>,
    functions: Vec<String>,
    qualifiers: String,
    kin: Vec<String>,
    kin_qualifiers: String,
    person_heads: Vec<String>,
    family_heads: Vec<String>,
    given_heads: Vec<String>,
    birth_heads: Vec<String>,
    spouse_heads: Vec<String>,
    agents: Vec<String>,
    typists: Vec<String>,
    copies: Vec<String>,
    closings: Vec<String>,
    particles: String,
    eponym_heads: String,
    eponyms: String,
    common: String,
    acronyms: String,
}

/// A phrase that announces a name.
struct Cue {
    /// Keys of the tokens behind the first.
    rest: Box<[u64]>,
    roles: u32,
    /// Written in capitals only.
    upper: bool,
}

/// A cue found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CueHit {
    /// Token after the last one.
    pub end: usize,
    pub roles: u32,
}

/// What is known of a word.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Meaning {
    /// As [`word`] bits.
    pub bits: u32,
    /// The rules that begin with it, as [`lead`] bits.
    pub leads: u32,
}

/// Gazetteers and cues, read once.
pub struct Names {
    /// By the [`key`] of the word, and of the first one.
    words: FxHashMap<u64, Meaning>,
    cues: FxHashMap<u64, Vec<Cue>>,
}

impl Names {
    /// Reads the embedded data files.
    ///
    /// Errors: the place in the file that cannot be used.
    pub fn read() -> Result<Names, IdentityError> {
        let mut names = Names { words: FxHashMap::default(), cues: FxHashMap::default() };
        names.read_givens()?;
        names.read_families()?;
        let file: File = toml::from_str(CUES.1).map_err(|e| IdentityError::Toml { file: CUES.0, message: e.to_string() })?;
        for (text, bit) in [
            (&file.qualifiers, word::QUALIFIER),
            (&file.kin_qualifiers, word::KIN_QUALIFIER),
            (&file.particles, word::PARTICLE),
            (&file.eponym_heads, word::EPONYM_HEAD),
            (&file.eponyms, word::EPONYM),
            (&file.common, word::COMMON),
            (&file.acronyms, word::ACRONYM),
        ] {
            for part in text.split_whitespace() {
                names.words.entry(key(&fold(part))).or_default().bits |= bit;
            }
        }
        for (phrases, role) in [
            (&file.titles, role::TITLE),
            (&file.weak_titles, role::WEAK_TITLE),
            (&file.physician_titles, role::PHYSICIAN),
            (&file.functions, role::FUNCTION),
            (&file.kin, role::KIN),
            (&file.person_heads, role::PERSON_HEAD),
            (&file.family_heads, role::FAMILY_HEAD),
            (&file.given_heads, role::GIVEN_HEAD),
            (&file.birth_heads, role::BIRTH),
            (&file.spouse_heads, role::SPOUSE),
            (&file.agents, role::AGENT),
            (&file.typists, role::TYPIST),
            (&file.copies, role::COPY),
            (&file.closings, role::CLOSING),
        ] {
            for phrase in phrases {
                names.add_cue(phrase, role);
            }
        }
        for cues in names.cues.values_mut() {
            cues.sort_by_key(|c| std::cmp::Reverse(c.rest.len()));
        }
        names.read_leads();
        Ok(names)
    }

    fn read_leads(&mut self) {
        let words = lead::WORDS.iter().flat_map(|(bit, words)| words.split_whitespace().map(move |word| (key(word), *bit)));
        let written = lead::WRITTEN.iter().map(|word| (key(word), lead::WRITING));
        for (key, bit) in words.chain(written).chain(self.cues.keys().map(|key| (*key, lead::CUE))) {
            self.words.entry(key).or_default().leads |= bit;
        }
    }

    fn read_givens(&mut self) -> Result<(), IdentityError> {
        for (line, fields) in rows(GIVEN_NAMES, 3) {
            let fields = fields?;
            let gender = match fields[1] {
                "f" => word::FEMALE,
                "m" => word::MALE,
                "x" => word::FEMALE | word::MALE,
                _ => return Err(IdentityError::Line { file: GIVEN_NAMES.0, line, message: "gender is f, m or x".to_owned() }),
            };
            let elsewhere = fields[2].split('+').any(|f| matches!(f, "month" | "place" | "drug" | "eponym"));
            let kind = if fields[2].is_empty() { word::GIVEN } else { word::GIVEN_ALSO };
            let bits = kind | gender | if elsewhere { word::ELSEWHERE } else { 0 };
            self.words.entry(key(&fold(fields[0]))).or_default().bits |= bits;
        }
        Ok(())
    }

    fn read_families(&mut self) -> Result<(), IdentityError> {
        for (_, fields) in rows(FAMILY_NAMES, 2) {
            let fields = fields?;
            let kind = if fields[1].is_empty() { word::FAMILY } else { word::FAMILY_ALSO };
            self.words.entry(key(&fold(fields[0]))).or_default().bits |= kind;
        }
        Ok(())
    }

    fn add_cue(&mut self, phrase: &str, role: u32) {
        let (upper, phrase) = phrase.strip_prefix('=').map_or((false, phrase), |p| (true, p));
        let text = Text::new(phrase);
        let mut keys = (0..text.tokens.len()).map(|i| text.key(i));
        let Some(first) = keys.next() else { return };
        let rest: Box<[u64]> = keys.collect();
        let cues = self.cues.entry(first).or_default();
        match cues.iter_mut().find(|c| c.rest == rest && c.upper == upper) {
            Some(cue) => cue.roles |= role,
            None => cues.push(Cue { rest, roles: role, upper }),
        }
    }

    /// What is known of a folded word, as [`word`] bits.
    pub(crate) fn word(&self, fold: &str) -> u32 {
        self.known(key(fold)).bits
    }

    /// What is known of a word by its [`key`].
    pub(crate) fn known(&self, key: u64) -> Meaning {
        self.words.get(&key).copied().unwrap_or_default()
    }

    /// The longest cue that starts at this token.
    pub(crate) fn cue(&self, text: &Text<'_>, at: usize) -> Option<CueHit> {
        let cues = self.cues.get(&text.key(at))?;
        let fits = |cue: &Cue| {
            let end = at + 1 + cue.rest.len();
            let written = !cue.upper || text.tokens[at].upper;
            let same = || cue.rest.iter().enumerate().all(|(i, key)| text.key(at + 1 + i) == *key);
            let together = || (at + 1..end).all(|i| text.tokens.get(i).is_some_and(|t| t.lines_before < 2));
            (written && together() && same()).then_some(CueHit { end, roles: cue.roles })
        };
        cues.iter().find_map(fits)
    }

    /// Whether a given name is a woman's, when it is only that or only a man's.
    pub fn female(&self, given: &str) -> Option<bool> {
        let first = given.split(['-', ' ']).next().unwrap_or(given);
        match self.word(&fold(first)) & (word::FEMALE | word::MALE) {
            word::FEMALE => Some(true),
            word::MALE => Some(false),
            _ => None,
        }
    }
}

/// Fields of the lines of a gazetteer, with their line numbers.
fn rows<'a>((file, text): (&'static str, &'a str), columns: usize) -> impl Iterator<Item = (usize, Result<Vec<&'a str>, IdentityError>)> {
    text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.is_empty()).map(move |(i, line)| {
        let fields: Vec<&str> = line.split(';').collect();
        if fields.len() == columns && !fields[0].is_empty() {
            (i + 1, Ok(fields))
        } else {
            (i + 1, Err(IdentityError::Line { file, line: i + 1, message: format!("{columns} columns expected") }))
        }
    })
}

/// Endings of nouns, adjectives and participles, by their last letter: what wears them unlisted is hardly a name.
const ENDINGS: &[(u8, &[&str])] = &[
    (b'n', &["tion", "sion", "sartan", "xaban"]),
    (
        b's',
        &[
            "tions", "sions", "ments", "iques", "ites", "oses", "aires", "euses", "ances", "ences", "ables", "ibles", "ees", "antes",
            "entes", "trices", "ateurs", "ages", "oires", "uelles", "ielles", "nnelles", "ives", "ifs", "istes", "ures", "ales", "ides",
        ],
    ),
    (b't', &["ment", "ement"]),
    (
        b'e',
        &[
            "ique", "isme", "ite", "ose", "emie", "urie", "algie", "pathie", "logie", "logue", "logique", "graphie", "scopie", "tomie",
            "plegie", "phasie", "arthrie", "euse", "ance", "ence", "able", "ible", "ee", "ante", "ente", "trice", "age", "oire", "uelle",
            "ielle", "nnelle", "ive", "iste", "ure", "esse", "ogramme", "metrie", "therapie", "cardie", "tensive", "ale", "azole",
            "statine", "parine", "cilline", "mycine", "oxetine", "plase",
        ],
    ),
    (b'x', &["eux", "aux"]),
    (b'r', &["ateur", "iser", "quer"]),
    (b'f', &["if", "tensif"]),
    (b'l', &["pril", "olol"]),
    (b'm', &["azepam"]),
    (b'b', &["mab"]),
];

/// Whether a folded word has the ending of a common word.
pub(crate) fn likely_common(fold: &str) -> bool {
    let (6.., Some(last)) = (fold.len(), fold.bytes().last()) else { return false };
    let endings = ENDINGS.iter().find(|(letter, _)| *letter == last).map_or(&[][..], |(_, endings)| endings);
    endings.iter().any(|e| fold.len() > e.len() + 2 && fold.ends_with(e))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;

    #[test]
    fn gazetteers_are_read_and_sorted() {
        let names = Names::read().unwrap();
        assert_ne!(names.word("nawal") & word::GIVEN, 0);
        assert_ne!(names.word("claire") & word::GIVEN_ALSO, 0);
        assert_ne!(names.word("petit") & word::FAMILY_ALSO, 0);
        assert_ne!(names.word("kermarrec") & word::FAMILY, 0);
        assert_ne!(names.word("babinski") & word::EPONYM, 0);
        for (file, columns) in [(GIVEN_NAMES, 3), (FAMILY_NAMES, 2)] {
            let keys: Vec<String> = rows(file, columns).map(|(_, f)| fold(f.unwrap()[0])).collect();
            assert!(keys.len() > 2_400, "{}: {}", file.0, keys.len());
            assert!(keys.windows(2).all(|w| w[0] < w[1]), "{}: {:?}", file.0, keys.windows(2).find(|w| w[0] >= w[1]));
            // No two of them are one to the rules.
            let numbers: std::collections::BTreeSet<u64> = keys.iter().map(|w| key(w)).collect();
            assert_eq!(numbers.len(), keys.len(), "{}", file.0);
        }
    }

    #[test]
    fn genders() {
        let names = Names::read().unwrap();
        assert_eq!(names.female("Rozenn"), Some(true));
        assert_eq!(names.female("Jean-Marie"), Some(false));
        assert_eq!(names.female("Dominique"), None);
        assert_eq!(names.female("Xyz"), None);
    }

    #[test]
    fn the_longest_cue_wins() {
        let names = Names::read().unwrap();
        let text = Text::new("chef de clinique Durand, as Durand, AS Durand");
        assert_eq!(names.cue(&text, 0), Some(CueHit { end: 3, roles: role::FUNCTION }));
        assert_eq!(names.cue(&text, 5), None);
        assert!(names.cue(&text, 8).is_some());
    }

    #[test]
    fn endings_of_words() {
        for word in ["localisation", "ischemique", "agitee"] {
            assert!(likely_common(word), "{word}");
        }
        for word in ["kermarrec", "delpech", "dupont", "le", "trellu"] {
            assert!(!likely_common(word), "{word}");
        }
    }
}
