//! What a server holds: the newest version of each resource and the history of all.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use crate::day::{Change, Day, Kind};

/// Which change of which event, and when it came here.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub event: usize,
    pub change: usize,
    /// Its place in the history of everything, from 1.
    pub sequence: u64,
    pub updated: DateTime<Utc>,
}

impl Entry {
    pub fn of<'d>(&self, day: &'d Day) -> Option<&'d Change> {
        day.events().get(self.event)?.changes().get(self.change)
    }
}

/// A Bulk Data export.
pub struct Export {
    pub at: DateTime<Utc>,
    /// Questions for its status so far.
    pub asked: u32,
    /// Lines by type; deletions under `Bundle`.
    pub files: BTreeMap<String, String>,
}

#[derive(Default)]
pub struct Content {
    newest: HashMap<(Kind, usize), Entry>,
    /// Newest versions by their places.
    listed: BTreeMap<u64, (Kind, usize)>,
    history: Vec<(Kind, Entry)>,
    last: Option<DateTime<Utc>>,
    pub exports: HashMap<u64, Export>,
    pub kicked_off: u64,
}

impl Content {
    /// Takes an event in; no two changes have the same time.
    pub fn apply(&mut self, day: &Day, event: usize) {
        let Some(told) = day.events().get(event) else { return };
        for (index, change) in told.changes().iter().enumerate() {
            let now = Utc::now();
            let now = DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now);
            let updated = self.last.map_or(now, |last| now.max(last + TimeDelta::milliseconds(1)));
            self.last = Some(updated);
            let sequence = self.history.len() as u64 + 1;
            let entry = Entry { event, change: index, sequence, updated };
            let key = (change.kind(), change.index());
            if let Some(before) = self.newest.insert(key, entry) {
                self.listed.remove(&before.sequence);
            }
            if !change.is_deletion() {
                self.listed.insert(sequence, key);
            }
            self.history.push((change.kind(), entry));
        }
    }

    /// The newest version of a resource, deletions too.
    pub fn newest(&self, day: &Day, kind: Kind, id: &str) -> Option<Entry> {
        let found = self
            .newest
            .iter()
            .find(|((known, _), entry)| *known == kind && entry.of(day).is_some_and(|change| day.resource_id(change) == id));
        found.map(|(_, entry)| *entry)
    }

    /// Resources of a type that exist, by time, after a place in the history.
    pub fn listed(&self, kind: Kind, after: u64) -> impl Iterator<Item = Entry> {
        let listed = self.listed.range(after + 1..).filter(move |(_, key)| key.0 == kind);
        listed.filter_map(|(_, key)| self.newest.get(key).copied())
    }

    /// All versions of a type, newest first, before a place.
    pub fn history(&self, kind: Kind, before: Option<u64>) -> impl Iterator<Item = Entry> {
        let all = self.history.iter().rev().filter(move |(known, _)| *known == kind).map(|(_, entry)| *entry);
        all.filter(move |entry| before.is_none_or(|before| entry.sequence < before))
    }

    /// Whether a version is the newest of its resource.
    pub fn is_newest(&self, change: &Change, entry: &Entry) -> bool {
        self.newest.get(&(change.kind(), change.index())).is_some_and(|newest| newest.sequence == entry.sequence)
    }
}
