//! What can be set for FHIR servers.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// The `[fhir]` part of the pipeline file. Secrets are files, never values.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub mode: Mode,
    /// Types that are asked for on their own. Patients and encounters that a
    /// document refers to come with it in any case.
    pub resources: Vec<Type>,
    /// Pause between two looks at a server that has nothing new.
    pub poll_seconds: u64,
    /// How far before the newest resource seen each look begins: longer than the
    /// server's longest transaction.
    pub overlap_seconds: u64,
    /// Resources asked for at once.
    pub page_size: usize,
    /// Whether a search asks for patients and encounters with the documents (`_include`).
    pub include: bool,
    pub deletions: Deletions,
    /// Pause between two sweeps over all ids, for servers without a history.
    pub sweep_seconds: u64,
    /// How long a patient or an encounter is believed unchanged.
    pub cache_seconds: u64,
    pub cache_entries: usize,
    /// Waits before a document whose attachment is not there is looked at again; one try each.
    pub attachment_retry_seconds: Vec<u64>,
    /// Documents whose attachments are fetched at the same time.
    pub concurrency: usize,
    /// Silence after which a request counts as failed; a whole answer may take ten times as long.
    pub timeout_seconds: u64,
    pub connect_timeout_seconds: u64,
    /// Tries of one request before the whole look is put off.
    pub max_attempts: u32,
    /// Upper bound of the first pause; each further one is twice as long.
    pub backoff_milliseconds: u64,
    pub max_backoff_seconds: u64,
    /// The largest answer that is read.
    pub max_bytes: usize,
    /// Messages that may wait in the inbox before nothing more is asked for.
    pub max_waiting: u64,
    /// Other origins (`https://host:port`) that links may lead to; they are asked with the same credentials.
    pub allowed_origins: Vec<String>,

    /// Operation of an export, after the base URL: `$export`, `Patient/$export`, `Group/12/$export`.
    pub export_path: String,
    /// Pause between two exports.
    pub export_seconds: u64,
    /// The longest pause between two questions whether an export is made, whatever
    /// the server says in `Retry-After`.
    pub export_ask_seconds: u64,
    /// How long a server may take to make an export.
    pub export_timeout_seconds: u64,

    /// File with a bearer token, read again for each request.
    pub token_file: Option<PathBuf>,
    pub user: Option<String>,
    pub password_file: Option<PathBuf>,
    /// SMART Backend Services: the client as registered with the server.
    pub client_id: Option<String>,
    /// Its private key, RSA or P-384, PKCS#8 PEM.
    pub private_key_file: Option<PathBuf>,
    pub key_id: Option<String>,
    pub scope: String,
    /// The token endpoint, where the server does not tell it by `.well-known/smart-configuration`.
    pub token_url: Option<String>,
    /// Client certificate with its chain, PEM.
    pub client_certificate: Option<PathBuf>,
    /// Its private key, PEM.
    pub client_key: Option<PathBuf>,
    /// Certificates to trust instead of the system's, PEM.
    pub authorities: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            mode: Mode::Search,
            resources: vec![Type::Patient, Type::Encounter, Type::DocumentReference],
            poll_seconds: 30,
            overlap_seconds: 300,
            page_size: 100,
            include: false,
            deletions: Deletions::Auto,
            sweep_seconds: 3600,
            cache_seconds: 300,
            cache_entries: 10_000,
            attachment_retry_seconds: vec![60, 300, 1800, 7200, 43_200, 86_400],
            concurrency: 4,
            timeout_seconds: 60,
            connect_timeout_seconds: 10,
            max_attempts: 5,
            backoff_milliseconds: 500,
            max_backoff_seconds: 60,
            max_bytes: 64 << 20,
            max_waiting: 100_000,
            allowed_origins: Vec::new(),
            export_path: "$export".to_owned(),
            export_seconds: 3600,
            export_ask_seconds: 300,
            export_timeout_seconds: 86_400,
            token_file: None,
            user: None,
            password_file: None,
            client_id: None,
            private_key_file: None,
            key_id: None,
            scope: "system/*.rs".to_owned(),
            token_url: None,
            client_certificate: None,
            client_key: None,
            authorities: None,
        }
    }
}

impl Settings {
    /// What cannot be meant, with what to do.
    pub(crate) fn check(&self) -> Result<(), String> {
        let ways = [self.token_file.is_some(), self.user.is_some(), self.client_id.is_some()];
        if ways.iter().filter(|used| **used).count() > 1 {
            return Err("token_file, user and client_id are three ways to authenticate; keep one".into());
        }
        let pairs = [
            ("user", self.user.is_some(), "password_file", self.password_file.is_some()),
            ("client_id", self.client_id.is_some(), "private_key_file", self.private_key_file.is_some()),
            ("client_certificate", self.client_certificate.is_some(), "client_key", self.client_key.is_some()),
        ];
        for (one, has_one, other, has_other) in pairs {
            if has_one != has_other {
                return Err(format!("{one} and {other} belong together; give both or neither"));
            }
        }
        if self.resources.is_empty() {
            return Err("resources is empty; name DocumentReference, Patient or Encounter".into());
        }
        let positive = [
            ("poll_seconds", self.poll_seconds),
            ("page_size", self.page_size as u64),
            ("timeout_seconds", self.timeout_seconds),
            ("connect_timeout_seconds", self.connect_timeout_seconds),
            ("max_attempts", self.max_attempts.into()),
            ("concurrency", self.concurrency as u64),
            ("max_bytes", self.max_bytes as u64),
            ("max_waiting", self.max_waiting),
        ];
        match positive.iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => Err(format!("{name} must be above 0")),
            None => Ok(()),
        }
    }

    pub(crate) fn poll(&self) -> Duration {
        Duration::from_secs(self.poll_seconds)
    }
}

/// How documents are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Searches by `_lastUpdated`.
    Search,
    /// Bulk Data exports.
    Export,
}

/// How it is learned what has been deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deletions {
    /// From the history where the server has one, else by sweeps.
    Auto,
    History,
    Sweep,
    /// Not at all.
    Never,
}

/// A type of resource that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Type {
    Patient,
    Encounter,
    DocumentReference,
}

impl Type {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Type::Patient => "Patient",
            Type::Encounter => "Encounter",
            Type::DocumentReference => "DocumentReference",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictions_are_named() {
        assert_eq!(Settings::default().check(), Ok(()));
        let said = |settings: Settings| settings.check().err().unwrap_or_default();
        assert!(said(Settings { user: Some("u".into()), ..Settings::default() }).contains("password_file"));
        let both = Settings {
            token_file: Some("t".into()),
            client_id: Some("c".into()),
            private_key_file: Some("k".into()),
            ..Settings::default()
        };
        assert!(said(both).contains("keep one"));
        assert!(said(Settings { page_size: 0, ..Settings::default() }).contains("page_size"));
        assert!(said(Settings { resources: Vec::new(), ..Settings::default() }).contains("resources"));
    }
}
