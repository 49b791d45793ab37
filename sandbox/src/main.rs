//! `sillage-sandbox`: makes feeds to run Sillage on, and measures it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use sillage_sandbox::benchmark::{self, Peer};
use sillage_sandbox::{day, hospital, wrap};
use sillage_schemas::Fault;

/// Makes feeds to run Sillage on, and measures it
#[derive(Parser)]
#[command(
    name = "sillage-sandbox",
    version,
    after_help = "\
Examples:
  sillage-sandbox hospital --out feed --patients 40
  sillage-sandbox day --mllp 127.0.0.1:2575 --expect end.json
  sillage-sandbox wrap --input texts.jsonl.gz --out feed
  sillage-sandbox bench-text --input texts.jsonl.gz --documents 100"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes the FHIR Bulk Data export of a simulated stroke unit
    #[command(after_help = "\
Examples:
  A small hospital, the same each time:   sillage-sandbox hospital --out feed
  Some 100,000 documents:                 sillage-sandbox hospital --out feed --patients 22000
  Another hospital:                       sillage-sandbox hospital --out feed --patients 40 --seed 7")]
    Hospital {
        /// Folder to write into
        #[arg(long)]
        out: PathBuf,
        /// Patients, each with 3 to 6 documents
        #[arg(long, default_value_t = 40)]
        patients: usize,
        /// The same seed makes the same hospital
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Plays a day of an invented hospital: HL7 v2 over MLLP, a FHIR server, notifications
    Day(day::command::Options),
    /// Turns a JSONL file of texts into FHIR DocumentReferences
    #[command(after_help = "\
Examples:
  sillage-sandbox wrap --input texts.jsonl.gz --out feed
  sillage-sandbox wrap --input notes.jsonl --out feed --text-field body --id-field number")]
    Wrap {
        #[command(flatten)]
        texts: Texts,
        /// Folder to write into
        #[arg(long)]
        out: PathBuf,
    },
    /// Times the clinical library, and EDS-NLP beside it, one thread each
    #[command(after_help = "\
Examples:
  Ours beside EDS-NLP on 100 documents:   sillage-sandbox bench-text --input texts.jsonl.gz
  Ours alone:                             sillage-sandbox bench-text --input texts.jsonl.gz --without-edsnlp
  An environment that is there:           sillage-sandbox bench-text --input texts.jsonl.gz --edsnlp ~/venvs/edsnlp

EDS-NLP is installed from PyPI into $SILLAGE_CACHE/edsnlp, or ~/.cache/sillage/edsnlp, when it is not there.")]
    BenchText {
        #[command(flatten)]
        texts: Texts,
        /// Virtual environment with EDS-NLP; made where there is none
        #[arg(long, value_name = "VENV", conflicts_with = "without_edsnlp")]
        edsnlp: Option<PathBuf>,
        /// Times only the library
        #[arg(long)]
        without_edsnlp: bool,
        /// Documents that EDS-NLP reads
        #[arg(long, default_value_t = 100)]
        documents: usize,
        /// Writes the figures as JSON here too
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
}

/// A JSONL file of texts and the names of its fields.
#[derive(Args)]
struct Texts {
    /// One JSON object a line; gzip where the name ends in .gz
    #[arg(long)]
    input: PathBuf,
    /// Field that holds the text
    #[arg(long, default_value = "text")]
    text_field: String,
    /// Field that holds an id
    #[arg(long, default_value = "id")]
    id_field: String,
    /// Field that holds a date
    #[arg(long, default_value = "date")]
    date_field: String,
}

impl Texts {
    fn fields(&self) -> wrap::Fields {
        let [text, id, date] = [&self.text_field, &self.id_field, &self.date_field].map(String::clone);
        wrap::Fields { text, id, date, ..wrap::Fields::default() }
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err((fault, error)) => {
            eprintln!("sillage-sandbox: {error}");
            ExitCode::from(if fault == Fault::Configuration { 2 } else { 1 })
        }
    }
}

// A program's results go to standard output.
#[allow(clippy::print_stdout)]
fn run(command: Command) -> Result<(), (Fault, anyhow::Error)> {
    match command {
        Command::Hospital { out, patients, seed } => {
            let summary = hospital::write_feed(&out, patients, seed).map_err(|e| (e.fault(), e.into()))?;
            println!("{}", json(&summary, false)?);
        }
        Command::Day(options) => {
            let mut written = Ok(());
            day::command::run(&options, |played| written = json(played, false).map(|line| println!("{line}")))?;
            written?;
        }
        Command::Wrap { texts, out } => {
            let summary = wrap::wrap(&texts.input, &texts.fields(), &out).map_err(|e| (e.fault(), e.into()))?;
            println!("{}", json(&summary, false)?);
        }
        Command::BenchText { texts, edsnlp, without_edsnlp, documents, json: file } => {
            let peer = match edsnlp {
                _ if without_edsnlp => Peer::None,
                Some(folder) => Peer::Environment(folder),
                None => Peer::cached().map_err(|e| (e.fault(), e.into()))?,
            };
            let report = benchmark::run(&texts.input, &texts.fields(), &peer, documents).map_err(|e| (e.fault(), e.into()))?;
            println!("{report}\n{}", json(&report, false)?);
            if let Some(file) = file {
                std::fs::write(file, json(&report, true)?).map_err(|e| (Fault::Environment, e.into()))?;
            }
        }
    }
    Ok(())
}

fn json(value: &impl serde::Serialize, pretty: bool) -> Result<String, (Fault, anyhow::Error)> {
    let written = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    written.map_err(|e| (Fault::Internal, e.into()))
}
