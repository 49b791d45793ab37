//! Many detectors, one verdict.
//!
//! First medicine is protected: a clinical mention or an eponym wins over a detector
//! unless the patient's own record claims the very place, the words around say that a
//! person is meant, or the span is a longer thing (an address, a date) that happens to
//! hold the word. Then what overlaps is settled: spans of one label grow together and
//! carry the names of all their detectors, of several labels the longest thing wins and
//! the rest keeps what it leaves. At last spans are widened over their edges.

mod edges;
mod learned;
mod overlap;

use std::ops::Range;

use sillage_clinical::analysis::Analysis;
use sillage_clinical::lexicon::Label as Concept;
use sillage_clinical::text::fold;

use crate::identity::Identity;
use crate::leak;
use crate::name::knowledge::word;
use crate::{Label, Span, tagger};
pub use learned::{Vote, learned};
use overlap::disjoint;

/// How much a detector knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A list or a learned guess.
    Guess,
    /// Something another document says.
    Echo,
    /// A shape, or words around that say what it is.
    Context,
    /// The record, with a slip of the pen.
    Near,
    /// The record, to the letter.
    Record,
}

fn rank(span: &Span) -> Rank {
    let one = |detector: &str| match detector.split(':').next().unwrap_or_default() {
        "record" if detector.contains("fuzzy") || detector.contains("initial") => Rank::Near,
        "record" => Rank::Record,
        // A word written like a name stands where a drug or a disease may stand.
        "shape" if detector == "shape:name" => Rank::Guess,
        "shape" | "context" | "metadata" | "signature" => Rank::Context,
        "repeat" | "revealed" => Rank::Echo,
        _ => Rank::Guess,
    };
    span.detector.split('+').map(one).max().unwrap_or(Rank::Guess)
}

/// Makes spans disjoint and ascending, and takes back what is medicine.
pub fn settle(analysis: &Analysis<'_>, spans: Vec<Span>) -> Vec<Span> {
    let text = analysis.text.original;
    let mentions: Vec<Range<usize>> = analysis.entities().iter().map(|e| e.start..e.end).collect();
    let drug = |i: usize| analysis.entities()[i].concept.label == Concept::Drug;
    let mut kept = Vec::with_capacity(spans.len());
    for span in spans {
        let Some(span) = trimmed(text, span) else { continue };
        if !eponym(text, &span) {
            against_medicine(text, span, &mentions, drug, &mut kept);
        }
    }
    edges::widened(text, disjoint(text, kept), &mentions)
}

/// A span within the text, on character boundaries, without white space at its ends.
fn trimmed(text: &str, mut span: Span) -> Option<Span> {
    let words = text.get(span.start..span.end)?;
    let start = words.len() - words.trim_start().len();
    span.end = span.start + words.trim_end().len();
    span.start += start;
    text.get(span.start..span.end).filter(|w| w.contains(char::is_alphanumeric)).map(|_| span)
}

fn is_name(label: Label) -> bool {
    matches!(label, Label::Nom | Label::Prenom | Label::Ville)
}

/// Probability from which the tagger is believed against an eponym.
const SURE: f32 = 0.9;

/// A name of medicine that only a list or another document takes for a person or a place.
fn eponym(text: &str, span: &Span) -> bool {
    if !is_name(span.label) || rank(span) > Rank::Echo {
        return false;
    }
    let folded = fold(&text[span.start..span.end]);
    let before = &text[..span.start];
    let words = || folded.split(|c: char| !c.is_alphanumeric()).filter(|w| w.len() > 1);
    let medicine = |word: &str| match leak::eponym(word) {
        Some(also_people) => !also_people || headed(before),
        None => false,
    };
    // The tagger has weighed what stands around, the eponym among it.
    let weighed = span.detector == tagger::DETECTOR && span.score >= SURE && !headed(before);
    words().next().is_some() && words().all(medicine) && !person_before(before) && !weighed
}

/// "syndrome de", "score de": what follows belongs to medicine.
fn headed(before: &str) -> bool {
    const HEADS: &[&str] = &[
        "syndrome",
        "syndromes",
        "maladie",
        "signe",
        "signes",
        "score",
        "echelle",
        "test",
        "tests",
        "aire",
        "aphasie",
        "manoeuvre",
        "reflexe",
        "polygone",
        "cercle",
        "artere",
        "triade",
        "classification",
        "criteres",
        "critere",
        "indice",
        "paralysie",
        "atrophie",
        "dystrophie",
        "ataxie",
        "choree",
        "angor",
        "cordon",
        "tendon",
        "canal",
        "trompe",
        "valvule",
        "sonde",
        "drain",
        "respiration",
        "crise",
        "mal",
        "neuropathie",
        "demence",
        "corps",
        "stade",
        "grade",
        "classe",
        "thyroidite",
        "purpura",
        "noyau",
        "phenomene",
        "methode",
        "technique",
        "coloration",
        "bacille",
        "solution",
        "echographie",
        "fracture",
        "kyste",
        "hernie",
        "tumeur",
        "lymphome",
        "sarcome",
        "selon",
    ];
    let mut near = 0;
    for part in before.rsplit(' ') {
        let folded = fold(part);
        for word in folded.rsplit(|c: char| !c.is_alphanumeric()) {
            if matches!(word, "" | "de" | "d" | "du" | "des" | "la" | "l" | "le") {
                continue;
            }
            if HEADS.contains(&word) || leak::eponym(word) == Some(false) {
                return true;
            }
            near += 1;
            if near == 2 {
                return false;
            }
        }
    }
    false
}

/// A title or a given name stands right before: "manipulateur : Steve HOFFMANN".
fn person_before(before: &str) -> bool {
    let mut words = before.trim_end().trim_end_matches('.').rsplit(|c: char| !c.is_alphanumeric());
    let last = words.next().unwrap_or_default();
    let given = Identity::built_in().names.word(&fold(last)) & word::GIVEN != 0 && last.starts_with(char::is_uppercase);
    given && before.ends_with(' ')
        || matches!(fold(last).as_str(), "dr" | "docteur" | "pr" | "professeur" | "mme" | "madame" | "m" | "mr" | "monsieur" | "mlle")
}

/// What is left of a span beside the mentions.
fn against_medicine(text: &str, span: Span, mentions: &[Range<usize>], drug: impl Fn(usize) -> bool, kept: &mut Vec<Span>) {
    let first = mentions.partition_point(|m| m.end <= span.start);
    let mut rest = span;
    for (at, mention) in mentions.iter().enumerate().skip(first) {
        if mention.start >= rest.end {
            break;
        }
        // No house is called like a drug: "EHPAD PORTE ELIQUIS".
        if wins(text, &rest, mention) && !(rest.label == Label::Hopital && rank(&rest) < Rank::Near && drug(at)) {
            continue;
        }
        if is_name(rest.label) || rest.label == Label::Hopital {
            // Half a name is no name; a hospital is one up to the word of medicine.
            if rest.label != Label::Hopital || mention.start <= rest.start {
                return;
            }
            rest.end = mention.start;
            break;
        }
        let (left, right) = (rest.start..mention.start.max(rest.start), mention.end.min(rest.end)..rest.end);
        if let Some(left) = trimmed(text, Span { start: left.start, end: left.end, ..rest.clone() }) {
            kept.push(left);
        }
        rest.start = right.start;
    }
    kept.extend(trimmed(text, rest));
}

/// Whether a span stands against a mention that it overlaps.
fn wins(text: &str, span: &Span, mention: &Range<usize>) -> bool {
    let words = &text[span.start..span.end];
    let holds = span.start <= mention.start && mention.end <= span.end;
    let larger = holds && span.end - span.start > mention.end - mention.start;
    let inside = !holds && mention.start <= span.start && span.end <= mention.end;
    let rank = rank(span);
    let capital = words.starts_with(char::is_uppercase);
    match span.label {
        Label::Nom | Label::Prenom | Label::Ville => {
            // "maladie de Horton" of a patient named Horton; "petit mal" of one named Petit.
            if inside && (!capital || leak::eponym(&fold(words)).is_some()) {
                return false;
            }
            match rank {
                Rank::Record => true,
                // The metadata name people; a title may stand before "AVC" as well.
                Rank::Near | Rank::Context => {
                    larger
                        // "NIHSS 17 à Péronne": a town named like a bone, where a town stands.
                        || span.label == Label::Ville && holds && capital && words.contains(char::is_lowercase)
                        // "vu TM" of somebody whom the text names, "TM = Théo MARS".
                        || holds && ["visa", "legend"].iter().any(|d| span.detector.contains(d))
                        // "Kiné D.P. : marche": letters with dots.
                        || span.detector.contains("slot") && words.contains('.')
                        || holds
                            && (capital || span.detector.contains("slot"))
                            && personal(span)
                            && (!acronym(words)
                                || ["metadata", "slot", "whole"].iter().any(|d| span.detector.contains(d))
                                || behind_given(text, span))
                        || holds && acronym(words) && behind_given(text, span)
                }
                // Of somebody known, where a person is meant.
                Rank::Echo if span.detector.contains(":person") => holds && capital,
                Rank::Echo | Rank::Guess => {
                    span.detector.contains("shape:name") && holds && acronym(words) && behind_given(text, span)
                        // The tagger has weighed that medicine knows the word.
                        || span.detector == tagger::DETECTOR
                            && holds
                            && capital
                            && span.score >= SURE
                            && leak::eponym(&fold(words)) != Some(false)
                }
            }
        }
        // "transfert vers Dupuytren": the words around say that the hospital is meant.
        Label::Hopital if holds && rank == Rank::Context && leak::eponym(&fold(words)).is_some() => true,
        // "rééducation au SMR Les Terrasses": medicine ends at the kind of the house.
        Label::Hopital if mention.start < span.start && rank >= Rank::Context && called(&text[mention.end.min(span.end)..span.end]) => true,
        Label::Hopital | Label::Adresse => larger || rank == Rank::Record,
        // What counts in a date or a number are its digits: "B12" is no identifier.
        Label::Date | Label::DateNaissance => larger || words.chars().filter(char::is_ascii_digit).count() >= 2,
        Label::Mail => true,
        _ => larger || rank == Rank::Record || words.chars().filter(char::is_ascii_digit).count() >= 4,
    }
}

/// Whether a word with a capital is left, which names the house.
fn called(rest: &str) -> bool {
    rest.split(|c: char| !c.is_alphanumeric()).any(|w| w.starts_with(char::is_uppercase))
}

/// A trade, a relation or a list beside a word of medicine proves no person.
fn personal(span: &Span) -> bool {
    ["record", "title", "header", "birth", "spouse", "signature", "metadata", "whole"].iter().any(|d| span.detector.contains(d))
}

/// "Solène MAES": letters that are also a family name, right behind a given name.
fn behind_given(text: &str, span: &Span) -> bool {
    let names = &Identity::built_in().names;
    let Some(before) = text[..span.start].strip_suffix([' ', '\u{a0}']) else { return false };
    let given = before.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let cased = given.starts_with(char::is_uppercase) && given.chars().any(char::is_lowercase);
    cased && names.word(&fold(given)) & word::ANY_GIVEN != 0 && names.word(&fold(&text[span.start..span.end])) & word::ANY_FAMILY != 0
}

fn acronym(words: &str) -> bool {
    words.chars().count() <= 5 && words.chars().all(|c| c.is_uppercase() || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sillage_clinical::knowledge::Knowledge;

    use super::*;

    /// `words|label|detector`, found one behind the other where they stand.
    fn settled(text: &str, marked: &[&str]) -> Vec<String> {
        let analysis = Analysis::new(Knowledge::built_in(), text, None);
        let spans = marked
            .iter()
            .map(|m| {
                let [words, label, detector] = m.split('|').collect::<Vec<_>>()[..] else { panic!("{m}") };
                let start = text.find(words).unwrap_or_else(|| panic!("{words} is not in {text}"));
                let label = Label::from_name(label).unwrap();
                Span { start, end: start + words.len(), label, detector: detector.to_owned().into(), score: 0.5 }
            })
            .collect();
        settle(&analysis, spans).iter().map(|s| format!("{}|{}|{}", &text[s.start..s.end], s.label.name(), s.detector)).collect()
    }

    #[test]
    fn a_hospital_bears_the_name_of_a_disease() {
        let marked = &["Dupuytren|HOPITAL|shape:hospital-name"];
        assert_eq!(settled("Transfert vers Dupuytren ce soir.", marked), ["Dupuytren|HOPITAL|shape:hospital-name"]);
        let guessed = &["Dupuytren|HOPITAL|gazetteer:hospital"];
        assert!(settled("Opéré d'un Dupuytren à droite.", guessed).is_empty());
    }

    #[test]
    fn a_house_is_named_behind_its_kind() {
        let marked = &["SMR Les Terrasses du Larzac|HOPITAL|shape:hospital"];
        let text = "Il part en rééducation au SMR Les Terrasses du Larzac.";
        assert_eq!(settled(text, marked), ["SMR Les Terrasses du Larzac|HOPITAL|shape:hospital"]);
    }

    #[test]
    fn one_label_grows_together() {
        assert_eq!(
            settled("vu le 12 mars 2024", &["12 mars|DATE|shape:date", "mars 2024|DATE|rule:other", "12 mars|DATE|shape:date"]),
            ["12 mars 2024|DATE|shape:date+rule:other"]
        );
        assert_eq!(
            settled("Mme Quillivic", &["Quillivic|NOM|record:name", "Quillivic|NOM|context:title"]),
            ["Quillivic|NOM|record:name+context:title"]
        );
    }

    #[test]
    fn the_longest_thing_wins() {
        let text = "12 rue Quillivic, Lorient ; CHU de Lorient";
        assert_eq!(
            settled(text, &["12 rue Quillivic|ADRESSE|shape:street", "Quillivic|NOM|record:name", "CHU de Lorient|HOPITAL|shape:hospital"]),
            ["12 rue Quillivic|ADRESSE|shape:street", "CHU de Lorient|HOPITAL|shape:hospital"]
        );
        assert_eq!(
            settled("Nom : LE GOUËZ Annick", &["LE GOUËZ Annick|NOM|context:head", "Annick|PRENOM|record:name"]),
            ["LE GOUËZ|NOM|context:head", "Annick|PRENOM|record:name"]
        );
        assert_eq!(
            settled("le 07/05/1944", &["07/05/1944|DATE|shape:date", "07/05/1944|DATE_NAISSANCE|record:birth"]),
            ["07/05/1944|DATE_NAISSANCE|record:birth+shape:date"]
        );
    }

    #[test]
    fn medicine_is_protected() {
        assert_eq!(settled("Hémiplégie gauche", &["Hémiplégie|NOM|gazetteer:family"]), Vec::<String>::new());
        assert_eq!(settled("maladie de Parkinson", &["Parkinson|NOM|revealed"]), Vec::<String>::new());
        assert_eq!(settled("Glasgow 15", &["Glasgow|VILLE|gazetteer:town"]), Vec::<String>::new());
        assert_eq!(settled("Aphasie de Broca", &["Broca|NOM|gazetteer:family"]), Vec::<String>::new());
        assert_eq!(settled("fin du syndrome de Raynaud", &["Raynaud|NOM|revealed"]), Vec::<String>::new());
    }

    #[test]
    fn a_learned_guess_gives_way_to_medicine_and_adds_to_names() {
        assert_eq!(settled("Migraine ce matin", &["Migraine|NOM|model:tagger"]), Vec::<String>::new());
        assert_eq!(settled("Aphasie de Broca", &["Broca|NOM|model:tagger"]), Vec::<String>::new());
        assert_eq!(settled("vu avec Quillivic", &["Quillivic|NOM|model:tagger"]), ["Quillivic|NOM|model:tagger"]);
        assert_eq!(
            settled("Mme Quillivic", &["Quillivic|NOM|context:title", "Quillivic|NOM|model:tagger"]),
            ["Quillivic|NOM|context:title+model:tagger"]
        );
    }

    #[test]
    fn people_win_where_people_are_meant() {
        assert_eq!(settled("Vu par le Dr Parkinson", &["Parkinson|NOM|revealed"]), ["Parkinson|NOM|revealed"]);
        assert_eq!(settled("avis Lambert : TDM", &["Lambert|NOM|revealed"]), ["Lambert|NOM|revealed"]);
        assert_eq!(settled("sa fille Marie est là", &["Marie|PRENOM|revealed"]), ["Marie|PRENOM|revealed"]);
        assert_eq!(settled("avis du Dr Horton", &["Horton|NOM|context:title"]), ["Horton|NOM|context:title"]);
        assert_eq!(settled("validé par AVC", &["AVC|NOM|context:title"]), Vec::<String>::new());
        assert_eq!(settled("IDE : Corinne AVC", &["AVC|NOM|metadata"]), ["AVC|NOM|metadata"]);
        assert_eq!(settled("Mme Migraine est vue", &["Migraine|NOM|record:name"]), ["Migraine|NOM|record:name"]);
    }

    #[test]
    fn things_may_hold_a_word_of_medicine() {
        let street = "3 rue de la Migraine|ADRESSE|shape:street";
        assert_eq!(settled("vit 3 rue de la Migraine", &[street]), [street]);
        assert_eq!(settled("AVC 2019", &["2019|DATE|shape:date"]), ["2019|DATE|shape:date"]);
    }

    proptest! {
        #[test]
        fn spans_are_disjoint_and_whole(text in "(AVC|Mme Roux|é|12 mars|migraine| |,){0,12}", cuts in proptest::collection::vec((0usize..80, 0usize..20, 0usize..15, 0usize..4), 0..12)) {
            let detectors = ["record:name", "shape:x", "gazetteer:x", "context:x"];
            let spans: Vec<Span> = cuts.iter().map(|(start, length, label, detector)| Span {
                start: *start, end: start + length, label: Label::ALL[*label], detector: detectors[*detector].into(), score: 0.5,
            }).collect();
            let analysis = Analysis::new(Knowledge::built_in(), &text, None);
            let before: Vec<Span> = spans.clone();
            let after = settle(&analysis, spans);
            let mut last = 0;
            for span in &after {
                prop_assert!(span.start >= last && span.end > span.start);
                prop_assert!(text.get(span.start..span.end).is_some_and(|w| w.trim() == w));
                last = span.end;
            }
            // Where no medicine is, nothing is lost.
            for span in before.iter().filter(|s| text.get(s.start..s.end).is_some() && !analysis.entities().iter().any(|e| e.start < s.end && s.start < e.end)) {
                for (at, c) in text[span.start..span.end].char_indices() {
                    let at = span.start + at;
                    prop_assert!(!c.is_alphanumeric() || after.iter().any(|s| s.start <= at && at < s.end));
                }
            }
        }
    }
}
