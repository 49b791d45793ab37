//! Attachments made of pages: read by the pool before the stages, kept in the
//! restricted zone under their digest, never read twice.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, Float32Builder, Int32Array, Int32Builder, ListBuilder, RecordBatch, StringArray,
    StringBuilder,
};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Field, Int32Type};
use datafusion::execution::context::SessionContext;
use sha2::{Digest, Sha256};
use sillage_connectors::{DeadLetter, Seal};
use sillage_pages::{Failure, Pool, Reading, Settings};
use sillage_schemas::tables::{incoming_page_spans, table};

use crate::error::{Error, Result};
use crate::store::Store;

/// Folder of the attachments, in the restricted zone.
pub(crate) const ATTACHMENTS: &str = "_attachments";
/// How the program is started as a process that reads attachments.
pub(crate) const WORKER: &str = "pages-worker";
/// Of a document that has more on its pages than could be read.
const UNREAD: &str = "pages_unread";
/// Between the text that comes with a document and that of its pages, and between these.
const BETWEEN: &str = "\n\n";

/// Attachments on disk: bytes and what was read from them.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    folder: PathBuf,
    /// What a reading hangs on besides the bytes.
    reader: String,
    /// Where the restricted zone is encrypted, so are these.
    seal: Option<Arc<Seal>>,
}

impl Files {
    pub fn new(store: &Store, settings: &Settings) -> Files {
        Files::below(store.root(), settings, store.seal())
    }

    fn below(out: &Path, settings: &Settings, seal: Option<Arc<Seal>>) -> Files {
        let reader = format!("sillage-pages 1 {} {} {}\n", settings.languages, settings.resolution, settings.margins_apart);
        Files { folder: out.join("restricted").join(ATTACHMENTS), reader, seal }
    }

    fn path(&self, sha256: &str) -> PathBuf {
        self.folder.join(sha256.get(..2).unwrap_or("__")).join(sha256)
    }

    fn reading_path(&self, sha256: &str) -> PathBuf {
        self.path(sha256).with_extension("reading")
    }

    pub fn bytes(&self, sha256: &str) -> Option<Vec<u8>> {
        self.open(sha256, std::fs::read(self.path(sha256)).ok()?)
    }

    fn open(&self, place: &str, stored: Vec<u8>) -> Option<Vec<u8>> {
        match &self.seal {
            Some(seal) => seal.open(place.as_bytes(), &stored).ok(),
            None => Some(stored),
        }
    }

    fn write(&self, path: &Path, place: &str, bytes: &[u8]) -> Result<()> {
        match &self.seal {
            Some(seal) => {
                let sealed = seal.seal(place.as_bytes(), bytes).map_err(|e| Error::Internal(format!("attachments: {e}")))?;
                write(path, &sealed)
            }
            None => write(path, bytes),
        }
    }

    fn reading(&self, sha256: &str) -> Option<Reading> {
        let stored = self.open(&format!("{sha256}.reading"), std::fs::read(self.reading_path(sha256)).ok()?)?;
        Reading::decode(stored.strip_prefix(self.reader.as_bytes())?)
    }

    /// Keeps an attachment, for its owner's eyes only, and what it says. A reading
    /// that lacks pages is not kept: the next one may do better.
    fn keep(&self, sha256: &str, bytes: &[u8], reading: &Reading) -> Result<()> {
        if !self.path(sha256).exists() {
            self.write(&self.path(sha256), sha256, bytes)?;
        }
        if reading.unread.is_empty() {
            let stored = [self.reader.as_bytes(), &reading.encode()].concat();
            self.write(&self.reading_path(sha256), &format!("{sha256}.reading"), &stored)?;
        }
        Ok(())
    }

    /// Removes every attachment that is not among these; gives their number.
    pub fn sweep(&self, kept: &BTreeSet<String>) -> Result<u64> {
        let mut removed = 0;
        let Ok(folders) = std::fs::read_dir(&self.folder) else { return Ok(0) };
        for folder in folders {
            let folder = folder.map_err(Error::io(&self.folder))?.path();
            for file in std::fs::read_dir(&folder).map_err(Error::io(&folder))? {
                let path = file.map_err(Error::io(&folder))?.path();
                let sha256 = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                if !kept.contains(sha256) {
                    removed += u64::from(path.extension().is_none());
                    std::fs::remove_file(&path).map_err(Error::io(&path))?;
                }
            }
        }
        Ok(removed)
    }
}

/// A file that is there as a whole or not at all, readable by its owner.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write;
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let Some(folder) = path.parent() else { return Err(Error::Internal("an attachment without a folder".to_owned())) };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        builder.mode(0o700);
        options.mode(0o600);
    }
    builder.create(folder).map_err(Error::io(folder))?;
    let partial = path.with_extension(format!("partial{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    let mut file = options.open(&partial).map_err(Error::io(&partial))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(Error::io(&partial))?;
    std::fs::rename(&partial, path).map_err(Error::io(path))
}

pub(super) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Reads the attachments of epochs.
#[derive(Debug)]
pub(super) struct Attachments {
    pool: Pool,
    files: Files,
}

/// Documents with the text of their attachments.
pub(super) struct Paged {
    pub documents: RecordBatch,
    /// Rows of [`incoming_page_spans`].
    pub page_spans: RecordBatch,
    pub dead_letters: Vec<DeadLetter>,
}

type Outcome = std::result::Result<Arc<Reading>, Failure>;

impl Attachments {
    pub fn new(store: &Store, settings: &Settings) -> Attachments {
        Attachments::below(store.root(), settings, store.seal())
    }

    /// The same for a folder without tables.
    pub fn below(out: &Path, settings: &Settings, seal: Option<Arc<Seal>>) -> Attachments {
        Attachments { pool: Pool::of_this_program(settings.clone(), WORKER), files: Files::below(out, settings, seal) }
    }

    /// Puts the text of attachments into the rows of their documents. A document
    /// none of whose attachments can be read, and that has no other text, becomes a
    /// dead letter.
    ///
    /// Blocks; errors: attachments cannot be kept.
    pub fn read(&self, documents: &RecordBatch) -> Result<Paged> {
        let column = |name: &str| documents.column_by_name(name).ok_or_else(|| Error::Internal(format!("documents without {name}")));
        let lists = |name: &str| {
            Ok::<_, Error>(column(name)?.as_list_opt::<i32>().ok_or_else(|| Error::Internal(format!("{name} is no list")))?.clone())
        };
        let (attachments, hashes) = (lists("attachments")?, lists("attachment_sha256")?);
        if attachments.values().is_empty() && hashes.values().is_empty() {
            return Ok(Paged {
                documents: documents.clone(),
                page_spans: RecordBatch::new_empty(incoming_page_spans()),
                dead_letters: Vec::new(),
            });
        }
        let strings = |name: &str| text_array(column(name)?);
        let (texts, margins, ids, places, statuses) =
            (strings("text")?, strings("margins")?, strings("source_document_id")?, strings("place")?, strings("status")?);
        let versions: Int32Array = column("document_version")?.as_primitive::<Int32Type>().clone();
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut of_row: Vec<Vec<usize>> = vec![Vec::new(); documents.num_rows()];
        for (row, of_row) in of_row.iter_mut().enumerate() {
            if statuses.value(row) == "entered-in-error" {
                continue;
            }
            let bytes = attachments.is_valid(row).then(|| attachments.value(row));
            let fresh = bytes.iter().flat_map(|list| list.as_binary::<i32>().iter().flatten().map(<[u8]>::to_vec).collect::<Vec<_>>());
            for bytes in fresh {
                of_row.push(wanted.len());
                wanted.push(Wanted { sha256: digest(&bytes), bytes: Some(bytes) });
            }
            if of_row.is_empty() && hashes.is_valid(row) {
                // Read before: only where its words stand is looked up.
                for sha256 in text_array(&hashes.value(row))?.iter().flatten() {
                    of_row.push(wanted.len());
                    wanted.push(Wanted { sha256: sha256.to_owned(), bytes: None });
                }
            }
        }
        let readings = self.all(&wanted)?;
        let mut out = Columns::default();
        let mut keep = Vec::with_capacity(documents.num_rows());
        let mut dead_letters = Vec::new();
        for (row, of_row) in of_row.iter().enumerate() {
            let had = texts.is_valid(row).then(|| texts.value(row));
            let fresh = of_row.iter().any(|at| wanted[*at].bytes.is_some());
            let key = (ids.value(row), places.value(row), versions.is_valid(row).then(|| versions.value(row)));
            if !fresh {
                out.stored(had, of_row, &wanted, &readings, margins.is_valid(row).then(|| margins.value(row)), key);
                keep.push(true);
                continue;
            }
            let failure = of_row.iter().find_map(|at| readings[*at].as_ref().err().copied());
            let unread = of_row.iter().any(|at| readings[*at].as_ref().is_ok_and(|r| !r.unread.is_empty()));
            let any = of_row.iter().any(|at| readings[*at].is_ok());
            if failure.is_some() || unread {
                let reason = failure.map_or(UNREAD, Failure::reason);
                let detail = failure.map_or_else(|| "some of its pages hold no text that could be read".to_owned(), |f| f.to_string());
                dead_letters.push(super::epoch::dead_letter(documents, row, reason, &detail)?);
            }
            let stands = any || had.is_some_and(|text| !text.trim().is_empty());
            keep.push(stands);
            out.fresh(had, of_row, &wanted, &readings, key);
        }
        let (documents, page_spans) = out.finish(documents)?;
        let documents = filter_record_batch(&documents, &BooleanArray::from(keep)).map_err(failed)?;
        Ok(Paged { documents, page_spans, dead_letters })
    }

    /// Readings of attachments, in their order; each attachment is read once.
    fn all(&self, wanted: &[Wanted]) -> Result<Vec<Outcome>> {
        let mut first: HashMap<&str, usize> = HashMap::new();
        let mut queue = VecDeque::new();
        for (at, attachment) in wanted.iter().enumerate() {
            let known = first.entry(&attachment.sha256).or_insert(at);
            if *known == at || wanted[*known].bytes.is_none() && attachment.bytes.is_some() {
                *known = at;
                queue.push_back(at);
            }
        }
        let queue = Mutex::new(queue);
        let done: Mutex<HashMap<usize, Result<Outcome>>> = Mutex::default();
        std::thread::scope(|scope| {
            for _ in 0..self.pool.width() {
                scope.spawn(|| {
                    loop {
                        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                        let Some(at) = next else { return };
                        let outcome = self.one(&wanted[at]);
                        done.lock().unwrap_or_else(PoisonError::into_inner).insert(at, outcome);
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut outcomes: HashMap<&str, Outcome> = HashMap::new();
        for (sha256, at) in first {
            let outcome = done.remove(&at).unwrap_or(Ok(Err(Failure::Crashed)))?;
            outcomes.insert(sha256, outcome);
        }
        Ok(wanted.iter().map(|w| outcomes.get(w.sha256.as_str()).cloned().unwrap_or(Err(Failure::Crashed))).collect())
    }

    fn one(&self, wanted: &Wanted) -> Result<Outcome> {
        if let Some(reading) = self.files.reading(&wanted.sha256) {
            return Ok(Ok(Arc::new(reading)));
        }
        let stored;
        let bytes = match &wanted.bytes {
            Some(bytes) => bytes,
            None => match self.files.bytes(&wanted.sha256) {
                Some(bytes) => {
                    stored = bytes;
                    &stored
                }
                None => return Ok(Err(Failure::Damaged)),
            },
        };
        let started = std::time::Instant::now();
        let outcome = self.pool.read(bytes);
        metrics::histogram!("sillage_attachment_seconds").record(started.elapsed().as_secs_f64());
        match outcome {
            Ok(reading) => {
                metrics::counter!("sillage_pages_total").increment(u64::from(reading.pages));
                self.files.keep(&wanted.sha256, bytes, &reading)?;
                Ok(Ok(Arc::new(reading)))
            }
            Err(failure) => {
                metrics::counter!("sillage_attachment_failures_total", "reason" => failure.reason()).increment(1);
                tracing::debug!(reason = failure.reason(), "an attachment gives no text");
                Ok(Err(failure))
            }
        }
    }
}

/// An attachment to be read.
struct Wanted {
    sha256: String,
    /// `None` where its text is in the document already.
    bytes: Option<Vec<u8>>,
}

/// Id, place and version of a row.
type RowKey<'k> = (&'k str, &'k str, Option<i32>);

/// The columns that attachments fill, and the rows of their words.
#[derive(Default)]
struct Columns {
    texts: Vec<Option<String>>,
    margins: Vec<Option<String>>,
    hashes: Vec<Vec<String>>,
    ids: StringBuilder,
    places: StringBuilder,
    versions: Int32Builder,
    numbers: [Int32Builder; 4],
    boxes: [Float32Builder; 5],
}

impl Columns {
    fn fresh(&mut self, had: Option<&str>, attachments: &[usize], wanted: &[Wanted], readings: &[Outcome], key: RowKey<'_>) {
        let mut text = had.unwrap_or_default().to_owned();
        let mut margins: Vec<&str> = Vec::new();
        let mut hashes = Vec::new();
        for at in attachments {
            let Ok(reading) = &readings[*at] else { continue };
            if !text.is_empty() {
                text.push_str(BETWEEN);
            }
            hashes.push(wanted[*at].sha256.clone());
            self.words(reading, text.chars().count() as i32, hashes.len() as i32, key);
            text.push_str(&reading.text);
            margins.extend(Some(reading.margins.as_str()).filter(|m| !m.is_empty()));
        }
        self.texts.push((had.is_some() || !hashes.is_empty()).then_some(text));
        self.margins.push((!margins.is_empty()).then(|| margins.join("\n")));
        self.hashes.push(hashes);
    }

    /// A text that holds that of its attachments already.
    fn stored(
        &mut self,
        had: Option<&str>,
        attachments: &[usize],
        wanted: &[Wanted],
        readings: &[Outcome],
        margins: Option<&str>,
        key: RowKey<'_>,
    ) {
        if let Some(text) = had.filter(|_| !attachments.is_empty()) {
            let read: Vec<Option<&Arc<Reading>>> = attachments.iter().map(|at| readings[*at].as_ref().ok()).collect();
            let tail: Option<Vec<&str>> = read.iter().map(|r| r.map(|r| r.text.as_str())).collect();
            let tail = tail.map(|parts| parts.join(BETWEEN));
            // Words stand where they stood when the text was made, or nowhere.
            match tail.filter(|tail| text.ends_with(tail.as_str())) {
                Some(tail) => {
                    let mut start = text[..text.len() - tail.len()].chars().count();
                    for (at, reading) in read.into_iter().flatten().enumerate() {
                        self.words(reading, start as i32, at as i32 + 1, key);
                        start += reading.text.chars().count() + BETWEEN.len();
                    }
                }
                None => tracing::warn!(place = key.1, "the pages of a stored document cannot be read again; its rows of page_spans go"),
            }
        }
        self.texts.push(had.map(str::to_owned));
        self.margins.push(margins.map(str::to_owned));
        self.hashes.push(attachments.iter().map(|at| wanted[*at].sha256.clone()).collect());
    }

    fn words(&mut self, reading: &Reading, from: i32, attachment: i32, (id, place, version): RowKey<'_>) {
        for word in &reading.words {
            self.ids.append_value(id);
            self.places.append_value(place);
            self.versions.append_option(version);
            let numbers = [from + word.start as i32, from + word.end as i32, attachment, word.page as i32];
            self.numbers.iter_mut().zip(numbers).for_each(|(column, value)| column.append_value(value));
            let at = &word.at;
            let values = [Some(at.left), Some(at.bottom), Some(at.right), Some(at.top), word.confidence];
            self.boxes.iter_mut().zip(values).for_each(|(column, value)| column.append_option(value));
        }
    }

    fn finish(mut self, documents: &RecordBatch) -> Result<(RecordBatch, RecordBatch)> {
        let mut columns: Vec<ArrayRef> =
            vec![Arc::new(self.ids.finish()), Arc::new(self.places.finish()), Arc::new(self.versions.finish())];
        columns.extend(self.numbers.iter_mut().map(|c| Arc::new(c.finish()) as ArrayRef));
        columns.extend(self.boxes.iter_mut().map(|c| Arc::new(c.finish()) as ArrayRef));
        let page_spans = RecordBatch::try_new(incoming_page_spans(), columns).map_err(failed)?;
        let mut none = ListBuilder::new(BinaryBuilder::new()).with_field(Field::new("element", DataType::Binary, true));
        let mut hashes = ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true));
        for of_row in self.hashes {
            of_row.iter().for_each(|sha256| hashes.values().append_value(sha256));
            hashes.append(true);
            none.append(true);
        }
        let (none, hashes): (ArrayRef, ArrayRef) = (Arc::new(none.finish()), Arc::new(hashes.finish()));
        let (texts, margins): (ArrayRef, ArrayRef) = (Arc::new(StringArray::from(self.texts)), Arc::new(StringArray::from(self.margins)));
        let schema = documents.schema();
        let columns = schema.fields().iter().zip(documents.columns()).map(|(field, column)| match field.name().as_str() {
            "text" => texts.clone(),
            "margins" => margins.clone(),
            "attachments" => none.clone(),
            "attachment_sha256" => hashes.clone(),
            _ => column.clone(),
        });
        Ok((RecordBatch::try_new(documents.schema(), columns.collect()).map_err(failed)?, page_spans))
    }
}

fn text_array(array: &ArrayRef) -> Result<StringArray> {
    Ok(cast(array, &DataType::Utf8).map_err(failed)?.as_string::<i32>().clone())
}

fn failed(error: arrow::error::ArrowError) -> Error {
    Error::Internal(format!("attachments: {error}"))
}

/// Removes the attachments that no document has any more. Call it while no run is
/// under way: what an epoch has read and not yet committed would go, too.
pub(crate) async fn sweep(store: &Store) -> Result<u64> {
    let Some(table) = table("source_documents") else { return Err(Error::Internal("no table source_documents".to_owned())) };
    // Without the key of the restricted zone nothing says what may go.
    if store.tables().all(|t| t.name != table.name) {
        return Ok(0);
    }
    let session = SessionContext::new();
    let rows = session.read_table(store.provider(table).await?).map_err(Box::new)?;
    // Tables of before attachments were kept lack the column.
    let mut kept = BTreeSet::new();
    if rows.schema().has_column_with_unqualified_name("attachment_sha256") {
        for batch in rows.select_columns(&["attachment_sha256"]).map_err(Box::new)?.collect().await.map_err(Box::new)? {
            if let Some(lists) = batch.column(0).as_list_opt::<i32>() {
                kept.extend(text_array(lists.values())?.iter().flatten().map(str::to_owned));
            }
        }
    }
    Files::new(store, &Settings::default()).sweep(&kept)
}
