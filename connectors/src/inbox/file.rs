//! The file of a store: made, opened and verified, copied.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use redb::{Database, ReadableDatabase};
use sha2::{Digest, Sha256};

use super::Message;
use super::disk::{Disk, Health};
use super::mark;
use super::record::records;
use super::store::{BUNDLES, FORGOTTEN, Failure, ID, NUMBERS, SERIAL, STATE, foreign};

/// Of pages, in memory.
const CACHE: usize = 32 << 20;
/// What a rewrite copies in one transaction.
const COPIED_AT_ONCE: usize = 8 << 20;

/// What a store holds, found by reading all of it.
#[derive(Default)]
pub(super) struct Contents {
    pub id: u64,
    pub serial: u64,
    pub messages: u64,
    /// Of payload.
    pub bytes: u64,
}

/// Sees to it that there is a store at that path: an unfinished copy goes, and
/// one that was never there is made under another name first, so that a crash
/// never leaves half of it.
pub(super) fn prepare(path: &Path, used: bool) -> Result<(), Failure> {
    let fresh = path.with_extension("new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    if path.try_exists()? {
        return Ok(());
    }
    if used {
        return Err(Failure(format!(
            "it is gone, but messages in it were acknowledged; put it back, or remove {} to begin with an empty one and ask the senders to \
             send again what was not yet in the tables",
            path.with_extension(mark::EXTENSION).display()
        )));
    }
    let database = create(&fresh)?;
    begin(&database, new_id(path))?;
    drop(database);
    replace(&fresh, path)
}

fn create(path: &Path) -> Result<Database, redb::Error> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    let disk = Disk::new(file, Arc::default());
    Ok(Database::builder().set_cache_size(CACHE).create_with_backend(disk)?)
}

fn begin(database: &Database, id: u64) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(BUNDLES)?;
    transaction.open_table(STATE)?;
    transaction.open_table(NUMBERS)?.insert(ID, id)?;
    Ok(transaction.commit()?)
}

/// Puts a finished file in the place of another, durably.
fn replace(fresh: &Path, path: &Path) -> Result<(), Failure> {
    File::open(fresh)?.sync_all()?;
    fs::rename(fresh, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// A number that an inbox made here at another time does not have.
fn new_id(path: &Path) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let digest = Sha256::digest(format!("{} {} {}", path.display(), now.as_nanos(), std::process::id()));
    u64::from_le_bytes(std::array::from_fn(|i| digest[i]))
}

/// Opens a store and reads all of it. Its own repair verifies every page, and
/// asserts where a file is not what it expects; that is damage too.
pub(super) fn open(path: &Path, health: &Arc<Health>) -> Result<(Database, Contents), Failure> {
    let outcome = catch_unwind(AssertUnwindSafe(|| verified(path, health)));
    let damage = match outcome {
        Ok(Ok(opened)) => return Ok(opened),
        Ok(Err(redb::Error::Corrupted(_))) | Err(_) => "pages of it are not what they were",
        Ok(Err(redb::Error::Io(error))) if error.kind() == io::ErrorKind::UnexpectedEof => "its end is missing",
        Ok(Err(redb::Error::Io(error))) if error.kind() == io::ErrorKind::InvalidData => "its beginning is not what it was",
        Ok(Err(error)) => return Err(error.into()),
    };
    Err(Failure(format!(
        "it is damaged, {damage}; restore it from a backup, or move it and {} away to begin with an empty one and ask the senders to send \
         again what was not yet in the tables",
        path.with_extension(mark::EXTENSION).display()
    )))
}

fn verified(path: &Path, health: &Arc<Health>) -> Result<(Database, Contents), redb::Error> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    if file.metadata()?.len() == 0 {
        // An empty file would be taken for one to begin with.
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    let repaired = Arc::new(AtomicBool::new(false));
    let seen = repaired.clone();
    let mut database = Database::builder()
        .set_cache_size(CACHE)
        .set_repair_callback(move |_| seen.store(true, Ordering::Relaxed))
        .create_with_backend(Disk::new(file, health.clone()))?;
    if !repaired.load(Ordering::Relaxed) && !database.check_integrity()? {
        tracing::warn!(inbox = %path.display(), "inbox repaired");
    }
    let contents = contents(&database)?;
    Ok((database, contents))
}

fn contents(database: &Database) -> Result<Contents, redb::Error> {
    let transaction = database.begin_read()?;
    let numbers = transaction.open_table(NUMBERS)?;
    let number = |key| Ok::<_, redb::Error>(numbers.get(key)?.map_or(0, |number| number.value()));
    let mut contents = Contents { id: number(ID)?, serial: number(SERIAL)?, ..Default::default() };
    let forgotten = number(FORGOTTEN)?;
    for entry in transaction.open_table(BUNDLES)?.range::<u64>(..)? {
        for record in records(entry?.1.value()) {
            let record = record.ok_or_else(foreign)?;
            if record.sequence > forgotten {
                contents.messages += 1;
                contents.bytes += record.payload.len() as u64;
            }
        }
    }
    Ok(contents)
}

/// Copies what is kept into a new store and puts it in the place of the old one.
pub(super) fn copy(from: &Database, path: &Path, keep: &mut dyn FnMut(&Message) -> bool) -> Result<u64, Failure> {
    let fresh = path.with_extension("new");
    let outcome = copy_into(from, &fresh, keep).map_err(Failure::from).and_then(|removed| replace(&fresh, path).map(|()| removed));
    if outcome.is_err() {
        // Gone where it has already taken the place of the other.
        let _ = fs::remove_file(&fresh);
    }
    outcome
}

fn copy_into(from: &Database, fresh: &Path, keep: &mut dyn FnMut(&Message) -> bool) -> Result<u64, redb::Error> {
    match fs::remove_file(fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let reading = from.begin_read()?;
    let to = create(fresh)?;
    let writing = to.begin_write()?;
    {
        let mut numbers = writing.open_table(NUMBERS)?;
        for entry in reading.open_table(NUMBERS)?.range::<&str>(..)? {
            let (key, number) = entry?;
            numbers.insert(key.value(), number.value())?;
        }
        let mut state = writing.open_table(STATE)?;
        for entry in reading.open_table(STATE)?.range::<&str>(..)? {
            let (key, value) = entry?;
            state.insert(key.value(), value.value())?;
        }
        writing.open_table(BUNDLES)?;
    }
    writing.commit()?;
    let mut removed = 0;
    let forgotten = reading.open_table(NUMBERS)?.get(FORGOTTEN)?.map_or(0, |number| number.value());
    let bundles = reading.open_table(BUNDLES)?;
    let mut entries = bundles.range::<u64>(..)?.peekable();
    while entries.peek().is_some() {
        let writing = to.begin_write()?;
        {
            let mut copied = writing.open_table(BUNDLES)?;
            let mut bytes = 0;
            while bytes < COPIED_AT_ONCE
                && let Some(entry) = entries.next()
            {
                let (key, bundle) = entry?;
                bytes += bundle.value().len();
                let mut kept = Vec::new();
                for record in records(bundle.value()) {
                    let record = record.ok_or_else(foreign)?;
                    if record.sequence <= forgotten {
                        continue;
                    }
                    if keep(&record.message()) {
                        kept.extend_from_slice(record.bytes);
                    } else {
                        removed += 1;
                    }
                }
                if !kept.is_empty() {
                    copied.insert(key.value(), kept.as_slice())?;
                }
            }
        }
        writing.commit()?;
    }
    Ok(removed)
}
