//! The pipeline file: typed, unknown keys refused with the nearest known one.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sillage_clinical::lexicon::SnomedLicence;
use sillage_deidentification::policy::{Policies, Policy, PolicyError};

use crate::error::{Error, Result};
use crate::models::Models;
use crate::operations;

/// The commented default file.
pub const DEFAULT: &str = include_str!("../sillage.toml");

/// A pipeline and its settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    pub name: String,
    pub sources: Vec<String>,
    pub out: PathBuf,
    pub timezone: chrono_tz::Tz,
    /// Empty: `restricted/pseudonym.key` in the output folder.
    pub key_file: PathBuf,
    /// Empty: the restricted zone lies in clear.
    pub encryption_key_file: PathBuf,
    pub epoch: Epoch,
    pub terminology: Terminology,
    pub deidentification: Deidentification,
    pub variables: Variables,
    pub models: Models,
    #[serde(default)]
    pub mllp: sillage_connectors::mllp::Settings,
    #[serde(default)]
    pub fhir: sillage_connectors::fhir_rest::Settings,
    #[serde(default)]
    pub subscription: sillage_connectors::subscription::Settings,
    #[serde(default)]
    pub pages: sillage_pages::Settings,
    pub operations: operations::Settings,
    pub maintenance: Maintenance,
}

/// How the tables are kept fit while a run goes on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// Hours between two times; 0: never.
    pub every_hours: u64,
    /// Older versions can be read for so long.
    pub retention_hours: u64,
}

/// What research may read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deidentification {
    /// Name of a policy.
    pub policy: String,
    /// A `deid.toml` of the site; empty: the policies that ship with Sillage.
    pub file: PathBuf,
}

impl Deidentification {
    /// The policy of that name.
    ///
    /// Errors: the file cannot be read or used, or has no such policy.
    pub fn policy(&self) -> Result<Policy> {
        let place = |e: PolicyError| Error::Configuration(format!("deidentification: {e}"));
        if self.file.as_os_str().is_empty() {
            return Policies::built_in().and_then(|p| p.policy(&self.policy).cloned()).map_err(place);
        }
        let text = std::fs::read_to_string(&self.file).map_err(|e| Error::Configuration(format!("{}: {e}", self.file.display())))?;
        let named = |e: PolicyError| Error::Configuration(format!("{}: {e}", self.file.display()));
        Policies::read(&text).and_then(|p| p.policy(&self.policy).cloned()).map_err(named)
    }
}

/// What is looked for beyond the variables that ship with Sillage.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variables {
    /// Files of declarations; they add variables, or replace those of the same name.
    pub files: Vec<PathBuf>,
}

/// Size of a commit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    pub max_documents: usize,
    pub max_bytes: usize,
    pub poll_seconds: u64,
}

/// Which code systems may be served.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terminology {
    pub snomed: Snomed,
}

/// Right of the site to SNOMED CT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Snomed {
    GlobalPatientSet,
    Affiliate,
}

impl Snomed {
    pub fn licence(self) -> SnomedLicence {
        match self {
            Snomed::GlobalPatientSet => SnomedLicence::GlobalPatientSet,
            Snomed::Affiliate => SnomedLicence::Affiliate,
        }
    }
}

impl Configuration {
    /// The defaults, overridden by what `file` sets.
    ///
    /// Errors: the file cannot be read, a key is unknown, a value has another type.
    pub fn read(file: Option<&Path>) -> Result<Configuration> {
        let mut table: toml::Table = DEFAULT.parse().map_err(|e| Error::Internal(format!("default pipeline: {e}")))?;
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|e| Error::Configuration(format!("{}: {e}", path.display())))?;
            let given: toml::Table = text.parse().map_err(|e| Error::Configuration(format!("{}: {e}", path.display())))?;
            merge(&mut table, given, "").map_err(|message| Error::Configuration(format!("{}: {message}", path.display())))?;
        }
        table.try_into().map_err(|e: toml::de::Error| {
            let place = file.map_or_else(|| "default pipeline".to_owned(), |p| p.display().to_string());
            Error::Configuration(format!("{place}: {}", e.message()))
        })
    }

    /// What the sources on the network are opened with.
    pub fn feeds(&self) -> sillage_connectors::Settings {
        let (mllp, fhir, subscription) = (self.mllp.clone(), self.fhir.clone(), self.subscription.clone());
        sillage_connectors::Settings { mllp, fhir, subscription }
    }

    /// The key file of the restricted zone's encryption, where one is asked for.
    pub fn encryption_key_file(&self) -> Option<&Path> {
        (!self.encryption_key_file.as_os_str().is_empty()).then_some(&self.encryption_key_file)
    }

    /// Where the key is, and whether it may be made there.
    pub fn key_path(&self) -> (PathBuf, bool) {
        if self.key_file.as_os_str().is_empty() {
            (self.out.join("restricted").join("pseudonym.key"), true)
        } else {
            (self.key_file.clone(), false)
        }
    }
}

/// Sections whose defaults stand in the default file as comments: many have none.
const COMMENTED: [&str; 4] = ["mllp", "fhir", "subscription", "pages"];

/// Puts given values over defaults; every key must exist there.
fn merge(defaults: &mut toml::Table, given: toml::Table, prefix: &str) -> std::result::Result<(), String> {
    for (key, value) in given {
        if prefix.is_empty() && COMMENTED.contains(&key.as_str()) {
            defaults.insert(key, value);
            continue;
        }
        match (defaults.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(value)) => merge(inner, value, &format!("{prefix}{key}."))?,
            (Some(slot), value) => *slot = value,
            (None, _) => {
                let nearest = defaults.keys().max_by(|a, b| strsim::jaro_winkler(a, &key).total_cmp(&strsim::jaro_winkler(b, &key)));
                let hint = nearest.map(|n| format!("; the nearest known key is `{prefix}{n}`")).unwrap_or_default();
                return Err(format!("unknown key `{prefix}{key}`{hint}"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Configuration> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Configuration::read(Some(file.path()))
    }

    #[test]
    fn defaults_are_complete() {
        let configuration = Configuration::read(None).unwrap();
        assert_eq!(configuration.timezone, chrono_tz::Europe::Paris);
        assert_eq!(configuration.terminology.snomed, Snomed::GlobalPatientSet);
    }

    #[test]
    fn commented_defaults_are_the_defaults() {
        let commented: String = DEFAULT
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(key) if key.split_once(" = ").is_some_and(|(k, _)| k.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')) => key,
                _ => line,
            })
            .filter(|line| !line.starts_with("sources"))
            .flat_map(|line| [line, "\n"])
            .collect();
        let given = read(&commented).unwrap();
        let defaults = Configuration::read(None).unwrap();
        assert_eq!(format!("{:?}", given.feeds()), format!("{:?}", defaults.feeds()));
        assert_eq!(given.pages, defaults.pages);
        assert!(commented.lines().filter(|l| l.starts_with("max_")).count() > 8, "the sections are there");
        let error = read("[mllp]\nmax_conections = 1").unwrap_err().to_string();
        assert!(error.contains("max_conections") && error.contains("max_connections"), "{error}");
    }

    #[test]
    fn files_override_parts() {
        let configuration = read("name = \"avc\"\n[epoch]\nmax_documents = 10").unwrap();
        assert_eq!((configuration.name.as_str(), configuration.epoch.max_documents), ("avc", 10));
        assert!(configuration.epoch.max_bytes > 0);
    }

    #[test]
    fn unknown_keys_name_the_nearest() {
        let error = read("[epoch]\nmax_document = 10").unwrap_err().to_string();
        assert!(error.contains("`epoch.max_document`") && error.contains("`epoch.max_documents`"), "{error}");
        let error = read("timezone = \"Europe/Pari\"").unwrap_err().to_string();
        assert!(error.to_lowercase().contains("timezone") || error.contains("Europe/Pari"), "{error}");
    }
}
