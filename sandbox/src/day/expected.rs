//! How things stand when a day is over and everything has arrived, whatever way
//! and in whatever order: computed from what happened and when, and from nothing
//! that was sent.

use std::collections::HashMap;

use chrono::{NaiveDateTime, TimeDelta};
use serde::{Deserialize, Serialize};

use super::page::digest;
use super::{Act, Day, What};

/// The end of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// In the order of their first texts.
    pub documents: Vec<Document>,
    /// Everyone who was named.
    pub patients: Vec<Patient>,
    /// Messages that hold nothing that could be read: HL7 v2 only.
    pub unreadable: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub id: String,
    pub status: Status,
    /// Whose it is in the end, merges and moved stays considered.
    pub patient: String,
    pub encounter: Option<String>,
    pub type_code: String,
    /// From the first to the last.
    pub versions: Vec<Version>,
    /// SHA-256 of the text that stands, or that stood before another document
    /// took its place.
    pub sha256: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Current,
    Superseded,
    EnteredInError,
}

impl Status {
    /// As tables have it.
    pub fn name(self) -> &'static str {
        match self {
            Status::Current => "current",
            Status::Superseded => "superseded",
            Status::EnteredInError => "entered-in-error",
        }
    }
}

/// One text, or the withdrawal of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Wall clock of the site, `2026-01-20T08:15:00`.
    pub at: String,
    /// Seconds from 2000 to that moment: what HL7 v2 has for a version.
    pub seconds: i64,
    pub withdrawn: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patient {
    pub id: String,
    /// Who is left of all merges: the patient, where there was none.
    pub survivor: String,
}

/// Who belongs to whom.
#[derive(Default)]
struct Merges(HashMap<usize, usize>);

impl Merges {
    fn survivor(&self, mut patient: usize) -> usize {
        while let Some(into) = self.0.get(&patient) {
            patient = *into;
        }
        patient
    }

    fn merge(&mut self, from: usize, into: usize) {
        // The later of two that contradict each other is right.
        if self.survivor(into) == from {
            self.0.remove(&into);
        }
        self.0.insert(from, into);
    }
}

struct Paper {
    patient: usize,
    stay: Option<usize>,
    edition: usize,
    status: Status,
    versions: Vec<Version>,
}

impl Day {
    /// How everything stands in the end.
    pub fn expected(&self) -> Expected {
        let mut merges = Merges::default();
        let mut stays: HashMap<usize, usize> = HashMap::new();
        let mut papers: HashMap<usize, Paper> = HashMap::new();
        let (mut order, mut named, mut unreadable) = (Vec::new(), Vec::new(), 0);
        for event in &self.events {
            match event.what {
                What::Admission { stay, patient } | What::Discharge { stay, patient } => named.extend([stay, patient]),
                What::Update { patient } => named.push(patient),
                What::Pointer { patient } => {
                    named.push(patient);
                    unreadable += 1;
                }
                What::Document { page, edition, act, patient } => {
                    named.push(patient);
                    let Some(written) = self.pages.get(page) else { continue };
                    let paper = papers.entry(page).or_insert_with(|| {
                        order.push(page);
                        let stay = written.in_stay.then_some(written.case);
                        Paper { patient, stay, edition, status: Status::Current, versions: Vec::new() }
                    });
                    (paper.patient, paper.edition, paper.status) = (patient, edition, Status::Current);
                    paper.versions.push(version(event.at, false));
                    if let Some(old) = written.replaces.filter(|_| act == Act::Replacement).and_then(|old| papers.get_mut(&old)) {
                        old.status = Status::Superseded;
                    }
                }
                What::Withdrawal { page, .. } => {
                    if let Some(paper) = papers.get_mut(&page) {
                        paper.status = Status::EnteredInError;
                        paper.versions.push(version(event.at, true));
                    }
                }
                What::Merge { from, into } => {
                    named.extend([from, into]);
                    merges.merge(from, into);
                }
                What::Unmerge { from, into } => {
                    merges.0.remove(&from);
                    merges.0.remove(&into);
                }
                What::Move { stay, to, .. } => {
                    stays.insert(stay, to);
                }
            }
        }
        named.sort_unstable();
        named.dedup();
        let id = |patient: usize| self.patient_id(merges.survivor(patient)).to_owned();
        let documents = order.iter().filter_map(|page| {
            let paper = papers.get(page)?;
            let moved = paper.stay.and_then(|stay| stays.get(&stay)).copied();
            Some(Document {
                id: self.document_id(*page).to_owned(),
                status: paper.status,
                patient: id(moved.unwrap_or(paper.patient)),
                encounter: paper.stay.map(|stay| self.stay_id(stay)),
                type_code: self.pages.get(*page)?.document.kind.code().0.to_owned(),
                versions: paper.versions.clone(),
                sha256: (paper.status != Status::EnteredInError).then(|| digest(&self.text(*page, paper.edition))),
            })
        });
        let patients = named.iter().map(|patient| Patient { id: self.patient_id(*patient).to_owned(), survivor: id(*patient) });
        Expected { documents: documents.collect(), patients: patients.collect(), unreadable }
    }
}

fn version(at: NaiveDateTime, withdrawn: bool) -> Version {
    // In winter, one hour ahead of UTC.
    let seconds = (at - TimeDelta::hours(1)).and_utc().timestamp() - 946_684_800;
    Version { at: at.format("%Y-%m-%dT%H:%M:%S").to_string(), seconds, withdrawn }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_of_two_merges_is_right() {
        let mut merges = Merges::default();
        merges.merge(0, 1);
        merges.merge(1, 2);
        assert_eq!([0, 1, 2].map(|p| merges.survivor(p)), [2, 2, 2]);
        merges.merge(2, 1);
        assert_eq!([0, 1, 2].map(|p| merges.survivor(p)), [1, 1, 1]);
        merges.0.remove(&0);
        assert_eq!(merges.survivor(0), 0);
    }
}
