//! Errors of the pipeline, each with whose fault it is.

use std::path::PathBuf;

use datafusion::error::DataFusionError;
use deltalake::DeltaTableError;
use sillage_connectors::SourceError;
use sillage_inference::ModelError;
use sillage_schemas::Fault;
use thiserror::Error;

/// What can go wrong between a source and the tables.
#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("table {table}: {source}")]
    Table { table: &'static str, source: Box<DeltaTableError> },
    #[error("stage {stage}: {source}")]
    Stage { stage: &'static str, source: Box<DataFusionError> },
    #[error("{0}")]
    Query(#[from] Box<DataFusionError>),
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: {message}", path.display())]
    Journal { path: PathBuf, message: String },
    #[error("{}: {message}", path.display())]
    Key { path: PathBuf, message: String },
    #[error("{0}")]
    Model(ModelError),
    #[error("{0}")]
    Configuration(String),
    #[error("{0}")]
    Internal(String),
}

impl Error {
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { path, source }
    }

    pub fn fault(&self) -> Fault {
        match self {
            Error::Source(source) => source.fault(),
            Error::Model(error) => error.fault(),
            Error::Table { .. } | Error::Io { .. } => Fault::Environment,
            Error::Key { .. } | Error::Configuration(_) | Error::Query(_) => Fault::Configuration,
            Error::Journal { .. } => Fault::Environment,
            Error::Stage { .. } | Error::Internal(_) => Fault::Internal,
        }
    }
}

/// Result of the pipeline.
pub type Result<T, E = Error> = std::result::Result<T, E>;
