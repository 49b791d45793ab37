//! Mentions: where a text names a concept of the lexicon.
//!
//! All phrases are collected, ambiguous short forms are checked against their
//! neighbours, then the longest of overlapping ones stays. Its span then loses
//! words that only qualify it and takes in the side that follows.

use std::cmp::Reverse;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

use crate::is;
use crate::knowledge::{Knowledge, KnowledgeError};
use crate::lexicon::{Label, Lexicon};
use crate::stem::stem;
use crate::text::{Kind, Text, fold};
use crate::trie::Hit;
use crate::vocabulary::WordId;

/// Words looked at on either side of an ambiguous form.
const CONTEXT: usize = 8;

/// Words that decide where a span starts and ends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spans {
    qualifying: FxHashSet<Box<str>>,
    introducing: FxHashSet<Box<str>>,
    naming: FxHashSet<Box<str>>,
    general: FxHashSet<Box<str>>,
    examination: FxHashSet<Box<str>>,
    route: FxHashSet<Box<str>>,
    heads: FxHashSet<Box<str>>,
    joining: FxHashSet<Box<str>>,
    places: FxHashSet<Box<str>>,
    titles: FxHashSet<Box<str>>,
}

impl Spans {
    /// Errors: the embedded file cannot be read.
    pub fn read() -> Result<Spans, KnowledgeError> {
        toml::from_str(include_str!("../data/spans.toml"))
            .map_err(|error| KnowledgeError::Toml { file: "spans.toml", message: error.to_string() })
    }
}

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
pub fn mentions(knowledge: &Knowledge, text: &Text<'_>, words: &[WordId]) -> Vec<Mention> {
    let (lexicon, spans) = (&knowledge.lexicon, &knowledge.spans);
    let mut hits: Vec<Hit> = Vec::new();
    for start in 0..words.len() {
        lexicon.trie.walk(text, words, &knowledge.vocabulary, start, |hit| {
            if in_context(lexicon, words, &hit) {
                hits.push(hit);
            }
        });
    }
    // Ascending by start: the walk goes from token to token.
    let all = hits.clone();
    let kept = longest(hits).into_iter().filter(|hit| !names_a_person(knowledge, text, hit) && !names_a_reference(text, hit));
    let mut found: Vec<Mention> = Vec::new();
    for hit in kept {
        let mention = spanned(knowledge, text, &all, hit);
        // "vertiges avec nausées" names two signs: what a span leaves out behind a
        // joining word is read again.
        let freed = (mention.end + 1 < hit.end && spans.joining.contains(text.fold(mention.end))).then(|| {
            let from = all.partition_point(|h| h.start <= mention.end);
            let inside = all[from..].iter().take_while(|h| h.start < hit.end).filter(|h| h.end <= hit.end);
            longest(inside.copied().collect()).into_iter().map(|h| spanned(knowledge, text, &all, h))
        });
        for mention in std::iter::once(mention).chain(freed.into_iter().flatten()) {
            // A side taken in by the mention before is no longer one of its own.
            if found.last().is_none_or(|before| before.end <= mention.start) {
                found.push(mention);
            }
        }
    }
    inherit(lexicon, spans, text, &mut found);
    found
}

/// A head said alone takes the concept of the last longer name with that head:
/// "sténose carotidienne ... la sténose".
fn inherit(lexicon: &Lexicon, spans: &Spans, text: &Text<'_>, found: &mut [Mention]) {
    let mut last: FxHashMap<&str, u32> = FxHashMap::default();
    for mention in found {
        let concept = &lexicon.concepts[mention.concept as usize];
        let word = text.fold(mention.start);
        let Some(head) = [word, stem(word)].into_iter().find(|w| spans.heads.contains(*w)) else { continue };
        if concept.icd10.is_none() || !matches!(concept.label, Label::Disorder | Label::Sign) {
            continue;
        }
        let bare = (mention.start + 1..mention.end).all(|i| side_word(text, i));
        if !bare {
            last.insert(head, mention.concept);
        } else if let Some(named) = last.get(head) {
            mention.concept = *named;
        }
    }
}

/// A capitalised word behind a title or, for an eponym, behind a given name or a place.
fn names_a_person(knowledge: &Knowledge, text: &Text<'_>, hit: &Hit) -> bool {
    if !text.tokens[hit.start].capital || text.tokens[hit.start].lines_before > 0 {
        return false;
    }
    let (lexicon, spans) = (&knowledge.lexicon, &knowledge.spans);
    let preferred = &lexicon.concepts[lexicon.senses[hit.value as usize].concept as usize].preferred;
    let word = text.fold(hit.start);
    let eponym = hit.end == hit.start + 1
        && preferred.split([' ', '-']).any(|w| w.starts_with(char::is_uppercase) && w.contains(char::is_lowercase) && fold(w) == word);
    for i in (hit.start.saturating_sub(4)..hit.start).rev() {
        let before = text.fold(i);
        if spans.titles.contains(before) || eponym && i + 1 == hit.start && spans.places.contains(before) {
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

/// Capitals within a reference: "SCA-24-0317" is a number of something.
fn names_a_reference(text: &Text<'_>, hit: &Hit) -> bool {
    let token = |at: usize| text.tokens.get(at).filter(|t| !t.space_before && t.lines_before == 0);
    let digits = |at: usize| token(at).filter(|t| t.kind == Kind::Number).map_or(0, |t| t.range().len());
    let dash = |at: usize| token(at).is_some() && is!(text.key(at), "-" | "/");
    let serial = |at: usize| match digits(at) {
        3 => true,
        4 => !text.fold(at).starts_with("19") && !text.fold(at).starts_with("20"),
        length => length > 4,
    };
    let (end, dashed) = (hit.end, dash(hit.end) && is!(text.key(hit.end), "-"));
    text.tokens[hit.start..hit.end].iter().all(|t| t.upper) && dashed && digits(end + 1) > 0 && dash(end + 2) && serial(end + 3)
}

/// The shortest span that names the thing, with its side. `all` ascends by start.
fn spanned(knowledge: &Knowledge, text: &Text<'_>, all: &[Hit], hit: Hit) -> Mention {
    let (lexicon, spans) = (&knowledge.lexicon, &knowledge.spans);
    let concept = |value: u32| lexicon.senses[value as usize].concept;
    let of = |value: u32| &lexicon.concepts[concept(value) as usize];
    let named = of(hit.value);
    let same = |h: &&Hit| {
        let other = of(h.value);
        other.icd10 == named.icd10 && other.atc == named.atc && (other.label == Label::Procedure) == (named.label == Label::Procedure)
    };
    let from = |token: usize| &all[all.partition_point(|h| h.start < token)..];
    let (mut start, mut end) = (hit.start, hit.end);
    if spans.introducing.contains(text.fold(start)) {
        start = from(start + 1)
            .iter()
            .take_while(|h| h.start <= hit.start + 3)
            .filter(|h| h.end == hit.end)
            .filter(same)
            .map(|h| h.start)
            .min()
            .unwrap_or(start);
    }
    let left_out = |i: usize| {
        let word = text.fold(i);
        spans.qualifying.contains(word)
            || side_word(text, i)
            || match named.label {
                Label::Procedure => spans.examination.contains(word) || text.tokens[i].kind == Kind::Number,
                Label::Drug => spans.route.contains(word) || text.tokens[i].kind == Kind::Number,
                _ => false,
            }
    };
    let last = text.fold(end - 1);
    if named.label == Label::Sign && !spans.naming.contains(last) || left_out(end - 1) && !side_word(text, end - 1) {
        let says_it_alone = |h: &Hit| {
            lexicon.senses[h.value as usize].context.is_none() && !(h.end == start + 1 && spans.general.contains(text.fold(start)))
        };
        let shorter = |h: &&Hit| h.end < end && (named.label == Label::Sign && says_it_alone(h) || (h.end..end).all(left_out));
        end = from(start).iter().take_while(|h| h.start == start).filter(shorter).filter(same).map(|h| h.end).min().unwrap_or(end);
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
                        && text
                            .tokens
                            .get(at + 1)
                            .is_none_or(|next| next.kind != Kind::Mark || next.space_before || !is!(text.key(at + 1), "'" | "-" | "/"))
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
        cluster(&mut hits[at..next], reach, &mut kept);
        at = next;
    }
    kept.sort_by_key(|h: &Hit| h.start);
    kept
}

fn cluster(hits: &mut [Hit], reach: usize, kept: &mut Vec<Hit>) {
    let from = hits[0].start;
    if let [one] = hits {
        kept.push(*one);
        return;
    }
    hits.sort_by_key(|h| (Reverse(h.words), Reverse(h.end - h.start), h.value));
    let mut taken = vec![false; reach - from];
    for hit in hits.iter() {
        let tokens = &mut taken[hit.start - from..hit.end - from];
        if !tokens.contains(&true) {
            tokens.fill(true);
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
        super::mentions(knowledge, &read, &words).into_iter().map(|m| &text[read.byte_range(m.start..m.end)]).collect()
    }

    #[test]
    fn the_side_that_follows_belongs_to_the_name() {
        assert_eq!(found("Hémiplégie gauche et dysarthrie."), ["Hémiplégie gauche", "dysarthrie"]);
        assert_eq!(found("hémiparésie D, puis aspirine"), ["hémiparésie D", "aspirine"]);
        assert_eq!(found("Dysarthrie. Gauche")[0], "Dysarthrie");
    }

    #[test]
    fn a_reference_names_no_disease() {
        assert_eq!(found("Agrément SCA-24-0317, dossier AVC-23-118."), [""; 0]);
        assert_eq!(found("SCA-2019, AVC-12-2019"), ["SCA", "AVC"]);
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
        let all = super::mentions(knowledge, &read, &words);
        assert!(all.len() > 3 && all.windows(2).all(|w| w[0].end <= w[1].start));
    }

    #[test]
    fn what_a_span_leaves_out_is_read_again() {
        assert_eq!(found("vertiges avec nausées"), ["vertiges", "nausées"]);
    }

    #[test]
    fn a_bare_head_takes_the_name_said_before() {
        let knowledge = Knowledge::built_in();
        let code = |text: &str| {
            let read = Text::new(text);
            let words = knowledge.vocabulary.read(&read);
            let last = super::mentions(knowledge, &read, &words).last().map(|m| m.concept as usize);
            last.and_then(|c| knowledge.lexicon.concepts[c].icd10.clone())
        };
        assert_eq!(code("Sténose carotidienne serrée. La sténose est irrégulière").as_deref(), Some("I65.2"));
        assert_eq!(code("Occlusion du tronc basilaire. Reperméabilisation de l'occlusion").as_deref(), Some("I65.1"));
        assert_ne!(code("Occlusion vue").as_deref(), Some("I65.1"));
    }

    #[test]
    fn the_dose_and_the_route_are_no_part_of_a_drug() {
        assert_eq!(found("paracétamol IV"), ["paracétamol"]);
        assert_eq!(found("Levothyrox 75"), ["Levothyrox"]);
    }

    #[test]
    fn a_long_sentence_takes_time_in_proportion() {
        let text = "hémiplégie gauche avec aphasie et ".repeat(2_500);
        let started = std::time::Instant::now();
        assert!(found(&text).len() >= 5_000);
        assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
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
