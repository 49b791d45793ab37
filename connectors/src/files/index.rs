//! Where the Binaries are, and the Patients and Encounters that documents know
//! by a `fullUrl` or an identifier only.
//!
//! Built when the first document asks, by one pass over all files of the
//! listing. It keeps places, not contents: about a hundred bytes a resource.
//! Places in compressed files cannot be gone to, so what is referable in these
//! is copied to a temporary file without name, which needs as much disk as it
//! takes uncompressed (in `TMPDIR`) and goes with the process.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use serde_json::value::RawValue;

use super::Stream;
use super::listing::{Format, Listing, format};
use super::marks::Marks;
use crate::formats::fhir::framing::{Cursor, Frame};
use crate::formats::fhir::resource::{Contained, tokens, words};
use crate::formats::fhir::{Key, Referable, Shape, referable};

const NONE: u32 = u32::MAX;

pub(super) struct Index {
    listing: Listing,
    /// The listing to answer from: names and sizes.
    wanted: Vec<(String, u64)>,
    /// Files as far as they are indexed, in the order they were added.
    files: Vec<Indexed>,
    by_name: HashMap<String, u32>,
    /// Whether identifiers are in it; few sources need them.
    identifiers: bool,
    current: bool,
    /// First place of a key, by hash; further ones are chained.
    heads: HashMap<u64, u32>,
    places: Vec<Place>,
    hasher: RandomState,
    spool: Option<BufWriter<File>>,
    spooled: u64,
    /// The file read last.
    open: Option<(u32, File)>,
}

struct Indexed {
    name: String,
    size: u64,
    cursor: Cursor,
    compressed: bool,
}

struct Place {
    file: u32,
    next: u32,
    /// In the file, or in the spool where the file is compressed.
    offset: u64,
    length: u32,
}

impl Index {
    pub fn new(listing: Listing) -> Self {
        Index {
            listing,
            wanted: Vec::new(),
            files: Vec::new(),
            by_name: HashMap::new(),
            identifiers: false,
            current: false,
            heads: HashMap::new(),
            places: Vec::new(),
            hasher: RandomState::new(),
            spool: None,
            spooled: 0,
            open: None,
        }
    }

    /// Forgets everything: a file was replaced.
    pub fn clear(&mut self) {
        let identifiers = self.identifiers;
        *self = Index { identifiers, ..Index::new(self.listing.clone()) };
    }

    /// Answers from that listing from now on.
    pub fn look_at(&mut self, marks: &Marks) {
        let resources = || marks.files.iter().filter(|(name, _)| format(name) != Some(Format::Messages));
        if self.wanted.len() == resources().count()
            && self.wanted.iter().zip(resources()).all(|((n, s), (name, mark))| n == name && *s == mark.size)
        {
            return;
        }
        self.wanted = resources().map(|(name, mark)| (name.clone(), mark.size)).collect();
        self.current = false;
    }

    /// The resource of that key nearest to a file: in it, in its folder, else
    /// anywhere; the last of these.
    pub fn find(&mut self, key: Key<'_>, file: &str) -> io::Result<Option<Vec<u8>>> {
        if matches!(key, Key::Identifier { .. }) && !self.identifiers {
            self.identifiers = true;
            self.clear_places();
        }
        self.bring_up_to_date()?;
        let folder = |name: &str| name.rfind('/').map_or(0, |at| at);
        let mut found = Vec::new();
        let mut next = self.heads.get(&self.hash(key)).copied().unwrap_or(NONE);
        while let Some(place) = self.places.get(next as usize) {
            let name = &self.files[place.file as usize].name;
            let nearness = if name == file { 2 } else { u8::from(name[..folder(name)] == file[..folder(file)]) };
            found.push((nearness, name.clone(), place.offset, next));
            next = place.next;
        }
        found.sort();
        for (.., place) in found.into_iter().rev() {
            let json = self.fetch(place)?;
            if json.as_deref().is_some_and(|json| answers(json, key)) {
                return Ok(json);
            }
        }
        Ok(None)
    }

    fn hash(&self, key: Key<'_>) -> u64 {
        match key {
            Key::Id { resource_type, id } => self.hasher.hash_one((0, resource_type, id)),
            Key::FullUrl(url) => self.hasher.hash_one((1, "", url)),
            Key::Identifier { resource_type, token } => self.hasher.hash_one((2, resource_type, token)),
        }
    }

    fn clear_places(&mut self) {
        let wanted = std::mem::take(&mut self.wanted);
        self.clear();
        self.wanted = wanted;
    }

    fn bring_up_to_date(&mut self) -> io::Result<()> {
        if self.current {
            return Ok(());
        }
        let wanted = std::mem::take(&mut self.wanted);
        let shrunk = |file: &Indexed| wanted.binary_search_by(|(name, _)| name.cmp(&file.name)).map_or(true, |at| wanted[at].1 < file.size);
        if self.files.iter().any(shrunk) {
            self.clear();
        }
        for (name, size) in &wanted {
            let known = self.by_name.get(name).map(|at| &self.files[*at as usize]);
            if known.is_some_and(|file| file.size == *size) {
                continue;
            }
            let cursor = known.map_or_else(Cursor::default, |file| file.cursor);
            self.scan(name, *size, cursor)?;
        }
        self.wanted = wanted;
        self.current = true;
        if let Some(spool) = &mut self.spool {
            spool.flush()?;
        }
        tracing::debug!(resources = self.places.len(), spooled = self.spooled, "index of what documents may refer to");
        Ok(())
    }

    fn scan(&mut self, name: &str, size: u64, cursor: Cursor) -> io::Result<()> {
        let path = self.listing.path(name);
        let mut stream = match Stream::open(&path, name, size, cursor) {
            // Files of an old listing may be gone.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            stream => stream?,
        };
        let file = match self.by_name.get(name) {
            Some(at) => *at,
            None => {
                let at = self.files.len() as u32;
                self.files.push(Indexed { name: name.to_owned(), size: 0, cursor, compressed: stream.compressed });
                self.by_name.insert(name.to_owned(), at);
                at
            }
        };
        let compressed = stream.compressed;
        let mut buffer = Vec::new();
        let mut resources: Vec<Referable> = Vec::new();
        while let Some(frame) = stream.pieces.next(&mut buffer)? {
            let Frame::Whole { start, shape } = frame else { continue };
            referable(&buffer, shape, &mut |resource| resources.push(resource));
            for resource in resources.drain(..) {
                self.add(file, compressed, start, &buffer, resource)?;
            }
        }
        let indexed = &mut self.files[file as usize];
        indexed.size = size;
        indexed.cursor = stream.pieces.cursor();
        Ok(())
    }

    fn add(&mut self, file: u32, compressed: bool, start: u64, buffer: &[u8], resource: Referable) -> io::Result<()> {
        let resource_type = resource.resource_type.as_str();
        let mut keys = Vec::new();
        let binary = resource_type == "Binary";
        if let Some(id) = resource.id.as_deref().filter(|_| binary) {
            keys.push(self.hash(Key::Id { resource_type, id }));
        }
        if let Some(url) = resource.full_url.as_deref().filter(|url| binary || url.starts_with("urn:")) {
            keys.push(self.hash(Key::FullUrl(url)));
        }
        if self.identifiers {
            keys.extend(resource.identifiers.iter().map(|token| self.hash(Key::Identifier { resource_type, token })));
        }
        if keys.is_empty() {
            return Ok(());
        }
        let length = resource.range.len() as u32;
        let offset = if compressed { self.copy(&buffer[resource.range])? } else { start + resource.range.start as u64 };
        for key in keys {
            let next = self.heads.insert(key, self.places.len() as u32).unwrap_or(NONE);
            self.places.push(Place { file, next, offset, length });
        }
        Ok(())
    }

    fn copy(&mut self, json: &[u8]) -> io::Result<u64> {
        let spool = match &mut self.spool {
            Some(spool) => spool,
            none => none.insert(BufWriter::with_capacity(1 << 20, tempfile::tempfile()?)),
        };
        spool.write_all(json)?;
        let offset = self.spooled;
        self.spooled += json.len() as u64;
        Ok(offset)
    }

    /// The bytes at a place, `None` where the file no longer has them.
    fn fetch(&mut self, place: u32) -> io::Result<Option<Vec<u8>>> {
        let Place { file, offset, length, .. } = self.places[place as usize];
        let indexed = &self.files[file as usize];
        let mut json = vec![0; length as usize];
        let read = |source: &mut File, json: &mut [u8]| {
            source.seek(SeekFrom::Start(offset))?;
            source.read_exact(json)
        };
        if indexed.compressed {
            let Some(spool) = &mut self.spool else { return Ok(None) };
            read(spool.get_mut(), &mut json)?;
            spool.get_mut().seek(SeekFrom::End(0))?;
            return Ok(Some(json));
        }
        let source = match &mut self.open {
            Some((at, source)) if *at == file => source,
            open => match File::open(self.listing.path(&indexed.name)) {
                Ok(source) => &mut open.insert((file, source)).1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        match read(source, &mut json) {
            Ok(()) => Ok(Some(json)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether that is the resource asked for: hashes may collide, files change.
fn answers(json: &[u8], key: Key<'_>) -> bool {
    if serde_json::from_slice::<&RawValue>(json).is_err() {
        return false;
    }
    let mut same = false;
    referable(json, Shape::Resource, &mut |resource| {
        same = match key {
            // Without an id of its own it had that of its entry.
            Key::Id { resource_type, id } => resource.resource_type == resource_type && resource.id.as_deref().is_none_or(|own| own == id),
            Key::FullUrl(_) => true,
            Key::Identifier { resource_type, token } => {
                let contained = serde_json::from_slice::<Contained<'_>>(json);
                resource.resource_type == resource_type
                    && contained.is_ok_and(|c| tokens(&c.identifier).iter().any(|t| t == token) && words(&c.id).is_some())
            }
        };
    });
    same
}
