//! A model folder: `model.toml`, `model.onnx` and, for models of text, `tokenizer.json`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::error::{ModelError, Result};
use crate::label::{Scheme, Words};
use crate::tokens::Normalisation;

pub const MANIFEST: &str = "model.toml";
pub const GRAPH: &str = "model.onnx";
pub const TOKENIZER: &str = "tokenizer.json";

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    TokenClassification,
    Embedding,
    Tabular,
}

impl Task {
    pub fn name(self) -> &'static str {
        match self {
            Task::TokenClassification => "token-classification",
            Task::Embedding => "embedding",
            Task::Tabular => "tabular",
        }
    }
}

/// What a pipeline may use a model for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Clinical,
    Phi,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Role::Clinical => "clinical",
            Role::Phi => "phi",
        }
    }
}

/// A `model.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub version: String,
    pub task: Task,
    pub role: Option<Role>,
    /// SPDX expression.
    pub licence: String,
    pub source: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub precision: String,
    /// By file name.
    #[serde(default)]
    pub sha256: BTreeMap<String, String>,
    pub input: Option<Input>,
    pub labels: Option<Labels>,
    /// By our label.
    #[serde(default)]
    pub thresholds: BTreeMap<String, f32>,
    pub embedding: Option<Embedding>,
    pub tabular: Option<Tabular>,
}

/// How text is cut.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Tokens of a window, special tokens included.
    pub max_length: usize,
    /// Tokens that two windows share at least.
    pub overlap: Option<usize>,
    #[serde(default)]
    pub normalisation: Vec<Normalisation>,
    /// Whether the graph takes `token_type_ids`; checked where it is given.
    pub token_type_ids: Option<bool>,
}

/// What the last axis of `logits` means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    pub scheme: Scheme,
    pub names: Vec<String>,
    #[serde(default)]
    pub words: Words,
    /// Logits are divided by it.
    #[serde(default = "one")]
    pub temperature: f32,
    /// Label of the model to ours; an empty one drops.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
}

fn one() -> f32 {
    1.0
}

/// How token vectors become one of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolingKind {
    Mean,
    Cls,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    pub pooling: PoolingKind,
    pub normalise: bool,
    pub dimension: usize,
}

/// What becomes of a null feature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// The model sees "not a number".
    #[default]
    Nan,
    /// The row has no prediction.
    Refuse,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tabular {
    /// Fields of the struct, in the order of the graph's input.
    pub features: Vec<String>,
    #[serde(default)]
    pub missing: Missing,
    /// Names of a classifier's classes; a regression has none.
    #[serde(default)]
    pub classes: Vec<String>,
}

/// A folder whose manifest was read and whose files are there.
#[derive(Debug, Clone)]
pub struct Folder {
    pub path: PathBuf,
    pub name: String,
    pub manifest: Manifest,
}

impl Folder {
    /// Reads the manifest and looks for the files; nothing is loaded.
    ///
    /// Errors: the piece that is missing or wrong.
    pub fn read(path: &Path) -> Result<Folder> {
        let wrong = |message: String| ModelError::Folder { path: path.to_owned(), message };
        if !path.is_dir() {
            return Err(wrong("no such folder".to_owned()));
        }
        let name = path.canonicalize().ok().and_then(|p| p.file_name().map(|n| n.to_string_lossy().into_owned())).unwrap_or_default();
        if !is_name(&name) {
            return Err(wrong(format!("`{name}` is no name for a model: small letters, digits, `.`, `-` and `_`")));
        }
        let file = path.join(MANIFEST);
        if !file.is_file() {
            return Err(wrong(format!(
                "{MANIFEST} is missing: it says what the model does, its labels and its licence; `sillage model add` writes one"
            )));
        }
        let text = fs::read_to_string(&file).map_err(|e| wrong(format!("{MANIFEST}: {e}")))?;
        let manifest = Manifest::parse(&text).map_err(wrong)?;
        let mut needed = vec![GRAPH];
        if manifest.task != Task::Tabular {
            needed.push(TOKENIZER);
        }
        for file in needed {
            if !path.join(file).is_file() {
                let hint = match file {
                    GRAPH => "the exported network; `optimum-cli export onnx` writes it",
                    _ => "the fast tokenizer; `AutoTokenizer.from_pretrained(…).save_pretrained(…)` writes it",
                };
                return Err(wrong(format!("{file} is missing: {hint}")));
            }
        }
        Ok(Folder { path: path.to_owned(), name, manifest })
    }

    /// SHA-256 of the graph, compared with the manifest, as that of the tokenizer is.
    ///
    /// Errors: a file is not the one that the manifest names.
    pub fn digest(&self) -> Result<String> {
        let wrong = |message: String| ModelError::Folder { path: self.path.clone(), message };
        let mut graph = String::new();
        for (file, expected) in self.manifest.sha256.iter().map(|(f, e)| (f.as_str(), Some(e))).chain([(GRAPH, None)]) {
            if file == GRAPH && expected.is_none() && !graph.is_empty() {
                continue;
            }
            let digest = sha256(&self.path.join(file)).map_err(|e| wrong(format!("{file}: {e}")))?;
            if let Some(expected) = expected.filter(|e| !e.eq_ignore_ascii_case(&digest)) {
                return Err(wrong(format!(
                    "{file} has SHA-256 {digest}, {MANIFEST} says {expected}: the file was changed or is incomplete"
                )));
            }
            if file == GRAPH {
                graph = digest;
            }
        }
        Ok(graph)
    }
}

/// Whether a folder may have this name.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_'))
}

/// SHA-256 of a file.
pub fn sha256(path: &Path) -> std::io::Result<String> {
    let (mut file, mut hash) = (fs::File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

/// Keys of a `model.toml`, by section.
const KEYS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "version",
            "task",
            "role",
            "licence",
            "source",
            "description",
            "precision",
            "sha256",
            "input",
            "labels",
            "thresholds",
            "embedding",
            "tabular",
        ],
    ),
    ("input", &["max_length", "overlap", "normalisation", "token_type_ids"]),
    ("labels", &["scheme", "names", "words", "temperature", "map"]),
    ("embedding", &["pooling", "normalise", "dimension"]),
    ("tabular", &["features", "missing", "classes"]),
];

impl Manifest {
    /// Reads a `model.toml`.
    ///
    /// Errors: the key that is unknown, missing or contradicts another.
    pub fn parse(text: &str) -> Result<Manifest, String> {
        let table: toml::Table = text.parse().map_err(|e: toml::de::Error| format!("{MANIFEST}: {}", e.message()))?;
        known(&table)?;
        let manifest: Manifest = table.try_into().map_err(|e: toml::de::Error| format!("{MANIFEST}: {}", e.message()))?;
        manifest.check().map_err(|message| format!("{MANIFEST}: {message}"))?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        for (key, value) in [("version", &self.version), ("licence", &self.licence), ("source", &self.source)] {
            if value.trim().is_empty() {
                return Err(format!("`{key}` is empty"));
            }
        }
        let needs = |section: &str| format!("a model for {} needs the section `[{section}]`", self.task.name());
        if self.task != Task::Tabular {
            let input = self.input.as_ref().ok_or_else(|| needs("input"))?;
            if input.max_length < 8 {
                return Err("`input.max_length` is below 8".to_owned());
            }
            if input.overlap.is_some_and(|overlap| overlap * 2 > input.max_length) {
                return Err("`input.overlap` is more than half of `input.max_length`".to_owned());
            }
        }
        match self.task {
            Task::TokenClassification => {
                let labels = self.labels.as_ref().ok_or_else(|| needs("labels"))?;
                labels.check()?;
                if let Some((label, value)) = self.thresholds.iter().find(|(_, v)| !(0.0..=1.0).contains(*v)) {
                    return Err(format!("`thresholds.{label}` is {value}, no probability"));
                }
            }
            Task::Embedding => {
                let embedding = self.embedding.as_ref().ok_or_else(|| needs("embedding"))?;
                if embedding.dimension == 0 {
                    return Err("`embedding.dimension` is 0".to_owned());
                }
            }
            Task::Tabular => {
                let tabular = self.tabular.as_ref().ok_or_else(|| needs("tabular"))?;
                if tabular.features.is_empty() {
                    return Err("`tabular.features` is empty".to_owned());
                }
            }
        }
        if self.role.is_some() && self.task != Task::TokenClassification {
            return Err("`role` is for token-classification".to_owned());
        }
        Ok(())
    }
}

impl Labels {
    fn check(&self) -> Result<(), String> {
        if self.names.len() < 2 {
            return Err("`labels.names` has fewer than two names".to_owned());
        }
        if !self.names.iter().any(|n| n == "O") {
            return Err("`labels.names` has no `O`".to_owned());
        }
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return Err("`labels.temperature` is not above 0".to_owned());
        }
        for name in &self.names {
            self.scheme.part(name).map_err(|reason| format!("`labels.names`: {reason}"))?;
        }
        Ok(())
    }
}

/// Refuses unknown keys with the nearest known one.
fn known(table: &toml::Table) -> Result<(), String> {
    for (section, keys) in KEYS {
        let inner = if section.is_empty() { Some(table) } else { table.get(*section).and_then(toml::Value::as_table) };
        for key in inner.into_iter().flat_map(toml::Table::keys) {
            if !keys.contains(&key.as_str()) {
                let prefix = if section.is_empty() { String::new() } else { format!("{section}.") };
                let nearest = keys.iter().max_by(|a, b| strsim::jaro_winkler(a, key).total_cmp(&strsim::jaro_winkler(b, key)));
                let hint = nearest.map(|n| format!("; the nearest known key is `{prefix}{n}`")).unwrap_or_default();
                return Err(format!("{MANIFEST}: unknown key `{prefix}{key}`{hint}"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGGER: &str = "version = \"1\"\ntask = \"token-classification\"\nlicence = \"MIT\"\nsource = \"here\"\n\
        [input]\nmax_length = 32\n[labels]\nscheme = \"BIO\"\nnames = [\"O\", \"B-NOM\", \"I-NOM\"]\n";

    #[test]
    fn a_manifest_is_read() {
        let manifest = Manifest::parse(TAGGER).unwrap();
        assert_eq!((manifest.task, manifest.labels.unwrap().names.len()), (Task::TokenClassification, 3));
    }

    #[test]
    fn mistakes_are_named() {
        for (from, to, expected) in [
            ("licence", "license", "the nearest known key is `licence`"),
            ("max_length = 32", "max_length_ = 32", "`input.max_length`"),
            ("[labels]\nscheme = \"BIO\"\nnames = [\"O\", \"B-NOM\", \"I-NOM\"]\n", "", "needs the section `[labels]`"),
            ("\"O\", ", "", "no `O`"),
            ("I-NOM", "E-NOM", "E-NOM"),
            ("MIT", " ", "`licence` is empty"),
            ("licence = \"MIT\"\n", "", "licence"),
            ("max_length = 32", "max_length = 32\noverlap = 20", "half"),
        ] {
            let text = TAGGER.replace(from, to);
            assert_ne!(text, TAGGER, "{from} is not there");
            let error = Manifest::parse(&text).unwrap_err();
            assert!(error.contains(expected), "{error} does not name {expected}");
        }
    }

    #[test]
    fn a_folder_names_its_missing_piece() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("tagger");
        let missing = |expected: &str| {
            let error = Folder::read(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{error} does not name {expected}");
        };
        missing("no such folder");
        fs::create_dir(&path).unwrap();
        missing("model.toml is missing");
        fs::write(path.join(MANIFEST), TAGGER).unwrap();
        missing("model.onnx is missing");
        fs::write(path.join(GRAPH), "graph").unwrap();
        missing("tokenizer.json is missing");
        fs::write(path.join(TOKENIZER), "{}").unwrap();
        let folder = Folder::read(&path).unwrap();
        assert_eq!(folder.digest().unwrap(), sha256(&path.join(GRAPH)).unwrap());
        fs::write(path.join(MANIFEST), format!("{TAGGER}[sha256]\n\"model.onnx\" = \"00\"\n")).unwrap();
        let error = Folder::read(&path).unwrap().digest().unwrap_err().to_string();
        assert!(error.contains("model.onnx has SHA-256"), "{error}");
    }
}
