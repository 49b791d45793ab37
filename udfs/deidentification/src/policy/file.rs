//! A `deid.toml` as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Action, Level, Mask, Policy, PolicyError};
use crate::Label;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub policy: BTreeMap<String, PolicyEntry>,
    #[serde(default)]
    pub category: Vec<CategoryEntry>,
    #[serde(default)]
    pub section: Vec<SectionEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyEntry {
    #[serde(default)]
    description: String,
    direct: Action,
    quasi: Action,
    sensitive: Action,
    general: Action,
    #[serde(default = "tag")]
    mask: Mask,
    #[serde(default)]
    labels: BTreeMap<String, Action>,
}

fn tag() -> Mask {
    Mask::Tag
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SectionEntry {
    pub name: String,
    pub level: Level,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CategoryEntry {
    pub name: String,
    pub level: Level,
    pub generalised: Option<String>,
    pub minimum_age: Option<f32>,
    pub generalised_phrases: Option<String>,
    #[serde(default)]
    pub after: Vec<String>,
    #[serde(default)]
    pub before: Vec<String>,
    #[serde(default)]
    pub phrases: Vec<String>,
    #[serde(default)]
    pub group: Vec<GroupEntry>,
    #[serde(default)]
    pub icd10: Vec<String>,
    #[serde(default)]
    pub atc: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupEntry {
    pub generalised: String,
    pub phrases: Vec<String>,
}

/// Keys a table of the file may hold; `*` stands for a name of the site's choice.
const KEYS: &[(&str, &[&str])] = &[
    ("", &["policy", "category", "section"]),
    ("policy.*", &["description", "direct", "quasi", "sensitive", "general", "mask", "labels"]),
    ("section", &["name", "level"]),
    (
        "category",
        &["name", "level", "generalised", "minimum_age", "generalised_phrases", "after", "before", "phrases", "group", "icd10", "atc"],
    ),
    ("category.group", &["generalised", "phrases"]),
];

/// Reads a file.
///
/// Errors: the line that is no TOML, the unknown key with the nearest known one, the
/// value that does not fit.
pub(super) fn read(text: &str) -> Result<File, PolicyError> {
    let table: toml::Table = toml::from_str(text).map_err(|e| PolicyError::Toml { message: e.to_string() })?;
    check(&table, "", "")?;
    toml::from_str(text).map_err(|e| PolicyError::Toml { message: e.to_string() })
}

fn check(table: &toml::Table, place: &str, path: &str) -> Result<(), PolicyError> {
    let known = KEYS.iter().find(|(name, _)| *name == place).map(|(_, keys)| *keys);
    for (key, value) in table {
        let full = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if let Some(known) = known
            && !known.contains(&key.as_str())
        {
            let nearest = known.iter().min_by_key(|k| distance(k, key)).copied().unwrap_or_default();
            let nearest = if path.is_empty() { nearest.to_owned() } else { format!("{path}.{nearest}") };
            return Err(PolicyError::UnknownKey { key: full, nearest });
        }
        let inner = match place {
            "" => key.clone(),
            "policy" => "policy.*".to_owned(),
            _ => format!("{place}.{key}"),
        };
        match value {
            toml::Value::Table(table) if inner == "policy.*.labels" => check_labels(table, &full)?,
            toml::Value::Table(table) => check(table, &inner, &full)?,
            toml::Value::Array(items) => {
                for item in items.iter().filter_map(toml::Value::as_table) {
                    check(item, &inner, &full)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_labels(table: &toml::Table, path: &str) -> Result<(), PolicyError> {
    let Some(key) = table.keys().find(|k| Label::from_name(k).is_none()) else { return Ok(()) };
    let nearest = Label::ALL.iter().map(|l| l.name()).min_by_key(|l| distance(l, key)).unwrap_or_default();
    Err(PolicyError::UnknownKey { key: format!("{path}.{key}"), nearest: format!("{path}.{nearest}") })
}

/// Letters to add, drop or change to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

pub(super) fn policies(entries: BTreeMap<String, PolicyEntry>) -> Result<BTreeMap<String, Policy>, PolicyError> {
    let mut policies = BTreeMap::new();
    for (name, entry) in entries {
        let labels = entry.labels.into_iter().filter_map(|(label, action)| Some((Label::from_name(&label)?, action))).collect();
        let PolicyEntry { description, direct, quasi, sensitive, general, mask, .. } = entry;
        policies.insert(name.clone(), Policy { name, description, direct, quasi, sensitive, general, mask, labels });
    }
    Ok(policies)
}
