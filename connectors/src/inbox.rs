//! The inbox: what was received and is not in the tables yet, durable before it
//! is acknowledged.
//!
//! One file a source in the restricted zone, an embedded store ([`store`]), with
//! a small file beside it that says what was acknowledged ([`mark`]). One writes at
//! a time ([`writer`]): everything that waits to be appended is one transaction
//! and one fsync, and is answered afterwards. [`feed`] makes epochs of it.
//!
//! Sequences begin at 1 and are never given twice, not even after an erasure.

mod disk;
mod feed;
mod file;
mod mark;
mod record;
mod store;
mod writer;

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use crate::seal::Seal;
use crate::source::SourceError;
pub(crate) use feed::InboxSource;
use store::Core;
use writer::{Answer, Append, Job, Writer};

/// What is sealed, so that the one is not taken for the other.
const PAYLOAD: &[u8] = b"inbox payload";
const STATE: &[u8] = b"inbox state";

/// What a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One HL7 v2 message.
    Hl7v2,
    /// One FHIR resource or Bundle in JSON.
    Fhir,
    /// The beginning of something larger than is allowed: a dead letter.
    TooLarge,
    /// A row of `incoming_documents` in JSON that a stage could not process.
    Row,
}

/// Something received.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    pub kind: Kind,
    /// Where it came from ("connection 3 message 17"); never a word of it.
    pub place: String,
    /// Microseconds of UTC.
    pub received_at: i64,
    pub payload: Vec<u8>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("kind", &self.kind)
            .field("place", &self.place)
            .field("received_at", &self.received_at)
            .field("payload", &format_args!("{} bytes", self.payload.len()))
            .finish()
    }
}

/// A handle on the inbox of one source; clones share it. The file is closed when
/// the last one is dropped.
#[derive(Clone)]
pub struct Inbox {
    core: Arc<Core>,
    writer: Arc<Writer>,
    seal: Option<Arc<Seal>>,
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("path", &self.core.path()).field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

impl Inbox {
    /// Opens the inbox of a source in a folder, or makes it. Reads all of it once,
    /// so that damage is found now and not later.
    ///
    /// # Errors
    /// Another run has it open, the disk fails, or something that was acknowledged
    /// is not there any more; the message says what to do.
    pub fn open(folder: &Path, source: &str) -> Result<Inbox, SourceError> {
        Self::sealed(folder, source, None)
    }

    /// As [`Inbox::open`], of an encrypted zone: payloads and what a poller remembers
    /// are sealed on the disk, their places are not.
    ///
    /// # Errors
    /// As of [`Inbox::open`].
    pub fn sealed(folder: &Path, source: &str, seal: Option<Arc<Seal>>) -> Result<Inbox, SourceError> {
        let failed = |error: io::Error| SourceError::Inbox { place: folder.display().to_string(), message: error.to_string() };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        Self::with(Core::open(&path_of(folder, source), source)?, seal)
    }

    fn with(core: Core, seal: Option<Arc<Seal>>) -> Result<Inbox, SourceError> {
        let core = Arc::new(core);
        let writer = Writer::spawn(core.clone()).map_err(|error| core.failed(&error))?;
        Ok(Inbox { core, writer: Arc::new(writer), seal })
    }

    /// The sources that have an inbox in a folder.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn sources(folder: &Path) -> Result<Vec<String>, SourceError> {
        mark::sources(folder).map_err(|error| SourceError::Inbox { place: folder.display().to_string(), message: error.to_string() })
    }

    /// Appends messages and returns when they are durable. What is appended at the
    /// same time shares one fsync; messages of one call are kept together.
    ///
    /// # Errors
    /// The disk is full or fails: then nothing may be acknowledged. Worth another try.
    pub async fn append(&self, messages: Vec<Message>) -> Result<(), SourceError> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let messages = self.shut(messages)?;
        self.writer.append(Append { messages, state: None, answer: Answer::Task(answer, Handle::try_current().ok()) }).await;
        self.core.outcome(answered.await.ok())
    }

    /// Appends messages together with what a poller must remember of them, in one
    /// transaction. Blocks until both are durable.
    ///
    /// # Errors
    /// As of [`Inbox::append`].
    pub fn append_with_state(&self, messages: Vec<Message>, state: &[u8]) -> Result<(), SourceError> {
        let messages = self.shut(messages)?;
        let state = Some(self.seal(STATE, state.to_vec())?);
        self.blocking(|answer| Job::Append(Append { messages, state, answer }))
    }

    /// What [`Inbox::append_with_state`] kept last.
    ///
    /// # Errors
    /// The disk fails.
    pub fn state(&self) -> Result<Option<Vec<u8>>, SourceError> {
        self.core.state()?.map(|state| self.unseal(STATE, state)).transpose()
    }

    /// Messages after a sequence, in their order: at least one where there is one,
    /// then until a limit is reached.
    ///
    /// # Errors
    /// The disk fails.
    pub fn read(&self, after: u64, max_messages: usize, max_bytes: usize) -> Result<Vec<(u64, Message)>, SourceError> {
        self.opened(self.core.read(after, u64::MAX, max_messages, max_bytes)?)
    }

    /// Messages after a sequence, up to and with another.
    ///
    /// # Errors
    /// The disk fails.
    pub fn up_to(&self, after: u64, last: u64) -> Result<Vec<(u64, Message)>, SourceError> {
        self.opened(self.core.read(after, last, usize::MAX, usize::MAX)?)
    }

    /// Removes the messages up to and with a sequence. Blocks until that is
    /// durable; appends go on meanwhile.
    ///
    /// # Errors
    /// The disk fails. Calling it again later makes good for it.
    pub fn forget(&self, up_to: u64) -> Result<(), SourceError> {
        self.blocking(|answer| Job::Forget { up_to, answer })
    }

    /// Messages that are not forgotten yet.
    pub fn waiting(&self) -> u64 {
        self.core.waiting().0
    }

    /// Bytes of the payloads that are not forgotten yet.
    pub fn waiting_bytes(&self) -> u64 {
        self.core.waiting().1
    }

    /// Returns when fewer messages and bytes wait than these: for back-pressure.
    pub async fn room(&self, max_messages: u64, max_bytes: u64) {
        self.core.room(max_messages, max_bytes).await;
    }

    /// Copies what is to be kept into a new file that takes the place of the old
    /// one, so that nothing else of it is left, nor of what was forgotten. Counts
    /// the messages removed. Appends wait meanwhile.
    ///
    /// # Errors
    /// The disk fails or is full; the inbox is then as it was.
    pub fn rewrite(&self, keep: impl FnMut(&Message) -> bool) -> Result<u64, SourceError> {
        let Some(seal) = &self.seal else { return self.core.rewrite(keep) };
        let mut keep = keep;
        // What cannot be opened is nobody's to remove.
        self.core
            .rewrite(|message| seal.open(PAYLOAD, &message.payload).map_or(true, |payload| keep(&Message { payload, ..message.clone() })))
    }

    fn seal(&self, place: &[u8], bytes: Vec<u8>) -> Result<Vec<u8>, SourceError> {
        match &self.seal {
            Some(seal) => seal.seal(place, &bytes).map_err(|error| self.core.failed(&error)),
            None => Ok(bytes),
        }
    }

    fn unseal(&self, place: &[u8], bytes: Vec<u8>) -> Result<Vec<u8>, SourceError> {
        match &self.seal {
            Some(seal) => seal.open(place, &bytes).map_err(|error| self.core.failed(&error)),
            None => Ok(bytes),
        }
    }

    fn shut(&self, messages: Vec<Message>) -> Result<Vec<Message>, SourceError> {
        messages.into_iter().map(|message| Ok(Message { payload: self.seal(PAYLOAD, message.payload)?, ..message })).collect()
    }

    fn opened(&self, messages: Vec<(u64, Message)>) -> Result<Vec<(u64, Message)>, SourceError> {
        let open =
            |(sequence, message): (u64, Message)| Ok((sequence, Message { payload: self.unseal(PAYLOAD, message.payload)?, ..message }));
        messages.into_iter().map(open).collect()
    }

    /// Tells this inbox from one made anew at the same place.
    pub(crate) fn id(&self) -> u64 {
        self.core.id()
    }

    /// The last sequence that was ever forgotten.
    pub(crate) fn forgotten(&self) -> Result<u64, SourceError> {
        self.core.forgotten()
    }

    pub(crate) fn place(&self) -> String {
        self.core.path().display().to_string()
    }

    fn blocking(&self, job: impl FnOnce(Answer) -> Job) -> Result<(), SourceError> {
        let (answer, answered) = mpsc::sync_channel(1);
        self.writer.send(job(Answer::Thread(answer)));
        self.core.outcome(answered.recv().ok())
    }
}

/// The file of a source's inbox. The name of a source may hold anything; a digest is a file name.
fn path_of(folder: &Path, source: &str) -> PathBuf {
    let digest = Sha256::digest(source).iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
    folder.join(format!("{digest}.inbox"))
}

/// A lock of ours, whatever another thread did while it held it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
