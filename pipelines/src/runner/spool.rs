//! Records that would cost too much memory, in a file without name in the
//! restricted zone, which goes with the process.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sillage_connectors::Seal;

use crate::error::{Error, Result};

/// The file.
pub(super) struct Spool {
    file: File,
    end: u64,
    folder: PathBuf,
    /// Where the restricted zone is encrypted, so is this.
    seal: Option<Arc<Seal>>,
}

/// Where a record is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    offset: u64,
    length: u32,
}

impl Place {
    /// Whether nothing is there.
    pub(super) fn is_empty(self) -> bool {
        self.length == 0
    }
}

impl Spool {
    pub(super) fn new(folder: PathBuf, seal: Option<Arc<Seal>>) -> Result<Spool> {
        let file = tempfile::tempfile_in(&folder).map_err(Error::io(&folder))?;
        Ok(Spool { file, end: 0, folder, seal })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<Place> {
        let sealed = match &self.seal {
            Some(seal) => Some(seal.seal(&self.end.to_le_bytes(), bytes).map_err(|e| Error::Internal(format!("spool: {e}")))?),
            None => None,
        };
        let bytes = sealed.as_deref().unwrap_or(bytes);
        let place = Place { offset: self.end, length: bytes.len() as u32 };
        let written = self.file.seek(SeekFrom::Start(self.end)).and_then(|_| self.file.write_all(bytes));
        written.map_err(Error::io(&self.folder))?;
        self.end += bytes.len() as u64;
        Ok(place)
    }

    pub(super) fn read(&mut self, place: Place) -> Result<Vec<u8>> {
        let mut bytes = vec![0; place.length as usize];
        let read = self.file.seek(SeekFrom::Start(place.offset)).and_then(|_| self.file.read_exact(&mut bytes));
        read.map_err(Error::io(&self.folder))?;
        match &self.seal {
            Some(seal) => seal.open(&place.offset.to_le_bytes(), &bytes).map_err(|e| Error::Internal(format!("spool: {e}"))),
            None => Ok(bytes),
        }
    }

    pub(super) fn write_record(&mut self, record: &impl Serialize) -> Result<Place> {
        let bytes = serde_json::to_vec(record).map_err(|_| Error::Internal("a record has no JSON form".to_owned()))?;
        self.write(&bytes)
    }

    pub(super) fn read_record<T: DeserializeOwned>(&mut self, place: Place) -> Result<T> {
        serde_json::from_slice(&self.read(place)?).map_err(|_| Error::Internal("a kept record cannot be read".to_owned()))
    }
}
