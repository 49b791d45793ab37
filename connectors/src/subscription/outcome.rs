//! What senders are answered, in FHIR: never a word of what they sent.

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use crate::formats::fhir::inspect::{BundleSummary, EntrySummary};

/// Why something is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// What is sent is not what it should be.
    Malformed(&'static str),
    Unauthorised,
    NoSuchPath,
    /// The methods that the path has.
    Method(&'static str),
    Slow,
    TooLarge,
    MediaType(&'static str),
    /// It is what it should be, but nothing can be made of it.
    Unprocessable(&'static str),
    /// Too much waits, or is being received.
    Busy,
    /// The inbox cannot be written.
    NotDurable,
}

impl Refusal {
    pub fn status(self) -> StatusCode {
        match self {
            Refusal::Malformed(_) => StatusCode::BAD_REQUEST,
            Refusal::Unauthorised => StatusCode::UNAUTHORIZED,
            Refusal::NoSuchPath => StatusCode::NOT_FOUND,
            Refusal::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Slow => StatusCode::REQUEST_TIMEOUT,
            Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::Busy | Refusal::NotDurable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// For the label of a metric.
    pub fn reason(self) -> &'static str {
        self.words().0
    }

    /// A word to group by, the FHIR issue type, and what to tell.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Refusal::Malformed(text) => ("malformed", "structure", text),
            Refusal::Unauthorised => ("unauthorised", "login", "show a token or a password that is known here"),
            Refusal::NoSuchPath => ("no_such_path", "not-found", "nothing is taken at this path"),
            Refusal::Method(_) => {
                ("method", "not-supported", "the path does not have this method; send whole resources by POST or PUT, or DELETE them")
            }
            Refusal::Slow => ("slow", "timeout", "the body did not arrive in time"),
            Refusal::TooLarge => ("too_large", "too-long", "the body is larger than is taken"),
            Refusal::MediaType(text) => ("media_type", "not-supported", text),
            Refusal::Unprocessable(text) => ("unprocessable", "processing", text),
            Refusal::Busy => ("busy", "throttled", "too much waits to be worked on; send it again later"),
            Refusal::NotDurable => ("not_durable", "transient", "it cannot be kept at the moment; send it again later"),
        }
    }

    pub fn response(self, challenge: &'static str) -> Response {
        let (_, code, text) = self.words();
        let mut response = fhir(self.status(), &outcome("error", code, text));
        let headers = response.headers_mut();
        match self {
            Refusal::Unauthorised => headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge)),
            Refusal::Method(allowed) => headers.insert(ALLOW, HeaderValue::from_static(allowed)),
            Refusal::Busy => headers.insert(RETRY_AFTER, HeaderValue::from_static("10")),
            Refusal::NotDurable => headers.insert(RETRY_AFTER, HeaderValue::from_static("30")),
            _ => None,
        };
        response
    }
}

/// What was done with what was sent.
#[derive(Debug)]
pub(super) enum Accepted {
    /// It is kept.
    Kept,
    /// It is kept as a new resource of that id.
    Created {
        location: Option<String>,
    },
    Deleted,
    /// What it tells of will be fetched, or it tells of nothing.
    Noted,
    /// A Bundle of requests, each to be answered.
    Answered(BundleSummary),
    /// What this endpoint can do.
    Capabilities,
}

impl Accepted {
    pub fn response(&self, now: &str) -> Response {
        let kept = || outcome("information", "informational", "kept");
        match self {
            Accepted::Kept => fhir(StatusCode::OK, &kept()),
            Accepted::Noted => fhir(StatusCode::ACCEPTED, &outcome("information", "informational", "noted")),
            Accepted::Created { location } => {
                let mut response = fhir(StatusCode::CREATED, &kept());
                if let Some(location) = location.as_deref().and_then(|l| HeaderValue::from_str(l).ok()) {
                    response.headers_mut().insert(LOCATION, location);
                }
                response
            }
            Accepted::Deleted => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NO_CONTENT;
                response
            }
            Accepted::Answered(bundle) => {
                let entries: Vec<Value> = bundle.entries.iter().map(|entry| json!({ "response": answer(entry, now) })).collect();
                fhir(StatusCode::OK, &json!({"resourceType": "Bundle", "type": format!("{}-response", bundle.type_), "entry": entries}))
            }
            Accepted::Capabilities => fhir(StatusCode::OK, &capabilities(now)),
        }
    }
}

fn answer(entry: &EntrySummary, now: &str) -> Value {
    let status = match entry.method.as_str() {
        "DELETE" => "204 No Content",
        "POST" => "201 Created",
        "PUT" | "" => "200 OK",
        _ => {
            let told = outcome("error", "not-supported", "only whole resources are taken, by POST or PUT, and DELETE");
            return json!({"status": "405 Method Not Allowed", "outcome": told});
        }
    };
    let mut answer = json!({"status": status, "lastModified": now});
    if let (Some(name), Some(id)) = (&entry.resource_type, entry.id.as_deref().filter(|id| plain(id)))
        && entry.method != "DELETE"
    {
        answer["location"] = format!("{name}/{id}").into();
    }
    answer
}

/// Whether an id can stand in an address as it is.
pub(super) fn plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:".contains(&b))
}

fn outcome(severity: &str, code: &str, text: &str) -> Value {
    json!({"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, "diagnostics": text}]})
}

fn capabilities(now: &str) -> Value {
    let resource = |name: &str, interactions: &[&str]| {
        let interactions: Vec<Value> = interactions.iter().map(|code| json!({ "code": code })).collect();
        json!({"type": name, "interaction": interactions})
    };
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": now,
        "kind": "instance",
        "software": {"name": "Sillage", "version": env!("CARGO_PKG_VERSION")},
        "implementation": {"description": "Endpoint for notifications and documents"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [{
            "mode": "server",
            "resource": [
                resource("DocumentReference", &["create", "update", "delete"]),
                resource("Patient", &["create", "update"]),
                resource("Encounter", &["create", "update"])
            ],
            "interaction": [{"code": "transaction"}, {"code": "batch"}],
        }]
    })
}

fn fhir(status: StatusCode, resource: &Value) -> Response {
    let mut response = Response::new(Body::from(resource.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/fhir+json; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_an_outcome() {
        let all = [
            Refusal::Malformed("m"),
            Refusal::Unauthorised,
            Refusal::NoSuchPath,
            Refusal::Method("POST"),
            Refusal::Slow,
            Refusal::TooLarge,
            Refusal::MediaType("m"),
            Refusal::Unprocessable("u"),
            Refusal::Busy,
            Refusal::NotDurable,
        ];
        let mut reasons: Vec<_> = all.iter().map(|r| r.reason()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        assert_eq!(reasons.len(), all.len());
        for refusal in all {
            let response = refusal.response("Bearer");
            assert!(response.status().is_client_error() || response.status().is_server_error());
            let retry = response.headers().contains_key(RETRY_AFTER);
            assert_eq!(retry, response.status() == StatusCode::SERVICE_UNAVAILABLE, "{refusal:?}");
            assert_eq!(response.headers().contains_key(ALLOW), response.status() == StatusCode::METHOD_NOT_ALLOWED);
            assert_eq!(response.headers().contains_key(WWW_AUTHENTICATE), response.status() == StatusCode::UNAUTHORIZED);
        }
    }

    #[test]
    fn each_request_of_a_bundle_is_answered() {
        let entry = |method: &str, id: Option<&str>| EntrySummary {
            method: method.into(),
            resource_type: Some("DocumentReference".into()),
            id: id.map(str::to_owned),
            has_resource: true,
        };
        let of = |method, id| answer(&entry(method, id), "now");
        assert_eq!(of("POST", Some("d1")), json!({"status": "201 Created", "lastModified": "now", "location": "DocumentReference/d1"}));
        assert_eq!(of("PUT", None), json!({"status": "200 OK", "lastModified": "now"}));
        assert_eq!(of("POST", Some("a/b?c")), json!({"status": "201 Created", "lastModified": "now"}));
        assert_eq!(of("DELETE", Some("d1")), json!({"status": "204 No Content", "lastModified": "now"}));
        assert_eq!(of("PATCH", None)["status"], "405 Method Not Allowed");
    }
}
