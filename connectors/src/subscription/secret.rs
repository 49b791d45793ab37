//! Who may send.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::settings::Settings;
use crate::source::SourceError;

type Hash = [u8; 32];

/// The secrets that are accepted, as hashes. Without any, everybody may send.
pub(super) struct Secrets {
    tokens: Option<File>,
    user: Option<String>,
    password: Option<File>,
}

/// The lines of a file, read again when it changes.
struct File {
    path: PathBuf,
    lines: Mutex<(Option<SystemTime>, Vec<Hash>)>,
}

impl Secrets {
    /// # Errors
    /// A file cannot be read, or is empty.
    pub fn read(settings: &Settings) -> Result<Self, SourceError> {
        let open = |path: &Option<PathBuf>| path.as_deref().map(File::open).transpose();
        Ok(Secrets { tokens: open(&settings.token_file)?, user: settings.user.clone(), password: open(&settings.password_file)? })
    }

    /// Whether the header of a request shows a secret.
    pub fn accepts(&self, header: Option<&HeaderValue>) -> bool {
        if self.tokens.is_none() && self.password.is_none() {
            return true;
        }
        let Some((scheme, value)) = header.and_then(|h| h.to_str().ok()).and_then(|h| h.trim().split_once(' ')) else { return false };
        let value = value.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.tokens.as_ref().is_some_and(|tokens| tokens.holds(value.as_bytes()));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return false;
        }
        let (Some(user), Some(password), Ok(pair)) = (&self.user, &self.password, STANDARD.decode(value)) else { return false };
        let Some(colon) = pair.iter().position(|b| *b == b':') else { return false };
        // Both are looked at whatever the first says.
        same(&hash(&pair[..colon]), &hash(user.as_bytes())) & password.holds(&pair[colon + 1..])
    }

    /// What a sender may show itself with.
    pub fn challenge(&self) -> &'static str {
        if self.tokens.is_some() { "Bearer realm=\"sillage\"" } else { "Basic realm=\"sillage\"" }
    }
}

impl File {
    fn open(path: &Path) -> Result<Self, SourceError> {
        let wrong = |message: String| SourceError::Setting { place: path.display().to_string(), message };
        let file = File { path: path.to_owned(), lines: Mutex::default() };
        let lines = file.read().map_err(|error| wrong(format!("it cannot be read: {error}")))?;
        if lines.1.is_empty() {
            return Err(wrong("it is empty; write the secret into it".into()));
        }
        *file.lines.lock().unwrap_or_else(PoisonError::into_inner) = lines;
        Ok(file)
    }

    fn read(&self) -> std::io::Result<(Option<SystemTime>, Vec<Hash>)> {
        let changed = fs::metadata(&self.path)?.modified().ok();
        let bytes = fs::read(&self.path)?;
        Ok((changed, bytes.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|l| !l.is_empty()).map(hash).collect()))
    }

    fn holds(&self, secret: &[u8]) -> bool {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = fs::metadata(&self.path).and_then(|m| m.modified()).ok();
        // One that cannot be read for a moment, or was emptied by mistake, changes nothing.
        if changed != lines.0
            && let Ok(fresh) = self.read()
            && !fresh.1.is_empty()
        {
            *lines = fresh;
        }
        let shown = hash(secret);
        lines.1.iter().fold(false, |found, known| found | same(known, &shown))
    }
}

fn hash(secret: &[u8]) -> Hash {
    Sha256::digest(secret).into()
}

/// In the same time whatever they hold.
fn same(one: &Hash, other: &Hash) -> bool {
    std::hint::black_box(one.iter().zip(other).fold(0, |difference, (a, b)| difference | (a ^ b))) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    type R = Result<(), Box<dyn std::error::Error>>;

    fn accepts(secrets: &Secrets, header: &str) -> bool {
        secrets.accepts(HeaderValue::from_str(header).ok().as_ref())
    }

    #[test]
    fn tokens_and_passwords() -> R {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        fs::write(path("token"), "jeton-un\njeton-deux\n\n")?;
        fs::write(path("password"), "mot de passe\n")?;
        let settings = Settings {
            token_file: Some(path("token")),
            user: Some("moteur".into()),
            password_file: Some(path("password")),
            ..Settings::default()
        };
        let secrets = Secrets::read(&settings)?;
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        assert!(accepts(&secrets, "Bearer jeton-un") && accepts(&secrets, "bearer  jeton-deux"));
        assert!(accepts(&secrets, &basic("moteur:mot de passe")));
        for wrong in ["", "Bearer", "Bearer ", "Bearer jeton", "Bearer moteur:mot de passe", "Digest x", "jeton-un"] {
            assert!(!accepts(&secrets, wrong), "{wrong}");
        }
        for wrong in ["moteur:", "moteur:mot", "autre:mot de passe", "moteur", ":"] {
            assert!(!accepts(&secrets, &basic(wrong)), "{wrong}");
        }
        assert!(!secrets.accepts(None));
        Ok(())
    }

    #[test]
    fn a_token_that_changes_is_read_again() -> R {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("token");
        fs::write(&path, "avant")?;
        let secrets = Secrets::read(&Settings { token_file: Some(path.clone()), ..Settings::default() })?;
        assert!(accepts(&secrets, "Bearer avant"));
        fs::write(&path, "après")?;
        fs::File::options().append(true).open(&path)?.set_modified(SystemTime::now() + std::time::Duration::from_secs(5))?;
        assert!(!accepts(&secrets, "Bearer avant"));
        fs::write(&path, "dernier")?;
        assert!(accepts(&secrets, "Bearer dernier"));
        fs::remove_file(&path)?;
        assert!(accepts(&secrets, "Bearer dernier"));
        Ok(())
    }

    #[test]
    fn without_secrets_everybody_may_and_empty_files_are_refused() -> R {
        assert!(Secrets::read(&Settings::default())?.accepts(None));
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("token");
        fs::write(&path, " \n")?;
        for file in [path, folder.path().join("absent")] {
            assert!(Secrets::read(&Settings { token_file: Some(file), ..Settings::default() }).is_err());
        }
        Ok(())
    }
}
