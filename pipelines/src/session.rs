//! SQL sessions: over the store for people, over an epoch for the stages.

use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::execution::context::{SessionConfig, SessionContext};
use sillage_clinical::knowledge::{Knowledge, KnowledgeError};
use sillage_clinical::lexicon::SnomedLicence;
use sillage_schemas::tables::Zone;
use sillage_schemas::terminology::LEXICON;

use crate::error::{Error, Result};
use crate::store::Store;

/// The knowledge of this process.
///
/// Errors: an embedded data file is wrong, which a test would have found.
pub fn knowledge(licence: SnomedLicence) -> Result<Arc<Knowledge>> {
    Knowledge::new(LEXICON, licence).map(Arc::new).map_err(|e: KnowledgeError| Error::Configuration(e.to_string()))
}

/// A session with all functions and no tables.
pub fn empty(knowledge: &Arc<Knowledge>, partitions: usize) -> SessionContext {
    let config = SessionConfig::new().with_information_schema(true).with_target_partitions(partitions.max(1)).with_batch_size(1024);
    let session = SessionContext::new_with_config(config);
    sillage_functions::register(&session, knowledge);
    session
}

/// A session over every table of a store, as `table`, `research.table` and
/// `restricted.table`.
pub async fn over(store: &Store, knowledge: &Arc<Knowledge>) -> Result<SessionContext> {
    let session = empty(knowledge, std::thread::available_parallelism().map_or(1, usize::from));
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
