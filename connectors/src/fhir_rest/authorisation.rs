//! Who we are to the server: a bearer token, a password, or SMART Backend
//! Services. Nothing here prints a secret.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::Url;

use super::address::Address;
use super::client::{Failure, reason_of};
use super::settings::Settings;
use crate::source::SourceError;

/// How long an assertion is valid; SMART allows five minutes at most.
const ASSERTION_SECONDS: i64 = 240;
/// A token of unstated length.
const UNSTATED: Duration = Duration::from_secs(300);
/// Of a token endpoint.
const MAX_ANSWER: usize = 1 << 20;

pub(crate) enum Credentials {
    None,
    Bearer(PathBuf),
    Basic { user: String, password_file: PathBuf },
    Smart(Box<Smart>),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::None => "None",
            Credentials::Bearer(_) => "Bearer",
            Credentials::Basic { .. } => "Basic",
            Credentials::Smart(_) => "Smart",
        })
    }
}

/// SMART Backend Services: client credentials with a signed assertion.
pub(crate) struct Smart {
    client_id: String,
    key: EncodingKey,
    algorithm: Algorithm,
    key_id: Option<String>,
    scope: String,
    token_url: Option<Url>,
    token: Mutex<Option<Token>>,
}

struct Token {
    header: HeaderValue,
    ends: Instant,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
}

#[derive(Deserialize)]
struct Configuration {
    token_endpoint: Option<String>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Option<f64>,
}

#[derive(Deserialize)]
struct Denied {
    error: String,
}

impl Credentials {
    /// Reads keys once; a password or token that is not there is said now.
    pub fn open(settings: &Settings) -> Result<Self, SourceError> {
        if let Some(path) = &settings.token_file {
            secret(path).map_err(|message| setting("token_file", message))?;
            return Ok(Credentials::Bearer(path.clone()));
        }
        if let (Some(user), Some(path)) = (&settings.user, &settings.password_file) {
            secret(path).map_err(|message| setting("password_file", message))?;
            return Ok(Credentials::Basic { user: user.clone(), password_file: path.clone() });
        }
        let (Some(client_id), Some(path)) = (&settings.client_id, &settings.private_key_file) else {
            return Ok(Credentials::None);
        };
        let pem =
            std::fs::read(path).map_err(|error| setting("private_key_file", format!("{} cannot be read: {error}", path.display())))?;
        let (key, algorithm) = EncodingKey::from_rsa_pem(&pem)
            .map(|key| (key, Algorithm::RS384))
            .or_else(|_| EncodingKey::from_ec_pem(&pem).map(|key| (key, Algorithm::ES384)))
            .map_err(|_| setting("private_key_file", format!("{} is no RSA or P-384 key in PKCS#8 PEM", path.display())))?;
        let token_url = settings.token_url.as_deref().map(Url::parse).transpose();
        let token_url = token_url.map_err(|_| setting("token_url", "not a URL".to_owned()))?;
        let smart = Smart {
            client_id: client_id.clone(),
            key,
            algorithm,
            key_id: settings.key_id.clone(),
            scope: settings.scope.clone(),
            token_url,
            token: Mutex::new(None),
        };
        // A P-256 key reads as well as a P-384 one; only signing tells.
        smart.assertion("check").map_err(|_| setting("private_key_file", format!("{} cannot sign RS384 or ES384", path.display())))?;
        Ok(Credentials::Smart(Box::new(smart)))
    }

    pub fn are_none(&self) -> bool {
        matches!(self, Credentials::None)
    }

    /// The `Authorization` header of a request now.
    pub async fn header(&self, http: &reqwest::Client, address: &Address) -> Result<Option<HeaderValue>, Failure> {
        match self {
            Credentials::None => Ok(None),
            Credentials::Bearer(path) => sensitive("Bearer ", &secret(path).map_err(Failure::Credentials)?).map(Some),
            Credentials::Basic { user, password_file } => {
                let password = secret(password_file).map_err(Failure::Credentials)?;
                sensitive("Basic ", &STANDARD.encode(format!("{user}:{password}"))).map(Some)
            }
            Credentials::Smart(smart) => smart.header(http, address).await.map(Some),
        }
    }

    /// Forgets a token that the server no longer takes; `false` where another would be the same.
    pub async fn renew(&self) -> bool {
        match self {
            Credentials::None | Credentials::Basic { .. } => false,
            // The file may have been renewed meanwhile.
            Credentials::Bearer(_) => true,
            Credentials::Smart(smart) => smart.token.lock().await.take().is_some(),
        }
    }
}

impl Smart {
    async fn header(&self, http: &reqwest::Client, address: &Address) -> Result<HeaderValue, Failure> {
        // Held while asking, so that requests at the same time share one token.
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref().filter(|token| Instant::now() < token.ends) {
            return Ok(token.header.clone());
        }
        let token = self.ask(http, address).await?;
        let header = token.header.clone();
        *held = Some(token);
        Ok(header)
    }

    async fn ask(&self, http: &reqwest::Client, address: &Address) -> Result<Token, Failure> {
        let url = match &self.token_url {
            Some(url) => url.clone(),
            None => discover(http, address).await?,
        };
        let assertion = self.assertion(url.as_str()).map_err(|()| Failure::Credentials("the assertion cannot be signed".into()))?;
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("scope", &self.scope)
            .append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            .append_pair("client_assertion", &assertion)
            .finish();
        let request =
            http.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").header(ACCEPT, "application/json").body(body);
        let (status, answer) = answer(request, "the token endpoint").await?;
        if status != 200 {
            let denied = serde_json::from_slice::<Denied>(&answer).ok().map(|d| d.error);
            // One word of OAuth's own list, or nothing.
            let word = denied.filter(|w| w.len() <= 40 && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')).unwrap_or_default();
            let message = format!("the token endpoint answers {status} {word}; check client_id, key_id, the registered key and scope");
            return Err(if status == 429 || status >= 500 { Failure::Unavailable(message) } else { Failure::Credentials(message) });
        }
        let granted: Granted = serde_json::from_slice(&answer)
            .map_err(|_| Failure::Credentials("the token endpoint answers without an access_token".to_owned()))?;
        let length =
            granted.expires_in.filter(|s| s.is_finite() && *s > 0.0).map_or(UNSTATED, |s| Duration::from_secs_f64(s.min(86_400.0)));
        // Renewed before its end, for requests under way.
        let early = Duration::from_secs(60).min(length / 5);
        Ok(Token { header: sensitive("Bearer ", &granted.access_token)?, ends: Instant::now() + length - early })
    }

    fn assertion(&self, audience: &str) -> Result<String, ()> {
        let now = Utc::now().timestamp();
        let mut header = Header::new(self.algorithm);
        header.kid.clone_from(&self.key_id);
        let jti =
            format!("{:016x}{:016x}", super::state::fingerprint(&[&now.to_string(), &nonce()]), super::state::fingerprint(&[&nonce()]));
        let claims = Claims { iss: &self.client_id, sub: &self.client_id, aud: audience, iat: now, exp: now + ASSERTION_SECONDS, jti };
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(|_| ())
    }
}

/// Different each time.
fn nonce() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish().to_string()
}

async fn discover(http: &reqwest::Client, address: &Address) -> Result<Url, Failure> {
    let url = address.path(&[".well-known", "smart-configuration"]);
    let (status, answer) = answer(http.get(url).header(ACCEPT, "application/json"), "smart-configuration").await?;
    if status == 429 || status >= 500 {
        return Err(Failure::Unavailable(format!("smart-configuration answers {status}")));
    }
    let found = serde_json::from_slice::<Configuration>(&answer).ok().and_then(|c| c.token_endpoint).and_then(|u| Url::parse(&u).ok());
    let found = found.filter(|_| status == 200);
    let missing =
        || Failure::Credentials("the server does not tell its token endpoint (.well-known/smart-configuration); set token_url".into());
    let url = found.ok_or_else(missing)?;
    // An answer in the clear must not lead the assertion to anyone.
    if url.scheme() != "https" && !address.permits(&url) {
        return Err(Failure::Credentials("the token endpoint the server tells is not https; set token_url".into()));
    }
    Ok(url)
}

async fn answer(request: reqwest::RequestBuilder, what: &str) -> Result<(u16, Vec<u8>), Failure> {
    let failed = |error: reqwest::Error| Failure::Unavailable(format!("{what}: {}", reason_of(&error)));
    let mut response = request.send().await.map_err(failed)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Failure::Credentials(format!("{what} answers too much")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((response.status().as_u16(), body))
}

fn sensitive(scheme: &str, secret: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(&format!("{scheme}{secret}"))
        .map_err(|_| Failure::Credentials("the token or password holds characters that no header can".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a file holds, without the line end that editors add.
fn secret(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() { Err(format!("{} is empty", path.display())) } else { Ok(text.to_owned()) }
}

fn setting(name: &str, message: String) -> SourceError {
    SourceError::Setting { place: format!("[fhir] {name}"), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    type R = Result<(), Box<dyn std::error::Error>>;

    #[test]
    fn secrets_are_read_and_not_shown() -> R {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("token");
        std::fs::write(&path, "geheim\n")?;
        assert_eq!(secret(&path)?, "geheim");
        let settings = Settings { token_file: Some(path.clone()), ..Settings::default() };
        let credentials = Credentials::open(&settings)?;
        assert_eq!(format!("{credentials:?}"), "Bearer");
        assert!(!format!("{:?}", sensitive("Bearer ", "geheim").ok()).contains("geheim"));
        std::fs::write(&path, "")?;
        let said = Credentials::open(&settings).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(said.contains("token_file") && said.contains("empty"), "{said}");
        Ok(())
    }

    #[test]
    fn only_keys_that_can_sign_are_taken() -> R {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("key.pem");
        let settings = Settings { client_id: Some("c".into()), private_key_file: Some(path.clone()), ..Settings::default() };
        std::fs::write(&path, rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384)?.serialize_pem())?;
        assert!(matches!(Credentials::open(&settings)?, Credentials::Smart(smart) if smart.algorithm == Algorithm::ES384));
        for wrong in [rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?.serialize_pem(), "geheim".to_owned()] {
            std::fs::write(&path, wrong)?;
            let said = Credentials::open(&settings).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(said.contains("private_key_file") && !said.contains("geheim"), "{said}");
        }
        Ok(())
    }
}
