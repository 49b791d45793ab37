//! HL7 version 2.3 to 2.6 messages become rows; later versions as far as they
//! look the same.
//!
//! What each message becomes:
//! - **MDM** T01 to T11: a document, its correction, replacement or withdrawal;
//! - **ORU** R01: a document for each encapsulated one, else for each report in
//!   lines; results that are numbers and codes are ignored;
//! - **ADT**: the patient and the visit as they are now, merges, moved visits.
//!
//! Each message also tells of the patient (PID) and the visit (PV1) it is about.
//! Chapters are those of the standard, version 2.5.1. The French profile is the
//! CI-SIS's "Transmission de documents CDA en HL7v2".

mod acknowledgement;
mod charset;
mod coded;
mod content;
mod defect;
mod document;
mod escape;
mod event;
pub mod framing;
mod identifier;
mod message;
mod person;
mod time;
mod visit;

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

pub use acknowledgement::{Asks, Envelope, Outcome, acknowledgement, inspect};
pub use defect::{Defect, Location};

use crate::formats::{reason, version_at};
use crate::rows::{EncounterRow, Merged, Owner, PatientRow, Rows};
use content::Observation;
use document::Failure;
use event::{Event, PatientEvent};
use message::{Header, Message, Segment};
use time::Clock;
use visit::Visit;

/// Turns a message into rows, or into a dead letter that holds it. Several
/// messages in one payload are read one after the other.
pub(crate) fn take(payload: &[u8], place: &str, rows: &mut Rows, timezone: Tz) {
    let starts: Vec<usize> = message::message_starts(payload).collect();
    if starts.is_empty() {
        rows.dead_letter(reason::NOT_HL7, place, "", Some(payload));
    }
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(payload.len());
        let place = if starts.len() > 1 { format!("{place}:message[{index}]") } else { place.to_owned() };
        one(&payload[*start..end], &place, rows, timezone);
    }
}

fn one(bytes: &[u8], place: &str, rows: &mut Rows, timezone: Tz) {
    let Ok(header) = Header::read(bytes) else {
        rows.dead_letter(reason::NOT_HL7, place, "", Some(bytes));
        return;
    };
    let label = charset::label(header.field(18));
    let decoded = charset::decode(bytes, label.as_deref());
    let message = match Message::parse(&decoded.text) {
        Ok(message) => message,
        Err(defect) => {
            let reason = if defect == Defect::TooLarge { reason::TOO_LARGE } else { reason::NOT_HL7 };
            rows.dead_letter(reason, place, "", Some(bytes));
            return;
        }
    };
    let message_type = header.component(9, 1).unwrap_or_default().to_ascii_uppercase();
    let trigger = acknowledgement::trigger(&header, bytes);
    let event = match event::event(&message_type, &trigger) {
        Ok(event) => event,
        // An answer to somebody, in a file of messages and answers.
        Err(_) if message_type == "ACK" => {
            rows.ignored += 1;
            return;
        }
        Err(defect) => {
            let path = defect.location().map(|l| l.to_string()).unwrap_or_default();
            rows.dead_letter(reason::UNSUPPORTED_MESSAGE, place, &path, Some(decoded.text.as_bytes()));
            return;
        }
    };
    let mut intake = Intake::new(rows, place, timezone, &message, label.as_deref(), decoded.guessed);
    if let Err(failure) = intake.take(event, &message) {
        let path = failure.place.map(|l| l.to_string()).unwrap_or_default();
        // As text: what is kept of it is.
        rows.dead_letter(failure.reason, place, &path, Some(decoded.text.as_bytes()));
    }
}

/// Turns one message into rows.
struct Intake<'r> {
    rows: &'r mut Rows,
    place: &'r str,
    timezone: Tz,
    clock: Clock,
    /// MSH-18, and whether it was wrong.
    charset: Option<&'r str>,
    guessed: bool,
    /// MSH-7.
    message_time: Option<String>,
    /// When it happened or was recorded: EVN-2, else MSH-7.
    event_time: Option<DateTime<Utc>>,
    /// MSH-19.
    language: Option<String>,
}

/// A patient's part of a message: PID and what follows up to the next PID.
struct Group<'a, 'm> {
    segments: &'a [Segment<'m>],
    pid: Option<Segment<'m>>,
    patient_id: Option<String>,
    encounter_id: Option<String>,
    /// OBX that are not about documents, in order.
    observations: Vec<Observation<'m>>,
    /// The number in the message of the first OBX here.
    first_obx: usize,
}

impl<'m> Group<'_, 'm> {
    fn segment(&self, name: &str) -> Option<Segment<'m>> {
        self.segments.iter().find(|s| s.name == name).copied()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = Segment<'m>> {
        self.segments.iter().filter(move |s| s.name == name).copied()
    }
}

impl<'r> Intake<'r> {
    fn new(rows: &'r mut Rows, place: &'r str, timezone: Tz, message: &Message<'_>, charset: Option<&'r str>, guessed: bool) -> Self {
        let msh = message.segment("MSH");
        let evn = message.segment("EVN");
        let message_time = msh.and_then(|msh| msh.words(7)).map(String::from);
        let clock = Clock::new(message_time.as_deref().unwrap_or_default(), timezone);
        let recorded = evn.and_then(|evn| clock.instant(&evn.words(2)?));
        let event_time = recorded.or_else(|| clock.instant(message_time.as_deref()?));
        let language = msh.and_then(|msh| msh.words(19)).map(|l| l.to_ascii_lowercase());
        let language = language.filter(|l| matches!(l.len(), 2 | 3) && l.bytes().all(|b| b.is_ascii_lowercase()));
        Intake { rows, place, timezone, clock, charset, guessed, message_time, event_time, language }
    }

    fn take(&mut self, event: Event, message: &Message<'_>) -> Result<(), Failure> {
        if event == Event::Patient(PatientEvent::Other) {
            self.rows.ignored += 1;
            return Ok(());
        }
        let groups = self.groups(message);
        match event {
            Event::Patient(event) => self.patients(event, &groups),
            Event::Document(event) => match groups.first() {
                Some(group) => {
                    self.subject(group);
                    self.document(event, group)
                }
                None => Ok(()),
            },
            Event::Results => {
                let mut outcome = Ok(());
                for group in &groups {
                    self.subject(group);
                    outcome = outcome.and(self.results(group));
                }
                outcome
            }
        }
    }

    /// One group where there is no PID at all.
    fn groups<'a, 'm>(&self, message: &'a Message<'m>) -> Vec<Group<'a, 'm>> {
        let segments = &message.segments[..];
        let mut starts: Vec<usize> = segments.iter().enumerate().filter(|(_, s)| s.name == "PID").map(|(at, _)| at).collect();
        if starts.is_empty() {
            starts.push(0);
        }
        starts.push(segments.len());
        let mut first_obx = 1;
        let mut groups = Vec::new();
        for range in starts.windows(2) {
            let segments = &segments[range[0]..range[1]];
            let pid = segments.first().filter(|s| s.name == "PID").copied();
            let pv1 = segments.iter().find(|s| s.name == "PV1");
            let found = segments.iter().filter(|s| s.name == "OBX").enumerate();
            let observations = found.filter_map(|(at, obx)| Observation::new(*obx, first_obx + at)).collect();
            groups.push(Group {
                segments,
                pid,
                patient_id: pid.as_ref().and_then(identifier::patient_of),
                encounter_id: visit::visit(pid.as_ref(), pv1, &self.clock).map(|visit| visit.id),
                observations,
                first_obx,
            });
            first_obx += segments.iter().filter(|s| s.name == "OBX").count();
        }
        groups
    }

    /// The patient and the visit that a document is of.
    fn subject(&mut self, group: &Group<'_, '_>) {
        self.patient(group, Merged::Unsaid);
        if let Some(visit) = visit::visit(group.pid.as_ref(), group.segment("PV1").as_ref(), &self.clock) {
            self.visit(group, &visit, Owner::Named);
        }
    }

    fn patients(&mut self, event: PatientEvent, groups: &[Group<'_, '_>]) -> Result<(), Failure> {
        let missing = |ordinal| Failure { reason: reason::MISSING_ID, place: Some(Location { segment: "PID", ordinal, field: 3 }) };
        if let Some(without) = groups.iter().position(|group| group.patient_id.is_none()) {
            return Err(missing(without + 1));
        }
        for (index, group) in groups.iter().enumerate() {
            let Some(id) = group.patient_id.as_deref() else { continue };
            let second = groups.get(1).and_then(|group| group.patient_id.as_deref()).filter(|second| *second != id);
            let merged = match (event, second) {
                // The first is linked to the second (3.3.24).
                (PatientEvent::Link, Some(second)) if index == 0 => Merged::Into(second),
                (PatientEvent::Unlink, _) => Merged::Alone,
                _ => Merged::Unsaid,
            };
            self.patient(group, merged);
            if event == PatientEvent::Merge {
                let pid = group.pid.into_iter();
                let current: Vec<String> = pid.flat_map(|pid| pid.field(3).repetitions()).filter_map(identifier::token).collect();
                for old in group.all("MRG").flat_map(|mrg| identifier::prior(&mrg, &current)) {
                    self.merged(&old, id);
                }
            }
            let moves = matches!(event, PatientEvent::MoveVisit | PatientEvent::MoveAccount);
            let owner = if moves { Owner::Given } else { Owner::Named };
            for visit in self.visits(event, group) {
                self.visit(group, &visit, owner);
            }
        }
        Ok(())
    }

    /// The visits that an ADT message is about.
    fn visits(&self, event: PatientEvent, group: &Group<'_, '_>) -> Vec<Visit> {
        let pid = group.pid.as_ref();
        let mut visits: Vec<Visit> = group.all("PV1").filter_map(|pv1| visit::visit(pid, Some(&pv1), &self.clock)).collect();
        // What moved may be named in MRG alone, and an account takes all its visits along.
        let named = match event {
            PatientEvent::MoveVisit => group.all("MRG").flat_map(|mrg| visit::moved(&mrg)).collect(),
            PatientEvent::MoveAccount => {
                let account = visit::visit(pid, None, &self.clock);
                group.all("MRG").filter_map(|mrg| visit::account(&mrg)).chain(account).collect()
            }
            _ => Vec::new(),
        };
        let mut known: HashSet<String> = visits.iter().map(|visit| visit.id.clone()).collect();
        visits.extend(named.into_iter().filter(|visit| known.insert(visit.id.clone())));
        if visits.is_empty() {
            visits.extend(visit::visit(pid, None, &self.clock));
        }
        for visit in &mut visits {
            match event {
                PatientEvent::NotDischarged => visit.end = None,
                PatientEvent::NoVisit => (visit.start, visit.end) = (None, None),
                _ => {}
            }
        }
        visits
    }

    fn patient(&mut self, group: &Group<'_, '_>, merged: Merged<'_>) {
        let (Some(pid), Some(id)) = (&group.pid, group.patient_id.as_deref()) else { return };
        let record = person::record(pid, group.segments);
        // A number alone says nothing of the person.
        let says = !record.families.is_empty() || !record.givens.is_empty() || record.birth_date.is_some();
        let row = PatientRow {
            id,
            last_updated: self.event_time,
            identifiers: &person::tokens(pid),
            record: Some(&record).filter(|_| says),
            merged,
        };
        self.rows.patient(self.place, &row);
    }

    fn merged(&mut self, old: &str, into: &str) {
        let row = PatientRow { id: old, last_updated: self.event_time, identifiers: &[], record: None, merged: Merged::Into(into) };
        self.rows.patient(self.place, &row);
    }

    fn visit(&mut self, group: &Group<'_, '_>, visit: &Visit, owner: Owner) {
        let row = EncounterRow {
            id: &visit.id,
            patient_id: group.patient_id.as_deref(),
            owner,
            last_updated: self.event_time,
            class: visit.class.as_deref(),
            start: visit.start,
            end: visit.end,
            identifiers: &visit.identifiers,
        };
        self.rows.encounter(self.place, &row);
    }
}

/// The version that a time makes; 1 where there is none.
fn version(time: Option<DateTime<Utc>>) -> i32 {
    time.map_or(1, version_at)
}

#[cfg(test)]
mod mutations;
#[cfg(test)]
mod tests;
