//! Words that are no names: of French, of medicine, of the trade.

use std::sync::OnceLock;

use rustc_hash::FxHashSet;
use sillage_clinical::knowledge::Knowledge;
use sillage_clinical::vocabulary::UNKNOWN;

const THINGS: &str = include_str!("../../data/proper_things.txt");
const COMMON: &str = include_str!("../../data/proper_common.txt");
const ABBREVIATIONS: &str = include_str!("../../data/abbreviations.txt");
const LETTERS: &str = include_str!("../../data/letters.txt");

struct Lists {
    things: FxHashSet<&'static str>,
    common: FxHashSet<&'static str>,
    abbreviations: FxHashSet<&'static str>,
    letters: FxHashSet<&'static str>,
    two_letters: FxHashSet<&'static str>,
    place_heads: FxHashSet<&'static str>,
    medical_heads: FxHashSet<&'static str>,
    carriers: FxHashSet<&'static str>,
    acts: FxHashSet<&'static str>,
    deeds: FxHashSet<&'static str>,
    headings: FxHashSet<&'static str>,
    businesses: FxHashSet<&'static str>,
    form_kinds: FxHashSet<&'static str>,
    care_acts: FxHashSet<&'static str>,
    cut_words: FxHashSet<&'static str>,
    wards: FxHashSet<&'static str>,
    articles: FxHashSet<&'static str>,
    flowers: FxHashSet<&'static str>,
}

/// Words of a file, or of one of its parts headed `[name]`.
fn words(file: &'static str, part: &str) -> FxHashSet<&'static str> {
    let mut inside = part.is_empty();
    let mut out = FxHashSet::default();
    for line in file.lines().filter(|l| !l.starts_with('#')) {
        match line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            Some(name) => inside = name == part,
            None if inside => out.extend(line.split_whitespace()),
            None => {}
        }
    }
    out
}

fn lists() -> &'static Lists {
    static LISTS: OnceLock<Lists> = OnceLock::new();
    LISTS.get_or_init(|| Lists {
        things: words(THINGS, ""),
        common: words(COMMON, ""),
        abbreviations: words(ABBREVIATIONS, ""),
        letters: words(LETTERS, ""),
        two_letters: words(LETTERS, "two letters"),
        place_heads: words(COMMON, "place heads"),
        medical_heads: words(COMMON, "medical heads"),
        carriers: words(COMMON, "carriers"),
        acts: words(COMMON, "shared acts"),
        deeds: words(COMMON, "deeds"),
        headings: words(ABBREVIATIONS, "headings"),
        businesses: words(COMMON, "businesses"),
        form_kinds: words(COMMON, "form kinds"),
        care_acts: words(COMMON, "care acts"),
        cut_words: words(ABBREVIATIONS, "cut words"),
        wards: words(ABBREVIATIONS, "wards"),
        articles: words(COMMON, "articles"),
        flowers: words(COMMON, "flowers"),
    })
}

/// A device, a brand, an organism, a software, a score.
pub(crate) fn thing(fold: &str) -> bool {
    lists().things.contains(fold)
}

/// A word of French or of medicine, in any number or gender.
fn common(fold: &str) -> bool {
    let list = &lists().common;
    let stem = |s: &str| {
        list.contains(s) || s.strip_suffix('e').is_some_and(|m| list.contains(m) || m.strip_suffix('e').is_some_and(|n| list.contains(n)))
    };
    list.contains(fold) || stem(fold.strip_suffix(['s', 'x']).unwrap_or(fold)) || stem(fold)
}

/// Something other than a name of a person or a place explains the word.
pub(crate) fn explained(fold: &str) -> bool {
    thing(fold) || common(fold) || crate::leak::eponym(fold).is_some() || medical(fold)
}

/// A word of medicine: of a disease, a part of the body, an act.
pub(crate) fn medical(fold: &str) -> bool {
    Knowledge::built_in().vocabulary.get(fold) != UNKNOWN
}

/// Two letters that stand for a place of work: "CS DECT 4471", "IDE SI".
pub(crate) fn ward(fold: &str) -> bool {
    lists().wards.contains(fold)
}

/// An article, a grade, a negation: letters behind it are a thing, not somebody.
pub(crate) fn makes_thing(fold: &str) -> bool {
    lists().articles.contains(fold)
}

/// A word cut short before the name of somebody: "Int.", "Serv.", "Bd."
pub(crate) fn cut_word(fold: &str) -> bool {
    lists().cut_words.contains(fold)
}

/// Two or three letters that every ward reads as a thing.
pub(crate) fn abbreviation(fold: &str) -> bool {
    lists().abbreviations.contains(fold)
}

/// Letters of medicine, of the trade or of every day; of two letters those that notes really use.
pub(crate) fn lettered(fold: &str) -> bool {
    if fold.len() == 2 {
        return lists().two_letters.contains(fold);
    }
    abbreviation(fold) || lists().letters.contains(fold)
}

/// Flowers, trees, birds and stones that wards are called by.
pub(crate) fn flower(fold: &str) -> bool {
    lists().flowers.contains(fold)
}

/// "école", "gare", "mairie": what stands before "de" and a place.
pub(crate) fn place_head(fold: &str) -> bool {
    lists().place_heads.contains(fold)
}

/// "maladie", "pince", "score": what stands before "de" and an eponym.
pub(super) fn medical_head(fold: &str) -> bool {
    lists().medical_heads.contains(fold)
}

/// "infection à", "stent", "logiciel": what a capitalised thing follows.
pub(super) fn carries_thing(fold: &str) -> bool {
    lists().carriers.contains(fold)
}

/// "rappelle", "prévenue": what people do, behind their name.
pub(crate) fn deed(fold: &str) -> bool {
    lists().deeds.contains(fold)
}

/// Letters that head a line or stand before a time in every note: "TA", "TDM".
pub(crate) fn heading(fold: &str) -> bool {
    lists().headings.contains(fold)
}

/// "Taxi", "Avis", "Famille": what opens a line before a name.
pub(crate) fn business(fold: &str) -> bool {
    lists().businesses.contains(fold)
}

/// "FOR", "ENR", "PROC": what the code of a form of the house begins with.
pub(crate) fn form_kind(fold: &str) -> bool {
    lists().form_kinds.contains(fold)
}

/// "refait", "posée", "installé": a step of care, behind which somebody signs.
pub(crate) fn care_act(fold: &str) -> bool {
    lists().care_acts.contains(fold)
}

/// "vu", "discuté", "staff": what people do with one another.
pub(crate) fn shared_act(fold: &str) -> bool {
    lists().acts.contains(fold)
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
