//! A small FHIR server with the faults that servers have.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

pub const SECOND: i64 = 1_000_000;
/// 2024-05-01T10:00:00Z
pub const MORNING: i64 = 1_714_557_600 * SECOND;

/// One version of a resource; `None` where it deletes.
#[derive(Clone)]
pub struct Version {
    pub number: u64,
    pub at: i64,
    pub resource: Option<Value>,
}

/// What a search is sorted by, whatever it says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sorts {
    Time,
    /// By the minute, then by id.
    Minute,
    Id,
    Nothing,
}

/// Something that happens when a request comes.
pub type Event = Box<dyn FnMut(&mut World, &str) + Send>;

pub struct World {
    /// µs; what `Date` and `lastUpdated` say.
    pub clock: i64,
    pub resources: BTreeMap<(String, String), Vec<Version>>,
    pub sorts: Sorts,
    pub relative_links: bool,
    pub history: bool,
    pub raw_binaries: bool,
    /// Answers to the next requests, before any other.
    pub answers: VecDeque<(u16, Vec<(&'static str, String)>)>,
    /// A part of a path that is always answered with that status.
    pub broken: Vec<(String, u16)>,
    /// A part of a path that is answered with these bytes.
    pub bytes: Vec<(String, Vec<u8>)>,
    pub authorization: Option<String>,
    pub events: Vec<Event>,
    pub log: Vec<String>,
    /// `Authorization` of each request in the log.
    pub credentials: Vec<Option<String>>,
    pub bodies: Vec<String>,
    pub export: Vec<Export>,
    pub exports_binary: bool,
    pub token: Option<(String, u64)>,
    pub base: String,
}

/// An export that was asked for.
pub struct Export {
    pub polls: u32,
    pub since: Option<i64>,
    pub types: Vec<String>,
    pub at: i64,
}

pub struct Server {
    pub address: SocketAddr,
    pub world: Arc<Mutex<World>>,
}

impl Server {
    pub fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let world = World {
            clock: MORNING,
            resources: BTreeMap::new(),
            sorts: Sorts::Time,
            relative_links: false,
            history: true,
            raw_binaries: false,
            answers: VecDeque::new(),
            broken: Vec::new(),
            bytes: Vec::new(),
            authorization: None,
            events: Vec::new(),
            log: Vec::new(),
            credentials: Vec::new(),
            bodies: Vec::new(),
            export: Vec::new(),
            exports_binary: true,
            token: None,
            base: format!("http://{address}/fhir"),
        };
        let world = Arc::new(Mutex::new(world));
        let router = router(world.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        Server { address, world }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub fn uri(&self) -> String {
        format!("fhir+http://{}/fhir", self.address)
    }
}

pub fn router(world: Arc<Mutex<World>>) -> Router {
    Router::new().fallback(answer).with_state(world)
}

impl World {
    /// Writes a resource, a second later.
    pub fn put(&mut self, mut resource: Value) {
        self.clock += SECOND;
        let key = (resource["resourceType"].as_str().unwrap().to_owned(), resource["id"].as_str().unwrap().to_owned());
        let versions = self.resources.entry(key).or_default();
        let number = versions.len() as u64 + 1;
        resource["meta"] = json!({"versionId": number.to_string(), "lastUpdated": instant(self.clock)});
        versions.push(Version { number, at: self.clock, resource: Some(resource) });
    }

    pub fn delete(&mut self, resource_type: &str, id: &str) {
        self.clock += SECOND;
        let versions = self.resources.get_mut(&(resource_type.to_owned(), id.to_owned())).unwrap();
        versions.push(Version { number: versions.len() as u64 + 1, at: self.clock, resource: None });
    }

    fn current(&self, resource_type: &str) -> Vec<Version> {
        let of_type = self.resources.iter().filter(|((name, _), _)| name == resource_type);
        of_type.filter_map(|(_, versions)| versions.last().filter(|v| v.resource.is_some()).cloned()).collect()
    }

    /// How often a request that holds these words was made.
    pub fn asked(&self, words: &str) -> usize {
        self.log.iter().filter(|line| line.contains(words)).count()
    }

    fn search(&self, resource_type: &str, query: &[(String, String)]) -> Value {
        let get = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        let count: usize = get("_count").and_then(|c| c.parse().ok()).unwrap_or(20);
        let offset: usize = get("_offset").and_then(|c| c.parse().ok()).unwrap_or(0);
        let since = get("_lastUpdated").map(|text| micros(text.strip_prefix("ge").unwrap()));
        let mut found = self.current(resource_type);
        found.retain(|version| {
            let resource = version.resource.as_ref().unwrap();
            let identified = |token: &str| {
                let (system, value) = token.split_once('|').unwrap_or(("", token));
                resource["identifier"]
                    .as_array()
                    .is_some_and(|list| list.iter().any(|i| i["value"] == value && (system.is_empty() || i["system"] == system)))
            };
            since.is_none_or(|since| version.at >= since)
                && get("identifier").is_none_or(identified)
                && get("type").is_none_or(|code| resource["type"]["coding"][0]["code"] == code)
        });
        // They come by id.
        match self.sorts {
            Sorts::Time => found.sort_by_key(|version| version.at),
            Sorts::Minute => found.sort_by_key(|version| version.at / (60 * SECOND)),
            Sorts::Id => {}
            Sorts::Nothing => found.sort_by_key(|version| (version.at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)),
        }
        if matches!(self.sorts, Sorts::Time | Sorts::Minute) && get("_sort").is_some_and(|sort| sort.starts_with('-')) {
            found.reverse();
        }
        let page = found.iter().skip(offset).take(count);
        let entries: Vec<Value> = page
            .map(|version| {
                let resource = version.resource.as_ref().unwrap();
                let shown = match get("_elements") {
                    Some(_) => json!({"resourceType": resource["resourceType"], "id": resource["id"], "meta": resource["meta"]}),
                    None => resource.clone(),
                };
                json!({"fullUrl": format!("{}/{resource_type}/{}", self.base, resource["id"].as_str().unwrap()), "resource": shown, "search": {"mode": "match"}})
            })
            .collect();
        let link = |offset: usize| {
            let pairs = query.iter().filter(|(name, _)| name != "_offset");
            let mut text = url::form_urlencoded::Serializer::new(String::new());
            text.extend_pairs(pairs).append_pair("_offset", &offset.to_string());
            let base = if self.relative_links { String::new() } else { format!("{}/", self.base) };
            format!("{base}{resource_type}?{}", text.finish())
        };
        let mut links = vec![json!({"relation": "self", "url": link(offset)})];
        if offset + count < found.len() {
            links.push(json!({"relation": "next", "url": link(offset + count)}));
        }
        json!({"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries})
    }

    fn history(&self, resource_type: &str, query: &[(String, String)]) -> Value {
        let since = query.iter().find(|(n, _)| n == "_since").map_or(i64::MIN, |(_, v)| micros(v));
        let of_type = self.resources.iter().filter(|((name, _), _)| name == resource_type);
        let mut all: Vec<(&str, &Version)> =
            of_type.flat_map(|((_, id), versions)| versions.iter().map(move |v| (id.as_str(), v))).collect();
        all.retain(|(_, version)| version.at >= since);
        all.sort_by_key(|(_, version)| std::cmp::Reverse(version.at));
        let entries: Vec<Value> = all
            .into_iter()
            .map(|(id, version)| {
                let response = json!({"status": "200", "etag": format!("W/\"{}\"", version.number), "lastModified": instant(version.at)});
                let full_url = format!("{}/{resource_type}/{id}", self.base);
                let url = format!("{resource_type}/{id}");
                match &version.resource {
                    Some(resource) => {
                        json!({"fullUrl": full_url, "resource": resource, "request": {"method": "PUT", "url": url}, "response": response})
                    }
                    None => json!({"fullUrl": full_url, "request": {"method": "DELETE", "url": url}, "response": response}),
                }
            })
            .collect();
        json!({"resourceType": "Bundle", "type": "history", "entry": entries})
    }

    fn ndjson(&self, export: &Export, resource_type: &str) -> String {
        let current = self.current(resource_type).into_iter().filter(|v| v.at <= export.at && export.since.is_none_or(|s| v.at > s));
        current.map(|version| format!("{}\n", version.resource.unwrap())).collect()
    }

    fn deleted(&self, export: &Export) -> String {
        let gone = self
            .resources
            .iter()
            .filter(|(_, versions)| versions.last().is_some_and(|v| v.resource.is_none() && export.since.is_some_and(|s| v.at > s)));
        let entries: Vec<Value> =
            gone.map(|((name, id), _)| json!({"request": {"method": "DELETE", "url": format!("{name}/{id}")}})).collect();
        if entries.is_empty() {
            String::new()
        } else {
            format!("{}\n", json!({"resourceType": "Bundle", "type": "transaction", "entry": entries}))
        }
    }
}

async fn answer(State(world): State<Arc<Mutex<World>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let path = parts.uri.path().to_owned();
    let query: Vec<(String, String)> = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let mut world = world.lock().unwrap();
    let line = format!("{} {}", parts.method, parts.uri);
    let mut events = std::mem::take(&mut world.events);
    for event in &mut events {
        event(&mut world, &line);
    }
    world.events.extend(events);
    let credential = parts.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).map(str::to_owned);
    world.log.push(line);
    world.credentials.push(credential.clone());
    world.bodies.push(String::from_utf8_lossy(&body).into_owned());
    let date = DateTime::from_timestamp_micros(world.clock).unwrap().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut response = respond(&mut world, parts.method.as_str(), &path, &query, &parts.headers, credential.as_deref());
    response.headers_mut().insert(header::DATE, HeaderValue::from_str(&date).unwrap());
    response
}

fn respond(
    world: &mut World,
    method: &str,
    path: &str,
    query: &[(String, String)],
    headers: &axum::http::HeaderMap,
    credential: Option<&str>,
) -> Response {
    let fhir = |status: u16, value: Value| reply(status, "application/fhir+json", value.to_string().into_bytes());
    let outcome = |status: u16| fhir(status, json!({"resourceType": "OperationOutcome", "issue": []}));
    if let Some((status, extra)) = world.answers.pop_front() {
        let mut response = outcome(status);
        for (name, value) in extra {
            response.headers_mut().insert(name, HeaderValue::from_str(&value).unwrap());
        }
        return response;
    }
    if path == "/token" {
        return match &world.token {
            Some((token, seconds)) => fhir(200, json!({"access_token": token, "token_type": "bearer", "expires_in": seconds})),
            None => fhir(400, json!({"error": "invalid_client"})),
        };
    }
    if path.ends_with("/.well-known/smart-configuration") {
        return fhir(200, json!({"token_endpoint": format!("{}/token", world.base.trim_end_matches("/fhir"))}));
    }
    if path.starts_with("/open/") {
        return file(world, path, headers);
    }
    if world.authorization.is_some() && world.authorization.as_deref() != credential {
        return outcome(401);
    }
    if let Some((_, status)) = world.broken.iter().find(|(part, _)| path.contains(part.as_str())) {
        return outcome(*status);
    }
    let whole = format!("{path}?{}", query.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("&"));
    if let Some((_, bytes)) = world.bytes.iter().find(|(part, _)| whole.contains(part.as_str())) {
        return reply(200, "application/fhir+json", bytes.clone());
    }
    let segments: Vec<&str> = path.trim_start_matches("/fhir").split('/').filter(|s| !s.is_empty()).collect();
    match (method, segments.as_slice()) {
        ("GET", ["$export"]) => {
            let get = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
            let types: Vec<String> = get("_type").unwrap_or_default().split(',').map(str::to_owned).collect();
            if headers.get("prefer").is_none_or(|v| v != "respond-async") || !world.exports_binary && types.contains(&"Binary".to_owned()) {
                return outcome(400);
            }
            let at = world.clock;
            world.export.push(Export { polls: 0, since: get("_since").map(|s| micros(&s)), types, at });
            let mut response = outcome(202);
            let status = format!("{}/status/{}", world.base, world.export.len() - 1);
            response.headers_mut().insert(header::CONTENT_LOCATION, HeaderValue::from_str(&status).unwrap());
            response
        }
        (method, ["status", number]) => {
            let number: usize = number.parse().unwrap();
            if method == "DELETE" {
                return outcome(202);
            }
            let export = &mut world.export[number];
            export.polls += 1;
            if export.polls < 3 {
                let mut response = outcome(202);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("0"));
                return response;
            }
            let origin = world.base.trim_end_matches("/fhir");
            let export = &world.export[number];
            let output: Vec<Value> =
                export.types.iter().map(|name| json!({"type": name, "url": format!("{origin}/open/{number}/{name}")})).collect();
            let deleted = json!([{"type": "Bundle", "url": format!("{origin}/open/{number}/deleted")}]);
            let manifest = json!({"transactionTime": instant(export.at), "requiresAccessToken": false, "output": output, "deleted": deleted, "error": []});
            reply(200, "application/json", manifest.to_string().into_bytes())
        }
        ("GET", [name, "_history"]) if world.history => fhir(200, world.history(name, query)),
        ("GET", [_, "_history"]) => outcome(404),
        ("GET", [name]) => fhir(200, world.search(name, query)),
        ("GET", [name, id]) => match world.resources.get(&((*name).to_owned(), (*id).to_owned())).and_then(|v| v.last()) {
            None => outcome(404),
            Some(Version { resource: None, .. }) => outcome(410),
            Some(Version { resource: Some(resource), number, .. }) => {
                let etag = format!("W/\"{number}\"");
                if headers.get(header::IF_NONE_MATCH).is_some_and(|v| v == etag.as_str()) {
                    return reply(304, "text/plain", Vec::new());
                }
                let mut response = if *name == "Binary" && world.raw_binaries {
                    let data = STANDARD.decode(resource["data"].as_str().unwrap()).unwrap();
                    reply(200, resource["contentType"].as_str().unwrap(), data)
                } else {
                    fhir(200, resource.clone())
                };
                response.headers_mut().insert(header::ETAG, HeaderValue::from_str(&etag).unwrap());
                response
            }
        },
        _ => outcome(404),
    }
}

/// A file of an export, packed where that is accepted.
fn file(world: &World, path: &str, headers: &axum::http::HeaderMap) -> Response {
    let mut segments = path.trim_start_matches("/open/").split('/');
    let export = &world.export[segments.next().unwrap().parse::<usize>().unwrap()];
    let name = segments.next().unwrap();
    let text = if name == "deleted" { world.deleted(export) } else { world.ndjson(export, name) };
    if headers.get(header::ACCEPT_ENCODING).is_some_and(|v| v == "gzip") {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(text.as_bytes()).unwrap();
        let mut response = reply(200, "application/fhir+ndjson", packed.finish().unwrap());
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        return response;
    }
    reply(200, "application/fhir+ndjson", text.into_bytes())
}

fn reply(status: u16, media: &str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_str(media).unwrap());
    response
}

pub fn instant(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap().to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn micros(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
}

pub fn patient(id: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "identifier": [{"system": "urn:oid:1.2.3", "value": format!("IPP{id}")}],
        "name": [{"family": format!("INVENTÉ{}", id.to_uppercase()), "given": ["Zoé"]}], "birthDate": "1950-02-03"})
}

pub fn encounter(id: &str, patient: &str) -> Value {
    json!({"resourceType": "Encounter", "id": id, "status": "finished", "class": {"code": "IMP"}, "subject": {"reference": format!("Patient/{patient}")}})
}

pub fn binary(id: &str, text: &str) -> Value {
    json!({"resourceType": "Binary", "id": id, "contentType": "text/plain; charset=utf-8", "data": STANDARD.encode(text)})
}

/// A document whose text is in it.
pub fn document(id: &str, text: &str) -> Value {
    json!({"resourceType": "DocumentReference", "id": id, "status": "current", "subject": {"reference": "Patient/p1"},
        "context": {"encounter": [{"reference": "Encounter/e1"}]}, "type": {"coding": [{"system": "http://loinc.org", "code": "11490-0"}]},
        "content": [{"attachment": {"contentType": "text/plain", "data": STANDARD.encode(text)}}]})
}

/// A document whose text is elsewhere.
pub fn pointing(id: &str, url: &str) -> Value {
    let mut document = document(id, "");
    document["content"] = json!([{"attachment": {"contentType": "text/plain", "url": url}}]);
    document
}
