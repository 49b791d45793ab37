//! The command line. Messages go to stderr, results to stdout. Exit codes: 0 done,
//! 1 failed, 2 wrong usage or configuration.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use sillage_schemas::Fault;
use tracing_subscriber::EnvFilter;

use crate::error::{Error, Result};

mod dead_letters;
mod deid;
mod demo;
mod erase;
mod maintain;
mod model;
mod prompt;
mod reidentify;
mod run;
mod show;
mod sql;
mod table;
mod trace;
mod variables;

/// Stack of every thread that plans or runs SQL.
const STACK: usize = 32 << 20;

/// Clinical documents in, coded tables out.
#[derive(Parser)]
#[command(
    name = "sillage",
    version,
    about = "Turns a hospital's clinical documents into coded SQL tables in which every value leads back to its words",
    after_help = "Examples:\n  sillage demo\n  sillage run --source export/ --out tables --once\n  sillage sql --out tables -c \"select icd10_code, count(*) from entities group by 1 order by 2 desc limit 10\"\n  sillage export --out tables --to files --zone all"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How log lines are written
    #[arg(long, value_enum, default_value_t = LogFormat::Text, global = true)]
    log_format: LogFormat,
    /// Only errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// More detail; repeat for more
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Run a pipeline: read sources, write tables
    Run(run::Options),
    /// Query the tables of a run, and every function
    Sql(sql::Options),
    /// Write plain files, current rows only
    #[command(
        after_help = "Examples:\n  sillage export --out tables --to files\n  sillage export --out tables --to files --format csv entities documents\n  sillage export --out tables --to files --zone all"
    )]
    Export(crate::export::Options),
    /// Score the tables of a run against gold files
    #[command(
        override_usage = "sillage evaluate --gold DIR [--out DIR] [--format gold|i2b2-2014|eds-pseudo-jsonl|brat] [--json] [--errors N]",
        after_help = "Examples:\n  sillage evaluate --out tables --gold corpus/dev/gold\n  sillage evaluate --out tables --gold corpus/dev/gold --json --errors 5\n  sillage evaluate --gold corpora/i2b2-2014 --format i2b2-2014\n\nWithout --out, formats other than gold send their texts through the detector of identifying spans here."
    )]
    Evaluate(crate::evaluate::Options),
    /// The declared variables: list them, check a file, try a sentence
    Variables {
        #[command(subcommand)]
        command: variables::Command,
    },
    /// Learned models: take one in, check it, measure it
    Model {
        #[command(subcommand)]
        command: model::Command,
    },
    /// Where the cells of a hand-filled table come from
    #[command(
        after_help = "Example:\n  sillage trace --out tables --table crf.csv --map map.toml\n\nThe map says which column holds the patient and which variable the others hold:\n\n  patient = \"IPP\"\n  date_formats = [\"%d/%m/%Y %H:%M\"]   # beside 2024-05-31T08:15\n  missing = [\"ND\", \"NA\"]\n\n  [columns.\"NIHSS entrée\"]\n  variable = \"nihss_admission\"\n\n  [columns.rtPA]\n  variable = \"iv_thrombolysis\"\n  values = { \"fait\" = \"true\", \"9\" = \"\" }\n\n  [columns.\"glycémie (g/L)\"]\n  variable = \"glucose_admission\"\n  factor = 5.55\n  tolerance = 0.02\n\nWrites trace.parquet (cells and words), labels.parquet (token labels for training) and summary.csv\nto restricted/trace of the output folder. `sillage variables list` names the variables."
    )]
    Trace(trace::Options),
    /// A small hospital's feed through the whole pipeline
    Demo(demo::Options),
    /// Make a pseudonym key
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Reports on de-identification
    Deid {
        #[command(subcommand)]
        command: deid::Command,
    },
    /// From a pseudonym back to the source, under a written reason
    Reidentify(reidentify::Options),
    /// What could not be processed: look at it, send it again
    DeadLetters {
        #[command(subcommand)]
        command: dead_letters::Command,
    },
    /// What a document says, with the words of a span marked on its pages
    Show(show::Options),
    /// Take a person out of every table, inbox and old version
    Erase(erase::Options),
    /// Put small files of the tables together, remove files that only old versions need
    Maintain(maintain::Options),
    /// Read attachments made of pages, one after the other, for a run
    #[command(name = crate::runner::attachments::WORKER, hide = true)]
    PagesWorker,
    /// Print the default pipeline file, with comments
    Configuration,
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  sillage completions bash > /etc/bash_completion.d/sillage")]
    Completions { shell: clap_complete::Shell },
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Write a new random key to a file that does not exist yet
    New { file: PathBuf },
}

/// Parses the command line, runs the command, returns its exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Command::PagesWorker) {
        // Nothing else is started in a process that reads hostile bytes.
        crate::runner::hide_panic_messages();
        return match sillage_pages::serve(std::io::stdin().lock(), std::io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::from(1),
        };
    }
    start_logging(&cli);
    crate::runner::hide_panic_messages();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no worker threads: {error}");
            return ExitCode::from(1);
        }
    };
    // Plans are walked recursively: the main thread's stack is the system's choice, this one is ours.
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(move || runtime.block_on(execute(cli)));
    let outcome = worker.map(std::thread::JoinHandle::join);
    match outcome {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        Ok(Err(_)) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: no thread: {error}");
            ExitCode::from(1)
        }
        Ok(Ok(Err(error))) => {
            eprintln!("error: {error}");
            ExitCode::from(if error.fault() == Fault::Configuration { 2 } else { 1 })
        }
    }
}

fn start_logging(cli: &Cli) {
    let level = match (cli.quiet, cli.verbose) {
        (true, _) => "error",
        (_, 0) => "error,sillage=info,sillage_connectors=info,sillage_inference=info",
        (_, 1) => "warn,sillage=debug,sillage_connectors=debug,sillage_inference=debug",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("SILLAGE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match cli.log_format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Text => builder.with_target(false).init(),
    }
}

async fn execute(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Run(options) => run::execute(options, cli.quiet).await,
        Command::Sql(options) => sql::execute(options).await,
        Command::Export(options) => crate::export::execute(options).await,
        Command::Evaluate(options) => crate::evaluate::execute(options).await,
        Command::Variables { command } => variables::execute(command),
        Command::Model { command } => model::execute(command),
        Command::Trace(options) => trace::execute(options).await,
        Command::Demo(options) => demo::execute(options, cli.quiet).await,
        Command::Key { command: KeyCommand::New { file } } => {
            crate::pseudonym::Key::create(&file)?;
            eprintln!("new key in {}; keep a copy in a safe place: without it no pseudonym can be made again", file.display());
            Ok(())
        }
        Command::Deid { command } => deid::execute(command).await,
        Command::Reidentify(options) => reidentify::execute(options).await,
        Command::DeadLetters { command } => dead_letters::execute(command).await,
        Command::Erase(options) => erase::execute(options).await,
        Command::Show(options) => show::execute(options).await,
        Command::PagesWorker => Ok(()),
        Command::Maintain(options) => maintain::execute(options).await,
        Command::Configuration => print(crate::configuration::DEFAULT),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "sillage", &mut std::io::stdout());
            Ok(())
        }
    }
}

/// Writes a result to stdout; a closed pipe (`| head`) is no failure.
pub(crate) fn print(text: &str) -> Result<()> {
    use std::io::Write;
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::Io { path: "stdout".into(), source: error }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
