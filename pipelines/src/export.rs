//! `sillage export`: one plain file a table, current rows only.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use clap::{Args, ValueEnum};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use futures::StreamExt;
use sillage_schemas::tables::{self, Table, Zone};

use crate::error::{Error, Result};
use crate::session;
use crate::store::Store;

#[derive(Args)]
pub struct Options {
    /// Output folder of a run
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder for the files
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Parquet)]
    format: Format,
    /// Which tables; the research zone identifies nobody
    #[arg(long, value_enum, default_value_t = Zones::Research)]
    zone: Zones,
    /// Only these tables
    #[arg(value_name = "TABLE")]
    tables: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Parquet,
    Csv,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Zones {
    Research,
    Restricted,
    All,
}

impl Zones {
    fn hold(self, zone: Zone) -> bool {
        matches!((self, zone), (Zones::All, _) | (Zones::Research, Zone::Research) | (Zones::Restricted, Zone::Restricted))
    }
}

pub async fn execute(options: Options) -> Result<()> {
    for name in &options.tables {
        let Some(table) = tables::table(name) else {
            let known: Vec<_> = tables::TABLES.iter().map(|t| t.name).collect();
            return Err(Error::Configuration(format!("no table {name}; there are {}", known.join(", "))));
        };
        if !options.zone.hold(table.zone) {
            return Err(Error::Configuration(format!(
                "table {name} is in the {} zone; add --zone {}",
                table.zone.name(),
                table.zone.name()
            )));
        }
    }
    let store = Store::open_existing(&options.out).await?;
    std::fs::create_dir_all(&options.to).map_err(Error::io(&options.to))?;
    let session = session::over(&store, &session::built_in()?).await?;
    for table in store.tables() {
        if !options.zone.hold(table.zone) || !(options.tables.is_empty() || options.tables.iter().any(|t| t == table.name)) {
            continue;
        }
        let path = options.to.join(format!("{}.{}", table.name, if options.format == Format::Csv { "csv" } else { "parquet" }));
        let frame = session.table(table.name).await.map_err(Box::new)?;
        let rows = frame.execute_stream().await.map_err(Box::new)?;
        let count = match options.format {
            Format::Parquet => write_parquet(table, rows, &path).await?,
            Format::Csv => write_csv(rows, &path).await?,
        };
        eprintln!("{}: {count} rows", path.display());
    }
    Ok(())
}

type Rows = datafusion::execution::SendableRecordBatchStream;

fn properties() -> Result<WriterProperties> {
    let level = ZstdLevel::try_new(3).map_err(|e| Error::Internal(e.to_string()))?;
    Ok(WriterProperties::builder().set_compression(Compression::ZSTD(level)).build())
}

/// The table's own schema, with its field metadata; an open table has the columns
/// that its runs declared behind them.
fn schema_of(table: &Table, rows: &Schema) -> SchemaRef {
    let own = (table.schema)();
    if !table.open {
        return own;
    }
    let declared = rows.fields().iter().filter(|f| own.field_with_name(f.name()).is_err()).map(|field| {
        let kind = if *field.data_type() == DataType::Utf8View { DataType::Utf8 } else { field.data_type().clone() };
        Arc::new(field.as_ref().clone().with_data_type(kind))
    });
    Arc::new(Schema::new(own.fields().iter().cloned().chain(declared).collect::<Vec<_>>()))
}

async fn write_parquet(table: &Table, mut rows: Rows, path: &Path) -> Result<usize> {
    let schema = schema_of(table, &rows.schema());
    let failed = |e: datafusion::parquet::errors::ParquetError| Error::Internal(format!("{}: {e}", path.display()));
    let file = File::create(path).map_err(Error::io(path))?;
    let mut writer = ArrowWriter::try_new(file, schema.clone(), Some(properties()?)).map_err(failed)?;
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(Box::new)?;
        count += batch.num_rows();
        let columns = schema.fields().iter().map(|field| {
            let column = batch.column_by_name(field.name()).ok_or_else(|| format!("no column {}", field.name()))?;
            arrow::compute::cast(column, field.data_type()).map_err(|e| e.to_string())
        });
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(|e| Error::Internal(format!("{}: {e}", table.name)))?;
        let batch = RecordBatch::try_new(schema.clone(), columns).map_err(|e| Error::Internal(e.to_string()))?;
        writer.write(&batch).map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok(count)
}

async fn write_csv(mut rows: Rows, path: &Path) -> Result<usize> {
    let file = File::create(path).map_err(Error::io(path))?;
    let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(std::io::BufWriter::new(file));
    let mut count = 0;
    let empty = flat(&RecordBatch::new_empty(rows.schema()))?;
    writer.write(&empty).map_err(|e| Error::Internal(e.to_string()))?;
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(Box::new)?;
        count += batch.num_rows();
        writer.write(&flat(&batch)?).map_err(|e| Error::Internal(e.to_string()))?;
    }
    Ok(count)
}

/// Rows as CSV text with a header.
pub fn csv(batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(Vec::new());
    for batch in batches {
        writer.write(&flat(batch)?).map_err(|e| Error::Internal(e.to_string()))?;
    }
    Ok(writer.into_inner())
}

/// Rows as a Parquet file.
pub fn parquet(batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let schema = batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
    let failed = |e: datafusion::parquet::errors::ParquetError| Error::Internal(e.to_string());
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(properties()?)).map_err(failed)?;
    for batch in batches {
        writer.write(batch).map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok(bytes)
}

/// CSV has no lists and structs: they become JSON.
fn flat(batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = batch.schema();
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        if field.data_type().is_nested() {
            fields.push(Field::new(field.name(), DataType::Utf8, true));
            columns.push(json_column(field, column)?);
        } else {
            fields.push(field.as_ref().clone());
            columns.push(column.clone());
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|e| Error::Internal(e.to_string()))
}

fn json_column(field: &Arc<Field>, column: &ArrayRef) -> Result<ArrayRef> {
    let failed = |e: arrow::error::ArrowError| Error::Internal(e.to_string());
    let batch =
        RecordBatch::try_new(Arc::new(Schema::new(vec![field.as_ref().clone().with_name("v")])), vec![column.clone()]).map_err(failed)?;
    let mut writer = arrow::json::WriterBuilder::new().with_explicit_nulls(true).build::<_, arrow::json::writer::LineDelimited>(Vec::new());
    writer.write(&batch).map_err(failed)?;
    writer.finish().map_err(failed)?;
    let text = String::from_utf8(writer.into_inner()).map_err(|e| Error::Internal(e.to_string()))?;
    // Each line is {"v":...}.
    let values = text
        .lines()
        .enumerate()
        .map(|(i, line)| column.is_valid(i).then(|| line.strip_prefix("{\"v\":").and_then(|l| l.strip_suffix('}')).unwrap_or(line)));
    Ok(Arc::new(values.collect::<StringArray>()))
}
