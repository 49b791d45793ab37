//! The mark: a small file beside the store that says how much was acknowledged.
//!
//! The store repairs itself after a crash by going back to the last commit that
//! is whole. That is right for a commit that nobody was told of, and a silent
//! loss for one that was acknowledged and damaged later. The mark tells the two
//! apart. It is written after each commit without an fsync of its own: the page
//! cache outlives the process, and a mark lost with the power is only an older one.
//! It also is the lock, and knows the name of the source.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use sha2::{Digest, Sha256};

const MAGIC: &[u8; 8] = b"sillage1";
/// Magic, id, serial, checksum.
const HEAD: usize = 32;
pub(super) const EXTENSION: &str = "mark";

#[derive(Debug)]
pub(super) struct Mark {
    file: File,
}

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acknowledged {
    /// Of the store.
    pub id: u64,
    /// Transactions acknowledged since the store was made.
    pub serial: u64,
}

impl Mark {
    /// Opens and locks the mark, or makes it.
    pub fn open(path: &Path, source: &str) -> Result<(Mark, Option<Acknowledged>), TryLockError> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map_err(TryLockError::Error)?;
        file.try_lock()?;
        let said = read(&file).map_err(TryLockError::Error)?;
        file.write_all_at(source.as_bytes(), HEAD as u64).map_err(TryLockError::Error)?;
        Ok((Mark { file }, said))
    }

    pub fn write(&self, acknowledged: Acknowledged) -> io::Result<()> {
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(MAGIC);
        head[8..16].copy_from_slice(&acknowledged.id.to_le_bytes());
        head[16..24].copy_from_slice(&acknowledged.serial.to_le_bytes());
        let checksum = checksum(&head[..24]);
        head[24..].copy_from_slice(&checksum);
        self.file.write_all_at(&head, 0)
    }
}

/// A mark that is torn says nothing: the store is then taken as it is.
fn read(file: &File) -> io::Result<Option<Acknowledged>> {
    let mut head = [0; HEAD];
    match file.read_exact_at(&mut head, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        outcome => outcome?,
    }
    if head[..8] != *MAGIC || head[24..] != checksum(&head[..24]) {
        return Ok(None);
    }
    let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| head[at + i]));
    Ok(Some(Acknowledged { id: number(8), serial: number(16) }))
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    let digest = Sha256::digest(bytes);
    std::array::from_fn(|i| digest[i])
}

/// The sources whose marks are in a folder.
pub(super) fn sources(folder: &Path) -> io::Result<Vec<String>> {
    let mut sources = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(sources),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            let bytes = fs::read(&path)?;
            if let Some(name) = bytes.get(HEAD..).and_then(|name| str::from_utf8(name).ok()).filter(|name| !name.is_empty()) {
                sources.push(name.to_owned());
            }
        }
    }
    sources.sort_unstable();
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_says_what_was_written_or_nothing() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("x.mark");
        let open = || Mark::open(&path, "mllp://hôpital:1").map_err(io::Error::from);
        let (mark, said) = open()?;
        assert_eq!(said, None);
        let acknowledged = Acknowledged { id: 7, serial: 12 };
        mark.write(acknowledged)?;
        assert!(matches!(Mark::open(&path, "x"), Err(TryLockError::WouldBlock)));
        drop(mark);
        assert_eq!(open()?.1, Some(acknowledged));
        assert_eq!(sources(folder.path())?, ["mllp://hôpital:1"]);
        let mut bytes = fs::read(&path)?;
        bytes[17] ^= 1;
        fs::write(&path, bytes)?;
        assert_eq!(open()?.1, None);
        Ok(())
    }
}
