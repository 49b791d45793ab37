//! The journal of a source: which epoch is under way, where the last one ended.
//!
//! An epoch is written down, with its exact end, before any table is touched. After
//! a crash the same epoch is read again, to the same end, under the same run; a
//! table that has it already skips it.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sillage_connectors::Position;

use crate::error::{Error, Result};
use crate::runner::Again;

/// An epoch and where it ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    pub epoch: i64,
    /// Where the source stands after this epoch.
    pub position: Position,
    /// Run that first started this epoch: its rows carry this id.
    pub run_id: String,
    /// Time that the rows of this epoch carry, microseconds UTC.
    pub ingested_at: i64,
    /// What it takes along beyond what the source brings.
    #[serde(default)]
    pub again: Again,
}

/// What the journal says at the start of a run.
#[derive(Debug, Default)]
pub struct State {
    /// Last epoch that all tables have.
    pub committed: Option<Entry>,
    /// Epoch that was started and may be in some tables only.
    pub started: Option<Entry>,
}

/// Journal of one source in one output folder.
pub struct Journal {
    started: PathBuf,
    committed: PathBuf,
}

impl Journal {
    /// Opens the journal of `source` below `folder`; its place is found by the source's name.
    pub fn open(folder: &Path, source: &str) -> Result<(Journal, State)> {
        let folder = folder.join(folder_name(source));
        std::fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        let journal = Journal { started: folder.join("started.json"), committed: folder.join("committed.json") };
        let committed = read(&journal.committed)?;
        let last = committed.as_ref().map_or(-1, |e: &Entry| e.epoch);
        let started = read(&journal.started)?.filter(|e| e.epoch > last);
        Ok((journal, State { committed, started }))
    }

    /// Writes down an epoch before its first commit.
    pub fn start(&self, entry: &Entry) -> Result<()> {
        write(&self.started, entry)
    }

    /// Writes down that every table has the epoch.
    pub fn commit(&self, entry: &Entry) -> Result<()> {
        write(&self.committed, entry)
    }
}

/// Takes these pseudonyms out of every journal below a folder.
pub fn forget(folder: &Path, pseudonyms: &HashSet<String>) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry.map_err(Error::io(folder))?.path();
        if path.is_dir() {
            forget(&path, pseudonyms)?;
        } else if path.extension().is_some_and(|extension| extension == "json")
            && let Some(mut entry) = read(&path)?
        {
            let before = entry.again.clone();
            entry.again.documents.retain(|document| !pseudonyms.contains(document));
            entry.again.encounters.retain(|encounter| !pseudonyms.contains(encounter));
            entry.again.patients.retain(|patient| !pseudonyms.contains(patient));
            if entry.again != before {
                write(&path, &entry)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "tmp") {
            // A crash has left it, half of an entry.
            std::fs::remove_file(&path).map_err(Error::io(&path))?;
        }
    }
    Ok(())
}

/// A source's name holds slashes; its folder is named by a digest.
fn folder_name(source: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(source).iter().take(8).map(|b| format!("{b:02x}")).collect()
}

fn read(path: &Path) -> Result<Option<Entry>> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| Error::Journal {
            path: path.to_owned(),
            message: format!("cannot be read ({e}); restore it from a backup, or run into a new output folder"),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Io { path: path.to_owned(), source }),
    }
}

/// Whole or not at all: a file beside, fsync, rename, fsync of the folder.
fn write(path: &Path, entry: &Entry) -> Result<()> {
    let bytes = serde_json::to_vec(entry).map_err(|e| Error::Internal(format!("a journal entry cannot be written: {e}")))?;
    let beside = path.with_extension("tmp");
    let mut file = File::create(&beside).map_err(Error::io(&beside))?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(Error::io(&beside))?;
    std::fs::rename(&beside, path).map_err(Error::io(path))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|f| f.sync_all()).map_err(Error::io(folder))
}
