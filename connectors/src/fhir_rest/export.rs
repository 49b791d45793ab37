//! Bulk Data: the server writes everything changed since the last export into
//! files, which are read line by line.
//!
//! An export under way survives a restart: where it tells its status and how
//! many lines were taken of each file is kept with the messages. Binaries come
//! first, into a temporary file, so that each document can be given its own;
//! those that are not in the export are asked for one by one.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use flate2::write::MultiGzDecoder;
use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_LOCATION, HeaderName, HeaderValue};
use serde::Deserialize;
use url::Url;

use super::client::{Failure, Request, reason_of};
use super::deletions::deletion;
use super::page::{Item, items};
use super::poller::Poller;
use super::retry::{Backoff, retry_after};
use super::search::{Batch, MAX_BATCH, MAX_KEPT, follow};
use super::settings::Type;
use super::state::is_due;
use crate::formats::fhir::Target;
use crate::source::SourceError;

/// Of a manifest.
const MAX_MANIFEST: usize = 64 << 20;
const NDJSON: &str = "application/fhir+ndjson, application/x-ndjson;q=0.9, application/ndjson;q=0.9, */*;q=0.5";
/// Between two questions whether the export is done, where the server does not say when to ask.
const ASKING: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    transaction_time: String,
    #[serde(default)]
    requires_access_token: Option<bool>,
    #[serde(default)]
    output: Vec<Output>,
    #[serde(default)]
    deleted: Vec<Output>,
    #[serde(default)]
    error: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(rename = "type", default)]
    kind: String,
    url: String,
}

/// What the lines of a file are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Binaries,
    Resources(Type),
    Deletions,
}

/// The Binaries of an export, by id.
pub(crate) struct Binaries {
    file: File,
    end: u64,
    places: HashMap<String, (u64, usize)>,
}

impl Binaries {
    pub fn new(spool: &Path) -> Result<Self, SourceError> {
        // Without a name, so that nothing of it outlives us.
        let file = tempfile::tempfile_in(spool).map_err(|error| SourceError::Spool { error })?;
        Ok(Binaries { file, end: 0, places: HashMap::new() })
    }

    fn put(&mut self, id: &str, json: &[u8]) -> Result<(), SourceError> {
        let mut write = || -> io::Result<()> {
            self.file.seek(SeekFrom::Start(self.end))?;
            self.file.write_all(json)
        };
        write().map_err(|error| SourceError::Spool { error })?;
        self.places.insert(id.to_owned(), (self.end, json.len()));
        self.end += json.len() as u64;
        Ok(())
    }

    pub fn read(&mut self, id: &str) -> Result<Option<String>, SourceError> {
        let Some(&(start, length)) = self.places.get(id) else { return Ok(None) };
        let mut bytes = vec![0; length];
        let mut read = || -> io::Result<()> {
            self.file.seek(SeekFrom::Start(start))?;
            self.file.read_exact(&mut bytes)
        };
        read().map_err(|error| SourceError::Spool { error })?;
        Ok(String::from_utf8(bytes).ok())
    }
}

impl Poller {
    /// Makes an export where one is due, or goes on with the one under way.
    pub async fn export(&mut self) -> Result<(), Failure> {
        if self.state.export.job.is_none() {
            let now = Utc::now().timestamp_micros();
            if !is_due(self.state.export.next_at, now, self.remote.settings.export_seconds) && (self.exported || !self.hurry) {
                return Ok(());
            }
            self.kick_off().await?;
        }
        let Some(job) = self.state.export.job.clone() else { return Ok(()) };
        let job = follow(&self.remote, &job, self.remote.client.address.base())?;
        let manifest = self.manifest(&job).await?;
        if !manifest.error.is_empty() {
            tracing::warn!(
                source = self.remote.client.source,
                files = manifest.error.len(),
                "the export tells of errors of its own; some resources may be missing"
            );
        }
        let binaries = Arc::new(Mutex::new(Binaries::new(&self.spool)?));
        let kinds = self.remote.settings.resources.clone();
        let mut files: Vec<(Content, &Output)> = Vec::new();
        for file in &manifest.output {
            let kind = kinds.iter().find(|kind| kind.name() == file.kind);
            match (file.kind.as_str(), kind) {
                ("Binary", _) => files.push((Content::Binaries, file)),
                (_, Some(kind)) => files.push((Content::Resources(*kind), file)),
                _ => {}
            }
        }
        files.extend(manifest.deleted.iter().map(|file| (Content::Deletions, file)));
        files.sort_by_key(|(content, _)| match content {
            Content::Binaries => 0,
            Content::Resources(kind) => 1 + *kind as u8,
            Content::Deletions => u8::MAX,
        });
        let authorised = manifest.requires_access_token != Some(false);
        for (content, file) in files {
            self.file(&file.url, content, authorised, &job, &binaries).await?;
        }
        let export = &mut self.state.export;
        export.since = Some(manifest.transaction_time);
        export.next_at = Utc::now().timestamp_micros() + self.remote.settings.export_seconds as i64 * 1_000_000;
        self.end_job();
        self.commit(Vec::new())?;
        self.exported = true;
        self.clean_up(&job).await;
        Ok(())
    }

    async fn kick_off(&mut self) -> Result<(), Failure> {
        let settings = &self.remote.settings;
        loop {
            let export = &self.state.export;
            let mut types: Vec<&str> = settings.resources.iter().map(|kind| kind.name()).collect();
            if !export.without_binary {
                types.push("Binary");
            }
            let types = types.join(",");
            let filters = &self.remote.client.address.parameters;
            let filter = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(filters).finish();
            let filter = (!filters.is_empty()).then(|| format!("DocumentReference?{filter}"));
            let mut parameters = vec![("_type", types.as_str())];
            parameters.extend(export.since.as_deref().map(|since| ("_since", since)));
            parameters.extend(filter.as_deref().map(|filter| ("_typeFilter", filter)));
            let path: Vec<&str> = settings.export_path.split('/').filter(|s| !s.is_empty()).collect();
            let what = "the kick-off of an export";
            let mut request = Request::get(what, self.remote.client.address.query(&path, parameters));
            request.headers.push((HeaderName::from_static("prefer"), HeaderValue::from_static("respond-async")));
            let reply = self.remote.client.fetch(&request, MAX_MANIFEST).await?;
            if reply.status != 202 {
                // Few servers export Binary, and not all leave out quietly what they do not.
                if matches!(reply.status, 400 | 404 | 422) && !export.without_binary {
                    self.state.export.without_binary = true;
                    continue;
                }
                return Err(Failure::Refused { what, status: reply.status });
            }
            let location = reply
                .header(CONTENT_LOCATION)
                .ok_or_else(|| Failure::Misread("an export without Content-Location cannot be followed".into()))?;
            let job = follow(&self.remote, location, &reply.url)?;
            let export = &mut self.state.export;
            export.job = Some(job.into());
            export.begun = Utc::now().timestamp_micros();
            export.lines.clear();
            return self.commit(Vec::new());
        }
    }

    /// Waits until the export is made.
    async fn manifest(&mut self, job: &Url) -> Result<Manifest, Failure> {
        let what = "the status of an export";
        let mut asked = 0;
        let longest = Duration::from_secs(self.remote.settings.export_ask_seconds);
        // A small export is made by the time it is asked about, and a server may
        // want the second question to come minutes after the first.
        tokio::time::sleep(ASKING.pause(0).min(longest)).await;
        loop {
            let reply = match self.remote.client.fetch(&Request::get(what, job.clone()), MAX_MANIFEST).await {
                Err(Failure::Unavailable(why)) => {
                    // Of a server that answers otherwise it means that the export has failed.
                    self.remote.probe(why).await?;
                    return Err(self.lost("the server has failed to make the export"));
                }
                reply => reply?,
            };
            match reply.status {
                202 => {}
                200 => {
                    let manifest = serde_json::from_slice(&reply.body);
                    return manifest.map_err(|_| self.lost("the export ended without a manifest"));
                }
                404 | 410 => return Err(self.lost("the server has forgotten the export")),
                status => {
                    self.end_job();
                    self.commit(Vec::new())?;
                    return Err(Failure::Refused { what, status });
                }
            }
            let late =
                Utc::now().timestamp_micros() - self.state.export.begun > self.remote.settings.export_timeout_seconds as i64 * 1_000_000;
            if late {
                self.clean_up(job).await;
                return Err(self.lost("the export has not been made in time (export_timeout_seconds)"));
            }
            let wait = retry_after(&reply.headers, Utc::now()).unwrap_or_else(|| ASKING.pause(asked));
            tokio::time::sleep(wait.min(longest).max(Duration::from_millis(50))).await;
            asked += 1;
        }
    }

    fn lost(&mut self, why: &str) -> Failure {
        self.end_job();
        match self.commit(Vec::new()) {
            Ok(()) => Failure::Unavailable(format!("{why}; another will be asked for")),
            Err(failure) => failure,
        }
    }

    fn end_job(&mut self) {
        self.state.export.job = None;
        self.state.export.lines.clear();
    }

    /// Lets the server delete its files; it will some day without being told.
    async fn clean_up(&self, job: &Url) {
        let request = Request { method: Method::DELETE, ..Request::get("the removal of an export", job.clone()) };
        if let Err(failure) = self.remote.client.fetch(&request, MAX_MANIFEST).await {
            tracing::info!(source = self.remote.client.source, reason = %failure, "the export was not removed from the server");
        }
    }

    /// Takes a file, from where it broke off where it does.
    async fn file(
        &mut self,
        link: &str,
        content: Content,
        authorised: bool,
        job: &Url,
        binaries: &Arc<Mutex<Binaries>>,
    ) -> Result<(), Failure> {
        let url = follow(&self.remote, link, job)?;
        let mut attempt = 0;
        loop {
            let before = self.state.export.lines.get(link).copied();
            match self.file_once(link, url.clone(), content, authorised, binaries).await {
                Err(Failure::Unavailable(why)) => {
                    let further = self.state.export.lines.get(link).copied() > before;
                    attempt = if further { 1 } else { attempt + 1 };
                    if attempt >= self.remote.settings.max_attempts {
                        return Err(Failure::Unavailable(why));
                    }
                    tokio::time::sleep(super::client::backoff(&self.remote.settings).pause(attempt)).await;
                }
                Err(Failure::Refused { status: 404 | 410, .. }) => return Err(self.lost("a file of the export is gone")),
                other => return other,
            }
        }
    }

    async fn file_once(
        &mut self,
        link: &str,
        url: Url,
        content: Content,
        authorised: bool,
        binaries: &Arc<Mutex<Binaries>>,
    ) -> Result<(), Failure> {
        let what = "a file of an export";
        let mut request = Request { accept: NDJSON, authorised, ..Request::get(what, url) };
        request.headers.push((ACCEPT_ENCODING, HeaderValue::from_static("gzip")));
        let mut response = self.remote.client.begin(&request).await?;
        if response.status() != 200 {
            return Err(Failure::Refused { what, status: response.status().as_u16() });
        }
        let done = self.state.export.lines.get(link).copied().unwrap_or_default();
        let mut lines = Lines::new(self.remote.settings.max_bytes);
        let mut taken = Taken { link, content, number: 0, lines: Vec::new(), bytes: 0 };
        loop {
            let chunk = response.chunk().await.map_err(|error| Failure::Unavailable(format!("{what}: {}", reason_of(&error))))?;
            let ended = chunk.is_none();
            match &chunk {
                Some(bytes) => lines.push(bytes),
                None => lines.end(),
            }
            .map_err(|_| Failure::Unavailable(format!("{what}: its compression is damaged")))?;
            while let Some(line) = lines.next() {
                taken.number += 1;
                if line.is_empty() || taken.number <= done && content != Content::Binaries {
                    continue;
                }
                taken.bytes += line.len();
                taken.lines.push((taken.number, line));
                if taken.lines.len() >= self.remote.settings.concurrency * 16 || taken.bytes > MAX_BATCH {
                    self.lines(&mut taken, binaries).await?;
                }
            }
            if ended {
                self.lines(&mut taken, binaries).await?;
                return Ok(());
            }
        }
    }

    /// Takes lines into the inbox.
    async fn lines(&mut self, taken: &mut Taken<'_>, binaries: &Arc<Mutex<Binaries>>) -> Result<(), Failure> {
        let lines = std::mem::take(&mut taken.lines);
        taken.bytes = 0;
        let kind = match taken.content {
            Content::Binaries => {
                let mut binaries = binaries.lock().unwrap_or_else(PoisonError::into_inner);
                for (_, line) in &lines {
                    let id = std::str::from_utf8(line).ok().and_then(|line| Item::of_resource(line).id);
                    if let Some(id) = id {
                        binaries.put(&id, line)?;
                    }
                }
                return Ok(());
            }
            Content::Resources(kind) => Some(kind),
            Content::Deletions => None,
        };
        self.room().await;
        let mut batch = Batch::default();
        let mut found = Vec::new();
        for (number, line) in &lines {
            let text = std::str::from_utf8(line).ok().filter(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
            match (text, kind) {
                (Some(text), Some(_)) => found.push(Item::of_resource(text)),
                (Some(text), None) => self.deleted(text, &mut batch),
                // Taken as it is, a dead letter.
                (None, _) => {
                    let kept = line.get(..MAX_KEPT).unwrap_or(line);
                    batch.push(&format!("export line {number}"), kept.to_vec());
                }
            }
        }
        if let Some(kind) = kind {
            let found: Vec<&Item<'_>> = found.iter().collect();
            self.take(kind, false, &found, Some(binaries), &mut batch).await?;
        }
        self.state.export.lines.insert(taken.link.to_owned(), taken.number);
        self.commit(batch.messages)
    }

    /// A Bundle of what was deleted; each deletion is a message of its own.
    fn deleted(&self, text: &str, batch: &mut Batch) {
        for item in items(text).into_iter().flatten().filter(|item| item.deleted) {
            let address = item.url.as_deref().or(item.full_url.as_deref()).unwrap_or_default();
            let Target::Resource { resource_type: Some(name), id } = Target::parse(address) else { continue };
            if self.remote.settings.resources.iter().any(|kind| kind.name() == name) {
                let full_url = self.remote.client.address.path(&[name, id]);
                let payload = deletion(name, id, full_url.as_str(), item.etag.as_deref(), item.last_modified.as_deref());
                batch.push(&format!("{name}/{id} deleted"), payload);
            }
        }
    }
}

/// Lines of a file that are not in the inbox yet.
struct Taken<'f> {
    link: &'f str,
    content: Content,
    /// Of the last line.
    number: u64,
    lines: Vec<(u64, Vec<u8>)>,
    bytes: usize,
}

/// Cuts chunks into lines, unpacking them where they are gzip.
struct Lines {
    unpacking: Option<MultiGzDecoder<Vec<u8>>>,
    begun: bool,
    ended: bool,
    buffer: Vec<u8>,
    /// Searched for a line end so far.
    searched: usize,
    limit: usize,
    /// Whether the rest of the line is left out.
    skipping: bool,
}

impl Lines {
    fn new(limit: usize) -> Self {
        Lines { unpacking: None, begun: false, ended: false, buffer: Vec::new(), searched: 0, limit, skipping: false }
    }

    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.begun && !bytes.is_empty() {
            self.begun = true;
            // No JSON begins like that, whatever the headers say.
            self.unpacking = (bytes[0] == 0x1f).then(|| MultiGzDecoder::new(Vec::new()));
        }
        match &mut self.unpacking {
            Some(decoder) => {
                decoder.write_all(bytes)?;
                self.buffer.append(decoder.get_mut());
            }
            None => self.buffer.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.ended = true;
        if let Some(decoder) = &mut self.unpacking {
            decoder.try_finish()?;
            self.buffer.append(decoder.get_mut());
        }
        Ok(())
    }

    /// The next whole line; a line too long is cut.
    fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let found = memchr::memchr(b'\n', &self.buffer[self.searched..]).map(|at| at + self.searched);
            match found {
                Some(at) => {
                    let rest = self.buffer.split_off(at + 1);
                    let line = std::mem::replace(&mut self.buffer, rest);
                    self.searched = 0;
                    if std::mem::take(&mut self.skipping) {
                        continue;
                    }
                    return Some(line.trim_ascii().to_vec());
                }
                None if self.skipping => {
                    self.buffer.clear();
                    self.searched = 0;
                    return None;
                }
                None if self.buffer.len() > self.limit => {
                    self.skipping = true;
                    self.searched = 0;
                    let mut line = std::mem::take(&mut self.buffer);
                    line.truncate(MAX_KEPT);
                    return Some(line);
                }
                None if self.ended && !self.buffer.is_empty() => {
                    self.searched = 0;
                    return Some(std::mem::take(&mut self.buffer).trim_ascii().to_vec());
                }
                None => {
                    self.searched = self.buffer.len();
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    fn cut(bytes: &[u8], size: usize, limit: usize) -> Vec<Vec<u8>> {
        let mut lines = Lines::new(limit);
        let mut found = Vec::new();
        for chunk in bytes.chunks(size) {
            lines.push(chunk).unwrap();
            found.extend(std::iter::from_fn(|| lines.next()));
        }
        lines.end().unwrap();
        found.extend(std::iter::from_fn(|| lines.next()));
        found
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_chunks_or_packing(lines in prop::collection::vec("[a-z]{0,20}", 0..20), size in 1usize..40) {
            let text = lines.iter().map(|line| format!("{line}\r\n")).collect::<String>();
            let expected: Vec<Vec<u8>> = lines.into_iter().map(String::into_bytes).collect();
            prop_assert_eq!(&cut(text.as_bytes(), size, 1000), &expected);
            let mut packed = GzEncoder::new(Vec::new(), Compression::default());
            packed.write_all(text.as_bytes()).unwrap();
            prop_assert_eq!(&cut(&packed.finish().unwrap(), size, 1000), &expected);
        }
    }

    #[test]
    fn the_last_line_may_be_open_and_long_ones_are_cut() {
        assert_eq!(cut(b"a\nb", 2, 100), [b"a".to_vec(), b"b".to_vec()]);
        let text = format!("a\n{}\nb\n", "x".repeat(200));
        let found = cut(text.as_bytes(), 10, 50);
        assert_eq!((found.len(), found[0].as_slice(), found[2].as_slice()), (3, b"a".as_slice(), b"b".as_slice()));
        assert!(found[1].len() < 200);
    }

    #[test]
    fn binaries_are_found_again() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let mut binaries = Binaries::new(folder.path())?;
        binaries.put("a", b"{1}")?;
        binaries.put("b", b"{22}")?;
        assert_eq!(binaries.read("a")?.as_deref(), Some("{1}"));
        binaries.put("a", b"{333}")?;
        assert_eq!(binaries.read("a")?.as_deref(), Some("{333}"));
        assert_eq!(binaries.read("b")?.as_deref(), Some("{22}"));
        assert_eq!(binaries.read("c")?, None);
        Ok(())
    }
}
