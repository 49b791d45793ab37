//! The runner: epochs from a source, through the stages, into the tables.
//!
//! An epoch is written to the journal with its exact end, run through the SQL
//! stages, committed table by table with the transaction (pipeline, epoch), and
//! only then is the source's position advanced. While an epoch is worked on, the
//! next one is read.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, ListArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Fields};
use chrono::{DateTime, Utc};
use datafusion::datasource::MemTable;
use datafusion::execution::context::SessionContext;
use sha2::{Digest, Sha256};
use sillage_clinical::knowledge::Knowledge;
use sillage_connectors::{DeadLetter, Epoch, Position, Source, Until};
use sillage_schemas::tables::{self, table};
use sillage_schemas::terminology::LEXICON;
use tokio::sync::watch;

use crate::configuration::Configuration;
use crate::error::{Error, Result};
use crate::journal::{Entry, Journal};
use crate::progress::Progress;
use crate::pseudonym::{self, Key};
use crate::session;
use crate::stages::{self, Parameters, STAGES};
use crate::store::{Store, column};

/// Rows of a batch handed to one core at a time.
const SLICE: usize = 128;
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
    knowledge: Arc<Knowledge>,
    key: Key,
    store: Store,
    summary: Summary,
    partitions: usize,
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
    let knowledge = session::knowledge(configuration.terminology.snomed.licence())?;
    let store = Store::create(&configuration.out).await?;
    let (key_path, may_create) = configuration.key_path();
    let new_key = (may_create && !key_path.exists()).then(|| key_path.clone());
    if new_key.is_some() && configuration.out.join("restricted").join(JOURNAL).exists() {
        let message = "the key of these tables is gone; put it back, or run into a new output folder".to_owned();
        return Err(Error::Key { path: key_path, message });
    }
    let key = if new_key.is_some() { Key::create(&key_path)? } else { Key::read(&key_path)? };
    let partitions = std::thread::available_parallelism().map_or(1, usize::from);
    let summary = Summary { run_id: new_run_id(started_at)?, new_key, ..Summary::default() };
    let mut run = Run { configuration, knowledge, key, store, summary, partitions };
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
        let source = loop {
            let (source, epoch) = reading.await.map_err(|e| Error::Internal(format!("reading {name}: {e}")))?;
            let Some(epoch) = epoch? else { break source };
            if *stop.borrow() {
                break source;
            }
            reading = read(source, epoch.position.clone(), limits, None);
            let entry = match replay.take() {
                Some(entry) => entry,
                None => Entry {
                    epoch: number,
                    position: epoch.position.clone(),
                    run_id: self.summary.run_id.clone(),
                    ingested_at: Utc::now().timestamp_micros(),
                },
            };
            journal.start(&entry)?;
            self.commit(&epoch, &entry, &application).await?;
            journal.commit(&entry)?;
            self.summary.documents += epoch.documents_seen;
            self.summary.failures += epoch.dead_letters.len() as u64;
            progress.add(epoch.documents_seen, epoch.bytes_read);
            number = entry.epoch + 1;
            tracing::debug!(source = %name, epoch = number - 1, documents = epoch.documents_seen, "epoch committed");
        };
        progress.finish();
        Ok(source)
    }

    /// Runs the stages over an epoch and commits what they make.
    async fn commit(&mut self, epoch: &Epoch, entry: &Entry, application: &str) -> Result<()> {
        let session = session::empty(&self.knowledge, self.partitions);
        for function in pseudonym::functions(&self.key) {
            session.register_udf(function);
        }
        self.register(&session, "incoming_documents", &epoch.documents)?;
        self.register(&session, "incoming_patients", &epoch.patients)?;
        for (name, of) in [("stored_versions", "source_documents"), ("stored_identities", "identities")] {
            let Some(table) = table(of) else { return Err(Error::Internal(format!("no table {of}"))) };
            session.register_table(name, self.store.provider(table).await?).map_err(Box::new)?;
        }
        let parameters = Parameters { run_id: entry.run_id.clone(), ingested_at: entry.ingested_at };
        for stage in STAGES {
            stages::run(&session, stage, &parameters).await?;
        }
        let documents = known(&session, "accepted_documents", "stored_versions", "document_id").await?;
        let patients = known(&session, "identities", "stored_identities", "patient_id").await?;
        for output in STAGES.iter().flat_map(|s| s.outputs) {
            let Some(table) = table(output) else { return Err(Error::Internal(format!("no table {output}"))) };
            let batches = collect(&session, &format!("select * from {output}")).await?;
            let known = if *output == "identities" { &patients } else { &documents };
            self.store.commit(table, batches, known, application, entry.epoch).await?;
        }
        if !epoch.dead_letters.is_empty() {
            let Some(table) = table("dead_letters") else { return Err(Error::Internal("no table dead_letters".to_owned())) };
            let batch = dead_letters(&epoch.dead_letters, entry.ingested_at)?;
            self.store.commit(table, vec![batch], &[], application, entry.epoch).await?;
        }
        Ok(())
    }

    fn register(&self, session: &SessionContext, name: &str, batch: &RecordBatch) -> Result<()> {
        let mut partitions = vec![Vec::new(); self.partitions];
        let mut at = 0;
        while at < batch.num_rows() {
            let length = SLICE.min(batch.num_rows() - at);
            partitions[at / SLICE % self.partitions].push(batch.slice(at, length));
            at += length;
        }
        let table = MemTable::try_new(batch.schema(), partitions).map_err(Box::new)?;
        session.register_table(name, Arc::new(table)).map_err(Box::new)?;
        Ok(())
    }

    /// Writes the run's row, first without its end.
    async fn record(&mut self, started_at: DateTime<Utc>, finished_at: Option<DateTime<Utc>>) -> Result<()> {
        let Some(table) = table("runs") else { return Err(Error::Internal("no table runs".to_owned())) };
        let run_id = self.summary.run_id.clone();
        let row = run_row(&self.summary, started_at, finished_at)?;
        let application = format!("run:{run_id}");
        self.store.commit(table, vec![row], &[run_id], &application, i64::from(finished_at.is_some())).await
    }
}

/// Keys of the epoch that the store holds already.
async fn known(session: &SessionContext, of: &str, stored: &str, key: &str) -> Result<Vec<String>> {
    let rows = collect(session, &format!("select a.{key} from {of} a join {stored} s on a.{key} = s.{key}")).await?;
    column(&rows, key)
}

async fn collect(session: &SessionContext, sql: &str) -> Result<Vec<RecordBatch>> {
    Ok(session.sql(sql).await.map_err(Box::new)?.collect().await.map_err(Box::new)?)
}

fn dead_letters(letters: &[DeadLetter], received_at: i64) -> Result<RecordBatch> {
    let text = |field: fn(&DeadLetter) -> &str| Arc::new(letters.iter().map(|l| Some(field(l))).collect::<StringArray>()) as ArrayRef;
    let columns = vec![
        text(|l| &l.message_id),
        Arc::new(TimestampMicrosecondArray::from(vec![received_at; letters.len()]).with_timezone("UTC")) as ArrayRef,
        text(|l| &l.source),
        text(|l| l.reason),
        text(|l| &l.detail),
        Arc::new(letters.iter().map(|l| l.payload.as_deref()).collect::<StringArray>()) as ArrayRef,
    ];
    RecordBatch::try_new(tables::dead_letters(), columns).map_err(|e| Error::Internal(format!("dead letters: {e}")))
}

fn run_row(summary: &Summary, started_at: DateTime<Utc>, finished_at: Option<DateTime<Utc>>) -> Result<RecordBatch> {
    let schema = tables::runs();
    let time = |t: Option<DateTime<Utc>>| {
        Arc::new(TimestampMicrosecondArray::from(vec![t.map(|t| t.timestamp_micros())]).with_timezone("UTC")) as ArrayRef
    };
    let text = |s: &str| Arc::new(StringArray::from(vec![s])) as ArrayRef;
    let number = |n: u64| Arc::new(arrow::array::Int64Array::from(vec![n as i64])) as ArrayRef;
    let files: Vec<(&str, String)> = LEXICON.iter().map(|f| (f.name, hex_digest(f.content.as_bytes()))).collect();
    let columns = vec![
        text(&summary.run_id),
        time(Some(started_at)),
        time(finished_at),
        text(env!("CARGO_PKG_VERSION")),
        text(&stages::digest()),
        versioned(schema.field(5).data_type(), &[])?,
        versioned(schema.field(6).data_type(), &files)?,
        number(summary.documents),
        number(summary.failures),
    ];
    RecordBatch::try_new(schema, columns).map_err(|e| Error::Internal(format!("runs: {e}")))
}

/// One list of {name, version, sha256}.
fn versioned(list: &DataType, files: &[(&str, String)]) -> Result<ArrayRef> {
    let DataType::List(item) = list else { return Err(Error::Internal("runs: not a list".to_owned())) };
    let DataType::Struct(fields) = item.data_type() else { return Err(Error::Internal("runs: not a struct".to_owned())) };
    let fields: Fields = fields.clone();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(files.iter().map(|(name, _)| Some(*name)).collect::<StringArray>()),
        Arc::new(files.iter().map(|_| Some(env!("CARGO_PKG_VERSION"))).collect::<StringArray>()),
        Arc::new(files.iter().map(|(_, hash)| Some(hash.as_str())).collect::<StringArray>()),
    ];
    let build = || -> std::result::Result<ArrayRef, arrow::error::ArrowError> {
        let items = StructArray::try_new(fields, columns, None)?;
        let offsets = arrow::buffer::OffsetBuffer::from_lengths([files.len()]);
        Ok(Arc::new(ListArray::try_new(item.clone(), offsets, Arc::new(items), None)?))
    };
    build().map_err(|e| Error::Internal(format!("runs: {e}")))
}

fn hex_digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}
