//! The section `[models]`: where model folders are, what runs them, and which of them
//! vote beside the rules.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use sillage_clinical::vote::Weights;
use sillage_functions::{Hybrid, Library};
use sillage_inference::text_model::TextModel;
use sillage_inference::{Device, ModelError, Settings};

use crate::error::{Error, Result};

/// Learned models of a pipeline.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Models {
    pub folder: PathBuf,
    /// Name of the model that votes for mentions; empty: the lexicon alone.
    pub clinical: String,
    /// Name of the model that votes for what identifies people; empty: the rules alone.
    pub phi: String,
    pub lexicon_score: f32,
    pub clinical_threshold: f32,
    pub phi_threshold: f32,
    pub runtime: PathBuf,
    pub device: Device,
    pub gpus: Vec<i32>,
    pub threads: usize,
    pub sessions: usize,
    pub batch_tokens: usize,
    pub gpu_bytes: usize,
    pub max_loaded: usize,
}

impl From<ModelError> for Error {
    fn from(error: ModelError) -> Error {
        Error::Model(error)
    }
}

impl Models {
    pub fn settings(&self) -> Settings {
        Settings {
            folder: self.folder.clone(),
            runtime: self.runtime.clone(),
            device: self.device,
            gpus: self.gpus.clone(),
            threads: self.threads,
            sessions: self.sessions,
            batch_tokens: self.batch_tokens,
            gpu_bytes: self.gpu_bytes,
            max_loaded: self.max_loaded,
        }
    }

    /// The library with these models; those that the pipeline names are loaded now.
    ///
    /// Errors: a model that is named cannot be loaded, or has labels that are none of ours.
    pub fn in_library(&self, library: Library) -> Result<Library> {
        for (key, value) in
            [("lexicon_score", self.lexicon_score), ("clinical_threshold", self.clinical_threshold), ("phi_threshold", self.phi_threshold)]
        {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::Configuration(format!("models.{key} is {value}, and a score lies between 0 and 1")));
            }
        }
        let models = Arc::new(sillage_inference::Models::new(self.settings()));
        let named =
            |name: &str| -> Result<Option<Arc<TextModel>>> { if name.is_empty() { Ok(None) } else { Ok(Some(models.tagger(name)?)) } };
        let (clinical, phi) = (named(&self.clinical)?, named(&self.phi)?);
        let mut hybrid = None;
        if clinical.is_some() || phi.is_some() {
            let weights = Weights { lexicon: self.lexicon_score, threshold: self.clinical_threshold };
            let voters = Hybrid { clinical, phi, weights, phi_threshold: self.phi_threshold };
            let unknown = voters.unknown_labels();
            if !unknown.is_empty() {
                let message = format!(
                    "models: {} is no label of ours: name ours in [labels.map] of its model.toml, or drop it with an empty one",
                    unknown.join(", ")
                );
                return Err(Error::Configuration(message));
            }
            hybrid = Some(Arc::new(voters));
        }
        Ok(Library { models, hybrid, ..library })
    }
}

/// Name, version, SHA-256 and licence of the models that vote.
pub(crate) fn used(library: &Library) -> Vec<[String; 4]> {
    let Some(hybrid) = &library.hybrid else { return Vec::new() };
    let voters = hybrid.clinical.iter().chain(&hybrid.phi);
    let mut used: Vec<[String; 4]> = voters.map(|m| [m.name.clone(), m.version.clone(), m.sha256.clone(), m.licence.clone()]).collect();
    used.sort();
    used.dedup();
    used
}
