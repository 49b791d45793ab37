//! Mentions: where a text names a concept of the lexicon.
//!
//! All phrases are collected, ambiguous short forms are checked against their
//! neighbours, then the longest of overlapping ones stays. Its span then loses
//! words that only qualify it and takes in the side that follows.

use crate::lexicon::{Label, Lexicon};
use crate::text::{Kind, Text, fold};
use crate::trie::Hit;
use crate::vocabulary::{Vocabulary, WordId};

/// Words looked at on either side of an ambiguous form.
const CONTEXT: usize = 8;
/// Degree and course: at the end of a phrase they qualify the thing named.
const QUALIFYING: &[&str] = &[
    "leger",
    "legere",
    "modere",
    "moderee",
    "severe",
    "discret",
    "discrete",
    "minime",
    "important",
    "importante",
    "majeur",
    "majeure",
    "massif",
    "massive",
    "complet",
    "complete",
    "incomplet",
    "incomplete",
    "total",
    "totale",
    "partiel",
    "partielle",
    "etendu",
    "etendue",
    "traite",
    "traitee",
    "connu",
    "connue",
    "equilibre",
    "equilibree",
    "intensif",
    "intensive",
    "frequent",
    "frequents",
    "frequente",
    "frequentes",
    "residuel",
    "residuelle",
    "sequellaire",
    "persistant",
    "persistante",
    "symptomatique",
    "hi1",
    "hi2",
    "ph1",
    "ph2",
    "rapide",
    "lente",
    "decompense",
    "decompensee",
    "seul",
    "seule",
    "pur",
    "pure",
];
/// Words before a name that say that it happens again, or where or how it is given.
const INTRODUCING: &[&str] =
    &["nouveau", "nouvel", "nouvelle", "nouveaux", "nouvelles", "sous", "seance", "seances", "zone", "passage", "episode"];
/// Words that make the sign another one although the code is the same.
const NAMING: &[&str] = &[
    "homonyme",
    "lateral",
    "laterale",
    "central",
    "centrale",
    "peripherique",
    "moteur",
    "motrice",
    "hemicorporel",
    "droit",
    "droite",
    "gauche",
    "d",
    "g",
];
/// First words too general to name a sign alone where more is said.
const GENERAL: &[&str] = &[
    "deficit",
    "deficits",
    "trouble",
    "troubles",
    "deviation",
    "perte",
    "faiblesse",
    "douleur",
    "douleurs",
    "difficulte",
    "difficultes",
    "paralysie",
    "paresie",
    "signe",
    "signes",
    "syndrome",
    "mouvements",
];
/// Places that carry a physician's name ("unité Babinski").
const PLACES: &[&str] = &[
    "unite",
    "service",
    "pavillon",
    "batiment",
    "hopital",
    "hopitaux",
    "salle",
    "secteur",
    "rue",
    "avenue",
    "centre",
    "clinique",
    "fondation",
    "institut",
    "residence",
    "ehpad",
];
/// Titles before a surname: what follows names a person ("Dr Todd").
const TITLES: &[&str] = &["dr", "drs", "docteur", "pr", "prof", "professeur", "mme", "mlle", "mr", "monsieur", "madame", "mademoiselle"];

/// A concept named in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention {
    /// First token.
    pub start: usize,
    /// Token after the last one.
    pub end: usize,
    /// Index into [`Lexicon::concepts`].
    pub concept: u32,
}

/// Finds the mentions of a text, ascending and disjoint.
pub fn mentions(lexicon: &Lexicon, vocabulary: &Vocabulary, text: &Text<'_>, words: &[WordId]) -> Vec<Mention> {
    let mut hits: Vec<Hit> = Vec::new();
    for start in 0..words.len() {
        lexicon.trie.walk(text, words, vocabulary, start, |hit| {
            if in_context(lexicon, words, &hit) {
                hits.push(hit);
            }
        });
    }
    let all = hits.clone();
    let kept = longest(hits).into_iter().filter(|hit| !names_a_person(lexicon, text, hit));
    let mut found: Vec<Mention> = Vec::new();
    for mention in kept.map(|hit| spanned(lexicon, text, &all, hit)) {
        // A side taken in by the mention before is no longer one of its own.
        if found.last().is_none_or(|before| before.end <= mention.start) {
            found.push(mention);
        }
    }
    found
}

/// A capitalised word behind a title or, for an eponym, behind a given name or a place.
fn names_a_person(lexicon: &Lexicon, text: &Text<'_>, hit: &Hit) -> bool {
    if !text.tokens[hit.start].capital || text.tokens[hit.start].lines_before > 0 {
        return false;
    }
    let preferred = &lexicon.concepts[lexicon.senses[hit.value as usize].concept as usize].preferred;
    let word = text.fold(hit.start);
    let eponym = hit.end == hit.start + 1
        && preferred.split([' ', '-']).any(|w| w.starts_with(char::is_uppercase) && w.contains(char::is_lowercase) && fold(w) == word);
    for i in (hit.start.saturating_sub(4)..hit.start).rev() {
        let before = text.fold(i);
        if TITLES.contains(&before) || eponym && i + 1 == hit.start && PLACES.contains(&before) {
            return true;
        }
        let token = &text.tokens[i];
        let between = matches!(before, "." | "-") || token.upper && before.len() == 1 || eponym && token.capital;
        if !between || token.lines_before > 0 {
            return false;
        }
    }
    false
}

/// The shortest span that names the thing, with its side.
fn spanned(lexicon: &Lexicon, text: &Text<'_>, all: &[Hit], hit: Hit) -> Mention {
    let concept = |value: u32| lexicon.senses[value as usize].concept;
    let of = |value: u32| &lexicon.concepts[concept(value) as usize];
    let named = of(hit.value);
    let same = |h: &&Hit| {
        let other = of(h.value);
        other.icd10 == named.icd10 && other.atc == named.atc && (other.label == Label::Procedure) == (named.label == Label::Procedure)
    };
    let (mut start, mut end) = (hit.start, hit.end);
    if INTRODUCING.contains(&text.fold(start)) {
        start = all
            .iter()
            .filter(|h| h.end == hit.end && h.start > hit.start && h.start <= hit.start + 3)
            .filter(same)
            .map(|h| h.start)
            .min()
            .unwrap_or(start);
    }
    let left_out = |i: usize| QUALIFYING.contains(&text.fold(i)) || side_word(text, i);
    if named.label == Label::Sign && !NAMING.contains(&text.fold(end - 1)) || QUALIFYING.contains(&text.fold(end - 1)) {
        let says_it_alone =
            |h: &Hit| lexicon.senses[h.value as usize].context.is_none() && !(h.end == start + 1 && GENERAL.contains(&text.fold(start)));
        let shorter =
            |h: &&Hit| h.start == start && h.end < end && (named.label == Label::Sign && says_it_alone(h) || (h.end..end).all(left_out));
        end = all.iter().filter(shorter).filter(same).map(|h| h.end).min().unwrap_or(end);
    }
    if named.label != Label::Drug && named.label != Label::Anatomy && is_side(text, end) {
        end += 1;
    }
    Mention { start, end, concept: concept(hit.value) }
}

/// A side written right behind, on the same line or the next one.
fn is_side(text: &Text<'_>, at: usize) -> bool {
    text.tokens.get(at).is_some_and(|token| token.space_before && token.lines_before < 2) && side_word(text, at)
}

fn side_word(text: &Text<'_>, at: usize) -> bool {
    text.tokens.get(at).is_some_and(|token| {
        token.kind == Kind::Word
            && match text.fold(at) {
                "g" | "d" => {
                    token.upper
                        && text.tokens.get(at + 1).is_none_or(|next| {
                            next.kind != Kind::Mark || next.space_before || !matches!(text.fold(at + 1), "'" | "-" | "/")
                        })
                }
                "gauche" | "gauches" | "droit" | "droite" | "droits" | "droites" | "gche" | "gch" | "dte" | "drt" => true,
                _ => false,
            }
    })
}

fn in_context(lexicon: &Lexicon, words: &[WordId], hit: &Hit) -> bool {
    let Some(context) = lexicon.senses[hit.value as usize].context else { return true };
    let cues = &lexicon.contexts[context as usize];
    let from = hit.start.saturating_sub(CONTEXT);
    let to = (hit.end + CONTEXT).min(words.len());
    let near = |list: &[WordId]| words[from..hit.start].iter().chain(&words[hit.end..to]).any(|w| list.contains(w));
    (cues.required.is_empty() || near(&cues.required)) && !near(&cues.refused)
}

/// Keeps the longest of overlapping hits; the first listed wins a tie.
fn longest(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by_key(|h| (h.start, h.end));
    let mut kept = Vec::with_capacity(hits.len());
    let mut at = 0;
    while at < hits.len() {
        let mut reach = hits[at].end;
        let mut next = at + 1;
        while next < hits.len() && hits[next].start < reach {
            reach = reach.max(hits[next].end);
            next += 1;
        }
        cluster(&mut hits[at..next], &mut kept);
        at = next;
    }
    kept.sort_by_key(|h: &Hit| h.start);
    kept
}

fn cluster(hits: &mut [Hit], kept: &mut Vec<Hit>) {
    if let [one] = hits {
        kept.push(*one);
        return;
    }
    hits.sort_by_key(|h| (std::cmp::Reverse(h.words), std::cmp::Reverse(h.end - h.start), h.value));
    let first = kept.len();
    for hit in hits.iter() {
        if kept[first..].iter().all(|k| hit.end <= k.start || hit.start >= k.end) {
            kept.push(*hit);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::knowledge::Knowledge;
    use crate::text::Text;

    fn found(text: &str) -> Vec<&str> {
        let knowledge = Knowledge::built_in();
        let read = Text::new(text);
        let words = knowledge.vocabulary.read(&read);
        super::mentions(&knowledge.lexicon, &knowledge.vocabulary, &read, &words)
            .into_iter()
            .map(|m| &text[read.byte_range(m.start..m.end)])
            .collect()
    }

    #[test]
    fn the_side_that_follows_belongs_to_the_name() {
        assert_eq!(found("Hémiplégie gauche et dysarthrie."), ["Hémiplégie gauche", "dysarthrie"]);
        assert_eq!(found("hémiparésie D, puis aspirine"), ["hémiparésie D", "aspirine"]);
        assert_eq!(found("Dysarthrie. Gauche")[0], "Dysarthrie");
    }

    #[test]
    fn what_only_qualifies_is_left_out() {
        assert_eq!(found("une dépression traitée"), ["dépression"]);
        assert_eq!(found("hémiplégie droite massive"), ["hémiplégie droite"]);
        assert_eq!(found("aphasie non fluente"), ["aphasie"]);
        assert_eq!(found("nouvel AVC"), ["AVC"]);
    }

    #[test]
    fn what_names_another_thing_stays() {
        for name in
            ["paralysie faciale centrale", "hémianopsie latérale homonyme", "infarctus sylvien", "insuffisance cardiaque", "déficit moteur"]
        {
            assert_eq!(found(name), [name]);
        }
    }

    #[test]
    fn mentions_never_overlap() {
        let text = "Hémiplégie gauche, hémianopsie droite gauche, PF G G, œdème D D droit";
        let read = Text::new(text);
        let knowledge = Knowledge::built_in();
        let words = knowledge.vocabulary.read(&read);
        let all = super::mentions(&knowledge.lexicon, &knowledge.vocabulary, &read, &words);
        assert!(all.len() > 3 && all.windows(2).all(|w| w[0].end <= w[1].start));
    }

    #[test]
    fn a_title_makes_a_surname() {
        for name in ["vu par le Dr H. PARKINSON", "Dr Hélène Babinski", "unité Babinski"] {
            assert_eq!(found(name), Vec::<&str>::new(), "{name}");
        }
        assert_eq!(found("Babinski à droite")[0], "Babinski");
        assert_eq!(found("maladie de Parkinson"), ["maladie de Parkinson"]);
    }
}
