//! `sillage reidentify`: from a pseudonym back to the source, under a written reason.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::util::pretty::pretty_format_batches;
use chrono::Utc;
use clap::Args;
use datafusion::prelude::{col, lit};
use sillage_schemas::tables::{reidentifications, table};

use super::print;
use crate::error::{Error, Result};
use crate::session;
use crate::store::{Rows, Store};

/// A reason shorter than this explains nothing.
const REASON: usize = 15;

#[derive(Args)]
#[command(
    after_help = "Example:\n  sillage reidentify --out tables --reason \"recall of patients for study 2026-114, ethics vote of 3 May\" 0f3c…\n\nEvery call is written to restricted.reidentifications before anything is shown."
)]
pub(super) struct Options {
    /// Output folder of a run
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Why; kept for ever beside who, when and whom
    #[arg(long)]
    reason: String,
    /// Pseudonyms of patients or documents
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

pub(super) async fn execute(options: Options) -> Result<()> {
    let reason = options.reason.trim();
    if reason.chars().count() < REASON {
        return Err(Error::Configuration(format!("--reason: say why in at least {REASON} characters; it is kept in the audit table")));
    }
    let mut store = Store::open_existing(&options.out).await?;
    audit(&mut store, reason, &options.ids).await?;
    let library = session::built_in()?;
    let session = session::over(&store, &library).await?;
    let ids = || options.ids.iter().map(|id| lit(id.as_str())).collect::<Vec<_>>();
    let mut found = 0;
    for (name, key, columns) in [
        ("identities", "patient_id", ["patient_id", "source_patient_id", "identifiers"].as_slice()),
        ("source_documents", "document_id", &["document_id", "document_version", "source_document_id", "source_patient_id"]),
    ] {
        let rows = session.table(name).await.map_err(Box::new)?;
        let rows = rows.filter(col(key).in_list(ids(), false)).and_then(|r| r.select_columns(columns)).map_err(Box::new)?;
        let batches = rows.collect().await.map_err(Box::new)?;
        let count: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if count > 0 {
            let text = pretty_format_batches(&batches).map_err(|e| Error::Internal(format!("{name}: {e}")))?;
            print(&format!("{text}\n"))?;
        }
        found += count;
    }
    if found == 0 {
        return Err(Error::Configuration("no patient or document has such a pseudonym; the attempt is in the audit table".to_owned()));
    }
    Ok(())
}

/// Writes who asks for whom, and why, before anything is shown.
async fn audit(store: &mut Store, reason: &str, ids: &[String]) -> Result<()> {
    let Some(table) = table("reidentifications") else { return Err(Error::Internal("no table reidentifications".to_owned())) };
    let now = Utc::now();
    let user = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_else(|| "unknown".to_owned());
    let text = |value: &str| Arc::new(StringArray::from(vec![value; ids.len()])) as ArrayRef;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(TimestampMicrosecondArray::from(vec![now.timestamp_micros(); ids.len()]).with_timezone("UTC")),
        text(&user),
        text(reason),
        Arc::new(ids.iter().map(|id| Some(id.as_str())).collect::<StringArray>()),
    ];
    let batch = RecordBatch::try_new(reidentifications(), columns).map_err(|e| Error::Internal(format!("audit: {e}")))?;
    let application = format!("reidentify:{}:{}", now.timestamp_micros(), std::process::id());
    store.commit(vec![Rows { table, batches: vec![batch], replaced: Vec::new() }], &application, 0).await
}
