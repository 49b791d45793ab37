//! What is counted.

use memchr::memmem;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Of MSA-1, and what a message in delimiters of its own may make of it.
const CODES: [&str; 7] = ["AA", "AE", "AR", "CA", "CE", "CR", "other"];

pub(super) struct Meter {
    source: String,
    pub connections: Gauge,
    pub received: Counter,
    /// By the code of the answer.
    acknowledged: [(&'static str, Counter); 7],
    /// From a message being whole to its answer being ready.
    pub seconds: Histogram,
}

impl Meter {
    pub fn new(source: &str) -> Meter {
        let source = source.to_owned();
        Meter {
            connections: gauge!("sillage_connections", "source" => source.clone()),
            received: counter!("sillage_messages_received_total", "source" => source.clone()),
            acknowledged: CODES
                .map(|code| (code, counter!("sillage_messages_acknowledged_total", "source" => source.clone(), "code" => code))),
            seconds: histogram!("sillage_acknowledge_seconds", "source" => source.clone()),
            source,
        }
    }

    /// A message was answered like that.
    pub fn acknowledged(&self, answer: &[u8]) {
        let at = memmem::find(answer, b"\rMSA").map_or(0, |at| at + 5);
        let code = answer.get(at..at + 2).unwrap_or_default();
        let counter = self.acknowledged.iter().find(|(known, _)| known.as_bytes() == code).or(self.acknowledged.last());
        if let Some((_, counter)) = counter {
            counter.increment(1);
        }
    }

    /// A message or a connection was not taken.
    pub fn refused(&self, reason: &'static str) {
        counter!("sillage_messages_refused_total", "source" => self.source.clone(), "reason" => reason).increment(1);
    }

    pub fn skipped(&self, bytes: u64) {
        counter!("sillage_mllp_skipped_bytes_total", "source" => self.source.clone()).increment(bytes);
    }
}
