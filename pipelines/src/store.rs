//! The tables on disk: Delta, two zones, committed with the epoch they cover.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use deltalake::kernel::Transaction;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::operations::write::SchemaMode;
use deltalake::protocol::SaveMode;
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError, StructType, TableProperty};
use sillage_connectors::Seal;
use sillage_schemas::tables::{TABLES, Table, Write, Zone};
use tokio::task::JoinSet;

use crate::error::{Error, Result};
use encryption::Encryption;

mod encryption;
mod maintenance;

pub use maintenance::Maintained;

/// Commits between two checkpoints of a table.
const CHECKPOINT: i64 = 20;
/// Rows of a row group: what a writer holds in memory.
const ROW_GROUP: usize = 32 * 1024;

/// Struct column of a stage's output whose fields become columns of an open table.
const DECLARED: &str = "variables";

/// Table names are known; a new output folder gets all of them, empty.
pub struct Store {
    root: PathBuf,
    tables: HashMap<&'static str, DeltaTable>,
    /// Last epoch that this process knows a table to have, by application.
    committed: HashMap<(&'static str, String), i64>,
    /// Of the restricted zone, where it is encrypted.
    encryption: Option<Encryption>,
    /// Why the restricted tables stay closed.
    locked: Option<String>,
}

fn wrap(table: &'static Table) -> impl Fn(DeltaTableError) -> Error {
    move |source| Error::Table { table: table.name, source: Box::new(source) }
}

impl Store {
    /// Opens the tables below `root`, creating what is missing. With the key file of
    /// an encryption, the restricted zone of a new folder is encrypted.
    pub async fn create(root: &Path, encryption_key_file: Option<&Path>) -> Result<Store> {
        for zone in [Zone::Research, Zone::Restricted] {
            let folder = root.join(zone.name());
            std::fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
            if zone == Zone::Restricted {
                owner_only(&folder)?;
            }
        }
        let encryption = Encryption::of(&root.join(Zone::Restricted.name()), encryption_key_file)?;
        Self::open(root, true, encryption, None).await
    }

    /// Opens the tables that exist below `root`; of an encrypted restricted zone only
    /// if its key is there.
    pub async fn open_existing(root: &Path) -> Result<Store> {
        if !root.is_dir() {
            return Err(Error::Configuration(format!("{}: no such folder; give the --out of a run", root.display())));
        }
        match Encryption::existing(&root.join(Zone::Restricted.name())) {
            Ok(encryption) => Self::open(root, false, encryption, None).await,
            Err(error @ Error::Key { .. }) => {
                tracing::warn!("{error}; the restricted tables stay closed");
                Self::open(root, false, None, Some(error.to_string())).await
            }
            Err(error) => Err(error),
        }
    }

    async fn open(root: &Path, create: bool, encryption: Option<Encryption>, locked: Option<String>) -> Result<Store> {
        let mut tables = HashMap::new();
        for table in TABLES {
            let path = root.join(table.zone.name()).join(table.name);
            let there = is_made(&path);
            if !there && !create || locked.is_some() && table.zone == Zone::Restricted {
                continue;
            }
            std::fs::create_dir_all(&path).map_err(Error::io(&path))?;
            let full = path.canonicalize().map_err(Error::io(&path))?;
            let url =
                url::Url::from_directory_path(&full).map_err(|()| Error::Internal(format!("{} is no path for a table", full.display())))?;
            let mut delta = match encryption.as_ref().filter(|_| table.zone == Zone::Restricted) {
                Some(encryption) => {
                    let (store, url) = encryption.table(&url)?;
                    DeltaTableBuilder::from_url(url.clone()).map(|builder| builder.with_storage_backend(store, url))
                }
                None => DeltaTableBuilder::from_url(url),
            }
            .and_then(DeltaTableBuilder::build)
            .map_err(wrap(table))?;
            let schema: StructType =
                (table.schema)().as_ref().try_into_kernel().map_err(|e| Error::Internal(format!("schema of {}: {e}", table.name)))?;
            if there {
                delta.load().await.map_err(wrap(table))?;
                if create {
                    delta = widened(delta, &schema, table).await?;
                }
            } else {
                delta = delta
                    .create()
                    .with_table_name(table.name)
                    .with_comment(table.description)
                    .with_columns(schema.fields().cloned())
                    // Keys are hashes: smallest and largest of a file say nothing, and cost a kilobyte of log each.
                    .with_configuration_property(TableProperty::DataSkippingNumIndexedCols, Some("0"))
                    .with_configuration_property(TableProperty::CheckpointInterval, Some(CHECKPOINT.to_string()))
                    .await
                    .map_err(wrap(table))?;
            }
            tables.insert(table.name, delta);
        }
        Ok(Store { root: root.to_owned(), tables, committed: HashMap::new(), encryption, locked })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What the restricted zone is encrypted with, where it is.
    pub fn seal(&self) -> Option<Arc<Seal>> {
        self.encryption.as_ref().map(Encryption::seal)
    }

    /// Names of the tables that exist, in the order of the list of tables.
    pub fn tables(&self) -> impl Iterator<Item = &'static Table> {
        TABLES.iter().filter(|t| self.tables.contains_key(t.name))
    }

    /// Current rows of a table, for DataFusion.
    pub async fn provider(&self, table: &'static Table) -> Result<Arc<dyn TableProvider>> {
        let Some(delta) = self.tables.get(table.name) else {
            let why = self.locked.as_deref().map(|l| format!(": {l}")).unwrap_or_default();
            return Err(Error::Configuration(format!("{}: no table {}{why}", self.root.display(), table.name)));
        };
        let provider = delta.table_provider().await.map_err(Box::new)?;
        Ok(provider)
    }

    /// Commits an epoch: its rows to each of their tables, all at the same time.
    ///
    /// Each table gets one commit with the transaction (application, epoch): the
    /// rows that are replaced go and the new ones come together, or neither. A
    /// table that has the epoch already is left as it is, so a crash between two
    /// tables is healed by the replay of the epoch.
    pub async fn commit(&mut self, rows: Vec<Rows>, application: &str, epoch: i64) -> Result<()> {
        let mut tasks = JoinSet::new();
        for rows in rows {
            let name = rows.table.name;
            let Some(delta) = self.tables.get(name).cloned() else {
                return Err(Error::Internal(format!("table {name} is not open")));
            };
            // What this process has committed needs no look into the log.
            let last = self.committed.get(&(name, application.to_owned())).copied();
            let application = application.to_owned();
            tasks.spawn(async move { commit(delta, rows, last, application, epoch).await });
        }
        while let Some(done) = tasks.join_next().await {
            let (table, delta) = done.map_err(|_| Error::Internal("a commit was interrupted".to_owned()))??;
            self.committed.insert((table.name, application.to_owned()), epoch);
            self.tables.insert(table.name, delta);
        }
        Ok(())
    }
}

/// Whether there is a table: a log with a commit, or files that one must have named.
/// A kill while a table is made leaves an empty folder of its log.
fn is_made(path: &Path) -> bool {
    let holds = |folder: &Path, extensions: &[&str]| {
        std::fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
            let name = entry.file_name();
            Path::new(&name).extension().is_some_and(|extension| extensions.iter().any(|e| extension == *e))
        })
    };
    holds(&path.join("_delta_log"), &["json", "parquet"]) || holds(path, &["parquet"])
}

/// A table that an earlier release has made gets the columns that came since, empty.
async fn widened(delta: DeltaTable, schema: &StructType, table: &'static Table) -> Result<DeltaTable> {
    let stored = delta.snapshot().map_err(wrap(table))?.schema();
    let missing: Vec<_> = schema.fields().filter(|field| stored.field(field.name()).is_none()).cloned().collect();
    if missing.is_empty() {
        return Ok(delta);
    }
    delta.add_columns().with_fields(missing).await.map_err(wrap(table))
}

/// What an epoch has for one table.
pub struct Rows {
    pub table: &'static Table,
    pub batches: Vec<RecordBatch>,
    /// Documents (or patients, or runs) of the epoch that the table may hold
    /// already: their earlier rows go, also when no new row comes.
    pub replaced: Vec<String>,
}

async fn commit(delta: DeltaTable, rows: Rows, last: Option<i64>, application: String, epoch: i64) -> Result<(&'static Table, DeltaTable)> {
    let table = rows.table;
    let last = match last {
        Some(last) => Some(last),
        None => {
            let snapshot = delta.snapshot().map_err(wrap(table))?;
            snapshot.transaction_version(delta.log_store().as_ref(), application.as_str()).await.map_err(wrap(table))?
        }
    };
    if last.is_some_and(|last| last >= epoch) {
        return Ok((table, delta));
    }
    let mut batches = conform(table, rows.batches)?;
    batches.retain(|b| b.num_rows() > 0);
    let key = match table.write {
        Write::Replace { key } if !rows.replaced.is_empty() => Some(key),
        Write::Replace { .. } | Write::Append => None,
    };
    if batches.is_empty() {
        if key.is_none() {
            return Ok((table, delta));
        }
        batches.push(RecordBatch::new_empty(plain(table, &[])));
    }
    let replaced =
        key.map(|key| Ok::<_, Error>(one_of(key, rows.replaced.into_iter().chain(column(&batches, key)?).collect()))).transpose()?;
    let transaction = CommitProperties::default().with_application_transaction(Transaction::new(application, epoch));
    let mut write = delta.write(batches).with_commit_properties(transaction).with_writer_properties(parquet());
    if table.open {
        write = write.with_schema_mode(SchemaMode::Merge);
    }
    write = match replaced {
        Some(replaced) => write.with_save_mode(SaveMode::Overwrite).with_replace_where(replaced),
        None => write.with_save_mode(SaveMode::Append),
    };
    let mut delta = write.await.map_err(wrap(table))?;
    // An open table keeps a batch a commit and goes through all of them at the next one; read
    // from a checkpoint it is one batch.
    if delta.version().is_some_and(|version| (version as i64 + 1) % CHECKPOINT == 0) {
        delta = DeltaTable::new(delta.log_store());
        delta.load().await.map_err(wrap(table))?;
    }
    Ok((table, delta))
}

/// How files are written.
fn parquet() -> WriterProperties {
    // Row groups are small and keys are hashes: an index of pages would skip nothing.
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .build()
}

/// Whether a column holds one of these values.
pub fn one_of(column: &str, values: HashSet<String>) -> Expr {
    Membership { keys: Arc::new(values), signature: Signature::any(1, Volatility::Immutable) }.of(column)
}

/// `one_of(key)`: whether a row is one of those that are looked for.
///
/// The same as a long list of keys in SQL, which the engine nests so deeply that
/// a few thousand keys overflow the stack.
#[derive(Debug, Clone)]
struct Membership {
    keys: Arc<HashSet<String>>,
    signature: Signature,
}

impl Membership {
    fn of(self, key: &str) -> Expr {
        ScalarUDF::from(self).call(vec![datafusion::prelude::col(key)])
    }
}

impl PartialEq for Membership {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.keys, &other.keys)
    }
}

impl Eq for Membership {}

impl Hash for Membership {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.keys.len().hash(state);
    }
}

impl ScalarUDFImpl for Membership {
    fn name(&self) -> &str {
        "one_of"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> datafusion::common::Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> datafusion::common::Result<ColumnarValue> {
        let keys = ColumnarValue::values_to_arrays(&arguments.args)?;
        let keys = cast(&keys[0], &DataType::Utf8)?;
        let found = keys.as_string::<i32>().iter().map(|key| Some(key.is_some_and(|key| self.keys.contains(key))));
        Ok(ColumnarValue::Array(Arc::new(found.collect::<BooleanArray>())))
    }
}

/// The table's columns; those that a run declares follow in an open table.
fn plain(table: &'static Table, batches: &[RecordBatch]) -> SchemaRef {
    let mut fields: Vec<Field> = (table.schema)().fields().iter().map(|f| f.as_ref().clone()).collect();
    if table.open
        && let Some(DataType::Struct(declared)) =
            batches.first().and_then(|b| b.schema().column_with_name(DECLARED).map(|(_, f)| f.data_type().clone()))
    {
        fields.extend(declared.iter().map(|f| f.as_ref().clone()));
    }
    Arc::new(Schema::new(fields))
}

/// Batches with exactly the table's columns, in its order and types.
fn conform(table: &'static Table, batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
    let plain = plain(table, &batches);
    batches
        .into_iter()
        .map(|batch| {
            let declared = batch.column_by_name(DECLARED).filter(|_| table.open).and_then(|c| c.as_struct_opt());
            let columns = plain
                .fields()
                .iter()
                .map(|field| {
                    let column = batch
                        .column_by_name(field.name())
                        .or_else(|| declared.and_then(|d| d.column_by_name(field.name())))
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

#[cfg(test)]
mod tests {
    use sillage_schemas::tables::table;

    use super::*;

    #[tokio::test]
    async fn a_table_of_an_earlier_release_gets_its_new_columns() {
        let folder = tempfile::tempdir().unwrap();
        let encounters = table("encounters").unwrap();
        let path = folder.path().join("restricted/encounters");
        std::fs::create_dir_all(&path).unwrap();
        let url = url::Url::from_directory_path(&path).unwrap();
        let whole: StructType = (encounters.schema)().as_ref().try_into_kernel().unwrap();
        let before = whole.fields().filter(|f| f.name() != "moved_at" && f.name() != "identifiers").cloned();
        DeltaTableBuilder::from_url(url).unwrap().build().unwrap().create().with_columns(before).await.unwrap();
        let mut store = Store::create(folder.path(), None).await.unwrap();
        let row = RecordBatch::new_empty((encounters.schema)());
        let schema = store.provider(encounters).await.unwrap().schema();
        assert!(schema.column_with_name("moved_at").is_some() && schema.column_with_name("identifiers").is_some());
        store.commit(vec![Rows { table: encounters, batches: vec![row], replaced: vec!["e".to_owned()] }], "a", 1).await.unwrap();
        assert!(store.provider(encounters).await.unwrap().schema().column_with_name("identifiers").is_some());
    }

    #[tokio::test]
    async fn a_table_whose_making_was_cut_off_is_made_again_one_whose_log_is_gone_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("restricted/page_spans/_delta_log");
        std::fs::create_dir_all(&log).unwrap();
        std::fs::write(log.join("00000000000000000000.json#1"), "{").unwrap();
        assert!(Store::open_existing(folder.path()).await.unwrap().tables().next().is_none());
        let store = Store::create(folder.path(), None).await.unwrap();
        assert!(store.provider(table("page_spans").unwrap()).await.is_ok());
        drop(store);
        std::fs::remove_dir_all(&log).unwrap();
        std::fs::create_dir_all(&log).unwrap();
        std::fs::write(log.with_file_name("part-0.parquet"), "rows").unwrap();
        assert!(Store::create(folder.path(), None).await.is_err());
    }
}
