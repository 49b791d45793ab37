//! Patients, encounters and authors read a moment ago.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

const MAX_BYTES: usize = 64 << 20;

/// Bounded by entries and bytes; what was used longest ago goes first.
#[derive(Debug)]
pub(crate) struct Cache {
    entries: HashMap<String, Held>,
    bytes: usize,
    max_entries: usize,
    fresh: Duration,
    clock: u64,
}

#[derive(Debug)]
struct Held {
    copy: Copy,
    checked: Instant,
    used: u64,
}

/// A resource as the server gave it; `None` where it has none.
#[derive(Debug, Clone)]
pub(crate) struct Copy {
    pub json: Option<Arc<str>>,
    pub etag: Option<String>,
}

/// What the cache says.
#[derive(Debug)]
pub(crate) enum Found {
    Fresh(Copy),
    /// To be asked about.
    Stale(Copy),
    Nothing,
}

impl Cache {
    pub fn new(max_entries: usize, fresh: Duration) -> Self {
        Cache { entries: HashMap::new(), bytes: 0, max_entries, fresh, clock: 0 }
    }

    pub fn get(&mut self, key: &str) -> Found {
        self.clock += 1;
        let Some(held) = self.entries.get_mut(key) else { return Found::Nothing };
        held.used = self.clock;
        if held.checked.elapsed() < self.fresh { Found::Fresh(held.copy.clone()) } else { Found::Stale(held.copy.clone()) }
    }

    pub fn put(&mut self, key: String, copy: Copy) {
        if self.max_entries == 0 || weight(&key, &copy) > MAX_BYTES {
            return;
        }
        self.clock += 1;
        self.bytes += weight(&key, &copy);
        let held = Held { copy, checked: Instant::now(), used: self.clock };
        if let Some(before) = self.entries.insert(key.clone(), held) {
            self.bytes -= weight(&key, &before.copy);
        }
        if self.entries.len() > self.max_entries || self.bytes > MAX_BYTES {
            self.evict();
        }
    }

    /// Makes room for a while, so that not every insertion has to look for the oldest.
    fn evict(&mut self) {
        let mut ages: Vec<(u64, String)> = self.entries.iter().map(|(key, held)| (held.used, key.clone())).collect();
        ages.sort_unstable();
        for (_, key) in ages {
            if self.entries.len() <= self.max_entries * 3 / 4 && self.bytes <= MAX_BYTES * 3 / 4 {
                break;
            }
            if let Some(held) = self.entries.remove(&key) {
                self.bytes -= weight(&key, &held.copy);
            }
        }
    }
}

fn weight(key: &str, copy: &Copy) -> usize {
    key.len() + copy.json.as_ref().map_or(0, |json| json.len()) + 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(text: &str) -> Copy {
        Copy { json: Some(text.into()), etag: None }
    }

    #[test]
    fn the_least_used_go_first() {
        let mut cache = Cache::new(4, Duration::from_secs(60));
        for key in ["a", "b", "c", "d"] {
            cache.put(key.into(), copy(key));
        }
        assert!(matches!(cache.get("a"), Found::Fresh(_)));
        cache.put("e".into(), copy("e"));
        assert!(matches!(cache.get("a"), Found::Fresh(_)) && matches!(cache.get("e"), Found::Fresh(_)));
        assert!(matches!(cache.get("b"), Found::Nothing));
        assert_eq!(cache.bytes, cache.entries.iter().map(|(k, h)| weight(k, &h.copy)).sum::<usize>());
    }

    #[test]
    fn bytes_are_bounded_and_age_shows() {
        let mut cache = Cache::new(1000, Duration::ZERO);
        let large = "x".repeat(MAX_BYTES / 3);
        for key in ["a", "b", "c", "d", "e"] {
            cache.put(key.into(), copy(&large));
            assert!(cache.bytes <= MAX_BYTES);
        }
        assert!(matches!(cache.get("e"), Found::Stale(_)) && matches!(cache.get("a"), Found::Nothing));
        cache.put("huge".into(), copy(&"x".repeat(MAX_BYTES)));
        assert!(matches!(cache.get("huge"), Found::Nothing));
    }
}
