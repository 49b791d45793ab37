//! The words of `data/temporal.toml`, one entry for each folded form.

use rustc_hash::FxHashMap;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Unit of a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl Unit {
    /// Mean length in minutes.
    pub fn minutes(self) -> f64 {
        match self {
            Unit::Second => 1.0 / 60.0,
            Unit::Minute => 1.0,
            Unit::Hour => 60.0,
            Unit::Day => 1440.0,
            Unit::Week => 10_080.0,
            Unit::Month => 43_830.0,
            Unit::Year => 525_960.0,
        }
    }
}

/// What a word near an expression says about it; one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cue {
    Article,
    Planned,
    Approximate,
    Birth,
    Score,
    Vital,
    Duration,
    Lasting,
    Clock,
    Origin,
    Person,
    Child,
    AgeComplement,
    Artery,
    FollowUp,
    Spine,
    NumberOf,
    Amount,
    FractionOf,
}

/// Words that open or head an expression of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Head {
    #[default]
    None,
    There,
    Here,
    Since,
    Within,
    For,
    Every,
    Each,
    Per,
    Today,
    Yesterday,
    Tomorrow,
    Eve,
    Morrow,
    NextMorrow,
    This,
    Same,
    Noon,
    Midnight,
    Edge,
    Part,
    Some,
    NewYear,
    Times,
}

const HEADS: &[(&str, Head)] = &[
    ("il", Head::There),
    ("y", Head::There),
    ("voici", Head::Here),
    ("voila", Head::Here),
    ("depuis", Head::Since),
    ("dps", Head::Since),
    ("dans", Head::Within),
    ("ici", Head::Within),
    ("pendant", Head::For),
    ("durant", Head::For),
    ("pdt", Head::For),
    ("tous", Head::Every),
    ("tout", Head::Every),
    ("toutes", Head::Every),
    ("ttes", Head::Every),
    ("chaque", Head::Each),
    ("par", Head::Per),
    ("aujourd", Head::Today),
    ("aujourdhui", Head::Today),
    ("hier", Head::Yesterday),
    ("demain", Head::Tomorrow),
    ("veille", Head::Eve),
    ("lendemain", Head::Morrow),
    ("surlendemain", Head::NextMorrow),
    ("ce", Head::This),
    ("cet", Head::This),
    ("cette", Head::This),
    ("ces", Head::This),
    ("meme", Head::Same),
    ("midi", Head::Noon),
    ("minuit", Head::Midnight),
    ("debut", Head::Edge),
    ("mi", Head::Edge),
    ("fin", Head::Edge),
    ("courant", Head::Edge),
    ("matin", Head::Part),
    ("matinee", Head::Part),
    ("soir", Head::Part),
    ("soiree", Head::Part),
    ("nuit", Head::Part),
    ("aprem", Head::Part),
    ("apres", Head::Part),
    ("matins", Head::Part),
    ("soirs", Head::Part),
    ("nuits", Head::Part),
    ("quelques", Head::Some),
    ("plusieurs", Head::Some),
    ("nouvel", Head::NewYear),
    ("x", Head::Times),
];

/// Fixed in the calendar, or so many days after Easter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Holiday {
    Fixed { month: u8, day: u8 },
    Moving { easter: u16 },
}

/// All that one folded form can be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Word {
    pub head: Head,
    /// 1 to 12, 0 for other words.
    pub month: u8,
    pub month_short: bool,
    /// 1 (Monday) to 7, 0 for other words.
    pub weekday: u8,
    pub weekday_short: bool,
    pub number: u8,
    pub season: u8,
    pub unit: Option<Unit>,
    pub holiday: Option<Holiday>,
    cues: u32,
}

impl Word {
    pub fn is(&self, cue: Cue) -> bool {
        self.cues & (1 << cue as u32) != 0
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    months: BTreeMap<String, u8>,
    months_short: BTreeMap<String, u8>,
    weekdays: BTreeMap<String, u8>,
    weekdays_short: BTreeMap<String, u8>,
    numbers: BTreeMap<String, u8>,
    units: BTreeMap<Unit, Vec<String>>,
    seasons: BTreeMap<String, u8>,
    holidays: BTreeMap<String, Holiday>,
    cues: BTreeMap<Cue, Vec<String>>,
}

/// Every known word; entry 0 stands for all others.
pub struct Lexicon {
    ids: FxHashMap<String, u16>,
    words: Vec<Word>,
    longest: usize,
}

/// The words of the embedded table. A test shows that it is well formed.
pub static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::new(read_source().unwrap_or_default()));

fn read_source() -> Result<Source, toml::de::Error> {
    toml::from_str(include_str!("../../data/temporal.toml"))
}

impl Lexicon {
    fn new(source: Source) -> Self {
        let mut lexicon = Lexicon { ids: FxHashMap::default(), words: vec![Word::default()], longest: 0 };
        for (form, month) in &source.months {
            lexicon.word(form).month = *month;
        }
        for (form, month) in &source.months_short {
            let word = lexicon.word(form);
            (word.month, word.month_short) = (*month, true);
        }
        for (form, weekday) in &source.weekdays {
            lexicon.word(form).weekday = *weekday;
        }
        for (form, weekday) in &source.weekdays_short {
            let word = lexicon.word(form);
            (word.weekday, word.weekday_short) = (*weekday, true);
        }
        for (form, number) in &source.numbers {
            lexicon.word(form).number = *number;
        }
        for (unit, forms) in &source.units {
            forms.iter().for_each(|form| lexicon.word(form).unit = Some(*unit));
        }
        for (form, month) in &source.seasons {
            lexicon.word(form).season = *month;
        }
        for (form, holiday) in &source.holidays {
            lexicon.word(form).holiday = Some(*holiday);
        }
        for (cue, forms) in &source.cues {
            forms.iter().for_each(|form| lexicon.word(form).cues |= 1 << *cue as u32);
        }
        for (form, head) in HEADS {
            lexicon.word(form).head = *head;
        }
        lexicon
    }

    fn word(&mut self, form: &str) -> &mut Word {
        self.longest = self.longest.max(form.len());
        let words = &mut self.words;
        let id = *self.ids.entry(form.to_owned()).or_insert_with(|| {
            words.push(Word::default());
            (words.len() - 1) as u16
        });
        &mut self.words[id as usize]
    }

    /// Entry of a folded form, 0 when it is unknown.
    pub fn id(&self, form: &str) -> u16 {
        if form.len() > self.longest { 0 } else { self.ids.get(form).copied().unwrap_or(0) }
    }

    pub fn entry(&self, id: u16) -> &Word {
        &self.words[id as usize]
    }

    pub fn unit(&self, form: &str) -> Option<Unit> {
        self.entry(self.id(form)).unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fold;

    #[test]
    fn the_table_is_well_formed_and_folded() {
        let Ok(source) = read_source() else { panic!("data/temporal.toml is not read") };
        assert!(source.months.values().chain(source.months_short.values()).all(|m| (1..=12).contains(m)));
        assert!(source.weekdays.values().chain(source.weekdays_short.values()).all(|d| (1..=7).contains(d)));
        for form in LEXICON.ids.keys() {
            assert_eq!(&fold(form), form);
        }
        assert!(LEXICON.words.len() > 400, "{}", LEXICON.words.len());
        assert_eq!(LEXICON.entry(LEXICON.id("sept")).month, 9);
        assert_eq!(LEXICON.entry(LEXICON.id("sept")).number, 7);
        assert_eq!(LEXICON.unit("semaines"), Some(Unit::Week));
    }
}
