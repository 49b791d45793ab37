//! SQL sessions: over the store for people, over an epoch for the stages.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::execution::context::{SessionConfig, SessionContext};
use sillage_clinical::knowledge::{Knowledge, KnowledgeError};
use sillage_clinical::lexicon::SnomedLicence;
use sillage_deidentification::identity::Identity;
use sillage_functions::Library;
use sillage_inference::{Models, Settings};
use sillage_schemas::tables::Zone;
use sillage_schemas::terminology::LEXICON;
use sillage_variables::definition::Definitions;

use crate::error::{Error, Result};
use crate::store::Store;

/// What the functions of this process know, with the variables of these files
/// beside those that ship with Sillage.
///
/// Errors: a file of variables cannot be read or used; the message names the line.
pub fn library(licence: SnomedLicence, variables: &[PathBuf]) -> Result<Library> {
    let knowledge = Knowledge::new(LEXICON, licence).map_err(|e: KnowledgeError| Error::Configuration(e.to_string()))?;
    let mut files = Vec::new();
    for path in variables {
        let text = std::fs::read_to_string(path).map_err(|e| Error::Configuration(format!("{}: {e}", path.display())))?;
        files.push((path.display().to_string(), text));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let definitions = Definitions::with_files(&knowledge, &files).map_err(|e| Error::Configuration(e.to_string()))?;
    Ok(Library {
        knowledge: Arc::new(knowledge),
        definitions: Arc::new(definitions),
        identity: Identity::built_in(),
        models: Arc::new(Models::new(Settings::default())),
        hybrid: None,
    })
}

/// What ships with Sillage.
pub fn built_in() -> Result<Library> {
    library(SnomedLicence::GlobalPatientSet, &[])
}

/// A session with all functions and no tables.
pub fn empty(library: &Library, partitions: usize) -> SessionContext {
    with(library, SessionConfig::new().with_information_schema(true).with_target_partitions(partitions.max(1)))
}

/// As [`empty`], for the stages of one epoch: the same few statements again and again, on few rows.
pub fn for_stages(library: &Library, partitions: usize) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(partitions.max(1));
    // Planning costs more than what a second pass of the optimizer could save.
    config.options_mut().optimizer.max_passes = 1;
    with(library, config)
}

fn with(library: &Library, config: SessionConfig) -> SessionContext {
    let session = SessionContext::new_with_config(config.with_batch_size(1024));
    sillage_functions::register(&session, library);
    session
}

/// A session over every table of a store, as `table`, `research.table` and
/// `restricted.table`.
pub async fn over(store: &Store, library: &Library) -> Result<SessionContext> {
    let session = empty(library, std::thread::available_parallelism().map_or(1, usize::from));
    for zone in [Zone::Research, Zone::Restricted] {
        session.sql(&format!("create schema {}", zone.name())).await.map_err(Box::new)?;
    }
    for table in store.tables() {
        let provider = store.provider(table).await?;
        session.register_table(table.name, provider.clone()).map_err(Box::new)?;
        session.register_table(TableReference::partial(table.zone.name(), table.name), provider).map_err(Box::new)?;
    }
    Ok(session)
}
