//! The restricted zone encrypted at rest.
//!
//! The Delta library of this version cannot read encrypted Parquet, so that every
//! file of a restricted table (data, log, checkpoint) is sealed as a whole, below it:
//! 16 random bytes, then pieces of 64 KiB, each sealed with its number and whether it
//! is the last one, so that a range is read without the rest and no piece can be
//! changed, moved to another file or cut off unnoticed. The key is a file of its own.

use std::fmt;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use deltalake::logstore::logstore_factories;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use hmac::{Hmac, Mac};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error as StoreError, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result as StoreResult, UploadPart,
};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use sillage_connectors::Seal;
use url::Url;

use crate::error::{Error, Result};
use crate::pseudonym::Key;

/// What an encrypted folder says of itself, in the restricted zone.
const MARKER: &str = "encryption.json";
/// Names the key file where the folder does not know it (any more).
pub const KEY_FILE: &str = "SILLAGE_ENCRYPTION_KEY_FILE";
/// Scheme of encrypted tables: plain ones of the same session keep `file`.
const SCHEME: &str = "sillage-sealed";
/// Plain bytes of a piece.
const PIECE: u64 = 64 * 1024;
const SEALED: u64 = PIECE + Seal::OVERHEAD as u64;
/// Random bytes at the start of a file: what ties its pieces together.
const SALT: u64 = 16;

/// `encryption.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    cipher: String,
    /// Where the key was when the folder was made.
    key_file: PathBuf,
    /// Tells this key from others, and says nothing of it.
    check: String,
}

/// The cipher of an output folder.
#[derive(Clone)]
pub struct Encryption {
    seal: Arc<Seal>,
}

impl Encryption {
    /// The cipher of a folder that may be new; none when neither the folder nor
    /// the caller asks for one.
    ///
    /// Errors: the key cannot be read, is another one, or the folder holds tables in
    /// clear already.
    pub fn of(restricted: &FilePath, key_file: Option<&FilePath>) -> Result<Option<Encryption>> {
        let marker = restricted.join(MARKER);
        if marker.is_file() {
            return Self::opened(restricted, key_file);
        }
        let Some(key_file) = key_file else { return Ok(None) };
        let tables = std::fs::read_dir(restricted).map_err(Error::io(restricted))?;
        if tables.flatten().any(|t| t.path().join("_delta_log").is_dir()) {
            let message = format!("{} holds tables in clear; encrypt from the first run, into a new folder", restricted.display());
            return Err(Error::Configuration(message));
        }
        let key = Key::read(key_file)?;
        let key_file = key_file.canonicalize().map_err(Error::io(key_file))?;
        let content = Marker { cipher: "AES-256-GCM".to_owned(), key_file, check: check(&key) };
        let content = serde_json::to_string_pretty(&content).map_err(|_| Error::Internal("a marker has no JSON form".to_owned()))?;
        std::fs::write(&marker, content + "\n").map_err(Error::io(&marker))?;
        Ok(Some(Self::with(&key)))
    }

    /// The cipher of a folder that says it is encrypted.
    ///
    /// Errors: the key cannot be read or is another one.
    pub fn existing(restricted: &FilePath) -> Result<Option<Encryption>> {
        Self::opened(restricted, None)
    }

    fn opened(restricted: &FilePath, key_file: Option<&FilePath>) -> Result<Option<Encryption>> {
        let path = restricted.join(MARKER);
        if !path.is_file() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        let marker: Marker = serde_json::from_str(&text).map_err(|e| {
            Error::Configuration(format!("{}: line {}: not what an encrypted folder says of itself", path.display(), e.line()))
        })?;
        let named = std::env::var_os(KEY_FILE).map(PathBuf::from);
        let key_file = key_file.map(FilePath::to_owned).or(named).unwrap_or(marker.key_file);
        let key = Key::read(&key_file).map_err(|error| match error {
            Error::Key { path, message } => {
                let message = format!("{message}; the restricted tables are encrypted, name their key file in {KEY_FILE}");
                Error::Key { path, message }
            }
            other => other,
        })?;
        if check(&key) != marker.check {
            let message = "not the key that the restricted tables are encrypted with".to_owned();
            return Err(Error::Key { path: key_file, message });
        }
        Ok(Some(Self::with(&key)))
    }

    fn with(key: &Key) -> Encryption {
        Encryption { seal: Arc::new(Seal::new(&key.encryption())) }
    }

    /// The cipher itself, for what else lies in the restricted zone.
    pub fn seal(&self) -> Arc<Seal> {
        self.seal.clone()
    }

    /// Where an encrypted table is, and the store that reads and writes it.
    pub fn table(&self, file: &Url) -> Result<(Arc<dyn ObjectStore>, Url)> {
        let scheme = |name: &str| Url::parse(&format!("{name}://")).map_err(|e| Error::Internal(format!("{name}: {e}")));
        let factories = logstore_factories();
        if !factories.contains_key(&scheme(SCHEME)?) {
            let Some(local) = factories.get(&scheme("file")?).map(|f| f.value().clone()) else {
                return Err(Error::Internal("no log store for files".to_owned()));
            };
            factories.insert(scheme(SCHEME)?, local);
        }
        let url = Url::parse(&format!("{SCHEME}://{}", file.path())).map_err(|e| Error::Internal(format!("{file}: {e}")))?;
        let files = object_store::local::LocalFileSystem::new();
        Ok((Arc::new(Sealed { files: Arc::new(files), seal: self.seal.clone() }), url))
    }
}

fn check(key: &Key) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key.encryption()) else { unreachable!("HMAC accepts any key length") };
    mac.update(b"check");
    mac.finalize().into_bytes()[..8].iter().map(|b| format!("{b:02x}")).collect()
}

/// A store of sealed files.
#[derive(Debug)]
struct Sealed {
    files: Arc<dyn ObjectStore>,
    seal: Arc<Seal>,
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({})", self.files)
    }
}

/// Plain bytes of a sealed file.
fn plain_size(sealed: u64) -> u64 {
    let pieces = sealed.saturating_sub(SALT).div_ceil(SEALED);
    sealed.saturating_sub(SALT + pieces * Seal::OVERHEAD as u64)
}

/// Pieces of a file; an empty one has an empty piece.
fn pieces(plain: u64) -> u64 {
    plain.div_ceil(PIECE).max(1)
}

fn place(salt: &[u8], piece: u64, last: bool) -> Vec<u8> {
    let mut place = salt.to_vec();
    place.extend_from_slice(&piece.to_le_bytes());
    place.push(u8::from(last));
    place
}

fn failed(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Generic { store: "encrypted", source: what.into() }
}

fn new_salt() -> StoreResult<[u8; SALT as usize]> {
    let mut salt = [0; SALT as usize];
    getrandom::fill(&mut salt).map_err(|e| failed(e.to_string()))?;
    Ok(salt)
}

/// A log is read in the order of its names, which folders do not keep.
fn in_order(found: BoxStream<'static, StoreResult<ObjectMeta>>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
    let sorted = async move {
        let mut found: Vec<ObjectMeta> = found.map_ok(plain_meta).try_collect().await?;
        found.sort_by(|a, b| a.location.cmp(&b.location));
        Ok::<_, StoreError>(futures::stream::iter(found.into_iter().map(Ok)))
    };
    futures::stream::once(sorted).try_flatten().boxed()
}

fn plain_meta(mut meta: ObjectMeta) -> ObjectMeta {
    meta.size = plain_size(meta.size);
    meta
}

impl Sealed {
    /// Plain bytes of a range of a file.
    async fn read(&self, location: &Path, sealed_size: u64, range: Range<u64>) -> StoreResult<Bytes> {
        let count = pieces(plain_size(sealed_size));
        let (first, last) = (range.start / PIECE, range.end.saturating_sub(1).max(range.start) / PIECE);
        let body = SALT + first * SEALED..(SALT + (last + 1) * SEALED).min(sealed_size);
        let [salt, body] =
            self.files.get_ranges(location, &[0..SALT, body]).await?.try_into().map_err(|_| failed("two ranges asked for"))?;
        let mut plain = BytesMut::with_capacity(body.len());
        for (piece, sealed) in (first..).zip(body.chunks(SEALED as usize)) {
            let opened = self.seal.open(&place(&salt, piece, piece + 1 == count), sealed);
            plain.extend_from_slice(&opened.map_err(|e| failed(format!("{location}: {e}")))?);
        }
        let start = (range.start - first * PIECE) as usize;
        let length = (range.end - range.start) as usize;
        let plain = plain.freeze();
        if start + length > plain.len() {
            return Err(failed(format!("{location}: cut off")));
        }
        Ok(plain.slice(start..start + length))
    }
}

#[async_trait]
impl ObjectStore for Sealed {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> StoreResult<PutResult> {
        let mut writer = Writer::new(self.seal.clone())?;
        let mut sealed = writer.push(&Bytes::from(payload))?;
        sealed.extend(writer.finish()?);
        self.files.put_opts(location, sealed.into(), options).await
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> StoreResult<Box<dyn MultipartUpload>> {
        let upload = self.files.put_multipart_opts(location, options).await?;
        Ok(Box::new(Upload { upload, writer: Some(Writer::new(self.seal.clone())?) }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> StoreResult<GetResult> {
        let GetOptions { range, head, .. } = options.clone();
        let found = self.files.get_opts(location, GetOptions { range: None, head: true, ..options }).await?;
        let sealed_size = found.meta.size;
        let meta = plain_meta(found.meta);
        let range = match range {
            Some(GetRange::Bounded(range)) if range.start < range.end && range.start < meta.size => range.start..range.end.min(meta.size),
            Some(GetRange::Offset(start)) if start < meta.size => start..meta.size,
            Some(GetRange::Suffix(length)) => meta.size.saturating_sub(length)..meta.size,
            None => 0..meta.size,
            Some(_) => return Err(failed(format!("{location}: no such range"))),
        };
        let bytes = if head { Bytes::new() } else { self.read(location, sealed_size, range.clone()).await? };
        let payload = GetResultPayload::Stream(futures::stream::once(async move { Ok(bytes) }).boxed());
        Ok(GetResult { payload, meta, range, attributes: found.attributes })
    }

    fn delete_stream(&self, locations: BoxStream<'static, StoreResult<Path>>) -> BoxStream<'static, StoreResult<Path>> {
        self.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        in_order(self.files.list(prefix))
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        in_order(self.files.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        let mut found = self.files.list_with_delimiter(prefix).await?;
        found.objects = found.objects.into_iter().map(plain_meta).collect();
        Ok(found)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.files.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> StoreResult<()> {
        self.files.rename_opts(from, to, options).await
    }
}

/// Makes the pieces of one file.
#[derive(Debug)]
struct Writer {
    seal: Arc<Seal>,
    salt: [u8; SALT as usize],
    /// Begun, not sealed: it may be the last one.
    open: Vec<u8>,
    pieces: u64,
}

impl Writer {
    fn new(seal: Arc<Seal>) -> StoreResult<Writer> {
        Ok(Writer { seal, salt: new_salt()?, open: Vec::new(), pieces: 0 })
    }

    fn piece(&mut self, plain: &[u8], last: bool) -> StoreResult<Vec<u8>> {
        let mut sealed = if self.pieces == 0 { self.salt.to_vec() } else { Vec::new() };
        sealed.extend(self.seal.seal(&place(&self.salt, self.pieces, last), plain).map_err(failed)?);
        self.pieces += 1;
        Ok(sealed)
    }

    /// Takes bytes in; what is surely not the last piece comes out.
    fn push(&mut self, bytes: &[u8]) -> StoreResult<Vec<u8>> {
        self.open.extend_from_slice(bytes);
        let mut sealed = Vec::new();
        let plain = std::mem::take(&mut self.open);
        let mut rest = plain.as_slice();
        while rest.len() as u64 > PIECE {
            let (full, more) = rest.split_at(PIECE as usize);
            sealed.extend(self.piece(full, false)?);
            rest = more;
        }
        self.open = rest.to_vec();
        Ok(sealed)
    }

    fn finish(mut self) -> StoreResult<Vec<u8>> {
        let plain = std::mem::take(&mut self.open);
        self.piece(&plain, true)
    }
}

/// A file that comes in parts.
#[derive(Debug)]
struct Upload {
    upload: Box<dyn MultipartUpload>,
    writer: Option<Writer>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let sealed = match self.writer.as_mut().map(|w| w.push(&Bytes::from(data))) {
            Some(Ok(sealed)) => sealed,
            Some(Err(error)) => return async move { Err(error) }.boxed(),
            None => return async { Err(failed("a part behind the end")) }.boxed(),
        };
        if sealed.is_empty() { async { Ok(()) }.boxed() } else { self.upload.put_part(sealed.into()) }
    }

    async fn complete(&mut self) -> StoreResult<PutResult> {
        if let Some(writer) = self.writer.take() {
            self.upload.put_part(writer.finish()?.into()).await?;
        }
        self.upload.complete().await
    }

    async fn abort(&mut self) -> StoreResult<()> {
        self.upload.abort().await
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    use super::*;

    fn store() -> (Arc<InMemory>, Sealed) {
        let files = Arc::new(InMemory::new());
        (files.clone(), Sealed { files, seal: Arc::new(Seal::new(&[3; 32])) })
    }

    fn text(length: u64) -> Vec<u8> {
        (0..length).map(|i| (i * 7 % 251) as u8).collect()
    }

    #[tokio::test]
    async fn files_of_every_size_come_back_in_every_range() {
        let (files, sealed) = store();
        for size in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 17] {
            let (path, plain) = (Path::from("t/a"), text(size));
            sealed.put(&path, plain.clone().into()).await.unwrap();
            assert_eq!(sealed.head(&path).await.unwrap().size, size);
            assert_eq!(sealed.get(&path).await.unwrap().bytes().await.unwrap(), plain, "{size}");
            let listed: Vec<_> = sealed.list(None).map(|m| m.unwrap().size).collect().await;
            assert_eq!(listed, [size]);
            for range in [0..1, size / 2..size, size.saturating_sub(8)..size, 100..PIECE + 100] {
                if range.start < range.end && range.end <= size {
                    let got = sealed.get_range(&path, range.clone()).await.unwrap();
                    assert_eq!(got, plain[range.start as usize..range.end as usize], "{size} {range:?}");
                }
            }
            let raw = files.get(&path).await.unwrap().bytes().await.unwrap();
            assert_eq!(raw.len() as u64, size + SALT + pieces(size) * Seal::OVERHEAD as u64);
            assert!(size < 32 || !raw.windows(16).any(|w| w == &plain[..16]), "{size}");
        }
    }

    #[tokio::test]
    async fn parts_make_the_same_file() {
        let (_, sealed) = store();
        let (path, plain) = (Path::from("t/a"), text(3 * PIECE));
        let mut upload = sealed.put_multipart(&path).await.unwrap();
        for part in plain.chunks(50_000) {
            upload.put_part(part.to_vec().into()).await.unwrap();
        }
        upload.complete().await.unwrap();
        assert_eq!(sealed.get(&path).await.unwrap().bytes().await.unwrap(), plain);
    }

    #[tokio::test]
    async fn what_is_cut_swapped_or_changed_is_refused() {
        let (files, sealed) = store();
        let path = Path::from("t/a");
        sealed.put(&path, text(2 * PIECE + 5).into()).await.unwrap();
        let raw = files.get(&path).await.unwrap().bytes().await.unwrap();
        let swapped = [
            &raw[..16],
            &raw[16 + SEALED as usize..16 + 2 * SEALED as usize],
            &raw[16..16 + SEALED as usize],
            &raw[16 + 2 * SEALED as usize..],
        ]
        .concat();
        let mut changed = raw.to_vec();
        changed[SEALED as usize / 2] ^= 1;
        for damaged in [raw[..16 + 2 * SEALED as usize].to_vec(), swapped, changed, raw[..40].to_vec(), Vec::new()] {
            files.put(&path, damaged.clone().into()).await.unwrap();
            let read = match sealed.get(&path).await {
                Ok(got) => got.bytes().await,
                Err(error) => Err(error),
            };
            assert!(read.is_err(), "{} bytes were taken for the file", damaged.len());
        }
    }

    #[test]
    fn a_folder_keeps_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("first.key"), folder.path().join("second.key"));
        Key::create(&first).unwrap();
        Key::create(&second).unwrap();
        let restricted = folder.path().join("restricted");
        std::fs::create_dir(&restricted).unwrap();
        assert!(Encryption::of(&restricted, None).unwrap().is_none());
        assert!(Encryption::of(&restricted, Some(&first)).unwrap().is_some());
        assert!(Encryption::of(&restricted, None).unwrap().is_some(), "the folder says where its key is");
        assert!(Encryption::of(&restricted, Some(&second)).is_err(), "another key");
        std::fs::remove_file(&first).unwrap();
        let Err(missing) = Encryption::existing(&restricted) else { panic!("opened without a key") };
        assert!(missing.to_string().contains(KEY_FILE), "{missing}");
        std::fs::remove_file(restricted.join(MARKER)).unwrap();
        std::fs::create_dir_all(restricted.join("identities/_delta_log")).unwrap();
        assert!(Encryption::of(&restricted, Some(&second)).is_err(), "tables in clear stay in clear");
    }
}
