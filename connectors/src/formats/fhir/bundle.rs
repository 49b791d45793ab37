//! Bundles of every type, and what an entry says around its resource: where it
//! comes from, whether it is deleted, and as which version.

use std::borrow::Cow;
use std::io;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::document::Failure;
use super::payload::Payload;
use super::resource::{Head, Identifier, Lenient, List, Meta, One, RawReference, Text, words};
use super::time::FhirTime;
use super::{Intake, References, Target, id_of_full_url, misshapen, resource_type, shape_reason, unquoted};
use crate::formats::{reason, version_at};
use crate::rows::{DocumentRow, Paged, Precedence};

/// A Bundle small enough to be one item.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Bundle<'a> {
    #[serde(borrow, rename = "type")]
    pub type_: Lenient<Text<'a>>,
    #[serde(borrow)]
    pub meta: One<Meta<'a>>,
    #[serde(borrow)]
    pub identifier: One<Identifier<'a>>,
    #[serde(borrow)]
    pub timestamp: Lenient<Text<'a>>,
    #[serde(borrow)]
    pub language: Lenient<Text<'a>>,
    #[serde(borrow)]
    pub entry: Option<Vec<&'a RawValue>>,
}

/// One entry of a Bundle.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Entry<'a> {
    #[serde(borrow, rename = "fullUrl")]
    pub full_url: Option<Text<'a>>,
    #[serde(borrow)]
    pub resource: Option<&'a RawValue>,
    #[serde(borrow)]
    pub request: One<Request<'a>>,
    #[serde(borrow)]
    pub response: One<Response<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request<'a> {
    #[serde(borrow)]
    pub method: Option<Text<'a>>,
    #[serde(borrow)]
    pub url: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Response<'a> {
    #[serde(borrow)]
    pub etag: Option<Text<'a>>,
    #[serde(borrow, rename = "lastModified")]
    pub last_modified: Option<Text<'a>>,
}

/// What the entry of a Bundle says of its resource.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Envelope<'e> {
    pub full_url: Option<&'e str>,
    /// `Type/id` or `Type?identifier=…` that the request writes or deletes.
    pub url: Option<&'e str>,
    pub etag: Option<&'e str>,
    pub last_modified: Option<&'e str>,
}

impl Entry<'_> {
    /// What it says of its resource, as the entry of a Bundle at that level;
    /// at level 0 the Bundle itself is not at hand.
    pub fn envelope(&self, level: usize) -> Envelope<'_> {
        let request = self.request.0.as_ref();
        let response = self.response.0.as_ref();
        let url = request.and_then(|r| words(&r.url));
        Envelope {
            full_url: words(&self.full_url),
            // Others refer to it by its `fullUrl`, and only the whole Bundle tells that it is the one searched for.
            url: url.filter(|url| level > 0 || !url.contains('?') || type_searched(url) == "DocumentReference"),
            etag: response.and_then(|r| words(&r.etag)),
            last_modified: response.and_then(|r| words(&r.last_modified)),
        }
    }

    fn method(&self) -> &str {
        self.request.0.as_ref().and_then(|r| words(&r.method)).unwrap_or_default()
    }
}

impl<'e> Envelope<'e> {
    /// The id of the resource: its own, else the one that the request names,
    /// else that of the `fullUrl`.
    pub fn id_of(&self, own: Option<&'e str>, resource_type: &str) -> Option<Cow<'e, str>> {
        own.map(Cow::Borrowed).or_else(|| self.requested(resource_type)).or_else(|| self.given().map(Cow::Borrowed))
    }

    /// The id in the address that the request writes to. A document found by
    /// an identifier is known by its value, anything else by `system|value`.
    pub fn requested(&self, resource_type: &str) -> Option<Cow<'e, str>> {
        let url = self.url?;
        match Target::parse(url) {
            Target::Resource { resource_type: Some(name), id } if name == resource_type && !id.is_empty() => Some(Cow::Borrowed(id)),
            Target::Search { query } if type_searched(url) == resource_type => {
                let token = Target::searched_token(query);
                let value = token.split_once('|').map(|(_, value)| value.to_owned()).filter(|value| !value.is_empty())?;
                Some(Cow::Owned(if resource_type == "DocumentReference" { value } else { token }))
            }
            _ => None,
        }
    }

    /// The id that the `fullUrl` gives.
    pub fn given(&self) -> Option<&'e str> {
        self.full_url.and_then(id_of_full_url)
    }
}

/// The type before `?` in an address.
fn type_searched(url: &str) -> &str {
    let path = url.split('?').next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}

/// The version after `/_history/` in an address.
fn version_in(url: &str) -> Option<&str> {
    let (_, version) = url.split_once("/_history/")?;
    version.split(['/', '?', '#']).next().filter(|v| !v.is_empty())
}

impl Intake<'_> {
    pub(super) fn bundle(
        &mut self,
        json: &str,
        place: &str,
        level: usize,
        references: &mut dyn References,
    ) -> io::Result<Result<(), Failure>> {
        let bundle = match serde_json::from_str::<Bundle<'_>>(json) {
            Ok(bundle) => bundle,
            Err(error) => return Ok(Err(misshapen(&error, "Bundle"))),
        };
        // One sender's `urn:uuid:1` is not another's.
        let known = std::mem::take(&mut self.known);
        let mut inside = Payload::inside(json, level, references);
        let taken = self.entries(&bundle, place, level, &mut inside);
        self.known = known;
        taken
    }

    fn entries(
        &mut self,
        bundle: &Bundle<'_>,
        place: &str,
        level: usize,
        references: &mut dyn References,
    ) -> io::Result<Result<(), Failure>> {
        let entries = bundle.entry.as_deref().unwrap_or_default();
        let at = |index: usize| format!("{place}:entry[{index}]");
        let mut composed = Ok(());
        let mut focus = Vec::new();
        match words(&bundle.type_.0) {
            Some("document") => {
                let first = entries.first().and_then(|raw| serde_json::from_str::<Entry<'_>>(raw.get()).ok());
                if let Some(entry) = &first
                    && let Some(resource) = entry.resource
                    && matches!(resource_type(resource.get()), Ok(Some(name)) if name == "Composition")
                {
                    composed = self.composition(bundle, resource.get(), &entry.envelope(level + 1), place, references)?;
                } else {
                    composed = Err(Failure::new(reason::MISSING_NARRATIVE, "Bundle.entry[0]"));
                }
            }
            Some("message") => focus = focus_of(entries),
            _ => {}
        }
        if entries.is_empty() && composed.is_ok() {
            self.rows.ignored += 1;
        }
        for (index, raw) in entries.iter().enumerate() {
            // What a message is about may come with documents that it is not about.
            if !focus.is_empty() && names(raw.get()).is_some_and(|(document, names)| document && !names.iter().any(|n| focus.contains(n))) {
                self.rows.ignored += 1;
                continue;
            }
            self.entry(raw.get(), &at(index), level + 1, references)?;
        }
        Ok(composed)
    }

    pub(super) fn entry(&mut self, json: &str, place: &str, level: usize, references: &mut dyn References) -> io::Result<()> {
        if !json.trim_start().starts_with('{') {
            self.rows.dead_letter(reason::NOT_A_RESOURCE, place, "", Some(json.as_bytes()));
            return Ok(());
        }
        let entry = match serde_json::from_str::<Entry<'_>>(json) {
            Ok(entry) => entry,
            Err(error) => {
                self.rows.dead_letter(shape_reason(&error), place, "entry", Some(json.as_bytes()));
                return Ok(());
            }
        };
        let envelope = entry.envelope(level);
        match (entry.method(), entry.resource) {
            ("DELETE", resource) => {
                if let Err(failure) = self.deleted(&envelope, resource.map(RawValue::get), place) {
                    self.failed(failure, place, json);
                }
            }
            // A change without what it changes: nothing can be done but tell.
            ("PATCH", _) if envelope.url.is_some_and(|url| touches(url, &["DocumentReference", "Patient", "Encounter"])) => {
                self.failed(Failure::new(reason::UNSUPPORTED_METHOD, "entry.request.method"), place, json);
            }
            ("PATCH", _) | (_, None) => self.rows.ignored += 1,
            (_, Some(resource)) => self.resource(resource.get(), &envelope, place, level, references)?,
        }
        Ok(())
    }

    /// An entry that deletes: the document is withdrawn. What else is deleted
    /// (a patient, an encounter, a Binary) leaves the documents as they are.
    fn deleted(&mut self, envelope: &Envelope<'_>, resource: Option<&str>, place: &str) -> Result<(), Failure> {
        let head = resource.and_then(|json| serde_json::from_str::<Head<'_>>(json).ok()).unwrap_or_default();
        let address = envelope.url.or(envelope.full_url);
        let document = match address {
            Some(address) => touches(address, &["DocumentReference"]),
            None => words(&head.resource_type) == Some("DocumentReference"),
        };
        if !document {
            self.rows.ignored += 1;
            return Ok(());
        }
        self.rows.documents_seen += 1;
        let id = envelope.requested("DocumentReference").or(words(&head.id).map(Cow::Borrowed)).or(envelope.given().map(Cow::Borrowed));
        let id = id.ok_or_else(|| {
            let reason = if envelope.url.is_some_and(|u| u.contains('?')) { reason::UNSUPPORTED_METHOD } else { reason::MISSING_ID };
            Failure::new(reason, "entry.request.url")
        })?;
        let last_updated = envelope.last_modified.and_then(FhirTime::parse).map(|t| t.instant(self.timezone));
        let written = envelope.etag.map(unquoted).or(envelope.url.and_then(version_in)).or(envelope.full_url.and_then(version_in));
        let version = written.and_then(|v| v.parse::<i32>().ok().filter(|n| *n >= 0).or(last_updated.map(version_at)));
        self.rows.document(place, &withdrawal(&id, version, last_updated));
        Ok(())
    }
}

/// Whether an address is one of a resource of these types.
fn touches(address: &str, types: &[&str]) -> bool {
    match Target::parse(address) {
        Target::Resource { resource_type: Some(name), .. } => types.contains(&name),
        // A search for what to delete.
        _ => types.contains(&type_searched(address)),
    }
}

/// The row that withdraws a document of which nothing but the id is known.
pub(super) fn withdrawal(id: &str, version: Option<i32>, last_updated: Option<chrono::DateTime<chrono::Utc>>) -> DocumentRow<'_> {
    DocumentRow {
        id,
        version,
        precedence: if version.is_some() { Precedence::Withdrawal } else { Precedence::Deletion },
        last_updated,
        status: "entered-in-error",
        replaces: &[],
        patient_id: None,
        encounter_id: None,
        type_code: None,
        type_display: None,
        title: None,
        time: None,
        language: None,
        content_type: None,
        authors: &[],
        text: None,
        coded: None,
        paged: Paged::default(),
    }
}

/// The documents that a message is about, as its header names them; none where
/// the header names none of those that came with it.
fn focus_of(entries: &[&RawValue]) -> Vec<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Header<'a> {
        #[serde(borrow)]
        focus: Lenient<List<RawReference<'a>>>,
    }
    let first = entries.first().and_then(|raw| serde_json::from_str::<Entry<'_>>(raw.get()).ok());
    let header = first.and_then(|e| e.resource).and_then(|json| serde_json::from_str::<Header<'_>>(json.get()).ok()).unwrap_or_default();
    let references = header.focus.0.iter().flat_map(|list| &list.0).filter_map(|r| words(&r.reference));
    let focus: Vec<String> = references
        .map(|reference| match Target::parse(reference) {
            Target::Resource { resource_type: Some(name), id } => format!("{name}/{id}"),
            _ => reference.to_owned(),
        })
        .collect();
    let about = |raw: &&&RawValue| names(raw.get()).is_some_and(|(document, names)| document && names.iter().any(|n| focus.contains(n)));
    if entries.iter().any(|raw| about(&raw)) { focus } else { Vec::new() }
}

/// Whether an entry holds a document, and what references may call it.
fn names(json: &str) -> Option<(bool, Vec<String>)> {
    let entry = serde_json::from_str::<Entry<'_>>(json).ok()?;
    let head = serde_json::from_str::<Head<'_>>(entry.resource?.get()).ok()?;
    let name = words(&head.resource_type)?;
    let mut names: Vec<String> = words(&entry.full_url).map(str::to_owned).into_iter().collect();
    let id = words(&head.id).map(str::to_owned);
    names.extend(id.or_else(|| entry.envelope(1).given().map(str::to_owned)).map(|id| format!("{name}/{id}")));
    Some((name == "DocumentReference", names))
}

#[cfg(test)]
mod tests {
    use super::super::Shape;
    use super::super::tests::{b64, document, get, list, number, take, take_with, time};
    use crate::formats::reason;
    use crate::source::Epoch;

    fn entry(json: &str) -> Epoch {
        let whole = take(&format!(r#"{{"resourceType":"Bundle","type":"history","entry":[{json}]}}"#));
        let alone = take_with(json, Shape::Entry, &[]);
        assert_eq!(alone.documents.num_rows(), whole.documents.num_rows());
        whole
    }

    #[test]
    fn what_is_deleted_is_withdrawn() {
        for (json, id, version, updated) in [
            (r#"{"request":{"method":"DELETE","url":"DocumentReference/d1"}}"#, "d1", None, None),
            (
                r#"{"fullUrl":"http://s/fhir/DocumentReference/d1","request":{"method":"DELETE","url":"DocumentReference/d1"},"response":{"status":"204","etag":"W/\"3\"","lastModified":"2024-03-05T13:05:00Z"}}"#,
                "d1",
                Some(3),
                Some("2024-03-05 13:05:00"),
            ),
            (r#"{"request":{"method":"DELETE","url":"DocumentReference/d1/_history/4"}}"#, "d1", Some(4), None),
            (r#"{"fullUrl":"http://s/DocumentReference/d1/_history/5","request":{"method":"DELETE"}}"#, "d1", Some(5), None),
            (
                r#"{"request":{"method":"DELETE","url":"DocumentReference/d1"},"response":{"etag":"W/\"a7\"","lastModified":"2000-01-01T00:01:00Z"}}"#,
                "d1",
                Some(60),
                Some("2000-01-01 00:01:00"),
            ),
            (
                r#"{"request":{"method":"DELETE","url":"DocumentReference/d1"},"response":{"lastModified":"2024-03-05T13:05:00Z"}}"#,
                "d1",
                None,
                Some("2024-03-05 13:05:00"),
            ),
            (r#"{"request":{"method":"DELETE","url":"DocumentReference?identifier=urn:x%7C42"}}"#, "42", None, None),
            (r#"{"request":{"method":"DELETE"},"resource":{"resourceType":"DocumentReference","id":"d9"}}"#, "d9", None, None),
        ] {
            let epoch = entry(json);
            let d = &epoch.documents;
            assert_eq!(get(d, "source_document_id").as_deref(), Some(id), "{json}");
            assert_eq!(
                (number(d, "document_version"), number(d, "precedence")),
                (version, Some(if version.is_some() { 2 } else { 3 })),
                "{json}"
            );
            assert_eq!((time(d, "last_updated").as_deref(), get(d, "status").as_deref()), (updated, Some("entered-in-error")), "{json}");
            assert_eq!((get(d, "text"), get(d, "source_patient_id"), epoch.documents_seen), (None, None, 1), "{json}");
        }
    }

    #[test]
    fn other_deletions_and_patches() {
        for (json, ignored, reason) in [
            (r#"{"request":{"method":"DELETE","url":"Patient/p1"}}"#, 1, ""),
            (r#"{"request":{"method":"DELETE","url":"Encounter/e1"}}"#, 1, ""),
            (r#"{"request":{"method":"DELETE","url":"Binary/b1"},"resource":{"resourceType":"DocumentReference","id":"d1"}}"#, 1, ""),
            (r#"{"request":{"method":"GET","url":"DocumentReference/d1"}}"#, 1, ""),
            (r#"{"request":{"method":"PATCH","url":"Observation/o1"}}"#, 1, ""),
            (
                r#"{"request":{"method":"PATCH","url":"DocumentReference/d1"},"resource":{"resourceType":"Parameters"}}"#,
                0,
                "unsupported_method",
            ),
            (r#"{"request":{"method":"PATCH","url":"Patient?identifier=x"}}"#, 0, "unsupported_method"),
            (r#"{"request":{"method":"DELETE","url":"DocumentReference?subject=Patient/p1"}}"#, 0, "unsupported_method"),
            (r#"{"request":{"method":"DELETE","url":"DocumentReference?identifier="}}"#, 0, "unsupported_method"),
            (r#"{"request":{"method":"DELETE"},"resource":{"resourceType":"DocumentReference"}}"#, 0, "missing_id"),
        ] {
            let epoch = entry(json);
            assert_eq!((epoch.ignored, epoch.dead_letters.first().map_or("", |l| l.reason)), (ignored, reason), "{json}");
            assert_eq!((epoch.documents.num_rows(), epoch.patients.num_rows()), (0, 0), "{json}");
        }
    }

    #[test]
    fn the_request_names_what_has_no_id() {
        let nameless = document("").replace(r#""id":"d1","#, "");
        let of =
            |around: &str, resource: &str| get(&entry(&format!(r#"{{{around}"resource":{resource}}}"#)).documents, "source_document_id");
        let put = r#""request":{"method":"PUT","url":"DocumentReference/d7"},"#;
        assert_eq!(of(put, &nameless).as_deref(), Some("d7"));
        assert_eq!(of(put, &document("")).as_deref(), Some("d1"));
        assert_eq!(
            of(r#""fullUrl":"urn:uuid:1","request":{"method":"PUT","url":"DocumentReference?identifier=urn:x|42"},"#, &nameless).as_deref(),
            Some("42")
        );
        let master = nameless.replace(r#""content""#, r#""masterIdentifier":{"value":"urn:oid:1.2.3"},"content""#);
        assert_eq!(
            of(r#""fullUrl":"urn:uuid:1","request":{"method":"POST","url":"DocumentReference"},"#, &master).as_deref(),
            Some("urn:oid:1.2.3")
        );
        assert_eq!(of(r#""fullUrl":"http://s/DocumentReference/d3","#, &master).as_deref(), Some("d3"));
    }

    #[test]
    fn a_history_tells_the_versions() {
        let epoch = take(&format!(
            r#"{{"resourceType":"Bundle","type":"history","entry":[{{"request":{{"method":"POST","url":"DocumentReference"}},"resource":{},"response":{{"status":"201","etag":"W/\"2\"","lastModified":"2024-01-01T00:00:00Z"}}}}]}}"#,
            document("")
        ));
        assert_eq!(
            (number(&epoch.documents, "document_version"), time(&epoch.documents, "last_updated").as_deref()),
            (Some(2), Some("2024-01-01 00:00:00"))
        );
    }

    #[test]
    fn a_notification_is_its_resources() {
        let epoch = take(&format!(
            r#"{{"resourceType":"Bundle","type":"history","entry":[{{"resource":{{"resourceType":"Parameters"}},"request":{{"method":"GET","url":"Subscription/s/$status"}},"response":{{"status":"200"}}}},
            {{"fullUrl":"http://s/DocumentReference/d1","resource":{},"request":{{"method":"PUT","url":"DocumentReference/d1"}}}},
            {{"fullUrl":"http://s/DocumentReference/d2","request":{{"method":"PUT","url":"DocumentReference/d2"}}}}]}}"#,
            document("")
        ));
        assert_eq!((get(&epoch.documents, "source_document_id").as_deref(), epoch.ignored), (Some("d1"), 2));
    }

    #[test]
    fn a_bundle_without_what_its_type_needs_is_not_passed_over() {
        for (json, ignored, letter) in [
            (r#"{"resourceType":"Bundle","type":"searchset","total":0}"#, 1, ""),
            (r#"{"resourceType":"Bundle","type":"document","entry":[]}"#, 0, reason::MISSING_NARRATIVE),
            (
                r#"{"resourceType":"Bundle","type":"document","entry":[{"resource":{"resourceType":"Device"}}]}"#,
                1,
                reason::MISSING_NARRATIVE,
            ),
        ] {
            let epoch = take(json);
            assert_eq!((epoch.ignored, epoch.dead_letters.first().map_or("", |l| l.reason)), (ignored, letter), "{json}");
        }
    }

    #[test]
    fn a_message_is_about_its_focus() {
        let message = |focus: &str| {
            take(&format!(
                r#"{{"resourceType":"Bundle","type":"message","entry":[{{"resource":{{"resourceType":"MessageHeader","focus":{focus}}}}},{{"fullUrl":"urn:uuid:a","resource":{}}},{{"fullUrl":"http://s/DocumentReference/d2","resource":{}}},{{"resource":{{"resourceType":"Patient","id":"p"}}}}]}}"#,
                document("").replace(r#""id":"d1","#, ""),
                document("").replace(r#""id":"d1""#, r#""id":"d2""#)
            ))
        };
        let of = |focus: &str| {
            let epoch = message(focus);
            assert_eq!(epoch.patients.num_rows(), 1);
            get(&epoch.documents, "source_document_id")
        };
        assert_eq!(of(r#"[{"reference":"urn:uuid:a"}]"#).as_deref(), Some("a"));
        assert_eq!(of(r#"[{"reference":"DocumentReference/d2"}]"#).as_deref(), Some("d2"));
        for none in ["[]", r#"[{"reference":"Communication/c"}]"#, "7"] {
            assert_eq!(message(none).documents.num_rows(), 2, "{none}");
        }
    }

    #[test]
    fn what_a_document_says_it_replaces() {
        let epoch = take(&document(
            r#""relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/d0"}},{"code":"appends","target":{"reference":"DocumentReference/dx"}}],"#,
        ));
        assert_eq!(list(&epoch.documents, "replaces"), ["d0"]);
        assert_eq!(list(&take(&document("")).documents, "replaces"), Vec::<String>::new());
    }

    #[test]
    fn a_bundle_answers_for_itself() {
        let bundle = format!(
            r#"{{"resourceType":"Bundle","type":"transaction","entry":[
            {{"fullUrl":"urn:uuid:d","resource":{{"resourceType":"DocumentReference","subject":{{"reference":"urn:uuid:p"}},"author":[{{"reference":"urn:uuid:r"}}],"context":{{"encounter":[{{"reference":"urn:uuid:e"}}]}},
              "relatesTo":[{{"code":"replaces","target":{{"identifier":{{"system":"urn:m","value":"old"}}}}}}],
              "content":[{{"attachment":{{"contentType":"text/plain","url":"urn:uuid:b"}}}}]}},"request":{{"method":"POST","url":"DocumentReference"}}}},
            {{"fullUrl":"urn:uuid:b","resource":{{"resourceType":"Binary","contentType":"text/plain","data":"{}"}}}},
            {{"fullUrl":"urn:uuid:p","resource":{{"resourceType":"Patient","identifier":[{{"system":"urn:ipp","value":"42"}}]}},"request":{{"method":"PUT","url":"Patient?identifier=urn:ipp|42"}}}},
            {{"fullUrl":"urn:uuid:e","resource":{{"resourceType":"Encounter","id":"e5","subject":{{"identifier":{{"system":"urn:ipp","value":"42"}}}}}}}},
            {{"fullUrl":"urn:uuid:r","resource":{{"resourceType":"PractitionerRole","practitioner":{{"reference":"Practitioner/x"}}}}}},
            {{"fullUrl":"http://s/Practitioner/x","resource":{{"resourceType":"Practitioner","id":"x","name":[{{"family":"Fictif","given":["Ève"]}}]}}}},
            {{"fullUrl":"urn:uuid:o","request":{{"method":"POST","url":"DocumentReference"}},"resource":{{"resourceType":"DocumentReference","id":"d0","status":"entered-in-error","identifier":[{{"system":"urn:m","value":"old"}}],"content":[]}}}}]}}"#,
            b64("Déficit".as_bytes())
        );
        let epoch = take(&bundle);
        assert_eq!(epoch.dead_letters, []);
        let one = epoch.documents.slice(0, 1);
        for (column, value) in
            [("source_document_id", "d"), ("text", "Déficit"), ("source_patient_id", "urn:ipp|42"), ("source_encounter_id", "e5")]
        {
            assert_eq!(get(&one, column).as_deref(), Some(value), "{column}");
        }
        assert_eq!((list(&one, "authors"), list(&one, "replaces")), (vec!["Ève Fictif".to_owned()], vec!["d0".to_owned()]));
        assert_eq!(get(&epoch.patients, "source_patient_id").as_deref(), Some("urn:ipp|42"));
        assert_eq!(get(&epoch.encounters, "source_patient_id").as_deref(), Some("urn:ipp|42"));
        assert_eq!(number(&epoch.documents.slice(1, 1), "precedence"), Some(2));
    }

    #[test]
    fn urns_of_two_bundles_are_not_mixed_up() {
        let of = |id: &str| {
            format!(
                r#"{{"resource":{{"resourceType":"Bundle","entry":[{{"resource":{}}},{{"fullUrl":"urn:uuid:1","resource":{{"resourceType":"Patient","id":"{id}"}}}}]}}}}"#,
                document(r#""subject":{"reference":"urn:uuid:1"},"#)
            )
        };
        let epoch = take(&format!(r#"{{"resourceType":"Bundle","entry":[{},{}]}}"#, of("a"), of("b")));
        let patient = |row| get(&epoch.documents.slice(row, 1), "source_patient_id");
        assert_eq!((patient(0).as_deref(), patient(1).as_deref()), (Some("a"), Some("b")));
    }
}
