//! Bundles that a server answers with: pages of a search or of a history.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::client::{Failure, Reply};
use super::state::fingerprint;
use crate::formats::fhir::resource::{Head, Lenient, List, Meta, One, Text, words};
use crate::formats::fhir::time::FhirTime;

/// One page.
pub(crate) struct Page<'p> {
    pub items: Vec<Item<'p>>,
    /// Entries that are no entries.
    pub broken: Vec<&'p str>,
    pub next: Option<String>,
}

/// One entry.
pub(crate) struct Item<'p> {
    pub json: Option<&'p str>,
    pub full_url: Option<String>,
    pub resource_type: String,
    pub id: Option<String>,
    pub version: Option<String>,
    pub last_updated: Option<i64>,
    /// What was found, not what came along with it.
    pub matched: bool,
    /// Of a history: the request was a deletion.
    pub deleted: bool,
    pub url: Option<String>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Bundle<'a> {
    #[serde(borrow, rename = "resourceType")]
    resource_type: Option<Text<'a>>,
    #[serde(borrow)]
    link: Lenient<List<Link<'a>>>,
    #[serde(borrow)]
    entry: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Link<'a> {
    #[serde(borrow)]
    relation: Option<Text<'a>>,
    #[serde(borrow)]
    url: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow, rename = "fullUrl")]
    full_url: Option<Text<'a>>,
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    #[serde(borrow)]
    search: One<Search<'a>>,
    #[serde(borrow)]
    request: One<Request<'a>>,
    #[serde(borrow)]
    response: One<Response<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Search<'a> {
    #[serde(borrow)]
    mode: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Request<'a> {
    #[serde(borrow)]
    method: Option<Text<'a>>,
    #[serde(borrow)]
    url: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Response<'a> {
    #[serde(borrow)]
    etag: Option<Text<'a>>,
    #[serde(borrow, rename = "lastModified")]
    last_modified: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Versioned<'a> {
    #[serde(borrow)]
    meta: One<Meta<'a>>,
}

impl<'p> Page<'p> {
    /// # Errors
    /// The answer refuses, or is no Bundle.
    pub fn parse(reply: &'p Reply, what: &'static str) -> Result<Self, Failure> {
        if reply.status != 200 {
            return Err(Failure::Refused { what, status: reply.status });
        }
        let bundle: Bundle<'p> = serde_json::from_slice(&reply.body).map_err(|error| {
            Failure::Misread(format!("{what} is not answered with FHIR JSON (line {} column {})", error.line(), error.column()))
        })?;
        if words(&bundle.resource_type) != Some("Bundle") {
            return Err(Failure::Misread(format!("{what} is not answered with a Bundle; is the address that of a FHIR server?")));
        }
        let mut links = bundle.link.0.iter().flat_map(|list| &list.0).filter(|link| words(&link.relation) == Some("next"));
        let next = links.find_map(|link| words(&link.url)).map(str::to_owned);
        let mut page = Page { items: Vec::new(), broken: Vec::new(), next };
        for raw in bundle.entry.into_iter().flatten() {
            match serde_json::from_str::<Entry<'p>>(raw.get()) {
                Ok(entry) => page.items.push(Item::of(entry)),
                Err(_) => page.broken.push(raw.get()),
            }
        }
        Ok(page)
    }
}

/// The entries of a Bundle that is no answer; `None` where it is no Bundle.
pub(crate) fn items(json: &str) -> Option<Vec<Item<'_>>> {
    let bundle = serde_json::from_str::<Bundle<'_>>(json).ok().filter(|b| words(&b.resource_type) == Some("Bundle"))?;
    let entries = bundle.entry.into_iter().flatten().filter_map(|raw| serde_json::from_str::<Entry<'_>>(raw.get()).ok());
    Some(entries.map(Item::of).collect())
}

impl<'p> Item<'p> {
    fn of(entry: Entry<'p>) -> Self {
        let json = entry.resource.map(RawValue::get);
        let mut item = json.map_or_else(Item::none, Item::of_resource);
        let owned = |text: &Option<Text<'_>>| words(text).map(str::to_owned);
        item.full_url = owned(&entry.full_url);
        item.matched = entry.search.0.as_ref().and_then(|s| words(&s.mode)).is_none_or(|mode| mode == "match");
        if let Some(request) = &entry.request.0 {
            item.deleted = words(&request.method) == Some("DELETE");
            item.url = owned(&request.url);
        }
        if let Some(response) = &entry.response.0 {
            item.etag = owned(&response.etag);
            item.last_modified = owned(&response.last_modified);
        }
        item
    }

    fn none() -> Self {
        Item {
            json: None,
            full_url: None,
            resource_type: String::new(),
            id: None,
            version: None,
            last_updated: None,
            matched: true,
            deleted: false,
            url: None,
            etag: None,
            last_modified: None,
        }
    }

    /// A resource without an entry around it.
    pub fn of_resource(json: &'p str) -> Self {
        let head = serde_json::from_str::<Head<'_>>(json).unwrap_or_default();
        let meta = serde_json::from_str::<Versioned<'_>>(json).ok().and_then(|v| v.meta.0).unwrap_or_default();
        Item {
            json: Some(json),
            resource_type: words(&head.resource_type).unwrap_or_default().to_owned(),
            id: words(&head.id).map(str::to_owned),
            version: words(&meta.version_id).map(str::to_owned),
            last_updated: words(&meta.last_updated).and_then(micros),
            ..Item::none()
        }
    }

    /// The same for the same version of a resource.
    pub fn fingerprint(&self) -> u64 {
        let time = self.last_updated.map(|t| t.to_string()).unwrap_or_default();
        match (&self.id, &self.version) {
            (Some(id), version) if version.is_some() || self.last_updated.is_some() => {
                fingerprint(&[&self.resource_type, id, version.as_deref().unwrap_or_default(), &time])
            }
            // A server that numbers nothing: only the content tells.
            _ => fingerprint(&[self.json.unwrap_or_default()]),
        }
    }

    /// Where it is, for dead letters.
    pub fn place(&self) -> String {
        let name = if self.resource_type.is_empty() { "resource" } else { &self.resource_type };
        match (&self.id, &self.version) {
            (Some(id), Some(version)) => format!("{name}/{id}/_history/{version}"),
            (Some(id), None) => format!("{name}/{id}"),
            _ => name.to_owned(),
        }
    }
}

/// An instant of the server, in µs.
pub(crate) fn micros(text: &str) -> Option<i64> {
    FhirTime::parse(text).map(|time| time.instant(chrono_tz::Tz::UTC).timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(body: &str) -> Reply {
        Reply { status: 200, headers: Default::default(), body: body.as_bytes().to_vec(), url: url::Url::parse("http://h/").unwrap() }
    }

    #[test]
    fn a_page_is_read() {
        let reply = reply(
            r#"{"resourceType":"Bundle","link":[{"relation":"self","url":"x?_sort=_lastUpdated"},{"relation":"next","url":"?p=2"}],
            "entry":[{"fullUrl":"u","resource":{"resourceType":"Patient","id":"p","meta":{"versionId":"3","lastUpdated":"2024-05-01T10:00:00.5Z"}},
            "search":{"mode":"include"}},{"request":{"method":"DELETE","url":"DocumentReference/d"},"response":{"etag":"W/\"2\""}},7]}"#,
        );
        let page = Page::parse(&reply, "a search").unwrap();
        assert_eq!((page.items.len(), page.broken.len(), page.next.as_deref()), (2, 1, Some("?p=2")));
        let item = &page.items[0];
        assert_eq!((item.place().as_str(), item.matched, item.last_updated), ("Patient/p/_history/3", false, Some(1_714_557_600_500_000)));
        assert!(page.items[1].deleted && page.items[1].url.as_deref() == Some("DocumentReference/d"));
    }

    #[test]
    fn what_is_no_page_is_said_without_its_words() {
        for body in ["<html>geheim", r#"{"resourceType":"OperationOutcome","text":"geheim"}"#] {
            let said = Page::parse(&reply(body), "a search").err().map(|e| e.to_string()).unwrap_or_default();
            assert!(said.contains("a search") && !said.contains("geheim"), "{said}");
        }
    }

    #[test]
    fn versions_differ_and_unnumbered_ones_by_content() {
        let print = |json: &str| Item::of_resource(json).fingerprint();
        assert_ne!(print(r#"{"id":"a","meta":{"versionId":"1"}}"#), print(r#"{"id":"a","meta":{"versionId":"2"}}"#));
        assert_eq!(print(r#"{"id":"a","meta":{"versionId":"1"},"x":1}"#), print(r#"{"id":"a","meta":{"versionId":"1"}}"#));
        assert_ne!(print(r#"{"id":"a","x":1}"#), print(r#"{"id":"a"}"#));
    }
}
