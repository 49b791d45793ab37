//! Writing a folder of NDJSON files, plain or gzip, one resource a line.

use std::fs::{File, create_dir_all};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use sillage_schemas::Fault;
use thiserror::Error;

/// A feed that cannot be written, or its input that cannot be read.
#[derive(Debug, Error)]
pub enum Error {
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path}, line {line}: not a JSON object")]
    Json { path: PathBuf, line: usize },
    #[error("{path}, line {line}: no text in the field {field}")]
    Field { path: PathBuf, line: usize, field: String },
    #[error("{path}, line {line}: the field {field} holds no date that starts with yyyy-mm-dd")]
    Date { path: PathBuf, line: usize, field: String },
}

impl Error {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Error::Write { .. } | Error::Read { .. } => Fault::Environment,
            Error::Json { .. } | Error::Field { .. } | Error::Date { .. } => Fault::Input,
        }
    }
}

enum Sink {
    Plain(BufWriter<File>),
    Gzip(Box<GzEncoder<BufWriter<File>>>),
}

/// One NDJSON file; `.gz` in its name makes it gzip.
pub struct NdjsonFile {
    path: PathBuf,
    sink: Sink,
    line: Vec<u8>,
    bytes: u64,
}

impl NdjsonFile {
    /// Makes the file, and its folder where there is none.
    pub fn create(folder: &Path, name: &str) -> Result<NdjsonFile, Error> {
        let path = folder.join(name);
        let fail = |source| Error::Write { path: path.clone(), source };
        create_dir_all(folder).map_err(fail)?;
        let file = BufWriter::with_capacity(1 << 18, File::create(&path).map_err(fail)?);
        let gzip = path.extension().is_some_and(|e| e == "gz");
        let sink = if gzip { Sink::Gzip(Box::new(GzEncoder::new(file, Compression::fast()))) } else { Sink::Plain(file) };
        Ok(NdjsonFile { path, sink, line: Vec::new(), bytes: 0 })
    }

    pub fn resource(&mut self, resource: &Value) -> Result<(), Error> {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        let written = serde_json::to_writer(&mut line, resource).map_err(io::Error::from);
        let written = written.map_err(|source| Error::Write { path: self.path.clone(), source }).and_then(|()| self.raw(&line));
        self.line = line;
        written
    }

    /// Writes a line as it is.
    pub fn raw(&mut self, line: &[u8]) -> Result<(), Error> {
        let write = |sink: &mut dyn Write| sink.write_all(line).and_then(|()| sink.write_all(b"\n"));
        let written = match &mut self.sink {
            Sink::Plain(sink) => write(sink),
            Sink::Gzip(sink) => write(sink),
        };
        self.bytes += line.len() as u64 + 1;
        written.map_err(|source| Error::Write { path: self.path.clone(), source })
    }

    /// Ends the file; gives its size before compression.
    pub fn finish(self) -> Result<u64, Error> {
        let closed = match self.sink {
            Sink::Plain(mut sink) => sink.flush(),
            Sink::Gzip(sink) => sink.finish().and_then(|mut inner| inner.flush()),
        };
        closed.map_err(|source| Error::Write { path: self.path, source })?;
        Ok(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn both_forms_hold_the_same_lines() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.ndjson", "b.ndjson.gz"] {
            let mut file = NdjsonFile::create(folder.path(), name).unwrap();
            file.resource(&serde_json::json!({"é": 1})).unwrap();
            file.raw(b"{broken").unwrap();
            assert_eq!(file.finish().unwrap(), 17);
        }
        let plain = std::fs::read(folder.path().join("a.ndjson")).unwrap();
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(File::open(folder.path().join("b.ndjson.gz")).unwrap()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(plain, "{\"é\":1}\n{broken\n".as_bytes());
        assert_eq!(plain, unpacked);
    }

    #[test]
    fn a_folder_that_is_a_file_is_the_environments_fault() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x"), "").unwrap();
        let Err(error) = NdjsonFile::create(&folder.path().join("x"), "a.ndjson") else { panic!("made a folder in a file") };
        assert_eq!(error.fault(), Fault::Environment);
    }
}
