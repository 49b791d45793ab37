//! `sillage sql`.

use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use clap::{Args, ValueEnum};
use datafusion::execution::context::SessionContext;

use super::{print, prompt};
use crate::configuration::Configuration;
use crate::error::{Error, Result};
use crate::export;
use crate::session;
use crate::store::Store;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  sillage sql --out tables\n  sillage sql --out tables -c \"select * from entities where icd10_code like 'I63%' limit 5\"\n  sillage sql --out tables -f cohort.sql --format csv > cohort.csv\n  sillage sql -c \"select unnest(entities('Pas d''AVC. HTA connue.'))\"\n  sillage sql -c \"show functions\""
)]
pub(super) struct Options {
    /// Output folder of a run; without it only the functions are there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// SQL to run
    #[arg(short = 'c', value_name = "SQL", conflicts_with = "file")]
    command: Option<String>,
    /// File of SQL to run
    #[arg(short = 'f', value_name = "FILE")]
    file: Option<PathBuf>,
    /// Pipeline file whose models, variables and terminology the functions use
    #[arg(long, value_name = "FILE")]
    pipeline: Option<PathBuf>,
    /// How rows are written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Table,
    /// One object a line
    Json,
    /// With a header line; lists and structs as JSON
    Csv,
    /// A Parquet file
    Parquet,
}

pub(super) async fn execute(options: Options) -> Result<()> {
    let library = match &options.pipeline {
        Some(file) => {
            let configuration = Configuration::read(Some(file))?;
            let library = session::library(configuration.terminology.snomed.licence(), &configuration.variables.files)?;
            configuration.models.in_library(library)?
        }
        None => session::built_in()?,
    };
    let session = match &options.out {
        Some(out) => session::over(&Store::open_existing(out).await?, &library).await?,
        None => session::empty(&library, 1),
    };
    let sql = match (&options.command, &options.file) {
        (Some(sql), _) => sql.clone(),
        (None, Some(file)) => std::fs::read_to_string(file).map_err(|e| Error::Configuration(format!("{}: {e}", file.display())))?,
        (None, None) => return prompt::run(&session).await,
    };
    for statement in statements(&sql) {
        let batches = query(&session, &statement).await?;
        write(&batches, options.format)?;
    }
    Ok(())
}

/// Runs one statement.
pub(super) async fn query(session: &SessionContext, sql: &str) -> Result<Vec<RecordBatch>> {
    Ok(session.sql(sql).await.map_err(Box::new)?.collect().await.map_err(Box::new)?)
}

/// Splits at semicolons outside quotes and comments.
fn statements(sql: &str) -> Vec<String> {
    let (mut statements, mut current, mut quote) = (Vec::new(), String::new(), None);
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '-') if chars.peek() == Some(&'-') => {
                while chars.peek().is_some_and(|c| *c != '\n') {
                    chars.next();
                }
                continue;
            }
            (None, ';') => {
                statements.push(std::mem::take(&mut current));
                continue;
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
        current.push(c);
    }
    statements.push(current);
    statements.retain(|s| !s.trim().is_empty());
    statements
}

/// Writes rows to stdout.
pub(super) fn write(batches: &[RecordBatch], format: Format) -> Result<()> {
    match format {
        Format::Table => {
            let table = pretty_format_batches(batches).map_err(|e| Error::Internal(e.to_string()))?;
            print(&format!("{table}\n"))
        }
        Format::Json => {
            let mut writer = arrow::json::LineDelimitedWriter::new(Vec::new());
            for batch in batches {
                writer.write(batch).map_err(|e| Error::Internal(e.to_string()))?;
            }
            writer.finish().map_err(|e| Error::Internal(e.to_string()))?;
            print(&String::from_utf8_lossy(&writer.into_inner()))
        }
        Format::Csv => print(&String::from_utf8_lossy(&export::csv(batches)?)),
        Format::Parquet => {
            use std::io::Write;
            let bytes = export::parquet(batches)?;
            std::io::stdout().lock().write_all(&bytes).map_err(Error::io("stdout"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_split_outside_quotes_and_comments() {
        assert_eq!(statements("select ';' ; -- a ; b\nselect 2;"), ["select ';' ", " \nselect 2"]);
    }
}
