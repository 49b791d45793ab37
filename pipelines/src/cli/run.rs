//! `sillage run`.

use std::path::PathBuf;

use clap::Args;

use crate::configuration::Configuration;
use crate::error::Result;
use crate::runner::{self, Mode, Summary};

#[derive(Args)]
#[command(
    after_help = "Examples:\n  sillage run --source export/ --out tables --once\n  sillage run stroke.toml --once\n  sillage run --source export/ --source more/DocumentReference.ndjson.gz --out tables --once\n  sillage run --source mllp://0.0.0.0:2575 --source fhir+https://fhir.example.org/r4 --out tables\n\nA second run takes only what is new. Input that cannot be read goes to restricted/dead_letters.\nWithout --once the run streams until SIGTERM or Ctrl-C. Settings of the sources: sillage configuration."
)]
pub(super) struct Options {
    /// Pipeline file; the built-in stroke pipeline without it
    pipeline: Option<PathBuf>,
    /// Where documents come from; repeatable. A folder or file (.ndjson, .json, .hl7, each also .gz),
    /// mllp://host:port, fhir+https://host/base, fhir-subscription+http://host:port/path
    #[arg(long, value_name = "URI")]
    source: Vec<String>,
    /// Output folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Process everything available, commit, end; listeners hand out what they have received before
    #[arg(long)]
    once: bool,
    /// Pseudonym key; by default restricted/pseudonym.key in the output folder, made by the first run
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Encrypt the restricted zone of a new output folder with this key (see `sillage key new`)
    #[arg(long, value_name = "FILE")]
    encryption_key_file: Option<PathBuf>,
}

pub(super) async fn execute(options: Options, quiet: bool) -> Result<()> {
    let mut configuration = Configuration::read(options.pipeline.as_deref())?;
    if !options.source.is_empty() {
        configuration.sources = options.source;
    }
    if let Some(out) = options.out {
        configuration.out = out;
    }
    if let Some(key_file) = options.key_file {
        configuration.key_file = key_file;
    }
    if let Some(key_file) = options.encryption_key_file {
        configuration.encryption_key_file = key_file;
    }
    let mode = if options.once { Mode::Once } else { Mode::Stream };
    let summary = runner::run(&configuration, mode, quiet).await?;
    if !quiet {
        report(&configuration, &summary);
    }
    Ok(())
}

/// The end of a run, in words.
pub(super) fn report(configuration: &Configuration, summary: &Summary) {
    if let Some(key) = &summary.new_key {
        eprintln!("new pseudonym key: {} (keep a copy in a safe place)", key.display());
    }
    let rate = summary.documents as f64 / summary.seconds.max(1e-3);
    eprintln!("{} documents in {:.1} s ({rate:.0}/s) into {}", summary.documents, summary.seconds, configuration.out.display());
    if summary.failures > 0 {
        eprintln!("{} inputs could not be read: see reason and detail in restricted.dead_letters", summary.failures);
    }
}
