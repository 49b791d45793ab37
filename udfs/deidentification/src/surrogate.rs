//! What stands in the place of what identifies: realistic, French, of nobody.
//!
//! A surrogate depends on the key, the patient, the kind and the folded value, on
//! nothing else: a person has the same one in every document and every year, and
//! nothing is stored. Spellings of a name share a skeleton and so a surrogate; those
//! of the patient's own names are led back to the record. Initials stay initials of
//! the surrogate, gender, case and particles stay, a town of one word gets one of one
//! word. No surrogate is what it replaces.

mod date;
mod draw;
mod mail;
mod number;
mod person;
mod place;

use chrono::NaiveDate;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use sillage_clinical::text::fold;

use crate::identity::IdentityError;
use crate::{Label, Person, Span};

pub(crate) use date::full_date;

const FILE: &str = "deidentification/data/surrogates.toml";

/// What surrogates depend on beside the text.
#[derive(Clone, Copy)]
pub struct SurrogateContext<'a> {
    /// Key of the site.
    pub key: &'a [u8],
    /// Pseudonym of the patient.
    pub patient: &'a str,
    /// Days by which the patient's dates move.
    pub shift_days: i32,
    pub person: Option<&'a Person>,
    /// Day of the document: dates without year are understood from it.
    pub reference: Option<NaiveDate>,
    /// What the patient's documents reveal ([`crate::reveal::revealed`]): tells what an
    /// initial stands for.
    pub known: &'a [(Label, String)],
    /// Folded words that no surrogate may be ([`crate::leak::KnownIdentifiers::words`]).
    pub avoid: Option<&'a FxHashSet<Box<str>>>,
    /// Starts of spans where a tag stands: their surrogate would be somebody known.
    pub tagged: &'a [usize],
}

impl SurrogateContext<'_> {
    fn known_word(&self, folded: &str) -> bool {
        self.avoid.is_some_and(|a| a.contains(folded))
    }

    /// Whether a surrogate holds a word that is known of the patient; short words and
    /// those of half the towns aside.
    fn holds_known(&self, surrogate: &str) -> bool {
        let folded = fold(surrogate);
        let mut words = folded.split(|c: char| !c.is_alphanumeric());
        words.any(|w| w.len() > 3 && !matches!(w, "saint" | "sainte" | "sous") && self.known_word(w))
    }
}

/// The lists that surrogates come from.
pub struct Surrogates {
    female: Vec<Box<str>>,
    male: Vec<Box<str>>,
    families: Vec<Box<str>>,
    /// Of one word, of several.
    towns: [Vec<Box<str>>; 2],
    vowel_towns: [Vec<Box<str>>; 2],
    streets: Vec<Box<str>>,
    hospitals: Vec<Box<str>>,
    domains: Vec<Box<str>>,
    establishment_kinds: FxHashSet<Box<str>>,
    street_kinds: FxHashSet<Box<str>>,
    genders: FxHashMap<Box<str>, bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    given: Given,
    family: Names,
    town: Towns,
    street: Names,
    hospital: Names,
    mail: Domains,
    kinds: Kinds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kinds {
    establishment: String,
    street: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    female: String,
    male: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    names: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Towns {
    consonant: String,
    vowel: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Domains {
    domains: Vec<String>,
}

fn list(text: &str) -> Vec<Box<str>> {
    text.split([',', '\n']).map(str::trim).filter(|w| !w.is_empty()).map(Into::into).collect()
}

/// Names of one word, and of several.
fn by_words(names: Vec<Box<str>>) -> [Vec<Box<str>>; 2] {
    let (one, several) = names.into_iter().partition(|n| n.chars().all(char::is_alphabetic));
    [one, several]
}

impl Surrogates {
    /// Reads the embedded lists.
    ///
    /// Errors: the file is not what it should be.
    pub(crate) fn read() -> Result<Surrogates, IdentityError> {
        let file: File = toml::from_str(include_str!("../data/surrogates.toml"))
            .map_err(|e| IdentityError::Toml { file: FILE, message: e.to_string() })?;
        let (female, male) = (list(&file.given.female), list(&file.given.male));
        let written = include_str!("../data/given_names.csv").lines().filter(|l| !l.starts_with('#')).filter_map(|line| {
            let (name, rest) = line.split_once(';')?;
            let female = match rest.split(';').next()? {
                "f" => true,
                "m" => false,
                _ => return None,
            };
            Some((fold(name).into(), female))
        });
        let own = female.iter().map(|n| (fold(n).into(), true)).chain(male.iter().map(|n| (fold(n).into(), false)));
        let genders = own.chain(written).collect();
        Ok(Surrogates {
            genders,
            female,
            male,
            families: list(&file.family.names),
            towns: by_words(list(&file.town.consonant)),
            vowel_towns: by_words(list(&file.town.vowel)),
            streets: list(&file.street.names),
            hospitals: list(&file.hospital.names),
            establishment_kinds: file.kinds.establishment.split_whitespace().map(Into::into).collect(),
            street_kinds: file.kinds.street.split_whitespace().map(Into::into).collect(),
            domains: file.mail.domains.into_iter().map(Into::into).collect(),
        })
    }

    /// A word that stays in the surrogate of an establishment.
    pub(crate) fn says_kind(&self, folded: &str) -> bool {
        self.establishment_kinds.contains(folded)
    }

    /// Whether a folded given name is a woman's, when it is a known one.
    fn gender(&self, folded: &str) -> Option<bool> {
        self.genders.get(folded).copied()
    }

    /// Surrogates of the spans of one document, in their order.
    pub fn of(&self, context: &SurrogateContext<'_>, text: &str, spans: &[Span]) -> Vec<String> {
        let mut dates = self.dates(context, text, spans).into_iter();
        spans
            .iter()
            .enumerate()
            .map(|(i, span)| {
                let written = &text[span.start..span.end];
                match span.label {
                    Label::Date | Label::DateNaissance => dates
                        .next()
                        .flatten()
                        .unwrap_or_else(|| if span.label == Label::Date { "[date]" } else { "[date de naissance]" }.to_owned()),
                    Label::Zip => {
                        // "22500 Paimpol": the code of the surrogate of that town.
                        let next = spans.get(i + 1).filter(|n| n.label == Label::Ville && n.start - span.end <= 3);
                        place::postal_code(context, written, next.map(|n| &text[n.start..n.end]))
                    }
                    label => self.one(context, label, written),
                }
            })
            .collect()
    }

    fn one(&self, context: &SurrogateContext<'_>, label: Label, written: &str) -> String {
        match label {
            Label::Nom | Label::Prenom => person::names(self, context, label, written),
            Label::Adresse => place::address(self, context, written),
            Label::Zip => place::postal_code(context, written, None),
            Label::Ville => place::town(self, context, written),
            Label::Hopital => place::hospital(self, context, written),
            Label::Tel => number::phone(context, written),
            Label::Mail => mail::mail(self, context, written),
            Label::Secu => number::social_security(context, written),
            Label::Rpps => number::professional(context, written),
            Label::Ipp => number::like(context, "ipp", written),
            Label::Nda => number::like(context, "nda", written),
            Label::Id | Label::Date | Label::DateNaissance => number::like(context, "id", written),
        }
    }

    fn dates(&self, context: &SurrogateContext<'_>, text: &str, spans: &[Span]) -> Vec<Option<String>> {
        let dated: Vec<date::Dated<'_>> = spans
            .iter()
            .filter(|s| matches!(s.label, Label::Date | Label::DateNaissance))
            .map(|s| date::Dated { text: &text[s.start..s.end], start: s.start, birth: s.label == Label::DateNaissance })
            .collect();
        let calendar = date::Calendar {
            shift_days: context.shift_days,
            reference: context.reference,
            birth: context.person.and_then(|p| p.birth_date),
        };
        date::shift(&dated, calendar)
    }
}

/// A surrogate in the case of what it replaces; without accents where capitals had none.
fn like(written: &str, surrogate: &str) -> String {
    let letters = || written.chars().filter(|c| c.is_alphabetic());
    if letters().count() > 1 && letters().all(char::is_uppercase) {
        let surrogate = if written.is_ascii() { fold(surrogate) } else { surrogate.to_owned() };
        surrogate.to_uppercase()
    } else if letters().next().is_some_and(char::is_lowercase) && letters().all(char::is_lowercase) {
        surrogate.to_lowercase()
    } else {
        surrogate.to_owned()
    }
}

#[cfg(test)]
mod tests;
