//! Which files there are, and whether they are still those that were read.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use super::marks::{Mark, Marks};
use crate::formats::fhir::framing::Cursor;
use crate::source::SourceError;

/// What is in a file, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// FHIR, one resource a line.
    Lines,
    /// FHIR, Bundles or resources.
    Documents,
    /// HL7 version 2.
    Messages,
}

const FORMATS: &[(&str, Format)] =
    &[(".ndjson", Format::Lines), (".jsonl", Format::Lines), (".json", Format::Documents), (".hl7", Format::Messages)];
/// How much of the beginning and of the end of a file identify it.
const WINDOW: u64 = 4096;

/// What a file of that name holds, `None` where that is none of ours.
pub(super) fn format(name: &str) -> Option<Format> {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    FORMATS.iter().find(|(suffix, _)| name.ends_with(suffix)).map(|(_, format)| *format)
}

/// A folder, or a file as a folder of one.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    root: PathBuf,
    single: bool,
}

struct Found {
    name: String,
    size: u64,
    modified: i64,
}

impl Listing {
    /// # Errors
    /// Nothing there, nothing of use there, or it cannot be read.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let place = || path.display().to_string();
        let root = path.canonicalize().map_err(|error| SourceError::unreadable(path, error))?;
        let metadata = fs::metadata(&root).map_err(|error| SourceError::unreadable(path, error))?;
        let listing = Listing { single: !metadata.is_dir(), root };
        if listing.single && format(&listing.root.to_string_lossy()).is_none() {
            return Err(SourceError::NotFhir { place: place() });
        }
        let found = listing.walk()?;
        if found.is_empty() {
            return Err(SourceError::NoFiles { place: place() });
        }
        if found.iter().all(|file| file.size == 0) {
            return Err(SourceError::Empty { place: place() });
        }
        // A file without permission says so now, not hours into the run.
        for file in &found {
            let path = listing.path(&file.name);
            File::open(&path).map_err(|error| SourceError::unreadable(&path, error))?;
        }
        Ok(listing)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, name: &str) -> PathBuf {
        if self.single { self.root.clone() } else { self.root.join(name) }
    }

    /// Brings the listing up to date; `true` where a file was replaced or is gone.
    pub fn refresh(&self, marks: &mut Marks) -> Result<bool, SourceError> {
        let found = self.walk()?;
        let mut replaced = false;
        let present: HashSet<&str> = found.iter().map(|file| file.name.as_str()).collect();
        marks.files.retain(|name, mark| {
            let stays = mark.done || present.contains(name.as_str());
            if !stays {
                tracing::warn!(file = name, "gone before it was read");
                replaced = true;
            }
            stays
        });
        for file in &found {
            let Found { size, modified, .. } = *file;
            let Some(mark) = marks.files.get_mut(&file.name) else {
                if size == 0 {
                    tracing::warn!(file = file.name, "empty file");
                }
                marks.files.insert(file.name.clone(), Mark { size, modified, ..Mark::default() });
                continue;
            };
            if mark.size == size && mark.modified == modified {
                continue;
            }
            if self.unchanged(&file.name, mark)? {
                let grown = size > mark.size;
                let print = if grown { String::new() } else { std::mem::take(&mut mark.print) };
                *mark = Mark { size, modified, print, done: mark.done && !grown, ..mark.clone() };
            } else {
                tracing::warn!(file = file.name, "replaced; it is read again");
                *mark = Mark { size, modified, ..Mark::default() };
                replaced = true;
            }
        }
        Ok(replaced)
    }

    /// Whether the bytes that the mark knows are still there.
    pub fn unchanged(&self, name: &str, mark: &Mark) -> Result<bool, SourceError> {
        if mark.print.is_empty() {
            return Ok(mark.cursor == Cursor::default());
        }
        Ok(self.print(name, mark.size)?.as_ref() == Some(&mark.print))
    }

    /// Hash of the beginning and the end of the first `size` bytes, `None` if
    /// there are not so many.
    pub fn print(&self, name: &str, size: u64) -> Result<Option<String>, SourceError> {
        let path = self.path(name);
        let print = || -> io::Result<Option<String>> {
            let mut file = File::open(&path)?;
            if file.metadata()?.len() < size {
                return Ok(None);
            }
            let mut hash = Sha256::new();
            let mut window = Vec::new();
            for start in [0, size.saturating_sub(WINDOW)] {
                file.seek(SeekFrom::Start(start))?;
                window.clear();
                (&mut file).take(WINDOW.min(size)).read_to_end(&mut window)?;
                hash.update(&window);
            }
            Ok(Some(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()))
        };
        print().map_err(|error| SourceError::unreadable(&path, error))
    }

    /// Every FHIR or HL7 file below the root, hidden ones and links in circles left out.
    fn walk(&self) -> Result<Vec<Found>, SourceError> {
        let mut found = Vec::new();
        if self.single {
            let name = self.root.file_name().unwrap_or_default().to_string_lossy().into_owned();
            found.push(describe(&self.root, name)?);
            return Ok(found);
        }
        let mut seen = HashSet::from([self.root.clone()]);
        let mut folders = vec![(self.root.clone(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            let failed = |error| SourceError::unreadable(&folder, error);
            for entry in fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                // A name that is not Unicode could not be stored in a position.
                let Ok(name) = entry.file_name().into_string() else {
                    tracing::warn!(folder = %folder.display(), "file left out: its name is not Unicode");
                    continue;
                };
                if name.starts_with('.') {
                    continue;
                }
                let path = entry.path();
                // A link that leads nowhere, or a file just removed.
                let Ok(metadata) = fs::metadata(&path) else { continue };
                let name = format!("{prefix}{name}");
                if metadata.is_dir() {
                    if path.canonicalize().is_ok_and(|real| seen.insert(real)) {
                        folders.push((path, format!("{name}/")));
                    }
                } else if format(&name).is_some() {
                    found.push(describe(&path, name)?);
                }
            }
        }
        Ok(found)
    }
}

fn describe(path: &Path, name: String) -> Result<Found, SourceError> {
    let metadata = fs::metadata(path).map_err(|error| SourceError::unreadable(path, error))?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |age| age.as_micros() as i64);
    Ok(Found { name, size: metadata.len(), modified })
}

#[cfg(test)]
mod tests {
    use super::*;

    type R = Result<(), Box<dyn std::error::Error>>;

    #[test]
    fn names_say_the_format() {
        for (name, expected) in [
            ("Patient.ndjson", Some(Format::Lines)),
            ("a/B.NDJSON.GZ", Some(Format::Lines)),
            ("bundle.json.gz", Some(Format::Documents)),
            ("x.jsonl", Some(Format::Lines)),
            ("batch.HL7", Some(Format::Messages)),
            ("batch.hl7.gz", Some(Format::Messages)),
            ("readme.txt", None),
            ("a.gz", None),
        ] {
            assert_eq!(format(name), expected, "{name}");
        }
    }

    #[test]
    fn errors_name_the_place_and_the_remedy() -> R {
        let folder = tempfile::tempdir()?;
        let message = |path: &Path| Listing::open(path).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(message(folder.path()).contains("no FHIR or HL7 file"));
        assert!(message(&folder.path().join("absent")).contains("absent does not exist"));
        fs::write(folder.path().join("note.txt"), "x")?;
        assert!(message(&folder.path().join("note.txt")).contains(".ndjson"));
        fs::write(folder.path().join("empty.ndjson"), "")?;
        assert!(message(&folder.path().join("empty.ndjson")).contains("empty"));
        assert!(message(folder.path()).contains("empty"));
        fs::write(folder.path().join("full.ndjson"), "{}")?;
        assert!(Listing::open(folder.path()).is_ok());
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn links_in_circles_end() -> R {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("sub"))?;
        fs::write(folder.path().join("sub/a.ndjson"), "{}")?;
        fs::write(folder.path().join("sub/.hidden.ndjson"), "{}")?;
        std::os::unix::fs::symlink(folder.path(), folder.path().join("sub/loop"))?;
        let names: Vec<String> = Listing::open(folder.path())?.walk()?.into_iter().map(|f| f.name).collect();
        assert_eq!(names, ["sub/a.ndjson"]);
        Ok(())
    }
}
