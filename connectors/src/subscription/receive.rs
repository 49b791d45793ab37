//! One request: what it is, where its body goes, and what its sender is told.

use std::future::poll_fn;
use std::io::Read;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, IF_MATCH};
use axum::http::{HeaderName, Method};
use axum::response::Response;
use axum::{Router, handler::Handler};
use chrono::{SecondsFormat, Utc};
use flate2::read::MultiGzDecoder;
use hyper::body::Body as _;
use serde_json::{json, value::RawValue};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::events::Events;
use super::outcome::{Accepted, Refusal, plain};
use super::secret::Secrets;
use super::settings::Settings;
use crate::formats::fhir::inspect::{BundleSummary, Notification, Summary, Unreadable, inspect};
use crate::inbox::{Inbox, Kind, Message};

/// Larger bodies are looked through on another thread.
const QUICK: usize = 64 << 10;
/// A permit stands for so many bytes being received.
const UNIT: usize = 1 << 10;
/// Units taken at once.
const STEP: usize = 16;
const MAX_ID: usize = 256;

/// Takes requests for one source.
pub(super) struct Receiver {
    source: String,
    path: String,
    secrets: Secrets,
    settings: Settings,
    inbox: Inbox,
    wake: Option<Arc<Notify>>,
    events: Mutex<Events>,
    /// Bytes that may still come, in units.
    space: Semaphore,
}

/// A connection, to say where something came from.
#[derive(Clone)]
pub(super) struct Connection {
    pub number: u64,
    pub requests: Arc<AtomicU64>,
}

/// What a path and a method ask for.
#[derive(Debug, PartialEq, Eq)]
enum Asked<'r> {
    Capabilities,
    /// Something to be taken: anything, or a resource of that type and perhaps id.
    Take {
        resource_type: Option<&'r str>,
        id: Option<&'r str>,
        creates: bool,
    },
    Delete {
        resource_type: &'r str,
        id: &'r str,
    },
}

impl Receiver {
    pub fn new(source: &str, path: &str, secrets: Secrets, settings: Settings, inbox: Inbox, wake: Option<Arc<Notify>>) -> Self {
        let space = Semaphore::new((settings.max_bytes_at_once / UNIT + STEP).min(Semaphore::MAX_PERMITS));
        let (source, path) = (source.to_owned(), path.to_owned());
        Receiver { source, path, secrets, settings, inbox, wake, events: Mutex::default(), space }
    }

    /// What answers the requests of a connection.
    pub fn router(self: Arc<Self>, connection: Connection) -> Router {
        Router::new().fallback_service(handle.with_state(self)).layer(Extension(connection))
    }

    async fn answer(&self, request: Request, place: String) -> Response {
        let begun = Instant::now();
        let outcome = self.take(request, place).await;
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let response = match &outcome {
            Ok(accepted) => accepted.response(&now),
            Err(refusal) => refusal.response(self.secrets.challenge()),
        };
        let source = self.source.clone();
        match outcome {
            Ok(_) => {
                metrics::counter!("sillage_messages_acknowledged_total", "source" => source.clone(), "code" => response.status().as_str().to_owned())
                    .increment(1);
                metrics::histogram!("sillage_acknowledge_seconds", "source" => source).record(begun.elapsed().as_secs_f64());
            }
            Err(refusal) => {
                tracing::debug!(source, reason = refusal.reason(), "a request is refused");
                metrics::counter!("sillage_messages_refused_total", "source" => source, "reason" => refusal.reason()).increment(1);
            }
        }
        response
    }

    async fn take(&self, request: Request, place: String) -> Result<Accepted, Refusal> {
        let (head, body) = request.into_parts();
        let asked = route(&self.path, head.uri.path(), &head.method);
        if !matches!(asked, Ok(Asked::Capabilities)) && !self.secrets.accepts(head.headers.get(AUTHORIZATION)) {
            return Err(Refusal::Unauthorised);
        }
        let (resource_type, id, creates) = match asked? {
            Asked::Capabilities => return Ok(Accepted::Capabilities),
            Asked::Delete { resource_type, id } => {
                self.room()?;
                let etag = header(&head.headers, &IF_MATCH);
                self.keep(deletion(resource_type, id, etag), place).await?;
                return Ok(Accepted::Deleted);
            }
            Asked::Take { resource_type, id, creates } => (resource_type, id, creates),
        };
        self.room()?;
        let (body, _space) = self.body(&head.headers, body).await?;
        if body.is_empty() {
            // A subscription without payload.
            if resource_type.is_some() {
                return Err(Refusal::Malformed("the body is empty"));
            }
            return self.look("the notification is empty and no server is set to ask; have whole resources sent");
        }
        is_json(&head.headers)?;
        let zipped = match header(&head.headers, &CONTENT_ENCODING).map(str::to_ascii_lowercase).as_deref() {
            None | Some("" | "identity") => false,
            Some("gzip" | "x-gzip") => true,
            Some(_) => return Err(Refusal::MediaType("the body may be compressed by gzip only")),
        };
        let limit = self.settings.max_body_bytes;
        let read = move || {
            let body = if zipped { unzip(&body, limit)? } else { body };
            let summary = inspect(body.trim_ascii()).map_err(unreadable)?;
            Ok((body, summary))
        };
        let (body, summary) = if zipped || read_is_long(&head.headers) {
            tokio::task::spawn_blocking(read).await.map_err(|_| Refusal::Malformed("the body cannot be read"))??
        } else {
            read()?
        };
        self.decide(body, summary, resource_type, id, creates, place).await
    }

    async fn decide(
        &self,
        body: Vec<u8>,
        summary: Summary,
        resource_type: Option<&str>,
        id: Option<&str>,
        creates: bool,
        place: String,
    ) -> Result<Accepted, Refusal> {
        if resource_type.is_some_and(|name| name != summary.resource_type) {
            return Err(Refusal::Malformed("the resource is not of the type that the path names"));
        }
        if let Some(bundle) = summary.bundle {
            if let Some(notification) = &bundle.notification {
                return self.notified(body, &bundle, notification, summary.elsewhere, place).await;
            }
            is_doable(&bundle)?;
            self.keep(body, place).await?;
            return Ok(match bundle.type_.as_str() {
                "transaction" | "batch" => Accepted::Answered(bundle),
                _ if creates => Accepted::Created { location: None },
                _ => Accepted::Kept,
            });
        }
        if !matches!(summary.resource_type.as_str(), "DocumentReference" | "Patient" | "Encounter") {
            return Err(Refusal::Unprocessable(
                "on its own a DocumentReference, a Patient or an Encounter is taken; send others in a Bundle with the document they belong to",
            ));
        }
        let known = match (id, &summary.id) {
            (Some(id), Some(own)) if id != own => return Err(Refusal::Malformed("the id of the resource is not that of the path")),
            (Some(id), _) => id.to_owned(),
            (None, Some(own)) => own.clone(),
            (None, None) => return Err(Refusal::Unprocessable("the resource has neither an id nor an identifier")),
        };
        if summary.elsewhere
            && let Some(wake) = &self.wake
        {
            wake.notify_one();
            return Ok(Accepted::Noted);
        }
        let location = (creates && plain(&known)).then(|| format!("{}/{}/{known}", self.path, summary.resource_type));
        let body = if summary.id.is_none() { addressed(&summary.resource_type, &known, &body) } else { body };
        self.keep(body, place).await?;
        // It may come without its patient.
        if let Some(wake) = &self.wake {
            wake.notify_one();
        }
        Ok(if creates { Accepted::Created { location } } else { Accepted::Kept })
    }

    /// What a subscription tells.
    async fn notified(
        &self,
        body: Vec<u8>,
        bundle: &BundleSummary,
        notification: &Notification,
        elsewhere: bool,
        place: String,
    ) -> Result<Accepted, Refusal> {
        let is_event = !matches!(notification.type_.as_str(), "handshake" | "heartbeat" | "query-status");
        let told = |entry: &&crate::formats::fhir::inspect::EntrySummary| {
            entry.method == "DELETE"
                || (entry.has_resource && matches!(entry.resource_type.as_deref(), Some("DocumentReference" | "Patient" | "Encounter")))
        };
        let content = bundle.entries.iter().any(|entry| told(&entry));
        let hinted = bundle.entries.iter().any(|entry| !entry.has_resource && entry.method != "DELETE");
        if is_event && self.wake.is_none() && (!content || hinted) {
            return Err(Refusal::Unprocessable(
                "the notification names resources without holding them and no server is set to ask; have whole resources sent",
            ));
        }
        let kept = content && !(elsewhere && self.wake.is_some());
        if kept {
            self.keep(body, place).await?;
        }
        let missed = self.events.lock().unwrap_or_else(PoisonError::into_inner).missed(notification);
        if missed > 0 {
            tracing::warn!(source = self.source, events = missed, "a subscription has told of events that did not arrive here");
            metrics::counter!("sillage_subscription_events_missed_total", "source" => self.source.clone()).increment(missed);
        }
        if let Some(wake) = self.wake.as_ref().filter(|_| is_event || missed > 0) {
            wake.notify_one();
        }
        Ok(if kept { Accepted::Kept } else { Accepted::Noted })
    }

    /// Has the server asked what is new.
    fn look(&self, otherwise: &'static str) -> Result<Accepted, Refusal> {
        let wake = self.wake.as_ref().ok_or(Refusal::Unprocessable(otherwise))?;
        // How far the server has been read is durable, so that the next look begins
        // there even if this one never comes.
        wake.notify_one();
        Ok(Accepted::Noted)
    }

    /// Whether the inbox has room.
    fn room(&self) -> Result<(), Refusal> {
        let (messages, bytes) = (self.inbox.waiting(), self.inbox.waiting_bytes());
        metrics::gauge!("sillage_inbox_waiting", "source" => self.source.clone()).set(messages as f64);
        let full = messages >= self.settings.max_waiting_messages || bytes >= self.settings.max_waiting_bytes;
        if full { Err(Refusal::Busy) } else { Ok(()) }
    }

    /// Returns when it is durable.
    async fn keep(&self, payload: Vec<u8>, place: String) -> Result<(), Refusal> {
        metrics::counter!("sillage_messages_received_total", "source" => self.source.clone()).increment(1);
        let message = Message { kind: Kind::Fhir, place, received_at: Utc::now().timestamp_micros(), payload };
        self.inbox.append(vec![message]).await.map_err(|error| {
            tracing::error!(source = self.source, reason = %error, "what was received cannot be kept");
            Refusal::NotDurable
        })
    }

    /// The body as it comes over the wire, with the space it takes.
    async fn body(&self, headers: &HeaderMap, mut body: Body) -> Result<(Vec<u8>, Vec<SemaphorePermit<'_>>), Refusal> {
        let limit = self.settings.max_body_bytes;
        if header(headers, &CONTENT_LENGTH).and_then(|l| l.parse::<usize>().ok()).is_some_and(|length| length > limit) {
            return Err(Refusal::TooLarge);
        }
        let deadline = Instant::now() + self.settings.timeout();
        let (mut bytes, mut space, mut reserved) = (Vec::new(), Vec::new(), 0);
        loop {
            let frame = timeout_at(deadline, poll_fn(|context| Pin::new(&mut body).poll_frame(context))).await;
            let data = match frame.map_err(|_| Refusal::Slow)? {
                None => return Ok((bytes, space)),
                Some(Err(_)) => return Err(Refusal::Malformed("the body broke off")),
                // Trailers say nothing to us.
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            };
            if bytes.len() + data.len() > limit {
                return Err(Refusal::TooLarge);
            }
            while reserved < bytes.len() + data.len() {
                let units = (bytes.len() + data.len() - reserved).div_ceil(UNIT).max(STEP);
                space.push(self.space.try_acquire_many(u32::try_from(units).unwrap_or(u32::MAX)).map_err(|_| Refusal::Busy)?);
                reserved += units * UNIT;
            }
            bytes.extend_from_slice(&data);
        }
    }
}

async fn handle(State(receiver): State<Arc<Receiver>>, Extension(connection): Extension<Connection>, request: Request) -> Response {
    let number = connection.requests.fetch_add(1, Ordering::Relaxed) + 1;
    receiver.answer(request, format!("connection {} request {number}", connection.number)).await
}

fn route<'r>(base: &str, path: &'r str, method: &Method) -> Result<Asked<'r>, Refusal> {
    let rest = path.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with('/')).ok_or(Refusal::NoSuchPath)?;
    let segments: Vec<&str> = rest.trim_matches('/').split('/').filter(|segment| !segment.is_empty()).collect();
    let is_type = |name: &str| name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(|b| b.is_ascii_alphabetic());
    let take = |resource_type, id, creates| Ok(Asked::Take { resource_type, id, creates });
    match (segments.as_slice(), method.as_str()) {
        (["metadata"], "GET" | "HEAD") => Ok(Asked::Capabilities),
        (["metadata"], _) => Err(Refusal::Method("GET, HEAD")),
        ([], "POST" | "PUT") => take(None, None, false),
        ([], _) => Err(Refusal::Method("POST, PUT")),
        (["$process-message"], "POST") => take(Some("Bundle"), None, false),
        (["$process-message"], _) => Err(Refusal::Method("POST")),
        ([name], "POST") if is_type(name) => take(Some(name), None, true),
        ([name], _) if is_type(name) => Err(Refusal::Method("POST")),
        ([name, id], "PUT" | "POST") if is_type(name) && id.len() <= MAX_ID && plain(id) => take(Some(name), Some(id), false),
        ([name, id], "DELETE") if is_type(name) && id.len() <= MAX_ID && plain(id) => Ok(Asked::Delete { resource_type: name, id }),
        ([name, id], _) if is_type(name) && plain(id) => Err(Refusal::Method("PUT, POST, DELETE")),
        _ => Err(Refusal::NoSuchPath),
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// Whether the body may be long: it says so, or does not say.
fn read_is_long(headers: &HeaderMap) -> bool {
    header(headers, &CONTENT_LENGTH).and_then(|l| l.parse::<usize>().ok()).is_none_or(|length| length > QUICK)
}

fn is_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(declared) = header(headers, &CONTENT_TYPE) else { return Ok(()) };
    let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "" | "application/fhir+json" | "application/json" | "application/json+fhir" | "text/json" => Ok(()),
        "application/fhir+xml" | "application/xml" | "text/xml" => Err(Refusal::MediaType("FHIR in JSON is taken, not in XML")),
        _ => Err(Refusal::MediaType("application/fhir+json is taken")),
    }
}

/// What a gzip stream holds, if it is not more than that.
fn unzip(body: &[u8], limit: usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    MultiGzDecoder::new(body)
        .take(limit as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| Refusal::Malformed("the compression is damaged"))?;
    if bytes.len() > limit { Err(Refusal::TooLarge) } else { Ok(bytes) }
}

fn unreadable(reason: Unreadable) -> Refusal {
    Refusal::Malformed(match reason {
        Unreadable::NotUtf8 => "the body is not UTF-8",
        Unreadable::TooDeep => "the body is nested deeper than any resource",
        Unreadable::NotJson => "the body is not JSON",
        Unreadable::NotAResource => "the body is no resource: it has no resourceType",
        Unreadable::BadBundle => "the Bundle has entries that are none",
    })
}

/// Whether a Bundle can be done as a whole, as its type demands.
fn is_doable(bundle: &BundleSummary) -> Result<(), Refusal> {
    let begins = |name: &str| bundle.entries.first().is_some_and(|entry| entry.resource_type.as_deref() == Some(name));
    match bundle.type_.as_str() {
        "transaction" if bundle.entries.iter().any(|e| !matches!(e.method.as_str(), "POST" | "PUT" | "DELETE" | "")) => {
            Err(Refusal::Unprocessable("the transaction holds other requests than POST, PUT and DELETE; nothing of it was done"))
        }
        "document" if !begins("Composition") => Err(Refusal::Unprocessable("the document does not begin with a Composition")),
        "message" if !begins("MessageHeader") => Err(Refusal::Unprocessable("the message does not begin with a MessageHeader")),
        _ => Ok(()),
    }
}

/// A history that says that the resource is gone.
fn deletion(resource_type: &str, id: &str, etag: Option<&str>) -> Vec<u8> {
    let request = json!({"method": "DELETE", "url": format!("{resource_type}/{id}")});
    let mut entry = json!({ "request": request });
    if let Some(etag) = etag {
        entry["response"] = json!({"status": "204", "etag": etag});
    }
    json!({"resourceType": "Bundle", "type": "history", "entry": [entry]}).to_string().into_bytes()
}

/// A resource that only the path gives an id, in a Bundle that says so.
fn addressed(resource_type: &str, id: &str, body: &[u8]) -> Vec<u8> {
    let request = json!({"method": "PUT", "url": format!("{resource_type}/{id}")});
    // It has been read as JSON before.
    let Ok(resource) = serde_json::from_slice::<&RawValue>(body.trim_ascii()) else { return body.to_vec() };
    let head = format!(r#"{{"resourceType":"Bundle","type":"history","entry":[{{"request":{request},"resource":"#);
    [head.as_bytes(), resource.get().as_bytes(), b"}]}"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;
    use std::io::Write;

    #[test]
    fn paths_and_methods() {
        let of = |path: &'static str, method: &str| route("/fhir", path, &Method::from_bytes(method.as_bytes()).unwrap_or_default());
        let take = |resource_type, id, creates| Ok(Asked::Take { resource_type, id, creates });
        assert_eq!(of("/fhir", "POST"), take(None, None, false));
        assert_eq!(of("/fhir/", "PUT"), take(None, None, false));
        assert_eq!(of("/fhir/DocumentReference", "POST"), take(Some("DocumentReference"), None, true));
        assert_eq!(of("/fhir/DocumentReference/d1", "PUT"), take(Some("DocumentReference"), Some("d1"), false));
        assert_eq!(of("/fhir/$process-message", "POST"), take(Some("Bundle"), None, false));
        assert_eq!(of("/fhir/DocumentReference/d1", "DELETE"), Ok(Asked::Delete { resource_type: "DocumentReference", id: "d1" }));
        assert_eq!(of("/fhir/metadata", "HEAD"), Ok(Asked::Capabilities));
        for (path, method) in
            [("/fhir", "GET"), ("/fhir/metadata", "POST"), ("/fhir/Patient", "PUT"), ("/fhir/Patient/p", "PATCH"), ("/fhir", "BREW")]
        {
            assert!(matches!(of(path, method), Err(Refusal::Method(_))), "{path} {method}");
        }
        for path in ["/", "/fhirx", "/other/fhir", "/fhir/patient", "/fhir/Patient/p/_history/1", "/fhir/Patient/%00", "/fhir/$x"] {
            assert_eq!(of(path, "POST"), Err(Refusal::NoSuchPath), "{path}");
        }
        assert_eq!(route("", "/", &Method::POST), take(None, None, false));
    }

    #[test]
    fn compression_is_bounded() -> Result<(), Box<dyn std::error::Error>> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![b' '; 1 << 20])?;
        let bomb = encoder.finish()?;
        assert!(bomb.len() < 4096);
        assert_eq!(unzip(&bomb, 1 << 20).map(|b| b.len()), Ok(1 << 20));
        assert_eq!(unzip(&bomb, (1 << 20) - 1), Err(Refusal::TooLarge));
        assert!(matches!(unzip(&bomb[..bomb.len() / 2], 1 << 20), Err(Refusal::Malformed(_))));
        assert!(matches!(unzip(b"text", 1 << 20), Err(Refusal::Malformed(_))));
        Ok(())
    }

    #[test]
    fn what_is_made_here_is_read_there() {
        for made in [
            deletion("DocumentReference", "d1", Some("W/\"3\"")),
            addressed("DocumentReference", "d1", br#" {"resourceType":"DocumentReference"} "#),
        ] {
            let bundle = inspect(&made).ok().and_then(|s| s.bundle);
            let entry = bundle.as_ref().and_then(|b| b.entries.first());
            assert_eq!(entry.and_then(|e| e.id.as_deref()), Some("d1"));
        }
    }
}
