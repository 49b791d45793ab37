//! What is counted.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

pub(super) struct Meter {
    source: String,
    pub connections: Gauge,
    pub received: Counter,
    /// From a message being whole to its answer being ready.
    pub seconds: Histogram,
}

impl Meter {
    pub fn new(source: &str) -> Meter {
        let source = source.to_owned();
        Meter {
            connections: gauge!("sillage_connections", "source" => source.clone()),
            received: counter!("sillage_messages_received_total", "source" => source.clone()),
            seconds: histogram!("sillage_acknowledge_seconds", "source" => source.clone()),
            source,
        }
    }

    /// A message was answered with that code.
    pub fn acknowledged(&self, code: &'static str) {
        counter!("sillage_messages_acknowledged_total", "source" => self.source.clone(), "code" => code).increment(1);
    }

    /// A message or a connection was not taken.
    pub fn refused(&self, reason: &'static str) {
        counter!("sillage_messages_refused_total", "source" => self.source.clone(), "reason" => reason).increment(1);
    }

    pub fn skipped(&self, bytes: u64) {
        counter!("sillage_mllp_skipped_bytes_total", "source" => self.source.clone()).increment(bytes);
    }
}
