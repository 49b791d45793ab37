//! The numbers that a subscription gives its events, to notice what never came.

use std::collections::HashMap;

use crate::formats::fhir::inspect::Notification;

/// Subscriptions followed at most.
const MAX_SUBSCRIPTIONS: usize = 1000;

/// The last event of each subscription since the start.
#[derive(Default)]
pub(super) struct Events(HashMap<String, u64>);

impl Events {
    /// How many events were missed before this notification.
    pub fn missed(&mut self, notification: &Notification) -> u64 {
        let known = self.0.get(&notification.subscription).copied();
        let mut numbers = notification.event_numbers.clone();
        numbers.sort_unstable();
        if notification.type_ == "handshake" {
            // A subscription that begins anew counts anew.
            self.put(notification, notification.events_since_start.unwrap_or(0));
            return 0;
        }
        if notification.type_ == "query-status" || notification.type_ == "query-event" {
            return 0;
        }
        let Some(mut last) = known.or_else(|| numbers.first().map(|first| first.saturating_sub(1))) else {
            if let Some(count) = notification.events_since_start {
                self.put(notification, count);
            }
            return 0;
        };
        let mut missed = 0u64;
        for number in numbers {
            missed = number.saturating_sub(last.saturating_add(1)).saturating_add(missed);
            last = last.max(number);
        }
        if notification.type_ == "heartbeat" {
            let count = notification.events_since_start.unwrap_or(last);
            missed = count.saturating_sub(last).saturating_add(missed);
            last = last.max(count);
        }
        self.put(notification, last);
        missed
    }

    fn put(&mut self, notification: &Notification, last: u64) {
        if self.0.len() >= MAX_SUBSCRIPTIONS && !self.0.contains_key(&notification.subscription) {
            self.0.clear();
        }
        self.0.insert(notification.subscription.clone(), last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(type_: &str, since_start: u64, numbers: &[u64]) -> Notification {
        Notification {
            type_: type_.into(),
            subscription: "Subscription/s".into(),
            events_since_start: Some(since_start),
            event_numbers: numbers.to_vec(),
        }
    }

    #[test]
    fn gaps_are_counted_once() {
        let mut events = Events::default();
        let mut missed = |type_: &str, since_start, numbers: &[u64]| events.missed(&told(type_, since_start, numbers));
        assert_eq!(missed("handshake", 0, &[]), 0);
        assert_eq!(missed("event-notification", 1, &[1]), 0);
        assert_eq!(missed("event-notification", 3, &[3, 2]), 0);
        assert_eq!(missed("event-notification", 6, &[6]), 2);
        assert_eq!(missed("event-notification", 6, &[6]), 0);
        assert_eq!(missed("event-notification", 6, &[4]), 0);
        assert_eq!(missed("heartbeat", 6, &[]), 0);
        assert_eq!(missed("heartbeat", 8, &[]), 2);
        assert_eq!(missed("event-notification", 9, &[9]), 0);
        assert_eq!(missed("query-status", 50, &[]), 0);
        assert_eq!(missed("handshake", 0, &[]), 0);
        assert_eq!(missed("event-notification", 1, &[1]), 0);
    }

    #[test]
    fn what_came_before_the_start_is_not_missed() {
        assert_eq!(Events::default().missed(&told("event-notification", 40, &[40])), 0);
        let mut events = Events::default();
        assert_eq!(events.missed(&told("heartbeat", 40, &[])), 0);
        assert_eq!(events.missed(&told("event-notification", 42, &[42])), 1);
        assert_eq!(events.missed(&told("event-notification", u64::MAX, &[u64::MAX])), u64::MAX - 43);
    }
}
