//! What one document of a patient reveals, looked for in the patient's others: the
//! daughter's name, the family doctor, a phone, a number.
//!
//! Dates are left alone (they say nothing elsewhere), and so are short and ambiguous
//! words: those need a context of their own in each document.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};
use sillage_clinical::analysis::Analysis;
use sillage_clinical::is;
use sillage_clinical::text::{Kind, Text};

use crate::identity::Identity;
use crate::name::knowledge::{Names, likely_common, role, word};
use crate::name::page::{Page, look};
use crate::name::repeat::{initials_of, stands_for_a_person};
use crate::proper::known::{abbreviation, explained};
use crate::shape::house_initials;
use crate::tagger;
use crate::{Label, Span};

/// Fewest letters of a name that is looked for elsewhere.
const LEAST_LETTERS: usize = 3;
/// Fewest characters of a number that is looked for elsewhere.
const LEAST_DIGITS: usize = 5;
/// Words that a place may be written with or without.
const SMALL: &[&str] = &["de", "du", "des", "d", "l", "la", "le", "les"];

/// Whether the words of a span name the same thing wherever they stand. What a learned model
/// alone takes for a name or a place says so only where it is written like one and no
/// word of French or of medicine: "liaison" in one line is nobody's town in the next.
pub fn tells_elsewhere(span: &Span, written: &str) -> bool {
    let named = matches!(span.label, Label::Nom | Label::Prenom | Label::Adresse | Label::Hopital | Label::Ville);
    let alone = (span.detector.starts_with("model:") || span.detector == tagger::DETECTOR) && !span.detector.contains('+');
    // Nothing says of them what they are, each document asks for itself.
    if matches!(&*span.detector, "proper:letters" | "proper:unexplained") {
        return false;
    }
    let words = content(&Text::new(written));
    !(named && alone) || written.starts_with(char::is_uppercase) && words.iter().any(|w| w.len() > 3 && !explained(w))
}

/// What the spans of a text reveal, sorted, each once: label and words as written.
///
/// Names of several words are given word by word as well as whole.
pub fn revealed(text: &str, spans: &[Span]) -> Vec<(Label, String)> {
    let names = &Identity::built_in().names;
    let mut out = Vec::new();
    reveal_initials(names, text, spans, &mut out);
    for span in spans {
        let Some(written) = text.get(span.start..span.end) else { continue };
        if !tells_elsewhere(span, written) {
            continue;
        }
        match span.label {
            Label::Nom | Label::Prenom => reveal_name(names, span.label, written, &mut out),
            Label::Tel | Label::Ipp | Label::Nda | Label::Secu | Label::Rpps | Label::Id | Label::Mail => {
                let key = key(written);
                let digits = key.bytes().filter(u8::is_ascii_digit).count();
                if key.len() >= LEAST_DIGITS && (digits >= 4 || span.label == Label::Mail) {
                    out.push((span.label, written.to_owned()));
                }
            }
            Label::Adresse | Label::Hopital | Label::Ville => {
                let words = content(&Text::new(written));
                let telling = |w: &&String| w.len() > 3 && names.word(w) & (word::COMMON | word::ACRONYM) == 0 && !likely_common(w);
                let told = words.iter().any(|w| telling(&w)) || span.label == Label::Hopital && hyphened(written);
                if told && (words.len() > 1 || span.label != Label::Adresse) {
                    out.push((span.label, written.to_owned()));
                }
                if span.label == Label::Ville
                    && let Some(short) = short_town(written)
                {
                    out.push((Label::Ville, short.to_owned()));
                }
                // "Centre Hospitalier de Kerbrozou" signs "CHK".
                if span.label == Label::Hopital {
                    out.extend(house_initials(written).map(|letters| (Label::Hopital, letters.to_ascii_uppercase())));
                }
                // "CH de Kerbrozou" is "Kerbrozou" for those who know it.
                let own = words.last().filter(|w| span.label == Label::Hopital && words.len() > 1 && w.len() > 4 && telling(w));
                let own = own.filter(|w| !explained(w) && names.word(w) == 0);
                if let Some(at) = own.and_then(|w| {
                    Text::new(written)
                        .tokens
                        .iter()
                        .enumerate()
                        .rev()
                        .find_map(|(i, t)| (Text::new(written).fold(i) == w && t.capital).then(|| t.range()))
                }) {
                    out.push((Label::Hopital, written[at].to_owned()));
                }
            }
            Label::Zip | Label::Date | Label::DateNaissance => {}
        }
    }
    out.sort();
    out.dedup();
    out
}

fn reveal_name(names: &Names, label: Label, written: &str, out: &mut Vec<(Label, String)>) {
    let text = Text::new(written);
    for (at, token) in text.tokens.iter().enumerate() {
        let fold = text.fold(at);
        let bits = names.word(fold);
        let letters = token.kind == Kind::Word && fold.len() >= LEAST_LETTERS && !fold.bytes().any(|b| b.is_ascii_digit());
        let short = fold.len() < 4 && bits & (word::AMBIGUOUS | word::ACRONYM | word::QUALIFIER) != 0;
        if letters && token.capital && !short && bits & word::PARTICLE == 0 {
            out.push((label, text.source(at..at + 1).to_owned()));
        }
    }
}

/// The initials of those whose given and family name stand side by side.
fn reveal_initials(names: &Names, text: &str, spans: &[Span], out: &mut Vec<(Label, String)>) {
    let person = |s: &Span| matches!(s.label, Label::Nom | Label::Prenom);
    for pair in spans.windows(2) {
        let [first, second] = pair else { continue };
        let between = text.get(first.end..second.start).unwrap_or("-");
        if !person(first) || !person(second) || first.label == second.label || !matches!(between, " " | "  ") {
            continue;
        }
        let Some(written) = text.get(first.start..second.end) else { continue };
        let written = Text::new(written);
        let words: Vec<&str> = (0..written.tokens.len())
            .filter(|i| written.tokens[*i].kind == Kind::Word && (written.tokens[*i].capital || written.fold(*i).len() > 1))
            .map(|i| written.fold(i))
            .collect();
        let mut letters = FxHashSet::default();
        initials_of(&words, &mut letters);
        let plain = |w: &&String| (2..=3).contains(&w.len()) && !abbreviation(w.as_str()) && !explained(w) && names.word(w) == 0;
        out.extend(letters.iter().filter(plain).map(|w| (Label::Nom, w.to_ascii_uppercase())));
    }
}

/// "Mûr" of "Mûr-de-Bretagne", "Saint-Brévin" of "Saint-Brévin-les-Pins": what those who
/// live there call it.
fn short_town(written: &str) -> Option<&str> {
    let text = Text::new(written);
    let link = (1..text.tokens.len())
        .find(|i| is!(text.key(*i), "de" | "du" | "des" | "d" | "sur" | "sous" | "en" | "les" | "lez" | "la" | "le" | "aux"))?;
    let head = text.source(0..link).trim_end_matches([' ', '-']);
    let last = text.fold(link.saturating_sub(2));
    let saint = matches!(last, "saint" | "sainte" | "st" | "ste" | "notre");
    let article = is!(text.key(0), "le" | "la" | "les" | "l");
    (!saint && !article && head.chars().count() > 2 && head.len() < written.len()).then_some(head)
}

/// "Clair-Val": two words with capitals that a hyphen makes one name.
fn hyphened(written: &str) -> bool {
    let parts: Vec<&str> = written.split('-').collect();
    let capital = |p: &&str| p.chars().count() > 1 && p.starts_with(char::is_uppercase) && p.chars().all(char::is_alphabetic);
    parts.len() > 1 && parts.iter().all(capital)
}

/// Letters and digits of a number or mail, folded.
fn key(written: &str) -> String {
    let text = Text::new(written);
    (0..text.tokens.len()).filter(|i| text.tokens[*i].kind != Kind::Mark).map(|i| text.fold(i)).collect()
}

/// Words of a place that say something, folded.
fn content(text: &Text<'_>) -> Vec<String> {
    let word = |i: &usize| text.tokens[*i].kind != Kind::Mark && !SMALL.contains(&text.fold(*i));
    (0..text.tokens.len()).filter(word).map(|i| text.fold(i).to_owned()).collect()
}

/// What is looked for, by the first word of each.
#[derive(Default)]
struct Wanted {
    names: FxHashMap<String, Label>,
    /// Names of two or three capitals.
    initials: FxHashSet<String>,
    /// The words that follow the first.
    places: FxHashMap<String, Vec<(Vec<String>, Label)>>,
    /// Keys by their first two characters.
    numbers: FxHashMap<[u8; 2], Vec<(String, Label)>>,
}

impl Wanted {
    fn new(revealed: &[(Label, String)]) -> Wanted {
        let mut wanted = Wanted::default();
        for (label, written) in revealed {
            match label {
                Label::Nom | Label::Prenom => {
                    let short = (2..=3).contains(&written.len()) && written.bytes().all(|b| b.is_ascii_uppercase());
                    if short {
                        wanted.initials.insert(written.to_ascii_lowercase());
                    }
                    for name in content(&Text::new(written)) {
                        wanted.names.entry(name).or_insert(*label);
                    }
                }
                Label::Adresse | Label::Hopital | Label::Ville => {
                    let mut words = content(&Text::new(written)).into_iter();
                    if let Some(first) = words.next() {
                        wanted.places.entry(first).or_default().push((words.collect(), *label));
                    }
                }
                _ => {
                    let key = key(written);
                    if let [a, b, ..] = *key.as_bytes() {
                        wanted.numbers.entry([a, b]).or_default().push((key, *label));
                    }
                }
            }
        }
        wanted
    }
}

/// Whether a text may hold something known that it does not reveal itself: a quick
/// look that never says no wrongly, before the text is read again.
pub fn may_hold(source: &str, known: &[(Label, String)], own: &[(Label, String)]) -> bool {
    let others: Vec<&(Label, String)> = known.iter().filter(|item| !own.contains(item)).collect();
    if others.is_empty() {
        return false;
    }
    let text = Text::new(source);
    let words: FxHashSet<&str> = (0..text.tokens.len()).map(|i| text.fold(i)).collect();
    let digits: String = source.chars().filter(char::is_ascii_digit).collect();
    others.into_iter().any(|(label, item)| {
        let item = Text::new(item);
        let mut folds = (0..item.tokens.len()).filter(|i| item.tokens[*i].kind != Kind::Mark).map(|i| item.fold(i));
        match label {
            Label::Nom | Label::Prenom => folds.any(|w| words.contains(w)),
            Label::Adresse | Label::Hopital | Label::Ville => folds.filter(|w| w.len() > 3).all(|w| words.contains(w)),
            _ => {
                let number: String = item.original.chars().filter(char::is_ascii_digit).collect();
                number.len() < 4 || digits.contains(&number[number.len() - 4..])
            }
        }
    })
}

/// Adds the spans of what is known of the patient from elsewhere, detector `revealed`,
/// where no span covers the words yet. Clinical mentions are left alone.
pub fn propagate(analysis: &Analysis<'_>, revealed: &[(Label, String)], spans: &mut Vec<Span>) {
    if revealed.is_empty() {
        return;
    }
    let wanted = Wanted::new(revealed);
    let page = Page::new(&Identity::built_in().names, analysis);
    let mut covered = vec![false; page.len()];
    for span in spans.iter() {
        covered[page.tokens_of(span)].fill(true);
    }
    let mut at = 0;
    while at < page.len() {
        match find(&page, &wanted, at) {
            Some((mut tokens, label)) => {
                let end = tokens.end;
                let first = tokens.start;
                // "Les Tilleuls", "E. Barthouil": the article and the initial of a house.
                let house = matches!(label, Label::Hopital | Label::Ville) && first > 1 && page.same_line(first);
                let article = house && is!(page.key(first - 1), "les" | "le" | "la") && page.has(first - 1, look::CAPITAL);
                let initial = house && label == Label::Hopital && is!(page.key(first - 1), ".") && page.has(first - 2, look::SINGLE);
                if article && !page.has(first - 1, look::OPENS) {
                    tokens.start -= 1;
                } else if initial && page.glued(first - 1) {
                    tokens.start -= 2;
                }
                if tokens.clone().any(|i| !covered[i]) {
                    let bytes = page.text.byte_range(tokens);
                    let detector = if page.has(first, look::BODY | look::ALONE) { "revealed:person" } else { "revealed" };
                    spans.push(Span { start: bytes.start, end: bytes.end, label, detector: detector.into(), score: 0.8 });
                }
                at = end.max(at + 1);
            }
            None => at += 1,
        }
    }
}

fn find(page: &Page<'_, '_>, wanted: &Wanted, at: usize) -> Option<(Range<usize>, Label)> {
    if page.text.tokens[at].kind == Kind::Mark {
        return None;
    }
    let fold = page.fold(at);
    if let Some((end, label)) = number(page, wanted, at) {
        return Some((at..end, label));
    }
    if let Some(places) = wanted.places.get(fold) {
        let best = places.iter().filter_map(|(rest, label)| Some((place(page, at, rest)?, *label))).max_by_key(|(end, _)| *end);
        if let Some((end, label)) = best {
            return Some((at..end, label));
        }
    }
    let label = *wanted.names.get(fold)?;
    let fits = match wanted.initials.contains(fold) {
        true => signs(page, at) || fold.len() > 2 && stands_for_a_person(page, at),
        false => stands_for_a_person(page, at),
    };
    fits.then_some((at..at + 1, label))
}

/// Initials in capitals, alone between marks or at an end of the line.
fn signs(page: &Page<'_, '_>, at: usize) -> bool {
    let before = at == 0 || !page.same_line(at) || page.text.tokens[at - 1].kind == Kind::Mark && !is!(page.key(at - 1), "'");
    let next = at + 1;
    let behind = page.line_ends(next)
        || page.text.tokens[next].kind == Kind::Mark && !is!(page.key(next), "=" | "%" | "+" | "'" | "<" | ">")
        || page.text.tokens[next].kind == Kind::Number && page.fold(next).contains('h');
    let asked = at > 0
        && page.same_line(at)
        && (page.cues[at - 1].is_some_and(|c| c.roles & (role::FUNCTION | role::TITLE | role::TYPIST | role::AGENT) != 0)
            || is!(page.key(at - 1), "avec" | "par"));
    let gap = page.text.tokens.get(next).is_some_and(|t| t.start - page.text.tokens[at].end > 2);
    page.has(at, look::UPPER) && !page.has(at, look::CLINICAL) && (before || asked) && (behind || gap)
}

/// End of the words of a place, small words and marks between them passed over.
fn place(page: &Page<'_, '_>, at: usize, rest: &[String]) -> Option<usize> {
    let plain = word::COMMON | word::ACRONYM | look::CLINICAL | look::CUE | word::ANY_NAME;
    // "quand on parle de Mûr": a word of the language is a town behind a small word of place.
    let led = at > 0
        && page.same_line(at)
        && page.has(at - 1, look::LOWER)
        && is!(page.key(at - 1), "a" | "de" | "vers" | "sur" | "depuis" | "pour");
    let led =
        led && page.has(at, look::CAPITAL) && !page.has(at, look::UPPER | look::CLINICAL | look::OPENS) && !page.behind_eponym_head(at);
    let letters = rest.is_empty() && page.fold(at).len() == 3 && page.stands_out(at) && !page.has(at, plain);
    if rest.is_empty() && !led && !letters && (!page.has(at, look::CAPITAL) || page.has(at, plain) || page.fold(at).len() < 4) {
        return None;
    }
    let mut i = at + 1;
    for word in rest {
        let mut passed = 0;
        while passed < 4 && page.text.tokens.get(i).is_some_and(|t| t.lines_before < 2) && page.fold(i) != word {
            let mark = page.text.tokens[i].kind == Kind::Mark && is!(page.key(i), "-" | "'" | "." | "," | "–");
            if !mark && !SMALL.contains(&page.fold(i)) {
                return None;
            }
            i += 1;
            passed += 1;
        }
        if page.fold(i) != word {
            return None;
        }
        i += 1;
    }
    Some(i)
}

/// End of the tokens that spell a number from here.
fn number(page: &Page<'_, '_>, wanted: &Wanted, at: usize) -> Option<(usize, Label)> {
    let [a, b, ..] = *page.fold(at).as_bytes() else { return None };
    let keys = wanted.numbers.get(&[a, b])?;
    keys.iter().filter_map(|(key, label)| Some((spelled(page, at, key)?, *label))).max_by_key(|(end, _)| *end)
}

fn spelled(page: &Page<'_, '_>, at: usize, key: &str) -> Option<usize> {
    let (mut rest, mut i, mut marks) = (key, at, 0);
    while let Some(token) = page.text.tokens.get(i) {
        if token.lines_before > 1 || marks > 2 {
            return None;
        }
        if token.kind == Kind::Mark {
            if !is!(page.key(i), "." | "-" | "/" | "_" | "@" | "'" | ":" | "+" | "(" | ")") {
                return None;
            }
            marks += 1;
        } else {
            marks = 0;
            rest = rest.strip_prefix(page.fold(i))?;
            if rest.is_empty() {
                return Some(i + 1);
            }
        }
        i += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sillage_clinical::knowledge::Knowledge;

    use super::*;

    #[test]
    fn a_guess_of_a_model_says_nothing_elsewhere() {
        let span = |detector: &'static str| Span { start: 0, end: 0, label: Label::Ville, detector: detector.into(), score: 1.0 };
        assert!(!tells_elsewhere(&span("model:x"), "liaison"));
        assert!(!tells_elsewhere(&span("model:x"), "LIAISON"));
        assert!(tells_elsewhere(&span("model:x"), "Kerbrozou"));
        assert!(tells_elsewhere(&span("shape:town+model:x"), "Liaison"));
        assert!(tells_elsewhere(&Span { label: Label::Tel, ..span("model:x") }, "02 99 00 34 71"));
    }

    fn spans_of(text: &str, words: &[(Label, &str)]) -> Vec<Span> {
        let span = |(label, word): &(Label, &str)| {
            let start = text.find(word).unwrap_or_else(|| panic!("{word:?} not in {text:?}"));
            Span { start, end: start + word.len(), label: *label, detector: "test".into(), score: 1.0 }
        };
        words.iter().map(span).collect()
    }

    fn propagated(known: &[(Label, &str)], text: &str) -> Vec<String> {
        let analysis = Analysis::new(Knowledge::built_in(), text, None);
        let known: Vec<_> = known.iter().map(|(l, w)| (*l, (*w).to_owned())).collect();
        let mut spans = Vec::new();
        propagate(&analysis, &known, &mut spans);
        assert!(spans.windows(2).all(|w| w[0].end <= w[1].start), "ascending and disjoint");
        assert!(spans.is_empty() || may_hold(text, &known, &[]), "the quick look says no where there is something");
        spans.iter().map(|s| format!("{}:{}", s.label.name(), &text[s.start..s.end])).collect()
    }

    #[test]
    fn names_numbers_and_places_are_revealed_dates_and_small_words_are_not() {
        let text = "Sa fille Solenn LE QUELMET, 06 39 82 15 47, vu le 17/05/2023 par PJ, poste 4417, dossier R24-88130, CH de Saint-Ouvran, 22740.";
        let words = [
            (Label::Prenom, "Solenn"),
            (Label::Nom, "LE QUELMET"),
            (Label::Tel, "06 39 82 15 47"),
            (Label::Date, "17/05/2023"),
            (Label::Nom, "PJ"),
            (Label::Tel, "4417"),
            (Label::Id, "R24-88130"),
            (Label::Hopital, "CH de Saint-Ouvran"),
            (Label::Zip, "22740"),
        ];
        let found: Vec<String> = revealed(text, &spans_of(text, &words)).into_iter().map(|(_, w)| w).collect();
        assert_eq!(
            found,
            [
                "LQS",
                "QS",
                "QSO",
                "QUELMET",
                "SLQ",
                "SQ",
                "SQU",
                "Solenn",
                "CH de Saint-Ouvran",
                "CHSO",
                "Ouvran",
                "06 39 82 15 47",
                "R24-88130"
            ]
        );
    }

    #[test]
    fn a_span_outside_the_text_reveals_nothing() {
        let span = Span { start: 2, end: 90, label: Label::Nom, detector: "test".into(), score: 1.0 };
        assert!(revealed("été", &[span]).is_empty());
    }

    #[test]
    fn what_is_known_is_found_elsewhere() {
        let known =
            [(Label::Prenom, "Solenn"), (Label::Nom, "QUELMET"), (Label::Tel, "06 39 82 15 47"), (Label::Hopital, "CH de Saint-Ouvran")];
        assert_eq!(
            propagated(&known, "Appel de Quelmet au 0639821547 : solenn viendra. Retour au CH Saint-Ouvran."),
            ["NOM:Quelmet", "TEL:0639821547", "PRENOM:solenn", "HOPITAL:CH Saint-Ouvran"]
        );
        assert_eq!(propagated(&known, "Appel du +33 6 39 82 15 47."), Vec::<String>::new(), "another spelling is the shapes' to find");
    }

    #[test]
    fn medicine_and_common_words_stay() {
        let known =
            [(Label::Nom, "Petit"), (Label::Nom, "Parkinson"), (Label::Nom, "Broca"), (Label::Prenom, "Rose"), (Label::Ville, "Paris")];
        let text = "Petit infarctus. Maladie de Parkinson, aphasie de Broca. Crachats roses. petit score.";
        assert_eq!(propagated(&known, text), Vec::<String>::new());
        assert_eq!(propagated(&known, "Vu avec Petit à midi."), ["NOM:Petit"]);
    }

    #[test]
    fn a_name_that_is_a_part_of_the_body_is_one_where_a_person_is_meant() {
        let known = [(Label::Nom, "ROTULE")];
        assert_eq!(propagated(&known, "Choc sur la rotule. ROTULE fracturée. Fracture de la ROTULE."), Vec::<String>::new());
        assert_eq!(propagated(&known, "Avis pris avec Rotule ce jour, interne ROTULE prévenu."), ["NOM:Rotule", "NOM:ROTULE"]);
    }

    #[test]
    fn words_that_a_span_covers_are_left_to_it() {
        let text = "Appel de Quelmet.";
        let analysis = Analysis::new(Knowledge::built_in(), text, None);
        let mut spans = spans_of(text, &[(Label::Prenom, "Quelmet")]);
        propagate(&analysis, &[(Label::Nom, "QUELMET".to_owned())], &mut spans);
        assert_eq!(spans.len(), 1);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(Quel|met|QUELMET|CH de |[-. \\n]|Saint|06|71|é){0,24}") {
            let analysis = Analysis::new(Knowledge::built_in(), &text, None);
            let known = [(Label::Nom, "QUELMET".to_owned()), (Label::Hopital, "CH de Saint-Quel".to_owned()), (Label::Tel, "06 71 06 71".to_owned())];
            let mut spans = Vec::new();
            propagate(&analysis, &known, &mut spans);
            for span in spans {
                prop_assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end) && span.start < span.end);
            }
        }
    }
}
