//! The store of an inbox: messages by their sequence, and what must survive with them.

use std::fs::{self, TryLockError};
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition};
use tokio::sync::Notify;

use super::disk::Health;
use super::file::{copy, open, prepare};
use super::mark::{self, Acknowledged, Mark};
use super::record::{add, has_room, records};
use super::{Message, lock};
use crate::source::SourceError;

/// Messages, by a sequence that none of the bundle is above.
pub(super) const BUNDLES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("bundles");
pub(super) const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
pub(super) const STATE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("state");

/// Keys of [`NUMBERS`].
pub(super) const ID: &str = "id";
const LAST: &str = "last";
pub(super) const FORGOTTEN: &str = "forgotten";
pub(super) const SERIAL: &str = "serial";
/// Key of [`STATE`].
const REMEMBERED: &str = "remembered";

/// Between two tries to open the store again after the disk failed.
const RETRY: Duration = Duration::from_millis(if cfg!(test) { 10 } else { 250 });
/// A file smaller than that is never made smaller.
const WORTH_COMPACTING: u64 = if cfg!(test) { 4 << 20 } else { 64 << 20 };

/// Why the store could not be used; words of ours and of the system, never of a message.
#[derive(Debug, Clone)]
pub(super) struct Failure(pub String);

impl From<redb::Error> for Failure {
    fn from(error: redb::Error) -> Self {
        Failure(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure(error.to_string())
    }
}

/// What the handles and the writer share.
pub(super) struct Core {
    path: PathBuf,
    mark: Mark,
    /// Messages that wait, for who watches.
    gauge: metrics::Gauge,
    id: u64,
    /// `None` while the disk fails. Written to exchange the file, read to use it.
    database: RwLock<Option<Database>>,
    pub(super) health: Arc<Health>,
    /// Of the last transaction acknowledged.
    serial: AtomicU64,
    /// When the store may be tried again.
    retry: Mutex<Instant>,
    messages: AtomicU64,
    bytes: AtomicU64,
    fewer: Notify,
}

impl Core {
    pub fn open(path: &Path, source: &str) -> Result<Core, SourceError> {
        let place = path.display().to_string();
        let failed = |message: String| SourceError::Inbox { place: place.clone(), message };
        let (mark, acknowledged) = Mark::open(&path.with_extension(mark::EXTENSION), source).map_err(|error| match error {
            TryLockError::WouldBlock => failed("another run has it open; end that one first".to_owned()),
            TryLockError::Error(error) => failed(error.to_string()),
        })?;
        let health = Arc::<Health>::default();
        let opened = prepare(path, acknowledged.is_some_and(|a| a.serial > 0)).and_then(|()| open(path, &health));
        let (database, contents) = opened.map_err(|Failure(message)| failed(message))?;
        if let Some(acknowledged) = acknowledged
            && acknowledged.id == contents.id
            && acknowledged.serial > contents.serial
        {
            return Err(failed(lost(acknowledged.serial - contents.serial, path).0));
        }
        if acknowledged.is_some_and(|a| a.id != contents.id) {
            return Err(failed(format!(
                "it is not the one that was used here last; put that one back, or remove {}",
                path.with_extension(mark::EXTENSION).display()
            )));
        }
        let gauge = metrics::gauge!("sillage_inbox_waiting", "source" => source.to_owned());
        gauge.set(contents.messages as f64);
        Ok(Core {
            path: path.to_owned(),
            mark,
            gauge,
            id: contents.id,
            database: RwLock::new(Some(database)),
            health,
            serial: AtomicU64::new(contents.serial),
            retry: Mutex::new(Instant::now()),
            messages: AtomicU64::new(contents.messages),
            bytes: AtomicU64::new(contents.bytes),
            fewer: Notify::new(),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn id(&self) -> u64 {
        self.id
    }

    pub fn failed(&self, error: &dyn std::fmt::Display) -> SourceError {
        SourceError::Inbox { place: self.path.display().to_string(), message: error.to_string() }
    }

    /// The answer of the writer, `None` where it has ended.
    pub fn outcome(&self, answer: Option<Result<(), Failure>>) -> Result<(), SourceError> {
        match answer {
            Some(outcome) => outcome.map_err(|failure| self.failed(&failure.0)),
            None => Err(self.failed(&"its writer has ended")),
        }
    }

    pub fn waiting(&self) -> (u64, u64) {
        (self.messages.load(Ordering::Acquire), self.bytes.load(Ordering::Acquire))
    }

    pub async fn room(&self, max_messages: u64, max_bytes: u64) {
        loop {
            let mut fewer = std::pin::pin!(self.fewer.notified());
            fewer.as_mut().enable();
            let (messages, bytes) = self.waiting();
            if messages < max_messages && bytes < max_bytes {
                return;
            }
            fewer.await;
        }
    }

    pub fn state(&self) -> Result<Option<Vec<u8>>, SourceError> {
        self.reading(|database| {
            let table = database.begin_read()?.open_table(STATE)?;
            Ok(table.get(REMEMBERED)?.map(|state| state.value().to_vec()))
        })
    }

    pub fn forgotten(&self) -> Result<u64, SourceError> {
        self.number(FORGOTTEN)
    }

    #[cfg(test)]
    pub fn serial(&self) -> Result<u64, SourceError> {
        self.number(SERIAL)
    }

    fn number(&self, key: &str) -> Result<u64, SourceError> {
        self.reading(|database| {
            let table = database.begin_read()?.open_table(NUMBERS)?;
            Ok(table.get(key)?.map_or(0, |number| number.value()))
        })
    }

    pub fn read(&self, after: u64, last: u64, max_messages: usize, max_bytes: usize) -> Result<Vec<(u64, Message)>, SourceError> {
        if after >= last {
            return Ok(Vec::new());
        }
        self.reading(|database| {
            let transaction = database.begin_read()?;
            let after = transaction.open_table(NUMBERS)?.get(FORGOTTEN)?.map_or(after, |forgotten| after.max(forgotten.value()));
            let mut messages = Vec::new();
            let mut bytes = 0usize;
            for entry in transaction.open_table(BUNDLES)?.range((Bound::Excluded(after), Bound::Unbounded))? {
                for record in records(entry?.1.value()) {
                    let record = record.ok_or_else(foreign)?;
                    if record.sequence > last {
                        return Ok(messages);
                    }
                    if record.sequence > after {
                        bytes = bytes.saturating_add(record.payload.len());
                        messages.push((record.sequence, record.message()));
                    }
                    if messages.len() >= max_messages.max(1) || bytes >= max_bytes && !messages.is_empty() {
                        return Ok(messages);
                    }
                }
            }
            Ok(messages)
        })
    }

    fn reading<T>(&self, read: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, SourceError> {
        let outcome = self.usable().and_then(|guard| match guard.as_ref() {
            Some(database) => Ok(read(database)?),
            None => Err(unusable()),
        });
        outcome.map_err(|failure| self.failed(&failure.0))
    }

    /// The store, opened again where the disk has failed.
    fn usable(&self) -> Result<RwLockReadGuard<'_, Option<Database>>, Failure> {
        let guard = self.database.read().unwrap_or_else(PoisonError::into_inner);
        if guard.is_some() {
            return Ok(guard);
        }
        drop(guard);
        self.reopen()?;
        Ok(self.database.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it can be written now, without waiting for anything else that is done to it.
    pub fn is_usable(&self) -> bool {
        self.database.try_read().is_ok_and(|database| database.is_some())
    }

    fn reopen(&self) -> Result<(), Failure> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if database.is_some() {
            return Ok(());
        }
        let mut retry = lock(&self.retry);
        if Instant::now() < *retry {
            return Err(unusable());
        }
        let begun = Instant::now();
        let opened = open(&self.path, &self.health);
        // All of it was read; that must not become all that is done.
        *retry = Instant::now() + RETRY.max(4 * begun.elapsed());
        let (mut opened, mut contents) = opened?;
        if self.health.doubtful.load(Ordering::Acquire) {
            copy(&opened, &self.path, &mut |_| true)?;
            drop(opened);
            self.health.doubtful.store(false, Ordering::Release);
            (opened, contents) = open(&self.path, &self.health)?;
        }
        let acknowledged = self.serial.load(Ordering::Acquire);
        if acknowledged > contents.serial {
            return Err(lost(acknowledged - contents.serial, &self.path));
        }
        self.messages.store(contents.messages, Ordering::Release);
        self.bytes.store(contents.bytes, Ordering::Release);
        self.gauge.set(contents.messages as f64);
        *database = Some(opened);
        tracing::info!(inbox = %self.path.display(), waiting = contents.messages, "inbox opened again");
        Ok(())
    }

    /// One transaction: appends, remembers, forgets; then the mark. `true` where
    /// there is more to forget.
    pub fn commit(&self, change: &Change<'_>) -> Result<bool, Failure> {
        let guard = self.usable()?;
        let Some(database) = guard.as_ref() else { return Err(unusable()) };
        // The store asserts what a damaged page breaks.
        let outcome = catch_unwind(AssertUnwindSafe(|| transact(database, change)));
        let outcome = outcome.unwrap_or_else(|_| Err(redb::Error::Corrupted("a page is not what it was".to_owned())));
        match outcome {
            Ok(done) => {
                if let Some(serial) = done.serial {
                    self.serial.store(serial, Ordering::Release);
                    // A mark that cannot be written is an older one, which is still true.
                    let _ = self.mark.write(Acknowledged { id: self.id, serial });
                }
                self.messages.fetch_add(done.appended.0, Ordering::AcqRel);
                self.bytes.fetch_add(done.appended.1, Ordering::AcqRel);
                if done.removed.0 > 0 {
                    self.messages.fetch_sub(done.removed.0, Ordering::AcqRel);
                    self.bytes.fetch_sub(done.removed.1, Ordering::AcqRel);
                    self.fewer.notify_waiters();
                }
                self.gauge.set(self.waiting().0 as f64);
                Ok(done.more)
            }
            Err(error) => {
                let failure = Failure::from(error);
                drop(guard);
                // The store refuses everything after an error of the disk, until it is opened again.
                *self.database.write().unwrap_or_else(PoisonError::into_inner) = None;
                tracing::error!(inbox = %self.path.display(), error = failure.0, "inbox cannot be written");
                Err(failure)
            }
        }
    }

    pub fn rewrite(&self, mut keep: impl FnMut(&Message) -> bool) -> Result<u64, SourceError> {
        drop(self.usable().map_err(|failure| self.failed(&failure.0))?);
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        let outcome = match database.as_ref() {
            Some(database) => copy(database, &self.path, &mut keep),
            None => Err(unusable()),
        };
        // Whatever came of it: nothing may be written to a file that may have lost its name.
        *database = None;
        *lock(&self.retry) = Instant::now();
        drop(database);
        drop(self.usable().map_err(|failure| self.failed(&failure.0))?);
        self.fewer.notify_waiters();
        outcome.map_err(|failure| self.failed(&failure.0))
    }

    /// Makes the file smaller where almost nothing of it is used.
    pub fn compact(&self) -> Result<(), Failure> {
        let length = fs::metadata(&self.path).map_or(0, |file| file.len());
        if length < WORTH_COMPACTING || self.waiting().1 > length / 16 {
            return Ok(());
        }
        let mut guard = self.database.write().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = guard.as_mut() else { return Ok(()) };
        if let Err(error) = database.compact() {
            *guard = None;
            return Err(redb::Error::from(error).into());
        }
        Ok(())
    }
}

pub(super) fn foreign() -> redb::Error {
    redb::Error::Corrupted("a record is not one of ours".to_owned())
}

fn lost(transactions: u64, path: &Path) -> Failure {
    Failure(format!(
        "{transactions} transactions that were acknowledged are not in it any more, it has been damaged; restore it from a backup, or \
         remove {} to go on without them and ask the senders to send again what they sent since",
        path.with_extension(mark::EXTENSION).display()
    ))
}

fn unusable() -> Failure {
    Failure("the disk failed a moment ago and is not usable yet".to_owned())
}

/// What one transaction does.
#[derive(Default)]
pub(super) struct Change<'a> {
    pub messages: Vec<&'a Message>,
    pub state: Option<&'a [u8]>,
    pub forget: Option<u64>,
    /// About how many messages are forgotten at once.
    pub at_once: u64,
}

/// What one transaction did; messages and bytes of payload.
#[derive(Default)]
struct Done {
    serial: Option<u64>,
    appended: (u64, u64),
    removed: (u64, u64),
    more: bool,
    forgotten: bool,
}

fn transact(database: &Database, change: &Change<'_>) -> Result<Done, redb::Error> {
    let mut done = Done::default();
    let transaction = database.begin_write()?;
    {
        let mut numbers = transaction.open_table(NUMBERS)?;
        let mut bundles = transaction.open_table(BUNDLES)?;
        let mut last = numbers.get(LAST)?.map_or(0, |number| number.value());
        if !change.messages.is_empty() || change.state.is_some() {
            let mut bundle = Vec::new();
            for message in &change.messages {
                if !has_room(&bundle, message) {
                    bundles.insert(last, bundle.as_slice())?;
                    bundle.clear();
                }
                last += 1;
                add(&mut bundle, last, message);
                done.appended = (done.appended.0 + 1, done.appended.1 + message.payload.len() as u64);
            }
            if !bundle.is_empty() {
                bundles.insert(last, bundle.as_slice())?;
            }
            let serial = numbers.get(SERIAL)?.map_or(0, |number| number.value()) + 1;
            numbers.insert(LAST, last)?;
            numbers.insert(SERIAL, serial)?;
            done.serial = Some(serial);
            if let Some(state) = change.state {
                transaction.open_table(STATE)?.insert(REMEMBERED, state)?;
            }
        }
        // What has not come yet is not forgotten.
        if let Some(up_to) = change.forget.map(|up_to| up_to.min(last)) {
            let before = numbers.get(FORGOTTEN)?.map_or(0, |number| number.value());
            let forgotten = forget(&mut bundles, before, up_to, change.at_once, &mut done)?;
            if forgotten > before {
                numbers.insert(FORGOTTEN, forgotten)?;
                done.forgotten = true;
            }
        }
    }
    if done.serial.is_some() || done.forgotten {
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(done)
}

/// Removes the bundles of which everything is forgotten; of the next one only
/// the number says how much. Gives that number back.
fn forget(bundles: &mut Table<'_, u64, &'static [u8]>, before: u64, up_to: u64, at_once: u64, done: &mut Done) -> Result<u64, redb::Error> {
    let mut forgotten = before;
    let mut removing = bundles.extract_from_if(..=up_to, |_, _| true)?;
    while done.removed.0 < at_once {
        let Some(entry) = removing.next() else { break };
        let (key, bundle) = entry?;
        forgotten = forgotten.max(key.value());
        done.forget(bundle.value(), before, up_to)?;
    }
    drop(removing);
    let Some(entry) = bundles.first()? else { return Ok(forgotten.max(up_to)) };
    let (key, bundle) = entry;
    done.more = key.value() <= up_to;
    if done.more {
        return Ok(forgotten);
    }
    done.forget(bundle.value(), before, up_to)?;
    Ok(forgotten.max(up_to))
}

impl Done {
    /// Counts what is forgotten of a bundle and was not before.
    fn forget(&mut self, bundle: &[u8], before: u64, up_to: u64) -> Result<(), redb::Error> {
        for record in records(bundle) {
            let record = record.ok_or_else(foreign)?;
            if record.sequence > before && record.sequence <= up_to {
                self.removed = (self.removed.0 + 1, self.removed.1 + record.payload.len() as u64);
            }
        }
        Ok(())
    }
}
