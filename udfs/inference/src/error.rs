//! What can go wrong with a model, and whose fault it is.

use std::path::PathBuf;

use sillage_schemas::Fault;
use thiserror::Error;

/// A model that cannot be used, or that failed on a text.
#[derive(Debug, Clone, Error)]
pub enum ModelError {
    /// A folder that is no model folder: the message names what is missing or wrong.
    #[error("{}: {message}", path.display())]
    Folder { path: PathBuf, message: String },
    #[error("there is no model `{name}` in {}; {known}", folder.display())]
    Unknown { name: String, folder: PathBuf, known: String },
    #[error("model `{name}` is for {task}, not for {wanted}")]
    Task { name: String, task: &'static str, wanted: &'static str },
    /// ONNX Runtime is absent or does not fit.
    #[error("{0}")]
    Runtime(String),
    /// The hardware asked for is not there.
    #[error("{0}")]
    Device(String),
    /// The model failed on this very input.
    #[error("model `{name}`: {reason}")]
    Failed { name: String, reason: String },
}

impl ModelError {
    pub fn fault(&self) -> Fault {
        match self {
            ModelError::Folder { .. } | ModelError::Unknown { .. } | ModelError::Task { .. } => Fault::Configuration,
            ModelError::Runtime(_) | ModelError::Device(_) => Fault::Configuration,
            ModelError::Failed { .. } => Fault::Input,
        }
    }
}

/// Result of this crate.
pub type Result<T, E = ModelError> = std::result::Result<T, E>;
