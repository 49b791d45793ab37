//! Everything the crate knows about what identifies: gazetteers, cue phrases,
//! policies, surrogates, what the tagger learned. Each part reads its own data file; this is where they meet.

use std::sync::OnceLock;

use sillage_clinical::lexicon::pattern::PatternError;
use sillage_schemas::Fault;
use thiserror::Error;

use crate::name::Names;
use crate::policy::{Policies, PolicyError};
use crate::shape::ShapeKnowledge;
use crate::surrogate::Surrogates;
use crate::tagger::{Model, ModelError};

/// Weights of the tagger; its header says where they come from.
const TAGGER: &[u8] = include_bytes!("../data/tagger.model");

/// An embedded data file that cannot be used.
#[derive(Debug, Error)]
pub enum IdentityError {
    #[error("{file}: {message}")]
    Toml { file: &'static str, message: String },
    #[error("{file}: line {line}: {message}")]
    Line { file: &'static str, line: usize, message: String },
    #[error("{file}: {phrase:?}: {source}")]
    Phrase { file: &'static str, phrase: String, source: PatternError },
    #[error("deidentification/data/deid.toml: {0}")]
    Policy(#[from] PolicyError),
    #[error("deidentification/data/tagger.model: {0}")]
    Tagger(#[from] ModelError),
}

impl IdentityError {
    pub fn fault(&self) -> Fault {
        Fault::Internal
    }
}

/// What the crate knows, read once.
pub struct Identity {
    pub names: Names,
    pub(crate) shape: ShapeKnowledge,
    pub policies: Policies,
    pub surrogates: Surrogates,
    pub(crate) tagger: Model,
}

impl Identity {
    /// Reads the embedded data files.
    ///
    /// Errors: the place in the file that cannot be used.
    pub fn read() -> Result<Identity, IdentityError> {
        Ok(Identity {
            names: Names::read()?,
            shape: ShapeKnowledge::read()?,
            policies: Policies::built_in()?,
            surrogates: Surrogates::read()?,
            tagger: Model::read(TAGGER)?,
        })
    }

    /// What ships with Sillage.
    pub fn built_in() -> &'static Identity {
        static IDENTITY: OnceLock<Identity> = OnceLock::new();
        IDENTITY.get_or_init(|| match Identity::read() {
            Ok(identity) => identity,
            Err(error) => unreachable!("a test reads the embedded data: {error}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_data_is_read() {
        if let Err(error) = Identity::read() {
            panic!("{error}");
        }
    }
}
