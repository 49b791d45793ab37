//! Words of a moment (`data/anchors.toml`).

use std::ops::Range;

use serde::Deserialize;

use super::Moment;
use crate::definition::Problem;

const FILE: &str = include_str!("../../data/anchors.toml");

/// Beyond this cost words belong to something else.
const FAR: f32 = 16.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalog {
    cue: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    moment: String,
    #[serde(default)]
    door: bool,
    reach: Option<f32>,
    phrases: Vec<String>,
}

/// What a cue says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cue {
    /// `None`: the moment of the document.
    pub moment: Option<Moment>,
    /// Of the door of the house that wrote the document.
    pub door: bool,
    pub reach: f32,
}

/// A cue in the text.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub tokens: Range<usize>,
    pub cue: Cue,
}

/// The cues as declared: phrases and what they say.
pub(crate) fn built_in() -> Result<Vec<(String, Cue)>, Problem> {
    let catalog: Catalog = toml::from_str(FILE).map_err(|e| Problem { line: 1, message: e.to_string() })?;
    let mut cues = Vec::new();
    for entry in catalog.cue {
        let moment = match entry.moment.as_str() {
            "now" => None,
            name => Some(Moment::from_name(name).ok_or_else(|| Problem { line: 1, message: format!("unknown moment `{name}`") })?),
        };
        let cue = Cue { moment, door: entry.door, reach: entry.reach.unwrap_or(FAR) };
        cues.extend(entry.phrases.into_iter().map(|phrase| (phrase, cue)));
    }
    Ok(cues)
}
