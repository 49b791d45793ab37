//! What the shapes know: cue words, towns, names of hospitals.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use sillage_clinical::is;
use sillage_clinical::text::{Kind, Text, fold, key};

use crate::identity::IdentityError;

/// What a word near a shape says about it; one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cue {
    Month,
    MonthShort,
    Weekday,
    WeekdayShort,
    NumberWord,
    Season,
    Holiday,
    OpensDate,
    OpensYear,
    OpensMonth,
    Birth,
    Score,
    Vital,
    Unit,
    AmountName,
    AfterDay,
    BeforeDay,
    EmergencyCall,
    Phone,
    ShortPhone,
    PhoneFiller,
    Ipp,
    Nda,
    Secu,
    Rpps,
    Id,
    PatientWord,
    StayWord,
    IdFiller,
    Title,
    Lives,
    SurelyLives,
    Moves,
    PlacePreposition,
    River,
    Country,
    NamedAfter,
    Hospital,
    SureHospital,
    HospitalModifier,
    Care,
    EndsName,
    Street,
    SureStreet,
    AddressPart,
    Dwelling,
    House,
    Particle,
    HeadsPage,
    PlaceNoun,
    Transfer,
}

impl Cue {
    pub fn bit(self) -> u64 {
        1 << self as u64
    }
}

/// How sure the name of a place is by itself; bits.
pub(super) mod class {
    /// A word of the language as well.
    pub const WORD: u8 = 1;
    /// The name of a score, a sign or a person as well.
    pub const EPONYM: u8 = 2;
    /// So well known that lower case is enough.
    pub const KNOWN: u8 = 4;
    /// Written without its article: "au [Havre]".
    pub const ARTICLE: u8 = 8;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    cues: BTreeMap<Cue, Vec<String>>,
    towns: TownClasses,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TownClasses {
    words: Vec<String>,
    eponyms: Vec<String>,
    known: Vec<String>,
}

/// Words of a name behind its second one, and its class.
type Rest = (Box<[u64]>, u8);

/// Names that begin with the same word.
#[derive(Default)]
struct Names {
    /// Class of the word alone, where it is a name.
    alone: Option<u8>,
    /// Longer names by the [`key`] of their second word, the longest first.
    longer: FxHashMap<u64, Vec<Rest>>,
}

/// Names of places by the [`key`] of their first word.
#[derive(Default)]
pub(super) struct Gazetteer {
    names: FxHashMap<u64, Names>,
}

/// Saints and rivers are written short as well.
const SHORT: [(&str, &str); 4] = [("st", "saint"), ("ste", "sainte"), ("s", "sur"), ("lez", "les")];

/// The [`key`] of a word that may be written short.
#[inline]
fn written_out(word: u64) -> u64 {
    const KEYS: [(u64, u64); SHORT.len()] = {
        let mut keys = [(0, 0); SHORT.len()];
        let mut at = 0;
        while at < SHORT.len() {
            keys[at] = (key(SHORT[at].0), key(SHORT[at].1));
            at += 1;
        }
        keys
    };
    KEYS.iter().find(|(short, _)| *short == word).map_or(word, |(_, long)| *long)
}

/// A name as the gazetteer keeps it: folded words, one space between.
pub(super) fn normal(name: &str) -> String {
    let folded = fold(name);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    let words = words.map(|word| SHORT.iter().find(|(short, _)| *short == word).map_or(word, |(_, long)| long));
    words.collect::<Vec<_>>().join(" ")
}

impl Gazetteer {
    pub fn add(&mut self, name: &str, class: u8) {
        let mut words = name.split(' ').map(key);
        let Some(first) = words.next() else { return };
        let names = self.names.entry(first).or_default();
        let Some(second) = words.next() else {
            names.alone.get_or_insert(class);
            return;
        };
        let entry = (words.collect(), class);
        let longer = names.longer.entry(second).or_default();
        if !longer.iter().any(|(rest, _)| *rest == entry.0) {
            longer.push(entry);
            longer.sort_by_key(|(rest, _)| std::cmp::Reverse(rest.len()));
        }
    }

    pub fn contains(&self, name: &str) -> bool {
        let mut words = name.split(' ').map(key);
        let Some(names) = words.next().and_then(|first| self.names.get(&first)) else { return false };
        let whole = |class: u8| class & class::ARTICLE == 0;
        let Some(second) = words.next() else { return names.alone.is_some_and(whole) };
        let longer = names.longer.get(&second);
        longer.is_some_and(|names| names.iter().any(|(rest, class)| whole(*class) && rest.iter().copied().eq(words.clone())))
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The longest name that starts at a token: the token behind it and its class.
    #[inline]
    pub fn longest(&self, text: &Text<'_>, at: usize) -> Option<(usize, u8)> {
        self.names.get(&written_out(text.key(at)))?.longest(text, at)
    }
}

impl Names {
    fn longest(&self, text: &Text<'_>, at: usize) -> Option<(usize, u8)> {
        let longer = || {
            let second = next_word(text, at)?;
            let names = self.longer.get(&written_out(text.key(second)))?;
            names.iter().find_map(|(rest, class)| Some((follow(text, second, rest)?, *class)))
        };
        let longer = if self.longer.is_empty() { None } else { longer() };
        longer.or_else(|| Some((at + 1, self.alone?)))
    }
}

/// The token behind the words of a name, hyphens and apostrophes between them free.
fn follow(text: &Text<'_>, first: usize, rest: &[u64]) -> Option<usize> {
    let mut at = first;
    for word in rest {
        at = next_word(text, at).filter(|next| written_out(text.key(*next)) == *word)?;
    }
    Some(at + 1)
}

/// The next word that may belong to the name which this one is of.
fn next_word(text: &Text<'_>, at: usize) -> Option<usize> {
    let mut next = at + 1;
    while let Some(token) = text.tokens.get(next).filter(|t| t.kind == Kind::Mark && t.lines_before == 0) {
        let held = match text.fold(next) {
            "-" | "'" => true,
            "/" => is!(text.key(next - 1), "s"),
            "." => token.start - text.tokens[next - 1].start <= 4 && !token.space_before,
            _ => false,
        };
        if !held {
            return None;
        }
        next += 1;
    }
    text.tokens.get(next).filter(|t| t.lines_before <= 1)?;
    Some(next)
}

/// What the shape detectors know, read once.
pub(crate) struct ShapeKnowledge {
    /// By the [`key`] of the word.
    cues: FxHashMap<u64, u64>,
    pub(super) towns: Gazetteer,
    pub(super) hospitals: Gazetteer,
}

impl ShapeKnowledge {
    /// Reads the embedded data files.
    ///
    /// Errors: the file and the line that cannot be used.
    pub(crate) fn read() -> Result<ShapeKnowledge, IdentityError> {
        const WORDS: &str = "shapes.toml";
        let source: Source = toml::from_str(include_str!("../../data/shapes.toml"))
            .map_err(|e| IdentityError::Toml { file: WORDS, message: e.message().to_owned() })?;
        let mut cues: FxHashMap<u64, u64> = FxHashMap::default();
        for (cue, words) in &source.cues {
            for word in words {
                *cues.entry(key(word)).or_default() |= cue.bit();
            }
        }
        let mut classes: FxHashMap<&str, u8> = FxHashMap::default();
        let lists = [(&source.towns.words, class::WORD), (&source.towns.eponyms, class::EPONYM), (&source.towns.known, class::KNOWN)];
        for (words, class) in lists {
            for word in words {
                *classes.entry(word).or_default() |= class;
            }
        }
        let towns = read_towns(&classes)?;
        for word in classes.keys() {
            if !towns.contains(word) {
                return Err(IdentityError::Toml { file: WORDS, message: format!("{word:?} is not in towns.csv") });
            }
        }
        Ok(ShapeKnowledge { cues, towns, hospitals: read_hospitals()? })
    }

    /// Cues of the word with this [`key`].
    pub(crate) fn cues_of(&self, key: u64) -> u64 {
        self.cues.get(&key).copied().unwrap_or(0)
    }

    /// Bits of the cues that a folded word is.
    pub(crate) fn cues(&self, word: &str) -> u64 {
        self.cues_of(key(word))
    }

    /// Whether a folded word says what kind of house a name is: "clinique", not a part of one.
    pub(crate) fn is_house(&self, word: &str) -> bool {
        !matches!(word, "unite" | "pole" | "site") && self.cues(word) & (Cue::Hospital.bit() | Cue::SureHospital.bit()) != 0
    }

    /// Whether a folded word says what kind of way a name is: "rue".
    pub(crate) fn is_way(&self, word: &str) -> bool {
        self.cues(word) & (Cue::Street.bit() | Cue::SureStreet.bit()) != 0
    }

    /// What towns each token may be a part of: their class, and whether one begins there; 0 of none.
    pub(crate) fn town_bits(&self, text: &Text<'_>) -> Vec<u64> {
        let mut bits = vec![0; text.tokens.len()];
        for (at, token) in text.tokens.iter().enumerate() {
            if token.kind == Kind::Mark {
                continue;
            }
            let Some((end, class)) = self.towns.longest(text, at) else { continue };
            for (i, bit) in bits.iter_mut().enumerate().take(end).skip(at).filter(|(_, b)| **b == 0) {
                *bit = 2 + u64::from(i == at) + 4 * u64::from(class) + u64::from(end > at + 1) * 1024;
            }
        }
        bits
    }

    /// Whether a folded word says nothing of what stands beside it.
    pub(crate) fn plain(&self, word: &str) -> bool {
        // What a landscape and a transfer are called says nothing of names beside.
        self.cues(word) & !(Cue::HeadsPage.bit() | Cue::PlaceNoun.bit() | Cue::Transfer.bit()) == 0
    }

    /// Whether folded words, one space between them, are the name of a town.
    pub(crate) fn is_town(&self, folded: &str) -> bool {
        self.towns.contains(folded)
    }

    /// Whether folded words, one space between them, are the name of a hospital.
    pub(crate) fn is_hospital_name(&self, folded: &str) -> bool {
        self.hospitals.contains(folded)
    }
}

fn lines(content: &str) -> impl Iterator<Item = (usize, &str)> {
    content.lines().enumerate().filter(|(_, l)| !l.trim().is_empty() && !l.starts_with('#')).map(|(i, l)| (i + 1, l.trim()))
}

/// Of names made of several words, first words that do not stand for the whole.
const COMMON: [&str; 40] = [
    "saint",
    "sainte",
    "saintes",
    "bourg",
    "montreuil",
    "fontaine",
    "fontaines",
    "champs",
    "champ",
    "pont",
    "ponts",
    "port",
    "mont",
    "monts",
    "villers",
    "carrieres",
    "condat",
    "roche",
    "rochefort",
    "rives",
    "cours",
    "cran",
    "notre",
    "terre",
    "belle",
    "vaulx",
    "bains",
    "bonnet",
    "chasse",
    "salles",
    "selles",
    "trans",
    "vallon",
    "moulins",
    "marche",
    "ruelle",
    "rosiers",
    "dives",
    "grand",
    "buis",
];

fn read_towns(classes: &FxHashMap<&str, u8>) -> Result<Gazetteer, IdentityError> {
    const FILES: [(&str, &str); 2] =
        [("towns.csv", include_str!("../../data/towns.csv")), ("villages.csv", include_str!("../../data/villages.csv"))];
    let mut towns = Gazetteer::default();
    for (file, source) in FILES {
        for (line, content) in lines(source) {
            let Some((_, names)) = content.split_once(';') else {
                return Err(IdentityError::Line { file, line, message: "no department".to_owned() });
            };
            for name in names.split(',') {
                let word = if name.ends_with('*') { class::WORD } else { 0 };
                let name = normal(name);
                if name.is_empty() {
                    return Err(IdentityError::Line { file, line, message: "an empty name".to_owned() });
                }
                let class = word | classes.get(name.as_str()).copied().unwrap_or(0);
                add_town(&mut towns, &name, class);
            }
        }
    }
    Ok(towns)
}

/// A name, its first word where that stands for the whole, and the name without its article.
fn add_town(towns: &mut Gazetteer, name: &str, class: u8) {
    towns.add(name, class);
    let short =
        name.split(' ').nth(1).filter(|w| matches!(*w, "sur" | "les" | "en" | "sous" | "d" | "de")).and_then(|_| name.split(' ').next());
    if let Some(short) = short.filter(|s| s.len() > 4 && !COMMON.contains(s)) {
        towns.add(short, class::WORD);
    }
    if let Some(bare) = ["le ", "la ", "les ", "l "].iter().find_map(|a| name.strip_prefix(a)) {
        towns.add(bare, class | class::ARTICLE);
    }
}

fn read_hospitals() -> Result<Gazetteer, IdentityError> {
    const FILE: &str = "hospitals.csv";
    let mut hospitals = Gazetteer::default();
    for (line, content) in lines(include_str!("../../data/hospitals.csv")) {
        for name in content.split(',') {
            let class = if name.ends_with('?') { class::EPONYM } else { 0 };
            let name = normal(name);
            if name.is_empty() {
                return Err(IdentityError::Line { file: FILE, line, message: "an empty name".to_owned() });
            }
            hospitals.add(&name, class);
        }
    }
    Ok(hospitals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knowledge() -> ShapeKnowledge {
        match ShapeKnowledge::read() {
            Ok(knowledge) => knowledge,
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn names_are_known_by_their_folded_words() {
        let knowledge = knowledge();
        for town in ["aix en provence", "le havre", "l isle sur la sorgue", "saint denis", "vandoeuvre les nancy", "ile de groix"] {
            assert!(knowledge.is_town(town), "{town}");
        }
        assert!(!knowledge.is_town("havre") && !knowledge.is_town("cerveau"));
        assert!(knowledge.is_hospital_name("pitie salpetriere") && !knowledge.is_hospital_name("babinski"));
    }

    #[test]
    fn cue_words_are_folded() {
        let Ok(source) = toml::from_str::<Source>(include_str!("../../data/shapes.toml")) else { panic!("shapes.toml is read") };
        for word in source.cues.values().flatten() {
            assert!(fold(word) == *word || matches!(word.as_str(), "lès" | "ès" | "télécopie"), "{word}");
        }
    }

    #[test]
    fn abbreviations_hyphens_and_line_ends_are_free() {
        let knowledge = knowledge();
        let read = |text: &str| {
            let text = Text::new(text);
            knowledge.towns.longest(&text, 0).map(|(end, _)| text.source(0..end).to_owned())
        };
        for (text, town) in [
            ("ST ETIENNE du", "ST ETIENNE"),
            ("St-Brieuc.", "St-Brieuc"),
            ("Villeneuve s/ Lot", "Villeneuve s/ Lot"),
            ("Aix en\nProvence", "Aix en\nProvence"),
            ("Aix-les-Bains", "Aix-les-Bains"),
            ("Saint. Malo", ""),
        ] {
            assert_eq!(read(text).unwrap_or_default(), town);
        }
    }
}
