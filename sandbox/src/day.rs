//! A day of an invented hospital, as its systems tell of it: who came and left,
//! what was written, corrected, replaced and withdrawn, whose records turned out
//! to be one person's, which stay was filed under the wrong patient.
//!
//! The same [`Plan`] makes the same day. Each [`Event`] has its true time and can
//! be told as an HL7 v2 message ([`hl7`]) and as FHIR resources ([`fhir`]).
//! [`delivery`] brings events into the order in which a network delivers them,
//! [`expected`] says how things stand in the end, and [`players`] play the day to
//! whoever listens.

pub mod command;
pub mod delivery;
mod draw;
pub mod expected;
pub mod fhir;
pub mod hl7;
mod page;
pub mod players;

use chrono::{NaiveDate, NaiveDateTime};

use crate::hospital::case::Case;
use crate::hospital::random::Random;
use page::Page;
pub use page::digest;

/// What makes a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Plan {
    /// The same seed makes the same day.
    pub seed: u64,
    pub patients: usize,
    /// How much happens; each event is told by at least one message.
    pub events: usize,
}

/// A day, from midnight until the last late document.
pub struct Day {
    plan: Plan,
    /// The dossier of each patient and of the patient's one stay.
    cases: Vec<Case>,
    pages: Vec<Page>,
    /// In the order of their times, no two in the same second.
    events: Vec<Event>,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// Wall clock of the site.
    pub at: NaiveDateTime,
    pub what: What,
    /// How the records of those concerned look then.
    seen: Seen,
    /// What it changes on a FHIR server.
    changes: Vec<Change>,
}

/// What happened. Patients, stays and documents are numbered from 0; the stay of
/// a patient has the patient's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Admission {
        stay: usize,
        patient: usize,
    },
    Discharge {
        stay: usize,
        patient: usize,
    },
    /// The record of a patient is as it is now.
    Update {
        patient: usize,
    },
    /// A text is filed.
    Document {
        page: usize,
        edition: usize,
        act: Act,
        patient: usize,
    },
    Withdrawal {
        page: usize,
        patient: usize,
    },
    /// Everything of a patient belongs to another, who is the same person.
    Merge {
        from: usize,
        into: usize,
    },
    /// They are two persons after all.
    Unmerge {
        from: usize,
        into: usize,
    },
    /// A stay was filed under the wrong patient.
    Move {
        stay: usize,
        from: usize,
        to: usize,
    },
    /// A message that only points at a document; FHIR hears nothing of it.
    Pointer {
        patient: usize,
    },
}

/// What the filing of a text does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    First,
    /// A newer text of the same document.
    Correction,
    /// The first text of a document that takes the place of another.
    Replacement,
    /// The document comes back after it was withdrawn.
    Restoration,
}

/// How records look at the time of an event.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// Edition of the record of the first and of the second patient of the event.
    records: [u16; 2],
    discharged: bool,
}

/// One new version of a resource.
#[derive(Debug, Clone)]
pub struct Change {
    kind: Kind,
    index: usize,
    version: u32,
    state: State,
}

/// Types of resources that change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Patient,
    Encounter,
    Document,
}

#[derive(Debug, Clone)]
enum State {
    Patient {
        record: u16,
        into: Option<usize>,
        replaces: Vec<usize>,
    },
    Encounter {
        patient: usize,
        discharged: bool,
    },
    Document {
        edition: usize,
        patient: usize,
        superseded: bool,
    },
    Deleted,
    /// Still there, but never meant to be.
    EnteredInError {
        edition: usize,
        patient: usize,
    },
}

impl Day {
    /// Draws a day.
    pub fn draw(plan: Plan) -> Day {
        draw::draw(plan)
    }

    pub fn plan(&self) -> Plan {
        self.plan
    }

    /// In the order of their true times.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What patients, visits and documents are called in both languages.
    pub fn patient_id(&self, patient: usize) -> &str {
        self.cases.get(patient).map_or("", |case| &case.person.ipp)
    }

    pub fn stay_id(&self, stay: usize) -> String {
        format!("26{stay:06}")
    }

    pub fn document_id(&self, page: usize) -> &str {
        self.pages.get(page).map_or("", |page| &page.id)
    }

    /// Draws that belong to an event and a purpose.
    fn random(&self, purpose: u64, event: usize) -> Random {
        Random::new(self.plan.seed ^ (purpose << 48), event as u64)
    }
}

/// Midnight of the day: in winter, one hour ahead of UTC.
fn midnight() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 1, 20).unwrap_or_default().and_hms_opt(0, 0, 0).unwrap_or_default()
}

#[cfg(test)]
mod tests;
