//! `sillage maintain`: what a run does by itself from time to time, now.

use std::path::PathBuf;

use clap::Args;

use crate::error::Result;
use crate::lock::Lock;
use crate::store::Store;

#[derive(Args)]
#[command(
    after_help = "Example:\n  sillage maintain --out tables --retention-hours 24\n\nA run that streams does this by itself, see [maintenance] of the pipeline file."
)]
pub(super) struct Options {
    /// Output folder of a run
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Versions of the tables stay readable for so many hours after they were replaced
    #[arg(long, value_name = "HOURS", default_value_t = 168)]
    retention_hours: u64,
}

pub(super) async fn execute(options: Options) -> Result<()> {
    let mut store = Store::open_existing(&options.out).await?;
    let _lock = Lock::take(&options.out)?;
    let done = store.maintain(options.retention_hours).await?;
    let attachments = crate::runner::attachments::sweep(&store).await?;
    eprintln!(
        "{} small files were put together, {} old files and {attachments} attachments that no document has any more removed",
        done.files_compacted, done.files_removed
    );
    Ok(())
}
