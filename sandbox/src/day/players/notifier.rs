//! One who tells an endpoint of each change by HTTP: single resources, Bundles of
//! every kind, notifications of a subscription, deletions; again and again until
//! each is acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, IF_MATCH, RETRY_AFTER};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::{Error, Pace, Progress};
use crate::day::delivery::Delivery;
use crate::day::fhir::{deleted_entry, written};
use crate::day::{Change, Day, Event};
use crate::hospital::random::Random;

const PAUSES: (Duration, Duration) = (Duration::from_millis(30), Duration::from_millis(1000));

/// How to tell.
#[derive(Debug, Clone)]
pub struct Options {
    /// Of the endpoint.
    pub url: String,
    /// Bearer token.
    pub token: Option<String>,
    /// Requests on their way at the same time.
    pub connections: usize,
    /// Times as fast as it happened; 0: without waiting.
    pub speed: f64,
    /// Without any answer for that long the notifier gives up.
    pub patience: Duration,
}

impl Options {
    pub fn new(url: impl Into<String>) -> Options {
        Options { url: url.into(), token: None, connections: 1, speed: 0.0, patience: Duration::from_secs(120) }
    }
}

/// One request.
struct Telling {
    method: Method,
    /// After the URL of the endpoint.
    path: String,
    if_match: Option<String>,
    body: Option<Value>,
}

struct Notifier {
    client: Client,
    options: Options,
    day: Arc<Day>,
    deliveries: Vec<Delivery>,
    next: AtomicUsize,
    progress: Arc<Progress>,
    heard: std::sync::Mutex<Instant>,
    pace: Pace,
}

/// Plays deliveries of a day until each is acknowledged or refused.
///
/// Errors: the address is none, or nothing answers for too long.
pub fn play(day: &Arc<Day>, deliveries: &[Delivery], options: &Options, progress: &Arc<Progress>) -> Result<(), Error> {
    if url::Url::parse(&options.url).is_err() {
        return Err(Error::Url { address: options.url.clone() });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| Error::Runtime(e.to_string()))?;
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().map_err(|e| Error::Runtime(e.to_string()))?;
    let notifier = Arc::new(Notifier {
        client,
        options: options.clone(),
        day: day.clone(),
        deliveries: deliveries.to_vec(),
        next: AtomicUsize::new(0),
        progress: progress.clone(),
        heard: std::sync::Mutex::new(Instant::now()),
        pace: Pace::begin(options.speed),
    });
    let patient = runtime.block_on(async {
        let lines: Vec<_> = (0..options.connections.max(1)).map(|_| tokio::spawn(notifier.clone().line())).collect();
        let mut patient = true;
        for line in lines {
            patient &= line.await.unwrap_or(false);
        }
        patient
    });
    if patient { Ok(()) } else { Err(Error::Silence { address: options.url.clone(), seconds: options.patience.as_secs() }) }
}

impl Notifier {
    /// One request after the other; `false` where nothing answers.
    async fn line(self: Arc<Self>) -> bool {
        loop {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(delivery) = self.deliveries.get(place) else { return true };
            let wait = self.pace.wait(delivery.after);
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
                self.hear();
            }
            for telling in tellings(&self.day, delivery.event, place) {
                if !self.tell(&telling).await {
                    return false;
                }
            }
        }
    }

    fn hear(&self) {
        *self.heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
    }

    async fn tell(&self, telling: &Telling) -> bool {
        let mut pause = PAUSES.0;
        loop {
            let url = format!("{}{}", self.options.url.trim_end_matches('/'), telling.path);
            let mut request = self.client.request(telling.method.clone(), url);
            if let Some(token) = &self.options.token {
                request = request.bearer_auth(token);
            }
            if let Some(tag) = &telling.if_match {
                request = request.header(IF_MATCH, tag);
            }
            if let Some(body) = &telling.body {
                request = request.header(CONTENT_TYPE, "application/fhir+json").body(body.to_string());
            }
            Progress::count(&self.progress.sent);
            let mut wait = pause;
            match request.send().await {
                Ok(reply) if reply.status().is_success() => {
                    // An answer that breaks off is none.
                    if reply.bytes().await.is_ok() {
                        self.hear();
                        Progress::count(&self.progress.acknowledged);
                        return true;
                    }
                }
                Ok(reply) if reply.status().is_server_error() || matches!(reply.status().as_u16(), 408 | 429) => {
                    self.hear();
                    wait = retry_after(reply.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok())).unwrap_or(pause);
                }
                Ok(_) => {
                    self.hear();
                    Progress::count(&self.progress.refused);
                    return true;
                }
                Err(_) => {}
            }
            Progress::count(&self.progress.failures);
            let silent = self.heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner).elapsed();
            if silent > self.options.patience {
                return false;
            }
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }
}

/// Seconds, a few at most: the day is short.
fn retry_after(value: Option<&str>) -> Option<Duration> {
    value?.trim().parse().ok().map(|seconds: u64| Duration::from_secs(seconds.min(2)))
}

/// The requests that tell of an event: drawn, and the same each time.
fn tellings(day: &Day, event: usize, place: usize) -> Vec<Telling> {
    let Some(told) = day.events().get(event) else { return Vec::new() };
    let mut random = day.random(0x707, place);
    let at = written(told.instant());
    let entries: Vec<Vec<Value>> = told.changes().iter().map(|change| of_change(day, change, &at)).collect();
    match random.weighted((40, 0), &[(20, 1), (20, 2), (20, 3)]) {
        1 => bundle("history", entries.concat()),
        2 => bundle("transaction", entries.concat()),
        3 => notification(told, place, entries.concat()),
        _ => told.changes().iter().zip(entries).flat_map(|(change, entries)| alone(day, change, &at, entries, &mut random)).collect(),
    }
}

/// The entries of a Bundle that tell of a change.
fn of_change(day: &Day, change: &Change, at: &str) -> Vec<Value> {
    let (name, id) = (change.kind().name(), day.resource_id(change));
    let base = "http://serveur.example/fhir";
    let Some(resource) = day.resource(change, at) else {
        return vec![deleted_entry(base, change.kind(), &id, change.version(), at)];
    };
    let entry = |url: &str, resource: Value| json!({ "fullUrl": format!("{base}/{url}"), "resource": resource, "request": { "method": "PUT", "url": url } });
    let binary = day.binary_of(change).map(|binary| entry(&format!("Binary/{}", binary["id"].as_str().unwrap_or_default()), binary));
    let mut entries = vec![entry(&format!("{name}/{id}"), resource)];
    entries.extend(binary);
    entries
}

fn post(body: Value) -> Telling {
    Telling { method: Method::POST, path: String::new(), if_match: None, body: Some(body) }
}

fn bundle(kind: &str, entries: Vec<Value>) -> Vec<Telling> {
    // Nothing to tell: an event that FHIR does not know.
    if entries.is_empty() {
        return Vec::new();
    }
    vec![post(json!({ "resourceType": "Bundle", "type": kind, "entry": entries }))]
}

/// Of a subscription, in the words of R5 or of its backport.
fn notification(event: &Event, place: usize, mut entries: Vec<Value>) -> Vec<Telling> {
    if entries.is_empty() {
        return Vec::new();
    }
    let (number, focus) = ((place + 1).to_string(), entries[0]["fullUrl"].clone());
    let at = written(event.instant());
    let (kind, status) = if place.is_multiple_of(2) {
        let told = json!([{ "eventNumber": number, "timestamp": at, "focus": { "reference": focus } }]);
        let status = json!({
            "resourceType": "SubscriptionStatus", "status": "active", "type": "event-notification",
            "subscription": { "reference": "Subscription/sandbox" }, "eventsSinceSubscriptionStart": number, "notificationEvent": told
        });
        ("subscription-notification", status)
    } else {
        let part =
            json!([{ "name": "event-number", "valueString": number }, { "name": "focus", "valueReference": { "reference": focus } }]);
        let status = json!({ "resourceType": "Parameters", "parameter": [
            { "name": "subscription", "valueReference": { "reference": "Subscription/sandbox" } },
            { "name": "status", "valueCode": "active" },
            { "name": "type", "valueCode": "event-notification" },
            { "name": "events-since-subscription-start", "valueString": number },
            { "name": "notification-event", "part": part }
        ] });
        ("history", status)
    };
    entries.insert(0, json!({ "fullUrl": format!("urn:uuid:00000000-0000-4000-8000-{place:012}"), "resource": status }));
    bundle(kind, entries)
}

/// A change by itself; what has its text elsewhere comes with it.
fn alone(day: &Day, change: &Change, at: &str, entries: Vec<Value>, random: &mut Random) -> Vec<Telling> {
    if entries.len() > 1 || (change.is_deletion() && random.chance(50)) {
        return bundle(if change.is_deletion() { "history" } else { "collection" }, entries);
    }
    let path = format!("/{}/{}", change.kind().name(), day.resource_id(change));
    match day.resource(change, at) {
        Some(resource) => vec![Telling { method: Method::PUT, path, if_match: None, body: Some(resource) }],
        // The version that is deleted, which a client has read before.
        None => {
            let tag = format!("W/\"{}\"", change.version() - 1);
            vec![Telling { method: Method::DELETE, path, if_match: Some(tag), body: None }]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day::Plan;

    #[test]
    fn every_change_is_told_in_every_form() {
        let day = Day::draw(Plan { seed: 3, patients: 6, events: 600 });
        let mut forms = std::collections::BTreeSet::new();
        for event in 0..day.events().len() {
            for telling in tellings(&day, event, event) {
                let body = telling.body.as_ref();
                let kind = body.and_then(|body| body["type"].as_str()).unwrap_or_default().to_owned();
                forms.insert(format!("{} {kind}", telling.method));
                let told = body.map(Value::to_string).unwrap_or(telling.path);
                let changes = day.events()[event].changes();
                assert!(changes.iter().any(|change| told.contains(&day.resource_id(change))));
            }
        }
        for form in ["DELETE ", "PUT ", "POST history", "POST transaction", "POST subscription-notification", "POST collection"] {
            assert!(forms.iter().any(|known| known.starts_with(form)), "{form}: {forms:?}");
        }
    }
}
