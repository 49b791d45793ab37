//! What is asked of a server, and what it answers.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::header::{CONTENT_LOCATION, CONTENT_TYPE, ETAG, LAST_MODIFIED, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::content::{Content, Entry, Export};
use crate::day::fhir::{deleted_entry, written};
use crate::day::{Day, Kind};

const PAGE: usize = 50;

/// One question, taken apart.
struct Asked<'a> {
    day: &'a Day,
    base: &'a str,
    query: Vec<(String, String)>,
}

/// Answers a request.
pub fn answer(day: &Day, base: &str, content: &mut Content, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    let query = uri.query().unwrap_or_default();
    let asked = Asked { day, base, query: form_urlencoded::parse(query.as_bytes()).into_owned().collect() };
    let Some(rest) = uri.path().strip_prefix("/fhir") else { return outcome(StatusCode::NOT_FOUND, "not-found") };
    let segments: Vec<&str> = rest.split('/').filter(|segment| !segment.is_empty()).collect();
    match (method.as_str(), segments.as_slice()) {
        ("GET", ["metadata"]) => resource(&json!({
            "resourceType": "CapabilityStatement", "status": "active", "kind": "instance", "fhirVersion": "4.0.1",
            "format": ["application/fhir+json"], "software": {"name": "sillage-sandbox"}
        })),
        ("GET", ["$export"]) => asked.kick_off(content, headers),
        ("GET", ["export", job]) => asked.status(content, job),
        ("GET", ["export", job, file]) => exported(content, job, file),
        ("DELETE", ["export", job]) => {
            let gone = job.parse().is_ok_and(|job: u64| content.exports.remove(&job).is_some());
            plain(if gone { StatusCode::ACCEPTED } else { StatusCode::NOT_FOUND })
        }
        ("GET", ["Binary", id]) => match day.binary(id) {
            Some(binary) => resource(&binary),
            None => outcome(StatusCode::NOT_FOUND, "not-found"),
        },
        ("GET", [name, rest @ ..]) => match (Kind::of(name), rest) {
            (Some(kind), []) => asked.search(content, kind),
            (Some(kind), ["_history"]) => asked.history(content, kind),
            (Some(kind), [id]) => asked.read(content, kind, id),
            _ => outcome(StatusCode::NOT_FOUND, "not-found"),
        },
        _ => outcome(StatusCode::METHOD_NOT_ALLOWED, "not-supported"),
    }
}

impl Asked<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn count(&self) -> usize {
        self.parameter("_count").and_then(|count| count.parse().ok()).unwrap_or(PAGE).clamp(1, 1000)
    }

    /// The same question for the part of the answer after or before a place.
    fn link(&self, path: &str, place: Option<(&str, u64)>) -> String {
        let kept = self.query.iter().filter(|(name, _)| !name.starts_with("__"));
        let mut link = form_urlencoded::Serializer::new(format!("{}/{path}?", self.base));
        link.extend_pairs(kept.map(|(name, value)| (name.as_str(), value.as_str())));
        if let Some((name, place)) = place {
            link.append_pair(name, &place.to_string());
        }
        link.finish()
    }

    fn resource(&self, entry: &Entry) -> Option<Value> {
        self.day.resource(entry.of(self.day)?, &written(entry.updated))
    }

    fn read(&self, content: &Content, kind: Kind, id: &str) -> Response {
        let Some(entry) = content.newest(self.day, kind, id) else { return outcome(StatusCode::NOT_FOUND, "not-found") };
        let version = entry.of(self.day).map_or(0, |change| change.version());
        let mut response = match self.resource(&entry) {
            Some(found) => resource(&found),
            None => outcome(StatusCode::GONE, "deleted"),
        };
        let headers = response.headers_mut();
        header(headers, ETAG, &format!("W/\"{version}\""));
        header(headers, LAST_MODIFIED, &entry.updated.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        response
    }

    fn search(&self, content: &Content, kind: Kind) -> Response {
        let (mut from, mut until) = (None, None);
        for (_, value) in self.query.iter().filter(|(name, _)| name == "_lastUpdated") {
            let (prefix, time) = value.split_at(value.find(|c: char| c.is_ascii_digit()).unwrap_or(0));
            let Ok(time) = DateTime::parse_from_rfc3339(time) else { return outcome(StatusCode::BAD_REQUEST, "invalid") };
            match prefix {
                "ge" | "gt" => from = Some((time, prefix == "gt")),
                "le" | "lt" => until = Some((time, prefix == "lt")),
                _ => return outcome(StatusCode::BAD_REQUEST, "not-supported"),
            }
        }
        if self.parameter("_sort").is_some_and(|sort| sort != "_lastUpdated") {
            return outcome(StatusCode::BAD_REQUEST, "not-supported");
        }
        let after = self.parameter("__after").and_then(|place| place.parse().ok()).unwrap_or(0);
        let inside = |updated: DateTime<Utc>| {
            from.is_none_or(|(time, strictly)| if strictly { updated > time } else { updated >= time })
                && until.is_none_or(|(time, strictly)| if strictly { updated < time } else { updated <= time })
        };
        let id = self.parameter("_id");
        let wanted = |entry: &Entry| {
            let change = entry.of(self.day);
            inside(entry.updated) && id.is_none_or(|id| change.is_some_and(|change| self.day.resource_id(change) == id))
        };
        let count = self.count();
        let mut found: Vec<Entry> = content.listed(kind, after).filter(wanted).take(count + 1).collect();
        let more = found.len() > count;
        found.truncate(count);
        let name = kind.name();
        let entries: Vec<Value> = found
            .iter()
            .filter_map(|entry| self.resource(entry))
            .map(|found| {
                let url = format!("{}/{name}/{}", self.base, found["id"].as_str().unwrap_or_default());
                json!({ "fullUrl": url, "resource": found, "search": { "mode": "match" } })
            })
            .collect();
        let next = found.last().filter(|_| more).map(|last| self.link(name, Some(("__after", last.sequence))));
        resource(&bundle("searchset", &self.link(name, None), next, entries))
    }

    fn history(&self, content: &Content, kind: Kind) -> Response {
        let since = match self.parameter("_since").map(DateTime::parse_from_rfc3339) {
            Some(Err(_)) => return outcome(StatusCode::BAD_REQUEST, "invalid"),
            Some(Ok(since)) => Some(since),
            None => None,
        };
        let before = self.parameter("__before").and_then(|place| place.parse().ok());
        let count = self.count();
        let newer = |entry: &Entry| since.is_none_or(|since| entry.updated >= since);
        let mut found: Vec<Entry> = content.history(kind, before).take_while(newer).take(count + 1).collect();
        let more = found.len() > count;
        found.truncate(count);
        let entries = found.iter().filter_map(|entry| {
            let change = entry.of(self.day)?;
            let (id, at) = (self.day.resource_id(change), written(entry.updated));
            let Some(found) = self.day.resource(change, &at) else {
                return Some(deleted_entry(self.base, kind, &id, change.version(), &at));
            };
            Some(json!({
                "fullUrl": format!("{}/{}/{id}", self.base, kind.name()),
                "resource": found,
                "request": { "method": "PUT", "url": format!("{}/{id}", kind.name()) },
                "response": { "status": "200", "etag": format!("W/\"{}\"", change.version()), "lastModified": at }
            }))
        });
        let path = format!("{}/_history", kind.name());
        let next = found.last().filter(|_| more).map(|last| self.link(&path, Some(("__before", last.sequence))));
        resource(&bundle("history", &self.link(&path, None), next, entries.collect()))
    }

    fn kick_off(&self, content: &mut Content, headers: &HeaderMap) -> Response {
        if headers.get("prefer").is_none_or(|prefer| !prefer.as_bytes().windows(13).any(|word| word == b"respond-async")) {
            return outcome(StatusCode::BAD_REQUEST, "invalid");
        }
        let since = match self.parameter("_since").map(DateTime::parse_from_rfc3339) {
            Some(Err(_)) => return outcome(StatusCode::BAD_REQUEST, "invalid"),
            Some(Ok(since)) => since.with_timezone(&Utc),
            None => DateTime::UNIX_EPOCH,
        };
        let types = self.parameter("_type").unwrap_or("Patient,Encounter,DocumentReference,Binary");
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        for kind in types.split(',').filter_map(Kind::of) {
            for entry in content.listed(kind, 0).filter(|entry| entry.updated >= since) {
                let Some(found) = self.resource(&entry) else { continue };
                line(&mut files, kind.name(), &found);
                let binary = entry.of(self.day).and_then(|change| self.day.binary_of(change));
                if let Some(binary) = binary.filter(|_| types.split(',').any(|name| name == "Binary")) {
                    line(&mut files, "Binary", &binary);
                }
            }
            for entry in content.history(kind, None).take_while(|entry| entry.updated >= since) {
                let Some(change) = entry.of(self.day).filter(|change| change.is_deletion()) else { continue };
                if content.is_newest(change, &entry) {
                    let (id, at) = (self.day.resource_id(change), written(entry.updated));
                    let gone = deleted_entry(self.base, kind, &id, change.version(), &at);
                    line(&mut files, "Bundle", &json!({ "resourceType": "Bundle", "type": "transaction", "entry": [gone] }));
                }
            }
        }
        content.kicked_off += 1;
        content.exports.insert(content.kicked_off, Export { at: Utc::now(), asked: 0, files });
        let mut response = plain(StatusCode::ACCEPTED);
        header(response.headers_mut(), CONTENT_LOCATION, &format!("{}/export/{}", self.base, content.kicked_off));
        response
    }

    fn status(&self, content: &mut Content, job: &str) -> Response {
        let export = job.parse().ok().and_then(|job: u64| content.exports.get_mut(&job));
        let Some(export) = export else { return outcome(StatusCode::NOT_FOUND, "not-found") };
        export.asked += 1;
        if export.asked == 1 {
            let mut response = plain(StatusCode::ACCEPTED);
            header(response.headers_mut(), RETRY_AFTER, "1");
            return response;
        }
        let of = |deleted: bool| -> Vec<Value> {
            let names = export.files.keys().filter(|name| (*name == "Bundle") == deleted);
            names.map(|name| json!({ "type": name, "url": format!("{}/export/{job}/{name}.ndjson", self.base) })).collect()
        };
        let at = export.at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let manifest = json!({
            "transactionTime": at, "request": self.link("$export", None), "requiresAccessToken": false,
            "output": of(false), "deleted": of(true), "error": []
        });
        with_body(StatusCode::OK, "application/json", manifest.to_string())
    }
}

fn exported(content: &Content, job: &str, file: &str) -> Response {
    let export = job.parse().ok().and_then(|job: u64| content.exports.get(&job));
    let lines = export.and_then(|export| export.files.get(file.strip_suffix(".ndjson")?));
    match lines {
        Some(lines) => with_body(StatusCode::OK, "application/fhir+ndjson", lines.clone()),
        None => outcome(StatusCode::NOT_FOUND, "not-found"),
    }
}

fn line(files: &mut BTreeMap<String, String>, name: &str, resource: &Value) {
    let file = files.entry(name.to_owned()).or_default();
    file.push_str(&resource.to_string());
    file.push('\n');
}

fn bundle(kind: &str, own: &str, next: Option<String>, entries: Vec<Value>) -> Value {
    let mut links = vec![json!({ "relation": "self", "url": own })];
    links.extend(next.map(|url| json!({ "relation": "next", "url": url })));
    json!({ "resourceType": "Bundle", "type": kind, "link": links, "entry": entries })
}

fn resource(resource: &Value) -> Response {
    with_body(StatusCode::OK, "application/fhir+json; charset=utf-8", resource.to_string())
}

fn outcome(status: StatusCode, code: &str) -> Response {
    let body = json!({ "resourceType": "OperationOutcome", "issue": [{ "severity": "error", "code": code }] });
    with_body(status, "application/fhir+json; charset=utf-8", body.to_string())
}

/// Come back later.
pub fn busy() -> Response {
    let mut response = outcome(StatusCode::SERVICE_UNAVAILABLE, "throttled");
    header(response.headers_mut(), RETRY_AFTER, "1");
    response
}

pub fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn with_body(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn header(headers: &mut HeaderMap, name: axum::http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
