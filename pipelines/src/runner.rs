//! The runner: epochs from a source, through the stages, into the tables.
//!
//! An epoch is run through the SQL stages in memory, written to the journal with
//! its exact end, committed to all its tables with the transaction (pipeline,
//! epoch), and only then is the source's position advanced. Meanwhile the next
//! epoch is in the stages and the one after it is read.

mod again;
pub(crate) mod attachments;
mod dossiers;
mod epoch;
mod history;
mod merges;
mod records;
mod spool;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::{counter, gauge, histogram};
use sillage_connectors::{Epoch, Opening, Position, Source, SourceError, Start, Until};
use sillage_deidentification::policy::Policy;
use sillage_functions::Library;
use sillage_schemas::Fault;
use sillage_schemas::tables::table;
use tokio::sync::watch;

use crate::configuration::Configuration;
use crate::error::{Error, Result};
use crate::journal::{Entry, Journal};
use crate::lock::Lock;
use crate::models;
use crate::operations::{Health, Operations};
use crate::progress::Progress;
use crate::pseudonym::Key;
use crate::session;
use crate::store::{Rows, Store};
pub use again::Again;
use attachments::Attachments;
use dossiers::Dossiers;
use epoch::{Processed, Stages, finish, prepare};
use history::History;

/// Folder of the journals, in the restricted zone.
pub(crate) const JOURNAL: &str = "_journal";
/// Folder of what sources on the network have received, in the restricted zone.
pub(crate) const INBOX: &str = "_inbox";
/// Epochs of one source before the next source has its turn.
const TURN: usize = 16;
/// Longest wait before another try after a failure that is not ours.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

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

/// What the stages and the tables know, made anew after a failure.
struct State {
    stages: Arc<Stages>,
    store: Store,
    dossiers: Dossiers,
}

struct Run<'a> {
    configuration: &'a Configuration,
    library: Library,
    key: Key,
    state: State,
    health: Arc<Health>,
    summary: Summary,
}

/// A source that may be read on a thread of its own, and outlives a failure.
type Shared = Arc<Mutex<Box<dyn Source>>>;

/// Runs a pipeline over its sources.
///
/// Errors: a source that cannot be opened, a table that cannot be written, a wrong
/// configuration. Bad input never ends a run: it goes to `dead_letters`. A run that
/// streams waits and tries again where the disk or the network is at fault.
pub async fn run(configuration: &Configuration, mode: Mode, quiet: bool) -> Result<Summary> {
    if configuration.sources.is_empty() {
        return Err(Error::Configuration("no source; give --source FOLDER, or `sources` in the pipeline file".to_owned()));
    }
    // Before anything listens: who is told to stop then still answers what was sent.
    let mut stop = stop_signal()?;
    // Sources are opened first: a typing mistake must not leave an empty store behind.
    let settings = configuration.feeds();
    let mut sources = configuration
        .sources
        .iter()
        .map(|uri| Opening { uri, timezone: configuration.timezone, settings: &settings })
        .map(|opening| sillage_connectors::open(&opening).map_err(Error::from))
        .collect::<Result<Vec<_>>>()?;
    let started_at = Utc::now();
    let library = session::library(configuration.terminology.snomed.licence(), &configuration.variables.files)?;
    let library = configuration.models.in_library(library)?;
    let policy = configuration.deidentification.policy()?;
    let health = Arc::new(Health::default());
    let operations = Operations::start(&configuration.operations, health.clone())?;
    let store = Store::create(&configuration.out, configuration.encryption_key_file()).await?;
    let _lock = Lock::take(&configuration.out)?;
    let (key_path, may_create) = configuration.key_path();
    let new_key = (may_create && !key_path.exists()).then(|| key_path.clone());
    if new_key.is_some() && configuration.out.join("restricted").join(JOURNAL).exists() {
        let message = "the key of these tables is gone; put it back, or run into a new output folder".to_owned();
        return Err(Error::Key { path: key_path, message });
    }
    let key = if new_key.is_some() { Key::create(&key_path)? } else { Key::read(&key_path)? };
    let spool = configuration.out.join("restricted").join(INBOX);
    let seal = store.seal();
    // Dead letters that wait to be sent again come first.
    if let Some(replayed) = sillage_connectors::replay(&spool, seal.clone(), configuration.timezone)? {
        sources.insert(0, replayed);
    }
    for source in &mut sources {
        source.start(&Start { spool: &spool, once: mode == Mode::Once, seal: seal.as_ref() })?;
    }
    let sources: Vec<Shared> = sources.into_iter().map(|source| Arc::new(Mutex::new(source))).collect();
    let state = State::open(store, library.clone(), key.clone(), policy, &configuration.pages).await?;
    let summary = Summary { run_id: new_run_id(started_at)?, new_key, ..Summary::default() };
    let mut run = Run { configuration, library, key, state, health, summary };
    let mut recorded = false;
    let mut maintained_at = tokio::time::Instant::now();
    let mut wait = Duration::from_secs(1);
    loop {
        let mut more = false;
        let mut failed = None;
        if !recorded {
            // Who is there already is answered, whatever the tables say.
            match run.record(started_at, None).await {
                Ok(()) => {
                    recorded = true;
                    run.health.ready();
                }
                Err(error) if mode == Mode::Stream && error.fault() == Fault::Environment => failed = Some(error),
                Err(error) => return Err(error),
            }
        }
        for source in &sources {
            if failed.is_some() {
                break;
            }
            match run.drain(source, mode, quiet, &stop).await {
                Ok(unfinished) => more |= unfinished,
                Err(error) if mode == Mode::Stream && error.fault() == Fault::Environment => failed = Some(error),
                Err(error) => return Err(error),
            }
            if *stop.borrow() {
                break;
            }
        }
        if let Some(error) = failed {
            // Nothing is lost: sources keep what is not committed, listeners push back.
            tracing::error!(%error, seconds = wait.as_secs(), "the run waits and tries again");
            counter!("sillage_run_failures_total").increment(1);
            run.health.failing();
            if *stop.borrow() || tokio::time::timeout(wait, stop.changed()).await.is_ok() {
                return Err(error);
            }
            wait = (wait * 2).min(LONGEST_WAIT);
            if let Err(error) = run.reopen().await {
                tracing::error!(%error, "the tables cannot be opened");
            }
            continue;
        }
        wait = Duration::from_secs(1);
        run.health.ready();
        if mode == Mode::Once || *stop.borrow() {
            break;
        }
        let every = Duration::from_secs(configuration.maintenance.every_hours * 3600);
        if !every.is_zero() && maintained_at.elapsed() >= every {
            run.maintain().await;
            maintained_at = tokio::time::Instant::now();
        }
        let patience = sources.iter().filter_map(|s| lock(s).patience()).min();
        let poll = patience.unwrap_or(Duration::from_secs(configuration.epoch.poll_seconds));
        if !more && tokio::time::timeout(poll, stop.changed()).await.is_ok() {
            break;
        }
    }
    // Listeners stop before the run is written down as ended.
    drop(sources);
    let finished_at = Utc::now();
    run.record(started_at, Some(finished_at)).await?;
    run.summary.seconds = (finished_at - started_at).as_seconds_f64();
    drop(operations);
    Ok(run.summary)
}

fn lock(source: &Shared) -> std::sync::MutexGuard<'_, Box<dyn Source>> {
    // A source that panicked is read again from the position it is given.
    source.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A flag that SIGTERM and Ctrl-C raise; the epoch under way is finished first.
fn stop_signal() -> Result<watch::Receiver<bool>> {
    let (raise, stop) = watch::channel(false);
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(Error::io("SIGTERM"))?;
    #[cfg(unix)]
    {
        let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).map_err(Error::io("SIGHUP"))?;
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                tracing::warn!("the configuration is read at the start only: send SIGTERM and start again; nothing is lost meanwhile");
            }
        });
    }
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

type Reading = tokio::task::JoinHandle<std::result::Result<Option<Epoch>, SourceError>>;

/// Reads the next epoch on a thread of its own.
fn read(source: &Shared, from: Position, limits: (usize, usize), exactly: Option<Position>) -> Reading {
    let source = source.clone();
    tokio::task::spawn_blocking(move || {
        let until = match &exactly {
            Some(position) => Until::Exactly(position),
            None => Until::Limits { max_documents: limits.0, max_bytes: limits.1 },
        };
        lock(&source).read(&from, until)
    })
}

impl State {
    async fn open(store: Store, library: Library, key: Key, policy: Policy, pages: &sillage_pages::Settings) -> Result<State> {
        let attachments = Attachments::new(&store, pages);
        let stages = Arc::new(Stages::new(library, key, policy, History::read(&store).await?, attachments));
        let dossiers = Dossiers::new(&store)?;
        Ok(State { stages, store, dossiers })
    }
}

impl Run<'_> {
    /// Opens the tables anew: what was under way when something failed is forgotten.
    async fn reopen(&mut self) -> Result<()> {
        let store = Store::create(&self.configuration.out, self.configuration.encryption_key_file()).await?;
        let policy = self.configuration.deidentification.policy()?;
        self.state = State::open(store, self.library.clone(), self.key.clone(), policy, &self.configuration.pages).await?;
        Ok(())
    }

    /// Compacts the tables and removes what no reader needs any more.
    async fn maintain(&mut self) {
        let started = std::time::Instant::now();
        match self.state.store.maintain(self.configuration.maintenance.retention_hours).await {
            Ok(report) => tracing::info!(files = report.files_removed, seconds = started.elapsed().as_secs(), "tables maintained"),
            Err(error) => tracing::error!(%error, "the tables could not be maintained; the next try comes in its time"),
        }
    }

    /// Takes everything that a source has now, unless it is told to stop or another
    /// source has its turn: then it says that there is more.
    ///
    /// Three epochs are under way at a time: one is read, the one before it goes
    /// through the stages, the one before that is committed.
    async fn drain(&mut self, source: &Shared, mode: Mode, quiet: bool, stop: &watch::Receiver<bool>) -> Result<bool> {
        let name = lock(source).name().to_owned();
        let application = format!("sillage:{}:{name}", self.configuration.name);
        let folder = self.state.store.root().join("restricted").join(JOURNAL).join(&self.configuration.name);
        let (journal, state) = Journal::open(&folder, &name)?;
        let position = state.committed.as_ref().map(|e| e.position.clone()).unwrap_or_default();
        let mut number = state.committed.as_ref().map_or(0, |e| e.epoch + 1);
        let limits = (self.configuration.epoch.max_documents, self.configuration.epoch.max_bytes);
        let mut progress = Progress::new(lock(source).size_hint(&position), quiet || mode == Mode::Stream);
        let mut replay = state.started;
        let mut reading = Some(read(source, position, limits, replay.as_ref().map(|e| e.position.clone())));
        let mut processed: Option<Processed> = None;
        let mut turns = if mode == Mode::Stream { TURN } else { usize::MAX };
        loop {
            let epoch = match reading.take() {
                Some(reading) => reading.await.map_err(|e| Error::Internal(format!("reading {name}: {}", interrupted(&e))))??,
                None => None,
            };
            let Some(mut epoch) = epoch.filter(|_| !*stop.borrow()) else {
                if let Some(last) = processed.take() {
                    self.commit(last, source, &journal, &application, &mut progress).await?;
                }
                break;
            };
            turns -= 1;
            if turns > 0 {
                reading = Some(read(source, epoch.position.clone(), limits, None));
            }
            let is_replay = replay.is_some();
            let entry = replay.take().unwrap_or_else(|| Entry {
                epoch: number,
                position: epoch.position.clone(),
                run_id: self.summary.run_id.clone(),
                ingested_at: Utc::now().timestamp_micros(),
                again: Again::default(),
            });
            number = entry.epoch + 1;
            if !entry.again.documents.is_empty() {
                epoch.documents = again::with_stored(&epoch.documents, &entry.again.documents, &self.state.store).await?;
            }
            let preparing = tokio::spawn(prepare(self.state.stages.clone(), epoch, entry, is_replay));
            // Nothing of an epoch is written anywhere before all of the last one is in the journal.
            if let Some(last) = processed.take() {
                self.commit(last, source, &journal, &application, &mut progress).await?;
            }
            let prepared = preparing.await.map_err(|e| Error::Internal(format!("the stages: {}", interrupted(&e))))?;
            let State { stages, store, dossiers } = &mut self.state;
            processed = Some(finish(stages, prepared?, dossiers, store).await?);
        }
        progress.finish();
        Ok(turns == 0)
    }

    /// Commits what the stages made of an epoch.
    async fn commit(
        &mut self,
        processed: Processed,
        source: &Shared,
        journal: &Journal,
        application: &str,
        progress: &mut Progress,
    ) -> Result<()> {
        let Processed { entry, rows, documents_seen, failures, bytes_read } = processed;
        let started = std::time::Instant::now();
        journal.start(&entry)?;
        self.state.store.commit(rows, application, entry.epoch).await?;
        journal.commit(&entry)?;
        let (source, position) = (source.clone(), entry.position.clone());
        let told = tokio::task::spawn_blocking(move || lock(&source).committed(&position)).await;
        told.map_err(|e| Error::Internal(format!("a source: {}", interrupted(&e))))??;
        histogram!("sillage_commit_seconds").record(started.elapsed().as_secs_f64());
        counter!("sillage_documents_total").increment(documents_seen);
        counter!("sillage_dead_letters_total").increment(failures);
        counter!("sillage_epochs_total").increment(1);
        gauge!("sillage_last_commit_timestamp_seconds").set(Utc::now().timestamp() as f64);
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
        let row = records::run_row(&self.summary, &models::used(&self.library), started_at, finished_at)?;
        let application = format!("run:{run_id}");
        let replaced = finished_at.map(|_| run_id).into_iter().collect();
        self.state.store.commit(vec![Rows { table, batches: vec![row], replaced }], &application, i64::from(finished_at.is_some())).await
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
