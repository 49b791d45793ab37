//! FHIR servers: asked by search or by Bulk Data export, again and again.
//!
//! What was read goes into the [inbox](crate::inbox) together with how far the
//! server has been read, in one transaction ([`state`]); a document goes with
//! its Binaries, patient, encounter and authors as one collection Bundle
//! ([`document`]). [`search`] follows `_lastUpdated`, [`export`] follows
//! `$export`, [`deletions`] finds what is gone, [`client`] bears with the
//! network, [`authorisation`] says who we are.

mod address;
mod authorisation;
mod cache;
mod client;
mod deletions;
mod document;
mod export;
mod known;
mod page;
mod poller;
mod retry;
mod search;
mod settings;
mod state;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono_tz::Tz;

use crate::Opening;
use crate::formats::fhir::payload;
use crate::inbox::{Inbox, InboxSource};
use crate::network::Service;
use crate::source::{Epoch, Position, Source, SourceError, Start, Until};
use address::Address;
use cache::Cache;
use client::Client;
use known::Known;
pub(crate) use poller::{Poller, Progress};
pub use settings::{Deletions, Mode, Settings, Type};
use state::State;

/// Takes the address and the settings; asks nothing yet.
///
/// # Errors
/// [`SourceError::Setting`]: the address is none, settings contradict each other.
pub fn open(opening: &Opening<'_>) -> Result<Box<dyn Source>, SourceError> {
    let settings = opening.settings.fhir.clone();
    let address = Address::parse(opening.uri, &settings.allowed_origins)?;
    settings.check().map_err(|message| SourceError::Setting { place: "[fhir]".to_owned(), message })?;
    Ok(Box::new(FhirRest { name: address.name(), address: Arc::new(address), settings, timezone: opening.timezone, open: None }))
}

/// A FHIR server as a source.
struct FhirRest {
    name: String,
    address: Arc<Address>,
    settings: Settings,
    timezone: Tz,
    open: Option<Open>,
}

/// What exists from the start on.
struct Open {
    // Before the inbox, so that the poller ends first.
    _service: Service,
    inbox: InboxSource,
    progress: Arc<Progress>,
    once: bool,
}

/// The server, for all who ask it.
pub(crate) struct Remote {
    client: Client,
    settings: Settings,
    cache: Mutex<Cache>,
}

/// What reads a server into the inbox of another source: of one that is told when there is something new.
///
/// # Errors
/// The address is none, settings contradict each other, a secret cannot be read.
pub(crate) fn poller(server: &str, source: &str, settings: &Settings, inbox: Inbox, spool: &Path) -> Result<Poller, SourceError> {
    settings.check().map_err(|message| SourceError::Setting { place: "[fhir]".to_owned(), message })?;
    let address = Address::parse(&format!("fhir+{server}"), &settings.allowed_origins)?;
    asking(Arc::new(address), source, settings, inbox, spool)
}

fn asking(address: Arc<Address>, source: &str, settings: &Settings, inbox: Inbox, spool: &Path) -> Result<Poller, SourceError> {
    let client = Client::open(address, source, settings)?;
    let cache = Cache::new(settings.cache_entries, Duration::from_secs(settings.cache_seconds));
    let remote = Arc::new(Remote { client, settings: settings.clone(), cache: Mutex::new(cache) });
    Poller::open(remote, inbox, spool)
}

/// What a poller has kept, without what names somebody, and how much that was;
/// `None` where it names nobody.
pub(crate) fn forgetting(kept: &[u8], erased: impl Fn(&str) -> bool, named: impl Fn(&[u8]) -> bool) -> Option<(Vec<u8>, u64)> {
    let mut state = State::decode(kept)?;
    let count = state.forget(erased, named);
    (count > 0).then(|| (state.encode(), count))
}

/// Takes ids out of what pollers remember to have delivered; counts them.
pub(crate) fn forget_known(spool: &Path, erased: impl Fn(&str) -> bool) -> Result<u64, SourceError> {
    Known::erase(spool, erased)
}

#[cfg(test)]
pub(crate) fn remember_known(spool: &Path, source: &str, ids: &[&str]) -> Result<(), SourceError> {
    Known::open(spool, source)?.add(ids.iter().copied())
}

impl FhirRest {
    fn started(&mut self) -> Result<&mut Open, SourceError> {
        let place = || self.address.shown().to_owned();
        self.open.as_mut().ok_or_else(|| SourceError::Inbox { place: place(), message: "the source was not started".to_owned() })
    }
}

impl Source for FhirRest {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&mut self, start: &Start<'_>) -> Result<(), SourceError> {
        let inbox = Inbox::sealed(start.spool, &self.name, start.seal.cloned())?;
        let poller = asking(self.address.clone(), &self.name, &self.settings, inbox.clone(), start.spool)?;
        let progress = Arc::new(Progress::default());
        let (told, once) = (progress.clone(), start.once);
        let service = Service::spawn("fhir", move |stop| async move {
            if once { poller.once(stop, told).await } else { poller.run(stop, Arc::default()).await }
        });
        let service = service.map_err(|error| SourceError::Spool { error })?;
        let inbox = InboxSource::new(&self.name, inbox, self.timezone, |message, rows, timezone| {
            payload::take(&message.payload, &message.place, rows, timezone);
        });
        self.open = Some(Open { _service: service, inbox, progress, once });
        Ok(())
    }

    fn patience(&self) -> Option<Duration> {
        self.open.as_ref().and_then(|open| open.inbox.patience())
    }

    fn committed(&mut self, position: &Position) -> Result<(), SourceError> {
        self.started()?.inbox.committed(position)
    }

    fn size_hint(&self, from: &Position) -> Option<u64> {
        self.open.as_ref().and_then(|open| open.inbox.size_hint(from))
    }

    fn read(&mut self, from: &Position, until: Until<'_>) -> Result<Option<Epoch>, SourceError> {
        let open = self.started()?;
        if !open.once || matches!(until, Until::Exactly(_)) {
            return open.inbox.read(from, until);
        }
        open.progress.read(&mut open.inbox, from, until)
    }
}
