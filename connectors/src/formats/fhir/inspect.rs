//! What a payload is, for those who must answer its sender before anything is
//! made of it.

use std::borrow::Cow;

use serde::Deserialize;

use super::bundle::{Bundle, Entry, Envelope};
use super::document::{document_id, status};
use super::payload::Payload;
use super::reference::Nowhere;
use super::resource::{Attachment, DocumentReference, Head, Lenient, List, RawReference, Text, words};
use super::{Key, MAX_DEPTH, References, Target, exceeds_depth, resource_type};

/// A payload, looked through once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub resource_type: String,
    pub id: Option<String>,
    /// Whether a document in it has its text elsewhere.
    pub elsewhere: bool,
    pub bundle: Option<BundleSummary>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BundleSummary {
    pub type_: String,
    pub entries: Vec<EntrySummary>,
    pub notification: Option<Notification>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EntrySummary {
    pub method: String,
    /// Of the resource, or of what the request names.
    pub resource_type: Option<String>,
    pub id: Option<String>,
    pub has_resource: bool,
}

/// What a subscription tells (R5, and its backport to R4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notification {
    /// `handshake`, `heartbeat`, `event-notification`, …
    pub type_: String,
    pub subscription: String,
    pub events_since_start: Option<u64>,
    pub event_numbers: Vec<u64>,
}

/// Why it is no payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    NotUtf8,
    TooDeep,
    NotJson,
    NotAResource,
    BadBundle,
}

/// Looks a payload through. The whole of it is JSON if it gives something.
///
/// # Errors
/// It is no resource in JSON.
pub(crate) fn inspect(payload: &[u8]) -> Result<Summary, Unreadable> {
    let text = std::str::from_utf8(payload).map_err(|_| Unreadable::NotUtf8)?;
    if exceeds_depth(payload, MAX_DEPTH) {
        return Err(Unreadable::TooDeep);
    }
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return Err(Unreadable::NotJson);
    }
    let name = resource_type(text).ok().flatten().ok_or(Unreadable::NotAResource)?;
    if name == "Bundle" {
        let bundle = serde_json::from_str::<Bundle<'_>>(text).map_err(|_| Unreadable::BadBundle)?;
        let raw = bundle.entry.as_deref().unwrap_or_default();
        let entries = raw.iter().map(|raw| serde_json::from_str::<Entry<'_>>(raw.get())).collect::<Result<Vec<_>, _>>();
        let entries = entries.map_err(|_| Unreadable::BadBundle)?;
        let mut outside = Nowhere;
        let mut inside = Payload::inside(text, 0, &mut outside);
        let elsewhere = entries.iter().filter_map(|e| e.resource).any(|json| is_elsewhere(json.get(), &mut inside));
        return Ok(Summary {
            resource_type: name.into_owned(),
            id: None,
            elsewhere,
            bundle: Some(BundleSummary {
                type_: words(&bundle.type_.0).unwrap_or_default().to_owned(),
                notification: notification(&entries),
                entries: entries.iter().map(summary).collect(),
            }),
        });
    }
    Ok(Summary {
        id: id_of(text, &name, &Envelope::default()),
        elsewhere: is_elsewhere(text, &mut Nowhere),
        resource_type: name.into_owned(),
        bundle: None,
    })
}

fn summary(entry: &Entry<'_>) -> EntrySummary {
    let envelope = entry.envelope(1);
    let method = entry.request.0.as_ref().and_then(|r| words(&r.method)).unwrap_or_default().to_owned();
    let (resource_type, id) = match entry.resource {
        Some(json) => {
            let name = resource_type(json.get()).ok().flatten();
            let id = name.as_deref().and_then(|name| id_of(json.get(), name, &envelope));
            (name.map(Cow::into_owned), id)
        }
        None => match envelope.url.map(Target::parse) {
            Some(Target::Resource { resource_type: Some(name), id }) => (Some(name.to_owned()), Some(id.to_owned())),
            _ => (None, None),
        },
    };
    EntrySummary { method, resource_type, id, has_resource: entry.resource.is_some() }
}

/// The id that the resource will be known by.
fn id_of(json: &str, name: &str, envelope: &Envelope<'_>) -> Option<String> {
    if name == "DocumentReference" {
        let document = serde_json::from_str::<DocumentReference<'_>>(json).ok()?;
        return document_id(&document, envelope);
    }
    let head = serde_json::from_str::<Head<'_>>(json).ok()?;
    envelope.id_of(words(&head.id), name).map(Cow::into_owned)
}

/// Whether it is a document that stands and none of whose attachments is here.
fn is_elsewhere(json: &str, beside: &mut dyn References) -> bool {
    if !matches!(resource_type(json), Ok(Some(name)) if name == "DocumentReference") {
        return false;
    }
    let Ok(document) = serde_json::from_str::<DocumentReference<'_>>(json) else { return false };
    if status(&document) == "entered-in-error" {
        return false;
    }
    let mut here = |attachment: &Attachment<'_>| {
        if words(&attachment.data).is_some() {
            return Some(true);
        }
        let url = words(&attachment.url)?;
        Some(match Target::parse(url) {
            Target::Data(_) | Target::Contained(_) => true,
            target => {
                let by_url = beside.beside(Key::FullUrl(url)).ok().flatten().is_some();
                by_url
                    || matches!(target, Target::Resource { id, .. } if beside.beside(Key::Id { resource_type: "Binary", id }).ok().flatten().is_some())
            }
        })
    };
    let attachments: Vec<bool> = document.content.0.iter().filter_map(|c| c.attachment.as_ref()).filter_map(&mut here).collect();
    !attachments.is_empty() && !attachments.contains(&true)
}

/// What the first entry tells of a subscription.
fn notification(entries: &[Entry<'_>]) -> Option<Notification> {
    // A message carries it behind its header.
    entries.iter().take(2).find_map(|entry| {
        let json = entry.resource?.get();
        match resource_type(json).ok().flatten().as_deref() {
            Some("SubscriptionStatus") => Some(native(json)),
            Some("Parameters") => backported(json),
            _ => None,
        }
    })
}

fn native(json: &str) -> Notification {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Status<'a> {
        #[serde(borrow, rename = "type")]
        type_: Lenient<Text<'a>>,
        #[serde(borrow)]
        subscription: Lenient<RawReference<'a>>,
        #[serde(borrow, rename = "eventsSinceSubscriptionStart")]
        events: Lenient<Text<'a>>,
        #[serde(borrow, rename = "notificationEvent")]
        notified: Lenient<List<Event<'a>>>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Event<'a> {
        #[serde(borrow, rename = "eventNumber")]
        number: Lenient<Text<'a>>,
    }
    let status = serde_json::from_str::<Status<'_>>(json).unwrap_or_default();
    let number = |text: &Lenient<Text<'_>>| words(&text.0).and_then(|n| n.parse().ok());
    Notification {
        type_: words(&status.type_.0).unwrap_or("event-notification").to_owned(),
        subscription: status.subscription.0.as_ref().and_then(|r| words(&r.reference)).unwrap_or_default().to_owned(),
        events_since_start: number(&status.events),
        event_numbers: status.notified.0.iter().flat_map(|list| &list.0).filter_map(|event| number(&event.number)).collect(),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameter<'a> {
    #[serde(borrow)]
    name: Lenient<Text<'a>>,
    #[serde(borrow, rename = "valueString")]
    string: Lenient<Text<'a>>,
    #[serde(borrow, rename = "valueCode")]
    code: Lenient<Text<'a>>,
    #[serde(borrow, rename = "valueInteger64")]
    integer64: Lenient<Text<'a>>,
    #[serde(borrow, rename = "valueUnsignedInt")]
    unsigned: Lenient<Text<'a>>,
    #[serde(borrow, rename = "valueInteger")]
    integer: Lenient<Text<'a>>,
    #[serde(borrow, rename = "valueReference")]
    reference: Lenient<RawReference<'a>>,
    #[serde(borrow)]
    part: Lenient<List<Parameter<'a>>>,
}

impl Parameter<'_> {
    fn value(&self) -> Option<&str> {
        let primitives = [&self.string, &self.code, &self.integer64, &self.unsigned, &self.integer];
        let reference = || self.reference.0.as_ref().and_then(|r| words(&r.reference));
        primitives.into_iter().find_map(|value| words(&value.0)).or_else(reference)
    }
}

fn backported(json: &str) -> Option<Notification> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Parameters<'a> {
        #[serde(borrow)]
        parameter: Lenient<List<Parameter<'a>>>,
    }
    let parameters = serde_json::from_str::<Parameters<'_>>(json).ok()?;
    let list = parameters.parameter.0.unwrap_or_default().0;
    let named = |name: &'static str| list.iter().filter(move |p| words(&p.name.0) == Some(name));
    let subscription = named("subscription").find_map(Parameter::value)?.to_owned();
    let numbers = named("notification-event")
        .flat_map(|event| event.part.0.iter().flat_map(|parts| &parts.0))
        .filter(|part| words(&part.name.0) == Some("event-number"))
        .filter_map(|part| part.value()?.parse().ok());
    Some(Notification {
        type_: named("type").find_map(Parameter::value).unwrap_or("event-notification").to_owned(),
        subscription,
        events_since_start: named("events-since-subscription-start").find_map(Parameter::value).and_then(|n| n.parse().ok()),
        event_numbers: numbers.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Result<Summary, Unreadable> {
        inspect(json.as_bytes())
    }

    #[test]
    fn what_is_no_payload_is_refused() {
        assert_eq!(inspect(b"\xff"), Err(Unreadable::NotUtf8));
        assert_eq!(of(&"[".repeat(101)), Err(Unreadable::TooDeep));
        for json in ["", "{", r#"{"resourceType":"Patient"} x"#] {
            assert_eq!(of(json), Err(Unreadable::NotJson), "{json}");
        }
        for json in ["1", "[]", "{}"] {
            assert_eq!(of(json), Err(Unreadable::NotAResource), "{json}");
        }
        for json in [r#"{"resourceType":"Bundle","entry":[1]}"#, r#"{"resourceType":"Bundle","entry":{}}"#] {
            assert_eq!(of(json), Err(Unreadable::BadBundle), "{json}");
        }
    }

    #[test]
    fn documents_with_their_text_elsewhere() {
        let elsewhere = |json: &str| of(json).map(|s| s.elsewhere);
        let document =
            |attachment: &str| format!(r#"{{"resourceType":"DocumentReference","id":"d","content":[{{"attachment":{attachment}}}]}}"#);
        assert_eq!(elsewhere(&document(r#"{"data":"QQ=="}"#)), Ok(false));
        assert_eq!(elsewhere(&document(r#"{"url":"data:,x"}"#)), Ok(false));
        assert_eq!(elsewhere(&document("{}")), Ok(false));
        let withdrawn = document(r#"{"url":"Binary/b"}"#).replace(r#""id""#, r#""status":"entered-in-error","id""#);
        assert_eq!(elsewhere(&withdrawn), Ok(false));
        let far = document(r#"{"url":"Binary/b"}"#);
        assert_eq!(elsewhere(&far), Ok(true));
        let bundle = |binary: &str| {
            format!(
                r#"{{"resourceType":"Bundle","entry":[{{"resource":{far}}},{{"resource":{{"resourceType":"Binary","id":"{binary}"}}}}]}}"#
            )
        };
        assert_eq!((elsewhere(&bundle("b")), elsewhere(&bundle("c"))), (Ok(false), Ok(true)));
    }

    #[test]
    fn entries_tell_what_they_do() {
        let summary = of(
            r#"{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:a","resource":{"resourceType":"DocumentReference"},"request":{"method":"POST","url":"DocumentReference"}},{"request":{"method":"DELETE","url":"DocumentReference/d"}}]}"#,
        );
        let bundle = summary.ok().and_then(|s| s.bundle).map(|b| b.entries).unwrap_or_default();
        let shown: Vec<_> = bundle.iter().map(|e| (e.method.as_str(), e.resource_type.as_deref(), e.id.as_deref())).collect();
        assert_eq!(shown, [("POST", Some("DocumentReference"), Some("a")), ("DELETE", Some("DocumentReference"), Some("d"))]);
    }

    #[test]
    fn notifications_of_r5_and_of_its_backport() {
        let bundle = |first: &str| format!(r#"{{"resourceType":"Bundle","type":"history","entry":[{{"resource":{first}}}]}}"#);
        let told = |first: &str| of(&bundle(first)).ok().and_then(|s| s.bundle).and_then(|b| b.notification);
        let expected = Notification {
            type_: "event-notification".into(),
            subscription: "Subscription/s".into(),
            events_since_start: Some(7),
            event_numbers: vec![6, 7],
        };
        for first in [
            r#"{"resourceType":"SubscriptionStatus","type":"event-notification","subscription":{"reference":"Subscription/s"},"eventsSinceSubscriptionStart":"7","notificationEvent":[{"eventNumber":6},{"eventNumber":"7"}]}"#,
            r#"{"resourceType":"Parameters","parameter":[{"name":"subscription","valueReference":{"reference":"Subscription/s"}},{"name":"type","valueCode":"event-notification"},{"name":"events-since-subscription-start","valueString":"7"},
               {"name":"notification-event","part":[{"name":"event-number","valueString":"6"}]},{"name":"notification-event","part":[{"name":"event-number","valueInteger64":7}]}]}"#,
        ] {
            assert_eq!(told(first), Some(expected.clone()));
        }
        assert_eq!(told(r#"{"resourceType":"Parameters","parameter":[{"name":"x"}]}"#), None);
        assert_eq!(told(r#"{"resourceType":"Patient"}"#), None);
    }
}
