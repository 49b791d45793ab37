//! Requests to one server: authorised, bounded, tried again when that can help.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Identity, Method, Response, redirect};
use url::Url;

use super::address::Address;
use super::authorisation::Credentials;
use super::retry::{Backoff, retry_after, server_time};
use super::settings::Settings;
use crate::source::SourceError;

/// What FHIR servers call their JSON.
pub(crate) const FHIR_JSON: &str = "application/fhir+json";
const MAX_REDIRECTS: usize = 5;

/// Why there is no answer to use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The server cannot be reached, is overloaded or broken; later it may not be.
    #[error("{0}")]
    Unavailable(String),
    /// It answers, and says no.
    #[error("{what} is answered with HTTP {status}{}", hint(*.status))]
    Refused { what: &'static str, status: u16 },
    #[error("{what} is answered with more than {limit} bytes; raise max_bytes or lower page_size")]
    TooLarge { what: &'static str, limit: usize },
    #[error("a link leads to {0}; add it to allowed_origins of [fhir], or set the server's own base URL to the one asked")]
    Foreign(String),
    /// An answer that is not what FHIR says it should be.
    #[error("{0}")]
    Misread(String),
    #[error("{0}")]
    Credentials(String),
    #[error(transparent)]
    Inbox(#[from] SourceError),
}

fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => "; check the credentials in [fhir] and what they may read",
        404 => "; is the address the base URL of a FHIR R4 server?",
        _ => "",
    }
}

impl Failure {
    /// Short word for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Failure::Unavailable(_) => "unavailable",
            Failure::Refused { .. } => "refused",
            Failure::TooLarge { .. } => "too_large",
            Failure::Foreign(_) => "foreign",
            Failure::Misread(_) => "misread",
            Failure::Credentials(_) => "credentials",
            Failure::Inbox(_) => "inbox",
        }
    }
}

/// One request.
pub(crate) struct Request {
    /// For messages: never an id.
    pub what: &'static str,
    pub method: Method,
    pub url: Url,
    pub accept: &'static str,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub authorised: bool,
}

impl Request {
    pub fn get(what: &'static str, url: Url) -> Self {
        Request { what, method: Method::GET, url, accept: FHIR_JSON, headers: Vec::new(), authorised: true }
    }
}

/// A whole answer.
pub(crate) struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Where it came from in the end.
    pub url: Url,
}

impl Reply {
    pub fn header(&self, name: impl reqwest::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// Whether it is JSON by its type, or by its looks where it has none.
    pub fn is_json(&self) -> bool {
        match self.header(CONTENT_TYPE) {
            Some(name) => name.split(';').next().is_some_and(|n| n.trim().ends_with("json")),
            None => self.body.trim_ascii_start().starts_with(b"{"),
        }
    }

    pub fn server_time(&self) -> Option<DateTime<Utc>> {
        server_time(&self.headers)
    }
}

/// A server with all it takes to ask it.
pub(crate) struct Client {
    http: reqwest::Client,
    pub address: Arc<Address>,
    credentials: Credentials,
    backoff: Backoff,
    max_attempts: u32,
    total: Duration,
    /// The name of the source, for metrics.
    pub source: String,
    reached: AtomicBool,
}

/// What came of one try.
enum Trial<T> {
    Answer(T),
    Again(Failure, Option<Duration>),
}

impl Client {
    pub fn open(address: Arc<Address>, source: &str, settings: &Settings) -> Result<Self, SourceError> {
        let setting = |name: &str, message: String| SourceError::Setting { place: format!("[fhir] {name}"), message };
        let read = |name: &str, path: &std::path::Path| {
            std::fs::read(path).map_err(|error| setting(name, format!("{} cannot be read: {error}", path.display())))
        };
        let timeout = Duration::from_secs(settings.timeout_seconds);
        let allowed = address.origins().to_vec();
        let follow = redirect::Policy::custom(move |attempt| {
            if attempt.previous().len() > MAX_REDIRECTS || !allowed.contains(&attempt.url().origin()) {
                attempt.stop()
            } else {
                attempt.follow()
            }
        });
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("sillage/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(settings.connect_timeout_seconds))
            .read_timeout(timeout)
            .referer(false)
            .redirect(follow);
        if let Some(path) = &settings.authorities {
            let certificates = Certificate::from_pem_bundle(&read("authorities", path)?).ok().filter(|list| !list.is_empty());
            let certificates =
                certificates.ok_or_else(|| setting("authorities", format!("{} holds no PEM certificate", path.display())))?;
            builder = builder.tls_certs_only(certificates);
        }
        if let (Some(certificate), Some(key)) = (&settings.client_certificate, &settings.client_key) {
            let mut pem = read("client_certificate", certificate)?;
            pem.push(b'\n');
            pem.extend(read("client_key", key)?);
            let identity = Identity::from_pem(&pem)
                .map_err(|_| setting("client_certificate", "the certificate and its key are not both PEM".to_owned()))?;
            builder = builder.identity(identity);
        }
        let http = builder.build().map_err(|_| setting("client_certificate", "the certificates cannot be used for TLS".to_owned()))?;
        let credentials = Credentials::open(settings)?;
        let loopback = matches!(address.base().host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if address.base().scheme() == "http" && !credentials.are_none() && !loopback {
            tracing::warn!(source, "credentials and documents cross the network in the clear; use fhir+https");
        }
        Ok(Client {
            http,
            credentials,
            backoff: backoff(settings),
            max_attempts: settings.max_attempts,
            total: timeout * 10,
            source: source.to_owned(),
            reached: AtomicBool::new(false),
            address,
        })
    }

    /// Whether the server has ever answered.
    pub fn reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }

    /// The whole answer, whatever its status but those that another try may
    /// better: 408, 425, 429 and 5xx end as [`Failure::Unavailable`].
    pub async fn fetch(&self, request: &Request, limit: usize) -> Result<Reply, Failure> {
        let mut attempt = 0;
        loop {
            let trial = match self.try_once(request, Some(self.total)).await? {
                Trial::Answer(response) => self.whole(response, request.what, limit).await?,
                Trial::Again(failure, wait) => Trial::Again(failure, wait),
            };
            match trial {
                Trial::Answer(reply) => return Ok(reply),
                Trial::Again(failure, wait) => self.pause(&mut attempt, failure, wait).await?,
            }
        }
    }

    /// Like [`Client::fetch`], with the body still to be read.
    pub async fn begin(&self, request: &Request) -> Result<Response, Failure> {
        let mut attempt = 0;
        loop {
            match self.try_once(request, None).await? {
                Trial::Answer(response) => return Ok(response),
                Trial::Again(failure, wait) => self.pause(&mut attempt, failure, wait).await?,
            }
        }
    }

    /// Waits before the next try; the failure is final where there is none.
    async fn pause(&self, attempt: &mut u32, failure: Failure, wait: Option<Duration>) -> Result<(), Failure> {
        *attempt += 1;
        if *attempt >= self.max_attempts {
            return Err(failure);
        }
        metrics::counter!("sillage_fhir_retries_total", "source" => self.source.clone()).increment(1);
        // The server's word is a lower bound; the jitter comes on top.
        tokio::time::sleep(wait.unwrap_or_default() + self.backoff.pause(*attempt - 1)).await;
        Ok(())
    }

    async fn try_once(&self, request: &Request, total: Option<Duration>) -> Result<Trial<Response>, Failure> {
        if !self.address.permits(&request.url) {
            return Err(Failure::Foreign(request.url.origin().ascii_serialization()));
        }
        let mut renewed = false;
        loop {
            let mut builder = self.http.request(request.method.clone(), request.url.clone()).header(ACCEPT, request.accept);
            // Some servers answer a search they have answered a minute ago with the same page.
            builder = builder.header(CACHE_CONTROL, "no-cache");
            for (name, value) in &request.headers {
                builder = builder.header(name, value);
            }
            if request.authorised {
                match self.credentials.header(&self.http, &self.address).await {
                    Ok(Some(header)) => builder = builder.header(AUTHORIZATION, header),
                    Ok(None) => {}
                    Err(failure @ Failure::Unavailable(_)) => return Ok(Trial::Again(failure, None)),
                    Err(failure) => return Err(failure),
                }
            }
            if let Some(total) = total {
                builder = builder.timeout(total);
            }
            let response = match builder.send().await {
                Ok(response) => response,
                Err(error) => {
                    self.count("none");
                    return Ok(Trial::Again(Failure::Unavailable(format!("{}: {}", request.what, reason_of(&error))), None));
                }
            };
            self.reached.store(true, Ordering::Relaxed);
            let status = response.status().as_u16();
            self.count(response.status().as_str());
            match status {
                401 if request.authorised && !renewed && self.credentials.renew().await => renewed = true,
                408 | 425 | 429 | 500.. => {
                    let wait = retry_after(response.headers(), Utc::now());
                    let failure = Failure::Unavailable(format!("{} is answered with HTTP {status}", request.what));
                    return Ok(Trial::Again(failure, wait));
                }
                // The policy has stopped before another origin, or after too many.
                300..=303 | 305..=399 => {
                    let to = response.headers().get("location").and_then(|v| v.to_str().ok());
                    let to = to.and_then(|to| response.url().join(to).ok()).map(|url| url.origin().ascii_serialization());
                    return Err(Failure::Foreign(to.unwrap_or_else(|| "nowhere".into())));
                }
                _ => return Ok(Trial::Answer(response)),
            }
        }
    }

    async fn whole(&self, mut response: Response, what: &'static str, limit: usize) -> Result<Trial<Reply>, Failure> {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let url = response.url().clone();
        let announced = headers.get("content-length").and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(Failure::TooLarge { what, limit });
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(Failure::TooLarge { what, limit }),
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(Trial::Answer(Reply { status, headers, body, url })),
                Err(error) => return Ok(Trial::Again(Failure::Unavailable(format!("{what}: {}", reason_of(&error))), None)),
            }
        }
    }

    fn count(&self, status: &str) {
        metrics::counter!("sillage_fhir_requests_total", "source" => self.source.clone(), "status" => status.to_owned()).increment(1);
    }
}

pub(crate) fn backoff(settings: &Settings) -> Backoff {
    Backoff {
        first: Duration::from_millis(settings.backoff_milliseconds),
        longest: Duration::from_secs(settings.max_backoff_seconds.max(1)),
    }
}

/// What went wrong on the way, without the URL: its query may name a patient.
pub(crate) fn reason_of(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let is_top = std::ptr::addr_eq(cause as *const dyn std::error::Error, error as *const reqwest::Error);
    let inner = if is_top { String::new() } else { format!(" ({cause})") };
    let outer = if error.is_connect() {
        "cannot be reached"
    } else if error.is_body() || error.is_decode() {
        "the answer broke off"
    } else if error.is_request() {
        "the connection broke off"
    } else {
        "cannot be asked"
    };
    format!("{outer}{inner}")
}
