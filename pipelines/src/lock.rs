//! One process at a time writes into an output folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::{Error, Result};

/// Held as long as it lives; the system lets go of it when the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of an output folder.
    ///
    /// Errors: another process writes into the folder.
    pub fn take(out: &Path) -> Result<Lock> {
        let path = out.join("restricted").join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(Error::io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Configuration(format!(
                "{}: another run writes here; stop it first, or choose another output folder",
                out.display()
            ))),
            Err(TryLockError::Error(source)) => Err(Error::Io { path, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let out = tempfile::tempdir().unwrap();
        std::fs::create_dir(out.path().join("restricted")).unwrap();
        let lock = Lock::take(out.path()).unwrap();
        assert!(Lock::take(out.path()).is_err());
        drop(lock);
        assert!(Lock::take(out.path()).is_ok());
    }
}
