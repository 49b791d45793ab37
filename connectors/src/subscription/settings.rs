//! What can be set for the endpoint of subscriptions.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// The `[subscription]` part of the pipeline file. Secrets are files, never values.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// File with the bearer tokens that are accepted, one a line; read again when it changes.
    pub token_file: Option<PathBuf>,
    pub user: Option<String>,
    /// File with the password of `user`.
    pub password_file: Option<PathBuf>,
    /// Base URL of the FHIR server that notifications come from. What it says it has is
    /// read there, with the credentials and limits of `[fhir]`, from the beginning on.
    pub server: Option<String>,
    /// The largest body that is taken, before and after decompression.
    pub max_body_bytes: usize,
    /// Bytes of all bodies being received at the same time.
    pub max_bytes_at_once: usize,
    pub max_connections: usize,
    /// How long a request may take to arrive.
    pub timeout_seconds: u64,
    /// How long a connection may be silent between requests, or take for the head of one.
    pub idle_seconds: u64,
    /// Messages that may wait in the inbox before senders are told to wait.
    pub max_waiting_messages: u64,
    /// Bytes that may wait there.
    pub max_waiting_bytes: u64,
    /// The certificate, followed by those between it and its authority, PEM.
    pub tls_certificate: Option<PathBuf>,
    /// Its private key, PEM.
    pub tls_key: Option<PathBuf>,
    /// Whose certificates senders must show, PEM.
    pub client_authorities: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            token_file: None,
            user: None,
            password_file: None,
            server: None,
            max_body_bytes: 64 << 20,
            max_bytes_at_once: 256 << 20,
            max_connections: 16_384,
            timeout_seconds: 60,
            idle_seconds: 60,
            max_waiting_messages: 100_000,
            max_waiting_bytes: 2 << 30,
            tls_certificate: None,
            tls_key: None,
            client_authorities: None,
        }
    }
}

impl Settings {
    /// What cannot be meant, with what to do.
    pub(super) fn check(&self) -> Result<(), String> {
        let pairs = [
            ("user", self.user.is_some(), "password_file", self.password_file.is_some()),
            ("tls_certificate", self.tls_certificate.is_some(), "tls_key", self.tls_key.is_some()),
        ];
        for (one, has_one, other, has_other) in pairs {
            if has_one != has_other {
                return Err(format!("{one} and {other} belong together; give both or neither"));
            }
        }
        if self.client_authorities.is_some() && self.tls_certificate.is_none() {
            return Err("client_authorities needs tls_certificate and tls_key".into());
        }
        if self.max_bytes_at_once < self.max_body_bytes {
            return Err("max_bytes_at_once must not be below max_body_bytes".into());
        }
        let positive = [
            ("max_body_bytes", self.max_body_bytes as u64),
            ("max_connections", self.max_connections as u64),
            ("timeout_seconds", self.timeout_seconds),
            ("idle_seconds", self.idle_seconds),
            ("max_waiting_messages", self.max_waiting_messages),
            ("max_waiting_bytes", self.max_waiting_bytes),
        ];
        match positive.iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => Err(format!("{name} must be above 0")),
            None => Ok(()),
        }
    }

    /// Whether a sender must show who it is.
    pub(super) fn protected(&self) -> bool {
        self.token_file.is_some() || self.user.is_some() || self.client_authorities.is_some()
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    pub(super) fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds)
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
        assert!(said(Settings { tls_key: Some("k".into()), ..Settings::default() }).contains("tls_certificate"));
        assert!(said(Settings { client_authorities: Some("a".into()), ..Settings::default() }).contains("tls_certificate"));
        assert!(said(Settings { max_bytes_at_once: 1, ..Settings::default() }).contains("max_body_bytes"));
        assert!(said(Settings { max_connections: 0, ..Settings::default() }).contains("max_connections"));
    }
}
