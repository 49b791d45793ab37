//! The tables on disk: Delta, two zones, committed with the epoch they cover.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use datafusion::catalog::TableProvider;
use deltalake::kernel::Transaction;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::protocol::SaveMode;
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError, StructType};
use sillage_schemas::tables::{TABLES, Table, Write, Zone};

use crate::error::{Error, Result};

/// Keys of one predicate: the engine nests them, so a long list would need a deep stack.
const KEYS: usize = 100;

/// Table names are known; a new output folder gets all of them, empty.
pub struct Store {
    root: PathBuf,
    tables: HashMap<&'static str, DeltaTable>,
}

fn wrap(table: &'static Table) -> impl Fn(DeltaTableError) -> Error {
    move |source| Error::Table { table: table.name, source: Box::new(source) }
}

impl Store {
    /// Opens the tables below `root`, creating what is missing.
    pub async fn create(root: &Path) -> Result<Store> {
        for zone in [Zone::Research, Zone::Restricted] {
            let folder = root.join(zone.name());
            std::fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
            if zone == Zone::Restricted {
                owner_only(&folder)?;
            }
        }
        Self::open(root, true).await
    }

    /// Opens the tables that exist below `root`.
    pub async fn open_existing(root: &Path) -> Result<Store> {
        if !root.is_dir() {
            return Err(Error::Configuration(format!("{}: no such folder; give the --out of a run", root.display())));
        }
        Self::open(root, false).await
    }

    async fn open(root: &Path, create: bool) -> Result<Store> {
        let mut tables = HashMap::new();
        for table in TABLES {
            let path = root.join(table.zone.name()).join(table.name);
            let there = path.join("_delta_log").is_dir();
            if !there && !create {
                continue;
            }
            std::fs::create_dir_all(&path).map_err(Error::io(&path))?;
            let full = path.canonicalize().map_err(Error::io(&path))?;
            let url =
                url::Url::from_directory_path(&full).map_err(|()| Error::Internal(format!("{} is no path for a table", full.display())))?;
            let mut delta = DeltaTableBuilder::from_url(url).and_then(DeltaTableBuilder::build).map_err(wrap(table))?;
            if there {
                delta.load().await.map_err(wrap(table))?;
            } else {
                let schema: StructType =
                    (table.schema)().as_ref().try_into_kernel().map_err(|e| Error::Internal(format!("schema of {}: {e}", table.name)))?;
                delta = delta
                    .create()
                    .with_table_name(table.name)
                    .with_comment(table.description)
                    .with_columns(schema.fields().cloned())
                    .await
                    .map_err(wrap(table))?;
            }
            tables.insert(table.name, delta);
        }
        Ok(Store { root: root.to_owned(), tables })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Names of the tables that exist, in the order of the list of tables.
    pub fn tables(&self) -> impl Iterator<Item = &'static Table> {
        TABLES.iter().filter(|t| self.tables.contains_key(t.name))
    }

    /// Current rows of a table, for DataFusion.
    pub async fn provider(&self, table: &'static Table) -> Result<Arc<dyn TableProvider>> {
        let Some(delta) = self.tables.get(table.name) else {
            return Err(Error::Configuration(format!("{}: no table {}", self.root.display(), table.name)));
        };
        let provider = delta.table_provider().await.map_err(Box::new)?;
        Ok(provider)
    }

    /// Whether the table has this epoch already.
    async fn has(&self, table: &'static Table, delta: &DeltaTable, application: &str, epoch: i64) -> Result<bool> {
        let snapshot = delta.snapshot().map_err(wrap(table))?;
        let version = snapshot.transaction_version(delta.log_store().as_ref(), application).await.map_err(wrap(table))?;
        Ok(version.is_some_and(|v| v >= epoch))
    }

    /// Commits rows of an epoch to one table; skipped when the table has the epoch.
    ///
    /// `known` are the documents (or patients, or runs) of the epoch that the table
    /// may hold already: their earlier rows go first, also when no new row comes.
    /// The transaction is written with the new rows, so a crash in between is
    /// healed by the replay of the epoch.
    pub async fn commit(
        &mut self,
        table: &'static Table,
        batches: Vec<RecordBatch>,
        known: &[String],
        application: &str,
        epoch: i64,
    ) -> Result<()> {
        let Some(delta) = self.tables.get(table.name) else {
            return Err(Error::Internal(format!("table {} is not open", table.name)));
        };
        if self.has(table, delta, application, epoch).await? {
            return Ok(());
        }
        let mut delta = delta.clone();
        let batches = conform(table, batches)?;
        if let Write::Replace { key } = table.write {
            for keys in known.chunks(KEYS) {
                delta = delta.delete().with_predicate(in_list(key, keys)).await.map_err(wrap(table))?.0;
            }
        }
        if batches.iter().any(|b| b.num_rows() > 0) {
            let transaction = CommitProperties::default().with_application_transaction(Transaction::new(application, epoch));
            delta = delta.write(batches).with_save_mode(SaveMode::Append).with_commit_properties(transaction).await.map_err(wrap(table))?;
        }
        self.tables.insert(table.name, delta);
        Ok(())
    }
}

/// `key in ('a', 'b')`; keys are hexadecimal digits and dashes, or quoted as SQL asks.
fn in_list(key: &str, values: &[String]) -> datafusion::logical_expr::Expr {
    use datafusion::prelude::{col, lit};
    col(key).in_list(values.iter().map(|v| lit(v.as_str())).collect(), false)
}

/// Batches with exactly the table's columns, in its order and types.
fn conform(table: &'static Table, batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
    let schema = (table.schema)();
    let plain = Arc::new(Schema::new(schema.fields().iter().map(|f| f.as_ref().clone()).collect::<Vec<_>>()));
    batches
        .into_iter()
        .map(|batch| {
            let columns = plain
                .fields()
                .iter()
                .map(|field| {
                    let column = batch
                        .column_by_name(field.name())
                        .ok_or_else(|| Error::Internal(format!("stage output for {} lacks column {}", table.name, field.name())))?;
                    cast(column, field.data_type()).map_err(|e| Error::Internal(format!("{}.{}: {e}", table.name, field.name())))
                })
                .collect::<Result<Vec<_>>>()?;
            RecordBatch::try_new(plain.clone(), columns).map_err(|e| Error::Internal(format!("stage output for {}: {e}", table.name)))
        })
        .collect()
}

/// Values of a text column over batches.
pub fn column(batches: &[RecordBatch], name: &str) -> Result<Vec<String>> {
    let mut values = Vec::new();
    for batch in batches {
        let Some(array) = batch.column_by_name(name) else { continue };
        let array = cast(array, &DataType::Utf8).map_err(|e| Error::Internal(format!("column {name}: {e}")))?;
        values.extend(array.as_string::<i32>().iter().flatten().map(str::to_owned));
    }
    Ok(values)
}

/// The restricted zone is for its owner alone.
fn owner_only(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(folder, permissions).map_err(Error::io(folder))?;
    }
    Ok(())
}
