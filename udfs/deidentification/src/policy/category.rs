//! Where a text holds content of a category.

use std::ops::Range;

use sillage_clinical::analysis::Analysis;
use sillage_clinical::phrase::Phrases;
use sillage_clinical::temporal::TemporalKind;

use super::file::{CategoryEntry, SectionEntry};
use super::{Level, Passage, PolicyError};

/// Most tokens between a phrase and the word that makes it one.
const REACH: usize = 6;

struct Category {
    name: String,
    level: Level,
    generalised: Option<String>,
    minimum_age: Option<f32>,
    /// Whether phrases need a word before or behind them.
    needs_context: bool,
    icd10: Vec<(String, String)>,
    atc: Vec<String>,
}

/// What a phrase of the set stands for.
enum Meaning {
    Content {
        category: usize,
        generalised: Option<String>,
    },
    /// A phrase of this category may follow.
    After(usize),
    /// A phrase of this category may stand before.
    Before(usize),
}

/// The categories of a file, their phrases in one set.
pub(super) struct Categories {
    categories: Vec<Category>,
    sections: Vec<SectionEntry>,
    phrases: Phrases,
    meanings: Vec<Meaning>,
}

impl Categories {
    pub(super) fn new(entries: Vec<CategoryEntry>, sections: Vec<SectionEntry>) -> Result<Categories, PolicyError> {
        let mut all = Categories { categories: Vec::new(), sections, phrases: Phrases::default(), meanings: Vec::new() };
        for (index, entry) in entries.into_iter().enumerate() {
            let name = entry.name.clone();
            let content = |generalised: &Option<String>| Meaning::Content { category: index, generalised: generalised.clone() };
            let of_phrases = entry.generalised_phrases.clone().or_else(|| entry.generalised.clone());
            for phrase in &entry.phrases {
                all.add(&name, phrase, content(&of_phrases))?;
            }
            for group in &entry.group {
                for phrase in &group.phrases {
                    all.add(&name, phrase, content(&Some(group.generalised.clone())))?;
                }
            }
            for phrase in &entry.after {
                all.add(&name, phrase, Meaning::After(index))?;
            }
            for phrase in &entry.before {
                all.add(&name, phrase, Meaning::Before(index))?;
            }
            all.categories.push(Category {
                needs_context: !(entry.after.is_empty() && entry.before.is_empty()),
                icd10: entry.icd10.iter().map(|range| bounds(range)).collect(),
                atc: entry.atc,
                name: entry.name,
                level: entry.level,
                generalised: entry.generalised,
                minimum_age: entry.minimum_age,
            });
        }
        all.phrases.finish();
        Ok(all)
    }

    fn add(&mut self, category: &str, phrase: &str, meaning: Meaning) -> Result<(), PolicyError> {
        let wrong = |e| PolicyError::Category { category: category.to_owned(), message: format!("{phrase:?}: {e}") };
        self.phrases.add(phrase, self.meanings.len() as u32).map_err(wrong)?;
        self.meanings.push(meaning);
        Ok(())
    }

    pub(super) fn passages(&self, analysis: &Analysis<'_>) -> Vec<Passage> {
        let mut found = Vec::new();
        self.ages(analysis, &mut found);
        self.codes(analysis, &mut found);
        self.words(analysis, &mut found);
        found.sort_by_key(|p| (p.start, std::cmp::Reverse(p.end), p.level));
        let mut last = 0;
        found.retain(|p| {
            let apart = p.start >= last;
            if apart {
                last = p.end;
            }
            apart
        });
        self.whole_sections(analysis, &mut found);
        found.sort_by_key(|p| (p.start, std::cmp::Reverse(p.end)));
        found
    }

    fn passage(&self, category: &Category, bytes: Range<usize>, generalised: Option<&str>) -> Passage {
        Passage {
            start: bytes.start,
            end: bytes.end,
            level: category.level,
            category: category.name.clone(),
            section: false,
            generalised: generalised.map(str::to_owned),
        }
    }

    fn ages(&self, analysis: &Analysis<'_>, found: &mut Vec<Passage>) {
        for category in &self.categories {
            let Some(minimum) = category.minimum_age else { continue };
            let ages = analysis.times().iter().filter(|t| t.kind == TemporalKind::Age && t.age_years.is_some_and(|a| a >= minimum));
            for time in ages {
                // "âgée de 93 ans": the words before the number stay.
                let words = &analysis.text.original[time.start..time.end];
                let number = words.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
                found.push(self.passage(category, time.start + number..time.end, category.generalised.as_deref()));
            }
        }
    }

    fn codes(&self, analysis: &Analysis<'_>, found: &mut Vec<Passage>) {
        for entity in analysis.entities() {
            let icd10 = entity.concept.icd10.as_deref().map(|c| c.replace('.', ""));
            let holds = |category: &Category| {
                icd10.as_deref().is_some_and(|code| {
                    category
                        .icd10
                        .iter()
                        .any(|(low, high)| code >= low.as_str() && (code <= high.as_str() || code.starts_with(high.as_str())))
                }) || entity.concept.atc.as_deref().is_some_and(|code| category.atc.iter().any(|prefix| code.starts_with(prefix.as_str())))
            };
            for category in self.categories.iter().filter(|c| holds(c)) {
                found.push(self.passage(category, entity.start..entity.end, category.generalised.as_deref()));
            }
        }
    }

    fn words(&self, analysis: &Analysis<'_>, found: &mut Vec<Passage>) {
        let words = self.phrases.read(&analysis.text);
        for sentence in &analysis.sentences {
            let hits = self.phrases.find(&analysis.text, &words, sentence.clone());
            for hit in &hits {
                let Meaning::Content { category, generalised } = &self.meanings[hit.value as usize] else { continue };
                let near = |other: &&sillage_clinical::trie::Hit| match self.meanings[other.value as usize] {
                    Meaning::After(of) => of == *category && other.end <= hit.start && hit.start - other.end <= REACH,
                    Meaning::Before(of) => of == *category && other.start >= hit.end && other.start - hit.end <= REACH,
                    Meaning::Content { .. } => false,
                };
                let entry = &self.categories[*category];
                if entry.needs_context && !hits.iter().any(|other| near(&other)) {
                    continue;
                }
                let bytes = analysis.text.byte_range(hit.start..hit.end);
                found.push(self.passage(entry, bytes, generalised.as_deref()));
            }
        }
    }

    fn whole_sections(&self, analysis: &Analysis<'_>, found: &mut Vec<Passage>) {
        for section in &analysis.sections {
            let name = analysis.section_name(section);
            let Some(entry) = self.sections.iter().find(|s| s.name == name) else { continue };
            let body = section.title.end.max(section.tokens.start)..section.tokens.end;
            if body.is_empty() {
                continue;
            }
            let bytes = analysis.text.byte_range(body);
            found.push(Passage {
                start: bytes.start,
                end: bytes.end,
                level: entry.level,
                category: entry.name.clone(),
                section: true,
                generalised: None,
            });
        }
    }
}

/// First and last code of `F20-F69` or of `K70`, dots left out.
fn bounds(range: &str) -> (String, String) {
    let range = range.replace('.', "");
    let (low, high) = range.split_once('-').unwrap_or((&range, &range));
    (low.to_owned(), high.to_owned())
}
