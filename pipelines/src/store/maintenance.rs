//! What keeps tables fit: compaction, removal of files that no version needs, and
//! the erasure of rows from every version.

use std::collections::HashSet;
use std::num::NonZeroU64;

use arrow::array::RecordBatch;
use chrono::Duration;
use deltalake::DeltaTable;
use deltalake::operations::vacuum::VacuumMode;
use deltalake::operations::write::SchemaMode;
use deltalake::protocol::SaveMode;
use sillage_schemas::tables::Table;

use super::{Store, one_of, parquet, plain, wrap};
use crate::error::Result;

/// Size of a file that is left alone.
const TARGET_BYTES: NonZeroU64 = NonZeroU64::new(128 << 20).unwrap();

/// What maintenance did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Maintained {
    /// Small files that were put together into fewer.
    pub files_compacted: u64,
    /// Files that no version within the retention needs.
    pub files_removed: u64,
}

impl Store {
    /// Puts small files together, and removes files that only versions older than
    /// the retention need.
    ///
    /// Errors: a table cannot be read or written; the others are done already.
    pub async fn maintain(&mut self, retention_hours: u64) -> Result<Maintained> {
        let mut done = Maintained::default();
        for table in self.tables().collect::<Vec<_>>() {
            let Some(delta) = self.tables.get(table.name).cloned() else { continue };
            let (delta, metrics) =
                delta.optimize().with_target_size(TARGET_BYTES).with_writer_properties(parquet()).await.map_err(wrap(table))?;
            done.files_compacted += metrics.num_files_removed;
            let (delta, removed) = vacuum(delta, table, retention_hours).await?;
            done.files_removed += removed;
            self.tables.insert(table.name, delta);
        }
        Ok(done)
    }

    /// Takes rows with one of these values in a column out of a table. They stay in
    /// older versions until [`Store::forget`].
    pub async fn erase(&mut self, table: &'static Table, column: &str, values: HashSet<String>) -> Result<()> {
        let Some(delta) = self.tables.get(table.name).cloned() else { return Ok(()) };
        if values.is_empty() {
            return Ok(());
        }
        let none = RecordBatch::new_empty(plain(table, &[]));
        let write = delta.write([none]).with_save_mode(SaveMode::Overwrite).with_replace_where(one_of(column, values));
        let mut write = write.with_writer_properties(parquet());
        if table.open {
            write = write.with_schema_mode(SchemaMode::Merge);
        }
        self.tables.insert(table.name, write.await.map_err(wrap(table))?);
        Ok(())
    }

    /// Removes every file that the newest version of each table does not need.
    pub async fn forget(&mut self) -> Result<u64> {
        let mut removed = 0;
        for table in self.tables().collect::<Vec<_>>() {
            let Some(delta) = self.tables.get(table.name).cloned() else { continue };
            let (delta, files) = vacuum(delta, table, 0).await?;
            removed += files;
            self.tables.insert(table.name, delta);
        }
        Ok(removed)
    }
}

async fn vacuum(delta: DeltaTable, table: &'static Table, retention_hours: u64) -> Result<(DeltaTable, u64)> {
    let retention = Duration::hours(i64::try_from(retention_hours).unwrap_or(i64::MAX).min(24 * 3650));
    // A crash leaves files that no version ever named: only a look at the folder finds them.
    let vacuum = delta.vacuum().with_retention_period(retention).with_enforce_retention_duration(false).with_mode(VacuumMode::Full);
    let (delta, metrics) = vacuum.await.map_err(wrap(table))?;
    Ok((delta, metrics.files_deleted.len() as u64))
}
