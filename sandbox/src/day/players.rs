//! Those who play a day: a sender of HL7 v2 messages ([`mllp`]), a FHIR server
//! whose content changes ([`server`]), and one who tells of each change by HTTP
//! ([`notifier`]).

pub mod mllp;
pub mod notifier;
pub mod server;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use sillage_schemas::Fault;
use thiserror::Error;

/// What keeps a player from playing on.
#[derive(Debug, Error)]
pub enum Error {
    #[error("{address} cannot be used: {source}; is it taken, or not an address?")]
    Address { address: String, source: std::io::Error },
    #[error("{address} has answered nothing for {seconds} s; does something listen there?")]
    Silence { address: String, seconds: u64 },
    #[error("{address} is no address to send to")]
    Url { address: String },
    #[error("no client or runtime can be made: {0}")]
    Runtime(String),
}

impl Error {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Error::Address { .. } | Error::Url { .. } => Fault::Configuration,
            Error::Silence { .. } => Fault::Environment,
            Error::Runtime(_) => Fault::Internal,
        }
    }
}

/// How far a player is; others may look while it plays.
#[derive(Debug, Default)]
pub struct Progress {
    /// Attempts, those sent again too.
    pub sent: AtomicUsize,
    /// Accepted for good.
    pub acknowledged: AtomicUsize,
    /// Refused for good.
    pub refused: AtomicUsize,
    /// Connections that broke or were answered badly.
    pub failures: AtomicUsize,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    pub sent: usize,
    pub acknowledged: usize,
    pub refused: usize,
    pub failures: usize,
}

impl Progress {
    pub fn report(&self) -> Report {
        let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        Report { sent: of(&self.sent), acknowledged: of(&self.acknowledged), refused: of(&self.refused), failures: of(&self.failures) }
    }

    fn count(count: &AtomicUsize) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// How fast a day passes.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    begun: Instant,
    speed: f64,
}

impl Pace {
    /// So many times as fast as it happened; 0: without waiting.
    pub fn begin(speed: f64) -> Pace {
        Pace { begun: Instant::now(), speed }
    }

    /// How long to wait still for what happens after so much of the day.
    pub fn wait(&self, after: TimeDelta) -> Duration {
        if self.speed <= 0.0 {
            return Duration::ZERO;
        }
        let due = after.num_milliseconds().max(0) as f64 / 1000.0 / self.speed;
        Duration::from_secs_f64(due).saturating_sub(self.begun.elapsed())
    }
}
