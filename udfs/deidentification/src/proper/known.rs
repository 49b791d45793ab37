//! Words that are no names: of French, of medicine, of the trade.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;
use sillage_clinical::knowledge::Knowledge;
use sillage_clinical::text::key;
use sillage_clinical::vocabulary::UNKNOWN;

const THINGS: &str = include_str!("../../data/proper_things.txt");
const COMMON: &str = include_str!("../../data/proper_common.txt");
const ABBREVIATIONS: &str = include_str!("../../data/abbreviations.txt");
const LETTERS: &str = include_str!("../../data/letters.txt");

/// Lists that a word stands in, as bits.
mod list {
    pub const THINGS: u32 = 1;
    pub const COMMON: u32 = 1 << 1;
    pub const ABBREVIATIONS: u32 = 1 << 2;
    pub const LETTERS: u32 = 1 << 3;
    pub const TWO_LETTERS: u32 = 1 << 4;
    pub const PLACE_HEADS: u32 = 1 << 5;
    pub const MEDICAL_HEADS: u32 = 1 << 6;
    pub const CARRIERS: u32 = 1 << 7;
    pub const ACTS: u32 = 1 << 8;
    pub const DEEDS: u32 = 1 << 9;
    pub const HEADINGS: u32 = 1 << 10;
    pub const BUSINESSES: u32 = 1 << 11;
    pub const FORM_KINDS: u32 = 1 << 12;
    pub const CARE_ACTS: u32 = 1 << 13;
    pub const CUT_WORDS: u32 = 1 << 14;
    pub const WARDS: u32 = 1 << 15;
    pub const ARTICLES: u32 = 1 << 16;
    pub const FLOWERS: u32 = 1 << 17;
    /// Of [`crate::leak::eponym`].
    pub const EPONYMS: u32 = 1 << 18;
    pub const EMPTY: u32 = 1 << 19;
}

/// The files, their parts headed `[name]` and the list that each is; words before the first
/// part are of the list without a name.
const LISTS: [(&str, &str, u32); 19] = [
    (THINGS, "", list::THINGS),
    (COMMON, "", list::COMMON),
    (ABBREVIATIONS, "", list::ABBREVIATIONS),
    (LETTERS, "", list::LETTERS),
    (LETTERS, "two letters", list::TWO_LETTERS),
    (COMMON, "place heads", list::PLACE_HEADS),
    (COMMON, "medical heads", list::MEDICAL_HEADS),
    (COMMON, "carriers", list::CARRIERS),
    (COMMON, "shared acts", list::ACTS),
    (COMMON, "deeds", list::DEEDS),
    (ABBREVIATIONS, "headings", list::HEADINGS),
    (COMMON, "businesses", list::BUSINESSES),
    (COMMON, "form kinds", list::FORM_KINDS),
    (COMMON, "care acts", list::CARE_ACTS),
    (ABBREVIATIONS, "cut words", list::CUT_WORDS),
    (ABBREVIATIONS, "wards", list::WARDS),
    (COMMON, "articles", list::ARTICLES),
    (COMMON, "flowers", list::FLOWERS),
    (COMMON, "empty", list::EMPTY),
];

/// A folded word, or the key that its token carries.
pub(crate) trait Keyed {
    fn key(&self) -> u64;
}

impl Keyed for str {
    fn key(&self) -> u64 {
        key(self)
    }
}

impl Keyed for u64 {
    fn key(&self) -> u64 {
        *self
    }
}

/// Whether a word stands in one of these lists.
fn listed(word: &(impl Keyed + ?Sized), lists: u32) -> bool {
    in_lists(word.key()) & lists != 0
}

/// The lists in which a word stands.
fn in_lists(key: u64) -> u32 {
    static WORDS: OnceLock<FxHashMap<u64, u32>> = OnceLock::new();
    let words = WORDS.get_or_init(|| {
        let mut words: FxHashMap<u64, u32> = FxHashMap::default();
        for (file, part, bit) in LISTS {
            let mut inside = part.is_empty();
            for line in file.lines().filter(|l| !l.starts_with('#')) {
                match line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                    Some(name) => inside = name == part,
                    None if inside => line.split_whitespace().for_each(|w| *words.entry(w.key()).or_default() |= bit),
                    None => {}
                }
            }
        }
        for word in crate::leak::eponym_words() {
            *words.entry(word.key()).or_default() |= list::EPONYMS;
        }
        words
    });
    words.get(&key).copied().unwrap_or(0)
}

/// A device, a brand, an organism, a software, a score.
pub(crate) fn thing(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::THINGS)
}

/// Of a word that no list holds: it is common without its number or gender.
fn inflected(fold: &str) -> bool {
    let held = |s: &str| listed(s, list::COMMON);
    let singular = fold.strip_suffix(['s', 'x']);
    let masculine = singular.unwrap_or(fold).strip_suffix('e');
    singular.is_some_and(held) || masculine.is_some_and(|m| held(m) || m.strip_suffix('e').is_some_and(held))
}

/// Something other than a name of a person or a place explains the word.
pub(crate) fn explained(fold: &str) -> bool {
    explained_by_key(fold.key(), fold)
}

/// The same of a token, which carries the key of its word.
pub(crate) fn explained_by_key(key: u64, fold: &str) -> bool {
    listed(&key, list::THINGS | list::COMMON | list::EPONYMS) || inflected(fold) || medical(fold)
}

/// What a word may be to those who write in wards, a bit for each: explained, a thing, of medicine,
/// and each of the lists below, in the order that the tagger has learned.
pub(crate) fn kinds(key: u64, fold: &str) -> u64 {
    let lists = in_lists(key);
    let medical = medical(fold);
    let explained = medical || lists & (list::THINGS | list::COMMON | list::EPONYMS) != 0 || inflected(fold);
    let lettered = if fold.len() == 2 { list::TWO_LETTERS } else { list::ABBREVIATIONS | list::LETTERS };
    let stands = [
        list::ABBREVIATIONS,
        lettered,
        list::HEADINGS,
        list::WARDS,
        list::DEEDS,
        list::CARE_ACTS,
        list::ACTS,
        list::PLACE_HEADS,
        list::BUSINESSES,
    ];
    let first = u64::from(explained) | u64::from(lists & list::THINGS != 0) << 1 | u64::from(medical) << 2;
    stands.iter().enumerate().fold(first, |bits, (place, list)| bits | u64::from(lists & list != 0) << (place + 3))
}

/// A word of medicine: of a disease, a part of the body, an act.
pub(crate) fn medical(fold: &str) -> bool {
    Knowledge::built_in().vocabulary.get(fold) != UNKNOWN
}

/// Two letters that stand for a place of work: "CS DECT 4471", "IDE SI".
pub(crate) fn ward(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::WARDS)
}

/// An article, a grade, a negation: letters behind it are a thing, not somebody.
pub(crate) fn makes_thing(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::ARTICLES)
}

/// A word cut short before the name of somebody: "Int.", "Serv.", "Bd."
pub(crate) fn cut_word(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::CUT_WORDS)
}

/// Two or three letters that every ward reads as a thing.
pub(crate) fn abbreviation(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::ABBREVIATIONS)
}

/// Letters of medicine, of the trade or of every day; of two letters those that notes really use.
pub(crate) fn lettered(fold: &str) -> bool {
    if fold.len() == 2 {
        return listed(fold, list::TWO_LETTERS);
    }
    listed(fold, list::ABBREVIATIONS | list::LETTERS)
}

/// A pronoun, an article, a unit: no name, however it is written.
pub(crate) fn says_nothing(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::EMPTY)
}

/// Flowers, trees, birds and stones that wards are called by.
pub(crate) fn flower(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::FLOWERS)
}

/// "école", "gare", "mairie": what stands before "de" and a place.
pub(crate) fn place_head(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::PLACE_HEADS)
}

/// "maladie", "pince", "score": what stands before "de" and an eponym.
pub(super) fn medical_head(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::MEDICAL_HEADS)
}

/// "infection à", "stent", "logiciel", "pince": what a capitalised thing or an eponym follows.
pub(super) fn leads_thing(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::CARRIERS | list::MEDICAL_HEADS)
}

/// "rappelle", "prévenue": what people do, behind their name.
pub(crate) fn deed(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::DEEDS)
}

/// Letters that head a line or stand before a time in every note: "TA", "TDM".
pub(crate) fn heading(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::HEADINGS)
}

/// "Taxi", "Avis", "Famille": what opens a line before a name.
pub(crate) fn business(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::BUSINESSES)
}

/// "FOR", "ENR", "PROC": what the code of a form of the house begins with.
pub(crate) fn form_kind(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::FORM_KINDS)
}

/// "refait", "posée", "installé": a step of care, behind which somebody signs.
pub(crate) fn care_act(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::CARE_ACTS)
}

/// "vu", "discuté", "staff": what people do with one another.
pub(crate) fn shared_act(word: &(impl Keyed + ?Sized)) -> bool {
    listed(word, list::ACTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_explained() {
        for list in [THINGS, COMMON, ABBREVIATIONS, LETTERS] {
            for word in list.lines().filter(|l| !l.starts_with(['#', '['])).flat_map(str::split_whitespace) {
                assert_eq!(sillage_clinical::text::fold(word), *word);
            }
        }
        for word in ["penumbra", "medtronic", "urgences", "patientes", "klebsiella", "babinski"] {
            assert!(explained(word), "{word}");
        }
        for word in ["porticcio", "bazieg", "kerbihan"] {
            assert!(!explained(word), "{word}");
        }
        assert!(abbreviation("irm") && heading("ta") && !heading("lm") && deed("rappelle"));
    }
}
