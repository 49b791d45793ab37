//! The second lock: does a string of a research row hold what is known of the patient?
//!
//! What the record and the spans of the patient say is kept as runs of letters and
//! digits without marks between them, so that `LE-GOFF`, `Le Goff` and `legoff`, or
//! `02 97…` and `0297…`, are one. Words that are also words of every day are taken for
//! names only where they are written as names; dates are not looked for, the shifted
//! ones fall on real ones, save the birth date in full.

use std::ops::Range;
use std::sync::OnceLock;

use chrono::{Datelike, NaiveDate};
use rustc_hash::{FxHashMap, FxHashSet};
use sillage_clinical::text::fold_char;

use crate::identity::Identity;
use crate::name::knowledge::word as bits;
use crate::name::repeat::article;
use crate::proper::known::medical;
use crate::surrogate::full_date;
use crate::{Label, Person};

/// Most runs of letters or digits that an identifier has.
const LONGEST: usize = 24;
/// A number shorter than this says nothing.
const SHORTEST_NUMBER: usize = 6;
const MONTHS: [&str; 12] =
    ["janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre", "novembre", "decembre"];
const TITLES: &[&str] = &[
    "m",
    "mr",
    "mme",
    "mlle",
    "monsieur",
    "madame",
    "mademoiselle",
    "dr",
    "docteur",
    "pr",
    "professeur",
    "ide",
    "nom",
    "prenom",
    "patient",
    "patiente",
];
/// Words that establishments and addresses share.
const GENERIC: &str = "\
    chu chru ch ghu ght hia hopital hopitaux centre hospitalier hospitaliere universitaire regional clinique polyclinique ehpad ssr \
    smr residence maison retraite sante medicale medical cabinet institut service unite neuro vasculaire usinv unv urgences samu smur \
    imagerie pole site soins neurologie reanimation reeducation rue avenue place boulevard chemin allee route impasse quai lieu dit le \
    la les de du des d l et a au aux en sur sous saint sainte st ste bis ter cedex bp cs bourg";

/// How an identifier must be written to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Care {
    /// However it is written.
    Any,
    /// As a name: behind a title, or all in capitals where no article makes a thing of it.
    AsName,
    /// With a capital, where nothing makes a thing of it: a word of medicine.
    NoThing,
    /// With a capital.
    Capital,
}

/// An identifier that was found where none may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    pub label: Label,
    /// Bytes of the string that was searched.
    pub start: usize,
    pub end: usize,
}

/// What is known of one patient.
#[derive(Clone, Default)]
pub struct KnownIdentifiers {
    keys: FxHashMap<Box<str>, (Label, Care)>,
    words: FxHashSet<Box<str>>,
    longest: usize,
}

/// A run of letters or of digits.
struct Run {
    start: usize,
    end: usize,
    fold: String,
    capital: bool,
    upper: bool,
}

/// Runs of letters and of digits; a capital behind a small letter starts a new one.
fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut last: Option<char> = None;
    for (at, c) in text.char_indices() {
        let (letter, digit) = (c.is_alphabetic(), c.is_ascii_digit());
        let mark = ('\u{300}'..='\u{36f}').contains(&c);
        if !letter && !digit && !mark {
            if c != '\u{ad}' {
                last = None;
            }
            continue;
        }
        let goes_on =
            mark && last.is_some() || last.is_some_and(|l| l.is_ascii_digit() == digit && !(l.is_lowercase() && c.is_uppercase()));
        let end = at + c.len_utf8();
        match runs.last_mut() {
            Some(run) if goes_on => {
                fold_char(c, |f| run.fold.push(f));
                run.end = end;
                run.upper &= !c.is_lowercase();
            }
            _ => {
                let mut fold = String::new();
                fold_char(c, |f| fold.push(f));
                runs.push(Run { start: at, end, fold, capital: c.is_uppercase(), upper: c.is_uppercase() });
            }
        }
        if !mark {
            last = Some(c);
        }
    }
    runs
}

fn words_of(file: &'static str) -> FxHashSet<&'static str> {
    file.lines().filter(|l| !l.starts_with('#')).flat_map(str::split_whitespace).collect()
}

fn common() -> &'static FxHashSet<&'static str> {
    static WORDS: OnceLock<FxHashSet<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| words_of(include_str!("../data/common_words.txt")))
}

/// A name that is a word of every day as well.
pub(crate) fn everyday(fold: &str) -> bool {
    common().contains(fold)
}

/// A word that says what kind of place it is, not which.
fn generic(folded: &str) -> bool {
    static WORDS: OnceLock<FxHashSet<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| GENERIC.split_whitespace().collect()).contains(folded)
}

/// Names that medicine has taken, and whether people bear them as often.
fn eponyms() -> &'static FxHashMap<&'static str, bool> {
    static WORDS: OnceLock<FxHashMap<&'static str, bool>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let file = include_str!("../data/eponyms.txt");
        let (medicine, also) = file.split_once("\nalso\n").unwrap_or((file, ""));
        let words = |text: &'static str| text.lines().filter(|l| !l.starts_with('#')).flat_map(str::split_whitespace);
        words(also).map(|w| (w, true)).chain(words(medicine).map(|w| (w, false))).collect()
    })
}

/// The names that medicine has taken.
pub(crate) fn eponym_words() -> impl Iterator<Item = &'static str> {
    eponyms().keys().copied()
}

/// Whether a folded word is a name that medicine has taken, and if so whether people
/// bear it as often.
pub(crate) fn eponym(folded: &str) -> Option<bool> {
    eponyms().get(folded).copied()
}

/// Whether a folded word is a word of every day as well as a name.
pub(crate) fn is_common_word(folded: &str) -> bool {
    common().contains(folded)
}

impl KnownIdentifiers {
    /// What a record holds.
    pub fn of_person(person: &Person) -> KnownIdentifiers {
        let mut known = KnownIdentifiers::default();
        let lists: [(Label, &[String]); 7] = [
            (Label::Nom, &person.families),
            (Label::Prenom, &person.givens),
            (Label::Adresse, &person.lines),
            (Label::Zip, &person.postal_codes),
            (Label::Ville, &person.cities),
            (Label::Tel, &person.phones),
            (Label::Mail, &person.mails),
        ];
        for (label, values) in lists {
            for value in values {
                known.add(label, value);
            }
        }
        for (label, value) in &person.identifiers {
            known.add(*label, value);
        }
        if let Some(birth) = person.birth_date {
            known.add_birth(birth);
        }
        known
    }

    /// Adds what a span of the patient's documents says; what is too short or too common
    /// to say anything is left out.
    pub fn add(&mut self, label: Label, text: &str) {
        let runs = runs(text);
        if runs.is_empty() {
            return;
        }
        for run in &runs {
            self.words.insert(run.fold.as_str().into());
        }
        match label {
            Label::Date => {}
            Label::DateNaissance => {
                if let Some(birth) = full_date(text, None) {
                    self.add_birth(birth);
                }
            }
            Label::Nom | Label::Prenom => self.add_name(label, &runs),
            Label::Ville => {
                let town = without_article(&runs);
                let town: Vec<&Run> =
                    town.iter().take_while(|r| r.fold != "cedex" && !r.fold.starts_with(|c: char| c.is_ascii_digit())).collect();
                let single = town.len() == 1;
                let word = town.first().map_or("", |r| r.fold.as_str());
                if town.iter().all(|r| generic(&r.fold)) || single && (word.len() < 3 || eponym(word) == Some(false)) {
                    return;
                }
                let care = if single && (is_common_word(word) || word.len() < 5) { Care::Capital } else { Care::Any };
                self.insert(label, concat(town.into_iter()), care);
            }
            Label::Hopital | Label::Adresse => {
                let runs = without_article(&runs);
                // The surrogate of an establishment keeps what it is: "Assistance Publique" would be found in it.
                let kind = |r: &Run| generic(&r.fold) || label == Label::Hopital && Identity::built_in().surrogates.says_kind(&r.fold);
                let telling = |r: &&Run| r.capital && !kind(r) && r.fold.len() > 2 && !r.fold.starts_with(|c: char| c.is_ascii_digit());
                let count = runs.iter().filter(telling).count();
                if runs.len() < 2 || count == 0 {
                    return;
                }
                self.insert(label, concat(runs.iter()), Care::Any);
                // The street without its number.
                let street: Vec<&Run> = runs.iter().skip_while(|r| r.fold.starts_with(|c: char| c.is_ascii_digit())).collect();
                if label == Label::Adresse && street.len() < runs.len() && street.len() > 2 {
                    self.insert(label, concat(street.into_iter()), Care::Any);
                }
            }
            // Five digits are also a count of platelets.
            Label::Zip => {}
            Label::Mail => self.insert(label, concat(runs.iter()), Care::Any),
            Label::Tel => {
                let key = concat(runs.iter());
                if key.len() >= SHORTEST_NUMBER {
                    if let Some(rest) = key.strip_prefix("0033").or_else(|| key.strip_prefix("33").filter(|r| r.len() == 9)) {
                        self.insert(label, format!("0{rest}"), Care::Any);
                    }
                    self.insert(label, key, Care::Any);
                }
            }
            Label::Ipp | Label::Nda | Label::Secu | Label::Rpps | Label::Id => {
                let key = concat(runs.iter());
                let digits = key.bytes().filter(u8::is_ascii_digit).count();
                if key.len() >= SHORTEST_NUMBER && digits >= SHORTEST_NUMBER - 2 {
                    if label == Label::Secu && key.len() == 15 {
                        self.insert(label, key[..13].to_owned(), Care::Any);
                    }
                    self.insert(label, key, Care::Any);
                }
            }
        }
    }

    fn add_name(&mut self, label: Label, runs: &[Run]) {
        let key = concat(runs.iter());
        if key.chars().count() < 3 || runs.iter().all(|r| generic(&r.fold) || r.fold.len() == 1) {
            return;
        }
        if runs.len() > 1 {
            // "LE JEUNE" is also "le jeune âge".
            let plain = |r: &Run| generic(&r.fold) || is_common_word(&r.fold);
            self.insert(label, key, if runs.iter().all(plain) { Care::Capital } else { Care::Any });
            // "Durand-Lemaire": each of the two is a name.
            for run in runs.iter().filter(|r| r.fold.len() > 3 && !generic(&r.fold)) {
                self.add_word(label, &run.fold);
            }
        } else {
            self.add_word(label, &key);
        }
    }

    fn add_word(&mut self, label: Label, word: &str) {
        if eponym(word) == Some(false) {
            return;
        }
        // Three letters are an abbreviation of something else as well.
        let listed = Identity::built_in().names.word(word) & bits::ANY_NAME != 0;
        let care = if is_common_word(word) || eponym(word).is_some() || word.len() < 4 {
            Care::AsName
        } else if !listed && medical(word) {
            Care::NoThing
        } else if label == Label::Prenom || word.len() < 5 {
            Care::Capital
        } else {
            Care::Any
        };
        self.insert(label, word.to_owned(), care);
    }

    fn add_birth(&mut self, birth: NaiveDate) {
        let (d, m, y) = (birth.day(), birth.month(), birth.year());
        let month = MONTHS[birth.month0() as usize];
        for key in [
            format!("{d:02}{m:02}{y}"),
            format!("{y}{m:02}{d:02}"),
            format!("{d:02}{month}{y}"),
            format!("{d}{month}{y}"),
            if d == 1 { format!("1er{month}{y}") } else { format!("{d}{month}{:02}", y.rem_euclid(100)) },
        ] {
            self.insert(Label::DateNaissance, key, Care::Any);
        }
    }

    fn insert(&mut self, label: Label, key: String, care: Care) {
        if key.is_empty() {
            return;
        }
        self.longest = self.longest.max(key.len());
        let slot = self.keys.entry(key.into()).or_insert((label, care));
        slot.1 = slot.1.min(care);
    }

    /// Folded words and numbers of what is known: no surrogate may be one of them.
    pub fn words(&self) -> &FxHashSet<Box<str>> {
        &self.words
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The first identifier that a string holds.
    pub fn find(&self, text: &str) -> Option<Leak> {
        if self.keys.is_empty() {
            return None;
        }
        let runs = runs(text);
        let shouted = runs.iter().filter(|r| r.fold.len() > 2).all(|r| r.upper);
        let mut key = String::with_capacity(self.longest);
        for first in 0..runs.len() {
            key.clear();
            for last in first..runs.len().min(first + LONGEST) {
                key.push_str(&runs[last].fold);
                if key.len() > self.longest {
                    break;
                }
                let Some((label, care)) = self.keys.get(key.as_str()) else { continue };
                let run = &runs[first];
                let titled = || first > 0 && TITLES.contains(&runs[first - 1].fold.as_str());
                let written = match care {
                    Care::Any => true,
                    Care::Capital => run.capital && (!sentence_start(text, run.start) || run.upper || titled()),
                    Care::NoThing => {
                        run.capital && (titled() || !of_a_thing(text, &runs, first) && (run.upper || !sentence_start(text, run.start)))
                    }
                    Care::AsName => {
                        titled() && run.capital || run.upper && !shouted && run.fold.len() > 3 && !of_a_thing(text, &runs, first)
                    }
                };
                // "14 mL de": two or three letters in pieces are initials where all have capitals.
                let pieces = last > first
                    && key.len() < 4
                    && runs[first..=last].iter().any(|r| !r.upper && !r.fold.starts_with(|c: char| c.is_ascii_digit()));
                if written && !pieces && !whole_of_longer_number(&runs, first, last) {
                    return Some(Leak { label: *label, start: run.start, end: runs[last].end });
                }
            }
        }
        None
    }

    /// Where a string holds what is known; for those who want to see.
    pub fn range(&self, text: &str) -> Option<Range<usize>> {
        self.find(text).map(|l| l.start..l.end)
    }
}

/// "la Conception" as "Conception"; "le Port" stays: "port" alone is a word of every day.
fn without_article(runs: &[Run]) -> &[Run] {
    match runs {
        [first, rest @ ..] if !first.capital && matches!(first.fold.as_str(), "l" | "la" | "le" | "les") => match rest {
            [] => runs,
            [word] if word.fold.len() < 5 || is_common_word(&word.fold) => runs,
            _ => rest,
        },
        _ => runs,
    }
}

fn concat<'a>(runs: impl Iterator<Item = &'a Run>) -> String {
    runs.map(|r| r.fold.as_str()).collect()
}

/// "du TIBIA", "ROTULE gauche": an article before a word or what medicine says of it behind.
fn of_a_thing(text: &str, runs: &[Run], at: usize) -> bool {
    let close = |a: &Run, b: &Run| text[a.end..b.start].chars().all(|c| matches!(c, ' ' | '\'' | '’' | '\u{a0}'));
    let titled = |i: usize| i > 0 && TITLES.contains(&runs[i - 1].fold.as_str());
    let led = at > 0 && close(&runs[at - 1], &runs[at]) && article(&runs[at - 1].fold);
    let led = led && (!runs[at - 1].upper || medical(&runs[at].fold) && !titled(at - 1));
    let says = |r: &Run| r.fold.len() > 4 && !r.capital && close(&runs[at], r) && medical(&r.fold);
    led || medical(&runs[at].fold) && runs.get(at + 1).is_some_and(says)
}

/// Whether the capital here may only be that of a sentence.
fn sentence_start(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches([' ', '\t', '-', '•', '*', '«', '"']);
    before.is_empty() || before.ends_with(['.', '\n', '!', '?', ':'])
}

/// `12` of `3.12`: digits with a decimal mark and a digit on either side are one number.
fn whole_of_longer_number(runs: &[Run], first: usize, last: usize) -> bool {
    let number = |r: &Run| r.fold.starts_with(|c: char| c.is_ascii_digit());
    let touches = |a: &Run, b: &Run| number(a) && number(b) && b.start - a.end == 1 && a.fold.len() < 2 && b.fold.len() < 3;
    first > 0 && touches(&runs[first - 1], &runs[first]) && last == first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> KnownIdentifiers {
        let person = Person {
            families: vec!["LE GOUËZ".to_owned(), "PETIT".to_owned()],
            givens: vec!["Maryvonne".to_owned(), "Rose".to_owned()],
            birth_date: NaiveDate::from_ymd_opt(1944, 5, 7),
            lines: vec!["12 rue des Korrigans".to_owned()],
            cities: vec!["Quéven".to_owned(), "Sens".to_owned()],
            phones: vec!["02 97 44 18 20".to_owned()],
            mails: vec!["m.legouez@wanadou.fr".to_owned()],
            identifiers: vec![(Label::Ipp, "803344127".to_owned()), (Label::Id, "12".to_owned())],
            ..Person::default()
        };
        let mut known = KnownIdentifiers::of_person(&person);
        known.add(Label::Nom, "Quillivic");
        known.add(Label::Nom, "Parkinson");
        known.add(Label::Nom, "LE JEUNE");
        known.add(Label::Nom, "ROTULE");
        known.add(Label::Hopital, "CHU");
        known.add(Label::Ville, "Mrs");
        known.add(Label::Hopital, "CHU de Quéven");
        known.add(Label::Date, "12 mars 2024");
        known.add(Label::Ville, "l'Étang-Vieux");
        known.add(Label::Ville, "le Port");
        known.add(Label::Hopital, "la Conception");
        known
    }

    #[test]
    fn finds_identifiers_in_any_dress() {
        let known = known();
        for text in [
            "vu par quillivic",
            "QUILLIVIC_2024.pdf",
            "vu avec Mme Le Jeune",
            "Mme Le  Gouëz",
            "LE-GOUEZ",
            "legouez",
            "dossier MaryvonneLeGouez",
            "opéré par le Dr Rotule",
            "avis de ROTULE, interne",
            "revu avec Rotule ce jour",
            "Mme Petit va bien",
            "La patiente, PETIT, va bien",
            "vit au 14, Rue des Korrigans",
            "tel:0297441820",
            "Tél. 02.97.44.18.20",
            "+33 297441820".replace("+33 ", "0").as_str(),
            "m.legouez@wanadou.fr",
            "IPP 803-344-127",
            "ipp803344127",
            "née le 07/05/1944",
            "née le 7 mai 1944",
            "1944-05-07",
            "transférée de Quéven",
            "au CHU de Quéven",
            "vit à Étang-Vieux",
            "né au quartier le Port",
        ] {
            assert!(known.find(text).is_some(), "{text}");
        }
    }

    #[test]
    fn words_and_shifted_dates_are_no_leak() {
        let known = known();
        for text in [
            "un petit infarctus, un teint rose, depuis le jeune âge",
            "Petit infarctus. Rose des vents.",
            "maladie de Parkinson",
            "transfert au CHU",
            "le 12 mars 2024",
            "le 12/03/2024, 12 plaquettes",
            "5 mai 1944",
            "perte de sens, mRS 4",
            "fracture de la rotule. Rotule en place",
            "choc sur la ROTULE, ROTULE fracturée",
            "FRACTURE DE LA ROTULE",
            "petitesse, quillivicien",
            "cinq mois après la conception, pose d'un Port",
            "",
        ] {
            assert_eq!(known.find(text), None, "{text}");
        }
    }

    #[test]
    fn what_an_establishment_is_identifies_no_hospital_but_a_person_called_so() {
        let mut known = KnownIdentifiers::default();
        known.add(Label::Hopital, "Assistance Publique");
        assert_eq!(known.find("Assistance Publique - Hôpitaux de Douvremont"), None);
        known.add(Label::Nom, "FOYER");
        assert!(known.find("revu avec Mme Foyer").is_some());
    }

    #[test]
    fn a_leak_says_what_and_where() {
        let text = "Mme Gouëz, 803344127";
        let leak = known().find(text).unwrap();
        assert_eq!((leak.label, &text[leak.start..leak.end]), (Label::Nom, "Gouëz"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_searched(text in "\\PC{0,80}") {
            if let Some(leak) = known().find(&text) {
                proptest::prop_assert!(text.get(leak.start..leak.end).is_some());
            }
        }

        #[test]
        fn a_planted_identifier_is_found(before in "[a-z ,.]{0,20}", after in "[ ,.;][a-z ,.]{0,20}") {
            let text = format!("{before} Quillivic{after}");
            proptest::prop_assert!(known().find(&text).is_some());
        }
    }
}
