//! FHIR Subscriptions: an HTTP endpoint that servers and interface engines send
//! resources and Bundles to.
//!
//! What comes is durable in the [inbox](crate::inbox) before it is acknowledged.
//! [`listener`] holds the connections, [`receive`] takes a request and answers it,
//! [`secret`] knows who may send, [`outcome`] words the answers, [`events`] counts
//! what a subscription tells.
//!
//! A notification may say only that there is something: with `server` set, the
//! [poller](crate::fhir_rest) of that server looks at once. It reads the same
//! inbox, and it reads the server from the beginning, so that nothing is missed
//! that was there before the subscription or while nobody listened.

mod address;
mod events;
mod follow;
mod listener;
mod outcome;
mod receive;
mod secret;
mod settings;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use tokio::sync::Notify;

use crate::Opening;
use crate::fhir_rest;
use crate::formats::fhir::payload;
use crate::inbox::{Inbox, InboxSource};
use crate::network::{Service, tls};
use crate::source::{Epoch, Position, Source, SourceError, Start, Until};
use address::Address;
use follow::Follower;
use listener::Listener;
use receive::Receiver;
use secret::Secrets;
pub use settings::Settings;

/// Takes the address and the settings; listens to nothing yet.
///
/// # Errors
/// [`SourceError::Setting`]: the address is none, settings contradict each other,
/// or anybody on the network could send.
pub fn open(opening: &Opening<'_>) -> Result<Box<dyn Source>, SourceError> {
    let settings = opening.settings.subscription.clone();
    let place = || "[subscription]".to_owned();
    settings.check().map_err(|message| SourceError::Setting { place: place(), message })?;
    let address = Address::parse(opening.uri)?;
    let wrong = |message: String| Err(SourceError::Setting { place: place(), message });
    match (address.secure, &settings.tls_certificate) {
        (true, None) => return wrong("tls_certificate and tls_key are needed to listen with https".into()),
        (false, Some(_)) => return wrong("there is a tls_certificate; write fhir-subscription+https:// as source".into()),
        _ => {}
    }
    if !settings.protected() && !address.local() {
        return wrong(format!(
            "anybody who reaches {} could send; set token_file, user and password_file, or client_authorities, or listen on 127.0.0.1",
            address.shown()
        ));
    }
    let polled = opening.settings.fhir.clone();
    Ok(Box::new(Subscription { name: address.name(), address, settings, polled, timezone: opening.timezone, open: None }))
}

/// An endpoint as a source.
struct Subscription {
    name: String,
    address: Address,
    settings: Settings,
    /// How the server is asked that notifications come from.
    polled: fhir_rest::Settings,
    timezone: Tz,
    open: Option<Open>,
}

/// What exists from the start on.
struct Open {
    // Before the inbox, so that nothing is appended to one that is gone.
    _listener: Option<Service>,
    follower: Option<Follower>,
    inbox: InboxSource,
    once: bool,
}

impl Subscription {
    fn started(&mut self) -> Result<&mut Open, SourceError> {
        let place = self.address.shown().to_owned();
        self.open.as_mut().ok_or_else(|| SourceError::Inbox { place, message: "the source was not started".to_owned() })
    }

    fn listen(&self, inbox: &Inbox, wake: Option<Arc<Notify>>) -> Result<Service, SourceError> {
        let failed = |error| SourceError::Listen { address: self.address.shown().to_owned(), error };
        let secrets = Secrets::read(&self.settings)?;
        let tls = match (&self.settings.tls_certificate, &self.settings.tls_key) {
            (Some(certificate), Some(key)) => {
                let client_authorities = self.settings.client_authorities.as_deref();
                Some(tls::server_config(&tls::Tls { certificate, key, client_authorities })?)
            }
            _ => None,
        };
        if tls.is_none() && !self.address.local() {
            tracing::warn!(
                source = self.name,
                "documents come in the clear; let a proxy on this machine speak TLS, or set tls_certificate"
            );
        }
        let socket = TcpListener::bind(&self.address.sockets[..]).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let receiver = Receiver::new(&self.name, &self.address.path, secrets, self.settings.clone(), inbox.clone(), wake);
        let listener = Listener { socket, tls, receiver: Arc::new(receiver), settings: self.settings.clone(), source: self.name.clone() };
        Service::spawn("subscription", move |stop| listener.serve(stop)).map_err(failed)
    }
}

impl Source for Subscription {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&mut self, start: &Start<'_>) -> Result<(), SourceError> {
        let inbox = Inbox::sealed(start.spool, &self.name, start.seal.cloned())?;
        let follower = match &self.settings.server {
            Some(server) => Some(Follower::start(server, &self.name, &self.polled, &inbox, start)?),
            None => None,
        };
        let listener = match start.once {
            true => None,
            false => Some(self.listen(&inbox, follower.as_ref().map(Follower::wake))?),
        };
        let inbox = InboxSource::new(&self.name, inbox, self.timezone, |message, rows, timezone| {
            payload::take(&message.payload, &message.place, rows, timezone);
        });
        self.open = Some(Open { _listener: listener, follower, inbox, once: start.once });
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
        match open.follower.as_ref().filter(|_| open.once && !matches!(until, Until::Exactly(_))) {
            Some(follower) => follower.progress().read(&mut open.inbox, from, until),
            None => open.inbox.read(from, until),
        }
    }
}
