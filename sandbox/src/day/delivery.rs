//! The order in which a network delivers: nearly that of the events, with some
//! too early, some twice, and texts that were overtaken long ago.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::{Day, What};

/// What a network does to messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mischief {
    /// How many places a message may be away from its own.
    pub shuffle: usize,
    /// How many of a hundred are delivered twice.
    pub duplicates: u32,
    /// Of how many documents in a hundred with several texts an old one is sent
    /// again after the newest.
    pub late: u32,
}

/// A message on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Which of [`Day::events`].
    pub event: usize,
    /// When, counted from the first; never before the delivery in front of it.
    pub after: TimeDelta,
}

impl Day {
    /// Everything, in the order of a network that does this.
    pub fn deliveries(&self, mischief: Mischief) -> Vec<Delivery> {
        let mut random = self.random(0xDE1, mischief.shuffle);
        // Twice the place, so that a second copy has room behind it.
        let mut places: Vec<(usize, usize)> = Vec::with_capacity(self.events.len());
        let mut texts: HashMap<usize, Vec<usize>> = HashMap::new();
        for (event, told) in self.events.iter().enumerate() {
            places.push((event + random.below(mischief.shuffle + 1), event));
            if random.chance(mischief.duplicates) {
                places.push((event + random.below(3 * mischief.shuffle + 2), event));
            }
            if let What::Document { page, .. } = told.what {
                texts.entry(page).or_default().push(event);
            }
        }
        let mut overtaken: Vec<Vec<usize>> = texts.into_values().filter(|events| events.len() > 1).collect();
        overtaken.sort_unstable();
        for events in overtaken {
            if random.chance(mischief.late) {
                let last = events.last().copied().unwrap_or_default();
                places.push((last + 1 + random.below(4 * mischief.shuffle + 8), events[random.below(events.len() - 1)]));
            }
        }
        places.sort_by_key(|(place, _)| *place);
        let first = self.events.first().map(|event| event.at).unwrap_or_default();
        let last = self.events.len().saturating_sub(1);
        let at = |place: usize| self.events.get(place.min(last)).map_or(TimeDelta::zero(), |event| event.at - first);
        places.into_iter().map(|(place, event)| Delivery { event, after: at(place) }).collect()
    }
}
