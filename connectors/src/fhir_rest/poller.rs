//! Asks a server again and again.

use std::path::Path;
use std::sync::Arc;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::Remote;
use super::client::{Failure, Request, backoff};
use super::known::Known;
use super::settings::{Mode, Type};
use super::state::State;
use crate::inbox::{Inbox, InboxSource, Message};
use crate::source::{Epoch, Position, Source, SourceError, Until};

/// Bytes that may wait in the inbox before nothing more is asked for.
const MAX_WAITING_BYTES: u64 = 2 << 30;

/// How long a reader waits before it looks for what the poller has.
const MOMENT: Duration = Duration::from_millis(50);

/// One server, and how far it has been read.
pub(crate) struct Poller {
    pub remote: Arc<Remote>,
    pub inbox: Inbox,
    pub state: State,
    /// Whether deletions are found by sweeps; `None`: to be found out.
    pub sweeps: Option<bool>,
    pub known: Option<Known>,
    /// What the server was seen to sort.
    pub sorting: Vec<Type>,
    pub spool: std::path::PathBuf,
    /// Whether exports and sweeps are due at once, whatever the clock says.
    pub hurry: bool,
    /// Whether this run has made an export.
    pub exported: bool,
    /// Whether the state in memory may not be what the inbox has.
    doubtful: bool,
}

/// What the reader must know of the poller.
#[derive(Default)]
pub(crate) struct Progress {
    outcome: Mutex<Option<Result<(), SourceError>>>,
    changed: Condvar,
}

impl Progress {
    fn lock(&self) -> MutexGuard<'_, Option<Result<(), SourceError>>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, outcome: Result<(), SourceError>) {
        *self.lock() = Some(outcome);
        self.changed.notify_all();
    }

    /// Waits a moment for the end; whether it has come.
    fn ended(&self) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), MOMENT, |outcome| outcome.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_some()
    }

    /// How it ended; an error is told once.
    fn outcome(&self) -> Result<(), SourceError> {
        self.lock().replace(Ok(())).unwrap_or(Ok(()))
    }

    /// The next epoch of the inbox that a poller fills which looks once. Waits for
    /// it; `None` when the poller has come to its end and all it has is read.
    pub fn read(&self, inbox: &mut InboxSource, from: &Position, until: Until<'_>) -> Result<Option<Epoch>, SourceError> {
        loop {
            // Asked before looking, so that nothing comes in between.
            let ended = self.ended();
            let epoch = inbox.read(from, until)?;
            if epoch.is_none() && ended {
                self.outcome()?;
            }
            if epoch.is_some() || ended {
                return Ok(epoch);
            }
        }
    }
}

impl Poller {
    pub fn open(remote: Arc<Remote>, inbox: Inbox, spool: &Path) -> Result<Self, SourceError> {
        let mut poller = Poller {
            remote,
            inbox,
            state: State::default(),
            sweeps: None,
            known: None,
            sorting: Vec::new(),
            spool: spool.to_owned(),
            hurry: false,
            exported: false,
            doubtful: true,
        };
        poller.reload()?;
        Ok(poller)
    }

    fn reload(&mut self) -> Result<(), SourceError> {
        let kept = self.inbox.state()?;
        self.state = kept.as_deref().map(|bytes| State::decode(bytes).unwrap_or_default()).unwrap_or_default();
        self.doubtful = false;
        Ok(())
    }

    /// Asks until told to stop; at once whenever woken.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>, wake: Arc<Notify>) {
        let mut failures = 0;
        loop {
            let outcome = tokio::select! {
                _ = stop.changed() => return,
                outcome = self.round() => outcome,
            };
            let pause = match outcome {
                Ok(()) => {
                    if failures > 0 {
                        tracing::info!(source = self.remote.client.source, "the server answers again");
                    }
                    failures = 0;
                    self.remote.settings.poll()
                }
                Err(failure) => {
                    failures += 1;
                    self.tell(&failure);
                    // What the server refuses it will refuse again in a moment.
                    let least = if matches!(failure, Failure::Unavailable(_)) { Duration::ZERO } else { self.remote.settings.poll() };
                    least.max(Duration::from_millis(100)) + backoff(&self.remote.settings).pause(failures)
                }
            };
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(pause) => {}
                // A server that fails is not asked more often for it.
                () = wake.notified(), if failures == 0 => {}
            }
        }
    }

    /// Asks until everything there is has been read once.
    pub async fn once(mut self, mut stop: watch::Receiver<bool>, progress: Arc<Progress>) {
        self.hurry = true;
        let mut attempt = 0;
        let outcome = loop {
            let outcome = tokio::select! {
                _ = stop.changed() => return,
                outcome = self.round() => outcome,
            };
            match outcome {
                Ok(()) => break Ok(()),
                Err(failure) => {
                    attempt += 1;
                    self.tell(&failure);
                    // An outage in the middle is waited for; a server that never answered is not.
                    let hope = matches!(failure, Failure::Unavailable(_) | Failure::Inbox(_)) && self.remote.client.reached();
                    if !hope || attempt >= self.remote.settings.max_attempts {
                        break Err(self.error(failure));
                    }
                }
            }
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(backoff(&self.remote.settings).pause(attempt)) => {}
            }
        };
        progress.end(outcome);
    }

    fn tell(&self, failure: &Failure) {
        let source = &self.remote.client.source;
        metrics::counter!("sillage_fhir_failures_total", "source" => source.clone(), "reason" => failure.kind()).increment(1);
        tracing::warn!(source, reason = %failure, "the FHIR server was not read to the end; trying again");
    }

    fn error(&self, failure: Failure) -> SourceError {
        match failure {
            Failure::Inbox(error) => error,
            failure => {
                let reached = self.remote.client.reached();
                let remedy = if reached {
                    ""
                } else {
                    "; check the address, that the server runs, and what is between it and us (firewall, proxy, certificates)"
                };
                SourceError::Remote { place: self.remote.client.address.shown().to_owned(), message: format!("{failure}{remedy}") }
            }
        }
    }

    /// One look at everything.
    async fn round(&mut self) -> Result<(), Failure> {
        if self.doubtful {
            self.reload()?;
        }
        let outcome = self.look().await;
        let up = if outcome.is_ok() { 1.0 } else { 0.0 };
        metrics::gauge!("sillage_fhir_up", "source" => self.remote.client.source.clone()).set(up);
        self.doubtful = matches!(outcome, Err(Failure::Inbox(_)));
        outcome
    }

    async fn look(&mut self) -> Result<(), Failure> {
        let settings = self.remote.settings.clone();
        if self.state.histories.is_empty() {
            self.begin().await?;
        }
        // Before anything is read: a sweep must know what has been delivered.
        self.how_deletions_are_found().await?;
        match settings.mode {
            Mode::Search => {
                // Patients first, so that a document finds them in the cache.
                let mut kinds = settings.resources.clone();
                kinds.sort_unstable();
                for kind in kinds {
                    self.search(kind).await?;
                }
            }
            Mode::Export => self.export().await?,
        }
        self.catch_up().await?;
        self.deletions().await?;
        Ok(())
    }

    /// The first contact: whether it is a server to speak to, and what its clock says.
    async fn begin(&mut self) -> Result<(), Failure> {
        let url = self.remote.client.address.query(&["DocumentReference"], [("_count", "1"), ("_elements", "id")]);
        let what = "a search of DocumentReference";
        let reply = match self.remote.client.fetch(&Request::get(what, url), self.remote.settings.max_bytes).await {
            // One document is more than may be read at once: that is for later.
            Err(Failure::TooLarge { .. }) => return Ok(()),
            reply => reply?,
        };
        if !matches!(reply.status, 200) {
            return Err(Failure::Refused { what, status: reply.status });
        }
        if let Some(time) = reply.server_time() {
            self.begin_histories(time);
        }
        Ok(())
    }

    /// Messages and state, in one transaction.
    pub fn commit(&mut self, messages: Vec<Message>) -> Result<(), Failure> {
        let count = messages.len() as u64;
        self.inbox.append_with_state(messages, &self.state.encode())?;
        if count > 0 {
            metrics::counter!("sillage_messages_received_total", "source" => self.remote.client.source.clone()).increment(count);
        }
        metrics::gauge!("sillage_inbox_waiting", "source" => self.remote.client.source.clone()).set(self.inbox.waiting() as f64);
        Ok(())
    }

    /// Waits until the inbox has room.
    pub async fn room(&self) {
        self.inbox.room(self.remote.settings.max_waiting, MAX_WAITING_BYTES).await;
    }

    pub fn overlap(&self) -> i64 {
        i64::try_from(self.remote.settings.overlap_seconds).unwrap_or(i64::MAX / 4_000_000) * 1_000_000
    }

    pub fn begin_sweeps(&mut self, sweeps: bool) -> Result<(), SourceError> {
        self.sweeps = Some(sweeps);
        if sweeps && self.known.is_none() {
            self.known = Some(Known::open(&self.spool, &self.remote.client.source)?);
        }
        Ok(())
    }

    /// Remembers which documents are delivered, where that is needed.
    pub fn know<'i>(&self, ids: impl Iterator<Item = &'i str>) -> Result<(), SourceError> {
        match &self.known {
            Some(known) => known.add(ids),
            None => Ok(()),
        }
    }
}
