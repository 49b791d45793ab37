//! How far a server has been read: kept in the inbox, in one transaction with
//! the messages it speaks of.

use std::collections::{BTreeMap, HashMap};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// Versions remembered at most; one forgotten is delivered twice, which does no harm.
const MAX_SEEN: usize = 1_000_000;
/// Versions written down while a pass is under way.
const MAX_SEEN_UNDER_WAY: usize = 20_000;

/// Everything a restart needs.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// Searches, by type.
    pub feeds: BTreeMap<String, Feed>,
    /// Histories, by type.
    pub histories: BTreeMap<String, Feed>,
    /// When the next sweep is due, µs of our clock.
    pub sweep_at: i64,
    pub export: Export,
    /// Documents whose attachment was not there yet.
    pub pending: Vec<Pending>,
}

/// How far a list ordered by time has been read. Times are µs of the server's clock.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Feed {
    /// The newest that has been read with everything before it.
    pub watermark: Option<i64>,
    /// The server's clock at the last look, and ours.
    pub looked: Option<Looked>,
    /// Whether the server was caught not sorting.
    pub unsorted: bool,
    pub pass: Option<Pass>,
    pub seen: Seen,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Looked {
    pub server: i64,
    pub ours: i64,
}

/// A look under way.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Pass {
    /// Where it began.
    pub since: Option<i64>,
    /// Where the page to read now begins by time.
    pub from: Option<i64>,
    /// The page to read now, where it is not the one at `from`.
    pub link: Option<String>,
    /// Of all resources of the pass.
    pub newest: Option<i64>,
    /// Of the page read last.
    pub last: Option<i64>,
    pub looked: Option<Looked>,
    /// Whether it has gone on by time instead of by link.
    pub jumped: bool,
    /// Ids are listed, so many at once, and each resource is read on its own: a
    /// page was too large, or no JSON.
    pub one_by_one: Option<usize>,
    pub resources: u64,
}

/// Exports: which is under way, and what it has given.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Export {
    /// `transactionTime` of the last one, as the server wrote it.
    pub since: Option<String>,
    /// Where the one under way tells its status.
    pub job: Option<String>,
    pub begun: i64,
    /// When the next is due, µs of our clock.
    pub next_at: i64,
    /// Lines taken of its files.
    pub lines: BTreeMap<String, u64>,
    /// Whether the server refused to export Binary.
    pub without_binary: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub id: String,
    pub tries: u32,
    /// µs of our clock.
    pub due: i64,
}

/// Fingerprints of the versions read, with the second of each: what an overlap
/// brings again is not delivered again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(HashMap<u64, u32>);

impl Seen {
    /// Whether it is new; remembers it. Time in µs.
    pub fn insert(&mut self, fingerprint: u64, time: i64) -> bool {
        if self.0.len() >= MAX_SEEN {
            self.keep_newest(MAX_SEEN / 2);
        }
        self.0.insert(fingerprint, seconds(time)).is_none()
    }

    pub fn extend(&mut self, prints: impl Iterator<Item = (u64, i64)>) {
        for (fingerprint, time) in prints {
            self.insert(fingerprint, time);
        }
    }

    pub fn contains(&self, fingerprint: u64) -> bool {
        self.0.contains_key(&fingerprint)
    }

    /// Forgets what was before that time.
    pub fn forget_before(&mut self, time: i64) {
        let first = seconds(time);
        self.0.retain(|_, second| *second >= first);
    }

    fn keep_newest(&mut self, count: usize) {
        let mut times: Vec<u32> = self.0.values().copied().collect();
        if times.len() > count {
            let at = times.len() - count;
            let first = *times.select_nth_unstable(at).1;
            self.0.retain(|_, second| *second > first);
        }
    }
}

impl Serialize for Seen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> =
            self.0.iter().flat_map(|(print, second)| print.to_le_bytes().into_iter().chain(second.to_le_bytes())).collect();
        serializer.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = STANDARD.decode(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)?;
        let (chunks, _) = bytes.as_chunks::<12>();
        let entry = |c: &[u8; 12]| {
            let [a, b, c, d, e, f, g, h, i, j, k, l] = *c;
            (u64::from_le_bytes([a, b, c, d, e, f, g, h]), u32::from_le_bytes([i, j, k, l]))
        };
        Ok(Seen(chunks.iter().map(entry).collect()))
    }
}

impl State {
    /// The bytes to keep. Under way only the newest of what was seen is written
    /// with each page, so that a long first look does not write it all each time.
    pub fn encode(&mut self) -> Vec<u8> {
        let mut shortened = Vec::new();
        for feed in self.feeds.values_mut().chain(self.histories.values_mut()) {
            if feed.pass.is_some() && feed.seen.0.len() > MAX_SEEN_UNDER_WAY {
                let mut short = feed.seen.clone();
                short.keep_newest(MAX_SEEN_UNDER_WAY);
                shortened.push(std::mem::replace(&mut feed.seen, short));
            } else {
                shortened.push(Seen::default());
            }
        }
        // Strings, numbers and maps with string keys always have a JSON form.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        for (feed, whole) in self.feeds.values_mut().chain(self.histories.values_mut()).zip(shortened) {
            if !whole.0.is_empty() {
                feed.seen = whole;
            }
        }
        bytes
    }

    /// Without what names somebody in plain words; counts it. Fingerprints stay:
    /// they keep what was read from being delivered once more.
    pub fn forget(&mut self, erased: impl Fn(&str) -> bool, named: impl Fn(&[u8]) -> bool) -> u64 {
        let before = self.pending.len();
        self.pending.retain(|pending| !erased(&pending.id));
        let mut count = (before - self.pending.len()) as u64;
        for feed in self.feeds.values_mut().chain(self.histories.values_mut()) {
            if let Some(pass) = &mut feed.pass
                && pass.link.as_ref().is_some_and(|link| named(link.as_bytes()))
            {
                (pass.link, pass.from, pass.jumped) = (None, pass.since, false);
                count += 1;
            }
        }
        count
    }

    /// What was kept; a state of another making is as good as none: everything is read again.
    pub fn decode(bytes: &[u8]) -> Option<State> {
        serde_json::from_slice(bytes).ok()
    }
}

/// Whether what was put off is due: its time has come, or lies further ahead than
/// it was put off by, because our clock was set back since. µs of our clock.
pub(crate) fn is_due(at: i64, now: i64, wait_seconds: u64) -> bool {
    let wait = i64::try_from(wait_seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000);
    at <= now || at > now.saturating_add(wait)
}

fn seconds(micros: i64) -> u32 {
    u32::try_from(micros.div_euclid(1_000_000)).unwrap_or(if micros < 0 { 0 } else { u32::MAX })
}

/// Eight bytes that stand for these parts.
pub(crate) fn fingerprint(parts: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_survives() {
        let mut state = State::default();
        let feed = state.feeds.entry("Patient".into()).or_default();
        feed.watermark = Some(5);
        assert!(feed.seen.insert(7, 3_000_000) && !feed.seen.insert(7, 3_000_000));
        let mut again = State::decode(&state.encode()).unwrap();
        let feed = again.feeds.get_mut("Patient").unwrap();
        assert!(feed.seen.contains(7) && feed.watermark == Some(5));
        feed.seen.forget_before(3_900_000);
        assert!(feed.seen.contains(7));
        feed.seen.forget_before(4_000_000);
        assert!(!feed.seen.contains(7));
        assert!(State::decode(b"{\"feeds\":7}").is_none());
    }

    #[test]
    fn a_pass_under_way_writes_the_newest_and_keeps_all() {
        let mut state = State::default();
        let feed = state.feeds.entry("Patient".into()).or_default();
        feed.pass = Some(Pass::default());
        let count = MAX_SEEN_UNDER_WAY as u64 + 5_000;
        for number in 0..count {
            feed.seen.insert(number, number as i64 * 1_000_000);
        }
        let written = State::decode(&state.encode()).unwrap();
        let kept = &written.feeds["Patient"].seen;
        assert!(kept.contains(count - 1) && !kept.contains(0) && kept.0.len() <= MAX_SEEN_UNDER_WAY);
        assert!(state.feeds["Patient"].seen.contains(0));
    }

    #[test]
    fn a_clock_set_back_puts_nothing_off() {
        assert!(is_due(5, 5, 60) && !is_due(60_000_005, 5, 60));
        let hour = 3_600_000_000;
        assert!(is_due(hour, 0, 60), "set back by an hour: what was due in a minute would wait for an hour");
        assert!(!is_due(hour, 0, u64::MAX));
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(fingerprint(&["a", "bc"]), fingerprint(&["ab", "c"]));
    }
}
