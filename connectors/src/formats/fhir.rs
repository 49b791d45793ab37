//! FHIR R4 and R4B resources in JSON become rows. R5 documents pass as far as
//! they look the same.
//!
//! What each resource becomes:
//! - **DocumentReference**: a row with the text of its best attachment
//!   (plain before HTML before XHTML), or a dead letter;
//! - **Patient**: a row, and one for each other that it says has become it;
//! - **Encounter**: a row;
//! - **Bundle**: each of its entries on its own. An entry that deletes a
//!   DocumentReference withdraws the document; a document Bundle is a document
//!   by its Composition;
//! - everything else is counted as ignored. Binary is read when a document
//!   refers to it.

mod bundle;
mod composition;
mod document;
pub mod framing;
pub(crate) mod inspect;
mod patient;
pub(crate) mod payload;
mod referable;
pub mod reference;
mod relation;
pub mod resource;
pub mod time;

use std::io;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::error::Category;

use crate::formats::{reason, version_at};
use crate::rows::{EncounterRow, Owner, Rows};
use bundle::Envelope;
use document::{Failure, contained};
pub(crate) use referable::{Referable, referable};
pub use reference::{Key, References, Target};
use resource::{Contained, DocumentReference, Encounter, Head, RawReference, tokens, words};
use time::FhirTime;

/// No resource nests deeper; more is an attack or an accident.
const MAX_DEPTH: usize = 100;
/// Bundles inside Bundles.
const MAX_BUNDLES: usize = 4;

/// What a piece of JSON is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Resource,
    /// An entry of a Bundle: `fullUrl` and `resource`.
    Entry,
}

/// Turns resources into rows of one epoch.
pub(crate) struct Intake<'s> {
    pub rows: &'s mut Rows,
    timezone: Tz,
    /// Ids of resources that were referred to by URN, for this epoch.
    known: Vec<(String, String)>,
}

impl<'s> Intake<'s> {
    pub fn new(rows: &'s mut Rows, timezone: Tz) -> Self {
        Intake { rows, timezone, known: Vec::new() }
    }

    /// One piece of JSON, found at that place.
    ///
    /// # Errors
    /// Only where `references` cannot be read.
    pub fn take(&mut self, json: &[u8], shape: Shape, place: &str, references: &mut dyn References) -> io::Result<()> {
        let json = json.trim_ascii();
        let Ok(text) = std::str::from_utf8(json) else {
            self.rows.dead_letter(reason::NOT_UTF8, place, "", Some(json));
            return Ok(());
        };
        if exceeds_depth(json, MAX_DEPTH) {
            self.rows.dead_letter(reason::TOO_DEEP, place, "", Some(json));
            return Ok(());
        }
        match shape {
            Shape::Resource => self.resource(text, &Envelope::default(), place, 0, references),
            Shape::Entry => self.entry(text, place, 0, references),
        }
    }

    fn resource(
        &mut self,
        json: &str,
        envelope: &Envelope<'_>,
        place: &str,
        level: usize,
        references: &mut dyn References,
    ) -> io::Result<()> {
        let name = match resource_type(json) {
            Ok(name) => name,
            Err(failure) => {
                self.failed(failure, place, json);
                return Ok(());
            }
        };
        let outcome = match name.as_deref() {
            Some("DocumentReference") => {
                self.rows.documents_seen += 1;
                match serde_json::from_str::<DocumentReference<'_>>(json) {
                    Ok(document) => self.document(&document, envelope, place, references)?,
                    Err(error) => Err(misshapen(&error, "DocumentReference")),
                }
            }
            Some("Patient") => self.patient(json, envelope, place, references)?,
            Some("Encounter") => self.encounter(json, envelope, place, references)?,
            Some("Bundle") if level < MAX_BUNDLES => self.bundle(json, place, level, references)?,
            Some("Bundle") => Err(Failure::new(reason::TOO_DEEP, "Bundle")),
            _ => match serde_json::from_str::<serde::de::IgnoredAny>(json) {
                Ok(_) => {
                    self.rows.ignored += 1;
                    Ok(())
                }
                Err(error) => Err(misshapen(&error, "")),
            },
        };
        if let Err(failure) = outcome {
            self.failed(failure, place, json);
        }
        Ok(())
    }

    fn failed(&mut self, failure: Failure, place: &str, json: &str) {
        self.rows.dead_letter(failure.reason, place, &failure.path, Some(json.as_bytes()));
    }

    fn encounter(
        &mut self,
        json: &str,
        envelope: &Envelope<'_>,
        place: &str,
        references: &mut dyn References,
    ) -> io::Result<Result<(), Failure>> {
        let encounter = match serde_json::from_str::<Encounter<'_>>(json) {
            Ok(encounter) => encounter,
            Err(error) => return Ok(Err(misshapen(&error, "Encounter"))),
        };
        let Some(id) = envelope.id_of(words(&encounter.id), "Encounter") else {
            return Ok(Err(Failure::new(reason::MISSING_ID, "Encounter.id")));
        };
        let patient_id = self.referred_id(encounter.subject.0.as_ref(), "Patient", &contained(encounter.contained), references)?;
        let period = encounter.period.0.as_ref().or(encounter.actual_period.0.as_ref());
        let wall = |text: Option<&str>| text.and_then(FhirTime::parse).map(|t| t.wall_clock(self.timezone));
        let class = encounter.class.0.iter().flat_map(|list| &list.0).find_map(|class| {
            let coding = class.coding.0.iter().flat_map(|list| &list.0).find_map(|c| words(&c.code));
            coding.or(words(&class.code)).or(words(&class.display)).or(words(&class.text))
        });
        let row = EncounterRow {
            id: &id,
            patient_id: patient_id.as_deref(),
            owner: Owner::Stated,
            last_updated: self.last_updated(encounter.meta.0.as_ref(), envelope),
            class,
            start: wall(period.and_then(|p| words(&p.start))),
            end: wall(period.and_then(|p| words(&p.end))),
            identifiers: &tokens(&encounter.identifier),
        };
        self.rows.encounter(place, &row);
        Ok(Ok(()))
    }

    /// The id of the resource that a reference leads to, of the expected type.
    ///
    /// A logical reference that leads to nothing here gives its `system|value`;
    /// a URN that leads to nothing here gives what follows `urn:uuid:`.
    fn referred_id(
        &mut self,
        reference: Option<&RawReference<'_>>,
        expected: &str,
        contained: &[Contained<'_>],
        references: &mut dyn References,
    ) -> io::Result<Option<String>> {
        let Some(reference) = reference else { return Ok(None) };
        let mut logical = reference.identifier.0.as_ref().and_then(|i| i.token());
        match words(&reference.reference).map(Target::parse) {
            Some(Target::Resource { resource_type, id }) if resource_type.is_none_or(|t| t == expected) && !id.is_empty() => {
                return Ok(Some(id.to_owned()));
            }
            // A group, a device: not the patient.
            Some(Target::Resource { resource_type: Some(_), .. }) => return Ok(None),
            Some(Target::FullUrl(url)) => return self.resolved(url, expected, Key::FullUrl(url), references).map(Some),
            Some(Target::Contained(id)) => {
                let found = contained.iter().find(|c| words(&c.id) == Some(id));
                logical = logical.or_else(|| found.and_then(|c| tokens(&c.identifier).into_iter().next()));
            }
            Some(Target::Search { query }) => logical = Some(Target::searched_token(query)),
            _ => {}
        }
        let Some(token) = logical else { return Ok(None) };
        let key = Key::Identifier { resource_type: expected, token: &token };
        self.resolved(&token, expected, key, references).map(Some)
    }

    fn resolved(&mut self, reference: &str, expected: &str, key: Key<'_>, references: &mut dyn References) -> io::Result<String> {
        let name = format!("{expected} {reference}");
        if let Some((_, id)) = self.known.iter().find(|(known, _)| *known == name) {
            return Ok(id.clone());
        }
        let id = references.id(key)?.unwrap_or_else(|| id_of_full_url(reference).unwrap_or(reference).to_owned());
        // Documents of a patient come together: a few are enough.
        if self.known.len() >= 16 {
            self.known.remove(0);
        }
        self.known.push((name, id.clone()));
        Ok(id)
    }
}

/// The id that a `fullUrl` gives a resource without one of its own.
pub(crate) fn id_of_full_url(url: &str) -> Option<&str> {
    let urn =
        ["urn:uuid:", "urn:oid:"].iter().find_map(|p| url.get(..p.len()).filter(|s| s.eq_ignore_ascii_case(p)).map(|_| &url[p.len()..]));
    urn.or(match Target::parse(url) {
        Target::Resource { resource_type: Some(_), id } => Some(id),
        _ => None,
    })
    .filter(|id| !id.is_empty())
}

/// Version number: `versionId` (or the entity tag) where it is a number, else
/// the seconds from 2000 to `lastUpdated`, else 1. Versions are compared within
/// a document only, and one server writes all of a document's versions in one way.
fn version(written: Option<&str>, last_updated: Option<DateTime<Utc>>) -> i32 {
    let written = written.map(unquoted);
    if let Some(number) = written.and_then(|v| v.parse::<i32>().ok()).filter(|n| *n >= 0) {
        return number;
    }
    match last_updated {
        Some(time) => version_at(time),
        None if written.is_some_and(|v| !v.is_empty() && v.bytes().all(|b| b.is_ascii_digit())) => i32::MAX,
        None => 1,
    }
}

/// An entity tag without its marks.
fn unquoted(tag: &str) -> &str {
    tag.trim_start_matches("W/").trim_matches('"')
}

/// The type of a resource; `None` for a Bulk Data manifest.
fn resource_type(json: &str) -> Result<Option<std::borrow::Cow<'_, str>>, Failure> {
    if let Some(name) = leading_type(json) {
        return Ok(Some(name.into()));
    }
    if !json.trim_start().starts_with('{') {
        return Err(match serde_json::from_str::<serde::de::IgnoredAny>(json) {
            Ok(_) => Failure::new(reason::NOT_A_RESOURCE, ""),
            Err(error) => Failure::new(reason::BAD_JSON, position(&error)),
        });
    }
    match serde_json::from_str::<Head<'_>>(json) {
        Ok(Head { resource_type: Some(name), .. }) => Ok(Some(name.0)),
        Ok(Head { transaction_time: Some(_), .. }) => Ok(None),
        Ok(_) => Err(Failure::new(reason::NOT_A_RESOURCE, "")),
        Err(error) if error.classify() == Category::Data && serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok() => {
            Err(Failure::new(reason::NOT_A_RESOURCE, ""))
        }
        Err(error) => Err(Failure { reason: reason::BAD_JSON, path: position(&error) }),
    }
}

/// The type where it is written first, as servers do.
pub(crate) fn leading_type(json: &str) -> Option<&str> {
    let rest = json.trim_start().strip_prefix('{')?.trim_start().strip_prefix("\"resourceType\"")?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let end = rest.bytes().take(64).position(|b| b == b'"' || b == b'\\')?;
    (rest.as_bytes()[end] == b'"').then(|| &rest[..end])
}

fn shape_reason(error: &serde_json::Error) -> &'static str {
    if error.classify() == Category::Data { reason::BAD_RESOURCE } else { reason::BAD_JSON }
}

/// Says where a resource is wrong, never what stands there.
fn misshapen(error: &serde_json::Error, name: &str) -> Failure {
    let path = if name.is_empty() { position(error) } else { format!("{name} {}", position(error)) };
    Failure { reason: shape_reason(error), path }
}

fn position(error: &serde_json::Error) -> String {
    if error.line() > 1 { format!("line {} column {}", error.line(), error.column()) } else { format!("column {}", error.column()) }
}

/// Whether objects and lists nest deeper than that.
fn exceeds_depth(json: &[u8], max: usize) -> bool {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > max {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(found) = memchr::memchr2(b'"', b'\\', &json[at.min(json.len())..]) {
                    at += found + 1;
                    if json[at - 1] == b'"' {
                        break;
                    }
                    at += 1;
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests;
