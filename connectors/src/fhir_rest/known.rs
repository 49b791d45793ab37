//! The ids of the documents delivered, for servers that only tell by silence
//! what they have deleted. A file of its own beside the inbox: what it holds too
//! much is found to exist, or reported gone once more.

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::source::SourceError;

const EXTENSION: &str = "known";
const IDS: TableDefinition<'_, &str, ()> = TableDefinition::new("ids");

pub(crate) struct Known {
    database: Database,
    place: String,
}

impl Known {
    pub fn open(folder: &Path, source: &str) -> Result<Self, SourceError> {
        Self::at(&folder.join(format!("{:016x}.{EXTENSION}", super::state::fingerprint(&[source]))))
    }

    fn at(path: &Path) -> Result<Self, SourceError> {
        let place = path.display().to_string();
        let failed = |message: String| SourceError::Inbox { place: place.clone(), message };
        // Made before the database would make it for everyone to read.
        let mut options = std::fs::OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let file = file.map_err(|error| failed(error.to_string()))?;
        let database = Database::builder().create_file(file).map_err(|error| failed(error.to_string()))?;
        Ok(Known { database, place })
    }

    /// Takes the ids that a predicate names out of every file in a folder, and
    /// counts them. Such a file is written anew: freed pages keep what they held.
    pub fn erase(folder: &Path, erased: impl Fn(&str) -> bool) -> Result<u64, SourceError> {
        let failed = |error: std::io::Error| SourceError::Inbox { place: folder.display().to_string(), message: error.to_string() };
        let mut count = 0;
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_none_or(|extension| extension != EXTENSION) {
                continue;
            }
            let known = Self::at(&path)?;
            let (kept, all) = known.select(|id| !erased(id))?;
            drop(known);
            // Also where nothing is left to take out: an id may stand in a free page.
            count += all - kept.len() as u64;
            let fresh = path.with_extension("known-new");
            match std::fs::remove_file(&fresh) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
            Self::at(&fresh)?.add(kept.iter().map(String::as_str))?;
            std::fs::rename(&fresh, &path).and_then(|()| std::fs::File::open(folder)?.sync_all()).map_err(failed)?;
        }
        Ok(count)
    }

    pub fn add<'i>(&self, ids: impl Iterator<Item = &'i str>) -> Result<(), SourceError> {
        self.write(ids, |table, id| table.insert(id, ()).map(drop))
    }

    pub fn remove<'i>(&self, ids: impl Iterator<Item = &'i str>) -> Result<(), SourceError> {
        self.write(ids, |table, id| table.remove(id).map(drop))
    }

    fn write<'i>(
        &self,
        ids: impl Iterator<Item = &'i str>,
        each: impl Fn(&mut redb::Table<'_, &'static str, ()>, &str) -> Result<(), redb::StorageError>,
    ) -> Result<(), SourceError> {
        let run = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            {
                let mut table = transaction.open_table(IDS)?;
                for id in ids {
                    each(&mut table, id)?;
                }
            }
            Ok(transaction.commit()?)
        };
        run().map_err(|error| self.failed(&error))
    }

    /// Those that a predicate takes, and how many there are.
    pub fn select(&self, wanted: impl Fn(&str) -> bool) -> Result<(Vec<String>, u64), SourceError> {
        let run = || -> Result<(Vec<String>, u64), redb::Error> {
            let transaction = self.database.begin_read()?;
            let table = match transaction.open_table(IDS) {
                Ok(table) => table,
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok((Vec::new(), 0)),
                Err(error) => return Err(error.into()),
            };
            let (mut found, mut count) = (Vec::new(), 0);
            for entry in table.iter()? {
                let (id, ()) = entry.map(|(id, _)| (id, ()))?;
                count += 1;
                if wanted(id.value()) {
                    found.push(id.value().to_owned());
                }
            }
            Ok((found, count))
        };
        run().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &redb::Error) -> SourceError {
        SourceError::Inbox { place: self.place.clone(), message: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_kept_and_let_go() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        {
            let known = Known::open(folder.path(), "s")?;
            assert_eq!(known.select(|_| true)?, (Vec::new(), 0));
            known.add(["a", "b", "c"].into_iter())?;
        }
        let known = Known::open(folder.path(), "s")?;
        known.remove(["b", "x"].into_iter())?;
        assert_eq!(known.select(|id| id > "a")?, (vec!["c".to_owned()], 2));
        Ok(())
    }
}
