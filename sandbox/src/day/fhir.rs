//! The day in FHIR R4: each event is one new version, or several, of resources.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Change, Day, Event, Kind, State};
use crate::hospital::case::Case;
use crate::hospital::documents::DocumentKind;
use crate::hospital::person::Doctor;
use crate::hospital::resources;

impl Kind {
    /// The type of the resources.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Patient => "Patient",
            Kind::Encounter => "Encounter",
            Kind::Document => "DocumentReference",
        }
    }

    /// The kind of a type of resources.
    pub fn of(name: &str) -> Option<Kind> {
        [Kind::Patient, Kind::Encounter, Kind::Document].into_iter().find(|kind| kind.name() == name)
    }
}

impl Change {
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Which patient, stay or document.
    pub fn index(&self) -> usize {
        self.index
    }

    /// From 1, each change of a resource one more.
    pub fn version(&self) -> u32 {
        self.version
    }

    pub fn is_deletion(&self) -> bool {
        matches!(self.state, State::Deleted)
    }
}

impl Event {
    /// The versions of resources that it makes, in their order.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// When it happened, as an instant.
    pub fn instant(&self) -> DateTime<Utc> {
        (self.at - TimeDelta::hours(1)).and_utc()
    }
}

/// The instant of `meta.lastUpdated`.
pub fn written(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl Day {
    /// The id of a changed resource.
    pub fn resource_id(&self, change: &Change) -> String {
        match change.kind {
            Kind::Patient => self.patient_id(change.index).to_owned(),
            Kind::Encounter => self.stay_id(change.index),
            Kind::Document => self.document_id(change.index).to_owned(),
        }
    }

    /// The resource as it is after a change; `None` where it is gone.
    pub fn resource(&self, change: &Change, updated: &str) -> Option<Value> {
        let mut resource = match &change.state {
            State::Deleted => return None,
            State::Patient { record, into, replaces } => self.patient(change.index, *record, *into, replaces)?,
            State::Encounter { patient, discharged } => self.encounter(change.index, *patient, *discharged)?,
            State::Document { edition, patient, superseded } => {
                self.document(change.index, *edition, *patient, if *superseded { "superseded" } else { "current" })?
            }
            State::EnteredInError { edition, patient } => self.document(change.index, *edition, *patient, "entered-in-error")?,
        };
        resource["id"] = json!(self.resource_id(change));
        resource["meta"] = json!({ "versionId": change.version.to_string(), "lastUpdated": updated });
        Some(resource)
    }

    /// The Binary that the text of a document is in, where it is in one.
    pub fn binary_of(&self, change: &Change) -> Option<Value> {
        match &change.state {
            State::Document { edition, .. } | State::EnteredInError { edition, .. } if self.is_apart(change.index, *edition) => {
                self.binary(&binary_id(self.document_id(change.index), *edition))
            }
            _ => None,
        }
    }

    /// A Binary by its id.
    pub fn binary(&self, id: &str) -> Option<Value> {
        let (document, edition) = id.strip_prefix("B-")?.rsplit_once('-')?;
        let edition: usize = edition.parse().ok()?;
        let page = self.pages.iter().position(|page| page.id == document).filter(|page| self.is_apart(*page, edition))?;
        let (content_type, bytes) = self.attachment(page, edition);
        Some(resources::binary(id, content_type, &bytes))
    }

    fn is_apart(&self, page: usize, edition: usize) -> bool {
        self.random(0xB1A, page * 64 + edition).chance(30)
    }

    fn patient(&self, patient: usize, record: u16, into: Option<usize>, replaces: &[usize]) -> Option<Value> {
        let case = self.cases.get(patient)?;
        let mut resource = resources::patient(case);
        resource["telecom"][0]["value"] = json!(phone(&case.person.phone, record));
        resource["active"] = json!(into.is_none());
        // The dead are told of by those who know.
        resource.as_object_mut()?.remove("deceasedDateTime");
        let link = |other: usize, kind: &str| json!({ "other": { "reference": self.subject(other) }, "type": kind });
        let links: Vec<Value> =
            into.map(|into| link(into, "replaced-by")).into_iter().chain(replaces.iter().map(|old| link(*old, "replaces"))).collect();
        if !links.is_empty() {
            resource["link"] = Value::Array(links);
        }
        Some(resource)
    }

    fn encounter(&self, stay: usize, patient: usize, discharged: bool) -> Option<Value> {
        let mut resource = resources::encounter(self.cases.get(stay)?);
        resource["subject"] = json!({ "reference": self.subject(patient) });
        resource["identifier"][0]["value"] = json!(self.stay_id(stay));
        if !discharged {
            resource["status"] = json!("in-progress");
            resource["period"].as_object_mut()?.remove("end");
            resource.as_object_mut()?.remove("hospitalization");
        }
        Some(resource)
    }

    fn document(&self, index: usize, edition: usize, patient: usize, status: &str) -> Option<Value> {
        let page = self.pages.get(index)?;
        let case = self.cases.get(page.case)?;
        let (content_type, bytes) = self.attachment(index, edition);
        let binary = binary_id(&page.id, edition);
        let body = if self.is_apart(index, edition) { Err(binary.as_str()) } else { Ok(&bytes[..]) };
        let current = resources::Status::Current;
        let mut resource = resources::document_reference(case, &page.document, 1 + edition as u32, current, content_type, body);
        resource["status"] = json!(status);
        resource["subject"] = json!({ "reference": self.subject(patient) });
        if page.in_stay {
            resource["context"] = json!({ "encounter": [{ "reference": format!("Encounter/{}", self.stay_id(page.case)) }] });
        }
        if let Some(old) = page.replaces {
            let target = json!({ "reference": format!("DocumentReference/{}", self.document_id(old)) });
            resource["relatesTo"] = json!([{ "code": "replaces", "target": target }]);
        }
        Some(resource)
    }

    fn subject(&self, patient: usize) -> String {
        format!("Patient/{}", self.patient_id(patient))
    }

    /// The bytes of a text, in the character set that they are said to be in.
    fn attachment(&self, page: usize, edition: usize) -> (&'static str, Vec<u8>) {
        let text = self.text(page, edition);
        let drawn = self.random(0xA77, page * 64 + edition).weighted((50, 0), &[(25, 1), (25, 2)]);
        let latin = || text.chars().map(|c| u8::try_from(u32::from(c)).ok().filter(|b| !(0x80..0xA0).contains(b))).collect();
        match (drawn, latin()) {
            (1, Some(bytes)) => ("text/plain; charset=ISO-8859-1", bytes),
            (2, _) => ("text/plain", text.into_bytes()),
            _ => ("text/plain; charset=UTF-8", text.into_bytes()),
        }
    }
}

fn binary_id(document: &str, edition: usize) -> String {
    format!("B-{document}-{edition}")
}

/// The phone of an edition of a record: people move.
pub(super) fn phone(first: &str, record: u16) -> String {
    if record == 0 {
        return first.to_owned();
    }
    // 06 39 98 is for fiction.
    format!("06 39 98 {:02} {:02}", (record / 100) % 100, record % 100)
}

/// Who writes documents of a kind.
pub(super) fn author(case: &Case, kind: DocumentKind) -> &Doctor {
    match kind {
        DocumentKind::Prehospital | DocumentKind::Emergency => &case.emergency_doctor,
        DocumentKind::Imaging => &case.radiologist,
        DocumentKind::Thrombectomy => &case.interventionalist,
        _ => &case.neurologist,
    }
}

/// A deletion as an entry of a history.
pub fn deleted_entry(base: &str, kind: Kind, id: &str, version: u32, at: &str) -> Value {
    let name = kind.name();
    json!({
        "fullUrl": format!("{base}/{name}/{id}"),
        "request": { "method": "DELETE", "url": format!("{name}/{id}") },
        "response": { "status": "204", "etag": format!("W/\"{version}\""), "lastModified": at }
    })
}

/// A wall-clock time of the site with its zone.
pub fn local(time: NaiveDateTime) -> String {
    resources::instant(time)
}
