//! A document with all it refers to, as one payload.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use url::Url;

use super::Remote;
use super::cache::{Cache, Copy, Found};
use super::client::{Failure, Reply, Request};
use super::export::Binaries;
use super::page::{Item, Page};
use crate::formats::attachment::MediaType;
use crate::formats::fhir::Target;
use crate::formats::fhir::resource::{DocumentReference, Head, RawReference, words};

/// Of one document; more is an accident.
const MAX_ATTACHMENTS: usize = 16;
const MAX_AUTHORS: usize = 8;
/// FHIR first; a server that keeps Binary as bytes may give those.
const BINARY: &str = "application/fhir+json, application/json;q=0.9, */*;q=0.5";

/// A payload for the inbox.
pub(crate) struct Assembled {
    pub payload: Vec<u8>,
    /// An attachment is not there, or not yet.
    pub incomplete: bool,
}

/// What a document refers to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wants {
    attachments: Vec<String>,
    resources: Vec<Wanted>,
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Read { resource_type: String, id: String },
    Find { resource_type: &'static str, token: String },
}

enum Attached {
    Here {
        full_url: String,
        json: String,
    },
    /// Perhaps later.
    Missing,
    /// Nothing that could be fetched.
    Never,
}

impl Remote {
    /// The document with its Binaries, patient, encounter and authors. What is no
    /// DocumentReference that can be read goes as it is.
    ///
    /// # Errors
    /// The server cannot be asked now; what it does not have is no error.
    pub async fn assemble(&self, json: &str, binaries: Option<&Mutex<Binaries>>) -> Result<Assembled, Failure> {
        let Some((id, wants)) = wants(json, self.client.address.base()) else {
            return Ok(Assembled { payload: json.as_bytes().to_vec(), incomplete: false });
        };
        let mut bundle = Collection::new();
        let full_url = |resource_type: &str, id: &str| self.client.address.path(&[resource_type, id]).to_string();
        bundle.push(id.map(|id| full_url("DocumentReference", &id)).as_deref(), json);
        let mut incomplete = false;
        for url in &wants.attachments {
            match self.attachment(url, binaries).await? {
                Attached::Here { full_url, json } => bundle.push(Some(&full_url), &json),
                Attached::Missing => incomplete = true,
                Attached::Never => {}
            }
        }
        for wanted in &wants.resources {
            let found = match wanted {
                // An export has brought them, if it is to bring any.
                Wanted::Read { .. } if binaries.is_some() => None,
                Wanted::Read { resource_type, id } => self.resource(resource_type, id).await?,
                Wanted::Find { resource_type, token } => self.identified(resource_type, token).await?,
            };
            if let Some(json) = found {
                let head = Item::of_resource(&json);
                let url = head.id.as_deref().map(|id| full_url(&head.resource_type, id));
                bundle.push(url.as_deref(), &json);
            }
        }
        Ok(Assembled { payload: bundle.finish(), incomplete })
    }

    /// Puts a resource that came along into the cache.
    pub fn remember(&self, item: &Item<'_>) {
        if let (Some(id), Some(json)) = (&item.id, item.json) {
            let etag = item.version.as_ref().map(|version| format!("W/\"{version}\""));
            self.cache().put(format!("{}/{id}", item.resource_type), Copy { json: Some(json.into()), etag });
        }
    }

    async fn attachment(&self, reference: &str, binaries: Option<&Mutex<Binaries>>) -> Result<Attached, Failure> {
        let reference = reference.trim();
        let absolute = reference.contains("://");
        let (url, id) = match Target::parse(reference) {
            Target::Contained(_) | Target::Data(_) | Target::Search { .. } => return Ok(Attached::Never),
            Target::Resource { resource_type: None | Some("Binary"), id } if !absolute => {
                let version = reference.split_once("/_history/").map(|(_, version)| version.trim_end_matches('/'));
                let url = match version {
                    Some(version) => self.client.address.path(&["Binary", id, "_history", version]),
                    None => self.client.address.path(&["Binary", id]),
                };
                (Some(url), Some(id.to_owned()))
            }
            Target::Resource { resource_type: Some("Binary"), id } => (Url::parse(reference).ok(), Some(id.to_owned())),
            Target::FullUrl(urn) if urn.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("urn:")) => return Ok(Attached::Never),
            _ => (self.client.address.resolve(reference, self.client.address.base()), None),
        };
        let Some(url) = url else { return Ok(Attached::Never) };
        // What looks for it looks for what is written in the attachment.
        let versioned = reference.contains("/_history/");
        let full_url = if id.is_some() && !absolute && !versioned { url.to_string() } else { reference.to_owned() };
        if let (Some(id), Some(binaries), false) = (&id, binaries, versioned)
            && let Some(json) = binaries.lock().unwrap_or_else(PoisonError::into_inner).read(id)?
        {
            return Ok(Attached::Here { full_url, json });
        }
        let reply = match self.client.fetch(&binary_request(url.clone(), BINARY), self.settings.max_bytes).await {
            Ok(reply) if reply.status == 406 => self.client.fetch(&binary_request(url, "*/*"), self.settings.max_bytes).await,
            other => other,
        };
        match reply {
            Ok(reply) if reply.status == 200 => Ok(Attached::Here { full_url, json: binary(reply, id.as_deref()) }),
            Ok(reply) if matches!(reply.status, 401 | 403 | 404 | 410) => Ok(Attached::Missing),
            Ok(_) => Ok(Attached::Never),
            Err(failure @ (Failure::Foreign(_) | Failure::TooLarge { .. })) => {
                metrics::counter!("sillage_fhir_attachments_refused_total", "source" => self.client.source.clone(), "reason" => failure.kind())
                    .increment(1);
                tracing::warn!(source = self.client.source, reason = %failure, "an attachment is left out");
                Ok(Attached::Never)
            }
            Err(Failure::Unavailable(why)) => {
                self.probe(why).await?;
                Ok(Attached::Missing)
            }
            Err(failure) => Err(failure),
        }
    }

    /// A resource by its id, from the cache or the server.
    pub async fn resource(&self, resource_type: &str, id: &str) -> Result<Option<Arc<str>>, Failure> {
        let key = format!("{resource_type}/{id}");
        let stale = match self.cache().get(&key) {
            Found::Fresh(copy) => return Ok(copy.json),
            Found::Stale(copy) => Some(copy),
            Found::Nothing => None,
        };
        let mut request = Request::get("the read of a resource", self.client.address.path(&[resource_type, id]));
        if let Some(etag) = stale.as_ref().and_then(|c| c.etag.as_deref()).and_then(|etag| HeaderValue::from_str(etag).ok()) {
            request.headers.push((IF_NONE_MATCH, etag));
        }
        let copy = match self.client.fetch(&request, self.settings.max_bytes).await {
            Ok(reply) if reply.status == 304 => stale.unwrap_or(Copy { json: None, etag: None }),
            Ok(reply) if reply.status == 200 => {
                let etag = reply.header(ETAG).map(str::to_owned);
                let is_it = |head: Head<'_>| words(&head.resource_type) == Some(resource_type);
                let json = String::from_utf8(reply.body).ok().filter(|json| serde_json::from_str::<Head<'_>>(json).is_ok_and(is_it));
                Copy { json: json.map(Into::into), etag }
            }
            Ok(_) | Err(Failure::TooLarge { .. } | Failure::Foreign(_)) => Copy { json: None, etag: None },
            Err(Failure::Unavailable(why)) => match stale {
                Some(copy) => return Ok(copy.json),
                None => {
                    self.probe(why).await?;
                    return Ok(None);
                }
            },
            Err(failure) => return Err(failure),
        };
        self.cache().put(key, copy.clone());
        Ok(copy.json)
    }

    /// The one resource that has an identifier.
    async fn identified(&self, resource_type: &'static str, token: &str) -> Result<Option<Arc<str>>, Failure> {
        let key = format!("{resource_type}?{token}");
        if let Found::Fresh(copy) = self.cache().get(&key) {
            return Ok(copy.json);
        }
        // `|value` asks for one without a system; what is meant is any.
        let parameter = token.strip_prefix('|').unwrap_or(token);
        let url = self.client.address.query(&[resource_type], [("identifier", parameter), ("_count", "2")]);
        let what = "a search by identifier";
        let json = match self.client.fetch(&Request::get(what, url), self.settings.max_bytes).await {
            Ok(reply) => Page::parse(&reply, what).ok().and_then(|page| {
                let mut found = page.items.iter().filter(|item| item.matched && item.resource_type == resource_type);
                let first = found.next().and_then(|item| item.json);
                first.filter(|_| found.next().is_none() && page.next.is_none()).map(Arc::from)
            }),
            Err(Failure::Unavailable(why)) => {
                self.probe(why).await?;
                return Ok(None);
            }
            Err(Failure::TooLarge { .. } | Failure::Foreign(_)) => None,
            Err(failure) => return Err(failure),
        };
        self.cache().put(key, Copy { json: json.clone(), etag: None });
        Ok(json)
    }

    /// Tells a server that is down from one that cannot give one thing: only the
    /// former is an error.
    pub async fn probe(&self, why: String) -> Result<(), Failure> {
        let url = self.client.address.query(&["DocumentReference"], [("_count", "1"), ("_elements", "id")]);
        match self.client.fetch(&Request::get("a search", url), self.settings.max_bytes).await {
            Ok(_) | Err(Failure::TooLarge { .. }) => {
                tracing::warn!(
                    source = self.client.source,
                    reason = why,
                    "the server answers, but not for one resource that a document refers to"
                );
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn binary_request(url: Url, accept: &'static str) -> Request {
    Request { accept, ..Request::get("the read of an attachment", url) }
}

/// What a document refers to, with its id; `None` where it cannot be read.
fn wants(json: &str, base: &Url) -> Option<(Option<String>, Wants)> {
    let document = serde_json::from_str::<DocumentReference<'_>>(json).ok()?;
    let mut wants = Wants::default();
    for attachment in document.content.0.iter().filter_map(|content| content.attachment.as_ref()) {
        let readable = MediaType::parse(words(&attachment.content_type).unwrap_or_default()).kind.is_some();
        if let Some(url) = words(&attachment.url).filter(|_| readable && words(&attachment.data).is_none()) {
            wants.attachments.push(url.to_owned());
        }
    }
    wants.attachments.truncate(MAX_ATTACHMENTS);
    if let Some(subject) = &document.subject.0 {
        wants.resources.extend(wanted(subject, "Patient", base));
    }
    let contexts = document.context.0.iter().flat_map(|list| &list.0);
    for context in contexts {
        let written = context.encounter.0.iter().flat_map(|list| &list.0);
        wants.resources.extend(written.filter_map(|reference| wanted(reference, "Encounter", base)));
        // R5 writes the reference where R4 has the context.
        if let Some(Target::Resource { resource_type: Some("Encounter"), id }) = words(&context.reference).map(Target::parse) {
            wants.resources.push(Wanted::Read { resource_type: "Encounter".into(), id: id.to_owned() });
        }
    }
    let authors = document.author.0.iter().flat_map(|list| &list.0).filter(|author| author.display.is_none());
    for author in authors.take(MAX_AUTHORS) {
        if let Some(Target::Resource { resource_type: Some(name @ ("Practitioner" | "PractitionerRole")), id }) =
            words(&author.reference).filter(|r| is_here(r, base)).map(Target::parse)
        {
            wants.resources.push(Wanted::Read { resource_type: name.to_owned(), id: id.to_owned() });
        }
    }
    Some((words(&document.id).map(str::to_owned), wants))
}

fn wanted(reference: &RawReference<'_>, expected: &'static str, base: &Url) -> Option<Wanted> {
    let token = reference.identifier.0.as_ref().and_then(|identifier| identifier.token());
    let token = match words(&reference.reference).map(|text| (text, Target::parse(text))) {
        Some((text, Target::Resource { resource_type, id })) => {
            let ours = resource_type.is_none_or(|name| name == expected) && !id.is_empty() && is_here(text, base);
            return ours.then(|| Wanted::Read { resource_type: expected.to_owned(), id: id.to_owned() });
        }
        Some((_, Target::Search { query })) => Some(Target::searched_token(query)),
        Some((_, Target::FullUrl(_) | Target::Data(_))) => None,
        Some((_, Target::Contained(_))) | None => token,
    };
    token.map(|token| Wanted::Find { resource_type: expected, token })
}

/// Whether a reference is to the server itself.
fn is_here(reference: &str, base: &Url) -> bool {
    !reference.contains("://") || reference.strip_prefix(base.as_str()).is_some_and(|rest| !rest.is_empty())
}

/// A Binary in JSON, whatever way the server gave it.
fn binary(reply: Reply, id: Option<&str>) -> String {
    if reply.is_json()
        && let Ok(text) = std::str::from_utf8(&reply.body)
        && serde_json::from_str::<Head<'_>>(text).is_ok_and(|head| words(&head.resource_type) == Some("Binary"))
    {
        return text.to_owned();
    }
    let media = reply.header(CONTENT_TYPE).unwrap_or("application/octet-stream");
    let id = id.map(|id| format!("\"id\":{},", quoted(id))).unwrap_or_default();
    format!("{{\"resourceType\":\"Binary\",{id}\"contentType\":{},\"data\":\"{}\"}}", quoted(media), STANDARD.encode(&reply.body))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A collection Bundle made of JSON as it came.
struct Collection(Vec<u8>);

impl Collection {
    fn new() -> Self {
        Collection(br#"{"resourceType":"Bundle","type":"collection","entry":["#.to_vec())
    }

    fn push(&mut self, full_url: Option<&str>, json: &str) {
        if self.0.last() == Some(&b'}') {
            self.0.push(b',');
        }
        self.0.push(b'{');
        if let Some(url) = full_url {
            self.0.extend_from_slice(format!("\"fullUrl\":{},", quoted(url)).as_bytes());
        }
        self.0.extend_from_slice(b"\"resource\":");
        self.0.extend_from_slice(json.as_bytes());
        self.0.push(b'}');
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"]}");
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted_by(json: &str) -> Wants {
        wants(json, &Url::parse("https://h/fhir/").unwrap()).unwrap().1
    }

    #[test]
    fn what_a_document_wants() {
        let found = wanted_by(
            r#"{"resourceType":"DocumentReference","id":"d","subject":{"reference":"https://h/fhir/Patient/p"},
            "author":[{"reference":"Practitioner/a"},{"reference":"Practitioner/b","display":"Dr B"}],
            "context":{"encounter":[{"identifier":{"system":"s","value":"9"}}]},
            "content":[{"attachment":{"contentType":"application/pdf","url":"Binary/1"}},{"attachment":{"contentType":"text/plain","url":"Binary/2"}},
            {"attachment":{"data":"YQ==","url":"Binary/3"}}]}"#,
        );
        let read = |name: &str, id: &str| Wanted::Read { resource_type: name.into(), id: id.into() };
        let encounter = Wanted::Find { resource_type: "Encounter", token: "s|9".into() };
        assert_eq!(
            found,
            Wants {
                attachments: vec!["Binary/1".into(), "Binary/2".into()],
                resources: vec![read("Patient", "p"), encounter, read("Practitioner", "a")]
            }
        );
        let elsewhere = wanted_by(r#"{"subject":{"reference":"https://other/fhir/Patient/p"},"content":[]}"#);
        assert_eq!(elsewhere, Wants::default());
        let group = wanted_by(r#"{"subject":{"reference":"Group/g"}}"#);
        assert_eq!(group, Wants::default());
        let searched = wanted_by(r#"{"subject":{"reference":"Patient?identifier=s%7C1"}}"#);
        assert_eq!(searched.resources, [Wanted::Find { resource_type: "Patient", token: "s|1".into() }]);
    }

    #[test]
    fn a_collection_is_json() {
        let mut bundle = Collection::new();
        bundle.push(Some("u\"x"), r#"{"a":1}"#);
        bundle.push(None, r#"{"b":2}"#);
        let value: serde_json::Value = serde_json::from_slice(&bundle.finish()).unwrap();
        assert_eq!(value["entry"][0]["fullUrl"], "u\"x");
        assert_eq!(value["entry"][1]["resource"]["b"], 2);
    }

    #[test]
    fn raw_bytes_become_a_binary() {
        let reply = |media: &'static str, body: &str| Reply {
            status: 200,
            headers: [(CONTENT_TYPE, HeaderValue::from_static(media))].into_iter().collect(),
            body: body.as_bytes().to_vec(),
            url: Url::parse("http://h/").unwrap(),
        };
        let json = r#"{"resourceType":"Binary","data":"YQ=="}"#;
        assert_eq!(binary(reply("application/fhir+json;charset=utf-8", json), Some("b")), json);
        let wrapped: serde_json::Value = serde_json::from_str(&binary(reply("text/plain; charset=x", "a"), Some("b"))).unwrap();
        assert_eq!(
            (&wrapped["id"], &wrapped["contentType"], &wrapped["data"]),
            (&"b".into(), &"text/plain; charset=x".into(), &"YQ==".into())
        );
        // JSON that is the document itself.
        assert!(binary(reply("application/json", r#"{"x":1}"#), None).contains("\"data\""));
    }
}
