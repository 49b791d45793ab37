//! The runner: epochs from a source, through the stages, into the tables.
//!
//! An epoch is run through the SQL stages in memory, written to the journal with
//! its exact end, committed to all its tables with the transaction (pipeline,
//! epoch), and only then is the source's position advanced. Meanwhile the next
//! epoch is in the stages and the one after it is read.

mod dossiers;
mod epoch;
mod history;
mod records;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sillage_connectors::{Epoch, Position, Source, Until};
use sillage_schemas::tables::table;
use tokio::sync::watch;

use crate::configuration::Configuration;
use crate::error::{Error, Result};
use crate::journal::{Entry, Journal};
use crate::progress::Progress;
use crate::pseudonym::Key;
use crate::session;
use crate::store::{Rows, Store};
use dossiers::Dossiers;
use epoch::{Processed, Stages, finish, prepare};
use history::History;

/// Folder of the journals, in the restricted zone.
const JOURNAL: &str = "_journal";

/// What a run did.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    pub run_id: String,
    pub documents: u64,
    pub failures: u64,
    pub seconds: f64,
    /// The key file, when this run made it.
    pub new_key: Option<PathBuf>,
}

/// When a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything available, then the end.
    Once,
    /// Until it is told to stop.
    Stream,
}

struct Run<'a> {
    configuration: &'a Configuration,
    stages: Arc<Stages>,
    store: Store,
    dossiers: Dossiers,
    summary: Summary,
}

/// Runs a pipeline over its sources.
///
/// Errors: a source that cannot be opened, a table that cannot be written, a wrong
/// configuration. Bad input never ends a run: it goes to `dead_letters`.
pub async fn run(configuration: &Configuration, mode: Mode, quiet: bool) -> Result<Summary> {
    if configuration.sources.is_empty() {
        return Err(Error::Configuration("no source; give --source FOLDER, or `sources` in the pipeline file".to_owned()));
    }
    // Sources are opened first: a typing mistake must not leave an empty store behind.
    let sources = configuration
        .sources
        .iter()
        .map(|uri| sillage_connectors::open(uri, configuration.timezone).map_err(Error::from))
        .collect::<Result<Vec<_>>>()?;
    let started_at = Utc::now();
    let library = session::library(configuration.terminology.snomed.licence(), &configuration.variables.files)?;
    let policy = configuration.deidentification.policy()?;
    let store = Store::create(&configuration.out).await?;
    let (key_path, may_create) = configuration.key_path();
    let new_key = (may_create && !key_path.exists()).then(|| key_path.clone());
    if new_key.is_some() && configuration.out.join("restricted").join(JOURNAL).exists() {
        let message = "the key of these tables is gone; put it back, or run into a new output folder".to_owned();
        return Err(Error::Key { path: key_path, message });
    }
    let key = if new_key.is_some() { Key::create(&key_path)? } else { Key::read(&key_path)? };
    let stages = Arc::new(Stages::new(library, key, policy, History::read(&store).await?));
    let dossiers = Dossiers::new(&store)?;
    let summary = Summary { run_id: new_run_id(started_at)?, new_key, ..Summary::default() };
    let mut run = Run { configuration, stages, store, dossiers, summary };
    run.record(started_at, None).await?;
    let mut stop = stop_signal()?;
    let mut sources = sources;
    loop {
        let mut waiting = Vec::with_capacity(sources.len());
        for source in sources {
            waiting.push(run.drain(source, quiet, &stop).await?);
        }
        sources = waiting;
        let poll = Duration::from_secs(configuration.epoch.poll_seconds);
        if mode == Mode::Once || *stop.borrow() || tokio::time::timeout(poll, stop.changed()).await.is_ok() {
            break;
        }
    }
    let finished_at = Utc::now();
    run.record(started_at, Some(finished_at)).await?;
    run.summary.seconds = (finished_at - started_at).as_seconds_f64();
    Ok(run.summary)
}

/// A flag that SIGTERM and Ctrl-C raise; the epoch under way is finished first.
fn stop_signal() -> Result<watch::Receiver<bool>> {
    let (raise, stop) = watch::channel(false);
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(Error::io("SIGTERM"))?;
    tokio::spawn(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
        // Nobody listens once the run has ended.
        let _ = raise.send(true);
    });
    Ok(stop)
}

fn new_run_id(now: DateTime<Utc>) -> Result<String> {
    let mut random = [0u8; 4];
    getrandom::fill(&mut random).map_err(|e| Error::Internal(format!("no random numbers from the system: {e}")))?;
    let tail: String = random.iter().map(|b| format!("{b:02x}")).collect();
    Ok(format!("{}-{tail}", now.format("%Y%m%dT%H%M%SZ")))
}

type Reading = tokio::task::JoinHandle<(Box<dyn Source>, std::result::Result<Option<Epoch>, sillage_connectors::SourceError>)>;

/// Reads the next epoch on a thread of its own.
fn read(mut source: Box<dyn Source>, from: Position, limits: (usize, usize), exactly: Option<Position>) -> Reading {
    tokio::task::spawn_blocking(move || {
        let until = match &exactly {
            Some(position) => Until::Exactly(position),
            None => Until::Limits { max_documents: limits.0, max_bytes: limits.1 },
        };
        let epoch = source.read(&from, until);
        (source, epoch)
    })
}

impl Run<'_> {
    /// Takes everything that a source has now, unless it is told to stop.
    ///
    /// Three epochs are under way at a time: one is read, the one before it goes
    /// through the stages, the one before that is committed.
    async fn drain(&mut self, source: Box<dyn Source>, quiet: bool, stop: &watch::Receiver<bool>) -> Result<Box<dyn Source>> {
        let name = source.name().to_owned();
        let application = format!("sillage:{}:{name}", self.configuration.name);
        let folder = self.store.root().join("restricted").join(JOURNAL).join(&self.configuration.name);
        let (journal, state) = Journal::open(&folder, &name)?;
        let position = state.committed.as_ref().map(|e| e.position.clone()).unwrap_or_default();
        let mut number = state.committed.as_ref().map_or(0, |e| e.epoch + 1);
        let limits = (self.configuration.epoch.max_documents, self.configuration.epoch.max_bytes);
        let mut progress = Progress::new(source.size_hint(&position), quiet);
        let mut replay = state.started;
        let mut reading = read(source, position, limits, replay.as_ref().map(|e| e.position.clone()));
        let mut processed: Option<Processed> = None;
        let source = loop {
            let (source, epoch) = reading.await.map_err(|e| Error::Internal(format!("reading {name}: {}", interrupted(&e))))?;
            let epoch = epoch?.filter(|_| !*stop.borrow());
            let Some(epoch) = epoch else {
                if let Some(last) = processed.take() {
                    self.commit(last, &journal, &application, &mut progress).await?;
                }
                break source;
            };
            reading = read(source, epoch.position.clone(), limits, None);
            let entry = replay.take().unwrap_or_else(|| Entry {
                epoch: number,
                position: epoch.position.clone(),
                run_id: self.summary.run_id.clone(),
                ingested_at: Utc::now().timestamp_micros(),
            });
            number = entry.epoch + 1;
            let preparing = tokio::spawn(prepare(self.stages.clone(), epoch, entry));
            // Nothing of an epoch is written anywhere before all of the last one is in the journal.
            if let Some(last) = processed.take() {
                self.commit(last, &journal, &application, &mut progress).await?;
            }
            let prepared = preparing.await.map_err(|e| Error::Internal(format!("the stages: {}", interrupted(&e))))?;
            processed = Some(finish(&self.stages, prepared?, &mut self.dossiers, &self.store).await?);
        };
        progress.finish();
        Ok(source)
    }

    /// Commits what the stages made of an epoch.
    async fn commit(&mut self, processed: Processed, journal: &Journal, application: &str, progress: &mut Progress) -> Result<()> {
        let Processed { entry, rows, documents_seen, failures, bytes_read } = processed;
        journal.start(&entry)?;
        self.store.commit(rows, application, entry.epoch).await?;
        journal.commit(&entry)?;
        self.summary.documents += documents_seen;
        self.summary.failures += failures;
        progress.add(documents_seen, bytes_read);
        tracing::debug!(application, epoch = entry.epoch, documents = documents_seen, "epoch committed");
        Ok(())
    }

    /// Writes the run's row, first without its end.
    async fn record(&mut self, started_at: DateTime<Utc>, finished_at: Option<DateTime<Utc>>) -> Result<()> {
        let Some(table) = table("runs") else { return Err(Error::Internal("no table runs".to_owned())) };
        let run_id = self.summary.run_id.clone();
        let row = records::run_row(&self.summary, started_at, finished_at)?;
        let application = format!("run:{run_id}");
        let replaced = finished_at.map(|_| run_id).into_iter().collect();
        self.store.commit(vec![Rows { table, batches: vec![row], replaced }], &application, i64::from(finished_at.is_some())).await
    }
}

/// From now on a panic says where it is and nothing else: its message may quote a text.
pub(crate) fn hide_panic_messages() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
        tracing::error!("a function panicked{place}");
    }));
}

/// Why a task ended early; the message of a panic may quote a text.
fn interrupted(error: &tokio::task::JoinError) -> &'static str {
    if error.is_panic() { "a function panicked" } else { "cancelled" }
}
